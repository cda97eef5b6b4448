# lh-audit-full, live: each of the 22 checks made to fail alone, by a root that
# was damaged for it or by an option; and a sound root, in which none does. What
# an observer says of the same, and of each other way to be wrong, is in
# lh-audit-full.bats.
# bats file_tags=long
load ../helper

REPORTS=r/reports/distillation/run
LOG=r/data/_kb/replay_runs.jsonl
RAG=r/exports/rag/playbooks.jsonl
SFT=r/exports/sft/instruction_response.jsonl
PAIRS=r/exports/preference/chosen_rejected.jsonl

setup_file() {
	unset LH_DISTILL_ROOT
	export LH_NOW=2026-05-03T12:00:00Z
	cd "$BATS_FILE_TMPDIR" || return 1
	lh-gen kb -n 300 --root good
	lh-distill run --root good --run-id run >out
	lh-replay --root good --dry-run --task "verify the latest review" >>out
	lh-replay --root good --dry-run --task "audit the last phase" >>out
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_DISTILL_ROOT
	cp -r "$BATS_FILE_TMPDIR/good" r
}

# seal - the receipts, if a test has not touched them, are made those of the files
# as they are: then a fault of the files fails its own check alone. That the receipts
# find any change is in verdicts.bats.
seal() {
	local as
	for as in "$BATS_FILE_TMPDIR/good/reports" sealed; do
		diff -rq "$as" r/reports >/dev/null 2>&1 || continue
		python3 "$ROOT/tests/reseal.py" r run
		rm -rf sealed
		cp -r r/reports sealed
		return
	done
}

# audit SKIPPED FAILED STATUS [OPTION]... - an audit with 22 lines and a summary,
# of which so many are skipped, and the named ones fail ("" for none).
audit() {
	local rc=0
	seal
	lh-audit-full --root r --out report.md "${@:4}" >lines 2>err || rc=$?
	[ ! -s err ] || { cat err; return 1; }
	[ "$(jq -s '.[:-1] | length' lines)" = 22 ]
	[ "$(jq -s '.[:-1] | map(select(.skipped)) | length' lines)" = "$1" ]
	jq -r 'select(has("phase") and (.skipped | not) and (.passed | not)) | .name' lines >failed
	[ "$(cat failed)" = "$2" ] || { jq -c 'select(has("phase") and (.passed | not))' lines; return 1; }
	[ "$rc" = "$3" ] || { echo "exit $rc"; return 1; }
	tail -n 1 lines | jq -e --argjson bad "$3" '.required_total - .required_passed == $bad and .checks_total == 22' >/dev/null
}

# live STATUS NAME [OPTION]... - in a live audit that check fails alone: STATUS
# is 1 when it is a required one.
live() {
	audit 0 "$2" "$1" "${@:3}"
	tail -n 1 lines | jq -e '.required_total == 16' >/dev/null
}

# in_phase N STATUS NAME [OPTION]... - the same of that phase alone.
in_phase() {
	local rc=0
	seal
	lh-audit-full --root r --out report.md --phase "$1" "${@:4}" >lines 2>err || rc=$?
	[ ! -s err ] || { cat err; return 1; }
	[ "$(jq -r 'select(.passed == false).name' lines)" = "$3" ] || { cat lines; return 1; }
	[ "$rc" = "$2" ] || { echo "exit $rc"; return 1; }
}

# plant FILE FILTER - add a line to it, made of its last by jq.
plant() {
	tail -n 1 "$1" | jq -c "$2" >>"$1"
}

# edit FILE FILTER
edit() {
	jq -c "$2" "$1" >edited
	mv edited "$1"
}

# notes CHECK
notes() {
	jq -r --arg name "$1" 'select(.name == $name) | .notes' lines
}

@test "a sound root passes 16 of 16 and 22 of 22, and with --observer 12 of 12" {
	cp -r r before
	audit 0 "" 0
	tail -n 1 lines | jq -e '[.required_passed, .required_total, .skipped] == [16, 16, []]'
	audit 4 "" 0 --observer
	tail -n 1 lines | jq -e '[.required_passed, .required_total] == [12, 12]'
	tail -n 1 lines | jq -e '.skipped == ["schema validators pass", "schema sample count ≥ 51", "acceptance 22/22", "escalation guard holds"]'
	diff -r before r
}

# damaged - what makes a check fail alone: STATUS|CHECK|COMMAND, status 1 when it is required.
damaged() {
	cat <<-'END'
	1|recon document present|rm r/docs/recon/local-distillation-recon.md
	0|tier-1 streams present|rm $(tier_1 r/data/_kb)
	1|materializer dry run completes|rm r/data/_kb/audits.jsonl; mkfifo r/data/_kb/audits.jsonl
	0|tier-1 hits in evidence|rm $(tier_1 r/data/evidence/2026/05/03)
	1|scored distribution on disk|rm -r r/data/scored-runs
	1|no contaminated sft row|plant $SFT '.id = "sft-0000000000000000" | .quality_score = "rejected"'
	1|no rejected rag row|plant $RAG '.success_score = "rejected"'
	1|no preference self-pair|plant $PAIRS '.rejected_run_id = .chosen_run_id'
	1|no identical preference text|plant $PAIRS '.rejected = .chosen'
	1|no identical preference text|plant $PAIRS '.rejected = "Cafe\u0301\u00a0open " | .chosen = "Caf\u00e9  open"'
	1|no missing provenance|plant $RAG 'del(.provenance)'
	0|quarantine observable|rm -r r/exports/quarantine
	1|five stage receipts present|rm $REPORTS/export-rag.json
	1|receipts valid|edit $REPORTS/score.json '.duration_ms = "long"'
	1|summary valid|edit $REPORTS/summary.json '.schema_version = 2'
	1|run_hash is a sha256|edit $REPORTS/summary.json '.run_hash |= ascii_upcase'
	0|drift.json present|rm $REPORTS/drift.json
	END
}

# tier_1 FOLDER - the files of the streams of tier 1 there.
tier_1() {
	printf "$1/%s.jsonl\n" distilled_facts distilled_procedures distilled_config_hints contract_analyses mode_experiments \
		scrum_reviews observer_escalations audit_facts
}

@test "each check that looks at files fails alone where these are damaged for it" {
	while IFS='|' read -r -u 7 status name command; do
		rm -rf r sealed
		cp -r "$BATS_FILE_TMPDIR/good" r
		echo "$name: $command"
		eval "$command"
		live "$status" "$name"
	done 7< <(damaged)
}

@test "schema validators pass" {
	live 1 "schema validators pass" --test-command 'echo two of nine >&2; exit 3'
	[ "$(notes "schema validators pass")" = "the test command ended with status 3: two of nine" ]
	in_phase 1 0 "" --test-command 'cat; seq 100000; seq 100000 >&2'
	audit 4 "" 0 --observer --test-command 'touch ran; false'
	[ ! -e ran ]
}

@test "schema validators pass: samples of one's own" {
	cp -r "$ROOT/share/fixtures/schemas" mine
	in_phase 1 0 "" --samples mine
	rm mine/invalid/*.expected	# then only that they are invalid is known
	in_phase 1 0 "" --samples mine
	cp mine/valid/receipt-full.json mine/invalid/receipt-good.json
	in_phase 1 1 "schema validators pass" --samples mine
	[ "$(notes "schema validators pass")" = "invalid/receipt-good.json: valid" ]
	cp -r "$ROOT/share/fixtures/schemas/invalid/." mine/invalid
	rm mine/invalid/receipt-good.json
	echo "role: must be one of us" >mine/invalid/evidence_record-role-unknown.expected
	in_phase 1 1 "schema validators pass" --samples mine
	[ "$(notes "schema validators pass")" = "invalid/evidence_record-role-unknown.json: not the violations that are expected" ]
	cp "$ROOT"/share/fixtures/schemas/invalid/evidence_record-role-unknown.* mine/invalid
	for bad in '{' '[]' '{"a":1,"a":2}'; do
		echo "$bad" >mine/valid/playbook-bad.json
		in_phase 1 1 "schema validators pass" --samples mine
	done
	mv mine/valid/playbook-bad.json mine/valid/nonsense-1.json
	in_phase 1 1 "schema validators pass" --samples mine
	[ "$(notes "schema validators pass")" = "valid/nonsense-1.json: no schema of that name" ]
}

@test "schema sample count ≥ 51" {
	cp -r "$ROOT/share/fixtures/schemas" mine
	rm mine/invalid/evidence_record-*
	live 0 "schema sample count ≥ 51" --samples mine
	[[ $(notes "schema validators pass") == "no invalid sample of evidence_record" ]]
	audit 4 "" 0 --observer --samples mine
}

# The three layers before this one have passed.
@test "the fourth layer alone stops rejected work in each export" {
	jq -se 'all(.validation.passed)' $REPORTS/export-{rag,sft,preference}.json
	plant $RAG '.source_category = "rejected"'
	plant $SFT '.quality_score = "rejected"'
	plant $PAIRS '.chosen = .rejected | .chosen_run_id = .rejected_run_id'
	for how in "" --observer; do
		run -1 --separate-stderr lh-audit-full --root r --out report.md --phase 4 $how
		diff - <(jq -r 'select(.passed == false).name' <<<"$output") <<-'END'
			no contaminated sft row
			no rejected rag row
			no preference self-pair
			no identical preference text
		END
	done
}

# ---- phase 6 ----

@test "acceptance 22/22" {
	mkdir -p other/data/_kb
	cp r/data/_kb/audits.jsonl other/data/_kb
	live 1 "acceptance 22/22" --acceptance-fixture other
	[ "$(notes "acceptance 22/22")" != "" ]
	in_phase 6 1 "acceptance 22/22" --acceptance-fixture absent
	[[ $(notes "acceptance 22/22") == *absent* ]]
	audit 4 "" 0 --observer --acceptance-fixture other
	in_phase 6 0 "" --acceptance-fixture "$ROOT/share/fixtures/distillation/acceptance"
}

# ---- phase 7 ----

# replays FILTER - a command that answers each record as jq makes of it
replays() {
	echo 'jq -c "{schema: \"replay_run.v1\", task, escalation_path: [\"m\"], validation_result: {passed: true, reasons: []}} + ('"$1"')"'
}

@test "three dry-run replays pass" {
	in_phase 7 0 "" --replay-command "$(replays '{}')"
	live 1 "three dry-run replays pass" --replay-command "$(replays 'if .dry_run and (.task | test(\"drift\")) then {validation_result: {passed: false, reasons: [\"too short\"]}} else {} end')"
	[[ $(notes "three dry-run replays pass") == *": too short" ]]
	in_phase 7 1 "three dry-run replays pass" --replay-command "tee record | $(replays '{}'); grep -q local_only record"
	[[ $(notes "three dry-run replays pass") == *": passed, but ended with status 1" ]]
}

@test "three dry-run replays pass: with --observer the log's tail is judged instead" {
	echo '{"torn' >>$LOG
	audit 4 "three dry-run replays pass
replay log tail parses" 1 --observer
	[[ $(notes "three dry-run replays pass") == *"tail of the replay log"* ]]
	for i in {1..50}; do echo '{}'; done >>$LOG
	audit 4 "" 0 --observer
	rm $LOG
	audit 4 "" 0 --observer
}

@test "escalation guard holds" {
	live 1 "escalation guard holds" --replay-command "$(replays 'if .local_only then {escalation_path: [\"m\", \"big\"]} else {} end')"
	in_phase 7 1 "escalation guard holds" --replay-command "$(replays 'if .local_only then {escalation_path: []} else {} end')"
	audit 4 "" 0 --observer --replay-command 'touch ran; false'
	[ ! -e ran ]
}

@test "replay log tail parses" {
	echo '[]' >>$LOG
	live 0 "replay log tail parses"
	[[ $(notes "replay log tail parses") == "row 1 from the end: "* ]]
	rm $LOG
	mkdir $LOG
	in_phase 7 0 "replay log tail parses"
}

# ---- what phases run ----

@test "what a replay command says is judged, whatever it is" {
	for says in 'true' 'echo' 'echo {' 'echo []' 'exit 3' 'kill -9 $$' 'yes' 'exec >&-' \
		'echo "{\"schema\":\"replay_run.v1\"}"' 'echo "{\"schema\":\"replay_run.v1\",\"validation_result\":[],\"escalation_path\":1}"' \
		'printf "{\"schema\":\"replay_run.v1\",\"validation_result\":{\"passed\":\"true\",\"reasons\":[1]},\"escalation_path\":{}}"'; do
		run -1 --separate-stderr lh-audit-full --root r --out report.md --phase 7 --replay-command "$says"
		[ -z "$stderr" ]
		echo "$output" >lines
		jq -r 'select(has("phase") and (.passed | not)) | .name' lines >failed
		diff failed - <<<"three dry-run replays pass
escalation guard holds" || { echo "$says: $output"; return 1; }
	done
}

@test "a phase without its tool fails its checks and says so" {
	mkdir bin
	cp "$LH_BIN/lh-audit-full" bin
	rc=0
	PATH=/usr/bin:/bin bin/lh-audit-full --root r --out report.md >lines 2>err || rc=$?
	[ "$rc" = 1 ]
	[ ! -s err ]
	diff - <(jq -r 'select(.passed == false).name' lines) <<-'END'
		materializer dry run completes
		acceptance 22/22
		three dry-run replays pass
		escalation guard holds
	END
	[[ $(notes "acceptance 22/22") == "cannot run lh-distill: No such file or directory" ]]
}

@test "a tool that finds no memory says nothing of the root: exit 2" {
	mkdir bin
	cp "$LH_BIN/lh-audit-full" bin
	printf '#!/bin/sh\necho "lh-materialize: r/data/_kb/audits.jsonl: out of memory" >&2\nexit 2\n' >bin/lh-materialize
	chmod +x bin/lh-materialize
	run -2 --separate-stderr bin/lh-audit-full --root r --out report.md --phase 2
	[ -z "$output" ]
	[ "$stderr" = "lh-audit-full: lh-materialize: out of memory" ]
	[ ! -e report.md ]
}

@test "an audit leaves no temporary folder, and without --out writes no file under the root" {
	mkdir tmp
	cp -r r before
	TMPDIR=$PWD/tmp lh-audit-full --root r >lines
	[ -z "$(ls tmp)" ]
	diff -r before r
	lh-audit-full --root r --observer --html page.html >lines
	diff -r before r
	lh-audit-full --root r --observer --out r/reports/report.md >lines
	run -1 diff -r before r
	[ "$output" = "Only in r/reports: report.md" ]
	rm r/reports/report.md
	TMPDIR=$PWD/absent run -1 --separate-stderr lh-audit-full --root r
	[ -z "$stderr" ]
	[ "$(jq -r 'select(.passed == false).name' <<<"$output")" = "acceptance 22/22
three dry-run replays pass
escalation guard holds" ]
}

@test "a live audit asks no model, wherever models are" {
	cat >listen <<-'END'
		import os, socket, subprocess, sys
		s = socket.create_server(("127.0.0.1", 0))
		url = "http://127.0.0.1:%d" % s.getsockname()[1]
		env = dict(os.environ, KIMI_API_KEY="k", **{"LH_%s_URL" % p: url for p in ("OLLAMA", "OLLAMA_CLOUD", "OPENROUTER", "OPENCODE", "KIMI")})
		for model in "small:latest", "kimi/large":
		    subprocess.run(["lh-audit-full", "--root", "r", "--phase", "7", "--out", "report.md"], env=dict(env, LH_REPLAY_LOCAL_MODEL=model), check=True)
		s.setblocking(False)
		try:
		    s.accept()
		    sys.exit("somebody came")
		except BlockingIOError:
		    pass
	END
	python3 listen >lines
	[ "$(jq -s 'map(select(.passed)) | length' lines)" = 6 ]
}

@test "an audit does not need usable keys" {
	export LH_KEYS_FILE=absent KIMI_API_KEY="no key" LH_REPLAY_LOCAL_MODEL=kimi/k2
	lh-audit-full --root r --out report.md --phase 7 >lines
	[ "$(jq -s 'map(select(.passed)) | length' lines)" = 3 ]
	lh-audit-full --root r --out report.md --phase 7 --replay-command "env >>env; $(replays '{}')" >lines
	grep -q '^LH_KIMI_URL=http://127.0.0.1:' env
	run ! grep -e KIMI_API_KEY -e LH_KEYS_FILE -e "no key" env
}

@test "a replay command's rows go to a log of its own, which is removed" {
	before=$(cat r/data/_kb/replay_runs.jsonl 2>/dev/null | sha256sum)
	lh-audit-full --root r --out report.md --phase 7 --replay-command 'echo "$LH_REPLAY_LOG" >>at; lh-replay -q --root r' >lines
	[ "$(jq -s 'map(select(.name == "three dry-run replays pass" and .passed)) | length' lines)" = 1 ]
	[ "$(cat r/data/_kb/replay_runs.jsonl 2>/dev/null | sha256sum)" = "$before" ]
	[ -n "$(cat at)" ]
	while read -r log; do
		[ ! -e "$log" ] && [ ! -e "$(dirname "$log")" ]
	done <at
}

@test "a signal ends an audit and what it runs" {
	mkdir tmp
	for signal in INT TERM; do
		TMPDIR=$PWD/tmp hears_int lh-audit-full --root r --out report.md --phase 7 --replay-command 'echo $$ >pid; sleep 1000' >lines 2>err &
		audit=$!
		until_so [ -s pid ]
		kill -s $signal $audit
		rc=0
		wait $audit || rc=$?
		[ "$rc" = $((128 + $(kill -l $signal))) ]
		[ -z "$(ls tmp)" ]
		until_so not kill -0 "$(cat pid)"
		rm pid
	done
}

# In lh-audit-full alone; what it runs is not traced.
# bats test_tags=full
@test "whatever call around a child fails, the checks fail and say so, or the audit ends with 2" {
	needs_strace
	mkdir tmp
	at() {
		local call=$1 error=$2 n
		for ((n = 1; n <= $(scale 4 9); n++)); do
			rc=0
			TMPDIR=$PWD/tmp STRACE='patiently strace' inject "$call:error=$error:when=$n" \
				lh-audit-full --root r --out report.md --phase 1 --phase 7 --test-command true >lines 2>err || rc=$?
			injected || break
			case $rc in
			0) case $call in pidfd_open | poll | clone*) ;; *) return 1 ;; esac ;;	# done without
			1) jq -se 'any(.passed == false and .notes + .actual != "")' lines >/dev/null ;;
			*) [ "$rc" = 2 ] && [ -s err ] || return 1 ;;
			esac
			[ -z "$(ls tmp)" ]
		done
	}
	for call in memfd_create pipe2 poll socket bind getsockname; do
		at $call EMFILE || { echo "$call: exit $rc"; cat lines err; return 1; }
	done
	at pidfd_open ENOSYS || { echo "$call: exit $rc"; cat lines err; return 1; }
	at clone3,clone,vfork,fork EAGAIN || { echo "spawn: exit $rc"; cat lines err; return 1; }
}

@test "what a killed audit left in TMPDIR goes with the next" {
	mkdir tmp bin other
	cp "$LH_BIN/lh-audit-full" bin
	printf '#!/bin/sh\necho $$ >pid\nls "$TMPDIR" >made\nexec sleep 600\n' >bin/lh-replay
	chmod +x bin/lh-replay
	export TMPDIR=$PWD/tmp
	bin/lh-audit-full --root r --out report.md --phase 7 >lines 3>&- &
	until_so [ -s made ]
	cp -r r second
	lh-audit-full --root second --out report.md --phase 7 >lines
	[ "$(ls tmp)" = "$(cat made)" ]
	kill -9 %1 "$(cat pid)"
	wait %1 || true
	mkdir tmp/lh-audit-$$-abcdef tmp/lh-audit-x tmp/lh-audit-99999999-abcde tmp/lh-distill-99999999-abcdef
	ln -s "$PWD/other" tmp/lh-audit-99999999-abcdef
	touch other/file tmp/lh-audit-$$-abcdef/.in-use
	lh-audit-full --root r --out report.md --phase 7 >lines
	[ "$(ls tmp | paste -sd' ')" = "lh-audit-99999999-abcde lh-audit-99999999-abcdef lh-audit-x lh-distill-99999999-abcdef" ]
	[ -e other/file ]
}
