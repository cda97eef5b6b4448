# lh-iterate: generate, extract, validate, retry; and the log of such sessions.
# bats file_tags=quick
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	load ../servers/server
	unset LH_ROSTER LH_TRACE_ID LH_KEYS_FILE KIMI_API_KEY OLLAMA_CLOUD_KEY
}

teardown() {
	stop_upstreams
	faults_happened
}

NOW=2026-05-03T12:00:00Z
FIXTURES=$ROOT/share/fixtures/session

# fixture FILTER - accepted_grounded, changed by jq.
fixture() {
	jq -c "$1" "$FIXTURES/accepted_grounded.json"
}

@test "each of the four session fixtures becomes its row, byte for byte" {
	for name in accepted_grounded max_iter_exhausted infra_error unicode_in_prompt; do
		lh-iterate --emit-session --now $NOW "$FIXTURES/$name.json" > row
		cmp row "$FIXTURES/$name.row.json"
	done
}

@test "a row's members are in their order, however they came" {
	jq -c 'to_entries | reverse | from_entries' "$FIXTURES/max_iter_exhausted.json" > in
	lh-iterate --emit-session --now $NOW in > row
	cmp row "$FIXTURES/max_iter_exhausted.row.json"
}

@test "timestamp is the time, daemon is --daemon" {
	run -0 lh-iterate --emit-session --daemon gateway "$FIXTURES/infra_error.json"
	[[ $output =~ ^'{"schema":"session.iterate.v1","session_id":"trace-infra","timestamp":"2'[0-9T:.-]+'Z","daemon":"gateway","kind":' ]]
}

@test "absent grounded_in_roster is written as null, what else may be absent is left out" {
	fixture 'del(.grounded_in_roster, .artifact) | .attempts[0] |= . + {error: null, span_id: ""}' > in
	run -0 lh-iterate --emit-session in
	[[ $output == *'"attempts":[{"iteration":0,"verdict_kind":"accepted"}],"grounded_in_roster":null,"duration_ms":42}' ]]
	fixture '.attempts[0] |= . + {span_id: "s", error: "e"} | .grounded_in_roster = false' > in
	run -0 lh-iterate --emit-session in
	[[ $output == *'"attempts":[{"iteration":0,"verdict_kind":"accepted","error":"e","span_id":"s"}],"artifact":{'*'},"grounded_in_roster":false,'* ]]
}

@test "a prompt is not cut again" {
	fixture '.prompt = "é" * 5000' > in
	run -0 lh-iterate --emit-session in
	[ "$(jq '.prompt | length' <<<"$output")" = 5000 ]
}

@test "an artifact loses its white space and nothing else" {
	printf '%s\n' "$(fixture .)" | sed 's/"artifact":{[^}]*}]}/"artifact": { "b" : [ 1.0 , 1e5 ] , "a" : "x \\" { y" }/' > in
	run -0 lh-iterate --emit-session in
	[[ $output == *',"artifact":{"b":[1.0,1e5],"a":"x \" { y"},'* ]]
}

@test "a record that is not a row is rejected with the reason" {
	cat > cases <<-'END'
		. + {extra: 1}	unknown member "extra"
		. + {schema: "session.iterate.v1"}	unknown member "schema"
		. + {timestamp: "x"}	unknown member "timestamp"
		. + {daemon: "x"}	unknown member "daemon"
		.kind = "letter"	"kind" must be "fill", "email", "sms" or "playbook", not "letter"
		.final_verdict = "no_json"	"final_verdict" must be "accepted", "max_iter_exhausted" or "infra_error", not "no_json"
		.attempts[0].note = 1	unknown member "note" in attempts[0]
		.attempts[1] = {iteration: 1, verdict_kind: "max_iter_exhausted"}	attempts[1].verdict_kind must be "no_json", "validation_failed", "accepted" or "infra_error", not "max_iter_exhausted"
	END
	while IFS=$'\t' read -r change message; do
		fixture "$change" > in
		run -1 --separate-stderr lh-iterate --emit-session in
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-iterate: in:1: $message" ] || { echo "$change: $stderr"; false; }
	done < cases
}

# ---- sessions ----

# answers TEXT... - the file answers: what the model will say.
answers() {
	jq -nc '$ARGS.positional[] | {content: .}' --args "$@" > answers
}

roster() {
	cat > roster <<-'END'
		{"candidate_id":"W-1","name":"Ada Lovelace","city":"Toledo","state":"OH","role":"Welder"}
		{"candidate_id":"W-2","name":"Bob Noyce","status":"inactive"}
	END
}

ASK='{"kind":"fill","prompt":"Fill a seat.","model":"m","context":{"target_count":1}}'
GOOD='{"fills":[{"candidate_id":"W-1","name":"Ada Lovelace"}]}'
NOBODY='{"fills":[{"candidate_id":"W-9","name":"Nobody"}]}'
WHY="fills[0].candidate_id 'W-9' does not exist in worker roster"
ID=18ac0c6976478000

@test "accepted at once: the artifact, the report, one turn" {
	roster
	answers "Here: $GOOD"
	run -0 --separate-stderr lh-iterate --answers answers --roster roster --session-log log --now $NOW <<<"$ASK"
	[ -z "$stderr" ]
	[ "$output" = '{"artifact":'"$GOOD"',"validation":{"findings":[],"elapsed_ms":0},"iterations":1,"history":[{"iteration":0,"raw":'"$(jq -c .content answers)"',"status":{"kind":"accepted"}}],"trace_id":"'$ID'-00000001","status":200}' ]
	[ "$(cat log)" = '{"schema":"session.iterate.v1","session_id":"'$ID'-00000001","timestamp":"2026-05-03T12:00:00.000Z","daemon":"lh-iterate","kind":"fill","model":"m","provider":"ollama","prompt":"Fill a seat.","iterations":1,"max_iterations":3,"final_verdict":"accepted","attempts":[{"iteration":0,"verdict_kind":"accepted"}],"artifact":'"$GOOD"',"grounded_in_roster":true,"duration_ms":0}' ]
}

@test "the id of a request, a text or a number, changes nothing of it" {
	local id
	roster
	answers "$GOOD"
	lh-iterate --kind fill --answers answers --roster roster --now $NOW <<<"$(jq -c 'del(.kind)' <<<"$ASK")" >plain
	for id in '"a\"b"' 7 null; do
		lh-iterate --kind fill --answers answers --roster roster --now $NOW \
			<<<"$(jq -c --argjson id "$id" '{id: $id} + del(.kind)' <<<"$ASK")" >got
		cmp plain got
	done
}

@test "a draft in thoughts is no artifact, and of a broken answer no piece is: the model is asked again" {
	roster
	answers "<think>maybe $NOBODY</think>$GOOD"
	run -0 lh-iterate --answers answers --roster roster <<<"$ASK"
	[ "$(jq -c '[.iterations, .artifact]' <<<"$output")" = "[1,$GOOD]" ]
	answers "{\"fills\":[],\"or\":$NOBODY,}" "$GOOD"
	run -0 lh-iterate --answers answers --roster roster <<<"$ASK"
	[ "$(jq -c '[.history[].status.kind, .artifact]' <<<"$output")" = "[\"no_json\",\"accepted\",$GOOD]" ]
}

@test "no_json, then validation_failed, then accepted" {
	roster
	answers "I am not sure." "$NOBODY" "$GOOD"
	run -0 lh-iterate --answers answers --roster roster --session-log log --now $NOW <<<"$ASK"
	[ "$(jq -c .history <<<"$output")" = '[{"iteration":0,"raw":"I am not sure.","status":{"kind":"no_json"}},{"iteration":1,"raw":'"$(jq -c '.content' answers | sed -n 2p)"',"status":{"kind":"validation_failed","error":{"Consistency":{"reason":"'"$WHY"'"}}}},{"iteration":2,"raw":'"$(jq -c '.content' answers | sed -n 3p)"',"status":{"kind":"accepted"}}]' ]
	[ "$(jq .iterations <<<"$output")" = 3 ]
	[ "$(jq -c .attempts log)" = '[{"iteration":0,"verdict_kind":"no_json"},{"iteration":1,"verdict_kind":"validation_failed","error":"consistency: '"$WHY"'"},{"iteration":2,"verdict_kind":"accepted"}]' ]
}

@test "max iterations reached: the error, the history, exit 1" {
	roster
	answers no no no never
	run -1 --separate-stderr lh-iterate --answers answers --roster roster --session-log log --now $NOW <<<"$ASK"
	[ "$output" = '{"error":"max iterations reached (3)","iterations":3,"history":[{"iteration":0,"raw":"no","status":{"kind":"no_json"}},{"iteration":1,"raw":"no","status":{"kind":"no_json"}},{"iteration":2,"raw":"no","status":{"kind":"no_json"}}],"trace_id":"'$ID'-00000001","status":422}' ]
	[ "$stderr" = "lh-iterate: 1 of 1 sessions not accepted" ]
	[ "$(jq -c '[.final_verdict, .iterations, has("artifact"), .grounded_in_roster]' log)" = '["max_iter_exhausted",3,false,null]' ]
}

@test "answers exhausted is an infra_error: an attempt, no history, exit 2 when all ended so" {
	roster
	answers no
	run -2 --separate-stderr lh-iterate --answers answers --roster roster --session-log log --now $NOW <<<"$ASK"
	[ "$output" = '{"error":"answers exhausted","iterations":2,"history":[{"iteration":0,"raw":"no","status":{"kind":"no_json"}}],"trace_id":"'$ID'-00000001","status":502}' ]
	[ "${stderr_lines[0]}" = "lh-iterate: session $ID-00000001: answers exhausted" ]
	[[ $(cat log) == *',"iterations":2,"max_iterations":3,"final_verdict":"infra_error","attempts":[{"iteration":0,"verdict_kind":"no_json"},{"iteration":1,"verdict_kind":"infra_error","error":"answers exhausted"}],"grounded_in_roster":null,"duration_ms":0}' ]]
	answers "$GOOD"
	run -1 --separate-stderr lh-iterate --answers answers --roster roster <<<"$ASK"$'\n'"$ASK"
	[ "$(jq -r '.error // "accepted"' <<<"$output" | paste -sd ,)" = "accepted,answers exhausted" ]
	: > answers
	run -2 lh-iterate --answers answers --roster roster <<<"$ASK"
}

@test "answers are taken in order across sessions, whatever -j says" {
	for i in {1..200}; do echo '{"kind":"email","prompt":"p","model":"m"}'; done > in
	for i in {1..200}; do echo '{"content":"{\"to\":\"t\",\"body\":\"'"$i"'\"}"}'; done > answers
	run -0 lh-iterate --answers answers -j4 in
	[ "$(jq -r .artifact.body <<<"$output" | paste -sd ,)" = "$(seq -s, 200)" ]
}

@test "an answer is {\"content\"}, a reply of lh-chat, or a record with the reply in it" {
	printf '\xef\xbb\xbf\r\n' > answers
	printf '%s\r\n\n' '{"content":"1"}' '{"model":"m","content":"2","provider":"ollama","input_tokens":1}' '{"prompt":"p","reply":{"model":"m","content":"3\n"}}' >> answers
	run -1 lh-iterate --answers answers <<<'{"kind":"email","prompt":"p","model":"m"}'
	[ "$(sed -n 1p <<<"$output" | jq -c '[.history[].raw]')" = '["1","2","3\n"]' ]
	gzip -k answers
	[ "$(lh-iterate --answers answers.gz --now $NOW <<<'{"kind":"email","prompt":"p","model":"m"}' 2>/dev/null | jq -c '[.history[].raw]')" = '["1","2","3\n"]' ]
}

@test "a line that is not an answer ends the run with its file and line" {
	cat > cases <<-'END'
		{"text":"x"}	answers:2: missing "content" (string)
		{"content":5}	answers:2: "content" must be a string
		{"reply":{"content":null}}	answers:2: missing reply.content (string)
		{"error":{"code":502,"message":"no"}}	answers:2: missing "content" (string)
		[1]	answers:2: not a JSON object
		{"content":"x",}	answers:2:16: expected a key
	END
	while IFS=$'\t' read -r line message; do
		printf '{"content":"x"}\n%s\n' "$line" > answers
		run -2 --separate-stderr lh-iterate --answers answers --session-log log <<<'{"kind":"email","prompt":"p","model":"m"}'
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-iterate: $message" ] || { echo "$stderr"; false; }
	done < cases
	[ "$(jq -r .final_verdict log | uniq -c | tr -s ' ')" = " 6 infra_error" ]
	printf '{"content":"%s"}\n' "$(printf 'x%.0s' {1..200})" > answers
	run -2 lh-iterate --answers answers --max-line 100 <<<'{"kind":"email","prompt":"p","model":"m"}'
	[ "$output" = 'lh-iterate: answers:1: line is longer than 100 bytes (--max-line)' ]
	run -2 lh-iterate --answers absent <<<"$ASK"
	[[ $output == 'lh-iterate: absent: cannot open'* ]]
	run -2 lh-iterate --answers - <<<"$ASK"
	[[ $output == *--answers*'standard input'* ]]
	run -2 lh-iterate --answers - --roster - answers - <<<"$ASK"
	[[ $output == *--answers*'standard input'* ]]
	run -2 lh-iterate --roster - <<<"$ASK"
	[[ $output == *--roster*'standard input'* ]]
}

@test "answers are read as they come" {
	mkfifo pipe
	coproc ITERATE { lh-iterate --answers pipe 2>/dev/null; }
	exec 8> pipe
	for i in 1 2 3; do
		echo '{"kind":"email","prompt":"p","model":"m"}' >&"${ITERATE[1]}"
		echo '{"content":"{\"to\":\"t\",\"body\":\"'$i'\"}"}' >&8
		read -r -t "$LH_PATIENCE" -u "${ITERATE[0]}" reply
		[ "$(jq -r .artifact.body <<<"$reply")" = $i ]
	done
	exec 8>&-
	kill "$ITERATE_PID"
}

@test "what the model's _context says is not looked at, and stays in the artifact" {
	roster
	answers '{"fills":[],"_context":{"target_count":0}}' '{"fills":[{"candidate_id":"W-1","name":"Ada Lovelace"}],"_context":{"target_count":7}}'
	run -0 lh-iterate --answers answers --roster roster <<<"$ASK"
	[ "$(jq -r '.history[0].status.error.Completeness.reason' <<<"$output")" = "endorsed count (0) != target_count (1)" ]
	[ "$(jq -c .artifact._context <<<"$output")" = '{"target_count":7}' ]
	answers "${GOOD%?}"',"_context":{"target_count":7}}'
	run -0 lh-iterate --answers answers --roster roster <<<'{"kind":"fill","prompt":"p","model":"m"}'
}

@test "an artifact over several lines, or with a key twice, comes on one line, the last one wins" {
	answers $'{\n  "to" : "t",\n  "body" : "a  b"\n}' '{"to" : "x", "to" : "t", "body": "b"}' '{"to": "t", "body": "b"}'
	for i in 1 2 3; do echo '{"kind":"email","prompt":"p","model":"m"}'; done > in
	run -0 lh-iterate --answers answers --session-log log in
	[[ ${lines[0]} == '{"artifact":{"to":"t","body":"a  b"},'* ]]
	[ "$(sed -n 2p <<<"$output" | jq -c .artifact.to)" = '"t"' ]
	[[ ${lines[2]} == '{"artifact":{"to": "t", "body": "b"},'* ]]
	[[ $(sed -n 3p log) == *',"artifact":{"to":"t","body":"b"},'* ]]
}

@test "grounded_in_roster is for accepted fills alone" {
	roster
	answers '{"to":"t","body":"b"}' '{"operation":"fill: x","endorsed_names":["a"],"fingerprint":"f"}' '{"fills":[]}' "$GOOD"
	printf '%s\n' '{"kind":"email","prompt":"p","model":"m"}' '{"kind":"playbook","prompt":"p","model":"m"}' > in
	printf '%s\n' '{"kind":"fill","prompt":"p","model":"m"}' "$ASK" > fills
	lh-iterate --answers answers --session-log log in
	answers '{"fills":[]}'
	lh-iterate --answers answers --session-log log < <(head -n 1 fills)
	answers "$GOOD"
	lh-iterate --answers answers --roster roster --session-log log < <(tail -n 1 fills)
	[ "$(jq -c .grounded_in_roster log | paste -sd ,)" = null,null,null,true ]
}

@test "every kind is validated by its own rules, the record's kind before --kind" {
	answers '{"to":"t","body":"SSN 123-45-6789"}' '{"operation":"sms: x"}' "{\"to\":\"t\",\"body\":\"$(printf 'x%.0s' {1..161})\"}"
	printf '{"kind":"%s","prompt":"p","model":"m","max_iterations":1}\n' email playbook sms > in
	run -1 lh-iterate --answers answers --kind fill in
	[ "$(jq -r '.history[0].status.error // empty | keys[0]' <<<"$(grep ^{ <<<"$output")" | paste -sd ,)" = Policy,Schema,Completeness ]
	answers '{"to":"t","body":"b"}'
	run -0 lh-iterate --answers answers --kind email <<<'{"prompt":"p","model":"m"}'
}

@test "--model names the model of records that name none" {
	printf '{"kind":"email","prompt":"p"%s}\n' '' ',"model":"own"' >in
	answers '{"to":"t","body":"b"}' '{"to":"t","body":"b"}'
	lh-iterate --answers answers --model usual --session-log log in >out
	[ "$(jq -r .model log | paste -sd,)" = usual,own ]
	run -2 lh-iterate --model '' in
	[ "$output" = "lh-iterate: --model: expected a name in UTF-8" ]
	[ "$(for more in '--kind email --model m' '--kind email' '--model m' ''; do
		lh-iterate $more --describe | jq -c '.operations[0].input.required'
	done | paste -sd' ')" = '["prompt"] ["prompt","model"] ["kind","prompt"] ["kind","prompt","model"]' ]
}

@test "--rules apply" {
	mkdir rules
	echo '{"rules":[{"id":"no-cash","task_class":"staffing.email","description":"d","condition":{"type":"FieldContainsAny","field":"body","needles":["cash"]},"action":{"type":"Block","message":"cash is not offered"}}]}' > rules/a.json
	answers '{"to":"t","body":"Cash!"}' '{"to":"t","body":"b"}'
	run -0 lh-iterate --answers answers --rules rules <<<'{"kind":"email","prompt":"p","model":"m"}'
	[ "$(jq -c '.history[0].status.error' <<<"$output")" = '{"Policy":{"reason":"cash is not offered"}}' ]
	run -2 lh-iterate --answers answers --rules absent <<<'{"kind":"email","prompt":"p","model":"m"}'
	run -2 lh-iterate --answers answers --roster absent <<<'{"kind":"email","prompt":"p","model":"m"}'
}

@test "a record that asks for nothing is rejected with the reason, before any chat and without a row" {
	cat > cases <<-'END'
		del(.kind)	missing "kind" (string)
		.kind = "nonsense"	unknown kind "nonsense" (expected fill, email, sms or playbook)
		.kind = "Fill"	unknown kind "Fill" (expected fill, email, sms or playbook)
		.context.target_count = "1"	context.target_count must be a whole number
		.context = 5	context must be an object
	END
	while IFS=$'\t' read -r change message; do
		jq -c "$change" <<<"$ASK" > in
		LH_OLLAMA_URL=http://127.0.0.1:1 run -1 --separate-stderr lh-iterate --session-log log in
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-iterate: in:1: $message" ] || { echo "$change: $stderr"; false; }
	done < cases
	[ ! -s log ]
	run -1 --separate-stderr lh-iterate --on-error emit <<<'{"id":7,"kind":"fill"}'
	[ "$output" = '{"id":7,"error":{"file":"-","line":1,"code":400,"message":"missing \"prompt\" (string)"}}' ]
}

@test "max_iterations of 1 and of 10 are what they say" {
	answers {1..11}
	run -1 lh-iterate --answers answers <<<'{"kind":"sms","prompt":"p","model":"m","max_iterations":1}'
	[[ $output == '{"error":"max iterations reached (1)","iterations":1,'* ]]
	run -1 lh-iterate --answers answers --session-log log <<<'{"kind":"sms","prompt":"p","model":"m","max_iterations":10}'
	[[ $output == '{"error":"max iterations reached (10)","iterations":10,'* ]]
	[ "$(jq -c '[.attempts[].iteration]' log)" = '[0,1,2,3,4,5,6,7,8,9]' ]
}

# ---- ids and the log ----

email() {
	answers '{"to":"t","body":"b"}' '{"to":"t","body":"b"}' '{"to":"t","body":"b"}'
}

@test "a session's id: trace_id, else LH_TRACE_ID, else a minted one" {
	email
	printf '{"kind":"email","prompt":"p","model":"m"%s}\n' ',"trace_id":"t\u0031"' ',"trace_id":""' '' > in
	run -0 env LH_TRACE_ID=caller lh-iterate --answers answers --session-log log in
	[ "$(jq -r .trace_id <<<"$output" | paste -sd ,)" = t1,caller,caller ]
	[ "$(jq -r .session_id log | paste -sd ,)" = t1,caller,caller ]
	run -0 env LH_TRACE_ID= lh-iterate --answers answers in
	[[ $(sed -n 2p <<<"$output" | jq -r .trace_id) =~ ^[0-9a-f]{16}-[0-9a-f]{8}$ ]]
	run -2 env LH_TRACE_ID=$'\xff' lh-iterate --answers answers in
}

@test "minted ids ascend; with --now they are the record's number" {
	for i in {1..100}; do echo '{"kind":"email","prompt":"p","model":"m","max_iterations":1}'; echo '{"content":"no"}' >&3; done > in 3> answers
	lh-iterate --answers answers in > out 2> err || [ $? = 1 ]
	jq -r .trace_id out > ids
	sort -cu ids
	lh-iterate --answers answers --now $NOW -j4 in > out 2> err || [ $? = 1 ]
	[ "$(jq -r .trace_id out | tail -n 1)" = $ID-00000064 ]
	jq -r .trace_id out | sort -cu
	lh-iterate --answers answers --now $NOW in >again 2>/dev/null || [ $? = 1 ]
	cmp again out
}

@test "a row holds the first 4000 code points of the prompt as it came" {
	email
	jq -nc '{kind:"email",model:"m",prompt:("⭐" * 4001)}' > in
	lh-iterate --answers answers --session-log log in > out
	[ "$(jq '.prompt | length' log)" = 4000 ]
	answers no '{"to":"t","body":"b"}'
	jq -nc '{kind:"email",model:"m",prompt:"<a> & é\u0007"}' > in
	lh-iterate --answers answers --session-log log in > out
	[[ $(tail -n 1 log) == *'"prompt":"<a> & é\u0007",'* ]]
}

@test "a row holds the record's provider, ollama by default, and --daemon" {
	email
	printf '{"kind":"email","prompt":"p","model":"kimi/k2"%s}\n' ',"provider":"kimi"' ',"provider":null' ',"provider":"ollama"' > in
	lh-iterate --answers answers --session-log log --daemon gateway in > out
	[ "$(jq -r '[.provider, .model, .daemon] | join(" ")' log | paste -sd ,)" = "kimi kimi/k2 gateway,ollama kimi/k2 gateway,ollama kimi/k2 gateway" ]
}

@test "a log that cannot be written is a warning, never a failed session" {
	email
	echo '{"kind":"email","prompt":"p","model":"m"}' > in
	mkdir folder
	mkfifo fifo
	touch other
	ln -s other link
	for log in folder fifo link absent/log /dev/full; do
		run -0 --separate-stderr patiently lh-iterate --answers answers --session-log $log in
		[[ $output == '{"artifact":'* ]]
		[[ $stderr == 'lh-iterate: no session log: '*"$log"* ]]
	done
	head -c 9999 /dev/zero | tr '\0' '\n' > log
	cat in in in > three
	run -0 --separate-stderr prlimit --fsize=10000 lh-iterate --answers answers --session-log log three
	[ "${#lines[@]}" = 3 ]
	[[ ${stderr_lines[0]} == 'lh-iterate: session log: log: write failed'* ]]
	[ "${stderr_lines[1]}" = 'lh-iterate: session log: 3 rows could not be written' ]
	[ "$(stat -c %s log)" = 9999 ]
}

@test "a new log is for its owner alone; a torn line is reported and left on its own" {
	email
	echo '{"kind":"email","prompt":"p","model":"m"}' > in
	(umask 0; lh-iterate --answers answers --session-log log in > out)
	[ "$(stat -c %a log)" = 600 ]
	printf '{"torn' >> log
	at=$(($(stat -c %s log) - 6))
	run -0 --separate-stderr lh-iterate --answers answers --session-log log in
	[ "$stderr" = "lh-iterate: session log log: a torn line at byte $at" ]
	[ "$(sed -n 2p log)" = '{"torn' ]
	[ "$(sed -n 3p log | jq -r .final_verdict)" = accepted ]
}

@test "a log is not read as requests while it grows" {
	email
	lh-iterate --answers answers --session-log log <<<'{"kind":"email","prompt":"p","model":"m"}' > out
	run -2 patiently lh-iterate --answers answers --session-log log log
	[ "$output" = 'lh-iterate: --session-log: log is also the input' ]
	run -2 patiently lh-iterate --answers answers --session-log log < log
}

@test "--emit-session excludes what it does not use" {
	run -2 lh-iterate --emit-session --answers x
	run -2 lh-iterate --emit-session --session-log x
	[[ $output == *--emit-session* ]]
}

# ---- with a provider ----

# talk MODE [OPTION]... - a server that says the file answers.
talk() {
	start_chat --mode "$1" --body answers --log calls "${@:2}"
	export LH_OLLAMA_URL=$URL
}

# sent N - the body of the n-th call.
sent() {
	sed -n "$1p" calls | jq -r .body
}

@test "the prompts that go upstream, turn by turn, to the byte" {
	roster
	answers "Gladly!" "$NOBODY" "$GOOD"
	talk replay
	jq -c '. + {system: "Be <brief> & é.", temperature: 0.20, max_tokens: 50}' <<<"$ASK" | sed 's/0.2,/0.20,/' > in
	run -0 lh-iterate --roster roster --session-log log --now $NOW in
	[ "$(jq -c .artifact <<<"$output")" = "$GOOD" ]
	[ "$(wc -l < calls)" = 3 ]
	[ "$(jq -r '.method + .path' calls | uniq)" = POST/api/chat ]
	[ "$(sent 1)" = '{"model":"m","messages":[{"role":"system","content":"Be <brief> & é."},{"role":"user","content":"Fill a seat."}],"stream":false,"think":false,"options":{"temperature":0.20,"num_predict":50}}' ]
	nl=$'\n\n'
	one="Fill a seat.${nl}Your last answer held no JSON object. Answer with one JSON object and nothing else."
	[ "$(sent 2 | jq -r '.messages[1].content')" = "$one" ]
	two="$one${nl}Your last answer failed validation with this error:
{\"Consistency\":{\"reason\":\"$WHY\"}}
Correct exactly that, and answer with one JSON object and nothing else."
	[ "$(sent 3 | jq -r '.messages[1].content')" = "$two" ]
	[ "$(jq -r .prompt log)" = "Fill a seat." ]
}

@test "temperature is 0.2 and max_tokens 4096 unless the record says otherwise" {
	email
	talk replay
	printf '{"kind":"email","prompt":"p","model":"m"%s}\n' '' ',"temperature":null,"max_tokens":null' ',"temperature":1e0,"max_tokens":0' > in
	run -0 lh-iterate -j1 in
	[ "$(sent 1)" = '{"model":"m","messages":[{"role":"user","content":"p"}],"stream":false,"think":false,"options":{"temperature":0.2,"num_predict":4096}}' ]
	[ "$(sent 2)" = "$(sent 1)" ]
	[[ $(sent 3) == *'"options":{"temperature":1e0}}' ]]
}

@test "the provider is put before the model, unless it is ollama or there already" {
	email
	talk replay
	export LH_KIMI_URL=$URL/v1 KIMI_API_KEY=secret
	printf '{"kind":"email","prompt":"p","model":"%s"%s}\n' k2 ',"provider":"kimi"' kimi/k2 ',"provider":"kimi"' kimi/k2 ',"provider":"ollama"' > in
	run -0 lh-iterate -j1 --session-log log in
	[ "$(jq -r .path calls | paste -sd ,)" = /v1/chat/completions,/v1/chat/completions,/v1/chat/completions ]
	[ "$(jq -r '.body | fromjson | .model' calls | paste -sd ,)" = k2,k2,k2 ]
	[ "$(jq -r '.provider + " " + .model' log | paste -sd ,)" = "kimi k2,kimi kimi/k2,ollama kimi/k2" ]
	stop_upstreams
	email
	talk replay
	lh-iterate <<<'{"kind":"email","prompt":"p","model":"kimik2/x","provider":"ollama"}' > out
	[ "$(tail -n 1 calls | jq -r '.body | fromjson | .model')" = kimik2/x ]
}

@test "a provider that fails: infra_error, exit 2, and the other sessions are run" {
	answers '{"to":"t","body":"b"}' no
	talk replay
	printf '{"kind":"email","prompt":"p","model":"m","trace_id":"%s"}\n' one two three > in
	run -2 --separate-stderr lh-iterate -j1 --retries 0 --session-log log in
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} == '{"artifact":'* ]]
	[[ ${lines[1]} == '{"error":"502 '*'","iterations":2,"history":[{"iteration":0,"raw":"no","status":{"kind":"no_json"}}],"trace_id":"two","status":502}' ]]
	[[ ${lines[2]} == '{"error":"502 '*'","iterations":1,"history":[],"trace_id":"three","status":502}' ]]
	[[ ${stderr_lines[0]} == "lh-iterate: session two: 502 "*"$URL/api/chat"*500*"nothing left to say"* ]]
	[ "${stderr_lines[2]}" = "lh-iterate: 2 of 3 sessions not accepted" ]
	[ "$(jq -r .final_verdict log | paste -sd ,)" = accepted,infra_error,infra_error ]
	[ "$(sed -n 2p log | jq -c '.attempts | map(.verdict_kind)')" = '["no_json","infra_error"]' ]
	[ "$(sed -n 2p log | jq -r '.attempts[1].error')" = "$(jq -r .error <<<"${lines[1]}")" ]
}

@test "messages about failed chats are capped at twenty, -v shows all, -q none" {
	for i in {1..30}; do echo '{"kind":"email","prompt":"p","model":"kimi/k2"}'; done > in
	run -1 --separate-stderr lh-iterate in
	[ "${#stderr_lines[@]}" = 22 ]
	[ "$(grep -c 'further messages suppressed' <<<"$stderr")" = 1 ]
	run -1 --separate-stderr lh-iterate -v in
	[ "${#stderr_lines[@]}" = 31 ]
	run -1 --separate-stderr lh-iterate -q in
	[ "$stderr" = "lh-iterate: 30 of 30 sessions not accepted" ]
}

@test "an answer with invalid UTF-8 makes a valid row" {
	printf 'bad \xff byte' > answers
	talk body --status 400
	run -2 --separate-stderr lh-iterate --session-log log <<<'{"kind":"email","prompt":"p","model":"m"}'
	[ "$(jq -r .error <<<"$output" | grep -c 'bad')" = 1 ]
	iconv -f UTF-8 -t UTF-8 log > /dev/null
	[ "$(jq -r .final_verdict log)" = infra_error ]
}

@test "sessions run at once, and come out in order" {
	answers x
	talk ok --gather 3
	for i in {1..16}; do echo '{"kind":"email","model":"m","prompt":"\"'"$i"'\"} \"body\": \"t\", {\"to\":","trace_id":"'"$i"'"}'; done > in
	run -0 lh-iterate -j8 --session-log log in
	[ "$(jq -r .artifact.body <<<"$output" | paste -sd ,)" = "$(seq -s, 16)" ]
	[ "$(jq -s 'map(.in_flight) | max >= 3' calls)" = true ]
	[ "$(jq -r .session_id log | sort -n | paste -sd ,)" = "$(seq -s, 16)" ]
}

@test "an interrupt in the middle of a chat: the signal's status, whole records, a row for each session" {
	for signal in INT TERM; do
		stop_upstreams
		rm -f log calls
		start_chat --mode silent --log calls
		export LH_OLLAMA_URL=$URL
		hears_int lh-iterate -j1 --session-log log <<<'{"kind":"email","prompt":"p","model":"m","trace_id":"t"}' > out 2> err 3>&- &
		pid=$!
		until_so [ -s calls ]
		kill -$signal $pid
		status=0
		wait $pid || status=$?
		[ $status = $((128 + $(kill -l $signal))) ]
		[ ! -s out ]
		[ "$(jq -c '[.session_id, .final_verdict, .attempts[0].verdict_kind]' log)" = '["t","infra_error","infra_error"]' ]
	done
}
