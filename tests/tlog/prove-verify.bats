# lh-tlog prove and verify: proofs of entries, and what refuses them.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	lh-tlog keygen example.com/log --out log.key --public log.pub
	lh-tlog init log --origin example.com/log --key-file log.key
	printf 'log %s\nquorum none\n' "$(cat log.pub)" >policy
}

# entries N - in the log, "e0" and so on; what append prints is in the file entries.
entries() {
	local size
	size=$(sed -n 2p log/checkpoint)
	seq "$size" $((size + $1 - 1)) | jq -c '{text: "e\(.)"}' | lh-tlog append log --field text --key-file log.key >entries
}

# asked - of each entry of the file entries, its index and its text.
asked() {
	jq -c '{index: .tlog.index, entry: .text}' entries
}

verify() {
	lh-tlog verify --policy policy "$@"
}

@test "prove by leaf hash gives the first of equal entries" {
	printf '%s\n' '{"text":"a"}' '{"text":"b"}' '{"text":"a"}' '{"text":"a"}' |
		lh-tlog append log --field text --key-file log.key >out
	for _ in 1 2 3 4 5 6 7; do sed -n 4p out; done | jq -c '{leaf_hash: .tlog.leaf_hash}' | lh-tlog prove log >proofs
	[ "$(jq -r .proof proofs | grep '^index' | sort | uniq -c | xargs)" = "7 index 0" ]
}

@test "what a log does not have is that record's error" {
	entries 3
	cat >in <<-END
	{"id":"a","index":3}
	{"id":"b","index":0}
	{"id":"c","leaf_hash":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}
	{"id":"d","leaf_hash":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="}
	{"id":"e"}
	{"id":"f","index":0,"leaf_hash":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}
	{"id":"g","index":0,"size":4}
	{"id":"h","index":0,"size":2}
	{"id":"i","index":-1}
	END
	run -1 --separate-stderr lh-tlog prove --on-error emit log in
	[ "$(jq -c '[.id, .error.code]' <<<"$output" | xargs)" = \
		'[a,404] [b,null] [c,404] [d,400] [e,400] [f,400] [g,404] [h,404] [i,400]' ]
	run -2 --separate-stderr lh-tlog prove none in
	[[ $stderr == *"none"* ]]
}

@test "a proof at an older size is made of the checkpoint that is kept" {
	entries 3
	mkdir -p log/checkpoints
	cp log/checkpoint log/checkpoints/3
	entries 4
	jq -c '{index: .tlog.index}' <<<'{"tlog":{"index":2}}' >in
	jq -c '{index, size: 3, entry: "e2"}' in | lh-tlog prove log | verify >out
	[ "$(jq -c '[.verified, .size]' out)" = '[true,3]' ]
	run -1 --separate-stderr lh-tlog prove log <<<'{"index":3,"size":3}'
	# a file that is not the checkpoint of its name is a corrupt log
	cp log/checkpoint log/checkpoints/4
	run -2 --separate-stderr lh-tlog prove log <<<'{"index":0,"size":4}'
	[[ $stderr == *"log/checkpoints/4: it is of another size" ]]
}

@test "a proof that is asked for later is of the log as it is then" {
	local leaf
	leaf=$(printf '\0e2' | openssl sha256 -binary | base64)
	six_answers() { [ "$(wc -l <out)" = 6 ]; }
	entries 2
	mkfifo in
	lh-tlog prove log --on-error emit <in >out &
	exec 7>in
	# by leaf hash after so many searches that the hashes are in memory
	for _ in {1..6}; do echo "{\"leaf_hash\":\"$leaf\"}" >&7; done
	until_so six_answers
	entries 1
	printf '%s\n' '{"index":2}' "{\"leaf_hash\":\"$leaf\"}" >&7
	exec 7>&-
	wait $! || [ $? = 1 ]
	[ "$(jq -c .error.code out | xargs)" = '404 404 404 404 404 404 null null' ]
	tail -n 2 out | jq -c '{proof, entry: "e2"}' | verify >judged
	[ "$(jq -c '[.verified, .size]' judged | xargs)" = '[true,3] [true,3]' ]
}

@test "prove gives no proof that does not hold, of tiles that are damaged or a checkpoint that is another's" {
	entries 9
	printf x | dd conv=notrunc of=log/tile/0/000.p/9 bs=1 seek=100 status=none
	run -2 --separate-stderr lh-tlog prove log <<<'{"index":0}'
	[ -z "$output" ]
	[ "$stderr" = 'lh-tlog: log: the tiles are not those of the checkpoint of 9 entries' ]
}

@test "a proof is refused if anything of it is changed, and the reason says what" {
	entries 9
	asked | lh-tlog prove log >proofs
	line=$(sed -n 6p proofs)
	verdict() {
		run -1 --separate-stderr verify <<<"$(jq -c "$1" <<<"$line")"
		[ "$(jq .verified <<<"$output")" = false ] && [[ $(jq -r .reason <<<"$output") == *"$2"* ]] ||
			{ echo "$1: $output"; return 1; }
	}
	verdict '.entry = "e6"' "do not lead"
	verdict '.entry += "\u0000"' "do not lead"
	verdict '.proof |= sub("index 5"; "index 4")' "do not lead"
	verdict '.proof |= sub("index 5"; "index 9")' "do not lead"
	verdict '.proof |= (split("\n") | .[2] as $a | .[2] = .[3] | .[3] = $a | join("\n"))' "do not lead"
	verdict '.proof |= (split("\n") | del(.[3]) | join("\n"))' "do not lead"
	verdict '.proof |= (split("\n") | .[:3] + [.[2]] + .[3:] | join("\n"))' "do not lead"
	verdict '.proof |= sub("\n9\n"; "\n10\n")' ""
	verdict '.proof |= sub("log\n9"; "lug\n9")' ""
	# what cannot be read has no other members
	for change in '.proof = ""' '.proof |= sub("@v1"; "@v2")' '.proof |= sub("index 5"; "index 05")' \
		'.proof |= gsub("\n"; "\r\n")' '.proof |= sub("\n\n"; "\n")' '.proof |= rtrimstr("\n")'; do
		run -1 --separate-stderr verify <<<"$(jq -c "$change" <<<"$line")"
		[ "$(jq -c 'keys' <<<"$output")" = '["entry","proof","reason","verified"]' ]
	done
	# the record itself
	for change in 'del(.entry)' '.leaf_hash = "x"' 'del(.proof)' '.entry = 7' 'del(.entry) | .entry_base64 = "eA"'; do
		run -1 --separate-stderr verify <<<"$(jq -c "$change" <<<"$line")"
		[ -z "$output" ]
	done
}

@test "a policy decides: the log, a bad signature of a known key, and the quorum" {
	entries 2
	asked | lh-tlog prove log >proofs
	lh-tlog keygen example.com/other --out other.key --public other.pub
	printf 'log %s\nquorum none\n' "$(cat other.pub)" >others
	run -1 lh-tlog verify --policy others proofs
	[ "$(jq -c '[.verified, .origin, .size, .witnesses]' <<<"${lines[0]}")" = '[false,"example.com/log",2,[]]' ]
	lh-tlog keygen w.example/1 --cosigner --out w.key --public w.pub
	printf 'log %s\nwitness alice %s\nquorum alice\n' "$(cat log.pub)" "$(cat w.pub)" >policy
	run -1 verify proofs
	[[ $(jq -r .reason <<<"${lines[0]}") == *"alice"* ]]
	printf 'quorum none\n' >nobody
	run -2 --separate-stderr lh-tlog verify --policy nobody proofs
	[[ $stderr == *"nobody: it names no log" ]]
	run -2 --separate-stderr lh-tlog verify proofs
	[ "$stderr" = "lh-tlog: no policy: name its file by --policy" ]
}

@test "--consistency prints the hashes of growth, and a bad size is exit 2" {
	entries 7
	run -0 lh-tlog prove --consistency 3 log
	[ "${#lines[@]}" = 4 ]
	run -0 lh-tlog prove --consistency 4 log 7
	[ "${#lines[@]}" = 1 ]
	run -0 lh-tlog prove --consistency 7 log
	[ -z "$output" ]
	for sizes in '8 log' '5 log 4' 'x log' '3 log 8' '3 log x' '-1 log'; do
		run -2 lh-tlog prove --consistency $sizes
	done
}

@test "verify without any proof says so and is exit 1, unless --allow-empty" {
	run -1 --separate-stderr verify /dev/null
	[ -z "$output" ] && [ "$stderr" = "lh-tlog: 0 proofs: --allow-empty if that is right" ]
	run -0 --separate-stderr verify --allow-empty /dev/null
	[ "$stderr" = "lh-tlog: 0 proofs" ]
}
