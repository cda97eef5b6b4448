# lh-tlog cosign: what witnesses answer, well or badly, and what becomes of the checkpoint.
# bats file_tags=faults
load ../helper
load ../tlog
load ../servers/server
load ../servers/serve

teardown() {
	stop_serves
	stop_upstreams
	faults_happened
}

# two_witnesses - of witness.py, at URL1 and URL2; what they are asked goes to the file asked.
two_witnesses() {
	start_server witness.py w1 --log asked --go go
	URL1=$URL
	start_server witness.py w2 --log asked --go go
	URL2=$URL
}

# ask URL-OF-W1 URL-OF-W2 [QUORUM] - the file ask, a policy with witnesses at these URLs; "-": none.
ask() {
	{
		echo "log $(cat log.vkey)"
		echo "witness w1 $(cat w1.vkey) ${1#-}"
		echo "witness w2 $(cat w2.vkey) ${2#-}"
		echo "group both ${3:-all} w1 w2"
		echo "quorum both"
	} >ask
}

cosign() {
	patiently lh-tlog cosign log --policy ask --retries 0 "$@"
}

# signers - the names in the signature lines of the checkpoint, or of another file.
signers() {
	sed -n 's/^— \([^ ]*\) .*/\1/p' "${1:-log/checkpoint}" | xargs
}

# grow FROM TO - append entries to log.
grow() {
	entries "$1" "$2" | append >/dev/null
}

@test "cosignatures of two witnesses over HTTP come into the checkpoint, and proofs have their quorum" {
	a_log
	grow 1 5
	two_witnesses
	ask "$URL1/ok" "$URL2/ok/"
	for size in 5 6 300; do
		[ $size = 5 ] || grow $((${before:-5} + 1)) $size
		before=$size
		lh-tlog cosign log --policy ask
		[ "$(signers)" = "example.com/log witness.example/w1 witness.example/w2" ]
		cmp log/checkpoint log/checkpoints/$size
		[ "$(stat -c %a log/checkpoint log/checkpoints/$size | xargs)" = "644 644" ]
		lh-tlog note --vkey "$(cat w2.vkey)" log/checkpoint | cmp - <(sed '/^$/,$d' log/checkpoint)
	done
	# a proof at each size that is kept has the quorum, and one without it has not
	grow 301 301
	for size in 5 6 300; do
		jq -nc --argjson s $size '{index: 4, size: $s, entry: "{\"id\":\"entry 5\"}"}' | lh-tlog prove log >>proofs
	done
	lh-tlog verify --policy policy proofs >judged
	all_are true judged
	[ "$(jq -c '[.size, .witnesses]' judged | xargs)" = "[5,[w1,w2]] [6,[w1,w2]] [300,[w1,w2]]" ]
	run -1 lh-tlog verify --policy policy <(jq -nc '{index: 4, entry: "{\"id\":\"entry 5\"}"}' | lh-tlog prove log)
	lh-tlog audit log --policy loose | jq -e .verified
	no_litter log
}

@test "a witness is asked from the size that it cosigned last, and again from the one that it answers with" {
	a_log
	two_witnesses
	ask "$URL1/ok" "$URL2/ok"
	cosign
	grow 1 5
	cosign
	grow 6 300
	cosign
	# without what is kept the size comes from the witness
	grow 301 302
	rm -r log/checkpoints
	cosign
	# a checkpoint that all have cosigned is not sent again
	cosign
	cmp log/checkpoint log/checkpoints/302
	[ "$(sort -s -k 1,1 asked | xargs)" = "w1 ok 0 w1 ok 0 w1 ok 5 w1 ok 0 w1 ok 300 w2 ok 0 w2 ok 0 w2 ok 5 w2 ok 0 w2 ok 300" ]
	lh-tlog audit log --policy policy | jq -e .verified
}

# bats test_tags=full
@test "a witness that lies, is slow, answers 409 for ever or garbage is missing; the other counts" {
	local mode n=0
	a_log
	grow 1 5
	cp -r log good
	two_witnesses
	for mode in $(sed -n '/bad answers/,$s/^    def do_\([a-z]*\).*/\1/p' "$ROOT/tests/servers/witness.py") nowhere; do
		n=$((n + 1))
		rm -rf log
		cp -r good log
		: >asked
		ask "$URL1/ok" "$URL2/$mode" any
		run -0 --separate-stderr cosign --timeout "$([[ $mode =~ silent|drip ]] && echo 0.5 || echo 600)"
		[ "$(signers)" = "example.com/log witness.example/w1" ] || { echo "$mode: $(signers)"; return 1; }
		[[ -z $output && ${#stderr_lines[@]} = 1 && $stderr == "lh-tlog: w2: $URL2/$mode/add-checkpoint: "* ]] ||
			{ echo "$mode: $stderr"; return 1; }
		[[ $stderr != *[$'\001'-$'\010\033']* ]]
		(($(grep -c ^w2 asked || true) <= $([ $mode = loop ] && echo 6 || echo 3))) || { echo "$mode:"; cat asked; return 1; }
		# where both are needed, the checkpoint stays byte for byte
		[[ $mode =~ ^(flipped|conflict|silent|nowhere)$ ]] || continue
		rm -rf log
		cp -r good log
		ask "$URL1/ok" "$URL2/$mode"
		run -1 --separate-stderr cosign --timeout "$([[ $mode =~ silent|drip ]] && echo 0.5 || echo 600)"
		cmp log/checkpoint good/checkpoint
		[ ! -e log/checkpoints ]
		[ "${stderr_lines[-1]}" = "lh-tlog: too few witnesses cosigned the checkpoint of 5 entries; missing: w2" ]
	done
	((n > 25))
}

@test "a log that was brought back by a backup is named by the witness that has seen more" {
	a_log
	two_witnesses
	grow 1 5
	cp -r log older
	grow 6 9
	ask "$URL1/ok" "$URL2/ok"
	cosign
	rm -rf log
	mv older log
	cp log/checkpoint before
	run -1 --separate-stderr cosign
	[[ ${stderr_lines[0]} == "lh-tlog: w1: $URL1/ok/add-checkpoint: HTTP 409: it has cosigned a larger tree: was the log brought back by a backup?"* ]]
	[ "${stderr_lines[-1]}" = "lh-tlog: too few witnesses cosigned the checkpoint of 5 entries; missing: w1, w2" ]
	cmp log/checkpoint before
	# a fork of that size gets no cosignature either
	entries 16 19 | append >/dev/null
	run -1 --separate-stderr cosign
	[[ $stderr == *"HTTP 422"* ]]
	[ "$(signers)" = example.com/log ]
}

@test "slow witnesses are asked at one time, and an answer that takes longer than the log is kept beside it" {
	a_log
	two_witnesses
	grow 1 5
	ask "$URL1/held" "$URL2/held"
	cosign --timeout 600 2>err &
	until_so has_lines asked 2
	grow 6 8
	cp log/checkpoint newest
	touch go
	wait $!
	[ "$(cat err)" = "lh-tlog: the log has grown: the checkpoint of 5 entries that was cosigned is in checkpoints" ]
	cmp log/checkpoint newest
	[ "$(signers log/checkpoints/5)" = "example.com/log witness.example/w1 witness.example/w2" ]
	jq -nc '{index: 0, size: 5, entry: "{\"id\":\"entry 1\"}"}' | lh-tlog prove log | lh-tlog verify --policy policy
	# the next writer goes on
	grow 9 9
	cosign
	lh-tlog audit log --policy policy | jq -e .verified
}

@test "signatures that come into the checkpoint while witnesses are asked stay there" {
	a_log
	two_witnesses
	by_hand key example.com/log 1 "$(printf '%064x' 7)" >second
	(umask 077 && head -n 1 second >second.key)
	grow 1 5
	ask "$URL1/held" - any
	cosign --timeout 600 2>err &
	until_so has_lines asked 1
	lh-tlog checkpoint log --key-file log.key --key-file second.key
	touch go
	wait $!
	[ "$(signers)" = "example.com/log example.com/log witness.example/w1" ]
	lh-tlog note --vkey "$(sed -n 2p second)" log/checkpoint | has '^5$'
	# neither is a line of the other witness lost, which is asked although there is a quorum
	ask - "$URL2/ok" any
	cosign
	[ "$(signers)" = "example.com/log example.com/log witness.example/w1 witness.example/w2" ]
	cmp log/checkpoint log/checkpoints/5
}

@test "policies without a URL, of other logs or with wrong addresses, and logs that are none, end with a message" {
	a_log
	cp log/checkpoint before
	ask - -
	run -1 --separate-stderr cosign
	[ "$stderr" = "lh-tlog: too few witnesses cosigned the checkpoint of 0 entries; missing: w1, w2" ]
	for url in file:///etc/passwd gopher://127.0.0.1/ 127.0.0.1:1 http:// -x; do
		ask "$url" -
		run -1 --separate-stderr cosign
		[[ $stderr == "lh-tlog: w1: "*"missing: w1, w2" ]]
	done
	cmp log/checkpoint before
	sed "s,^log .*,log $(by_hand key other.example/log 1 "$(printf '%064x' 7)" | sed -n 2p)," ask >other
	run -2 lh-tlog cosign log --policy other
	[[ $output == "lh-tlog: log/checkpoint: the policy has no log named example.com/log" ]]
	run -2 lh-tlog cosign log
	run -2 lh-tlog cosign missing --policy ask
	sed -i 's/^quorum.*/quorum none/' ask
	cosign 2>/dev/null
	cmp log/checkpoint log/checkpoints/0
	cmp log/checkpoint before
}

# bats test_tags=full
@test "a full disk, a failing sync and a kill leave the checkpoint as it was, or cosigned" {
	local fault n status old=example.com/log new="example.com/log witness.example/w1 witness.example/w2"
	needs_strace
	a_log
	grow 1 5
	two_witnesses
	ask "$URL1/ok" "$URL2/ok"
	cp -r log good
	for fault in write,pwrite64:error=ENOSPC fsync,fdatasync:error=EIO rename,renameat,renameat2:error=EIO rename,renameat,renameat2:signal=KILL \
		openat:signal=KILL fsync,fdatasync:signal=KILL; do
		for ((n = 1; n < 300; n += $([[ $fault == openat* ]] && scale 30 1 || scale 2 1))); do
			rm -rf log
			cp -r good log
			status=0
			inject "$fault:when=$n" lh-tlog cosign log --policy ask 2>err || status=$?
			[[ "$(signers)" = "$old" || "$(signers)" = "$new" ]] || { echo "$fault $n: $(signers)"; return 1; }
			injected || break
			[ $status != 0 ] || [ "$(signers)" = "$new" ] || [[ $fault == write* ]]
			cosign
			[ "$(signers)" = "$new" ]
			cmp log/checkpoint log/checkpoints/5
			no_litter log
			grow 6 6
		done
	done
}

@test "note prints the text that a key has signed, and nothing of another" {
	the_keys
	vkey=example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
	python3 - "$ROOT" >note <<-'END'
	import sys
	sys.path.insert(0, sys.argv[1] + "/tests/oracle")
	import transparency as t
	body = "any text\n\nof several lines\n"
	print(body + "\n" + t.LOG.sign(body) + "\n" + t.W1.sign(body) + "\n" + t.STRANGER.sign(body))
	END
	printf 'any text\n\nof several lines\n' >text
	lh-tlog note --vkey "$(cat log.vkey)" note | cmp - text
	lh-tlog note --vkey "$(cat w1.vkey)" <note | cmp - text
	lh-tlog note --vkey "$vkey" --vkey "$(cat w1.vkey)" - <note | cmp - text
	run -1 --separate-stderr lh-tlog note --vkey "$vkey" note
	[ -z "$output" ] && [ "$stderr" = "lh-tlog: note: no key of --vkey has signed it" ]
	# a wrong signature of a key that is given refuses it, although another is right
	sed 's/^\(— witness.*\)[A-Za-z0-9]\(.....\)$/\1+\2/' note >wrong
	not cmp -s note wrong
	lh-tlog note --vkey "$(cat log.vkey)" wrong | cmp - text
	run -1 --separate-stderr lh-tlog note --vkey "$(cat log.vkey)" --vkey "$(cat w1.vkey)" wrong
	[ -z "$output" ] && [ "$stderr" = "lh-tlog: wrong: the signature of witness.example/w1 is wrong" ]
	sed 's/several/other/' note >changed
	for bad in changed text log.vkey /dev/null; do
		run -1 --separate-stderr lh-tlog note --vkey "$(cat log.vkey)" - <$bad
		[ -z "$output" ] && [[ $stderr == "lh-tlog: -: "* ]] || { echo "$bad: $output $stderr"; return 1; }
	done
	run -2 lh-tlog note note
	run -2 lh-tlog note --vkey x note
	run -2 lh-tlog note --vkey "$vkey" missing
	run -2 lh-tlog note --vkey "$vkey" .
	run -2 lh-tlog note --vkey "$vkey" note note
}
