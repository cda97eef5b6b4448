# Loaded by every test file with "load ../helper".
#
#     LH_BIN     where the tools are (default: bin/ of this tree); first in PATH, then a jq that
#                starts quickly, of tests/jq/jq.c
#     AID        a filter made for tests, tests/unit/aid_filter.c
#     LH_SCALE   check (default) or soak: the sizes a test works at
#     LH_ASAN    set in the pass under AddressSanitizer
#     LH_TEST_GRAPH   set: the indexes that lh-index builds have a graph, however small
#
# Each test starts in an empty folder of its own.

ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
: "${LH_BIN:=$ROOT/bin}" "${LH_SCALE:=check}" "${LH_DRAW:=0}"
case $LH_BIN in
"$ROOT"/bin) AID=$ROOT/build/unit/aid_filter ;;
*) AID=${LH_BIN%/*}/unit/aid_filter ;;
esac
# Python writes no __pycache__ into the tree
export ROOT LH_BIN AID LH_SCALE PATH=$LH_BIN:$ROOT/build/jq:$PATH PYTHONDONTWRITEBYTECODE=1
[ -z "${LH_TEST_GRAPH:-}" ] || PATH=$ROOT/tests/graph:$PATH
# what the user of this machine keeps in caches is nothing to a test
if [ -n "${BATS_RUN_TMPDIR:-}" ] && [[ $HOME != "$BATS_RUN_TMPDIR"* ]]; then
	export HOME=$BATS_RUN_TMPDIR/home
	mkdir -p "$HOME"
	unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME
fi
unset LC_ALL LANG LH_NOW LH_KERNEL LH_EMBED_ENGINE LH_MODELS
# no model that this machine may have reads the files of a test
export LH_MODEL=hash-v4
bats_require_minimum_version 1.8.0
# a tool that dies at the left of a pipe is a failure
set -o pipefail

# Failures are located by the trap on errors alone: bats' trap on every command took a sixth of
# the time of the tests.  The file, line and command of a failure are shown all the same.
if [ "${BATS_TRACE_LEVEL:-0}" = 0 ]; then
	bats_setup_tracing() {
		BATS_DEBUG_LAST_STACK_TRACE=() BATS_DEBUG_LASTLAST_STACK_TRACE=()
		BATS_DEBUG_LAST_STACK_TRACE_IS_VALID= BATS_ERROR_SUFFIX=
		exec 4<&1
		trap bats_error_trap ERR
	}

	# the clock of the times that are shown, without starting date
	get_mills_since_epoch() {
		local now=${EPOCHREALTIME/[.,]/}
		echo "${now::-3}"
	}

	bats_error_trap() {
		bats_check_status_from_trap
		[ -n "$BATS_DEBUG_LAST_STACK_TRACE_IS_VALID" ] || bats_capture_stack_trace
		BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
	}
fi

# LH_COSTS=FILE - a line for each test there: processor time of its processes, file, title.
if [ -n "${LH_COSTS:-}" ]; then
	eval "bats_$(declare -f bats_exit_trap)"
	bats_exit_trap() {
		builtin times >"$BATS_TEST_TMPDIR.cost"
		echo "$(tail -n 1 "$BATS_TEST_TMPDIR.cost") $BATS_TEST_FILENAME $BATS_TEST_DESCRIPTION" >>"$LH_COSTS"
		bats_bats_exit_trap "$@"
	}
fi

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# A file with a teardown of its own and faults calls faults_happened last in it.
teardown() {
	faults_happened
}

# repeat N LINE - the line so often; "yes" ends by SIGPIPE, and nothing else does.
repeat() {
	yes -- "$2" | head -n "$1" || [ "${PIPESTATUS[*]}" = "141 0" ]
}

# stretch BYTES TEXT - the text again and again, without an LF.
stretch() {
	yes -- "$2" | tr -d '\n' | head -c "$1" || [ "${PIPESTATUS[*]}" = "141 141 0" ]
}

# first N - the first lines; unlike head it reads all, so that what writes them
# ends as it would without it.
first() {
	sed -n "1,$1p"
}

# has GREP-ARGUMENT... - grep -q that reads all, for the same reason.
has() {
	local rc=0
	grep -q "$@" || rc=$?
	cat >/dev/null
	return $rc
}

# alike A B - both files, as <(command), are the same, and hold something: of a
# command in <() that failed, nothing else is known.
alike() {
	local copy
	copy=$(mktemp -d "$BATS_TEST_TMPDIR.XXXXXX")
	cat "$1" >"$copy/a"
	cat "$2" >"$copy/b"
	[ -s "$copy/a" ] || [ -s "$copy/b" ] || { echo "alike: there is nothing in either"; return 1; }
	diff "$copy/a" "$copy/b"
}

# scale CHECK [FULL] SOAK - the first in make check, the second in check-full, the third in soak;
# of two the first is also that of check-full.
scale() {
	case $LH_SCALE in
	soak) echo "${!#}" ;;
	full) [ $# = 3 ] && echo "$2" || echo "$1" ;;
	*) echo "$1" ;;
	esac
}

# drawn N - all lines of stdin, but in make check N that are drawn from the commit: other ones in
# each.  The test prints LH_DRAW; LH_DRAW=... draws the same again.
drawn() {
	if [ "$LH_SCALE" != check ]; then cat; return; fi
	echo "LH_DRAW=$LH_DRAW" >&2
	cat -n | shuf -n "$1" --random-source=<(yes "$LH_DRAW $BATS_TEST_NAME" 2>/dev/null) | sort -n | cut -f2-
}

# plain_only REASON - for what cannot work under AddressSanitizer.
plain_only() {
	if [ -n "${LH_ASAN:-}" ]; then skip "not under AddressSanitizer: $1"; fi
}

# asan_only - for allocation faults: they need the build with LH_FAULTS.  A test in
# which no allocation failed fails at its end.
asan_only() {
	if [ -z "${LH_ASAN:-}" ]; then skip "needs the sanitizer build"; fi
	export LH_FAULT_LOG=$BATS_TEST_TMPDIR.failed
}

# needs_strace - fault injection: not under ASan, whose leak check is a tracer too.
needs_strace() {
	plain_only "strace"
	strace -f -qq -o /dev/null true 2>/dev/null || skip "strace may not trace here"
}

# inject FAULT [OPTION]... COMMAND... - the command under strace, with FAULT as
# -e inject= takes it (write:error=EIO:when=2) and options of strace; its status.
# What it called is in the file trace.  A test in which a FAULT never happened,
# whatever its when=, fails at its end.  STRACE: how to call it, "patiently strace".
inject() {
	local kind=${1%%:when=*} rc=0 sign='(INJECTED)$'
	[[ $kind != *:signal=* ]] || sign=" by SIG${kind##*:signal=} "
	[[ $kind != *:delay_* ]] || sign='(DELAYED)$'
	rm -f trace
	${STRACE:-strace -f} --quiet=all -o trace -e trace="${1%%:*}" -e inject="$1" "${@:2}" || rc=$?
	echo "$(grep -qs -e "$sign" trace && echo happened || echo missed) $kind" >>"$BATS_TEST_TMPDIR.faults"
	return $rc
}

# injected - whether the fault of the last inject happened.
injected() {
	[[ $(tail -n 1 "$BATS_TEST_TMPDIR.faults") == happened* ]]
}

# at_each COMMAND... - the command under strace once for each call of CALLS (default: those that
# change files) that it makes, in make check for the first of each and every STEPth after it, with
# INJECT (signal=KILL, error=EIO) at it.  The functions before_fault and after_fault CALL N STATUS
# run around it; its output is in out and err.
at_each() {
	local call n rc step=${STEP:-5} made=() calls=${CALLS:-write pwrite64 fsync ftruncate rename renameat2 unlink mkdir}
	[ "$LH_SCALE" = check ] || step=1
	before_fault
	strace -f --quiet=all -o trace -e trace="${calls// /,}" "$@" >out 2>err || true
	for call in $calls; do
		if grep -qE "^[0-9]+ +$call\(" trace; then made+=("$call"); fi
	done
	[ ${#made[@]} -gt 0 ]
	for call in "${made[@]}"; do
		for ((n = 1; n <= 400; n += step)); do
			before_fault
			rc=0
			inject "$call:$INJECT:when=$n" "$@" >out 2>err || rc=$?
			injected || break
			[ "$rc" != 127 ] || continue	# the loader
			echo "$call $n: exit $rc, $(cat err)"
			after_fault "$call" "$n" "$rc"
		done
		[ "$n" -le 400 ]
	done
}

# faults_happened - each kind of fault that a test which went well has asked for.
faults_happened() {
	local missed
	[ -n "${BATS_TEST_COMPLETED:-}" ] || return 0
	[ -z "${LH_FAULT_LOG:-}" ] || [ -e "$LH_FAULT_LOG" ] || { echo "no allocation failed"; return 1; }
	[ -e "$BATS_TEST_TMPDIR.faults" ] || return 0
	missed=$(awk '$1 == "happened" { did[$2] = 1 } { asked[$2] = 1 }
		END { for (kind in asked) if (!did[kind]) print "never injected: " kind }' "$BATS_TEST_TMPDIR.faults")
	[ -z "$missed" ] || { echo "$missed"; return 1; }
}

# no_litter [DIR] - no temporary file of an atomic write is left.
no_litter() {
	local left
	left=$(find "${1:-.}" -name '.*.lh-tmp-*')
	[ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

# commands_of TOOL - the names of its commands, if it has any.
commands_of() {
	"$1" --describe-options | jq -r '.commands[]?.name | select(. != "")'
}

# all_help TOOL - its help, and that of each of its commands.
all_help() {
	local command

	"$1" --help
	for command in $(commands_of "$1"); do
		"$1" "$command" --help
	done
}

# whole_progress - $stderr without the shares below 100 %, which a slow machine shows and a quick
# one does not.
whole_progress() {
	sed '/: [0-9]\{1,2\} %\(, .* left\)\?$/d' <<<"$stderr"
}

# not COMMAND... - it must fail.  set -e, which ends a test at a failed command, passes
# over a plain "! command".
not() {
	! "$@"
}

# What has not happened after so many seconds hangs: far more than a busy machine needs, because
# only a test that fails waits so long.
export LH_PATIENCE=${LH_PATIENCE:-600}

# patiently COMMAND... - run it, and end it if it hangs: then its status is 124.  In the background
# it would be a shell with the process below it: "timeout $LH_PATIENCE COMMAND... &" there.
patiently() {
	timeout "$LH_PATIENCE" "$@"
}
export -f patiently

# cheaply COMMAND... - run it in a minute of processor time at most, however busy the machine is: for
# what must not take a time that grows with the square of its input, or worse.
cheaply() {
	patiently prlimit --cpu=60 -- "$@"
}

# until_so COMMAND... - wait until it succeeds.
until_so() {
	local until=$((SECONDS + LH_PATIENCE + 1))
	while ((SECONDS < until)); do
		! "$@" || return 0
		sleep 0.01
	done
	echo "never came true: $*"
	return 1
}

# free_port - a port that nothing listens on, and that no other test gets: it is below those that
# the system gives out, and the last of this tree is counted in build/port.  For what has to know
# its port before it listens, or come back to it; all others listen on port 0.
free_port() {
	mkdir -p "$ROOT/build"
	python3 - "$ROOT/build/port" <<-'END'
	import fcntl, random, socket, sys
	with open(sys.argv[1], "a+") as last:
	    fcntl.flock(last, fcntl.LOCK_EX)
	    last.seek(0)
	    port = int(last.read() or random.randrange(20000, 32000))
	    while True:
	        port = 20000 + (port - 20000 + 1) % 12000
	        with socket.socket() as s:
	            try:
	                s.bind(("127.0.0.1", port))
	                break
	            except OSError:
	                pass
	    last.truncate(0)
	    last.write(str(port))
	print(port)
	END
}

# is_locked FILE - it is there, and a process has its flock.
is_locked() {
	[ -e "$1" ] && not flock -n "$1" true
}

# has_lines FILE N - it is there and has N lines or more.
has_lines() {
	[ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# is_read FD - whether all that was written to the pipe FD has been read.
is_read() {
	# the variable has a statement of its own: in the one of "my" it is not seen yet
	perl -e 'my $left = pack("i", 0); exit 2 unless ioctl(STDOUT, 0x541b, $left); exit(unpack("i", $left) != 0)' >&"$1"
}

# drained FD - wait until it is.
drained() {
	until_so is_read "$1"
}

# as_nobody COMMAND... - for permission tests, which mean nothing to root.
as_nobody() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# needs_reach - for what as_nobody starts through another program: nobody must be able to
# reach our programs, and cannot if they are in the home folder of root.
needs_reach() {
	as_nobody env test -x "$LH_BIN/lh" || skip "only root can reach the programs here"
}

# needs_comma - have a locale that writes 0,5, which few machines have: it is made once, below build/.
needs_comma() {
	COMMA=$ROOT/build/locale
	if [ ! -e "$COMMA" ]; then
		local new=$COMMA.$BASHPID
		mkdir -p "$new"
		localedef -i de_DE -f UTF-8 "$new/de_DE.UTF-8" 2>/dev/null || { rm -r "$new"; skip "no sources of locales"; }
		echo leak:argz_add_sep >"$new/leaks"
		mv -T "$new" "$COMMA" 2>/dev/null || rm -r "$new"	# another test was first
	fi
	[ "$(with_comma bash -c 'printf %.1f 0,5')" = 0,5 ]
}

# with_comma COMMAND... - run it under that locale.  setlocale(3) leaks LOCPATH.
with_comma() {
	LSAN_OPTIONS=suppressions=$COMMA/leaks:print_suppressions=0 LOCPATH=$COMMA LC_ALL=de_DE.UTF-8 "$@"
}

# a_browser - the path of one; servers/browser.py has the same names.
a_browser() {
	command -v chromium || command -v chromium-headless-shell || command -v chromium-browser || command -v google-chrome
}

# hears_int COMMAND... - shells have background jobs ignore SIGINT; not here.
hears_int() {
	exec env --default-signal=INT "$@"
}
