# Six surfaces through our tools and through tests/oracle over inputs that
# are drawn at random (tests/parity/differ), and whether a difference would be seen,
# and reduced to its core.
# bats file_tags=full,oracle
load ../helper

INPUTS=$(scale 2000 100000)
SEED=$(scale 1 $((RANDOM * 32768 + RANDOM)))

differ() {
	python3 "$ROOT/tests/parity/differ" "$@"
}

# agree SURFACE - no difference in so many inputs, nor in what once showed one.
agree() {
	run differ "$1" --count "$INPUTS" --seed "$SEED"
	echo "# ${lines[-1]}" >&3
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	[[ ${lines[-1]} == "$1: seed $SEED, $INPUTS inputs, "*", 0 different; "*" fixtures, 0 different; "* ]]
}

# instead TOOL SCRIPT - a shell script takes the tool's place; the tool is $real.
instead() {
	mkdir -p bin
	printf '#!/bin/sh\nreal=%s\n%s\n' "$(command -v "$1")" "$2" >"bin/$1"
	chmod +x "bin/$1"
	PATH=$PWD/bin:$PATH
}

# least SURFACE - what is kept of a first difference there.
least() {
	run -1 differ "$1" --count 500 --seed 1 --keep kept --most 1
	[[ $output == *"$1: a difference, kept as kept/$1/"* ]] || { echo "$output"; return 1; }
	cat kept/"$1"/*.jsonl >kept.jsonl
}

@test "embed" { agree embed; }
@test "extract_json" { agree extract_json; }
@test "validator" { agree validator; }
@test "session_log" { agree session_log; }
@test "materializer" { agree materializer; }
@test "subject_audit" { agree subject_audit; }

@test "an escaped < is found, and all that is kept is an object with a <" {
	instead lh-extract-json '"$real" "$@" | sed "s/</\\\\u003c/g"'
	least extract_json
	jq -e '.text | . == "{\"\":\"<\"}" or test("^\\{\"<\":.\\}$")' kept.jsonl
	run -1 differ extract_json --count 0 --keep kept
	[[ $output == *"extract_json: a fixture differs: kept/extract_json/"* ]]
	rm bin/lh-extract-json
	hash -r
	run -0 differ extract_json --count 0 --keep kept
	[[ $output == *" 0 inputs, 0 sound, 0 different; "[1-9]*" fixtures, 0 different; "* ]]
}

@test "a line_offset of 0 that is left out is found, in the smallest row of a source" {
	instead lh-materialize '"$real" "$@" | sed "s/\"line_offset\":0,//"'
	least materializer
	[ "$(jq -r .line kept.jsonl | jq length)" -le 3 ]
}

@test "an input at which a tool dies is found, among all that it was given with" {
	instead lh-embed 'cat >in; if grep -q Welder in; then exit 2; fi; exec "$real" "$@" <in'
	least embed
	[ "$(jq -r .text kept.jsonl)" = Welder ]
}

# bats test_tags=plain-only
@test "a verdict that depends on what was judged before is found, with what it depends on" {
	instead lh-validate '"$real" "$@" | awk "/\"status\":200/ && n++ { sub(/\"status\":200/, \"\\\"status\\\":201\") } { print }"'
	least validator
	[ "$(wc -l <kept.jsonl)" = 2 ]
}

@test "the smallest is the smallest: no case, line, member or character of it can go" {
	cat >try.py <<-'END2'
	import sys
	sys.path.insert(0, sys.argv[1])
	from reduce import smallest
	def least(cases, wanted):
	    got = smallest([("t", c.encode()) for c in cases], lambda some: [wanted([d.decode() for _, d in x]) for x in some])
	    print([d.decode() for _, d in got])
	least(["aXbXc"], lambda c: c[0].count("X") == 2)
	least(["one\ntwo\nX\n"], lambda c: "X\n" in c[0])
	least(['{"a":[1,{"b":"\\u0058é"},3],"c":{}}'], lambda c: '"b":"X' in c[0])
	least(['[0,[{"a":1,"b":[["X"]]}]]'], lambda c: c[0].startswith("[") and '["X"]' in c[0])
	least(["p", "qX", "r", "Xs", "t"], lambda c: sum("X" in x for x in c) >= 2)
	END2
	run -0 python3 try.py "$ROOT/tests/parity/differ"
	[ "${lines[0]}" = "['XX']" ]
	[ "${lines[1]}" = "['X\\n']" ]
	[ "${lines[2]}" = "['\"b\":\"X']" ]
	[ "${lines[3]}" = "['[\"X\"]']" ]
	[ "${lines[4]}" = "['X', 'X']" ]
}

@test "the same seed draws the same inputs, another seed others" {
	differ all --count 50 --seed 7 --list >a
	differ all --count 50 --seed 7 --list >b
	differ all --count 50 --seed 8 --list >c
	[ "$(wc -l <a)" = 300 ]
	cmp a b
	run ! cmp -s a c
	[ -z "$(LC_ALL=C sort a | uniq -c | awk '$1 > 10')" ]
}

@test "a seed that was not given is printed" {
	run -0 differ session_log --count 10
	[[ ${lines[-1]} =~ ^'session_log: seed '[0-9]+', 10 inputs, ' ]]
}
