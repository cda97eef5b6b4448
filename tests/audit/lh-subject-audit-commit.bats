# lh-subject-audit commit and prove: each row one entry of a transparency log, whatever
# is killed, and what a stranger can check without a key.
load ../helper
load ../audit

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_SUBJECT_AUDIT_KEY
	key_of_tests
	export LH_SUBJECT_AUDIT_KEY=key
	tree_of_tests
}

# tree_of_tests - an empty log, its key, and a policy that trusts it.
tree_of_tests() {
	lh-tlog keygen example.com/audit --out tlog.key --public tlog.pub
	lh-tlog init tree --origin example.com/audit --key-file tlog.key
	printf 'log %s\nquorum none\n' "$(cat tlog.pub)" >policy
}

commit() {
	lh-subject-audit commit --dir d --tlog tree --key-file-tlog tlog.key "$@"
}

prove() {
	lh-subject-audit prove --dir d --tlog tree "$@"
}

# commitments COMMAND [ARGUMENT]... - by another hand.
commitments() {
	python3 "$ROOT/tests/oracle/commitment.py" "$@"
}

# size - of the tree that is signed.
size() {
	sed -n 2p tree/checkpoint
}

# whole - each row of each log is one entry, and the tree has no other: from the cursors,
# the secrets and the logs alone.
whole() {
	local log name
	for log in d/*.audit.jsonl; do
		name=${log%.audit.jsonl}
		commitments entries "$name.secret" <"$log" >entries
		jq -c '.runs[] | range(.[2]) as $i | .[1] + $i' "$name.commit" | paste - entries
	done | sort -n >all
	cut -f 1 all | cmp - <(seq 0 $(($(size) - 1)))
	[ "$(cut -f 2 all | commitments root)" = "$(sed -n 3p tree/checkpoint)" ]
}

@test "commit makes each row one entry, and a stranger checks it without a key" {
	log W-1 3
	log W/2 2
	run -0 --separate-stderr commit
	[ "$output" = '{"logs":2,"rows":5,"committed":5,"size":5}' ]
	[ -z "$stderr" ]
	whole
	[ "$(stat -c %a d/W-1.secret d/W-1.commit | sort -u)" = 600 ]
	[ "$(stat -c %s d/W-1.secret)" = 32 ]
	[ "$(jq -c '[.count, .runs]' d/W-1.commit)" = '[3,[[0,0,3]]]' ]
	prove W-1 >W-1.proofs
	prove W/2 >>W-1.proofs
	[ "$(commitments check <W-1.proofs | xargs)" = "0 1 2 3 4" ]
	mkdir stranger
	mv W-1.proofs policy stranger
	cd stranger
	env -u LH_SUBJECT_AUDIT_KEY lh-tlog verify --row --policy policy W-1.proofs >out
	[ "$(jq -c '[.verified, .index, .size, .origin]' out | sort -u | wc -l)" = 5 ]
	[ "$(jq -r .row out)" = "$(cat ../d/W-1.audit.jsonl ../d/W_2*.audit.jsonl)" ]
}

@test "commit again does nothing, and new rows continue the runs" {
	log W-1 3
	commit >/dev/null
	cp tree/checkpoint before
	run -0 --separate-stderr commit
	[ "$output" = '{"logs":1,"rows":3,"committed":0,"size":3}' ]
	cmp tree/checkpoint before
	log W-2 1
	commit >/dev/null
	log W-1 2
	run -0 commit
	[ "$output" = '{"logs":2,"rows":6,"committed":2,"size":6}' ]
	[ "$(jq -c .runs d/W-1.commit)" = '[[0,0,3],[3,4,2]]' ]
	[ "$(jq -r .tip d/W-1.commit)" = "$(tail -n 1 d/W-1.audit.jsonl | jq -r .row_hmac)" ]
	whole
	prove W-1 --row 4 --row 1 --row 4 >out
	[ "$(jq -r .row out)" = "$(sed -n '2p;5p' d/W-1.audit.jsonl)" ]
}

@test "what is not a good continuation is named, and the others are committed" {
	for id in cut forged gone good other torn; do log "$id" 2; done
	commit >/dev/null
	for id in cut forged gone good other torn; do log "$id" 2; done
	sed -i '$d' d/cut.audit.jsonl
	sed -i '2,$d' d/cut.audit.jsonl
	sed -i 4s/success/denied/ d/forged.audit.jsonl
	rm d/gone.secret
	rm d/other.audit.jsonl
	log other 3
	printf '{"cut' >>d/torn.audit.jsonl
	run -1 --separate-stderr commit
	[ "$output" = '{"logs":1,"rows":4,"committed":2,"size":14}' ]
	[ "${#stderr_lines[@]}" = 5 ]
	[ "${stderr_lines[0]}" = "lh-subject-audit: d/cut.audit.jsonl: shortened: it has 1 row, and 2 are committed" ]
	[[ ${stderr_lines[1]} == "lh-subject-audit: d/forged.audit.jsonl: tampered after 3 good rows (row 3: row_hmac mismatch)" ]]
	[[ ${stderr_lines[2]} == "lh-subject-audit: d/gone.audit.jsonl: not committed: "* ]]
	[ "${stderr_lines[3]}" = "lh-subject-audit: d/other.audit.jsonl: replaced: its row 1 is not the one that is committed" ]
	[[ ${stderr_lines[4]} == "lh-subject-audit: d/torn.audit.jsonl: torn: "* ]]
	[ ! -e d/gone.secret ]
	rm d/cut.audit.jsonl
	run -1 --separate-stderr commit
	[ "${stderr_lines[0]}" = "lh-subject-audit: d/cut.audit.jsonl: shortened: it has 0 rows, and 2 are committed" ]
	lh-subject-audit repair d/torn.audit.jsonl >/dev/null
	run -1 commit
	[ "$(size)" = 16 ]
}

@test "with a secret destroyed the proofs of other rows still verify" {
	log W-1 2
	log W-2 2
	commit >/dev/null
	rm d/W-1.secret
	log W-2 1
	run -1 commit
	[ "$(size)" = 5 ]
	prove W-2 | lh-tlog verify --row --policy policy >out
	[ "$(jq .verified out | sort | uniq -c | xargs)" = "3 true" ]
	run -2 --separate-stderr prove W-1
	[[ $stderr == *"d/W-1.secret"* ]]
}

@test "cursors that are lost or torn are made anew from the tree, and no row comes twice" {
	log W-1 3
	log W-2 2
	commit >/dev/null
	log W-1 1
	commit >/dev/null
	cp d/W-1.commit d/W-2.commit d/.tlog .
	cp tree/checkpoint before
	for damage in 'rm d/W-1.commit' 'truncate -s 20 d/W-1.commit' 'truncate -s 0 d/W-2.commit' \
		'rm d/.tlog' 'truncate -s 9 d/.tlog' 'rm d/.tlog d/W-1.commit d/W-2.commit'; do
		$damage
		run -0 commit
		[ "$output" = '{"logs":2,"rows":6,"committed":0,"size":6}' ]
		cmp tree/checkpoint before
		cmp W-1.commit d/W-1.commit
		cmp W-2.commit d/W-2.commit
	done
	log W-2 1
	rm d/W-2.commit
	run -0 commit
	[ "$output" = '{"logs":2,"rows":7,"committed":1,"size":7}' ]
	whole
}

# bats test_tags=full
@test "killed anywhere, commit makes no row twice and leaves none out" {
	needs_strace
	for call in openat write pwrite64 rename renameat2 fsync; do
		for when in $(scale "1 3 8 13" "$(seq -s ' ' 1 400)"); do
			rm -rf d tree
			lh-tlog init tree --origin example.com/audit --key-file tlog.key
			log W-1 2
			commit >/dev/null
			log W-1 1
			log W-2 2
			inject "$call:signal=KILL:when=$when" lh-subject-audit commit --dir d --tlog tree \
				--key-file-tlog tlog.key >/dev/null 2>&1 || true
			injected || break
			log W-2 1
			run -0 commit
			[[ $output == '{"logs":2,"rows":6,'*',"size":6}' ]]
			whole
			no_litter
		done
	done
}

@test "two commits at a time make each row one entry" {
	log W-1 50
	commit >one &
	commit >two
	wait $!
	[ "$(jq -s 'map(.committed) | add' one two)" = 50 ]
	whole
}

@test "commit takes one log a folder, and no older copy of it" {
	log W-1 2
	cp -r tree older
	commit >/dev/null
	lh-tlog keygen example.com/other --out other.key
	lh-tlog init other --origin example.com/other --key-file other.key
	run -2 --separate-stderr lh-subject-audit commit --dir d --tlog other --key-file-tlog other.key
	[ "$stderr" = "lh-subject-audit: d/.tlog: its rows are in the log example.com/audit, not in example.com/other" ]
	run -2 --separate-stderr lh-subject-audit commit --dir d --tlog older --key-file-tlog tlog.key
	[ "$stderr" = "lh-subject-audit: d/.tlog: the log example.com/audit had 2 entries, and has 0: an older copy of it?" ]
	refused 'no transparency log: name its folder by --tlog' commit --dir d --key-file-tlog tlog.key
	refused 'no key that signs the log: name its file by --key-file-tlog' commit --dir d --tlog tree
	refused 'no row verifies with this key: is it the right one?' commit --dir d --tlog tree \
		--key-file-tlog tlog.key --key-file <(:) || true
}

@test "prove names rows that are not committed" {
	log W-1 2
	run -1 --separate-stderr prove W-1
	[ "$stderr" = "lh-subject-audit: d/W-1.audit.jsonl: no row of it is committed" ]
	commit >/dev/null
	log W-1 1
	run -1 --separate-stderr prove W-1 --row 2 --row 1
	[ "${#lines[@]}" = 1 ]
	[ "$stderr" = "lh-subject-audit: row 2 is not committed: 2 are" ]
	refused '--row: "-1" is not a whole number' prove --tlog tree --row -1 W-1
	refused '--row: "1x" is not a whole number' prove --tlog tree --row 1x W-1
	# a row that was changed has another entry
	sed -i 1s/success/denied/ d/W-1.audit.jsonl
	run -2 --separate-stderr prove W-1 --row 0
	[[ $stderr == *"row 0: entry 0 of the log example.com/audit is not this row" ]]
}

@test "verify --row refuses a row, an opening, an entry and a proof of another" {
	log W-1 3
	commit >/dev/null
	prove W-1 >proofs
	for change in '.row |= sub("success"; "denied")' '.row += " "' '.opening |= sub("^."; "x")' \
		'.opening |= ascii_upcase' '.entry |= sub(" (?<c>.)"; " \(if .c == "f" then "0" else "f" end)")' '.entry += "\n"' \
		'.proof |= sub("index 0"; "index 1")'; do
		run -1 --separate-stderr lh-tlog verify --row --policy policy < <(sed -n 1p proofs | jq -c "$change")
		[ -z "$output" ] || [ "$(jq .verified <<<"$output")" = false ]
	done
	# whole parts of another row
	for part in row opening entry proof; do
		run -1 lh-tlog verify --row --policy policy < <(jq -c --slurp --arg p $part '.[0] + {($p): .[1][$p]}' proofs)
		[ "$(jq .verified <<<"$output")" = false ]
	done
}

@test "report --proofs has the rows of the window, and the page says how to check them" {
	log W-1 3
	commit >/dev/null
	log W-1 1
	run -0 --separate-stderr lh-subject-audit report --dir d --tlog tree --proofs W-1.proofs --html page W-1
	[ "$stderr" = "lh-subject-audit: W-1.proofs: 1 of 4 rows are not committed, and not in it" ]
	cmp W-1.proofs <(prove W-1)
	[ "$(stat -c %a W-1.proofs)" = 600 ]
	has "<h2>How a stranger checks this</h2>" <page
	has "lh-tlog verify --row --policy POLICY" <page
	lh-subject-audit report --dir d --html page --force W-1 >/dev/null
	not has "How a stranger" <page
	# a window has its own, and a file of another kind is not replaced
	lh-subject-audit report --dir d --tlog tree --proofs W-1.proofs --from 2100-01-01 W-1 >/dev/null
	[ ! -s W-1.proofs ]
	run -2 --separate-stderr lh-subject-audit report --dir d --tlog tree --proofs policy W-1
	[[ $stderr == *"policy"* ]]
	refused 'no transparency log: name its folder by --tlog' report --dir d --proofs x W-1
}

@test "an anchor has the checkpoint, and verify --against sees whether the tree grew from it" {
	log W-1 2
	commit >/dev/null
	lh-subject-audit anchor --dir d --tlog tree --now 2026-05-03T12:00:00Z >anchor
	[[ $(tail -n 1 anchor) == *',"logs":1,"checkpoint":"'*'\n","hmac":"'*'"}' ]]
	tail -n 1 anchor | jq -j .checkpoint | cmp - tree/checkpoint
	oracle check-anchor key <anchor
	cp -r tree forked
	log W-1 1
	commit >/dev/null
	run -0 --separate-stderr lh-subject-audit verify --dir d --against anchor --tlog tree
	[ "${stderr_lines[0]}" = "lh-subject-audit: tree: its tree of 3 entries has grown from the anchor's, of 2" ]
	refused 'anchor has a checkpoint: name its log by --tlog' verify --dir d --against anchor
	refused '--tlog needs --against' verify --dir d --tlog tree
	lh-subject-audit anchor --dir d >plain
	refused 'plain: it has no checkpoint for --tlog' verify --dir d --against plain --tlog tree
	# other entries in place of those that were committed; a tree that is shorter
	lh-subject-audit anchor --dir d --tlog tree >anchor
	echo '{"a":"x"}' | lh-tlog append forked --field a --key-file tlog.key >/dev/null
	run -1 --separate-stderr lh-subject-audit verify --dir d --against anchor --tlog forked
	[ "${stderr_lines[0]}" = "lh-subject-audit: forked: its tree of 3 entries has not grown from the anchor's, of 3 in the log example.com/audit" ]
	lh-tlog init empty --origin example.com/audit --key-file tlog.key
	run -1 lh-subject-audit verify --dir d --against anchor --tlog empty
	sed -i 's/checkpoint":"example/checkpoint":"Example/' anchor
	run -2 --separate-stderr lh-subject-audit verify --dir d --against anchor --tlog tree
	[[ $stderr == *"forged"* ]]
}
