# lh-chat over HTTP on loopback, against servers/chat.py, which speaks the APIs
# of Ollama and OpenAI well, or badly in one way.
# bats file_tags=long
load ../helper
load ../servers/server

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset OLLAMA_CLOUD_KEY OPENROUTER_API_KEY OPENCODE_API_KEY KIMI_API_KEY LH_KEYS_FILE
}

teardown() {
	stop_upstreams
	faults_happened
}

# serve [OPTION]... : one server in the place of all providers
serve() {
	rm -f log
	start_chat --log log "$@"
	export LH_OLLAMA_URL=$URL LH_OLLAMA_CLOUD_URL=$URL LH_OPENROUTER_URL=$URL/api/v1
	export LH_OPENCODE_URL=$URL/zen/v1 LH_KIMI_URL=$URL/coding/v1
}

all_keys() {
	export OLLAMA_CLOUD_KEY=key-oc OPENROUTER_API_KEY=key-or OPENCODE_API_KEY=key-ze KIMI_API_KEY=key-ki
}

# sent - the bodies that went upstream
sent() {
	jq -r .body log
}

# fails_with CODE PATTERN [OPTION]... : two records; exit 2, a line for each that
# matches, no output
fails_with() {
	local code=$1 pattern=$2
	shift 2
	printf '%s\n' '{"model":"m","prompt":"a"}' '{"model":"m","prompt":"b"}' >in
	run -2 --separate-stderr patiently lh-chat -j1 "$@" in
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 3 ] || { echo "$stderr"; return 1; }
	[[ ${stderr_lines[0]} == "lh-chat: in:1: $code "*$pattern* ]] || { echo "$stderr"; return 1; }
	[[ ${stderr_lines[1]} == "lh-chat: in:2: $code http"* ]] || { echo "$stderr"; return 1; }
	[ "${stderr_lines[2]}" = "lh-chat: 2 of 2 records rejected" ]
	[[ $stderr != *$'\e'* ]]
}

@test "the model's name decides who is asked, for which model, where and with which key" {
	serve
	all_keys
	while read -r model provider path upstream key; do
		rm -f log
		jq -nc --arg m "$model" '{model: $m, prompt: "a b"}' >in
		run -0 lh-chat in
		[ "$(jq -r '.reply | .provider + " " + .model' <<<"$output")" = "$provider $model" ]
		[ "$(jq -r '[.method, .path, (.body | fromjson | .model), .headers.Authorization // "-"] | join(" ")' log)" = \
			"POST $path $upstream ${key:+Bearer }${key:--}" ] || { echo "$model:"; cat log; return 1; }
	done <<-'END'
	qwen3 ollama /api/chat qwen3
	qwen3:8b ollama /api/chat qwen3:8b
	ollama/qwen3:8b ollama /api/chat qwen3:8b
	ollama/gpt-oss:cloud ollama /api/chat gpt-oss:cloud
	ollama/library/x ollama /api/chat library/x
	hf.co/bartowski/x:Q4 ollama /api/chat hf.co/bartowski/x:Q4
	OLLAMA/x ollama /api/chat OLLAMA/x
	x:cloudy ollama /api/chat x:cloudy
	/x ollama /api/chat /x
	gpt-oss:cloud ollama_cloud /api/generate gpt-oss key-oc
	gpt-oss:120b:cloud ollama_cloud /api/generate gpt-oss:120b key-oc
	ollama_cloud/gpt-oss:120b ollama_cloud /api/generate gpt-oss:120b key-oc
	ollama_cloud/gpt-oss:cloud ollama_cloud /api/generate gpt-oss key-oc
	hf.co/x:cloud ollama_cloud /api/generate hf.co/x key-oc
	openrouter/openai/gpt-4o-mini openrouter /api/v1/chat/completions openai/gpt-4o-mini key-or
	openrouter/x/y:cloud openrouter /api/v1/chat/completions x/y:cloud key-or
	opencode/qwen3-coder opencode /zen/v1/chat/completions qwen3-coder key-ze
	kimi/kimi-for-coding kimi /coding/v1/chat/completions kimi-for-coding key-ki
	END
}

@test "--model names the model of records that name none" {
	serve
	printf '%s\n' '{"prompt":"a"}' '{"model":null,"prompt":"a"}' '{"model":"own","prompt":"a"}' >in
	lh-chat -j1 --model usual --wire in >out
	[ "$(jq -r .model out | paste -sd,)" = usual,usual,own ]
	[ "$(sent | jq -r .model | paste -sd,)" = usual,usual,own ]
	for bad in '' $'\xff'; do
		run -2 lh-chat --model "$bad" in
		[ "$output" = "lh-chat: --model: expected a name in UTF-8" ]
	done
	run -1 --separate-stderr lh-chat --model usual <<<'{"model":"","prompt":"a"}'
	[ "${stderr_lines[0]}" = 'lh-chat: -:1: 400 "model" must not be empty' ]
	[ "$(lh-chat --model m --describe | jq -c '.operations[0].input.required')" = '[]' ]
}

@test "ollama: the body, to the byte" {
	serve
	lh-chat -j1 >out <<-'END'
	{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}]}
	{"model":"m","prompt":"u","system":"s","temperature":0.20,"max_tokens":40,"format":"json","think":true}
	{"model":"m","prompt":"u","temperature":1E+0}
	{"model":"m","prompt":"u","max_tokens":7,"think":false}
	{"model":"m","prompt":"u","system":null,"temperature":null,"max_tokens":null,"format":null,"think":null,"messages":null}
	END
	sent >got
	diff got - <<-'END'
	{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}],"stream":false,"think":false}
	{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}],"stream":false,"think":true,"options":{"temperature":0.20,"num_predict":40},"format":"json"}
	{"model":"m","messages":[{"role":"user","content":"u"}],"stream":false,"think":false,"options":{"temperature":1E+0}}
	{"model":"m","messages":[{"role":"user","content":"u"}],"stream":false,"think":false,"options":{"num_predict":7}}
	{"model":"m","messages":[{"role":"user","content":"u"}],"stream":false,"think":false}
	END
	[ "$(jq -r '.headers["Content-Type"]' log | sort -u)" = application/json ]
	[ "$(jq -c '.headers.Authorization' log | sort -u)" = null ]
}

@test "ollama_cloud: messages are flattened into system and prompt" {
	serve --key key-oc
	all_keys
	lh-chat -j1 >out <<-'END'
	{"model":"m:cloud","prompt":"one turn"}
	{"model":"m:cloud","prompt":"p","system":"s","temperature":0.5,"max_tokens":9,"format":"json","think":true}
	{"model":"m:cloud","messages":[{"role":"system","content":"s \"1\""},{"role":"user","content":"as\nit is"},{"role":"system","content":"s2"}]}
	{"model":"m:cloud","messages":[{"role":"user","content":"u1"},{"role":"assistant","content":"a1"},{"role":"user","content":"u2"}]}
	{"model":"m:cloud","messages":[{"role":"assistant","content":"a"}]}
	END
	sent >got
	diff got - <<-'END'
	{"model":"m","prompt":"one turn","stream":false,"think":false}
	{"model":"m","prompt":"p","system":"s","stream":false,"think":true,"options":{"temperature":0.5,"num_predict":9},"format":"json"}
	{"model":"m","prompt":"as\nit is","system":"s \"1\"\ns2","stream":false,"think":false}
	{"model":"m","prompt":"User: u1\nAssistant: a1\nUser: u2","stream":false,"think":false}
	{"model":"m","prompt":"Assistant: a","stream":false,"think":false}
	END
}

@test "openrouter, opencode, kimi: chat completions, think left out" {
	serve
	all_keys
	for provider in openrouter opencode kimi; do
		rm -f log
		lh-chat -j1 >out <<-END
		{"model":"$provider/v/m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}
		{"model":"$provider/v/m","prompt":"u","temperature":0.10,"max_tokens":3.0,"format":"json","think":true}
		END
		sent >got
		diff got - <<-'END'
		{"model":"v/m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}],"stream":false}
		{"model":"v/m","messages":[{"role":"user","content":"u"}],"stream":false,"temperature":0.10,"max_tokens":3,"response_format":{"type":"json_object"}}
		END
	done
}

@test "max_tokens of 0 and below is unset" {
	serve
	all_keys
	printf '{"model":"%s","prompt":"u","max_tokens":%s}\n' m 0 m -1 kimi/m 0 kimi/m -9223372036854775808 | lh-chat -j1 >out
	[ "$(sent | grep -c 'max_tokens\|options')" = 0 ]
	[ "$(wc -l <out)" = 4 ]
}

# bats test_tags=hostile
@test "hostile texts arrive as they are, and come back" {
	serve
	echo '{"model":"m","prompt":"\"\\\u0000\u001b\u2028\/ Café ⭐ 你好 \ud83d\ude00\u007f"}' >in
	lh-chat in >out
	[ "$(sent | jq -c '.messages[0].content')" = "$(jq -c .prompt in)" ]
	[ "$(jq -c '.reply.content | split(" ") | reverse | join(" ")' out)" = "$(jq -c .prompt in)" ]
}

@test "the reply comes last, in place of an old one; all else keeps its bytes" {
	serve
	echo '{ "id":7,"reply":1,"model":"m", "prompt":"a b","n":1.0,"big":12345678901234567890}' >in
	run -0 lh-chat --now 2026-05-03T12:00:00Z in
	[ "$output" = '{ "id":7,"model":"m", "prompt":"a b","n":1.0,"big":12345678901234567890,"reply":{"model":"m","content":"b a","provider":"ollama","input_tokens":5,"output_tokens":2,"finish_reason":"stop","latency_ms":0}}' ] ||
		{ echo "$output"; return 1; }
}

@test "--wire prints the reply alone; LH_NOW makes latency_ms 0" {
	serve
	export KIMI_API_KEY=k
	LH_NOW=2026-05-03T12:00:00Z run -0 lh-chat --wire <<<'{"model":"kimi/m","prompt":"a b c"}'
	[ "$output" = '{"model":"kimi/m","content":"c b a","provider":"kimi","input_tokens":6,"output_tokens":3,"finish_reason":"stop","latency_ms":0}' ] ||
		{ echo "$output"; return 1; }
}

@test "latency_ms is what the call took, waiting included" {
	serve --delay 0.3
	lh-chat --wire <<<'{"model":"m","prompt":"a"}' >out
	[ "$(jq '.latency_ms >= 300' out)" = true ]
}

@test "finish_reason, counts and content, from what each API may leave out" {
	all_keys
	while read -r model want body; do
		echo "$body" >answer
		serve --mode body --body answer --status 200
		lh-chat --wire <<<"{\"model\":\"$model\",\"prompt\":\"a\"}" >out
		[ "$(jq -c '[.content, .finish_reason, .input_tokens, .output_tokens]' out)" = "$want" ] || { echo "$body:"; cat out; return 1; }
		stop_upstreams
	done <<-'END'
	m ["x","stop",3,4] {"message":{"role":"assistant","content":"x"},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":4}
	m ["x","length",0,0] {"message":{"content":"x"},"done":true,"done_reason":"length"}
	m ["x","stop",0,0] {"message":{"content":"x"},"done":true}
	m ["x","stop",0,0] {"message":{"content":"x"},"done":true,"done_reason":""}
	m ["x","length",0,0] {"message":{"content":"x"},"done":false}
	m ["x","length",0,0] {"message":{"content":"x"},"done_reason":null,"prompt_eval_count":-1,"eval_count":1.5}
	m ["","stop",0,0] {"message":{"content":"","thinking":"hm"},"done":true}
	m:cloud ["y\n","stop",1,2] {"response":"y\n","done":true,"done_reason":"st\u006fp","prompt_eval_count":1,"eval_count":2.0}
	m:cloud ["y","length",0,0] {"response":"y","done":false}
	kimi/m ["z","length",5,6] {"choices":[{"message":{"content":"z"},"finish_reason":"length"},{"message":{"content":"2nd"}}],"usage":{"prompt_tokens":5,"completion_tokens":6}}
	kimi/m ["z","stop",0,0] {"choices":[{"message":{"content":"z"},"finish_reason":null}],"usage":null}
	kimi/m ["","length",0,9] {"choices":[{"message":{"content":null,"reasoning":"hm"},"finish_reason":"length"}],"usage":{"completion_tokens":9}}
	END
}

@test "400: a record that asks nothing, or asks it wrongly, is rejected and goes nowhere" {
	serve
	while IFS='|' read -r record message; do
		run -1 --separate-stderr lh-chat <<<"$record"
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-chat: -:1: 400 $message" ] || { echo "$record: $stderr"; return 1; }
	done <<-'END'
	{"model":"ollama/","prompt":"a"}|"model" names no model
	{"model":":cloud","prompt":"a"}|"model" names no model
	{"model":"kimi/","prompt":"a"}|"model" names no model
	{"model":"m"}|missing "messages" (array of objects) or "prompt" (string)
	{"model":"m","prompt":"a","messages":[{"role":"user","content":"b"}]}|"messages" and "prompt" exclude each other
	{"model":"m","system":"a","messages":[{"role":"user","content":"b"}]}|"system" goes with "prompt", not with "messages"
	{"model":"m","system":"a"}|missing "messages" (array of objects) or "prompt" (string)
	{"model":"m","messages":[{"role":"system","content":"a"}]}|no message of a user
	{"model":"m","messages":[{"role":"tool","content":"a"}]}|messages[0].role must be "system", "user" or "assistant", not "tool"
	{"model":"m","messages":[{"role":"User","content":"a"}]}|messages[0].role must be "system", "user" or "assistant", not "User"
	{"model":"m","prompt":"a","format":"yaml"}|"format" must be "json", not "yaml"
	END
	[ ! -e log ]
}

@test "404: a provider without a key does not exist" {
	serve
	while read -r model name key; do
		run -1 --separate-stderr lh-chat <<<"{\"model\":\"$model\",\"prompt\":\"a\"}"
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-chat: -:1: 404 unknown provider $name: it has no key ($key)" ] || { echo "$stderr"; return 1; }
		export "$key="
		run -1 lh-chat <<<"{\"model\":\"$model\",\"prompt\":\"a\"}"
		[ ! -e log ]
		export "$key=k"
		lh-chat <<<"{\"model\":\"$model\",\"prompt\":\"a\"}" >out
		[ "$(jq -r .reply.provider out)" = "$name" ]
		rm log
	done <<-'END'
	m:cloud ollama_cloud OLLAMA_CLOUD_KEY
	openrouter/m openrouter OPENROUTER_API_KEY
	opencode/m opencode OPENCODE_API_KEY
	kimi/m kimi KIMI_API_KEY
	END
}

@test "the code is in error.code, and with --on-error emit a failure upstream is exit 1 as any other" {
	serve --mode sometimes
	printf '{"id":%d,"model":"%s","prompt":"a"}\n' 1 m 2 m 3 m 4 '' 5 kimi/m 6 m >in
	run -1 --separate-stderr lh-chat -j1 --retries 0 --on-error emit --rejects bad in
	[ "$(jq -c '[.id, .reply.content, .error.code, .error.line]' <<<"$output" | tr -d '\n')" = \
		'[1,"a",null,null][2,"a",null,null][3,null,502,3][4,null,400,4][5,null,404,5][6,"a",null,null]' ] || { echo "$output"; return 1; }
	[ "$(jq -r 'select(.id == 3).error.message' <<<"$output")" = "$URL/api/chat: HTTP 500: no luck" ]
	[ "${stderr_lines[0]}" = "lh-chat: in:3: 502 $URL/api/chat: HTTP 500: no luck" ]
	[ "${stderr_lines[3]}" = "lh-chat: 3 of 6 records rejected" ]
	diff bad <(sed -n 3,5p in)
	# without a line in its place the run has failed
	run -2 --separate-stderr lh-chat -j1 --retries 0 in
	# what was not answered can be asked again
	sed -n 3p bad | grep -v kimi || sed -n 1p bad | lh-chat -j1 >again
	[ "$(jq .id again)" = 3 ]
}

@test "--on-error stop ends at the first: exit 2 for an upstream, 1 for a record" {
	serve --mode sometimes
	printf '{"id":%d,"model":"m","prompt":"a"}\n' 1 2 3 4 >in
	run -2 --separate-stderr lh-chat -j1 --retries 0 --on-error stop in
	[ "$(jq .id <<<"$output" | tr -d '\n')" = 12 ]
	printf '{"id":%d,"model":"m","prompt":%s}\n' 1 '"a"' 2 5 3 '"a"' >in
	run -1 --separate-stderr lh-chat -j1 --on-error stop in
	[ "$(jq .id <<<"$output" | tr -d '\n')" = 1 ]
}

@test "429 is tried again as Retry-After says, at most for --timeout" {
	serve --mode strict --retry-after 1
	lh-chat <<<'{"model":"m","prompt":"a"}' >out
	[ "$(wc -l <log)" = 3 ]
	stop_upstreams
	serve --mode busy --retry-after 3600
	patiently lh-chat --timeout 0.5 --retries 20 <<<'{"model":"m","prompt":"a"}' >out
	[ "$(jq -r .reply.content out)" = a ]
}

@test "--retries bounds the tries: 429 and 503 are 502 in the end, the body quoted" {
	serve --mode unavailable
	fails_with 502 "$URL/api/chat: HTTP 503: starting" --retries 1
	[ "$(wc -l <log)" = 4 ]
	stop_upstreams
	serve --mode busy
	echo '{"model":"m","prompt":"a"}' >in
	run -2 --separate-stderr lh-chat --retries 1 in
	[ "${stderr_lines[0]}" = "lh-chat: in:1: 502 $URL/api/chat: HTTP 429: busy" ]
}

@test "with --wire a provider's 429 is 502 as without, with its body" {
	serve --mode busy
	run -1 --separate-stderr lh-chat --wire --retries 0 --on-error emit <<<'{"model":"m","prompt":"a"}'
	[ "$(jq -c '[.error.code, .error.message]' <<<"$output")" = "[502,\"$URL/api/chat: HTTP 429: busy\"]" ]
	while read -r mode code timeout; do
		stop_upstreams
		serve --mode $mode
		run -1 --separate-stderr lh-chat --wire --retries 0 --timeout $timeout --on-error emit <<<'{"model":"m","prompt":"a"}'
		[ "$(jq .error.code <<<"$output")" = $code ] || { echo "$mode: $output"; return 1; }
	done <<-'END'
	unavailable 502 600
	error 502 600
	silent 504 1
	garbage 502 600
	END
}

@test "500 and a time-out are tried again" {
	serve --mode faint --status 500
	lh-chat <<<'{"model":"m","prompt":"a"}' >out
	[ "$(jq -r .reply.content out)" = a ]
	[ "$(wc -l <log)" = 3 ]
	serve --mode dozing
	lh-chat --timeout 0.5 --retries 20 <<<'{"model":"m","prompt":"a"}' >out
	[ "$(jq -r .reply.content out)" = a ]
	[ "$(wc -l <log)" -ge 2 ]
}

@test "200 bytes of a failure's body are shown, harmlessly" {
	serve --mode error
	fails_with 502 "$URL/api/chat: HTTP 500: out of" --retries 0
	[ ${#stderr_lines[0]} -lt 350 ]
}

@test "a connection lost before the answer is tried again" {
	serve --mode flaky
	lh-chat <<<'{"model":"m","prompt":"a"}' >out
	[ "$(jq -r .reply.content out)" = a ]
	[ "$(wc -l <log)" = 2 ]
}

@test "a reset at each phase is 502, never a crash" {
	for mode in resetaccept resetnow resethead resetbody; do
		serve --mode $mode
		fails_with 502 "$URL/api/chat: " --retries 1
		stop_upstreams
	done
}

# bats test_tags=plain-only
@test "504: a service that is silent, or slow, or does not shake hands, is asked as often as --retries says" {
	for mode in silent slow; do
		serve --mode $mode
		fails_with 504 "no whole answer within 3 s" --timeout 3 --retries 1
		until_so has_lines log 4
		[ "$(wc -l <log)" = 4 ]
		stop_upstreams
	done
	serve --mode deaf
	export LH_OLLAMA_URL=https${URL#http}
	fails_with 504 "/api/chat: no connection within 0.5 s" --timeout 0.5 --retries 0
}

@test "an answer that takes its time, but comes, is read" {
	serve --mode slowly
	lh-chat --timeout 600 <<<'{"model":"m","prompt":"a b"}' >out
	[ "$(jq -r .reply.content out)" = 'b a' ]
}

@test "an endless answer, endless headers and a gzip bomb are cut off in bounded memory" {
	plain_only "sanitizers need memory"
	for mode in endless bomb; do
		serve --mode $mode
		echo '{"model":"m","prompt":"a"}' >in
		run -2 --separate-stderr bash -c "ulimit -v 400000; patiently lh-chat --timeout 600 --retries 0 in"
		[[ $stderr == "lh-chat: in:1: 502 $URL/api/chat: HTTP 200: answer longer than 16777216 bytes"* ]] || { echo "$stderr"; return 1; }
		stop_upstreams
	done
	serve --mode headers
	fails_with 502 "$URL/api/chat: " --timeout 600 --retries 0
}

@test "a gzipped answer is read" {
	serve --mode gzip
	lh-chat <<<'{"model":"m","prompt":"a b"}' >out
	[ "$(jq -r .reply.content out)" = 'b a' ]
}

# bats test_tags=hostile
@test "an answer that is not one is 502, with the reason and its first 200 bytes" {
	all_keys
	while read -r model what body; do
		printf '%b' "$body" >answer
		serve --mode body --body answer --status 200
		run -2 --separate-stderr lh-chat <<<"{\"model\":\"$model\",\"prompt\":\"a\"}"
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == "lh-chat: -:1: 502 $URL"*": HTTP 200: ${what//_/ }"* ]] || { echo "$body: $stderr"; return 1; }
		[ ${#stderr_lines[0]} -lt 400 ]
		stop_upstreams
	done <<-'END'
	m empty_answer
	m not_JSON_at_byte_1:_<!DOCTYPE <!DOCTYPE html>\n<html>Sign in to the hotel network</html>\n
	m not_JSON_at_byte_12 {"message":
	m not_JSON_at_byte_ {"message":{"content":"\\ud800"}}
	m not_JSON_at_byte_ {"message":{"content":"\0377"}}
	m not_JSON_at_byte_ {"message":{"content":"a"},"message":{"content":"b"}}
	m not_JSON_at_byte_ {"message":{"content":"a"}}\n{"message":{"content":"b"},"done":true}
	m not_a_JSON_object:_["a"] ["a"]
	m not_a_JSON_object:_null null
	m no_"message"_in_the_answer:_{"error":"x"} {"error":"x"}
	m no_"message"_in_the_answer {"message":"a"}
	m no_"content"_in_the_answer {"message":{}}
	m "content"_in_the_answer_is_not_a_string {"message":{"content":["a"]}}
	m:cloud no_"response"_in_the_answer {"message":{"content":"a"}}
	kimi/m no_"choices"_in_the_answer:_{"error":{"code":429}} {"error":{"code":429}}
	kimi/m no_"choices"_in_the_answer {"choices":null}
	kimi/m no_choices_in_the_answer {"choices":[]}
	kimi/m no_"message"_in_the_answer {"choices":[{}]}
	kimi/m no_"message"_in_the_answer {"choices":["a"]}
	kimi/m no_"content"_in_the_answer {"choices":[{"message":{"refusal":"no"}}]}
	END
}

@test "a status other than 2xx is 502; 201 is accepted, 204 has no answer" {
	echo '{"message":{"content":"x"},"done":true}' >answer
	for code in 300 400 401 403 404 418 501; do
		serve --mode body --body answer --status $code
		fails_with 502 "$URL/api/chat: HTTP $code: {\"message\""
		stop_upstreams
	done
	serve --mode body --body answer --status 201
	lh-chat <<<'{"model":"m","prompt":"a"}' >out
	[ "$(jq -r .reply.content out)" = x ]
	stop_upstreams
	serve --mode nocontent
	fails_with 502 "$URL/api/chat: HTTP 204: empty answer"
	stop_upstreams
	serve --mode garbage
	fails_with 502 "$URL/api/chat: " --retries 0
}

@test "a wrong key is what the upstream says: 502 with its 401" {
	serve --key right
	KIMI_API_KEY=wrong run -2 --separate-stderr lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
	[[ ${stderr_lines[0]} == "lh-chat: -:1: 502 $URL/coding/v1/chat/completions: HTTP 401: {\"error\": {\"message\": \"Missing"* ]]
	KIMI_API_KEY=right run -0 lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
}

# asks_with KEY [OPTION]... : is that the key that goes to kimi?
asks_with() {
	rm -f log
	lh-chat "${@:2}" <<<'{"model":"kimi/m","prompt":"a"}' >out
	[ "$(jq -r .headers.Authorization log)" = "Bearer $1" ] || { cat log; return 1; }
}

@test "LH_KEYS_FILE: NAME=value lines as a shell reads them, the environment first" {
	serve
	export LH_KEYS_FILE=$PWD/keys
	install -m 600 /dev/null keys
	while read -r line; do
		printf '%b' "$line" >keys
		asks_with k-1 || { echo "$line"; return 1; }
	done <<-'END'
	KIMI_API_KEY=k-1
	KIMI_API_KEY=k-1\n
	KIMI_API_KEY=k-1\r\n
	# keys\n\n  export KIMI_API_KEY=k-1\n
	export\t KIMI_API_KEY="k-1"\n
	KIMI_API_KEY='k-1'\r\n
	KIMI_API_KEY=k-1   # the second\n
	KIMI_API_KEY="k"-'1'\n
	KIMI_API_KEY="k\\-1"\nKIMI_API_KEY=k\\-1
	KIMI_API_KEY=old\nOTHER=$(cat /etc/passwd) x\nOPENCODE_API_KEY=o\nKIMI_API_KEY=k-1
	\0357\0273\0277KIMI_API_KEY=k-1
	END
	printf '%s\n' 'KIMI_API_KEY="a\"b\$c\\d"' >keys
	asks_with 'a"b$c\d'
	printf '%s\n' "KIMI_API_KEY='a\"b\\c#d'" >keys
	asks_with 'a"b\c#d'
	KIMI_API_KEY=env asks_with env
	KIMI_API_KEY='' asks_with 'a"b\c#d'
	chmod 400 keys
	asks_with 'a"b\c#d'
}

# refuses MESSAGE: at the start, exit 2, at once, nothing read
refuses() {
	run -2 --separate-stderr patiently lh-chat <<<'{"model":"m","prompt":"a"}'
	[ -z "$output" ]
	[ "$stderr" = "lh-chat: $1" ] || { echo "$stderr"; return 1; }
	[ ! -e log ]
}

@test "a keys file that others may touch, or that is not a regular file, is refused" {
	serve
	export LH_KEYS_FILE=keys
	echo KIMI_API_KEY=topsecret >keys
	for mode in 0640 0604 0644 0620 0602 0660; do
		chmod $mode keys
		refuses "LH_KEYS_FILE: keys: mode $mode gives others access to secrets; make it 0600"
	done
	chmod 600 keys
	ln -s keys link
	LH_KEYS_FILE=link refuses "LH_KEYS_FILE: link: is a symbolic link, not a regular file"
	mkfifo -m 600 fifo
	LH_KEYS_FILE=fifo refuses "LH_KEYS_FILE: fifo: is a FIFO, not a regular file"
	mkdir -m 700 folder
	LH_KEYS_FILE=folder refuses "LH_KEYS_FILE: folder: is a directory, not a regular file"
	LH_KEYS_FILE=/dev/zero refuses "LH_KEYS_FILE: /dev/zero: is a device, not a regular file"
	LH_KEYS_FILE=absent refuses "LH_KEYS_FILE: absent: cannot open: No such file or directory"
	head -c 65537 /dev/zero | tr '\0' '#' >keys
	refuses "LH_KEYS_FILE: keys: longer than 65536 bytes"
}

@test "a keys file that cannot be read is exit 2" {
	install -m 600 /dev/null keys
	chmod 000 keys
	chmod 777 .
	LH_KEYS_FILE=$PWD/keys run -2 as_nobody "$LH_BIN/lh-chat" </dev/null
	[[ $output == "lh-chat: LH_KEYS_FILE: "*"cannot open: Permission denied" ]]
}

@test "an empty keys file holds no keys; a bad line is named by its number, and not shown" {
	serve
	export LH_KEYS_FILE=keys
	install -m 600 /dev/null keys
	run -1 --separate-stderr lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
	[[ $stderr == *"404 unknown provider kimi"* ]]
	echo KIMI_API_KEY= >keys
	run -1 lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
	while IFS='|' read -r line message; do
		printf '%b' "# first\n$line" >keys
		run -1 --separate-stderr lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
		[[ $stderr == *"404 unknown provider kimi: LH_KEYS_FILE: keys: line 2: KIMI_API_KEY: $message"* ]] || { echo "$line: $stderr"; return 1; }
		[[ $output$stderr != *secret* ]]
	done <<-'END'
	KIMI_API_KEY = topsecret|not NAME=value
	KIMI_API_KEY: topsecret|not NAME=value
	KIMI_API_KEY|not NAME=value
	KIMI_API_KEY="topsecret|the quote is not closed
	KIMI_API_KEY='topsecret"\n|the quote is not closed
	KIMI_API_KEY=top secret|more than one word
	KIMI_API_KEY="top" secret|more than one word
	KIMI_API_KEY=top\0000secret|more than one word
	END
}

@test "a line of the keys file that is not NAME=value matters only to the provider it names" {
	serve
	export LH_KEYS_FILE=keys
	printf '%s\n' topsecret =x 'source other.env' 'KIMI_API_KEY: s' 'OPENCODE_API_KEY="s' OPENROUTER_API_KEY=k >keys
	chmod 600 keys
	run -0 lh-chat <<<'{"model":"openrouter/v/m","prompt":"a"}'
	run -0 lh-chat <<<'{"model":"m","prompt":"a"}'
	run -1 --separate-stderr lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
	[[ $stderr == *"keys: line 4: KIMI_API_KEY: not NAME=value"* ]]
	KIMI_API_KEY=k run -0 lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
	echo KIMI_API_KEY=k >>keys
	run -0 lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
}

@test "a key that would break out of its header is refused, and not shown" {
	serve
	for key in $'top\nX-Evil: secret' $'topsecret\r' 'top secret' $'top\x1bsecret' 'töpsecret' $'\x7f'; do
		KIMI_API_KEY=$key refuses "KIMI_API_KEY: holds white space, control or non-ASCII characters"
	done
	printf 'KIMI_API_KEY="top\tsecret"' >keys
	chmod 600 keys
	LH_KEYS_FILE=keys refuses "KIMI_API_KEY: holds white space, control or non-ASCII characters"
}

@test "a key that an upstream quotes is shown as ***, also when cut, escaped or in a broken answer" {
	all_keys
	export KIMI_API_KEY=sk/top+secret
	serve --mode echo --status 403
	run -1 --separate-stderr lh-chat --on-error emit <<<'{"model":"kimi/m","prompt":"a"}'
	[[ ${stderr_lines[0]} == *'HTTP 403: you sent Bearer ***, "Bearer ***"' ]] || { echo "$stderr"; return 1; }
	[ "$(jq -r .error.message <<<"$output")" = "$URL/coding/v1/chat/completions: HTTP 403: you sent Bearer ***, \"Bearer ***\"" ]
	stop_upstreams
	serve --mode echocut
	run -2 --separate-stderr lh-chat --retries 0 <<<'{"model":"kimi/m","prompt":"a"}'
	[[ ${stderr_lines[0]} == *'xBearer ***' ]] || { echo "$stderr"; return 1; }
	stop_upstreams
	# the keys of others as well, and one that repeats in a broken object
	printf '{"%s":1,"%s":2,"k":"%s"}' key-or key-or key-oc >answer
	serve --mode body --body answer --status 200
	run -2 --separate-stderr lh-chat <<<'{"model":"m","prompt":"a"}'
	[[ ${stderr_lines[0]} == *'{"***":1,"***":2,"k":"***"}' ]] || { echo "$stderr"; return 1; }
}

@test "a key is in no argument and no message of a run that says all it can" {
	all_keys
	serve --mode error
	printf '{"model":"%s","prompt":"a"}\n' m:cloud kimi/m openrouter/m opencode/m >in
	run -2 lh-chat --verbose in
	[[ $output != *key-* ]]
	[[ "$(lh-chat --providers)" != *key-* ]]
	run -2 lh-chat --key x
}

@test "a key is in no core file: a run that has one leaves none" {
	plain_only "sanitizers set limits of their own"
	serve --mode silent
	cat >abort.py <<-'END'
	import os, resource, signal, sys, time
	resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
	pid = os.fork()
	if not pid:
	    os.dup2(os.open("in", os.O_RDONLY), 0)
	    os.execvp("lh-chat", ["lh-chat"])
	while not os.path.exists("log"):
	    time.sleep(0.05)
	os.kill(pid, signal.SIGABRT)
	_, status = os.waitpid(pid, 0)
	sys.exit("core" if os.WCOREDUMP(status) else 0 if os.WTERMSIG(status) == signal.SIGABRT else "not aborted")
	END
	echo '{"model":"m","prompt":"a"}' >in
	run python3 abort.py
	[ "$output" = core ] || skip "no core files here"
	rm log
	export KIMI_API_KEY=topsecret
	run -0 python3 abort.py
}

@test "keys go to their provider alone: a redirect is not followed; without a key, only to where it came from" {
	serve
	good=$URL
	export KIMI_API_KEY=k
	for code in 301 302 303 307 308; do
		serve --mode redirect --to "$good" --status $code
		run -2 --separate-stderr lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
		[[ ${stderr_lines[0]} == *"502 $URL/coding/v1/chat/completions: HTTP $code"* ]] || { echo "$stderr"; return 1; }
		[ "$(wc -l <log)" = 1 ]
		fails_with 502 "$URL/api/chat: HTTP $code: a redirect to $good, which is not followed" --retries 0
		LH_OLLAMA_URL=$good/mode/redirect lh-chat <<<'{"model":"m","prompt":"a"}' >out
		[ "$(jq -r .reply.content out)" = a ]
	done
	for to in ftp://127.0.0.1 file:///etc/passwd; do
		serve --mode redirect --to "$to"
		fails_with 502 "$URL/api/chat: HTTP 307: " --retries 0
	done
}

@test "one handle serves several providers, and a key does not stay on it" {
	serve
	all_keys
	printf '{"model":"%s","prompt":"a"}\n' kimi/m m openrouter/m m m:cloud opencode/m m >in
	lh-chat -j1 in >out
	[ "$(jq -r '.headers.Authorization // "-"' log | tr '\n' ' ')" = \
		'Bearer key-ki - Bearer key-or - Bearer key-oc Bearer key-ze - ' ]
}

@test "user-info in an address is sent, and masked wherever it would be shown" {
	serve
	export LH_OLLAMA_URL=http://me:secret@${URL#http://}/
	lh-chat <<<'{"model":"m","prompt":"a"}' >out
	[ "$(jq -r .headers.Authorization log)" = "Basic $(printf me:secret | base64)" ]
	until_so lists "{\"name\":\"ollama\",\"available\":true,\"url\":\"http://***@${URL#http://}\"}" lh-chat --providers
	stop_upstreams
	run -2 lh-chat <<<'{"model":"m","prompt":"a"}'
	[[ $output == *'502 http://***@127.0.0.1'* ]]
	[[ $output != *secret* ]]
	# next to a key it goes nowhere
	serve
	export LH_KIMI_URL=http://me:secret@${URL#http://}
	KIMI_API_KEY=k asks_with k
}

@test "an address loses its trailing slashes; a wrong one is exit 2" {
	serve
	export KIMI_API_KEY=k LH_OLLAMA_URL=$URL// LH_KIMI_URL=$URL/coding/v1/
	printf '{"model":"%s","prompt":"a"}\n' m kimi/m | lh-chat -j1 >out
	[ "$(jq -r .path log | tr '\n' ' ')" = '/api/chat /coding/v1/chat/completions ' ]
	rm log
	for name in LH_OLLAMA_URL LH_OLLAMA_CLOUD_URL LH_OPENROUTER_URL LH_OPENCODE_URL LH_KIMI_URL; do
		for url in ftp://h file:///etc/passwd h:1 http:// 'http://h/a b'; do
			run -2 env "$name=$url" lh-chat </dev/null
			[[ $output == "lh-chat: $name: \"$url\" "* ]] || { echo "$output"; return 1; }
		done
	done
	for end in '?a=b' '#a' '/v1?'; do
		LH_KIMI_URL=$URL$end run -2 lh-chat </dev/null
		[ "$output" = "lh-chat: LH_KIMI_URL: paths are added to it, so it may hold no ? and no #" ]
	done
	LH_KIMI_URL='' run -0 lh-chat </dev/null
}

@test "without LH_*_URL the addresses are the providers' own" {
	all_keys
	unset LH_OLLAMA_CLOUD_URL LH_OPENROUTER_URL LH_OPENCODE_URL LH_KIMI_URL
	LH_OLLAMA_URL='' run -0 lh-chat --providers
	[ "$(jq -r '.name + " " + .url' <<<"$output")" = "$(cat <<-'END'
	kimi https://api.kimi.com/coding/v1
	ollama http://127.0.0.1:11434
	ollama_cloud https://ollama.com
	opencode https://opencode.ai/zen/v1
	openrouter https://openrouter.ai/api/v1
	END
	)" ]
}

# lists LINES COMMAND... - it prints these.  Ollama has two seconds for its answer, which may be
# too few on a busy machine.
lists() {
	local want=$1
	shift
	: >log
	[ "$(patiently "$@")" = "$want" ]
}

@test "--providers: sorted, ollama always, the others when they have a key" {
	serve
	until_so lists "{\"name\":\"ollama\",\"available\":true,\"url\":\"$URL\"}" lh-chat --providers
	[ "$(jq -r '.method + " " + .path' log | sort -u)" = 'GET /api/tags' ]
	OPENCODE_API_KEY=k KIMI_API_KEY=k until_so lists \
		"$(printf '{"name":"%s","available":true,"url":"%s"}\n' kimi "$URL/coding/v1" ollama "$URL" opencode "$URL/zen/v1")" \
		lh-chat --providers
	[ "$(wc -l <log)" = 1 ]
	[ "$(jq -c .headers.Authorization log)" = null ]
	run -2 lh-chat --providers in
	[ "$output" = "lh-chat: --providers takes no FILE" ]
}

@test "--providers: ollama is available when /api/tags is 2xx within 2 s" {
	for mode in error silent missing slow resetnow; do
		serve --mode $mode
		[ "$(patiently lh-chat --providers | jq .available)" = false ] || { echo "$mode"; return 1; }
		until_so has_lines log 1
		[ "$(wc -l <log)" = 1 ]
		stop_upstreams
	done
	serve --mode html
	until_so lists "{\"name\":\"ollama\",\"available\":true,\"url\":\"$URL\"}" lh-chat --providers
	stop_upstreams
	LH_OLLAMA_URL=http://127.0.0.1:1 run -0 lh-chat --providers
	[ "$output" = '{"name":"ollama","available":false,"url":"http://127.0.0.1:1"}' ]
}

@test "with --wire the providers are listed without their addresses" {
	serve
	echo '{"op":"providers"}' >ask
	KIMI_API_KEY=k until_so lists '{"providers":[{"name":"kimi","available":true},{"name":"ollama","available":true}]}' \
		lh-chat --wire ask
	stop_upstreams
	run -0 lh-chat --wire <<<'{"op":"providers","model":"m"}'
	[ "$output" = '{"providers":[{"name":"ollama","available":false}]}' ]
	run -1 --separate-stderr lh-chat <<<'{"op":"providers"}'
	[ "${stderr_lines[0]}" = 'lh-chat: -:1: 400 missing "model" (string)' ]
}

@test "-j calls are in flight at once, and the order stays" {
	serve --gather 4
	seq 1 16 | sed 's/.*/{"id":&,"model":"m","prompt":"t&"}/' >in
	lh-chat -j 4 in >out
	[ "$(jq -r .reply.content out | tr '\n' ' ')" = "$(seq -f 't%g' -s ' ' 1 16) " ]
	[ "$(jq .in_flight log | sort -n | tail -n 1)" = 4 ]
	stop_upstreams
	serve --mode backwards
	lh-chat -j 5 in >out
	[ "$(jq .id out | tr '\n' ' ')" = "$(seq -s ' ' 1 16) " ]
}

@test "TLS is verified before a key is sent: expired, self-signed, another host's" {
	make_certificates
	export SSL_CERT_FILE=$PWD/ca.pem KIMI_API_KEY=k
	serve --tls good.pem good.key
	asks_with k
	for name in expired other self; do
		serve --tls $name.pem $name.key
		run -2 --separate-stderr lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
		[[ ${stderr_lines[0]} == "lh-chat: -:1: 502 https://127.0.0.1"* ]]
		[ ! -e log ]
	done
	[ "$(lh-chat --providers | jq -c 'select(.name == "ollama").available')" = false ]
	unset SSL_CERT_FILE
	serve --tls good.pem good.key
	run -2 lh-chat <<<'{"model":"kimi/m","prompt":"a"}'
	[ ! -e log ]
	run lh-chat --help
	[[ $output != *insecure* ]]
}

@test "an interrupt ends the wait: what was answered is whole, status 128 + n" {
	for signal in INT TERM; do
		serve --mode sleepy
		printf '{"id":%d,"model":"m","prompt":"a"}\n' 1 2 3 4 5 6 >in
		hears_int lh-chat -j1 in >out 2>err 3>&- &
		pid=$!
		until_so has_lines log 3
		kill -$signal $pid
		status=0
		wait $pid || status=$?
		[ "$status" = $((128 + $(kill -l $signal))) ]
		[ "$(jq -c .id out | tr -d '\n')" = 12 ] || { cat out; return 1; }
		[ "$(tail -c 1 out | wc -l)" = 1 ]
		stop_upstreams
	done
}

# bats test_tags=full
@test "a decimal comma changes nothing that is sent" {
	plain_only "libraries of libcurl's read the locale, and libc keeps its path"
	needs_comma
	serve
	with_comma lh-chat --timeout 30.5 <<<'{"model":"m","prompt":"a","temperature":0.5,"max_tokens":2.0}' >out
	[ "$(sent)" = '{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"think":false,"options":{"temperature":0.5,"num_predict":2}}' ]
}

# bats test_tags=full
@test "whichever allocation of libcurl's fails, it is an error and no crash" {
	plain_only "sanitizers have an allocator of their own"
	serve
	cc -shared -fPIC -o failmalloc.so "$ROOT/tests/faults/failmalloc.c"
	printf '{"model":"m","prompt":"a"}\n' >in
	step=$(scale 97 11)
	for ((n = 1; n < 100000; n += step)); do
		rm -f hit
		status=0
		patiently env FAILMALLOC=$n FAILMALLOC_LOG=hit LD_PRELOAD="$PWD/failmalloc.so" lh-chat -j1 in >out 2>err || status=$?
		[ -e hit ] || break
		case $status in
		0) [ "$(jq -r .reply.content out)" = a ] ;;
		2) [ ! -s out ] ;;
		*) false ;;
		esac || { echo "FAILMALLOC=$n: exit $status: $(cat err)"; return 1; }
	done
	[ "$n" -gt 1000 ]
}
