# lh-observe push: rows at an OTLP collector, and at Langfuse as one, once each, whatever happens.
load ../helper

setup() {
	load ../servers/server
	cd "$BATS_TEST_TMPDIR" || return
	export LANGFUSE_PUBLIC_KEY=pk-lf-public LANGFUSE_SECRET_KEY=sk-lf-secret
}

teardown() {
	stop_upstreams
	faults_happened
}

# serve [OPTION]... - an observed.py; LANGFUSE_URL is its address.
serve() {
	start_server observed.py --key pk-lf-public:sk-lf-secret --log asked --events events "$@"
	export LANGFUSE_URL=$URL
}

# session ID VERDICT... - a session row with an attempt of each verdict.
session() {
	jq -nc '$ARGS.positional as [$id, $last] | {schema: "session.iterate.v1", session_id: $id, timestamp: "2026-05-03T12:00:09.000Z",
		daemon: "lh-iterate", kind: "fill", model: "qwen3:8b", provider: "ollama", prompt: "Fill \"it\"\n\u0001é",
		iterations: ($ARGS.positional | length - 1), max_iterations: 5, final_verdict: $ARGS.positional[-1],
		attempts: [$ARGS.positional[1:] | to_entries[] | {iteration: .key, verdict_kind: .value} + (if .value == "accepted" then {} else {error: "is \(.value)"} end)],
		artifact: {a: 1.50}, grounded_in_roster: null, duration_ms: 9000}' --args -- "$@"
}

# some_rows N - N operations of every kind.
some_rows() {
	local i
	for ((i = 0; i < $1; i++)); do
		case $((i % 4)) in
		0) echo '{"endpoint":"op '$i'","duration_ms":1.5,"input_summary":"i\ud83d\ude00","output_summary":"o","body":"secret '$i'"}' ;;
		1) echo '{"endpoint":"op '$i'","source":"scenario","error":"no \"'$i'\"","trace_id":"t\r'$((i / 8))'"}' ;;
		2) echo '{"time":"2026-05-03T12:00:00.5Z","trace_id":"00000000000000000000000000000a'$((10 + i % 80))'","route":"GET /op '$i'","status":'$((200 + i % 3 * 150))',"queue_ms":1,"filter_ms":2}' ;;
		3) session "s$i" no_json validation_failed accepted ;;
		esac
	done | lh-observe record --now 2026-05-03T12:00:00Z log >/dev/null
}

# expected N - the names of the traces and spans of some_rows N.
expected() {
	local i
	for ((i = 0; i < $1; i++)); do
		case $((i % 4)) in
		0 | 1) echo "op $i" ;;
		2) echo "GET /op $i" ;;
		3) printf 'iterate.%s\n' session 'attempt[0]' 'attempt[1]' 'attempt[2]' ;;
		esac
	done | LC_ALL=C sort
}

# spans - the names of the spans that arrived.
spans() {
	jq -r .name events | LC_ALL=C sort
}

# all_arrived N - every row is there, none twice, and no payload had a fault.
all_arrived() {
	alike <(spans) <(expected "$1")
	[ "$(jq -r .spanId events | sort | uniq -d)" = "" ]
	jq -s -e 'all(.[]; .faults == [])' asked >/dev/null
}

# bats test_tags=full
@test "every row arrives once, in payloads that the published schema takes" {
	serve
	some_rows 250
	[ "$(lh-observe push log | jq -c '[.sent, .rejected]')" = '[250,0]' ]
	all_arrived 250
	[ "$(jq -r .path asked | sort | uniq -c | xargs)" = "3 /api/public/otel/v1/traces" ]
	[ "$(lh-observe push log | jq .sent)" = 0 ]
	[ "$(wc -l <asked)" = 3 ]
	some_rows 1
	[ "$(lh-observe push log | jq .sent)" = 1 ]
	[ "$(stat -c %a log.cursor)" = 600 ]
	[ ! -e log.cursor.lock ]
}

@test "failures are tried again: statuses, a lost answer, Retry-After" {
	serve --answers '500,429+1,503,lost,ok'
	some_rows 20
	lh-observe push -q --retries 4 log
	all_arrived 20
	[ "$(jq .status asked | paste -sd' ')" = "500 429 503 200 200" ]
}

@test "a server that is gone, refuses the keys, or answers something else: exit 2, and nothing is lost" {
	some_rows 4
	LANGFUSE_URL=http://127.0.0.1:1 run -2 --separate-stderr lh-observe push --retries 0 log
	[[ $stderr == *"http://127.0.0.1:1/api/public/otel/v1/traces: "* ]]
	serve --answers 'html,404,stall'
	LANGFUSE_SECRET_KEY=sk-lf-wrong run -2 --separate-stderr lh-observe push log
	[[ $stderr == *"HTTP 401"* ]]
	run -2 --separate-stderr lh-observe push log
	[[ $stderr == *"HTTP 404"* ]]
	run -2 --separate-stderr lh-observe push --timeout 0.2 --retries 0 log
	[[ $stderr == *"no whole answer within 0.2 s"* ]]
	until_so has_lines asked 3
	[ ! -e log.cursor ]
	[ "$(lh-observe push log | jq .sent)" = 4 ]
	all_arrived 4
}

@test "no key is in argv, in a message, or in the cursor, also when the server repeats it" {
	serve --answers partial:1
	some_rows 2
	lh-observe push --retries 0 -v log >out 2>err || [ $? = 1 ]
	LANGFUSE_SECRET_KEY=sk-lf-wrong lh-observe push --restart -v log >>out 2>>err || [ $? = 2 ]
	[ -s err ]
	for key in sk-lf-secret sk-lf-wrong "$(printf %s pk-lf-public:sk-lf-secret | base64)" "$(printf %s pk-lf-public:sk-lf-wrong | base64)"; do
		! grep -qF "$key" out err log.cursor || { echo "$key"; cat err; return 1; }
	done
	LANGFUSE_SECRET_KEY=$'a\nb' run -2 --separate-stderr lh-observe push log
	[[ $stderr == *"LANGFUSE_SECRET_KEY: holds white space"* ]]
	for name in LANGFUSE_URL LANGFUSE_PUBLIC_KEY LANGFUSE_SECRET_KEY; do
		run -2 --separate-stderr env -u $name lh-observe push log
		[[ $stderr == *"$name is not set"* ]]
	done
	LANGFUSE_URL=http://a:b@127.0.0.1 run -2 --separate-stderr lh-observe push log
	not grep -q 'a:b' <<<"$stderr"
}

@test "requests stay below --batch-size, rows too large for it are rejected, and 413 divides a request" {
	serve --most 9000 --payloads payloads
	mkdir payloads
	some_rows 100
	printf '{"timestamp":"2026-05-03T12:00:00Z","endpoint":"big","input_summary":"%030000d"}\n' 0 >>log
	run -1 --separate-stderr lh-observe push --batch-size 24K log
	[ "$(jq -c '[.sent, .rejected]' <<<"$output")" = '[100,1]' ]
	[[ $stderr == *"log:101: larger than --batch-size"* ]]
	all_arrived 100
	jq -s -e 'any(.[]; .status == 413)' asked >/dev/null
	[ -z "$(find payloads -size +24k)" ]
}

@test "lines that are not rows are skipped, reported and counted" {
	serve
	{
		echo no
		echo '{"timestamp":"2026-05-03T12:00:00Z","endpoint":"e"}'
		echo
		echo '{"endpoint":"at no time"}'
		echo '{"schema":"session.iterate.v1","timestamp":"2026-05-03T12:00:00Z","final_verdict":"accepted"}'
		printf '{"endpoint":"torn'
	} >log
	run -0 --separate-stderr lh-observe push log
	[ "$(jq -c '[.sent, .skipped]' <<<"$output")" = '[1,3]' ]
	[[ $stderr == *'byte 0: '*'byte 56: the timestamp is not an RFC 3339 time'*'missing "session_id"'*'3 lines of the log skipped'* ]]
	printf '"}\n' >>log
	[ "$(lh-observe push log 2>/dev/null | jq -c '[.sent, .skipped]')" = '[0,1]' ]
}

@test "a log that was replaced or truncated below the cursor is refused, and --restart sends it" {
	serve
	some_rows 4
	lh-observe push -q log
	mv log old
	run -2 --separate-stderr lh-observe push log
	[[ $stderr == *"log: was replaced or truncated: what log.cursor describes, "*" bytes, is not in it; --restart begins at its start"* ]]
	some_rows 5
	sed -i 1d log
	run -2 --separate-stderr lh-observe push log
	[[ $stderr == *"was replaced or truncated"* ]]
	[ "$(lh-observe push --cursor log.cursor old | jq .sent)" = 0 ]
	[ "$(lh-observe push --restart log | jq .sent)" = 4 ]
	[ "$(lh-observe push log | jq .sent)" = 0 ]
	echo '{}' >bad
	run -2 --separate-stderr lh-observe push --cursor bad log
	[[ $stderr == *'bad: is not '*': give another name, or --force' ]]
	run -2 --separate-stderr lh-observe push --force --cursor bad log
	[[ $stderr == *'bad: missing "schema"'* ]]
	run -2 --separate-stderr lh-observe push --otlp "$URL" --cursor log.cursor log
	[[ $stderr == *"log.cursor: is the cursor of another service: langfuse"* ]]
}

# ---- kills ----

# bats test_tags=full
@test "killed at any call that writes, syncs or renames: nothing is lost, and nothing comes twice" {
	needs_strace
	local call n at
	serve
	some_rows 24
	for at in fsync:1 fsync:2 fsync:4 rename:1 rename:2 rename:3 sendto:1 sendto:2 pread64:2 unlink:1; do
		rm -f log.cursor*
		inject ${at%:*}:signal=KILL:when=${at#*:} lh-observe push -q --batch 8 log >/dev/null 2>&1 || [ $? = 137 ]
		injected
		lh-observe push -q --batch 8 log >/dev/null
		[ "$(spans | wc -l)" = "$(expected 24 | wc -l)" ] || { echo "$at"; return 1; }
		no_litter
	done
	all_arrived 24
}

# ---- OTLP ----

@test "every row is a span at an OTLP collector, with the ids of its trace, in payloads that its schema takes" {
	serve
	some_rows 50
	[ "$(lh-observe push --otlp "$URL/" log | jq -c '[.sent, .rejected]')" = '[50,0]' ]
	jq -s -e 'all(.[]; .faults == [] and .path == "/v1/traces")' asked >/dev/null
	alike <(spans) <(expected 50)
	[ "$(jq -r '.spanId' events | sort | uniq -d)" = "" ]
	jq -s -e 'map(select(.name == "GET /op 2"))[0] | .kind == 1 and .traceId == "00000000000000000000000000000a12" and .status == {code: 2}
		and .startTimeUnixNano == "1777809600497000000" and .endTimeUnixNano == "1777809600500000000"' events
	jq -s -e 'map(select(.name == "op 1"))[0] | .status == {code: 2, message: "no \"1\""}' events
	jq -s -e '(map(select(.name == "iterate.session"))[0]) as $s | map(select(.parentSpanId == $s.spanId)) |
		length == 3 and all(.[]; .traceId == $s.traceId) and map(.status.code) == [2, 2, 1]' events
	[ -e log.otlp.cursor ]
	[ ! -e log.cursor ]
	not grep -q secret events
	[ "$(lh-observe push --otlp "$URL" log | jq .sent)" = 0 ]
	[ "$(lh-observe push log | jq .sent)" = 50 ]
}

@test "an OTLP collector's partial success is reported and not tried again; its token is sent to it alone" {
	export LH_OTLP_TOKEN=token-of-otlp
	serve --token token-of-otlp --answers 'partial:0,partial:2,empty,503,html'
	some_rows 4
	run -2 --separate-stderr lh-observe push --batch 1 --retries 1 --otlp "$URL" log
	[[ $stderr == *"0 spans rejected: too many"*"2 spans rejected: too many"*"not an answer of an OTLP server"* ]]
	[ "$(jq .line log.otlp.cursor)" = 3 ]
	[ "$(jq .status asked | paste -sd' ')" = "200 200 200 503 200" ]
	not grep -q token-of-otlp <<<"$stderr"
	[ "$(lh-observe push --otlp "$URL" log | jq .sent)" = 1 ]
}

# ---- answers that are not what they should be ----

@test "whatever a server answers, the run ends, and the cursor is only after rows that were taken" {
	some_rows 1
	cat >answers.py <<-'END'
	import http.server
	answers = [b"[]", b"null", b'{"partialSuccess":[]}', b'{"partialSuccess":{"rejectedSpans":{}}}', b'{"partialSuccess":{"errorMessage":5}}',
	    b"[" * 100000, b'{"partialSuccess":"\xff"}', b"x" * (17 << 20)]
	class H(http.server.BaseHTTPRequestHandler):
	    protocol_version = "HTTP/1.1"
	    def log_message(self, *a): pass
	    def do_POST(self):
	        self.rfile.read(int(self.headers["Content-Length"]))
	        body = answers.pop(0) if answers else b'{"partialSuccess":{"rejectedSpans":"1e99","errorMessage":"\\u001b[31m"}}'
	        self.send_response(200)
	        self.send_header("Content-Length", str(len(body)))
	        self.end_headers()
	        self.wfile.write(body)
	s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
	print(s.server_port, flush=True)
	s.serve_forever()
	END
	python3 -B answers.py >port 3>&- &
	SERVERS+=($!)
	until_so [ -s port ]
	export LANGFUSE_URL=http://127.0.0.1:$(cat port)
	for i in {1..8}; do
		run -2 --separate-stderr patiently lh-observe push --retries 0 log
		[ -n "$stderr" ]
		[ ! -e log.cursor ]
	done
	run --separate-stderr lh-observe push --retries 0 log
	[[ $status != 2 && $stderr == *'spans rejected: '* && $stderr != *$'\e'* ]] || { echo "$status $stderr"; return 1; }
	[ "$(jq .line log.cursor)" = 1 ]
}

# ---- the units ----
