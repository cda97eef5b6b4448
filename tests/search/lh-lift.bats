# lh-lift: what a playbook is worth.
# bats file_tags=quick
load ../helper
load ../servers/server

NOW=2026-05-03T12:00:00Z

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$ROOT/bin}:$PATH
	# hash-v1 finds less, which leaves more to lift
	lh-gen workers -n 5000 | lh-index build --model hash-v1 --dimension 256 workers.lhv
	lh-gen queries -n 40 --styles all >demand
	# by hand: who is nearest to "Need 1 Welder in Gary IN" is not a welder
	cat >few.jsonl <<-'END'
	{"id":"cook","text":"Need 2 Cooks in Gary IN","role":"Cook","city":"Gary","state":"IN"}
	{"id":"other","text":"Need 2 Welders in Ohio","role":"Welder","city":"Gary","state":"OH"}
	{"id":"welder","text":"A welder who lives near Lake Michigan, in Gary, Indiana","role":"welders","city":" gary ","state":"in"}
	{"id":"none","text":"Need a hand","metadata":null}
	END
	lh-index build --model hash-v1 few.lhv few.jsonl
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp "$BATS_FILE_TMPDIR"/few.lhv .
	WORKERS=$BATS_FILE_TMPDIR/workers.lhv DEMAND=$BATS_FILE_TMPDIR/demand
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir tmp
}

teardown() {
	stop_upstreams
	faults_happened
}

# summary - that of the file out.
summary() {
	tail -n 1 out | jq -c ".summary | $1"
}

# ask QUERY [JQ] - a query of the role, city and state of the hand-made ones.
ask() {
	jq -nc --arg q "$1" '{query_text: $q, role: "Welder", city: "Gary", state: "IN", count: 1, client: "Beacon Freight", at: "06:00"} | '"${2:-.}"
}

# nothing_left - neither a folder nor a process of ours.
nothing_left() {
	[ -z "$(ls -A tmp)" ]
	run ! pgrep -f "lh-(search|playbook).* $BATS_TEST_TMPDIR/tmp"
}

@test "40 rows of demand in four styles: at least 10 of 11 discoveries are lifts, and no role bleeds into another" {
	lh-lift --now $NOW "$WORKERS" <"$DEMAND" >out
	[ "$(wc -l <out)" = 161 ]
	[ "$(summary .queries)" = 160 ]
	[ "$(summary '.discoveries >= 11 and .lifts * 11 >= .discoveries * 10')" = true ]
	[ "$(summary .bleed)" = 0 ]
	[ "$(summary '[.open_gate, (.styles[] | .style, .open_gate)]')" = '[0,"need",0,"client_first",0,"looking",0,"shorthand",0]' ]
	nothing_left
}

# bats test_tags=full
@test "2,000 rows of demand in four styles: 1,425 of 1,462 discoveries are lifts or more, and no role bleeds into another" {
	lh-gen workers -n 5000 | lh-index build -q --model hash-v1 w.lhv
	lh-gen queries -n 2000 --styles all --seed 3 | lh-lift w.lhv | tail -n 1 >out
	jq -e '.summary | .bleed == 0 and .open_gate == 0 and .lifts >= 1425 and .lifts * 1462 >= .discoveries * 1425' out
}

@test "the summary is what its lines come to" {
	lh-lift --paraphrase "$WORKERS" <"$DEMAND" >out
	head -n -1 out | jq -c '.lift + {style}' | jq -sc '
		def sum(f): map(f) | add;
		def mean(f): if length == 0 then null else sum(f) / length end;
		def part: {
			queries: length, discoveries: map(select(.discovery)) | length, lifts: map(select(.lifted)) | length,
			lift_ratio: map(select(.discovery)) | mean(if .lifted then 1 else 0 end),
			displaced: map(select(.discovery and (.lifted | not) and .warm[0].playbook)) | length,
			displaced_worse: map(select(.discovery and (.lifted | not) and .warm[0].playbook and .warm[0].score < .cold[.best - 1].score)) | length,
			boosted: sum(.boosted), injected: sum(.injected), mean_distance_change: mean(.warm[0].distance - .cold[0].distance),
			mean_score_cold: mean(.cold[0].score), mean_score_warm: mean(.warm[0].score),
			bleed: map(select(.open_gate | not)) | sum(.bleed), open_gate: map(select(.open_gate)) | length,
			open_gate_bleed: map(select(.open_gate)) | sum(.bleed),
			paraphrases: map(.paraphrases | length) | add, held: [.[].paraphrases[] | select(.held)] | length,
			hold_ratio: [.[].paraphrases[]] | mean(if .held then 1 else 0 end)};
		part + {styles: [group_by(.style)[] | {style: .[0].style} + part]}' >want
	summary '.styles |= sort_by(.style) | del(.run)' >got
	python3 - <<-'END'
	import json
	def near(a, b):
	    if isinstance(a, dict): return a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
	    if isinstance(a, list): return len(a) == len(b) and all(map(near, a, b))
	    return a == b or (isinstance(a, float) or isinstance(b, float)) and abs(a - b) < 1e-6
	def none(v):
	    if isinstance(v, dict): return {k: none(x) for k, x in v.items()}
	    return [none(x) for x in v] if isinstance(v, list) else v or 0 if v is None else v
	got, want = (none(json.load(open(f))) for f in ("got", "want"))
	assert near(got, want), (got, want)
	END
}

@test "a discovery by hand: judged by role, state and city, recorded, lifted" {
	ask "Need 1 Welder in Gary IN" >q
	lh-lift --playbook book.lhv few.lhv <q >out
	[ "$(head -n 1 out | jq -c '[.lift.cold[] | [.id, .score]]')" = '[["cook",0.5],["welder",1],["other",0.5],["none",0]]' ]
	[ "$(head -n 1 out | jq -c '.lift | [.best, .discovery, .lifted, .boosted, .injected, .bleed, .open_gate]')" = '[2,true,true,1,0,0,false]' ]
	[ "$(head -n 1 out | jq -c '.lift.warm | [.[0].id, .[0].playbook.boosted]')" = '["welder",true]' ]
	[ "$(lh-playbook export book.lhv)" = '{"query_text":"Need 1 Welder in Gary IN","answer_id":"welder","answer_corpus":"few","score":1,"tags":["Welder"],"role":"Welder"}' ]
	[ "$(head -n 1 out | jq -r .lift.playbook_id)" = "pb-$(printf 'Need 1 Welder in Gary IN|welder|few' | sha256sum | cut -c1-16)" ]
	[ "$(head -n 1 out | jq '.lift | .distance_change < 0 and (.warm[0].distance - .cold[0].distance - .distance_change | fabs < 1e-6)')" = true ]
}

@test "a discovery that the role gate or a distance keeps from the top is not a lift, with the reason" {
	ask "Need 2 Cooks in Gary IN" >q
	lh-lift few.lhv <q >out
	[ "$(head -n 1 out | jq -c '.lift | [.discovery, .lifted, .boosted, .warm[0].id]')" = '[true,false,0,"cook"]' ]
	[ "$(summary '[.discoveries, .lifts, .lift_ratio, .displaced]')" = '[1,0,0,0]' ]
	ask "Cooking in Gary IN" >q
	lh-lift few.lhv <q >out
	[ "$(head -n 1 out | jq -c '.lift | [.discovery, .lifted, .boosted, .open_gate, .warm[0].id]')" = '[true,false,1,true,"cook"]' ]
}

@test "an answer to words nearly alike may come before the recorded one: displaced" {
	{ ask "Need 1 Welder in Gary IN"; ask "Need 1 Welder in Gary IN!" '.state = "OH"'; } >q
	lh-lift few.lhv <q >out
	[ "$(head -n 2 out | jq -c '.lift | [.best, .discovery, .lifted, .warm[0].id]' | paste -sd' ')" = '[2,true,true,"welder"] [3,true,false,"welder"]' ]
	[ "$(summary '[.discoveries, .lifts, .displaced, .displaced_worse]')" = '[2,1,1,1]' ]
}

@test "where the first is as good as any, nothing is recorded and no playbook is made" {
	ask "A welder who lives near Lake Michigan" >q
	lh-lift --playbook book.lhv few.lhv <q >out
	[ "$(head -n 1 out | jq -c '.lift | [.best, .discovery, .playbook_id, .lifted]')" = '[1,false,null,false]' ]
	[ "$(summary '[.discoveries, .lift_ratio, .mean_distance_change]')" = '[0,null,0]' ]
	[ ! -e book.lhv ]
}

@test "a query comes back as it came, with lift last" {
	echo '{ "lift":1, "query_text" :"Need 1 Welder in G\u0061ry IN", "n":12345678901234567890, "role":"Welder","city":"Gary","state":"IN"}' >q
	lh-lift few.lhv <q >out
	[[ $(head -n 1 out) == '{ "query_text" :"Need 1 Welder in G\u0061ry IN", "n":12345678901234567890, "role":"Welder","city":"Gary","state":"IN","lift":{"cold":'* ]] ||
		{ head -n 1 out; return 1; }
}

@test "an entry about another role that moves a result is bleed: exit 1, and what it is" {
	# the wording says Welder, what is known says Cook: the gate lets the welder's entry through
	ask "Need 1 Welder in Gary IN" >q
	lh-lift -q --playbook book.lhv few.lhv <q >out
	ask "Need 1 Welder in Gary IN" '.role = "Cook"' >q
	run -1 --separate-stderr lh-lift --playbook book.lhv few.lhv <q
	[ "$stderr" = "lh-lift: 1 result moved by entries of another role" ]
	[ "$(tail -n 1 <<<"$output" | jq -c '.summary | [.bleed, .open_gate_bleed]')" = '[1,0]' ]
	# what is recorded just before the second pass begins counts, too
	mkdir own
	cp "$(command -v lh-lift)" own
	cat >own/lh-search <<-END
	#!/bin/bash
	case \$* in *late.lhv*) ! mkdir tried 2>/dev/null && lh-playbook export book.lhv | lh-playbook record -q late.lhv >ids ;; esac
	exec $(command -v lh-search) "\$@"
	END
	chmod +x own/lh-search
	run --separate-stderr own/lh-lift -j1 --playbook late.lhv few.lhv <q
	[ "$(tail -n 1 <<<"$output" | jq -c '.summary | [.discoveries, .boosted, .bleed]')" = '[0,1,1]' ]
	# where the wording gives no role the gate is open, and the report says so
	ask "a Welding, Gary IN" '.role = "Cook"' >q
	lh-lift --playbook book.lhv few.lhv <q >out
	[ "$(summary '[.bleed, .open_gate, .open_gate_bleed]')" = '[0,1,1]' ]
}

@test "--now: the same input gives the same bytes, with any number of threads, and the same playbook" {
	lh-lift --now $NOW -j1 --playbook a.lhv w="$WORKERS" few.lhv <"$DEMAND" >one
	lh-lift --now $NOW -j3 --playbook b.lhv w="$WORKERS" few.lhv <"$DEMAND" >three
	cmp one three
	cmp a.lhv b.lhv
}

@test "a query that cannot be measured is rejected with its line; the others are measured" {
	cat >cases <<-'END'
	del(.role)	missing "role" (string)
	.city = ""	missing "city" (string)
	.state = null	missing "state" (string)
	.corpora = ["few", "many"]	no corpus is named "many"; known: "few"
	END
	ask "Need 1 Welder in Gary IN" >good
	jq -c "$(cut -f 1 cases | paste -sd,)" good >bad
	cat good bad good >q
	run -1 --separate-stderr lh-lift --rejects rejected few.lhv <q
	{ cut -f 2 cases | awk '{ print "lh-lift: -:" NR + 1 ": " $0 }'; echo "lh-lift: 4 of 6 records rejected"; } >want
	diff want <(echo "$stderr")
	cmp bad rejected
	[ "$(jq -c '.lift.lifted' <<<"$output" | paste -sd' ')" = "true true null" ]
}

@test "usage and files that are not there: exit 2, one line, before anything is read" {
	run -2 --separate-stderr lh-lift </dev/null
	[ "$stderr" = 'lh-lift: missing operand INDEX' ]
	run -2 --separate-stderr lh-lift absent.lhv </dev/null
	[ "$stderr" = 'lh-lift: absent.lhv: No such file or directory' ]
	echo no >bad.lhv
	run -2 --separate-stderr lh-lift --playbook bad.lhv few.lhv </dev/null
	[[ $stderr == 'lh-lift: bad.lhv: '* ]]
	# entries must not get into an index of something else
	run -2 --separate-stderr lh-lift --playbook few.lhv w=few.lhv <<<"$(ask "Need 1 Welder in Gary IN")"
	[ "$stderr" = 'lh-lift: few.lhv is not a playbook: row 0: missing "query_text" (string)' ]
	[ ! -e few.lhv-log ]
	run -2 --separate-stderr lh-lift --playbook - few.lhv </dev/null
	run -2 --separate-stderr lh-lift playbook_memory=few.lhv </dev/null
	[[ $stderr == *'playbook_memory'* ]]
	nothing_left
}

@test "--on-error emit writes the error before the lines, with the id; stop ends before the second pass" {
	{ ask "Need 1 Welder in Gary IN"; echo '{"id":7,"query_text":"x"}'; ask "Welder in Gary"; } >q
	run -1 --separate-stderr lh-lift --on-error emit few.lhv <q
	[ "${lines[0]}" = '{"id":7,"error":{"file":"-","line":2,"code":400,"message":"missing \"role\" (string)"}}' ]
	[ "$(jq -c '.lift.lifted' <<<"$output" | paste -sd' ')" = "null true true null" ]
	run -1 --separate-stderr lh-lift --on-error stop few.lhv <q
	[ -z "$output" ]
	nothing_left
}

@test "no queries: a summary of nothing" {
	run -0 --separate-stderr lh-lift --now $NOW few.lhv </dev/null
	[ "$(sed -E 's/lift-[0-9a-f]{16}/ID/' <<<"$output")" = '{"summary":{"queries":0,"discoveries":0,"lifts":0,"lift_ratio":null,"displaced":0,"displaced_worse":0,"boosted":0,"injected":0,"mean_distance_change":null,"mean_score_cold":null,"mean_score_warm":null,"bleed":0,"open_gate":0,"open_gate_bleed":0,"paraphrases":0,"held":0,"hold_ratio":null,"styles":[],"run":"ID"}}' ]
}

# ---- a stored run ----

@test "--paraphrase asks each discovery in the styles that it is not in" {
	{ ask "Need 1 Welder in Gary IN starting at 06:00 for Beacon Freight"; ask "A welder who lives near Lake Michigan"; ask "Welder in Gary" 'del(.at)'; } >q
	lh-lift --paraphrase few.lhv <q >out
	cat >want <<-'END'
	Beacon Freight needs 1 Welder in Gary IN starting at 06:00
	Looking for 1 Welder at Beacon Freight in Gary IN for a 06:00 start
	1 Welder Gary IN 06:00 Beacon Freight
	END
	head -n 1 out | jq -r '.lift.paraphrases[].query_text' | diff want -
	# no discovery, and one of which too little is known
	[ "$(sed -n 2,3p out | jq -c '.lift | [.discovery, .paraphrases]' | paste -sd' ')" = '[false,[]] [true,[]]' ]
	# held is whether lh-search, asked so, answers with what was recorded
	lh-lift --playbook book.lhv few.lhv <q >out
	answer=$(head -n 1 out | jq -r '.lift | .cold[.best - 1].id')
	jq -Rc '{query_text: .}' want | lh-search -k 10 --auto-role --playbook book.lhv few.lhv | jq -c --arg a "$answer" '.results[0].id == $a' >held
	lh-lift --paraphrase few.lhv <q >out
	head -n 1 out | jq '.lift.paraphrases[].held' | diff held -
	[ "$(summary '[.paraphrases, .held]')" = "[3,$(grep -c true held)]" ]
}

# ---- a model as the judge ----

@test "--judge-model: a rating of 1 to 5 is a score of 0 to 1, found in prose, clamped; the second pass asks no model" {
	cat >answers <<-'END'
	{"content":"{\"rating\":2}"}
	{"content":"Sure!\n```json\n{\"rating\": 9, \"why\": \"just so\"}\n```"}
	{"content":"{\"rating\":-1e999}"}
	{"content":"{\"rating\":3.0}"}
	END
	start_chat --mode replay --body answers --log log
	# what is known does not count, and need not be
	ask "Need 1 \"Welder\" in Gary IN" 'del(.city, .state) | .role = "Cook"' >q
	LH_OLLAMA_URL=$URL lh-lift --judge-model m --playbook book.lhv few.lhv <q >out || [ $? = 1 ]
	[ "$(head -n 1 out | jq -c '[.lift.cold[] | [.id, .score]]')" = '[["cook",0.25],["welder",1],["other",0],["none",0.5]]' ]
	[ "$(head -n 1 out | jq -c '.lift | [.best, .discovery, .lifted, (.warm | map(.score))]')" = '[2,true,false,[0.25,1,0,0.5]]' ]
	[ "$(lh-playbook export book.lhv | jq -c '[.answer_id, .score, .role]')" = '["welder",1,"Cook"]' ]
	[ "$(wc -l <log)" = 4 ]
	[ "$(head -n 1 log | jq -r '.body | fromjson | .messages[1].content')" = 'Query: Need 1 "Welder" in Gary IN
Result: {"text":"Need 2 Cooks in Gary IN","role":"Cook","city":"Gary","state":"IN"}' ] || { head -n 1 log; return 1; }
}

@test "--least-score: what the judge scores less is neither recorded nor injected; a model is asked once for it" {
	ask "Need 1 Welder in Gary IN" >q
	# at record
	for least in 0.5:2 0.51:null 1:null; do
		printf '{"content":"{\\"rating\\":%s}"}\n' 2 3 1 1 >answers
		start_chat --mode replay --body answers --log log
		rm -f book.lhv*
		LH_OLLAMA_URL=$URL lh-lift --judge-model m --least-score ${least%:*} --playbook book.lhv few.lhv <q >out
		[ "$(head -n 1 out | jq -c '.lift | if .discovery then .best else null end')" = "${least#*:}" ] || { echo "$least"; cat out; return 1; }
		[ "$(head -n 1 out | jq -c '.lift | [.best, .gated, .playbook_id == null, .lifted]')" = "$([ "${least#*:}" = 2 ] && echo '[2,false,false,false]' || echo '[2,true,true,false]')" ]
		[ "$(summary '[.discoveries, .gated, .refused]')" = "$([ "${least#*:}" = 2 ] && echo '[1,0,0]' || echo '[0,1,0]')" ]
		[ -e book.lhv ] || [ "${least#*:}" = null ]
	done
	# at injection: the entry is of another demand in nearly the same words, and its answer is not in the first results
	lh-gen workers -n 300 | lh-index build -q many.lhv
	id=$(lh-search -k 300 --flat -Q "Need 1 Welder in Gary IN" many.lhv | tail -n 1 | jq -r .id)
	jq -nc --arg id "$id" '{query_text: "We need 1 Welder in Gary IN", answer_id: $id, answer_corpus: "many", score: 1}' | lh-playbook record -q book.lhv
	for rating in 1:1 3:0 x:1; do
		{ printf '{"content":"{\\"rating\\":5}"}\n%.0s' {1..3}; echo '{"content":"{\"rating\":'${rating%:*}'}"}'; } >answers
		start_chat --mode replay --body answers --log log.$rating
		LH_OLLAMA_URL=$URL lh-lift -k 3 --judge-model m --least-score 0.5 --playbook book.lhv many.lhv <q >out
		[ "$(summary '[.refused, .injected]')" = "[${rating#*:},$((1 - ${rating#*:}))]" ] || { echo "$rating"; cat out; return 1; }
		[ "$(head -n 1 out | jq --arg id "$id" '[.lift.warm[] | select(.id == $id)] | length')" = $((1 - ${rating#*:})) ]
		[ "$(wc -l <log.$rating)" = 4 ]
	done
	# without it nothing is asked in the second pass, and the known members judge too
	jq -c '.role = "Pilot"' q >pilot
	lh-lift -k 3 --playbook book.lhv many.lhv <pilot | tail -n 1 | jq -e '.summary | .injected == 1 and (has("refused") | not)'
	lh-lift -k 3 --least-score 1 --playbook book.lhv many.lhv <pilot | tail -n 1 | jq -e '.summary | .injected == 0 and .refused == 1'
	for wrong in -0.1 1.1 x; do run -2 lh-lift --least-score $wrong few.lhv; done
}

@test "a judge that does not rate rejects that query alone, and nothing is recorded of it" {
	printf '%s\n' "I cannot say." '{"rating":"4"}' '{"score":4}' '[4]' '' '{"rating":4' >answers
	{ jq -Rc '{content: .}' answers; for i in 1 5 1 1; do echo '{"content":"{\"rating\":'$i'}"}'; done; } >body
	start_chat --mode replay --body body
	jq -nc --argjson q "$(ask "Need 1 Welder in Gary IN")" '$q + {n: range(7)}' >q
	LH_OLLAMA_URL=$URL run --separate-stderr lh-lift -j1 --judge-model m --playbook book.lhv few.lhv <q
	[ "$status" = 1 ]
	{ awk '{ print "lh-lift: -:" NR ": the judge gave no rating of \"cook\": " $0 }' answers; echo "lh-lift: 6 of 7 records rejected"; } >want
	diff want <(echo "$stderr")
	[ "$(tail -n 1 <<<"$output" | jq -c '.summary | [.queries, .lifts]')" = '[1,1]' ]
	[ "$(lh-playbook list book.lhv | wc -l)" = 1 ]
}

@test "a judge that cannot be asked: its code, exit 2 or 1, and the others are tried" {
	{ ask "Need 1 Welder in Gary IN"; ask "Welder in Gary"; } >q
	LH_OLLAMA_URL=http://127.0.0.1:1 run --separate-stderr lh-lift --retries 0 --judge-model m few.lhv <q
	[ "$status" = 2 ]
	[[ ${stderr_lines[0]} == "lh-lift: -:1: 502 http://127.0.0.1:1/api/chat: "* ]]
	[ "${stderr_lines[2]}" = "lh-lift: 2 of 2 records rejected" ]
	KIMI_API_KEY= run --separate-stderr lh-lift --judge-model kimi/k few.lhv <q
	[ "$status" = 1 ]
	[[ ${stderr_lines[0]} == "lh-lift: -:1: 404 "* ]]
	start_chat --delay 60
	LH_OLLAMA_URL=$URL run --separate-stderr patiently lh-lift --timeout 0.2 --retries 0 --judge-model m few.lhv <q
	[ "$status" = 2 ]
	[[ ${stderr_lines[0]} == "lh-lift: -:1: 504 "* ]]
	for option in --judge-model; do
		run -2 --separate-stderr lh-lift "$option" "" few.lhv <q
		[ "$stderr" = "lh-lift: $option is empty" ]
		run -2 --separate-stderr lh-lift "$option" $'\xff' few.lhv <q
		[ "$stderr" = "lh-lift: $option is not UTF-8" ]
	done
	nothing_left
}

# ---- the report ----

@test "--report: the same numbers by style, and each discovery that is not a lift with the reason" {
	{ ask "Need 1 Welder in Gary IN" '.style = "a|b"'; ask "Need 1 Welder in Gary IN!" '.state = "OH"'; ask "Need 2 *Cooks* in Gary IN"; ask "Cooking in Gary IN"; } >q
	lh-lift --now $NOW --report r.md few.lhv <q >out
	grep -qF "**Date:** 2026-05-03T12:00:00.000Z" r.md
	grep -qF "**Verdict:** 1 of 4 discoveries are lifts; 0 results moved by entries of another role" r.md
	grep -qF '| a\|b | 1 | 1 | 1 | 1.0000 | 0 | 0 |' r.md
	grep -qF '| all | 4 | 4 | 1 | 0.2500 | 1 | 1 |' r.md
	id=$(head -n 1 out | jq -r .lift.playbook_id)
	grep -qF "| Need 1 Welder in Gary IN! | other | 1.00 | welder | displaced: boosted by $id |" r.md
	grep -qF '| Need 2 \*Cooks\* in Gary IN | welder | 1.00 | cook | not moved |' r.md
	grep -qF '| Cooking in Gary IN | welder | 1.00 | cook | moved, to rank 2 |' r.md
	cp r.md again.md
	lh-lift --now $NOW --report again.md few.lhv <q >out
	cmp r.md again.md
}

@test "a report that cannot be written is exit 2 before anything is read or recorded; the old one stays" {
	ask "Need 1 Welder in Gary IN" >q
	mkfifo pipe
	ln -s elsewhere link
	for report in no/r.md pipe link .; do
		run -2 --separate-stderr lh-lift --playbook book.lhv --report "$report" few.lhv <q
		[ -z "$output" ]
		[[ $stderr == "lh-lift: "*"${report#no/}"*": "* ]] || { echo "$stderr"; return 1; }
		[ ! -e book.lhv ]
	done
	echo '# Lift' >r.md
	run -1 lh-lift --on-error stop --report r.md few.lhv <<<"{}"
	[ "$(cat r.md)" = '# Lift' ]
	no_litter
	nothing_left
}

# ---- ends ----

# under_way PID - until it has started children and recorded something.
under_way() {
	until_so pgrep -P "$1" lh-playbook
	until_so pgrep -P "$1" lh-search
}

@test "whatever ends it, no child is left, and the folder goes at once or with the next run" {
	for end in INT TERM KILL child; do
		mkfifo in
		hears_int lh-lift -j2 "$WORKERS" <in >out 2>err 3>&- &
		pid=$!
		exec 7>in
		cat "$DEMAND" >&7
		under_way "$pid"
		children=$(pgrep -P "$pid" lh-search)
		if [ "$end" = child ]; then
			kill -KILL $children
			ask "Need 1 Welder in Gary IN" >&7 || true	# it may have ended by now
		else
			kill -$end "$pid"
		fi
		status=0
		wait "$pid" || status=$?
		exec 7>&-
		rm in
		case $end in
		child)
			[ "$status" = 2 ]
			[ "$(cat err)" = "lh-lift: lh-search was ended by signal 9" ] || { cat err; return 1; }
			;;
		*) [ "$status" = $((128 + $(kill -l $end))) ] || { echo "$end: $status"; return 1; } ;;
		esac
		for child in $children; do
			until_so eval '! kill -0 "$child" 2>/dev/null'
		done
		[ $end = KILL ] || [ -z "$(ls -A tmp)" ]
	done
	# the folder that KILL left went with the next run
	[ -z "$(ls -A tmp)" ]
}

@test "a reader that goes away: exit 0, nothing is left" {
	lh-lift "$WORKERS" <"$DEMAND" 2>err | head -n 1 >out
	[ "${PIPESTATUS[0]}" = 0 ]
	[ ! -s err ]
	nothing_left
}
