# lh-load: what is counted is what happened, also against servers that answer badly.
load ../helper
load ../servers/server

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	stop_upstreams
	faults_happened
}

serve() {
	start_server answers.py "$@"
}

# load ARGUMENT... - lh-load, quiet, a GET; its last line is in summary.
load_of() {
	rc=0
	patiently lh-load -q "$@" </dev/null >out || rc=$?
	tail -n 1 out >summary
}

# is JQ... - it holds for the summary.
is() {
	jq -e "$@" summary >/dev/null || { cat summary; return 1; }
}

@test "the summary has its members, in order, and counts add up" {
	serve
	load_of -c 3 -n 100 "$URL/flaky/4"
	[ "$rc" = 1 ]
	[ "$(jq -r 'keys_unsorted | join(" ")' summary)" = 'url concurrency duration_s total rps by_status transport_errors p50_ms p90_ms p95_ms p99_ms max_ms' ]
	is --arg url "$URL/flaky/4" '.url == $url and .concurrency == 3 and .total == 100 and .by_status == {"200": 75, "503": 25} and .transport_errors == 0'
	is '.p50_ms <= .p90_ms and .p90_ms <= .p95_ms and .p95_ms <= .p99_ms and .p99_ms <= .max_ms and .p50_ms > 0 and .duration_s > 0'
	is '(.rps * .duration_s / .total - 1) | fabs < 0.01'
}

@test "bodies rotate, byte for byte; without one the request is a GET" {
	serve --log log
	printf '%s\n' '{"a": 1.50}' '{"b":"é"}' '' '{"c":[]}' | lh-load -q -c 1 -n 7 "$URL/ok?x=1" >out
	[ "$(jq -r .method log | sort -u)" = POST ]
	[ "$(jq -r .path log | sort -u)" = '/ok?x=1' ]
	[ "$(jq -r .body log | paste -sd' ')" = '{"a": 1.50} {"b":"é"} {"c":[]} {"a": 1.50} {"b":"é"} {"c":[]} {"a": 1.50}' ]
	jq -s -e 'map(.headers | map(ascii_downcase) | index("content-type: application/json")) | all' log
	rm log
	for empty in /dev/null <(:) <(echo; echo); do
		lh-load -q -n 1 "$URL" <"$empty" >out
	done
	[ "$(jq -r '.method + .path + .body' log | sort -u)" = GET/ ]
	script -qec "lh-load -q -n 1 $URL/terminal" /dev/null >out </dev/null
	[ "$(tail -n 1 log | jq -r '.method + .path')" = GET/terminal ]
}

@test "a body that is not JSON is exit 2 before anything is sent" {
	serve --log log
	run -2 --separate-stderr lh-load -n 5 "$URL" <<<'{"a":1}
{"b":'
	[[ $stderr == 'lh-load: -:2:'* ]]
	[ -z "$output" ]
	[ ! -e log ]
}

@test "anything but 2xx is exit 1" {
	serve
	for status in 200 201 204 299; do
		load_of -n 3 "$URL/status/$status"
		[ "$rc" = 0 ]
		is ".by_status == {\"$status\": 3}"
	done
	for status in 301 304 400 404 500 999; do
		load_of -n 3 "$URL/status/$status"
		[ "$rc" = 1 ]
		is ".by_status == {\"$status\": 3}"
	done
}

@test "each framing of an answer is read to its end, and the connection used again where it may be" {
	serve --log log
	for kind in ok chunked interim bytes close old echo; do
		load_of -c 2 -n 8 --each "$URL/$kind"
		[ "$rc" = 0 ] || { cat out; return 1; }
		is '.by_status == {"200": 8} and .transport_errors == 0'
	done
	load_of -n 2 -c 1 --each "$URL/chunked"
	[ "$(jq -c 'select(.request != null) | .bytes' out | paste -sd' ')" = '1100 1100' ]
}

# KIND | FAULT, of answers that are none
hostile() {
	cat <<-'END'
	reset|Connection reset by peer
	silent|closed before the answer
	half|closed within the answer
	short|closed within the answer
	garbage|no HTTP/1.x answer
	huge|a header block over 64 KiB
	endless|a header block over 64 KiB
	fine|a header block over 64 KiB
	extra|more bytes than the answer has
	lengths|two different lengths
	both|both a length and chunks
	chunk|a wrong chunk
	upgrade|an upgrade that was not asked for
	big|a body over 256 MiB
	fold|a header line without a name
	nul|a control byte in a header
	END
}

@test "an answer that is none is a transport error, said in words, and the next request is sent" {
	serve
	n=0
	while IFS='|' read -r kind fault; do
		load_of -c 2 -n 5 --each "$URL/$kind"
		[ "$rc" = 1 ]
		is '.by_status == {} and .total == 5 and .transport_errors == 5 and .p50_ms == null and .max_ms == null and .rps == 0' || { echo "$kind"; return 1; }
		[ "$(jq -r 'select(.request != null) | .fault' out | sort -u)" = "$fault" ] || { echo "$kind"; cat out; return 1; }
		n=$((n + 1))
	done < <(hostile)
	[ "$n" = 16 ]
}

@test "a request without an answer is given up after --timeout" {
	serve
	load_of -c 3 -n 3 --timeout 0.1 --each "$URL/never"
	[ "$rc" = 1 ]
	is '.transport_errors == 3 and .by_status == {}'
	[ "$(jq -r 'select(.request != null) | .fault' out | sort -u)" = 'timed out' ]
	jq -s -e 'map(select(.request != null)) | all(.ms >= 100)' out
}

@test "a server that is not there is transport errors and exit 1; a name that is not, exit 2" {
	load_of -c 2 -n 5 http://127.0.0.1:1/
	[ "$rc" = 1 ]
	is '.by_status == {} and .transport_errors == 5 and .total == 5'
	run -2 --separate-stderr lh-load -n 1 http://no.such.name.invalid/ </dev/null
	[[ $stderr == 'lh-load: no.such.name.invalid: '* ]]
}

@test "a failing server is asked more and more slowly" {
	load_of -c 1 -d 0.5 http://127.0.0.1:1/
	is '.total < 12 and .transport_errors == .total'
}

@test "an address that cannot be used is exit 2 and says why" {
	while IFS='|' read -r url why; do
		run -2 --separate-stderr lh-load "$url" </dev/null
		[ "$stderr" = "lh-load: \"$url\" is not an address like http://127.0.0.1:3110/v1/embed: $why" ] || { echo "$stderr"; return 1; }
	done <<-'END'
	https://a/|TLS is not supported
	ftp://a/|no http://
	localhost|no http://
	http:///x|no host
	http://|no host
	http://:80/|no host
	http://a:0/|a wrong port
	http://a:65536/|a wrong port
	http://a:x/|a wrong port
	http://a:/|a wrong port
	http://a:1:2/|a wrong port
	http://[]:1/|no host
	http://[::1/|[ without ]
	http://[::1]x/|a wrong port
	http://me:secret@a/|user-info, which is given by --token-file or --header
	http://a/b c|a byte that must be percent-encoded
	http://a/é|a byte that must be percent-encoded
	http://a/#b|a fragment
	END
}

@test "options are checked before anything is sent" {
	while IFS='|' read -r arguments why; do
		run -2 --separate-stderr lh-load $arguments </dev/null
		[ "$stderr" = "lh-load: $why" ] || { echo "$arguments: $stderr"; return 1; }
	done <<-'END'
	-d 1 -n 1 http://127.0.0.1:1/|-d and -n exclude each other
	|missing operand URL
	http://127.0.0.1:1/ x|unexpected operand "x": one URL is taken
	mix|mix: missing operand SCENARIOS.jsonl
	mix a b c|unexpected operand "c": SCENARIOS.jsonl and a URL or DIR are taken
	mix --via filters a|--via filters: missing operand DIR
	mix --via filters --header a:b a .|--header: filters take no headers
	mix --via filters --token-file t a .|--token-file: filters take no headers
	mix -c 1,2 a|-c: "mix" takes one number of connections
	--header a http://127.0.0.1:1/|--header: "a" is not "Name: value"
	--header Content-Length:1 http://127.0.0.1:1/|--header: Content-Length follows from the body
	END
	for c in 0 a 1, ,1 1,,2 1,0 20001 -1 ''; do
		run -2 --separate-stderr lh-load -c "$c" http://127.0.0.1:1/ </dev/null
		[[ $stderr == "lh-load: -c: \"$c\" is not a whole number from 1 to 20000"* ]]
	done
}

@test "-c with a list is a line for each step" {
	serve
	load_of -c 1,3,7 -n 10 "$URL/ok"
	[ "$rc" = 0 ]
	[ "$(jq -c '[.concurrency, .total]' out | paste -sd' ')" = '[1,10] [3,10] [7,10]' ]
	run -0 --separate-stderr lh-load -c 1,3,7 -n 10 "$URL/ok" </dev/null
	[ "${#stderr_lines[@]}" = 4 ]
}

@test "-d ends after that time, and waits for what was sent" {
	serve
	load_of -c 4 -d 0.3 "$URL/slow/0.1"
	[ "$rc" = 0 ]
	is '.duration_s >= 0.3 and .total >= 1 and .by_status["200"] == .total and .transport_errors == 0'
}

@test "percentiles are those of the lines of --each, within 0.4 %" {
	serve --stall-at 150 0.05
	load_of -c 5 -n 400 --each "$URL/flaky/9"
	python3 - <<-'END'
	import json, math
	lines = [json.loads(l) for l in open("out")]
	summary = lines.pop()
	assert [l["request"] for l in sorted(lines, key=lambda l: l["request"])] == list(range(400))
	ms = sorted(l["ms"] for l in lines if "status" in l)
	assert len(ms) == 400
	for share, name in ((0.5, "p50_ms"), (0.9, "p90_ms"), (0.95, "p95_ms"), (0.99, "p99_ms")):
	    want = ms[math.ceil(share * len(ms)) - 1]
	    assert abs(summary[name] - want) <= 0.004 * want + 0.001, (name, summary[name], want)
	assert summary["max_ms"] == ms[-1] >= 50
	for status in ("200", "503"):
	    assert summary["by_status"][status] == sum(l.get("status") == int(status) for l in lines)
	last = max(l["at_ms"] + l["ms"] for l in lines)
	assert abs(last / 1000 - summary["duration_s"]) < 1e-5
	END
}

@test "with --rate a stall delays every request that was due, without it those that were sent" {
	serve --stall-at 50 2
	load_of -c 4 -n 200 --rate 400 --each "$URL/ok"
	is '.total == 200 and .by_status["200"] == 200 and .p90_ms > 1000 and .max_ms >= 1900'
	# the requests are due at fixed times, whatever the answers take
	jq -s -e 'map(select(.request != null)) | sort_by(.request) | all((.at_ms - .request * 2.5) | fabs < 0.01)' out
	serve --stall-at 50 2
	load_of -c 4 -n 200 "$URL/ok"
	is '.total == 200 and .p90_ms < 1000 and .max_ms >= 1900'
}

@test "with --rate and -d what could not be sent is reported" {
	serve
	run -0 --separate-stderr lh-load -c 1 -d 0.5 --rate 100 "$URL/slow/0.1" </dev/null
	total=$(jq .total <<<"$output")
	[ "$total" -lt 10 ]
	[[ $stderr == *"lh-load: $((50 - total)) requests were due and not sent"* ]]
}

@test "headers and a token are sent; a token that others may read is not" {
	serve --log log
	printf 'secret-secret-secret\n' >token
	chmod 600 token
	load_of -n 1 -c 1 --token-file token --header 'X-A: b c' --header 'user-agent: me' "$URL/ok"
	[ "$rc" = 0 ]
	jq -e '.headers | index("Authorization: Bearer secret-secret-secret") and index("X-A: b c") and index("user-agent: me")' log
	jq -e --arg host "Host: ${URL#http://}" '.headers | index($host) and (map(select(ascii_downcase | startswith("user-agent"))) | length == 1)' log
	run -2 --separate-stderr lh-load --token-file token --header 'authorization: x' "$URL" </dev/null
	[ "$stderr" = 'lh-load: --header: Authorization is given by --token-file' ]
	chmod 644 token
	run -2 --separate-stderr lh-load --token-file token "$URL" </dev/null
	[[ $stderr == *'mode 0644'* ]]
	for bad in '' 'two words' $'a\nb'; do
		printf '%s' "$bad" >bad
		chmod 600 bad
		run -2 --separate-stderr lh-load --token-file bad "$URL" </dev/null
		[ "$stderr" = 'lh-load: --token-file: bad: not one token of visible ASCII' ]
	done
	run -2 --separate-stderr lh-load --header $'a: b\r\nc: d' "$URL" </dev/null
	[ "$(wc -l <log)" = 1 ]
}

@test "SIGINT prints the summary so far" {
	serve --log log
	(exec env --default-signal=INT lh-load -q -c 2 -d 600 "$URL/ok" >out 3>&- </dev/null) &
	pid=$!
	until_so has_lines log 20
	kill -INT $pid
	rc=0
	wait $pid || rc=$?
	[ "$rc" = 130 ]
	jq -e '.total >= 18 and .by_status["200"] == .total and .transport_errors == 0' out
}

@test "a thousand connections work under a soft limit of 256 descriptors; a hard one is named" {
	serve
	prlimit --nofile=256:4096 lh-load -q -c 1000 -n 2000 "$URL/ok" </dev/null >out
	jq -e '.by_status == {"200": 2000}' out
	run -2 --separate-stderr prlimit --nofile=256:256 lh-load -c 1000 "$URL/ok" </dev/null
	[ "$stderr" = 'lh-load: 1000 connections: at most 256 descriptors are allowed (ulimit -Hn)' ]
}

@test "memory does not grow with the number of requests" {
	plain_only "shadow memory"
	serve
	peak() {
		/usr/bin/time -f %M -o kb lh-load -q -c 4 -n "$1" "$URL/chunked" </dev/null >out
		cat kb
	}
	few=$(peak 100)
	many=$(peak "$(scale 5000 500000)")
	[ "$((many - few))" -lt 512 ] || { echo "$few, then $many KiB"; return 1; }
}

@test "an address of two families is tried in both" {
	serve
	getent ahosts localhost | has '^::1' || skip "localhost is 127.0.0.1 alone"
	load_of -n 4 -c 2 "http://localhost:${URL##*:}/ok"
	[ "$rc" = 0 ]
	is '.by_status == {"200": 4}'
}

# ---- mix ----

# mix LINE... - run it once, over one connection
mix() {
	printf '%s\n' "$@" >mix.jsonl
	rc=0
	patiently lh-load mix mix.jsonl -q -n "${RUNS:-1}" -c 1 --via http "$URL" >out || rc=$?
}

@test "the lines of a mix have their members, in order" {
	serve
	RUNS=8 mix '{"name":"a","weight":3,"steps":[{"to":"GET /ok"},{"to":"GET /ok"}]}' '{"name":"b","steps":[{"to":"GET /status/500"}]}'
	[ "$rc" = 1 ]
	[ "$(sed 1q out | jq -r 'keys_unsorted | join(" ")')" = 'scenario count failures p50_ms p95_ms p99_ms first_failure' ]
	[ "$(tail -n 1 out | jq -r 'keys_unsorted | join(" ")')" = 'scenarios total per_second classes classes_ok duration_s' ]
	jq -s -e '.[0].count + .[1].count == 8 and .[0].failures == 0 and .[1].failures == .[1].count and .[1].count > 0' out
	jq -s -e '.[2] == (.[2] + {scenarios: 8, total: (2 * .[0].count + .[1].count), classes: 2, classes_ok: 1})' out
	[ "$(sed -n 2p out | jq -r .first_failure)" = 'step 1, GET /status/500: status is 500, expected 2xx: {"ok":true}' ]
	jq -s -e '.[0].first_failure == null' out
}

@test "what is sent has the values of the variables, and is otherwise as written" {
	serve --log log
	mix '{"data":"rows","rows":[{"s":"a\"b/ü","n":1.50,"l":[1,{"x":null}]}]}' \
		'{"name":"a","draw":{"r":"rows"},"steps":[{"to":"POST /search","send":{"n":3},"take":{"ids":"results[*].id","name":"results[1].metadata.name","n":"results[0].metadata.n","tags":"results[*].metadata.tags[0]","one":"results[2]"}},{"to":"POST /echo/${r.s}?n=${n}","send":{"a" : "$ids","b":["$ids[1]","$r","$r.l[1].x"],"c":"<${name}> ${n} ${r.n}","d":0.10,"e":"$tags","f":"\u0024ids $ids","g":"$$ids","h":"$","i":"5 $","j":"$one.distance"},"expect":{"got.h":{"eq":"$"}}}]}'
	[ "$rc" = 0 ] || { cat out; return 1; }
	[ "$(tail -n 1 log | jq -r .path)" = '/echo/a%22b%2F%C3%BC?n=1.5' ]
	[ "$(tail -n 1 log | jq -r .body)" = '{"a" : ["w-0","w-1","w-2"],"b":["w-1",{"s":"a\"b/ü","n":1.50,"l":[1,{"x":null}]},null],"c":"<Ann \"w-1\"> 1.5 1.50","d":0.10,"e":["a","a","a"],"f":"\u0024ids $ids","g":"$$ids","h":"$","i":"5 $","j":0.25}' ]
}

# EXPECT | the words of the failure, or nothing; of the answer to {"n":3}
conditions() {
	cat <<-'END'
	{}|
	{"status":200}|
	{"status":201}|status is 200, expected 201: {"results": [{"id": "w-0"
	{"count":{"eq":3}}|
	{"count":{"eq":3.0}}|
	{"count":{"eq":30e-1,"ne":4,"min":3,"max":3}}|
	{"count":{"eq":4}}|count is 3, expected {"eq":4}
	{"count":{"eq":"3"}}|count is 3, expected {"eq":"3"}
	{"count":{"ne":3}}|count is 3, expected {"ne":3}
	{"count":{"min":3.5}}|count is 3, expected {"min":3.5}
	{"count":{"max":2}}|count is 3, expected {"max":2}
	{"results":{"min":3,"max":3}}|
	{"results":{"min":4}}|results is [{"id": "w-0"
	{"results[0].id":{"min":0}}|results[0].id is "w-0", expected {"min":0}
	{"results[0].metadata":{"eq":{"n":1.50,"tags":["a",1.0],"email":"w-0@x.org","name":"Ann \u0022w-0\u0022"}}}|
	{"results[0].metadata":{"eq":{"n":1.5}}}|results[0].metadata is {
	{"results[0].metadata.tags":{"eq":["a",1]}}|
	{"results[0].metadata.tags":{"eq":[1,"a"]}}|results[0].metadata.tags is ["a", 1], expected {"eq":[1,"a"]}
	{"results[*].id":{"matches":"^w-[0-2]$"}}|
	{"results[*].id":{"matches":"^w-[01]$"}}|results[*].id is "w-2", expected {"matches":"^w-[01]$"}
	{"results[1].metadata.name":{"matches":"^Ann \"w-1\"$"}}|
	{"results[*].id":{"none_of":["w-3",1]}}|
	{"results[*].id":{"none_of":["w-3","w-1"]}}|results[*].id is "w-1", expected {"none_of":["w-3","w-1"]}
	{"results[0].metadata.tags":{"none_of":["b",2]}}|
	{"results[0].metadata.tags":{"none_of":["b",1]}}|results[0].metadata.tags is ["a", 1], expected
	{"results[3].id":{"ne":1}}|results[3].id is not there
	{"results.id":{"ne":1}}|results.id is not there
	{"absent":{"ne":1}}|absent is not there
	{"absent[*]":{"ne":1}}|absent[*] is not there
	{"count[*]":{"ne":1}}|count[*] is not there
	{"none":{"eq":null}}|
	{"none":{"ne":null}}|none is null, expected {"ne":null}
	{"query":{"matches":"^n[a-z]+l$"}}|
	END
}

@test "each condition holds where it should, and fails in words where it does not" {
	serve
	n=0
	while IFS='|' read -r expect why; do
		mix "{\"name\":\"a\",\"steps\":[{\"to\":\"POST /search\",\"send\":{\"n\":3},\"expect\":$expect}]}"
		if [ -z "$why" ]; then
			[ "$rc" = 0 ] || { echo "$expect"; cat out; return 1; }
		else
			[ "$rc" = 1 ]
			[[ "$(sed 1q out | jq -r .first_failure)" == "step 1, POST /search: $why"* ]] || { echo "$expect"; cat out; return 1; }
		fi
		n=$((n + 1))
	done < <(conditions)
	[ "$n" = 33 ]
}

@test "operands may be variables, and a value that is not there fails the run" {
	serve
	take='{"to":"POST /search","send":{"n":3},"take":{"ids":"results[*].id","all":"results","n":"count"}}'
	next='{"to":"POST /search","send":{"n":3,"exclude_ids":"$ids"}'
	mix "{\"name\":\"a\",\"steps\":[$take,$next,\"expect\":{\"results[*].id\":{\"none_of\":\"\$ids\"},\"count\":{\"eq\":\"\$n\",\"max\":\"\$n\"},\"results[0].id\":{\"ne\":\"\${ids[0]}\"}}},{\"to\":\"POST /search\",\"send\":{\"n\":3},\"expect\":{\"results\":{\"same_as\":\"\$all\"}}}]}"
	[ "$rc" = 0 ] || { cat out; return 1; }
	mix "{\"name\":\"a\",\"steps\":[$take,$next,\"expect\":{\"results\":{\"same_as\":\"\$all\"}}}]}"
	[[ "$(sed 1q out | jq -r .first_failure)" == 'step 2, POST /search: results is [{"id": "w-3"'* ]]
	mix "{\"name\":\"a\",\"steps\":[$take,{\"to\":\"POST /search\",\"send\":{\"n\":3},\"expect\":{\"results[*].id\":{\"none_of\":\"\$ids\"}}}]}"
	[ "$(sed 1q out | jq -r .first_failure)" = 'step 2, POST /search: results[*].id is "w-0", expected {"none_of":["w-0","w-1","w-2"]}' ]
	mix "{\"name\":\"a\",\"steps\":[$take,{\"to\":\"POST /search\",\"send\":{\"n\":\"\$ids[3]\"}}]}"
	[ "$(sed 1q out | jq -r .first_failure)" = 'step 2, POST /search: $ids[3] is not there' ]
	mix "{\"name\":\"a\",\"steps\":[$take,{\"to\":\"POST /search\",\"send\":{\"q\":\"\${ids}\"}}]}"
	[ "$(sed 1q out | jq -r .first_failure)" = 'step 2, POST /search: ${ids} is not a text' ]
	mix '{"name":"a","steps":[{"to":"POST /search","send":{"n":0},"take":{"id":"results[0].id"}}]}'
	[ "$(sed 1q out | jq -r .first_failure)" = 'step 1, POST /search: take: results[0].id is not there' ]
	mix '{"name":"a","steps":[{"to":"GET /text","expect":{"a":{"eq":1}}}]}'
	[ "$(sed 1q out | jq -r .first_failure)" = 'step 1, GET /text: the answer is not JSON: plain' ]
	mix '{"name":"a","steps":[{"to":"GET /silent"},{"to":"GET /ok"}]}'
	[ "$(sed 1q out | jq -r .first_failure)" = 'step 1, GET /silent: closed before the answer' ]
	[ "$(tail -n 1 out | jq .total)" = 1 ]
}

@test "a file of scenarios that is wrong is exit 2 and says where" {
	serve --log log
	while IFS='|' read -r line why; do
		printf '%s\n' '{"data":"d","rows":[1]}' "$line" >bad.jsonl
		run -2 --separate-stderr lh-load mix bad.jsonl "$URL"
		[ "${stderr_lines[0]}" = "lh-load: bad.jsonl:2: $why" ] || { echo "$line: $stderr"; return 1; }
		[ -z "$output" ]
	done <<-'END'
	{"steps":[{"to":"GET /"}]}|missing "name" (string)
	{"name":"a"}|missing "steps" (array of objects)
	{"name":"a","steps":[]}|"steps" must not be empty
	{"name":"a","steps":[{"to":"GET /"}],"x":1}|unknown member "x"
	{"name":"a","weight":0,"steps":[{"to":"GET /"}]}|"weight" must be a number above 0 and at most 1e+09
	{"name":"a","steps":[{"send":{}}]}|missing steps[0].to (string)
	{"name":"a","steps":[{"to":"get /"}]}|steps[0]: "to" must be a route like "POST /v1/validate"
	{"name":"a","steps":[{"to":"GET v1"}]}|steps[0]: "to" must be a route like "POST /v1/validate"
	{"name":"a","steps":[{"to":"GET /a b"}]}|steps[0]: "to" has a byte that must be percent-encoded
	{"name":"a","steps":[{"to":"GET /"},{"to":"GET /${x}"}]}|steps[1]: "$x": there is no such variable here
	{"name":"a","steps":[{"to":"POST /","send":{"a":"$x"},"take":{"x":"a"}}]}|steps[0]: send: "$x": there is no such variable here
	{"name":"a","steps":[{"to":"POST /","send":{"a":"b ${x"}}]}|steps[0]: send: "${" without "}"
	{"name":"a","draw":{"x":"d"},"steps":[{"to":"POST /","send":{"a":"$x[*]"}}]}|steps[0]: send: "$x[*]": [*] is for take and expect
	{"name":"a","steps":[{"to":"GET /","take":{"a-b":"c"}}]}|steps[0]: take: "a-b" is not the name of a variable
	{"name":"a","steps":[{"to":"GET /","take":{"a":1}}]}|steps[0]: take: "a" must be a path
	{"name":"a","steps":[{"to":"GET /","take":{"a":"b..c"}}]}|steps[0]: take: "b..c" is not a path like results[0].id
	{"name":"a","steps":[{"to":"GET /","take":{"a":"b[x]"}}]}|steps[0]: take: "b[x]" is not a path like results[0].id
	{"name":"a","steps":[{"to":"GET /","take":{"a":"b[0"}}]}|steps[0]: take: "b[0" is not a path like results[0].id
	{"name":"a","steps":[{"to":"GET /","take":{"a":"b[0]c"}}]}|steps[0]: take: "b[0]c" is not a path like results[0].id
	{"name":"a","steps":[{"to":"GET /","expect":{"status":2.5}}]}|steps[0]: expect: "status" must be a whole number from 200 to 999
	{"name":"a","steps":[{"to":"GET /","expect":{"b":1}}]}|steps[0]: expect: "b" must be an object of conditions, like {"eq":1}
	{"name":"a","steps":[{"to":"GET /","expect":{"b":{"is":1}}}]}|steps[0]: expect: "b": unknown condition "is", not one of eq, ne, min, max, none_of, same_as, matches
	{"name":"a","steps":[{"to":"GET /","expect":{"b":{"min":"1"}}}]}|steps[0]: expect: "b": "min" must be a number
	{"name":"a","steps":[{"to":"GET /","expect":{"b":{"none_of":1}}}]}|steps[0]: expect: "b": "none_of" must be an array
	{"name":"a","steps":[{"to":"GET /","expect":{"b":{"matches":1}}}]}|steps[0]: expect: "b": "matches" must be a regular expression
	{"name":"a","steps":[{"to":"GET /","expect":{"b":{"matches":"["}}}]}|steps[0]: expect: "b": "matches": Invalid regular expression
	{"name":"a","draw":{"x":1},"steps":[{"to":"GET /"}]}|draw: "x" must be a string
	{"data":"d2"}|missing "rows" (array)
	{"data":"d2","rows":[]}|"rows" must not be empty
	END
	printf '%s\n' '{"name":"a","draw":{"x":"no"},"steps":[{"to":"GET /"}]}' >bad.jsonl
	run -2 --separate-stderr lh-load mix bad.jsonl "$URL"
	[ "$stderr" = 'lh-load: bad.jsonl: scenario "a" draws from data "no", which are not there' ]
	printf '%s\n' '{"name":"a","steps":[{"to":"GET /"}]}' '{"name":"a","steps":[{"to":"GET /"}]}' >bad.jsonl
	run -2 --separate-stderr lh-load mix bad.jsonl "$URL"
	[ "$stderr" = 'lh-load: bad.jsonl: two scenarios "a"' ]
	run -2 --separate-stderr lh-load mix /dev/null "$URL"
	[ "$stderr" = 'lh-load: /dev/null: no scenario' ]
	[ ! -e log ]
}

@test "the same seed runs the same scenarios over the same data, another one others" {
	serve --log log
	printf '%s\n' "{\"data\":\"d\",\"rows\":$(jq -nc '[range(50)]')}" '{"name":"a","weight":2,"draw":{"x":"d"},"steps":[{"to":"POST /echo/a","send":"$x"}]}' \
		'{"name":"b","weight":1,"draw":{"x":"d"},"steps":[{"to":"POST /echo/b","send":"$x"}]}' >seeds.jsonl
	runs() {
		rm -f log
		lh-load mix seeds.jsonl -q -n 100 -c 7 "$@" "$URL" >out
		jq -r '.path + " " + .body' log | sort
	}
	runs >first
	runs >second
	runs --seed 1 >third
	runs --seed 2 >other
	[ "$(wc -l <first)" = 100 ]
	cmp first second
	cmp first third
	run ! cmp -s first other
	# each row and each scenario are drawn
	[ "$(sort -u first | wc -l)" -gt 40 ]
}

@test "scenarios are drawn by their weights" {
	serve
	printf '%s\n' '{"name":"a","weight":35,"steps":[{"to":"GET /ok"}]}' '{"name":"b","weight":0.5,"steps":[{"to":"GET /ok"}]}' '{"name":"c","weight":14.5,"steps":[{"to":"GET /ok"}]}' >weights.jsonl
	lh-load mix weights.jsonl -q -n 10000 -c 8 --seed 5 "$URL" >out
	# four standard deviations: 7000 of 183, 100 of 40, 2900 of 182
	jq -s -e 'map(select(.scenario).count) | add == 10000 and (.[0] - 7000 | fabs) < 184 and (.[1] - 100 | fabs) < 41 and (.[2] - 2900 | fabs) < 183' out
}

@test "the path of the address comes before the routes, and the address before or after the file" {
	serve --log log
	echo '{"name":"a","steps":[{"to":"GET /x?y=1"}]}' >a.jsonl
	lh-load mix a.jsonl -q -n 1 --via http "$URL/_go" >out
	lh-load mix -q --via http "$URL/_go/" a.jsonl -n 1 >out
	[ "$(jq -r .path log | paste -sd' ')" = '/_go/x?y=1 /_go/x?y=1' ]
	lh-load mix -q -n 1 - "$URL" <a.jsonl >out
	[ "$(tail -n 1 log | jq -r .path)" = '/x?y=1' ]
}

# ---- mix over filters ----

# ways FILE - scenarios for routes whose filters need little state
ways() {
	cat >"$1" <<-'END'
	{"name":"judge","steps":[{"to":"POST /v1/validate","send":{"kind":"sms","artifact":{"to":"1","body":"Hi"}},"expect":{"findings":{"eq":[]}}}]}
	{"name":"embed","steps":[{"to":"POST /v1/embed","send":{"texts":["a","b"]},"take":{"v":"vectors[0]"}},{"to":"POST /v1/embed","send":{"texts":["a"]},"expect":{"vectors[0]":{"same_as":"$v"}}}]}
	{"name":"list","steps":[{"to":"GET /v1/matrix/corpora","take":{"name":"corpora[0].name"}},{"to":"GET /v1/vectors/index/${name}","expect":{"params.name":{"eq":"$name"},"length":{"eq":30}}},{"to":"GET /v1/vectors/index/no","expect":{"status":404}}]}
	{"name":"unknown kind","steps":[{"to":"POST /v1/validate","send":{"kind":"x","artifact":{}},"expect":{"status":400}}]}
	END
}

state() {
	mkdir -p state/index state/playbook state/log
	lh-gen workers -n 30 >state/roster.jsonl
	lh-index build state/index/workers.lhv state/roster.jsonl
}

@test "--via filters asks the filters of the routes, and judges as over HTTP" {
	state
	ways ways.jsonl
	lh-load mix ways.jsonl -q -n 300 -c 8 --via filters state >out
	jq -s -e '(.[:4] | all(.count > 40 and .failures == 0)) and .[4] == (.[4] + {scenarios: 300, classes: 4, classes_ok: 4})' out
	lh-load mix -q -n 3 -c 1 --via filters state ways.jsonl >out
}

@test "the bridge gives the same answers as its filters do" {
	state
	ways ways.jsonl
	lh-serve --no-audit-required --state state --listen 127.0.0.1:0 >access 2>err 3>&- &
	SERVERS+=($!)
	until_so grep -q 'listening on' err
	URL=$(sed -n 's/.*listening on //p' err)
	lh-load mix ways.jsonl -q -n 300 -c 8 --via http "$URL" >out
	jq -s -e '(.[:4] | all(.count > 40 and .failures == 0)) and .[4].classes_ok == 4' out
	until_so has_lines access "$(tail -n 1 out | jq .total)"
	[ "$(jq -s 'map(select(.route)) | length' access)" = "$(tail -n 1 out | jq .total)" ]
}

@test "--via filters: a route without a filter, a body that is not one, a filter that cannot run" {
	mkdir state
	via() {
		printf '%s\n' "$1" >one.jsonl
		rc=0
		patiently lh-load mix one.jsonl -q -n 2 -c 2 --via filters state >out || rc=$?
		[ "$rc" = 1 ]
		sed 1q out | jq -r .first_failure
	}
	[ "$(via '{"name":"a","steps":[{"to":"GET /health"}]}')" = 'step 1, GET /health: status is 404, expected 2xx: {"error":"no filter answers this route"}' ]
	[ "$(via '{"name":"a","steps":[{"to":"GET /no/../such"}]}' | cut -c1-40)" = 'step 1, GET /no/../such: status is 400, ' ]
	[ "$(via '{"name":"a","steps":[{"to":"POST /v1/validate"}]}' | cut -c1-40)" = 'step 1, POST /v1/validate: status is 400' ]
	[ "$(via '{"name":"a","steps":[{"to":"POST /v1/validate","send":[1]}]}' | cut -c1-40)" = 'step 1, POST /v1/validate: status is 400' ]
	echo '{' >state/roster.jsonl
	[ "$(via '{"name":"a","steps":[{"to":"POST /v1/validate","send":{"kind":"sms","artifact":{}}}]}')" = 'step 1, POST /v1/validate: the filter ended before it answered' ]
	for i in $(seq 10); do
		run -1 --separate-stderr patiently lh-load mix one.jsonl -n 2 -c 2 --via filters state
		[[ $stderr == *'lh-load: lh-validate['[01]'] ended with status 2: '*roster.jsonl* ]] ||
			{ echo "$stderr"; return 1; }
	done
}

# said_much PID NAME - a child of that name has written several answers
said_much() {
	local child
	for child in $(pgrep -P "$1" "$2"); do
		[ "$(sed -n 's/^wchar: //p' "/proc/$child/io")" -le 1000 ] || return 0
	done
	return 1
}

@test "no filter outlives a run over filters, whatever ends it" {
	state
	ways ways.jsonl
	(exec env --default-signal=INT lh-load mix ways.jsonl -q -c 2 -d 600 --via filters state >out 3>&- </dev/null) &
	pid=$!
	until_so said_much $pid lh-validate
	until_so said_much $pid lh-embed
	children=$(pgrep -P $pid)
	kill -INT $pid
	rc=0
	wait $pid || rc=$?
	[ "$rc" = 130 ]
	jq -s -e '.[4].scenarios > 0 and .[4].classes_ok > 0' out
	for child in $children; do
		until_so bash -c "! kill -0 $child 2>/dev/null"
	done
}

# ---- what ships ----

@test "the files in share/load are those that share/load/make writes" {
	mkdir made
	"$ROOT/share/load/make" made
	for file in made/*; do
		cmp "$file" "$ROOT/share/load/$(basename "$file")"
	done
	[ "$(ls made | wc -l)" = 4 ]
	[ "$(wc -l <"$ROOT/share/load/loadgen.jsonl")" = 6 ]
	[ "$(wc -l <"$ROOT/share/load/big.jsonl")" = 200 ]
	jq -e '.use_playbook == false and .corpora == ["workers"]' "$ROOT/share/load/loadgen.jsonl" "$ROOT/share/load/big.jsonl" >out
}

@test "multitier has its six classes by their shares" {
	[ "$(jq -c 'select(.steps) | [.name, .weight, (.steps | length)]' "$ROOT/share/load/multitier.jsonl" | paste -sd' ')" = \
		'["cold_search_email",35,2] ["surge_fill_validate",15,3] ["profile_swap",15,2] ["repeat_cache",15,5] ["sms_validate",10,1] ["playbook_record_replay",10,3]' ]
}

# The drafts of multitier, with the workers that the searches of 5,000 workers may find, as requests of
# lh-validate, which counts an SMS as the bridge does.
@test "each draft of multitier passes over the roster, for every row that it may be drawn with" {
	lh-gen workers -n "$(scale 5000 100000)" >roster.jsonl
	jq -nc --slurpfile set "$ROOT/share/load/multitier.jsonl" --slurpfile roster roster.jsonl '
		def fill($v): walk(if type != "string" then .
			elif test("^\\$[a-z]") then . as $s | $v[.[1:]] // error($s)
			else gsub("\\$\\{(?<n>[a-z.]+)\\}"; $v[.n] // error(.n)) end);
		def rows($n): $set[] | select(.data == $n).rows[];
		def draft($n): $set[] | select(.name == $n).steps[] | select(.to == "POST /v1/validate").send;
		($roster | map(select(.status == "active")) | group_by([.role, .city, .state])
			| map({key: (.[0] | [.role, .city, .state] | join("|")), value: .}) | from_entries) as $active |
		(rows("people") as $p | draft("sms_validate") | fill({"person.phone": $p.phone, "person.name": $p.name, "person.candidate_id": $p.candidate_id})),
		(rows("demand") as $d | {"need.role": $d.role, "need.city": $d.city, "need.state": $d.state} as $need |
			$active[[$d.role, $d.city, $d.state] | join("|")] as $w |
			($w[] | . as $one | draft("cold_search_email") | fill($need + {id: $one.candidate_id, name: $one.name, email: $one.email})),
			(draft("surge_fill_validate") | fill($need + ([0, 1, 2] | map({("ids[\(.)]"): $w[.].candidate_id, ("names[\(.)]"): $w[.].name}) | add))))' >drafts.jsonl
	[ "$(wc -l <drafts.jsonl)" -gt 1000 ]
	lh-validate --sms-length chars --roster roster.jsonl drafts.jsonl | jq -c 'select(.verdict.status != 200 or .verdict.report.findings != [])' >bad
	[ ! -s bad ] || { head -n 3 bad; return 1; }
}

# served - a state of 5,000 workers, and URL: a server over it
served() {
	mkdir -p state/index
	lh-gen workers -n "$(scale 5000 100000)" >state/roster.jsonl
	lh-index build -q state/index/workers.lhv state/roster.jsonl
	lh-serve --no-audit-required --state state --listen 127.0.0.1:0 >access 2>err 3>&- &
	SERVERS+=($!)
	until_so grep -q 'listening on' err
	URL=$(sed -n 's/.*listening on //p' err)
}

# all_good FILE - all six scenarios ran, without a failure
all_good() {
	jq -s -e 'length == 7 and (.[:6] | all(.count > 0 and .failures == 0)) and .[6].classes_ok == 6' "$1" >/dev/null || { cat "$1"; return 1; }
}

# bats test_tags=full
@test "the sets that ship run over the bridge, and multitier over its filters, without a failure" {
	plain_only "an index of 5,000 workers"
	served
	lh-load -q -c 4 -n 60 "$URL/v1/matrix/search" <"$ROOT/share/load/loadgen.jsonl" >out
	"$ROOT/share/load/big" "$URL" 0.2 >out 2>table
	[ "$(jq -s -c 'map(.concurrency) | sort' out)" = '[10,50,60,60,100,200]' ]
	jq -s -e 'map(.by_status == {"200": .total} and .total > 0) | all' out
	lh-load mix "$ROOT/share/load/multitier.jsonl" -q -c 20 -n "$(scale 300 30000)" --via http "$URL" >out
	all_good out
	stop_upstreams
	lh-load mix "$ROOT/share/load/multitier.jsonl" -q -c 20 -n "$(scale 300 30000)" --seed 2 --via filters state >out
	all_good out
}
