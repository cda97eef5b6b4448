# What holds for every tool, tried on each: a line in commands() is all that a
# new tool needs.

commands() {
	cat <<-'END'
	lh-gen workers -n 20
	lh-gen queries -n 20 --styles all
	lh-gen drafts -n 20 --workers 50
	lh-gen kb -n 20 --root kb --expect kb-expect
	lh-audit-full --observer --root past.d --now 2026-05-03T12:00:00Z
	lh-audit-full drift baselines.log
	lh-cat workers.jsonl.gz
	lh-catalog register --now 2026-05-03T12:00:00Z --catalog catalog.d datasets.jsonl
	lh-catalog get --catalog catalog.d <known-datasets.jsonl
	lh-catalog list --catalog catalog.d
	lh-catalog remove --catalog removed.d <known-datasets.jsonl
	lh-catalog requests --catalog catalog.d dataset-requests.jsonl
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
	lh-index requests . about.jsonl
	lh-index import --now 2026-05-03T12:00:00Z --hnswlib graph.bin --ids graph.jsonl imported.lhv
	lh-index export --hnswlib exported.bin --ids exported.jsonl graph.lhv
	lh-ingest --id name people.csv
	lh-ingest workers.jsonl
	lh-iterate --now 2026-05-03T12:00:00Z --answers answers.jsonl requests.jsonl
	lh-iterate --emit-session --now 2026-05-03T12:00:00Z sessions.jsonl
	lh-judge score --qrels grades.jsonl --each judged.run
	lh-judge compare --qrels grades.jsonl judged.run judged.run
	lh-judge pool judged.run
	lh-judge ask --model qwen3 --queries asked.queries pooled.jsonl
	lh-judge sets beir.d sets.d
	lh-lift -k 3 --now 2026-05-03T12:00:00Z corpus=workers.lhv <queries.jsonl
	lh-load -q -n 3 $LH_OLLAMA_URL/api/tags
	lh-load mix -q -n 3 ways.jsonl $LH_OLLAMA_URL
	lh-materialize --source outcomes --now 2026-05-03T12:00:00Z outcomes.jsonl
	lh-mcp <pings.jsonl
	lh-observe record --now 2026-05-03T12:00:00Z seen.log events.jsonl
	lh-observe inbox --now 2026-05-03T12:00:00Z seen.log messages.jsonl
	lh-observe stats --by endpoint known-seen.log
	lh-observe tail -n 100 known-seen.log
	lh-observe requests --now 2026-05-03T12:00:00Z seen.log observations.jsonl
	lh-parity --left cat --right cat --report report.md --now 2026-05-03T12:00:00Z skips.jsonl
	lh-pathway add --now 2026-05-03T12:00:00Z way.log fresh.jsonl
	lh-pathway add-idempotent --now 2026-05-03T12:00:00Z way.log known.jsonl
	lh-pathway update --now 2026-05-03T12:00:00Z way.log known.jsonl
	lh-pathway revise --now 2026-05-03T12:00:00Z way.log next.jsonl
	lh-pathway retire way.log known.jsonl
	lh-pathway get way.log known.jsonl
	lh-pathway history way.log known.jsonl
	lh-pathway search --contains 1 --tag t way.log
	lh-pathway requests way.log wanted.jsonl
	lh-pathway verify way.log
	lh-playbook record notes.lhv entries.jsonl
	lh-playbook remove book.lhv others.jsonl
	lh-playbook list book.lhv
	lh-playbook export book.lhv
	lh-playbook requests . noted.jsonl
	lh-query 'SELECT * FROM w' w=workers.jsonl
	lh-relevance --focus review.focus known.jsonl
	lh-relevance gate known.jsonl
	lh-replay --dry-run --root past.d --log replays.log --now 2026-05-03T12:00:00Z tasks.jsonl
	lh-replay --dry-run --index samples.lhv --log replays.log --now 2026-05-03T12:00:00Z tasks.jsonl
	lh-score evidence.jsonl
	lh-score --check-drift scores.jsonl
	lh-merge -k 3 hits.jsonl
	lh-rerank --model ./reranker.gguf hits.jsonl
	lh-search -Q welder -k 3 workers.lhv
	lh-search -k 3 workers.lhv <queries.jsonl
	lh-search --wire --ignore-unknown --playbooks . ./ <chosen.jsonl
	lh-search -k 3 --playbook book.lhv --auto-role corpus=playbook.lhv <demand.jsonl
	lh-show workers.jsonl
	lh-show --card workers.jsonl
	lh-show --table --width 80 workers.jsonl
	lh-store put store.d new/key review.focus
	lh-store get store.d a/workers.jsonl
	lh-store head store.d a/workers.jsonl
	lh-store list store.d
	lh-store requests --files store.d object-requests.jsonl
	lh-store sync store.d copied.d
	lh-store delete removed-store.d a/workers.jsonl
	lh-subject-audit append --key-file audit.key --sync none --dir audit.d --now 2026-05-03T12:00:00Z accesses.jsonl
	lh-subject-audit verify --key-file audit.key --all audit.d/W-1.audit.jsonl
	lh-subject-audit repair audit.d/W-1.audit.jsonl
	lh-subject-audit anchor --key-file audit.key --dir audit.d --now 2026-05-03T12:00:00Z
	lh-subject-audit report --key-file audit.key --dir audit.d --now 2026-05-03T12:00:00Z --html page.html W-1
	lh-subject-audit accesses --key-file audit.key --dir audit.d --from 2026-03
	lh-subject-audit requests --key-file audit.key --dir audit.d --now 2026-05-03T12:00:00Z inquiries.jsonl
	lh-subject-audit manifest put --dir audit.d manifests.jsonl
	lh-subject-audit manifest list --dir audit.d
	lh-subject-audit manifest verify --key-file audit.key --dir audit.d W-9
	lh-subject-audit sweep --dir audit.d --as-of 2026-05-03T00:00:00Z --apply
	lh-subject-audit known-answer
	lh-subject-audit commit --key-file audit.key --dir committed.d --tlog rows.d --key-file-tlog log.key
	lh-subject-audit prove --dir committed.d --tlog rows.d W-1
	lh-subject places --root past.d --index workers.lhv
	lh-subject find W-1 --subjects audit.d --index workers.lhv
	lh-subject find --index workers.lhv <persons.jsonl
	lh-subject requests --index workers.lhv person-requests.jsonl
	lh-tlog vkey log.key
	lh-tlog init --key-file log.key --origin example.com/log removed-log.d
	lh-tlog append --key-file log.key --field text tree.d workers.jsonl
	lh-tlog checkpoint --key-file log.key tree.d
	lh-tlog audit tree.d
	lh-tlog prove proved.d asked.jsonl
	lh-tlog verify --policy tlog.policy proofs.jsonl
	lh-tlog cosign --policy tlog.policy cosigned.d
	lh-tlog note --vkey example.com/log+af60b360+AfJB15Qpxeic+ZntpPy674LLlMFfxnd2TtNHdwz1iemk proved.d/checkpoint
	lh-trace --root past.d outcome:o1
	lh-trace --requests --root traced.d traces.jsonl
	lh-validate --kind email --now 2026-05-03T12:00:00Z --roster workers.lhv drafts.jsonl
	lh-validate --kind sms --now 2026-05-03T12:00:00Z --roster=workers.jsonl --rules . drafts.jsonl
	lh-validate --kind email --now 2026-05-03T12:00:00Z --roster workers.lhv --audit-log audit.d --key-file audit.key few.jsonl
	lh-validate --normalize-errors errors.jsonl
	lh-validate --schema model_ledger --now 2026-05-03T12:00:00Z ledger.jsonl
	END
}

# Those that write records to stdout.
writers() {
	commands | grep -v 'build\|add\|verify\|compact\|gen kb\|--hnswlib\|tlog [ic]'
}

# Those that do the same each time; the others measure, or find it done.
repeatable() {
	"${1:-commands}" | grep -v '^lh-load\|^lh-tlog append\|removed\|store put\|store sync'
}

# The same with the records on standard input.
on_stdin() {
	commands | sed -n 's/ [a-z]*\.jsonl\(\.gz\)*$/ -/p; s/ <.*//p'
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=$LH_BIN:$PATH
	lh-gen workers -n 30 >workers.jsonl
	printf '{"metrics":{"b":2,"a":%s}}\n' 1 82 >baselines.log
	lh-gen workers -n 5 --seed 9 | jq -c '.id = "m" + .id' >more.jsonl
	lh-gen queries -n 10 >queries.jsonl
	jq -c '{query_text} + {corpora: ["workers", "playbook"], use_playbook: true, playbook_corpus: "book"}' queries.jsonl >chosen.jsonl
	for i in {1..40}; do echo '{"query_text":"Need '$i' Welders in Gary IN","answer_id":"w-'$i'","answer_corpus":"corpus","score":0.5,"role":"Welder"}'; done >entries.jsonl
	sed 's/IN"/OH"/' entries.jsonl >others.jsonl
	sed 's/^{/{"op":"record","corpus":"noted",/' entries.jsonl >noted.jsonl
	jq -c '{query_text, k: 5}' entries.jsonl others.jsonl >demand.jsonl
	lh-playbook record -q book.lhv entries.jsonl >/dev/null
	lh-gen workers -n 60 | lh-index build playbook.lhv
	for i in {1..40}; do echo '{"jsonrpc":"2.0","id":'$i',"method":"ping"}'; done >pings.jsonl
	for i in {1..40}; do echo '{"kind":"email","prompt":"Write to Ada.","model":"m"}'; done >requests.jsonl
	for i in {1..60}; do echo '{"content":"Here: {\"to\":\"a@b.c\",\"body\":\"Hello '$i'\"}"}'; done >answers.jsonl
	cat "$ROOT"/share/fixtures/session/*[a-z].json | grep -v '"schema"' >sessions.jsonl
	for i in {1..40}; do cat "$ROOT"/share/fixtures/schemas/valid/model_ledger-*.json; done >ledger.jsonl
	for i in {1..40}; do cat "$ROOT"/share/fixtures/schemas/valid/evidence_record-*.json; done >evidence.jsonl
	for i in {1..40}; do echo '{"name":"d\u0061ta '$i'","schema_fingerprint":"f","objects":[{"key":"k'$i'","size":1}],"x":1.0}'; done >datasets.jsonl
	lh-catalog register -q --now 2026-05-03T12:00:00Z --catalog catalog.d datasets.jsonl >/dev/null
	cp -r catalog.d removed.d
	lh-store put store.d a/workers.jsonl workers.jsonl >/dev/null
	cp -r store.d removed-store.d
	jq -c '{name}' datasets.jsonl >known-datasets.jsonl
	for i in {1..40}; do echo '{"op":"list","prefix":"n\u006fne'$i'"}'; done >object-requests.jsonl
	jq -c '{op: "get", name}' datasets.jsonl >dataset-requests.jsonl
	for i in {1..40}; do echo '{"name":"case '$i'","skip":"later"}'; done >skips.jsonl
	lh-score evidence.jsonl | cat - evidence.jsonl >scores.jsonl
	for i in {1..40}; do echo '{"Kind":"schema","Field":"x","Reason":"\u0079 '$i'"}'; done >errors.jsonl
	for i in {1..40}; do echo '{"run_id":"o'$i'","created_at":"2026-05-03T12:00:00Z","ok":1,"total":1,"elapsed_secs":1.50}'; done >outcomes.jsonl
	for i in {1..40}; do
		echo '{"finding_id":"a'$i'","phase":'$((i / 4))',"ts":"2026-05-03T12:00:00Z","severity":"low","evidence":"See '$i'."}'
	done | sed '0~2s/low/high/' | lh-materialize --source audits --recorded-at 2026-05-03T12:00:00Z >evidence.jsonl
	mkdir -p traced.d/exports/rag
	printf '{"id":"%s"}\n' a g i | tee traced.d/exports/rag/playbooks.jsonl >traces.jsonl
	mkdir -p past.d/data/_kb past.d/docs/recon
	touch past.d/docs/recon/local-distillation-recon.md
	head -n 2 outcomes.jsonl >past.d/data/_kb/outcomes.jsonl
	lh-distill run --root past.d --run-id a --now 2026-05-03T12:00:00Z >/dev/null
	lh-audit-full --observer --root past.d --now 2026-05-03T12:00:00Z --out audit.md >/dev/null
	for i in {1..40}; do echo '{"task":"Audit \u0062atch '$i' of outcomes"}'; done >tasks.jsonl
	jq -c '{id, text, metadata: {title: .role, content: .text, tags: [.city], source_run_id: .id, success_score: "accepted"}}' workers.jsonl |
		lh-index build --dimension 64 samples.lhv
	printf '%032d' 0 >audit.key
	chmod 600 audit.key
	echo 'PRIVATE+KEY+example.com/log+af60b360+AU0yA8jzXN9gDkdfVf7eYIGnA9PTIvIIhl/KLsTw4DD4' >log.key
	chmod 600 log.key
	lh-tlog init --key-file log.key --origin example.com/log tree.d
	lh-tlog append --key-file log.key --line tree.d workers.jsonl >/dev/null
	for i in {1..40}; do echo '{"candidate_id":"W-'$((i % 3))'","accessor":{"kind":"k","daemon":"d","purpose":"'$i'"},"fields_accessed":["name"],"result":"success"}'; done >accesses.jsonl
	grep '"W-1"' accesses.jsonl | lh-subject-audit append --key-file audit.key --sync none --dir audit.d >/dev/null
	cp -r audit.d committed.d
	lh-tlog init --key-file log.key --origin example.com/log rows.d
	lh-subject-audit commit --key-file audit.key --dir committed.d --tlog rows.d --key-file-tlog log.key >/dev/null
	cp -r tree.d proved.d
	jq -Rc '{index: (input_line_number - 1), entry: .}' workers.jsonl >asked.jsonl
	lh-tlog prove proved.d asked.jsonl >proofs.jsonl
	printf 'log %s\nquorum none\n' "$(lh-tlog vkey log.key)" >tlog.policy
	cp -r tree.d cosigned.d
	lh-tlog cosign --policy tlog.policy cosigned.d
	for i in {1..40}; do echo '{"schema":"subject_manifest.v1","candidate_id":"W-'$((i % 3))'","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","status":"active","vertical":"other","consent":{"general_pii":{"status":"given"},"biometric":{"status":"pending"}},"retention":{"general_pii_until":"2026-01-01T00:00:00Z","policy":"p"},"datasets":[{"name":"w","key_column":"id","key_value":"1"}],"safe_views":["v"],"audit_log_path":"x","audit_log_chain_root":""}'; done >manifests.jsonl
	for i in {1..40}; do echo '{"op":"report","id":"W-1"}'; done | sed '0~4s/.*/{"op":"health"}/' >inquiries.jsonl
	sed 's/"W-[0-9]"/"W-9"/; 2,$d' manifests.jsonl | lh-subject-audit manifest put --dir audit.d >/dev/null
	for i in {1..30}; do echo '{"candidate_id":"w-'$i'"}'; done >persons.jsonl
	for i in {1..4}; do echo '{"op":"find","id":"w-'$i'"}'; done >person-requests.jsonl
	for i in {1..40}; do echo '{"uid":"t'$i'","content":{"n":"'$i'"},"tags":["t"],"text":"see a.c","path":"src/b.c","mode":"codereview_lakehouse","model":"m"}'; done >known.jsonl
	sed 's/"t\([0-9]*\)"/"u\1"/' known.jsonl >fresh.jsonl
	sed 's/"t\([0-9]*\)"/"v\1","predecessor_uid":"t\1"/' known.jsonl >next.jsonl
	lh-pathway add way.log known.jsonl >/dev/null
	for i in {1..40}; do echo '{"op":"get","uid":"t'$i'"}'; done | sed '0~4s/.*/{"op":"search","limit":2}/' >wanted.jsonl
	for i in {1..40}; do echo '{"endpoint":"e\u0061'$((i % 3))'","duration_ms":'$i'.50,"x":[1, 2]}'; done >events.jsonl
	for i in {1..40}; do echo '{"type":"sms","sender":"\u0061'$i'","body":"b","subject":"s"}'; done >messages.jsonl
	sed 's/^{/{"op":"event",/; 0~4s/.*/{"op":"health"}/' events.jsonl >observations.jsonl
	lh-observe record --now 2026-05-03T12:00:00Z known-seen.log events.jsonl >/dev/null
	echo '{"path":"src/a.c","text":"see it"}' >review.focus
	echo '{"name":"ways","steps":[{"to":"GET /api/tags","take":{"m":"models[0].name"}},{"to":"GET /api/tags","expect":{"models[0].name":{"same_as":"$m"},"models":{"min":1}}}]}' >ways.jsonl
	{ echo name,rate; for i in {1..40}; do echo "\"Ann\"\"$i\",$i.50"; done; } >people.csv
	gzip -k workers.jsonl
	jq -c '{id, text, to: .phone, body: "Hi \(.name)", context: {candidate_id}}' workers.jsonl >drafts.jsonl
	head -n 5 drafts.jsonl >few.jsonl
	echo '{"rules":[{"id":"a","task_class":"staffing.any","condition":{"type":"FieldContainsAny","field":"body","needles":["cash"]},"action":{"type":"Block","message":"no cash"}}]}' >rules.json
	jq -c '{id, text: "Sure:\n```json\n{\n\"name\": \"\(.name)\", \"name\": 1.50,\n\"a\": {\"b\": \"\(.role)\"}}\n```\n{"}' workers.jsonl >prose.jsonl
	jq -r .text prose.jsonl | first 5 >answer.txt
	lh-embed --dimension 64 workers.jsonl >vectors.jsonl
	lh-index build workers.lhv vectors.jsonl
	lh-search -k 5 workers.lhv <demand.jsonl >hits.jsonl
	jq -c '.query_text as $q | {query_id: $q, query_text: $q, id: .results[].id, text: "see {\"grade\":2} there"}' hits.jsonl >pooled.jsonl
	jq -c '{query_id, query_text}' pooled.jsonl >asked.queries
	jq -nc '"{\"grade\":1}" | {query_id: ., query_text: .}' >>asked.queries
	jq -c '.grade = 1' pooled.jsonl >grades.jsonl
	cp hits.jsonl judged.run
	mkdir beir.d
	jq -c '{_id: .id, title: .role, text}' workers.jsonl >beir.d/corpus.jsonl
	jq -c '{_id: "q\(input_line_number)", text: .query_text}' queries.jsonl >beir.d/queries.jsonl
	python3 "$ROOT/tests/model/forge.py" ranker reranker.gguf
	lh-gen workers -n 5 --seed 8 | lh-index build --dimension 64 other.lhv
	lh-gen workers -n 60 | lh-index build --dimension 64 --exact-below 0 graph.lhv
	lh-index export --hnswlib graph.bin --ids graph.jsonl graph.lhv
	for i in {1..40}; do echo '{"op":"get","name":"other"}'; done >about.jsonl
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

# The files here, with what a change of one changes; those that tests write are removed.
FRESH=
files_here() {
	find . -regex '\./\(out\|err\|got\|hit\|trace\)' -delete -o -type d -print -o -printf '%p %i %s %C@\n'
}

# fresh - the files as setup_file left them.  They are copied only where one has changed, which
# most commands do not do.
fresh() {
	[ -z "$FRESH" ] || [ "$(files_here)" != "$FRESH" ] || return 0
	rm -rf ./*
	cp -r "$BATS_FILE_TMPDIR"/*.* .
	FRESH=$(files_here)
}
