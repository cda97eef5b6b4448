load helper
source "$ROOT/tests/duckdb.bash"

# lh-query with DuckDB's library, which npm brings; without npm these tests are skipped.

setup_file() {
	local reason
	reason=$(duckdb_library) || export NO_DUCKDB="$reason"
	[ -n "${NO_DUCKDB:-}" ] || duckdb_library
}

setup() {
	[ -z "${NO_DUCKDB:-}" ] || skip "$NO_DUCKDB"
	cd "$BATS_TEST_TMPDIR" || return 1
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

@test "values of each type of DuckDB as JSON" {
	[ "$(duck "SELECT true b, 1::TINYINT i1, -1::SMALLINT i2, 9223372036854775807 i8, 18446744073709551615::UBIGINT u8,
		170141183460469231731687303715884105727::HUGEINT h, 1.50 d, -0.05::DECIMAL(4,2) e, 0.1::FLOAT f, 3::DOUBLE g, 'NaN'::DOUBLE n")" = \
		'{"b":true,"i1":1,"i2":-1,"i8":9223372036854775807,"u8":"18446744073709551615","h":"170141183460469231731687303715884105727","d":1.50,"e":-0.05,"f":0.1,"g":3.0,"n":null}' ]
	[ "$(duck "SELECT 'a longer text than twelve bytes' a, '' b, 'é' c, '\"' q, '\\xAA'::BLOB x, 'b'::ENUM('a', 'b') y, '550e8400-e29b-41d4-a716-446655440000'::UUID u")" = \
		'{"a":"a longer text than twelve bytes","b":"","c":"é","q":"\"","x":"aa","y":"b","u":"550e8400-e29b-41d4-a716-446655440000"}' ]
	[ "$(duck "SELECT DATE '2024-02-29' a, DATE '1969-12-31' b, DATE '0001-01-01' c, TIME '01:02:03.5' t, TIMESTAMP '1969-12-31 23:59:59.25' m, TIMESTAMP_S '2026-05-03 12:00:00' s, TIMESTAMP_NS '2026-05-03 12:00:00.000000001' o, 'infinity'::DATE i")" = \
		'{"a":"2024-02-29","b":"1969-12-31","c":"0001-01-01","t":"01:02:03.5","m":"1969-12-31 23:59:59.25","s":"2026-05-03 12:00:00","o":"2026-05-03 12:00:00.000000001","i":"infinity"}' ]
	[ "$(duck "SELECT [1, NULL, 3] l, [[1], []] n, {'a': 1, 'b': {'c': 'x'}} s, MAP {'k': [1]} m, [1, 2]::INTEGER[2] r, '{\"j\": 1}'::JSON j, NULL z")" = \
		'{"l":[1,null,3],"n":[[1],[]],"s":{"a":1,"b":{"c":"x"}},"m":[{"key":"k","value":[1]}],"r":[1,2],"j":{"j": 1},"z":null}' ]
	refused 400 'column "i": a column of a type that has no JSON value' 'SELECT INTERVAL 1 DAY i'
	[ "$(duck 'SELECT (INTERVAL 1 DAY)::VARCHAR i')" = '{"i":"1 day"}' ]
}

@test "many rows, and many chunks, arrive in order" {
	duck 'SELECT range i, range % 3 = 0 b, CASE WHEN range % 7 = 0 THEN NULL ELSE range END n FROM range(100000)' >out
	python3 - <<-'END'
	import json
	for i, line in enumerate(open("out")):
	    assert json.loads(line) == {"i": i, "b": i % 3 == 0, "n": None if i % 7 == 0 else i}, line
	assert i == 99999
	END
}

@test "files: compressed, an index, standard input, a name with wildcards" {
	lh-gen workers -n 300 >s.jsonl
	want=$(lh-query 'SELECT id, role, city FROM s ORDER BY id' s=s.jsonl)
	zstd -q s.jsonl
	lh-index build s.lhv s.jsonl
	cp s.jsonl '[a]*?.jsonl'
	cp s.jsonl a1.jsonl
	echo '{"id":"other","role":"r","city":"c"}' >>a1.jsonl
	for f in s.jsonl s.jsonl.zst s.lhv '[a]*?.jsonl' "$PWD/s.jsonl"; do
		[ "$(duck 'SELECT id, role, city FROM s ORDER BY id' s="$f")" = "$want" ] || { echo "$f"; return 1; }
	done
	[ "$(duck 'SELECT id, role, city FROM s ORDER BY id' s=- <s.jsonl)" = "$want" ]
	[ "$(duck 'SELECT id, role, city FROM s ORDER BY id' s=- < <(cat s.jsonl))" = "$want" ]
}

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
	run -2 duck "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x'" w=w.jsonl
	[ ! -e x ]
}

@test "a query is stopped at --timeout, and bounded in memory and rows" {
	run -2 --separate-stderr timeout 60 lh-query --engine duckdb --timeout 0.5 'WITH RECURSIVE c(n) AS (SELECT 1::HUGEINT UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c'
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

@test "CSV, and datasets of a catalog, alone and joined with a file" {
	mkdir s
	printf 'id,n\nw-1,5\nw-2,\n' >s/n.csv
	[ "$(duck 'SELECT city, n FROM w JOIN n USING (id) ORDER BY id' w=w.jsonl n=s/n.csv)" = '{"city":"Chicago","n":5}
{"city":"Houston","n":null}' ]
	head -n 3 w.jsonl >s/1.jsonl; tail -n 2 w.jsonl >s/2.jsonl
	jq -nc --arg s "$PWD/s" '{name: "d", schema_fingerprint: "f", store: $s, objects: [{key: "1.jsonl"}, {key: "2.jsonl"}]}, {name: "bad", schema_fingerprint: "f", store: $s, objects: [{key: "x.jsonl"}]}' |
		lh-catalog register -q --catalog c >out
	[ "$(duck --catalog c 'SELECT count(*) n, sum(d.score) s FROM d JOIN w USING (id)' w=w.jsonl)" = '{"n":5,"s":405}' ]
	refused 404 'bad: there is no object "x.jsonl"' 'SELECT * FROM bad' --catalog c
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
