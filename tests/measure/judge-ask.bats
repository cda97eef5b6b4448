# lh-judge ask: grades by a model, which answers on loopback.
load ../helper
load ../servers/server

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	start_chat --log "$PWD/log"
	export LH_OLLAMA_URL=$URL
}

teardown() {
	stop_upstreams
	faults_happened
}

# The model says the words of the question backwards, and so the first grade of these.
says() {
	jq -nc --arg q "$1" --arg id "$2" --arg text "so {\"grade\":$3} it is" '{query_id: $q, id: $id, text: $text}'
}

ask() {
	lh-judge ask --model qwen3 "$@"
}

@test "each record gets a grade by the model, last, and the other members stay as they are" {
	run -0 --separate-stderr ask <<<'{"query_id":1.0, "grade":1, "id":"a","text":"{\"grade\":2}","x":[1, 2]}'
	[ "${lines[0]}" = '{"query_id":1.0, "id":"a","text":"{\"grade\":2}","x":[1, 2],"grade":2}' ]
	[ "${lines[1]}" = '{"summary":{"graded":1,"compared":1,"agreed":0,"kappa":0}}' ]
}

@test "the instructions are those of the page, and a document is cut at 4,000 bytes" {
	jq -nc '{query_id: "q", query_text: "a welder", id: "1", text: ("{\"grade\":1} " + "é" * 3000)}' | ask >/dev/null
	jq -r 'select(.path == "/api/chat" or .path == "/api/generate") | .body' log | tail -n 1 >body
	jq -e '.format == "json" and .options.temperature == 0' body
	question=$(jq -r '.prompt // .messages[-1].content' body)
	[ "$(first 1 <<<"$question")" = 'Query: a welder' ]
	[ "$(sed -n '2s/^Document: //p' <<<"$question" | tr -d '\n' | wc -c)" = 4000 ]
	mandoc -Tutf8 -Owidth=1000 "$ROOT/man/lh-judge.1" | sed 's,.\x08,,g; s/^ *//' |
		sed -n '/^You judge how/,/^and 0 if/p' | paste -sd' ' >page
	alike page <(jq -r '.system // .messages[0].content' body)
}

@test "texts come from --queries and --records, by id" {
	echo '{"query_id":"q1","query_text":"{\"grade\":3}"}' >queries
	printf '%s\n' '{"id":"a","resume":"one"}' '{"id":7,"resume":"{\"grade\":1}"}' >records
	printf '%s\n' '{"query_id":"q1","id":"a"}' '{"query_id":"q1","id":"7"}' >pool
	run -0 ask -j1 --queries queries --records records --field resume pool
	[ "$(jq -c .grade <<<"$output" | tr '\n' ' ')" = '3 1 null ' ]
	echo '{"query_id":"q2","id":"a"}' >>pool
	echo '{"query_id":"q1","id":"z"}' >>pool
	run -1 --separate-stderr ask --queries queries --records records --field resume pool
	[ "${stderr_lines[0]}" = 'lh-judge: pool:3: --queries has no query_id q2' ]
	[ "${stderr_lines[1]}" = 'lh-judge: pool:4: --records has no id z' ]
	run -1 --separate-stderr ask <<<'{"query_id":"q1","id":"a"}'
	[ "${stderr_lines[0]}" = 'lh-judge: -:1: missing "text" (string), without --records' ]
}

@test "kappa is the agreement with given grades beyond chance" {
	{
		for grade in 0 0 1 2 3; do says q "same$grade$((++n))" "$grade" | jq -c --argjson g "$grade" '.grade = $g'; done
		says q over 3 | jq -c '.grade = 7'
		says q under 1 | jq -c '.grade = -1'
		says q other 0 | jq -c '.grade = 2'
		says q new 2
	} >records
	run -0 ask -j2 records
	# given 0 0 0 1 2 2 3 3, model 0 0 1 1 2 0 3 3: 6 of 8 agree; chance (9 + 2 + 2 + 4) / 64
	jq -e '.summary | .graded == 9 and .compared == 8 and .agreed == 6 and
		(.kappa - (0.75 - 17 / 64) / (1 - 17 / 64) | fabs) < 1e-9' <<<"${lines[9]}"
	says q a 2 | jq -c '.grade = 2' >records
	[ "$(ask records | jq -c 'select(.summary)')" = '{"summary":{"graded":1,"compared":1,"agreed":1,"kappa":null}}' ]
}

@test "what ask writes is qrels" {
	{ says q a 0; says q b 3; } | ask >grades
	[ "$(printf 'q Q0 %s 1 1 t\n' a b | lh-judge score --qrels grades --measures map | jq .map)" = 1 ]
}

@test "an answer without a grade from 0 to 3 rejects its record" {
	for grade in 4 -1 1.5 '"2"' null; do
		run -1 --separate-stderr ask < <(says q a "$grade")
		[[ ${stderr_lines[0]} == 'lh-judge: -:1: '*'the model gave no grade from 0 to 3: '* ]] || { echo "$grade: $stderr"; return 1; }
	done
	run -1 --separate-stderr ask --on-error emit <<<'{"query_id":"q","id":"a","text":"none"}'
	[ "$(first 1 <<<"$output" | jq -c '[.id, .error.code]')" = '["a",502]' ]
	[ "${lines[1]}" = '{"summary":{"graded":0,"compared":0,"agreed":0,"kappa":null}}' ]
}

@test "a grade in the model's thoughts is not its grade" {
	run -0 --separate-stderr ask <<<'{"query_id":"q","id":"a","text":"harsh</think>{\"grade\":3} too is <think>{\"grade\":0}"}'
	[[ ${lines[0]} == *',"grade":3}' ]]
}

@test "a model that cannot be reached is exit 2, with --on-error emit an error of its record" {
	stop_upstreams
	says q a 1 >records
	run -2 --separate-stderr ask --retries 0 records
	[[ $stderr == 'lh-judge: '* ]]
	run -1 --separate-stderr ask --retries 0 --on-error emit records
	[ "$(first 1 <<<"$output" | jq .error.code)" = 502 ]
}
