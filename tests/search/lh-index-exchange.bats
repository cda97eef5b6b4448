# lh-index dump --to npy and build --from npy.
load ../helper

# records N DIMENSION [SEED] - some without metadata; ids are numbers.
records() {
	python3 - "$@" <<-'END'
	import json, random, sys
	n, dim, seed = (int(a) for a in [*sys.argv[1:], "1"][:3])
	r = random.Random(seed)
	for i in range(n):
	    row = {"id": str(i * 7 - 20), "vector": [round(r.gauss(0, 1 + i % 3), 4) for _ in range(dim)]}
	    if i % 4:
	        row["metadata"] = {"n": i, "é\"\\": [None, True, "a\u2028b", {"x": 0.5}], "deep": {"list": []}}
	    print(json.dumps(row, ensure_ascii=i % 2 == 0))
	END
}

# untouched COMMAND... - it fails with 2 and one line on stderr, and x.lhv stays as it was.
untouched() {
	local before
	before=$(sha256sum x.lhv)
	run -2 --separate-stderr "$@"
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ] || { echo "$stderr"; return 1; }
	[ "$(sha256sum x.lhv)" = "$before" ]
	no_litter
}

@test "a dump for NumPy, built again, is the same index for f32, f16 and i8" {
	records 60 24 >in.jsonl
	for how in 'f32 --distance cosine' 'f16 --distance l2' 'i8 --rescore --distance ip'; do
		lh-index build --precision $how x.lhv in.jsonl
		lh-index dump x.lhv >want
		[ "$(wc -l <want)" = 60 ]
		lh-index dump x.lhv --to npy --ids ids >file
		lh-index build --precision $how y.lhv --from npy --ids ids file
		lh-index dump y.lhv | cmp - want || { echo "$how"; return 1; }
	done
}

@test "the bytes of a row are those of the description of the format" {
	lh-index build --distance l2 x.lhv <<<'{"id":"7","vector":[1,-2],"metadata":{"a":1}}'
	[ "$(lh-index dump --to npy x.lhv | tail -c +129 | xxd -p)" = 0000803f000000c0 ]
	lh-index dump --to npy x.lhv | head -c 80 | has "^.NUMPY.*{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }" -a
}

@test "an index without records is a file without rows" {
	lh-index build --allow-empty --dimension 4 x.lhv </dev/null
	lh-index dump --to npy x.lhv >file
	[ "$(stat -c %s file)" = 128 ]
	run -2 --separate-stderr lh-index build --from npy y.lhv file
	[[ $stderr == *'y.lhv: no good record came in'* ]]
	lh-index build --from npy --allow-empty y.lhv file
	[ "$(lh-index dump y.lhv)" = '' ]
}

@test "options that do not go together are refused" {
	refused() {
		run -2 --separate-stderr lh-index "${@:2}"
		[ "$stderr" = "lh-index: $1" ] || { echo "$stderr"; return 1; }
		[ ! -e x.lhv ]
	}
	refused '--ids goes with --from npy' build --ids i x.lhv
	refused '--ids goes with --to npy' dump --ids i x.lhv
	refused '--encoding goes with --to jsonl' dump --to npy --encoding base64 x.lhv
	refused '--id-field goes with --from jsonl' build --from npy --id-field n x.lhv
	refused '--ids -: stdin has the vectors' build --from npy --ids - x.lhv
	refused '--from: "arrow" is not one of jsonl, npy' build --from arrow x.lhv
	records 3 2 | lh-index build y.lhv
	run -2 --separate-stderr lh-index dump --to npy --ids y.lhv y.lhv
	[ "$stderr" = 'lh-index: --ids: y.lhv is INDEX itself' ]
	lh-index verify y.lhv
}

@test "a file that is cut off at any byte leaves the index as it was" {
	records 2 2 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	lh-index dump --to npy x.lhv >whole
	size=$(stat -c %s whole)
	for ((n = 0; n < size; n += 7)); do
		head -c $n whole >cut
		untouched lh-index build --distance l2 --from npy x.lhv cut
		[[ $stderr == "lh-index: cut: "*"byte $n: the file is cut off: "*' bytes are missing' ]] ||
			{ echo "$n: $stderr"; return 1; }
	done
	{ cat whole; printf x; } >more
	untouched lh-index build --distance l2 --from npy x.lhv more
	[[ $stderr == "lh-index: more: "*"byte $size: bytes after the end" ]]
}

# npy HEADER [BYTES] - a file of version 1.0 with that header, and so many bytes of zeros.
npy() {
	printf '\223NUMPY\1\0'
	printf "\\x$(printf %02x $((${#1} % 256)))\\x$(printf %02x $((${#1} / 256)))"
	printf '%s' "$1"
	head -c "${2:-0}" /dev/zero
}

@test "files of NumPy that contradict themselves or are of another kind leave the index as it was" {
	records 3 2 | lh-index build --distance l2 x.lhv
	npy "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" 24 | lh-index build --distance l2 --from npy good.lhv
	[ "$(lh-index dump good.lhv | jq -c '[.id, .vector]' | xargs)" = '[0,[0,0,0]] [1,[0,0,0]]' ]
	npy '  {"shape":(2L,3L) , "fortran_order" : False,"descr":"<f4"}  ' 24 | lh-index build --distance l2 --from npy good.lhv
	bad() {
		npy "$2" "${3:-24}" >file
		untouched lh-index build --distance l2 --from npy x.lhv file
		[[ $stderr == "lh-index: file: "*"$1"* ]] || { echo "$stderr"; return 1; }
	}
	bad 'it is in Fortran order: ' "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }"
	for type in '<i4' '|u1' '<f16' '<c8' 'f4' '|O' '=f4' '<f1' '' $'\e[31m'; do
		bad ': f2, f4 or f8 are read, as ' "{'descr': '$type', 'fortran_order': False, 'shape': (2, 3), }"
	done
	bad 'it has 1 axes: ' "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"
	bad 'it has 0 axes: ' "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"
	bad 'it has 3 axes: ' "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }"
	bad 'rows of 0 values: from 1 to 65536' "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }"
	bad 'rows of 65537 values: from 1 to 65536' "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 65537), }"
	bad 'row 3: byte 83: the file is cut off: 12 bytes are missing' "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3)}  " 24 ||
		has 'row 3: .*cut off: 12 bytes' <<<"$stderr"
	bad 'cut off' "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 3), }"
	for header in '' '{' '{}' '[]' "{'descr': '<f4', 'shape': (2, 3)}" "{'descr': '<f4', 'fortran_order': False}" \
		"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}" \
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616, 3)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}" \
		"{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}"; do
		bad 'its header cannot be read' "$header"
	done
	printf '\223NUMPX\1\0' >file
	untouched lh-index build --from npy x.lhv file
	[[ $stderr == *'byte 0: not a file of NumPy (.npy)' ]]
	printf '\223NUMPY\4\0\0\0' >file
	untouched lh-index build --from npy x.lhv file
	[[ $stderr == *'version 4.0: 1.0, 2.0 and 3.0 are read' ]]
	printf '\223NUMPY\2\0\377\377\377\377' >file
	untouched lh-index build --from npy x.lhv file
	[[ $stderr == *'the header has 4294967295 bytes, at most 65536' ]]
}

# bats test_tags=full,plain-only
@test "NumPy reads what is written, and its own files are read: each type, order of bytes and version" {
	PYTHON=/usr/bin/python3
	"$PYTHON" -c 'import numpy' 2>/dev/null || skip "python3-numpy is not installed"
	records 30 7 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	lh-index dump x.lhv | jq -c .vector >want
	lh-index dump --to npy x.lhv >file
	[ "$("$PYTHON" -c 'import numpy; a = numpy.load("file"); print(a.dtype, a.shape)')" = 'float32 (30, 7)' ]
	"$PYTHON" - <<-'END'
	import numpy
	for version, kind in enumerate(["<f4", ">f4", ">f8"], 1):
	    with open(f"other{version}", "wb") as f:
	        numpy.lib.format.write_array(f, numpy.load("file").astype(kind), (version, 0))
	END
	for version in 1 2 3; do
		lh-index build --distance l2 --from npy y.lhv other$version
		lh-index dump y.lhv | jq -c .vector | cmp - want
	done
	"$PYTHON" -c 'import numpy; numpy.save("file.npy", numpy.array([[1.5, -2], [0.25, 6e-8]], ">f2"))'
	lh-index build --distance l2 --from npy y.lhv file.npy
	[ "$(lh-index dump y.lhv | jq -c .vector | paste -sd' ')" = '[1.5,-2] [0.25,5.9604645e-08]' ] || { lh-index dump y.lhv; return 1; }
	"$PYTHON" -c 'import numpy; numpy.save("file.npy", numpy.asfortranarray(numpy.ones((3, 2), "<f4")))'
	run -2 --separate-stderr lh-index build --from npy y.lhv file.npy
	[[ $stderr == *'it is in Fortran order: np.ascontiguousarray turns it around' ]]
	"$PYTHON" -c 'import numpy; numpy.save("file.npy", numpy.array([[1, 1e39]]))'
	run -2 --separate-stderr lh-index build --from npy y.lhv file.npy
	[[ $stderr == 'lh-index: file.npy: row 1: '*infinit* ]]
}

@test "the lines of --ids give vectors their ids and metadata, one each, in order" {
	records 20 3 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	lh-index dump x.lhv >want
	lh-index dump --to npy --ids ids x.lhv >file
	cmp <(jq -c '{id, metadata} | if .metadata then . else {id} end' want) <(jq -c . ids)
	# two files, of which the ids are one; and compressed
	for part in 1,10 11,20; do
		sed -n "${part}p" in.jsonl | lh-index build --distance l2 part.lhv
		lh-index dump --to npy part.lhv >"part-$part"
	done
	gzip part-11,20
	lh-index build --distance l2 --from npy --ids ids y.lhv part-1,10 part-11,20.gz
	cmp <(lh-index dump y.lhv) want
	lh-index build --distance l2 --from npy y.lhv part-1,10 part-11,20.gz
	[ "$(lh-index dump y.lhv | jq -r .id | xargs)" = "$(seq 0 19 | xargs)" ]
	jq -c '{label: (input_line_number - 1)} + .' ids >labelled
	lh-index build --distance l2 --from npy --ids - y.lhv file <labelled
	alike <(lh-index dump y.lhv | jq -c .) <(jq -c . want)
	wrong() {
		untouched lh-index build --distance l2 --from npy --ids bad x.lhv file
		[[ $stderr == "lh-index: "$1 ]] || { echo "$stderr"; return 1; }
	}
	head -n 19 ids >bad
	wrong 'bad: 19 lines, and there are more vectors'
	{ cat ids; echo '{"id":"more"}'; } >bad
	not lh-index build --distance l2 --from npy --ids bad x.lhv file 2>err
	has -F 'bad:21: there are only 20 vectors' err
	sed '3s/}$/,"label":7}/' ids >bad
	not lh-index build --distance l2 --from npy --ids bad x.lhv file 2>err
	has -F 'bad:3: label 7, expected 2' err
	cmp <(lh-index dump x.lhv) want
	no_litter
}

@test "an id that occurs twice ends a build from vectors of other programs, and nothing is made" {
	records 4 3 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	lh-index dump --to npy --ids ids x.lhv >file
	{ head -n 3 ids; sed -n 2p ids; } >twice
	untouched lh-index build --distance l2 --from npy --ids twice x.lhv file
	[ "$stderr" = 'lh-index: file: row 4: the id -13 occurs twice' ] || { echo "$stderr"; return 1; }
	run -2 lh-index build --distance l2 --from npy --ids twice none.lhv file
	[ ! -e none.lhv ]
	# of records the last one counts
	cat in.jsonl in.jsonl | lh-index build --distance l2 y.lhv
	cmp <(lh-index dump y.lhv) <(lh-index dump x.lhv)
}

@test "a full disk and a closed stdout end a dump as they do that of records" {
	records 3000 16 | lh-index build --exact-below 10000 x.lhv
	for format in npy 'npy --ids ids'; do
		run -2 --separate-stderr bash -c "lh-index dump --to $format x.lhv >/dev/full"
		[[ $stderr == *'No space left on device'* ]]
		[ ! -e ids ]
		run bash -c "lh-index dump --to $format x.lhv | head -c 10 | wc -c; echo \${PIPESTATUS[0]}"
		[ "${lines[0]}" = 10 ]
		[ ! -e ids ]
	done
	no_litter
}

@test "reading keeps little in memory, whatever a file says its sizes are" {
	plain_only "its memory is that of the tool"
	npy "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999, 65536), }" 10 >rows
	run -2 --separate-stderr bash -c "ulimit -v 200000; lh-index build --from npy x.lhv rows"
	[[ $stderr == *'cut off'* ]] || { echo "$stderr"; return 1; }
}

# with_line_break FILE NEW - a copy of an index with a line break for the blank in its metadata, and
# checksums that are right.
with_line_break() {
	python3 - "$@" <<-'END'
	import ctypes, struct, sys
	xxh3 = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
	xxh3.restype, xxh3.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t]
	b = bytearray(open(sys.argv[1], "rb").read())
	for s in range(128, 4088, 32):
	    kind, _, at, n, _ = struct.unpack_from("<IIQQQ", b, s)
	    if kind == 9:
	        assert b[at:at + n] == b'{"x": 1}'
	        b[at:at + n] = b'{"x":\n1}'
	        struct.pack_into("<Q", b, s + 24, xxh3(bytes(b[at:at + n]), n))
	struct.pack_into("<Q", b, 4088, xxh3(bytes(b[:4088]), 4088))
	open(sys.argv[2], "wb").write(b)
	END
}

@test "metadata with a line break is damage for all that read it, and is not copied" {
	printf '{"id":"a","vector":[1,2],"metadata":{"x": 1}}\n' | lh-index build --distance l2 --now 2026-05-03T12:00:00Z x.lhv
	printf '{"id":"b","vector":[1,2],"metadata":{"x": 1}}\n' >row
	lh-index build --distance l2 dest.lhv row
	with_line_break x.lhv bad.lhv
	run -1 --separate-stderr lh-index verify bad.lhv
	[ "$stderr" = 'lh-index: bad.lhv: metadata: row 0: the metadata has a line break' ] || { echo "$stderr"; return 1; }
	for command in 'dump bad.lhv' 'dump --to npy bad.lhv' 'merge new.lhv bad.lhv' 'merge dest.lhv bad.lhv' 'move dest.lhv bad.lhv'; do
		run -2 --separate-stderr bash -c "lh-index $command"
		[[ $stderr == 'lh-index: bad.lhv: '*'line break' ]] || { echo "$command: $stderr"; return 1; }
	done
	[ ! -e new.lhv ] && [ ! -e dest.lhv-log ]
	run -2 --separate-stderr lh-search --exact -k 1 bad.lhv <<<'{"vector":[1,2]}'
	has -F 'metadata holds a line break' <<<"$stderr"
	lh-index add bad.lhv row
	run -2 --separate-stderr lh-index compact bad.lhv
	[ "$stderr" = 'lh-index: bad.lhv: metadata: row 0: the metadata has a line break' ] || { echo "$stderr"; return 1; }
}
