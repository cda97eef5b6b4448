# lh-search by vector and by words.
# bats file_tags=quick
load ../helper

# Vectors on the unit circle, by angle, and words that have nothing to do with it.
notes() {
	cat <<-'END'
	{"id":"a","vector":[1,0],"text":"red apple","kind":"fruit"}
	{"id":"b","vector":[0.8,0.6],"text":"green apple pie","kind":"food"}
	{"id":"c","vector":[0.6,0.8],"text":"blue car","kind":"car"}
	{"id":"d","vector":[0,1],"text":"red car, red paint, red seats","kind":"car"}
	{"id":"e","vector":[-1,0],"text":"An Apple!","kind":"fruit"}
	END
}

make_notes() {
	notes | lh-index build --lexical "${1:-n.lhv}"
}

# ask QUERY [ARGUMENT...] - the ids that answer, in order.
ask() {
	local query=$1
	shift
	printf '%s\n' "$query" | lh-search --hybrid --flat "$@" | jq -r .id | paste -sd' '
}

# bats test_tags=graphs
@test "a score is where a record is between the best and the worst of both rankings, a distance its own" {
	make_notes
	echo '{"query_text":"red apples","vector":[1,0]}' | lh-search --hybrid --no-metadata n.lhv >out
	# by vector a b c d e, from 0 to 2; by words a, then red thrice, then apple in short rows, down to 0
	[ "$(jq -c 'def bm25(n; t; l): (1 + (5.5 - n) / (n + 0.5) | log) * t * 1.8 / (t + 0.8 * (0.25 + 0.75 * l / 3));
		(bm25(2; 1; 2) + bm25(3; 1; 2)) as $best | { a: $best, b: bm25(3; 1; 3), d: bm25(2; 3; 6), e: bm25(3; 1; 2) } as $words |
		[.results[] | [.id, .distance, (.score - 0.4 * (2 - .distance) / 2 - 0.6 * ($words[.id] // 0) / $best | fabs < 1e-7)]]' out)" = \
		'[["a",0,true],["d",1,true],["b",0.19999999,true],["c",0.39999998,true],["e",2,true]]' ] ||
	{ cat out; false; }
	[ "$(jq -c '.results[0] | keys_unsorted' out)" = '["id","distance","score","corpus"]' ]
	# the last of a ranking has 0, without a sign
	lh-search --hybrid --flat --no-metadata -k 10 n.lhv <<<'{"query_text":"zebra","vector":[1,0]}' >out
	[[ $(tail -n 1 out) == *'"id":"e","distance":2,"score":0,'* ]]
}

@test "the first ten are the same for every k up to 50" {
	local k
	lh-gen workers -n 2000 | lh-index build --lexical w.lhv
	lh-gen queries -n 10 --styles all >q.jsonl
	lh-search --hybrid --no-metadata -k 10 w.lhv <q.jsonl | jq -c '.results' >ten
	[ "$(jq length ten | sort | uniq -c | tr -s ' ')" = " 40 10" ]
	for k in 1 4 11 20 21 50; do
		lh-search --hybrid --no-metadata -k "$k" w.lhv <q.jsonl | jq -c '.results[:10]' >is
		cmp is <(jq -c ".[:$k]" ten)
	done
	jq -c '. + { per_corpus_k: 50 }' q.jsonl | lh-search --hybrid --no-metadata -k 10 w.lhv | jq -c '.results' | cmp - ten
}

@test "pages of a list of both rankings repeat nothing, leave out nothing, and have its scores" {
	local word=(night day nurse doctor agent ghent bruges care shift ward clinic) i n query
	for ((i = 0; i < 400; i++)); do
		n=$((i * 7919 % 14641))
		echo "{\"id\":\"r$i\",\"text\":\"${word[n % 11]} ${word[n / 11 % 11]} ${word[n / 121 % 11]} ${word[n / 1331]}\"}"
	done | lh-index build --lexical w.lhv
	for query in "night nurse ghent" "zebra night" nonesuch; do
		echo "{\"query_text\":\"$query\",\"k\":180}" | lh-search --exact --hybrid --flat w.lhv | jq -c '[.id, .score, .rank]' >all
		[ "$(wc -l <all)" = 180 ]
		for ((i = 0; i < 180; i += 20)); do
			echo "{\"query_text\":\"$query\",\"k\":20,\"offset\":$i}"
		done | lh-search --exact --hybrid --flat w.lhv | jq -c '[.id, .score, .rank]' | alike all -
		n=$(jq -s 'map(select(.[1] >= 0.1)) | length' all)
		[ "$n" -gt 10 ]
		[ "$(ask "{\"query_text\":\"$query\",\"k\":$((n - 10)),\"offset\":10,\"min_score\":0.1}" --exact w.lhv | wc -w)" = $((n - 10)) ]
	done
}

# quality - of answers on stdin: role precision@5, city@1.
quality() {
	jq -c '[.role as $r | .results[:5][].metadata.role == $r] + [.city == .results[0].metadata.city] | map(if . then 1 else 0 end)' |
		jq -s -c '[map(.[:5] | add / 5), map(.[5])] | map(add / length)'
}

@test "for demand the ranking is that of vectors alone, in each style, over a service too" {
	local style
	for style in 1 2; do
		lh-gen workers -n 250 --seed $style >w$style.jsonl
		lh-index build --lexical w$style.lhv w$style.jsonl
	done
	for style in need client_first looking shorthand; do
		lh-gen queries -n 40 --seed 77 --styles $style | jq -c '. + { k: 5, corpora: ["w1", "w2"] }' >q.jsonl
		lh-search --exact w1.lhv w2.lhv <q.jsonl >vectors
		lh-search --exact --hybrid w1.lhv w2.lhv <q.jsonl >both
		jq -e '.results | all(.score + .distance - 1 | fabs < 1e-7)' both >/dev/null
		jq -c 'del(.results[].score)' both | cmp - <(jq -c . vectors)
		lh-search --exact --hybrid --wire --ignore-unknown w1.lhv w2.lhv <q.jsonl | jq -c '[.results[].id]' >wire
		cmp wire <(jq -c '[.results[].id]' vectors)
		jq -n -e --argjson is "$(quality <both)" --argjson want "$(quality <vectors)" '$is[0] >= $want[0] - 0.01 and $is[1] >= $want[1] - 0.01 and $is[0] > 0.8'
	done
}

# mrr - the mean of 1 / rank of the own record, of answers on stdin.
mrr() {
	jq -s '[.[] | .own as $own | [.results[].id] | index($own) as $at | if $at then 1 / ($at + 1) else 0 end] | add / length'
}

# bats test_tags=full
@test "for prose both rankings together are as good as the better one" {
	local page own is one
	for page in "$ROOT"/man/*.1; do
		own=${page##*/}
		sed -n '/^\.Sh DESCRIPTION/,/^\.Sh OPTIONS/p' "$page" | sed 's/^\.[A-Za-z]*//; s/\\[-&e]//g' | jq -c -R -s --arg own "$own" '{ id: $own, text: .[:3000] }' >>pages.jsonl
		sed -n 's/^\.Nd //p' "$page" | jq -c -R --arg own "$own" '{ own: $own, query_text: . }' >>q.jsonl
	done
	[ "$(wc -l <pages.jsonl)" -gt 30 ] && [ "$(wc -l <q.jsonl)" = "$(wc -l <pages.jsonl)" ]
	lh-index build --lexical --model hash-v2 p.lhv pages.jsonl
	is=$(lh-search --hybrid p.lhv <q.jsonl | mrr)
	one=$(lh-search p.lhv <q.jsonl | mrr)
	echo "hybrid $is, vectors alone $one"
	# the pages are the corpus, and change: a rank of 40 queries may turn
	jq -n -e "$is >= $one - 0.02 and $is > 0.7"
	# by the default model vectors alone find more of these few
	lh-index build --lexical d.lhv pages.jsonl
	jq -n -e "$(lh-search --hybrid d.lhv <q.jsonl | mrr) >= $is and $(lh-search d.lhv <q.jsonl | mrr) >= $one"
}

@test "both rankings together find sections of pages by their titles better than one" {
	python3 - "$ROOT"/man/*.[157] >sections.jsonl <<-'END'
		import json, re, sys
		parts = [part for name in sys.argv[1:] for part in re.split(r"^\.Ss ", open(name).read(), flags=re.M)[1:]]
		for n, part in enumerate(parts):
		    title, _, text = re.split(r"^\.Sh ", part, flags=re.M)[0].partition("\n")
		    text = re.sub(r"^\.[A-Z][a-z]\b|\\[-&e]", "", text, flags=re.M)[:3000]
		    if len(text) > 150:
		        print(json.dumps({"id": str(n), "own": str(n), "query_text": title, "text": text}))
	END
	[ "$(wc -l <sections.jsonl)" -gt 120 ]
	jq -c 'del(.own, .query_text)' sections.jsonl | lh-index build --lexical s.lhv
	jq -c '{own, query_text}' sections.jsonl >q.jsonl
	is=$(lh-search --hybrid s.lhv <q.jsonl | mrr)
	one=$(lh-search s.lhv <q.jsonl | mrr)
	echo "hybrid $is, vectors alone $one"
	jq -n -e "$is >= $one and $is > 0.4"
}

# bats test_tags=graphs
@test "what one ranking alone finds counts by that one, and words are folded and cut" {
	make_notes
	[ "$(ask '{"query_text":"CARS","vector":[1,0]}' -k 3 n.lhv)" = "c d a" ]
	[ "$(ask '{"query_text":"zebra","vector":[1,0]}' -k 3 n.lhv)" = "a b c" ]
	[ "$(ask '{"query_text":"!?","vector":[-1,0]}' -k 2 n.lhv)" = "e d" ]
}

@test "a text alone is embedded, and its words are looked up" {
	lh-gen workers -n 2000 | lh-index build --lexical w.lhv
	[ "$(lh-search --hybrid -k 1 -Q 'Forklift Operator in Aurora' w.lhv | jq -r '.results[0].metadata | .role + ", " + .city')" = "Forklift Operator, Aurora" ]
	lh-search --hybrid --flat -k 3 -Q 'Forklift Operator in Aurora' w.lhv >flat
	[ "$(wc -l <flat)" = 3 ]
	[ "$(jq -c 'keys_unsorted' flat | sort -u)" = '["query_text","rank","id","distance","score","corpus","metadata","query"]' ]
	[ "$(jq -s '[.[].score] | . == (sort | reverse)' flat)" = true ]
}

# bats test_tags=graphs
@test "filters and exclusions hold for both rankings" {
	make_notes
	[ "$(ask '{"query_text":"red apple","vector":[1,0]}' --where kind=car n.lhv)" = "d c" ]
	[ "$(ask '{"query_text":"red apple","vector":[1,0],"exclude_ids":["a","d"]}' n.lhv)" = "b e c" ]
	[ "$(echo '{"query_text":"apple","vector":[1,0],"metadata_filter":{"kind":"car"}}' | lh-search --hybrid n.lhv | jq .metadata_filter_dropped)" -ge 3 ]
	[ "$(ask '{"query_text":"red apple","vector":[1,0]}' --where kind=none n.lhv)" = "" ]
}

# bats test_tags=graphs
@test "corpora are merged by score, then rank by words, distance and name, and cut at k" {
	make_notes m.lhv
	cp m.lhv n.lhv
	echo '{"query_text":"red apples","vector":[1,0],"k":5}' | lh-search --hybrid --flat n.lhv m.lhv >out
	[ "$(jq -r '.id + .corpus' out | paste -sd' ')" = "am an dm dn bm" ] || { cat out; false; }
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"per_corpus_k":1}' n.lhv m.lhv)" = "a a" ]
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"k":0}' n.lhv)" = "" ]
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"corpora":["m"]}' -k 2 n.lhv m.lhv)" = "a d" ]
}

# bats test_tags=graphs
@test "pending records are found by their words, deleted and replaced ones are not, before a compaction and after" {
	make_notes
	echo '{"id":"f","vector":[0,-1],"text":"a yellow submarine"}' | lh-index add n.lhv
	echo '{"id":"a","vector":[1,0],"text":"only pears"}' | lh-index add n.lhv
	lh-index delete --id d n.lhv >/dev/null
	for round in pending folded; do
		[ "$(ask '{"query_text":"submarines","vector":[1,0]}' -k 2 n.lhv)" = "f a" ]
		[ "$(ask '{"query_text":"apple","vector":[0,1]}' -k 2 n.lhv | tr ' ' '\n' | sort | paste -sd' ')" = "b e" ]
		[ "$(ask '{"query_text":"red paint","vector":[-1,0]}' n.lhv | tr ' ' '\n' | grep -c d)" = 0 ]
		lh-index compact n.lhv
		lh-index verify n.lhv
	done
}

# bats test_tags=graphs
@test "dump, then build, gives an index that answers alike" {
	lh-gen workers -n 1500 | lh-index build --lexical w.lhv
	lh-index dump w.lhv | lh-index build --lexical copy.lhv
	lh-gen queries -n 40 >q.jsonl
	alike <(lh-search --hybrid w=w.lhv <q.jsonl) <(lh-search --hybrid w=copy.lhv <q.jsonl)
	alike <(lh-search --hybrid -j1 w=w.lhv <q.jsonl) <(lh-search --hybrid -j3 w=w.lhv <q.jsonl)
}

@test "the text to find is the field's, else every string; or the template's; info says which" {
	echo '{"id":"1","vector":[1,0],"metadata":{"note":"plum","text":"pear","years":3}}' >r.jsonl
	echo '{"id":"2","vector":[-1,0],"metadata":{"deep":["fig"]}}' >>r.jsonl
	lh-index build --lexical t.lhv r.jsonl
	lh-index build --lexical --field note f.lhv r.jsonl
	lh-index build --lexical --template '{text} of {years}' p.lhv r.jsonl
	lh-index build none.lhv r.jsonl
	[ "$(lh-index info t.lhv f.lhv p.lhv none.lhv | jq -c .lexical | paste -sd' ')" = '{"field":"text"} {"field":"note"} {"template":"{text} of {years}"} null' ]
	[ "$(ask '{"query_text":"pear","vector":[-1,0]}' t.lhv)" = "1 2" ]
	[ "$(ask '{"query_text":"plum","vector":[-1,0]}' t.lhv)" = "2 1" ]
	[ "$(ask '{"query_text":"plum","vector":[-1,0]}' f.lhv)" = "1 2" ]
	[ "$(ask '{"query_text":"figs","vector":[1,0]}' f.lhv)" = "2 1" ]
	[ "$(ask '{"query_text":"3","vector":[-1,0]}' p.lhv)" = "1 2" ]
	[ "$(ask '{"query_text":"figs","vector":[1,0]}' p.lhv)" = "1 2" ]
	run -2 --separate-stderr lh-index build --lexical --template "$(printf 'x%.0s' {1..2048})" x.lhv r.jsonl
	[ "$stderr" = "lh-index: --lexical: the name of the field or the template has 1 to 2047 bytes" ]
	[ ! -e x.lhv ]
}

@test "min_score is of the score, max_distance of the vector: as many as asked, whichever ranking found them" {
	make_notes
	[ "$(ask '{"query_text":"red apples","vector":[1,0]}' n.lhv)" = "a d b c e" ]
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"max_distance":1}' n.lhv)" = "a d b c" ]
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"k":2,"max_distance":0.9}' n.lhv)" = "a b" ]
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"k":1,"offset":1,"max_distance":0.9}' n.lhv)" = b ]
	score=$(lh-search --hybrid n.lhv <<<'{"query_text":"red apples","vector":[1,0]}' | jq '.results[2].score')
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"min_score":'"$score"'}' n.lhv)" = "a d b" ]
	[ "$(ask '{"query_text":"red apples","vector":[1,0],"offset":1}' --min-score "$score" n.lhv)" = "d b" ]
	lh-gen workers -n 1000 | lh-index build -q --lexical w.lhv
	lh-gen queries -n 6 --styles all --seed 4 | jq -c '{query_text: (.role + " TIG OSHA-10"), k: 20, max_distance: 0.8}' >q
	lh-search --hybrid --flat --no-metadata w.lhv <q | jq -r .distance | awk '$1 > .8 {exit 1} END {print NR}' >n
	lh-search --flat -k 20 --max-distance 0.8 w.lhv <q | wc -l | cmp - n
}

# bats test_tags=graphs
@test "a corpus without words is refused; without a text the vector alone ranks" {
	make_notes
	notes | lh-index build plain.lhv
	run -2 --separate-stderr lh-search --hybrid -Q apple n.lhv plain.lhv
	[ "$stderr" = "lh-search: plain.lhv: it has no words to search by: build it with lh-index build --lexical" ]
	printf '%s\n' '{"vector":[1,0]}' '{"query_text":"apple","vector":[1,0],"use_playbook":true}' \
		'{"query_text":"","vector":[1,0]}' '{"query_text":"apple","vector":[1,0]}' >q.jsonl
	[ "$(lh-search --hybrid n.lhv <q.jsonl | wc -l)" = 4 ]
	[ "$(lh-search --hybrid --flat n.lhv 2>&1 <<<'{"query_text":""}' | first 1)" = 'lh-search: -:1: empty text' ]
}

# bats test_tags=hostile,graphs
@test "damage in the words is reported by verify with its section, and a search never crashes" {
	local at bytes place
	lh-gen workers -n 300 | lh-index build --lexical w.lhv
	lh-gen queries -n 5 >q.jsonl
	# the section table: kind, then offset and length
	at=$(od -An -v -td8 -w32 -j128 -N2048 w.lhv | awk '$1 == 15 { print $2, $3 }')
	bytes=${at#* } at=${at% *}
	[ "$bytes" -gt 1000 ]
	for place in $(seq 0 $((bytes / 15)) $((bytes - 1))); do
		cp w.lhv bad.lhv
		printf '\xff' | dd of=bad.lhv bs=1 seek=$((at + place)) conv=notrunc status=none
		cmp -s w.lhv bad.lhv || run -1 --separate-stderr lh-index verify bad.lhv
		[[ "${stderr_lines[0]}" = "lh-index: bad.lhv: postings: "* ]]
		run --separate-stderr lh-search --hybrid bad.lhv <q.jsonl
		[ "$status" = 0 ] || { [ "$status" = 2 ] && [[ "$stderr" = *"bad.lhv: postings: "* ]]; }
	done
}

@test "an index that an earlier version made with weighted terms is upgraded, searched, changed and compacted without them" {
	gzip -dc "$ROOT/tests/search/earlier/weighted-terms.lhv.gz" >w.lhv
	lh-index upgrade -q w.lhv
	lh-index verify w.lhv
	run -0 lh-search --hybrid -k 1 -Q welder w.lhv
	[ "$(jq -c '.results[0] | [.id, .metadata.w]' <<<"$output")" = '["a",{"weld":1.5,"##er":0.5}]' ]
	echo '{"id":"c","text":"a cook","w":5}' | lh-index add w.lhv
	lh-index compact w.lhv
	lh-index verify w.lhv
	[ "$(lh-index info w.lhv | jq -c '[.length, .lexical]')" = '[3,{"field":"text"}]' ]
	[ "$(lh-search --hybrid -k 1 -Q cook w.lhv | jq -r '.results[0].id')" = c ]
}
