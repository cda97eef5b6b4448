# Tombstones: each reader of logs and sources takes one as a blank line, and receipts of runs
# and of erasures say together what is gone.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_DISTILL_ROOT
	export LH_NOW=2026-05-03T12:00:00Z
}

STONE='{"erased":"er-5f0c1d3a9b7e2468","at":"2026-05-03T12:00:00.000Z"}'
SUBJECTS=r/data/_catalog/subjects

# stone FILE N [LINE] - a tombstone, or LINE, after the Nth line.
stone() {
	sed -i "$2a\\${3-$STONE}" "$1"
}

# both FILE N COMMAND... - the command, in a folder with the file in which a tombstone is after
# line N, ends and prints as in one where that line is blank; stdout is in the file out.
both() {
	local line folder
	rm -rf stone blank
	for folder in stone blank; do
		mkdir -p "$folder"
		cp -r "${1%%/*}" "$folder"
	done
	stone "stone/$1" "$2"
	stone "blank/$1" "$2" ' '
	for folder in stone blank; do
		(cd "$folder" && "${@:3}") >"$folder.out" 2>"$folder.err" || echo "exit $?" >>"$folder.out"
	done
	cmp stone.err blank.err
	cmp stone.out blank.out
	[ -s stone.out ]
	cp stone.out out
}

# pathway LOG - b revises a, and c revises b.
pathway() {
	lh-pathway add "$1" <<<'{"uid":"a","content":{"s":"Forklift"}}'
	lh-pathway revise "$1" <<<'{"uid":"b","predecessor_uid":"a","content":2}'
	lh-pathway update "$1" <<<'{"uid":"b","content":3}'
	lh-pathway revise "$1" <<<'{"uid":"c","predecessor_uid":"b","content":4}'
}

# ---- logs ----

@test "a log of traces has no event in a tombstone, and nothing is skipped" {
	pathway log >/dev/null
	both log 2 lh-pathway verify log
	jq -e '.events == 4 and .skipped == 0' out
	both log 1 lh-pathway search --retired log
	[ "$(wc -l <out)" = 3 ]
	both log 3 lh-pathway history --uid c log
	jq -e '.history | length == 3' out
	both log 4 bash -c 'lh-pathway add log <<<"{\"uid\":\"d\",\"content\":1}"'
	[ "$(wc -l <stone/log)" = 6 ]
}

@test "a predecessor that was erased is not missing; one that no tombstone may have been is" {
	pathway log >/dev/null
	lh-pathway revise log <<<'{"uid":"e","predecessor_uid":"c","content":4}' >/dev/null
	sed "1s/.*/$STONE/" log >erased
	sed 1s/.*// log >lost
	sed "4s/.*//; 5a $STONE" log >late
	lh-pathway verify erased | jq -e '.missing_predecessors == 0 and .skipped == 0 and .traces == 3'
	lh-pathway verify lost | jq -e '.missing_predecessors == 1'
	lh-pathway verify late | jq -e '.missing_predecessors == 1'
	lh-pathway history --uid b erased | jq -e '.history | map(.uid) == ["b"]'
}

@test "the observer's log has no row in a tombstone: not counted, printed, sent or skipped" {
	load ../servers/server
	printf '%s\n' '{"endpoint":"a"}' '{"endpoint":"b","error":"x"}' '{"endpoint":"c"}' | lh-observe record log >/dev/null
	both log 2 lh-observe stats --by endpoint log
	jq -e '.total == 3' out
	both log 1 lh-observe tail -n 2 log
	[ "$(jq -r .endpoint out | paste -sd' ')" = "b c" ]
	both log 3 lh-observe tail -n 9 log
	cmp out log
	export LANGFUSE_PUBLIC_KEY=pk-lf-public LANGFUSE_SECRET_KEY=sk-lf-secret
	start_server observed.py --key pk-lf-public:sk-lf-secret --events events
	export LANGFUSE_URL=$URL
	stone log 1
	lh-observe push log | jq -e '.sent == 3 and .skipped == 0'
	jq -e '.line == 4' log.cursor
	stop_upstreams
}

# workers - a roster of two.
workers() {
	printf '{"candidate_id":"W-%s","name":"%s","status":"active","city":"Rome","state":"NY","role":"Welder"}\n' 1 A 2 B
}

@test "a log of decisions may have tombstones, also at its beginning, and goes on" {
	workers >roster
	for id in W-1 W-2; do
		lh-validate --roster roster --decisions log <<<"{\"kind\":\"fill\",\"artifact\":{\"fills\":[{\"candidate_id\":\"$id\",\"name\":\"A\"}]}}" >/dev/null || [ $? = 1 ]
	done
	[ "$(wc -l <log)" = 2 ]
	both log 1 lh-observe decisions log
	jq -e '.total == 2' out
	stone log 1
	sed -i 1d log
	lh-validate --roster roster --decisions log <<<'{"kind":"fill","artifact":{"fills":[]}}' >/dev/null || [ $? = 1 ]
	[ "$(wc -l <log)" = 3 ]
	echo '{"erased":"er-1"}' >other
	run -2 lh-validate --roster roster --decisions other <<<'{"kind":"fill","artifact":{"fills":[]}}'
}

@test "a roster has no worker in a tombstone" {
	workers >roster
	echo '{"kind":"fill","artifact":{"fills":[{"candidate_id":"W-2","name":"B"}]}}' >in
	both roster 1 lh-validate --roster roster "$PWD/in"
	jq -e 'has("error") | not' out
}

@test "a table of SQL has no row in a tombstone of a log" {
	printf '%s\n' '{"a":1}' '{"a":2}' >log.jsonl
	both log.jsonl 1 lh-query 'SELECT count(*) AS n, sum(a) AS s FROM log' log.jsonl
	jq -e '.n == 2 and .s == 3' out
}

# bats test_tags=plain-only
@test "a filter of records of any kind passes a tombstone on" {
	printf '%s\n' '{"a":1}' "$STONE" '{"a":2}' >in
	lh-cat in | cmp - in
	"$AID" <in | has -F "${STONE%\}},\"seen\":true}"
}

# ---- a distillation ----

@test "a source has no row in a tombstone, and those after it keep their lines" {
	lh-gen kb -n 60 --root r
	both r/data/_kb/audits.jsonl 2 bash -c 'lh-distill run -q --root r --run-id one | jq -c "[.stages[] | [.records_in, .records_out, .skipped]]";
		cat r/data/evidence/*/*/*/*.jsonl r/data/scored-runs/*/*/*/*.jsonl r/exports/*/*.jsonl r/data/_kb/distillation_skips.jsonl'
	(cd stone && lh-distill health --root r) | jq -se 'all(.mismatched == 0 and .missing == 0) and any(.rows > 0)'
	jq -se 'any(.provenance.line_offset == 3) and all(.provenance.line_offset != 2)' stone/r/data/evidence/*/*/*/audits.jsonl
	lh-materialize --source audits <r/data/_kb/audits.jsonl >all
	both r/data/_kb/audits.jsonl 2 lh-materialize --source audits r/data/_kb/audits.jsonl
	[ "$(wc -l <out)" = "$(wc -l <all)" ]
}

@test "a tombstone is no line for lh-trace, and those after it are found at theirs" {
	lh-gen kb -n 60 --root r
	lh-distill run -q --root r --run-id one >/dev/null || [ $? = 1 ]
	both r/data/_kb/audits.jsonl 2 lh-trace --json --root r data/_kb/audits.jsonl:3
	both r/data/_kb/audits.jsonl 2 lh-trace --json --root r data/_kb/audits.jsonl:4
	jq -e '[.. | objects | select(.step == "source")] != []' out
}

@test "an audit takes a tombstone at the end of the log of replays as no row" {
	lh-gen kb -n 60 --root r
	lh-distill run -q --root r --run-id one >/dev/null || [ $? = 1 ]
	lh-replay --root r --dry-run --task 'verify the latest review' >/dev/null || [ $? = 1 ]
	both r/data/_kb/replay_runs.jsonl 1 bash -c 'lh-audit-full --observer --phase 7 --root r | jq -c "select(.name == \"replay log tail parses\") | [.passed, .actual]"'
	[ "$(cat out)" = '[true,"1 of 1"]' ]
}

# ---- what is gone, and why ----

# a_root - a run, of which a row of line 2 of the audits was erased.
a_root() {
	lh-gen kb -n 200 --root r
	lh-distill run -q --root r --run-id one >/dev/null || [ $? = 1 ]
	lh-audit-full --observer --append-baseline --root r --now 2026-05-03T11:00:00Z >/dev/null || [ $? = 1 ]
	python3 "$ROOT/tests/subject/erase-row.py" r one audits 2 er-5f0c1d3a9b7e2468
	has "$STONE" <r/data/_kb/audits.jsonl
}

# sound - health and the receipts of the audit are.
sound() {
	lh-distill health -q --all --root r "$@" >/dev/null 2>err || { cat err; return 1; }
	lh-audit-full --observer --phase 5 --root r "$@" >lines || { cat lines; return 1; }
}

# unsound TEXT [OPTION]... - neither is, and both say why.
unsound() {
	run -1 --separate-stderr lh-distill health --all --root r "${@:2}"
	[[ $stderr == *"$1"* ]] || { echo "$stderr"; return 1; }
	run -1 lh-audit-full --observer --phase 5 --root r "${@:2}"
	[[ $output == *"$1"* ]] || { echo "$output"; return 1; }
}

@test "after an erasure health and the audit are as before" {
	a_root
	sound
	jq -e '.erased == [{"receipt":"er-5f0c1d3a9b7e2468","rows":2}]' r/reports/distillation/one/collect.json
	lh-validate --schema stage_receipt r/reports/distillation/one/collect.json >/dev/null
	lh-distill run -q --root r --run-id two --now 2026-05-03T13:00:00Z >/dev/null || [ $? = 1 ]
	sound
	python3 "$ROOT/tests/subject/erase-row.py" r two outcomes 3 er-0000000000000002
	sound
}

@test "rows that are gone without an erasure are a fault, and so is an erasure without a receipt" {
	a_root
	cp -r r good
	sed -i 3d r/data/evidence/*/*/*/audits.jsonl
	unsound 'audits.jsonl: was cut'
	rm -rf r && cp -r good r
	sed -i "4s/.*/$STONE/" r/data/_kb/audits.jsonl
	unsound 'data/_kb/audits.jsonl: 2 rows were erased by er-5f0c1d3a9b7e2468, and its receipt has 1'
	rm -rf r && cp -r good r
	mv $SUBJECTS elsewhere
	unsound 'collect.json: rows were erased by er-5f0c1d3a9b7e2468, of which there is no receipt'
	unsound 'data/_kb/audits.jsonl: rows were erased by er-5f0c1d3a9b7e2468, of which there is no receipt'
	sound --subjects elsewhere
	rm -rf r && cp -r good r
	mv $SUBJECTS/_erasures/er-5f0c1d3a9b7e2468.{json,plan}
	unsound 'there is no receipt; an erasure is not finished'
	rm -rf r && cp -r good r
	sed -i 's/"rows":2/"rows":3/' r/reports/distillation/one/collect.json
	unsound 'collect.json: 3 rows were erased by er-5f0c1d3a9b7e2468, and its receipt has 2'
	rm -rf r && cp -r good r
	sed -i 's/"erased":\[\(.*\)\]/"erased":[\1,\1]/' r/reports/distillation/one/score.json
	unsound 'score.json: 4 rows were erased'
	rm -rf r && cp -r good r
	echo '{"schema":"subject_erasure.v2"}' >$SUBJECTS/_erasures/x.json
	unsound 'x.json: '
}

@test "rows that were added during an erasure, and an erasure before it, are known" {
	a_root
	sed -i 's/"rows_after": [0-9]*/"rows_erased": 1, "rows_after": 1000/g' $SUBJECTS/_erasures/*.json
	sound
	jq -c '{schema: "subject_erasure.v1", receipt: "er-2", finished_at: "2026-05-03T13:00:00.000Z", places: [], earlier: .}' $SUBJECTS/_erasures/*.json >later
	rm $SUBJECTS/_erasures/*.json
	cp later $SUBJECTS/_erasures/x.json
	sound
	jq -c .earlier.receipt=7 later >$SUBJECTS/_erasures/x.json
	unsound 'x.json: '
}

@test "an erasure in a root of another folder explains nothing in this one" {
	a_root
	cp -r r other
	sed -i "s|\"path\": \"r/|\"path\": \"$PWD/other/|g" $SUBJECTS/_erasures/*.json
	unsound 'collect.json: 2 rows were erased by er-5f0c1d3a9b7e2468, and its receipt has 0'
	sed -i "s|$PWD/other/|$PWD/r/|g" $SUBJECTS/_erasures/*.json
	sound
	sed -i "s|$PWD/r/|/srv/of/another/machine/|g" $SUBJECTS/_erasures/*.json
	sound
}

# base METRIC VALUE - the last baseline had that.
base() {
	jq -c --arg m "$1" --argjson v "$2" '.metrics[$m] = $v' r/data/_kb/audit_baselines.jsonl >b
	tail -n 1 b >>r/data/_kb/audit_baselines.jsonl
}

# flag METRIC - of the audit.
flag() {
	lh-audit-full --observer --root r --now 2026-05-03T13:00:00Z "${@:2}" |
		jq -r --arg m "$1" '.drift // empty | .[] | select(.metric == $m) | .flag'
}

@test "in drift, a fall that erasures since the baseline explain is erased, and no warning" {
	a_root
	rows=$(jq -s length r/exports/sft/*.jsonl)
	sed -i 's|"rows_after": [0-9]*}\]|"rows_after": 0}, {"path": "r/exports/sft/instruction_response.jsonl", "rows_before": 40, "rows_after": 0}]|' $SUBJECTS/_erasures/*.json
	base p4_sft_rows $((rows + 40))
	[ "$(flag p4_sft_rows)" = erased ]
	run lh-audit-full --observer --phase 5 --fail-on-drift --root r --now 2026-05-03T13:00:00Z --out report.md
	has 'metrics flagged warn, 0 first-run, 1 erased' <report.md
	[ "$(flag p4_sft_rows --subjects none)" = warn ]
	sed -i '$s/"recorded_at":"2026-05-03T11/"recorded_at":"2026-05-03T12:30/' r/data/_kb/audit_baselines.jsonl
	[ "$(flag p4_sft_rows)" = warn ]
	base p4_sft_rows $((rows * 3 + 400))
	[ "$(flag p4_sft_rows)" = warn ]
	base p4_sft_rows 1
	[ "$(flag p4_sft_rows)" = warn ]
	jq -c '.recorded_at = "2026-05-03T11:00:00Z" | .metrics.p4_sft_rows = 100' r/data/_kb/audit_baselines.jsonl | tail -n 1 >two
	jq -c '.recorded_at = "2026-05-03T13:00:00Z" | .metrics.p4_sft_rows = 60' two >>two
	lh-audit-full drift --json --root r two | jq -e '.[] | select(.metric == "p4_sft_rows") | .flag == "erased"'
}
