# What every filter does, by way of the smallest one (tests/unit/aid_filter.c).
# bats file_tags=quick
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	printf '{"a":1}\n{"b":2}\n{"c":3}\n' >abc.jsonl
}

# lines N - that many records.
lines() {
	seq -f '{"n":%.0f,"text":"the quick brown fox jumps over the lazy dog"}' "$1"
}

# ---- records ----

@test "one in, one out, in order, for any number of threads" {
	lines "$(scale 100000 5000000)" >in
	sed 's/}$/,"seen":true}/' in >want
	for how in -j1 -j2 -j7 "--batch -j1" "--batch -j3 -b 64"; do
		$AID $how in | cmp - want
		cat in | $AID $how | cmp - want
	done
}

@test "what passes through is byte-equal: numbers of any size, spaces, escapes, key order" {
	printf '%s\n' '{"z":1.0,"a":12345678901234567890,"m":0.1,"e":1e400,"f":1e-400,"n":-0}' \
		'{ "sp" : [ 1 ,2 ] , "u":"\u00e9\/\ud83d\ude00" }' \
		$'{"u2028":"\u2028","del":"\x7f","nul":"\\u0000"}' >in
	$AID --identity in | cmp - in
	$AID in | sed 's/,"seen":true}$/}/' | tr -d ' ' | cmp - <(tr -d ' ' <in)
}

@test "a field that a filter adds takes the place of one that was there, and comes last" {
	run -0 $AID <<<'{"seen":0,"a":1}'
	[ "$output" = '{"a":1,"seen":true}' ]
}

@test "CRLF, BOM, blank lines, a missing last LF and empty files are fine" {
	printf '\357\273\277{"a":1}\r\n\r\n \t\n{"b":2}' >in
	: >empty
	printf '\n' >newline
	run -0 --separate-stderr $AID --identity empty in newline in
	[ -z "$stderr" ]
	[ "$output" = $'{"a":1}\n{"b":2}\n{"a":1}\n{"b":2}' ]
}

@test "a BOM is skipped on the first line only" {
	printf '{"a":1}\n\357\273\277{"b":2}\n' >in
	run -1 --separate-stderr $AID --identity in
	[ "$output" = '{"a":1}' ]
	[[ ${stderr_lines[0]} == "aid-filter: in:2:1: "* ]]
}

@test "each kind of bad line is rejected by itself, with line and column" {
	printf '%s\n' '{"a":1}' '[1]' '{"a":1' '{"a":1,"a":2}' '{"a":01}' '"text"' '{"x":[{"k":1,"k":2}]}' '{"s":"\ud800"}' '{} {}' '{"b":2}' >in
	printf '{"u":"\377"}\n{"o":"\300\257"}\n{"nul":"\0"}\n\0\n{"c":3}\n' >>in
	run -1 --separate-stderr $AID --identity in
	[ "$output" = $'{"a":1}\n{"b":2}\n{"c":3}' ]
	[ "${#stderr_lines[@]}" = 13 ]
	[[ ${stderr_lines[0]} == 'aid-filter: in:2: not a JSON object' ]]
	[[ ${stderr_lines[2]} == 'aid-filter: in:4:'*'"a"'* ]]
	[[ ${stderr_lines[5]} == 'aid-filter: in:7:'*'"k"'* ]]
	for n in 3 5 8 9 11 12 13 14; do
		[[ $stderr =~ "aid-filter: in:$n:"[0-9]+": " ]] || { echo "line $n: $stderr"; return 1; }
	done
	[ "${stderr_lines[12]}" = 'aid-filter: 12 of 15 records rejected' ]
}

@test "an array, pretty-printed JSON, a table or a text as input gets one message with what to do" {
	told() {
		run -1 --separate-stderr $AID "$@" in
		grep -c ' jq -c\| lh-ingest\| lh search' <<<"$stderr"
		sed -n 2p <<<"$stderr"
	}
	local array="aid-filter: in: the input is a JSON array, not JSON Lines; jq -c '.[]' makes a line of each element"
	echo '[{"a":1},{"a":2}]' >in
	[ "$(told)" = $'1\n'"$array" ]
	jq . in >pretty
	printf '\xef\xbb\xbf' | cat - pretty >in
	[ "$(told)" = $'1\n'"$array" ]
	run -1 --separate-stderr $AID in
	[ "${stderr_lines[2]}" = 'aid-filter: in: further messages suppressed (--verbose shows all)' ]
	[ "${stderr_lines[3]}" = 'aid-filter: 8 of 8 records rejected' ]
	[ "$(told -v | head -n 1)" = 1 ]
	[ "$(told --on-error emit | head -n 1)" = 1 ]
	echo '{"a":1}' | jq . >in
	[ "$(told)" = $'1\naid-filter: in: the input is JSON over several lines, not JSON Lines; jq -c . makes a line of each object' ]
	for table in 'id,name\n1,x' '"id";"full name"\r\n1;2' 'id\tname\n1\t2'; do
		printf "$table\n" >in
		[ "$(told)" = $'1\naid-filter: in: the input looks like a table, not JSON Lines; lh-ingest makes a line of each row' ]
	done
	for text in 'nurse in Utrecht' 'Hello, world' id 'x: 1, y' '3 welders' 'é'; do
		echo "$text" >in
		[ "$(told)" = $'1\n'"aid-filter: in: the input is text, not JSON Lines; lh search FILE TEXT asks for one, jq -cR '{text:.}' makes a record of each line" ]
	done
	jq -cR '{text:.}' in | $AID | jq -e .seen
	run -2 --separate-stderr $AID 'nurse in Utrecht'
	[ "$stderr" = 'aid-filter: nurse in Utrecht: cannot open: No such file or directory (a text is searched for by lh search FILE TEXT)' ]
	# its advice helps
	printf 'id\tname\n1\t2\n' >in
	jq -c '.[]' pretty | $AID | jq -c .seen | grep -c true | grep -qx 2
	lh-ingest -q in | $AID | jq -e .seen
	# each file has its own
	cp pretty in
	run -1 --separate-stderr $AID in pretty
	[ "$(grep -c 'jq -c' <<<"$stderr")" = 2 ]
	run -1 --separate-stderr $AID -q in
	[ "$stderr" = 'aid-filter: 8 of 8 records rejected' ]
	# blank lines may be before it, and come on their own
	printf '\n \r\n\n' | cat - pretty >in
	[ "$(told)" = $'1\n'"$array" ]
	mkfifo slow
	# -j1: another thread takes blank lines that come alone for lines that may be records
	$AID -j1 slow 2>said >out &
	exec 7>slow
	printf '\n\n' >&7
	printf '\n[\n1\n]\n' >&7
	exec 7>&-
	not wait $!
	[ "$(grep -c ' jq -c' said)" = 1 ]
}

@test "other bad lines get no advice, and nor do such lines later in a file" {
	for line in '[1]' '[]' '[1,' '{"a":1' '{"a":1,' '{"a":[' ',' '"a' '{a,b}' 'null' 'true' '1,' '1e5' "$(printf 'a\001,b')"; do
		printf '%s\n{"a":1}\n' "$line" >in
		run -1 --separate-stderr $AID in
		[ "${#stderr_lines[@]}" = 2 ] || { echo "$line: $stderr"; return 1; }
	done
	for line in '[' '{' '[{"a":1}]' 'id,name'; do
		printf '{"a":1}\n%s\nnull\n' "$line" >in
		run -1 --separate-stderr $AID in
		[ "${#stderr_lines[@]}" = 3 ] || { echo "$line: $stderr"; return 1; }
	done
}

@test "512 nested containers are accepted, 513 and 100,000 refused" {
	nest() { printf '{"a":'; printf "%$(($1 - 1))s" | tr ' ' '['; printf "%$(($1 - 1))s" | tr ' ' ']'; printf '}\n'; }
	(nest 512; nest 513; nest 100000; nest 2) >in
	run -1 --separate-stderr bash -c '$AID --identity in >out'
	[ "$(wc -l <out)" = 2 ]
	[[ ${stderr_lines[0]} == 'aid-filter: in:2:'*512* ]]
	[[ ${stderr_lines[1]} == 'aid-filter: in:3:'*512* ]]
}

# ---- bad input ----

@test "--on-error emit writes an error with the record's id in its place" {
	printf '{"a":1}\n{"id":"x\\u00e9","refuse":1}\n{bad\n{"id":[7],"refuse":1}\n' >in
	for how in -j1 -j3 --batch "--batch -b 1"; do
		run -1 --separate-stderr $AID --on-error emit $how in
		[ "${lines[0]}" = '{"a":1,"seen":true}' ]
		[ "${lines[1]}" = '{"id":"x\u00e9","error":{"file":"in","line":2,"code":400,"message":"field \"refuse\" is not wanted"}}' ]
		[[ ${lines[2]} == '{"error":{"file":"in","line":3,"code":400,"message":"'*'"}}' ]]
		[ "${lines[3]}" = '{"id":[7],"error":{"file":"in","line":4,"code":400,"message":"field \"refuse\" is not wanted"}}' ]
	done
	run -1 --separate-stderr bash -c '$AID --on-error emit <in'
	[[ ${lines[1]} == *'"file":"-"'* ]]
}

@test "--on-error emit writes valid JSON whatever the file is called" {
	name=$'in\xff\e"\\'
	echo bad >"$name"
	run -1 --separate-stderr $AID --on-error emit "$name"
	[ "$(jq -r .error.file <<<"$output")" = $'in\xef\xbf\xbd\e"\\' ]
}

@test "--on-error stop writes what is before the first bad record, then ends with 1" {
	lines 50000 >in
	sed -i '30000s/.*/bad/; 40000s/.*/bad/' in
	for how in -j1 -j4 --batch; do
		run -1 --separate-stderr bash -c "$AID --identity --on-error stop $how in >out"
		[ "${#stderr_lines[@]}" = 2 ]
		[[ ${stderr_lines[0]} == 'aid-filter: in:30000:1: '* ]]
		[ "${stderr_lines[1]}" = 'aid-filter: 1 of 30000 records rejected' ]
		head -n 29999 in | cmp - out
	done
}

@test "the first 20 messages of each file are shown, --verbose shows all, -q only the summary" {
	for i in {1..15}; do printf '!bad\n{\n'; done >one
	cp one two
	run -1 --separate-stderr $AID one abc.jsonl two
	[ "${#stderr_lines[@]}" = 43 ]
	[ "${stderr_lines[20]}" = 'aid-filter: one: further messages suppressed (--verbose shows all)' ]
	[ "${stderr_lines[41]}" = 'aid-filter: two: further messages suppressed (--verbose shows all)' ]
	[ "${stderr_lines[42]}" = 'aid-filter: 60 of 63 records rejected' ]
	run -1 --separate-stderr $AID -v one
	[ "${#stderr_lines[@]}" = 31 ]
	run -1 --separate-stderr $AID -q one
	[ "$stderr" = 'aid-filter: 30 of 30 records rejected' ]
}

@test "100,000 bad lines are counted exactly, in linear time" {
	repeat 100000 '!bad' >in
	lines 1 >>in
	for how in -j1 -j3 --batch; do
		run -1 --separate-stderr cheaply $AID $how --rejects r in
		[ "${#stderr_lines[@]}" = 5 ]
		[[ ${stderr_lines[3]} == 'aid-filter: in: 99997 more: '* ]]
		[ "${stderr_lines[4]}" = 'aid-filter: 100000 of 100001 records rejected' ]
		head -n 100000 in | cmp - r
		rm r
	done
	run -1 --separate-stderr $AID -v in
	[ "${#stderr_lines[@]}" = 100001 ]
}

@test "--rejects appends each rejected line byte for byte" {
	printf '{"a":1}\n{bad\r\n{"refuse":1,"raw":"\\u00e9"}\n\0\377\n{"b":2}\nlast' >in
	for how in -j1 -j3 --batch --sink; do
		rm -f r
		run -1 $AID $how --rejects r in
		printf '{bad\r\n{"refuse":1,"raw":"\\u00e9"}\n\0\377\nlast\n' | cmp - r
	done
	run -1 $AID --rejects r in
	[ "$(wc -l <r)" = 8 ]
}

@test "rejects are not glued to the torn last line of an earlier run" {
	printf 'torn' >r
	run -1 $AID --rejects r <<<bad
	[ "$(cat r)" = $'torn\nbad' ]
}

@test "rejects that cannot be opened or written are exit 2" {
	run -2 --separate-stderr $AID --rejects no/such/r abc.jsonl
	[ -z "$output" ]
	[ "$stderr" = 'aid-filter: no/such/r: cannot open: No such file or directory' ]
	run -2 --separate-stderr $AID --rejects /dev/full <<<bad
	[[ $stderr == *'/dev/full: write failed: No space left on device'* ]]
}

@test "a file is not read while it is written" {
	echo bad >r
	run -2 --separate-stderr $AID --rejects r r
	[ "$stderr" = 'aid-filter: r: is both input and output' ]
	run -2 bash -c '$AID abc.jsonl >>abc.jsonl'
	[ "$(wc -l <abc.jsonl)" = 3 ]
}

@test "a line over the limit is named with line and limit, kept in rejects, and the next goes on" {
	(echo '{"a":1}'; head -c 3000000 /dev/zero | tr '\0' x; echo; echo '{"b":2}'; head -c 2000000 /dev/zero | tr '\0' y) >in
	for how in -j1 -j3; do
		rm -f r
		run -1 --separate-stderr bash -c "cat in | $AID --identity $how --max-line 1M --on-error emit --rejects r"
		[ "${stderr_lines[0]}" = 'aid-filter: -:2: line is longer than 1048576 bytes (--max-line)' ]
		[ "${stderr_lines[1]}" = 'aid-filter: -:4: line is longer than 1048576 bytes (--max-line)' ]
		[ "${lines[0]}" = '{"a":1}' ]
		[ "${lines[2]}" = '{"b":2}' ]
		[ "${lines[1]}" = '{"error":{"file":"-","line":2,"code":413,"message":"line is longer than 1048576 bytes (--max-line)"}}' ]
		(sed -n '2p;4p' in; echo) | cmp - r
	done
}

@test "an object has as many members as --max-members says, at any depth and in no array" {
	members() { seq -f "\"$1%.0f\":1" "$2" | paste -sd,; }
	{
		echo "{$(members a 65536)}"
		echo "{$(members a 65537)}"
		echo "{\"x\":[{$(members a 65536)},{$(members b 65536)}]}"
		echo "{\"x\":[{$(members a 65537)}]}"
		echo "{$(members a 60000),\"x\":{$(members b 60000),\"x\":{$(members c 60000),\"x\":{$(members d 60000)}}}}"
		echo "{$(members a 60000),\"x\":{$(members b 60000),\"x\":{$(members c 60000),\"x\":{$(members d 60000),\"x\":{$(members e 30000)}}}}}"
	} >in
	run -1 --separate-stderr $AID --identity in
	diff <(echo "$output") <(sed -n '1p;3p;5p' in)
	[[ ${stderr_lines[0]} =~ ^'aid-filter: in:2:'[0-9]+': an object of more than 65536 members (--max-members)'$ ]]
	[[ ${stderr_lines[1]} =~ ^'aid-filter: in:4:'[0-9]+': an object of more than 65536 members (--max-members)'$ ]]
	[[ ${stderr_lines[2]} =~ ^'aid-filter: in:6:'[0-9]+': objects inside each other of more than 262144 members (four times --max-members)'$ ]]
	[ "${#stderr_lines[@]}" = 4 ]
	$AID --identity --max-members 70000 in | cmp - in
	echo "{$(members a 64)}" | $AID --identity --max-members 64 >out
	run -1 $AID --identity --max-members 64 <<<"{$(members a 65)}"
	run -2 $AID --identity --max-members 63 in
	[ "$output" = 'aid-filter: --max-members: "63" is not a whole number from 64 to 1000000000' ]
}

@test "the limit holds to the byte" {
	for n in 99 100 101; do
		printf '{"a":"%s"}\r\n' "$(printf "%$((n - 8))s" | tr ' ' x)" >in
		run --separate-stderr $AID --identity --max-line 100 in
		[ "$status" = $((n > 100)) ]
	done
}

@test "a huge line is read in bounded memory, below the limit and over it" {
	plain_only "sanitizers need memory"
	size=$(scale 100 1024)
	huge() { echo '{"a":1}'; printf '{"x":"'; head -c "${size}M" /dev/zero | tr '\0' x; printf '"}\n{"b":2}\n'; }
	huge >in
	rss=$(/usr/bin/time -f %M $AID --identity --max-line 1M in 2>&1 >out | tail -n 1 || [ "${PIPESTATUS[*]}" = "1 0" ])
	[ "$(cat out)" = $'{"a":1}\n{"b":2}' ]
	[ "$rss" -lt 20000 ] || { echo "over the limit: $rss KiB"; return 1; }
	rss=$(/usr/bin/time -f %M $AID --identity -j3 --max-line $((size + 1))M in in 2>&1 >out | tail -n 1)
	[ "$(wc -l <out)" = 6 ]
	[ "$rss" -lt $((size * 1024 * 3 + 30000)) ] || { echo "below the limit: $rss KiB"; return 1; }
}

@test "memory stays flat over any number of records" {
	plain_only "sanitizers need memory"
	n=$(scale 300000 10000000)
	lines 10000 >some
	for ((i = 0; i < n; i += 10000)); do cat some; done >in
	for how in "-j1 in" "-j3 in" "-j3 --batch in" "-j2 --repeat 300 some some"; do
		rss=$(/usr/bin/time -f %M $AID $how 2>&1 >/dev/null)
		[ "$rss" -lt 60000 ] || { echo "$how: $rss KiB"; return 1; }
	done
}

@test "a fatal error in a later block does not lose what is before it" {
	lines 100000 >in
	sed -i '70000s/.*/{"fatal":1}/' in
	for how in -j1 -j4 --batch "--batch -j4"; do
		run -2 --separate-stderr bash -c "$AID --identity $how in >out"
		[ "$stderr" = 'aid-filter: http://127.0.0.1:9: gone' ]
		head -n 69999 in | cmp - out
	done
}

@test "a file that cannot be read is named, the others are read, exit 2" {
	mkdir folder
	run -2 --separate-stderr $AID --identity absent abc.jsonl folder abc.jsonl
	[ "${#lines[@]}" = 6 ]
	[ "${stderr_lines[0]}" = 'aid-filter: absent: cannot open: No such file or directory' ]
	[ "${stderr_lines[1]}" = 'aid-filter: folder: is a directory' ]
	echo '{"x":1}' >secret
	chmod 0 secret
	chmod 755 . "$BATS_RUN_TMPDIR"
	run -2 --separate-stderr as_nobody $AID secret
	[[ $stderr == *'secret: cannot open: Permission denied' ]]
}

@test "what turns text round or has no shape reaches stderr spelt out, and all else as it is" {
	python3 - <<-'END'
	import unicodedata
	bad = [c for c in map(chr, range(0x80, 0x110000)) if unicodedata.category(c) in ("Cf", "Zl", "Zp") or "\x80" <= c < "\xa0"]
	# default ignorable but not of Cf, and the blank of Braille
	bad += [chr(c) for c in (0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180c, 0x180d, 0x180f, 0x2065, 0x2800, 0x3164, 0xffa0, 0xfff0, 0xfff8, 0xe0100, 0xe01ef)]
	good = "\u00e9\u05d0\u0627\u0915\u4e2d\u2027\u202f\u205f\u2070\ufe0f\ufefe\U0001f600\U000e1000"
	assert {"\u061c", "\u200e", "\u202e", "\u2066", "\u2069", "\u200b", "\ufeff", "\u2028"} < set(bad)
	def hidden(c):
	    return "".join("\\x%02x" % b for b in c.encode())
	with open("in", "w") as f, open("want", "w") as w:
	    for c in bad + list(good):
	        f.write('{"k%s":1,"k%s":2}\n' % (c, c))
	        w.write('"k%s"\n' % (hidden(c) if c in bad else c))
	END
	run -1 --separate-stderr $AID -v in
	[ "$(wc -l <want)" -gt 170 ]
	sed -n 's/^aid-filter: in:.*\("k.*"\).*/\1/p' <<<"$stderr" | diff want -
	touch $'a\xe2\x80\xaeb'
	run -2 --separate-stderr $AID $'a\xe2\x80\xaeb/c'
	[[ $stderr == 'aid-filter: a\xe2\x80\xaeb/c: '* ]]
}

@test "DEL and the controls U+0080 to U+009F reach a terminal as escapes, and a file as they are" {
	printf '{"id":"x\xc2\x9b2Jy\x7fz\xc3\xa9","\xc2\x85":1}\n' >in
	lh-cat in | cmp - in
	alike <(lh-query 'SELECT json FROM t' t=in) <(printf '{"json":'; tr -d '\n' <in; echo '}')
	command -v script >/dev/null || skip "there is no script(1)"
	script -qec "lh-query 'SELECT json FROM t' t=in" /dev/null </dev/null | tr -d '\r' >shown
	alike shown <(printf '{"json":{"id":"x\\u009b2Jy\\u007fz\xc3\xa9","\\u0085":1}}\n')
}

@test "each message is one write" {
	needs_strace
	printf '%s\n' '!' '{' '!' '{' '!' >in
	strace -qq -e trace=write -o trace $AID --rejects r in 2>err || true
	[ "$(grep -c '^write(2,' trace)" = 6 ]
	[ "$(grep -c '^write([3-9]' trace)" = 1 ]
}

# ---- the sink ----

@test "a sink may reject a record" {
	seq -f '{"n":%.0f}' 20 >in
	run -1 --separate-stderr $AID --identity --sink --rejects r in
	[ "$output" = "$(sed '7d;14d' in)" ]
	[ "$(cat r)" = $'{"n":7}\n{"n":14}' ]
	[ "${stderr_lines[0]}" = 'aid-filter: in:7: line number divides by seven' ]
	run -1 --separate-stderr $AID --identity --sink --on-error stop in
	[ "$output" = "$(head -n 6 in)" ]
	run -1 --separate-stderr $AID --identity --into out.jsonl --on-error emit in
	[ "${#lines[@]}" = 2 ]
	[ "$(wc -l <out.jsonl)" = 18 ]
}

# ---- co-processes ----

@test "a line in gives a line out at once, whatever was written before" {
	for how in -j1 -j3 --batch "--batch -j3" --sink; do
		coproc FILTER { $AID $how --on-error emit 2>/dev/null; }
		for i in 1 2 3; do
			echo "{\"n\":$i}" >&"${FILTER[1]}"
			read -r -t "$LH_PATIENCE" line <&"${FILTER[0]}"
			[ "$line" = "{\"n\":$i,\"seen\":true}" ]
			echo bad >&"${FILTER[1]}"
			read -r -t "$LH_PATIENCE" line <&"${FILTER[0]}"
			[[ $line == '{"error":'* ]]
		done
		pid=$FILTER_PID
		exec {FILTER[1]}>&-
		wait "$pid" || [ $? = 1 ]
	done
}

@test "half a line is waited for" {
	mkfifo pipe
	$AID --identity <pipe >out 3>&- &
	exec 7>pipe
	printf '{"a"' >&7
	drained 7
	printf ':1}\n{"b":2}' >&7
	exec 7>&-
	wait $!
	[ "$(cat out)" = $'{"a":1}\n{"b":2}' ]
}

# ---- descriptors, disks, signals ----

@test "a file size limit on stdout is exit 2, and what is there is whole but for its last record" {
	lines 100000 >in
	run -2 bash -c 'trap "" XFSZ; ulimit -f 100; $AID --identity in 2>&1 >out'
	[[ $output == 'aid-filter: stdout: write failed: File too large' ]]
	cmp -n "$(stat -c %s out)" in out
}

@test "EIO on read, write and close is exit 2 with the reason" {
	needs_strace
	lines 20000 >in
	run -2 --separate-stderr inject read:error=EIO:when=3 -P in $AID --identity in
	[ "$stderr" = "aid-filter: in: read failed: Input/output error" ]
	[ "$output" = "$(head -n "${#lines[@]}" in)" ]
	[ "${#lines[@]}" -gt 100 ]
	run -2 --separate-stderr inject write:error=EIO:when=1 $AID abc.jsonl
	[ "$stderr" = "aid-filter: stdout: write failed: Input/output error" ]
	strace -qq -o trace -e trace=close bash -c 'exec $AID abc.jsonl 2>&1 >out'
	n=$(grep -n '^close(1)' trace | tail -n 1 | cut -d: -f1)
	run inject close:error=EIO:when="$n" bash -c 'exec $AID abc.jsonl 2>&1 >out'
	[[ $output == *"stdout: close failed: Input/output error" ]]
	[ "$status" = 2 ]
}

@test "EINTR, EAGAIN and short writes lose nothing" {
	needs_strace
	lines 20000 >in
	for error in EINTR EAGAIN; do
		inject read:error=$error:when=1+2 -P in $AID --identity in | cmp - in
		inject write:error=$error:when=1+2 $AID --identity in >out
		cmp in out
	done
	inject write:retval=100:when=1 $AID --identity abc.jsonl >out || true
}

@test "non-blocking stdin and stdout are waited for" {
	lines 200000 >in
	cat >nonblock.py <<-'END'
	import os, select, subprocess, sys, fcntl, threading, time
	def nb(fd):
	    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
	r1, w1 = os.pipe(); r2, w2 = os.pipe()
	nb(r1); nb(w2)
	p = subprocess.Popen([sys.argv[1], "--identity"], stdin=r1, stdout=w2, pass_fds=())
	os.close(r1)
	def feed():
	    with open("in", "rb") as f, os.fdopen(w1, "wb") as t:
	        for i, chunk in enumerate(iter(lambda: f.read(1 << 20), b"")):
	            t.write(chunk); time.sleep(0.01)
	t = threading.Thread(target=feed); t.start()
	# its stdout is full before anything is read
	while select.select([], [w2], [], 0)[1]:
	    time.sleep(0.01)
	os.close(w2)
	with os.fdopen(r2, "rb") as f, open("out", "wb") as o:
	    o.write(f.read())
	t.join(); sys.exit(p.wait())
	END
	python3 nonblock.py "$AID"
	cmp in out
}

@test "a reader that leaves ends a filter quietly by SIGPIPE" {
	run -0 --separate-stderr bash -c "yes '{}' | $AID | head -n 1; echo \${PIPESTATUS[1]}"
	[ "$output" = $'{"seen":true}\n141' ]
	[ -z "$stderr" ]
}

@test "a tool with state outlives its reader, cleans up and exits 0" {
	lines 200000 >in
	run -0 --separate-stderr bash -c "$AID --keep --sink in | head -n 1; echo \${PIPESTATUS[0]}"
	[ "${lines[1]}" = 0 ]
	[[ ${stderr_lines[0]} == 'aid-filter: in:7: '* ]]
	[[ $stderr != *'Broken pipe'* ]]
}

@test "SIGINT, SIGTERM and SIGHUP: whole records, the status of the signal, no litter" {
	mkfifo pipe
	for signal in INT TERM HUP; do
		for how in -j1 -j3; do
			hears_int $AID $how --identity --into into.jsonl <pipe >out 2>err 3>&- &
			pid=$!
			exec 7>pipe
			lines 3000 >&7
			printf '{"half":' >&7
			drained 7
			kill -$signal "$pid"
			status=0
			wait "$pid" || status=$?
			exec 7>&-
			[ "$status" = $((128 + $(kill -l $signal))) ] || { echo "$signal $how: $status $(cat err)"; return 1; }
			no_litter
			[ ! -e into.jsonl ]
		done
	done
}

@test "a signal in the middle of writing leaves whole records" {
	lines 500000 >in
	for how in -j1 -j3; do
		for wait in 0.01 0.03 0.1; do
			status=0
			timeout -s INT "$wait" $AID --identity $how in >out || status=$?
			[ "$status" = 124 ] || [ "$status" = 0 ]
			[ ! -s out ] || [ "$(tail -c 1 out | wc -l)" = 1 ]
			cmp -n "$(stat -c %s out)" in out
		done
	done
}

@test "a second signal ends at once" {
	echo '{"slow":1}' >in
	mkfifo pipe
	timeout "$LH_PATIENCE" bash -c 'echo $$ >pid; exec "$AID" --sleep 600000 --begun begun --into into.jsonl pipe' 3>&- &
	exec 7>pipe
	cat in >&7
	pid=$(<pid)
	# a signal before it has begun the record ends it at once
	until_so [ -e begun ]
	kill -TERM "$pid"
	until_so eval '! grep -q "^S[hi][dg]Pnd:.*[^0	]" "/proc/$pid/status"'
	kill -TERM "$pid"
	status=0
	wait $! || status=$?
	exec 7>&-
	[ "$status" = 143 ]
	no_litter
}

@test "signals that were ignored stay ignored" {
	mkfifo pipe
	(trap "" INT; exec $AID <pipe >out 3>&-) &
	exec 7>pipe
	echo '{}' >&7
	drained 7
	kill -INT $!
	echo '{}' >&7
	exec 7>&-
	wait $!
	[ "$(cat out)" = $'{"seen":true}\n{"seen":true}' ]
}

# ---- files ----

@test "a file is replaced whole: synced, renamed, the folder synced" {
	needs_strace
	echo old >out.jsonl
	chmod 640 out.jsonl
	strace -f -qq -y -o trace -e trace=fsync,rename,renameat,renameat2,close $AID --identity --into out.jsonl abc.jsonl
	cmp abc.jsonl out.jsonl
	[ "$(stat -c %a out.jsonl)" = 640 ]
	order=$(grep -o 'fsync([0-9]*<[^>]*>\|rename[a-z0-9]*(' trace | sed 's/<.*lh-tmp.*/ file/; s/<.*/ folder/; s/([0-9]*/ /')
	[ "$(tr -s '\n ' ' ' <<<"$order")" = 'fsync file rename fsync folder ' ] || { echo "$order"; cat trace; return 1; }
}

@test "whatever fails on the way to a new file, the old one stays and no litter is left" {
	needs_strace
	for call in openat write fsync rename; do
		for ((n = 1; n < 60; n++)); do
			echo old >out.jsonl
			inject $call:error=EIO:when=$n $AID --identity --into out.jsonl abc.jsonl >o 2>err && status=0 || status=$?
			injected || break
			if [ "$status" = 0 ]; then
				cmp abc.jsonl out.jsonl
			elif ! cmp -s abc.jsonl out.jsonl; then
				[ "$(cat out.jsonl)" = old ]
			fi
			no_litter || { echo "$call $n"; return 1; }
		done
	done
}

@test "a kill at any write, fsync or rename leaves the old file or the new one, and the next run sweeps" {
	needs_strace
	for call in write fsync rename; do
		for ((n = 1; n < 30; n++)); do
			echo old >out.jsonl
			inject $call:signal=KILL:when=$n $AID --identity --into out.jsonl abc.jsonl >o 2>&1 || true
			injected || break
			cmp -s abc.jsonl out.jsonl || [ "$(cat out.jsonl)" = old ]
			$AID --identity --into out.jsonl abc.jsonl
			cmp abc.jsonl out.jsonl
			no_litter
		done
	done
}

@test "the temporary file of a living run is left alone" {
	mkfifo pipe
	$AID --identity --into out.jsonl <pipe 3>&- &
	pid=$!
	exec 7>pipe
	until_so compgen -G '.out.jsonl.lh-tmp-*'
	$AID --identity --into out.jsonl abc.jsonl
	[ "$(find . -name '.out.jsonl.lh-tmp-*' | wc -l)" = 1 ]
	echo '{"late":1}' >&7
	exec 7>&-
	wait "$pid"
	[ "$(cat out.jsonl)" = '{"late":1}' ]
	no_litter
}

@test "a state file that is a symlink, FIFO, folder or device is refused" {
	echo keep >real
	ln -s real link
	ln -s nowhere dangling
	mkfifo fifo
	mkdir folder
	for name in link dangling fifo folder folder/ /dev/null; do
		run --separate-stderr patiently $AID --into $name abc.jsonl
		[ "$status" = 2 ] && [[ $stderr == "aid-filter: $name: is a"*', not a regular file' ]] || { echo "$name: $stderr"; return 1; }
	done
	[ "$(cat real)" = keep ]
	[ -L link ]
	[ -c /dev/null ]
}

# ---- progress, locale ----

@test "progress is shown where it is asked for and nowhere else" {
	run -0 --separate-stderr $AID abc.jsonl
	[ -z "$stderr" ]
	# records come until a line of it does
	run -0 --separate-stderr bash -c 'until [ -s shown ]; do echo "{}"; sleep 0.1; done | $AID --progress always 2>shown; cat shown >&2'
	[[ ${stderr_lines[0]} =~ ^'aid-filter: '[0-9]+' records, '[0-9]+'/s'$ ]]
}

# bats test_tags=plain-only
@test "the time left is shown of files whose size is known, and of no other input" {
	local from
	echo '{"slow":true}' >small
	{ cat small; lines 20000; } >in
	gzip -k in
	left() {
		run -0 --separate-stderr bash -c "$AID --sleep 300 --progress always $1 >/dev/null"
		[[ ${stderr_lines[0]} =~ ^'aid-filter: '[0-9]+' records, '[0-9]+'/s'(', '[0-9]+' s left')?$ ]]
		[[ ${stderr_lines[0]} == *left ]]
	}
	for from in 'in' 'in small' 'small in' '<in' '- small <in' '-j3 in in'; do
		left "$from" || { echo "$from: $stderr"; return 1; }
	done
	for from in 'small' '<small' 'in.gz' 'in.gz in' '< <(cat in)' 'in - < <(cat in)'; do
		! left "$from" || { echo "$from: $stderr"; return 1; }
	done
}

@test "a terminal that knows no escape sequences has no line of progress" {
	command -v script >/dev/null || skip "script is not installed"
	TERM=dumb script -qec "(echo {}; sleep 0.5; echo {}) | $AID >out" /dev/null </dev/null >got
	[ ! -s got ]
	[ "$(wc -l <out)" = 2 ]
}

# on_terminal COMMAND - what the command writes to a terminal.
on_terminal() {
	TERM=xterm script -qec "stty -onlcr; $1" /dev/null </dev/null
}

@test "on a terminal names and places are coloured, and the text of a message is not" {
	command -v script >/dev/null || skip "script is not installed"
	echo '{"a":1}x' >bad
	on_terminal "$AID bad >out" >got || true
	alike got - <<-END
	$(printf '\e[1;31m')aid-filter:$(printf '\e[0m') $(printf '\e[1m')bad:1:8:$(printf '\e[0m') expected the end of the line
	$(printf '\e[1;31m')aid-filter:$(printf '\e[0m') 1 of 1 records rejected
	END
	on_terminal "$AID --no-such" >got || true
	alike got - <<<$'\e[1;31maid-filter:\e[0m unknown option "--no-such" (see aid-filter --help)'
	on_terminal "$AID --help" >got
	grep -qxF $'\e[1mUsage:\e[0m aid-filter [OPTION]... [FILE]...' got
	grep -qxF $'\e[1mOptions:\e[0m' got
	sed 's/\x1b\[[0-9;]*m//g' got | alike - <($AID --help)
}

@test "NO_COLOR, TERM=dumb and --color never are without colour, --color always is with it" {
	command -v script >/dev/null || skip "script is not installed"
	echo bad >bad
	$AID bad 2>plain >out || true
	for how in "NO_COLOR=1 $AID" "TERM=dumb $AID" "env -u TERM $AID" "$AID --color never"; do
		on_terminal "$how bad >out" >got || true
		alike plain got || { echo "$how"; return 1; }
	done
	on_terminal "NO_COLOR= $AID bad >out" >coloured || true
	run -1 cmp -s plain coloured
	on_terminal "NO_COLOR=1 $AID --color always bad >out" >got || true
	alike coloured got
	$AID --color always bad 2>got >out || true
	alike coloured got
	run -1 --separate-stderr env TERM=xterm $AID bad
	[ "$stderr" = "$(cat plain)" ]
	run -0 bash -c "$AID --help --color=always | grep -c \$'^\e\\[1mOptions:\e\\[0m\$'"
}

@test "on a terminal as stdin, a message says what is awaited" {
	command -v script >/dev/null || skip "script is not installed"
	mkfifo keys
	NO_COLOR=1 TERM=xterm timeout "$LH_PATIENCE" script -qefc "$AID" typescript <keys >/dev/null 3>&- &
	exec 7>keys
	until_so grep -qs 'aid-filter: reading JSONL from the terminal' typescript
	exec 7>&-
	wait $!
}

@test "a background job that its terminal has stopped ends on SIGTERM" {
	command -v script >/dev/null || skip "script is not installed"
	# timeout, started by a shell, makes a process group that is not the terminal's.
	for i in 1 2 3; do
		SHELL=/bin/sh TERM=xterm run patiently script -qec "timeout 0.3 $AID" typescript </dev/null
		[ "$status" = 124 ]
	done
}

# ---- threads ----

@test "threads that cannot be had are done without, and the order stays" {
	needs_strace
	# with some slow blocks a thread is wanted for the next ones
	lines 100000 | sed '1s/{/{"slow":1,/; 1500s/{/{"slow":1,/; 3000s/{/{"slow":1,/' >in
	for when in 1 1+ 2 2+ 3 3+; do
		inject clone,clone3:error=EAGAIN:when=$when $AID --identity --sleep 300 -j3 in >out
		# a second thread is wanted where the first blocks take longer than reading does
		case $when in 1*) injected ;; esac
		cmp in out
	done
}

@test "of equal messages in a row three are shown, then their number" {
	repeat 20 '{"a":1}' >in
	run -1 --separate-stderr lh-embed in
	[ "$stderr" = "lh-embed: in:1: missing \"text\" (string)
lh-embed: in:2: missing \"text\" (string)
lh-embed: in:3: missing \"text\" (string)
lh-embed: in: 17 more: missing \"text\" (string) (--field NAME or --template '{...}')
lh-embed: 20 of 20 records rejected" ] || { echo "$stderr"; return 1; }
	# with another between them, and in another file, they are counted anew
	(head -n 5 in; echo '{'; head -n 2 in) >other
	run -1 --separate-stderr lh-embed in other
	[ "$(grep -c 'more:' <<<"$stderr")" = 2 ]
	[ "${stderr_lines[7]}" = "lh-embed: other: 2 more: missing \"text\" (string) (--field NAME or --template '{...}')" ] || { echo "$stderr"; return 1; }
	[[ ${stderr_lines[8]} == "lh-embed: other:6:"* ]]
	run -1 --separate-stderr lh-embed -v in
	[ "$(grep -c 'missing' <<<"$stderr")" = 20 ]
	run -1 --separate-stderr lh-extract-json in
	[[ $stderr == *'17 more: missing "text" (string) (--field NAME)'* ]]
}

@test "UTF-16 and Parquet are recognised, and lh-merge recognises what the others do" {
	printf '{"text":"a"}\n{"text":"b"}\n' | iconv -t UTF-16 >wide
	printf '{"text":"a"}\n' | iconv -t UTF-16LE >bare
	printf 'PAR1\25\4\n' >parquet
	printf 'id,name\n1,x\n' >table
	for tool in lh-embed lh-validate lh-extract-json lh-merge; do
		while IFS='|' read -r file hint; do
			run -1 --separate-stderr $tool $file
			[[ $stderr == *"$tool: $file: the input $hint"* ]] || { echo "$tool: $stderr"; return 1; }
		done <<-'END'
		wide|is UTF-16, not UTF-8; iconv -f UTF-16 -t UTF-8 converts it
		bare|has NUL bytes, as UTF-16 has, not UTF-8; iconv -f UTF-16LE -t UTF-8 converts it
		parquet|is Parquet, not JSON Lines
		table|looks like a table, not JSON Lines
		END
	done
}
