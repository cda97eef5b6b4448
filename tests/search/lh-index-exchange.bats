# lh-index dump --to and build --from: vectors for PostgreSQL and pgvector, NumPy and .fvecs,
# with those programs themselves.
# bats file_tags=long
load ../helper
source "$ROOT/tests/npm.bash"
source "$ROOT/tests/postgres.bash"

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	ulimit -c 0
}

teardown() {
	postgres_stop
	faults_happened
}

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

exchange() { "${PYTHON:-python3}" "$ROOT/tests/oracle/exchange.py" "$@"; }

# needs_numpy - PYTHON is one that has NumPy; Debian's may not be the first in PATH.
needs_numpy() {
	for PYTHON in python3 /usr/bin/python3; do
		if "$PYTHON" -c 'import numpy' 2>/dev/null; then return; fi
	done
	skip "python3-numpy is not installed"
}

dumped() { lh-index dump "$@"; }

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

# bats test_tags=plain-only
@test "a dump in each format, built again, is the same index for f32, f16 and i8" {
	records 300 24 >in.jsonl
	for precision in f32 f16 i8 'f16 --rescore' 'i8 --rescore'; do
		for distance in cosine l2 ip; do
			lh-index build --distance $distance --precision $precision x.lhv in.jsonl
			dumped x.lhv >want
			[ "$(wc -l <want)" = 300 ]
			for to in pgcopy 'npy --ids ids' 'fvecs --ids ids'; do
				lh-index dump x.lhv --to $to >file
				lh-index build --distance $distance --precision $precision y.lhv --from $to file
				dumped y.lhv | cmp - want || { echo "$precision $distance $to"; return 1; }
			done
		done
	done
}

@test "what is written is what the descriptions of the formats say" {
	records 50 5 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	lh-index delete --id 1 x.lhv
	lh-index add x.lhv <<<'{"id":"800","vector":[1,-0.0,1e-40,3e38,-5],"metadata":{"é":"\"\\u0000"}}'
	dumped x.lhv >want
	alike <(lh-index dump --to pgcopy x.lhv | exchange pgcopy) <(exchange jsonl vector <want)
	alike <(lh-index dump --to fvecs x.lhv | exchange fvecs) <(exchange numbered <want)
	for type in int4 int8; do
		alike <(lh-index dump --to pgcopy --id-type $type x.lhv | exchange pgcopy $type) <(exchange jsonl vector <want)
	done
	lh-index delete --id 800 x.lhv
	dumped x.lhv >want
	alike <(lh-index dump --to pgcopy --half x.lhv | exchange pgcopy) <(exchange jsonl halfvec <want)
	lh-index build --distance l2 --precision f16 half.lhv in.jsonl
	dumped half.lhv >want
	alike <(lh-index dump --to pgcopy half.lhv | exchange pgcopy) <(exchange jsonl halfvec <want)
	# what is stored in f32 as well is written as f32
	lh-index build --distance l2 --precision f16 --rescore half.lhv in.jsonl
	dumped half.lhv >want
	alike <(lh-index dump --to pgcopy half.lhv | exchange pgcopy) <(exchange jsonl vector <want)
}

@test "an index without records is a file without rows" {
	lh-index build --allow-empty --dimension 4 x.lhv </dev/null
	[ "$(lh-index dump --to pgcopy x.lhv | exchange pgcopy)" = '' ]
	[ "$(lh-index dump --to pgcopy x.lhv | wc -c)" = 21 ]
	[ "$(lh-index dump --to fvecs x.lhv | wc -c)" = 0 ]
	[ "$(lh-index dump --to npy x.lhv | wc -c)" = 128 ]
	for format in pgcopy npy fvecs; do
		lh-index dump --to $format x.lhv >file
		run -2 --separate-stderr lh-index build --from $format y.lhv file
		[[ $stderr == *'y.lhv: no good record came in'* ]]
		lh-index build --from $format --allow-empty y.lhv file
		[ "$(dumped y.lhv)" = '' ]
	done
}

@test "a file of COPY is read with two columns or three, and each type of id and vector" {
	records 40 6 >in.jsonl
	for fields in 2 3; do
		for id in text int4 int8; do
			for type in vector halfvec; do
				exchange write $type $id $fields <in.jsonl >file
				lh-index build --distance l2 --from pgcopy --id-type $id x.lhv <file
				alike <(dumped x.lhv | exchange jsonl $type) \
					<(if [ $fields = 2 ]; then jq -c 'del(.metadata)' in.jsonl; else cat in.jsonl; fi | exchange jsonl $type)
			done
		done
	done
	# the least number and the greatest
	for id in -2147483648 2147483647; do
		lh-index build --distance l2 x.lhv <<<'{"id":"'$id'","vector":[1]}'
		lh-index dump --to pgcopy --id-type int4 x.lhv | lh-index build --from pgcopy --id-type int4 y.lhv
		[ "$(dumped y.lhv | jq -r .id)" = $id ]
	done
	for id in -9223372036854775808 9223372036854775807; do
		lh-index build --distance l2 x.lhv <<<'{"id":"'$id'","vector":[1]}'
		lh-index dump --to pgcopy --id-type int8 x.lhv | lh-index build --from pgcopy --id-type int8 y.lhv
		[ "$(dumped y.lhv | jq -r .id)" = $id ]
	done
}

@test "a record that a format cannot hold ends the dump, and is named" {
	cannot() {
		lh-index build --distance l2 x.lhv <<<"$1"
		run -2 --separate-stderr bash -c "lh-index dump ${*:3} x.lhv >out"
		[ "$stderr" = "lh-index: x.lhv: row 0: $2" ] || { echo "$stderr"; return 1; }
		# which PostgreSQL refuses, since it has no end
		run -2 lh-index build --from pgcopy z.lhv out
	}
	cannot '{"id":"a\u0000b","vector":[1]}' 'the id has a NUL, which text cannot' --to pgcopy
	cannot '{"id":"a","vector":[1],"metadata":{"x":"\\\\\\\u0000"}}' 'the metadata has a NUL, which jsonb cannot' --to pgcopy
	cannot '{"id":"a","vector":[1],"metadata":{"\u0000":1}}' 'the metadata has a NUL, which jsonb cannot' --to pgcopy
	cannot '{"id":"a","vector":[65505]}' 'value 65505 at 0 of the vector: f16 ends at 65504' --to pgcopy --half
	for id in 2147483648 -2147483649 01 +1 -0 1.0 '' ' 1' x 1e3 99999999999999999999999; do
		[ -n "$id" ] || continue
		cannot '{"id":"'"$id"'","vector":[1]}' 'the id is not a number of type int4' --to pgcopy --id-type int4
	done
	for id in 9223372036854775808 -9223372036854775809; do
		cannot '{"id":"'$id'","vector":[1]}' 'the id is not a number of type int8' --to pgcopy --id-type int8
	done
}

@test "over 16,000 dimensions there is no pgcopy, and at 16,000 there is" {
	for n in 16000 16001; do
		jq -nc --argjson n $n '{id: "a", vector: [range($n) | . % 7]}' | lh-index build --distance l2 x$n.lhv
	done
	lh-index dump --to pgcopy x16000.lhv | lh-index build --distance l2 --from pgcopy y.lhv
	cmp <(dumped y.lhv) <(dumped x16000.lhv)
	run -2 --separate-stderr lh-index dump --to pgcopy x16001.lhv
	[ -z "$output" ]
	[ "$stderr" = 'lh-index: x16001.lhv: dimension 16001: pgvector has at most 16000' ]
	for format in npy fvecs; do
		lh-index dump --to $format x16001.lhv | lh-index build --distance l2 --from $format y.lhv
		cmp <(dumped y.lhv | jq -c .vector) <(dumped x16001.lhv | jq -c .vector)
	done
}

@test "options that do not go together are refused" {
	refused() {
		run -2 --separate-stderr lh-index "${@:2}"
		[ "$stderr" = "lh-index: $1" ] || { echo "$stderr"; return 1; }
		[ ! -e x.lhv ]
	}
	refused '--half goes with --to pgcopy' dump --half x.lhv
	refused '--half goes with --to pgcopy' dump --to npy --half x.lhv
	refused '--id-type goes with --to pgcopy' dump --to fvecs --id-type int4 x.lhv
	refused '--id-type goes with --from pgcopy' build --id-type text x.lhv
	refused '--ids goes with --from npy or fvecs' build --from pgcopy --ids i x.lhv
	refused '--ids goes with --to npy or fvecs' dump --ids i x.lhv
	refused '--encoding goes with --to jsonl' dump --to npy --encoding base64 x.lhv
	refused '--id-field goes with --from jsonl' build --from npy --id-field n x.lhv
	refused '--ids -: stdin has the vectors' build --from npy --ids - x.lhv
	refused '--from: "arrow" is not one of jsonl, pgcopy, npy, fvecs' build --from arrow x.lhv
	records 3 2 | lh-index build y.lhv
	run -2 --separate-stderr lh-index dump --to npy --ids y.lhv y.lhv
	[ "$stderr" = 'lh-index: --ids: y.lhv is INDEX itself' ]
	lh-index verify y.lhv
}

@test "such a file is not written to a terminal" {
	records 3 2 | lh-index build x.lhv
	for format in pgcopy npy fvecs; do
		run -2 script -qec "lh-index dump --color never --to $format x.lhv" /dev/null </dev/null
		[[ $output == 'lh-index: --to: such a file is not written to a terminal'* ]]
	done
	run -0 script -qec "lh-index dump x.lhv" /dev/null </dev/null
	[ "${#lines[@]}" = 3 ]
}

@test "a file of COPY that is cut off at any byte leaves the index as it was" {
	records 3 2 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	lh-index dump --to pgcopy x.lhv >whole
	size=$(stat -c %s whole)
	[ "$size" -gt 150 ]
	for ((n = 0; n < size; n++)); do
		head -c $n whole >cut
		untouched lh-index build --distance l2 --from pgcopy x.lhv cut
		[[ $stderr =~ ^lh-index:\ cut:\ (tuple\ [1-4]:\ )?byte\ $n:\ the\ file\ is\ cut\ off:\ [0-9]+\ bytes\ are\ missing$ ]] ||
			{ echo "$n: $stderr"; return 1; }
	done
	{ cat whole; printf x; } >more
	untouched lh-index build --distance l2 --from pgcopy x.lhv more
	[ "$stderr" = "lh-index: more: tuple 4: byte $size: bytes after the end" ]
}

@test "files of NumPy and fvecs that are cut off at any byte leave the index as it was" {
	records 3 2 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	for format in npy fvecs; do
		lh-index dump --to $format x.lhv >whole
		size=$(stat -c %s whole)
		for ((n = 0; n < size; n++)); do
			[ $format = npy ] || [ $((n % 12)) != 0 ] || continue	# a whole vector
			head -c $n whole >cut
			untouched lh-index build --distance l2 --from $format x.lhv cut
			[[ $stderr == "lh-index: cut: "*"byte $n: the file is cut off: "*' bytes are missing' ]] ||
				{ echo "$format $n: $stderr"; return 1; }
		done
	done
	lh-index dump --to npy x.lhv >more
	printf x >>more
	untouched lh-index build --distance l2 --from npy x.lhv more
	[ "$stderr" = "lh-index: more: byte 152: bytes after the end" ]
}

# tuple FIELDS [FIELD...] - a file of one tuple: the hexadecimal digits of its fields
copy_file() {
	printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0'
	printf '%s' "$@" | tr -d ' ' | xxd -r -p
	printf '\377\377'
}

@test "a file of COPY that contradicts itself leaves the index as it was, and says where" {
	records 3 2 | lh-index build --distance l2 x.lhv
	id='00000001 61' vector='0000000c 0002 0000 3f800000 40000000'
	copy_file 0002 "$id" "$vector" >good
	lh-index build --distance l2 --from pgcopy good.lhv good
	[ "$(dumped good.lhv)" = '{"id":"a","vector":[1,2],"dimension":2}' ]
	wrong() {
		untouched lh-index build --distance l2 --from pgcopy "${@:2}" x.lhv file
		[[ $stderr == "lh-index: file: "$1 ]] || { echo "$stderr"; echo "$1"; return 1; }
	}
	bad() {
		copy_file "${@:2}" >file
		wrong "$1"
	}
	bad 'tuple 1: byte 21: 1 fields: an id, a vector and perhaps metadata are wanted' 0001 "$id"
	bad 'tuple 1: byte 21: 4 fields: an id, *' 0004 "$id" "$vector" ffffffff ffffffff
	bad 'tuple 1: byte 21: -2 fields: an id, *' fffe
	bad 'tuple 1: byte 21: 0 fields: an id, *' 0000
	bad 'tuple 2: byte 44: 32767 fields: an id, *' 0002 "$id" "$vector" 7fff
	bad 'tuple 2: byte 44: 3 fields, and 2 before' 0002 "$id" "$vector" 0003 '00000001 62' "$vector" ffffffff
	bad 'tuple 2: byte 48: 2 fields, and 3 before' 0003 "$id" "$vector" ffffffff 0002 '00000001 62' "$vector"
	bad 'tuple 1: byte 25: the id is NULL' 0002 ffffffff "$vector"
	bad 'tuple 1: byte 25: the id has the length -2' 0002 fffffffe "$vector"
	bad 'tuple 1: byte 25: the id has 1025 bytes, at most 1024' 0002 00000401 "$vector"
	bad 'tuple 1: byte 25: the id has 2147483647 bytes, at most 1024' 0002 7fffffff "$vector"
	bad 'tuple 1: byte 30: the vector is NULL' 0002 "$id" ffffffff
	bad 'tuple 1: byte 30: the vector has the length -2147483648' 0002 "$id" 80000000
	bad 'tuple 1: byte 30: the vector has 64005 bytes, at most 64004' 0002 "$id" 0000fa05
	bad 'tuple 1: byte 30: a vector has 4 bytes or more, not 3' 0002 "$id" 00000003 000000
	bad 'tuple 1: byte 34: a vector of dimension 0: from 1 to 16000' 0002 "$id" 00000004 00000000
	bad 'tuple 1: byte 38: a vector of dimension 16001: from 1 to 16000' 0002 "$id" 00000008 3e810000 00000000
	bad 'tuple 1: byte 42: not a vector or halfvec: its third byte and fourth are not 0' 0002 "$id" 0000000c 0002 0001 3f800000 40000000
	bad 'tuple 1: byte 42: a vector of dimension 3 in 12 bytes' 0002 "$id" 0000000c 0003 0000 3f800000 40000000
	bad 'tuple 1: byte 46: the metadata has the length -3' 0003 "$id" "$vector" fffffffd
	bad 'tuple 1: byte 46: the metadata is not jsonb of version 1' 0003 "$id" "$vector" 00000000
	bad 'tuple 1: byte 49: the metadata is not jsonb of version 1' 0003 "$id" "$vector" 00000003 027b7d
	bad 'tuple 1: byte 46: the metadata has 2147483647 bytes, at most 268435457' 0003 "$id" "$vector" 7fffffff
	bad 'tuple 1: byte 48: the file is cut off: 268435453 bytes are missing' 0003 "$id" "$vector" 0fffffff
	bad 'row 1: metadata: not JSON' 0003 "$id" "$vector" 00000003 017b7b
	for json in 00000003015b5d 000000020135 0000000401227822; do
		bad 'row 1: metadata: JSON, but not an object' 0003 "$id" "$vector" $json
	done
	bad 'tuple 1: byte 47: the metadata is jsonb without any JSON' 0003 "$id" "$vector" 00000001 01
	bad 'row 1: *' 0002 '00000001 ff' "$vector"
	bad 'row 1: *' 0002 00000000 "$vector"
	bad 'row 1: *NaN*' 0002 "$id" '0000000c 0002 0000 3f800000 7fc00000'
	bad 'row 1: *infinit*' 0002 "$id" '0000000c 0002 0000 3f800000 ff800000'
	bad 'row 1: *infinit*' 0002 "$id" '00000008 0002 0000 3c00 7c00'
	bad 'row 1: *NaN*' 0002 "$id" '00000008 0002 0000 3c00 7e01'
	bad 'row 2: dimension 1, expected 2' 0002 "$id" "$vector" 0002 "$id" '00000008 0001 0000 3f800000'
	# numbers that are read as text, which cannot hold a NUL
	bad 'tuple 1: byte 29: the id has a NUL, which text cannot: if it is a number, give --id-type' 0002 '00000004 00000007' "$vector"
	bad 'tuple 1: byte 33: the id has a NUL, *: if it is a number, give --id-type' 0002 '00000008 0102030405060700' "$vector"
	bad 'tuple 2: byte 49: the id has a NUL, *' 0002 "$id" "$vector" 0002 '00000001 00' "$vector"
	# a vector would be lost
	bad 'row 2: the id a occurs twice' 0002 "$id" "$vector" 0002 "$id" "$vector"
	bad 'row 3: the id a occurs twice' 0002 "$id" "$vector" 0002 '00000001 62' "$vector" 0002 "$id" "$vector"
	# the header
	{ printf 'PGCOPY\n\377\r\n\1'; tail -c +12 good; } >file
	wrong 'byte 0: not a file of COPY in binary format'
	echo '1	[1,2]	and a file of COPY in text format' >file
	wrong 'byte 0: not a file of COPY in binary format'
	printf 'PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0\377\377' >file
	wrong 'byte 15: the tuples have OIDs'
	printf 'PGCOPY\n\377\r\n\0\200\0\0\0\0\0\0\0\377\377' >file
	wrong 'byte 15: unknown flags 80000000'
	printf 'PGCOPY\n\377\r\n\0\0\0\0\0\377\377\377\377\377\377' >file
	wrong "byte 19: the header's extension has a negative length"
	printf 'PGCOPY\n\377\r\n\0\0\0\0\0\177\377\377\377\377\377' >file
	wrong 'byte 21: the file is cut off: * bytes are missing'
	# ids of another type
	cp good file
	wrong 'tuple 1: byte 25: an id of int4 has 4 bytes, not 1' --id-type int4
	wrong 'tuple 1: byte 25: an id of int8 has 8 bytes, not 1' --id-type int8
	wrong 'row 1: dimension 2, expected 3' --dimension 3
	# flags below 16 are for anyone, and an extension is passed over
	{ printf 'PGCOPY\n\377\r\n\0\0\0\377\377\0\0\0\3abc'; tail -c +20 good; } | lh-index build --distance l2 --from pgcopy good.lhv
	[ "$(dumped good.lhv)" = '{"id":"a","vector":[1,2],"dimension":2}' ]
	# JSON's null, and an object without members
	for json in 00000005016e756c6c 00000003017b7d; do
		copy_file 0003 "$id" "$vector" $json | lh-index build --distance l2 --from pgcopy good.lhv
		[ "$(dumped good.lhv)" = '{"id":"a","vector":[1,2],"dimension":2}' ]
	done
}

@test "files of fvecs that contradict themselves leave the index as it was" {
	records 3 2 | lh-index build --distance l2 x.lhv
	bad() {
		xxd -r -p <<<"$2" >file
		untouched lh-index build --distance l2 --from fvecs x.lhv file
		[ "$stderr" = "lh-index: file: $1" ] || { echo "$stderr"; return 1; }
	}
	bad 'vector 1: byte 4: a vector of dimension 0: from 1 to 65536' 00000000
	bad 'vector 1: byte 4: a vector of dimension -1: from 1 to 65536' ffffffff
	bad 'vector 1: byte 4: a vector of dimension 65537: from 1 to 65536' 01000100
	bad 'vector 2: byte 12: a vector of dimension 2, expected 1' '01000000 0000803f 02000000 0000803f 0000803f'
	bad 'vector 1: byte 8: the file is cut off: 262140 bytes are missing' '00000100 0000803f'
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
	[ "$(dumped good.lhv | jq -c '[.id, .vector]' | xargs)" = '[0,[0,0,0]] [1,[0,0,0]]' ]
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

# bats test_tags=plain-only
@test "NumPy reads what is written, and its own files are read: each type, order of bytes and version" {
	needs_numpy
	records 30 7 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	dumped x.lhv >want
	lh-index dump --to npy x.lhv >file
	alike <(exchange npy file </dev/null) <(exchange numbered <want)
	[ $((($(stat -c %s file) - 30 * 7 * 4) % 64)) = 0 ]
	for descr in '<f4' '>f4' '<f8' '>f8'; do
		for version in '' 1 2 3; do
			exchange npy-write "$descr" $version file <in.jsonl
			lh-index build --distance l2 --from npy y.lhv file
			alike <(dumped y.lhv | exchange numbered) <(exchange numbered <want)
		done
	done
	for descr in '<f2' '>f2'; do
		exchange npy-write "$descr" file <in.jsonl
		lh-index build --distance l2 --from npy y.lhv file
		"$PYTHON" - <<-'END'
		import json, numpy, subprocess
		dump = subprocess.run(["lh-index", "dump", "y.lhv"], stdout=subprocess.PIPE, check=True).stdout.splitlines()
		ours = numpy.array([json.loads(l)["vector"] for l in dump], dtype=numpy.float32)
		assert ours.shape == (30, 7) and (ours == numpy.load("file").astype(numpy.float32)).all()
		END
	done
	# in Fortran order, and numbers beyond f32
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
	dumped x.lhv >want
	lh-index dump --to npy --ids ids x.lhv >file
	cmp <(jq -c '{id, metadata} | if .metadata then . else {id} end' want) <(jq -c . ids)
	# two files, of which the ids are one; and compressed
	lh-index dump --to fvecs x.lhv | split -b 160 - part-
	gzip part-ab
	lh-index build --distance l2 --from fvecs --ids ids y.lhv part-aa part-ab.gz
	cmp <(dumped y.lhv) want
	lh-index build --distance l2 --from fvecs y.lhv part-aa part-ab.gz
	[ "$(dumped y.lhv | jq -r .id | xargs)" = "$(seq 0 19 | xargs)" ]
	jq -c '{label: (input_line_number - 1)} + .' ids >labelled
	lh-index build --distance l2 --from npy --ids - y.lhv file <labelled
	alike <(dumped y.lhv | jq -c .) <(jq -c . want)
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
	cmp <(dumped x.lhv) want
	no_litter
}

@test "an id that occurs twice ends a build from vectors of other programs, and nothing is made" {
	records 4 3 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	for format in npy fvecs; do
		lh-index dump --to $format --ids ids x.lhv >file
		{ head -n 3 ids; sed -n 2p ids; } >twice
		for shard in '' '--shard 0/1'; do
			untouched lh-index build --distance l2 --from $format --ids twice $shard x.lhv file
			[ "$stderr" = 'lh-index: file: row 4: the id -13 occurs twice' ] || { echo "$stderr"; return 1; }
			run -2 lh-index build --distance l2 --from $format --ids twice $shard none.lhv file
			[ ! -e none.lhv ]
		done
		run -2 --separate-stderr lh-index shard -n 2 --distance l2 --from $format --ids twice plan.json file
		[ "$stderr" = 'lh-index: file: row 4: the id -13 occurs twice' ] || { echo "$stderr"; return 1; }
		[ "$(ls | grep -c '^plan')" = 0 ]
	done
	# also of two files
	lh-index dump --to pgcopy x.lhv >file
	untouched lh-index build --distance l2 --from pgcopy x.lhv file file
	[ "$stderr" = 'lh-index: file: row 1: the id -20 occurs twice' ] || { echo "$stderr"; return 1; }
	# of records the last one counts
	cat in.jsonl in.jsonl | lh-index build --distance l2 y.lhv
	cmp <(dumped y.lhv) <(dumped x.lhv)
}

@test "parts of a divided job are what an index built at once has" {
	records 200 4 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	for format in pgcopy npy fvecs; do
		lh-index dump --to $format x.lhv >file
		lh-index build --distance l2 --from $format whole.lhv file
		rm -f part.lhv
		for i in 0 1 2; do
			lh-index build --distance l2 --from $format --shard $i/3 part$i.lhv file
			[ "$(dumped part$i.lhv | wc -l)" -gt 30 ]
		done
		alike <(for i in 0 1 2; do dumped part$i.lhv; done | sort) <(dumped whole.lhv | sort)
	done
	# by the same rule as a build from records
	lh-index dump --to pgcopy x.lhv | lh-index build --distance l2 --from pgcopy --shard 1/3 y.lhv
	lh-index build --distance l2 --shard 1/3 z.lhv in.jsonl
	alike <(dumped y.lhv) <(dumped z.lhv)
}

@test "a full disk and a closed stdout end a dump as they do that of records" {
	records 5000 16 | lh-index build --exact-below 10000 x.lhv
	for format in pgcopy 'npy --ids ids' 'fvecs --ids ids'; do
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
	printf 'PGCOPY\n\377\r\n\0\0\0\0\0\177\377\377\377\377\377' >extension
	{ copy_file 0003 '00000001 61' '00000008 0001 0000 3f800000' 0fffffff; head -c 1000 /dev/zero; } >metadata
	npy "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999, 65536), }" 10 >rows
	for file in 'pgcopy extension' 'pgcopy metadata' 'npy rows'; do
		run -2 --separate-stderr bash -c "ulimit -v 200000; lh-index build --from ${file% *} x.lhv ${file#* }"
		[[ $stderr == *'cut off'* ]] || { echo "$stderr"; return 1; }
	done
}

@test "jsonb of several lines becomes metadata on one line, and any other stays byte for byte" {
	id='00000001 61' vector='0000000c 0002 0000 3f800000 40000000'
	metadata() {
		copy_file 0003 "$id" "$vector" "$(printf %08x $((1 + ${#1})))" 01 "$(printf %s "$1" | xxd -p | tr -d '\n')" |
			lh-index build --distance l2 --from pgcopy x.lhv
		lh-index verify x.lhv
		# as it is stored
		[ "$(lh-index get x.lhv a)" = '{"id":"a","metadata":'"$2"'}' ] || { lh-index get x.lhv a; return 1; }
		[ "$(lh-index dump x.lhv | wc -l)" = 1 ]
		[ "$(lh-search --exact -k 1 x.lhv <<<'{"vector":[1,2]}' | jq -c '.results[0].id')" = '"a"' ]
	}
	metadata $'{"x":\n1}' '{"x":1}'
	metadata $'\n{ "x y" :\t1.50e+01,\r\n "z": [ "a\\n  b", "\\"{ ",\n\n true ] , "": {} }\n' '{"x y":1.50e+01,"z":["a\n  b","\"{ ",true],"":{}}'
	metadata '{"x": 1, "y": [2,  3]}' '{"x": 1, "y": [2,  3]}'
	metadata $'\n{"x": 1 }\n' '{"x": 1 }'
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
	for command in 'dump bad.lhv' 'dump --to pgcopy bad.lhv' 'merge new.lhv bad.lhv' 'merge dest.lhv bad.lhv' 'move dest.lhv bad.lhv'; do
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

# judged WANT INDEX OPERATOR - the answers of pgvector in judged.out are those of lh-search --exact
judged() {
	lh-search --exact --no-metadata -k 10 "$1" <queries >ours
	python3 - "$2" <<-'END'
	import json, sys
	operator = sys.argv[1]
	theirs = {}
	for line in open("judged.out"):
	    query, op, row_id, distance = line.split()
	    if op == operator:
	        theirs.setdefault(int(query), []).append((row_id, float(distance) + (op == "<#>")))
	ours = [[(r["id"], r["distance"]) for r in json.loads(l)["results"]] for l in open("ours")]
	assert len(ours) == len(theirs) == 12
	for query, mine in enumerate(ours):
	    his = theirs[query]
	    assert len(mine) == len(his) == 10
	    for (a, d), (b, e) in zip(mine, his):
	        assert abs(d - e) <= 4e-6 * max(1, abs(e)), (operator, query, mine, his)
	        assert a == b or any(x == a and abs(y - e) < 4e-6 * max(1, abs(e)) for x, y in his), (operator, query, mine, his)
	END
}

# pgvector SETTINGS - tests/pgvector/table.js; its answers are in judged.out
pgvector() {
	reason=$(npm_package "PGlite with pgvector" "$ROOT/tests/pgvector" "$ROOT/build/pgvector") || skip "$reason"
	node "$ROOT/build/pgvector/table.js" "$(jq -nc --slurpfile queries queries "$1 + {queries: \$queries}")" >judged.out
}

# bats test_tags=plain-only
@test "pgvector takes a dump of vectors, has the same neighbours, and its copy is taken back" {
	records 300 24 >in.jsonl
	records 12 24 9 | jq -c '{vector}' >queries
	lh-index build --distance l2 l2.lhv in.jsonl
	lh-index dump --to pgcopy l2.lhv >file
	pgvector '{in: "file", out: "out", id: "text", vector: "vector"}'
	lh-index build --distance ip --from pgcopy ip.lhv file
	lh-index build --distance cosine --from pgcopy cosine.lhv file
	judged l2.lhv '<->'
	judged ip.lhv '<#>'
	judged cosine.lhv '<=>'
	lh-index build --distance l2 --from pgcopy back.lhv out
	alike <(dumped back.lhv | jq -cS . | sort) <(dumped l2.lhv | jq -cS . | sort)
	alike <(jq -cS . file.rows | sort) <(dumped l2.lhv | jq -cS '{id, metadata}' | sort)
}

# bats test_tags=plain-only
@test "pgvector takes a dump of halfvecs and numbers, has the same neighbours, and its copy is taken back" {
	records 300 24 >in.jsonl
	records 12 24 9 | jq -c '{vector}' >queries
	lh-index build --distance l2 --precision f16 l2.lhv in.jsonl
	lh-index dump --to pgcopy --id-type int4 l2.lhv >file
	pgvector '{in: "file", out: "out", id: "int4", vector: "halfvec"}'
	# queries are halfvecs there
	jq -c .vector queries | python3 -c '
import json, struct, sys
for l in sys.stdin:
    v = json.loads(l)
    print(json.dumps({"vector": struct.unpack(f"{len(v)}e", struct.pack(f"{len(v)}e", *v))}))' >halves
	mv halves queries
	judged l2.lhv '<->'
	lh-index build --distance l2 --precision f16 --from pgcopy --id-type int4 back.lhv out
	alike <(dumped back.lhv | jq -cS . | sort) <(dumped l2.lhv | jq -cS . | sort)
}

# bats test_tags=plain-only
@test "PostgreSQL's own files of COPY are read, with each type of id, and what is written is read by it" {
	postgres_start
	export PGOPTIONS='-c client_min_messages=warning'
	sql() { psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }
	records 60 8 >in.jsonl
	lh-index build --distance l2 x.lhv in.jsonl
	dumped x.lhv >want
	for type in text int4 int8; do
		# without pgvector the vector's bytes are those of bytea
		sql "drop table if exists items; create table items (id $type, embedding bytea, metadata jsonb)"
		lh-index dump --to pgcopy --id-type $type x.lhv | sql '\copy items from stdin (format binary)'
		alike <(sql 'select json_build_array(id::text, metadata) from items' | jq -cS . | sort) \
			<(jq -cS '[.id, .metadata]' want | sort)
		[ "$(sql "select distinct octet_length(embedding), substr(embedding, 1, 4) from items")" = '36|\x00080000' ]
		sql '\copy items to stdout (format binary)' | lh-index build --distance l2 --from pgcopy --id-type $type y.lhv
		alike <(dumped y.lhv | jq -cS .) <(jq -cS . want)
		sql '\copy (select id, embedding from items) to stdout (format binary)' |
			lh-index build --distance l2 --from pgcopy --id-type $type y.lhv
		alike <(dumped y.lhv) <(jq -c 'del(.metadata)' want)
	done
	# a dump that ended early is refused there
	lh-index dump --to pgcopy --id-type int8 x.lhv | head -c 2000 >cut
	run -1 sql '\copy items from cut (format binary)'
	[[ $output == *'unexpected EOF'* ]]
	[ "$(sql 'select count(*) from items')" = 60 ]
	# NULLs there
	sql 'update items set embedding = null where id = 1'
	sql '\copy (select * from items order by id) to null.copy (format binary)'
	run -2 --separate-stderr lh-index build --distance l2 --from pgcopy --id-type int8 y.lhv null.copy
	[[ $stderr == 'lh-index: null.copy: tuple 4: byte '*': the vector is NULL' ]]
}
