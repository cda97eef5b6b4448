# Compressed and archived input: lh-cat itself, and the tools that run it.
load ../helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$ROOT/bin}:$PATH
	seq -f '{"n":%.0f,"text":"the quick brown fox jumps over the lazy dog"}' 20000 >plain.jsonl
	for c in gzip zstd xz bzip2 lz4; do
		"$c" -q -c plain.jsonl >"plain.$c"
	done
	mkdir m
	head -n 3 plain.jsonl >m/one.jsonl
	printf '{"a":1}\n{bad\n{"last":"no LF"}' >m/two.jsonl
	: >m/empty
	printf '{"z":26}\n' >m/zed.jsonl
	tar cf m.tar m/one.jsonl m/empty m/two.jsonl m/zed.jsonl
	(cd m && zip -q ../m.zip one.jsonl empty two.jsonl zed.jsonl)
	(cat m/one.jsonl m/two.jsonl; echo; cat m/zed.jsonl) >m.jsonl
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR"/* .
}

# flip FILE BYTE - another bit there.
flip() {
	python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[2])] ^= 4
open(sys.argv[1], "wb").write(b)' "$@"
}

@test "each kind of compression is undone, from a file, stdin and a pipe" {
	for c in gzip zstd xz bzip2 lz4; do
		lh-cat "plain.$c" | cmp - plain.jsonl
		lh-cat <"plain.$c" | cmp - plain.jsonl
		cat "plain.$c" | lh-cat - | cmp - plain.jsonl
	done
}

@test "what is not compressed passes unchanged" {
	lh-cat plain.jsonl | cmp - plain.jsonl
	printf 'no LF, \0 and \377' >odd
	lh-cat --binary <odd | cmp - odd
	: >empty
	[ -z "$(lh-cat empty)" ]
}

@test "members of tar and zip come out in order, every line ended" {
	lh-cat m.tar | cmp - m.jsonl
	cat m.tar | lh-cat | cmp - m.jsonl
	lh-cat m.zip | cmp - m.jsonl
	cat m.zip | lh-cat | cmp - m.jsonl
	for c in gzip zstd xz bzip2 lz4; do
		"$c" -q -c m.tar | lh-cat | cmp - m.jsonl
	done
}

@test "files of all kinds may be mixed; a BOM is kept only at the beginning" {
	printf '\357\273\277{"bom":1}' >bom
	lh-cat bom plain.zstd bom m.tar >out
	(printf '\357\273\277{"bom":1}\n'; cat plain.jsonl; printf '{"bom":1}\n'; cat m.jsonl) | cmp - out
}

@test "compressed files one after the other are one file" {
	for c in gzip zstd xz bzip2 lz4; do
		cat "plain.$c" "plain.$c" | lh-cat | cmp - <(cat plain.jsonl plain.jsonl)
	done
}

@test "lh-cat passes a line on before the next one comes" {
	coproc CAT { lh-cat; }
	echo '{"a":1}' >&"${CAT[1]}"
	read -r -t "$LH_PATIENCE" line <&"${CAT[0]}"
	[ "$line" = '{"a":1}' ]
}

@test "a filter reads every kind as it reads the plain file" {
	$AID plain.jsonl >want
	for c in gzip zstd xz bzip2 lz4; do
		$AID "plain.$c" | cmp - want
		$AID <"plain.$c" | cmp - want
		cat "plain.$c" | $AID | cmp - want
		$AID -j1 "plain.$c" | cmp - want
	done
}

@test "messages name members that are not ASCII, whatever the locale" {
	echo '{bad' >"é ⭐.jsonl"
	python3 -c 'import zipfile; zipfile.ZipFile("accent.zip", "w").write("é ⭐.jsonl")'
	for format in ustar pax gnu; do
		tar c --format=$format -f accent.$format "é ⭐.jsonl"
	done
	for f in accent.*; do
		run -1 "$AID" "$f"
		[[ ${lines[0]} == "aid-filter: $f/é ⭐.jsonl:1:2: "* ]] || { echo "${lines[0]}"; return 1; }
	done
}

@test "messages name the member and its line" {
	for f in m.tar m.zip; do
		run -1 --separate-stderr $AID $f
		[[ ${stderr_lines[0]} == "aid-filter: $f/"*"two.jsonl:2:2: "* ]]
		[ "${stderr_lines[1]}" = "aid-filter: 1 of 7 records rejected" ]
	done
	run -1 --separate-stderr $AID --on-error emit - <m.tar
	[[ $output == *'{"error":{"file":"-/m/two.jsonl","line":2,"code":400,"message":'* ]]
}

# bats test_tags=hostile
@test "a truncated file gives the whole lines before, a message and exit 2" {
	for c in gzip zstd xz bzip2; do
		head -c $(($(stat -c %s "plain.$c") * 4 / 5)) "plain.$c" >cut
		run -2 --separate-stderr bash -c "lh-cat cut >out"
		[[ $stderr == "lh-cat: cut: damaged: "* ]]
		[ "${#stderr_lines[@]}" = 1 ]
		[ -s out ]
		[ "$(tail -c 1 out | wc -l)" = 1 ]
		cmp out <(head -n "$(wc -l <out)" plain.jsonl)
		run -2 --separate-stderr bash -c "$AID --identity cut >out2"
		[[ $stderr == "aid-filter: cut: damaged: "* ]]
		cmp out out2
	done
}

@test "what precedes the damage is written, however short the file" {
	printf '{"n":1}\n{"n":2}\n{"n":3}\n' | gzip | head -c -5 >cut
	run -2 --separate-stderr lh-cat cut
	[ "$output" = $'{"n":1}\n{"n":2}\n{"n":3}' ]
	[ "$stderr" = "lh-cat: cut: damaged: gzip: truncated" ]
	run -2 --separate-stderr "$AID" --identity cut
	[ "${#lines[@]}" = 3 ]
}

@test "an archive is read past its end mark, to the checksum of what holds it" {
	head -n 3 plain.jsonl >m.jsonl
	for c in gzip zstd xz bzip2; do
		tar c --$c -f whole m.jsonl
		[ "$(lh-cat whole)" = "$(cat m.jsonl)" ]
		for back in 1 5; do
			head -c -$back whole >cut
			run --separate-stderr lh-cat cut
			[ "$status" = 2 ] && [[ $stderr == "lh-cat: cut: damaged: "* ]] || { echo "$c: $status"; return 1; }
		done
	done
	tar cf whole m.jsonl
	cat whole whole >twice
	[ "$(lh-cat twice | wc -l)" = 6 ]
	(cat whole; echo rubbish) >bad
	run -2 --separate-stderr lh-cat bad
	[ "$output" = "$(cat m.jsonl)" ]
}

# bats test_tags=hostile
@test "a flipped bit is never exit 0" {
	for c in gzip zstd xz bzip2 lz4; do
		size=$(stat -c %s "plain.$c")
		for part in 3 5 7 9; do
			cp "plain.$c" bad
			flip bad $((size * part / 10))
			run bash -c "lh-cat bad >/dev/null"
			[ "$status" = 2 ] || { echo "$c at $part/10: $status"; return 1; }
		done
	done
}

# damaged FIRST LAST FILE... - flip a byte, then forty, at places of all parts from
# FIRST to LAST (counted from the end if negative), read from the file and from a
# pipe: exit 2, or what comes out is as before.  Prints how many were exit 2.
damaged() {
	python3 - "$(scale 12 400)" "$@" <<-'END'
	import subprocess, sys
	def cat(file, **kw):
	    return subprocess.run(["lh-cat"] + ([file] if file else []), capture_output=True, **kw)
	places, first, last = map(int, sys.argv[1:4])
	for file in sys.argv[4:]:
	    whole = open(file, "rb").read()
	    n, want, seen = last % (len(whole) + 1), cat(file).stdout, 0
	    step = max(1, (n - first) // places)
	    for at in sorted({*range(first, n, step), n - 1, n - 5, n - 30}):
	        for width in 1, 40:
	            bad = bytearray(whole)
	            bad[at:at + width] = bytes(b ^ (4 if width == 1 else 0x5a) for b in bad[at:at + width])
	            open("bad", "wb").write(bad)
	            got = cat("bad") if at & 1 else cat(None, input=bytes(bad))
	            seen += got.returncode == 2
	            if got.returncode != 2 and (got.returncode or got.stdout != want):
	                sys.exit(f"{file}: {width} at {at}: {got.returncode}, {got.stderr}")
	    print(file, seen)
	END
}

# bats test_tags=full,hostile
@test "damage of a tar's heads is exit 2, the first one's included" {
	for format in v7 gnu ustar; do
		tar c --format=$format -f heads.$format m/one.jsonl m/zed.jsonl
		# the sum is all by which a head of v7 is known
		[ $format = v7 ] || damaged 0 512 heads.$format >>seen
		damaged 1024 1536 heads.$format >>seen
	done
	awk '$2 < 26 { print; bad = 1 } END { exit bad }' seen
}

@test "the lines before a zip's wrong check sum are written, stored and deflated, file and pipe" {
	for level in 0 9; do
		zip -q -$level z.zip plain.jsonl m/zed.jsonl
		sum=$(python3 -c 'import zipfile; print(zipfile.ZipFile("z.zip").infolist()[0].header_offset + 14)')
		flip z.zip "$sum"
		central=$(grep -obUaP 'PK\x01\x02' z.zip | first 1)
		flip z.zip $((${central%%:*} + 16))
		for from in "z.zip" "<z.zip" "< <(cat z.zip)"; do
			run -2 --separate-stderr bash -c "lh-cat $from >out"
			[[ $stderr == "lh-cat: "*"/plain.jsonl: damaged: ZIP bad CRC: "* ]]
			cmp out plain.jsonl
			run -2 --separate-stderr bash -c "$AID --identity $from >out"
			cmp out plain.jsonl
		done
		rm z.zip
	done
}

@test "a member that damage hides is missed" {
	python3 - <<-'END'
	b = bytearray(open("m.zip", "rb").read())
	second = b.index(b"PK\3\4", 4)
	b[second + 2] ^= 4
	open("hidden.zip", "wb").write(b)
	END
	run -2 --separate-stderr bash -c "cat hidden.zip | lh-cat"
	[ "$stderr" = "lh-cat: -: damaged: 3 of its 4 members were found" ]
	head -c -22 m.zip >cut.zip
	for from in cut.zip '<cut.zip' '< <(cat cut.zip)'; do
		run -2 --separate-stderr bash -c "lh-cat $from"
		[[ $stderr == *"damaged: the zip's end is missing" ]]
	done
}

# bats test_tags=full
@test "a zip of more members than 65,535 is whole" {
	python3 -c 'import zipfile
z = zipfile.ZipFile("many.zip", "w")
for i in range(65540): z.writestr(str(i), "")
z.writestr("last", "{}\n")'
	[ "$(lh-cat many.zip)" = '{}' ]
	[ "$(cat many.zip | lh-cat)" = '{}' ]
}

@test "compressed lines that begin with NULs are lines; a compressed tar of nothing is one" {
	(head -c 512 /dev/zero; cat m/one.jsonl) >nul
	for c in gzip zstd xz bzip2 lz4; do
		"$c" -q -c nul | lh-cat --binary | cmp - nul
		tar c -T /dev/null | "$c" -q -c >none
		run -0 --separate-stderr lh-cat none
		[ -z "$output$stderr" ]
	done
}

@test "what follows compressed data is damage; after gzip, bzip2 and lz4 NULs may follow, and the data come first" {
	head -n 3 plain.jsonl >three
	for c in gzip bzip2 lz4 xz zstd; do
		"$c" -q -c three >three.$c
		cat plain.$c three.$c | lh-cat | cmp - <(cat plain.jsonl three)
		for rest in x '(x' '\xfdxxxxxxxxxxxx' '\0\0x'; do
			(cat plain.$c three.$c; printf "$rest") >bad
			run --separate-stderr bash -c "lh-cat bad >out"
			[ "$status" = 2 ] || { echo "$c"; return 1; }
			[[ $stderr == "lh-cat: bad: damaged: "* ]]
			[[ $c == @(xz|zstd) ]] && continue
			[ "$stderr" = "lh-cat: bad: damaged: there is something else after the $c data" ]
			cat plain.jsonl three | cmp - out
		done
	done
	for c in gzip bzip2 lz4; do
		for n in 1 3 512 600000; do
			(cat plain.$c; head -c $n /dev/zero) | lh-cat | cmp - plain.jsonl
		done
	done
	(cat three.gzip; head -c 4 /dev/zero; head -c 13 plain.gzip) >bad
	run --separate-stderr bash -c "lh-cat <bad >out"
	[ "$status" = 2 ] && [[ $stderr == "lh-cat: -: damaged: "* ]]
	cmp out three
}

@test "a name that is not UTF-8 is not damage" {
	echo '{"n":1}' >$'\377.jsonl'
	tar c --format=pax -f latin.tar $'\377.jsonl'
	python3 -c 'import zipfile
i = zipfile.ZipInfo("xy.jsonl"); z = zipfile.ZipFile("latin.zip", "w"); i.flag_bits = 0x800
z.writestr(i, "{}\n")'
	sed -i 's/xy\.jsonl/\xff\xfe.jsonl/g' latin.zip
	for f in latin.tar latin.zip; do
		run -0 --separate-stderr lh-cat $f
		[ -n "$output" ] && [ -z "$stderr" ]
	done
}

@test "the checksums after gzip data are checked" {
	size=$(stat -c %s plain.gzip)
	for back in 1 5; do
		cp plain.gzip bad
		flip bad $((size - back))
		run -2 --separate-stderr bash -c "lh-cat bad >/dev/null"
		[[ $stderr == *"gzip: incorrect"* ]]
	done
	(cat plain.gzip; echo rubbish) >bad
	run -2 bash -c "lh-cat bad >/dev/null"
}

@test "files after a bad one are still read" {
	head -c 1000 plain.gzip >cut
	run -2 --separate-stderr bash -c "lh-cat absent cut m.tar >out"
	[ "${#stderr_lines[@]}" = 2 ]
	tail -n 7 out | cmp - m.jsonl
	run -2 --separate-stderr bash -c "$AID --identity absent cut m/zed.jsonl >out"
	[ "$(tail -n 1 out)" = '{"z":26}' ]
}

# bats test_tags=hostile
@test "hostile member names are read as streams and nothing is extracted" {
	python3 - <<-'END'
	import io, tarfile
	t = tarfile.open("evil.tar", "w")
	def add(name, kind=tarfile.REGTYPE, data=b'{"x":1}\n', link=""):
	    i = tarfile.TarInfo(name); i.type = kind; i.linkname = link
	    i.size = len(data) if kind == tarfile.REGTYPE else 0
	    t.addfile(i, io.BytesIO(data) if i.size else None)
	add("../up.jsonl"); add("/tmp/lh-absolute.jsonl"); add("a/../../b.jsonl")
	add("link", tarfile.SYMTYPE, link="/etc/passwd"); add("hard", tarfile.LNKTYPE, link="../up.jsonl")
	add("dev", tarfile.CHRTYPE); add("fifo", tarfile.FIFOTYPE); add("dir", tarfile.DIRTYPE)
	add("esc\x1b[31m.jsonl", data=b"{bad\n"); add("caf\u00e9.jsonl", data=b"{bad\n")
	END
	mkdir -p deep/er
	cp evil.tar deep/er
	cd deep/er
	run -0 --separate-stderr lh-cat evil.tar
	[ -z "$stderr" ]
	[ "$output" = $'{"x":1}\n{"x":1}\n{"x":1}\n{bad\n{bad' ]
	run -1 --separate-stderr $AID evil.tar
	[[ ${stderr_lines[0]} == 'aid-filter: evil.tar/esc\x1b[31m.jsonl:1:2: '* ]]
	[[ ${stderr_lines[1]} == 'aid-filter: evil.tar/café.jsonl:1:2: '* ]]
	[ "$(ls)" = evil.tar ]
	[ ! -e ../up.jsonl ]
	[ ! -e /tmp/lh-absolute.jsonl ]
}

@test "every format of tar is recognised, and a file that has ustar in the same place is not taken for one" {
	echo '{"n":1}' >m.jsonl
	for format in v7 oldgnu gnu ustar pax; do
		tar c --format=$format m.jsonl | lh-cat | cmp - m.jsonl || { echo "$format"; return 1; }
	done
	printf '{"text":"%*smustard"}\n' 247 '' >m.jsonl
	[ "$(dd if=m.jsonl bs=1 skip=257 count=5 status=none)" = ustar ]
	for f in m.jsonl <(gzip <m.jsonl); do
		lh-cat "$f" | cmp - m.jsonl
	done
	"$AID" --identity m.jsonl | cmp - m.jsonl
}

@test "an archive in an archive, and what is compressed twice, is refused" {
	gzip -k m/one.jsonl
	tar cf nested.tar m/one.jsonl.gz
	run -2 --separate-stderr lh-cat nested.tar
	[ -z "$output" ]
	[ "$stderr" = 'lh-cat: nested.tar/m/one.jsonl.gz: holds gzip again, which is not undone' ]
	for outer in gzip xz; do
		"$outer" -c plain.zstd >twice
		run -2 --separate-stderr lh-cat twice
		[ -z "$output" ]
		[ "$stderr" = 'lh-cat: twice: holds zstd again, which is not undone' ]
	done
	gzip -c plain.gzip >twice
	run -2 --separate-stderr lh-cat twice
	[ -z "$output" ]
	[ "$stderr" = 'lh-cat: twice: holds gzip again, which is not undone' ]
}

@test "a bomb ends at the ratio, which the message names" {
	head -c 300000000 /dev/zero | tr '\0' x | zstd -q >bomb
	run -0 --separate-stderr bash -c "lh-cat bomb | wc -c"
	[ "$stderr" = 'lh-cat: bomb: expands more than 1000 times (LH_MAX_RATIO)' ]
	[ "$output" -lt 70000000 ]
	[ "$(lh-cat --max-ratio 0 bomb | wc -c)" = 300000000 ]
	run -2 --separate-stderr $AID bomb
	[ "$stderr" = 'aid-filter: bomb: expands more than 1000 times (LH_MAX_RATIO)' ]
	[ "$(LH_MAX_RATIO=0 lh-cat bomb | wc -c)" = 300000000 ]
	echo '{"n":1}' >m.jsonl
	(tar c m.jsonl; head -c 300000000 /dev/zero) | zstd -q >tail
	run -2 --separate-stderr lh-cat tail
	[ "$output" = '{"n":1}' ]
	[ "$stderr" = 'lh-cat: tail: expands more than 1000 times (LH_MAX_RATIO)' ]
}

@test "a zip with a password is refused with the reason" {
	zip -q -P secret locked.zip m/one.jsonl
	run -2 --separate-stderr lh-cat locked.zip
	[ -z "$output" ]
	[[ $stderr == "lh-cat: locked.zip/m/one.jsonl: "* ]]
}

@test "without lh-cat a compressed file is an error that names it" {
	mkdir alone
	cp "$AID" alone
	PATH=/usr/bin:/bin run --separate-stderr alone/aid_filter plain.gzip
	[ "$status" = 2 ]
	[ "$stderr" = "aid-filter: plain.gzip: cannot run lh-cat: No such file or directory" ]
}

@test "no tool but lh-cat carries libarchive" {
	plain_only "sanitizers link all"
	for tool in "$LH_BIN"/lh*; do
		[[ ${tool##*/} == lh-cat ]] && continue
		needs=$(ldd "$tool")
		[[ $needs != *libarchive* && $needs != *libz.* ]] || { echo "$tool: $needs"; return 1; }
	done
	ldd "$LH_BIN/lh-cat" | has libarchive
}

# bats test_tags=full
@test "memory stays flat over a large compressed file" {
	plain_only "sanitizers need memory"
	n=$(scale 100 2000)
	for ((i = 0; i < n; i++)); do cat plain.jsonl; done | gzip -1 >large
	rss=$(/usr/bin/time -f %M lh-cat large 2>&1 >/dev/null)
	[ "$rss" -lt 20000 ] || { echo "$rss KiB"; return 1; }
}

@test "a sparse file in a tar is refused by name, as its holes would be lost" {
	echo '{"a":1}' >first.jsonl
	truncate -s 1M hole.jsonl
	echo '{"b":2}' >>hole.jsonl
	for format in gnu posix; do
		tar --format=$format --sparse -cf s.tar first.jsonl hole.jsonl
		run -2 --separate-stderr lh-cat s.tar
		[ "$output" = '{"a":1}' ]
		[ "$stderr" = "lh-cat: s.tar: hole.jsonl: is a sparse file, whose holes would be lost" ]
	done
}

@test "what is not text is refused, unless --binary is given" {
	printf 'a\0b\n' >bin
	echo '{"a":1}' >text
	run -2 --separate-stderr lh-cat bin text
	[ "$output" = '{"a":1}' ]
	[ "$stderr" = "lh-cat: bin: is not text: it has a NUL (--binary writes it)" ]
	lh-cat --binary bin | cmp - bin
	gzip -k bin
	run -2 --separate-stderr lh-cat bin.gz
	[ -z "$output" ]
	tar cf t.tar text bin
	run -2 --separate-stderr lh-cat t.tar
	[ "$output" = '{"a":1}' ]
	[[ $stderr == "lh-cat: t.tar/bin: is not text"* ]]
	lh-cat --binary t.tar | cmp - <(cat text bin)
}

@test "a signal ends the child that reads an object, too" {
	mkdir shim
	cp "$LH_BIN/lh-cat" shim	# it starts what is beside it
	printf '%s\n' '#!/bin/sh' 'echo $$ >"$(dirname "$0")/../pid"' 'exec sleep 1000' >shim/lh-store
	chmod +x shim/lh-store
	shim/lh-cat s3://bucket/key >out 2>err 3>&- &
	pid=$!
	until_so has_lines pid 1
	kill "$pid"
	wait "$pid" && status=0 || status=$?
	[ "$status" = 143 ]
	until_so not kill -0 "$(cat pid)"
}

@test "a link or a folder at the end of an archive is passed over as one before is" {
	echo '{"id":1}' >one.jsonl
	ln one.jsonl two.jsonl
	ln -s one.jsonl three.jsonl
	mkdir folder
	for last in two.jsonl three.jsonl folder; do
		tar cf a.tar one.jsonl $last
		run -0 lh-cat a.tar
		[ "$output" = '{"id":1}' ]
	done
}
