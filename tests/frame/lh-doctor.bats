# lh doctor: each problem is planted and found; without it, it is not found.
load ../helper

setup() {
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || return 1
	unset LH_KEYS_FILE LH_S3_KEY_FILE LH_SUBJECT_AUDIT_KEY LH_DUCKDB
	mkdir data
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

@test "where all is well the exit status is 0, and each finding is an object of four strings" {
	doctor 0 data
	[ "$(jq -c '[keys, (map(type) | unique)]' ../found | sort -u)" = '[["check","detail","state","subject"],["string"]]' ]
	[ "$(jq -r .state ../found | sort -u)" = $'absent\nok' ]
	finding tools lh ok "^$(lh --all | grep -c '^  lh-') of $(lh --all | grep -c '^  lh-') of version 0.1.0\$"
	finding limit 'open files' ok '^[0-9]+ '
	finding library libcurl ok '^[0-9]+\.[0-9]'
	(ulimit -Sn 500; doctor 0; finding limit 'open files' warning '^500 ')
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
	finding tool lh-embed problem '^is not of version 0.1.0: lh-embed 0.0.9$'
	finding tool lh-search problem 'cannot open libx.so'
	finding tool lh-cat problem '^cannot run lh-cat: No such file or directory [(]./bootstrap builds all[)]$'
	nothing_about lh-index
}

@test "a key that others can read, or that is not a file, is a problem" {
	echo secret-of-mine >data/audit.key
	chmod 640 data/audit.key
	ln -s audit.key data/other.key
	doctor 1 data
	finding key data/audit.key problem 'mode 0640'
	finding key data/other.key problem 'not a regular file of yours'
	run -1 grep -q secret-of-mine ../found
	chmod 600 data/audit.key
	rm data/other.key
	doctor 0 data
	nothing_about audit.key
}

@test "the key files that the environment names are checked" {
	echo 'KIMI_API_KEY=secret-of-mine' >keys
	chmod 644 keys
	LH_SUBJECT_AUDIT_KEY=$PWD/keys doctor 1
	finding key "$PWD/keys" problem 'mode 0644'
	nothing_about LH_KEYS_FILE
	chmod 600 keys
	LH_SUBJECT_AUDIT_KEY=$PWD/keys doctor 0
	nothing_about keys
	LH_S3_KEY_FILE=$PWD/none doctor 1
	finding key "$PWD/none" problem 'No such file'
}

@test "an index that is cut short is a problem, in a folder below too" {
	mkdir data/index
	echo '{"id":"a","vector":[1,0]}' | lh-index build -q data/index/w.lhv
	doctor 0 data
	nothing_about w.lhv
	truncate -s -1 data/index/w.lhv
	doctor 1 data
	finding index data/index/w.lhv problem 'truncated'
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
	nothing_about jsonl
	chmod 644 "$log"
	doctor 1 data
	finding log "$log" problem 'mode 0644'
	chmod 606 "$log"
	doctor 1 data
	finding log "$log" problem 'mode 0606'
	nothing_about rows.jsonl
}

@test "a FIFO is not opened, and a folder that is not there is a problem" {
	mkfifo -m 600 data/pipe.audit.jsonl
	doctor 0 data
	doctor 1 none
	finding folder none problem 'No such file'
}

@test "for people the findings are rows, in colour on demand" {
	touch 'data/odd  name.key'
	chmod 644 data/odd*
	run -1 --separate-stderr lh doctor data
	[ -z "$stderr" ]
	[ "$(printf '%s\n' "${lines[@]}" | grep -c '^problem  key  *data/odd \\x20name.key  mode 0644 ')" = 1 ]
	[[ $output != *$'\e'* ]]
	[[ ${lines[-1]} == 'not ready; first: key data/odd \x20name.key: mode 0644 '* ]]
	[[ $(lh doctor | tail -n 1) =~ ^"ready: "[0-9]+" tools and 0 folders were looked at, and no log or index was verified"$ ]]
	run -1 lh doctor --color always data
	[[ $output == *$'\e[1;31mproblem\e[0m  key'* ]]
}
