# What a service that is down, slow or wrong costs: with --on-error emit the records
# that it was asked for, and never the process.  And the trace id, which goes out
# with each call and comes back.
# bats file_tags=long
load ../helper
load ../servers/server

teardown() {
	stop_upstreams
	unset LH_TRACE_ID
}

# codes [FILE] - of each line its error's code, or "ok"
codes() {
	jq -r 'if has("error") then (.error | objects | .code) // .code else "ok" end' "$@" | xargs
}

# bats test_tags=plain-only
@test "lh-embed outlives each way in which a service fails, record by record" {
	start_upstream --mode texts
	for t in a unavailable b error garbage few c nan odd resetnow silent missing d; do echo "{\"id\":\"$t\",\"text\":\"$t\"}"; done >in
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL" --batch 1 -j1 --retries 0 --timeout 15 --on-error emit --rejects bad in
	[ "$(codes <<<"$output")" = 'ok 502 ok 502 502 502 ok 502 502 502 504 502 ok' ]
	[ "$(jq -r .id <<<"$output" | xargs)" = "$(jq -r .id in | xargs)" ]
	[ "$(jq -r 'select(.id == "unavailable").error.message' <<<"$output")" = "$URL/api/embed: HTTP 503: starting" ]
	[ "$(jq -r .id bad | wc -l)" = 9 ]
	run -1 --separate-stderr lh-embed --engine openai --url "$URL" --batch 1 -j4 --retries 0 --timeout 15 --on-error emit in
	[ "$(codes <<<"$output")" = 'ok 502 ok 502 502 502 ok 502 502 502 504 502 ok' ]
}

# bats test_tags=plain-only
@test "lh-embed --wire answers each request of a service that fails, and goes on when it is back" {
	start_upstream --mode texts --port "$(free_port)"
	for t in a unavailable error silent b; do echo "{\"texts\":[\"$t\"]}"; done >in
	run -1 --separate-stderr lh-embed --wire go --engine ollama --url "$URL" --batch 1 -j1 --retries 0 --timeout 15 --on-error emit in
	[ "$(codes <<<"$output")" = 'ok 502 502 504 ok' ]
	stop_upstreams
	coproc lh-embed --wire rust --engine ollama --url "$URL" -j1 --retries 0 --on-error emit 2>err
	pid=$COPROC_PID
	echo '{"texts":["a"]}' >&"${COPROC[1]}"
	read -r -t "$LH_PATIENCE" line <&"${COPROC[0]}"
	[ "$(jq .error.code <<<"$line")" = 502 ]
	start_upstream --port "${URL##*:}"
	echo '{"texts":["a"]}' >&"${COPROC[1]}"
	read -r -t "$LH_PATIENCE" line <&"${COPROC[0]}"
	[ "$(jq '.embeddings | length' <<<"$line")" = 1 ]
	exec {COPROC[1]}>&-
	wait "$pid" || [ $? = 1 ]
}

@test "without emit the first failure of a service ends the run, with what was answered before it" {
	start_upstream --mode texts
	printf '{"text":"%s"}\n' a unavailable b >in
	for how in skip stop; do
		run -2 --separate-stderr lh-embed --engine ollama --url "$URL" --batch 1 -j1 --retries 0 --on-error $how in
		[ "$(jq -r .text <<<"$output")" = a ]
		[ "$stderr" = "lh-embed: $URL/api/embed: HTTP 503: starting" ]
	done
	printf '{"id":"%s","text":"%s"}\n' a a unavailable unavailable b b >in
	run -2 lh-index build --engine ollama --url "$URL" i.lhv in
	[ ! -e i.lhv ]
	printf '{"id":"%s","text":"%s"}\n' a a b b >good
	lh-index build --engine ollama --url "$URL" i.lhv good
	run -2 --separate-stderr lh-search -j1 i.lhv <in
	[[ $stderr == *'HTTP 503: starting' ]]
}

@test "with emit a service that is down is exit 1 in every tool, without it 2, as each page says" {
	start_upstream --mode texts
	printf '{"id":"%s","text":"%s"}\n' a a b b >good
	lh-index build -q --engine ollama --url "$URL" i.lhv good
	lh-index build -q h.lhv good
	echo '{"query_text":"a","answer_id":"a","answer_corpus":"i","score":1}' >entry
	lh-playbook record -q --engine ollama --url "$URL" p.lhv entry
	stop_upstreams
	export LH_OLLAMA_URL=$URL
	echo '{"id":"1","model":"ollama/x","query_text":"q","role":"r","city":"c","state":"s","client":"d","text":"q"}' >query
	echo '{"model":"ollama/x","prompt":"hi","kind":"email"}' >prompt
	while read -r input tool; do
		run -1 --separate-stderr bash -c "$tool --on-error emit <$input"
		[ "$(grep -c '"code":502\|"error":"502 ' <<<"$output")" = 1 ] || { echo "$tool: $output"; return 1; }
		run -2 --separate-stderr bash -c "$tool <$input"
		sed -n '/^.Sh EXIT STATUS/,/^.Sh EXAMPLES/p' "$ROOT/man/${tool%% *}.1" | grep -- '-on-error Cm emit'
	done <<-END
	query lh-embed --engine ollama --url $URL --retries 0
	query lh-search i.lhv
	query lh-index add i.lhv
	entry lh-playbook record p.lhv
	query lh-lift --judge-model ollama/x --retries 0 h.lhv
	prompt lh-chat --retries 0
	prompt lh-iterate --retries 0
	END
}

@test "a call that fails costs its texts alone, a text that is asked for again gets another chance" {
	start_upstream --mode texts --log log
	printf '{"text":"%s"}\n' a b few c d e >in
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL" --batch 2 -j1 --retries 0 --on-error emit in
	[ "$(codes <<<"$output")" = 'ok ok 502 502 ok ok' ]
	start_upstream --mode late --log late
	printf '{"text":"%s"}\n' a b c a >in
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL" --batch 1 -j1 --retries 0 --on-error emit in
	[ "$(codes <<<"$output")" = 'ok ok 502 ok' ]
	start_upstream --mode flaky
	printf '{"text":"%s"}\n' a a >in
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL" --batch 1 -j1 --retries 0 --on-error emit in
	[ "$(codes <<<"$output")" = '502 ok' ]
}

@test "a dimension of an answer that is refused binds no later one" {
	start_upstream --mode texts
	printf '{"text":"%s"}\n' nan a b >in
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL" --batch 1 -j1 --on-error emit in
	[ "$(codes <<<"$output")" = '502 ok ok' ]
}

@test "a vector of zeros is an error of its record, whose neighbours and later calls are well" {
	start_upstream --mode zeros --log log
	printf '{"id":%d,"text":"%s"}\n' 1 a 2 zero 3 b 4 zero >in
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL" -j1 --on-error emit in
	[ "$(codes <<<"$output")" = 'ok 502 ok 502' ]
	run -1 --separate-stderr lh-embed --raw --engine openai --url "$URL" -j1 in
	[ "$(jq -r .id <<<"$output" | xargs)" = '1 3' ]
	[[ ${stderr_lines[0]} == "lh-embed: in:2: $URL: the vector of this text is all zero" ]]
	# nor does a cache keep it
	run -1 lh-embed -q --engine ollama --url "$URL" -j1 --cache c.db in
	run -1 lh-embed -q --engine ollama --url "$URL" -j1 --cache c.db in
	[ "$(jq -c .texts log | tail -n 1)" = '["zero"]' ]
	run -1 --separate-stderr lh-index build --engine ollama --url "$URL" --on-error emit i.lhv in
	[ "$(jq -c '[.id, .error.code]' <<<"$output" | tr -d '\n')" = '[2,502][4,502]' ]
	[ "$(lh-index dump i.lhv | jq -r .id | xargs)" = '1 3' ]
	run -1 --separate-stderr lh-search -k 1 i.lhv <<<'{"query_text":"zero"}'
	[[ $stderr == *'the vector of this text is all zero'* ]]
}

@test "a partial request gets what there is, and the reason for each text that is missing" {
	start_upstream --mode zeros
	run -0 --separate-stderr lh-embed --engine ollama --url "$URL" <<<'{"id":1,"texts":["a","",5,"zero","b"],"partial":true}'
	[ "$(jq -c '[.id, .dimension, (.vectors | map(length))]' <<<"$output")" = '[1,8,[8,0,0,0,8]]' ]
	[ "$(jq -c '.errors[] | [.index, .code, .upstream]' <<<"$output" | tr -d '\n')" = '[1,400,false][2,400,false][3,502,false]' ]
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL/mode/unavailable" --retries 0 --on-error emit <<<'{"texts":["a"],"partial":true}'
	[ "$(jq -c '[.vectors, .errors[0].code, .errors[0].upstream]' <<<"$output")" = '[[null],502,true]' ]
	run -0 --separate-stderr lh-embed --dimension 64 <<<'{"texts":["a",""],"partial":true}'
	[ "$(jq -c '[.errors[] | [.index, .code, .message]]' <<<"$output")" = '[[1,400,"text 2: empty text"]]' ]
	run -1 lh-embed <<<'{"texts":["a"],"partial":1}'
	[[ $output == *'"partial" must be true or false'* ]]
}

# bats test_tags=plain-only
@test "lh-index, lh-search and lh-playbook go on while their service fails and comes back" {
	start_upstream --mode texts
	for t in a b unavailable c silent d; do echo "{\"id\":\"$t\",\"text\":\"$t\"}"; done >in
	lh-index build --engine ollama --url "$URL" i.lhv < <(sed -n 1,2p in)
	cat >embed-quickly <<-END
	#!/bin/sh
	exec "$LH_BIN/lh-embed" "\$@" --retries 0 --timeout 15
	END
	mkdir quick
	for tool in lh-index lh-search lh-playbook; do ln "$LH_BIN/$tool" quick/ 2>/dev/null || cp "$LH_BIN/$tool" quick/; done
	install -m 755 embed-quickly quick/lh-embed
	run -1 --separate-stderr quick/lh-index add --batch 1 --on-error emit -j1 i.lhv in
	[ "$(jq -c '[.id, .error.code]' <<<"$output" | tr -d '\n')" = '["unavailable",502]["silent",504]' ]
	[ "$(lh-index dump i.lhv | jq -r .id | xargs)" = 'a b c d' ]
	run -1 --separate-stderr quick/lh-search -k 1 -j1 --on-error emit i.lhv <in
	[ "$(codes <<<"$output")" = 'ok ok 502 ok 504 ok' ]
	[ "$(jq -r 'select(.results).results[0].id' <<<"$output" | xargs)" = 'a b c d' ]
	jq -c '{query_text: .text, answer_id: .id, answer_corpus: "i", score: 1}' in >entries
	run -1 --separate-stderr quick/lh-playbook record --engine ollama --url "$URL" --on-error emit p.lhv entries
	[ "$(codes <<<"$output")" = 'ok ok 502 ok 504 ok' ]
	[ "$(jq -c 'select(.error) | keys_unsorted' <<<"$output" | sort -u)" = '["index","error","code"]' ]
	[ "$(jq .index <<<"$output" | xargs)" = '0 1 2 3 4 5' ]
	[ "$(lh-playbook list p.lhv | wc -l)" = 4 ]
}

@test "a child that is killed costs the record at hand, and the next one starts another" {
	start_upstream
	printf '{"id":"%s","text":"%s"}\n' a a b b | lh-index build --engine ollama --url "$URL" i.lhv
	mkfifo to from
	lh-search -k 1 -j1 --on-error emit i.lhv <to >from 3>&- &
	pid=$!
	exec 5>to 6<from
	echo '{"query_text":"a"}' >&5
	read -r answer <&6
	[ "$(codes <<<"$answer")" = ok ]
	child=$(pgrep -P $pid -x lh-embed)
	kill -KILL "$child"
	echo '{"query_text":"b"}' >&5
	read -r answer <&6
	[ "$(codes <<<"$answer")" = 502 ]
	echo '{"query_text":"b"}' >&5
	read -r answer <&6
	[ "$(jq -r '.results[0].id' <<<"$answer")" = b ]
	exec 5>&- 6<&-
	status=0
	wait $pid || status=$?
	[ "$status" = 1 ]
}

@test "a batch of which one call fails is indexed but for that call's records" {
	start_upstream --mode texts
	for t in a b c few d e; do echo "{\"id\":\"$t\",\"text\":\"$t\"}"; done >in
	run -1 --separate-stderr lh-index build --engine ollama --url "$URL" --batch 3 -j1 --on-error emit i.lhv in
	[ "$(jq -c '[.id, .error.code]' <<<"$output" | tr -d '\n')" = '["few",502]["d",502]["e",502]' ]
	[ "$(lh-index dump i.lhv | jq -r .id | xargs)" = 'a b c' ]
}

# ---- trace ids ----

@test "lh-embed sends a record's trace id, else --trace-id, else LH_TRACE_ID, and gives it back" {
	start_upstream --log log
	printf '%s\n' '{"text":"a","trace_id":"t-1"}' '{"text":"b"}' '{"text":"c","trace_id":null}' '{"texts":["d"],"trace_id":"t-2"}' '{"texts":["e"]}' >in
	LH_TRACE_ID=env lh-embed --engine ollama --url "$URL" --trace-id given -j1 in >out
	[ "$(jq -r .trace_id out | xargs)" = 't-1 given given t-2 given' ]
	[ "$(jq -c '[.trace, .texts]' log | tr -d '\n')" = '["t-1",["a"]]["given",["b","c","e"]]["t-2",["d"]]' ]
	rm log
	LH_TRACE_ID=env lh-embed --engine openai --url "$URL" -j1 < <(sed -n 2p in) >out
	[ "$(jq -r .trace_id out)$(jq -r .trace log)" = envenv ]
	rm log
	lh-embed --engine ollama --url "$URL" -j1 < <(sed -n 2p in) >out
	[ "$(jq -c 'has("trace_id")' out)$(jq -r .trace log)" = falsenull ]
	lh-embed --dimension 64 --trace-id given in >out
	[ "$(jq -r .trace_id out | xargs)" = 't-1 given given t-2 given' ]
}

@test "a trace id cannot end its header, and has a limit" {
	start_upstream --log log
	printf '%s\n' '{"text":"a","trace_id":"x\r\nEvil: 1"}' '{"text":"b","trace_id":"ü y"}' "{\"text\":\"c\",\"trace_id\":\"$(printf '%01025d' 0)\"}" '{"text":"d","trace_id":7}' >in
	run -1 --separate-stderr lh-embed --engine ollama --url "$URL" -j1 --on-error emit in
	[ "$(jq -r .trace log | xargs)" = 'x%0D%0AEvil:%201 %C3%BC%20y null' ]
	[ "$(codes <<<"$output")" = 'ok ok 413 ok' ]
	[ "$(jq -r '.trace_id // empty' <<<"$output" | first 3)" = $'x\r\nEvil: 1\nü y' ]
	for tool in lh-embed lh-chat lh-iterate lh-replay; do
		run -2 $tool --trace-id "$(printf '%01025d' 0)" </dev/null
		[[ $output == *'--trace-id of 1025 bytes: at most 1024' ]]
		LH_TRACE_ID=$'\xff' run -2 $tool </dev/null
		[[ $output == *'--trace-id is not UTF-8' ]]
	done
}

@test "lh-search, lh-index and lh-playbook send a record's trace id by way of lh-embed" {
	start_upstream --log log
	printf '{"id":"%s","text":"%s","trace_id":"%s"}\n' a a t1 b b t2 c c t1 | lh-index build --engine ollama --url "$URL" -j1 i.lhv
	[ "$(jq -c '[.trace, .texts]' log | tr -d '\n')" = '["t1",["a","c"]]["t2",["b"]]' ]
	rm log
	lh-search -k 1 -j1 i.lhv <<<'{"query_text":"b","trace_id":"t3"}' >out
	[ "$(jq -r .trace log)$(jq -r .trace_id out)$(jq -r '.results[0].id' out)" = t3t3b ]
	rm log
	echo '{"query_text":"d","answer_id":"a","answer_corpus":"i","score":1,"trace_id":"t4"}' | lh-playbook record --engine ollama --url "$URL" p.lhv >out
	[ "$(jq -r .trace log)" = t4 ]
	rm log
	LH_TRACE_ID=t5 lh-search -Q e i.lhv >out
	[ "$(jq -r .trace log)" = t5 ]
}

@test "lh-chat, lh-iterate and lh-replay send a trace id with each call, and give it back" {
	start_chat --log log
	export LH_OLLAMA_URL=$URL
	# sent - what the service was sent
	sent() { jq -r '.headers["X-Lakehouse-Trace-Id"]' log | xargs; rm log; }
	printf '%s\n' '{"model":"m","prompt":"a","trace_id":"t1"}' '{"model":"m","prompt":"b"}' >in
	[ "$(LH_TRACE_ID=env lh-chat -j1 --wire in | jq -r .trace_id | xargs)" = 't1 env' ]
	[ "$(sent)" = 't1 env' ]
	[ "$(LH_TRACE_ID=env lh-chat -j1 --trace-id given in | jq -r .reply.trace_id | xargs)" = 't1 given' ]
	[ "$(sent)" = 't1 given' ]
	[ "$(lh-chat -j1 in | jq -c '.reply | has("trace_id")' | xargs)" = 'true false' ]
	[ "$(sent)" = 't1 null' ]
	printf '%s\n' '{"kind":"email","prompt":"p","model":"m","max_iterations":2,"trace_id":"s1"}' '{"kind":"email","prompt":"p","model":"m","max_iterations":1}' >in
	run -1 --separate-stderr lh-iterate -j1 --trace-id given in
	[ "$(jq -r .trace_id <<<"$output" | xargs)" = 's1 given' ]
	[ "$(sent)" = 's1 s1 given' ]
	mkdir -p r/exports/rag
	: >r/exports/rag/playbooks.jsonl
	printf '%s\n' '{"task":"one","trace_id":"r1"}' '{"task":"two"}' >in
	run -1 --separate-stderr lh-replay -j1 --trace-id given --no-retrieval --root r in
	[ "$(jq -r .trace_id <<<"$output" | xargs)" = 'r1 given' ]
	[ "$(sent)" = 'r1 given' ]
	run -1 --separate-stderr lh-replay -j1 --no-retrieval --root r in
	[ "$(jq -r 'has("trace_id")' <<<"$output" | xargs)" = 'true false' ]
}
