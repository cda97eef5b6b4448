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

@test "a sound root in 1 and 3 parts" {
	equal "1 3" --observer
	[ "$(tail -n 1 lines | jq -c '[.required_passed, .metrics.p2_evidence_rows]')" = '[12,300]' ]
	equal 3
	[ "$(tail -n 1 lines | jq -c '[.required_passed, .checks_total]')" = '[16,22]' ]
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

# a_fifo FILE, a_link FILE - in its place.
a_fifo() { rm -rf "$1"; mkfifo "$1"; }
a_link() { mv "$1" aside; ln -s "$PWD/aside" "$1"; }

# Damage of each kind: what the check says depends on rows, files or both.
tamperings() {
	cat <<-'END'
	rm -r r/data/evidence
	a_fifo $EVIDENCE; echo 5 >>r/data/evidence/2026/05/03/audits.jsonl; echo 5 >r/data/_kb/distillation_skips.jsonl
	plant $SCORED '.category = "good"' 4; plant $SCORED 'del(.category)' 2; plant $SCORED '.category = 3'
	plant $RAG '.source_category = "rejected"'; plant $SFT '.quality_score = "rejected"'; plant $PAIRS '.chosen = .rejected | .chosen_run_id = .rejected_run_id'
	plant $PAIRS '.rejected_run_id = .chosen_run_id'
	plant $RAG 'del(.provenance)' 2
	a_link r/exports/quarantine/sft.jsonl; echo '}' >>r/exports/quarantine/preference.jsonl
	rm $REPORTS/export-rag.json
	echo '{"torn' >>r/data/_kb/replay_runs.jsonl
	END
}

# bats test_tags=plain-only
@test "each tampering is found by 3 parts as by an audit of the whole" {
	lh-audit-full --root r --out report.md --observer >sound
	tamperings >table
	[ "$(wc -l <table)" = 9 ]
	while read -r -u 7 tampering; do
		rm -rf r aside
		cp -r "$BATS_FILE_TMPDIR/sound" r
		eval "$tampering"
		equal 3 --observer || { echo "$tampering"; return 1; }
		not cmp -s lines sound || [ -s err ] || { echo "not found: $tampering"; return 1; }
	done 7<table
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
		truncate -s -1 $SCORED
		rm $RAG
		mv $EVIDENCE r/data/evidence/2026/05/03/zz.jsonl
		lh-distill run -q --root r --run-id later --now 2026-06-01T00:00:00Z >out
	END
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
