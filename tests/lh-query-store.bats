load helper
load servers/server
load servers/s3

# lh-query over what lh-ingest keeps: in a folder and in S3.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset AWS_SESSION_TOKEN AWS_REGION AWS_PROFILE LH_S3_KEY_FILE LH_CACHE_SIZE
	export LH_CACHE=$PWD/cache
	start_s3 --log "$PWD/log"
	printf 'id,role,score\nw-1,Welder,95\nw-2,Welder,70\nw-3,Carpenter,61.5\n' >workers.csv
}

teardown() {
	stop_upstreams
}

@test "a table that lh-ingest keeps is one of lh-query, from a folder and from S3" {
	for store in "$PWD/store" s3://bucket/lake; do
		rm -rf catalog
		printf 'id,role,score\nw-1,Welder,95\nw-2,Welder,70\nw-3,Carpenter,61.5\n' >workers.csv
		lh-ingest -q --store $store --catalog catalog --name workers workers.csv >out
		[ "$(lh-query --catalog catalog 'SELECT role, count(*) n, max(score) m FROM workers GROUP BY role ORDER BY role')" = '{"role":"Carpenter","n":1,"m":61.5}
{"role":"Welder","n":2,"m":95}' ] || { echo "$store"; return 1; }
		echo 'w-4,Nurse,1' >>workers.csv
		lh-ingest -q --store $store --catalog catalog --name workers workers.csv >out
		[ "$(lh-query --catalog catalog "SELECT id FROM workers WHERE role = 'Nurse'" | jq -r .id)" = w-4 ]
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
	run -2 --separate-stderr lh-query --spill 1K 'SELECT * FROM w' w=s3://bucket/x/w.jsonl
	[ "$stderr" = 'lh-query: s3://bucket/x/w.jsonl: the object is larger than --spill' ]
	run -2 --separate-stderr env AWS_SECRET_ACCESS_KEY=a-wrong-secret lh-query 'SELECT * FROM w' w=s3://bucket/x/w.jsonl
	[[ $stderr != *a-wrong-secret* ]]
}
