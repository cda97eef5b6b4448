# DuckDB's library from npm, for tests and measurements: source tests/duckdb.bash.

# duckdb_library - set LH_DUCKDB to libduckdb.so; install the package of duckdb/package.json
# below build/ if there is none.  Where that is not possible, say why and fail.
duckdb_library() {
	local from=$ROOT/tests/duckdb/package.json to=$ROOT/build/duckdb log
	[ -z "${LH_DUCKDB:-}" ] || return 0
	command -v npm >/dev/null || { echo "there is no npm"; return 1; }
	mkdir -p "$to"
	{
		flock 9
		cmp -s "$from" "$to/installed.json" || {
			cp "$from" "$to"
			log=$(cd "$to" && timeout 300 npm install --ignore-scripts --no-audit --no-fund \
				--no-package-lock --fetch-retries=0 2>&1 9>&-) || {
				echo "npm cannot install DuckDB: $(grep -m1 'npm \(ERR!\|error\)' <<<"$log")"
				return 1
			}
			cp "$from" "$to/installed.json"
		}
	} 9>"$to/lock"
	export LH_DUCKDB=$to/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so
}
