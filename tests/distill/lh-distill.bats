# lh-distill: runs of five stages with receipts, and checks on them.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_DISTILL_ROOT
}

NOW=2026-05-03T12:00:00Z
STAGES=(collect score export-rag export-sft export-preference)

# root N [OPTION]... - a root r with N rows of all sources.
root() {
	lh-gen kb -n "$1" --root r "${@:2}"
}

# distil [OPTION]... - a run under a fixed clock.
distil() {
	lh-distill run --root r --now $NOW "$@"
}

# distilled N - a root r of N rows, and the run a of it.
distilled() {
	root "$1"
	distil --run-id a >/dev/null
}

# line STEM [N] - what health says of a source.
line() {
	jq -c --arg s "$1" 'select(.source == $s) | [.rows, .checked, .mismatched, .missing]'
}

# ---- run ----

@test "a run leaves five receipts, a summary and a drift report that are what they should be" {
	root 200
	distil --run-id a >out
	cd r/reports/distillation/a
	ls >../../../../names
	lh-validate --schema stage_receipt "${STAGES[@]/%/.json}" >/dev/null
	lh-validate --schema run_summary summary.json >/dev/null
	lh-validate --schema drift_report drift.json >/dev/null
	cd ../../../..
	diff names <(printf '%s\n' "${STAGES[@]/%/.json}" drift.json summary.json summary.md | sort)
	cmp out r/reports/distillation/a/summary.json
	for stage in "${STAGES[@]}"; do
		[ "$(jq -r .stage "r/reports/distillation/a/$stage.json")" = "$stage" ]
	done
}

@test "a receipt's files are those of its stage, of all days" {
	root 200
	distil --run-id a --recorded-at 2026-05-02T00:00:00Z >/dev/null
	lh-gen kb -n 240 --root r
	distil --run-id b >/dev/null
	cd r
	files() { LC_ALL=C find "$@" -name '*.jsonl' 2>/dev/null | LC_ALL=C sort; }
	listed() { jq -r ".$2.files[].path" "reports/distillation/b/$1.json"; }
	alike <(listed collect inputs) <(files data/_kb | grep -v skips)
	alike <(listed collect outputs) <(files data/_kb/distillation_skips.jsonl data/evidence)
	[ "$(listed score inputs | cut -d/ -f-5 | sort -u | wc -l)" = 2 ]
	alike <(listed score inputs) <(files data/evidence)
	alike <(listed score outputs) <(files data/scored-runs)
	for kind in rag sft preference; do
		alike <(listed export-$kind inputs) <(files data/evidence data/scored-runs)
		alike <(listed export-$kind outputs) <(files exports/$kind exports/quarantine/$kind.jsonl)
	done
}

@test "a summary holds its stages' receipts, their sums, and the hash over their outputs" {
	root 300
	distil --run-id a >sum
	cd r/reports/distillation/a
	jq -c '{stage, records_in: .inputs.record_count, records_out: .outputs.record_count, accepted: .stats.accepted, rejected: .stats.rejected,
		quarantined: .stats.quarantined, skipped: .stats.skipped, passed: .validation.passed, duration_ms,
		input_hash: .inputs.hash, output_hash: .outputs.hash}' "${STAGES[@]/%/.json}" >../../../../stages
	cd ../../../..
	diff stages <(jq -c '.stages[]' sum)
	for field in records_in records_out accepted rejected quarantined skipped; do
		[ "$(jq ".total_records_${field#records_}" sum)" = "$(jq -s "map(.$field) | add" stages)" ]
	done
	[ "$(jq -r .run_hash sum)" = "$(jq -rj '[.stages[].output_hash] | join("|")' sum | sha256sum | cut -c-64)" ]
	[ "$(jq .rag_records sum)" = "$(wc -l <r/exports/rag/playbooks.jsonl)" ]
	[ "$(jq .sft_records sum)" = "$(wc -l <r/exports/sft/instruction_response.jsonl)" ]
	[ "$(jq .preference_pairs sum)" = "$(cat r/exports/preference/*.jsonl | wc -l)" ]
	[ "$(jq -c '[.overall_passed, .total_duration_ms]' sum)" = '[true,0]' ]
}

@test "with time and id fixed, a run of the same sources leaves the same receipts" {
	root 100
	cp -r r s
	distil --run-id a -j 1 >one
	mv r first
	mv s r
	distil --run-id a -j 4 >two
	cmp one two
	diff -r first r
}

@test "a run id that is minted is a UUID" {
	root 12
	lh-distill run --root r >one
	[[ $(jq -r .run_id one) =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$ ]]
	[ -e "r/reports/distillation/$(jq -r .run_id one)/summary.json" ]
	for again in '' -2; do		# the clock decides
		[[ $(distil | jq -r .run_id) == *"$again" ]]
	done
}

@test "recorded_at is converted to UTC, and the clock is another thing" {
	root 12
	distil --run-id a --recorded-at 2026-05-02T23:30:00-01:00 >out
	[ "$(jq -r .started_at out)" = 2026-05-03T12:00:00.000Z ]
	cat r/data/evidence/2026/05/03/*.jsonl | jq -r .provenance.recorded_at | sort -u >times
	[ "$(cat times)" = 2026-05-03T00:30:00.000Z ]
}

@test "a skipped row fails collect and the run, with exit 1, and the rest is done" {
	root 50
	echo '{"finding_id":"x","phase":"1"}' >>r/data/_kb/audits.jsonl
	run --separate-stderr -1 distil
	[[ $stderr == *"lh-distill: collect has not passed: "*skipped* ]]
	[ "$(jq -c '[.overall_passed, .total_records_skipped, (.stages | map(.passed))]' <<<"$output")" = '[false,1,[false,true,true,true,true]]' ]
	[ "$(wc -l <r/data/_kb/distillation_skips.jsonl)" = 1 ]
	run -1 distil
	[ "$(wc -l <r/data/_kb/distillation_skips.jsonl)" = 1 ]
}

@test "the commit is that of the repository around the root" {
	root 12
	git init -q .
	git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m one
	distil >out
	[ "$(jq -r .git_commit out)" = "$(git rev-parse HEAD)" ]
	[ "$(cat r/reports/distillation/*/score.json | jq -c .validation.warnings)" = '[]' ]
}

@test "the commit is that of the root's repository, whoever owns it and whatever git is told" {
	root 12
	git init -q .
	git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m one
	head=$(git rev-parse HEAD)
	commit() { jq -r .git_commit <(distil); }
	git init -q other
	[ "$(GIT_DIR=$PWD/other/.git GIT_WORK_TREE=$PWD/other commit)" = "$head" ]
	printf '[core\n' >.gitconfig
	[ "$(HOME=$PWD GIT_CONFIG_COUNT=x commit)" = "$head" ]
	# a program of the repository's own, which git status runs and distill does not
	printf '#!/bin/sh\ntouch %q/run\n' "$PWD" >program
	chmod +x program
	touch file
	git add file
	for key in core.fsmonitor core.pager core.sshCommand core.editor diff.external credential.helper; do git config $key "$PWD/program"; done
	git config alias.rev-parse "!$PWD/program"
	git config pager.rev-parse true
	git status >/dev/null
	rm run
	if [ "$(id -u)" = 0 ]; then
		chown -R 65534:65534 .git .
		run -128 git rev-parse HEAD
	fi
	[ "$(commit)" = "$head" ]
	[ ! -e run ]
}

@test "without git there is no commit either" {
	root 12
	git init -q .
	git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m one
	run -0 --separate-stderr env PATH=/nowhere "$LH_BIN/lh-distill" run --root r --now $NOW -v
	[ "$(jq -r .git_commit <<<"$output")" = 0000000000000000000000000000000000000000 ]
	[[ $stderr == *"no git commit, zeros stand for it: cannot run git: No such file or directory"* ]]
}

@test "without a commit there are 40 zeros and a warning" {
	root 12
	distil >out
	[ "$(jq -r .git_commit out)" = 0000000000000000000000000000000000000000 ]
	for stage in "${STAGES[@]}"; do
		[[ $(jq -c .validation.warnings "r/reports/distillation/"*"/$stage.json") == *"no git commit"* ]]
	done
	run -0 --separate-stderr distil -v
	[[ $stderr == *"not in a git repository"* ]]
}

@test "what a killed run left half written is gone after the next" {
	root 12
	lh-distill run --root r --now 2026-05-02T12:00:00Z --run-id a >/dev/null
	for folder in data/_kb data/evidence/2026/05/02 data/scored-runs/2026/05/02 exports/rag exports/quarantine reports/distillation/a; do
		touch "r/$folder/.half.jsonl.lh-tmp-4194305" "r/$folder/.lh-tmp-mine"
		exec {writer}>"r/$folder/.half.jsonl.lh-tmp-$$"	# of a process that lives: it has the lock
		flock "$writer"
	done
	distil >/dev/null
	[ "$(find r -name '.*.lh-tmp-4194305')" = "" ]
	[ "$(find r -name ".*.lh-tmp-$$" | wc -l)" = 6 ]
	[ "$(find r -name '.lh-tmp-mine' | wc -l)" = 6 ]
}

@test "a run shows its stages and their counts" {
	root 50
	run -0 --separate-stderr distil --progress always
	for stage in "${STAGES[@]}"; do
		[[ $stderr == *"lh-distill: $stage: "*" in, "*" out, "*" skipped, "*" ms"* ]]
	done
}

@test "summary.md says the same for people" {
	root 300
	distil --run-id nightly >out
	md=r/reports/distillation/nightly/summary.md
	grep -qx '# Distillation run nightly: passed' $md
	jq -r '.stages[] | "| \(.stage) | \(.records_in) | \(.records_out) | \(.accepted) | \(.rejected) | \(.quarantined) | \(.skipped) | yes | \(.duration_ms) |"' out >rows
	[ "$(grep -cxFf rows $md)" = 5 ]
	grep -qF -- "- $(jq .rag_records out) retrieval samples in \`exports/rag/playbooks.jsonl\`" $md
	grep -qF "$(jq -r .run_hash out)" $md
	echo '{}' >>r/data/_kb/audits.jsonl
	run -1 distil --run-id next
	md=r/reports/distillation/next/summary.md
	grep -qx '# Distillation run next: NOT passed' $md
	grep -q '^| collect | .* | \*\*no\*\* | 0 |$' $md
	grep -q '^- collect: error: ' $md
	grep -q 'against run nightly' $md
}

# ---- drift ----

drift() {
	jq -c "$1" "r/reports/distillation/$2/drift.json"
}

@test "drift: a first run has nothing to be compared with, and is ok" {
	distilled 50
	[ "$(drift '[.schema_version, .run_id, .prior_run_id, .severity, .stages]' a)" = '[2,"a",null,"ok",[]]' ]
}

@test "drift: equal inputs and equal outputs are ok" {
	distilled 50
	distil --run-id b >/dev/null
	[ "$(drift '[.prior_run_id, .severity]' b)" = '["a","ok"]' ]
	[ "$(drift '[.stages[] | [.delta_in, .delta_out, .input_hash_match, .output_hash_match, .deterministic_violation]] | unique' b)" = '[[0,0,true,true,false]]' ]
	[ "$(drift '[.stages[].stage]' b)" = '["collect","score","export-rag","export-sft","export-preference"]' ]
}

@test "drift: a swing of more than a fifth of the records is a warning" {
	root 100
	distil --run-id a >a
	lh-gen kb -n 118 --root r
	distil --run-id b >b
	lh-gen kb -n 160 --root r
	run -0 --separate-stderr distil --run-id c
	[ "$(drift .severity c)" = '"warn"' ]
	[[ $stderr == *"lh-distill: drift: warn, against run b"* ]]
	[ "$(drift '.stages[0] | [.delta_out, (.pct_change_out * 100 | round), .input_hash_match, .output_hash_match, .deterministic_violation]' b)" = '[18,18,false,false,false]' ]
	[ "$(drift '.stages[1] | [.delta_in, .delta_out]' c)" = '[42,42]' ]
}

@test "drift: the change is null where there was nothing before" {
	mkdir r
	run -1 distil --run-id a
	root 50
	distil --run-id b >/dev/null
	[ "$(drift '[.severity, .stages[0].pct_change_out, .stages[0].delta_out]' b)" = '["ok",null,50]' ]
}

@test "drift: equal inputs and different outputs are an alert" {
	distilled 50
	rm -r r/data/evidence r/data/scored-runs r/exports
	run -0 --separate-stderr distil --run-id b --recorded-at 2026-06-01T00:00:00Z
	[ "$(drift '[.severity, .stages[0].deterministic_violation, .stages[1].deterministic_violation]' b)" = '["alert",true,false]' ]
	[[ $stderr == *"drift: alert, against run a"* ]]
}

@test "drift: the newest other run is the one that ended last, of equals the greatest id" {
	root 20
	lh-distill run --root r --now 2026-05-03T12:00:00Z --run-id z >/dev/null
	lh-distill run --root r --now 2026-05-04T12:00:00Z --run-id b >/dev/null
	lh-distill run --root r --now 2026-05-04T12:00:00Z --run-id a >/dev/null
	lh-distill run --root r --now 2026-05-02T12:00:00Z --run-id c >/dev/null
	[ "$(drift .prior_run_id c)" = '"b"' ]
	lh-distill run --root r --now 2026-05-02T12:00:00Z --run-id b >/dev/null
	[ "$(drift .prior_run_id b)" = '"a"' ]
}

@test "drift: a stored summary that is not one is skipped and reported" {
	distilled 20
	for id in b c; do
		mkdir "r/reports/distillation/$id"
	done
	echo '{"schema_version":1' >r/reports/distillation/b/summary.json
	jq -c 'del(.stages)' r/reports/distillation/a/summary.json >r/reports/distillation/c/summary.json
	run -0 --separate-stderr distil --run-id d
	[ "$(drift .prior_run_id d)" = '"a"' ]
	[[ $stderr == *"passed over: r/reports/distillation/b/summary.json: "* ]]
	[[ $stderr == *"passed over: r/reports/distillation/c/summary.json: stages: missing"* ]]
}

# ---- health ----

@test "health: evidence that is as its sources are is 0, with a line for each source" {
	distilled 240
	lh-distill health --all --root r >out
	[ "$(wc -l <out)" = 12 ]
	[ "$(jq -s 'map(.rows) | add' out)" = "$(cat r/data/evidence/*/*/*/*.jsonl | wc -l)" ]
	[ "$(jq -sc 'map([.rows == .checked, .rows == .scored, .mismatched, .missing]) | unique' out)" = '[[true,true,0,0]]' ]
	[ "$(jq -r .source out | sort)" = "$(basename -as .jsonl r/data/_kb/*.jsonl | sort)" ]
}

@test "health: a row is scoreable when the rules decide it without a person" {
	distilled 600
	lh-distill health --root r | jq -r '"\(.source) \(.scoreable)"' | sort >said
	for file in r/data/scored-runs/2026/05/03/*.jsonl; do
		echo "$(basename "$file" .jsonl) $(grep -vc '"category":"needs_human_review"' "$file")"
	done | sort >counted
	diff counted said
}

@test "health: the sample is the first 30 / n rows of each of n sources, rounded up" {
	distilled 480
	[ "$(lh-distill health --root r | jq -sc 'map(.checked) | unique')" = '[3]' ]
	cd r/data/_kb
	ls | grep -v '^audits\|^outcomes\|^auto_apply\|^scrum_reviews' | xargs rm
	cd ../../..
	rm -r r/data/evidence r/data/scored-runs
	distil >/dev/null
	[ "$(lh-distill health --root r | jq -sc 'map(.checked) | unique')" = '[0,8]' ]
	echo '{}' >>r/data/_kb/audits.jsonl		# the first eight of each are as they were
	sed -i '9s/^{/{"x":1,/' r/data/_kb/outcomes.jsonl
	lh-distill health --root r >/dev/null
	sed -i '8s/^{/{"x":1,/' r/data/_kb/outcomes.jsonl
	run -1 lh-distill health --root r
}

@test "health: a source line that was changed is a mismatch, and reported" {
	distilled 240
	at=$(wc -l <r/data/_kb/audits.jsonl)
	sed -i '$s/^{/{"x":1,/' r/data/_kb/audits.jsonl
	run -1 --separate-stderr lh-distill health --all --root r
	[ "$(line audits <<<"$output" | jq -c '.[2:]')" = '[1,0]' ]
	[ "${stderr_lines[0]}" = "lh-distill: data/evidence/2026/05/03/audits.jsonl:$at: data/_kb/audits.jsonl:$at: its hash is not the one in the evidence" ]
	[[ ${stderr_lines[1]} == "lh-distill: data/_kb/audits.jsonl: was changed: "* ]]
}

@test "health: a change that means nothing in JSON is not a mismatch" {
	distilled 60
	for file in r/data/_kb/*.jsonl; do
		jq -c 'to_entries | reverse | from_entries' "$file" | sed 's/^/ /; s/$/\r/' >new
		{ printf '\xef\xbb\xbf'; cat new; } >"$file"
	done
	run -1 --separate-stderr lh-distill health --all --root r	# the bytes are others
	[ "$(jq -s 'map(.checked) | add' <<<"$output")" = 60 ]
	[ "$(jq -s 'map(.mismatched) | add' <<<"$output")" = 0 ]
	[[ ${stderr_lines[0]} == *": was "* ]]
}

@test "health: a source line that is missing, or blank, is a mismatch" {
	distilled 240
	n=$(wc -l <r/data/_kb/outcomes.jsonl)
	sed -i '2s/.*/ /; $d' r/data/_kb/outcomes.jsonl
	rm r/data/_kb/auto_apply.jsonl
	run -1 --separate-stderr lh-distill health --all --root r
	[ "$(line outcomes <<<"$output")" = "[$n,$n,2,2]" ]
	[ "$(line auto_apply <<<"$output" | jq -c '.[0] > 0 and .[0] == .[2] and .[0] == .[3]')" = true ]
}

@test "health: a source line that has no hash is a mismatch" {
	distilled 60
	sed -i '1s/.*/{"a":1,"a":2}/' r/data/_kb/outcomes.jsonl
	sed -i '1s/.*/{"a":1e400}/' r/data/_kb/scrum_reviews.jsonl
	run -1 --separate-stderr lh-distill health --all --root r
	[ "$(line outcomes <<<"$output" | jq -c '.[2:]')" = '[1,0]' ]
	[ "$(line scrum_reviews <<<"$output" | jq -c '.[2:]')" = '[1,0]' ]
}

@test "health: evidence that is not evidence, or names another source, is a mismatch also beyond the sample" {
	distilled 200
	n=$(wc -l <r/data/evidence/2026/05/03/observer_reviews.jsonl)
	[ "$n" -gt 12 ]
	sed -i '9s/.*/{}/; 10s/.*/no json/; 11s,data/_kb/observer_reviews,data/_kb/audits,; 12s,data/_kb/observer_reviews.jsonl,../../etc/passwd,' \
		r/data/evidence/2026/05/03/observer_reviews.jsonl
	run -1 --separate-stderr lh-distill health --root r
	[ "$(line observer_reviews <<<"$output")" = "[$n,7,4,0]" ]
}

@test "health: evidence of no source that there is, is bad" {
	distilled 60
	cp r/data/evidence/2026/05/03/audits.jsonl r/data/evidence/2026/05/03/others.jsonl
	run -1 --separate-stderr lh-distill health --all --root r
	[[ $stderr == *"data/evidence/2026/05/03/others.jsonl: evidence of no source that there is"* ]]
}

@test "health: messages are capped, counts are not" {
	distilled 900
	rm r/data/_kb/outcomes.jsonl
	n=$(wc -l <r/data/evidence/2026/05/03/outcomes.jsonl)
	[ "$n" -gt 21 ]
	run -1 --separate-stderr lh-distill health --all --root r
	[ "$(line outcomes <<<"$output" | jq '.[3]')" = "$n" ]
	[ "$(grep -c evidence/ <<<"$stderr")" = 20 ]
	[[ ${stderr_lines[20]} == *"further messages suppressed"* ]]
	[[ $stderr == *"data/_kb/outcomes.jsonl: is gone: "* ]]
	run -1 --separate-stderr lh-distill health --all --root r -v
	[ "$(grep -c evidence/ <<<"$stderr")" = "$n" ]
}

@test "health: rows of many days are found in one pass" {
	for day in 1 2 3; do
		lh-gen kb -n $((day * 60)) --root r
		lh-distill run --root r --now 2026-05-0${day}T12:00:00Z >/dev/null
	done
	[ "$(find r/data/evidence -name audits.jsonl | wc -l)" -gt 1 ]
	lh-distill health --all --root r >out
	[ "$(jq -s 'map(.checked) | add' out)" = 180 ]
}

# ---- receipts ----

@test "receipts: the newest run's, in the order of the stages, its summary last" {
	root 30
	lh-distill run --root r --now 2026-05-04T12:00:00Z --run-id b >sum
	lh-distill run --root r --now 2026-05-03T12:00:00Z --run-id c >/dev/null
	lh-distill receipts --root r >out
	diff <(jq -r '.stage // "summary"' out) <(printf '%s\n' "${STAGES[@]}" summary)
	cmp <(tail -n 1 out) sum
	[ "$(jq -r .run_id out | sort -u)" = b ]
	cmp <(head -n 1 out) r/reports/distillation/b/collect.json
}

@test "receipts: of the run that is named" {
	distilled 30
	distil --run-id b >/dev/null
	[ "$(LH_DISTILL_ROOT=r lh-distill receipts --run-id a | jq -r .run_id | sort -u)" = a ]
}

@test "receipts: a stage that ran alone is a run too" {
	root 30
	lh-materialize --root r --now 2026-05-05T12:00:00Z --run-id alone >/dev/null
	distil --run-id a >/dev/null
	[ "$(lh-distill receipts --root r | jq -c '[.run_id, .stage]')" = '["alone","collect"]' ]
}

@test "receipts: a report on many lines comes out on one" {
	root 30
	distil --run-id a >sum
	jq . sum >r/reports/distillation/a/summary.json
	lh-distill receipts --root r >out
	[ "$(wc -l <out)" = 6 ]
	[ "$(tail -n 1 out | jq -c .)" = "$(cat sum)" ]
}

@test "receipts: an unknown id is exit 2, and so is a root that has no run" {
	root 30
	run --separate-stderr -2 lh-distill receipts --root r
	[ "$stderr" = "lh-distill: r/reports/distillation: no run yet" ]
	distil --run-id a >/dev/null
	run --separate-stderr -2 lh-distill receipts --root r --run-id b
	[ "$stderr" = "lh-distill: b: no such run in r/reports/distillation" ]
	[ -z "$output" ]
}

@test "receipts: a report that is not one is exit 2 and named" {
	distilled 30
	echo '{}' >r/reports/distillation/a/score.json
	run --separate-stderr -2 lh-distill receipts --root r
	[[ $stderr == "lh-distill: r/reports/distillation/a/score.json: "*missing* ]]
}

# ---- acceptance ----

@test "acceptance: the time is one for all runs, and of no account to what must hold" {
	lh-distill acceptance --recorded-at 2001-02-03T04:05:06Z | jq -c 'del(.expected, .actual)' >one
	lh-distill acceptance --now 2026-05-03T12:00:00Z -j1 | jq -c 'del(.expected, .actual)' >two
	cmp one two
}

@test "acceptance: the folders it makes are gone, also after a signal" {
	mkdir tmp
	export TMPDIR=$PWD/tmp
	lh-distill acceptance >/dev/null
	[ "$(ls -A tmp)" = "" ]
	for after in 0.005 0.02 0.05; do
		(hears_int timeout -s INT $after lh-distill acceptance >out) || true
		[ "$(ls -A tmp)" = "" ]
	done
	run -2 lh-distill acceptance --fixture tmp
	[ "$(ls -A tmp)" = "" ]
	export TMPDIR=$PWD/absent
	run --separate-stderr -2 lh-distill acceptance
	[[ $stderr == *"$PWD/absent/lh-distill-"*"No such file"* ]]
}

# ---- usage, faults ----

@test "what is wrong on the command line is exit 2, and nothing is written" {
	root 12
	cp -r r before
	while read -r args; do
		run --separate-stderr -2 lh-distill $args --root r
		[ "$(wc -l <<<"$stderr")" = 1 ]
	done <<-'END'
		run --run-id ../a
		run --run-id .a
		run r
		health --run-id a
		receipts --all
		acceptance
	END
	diff -r before r
}

@test "a root that is not there, or no folder, is exit 2" {
	touch file
	for verb in run health receipts; do
		run --separate-stderr -2 lh-distill $verb --root absent
		[[ $stderr == "lh-distill: absent: "* ]]
		run --separate-stderr -2 lh-distill $verb --root file
		[[ $stderr == "lh-distill: file: "* ]]
	done
}

@test "a reports folder that cannot be written to is exit 2" {
	root 12
	touch r/reports
	run --separate-stderr -2 distil
	[[ $stderr == *r/reports* ]]
}

@test "a run without sources says so, and ends with 1" {
	mkdir -p none/data/_kb
	run -1 --separate-stderr lh-distill run -q --root none
	[ "$stderr" = 'lh-distill: none: none of the twelve sources is in data/_kb' ]
	[ "$(jq .total_records_in <<<"$output")" = 0 ]
	: >none/data/_kb/audits.jsonl
	run -0 --separate-stderr lh-distill run -q --root none
	[ -z "$stderr" ]
}
