# lh-ingest with DuckDB's library: Parquet in and out.
load ../helper
load ../duckdb

NOW="--now 2026-05-03T12:00:00Z"


setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	plain_only "DuckDB's library"
	duckdb_library >why || skip "$(cat why)"
	SQL="/usr/bin/python3 $ROOT/tests/duckdb/sql.py"
}

# bats test_tags=full
@test "Parquet is read as records, values by the types of their columns" {
	$SQL "COPY (SELECT 1::INTEGER AS id, 'Ann' AS name, 1.5::DOUBLE AS score, true AS active, [1,2] AS list, DATE '2026-05-03' AS day, 1.10::DECIMAL(5,2) AS rate, {'a': 1} AS part
		UNION ALL SELECT 2, NULL, -0.25, false, [], NULL, NULL, NULL) TO 't.parquet' (FORMAT parquet)"
	run -0 --separate-stderr lh-ingest t.parquet
	[ "$output" = $'{"id":1,"name":"Ann","score":1.5,"active":true,"list":[1,2],"day":"2026-05-03","rate":1.10,"part":{"a":1}}\n{"id":2,"score":-0.25,"active":false,"list":[]}' ]
	run -0 lh-ingest --id id --id-prefix w- --null-members t.parquet
	[ "${lines[1]}" = '{"id":"w-2","name":null,"score":-0.25,"active":false,"list":[],"day":null,"rate":null,"part":null}' ]
	[ "$(lh-ingest <t.parquet)" = "$(lh-ingest --parquet t.parquet)" ]
	cp t.parquet no-name
	run -0 lh-ingest no-name t.parquet
	[ "${#lines[@]}" = 4 ]
	run -0 lh-ingest --describe t.parquet
	[ "$(jq -c '[.name, .row_count, (.columns[] | .type)]' <<<"$output")" = '["t",2,"int64","string","float64","bool","string","string","float64","string"]' ]
}

# bats test_tags=full
@test "the known fingerprint is that of the same table in Parquet" {
	$SQL "COPY (SELECT 1::BIGINT AS id, 'Ann' AS name, 1.5::DOUBLE AS score, true AS active) TO 't.parquet' (FORMAT parquet)"
	run -0 lh-ingest --describe t.parquet
	[[ $output == *'"schema_fingerprint":"1bd13dee3b40c41fdcf04b60530f5b758c0d54a4b7f7a89def387cc2bbab91ff","row_count":1}' ]]
}

@test "what is no Parquet is exit 2, no message has a path that is not an operand, and columns may differ" {
	$SQL "COPY (SELECT 1 AS a) TO 'a.parquet' (FORMAT parquet)" "COPY (SELECT 'x' AS b) TO 'b.parquet' (FORMAT parquet)"
	[ "$(lh-ingest a.parquet b.parquet | xargs)" = '{a:1} {b:x}' ]
	head -c 100 a.parquet >cut.parquet
	run -2 --separate-stderr lh-ingest cut.parquet
	[[ $stderr == "lh-ingest: cut.parquet: "* && $stderr != *"$PWD"* ]]
	run -2 --separate-stderr bash -c 'cat a.parquet | lh-ingest'
	[ "$stderr" = "lh-ingest: -: Parquet is read from regular files only" ]
	run -2 --separate-stderr lh-ingest absent.parquet
	[[ $stderr == *"absent.parquet: cannot open: No such file"* ]]
	cp a.parquet 'a*[x].parquet'
	[ "$(lh-ingest 'a*[x].parquet')" = '{"a":1}' ]
}

@test "numbers keep all their digits, what is not finite is null, and a name may have any character" {
	$SQL "COPY (SELECT 18446744073709551615::UBIGINT AS u, 12345678901234567890.10::DECIMAL(30,2) AS d, 0.1::FLOAT AS f, 'nan'::DOUBLE AS n, '-inf'::FLOAT AS i,
		(-9223372036854775807 - 1)::BIGINT AS b, 2::DOUBLE AS r, false AS \"a\"\"b
c\") TO 't.parquet' (FORMAT parquet)"
	run -0 lh-ingest --null-members t.parquet
	[ "$output" = '{"u":18446744073709551615,"d":12345678901234567890.10,"f":0.1,"n":null,"i":null,"b":-9223372036854775808,"r":2.0,"a\"b\nc":false}' ]
}

@test "a row without an id is rejected with its number, and the others are written" {
	$SQL "COPY (SELECT * FROM (VALUES (1, 'x'), (2, NULL), (3, ''), (4, 'z')) AS t(a, b)) TO 't.parquet' (FORMAT parquet)"
	run -1 --separate-stderr lh-ingest --id b --rejects r t.parquet
	[ "$output" = $'{"id":"x","a":1,"b":"x"}\n{"id":"z","a":4,"b":"z"}' ]
	[ "${stderr_lines[0]}" = 'lh-ingest: t.parquet:2: missing "b" (--id)' ]
	[ "${stderr_lines[1]}" = 'lh-ingest: t.parquet:3: the id is empty ("b")' ]
	[ "$(cat r)" = $'{"a":2,"b":null}\n{"a":3,"b":""}' ]
}

@test "a reader that leaves ends it, and rows of many columns and megabytes come whole" {
	$SQL "COPY (SELECT i, repeat('x', 1000) AS t FROM range(20000) r(i)) TO 't.parquet' (FORMAT parquet)"
	[ "$(lh-ingest t.parquet | wc -lc | xargs)" = "20000 $((20000 * 1014 + 88890))" ]
	run -0 patiently bash -c 'lh-ingest t.parquet | sed 2q >two; [ "${PIPESTATUS[0]}" = 141 ]'
	[ "$(wc -l <two)" = 2 ]
}

@test "without the library --parquet is exit 2 and says what to install" {
	$SQL "COPY (SELECT 1 AS a) TO 'a.parquet' (FORMAT parquet)"
	LH_DUCKDB=/nowhere/libduckdb.so run -2 --separate-stderr lh-ingest a.parquet
	[ "$stderr" = "lh-ingest: cannot open /nowhere/libduckdb.so, DuckDB's library: ./bootstrap duckdb fetches it, and LH_DUCKDB names it" ]
}

@test "--parquet-out keeps a second object, with the same rows and types" {
	{ echo id,name,score,active; for i in {1..500}; do echo "$i,\"n\"\"$i\",$i.5,true"; done; echo 501,,,; } >workers.csv
	run -0 lh-ingest $NOW --store s --catalog c --parquet-out workers.csv
	before=$(find s c -type f -exec sha256sum {} + | sort)
	[ "$(wc -l <<<"$before")" = 3 ]
	lh-ingest s/datasets/workers/*.parquet | cmp - <(lh-ingest workers.csv)
	[ "$(lh-catalog get --catalog c workers | jq -r '.objects[1] | .key + " " + .sha256')" = "$(cd s; sha256sum datasets/workers/*.parquet | sed 's/\([0-9a-f]*\)  \(.*\)/\2 \1/')" ]
	run -0 lh-ingest $NOW --store s --catalog c --parquet-out workers.csv
	[ "$(find s c -type f -exec sha256sum {} + | sort)" = "$before" ]
	run -2 --separate-stderr lh-ingest --parquet-out workers.csv
	[ "$stderr" = "lh-ingest: --parquet-out requires --store" ]
}
