# lh-search --budget, --timeout and --explain: what ends a search first, and what it did.
# bats file_tags=quick
load ../helper
load ../index
load ../servers/serve

teardown() {
	stop_serves
}

# fits [OPTION]... - check the answers on stdin by the schema that --describe has of them.
fits() {
	lh-search "$@" --describe | jq -c '.operations[0].output' >schema
	lh-validate -q --schema schema >verdicts
	[ -s verdicts ]
}

# ask [OPTION]... - the answers to q, all distances measured; 1 if one is truncated
ask() {
	lh-search --exact --explain "$@" <q
}

# abc - 90 records in a.lhv, and four queries
abc() {
	rows 1 90 >in
	lh-index build -q a.lhv in
	rows 91 94 | jq -c '{id, vector, k: 5}' >q
}

# bats test_tags=full
@test "explain: layout, ef, rows walked and measured, filter, restarts, bytes, of the shape that --describe has" {
	lh-gen workers -n 3000 >in
	lh-index build -q --lexical qg.lhv in
	lh-search --explain -k 3 -Q welder qg.lhv >out
	fits <out
	jq -e '.explain | .layout == "qg" and .ef == 64 and .walked > 0 and .measured >= .walked / 2 and
		.measured < 3000 and .restarts == 0 and .bytes_read > .measured * 768 and (has("filter") or has("corpus") | not)' out
	[ "$(lh-search --explain --exact -Q welder qg.lhv | jq -c '.explain | [.ef, .walked, .measured]')" = '[0,0,3000]' ]
	lh-search --explain --where state=WI -Q welder qg.lhv >out
	fits <out
	jq -e '.explain.filter == "scanned" and .explain.measured + .metadata_filter_dropped == 3000' out
	lh-search --explain --hybrid -Q welder qg.lhv | fits
	lh-gen workers -n 20000 | lh-index build -q --dimension 64 many.lhv
	lh-search --explain --where status=active -k 1 --ef 20 -Q welder many.lhv >out
	fits <out
	[ "$(jq -r .explain.filter out)" = walked ]
	[ "$(lh-search -Q welder qg.lhv | jq -c keys_unsorted)" = '["query_text","results"]' ]
}

@test "nothing in an answer with explain tells whether an excluded record passes the filter, in the file or pending" {
	for n in 7 8 9; do
		echo '{"id":"w-'$n'","text":"nurse '$n'","metadata":{"candidate_id":"w-'$n'","phone":"'$n'59-555"}}'
	done | lh-embed --engine hash --field text >records
	head -n 2 records | lh-index build -q --lexical w.lhv
	tail -n 1 records | lh-index add -q w.lhv
	for id in w-7 w-9; do
		for way in '' --exact --hybrid; do
			for phone in 1 99; do
				lh-search $way w.lhv <<<'{"query_text":"nurse","k":2,"explain":true,"exclude_ids":["'$id'"],"metadata_filter":{"candidate_id":"'$id'","phone":{"gte":"'$phone'"}}}' |
					sed 's/"gte":"[0-9]*"//' >of-$phone
			done
			alike of-1 of-99
		done
	done
}

@test "explain: a list of several corpora; true in a query, also with --wire" {
	abc
	[ "$(ask a.lhv | jq -c '.explain | [.measured, has("corpus")]' | sort -u)" = '[90,false]' ]
	ask a.lhv b=a.lhv | tee out | fits
	[ "$(jq -c '.explain | map([.corpus, .measured])' out | sort -u)" = '[["a",90],["b",90]]' ]
	# an answer that is searched for again has nothing of itself
	jq -c '.vector = [1,0,0,0,0,0,0,0]' out | lh-search a.lhv | jq -se 'all(has("explain") | not)'
	run -1 lh-search --wire --exact -q a.lhv <<<"$(jq -c '. + {corpora: ["a"], explain: true, budget: 3}' q)"
	fits --wire <<<"$output"
	[ "$(jq -c '[(.results | length), .truncated, .explain.measured, .per_corpus_counts]' <<<"$output" | sort -u)" = '[3,true,3,{"a":3}]' ]
	run -1 lh-search a.lhv <<<'{"vector":[1],"explain":1}'
	[[ $output == *'"explain" must be true or false'* ]]
	run -1 lh-search --flat a.lhv <<<'{"vector":[1],"explain":true}'
	[[ $output == *'"explain" does not go with --flat'* ]]
	run -2 lh-search --flat --explain a.lhv
}

@test "--budget: no more rows are measured, over all corpora; then truncated and exit status 1, else the whole answer" {
	abc
	for corpora in a.lhv "a.lhv b=a.lhv c=a.lhv"; do
		ask $corpora >want
		for budget in 1 4 40 90 100 270; do
			rc=0
			ask --budget $budget $corpora >out || rc=$?
			jq -se --argjson budget $budget 'all([.explain] | flatten | map(.measured) | add <= $budget)' out
			jq -se --argjson rc $rc 'any(.truncated) == ($rc == 1) and all(.truncated or (.results | length) == 5)' out
			[ $budget != 1 ] || [ "$(jq -c '[.truncated, (.results | length)]' out | sort -u)" = '[true,1]' ]
		done
		[ $rc = 0 ]
		cmp want out
	done
	# a query can lower the limit, not raise it
	for budgets in "3 50" "50 3"; do
		read -r option member <<<"$budgets"
		jq -c --argjson n "$member" '.budget = $n' q >b
		run -1 lh-search --explain --exact --budget "$option" a.lhv <b
		[ "$(jq .explain.measured <<<"$output" | sort -u)" = 3 ]
	done
	run -2 lh-search --budget 0 a.lhv
	run -1 lh-search a.lhv <<<'{"vector":[1],"budget":0}'
	[[ $output == *'"budget" must be a whole number, 1 or more'* ]]
}

# bats test_tags=full
@test "--budget over the graph, with a filter, with --hybrid: what comes are records that match, and more budget finds no worse" {
	lh-gen workers -n 3000 | lh-index build -q --lexical w.lhv
	for args in "" "--where state=IL" "--hybrid" "--hybrid --where state=IL"; do
		was=2
		lh-search $args -Q 'TIG welder in Gary' w.lhv >want
		for budget in 1 50 1000 100000; do
			rc=0
			lh-search --explain $args --budget $budget -Q 'TIG welder in Gary' w.lhv >out || rc=$?
			jq -e --argjson budget $budget --argjson rc $rc '.explain.measured <= $budget and (.truncated == true) == ($rc == 1)' out
			[[ $args != *IL* ]] || jq -e 'all(.results[]; .metadata.state == "IL")' out
			[ "$budget" != 1 ] || [ "$rc" = 1 ]
		done
		[ "$rc" = 0 ]
		jq -c 'del(.explain)' out | cmp - <(jq -c . want)
	done
}

@test "--timeout and timeout_ms: the answer is whole, or says that it is truncated; a time over at the start finds nothing" {
	abc
	for corpora in a.lhv "a.lhv b=a.lhv"; do
		ask $corpora >want
		run -1 lh-search --exact --timeout 0.000000001 $corpora <q
		[ "$(jq -c '[.results, .truncated]' <<<"$output" | sort -u)" = '[[],true]' ]
		ask --timeout 1000 $corpora | cmp - want
		jq -c '.timeout_ms = 1' q | lh-search --exact --explain $corpora >out || [ $? = 1 ]
		paste -d '\n' want out | jq -s '[_nwise(2)] | all(.[1].truncated or .[0].results == .[1].results)' | grep -qx true
	done
	lh-gen workers -n 300 | lh-index build -q --lexical w.lhv
	run -1 lh-search --hybrid --timeout 0.000000001 -Q welder w.lhv
	jq -e '.results == [] and .truncated' <<<"$output"
	run -1 lh-search --flat --timeout 0.000000001 -Q welder w.lhv
	[ -z "$output" ]
	run -1 lh-search --flat --budget 2 -Q welder w.lhv
	[ "$(jq -c '[.rank, .truncated]' <<<"$output" | tr -d '\n')" = '[1,true][2,true]' ]
}

@test "a playbook is searched last, within the same budget" {
	lh-gen workers -n 40 | lh-index build -q p.lhv
	echo '{"query_text":"welder in Gary","answer_id":"w-3","answer_corpus":"p","score":0.9}' | lh-playbook record -q good.lhv
	run -1 lh-search --budget 40 --playbook good.lhv -k 1 -Q 'welder in Gary' p.lhv
	[ "$(jq -c '[.truncated, .playbook_boosted + .playbook_injected]' <<<"$output")" = '[true,0]' ]
	echo '{"query":"welder in Gary","k":1,"explain":true}' | lh-search --budget 41 --playbook good.lhv p.lhv >out
	fits <out
	[ "$(jq -c '[.truncated, .playbook_boosted + .playbook_injected]' out)" = '[null,1]' ]
	[ "$(jq -c '.explain | map([.corpus, .measured])' out)" = '[["p",40],["playbook_memory",1]]' ]
}

# bats test_tags=full
@test "as many results as match: with filters, exclusions, pending and deleted records, k over the index, a hybrid" {
	lh-gen workers -n 400 >in
	lh-index build -q --lexical a.lhv <(head -300 in)
	lh-index add -q a.lhv <(tail -100 in)
	lh-gen queries -n 20 | jq -c '{query_text}' >q
	for state in IL WI KY; do
		n=$(jq -s --arg s $state 'map(select(.state == $s)) | length' in)
		excluded=$(jq -sr --arg s $state 'map(select(.state == $s))[0].id' in)
		for k in 5 1000; do
			want=$((n - 1 < k ? n - 1 : k))
			for args in a.lhv "--hybrid a.lhv" "--ef 1 a.lhv"; do
				lh-search -k $k --where state=$state --exclude "$excluded" $args <q >out
				[ "$(jq '.results | length' out | sort -u)" = $want ] || { echo "$state $k $args"; return 1; }
			done
		done
	done
	jq -c 'select(.state == "IL") | {id}' in | lh-index delete -q a.lhv -
	[ "$(lh-search -k 1000 a.lhv <q | jq '.results | length' | sort -u)" = "$(grep -vc '"state":"IL"' in)" ]
}

@test "POST /v1/matrix/search, retrieve, an index: 200 with truncated and explain; a client cannot raise the limit; MCP says truncated" {
	mkdir -p s/index
	lh-gen workers -n 50 | lh-index build -q --lexical s/index/w.lhv
	start_serve --state s
	for route in matrix/search matrix/retrieve vectors/search; do
		body='{"query_text":"welder","corpora":["w"],"explain":true,"timeout_ms":60000}'
		[ $route != vectors/search ] || body='{"query_text":"welder","index":"w","explain":true}'
		post /v1/$route "$body" -w '%{http_code}' >out
		[ "$(tail -c 3 out)" = 200 ]
		[ "$(head -c -3 out | jq -c '[.explain.measured, .truncated]')" = '[50,null]' ]
		post /v1/$route "${body%\}},\"budget\":1}" -w '%{http_code}' >out
		[ "$(tail -c 3 out)" = 200 ]
		[ "$(head -c -3 out | jq -c '[.explain.measured, .truncated, (.results | length)]')" = '[1,true,1]' ]
	done
	[ "$(post /v1/matrix/search '{"query_text":"welder","corpora":["w"],"budget":0}' -w '%{http_code}' | tail -c 3)" = 400 ]
	stop_serves
	jq -n '{state: "s", routes: [{route: "POST /v1/matrix/search", read: true, run: ["lh-search", "--wire", "-q", "--on-error", "emit", "--budget", "2", "s/index"]}]}' >config
	start_serve --config config
	[ "$(post /v1/matrix/search '{"query_text":"welder","corpora":["w"],"budget":9}' | jq -c '[.truncated, (.results | length)]')" = '[true,2]' ]
	curl -sS -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -H 'mcp-protocol-version: 2025-11-25' "$URL/mcp" \
		-d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"welder","corpus":"w"}}}' >out
	[ "$(jq -c '.result.structuredContent | [.truncated, .count]' out)" = '[true,2]' ]
}

@test "lh-show has explain as a line, and says truncated; lh-merge adds both up" {
	abc
	run -1 lh-search --exact --explain --budget 3 a.lhv <<<"$(head -1 q)"
	lh-show <<<"$output" >shown
	grep -qx '= truncated: a limit ended the search, more may match' shown
	grep -qxE '= explain: .*"layout":"[a-z]+".*"measured":3.*' shown
	echo "$output" >1
	ask a.lhv | head -1 >2
	run -1 lh-merge 1 2 2
	jq -e '.truncated and (.explain | map(.measured)) == [3, 90, 90]' <<<"$output"
	run -1 lh-merge <<<"$(cat 1 2 2)"
	jq -e '.truncated and (.explain | map(.measured)) == [3, 90, 90]' <<<"$output"
	lh-merge 2 2 | jq -e 'has("truncated") | not'
}
