# lh-merge: the answers of searches over parts as the answer of one search over all; in
# step from files, joined by query from standard input; what does not belong together.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# parts N [BUILD-OPTION...] - w.jsonl as one index all.lhv and as part0.lhv ... of N.
parts() {
	local n=$1 i
	shift
	lh-index build "$@" all.lhv <w.jsonl
	for ((i = 0; i < n; i++)); do
		awk -v n="$n" -v i="$i" 'NR % n == i' w.jsonl | lh-index build "$@" "part$i.lhv"
	done
}

# search_parts N [SEARCH-OPTION...] - q.jsonl over each part, in a0 ...
search_parts() {
	local n=$1 i
	shift
	for ((i = 0; i < n; i++)); do
		lh-search "$@" "part$i.lhv" <q.jsonl >"a$i"
	done
}

# answers WORD... - an answer line to the query "q" with hits ID:DISTANCE.
answer() {
	local hits='' word
	for word; do
		hits+=${hits:+,}'{"id":"'${word%:*}'","distance":'${word#*:}',"corpus":"c"}'
	done
	echo '{"query":"q","results":['"$hits"']}'
}

ids() {
	jq -r '[.results[].id] | join(" ")'
}

# refused STATUS MESSAGE COMMAND... - that exit status, with this line first on stderr.
refused() {
	local status=$1 want=$2
	shift 2
	run "-$status" --separate-stderr "$@"
	[ "${stderr_lines[0]}" = "lh-merge: $want" ] || { echo "${stderr_lines[0]}"; return 1; }
}

# ---- one index, in parts ----

# bats test_tags=full,graphs
@test "the exact answers of parts are those of the whole index, byte for byte" {
	lh-gen workers -n 600 >w.jsonl
	lh-gen queries -n 25 --styles all >q.jsonl
	parts 5 --dimension 64
	for how in "-k 10" "-k 1" "-k 0" "-k 700" "-k 7 --where state=IL --where status!=inactive" "-k 3 --no-metadata" "-k 5 --exclude w-7"; do
		search_parts 5 --exact $how
		lh-search --exact $how all=all.lhv <q.jsonl >want
		k=$(sed 's/-k \([0-9]*\).*/\1/' <<<"$how")
		[ -s want ]
		lh-merge -k "$k" --corpus all a0 a1 a2 a3 a4 >got
		cmp want got
		cat a3 a0 a4 a1 a2 | lh-merge -k "$k" --corpus all >got
		cmp want got
	done
	grep -q metadata_filter_dropped <(lh-search --exact --where state=IL all.lhv <q.jsonl)
}

@test "equal distances come by id, whichever part they are in" {
	for i in {1..40}; do echo '{"id":"'$((i * 7 % 40))'","vector":['$((i % 2)),1']}'; done >w.jsonl
	echo '{"vector":[1,1]}' >q.jsonl
	parts 3
	for k in 1 5 20 21 39 40 50; do
		search_parts 3 --exact -k $k
		lh-search --exact -k $k all.lhv <q.jsonl >want
		lh-merge -k $k --corpus all a2 a0 a1 >got
		cmp want got
		[ "$(jq '.results | length' got)" = $((k > 40 ? 40 : k)) ]
	done
}

@test "a query's own k counts, and null does not" {
	lh-gen workers -n 60 >w.jsonl
	printf '%s\n' '{"query":"welder","k":4}' '{"query":"welder","k":null}' '{"query":"picker","k":0}' >q.jsonl
	parts 2 --dimension 64
	search_parts 2 --exact -k 3
	lh-search --exact -k 3 all.lhv <q.jsonl >want
	lh-merge -k 3 --corpus all a0 a1 >got
	cmp want got
	[ "$(jq -c '[.results | length]' got | tr -d '\n')" = '[4][3][0]' ]
}

@test "a query's per_corpus_k counts hits by their corpus, as it is named afterwards" {
	lh-gen workers -n 120 >w.jsonl
	for limit in 0 1 2 5 10 null; do
		echo '{"query":"welder","k":7,"per_corpus_k":'$limit'}'
	done >q.jsonl
	parts 3 --dimension 64
	search_parts 3 --exact
	lh-search --exact all.lhv <q.jsonl >want
	[ "$(jq '.results | length' want | paste -sd' ')" = '0 1 2 5 7 7' ]
	lh-merge --corpus all a0 a1 a2 | cmp want -
	cat a2 a0 a1 | lh-merge --corpus all | cmp want -
	# several corpora: so many of each
	for i in 0 1 2; do lh-search --exact part$i.lhv all.lhv <q.jsonl >b$i; done
	lh-search --exact part0.lhv part1.lhv part2.lhv all.lhv <q.jsonl >want
	lh-merge b0 b1 b2 | cmp want -
	cat b1 b2 b0 | lh-merge | cmp want -
	# hits without a corpus are of one
	echo '{"per_corpus_k":1,"results":[{"id":"a","distance":1},{"id":"b","distance":2}]}' >a
	[ "$(lh-merge a a | ids)" = a ]
	# what a playbook injected comes on top, and no other thing of that name does
	echo '{"per_corpus_k":1,"results":[{"id":"a","distance":1,"playbook":{"injected":true}},{"id":"b","distance":2},{"id":"c","distance":3,"playbook":{"injected":1}},{"id":"d","distance":4,"playbook":"injected"}]}' >a
	[ "$(lh-merge a a | ids)" = 'a b' ]
	echo '{"per_corpus_k":-1,"results":[]}' >bad
	refused 1 'bad:1: "per_corpus_k" must be a whole number from 0 to 10000' lh-merge bad
}

@test "equal queries are one from standard input, and stay apart in step or with an id" {
	answer a:1 >a
	cat a a >two
	run -0 lh-merge --expect 2 <two
	[ "${#lines[@]}" = 1 ]
	run -1 --separate-stderr lh-merge --expect 2 two
	[ "$(jq .partial <<<"$output" | paste -sd' ')" = 'true true' ]
	run -0 lh-merge --expect 2 two two
	[ "${#lines[@]}" = 2 ]
	printf '%s\n' 1 2 | while read -r i; do sed 's/{/{"id":'$i',/' a; done >two
	run -1 --separate-stderr lh-merge --expect 2 <two
	[ "$(jq .partial <<<"$output" | paste -sd' ')" = 'true true' ]
}

@test "counters of several corpora, a playbook and a service are added up" {
	lh-gen workers -n 60 >w.jsonl
	echo '{"query_text":"Need 2 Welders in Gary IN","corpora":["all"],"k":5,"metadata_filter":{"state":"IN"}}' >q.jsonl
	parts 2 --dimension 64
	for i in 0 1; do lh-search --exact --wire all=part$i.lhv <q.jsonl >wire$i; done
	lh-merge -k 5 wire0 wire1 >got
	lh-search --exact --wire all.lhv <q.jsonl >want
	[ "$(jq -c .results got)" = "$(jq -c .results want)" ]
	[ "$(jq .metadata_filter_dropped got)" = "$(jq .metadata_filter_dropped want)" ]
	[ "$(jq -c 'del(.results)' got)" = "$(jq -sc 'map(del(.results)) | {per_corpus_counts: {all: (map(.per_corpus_counts.all) | add)}, metadata_filter_dropped: (map(.metadata_filter_dropped) | add), playbook_boosted: 0, playbook_injected: 0}' wire0 wire1)" ]
}

@test "answers found by walking the graph are no worse in parts than in one" {
	lh-gen workers -n 3000 >w.jsonl
	lh-gen queries -n 60 >q.jsonl
	parts 4 -j1 --exact-below 0
	search_parts 4
	lh-merge --corpus all a0 a1 a2 a3 | jq -c '.query_text as $q | .results[] | [$q, .id]' | sort >parts
	lh-search all.lhv <q.jsonl | jq -c '.query_text as $q | .results[] | [$q, .id]' | sort >one
	lh-search --exact all.lhv <q.jsonl | jq -c '.query_text as $q | .results[] | [$q, .id]' | sort >all
	[ "$(wc -l <all)" -gt 400 ]
	[ "$(comm -12 parts all | wc -l)" -ge "$(comm -12 one all | wc -l)" ]
}

@test "searches under GNU parallel in a pipe come together" {
	lh-gen workers -n 200 >w.jsonl
	lh-gen queries -n 20 >q.jsonl
	parts 4 --dimension 64
	lh-search --exact all.lhv <q.jsonl >want
	parallel --will-cite -j2 lh-search --exact {} '<' q.jsonl ::: part{0,1,2,3}.lhv | lh-merge --corpus all --expect 4 >got
	cmp want got
	lh-merge --corpus all <(lh-search --exact part0.lhv <q.jsonl) <(lh-search --exact part1.lhv <q.jsonl) \
		<(lh-search --exact part2.lhv <q.jsonl) <(lh-search --exact part3.lhv <q.jsonl) >got
	cmp want got
}

# ---- what comes first, and what is once ----

@test "hits come by distance, corpus and id, with their bytes as they are" {
	echo '{"q":1.0,"results":[{"id":"b","distance":0.50,"corpus":"x","metadata":{ "n" : 1e2}},{"id":"a","distance":5e-1,"corpus":"x"}]}' >a
	echo '{"q":1.0,"results":[{"id":"z","distance":0.5,"corpus":"\u0077"},{"id":"y","distance":-1,"corpus":"y"}]}' >b
	[ "$(lh-merge a b)" = '{"q":1.0,"results":[{"id":"y","distance":-1,"corpus":"y"},{"id":"z","distance":0.5,"corpus":"\u0077"},{"id":"a","distance":5e-1,"corpus":"x"},{"id":"b","distance":0.50,"corpus":"x","metadata":{ "n" : 1e2}}]}' ]
	[ "$(lh-merge -k 1 --corpus 'a"b' a b)" = '{"q":1.0,"results":[{"id":"y","distance":-1,"corpus":"a\"b"}]}' ]
}

@test "one id of one corpus is there once, the nearest; of equal ones the first" {
	answer a:0.3 b:0.4 >a
	answer a:0.2 b:0.4 c:0.9 | sed 's/"id":"b"/"n":1,&/' >b
	[ "$(lh-merge a b | ids)" = 'a b c' ]
	[ "$(lh-merge a b | jq -c '.results[0].distance, .results[1].n')" = $'0.2\nnull' ]
	[ "$(lh-merge b a | jq '.results[1].n')" = 1 ]
	sed 's/"c"}/"d"}/g' a >other
	[ "$(lh-merge a other | ids)" = 'a a b b' ]
	[ "$(lh-merge --corpus x a other | ids)" = 'a b' ]
}

@test "hits of --hybrid come by descending score, and are not mixed with others" {
	lh-gen workers -n 80 >w.jsonl
	lh-gen queries -n 8 >q.jsonl
	parts 2 --lexical --dimension 64
	search_parts 2 --hybrid
	lh-merge a0 a1 >got
	jq -e '.results | length == 10 and ([.[].score] | . == (sort | reverse))' got >verdicts
	lh-search part1.lhv <q.jsonl >plain
	refused 2 "plain:1: has no scores, and the other answers have (compared with a0:1)" lh-merge a0 plain
	refused 1 "-:9: has no scores, and the other answers have" lh-merge < <(cat a0 plain)
	# the first one, which has no hits, agrees with either
	echo '{"id":"q","results":[]}' >none
	echo '{"id":"q","results":[{"id":"a","distance":1,"score":1}]}' >scored
	echo '{"id":"q","results":[{"id":"b","distance":1}]}' >unscored
	refused 2 "unscored:1: has no scores, and the other answers have (compared with scored:1)" \
		lh-merge none scored unscored
}

@test "hits without a corpus keep to themselves" {
	answer a:1 | sed 's/,"corpus":"c"//' >a
	answer a:1 >b
	[ "$(lh-merge b a | jq -c .results)" = '[{"id":"a","distance":1},{"id":"a","distance":1,"corpus":"c"}]' ]
	[ "$(lh-merge --corpus x b a | jq -c '[.results[].corpus]')" = '[null,"x"]' ]
}

# ---- the query ----

@test "what is before the results is the query, also a member with the name of a counter" {
	echo '{"partial":"p","playbook_boosted":[1],"query":"q","results":[],"playbook_boosted_":1,"metadata_filter_dropped":2}' >a
	[ "$(lh-merge a a)" = '{"partial":"p","playbook_boosted":[1],"query":"q","playbook_boosted_":1,"results":[],"metadata_filter_dropped":4}' ]
}

@test "answers that white space tells apart from others are joined by their query alone" {
	printf '%s\n' '{ "a":1 , "results":[] }' '{ "a":1,"results":[{"id":"x","distance":1}]}' '{ "a":1,"results":[]  , "partial":false}' >in
	[ "$(lh-merge <in)" = '{ "a":1,"results":[{"id":"x","distance":1}]}' ]
	printf '%s\n' '{"results":[ ]}' '{ "results":[{"id":"x","distance":1}] }' >in
	[ "$(lh-merge <in)" = '{"results":[{"id":"x","distance":1}]}' ]
}

@test "from standard input queries come in the order in which they were first seen" {
	for q in b a c; do echo '{"query":"'$q'","results":[{"id":"1","distance":1}]}'; done >one
	for q in c d b; do echo '{"query":"'$q'","results":[{"id":"2","distance":0.5}]}'; done >two
	cat one two | lh-merge >got
	[ "$(jq -r .query got | paste -sd' ')" = 'b a c d' ]
	[ "$(ids <got | paste -sd,)" = '2 1,1,2 1,2' ]
	cmp got <(cat one two | lh-merge -)
}

# ---- against the second implementation ----

# ---- what is missing ----

@test "partial stays, and the exit status is 1" {
	answer a:1 >a
	answer b:2 | sed 's/}$/,"partial":true}/' >b
	run -1 --separate-stderr lh-merge a b
	[ "$output" = "$(answer a:1 b:2 | sed 's/}$/,"partial":true}/')" ]
	[ "$stderr" = 'lh-merge: 1 of 1 answer is partial' ]
	run -1 --separate-stderr lh-merge < <(cat b a)
	[[ $output == *',"partial":true}' ]]
	run -0 lh-merge < <(sed s/true/false/ b)
	[ "$output" = "$(answer b:2)" ]
}

@test "a search that rejected a query makes this answer partial and no other" {
	for q in 1 2 3; do echo '{"n":'$q',"results":[{"id":"a","distance":'$q'}]}'; done >a
	sed 's/"a"/"b"/; 2s/.*/{"error":{"file":"-","line":2,"code":503,"message":"gone"}}/' a >b
	run -1 --separate-stderr lh-merge a b
	[ "$stderr" = $'lh-merge: b:2: the search failed: gone\nlh-merge: 1 of 3 answers are partial\nlh-merge: 1 of 6 records rejected' ]
	[ "$(jq -c '[.partial, (.results | length)]' <<<"$output" | paste -sd' ')" = '[null,2] [true,1] [null,2]' ]
	run -1 --separate-stderr lh-merge b
	[ "$(jq -c .n <<<"$output" | paste -sd' ')" = '1 3' ]
	run -1 --separate-stderr lh-merge --on-error emit b
	[ "$(jq -c '.n // .error.line' <<<"$output" | paste -sd' ')" = '1 2 3' ]
	run -1 --separate-stderr lh-merge --on-error stop a b
	[ "${#lines[@]}" = 1 ]
}

@test "with --expect a search that is missing makes the answers partial" {
	answer a:1 >a
	echo '{"query":"r","results":[]}' >r
	run -0 lh-merge --expect 2 < <(cat a a)
	run -1 --separate-stderr lh-merge --expect 3 < <(cat a a r)
	[ "$stderr" = 'lh-merge: 2 of 2 answers are partial' ]
	[ "$(jq .partial <<<"$output" | paste -sd' ')" = 'true true' ]
	run -0 lh-merge --expect 2 a a
	run -1 --separate-stderr lh-merge --expect 3 a a
	[ "$output" = "$(answer a:1 | sed 's/}$/,"partial":true}/')" ]
}

@test "a line that is no answer is rejected with its place, and goes to --rejects" {
	answer a:1 >a
	while IFS='|' read -r line why; do
		printf '%s\n' "$line" >bad
		rm -f out
		refused 1 "bad:1: $why" lh-merge --rejects out a bad
		[ "$output" = "$(answer a:1 | sed 's/}$/,"partial":true}/')" ]
		cmp bad out
		refused 1 "-:1: $why" lh-merge <bad
		[ -z "$output" ]
	done <<-'END'
	[1]|not a JSON object
	{"query":"q","results":[{"id":"a","distance":1e999}]}|results[0].distance is out of range
	{"query":"q","results":[{"id":"a","distance":1,"score":-1e999}]}|results[0].score is out of range
	{"query":"q","results":[{"id":"a","distance":1,"score":1},{"id":"b","distance":1}]}|some hits have a score, and some have none
	{"query":"q","results":[{"id":"a","distance":1,"score":1},{"id":"b","score":1}]}|missing results[1].distance (number)
	{"query":"q","results":[],"partial":1}|"partial" must be true or false
	{"query":"q","results":[],"metadata_filter_dropped":-1}|metadata_filter_dropped must be a whole number, 0 or more
	{"query":"q","results":[],"per_corpus_counts":{"a":1.5}}|per_corpus_counts must be a whole number, 0 or more
	{"query":"q","results":[],"per_corpus_counts":[1]}|per_corpus_counts must be an object
	{"query":null,"rank":1,"id":"c","distance":0,"corpus":"p"}|is a hit of lh-search --flat: leave out --flat there
	END
}

@test "counters beyond what a number holds are refused" {
	echo '{"results":[],"playbook_boosted":9223372036854775807}' >a
	echo '{"results":[],"playbook_boosted":1}' >b
	refused 2 "a:1: the counters add up to more than 9223372036854775807" lh-merge a b
	refused 1 "-:2: the counters add up to more than 9223372036854775807" lh-merge < <(cat a b)
	[ "$(sed s/1/0/ b | lh-merge a -)" = "$(cat a)" ]
}

# ---- files that do not belong together ----

@test "a file that is shorter or longer, or answers another query, is named with its line" {
	for q in 1 2 3; do echo '{"n":'$q',"results":[]}'; done >a
	first 2 <a >short
	refused 2 "a:3: has no counterpart: short ends after line 2" lh-merge a short
	[ "$output" = "$(cat short)" ]
	refused 2 "a:3: has no counterpart: short ends after line 2" lh-merge short a
	: >empty
	refused 2 "a:1: has no counterpart: empty ends after line 0" lh-merge a empty
	sed '2s/2/4/' a >other
	refused 2 "other:2: answers another query (compared with a:2)" lh-merge a a other
	[ "$output" = "$(head -n 1 a)" ]
	refused 2 "none: cannot open: No such file or directory" lh-merge a none
	[ -z "$output" ]
	refused 2 "standard input can be one operand only" lh-merge - a -
	run -0 lh-merge empty empty
	[ -z "$output" ]
}

@test "a corpus without a name is refused before anything is read" {
	refused 2 '--corpus must not be empty' lh-merge --corpus ''
	run -2 --separate-stderr lh-merge --corpus $'\xff'
}

# ---- sizes ----

@test "files in step are merged in flat memory, and so are many answers to few queries" {
	local n
	n=$(scale 100000 1000000)
	seq "$n" | sed 's/.*/{"query":"q&","results":[{"id":"a&","distance":0.5,"corpus":"c","metadata":{"x":"................................................................"}}]}/' >a
	sed 's/"a/"b/; s/"distance":0.5/"distance":0.25/' a >b
	plain_only "its own memory is not bounded"
	prlimit --as=$((80 << 20)) lh-merge -k 1 a b | cmp - b
	seq "$n" | sed 's/.*/{"query":"q","results":[{"id":"a&","distance":&,"corpus":"c","metadata":{"x":"................................................................"}}]}/' >one
	prlimit --as=$((80 << 20)) lh-merge -k 3 <one >got
	[ "$(ids <got)" = 'a1 a2 a3' ]
}

@test "a thousand files are read in step, under a limit of fewer descriptors" {
	for ((i = 0; i < 1100; i++)); do
		echo '{"q":1,"results":[{"id":"'$i'","distance":'$i'}]}' >f$i
	done
	(ulimit -Sn 256; lh-merge -k 1000 f*) >got
	[ "$(ids <got | wc -w)" = 1000 ]
	[ "$(jq -r '.results[-1].id' got)" = 999 ]
}

# ---- faults ----

@test "an answer is written before the next line is waited for" {
	mkfifo in
	answer a:1 >a
	cat a a >two
	lh-merge two in >out &
	exec 9>in
	cat a >&9
	until_so test -s out
	cat a >&9
	exec 9>&-
	wait $!
	[ "$(wc -l <out)" = 2 ]
}
