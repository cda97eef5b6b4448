# lh-index import and export: indexes of the library hnswlib, which judges them.
load ../helper
load ../index

setup_file() {
	g++ -std=c++17 -O1 -o "$BATS_FILE_TMPDIR/hnswlib" "$ROOT/tests/oracle/hnswlib.cc"
}

judge() { "$BATS_FILE_TMPDIR/hnswlib" "$@"; }

# ids FROM TO [STEP] - lines of IDS
ids() {
	seq "$1" "${3:-1}" "$2" | sed 's/.*/{"id":"w&","metadata":{"n":&}}/'
}

labelled() {
	seq "$1" "${3:-1}" "$2" | sed 's/.*/{"label":&,"id":"w&","metadata":{"n":&}}/'
}

# hard_rows DISTANCE N DIM - records, for l2 and ip not of unit length
hard_rows() {
	awk -v distance="$1" -v n="$2" -v d="$3" 'BEGIN {
		srand(n)
		for (i = 0; i < n; i++) {
			printf "{\"id\":\"w%d\",\"vector\":[", i
			for (j = 0; j < d; j++)
				printf "%s%.6f", j ? "," : "", (rand() + rand() + rand() - 1.5) * (distance == "cosine" ? 1 : 1 + i % 7)
			print "]}"
		}
	}'
}

space() { [ "$1" = l2 ] && echo l2 || echo ip; }

# same_answers DISTANCE DIM FILE INDEX EF [TOLERANCE] - labels are the numbers of the ids
same_answers() {
	hard_rows cosine 20 "$2" | jq -c '{id, vector: ((.vector | map(. * .) | add | sqrt) as $n | .vector | map(. / $n))}' >q.jsonl
	jq -r '.vector | map(tostring) | join(" ")' q.jsonl | judge search "$(space "$1")" "$2" "$3" "$5" 10 >theirs
	lh-search --no-metadata -k 10 --ef "$5" "$4" <q.jsonl |
		jq -r '[.results[] | (.id[1:]) + "=" + (.distance | tostring)] | join(" ")' >ours
	python3 - "$1" "${6:-2e-6}" <<-'END'
	import sys
	theirs, ours = ([[w.split("=") for w in l.split()] for l in open(f)] for f in ("theirs", "ours"))
	assert len(theirs) == len(ours) == 20 and all(len(l) == 10 for l in ours), (theirs, ours)
	for t, o in zip(theirs, ours):
	    root = 0.5 if sys.argv[1] == "l2" else 1
	    t = [(a, float(d) ** root if root < 1 else max(float(d), 0 if sys.argv[1] == "cosine" else -9e9)) for a, d in t]
	    o = [(a, float(d)) for a, d in o]
	    for (a, d), (b, e) in zip(t, o):
	        assert abs(d - e) <= float(sys.argv[2]) * max(1, abs(d)), (t, o)
	        assert a == b or any(x == b and abs(y - d) < 1e-5 for x, y in t), (t, o)
	END
}

# bats test_tags=full
@test "an index of hnswlib is imported with its ids, metadata and vectors, and answers as it did" {
	ids 0 1499 >ids.jsonl
	for distance in cosine l2 ip; do
		judge make "$(space $distance)" 9 1500 16 100 7 a.bin
		run -0 --separate-stderr lh-index import -v --distance $distance --hnswlib a.bin --ids ids.jsonl a.lhv
		[ -z "$output" ]
		[ "$stderr" = "lh-index: a.lhv: 1500 records of dimension 9" ]
		lh-index verify a.lhv
		[ "$(lh-index info a.lhv | jq -c '[.length, .dimension, .distance, .m, .ef_construction, .precision]')" = \
			"[1500,9,\"$distance\",16,100,\"f32\"]" ]
		lh-index dump a.lhv | jq -c '{id, metadata}' | cmp - ids.jsonl
		judge dump "$(space $distance)" 9 a.bin | cut -d' ' -f4- >theirs
		lh-index dump a.lhv | jq -r '.vector | map(tostring) | join(" ")' >ours
		python3 -c 'import struct
f = lambda l: struct.pack("<9f", *map(float, l.split()))
a, b = (list(map(f, open(n))) for n in ("theirs", "ours"))
assert len(a) == 1500 and a == b'
		same_answers $distance 9 a.bin a.lhv 1500
		same_answers $distance 9 a.bin a.lhv 40
	done
}

@test "the graph goes there and back as it is" {
	judge make l2 5 2500 6 60 3 a.bin
	ids 0 2499 | lh-index import --distance l2 --hnswlib a.bin --ids - a.lhv
	lh-index export --hnswlib b.bin --ids b.jsonl a.lhv
	labelled 0 2499 | cmp - b.jsonl
	[ "$(stat -c %s a.bin)" = "$(stat -c %s b.bin)" ]
	for what in dump links; do
		alike <(judge $what l2 5 a.bin | sort) <(judge $what l2 5 b.bin | sort)
	done
	# and the same the other way round
	lh-index import --distance l2 --hnswlib b.bin --ids b.jsonl c.lhv
	lh-index export --hnswlib c.bin --ids c.jsonl c.lhv
	cmp b.jsonl c.jsonl
	alike <(judge links l2 5 b.bin | sort) <(judge links l2 5 c.bin | sort)
}

@test "IDS has one line for each element, and each id once, or nothing is made" {
	judge make ip 4 10 4 20 1 a.bin
	ids 0 9 >good.jsonl
	lh-index import --hnswlib a.bin --ids good.jsonl old.lhv
	refused() {	# MESSAGE, of in.jsonl
		cp old.lhv a.lhv
		run -2 --separate-stderr lh-index import --hnswlib a.bin --ids in.jsonl a.lhv
		[ "${stderr%%$'\n'*}" = "lh-index: in.jsonl$1" ] || { echo "$stderr"; return 1; }
		cmp old.lhv a.lhv
		no_litter
	}
	head -n 9 good.jsonl >in.jsonl
	refused ': no line for label 9'
	: >in.jsonl
	refused ': no line for label 0'
	ids 0 10 >in.jsonl
	refused ':11: there is no element of label 10'
	{ head -n 9 good.jsonl; echo '{"id":"w3"}'; } >in.jsonl
	refused ':10: the id w3 occurs twice'
	{ head -n 9 good.jsonl; echo '{"id":"x","label":3}'; } >in.jsonl
	refused ':10: label 3 occurs twice'
	{ head -n 9 good.jsonl; echo '{"id":"x","label":-1}'; } >in.jsonl
	refused ':10: "label" must be a whole number, 0 or more'
	{ head -n 9 good.jsonl; echo '{"id":""}'; } >in.jsonl
	refused ':10: empty id'
	{ head -n 9 good.jsonl; echo '{"metadata":{}}'; } >in.jsonl
	refused ':10: missing "id" (string or number)'
	{ head -n 9 good.jsonl; echo '{"id":"x","metadata":3}'; } >in.jsonl
	refused ':10: "metadata" must be an object'
	{ head -n 9 good.jsonl; echo '{"id":"x"'; } >in.jsonl
	run -2 --separate-stderr lh-index import --hnswlib a.bin --ids in.jsonl a.lhv
	[[ $stderr == 'lh-index: in.jsonl:10:'* ]]
	run -2 --separate-stderr lh-index import --hnswlib a.bin --ids absent.jsonl a.lhv
	[[ $stderr == 'lh-index: absent.jsonl: cannot open: No such file or directory'* ]]
	cmp old.lhv a.lhv
}

@test "a forged FILE is refused with the reason, wherever it is wrong" {
	judge make ip 4 40 2 20 1 good.bin
	ids 0 39 >ids.jsonl
	lh-index import --hnswlib good.bin --ids ids.jsonl old.lhv
	python3 - <<-'END'
	import struct
	good = open("good.bin", "rb").read()
	stride, label, vector = struct.unpack_from("<QQQ", good, 24)
	top, entry = struct.unpack_from("<iI", good, 48)
	assert (stride, label, vector) == (44, 36, 20) and top > 0
	end = 96 + 40 * stride
	sizes, at = [], end
	for e in range(40):
	    sizes.append(at)
	    at += 4 + struct.unpack_from("<I", good, at)[0]
	assert at == len(good)
	first = next(e for e in range(40) if struct.unpack_from("<I", good, sizes[e])[0])
	up = next(e for e in range(40) if struct.unpack_from("<I", good, sizes[e])[0] == 12)
	low = next(e for e in range(40) if struct.unpack_from("<I", good, sizes[e])[0] == 0)
	assert struct.unpack_from("<I", good, sizes[up] + 4)[0] > 0
	lies = "not an index of hnswlib: the sizes in its head contradict each other"
	n = len(good)
	cases = [
	    ("<Q", 0, 4, lies), ("<Q", 24, 43, lies), ("<Q", 24, 0, lies), ("<Q", 24, 2**64 - 1, lies),
	    ("<Q", 32, 35, lies), ("<Q", 32, 20, lies), ("<Q", 32, 2**63, lies), ("<Q", 40, 16, lies),
	    ("<Q", 40, 40, lies), ("<Q", 56, 0, lies), ("<Q", 56, 65536, lies), ("<Q", 64, 0, lies),
	    ("<Q", 64, 2**62 + 4, lies), ("<Q", 64, 5, lies),
	    ("<Q", 8, 39, "40 elements, with room for 39"),
	    ("<QQ", 8, (2**40, 2**40), "%d elements, with room for %d" % (2**40, 2**40)),
	    ("<QQ", 8, (2**32 - 2, 2**32 - 2), "%d elements of 44 bytes in %d bytes" % (2**32 - 2, n)),
	    ("<Q", 16, 0, "searches begin at element %d on level %d, of 0 elements" % (entry, top)),
	    ("<Q", 16, 39, None), ("<QQ", 8, (41, 41), None),
	    ("<i", 48, -1, "searches begin at element %d on level -1, of 40 elements" % entry),
	    ("<i", 48, top + 1, "searches begin on level %d at element %d, which is not there" % (top + 1, entry)),
	    ("<i", 48, 0, "element %d: %d bytes of upper links, in lists of 12 and at most 0 of them" % (first, struct.unpack_from("<I", good, sizes[first])[0])),
	    ("<I", 52, 40, "searches begin at element 40 on level %d, of 40 elements" % top),
	    ("<I", 52, 2**32 - 1, "searches begin at element 4294967295 on level %d, of 40 elements" % top),
	    ("<I", 52, low, "searches begin on level %d at element %d, which is not there" % (top, low)),
	    ("<Q", 56, 1, None),
	    ("<H", 96, 5, "element 0, level 0: 5 links, at most 4"),
	    ("<H", 96 + 39 * 44, 65535, "element 39, level 0: 65535 links, at most 4"),
	    ("<B", 98, 2, "element 0, level 0: unknown mark %#x" % (0x20000 | good[96])),
	    ("<B", 99, 1, "element 0, level 0: unknown mark %#x" % (0x1000000 | good[96])),
	    ("<I", 100, 40, "element 0, level 0: a link to element 40, which is not there"),
	    ("<I", 100, 2**32 - 1, "element 0, level 0: a link to element 4294967295, which is not there"),
	    ("<Q", 96 + 36 + 44, 0, "element 1: label 0 is also that of another element"),
	    ("<I", sizes[0], 2**32 - 1, "element 0: 4294967295 bytes of upper links, in lists of 12 and at most %d of them" % top),
	    ("<I", sizes[up], 4, "element %d: 4 bytes of upper links, in lists of 12 and at most %d of them" % (up, top)),
	    ("<I", sizes[39], 12 * top, None),
	    ("<H", sizes[up] + 4, 3, "element %d, level 1: 3 links, at most 2" % up),
	    ("<B", sizes[up] + 6, 1, "element %d, level 1: unknown mark %#x" % (up, 0x10000 | good[sizes[up] + 4])),
	    ("<I", sizes[up] + 8, low, "element %d, level 1: a link to element %d, which is not there" % (up, low)),
	]
	out = open("cases", "w")
	def case(i, b, message):
	    open("forged%d.bin" % i, "wb").write(b)
	    out.write("forged%d.bin\t%s\n" % (i, message or ""))
	i = 0
	for form, at, value, message in cases:
	    b = bytearray(good)
	    struct.pack_into(form, b, at, *(value if isinstance(value, tuple) else (value,)))
	    case(i, b, message)
	    i += 1
	for cut in (0, 1, 95):
	    case(i, good[:cut], "not an index of hnswlib: %d bytes, at least 96" % cut)
	    i += 1
	for cut, message in ((96, "40 elements of 44 bytes in 96 bytes"), (end - 1, "40 elements of 44 bytes in %d bytes" % (end - 1)),
	        (end, "element 0: its levels are cut off"), (n - 1, None), (n - 4, None)):
	    case(i, good[:cut], message)
	    i += 1
	case(i, good + b"\0", "1 bytes after the last element")
	case(i + 1, b"\x7fELF" + bytes(500), lies)
	END
	[ "$(wc -l <cases)" -gt 40 ]
	while IFS=$'\t' read -r file message; do
		cp old.lhv a.lhv
		run -2 --separate-stderr lh-index import --hnswlib "$file" --ids ids.jsonl a.lhv
		[ -z "$output" ]
		if [ -n "$message" ]; then
			[ "$stderr" = "lh-index: $file: $message" ] || { echo "$file: $stderr, expected $message"; return 1; }
		else
			[[ $stderr == "lh-index: $file: "* ]] && [ "$(wc -l <<<"$stderr")" = 1 ] || { echo "$file: $stderr"; return 1; }
		fi
		cmp old.lhv a.lhv
	done <cases
	no_litter
}

@test "the names of the files are checked before anything is written" {
	rows 1 1100 | lh-index build -j1 a.lhv
	sum=$(sha256sum a.lhv)
	run -2 --separate-stderr lh-index export --hnswlib a.lhv --ids i.jsonl a.lhv
	[ "$stderr" = 'lh-index: a.lhv: is INDEX itself' ]
	run -2 lh-index export --hnswlib a.bin --ids ./a.lhv a.lhv
	run -2 --separate-stderr lh-index export --hnswlib a.bin --ids a.bin a.lhv
	[ "$stderr" = 'lh-index: --hnswlib and --ids name one file: a.bin' ]
	run -2 lh-index export --hnswlib - --ids i.jsonl a.lhv
	run -2 lh-index export --hnswlib a.bin --ids - a.lhv
	run -2 --separate-stderr lh-index export --hnswlib a.bin a.lhv
	[ "$stderr" = 'lh-index: export needs --hnswlib FILE and --ids IDS' ]
	run -2 --separate-stderr lh-index import --ids i.jsonl b.lhv
	[ "$stderr" = 'lh-index: import needs --hnswlib FILE and --ids IDS' ]
	run -2 --separate-stderr lh-index import --hnswlib a.bin --ids i.jsonl b.lhv c.lhv
	[[ $stderr == 'lh-index: unexpected operand "c.lhv": import takes one INDEX'* ]]
	run -2 --separate-stderr lh-index import --hnswlib . --ids i.jsonl b.lhv
	[ "$(echo [!s]*)" = a.lhv ]
	[ "$sum" = "$(sha256sum a.lhv)" ]
}

@test "killed at any write, fsync or rename, an import leaves the old index or the new" {
	needs_strace
	judge make ip 4 1010 4 20 1 a.bin
	ids 0 1009 >ids.jsonl
	into() { lh-index import -j1 --now 2026-05-03T12:00:00Z --hnswlib a.bin --ids ids.jsonl "$@"; }
	into new.lhv
	rows 1 30 | same_build old.lhv
	before_fault() { cp old.lhv a.lhv; }
	after_fault() {
		cmp -s a.lhv old.lhv || cmp -s a.lhv new.lhv
		[ "$INJECT" = signal=KILL ] || [ "$3" != 0 ] || cmp a.lhv new.lhv
		into a.lhv
		cmp a.lhv new.lhv
	}
	for INJECT in signal=KILL error=ENOSPC; do
		at_each lh-index import -j1 --now 2026-05-03T12:00:00Z --hnswlib a.bin --ids ids.jsonl a.lhv
	done
	no_litter
}

@test "a damaged index is not exported" {
	rows 1 1100 | lh-index build -j1 a.lhv
	python3 - <<-'END'
	import struct
	b = bytearray(open("a.lhv", "rb").read())
	kind, _, at, n, _ = struct.unpack_from("<IIQQQ", b, 128 + 32)
	assert kind == 2
	struct.pack_into("<I", b, at + 4, 9999)
	open("a.lhv", "wb").write(b)
	END
	run -2 --separate-stderr lh-index export --hnswlib a.bin --ids a.jsonl a.lhv
	[ "$stderr" = 'lh-index: a.lhv: rows: row 0, level 0: a link to row 9999' ]
	[ ! -e a.bin ] && [ ! -e a.jsonl ]
	no_litter
}
