# What the kernel refuses the filters of lh-serve, by a stand-in library that tries it in each of
# them (tests/faults/tries.c), and that they do their work.
# bats file_tags=plain-only
load ../helper
load ../servers/serve
load ../servers/server
load ../tlog
load ../duckdb

setup_file() {
	cc -shared -fPIC -o "$BATS_FILE_TMPDIR/tries.so" "$ROOT/tests/faults/tries.c"
}

teardown() {
	stop_serves
	stop_upstreams
	faults_happened
}

# state - the state s with a roster and an index; keys, a token of the audit: all that
# turns a filter on; a file outside
state() {
	mkdir -p s/index outside tmp
	echo '{"candidate_id":"w-1","name":"Ann Lee","status":"active"}' >s/roster.jsonl
	printf '{"id":"w%d","text":"%s"}\n' 1 'welder in Gary' 2 'nurse in Akron' | lh-index build -q --lexical s/index/w.lhv
	echo outside >outside/secret
	token legal
	token audit 0123456789abcdef0123456789abcdef
	the_keys
	export LH_SUBJECT_AUDIT_KEY=$PWD/audit TMPDIR=$PWD/tmp
	jq -nc '{state: "s", legal_token_file: "legal", routes: [
		{route: "POST /v1/sql", read: true, run: ["lh-query", "--on-error", "emit", "--catalog", "s/catalog"]},
		(("find", "export", "verify", "erase") as $op | {route: "POST /v1/subject/{id}/\($op)", members: {op: $op}, run: ["lh-subject", "requests", "--state", "s", "-q", "--on-error", "emit"]})]}' >config
}

# preload - let the stand-in be in every filter that is started from here on
preload() {
	start_upstream
	export LD_PRELOAD=$BATS_FILE_TMPDIR/tries.so TRY_FILE=$PWD/outside/secret TRY_PORT=${URL##*:}
}

# tried - what each filter that was started has found
tried() {
	cat tmp/lh-serve-*/tried 2>/dev/null || cat tmp/tried
}

# all_tried N - so many programs have
all_tried() {
	[ "$(tried 2>/dev/null | cut -d ' ' -f 1 | sort -u | wc -l)" -ge "$1" ]
}

# kernel - skip unless it can do all
kernel() {
	curl -sS "$URL/health?deep=1" >deep
	jq -e '.confinement.missing // [] | . == []' deep >null || skip "this kernel lacks $(jq -c .confinement.missing deep)"
}

@test "no filter reads, writes or makes a file outside, makes a link, starts a program, connects or signals, before its first instruction" {
	local filters starters='lh-(catalog|embed|index|ingest|iterate|playbook|query|search|subject|validate) '
	state
	preload
	start_serve --warm --config config
	kernel
	# lh-rerank is started by a configuration alone, which names its model
	filters=$(jq -r '.filters[].run[0] | select(. != "lh-rerank")' "$ROOT/share/serve/routes.json" | sort -u)
	until_so all_tried "$(wc -l <<<"$filters")"
	tried | sort -u >tries
	cut -d ' ' -f 1 tries | diff - <(echo "$filters")
	# a program that may start others, which are confined as it is, can start what it made
	sed -E "s/^($starters.*) made [0-9]+/\1 made 13/; s/^[^ ]+ //" tries | sort -u |
		diff - <(echo 'read 13 write 13 make 13 start 13 made 13 connect 13 signal 1 io_uring 1 link 13')
	[ "$(ls outside)" = secret ]
	[ "$(cat outside/secret)" = outside ]
	[ "$(post '/health?deep=1' '' -X GET | jq -c .down)" = '[]' ]
}

@test "an index that a link leads to is searched with its log, which is beside the file" {
	state
	mkdir elsewhere
	mv s/index/w.lhv elsewhere/w.lhv
	ln -s "$PWD/elsewhere/w.lhv" s/index/w.lhv
	echo '{"id":"w3","text":"rigger in Gary","metadata":{"candidate_id":"w-3"}}' | lh-index add -q elsewhere/w.lhv
	[ -s elsewhere/w.lhv-log ]
	start_serve --config config
	[ "$(post /v1/vectors/search '{"query_text":"rigger","corpora":["w"]}' | jq -r '.results[0].id')" = w3 ]
	[ "$(post /v1/vectors/index/w/search '{"query_text":"welder"}' | jq -r '.results[0].id')" = w1 ]
	[ "$(post '/health?deep=1' '' -X GET | jq -c .down)" = '[]' ]
	ln -s "$PWD/elsewhere/w.lhv" s/index/late.lhv
	[ "$(post '/health?deep=1' '' -X GET | jq -c .down)" = '["index/late.lhv"]' ]
	grep -q 'index/late.lhv: is a link that was not there when the filters began: requests for it fail until SIGHUP' err
	kill -HUP "$SERVE"
	until_so is_up
	[ "$(post /v1/vectors/search '{"query_text":"rigger","corpora":["late"]}' | jq -r '.results[0].id')" = w3 ]
}

is_up() {
	[ "$(post '/health?deep=1' '' -X GET | jq -c .down)" = '[]' ]
}

@test "a link in index/ lets an index be read and nothing else, neither what is no index nor the folder; the start names each" {
	state
	mkdir elsewhere
	mv s/index/w.lhv elsewhere/w.lhv
	ln -s "$PWD/elsewhere/w.lhv" s/index/w.lhv
	ln -s "$PWD/outside/secret" s/index/workers.lhv
	preload
	start_serve --config config
	kernel
	until_so grep -q 'index/w.lhv is a link: filters may read ' err
	grep -qx "lh-serve: s/index/w.lhv is a link: filters may read $PWD/elsewhere/w.lhv" err
	grep -qx "lh-serve: s/index/workers.lhv is a link to what is not an index: filters may not read it" err
	[ "$(post /v1/vectors/search '{"query_text":"welder","corpora":["w"]}' | jq -r '.results[0].id')" = w1 ]
	post /v1/validate '{"kind":"email","artifact":{"to":"a@b.c","subject":"s","body":"b"}}' >out
	tried | grep '^lh-search read 13'
	tried | grep '^lh-validate read 13'
}

@test "--no-confine lets them, and the start and deep health say so" {
	state
	preload
	start_serve --no-confine --config config
	post /v1/matrix/downgrade '{"mode":"auto","model":"m"}' >out
	until_so all_tried 1
	tried | grep '^lh-relevance read 0 write 0 make 0 start 0 made 0 connect 0 signal 0'
	grep -x 'lh-serve: filters are not confined (--no-confine)' err
	post '/health?deep=1' '' -X GET | jq -e '.status == "ok" and .confinement.off'
	stop_serves
	jq '.confine = false' config >open
	start_serve --config open
	grep -x 'lh-serve: filters are not confined (--no-confine)' err
	lh-serve --config open --print-config | jq -e '.confine == false'
}

@test "every filter gains no privileges, and has no capabilities, also when it is started by root" {
	state
	start_serve --warm --config config
	until_so has_children 20
	for pid in $(pgrep -P "$SERVE"); do
		sed -n 's/^\(NoNewPrivs\|CapPrm\|CapEff\|Seccomp\):\t//p' "/proc/$pid/status" | paste -sd ' '
	done | sort -u | diff - <(echo '0000000000000000 0000000000000000 1 2')
}

has_children() {
	[ "$(pgrep -c -P "$SERVE")" -ge "$1" ]
}

# say PATH BODY [CURL-OPTION]... - a line of the status and the path, then the answer in out
say() {
	echo "$(post "$1" "$2" -o out -w '%{http_code}' "${@:3}") $1"
}

# do_their_work - every route of a server with its state
do_their_work() {
	state
	mkdir -p s/data
	start_serve --config config
	printf 'id,name\n1,Ann\n2,Bo\n' | gzip >t.csv.gz
	{
		say /v1/embed '{"texts":["welder"]}'
		say /v1/matrix/search '{"query_text":"welder","corpora":["w"],"k":1}'
		say /v1/matrix/retrieve '{"query_text":"welder","corpora":["w"],"k":1}'
		say /v1/vectors/index '{"name":"n","dimension":2}'
		say /v1/vectors/index/n/add '{"items":[{"id":"a","vector":[1,2]}]}'
		say /v1/matrix/playbooks/record '{"query_text":"q","answer_id":"w1","answer_corpus":"w","score":1}'
		say /v1/matrix/relevance '{"focus":{"path":"a.c"},"chunks":[]}'
		say /v1/matrix/downgrade '{"mode":"auto","model":"m"}'
		say /v1/validate '{"kind":"email","artifact":{"to":"a@b.c","subject":"s","body":"b"},"context":{"candidate_id":"w-1"}}'
		say /v1/pathway/add '{"content":{"a":1}}'
		say /v1/observer/event '{"endpoint":"/x","input_summary":"a","success":true,"duration_ms":1}'
		echo "$(curl -sS -o out -w '%{http_code}' -F file=@t.csv.gz -H "Origin: $URL" "$URL/v1/ingest?name=people") /v1/ingest"
		say /v1/catalog/list '' -X GET
		say /v1/sql '{"sql":"select count(*) as n from people"}'
		say /v1/storage/object/a/b 'x' -X PUT -H 'Content-Type: text/plain'
		say /v1/storage/object/a/b '' -X GET
		for verb in find export verify erase; do
			say /v1/subject/w-1/$verb '{}' -H "X-Lakehouse-Legal-Token: $(cat legal)"
		done
		say /v1/audit/health '' -X GET -H "X-Lakehouse-Legal-Token: $(cat legal)"
		say /v1/chat/providers '' -X GET
	} >said
	run ! grep -v '^20' said
}

@test "the filters do their work, and start lh-cat for a table that is compressed" {
	do_their_work
}

@test "the filters do their work where the user has caches, models and keys, also those that came since, and find reaches them" {
	export HOME=$PWD/home
	unset XDG_CACHE_HOME
	mkdir -p home/.cache/lakehouse-tools home/.ollama/models home/.aws home/.duckdb home/.config
	# lh-search keeps an index of what is not small
	seq 5000 | awk '{ print "{\"id\":\"w-" $1 "\",\"name\":\"spoon " $1 "\"}" }' >people.jsonl
	lh-search -q -k 1 people.jsonl heron
	ls home/.cache/lakehouse/*.lhv
	do_their_work
	post /v1/subject/w-1/find '{}' -H "X-Lakehouse-Legal-Token: $(cat legal)" | grep -q user-cache
	rm -r home/.cache/lakehouse
	[ "$(status /v1/subject/w-1/find --json '{}' -H "X-Lakehouse-Legal-Token: $(cat legal)")" = 200 ]
	lh-search -q -k 1 people.jsonl heron
	post /v1/subject/w-1/find '{}' -H "X-Lakehouse-Legal-Token: $(cat legal)" | grep -q user-cache
}

# bats test_tags=full
@test "Parquet is ingested by a confined filter" {
	duckdb_library >why || skip "$(cat why)"
	/usr/bin/python3 "$ROOT/tests/duckdb/sql.py" "COPY (SELECT 1::INTEGER AS id, 'Ann' AS name) TO 't.parquet' (FORMAT parquet)"
	start_serve
	[[ $(curl -sS -o out -w '%{http_code}' -F file=@t.parquet -H "Origin: $URL" "$URL/v1/ingest?name=people") = 20[01] ]]
	jq -e '.row_count == 1' out
}

@test "why a filter cannot answer is a line in the log, once, also when a program that it starts is ended by a signal" {
	echo '#include <stdlib.h>
	__attribute__((constructor)) static void end(void) { abort(); }' | cc -shared -fPIC -o duckdb.so -xc -
	export LH_DUCKDB=$PWD/duckdb.so
	printf 'PAR1\025\0PAR1' >t.parquet
	start_serve
	for _ in 1 2; do
		[ "$(curl -sS -o out -w '%{http_code}' -F file=@t.parquet -H "Origin: $URL" "$URL/v1/ingest?name=people")" = 503 ]
	done
	grep '^lh-serve: lh-ingest' err | cut -d : -f 2- | diff - <(echo " lh-ingest[0]: lh-ingest ended with status 134: ")
}

@test "each end of a filter by a signal is a line in the log, with what it said" {
	echo '{"routes":[{"route":"POST /own","run":["lh-own","x"]}]}' >own
	printf '%s\n' '#!/bin/bash' 'echo "lh-own: no room" >&2' 'read -r line' 'kill -SEGV $$' >lh-own
	chmod +x lh-own
	PATH=$PWD:$PATH start_serve --config own
	post /own '{}' >out
	until_so grep -q 'ended by signal 11' err
	post /own '{}' >out
	until_so ended_twice
}

ended_twice() {
	[ "$(grep -cx 'lh-serve: lh-own\[0\] was ended by signal 11: no room' err)" -ge 2 ]
}

@test "a roster that is made, or replaced by another, outside of the state as well, is the one of the next request" {
	mkdir -p s own
	name() { post /v1/validate '{"kind":"fill","artifact":{"fills":[{"candidate_id":"w-1","name":"'"$1"'"}]},"context":{"target_count":1}}' | jq -c '[.error // .findings // .] | tostring'; }
	jq -nc --arg d "$PWD" '{state: "s", routes: [{route: "POST /own", read: true, run: ["lh-validate", "--wire", "--roster-later", "--roster", "\($d)/own/r.jsonl", "-q", "--on-error", "emit"]}]}' >config
	start_serve --config config
	for route in own:/own s/roster.jsonl:/v1/validate; do
		file=${route%%:*}
		[ "$file" != own ] || file=own/r.jsonl
		ask="$(jq -nc '{kind: "email", artifact: {to: "a@b.c", subject: "s", body: "Hello Ann"}, context: {candidate_id: "w-1"}}')"
		[ "$(status "${route#*:}" --json "$ask")" = 503 ]
		echo '{"candidate_id":"w-1","name":"Ann Lee"}' >r.new
		mv r.new "$file"
		[ "$(status "${route#*:}" --json "$ask")" = 200 ]
		echo '{"candidate_id":"w-2","name":"Bo Ray"}' >r.new
		mv r.new "$file"
		[ "$(status "${route#*:}" --json "$ask")" = 422 ]
	done
	run ! grep -v 'listening on\|no token is required' err
}

@test "a program without a row keeps its files, gains no privileges, and is named at the start and by deep health" {
	printf '#!/bin/sh\nwhile read -r line; do cat outside/secret; done\n' >script
	chmod 755 script
	mkdir -p outside
	echo '{"secret":1}' >outside/secret
	jq -nc --arg s "$PWD/script" '{state: "s", routes: [{route: "POST /x", run: [$s]}, {route: "POST /y", run: ["nice", "lh-relevance"]}]}' >config
	start_serve --warm --config config
	[ "$(post /x '{}')" = '{"secret":1}' ]
	grep -c 'is not confined' err
	grep -x "lh-serve: $PWD/script is not confined, but to its privileges: it does not say what it needs" err
	grep -x 'lh-serve: nice is not confined, but to its privileges: it does not say what it needs' err
	[ "$(post '/health?deep=1' '' -X GET | jq -c '.confinement.unconfined | sort')" = "[\"$PWD/script\",\"nice\"]" ]
	grep -x 'NoNewPrivs:.1' "/proc/$(pgrep -P "$SERVE" -x script)/status"
}

@test "what a kernel cannot do is said at the start and by deep health, part by part, and the rest is done" {
	local kind parts
	needs_strace
	state
	preload
	for kind in landlock_create_ruleset seccomp; do
		rm -rf tmp/*
		lh-serve() { STRACE='strace -D -f' inject "$kind:error=ENOSYS" "$LH_BIN/lh-serve" "$@"; }
		start_serve --warm --config config
		unset -f lh-serve
		case $kind in
		landlock*) parts='files and programs (Landlock)|truncation of files (Landlock 3)|connections (Landlock 4)|signals (Landlock 6)' ;;
		*) parts='calls, sockets (seccomp)' ;;
		esac
		tr '|' '\n' <<<"$parts" | sed 's/^/lh-serve: the kernel does not confine filters: /' >want
		until_so grep -q 'does not confine' err
		post '/health?deep=1' '' -X GET >deep
		grep 'does not confine' err | diff want -
		[ "$(jq -r '.confinement.missing | join("|")' deep)" = "$parts" ]
		[ "$(jq -c '[.status, .down]' deep)" = '["ok",[]]' ]
		until_so all_tried 15
		tried | grep '^lh-relevance' | sort -u >tries
		case $kind in
		landlock*) grep 'read 0 write 0 make 0 start 13 made 13 connect 13 signal 0 io_uring 1 link 0' tries ;;
		*) grep 'read 13 write 13 make 13 start 13 made 0 connect 13 signal 1 io_uring 14 link 13' tries ;;
		esac
		kill "$(pgrep -P "$SERVE" -x lh-serve)"
		wait "$SERVE"
		rm outside/secret.made 2>/dev/null || [ "$kind" = seccomp ]
	done
}
