# Whether the tests are a net: those that are to fail do.
# Plain only: it looks at the tree, the plain build or the tests.
# bats file_tags=plain-only
load ../helper

# inner FILE NAME - one test of that file, as bats runs it alone; it fails.
inner() {
	run -1 env -u BATS_TEST_FILTER bats --tap -f "$2" "$ROOT/tests/$1" </dev/null
	[[ $output == *"not ok 1 "@("setup_file failed"|*"$2")* ]] || { echo "$output"; return 1; }
}

SOME=(
	'frame/frame.bats:whatever fails on the way to a new file'
	'measure/lh-pathway.bats:killed at any write or sync'
	'distill/lh-export.bats:by kernels without openat2'
	'search/lh-index-move.bats:killed at any step of a move'
)

# bats test_tags=full
@test "a test of faults fails where nothing is injected, and says what" {
	needs_strace
	export PATH=$ROOT/tests/faults:$PATH
	[ "$(echo whole | strace -qq -o calls -e trace=write -e inject=write:error=EIO cat)" = whole ]
	for one in "${SOME[@]}"; do
		inner "${one%%:*}" "${one#*:}"
		[[ $output == *"never injected: "* ]] || { echo "$output"; return 1; }
	done
}

@test "a test of faults fails where its program is not" {
	needs_strace
	mkdir bin
	export PATH=${PATH//"$LH_BIN":/} LH_BIN=$PWD/bin
	for one in "${SOME[@]}"; do
		inner "${one%%:*}" "${one#*:}"
	done
}

@test "a test of allocations fails where none fails, and says so" {
	export LH_ASAN=1
	inner frame/every-tool-faults.bats 'whichever allocation fails: exit 2, one line'
	[[ $output == *"no allocation failed"* ]] || { echo "$output"; return 1; }
}

@test "faults are injected by inject, which counts them, and a teardown ends by asking for the count" {
	cd "$ROOT/tests"
	# a program that another starts; what it ended with is asked for
	run -1 grep -v '^helper.bash:\|^tree/nets.bats:\|^search/fresh-nightly.bats:.*shim lh-index\|^scale/slurm.bats:.*signal=STOP' < <(grep -n inject= -- */*.bats *.bash)
	for file in $(grep -l 'inject \|at_each\|each_fault\|asan_only' -- */*.bats); do
		awk '/^teardown\(\)/ { on = 1 } on && /^}/ { exit last != "\tfaults_happened" } { last = $0 }' "$file" || { echo "$file"; return 1; }
	done
}

@test "a unit program reports which of its tests passed and which failed, however it ends" {
	cat >unit.c <<-'END'
	#include <sys/wait.h>
	#include "check.h"

	static void good(int n) { check(n == 1); }
	static void child(int n) { if (fork() == 0) good(n); wait(NULL); }

	int main(int argc, char **argv)
	{
		(void)argv;
		test(good(1));
		test(child(2));
		test(good(argc));
		return 0;
	}
	END
	cc -Wall -Wextra -Werror -I"$ROOT/tests/unit" -o unit unit.c
	run -0 --separate-stderr ./unit
	[ "$output" = $'ok 1 - good(1)\nok 2 - child(2)\nok 3 - good(argc)\n1..3' ]
	[ "$stderr" = 'unit.c:4: failed: n == 1' ]
	run -1 --separate-stderr ./unit x
	[ "$output" = $'ok 1 - good(1)\nok 2 - child(2)\nnot ok 3 - good(argc)' ]
	[ "$stderr" = $'unit.c:4: failed: n == 1\nunit.c:4: failed: n == 1' ]
}

@test "the jq of the tests answers as jq does, and says the same of what it cannot do" {
	echo '{"a":[1,{"b":"x y"}],"c":null}' >in
	for filter in . .. '.a[1].b' '.c |= 2' '.a[0] += 1' '.d //= 3' '[paths]' to_entries 'with_entries(.value |= tojson)' \
		'.a | map(numbers)' '[limit(1; .a[])]' '.a[1].b | split(" ") | join("-")' '[.. | strings | test("X"; "i")]' \
		'label $out | .a[] | ., break $out' '[tostream]' error nosuch .a.b @base64 'any(.a[]; . == 1)'; do
		for jq in "$ROOT/build/jq/jq" /usr/bin/jq; do
			rc=0
			"$jq" -c "$filter" in >out 2>&1 || rc=$?
			{ cat out; echo "$rc"; } | sed 's/ *$//' >"of${jq//\//-}"
		done
		alike of*build* of-usr-bin-jq || { echo "$filter"; return 1; }
	done
}
