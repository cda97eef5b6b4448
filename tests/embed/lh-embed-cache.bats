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
	[[ $stderr == *'51 texts, 50 hits, 1 miss, hit rate 98.0 %, '* ]]
	[ "$(jq -c .texts log)" = '["t101"]' ]
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

@test "a damaged file is one error, never a wrong vector" {
	texts 1 200 >in
	embed in >want
	sqlite3 c.db 'PRAGMA integrity_check' | has -x ok
	cp c.db good.db
	size=$(stat -c %s c.db)
	refused=0
	for at in $(seq 17 $((size / $(scale 17 997))) $((size - 1))); do
		cp good.db c.db
		rm -f c.db-journal
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
	head -c $((size / 2)) good.db >c.db
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
}

@test "killed at any moment, it keeps what was answered before" {
	start_upstream --delay 0.01 --log calls
	texts 1 20000 >in
	for i in $(seq "$(scale 4 40)"); do
		# Not by the function, whose shell would be what is killed.
		lh-embed --engine openai --url "$URL" --cache c.db -j1 --batch 4 in >out 3>&- &
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

@test "a cache of before, with times of use and a log, is taken on" {
	texts 1 3 >in
	embed in >want
	sqlite3 c.db 'PRAGMA journal_mode=WAL; ALTER TABLE vectors RENAME TO v; PRAGMA user_version=1;
		CREATE TABLE vectors(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, used INTEGER NOT NULL, sum INTEGER NOT NULL, vector BLOB NOT NULL);
		CREATE INDEX by_use ON vectors(used);
		INSERT INTO vectors SELECT id, key, 1, sum, vector FROM v; DROP TABLE v' >mode
	rm log
	embed in | cmp - want
	[ ! -e log ]
	[ "$(sqlite3 c.db 'PRAGMA journal_mode')" = delete ]
}

@test "the file stays below --cache-max: the oldest go" {
	texts 1 20000 >in
	run -0 --separate-stderr embed -v --cache-max 1M --batch 500 in
	[[ ${stderr_lines[0]} =~ 'c.db: 0 hits, 20000 kept, '[1-9][0-9]*' dropped, '(0.9|1.0)' of 1.0 MiB in use' ]]
	[ "$(stat -c %s c.db)" -lt 1300000 ]
	rm log
	tail -n 100 in | embed --cache-max 1M >out
	[ ! -e log ]
	head -n 1 in | embed --cache-max 1M >out
	[ -e log ]
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
