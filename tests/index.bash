# What the tests of lh-index share: small indexes, and faults in whatever changes them.

# rows FROM TO [TAG] - records with vectors of dimension 8, one a line.
rows() {
	awk -v from="$1" -v to="$2" -v tag="${3:-x}" 'BEGIN {
		for (i = from; i <= to; i++) {
			printf "{\"id\":\"r%d\",\"vector\":[", i
			for (j = 0; j < 8; j++)
				printf "%s%.5f", j ? "," : "", sin(i * (j + 1) * 1.7 + j)
			printf "],\"metadata\":{\"n\":%d,\"tag\":\"%s\"}}\n", i, tag
		}
	}'
}

same_build() {
	lh-index build -j1 --now 2026-05-03T12:00:00Z "$@"
}

# What an index holds, in an order of its own.
content() {
	lh-index dump "$1" | sort
}

info() {
	lh-index info "$1" | jq -r ".$2"
}

# at_each COMMAND... - run a shell command under strace once for each system
# call that changes files which it makes when all goes well, with $INJECT
# (signal=KILL, error=EIO ...) at it; after each run, the function after_fault.
at_each() {
	local call n rc made=() limit=${LIMIT:-40} calls="write pwrite64 fsync ftruncate rename renameat2 unlink"
	[ "$INJECT" != error=EIO ] || calls="$calls close"
	before_fault
	strace -f --quiet=all -o trace -e trace="${calls// /,}" "$@" >out 2>err
	for call in $calls; do
		grep -qE "^[0-9]+ +$call\(" trace || continue
		made+=("$call")
	done
	[ ${#made[@]} -gt 0 ]
	for call in "${made[@]}"; do
		for ((n = 1; n <= limit; n++)); do
			before_fault
			rc=0
			inject "$call:$INJECT:when=$n" "$@" >out 2>err || rc=$?
			injected || break
			[ "$rc" != 127 ] || continue	# the loader
			echo "$call $n: exit $rc, $(cat err)"
			after_fault "$call" "$n" "$rc"
		done
		[ "$n" -le "$limit" ]
	done
}
