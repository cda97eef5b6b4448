# lh-score --root: all evidence of a root to its scored runs.
load ../helper

NOW=2026-05-03T12:00:00.000Z
EVIDENCE=data/evidence/2026/05/03
SCORED=data/scored-runs/2026/05/03

# evidence N [STEM [MEMBERS]] - the evidence record of row N.
evidence() {
	printf '{"run_id":"%s:%d","task_id":"t","timestamp":"2026-04-21T08:15:00Z","schema_version":1,"provenance":{"source_file":"data/_kb/%s.jsonl","line_offset":%d,"sig_hash":"%064x","recorded_at":"%s"}%s}\n' \
		"${2:-audits}" "$1" "${2:-audits}" "$1" "$1" "$NOW" "${3:+,$3}"
}

# root DIR - one with three files of evidence, nine records in all.
root() {
	mkdir -p "$1/$EVIDENCE" "$1/data/evidence/2026/05/04"
	for i in 1 2 3 4; do evidence $i audits '"success_markers":["audit_severity_low"]'; done >"$1/$EVIDENCE/audits.jsonl"
	evidence 5 audits '"failure_markers":["audit_severity_high"]' >>"$1/$EVIDENCE/audits.jsonl"
	for i in 1 2; do evidence $i scrum_reviews '"success_markers":["accepted_on_attempt_2"]'; done >"$1/$EVIDENCE/scrum_reviews.jsonl"
	for i in 6 7; do evidence $i; done >"$1/data/evidence/2026/05/04/audits.jsonl"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	root r
}

score() {
	lh-score --root r --now "$NOW" --run-id one "$@"
}

# data DIR - what a root holds, its receipts apart.
data() {
	(cd "$1" && find data -type f | sort | xargs sha256sum)
}

@test "each file of evidence is scored into its mirror, as the filter scores it" {
	run -0 --separate-stderr score
	[ "$stderr" = 'lh-score: 9 read, 9 written, 0 skipped, 0 deduped' ]
	[ "$output" = '{"evidence_file":"data/evidence/2026/05/03/audits.jsonl","scored_file":"data/scored-runs/2026/05/03/audits.jsonl","rows_read":5,"rows_written":5,"rows_skipped":0,"rows_deduped":0,"accepted":4,"partially_accepted":0,"rejected":1,"needs_human_review":0}
{"evidence_file":"data/evidence/2026/05/03/scrum_reviews.jsonl","scored_file":"data/scored-runs/2026/05/03/scrum_reviews.jsonl","rows_read":2,"rows_written":2,"rows_skipped":0,"rows_deduped":0,"accepted":0,"partially_accepted":2,"rejected":0,"needs_human_review":0}
{"evidence_file":"data/evidence/2026/05/04/audits.jsonl","scored_file":"data/scored-runs/2026/05/04/audits.jsonl","rows_read":2,"rows_written":2,"rows_skipped":0,"rows_deduped":0,"accepted":0,"partially_accepted":0,"rejected":0,"needs_human_review":2}' ]
	for file in 03/audits 03/scrum_reviews 04/audits; do
		cmp "r/data/scored-runs/2026/05/$file.jsonl" <(lh-score "r/data/evidence/2026/05/$file.jsonl")
	done
}

@test "what is scored is not scored again; what is new is, after the rest" {
	score
	cp -a r first
	inodes=$(find r/data | sort | xargs stat -c '%n %i %Y')
	run -0 --separate-stderr lh-score --root r --recorded-at 2026-06-01T00:00:00Z
	[ "$stderr" = 'lh-score: 9 read, 0 written, 0 skipped, 9 deduped' ]
	alike <(data first) <(data r)
	[ "$inodes" = "$(find r/data | sort | xargs stat -c '%n %i %Y')" ]
	evidence 9 >>r/$EVIDENCE/audits.jsonl
	run -0 --separate-stderr lh-score --root r --recorded-at 2026-06-01T01:00:00+01:00
	[ "$stderr" = 'lh-score: 10 read, 1 written, 0 skipped, 9 deduped' ]
	cmp -n "$(stat -c %s first/$SCORED/audits.jsonl)" first/$SCORED/audits.jsonl r/$SCORED/audits.jsonl
	[ "$(tail -n 1 r/$SCORED/audits.jsonl | jq -r '.evidence_run_id + " " + .scored_at')" = 'audits:9 2026-06-01T00:00:00.000Z' ]
}

@test "a score by another version of the rules does not keep evidence from being scored" {
	score
	sed -i 's/"scorer_version":"v1.0.0"/"scorer_version":"v0.9.0"/' r/$SCORED/audits.jsonl
	run -0 --separate-stderr score
	[ "$stderr" = 'lh-score: 9 read, 5 written, 0 skipped, 4 deduped' ]
	[ "$(jq -r .scorer_version r/$SCORED/audits.jsonl | uniq -c | tr -s ' \n' ' ')" = ' 5 v0.9.0 5 v1.0.0 ' ]
}

@test "a row that is twice in a file of evidence is scored once" {
	evidence 3 >>r/$EVIDENCE/audits.jsonl
	run -0 --separate-stderr score
	[ "$stderr" = 'lh-score: 10 read, 9 written, 0 skipped, 1 deduped' ]
	[ "$(jq -r .category r/$SCORED/audits.jsonl | sort | uniq -c | tr -s ' \n' ' ')" = ' 4 accepted 1 rejected ' ]
}

@test "the same row in two sources, or on two days, is scored in each" {
	evidence 1 outcomes >r/$EVIDENCE/outcomes.jsonl
	evidence 1 >>r/data/evidence/2026/05/04/audits.jsonl
	run -0 --separate-stderr score
	[ "$stderr" = 'lh-score: 11 read, 11 written, 0 skipped, 0 deduped' ]
}

@test "a row that is not evidence is skipped, reported and in the receipt, exit 1; the rest is scored" {
	{ echo '{"run_id":""}'; echo 'no json'; echo; } >>r/$EVIDENCE/scrum_reviews.jsonl
	run -1 --separate-stderr score
	[ "$stderr" = "lh-score: $EVIDENCE/scrum_reviews.jsonl:3: run_id: must not be empty; task_id: missing; timestamp: missing; schema_version: missing; provenance: missing
lh-score: $EVIDENCE/scrum_reviews.jsonl:4: column 1: expected a value
lh-score: 11 read, 9 written, 2 skipped, 0 deduped" ]
	[ "$(jq -c '[.stats, .validation.passed, (.validation.errors | length)]' r/reports/distillation/one/score.json)" = '[{"accepted":4,"rejected":1,"quarantined":4,"skipped":2},false,2]' ]
	run -1 --separate-stderr score -q
	[ "$stderr" = 'lh-score: 11 read, 0 written, 2 skipped, 9 deduped' ]
}

@test "100 bad records of a file are counted, and the first twenty reported" {
	for i in $(seq 100); do echo '{}'; done >>r/$EVIDENCE/audits.jsonl
	run -1 --separate-stderr score
	[ "$(wc -l <<<"$stderr")" = 22 ]
	[ "$(sed -n 21p <<<"$stderr")" = "lh-score: $EVIDENCE/audits.jsonl: further messages suppressed (--verbose shows all)" ]
	[ "$(jq -r '.validation.errors | length, last' r/reports/distillation/one/score.json | tr '\n' ' ')" = "21 $EVIDENCE/audits.jsonl: 100 records skipped " ]
	run -1 --separate-stderr score -v
	[ "$(wc -l <<<"$stderr")" = 101 ]
}

@test "a mirror that holds something else stops the run, named, and is left as it was" {
	score
	for line in 'x' '{}' '{"category":"fine"}' "$(head -n 1 r/$SCORED/audits.jsonl | jq -c '.category = "fine"')" \
		"$(head -n 1 r/$SCORED/audits.jsonl | jq -c '.provenance.sig_hash = "A"')"; do
		rm -rf r
		root r
		mkdir -p r/$SCORED
		echo "$line" >r/$SCORED/audits.jsonl
		run -2 --separate-stderr score
		[[ $stderr == "lh-score: r/$SCORED/audits.jsonl:1:"* ]] || { echo "$stderr"; return 1; }
		[ "$(cat r/$SCORED/audits.jsonl)" = "$line" ]
	done
}

@test "a mirror without its last LF is continued on a line of its own" {
	score
	truncate -s -1 r/$SCORED/audits.jsonl
	evidence 9 >>r/$EVIDENCE/audits.jsonl
	score
	[ "$(jq -r .evidence_run_id r/$SCORED/audits.jsonl | wc -l)" = 6 ]
}

@test "the receipt states what was on disk, is valid, and repeats under a fixed clock" {
	score
	run -0 lh-validate --schema stage_receipt --wire r/reports/distillation/one/score.json
	receipt=$(cat r/reports/distillation/one/score.json)
	[ "$(jq -c '[.stage, .timestamp, .inputs.record_count, .outputs.record_count, .stats, .validation.passed, .duration_ms]' <<<"$receipt")" = \
		'["score","2026-05-03T12:00:00.000Z",9,9,{"accepted":4,"rejected":1,"quarantined":4,"skipped":0},true,0]' ]
	alike <(jq -r '.outputs.files[] | .sha256 + "  " + .path' <<<"$receipt") <(data r | grep scored-runs)
	alike <(jq -r '.inputs.files[] | .sha256 + "  " + .path' <<<"$receipt") <(data r | grep evidence)
	rm -rf r
	root r
	score -j1
	[ "$receipt" = "$(cat r/reports/distillation/one/score.json)" ]
}

@test "an empty root is scored too" {
	rm -r r/data
	run -0 --separate-stderr score
	[ -z "$output" ]
	[ "$stderr" = 'lh-score: 0 read, 0 written, 0 skipped, 0 deduped' ]
	[ "$(find r -type f)" = r/reports/distillation/one/score.json ]
}

@test "options of a filter and of a root do not mix" {
	for options in 'in' '--rejects x' '--on-error stop' '--on-error emit' '--run-id ../x' '--run-id .x'; do
		run -2 --separate-stderr lh-score --root r $options
		[ "$(wc -l <<<"$stderr")" = 1 ]
	done
	run -2 --separate-stderr lh-score --run-id x
	[ "$stderr" = 'lh-score: --run-id is for scoring a --root' ]
	run -2 lh-score --check-drift --root r --run-id x
	run -2 lh-score --check-drift --recorded-at $NOW
	run -2 --separate-stderr lh-score --root absent
	[[ $stderr == *absent*'No such file'* ]]
	[ ! -e r/reports ]
}

@test "LH_DISTILL_ROOT makes no filter a root" {
	run -0 --separate-stderr env LH_DISTILL_ROOT=r lh-score r/$EVIDENCE/audits.jsonl
	[ "${#lines[@]}" = 5 ]
	[ ! -e r/data/scored-runs ]
}

# ---- faults ----

@test "a mirror that is a symbolic link, a FIFO or a folder is refused, and so is such evidence" {
	mkdir -p r/$SCORED
	ln -s /dev/null r/$SCORED/audits.jsonl
	run -2 --separate-stderr patiently lh-score --root r
	[[ $stderr == *"$SCORED/audits.jsonl"*link* ]]
	rm r/$SCORED/audits.jsonl
	mkfifo r/$SCORED/audits.jsonl
	run -2 patiently lh-score --root r
	rm r/$SCORED/audits.jsonl
	mkdir r/$SCORED/audits.jsonl
	run -2 patiently lh-score --root r
	rmdir r/$SCORED/audits.jsonl
	ln -s "$PWD"/r/$EVIDENCE/audits.jsonl r/$EVIDENCE/linked.jsonl
	run -0 patiently lh-score --root r
	[ ! -e r/$SCORED/linked.jsonl ]
}

# ---- drift ----

drift() {
	lh-score --check-drift "$@" | jq -c '[.total, .matched, .mismatched, .drift_rate, [.shifts[] | "\(.from)>\(.to) \(.count)"]]'
}

@test "drift: nothing has drifted right after scoring, exit 0" {
	score
	run -0 --separate-stderr lh-score --check-drift --root r
	[ -z "$stderr" ]
	[ "$output" = '{"total":9,"matched":9,"mismatched":0,"drift_rate":0,"scorer_version":"v1.0.0","shifts":[]}' ]
	[ "$(data r | wc -l)" = 6 ]
	[ "$(find r/reports -type f | wc -l)" = 1 ]
}

@test "drift: from is on file, to is now; by falling count, then from, then to; exit 1" {
	score
	sed -i 's/"category":"accepted"/"category":"rejected"/; s/"category":"rejected","reasons":\["severity=high/"category":"accepted","reasons":["severity=high/' r/$SCORED/audits.jsonl
	sed -i '1s/partially_accepted/needs_human_review/; 2s/partially_accepted/accepted/' r/$SCORED/scrum_reviews.jsonl
	run -1 --separate-stderr lh-score --check-drift --root r
	[ -z "$stderr" ]
	[ "$output" = '{"total":9,"matched":2,"mismatched":7,"drift_rate":0.7777777777777778,"scorer_version":"v1.0.0","shifts":[{"from":"rejected","to":"accepted","count":4},{"from":"accepted","to":"partially_accepted","count":1},{"from":"accepted","to":"rejected","count":1},{"from":"needs_human_review","to":"partially_accepted","count":1}]}' ]
}

@test "drift: an empty root and empty input give zeros" {
	zeros='{"total":0,"matched":0,"mismatched":0,"drift_rate":0,"scorer_version":"v1.0.0","shifts":[]}'
	rm -r r/data
	run -0 lh-score --check-drift --root r
	[ "$output" = "$zeros" ]
	run -0 lh-score --check-drift </dev/null
	[ "$output" = "$zeros" ]
}

@test "drift: what has no partner is reported as such" {
	score
	evidence 9 >>r/$EVIDENCE/audits.jsonl
	rm r/$EVIDENCE/scrum_reviews.jsonl
	sed -i 1d r/data/evidence/2026/05/04/audits.jsonl
	rm r/$SCORED/../04/audits.jsonl
	run -0 --separate-stderr lh-score --check-drift --root r
	[ "$stderr" = 'lh-score: not scored yet: 2
lh-score: scored, but without their evidence: 2' ]
	[ "$(jq .total <<<"$output")" = 5 ]
}

@test "drift: the last score on file counts, whichever version gave it" {
	score
	sed 's/v1.0.0/v0.9.0/; s/"category":"accepted"/"category":"rejected"/' r/$SCORED/audits.jsonl >old
	cp r/$SCORED/audits.jsonl new
	cat old new >r/$SCORED/audits.jsonl
	[ "$(drift --root r)" = '[9,9,0,0,[]]' ]
	cp old r/$SCORED/audits.jsonl
	run -1 lh-score --check-drift --root r
	[ "$(drift --root r || true)" = '[9,5,4,0.4444444444444444,["rejected>accepted 4"]]' ]
}

@test "drift: as a filter, evidence and scored runs come in any order and from any file" {
	score
	want=$(drift --root r)
	[ "$(drift r/data/evidence/*/*/*/*.jsonl r/data/scored-runs/*/*/*/*.jsonl)" = "$want" ]
	[ "$(cat r/data/scored-runs/*/*/*/*.jsonl r/data/evidence/*/*/*/*.jsonl | shuf | drift)" = "$want" ]
	[ "$(cat r/data/evidence/*/*/*/*.jsonl | tee e | lh-score | cat - e | drift -)" = "$want" ]
	run -1 --separate-stderr lh-score --check-drift <<<'{"evidence_run_id":"x"}'
	[ "$(head -n 1 <<<"$stderr")" = 'lh-score: -:1: provenance.source_file: missing' ]
	run -1 --separate-stderr lh-score --check-drift <<<'{"run_id":"x"}'
	[[ $stderr == *'task_id: missing'* ]]
}

@test "drift: a row that is not evidence in a root is a rejected record, exit 1" {
	score
	echo '{"x":1}' >>r/$EVIDENCE/audits.jsonl
	run -1 --separate-stderr lh-score --check-drift --root r
	[[ $stderr == "lh-score: r/$EVIDENCE/audits.jsonl:6: run_id: missing"*'lh-score: 1 of 19 records rejected' ]]
	[ "$(jq .total <<<"$output")" = 9 ]
}

@test "--check-drift --wire compares the records in each record" {
	cat "$ROOT"/share/fixtures/schemas/valid/evidence_record-*.json | jq -c . | head -n 1 >evidence.jsonl
	lh-score evidence.jsonl >scored.jsonl
	jq -c '.category = "rejected"' scored.jsonl >shifted.jsonl
	{
		jq -sc '{records: .}' evidence.jsonl scored.jsonl
		jq -sc '{records: .}' shifted.jsonl evidence.jsonl
		echo '{"records":[]}'
		jq -sc '{records: (. + [{}])}' evidence.jsonl
		jq -sc '{records: .}' scored.jsonl evidence.jsonl
	} >in.jsonl
	run -1 --separate-stderr lh-score --check-drift --wire in.jsonl
	[ "$(jq -c '[.total, .matched]' <<<"$output")" = $'[1,1]\n[1,0]\n[0,0]\n[1,1]' ]
	[[ ${stderr_lines[0]} == 'lh-score: in.jsonl:4: records[1]: '* ]]
	[ "$(sed -n 2p <<<"$output" | jq -c .)" = "$(cat shifted.jsonl evidence.jsonl | lh-score --check-drift || true)" ]
	run -2 lh-score --wire in.jsonl
	run -2 lh-score --check-drift --wire --root r
}
