# lh-serve: filters that die, hang and lie; signals; configurations; what it writes.
# bats file_tags=long
load ../helper
load ../servers/serve

teardown() {
	[ -z "${READER:-}" ] || kill -s KILL "$READER" 2>/dev/null || true
	stop_serves
	unset LH_SERVE_TOKEN
	faults_happened
}

# config [ROUTE]... - the file config, with members in $MEMBERS
config() {
	local routes
	routes=$(printf '%s,\n' "$@")
	echo "{${MEMBERS:+$MEMBERS,}\"state\":\"s\",\"routes\":[
${routes%,}]}" >config
}

# ask NAME PATH [BODY] - in the background: the status in NAME.status, the body in NAME
ask() {
	rm -f "$1.status"
	{
		post "$2" "${3-"{}"}" -o "$1" -w '%{http_code}' >"$1.code"
		mv "$1.code" "$1.status"
	} 3>&- &
}

# statuses NAME... - of those, once they are there
statuses() {
	local name
	for name; do until_so [ -s "$name.status" ]; done
	for name; do echo "$(cat "$name.status")"; done | xargs
}

# comes EXPRESSION - wait until it is true
comes() {
	until_so eval "$1"
}

in_flight() {
	[ "$(metric lh_serve_in_flight)" = "$1" ]
}

# answers_again PATH - the filter of the path answers
answers_again() {
	[ "$(status "$1" --json '{}')" = 200 ]
}

# ends_with STATUS - the last server
ends_with() {
	local rc=0
	wait "$SERVE" || rc=$?
	[ "$rc" = "$1" ] || { echo "exit $rc"; return 1; }
}

askers() {
	python3 -B "$ROOT/tests/servers/askers.py" "$URL" "$@"
}

# ---- filters ----

@test "a process starts at a request for which no other one is idle, all of them with --warm" {
	config "$(filter_route 'POST /echo' '"pool":3,"depth":8')" "$(filter_route 'POST /other')"
	start_serve --config config
	processes() { pgrep -P "$SERVE" | wc -l; }
	[ "$(status /health)" = 200 ]
	[ "$(processes)" = 0 ]
	pid=$(post /echo | jq .pid)
	[ "$(post /echo | jq .pid)" = "$pid" ]
	[ "$(processes)" = 1 ]
	ask a /echo "{\"id\":1,\"wait\":\"$PWD/go\"}"
	until_so in_flight 2
	[ "$(post /echo | jq .pid)" != "$pid" ]
	[ "$(processes)" = 2 ]
	touch go
	comes '[ "$(cat a.status)" = 200 ]'
	# one that was not needed is no restart, and none is started for those that go on
	[ "$(metric 'lh_serve_restarts_total{route="POST \/echo"}')" = 0 ]
	hang_up
	[ "$(post /echo | jq .pid)" -gt 0 ]
	[ "$(processes)" = 2 ]
	sed -i '1s/{/{"warm":true,/' config
	hang_up
	comes '[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" = 4 ]'
	lh-serve --config config --print-config | jq -e .warm
	end_serve
	config "$(filter_route 'POST /echo' '"pool":3,"depth":8')" "$(filter_route 'POST /other')"
	start_serve --config config --warm
	comes '[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" = 4 ]'
}

@test "the deep look starts what was not needed yet, waits for it, and names what cannot start" {
	touch broken
	config "$(filter_route 'POST /echo')" "$(filter_route 'POST /broken' '' --broken "$PWD/broken")" \
		'{"route":"POST /slow","run":["sh","-c","sleep 3; exec python3 -B \"$0\"","'"$ROOT/tests"'/servers/filter.py"]}'
	start_serve --config config
	curl -sS -o answer "$URL/health?deep=1"
	[ "$(jq -c .down answer)" = '["POST /broken"]' ]
	[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" -ge 2 ]
	rm broken
	until_so is_whole
	[ "$(status /broken --json '{}')" = 200 ]
}

is_whole() {
	[ "$(status '/health?deep=1')" = 200 ]
}

@test "a log that is cut or torn, or a key that is gone, is one line at the change, and no deep health until it is mended" {
	mkdir -p s/log
	(umask 077 && head -c 32 /dev/urandom >key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	printf '%s\n' '{"a":1}' '{"a":2}' >s/log/sessions.jsonl
	start_serve --state s
	deep() { curl -sS -m "$LH_PATIENCE" "$URL/health?deep=1" | jq -c '[.status, .error, .down]'; }
	is_down() { [ "$(deep)" = "[\"down\",\"a log or a key cannot be used\",[\"$1\"]]" ]; }
	[ "$(deep)" = '["ok",null,[]]' ]
	truncate -s 8 s/log/sessions.jsonl
	is_down log/sessions.jsonl
	printf '%s\n' '{"a":2}' >>s/log/sessions.jsonl
	is_whole
	printf '{"a":3' >>s/log/sessions.jsonl
	until_so is_down log/sessions.jsonl
	echo '}' >>s/log/sessions.jsonl
	is_whole
	mv key away
	is_down 'audit key'
	is_down 'audit key'
	mv away key
	is_whole
	grep -v listening err | sed "s|$PWD/||" | grep -v -e 'no token' -e 'lh-validate\[' | diff <(cat <<-'END'
		lh-serve: s/log/sessions.jsonl: is shorter than it was
		lh-serve: health: down: a log or a key cannot be used
		lh-serve: s/log/sessions.jsonl: can be used again
		lh-serve: health: ok again
		lh-serve: s/log/sessions.jsonl: ends within a row
		lh-serve: health: down: a log or a key cannot be used
		lh-serve: s/log/sessions.jsonl: can be used again
		lh-serve: health: ok again
		lh-serve: key: cannot be read
		lh-serve: health: down: a log or a key cannot be used
		lh-serve: key: can be used again
		lh-serve: health: ok again
	END
	) -
}

@test "a state in a store is refused by --check as at the start" {
	for how in --check '--listen 127.0.0.1:0'; do
		run -2 lh-serve --state s3://bucket/state $how
		[ "$output" = 'lh-serve: --state: s3://bucket/state is not a folder: restore it first, and serve that' ]
	done
	[ ! -e s3: ]
}

@test "a damaged index is one line of the log at the change, and no deep health until it is whole" {
	for n in workers other; do
		mkdir -p s/index s/playbook
		for i in {1..20}; do echo "{\"id\":\"w$i\",\"vector\":[1,$i]}"; done | lh-index build s/index/$n.lhv
	done
	cp s/index/other.lhv whole
	lh-serve --print-config | jq -c '{routes: [.routes[] | select(.run and (.route | test("search") | not)) | {route, off: "not here"}]}' >config
	start_serve --state s --config config
	search() {
		status /v1/vectors/search --json '{"index":"other","vector":[1,2],"k":1}'
	}
	[ "$(search)" = 200 ]
	[ "$(status '/health?deep=1')" = 200 ]
	truncate -s 4000 s/index/other.lhv
	until_so grep -q 'other.lhv: truncated: 4000 bytes' err
	for i in 1 2 3; do [ "$(search)" = 503 ] || [ "$(search)" = 502 ]; done
	for i in 1 2; do
		[ "$(curl -sS -o deep -w '%{http_code}' "$URL/health?deep=1")" = 503 ]
		jq -e '.status == "down" and .error == "an index is damaged" and .down == ["index/other.lhv"]' deep
	done
	[ "$(status /health)" = 200 ]
	[ "$(metric lh_serve_indexes_damaged)" = 1 ]
	[ "$(grep -c truncated err)" = 1 ]
	cp whole s/playbook/other.lhv
	truncate -s 3000 s/playbook/other.lhv
	cp whole s/index/other.lhv
	until_so grep -q 'index/other.lhv: can be used again' err
	[ "$(curl -sS "$URL/health?deep=1" | jq -c .down)" = '["playbook/other.lhv"]' ]
	rm s/playbook/other.lhv
	[ "$(status '/health?deep=1')" = 200 ]
	# a changed id is an answer of a search, so that its checksum alone tells it
	sed 's/w11w12/w11w92/' whole >s/index/new
	run ! cmp -s whole s/index/new
	mv s/index/new s/index/other.lhv
	until_so grep -q 'index/other.lhv: ids: the checksum is wrong: requests for it fail, or are wrong' err
	[ "$(curl -sS "$URL/health?deep=1" | jq -c .down)" = '["index/other.lhv"]' ]
	cp whole s/index/other.lhv
	[ "$(status '/health?deep=1')" = 200 ]
	[ "$(metric lh_serve_indexes_damaged)" = 0 ]
}

@test "kill -9 of a filter: what it had fails with 502, all else is right, and it is replaced" {
	config "$(filter_route 'POST /echo' '"pool":2,"depth":8')"
	start_serve --config config
	for i in 1 2 3 4 5 6 7 8; do ask "a$i" /echo "{\"id\":$i,\"wait\":\"$PWD/go\"}"; done
	until_so in_flight 9
	comes '[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" = 2 ]'
	kill -s KILL "$(pgrep -P "$SERVE" -f filter.py | head -n 1)"
	comes '[ "$(cat a?.status | tr -dc 2-5 | wc -c)" = 8 ]'
	touch go
	[ "$(statuses a1 a2 a3 a4 a5 a6 a7 a8 | tr ' ' '\n' | sort | uniq -c | xargs)" = '4 200 4 502' ]
	for i in 1 2 3 4 5 6 7 8; do
		case $(cat "a$i.status") in
		200) [ "$(jq .answer "a$i")" = "$i" ] ;;
		*) [ "$(cat "a$i")" = '{"error":"the filter ended before it answered"}' ] ;;
		esac
	done
	comes '[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" = 2 ]'
	until_so grep -q 'python3\[[01]\] was ended by signal 9$' err
	[ "$(metric 'lh_serve_restarts_total{route="POST \/echo"}')" = 1 ]
	[ "$(askers /echo -c 8 -n 20)" = '{"200":160}' ]
}

@test "kill -9 of a filter that only reads: all but the request it worked on are asked again" {
	config "$(filter_route 'POST /echo' '"pool":2,"depth":8,"read":true' --log log)"
	start_serve --config config
	for i in 1 2 3 4 5 6 7 8; do ask "a$i" /echo "{\"id\":$i,\"wait\":\"$PWD/go\"}"; done
	until_so in_flight 9
	until_so has_lines log 2
	kill -s KILL "$(pgrep -P "$SERVE" -f filter.py | head -n 1)"
	comes '[ "$(cat a?.status | wc -c)" = 3 ]'
	touch go
	[ "$(statuses a1 a2 a3 a4 a5 a6 a7 a8 | tr ' ' '\n' | sort | uniq -c | xargs)" = '7 200 1 502' ]
	for i in 1 2 3 4 5 6 7 8; do [ "$(cat "a$i.status")" = 502 ] || [ "$(jq .answer "a$i")" = "$i" ]; done
	# one that ends the filter each time is not passed on to the next
	: >log
	[ "$(post /echo '{"do":"kill"}')" = '{"error":"the filter ended before it answered"}' ]
	[ "$(wc -l <log)" = 1 ]
}

@test "a filter that hangs: 504 for what it works on, 502 behind it, and it is replaced" {
	config "$(filter_route 'POST /echo' '"depth":4,"timeout_s":600' --log log)" \
		"$(filter_route 'POST /soon' '"depth":4,"timeout_s":1' --log log)"
	start_serve --config config
	first=$(post /echo | jq .pid)
	# four lines that the filter gets at the same time
	post /soon $'{"do":"hang"}\n{"id":1}\n{"id":2}\n{"id":3}\n' -H 'Content-Type: application/jsonl' >out
	[ "$(jq .code out | xargs)" = '504 502 502 502' ]
	[ "$(head -n 1 out)" = '{"error":"the filter did not answer in time","code":504}' ]
	until_so answers_again /echo
	[ "$(post /echo | jq .pid)" != "$first" ]
	run ! grep -q '"id":' log
	grep -q '\[0\] did not answer in time: replaced$' err
	until_so gone "$first"
}

@test "one slow answer costs those behind it nothing but time, and a late one is discarded" {
	config "$(filter_route 'POST /echo' '"depth":8,"timeout_s":600' --log log)" \
		"$(filter_route 'POST /soon' '"depth":8,"timeout_s":5' --log log)"
	start_serve --config config
	ask head /echo "{\"id\":1,\"wait\":\"$PWD/go\"}"
	until_so has_lines log 1
	ask late /soon '{"id":2}'
	ask last /echo '{"id":3}'
	[ "$(statuses late)" = 504 ]
	touch go
	[ "$(statuses head last)" = '200 200' ]
	[ "$(jq .answer head last | xargs)" = '1 3' ]
	[ "$(post /echo '{"id":4}' | jq .answer)" = 4 ]
	[ "$(jq .pid head)" = "$(post /echo | jq .pid)" ]
}

# bats test_tags=full
@test "a filter that answers too much, too little or no JSON: 502, replaced, and nobody else notices" {
	config "$(filter_route 'POST /echo')"
	start_serve --config config
	for do in two garbage array blank half die kill close fork; do
		pid=$(post /echo | jq .pid)
		[ "$(post /echo "{\"do\":\"$do\",\"pids\":\"$PWD/pids\"}" -o body -w '%{http_code}')" = 502 ] || { echo "$do"; return 1; }
		[ "$(cat body)" = '{"error":"the filter ended before it answered"}' ] || { cat body; return 1; }
		until_so answers_again /echo
		[ "$(post /echo '{"id":7}' | jq .answer)" = 7 ]
		[ "$(post /echo | jq .pid)" != "$pid" ] || { echo "$do"; return 1; }
		until_so gone "$pid"
	done
	[ "$(grep -c ': replaced$' err)" = 4 ]
	grep -q 'answered more lines than it was asked' err
	grep -q 'answered with what is not a JSON object' err
	comes '[ "$(grep -c "ended with status 7$" err)" = 3 ]'
	# a group: nothing is left of it, not even what kept its output open
	until_so no_group "$(cat pids)"
	[ "$(post /echo '{"id":8,"do":"answer and die"}' | jq .answer)" = 8 ]
	until_so answers_again /echo
	[ "$(post /echo '{"id":9,"do":"flood"}' | jq .answer)" = 9 ]
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

no_group() {
	! pgrep -g "$1" >/dev/null
}

# busy_or_down PATH - it answers 503: a start is further away than it waits for one
busy_or_down() {
	[ "$(post "$1" '{}' -D head -o body -w '%{http_code}')" = 503 ]
}

# bats test_tags=full
@test "a filter that cannot start: 503, named by deep health, and well once it can" {
	touch broken
	config "$(filter_route 'POST /echo')" "$(filter_route 'POST /other' '' --broken "$PWD/broken")"
	local from=$SECONDS
	start_serve --config config
	until_so busy_or_down /other
	until_so grep -q "python3\[0\] ended with status 1: cannot start: $PWD/broken is there" err
	grep -qi '^Retry-After: 1' head
	[ "$(cat body)" = '{"error":"the filter is busy or down"}' ]
	answers_again /echo
	[ "$(status /health)" = 200 ]
	# down ROUTES - it says so of these two; one that is well may be late on a busy machine
	down() {
		curl -s "$URL/health?deep=1" >deep
		[ "$(jq -c '.down - (.down - ["POST /other", "POST /echo"])' deep)" = "$1" ]
	}
	until_so down '["POST /other"]'
	[ "$(curl -s -o deep -w '%{http_code}' "$URL/health?deep=1")" = 503 ]
	# it comes at growing intervals: never more often than the pauses say, nine times in 50 seconds
	[ "$(grep -c 'cannot start' err)" -le $((9 + (SECONDS - from) / 25)) ]
	rm broken
	until_so answers_again /other
	until_so down '[]'
}

# bats test_tags=plain-only
@test "deep health of a filter that is busy is 503 in two seconds, and does it no harm" {
	config "$(filter_route 'POST /echo' '"timeout_s":600' --log log)"
	start_serve --config config
	ask head /echo "{\"id\":1,\"wait\":\"$PWD/go\"}"
	until_so has_lines log 1
	[ "$(curl -s -o deep -w '%{http_code}' "$URL/health?deep=1")" = 503 ]
	jq -e '.down | index("POST /echo")' deep
	touch go
	[ "$(statuses head)" = 200 ]
	[ "$(post /echo '{"id":2}' | jq .pid)" = "$(jq .pid head)" ]
	run ! grep replaced err
}

# ---- the queue ----

@test "a full queue is 503 with Retry-After, and what is in it is answered" {
	config "$(filter_route 'POST /echo' '"depth":1' --log log)"
	start_serve --config config --queue 2
	for i in 1 2 3; do ask "a$i" /echo "{\"id\":$i,\"wait\":\"$PWD/go\"}"; until_so in_flight $((i + 1)); done
	curl -s -D head -o body --json '{}' "$URL/echo"
	grep -q '^HTTP/1.1 503' head
	grep -qi '^Retry-After: 1' head
	touch go
	[ "$(statuses a1 a2 a3)" = '200 200 200' ]
}

@test "a request whose time is over while it waits is 503; no filter sees it" {
	config "$(filter_route 'POST /echo' '"depth":1,"timeout_s":600' --log log)" \
		"$(filter_route 'POST /soon' '"depth":1,"timeout_s":1' --log log)"
	start_serve --config config
	ask head /echo "{\"id\":1,\"wait\":\"$PWD/go\"}"
	until_so has_lines log 1
	ask behind /echo '{"id":2}'
	until_so in_flight 3
	[ "$(status /soon --json '{"id":3}')" = 503 ]
	touch go
	[ "$(statuses head behind)" = '200 200' ]
	run ! grep -q '"id":3' log
}

@test "a route that is off says why; a mount that is off says why for all below it" {
	MEMBERS='"mount":"/_go","mount_off":"moved to another machine"' \
		config '{"route":"POST /sql","off":"not on this machine"}' "$(filter_route 'POST /echo')"
	start_serve --config config
	[ "$(post /sql '{}' -w ' %{http_code}')" = '{"error":"not on this machine"} 404' ]
	[ "$(post /v1/sql '{}' -w ' %{http_code}')" = '{"error":"SQL is off: no configuration has this route; \"routes\" of --config turn it on"} 404' ]
	curl -sS "$URL/metrics" | has -F 'lh_serve_requests_total{route="POST /v1/sql",code="404"} 1'
	for path in /_go/health /_go/echo /_go/nowhere /_go/sql; do
		[ "$(post "$path" '{}' -w ' %{http_code}')" = '{"error":"moved to another machine"} 503' ] || { echo "$path"; return 1; }
	done
	[ "$(status /health)" = 200 ]
	[ "$(status /_gone)" = 404 ]
	MEMBERS='"mount":"/_go"' config "$(filter_route 'POST /echo')"
	hang_up
	[ "$(post /_go/echo '{"id":1}' | jq .answer)" = 1 ]
	[ "$(status /_go/_go/health)" = 404 ]
	[ "$(jq -r 'select(.status == 200).route' access | tail -n 1)" = 'POST /echo' ]
}

# ---- the end ----

@test "SIGTERM with 200 requests in flight: no new connection, all are answered, exit 0" {
	config "$(filter_route 'POST /echo' '"depth":256')"
	start_serve --config config
	askers /echo -c 200 --body "{\"wait\":\"$PWD/go\"}" >counts 3>&- &
	askers=$!
	until_so in_flight 201
	kill -s TERM "$SERVE"
	until_so grep -q 'ending; 200 requests are in flight' err
	run -7 curl -s "$URL/health"
	touch go
	wait "$askers"
	[ "$(cat counts)" = '{"200":200}' ]
	wait "$SERVE"
	[ "$(jq -r 'select(.route == "POST /echo").status' access | sort | uniq -c | xargs)" = '200 200' ]
	[ -z "$(pgrep -f "$ROOT/tests/servers/filter.py.*" -P "$SERVE")" ]
}

@test "a second SIGTERM ends it at once, a drain that is over as well: exit 1, the rest is 502" {
	config "$(filter_route 'POST /echo' '"timeout_s":600,"depth":8' --log log)"
	start_serve --config config --drain 600
	for i in 1 2 3; do ask "a$i" /echo '{"do":"hang"}'; done
	until_so in_flight 4
	kill -s TERM "$SERVE"
	until_so grep -q 'ending; 3 requests are in flight' err
	kill -s TERM "$SERVE"
	ends_with 1
	[ "$(statuses a1 a2 a3)" = '502 502 502' ]
	grep -q '3 requests were not answered in time' err
	rm -f log
	start_serve --config config --drain 0.3
	ask a1 /echo '{"do":"hang"}'
	until_so has_lines log 1
	kill "$SERVE"
	ends_with 1
	[ "$(statuses a1)" = 502 ]
	# a stream of lines, of which some are not even asked
	rm -f log
	start_serve --config config --drain 0.3
	{ printf '{"id":%d}\n' 1 2 3; echo '{"do":"hang"}'; seq -f '{"id":%g}' 5 500; } >lines
	curl -sN -o out -H 'Content-Type: application/jsonl' --data-binary @lines "$URL/echo" 3>&- &
	curl=$!
	until_so has_lines log 4
	until_so has_lines out 3
	kill "$SERVE"
	ends_with 1
	wait "$curl" || true
	[ "$(first 3 <out | jq -c .answer | xargs)" = '1 2 3' ]
	[ "$(sed -n 4p out)" = '{"error":"the filter ended before it answered","code":502}' ]
}

# ---- the configuration again ----

@test "SIGHUP: a new route, another size of a pool, a removed route, all without a restart of others" {
	config "$(filter_route 'POST /echo')" "$(filter_route 'POST /old' '' --name old)"
	start_serve --warm --config config
	pid=$(post /echo | jq .pid)
	old=$(post /old | jq .pid)
	config "$(filter_route 'POST /echo')" "$(filter_route 'POST /new' '"pool":3' --name new)"
	hang_up
	[ "$(post /echo | jq .pid)" = "$pid" ]
	[ "$(status /old --json '{}')" = 404 ]
	[ "$(status /new --json '{}')" = 200 ]
	comes '[ "$(pgrep -P "$SERVE" -f '\''name new'\'' | wc -l)" = 3 ]'
	until_so gone "$old"
	config "$(filter_route 'POST /echo')" "$(filter_route 'POST /new' '"pool":1' --name new)"
	hang_up
	[ "$(status /new --json '{}')" = 200 ]
	comes '[ "$(pgrep -P "$SERVE" -f '\''name new'\'' | wc -l)" = 1 ]'
	# a request in the old pool is answered by it
	config "$(filter_route 'POST /echo' '' --log log)"
	hang_up
	ask a /echo "{\"id\":1,\"wait\":\"$PWD/go\"}"
	until_so has_lines log 1
	config "$(filter_route 'POST /echo' '"members":{"do":"error","code":409}')"
	hang_up
	[ "$(post /echo '{}' -w ' %{http_code}')" = '{"error":"wrong"} 409' ]
	touch go
	[ "$(statuses a)" = 200 ]
	# one that is slow to end on a busy machine is killed
	run ! grep -v "configuration read again\|no token is required\|listening on\|did not end: killed\|python3 is not confined\|does not describe itself\|is new: no index in it" err
}

# part NAME GOOD BAD - the bad one if $message is about the member
part() {
	case $message in
	"--$1"* | "\"$1\""*) echo "$3" ;;
	*) echo "$2" ;;
	esac
}

@test "SIGHUP with a file that is wrong changes nothing, and names its file and line" {
	config "$(filter_route 'POST /echo')"
	start_serve --config config
	pid=$(post /echo | jq .pid)
	# wrong LINE MESSAGE
	wrong() {
		: >err
		hang_up
		grep -q "configuration not changed: config:$1: .*$2" err || { cat err; return 1; }
		[ "$(post /echo | jq .pid)" = "$pid" ]
		run -2 --separate-stderr lh-serve --config config --check
		[[ $stderr == "lh-serve: config:$1: "* ]]
	}
	config '{"route":"POST /x","run":["no-such-command"]}'
	wrong 2 'there is no command no-such-command'
	config "$(filter_route 'POST /x')" "$(filter_route 'POST /x')"
	wrong 3 'route "POST /x" is there twice'
	config "$(filter_route 'POST /x/{a}')" "$(filter_route 'POST /x/{b}')"
	wrong 3 'is there twice'
	config '{"route":"POST /x","run":["jq","."],"polo":2}'
	wrong 2 polo
	MEMBERS='"lisen":[]' config "$(filter_route 'POST /echo')"
	wrong 1 lisen
	MEMBERS='"built_in":["GET /metrics","GET /nothing"]' config "$(filter_route 'POST /echo')"
	wrong 1 'the bridge does not answer "GET /nothing"'
	config '{"route":"POST /x"}'
	wrong 2 'either "run" or "off"'
	config '{"route":"POST x","run":["jq","."]}'
	wrong 2 'METHOD /PATH'
	printf '{\n"routes": [\n' >config
	wrong 3 ''
	: >err
	rm config
	hang_up
	grep -q 'configuration not changed: config: no such file' err
	[ "$(post /echo | jq .pid)" = "$pid" ]
	MEMBERS='"listen":["127.0.0.1:0"],"connections":5' config "$(filter_route 'POST /echo')"
	serve_with --config config
	MEMBERS='"listen":["127.0.0.2:0"],"connections":6' config "$(filter_route 'POST /echo')"
	hang_up
	grep -q '"listen" takes effect at the next start' err
	grep -q '"connections" takes effect at the next start' err
	MEMBERS='"listen":["nowhere"]' config "$(filter_route 'POST /echo')"
	hang_up
	grep -q 'configuration not changed: config:1: --listen nowhere: expected ADDRESS:PORT' err
	# each by the line of its member
	while read -r line message; do
		printf '{\n"state": "s",\n"listen": [%s],\n"allow":\n[%s],\n"mount": %s,\n"built_in": [%s]\n}\n' "$(part listen '"127.0.0.1:0"' '"nowhere"')" \
			"$(part allow '"::1"' '"::1/x"')" "$(part mount '"/a"' '"a"')" "$(part built_in '"GET /metrics"' '"GET /x"')" >config
		run -2 --separate-stderr lh-serve --config config --check
		[[ $stderr == "lh-serve: config:$line: $message" ]] || { echo "$stderr"; return 1; }
	done <<-'END'
	3 --listen nowhere: expected ADDRESS:PORT or [ADDRESS]:PORT
	5 --allow: "::1/x" is not a network: expected ADDRESS or ADDRESS/BITS
	6 "mount" must be a path such as "/_go"
	7 "built_in": the bridge does not answer "GET /x"
	END
}

# bats test_tags=full
@test "SIGHUP under load, with rotated tokens and replaced pools: no request fails" {
	token one
	token two
	MEMBERS='"token_file":["one","two"]' config "$(filter_route 'POST /echo' '"pool":2,"depth":16')"
	cp config a
	MEMBERS='"token_file":["two","one"]' config "$(filter_route 'POST /echo' '"pool":3,"depth":16')"
	cp config b
	start_serve --warm --config config
	touch loading
	askers /echo -c 16 --while loading --ready ready --token one --token two >counts 3>&- &
	askers=$!
	until_so [ -e ready ]
	for i in 1 2 3 4 5 6 7 8 9 10; do
		cp a config
		hang_up
		cp b config
		hang_up
	done
	echo '{' >config
	hang_up
	rm loading
	wait "$askers"
	[ "$(jq -c keys counts)" = '["200"]' ] || { cat counts; return 1; }
	[ "$(grep -c 'configuration read again' err)" = 20 ]
	comes '[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" = 3 ]'
}

# ---- --check and --print-config ----

@test "--print-config prints a configuration that prints the same, and --check that the state is new" {
	token legal
	token primary
	echo key-0123456789abcdef0123456789abcdef >key
	chmod 600 key
	for key in '' "$PWD/key"; do
		for options in '' '--token-file primary --legal-token-file legal --allow 127.0.0.1 --mount /_go' '--no-console --queue 7 --drain 0.5'; do
			LH_SUBJECT_AUDIT_KEY=$key run -0 lh-serve --state s --print-config $options
			echo "$output" >printed
			jq -e '.routes | length > 20' printed >/dev/null
			LH_SUBJECT_AUDIT_KEY=$key lh-serve --config printed --print-config | cmp - printed
			LH_SUBJECT_AUDIT_KEY=$key run -0 lh-serve --config printed --check
			[ "$output" = "lh-serve: s is new: no index in it" ]
		done
	done
	MEMBERS='"mount":"/_go","mount_off":"away","listen":["127.0.0.1:0"]' config \
		'{"route":"POST /sql","off":"not here"}' \
		"$(filter_route 'PUT /x/{id}' '"members":{"a":1,"b":[1, 2],"c":"\u0000ü"},"token_file":"primary","read":true,"trace":true,"max_body":"64K","timeout_s":0.25,"pool":2,"depth":3')"
	lh-serve --config config --print-config >printed
	lh-serve --config printed --print-config | cmp - printed
	[ ! -e s ]
	[ "$(jq -c '.routes[] | select(.route == "PUT /x/{id}") | [.pool, .depth, .timeout_s, .max_body, .members.a, .read]' printed)" = '[2,3,0.25,65536,1,true]' ]
}

@test "a wrong member of a configuration is refused, also if an option replaces it" {
	echo '{"state_max":"abc"}' >config
	run -2 --separate-stderr lh-serve --config config --state-max 5M --check
	[[ $stderr == 'lh-serve: config:1: "state_max" must be '* ]]
	echo '{"allow":["::1\u0000"]}' >config
	run -2 --separate-stderr lh-serve --config config --allow ::1 --check
	[ "$stderr" = 'lh-serve: config:1: a text holds NUL' ]
}

# adds_up - both processes of lh-embed have answered in the two seconds that they have; $stats
# is what they said.
adds_up() {
	stats=$(curl -s "$URL/v1/embed/stats")
	[ "$(jq .capacity <<<"$stats")" = 20000 ]
}

@test "what is configured from --print-config still adds up the caches, and guards the audit" {
	token legal
	lh-serve --state s --print-config --legal-token-file legal >config
	start_serve --state s
	until_so adds_up
	all=$stats
	start_serve --config config
	until_so adds_up
	[ "$stats" = "$all" ]
	[ "$(status /v1/audit/health)" = 401 ]
}

@test "/openapi.json is OpenAPI 3.1, and has the routes of --print-config and the built-in ones" {
	config "$(filter_route 'POST /role/{role}/of/{id}')" "$(filter_route 'DELETE /role/{role}/of/{id}')" \
		'{"route":"PUT /off","off":"not here"}'
	start_serve --config config
	lh-serve --config config --print-config | jq -r '.built_in[], .routes[].route' | sed 's/\.\.\.}/}/' | LC_ALL=C sort >routes
	curl -s "$URL/openapi.json" | python3 -B "$ROOT/tests/oracle/openapi.py" >listed
	diff routes listed
	grep -q '^POST /role/{role}/of/{id}$' listed
	token primary
	MEMBERS='"token_file":["primary"]' config "$(filter_route 'POST /echo')"
	hang_up
	curl -s -H 'Authorization: Bearer primary-0123456789abcdef' "$URL/openapi.json" >document
	python3 -B "$ROOT/tests/oracle/openapi.py" <document >listed
	[ "$(jq -c '.paths["/echo"].post.security' document)" = '[{"bearer":[]}]' ]
	[ "$(jq -c '.paths["/health"].get.security' document)" = null ]
}

# ---- what it writes ----

@test "the access log has its members, and /metrics, which is Prometheus text, counts the same" {
	config "$(filter_route 'POST /echo' '"read":true')" "$(filter_route 'POST /sick\"role\\/{id}')" \
		"$(filter_route 'POST /fail' '"members":{"do":"error","code":422}')"
	start_serve --config config
	askers /echo -c 8 -n 30 >/dev/null
	for i in {1..5}; do
		status /nowhere >/dev/null
		status /echo >/dev/null
		status /health >/dev/null
		status /fail --json '{}' >/dev/null
		status /echo --json '{' >/dev/null
		status /echo --json '{}' -H 'Content-Type: text/plain' >/dev/null
		status '/sick%22role%5c/a?b=c' --json '{}' >/dev/null
		status /health -X OPTIONS >/dev/null
		status /echo -H 'Content-Type: application/jsonl' --data-binary $'{"id":1}\n{"id":2}\n' >/dev/null
	done
	post /echo '{"do":"die"}' >/dev/null
	comes '[ "$(wc -l <access)" = 286 ]'
	cp access before
	curl -s "$URL/metrics" >metrics
	python3 -B "$ROOT/tests/oracle/prometheus.py" before <metrics
	# each family is in lakehouse-operation(7), with its type
	alike <(sed -n 's/^# TYPE //p' metrics | sort) <(sed -n 's/^\.It Li \(lh_serve_[a-z_]*\) Ta \([a-z]*\) Ta .*/\1 \2/p' "$ROOT/man/lakehouse-operation.7" | sort)
	[ "$(jq -c keys_unsorted access | sort -u)" = '["time","trace_id","request_id","remote","token","route","status","queue_ms","filter_ms","bytes_in","bytes_out"]' ]
	[ "$(jq -c 'select(.queue_ms < 0 or .filter_ms < 0)' access | wc -l)" = 0 ]
	[ "$(jq -r .status access | sort -u | xargs)" = '200 204 400 404 405 415 422 502' ]
	[ "$(jq -r .request_id access | sort -u | wc -l)" = "$(wc -l <access)" ]
	curl -s -o /dev/null -H 'X-Request-Id: mine.1' -H 'X-Lakehouse-Trace-Id: its-2' "$URL/health"
	comes '[ "$(tail -n 1 access | jq -c '\''[.request_id, .trace_id, .route, .status]'\'')" = '\''["mine.1","its-2","GET /health",200]'\'' ]'
}

@test "a full disk or a reader that left costs lines of the log, counted and reported once, and no request" {
	config "$(filter_route 'POST /echo')"
	serve_to() { rm -f err; lh-serve --listen 127.0.0.1:0 --config config >"$1" 2>err 3>&- 9>&- & }
	serve_to /dev/full
	SERVE=$! SERVES+=($!)
	until_so grep -qs 'listening on' err
	URL=$(sed -n 's/.*listening on //p' err)
	[ "$(askers /echo -c 4 -n 50)" = '{"200":200}' ]
	comes '[ "$(metric lh_serve_log_lost_total)" -ge 200 ]'
	end_serve
	[ "$(grep -c 'access log: No space left on device; lines are lost, and counted' err)" = 1 ]
	mkfifo pipe
	exec 9<>pipe
	serve_to pipe
	SERVE=$! SERVES+=($!)
	until_so grep -qs 'listening on' err
	URL=$(sed -n 's/.*listening on //p' err)
	[ "$(status /health)" = 200 ]
	until_so has_bytes
	exec 9>&-	# the only reader
	[ "$(askers /echo -c 4 -n 50)" = '{"200":200}' ]
	comes '[ "$(metric lh_serve_log_lost_total)" -ge 200 ]'
	[ "$(grep -c 'access log: Broken pipe' err)" = 1 ]
	end_serve
	# closed from the start is not served at all
	run -2 --separate-stderr patiently bash -c "lh-serve --config config --listen 127.0.0.1:0 >&-"
	[[ $stderr == *stdout* ]]
}

has_bytes() {
	read -r -t 0.01 -u 9 line
}

@test "a reader of the log that is slow holds nothing up, and gets every line" {
	config "$(filter_route 'POST /echo' '"depth":64')"
	mkfifo pipe
	exec 9<>pipe
	lh-serve --listen 127.0.0.1:0 --config config >pipe 2>err 3>&- 9>&- &
	SERVE=$! SERVES+=($!)
	until_so grep -q 'listening on' err
	URL=$(sed -n 's/.*listening on //p' err)
	# more than a pipe holds
	[ "$(askers /echo -c 8 -n 100)" = '{"200":800}' ]
	[ "$(metric lh_serve_log_lost_total)" = 0 ]
	(exec cat <pipe >lines) 3>&- 9>&- &
	READER=$!
	until_so [ -s lines ]	# it has opened the pipe, which would have no reader else
	exec 9>&-
	end_serve
	wait "$READER"
	[ "$(jq -c 'select(.route == "POST /echo")' lines | wc -l)" = 800 ]
	[ -z "$(grep 'access log' err)" ]
}

# no_core_of_filter - its limit; what was asked of it before may have ended it
no_core_of_filter() {
	[ "$(post /open '{"do":"limits"}' "${good[@]}" | jq -r .limits | grep -c '^Max core file size  *1  *1 ')" = 1 ]
}

@test "nothing of a body, a query, a header, a token or a variable is in a log, a message or a core" {
	umask 077
	echo canary-token-0123456789 >primary
	export LH_SERVE_TOKEN=canary-env-0123456789 CANARY=canary-variable
	config "$(filter_route 'POST /echo/{id}' '"timeout_s":1,"token_file":"own"' --noisy)" \
		"$(filter_route 'POST /open' '"timeout_s":1,"read":true,"pool":2' --noisy)" \
		'{"route":"POST /sh","run":["sh","-c","read -r line; echo \"$line\" >&2; echo \"sh: $line\"; exit 3"]}'
	echo canary-own-0123456789 >own
	start_serve --config config --token-file primary -v
	good=(-H 'Authorization: Bearer canary-token-0123456789' -H 'X-Lakehouse-Legal-Token: canary-own-0123456789'
		-H 'X-Canary: canary-header' -H 'Cookie: canary-cookie' -A canary-agent -e http://canary-referer/
		-H 'X-Request-Id: canary id' -H 'X-Lakehouse-Trace-Id: canary/trace')
	for do in '' two garbage array blank half die kill close flood hang; do
		for path in /echo/canary-piece?canary-name=canary-value /open?a=canary-query; do
			post "$path" "{\"do\":\"$do\",\"canary-member\":\"canary-body\"}" "${good[@]}" >/dev/null
		done
	done
	post /sh '{"a":"canary-shell"}' "${good[@]}" >/dev/null
	for body in '{"canary-broken' '["canary-array"]' '{"a":1,"a":"canary-twice"}' canary; do post /open "$body" "${good[@]}" >/dev/null; done
	post /open '{"a":"canary-wrong"}' -H 'Authorization: Bearer canary-wrong-0123456789' >/dev/null
	post /open '{"a":"canary-basic"}' -u canary-user:canary-password >/dev/null
	post /canary-path?canary-query=1 '{}' "${good[@]}" >/dev/null
	post '/open?a=1&a=canary-twice' '{}' "${good[@]}" >/dev/null
	post '/open?canary-percent=%zz' '{}' "${good[@]}" >/dev/null
	status /open -X CANARY-METHOD "${good[@]}" >/dev/null
	status /open -H 'Transfer-Encoding: canary-coding' "${good[@]}" >/dev/null || true
	curl -s -o /dev/null -H 'Content-Type: application/jsonl' "${good[@]}" --data-binary $'{"a":"canary-line"}\ncanary-line\n' "$URL/open"
	curl -s "${good[@]}" "$URL/metrics" >metrics
	hang_up
	echo canary-changed >own
	hang_up
	grep -q 'not changed' err
	# what it wrote, and what can be read of it from outside
	for file in access err metrics "/proc/$SERVE/cmdline"; do
		[ "$(wc -c <"$file")" -gt 0 ] || { echo "$file is empty"; return 1; }
		run ! grep -ai canary "$file"
	done
	run ! grep -a 'canary-env' "/proc/$SERVE/environ"
	# no core of it, nor of its filters
	grep -q '^Max core file size  *1  *1 ' "/proc/$SERVE/limits"
	token own canary-own-0123456789
	until_so no_core_of_filter
	kill -s ABRT "$SERVE"
	ends_with 134
	[ -z "$(find . -name 'core*')" ]
	run ! grep -ai canary access err
}

@test "it cannot be traced or dumped, with a token or without" {
	needs_reach
	mkdir -m 777 d
	cd d
	config "$(filter_route 'POST /echo')"
	chmod a+r config
	as_nobody env PATH="$PATH" lh-serve --warm --listen 127.0.0.1:0 --config config >access 2>err 3>&- &
	SERVES+=($!)
	until_so grep -q 'listening on' err
	SERVE=$(pgrep -P $! lh-serve || echo $!)
	SERVES+=("$SERVE")
	[ "$(stat -c %u "/proc/$SERVE/environ")" = 0 ]
	until_so pgrep -P "$SERVE" -f filter.py
	filter=$(pgrep -P "$SERVE" -f filter.py)
	[ "$(stat -c %u "/proc/$filter/environ")" != "$(stat -c %u "/proc/$SERVE/environ")" ]
}

# ---- systemd, sockets, folders ----

@test "systemd: sockets are taken over, READY=1 and STOPPING=1 are sent" {
	cat >parent.py <<-'END'
		import os, signal, socket, subprocess, sys, urllib.request
		notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		name = sys.argv[1]
		notify.bind(("\0" + name[1:]) if name[0] == "@" else name)
		notify.settimeout(600)
		tcp = socket.socket()
		tcp.bind(("127.0.0.1", 0))
		tcp.listen(100)
		unix = socket.socket(socket.AF_UNIX)
		if os.path.exists("unix"):
		    os.unlink("unix")
		unix.bind("unix")
		unix.listen(100)
		# connected before there is a server
		early = socket.create_connection(tcp.getsockname())
		early.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

		def child():
		    os.dup2(tcp.fileno(), 90)
		    os.dup2(unix.fileno(), 91)
		    os.dup2(90, 3)
		    os.dup2(91, 4)
		    for fd in (3, 4):
		        os.set_inheritable(fd, True)
		    os.environ.update(LISTEN_FDS="2", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=name)

		p = subprocess.Popen(["lh-serve", *sys.argv[2:]], preexec_fn=child, close_fds=False,
		                     stdout=open("log", "w"))
		print(notify.recv(1000).decode())
		early.settimeout(600)
		print(early.makefile("rb").readline().decode().strip())
		url = "http://127.0.0.1:%d/health" % tcp.getsockname()[1]
		print(urllib.request.urlopen(url).status)
		c = socket.socket(socket.AF_UNIX)
		c.connect("unix")
		c.sendall(b"GET /health HTTP/1.0\r\n\r\n")
		print(c.makefile("rb").readline().decode().strip())
		p.send_signal(signal.SIGTERM)
		print(notify.recv(1000).decode())
		print(p.wait())
		# the sockets are systemd's: they are still there
		socket.create_connection(tcp.getsockname()).close()
	END
	config "$(filter_route 'POST /env' '"members":{"do":"env"}')"
	for name in "$PWD/notify" "@lh-serve-test-$$-$BATS_TEST_NUMBER"; do
		patiently python3 -B parent.py "$name" --config config >out 2>err
		[ "$(xargs <out)" = 'READY=1 HTTP/1.1 200 OK 200 HTTP/1.1 200 OK STOPPING=1 0' ] || { cat out err; return 1; }
		rm -f notify
	done
	# a descriptor that does not listen; a number of descriptors for another process
	cat >bad.py <<-'END'
		import os, socket, sys
		os.dup2(os.open("/dev/null", os.O_RDWR), 3)
		os.set_inheritable(3, True)
		os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
		os.execvp("lh-serve", ["lh-serve", *sys.argv[1:]])
	END
	run -2 --separate-stderr patiently python3 -B bad.py --config config
	[[ $stderr == *'LISTEN_FDS: descriptor 3 does not listen'* ]]
	LISTEN_FDS=1 LISTEN_PID=1 start_serve --config config
	[ "$(status /health)" = 200 ]
}

@test "port 0 is any, an address in use or not here is exit 2, and both kinds of address work" {
	has_v6=1
	python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null || has_v6=
	start_serve --state s ${has_v6:+--listen '[::1]:0'}
	[ "$(stat -c %a s s/index s/playbook s/log | xargs)" = '700 700 700 700' ]
	[ "$PORT" -gt 0 ]
	if [ -n "$has_v6" ]; then
		six=$(sed -n 's/.*listening on \(http:..\[::1\]:[0-9]*\)$/\1/p' err)
		[ "$(curl -s "$six/health" | jq -r .status)" = ok ]
	fi
	run -2 --separate-stderr patiently lh-serve --state s2 --listen "127.0.0.1:$PORT"
	[[ $stderr == *"--listen 127.0.0.1:$PORT: "*'Address already in use' ]]
	for bad in nonsense 127.0.0.1 127.0.0.1: :80 127.0.0.1:65536 127.0.0.1:-1 127.0.0.1:a ::1:80 '[::1]' 300.0.0.1:80 '127.0.0.1:0 '; do
		run -2 --separate-stderr patiently lh-serve --state s2 --listen "$bad" --check
		[[ $stderr == "lh-serve: --listen $bad: "* ]] || { echo "$bad: $stderr"; return 1; }
	done
	mkdir -m 750 mine
	start_serve --state mine
	[ "$(stat -c %a mine)" = 750 ]
	run -2 --separate-stderr patiently lh-serve --listen 127.0.0.1:0 --state missing/s
	[[ $stderr == *missing/s* ]]
}

@test "two servers of one state are one service: each sees what the other wrote" {
	start_serve --state s
	one=$URL
	start_serve --state s
	two=$URL
	for i in $(seq 20); do
		for url in "$one" "$two"; do
			curl -s -o /dev/null --json "{\"content\":\"of $url $i\",\"tags\":[\"t\"]}" "$url/v1/pathway/add" 3>&- &
			clients+=($!)
		done
	done
	wait "${clients[@]}"
	for url in "$one" "$two"; do
		[ "$(curl -s --json '{"tag":"t","limit":100}' "$url/v1/pathway/search" | jq '[.. | .content? | strings] | unique | length')" = 40 ]
	done
	lh-pathway verify s/log/pathway.jsonl
}

# ---- for long ----

# figures - open descriptors, children, resident KiB
figures() {
	echo "$(find "/proc/$SERVE/fd" -mindepth 1 | wc -l) $(pgrep -P "$SERVE" | wc -l) $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$SERVE/status")"
}

# bats test_tags=full,plain-only
@test "descriptors, processes and memory stay the same over many requests and 50 SIGHUPs" {
	n=$([ -n "${LH_ASAN:-}" ] && echo 100 || echo 900)
	echo '{"id":1}' >body
	config "$(filter_route 'POST /echo' '"pool":2,"depth":16')" "$(filter_route 'POST /big' '"members":{"do":"big","bytes":100000}')" \
		"$(filter_route 'POST /fail' '"members":{"do":"error","code":422}')"
	cp config a
	sed 's/"pool":2/"pool":3/' a >b
	start_serve --warm --config config
	# mixed - a round of everything, and two SIGHUPs
	mixed() {
		ab -q -k -c 16 -n "$n" -p body -T application/json "$URL/echo" >/dev/null
		ab -q -c 4 -n 20 -p body -T application/json "$URL/big" >/dev/null
		ab -q -k -c 4 -n 40 -p body -T application/json "$URL/fail" >/dev/null
		ab -q -k -c 4 -n 40 -p body -T application/json "$URL/nowhere" >/dev/null
		seq -f '{"id":%g}' 200 | curl -s -o /dev/null -H 'Content-Type: application/jsonl' --data-binary @- "$URL/echo"
		for path in /metrics /openapi.json '/health?deep=1'; do status "$path" >/dev/null; done
		post /echo '{"do":"garbage"}' >/dev/null
		cp b config
		hang_up
		cp a config
		hang_up
	}
	for i in 1 2 3 4 5; do mixed; done
	comes '[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" = 3 ]'
	until_so in_flight 1
	read -r fds children kib < <(figures)
	for i in $(seq 20); do mixed; done
	comes '[ "$(pgrep -P "$SERVE" -f filter.py | wc -l)" = 3 ]'
	until_so in_flight 1
	read -r fds2 children2 kib2 < <(figures)
	echo "descriptors, processes and KiB: $fds $children $kib, then $fds2 $children2 $kib2"
	[ "$fds2" -le "$((fds + 2))" ]
	[ "$children2" = "$children" ]
	[ -n "${LH_ASAN:-}" ] || [ "$kib2" -le "$((kib + 1024))" ]
	[ "$(grep -c 'configuration read again' err)" = 50 ]
	[ -n "${LH_ASAN:-}" ] || [ "$(wc -l <access)" -gt 20000 ]
	end_serve
}
