# DuckDB's library from npm, for tests and measurements: source tests/duckdb.bash.
source "$ROOT/tests/npm.bash"

# duckdb_library - set LH_DUCKDB to libduckdb.so; install the package of duckdb/package.json
# below build/ if there is none.  Where that is not possible, say why and fail.
duckdb_library() {
	[ -z "${LH_DUCKDB:-}" ] || return 0
	npm_package DuckDB "$ROOT/tests/duckdb" "$ROOT/build/duckdb" || return
	export LH_DUCKDB=$ROOT/build/duckdb/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so
}
