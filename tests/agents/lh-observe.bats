# lh-observe: rows, what makes them, counts over the newest, and reading a log that grows.
# bats file_tags=quick
load ../helper
load ../coproc

NOW="--now 2026-05-03T12:00:00Z"
T=2026-05-03T12:00:00.000Z
SESSION='{"schema":"session.iterate.v1","session_id":"s1","timestamp":"2026-05-03T12:00:00.000Z","daemon":"d","kind":"fill","model":"m","provider":"p","prompt":"q","iterations":1,"max_iterations":3,"final_verdict":"accepted","attempts":[{"iteration":0,"verdict_kind":"accepted"}],"grounded_in_roster":null,"duration_ms":7}'

# record LOG JSON... - an event each.
record() {
	printf '%s\n' "${@:2}" | lh-observe record $NOW "$1"
}

# ---- record ----

@test "record prints each row as it is stored: known members first, others after them as written" {
	record log '{"x":{"a": 1.0},"endpoint":"search","duration_ms":12.50,"\u0079":"\u0079","input_summary":"i","output_summary":"o"}' \
		'{"endpoint":"e","timestamp":"2026-01-01T00:00:00+02:00","source":"scenario","success":false,"error":"because"}' >out
	diff out - <<-END
	{"timestamp":"$T","source":"mcp","endpoint":"search","input_summary":"i","success":true,"duration_ms":12.50,"output_summary":"o","x":{"a": 1.0},"\u0079":"\u0079"}
	{"timestamp":"2026-01-01T00:00:00+02:00","source":"scenario","endpoint":"e","success":false,"error":"because"}
	END
	diff out log
	[ "$(stat -c %a log)" = 600 ]
}

@test "a member op is kept like any unknown one, except in a request, which it names" {
	session=${SESSION%\}},\"op\":\"s\"}
	record log '{"endpoint":"e","op":"a"}' '{"time":"'$T'","route":"GET /x","status":200,"op":"b"}' "$session" | jq -r .op | paste -sd' ' | grep -qx 'a b s'
	lh-observe inbox log <<<'{"type":"sms","body":"b","op":"c"}' | jq -e '.op == "c"'
	lh-observe requests log <<<'{"op":"event","endpoint":"e"}' | jq -e 'has("op") | not'
	[ "$(jq -r '.op // "-"' log | paste -sd' ')" = "a b s c -" ]
}

@test "success is true unless said otherwise, or an error has a text" {
	record log '{"endpoint":"e"}' '{"endpoint":"e","error":"x"}' '{"endpoint":"e","error":""}' '{"endpoint":"e","error":null,"success":null}' \
		'{"endpoint":"e","error":"x","success":true}' '{"endpoint":"e","success":false}' | jq -c .success >out
	[ "$(paste -sd' ' out)" = "true false true true true false" ]
}

@test "--source is the source of events that name none" {
	[ "$(printf '%s\n' '{"endpoint":"e"}' '{"endpoint":"e","source":"x"}' '{"endpoint":"e","source":""}' | lh-observe record --source me log | jq -r .source | paste -sd' ')" = "me x me" ]
	access='{"time":"2026-01-02T03:04:05.678Z","trace_id":"t","request_id":"r","remote":"127.0.0.1:1","token":null,"route":"GET /x","status":200,"queue_ms":0.1,"filter_ms":0.2,"bytes_in":0,"bytes_out":2}'
	[ "$(printf '%s\n' "$access" "$access" | jq -c 'if input_line_number > 1 then .source = "x" else . end' |
		lh-observe record --source gateway log | jq -r .source | paste -sd' ')" = "gateway x" ]
	run -2 lh-observe record --source '' log
}

@test "an access record of lh-serve is taken as it is: its route, its status, its time" {
	record log '{"time":"2026-01-02T03:04:05.678Z","trace_id":"t","request_id":"r","remote":"127.0.0.1:1","token":null,"route":"GET /x","status":399,"queue_ms":0.1,"filter_ms":0.2,"bytes_in":0,"bytes_out":2}' \
		'{"time":"2026-01-02T03:04:05.678Z","route":null,"status":400}' >out
	diff out - <<-END
	{"timestamp":"2026-01-02T03:04:05.678Z","source":"mcp","endpoint":"GET /x","success":true,"duration_ms":0.3,"time":"2026-01-02T03:04:05.678Z","trace_id":"t","request_id":"r","remote":"127.0.0.1:1","token":null,"route":"GET /x","status":399,"queue_ms":0.1,"filter_ms":0.2,"bytes_in":0,"bytes_out":2}
	{"timestamp":"2026-01-02T03:04:05.678Z","source":"mcp","endpoint":"(none)","success":false,"time":"2026-01-02T03:04:05.678Z","route":null,"status":400}
	END
	lh-observe record log <<<'{"time":"2026-01-02T03:04:05.678Z","route":"GET /y","status":200,"queue_ms":1e15,"filter_ms":1e15}'
	lh-observe stats log | jq -e '.total == 3'
}

@test "what lh-serve logs is recorded without a rejection" {
	load ../servers/serve
	start_serve
	curl -s "$URL/health" -o /dev/null
	curl -s "$URL/none" -o /dev/null
	end_serve
	grep -v '^lh-' "$SERVE_LOG" >access.jsonl
	[ "$(lh-observe record seen access.jsonl | jq -c '[.endpoint, .success]' | LC_ALL=C sort | paste -sd' ')" = '["(none)",false] ["GET /health",true]' ]
}

@test "a session row is stored unchanged" {
	[ "$(record log "$SESSION")" = "$SESSION" ]
	[ "$(cat log)" = "$SESSION" ]
}

# ---- inbox ----

@test "inbox keeps a message, its lines without CR and LF, and nothing past 256 characters" {
	python3 - >in <<-'END'
	import json
	print(json.dumps({"type": "email", "sender": "a\r\nBcc: b\n", "subject": "é" * 300, "body": "x\r\ny", "priority": "urgent", "tag": "\n" + "t" * 256 + "\r\n", "more": 1}))
	print(json.dumps({"type": "sms", "body": "é" * 4096, "priority": "", "endpoint": "mine", "source": "mine", "success": False}))
	END
	lh-observe inbox $NOW log in >out
	diff out log
	jq -s -e --arg t "$T" '.[0] == {timestamp: $t, source: "inbox", endpoint: "inbox.email", success: true, type: "email",
		sender: "aBcc: b", subject: ("é" * 256), body: "x\r\ny", priority: "urgent", tag: ("t" * 256), more: 1} and
		.[1] == {timestamp: $t, source: "inbox", endpoint: "inbox.sms", success: true, type: "sms",
		sender: "", subject: "", body: ("é" * 4096), priority: "medium"}' out
}

@test "inbox refuses another type, no body, a body over 8 KiB and an unknown priority, each with its code" {
	python3 - >in <<-'END'
	import json
	for m in ({"type": "fax", "body": "b"}, {"body": "b"}, {"type": "sms"}, {"type": "sms", "body": ""}, {"type": "sms", "body": "b" * 8193},
	          {"type": "sms", "body": "é" * 4097}, {"type": "sms", "body": "b", "priority": "now"}, {"type": "sms", "body": "b" * 8192}):
	    print(json.dumps(m))
	END
	run -1 --separate-stderr lh-observe inbox --on-error emit log in
	[ "$(jq -c '.error.code' <<<"$output" | paste -sd' ')" = "400 400 400 400 413 413 400 null" ]
	[ "$(wc -l <log)" = 1 ]
}

# ---- stats ----

@test "of a log that does not exist all counts are zero, and it is not made" {
	[ "$(lh-observe stats --by endpoint log)" = '{"total":0,"successes":0,"failures":0,"by_source":{},"recent_scenario_ops":[],"by_endpoint":{}}' ]
	[ ! -e log ]
	: >log
	[ "$(lh-observe stats log)" = '{"total":0,"successes":0,"failures":0,"by_source":{},"recent_scenario_ops":[]}' ]
}

# model WINDOW LOG - the counts by another program.
model() {
	python3 - "$@" <<-'END'
	import json, math, sys
	rows = []
	for raw in open(sys.argv[2], "rb").read().split(b"\n"):
	    try:
	        row = json.loads(raw)
	    except ValueError:
	        continue
	    if not isinstance(row, dict):
	        continue
	    if row.get("schema") == "session.iterate.v1":
	        rows.append((row, "iterate", "iterate.session", row["final_verdict"] == "accepted", row.get("duration_ms")))
	    elif "endpoint" not in row and {"time", "route", "status"} <= set(row):
	        rows.append((row, row.get("source") or "mcp", row["route"] or "(none)", row["status"] < 400, round(row["queue_ms"] + row["filter_ms"], 3)))
	    elif isinstance(row.get("endpoint"), str) and row["endpoint"]:
	        good = row["success"] if row.get("success") is not None else not row.get("error")
	        rows.append((row, row.get("source") or "mcp", row["endpoint"], good, row.get("duration_ms")))
	if sys.argv[1] != "all":
	    rows = rows[-int(sys.argv[1]):]
	good = sum(r[3] for r in rows)
	sources, endpoints = {}, {}
	for row, source, endpoint, ok, ms in rows:
	    sources[source] = sources.get(source, 0) + 1
	    endpoints.setdefault(endpoint, []).append((ok, ms))
	def ranks(group):
	    ms = sorted(m for ok, m in group if m is not None)
	    out = {"total": len(group), "successes": sum(ok for ok, m in group), "failures": sum(not ok for ok, m in group)}
	    for p in (50, 95, 99):
	        out["p%d" % p] = next((m for m in ms if sum(x <= m for x in ms) * 100 >= p * len(ms)), None) if len(ms) < 200 else ms[math.ceil(p * len(ms) / 100) - 1]
	    return out
	print(json.dumps({"total": len(rows), "successes": good, "failures": len(rows) - good, "by_source": sources,
	    "recent_scenario_ops": [r[0] for r in rows if r[1] == "scenario"][:-11:-1],
	    "by_endpoint": {e: ranks(g) for e, g in endpoints.items()}}))
	END
}

# rows N SEED - lines of a log: rows of every kind, and some that are none.
rows() {
	python3 - "$@" <<-'END'
	import json, random, sys
	draw = random.Random(int(sys.argv[2]))
	names = ["search", "sql", "ä\"", "", "x" * 300, "GET /a"]
	for i in range(int(sys.argv[1])):
	    kind = draw.random()
	    if kind < 0.05:
	        print(draw.choice(["{", "null", "[1]", "", "  ", '{"endpoint":""}', '{"a":1,"a":2,"endpoint":"e"}', '{"endpoint":5}', "x" * draw.randint(1, 3000)]))
	        continue
	    if kind < 0.15:
	        row = {"schema": "session.iterate.v1", "timestamp": "t", "final_verdict": draw.choice(["accepted", "infra_error"]), "duration_ms": draw.randint(0, 9)}
	    elif kind < 0.3:
	        row = {"time": "t", "route": draw.choice([None, "GET /a"]), "status": draw.choice([200, 399, 400, 502]), "queue_ms": draw.randint(0, 5000) / 1000, "filter_ms": draw.randint(0, 9000) / 1000}
	    else:
	        row = {"endpoint": draw.choice(names) or "e", "pad": "é" * draw.choice([0, 1, 50, 2000])}
	        if draw.random() < 0.6: row["source"] = draw.choice(["mcp", "scenario", "workflow", "inbox", "langfuse", "other", ""])
	        if draw.random() < 0.5: row["success"] = draw.choice([True, False, None])
	        if draw.random() < 0.4: row["error"] = draw.choice(["", "bad", None])
	        if draw.random() < 0.8: row["duration_ms"] = draw.choice([0, 1.5, draw.random() * 1000, draw.randint(0, 10**6)])
	    print(json.dumps(row, ensure_ascii=draw.random() < 0.5))
	END
}

# bats test_tags=full
@test "stats is what a second program counts, for logs of any rows and every window" {
	local seed window
	for seed in 1 2 3; do
		{ grep -v '"a":1,"a":2' <(rows 3000 $seed); printf '{"endpoint":"torn'; } >log
		for window in 1 7 2000 all; do
			alike <(lh-observe stats -q --window $window --by endpoint log 2>/dev/null | jq -S .) <(model $window log | jq -S .) || { echo "seed $seed, window $window"; return 1; }
		done
		alike <(lh-observe stats -q log 2>/dev/null | jq -S .) <(model 2000 log | jq -S 'del(.by_endpoint)')
	done
}

@test "lines that are not rows are reported with their offsets, and counted" {
	printf '%s\n' '{"endpoint":"a"}' 'no' '{"endpoint":""}' '' '{"endpoint":"b"}' >log
	run -0 --separate-stderr lh-observe stats log
	[ "$(jq .total <<<"$output")" = 2 ]
	[ "$(sort <<<"$stderr")" = 'lh-observe: log: 2 lines of the log skipped
lh-observe: log: byte 17: expected a value
lh-observe: log: byte 20: "endpoint" must not be empty' ] || { echo "$stderr"; return 1; }
}

@test "a window is counted in rows: lines that are none do not take a place in it" {
	{ record log '{"endpoint":"old"}' '{"endpoint":"a"}'; } >/dev/null
	repeat 5000 'x' >>log
	record log '{"endpoint":"b"}' >/dev/null
	[ "$(lh-observe stats --window 2 --by endpoint log 2>/dev/null | jq -c '.by_endpoint | keys')" = '["a","b"]' ]
}

@test "a window is a number from 1, or all" {
	local bad
	: >log
	for bad in 0 -1 x 1.5 ' 1' 99999999999999999999999; do
		run -2 --separate-stderr lh-observe stats --window "$bad" log
		[[ $stderr == *'--window: "'*'" is neither a number from 1 nor "all"'* ]]
	done
	run -2 lh-observe stats --by source log
}

@test "lines over --max-line are skipped wherever they are in the log" {
	{
		echo '{"endpoint":"a"}'
		stretch 700000 x
		echo
		echo '{"endpoint":"b"}'
	} >log
	run -0 --separate-stderr lh-observe stats --max-line 1000 log
	[ "$(jq .total <<<"$output")" = 2 ]
	[[ $stderr == *"byte 17: the line is longer than --max-line"* ]]
	[ "$(lh-observe tail --max-line 1000 log 2>/dev/null | jq -r .endpoint | paste -sd' ')" = "a b" ]
}

# ---- tail ----

# good LOG N - the last N rows, by another program.
good() {
	python3 - "$@" <<-'END'
	import json, sys
	good = []
	for raw in open(sys.argv[1], "rb").read().split(b"\n"):
	    try:
	        row = json.loads(raw)
	    except ValueError:
	        continue
	    if isinstance(row, dict) and (row.get("schema") or "route" in row or isinstance(row.get("endpoint"), str) and row["endpoint"]):
	        good.append(raw + b"\n")
	n = int(sys.argv[2])
	sys.stdout.buffer.write(b"".join(good[-n:] if n else []))
	END
}

@test "tail prints the last rows as they are, in their order" {
	{ grep -v '"a":1,"a":2' <(rows 2000 4); printf '{"endpoint":"last" ,"b":[ ]}'; } >log
	for n in 1 2 50 5000; do
		alike <(lh-observe tail -q -n $n log 2>/dev/null) <(good log $n)
	done
	[ -z "$(lh-observe tail -n 0 log 2>/dev/null)" ]
	[ "$(lh-observe tail -q log 2>/dev/null | wc -l)" = 10 ]
	[ -z "$(lh-observe tail none)" ]
}

# has_rows N - the file seen has N lines.
has_rows() {
	[ "$(wc -l <seen)" = "$1" ]
}

# bytes_read PID - how many that process has read so far.
bytes_read() {
	sed -n 's/^rchar: //p' "/proc/$1/io"
}

@test "tail -f goes on with what is appended, also after the log is renamed, or truncated" {
	record log '{"endpoint":"a"}' '{"endpoint":"b"}' >/dev/null
	lh-observe tail -n 1 -f log >seen 2>err 3>&- &
	pid=$!
	until_so has_rows 1
	record log '{"endpoint":"c"}' >/dev/null
	until_so has_rows 2
	before=$(bytes_read $pid)
	printf '{"endpoint":' >>log
	until_so eval '[ "$(bytes_read $pid)" -ge $((before + 12)) ]'
	printf '"half"}\n' >>log
	until_so has_rows 3
	mv log old
	record log '{"endpoint":"d","pad":"which makes it longer than the next"}' >/dev/null
	until_so has_rows 4
	: >log
	record log '{"endpoint":"e"}' >/dev/null
	until_so has_rows 5
	kill $pid
	wait $pid || [ $? = 143 ]
	[ "$(jq -r .endpoint seen | paste -sd' ')" = "b c half d e" ]
	grep -q 'log: was replaced or truncated; from its beginning' err
}

# ---- the log ----

@test "an incomplete last line stays as it is, and the next row begins on a line of its own" {
	printf '{"endpoint":"torn' >log
	run -0 --separate-stderr lh-observe record $NOW log <<<'{"endpoint":"a"}'
	[ "$stderr" = "lh-observe: log: an incomplete line at byte 0" ]
	diff log - <<-END
	{"endpoint":"torn
	{"timestamp":"$T","source":"mcp","endpoint":"a","success":true}
	END
}

@test "8 processes that record at once: every row is there, none torn" {
	for i in {1..8}; do
		for j in {1..200}; do echo '{"endpoint":"'$i'-'$j'","pad":"'"$(printf '%05000d' 0)"'"}'; done | lh-observe record log >/dev/null &
	done
	wait
	[ "$(jq -r .endpoint log | sort -u | wc -l)" = 1600 ]
	[ "$(wc -l <log)" = 1600 ]
}

@test "killed at any write: what was printed is in the log, and the log is whole lines" {
	needs_strace
	for i in {1..40}; do echo '{"endpoint":"e'$i'"}'; done >in
	for n in 1 2 5 20 39; do
		rm -f log
		inject write:signal=KILL:when=$n lh-observe record log in >out || [ $? = 137 ]
		injected
		sed '$!b; /}$/!d' out | while read -r row; do grep -qxF "$row" log || { echo "lost: $row"; exit 1; }; done
		record log '{"endpoint":"next"}' >/dev/null
		[ "$(tail -n 1 log | jq -r .endpoint)" = next ]
	done
}

@test "a row that cannot be written: exit 2 with the reason, and nothing is printed for it" {
	needs_strace
	run -2 --separate-stderr inject write:error=ENOSPC:when=1 lh-observe record log <<<'{"endpoint":"a"}'
	[[ $stderr == *"log: write failed: No space left on device"* ]]
	[ -z "$output" ]
	run -2 --separate-stderr inject fdatasync:error=EIO lh-observe record log <<<'{"endpoint":"a"}'
	[[ $stderr == *"log: cannot sync: Input/output error"* ]]
	[ -z "$output" ]
}

@test "a log that is not a regular file is refused, and so is a folder that does not exist" {
	mkfifo fifo
	mkdir dir
	ln -s log link
	for log in fifo dir link no/log -; do
		run -2 --separate-stderr patiently lh-observe record "$log" <<<'{"endpoint":"a"}'
		[ -n "$stderr" ]
		[ -z "$output" ]
	done
	for log in fifo dir link; do
		run -2 patiently lh-observe stats $log
		run -2 patiently lh-observe tail $log
	done
	[ ! -e log ]
}

# ---- requests ----

@test "requests answers each operation, and an error costs its request alone" {
	cat >in <<-'END'
	{"op":"stats"}
	{"op":"event","endpoint":"search","op2":1}
	{"op":"inbox","type":"sms","body":"b"}
	{"op":"event"}
	{"op":"inbox","type":"sms","body":""}
	{"op":"other"}
	{"op":"stats","window":"x"}
	{"op":"stats","by":"source"}
	{"op":"stats","window":1,"by":"endpoint"}
	{"op":"stats","window":"all"}
	{"op":"health"}
	END
	run -1 --separate-stderr lh-observe requests $NOW --on-error emit log in
	diff <(jq -c 'if .error then .error.code else . end' <<<"$output") - <<-END
	{"total":0,"successes":0,"failures":0,"by_source":{},"recent_scenario_ops":[]}
	{"timestamp":"$T","source":"mcp","endpoint":"search","success":true,"op2":1}
	{"timestamp":"$T","source":"inbox","endpoint":"inbox.sms","success":true,"type":"sms","sender":"","subject":"","body":"b","priority":"medium"}
	400
	400
	400
	400
	400
	{"total":1,"successes":1,"failures":0,"by_source":{"inbox":1},"recent_scenario_ops":[],"by_endpoint":{"inbox.sms":{"total":1,"successes":1,"failures":0,"p50":null,"p95":null,"p99":null}}}
	{"total":2,"successes":2,"failures":0,"by_source":{"inbox":1,"mcp":1},"recent_scenario_ops":[]}
	{"status":"ok"}
	END
}

@test "a log that cannot be used answers 503 without its name, and the next request is answered once it can" {
	mkdir log
	serve lh-observe requests --on-error emit log
	ask '{"op":"event","endpoint":"a"}'
	jq -e '.error.code == 503 and (.error.message | contains("log/") | not)' <<<"$answer"
	ask '{"op":"health"}'
	jq -e '.error.code == 503' <<<"$answer"
	rmdir log
	ask '{"op":"health"}'
	[ "$answer" = '{"status":"ok"}' ]
	mv log old
	ask '{"op":"event","endpoint":"b"}'
	[ "$(jq -r .endpoint log)" = b ]
	finish 1
}

@test "the routes of lh-serve record, count, and say what is wrong" {
	load ../servers/serve
	mkdir -p s/log
	start_serve --state s
	post() { curl -sS -w ' %{http_code}\n' --json "$2" "$URL$1"; }
	[[ $(post /v1/observer/event '{"endpoint":"search","duration_ms":2}') == *'"endpoint":"search"'*' 200' ]]
	[[ $(post /v1/observer/event '{}') == *' 400' ]]
	[[ $(post /v1/observer/inbox '{"type":"sms","body":"b"}') == *'"endpoint":"inbox.sms"'*' 200' ]]
	[[ $(post /v1/observer/inbox '{"type":"fax","body":"b"}') == *' 400' ]]
	[[ $(post /v1/observer/inbox '{"type":"sms","body":"'"$(printf '%08193d' 0)"'"}') == *' 413' ]]
	[ "$(curl -sS "$URL/v1/observer/stats")" = '{"total":2,"successes":2,"failures":0,"by_source":{"inbox":1,"mcp":1},"recent_scenario_ops":[]}' ]
	[ "$(curl -sS "$URL/v1/observer/stats?window=2&by=endpoint" | jq -c '.by_endpoint.search.p50')" = 2 ]
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/v1/observer/stats?window=0")" = 400 ]
	[ "$(curl -sS "$URL/v1/observer/health")" = '{"status":"ok"}' ]
	[ "$(wc -l <s/log/observer.jsonl)" = 2 ]
	end_serve
}
