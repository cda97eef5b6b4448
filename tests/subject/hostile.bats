# lh-subject against hostile places: links, damage, huge and odd lines, and faults.
# bats file_tags=hostile
load ../helper
load ../subject

@test "a link is not followed, and a file that is none is listed" {
	a_state 1
	mkfifo s/log/fifo.jsonl
	ln -s nowhere s/log/dead.jsonl
	lh-subject find w-1 --state s >/dev/null
	lh-subject places --state s | jq -r 'select(.path | test("fifo|dead")) | "\(.path) \(.erasable) \(.why)"' >got
	diff - got <<-'END'
		s/log/dead.jsonl false a link that leads nowhere
		s/log/fifo.jsonl false not a regular file
	END
	ln -s ../roster.jsonl s/log/link.jsonl
	for command in "places" "find w-1"; do
		run -2 --separate-stderr lh-subject $command --state s
		[ -z "$output" ]
		[ "$stderr" = "lh-subject: s/log/link.jsonl: is a symbolic link, which is not followed; name what it leads to" ]
	done
}

@test "a place that is not there or cannot be read is exit 2 with its name" {
	a_state 1
	for option in state root index playbook log store cache roster subjects; do
		run -2 --separate-stderr lh-subject find w-1 --$option gone
		[ -z "$output" ]
		[[ $stderr == "lh-subject: gone: "* ]] || { echo "$option: $stderr"; return 1; }
	done
	run -2 lh-subject find w-1
	[ "$output" = "lh-subject: no place: --state DIR names one" ]
}

@test "a file that its user may not read is exit 2 with its name" {
	needs_reach
	a_state 1
	chmod -R a+rX . s
	chmod 600 s/log/sessions.jsonl
	run -2 as_nobody env XDG_CACHE_HOME=/nonexistent lh-subject find w-1 --log s/log/sessions.jsonl
	[[ $output == "lh-subject: s/log/sessions.jsonl: "*"ermission denied"* ]]
}

@test "damage to an index, a packed log or a manifest of a dataset is exit 2 with its name" {
	a_state 1
	for file in s/index/workers.lhv s/catalog/*.json; do
		cp "$file" kept
		printf 'xxxxxxxx' | dd of="$file" conv=notrunc status=none
		run -2 lh-subject find w-1 --state s
		[[ $output == *"$file"* ]] || { echo "$output"; return 1; }
		cp kept "$file"
	done
	gzip -c s/log/sessions.jsonl | head -c 100 >s/log/packed.jsonl
	run -2 lh-subject find w-1 --state s
	[[ $output == *"s/log/packed.jsonl"* ]]
}

@test "lines that are not records are searched as text, and never end the run" {
	{
		printf '{"candidate_id":"w-1"\n'
		printf 'torn "w-1"\n[1,"w-1"]\n"w-1"\nxw-1\nw-12\n\xff\xfe w-1\n\0w-1\0\n'
		printf '[%.0s' {1..600}
		printf '"w-1"\n{"a":1,"a":"w-1"}\n\n'
	} >log
	lh-subject find w-1 --log log | jq -r 'select(.line) | .line' | tr '\n' ' ' >got
	[ "$(cat got)" = "1 2 3 4 7 8 9 10 " ] || { cat got; return 1; }
}

@test "an id with escapes is found in lines that are not records, and erased" {
	cat >log <<-'END'
		{"candidate_id":"w\u002d1","torn
		{"a":1,"a":"w\u002d1"}
		"w\u002d1"
		{"candidate_id":"w\u002d12","torn
	END
	mkdir subjects
	lh-subject find w-1 --log log | jq -r 'select(.line) | .line' | tr '\n' ' ' >got
	[ "$(cat got)" = "1 2 3 " ] || { cat got; return 1; }
	lh-subject erase w-1 --log log --subjects subjects --apply --reason test --id-only | tail -n 1 | jq -e '.state == "erased"' >/dev/null
	[ "$(sed 1,3d log)" = '{"candidate_id":"w\u002d12","torn' ]
}

@test "an array of ids, deep nesting and many members are found in time" {
	python3 -c '
import json
print(json.dumps({"candidate_id": [str(i) for i in range(200000)]}))
v = {"candidate_id": "w-1"}
for i in range(500): v = {"k": v}
print(json.dumps(v))
print(json.dumps({"m%d" % i: "w-1" for i in range(60000)} | {"worker_id": "w-1"}))' >log
	patiently lh-subject find w-1 --log log | jq -c 'select(.line) | [.line, (.members | length)]' | tr -d '\n' >got
	[ "$(cat got)" = "[2,1][3,60001]" ]
	[ "$(cheaply lh-subject find 199999 --log log | jq -c 'select(.line) | .members')" = '["candidate_id.199999"]' ]
}

@test "a line over the limit is not passed over: exit 2 names it" {
	plain_only "a line of 256 MiB"
	{ printf '{"x":"'; head -c 268435456 /dev/zero | tr '\0' a; printf '"}\n{"candidate_id":"w-1"}\n'; } >log
	run -2 --separate-stderr lh-subject find w-1 --log log
	[ "$stderr" = "lh-subject: log:1: the line is over the limit, and was not searched" ]
}

@test "control bytes of paths and ids reach the terminal escaped" {
	mkdir s
	ln -s /etc $'s/a\e[31m'
	run -2 lh-subject find $'w\e[31m' --state s
	[ "$output" = 'lh-subject: s/a\x1b[31m: is a symbolic link, which is not followed; name what it leads to' ] || { echo "$output"; return 1; }
}

@test "a read that fails is exit 2, and nothing is said to be complete" {
	needs_strace
	a_state 1
	log=s/data/_catalog/subjects/w-1.audit.jsonl	# to which each adds a row
	cp $log kept
	lh-subject find w-1 --state s >whole
	for n in $(seq 1 "$(scale 19 3)" 400); do
		cp kept $log
		inject "read,pread64:error=EIO:when=$n" lh-subject find w-1 --state s >out 2>err && rc=0 || rc=$?
		injected || break
		[ $rc != 127 ] || continue	# of the loader of libraries
		# without the names of users the row has the number of this one
		[ $rc = 2 ] || cmp out whole || { echo "read $n: exit $rc"; cat err; return 1; }
	done
}
