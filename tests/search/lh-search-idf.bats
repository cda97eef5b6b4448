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

@test "a table that lies is reported by verify with its section, and a search finds less or says so" {
	local kind at bytes place
	make_notes
	for kind in 17 18 19; do
		read -r at bytes < <(section $kind n.lhv)
		for place in $(seq 0 9 $((bytes - 1))); do
			cp n.lhv bad.lhv
			printf '\xff' | dd of=bad.lhv bs=1 seek=$((at + place)) conv=notrunc status=none
			run -1 --separate-stderr lh-index verify bad.lhv
			[[ "$stderr" == *"bad.lhv: weight"* ]] || { echo "$kind $place: $stderr"; false; }
			run --separate-stderr lh-search -q --idf idf.json -Q 'steel aurora' bad.lhv
			[ "$status" = 0 ] || { [ "$status" = 2 ] && [[ "$stderr" = *"bad.lhv: weights: "* ]]; } ||
				{ echo "$kind $place: $status $stderr"; false; }
		done
	done
}
