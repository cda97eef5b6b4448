# lh-export: scored evidence in, samples out, and what is refused kept.
# bats file_tags=quick
load ../helper

SIG=3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
NOW=2026-05-03T12:00:00.000Z

# r, a small root of kb, is made once and copied.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export LH_NOW=$NOW
	kb
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR/r" .
	export LH_NOW=$NOW
}

# evidence STEM MEMBERS [RUN [TASK [SIG]]] - an evidence record of that stream.
evidence() {
	printf '{"run_id":"%s","task_id":"%s","timestamp":"2026-04-21T08:15:00+02:00","schema_version":1,' "${3-r:1}" "${4-t:1}"
	printf '"provenance":{"source_file":"data/_kb/%s.jsonl","line_offset":0,"sig_hash":"%s","recorded_at":"%s"}%s}\n' \
		"$1" "${5:-$SIG}" "$NOW" "${2:+,$2}"
}

ATTEMPT='"success_markers":["accepted_on_attempt_1"]'
GOOD='"text":"Use a lock.","model_role":"executor",'$ATTEMPT

# refused VERB REASON [OPTION...] - the record on stdin is; its row in row.
refused() {
	rm -f row
	run -0 --separate-stderr lh-export "$1" --quarantine row "${@:3}"
	[ -z "$output" ]
	[ -z "$stderr" ]
	[ "$(wc -l <row)" = 1 ]
	[ "$(jq -r '.exporter + " " + .reason' row)" = "$1 $2" ] || { cat row; return 1; }
}

# kb - a small root with rows of several streams, collected and scored.
kb() {
	mkdir -p r/data/_kb
	cat >r/data/_kb/scrum_reviews.jsonl <<-'END'
	{"file":"a.c","reviewed_at":"2026-05-01T10:00:00Z","text":"  first \n","accepted_on_attempt":1}
	{"file":"b.c","reviewed_at":"2026-05-01T10:00:00Z","text":"second","accepted_on_attempt":3}
	{"file":"c.c","reviewed_at":"2026-05-01T10:00:00Z","text":"third"}
	{"file":"a.c","reviewed_at":"2026-05-01T10:00:00Z","text":"other","accepted_on_attempt":2}
	END
	cat >r/data/_kb/observer_reviews.jsonl <<-'END'
	{"file":"d.c","ts":"2026-05-01T10:00:00Z","verdict":"accept","notes":["fine","so far"]}
	{"file":"d.c","ts":"2026-05-01T10:00:01Z","verdict":"reject","notes":"bad"}
	{"file":"e.c","ts":"2026-05-01T10:00:01Z","verdict":"cycle","review":"again"}
	END
	echo '{"created_at":"2026-05-01T10:00:00Z","run_id":"x","text":"a fact","extractor":"m"}' >r/data/_kb/distilled_facts.jsonl
	lh-materialize -q --root r >collected
	lh-score -q --root r >scored
}

# ---- rag ----

@test "rag: accepted, with every field in its place" {
	run -0 --separate-stderr lh-export rag < <(evidence scrum_reviews \
		'"text":" \t é \"x\"\n","model_role":"executor","source_files":["a.c","b.c"],'$ATTEMPT 'scrum:a.c:0' scrum_review:a.c)
	[ -z "$stderr" ]
	id=rag-$(printf 'rag|scrum:a.c:0|%s' $SIG | sha256sum | head -c 16)
	[ "$output" = '{"schema_version":1,"id":"'$id'","title":"scrum_reviews: scrum_review:a.c","content":"é \"x\"",'\
'"embedding_text":"scrum_reviews: scrum_review:a.c\né \"x\"","tags":["scrum_reviews","accepted","executor","a.c"],'\
'"source_run_id":"scrum:a.c:0","success_score":"accepted","source_category":"accepted","created_at":"'$NOW'",'\
'"provenance":{"source_file":"data/_kb/scrum_reviews.jsonl","line_offset":0,"sig_hash":"'$SIG'","recorded_at":"'$NOW'"}}' ]
}

@test "rag: partially_accepted goes out, needs_human_review only on demand, rejected never" {
	evidence observer_reviews '"text":"x","observer_verdict":"cycle"' | lh-export rag | jq -e '.success_score == "partially_accepted" and .source_category == .success_score'
	evidence distilled_facts '"text":"x"' >human
	refused rag category_disallowed <human
	lh-export rag --include-review human | jq -e '.success_score == "needs_human_review"'
	refused rag unsafe_rag_category --include-review < <(evidence observer_reviews '"text":"x","observer_verdict":"reject"')
}

@test "rag: the embedded text is title, newline, and the first 1000 characters" {
	text=$(printf 'é%.0s' {1..1500})
	evidence observer_reviews '"text":"'"$text"'","observer_verdict":"accept"' | lh-export rag >out
	jq -e '.embedding_text == "observer_reviews: t:1\n" + .content[:1000]' out
	jq -e '.content | length == 1500' out
}

# ---- sft ----

@test "sft: accepted, with every field in its place" {
	run -0 --separate-stderr lh-export sft < <(evidence scrum_reviews \
		'"text":" as it\n is ","model_role":"executor","source_files":["a.c"],'$ATTEMPT 'scrum:a.c:0' scrum_review:a.c)
	[ -z "$stderr" ]
	id=sft-$(printf 'sft|scrum:a.c:0|%s' $SIG | sha256sum | head -c 16)
	[ "$output" = '{"schema_version":1,"id":"'$id'","instruction":"Review the file a.c against the requirements.",'\
'"context":"files: a.c","response":" as it\n is ","source_run_id":"scrum:a.c:0","quality_score":"accepted","created_at":"'$NOW'",'\
'"provenance":{"source_file":"data/_kb/scrum_reviews.jsonl","line_offset":0,"sig_hash":"'$SIG'","recorded_at":"'$NOW'"}}' ]
}

@test "sft: partially_accepted only on demand, rejected and needs_human_review never" {
	evidence observer_reviews '"text":"x","model_role":"reviewer","observer_verdict":"cycle"' >partial
	refused sft category_disallowed <partial
	lh-export sft --include-partial partial | jq -e '.quality_score == "partially_accepted"'
	refused sft unsafe_sft_category --include-partial < <(evidence observer_reviews '"text":"x","observer_verdict":"reject"')
	refused sft unsafe_sft_category --include-partial < <(evidence distilled_facts '"text":"x"')
}

@test "sft: only what a model put out" {
	one() { evidence "$1" "\"text\":\"x\",$2" | lh-export sft | jq -r .quality_score; }
	[ "$(one scrum_reviews "\"model_role\":\"executor\",$ATTEMPT")" = accepted ]
	[ "$(one auto_apply '"model_role":"applier","success_markers":["committed"]')" = accepted ]
	[ "$(one observer_reviews '"model_role":"reviewer","observer_verdict":"accept"')" = accepted ]
	[ "$(one audits '"model_role":"reviewer","success_markers":["audit_severity_low"]')" = accepted ]
	refused sft missing_source_run_id < <(evidence scrum_reviews "\"text\":\"x\",\"model_role\":\"extractor\",$ATTEMPT")
	[ "$(jq -c .errors row)" = '["model_role: extractor is no model output"]' ]
	refused sft missing_source_run_id < <(evidence scrum_reviews "\"text\":\"x\",\"model_role\":\"reviewer\",$ATTEMPT")
	refused sft missing_source_run_id < <(evidence scrum_reviews "\"text\":\"x\",$ATTEMPT")
	[ "$(jq -c .errors row)" = '["model_role: missing"]' ]
}

@test "instruction: any other source" {
	# No rule accepts these, so the sentence shows where a score is on file.
	f=r/data/scored-runs/2026/05/03/distilled_facts.jsonl
	sed -i 's/"category":"[a-z_]*"/"category":"accepted"/' $f
	sed -i 's/"model_role":"extractor"/"model_role":"executor"/' r/data/evidence/2026/05/03/distilled_facts.jsonl
	lh-export -q sft --root r >out
	grep -F '"instruction":"Answer task distilled:x of source distilled_facts."' r/exports/sft/instruction_response.jsonl
}

@test "context: corpora, fingerprints and files, empty parts left out" {
	context() { evidence scrum_reviews "\"text\":\"x\",\"model_role\":\"executor\",$ATTEMPT$1" | lh-export sft | jq -r .context; }
	all='"retrieved_context":{"matrix_corpora":["a","b"],"pathway_fingerprints":["c"]},"source_files":["d","e"]'
	[ "$(context ",$all")" = 'corpora: a, b; fingerprints: c; files: d, e' ]
	[ "$(context ',"retrieved_context":{"matrix_corpora":[],"matrix_hits":3},"source_files":["d"]')" = 'files: d' ]
	[ "$(context ',"retrieved_context":{"pathway_fingerprints":["c"]}')" = 'fingerprints: c' ]
	[ -z "$(context "")" ]
}

# ---- preference ----

@test "preference: the accepted against the rejected, with every field in its place" {
	{
		evidence observer_reviews '"text":"bad","model_role":"reviewer","observer_verdict":"reject"' bad task
		evidence observer_reviews '"text":"so so","model_role":"reviewer","observer_verdict":"cycle"' soso task
		evidence contract_analyses '"text":" good","model_role":"executor","observer_verdict":"accept","metadata":{"contractor":"C"}' good task
	} >in
	run -0 --separate-stderr lh-export preference in
	[ -z "$stderr" ]
	id=pref-$(printf 'preference|good|bad' | sha256sum | head -c 16)
	[ "$output" = '{"schema_version":1,"id":"'$id'","prompt":"Analyse permit task for contractor C.","chosen":" good","rejected":"bad",'\
'"reason":"accepted over rejected on task: observer_verdict=accept vs observer_verdict=reject","chosen_run_id":"good","rejected_run_id":"bad",'\
'"created_at":"'$NOW'","provenance":{"source_file":"data/_kb/contract_analyses.jsonl","line_offset":0,"sig_hash":"'$SIG'","recorded_at":"'$NOW'"}}' ]
}

@test "preference: tasks in byte order, zipped and never padded, partially accepted where none is rejected" {
	o() { evidence observer_reviews "\"text\":\"$1\",\"model_role\":\"reviewer\",\"observer_verdict\":\"$2\"" "$1" "$3"; }
	{
		o 1 accept b; o 2 reject b; o 3 cycle b; o 4 accept b
		o 5 accept aa; o 6 cycle aa; o 7 accept aa; o 8 cycle aa
		o 9 reject Z; o 10 accept Z
		o 11 accept lonely; o 12 reject alone
	} >in
	run -0 bash -c 'lh-export preference in | jq -r ".chosen_run_id + \">\" + .rejected_run_id" | xargs'
	[ "$output" = '10>9 5>6 7>8 1>2' ]
}

@test "preference: rows without text, provenance or model output are left out before pairing" {
	o() { evidence observer_reviews "\"model_role\":\"$3\",\"observer_verdict\":\"$2\"$4" "$1" t; }
	{
		o 1 accept reviewer ',"text":" "'; o 2 accept extractor ',"text":"x"'; o 3 accept reviewer ''
		o 4 accept reviewer ',"text":"good"'; o 5 reject other ',"text":"x"'; o 6 reject reviewer ',"text":"bad"'
		o 7 reject reviewer ',"text":"worse"' | jq -c 'del(.provenance)'
	} >in
	run -0 --separate-stderr bash -c 'lh-export preference --quarantine q in | jq -r ".chosen_run_id + \">\" + .rejected_run_id"'
	[ "$output" = '4>6' ]
	[ -z "$stderr" ]
	[ ! -s q ]
}

@test "preference: the same run is self_pairing, the same text invalid_preference_pairing" {
	o() { evidence observer_reviews "\"text\":\"$2\",\"model_role\":\"reviewer\",\"observer_verdict\":\"$3\"" "$1" "$4" "$5"; }
	{ o same a accept t1 ${SIG/3/4}; o same b reject t1; } >self
	{ o one a accept t2; o two a reject t2; } >text
	refused preference self_pairing <self
	jq -e '.source_record | .chosen.category == "accepted" and .rejected.category == "rejected" and keys == ["chosen","rejected"]' row
	jq -e --arg sig ${SIG/3/4} '.source_provenance.sig_hash == $sig' row
	refused preference invalid_preference_pairing <text
	for mark in '\u200b' '\ufeff' '\u2060' '\u00ad'; do
		{ o one ab accept t2; o two "a${mark}b" reject t2; } >marked
		refused preference invalid_preference_pairing <marked
	done
}

@test "a text that was rejected for a task is no sample for it, whatever its blanks and form of accents, and is for another" {
	mkdir -p same/data/_kb
	row() { printf '{"permit_id":"%s","ts":"2026-02-0%s","contractor":"C","observer_verdict":"%s","analysis":"%s was valid until June, and all was checked twice by two."}\n' "$@"; }
	{
		row P1 1T08:00:00Z accept 'Caf\u00e9  permit'
		row P1 2T08:00:00Z reject 'Cafe\u0301 permit '
		row P2 1T08:00:00Z accept 'Caf\u00e9 permit'
	} >same/data/_kb/contract_analyses.jsonl
	lh-distill run -q --root same >/dev/null
	[ "$(jq -s length same/exports/sft/*.jsonl)" = 1 ]
	grep -q 'text: was rejected for the same task' same/exports/quarantine/sft.jsonl
	grep -q 'text: was rejected for the same task' same/exports/quarantine/rag.jsonl
	[ "$(jq -r .reason same/exports/quarantine/preference.jsonl)" = invalid_preference_pairing ]
}

# ---- the reasons ----

@test "reason missing_provenance" {
	refused rag missing_provenance < <(evidence scrum_reviews "$GOOD" | jq -c 'del(.provenance)')
	jq -e '.source_record.run_id == "r:1" and (has("source_provenance") | not) and .errors == ["provenance: missing"]' row
	refused sft missing_provenance < <(evidence scrum_reviews "$GOOD" | jq -c 'del(.provenance.sig_hash)')
	[ "$(jq -c .errors row)" = '["provenance.sig_hash: missing"]' ]
}

@test "reason missing_source_run_id" {
	refused rag missing_source_run_id < <(evidence scrum_reviews "$GOOD" | jq -c 'del(.run_id)')
	refused sft missing_source_run_id < <(evidence scrum_reviews "$GOOD" | jq -c '.run_id = ""')
}

@test "reason missing_source_run_id: of a scored run whose evidence is gone" {
	sed -i 1d r/data/evidence/2026/05/03/scrum_reviews.jsonl
	lh-export -q rag --root r | jq -e '.records_exported == 4 and .quarantine_summary.missing_source_run_id == 1'
	grep missing_source_run_id r/exports/quarantine/rag.jsonl | jq -e '.source_record.evidence_run_id == "scrum:a.c:0" and .errors == ["evidence: not found"]'
}

@test "reason empty_content" {
	refused rag empty_content < <(evidence auto_apply '"model_role":"applier","success_markers":["committed"]')
	refused sft empty_content < <(evidence scrum_reviews '"text":" \t\r\n","model_role":"executor",'$ATTEMPT)
	[ "$(jq -c .errors row)" = '[]' ]
}

@test "reason schema_violation" {
	refused rag schema_violation < <(evidence scrum_reviews "$GOOD,\"source_files\":\"a.c\"")
	[ "$(jq -c .errors row)" = '["source_files: expected array, got \"a.c\""]' ]
	sed -i '2s/"sig_hash":"[0-9a-f]*"/"sig_hash":"aaaa"/' r/data/evidence/2026/05/03/scrum_reviews.jsonl r/data/scored-runs/2026/05/03/scrum_reviews.jsonl
	lh-export -q rag --root r | jq -e '.quarantine_summary.schema_violation == 1'
	grep schema_violation r/exports/quarantine/rag.jsonl | jq -e '.errors == ["provenance.sig_hash: expected 64 lowercase hex digits, got \"aaaa\""]'
}

@test "reason schema_violation: a line of scored runs that is not a scored run" {
	printf '{"torn":' >>r/data/scored-runs/2026/05/03/scrum_reviews.jsonl
	for i in 1 2; do lh-export -q rag --root r | jq -e '.records_read == 9 and .quarantine_summary.schema_violation == 1'; done
	[ "$(jq -c 'select(.reason == "schema_violation").source_record' r/exports/quarantine/rag.jsonl)" = \
		'{"source_file":"data/scored-runs/2026/05/03/scrum_reviews.jsonl","line_offset":4}' ]
}

@test "reason hallucinated_file_path" {
	mkdir -p src/deep
	touch src/deep/a.c outside
	ln -s ../outside src/link
	files() { evidence scrum_reviews "$GOOD,\"source_files\":$1"; }
	lh-export rag --verify-paths src < <(files '["deep/a.c","./deep/../deep/a.c"]') | jq -e .id
	lh-export rag --verify-paths src < <(files '[]') | jq -e .id
	lh-export rag < <(files '["absent"]') | jq -e .id
	for path in absent deep deep/a.c/x ../outside ../src/deep/a.c /etc/passwd "$PWD/src/deep/a.c" link '' 'deep/a.c\u0000'; do
		refused rag hallucinated_file_path --verify-paths src < <(files "[\"deep/a.c\",\"$path\"]")
	done
	refused sft hallucinated_file_path --verify-paths src < <(files '["x","deep/a.c","y"]')
	[ "$(jq -c .errors row)" = '["source_files: x does not exist","source_files: y does not exist"]' ]
	run -2 --separate-stderr lh-export rag --verify-paths absent </dev/null
	[ "$stderr" = "lh-export: absent: cannot open the folder: No such file or directory" ]
}

@test "paths are kept below the folder by kernels without openat2, too" {
	needs_strace
	mkdir -p src/deep
	touch src/deep/a.c outside
	ln -s ../outside src/link
	for path in deep/a.c ./deep//a.c absent ../outside link deep /etc/passwd; do
		evidence scrum_reviews "$GOOD,\"source_files\":[\"$path\"]" r:1 t:1 "$(printf %s "$path" | sha256sum | cut -c-64)"
	done >in
	inject openat2:error=ENOSYS lh-export rag --verify-paths src --quarantine q in >out
	[ "$(wc -l <out)" = 2 ]
	[ "$(grep -c hallucinated_file_path q)" = 5 ]
}

@test "reason duplicate_id" {
	evidence scrum_reviews "$GOOD" >in
	lh-export sft --quarantine q in in >out
	[ "$(wc -l <out)" = 1 ]
	jq -e '.reason == "duplicate_id" and .source_record.evidence_run_id == "r:1"' q
}

@test "a summary counts each reason, in their order" {
	[ "$(lh-export rag --root . | jq -c '.quarantine_summary | keys_unsorted')" = '["missing_provenance","missing_source_run_id","empty_content","schema_violation","unsafe_sft_category","unsafe_rag_category","invalid_preference_pairing","hallucinated_file_path","duplicate_id","self_pairing","category_disallowed"]' ]
}

@test "gates in order: category, provenance, content, schema" {
	refused sft unsafe_sft_category < <(evidence observer_reviews '"text":" ","observer_verdict":"reject"')
	refused sft missing_source_run_id < <(evidence scrum_reviews "\"text\":\" \",$ATTEMPT")
	refused sft empty_content --verify-paths . < <(evidence scrum_reviews '"text":" ","model_role":"executor","source_files":["absent"],'$ATTEMPT)
}

# ---- quarantine ----

@test "a quarantine row has its fields in their places" {
	refused sft unsafe_sft_category < <(evidence observer_reviews '"observer_verdict":"reject"')
	scored=$(evidence observer_reviews '"observer_verdict":"reject"' | lh-score)
	[ "$(cat row)" = '{"exporter":"sft","reason":"unsafe_sft_category","source_record":'"$scored"',"errors":[],"recorded_at":"'$NOW'",'\
'"source_provenance":{"source_file":"data/_kb/observer_reviews.jsonl","line_offset":0,"sig_hash":"'$SIG'","recorded_at":"'$NOW'"}}' ]
}

@test "without --quarantine refusals are counted by reason, exit 0" {
	{ evidence observer_reviews '"observer_verdict":"reject"'; evidence distilled_facts '' a; evidence scrum_reviews "$ATTEMPT" b; } >in
	run -0 --separate-stderr lh-export rag in
	[ -z "$output" ]
	[ "$stderr" = "lh-export: 1 refused: empty_content
lh-export: 1 refused: unsafe_rag_category
lh-export: 1 refused: category_disallowed" ]
	run -0 lh-export -q rag in
	[ -z "$output" ]
}

@test "a quarantine file grows by what is not in it" {
	{ evidence observer_reviews '"observer_verdict":"reject"'; evidence distilled_facts '' a; } >in
	for i in 1 2; do lh-export rag --quarantine q in; done
	[ "$(wc -l <q)" = 2 ]
	lh-export sft --quarantine q in
	[ "$(wc -l <q)" = 4 ]
	for i in 1 2; do lh-export sft --quarantine q < <(evidence observer_reviews '"text":"x","observer_verdict":"cycle"' c); done
	lh-export rag --quarantine q < <(evidence distilled_facts '' c)
	[ "$(tail -n 2 q | jq -r '.exporter + " " + .reason' | xargs)" = "sft category_disallowed rag category_disallowed" ]
	run -2 --separate-stderr lh-export rag --quarantine q q
	[[ $stderr == "lh-export: --quarantine: q is also the input"* ]]
}

# ---- a root ----

@test "a root: files, counts and receipts" {
	run -0 --separate-stderr lh-export rag --root r --run-id one
	[ "$stderr" = "lh-export: 8 read, 5 exported, 3 quarantined" ]
	[ "$output" = '{"scored_files_read":3,"records_read":8,"records_exported":5,"records_quarantined":3,"quarantine_summary":'\
'{"missing_provenance":0,"missing_source_run_id":0,"empty_content":0,"schema_violation":0,"unsafe_sft_category":0,"unsafe_rag_category":1,'\
'"invalid_preference_pairing":0,"hallucinated_file_path":0,"duplicate_id":0,"self_pairing":0,"category_disallowed":2},'\
'"output_path":"exports/rag/playbooks.jsonl"}' ]
	run -0 lh-export -q sft --root r --run-id one
	[[ $output == '{"scored_files_read":3,"records_read":8,"records_exported":2,"records_quarantined":6,'*'"output_path":"exports/sft/instruction_response.jsonl"}' ]]
	run -0 lh-export -q preference --root r --run-id one
	[[ $output == '{"scored_files_read":3,"records_read":2,"pairs_exported":2,"records_quarantined":0,'*'"output_path":"exports/preference/chosen_rejected.jsonl"}' ]]
	[ "$(wc -l <r/exports/rag/playbooks.jsonl)" = 5 ]
	[ "$(wc -l <r/exports/sft/instruction_response.jsonl)" = 2 ]
	[ "$(wc -l <r/exports/preference/chosen_rejected.jsonl)" = 2 ]
	for x in rag sft preference; do
		lh-validate --schema ${x}_sample -q r/exports/$x/*.jsonl >verdicts
		jq -e '.validation.passed and .stats.rejected == 0' r/reports/distillation/one/export-$x.json
		lh-validate --schema stage_receipt -q r/reports/distillation/one/export-$x.json >verdicts
	done
	jq -e '.stats.accepted == 5 and .stats.quarantined == 3 and ([.outputs.files[].path] == ["exports/quarantine/rag.jsonl","exports/rag/playbooks.jsonl"])' r/reports/distillation/one/export-rag.json
}

@test "a stricter run removes nothing, and quarantines" {
	lh-export -q rag --root r --include-review | jq -e '.records_exported == 7'
	lh-export -q rag --root r | jq -e '.records_exported == 5 and .records_quarantined == 3'
	[ "$(wc -l <r/exports/rag/playbooks.jsonl)" = 7 ]
	[ "$(wc -l <r/exports/quarantine/rag.jsonl)" = 3 ]
}

@test "an evidence twice on file, as of two days, is a duplicate once" {
	mkdir -p r/data/{evidence,scored-runs}/2026/05/04
	cp r/data/evidence/2026/05/03/scrum_reviews.jsonl r/data/evidence/2026/05/04
	cp r/data/scored-runs/2026/05/03/scrum_reviews.jsonl r/data/scored-runs/2026/05/04
	for i in 1 2; do lh-export -q rag --root r | jq -e '.records_read == 12 and .quarantine_summary.duplicate_id == 3'; done
	[ "$(grep -c duplicate_id r/exports/quarantine/rag.jsonl)" = 3 ]
	[ "$(wc -l <r/exports/rag/playbooks.jsonl)" = 5 ]
}

@test "evidence is found when it is not next to its score" {
	lh-export -q rag --root r >out
	mv r/exports whole
	f=r/data/evidence/2026/05/03/scrum_reviews.jsonl
	{ echo nonsense; tac $f; } >t
	mv t $f
	lh-export -q rag --root r | cmp - out
	cmp whole/rag/playbooks.jsonl r/exports/rag/playbooks.jsonl
	cmp whole/quarantine/rag.jsonl r/exports/quarantine/rag.jsonl
}

@test "an empty root exports nothing and writes no file but the receipt" {
	rm -r r/data
	for x in rag sft preference; do lh-export -q $x --root r --run-id e | jq -e '.scored_files_read == 0 and .records_read == 0'; done
	[ ! -e r/exports ]
	[ "$(ls r/reports/distillation/e | xargs)" = 'export-preference.json export-rag.json export-sft.json' ]
}

# ---- the firewall ----

# plant FILE FILTER - add a line to it, made of its last by jq.
plant() {
	tail -n 1 "$1" | jq -c "$2" >>"$1"
}

# unclean VERB MESSAGE - its run ends with 1, says so, and so does its receipt.
unclean() {
	run -1 --separate-stderr lh-export "$1" --root r --run-id u
	[[ $stderr == *"$2"* ]] || { echo "$stderr"; return 1; }
	jq -e '(.validation.passed | not) and (.validation.errors | length > 0)' "r/reports/distillation/u/export-$1.json"
}

@test "a rejected sample planted in sft fails the run that reads it again" {
	lh-export -q sft --root r >out
	plant r/exports/sft/instruction_response.jsonl '.id = "sft-0000000000000000" | .quality_score = "rejected"'
	unclean sft 'instruction_response.jsonl:3: quality_score: contamination: rejected must never enter sft'
	unclean sft 'instruction_response.jsonl:3: the category is never safe here'
	plant r/exports/sft/instruction_response.jsonl '.id = "sft-0000000000000001" | .quality_score = "needs_human_review"'
	unclean sft 'instruction_response.jsonl:4: the category is never safe here'
}

@test "a sample of a rejected record that says it was accepted fails the run that reads it again" {
	lh-export -q sft --root r >out
	lh-export -q rag --root r >out
	bad=$(jq -c 'select(.reasons == ["observer_verdict=reject"]) | {run: .evidence_run_id, sig: .provenance.sig_hash}' r/data/scored-runs/*/*/*/observer_reviews.jsonl)
	lie=".id = \"x\" | .source_run_id = $bad.run | .provenance.sig_hash = $bad.sig"
	plant r/exports/sft/instruction_response.jsonl "$lie"
	plant r/exports/rag/playbooks.jsonl "$lie"
	unclean sft 'instruction_response.jsonl:3: made of a record whose score is never safe here'
	unclean rag 'playbooks.jsonl:6: made of a record whose score is never safe here'
}

@test "a rejected sample planted in rag fails the run that reads it again" {
	lh-export -q rag --root r >out
	plant r/exports/rag/playbooks.jsonl '.id = "x" | .source_category = "rejected"'
	unclean rag 'playbooks.jsonl:6: source_category: expected accepted'
}

@test "torn lines and repeated ids in an export fail the run that reads it again" {
	lh-export -q preference --root r >out
	cp r/exports/preference/chosen_rejected.jsonl good
	plant r/exports/preference/chosen_rejected.jsonl .
	unclean preference 'chosen_rejected.jsonl:3: the id is also in an earlier line'
	{ cat good; printf '{"half'; } >r/exports/preference/chosen_rejected.jsonl
	unclean preference 'chosen_rejected.jsonl:3: '
}

@test "a category other than the four is disallowed" {
	sed -i 's/"category":"rejected"/"category":"bogus"/' r/data/scored-runs/2026/05/03/observer_reviews.jsonl
	lh-export -q sft --root r | jq -e '.quarantine_summary.category_disallowed == 4 and .quarantine_summary.unsafe_sft_category == 2'
}

# ---- the command line ----

@test "options that do not go together are exit 2" {
	bad() { run -2 --separate-stderr lh-export "${@:2}"; [[ $stderr == "lh-export: $1"* ]] || { echo "$stderr"; return 1; }; }
	bad '--root takes no operand: x' rag --root . x
	bad '--quarantine: a root has a quarantine of its own' rag --root . --quarantine q
	bad '--run-id is for a --root' rag --run-id x
	bad '--rejects and --on-error are for a filter' rag --root . --rejects x
	bad '' sft --include-review
	bad '' rag --include-partial
	bad '' preference --include-partial
	bad 'absent: ' rag --root absent
}

@test "--recorded-at is converted to UTC and wins over LH_NOW" {
	evidence scrum_reviews "$GOOD" | lh-export rag --recorded-at 2026-05-04T01:30:00.1234+02:00 | jq -e '.created_at == "2026-05-03T23:30:00.123Z"'
	evidence scrum_reviews "$GOOD" | lh-export rag --now 2026-05-04T00:00:00Z | jq -e '.created_at == "2026-05-04T00:00:00.000Z"'
	LH_NOW= evidence scrum_reviews "$GOOD" | env -u LH_NOW lh-export rag | jq -e '.created_at[:4] | tonumber >= 2026'
}

# ---- scored evidence ----

@test "scored evidence gives the samples of the evidence, and a scored run alone says what it lacks" {
	local exporter
	cat r/data/evidence/*/*/*/*.jsonl >evidence
	for exporter in 'rag --include-review' 'sft --include-partial' preference; do
		lh-export $exporter -q evidence >want
		[ -s want ]
		lh-score --evidence evidence | lh-export $exporter -q | cmp - want
	done
	lh-score --evidence evidence | jq -c .evidence | alike - <(jq -c . evidence)
	lh-score --evidence evidence | jq -c 'del(.evidence)' | cmp - <(lh-score evidence)
	# a category that was written over opens no gate
	lh-score --evidence evidence | jq -c 'select(.category == "rejected") | .category = "accepted"' >forged
	[ -s forged ]
	[ -z "$(lh-export rag -q forged)" ]
	run -0 --separate-stderr lh-export rag < <(lh-score evidence)
	[ -z "$output" ]
	[[ $stderr == *"$(wc -l <evidence) scored runs are without evidence, of which no sample can be made: lh-score --evidence passes it on"* ]]
	run -2 lh-score --evidence --root r
}
