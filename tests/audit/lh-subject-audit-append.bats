# lh-subject-audit append and repair: what may go in, who writes at once, what a
# crash leaves, and keys.
load ../helper
load ../audit

# ---- what goes in ----

@test "no member but those of the page is known, and none is null" {
	cat >in <<-'END'
	{"candidate_id":"W-1","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":[],"result":"ok"}
	{"candidate_id":"W-1","accessor":{"kind":"k","daemon":"d","purpose":"p","x":1},"fields_accessed":[],"result":"success"}
	{"candidate_id":"W-1","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":[],"result":"success","schema":"subject_audit.v1"}
	{"candidate_id":"W-1","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":[],"result":"success","ts":null}
	{"candidate_id":"W-1","accessor":{"kind":"k","daemon":"d","purpose":"p","trace_id":null},"fields_accessed":[],"result":"success"}
	END
	cat >want <<-'END'
	"result" must be "success", "not_found", "denied" or "error", not "ok"
	unknown member "x" in "accessor"
	unknown member "schema"
	"ts" must be a time like 2026-05-03T12:00:00Z
	accessor.trace_id must be a string
	END
	run -1 --separate-stderr lh-subject-audit append --dir d in
	[ -z "$output" ]
	diff <(sed 's/^lh-subject-audit: in:[0-9]*: //' <<<"$stderr" | head -n -1) want
	[ -z "$(ls d)" ]
	for result in success not_found denied error; do
		record W-1 | sed "s/success/$result/" | lh-subject-audit append --dir d
	done
	[ "$(verdict count d/W-1.audit.jsonl)" = 4 ]
}

@test "ts is now by default, and the text as it is where it is given" {
	run -0 lh-subject-audit append --dir d --now 2026-05-03T12:00:00Z < <(record W-1)
	[ "$(jq -r .ts <<<"$output")" = 2026-05-03T12:00:00.000Z ]
	for ts in 2026-05-03T12:00:00.100000000Z 2026-05-03T12:00:00+05:30 0001-01-01T00:00:00.0Z; do
		run -0 lh-subject-audit append --dir d < <(record W-1 | jq -c --arg ts "$ts" '.ts = $ts')
		[[ $output == *'"ts":"'"$ts"'"'* ]]
	done
}

@test "an id is made fit for a file name, and refused where that cannot be" {
	local long
	long=$(printf 'x%.0s' {1..200})
	record 'a/b c:é😀' | lh-subject-audit append --dir d
	record "$long" | lh-subject-audit append --dir d
	ls d >names
	grep -qx "$(oracle name 'a/b c:é😀').audit.jsonl" names
	grep -qxE 'a_b_c_______~[0-9a-f]{12}.audit.jsonl' names
	grep -qx "$long.audit.jsonl" names
	for id in '' . .. .hidden "${long}x"; do
		run -1 --separate-stderr lh-subject-audit append --dir d < <(record "$id")
		[ -z "$output" ]
		[[ $stderr == *candidate_id* ]]
	done
	run -1 lh-subject-audit append --dir d < <(record '../../etc')
	ls d | diff - names
}

# bats test_tags=full
@test "ids that differ have a log each, whatever characters they are of" {
	ids=(W_1 W/1 'W 1' W:1 ' W_1' 'W_1 ' Wé1 WÉ1 w_1 '日' '本' "$(oracle name W/1)")
	for id in "${ids[@]}"; do record "$id"; done | lh-subject-audit append --dir d >/dev/null
	[ "$(ls d | wc -l)" = "${#ids[@]}" ]
	for id in "${ids[@]}"; do
		[ "$(jq -r .candidate_id "$(named "$id" .audit.jsonl)")" = "$id" ]
		run -0 lh-subject-audit report --dir d "$id"
		[ "$(jq -c '[.audit_log.rows[].candidate_id]' <<<"$output")" = "[\"$id\"]" ]
	done
	run -0 --separate-stderr lh-subject-audit verify --dir d
	[ "$(jq -se 'map(.count) | add' <<<"$output")" = "${#ids[@]}" ]
	cp "$(named W/1 .audit.jsonl)" "$(named 'W 1' .audit.jsonl)"
	run -1 --separate-stderr lh-subject-audit verify "$(named 'W 1' .audit.jsonl)"
	[ "$(jq -r .error <<<"$output")" = "row 0: candidate_id mismatch" ]
}

@test "a log that another program named is continued where it is the id's own, and left alone where not" {
	records a/b 2 | lh-subject-audit append --dir e >/dev/null
	mkdir d
	cp e/* d/a_b.audit.jsonl
	cp d/a_b.audit.jsonl before
	run -1 --separate-stderr lh-subject-audit append --dir d < <(record a_b; record a/b; record 'a b'; record c)
	[ "${#lines[@]}" = 3 ]
	[ "${stderr_lines[0]}" = "lh-subject-audit: -:1: d/a_b.audit.jsonl: it belongs to another candidate_id" ]
	head -n 2 d/a_b.audit.jsonl | cmp - before
	[ "$(verdict count d/a_b.audit.jsonl)" = 3 ]
	[ "$(ls d | sort)" = "$(printf '%s.audit.jsonl\n' a_b "$(oracle name 'a b')" c | sort)" ]
	lh-subject-audit report --dir d a/b | jq -e '.audit_log.rows_in_window == 3'
	run -1 lh-subject-audit report --dir d a_b
	mv d/a_b.audit.jsonl "$(named a/b .audit.jsonl)"
	record a_b | lh-subject-audit append --dir d
	record a/b | lh-subject-audit append --dir d
	[ "$(verdict count "$(named a/b .audit.jsonl)")" = 4 ]
	[ "$(verdict count d/a_b.audit.jsonl)" = 1 ]
}

@test "a process that runs on takes up the log that another program has begun" {
	record a/b | lh-subject-audit append --dir e >/dev/null
	coproc audit { exec lh-subject-audit append --dir d; }
	pid=$audit_PID
	record c >&"${audit[1]}"
	read -r -t "$LH_PATIENCE" row <&"${audit[0]}"
	cp e/* d/a_b.audit.jsonl
	record a/b >&"${audit[1]}"
	read -r -t "$LH_PATIENCE" row <&"${audit[0]}"
	eval "exec ${audit[1]}>&-"
	wait "$pid"
	[ "$(verdict count d/a_b.audit.jsonl)" = 2 ]
	[ ! -e "$(named a/b .audit.jsonl)" ]
}

@test "a log is for its owner's eyes alone, whatever the umask" {
	umask 0
	record W-1 | lh-subject-audit append --dir a/b/d
	[ "$(stat -c %a a/b/d/W-1.audit.jsonl)" = 600 ]
	[ "$(stat -c %a a/b/d)" = 700 ]
}

@test "a log that is a symbolic link, FIFO, folder or device is refused" {
	mkdir d
	record W-1 | lh-subject-audit append --dir e
	ln -s "$PWD/e/W-1.audit.jsonl" d/link.audit.jsonl
	mkfifo d/fifo.audit.jsonl
	mkdir d/folder.audit.jsonl
	ln -s /dev/null d/device.audit.jsonl
	for id in link fifo folder device; do
		run -2 --separate-stderr patiently lh-subject-audit append --dir d < <(record "$id")
		[[ $stderr == *"$id.audit.jsonl: is a "*", not a regular file"* ]]
	done
	for id in fifo folder; do
		run -2 --separate-stderr patiently lh-subject-audit verify "d/$id.audit.jsonl" </dev/null
		[[ $stderr == *", not a regular file"* ]]
	done
	[ "$(verdict count e/W-1.audit.jsonl)" = 1 ]
}

@test "append is a co-process: a record in, a row out, at once" {
	for sync in each batch none; do
		coproc audit { exec lh-subject-audit append --dir d --sync "$sync"; }
		pid=$audit_PID
		for n in 1 2 3; do
			record "W-$sync" "$n" >&"${audit[1]}"
			read -r -t "$LH_PATIENCE" row <&"${audit[0]}"
			[ "$(jq -r .accessor.trace_id <<<"$row")" = "t-$n" ]
			[ "$(wc -l <"d/W-$sync.audit.jsonl")" = "$n" ]
		done
		eval "exec ${audit[1]}>&-"
		wait "$pid"
	done
}

@test "a bad record that stops the run is the last, however rows are synced" {
	for sync in each batch none; do
		run -1 --separate-stderr lh-subject-audit append --on-error stop --sync "$sync" --dir "$sync" < <(record W-1; echo '{}'; record W-2)
		[ "${#lines[@]}" = 1 ]
		[ "$(ls "$sync")" = W-1.audit.jsonl ]
		[[ ${stderr_lines[-1]} == *"1 of 2 records rejected" ]]
	done
}

# ---- many at once ----

@test "50 processes that append at once leave one intact chain, again and again" {
	rounds=$(scale 3 20) each=$(scale 20 200)
	for id in $(seq 50); do
		for ((n = 0; n < each; n++)); do record W-1 "$id-$n"; done >"in.$id"
	done
	for round in $(seq "$rounds"); do
		seq 50 | xargs -P 50 -I{} sh -c 'lh-subject-audit append --dir "d$1" --sync "$2" "in.$3" >"out.$3"' sh \
			"$round" "$( ((round % 2)) && echo batch || echo none)" {}
		log=d$round/W-1.audit.jsonl
		[ "$(verdict count "$log")" = $((50 * each)) ]
		[ "$(verdict verified "$log")" = true ]
		alike <(sort "$log") <(sort out.*)
		[ "$(jq -r .accessor.trace_id "$log" | sort -u | wc -l)" = $((50 * each)) ]
	done
}

@test "a log that was moved away is left alone, and a new one begun" {
	coproc audit { exec lh-subject-audit append --dir d; }
	pid=$audit_PID
	record W-1 1 >&"${audit[1]}"
	read -r -t "$LH_PATIENCE" row <&"${audit[0]}"
	mv d/W-1.audit.jsonl old.jsonl
	record W-1 2 >&"${audit[1]}"
	read -r -t "$LH_PATIENCE" row <&"${audit[0]}"
	eval "exec ${audit[1]}>&-"
	wait "$pid"
	[ "$(verdict count old.jsonl)" = 1 ]
	[ "$(verdict count d/W-1.audit.jsonl)" = 1 ]
}

@test "rows of more subjects than are kept open" {
	for id in {1..600}; do record "W-$id"; done >in
	cat in in | lh-subject-audit append --dir d --sync none >/dev/null
	run -0 --separate-stderr lh-subject-audit verify --dir d
	[ "${#lines[@]}" = 600 ]
	[ "$(jq -s 'map(.count) | add' <<<"$output")" = 1200 ]
}

# ---- what a crash leaves ----

@test "a torn tail refuses an append, names its offset, and stays as it is" {
	log W-1 3
	head -c -20 d/W-1.audit.jsonl >x
	cp x d/W-1.audit.jsonl
	at=$(head -n 2 x | wc -c)
	run -1 --separate-stderr lh-subject-audit append --dir d < <(record W-1; record W-2)
	[ "$(jq -r .candidate_id <<<"$output")" = W-2 ]
	[ "${stderr_lines[0]}" = "lh-subject-audit: -:1: d/W-1.audit.jsonl: the last line, at byte $at, is torn; repair the log first" ]
	cmp x d/W-1.audit.jsonl
	[ "$(verdict state d/W-1.audit.jsonl)" = torn ]
	run -0 lh-subject-audit repair d/W-1.audit.jsonl
	[ "$output" = '{"file":"d/W-1.audit.jsonl","cut":'$(($(wc -c <x) - at))'}' ]
	tail -c +$((at + 1)) x | cmp - d/W-1.audit.jsonl.torn
	[ "$(verdict state d/W-1.audit.jsonl)" = intact ]
	log W-1 1
	[ "$(verdict count d/W-1.audit.jsonl)" = 3 ]
}

@test "a last line without its LF is torn, even if it is a whole row" {
	log W-1 3
	truncate -s -1 d/W-1.audit.jsonl
	[ "$(verdict error d/W-1.audit.jsonl)" = "row 2: torn" ]
	run -1 lh-subject-audit append --dir d < <(record W-1)
	lh-subject-audit repair d/W-1.audit.jsonl
	[ "$(verdict count d/W-1.audit.jsonl)" = 2 ]
}

@test "repair leaves a whole log alone, and keeps what it cut before" {
	log W-1 2
	cp d/W-1.audit.jsonl x
	run -0 lh-subject-audit repair d/W-1.audit.jsonl
	[ "$output" = '{"file":"d/W-1.audit.jsonl","cut":0}' ]
	cmp x d/W-1.audit.jsonl
	for part in '{"one' '{"two'; do
		printf %s "$part" >>d/W-1.audit.jsonl
		lh-subject-audit repair d/W-1.audit.jsonl
	done
	cmp x d/W-1.audit.jsonl
	[ "$(cat d/W-1.audit.jsonl.torn)" = $'{"one\n{"two' ]
	refused 'd/absent: cannot open: No such file or directory' repair d/absent
}

@test "a last row that is not one of the chain refuses an append, with its offset" {
	for what in '[]' 'x' '{"candidate_id":"W-1"}' '{"prev_chain_hash":"GENESIS","row_hmac":"00"}'; do
		rm -rf d
		log W-1 2
		at=$(wc -c <d/W-1.audit.jsonl)
		echo "$what" >>d/W-1.audit.jsonl
		cp d/W-1.audit.jsonl x
		run -1 --separate-stderr lh-subject-audit append --dir d < <(record W-1; record W-2)
		[ "${#lines[@]}" = 1 ]
		[[ ${stderr_lines[0]} == "lh-subject-audit: -:1: d/W-1.audit.jsonl: the last row, at byte $at, is not one of its chain: "* ]]
		cmp x d/W-1.audit.jsonl
	done
	rm -rf d
	log W-1 2
	head -c 32 /dev/urandom >other
	chmod 600 other
	run -1 --separate-stderr lh-subject-audit append --key-file other --dir d < <(record W-1)
	[[ $stderr == *"is not one of its chain: row_hmac mismatch"* ]]
}

@test "killed at any write, sync or lock: each row answered is there, the rest is torn at most" {
	needs_strace
	records W-1 6 >in
	for sync in each batch; do
		for call in write fdatasync flock; do
			for when in 1 2 3 5; do
				rm -rf d
				log W-1 2
				inject "$call:signal=KILL:when=$when" \
					lh-subject-audit append --dir d --sync "$sync" in >out 2>/dev/null || true
				run --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
				[[ $output == *'"state":"intact"'* ]] || [[ $output == *'"state":"torn"'* ]]
				while read -r row; do grep -qxF "$row" d/W-1.audit.jsonl; done <out
				[[ $output == *'"state":"intact"'* ]] || lh-subject-audit repair d/W-1.audit.jsonl
				lh-subject-audit append --dir d in >/dev/null
				[ "$(verdict state d/W-1.audit.jsonl)" = intact ]
			done
		done
	done
}

@test "a full disk or an I/O error is exit 2 with the reason, and the log stays whole" {
	needs_strace
	records W-1 3 >in
	for fault in write:error=ENOSPC:when=1 write:error=ENOSPC:when=3 write:error=EIO:when=2 fdatasync:error=EIO:when=1 \
		fdatasync:error=EIO:when=2 fsync:error=EIO:when=1 pread64:error=EIO:when=1 flock:error=ENOLCK:when=1+; do
		rm -rf d
		mkdir d
		[[ $fault == fsync* ]] || log W-1 2
		run -2 --separate-stderr inject "$fault" -P "$PWD/d/W-1.audit.jsonl" -P "$PWD/d" \
			lh-subject-audit append --dir d in
		[[ $stderr == "lh-subject-audit: d"* ]]
		[ "$(verdict state d/W-1.audit.jsonl)" = intact ]
		[ "$(verdict count d/W-1.audit.jsonl)" -ge "${#lines[@]}" ]
	done
}

@test "a limit on the file's size in the middle of a row leaves the rows before it" {
	plain_only "limits"
	log W-1 5
	size=$(stat -c %s d/W-1.audit.jsonl)
	run -2 --separate-stderr prlimit --fsize=$((size + 700)) lh-subject-audit append --dir d < <(records W-1 5)
	[ "${#lines[@]}" = 1 ]
	[[ $stderr == *"d/W-1.audit.jsonl: write failed: File too large"* ]]
	[ "$(verdict state d/W-1.audit.jsonl)" = intact ]
	[ "$(verdict count d/W-1.audit.jsonl)" = 6 ]
	run -2 --separate-stderr prlimit --fsize=$((size + 1500)) lh-subject-audit append --dir d --sync batch < <(records W-1 5)
	[ -z "$output" ]
	[ "$(verdict count d/W-1.audit.jsonl)" = 6 ]
}

@test "a row is answered after the sync that was asked for" {
	needs_strace
	records W-1 3 >in
	mkdir a a2 b c
	calls() {
		strace -f -qq -o trace -e trace=write,fdatasync,fsync lh-subject-audit append --dir "$1" --sync "$2" in >out
		sed 's/^[0-9]* *//; s/(1, .*/ answer/; s/(.*//' trace | tr '\n' ' '
	}
	[ "$(calls a each)" = "write fdatasync fsync write answer write fdatasync write answer write fdatasync write answer " ] ||
		[ "$(calls a2 each)" = "write fdatasync fsync write fdatasync write fdatasync write answer " ]
	[ "$(calls b batch)" = "write fdatasync fsync write answer " ]
	[ "$(calls c none)" = "write write answer " ]
}

@test "the logs of a batch are synced several at a time, each before a row of it is answered" {
	needs_strace
	for n in $(seq 300); do record "W-$n"; done >in
	strace -f -qq -y -o trace -e trace=write,fdatasync lh-subject-audit append --dir d --sync batch in >out
	[ "$(grep -o 'fdatasync([0-9]*<[^>]*audit.jsonl' trace | sed 's/.*<//' | sort -u | wc -l)" = 300 ]
	[ "$(awk '/fdatasync/ { print $1 }' trace | sort -u | wc -l)" -gt 1 ]
	[ "$(grep -n fdatasync trace | tail -n 1 | cut -d: -f1)" -lt "$(grep -n 'write(1<' trace | head -n 1 | cut -d: -f1)" ]
	[ "$(wc -l <out)" = 300 ]
	run -0 lh-subject-audit verify -q --dir d
	# one that fails, on whatever thread: no row is answered
	run -2 --separate-stderr inject fdatasync:error=EIO:when=3 lh-subject-audit append --dir d --sync batch in
	[ -z "$output" ]
	[[ $stderr == *"cannot sync"* ]]
}

# ---- keys ----

@test "a key is named, or nothing is done" {
	unset LH_SUBJECT_AUDIT_KEY
	for verb in append verify anchor 'report W-1' 'manifest verify'; do
		refused 'no key: name its file by --key-file or LH_SUBJECT_AUDIT_KEY' $verb
	done
	[ ! -e data ]
}

@test "each kind of key file has its answer" {
	mkdir folder
	mkfifo -m 600 fifo
	ln -s key link
	(umask 077; head -c 31 key >short; : >empty; head -c 4096 /dev/zero >most; head -c 4097 /dev/zero >long; (cat key; echo) >newline)
	cp key open
	chmod 640 open
	refused 'folder: is a directory, not a regular file' append --key-file folder
	refused 'fifo: is a FIFO, not a regular file' append --key-file fifo
	refused '/dev/zero: is a device, not a regular file' append --key-file /dev/zero
	refused 'link: is a symbolic link, not a regular file' append --key-file link
	refused 'link: is a symbolic link, not a regular file' append --insecure-key --key-file link
	refused 'short: a key has 32 bytes at least, and this is 31' append --key-file short
	refused 'empty: a key has 32 bytes at least, and this is 0' append --key-file empty
	refused 'long: longer than 4096 bytes' append --key-file long
	refused 'absent: cannot open: No such file or directory' append --key-file absent
	refused 'open: mode 0640 gives others access to secrets; make it 0600' append --key-file open
	record W-1 | lh-subject-audit append --insecure-key --key-file open --dir d
	[ "$(verdict state --key-file key d/W-1.audit.jsonl)" = intact ]
	record W-2 | lh-subject-audit append --key-file most --dir d
	record W-3 | lh-subject-audit append --key-file newline --dir d
	refused "no row verifies with this key: is it the right one?" verify d/W-3.audit.jsonl
	[ "$(verdict state --key-file newline d/W-3.audit.jsonl)" = intact ]
	oracle verify newline d/W-3.audit.jsonl | jq -e .verified
}

@test "after a rotation the first key signs, and rows fit any of them" {
	(umask 077; head -c 40 /dev/urandom >new)
	log W-1 3
	records W-1 2 | lh-subject-audit append --dir d --key-file new --key-file key
	[ "$(verdict count --key-file new --key-file key d/W-1.audit.jsonl)" = 5 ]
	[ "$(verdict count --key-file key --key-file new d/W-1.audit.jsonl)" = 5 ]
	[ "$(verdict error --key-file key d/W-1.audit.jsonl)" = "row 3: row_hmac mismatch" ]
	[ "$(verdict error --key-file new d/W-1.audit.jsonl)" = "row 0: row_hmac mismatch" ]
	lh-subject-audit anchor --dir d --key-file new --key-file key >anchor
	[ "$(verdict state --key-file key --key-file new --against anchor d/W-1.audit.jsonl)" = anchored ]
}

@test "the key is in no message, argument, output or core file" {
	printf 'SECRET-SECRET-SECRET-SECRET-SECRET' >secret
	chmod 600 secret
	export LH_SUBJECT_AUDIT_KEY=secret
	log W-1 2
	echo x >>d/W-1.audit.jsonl
	run bash -c 'lh-subject-audit verify -v d/W-1.audit.jsonl 2>&1; lh-subject-audit append -v --dir d 2>&1 </dev/null; lh-subject-audit anchor --dir d 2>&1'
	[[ $output != *SECRET* ]]
	plain_only "core files"
	ulimit -c unlimited
	coproc audit { exec lh-subject-audit append --dir d; }
	record W-2 >&"${audit[1]}"
	read -r -t "$LH_PATIENCE" row <&"${audit[0]}"
	run ! grep -q SECRET "/proc/$audit_PID/cmdline"
	kill -SEGV "$audit_PID"
	wait "$audit_PID" || true
	run bash -c 'grep -l SECRET core* 2>/dev/null'
	[ -z "$output" ]
}

@test "a log that is held for a batch is looked at for another id without waiting for ourselves" {
	{ record W_1; record W/1; record W_1; record W/1; } >in
	run -0 patiently lh-subject-audit append --dir d --sync batch in
	[ "$(lh-subject-audit verify --dir d | jq -c '[.count, .state]' | sort -u)" = '[2,"intact"]' ]
}
