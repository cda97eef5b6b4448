# lh-mcp and POST /mcp with the clients of others: the SDKs of the protocol, its inspector, and
# its conformance suite, from npm.  Without npm these tests are skipped.
# Plain only: programs of others; lh-mcp.bats and serve-mcp.bats send the same messages.
# bats file_tags=plain-only,long
load ../helper
load ../servers/serve
source "$ROOT/tests/mcp/clients.bash"

setup_file() {
	reason=$(mcp_clients) || export NO_CLIENTS="$reason"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	[ -z "${NO_CLIENTS:-}" ] || skip "$NO_CLIENTS"
}

teardown() {
	stop_serves
	faults_happened
}

# the ways to connect: the SDK of the older era, and the three modes of the client of both
HOWS="sdk legacy auto modern"

# state - a folder with an index and datasets, and the file tools.json, which is the
# configuration of lh-serve, too: echo gives its arguments back, with a schema for them; SQL
# is on, as it is over stdio
state() {
	mkdir -p state/index state/catalog
	jq -nc '{id: "w-\(range(1; 41))", text: "welder and forklift driver number \(range(1; 2))", metadata: {role: "Welder", city: "Gary"}}' |
		jq -c '.text += .id' >workers.jsonl
	lh-index build -q --lexical state/index/workers.lhv workers.jsonl
	jq -nc --arg echo "$ROOT/tests/servers/echo.py" '
		{type: "object", properties: {n: {type: ["integer", "string"]}, do: {type: "string"}}} as $in |
		{state: "state", tools: [{name: "echo", description: "Give the arguments back.", inputSchema: $in,
			outputSchema: {type: "object", properties: {n: {type: "integer"}}, required: ["n"]}, run: ["python3", "-B", $echo]}],
			routes: [{route: "POST /v1/sql", run: ["lh-query", "--catalog", "state/catalog", "--on-error", "emit"]}]}' >tools.json
}

# both HOW - the steps on stdin over stdio and over HTTP, which must do the same; printed once
both() {
	cat >steps
	client "$1" stdio lh-mcp --state state --tools tools.json <steps >"$1.stdio" 2>err.stdio
	client "$1" http "$URL/mcp" <steps >"$1.http" 2>err.http
	diff "$1.stdio" "$1.http"
	cat "$1.stdio"
}

# step N - the N-th line of what both printed last
step() {
	sed -n "$1p" said
}

@test "each client connects in each of its modes, over stdio and over HTTP, and finds the same server" {
	local HOWS="sdk $(printf '%s\n' legacy auto modern | drawn "$(scale 1 3 3)")"
	state
	start_serve --config tools.json
	for how in $HOWS; do
		both $how <<<'["about", "ping", "tools/list", "resources/list", "resources/templates/list"]' >said
		step 1 | jq -e '.result | .server.name == "lakehouse-tools" and .capabilities.tools and .instructions == "string"'
		case $how in
		sdk) ;;
		legacy) step 1 | jq -e '.result.version == "2025-11-25"' ;;
		*) step 1 | jq -e '.result.version == "2026-07-28"' ;;
		esac
		# there is no ping in the modern era
		[ "$(step 2 | jq 'has("result")')" = "$([[ $how == [sl]* ]] && echo true || echo false)" ]
		step 3 | jq -c '[.result.tools[].name]' >tools.$how
		step 4 | jq -e '.result.resources | length > 0'
		step 5 | jq -e '.result.resourceTemplates | map(.uriTemplate) | index("lh://{corpus}/{id}")'
	done
	jq -e 'index("echo") and index("search") and (index("playbook_record") | not)' tools.sdk
	for how in $HOWS; do cmp tools.sdk tools.$how; done
}

# bats test_tags=full
@test "the clients hold what a tool answers against its schema, and it fits" {
	state
	start_serve --config tools.json
	for how in $HOWS; do
		both $how <<-'END' >said
		["tools/list",
		 ["tools/call", {"name": "echo", "arguments": {"n": 12345678901}}],
		 ["tools/call", {"name": "search", "arguments": {"query": "forklift", "k": 3}}],
		 ["tools/call", {"name": "list_datasets"}],
		 ["tools/call", {"name": "search", "arguments": {"query": 1}}],
		 ["tools/call", {"name": "lookup", "arguments": {"id": "w-7"}}],
		 ["tools/call", {"name": "no_such_tool"}],
		 ["tools/call", {"name": "echo", "arguments": {"n": "x"}}],
		 ["tools/call", {"name": "echo", "arguments": {"do": "die"}}],
		 ["tools/call", {"name": "echo", "arguments": {"n": 2}}]]
		END
		step 2 | jq -e '.result | .structuredContent == {n: 12345678901} and (.content[0].text | fromjson) == .structuredContent'
		step 3 | jq -e '.result | (.isError | not) and (.structuredContent.results | length == 3) and (.content[1].type == "resource_link")'
		step 4 | jq -e '.result | (.isError | not) and .structuredContent'
		step 5 | jq -e '.result.isError'
		step 6 | jq -e '.result | (.isError | not) and (.structuredContent | tojson | contains("w-7"))'
		step 7 | jq -e '.error.code == -32602'
		# the filter answers what the schema forbids: the client itself says so
		step 8 | jq -e '.error.message | contains("schema")'
		step 9 | jq -e '.result.isError'
		step 10 | jq -e '.result.structuredContent == {n: 2}'
	done
}

# bats test_tags=full
@test "every resource that is listed is read, by each client" {
	state
	start_serve --config tools.json
	for how in $HOWS; do
		both $how <<<'["resources/list"]' | jq -c '[.result.resources[].uri | select(. != "lh:audit/last")] + ["lh://workers/w-7", "lh://no/such", "file:///etc/passwd"] |
			map(["resources/read", {uri: .}])' >reads
		both $how <reads >said
		[ "$(wc -l <said)" -gt 3 ]
		head -n -2 said | jq -se 'all(.result.contents[0] | .uri and .mimeType and (.text | length > 0))'
		# the code of the older revisions is another; the client of both eras gives it the newer one
		tail -n 2 said | jq -se --arg how $how 'all(.error.code == (if $how == "sdk" then -32002 else -32602 end))'
	done
}

# bats test_tags=full
@test "calls at one time are answered by their ids, and a call that is cancelled is not answered" {
	state
	start_serve --config tools.json
	for how in $HOWS; do
		jq -nc '[["together", [range(50) | ["tools/call", {name: "echo", arguments: {n: .}}]]],
			["cancel", "tools/call", {name: "echo", arguments: {n: 1, do: "stall stalled"}}, "stalled"],
			["tools/call", {name: "echo", arguments: {n: 5}}]]' | both $how >said
		step 1 | jq -e '[.result[].result.structuredContent.n] == [range(50)]'
		step 2 | jq -e '.error.message | contains("enough")'
		step 3 | jq -e '.result.structuredContent == {n: 5}'
	done
	[ "$(jq -r 'select(.status != 200 and .status != 202) | .status' access | sort -u)" != 500 ]
}

# bats test_tags=full
@test "a token is sent by the clients, and a wrong one keeps them out" {
	state
	token primary
	start_serve --config tools.json --token-file primary
	for how in $HOWS; do
		client $how http "$URL/mcp" 'Authorization: Bearer primary-0123456789abcdef' <<<'["tools/list"]' | jq -e '.result.tools'
		run ! client $how http "$URL/mcp" 'Authorization: Bearer wrong-0123456789abcdef' <<<'["tools/list"]'
	done
	run ! grep -e primary- -e wrong- access err
}

# bats test_tags=full
@test "the inspector lists and calls tools, and lists and reads resources, in its three eras" {
	state
	start_serve --config tools.json
	for target in "lh-mcp --state state --tools tools.json" "$URL/mcp"; do
		for era in legacy auto modern; do
			# over HTTP in one era, with soak in each
			[[ $target != http* || $era = "$(scale auto $era)" ]] || continue
			look() { inspector --protocol-era $era "$@" $target; }
			look --strict --method tools/list | jq -e '[.result.tools[].name] | index("echo") and index("search")'
			look --method tools/call --tool-name echo --tool-args-json '{"n":3}' | jq -e '.result.structuredContent == {n: 3}'
			look --method tools/call --tool-name search --tool-args-json '{"query":"welder","k":2}' | jq -e '.result.structuredContent.results | length == 2'
			uri=$(look --method resources/list | jq -r '.result.resources[0].uri')
			look --method resources/read --uri "$uri" | jq -e '.result.contents[0].text'
			look --method resources/templates/list | jq -e '.result.resourceTemplates | length > 0'
		done
	done
}

# bats test_tags=full
@test "every scenario of the conformance suite that applies passes, of three revisions" {
	jq -nf "$ROOT/tests/mcp/conformance.jq" >config
	start_serve --config config
	for version in 2025-06-18 2025-11-25 2026-07-28; do
		conformance server --url "http://localhost:$PORT/mcp" --suite all --spec-version $version -o $version >/dev/null || true
		for checks in $version/*/checks.json; do
			scenario=$(sed 's,.*/server-,,; s,-20[0-9-]*T[^/]*/checks.json$,,' <<<"$checks")
			jq -r --arg scenario "$scenario" '.[] | [$scenario, .id, .status] | @tsv' "$checks"
		done >$version.checks
	done
	[ "$(grep -c 'SUCCESS$' 2025-06-18.checks)" -ge 30 ]
	[ "$(grep -c 'SUCCESS$' 2025-11-25.checks)" -ge 44 ]
	[ "$(grep -c 'SUCCESS$' 2026-07-28.checks)" -ge 105 ]
	alike <(sed -n 's/\t\(FAILURE\|WARNING\)$//p' ./*.checks | LC_ALL=C sort -u) \
		<(grep -v '^#\|^$' "$ROOT/tests/mcp/not-served" | LC_ALL=C sort)
}
