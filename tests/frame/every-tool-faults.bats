# Faults and signals, in each tool.
# bats file_tags=faults,long
load ../helper
load ../servers/server
load ../commands

# ended_for_memory STATUS - whether a command ended so, said why in one line, left no litter, and
# kept what was acknowledged before: the index is whole, and logs have at most grown.
ended_for_memory() {
	local log
	[ "$1" = 2 ] && [ "$(grep -c 'out of memory' err)" = 1 ] && no_litter || return
	[ "$sum" = "$(sha256sum workers.lhv)" ] || lh-index verify workers.lhv >verified || return
	(cd "$BATS_FILE_TMPDIR" && ls -- *.log audit.d/*.audit.jsonl) | while read -r log; do
		cmp -n "$(stat -c %s "$BATS_FILE_TMPDIR/$log")" "$BATS_FILE_TMPDIR/$log" "$log" || return
	done
}

# bats test_tags=full,hostile
@test "whichever allocation fails: exit 2, one line, no litter, acknowledged records kept" {
	asan_only
	step=$(scale 31 1) wider=$(scale 6 1000000)
	sum=$(sha256sum workers.lhv)
	while read -r command; do
		for ((n = 1; n < 100000; n += step + n / wider)); do
			fresh
			status=0
			bash -c "LH_FAULT_ALLOC=$n $command >out 2>err" </dev/null || status=$?
			[ "$status" = 0 ] && break
			ended_for_memory "$status" && grep -qE '^lh-[a-z-]*: out of memory \([0-9]+ bytes more are not to be had\)$' err ||
				{ echo "LH_FAULT_ALLOC=$n $command: exit $status: $(<err)"; return 1; }
		done
	done < <(commands | drawn 8)
}

# libcurl allocates thousands of times before it is ready: lh-chat.bats takes larger steps.
# SQLite does while it works: steps get wider, in both tests.
@test "whichever allocation fails, those of libc and other libraries too: exit 2, out of memory" {
	plain_only "sanitizers have an allocator of their own"
	cc -shared -fPIC -o "$BATS_FILE_TMPDIR/failmalloc.so" "$ROOT/tests/faults/failmalloc.c"
	step=$(scale 47 1) wider=$(scale 4 1000000)
	sum=$(sha256sum workers.lhv)
	while read -r command; do
		for ((n = 1; n < 100000; n += step + n / wider)); do
			for when in "$n" "$n+"; do
				fresh
				status=0
				bash -c "exec env FAILMALLOC=$when FAILMALLOC_OF=${command%% *} FAILMALLOC_LOG=hit LD_PRELOAD='$BATS_FILE_TMPDIR/failmalloc.so' $command >out 2>err" </dev/null || status=$?
				[ -e hit ] || break 2
				[ "$status" = 0 ] || ended_for_memory "$status" ||
					{ echo "FAILMALLOC=$when $command: exit $status: $(cat err)"; return 1; }
				no_litter
			done
		done
		[ "$n" -gt 1 ]
	done < <(commands | grep -v lh-chat | drawn 7)
}

# without_stamps FILE - objects of a folder have the inode and the time, others in each copy.
without_stamps() {
	sed 's/"etag":"[^"]*","modified":"[^"]*"/"stamps"/g' "$1"
}

@test "EINTR anywhere and EAGAIN on stdout lose nothing" {
	needs_strace
	faults=0
	while read -r command; do
		fresh
		bash -c "$command" </dev/null >.want
		for fault in "write,pwrite64:error=EINTR:when=1+2" "write:error=EAGAIN:when=1+2 -P got" \
			"read,pread64:error=EINTR:when=1+2 $(printf -- '-P %s ' *.jsonl *.gz *.lhv)"; do
			fresh
			eval "inject $fault $command >got" </dev/null
			cmp <(without_stamps .want) <(without_stamps got)
			faults=$((faults + $(grep -c 'INJECTED' trace || true)))
		done
	done < <(repeatable | drawn 10)
	[ "$faults" -gt "$(scale 3 30 30)" ]
}

@test "whichever write fails for want of space: exit 2, the reason, the old file" {
	needs_strace
	step=$(scale 3 1) wider=$(scale 2 1000000)
	while read -r command; do
		for ((n = 1; n < 1000; n += step + n / wider)); do
			fresh
			sum=$(sha256sum workers.lhv)
			status=0
			inject write,pwrite64,writev,pwritev:error=ENOSPC:when=$n bash -c "exec $command >out 2>err" </dev/null || status=$?
			injected || break
			# a message, a lock's note of who holds it, and that a tree is published may go missing
			grep -qE 'write\(2,.*INJECTED|pwrite64\([0-9]+, "[0-9]+\\n".*INJECTED|"\\npublished\\n".*INJECTED' trace && continue
			# a look-up without its row is reported and changes no verdict: lh-validate-audit.bats
			grep -q 'left no row: .*No space left' err && continue
			# what answers a bridge says so in the answer, and goes on
			[ "$status" = 1 ] && grep -qE 'the (log|data of the person) cannot be used at present' err && continue
			[ "$status" = 2 ] && grep -q "No space left" err ||
				{ echo "write $n of $command: exit $status: $(cat err)"; return 1; }
			[ "$sum" = "$(sha256sum workers.lhv)" ]
			no_litter
		done
		# that all is well is not written
		[ "$n" -gt 1 ] || { [ "$status" = 0 ] && [ ! -s out ]; } || { echo "no write of $command failed"; return 1; }
	done < <(commands | drawn 6)
}

# bats test_tags=plain-only
@test "SIGINT and SIGTERM in the middle: status 128 + n, whole records only, no litter" {
	while read -r command; do
		for signal in INT TERM; do
			fresh
			sum=$(sha256sum workers.lhv)
			mkfifo pipe
			hears_int bash -c "exec $command <pipe >out 2>err" 3>&- &
			pid=$!
			exec 7>pipe
			cat "$BATS_FILE_TMPDIR/workers.jsonl" >&7
			printf '{"id":"half' >&7
			drained 7
			until_so test -e out
			kill -$signal "$pid"
			status=0
			wait "$pid" || status=$?
			exec 7>&-
			[ "$status" = $((128 + $(kill -l $signal))) ] || { echo "$signal $command: exit $status: $(cat err)"; return 1; }
			[ ! -s out ] || [ "$(tail -c 1 out | wc -l)" = 1 ]
			[[ $command = lh-show* ]] || jq -c . out >/dev/null		# a table
			no_litter
			[ ! -e workers.lhv-lock ]
			[ "$sum" = "$(sha256sum workers.lhv)" ]
			lh-index verify workers.lhv
		done
	done < <(on_stdin | drawn 8)
}
