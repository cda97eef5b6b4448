# /openapi.json: what it says of bodies is what is checked, before any filter is asked.
load ../helper
load ../servers/serve

teardown() {
	stop_serves
}

# state - a state with two indexes and a roster, and a configuration with the route of SQL
state() {
	mkdir -p s/index
	printf '%s\n' '{"id":"a","vector":[1,0],"metadata":{"text":"x"}}' '{"id":"b","vector":[0,1]}' | lh-index build -q --lexical s/index/w.lhv
	printf '%s\n' '{"id":"b","vector":[0,1]}' | lh-index build -q s/index/other.lhv
	lh-gen workers -n 3 >s/roster.jsonl
	echo '{"routes":[{"route":"POST /v1/sql","read":true,"run":["lh-query","--on-error","emit","--catalog","s/catalog"]}]}' >config.json
	export LH_OLLAMA_URL=http://127.0.0.1:9 LH_RETRIES=0
}

bodies() {
	python3 -B "$ROOT/tests/servers/bodies.py" "$1" "$URL" <"$ROOT/tests/served-members.txt"
}

# of_filters - the memory of each filter, in /metrics: 0 of one that was never asked
of_filters() {
	curl -sS "$URL/metrics" | sed -n '/^lh_serve_memory_bytes/{/lh-serve/d; s/.* //p}'
}

@test "a body that its schema forbids is 400, and no filter was asked" {
	state
	start_serve --config config.json --state s
	bodies forbidden
	of_filters >memory
	[ "$(wc -l <memory)" -ge 10 ]
	[ "$(sort -u memory)" = 0 ]
}

@test "a body that its schema allows is not 400, and its answer fits the schema of answers" {
	state
	start_serve --config config.json --state s
	bodies allowed
	of_filters | grep -v '^0$' >memory
}

@test "a body of many lines is checked line by line" {
	state
	start_serve --config config.json --state s
	printf '%s\n' '{"query_vector":[1,0],"corpora":["w"]}' '{"query_vector":[1,0],"corpora":["w"],"k":-1}' '{"filter":{}}' |
		curl -sS -H 'Content-Type: application/x-ndjson' --data-binary @- "$URL/v1/matrix/search" >out
	[ "$(jq -c '.code' out)" = $'null\n400\n400' ]
	[ "$(sed -n 3p out | jq -r .error)" = 'unknown member "filter" (did you mean "metadata_filter"?)' ]
}

@test "a member that is required may be in the query" {
	start_serve --state s
	[ "$(curl -sS --json '{"model":"big"}' "$URL/v1/matrix/downgrade?mode=fast" | jq -r .mode)" = fast ]
	[ "$(curl -sS --json '{"model":"big"}' "$URL/v1/matrix/downgrade" | jq -r .error)" = 'missing "mode" (string)' ]
}

@test "a route of the user has the schema of its filter, if that is one of these with the same modes" {
	state
	jq -n '{routes: [{route: "POST /a", run: ["lh-search", "--wire", "s/index"]}, {route: "POST /b", run: ["lh-search", "s/index/w.lhv"]},
		{route: "POST /c", run: ["cat"]}, {route: "POST /d/{uid}", run: ["lh-pathway", "requests", "s/log"], members: {op: "update"}}]}' >config.json
	start_serve --config config.json --state s
	curl -sS "$URL/openapi.json" >document
	of() { jq -c ".paths[\"$1\"].post.requestBody.content[\"application/json\"].schema" document; }
	[ "$(of /a)" = "$(of /v1/matrix/search)" ]
	[ "$(of /b)" = '{"type":"object"}' ]
	[ "$(of /c)" = '{"type":"object"}' ]
	[ "$(of '/d/{uid}' | jq -c '[.required, (.properties | keys)]')" = '[["content"],["content","tags"]]' ]
	[ "$(curl -sS --json '{"k":1,"bad":2}' "$URL/c" | jq -c .)" = '{"k":1,"bad":2}' ]
}
