# lh-tlog init, append, checkpoint and audit: what is in the folder of a log, who may write it,
# and what is left of a batch that was killed or did not fit on the disk.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	umask 022
	keys
}

# Keys of example.com/log: two of the log, one of another.
keys() {
	(
		umask 077
		echo 'PRIVATE+KEY+example.com/log+af60b360+AU0yA8jzXN9gDkdfVf7eYIGnA9PTIvIIhl/KLsTw4DD4' >key
		echo 'PRIVATE+KEY+example.com/log+a1ecea1e+ASkTDMAqIQWzFhBTUEB2YentQj3rGnw1KF77s/GjRIEi' >new
	)
}

texts() { seq "$1" "$2" | sed 's/.*/{"id":&,"text":"entry &"}/'; }
append() { lh-tlog append --key-file key --field text "$@"; }
init() { lh-tlog init --key-file key --origin example.com/log "$@"; }
audit() { lh-tlog audit "$@" | jq -c '[.verified, .size, .differs]'; }

# root FILE - of the entries in a file, a line each, by the definition of RFC 6962.
root() {
	python3 - "$1" <<-'END'
	import base64, hashlib, sys
	sha = lambda b: hashlib.sha256(b).digest()
	def root(d):
	    if len(d) < 2:
	        return sha(b"\0" + d[0]) if d else sha(b"")
	    k = 1 << (len(d) - 1).bit_length() - 1
	    return sha(b"\1" + root(d[:k]) + root(d[k:]))
	lines = open(sys.argv[1], "rb").read().split(b"\n")[:-1]
	print(base64.b64encode(root(lines)).decode())
	END
}

@test "a key is made once, for its owner alone, and has a public one" {
	lh-tlog keygen example.com/own 2>vkey >own
	[[ $(<own) =~ ^PRIVATE\+KEY\+example.com/own\+[0-9a-f]{8}\+AQ?[A-Za-z0-9+/=]+$ ]]
	run -2 lh-tlog vkey own
	chmod 600 own
	[ "$(lh-tlog vkey own)" = "$(<vkey)" ]
	lh-tlog keygen --cosigner --out w --public w.pub example.com/w
	[ "$(stat -c %a w)" = 600 ]
	[ "$(lh-tlog vkey w)" = "$(<w.pub)" ]
	run -2 lh-tlog keygen --out w example.com/w
	[[ $output = *'w: exists already' ]]
	run -2 lh-tlog keygen --out w --public other.pub example.com/w
	run -2 lh-tlog keygen --out other --public w.pub example.com/w
	[[ $output = *'w.pub: exists already' ]] && [ ! -e other ] && [ ! -e other.pub ]
	run -2 lh-tlog keygen 'a name'
	run -2 lh-tlog init --origin example.com/w --key-file w log
	[[ $output = *'example.com/w: is a key of a witness, not of a log' ]]
}

@test "an empty log has a signed checkpoint of size 0, and is made once" {
	run -0 init log
	[ -z "$output" ]
	[ "$(sed -n 1,3p log/checkpoint)" = "$(printf '%s\n' example.com/log 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=)" ]
	[ "$(<log/origin)" = example.com/log ]
	[ "$(find log -type f -printf '%m %P\n' | sort | xargs)" = '644 checkpoint 644 origin 644 pending' ]
	[ "$(find log -type d -printf '%m\n' | sort -u)" = 755 ]
	[ "$(audit log)" = '[true,0,null]' ]
	run -2 init log
	[ "$output" = 'lh-tlog: log: has a log already' ]
	run -2 lh-tlog init --key-file key --origin example.org/other other
	[[ $output = *'the key is of example.com/log, not of the origin example.org/other' ]]
	[ ! -e other ]
	run -2 lh-tlog init --origin example.com/log other
	[[ $output = *'init needs --key-file FILE'* ]]
	# what was signed for the tiles that are there must not be contradicted
	append log <<<'{"text":"x"}' >out
	rm log/checkpoint
	run -2 init log
	[ "$output" = 'lh-tlog: log: has the tiles of a log, which has lost its checkpoint: put that back' ]
}

@test "a record passes with its index and the hash of its entry; the files are those of tlog-tiles" {
	init log
	texts 1 300 | append log >out
	[ "$(jq -c '[.id, .tlog.index]' out | sha256sum)" = "$(seq 0 299 | jq -c '[. + 1, .]' | sha256sum)" ]
	[ "$(tail -n 1 out | jq -r .tlog.leaf_hash)" = "$(printf '\0entry 300' | openssl sha256 -binary | base64)" ]
	[ "$(find log/tile -type f -printf '%P %s\n' | sort | xargs)" = '0/000 8192 0/001.p/44 1408 1/000.p/1 32 entries/000 2708 entries/001.p/44 484' ]
	jq -r .text out >entries
	[ "$(sed -n 3p log/checkpoint)" = "$(root entries)" ]
	[ "$(od -An -tx1 -N 4 log/tile/entries/000 | xargs)" = '00 07 65 6e' ]
	texts 301 301 | append log >out
	[ "$(jq -c .tlog.index out)" = 300 ]
	# the partial tile of a checkpoint stays until the tile is full
	[ -f log/tile/0/001.p/44 ]
	[ -f log/tile/0/001.p/45 ]
	texts 302 70000 >in
	append log in >>out
	[ "$(find log/tile -name '*.p' -printf '%P\n' | sort | xargs)" = '0/273.p 1/001.p 2/000.p entries/273.p' ]
	[ "$(ls log/tile/0/273.p log/tile/1/001.p log/tile/2/000.p | xargs)" = 'log/tile/0/273.p: 112 log/tile/1/001.p: 17 log/tile/2/000.p: 1' ]
	[ "$(audit log)" = '[true,70000,null]' ]
	seq -f 'entry %.0f' 70000 >entries
	[ "$(sed -n 3p log/checkpoint)" = "$(root entries)" ]
}

@test "a record that comes alone is answered at once, with a checkpoint of its own" {
	init log
	texts 1 253 | append log >out
	mkfifo in
	append log <in >out &
	exec 7>in
	for n in {254..259}; do
		texts $n $n >&7
		until_so has_lines out $((n - 253))
		[ "$(audit log)" = "[true,$n,null]" ]
	done
	exec 7>&-
	wait $!
	[ "$(find log/tile -type f -printf '%P\n' | sort | xargs)" = '0/000 0/001.p/1 0/001.p/2 0/001.p/3 1/000.p/1 entries/000 entries/001.p/1 entries/001.p/2 entries/001.p/3' ]
}

@test "an entry is a text, decoded base64 or the line; what is none is refused" {
	init log
	leaf() { { printf '\0'; cat; } | openssl sha256 -binary | base64; }
	hash() { jq -r .tlog.leaf_hash; }
	[ "$(append log <<<'{"text":"a\u00e9","tlog":1}')" = "{\"text\":\"a\\u00e9\",\"tlog\":{\"index\":0,\"leaf_hash\":\"$(printf 'aé' | leaf)\"}}" ]
	base64=(lh-tlog append --key-file key log --base64 a.b)
	[ "$("${base64[@]}" <<<'{"a":{"b":"AP8="}}' | hash)" = "$(printf '\0\377' | leaf)" ]
	[ "$("${base64[@]}" <<<'{"a":{"b":""}}' | hash)" = "$(leaf </dev/null)" ]
	run -1 "${base64[@]}" --on-error emit <<<'{"a":{"b":"AP9="}}'
	[[ $output = *'"code":400,"message":"\"a.b\" is not base64"'* ]]
	line=(lh-tlog append --key-file key log --line)
	printf '\xef\xbb\xbf {"a": 1.0 }\t\r\n{"b":2}' | "${line[@]}" >out
	[ "$(sed -n 1p out | hash)" = "$(printf ' {"a": 1.0 }\t' | leaf)" ]
	[[ $(sed -n 1p out) = '{"a": 1.0 ,"tlog":{"index":3,'* ]]
	[ "$(sed -n 2p out | hash)" = "$(printf '{"b":2}' | leaf)" ]
	run -1 --separate-stderr append --on-error emit log <<<$'{"text":1}\n{"text":"b"}\n[]\n{"text":"c"}'
	[ "$(jq -c '.tlog.index // .error.code' <<<"$output" | xargs)" = '400 5 400 6' ]
	for options in '' '--field a --line' '--field a --base64 b'; do
		run -2 lh-tlog append --key-file key $options log
		[[ $output = *'append needs one of --field, --base64 and --line'* ]]
	done
	[ "$(audit log)" = '[true,7,null]' ]
}

@test "entries of 0 and of 65,535 bytes are kept, longer ones in a log without entries alone" {
	init log
	lh-tlog init --key-file key --origin example.com/log --no-entries hashes
	for n in 0 65535 65536; do echo "{\"text\":\"$(stretch $n x)\"}"; done >in
	run -1 --separate-stderr append --on-error emit log in
	[ "$(jq -c '.tlog.index // .error.code' <<<"$output" | xargs)" = '0 1 413' ]
	[ "$(append hashes in | jq -c .tlog.index | xargs)" = '0 1 2' ]
	[ ! -e hashes/tile/entries ]
	# nor in the folder that a killed init for a log with entries left
	mkdir -p left/tile/entries
	lh-tlog init --key-file key --origin example.com/log --no-entries left
	[ ! -e left/tile/entries ]
	[ "$(audit log)" = '[true,2,null]' ]
	[ "$(audit hashes)" = '[true,3,null]' ]
}

@test "--every: records wait for a checkpoint, and many share one" {
	init log
	mkfifo in
	begun=$(date +%s%1N)
	append log --every 200ms <in >out &
	exec 7>in
	for n in {1..60}; do texts $n $n >&7; done
	exec 7>&-
	wait $!
	[ "$(jq -c .tlog.index out | xargs)" = "$(seq 0 59 | xargs)" ]
	[ "$(ls log/tile/0/000.p | wc -l)" -le $((2 + ($(date +%s%1N) - begun) / 2)) ]
	run -2 append log --every 1x
	[[ $output = *'--every must be a time'* ]]
}

@test "writers take turns, and each entry has one index" {
	init log
	for i in {1..6}; do
		texts ${i}001 ${i}300 >in$i
		append log in$i >out$i &
		texts ${i}301 ${i}330 | while read -r line; do echo "$line"; sleep 0.001; done | append log >slow$i &
	done
	wait
	[ "$(cat out? slow? | jq .tlog.index | sort -n | xargs)" = "$(seq 0 1979 | xargs)" ]
	cat out? slow? | jq -r '"\(.tlog.index) \(.text)"' | sort -n | cut -d' ' -f2- >entries
	[ "$(sed -n 3p log/checkpoint)" = "$(root entries)" ]
	[ "$(audit log)" = '[true,1980,null]' ]
	[ ! -e log/lock ]
}

# swept FAULT - append 6 entries to a copy of a log of 254 in the folder log, with this fault; the
# status.  False if the fault did not happen, since there are not that many calls.
swept() {
	rm -rf log
	cp -r first log
	status=0
	inject "$1" lh-tlog append --key-file key --field text log in >out 2>err || status=$?
	injected
}

# The log is as it was before, or has all entries, and the next writer goes on: from the pending
# tree, if there is one.
goes_on() {
	local size pending
	size=$(sed -n 2p log/checkpoint)
	pending=$(sed -n 2p log/pending)
	[ "$size" = 254 ] || [ "$size" = 260 ]
	[ "$(audit log)" = "[true,$size,null]" ]
	[ ! -s out ] || [ "$(jq -c .tlog.index out | xargs)$size" = '254 255 256 257 258 259260' ]
	texts 900 900 | append log >out
	[ "$(jq .tlog.index out)" = "$((pending > size ? pending : size))" ]
	[ "$(audit --from first/checkpoint log)" = "[true,$((pending + 1)),null]" ]
	[ -z "$(find log -name '*lh-tmp*')" ]
}

before_a_sweep() {
	init first
	texts 1 254 | append first >told
	texts 255 260 >in
}

@test "what a killed writer left is on disk before it is called published" {
	needs_strace
	init log
	append log <<<'{"text":"x"}' >out
	sed -i 4,5d log/pending
	strace -f -y -e trace=fsync,write -o calls lh-tlog append --key-file key --field text log <<<'{"text":"y"}' >out
	grep -E 'fsync\(.*/log>|write\(.*/pending>' calls | sed 's/^[0-9]* *//; s/(.*//' >order
	[ "$(head -2 order | xargs)" = 'fsync write' ]
	[ "$(tail -2 log/pending)" = "$(printf '\npublished')" ]
	# a mark that did not fit on the disk is written again
	head -c -5 log/pending >torn
	cp torn log/pending
	append log <<<'{"text":"z"}' >out
	[ "$(jq .tlog.index out)" = 2 ]
}

# bats test_tags=full
@test "on a full or broken disk nothing is told, and the checkpoint stays valid" {
	needs_strace
	local fault n
	before_a_sweep
	for fault in write:error=ENOSPC fsync:error=EIO rename,renameat,renameat2:error=EIO mkdir:error=ENOSPC; do
		for ((n = 1; n < 400; n++)); do
			swept $fault:when=$n || break
			# what comes after the checkpoint, such as a write to stdout, is another matter
			[ "$status" = 2 ] || [ "$(sed -n 2p log/checkpoint)" = 260 ]
			[ "$status" != 2 ] || [ -s err ]
			goes_on
		done
		((n > 1))
	done
}

@test "a checkpoint that a backup brought back is not signed over" {
	init log
	texts 1 3 | append log >out
	cp log/checkpoint old
	texts 4 7 | append log >out
	cp log/checkpoint newest
	cp old log/checkpoint
	run -2 append log <<<'{"text":"x"}'
	[ "$output" = 'lh-tlog: log: the checkpoint is of 3 entries, but one of 7 was signed: it was brought back, as by a backup. Nothing is signed; put the newest checkpoint back, or sign that tree again: lh-tlog checkpoint --recover' ]
	cmp old log/checkpoint
	run -2 lh-tlog checkpoint --key-file key log
	lh-tlog checkpoint --recover --key-file key log
	cmp newest log/checkpoint
	[ "$(append log <<<'{"text":"x"}' | jq .tlog.index)" = 7 ]
	[ "$(audit --from newest log)" = '[true,8,null]' ]
	# the checkpoints that are kept are remembered, too
	mkdir log/checkpoints
	cp log/checkpoint log/checkpoints/8
	cp old log/checkpoint
	rm log/pending
	run -2 append log <<<'{"text":"x"}'
	[[ $output = *'put the newest checkpoint back, which is in checkpoints' ]]
	cp log/checkpoints/8 log/checkpoint
	append log <<<'{"text":"x"}' >out
}

@test "a log gets another key by a checkpoint that both have signed" {
	init log
	append log <<<'{"text":"x"}' >out
	with_new=(lh-tlog append --key-file new --line log)
	run -2 "${with_new[@]}" <<<'{}'
	[[ $output = *'the checkpoint is not signed by this key; lh-tlog checkpoint signs it with a new one' ]]
	printf '— example.com/witness %s\n' "$(printf '%076d' 0 | base64 -w 0)" >>log/checkpoint
	lh-tlog checkpoint --key-file key --key-file new log
	[ "$(grep -c '^— example.com/log ' log/checkpoint)" = 2 ]
	grep -q '^— example.com/witness ' log/checkpoint
	"${with_new[@]}" <<<'{}' >out
	[ "$(grep -c '^— ' log/checkpoint)" = 1 ]
	[ "$(audit log)" = '[true,2,null]' ]
	sed -i 's/^\(— [^ ]* .......\)../\1AB/' log/checkpoint
	run -2 "${with_new[@]}" <<<'{}'
	[[ $output = *'its signature by example.com/log is wrong; nothing is signed' ]]
	# a key of another name signs next to the log's, once
	lh-tlog keygen example.com/second --out second --public second.pub
	init two
	for _ in 1 2; do lh-tlog checkpoint --key-file key --key-file second two; done
	[ "$(grep -c '^— ' two/checkpoint)" = 2 ]
	# a checkpoint that nobody could read is not made
	init full
	for n in {1..63}; do
		printf '— example.com/w%d %s\n' $n "$(printf '%076d' 0 | base64 -w 0)"
	done >>full/checkpoint
	cp full/checkpoint was
	lh-tlog checkpoint --key-file key full
	run -2 lh-tlog checkpoint --key-file key --key-file new full
	[[ $output = *'full: the checkpoint with these signatures: '*' 64 signature lines' ]]
	cmp was full/checkpoint
	append full <<<'{"text":"x"}' >out
}

@test "a log of another program is audited, and not written" {
	init log
	texts 1 300 | append log >out
	rm log/origin log/pending
	[ "$(audit log)" = '[true,300,null]' ]
	run -2 append log <<<'{"text":"x"}'
	[ "$output" = 'lh-tlog: log: is written by another program, since it has no file "origin"' ]
	echo example.com/log >log/origin
	sed -i '3a extension' log/checkpoint
	[ "$(audit log)" = '[true,300,null]' ]
	run -2 append log <<<'{"text":"x"}'
	[[ $output = *'wrong; nothing is signed' ]] || [[ $output = *'its checkpoint has extension lines' ]]
	# a tile that became full meanwhile stands for a partial one
	init grown
	texts 1 300 | append grown >out
	cp grown/checkpoint old
	texts 301 512 | append grown >out
	rm grown/origin
	cp old grown/checkpoint
	[ "$(audit grown)" = '[true,300,null]' ]
}

# bats test_tags=full
@test "audit names the first file that differs, and no damage makes it fail otherwise" {
	init log
	texts 1 600 | append log >out
	for file in entries/000 entries/001 entries/002.p/88 0/000 0/001 0/002.p/88 1/000.p/2; do
		for how in 'printf x | dd conv=notrunc seek=2' 'truncate -s -1' 'truncate -s 0' rm 'printf "\377" | dd conv=notrunc'; do
			cp -r log bad
			case $how in
			*dd*) eval "$how of=bad/tile/$file bs=1 status=none" ;;
			*) $how bad/tile/$file ;;
			esac
			run -1 lh-tlog audit bad
			[[ $(jq -r .differs <<<"$output") = tile/${file/entries/[0e]*} ]]
			run -2 append bad <<<'{"text":"x"}' || [[ $file != *p* ]]
			rm -r bad
		done
	done
	sed -i '3s/.*/47DEQpj8HBSa+\/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=/' log/checkpoint
	run -1 lh-tlog audit log
	[ "$(jq -c '[.verified, .differs, .reason, .signatures]' <<<"$output")" = '[false,"checkpoint","the root of the checkpoint is not that of the tree","not checked"]' ]
	for text in '' x "$(printf 'a\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n')" "$(head -c 3000000 /dev/zero | tr '\0' a)"; do
		printf '%s\n' "$text" >log/checkpoint
		run -2 lh-tlog audit log
		run -2 append log <<<'{"text":"x"}'
	done
	rm log/checkpoint
	run -2 lh-tlog audit log
	[[ $output = *'log: there is no log, since it has no checkpoint' ]]
}

@test "audit --from: the log must extend an older checkpoint, of any size" {
	init log
	for n in 0 1 5 256 257 300; do
		texts 1 $n | tail -n +"$(($(sed -n 2p log/checkpoint) + 1))" | append log >out
		cp log/checkpoint at$n
	done
	for n in 0 1 5 256 257 300; do [ "$(audit --from at$n log)" = '[true,300,null]' ]; done
	init other
	texts 2 300 | append other >out
	run -1 lh-tlog audit --from at257 other
	[ "$(jq -r .reason <<<"$output")" = 'the log does not extend the checkpoint of 257 entries' ]
	run -1 lh-tlog audit --from at300 other
	[ "$(jq -r .reason <<<"$output")" = 'the log is shorter than the checkpoint of 300 entries' ]
	sed '1s/log/dog/' at5 >dog
	run -2 lh-tlog audit --from dog log
	[[ $output = *'dog: is of another log: example.com/dog' ]]
}

@test "a log that contradicts its pending tree signs nothing" {
	init log
	texts 1 3 | append log >out
	cp -r log sound
	for how in '2s/3/5/' '3s/./X/' '1s/log/dog/' '2s/3/x/' '4,$d;2s/3/4/'; do
		rm -rf log
		cp -r sound log
		sed -i "$how" log/pending
		run -2 append log <<<'{"text":"x"}'
		cmp log/checkpoint sound/checkpoint
	done
}

@test "the checkpoint of a copy of the log that went another way is not signed over, nor signed again" {
	init log
	texts 1 3 | append log >out
	cp -r log copy
	texts 4 5 | append log >out
	cp -r log longer
	texts 7 10 | append copy >out
	cp -r copy/checkpoint copy/tile log
	for command in "append --field text" checkpoint; do
		run -2 lh-tlog $command --key-file key log <<<'{"text":"x"}'
		[ "$output" = 'lh-tlog: log: the tree of 7 entries does not extend that of 5, which was signed; nothing is signed' ]
		cmp copy/checkpoint log/checkpoint
	done
	# the checkpoint of a copy that went on from that tree is extended
	texts 6 9 | append longer >out
	cp -r longer/checkpoint longer/tile log
	[ "$(append log <<<'{"text":"x"}' | jq .tlog.index)" = 9 ]
}

@test "the partial tiles of a batch that was killed once it was published go with the next one" {
	needs_strace
	init log
	append log <<<'{"text":"x"}' >out
	seq -f '{"i":%.0f}' 131072 >in
	inject unlink,unlinkat:signal=KILL:when=1 lh-tlog append --key-file key --line log in >out || [ $? = 137 ]
	injected
	[ "$(sed -n 2p log/checkpoint)" = 131073 ]
	[ -e log/tile/0/000.p/1 ] && [ -e log/tile/0/000 ]
	append log <<<'{"text":"y"}' >out
	[ "$(find log/tile -name '*.p' -printf '%P\n' | sort | xargs)" = '0/512.p 2/000.p entries/512.p' ]
}

@test "what a batch leaves that failed or was killed is removed, by itself or by the next writer" {
	needs_strace
	init log
	seq -f '{"i":%.0f}' 300 >some
	lh-tlog append --key-file key --line log some >out
	find log/tile -type f | sort >before
	cp -r log clean
	lh-tlog append --key-file key --line clean <<<'{"i":0}' >out
	(cd clean && find tile -type f | sort) >want
	seq -f '{"i":%.0f}' 2000 >in
	cp -r log killed
	# a full disk, in the middle of the batch
	status=0
	inject write:error=ENOSPC:when=12 lh-tlog append --key-file key --line log in >out 2>err || status=$?
	injected
	[ "$status" = 2 ]
	find log/tile -type f | sort | diff before -
	# killed before its tree is pending
	inject fsync,syncfs:signal=KILL:when=1 lh-tlog append --key-file key --line killed in >out 2>err || [ $? = 137 ]
	injected
	[ "$(sed -n 2p killed/checkpoint)" = 300 ]
	[ -e killed/tile/0/001 ]
	for name in log killed; do
		lh-tlog append --key-file key --line $name <<<'{"i":0}' >out
		(cd $name && find tile -type f | sort) | diff want -
		[ "$(audit $name)" = '[true,301,null]' ]
	done
}

@test "a tile is written to a regular file alone" {
	init log
	mkdir -p log/tile/0/000.p
	mkfifo log/tile/0/000.p/1
	run -2 patiently lh-tlog append --key-file key --field text log <<<'{"text":"x"}'
	[[ $output = 'lh-tlog: log/tile/0/000.p/1: '* ]]
	rm log/tile/0/000.p/1
	ln -s "$PWD/victim" log/tile/0/000.p/1
	run -2 append log <<<'{"text":"x"}'
	[ "$output" = 'lh-tlog: log/tile/0/000.p/1: is a symbolic link, not a regular file' ]
	[ ! -e victim ]
	rm log/tile/0/000.p/1
	[ "$(append log <<<'{"text":"x"}' | jq .tlog.index)" = 0 ]
}
