# Seams between the filters behind lh-serve: one space of vectors, files that come later,
# playbooks that can be removed.
load ../helper
load ../servers/serve
load ../servers/server

teardown() {
	stop_serves
	stop_upstreams
}

# build NAME [OPTION]... - an index of the state s, of two workers
build() {
	mkdir -p s/index
	printf '{"id":"w%d","text":"%s"}\n' 1 'welder in Gary' 2 'nurse in Akron' |
		lh-index build -q "${@:2}" "s/index/$1.lhv"
}

# code PATH BODY - status and error of the answer
code() {
	post "$1" "$2" -w '%{http_code}\n' | tail -c 4
}

model() {
	post /v1/embed '{"texts":["welder"]}' | jq -c '[.model, .dimension, (.vectors[0] | length)]'
}

@test "/v1/embed and /ai/embed answer with the model of the state's indexes, also of one made later" {
	start_serve --state s
	[ "$(model)" = '["hash-v3",768,768]' ]
	build old --model hash-v1 --dimension 128
	[ "$(model)" = '["hash-v1",128,128]' ]
	[ "$(post /ai/embed '{"texts":["welder"]}' | jq -c '[.model, .dimensions]')" = '["hash-v1",128]' ]
	[ "$(code /v1/embed '{"texts":["welder"],"model":"hash-v3"}')" = 400 ]
	build new
	[ "$(model)" = '["hash-v3",768,768]' ]
	rm s/index/*
	[ "$(model)" = '["hash-v3",768,768]' ]
}

@test "vectors of /v1/embed find the texts of an index that lh-index built" {
	build w
	start_serve --state s
	v=$(post /v1/embed '{"texts":["nurse in Akron"]}' | jq -c '.vectors[0]')
	post /v1/vectors/search "{\"index\":\"w\",\"k\":1,\"model\":\"hash-v3\",\"vector\":$v}" >out
	jq -e '.results[0] | .id == "w2" and .distance < 1e-6' out
}

@test "a query against an index of another model is 409, with both names" {
	build w --model hash-v1
	build x
	start_serve --state s
	v=$(post /v1/embed '{"texts":["nurse"]}' | jq -c '.vectors[0]')
	for way in '/v1/vectors/search {"index":"w",' '/v1/vectors/index/w/search {' '/v1/matrix/search {"corpora":["x","w"],'; do
		post "${way%% *}" "${way#* }\"vector\":$v,\"k\":1,\"model\":\"hash-v3\"}" -w '%{http_code}' >out
		grep -q 409 out
		grep hash-v1 out | grep -q hash-v3
	done
	[ "$(code /v1/matrix/search '{"corpora":["w"],"query_text":"nurse","model":"hash-v3"}')" = 409 ]
	[ "$(code /v1/matrix/search '{"corpora":["w"],"query_text":"nurse","model":"hash-v1"}')" = 200 ]
	[ "$(code /v1/matrix/search '{"corpora":["w"],"query_text":"nurse","model":1}')" = 400 ]
	run -1 --separate-stderr lh-search s/index/w.lhv <<<"{\"query_vector\":$v,\"model\":\"hash-v3\"}"
	[[ $stderr == *'hash-v3'*'hash-v1'* ]]
	lh-search s/index/w.lhv <<<'{"query_text":"nurse","model":"Crown RC 5500"}' | jq -e '.results | length == 2'
}

@test "a service that the indexes name embeds for /v1/embed, and makes the playbooks of their answers" {
	start_upstream --log log
	upstream=$URL
	build w --engine ollama --url "$upstream"
	start_serve --state s
	[ "$(model)" = '["nomic-embed-text",8,8]' ]
	post /v1/embed '{"texts":["welder","nurse"]}' >a
	[ "$(jq '.vectors | length' a)" = 2 ]
	[ "$(post /v1/embed/stats '' -X GET | jq .hits)" -ge 0 ]
	post /v1/matrix/playbooks/record '{"query_text":"weld","answer_id":"w1","answer_corpus":"w","score":1}' | jq -e .playbook_id
	[ "$(lh-index info s/playbook/playbook_memory.lhv | jq -c '[.engine, .model]')" = '["ollama","nomic-embed-text"]' ]
	post /v1/matrix/search '{"query_text":"weld","corpora":["w"],"use_playbook":true,"k":2}' >out
	[ "$(jq .playbook_boosted out)" = 1 ]
	stop_upstreams
	[ "$(code /v1/embed '{"texts":["pipe fitter"]}')" = 502 ]
	kill -0 "$SERVE"
}

@test "a playbook has the engine of its corpus, and that of the server where the corpus has none" {
	start_upstream
	export LH_OLLAMA_URL=$URL LH_EMBED_ENGINE=ollama
	start_serve --state s
	for entry in a:playbook_memory x:other; do
		build x --model hash-v1
		[ "${entry%:*}" = x ] || rm s/index/x.lhv
		post /v1/matrix/playbooks/record "{\"corpus\":\"${entry#*:}\",\"query_text\":\"q\",\"answer_id\":\"w1\",\"answer_corpus\":\"${entry%:*}\",\"score\":1}" | jq -e .playbook_id
	done
	[ "$(lh-index info s/playbook/playbook_memory.lhv | jq -c .model)" = '"nomic-embed-text"' ]
	[ "$(lh-index info s/playbook/other.lhv | jq -c .model)" = '"hash-v1"' ]
}

@test "--check tries the engine: a wrong one and a missing model are exit 2, a service that is down a warning" {
	for engine in other static gguf; do
		LH_EMBED_ENGINE=$engine run -2 --separate-stderr lh-serve --state s --check
		[[ $stderr == *"$engine"* ]]
	done
	[ ! -e s ]
	start_upstream
	LH_EMBED_ENGINE=ollama LH_OLLAMA_URL=$URL run -0 --separate-stderr lh-serve --state s --check
	[ "$stderr" = "lh-serve: s is new: no index in it" ]
	LH_EMBED_ENGINE=ollama LH_OLLAMA_URL=$URL/mode/missing run -2 --separate-stderr lh-serve --state s --check
	[[ $stderr == *'HTTP 404'* ]]
	stop_upstreams
	LH_EMBED_ENGINE=ollama LH_OLLAMA_URL=$URL run -0 --separate-stderr lh-serve --state s --check
	[[ $stderr == *"$URL"* ]]
	build w --model hash-v1
	LH_EMBED_ENGINE=ollama LH_OLLAMA_URL=$URL run -0 --separate-stderr lh-serve --state s --check
	[ -z "$stderr" ]
}

@test "a search by text over all corpora leaves out one without an engine, and says so" {
	build w
	echo '{"id":"v","vector":[1,2,3]}' | lh-index build -q s/index/bare.lhv
	lh-search s/index/w.lhv s/index/bare.lhv <<<'{"query_text":"nurse","k":1}' >out
	jq -e '.results[0].id == "w2"' out
	[ "$(jq -c .skipped out)" = '[{"corpus":"bare","reason":"it has no engine to embed text with"}]' ]
	lh-search s/index/w.lhv <out | jq -e 'has("skipped") | not'
	start_serve --state s
	post /v1/matrix/search '{"query_text":"nurse","k":1,"corpora":["bare","w"]}' >out
	[ "$(jq -c '[.results[0].id, [.skipped[].corpus], .per_corpus_counts]' out)" = '["w2",["bare"],{"w":1}]' ]
	[ "$(code /v1/matrix/search '{"query_text":"nurse","corpora":["bare"]}')" = 400 ]
}

@test "a server without a roster answers a fill with 503, and takes the roster that comes" {
	start_serve --state s
	fill='{"kind":"fill","artifact":{"fills":[{"candidate_id":"w1","name":"Ada"}]},"context":{"target_count":1}}'
	post /v1/validate "$fill" -w '%{http_code}' >out
	[ "$(cat out)" = '{"error":"there is no roster yet"}503' ]
	[ "$(code /v1/validate '{"kind":"email","artifact":{"to":"a@b.example","body":"Hello"}}')" = 200 ]
	[ "$(code /v1/iterate '{"kind":"fill","prompt":"p","model":"m","provider":"ollama"}')" = 503 ]
	echo '{"candidate_id":"w1","name":"Ada","status":"active"}' >new
	mv new s/roster.jsonl
	[ "$(code /v1/validate "$fill")" = 200 ]
	echo '{"id":"w2","candidate_id":"w2","name":"Bo","status":"active","text":"x"}' | lh-index build -q s/index/workers.lhv
	[ "$(code /v1/validate "$fill")" = 200 ]
	rm s/roster.jsonl
	[ "$(code /v1/validate "$fill")" = 422 ]
}

# deleted NAME - the status of its DELETE
deleted() {
	status "/v1/vectors/index/$1" -X DELETE
}

@test "DELETE of a name removes the index, else the playbook, which the next entry makes anew" {
	build w
	start_serve --state s
	entry='{"query_text":"weld","answer_id":"w1","answer_corpus":"w","score":1'
	search='{"query_text":"weld","corpora":["w"],"use_playbook":true,"k":2}'
	for corpus in playbook_memory w; do
		post /v1/matrix/playbooks/record "$entry,\"corpus\":\"$corpus\"}" | jq -e .playbook_id
	done
	[ "$(post /v1/matrix/search "$search" | jq .playbook_boosted)" = 1 ]
	[ "$(deleted playbook_memory)" = 204 ]
	[ ! -e s/playbook/playbook_memory.lhv ]
	[ "$(deleted playbook_memory)" = 404 ]
	[ "$(post /v1/matrix/search "$search" | jq .playbook_boosted)" = 0 ]
	post /v1/matrix/playbooks/record "$entry}" | jq -e .playbook_id
	[ "$(post /v1/matrix/search "$search" | jq .playbook_boosted)" = 1 ]
	[ "$(deleted w)" = 204 ]
	[ -e s/playbook/w.lhv ] && [ ! -e s/index/w.lhv ]
	[ "$(deleted w)" = 204 ]
	[ "$(deleted w)" = 404 ]
}

@test "ids that the server makes, and the sessions that they name, are in the order of time" {
	start_serve --state s
	for _ in 1 2 3 4 5 6; do
		curl -sS -o /dev/null -D - "$URL/health" | tr -d '\r' | sed -n 's/^x-request-id: //Ip' >>ids
		date +%s%N >>times
	done
	[ "$(wc -l <ids)" = 6 ]
	LC_ALL=C sort -uc ids
	python3 - <<-'END'
		last = 0
		for made, then in zip(open("ids"), open("times")):
		    ns = int(made.split("-")[0], 16)
		    assert last < ns < int(then), (made, then)
		    last = int(then)
	END
}
