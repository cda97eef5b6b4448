# lh-tlog and notes, policies, keys and folders that are damaged, enormous or made to deceive.
# bats file_tags=hostile,faults
load ../helper
load ../tlog

# refused STATUS TEXT COMMAND... - it ends with that status and one line, which has the text.
refused() {
	run --separate-stderr patiently "${@:3}"
	[ "$status" = "$1" ] && [[ $stderr == *"$2"* ]] && [ "${#stderr_lines[@]}" -le 2 ] && return
	echo "${*:3}: status $status: ${output:0:300} / ${stderr:0:300}"
	return 1
}

# damaged FILE LAST - copies of FILE in wrong/: cut, empty, longer, with bits changed.
damaged() {
	rm -rf wrong
	python3 - "$1" <<-'END'
	import os, random, sys
	data, rng = open(sys.argv[1], "rb").read(), random.Random(1)
	os.mkdir("wrong")
	def write(name, text):
	    with open("wrong/" + name, "wb") as f:
	        f.write(text)
	for n in {0, 31, len(data) // 2, len(data) - 1}:
	    if 0 <= n < len(data):
	        write("cut.%d" % n, data[:n])
	write("longer", data + b"x")
	write("much-longer", data + bytes(1 << 20))
	write("zeros", bytes(len(data)))
	for i in range(6):
	    at = rng.randrange(len(data))
	    write("bit.%d" % at, data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:])
	END
}

# asked N - each of N entries of log, by index and as text.
asked() {
	seq 0 $(($1 - 1)) | jq -c '{index: ., entry: "{\"id\":\"entry \(. + 1)\"}"}'
}

# wrong_records - lines that no command may take, and one that has no LF.
wrong_records() {
	printf '%s\n' '{"index":18446744073709551616}' '{"index":9223372036854775808}' '{"index":1e400}' '{"index":1.5}' \
		'{"index":"0"}' '{"index":[0]}' '{"index":0,"size":-1}' '{"index":0,"size":281474976710657}' '{"leaf_hash":7}' \
		'{"leaf_hash":""}' '{"leaf_hash":"\u0000"}' '{"index":0,"index":0}' '{"e":7,"proof":7}' '{"e":null,"proof":null}' \
		'{"proof":"","entry":"","leaf_hash":""}' '{"entry":"","proof":"\ud800"}' '[0]' 'null' '{' '"' \
		"$(stretch 100000 '{"e":')" "$(stretch 100000 '[')" "{\"e\":$(stretch 513 '[')$(stretch 513 ']')}"
	printf '{"index":0}\0\n\0\n{"index":\3770}\n{"e":"\300\200"}\n{"e":"\355\240\200"}'
}

@test "records that are deep, long, no JSON, no UTF-8 or of other types are refused one by one, by each filter" {
	local n command
	a_log
	entries 1 3 | append >/dev/null
	cp log/checkpoint before
	wrong_records >wrong
	n=$(jq -Rs 'rtrimstr("\n") | split("\n") | length' wrong)
	for command in "append log --key-file log.key --field e" "append log --key-file log.key --base64 e" \
		"prove log" "verify --policy loose" "verify --policy loose --row"; do
		run -1 --separate-stderr patiently lh-tlog $command --verbose --rejects back wrong
		[ -z "$output" ]
		[[ ${stderr_lines[-1]} == "lh-tlog: $n of $n records rejected"* ]] || { echo "$command: ${stderr_lines[-1]}"; return 1; }
		[[ $stderr != *[$'\001'-$'\010']* ]]
		cmp wrong <(head -c -1 back)
		rm back
	done
	cmp log/checkpoint before
	# with --line all that are JSON objects are entries, byte for byte
	entries 1 3 | tr '\n' '\r' | sed 's/\r/\r\n/g' >in
	append in wrong >out || [ $? = 1 ]
	lh-tlog audit log --policy loose --from before
}

@test "proofs and hashes of any form are refused, not believed" {
	local line
	a_log
	entries 1 5 | append >/dev/null
	asked 5 | lh-tlog prove log >good
	line=$(sed -n 3p good)
	for change in '.proof |= . * 20000' '.proof |= sub("\n\n"; "\n" + "A" * 1000000 + "\n\n")' \
		'.proof |= sub("index 2"; "index 2\n" + ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n" * 1000) + "x")' \
		'.proof |= sub("index 2"; "index 18446744073709551618")' '.proof |= sub("index 2"; "index 281474976710658")' \
		'.proof |= sub("log\n5"; "log\n281474976710656")' '.proof |= sub("log\n5"; "log\n0")' \
		'.proof += ("— x AAAAAAA=\n" * 64)' '.proof |= sub("— "; "- ")' '.proof |= sub("log"; "l\u0000g")' \
		'.proof |= .[:200]' '.proof |= sub("@v1"; "@v1\nextra " + "AAAA" * 300000 + "A")' '.entry = "x" * 2000000'; do
		jq -c "$change" <<<"$line"
	done >bad
	[ "$(wc -l <bad)" = 13 ]
	lh-tlog verify --policy loose bad >out || [ $? = 1 ]
	[ "$(wc -l <out)" = 13 ]
	all_are false out
}

# bats test_tags=full
@test "tiles and bundles that are damaged, links, FIFOs or folders end each command, and prove nothing that is wrong" {
	local file f status how
	a_log
	entries 1 300 | append >/dev/null
	asked 300 >ask
	cp -r log good
	# try FILE HOW - each command on the damaged log
	try() {
		status=0
		patiently lh-tlog prove log ask >proofs 2>err || status=$?
		((status <= 2)) || { echo "prove with $1 $2: $status"; return 1; }
		lh-tlog verify --policy loose proofs >judged || true
		cmp <(jq -c 'select(.verified) | [.index, .entry]' judged) <(jq -c --slurpfile p judged -n \
			'$p[] | select(.verified) | [.index, "{\"id\":\"entry \(.index + 1)\"}"]')
		status=0
		patiently lh-tlog audit log --policy loose >out 2>err || status=$?
		[ $status = 1 ] || [ $status = 2 ] || { echo "audit with $1 $2: $status"; cat out; return 1; }
		status=0
		patiently lh-tlog append log --key-file log.key --line <<<'{}' >out 2>err || status=$?
		((status <= 2)) || { echo "append with $1 $2: $status"; return 1; }
		[ $status = 0 ] || cmp log/checkpoint good/checkpoint
	}
	for file in tile/0/000 tile/0/001.p/44 tile/1/000.p/1 tile/entries/001.p/44; do
		damaged good/$file
		for f in wrong/cut.* wrong/longer wrong/much-longer wrong/zeros $(ls wrong/bit.* | sed 2q); do
			rm -rf log
			cp -r good log
			cp "$f" log/$file
			try $file "$f"
		done
		for how in "mkfifo log/$file" "mkdir log/$file" "ln -s loop log/$file" "ln -s /dev/zero log/$file"; do
			rm -rf log
			cp -r good log
			rm log/$file
			$how
			try $file "$how"
		done
	done
}

@test "stdout that is closed or full ends each command with a message; what was signed stays" {
	local command
	a_log
	entries 1 3 | append >/dev/null
	asked 3 >ask
	lh-tlog prove log ask >proofs
	entries 4 5 >in
	for command in "append log --key-file log.key --line in" "prove log ask" "verify --policy loose proofs" "audit log" \
		"prove --consistency 2 log" "vkey log.key" "keygen example.com/x" "note --vkey $(cat log.vkey) log/checkpoint"; do
		refused 2 "No space left" bash -c "lh-tlog $command >/dev/full"
		refused 2 "stdout" bash -c "lh-tlog $command >&-"
	done
	lh-tlog audit log --policy loose
}

@test "pending, origin and lock that are damaged, or no files, let nothing be signed that contradicts" {
	local f file status
	a_log
	entries 1 20 | append >/dev/null
	cp -r log good
	for file in pending origin lock; do
		[ -e good/$file ] || continue
		[ -s good/$file ] || continue
		damaged good/$file
		for f in wrong/*; do
			rm -rf log
			cp -r good log
			cp "$f" log/$file
			status=0
			patiently lh-tlog append log --key-file log.key --line <<<'{"id":"more"}' >out 2>err || status=$?
			[ $status = 0 ] || { [ $status -le 2 ] && [ ! -s out ] && cmp log/checkpoint good/checkpoint; } || { echo "$file as $f: $status"; cat err; return 1; }
			lh-tlog audit log --policy loose --from good/checkpoint >audit || { echo "$file as $f"; cat audit; return 1; }
		done
	done
	# an older checkpoint, as a backup has it, is not signed on
	rm -rf log
	cp -r good log
	entries 21 40 | append >/dev/null
	cp good/checkpoint log/checkpoint
	status=0
	append <<<'{"id":"fork"}' >out 2>err || status=$?
	cp log/checkpoint now
	rm -rf log
	cp -r good log
	entries 21 40 | append >/dev/null
	[ $status != 0 ] || [ "$(sed -n 2p now)" -gt 40 ]
	[ $status = 0 ] || cmp now good/checkpoint
	# neither is a folder of a tile that is a symbolic link, nor a link to another log
	for file in checkpoint pending tile/0/000.p; do
		rm -rf log other
		cp -r good log
		mv log/$file elsewhere
		ln -s ../elsewhere log/$file
		[ $file != tile/0/000.p ] || { rm log/$file; ln -s ../../../elsewhere log/$file; }
		status=0
		append <<<'{"id":"more"}' >out 2>err || status=$?
		[ $status -le 2 ]
		rm -rf elsewhere
	done
}

@test "a key that others may read, a link, a FIFO, a folder or a torn key signs nothing" {
	local command f
	a_log
	entries 1 2 | append >/dev/null
	cp log/checkpoint before
	cp log.key readable
	chmod 640 readable
	ln -s log.key link
	mkfifo -m 600 fifo
	: >empty
	head -c 60 log.key >torn
	tr + - <log.key >letters
	sed 's/./&&/30' log.key >longer
	{ cat log.key; cat log.key; } >twice
	sed 's/+A\([^+]*\)$/+B\1/' log.key >kind
	sed s/example.com/example.org/ log.key >name
	chmod 600 empty torn letters longer twice kind name
	for f in readable link fifo . empty torn letters longer twice kind name missing; do
		for command in "append log --line" "checkpoint log" "init fresh --origin example.com/log"; do
			refused 2 "" lh-tlog $command --key-file $f </dev/null
			[[ $stderr != *"$(cut -d+ -f5 log.key)"* ]]
		done
		[[ $f == fifo ]] || refused 2 "" lh-tlog vkey $f
	done
	cmp log/checkpoint before
	[ ! -e fresh/checkpoint ] && [ ! -e s ]
	# the key of a witness makes no log
	refused 2 "" lh-tlog init fresh --origin witness.example/w1 --key-file w1.key
}
