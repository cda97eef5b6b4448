# An object of S3 where a file is named, and indexes by way of the cache.
load ../helper
load ../servers/server
load ../servers/s3

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset AWS_SESSION_TOKEN AWS_REGION AWS_PROFILE LH_S3_KEY_FILE
	mkdir tmp
	export TMPDIR=$PWD/tmp
	start_s3 --log "$PWD/log"
	lh-gen workers -n 300 >w.jsonl
}

teardown() {
	stop_upstreams
}

B=s3://bucket/x

put() {
	lh-store put $B "$1" "${2:-$1}" >put.out
}

@test "a filter reads objects, compressed ones and archives too" {
	gzip -k w.jsonl
	zstd -q w.jsonl
	tar czf w.tar.gz w.jsonl
	lh-embed w.jsonl >want
	for file in w.jsonl w.jsonl.gz w.jsonl.zst w.tar.gz; do
		put $file
		lh-embed $B/$file | cmp - want
		lh-cat $B/$file | cmp - w.jsonl
	done
	lh-embed $B/w.jsonl w.jsonl $B/w.jsonl.gz | cmp - <(cat want want want)
	lh-index build a.lhv $B/w.jsonl.zst
	lh-index build b.lhv w.jsonl
	alike <(lh-index dump a.lhv) <(lh-index dump b.lhv)
}

@test "lh-ingest reads tables from objects, and asks for each once" {
	(echo a,b; seq -f '%g,x' 5000) >t.csv
	gzip -k t.csv
	lh-ingest t.csv >want
	for file in t.csv t.csv.gz; do
		put $file
		lh-ingest --sample all $B/$file | cmp - want
	done
	[ "$(grep -c ^GET log)" = 2 ]
	run -2 --separate-stderr lh-ingest $B/none
	[ "$stderr" = "lh-ingest: $B/none: 404: no object \"x/none\"" ]
}

@test "an object that is missing, or breaks off, is an unreadable file" {
	put w.jsonl
	run -2 --separate-stderr lh-embed $B/none $B/w.jsonl
	[ "${#lines[@]}" = 300 ]
	[ "$stderr" = "lh-embed: $B/none: 404: no object \"x/none\"" ]
	run -2 --separate-stderr lh-cat $B/none
	[ "$stderr" = "lh-cat: $B/none: 404: no object \"x/none\"" ]
	s3 _mode/wrong/GET/0/1
	run -2 --separate-stderr lh-cat $B/w.jsonl
	[[ $stderr == "lh-cat: $B/w.jsonl: "*"do not have the MD5"* ]]
	run -2 lh-embed s3://bucket
	[[ $output == *"is not s3://BUCKET/KEY" ]]
	echo '{bad' | lh-store put $B bad >put.out
	run -1 lh-embed $B/bad
	[[ ${lines[0]} == "lh-embed: $B/bad:1:"* ]]
}

@test "an index is copied with its log, and a copy of a search is gone when it ends" {
	lh-index build w.lhv w.jsonl
	lh-gen queries -n 5 >q.jsonl
	lh-search w.lhv <q.jsonl >want
	put w.lhv
	[ "$(lh-index fetch $B/w.lhv copy.lhv)" = "{\"fetched\":\"$B/w.lhv\",\"size\":$(stat -c %s w.lhv),\"log_size\":0}" ]
	cmp copy.lhv w.lhv
	lh-search $B/w.lhv <q.jsonl | cmp - want
	lh-search other=$B/w.lhv -Q welder | has '"other"'
	lh-gen workers -n 5 --seed 3 | jq -c '.id = "m" + .id' | lh-index add w.lhv
	[ -s w.lhv-log ]
	put w.lhv-log
	lh-search w.lhv <q.jsonl >want
	lh-search $B/w.lhv <q.jsonl | cmp - want
	lh-index fetch -q $B/w.lhv copy.lhv
	cmp copy.lhv-log w.lhv-log
	lh-index compact w.lhv
	put w.lhv
	lh-store delete --missing-ok $B w.lhv-log >put.out
	lh-search $B/w.lhv <q.jsonl | cmp - want
	lh-index fetch -q $B/w.lhv copy.lhv
	[ ! -e copy.lhv-log ]
	[ -z "$(ls -A tmp)" ]
}

@test "a missing index, and one that is none, are reported" {
	run -2 lh-index fetch $B/none.lhv copy.lhv
	[ ! -e copy.lhv ]
	[[ $output == *'404: no object'* || $output == *'no object "x/none.lhv"' ]]
	run -2 lh-search $B/none.lhv -Q x
	[[ $output == *'no object "x/none.lhv"'* ]]
	put w.lhv w.jsonl
	run -2 lh-search $B/w.lhv -Q x
	run -2 lh-index fetch w.lhv copy.lhv
}

# fetched KEY - a copy of an index.
fetched() {
	lh-index fetch -q $B/$1 copy.lhv >fetch.out
	echo copy.lhv
}

@test "an index that is put or pushed takes its pending changes along, and a log that is over goes" {
	head -n 10 w.jsonl >ten.jsonl
	lh-index build w.lhv ten.jsonl
	sed -n 11,12p w.jsonl | lh-index add -q w.lhv
	[ -s w.lhv-log ]
	id=$(sed -n 11p w.jsonl | jq -r .id)
	lh-store put folder w.lhv w.lhv | jq -r .key >keys
	[ "$(paste -sd' ' keys)" = 'w.lhv w.lhv-log' ]
	lh-index get folder/w.lhv "$id" | jq -e .id
	lh-store put $B a.lhv w.lhv >/dev/null
	lh-index get "$(fetched a.lhv)" "$id" | jq -e .id
	lh-index push w.lhv $B/b.lhv >pushed
	[ "$(jq -c '[.pushed, .size, .log_size]' pushed)" = "[\"$B/b.lhv\",$(stat -c %s w.lhv),$(stat -c %s w.lhv-log)]" ]
	cmp "$(fetched b.lhv)-log" w.lhv-log
	lh-index compact -q w.lhv
	lh-index push w.lhv $B/b.lhv | jq -e '.log_size == 0'
	lh-index get "$(fetched b.lhv)" "$id" | jq -e .id
	[ "$(lh-store list $B | jq -r .key | paste -sd' ')" = 'a.lhv a.lhv-log b.lhv' ]
	run -2 lh-index push w.jsonl $B/c.lhv
	run -2 lh-index push w.lhv here.lhv
	run -2 lh-index push none.lhv $B/c.lhv
}

@test "--roster, --rules and --playbook may be objects" {
	echo '{"candidate_id":"w1","name":"Ada","status":"active"}' >roster.jsonl
	put roster.jsonl
	fill='{"kind":"fill","artifact":{"fills":[{"candidate_id":"w1","name":"Ada"}]},"context":{"target_count":1}}'
	lh-validate --wire --roster $B/roster.jsonl <<<"$fill" | jq -e '.status == 200'
	LH_ROSTER=$B/roster.jsonl lh-validate --wire <<<"$fill" | jq -e '.status == 200'
	run -2 --separate-stderr lh-validate --wire --roster $B/none.jsonl <<<"$fill"
	[[ $stderr == *'--roster: no object "x/none.jsonl"'* ]] || { echo "$stderr"; return 1; }
	rule=$(find "$ROOT/share/fixtures/rules" -name '*.json' | LC_ALL=C sort | head -n 1)
	lh-store put $B rules/one.json "$rule" >/dev/null
	mkdir rules
	cp "$rule" rules/one.json
	mail='{"kind":"email","artifact":{"to":"a@b.example","body":"Hello"}}'
	diff <(lh-validate --now 2026-01-01T00:00:00Z --rules $B/rules <<<"$mail") <(lh-validate --now 2026-01-01T00:00:00Z --rules rules <<<"$mail")
	run -2 lh-validate --rules $B/rules/one.json/none <<<"$mail"
	lh-index build -q w.lhv w.jsonl
	id=$(jq -r .id w.jsonl | sed -n 200p)
	echo "{\"query_text\":\"night welder\",\"answer_id\":\"$id\",\"answer_corpus\":\"w\",\"score\":1}" | lh-playbook record -q pb.lhv >/dev/null
	lh-index push pb.lhv $B/pb.lhv >/dev/null
	lh-search --playbook $B/pb.lhv w.lhv <<<'{"query_text":"night welder","k":3}' | jq -e '.playbook_injected + .playbook_boosted == 1'
}

@test "lh-ingest reads Parquet from an object" {
	load ../duckdb
	duckdb_library >why || skip "$(cat why)"
	printf 'id,name\n1,Ada\n2,Bo\n' | lh-ingest --name t --store "$PWD/st" --catalog cat --parquet-out - >/dev/null
	file=$(find st -name '*.parquet')
	put t.parquet "$file"
	diff <(lh-ingest "$file") <(lh-ingest $B/t.parquet)
	[ "$(lh-ingest --parquet $B/t.parquet | wc -l)" = 2 ]
}
