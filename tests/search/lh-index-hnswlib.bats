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

@test "what is exported has all vectors, which the library finds, and comes back" {
	judge make l2 5 2500 6 60 3 a.bin
	ids 0 2499 | lh-index import --distance l2 --hnswlib a.bin --ids - a.lhv
	lh-index export --hnswlib b.bin --ids b.jsonl a.lhv
	labelled 0 2499 | cmp - b.jsonl
	alike <(judge dump l2 5 a.bin | cut -d' ' -f1,4- | sort) <(judge dump l2 5 b.bin | cut -d' ' -f1,4- | sort)
	same_answers l2 5 b.bin a.lhv 2500
	lh-index import --distance l2 --hnswlib b.bin --ids b.jsonl c.lhv
	cmp <(lh-index dump a.lhv) <(lh-index dump c.lhv)
}

@test "compare asks both graphs and a scan the same queries, draws what they cost, and writes hnswlib's answers" {
	rows 1 1300 | lh-index build -j1 --exact-below 10 a.lhv
	lh-index compare -j2 --out c.svg a.lhv >points
	jq -s -c '(map(.side) | unique), (map(keys) | unique | length), (map([.rows, .dimension, .threads]) | unique), (map(select(.side == "exact") | [.k, .recall, .ef]))' points >got
	diff - got <<-'END'
	["exact","hnswlib","ours"]
	1
	[[1170,8,2]]
	[[10,1,null],[100,1,null]]
	END
	jq -s -e 'map(select(.recall < 0.9 or .queries_per_s <= 0 or .bytes_a_row < 32)) == []' points
	[ "$(grep -c '<polyline' c.svg)" = 6 ]
	rows 2001 2050 >q.jsonl
	lh-index compare --answers answers a.lhv q.jsonl | jq -s -c 'map(.rows) | unique' | grep -x '\[1300\]'
	lh-search --exact -k 100 a.lhv <q.jsonl >exact
	jq -n -e --slurpfile a answers --slurpfile b exact '[$a, $b | [.[].results[]]] | (.[0] | length) == 5000 and
		(transpose | all(.[0].id == .[1].id and (.[0].distance - .[1].distance | fabs) < 1e-6))'
	run -2 --separate-stderr lh-index compare --out q.jsonl a.lhv
	[ "$stderr" = 'lh-index: q.jsonl: is not a picture: give another name, or --force' ] || { echo "$stderr"; return 1; }
	no_litter
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

@test "a forged head or length of FILE is refused before memory depends on it; forged links are not read" {
	judge make ip 4 40 2 20 1 good.bin
	ids 0 39 >ids.jsonl
	lh-index import --hnswlib good.bin --ids ids.jsonl old.lhv
	python3 - <<-'END'
	import struct
	good = open("good.bin", "rb").read()
	assert struct.unpack_from("<QQQ", good, 24) == (44, 36, 20)
	end = 96 + 40 * 44
	def forged(name, form, at, value):
	    b = bytearray(good)
	    struct.pack_into(form, b, at, value)
	    open(name, "wb").write(b)
	bad = [(0, 4), (24, 43), (24, 0), (24, 2**64 - 1), (32, 35), (32, 20), (32, 2**63), (40, 16), (40, 40), (56, 0), (56, 65536),
	    (64, 0), (64, 2**62 + 4), (64, 5), (8, 39), (16, 2**32 - 2), (16, 2**60), (16, 0), (16, 39), (96 + 36 + 44, 0)]
	for i, (at, value) in enumerate(bad):
	    forged("bad%d.bin" % i, "<Q", at, value)
	for i, b in enumerate([good[:n] for n in (0, 1, 95, 96, end - 1, end, len(good) - 1)] + [good + b"\0", b"\x7fELF" + bytes(500)]):
	    open("badcut%d.bin" % i, "wb").write(b)
	for i, (at, value) in enumerate([(48, 99), (52, 2**32 - 1), (96, 5), (100, 40), (100, 2**32 - 1)]):
	    forged("odd%d.bin" % i, "<I", at, value)
	END
	[ "$(echo bad*.bin | wc -w)" = 29 ]
	for file in bad*.bin; do
		cp old.lhv a.lhv
		run -2 --separate-stderr lh-index import --hnswlib "$file" --ids ids.jsonl a.lhv
		[ -z "$output" ] && [[ $stderr == "lh-index: $file: "* ]] && [ "${#stderr_lines[@]}" = 1 ] || { echo "$file: $stderr"; return 1; }
		cmp old.lhv a.lhv
	done
	for file in odd*.bin; do
		lh-index import --now 2026-05-03T12:00:00Z --hnswlib "$file" --ids ids.jsonl a.lhv
		alike <(lh-index dump old.lhv) <(lh-index dump a.lhv)
	done
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
	b[at + 4] ^= 1
	open("a.lhv", "wb").write(b)
	END
	run -2 --separate-stderr lh-index export --hnswlib a.bin --ids a.jsonl a.lhv
	[ "$stderr" = 'lh-index: a.lhv: rows: the checksum is wrong' ]
	[ ! -e a.bin ] && [ ! -e a.jsonl ]
	no_litter
}
