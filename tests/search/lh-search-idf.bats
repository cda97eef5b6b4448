# Searches by weighted terms: lh-index build --weights, lh-search --idf.
# bats file_tags=faults
load ../helper

idf() {
	echo '{"steel":2,"weld":1.5,"##er":0.5,"##ing":0.25,"a":0,"aurora":3,"far":1}'
}

notes() {
	cat <<-'END'
	{"id":"s","vector":[1,0],"text":"steel welder","w":{"weld":1.5,"##er":0.5,"steel":2,"far":0}}
	{"id":"b","vector":[0,1],"text":"aurora","w":{"aurora":0.5,"steel":0}}
	{"id":"c","vector":[1,1],"text":"tie","kind":"t","w":{"steel":2,"##er":0.5,"weld":1.5}}
	{"id":"none","vector":[1,2],"text":"no weights"}
	{"id":"null","vector":[2,1],"text":"null","w":null}
	END
}

make_notes() {
	idf >idf.json
	notes | lh-index build --lexical --weights w "$@" n.lhv
}

# ask TEXT [ARGUMENT...] - the ids that answer and their scores.
ask() {
	lh-search --idf idf.json --flat -Q "$@" | jq -r '"\(.id):\(.score)"' | paste -sd' '
}

# oracle K NAME=FILE... - what the second implementation answers to queries.jsonl.
oracle() {
	python3 "$ROOT/tests/oracle/sparse.py" answer idf.json queries.jsonl "$@"
}

# ours K INDEX... - the same by lh-search.
ours() {
	lh-search -q --idf idf.json --no-metadata -k "$1" "${@:2}" <queries.jsonl |
		jq -c '[.results[] | [.corpus, .id, .score]]'
}

# same K "NAME=FILE..." INDEX... - both answer alike; numbers are compared as doubles.
same() {
	local k=$1 of=$2
	shift 2
	# shellcheck disable=SC2086
	oracle "$k" $of >want
	ours "$k" "$@" >is
	python3 -c 'import json, sys
a, b = ([json.loads(line, parse_int=float) for line in open(name)] for name in sys.argv[1:])
assert len(a) == 40 and sum(map(len, a)) > 20
for i, (x, y) in enumerate(zip(a, b, strict=True)):
    assert x == y, (i, x, y)' want is
}

# section KIND FILE - where it begins, and its bytes.
section() {
	od -An -v -td8 -w32 -j128 -N2048 "$2" | awk -v kind="$1" '$1 % 4294967296 == kind { print $2, $3 }'
}

@test "a score is the sum over the different terms of a query, ties are in the order of ids" {
	make_notes
	[ "$(ask 'A Welder of STÉEL, steel' n.lhv)" = "c:6.5 s:6.5" ]
	[ "$(ask 'welding aurora' n.lhv)" = "c:2.25 s:2.25 b:1.5" ]
	[ "$(ask 'welders' n.lhv)" = "" ]	# a part of the word is no term
	[ "$(ask 'er far a' n.lhv)" = "" ]	# "##er" begins no word; weights of 0
	[ "$(ask 'steel' -k 1 n.lhv)" = "c:4" ]
	[ "$(ask 'steel' --where kind=t n.lhv)" = "c:4" ]
	[ "$(ask 'steel' --exclude c n.lhv)" = "s:4" ]
	lh-search --idf idf.json -Q aurora n.lhv >out
	[ "$(cat out)" = '{"query_text":"aurora","results":[{"id":"b","score":1.5,"corpus":"n","metadata":{"text":"aurora"}}]}' ]
	[ "$(lh-search --idf idf.json --explain -Q aurora n.lhv | jq -c .explain.measured)" = 0 ]
	[ "$(lh-index get --id b n.lhv | jq -c .metadata.w)" = '{"aurora":0.5,"steel":0}' ]
}

@test "a record whose weights are no object of numbers from 0 is rejected, by every command" {
	local w
	make_notes
	for w in '{"a":-1}' '{"a":-1e-60}' '{"a":"1"}' '{"a":null}' '{"a":[1]}' '{"a":1e39}' '[1]' '"a"' 7 true; do
		notes >in
		echo '{"id":"bad","vector":[1,1],"text":"x","w":'"$w"'}' >bad
		run -1 --separate-stderr lh-index build --lexical --weights w a.lhv in bad
		[[ "$stderr" == *'bad:1: "w": '* ]] || { echo "$w: $stderr"; false; }
		[ "$(lh-index info a.lhv | jq .length)" = 5 ]
		run -1 lh-index add n.lhv bad
		run -1 lh-index set-metadata n.lhv <<<'{"id":"b","metadata":{"w":'"$w"'}}'
		run -1 lh-index requests --on-error emit . <<<'{"op":"add","name":"n","items":[{"id":"b","vector":[1,1],"metadata":{"w":'"$w"'}}]}'
		[[ "$output" == *'\"w\": '* ]] || { echo "$w: $output"; false; }
	done
	[ "$(ask aurora n.lhv)" = "b:1.5" ]
	lh-index build --lexical --weights w a.lhv <<<'{"id":1,"vector":[1],"w":{"a":0,"b":1e-60,"c":3.4e38}}'
	lh-index verify a.lhv
}

@test "what is not there to be searched is refused" {
	make_notes
	notes >n.jsonl
	lh-index build --lexical plain.lhv n.jsonl
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr $arguments
		[[ "$stderr" == *"$message"* ]] || { echo "$arguments: $stderr"; false; }
	done <<-'END'
	lh-index build --weights w a.lhv n.jsonl|--weights: needs --lexical
	lh-index build --lexical --weights= a.lhv n.jsonl|--weights: a name of 1 to 255 bytes
	lh-search --idf idf.json -Q a plain.lhv|plain.lhv: it has no weighted terms
	lh-search --idf none.json -Q a n.lhv|none.json: there is no such file
	lh-search --idf n.jsonl -Q a n.lhv|n.jsonl:
	lh-search --idf idf.json --exact -Q a n.lhv|--exact is for vectors
	lh-search --idf idf.json --playbook p.lhv -Q a n.lhv|--idf and --playbook exclude each other
	END
	[ ! -e a.lhv ]
	for table in '' '[]' 7 '{"a":-1}' '{"a":"1"}' '{"a":null}' '{"a":1e39}' '{"a":1,"a":2}' '{"a":1}{}' '{"a":'; do
		printf '%s' "$table" >t.json
		run -2 --separate-stderr lh-search --idf t.json -Q a n.lhv
		[[ "$stderr" == "lh-search: t.json: "* ]] || { echo "$table: $stderr"; false; }
	done
	run -1 lh-search --idf idf.json --on-error emit n.lhv <<<'{"vector":[1,0]}'
	run -1 lh-search --idf idf.json --on-error emit n.lhv <<<'{"query_text":""}'
}

@test "a request does not name the table: --wire refuses the member, whatever it is" {
	make_notes
	echo '{"aurora":100}' >other.json
	run -1 lh-search --wire --idf idf.json --on-error emit n.lhv <<<'{"query_text":"aurora","corpora":["n"],"idf":"other.json"}'
	[[ "$output" == *'"idf"'* ]]
	[ "$(lh-search --wire --idf idf.json n.lhv <<<'{"query_text":"aurora","corpora":["n"]}' | jq -c '[.results[0].score, .per_corpus_counts]')" = '[1.5,{"n":1}]' ]
}

# bats test_tags=layouts
@test "add, delete, compact, merge, move, upgrade, build --like and dump keep the weights" {
	make_notes
	echo '{"id":"z","vector":[3,1],"metadata":{"w":{"aurora":2}}}' | lh-index add n.lhv
	lh-index delete --id s n.lhv
	[ "$(ask 'aurora steel' n.lhv)" = "z:6 c:4 b:1.5" ]
	lh-index compact n.lhv
	lh-index verify n.lhv
	[ "$(ask 'aurora steel' n.lhv)" = "z:6 c:4 b:1.5" ]
	lh-index merge m.lhv n.lhv
	lh-index dump n.lhv | lh-index build --like n.lhv d.lhv
	lh-index upgrade n.lhv
	lh-index shard -n 2 --lexical --weights w p.json < <(lh-index dump n.lhv)
	for index in m.lhv d.lhv n.lhv p.json; do
		[ "$(ask 'aurora steel' $index)" = "z:6 c:4 b:1.5" ]
		[ "${index#*.}" = json ] ||
			[ "$(lh-index info $index | jq -c .lexical)" = '{"field":"text","weights":"w"}' ]
	done
	lh-index set-metadata n.lhv <<<'{"id":"z","metadata":{"w":{"steel":9}}}'
	[ "$(ask 'aurora steel' n.lhv)" = "z:18 c:4 b:1.5" ]
	# rows of an index without weights may hold what are none
	lh-index build --lexical o.lhv <<<'{"id":"o","vector":[1,2],"metadata":{"w":{"steel":-1}}}'
	run -2 --separate-stderr lh-index merge new.lhv n.lhv o.lhv
	[[ "$stderr" == *'"w": the weight of "steel"'* ]]
	[ ! -e new.lhv ]
}

@test "with --hybrid weighted terms take the place of words" {
	make_notes
	lh-search --idf idf.json --hybrid -Q 'aurora' n.lhv <<<'' >/dev/null 2>&1 || :
	lh-search --idf idf.json --hybrid --no-metadata n.lhv <<<'{"query_text":"aurora steel","vector":[0,1]}' >out
	# by weights c and s 4, b 1.5, others 0; by distance b 0 ... s 1
	[ "$(jq -c '[.results[] | [.id, (.score * 1e6 | round) / 1e6]]' out)" = "$(jq -nc '
		{ b: 0, none: (1 - 2 / (5 | sqrt)), c: (1 - 1 / (2 | sqrt)), null: (1 - 1 / (5 | sqrt)), s: 1 } as $d |
		{ c: 4, s: 4, b: 1.5 } as $w | [$d | to_entries[] | [.key, 0.4 * (1 - .value) + 0.6 * ($w[.key] // 0) / 4]] |
		sort_by(-.[1]) | map([.[0], (.[1] * 1e6 | round) / 1e6])')" ] || { cat out; false; }
}

# bats test_tags=plain-only,oracle
@test "random weights are found as a second implementation finds them, in every state of an index" {
	local seed k
	for seed in 1 2 3 4; do
		python3 "$ROOT/tests/oracle/sparse.py" make $seed $((seed * 700))
		rm -f ./*.lhv*
		for k in 1 10 1000; do
			lh-index build --lexical --weights w a.lhv rows.jsonl
			same $k a=rows.jsonl a.lhv
		done
		lh-index verify a.lhv
		head -n 500 rows.jsonl >first
		tail -n +501 rows.jsonl >rest
		lh-index build --lexical --weights w b.lhv first
		[ ! -s rest ] || lh-index add -q b.lhv rest
		same 10 b=rows.jsonl b.lhv
		jq -r .id rows.jsonl | sort -u | awk 'NR % 5 == 0' >gone
		lh-index delete b.lhv <<<"$(jq -Rc '{ id: . }' gone)"
		jq -c --rawfile gone gone '($gone / "\n") as $gone | select(.id as $id | any($gone[]; . == $id) | not)' rows.jsonl >left
		same 10 b=left b.lhv
		lh-index compact b.lhv
		same 10 b=left b.lhv
		same 20 "a=rows.jsonl b=left" a.lhv b.lhv
		lh-index shard -n 3 --lexical --weights w p.json left
		same 10 p=left p.json
		rm p.*
	done
}

@test "a table that lies is reported by verify with its section, and a search finds less or says so" {
	local kind at bytes place what missed=0
	python3 "$ROOT/tests/oracle/sparse.py" make 5 600
	lh-index build --lexical --weights w a.lhv rows.jsonl
	for kind in 17 18 19; do
		read -r at bytes < <(section $kind a.lhv)
		[ "$bytes" -gt 20 ]
		for place in $(seq 0 $((bytes / 25 + 1)) $((bytes - 1))); do
			cp a.lhv bad.lhv
			printf '\xff' | dd of=bad.lhv bs=1 seek=$((at + place)) conv=notrunc status=none
			! cmp -s a.lhv bad.lhv || continue
			run -1 --separate-stderr lh-index verify bad.lhv
			[[ "$stderr" == *"bad.lhv: weight"* ]] || { echo "$kind $place: $stderr"; false; }
			run --separate-stderr lh-search -q --idf idf.json bad.lhv <queries.jsonl
			[ "$status" = 0 ] || { [ "$status" = 2 ] && [[ "$stderr" = *"bad.lhv: weights: "* ]]; } ||
				{ echo "$kind $place: $status $stderr"; false; }
		done
	done
	# the greatest weight of a block is too low: the row that is above it is not left out in silence
	read -r at bytes < <(section 19 a.lhv)
	cp a.lhv bad.lhv
	dd if=/dev/zero of=bad.lhv bs=1 seek="$at" count="$bytes" conv=notrunc status=none
	run -2 --separate-stderr lh-search -q --idf idf.json bad.lhv <queries.jsonl
	[[ "$stderr" = *"weights: those of term "*" are damaged" ]]
}

# bats test_tags=plain-only
@test "a build and a search within little memory end with a message" {
	python3 "$ROOT/tests/oracle/sparse.py" make 6 3000
	lh-index build --lexical --weights w a.lhv rows.jsonl
	{ echo '{"a":1'; seq -f ',"t%.0f":1' 300000; echo '}'; } >big.json
	local kib failed=0
	for kib in 24576 32768 65536 524288; do
		run --separate-stderr prlimit --as=$((kib * 1024)) -- lh-search -q -j1 --max-members 1000000 --idf big.json a.lhv <queries.jsonl
		[ "$status" = 0 ] || { [ "$status" = 2 ] && [[ "$stderr" == *memory* ]]; } || { echo "$kib: $stderr"; false; }
		[ "$status" = 0 ] || failed=$((failed + 1))
		run --separate-stderr prlimit --as=$((kib * 1024)) -- lh-index build -q -j1 --lexical --weights w b.lhv rows.jsonl
		[ "$status" != 139 ] && [ "$status" != 134 ]
		[ ! -e b.lhv ] || { lh-index verify b.lhv; rm b.lhv; }
	done
	[ $failed -gt 0 ]
	[ "$status" = 0 ]
}

@test "out of memory at any allocation: exit 2, no crash, no leak" {
	asan_only
	local n at
	make_notes
	echo '{"id":"f","vector":[0,-1],"w":{"steel":3}}' | lh-index add n.lhv
	for ((n = 1; n < 600; n += 2)); do
		for at in "$n" "$n+"; do
			run --separate-stderr env LH_FAULT_ALLOC="$at" lh-search -j 1 --idf idf.json n.lhv <<<'{"query_text":"steel welder"}'
			[ "$status" = 0 ] || { [ "$status" = 2 ] && [[ $stderr == *"out of memory"* ]]; } || { echo "$at: $status $stderr"; false; }
		done
		if [ "$status" = 0 ]; then break; fi
	done
	[ "$status" = 0 ]
	[ "$n" -gt 30 ]
}
