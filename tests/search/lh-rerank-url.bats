# lh-rerank and lh-search by a service on loopback that answers well, or badly in one way.
load ../helper
load ../embedding
load ../servers/server

setup_file() {
	start_server rerank.py --log "$BATS_FILE_TMPDIR/log"
	export URL
}

teardown_file() { stop_upstreams; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	share_log
	unset LH_RERANK_API_KEY
	echo '{"query_text":"a b","results":[{"text":"c"},{"text":"a b"},{"text":"b c"},{"text":""}]}' >in
}

teardown() {
	stop_upstreams
	faults_happened
}

# rerank SHAPE [OPTION]... - by the shared service.
rerank() {
	lh-rerank --rerank-url "$URL/mode/ok/$1/rerank" "${@:2}"
}

@test "the services of llama.cpp, Jina and Cohere are asked with documents, and TEI with texts" {
	local shape
	for shape in llama jina cohere tei; do
		rerank $shape in >out
		[ "$(jq -c '[.results[] | [.text, .rerank_score]]' out)" = \
			'[["a b",0.997],["b c",0.497],["",0],["c",-0.001]]' ] || { echo $shape; cat out; return 1; }
	done
	[ "$(jq -c '.asked | keys' log | uniq -c | awk '{ print $1, $2 }' | paste -sd' ')" = \
		'4 ["documents","query"] 1 ["query","texts"]' ]
	[ "$(jq -c '.asked | .documents // .texts' log | sort -u)" = '["c","a b","b c",""]' ]
	rerank llama --model 'a model' in >out
	[ "$(tail -n 1 log | jq -c '.asked.model')" = '"a model"' ]
}

@test "an answer in another order gives the same scores, bit for bit" {
	rerank llama in >out
	lh-rerank --rerank-url "$URL/mode/shuffled/llama/rerank" in | cmp - out
}

@test "a path that ends in rerank is used as it is, and /rerank is appended to any other" {
	local at=$URL/mode/ok/llama base
	for base in "$at" "$at/" "$at/rerank" "$at/rerank/" "$at/rerank?x=/y" "$at?x=rerank" "$at/v2/rerank"; do
		lh-rerank --rerank-url "$base" in >out
	done
	[ "$(jq -r .path log | sed 's,/mode/ok/llama,,' | paste -sd' ')" = \
		"/rerank /rerank /rerank /rerank/ /rerank?x=/y /rerank?x=rerank /v2/rerank" ]
	run -2 lh-rerank --rerank-url h:1 in
	[ "$output" = 'lh-rerank: --rerank-url: "h:1" is not an http:// or https:// address' ]
}

@test "a record is one call, however many results it has, and one without results none" {
	{ jq -nc '{query: "a", results: [range(3000) | {text: "a \(.)"}]}'
	  echo '{"query":"a","results":[]}'; } >many
	rerank llama many | jq -c '.results | length' | paste -sd' ' | has -x '3000 0'
	[ "$(wc -l <log)" = 1 ]
}

@test "the key is sent from the environment, and not shown where the service quotes it" {
	start_server rerank.py --log log --key sk-right
	LH_RERANK_API_KEY=sk-right lh-rerank --rerank-url "$URL" in >out
	[ "$(jq -r .auth log)" = 'Bearer sk-right' ]
	LH_RERANK_API_KEY=sk-wrong run -2 lh-rerank --rerank-url "$URL" in
	[[ $output == "lh-rerank: $URL/rerank: HTTP 401: "* && $output != *sk-wrong* ]]
	LH_RERANK_API_KEY=sk-right run -2 lh-rerank --rerank-url "$URL/mode/telltale/llama" in
	[[ $output == *'bad key ***, I mean ***'* ]]
	LH_RERANK_API_KEY='a b' run -2 lh-rerank --rerank-url "$URL" in
	[[ $output == *'LH_RERANK_API_KEY: holds white space'* ]]
}

@test "the trace_id of a record goes along" {
	jq -c '.trace_id = "t-1"' in | rerank llama >out
	[ "$(jq -r .trace log)" = t-1 ]
}

@test "an answer that is not one score for each index ends the run with 2, saying which" {
	local mode message
	while read -r mode message; do
		run -2 --separate-stderr lh-rerank --retries 0 --rerank-url "$URL/mode/$mode/llama/rerank" in
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ]
		[[ $stderr == "lh-rerank: $URL/mode/$mode/llama/rerank: HTTP $message"* ]] || { echo "$stderr"; return 1; }
	done <<-'END'
		few 200: 3 results for 4 texts
		many 200: result 5: "index" must be a whole number from 0 to 3
		twice 200: result 2: index 0 is there twice
		negative 200: result 1: "index" must be a whole number from 0 to 3
		fraction 200: result 1: "index" must be a whole number from 0 to 3
		unnumbered 200: result 1: missing "index" (whole number from 0 to 3)
		words 200: result 1: "relevance_score" must be a number
		null 200: result 1: missing "relevance_score" (number)
		nan 200: not JSON at byte
		beyond 200: result 1: its score is out of range
		bare 200: result 1: must be an object
		object 200: not a list of results
		odd 200: no "results" in the answer
		html 200: not JSON at byte 1
		truncated 200: not JSON at byte
		nocontent 204
		error 500: out of
		missing 404:
	END
}

@test "a service that refuses documents and texts is quoted with both answers" {
	run -2 --separate-stderr lh-rerank --rerank-url "$URL/mode/bad/llama/rerank" in
	[[ $stderr == *'HTTP 400: {"error": "no documents"}; with "texts": '*'HTTP 400: {"error": "no texts"}' ]]
	[ "$(wc -l <log)" = 2 ]
}

@test "with --on-error emit a failure is the error of its record, 502, and the run goes on" {
	local word
	for word in good few twice words unavailable garbage resetnow good; do
		jq -c --arg w "$word" '{id: $w, query: $w, results}' in
	done >all
	run -1 --separate-stderr lh-rerank -j1 --retries 0 --on-error emit --rerank-url "$URL/mode/texts/llama" all
	[ "${#lines[@]}" = 8 ]
	[ "$(printf '%s\n' "${lines[@]}" | jq -c '.error.code // 0' | paste -sd' ')" = '0 502 502 502 502 502 502 0' ]
	[ "$(printf '%s\n' "${lines[@]}" | jq -r .id | paste -sd' ')" = 'good few twice words unavailable garbage resetnow good' ]
}

@test "calls of several records are made at the same time, and answered in order" {
	start_server rerank.py --gather 3
	for word in a b c; do jq -c --arg w $word '{query: $w, results}' in; done >all
	lh-rerank -j3 --rerank-url "$URL" all | jq -r .query | paste -sd' ' | has -x 'a b c'
}

@test "lh-search --rerank-url orders its results by the service" {
	for text in 'c d' 'a b' 'b c'; do echo "{\"id\":\"$text\",\"text\":\"$text\"}"; done | lh-index build w.lhv
	lh-search -k 2 --rerank m --rerank-url "$URL/mode/ok/tei" -Q 'a b' w.lhv >out
	[ "$(jq -c '[.results[] | [.id, .rerank_score]]' out)" = '[["a b",0.997],["b c",0.497]]' ]
	[ "$(first 1 <log | jq -c .asked.model)" = '"m"' ]
	least=$(jq '.results[0].rerank_score' out)
	[ "$(lh-search --rerank-url "$URL/mode/ok/tei" --min-score "$least" -Q 'a b' w.lhv | jq -c .results)" = "$(jq -c '.results[:1]' out)" ]
	[ "$(lh-search -k 1 --offset 1 --rerank-url "$URL/mode/ok/tei" -Q 'a b' w.lhv | jq -c .results)" = "$(jq -c '.results[1:]' out)" ]
	run -2 lh-search --rerank-url "$URL/mode/few/llama" -Q 'a b' w.lhv
	[[ $output == *"2 results for 3 texts"* ]]
	run -1 --separate-stderr lh-search --on-error emit --rerank-url "$URL/mode/few/llama" w.lhv <<<'{"query_text":"a b"}'
	[ "$(jq -c .error.code <<<"$output")" = 502 ]
}
