# What is installed is what the plain build made, whichever build is tested.
# Plain only: it looks at the tree, the plain build or the tests.
# bats file_tags=plain-only
load ../helper

setup_file() {
	[ -z "${LH_ASAN:-}" ] || return 0
	export D=$BATS_FILE_TMPDIR/root P=/opt/lakehouse
	make -s -C "$ROOT" install DESTDIR="$D" PREFIX="$P" >"$BATS_FILE_TMPDIR/log" 2>&1
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "every tool and every page is installed, under DESTDIR and PREFIX only" {
	for tool in "$ROOT"/tools/*/; do
		[ -x "$D$P/bin/$(basename "$tool")" ]
	done
	for page in "$ROOT"/man/*.[157]; do
		[ -f "$D$P/share/man/man${page##*.}/$(basename "$page")" ]
		[ -s "$D$P/share/lakehouse-tools/pages/$(basename "${page%.*}").txt" ]
	done
	[ "$(ls "$D")" = opt ]
	[ "$(ls "$D/opt")" = lakehouse ]
}

@test "installed programs are stripped, those of bin/ are not" {
	[ -n "$(nm "$ROOT/bin/lh-cat")" ]
	for tool in "$D$P"/bin/*; do
		[ -z "$(nm "$tool" 2>/dev/null)" ]
	done
}

@test "an installed tool runs" {
	for tool in "$D$P"/bin/lh-*; do
		run -0 "$tool" --version
		[ "$output" = "$(basename "$tool") 0.1.0" ]
	done
}

# bats test_tags=full
@test "the probes are installed, and run without the source tree" {
	PATH=/usr/bin:/bin run patiently "$D$P/bin/lh-parity" all --out o
	[ "$status" = 0 ]
	[ "$(tail -n 1 o/SUMMARY.md)" = "**Tally:** 80/80" ]
}

@test "the library is no part of what is installed, and what it defines for others starts with lh_" {
	[ -z "$(find "$D" -name '*.[aoh]' -o -name '*.so' -o -name '*.so.*' -o -name '*.pc')" ]
	names=$(nm -g --defined-only "$ROOT/build/liblh.a" | awk 'NF == 3 && $2 !~ /[VWu]/ && $3 !~ /^_Z/ { print $3 }')	# but what is C++
	[ -n "$names" ]
	run -1 grep -v '^lh_' <<<"$names"
}

@test "the library writes to stderr and exits nowhere but in its frame, where memory is not to be had, and in a child that is not started yet" {
	cd "$ROOT/build/lib"
	objects=(*/*.o)
	[ ${#objects[@]} -gt 100 ]
	nm -A -u "${objects[@]}" | grep -vE '^[a-z]*/(tool|stderr|signal|mem|coproc)\.c\.o:' |
		awk '{ print $1, $NF }' >"$BATS_TEST_TMPDIR/used"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/used")" -gt 1000 ]
	run -1 grep -E ' (_?exit|abort|stderr|perror|warnx?|errx?|err_sys|__assert_fail)$' "$BATS_TEST_TMPDIR/used"
}

@test "programs are built with the flags of Debian's packages: PIE, RELRO, bound at start, checks of the stack and of copies" {
	for tool in "$LH_BIN"/lh*; do
		run -0 readelf -hldW "$tool"
		[[ $output == *"DYN (Position-Independent Executable file)"* && $output == *GNU_RELRO* && $output == *NOW* ]] ||
			{ echo "$tool: $output"; return 1; }
		run -0 nm -D -u "$tool"
		[[ $output == *__stack_chk_fail* && $output == *_chk@* ]] || { echo "$tool: $output"; return 1; }
	done
}

@test "uninstall leaves no file" {
	cp -a "$D" copy
	[ -n "$(find copy -type f)" ]
	make -s -C "$ROOT" uninstall DESTDIR="$PWD/copy" PREFIX="$P"
	[ -z "$(find copy -type f -o -type l)" ]
}

@test "each script of share is one that sh reads, and each unit and line for cron is well-formed" {
	grep -l '^#!/bin/sh' "$ROOT"/share/examples/lh-* >scripts
	[ "$(wc -l <scripts)" -ge 4 ]
	while read -r script; do sh -n "$script"; done <scripts
	run ! grep -qvE '^#|^[A-Z_]+=|^([0-9*/,-]+ ){5}/' "$ROOT/share/examples/crontab"
	[ "$(grep -oE '/lh-[a-z-]+-nightly' "$ROOT/share/examples/crontab" | sort -u | wc -l)" = 3 ]
	command -v systemd-analyze || skip "no systemd-analyze"
	cp "$ROOT"/share/systemd/* .
	sed -i 's,^ExecStart=[^ ]*,ExecStart=/bin/true,' ./*.service
	run systemd-analyze verify --man=no ./*.timer ./*.socket ./*.service
	[ "$status" = 0 ] && [ -z "$output" ] || { echo "$output"; return 1; }
}
