# lh-embed --cache: vectors of a service kept in a file across runs.
load ../helper
load ../servers/server

setup_file() { share_upstream; }

teardown_file() { stop_upstreams; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	share_log
	unset LH_EMBED_CACHE LH_OPENAI_API_KEY
}

teardown() {
	stop_upstreams
	[ -z "${held:-}" ] || kill -KILL "$held" 2>/dev/null || true
	faults_happened
}

# embed [OPTION]... : one thread, this test's service, the file c.db
embed() {
	lh-embed --engine openai --url "$URL" --cache c.db -j1 "$@"
}

# texts FIRST LAST : t1, t2, ...
texts() {
	seq "$1" "$2" | sed 's/.*/{"text":"t&"}/'
}

# fails_saying MESSAGE [OPTION]... : exit 2, that one line, no output, nothing asked
fails_saying() {
	local message=$1
	shift
	run -2 --separate-stderr embed "$@" in
	[ -z "$output" ]
	[ "$stderr" = "lh-embed: --cache: $message" ] || { echo "$stderr"; return 1; }
	[ ! -e log ]
}

rows() {
	sqlite3 c.db 'SELECT count(*) FROM vectors'
}

@test "what a run was answered the next does not ask for, and gives the same bytes" {
	texts 1 100 >in
	run -0 --separate-stderr embed -v in
	echo "$output" >first
	[[ ${stderr_lines[0]} == 'lh-embed: c.db: 0 hits, 100 kept, 0 dropped, 0.'?' of 1024.0 MiB in use' ]]
	[ "$(stat -c %a c.db)" = 600 ]
	[ "$(ls c.db*)" = c.db ]
	rm log
	texts 51 101 >in
	run -0 --separate-stderr embed -v in
	alike <(head -n 50 <<<"$output") <(tail -n 50 first)
	[[ ${stderr_lines[0]} == 'lh-embed: c.db: 50 hits, 1 kept, 0 dropped, '* ]]
	[[ $stderr == *'51 texts, 50 hits, 1 misses, hit rate 98.0 %, '* ]]
	[ "$(jq -c .texts log)" = '["t101"]' ]
}

@test "the file serves --raw, any --cache-size and any -j alike" {
	texts 1 40 >in
	embed --raw in >raw
	lh-embed --engine openai --url "$URL" -j1 in >unit
	rm log
	embed in | cmp - unit
	for size in 0 1 5; do
		lh-embed --engine openai --url "$URL" --cache c.db -j4 --batch 3 --cache-size $size --raw in | cmp - raw
	done
	[ ! -e log ]
}

@test "engines and models are kept apart" {
	echo '{"texts":["a"]}' >in
	embed in >out
	embed --model m in >>out
	lh-embed --engine ollama --model m --url "$URL" --cache c.db in >>out
	[ "$(wc -l <log)" = 3 ]
	[ "$(rows)" = 3 ]
	embed --model m in | cmp - <(sed -n 2p out)
	[ "$(wc -l <log)" = 3 ]
}

@test "engine hash has no use for it, LH_EMBED_CACHE is its default" {
	echo '{"text":"a"}' | lh-embed --cache c.db >out
	[ ! -e c.db ]
	for t in a b c; do echo "{\"id\":\"$t\",\"text\":\"$t\"}"; done >in
	export LH_EMBED_CACHE=$PWD/c.db LH_OPENAI_URL=$URL
	lh-index build --engine openai a.lhv in
	[ "$(rows)" = 3 ]
	rm log
	lh-index build --engine openai b.lhv in
	[ "$(lh-search -Q b -k 1 b.lhv | jq -r '.results[0].id')" = b ]
	[ ! -e log ]
}

@test "a name is that of a file, also where SQLite has something else by it" {
	texts 1 2 >in
	for name in :memory: 'file:c.db?mode=memory' '-c d.db'; do
		embed --cache="$name" in >out
		[ "$(sqlite3 "$PWD/$name" 'SELECT count(*) FROM vectors')" = 2 ]
	done
}

@test "a file that is not a cache is refused and left as it is" {
	texts 1 2 >in
	head -c 30000 /dev/urandom >c.db
	cp c.db was
	fails_saying 'c.db: not a cache of lh-embed'
	cmp c.db was
	rm c.db
	sqlite3 c.db 'CREATE TABLE vectors(key, vector); INSERT INTO vectors VALUES(1, 2)'
	cp c.db was
	fails_saying 'c.db: not a cache of lh-embed'
	cmp c.db was
	rm c.db
	mkdir d
	fails_saying 'd: not a regular file' --cache d
	mkfifo f
	fails_saying 'f: not a regular file' --cache f
	fails_saying 'no/c.db: cannot create: No such file or directory' --cache no/c.db
	fails_saying '/dev/null: not a regular file' --cache /dev/null
}

@test "a file of another version, or with another program's schema, is refused" {
	texts 1 2 >in
	embed in >out
	rm log
	cp c.db good.db
	sqlite3 c.db 'PRAGMA user_version=2'
	fails_saying 'c.db: a cache of version 2; this lh-embed knows version 1'
	cp good.db c.db
	sqlite3 c.db 'CREATE TRIGGER evil AFTER UPDATE ON vectors BEGIN DELETE FROM vectors; END'
	fails_saying 'c.db: not a cache of lh-embed'
	cp good.db c.db
	sqlite3 c.db 'DROP INDEX by_use'
	fails_saying 'c.db: not a cache of lh-embed'
	: >c.db
	embed in | cmp - out
	[ "$(rows)" = 2 ]
}

@test "a damaged file is one error, never a wrong vector" {
	texts 1 200 >in
	embed in >want
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
	cp c.db good.db
	size=$(stat -c %s c.db)
	refused=0
	for at in $(seq 17 $((size / $(scale 17 997))) $((size - 1))); do
		cp good.db c.db
		rm -f c.db-wal c.db-shm
		printf U | dd of=c.db bs=1 seek="$at" conv=notrunc status=none
		run --separate-stderr embed in
		if [ "$status" = 2 ]; then
			refused=$((refused + 1))
			[[ $stderr == 'lh-embed: '*'c.db: '* ]]
			[ "${#stderr_lines[@]}" = 1 ]
		else
			[ "$status" = 0 ]
			[ "$output" = "$(<want)" ]
		fi
	done
	[ "$refused" -ge 3 ]
	head -c 40000 good.db >c.db
	run -2 --separate-stderr embed in
	[ "$stderr" = 'lh-embed: c.db: damaged; remove it, and it is made anew' ] || [[ $stderr == 'lh-embed: --cache: c.db: damaged'* ]]
}

@test "a vector with a wrong checksum, or that is not a vector, is damage" {
	texts 1 3 >in
	embed in >want
	cp c.db good.db
	for change in "vector=x'0000000000000000000000000000000000000000000000000000000000000000'" "vector=x''" "vector=x'010203'" \
		"sum=sum+1" "vector=zeroblob(600000)" "vector=zeroblob(2000000)" "vector='abcd'" "vector=5"; do
		cp good.db c.db
		sqlite3 c.db "UPDATE vectors SET $change WHERE id=2"
		run -2 --separate-stderr embed in
		[ "$stderr" = 'lh-embed: c.db: damaged; remove it, and it is made anew' ] || { echo "$change: $stderr"; false; }
	done
	for used in 9223372036854775807 -9223372036854775808 "'x'"; do
		cp good.db c.db
		sqlite3 c.db "UPDATE vectors SET used=$used"
		{ cat in; echo '{"text":"more"}'; } | embed | first 3 | cmp - want
	done
}

@test "--cache-max bounds the file: what was used longest ago goes, what is used stays" {
	URL=$URL/mode/wide
	texts 1 10 >few
	embed --cache-max 1M few >out
	for i in 1 2 3 4 5; do
		texts $((i * 100)) $((i * 100 + 99)) >in
		embed --cache-max 1M in >>out
		embed --cache-max 1M few >out
	done
	[ "$(stat -c %s c.db)" -le 1179648 ]
	[ "$(rows)" -ge 100 ]
	rm log
	embed few >out
	texts 590 599 | embed >out
	[ ! -e log ]
	texts 100 100 | embed >out
	[ "$(jq -c .texts log)" = '["t100"]' ]
	texts 1000 1999 | embed >out
	[ "$(stat -c %s c.db)" -ge 4000000 ]
	texts 3000 3000 | embed --cache-max 1M >out
	[ "$(stat -c %s c.db)" -le 1179648 ]
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
}

@test "several processes make one file, and fill it at once" {
	for i in 1 2 3 4 5 6; do
		texts $((i * 50)) $((i * 50 + 99)) | lh-embed --engine openai --url "$URL" --cache c.db -j2 --batch 7 >"out$i" 2>"err$i" &
	done
	for pid in $(jobs -p | tail -n 6); do wait "$pid"; done
	[ ! -s err1 ] || { cat err1; false; }
	[ -z "$(cat err?)" ]
	[ "$(cat out? | sort -u | wc -l)" = 350 ]
	[ "$(rows)" = 350 ]
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
}

@test "eight processes that begin with no file make one, and none fails" {
	texts 1 3 >in
	for _ in $(seq "$(scale 3 200)"); do
		rm -f c.db* go
		mkfifo go
		exec 9<>go
		for i in 1 2 3 4 5 6 7 8; do
			{ read -r _; embed in >"out$i" 2>"err$i" || echo "status $?" >>"err$i"; } <&9 3>&- 9>&- &
			pids[i]=$!
		done
		printf '\n%.0s' {1..8} >&9
		wait "${pids[@]}"
		exec 9>&-
		[ -z "$(cat err?)" ] || { cat err?; false; }
		[ "$(sort -u out? | wc -l)" = 3 ]
		[ "$(rows)" = 3 ]
	done
}

@test "one that is stopped anywhere while it looks at a new file meets the cache that another made" {
	needs_strace
	texts 1 3 >in
	strace -qq -o calls -e trace=fcntl,flock lh-embed --engine openai --url "$URL" --cache c.db in >want
	# before it holds the lock with which it writes rows
	sed -n '/^flock/q; p' calls >locks
	free=$(grep -n 'F_UNLCK, l_whence=SEEK_SET, l_start=0, l_len=0' locks | cut -d: -f1 | first 6)
	[ "$(wc -w <<<"$free")" -ge 3 ]
	for n in $free; do
		rm -f c.db* trace
		inject fcntl:signal=STOP:when="$n" \
			lh-embed --engine openai --url "$URL" --cache c.db in >out 2>err 3>&- &
		pid=$!
		until_so grep -qs 'stopped by SIGSTOP' trace
		held=$(pgrep -P "$(pgrep -P $pid)")
		run -0 --separate-stderr embed in
		[ -z "$stderr" ]
		kill -CONT "$held"
		wait $pid || { cat err; false; }
		cmp out want
		[ ! -s err ]
		[ "$(rows)" = 3 ]
	done
}

# reads HOW : another program that has c.db open, in the background; it makes a
# file named ready first, and ends when there is one named end.  held: one read
# that does not end.  endless: there is always one, none takes long.
reads() {
	python3 -c 'import os, sqlite3, sys, time
a, b = [sqlite3.connect("c.db", isolation_level=None) for _ in "ab"]
def begin(c):
    c.execute("BEGIN")
    c.execute("SELECT count(*) FROM vectors").fetchone()
begin(a)
open("ready", "w").close()
while not os.path.exists("end"):
    time.sleep(0.01)
    if sys.argv[1] == "endless":
        begin(b)
        a.execute("ROLLBACK")
        a, b = b, a' "$1" 3>&- &
	held=$! reader=$!
	until_so [ -e ready ]
}

@test "the log next to the file stays short, however many write and read" {
	URL=$URL/mode/wide
	texts 1 1 | embed --cache-max 1M >out
	reads endless
	for i in 1 2 3 4; do
		texts $((i * 1000)) $((i * 1000 + $(scale 599 5999))) |
			lh-embed --engine openai --url "$URL" --cache c.db --cache-max 1M -j2 --batch 16 >"out$i" 2>"err$i" 3>&- &
		pids[i]=$!
	done
	for i in 1 2 3 4; do wait "${pids[i]}"; done
	[ -z "$(cat err?)" ]
	[ "$(stat -c %s c.db-wal)" -le 12000000 ]
	: >end
	wait $reader
	[ "$(stat -c %s c.db)" -le 1048576 ]
	[ "$(rows)" -ge 100 ]
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
}

# bats test_tags=plain-only
@test "a log that another program holds on to grows to a bound, and nothing more is kept" {
	URL=$URL/mode/wide
	texts 1 1 | embed >out
	reads held
	texts 1000 "$(scale 5999 30000)" >in
	run -0 --separate-stderr embed --batch 16 in
	[ "${#lines[@]}" = "$(wc -l <in)" ]
	[ "$stderr" = "lh-embed: c.db-wal: another program reads on in it; nothing more is kept until it ends" ]
	[ "$(stat -c %s c.db-wal)" -le 24000000 ]
	: >end
	wait $reader
	embed in | cmp - <(echo "$output")
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
}

@test "the file stays within --cache-max while what is in it changes" {
	URL=$URL/mode/wide
	for i in $(seq "$(scale 8 50)"); do
		texts $((i * 100)) $((i * 100 + 170)) | embed --cache-max 1M --batch $((i * 7)) >out
		[ "$(stat -c %s c.db)" -le 1048576 ]
	done
	[ "$(rows)" -ge 100 ]
}

@test "killed at any moment, it keeps what was answered before" {
	start_upstream --delay 0.01 --log calls
	texts 1 20000 >in
	for i in $(seq "$(scale 4 40)"); do
		embed --batch 4 in >out 3>&- &
		pid=$!
		until_so has_lines calls $((RANDOM % 40 + 2))
		kill -KILL $pid
		wait $pid || true
		rm calls
	done
	run -0 --separate-stderr embed -v <(texts 1 4)
	[[ $stderr == *'c.db: 4 hits, 0 kept'* ]]
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
}

@test "a full disk costs no answer, and is reported once" {
	needs_strace
	texts 1 200 >in
	lh-embed --engine openai --url "$URL" in >want
	for from in 1 2 3 4 6 9 14 30; do
		rm -f c.db*
		run -0 --separate-stderr inject pwrite64:error=ENOSPC:when=$from+ \
			lh-embed --engine openai --url "$URL" --cache c.db -j1 --batch 10 in
		[ "$output" = "$(<want)" ]
		[ "${#stderr_lines[@]}" -le 1 ]
		[ "$from" -gt 4 ] || [[ $stderr == 'lh-embed: c.db: '*'; going on without what it keeps' ]]
	done
}

@test "another process's lock is waited for" {
	texts 1 10 >in
	embed <<<'{"text":"t1"}' >out
	python3 -c 'import sqlite3, time
c = sqlite3.connect("c.db", isolation_level=None)
c.execute("BEGIN IMMEDIATE")
open("locked", "w")
time.sleep(1)' 3>&- &
	holder=$!
	until_so [ -e locked ]
	run -0 --separate-stderr embed in
	[ -z "$stderr" ]
	[ "$(rows)" = 10 ]
	wait $holder
}

@test "a lock that is held too long when the run begins costs no answer either" {
	[ "$LH_SCALE" = soak ] || skip "waits ten seconds: make soak"
	texts 1 10 >in
	embed in >want
	python3 -c 'import sqlite3, time
c = sqlite3.connect("c.db", isolation_level=None)
c.execute("PRAGMA locking_mode=EXCLUSIVE")
c.execute("BEGIN IMMEDIATE")
open("locked", "w")
time.sleep(60)' 3>&- &
	holder=$!
	until_so [ -e locked ]
	run -0 --separate-stderr embed in
	[ "$output" = "$(<want)" ]
	[ "$stderr" = 'lh-embed: c.db: database is locked; going on without what it keeps' ]
	kill -0 $holder
	kill $holder
	wait $holder || true
}

@test "a model whose dimension has changed is refused, with the reason" {
	texts 1 2 | embed >out
	URL=$URL/mode/wide
	texts 2 3 >in
	run -2 --separate-stderr embed in
	[[ $stderr == *'vector 1 has dimension 1024, those in --cache 8'* ]]
	texts 3 3 | embed >out
	# by now this run knows better: what the file has of the other kind is asked for again
	texts 3 3 >in
	texts 1 1 >>in
	embed --batch 1 in >out
	[ "$(jq .dimension out | xargs)" = '1024 1024' ]
}

# within_lock TRACE - every write to the file and its log happened while the lock was held.
within_lock() {
	awk '/^[0-9]* *flock\(.*c\.db-lock.*LOCK_EX/ && / = 0$/ { held = 1 }
		/^[0-9]* *flock\(.*c\.db-lock.*LOCK_UN/ { held = 0 }
		/pwrite64\(.*c\.db(-wal)?>/ { all++; if (!held && begun) { print "outside: " $0; bad = 1 } }
		held { begun = 1 }
		END { exit bad || !begun || all < 3 }' "$1"
}

@test "it writes and restarts its log while it holds a lock that SQLite does not know" {
	needs_strace
	embed <<<'{"text":"t1"}' >out
	texts 2 300 >in
	strace -f -qq -y -o calls -e trace=flock,pwrite64 \
		lh-embed --engine openai --url "$URL" --cache c.db -j1 --batch 10 in >out
	within_lock calls
	[ ! -e c.db-lock ]
	[ "$(rows)" = 300 ]
}

@test "a lock that is held is waited for, and then the rows are kept" {
	needs_strace
	embed <<<'{"text":"t1"}' >out
	texts 1 10 >in
	exec 8>c.db-lock
	flock 8
	strace -f -qq -y -o calls -e trace=flock \
		lh-embed --engine openai --url "$URL" --cache c.db -j1 in >out 2>err 3>&- 8>&- &
	pid=$!
	until_so grep -qs 'c.db-lock.*EAGAIN' calls
	[ "$(rows)" = 1 ]
	exec 8>&-
	wait $pid || { cat err; false; }
	[ ! -s err ]
	[ "$(rows)" = 10 ]
}

@test "eight writers of which some are killed lose nothing that they answered" {
	local n=0
	start_upstream --delay 0.002
	texts 1 4000 >in
	for round in $(seq "$(scale 2 30)"); do
		for i in 1 2 3 4 5 6 7 8; do
			lh-embed --engine openai --url "$URL" --cache c.db -j2 --batch 3 --cache-size 0 \
				<(shuf --random-source=<(yes "$round$i") in | first 400) >"out$i" 2>"err$i" 3>&- &
			pids[i]=$!
		done
		for i in 1 2 3 4; do
			until_so has_lines "out$i" $((RANDOM % 40 + 2))
			kill -KILL "${pids[i]}" 2>/dev/null || true
		done
		for i in 1 2 3 4 5 6 7 8; do wait "${pids[i]}" || n=$((n + 1)); done
		cat out[5-8] >>whole
		for i in 1 2 3 4; do head -n "$(wc -l <"out$i")" "out$i" >>whole; done
	done
	[ "$n" -gt 0 ]
	[ -z "$(cat err[5-8])" ] || { cat err?; false; }
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
	jq -c '{text}' whole | sort -u >answered
	run -0 --separate-stderr embed -v answered
	[[ $stderr == *"c.db: $(wc -l <answered) hits, 0 kept"* ]]
}
