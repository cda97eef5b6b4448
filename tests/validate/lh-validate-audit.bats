# lh-validate --audit-log: whom a validator looked up.
load ../helper
load ../audit

# fill ID... - a fill of these workers, as a request.
fill() {
	printf '%s\n' "$@" | jq -Rnc '{kind: "fill", artifact: {fills: [inputs | {candidate_id: ., name: "Ada"}]}}'
}

# fills N ID... - N requests, each for one worker, in turn.
fills() {
	local n=$1
	shift
	printf '%s\n' "$@" | awk -v n="$n" '{ id[NR - 1] = $0 } END {
		for (k = 0; k < n; k++)
			printf "{\"kind\":\"fill\",\"artifact\":{\"fills\":[{\"candidate_id\":\"%s\",\"name\":\"Ada\"}]}}\n", id[k % NR] }'
}

roster() {
	for id in "$@"; do echo '{"candidate_id":"'"$id"'","name":"Ada"}'; done >roster.jsonl
	mkdir -p d
	export LH_ROSTER=roster.jsonl
}

# bare ID RESULT - its row at noon, without the chain.
bare() {
	echo '{"schema":"subject_audit.v1","ts":"2026-05-03T12:00:00.000Z","candidate_id":"'"$1"'","accessor":{"kind":"validator_lookup","daemon":"lh-validate","purpose":"validator_worker_lookup","trace_id":"'"${3:-}"'"},"fields_accessed":["exists"],"result":"'"$2"'"}'
}

# counts - each log's name, rows and state.
counts() {
	lh-subject-audit verify --dir d | jq -r '[.file[2:-12], .count, .state] | map(tostring) | join(" ")'
}

# ---- rows ----

@test "every look-up leaves a row in that worker's log, with the result" {
	roster W-1 W-2
	run -1 --separate-stderr env LH_TRACE_ID=t-7 lh-validate --audit-log d --now 2026-05-03T12:00:00Z < <(
		fill W-1 W-2
		fill nobody
		fill W-1
		echo '{"kind":"email","artifact":{"to":"a","body":"Hi Ada"},"context":{"candidate_id":"w-1"}}'
		echo '{"kind":"sms","artifact":{"to":"1","body":"Hi Ada","_context":{"candidate_id":"W-2"}}}'
	)
	[ -z "$stderr" ]
	diff <(counts) - <<-'END'
	W-1 3 intact
	W-2 2 intact
	nobody 1 intact
	END
	diff <(for i in 1 2 3; do bare W-1 success t-7; done | oracle write key) d/W-1.audit.jsonl
	diff <(bare nobody not_found t-7 | oracle write key) d/nobody.audit.jsonl
	oracle verify key --name W-2 d/W-2.audit.jsonl | jq -e .verified
}

@test "with the time fixed and no trace a row is these bytes" {
	roster W-1
	fill W-1 | lh-validate --audit-log d --now 2026-05-03T09:00:00Z
	run -0 cat d/W-1.audit.jsonl
	[ "$output" = '{"schema":"subject_audit.v1","ts":"2026-05-03T09:00:00.000Z","candidate_id":"W-1","accessor":{"kind":"validator_lookup","daemon":"lh-validate","purpose":"validator_worker_lookup","trace_id":""},"fields_accessed":["exists"],"result":"success","prev_chain_hash":"GENESIS","row_hmac":"81167e92a678a0449a1456572454faae802339874e5aa852ca913faf92e0e366"}' ]
}

@test "what is not looked up leaves no row: no roster, a rule that comes before, an id seen twice, a playbook" {
	roster W-1
	{
		fill W-1 W-1
		fill '  '
		echo '{"kind":"fill","artifact":{"fills":[{"candidate_id":"W-1","name":"Ada"}]},"context":{"target_count":2}}'
		echo '{"kind":"sms","artifact":{"to":"1","body":"123-45-6789"},"context":{"candidate_id":"W-1"}}'
		echo '{"kind":"playbook","artifact":{"operation":"fill: x","endorsed_names":["Ada"],"fingerprint":"f"}}'
	} >in
	run -1 lh-validate --audit-log d in
	[ "$(counts)" = "W-1 1 intact" ]
	unset LH_ROSTER
	run -1 lh-validate --wire --audit-log d in
	[ "$(counts)" = "W-1 1 intact" ]
	run -2 lh-validate --audit-log d in
	[ "$(counts)" = "W-1 1 intact" ]
}

@test "who was found is written under the roster's own id, who was not as the request has it" {
	echo '{"candidate_id":" W_1 ","name":"Ada"}' >roster.jsonl
	mkdir d
	export LH_ROSTER=roster.jsonl
	{
		fill ' w_1 '
		fill W_1
		echo '{"kind":"sms","artifact":{"to":"1","body":"Hi Ada"},"context":{"candidate_id":"\tw_1\n"}}'
		fill W/1
		fill ' W_2 '
		fill 'café "q" </&>' | jq -c '.artifact.fills[0].candidate_id += "\u0001\u0000"'
	} >in
	run -1 --separate-stderr lh-validate --audit-log d --now 2026-05-03T12:00:00Z in
	[ -z "$stderr" ]
	diff <(for i in 1 2 3; do bare W_1 success; done | oracle write key) d/W_1.audit.jsonl
	diff <(bare W/1 not_found | oracle write key) "$(named W/1 .audit.jsonl)"
	diff <(bare ' W_2 ' not_found | oracle write key) "$(named ' W_2 ' .audit.jsonl)"
	run -0 jq -c .candidate_id d/caf*
	[ "$output" = '"café \"q\" </&>\u0001\u0000"' ]
	[ "$(ls d | wc -l)" = 4 ]
	oracle verify key d/*.jsonl | jq -se 'all(.verified)'
}

@test "the id of an index's metadata is the one that is written, however the row was found" {
	echo '{"id":"r-1","text":"welder","candidate_id":"W_1","name":"Ada"}' | lh-index build -q --dimension 64 roster.lhv
	mkdir d
	LH_ROSTER=roster.lhv lh-validate --audit-log d < <(fill ' w_1'; fill W_1)
	[ "$(counts)" = "W_1 2 intact" ]
}

@test "--audit-required: a look-up that left no row is verdict 503 and exit 1, and no other verdict changes" {
	roster W-1 W-2
	{ fill W-1; fill W-2; fill W-2 W-1; echo '{"kind":"playbook","artifact":{"operation":"fill: x","endorsed_names":["Ada"],"fingerprint":"f"}}'; } >in
	export LH_NOW=2026-05-03T12:00:00Z
	lh-validate in >plain
	lh-validate --audit-log d --audit-required in | cmp - plain
	diff <(counts) <(printf 'W-1 2 intact\nW-2 2 intact\n')
	printf torn >>d/W-1.audit.jsonl
	run -0 lh-validate -q --audit-log d in
	run -1 --separate-stderr lh-validate --audit-log d --audit-required in
	[ "$(jq -c .verdict.status <<<"$output" | tr '\n' ' ')" = "503 200 503 200 " ]
	[ "$(jq -c .verdict <<<"${lines[0]}")" = '{"status":503,"error":{"message":"a look-up left no row in the audit log"}}' ]
	alike <(sed -n '2p;4p' plain) <(sed -n '2p;4p' <<<"$output")
	[ "${#stderr_lines[@]}" = 3 ]
	[ "${stderr_lines[2]}" = 'lh-validate: audit log: 2 look-ups left no row' ]
	run -1 --separate-stderr lh-validate --audit-log d --audit-required --wire in
	[[ ${lines[0]} == *'"message":"a look-up left no row in the audit log"'* ]]
	run -2 --separate-stderr lh-validate --audit-required in
	[ "$stderr" = 'lh-validate: --audit-required: needs --audit-log' ]
}

@test "--audit-required: an id that no log can have is verdict 400; with a lost row next to it 503" {
	roster W-1 W-2
	long=$(printf '%0100000d' 0)
	{ fill "$long"; fill .W; fill W-2; fill W-1 "$long"; } >in
	printf torn >d/W-1.audit.jsonl
	run -1 --separate-stderr lh-validate --audit-log d --audit-required in
	[ "$(jq -c '[.verdict.status, .verdict.error.message]' <<<"$output" | paste -sd' ')" = \
		'[400,"candidate_id is too long: over 200 bytes"] [400,"candidate_id \".W\" begins with a dot"] [200,null] [503,"a look-up left no row in the audit log"]' ]
	# without it the look-up is judged, and reported
	run -1 --separate-stderr lh-validate --audit-log d in
	[ "$(jq -c .verdict.status <<<"$output" | paste -sd' ')" = '422 422 200 422' ]
}

@test "a worker's rows come in the order of the look-ups, on any number of threads" {
	roster W-1 W-2 W-3
	fills "$(scale 6000 200000)" W-1 W-9 W-2 W-1 W-3 >in
	run -1 --separate-stderr lh-validate -j4 --audit-log d in
	[ -z "$stderr" ]
	jq -r .ts d/W-1.audit.jsonl >ts
	[ "$(wc -l <ts)" = $(($(wc -l <in) * 2 / 5)) ]
	LC_ALL=C sort -c ts
}

@test "a worker looked up over and over has one log of so many rows" {
	n=$(scale 20000 1000000)
	roster W-1
	fills "$n" W-1 >in
	patiently lh-validate --audit-log d in >/dev/null
	[ "$(counts)" = "W-1 $n intact" ]
}

@test "an artifact with more look-ups than are gathered" {
	roster $(seq 4500)
	jq -nc '{kind: "fill", artifact: {fills: [range(1; 4501) | {candidate_id: "\(.)", name: "Ada"}]}}' >in
	run -0 --separate-stderr lh-validate --audit-log d in
	[ -z "$stderr" ]
	[ "$(counts | grep -c ' 1 intact')" = 4500 ]
}

# ---- what goes wrong ----

@test "the verdicts and the status are the same with and without a log, also when rows cannot be written" {
	roster W-1 W-2
	{ fill W-1 W-2; fill W-1; } >in
	export LH_NOW=2026-05-03T12:00:00Z
	lh-validate in >plain
	lh-validate --audit-log d in | cmp - plain
	at=$(wc -c <d/W-1.audit.jsonl)
	printf torn >>d/W-1.audit.jsonl
	run -0 --separate-stderr lh-validate --audit-log d in
	[ "$output" = "$(cat plain)" ]
	diff - <(echo "$stderr") <<-END
	lh-validate: audit log: 2 look-ups of 'W-1' left no row: d/W-1.audit.jsonl: the last line, at byte $at, is torn; repair the log first
	lh-validate: audit log: 2 look-ups left no row
	END
	diff <(counts) <(printf 'W-1 2 torn\nW-2 2 intact\n')
	lh-subject-audit repair d/W-1.audit.jsonl
	lh-validate --audit-log d in | cmp - plain
	diff <(counts) <(printf 'W-1 4 intact\nW-2 3 intact\n')
}

@test "each way in which a row can fail is reported, and other workers' rows are written" {
	long=$(printf 'x%.0s' {1..201})
	roster W-1 W-2 a/b a_b .x "$long" link folder fifo
	bare a/b success | oracle write key >d/a_b.audit.jsonl
	head -c 32 /dev/urandom >other
	chmod 600 other
	fill W-2 | lh-validate --audit-log d --key-file other
	mkfifo d/fifo.audit.jsonl
	mkdir d/folder.audit.jsonl
	ln -s "$PWD/e" d/link.audit.jsonl
	run -0 --separate-stderr patiently lh-validate --audit-log d < <(fill .x W-1 "$long" W-2 a_b link folder fifo; fill W-1)
	[ "$(jq -r .verdict.status <<<"$output" | sort -u)" = 200 ]
	diff <(LC_ALL=C sort <<<"$stderr") - <<-END
	lh-validate: audit log: 1 look-up of '.x' left no row: candidate_id ".x" begins with a dot
	lh-validate: audit log: 1 look-up of 'W-2' left no row: d/W-2.audit.jsonl: the last row, at byte 0, is not one of its chain: row_hmac mismatch (or is it another key's?)
	lh-validate: audit log: 1 look-up of 'a_b' left no row: d/a_b.audit.jsonl: it belongs to another candidate_id
	lh-validate: audit log: 1 look-up of 'fifo' left no row: d/fifo.audit.jsonl: is a FIFO, not a regular file
	lh-validate: audit log: 1 look-up of 'folder' left no row: d/folder.audit.jsonl: is a directory, not a regular file
	lh-validate: audit log: 1 look-up of 'link' left no row: d/link.audit.jsonl: is a symbolic link, not a regular file
	lh-validate: audit log: 1 look-up of '${long:0:100}' left no row: candidate_id is too long: over 200 bytes
	lh-validate: audit log: 7 look-ups left no row
	END
	[ ! -e e ]
	[ "$(verdict count d/W-1.audit.jsonl)" = 2 ]
}

@test "messages are capped, counted, escaped, and silent but for the sum under -q" {
	roster W-1
	for i in {1..30}; do fill $'.\e[31m\u009b'"$i"; done >in
	run -1 --separate-stderr lh-validate --audit-log d in
	[ "${#stderr_lines[@]}" = 22 ]
	[ "${stderr_lines[20]}" = 'lh-validate: audit log: further messages suppressed (--verbose shows all)' ]
	[ "${stderr_lines[21]}" = 'lh-validate: audit log: 30 look-ups left no row' ]
	run ! grep -q -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' <<<"$stderr"
	run -1 --separate-stderr lh-validate --audit-log d -v in
	[ "${#stderr_lines[@]}" -ge 31 ]
	run -1 --separate-stderr lh-validate --audit-log d -q in
	[ "$stderr" = 'lh-validate: audit log: 30 look-ups left no row' ]
}

@test "a full disk or an I/O error is reported, changes no verdict, and leaves the log whole" {
	needs_strace
	roster W-1 W-2
	{ fills 3 W-1; fill W-2; } >in
	for fault in write:error=ENOSPC:when=1 write:retval=100:when=1 fdatasync:error=EIO:when=1 fsync:error=EIO:when=1 \
		pread64:error=EIO:when=1 flock:error=ENOLCK:when=1+; do
		rm -rf d
		mkdir d
		[[ $fault == fsync* ]] || fills 2 W-1 | lh-validate --audit-log d >/dev/null
		run -0 --separate-stderr inject "$fault" -P "$PWD/d/W-1.audit.jsonl" -P "$PWD/d" \
			lh-validate --audit-log d in
		[ "${#lines[@]}" = 4 ]
		[[ $fault == *retval* ]] || [[ $stderr == *"3 look-ups of 'W-1' left no row: d"*"3 look-ups left no row" ]]
		[ "$(verdict count d/W-2.audit.jsonl)" = 1 ]
		[[ $fault == *retval* ]] || [ "$(verdict state d/W-1.audit.jsonl)" = intact ]
	done
	# half a row that cannot be cut off again
	rm -rf d
	mkdir d
	fills 2 W-1 | lh-validate --audit-log d >/dev/null
	size=$(stat -c %s d/W-1.audit.jsonl)
	run -0 --separate-stderr inject ftruncate:error=EIO prlimit --fsize=$((size + 100)) lh-validate --audit-log d in
	[ "${#lines[@]}" = 4 ]
	[[ $stderr == *"3 look-ups of 'W-1' left no row: "*"a torn line is left at byte $size"* ]]
	[ "$(verdict state d/W-1.audit.jsonl)" = torn ]
	[ "$(verdict count d/W-1.audit.jsonl)" = 2 ]
}

# ---- when ----

@test "rows are on disk before their verdicts are out, by one write and one sync a log" {
	needs_strace
	roster W-1
	fills 50 W-1 >in
	strace -f -qq -o trace -e trace=write,fdatasync,fsync lh-validate --audit-log d in >out
	[ "$(sed 's/^[0-9]* *//; s/(1, .*/ answer/; s/(.*//' trace | tr '\n' ' ')" = "write fdatasync fsync write answer " ]
	strace -f -qq -o trace -e trace=write,fdatasync,fsync lh-validate --audit-log d in >out
	[ "$(sed 's/^[0-9]* *//; s/(1, .*/ answer/; s/(.*//' trace | tr '\n' ' ')" = "write fdatasync write answer " ]
}

@test "a co-process has left the row when it answers" {
	roster W-1
	coproc judge { exec lh-validate --audit-log d; }
	pid=$judge_PID
	for n in 1 2 3; do
		fill W-1 >&"${judge[1]}"
		read -r -t "$LH_PATIENCE" row <&"${judge[0]}"
		[ "$(jq .verdict.status <<<"$row")" = 200 ]
		[ "$(verdict count d/W-1.audit.jsonl)" = "$n" ]
	done
	eval "exec ${judge[1]}>&-"
	wait "$pid"
}

@test "killed at any write, sync or lock: no verdict is out without its row" {
	needs_strace
	roster W-1 W-2
	fills 6 W-1 W-2 >in
	for call in write fdatasync fsync flock; do
		for when in 1 2 3; do
			rm -rf d
			mkdir d
			inject "$call:signal=KILL:when=$when" \
				lh-validate --audit-log d in >out 2>/dev/null || true
			n=$(grep -c '"W-1"' out || true)
			[ "$(verdict count d/W-1.audit.jsonl)" -ge "$n" ]
			[[ $(counts) != *tampered* ]]
		done
	done
}

@test "a record that stops the run is the last: none after it is looked up" {
	roster W-1 W-2 W-3
	run -1 --separate-stderr lh-validate --on-error stop --audit-log d < <(fill W-1; echo '{"kind":5,"artifact":{}}'; fill W-2)
	[ "${#lines[@]}" = 1 ]
	[ "$(counts)" = "W-1 1 intact" ]
	run -1 --separate-stderr lh-validate --audit-log d < <(fill W-1; echo x; fill W-2)
	[ "${#lines[@]}" = 2 ]
	diff <(counts) <(printf 'W-1 2 intact\nW-2 1 intact\n')
}

@test "interrupted while another holds the log: gone at once, by the signal" {
	roster W-1
	: >d/W-1.audit.jsonl
	exec 8<d/W-1.audit.jsonl
	flock 8
	fill W-1 >in
	lh-validate --audit-log d in >out 2>err 8<&- &
	pid=$!
	# it has the log open when it asks for the lock
	until find "/proc/$pid/fd" -lname "$PWD/d/W-1.audit.jsonl" 2>/dev/null | grep -q .; do
		kill -0 "$pid"
	done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 143 ]
	[ ! -s out ]
	[ ! -s d/W-1.audit.jsonl ]
}

# ---- keys and options ----

@test "a key that is named while no log is asked for is not looked at" {
	roster W-1
	fill W-1 | LH_SUBJECT_AUDIT_KEY=absent lh-validate
	fill W-1 | lh-validate --key-file absent
}

@test "a folder that is not there is made, for its owner alone" {
	roster W-1
	umask 022
	fill W-1 | lh-validate --audit-log new/logs
	[ "$(stat -c %a new/logs)" = 700 ]
	[ "$(verdict state new/logs/W-1.audit.jsonl)" = intact ]
}

# stops MESSAGE ARGUMENT... - exit 2 with that line, nothing validated or made.
# That the roster is not there either goes unsaid: nothing was read.
stops() {
	local want=$1
	shift
	run --separate-stderr lh-validate --roster absent "$@" < <(fill W-1)
	[ "$status" = 2 ] && [ -z "$output" ] && [ "$stderr" = "lh-validate: $want" ] ||
		{ echo "$*: exit $status, stdout $output, stderr $stderr"; return 1; }
	[ -z "$(ls d)" ]
}

@test "a file in place of the folder, a trace id that is not text" {
	roster W-1
	stops 'key: not a folder' --audit-log key
	LH_TRACE_ID=$'\xff' stops 'LH_TRACE_ID must be UTF-8' --audit-log d
	run -2 --separate-stderr lh-validate --schema rag_sample --audit-log d </dev/null
	[[ $stderr == *"--audit-log and --decisions are for artifacts"* ]]
	run -2 --separate-stderr lh-validate --normalize-errors --audit-log d </dev/null
	[[ $stderr == *"--audit-log and --decisions are for artifacts"* ]]
}
