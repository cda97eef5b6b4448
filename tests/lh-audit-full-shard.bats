load helper

# lh-audit-full in parts: what the parts and their merge print, write and end with is
# what the audit as a whole does, on roots that are sound and on damaged ones; and
# what is not all parts of one audit is refused.

NOW=2026-05-03T12:00:00.000Z

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$BATS_TEST_DIRNAME/../bin}:$PATH
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

# equal N [OPTION]... - the parts of r and their merge are the audit with these options.
equal() {
	local n=$1 whole=0 merged=0
	shift
	rm -rf whole
	cp -r r before
	lh-audit-full --root r --out report.md --html report.html "$@" >lines 2>err || whole=$?
	mkdir whole
	mv lines err report.md report.html whole
	mv r whole
	mv before r
	parts "$n"
	diff -r r whole/r >changes || true
	[ -n "${ALLOW_CHANGES-}" ] || [ ! -s changes ]
	lh-audit-full merge --root r --out report.md --html report.html "$@" parts/* >lines 2>err || merged=$?
	[ "$merged" = "$whole" ] || { echo "exit $merged, not $whole"; cat err whole/err; return 1; }
	for file in lines err report.md report.html; do
		cmp $file whole/$file || { diff whole/$file $file; return 1; }
	done
	diff -r whole/r r
}

@test "a sound root in 1, 2, 3 and 8 parts" {
	for n in 1 2 3 8; do
		equal $n --observer
	done
	[ "$(tail -n 1 lines | jq -c '[.required_passed, .metrics.p2_evidence_rows]')" = '[12,300]' ]
	equal 3
}
