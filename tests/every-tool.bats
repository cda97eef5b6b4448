load helper
load servers/server

# What holds for every tool, tried on each: a line in commands() is all that a
# new tool needs.

commands() {
	cat <<-'END'
	lh-gen workers -n 20
	lh-gen queries -n 20 --styles all
	lh-gen drafts -n 20 --workers 50
	lh-gen kb -n 20 --root kb --expect kb-expect
	lh-audit-full --observer --root past.d --now 2026-05-03T12:00:00Z
	lh-audit-full bundle verify audit.tar.zst
	lh-audit-full drift baselines.log
	lh-cat workers.jsonl.gz
	lh-chat --now 2026-05-03T12:00:00Z requests.jsonl
	lh-distill run --root past.d --run-id a --now 2026-05-03T12:00:00Z
	lh-distill health --all --root past.d
	lh-distill receipts --root past.d
	lh-embed --dimension 64 workers.jsonl
	lh-export rag --quarantine refused --now 2026-05-03T12:00:00Z evidence.jsonl
	lh-export sft --quarantine refused --now 2026-05-03T12:00:00Z evidence.jsonl
	lh-export preference --quarantine refused --now 2026-05-03T12:00:00Z evidence.jsonl
	lh-extract-json prose.jsonl
	lh-extract-json --wire --jobs=2 prose.jsonl
	lh-extract-json --raw-input answer.txt
	lh-index build built.lhv vectors.jsonl
	lh-index add workers.lhv more.jsonl
	lh-index delete workers.lhv more.jsonl
	lh-index merge workers.lhv other.lhv
	lh-index compact workers.lhv
	lh-index dump workers.lhv
	lh-index info workers.lhv
	lh-index verify workers.lhv
	lh-iterate --now 2026-05-03T12:00:00Z --answers answers.jsonl requests.jsonl
	lh-iterate --emit-session --now 2026-05-03T12:00:00Z sessions.jsonl
	lh-lift -k 3 --now 2026-05-03T12:00:00Z corpus=workers.lhv <queries.jsonl
	lh-materialize --source outcomes --now 2026-05-03T12:00:00Z outcomes.jsonl
	lh-parity --left cat --right cat --report report.md --now 2026-05-03T12:00:00Z skips.jsonl
	lh-pathway add --now 2026-05-03T12:00:00Z way.log fresh.jsonl
	lh-pathway add-idempotent --now 2026-05-03T12:00:00Z way.log known.jsonl
	lh-pathway update --now 2026-05-03T12:00:00Z way.log known.jsonl
	lh-pathway revise --now 2026-05-03T12:00:00Z way.log next.jsonl
	lh-pathway retire way.log known.jsonl
	lh-pathway get way.log known.jsonl
	lh-pathway history way.log known.jsonl
	lh-pathway search --contains 1 --tag t way.log
	lh-pathway verify way.log
	lh-playbook record notes.lhv entries.jsonl
	lh-playbook remove book.lhv others.jsonl
	lh-playbook list book.lhv
	lh-playbook export book.lhv
	lh-relevance --focus review.focus known.jsonl
	lh-relevance gate known.jsonl
	lh-replay --dry-run --root past.d --log replays.log --now 2026-05-03T12:00:00Z tasks.jsonl
	lh-replay --dry-run --index samples.lhv --log replays.log --now 2026-05-03T12:00:00Z tasks.jsonl
	lh-score evidence.jsonl
	lh-score --check-drift scores.jsonl
	lh-search -Q welder -k 3 workers.lhv
	lh-search -k 3 workers.lhv <queries.jsonl
	lh-search -k 3 --playbook book.lhv --auto-role corpus=playbook.lhv <demand.jsonl
	lh-subject-audit append --key-file audit.key --sync none --dir audit.d --now 2026-05-03T12:00:00Z accesses.jsonl
	lh-subject-audit verify --key-file audit.key --all audit.d/W-1.audit.jsonl
	lh-subject-audit repair audit.d/W-1.audit.jsonl
	lh-subject-audit anchor --key-file audit.key --dir audit.d --now 2026-05-03T12:00:00Z
	lh-subject-audit report --key-file audit.key --dir audit.d --now 2026-05-03T12:00:00Z --html page.html W-1
	lh-subject-audit manifest put --dir audit.d manifests.jsonl
	lh-subject-audit manifest list --dir audit.d
	lh-subject-audit manifest verify --key-file audit.key --dir audit.d W-9
	lh-subject-audit sweep --dir audit.d --as-of 2026-05-03T00:00:00Z --apply
	lh-subject-audit known-answer
	lh-validate --kind email --now 2026-05-03T12:00:00Z --roster workers.lhv drafts.jsonl
	lh-validate --kind sms --now 2026-05-03T12:00:00Z --roster=workers.jsonl --rules . drafts.jsonl
	lh-validate --kind email --now 2026-05-03T12:00:00Z --roster workers.lhv --audit-log audit.d --key-file audit.key few.jsonl
	lh-validate --normalize-errors errors.jsonl
	lh-validate --schema model_ledger --now 2026-05-03T12:00:00Z ledger.jsonl
	END
}

# Those that write records to stdout.
writers() {
	commands | grep -v 'build\|add\|verify\|compact\|gen kb'
}

# The same with the records on standard input.
on_stdin() {
	commands | sed -n 's/ [a-z]*\.jsonl\(\.gz\)*$/ -/p; s/ <.*//p'
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$BATS_TEST_DIRNAME/../bin}:$PATH
	lh-gen workers -n 30 >workers.jsonl
	printf '{"metrics":{"b":2,"a":%s}}\n' 1 82 >baselines.log
	lh-gen workers -n 5 --seed 9 | jq -c '.id = "m" + .id' >more.jsonl
	lh-gen queries -n 10 >queries.jsonl
	for i in {1..40}; do echo '{"query_text":"Need '$i' Welders in Gary IN","answer_id":"w-'$i'","answer_corpus":"corpus","score":0.5,"role":"Welder"}'; done >entries.jsonl
	sed 's/IN"/OH"/' entries.jsonl >others.jsonl
	jq -c '{query_text, k: 5}' entries.jsonl others.jsonl >demand.jsonl
	lh-playbook record -q book.lhv entries.jsonl >/dev/null
	lh-gen workers -n 60 | lh-index build playbook.lhv
	for i in {1..40}; do echo '{"kind":"email","prompt":"Write to Ada.","model":"m"}'; done >requests.jsonl
	for i in {1..60}; do echo '{"content":"Here: {\"to\":\"a@b.c\",\"body\":\"Hello '$i'\"}"}'; done >answers.jsonl
	cat "${ROOT:-$BATS_TEST_DIRNAME/..}"/share/fixtures/session/*[a-z].json | grep -v '"schema"' >sessions.jsonl
	for i in {1..40}; do cat "${ROOT:-$BATS_TEST_DIRNAME/..}"/share/fixtures/schemas/valid/model_ledger-*.json; done >ledger.jsonl
	for i in {1..40}; do cat "${ROOT:-$BATS_TEST_DIRNAME/..}"/share/fixtures/schemas/valid/evidence_record-*.json; done >evidence.jsonl
	for i in {1..40}; do echo '{"name":"case '$i'","skip":"later"}'; done >skips.jsonl
	lh-score evidence.jsonl | cat - evidence.jsonl >scores.jsonl
	for i in {1..40}; do echo '{"Kind":"schema","Field":"x","Reason":"\u0079 '$i'"}'; done >errors.jsonl
	for i in {1..40}; do echo '{"run_id":"o'$i'","created_at":"2026-05-03T12:00:00Z","ok":1,"total":1,"elapsed_secs":1.50}'; done >outcomes.jsonl
	for i in {1..40}; do
		echo '{"finding_id":"a'$i'","phase":'$((i / 4))',"ts":"2026-05-03T12:00:00Z","severity":"low","evidence":"See '$i'."}'
	done | sed '0~2s/low/high/' | lh-materialize --source audits --recorded-at 2026-05-03T12:00:00Z >evidence.jsonl
	mkdir -p past.d/data/_kb past.d/docs/recon
	touch past.d/docs/recon/local-distillation-recon.md
	head -n 2 outcomes.jsonl >past.d/data/_kb/outcomes.jsonl
	lh-distill run --root past.d --run-id a --now 2026-05-03T12:00:00Z >/dev/null
	lh-audit-full --observer --root past.d --now 2026-05-03T12:00:00Z --out audit.md --bundle audit.tar.zst >/dev/null
	for i in {1..40}; do echo '{"task":"Audit \u0062atch '$i' of outcomes"}'; done >tasks.jsonl
	jq -c '{id, text, metadata: {title: .role, content: .text, tags: [.city], source_run_id: .id, success_score: "accepted"}}' workers.jsonl |
		lh-index build --dimension 64 samples.lhv
	printf '%032d' 0 >audit.key
	chmod 600 audit.key
	for i in {1..40}; do echo '{"candidate_id":"W-'$((i % 3))'","accessor":{"kind":"k","daemon":"d","purpose":"'$i'"},"fields_accessed":["name"],"result":"success"}'; done >accesses.jsonl
	grep '"W-1"' accesses.jsonl | lh-subject-audit append --key-file audit.key --sync none --dir audit.d >/dev/null
	for i in {1..40}; do echo '{"schema":"subject_manifest.v1","candidate_id":"W-'$((i % 3))'","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","status":"active","vertical":"other","consent":{"general_pii":{"status":"given"},"biometric":{"status":"pending"}},"retention":{"general_pii_until":"2026-01-01T00:00:00Z","policy":"p"},"datasets":[{"name":"w","key_column":"id","key_value":"1"}],"safe_views":["v"],"audit_log_path":"x","audit_log_chain_root":""}'; done >manifests.jsonl
	sed 's/"W-[0-9]"/"W-9"/; 2,$d' manifests.jsonl | lh-subject-audit manifest put --dir audit.d >/dev/null
	for i in {1..40}; do echo '{"uid":"t'$i'","content":{"n":"'$i'"},"tags":["t"],"text":"see a.c","path":"src/b.c","mode":"codereview_lakehouse","model":"m"}'; done >known.jsonl
	sed 's/"t\([0-9]*\)"/"u\1"/' known.jsonl >fresh.jsonl
	sed 's/"t\([0-9]*\)"/"v\1","predecessor_uid":"t\1"/' known.jsonl >next.jsonl
	lh-pathway add way.log known.jsonl >/dev/null
	echo '{"path":"src/a.c","text":"see it"}' >review.focus
	gzip -k workers.jsonl
	jq -c '{id, text, to: .phone, body: "Hi \(.name)", context: {candidate_id}}' workers.jsonl >drafts.jsonl
	head -n 5 drafts.jsonl >few.jsonl
	echo '{"rules":[{"id":"a","task_class":"staffing.any","condition":{"type":"FieldContainsAny","field":"body","needles":["cash"]},"action":{"type":"Block","message":"no cash"}}]}' >rules.json
	jq -c '{id, text: "Sure:\n```json\n{\n\"name\": \"\(.name)\", \"name\": 1.50,\n\"a\": {\"b\": \"\(.role)\"}}\n```\n{"}' workers.jsonl >prose.jsonl
	jq -r .text prose.jsonl | first 5 >answer.txt
	lh-embed --dimension 64 workers.jsonl >vectors.jsonl
	lh-index build workers.lhv vectors.jsonl
	lh-gen workers -n 5 --seed 8 | lh-index build --dimension 64 other.lhv
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR/server
	mkdir "$BATS_TEST_TMPDIR"
	start_chat
	export LH_OLLAMA_URL=$URL
}

teardown_file() { stop_upstreams; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	fresh
}

# tools - each command once, without its operands.
tools() {
	basename -a "$ROOT"/tools/*/
}

fresh() {
	rm -rf ./*
	cp -r "$BATS_FILE_TMPDIR"/*.* .
}

@test "a command line that is right ends with 0 and says nothing but a total" {
	while read -r command; do
		run --separate-stderr bash -c "$command" </dev/null
		[ "$status" = 0 ] && [ -z "${stderr#lh-playbook: 40 recorded, 0 not}" ] || { echo "$command: exit $status: $stderr"; return 1; }
	done < <(commands)
}

@test "a full disk behind stdout is exit 2 with the reason" {
	while read -r command; do
		run bash -c "$command 2>&1 >/dev/full" </dev/null
		[ "$status" = 2 ] && [[ $output == *"No space left"* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(writers)
}

@test "a full disk behind help, version and the list of tools is exit 2 as well" {
	while read -r command; do
		run bash -c "$command 2>&1 >/dev/full"
		[ "$status" = 2 ] && [[ $output == *"No space left"* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(tools | sed 's/$/ --help/'; tools | sed 's/$/ --version/'; echo lh)
}

@test "a closed stdout is exit 2 and a message" {
	while read -r command; do
		run bash -c "$command 2>&1 >&-" </dev/null
		[ "$status" = 2 ] && [ -n "$output" ] || { echo "$command: exit $status: $output"; return 1; }
	done < <(writers)
}

@test "a closed stdin is exit 2 and a message where stdin would be read" {
	while read -r command; do
		run bash -c "$command 2>&1 <&-"
		[ "$status" = 2 ] && [ -n "$output" ] || { echo "$command: exit $status: $output"; return 1; }
	done < <(on_stdin)
}

@test "a closed stderr changes nothing, and no message lands in a file that was opened" {
	while read -r command; do
		fresh
		bash -c "$command >out 2>/dev/null" </dev/null && want=0 || want=$?
		bytes=$(wc -c <out)
		fresh
		sum=$(sha256sum workers.jsonl queries.jsonl vectors.jsonl)
		bash -c "$command >out 2>&-" </dev/null && status=0 || status=$?
		[ "$status" = "$want" ] && [ "$(wc -c <out)" = "$bytes" ] || { echo "$command: exit $status, not $want"; return 1; }
		[ "$sum" = "$(sha256sum workers.jsonl queries.jsonl vectors.jsonl)" ]
	done < <(commands)
}

@test "a file that is not there is exit 2 and named" {
	while read -r command; do
		run bash -c "$command absent-file 2>&1 >/dev/null" </dev/null
		[ "$status" = 2 ] && [[ $output == *absent-file* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(commands | grep -v '^lh-gen\|dump\|audit verify' | sed 's/ [a-z]*\.jsonl\(\.gz\)*$//')
}

@test "terminal escapes in file names do not reach stderr raw" {
	name=$'bad\e[31mname'
	while read -r command; do
		run bash -c "$command '$name' 2>&1 >/dev/null" </dev/null
		[ "$status" = 2 ] && [[ $output != *$'\e'* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(commands | grep -v 'audit verify' | sed 's/ [a-z]*\.jsonl\(\.gz\)*$//')
}

# What must not reach a terminal: control bytes, also those of two bytes (C1).
raw() {
	LC_ALL=C grep -q -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1"
}

@test "terminal escapes in keys and values do not reach stderr raw" {
	python3 - >escapes.jsonl <<-'END'
	import json
	e = "\x1b[31m\x9b\x7f\b"
	for r in ({"id": e, "text": 5, "vector": 5}, {e: 1}, {"id": e, "texts": ["a"], "model": e, "vector": [1], "k": e},
	          {"id": e, "vector": e, "text": ""}, {"id": e, "vector": [1] * 3, "text": ""}, {"query": "a", "corpora": [e]},
	          {"kind": e, "prompt": e, "model": e}, {"id": 1, "vector": [1] * 64, "model": e, "exclude_ids": e}, {"id": e * 500, "vector": [1] * 64, "metadata_filter": e}):
	    print(json.dumps(r))
	    print(json.dumps(r, ensure_ascii=False))
	print('{"a":"%s"}\n{"%s":1}\n{"%s":1,"%s":2}\n%s' % ((e,) * 5))
	print('{"\\u001b":1,"\\u001b":2}\n{"id":1\x1b}')
	END
	while read -r command; do
		[[ $command == lh-cat* ]] && continue
		bash -c "$command --verbose" <escapes.jsonl >out 2>err && status=0 || status=$?
		[ "$status" = 1 ]
		[ "$(wc -l <err)" -gt 5 ]
		run ! raw err
	done < <(on_stdin)
}

@test "terminal escapes in options, operands, the environment and an index do not reach stderr raw" {
	e=$'\e[31m\xc2\x9b'
	jq -nc --arg e "$e" '{id: 1, vector: [1, 2], model: $e}' | lh-index build "$e.lhv"
	jq -nc --arg e "$e" '{id: 2, vector: [1, 2], model: ($e + "2")}' >in
	jq -nc --arg e "$e" '{id: 2, vector: [1, 2], model: ($e + "2")}' | lh-index build two.lhv
	n=0
	while read -r command; do
		n=$((n + 1))
		E=$e bash -c "$command" <in >out 2>err && status=0 || status=$?
		[ "$status" -ge 1 ] || { echo "$command: exit $status"; return 1; }
		run ! raw err
		[ -s err ]
	done < <(
		tools | sed 's/$/ "--$E"/; p; s/"--$E"/"$E"/'
		cat <<-'END'
		lh-gen workers -n "$E"
		lh-gen queries --styles "$E"
		lh-gen drafts --kinds "$E"
		lh-gen kb --root "no/$E"
		LH_OLLAMA_URL=$E lh-chat
		KIMI_API_KEY=$E lh-chat
		LH_KEYS_FILE=no/$E lh-chat
		lh-chat --timeout "$E"
		lh-iterate --answers "no/$E" workers.jsonl
		lh-iterate --kind "$E"
		lh-iterate --rules "no/$E"
		lh-iterate --roster "no/$E"
		lh-iterate --daemon $'\xff'"$E"
		lh-audit-full --root "no/$E"
		lh-audit-full --phase "$E"
		LH_DISTILL_ROOT=no/$E lh-audit-full
		lh-distill run --run-id "/$E"
		lh-distill run --recorded-at "$E"
		lh-distill run --root "no/$E"
		lh-distill receipts --run-id "no $E"
		lh-distill acceptance --fixture "no/$E"
		LH_DISTILL_ROOT=no/$E lh-distill health
		lh-embed --engine "$E"
		lh-embed --model "$E"
		lh-embed --template "{$E"
		lh-embed --rejects "no/$E" workers.jsonl
		LH_OLLAMA_URL=$E lh-embed --engine ollama
		LH_OPENAI_URL=$E lh-embed --engine openai
		lh-embed --engine openai --key-file "no/$E"
		lh-export "$E"
		lh-export rag --verify-paths "no/$E"
		lh-export rag --quarantine "no/$E"
		lh-export rag --root "no/$E"
		lh-export rag --root . "$E"
		lh-index "$E"
		lh-index build --model "$E" --engine hash x.lhv
		lh-index build "no/$E"
		lh-index add "$E.lhv"
		lh-index merge "$E.lhv" two.lhv
		lh-lift --playbook "$E.lhv" workers.lhv
		lh-lift --report "no/$E" workers.lhv
		lh-lift --judge-model $'\xff'"$E" workers.lhv
		lh-materialize --source "$E"
		lh-materialize --sources "$E"
		lh-materialize --root "no/$E"
		lh-materialize --root . --run-id "$E/"
		lh-pathway add "no/$E"
		lh-pathway get --uid "$E" way.log
		lh-pathway search --where "$E" way.log
		lh-pathway verify "$E"
		lh-playbook "$E"
		lh-playbook record "no/$E"
		lh-playbook list "$E.lhv"
		lh-search --playbook "$E.lhv" workers.lhv <queries.jsonl
		lh-relevance --focus "no/$E"
		lh-relevance gate "$E"
		lh-replay --log "no/$E"
		lh-replay --root "no/$E"
		lh-replay --index "no/$E"
		LH_REPLAY_LOCAL_MODEL=$'\xff'"$E" lh-replay
		lh-search --where "$E" workers.lhv
		lh-search -Q x "$E.lhv"
		lh-search "$E=workers.lhv" "$E=two.lhv"
		lh-search "$E"
		lh-validate --kind "$E"
		lh-validate --roster "no/$E"
		lh-validate --roster in
		lh-validate --rules "no/$E"
		lh-validate --schema "$E"
		lh-validate --audit-log "workers.jsonl/$E" --key-file audit.key
		LH_ROSTER=$E lh-validate
		lh-subject-audit verify --key-file "no/$E"
		lh-subject-audit verify --key-file audit.key --against "no/$E"
		lh-subject-audit report --key-file audit.key --dir audit.d "$E"
		lh-subject-audit manifest "$E"
		lh-subject-audit sweep --dir "no/$E"
		LH_NOW=$E lh-index build x.lhv
		END
	)
	[ "$n" -gt 20 ]
}

# What makes a record one that lh-iterate can answer, an outcome, evidence, and
# of a trace that is known.
ASK='"uid":"t1","role":"r","city":"c","state":"s","content":1,"mode":"m","kind":"email","task":"t","prompt":"p","model":"m","created_at":"2026-05-03T12:00:00Z","run_id":"r","task_id":"t","timestamp":"2026-05-03T12:00:00Z","schema_version":1,"provenance":{"source_file":"data/_kb/audits.jsonl","line_offset":0,"sig_hash":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","recorded_at":"2026-05-03T12:00:00Z"}'

@test "dirty lines are rejected one by one, and those between them are read" {
	printf '\357\273\277{"id":"a","text":"ok",'"$ASK"'}\r\n\r\n \t\n{"id":"b","text":"a\0b"}\n\0\n{"id":"c","text":"\377"}\n' >.dirty
	printf '{"id":"d","text":"\300\257"}\n{"id":"e","text":"\\ud800"}\n\357\273\277{"id":"f","text":"ok"}\n[1]\n"x"\n\n' >>.dirty
	printf '{"id":"g","text":"\342\200\250 is LINE SEPARATOR",'"$ASK"'}\n{"id":"g","id":"h","text":"ok"}\n{"id":"i","text":"no LF",'"$ASK"'}' >>.dirty
	while read -r command; do
		[[ $command == lh-cat* || $command == *delete* || $command == *emit* || $command == *errors* || $command == *drift* || $command == *audit* || $command == *parity* || $command == *pathway\ add\ * || $command == *revise* || $command == lh-playbook* ]] && continue
		fresh
		bash -c "$command --rejects rejected" <.dirty >out 2>err && status=0 || status=$?
		[ "$status" = 1 ] || { echo "$command: exit $status: $(cat err)"; return 1; }
		[ "$(tail -n 1 err)" = "${command%% *}: 9 of 12 records rejected" ] || { echo "$command: $(cat err)"; return 1; }
		[ "$(wc -l <rejected)" = 9 ]
		[ ! -s out ] || [ "$(jq -c 'select(has("summary") | not)' out | wc -l)" = 3 ]
	done < <(on_stdin | sed "s/ <.*//; s/ -$//" | sed "s/ workers.jsonl//")
}

@test "a locale with a decimal comma changes no byte" {
	needs_comma
	while read -r command; do
		point=$(bash -c "$command" </dev/null | sha256sum)
		comma=$(with_comma bash -c "$command" </dev/null | sha256sum)
		[ "$point" = "$comma" ] || { echo "$command"; return 1; }
	done < <(writers | grep -v 'audit append\|revise')
}

@test "a locale with a decimal comma changes no byte of an index" {
	needs_comma
	build="lh-index build -j1 --now 2026-05-03T12:00:00Z"
	$build point.lhv vectors.jsonl
	with_comma $build comma.lhv vectors.jsonl
	cmp point.lhv comma.lhv
	$build --dimension 64 point.lhv workers.jsonl
	with_comma $build --dimension 64 comma.lhv workers.jsonl
	cmp point.lhv comma.lhv
	lh-index add -j1 point.lhv more.jsonl
	with_comma lh-index add -j1 comma.lhv more.jsonl
	cmp point.lhv-log comma.lhv-log
}

@test "what two threads write is what one writes" {
	while read -r command; do
		[ "$(bash -c "$command -j1" </dev/null | sha256sum)" = "$(bash -c "$command -j3" </dev/null | sha256sum)" ] ||
			{ echo "$command"; return 1; }
	done < <(writers | grep 'chat\|export\|extract-json answers\|embed\|lift\|materialize\|relevance\|score\|search\|validate')
}

@test "whichever allocation fails: exit 2, out of memory, no leak, no litter" {
	asan_only
	step=$(scale 13 1)
	while read -r command; do
		for ((n = 1; n < 100000; n += step)); do
			fresh
			for when in "$n" "$n+"; do
				run --separate-stderr bash -c "LH_FAULT_ALLOC=$when $command >out" </dev/null
				[ "$status" = 0 ] && break
				[ "$status" = 2 ] && [[ $stderr == *"out of memory"* ]] ||
					{ echo "LH_FAULT_ALLOC=$when $command: exit $status: $stderr"; return 1; }
				no_litter
			done
			[ "$status" = 0 ] && break
		done
	done < <(commands)
}

# libcurl allocates thousands of times before it is ready: lh-chat.bats takes larger steps
@test "whichever allocation fails, those of libc and other libraries too: exit 2, out of memory" {
	plain_only "sanitizers have an allocator of their own"
	cc -shared -fPIC -o "$BATS_FILE_TMPDIR/failmalloc.so" "$ROOT/tests/faults/failmalloc.c"
	step=$(scale 11 1)
	while read -r command; do
		for ((n = 1; n < 100000; n += step)); do
			for when in "$n" "$n+"; do
				fresh
				sum=$(sha256sum workers.lhv)
				status=0
				bash -c "exec env FAILMALLOC=$when FAILMALLOC_LOG=hit LD_PRELOAD='$BATS_FILE_TMPDIR/failmalloc.so' $command >out 2>err" </dev/null || status=$?
				[ -e hit ] || break 2
				[ "$status" = 0 ] || { [ "$status" = 2 ] && grep -q "out of memory" err; } ||
					{ echo "FAILMALLOC=$when $command: exit $status: $(cat err)"; return 1; }
				[ "$status" = 0 ] || [ "$sum" = "$(sha256sum workers.lhv)" ]
				no_litter
			done
		done
		[ "$n" -gt 1 ]
	done < <(commands | grep -v lh-chat)
}

@test "EINTR anywhere and EAGAIN on stdout lose nothing" {
	needs_strace
	faults=0
	while read -r command; do
		fresh
		bash -c "$command" </dev/null >.want
		for fault in "write,pwrite64:error=EINTR:when=1+2" "write:error=EAGAIN:when=1+2 -P got" \
			"read,pread64:error=EINTR:when=1+2 $(printf -- '-P %s ' *.jsonl *.gz *.lhv)"; do
			fresh
			eval "inject $fault $command >got" </dev/null
			cmp .want got
			faults=$((faults + $(grep -c 'INJECTED' trace || true)))
		done
	done < <(commands)
	[ "$faults" -gt 30 ]
}

@test "whichever write fails for want of space: exit 2, the reason, the old file" {
	needs_strace
	step=$(scale 3 1)
	while read -r command; do
		for ((n = 1; n < 1000; n += step)); do
			fresh
			sum=$(sha256sum workers.lhv)
			run inject write,pwrite64,writev,pwritev:error=ENOSPC:when=$n bash -c "exec $command >out 2>err" </dev/null
			injected || break
			# a message, and a lock's note of who holds it, may go missing
			grep -qE 'write\(2,.*INJECTED|pwrite64\([0-9]+, "[0-9]+\\n".*INJECTED' trace && continue
			# a look-up without its row is told and changes no verdict: lh-validate-audit.bats
			grep -q 'left no row: .*No space left' err && continue
			[ "$status" = 2 ] && grep -q "No space left" err ||
				{ echo "write $n of $command: exit $status: $(cat err)"; return 1; }
			[ "$sum" = "$(sha256sum workers.lhv)" ]
			no_litter
		done
		# that all is well is not written
		[ "$n" -gt 1 ] || { [ "$status" = 0 ] && [ ! -s out ]; } || { echo "no write of $command failed"; return 1; }
	done < <(commands)
}

@test "SIGINT and SIGTERM in the middle: status 128 + n, whole records only, no litter" {
	while read -r command; do
		for signal in INT TERM; do
			fresh
			sum=$(sha256sum workers.lhv)
			mkfifo pipe
			hears_int bash -c "exec $command <pipe >out 2>err" 3>&- &
			pid=$!
			exec 7>pipe
			cat "$BATS_FILE_TMPDIR/workers.jsonl" >&7
			printf '{"id":"half' >&7
			drained 7
			kill -$signal "$pid"
			status=0
			wait "$pid" || status=$?
			exec 7>&-
			[ "$status" = $((128 + $(kill -l $signal))) ] || { echo "$signal $command: exit $status: $(cat err)"; return 1; }
			[ ! -s out ] || [ "$(tail -c 1 out | wc -l)" = 1 ]
			jq -c . out >/dev/null
			no_litter
			[ ! -e workers.lhv-lock ]
			[ "$sum" = "$(sha256sum workers.lhv)" ]
			lh-index verify workers.lhv
		done
	done < <(on_stdin)
}

@test "a signal in the middle of much output leaves whole records" {
	lh-gen workers -n 20000 | lh-index build --dimension 64 --exact-below 100000 many.lhv
	lh-index dump many.lhv >all.dump
	lh-gen workers -n 100000 >all.gen
	for wait in 0.02 0.1; do
		for signal in INT TERM; do
			timeout -s $signal $wait lh-gen workers -n 100000000 >out || [ $? = 124 ]
			cmp -n "$(stat -c %s out)" out all.gen || [ "$(tail -n 1 out | jq -r '.id[2:]')" -gt 100000 ]
			[ ! -s out ] || [ "$(tail -c 1 out | wc -l)" = 1 ]
			timeout -s $signal $wait lh-index dump many.lhv >out || [ $? = 124 ]
			cmp -n "$(stat -c %s out)" out all.dump
			[ ! -s out ] || [ "$(tail -c 1 out | wc -l)" = 1 ]
		done
	done
}
