# lh-query with DuckDB's library, which npm brings; without npm these tests are skipped.
load ../helper
source "$ROOT/tests/duckdb.bash"

setup_file() {
	local reason
	reason=$(duckdb_library) || export NO_DUCKDB="$reason"
	[ -n "${NO_DUCKDB:-}" ] || duckdb_library
}

setup() {
	[ -z "${NO_DUCKDB:-}" ] || skip "$NO_DUCKDB"
	cd "$BATS_TEST_TMPDIR" || return 1
	# DuckDB's threads may end while leaks are looked for, which is then said on stderr
	[ -z "${LH_ASAN:-}" ] || export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	printf '%s\n' '{"id":"w-1","city":"Chicago","score":95,"skills":["safety","MIG"],"active":true}' \
		'{"id":"w-2","city":"Houston","score":89,"skills":[],"active":false}' '{"id":"w-3","city":"Chicago","score":70,"active":true}' \
		'{"id":"w-4","city":"Houston","score":90,"skills":null}' '{"id":"w-5","city":"Gary","score":61}' >w.jsonl
}

# duck SQL ARGUMENT...
duck() {
	lh-query --engine duckdb "$@"
}

# refused CODE MESSAGE SQL ARGUMENT... - exit 2 and that message at its beginning; as a
# request the error record with that code.
refused() {
	local code=$1 message=$2 sql=$3
	shift 3
	run -2 --separate-stderr duck "$sql" "$@"
	[ -z "$output" ] && [[ $stderr == "lh-query: $message"* ]] || { echo "$sql: $stderr"; return 1; }
	jq -nc --arg sql "$sql" '{sql: $sql}' >request
	run -1 --separate-stderr lh-query --engine duckdb "$@" nothing=/dev/null <request
	[ "$(jq -c --arg m "$message" '.error | [.code, (.message | startswith($m))]' <<<"$output")" = "[$code,true]" ] ||
		{ echo "$sql: $output"; return 1; }
}

@test "five questions about five workers" {
	[ "$(duck 'SELECT count(*) n FROM w' w=w.jsonl)" = '{"n":5}' ]
	[ "$(duck "SELECT count(*) n FROM w WHERE city = 'Chicago'" w=w.jsonl)" = '{"n":2}' ]
	[ "$(duck 'SELECT max(score) n FROM w' w=w.jsonl)" = '{"n":95}' ]
	[ "$(duck "SELECT id FROM w WHERE list_contains(skills::VARCHAR[], 'safety')" w=w.jsonl)" = '{"id":"w-1"}' ]
	[ "$(duck "SELECT avg(score) n FROM w WHERE city = 'Houston'" w=w.jsonl)" = '{"n":89.5}' ]
}

# bats test_tags=full
@test "nothing but the named files can be reached" {
	echo '{"secret":1}' >other.jsonl
	for sql in "SELECT * FROM read_json('other.jsonl')" "SELECT * FROM 'other.jsonl'" "SELECT * FROM read_csv('/etc/passwd')" \
		"SELECT * FROM read_text('/etc/passwd')" "SELECT * FROM read_blob('other.jsonl')" "SELECT * FROM glob('*')" \
		"SELECT * FROM sniff_csv('/etc/passwd')" "SELECT * FROM read_parquet('http://127.0.0.1:1/x')" "SELECT getenv('HOME')" \
		"SELECT * FROM parquet_metadata('other.jsonl')" "SELECT * FROM read_json(['w.jsonl', 'other.jsonl'])"; do
		run -2 --separate-stderr duck "$sql" w=w.jsonl
		[ -z "$output" ] && [ -n "$stderr" ] || { echo "$sql: $output"; return 1; }
	done
	only='only one SELECT, WITH, VALUES or EXPLAIN is answered'
	for sql in "ATTACH 'x.db'" 'INSTALL httpfs' "LOAD 'x'" "COPY (SELECT 1) TO 'x'" 'SET threads = 3' 'PRAGMA database_list' 'CREATE TABLE t(a INTEGER)' \
		"EXPORT DATABASE 'x'" 'CALL pragma_version()' 'FROM w' 'DROP VIEW w' 'CHECKPOINT' 'RESET ALL' "IMPORT DATABASE 'x'"; do
		refused 400 "$only" "$sql" w=w.jsonl
	done
	refused 400 'only a statement that reads is answered' 'WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a' w=w.jsonl ||
		refused 400 'Catalog Error' 'WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a' w=w.jsonl
	refused 400 'Invalid Input Error: Cannot prepare multiple' 'SELECT 1; SELECT 2' w=w.jsonl
	[ ! -e x ]
}

# bats test_tags=full
@test "EXPLAIN ANALYZE overwrites no table, whatever path and comment it hides in; nothing is run" {
	cp w.jsonl before
	for n in {3..20}; do
		for sql in "EXPLAIN ANALYZE COPY (SELECT 1) TO '/proc/self/fd/$n'" "/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE COPY (SELECT 1 FROM w) TO '/proc/self/fd/$n'" \
			"/* /* */ SELECT */ EXPLAIN ANALYZE COPY (SELECT 1 FROM w) TO '/proc/self/fd/$n'"; do
			jq -nc --arg s "$sql" '{sql: $s}'
		done
	done | lh-query --engine duckdb w=w.jsonl >out || [ $? = 1 ]
	cmp before w.jsonl
	[ "$(wc -l <out)" = 54 ]
	for sql in 'EXPLAIN ANALYZE SELECT 1' 'explain /* x */ analyze select 1' 'EXPLAIN (ANALYZE) SELECT 1' 'EXPLAIN (FORMAT json) SELECT 1' 'EXPLAIN EXPLAIN SELECT 1' 'EXPLAIN COPY w TO 1' 'EXPLAIN'; do
		refused 400 'EXPLAIN takes a SELECT, and nothing before it' "$sql" w=w.jsonl
		run -2 lh-query "$sql" w=w.jsonl
	done
	[[ $(duck 'EXPLAIN SELECT id FROM w' w=w.jsonl) == '{"explain_key":"physical_plan",'* ]]
}

@test "a query is stopped at --timeout, and bounded in memory and rows" {
	run -2 --separate-stderr patiently lh-query --engine duckdb --timeout 0.5 'WITH RECURSIVE c(n) AS (SELECT 1::HUGEINT UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c'
	[[ $stderr == *'takes too long'* ]]
	refused 413 'Out of Memory Error' 'SELECT count(DISTINCT i || repeat(i::VARCHAR, 100)) FROM range(10000000) t(i)' --memory 30M --spill 1M -j1
	run -1 --separate-stderr duck --max-rows 2 'SELECT id FROM w ORDER BY id' w=w.jsonl
	[ "$(wc -l <<<"$output")" = 2 ]
	run -2 --separate-stderr duck --memory 20M --wire 'SELECT repeat(i::VARCHAR, 1000) FROM range(1000000) t(i)' -j1
	[ "$stderr" = 'lh-query: the answer is larger than --memory' ]
	[ -z "$(ls -A "${TMPDIR:-/tmp}" | grep "lh-query-$$" || true)" ]
}

@test "without the library, or with an old one, it says what to install" {
	LH_DUCKDB=/nowhere/libduckdb.so run -2 --separate-stderr duck 'SELECT 1'
	[[ $stderr == "lh-query: cannot open /nowhere/libduckdb.so: install DuckDB's library"* ]]
	LH_DUCKDB=$(gcc -print-file-name=libm.so.6) run -2 --separate-stderr duck 'SELECT 1'
	[[ $stderr == *'DuckDB 1.2 or newer is needed' ]]
	sed -n 's/^\tF([^,]*, \([a-z_]*\),.*/char *duckdb_\1(void) { return "v1.1.3"; }/p' "$ROOT/lib/duckdb/duckdb_api.h" >old.c
	gcc -shared -fPIC -o old.so old.c
	LH_DUCKDB=$PWD/old.so run -2 --separate-stderr duck 'SELECT 1'
	[ "$stderr" = "lh-query: $PWD/old.so is v1.1.3: DuckDB 1.2 or newer is needed" ]
}

@test "Parquet, alone, joined, and as one of the objects of a dataset; without DuckDB it says who reads it" {
	mkdir s
	"$(dirname "$AID")/aid_duckdb" "COPY (SELECT * FROM (VALUES (1, 'a', 1.50, DATE '2026-05-03', [1, 2]), (2, NULL, -0.05, NULL, [])) t(id, s, d, day, l)) TO 's/t.parquet' (FORMAT parquet)" >out
	[ "$(cat out)" = '{"Count":2}' ]
	[ "$(duck 'SELECT * FROM t ORDER BY id' t=s/t.parquet)" = '{"id":1,"s":"a","d":1.50,"day":"2026-05-03","l":[1,2]}
{"id":2,"s":null,"d":-0.05,"day":null,"l":[]}' ]
	[ "$(duck 'SELECT count(*) n FROM t, w' t=s/t.parquet w=w.jsonl)" = '{"n":10}' ]
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=s/t.parquet
	[ "$stderr" = 'lh-query: s/t.parquet: is a Parquet file (--engine duckdb reads it)' ]
	echo '{"id":1,"s":"lines"}' >s/t.jsonl
	jq -nc --arg s "$PWD/s" '{name: "d", schema_fingerprint: "f", store: $s, objects: [{key: "t.jsonl"}, {key: "t.parquet"}]}' | lh-catalog register -q --catalog c >out
	[ "$(duck --catalog c 'SELECT s FROM d WHERE id = 1')" = '{"s":"a"}' ]
	[ "$(lh-query --catalog c 'SELECT s FROM d WHERE id = 1')" = '{"s":"lines"}' ]
	head -c 300 s/t.parquet >bad.parquet
	run -2 --separate-stderr duck 'SELECT * FROM t' t=bad.parquet
	[ -z "$output" ] && [ -n "$stderr" ]
}

@test "an error of DuckDB shows no value of a person with --attribute" {
	jq -nc '{candidate_id: "w-1", name: "Ann Example"}' >workers.jsonl
	for sql in 'select cast(name as int) from workers' 'select error(name) from workers'; do
		run -1 --separate-stderr lh-query --engine duckdb --attribute workers=workers.jsonl < <(jq -nc --arg sql "$sql" '{$sql}')
		[[ $output == *'"message":"the statement failed on a table of persons; the reason is left out, since it may show them"'* ]]
		[[ $output$stderr != *Ann* ]]
	done
	run -1 --separate-stderr lh-query --engine duckdb --attribute workers=workers.jsonl <<<'{"sql":"select nam from workers"}'
	[[ $output == *'Binder Error: '* ]]
}
