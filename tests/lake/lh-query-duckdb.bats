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
	[ ! -e x ]
}

# only_selects - run each statement of DuckDB, alone and explained, on w.jsonl: those of a
# SELECT are answered, and no file changes.  $@: how to call lh-query.
only_selects() {
	local before sql
	cp w.jsonl before
	: >requests
	while IFS=$'\t' read -r type sql; do
		for sql in "$sql" "EXPLAIN $sql" "EXPLAIN ANALYZE $sql" "EXPLAIN (ANALYZE) $sql"; do
			sql=${sql//@/$PWD/w.jsonl}
			jq -nc --arg t "$type" --arg s "$sql" '{t: $t, sql: $s}' >>requests
		done
	done <"$ROOT/tests/duckdb/statements"
	touch trace
	before=$(ls -A)
	jq -c '{sql}' requests | "$@" --engine duckdb --on-error emit w=w.jsonl q=w.jsonl >"$BATS_TEST_TMPDIR.answers" 2>"$BATS_TEST_TMPDIR.errors" || true
	cmp before w.jsonl
	alike <(echo "$before") <(ls -A)
	paste -d '\n' requests "$BATS_TEST_TMPDIR.answers" | jq -sc '[range(0; length; 2) as $i | .[$i] + {ok: (.[$i + 1] | has("rows"))} | select(.ok) | .sql] | unique | .[]' |
		jq -r . >answered
	# of the last one, what we take for the statement is explained: not what DuckDB does
	sort >wanted <<-END
		EXPLAIN SELECT 1
		EXPLAIN VALUES (1)
		EXPLAIN WITH a AS (SELECT 1) SELECT * FROM a
		SELECT 1
		VALUES (1)
		WITH a AS (SELECT 1) SELECT * FROM a
		/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE COPY (SELECT 1) TO '$PWD/w.jsonl'
	END
	sort -u answered | alike - wanted
	[ "$(wc -l <"$BATS_TEST_TMPDIR.answers")" = "$(wc -l <requests)" ]
}

# bats test_tags=plain-only
@test "DuckDB has no type of statement that is answered but a SELECT, and EXPLAIN of one" {
	command -v node >/dev/null || skip "there is no node"
	node "$ROOT/tests/duckdb/types.js" "$(dirname "$LH_DUCKDB")/duckdb.node" <"$ROOT/tests/duckdb/statements" >types
	[ "$(grep -v ^ok types | cut -f 2 | sort | xargs)" = 'ANALYZE COPY_DATABASE CREATE_FUNC EXTENSION INVALID LOGICAL_PLAN MULTI PRAGMA RELATION VARIABLE_SET' ] ||
		{ grep -v ^ok types; return 1; }
	only_selects lh-query
}

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

@test "the kernel lets lh-query with DuckDB write in its temporary folder alone; else it has copies" {
	needs_strace
	strace -f -qq -o calls -e trace=landlock_create_ruleset,landlock_restrict_self,openat lh-query --engine duckdb 'SELECT count(*) n FROM w' w=w.jsonl >out
	[ "$(cat out)" = '{"n":5}' ]
	grep -q 'landlock_create_ruleset(NULL' calls
	if grep -q 'landlock_create_ruleset(NULL.*= [1-9]' calls; then
		grep -q 'landlock_restrict_self(.*= 0' calls
		# it is confined before the table is opened, and before DuckDB is
		[ "$(grep -n -m 1 'landlock_restrict_self' calls | cut -d : -f 1)" -lt "$(grep -n -m 1 'libduckdb' calls | cut -d : -f 1)" ]
		[ "$(grep -n -m 1 'landlock_restrict_self' calls | cut -d : -f 1)" -lt "$(grep -n -m 1 '"w.jsonl"' calls | cut -d : -f 1)" ]
	fi
	mkdir s
	cp w.jsonl s/k.jsonl
	echo '{"name":"d","schema_fingerprint":"f","objects":[{"key":"k.jsonl"}]}' | lh-catalog register -q --catalog c >out
	for sql in 'SELECT count(*) n FROM w' 'SELECT count(*) n FROM d'; do
		[ "$(inject landlock_create_ruleset:error=ENOSYS lh-query --engine duckdb --catalog c --store s "$sql" w=w.jsonl)" = '{"n":5}' ]
		run -2 inject landlock_create_ruleset:error=EPERM lh-query --engine duckdb --spill 9 --catalog c --store s "$sql" w=w.jsonl
		[[ $output == *'a copy would be larger than --spill'* ]]
	done
	only_selects inject landlock_create_ruleset:error=ENOSYS lh-query
}

@test "a signal between two statements leaves no folder behind" {
	mkdir t
	mkfifo in
	TMPDIR=$PWD/t lh-query --engine duckdb w=w.jsonl <in >out 3>&- &
	pid=$!
	exec 9>in
	echo '{"sql":"SELECT 1"}' >&9
	until_so has_lines out 1
	[ -n "$(ls t)" ]
	kill "$pid"
	wait "$pid" || [ $? = 143 ]
	exec 9>&-
	[ -z "$(ls -A t)" ]
}

teardown() {
	faults_happened
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

@test "a folder is one table, of records or Parquet, and an unknown column is named with those it is close to" {
	mkdir -p d p
	head -n 2 w.jsonl >d/a.jsonl
	tail -n 3 w.jsonl | gzip >d/b.jsonl.gz
	[ "$(duck 'SELECT sum(score) s FROM d' d)" = '{"s":405}' ]
	head -n 3 w.jsonl >d/c.jsonl
	gunzip d/b.jsonl.gz
	[ "$(duck 'SELECT sum(score) s FROM t' t=d/)" = '{"s":659}' ]
	run -2 --separate-stderr duck 'SELECT scroe FROM d' d
	[ "$stderr" = 'lh-query: Binder Error: Referenced column "scroe" not found in FROM clause! (did you mean score?)' ]
	run -2 --separate-stderr duck 'SELECT 1 FROM work' works=w.jsonl
	[[ $stderr == *'did you mean works?'* ]]
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
