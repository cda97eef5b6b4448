# lh-audit-full in parts: what the parts and their merge print, write and end with is
# what the audit as a whole does, on roots that are sound and on damaged ones; and
# what is not all parts of one audit is refused.
load ../helper

NOW=2026-05-03T12:00:00.000Z

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$ROOT/bin}:$PATH
	lh-gen kb -n 300 --root sound
	lh-distill run -q --root sound --now "$NOW" --run-id run1 >/dev/null
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_DISTILL_ROOT "${!SLURM_@}"
	export LH_NOW=$NOW
	cp -r "$BATS_FILE_TMPDIR/sound" r
}

# parts N [ROOT] - into parts/0 to parts/N-1.
parts() {
	local i
	rm -rf parts
	mkdir parts
	for ((i = 0; i < $1; i++)); do
		lh-audit-full --root "${2:-r}" --shard "$i/$1" --part "parts/$i" >>parts.out 2>>parts.err
	done
	[ ! -s parts.out ] && [ ! -s parts.err ]
}

# merge [OPTION]... - of all parts, into lines and err, with its status in $merged.
merge() {
	merged=0
	lh-audit-full merge --root r --out report.md --html report.html "$@" parts/* >lines 2>err || merged=$?
}

# tree DIR - what is in it, FIFOs and links included.
tree() {
	(cd "$1" && find . -printf '%P %y %l\n' && find . -type f -exec sha256sum {} +) | LC_ALL=C sort
}

# same DIR DIR
same() {
	diff <(tree "$1") <(tree "$2")
}

# equal NUMBERS [OPTION]... - so many parts of r and their merge are the audit of r with
# these options: lines, messages, status, report, page, and what is left of r.
equal() {
	local n file status=0 numbers=$1
	shift
	rm -rf whole
	mkdir whole
	cp -r r whole/before
	lh-audit-full --root r --out report.md --html report.html "$@" >lines 2>err || status=$?
	mv lines err report.md report.html r whole
	for n in $numbers; do
		rm -rf r report.md report.html
		cp -r whole/before r
		parts "$n" || { cat parts.err; return 1; }
		same whole/before r
		merge "$@"
		[ "$merged" = "$status" ] || { echo "exit $merged, not $status"; cat err whole/err; return 1; }
		for file in lines err report.md report.html; do
			cmp $file whole/$file || { diff whole/$file $file; return 1; }
		done
		same whole/r r
	done
}

@test "a sound root in 1, 2, 3 and 8 parts" {
	equal "1 2 3 8" --observer
	[ "$(tail -n 1 lines | jq -c '[.required_passed, .metrics.p2_evidence_rows]')" = '[12,300]' ]
	equal "1 3" --observer --json --append-baseline
	equal 2 --phase 2 --phase 4 --append-baseline
	equal 3
	[ "$(tail -n 1 lines | jq -c '[.required_passed, .checks_total]')" = '[16,22]' ]
}

@test "the acceptance fixture, an empty root, and one of dirty rows" {
	cp -r "$ROOT/share/fixtures/distillation/acceptance" fixture
	lh-distill run -q --root fixture --run-id a >out || [ $? = 1 ]
	lh-gen kb -n 400 --dirty --seed 7 --root dirty
	lh-distill run -q --root dirty --run-id a >out || [ $? = 1 ]
	mkdir empty
	for root in fixture dirty empty; do
		rm -rf r
		mv $root r
		equal "1 2 3 8" --observer
		[ $root != dirty ] || [ "$(tail -n 1 lines | jq '.metrics.p2_evidence_skips > 0')" = true ]
	done
}

RAG=r/exports/rag/playbooks.jsonl
SFT=r/exports/sft/instruction_response.jsonl
PAIRS=r/exports/preference/chosen_rejected.jsonl
EVIDENCE=r/data/evidence/2026/05/03/scrum_reviews.jsonl
SCORED=r/data/scored-runs/2026/05/03/scrum_reviews.jsonl
REPORTS=r/reports/distillation/run1

# plant FILE FILTER [N] - change its row N (default: the last) by jq.
plant() {
	local n=${3:-$(wc -l <"$1")}
	{ head -n $((n - 1)) "$1"; sed -n "${n}p" "$1" | jq -c "$2"; tail -n +$((n + 1)) "$1"; } >planted
	mv planted "$1"
}

# plant_all FILE FILTER - change every row.
plant_all() {
	jq -c "$2" "$1" >planted
	mv planted "$1"
}

# a_fifo FILE, a_folder FILE, a_link FILE - in its place.
a_fifo() { rm -rf "$1"; mkfifo "$1"; }
a_folder() { rm -rf "$1"; mkdir "$1"; }
a_link() { mv "$1" aside; ln -s "$PWD/aside" "$1"; }

# Damage of each kind: what the check says depends on rows, files or both.
tamperings() {
	cat <<-'END'
	echo '{"torn' >>$EVIDENCE
	sed -i 3s/^./x/ $EVIDENCE
	sed -i '2s/^/[/;7s/$/}/;$s/"/\xff/' $EVIDENCE
	sed -i '1s/"/\xff/;5s/:/::/' r/data/evidence/2026/05/03/*.jsonl
	printf '{"a":1,"%0199dé":1,"%0199dé":2}\n' 0 0 >>$EVIDENCE; printf '{"%0301dé":1,"%0301dé":2}\n' 0 0 >>$RAG
	printf '{}' >>r/data/_kb/distillation_skips.jsonl; printf '{' >>r/data/_kb/distillation_skips.jsonl
	rm -r r/data/evidence
	rm r/data/evidence/2026/05/03/{distilled_facts,scrum_reviews}.jsonl
	printf '\xef\xbb\xbf' | cat - $EVIDENCE >x; sed 's/$/\r/' x >$EVIDENCE; printf '\n  \n\r\n[1]\r\n' >>$EVIDENCE
	a_fifo $EVIDENCE; echo 5 >>r/data/evidence/2026/05/03/audits.jsonl; echo 5 >r/data/_kb/distillation_skips.jsonl
	a_folder r/data/_kb/distillation_skips.jsonl
	a_link r/data/evidence/2026/05/03/audits.jsonl; echo '"' >>$EVIDENCE
	mkdir r/data/evidence/$'\xff'
	mkdir -p r/data/evidence/2026/05/$'0\e[31m'; printf '{"\e\n' >r/data/evidence/2026/05/$'0\e[31m'/audits.jsonl
	rm -r r/data/scored-runs
	plant $SCORED '.category = "good"' 4; plant $SCORED 'del(.category)' 2; plant $SCORED '.category = 3'
	plant_all $SCORED '.category = "rejected"'
	echo null >>$SCORED; a_fifo r/data/scored-runs/2026/05/03/audits.jsonl
	plant $RAG '.source_category = "rejected"'; plant $SFT '.quality_score = "rejected"'; plant $PAIRS '.chosen = .rejected | .chosen_run_id = .rejected_run_id'
	plant $SFT '.id = "sft-0000000000000000" | .quality_score = "rejected"' 3; tail -n 1 $SFT >>$SFT
	plant $RAG '.success_score = "rejected"' 1; plant $RAG 'del(.success_score, .source_category)' 2
	plant $PAIRS '.rejected_run_id = .chosen_run_id'
	plant $PAIRS '.rejected = .chosen' 2; plant $PAIRS '.rejected = 1' 1
	plant $RAG 'del(.provenance)' 2
	plant $SFT '.provenance.sig_hash |= ascii_upcase' 5; plant $PAIRS '.provenance.sig_hash = 7'; plant $RAG '.provenance = "sig_hash"' 4
	plant $RAG '{sig_hash: ("0" * 64), x: .provenance.sig_hash} + del(.provenance)'
	plant_all $RAG 'del(.provenance)'; plant_all $SFT '.quality_score = "bad"'
	plant_all $RAG '.provenance.sig_hash = ("0" * 64)'; plant $RAG '.success_score = "rejected"' 9
	: >$RAG; rm $SFT; a_folder $PAIRS
	a_fifo $RAG; echo '[' >>$SFT
	rm -r r/exports
	rm -r r/exports/quarantine
	echo '{' >>r/exports/quarantine/sft.jsonl; echo '{' >>r/exports/quarantine/rag.jsonl
	a_link r/exports/quarantine/sft.jsonl; echo '}' >>r/exports/quarantine/preference.jsonl
	rm $REPORTS/export-rag.json
	jq '.duration_ms = "long"' $REPORTS/score.json >x; mv x $REPORTS/score.json
	jq '.run_hash |= ascii_upcase | .schema_version = 2' $REPORTS/summary.json >x; mv x $REPORTS/summary.json
	rm $REPORTS/drift.json
	rm -r r/reports
	rm r/docs/recon/local-distillation-recon.md r/data/_kb/{audit_facts,scrum_reviews}.jsonl
	echo '{"torn' >>r/data/_kb/replay_runs.jsonl
	echo '{"torn' >>r/data/_kb/audit_baselines.jsonl
	echo '{"metrics":{"p3_accepted":1,"p4_rag_rows":"x"}}' >>r/data/_kb/audit_baselines.jsonl
	END
}

# bats test_tags=plain-only
@test "each tampering is found by 1, 2, 3 and 8 parts as by an audit of the whole" {
	lh-audit-full --root r --out report.md --observer >sound
	tamperings >table
	[ "$(wc -l <table)" -ge 40 ]
	while read -r -u 7 tampering; do
		rm -rf r aside
		cp -r "$BATS_FILE_TMPDIR/sound" r
		eval "$tampering"
		equal "$(scale "1 3 8" "1 2 3 8 64")" --observer || { echo "$tampering"; return 1; }
		not cmp -s lines sound || [ -s err ] || { echo "not found: $tampering"; return 1; }
	done 7<table
}

@test "a live audit of a tampered root" {
	plant $RAG '.source_category = "rejected"' 3
	echo '{"torn' >>$EVIDENCE
	rm r/data/_kb/audits.jsonl
	mkfifo r/data/_kb/audits.jsonl
	equal 3
	[ "$(jq -r 'select(.passed == false and .required).name' lines)" = "materializer dry run completes
no rejected rag row
receipts valid" ]
}

@test "the first faulty row is the first of all, whichever part has it" {
	for n in 40 30 20 10; do
		plant $RAG '.success_score = "rejected"' $n
		equal "8" --observer --phase 4
		[ "$(jq -r 'select(.name == "no rejected rag row") | .actual + " " + .notes' lines)" = "$((5 - n / 10)) ${RAG#r/}:$n: success_score or source_category is rejected, or neither is there" ]
	done
	a_fifo $EVIDENCE
	echo 5 >>r/data/evidence/2026/05/03/audits.jsonl
	echo 5 >>r/data/_kb/distillation_skips.jsonl
	equal "2 8" --observer --phase 2
	[ "$(jq -r 'select(.phase == 2) | .notes' lines | head -n 1)" = "data/evidence/2026/05/03/audits.jsonl:$(wc -l <r/data/evidence/2026/05/03/audits.jsonl): not a JSON object; 2 such rows" ]
}

@test "a text after a file that cannot be read is not glued to it" {
	a_fifo $EVIDENCE
	echo 5 >r/data/_kb/distillation_skips.jsonl
	equal "1 4" --observer --phase 2
	[ "$(jq -r 'select(.phase == 2) | .notes' lines | head -n 1)" = "${EVIDENCE#r/}: is a FIFO, not a regular file" ]
}

@test "every row is in one part, and rows with one sig_hash are in the same" {
	parts 8
	jq -s -e 'map(.counts) | (map(.evidence) | add) == 300 and (map(.evidence) | min) > 0' parts/*
	jq -s -e 'all(.counts | .evidence == .accepted + .partially_accepted + .rejected + .needs_human_review)' parts/*
	jq -s -e '(map(.shard) == [range(8)]) and all(.shards == 8 and .run_id == "run1" and .version and .schema == "audit_part.v1")' parts/*
	jq -s -e 'map(.files) | unique | length == 1' parts/*
	alike <(jq -r '.files[] | "\(.path) \(.bytes)"' parts/0 | LC_ALL=C sort) \
		<(cd r && find data/evidence data/scored-runs exports data/_kb/distillation_skips.jsonl -name '*.jsonl' -printf '%p %s\n' 2>find.err | LC_ALL=C sort)
	# a line that is none, and a row with white space in it
	sed -i 's/"sig_hash":"/"sig_hash" : "/' $SCORED
	cp parts/0 kept
	parts 8
	jq -s -e 'all(.counts | .evidence == .accepted + .partially_accepted + .rejected + .needs_human_review)' parts/*
	not cmp -s parts/0 kept
}

@test "a part is the same bytes however it is made, and nothing else is written or printed" {
	parts 3
	cp -r r before
	lh-audit-full --root r --shard 1/3 --part again -j 1 --now 2020-01-01T00:00:00Z >out 2>err
	cmp again parts/1
	(cd r && lh-audit-full --shard 1/3 --part ../again)
	cmp again parts/1
	SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=2 SLURM_ARRAY_TASK_COUNT=3 \
		lh-audit-full -q --root r --part slurm
	cmp slurm parts/1
	lh-audit-full --root r --part all
	lh-audit-full --root r --shard 0/1 --part one
	cmp all one
	for i in {1..8}; do
		lh-audit-full --root r --shard 1/3 --part together 2>err.$i &
		pids[i]=$!
	done
	for i in {1..8}; do wait "${pids[i]}"; done
	cmp together parts/1
	diff -r r before
	[ ! -s out ] && [ ! -s err ] && [ -z "$(cat err.*)" ]
	no_litter
	SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_COUNT=3 \
		run -2 --separate-stderr lh-audit-full --root r --part slurm
	[[ $stderr == *"give --shard I/N" ]]
	# an audit of the whole in a task of an array is one
	SLURM_ARRAY_TASK_ID=1 lh-audit-full --root r --out report.md --observer >lines
	[ "$(wc -l <lines)" = 23 ]
}

@test "in a task of a job array, an audit and a merge are of the whole root" {
	lh-audit-full --root r >want
	parts 3
	for task in '3 3 3 1' '0 0 7 8' '5 0 7 8'; do
		# shellcheck disable=SC2086
		set -- $task
		export SLURM_ARRAY_TASK_ID=$1 SLURM_ARRAY_TASK_MIN=$2 SLURM_ARRAY_TASK_MAX=$3 SLURM_ARRAY_TASK_COUNT=$4
		lh-audit-full --root r | cmp want -
		merge
		[ "$merged" = 0 ]
		cmp want lines
		# what the user typed sees the task
		lh-audit-full -q --root r --phase 1 --test-command "[ \$SLURM_ARRAY_TASK_ID = $1 ]"
	done
}

@test "one of the parts may be standard input" {
	parts 3
	merge
	cp lines want
	lh-audit-full merge --root r parts/2 - parts/1 <parts/0 | cmp want -
	lh-audit-full merge --root r parts/2 - parts/1 < <(cat parts/0) | cmp want -
	run -2 --separate-stderr lh-audit-full merge --root r - - parts/1 <parts/0
	[ "$stderr" = 'lh-audit-full: standard input can be one operand only' ]
	run -2 --separate-stderr lh-audit-full merge --root r - </dev/null
	[ "$stderr" = 'lh-audit-full: -: not a part of an audit, or torn' ]
}

# refused MESSAGE FILE... - exit 2 with that, nothing printed, r and the folder as they were.
refused() {
	local want=$1
	shift
	rm -rf before
	cp -r r before
	run --separate-stderr lh-audit-full merge --root r --observer --append-baseline "$@"
	[ "$status" = 2 ] && [ -z "$output" ] && [ "$stderr" = "lh-audit-full: $want" ] ||
		{ echo "$*: exit $status, $output, $stderr"; return 1; }
	diff -r before r
}

@test "a part that is missing, twice, of another number, run or root is refused by name" {
	parts 3
	mv parts three
	parts 2
	mv parts two
	refused "part 1/3 is missing" three/0 three/2
	refused "part 0/3 is missing" three/2
	refused "three/0: part 0/3, as three/0" three/0 three/1 three/0 three/2
	cp three/2 copy
	refused "copy: part 2/3, as three/2" three/0 three/1 three/2 copy
	refused "two/1: part 1/2, but three/0 is of 3" three/0 two/1 three/2
	refused "absent: No such file or directory" three/0 absent
	refused "three: is a directory, not a regular file" three
	run -2 --separate-stderr lh-audit-full merge --root r
	[[ $stderr == *"missing operand"* ]]

	cp -r r other
	sed -i 3s/a/e/ "other/${RAG#r/}"
	parts 3 other
	refused "parts/1: of another state of the root than three/0: ${RAG#r/}" three/0 parts/1 three/2
	refused "r: has changed since the parts were made: ${RAG#r/}" parts/*
	rm -r other
	cp -r r other
	mv other/reports/distillation/run1 other/reports/distillation/run2
	parts 3 other
	refused "parts/2: of run run2, but three/0 is of run run1" three/0 three/1 parts/2
	refused "r: has changed since the parts were made: they are of run run2, its newest is run1" parts/*
	rm -r other/reports
	parts 3 other
	refused "parts/2: of run (none), but three/0 is of run run1" three/0 three/1 parts/2
}

@test "a root that changed after the parts is refused, whatever changed" {
	parts 3
	while read -r -u 7 change; do
		rm -rf r
		cp -r "$BATS_FILE_TMPDIR/sound" r
		eval "$change"
		run -2 --separate-stderr lh-audit-full merge --root r --observer --out report.md parts/*
		[[ -z $output && $stderr == "lh-audit-full: r: has changed since the parts were made: "* ]] || { echo "$change: $stderr"; return 1; }
		[ ! -e report.md ]
	done 7<<-'END'
		echo '{}' >>$EVIDENCE
		echo >>$EVIDENCE
		truncate -s -1 $SCORED
		rm $RAG
		a_fifo $RAG
		: >$PAIRS
		tac $SFT >x; mv x $SFT
		sed -i 's/accepted/rejected/' $SFT
		echo '{}' >>r/data/_kb/distillation_skips.jsonl
		cp $EVIDENCE r/data/evidence/2026/05/03/zz.jsonl
		mv $EVIDENCE r/data/evidence/2026/05/03/zz.jsonl
		mkdir r/data/evidence/a.jsonl; mkfifo r/data/evidence/b.jsonl
		echo '{}' >r/exports/quarantine/preference.jsonl
		lh-distill run -q --root r --run-id later --now 2026-06-01T00:00:00Z >out
	END
}

# sealed FILTER FILE - the part changed by jq, under a checksum of its own.
sealed() {
	local text
	text=$(jq -c "del(.checksum) | $1" "$2")
	text=${text%\}}
	printf '%s,"checksum":"%s"}\n' "$text" "$(printf %s "$text" | sha256sum | cut -c 1-64)"
}

@test "a part that is torn or was edited by hand is refused" {
	parts 3
	size=$(stat -c %s parts/1)
	torn='torn, changed, or not a part of an audit: its checksum is not that of its bytes'
	for keep in 0 1 50 $((size / 2)) $((size - 70)) $((size - 2)) $((size - 1)); do
		head -c "$keep" parts/1 >bad
		run -2 --separate-stderr lh-audit-full merge --root r --observer parts/0 bad parts/2
		[[ -z $output && $stderr == "lh-audit-full: bad: "*torn* ]]
	done
	sed 's/"evidence":\([0-9]*\)/"evidence":1\1/' parts/1 >bad
	not cmp -s bad parts/1
	refused "bad: $torn" parts/0 bad parts/2
	tr a b <parts/1 >bad
	refused "bad: $torn" parts/0 bad parts/2
	{ cat parts/1; echo; } >bad
	refused "bad: $torn" parts/0 bad parts/2
	cat parts/1 parts/1 >bad
	refused "bad: $torn" parts/0 bad parts/2
	refused "$EVIDENCE: $torn" $EVIDENCE
}

@test "a part of another version or with members that cannot be is refused, also with its checksum" {
	parts 2
	sealed . parts/1 >good
	cmp good parts/1
	while IFS='|' read -r -u 7 want filter; do
		sealed "$filter" parts/1 >bad
		refused "bad: $want" parts/0 bad
	done 7<<-'END'
		made by version 9.9, this is 0.1.0|.version = "9.9"
		not a part of an audit: another schema|.schema = "audit_part.v2"
		"shard" must be below "shards"|.shard = 2
		"shards" must be a whole number from 1 to 65536|.shards = 1e9
		"shard" must be a whole number from 0 to 65535|.shard = -1
		missing counts.rag (whole number from 0 to 1000000000000000)|del(.counts.rag)
		counts.rag must be a whole number from 0 to 1000000000000000|.counts.rag = 1e18
		found[0].finding must be "evidence", "scored", "sft", "rag", "self_pair", "same_text", "provenance" or "quarantine", not "x"|.found = [{finding: "x", rows: 1}]
		finding "rag" twice|.found = [{finding: "rag", rows: 1}, {finding: "rag", rows: 1}]
		finding "rag" is in no file of the list|.found = [{finding: "rag", rows: 1, file: 9999, line: 1, text: ""}]
		a text64 is not base64 of a text|.found = [{finding: "rag", rows: 1, file: 0, line: 1, text64: "AAAA"}]
		a text64 is not base64 of a text|.found = [{finding: "rag", rows: 1, file: 0, line: 1, text64: "?"}]
		a digest is not of 16 hex digits|.files[0].digest = "x"
		a digest is not of 16 hex digits|.files[0].digest = "-000000000000000"
		unknown member "x" in files[0]|.files[0].x = 1
		missing "files" (array of objects)|del(.files)
	END
	sealed '.files |= reverse' parts/1 >bad
	run -2 --separate-stderr lh-audit-full merge --root r --observer parts/0 bad
	[[ $stderr == "lh-audit-full: bad: of another state of the root than parts/0: "* ]]
}

@test "options that shape an audit are refused with --part, and --shard without it" {
	for option in '--out x' '--html x' '--bundle x' --json --append-baseline --fail-on-drift --observer '--phase 2' \
		'--test-command true' '--samples x' '--acceptance-fixture x' '--replay-command true'; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr lh-audit-full --root r --shard 0/2 --part p $option
		[ "$stderr" = "lh-audit-full: ${option%% *} is for \"lh-audit-full merge\", not with --part" ]
	done
	run -2 --separate-stderr lh-audit-full --root r --shard 0/2
	[ "$stderr" = "lh-audit-full: --shard needs --part FILE" ]
	for bad in 2/2 -1/2 1 x/2 1/0 1/65537; do
		run -2 --separate-stderr lh-audit-full --root r --shard $bad --part p
		[[ $stderr == "lh-audit-full: --shard"* ]]
	done
	run -2 --separate-stderr lh-audit-full --root r --shard 0/2 --part r/data/_kb/audit_baselines.jsonl
	[[ $stderr == *"--part: "*" is the file of baselines" ]]
	run -2 --separate-stderr lh-audit-full --root absent --shard 0/2 --part p
	[ ! -e p ]
	[ ! -e r/data/_kb/audit_baselines.jsonl ]
}

@test "parts are made while an audit holds the root; a merge waits for none" {
	lh-audit-full --root r --out report.md --phase 7 --replay-command "until [ -e '$PWD/go' ]; do sleep 0.05; done; false" >out 2>err 3>&- &
	until_so is_locked r/.lh-lock
	parts 2
	run -2 --separate-stderr lh-audit-full merge --root r --observer --out x parts/*
	[[ $stderr == "lh-audit-full: r: another audit or run is at work there" ]]
	touch go
	wait %1 || true
	merge --observer
	[ "$merged" = 0 ]
}

@test "a closed pipe as stdout is exit 0, a full disk exit 2, and the report is written" {
	parts 2
	status=0
	{ lh-audit-full merge --observer --root r --out report.md parts/* 2>err || echo $? >status; } | true
	[ ! -s err ] && [ ! -e status ] && [ -s report.md ]
	rm report.md
	run -2 bash -c 'lh-audit-full merge --observer --root r --out report.md parts/* 2>&1 >/dev/full'
	[ "$output" = "lh-audit-full: stdout: write failed: No space left on device" ]
	[ -s report.md ]
	run -2 --separate-stderr lh-audit-full --root r --shard 0/2 --part /dev/full
	[[ $stderr == "lh-audit-full: /dev/full"* ]]
	run -2 --separate-stderr lh-audit-full --root r --shard 0/2 --part absent/p
	[[ $stderr == "lh-audit-full: absent/"* ]]
}

@test "a part killed or failing at any write, fsync or rename is the old one, the new one or none, and made again is whole" {
	needs_strace
	parts 3
	for how in signal=KILL error=ENOSPC error=EIO; do
		for call in write fsync rename; do
			for old in none torn; do
				rm -f p
				[ $old = none ] || echo '{"torn' >p
				rc=0
				inject "$call:$how:when=1" lh-audit-full --force --root r --shard 1/3 --part p 2>err || rc=$?
				injected || break
				[ "$rc" != 0 ] || [ $call = fsync ] || { echo "$how $call: exit 0"; return 1; }
				[ ! -e p ] || cmp -s p parts/1 || [ "$(cat p)" = '{"torn' ]
				lh-audit-full --force --root r --shard 1/3 --part p
				cmp p parts/1
				no_litter
			done
		done
	done
}

@test "memory that runs out anywhere in a part or a merge is reported and leaves nothing" {
	asan_only
	echo '{"torn' >>$EVIDENCE
	parts 2
	for ((n = 1; n < 2000; n += n < 60 ? $(scale 3 1) : n / 10)); do
		rc=0
		LH_FAULT_ALLOC=$n lh-audit-full --root r -j1 --shard 1/2 --part p >out 2>err || rc=$?
		[ "$rc" = 0 ] || { [ "$rc" = 2 ] && grep -q 'out of memory' err && [ ! -e p ]; } || { echo "$n: exit $rc"; cat out err; return 1; }
		[ "$rc" = 2 ] || cmp p parts/1
		rm -f p
		rc=0
		LH_FAULT_ALLOC=$n lh-audit-full merge --root r -j1 --observer --out report.md parts/* >out 2>err || rc=$?
		[ "$rc" = 1 ] || { [ "$rc" = 2 ] && grep -q 'out of memory' err; } || { echo "merge, $n: exit $rc"; cat out err; return 1; }
		no_litter
	done
}
