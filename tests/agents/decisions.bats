# The log of decisions: a row for what a filter decided, before it is answered.
load ../helper
load ../servers/serve
load ../servers/server

setup_file() {
	load ../helper
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir -p state/index state/playbook rules
	lh-gen workers -n 20 >workers.jsonl
	cp workers.jsonl state/roster.jsonl
	lh-index build -q state/index/workers.lhv workers.jsonl
	echo '{"query_text":"Need a Welder","answer_id":"w-3","answer_corpus":"workers","score":1}' >good
	lh-playbook record -q state/playbook/playbook_memory.lhv good >entry
	jq -nc '{rules: [{id: "no-cash", task_class: "staffing.email", condition: {type: "FieldContainsAny", field: "body", needles: ["cash"]},
		action: {type: "Block", message: "no cash"}}]}' >rules/a.json
	echo '{"rules":[]}' >rules/b.json
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR/state" s
	cp -r "$BATS_FILE_TMPDIR"/rules .
	ROSTER=s/roster.jsonl IX=s/index/workers.lhv PB=s/playbook/playbook_memory.lhv
	ENTRY=$(jq -r .playbook_id "$BATS_FILE_TMPDIR/entry")
}

teardown() {
	stop_serves
	faults_happened
}

# sum - the SHA-256 of stdin.
sum() {
	sha256sum | cut -c 1-64
}

FILL='{"kind":"fill","artifact":{"fills":[{"candidate_id":"w-3","name":"X"},{"candidate_id":"nobody","name":"Y"}]},"trace_id":"t-1"}'
CASH='{"kind":"email","artifact":{"to":"a@b","subject":"s","body":"cash"},"context":{"city":"Gary"}}'

@test "a verdict leaves a row: what was asked, by which roster and rules, whom it is about" {
	printf '%s\n' "$FILL" "$CASH" '{"kind":"odd","artifact":{}}' '{"kind":7}' >in
	run -1 --separate-stderr lh-validate --roster $ROSTER --rules rules --decisions log --now 2026-05-03T12:00:00Z in
	[ "$(stat -c %a log)" = 600 ]
	printf '%s\n' "${lines[@]}" | diff <(lh-validate -q --roster $ROSTER --rules rules --now 2026-05-03T12:00:00Z in) -
	asked=$(jq -cj '{kind, artifact}' <<<"$FILL" | sum)
	diff <(first 1 <log) - <<-END
	{"schema":"decision.v1","ts":"2026-05-03T12:00:00.000Z","trace_id":"t-1","tool":"lh-validate","asked":"$asked","verdict":"consistency","rules":"$(cat rules/*.json | sum)","playbook":null,"indexes":[{"name":"roster.jsonl","generation":"$(sum <$ROSTER)"}],"ids":[{"id":"w-3","found":true},{"id":"nobody","found":false}],"kind":"fill"}
	END
	# a line that was not judged has none
	[ "$(jq -r '[.kind, .verdict] | join(" ")' log | xargs)" = 'fill consistency email policy odd bad_request' ]
	# with the text a request can be judged again
	LH_TRACE_ID=all lh-validate --roster $ROSTER --rules rules --decisions text --decisions-text in 2>/dev/null >/dev/null || [ $? = 1 ]
	[ "$(jq -r .asked text | xargs)" = "$(jq -r .asked log | xargs)" ]
	[ "$(jq -r .trace_id text | xargs)" = 't-1 all all' ]
	jq -r .text text | sed -n 2p | lh-validate --roster $ROSTER --rules rules | jq -e '.verdict.error.Policy' || [ $? = 1 ]
	jq -r .text text | sed -n 2p | diff - <(jq -c '{kind, artifact, context}' <<<"$CASH")
}

@test "an index as the roster is named by its generation, which each change of it changes" {
	for i in 1 2; do
		lh-validate --roster $IX --decisions log <<<"$FILL" >/dev/null || [ $? = 1 ]
		echo '{"id":"w-3","text":"new","metadata":{"name":"X"}}' | lh-index add -q $IX -
	done
	lh-validate --roster $IX --decisions log <<<"$FILL" >/dev/null || [ $? = 1 ]
	[ "$(jq -r '.indexes[] | .name' log | sort -u)" = workers ]
	[ "$(jq -r '.indexes[].generation' log | sort -u | wc -l)" = 3 ]
	jq -es 'all(.[].indexes[].generation; test("^[0-9a-f]{16}[+][0-9]+$"))' log
}

@test "a search with a playbook leaves a row of what it showed, and which entries moved it" {
	lh-search --playbook $PB --decisions log --decisions-text -k 3 -Q 'Need a Welder' $IX >answer
	jq -c '[.ids[] | .id]' log | diff - <(jq -c '[.results[].id]' answer)
	jq -e --arg entry "$ENTRY" --arg asked "$(printf 'Need a Welder' | sum)" '.tool == "lh-search" and .text == "Need a Welder" and .asked == $asked and
		(.ids[0] | .id == "w-3" and .corpus == "workers" and (.injected_by // .boosted_by) == $entry) and
		.indexes[0].name == "workers" and (.playbook.generation | length >= 18) and (.verdict == "injected" or .verdict == "boosted")' log
	# a query that uses none has none
	echo '{"query_text":"x","use_playbook":false}
		{"query_text":"y","use_playbook":true,"trace_id":"t-2"}' | lh-search --playbooks s/playbook --decisions log $IX | jq -c .query_text | xargs | has '^x y$'
	[ "$(jq -r .trace_id log | xargs)" = t-2 ]
	run -2 --separate-stderr lh-search --decisions log -Q x $IX
	[[ $stderr = *'--decisions: needs --playbook or --playbooks'* ]]
	run -2 --separate-stderr lh-validate --decisions-text in
	[[ $stderr = *'--decisions-text: needs --decisions'* ]]
}

@test "a session leaves a row of how it ended, and of everybody whom its answers were about" {
	printf '%s\n' 'Here: {"fills":[{"candidate_id":"nobody","name":"A"}]}' '{"fills":[{"candidate_id":"w-3","name":"B"}]}' 'no' |
		jq -R '{content: .}' -c >answers
	jq -nc '{kind: "fill", model: "m", prompt: "p", context: {target_count: 1}, max_iterations: 2, trace_id: "t-1"},
		{kind: "fill", model: "m", prompt: "q", max_iterations: 1, trace_id: "t-2"}, {kind: "fill", model: "m", prompt: "r", trace_id: "t-3"}, {kind: "fill"}' >in
	lh-iterate -q --answers answers --roster $ROSTER --rules rules --decisions log --decisions-text in >out 2>err || [ $? = 1 ]
	jq -c '[.trace_id, .tool, .verdict, .iterations, .kind]' log | diff - <(printf '%s\n' '["t-1","lh-iterate","accepted",2,"fill"]' \
		'["t-2","lh-iterate","max_iter_exhausted",1,"fill"]' '["t-3","lh-iterate","infra_error",1,"fill"]')
	[ "$(first 1 <log | jq -c .ids)" = '[{"id":"nobody","found":false},{"id":"w-3","found":true}]' ]
	[ "$(jq -r .rules log | sort -u)" = "$(cat rules/*.json | sum)" ]
	[ "$(jq -r '.indexes[].generation' log | sort -u)" = "$(sum <$ROSTER)" ]
	[ "$(first 1 <log | jq -r .text)" = '{"kind":"fill","prompt":"p","context":{"target_count":1}}' ]
	[ "$(first 1 <log | jq -r .asked)" = "$(first 1 <log | jq -j .text | sum)" ]
	run -2 lh-iterate --emit-session --decisions log <<<'{}'
}

@test "an entry that is recorded in a playbook leaves a row, one that is refused none" {
	printf '%s\n' '{"query_text":"Need a Welder","answer_id":"w-4","answer_corpus":"workers","score":0.5,"trace_id":"t-1"}' '{"query_text":"x"}' >in
	run -1 --separate-stderr lh-playbook record -q --decisions log --decisions-text $PB in
	id=$(first 1 <<<"$output" | jq -r .playbook_id)
	[ "$(jq -c 'del(.ts, .asked)' log)" = '{"schema":"decision.v1","trace_id":"t-1","tool":"lh-playbook","text":"Need a Welder","verdict":"recorded","rules":null,"playbook":{"name":"playbook_memory","generation":null},"indexes":[],"ids":[{"id":"w-4","corpus":"workers"}],"entry":"'"$id"'","score":0.5}' ]
	[ "$(jq -r .asked log)" = "$(printf 'Need a Welder' | sum)" ]
	jq -nc '{op: "bulk", trace_id: "t-2", entries: [range(3) | {query_text: "q\(.)", answer_id: "w-\(.)", answer_corpus: "workers", score: (if . == 1 then 7 else 1 end)}]}' >in
	lh-playbook requests --decisions more s/playbook in | jq -e '.recorded == 2'
	[ "$(jq -r '[.trace_id, .ids[0].id] | join(" ")' more | xargs)" = 't-2 w-0 t-2 w-2' ]
	# an entry whose row cannot be written is not said to be recorded
	mv more aside
	mkfifo go
	lh-playbook requests --on-error emit --decisions more s/playbook <go >out 2>err &
	exec 9>go
	until_so test -e more
	rm more; mkdir more
	printf '%s\n' '{"op":"record","query_text":"z","answer_id":"w-9","answer_corpus":"workers","score":1}' >&9
	exec 9>&-
	wait $! || [ $? = 1 ]
	[ "$(jq -c .error.code out)" = 503 ]
}

@test "a measured query leaves a row of what came of it, beside those of its searches and entries" {
	lh-gen queries -n 6 >in
	lh-lift -q -k 3 --decisions log --decisions-text --now 2026-05-03T12:00:00Z $IX <in >out || [ $? = 1 ]
	[ "$(jq -c 'select(.tool == "lh-lift")' log | wc -l)" = 6 ]
	jq -c 'select(.tool == "lh-lift") | [.verdict == "lifted", [.ids[].id]]' log | sort |
		diff - <(jq -c 'select(.lift) | [.lift.lifted, [.lift.warm[].id]]' out | sort)
	[ "$(jq -r 'select(.tool == "lh-search") | .indexes[0].name' log | sort | uniq -c | xargs)" = '6 workers' ]
	[ "$(jq -r .ts log | sort -u)" = 2026-05-03T12:00:00.000Z ]
	diff <(jq -r 'select(.tool == "lh-lift").asked' log | sort) <(jq -r 'select(.tool == "lh-search").asked' log | sort)
	[ "$(jq -c 'select(.tool == "lh-playbook")' log | wc -l)" = "$(jq -c 'select(.lift.playbook_id)' out | wc -l)" ]
	run -2 lh-lift --decisions in $IX <in
}

@test "rows of many threads and processes are whole, one for each answer" {
	for i in {1..200}; do echo '{"query_text":"Welder '$i'","k":2}'; done >in
	for i in 1 2 3; do
		lh-search -j4 --playbook $PB --decisions log $IX <in >out.$i 2>err.$i &
	done
	wait
	cat out.* | wc -l | has '^600$'
	[ "$(jq -c .asked log | wc -l)" = 600 ]
	[ "$(jq -r .asked log | sort | uniq -c | grep -c '^ *3 ')" = 200 ]
}

@test "what is no log of decisions is not appended to; a row that was cut stays, and is reported" {
	cp "$BATS_FILE_TMPDIR/workers.jsonl" .
	run -2 --separate-stderr lh-validate --decisions workers.jsonl <<<"$FILL"
	[[ $stderr = *'workers.jsonl is not a log of decisions' ]]
	cmp workers.jsonl "$BATS_FILE_TMPDIR/workers.jsonl"
	printf '{"schema":"deci' >log
	run -1 --separate-stderr lh-validate --decisions log <<<'{"kind":"sms","artifact":{}}'
	[[ $stderr = *'log: an incomplete line at byte 0'* ]]
	[ "$(first 1 <log)" = '{"schema":"deci' ]
	sed -n 2p log | jq -e '.verdict == "schema"'
}

@test "without its row there is no answer: exit 2, or an error of the record with status 503" {
	: >log
	run -2 bash -c '(ulimit -f 0; exec lh-validate --roster s/roster.jsonl --decisions log) 2>&1 | cat; exit ${PIPESTATUS[0]}' <<<"$FILL"
	[[ $output = 'lh-validate: log: write failed: '* ]]
	run -1 bash -c '(ulimit -f 0; exec lh-validate -q --wire --on-error emit --roster s/roster.jsonl --decisions log) 2>/dev/null | cat; exit ${PIPESTATUS[0]}' <<<"$FILL"
	[ "$(jq -c '[.error.code, .error.message]' <<<"$output")" = '[503,"the log of decisions cannot be written, and there is no answer without it"]' ]
	[ ! -s log ]
	run -2 lh-validate --roster $ROSTER --decisions nowhere/log <<<"$FILL"
	[ -z "$(grep -v nowhere <<<"$output")" ]
}

@test "lh-observe counts decisions and lists them, by tool, id and trace" {
	{ echo "$FILL"; echo "$CASH"; echo '{"kind":"sms","artifact":{}}'; } >in
	lh-validate --roster $ROSTER --rules rules --decisions log in >/dev/null || [ $? = 1 ]
	lh-search --playbook $PB --decisions log -k 2 -Q 'Need a Welder' $IX >/dev/null
	echo '{"a":1}' >>log
	printf '{"schema":"decision.v1","to' >>log
	run -0 --separate-stderr lh-observe decisions log
	moved=$(jq -Rr 'fromjson? | select(.tool == "lh-search") | .verdict' log)
	[ "$output" = '{"total":4,"by_tool":{"lh-search":1,"lh-validate":3},"by_verdict":{"lh-search '"$moved"'":1,"lh-validate consistency":1,"lh-validate policy":1,"lh-validate schema":1}}' ]
	[[ $stderr = *'1 line of the log skipped' ]]
	lh-observe decisions -q --list log | cmp - <(first 4 <log)
	lh-observe decisions -q --list --id w-3 log | cmp - <(sed -n '1p;4p' log)
	lh-observe decisions -q --list --id w-3 --tool lh-search log | cmp - <(sed -n 4p log)
	lh-observe decisions -q --list --trace-id t-1 log | cmp - <(sed -n 1p log)
	lh-observe decisions -q --id nobody log | jq -e '.total == 1'
	lh-observe decisions not-there | jq -e '.total == 0'
}

@test "lh-trace shows the decisions that name a worker, an entry of a playbook or a request" {
	mkdir -p r/data r/log
	lh-gen kb -q -n 5 --root r
	for i in 1 2 3; do
		echo '{"kind":"sms","artifact":{"to":"312-555-0100","body":"Hi"},"context":{"candidate_id":"w-'$i'"},"trace_id":"t-'$((i / 2))'"}'
	done | lh-validate -q --roster $ROSTER --decisions r/log/decisions.jsonl >/dev/null || [ $? = 1 ]
	echo '{"schema":"decision.v1","tool":"x","verdict":"boosted","ids":[{"id":"w-9","boosted_by":"pb-1"}],"entry":"e \"1"}' >>r/log/decisions.jsonl
	printf 'no row w-2\n{"schema":"decision.v1","tool":"x","ids":[{"id":"w-2"' >>r/log/decisions.jsonl
	# traced ID [OPTION]... - the lines of the log that the answer has
	traced() { lh-trace --root r --json "$@" | jq -c '[.as, [.. | objects | select(.step == "decision").line]]'; }
	[ "$(traced w-2)" = '["decision",[2]]' ]
	[ "$(traced t-1)" = '["decision",[2,3]]' ]
	[ "$(traced pb-1)" = '["decision",[4]]' ]
	[ "$(traced 'e "1')" = '["decision",[4]]' ]
	[ "$(traced log/decisions.jsonl:3)" = '["decision",[3]]' ]
	[ "$(traced --limit 1 t-1)" = '["decision",[3]]' ]
	lh-trace --root r --limit 1 t-1 | grep -F 'decisions  rows 2  more 1'
	[ "$(traced --subject w-1)" = '["decision",[1]]' ]
	for none in "--subject t-1" w-77 log/decisions.jsonl:5; do
		run -1 lh-trace --root r $none
		[[ $output == *"place decisions  files 1  rows 5"* ]]
	done
	# with a subject's own log, they follow its look-ups
	mkdir -p r/data/_catalog/subjects
	(umask 077; printf '%032d' 0 >subject.key)
	echo '{"candidate_id":"w-2","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":["name"],"result":"success"}' |
		lh-subject-audit append -q --key-file subject.key --sync none --dir r/data/_catalog/subjects >/dev/null
	[ "$(lh-trace --root r --json w-2 | jq -c '[.as, .steps[].step]')" = '["subject","subject","decisions"]' ]
	mv r/log/decisions.jsonl old.jsonl
	run -1 lh-trace --root r t-1
	[ "$(traced --decisions old.jsonl t-1)" = '["decision",[2,3]]' ]
	run -2 lh-trace --root r --decisions none t-1
	[[ $output == *"none: cannot open: No such file or directory" ]]
}

@test "lh-serve logs the decisions that its configuration wants, under the caller's trace" {
	echo '{"state":"s","decisions":true,"decisions_text":true}' >config
	lh-serve --config config --no-audit-required --print-config >printed
	jq -e '.decisions and .decisions_text' printed
	lh-serve --config printed --print-config | cmp - printed
	export LH_OLLAMA_URL=http://127.0.0.1:1
	start_serve --config config
	LOG=s/log/decisions.jsonl
	curl -sS -H 'X-Lakehouse-Trace-Id: t-v' --json "$(jq -c 'del(.trace_id)' <<<"$FILL")" "$URL/v1/validate" | jq -e .Consistency
	curl -sS -H 'X-Lakehouse-Trace-Id: t-s' --json '{"query_text":"Need a Welder","k":3,"corpora":["workers"],"use_playbook":true}' "$URL/v1/matrix/search" >answer
	curl -sS --json '{"query_text":"Need a Welder","k":3,"corpora":["workers"]}' "$URL/v1/matrix/search" >/dev/null
	curl -sS -H 'X-Lakehouse-Trace-Id: t-r' --json '{"query_text":"a","answer_id":"w-9","answer_corpus":"workers","score":1}' "$URL/v1/matrix/playbooks/record" | jq -e .playbook_id
	curl -sS -H 'X-Lakehouse-Trace-Id: t-i' --json '{"kind":"fill","prompt":"p","model":"ollama/m","max_iterations":1}' "$URL/v1/iterate" >/dev/null
	[ "$(jq -r '[.tool, .trace_id] | join(" ")' $LOG | xargs)" = 'lh-validate t-v lh-search t-s lh-playbook t-r lh-iterate t-i' ]
	[ "$(stat -c %a $LOG)" = 600 ]
	jq -c 'select(.trace_id == "t-s") | [.ids[].id]' $LOG | diff - <(jq -c '[.results[].id]' answer)
	jq -r 'select(.trace_id == "t-v").text' $LOG | diff - <(jq -c '{kind, artifact}' <<<"$FILL")
	end_serve
	# without it no log
	rm $LOG
	start_serve --state s
	curl -sS --json "$FILL" "$URL/v1/validate" >/dev/null
	[ ! -e $LOG ]
	echo '{"state":"s","decisions_text":true}' >config
	run -2 --separate-stderr lh-serve --config config --check
	[[ $stderr = *'"decisions_text": needs "decisions"'* ]]
}

@test "lh-mcp alone logs what its filters decide, with --decisions" {
	call() { jq -nc --arg name "$1" --argjson args "$2" '{jsonrpc: "2.0", id: 1, method: "tools/call", params: {name: $name, arguments: $args, _meta: {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}, traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"}}}'; }
	{ call validate "$(jq -c 'del(.trace_id)' <<<"$FILL")"; call search '{"query":"Need a Welder","corpus":"workers","role":"Welder"}'; } >in
	for text in '' --decisions-text; do
		rm -f log
		while read -r line; do
			lh-mcp --state s --no-audit-required --decisions log $text <<<"$line" | jq -e '.result.isError == false'
		done <in
		[ "$(jq -r '[.tool, .trace_id] | join(" ")' log)" = $'lh-validate 0123456789abcdef0123456789abcdef\nlh-search 0123456789abcdef0123456789abcdef' ]
		jq -es --arg text "$text" 'all(has("text") == ($text != ""))' log
	done
	run -2 --separate-stderr lh-mcp --state s --decisions-text <in
	[ "$stderr" = 'lh-mcp: --decisions-text: needs --decisions' ]
	mkdir folder
	call validate "$(jq -c 'del(.trace_id)' <<<"$FILL")" | lh-mcp --state s --no-audit-required --decisions folder 2>err | jq -e '.result.isError'
}

@test "a server that is killed has given no verdict without its row" {
	echo '{"state":"s","decisions":true}' >config
	start_serve --config config
	body=$(jq -c 'del(.trace_id)' <<<"$FILL")
	for i in {1..40}; do
		curl -sS -m "$LH_PATIENCE" -H "X-Lakehouse-Trace-Id: t-$i" --json "$body" "$URL/v1/validate" 2>/dev/null | jq -r --arg i "$i" '.Consistency // empty | "t-" + $i' >>answered || true
		[ "$i" != 20 ] || { kill -s KILL "$SERVE"; break; }
	done
	[ "$(wc -l <answered)" -ge 19 ]
	while read -r id; do
		lh-observe decisions -q --trace-id "$id" s/log/decisions.jsonl | jq -e '.total == 1'
	done <answered
}

@test "a server whose log cannot be written answers 503 with the reason" {
	echo '{"state":"s","decisions":true}' >config
	start_serve --config config
	curl -sS --json "$FILL" "$URL/v1/validate" | jq -e .Consistency
	mv s/log/decisions.jsonl aside
	mkdir s/log/decisions.jsonl
	[ "$(curl -sS -o answer -w '%{http_code}' --json "$FILL" "$URL/v1/validate")" = 503 ]
	has 'the log of decisions cannot be written' <answer
	rmdir s/log/decisions.jsonl
	[ "$(curl -sS -o answer -w '%{http_code}' --json "$FILL" "$URL/v1/validate")" = 422 ]
	[ "$(wc -l <s/log/decisions.jsonl)" = 1 ]
}
