# lh-workflow: flows of nodes, each of which asks a filter.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	jq -n '["jq", "-c", "--unbuffered", "if .fail then {error: {code: 422, message: \"asked to fail\"}} else {got: .} end"] as $got |
		{modes: {one: $got, two: $got, echo: $got, cat: ["cat"]}}' >modes.json
}

# flow NODES - a flow with these members of nodes, comma-separated objects.
flow() {
	printf '{"name":"f","nodes":[%s]}\n' "$1" >flow.json
}

workflow() {
	local command=$1
	shift
	lh-workflow "$command" --modes modes.json "$@"
}

# refused MESSAGE - check and run refuse flow.json so, exit 2, and nothing runs.
refused() {
	local command
	for command in check run; do
		[ "$command" = check ] && set -- "$1" || set -- "$1" -n
		run --separate-stderr lh-workflow $command --modes modes.json ${2:-} "${FLOW:-flow.json}"
		[ "$status" = 2 ] && [ -z "$output" ] && [ "$stderr" = "lh-workflow: ${FLOW:-flow.json}:$1" ] ||
			{ echo "$command: exit $status, $output, $stderr"; return 1; }
	done
}

# ---- what is checked first ----

@test "an id is there once, is a name, and is not input" {
	printf '{"name":"f","nodes":[\n{"id":"a","mode":"one"},\n{"id":"a","mode":"one"}]}' >flow.json
	refused '3: node "a" is there twice'
	for id in input 'a b' a.b 'a$' 'é' -; do
		flow "{\"id\":\"$id\",\"mode\":\"one\"}"
		refused '1: nodes[0].id must be a name of letters, digits, "_" and "-" (not "input")'
	done
	flow '{"mode":"one"}'
	refused '1: missing nodes[0].id (name of letters, digits, "_" and "-" (not "input"))'
}

@test "what a node depends on is there" {
	flow '{"id":"a","mode":"one","depends_on":["b"]}'
	refused '1: node "a" depends on "b", which is not there'
}

@test "a cycle is refused, and its nodes are named" {
	flow '{"id":"a","mode":"one","depends_on":["a"]}'
	refused '1: nodes depend on each other: "a" on "a"'
	flow '{"id":"x","mode":"one"},{"id":"a","mode":"one","depends_on":["x","c"]},{"id":"b","mode":"one","depends_on":["a"]},{"id":"c","mode":"one","depends_on":["b"]},{"id":"d","mode":"one","depends_on":["c"]}'
	refused '1: nodes depend on each other: "a" on "c" on "b" on "a"'
}

@test "modes that die, flood or answer with other things fail their nodes alone" {
	jq -n '{modes: {echo: ["cat"], none: ["/no/such/command"], dies: ["sh", "-c", "read l; exit 3"],
		text: ["sh", "-c", "while read l; do echo hello; done"], flood: ["cat", "/dev/zero"]}}' >modes.json
	for mode in none dies text flood; do
		flow "{\"id\":\"a\",\"mode\":\"$mode\"},{\"id\":\"b\",\"mode\":\"echo\"},{\"id\":\"c\",\"mode\":\"echo\",\"depends_on\":[\"a\"]}"
		run -1 --separate-stderr workflow run -n flow.json
		[ "$(grep -o '"status":"[a-z]*"' <<<"$output" | paste -sd' ')" = '"status":"failed" "status":"ok" "status":"skipped" "status":"failed"' ] ||
			{ echo "$mode: $output"; return 1; }
	done
}

@test "members that are not known, and members of another type, are refused" {
	flow '{"id":"a","mode":"one","depend_on":[]}'
	refused '1: unknown member "depend_on" in nodes[0] (did you mean "depends_on"?)'
	flow '{"id":"a","mode":"one","inputs":[]}'
	refused '1: nodes[0].inputs must be an object'
	flow '{"id":"a","mode":"one","timeout":0}'
	refused '1: nodes[0].timeout must be a number above 0 and at most 86400'
	flow '{"id":"a","mode":"one","depends_on":[1]}'
	refused '1: nodes[0].depends_on[0] must be a string'
	echo '[]' >flow.json
	refused '1: must be an object'
	printf '{"name":"f",\n"nodes":' >flow.json
	run -2 --separate-stderr lh-workflow check flow.json
	[[ $stderr == 'lh-workflow: flow.json:2: '* ]]
}

# ---- order and results ----

@test "nodes are in Kahn's order, ties as declared" {
	flow '{"id":"d","depends_on":["b","c"]},{"id":"c","depends_on":["a"]},{"id":"b","depends_on":["a"]},{"id":"a"},{"id":"e"}'
	[ "$(lh-workflow check flow.json | jq -c .order)" = '["a","e","c","b","d"]' ]
	flow '{"id":"b","depends_on":["a","a"]},{"id":"a"}'
	[ "$(lh-workflow check flow.json | jq -c .order)" = '["a","b"]' ]
}

@test "a node after one that failed is skipped, others go on, exit 1" {
	flow '{"id":"a","mode":"one","inputs":{"fail":true}},{"id":"b","mode":"one","depends_on":["a"]},{"id":"c","mode":"one","depends_on":["d","b"]},{"id":"d","mode":"one"}'
	run -1 --separate-stderr lh-workflow run --modes modes.json -n --run-id r --now 2026-05-03T12:00:00Z flow.json
	[ -z "$stderr" ]
	diff - <(echo "$output") <<-'END'
	{"workflow":"f","run":"r","id":"a","status":"failed","output":{"error":"asked to fail"},"error":"asked to fail","started_at":"2026-05-03T12:00:00.000Z","duration_ms":0}
	{"workflow":"f","run":"r","id":"d","status":"ok","output":{"got":{}},"error":null,"started_at":"2026-05-03T12:00:00.000Z","duration_ms":0}
	{"workflow":"f","run":"r","id":"b","status":"skipped","output":null,"error":"upstream node a failed","started_at":null,"duration_ms":0}
	{"workflow":"f","run":"r","id":"c","status":"skipped","output":null,"error":"upstream node a failed","started_at":null,"duration_ms":0}
	{"workflow":"f","run":"r","status":"failed","nodes":4,"ok":1,"failed":1,"skipped":2,"duration_ms":0}
	END
}

# ---- references ----

# filled INPUTS INPUT - the request of a node after a, whose answer is {"got":{"k":[1,"two",{"c":null}],"s":"q\"\n$input"}}
filled() {
	flow "$(jq -nc --argjson inputs "$1" '[{id: "a", mode: "echo", inputs: {k: [1, "two", {c: null}], s: "q\"\n$$input"}},
		{id: "a-b", mode: "echo"}, {id: "x", mode: "echo", depends_on: ["a", "a-b"], inputs: $inputs}][]' | paste -sd,)"
	printf '%s\n' "${2:-{\}}" | workflow run flow.json >got || [ $? = 1 ]
	jq -c 'select(.id == "x") | .output.got // .error' got
}

@test "a text that is a reference becomes the value, elsewhere its text" {
	[ "$(filled '{"v":"$a"}')" = '{"v":{"got":{"k":[1,"two",{"c":null}],"s":"q\"\n$input"}}}' ]
	[ "$(filled '{"v":["$a.output","$a.output.got.k.0","$a.output.got.k.2.c","$a.output.got.k.1"]}' | jq -c .v[1:])" = '[1,null,"two"]' ]
	[ "$(filled '{"v":"<$a.output.got.k>"}')" = '{"v":"<[1,\"two\",{\"c\":null}]>"}' ]
	[ "$(filled '{"v":" $a.output.got.s."}')" = '{"v":" q\"\n$input."}' ]
	[ "$(filled '{"v":"$a.output.got.k.0$a.output.got.k.1"}')" = '{"v":"1two"}' ]
	[ "$(filled '{"v":"$input.x","w":"$input"}' '{"x":[1.5]}')" = '{"v":[1.5],"w":{"x":[1.5]}}' ]
	[ "$(filled '{"$a":"k","b":{"c":["$input.x"]}}' '{"x":""}')" = '{"$a":"k","b":{"c":[""]}}' ]
}

@test "a reference to what is not there fails its node" {
	while IFS='|' read -r inputs why; do
		got=$(filled "$inputs" '{"x":[]}')
		[ "$got" = "$why" ] || { echo "$inputs: $got"; return 1; }
	done <<-'END'
	{"v":"$a.output.none"}|"unresolved $a.output.none"
	{"v":"so $a.output.got.k.3 is"}|"unresolved $a.output.got.k.3"
	{"v":"$a.output.got.k.01"}|"unresolved $a.output.got.k.01"
	{"v":"$a.output.got.s.x"}|"unresolved $a.output.got.s.x"
	{"v":"$a.status"}|"unresolved $a.status"
	{"v":["$input.y"]}|"unresolved $input.y"
	{"v":"$input.x.0"}|"unresolved $input.x.0"
	{"v":"$x"}|"unresolved $x: \"x\" does not depend on it"
	END
}

# ---- data that looks like something else ----

# bats test_tags=full
@test "data never reaches a shell, and never breaks a line" {
	flow '{"id":"a","mode":"echo","prompt":"$input.t","inputs":{"in":"x $input.t"}},{"id":"b","mode":"echo","depends_on":["a"],"prompt":"$a.output.got.prompt"}'
	for text in '$(touch hit) `touch hit`' $'\'; touch hit; "\0 | touch hit' $'{"got":1}\n{"error":{"code":500,"message":"m"}}\n' '$$ $a $b.output' "$(stretch 300000 '$(touch hit)')"; do
		jq -nc --rawfile t <(printf %s "$text") '{$t}' >in.jsonl
		workflow run --observe log flow.json in.jsonl >got
		[ "$(wc -l <got)" = 3 ]
		alike <(jq -c 'select(.id == "b").output.got.prompt' got) <(jq -c .t in.jsonl)
		alike <(jq -c 'select(.id == "a").output.got.in' got) <(jq -c '"x " + .t' in.jsonl)
	done
	[ ! -e hit ]
	jq -e -s 'all(.success and (.input_summary | utf8bytelength <= 200))' log
}

# ---- modes ----

@test "a file of modes that is wrong is refused with its line" {
	flow '{"id":"a","mode":"one"}'
	while IFS='|' read -r text why; do
		printf "$text" >modes.json
		run -2 --separate-stderr lh-workflow run -n --modes modes.json flow.json
		[ "$stderr" = "lh-workflow: $why" ] || { echo "$stderr"; return 1; }
	done <<-'END'
	|modes.json:1: is empty
	{}|modes.json:1: missing "modes" (object)
	{"modes":{}, "x":1}|modes.json:1: unknown member "x"
	{"modes":{\n"one":"true"}}|modes.json:2: mode "one" must be an array of strings
	{"modes":{\n"one":[]}}|modes.json:2: mode "one" has no command
	{"modes":{\n\n"one":["a",1]}}|modes.json:3: mode "one" must be an array of strings
	{"modes":{"":["a"]}}|modes.json:1: a mode has no name
	END
	run -2 lh-workflow run -n --modes none.json flow.json
}

@test "a mode gets no keys, unless it is of this family" {
	export LH_SUBJECT_AUDIT_KEY=secret-1 OPENROUTER_API_KEY=secret-2 AWS_SECRET_ACCESS_KEY=secret-3 OTHER=secret-4
	jq -n '{modes: {env: ["sh", "-c", "while read l; do env | jq -Rsc \"{env: .}\"; done"]}}' >modes.json
	flow '{"id":"a","mode":"env"}'
	workflow run -n flow.json >got
	[ "$(jq -r 'select(.id).output.env' got | grep -c ^PATH=)" = 1 ]
	run ! grep -q secret- got
}

# ---- the log, and going on ----

@test "a row for each node is in the log" {
	flow '{"id":"a","mode":"one","inputs":{"k":1}},{"id":"b","mode":"one","inputs":{"fail":true},"depends_on":["a"]},{"id":"c","mode":"two","depends_on":["b"]}'
	run -1 lh-workflow run -n --modes modes.json --run-id r --now 2026-05-03T12:00:00Z --observe log flow.json
	[ "$(stat -c %a log)" = 600 ]
	diff - <(sed 's/"request_sha256":"[0-9a-f]\{64\}"/"request_sha256":"-"/' log) <<-'END'
	{"timestamp":"2026-05-03T12:00:00.000Z","source":"workflow","endpoint":"one","input_summary":"{\"k\":1}","success":true,"duration_ms":0,"output_summary":"{\"got\":{\"k\":1}}","workflow":"f","run":"r","node":"a","status":"ok","started_at":"2026-05-03T12:00:00.000Z","request_sha256":"-","output":{"got":{"k":1}}}
	{"timestamp":"2026-05-03T12:00:00.000Z","source":"workflow","endpoint":"one","input_summary":"{\"fail\":true}","success":false,"duration_ms":0,"output_summary":"{\"error\":\"asked to fail\"}","error":"asked to fail","workflow":"f","run":"r","node":"b","status":"failed","started_at":"2026-05-03T12:00:00.000Z","request_sha256":"-","output":{"error":"asked to fail"}}
	{"timestamp":"2026-05-03T12:00:00.000Z","source":"workflow","endpoint":"two","success":false,"duration_ms":0,"error":"upstream node b failed","workflow":"f","run":"r","node":"c","status":"skipped","started_at":null,"request_sha256":null,"output":null}
	END
	[ "$(sed -n 1p log | jq -r .request_sha256)" = "$(printf 'one\n{"k":1}\n' | sha256sum | cut -d' ' -f1)" ]
}

@test "a row that cannot be written ends the run, before its result is printed" {
	needs_strace
	flow '{"id":"a","mode":"cat"},{"id":"b","mode":"cat","depends_on":["a"]}'
	for n in 1 2; do
		rm -f log
		run -2 --separate-stderr inject write:error=ENOSPC:when=$n -P "$PWD/log" lh-workflow run -n --modes modes.json --observe log --run-id r flow.json
		[ "$(grep -c . <<<"$output" || true)" = $((n - 1)) ]
		[[ $stderr == *'No space left on device'* ]]
		[ "$(workflow run -n --observe log --resume r flow.json | jq -s -c '.[-1].ok')" = 2 ]
	done
}

# ---- size ----

# ---- requests ----

@test "requests runs the flow of each record, a wrong flow is 400" {
	printf '%s\n' '{"flow":{"name":"f","nodes":[{"id":"a","mode":"one","inputs":{"k":"$input.x"}}]},"inputs":{"x":[1]}}' \
		'{"workflow":{"name":"g","nodes":[{"id":"a","mode":"one","inputs":{"fail":1}},{"id":"b","mode":"two","depends_on":["a"]}]}}' \
		'{"flow":{"name":"f","nodes":[]}}' '{"inputs":{}}' \
		'{"flow":{"name":"f","nodes":[{"id":"a","mode":"one","depends_on":["a"]}]}}' \
		'{"flow":{"name":"f","nodes":[{"id":"a","mode":"sql"}]}}' >in.jsonl
	run -1 --separate-stderr lh-workflow requests -q --modes modes.json --on-error emit --now 2026-05-03T12:00:00Z in.jsonl
	diff - <(jq -c 'del(.run) | del(.results[]? | .run, .started_at)' <<<"$output") <<-'END'
	{"workflow":"f","status":"ok","nodes":1,"ok":1,"failed":0,"skipped":0,"duration_ms":0,"results":[{"workflow":"f","id":"a","status":"ok","output":{"got":{"k":[1]}},"error":null,"duration_ms":0}]}
	{"workflow":"g","status":"failed","nodes":2,"ok":0,"failed":1,"skipped":1,"duration_ms":0,"results":[{"workflow":"g","id":"a","status":"failed","output":{"error":"asked to fail"},"error":"asked to fail","duration_ms":0},{"workflow":"g","id":"b","status":"skipped","output":null,"error":"upstream node a failed","duration_ms":0}]}
	{"error":{"file":"in.jsonl","line":3,"code":400,"message":"flow.nodes must not be empty"}}
	{"error":{"file":"in.jsonl","line":4,"code":400,"message":"missing \"flow\" (object)"}}
	{"error":{"file":"in.jsonl","line":5,"code":400,"message":"nodes depend on each other: \"a\" on \"a\""}}
	{"error":{"file":"in.jsonl","line":6,"code":400,"message":"unknown mode \"sql\" of node \"a\""}}
	END
}

@test "lh-serve runs a flow, with its log, and without SQL unless a file of modes has it" {
	load ../servers/serve
	mkdir -p s/log
	lh-serve --print-config | jq -c '{routes: [.routes[] | select(.run and (.run[0] != "lh-workflow")) | {route, off: "not in this test"}]}' >config.json
	start_serve --config config.json --state s
	post /v1/observer/workflow/run '{"flow": {"name": "f", "nodes": [{"id": "a", "mode": "matrix.downgrade",
		"inputs": {"mode": "codereview", "model": "$input.model"}}]}, "inputs": {"model": "kimi-k2"}}' >got
	post /v1/observer/workflow/run '{"flow":{"name":"f","nodes":[{"id":"a","mode":"sql","inputs":{"sql":"VALUES (1)"}}]}}' >refused
	end_serves
	[ "$(jq -c '[.status, .ok, .results[0].id, .results[0].output.mode]' got)" = '["ok",1,"a","codereview"]' ]
	[ "$(jq -r .error refused)" = 'unknown mode "sql" of node "a"' ]
	[ "$(jq -c '[.source, .endpoint, .node, .success]' s/log/observer.jsonl)" = '["workflow","matrix.downgrade","a",true]' ]
}

# ---- YAML ----

# broken LINE TEXT - a YAML file that is refused, with its line.
broken() {
	printf '%b' "$2" >flow.yaml
	run --separate-stderr patiently lh-workflow check --modes modes.json flow.yaml
	[ "$status" = 2 ] && [[ $stderr == "lh-workflow: flow.yaml:"$1": "*"${3:-}"* ]] || { echo "$2: exit $status, $stderr"; return 1; }
}

@test "YAML that is wrong is refused with its line" {
	broken 1 '' 'there is no document'
	broken 1 '# nothing\n' 'there is no document'
	broken 3 'name: f\nnodes:\n  - {id: a, mode: one, mode: two}\n' 'duplicate'
	broken 2 'name: f\nname: g\nnodes: []\n' 'duplicate'
	broken 2 'name: f\nnodes: !!seq []\n' 'tags'
	broken 1 'name: !foo f\n' 'tags'
	broken 2 'name: f\n? [a]\n: 1\n' 'a key must be a scalar'
	broken 3 'name: f\nnodes: []\n*x : 1\n' 'a key must be a scalar'
	broken 1 'name: *x\n' 'not there'
	broken 1 'name: &a [*a]\n' 'inside'
	broken 2 'name: f\n---\nname: g\n' 'second document'
	broken 1 'name: .inf\n' 'finite'
	broken 1 'name: -.INF\n' 'finite'
	broken 1 'name: .nan\n' 'finite'
	broken 1 'name: 0x10000000000000000\n' '64 bits'
	broken 2 'name: f\n\tnodes: []\n'
	broken 2 'name: "f\n'
	broken 1 'name: \xff\n'
	broken 1 'name: f\x01\n'
	broken 3 'name: f\nnodes:\n  - id: a\n    mode: none\n' 'unknown mode'
	broken 5 'name: f\nnodes:\n  - id: a\n    mode: one\n  - id: a\n    mode: one\n' 'twice'
	broken 5 'name: f\nnodes:\n  - id: a\n    mode: one\n    depends_on: b\n' 'must be an array of strings'
}

@test "hostile YAML is refused, and soon" {
	# a billion laughs
	{ echo 'a0: &a0 lol'; for i in {1..12}; do echo "a$i: &a$i [$(for k in {1..9}; do printf '*a%d,' $((i - 1)); done)*a$((i - 1))]"; done; } >laughs
	broken '*' "$(cat laughs)" 'larger than 16M'
	broken 1 "name: $(stretch 100000 '[')" 'too deeply'
	broken 1 "name: $(stretch 100000 '{a: ')" ''
	broken '*' "$(for i in {1..200}; do stretch $i ' '; echo '- - -'; done)" ''
	broken 1 "&a$(stretch 100000 b) *a" ''
}

@test "the flow in share/examples is right" {
	for file in "$ROOT"/share/examples/*.yaml; do
		lh-workflow check "$file" >out
	done
	[ "$(jq -c .order out)" = '["find","draft","check"]' ]
}

@test "the examples on the page print what they say" {
	lh-gen workers -n 50 | lh-embed | lh-index build -q workers.lhv
	load ../servers/server
	start_chat
	export LH_OLLAMA_URL=$URL
	mandoc -Tascii -Owidth=80 "$ROOT/man/lh-workflow.1" | sed 's,.\x08,,g' | awk '
		/^[A-Z]/ { on = $0 == "EXAMPLES"; next }
		on && /^           / { print substr($0, 12) }' >script
	bash -eo pipefail script >got </dev/null
	stop_upstreams
	alike got <(sed -n 's/^# //p' script)
}
