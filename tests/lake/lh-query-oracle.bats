# Random queries over random records: both engines of lh-query and Python's sqlite3, into
# which the records are loaded, give the same answers.
# Plain only: many inputs that are sound; lh-query.bats takes the same paths.
# bats file_tags=oracle,plain-only
load ../helper
source "$ROOT/tests/duckdb.bash"

setup_file() {
	local reason
	reason=$(duckdb_library) || export NO_DUCKDB="$reason"
	[ -n "${NO_DUCKDB:-}" ] || duckdb_library
}

@test "random queries over files are answered as by Python's sqlite3 over loaded tables, also in little memory" {
	for seed in 1 2 3; do
		python3 "$ROOT/tests/oracle/query.py" $seed 150 >requests
		lh-query t=t.jsonl u=u.jsonl <requests >sqlite.out
		zstd -qf t.jsonl
		lh-query --memory 4M t=t.jsonl.zst u=u.jsonl <requests | cmp - sqlite.out
		run -0 python3 "$ROOT/tests/oracle/query_same.py" requests sqlite.out
		[ "$output" -gt 100 ]
	done
}

@test "DuckDB answers as SQLite does" {
	[ -z "${NO_DUCKDB:-}" ] || skip "$NO_DUCKDB"
	python3 "$ROOT/tests/oracle/query.py" 4 60 >requests
	lh-query t=t.jsonl u=u.jsonl <requests >sqlite.out
	lh-query --engine duckdb -j1 t=t.jsonl u=u.jsonl <requests >duckdb.out
	run -0 python3 "$ROOT/tests/oracle/query_same.py" requests sqlite.out duckdb.out
	[ "$output" -gt 40 ]
}
