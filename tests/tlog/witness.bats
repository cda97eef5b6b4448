# lh-tlog witness and note: what is cosigned and what is refused, the record of each log, and kills.
# bats file_tags=faults
load ../helper
load ../tlog

# witness [OPTION]... - the one of w1.key with the state s.
witness() {
	patiently lh-tlog witness --state s --key-file w1.key --policy loose "$@"
}

# requests SIZE... - a request for each size: the log grows from the one before it, at first from 0.
requests() {
	python3 - "$ROOT" "$@" <<-'END'
	import json, random, sys
	sys.path.insert(0, sys.argv[1] + "/tests/oracle")
	import transparency as t
	tree, old = t.growing_tree(random.Random(1)), 0
	for size in map(int, sys.argv[2:]):
	    body = "\n".join([t.ORIGIN, str(size), t.b64(tree.root(0, size))]) + "\n"
	    print(json.dumps({"body": t.request_text(old, tree.growth(old, 0, size) if old else [], body, [t.LOG.sign(body)])}))
	    old = size
	END
}

# statuses - of the answers that come.
statuses() {
	jq .status | xargs
}

record() {
	echo "s/$(printf example.com/log | sha256sum | cut -c 1-64)"
}

@test "of several faults the first in the order of tlog-witness is the answer" {
	the_keys
	requests 5 9 | witness >/dev/null
	requests 5 9 14 >all
	while read -r want change; do
		tail -n 1 all | jq -c ".body |= ($change)" >one
		[ "$(witness one | statuses)" = "$want" ] || { echo "$change"; witness one; return 1; }
	done <<-'END'
	400 sub("old 9"; "old 09") | sub("log\n14"; "other\n14")
	400 sub("\n\n"; "\nx\n\n") | sub("log\n14"; "other\n14")
	404 sub("log\n14"; "other\n14") | sub("old 9"; "old 99")
	403 sub("log\n14"; "log\n15") | sub("old 9"; "old 99")
	403 sub("— .*\n$"; "— x AAAAAAA=\n") | sub("old 9"; "old 2")
	400 sub("old 9"; "old 15")
	409 sub("old 9"; "old 8")
	409 sub("old 9"; "old 0")
	409 sub("old 9"; "old 14")
	422 sub("\n[^\n]*\n\n"; "\n\n")
	200 .
	END
	[ "$(sed -n 2p "$(record)")" = 14 ]
	# at the same size another time is stated, but no other root
	requests 14 14 | sed 1d | witness | jq -e '.status == 200'
	python3 - "$ROOT" >fork <<-'END'
	import json, sys
	sys.path.insert(0, sys.argv[1] + "/tests/oracle")
	import transparency as t
	for size, root in (14, bytes(32)), (13, bytes(32)), (0, bytes(32)):
	    body = "\n".join([t.ORIGIN, str(size), t.b64(root)]) + "\n"
	    print(json.dumps({"body": t.request_text(size, [], body, [t.LOG.sign(body)])}))
	END
	[ "$(witness fork | statuses)" = "422 409 409" ]
	rm -r s
	[ "$(witness fork | statuses)" = "409 409 422" ]
	[ -z "$(ls s)" ]
}

@test "a record that is damaged, of another key or log, or no file cosigns nothing" {
	local how good
	the_keys
	requests 5 9 14 >asked
	sed -n 1p asked | witness >/dev/null
	sed -n 2p asked >next
	good=$(record)
	cp "$good" good
	sed 's/witness.example\/w1/witness.example\/w2/' good >renamed
	by_hand cosign w2 good | cat <(sed '$d' good) - >other
	sed 's/^5$/9/' good >grown
	sed 's/^example.com\/log$/example.com\/other/' good >origin
	head -c 100 good >torn
	: >empty
	head -c 3000000 /dev/zero >large
	for how in "cp renamed" "cp other" "cp grown" "cp origin" "cp torn" "cp empty" "cp large" "ln -s ../good" mkfifo mkdir; do
		rm -rf "$good"
		$how "$good"
		run -2 --separate-stderr witness next
		[ -z "$output" ] && [[ $stderr == *"$good: "* ]] || { echo "$how: $output $stderr"; return 1; }
		# for a bridge it is the answer to this request alone, and names no file
		cat next <(echo '{"body":"x"}') | witness --on-error emit -q 2>/dev/null >out || [ $? = 1 ]
		[ "$(jq -c '[.error.code, .error.message, .status]' out | xargs)" = \
			"[503,the witness cannot be used at present,null] [null,null,400]" ] || { echo "$how"; cat out; return 1; }
		[[ $how != cp* ]] || cmp "$good" "${how#cp }"
	done
	rm -rf "$good"
	cp good "$good"
	[ "$(witness next | statuses)" = 200 ]
}

# bats test_tags=full
@test "an answer is on disk before it is given, and a kill or fault at any system call loses nothing" {
	local fault n status
	needs_strace
	the_keys
	requests 5 9 14 >asked
	sed -n 1p asked | witness >/dev/null
	cp -r s good
	# the record is synced and renamed, and its folder synced, before anything is printed
	sed -n 2p asked | strace -f -qq -y -o calls -e trace=fsync,rename,renameat,renameat2,write lh-tlog witness \
		--state s --key-file w1.key --policy loose >out
	[ "$(grep -v lock calls | sed 's/^[0-9]* *//; s/\([a-z]*\).*lh-tmp.*/\1/; s/(1<.*/ out/; s/(.*/ s/' | xargs)" = "write fsync rename fsync s write out" ]
	mkdir left
	for fault in write:error=ENOSPC fsync:error=EIO rename:error=EIO write:signal=KILL fsync:signal=KILL rename:signal=KILL \
		unlink:signal=KILL openat:signal=KILL; do
		for ((n = 1; n < 200; n += $([[ $fault == openat* ]] && scale 25 1 || echo 1))); do
			rm -rf s
			cp -r good s
			status=0
			sed 1d asked | inject "$fault:when=$n" lh-tlog witness --state s --key-file w1.key --policy loose >out 2>err || status=$?
			injected || break
			[ $status != 0 ]
			cp out "left/$fault:$n.out"
			cp "$(record)" "left/$fault:$n.record"
			# the next one goes on, and removes what was left
			sed 1d asked | witness | jq -se 'all(.status == 200 or .status == 409)' >/dev/null
			[ "$(sed -n 2p "$(record)")" = 14 ]
			no_litter s
		done
	done
	# what was answered is in the record
	python3 - "$ROOT" left/*.record <<-'END'
	import json, sys
	sys.path.insert(0, sys.argv[1] + "/tests/oracle")
	import transparency as t
	key, sizes = t.Vkey(t.W1.vkey()), (5, 9, 14)
	for record in sys.argv[2:]:
	    body, lines = t.parse_note(open(record).read())
	    size = t.parse_checkpoint(body)[1]
	    told = [json.loads(line)["status"] for line in open(record[:-6] + "out") if line.endswith("\n")]
	    assert any(key.signed(line, body) for line in lines), record
	    assert set(told) <= {200} and size in sizes and size >= sizes[len(told)], record
	assert len(sys.argv) > 12
	END
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
