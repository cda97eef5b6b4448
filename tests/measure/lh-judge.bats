# lh-judge: measures by hand, formats of runs and qrels, what compare and pool say.
# bats file_tags=quick
load ../helper

QRELS='1 0 a 1
1 0 b 0
1 0 c 3
1 0 m -1
2 0 x 2
2 0 y 0
3 0 z 0'
RUN='1 Q0 m 1 9 t
1 Q0 b 2 8 t
1 Q0 a 3 7 t
1 Q0 u 4 6 t
1 Q0 c 5 5 t
2 Q0 y 1 1 t
9 Q0 y 1 1 t'

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	echo "$QRELS" >q
	echo "$RUN" >r
}

# each MEASURE [QUERY] - its value for a query, 1, of q and r.
each() {
	lh-judge score --qrels q --each --measures "$1" r |
		jq -r --arg q "${2:-1}" 'select(.query_id == $q) | .value * 1e6 | round / 1e6'
}

@test "ndcg divides the gains by the logarithm of the rank, and by the best order" {
	# ranks: m -1, b 0, a 1, u none, c 3
	want=$(jq -n '(1 / (4 | log2) + 3 / (6 | log2)) / (3 + 1 / (3 | log2)) * 1e6 | round / 1e6')
	[ "$(each ndcg)" = "$want" ]
	[ "$(each ndcg@10)" = "$want" ]
	[ "$(each ndcg_cut_5)" = "$want" ]
	[ "$(each ndcg@3)" = "$(jq -n '(1 / 2) / (3 + 1 / (3 | log2)) * 1e6 | round / 1e6')" ]
	[ "$(lh-judge score --qrels q --each --gain exp --measures ndcg r | jq 'select(.query_id == "1") | .value * 1e6 | round')" = \
		"$(jq -n '(1 / (4 | log2) + 7 / (6 | log2)) / (7 + 1 / (3 | log2)) * 1e6 | round')" ]
}

@test "map, mrr, p, recall and success count relevant documents, which have a grade above 0" {
	[ "$(each map)" = "$(jq -n '(1 / 3 + 2 / 5) / 2 * 1e6 | round / 1e6')" ]
	[ "$(each map_cut_3)" = "$(jq -n '1 / 3 / 2 * 1e6 | round / 1e6')" ]
	[ "$(each mrr@10) $(each mrr@2) $(each recip_rank)" = '0.333333 0 0.333333' ]
	[ "$(each p@5) $(each P_10) $(each p@2)" = '0.4 0.2 0' ]
	[ "$(each recall@3) $(each recall_100)" = '0.5 1' ]
	[ "$(each success@2) $(each success_3)" = '0 1' ]
}

@test "bpref passes over what has no grade or a negative one" {
	# b of grade 0 is before both of 2 relevant; there is 1 of grade 0: 1 - 1/1 each
	[ "$(each bpref)" = 0 ]
	printf '1 0 d 0\n' >>q
	[ "$(each bpref)" = 0.5 ]
}

@test "err stops at a document with (2^g - 1) / 2^G, by the greatest grade of the qrels" {
	[ "$(each err@20)" = "$(jq -n '(1 / 8 / 3 + 7 / 8 * 7 / 8 / 5) * 1e6 | round / 1e6')" ]
	echo '3 0 top 4' >>q
	[ "$(each err)" = "$(jq -n '(1 / 16 / 3 + 15 / 16 * 7 / 16 / 5) * 1e6 | round / 1e6')" ]
}

@test "judged@k counts any grade, negative ones too" {
	[ "$(each judged@4) $(each judged@10)" = '0.75 0.4' ]
}

@test "the means are over all queries of the qrels, and the counts say what was left out" {
	run -0 --separate-stderr lh-judge score --qrels q --measures p@1,success@5 r
	[ "$output" = '{"run":"r","queries":3,"p@1":0,"success@5":0.3333333333333333,"unjudged":1,"without_qrels":1,"without_relevant":1}' ]
	run -0 --separate-stderr lh-judge score --qrels q --measures success@5 --only-answered r
	[ "$output" = '{"run":"r","queries":2,"success@5":0.5,"unjudged":1,"without_qrels":1,"without_relevant":0}' ]
	run -0 --separate-stderr lh-judge score --qrels q --measures success@5 --only-answered <<<'9 Q0 y 1 1 t'
	[ "$output" = '{"run":"-","queries":0,"success@5":null,"unjudged":0,"without_qrels":1,"without_relevant":0}' ]
}

@test "without --measures there are six, and --each prints the mean last" {
	run -0 lh-judge score --qrels q --each r
	[ "${#lines[@]}" = 19 ]
	[ "${lines[0]}" = "$(jq -nc --argjson v "$(jq -n "${lines[0]}.value")" '{run: "r", query_id: "1", measure: "ndcg@10", value: $v}')" ]
	[ "$(jq -c keys_unsorted <<<"${lines[18]}")" = '["run","queries","ndcg@10","map","mrr@10","recall@100","p@5","judged@10","unjudged","without_qrels","without_relevant"]' ]
}

@test "scores sort, equal ones by descending id; the rank of the file is not used" {
	printf '1 0 a 1\n' >q
	for order in 'a b' 'b a'; do
		set -- $order
		printf '1 Q0 %s 1 2.50 t\n1 Q0 %s 2 25e-1 t\n' "$1" "$2" >r
		[ "$(each mrr)" = 0.5 ]
	done
	printf '1 Q0 a 7 1.0000000000000002 t\n1 Q0 b 1 1 t\n' >r
	[ "$(each mrr)" = 1 ]
}

@test "infinite scores sort as numbers do, and NaN is refused" {
	printf '1 Q0 c 1 inf t\n1 Q0 b 1 1e300 t\n1 Q0 a 1 -Infinity t\n' >r
	[ "$(each p@1) $(each mrr@2)" = '1 1' ]
	printf '1 Q0 b 1 +inf t\n1 Q0 c 1 1e999 t\n' >r	# as large: by id
	[ "$(each mrr)" = 1 ]
	for bad in nan NaN -nan x '' 1e 0x1 1,5 --1 .; do
		printf '1 Q0 a 1 1 t\n1 Q0 b 1 %s t\n' "$bad" >r
		run -2 --separate-stderr lh-judge score --qrels q r
		[[ $stderr == "lh-judge: r:2: "* ]] && [ -z "$output" ] || { echo "$bad: $stderr"; return 1; }
	done
}

@test "a run of TREC, of BEIR and of lh-search, nested and flat, measures the same" {
	grep -v ^9 r >trec
	{ printf 'query-id\tcorpus-id\tscore\n'; awk '{ print $1 "\t" $3 "\t" $5 }' trec; } >beir
	awk '{ print $1, $3 }' trec | jq -Rnc '[inputs / " " | {q: .[0], id: .[1]}] | group_by(.q)[] |
		{query_id: .[0].q, query_text: "t", results: map({id, distance: 1})}' >nested
	jq -c '.query_id as $q | .results[] | {query_id: ($q | tonumber), query_text: null, rank: 1} + .' nested >flat
	jq -c '.query_text = .query_id | del(.query_id)' nested >by-text
	lh-judge score --qrels q trec | jq -c 'del(.run)' >want
	gzip -k nested
	for run in beir nested flat by-text nested.gz; do
		alike want <(lh-judge score --qrels q "$run" | jq -c 'del(.run)')
	done
	[ "$(lh-judge score --qrels q beir trec - <flat | jq -r .run | tr '\n' ' ')" = 'beir trec - ' ]
}

@test "qrels of TREC, of BEIR and in JSON Lines are the same" {
	{ printf 'query-id\tcorpus-id\tscore\n'; awk '{ print $1 "\t" $3 "\t" $4 }' q; } >beir
	awk '{ print "{\"query_id\":\"" $1 "\",\"x\":1,\"id\":\"" $3 "\",\"grade\":" $4 "}" }' q >json
	echo '{"summary":{"graded":7}}' >>json
	for qrels in beir json; do
		alike <(lh-judge score --each --qrels q r) <(lh-judge score --each --qrels "$qrels" r)
	done
}

@test "what lh-search writes is a run, and --flat keeps the query_id" {
	lh-gen workers -n 200 | lh-index build --lexical w.lhv
	lh-gen queries -n 5 | jq -c '{query_id: "q\(input_line_number)", query_text}' >queries
	lh-search -k 5 w.lhv <queries >nested
	lh-search -k 5 --flat w.lhv <queries >flat
	[ "$(first 1 <flat | jq -c '[.query_id, .rank]')" = '["q1",1]' ]
	jq -c '{query_id, id: .results[1].id, grade: 1}' nested >g
	[ "$(lh-judge score --qrels g --measures mrr nested | jq .mrr)" = 0.5 ]
	[ "$(lh-judge score --qrels g --measures mrr flat | jq .mrr)" = 0.5 ]
	run -0 lh-search -k 1 --flat -Q welder w.lhv
	[[ $output == '{"query_text":'* ]]
}

@test "CRLF, a BOM, tabs, blank lines and a missing last LF are accepted" {
	lh-judge score --each --qrels q r >want
	mkdir dirty
	{ printf '\357\273\277'; sed 's/ /\t \t/g; s/$/ \t\r\n\r\n \t/' q; } >dirty/q
	{ sed 's/ /\t/; s/$/\r/' r | head -c -2; } >dirty/r
	cd dirty
	alike ../want <(lh-judge score --each --qrels q r)
}

@test "compare has the difference, p and an interval for each later run and measure" {
	for i in {1..30}; do echo "$i 0 a 1"; done >q
	for i in {1..30}; do printf '%s\n' "$i Q0 a 1 $((i % 10 == 0)) t" "$i Q0 b 1 0.5 t"; done >worse
	for i in {1..30}; do printf '%s\n' "$i Q0 a 1 $((i % 10 != 0)) t" "$i Q0 b 1 0.5 t"; done >better
	run -0 --separate-stderr lh-judge compare --qrels q --measures p@1,mrr worse better worse
	[ "${#lines[@]}" = 4 ]
	[ "$(jq -c '[.a, .b, .measure, .queries]' <<<"$output" | tr '\n' ' ')" = '["worse","better","p@1",30] ["worse","better","mrr",30] ["worse","worse","p@1",30] ["worse","worse","mrr",30] ' ]
	jq -e '.difference == 0.8 and .p < 0.001 and .low > 0.5 and .high <= 1 and .low < .8 and .high > .8' <<<"${lines[0]}"
	[ "$(jq -c '[.best, .worst]' <<<"${lines[0]}")" = "$(jq -nc '[["1","2","3","4","5"], ["10","20","30"]] | [.[0] | map({query_id: ., difference: 1})] + [.[1] | map({query_id: ., difference: -1})]')" ]
	jq -e '.difference == 0 and .p == 1 and .low == 0 and .high == 0 and .best == [] and .worst == []' <<<"${lines[2]}"
	alike <(echo "$output") <(lh-judge compare --qrels q --measures p@1,mrr --seed 1 worse better worse)
}

@test "--fail-below looks at the first measure, strictly" {
	printf '%s 0 a 1\n' 1 2 3 4 >q
	printf '%s Q0 a 1 1 t\n' 1 2 3 4 >all
	printf '%s Q0 a 1 1 t\n' 1 2 3 >fewer
	run -1 lh-judge compare --qrels q --measures p@1,map --fail-below -0.2 all fewer
	[ "$(jq -s 'map(.difference)' -c <<<"$output")" = '[-0.25,-0.25]' ]
	lh-judge compare --qrels q --measures p@1 --fail-below -0.25 all fewer
	lh-judge compare --qrels q --measures judged@1,p@1 --fail-below -0.3 all fewer
	lh-judge compare --qrels q --measures p@1 --only-answered --fail-below 0 all fewer
	run -1 lh-judge compare --qrels q --measures p@1 --fail-below 0.1 all all
}

@test "--fail-below takes a difference as it is printed, with 17 digits or an exponent" {
	printf '%s 0 a 1\n' 1 2 3 4 >q
	printf '%s Q0 a 1 1 t\n' 1 2 3 4 >all
	printf '%s Q0 a 1 1 t\n' 1 2 3 >fewer
	for x in -0.25000000000000006 -2.5e-1 -25E-2; do
		lh-judge compare --qrels q --measures p@1 --fail-below $x all fewer
	done
	run -1 lh-judge compare --qrels q --measures p@1 --fail-below -0.24999999999999997 all fewer
	run -1 lh-judge compare --qrels q --measures p@1 --fail-below -2.4e-1 all fewer
	for x in -2e -e1 1e400 2e0 0x1 nan; do
		run -2 --separate-stderr lh-judge compare --qrels q --fail-below $x all fewer
		[ "${stderr_lines[0]}" = "lh-judge: --fail-below: \"$x\" is not a number from -1 to 1" ]
	done
}

@test "pool lists what has no grade, once, by the best rank in any run" {
	printf '%s\n' '1 Q0 n 1 9 t' '1 Q0 u 2 8 t' '1 Q0 m 3 7 t' '4 Q0 z 1 1 t' >other
	run -0 lh-judge pool --qrels q r other
	[ "$output" = $'{"query_id":"1","id":"n"}\n{"query_id":"9","id":"y"}\n{"query_id":"4","id":"z"}\n{"query_id":"1","id":"u"}' ]
	[ "$(lh-judge pool --depth 1 r other | jq -r '.query_id + .id' | tr '\n' ' ')" = '1m 1n 2y 9y 4z ' ]
	[ "$(lh-judge pool <r | wc -l)" = 7 ]
	run -0 --separate-stderr lh-judge pool --qrels q --depth 3 <<<'1 Q0 a 1 1 t'
	[ -z "$output$stderr" ]
}

@test "sets makes records and queries of a folder of BEIR, of the queries that have grades" {
	mkdir beir
	printf '%s\n' '{"_id":"d1","title":"A \"title\"","text":"and\ntext","metadata":{"x":1}}' '{"_id":2,"text":"no title"}' >beir/corpus.jsonl
	printf '%s\n' '{"_id":"q1","text":"one"}' '{"_id":"q2","text":"two","metadata":{}}' >beir/queries.jsonl
	printf 'query-id\tcorpus-id\tscore\nq2\td1\t1\n' >beir/test.tsv
	run -0 lh-judge sets beir out/sets
	[ "$output" = '{"records":2,"queries":2}' ]
	[ "$(cat out/sets/corpus.jsonl)" = $'{"id":"d1","text":"A \\"title\\" and\\ntext"}\n{"id":"2","text":"no title"}' ] || cat out/sets/corpus.jsonl
	run -0 lh-judge sets --qrels beir/test.tsv beir out/sets
	[ "$output" = '{"records":2,"queries":1}' ]
	[ "$(cat out/sets/queries.jsonl)" = '{"query_id":"q2","query_text":"two"}' ]
	lh-index build out/i.lhv out/sets/corpus.jsonl
	lh-search --flat out/i.lhv <out/sets/queries.jsonl | lh-judge score --qrels beir/test.tsv | jq -e '."recall@100" == 1'
}

@test "sets replaces its own files, and no other" {
	mkdir beir out
	echo '{"_id":"d","text":"t"}' | tee beir/corpus.jsonl >beir/queries.jsonl
	echo '{"mine":1}' >out/corpus.jsonl
	run -2 lh-judge sets beir out
	[[ $output == *out/corpus.jsonl* ]]
	[ "$(cat out/corpus.jsonl)" = '{"mine":1}' ]
	lh-judge sets --force beir out
	lh-judge sets beir out
	[ "$(cat out/corpus.jsonl)" = '{"id":"d","text":"t"}' ]
	echo '{"_id":"d"}' >>beir/queries.jsonl
	run -2 lh-judge sets beir out
	[ "$output" = 'lh-judge: beir/queries.jsonl:2: missing "text" (string)' ]
	[ "$(cat out/queries.jsonl)" = '{"query_id":"d","query_text":"t"}' ]
	no_litter
}

@test "names of measures are checked, and what is accepted is said" {
	for bad in x ndcg@0 ndcg@ ndcg@x p P bpref@5 recall judged '' map, ,map ndcg@1000001 map_cut ndcg@10,ndcg@10 P5; do
		run -2 --separate-stderr lh-judge score --qrels q --measures "$bad" r
		[[ $stderr == 'lh-judge: --measures: '* ]] || { echo "$bad: $stderr"; return 1; }
	done
	run -0 lh-judge score --qrels q --measures ndcg@1000000,ndcg_cut_1000000 r
}

@test "standard input is read once, and qrels are needed" {
	run -2 lh-judge score r
	[ "$output" = 'lh-judge: score needs --qrels FILE' ]
	run -2 lh-judge score --qrels - <q
	[ "$output" = 'lh-judge: standard input can be read only once' ]
	run -2 lh-judge compare --qrels q r
	[[ $output == *'missing operand RUN'* ]]
	run -2 lh-judge ask r
	[ "$output" = 'lh-judge: ask needs --model NAME' ]
	[ "$(lh-judge score --qrels - r <q)" = "$(lh-judge score --qrels q r)" ]
}
