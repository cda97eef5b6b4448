# lh-pathway: traces, the events that make them, and what a log may look like.
load ../helper
load ../coproc

NOW="--now 2026-05-03T12:00:00Z"
NS=1777809600000000000

# fill LOG - a: updated and replayed; b revises it and is retired; c revises b.
fill() {
	echo '{"uid":"a","content":{"x":1.0,"s":"Forklift \u00e9"},"tags":["t","u"]}' | lh-pathway add $NOW "$1" >/dev/null
	echo '{"uid":"a","content":5}' | lh-pathway add-idempotent "$1" >/dev/null
	echo '{"uid":"a","content":{"x":2.50,"s":"Welder"}}' | lh-pathway update --now 2026-05-03T12:00:01Z "$1" >/dev/null
	echo '{"uid":"b","predecessor_uid":"a","content":["b"]}' | lh-pathway revise $NOW "$1" >/dev/null
	echo '{"uid":"c","predecessor_uid":"b","content":{"n":3,"deep":[{"s":"roof"}]},"tags":["t"]}' | lh-pathway revise $NOW "$1" >/dev/null
	echo '{"uid":"b"}' | lh-pathway retire "$1" >/dev/null
}

# model LOG - the traces of a log by a plain reading of its events, as
# "search --retired" prints them; by a program that knows nothing of ours.
model() {
	python3 - "$1" <<-'END'
	import json, sys
	traces = {}
	for line in open(sys.argv[1], "rb").read().split(b"\n"):
	    try:
	        e = json.loads(line)
	    except ValueError:
	        continue
	    if e["op"] in ("add", "revise"):
	        assert e["trace"]["uid"] not in traces
	        traces[e["trace"]["uid"]] = e["trace"]
	    elif e["op"] == "update":
	        traces[e["uid"]]["content"] = e["content"]
	        traces[e["uid"]]["updated_at_ns"] = e["trace"]["updated_at_ns"]
	    elif e["op"] == "retire":
	        traces[e["uid"]]["retired"] = True
	    elif e["op"] == "replay":
	        traces[e["uid"]]["replay_count"] += 1
	for t in reversed(traces.values()):
	    print(json.dumps(t, ensure_ascii=False, separators=(",", ":")))
	END
}

# ---- the operations ----

@test "Add writes a trace with its times, no replays, not retired" {
	run -0 lh-pathway add $NOW log < <(echo '{"uid":"a","content":{"n":1.0},"tags":["t"],"more":1}'; echo '{"uid":"b","content":null,"tags":null}')
	[ "${lines[0]}" = '{"uid":"a","content":{"n":1.0},"created_at_ns":'$NS',"updated_at_ns":'$NS',"retired":false,"replay_count":0,"tags":["t"]}' ]
	[ "${lines[1]}" = '{"uid":"b","content":null,"created_at_ns":'$NS',"updated_at_ns":'$NS',"retired":false,"replay_count":0}' ]
	diff log <(printf '{"op":"add","trace":%s}\n' "${lines[@]}")
	[ "$(stat -c %a log)" = 600 ]
}

@test "Add refuses invalid JSON, a record without content, and a uid that is too long" {
	cat >in <<-'END'
	{"uid":"a","content":{"n":01}}
	{"uid":"a","content":"\ud800"}
	{"uid":"a","content":{"k":1,"k":2}}
	{"uid":"a"}
	END
	python3 -c 'print("{\"uid\":\"" + "u" * 1025 + "\",\"content\":1}")' >>in
	run -1 --separate-stderr lh-pathway add log in
	[ -z "$output" ]
	[ ! -s log ]
	[ "$(sed -n 's/.*in:[4-9]: //p' <<<"$stderr")" = 'missing "content" (any value)
uid is longer than 1024 bytes' ]
	[ "${stderr_lines[-1]}" = 'lh-pathway: 5 of 5 records rejected' ]
}

@test "Add refuses a known uid, whatever wrote it and however it is escaped" {
	echo '{"uid":"aé","content":1}' | lh-pathway add log
	cp log before
	run -1 --separate-stderr lh-pathway add log <<<'{"uid":"\u0061\u00e9","content":2}'
	[ "${stderr_lines[0]}" = 'lh-pathway: -:1: uid "aé" is known already' ]
	cmp log before
}

@test "a uid that is not given is made up, and under a fixed clock it counts" {
	repeat 3 '{"content":1}' >in
	lh-pathway add $NOW one in >/dev/null
	lh-pathway add $NOW two in >/dev/null
	cmp one two
	[ "$(jq -r .trace.uid one | sort -u | wc -l)" = 3 ]
	lh-pathway add $NOW one in >/dev/null
	[ "$(jq -r .trace.uid one | sort -u | wc -l)" = 6 ]
	lh-pathway add three in >/dev/null
	[ "$(jq -r .trace.uid three | sort -u | wc -l)" = 3 ]
}

@test "AddIdempotent adds what is new, and on a known uid only raises replay_count" {
	for i in 1 2 3; do
		echo '{"uid":"a","content":'$i',"tags":["'$i'"]}'
	done | lh-pathway add-idempotent $NOW log >out
	diff out <(for i in 0 1 2; do
		echo '{"uid":"a","content":1,"created_at_ns":'$NS',"updated_at_ns":'$NS',"retired":false,"replay_count":'$i',"tags":["1"]}'
	done)
	[ "$(sed 1d log)" = '{"op":"replay","uid":"a"}
{"op":"replay","uid":"a"}' ]
	run -1 --separate-stderr lh-pathway add-idempotent log <<<'{"content":1}'
	[ "${stderr_lines[0]}" = 'lh-pathway: -:1: missing "uid" (string)' ]
}

@test "Update keeps the uid and the first time, and changes the content and the second" {
	echo '{"uid":"a","content":1,"tags":["t"]}' | lh-pathway add $NOW log
	run -0 lh-pathway update --now 2026-05-03T12:00:00.001Z log <<<'{"uid":"a","content":{"z":1e400,"a":[ 1 ]}}'
	[ "$output" = '{"uid":"a","content":{"z":1e400,"a":[ 1 ]},"created_at_ns":'$NS',"updated_at_ns":1777809600001000000,"retired":false,"replay_count":0,"tags":["t"]}' ]
	[ "$(lh-pathway get --uid a log)" = "$output" ]
	run -1 --separate-stderr lh-pathway update log <<<'{"uid":"b","content":1}'
	[ "${stderr_lines[0]}" = 'lh-pathway: -:1: unknown uid "b"' ]
	[ "$(wc -l <log)" = 2 ]
}

@test "Revise adds a successor that names its predecessor, which must exist" {
	echo '{"uid":"a","content":1}' | lh-pathway add $NOW log
	run -0 lh-pathway revise $NOW log <<<'{"uid":"b","predecessor_uid":"a","content":2}'
	[ "$output" = '{"uid":"b","content":2,"predecessor_uid":"a","created_at_ns":'$NS',"updated_at_ns":'$NS',"retired":false,"replay_count":0}' ]
	[ "$(tail -n 1 log)" = '{"op":"revise","trace":'"$output"'}' ]
	run -1 --separate-stderr lh-pathway revise log < <(
		echo '{"uid":"c","predecessor_uid":"zz","content":2}'
		echo '{"uid":"c","content":2}'
		echo '{"uid":"a","predecessor_uid":"b","content":2}'
	)
	[ "${stderr_lines[0]}" = 'lh-pathway: -:1: unknown predecessor_uid "zz"' ]
	[ "${stderr_lines[1]}" = 'lh-pathway: -:2: missing "predecessor_uid" (string)' ]
	[ "${stderr_lines[2]}" = 'lh-pathway: -:3: uid "a" is known already' ]
	[ "$(wc -l <log)" = 2 ]
}

@test "Retire hides from search, not from get or history, and a second time does nothing" {
	fill log
	run -0 lh-pathway search log
	[ "$(jq -r .uid <<<"$output" | paste -sd' ')" = 'c a' ]
	run -0 lh-pathway search --retired log
	[ "$(jq -r .uid <<<"$output" | paste -sd' ')" = 'c b a' ]
	[ "$(lh-pathway get --uid b log | jq .retired)" = true ]
	[ "$(lh-pathway history --uid c log | jq -c '[.history[] | [.uid, .retired]]')" = '[["c",false],["b",true],["a",false]]' ]
	cp log before
	run -0 lh-pathway retire --uid b log
	[ "$(jq .retired <<<"$output")" = true ]
	cmp log before
	run -1 lh-pathway retire --uid zz log
}

@test "History walks back to the first" {
	fill log
	run -0 lh-pathway history log <<<'{"uid":"c","n":1.0,"history":"old"}'
	[ "$(jq -c 'keys_unsorted' <<<"$output")" = '["uid","n","history"]' ]
	[ "$(jq -c '.history[]' <<<"$output")" = "$(lh-pathway get --uid c --uid b --uid a log | jq -c .)" ]
	[ "$(lh-pathway history --uid a log | jq '.history | length')" = 1 ]
	run -1 lh-pathway history --uid zz log
	(echo '{"uid":"0","content":1}' | lh-pathway add long) >/dev/null
	for i in {1..500}; do echo '{"uid":"'"$i"'","predecessor_uid":"'$((i - 1))'","content":1}'; done | lh-pathway revise long >/dev/null
	[ "$(lh-pathway history --uid 500 long | jq -r '.history[].uid')" = "$(seq 500 -1 0)" ]
}

@test "History of a cycle is an error, however it is entered" {
	trace() { echo '{"op":"add","trace":{"uid":"'"$1"'","content":1,"predecessor_uid":"'"$2"'","created_at_ns":1,"updated_at_ns":1,"retired":false,"replay_count":0}}'; }
	(trace own own; trace a b; trace b c; trace c a; trace d c; trace e gone; trace f e) >log
	for uid in own a b c d; do
		run -1 --separate-stderr lh-pathway history --uid $uid log
		[ "$stderr" = "lh-pathway: --uid: the way back runs in a cycle" ]
		[ -z "$output" ]
	done
	run -1 lh-pathway verify log
	[ "$(jq -c '[.cycles, .missing_predecessors, .skipped]' <<<"$output")" = '[2,1,0]' ]
}

@test "History ends at a missing predecessor" {
	echo '{"op":"revise","trace":{"uid":"b","content":1,"predecessor_uid":"a","created_at_ns":1,"updated_at_ns":1,"retired":false,"replay_count":0}}' >log
	run -0 --separate-stderr lh-pathway history --uid b log
	[ -z "$stderr" ]
	[ "$(jq -c '[.history[] | [.uid, .predecessor_uid]]' <<<"$output")" = '[["b","a"]]' ]
	run -0 lh-pathway verify log
	[ "$(jq .missing_predecessors <<<"$output")" = 1 ]
}

@test "Search: tags, strings of the content, members of the content, how many" {
	fill log
	found() { lh-pathway search "$@" log | jq -r .uid | paste -sd' '; }
	[ "$(found --tag t)" = 'c a' ]
	[ "$(found --tag t --tag u)" = a ]
	[ "$(found --tag v)" = '' ]
	[ "$(found --contains elde)" = a ]
	[ "$(found --contains welder)" = '' ]
	[ "$(found --contains Forklift)" = '' ]
	[ "$(found --contains roof)" = c ]
	[ "$(found --contains deep)" = '' ]
	[ "$(found --where n=3)" = c ]
	[ "$(found --where x=2.5)" = a ]
	[ "$(found --where x=2.5 --tag t --contains Weld)" = a ]
	[ "$(found --where x=2.5 --contains roof)" = '' ]
	[ "$(found --where 'n>2' --where 'n<=3.0')" = c ]
	[ "$(found --where 'x!=3' --where 'x>0')" = a ]
	[ "$(found --where 'n!=3')" = a ]
	run -1 --separate-stderr lh-pathway search log --where nosuch=1 --where n!=7
	[ "$stderr" = 'lh-pathway: --where: no trace has "nosuch"' ]
	: >empty
	run -0 lh-pathway search empty --where nosuch=1
	[ -z "$output" ]
	lh-pathway add deep <<<'{"content":{"a":{"b":[1,2]}}}'
	[ "$(lh-pathway search deep --where a.b.1=2 | wc -l)" = 1 ]
	run -2 --separate-stderr lh-pathway search log --where 'n==3'
	[ "$stderr" = 'lh-pathway: --where: "n==3": "==" is not one of =, !=, <, <=, >, >=; a string needs quotes: n="=3"' ]
	run -2 --separate-stderr lh-pathway search log --where 'n<'
	[ -z "$output" ]
	[ "$(found --contains b)" = '' ]
	[ "$(found --contains b --retired)" = b ]
	[ "$(found -k 1)" = c ]
	[ "$(found -k 0)" = '' ]
}

@test "each op of the log, as another program writes it: without what may be left out" {
	cat >log <<-'END'
	{"op":"add","trace":{"uid":"a","content":{"k":1},"created_at_ns":5,"updated_at_ns":6,"retired":false,"replay_count":2}}
	{ "trace" : {"updated_at_ns":7,"created_at_ns":7,"uid":"\u0062","content":2,"retired":true,"replay_count":0,"tags":["x"],"predecessor_uid":"a"}, "op":"revise"}
	{"op":"update","uid":"a","content":"new"}
	{"op":"replay","uid":"a"}
	{"op":"retire","uid":"a"}

	{"op":"add","trace":{"uid":"c","content":0,"predecessor_uid":"","tags":null,"more":1},"ts":1}
	END
	run -0 --separate-stderr lh-pathway search --retired log
	[ -z "$stderr" ]
	[ "$output" = '{"uid":"c","content":0,"created_at_ns":0,"updated_at_ns":0,"retired":false,"replay_count":0}
{"uid":"\u0062","content":2,"predecessor_uid":"a","created_at_ns":7,"updated_at_ns":7,"retired":true,"replay_count":0,"tags":["x"]}
{"uid":"a","content":"new","created_at_ns":5,"updated_at_ns":6,"retired":true,"replay_count":3}' ]
	[ "$(lh-pathway get --uid b log | jq .content)" = 2 ]
	run -0 lh-pathway verify log
	[ "$output" = '{"log":"log","events":6,"traces":3,"retired":2,"skipped":0,"missing_predecessors":0,"cycles":0}' ]
}

# bats test_tags=plain-only
@test "many changes in random order come to what a plain reading of the log says" {
	python3 - >plan <<-'END'
	import json, random
	r = random.Random(7)
	known = []
	for i in range(3000):
	    op = r.choice(["add", "add-idempotent", "update", "revise", "retire"] if known else ["add"])
	    uid = r.choice(known) if known and op != "add" and (op != "revise") else "u%d" % i
	    rec = {"uid": uid, "content": r.choice([i, "é%d" % i, {"a": [i, None]}, [{}]])}
	    if op == "revise":
	        rec["predecessor_uid"] = r.choice(known)
	    if r.random() < .3:
	        rec["tags"] = ["t%d" % r.randrange(5)]
	    if uid not in known:
	        known.append(uid)
	    print(op, json.dumps(rec, ensure_ascii=False, separators=(",", ":")))
	END
	# one run for each stretch of the same verb
	awk '{ op = $1; sub(/^[^ ]* /, ""); if (op != last) { n++; last = op; print n, op >"order" } print >("in." n) }' plan
	while read -r n op; do
		lh-pathway "$op" log "in.$n" >>answers
	done < <(head -n 400 order)
	alike <(lh-pathway search --retired log | jq -c .) <(model log | jq -c .)
	[ "$(lh-pathway verify log | jq -c '[.events, .traces]')" = "[$(wc -l <log),$(model log | wc -l)]" ]
}

# ---- what a log may look like ----

@test "a torn last line is skipped and said, and the next event starts on a line of its own" {
	fill log
	want=$(lh-pathway search --retired log)
	size=$(stat -c %s log)
	line='{"op":"add","trace":{"uid":"n","content":1,"created_at_ns":1,"updated_at_ns":1,"retired":false,"replay_count":0}}'
	for ((n = 1; n < ${#line}; n += 9)); do
		cp log torn
		printf %s "${line:0:n}" >>torn
		run -0 --separate-stderr lh-pathway search --retired torn
		[ "$output" = "$want" ]
		[ "${stderr_lines[0]}" = "lh-pathway: torn:7: torn line skipped: it has no end (byte $size)" ]
		[ "${stderr_lines[1]}" = "lh-pathway: torn: 1 line of the log skipped" ]
		run -1 lh-pathway verify torn
		echo '{"uid":"m","content":1}' | lh-pathway add torn >/dev/null 2>err
		[ "$(wc -l <err)" = 2 ]
		[ "$(sed -n 7p torn)" = "${line:0:n}" ]
		[ "$(tail -n 1 torn | jq -r .trace.uid)" = m ]
		[ "$(lh-pathway get --uid m torn 2>/dev/null | jq .content)" = 1 ]
	done
	# all but its LF: an event
	cp log torn
	printf %s "$line" >>torn
	run -0 --separate-stderr lh-pathway get --uid n torn
	[ -z "$stderr" ]
	echo '{"uid":"m","content":1}' | lh-pathway add torn >/dev/null
	run -0 --separate-stderr lh-pathway verify torn
	[ "$(jq .events <<<"$output")" = 8 ]
}

# bats test_tags=full
@test "each kind of line that is not an event is skipped and reported, and the rest is read" {
	python3 - >bad <<-'END'
	t = '{"op":"add","trace":{"uid":"%s","content":1%s}}'
	for line, why in [
	    ("x", "torn"), ("[1]", "torn"), ('{"op":"add"', "torn"), ('{"op":"add","op":"add"}', "torn"), ('{"op":"add","trace":{"uid":"z","content":"\\ud800"}}', "torn"),
	    ("{}", 'missing string field "op"'), ('{"op":1}', '"op" is not a string'),
	    ('{"op":"Add","trace":{}}', '"op" is not one of add, update, revise, retire, replay'),
	    ('{"op":"add"}', 'missing object field "trace"'), ('{"op":"add","trace":[]}', '"trace" is not an object'),
	    ('{"op":"add","trace":{"uid":"z"}}', 'missing field "content"'), ('{"op":"add","trace":{"content":1}}', 'missing string field "uid"'),
	    ('{"op":"add","trace":{"content":1,"uid":1}}', '"uid" is not a string'), ('{"op":"add","trace":{"content":1,"uid":""}}', "empty uid"),
	    (t % ("u" * 1025, ""), "uid is longer than 1024 bytes"), (t % ("a", ""), "its uid is known already"),
	    (t % ("z", ',"created_at_ns":1.5'), '"created_at_ns" is not a whole number'), (t % ("z", ',"updated_at_ns":"1"'), '"updated_at_ns" is not a whole number'),
	    (t % ("z", ',"replay_count":1e30'), '"replay_count" is not a whole number'), (t % ("z", ',"retired":0'), '"retired" is neither true nor false'),
	    (t % ("z", ',"tags":{}'), '"tags" is not an array'), (t % ("z", ',"tags":[1]'), '"tags" holds something that is not a string'),
	    (t % ("z", ',"predecessor_uid":1'), '"predecessor_uid" is not a string'), ('{"op":"revise","trace":{"uid":"z","content":1}}', 'missing string field "predecessor_uid"'),
	    ('{"op":"update","content":1}', 'missing string field "uid"'), ('{"op":"update","uid":"z","content":1}', "unknown uid"), ('{"op":"update","uid":"a"}', 'missing field "content"'),
	    ('{"op":"update","uid":"a","content":9,"trace":{"updated_at_ns":{}}}', '"updated_at_ns" is not a whole number'),
	    ('{"op":"retire","uid":"z"}', "unknown uid"), ('{"op":"replay","uid":"z"}', "unknown uid"), ('{"op":"replay"}', 'missing string field "uid"'),
	]:
	    print(line + "\t" + why)
	END
	fill log
	want=$(lh-pathway search --retired log)
	[ "$(wc -l <bad)" = 31 ]
	while IFS=$'\t' read -r line why; do
		(head -n 1 log; printf '%s\n' "$line"; sed 1d log) >one
		run -0 --separate-stderr lh-pathway search --retired one
		[ "$output" = "$want" ] || { echo "$line: $output"; return 1; }
		[[ ${stderr_lines[0]} == "lh-pathway: one:2: torn line skipped: "*"(byte $(head -n 1 log | wc -c))" && $why == torn ]] ||
			[ "${stderr_lines[0]}" = "lh-pathway: one:2: event skipped: $why (byte $(head -n 1 log | wc -c))" ] || { echo "$line: $stderr"; return 1; }
		run -1 --separate-stderr lh-pathway verify one
		[ "$(jq .skipped <<<"$output")" = 1 ]
	done <bad
}

@test "CRLF, a BOM, blank lines, no last LF, an empty file, a lone newline: no harm" {
	fill log
	want=$(lh-pathway search --retired log)
	(printf '\357\273\277\r\n\n \t\n'; sed 's/$/\r/' log | head -c -2) >dirty
	run -0 --separate-stderr lh-pathway search --retired dirty
	[ -z "$stderr" ]
	[ "$output" = "$want" ]
	(printf '\357\273\277'; cat log) >dirty
	[ "$(lh-pathway search --retired dirty)" = "$want" ]
	for text in '' '\n' '\r\n\n'; do
		printf "$text" >empty
		run -0 --separate-stderr lh-pathway verify empty
		[ "$(jq -c '[.events, .skipped]' <<<"$output")" = '[0,0]' ]
		[ -z "$(lh-pathway search empty)" ]
		echo '{"uid":"a","content":1}' | lh-pathway add empty >/dev/null
		[ "$(lh-pathway get --uid a empty | jq .content)" = 1 ]
	done
	(printf '{"op":"add","trace":{"uid":"n\0","content":1}}\n\0\n\377\n'; cat log) >dirty
	run -0 --separate-stderr lh-pathway search --retired dirty
	[ "$output" = "$want" ]
	[ "$(grep -c 'torn line skipped' <<<"$stderr")" = 3 ]
}

@test "numbers, escapes and white space of a content come back as they were given" {
	for content in 12345678901234567890 1e-400 1e400 -0 0.10 '"\u2028\ud83d\ude00\/"' $'"\xe2\x80\xa8"' '[ 1 ,	2 ]' '{"a" : {"a":1}}' '""' true; do
		rm -f log
		want='{"uid":"u","content":'"$content"',"created_at_ns":'$NS',"updated_at_ns":'$NS',"retired":false,"replay_count":0}'
		[ "$(lh-pathway add $NOW log <<<'{"content":'"$content"',"uid":"u"}')" = "$want" ]
		[ "$(lh-pathway get --uid u log)" = "$want" ]
		[ "$(lh-pathway search log)" = "$want" ]
	done
}

@test "a content that could not be read back from its event is refused" {
	deep() { python3 -c 'import sys; n = int(sys.argv[1]); print("{\"uid\":\"d%d\",\"content\":" % n + "[" * n + "]" * n + "}")' "$1"; }
	deep 510 | lh-pathway add log >/dev/null
	run -1 --separate-stderr lh-pathway add log < <(deep 511)
	[[ ${stderr_lines[0]} == 'lh-pathway: -:1: as an event of the log: '*512* ]]
	run -0 lh-pathway verify log
	[ "$(jq .traces <<<"$output")" = 1 ]
}

@test "a log that is not a regular file is refused, and so is a folder that does not exist" {
	mkfifo fifo
	ln -s target link
	mkdir folder
	for verb in add update get search verify; do
		for bad in fifo:FIFO link:symbolic folder:directory /dev/null:device; do
			run -2 --separate-stderr patiently lh-pathway $verb "${bad%:*}" </dev/null
			[[ $stderr == *"${bad%:*}: "*"${bad#*:}"* ]] || { echo "$verb $bad: $stderr"; return 1; }
		done
		run -2 lh-pathway $verb no/log </dev/null
		run -2 lh-pathway $verb - </dev/null
	done
	[ ! -e target ]
	run -2 lh-pathway get --uid a absent
	[ ! -e absent ]
	run -2 --separate-stderr lh-pathway search log more
	[ "$stderr" = 'lh-pathway: unexpected operand "more": search takes one LOG' ]
	run -2 lh-pathway add --now 3000-01-01T00:00:00Z log
}

# ---- many processes, kills, size ----

@test "of many processes that add one uid one succeeds, and replays are counted each" {
	n=$(scale 100 2000)
	for p in {1..6}; do
		seq "$n" | sed 's/.*/{"uid":"u&","content":'"$p"'}/' | lh-pathway add log >"out.$p" 2>/dev/null 3>&- &
	done
	wait
	[ "$(cat out.* | jq -r .uid | sort | uniq -d)" = "" ]
	[ "$(cat out.* | wc -l)" = "$n" ]
	for p in {1..6}; do
		repeat "$n" '{"uid":"u1","content":0}' | lh-pathway add-idempotent log >/dev/null 3>&- &
	done
	wait
	[ "$(lh-pathway get --uid u1 log | jq .replay_count)" = $((6 * n)) ]
	[ "$(lh-pathway verify log | jq .skipped)" = 0 ]
}

@test "run as a co-process it answers each line at once, and sees what others wrote" {
	echo '{"uid":"a","content":1}' | lh-pathway add log >/dev/null
	coproc { lh-pathway get log; }
	pid=$COPROC_PID
	for i in 1 2 3; do
		echo '{"uid":"a"}' >&"${COPROC[1]}"
		read -r -t "$LH_PATIENCE" line <&"${COPROC[0]}"
		[ "$(jq .content <<<"$line")" = $i ]
		echo '{"uid":"a","content":'$((i + 1))'}' | lh-pathway update log >/dev/null
	done
	exec {COPROC[1]}>&-
	wait "$pid"
}

# bats test_tags=full
@test "killed at any write or sync: what was answered is in the log, and the rest is whole" {
	needs_strace
	seq 30 | sed 's/.*/{"uid":"u&","content":"&"}/' >in
	for call in write fdatasync flock; do
		for ((n = 1; n < 1000; n += $(scale 5 1))); do
			rm -f log out
			fill log
			inject $call:signal=KILL:when=$n lh-pathway add log in >out 2>/dev/null || true
			injected || break
			run -0 --separate-stderr lh-pathway verify log
			while read -r uid; do
				lh-pathway get --uid "$uid" log >/dev/null
			done < <(jq -r .uid out)
			echo '{"uid":"after","content":1}' | lh-pathway add log >/dev/null
			[ "$(lh-pathway verify log | jq .skipped)" = 0 ]
		done
	done
}

@test "a full disk, an I/O error or a limit on the log: exit 2 with the reason, and no half event" {
	needs_strace
	seq 10 | sed 's/.*/{"uid":"u&","content":"&"}/' >in
	fill log
	cp log before
	for fault in write:error=ENOSPC:when=3 write:error=EIO:when=4 fdatasync:error=EIO:when=1 pread64:error=EIO:when=3 newfstatat:error=EIO:when=3; do
		cp before log
		run inject "$fault" -P log lh-pathway add log in
		injected
		[ "$status" = 2 ] || { echo "$fault: exit $status: $output"; return 1; }
		[[ $output == *"No space left"* || $output == *"Input/output error"* ]]
		run -0 --separate-stderr lh-pathway verify log
		[ -z "$stderr" ]
	done
	cp before log
	run -2 prlimit --fsize=$(($(stat -c %s log) + 300)) lh-pathway add log in
	[[ $output == *"File too large"* ]]
	run -0 --separate-stderr lh-pathway verify log
	[ -z "$stderr" ]
}

@test "a log is replayed in the memory that lh-pathway(1) states, whatever its contents weigh" {
	plain_only "sanitizers need memory"
	n=$(scale 50000 1000000)
	seq "$n" | awk '{ printf "{\"op\":\"add\",\"trace\":{\"uid\":\"t%d\",\"content\":\"%01000d\",\"created_at_ns\":1,\"updated_at_ns\":1,\"retired\":false,\"replay_count\":0}}\n{\"op\":\"replay\",\"uid\":\"t%d\"}\n", $1, $1, $1 }' >log
	/usr/bin/time -q -o time -f %M lh-pathway verify log >out
	[ "$(jq -c '[.events, .traces]' out)" = "[$((2 * n)),$n]" ]
	[ "$(tail -n 1 time)" -lt $((n * (80 + 56) * 3 / 2 / 1024 + 20000)) ]
	[ "$(lh-pathway get --uid t$n log | jq -r .content | sed 's/^0*//')" = "$n" ]
}

@test "a line of a log that is over the limit is skipped in bounded memory, and the next is read" {
	plain_only "sanitizers need memory"
	(echo '{"op":"add","trace":{"uid":"a","content":1}}'
	printf '{"op":"add","trace":{"uid":"big","content":"'
	head -c "$(scale 300 1000)M" /dev/zero | tr '\0' x
	printf '"}}\n{"op":"add","trace":{"uid":"b","content":2}}\n') >log
	run -0 --separate-stderr /usr/bin/time -q -o time -f %M lh-pathway search log
	[ "$(jq -c .content <<<"$output" | paste -sd' ')" = '2 1' ]
	[ "${stderr_lines[0]}" = 'lh-pathway: log:2: torn line skipped: it is longer than 268435456 bytes (byte 45)' ]
	[ "$(tail -n 1 time)" -lt 800000 ]
}

# ---- requests ----

# op NAME - makes requests of records.
op() {
	sed "s/^{/{\"op\":\"$1\",/"
}

@test "requests answers each operation as its command does, and writes the same log" {
	cat >in <<-'END'
	add {"uid":"a","content":{"x":1.0,"s":"Forklift \u00e9"},"tags":["t","u"]}
	add-idempotent {"uid":"a","content":5}
	update {"uid":"a","content":[ 2.50 ]}
	revise {"uid":"b","predecessor_uid":"a","content":null}
	add {"content":7}
	retire {"uid":"a"}
	get {"uid":"a"}
	history {"uid":"b"}
	END
	while read -r command record; do
		lh-pathway "$command" $NOW apart <<<"$record"
	done <in >want
	while read -r command record; do
		op "${command//-/_}" <<<"$record"
	done <in | lh-pathway requests $NOW served >got
	[ "$(wc -l <got)" = 8 ]
	diff want got
	cmp apart served
	lh-pathway search --retired served >all
	lh-pathway requests served <<<'{"op":"search","include_retired":true}' >got
	diff <(printf '{"results":[%s],"count":3}\n' "$(paste -sd, all)") got
	lh-pathway requests served <<<'{"op":"stats"}' >got
	diff <(lh-pathway verify served | jq -c '{events, traces, retired, skipped}') got
}

@test "requests searches by tags, text, time and retirement, the last added first" {
	for i in 1 2 3 4; do
		echo '{"uid":"u'$i'","content":{"s":"n'$i'"},"tags":["t","t'$((i % 2))'"]}' |
			lh-pathway add --now 2026-05-03T12:00:0$i.000Z log
	done >/dev/null
	lh-pathway retire --uid u3 log >/dev/null
	found() { lh-pathway requests log <<<"{\"op\":\"search\"$1}" | jq -r '(.results | map(.uid) | join(" ")) + " " + (.count | tostring)'; }
	[ "$(found '')" = 'u4 u2 u1 3' ]
	[ "$(found ',"include_retired":true')" = 'u4 u3 u2 u1 4' ]
	[ "$(found ',"tag":"t0"')" = 'u4 u2 2' ]
	[ "$(found ',"tag":"t","tags":["t1"]')" = 'u1 1' ]
	[ "$(found ',"tags":["t0","t1"]')" = ' 0' ]
	[ "$(found ',"tag":"","tags":[],"content_contains":""')" = 'u4 u2 u1 3' ]
	[ "$(found ',"content_contains":"n2"')" = 'u2 1' ]
	[ "$(found ',"limit":2')" = 'u4 u2 2' ]
	[ "$(found ',"limit":0')" = ' 0' ]
	[ "$(found ',"created_after_ns":'$((NS + 1000000000)))" = 'u4 u2 2' ]
	[ "$(found ',"created_before_ns":'$((NS + 2000000000)))" = 'u1 1' ]
	[ "$(found ',"created_after_ns":'$NS',"created_before_ns":'$((NS + 3000000000))',"include_retired":true')" = 'u2 u1 2' ]
}

@test "requests: a bad one costs itself alone, and its message names no file" {
	lh-pathway add $NOW log <<<'{"uid":"a","content":1}' >/dev/null
	cp log before
	cat >in <<-'END'
	{"op":"add","uid":"a","content":2}
	{"op":"add_idempotent","content":2}
	{"op":"add","content":"\ud800"}
	{"op":"add"}
	{"op":"update","uid":"zz","content":1}
	{"op":"retire","uid":"zz"}
	{"op":"get","uid":"zz"}
	{"op":"get"}
	{"op":"history","uid":"zz"}
	{"op":"revise","predecessor_uid":"zz","content":1}
	{"op":"search","limit":-1}
	{"op":"search","tags":"t"}
	{"op":"verify"}
	{"op":5}
	{"uid":"a"}
	[1]
	{"op":"get","uid":"a"}
	END
	run -1 --separate-stderr lh-pathway requests --on-error emit log in
	[ "${#lines[@]}" = 17 ]
	[ "$(jq -r '.error.code // "ok"' <<<"$output" | paste -sd' ')" = '409 400 400 400 404 404 404 400 404 404 400 400 400 400 400 400 ok' ]
	[[ $(jq -r '.error.message // ""' <<<"$output") != *log* ]]
	cmp log before
}

@test "requests: a log that does not exist is empty, and the first change makes it" {
	mkdir d
	serve lh-pathway requests $NOW --on-error emit d/log
	ask '{"op":"stats"}'
	[ "$answer" = '{"events":0,"traces":0,"retired":0,"skipped":0}' ]
	ask '{"op":"search"}'
	[ "$answer" = '{"results":[],"count":0}' ]
	ask '{"op":"get","uid":"a"}'
	[ "$(jq .error.code <<<"$answer")" = 404 ]
	ask '{"op":"add","uid":"","content":1}'
	[ "$(jq .error.code <<<"$answer")" = 400 ]
	[ ! -e d/log ]
	ask '{"op":"add","uid":"a","content":1}'
	[ "$(jq -r .uid <<<"$answer")" = a ]
	[ "$(stat -c %a d/log)" = 600 ]
	finish 1
	# made by another process meanwhile
	serve lh-pathway requests $NOW --on-error emit d/log2
	ask '{"op":"stats"}'
	[ "$(jq .traces <<<"$answer")" = 0 ]
	lh-pathway add d/log2 <<<'{"uid":"b","content":1}' >/dev/null
	ask '{"op":"get","uid":"b"}'
	[ "$(jq .content <<<"$answer")" = 1 ]
	ask '{"op":"add","uid":"b","content":2}'
	[ "$(jq .error.code <<<"$answer")" = 409 ]
	finish 1
}

@test "requests sees what others wrote, and outlives a log that is locked, cut short, gone or replaced" {
	lh-pathway add log <<<'{"uid":"a","content":1}' >/dev/null
	cp log old
	serve lh-pathway requests --lock-timeout 0.1 --on-error emit log
	lh-pathway update log <<<'{"uid":"a","content":2}' >/dev/null
	ask '{"op":"get","uid":"a"}'
	[ "$(jq .content <<<"$answer")" = 2 ]
	exec 8<log
	flock -x 8
	for request in '{"op":"get","uid":"a"}' '{"op":"retire","uid":"a"}' '{"op":"stats"}'; do
		ask "$request"
		[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"the log cannot be used at present"]' ]
	done
	exec 8<&-
	ask '{"op":"update","uid":"a","content":3}'
	[ "$(jq .content <<<"$answer")" = 3 ]
	cat old >log
	ask '{"op":"search"}'
	[ "$(jq .error.code <<<"$answer")" = 503 ]
	ask '{"op":"search"}'
	[ "$(jq -c '[.results[].content]' <<<"$answer")" = '[1]' ]
	mv log away
	ask '{"op":"add","content":1}'
	[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"not possible at present: a file is missing or damaged"]' ]
	[ ! -e log ]
	echo '{"op":"add","trace":{"uid":"n","content":9}}' >new
	mv new log
	ask '{"op":"add_idempotent","uid":"n","content":1}'
	[ "$(jq -c '[.content, .replay_count]' <<<"$answer")" = '[9,1]' ]
	finish 1
	grep -q 'log: ' err
}
