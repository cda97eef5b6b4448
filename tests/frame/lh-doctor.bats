# lh doctor: each problem is planted and found; without it, it is not found.
load ../helper

setup() {
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || return 1
	unset LH_KEYS_FILE LH_S3_KEY_FILE LH_SUBJECT_AUDIT_KEY LH_KERNEL LH_DUCKDB LH_S3_ENDPOINT \
		LH_OPENAI_URL LANGFUSE_URL OLLAMA_MODELS LH_CACHE LH_EMBED_CACHE XDG_CACHE_HOME
	unset ${!LH_OLLAMA*} ${!LH_OPEN*} ${!LH_KIMI*} OLLAMA_CLOUD_KEY OPENROUTER_API_KEY OPENCODE_API_KEY KIMI_API_KEY
	mkdir home tmp data
	export HOME=$PWD/home TMPDIR=$PWD/tmp
}

# everything - what is in this folder, with its times and modes.
everything() {
	find . -printf '%p %T@ %C@ %m %s\n' | sort
}

# doctor STATUS [ARGUMENT]... - its findings in the file ../found; nothing is changed.
doctor() {
	everything >../before
	run "-$1" --separate-stderr lh doctor --json "${@:2}"
	[ -z "$stderr" ] || { echo "$stderr"; return 1; }
	printf '%s\n' "$output" >../found
	everything | alike ../before -
}

# finding CHECK SUBJECT STATE [DETAIL] - one finding is this, its detail matches that pattern.
finding() {
	jq -e -s --arg check "$1" --arg subject "$2" --arg state "$3" --arg detail "${4-}" \
		'map(select(.check == $check and .subject == $subject)) |
		length == 1 and (.[0] | .state == $state and (.detail | test($detail)))' ../found >/dev/null ||
		{ echo "not found: $*"; cat ../found; return 1; }
}

# nothing_about SUBJECT - no finding has it.
nothing_about() {
	run -1 grep -F -- "$1" ../found
}

# gone - the PID of a process that has ended.
gone() {
	sh -c 'echo $$'
}

@test "where all is well the exit status is 0, and each finding is an object of four strings" {
	doctor 0 data
	[ "$(jq -c '[keys, (map(type) | unique)]' ../found | sort -u)" = '[["check","detail","state","subject"],["string"]]' ]
	[ "$(jq -r .state ../found | sort -u)" = $'absent\nok' ]
	finding tools lh ok "^$(lh --all | grep -c '^  lh-') of $(lh --all | grep -c '^  lh-') of version 0.1.0\$"
	finding folder data absent 'no file is in it'
	finding kernel distances ok '^(portable|avx2|avx512)$'
	finding library libcurl ok '^[0-9]+\.[0-9]'
	finding service ollama absent 'not configured'
}

@test "a tool of another version, one that fails and one that is absent are problems" {
	mkdir bin
	cp "$(command -v lh)" bin/lh
	for tool in "$LH_BIN"/lh-*; do ln -s "$tool" bin/; done
	rm bin/lh-embed bin/lh-search bin/lh-cat
	printf '#!/bin/sh\necho lh-embed 0.0.9\n' >bin/lh-embed
	printf '#!/bin/sh\necho "lh-search: cannot open libx.so" >&2; exit 127\n' >bin/lh-search
	chmod +x bin/lh-embed bin/lh-search
	run -1 --separate-stderr env PATH=/usr/bin:/bin bin/lh doctor --json
	printf '%s\n' "$output" >../found
	finding tool lh-embed problem '^is version 0.0.9, and lh is 0.1.0$'
	finding tool lh-search problem 'cannot open libx.so'
	finding tool lh-cat problem 'lh-cat'
	nothing_about lh-index
}

@test "a key that others can read, or that is not a file, is a problem" {
	echo secret-of-mine >data/audit.key
	chmod 640 data/audit.key
	ln -s audit.key data/other.key
	doctor 1 data
	finding key data/audit.key problem 'mode 0640'
	finding key data/other.key problem 'symbolic link'
	run -1 grep -q secret-of-mine ../found
	chmod 600 data/audit.key
	rm data/other.key
	doctor 0 data
	nothing_about audit.key
	finding folder data ok 'keys: 1,'
}

@test "the key files that the environment names are checked" {
	echo 'KIMI_API_KEY=secret-of-mine' >keys
	chmod 644 keys
	LH_SUBJECT_AUDIT_KEY=$PWD/keys doctor 1
	finding key "$PWD/keys" problem 'mode 0644'
	finding key LH_KEYS_FILE absent
	chmod 600 keys
	LH_SUBJECT_AUDIT_KEY=$PWD/keys doctor 0
	finding key LH_SUBJECT_AUDIT_KEY ok keys
	LH_S3_KEY_FILE=$PWD/none doctor 1
	finding key "$PWD/none" problem 'No such file'
	# the keys of providers are read, but never shown
	LH_KIMI_URL=http://127.0.0.1:1 LH_KEYS_FILE=$PWD/keys doctor 0
	finding key LH_KEYS_FILE ok
	run -1 grep -q secret-of-mine ../found
	echo 'KIMI_API_KEY=secret of mine' >keys
	LH_KEYS_FILE=$PWD/keys doctor 1
	finding keys kimi problem 'line 1'
	run -1 grep -q 'of mine' ../found
}

@test "an audit log that all users can read is a problem, another log is not" {
	head -c 32 /dev/urandom >data/k.key
	chmod 600 data/k.key
	echo '{"accessor":{"kind":"system","daemon":"d","purpose":"p","trace_id":""},"candidate_id":"W-1","fields_accessed":["name"],"result":"success"}' >row
	lh-subject-audit append --key-file data/k.key --dir data/subjects row
	log=$(echo data/subjects/*.jsonl)
	echo '{"a":1}' >data/rows.jsonl
	chmod 644 data/rows.jsonl
	doctor 0 data
	finding folder data ok 'audit logs: 1,'
	chmod 644 "$log"
	doctor 1 data
	finding log "$log" problem 'mode 0644 lets all users read'
	chmod 606 "$log"
	doctor 1 data
	finding log "$log" problem 'mode 0606 lets all users change'
	nothing_about rows.jsonl
}

@test "an index that cannot be opened is a problem, with --deep each byte that is damaged" {
	for i in {1..20}; do echo "{\"id\":\"w$i\",\"vector\":[1,$i]}"; done | lh-index build data/a.lhv
	cp data/a.lhv data/b.lhv
	cp data/a.lhv data/c.lhv
	truncate -s 4000 data/b.lhv
	printf 'X' | dd of=data/c.lhv bs=1 seek=$(($(stat -c %s data/c.lhv) - 200)) conv=notrunc status=none
	doctor 1 data
	finding index data/b.lhv problem '^truncated: 4000 bytes'
	nothing_about a.lhv
	nothing_about c.lhv
	cp data/a.lhv data/b.lhv
	doctor 0 data
	doctor 1 --deep data
	finding index data/c.lhv problem ':'
	nothing_about b.lhv
	printf 'X' | dd of=data/b.lhv bs=1 seek=30 conv=notrunc status=none
	doctor 1 data
	finding index data/b.lhv problem 'header'
}

@test "a lock whose process has ended is a warning, one that is held is not" {
	echo '{"id":"a","vector":[1]}' | lh-index build data/w.lhv
	gone >data/w.lhv-lock
	touch data/x.lock data/notes.lock.txt
	echo 'not a lock' >data/mine.lock
	exec 8>data/held.lock
	flock -n 8
	echo $$ >&8
	doctor 0 data
	finding lock data/w.lhv-lock warning "^taken 0 min ago by process $(cat data/w.lhv-lock), which has ended"
	finding lock data/x.lock warning 'by no process'
	nothing_about held.lock
	nothing_about mine.lock
	nothing_about notes
	finding folder data ok 'locks: 3,'
	exec 8>&-
	doctor 0 data
	finding lock data/held.lock warning
	touch -d '3 hours ago' data/x.lock
	doctor 0 data
	finding lock data/x.lock warning 'taken 3 h ago'
}

@test "a FIFO is not opened, a certificate is no key, and a folder without a name is a problem" {
	mkfifo data/pipe.jsonl data/pipe.lock
	echo row >data/pipe.jsonl 3>&- &
	echo '-----BEGIN CERTIFICATE-----' >data/cert.pem
	chmod 644 data/cert.pem
	doctor 0 data
	nothing_about pipe
	nothing_about cert
	kill -0 $!	# it still waits for its reader
	[ "$(patiently cat data/pipe.jsonl)" = row ]
	echo '-----BEGIN PRIVATE KEY-----' >>data/cert.pem
	doctor 1 data
	finding key data/cert.pem problem 'mode 0644'
	doctor 1 ''
	finding folder '' problem 'No such file'
}

@test "a service that answers is reachable, another is a warning, and no password is shown" {
	python3 -c '
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
s.accept()[0].recv(1)' >port 3>&- &
	until_so test -s port
	LH_OLLAMA_URL=http://127.0.0.1:$(cat port) doctor 0
	finding service ollama ok "^http://127.0.0.1:$(cat port): reachable\$"
	wait
	LH_OLLAMA_URL=http://me:secret@127.0.0.1:1 LH_S3_ENDPOINT=http://127.0.0.1:1 \
		doctor 0 --service http://127.0.0.1:2/x --service http://me:secret@127.0.0.1:3
	finding service ollama warning 'not reachable: '
	finding service LH_S3_ENDPOINT warning 'not reachable: '
	finding service http://127.0.0.1:2/x warning 'not reachable: '
	LH_OPENAI_URL='http://127.0.0.1:1/v1?key=secret' doctor 0
	finding service LH_OPENAI_URL warning '^http://127.0.0.1:1/v1: not reachable: '
	run -1 grep -q secret ../found
	doctor 1 --service ftp://x
	finding service ftp://x problem 'not an http'
}

@test "for people the findings are a table, with a line of the numbers at its end" {
	gone >data/w.lock
	touch 'data/odd  name.key'
	chmod 644 data/odd*
	run -1 --separate-stderr lh doctor data
	[ -z "$stderr" ]
	[ "${lines[-1]}" = "1 problem, 1 warning, $(printf '%s\n' "${lines[@]}" | grep -c '^ok  ') ok" ]
	[ "$(printf '%s\n' "${lines[@]}" | grep -c '^problem  key  *data/odd \\x20name.key  *mode 0644 ')" = 1 ]
	[ "$(printf '%s\n' "${lines[@]}" | grep -c '^warning  lock  *data/w.lock  ')" = 1 ]
	[[ $output != *$'\e'* ]]
	run -1 lh doctor --color always data
	[[ $output == *$'\e[1;31mproblem\e[0m  key'* ]]
	[[ $output == *$'\e[1;33mwarning\e[0m  lock'* ]]
}

@test "the options of doctor are of no other command" {
	run -2 lh list --service http://x
	run -2 lh help --json
}
