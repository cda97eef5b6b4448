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

@test "a member that an operation does not have is 400 with its name, and with the one that is near" {
	state
	start_serve --config config.json --state s
	while IFS='|' read -r route body near; do
		[ "$(post "$route" "$body")" = "{\"error\":\"unknown member $near\"}" ] || { echo "$route $body: $(post "$route" "$body")"; return 1; }
	done <<-'END'
	/v1/embed|{"texts":["x"],"where":{}}|\"where\"
	/ai/embed|{"texts":["x"],"partail":true}|\"partail\" (did you mean \"partial\"?)
	/v1/vectors/index|{"name":"n","dimension":2,"distanc":"l2"}|\"distanc\" (did you mean \"distance\"?)
	/v1/vectors/index/w/add|{"items":[{"id":"c","vector":[1,0]}],"x":1}|\"x\"
	/v1/vectors/index/w/add|{"items":[{"id":"c","vector":[1,0],"metdata":{}}]}|\"metdata\" in items[0] (did you mean \"metadata\"?)
	/v1/vectors/index/w/merge|{"dest":"other","clear_sourc":true}|\"clear_sourc\" (did you mean \"clear_source\"?)
	/v1/matrix/playbooks/record|{"query_text":"q","answer_id":"a","answer_corpus":"w","score":1,"rol":"Welder"}|\"rol\" (did you mean \"role\"?)
	/v1/matrix/playbooks/bulk|{"entries":[{}],"entry":1}|\"entry\"
	/v1/validate|{"kind":"sms","artifact":{},"contxt":{}}|\"contxt\" (did you mean \"context\"?)
	/v1/pathway/add|{"content":1,"tag":["x"]}|\"tag\" (did you mean \"tags\"?)
	/v1/pathway/search|{"includ_retired":true}|\"includ_retired\" (did you mean \"include_retired\"?)
	/v1/sql|{"sql":"SELECT 1","max_rows":5}|\"max_rows\"
	/v1/chat|{"model":"m","prompt":"p","temprature":0}|\"temprature\" (did you mean \"temperature\"?)
	/v1/iterate|{"kind":"email","model":"m","prompt":"p","max_iteration":1}|\"max_iteration\" (did you mean \"max_iterations\"?)
	END
	[ "$(post /v1/matrix/playbooks/bulk '{"entries":[{"query_text":"q","answer_id":"a","answer_corpus":"w","score":1,"rol":"x"}]}' | jq -r '.results[].error')" = 'unknown member "rol" (did you mean "role"?)' ]
	# nothing was made, and a query may have none either
	[ "$(curl -sS "$URL/v1/vectors/index/w?nam=x" | jq -r .error)" = 'unknown member "nam" (did you mean "name"?)' ]
	[ "$(status /v1/vectors/index/n)" = 404 ]
	# an event and a manifest are kept with all of their members
	[ "$(post /v1/observer/event '{"endpoint":"e","mine":1}' | jq .mine)" = 1 ]
	[ "$(post /v1/catalog/register '{"name":"d","schema_fingerprint":"f","objects":[],"mine":1}' | jq .manifest.mine)" = 1 ]
}

@test "the schema of a body does not permit one without what its route needs" {
	state
	start_serve --config config.json --state s
	curl -sS "$URL/openapi.json" >all.json
	while IFS='|' read -r route body; do
		jq -c --arg r "$route" '.paths[$r].post.requestBody.content["application/json"].schema' all.json >schema.json
		[ "$(lh-validate --schema schema.json <<<"$body" | jq .verdict.status)" = 422 ] || { echo "$route: $body"; return 1; }
		[ "$(curl -sS -o out -w '%{http_code}' --json "$body" "$URL${route//'{index}'/w}")" = 400 ]
	done <<-'END'
	/v1/matrix/search|{}
	/v1/matrix/search|{"query_text":"x"}
	/v1/matrix/search|{"corpora":["w"]}
	/v1/matrix/retrieve|{}
	/v1/vectors/search|{"query_text":"x"}
	/v1/vectors/index/{index}/search|{}
	/v1/validate|{}
	/v1/iterate|{"prompt":"p","model":"m"}
	/v1/chat|{"model":"m"}
	/v1/observer/event|{}
	/v1/embed|{"texts":[]}
	/v1/matrix/relevance|{}
	/v1/matrix/relevance|{"text":"t"}
	/v1/matrix/relevance|{"focus":{"path":"a"}}
	END
	jq -c '.paths["/v1/vectors/index/{index}/search"].post.requestBody.content["application/json"].schema' all.json >schema.json
	[ "$(lh-validate --schema schema.json <<<'{"query_text":"x"}' | jq .verdict.status)" = 200 ]
}

@test "the answers of health and of the lists of indexes are described, and fit" {
	state
	start_serve --config config.json --state s
	curl -sS "$URL/openapi.json" >all.json
	while IFS='|' read -r path member; do
		jq -c --arg r "${path%%\?*}" '.paths[$r].get.responses["200"].content["application/json"].schema' all.json >schema.json
		jq -e --arg m "$member" '.properties[$m] and .required' schema.json >/dev/null
		curl -sS "$URL$path" | lh-validate --schema schema.json | jq -e '.verdict.status == 200' >/dev/null
	done <<-'END'
	/health|status
	/health?deep=1|down
	/ready|status
	/v1/matrix/corpora|corpora
	/v1/vectors/index|indexes
	END
	for command in info dump; do
		lh-index --describe | jq -c --arg c $command '.operations[] | select(.name == $c).output' >schema.json
		lh-index $command s/index/w.lhv | lh-validate --schema schema.json | jq -e '.verdict.status == 200' >/dev/null
	done
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
		{route: "POST /c", run: ["cat"]}, {route: "POST /d/{uid}", run: ["lh-pathway", "requests", "s/log"], members: {op: "update"}},
		{route: "POST /e", run: ["lh-pathway", "requests", "s/log"], members: {op: 1}}]}' >config.json
	start_serve --config config.json --state s
	curl -sS "$URL/openapi.json" >document
	of() { jq -c ".paths[\"$1\"].post.requestBody.content[\"application/json\"].schema" document; }
	[ "$(of /a)" = "$(of /v1/matrix/search)" ]
	[ "$(of /b)" = '{"type":"object"}' ]
	[ "$(of /c)" = '{"type":"object"}' ]
	[ "$(of '/d/{uid}' | jq -c '[.required, (.properties | keys)]')" = '[["content"],["content","id","tags","trace_id"]]' ]
	[ "$(curl -sS --json '{"k":1,"bad":2}' "$URL/c" | jq -c .)" = '{"k":1,"bad":2}' ]
}
