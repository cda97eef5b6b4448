# lh-search --wire and folders of indexes, as lh-serve uses them.
# bats file_tags=quick
load ../helper

# two ID X Y ID X Y - two records of an index.
two() {
	printf '{"id":"%s","vector":[%s,%s]}\n{"id":"%s","vector":[%s,%s]}\n' "$@"
}

# folder - the indexes a and b, of two records each, in i.
folder() {
	mkdir -p i
	two a 1 0 x 0 1 | lh-index build -q i/a.lhv
	two b 1 0 y -1 0 | lh-index build -q i/b.lhv
}

# wire [OPTION]... - the answer to the line on stdin, from the folder i.
wire() {
	lh-search --wire -q --on-error emit "$@" i/ 2>/dev/null || [ $? = 1 ]
}

# fails LINE CODE MESSAGE [OPTION]... - what wire makes of a line.
fails() {
	local got want
	got=$(wire "${@:4}" <<<"$1" | jq -c '[.error.code, .error.message]')
	want=$(jq -nc --argjson code "$2" --arg message "$3" '[$code, $message]')
	[ "$got" = "$want" ] || { echo "$1: $got, not $want"; return 1; }
}

NAME_RULE='1 to 128 of A-Z, a-z, 0-9, _, . and -, the first not a dot'

@test "--wire refuses members that it does not know, and names the one that is meant" {
	folder
	fails '{"query_vector":[1,0],"corpora":["a"],"where":{"a":1}}' 400 '"where" must be an array of strings'
	fails '{"query_vector":[1,0],"corpora":["a"],"metadata_filtre":{"a":1}}' 400 'unknown member "metadata_filtre" (did you mean "metadata_filter"?)'
	fails '{"query_vector":[1,0],"corpora":["a"],"top_k":1}' 400 'unknown member "top_k" (did you mean "k"?)'
	fails '{"query_vector":[1,0],"corpus":"a"}' 400 'unknown member "corpus" (did you mean "corpora"?)'
	fails '{"queri":"x","corpora":["a"]}' 400 'unknown member "queri" (did you mean "query_text"?)'
	fails '{"query_vector":[1,0],"corpora":["a"],"other":null}' 400 'unknown member "other"'
	[ "$(wire --ignore-unknown <<<'{"query_vector":[1,0],"corpora":["a"],"wehre":5}' | jq -c '.results | length')" = 2 ]
	run -1 lh-search --flat i/a.lhv <<<'{"query_vector":[1,0],"filter":{"a":1}}'
	[ "${lines[0]}" = 'lh-search: -:1: unknown member "filter" (did you mean "metadata_filter"?)' ]
	[ "$(lh-search --flat --ignore-unknown i/a.lhv <<<'{"query_vector":[1,0],"wehre":5,"index":"b"}' | wc -l)" = 2 ]
	# what is written back may be anything
	run -0 lh-search -k 0 i/a.lhv <<<'{"query_vector":[1,0],"wehre":{"a":1},"index":5}'
	[ "$output" = '{"wehre":{"a":1},"index":5,"results":[]}' ]
}

@test "--wire prints the body of a matrix search and nothing else, all counts there" {
	folder
	wire <<<'{"query_vector":[1,0],"corpora":["b","a"],"k":3,"id":7,"trace_id":"t"}' >out
	[ "$(cat out)" = '{"results":[{"id":"a","distance":0,"corpus":"a"},{"id":"b","distance":0,"corpus":"b"},{"id":"x","distance":1,"corpus":"a"}],"per_corpus_counts":{"a":2,"b":2},"metadata_filter_dropped":0,"playbook_boosted":0,"playbook_injected":0}' ]
	wire <<<'{"query_vector":[1,0],"corpora":["a","a"],"k":0}' >out
	[ "$(cat out)" = '{"results":[],"per_corpus_counts":{"a":0},"metadata_filter_dropped":0,"playbook_boosted":0,"playbook_injected":0}' ]
	wire <<<'{"query_vector":[1,0],"corpora":["a","b"],"per_corpus_k":1,"exclude_ids":["a"],"use_playbook":true}' >out
	[ "$(cat out)" = '{"results":[{"id":"b","distance":0,"corpus":"b"},{"id":"x","distance":1,"corpus":"a"}],"per_corpus_counts":{"a":1,"b":1},"metadata_filter_dropped":0,"playbook_boosted":0,"playbook_injected":0}' ]
}

@test "a member that other programs call so, or that is misspelt, is an error that names ours, in any form of answer" {
	folder
	for how in "" --flat --wire; do
		for q in filter filters where_filter Filter:metadata_filter limit:k top_k:k topK:k num_results:k score_threshold:min_score \
			distance-threshold:max_distance collection:corpora collection_name:corpora exclude_id:exclude_ids metadata_filtre; do
			name=${q%:*}; ours=${q#*:}
			[ "$ours" != "$q" ] || ours=metadata_filter
			run -1 lh-search $how i/a.lhv <<<"{\"query_vector\":[1,0],\"corpora\":[\"a\"],\"$name\":{\"a\":1}}"
			has -F "unknown member \"$name\" (did you mean \"$ours\"?)" <<<"$output"
		done
		run -1 lh-search $how i/a.lhv <<<'{"query_vector":[1,0],"corpora":["a"],"with_payload":true}'
		has -F 'unknown member "with_payload" (each result has its metadata; --no-metadata leaves them out)' <<<"$output"
		run -1 lh-search $how --ignore-unknown i/a.lhv <<<'{"query_vector":[1,0],"corpora":["a"],"filter":{"a":1}}'
		run -0 lh-search $how --ignore-unknown i/a.lhv <<<'{"query_vector":[1,0],"corpora":["a"],"top_k":1}'
	done
	# what means nothing, or something else, goes through
	run -0 lh-search -k 0 i/a.lhv <<<'{"vector":[1,0],"n":3,"count":2,"role":"x","ids":["a"],"score":1,"rank":1,"corpus":"c"}'
	[ "$output" = '{"n":3,"count":2,"role":"x","ids":["a"],"score":1,"rank":1,"corpus":"c","results":[]}' ]
}

@test "lh-gen queries are searched for as they come, also with --flat" {
	lh-gen workers -n 20 | lh-index build -q w.lhv
	lh-gen queries -n 3 | lh-search --flat -k 2 w.lhv >out
	[ "$(jq -r .rank out | tr -d '\n')" = 121212 ]
}

# bats test_tags=graphs
@test "results, counts and dropped records are those of a second implementation" {
	mkdir i
	for n in 1 2 3; do
		lh-gen workers -n $((n * 40)) --seed $n | lh-index build -q --dimension 64 i/w$n.lhv
		lh-index dump i/w$n.lhv >w$n
	done
	lh-gen queries -n 30 | lh-embed --dimension 64 --field query_text >q
	python3 - <<-'END' >want
	import json
	rows = {n: [json.loads(l) for l in open(n)] for n in ("w1", "w2", "w3")}
	out = open("asked", "w")
	for i, line in enumerate(open("q")):
	    v = json.loads(line)["vector"]
	    ask = {"vector": v, "corpora": [["w3", "w1"], ["w2"], ["w2", "w1", "w3"]][i % 3], "k": i % 12}
	    if i % 2:
	        ask["metadata_filter"] = {"state": ["IL", "OH"]}
	    if i % 5 == 0:
	        ask["exclude_ids"] = ["w-%d" % n for n in range(1, 20)]
	    if i % 7 == 0:
	        ask["per_corpus_k"] = 3
	    out.write(json.dumps(ask) + "\n")
	    found, counts, dropped = [], {}, 0
	    for name in sorted(ask["corpora"]):
	        hits = []
	        for row in rows[name]:
	            if row["id"] in ask.get("exclude_ids", []):
	                continue
	            if i % 2 and row["metadata"]["state"] not in ("IL", "OH"):
	                dropped += ask["k"] > 0
	                continue
	            hits.append((1 - sum(x * y for x, y in zip(v, row["vector"])), name, row["id"]))
	        hits = sorted(hits)[:ask.get("per_corpus_k", ask["k"]) if ask["k"] else 0]
	        counts[name] = len(hits)
	        found += hits
	    ids = [[h[2], h[1], "%.4f" % h[0]] for h in sorted(found)[:ask["k"]]]
	    print(json.dumps([ids, counts, dropped]))
	END
	lh-search --wire i <asked >answers
	python3 - <<-'END' >got
	import json
	for line in open("answers"):
	    a = json.loads(line)
	    ids = [[h["id"], h["corpus"], "%.4f" % h["distance"]] for h in a["results"]]
	    print(json.dumps([ids, a["per_corpus_counts"], a["metadata_filter_dropped"]]))
	END
	[ "$(wc -l <got)" = 30 ]
	diff want got | cut -c1-300; cmp want got
}

@test "each wrong query has its code and a message without a path" {
	folder
	fails '{"vector":[1,0]}' 400 'missing "corpora" (array of strings)'
	fails '{"vector":[1,0],"corpora":["a","none"]}' 404 'no corpus is named "none"; known: "a", "b"'
	fails '{"vector":[1],"corpora":["a"]}' 400 'the query has dimension 1, corpus "a" has 2'
	fails '{"vector":[1,0],"index":"none"}' 404 'no index is named "none"; known: "a", "b"'
	fails '{"vector":[1],"index":"a"}' 400 'the query has dimension 1, corpus "a" has 2'
	fails '{"vector":[0,0],"index":"a"}' 400 'a zero vector has no cosine distance'
	fails '{"vector":[1,0],"index":"a","corpora":["a"]}' 400 '"index" and "corpora" exclude each other'
	fails '{"vector":[1,0],"index":"a","use_playbook":true}' 400 '"use_playbook" does not go with "index"'
}

@test "a vector search has results alone, without the corpus; an empty index gives none" {
	folder
	lh-index build -q --allow-empty --dimension 2 i/none.lhv </dev/null
	wire <<<'{"index":"a","vector":[1,0],"k":1}' >out
	[ "$(cat out)" = '{"results":[{"id":"a","distance":0}]}' ]
	lh-gen workers -n 20 | lh-index build -q --dimension 64 i/w.lhv
	wire <<<'{"index":"w","query_text":"Welder","k":2,"metadata_filter":{"state":"IL"}}' >out
	[ "$(jq -c '[keys, (.results[0] | keys_unsorted), ([.results[].metadata.state] | unique)]' out)" = '[["results"],["id","distance","metadata"],["IL"]]' ]
	wire --no-metadata <<<'{"index":"w","query_text":"Welder","k":1}' | jq -c '.results[0] | keys' >out
	[ "$(cat out)" = '["distance","id"]' ]
	wire <<<'{"index":"none","vector":[1,0]}' >out
	[ "$(cat out)" = '{"results":[]}' ]
	wire <<<'{"corpora":["none"],"vector":[1,0]}' | jq -c '[.results, .per_corpus_counts]' >out
	[ "$(cat out)" = '[[],{"none":0}]' ]
}

@test "no name leads out of the folder, and what is not an index in it is not a corpus" {
	folder
	mkdir i/dir.lhv
	mkfifo i/pipe.lhv
	cp i/a.lhv i/.hidden.lhv
	cp i/a.lhv 'i/a b.lhv'
	cp i/a.lhv secret.lhv
	mkdir p
	cp i/a.lhv p/a.lhv
	long=$(printf '%0128d' 0)
	cp i/a.lhv "i/$long.lhv"
	for name in ../secret ../i/a ./a /etc/passwd .hidden 'a b' '' . .. 'a\u0000' "0$long" 'a/'; do
		for query in '{"vector":[1,0],"corpora":["b","%s"]}' '{"vector":[1,0],"index":"%s"}' \
			'{"vector":[1,0],"corpora":["a"],"use_playbook":true,"playbook_corpus":"%s"}'; do
			line=${query/\%s/$name}
			wire --playbooks p <<<"$line" | jq -r '"\(.error.code) \(.error.message)"' >out
			[[ $(cat out) == 400\ *" is not a name: $NAME_RULE" ]] || { echo "$line: $(cat out)"; false; }
		done
	done
	known="\"$long\", \"a\", \"b\""
	for name in dir pipe a.lhv a.lhv-log; do
		fails '{"vector":[1,0],"corpora":["'"$name"'"]}' 404 "no corpus is named \"$name\"; known: $known"
	done
	wire <<<'{"vector":[1,0],"index":"'"$long"'","k":1}' >out
	[ "$(cat out)" = '{"results":[{"id":"a","distance":0}]}' ]
}

# bats test_tags=graphs
@test "a damaged index fails the queries that name it, with 502, and no other" {
	folder
	cp i/a.lhv whole
	ln -s "$PWD/none" i/lost.lhv
	ln -s "$PWD" i/link.lhv
	for bytes in 0 100 4096 5000; do
		head -c $bytes whole >i/bad.lhv
		for query in '{"vector":[1,0],"corpora":["a","bad"]}' '{"vector":[1,0],"index":"bad"}' \
			'{"vector":[1,0],"corpora":["link"]}' '{"vector":[1,0],"corpora":["lost"]}'; do
			printf '%s\n' "$query" '{"vector":[1,0],"corpora":["a"],"k":1}' | wire -j1 >out
			[ "$(jq -c '.error.code // .results[0].id' out | xargs)" = "502 a" ]
			[[ $(jq -r '.error.message | select(.)' out) == corpus\ \"[bl]*\":\ * ]]
			run ! grep -F "$PWD" out
			run ! grep -F 'i/' out
		done
	done
	rm i/l*.lhv
	# without --wire all corpora are searched
	run -1 --separate-stderr lh-search i <<<'{"vector":[1,0]}'
	[[ "${stderr_lines[0]}" == 'lh-search: -:1: corpus "bad": '* ]]
	[ "$(lh-search --flat i <<<'{"vector":[1,0],"k":2,"corpora":["a","b"]}' | jq -r .id | xargs)" = "a b" ]
}

# bats test_tags=graphs
@test "damage that a search meets is the failure of that query" {
	mkdir i
	{
		printf '{"id":"a","vector":[1,0],"metadata":{"state":"OH","n":1}}\n'
		printf '{"id":"b","vector":[0,1],"metadata":{"state":"IL","n":2}}\n'
	} | lh-index build -q i/a.lhv
	sed -i 's/"OH","n":1}/"OH,"n":11}/' i/a.lhv
	for operand in i i/a.lhv; do
		printf '%s\n' '{"vector":[1,0],"corpora":["a"],"k":1}' '{"vector":[0,1],"corpora":["a"],"k":1}' |
			lh-search --wire -j1 --on-error emit $operand 2>err >out || [ $? = 1 ]
		[ "$(jq -c '[.error.code, .error.message]' <(head -n 1 out))" = '[502,"corpus \"a\": row 0: metadata is not JSON"]' ]
		[ "$(tail -n 1 out | jq -r '.results[0].id')" = b ]
	done
}

# bats test_tags=graphs
@test "a folder, files and a playbook go together, by name and without --wire" {
	folder
	two c 1 0 z 0 -1 | lh-index build -q c.lhv
	lh-search --flat -k 9 i c.lhv <<<'{"vector":[1,0]}' | jq -r '.corpus + " " + .id' >out
	[ "$(xargs <out)" = "a a b b c c a x c z b y" ]
	lh-search --flat -k 1 i/ c.lhv <<<'{"vector":[1,0],"corpora":["c"]}' | jq -r .id >out
	[ "$(cat out)" = c ]
	run -2 --separate-stderr lh-search i a=c.lhv <<<'{"vector":[1,0]}'
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == 'lh-search: two corpora are named "a" ('*'); name one with NAME=FILE' ]]
	run -2 --separate-stderr lh-search none/ <<<'{"vector":[1,0]}'
	[ "$stderr" = "lh-search: none/: cannot read the folder: No such file or directory" ]
	mkdir -p e/d
	cp c.lhv e/d
	run -2 --separate-stderr lh-search e <<<'{"vector":[1,0]}'
	[ -z "$output" ] && [ "$stderr" = 'lh-search: no index in e' ]
	run -2 --separate-stderr lh-search -Q welder e
	[ -z "$output" ] && [ "$stderr" = 'lh-search: no index in e' ]
	# a service may begin without one
	run -1 lh-search --wire e <<<'{"vector":[1,0],"corpora":["c"]}'
	[[ $output == *'no corpus is named "c"'* ]]
}

@test "--playbooks: the query names a playbook of the folder, and asks for it" {
	two a 0.55505 0.831817 b 0.69995 0.714192 | lh-index build -q w.lhv
	mkdir i p
	mv w.lhv i
	for name in playbook_memory other; do
		echo '{"id":"pb-1","vector":[1,0],"metadata":{"query_text":"q","answer_id":"a","answer_corpus":"w","score":1.0,"role":""}}' |
			lh-index build -q p/$name.lhv
	done
	head -c 5000 p/other.lhv >p/bad.lhv
	cp p/other.lhv i/inner.lhv
	counts() { jq -c '[[.results[].id], .playbook_boosted, .playbook_injected]'; }
	query='"vector":[1,0],"corpora":["w"]'
	[ "$(wire --playbooks p <<<"{$query}" | counts)" = '[["b","a"],0,0]' ]
	[ "$(wire --playbooks p <<<"{$query,\"use_playbook\":true}" | counts)" = '[["a","b"],1,0]' ]
	[ "$(wire --playbooks p <<<"{$query,\"use_playbook\":true,\"playbook_corpus\":\"other\"}" | counts)" = '[["a","b"],1,0]' ]
	[ "$(wire --playbooks p <<<"{$query,\"use_playbook\":true,\"playbook_corpus\":\"none\"}" | counts)" = '[["b","a"],0,0]' ]
	# an index is not a playbook of the folder
	[ "$(wire --playbooks p <<<"{$query,\"use_playbook\":true,\"playbook_corpus\":\"inner\"}" | counts)" = '[["b","a"],0,0]' ]
	[ "$(wire --playbooks none <<<"{$query,\"use_playbook\":true}" | counts)" = '[["b","a"],0,0]' ]
	[ "$(wire --playbooks p <<<"{$query,\"use_playbook\":true,\"playbook_corpus\":\"bad\"}" | jq .error.code)" = 502 ]
	# --playbook under --wire is asked for as well
	[ "$(wire --playbook p/other.lhv <<<"{$query}" | counts)" = '[["b","a"],0,0]' ]
	[ "$(wire --playbook p/other.lhv <<<"{$query,\"use_playbook\":true}" | counts)" = '[["a","b"],1,0]' ]
	[ "$(lh-search --playbooks p i/w.lhv <<<'{"vector":[1,0]}' | jq -c 'has("playbook_boosted")')" = false ]
	[ "$(lh-search --playbooks p i/w.lhv <<<'{"vector":[1,0],"use_playbook":true}' | counts)" = '[["a","b"],1,0]' ]
}

@test "--wire --hybrid: retrieve has the shape of search, in a folder in which some have no words" {
	mkdir i p
	for n in 1 2; do
		lh-gen workers -n 60 --seed $n | lh-index build -q --lexical --dimension 64 i/w$n.lhv
	done
	lh-gen workers -n 9 | lh-index build -q --dimension 64 i/plain.lhv
	wire --hybrid --playbooks p <<<'{"query_text":"Welder Aurora","corpora":["w2","w1"],"k":3}' >out
	[ "$(jq -c 'keys_unsorted' out)" = '["results","per_corpus_counts","metadata_filter_dropped","playbook_boosted","playbook_injected"]' ]
	[ "$(jq -c '.per_corpus_counts' out)" = '{"w1":3,"w2":3}' ]
	lh-search --hybrid i/w1.lhv i/w2.lhv <<<'{"query_text":"Welder Aurora","k":3}' >want
	[ "$(jq -c .results out)" = "$(jq -c .results want)" ]
	fails '{"query_text":"a","corpora":["w1","plain"]}' 400 'corpus "plain" has no words to search by: build it with lh-index build --lexical' --hybrid
	# without a text, by the vector alone
	wire --hybrid <<<'{"like":"w1/w-1","corpora":["w2","w1"],"k":4}' >out
	wire <<<'{"like":"w1/w-1","corpora":["w2","w1"],"k":4}' | jq -c '[.results[] | [.corpus, .id]]' >want
	jq -c '[.results[] | select((.score - 1 + .distance) * 1e6 | fabs < 1) | [.corpus, .id]]' out | cmp - want
}

@test "retrieve learns as search does: boosts, injections, the role gate and exclusions, by a score computed anew" {
	mkdir i p
	lh-gen workers -n 400 | lh-index build -q --lexical i/w.lhv
	prose='TIG pipe work with OSHA-10'
	order='Need 2 Welders in Gary IN starting at 07:00 for Acme'
	for text in "$prose" "$order"; do
		wire --hybrid <<<'{"query_text":"'"$text"'","corpora":["w"],"k":400}' >all
		near=$(jq -r '.results[4].id' all) far=$(jq -r '.results[300].id' all)
		rm -f p/*
		for id in $near $far; do
			echo '{"query_text":"'"$text"'","answer_id":"'"$id"'","answer_corpus":"w","score":1,"role":"Welder"}'
		done | lh-playbook record -q p/playbook_memory.lhv 2>/dev/null
		for mode in '' --hybrid; do
			ask='{"query_text":"'"$text"'","corpora":["w"],"use_playbook":true,"query_role":"Welders","k":10'
			wire $mode --playbooks p <<<"$ask"'}' >out
			[ "$(jq -c '[.playbook_injected, (.results | length), .results[0].id, .results[0].playbook.original_distance < 1e-6]' out)" = '[1,10,"'"$far"'",true]' ]
			jq -e --arg near "$near" '.results[] | select(.id == $near).playbook | has("boosted") or has("injected")' out
			wire $mode --playbooks p <<<"${ask/Welders/CNC Operators}}" | jq -e '.playbook_boosted + .playbook_injected == 0'
			wire $mode --playbooks p <<<"$ask"',"exclude_ids":["'"$far"'"]}' | jq -e --arg far "$far" 'all(.results[]; .id != $far)'
		done
		# out is of --hybrid: the score is that of the distance that the result has now
		jq -e --slurpfile all all --arg near "$near" '
			([$all[0].results[] | select(.id == $near)] | first) as $was | (.results[] | select(.id == $near)) as $is |
			$is.score > $was.score and $is.distance < $was.distance' out
		jq -c '[.results[].score] | . == (sort | reverse)' out | cmp - <(echo true)
	done
}

@test "search and retrieve are one command, but for the words, so that their members are the same" {
	LH_SUBJECT_AUDIT_KEY='' lh-serve --print-config --state . |
		jq -c '.routes[] | select(.route | test("/matrix/(search|retrieve)$")) | [(.run - ["--hybrid"]), .members, .path]' | sort -u >runs
	[ "$(wc -l <runs)" = 1 ]
}

# bats test_tags=graphs
@test "a corpus answers alike alone, in a folder, by any number of threads" {
	mkdir i
	for n in 1 2 3 4 5 6; do
		lh-gen workers -n 300 --seed $n | lh-index build -q -j1 --dimension 64 --exact-below 100 i/w$n.lhv
	done
	lh-gen queries -n 300 | jq -c '. + {corpora: ["w\(input_line_number % 6 + 1)", "w2"]} +
		(if input_line_number % 3 == 0 then {metadata_filter: {state: .state}} else {} end)' >q
	lh-search --wire --ignore-unknown -j1 i <q >want
	lh-search --wire --ignore-unknown -j1 i/*.lhv <q | cmp - want
	lh-search --wire --ignore-unknown -j8 i <q | cmp - want
	[ "$(jq -s 'map(.results | length) | add' want)" -gt 2000 ]
	lh-search -j1 i/*.lhv <q | jq -c .results >plain
	jq -c .results want | cmp - plain
}

@test "hundreds of corpora: found by name, and only those of the query are opened" {
	mkdir i
	two a 1 0 x 0 1 | lh-index build -q i/c000.lhv
	for n in {001..399}; do cp i/c000.lhv i/c$n.lhv; done
	head -c 99 i/c000.lhv >i/bad.lhv
	for n in 000 007 200 398 399; do
		[ "$(wire <<<'{"vector":[1,0],"corpora":["c'$n'"],"k":1}' | jq -r '.results[0].corpus')" = c$n ]
	done
	jq -nc '{vector: [1, 0], k: 5, per_corpus_k: 1, corpora: [range(400) | "c" + ("00\(.)" | .[-3:])] | reverse}' >q
	wire <q >out
	[ "$(jq -c '[.results[].corpus]' out)" = '["c000","c001","c002","c003","c004"]' ]
	[ "$(jq -c '.per_corpus_counts | [length, add]' out)" = '[400,400]' ]
	needs_strace
	strace -f -qq -o trace -e trace=openat lh-search --wire i <<<'{"vector":[1,0],"corpora":["c200"]}' >out
	[ "$(grep -c '\.lhv"' trace)" = 1 ]
}

@test "the options that exclude each other, with --wire and --playbooks" {
	folder
	for words in "--wire --flat" "--wire -Q x" "--playbook a --playbooks b"; do
		run -2 --separate-stderr lh-search $words i
		[ -z "$output" ]
		[[ "${#stderr_lines[@]}" = 1 && $stderr == *"exclude each other" ]]
	done
}

# confined OPTION... - hold the answers to the file queries, of the state all under a scope, against
# those of the state mine, which has the records and the entries in it alone.
confined() {
	search() {
		lh-search --wire --exact -q --on-error emit --playbooks "$1/playbook" "${@:2}" "$1/index" 2>/dev/null || [ $? = 1 ]
	}
	search mine "$@" <queries | sed 's/"metadata_filter_dropped":[0-9]*,//' >want
	jq -c '.scope = {corpora: ["workers", "good"], filter: {state: "OH"}}' queries | search all "$@" >got
	[ "$(wc -l <want)" = "$(wc -l <queries)" ]
	diff want got | cut -c1-300
	cmp want got
}

@test "a search with a scope is that of indexes without the records beyond it: results, counts, suggestions, errors, words, playbooks" {
	mkdir -p {all,mine}/index
	lh-gen workers -n 300 --seed 3 >w.jsonl
	jq -c 'select(.state == "OH")' w.jsonl >oh.jsonl
	[ "$(wc -l <oh.jsonl)" -gt 20 ]
	for s in all mine; do
		[ $s = all ] && from=w.jsonl || from=oh.jsonl
		head -n 200 $from | lh-index build -q --lexical $s/index/workers.lhv
		tail -n +150 $from | lh-index add -q $s/index/workers.lhv		# some of them again, in the log
	done
	mkdir -p {all,mine}/playbook
	entry='{op: "record", corpus: "good", query_text: "truck driver in Ohio", answer_id: .id, answer_corpus: "workers", score: 0.9}'
	jq -c "select(.state != \"OH\") | $entry" w.jsonl | sed -n 1,20p >others
	jq -c "$entry" oh.jsonl | sed -n 1,2p >own
	cat others own | lh-playbook requests -q --indexes all/index all/playbook >/dev/null
	lh-playbook requests -q --indexes mine/index mine/playbook <own >/dev/null
	lh-index build -q all/index/other.lhv oh.jsonl
	q='"corpora":["workers"],"k":50,"query_text"'
	printf '%s\n' "{$q:\"truck driver in Cincinnati\"}" "{$q:\"forklift\",\"metadata_filter\":{\"role\":\"Welder\"}}" \
		"{$q:\"forklift\",\"metadata_filter\":{\"nokey\":1}}" "{$q:\"forklift\",\"metadata_filter\":{\"city\":\"Chicago\"}}" \
		"{$q:\"x\",\"metadata_filter\":{\"or\":[{\"city\":\"Gary\"},{\"stat\":1}]}}" "{$q:\"x\",\"metadata_filter\":{\"city\":\"Cincinati\"}}" \
		'{"query_text":"x","corpora":["other"]}' '{"query_text":"x","index":"other"}' '{"query_text":"y","index":"workers","k":3}' >queries
	# a record beyond the scope cannot be liked, nor told from one that is not there
	for id in $(jq -r .id <oh.jsonl | sed -n 3p) $(jq -r 'select(.state != "OH") | .id' w.jsonl | sed -n 5p) none; do
		printf '%s\n' "{\"corpora\":[\"workers\"],\"like\":\"$id\"}" "{\"corpora\":[\"workers\"],\"like\":[\"workers/$id\",\"none\"]}"
	done >>queries
	confined
	has '"error":{"file":"-","line":7,"code":404,"message":"no corpus is named \\"other\\"; known: \\"workers\\""' <got
	confined --hybrid
	# a playbook brings near what it would without the entries for others
	echo "{$q:\"truck driver in Ohio\",\"use_playbook\":true,\"playbook_corpus\":\"good\",\"playbook_max_inject_distance\":2}" >queries
	confined
	has '"playbook":{"id":' <got
	# what would count the others is an error, and what is not named is not there
	for more in '"budget":3' '"explain":true'; do
		wire=$(lh-search --wire -q --on-error emit all/index <<<"{$q:\"x\",$more,\"scope\":{\"filter\":{\"state\":\"OH\"}}}" 2>/dev/null || [ $? = 1 ])
		[[ $wire == *'is not for a search that is confined to some records'* ]]
	done
	jq -c '.scope = {corpora: ["workers"]}' queries | lh-search --wire -q --playbooks all/playbook all/index | has '"playbook_boosted":0,"playbook_injected":0'
}
