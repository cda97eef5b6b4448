# lh-replay: retrieve, bundle, ask, judge, log.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	load ../servers/server
	unset LH_DISTILL_ROOT LH_REPLAY_LOCAL_MODEL LH_REPLAY_ESCALATION_MODEL LH_KEYS_FILE KIMI_API_KEY OLLAMA_CLOUD_KEY
	export LH_OLLAMA_URL=http://127.0.0.1:1	# where nothing listens
	export_
}

teardown() {
	stop_upstreams
	! declare -F stop_serves >/dev/null || stop_serves
	faults_happened
}

NOW=2026-05-03T12:00:00.000Z
CORPUS=r/exports/rag/playbooks.jsonl
LOG=r/data/_kb/replay_runs.jsonl

# sample ID TITLE CONTENT [SCORE [TAG...]] - one line of an export.
sample() {
	jq -nc --arg id "$1" --arg title "$2" --arg content "$3" --arg score "${4:-accepted}" \
		'{schema_version: 1, id: $id, title: $title, content: $content, tags: $ARGS.positional, source_run_id: ("run-" + $id), success_score: $score}' \
		--args "${@:5}"
}

# An export that knows something about exports, and what a good answer is.
export_() {
	mkdir -p r/exports/rag
	{
		sample rag-b "scrum_reviews: nightly export" $'The nightly export drops rows.\n- Verify the row count of the export\n2) check: the manifest\nEnsuring nothing\n  *  ASSERT that sums agree\nverify_all is no step' accepted scrum export
		sample rag-a "audits: export" $'Export twice.\n+ Ensure the manifest is written last\n- Verify the row count of the export' accepted
		sample rag-c "half an export" "The export was cut off; check nothing" partially_accepted
		sample rag-d "export under review" "Somebody should read the export" needs_human_review
		sample rag-e "weather" "It rains" accepted
	} >$CORPUS
}
GOOD="Count rows on both sides, compare the manifest with what was written, and repeat it after a crash in the middle."

# says MODE|TEXT... - a model that gives these answers in turn.
says() {
	jq -nc '$ARGS.positional[] | {content: .}' --args "$@" >said
	start_chat --mode replay --body said --log calls
	export LH_OLLAMA_URL=$URL
}

asked() {
	jq -r '.body | fromjson | .model' calls | paste -sd ,
}

# verdict - of the row in $output: what was used, who was asked, what is wrong.
verdict() {
	jq -c '[.model_used, .escalation_path, .validation_result.passed, .validation_result.reasons]' <<<"$output"
}

# ---- retrieval and bundle ----

@test "a row printed is a row logged, and has the class of its task" {
	printf '%s\n' '{"task":"verify the Audit for DRIFT"}' '{"task":"audit_ the driftwood"}' '{"task":"Audit, then verify"}' '{"task":"é"}' '{"task":"a bc \u0000 \ud83d\ude00"}' >tasks
	lh-replay --root r --dry-run --now $NOW --log log tasks >rows
	cmp rows log
	[ "$(jq -r .task_class rows | paste -sd ,)" = drift,other,verify,other,other ]
}

@test "the row's members and an artifact's are in their order" {
	run -0 lh-replay --root r --dry-run --task "nightly export"
	[ "$(jq -c keys_unsorted <<<"$output")" = '["schema","recorded_run_id","task","task_hash","task_class","retrieved_artifacts","context_bundle","model_response","model_used","escalation_path","validation_result","recorded_at","duration_ms","dry_run","no_retrieval"]' ]
	[ "$(jq -c '.context_bundle | keys_unsorted' <<<"$output")" = '["retrieved_playbooks","prior_successful_outputs","failure_patterns","validation_steps","bundle_token_estimate"]' ]
	[ "$(jq -c '.context_bundle.retrieved_playbooks[0] | keys_unsorted' <<<"$output")" = '["rag_id","source_run_id","title","content_preview","success_score","tags","score"]' ]
	[ "$output" = "$(cat $LOG)" ]
}

@test "ids and hashes are those of the task and the time" {
	run -0 lh-replay --root . --dry-run --now $NOW --task "drift"
	hash=$(printf drift | sha256sum | head -c 64)
	at=$(printf %s $NOW | sha256sum | head -c 12)
	[ "$(jq -r .task_hash <<<"$output")" = "$hash" ]
	[ "$(jq -r .recorded_run_id <<<"$output")" = "replay:${hash:0:12}:$at" ]
	[ "$(jq -r '[.schema, .task_class, .recorded_at, .duration_ms] | join(" ")' <<<"$output")" = "replay_run.v1 drift $NOW 0" ]
}

@test "the best eight, by shared words over all words, ties by the bytes of the id; none without a shared word" {
	mkdir -p r/exports/rag
	{
		for id in é z B a _ 10 9 b c; do sample "$id" Welder ""; done
		sample two "welder crane" ""
		sample short "we ld er" "ab"
		sample tagged "" "" rejected WELDER Crane
	} >$CORPUS
	run -0 lh-replay --root r --dry-run --task "Crane, welder: crane!"
	[ "$(jq -c .retrieved_artifacts.rag_ids <<<"$output")" = '["tagged","two","10","9","B","_","a","b"]' ]
	[ "$(jq -c '[.context_bundle.retrieved_playbooks[].score]' <<<"$output")" = '[1,1,0.5,0.5,0.5,0.5,0.5,0.5]' ]
}

@test "of them three accepted, two partial, and the steps of the former" {
	for i in 1 2 3; do sample "rag-f$i" "export $i" "the export" partially_accepted; sample "rag-g$i" "the nightly export" "- check nothing $i"; done >>$CORPUS
	run -0 lh-replay --root r --dry-run --task "the nightly export drops rows"
	[ "$(jq -c '.context_bundle | [.prior_successful_outputs, .failure_patterns | length]' <<<"$output")" = '[3,2]' ]
	sed -i '/rag-[fg]/d' $CORPUS
	run -0 lh-replay --root r --dry-run --task "the nightly export drops rows"
	[ "$(jq -c .context_bundle.validation_steps <<<"$output")" = '["Verify the row count of the export","check: the manifest","ASSERT that sums agree","Ensure the manifest is written last"]' ]
}

@test "ten steps at most, each once; a preview is 240 characters, an estimate a quarter, rounded up" {
	mkdir -p r/exports/rag
	sample a "export" "$(for i in {1..30}; do echo "- check $((i / 2))"; done; printf 'é%.0s' {1..300})" >$CORPUS
	run -0 lh-replay --root r --dry-run --task export
	[ "$(jq -c '.context_bundle.validation_steps | [length, .[0], .[9]]' <<<"$output")" = '[10,"check 0","check 9"]' ]
	[ "$(jq '.context_bundle.retrieved_playbooks[0].content_preview | length' <<<"$output")" = 240 ]
	[ "$(jq .context_bundle.bundle_token_estimate <<<"$output")" = $(((240 + 70 + 3) / 4)) ]
}

@test "an export that is not there, or empty, holds nothing" {
	run -0 lh-replay --root . --dry-run --task "verify the export"
	[ "$(jq -c '[.retrieved_artifacts, .context_bundle]' <<<"$output")" = '[{"rag_ids":[]},{"retrieved_playbooks":[],"prior_successful_outputs":[],"failure_patterns":[],"validation_steps":[],"bundle_token_estimate":0}]' ]
	mkdir -p r/exports/rag
	printf '\n \t\r\n' >$CORPUS
	run -0 lh-replay --root r --dry-run --task "verify the export"
	[ "$(jq .context_bundle.bundle_token_estimate <<<"$output")" = 0 ]
}

@test "no_retrieval: no bundle, and the export is not even read" {
	mkdir -p r/exports/rag
	echo broken >$CORPUS
	run -0 lh-replay --root r --dry-run <<<'{"task":"export","no_retrieval":true}'
	[ "$(jq -c '[.retrieved_artifacts.rag_ids, .context_bundle, .no_retrieval]' <<<"$output")" = '[[],null,true]' ]
	run -0 lh-replay --root r --dry-run --no-retrieval --task export
	run -2 lh-replay --root r --dry-run --no-retrieval <<<'{"task":"export","no_retrieval":false}'
}

@test "an export that is damaged or none is exit 2 with file and line, and a row says so" {
	mkdir -p r/exports/rag
	runs=0
	while IFS=$'\t' read -r line message; do
		{ sample a export export; printf '%s\n' "$line"; } >$CORPUS
		run -2 --separate-stderr lh-replay --root r --dry-run --task export
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-replay: 1 of 1 replays not passed" ]
		[ "${stderr_lines[1]}" = "lh-replay: r/exports/rag/playbooks.jsonl:2:$message" ] || { echo "$line: $stderr"; false; }
		runs=$((runs + 1))
		[ "$(wc -l <$LOG)" = $runs ]
		tail -n 1 $LOG | jq -e --arg why "retrieval failed: r/exports/rag/playbooks.jsonl:2:$message" '.validation_result == {passed: false, reasons: [$why]} and
			.escalation_path == [] and .model_response == "" and .context_bundle == null and .retrieved_artifacts == {rag_ids: []} and .no_retrieval == false'
	done <<-'END'
		{"id":"x"	10: unexpected end of line
		[1]	 not a JSON object
		{"id":1}	 "id" must be a string
		{"id":"x","title":"t","content":"c","source_run_id":"r","success_score":"accepted"}	 missing "tags" (array of strings)
		{"id":"x","title":"t","content":null,"source_run_id":"r","success_score":"accepted","tags":[]}	 missing "content" (string)
		{"id":"x","title":"t","content":"c","source_run_id":"r","success_score":"accepted","tags":[1]}	 tags[0] must be a string
		{"id":"x","id":"y"}	11: duplicate key "id"
	END
	rm $CORPUS
	mkfifo $CORPUS
	run -2 patiently lh-replay --root r --dry-run --task export
	[ "${lines[-1]}" = "lh-replay: $CORPUS: is a FIFO, not a regular file" ]
	run -2 lh-replay --root absent --dry-run --task export
	[[ $output == *absent* ]]
}

@test "an export with a BOM, CRLF, blank lines, escapes and no last LF is read" {
	mkdir -p r/exports/rag
	printf '\357\273\277{"id":"\\u0061","title":"Exp\\u006frt","content":"x","tags":[ "t" , "\\u00e9" ],"source_run_id":"r","success_score":"accepted"}\r\n\r\n' >$CORPUS
	sample b "export" "y" | tr -d '\n' >>$CORPUS
	run -0 lh-replay --root r --dry-run --task export
	[ "$(jq -c '[.context_bundle.retrieved_playbooks[] | [.rag_id, .tags]]' <<<"$output")" = '[["a",["t","é"]],["b",[]]]' ]
}

@test "--index retrieves from an index by meaning" {
	jq -c '{id, text: (.title + " " + .content), metadata: {title, content, tags, source_run_id, success_score}}' $CORPUS | lh-index build p.lhv
	mkdir e
	run -0 lh-replay --root e --index p.lhv --dry-run --now $NOW --task "the nightly export drops rows"
	[ "$(jq -r '.context_bundle.retrieved_playbooks[0] | .rag_id, .source_run_id, .title' <<<"$output" | paste -sd ,)" = "rag-b,run-rag-b,scrum_reviews: nightly export" ]
	best=$(lh-search -k 1 -Q "the nightly export drops rows" p.lhv | jq '.results[0].distance')
	[ "$(jq --argjson d "$best" '.context_bundle.retrieved_playbooks[0].score + $d - 1 | fabs < 1e-6' <<<"$output")" = true ]
	[ "$(jq -c '[.context_bundle.retrieved_playbooks[].score] | . == (sort | reverse) and all(. > 0)' <<<"$output")" = true ]
	[ "$(jq -r '.context_bundle.validation_steps[0]' <<<"$output")" = "Verify the row count of the export" ]
	for distance in l2 ip; do
		jq -c '{id, text: (.title + " " + .content), metadata: {title, content, tags, source_run_id, success_score}}' $CORPUS | lh-index build --distance $distance $distance.lhv
		run -0 lh-replay --root e --index $distance.lhv --dry-run --task "the nightly export drops rows"
		[ "$(jq -r '.retrieved_artifacts.rag_ids[0]' <<<"$output")" = rag-b ]
	done
}

@test "an index that cannot be used is exit 2 with the reason" {
	lh-gen workers -n 5 | lh-index build workers.lhv
	echo '{"id":"a","vector":[1,2]}' | lh-index build bare.lhv
	run -2 lh-replay --root . --index absent.lhv --dry-run --task export
	[[ $output == *absent.lhv* ]]
	run -2 lh-replay --root . --index workers.lhv --dry-run --task welder
	[[ ${lines[-1]} == 'lh-replay: workers.lhv: metadata of '*': missing "title" (string)' ]]
	run -2 lh-replay --root . --index bare.lhv --dry-run --task export
	[ "$output" = 'lh-replay: --index: bare.lhv: it has no engine to embed text with' ]
	head -c 5000 workers.lhv >cut.lhv
	run -2 lh-replay --root . --index cut.lhv --dry-run --task export
	[[ $output == *cut.lhv* ]]
	start_chat --log calls
	echo '{"id":"a","text":"x"}' | LH_OLLAMA_URL=$URL lh-index build --engine ollama far.lhv
	rm calls
	run -2 lh-replay --root . --index far.lhv --dry-run --task export
	[[ $output == *--dry-run*service* ]]
	run -1 lh-replay --root . --index far.lhv <<<'{"task":"export","dry_run":true}'
	[ ! -e calls ]
}

# ---- the answer ----

@test "a good answer passes: one call, the prompt as the manual has it" {
	says "$GOOD"
	run -0 --separate-stderr lh-replay --root r --task "the nightly export drops rows"
	[ -z "$stderr" ]
	[ "$(verdict)" = '["qwen3.5:latest",["qwen3.5:latest"],true,[]]' ]
	[ "$(jq -r .model_response <<<"$output")" = "$GOOD" ]
	[ "$output" = "$(cat $LOG)" ]
	[ "$(asked)" = qwen3.5:latest ]
	jq -j '.body | fromjson | .messages[1].content' calls >got
	has -F "the nightly export drops rows" <got
	[ "$(jq -r '.body | fromjson | .messages[0].role' calls)" = system ]
	mandoc -Tascii -Owidth=1000 "$ROOT/man/lh-replay.1" | tr -s ' \n' '  ' | has -F "$(jq -r '.body | fromjson | .messages[0].content' calls)"
}

@test "without retrieval the model is given the task alone" {
	says "$GOOD"
	run -0 lh-replay --root r --no-retrieval --task "nightly export"
	[ "$(jq -c '.body | fromjson | .messages[1].content' calls)" = '"Task:\nnightly export\n"' ]
}

@test "each reason against an answer, by name" {
	long=$(printf 'the row count is what it was, and it was written down; %.0s' 1 2)
	answers=()
	while IFS='|' read -r answer reasons; do
		answers+=("$(printf %b "${answer//LONG/$long}")")
		echo '{"task":"nightly export"}' >&3
		echo '{"passed":false,"reasons":'"$reasons"'}' >&4
	done 3>in 4>want <<-'END'
		|["empty answer"]
		 \n\t\r |["empty answer"]
		Count the rows.|["short answer: 15 of 80 characters"]
		ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé the row|["short answer: 79 of 80 characters"]
		   Count the rows.                                                                                      |["short answer: 15 of 80 characters"]
		As An AI, LONG|["hedge: as an ai"]
		LONG as\n an  AI.|["hedge: as an ai"]
		LONG I CANNOT tell|["hedge: i cannot"]
		LONG i can't.|["hedge: i can't"]
		LONG I can\0342\0200\0231t.|["hedge: i can't"]
		(I'm unable) LONG|["hedge: i'm unable"]
		I'm sorry, but LONG|["hedge: i'm sorry, but"]
		I don't have access LONG|["hedge: i don't have access"]
		I cannot, as an AI, row|["short answer: 23 of 80 characters","hedge: as an ai","hedge: i cannot"]
		Nothing here has anything to do with it, yet so much of it stands here, long enough for everybody.|["no word of the validation steps"]
	END
	says "${answers[@]}"
	run -1 --separate-stderr lh-replay --root r -j1 in
	jq -c .validation_result <<<"$output" | diff want -
	[ "$stderr" = "lh-replay: 15 of 15 replays not passed" ]
}

@test "what only looks like a hedge is not one" {
	long=$(printf 'the row count is what it was, and it was written down; %.0s' 1 2)
	says "as an aim $long" "Mimi cannot $long" "I cannotx $long" "I'm sorry but $long" "_i can't $long" "has an ai $long" "I'm unabled $long" "I'm  $long"
	for i in 1 2 3 4 5 6 7 8; do echo '{"task":"nightly export"}'; done >in
	run -0 lh-replay --root r -j1 in
}

@test "80 characters are enough, and a word of the steps where there are steps" {
	says "$(printf 'é%.0s' {1..80})" "$(printf 'é%.0s' {1..79})"
	printf '%s\n' '{"task":"a"}' '{"task":"b"}' >two
	run -1 --separate-stderr lh-replay --root . -j1 two
	[ "$(jq -c .validation_result.passed <<<"$output" | paste -sd ,)" = true,false ]
	[ "$stderr" = "lh-replay: 1 of 2 replays not passed" ]
}

# bats test_tags=full
@test "a call that fails is a result: exit 1, its reason, a row" {
	run -1 --separate-stderr lh-replay --retries 0 --root r --task export
	[[ ${lines[0]} == *'"reasons":["local call failed: http://127.0.0.1:1/api/chat'* ]]
	[[ ${lines[0]} != *" ms"* ]]
	n=1
	for mode in error error500 silent truncated missing reset html endless bomb; do
		stop_upstreams
		start_chat --mode $mode
		LH_OLLAMA_URL=$URL run -1 --separate-stderr patiently lh-replay --timeout 0.5 --retries 0 --root r --task export
		n=$((n + 1))
		[ "$(jq -r '.validation_result.reasons[0]' <<<"$output" | grep -c "^local call failed: $URL/api/chat: ")" = 1 ] || { echo "$mode: $output"; false; }
		[ "$(jq -c '[.model_response, .model_used, .escalation_path, .validation_result.passed]' <<<"$output")" = '["","qwen3.5:latest",["qwen3.5:latest"],false]' ]
		[ "$(wc -l <$LOG)" = $n ]
		[ "$output" = "$(tail -n 1 $LOG)" ]
		run ! grep -aP '[\x00-\x09\x0b-\x1f\x7f]' $LOG
	done
}

@test "a provider without a key is a failed call as well" {
	run -1 --separate-stderr lh-replay --root . --local-model kimi/k2 --task export
	[[ $(jq -r '.validation_result.reasons[0]' <<<"$output") == 'local call failed: '*KIMI_API_KEY* ]]
}

@test "escalation: when the answer does not pass and it is allowed" {
	says "Too short." "$GOOD"
	run -0 lh-replay --root r --allow-escalation --task "nightly export"
	[ "$(verdict)" = '["deepseek-v3.1:671b",["qwen3.5:latest","deepseek-v3.1:671b"],true,[]]' ]
	[ "$(jq -r .model_response <<<"$output")" = "$GOOD" ]
	[ "$(asked)" = qwen3.5:latest,deepseek-v3.1:671b ]
	[ "$(jq -r '.body | fromjson | .messages | tojson' calls | sort -u | wc -l)" = 1 ]
}

@test "escalation: the second answer is judged in place of the first" {
	says "Too short." "Even so."
	run -1 --separate-stderr lh-replay --root r <<<'{"task":"nightly export","allow_escalation":true}'
	[ "$(verdict)" = '["deepseek-v3.1:671b",["qwen3.5:latest","deepseek-v3.1:671b"],false,["short answer: 8 of 80 characters","no word of the validation steps"]]' ]
	[ "$(jq -r .model_response <<<"$output")" = "Even so." ]
}

@test "escalation: a failed call escalates under the same guard" {
	start_chat --mode error500 --log calls
	export LH_OLLAMA_URL=$URL
	start_chat --mode body --status 200 --body good
	jq -nc --arg text "$GOOD" '{choices: [{index: 0, message: {role: "assistant", content: $text}}]}' >good
	export LH_KIMI_URL=$URL KIMI_API_KEY=k LH_REPLAY_LOCAL_MODEL=mine LH_REPLAY_ESCALATION_MODEL=kimi/k2
	run -0 --separate-stderr lh-replay --retries 0 --root r --allow-escalation --task "nightly export"
	[ "$(verdict)" = '["kimi/k2",["mine","kimi/k2"],true,[]]' ]
	run -1 --separate-stderr lh-replay --retries 0 --root r --allow-escalation --local-only --task "nightly export"
	[ "$(jq -c .escalation_path <<<"$output")" = '["mine"]' ]
	run -1 --separate-stderr lh-replay --retries 0 --root r --task "nightly export"
	[ "$(jq -c .escalation_path <<<"$output")" = '["mine"]' ]
	[ "$(asked)" = mine,mine,mine ]
}

@test "escalation: when its call fails the first answer is kept, with both reasons" {
	says "Too short, row."
	run -1 --separate-stderr lh-replay --root r --retries 0 --allow-escalation --task "nightly export"
	[ "$(jq -c '[.model_response, .model_used, .escalation_path]' <<<"$output")" = '["Too short, row.","qwen3.5:latest",["qwen3.5:latest","deepseek-v3.1:671b"]]' ]
	[ "$(jq -r '.validation_result.reasons[0]' <<<"$output")" = "short answer: 15 of 80 characters" ]
	[[ $(jq -r '.validation_result.reasons[1]' <<<"$output") == "escalation call failed: $URL/api/chat: "* ]]
	run -1 --separate-stderr lh-replay --root r --retries 0 --allow-escalation --task "nightly export"
	[ "$(jq -r '.validation_result.reasons[] | .[:23]' <<<"$output" | paste -sd ,)" = "local call failed: http,escalation call failed:" ]
}

@test "escalation: not for an answer that passes, not for local_only, not unless allowed" {
	says "$GOOD" short short short short
	printf '%s\n' '{"task":"export","allow_escalation":true}' '{"task":"export"}' '{"task":"export","allow_escalation":true,"local_only":true}' \
		'{"task":"export","allow_escalation":false}' '{"task":"export","allow_escalation":null,"local_only":null}' >five
	run -1 --separate-stderr lh-replay --root r -j1 five
	[ "$(jq -c .escalation_path <<<"$output" | sort -u)" = '["qwen3.5:latest"]' ]
	[ "$(asked | tr , '\n' | sort | uniq -c | tr -s ' ')" = " 5 qwen3.5:latest" ]
}

@test "what the command line forbids no record allows; what it allows a record may forbid" {
	says short "$GOOD" short short
	run -1 --separate-stderr lh-replay --root r --local-only <<<'{"task":"export","local_only":false,"allow_escalation":true}'
	[ "$(jq -c .escalation_path <<<"$output")" = '["qwen3.5:latest"]' ]
	run -0 --separate-stderr lh-replay --root r --dry-run <<<'{"task":"export","dry_run":false}'
	[ "$(jq .dry_run <<<"$output")" = true ]
	run -0 --separate-stderr lh-replay --root r --allow-escalation <<<'{"task":"export"}'
	run -1 --separate-stderr lh-replay --root r --allow-escalation <<<'{"task":"export","allow_escalation":false}'
	[ "$(jq -c .escalation_path <<<"$output")" = '["qwen3.5:latest"]' ]
}

@test "models are named by option, else by the environment, else by default" {
	says "$GOOD" "$GOOD" "$GOOD"
	export LH_REPLAY_LOCAL_MODEL=env
	lh-replay --root . --task a | jq -r .model_used
	lh-replay --root . --local-model ollama/opt --task a >row
	[ "$(jq -r '[.model_used] + .escalation_path | join(",")' row)" = ollama/opt,ollama/opt ]
	[ "$(asked)" = env,opt ]
	for option in --local-model --escalation-model --task; do
		run -2 lh-replay $option " "
		[[ $output == *"$option is empty"* ]]
		run -2 lh-replay $option $'\xff'
		[[ $output == *"$option is not UTF-8"* ]]
	done
}

@test "a dry run opens no connection, reads no key, and says the same of the same" {
	start_chat --log calls
	export LH_OLLAMA_URL=$URL LH_KEYS_FILE=absent
	run -0 lh-replay --root r --dry-run --now $NOW --allow-escalation --task "nightly export"
	one=$output
	run -0 lh-replay --root r --dry-run --now $NOW --allow-escalation --task "nightly export"
	[ "$one" = "$output" ]
	[ "$(verdict)" = '["qwen3.5:latest",["qwen3.5:latest"],true,[]]' ]
	[ "$(jq -c '[.dry_run, .duration_ms]' <<<"$output")" = '[true,0]' ]
	[ ! -e calls ]
	if [ -z "${LH_ASAN:-}" ] && strace -f -qq -o /dev/null true 2>/dev/null; then
		strace -f -qq -e trace=network -o trace lh-replay --root r --dry-run --task "nightly export" >row
		[ ! -s trace ]
	fi
	# also where only the record says so
	unset LH_KEYS_FILE
	lh-replay --root r <<<'{"task":"nightly export","dry_run":true}' >row
	[ ! -e calls ]
}

@test "a dry run passes with any bundle, also an empty one" {
	for task in "nightly export" zzz "I cannot, as an AI"; do
		run -0 lh-replay --root r --dry-run --task "$task"
	done
	sample rag-a "a login" $'Check that I cannot log in as\n an AI\nVerify the login' >$CORPUS
	run -0 lh-replay --root r --dry-run --task "login"
	[[ $(jq -r .model_response <<<"$output") == *$'steps:\n- Check\n- Verify the login' ]]
	[ "$(jq -r '.context_bundle.validation_steps[0]' <<<"$output")" = "Check that I cannot log in as" ]
	sample rag-a "a login" "check: I can't log in" >$CORPUS
	run -0 lh-replay --root r --dry-run --task "login"
}

# ---- records ----

@test "a record that is not a task is rejected with the reason, and not run" {
	while IFS=$'\t' read -r record message; do
		run -1 --separate-stderr lh-replay --root . --dry-run <<<"$record"
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-replay: -:1: $message" ] || { echo "$record: $stderr"; false; }
	done <<-'END'
		{}	missing "task" (string)
		{"task":" \n\t"}	"task" must not be empty
	END
	head -c 1048577 /dev/zero | tr '\0' x | jq -Rc '{task: .}' >in
	run -1 --separate-stderr lh-replay --root . --dry-run in
	[ "${stderr_lines[0]}" = 'lh-replay: in:1: "task" must be at most 1048576 bytes' ]
	[ ! -s data/_kb/replay_runs.jsonl ]
	run -1 --separate-stderr lh-replay --root . --dry-run --on-error emit <<<'{"id":7}'
	[ "$output" = '{"id":7,"error":{"file":"-","line":1,"code":400,"message":"missing \"task\" (string)"}}' ]
}

@test "--on-error stop: what follows the bad record is not run" {
	printf '%s\n' '{"task":"one"}' '{"task":2}' '{"task":"three"}' '{}' >in
	run -1 --separate-stderr lh-replay --root . --log log --dry-run --on-error stop in
	[ "$(jq -r .task <<<"$output")" = one ]
	[ "${stderr_lines[0]}" = 'lh-replay: in:2: "task" must be a string' ]
	[ "$(jq -r .task log)" = one ]
	mkdir -p r/exports/rag
	echo broken >$CORPUS
	run -2 --separate-stderr lh-replay --root r --dry-run --on-error stop in
	[ "$(jq -r .task $LOG)" = one ]
}

@test "several calls are in flight at once, and rows keep the order of the records" {
	start_chat --mode backwards --log calls
	export LH_OLLAMA_URL=$URL
	for i in 1 2 3 4; do echo '{"task":"export '$i' '"$GOOD"'"}'; done >in
	run -0 lh-replay --root r -j4 in
	[ "$(jq -r '.task[:8]' <<<"$output" | paste -sd ,)" = "export 1,export 2,export 3,export 4" ]
	[ "$(wc -l <$LOG)" = 4 ]
}

@test "--task takes no FILE" {
	run -2 lh-replay --dry-run --task a file
	[ "$output" = "lh-replay: --task takes no FILE" ]
	[ ! -e data ]
}

# ---- the log ----

@test "the log is made with its folders, for its owner alone; a torn line is reported and left on its own" {
	(umask 0; lh-replay --root r --dry-run --task one >row)
	[ "$(stat -c %a $LOG)" = 600 ]
	printf '{"torn' >>$LOG
	at=$(($(stat -c %s $LOG) - 6))
	run -0 --separate-stderr lh-replay --root r --dry-run --task two
	[ "$stderr" = "lh-replay: $LOG: a torn line at byte $at" ]
	[ "$(sed -n 2p $LOG)" = '{"torn' ]
	[ "$(sed -n 3p $LOG | jq -r .task)" = two ]
	[ "$(wc -l <$LOG)" = 3 ]
}

@test "a log that cannot be written is exit 2, and its row is not printed" {
	mkdir folder
	mkfifo fifo
	touch other
	ln -s other link
	for log in folder fifo link absent/log /dev/full; do
		run -2 --separate-stderr patiently lh-replay --root . --dry-run --log $log --task a
		[ -z "$output" ]
		[[ $stderr == "lh-replay: $log: "* ]]
	done
	[ ! -s other ]
	head -c 9999 /dev/zero | tr '\0' '\n' >log
	run -2 --separate-stderr prlimit --fsize=10000 lh-replay --root . --dry-run --log log --task a
	[ -z "$output" ]
	[[ $stderr == 'lh-replay: log: write failed'* ]]
	[ "$(stat -c %s log)" = 9999 ]
}

@test "the log is not what is read" {
	echo '{"task":"a"}' >in
	run -2 lh-replay --root r --dry-run --log in in
	[ "$output" = "lh-replay: --log: in is also the input" ]
	run -2 lh-replay --root r --dry-run --log in <in
	run -2 lh-replay --root r --dry-run --log $CORPUS in
	[ "$(wc -l <$CORPUS)" = 5 ]
	jq -c '{id, text: .content, metadata: {title, content, tags, source_run_id, success_score}}' $CORPUS | lh-index build p.lhv
	run -2 lh-replay --root r --dry-run --index p.lhv --log p.lhv in
	[ "${lines[-1]}" = "lh-replay: --log: p.lhv is also the index" ]
	lh-index verify p.lhv
	[ "$(cat in)" = '{"task":"a"}' ]
}

@test "bad records do not go into the log" {
	printf '{"task":"a"}\n{"bad":1}\n' >in
	run -2 lh-replay --root . --dry-run --log log --rejects log in
	[ "$output" = "lh-replay: --log: log is also where rejects go" ]
	lh-replay --root . --dry-run --task a >row
	run -2 lh-replay --root . --dry-run --rejects data/_kb/replay_runs.jsonl in
	[ "$(wc -l <data/_kb/replay_runs.jsonl)" = 1 ]
}

@test "a run is logged although its row is not read" {
	says "$GOOD" "$GOOD" "$GOOD"
	for i in 1 2 3; do echo '{"task":"export"}'; done >in
	run -0 bash -c 'lh-replay --root r -j1 in | true; exit ${PIPESTATUS[0]}'
	[ "$(wc -l <$LOG)" -ge 1 ]
	rm $LOG
	mkfifo unread
	exec 8<>unread 9>unread 8<&-
	lh-replay --root r --dry-run in >&9
	exec 9>&-
	[ "$(wc -l <$LOG)" = 3 ]
	run -2 bash -c 'lh-replay --root r --dry-run --task export >/dev/full'
	[ "$(wc -l <$LOG)" = 4 ]
}

@test "many processes keep one log, long rows included" {
	n=$(scale 25 1000)
	big=$(printf 'x%.0s' {1..9000})
	for ((i = 0; i < n; i++)); do echo '{"task":"'"$big"' '$i'"}'; done >in
	for p in {1..8}; do
		sed "s/\"}/ p$p\"}/" in | lh-replay --root . --dry-run --log log >out.$p 3>&- &
	done
	wait
	[ "$(wc -l <log)" = $((8 * n)) ]
	cat out.* | sort | cmp - <(sort log)
	[ "$(jq -r '.task | sub(".* "; "")' log | sort | uniq -c | awk '{ print $1 }' | sort -u)" = "$n" ]
}

@test "killed at the write: what was printed is logged, and the next row is on a line of its own" {
	needs_strace
	for i in {1..5}; do echo '{"task":"export '$i'"}'; done >in
	for n in {1..8}; do
		rm -f log
		status=0
		inject write:signal=KILL:when=$n -P "$PWD/log" lh-replay --root r --dry-run --log log in >out 2>err || status=$?
		[ "$status" = 137 ] || [ "$n" -gt 5 ]
		comm -23 <(sort out) <(sort log) >lost
		[ ! -s lost ]
		lh-replay --root r --dry-run --log log --task after >row 2>err
		tail -n 1 log | cmp - row
		jq -e .schema log >/dev/null
	done
}

@test "an interrupt in the middle of a call: the signal's status, and a row" {
	for how in record option; do
		for signal in INT TERM; do
			stop_upstreams
			rm -f log calls
			start_chat --mode silent --log calls
			export LH_OLLAMA_URL=$URL
			options=(--task "the task")
			[ $how = option ] || options=(-j1)
			hears_int lh-replay --root . --log log "${options[@]}" <<<'{"task":"the task"}' >out 2>err 3>&- &
			pid=$!
			until_so [ -s calls ]
			kill -$signal $pid
			status=0
			wait $pid || status=$?
			[ $status = $((128 + $(kill -l $signal))) ]
			[ ! -s out ]
			[ "$(jq -c '[.task, .validation_result.passed, .validation_result.reasons[0][:17]]' log)" = '["the task",false,"local call failed"]' ]
		done
	done
}

@test "no key is in the log or in a message" {
	start_chat --mode echo --log calls
	export LH_KIMI_URL=$URL KIMI_API_KEY=sekret/key-1
	run -1 lh-replay --root . --log log --local-model kimi/k --task export
	[[ $output != *sekret* ]]
	run ! grep sekret log
	grep -q sekret calls
	export LH_OLLAMA_URL=http://user:sekret@127.0.0.1:1
	run -1 lh-replay --root . --log log --retries 0 --task export
	run ! grep sekret log
}

@test "whatever the locale, the same bytes" {
	needs_comma
	lh-replay --root r --dry-run --now $NOW --log log --task "nightly export" >point
	with_comma lh-replay --root r --dry-run --now $NOW --log log --task "nightly export" >comma
	cmp point comma
}

# bats test_tags=full
@test "memory does not grow with the export" {
	plain_only "sanitizers need memory"
	mkdir -p r/exports/rag
	n=$(scale 60000 1000000)
	sample rag-N "audits: phase N" "The loop in retry_N is quadratic in the number of rows. Verify it." accepted audits |
		awk -v n="$n" '{ for (i = 0; i < n; i++) { s = $0; gsub(/N/, i, s); print s } }' >$CORPUS
	/usr/bin/time -f %M -o kib lh-replay --root r --dry-run --task "the loop in retry_777 is quadratic" >row
	[ "$(jq -r '.retrieved_artifacts.rag_ids[0]' row)" = rag-777 ]
	[ "$(cat kib)" -lt 20000 ]
}

@test "--url asks the models of a bridge by its /v1/chat, with its token, and no provider" {
	load ../servers/serve
	says "$GOOD"
	(umask 077; mkdir s; echo bridge-0123456789abcdef >token; echo other-0123456789abcdef >other)
	start_serve --state s --token-file token
	bridge=$URL
	export LH_OLLAMA_URL=http://127.0.0.1:1		# the bridge has the provider, not this
	lh-replay --root r --url "$bridge" --token-file token --local-model small --task "check the export" >row
	[ "$(jq -c '[.model_used, .validation_result.passed]' row)" = '["small",true]' ]
	[ "$(jq -r .model_response row)" = "$GOOD" ]
	[ "$(asked)" = small ]
	# a wrong token, and none, are failed calls; an address that is none is a usage error
	for how in '--token-file other' ''; do
		run -1 --separate-stderr lh-replay --root r --url "$bridge" $how --retries 0 --task "check the export"
		[[ $(jq -r '.validation_result.reasons[0]' <<<"$output") == *'HTTP 401'*'a token is required'* ]]
	done
	[[ $output$stderr != *other-0123456789* ]]
	run -2 lh-replay --root r --url ftp://x --task x
	[[ $output == 'lh-replay: --url: '* ]]
	run -2 lh-replay --root r --token-file token --task x
	[ "${lines[0]}" = 'lh-replay: --token-file goes with --url' ]
}
