# lh-store snapshot, snapshots, restore, verify: copies of a state that is served and written.
# bats file_tags=long
load ../helper
load ../servers/server
load ../servers/s3

KEY=$(printf 'k%.0s' {1..32})

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset AWS_SESSION_TOKEN AWS_REGION AWS_PROFILE LH_S3_KEY_FILE LH_NOW
	(umask 077; printf %s "$KEY" >audit.key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/audit.key
}

teardown() {
	[ -z "${writer:-}" ] || kill "$writer" 2>/dev/null || true
	stop_upstreams
	faults_happened
}

# a_state - s: an index with a pending change, a log of who looked, a roster, a lock, a token.
a_state() {
	mkdir -p s/index s/log s/spool
	seq 40 | jq -c '{id: "w-\(.)", text: "welder \(.)", metadata: {n: .}}' >s/roster.jsonl
	lh-index build -q s/index/w.lhv s/roster.jsonl
	a_change new-1
	a_look
	echo '{"a":1}' >s/log/decisions.jsonl
	echo secret >s/serve.token
	: >s/spool/upload
	: >s/roster.jsonl.lock
}

a_change() {
	echo '{"id":"'"$1"'","text":"one more"}' | lh-index add -q s/index/w.lhv
}

a_look() {
	mkdir -p s/data/_catalog/subjects
	echo '{"candidate_id":"w-1","accessor":{"kind":"gateway_lookup","daemon":"d","purpose":"p"},"fields_accessed":["name"],"result":"success"}' |
		lh-subject-audit append -q --dir s/data/_catalog/subjects
}

# is_sound DIR - each thing in it can be used.
is_sound() {
	lh-index verify "$1/index/w.lhv" >/dev/null
	lh-subject-audit verify --dir "$1/data/_catalog/subjects" >/dev/null
}

round() {
	local first second
	a_state
	first=$(lh-store snapshot s "$1" | jq -r .snapshot)
	a_change new-2
	second=$(lh-store snapshot s "$1")
	[ "$(jq -c '[.left_out, .copied < .bytes, .copied > 0]' <<<"$second")" = '[1,true,true]' ]
	[ "$(lh-store snapshots "$1" | jq -r .snapshot | head -n 1)" = "$first" ]
	[ "$(lh-store verify "$1" | jq -c .whole | xargs)" = "true true" ]
	lh-store restore "$1" out >/dev/null
	is_sound out
	rm -rf s/serve.token s/spool s/roster.jsonl.lock
	diff -r s out
	lh-store restore --as-of "$first" "$1" before >/dev/null
	[ "$(lh-index info before/index/w.lhv | jq .length)" = 41 ]
	[ "$(lh-index info out/index/w.lhv | jq .length)" = 42 ]
	[ -z "$(find out ! -type d -perm /077)" ]
}

@test "a snapshot is restored as the state was, without keys, locks and spools; the next copies what changed" {
	round dest
	rm -rf s out before
	start_s3
	round s3://bucket/p
}

@test "a symbolic link is counted and named; one that leads to an index, a playbook or a folder of the state is status 1" {
	a_state
	ln -s ../log/decisions.jsonl s/log/today
	ln -s nowhere s/serve.key
	run -0 --separate-stderr lh-store snapshot --now 2026-05-03T12:00:00Z s dest
	[ "$(jq -c '[.links, .left_out]' <<<"$output")" = '[1,1]' ]
	[[ $stderr == *"s/log/today: is a symbolic link, and "* && $stderr != *serve.key* ]]
	mkdir other s/playbook
	mv s/index/w.lhv* other
	for link in index/w.lhv playbook/b.lhv; do
		ln -s "$PWD/other/w.lhv" s/$link
		run -1 --separate-stderr lh-store snapshot s dest
		[[ $stderr == *"s/$link: is a symbolic link"* ]]
		[ "$(jq .links <<<"$output")" = 2 ]
		rm s/$link
	done
	mv s/data other
	ln -s ../other/data s/data
	run -1 --separate-stderr lh-store snapshot s dest
	[[ $stderr == *"s/data: is a symbolic link"* ]]
	[ "$(lh-store verify dest | jq -c .whole | sort -u)" = true ]
}

@test "files that have one content are stored once" {
	mkdir s
	seq 1000 >s/a
	cp s/a s/b
	lh-store snapshot s dest >/dev/null
	lh-store snapshot s dest >/dev/null
	[ "$(find dest/content -type f | wc -l)" = 1 ]
	[ "$(find dest/snapshots -type f | wc -l)" = 2 ]
}

@test "verify names the first file that is damaged or gone, and the other snapshots are whole" {
	mkdir s
	echo one >s/a
	lh-store snapshot s dest >/dev/null
	echo two >s/b
	lh-store snapshot s dest >/dev/null
	content=dest/content/$(sha256sum s/b | sed 's,^\(..\)\(\S*\).*,\1/\1\2,')
	printf x | dd of="$content" conv=notrunc status=none
	run -1 lh-store verify dest
	[ "$(jq -c '[.whole, .first_damaged]' <<<"$output" | xargs)" = '[true,null] [false,b]' ]
	run -2 --separate-stderr lh-store restore dest out
	[[ $stderr == *"b: "*"is damaged"* && ! -e out ]]
	rm "$content"
	run -1 lh-store verify dest
	[ "$(jq -c .damaged <<<"$output" | xargs)" = '0 1' ]
}

# listed - standard input as the list of the snapshot of 2026-05-03, with its sum.
listed() {
	local list=dest/snapshots/2026-05-03T12:00:00.000Z.json sum
	cat >list
	sum=$(sha256sum <list)
	{ cat list; echo "{\"sha256\":\"${sum%% *}\"}"; } >$list
}

# bats test_tags=hostile
@test "a list of which any byte has changed is damaged: nothing is restored by it, and verify names it" {
	local list size at
	mkdir s
	echo one >s/roster.jsonl
	lh-store snapshot --now 2026-05-03T12:00:00Z s dest >/dev/null
	list=dest/snapshots/2026-05-03T12:00:00.000Z.json
	cp $list whole
	size=$(stat -c %s whole)
	sed s/roster/rosper/ whole >$list
	run -1 --separate-stderr lh-store verify dest
	[[ $stderr == *"$list: is damaged"* || $stderr == *"${list#dest/}: is damaged"* ]]
	run -1 --separate-stderr lh-store restore dest out
	[[ $stderr == *"is damaged"* && ! -e out ]]
	for ((at = 0; at < size; at += 1 + size / 40)); do
		cp whole $list
		printf '\001' | dd of=$list bs=1 seek=$at conv=notrunc status=none
		run -1 lh-store verify dest
		head -c $at whole >$list
		run -1 lh-store verify dest
	done
	cp whole $list
	lh-store verify dest >/dev/null
	mv $list dest/snapshots/2026-06-03T12:00:00.000Z.json
	run -1 --separate-stderr lh-store restore dest out
	[[ $stderr == *"is the list of 2026-05-03T12:00:00.000Z"* ]]
}

@test "a list of another's making names no file outside, and is no snapshot" {
	mkdir -p s dest/snapshots
	for path in ../x /etc/x a//b . "a/../../x"; do
		printf '{"snapshot":"2026-05-03T12:00:00.000Z","files":[{"path":"%s","sha256":"%064d","bytes":1,"record_count":0}]}\n' \
			"$path" 0 | listed
		run -1 --separate-stderr lh-store restore dest out
		[[ $stderr == *"is not a key"* && ! -e out ]]
		run -1 lh-store verify dest
	done
	printf '{"files":[' | listed
	run -1 lh-store snapshots dest
	# what a list that cannot be read names is not known, so nothing is removed
	echo one >s/a
	run -1 lh-store snapshot --keep 7d --now 2026-05-04T12:00:00Z s dest
	[ "$(find dest/content -type f | wc -l)" = 1 ]
}

@test "--keep removes older snapshots and what only they had, never the newest and the one before it" {
	mkdir s
	for day in 01 02 20; do
		echo "$day" >s/a
		echo same >s/b
		lh-store snapshot --now "2026-05-${day}T00:00:00Z" --keep 7d s dest >/dev/null
	done
	[ "$(lh-store snapshots dest | jq -r .snapshot)" = $'2026-05-02T00:00:00.000Z\n2026-05-20T00:00:00.000Z' ]
	[ "$(find dest/content -type f | wc -l)" = 3 ]
	lh-store verify dest >/dev/null
	lh-store snapshot --now 2026-01-01T00:00:00Z --keep 1m s dest >/dev/null
	[ "$(lh-store snapshots dest | wc -l)" = 3 ]
	# a clock that was years ahead once leaves what is right
	lh-store snapshot --now 2036-01-01T00:00:00Z --keep 1d s dest >/dev/null
	lh-store restore --as-of 2026-06-01T00:00:00Z dest right >/dev/null
	[ "$(cat right/a)" = 20 ]
	run -2 lh-store snapshot --keep 7 s dest
	run -2 lh-store snapshot --keep 0d s dest
}

@test "--replace puts another state under the same time, and what only the old one had is gone" {
	mkdir s
	echo keep >s/a
	echo 'Ada Lovelace' >s/b
	for day in 01 02; do lh-store snapshot --now "2026-05-${day}T00:00:00Z" s dest >/dev/null; done
	run -1 --separate-stderr lh-store snapshot --now 2026-05-01T00:00:00Z s dest
	[[ $stderr == *412* ]]
	lh-store snapshots dest | jq -r .snapshot | while read -r time; do
		lh-store restore --as-of "$time" dest one >/dev/null
		rm one/b
		lh-store snapshot --replace --now "$time" one dest >/dev/null
		rm -r one
	done
	[ "$(lh-store snapshots dest | jq -c .files | xargs)" = '1 1' ]
	lh-store verify dest >/dev/null
	run -1 grep -r Lovelace dest
}

@test "a destination in the state, a folder that is there, a time before all: each is refused" {
	mkdir s out
	echo a >s/a
	run -2 --separate-stderr lh-store snapshot s s/backup
	[[ $stderr == *"is in s, of which it would be a copy" && ! -e s/backup ]]
	run -2 lh-store snapshot s s
	lh-store snapshot s dest >/dev/null
	: >out/x
	run -2 --separate-stderr lh-store restore dest out
	[[ $stderr == *"is there already"* ]]
	run -2 --separate-stderr lh-store restore --as-of 2020-01-01T00:00:00Z dest new
	[[ $stderr == *"the first snapshot is of "* && ! -e new ]]
	mkdir none
	run -1 lh-store verify none
	run -0 lh-store verify --allow-empty none
	run -2 --separate-stderr lh-store verify nowhere
	[[ $stderr == *nowhere:* ]]
}

@test "the last line of a log that was cut in a crash is left out; a roster without an end, and a packed log, are whole" {
	mkdir -p s/log
	printf '{"a":1}\n{"a"' >s/log/decisions.jsonl
	printf '{"id":"w-1"}' >s/roster.jsonl
	seq 2000 | gzip >s/log/old.jsonl
	lh-store snapshot s dest >/dev/null
	lh-store restore dest out >/dev/null
	[ "$(cat out/log/decisions.jsonl)" = '{"a":1}' ]
	cmp s/roster.jsonl out/roster.jsonl
	cmp s/log/old.jsonl out/log/old.jsonl
}

@test "two that write into one place take turns; the lock of a dead one in a bucket is taken over" {
	mkdir s
	echo a >s/a
	mkdir dest
	exec 7>dest/lock
	flock 7
	run -2 --separate-stderr lh-store snapshot --lock-timeout 0 s dest
	[[ $stderr == *dest* ]]
	exec 7>&-
	start_s3
	echo "$(uname -n) $$ 2026-05-03T12:00:00.000Z" | lh-store put s3://bucket/p lock >/dev/null
	run -2 --separate-stderr lh-store snapshot s s3://bucket/p
	[[ $stderr == *"another snapshot is written there, by "* ]]
	(exit 0) &
	wait $!
	echo "$(uname -n) $! 2026-05-03T12:00:00.000Z" | lh-store put s3://bucket/p lock >/dev/null
	lh-store snapshot s s3://bucket/p >/dev/null
	run -1 lh-store head s3://bucket/p lock
}

# there is something new to copy, however slow the writer is
before_fault() { a_look >/dev/null; }

after_fault() {
	[ "$3" = 137 ]
	rm -rf again
	lh-store verify dest >/dev/null
	lh-store restore dest again >/dev/null
	is_sound again
}

# bats test_tags=full
@test "killed at any call that changes a file, while the state is written, every snapshot that is listed restores and is sound" {
	local n last=0
	needs_strace
	a_state
	lh-store snapshot s dest >/dev/null
	while :; do a_change "x-$((last++))" && a_look && { [ $((last % 4)) != 0 ] || lh-index compact -q s/index/w.lhv; }; done >/dev/null 3>&- &
	writer=$!
	INJECT=signal=KILL STEP=9 at_each lh-store snapshot --keep 1h s dest
	kill $writer
	wait $writer || true
	writer=
	n=$(lh-store snapshots dest | wc -l)
	lh-store snapshot s dest >/dev/null
	[ "$(lh-store verify dest | jq -c 'select(.whole)' | wc -l)" = $((n + 1)) ]
	no_litter dest
}

# a_written_state - s: an index, a playbook whose answers are its records, and two transparency logs.
a_written_state() {
	mkdir -p s/index s/playbook s/tlog
	seq 3 | jq -c '{id: "w-\(.)", text: "welder \(.)"}' | lh-index build -q s/index/w.lhv
	for log in one two; do
		(umask 077 && lh-tlog keygen example.com/$log 2>/dev/null >$log.key)
		lh-tlog init s/tlog/$log --origin example.com/$log --key-file $log.key 2>/dev/null
	done
	write_one 0
}

# write_one N - a record, then the entry of a playbook that names it, then an entry of each log.
write_one() {
	a_change "x-$1"
	echo '{"query_text":"need '"$1"'","answer_id":"x-'"$1"'","answer_corpus":"w","score":1}' |
		lh-playbook record -q s/playbook/b.lhv >/dev/null
	for log in one two; do echo '{"n":'"$1"'}' | lh-tlog append -q --line s/tlog/$log --key-file $log.key >/dev/null; done
	[ $(($1 % 5)) != 4 ] || for file in s/index/w.lhv s/playbook/b.lhv; do lh-index compact -q $file; done
}

# agrees DIR - what is in it fits together, and is what the state has had.
agrees() {
	lh-index verify "$1"/index/w.lhv "$1"/playbook/b.lhv >/dev/null
	[ -z "$(comm -23 <(lh-playbook list "$1/playbook/b.lhv" | jq -r .answer_id | sort) <(lh-index dump "$1/index/w.lhv" | jq -r .id | sort))" ]
	for log in one two; do
		lh-tlog audit -q "$1/tlog/$log" >/dev/null
		lh-tlog audit -q --from "$1/tlog/$log/checkpoint" s/tlog/$log >/dev/null
	done
}

# bats test_tags=full
@test "killed while it copies, each snapshot has an index with its log, a playbook with what it names, and prefixes of transparency logs" {
	local n=1 kills=0
	needs_strace
	a_written_state
	lh-store snapshot -q s dest >/dev/null
	while write_one $n; do n=$((n + 1)); done 3>&- &
	writer=$!
	for call in write fsync rename renameat2; do
		for ((at = 1; at < 40; at += $(scale 13 1 1))); do
			a_change "new-$call-$at"	# which is copied, however slow the writer is
			run inject "$call:signal=KILL:when=$at" lh-store snapshot -q s dest
			injected || break
			kills=$((kills + 1))
		done
	done
	lh-store snapshot -q s dest >/dev/null
	kill $writer
	wait $writer || true
	writer=
	[ $kills -ge "$(scale 5 50 50)" ] || { echo "$kills kills"; return 1; }
	lh-store snapshots dest | jq -r .snapshot >times
	while read -r time; do
		rm -rf out
		lh-store restore -q --as-of "$time" dest out >/dev/null
		agrees out
	done <times
	[ "$(wc -l <times)" -ge 2 ]
	[ "$(lh-playbook list out/playbook/b.lhv | wc -l)" -gt 1 ]
}
