# lh-trace at a terminal: the tree on each background, without colours.
# bats file_tags=plain-only,full
load screen

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export LH_NOW=2026-05-03T12:00:00Z
	unset LH_DISTILL_ROOT LH_SUBJECT_AUDIT_KEY
	lh-gen kb -n 400 --root r
	lh-distill run -q --root r --run-id first >/dev/null
	lh-replay --root r --dry-run --task 'Naïve quoting breaks the query' >/dev/null || [ $? = 1 ]
	lh-audit-full --root r --observer --append-baseline >/dev/null || [ $? = 1 ]
	jq -rn 'first(inputs | select(.reason == "unsafe_sft_category")) | .source_record.evidence_run_id' r/exports/quarantine/sft.jsonl >refused
	jq -r '.retrieved_artifacts.rag_ids[0]' r/data/_kb/replay_runs.jsonl >replayed
	mkdir -p r/data/_catalog/subjects
	(umask 077; printf '%032d' 0 >key)
	for i in 1 2 3; do
		echo '{"candidate_id":"W-1","accessor":{"kind":"gateway","daemon":"ui","purpose":"call about shift '$i'","trace_id":"t-'$i'"},"fields_accessed":["name","phone"],"result":"success","ts":"2026-05-03T0'$i':00:00Z"}'
	done | lh-subject-audit append --key-file key --sync none --dir r/data/_catalog/subjects >/dev/null
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

@test "a sample's way is a tree that fits the screen" {
	each() {
		screen_run "lh-trace --root r $(cat replayed)"
		screen_is -e trace-sample
	}
	on_each_screen each
}

@test "a refused record, a subject and what is nowhere are told apart" {
	each() {
		screen_run "lh-trace --root r '$(cat refused)'"
		screen_is -e trace-refused
		screen_run 'clear; lh-trace --root r --key-file key W-1'
		screen_is -e trace-subject
		screen_run 'clear; lh-trace --root r W-9'
		screen_is -e trace-nowhere
	}
	on_each_screen each
}

@test "NO_COLOR takes the colours of a trace away and leaves its text" {
	each() {
		screen_run "lh-trace --root r '$(cat refused)'"
		screen_is -n trace-refused
	}
	on_each_screen each NO_COLOR=1
}
