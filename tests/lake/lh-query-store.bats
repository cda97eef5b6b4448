# lh-query over what lh-ingest keeps: in a folder and in S3.
load ../helper
load ../servers/server
load ../servers/s3

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset AWS_SESSION_TOKEN AWS_REGION AWS_PROFILE LH_S3_KEY_FILE
	start_s3 --log "$PWD/log"
	printf 'id,role,score\nw-1,Welder,95\nw-2,Welder,70\nw-3,Carpenter,61.5\n' >workers.csv
}

teardown() {
	stop_upstreams
	faults_happened
}

@test "a table that lh-ingest keeps is one of lh-query, from a folder and from S3" {
	for store in "$PWD/store" s3://bucket/lake; do
		rm -rf catalog
		printf 'id,role,score\nw-1,Welder,95\nw-2,Welder,70\nw-3,Carpenter,61.5\n' >workers.csv
		lh-ingest -q --store $store --catalog catalog --name workers workers.csv >out
		[ "$(lh-query --catalog catalog --store $store 'SELECT role, count(*) n, max(score) m FROM workers GROUP BY role ORDER BY role')" = '{"role":"Carpenter","n":1,"m":61.5}
{"role":"Welder","n":2,"m":95}' ] || { echo "$store"; return 1; }
		echo 'w-4,Nurse,1' >>workers.csv
		lh-ingest -q --store $store --catalog catalog --name workers workers.csv >out
		[ "$(lh-query --catalog catalog --store $store "SELECT id FROM workers WHERE role = 'Nurse'" | jq -r .id)" = w-4 ]
	done
}

@test "an object of S3 is a table, of lines, compressed or CSV; one that is absent is an error" {
	lh-gen workers -n 50 >w.jsonl
	zstd -q w.jsonl
	for file in w.jsonl w.jsonl.zst workers.csv; do
		lh-store put s3://bucket/x $file $file >out
	done
	[ "$(lh-query 'SELECT count(*) n FROM w JOIN z USING (id) JOIN c USING (id)' w=s3://bucket/x/w.jsonl z=s3://bucket/x/w.jsonl.zst c=s3://bucket/x/workers.csv)" = '{"n":3}' ]
	run -2 --separate-stderr lh-query 'SELECT * FROM w' w=s3://bucket/x/none
	[[ $stderr == 'lh-query: s3://bucket/x/none: '*'no object'* ]]
	run -2 --separate-stderr env AWS_SECRET_ACCESS_KEY=a-wrong-secret lh-query 'SELECT * FROM w' w=s3://bucket/x/w.jsonl
	[[ $stderr != *a-wrong-secret* ]]
}

@test "a store that a manifest names is followed next to the catalog alone; any other has to be named" {
	lh-ingest -q --store s3://bucket/lake --catalog catalog --name far workers.csv >out
	mkdir -p lake outside
	echo '{"secret":1}' >outside/k.jsonl
	ln -s ../outside lake/link
	for store in "$PWD/outside" "$PWD/lake/link" /; do
		jq -nc --arg s "$store" '{name: "out", schema_fingerprint: "f", store: $s, objects: [{key: "k.jsonl"}]}' |
			lh-catalog register -q --catalog lake/catalog >out
		run -2 --separate-stderr lh-query --catalog lake/catalog 'SELECT * FROM out'
		[ "$stderr" = "lh-query: out: its manifest names the store $store, which is not next to the catalog: name it with --store" ]
	done
	[ "$(lh-query --catalog lake/catalog --store outside 'SELECT secret FROM out')" = '{"secret":1}' ]
	run -2 --separate-stderr lh-query --catalog catalog 'SELECT * FROM far'
	[[ $stderr == *'name it with --store' ]]
	: >log
	run -1 lh-query --catalog catalog <<<'{"sql":"SELECT * FROM far"}'
	[[ $output == *'"code":400,'*'name it with --store'* ]]
	[ ! -s log ]
	lh-ingest -q --store lake/store --catalog lake/catalog --name near workers.csv >out
	[ "$(lh-query --catalog lake/catalog 'SELECT count(*) n FROM near')" = '{"n":3}' ]
}

@test "an object whose size is not its manifest's is 503, with --verify one whose SHA-256 is not" {
	for store in "$PWD/store" s3://bucket/lake; do
		rm -rf catalog
		lh-ingest -q --store $store --catalog catalog --name d workers.csv >kept
		key=$(jq -r .object_key kept)
		lh-store get $store "$key" good
		[ "$(lh-query --verify --store $store --catalog catalog 'SELECT count(*) n FROM d')" = '{"n":3}' ]
		[ -z "$(lh-catalog verify --store $store --catalog catalog)" ]
		lh-cat good | tail -n +2 | zstd -q | lh-store put $store "$key" >out
		run -2 --separate-stderr lh-query --store $store --catalog catalog 'SELECT * FROM d'
		[[ $stderr == "lh-query: d: the object \"$key\" has "*" bytes, but its manifest says $(stat -c %s good)" ]]
		run -1 lh-query --store $store --catalog catalog <<<'{"sql":"SELECT * FROM d"}'
		[ "$(jq -c .error.code <<<"$output")" = 503 ]
		run -1 --separate-stderr lh-catalog verify --store $store --catalog catalog
		[ "$(jq -c '[.name, .key, .problem, .manifest_size]' <<<"$output")" = "[\"d\",\"$key\",\"size\",$(stat -c %s good)]" ]
		[ "$stderr" = 'lh-catalog: 1 of 1 objects differ' ]
		# as many bytes, and others: a table that can be read
		python3 -c 'import sys; b = bytearray(open("good", "rb").read()); b[-1] ^= 1; open("bad", "wb").write(b)'
		lh-store put $store "$key" bad >out
		run -1 lh-catalog verify --store $store --catalog catalog d
		[ "$(jq -rR 'fromjson? | .problem' <<<"$output")" = sha256 ]
		run -2 --separate-stderr lh-query --verify --store $store --catalog catalog 'SELECT * FROM d'
		[ "$stderr" = "lh-query: d: the object \"$key\" does not have the SHA-256 that its manifest says" ]
		lh-store delete $store "$key" >out
		run -1 lh-catalog verify --store $store --catalog catalog
		[ "$(jq -rR 'fromjson? | .problem' <<<"$output")" = missing ]
	done
	run -2 lh-catalog verify --catalog catalog
	[[ $output == *'--store STORE is missing'* ]]
}

@test "what a kill between storing and registering leaves is found by verify, and finished by the next ingest" {
	needs_strace
	lh-ingest -q --store store --catalog catalog --name old workers.csv >out
	echo 'w-4,Nurse,1' >>workers.csv
	for name in old new; do
		# the object is renamed into its place first, then the manifest
		run inject rename,renameat,renameat2:signal=KILL:when=2 lh-ingest -q --store store --catalog catalog --name $name workers.csv
		[ "$status" != 0 ]
	done
	run -1 --separate-stderr lh-catalog verify --store store --catalog catalog
	[ "$(jq -sc 'map([.name, .problem])' <<<"$output")" = '[["old","size"],[null,"no manifest"]]' ]
	run -2 lh-query --catalog catalog --store store 'SELECT * FROM old'
	for name in old new; do
		lh-ingest -q --store store --catalog catalog --name $name workers.csv >out
		[ "$(lh-query --catalog catalog --store store "SELECT count(*) n FROM $name")" = '{"n":4}' ]
	done
	[ -z "$(lh-catalog verify --store store --catalog catalog)" ]
	[ "$(stat -c %a catalog)" = 700 ]
	touch store/datasets/new/$'a\tb'
	run -1 --separate-stderr lh-catalog verify --store store --catalog catalog
	[ "$stderr" = 'lh-catalog: "datasets/new/a\x09b" is not a key: it holds a NUL, CR, LF or TAB' ]
}

# query SQL [OPERAND]... - over the catalog, which has workers
query() {
	lh-query --catalog catalog --store store "$@"
}

@test "--keep makes a dataset of the rows, whose manifest says which statement over which bytes made it" {
	lh-ingest -q --store store --catalog catalog workers.csv >/dev/null
	printf '{"role":"Welder","rate":20}\n' >r.jsonl
	sql="SELECT role, count(*) AS n, rate FROM workers LEFT JOIN r USING (role) GROUP BY role"
	query "$sql" r.jsonl >rows
	run -0 --separate-stderr query --now 2026-05-03T12:00:00Z --keep roles "$sql" r.jsonl
	[ -z "$stderr" ]
	[ "$(jq -c '[.name, .row_count, .existing]' <<<"$output")" = "[\"roles\",$(wc -l <rows),false]" ]
	alike <(query 'SELECT * FROM roles') rows
	alike <(lh-catalog get --catalog catalog roles | jq -cS '.lineage') <(jq -ncS --arg sql "$sql" --arg sum "$(sha256sum <r.jsonl | cut -c-64)" \
		--argjson size "$(stat -c %s r.jsonl)" --argjson workers "$(lh-catalog get --catalog catalog workers | jq '.objects | map({key, sha256})')" \
		'{sql: $sql, inputs: [{table: "r", file: "r.jsonl", files: [{bytes: $size, sha256: $sum}]},
			{table: "workers", dataset: "workers", objects: $workers}]}')
	# what a dataset is made of, and that for another one
	query --keep few 'SELECT role FROM roles' >/dev/null
	[ "$(lh-catalog list --catalog catalog | jq -r 'select(.lineage) | "\(.name) \(.lineage.inputs[].dataset)"' | grep -v null)" = 'few roles
roles workers' ]
}

@test "--keep replaces a dataset with --force alone, and nothing if the query or its input fails" {
	lh-ingest -q --store store --catalog catalog workers.csv >/dev/null
	query --keep roles 'SELECT role FROM workers' >/dev/null
	before=$(find store catalog -type f -exec sha256sum {} + | sort)
	run -1 --separate-stderr query --keep roles 'SELECT role FROM workers LIMIT 1'
	[ -z "$output" ] && [ "$stderr" = 'lh-ingest: 409 there is a dataset of this name' ]
	run -1 query --force --keep roles 'SELECT 1 AS other'
	run -2 query --force --keep roles 'SELECT role FROM nowhere'
	run -2 --separate-stderr query --force --keep roles "SELECT role, CASE WHEN id = 'w-2' THEN abs(-9223372036854775807 - 1) END FROM workers"
	[ -z "$output" ] && [ "$stderr" = 'lh-query: integer overflow' ]
	echo '{"a":18446744073709551616}' >wide.jsonl
	run -2 query --force --keep roles "SELECT role FROM workers UNION ALL SELECT a FROM w" w=wide.jsonl
	[ "$(find store catalog -type f -exec sha256sum {} + | sort)" = "$before" ]
	run -0 query --force --keep roles 'SELECT role FROM workers LIMIT 1'
	[ "$(query 'SELECT count(*) AS n FROM roles')" = '{"n":1}' ]
	# rows of another source have another origin
	echo '{"role":"Nurse"}' | lh-ingest -q --jsonl --store store --catalog catalog --name roles >/dev/null
	[ "$(lh-catalog get --catalog catalog roles | jq .lineage)" = null ]
	# persons stay persons
	lh-ingest -q --of-persons --store store --catalog catalog --name p workers.csv >/dev/null
	query --keep of-p 'SELECT role FROM p' >/dev/null
	[ "$(lh-catalog get --catalog catalog of-p | jq .of_persons)" = true ]
	while read -r options; do
		run -2 lh-query $options 'SELECT 1'
	done <<-'END'
	--keep x
	--keep x --store store
	--keep x --store store --catalog catalog --wire
	--keep x --store store --catalog catalog --max-rows 1
	--force --store store --catalog catalog
	END
	run -2 lh-query --store store --catalog catalog --keep x check .
	run -2 --separate-stderr lh-ingest --store store --catalog catalog --name x --lineage workers.csv workers.csv
	[[ $stderr == "lh-ingest: workers.csv: "* ]]
}
