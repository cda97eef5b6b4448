load helper

# What holds for every tool, tried on each: a line in commands() is all that a
# new tool needs.

commands() {
	cat <<-'END'
	lh-gen workers -n 20
	lh-gen queries -n 20 --styles all
	lh-cat workers.jsonl.gz
	lh-embed --dimension 64 workers.jsonl
	lh-index build built.lhv vectors.jsonl
	lh-index add workers.lhv more.jsonl
	lh-index dump workers.lhv
	lh-index info workers.lhv
	lh-index verify workers.lhv
	lh-search -Q welder -k 3 workers.lhv
	END
}

# Those that write records to stdout.
writers() {
	commands | grep -v 'build\|add\|verify'
}

# The same with the records on standard input.
on_stdin() {
	commands | sed -n 's/ [a-z]*\.jsonl\(\.gz\)*$/ -/p; s/ <.*//p'
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$BATS_TEST_DIRNAME/../bin}:$PATH
	lh-gen workers -n 30 >workers.jsonl
	lh-gen workers -n 5 --seed 9 | jq -c '.id = "m" + .id' >more.jsonl
	lh-gen queries -n 10 >queries.jsonl
	gzip -k workers.jsonl
	lh-embed --dimension 64 workers.jsonl >vectors.jsonl
	lh-index build workers.lhv vectors.jsonl
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	fresh
}

fresh() {
	rm -rf ./* && cp "$BATS_FILE_TMPDIR"/*.* .
}

@test "a command line that is right ends with 0 and says nothing" {
	while read -r command; do
		run --separate-stderr bash -c "$command" </dev/null
		[ "$status" = 0 ] && [ -z "$stderr" ] || { echo "$command: exit $status: $stderr"; return 1; }
	done < <(commands)
}

@test "a full disk behind stdout is exit 2 with the reason" {
	while read -r command; do
		run bash -c "$command 2>&1 >/dev/full" </dev/null
		[ "$status" = 2 ] && [[ $output == *"No space left"* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(writers)
}

@test "a closed stdout is exit 2 and a message" {
	while read -r command; do
		run bash -c "$command 2>&1 >&-" </dev/null
		[ "$status" = 2 ] && [ -n "$output" ] || { echo "$command: exit $status: $output"; return 1; }
	done < <(writers)
}

@test "a closed stdin is exit 2 and a message where stdin would be read" {
	while read -r command; do
		run bash -c "$command 2>&1 <&-"
		[ "$status" = 2 ] && [ -n "$output" ] || { echo "$command: exit $status: $output"; return 1; }
	done < <(on_stdin)
}

@test "a closed stderr is exit 2, and nothing lands in a file that was opened" {
	while read -r command; do
		fresh
		sum=$(sha256sum workers.jsonl queries.jsonl vectors.jsonl)
		run bash -c "$command >out 2>&-" </dev/null
		[ "$status" = 2 ] && [ ! -s out ] || { echo "$command: exit $status"; return 1; }
		[ "$sum" = "$(sha256sum workers.jsonl queries.jsonl vectors.jsonl)" ]
	done < <(commands)
}

@test "a file that is not there is exit 2 and named" {
	while read -r command; do
		run bash -c "$command absent-file 2>&1 >/dev/null" </dev/null
		[ "$status" = 2 ] && [[ $output == *absent-file* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(commands | grep -v '^lh-gen\|dump' | sed 's/ [a-z]*\.jsonl\(\.gz\)*$//')
}

@test "terminal escapes in file names do not reach stderr raw" {
	name=$'bad\e[31mname'
	while read -r command; do
		run bash -c "$command '$name' 2>&1 >/dev/null" </dev/null
		[ "$status" = 2 ] && [[ $output != *$'\e'* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(commands | sed 's/ [a-z]*\.jsonl\(\.gz\)*$//')
}

@test "a locale with a decimal comma changes no byte" {
	needs_comma
	while read -r command; do
		point=$(bash -c "$command" </dev/null | sha256sum)
		comma=$(with_comma bash -c "$command" </dev/null | sha256sum)
		[ "$point" = "$comma" ] || { echo "$command"; return 1; }
	done < <(writers)
}

@test "what two threads write is what one writes" {
	while read -r command; do
		[ "$(bash -c "$command -j1" </dev/null | sha256sum)" = "$(bash -c "$command -j3" </dev/null | sha256sum)" ] ||
			{ echo "$command"; return 1; }
	done < <(writers | grep 'embed\|search')
}

@test "whichever allocation fails: exit 2, out of memory, no leak, no litter" {
	asan_only
	step=$(scale 7 1)
	while read -r command; do
		for ((n = 1; n < 100000; n += step)); do
			fresh
			for when in "$n" "$n+"; do
				run --separate-stderr bash -c "LH_FAULT_ALLOC=$when $command >out" </dev/null
				[ "$status" = 0 ] && break
				[ "$status" = 2 ] && [[ $stderr == *"out of memory"* ]] ||
					{ echo "LH_FAULT_ALLOC=$when $command: exit $status: $stderr"; return 1; }
				no_litter
			done
			[ "$status" = 0 ] && break
		done
	done < <(commands)
}

@test "whichever write fails for want of space: exit 2, the reason, the old file" {
	needs_strace
	while read -r command; do
		for ((n = 1; n < 1000; n++)); do
			fresh
			sum=$(sha256sum workers.lhv)
			run strace -f -qq -o trace -e trace=write,pwrite64,writev,pwritev -e inject=write,pwrite64,writev,pwritev:error=ENOSPC:when=$n bash -c "exec $command >out 2>err" </dev/null
			grep -q INJECTED trace || break
			# a message, and a lock's note of who holds it, may go missing
			grep -qE 'write\(2,.*INJECTED|pwrite64\([0-9]+, "[0-9]+\\n".*INJECTED' trace && continue
			[ "$status" = 2 ] && grep -q "No space left" err ||
				{ echo "write $n of $command: exit $status: $(cat err)"; return 1; }
			[ "$sum" = "$(sha256sum workers.lhv)" ]
			no_litter
		done
	done < <(commands)
}

@test "SIGTERM in the middle: status 143, whole records only, no litter" {
	while read -r command; do
		fresh
		mkfifo pipe
		bash -c "exec $command <pipe >out 2>err" 3>&- &
		pid=$!
		exec 7>pipe
		cat "$BATS_FILE_TMPDIR/workers.jsonl" >&7
		sleep 0.3
		kill -TERM "$pid"
		status=0
		wait "$pid" || status=$?
		exec 7>&-
		[ "$status" = 143 ] || { echo "$command: exit $status: $(cat err)"; return 1; }
		[ ! -s out ] || jq -c . out >/dev/null
		no_litter
	done < <(on_stdin | grep -v '^lh-search')
}
