# lh-workflow: flows of nodes, each of which asks a filter.
# bats file_tags=long
load ../helper

ORACLE=$ROOT/tests/oracle/workflow.py

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	jq -n --arg oracle "$ORACLE" '{modes: {one: ["python3", $oracle, "mode"], two: ["python3", $oracle, "mode"],
		echo: ["jq", "-c", "--unbuffered", "{got: .}"], cat: ["cat"]}}' >modes.json
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

# timeless - the lines of stdin without what differs from run to run.
timeless() {
	jq -c 'del(.run, .started_at, .duration_ms)'
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

@test "a flow has a name" {
	echo '{"nodes":[{"id":"a","mode":"one"}]}' >flow.json
	refused '1: missing "name" (string)'
	echo '{"name":"","nodes":[{"id":"a","mode":"one"}]}' >flow.json
	refused '1: "name" must not be empty'
}

@test "a flow has at least one node" {
	echo '{"name":"f"}' >flow.json
	refused '1: missing "nodes" (array of objects)'
	flow ''
	refused '1: "nodes" must not be empty'
}

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
	flow "$(for i in {0..99}; do echo "{\"id\":\"n$i\",\"mode\":\"one\",\"depends_on\":[\"n$(((i + 1) % 100))\"]},"; done | sed '$s/,$//')"
	run -2 --separate-stderr lh-workflow check --modes modes.json flow.json
	[[ $stderr == *'"n0" on "n1" on '*'"n9" on ... on "n0"' ]]
}

@test "every mode is known" {
	printf '{"name":"f","nodes":[{"id":"a","mode":"one"},\n{"id":"b","mode":"thr$(ee)"}]}' >flow.json
	refused '2: unknown mode "thr$(ee)" of node "b"'
	for mode in matrix.search matrix.relevance matrix.downgrade distillation.score drift.scorer llm.chat validate sql embed; do
		flow "{\"id\":\"a\",\"mode\":\"$mode\"}"
		run -0 lh-workflow check flow.json
	done
	flow '{"id":"a"}'
	run -0 lh-workflow check flow.json
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

@test "several flows are checked, also after one that is wrong" {
	flow '{"id":"a","mode":"one"}'
	echo '{' >bad.json
	run -2 --separate-stderr lh-workflow check --modes modes.json flow.json bad.json none.json flow.json
	[ "${#lines[@]}" = 2 ]
	[ "$output" = $'{"workflow":"f","nodes":1,"order":["a"]}\n{"workflow":"f","nodes":1,"order":["a"]}' ]
	[ "${#stderr_lines[@]}" = 2 ]
}

# ---- order and results ----

@test "nodes are in Kahn's order, ties as declared" {
	flow '{"id":"d","depends_on":["b","c"]},{"id":"c","depends_on":["a"]},{"id":"b","depends_on":["a"]},{"id":"a"},{"id":"e"}'
	[ "$(lh-workflow check flow.json | jq -c .order)" = '["a","e","c","b","d"]' ]
	flow '{"id":"b","depends_on":["a","a"]},{"id":"a"}'
	[ "$(lh-workflow check flow.json | jq -c .order)" = '["a","b"]' ]
}

# bats test_tags=plain-only
@test "a thousand nodes, a chain, wide and random, come to what a second implementation makes of them" {
	printf '%s\n' '{"name":"Ann $n1 `x` \n {\"id\":1}","list":[1,{"a":[]},"z"]}' '{"name":"","list":[]}' >in.jsonl
	for shape in chain wide random; do
		python3 "$ORACLE" generate $shape 1000 7 >flow.json
		workflow check flow.json | alike - <(python3 "$ORACLE" order flow.json)
		workflow run -j 4 flow.json in.jsonl >got || [ "$shape" = random ]
		[ "$(wc -l <got)" = 2002 ]
		timeless <got >timeless
		alike timeless <(python3 "$ORACLE" run flow.json <in.jsonl) >differences || { head -n 4 differences; return 1; }
	done
	[ "$(jq -s 'map(select(.status == "skipped")) | length' got)" -gt 100 ]
}

@test "small random flows, the results and the order" {
	for seed in $(seq "$(scale 6 400)"); do
		python3 "$ORACLE" generate random $((seed % 9 * 4 + 1)) "$seed" >flow.json
		echo '{"name":"x","list":[0,"$n0"]}' >in.jsonl
		workflow run flow.json in.jsonl | timeless >got || true
		alike got <(python3 "$ORACLE" run flow.json <in.jsonl) || { echo "seed $seed"; return 1; }
	done
}

@test "independent nodes run at the same time, as many as -j says" {
	cat >wait.py <<-'END'
	import os, sys, time
	for line in sys.stdin:
	    open(f"here.{os.getpid()}", "w").close()
	    end = time.monotonic() + float(sys.argv[1])
	    n = 0
	    while n < 2 and time.monotonic() < end:
	        n = len([f for f in os.listdir(".") if f.startswith("here.")])
	        time.sleep(0.01)
	    print('{"met":%d}' % n, flush=True)
	END
	flow '{"id":"a","mode":"wait"},{"id":"b","mode":"wait"}'
	jq -n '{modes: {wait: ["python3", "wait.py", "60"]}}' >modes.json
	[ "$(workflow run -n -j 2 flow.json | jq -s -c 'map(.output.met)')" = '[2,2,null]' ]
	rm here.*
	jq -n '{modes: {wait: ["python3", "wait.py", "0.1"]}}' >modes.json
	[ "$(workflow run -n -j 1 flow.json | jq -s -c 'map(.output.met)')" = '[1,1,null]' ]
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

@test "each record is a run, a record that is wrong is none, and -n is one run of {}" {
	flow '{"id":"a","mode":"one","inputs":{"all":"$input"}}'
	printf '%s\n' '{"x":1}' '[1]' '' '{"x":2}' >in.jsonl
	run -1 --separate-stderr lh-workflow run --modes modes.json --run-id r flow.json in.jsonl
	[ "$(jq -s -c 'map(select(.id) | [.run, .output.got.all.x])' <<<"$output")" = '[["r",1],["r.2",2]]' ]
	[[ ${stderr_lines[0]} == 'lh-workflow: in.jsonl:2: '* ]]
	[ "$(workflow run -n flow.json | jq -s -c '.[0].output')" = '{"got":{"all":{}}}' ]
	[ -z "$(workflow run flow.json </dev/null)" ]
	# minted ids differ
	[ "$(for i in 1 2 3; do workflow run -n flow.json; done | jq -r .run | sort -u | wc -l)" = 3 ]
}

@test "without a file and with a terminal as input it is one run" {
	flow '{"id":"a","mode":"one","inputs":{"all":"$input"}}'
	run -0 timeout 60 script -qec "$LH_BIN/lh-workflow run --modes modes.json flow.json" /dev/null
	[ "$(jq -s -c '.[0].output' <<<"$output")" = '{"got":{"all":{}}}' ]
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

@test "a dollar that is not a reference is text, and two are one" {
	[ "$(filled '{"v":"$$ $ $5 $nobody $ab ${a} $(a) $A $inputs $a_ costs $"}')" = '{"v":"$ $ $5 $nobody $ab ${a} $(a) $A $inputs $a_ costs $"}' ]
	[ "$(filled '{"v":"$$a $$$a.output.got.k.0"}')" = '{"v":"$a $1"}' ]
	[ "$(filled '{"v":"$a-c"}' | jq -r .v | cut -c1-8)" = '{"got":{' ]
	[ "$(filled '{"v":"$a-b"}')" = '{"v":{"got":{}}}' ]
	[ "$(filled '{"v":"\u0024a-b and \u0024$"}')" = '{"v":"{\"got\":{}} and $"}' ]
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

@test "a node may use what it depends on through others, and nothing else" {
	flow '{"id":"a","mode":"one"},{"id":"b","mode":"one","depends_on":["a"]},{"id":"c","mode":"one","depends_on":["b"],"inputs":{"v":"$a.output.got"}},{"id":"d","mode":"one","inputs":{"v":"$a"}}'
	run -1 lh-workflow run -n --modes modes.json flow.json
	[ "$(jq -c 'select(.id == "c").output.got' <<<"$output")" = '{"v":{}}' ]
	[ "$(jq -r 'select(.id == "d").error' <<<"$output")" = 'unresolved $a: "d" does not depend on it' ]
}

@test "the prompt is a member of the request, in place of one in inputs" {
	flow '{"id":"a","mode":"one","prompt":"for $input.n","inputs":{"prompt":"no","k":1}}'
	[ "$(workflow run flow.json <<<'{"n":"Ann"}' | jq -c 'select(.id).output.got')" = '{"k":1,"prompt":"for Ann"}' ]
}

# ---- data that looks like something else ----

@test "data never reaches a shell, and never breaks a line" {
	flow '{"id":"a","mode":"echo","prompt":"$input.t","inputs":{"in":"x $input.t"}},{"id":"b","mode":"echo","depends_on":["a"],"prompt":"$a.output.got.prompt"}'
	for text in '$(touch hit)' '`touch hit`' "'; touch hit; '" '"; touch hit; "' '| touch hit' '$HOME $PATH ${IFS}' '&& touch hit' \
		$'a\nb\r\nc\0x' $'{"got":1}\n{"error":{"code":500,"message":"m"}}\n' '}]}' '"' '\' '\n' '\u0000' '$$' '$a' '$b.output' '$input.t' \
		$'\e[2J' $'\u2028 \u2029 \u0085' '{"jsonrpc":"2.0","id":1,"result":{}}' "$(stretch 300000 '$(touch hit)')"; do
		jq -nc --rawfile t <(printf %s "$text") '{$t}' >in.jsonl
		workflow run --observe log flow.json in.jsonl >got
		[ "$(wc -l <got)" = 3 ]
		alike <(jq -c 'select(.id == "b").output.got.prompt' got) <(jq -c .t in.jsonl)
		alike <(jq -c 'select(.id == "a").output.got.in' got) <(jq -c '"x " + .t' in.jsonl)
	done
	[ ! -e hit ]
	jq -e -s 'all(.success and (.input_summary | utf8bytelength <= 200))' log
}

@test "what grows from node to node is stopped" {
	flow "$(printf '{"id":"n0","mode":"echo","inputs":{"t":"0123456789"}}'
		for i in $(seq 12); do printf ',{"id":"n%d","mode":"echo","depends_on":["n%d"],"inputs":{"a":"$n%d","b":"$n%d"}}' "$i" $((i - 1)) $((i - 1)) $((i - 1)); done)"
	run -1 lh-workflow run -n --modes modes.json --max-line 10K flow.json
	[ "$(jq -s -c '.[-1] | [.ok > 5, .failed]' <<<"$output")" = '[true,1]' ]
	[ "$(jq -r 'select(.status == "failed" and .id).error' <<<"$output")" = 'longer than 10240 bytes' ]
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

@test "a mode of the file is run without a shell, and takes the place of one that is built in" {
	jq -n '{modes: {"llm.chat": ["jq", "-c", "--unbuffered", "{content: (\"$HOME; `id` \" + .prompt)}"]}}' >modes.json
	flow '{"id":"a","prompt":"$(id)"}'
	[ "$(workflow run -n flow.json | jq -r 'select(.id).output.content')" = '$HOME; `id` $(id)' ]
}

@test "modes that die, hang, flood, answer twice or with other things fail their nodes alone" {
	jq -n '{modes: {echo: ["jq", "-c", "--unbuffered", "{got: .}"],
		none: ["/no/such/command"], gone: ["false"], hang: ["sleep", "1000"], lines: ["yes", "{}"],
		one: ["sh", "-c", "read l; echo $$ >pid; echo {}; exit 3"],
		gone_one: ["sh", "-c", "while read l; do while kill -0 `cat pid` 2>&-; do sleep 0.01; done; echo {}; done"],
		dies: ["sh", "-c", "read l; exit 3"],
		twice: ["sh", "-c", "while read l; do printf \"{}\\n{}\\n\"; done"],
		text: ["sh", "-c", "while read l; do echo hello; done"],
		array: ["sh", "-c", "while read l; do echo []; done"],
		flood: ["sh", "-c", "exec cat /dev/zero"],
		half: ["sh", "-c", "read l; printf {; exit 0"],
		refuses: ["sh", "-c", "while read l; do echo \"{\\\"error\\\":{\\\"message\\\":\\\"no\\\",\\\"code\\\":400}}\"; done"]}}' >modes.json
	for mode in none gone hang lines dies twice text array flood half refuses; do
		flow "{\"id\":\"a\",\"mode\":\"$mode\"},{\"id\":\"b\",\"mode\":\"echo\",\"timeout\":60},{\"id\":\"c\",\"mode\":\"echo\",\"depends_on\":[\"a\"]}"
		# only the one that hangs has to wait for its end
		patience=60
		[ "$mode" != hang ] || patience=1
		printf '{}\n{}\n' | timeout 120 lh-workflow run --modes modes.json --timeout $patience flow.json >got 2>err && return 1 || [ $? = 1 ]
		[ "$(jq -s -c 'map(.status)' got)" = '["failed","ok","skipped","failed","failed","ok","skipped","failed"]' ] ||
			{ echo "$mode:"; cat got err; return 1; }
		echo "$mode: $(jq -r 'select(.id == "a").error' got | sort -u)"
	done >reasons
	grep -qx 'hang: mode "hang" did not answer in time' reasons
	grep -qx 'refuses: no' reasons
	grep -q '^none: cannot run /no/such/command' reasons
	grep -q '^twice: the process of mode "twice" ended before it answered' reasons
	# one that ends after its answer is started again
	flow '{"id":"a","mode":"one"},{"id":"b","mode":"gone_one","depends_on":["a"]},{"id":"c","mode":"one","depends_on":["b"]}'
	workflow run -j1 -n flow.json >got 2>err || { cat got err; return 1; }
	[ "$(jq -s -c 'map(select(.id).status)' got)" = '["ok","ok","ok"]' ] || { cat got err; return 1; }
}

@test "what a mode writes to its stderr is reported line by line with its name, and not with -q" {
	jq -n '{modes: {
		warns: ["sh", "-c", "while read l; do printf \"old \\033[1m\\nunit: m\" >&2; echo {}; done; echo 2 >&2"],
		long: ["python3", "-c", "import sys; sys.stdin.readline(); sys.stderr.write(\"x\" * 5000 + \"\\nz\\n\"); print({})"],
		dies: ["sh", "-c", "read l; echo no key >&2; exit 3"]}}' >modes.json
	flow '{"id":"a","mode":"warns"}'
	run -0 --separate-stderr workflow run -n flow.json
	[ "$stderr" = $'lh-workflow: mode "warns": old \\x1b[1m\nlh-workflow: mode "warns": unit: m2' ] || { echo "$stderr"; return 1; }
	flow '{"id":"a","mode":"dies"}'
	run -1 --separate-stderr workflow run -n flow.json
	[ "${stderr_lines[0]}" = 'lh-workflow: mode "dies": no key' ]
	[ "${stderr_lines[1]}" = 'lh-workflow: sh[0] ended with status 3' ] || { echo "$stderr"; return 1; }
	run -1 --separate-stderr workflow run -q -n flow.json
	[[ $stderr != *'no key'* ]]
	# a long line comes in pieces, whole
	flow '{"id":"a","mode":"long"}'
	run -0 --separate-stderr workflow run -n flow.json
	[ "$(sed 's/^lh-workflow: mode "long": //' <<<"$stderr" | tr -d '\n')" = "$(printf 'x%.0s' {1..5000})z" ]
	[ "${stderr_lines[-1]}" = 'lh-workflow: mode "long": z' ]
	# not in the answers of requests
	flow '{"id":"a","mode":"warns"}'
	jq -c '{flow: .}' flow.json >in.jsonl
	run -0 --separate-stderr workflow requests -j1 in.jsonl
	[[ $output != *unit* && $stderr == *'mode "warns": unit: m2' ]]
	run -0 --separate-stderr workflow requests -j1 -q in.jsonl
	[ -z "$stderr" ]
}

@test "a signal ends the modes, too" {
	jq -n '{modes: {cat: ["cat"], hang: ["sh", "-c", "echo $$ >pid; exec sleep 1000"]}}' >modes.json
	flow '{"id":"a","mode":"hang"}'
	for sig in INT TERM HUP; do
		rm -f pid
		for input in -n in.jsonl; do
			echo '{}' >in.jsonl
			[ "$input" = -n ] && set -- -n flow.json || set -- flow.json in.jsonl
			python3 - "$LH_BIN/lh-workflow" "SIG$sig" run --modes modes.json "$@" <<-'END'
			import os, signal, subprocess, sys, time
			for s in (signal.SIGINT, signal.SIGHUP):
			    signal.signal(s, signal.SIG_DFL)
			p = subprocess.Popen([sys.argv[1], *sys.argv[3:]], stdout=subprocess.DEVNULL)
			while not os.path.exists("pid") or not os.path.getsize("pid"):
			    time.sleep(0.01)
			number = getattr(signal, sys.argv[2])
			p.send_signal(number)
			sys.exit(p.wait(60) != -number)
			END
			pid=$(cat pid)
			for i in {1..200}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
			run ! kill -0 "$pid"
			rm pid
		done
	done
}

@test "a node may have a timeout of its own" {
	jq -n '{modes: {slow: ["sh", "-c", "while read l; do sleep 1; echo {}; done"]}}' >modes.json
	flow '{"id":"a","mode":"slow","timeout":60},{"id":"b","mode":"slow","timeout":0.2,"depends_on":["a"]}'
	run -1 --separate-stderr lh-workflow run -n --modes modes.json --timeout 0.1 flow.json
	[ "$(jq -s -c 'map(.status)' <<<"$output")" = '["ok","failed","failed"]' ]
}

@test "a mode gets no keys, unless it is of this family" {
	export LH_SUBJECT_AUDIT_KEY=secret-1 OPENROUTER_API_KEY=secret-2 AWS_SECRET_ACCESS_KEY=secret-3 OTHER=secret-4
	jq -n '{modes: {env: ["sh", "-c", "while read l; do env | jq -Rsc \"{env: .}\"; done"]}}' >modes.json
	flow '{"id":"a","mode":"env"}'
	workflow run -n flow.json >got
	[ "$(jq -r 'select(.id).output.env' got | grep -c ^PATH=)" = 1 ]
	run ! grep -q secret- got
}

@test "the modes that are built in answer" {
	lh-gen workers -n 50 >workers.jsonl
	mkdir -p state/index state/catalog
	lh-embed workers.jsonl | lh-index build -q state/index/workers.lhv
	cp workers.jsonl state/roster.jsonl
	lh-ingest -q --store state/store --catalog state/catalog --name workers workers.jsonl 2>/dev/null >/dev/null || true
	evidence=$(cat "$ROOT"/share/fixtures/schemas/valid/evidence_record-*.json | jq -c . | head -n 1)
	cat >flow.yaml <<-'END'
	name: all
	nodes:
	  - {id: search, mode: matrix.search, inputs: {query_text: welder, corpora: [workers], k: 2}}
	  - {id: embed, mode: embed, inputs: {texts: ["$search.output.results.0.metadata.name"]}, depends_on: [search]}
	  - {id: relevance, mode: matrix.relevance, inputs: {focus: {path: a.c}, path: b.c, text: a.c}}
	  - {id: downgrade, mode: matrix.downgrade, inputs: {mode: codereview_lakehouse, model: kimi-k2}}
	  - {id: score, mode: distillation.score, inputs: {}}
	  - {id: drift, mode: drift.scorer, inputs: {records: [$input.evidence, $score.output]}, depends_on: [score]}
	  - {id: validate, mode: validate, inputs: {kind: sms, artifact: {to: "1", body: hello}, context: {candidate_id: $search.output.results.0.id}}, depends_on: [search]}
	END
	jq -c --argjson e "$evidence" -n '{evidence: $e}' >in.jsonl
	# the request of score is the evidence itself: its members are given one by one
	sed -i "s|mode: distillation.score, inputs: {}|mode: distillation.score, inputs: $(jq -c . <<<"$evidence" | sed 's/[&|\\]/\\&/g')|" flow.yaml
	lh-workflow run --state state flow.yaml in.jsonl >got || { jq -c 'select(.error)' got; return 1; }
	[ "$(jq -c 'select(.id == "search").output.results | length' got)" = 2 ]
	[ "$(jq -c 'select(.id == "embed").output.vectors | length' got)" = 1 ]
	[ "$(jq -c 'select(.id == "relevance").output | has("relevance")' got)" = true ]
	[ "$(jq -r 'select(.id == "score").output | has("category")' got)" = true ]
	[ "$(jq -c 'select(.id == "drift").output | [.total, .matched]' got)" = '[1,1]' ]
	[ "$(jq -c 'select(.id == "validate").output | has("findings")' got)" = true ]
}

@test "a draft that is refused fails its node with the reason" {
	lh-gen workers -n 5 >roster.jsonl
	flow '{"id":"a","mode":"validate","inputs":{"kind":"sms","artifact":{"to":"1","body":"hello"},"context":{"candidate_id":"nobody"}}}'
	run -1 lh-workflow run -n flow.json
	[ "$(jq -s -c '.[0] | [.status, (.error | length > 0), (.output | type)]' <<<"$output")" = '["failed",true,"object"]' ]
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

# bats test_tags=plain-only
@test "kill -9 at every node, and --resume: what was recorded is not done again, the result is the same" {
	# a filter that writes down what it is asked, and kills its caller when it is asked number KILL
	cat >work.pl <<-'END'
	use Fcntl ':flock';
	$| = 1;
	while (my $line = <STDIN>) {
		chomp $line;
		my ($id) = $line =~ /"id":"(.)"/;
		open my $asked, '+>>', 'asked' or die;
		flock $asked, LOCK_EX or die;
		syswrite $asked, "$id\n";
		seek $asked, 0, 0;
		my $n = () = <$asked>;
		open my $kill, '<', 'kill' or die;
		if (<$kill> == $n) { kill KILL => getppid; exit }
		close $asked;
		print $id eq 'd' ? '{"error":{"code":422,"message":"not d"}}' : "{\"got\":$line}", "\n";
	}
	END
	jq -n --arg script "$PWD/work.pl" '{modes: {work: ["perl", $script]}}' >modes.json
	flow "$(for node in a: b:a c:a d:b e:b,c f:d g:e,f h:c,e; do
		jq -nc --arg id "${node%:*}" --arg on "${node#*:}" '($on | split(",")) as $on | {id: $id, mode: "work", depends_on: $on,
			inputs: ({id: $id, x: "$input.x"} + if $on == [] then {} else {of: "$\($on[-1])"} end)}'; done | paste -sd,)"
	printf '{"x":%d}\n' 1 2 >in.jsonl
	for jobs in 1 2; do
		rm -f whole; : >asked; echo 0 >kill
		run -1 lh-workflow run -j $jobs --modes modes.json --observe whole --run-id r flow.json in.jsonl
		timeless <<<"$output" >whole.out
		n=$(wc -l <asked)
		[ "$n" = 12 ]
		for at in $(seq "$n"); do
			rm -f log; : >asked; echo "$at" >kill
			run -137 lh-workflow run -j $jobs --modes modes.json --observe log --run-id r flow.json in.jsonl
			# the other filter may still be about to write down what it was asked
			until_so not pgrep -f "^perl $PWD/work.pl"
			done=$(jq -r 'select(.request_sha256) | .run + " " + .node' log | sort)
			[ "$jobs" = 2 ] || [ "$(jq -s 'map(select(.request_sha256)) | length' log)" = $((at - 1)) ]
			cp asked asked.before
			echo 0 >kill; : >asked
			run -1 lh-workflow run -j $jobs --modes modes.json --observe log --resume r flow.json in.jsonl
			alike whole.out <(timeless <<<"$output")
			# each that was recorded was asked once in all
			[ $(($(wc -l <asked) + $(wc -w <<<"$done") / 2)) = 12 ] || { echo "-j $jobs, killed at $at"; cat asked; return 1; }
			[ "$(jq -s 'map(.run + .node) | length - (unique | length)' log)" = 0 ]
			alike <(jq -c '[.run, .node, .status, .output]' log | sort) <(jq -c '[.run, .node, .status, .output]' whole | sort)
		done
	done
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

@test "a row that was cut off is done again, and the log stays readable" {
	flow '{"id":"a","mode":"one","inputs":{"k":1}},{"id":"b","mode":"one","inputs":{"k":"$a"},"depends_on":["a"]}'
	workflow run -n --observe log --run-id r flow.json | timeless >whole
	for cut in 1 2 10 200; do
		head -c -$cut log >torn
		workflow run -n --observe torn --resume r flow.json | timeless | alike - whole
		[ "$(jq -cR 'fromjson? | select(.node == "b") | .status' torn)" = '"ok"' ]
	done
	workflow run -n --observe none --resume r flow.json | timeless | alike - whole
}

@test "any id that --run-id takes can be continued" {
	flow '{"id":"a","mode":"one","inputs":{"k":1}}'
	for id in 'a"b' 'c:\d\' zürich $'e\x01' "run 7/8"; do
		workflow run -n --observe log --run-id "$id" flow.json >first
		workflow run -n --observe log --resume "$id" flow.json >again
		alike <(head -n 1 first) <(head -n 1 again)
	done
	[ "$(wc -l <log)" = 5 ]
}

@test "a node whose request has changed is asked again on --resume" {
	flow '{"id":"a","mode":"one","inputs":{"k":1}},{"id":"b","mode":"one","inputs":{"k":"$a.output.got.k"},"depends_on":["a"]}'
	workflow run -n --observe log --run-id r flow.json >first
	sed -i 's/"k":1/"k":2/' flow.json
	[ "$(workflow run -n --observe log --resume r flow.json | jq -s -c 'map(.output.got.k)')" = '[2,2,null]' ]
	[ "$(wc -l <log)" = 4 ]
}

@test "options that do not go together are refused" {
	flow '{"id":"a","mode":"one"}'
	while IFS='|' read -r options why; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr lh-workflow run --modes modes.json flow.json $options
		[ "$stderr" = "lh-workflow: $why" ] || { echo "$stderr"; return 1; }
	done <<-'END'
	--resume r|--resume needs --observe LOG
	--resume r --run-id s --observe l|--resume and --run-id exclude each other
	--run-id=|an id of a run has 1 to 128 bytes on one line
	-n in.jsonl|unexpected operand "in.jsonl": -n reads no input
	END
	run -2 --separate-stderr lh-workflow run
	run -2 --separate-stderr lh-workflow check
	for command in run check; do
		run -2 --separate-stderr lh-workflow $command - <flow.json
		[ "$stderr" = 'lh-workflow: "-": a flow is a file, not a stream (./- if that is its name)' ]
	done
}

# ---- size ----

@test "100,000 records are run in bounded memory" {
	plain_only "memory"
	jq -n '{modes: {cat: ["cat"]}}' >modes.json
	flow '{"id":"a","mode":"cat","inputs":{"x":"$input.x"}},{"id":"b","mode":"cat","inputs":{"x":"$a.output.x"},"depends_on":["a"]}'
	seq "$(scale 100000 1000000)" | sed 's/.*/{"x":&}/' |
		/usr/bin/time -f %M -o memory lh-workflow run --modes modes.json --run-id r flow.json >got
	[ "$(tail -n 1 memory)" -lt 50000 ]
	n=$(scale 100000 1000000)
	tail -n 1 got | timeless | diff - <(echo '{"workflow":"f","status":"ok","nodes":2,"ok":2,"failed":0,"skipped":0}')
	[ "$(wc -l <got)" = $((3 * n)) ]
	[ "$(awk -F'"x":' '/"id":"b"/ { sum += $2 } END { printf "%.0f", sum }' got)" = $((n * (n + 1) / 2)) ]
}

@test "the requests of nodes that are done do not take memory: 60 with 4 MB each" {
	plain_only "memory"
	jq -n '{modes: {none: ["jq", "-c", "--unbuffered", "{n: (.z | length)}"], cat: ["cat"]}}' >modes.json
	flow "{\"id\":\"a\",\"mode\":\"cat\",\"inputs\":{\"x\":\"\$input.x\"}},$(
		seq 60 | sed 's/.*/{"id":"n&","mode":"none","inputs":{"z":"$a.output.x"},"depends_on":["a"]}/' | paste -sd,)"
	head -c 4000000 /dev/zero | tr '\0' y | sed 's/.*/{"x":"&"}/' |
		/usr/bin/time -f %M -o memory lh-workflow run -j 2 --modes modes.json flow.json >got
	[ "$(jq -s 'map(select(.output.n == 4000000)) | length' got)" = 60 ]
	[ "$(tail -n 1 memory)" -lt 120000 ]
}

@test "more than 10,000 nodes are refused, 10,000 are checked" {
	for n in 10000 10001; do
		seq "$n" | sed 's/.*/{"id":"n&","mode":"one","depends_on":[]}/' | paste -sd, | sed 's/.*/{"name":"f","nodes":[&]}/' >flow.json
		run --separate-stderr lh-workflow check --modes modes.json flow.json
		[ "$n/$status" = 10000/0 ] || [ "$n/$status/$stderr" = '10001/2/lh-workflow: flow.json:1: more than 10000 nodes' ]
	done
}

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

# yaml TEXT - the request of the node a, whose inputs are v: TEXT.
yaml() {
	printf 'name: f\nnodes:\n  - id: a\n    mode: cat\n    inputs:\n      v: %b\n' "$1" >flow.yaml
	lh-workflow run -n --modes modes.json flow.yaml | sed -n 's/.*"output":{"v":\(.*\)},"error".*/\1/p'
}

@test "scalars of YAML have the types of the core schema" {
	while IFS='|' read -r text want; do
		got=$(yaml "$text")
		[ "$got" = "$want" ] || { echo "$text: $got, not $want"; return 1; }
	done <<-'END'
	no|"no"
	Yes|"Yes"
	on|"on"
	y|"y"
	true|true
	TRUE|true
	False|false
	tRue|"tRue"
	null|null
	~|null
	|null
	nUll|"nUll"
	12|12
	+12|12
	-0012|-12
	0|0
	-0|-0
	0o17|15
	0x1F|31
	0xffffffffffffffff|18446744073709551615
	0b11|"0b11"
	017|17
	1_000|"1_000"
	12:30|"12:30"
	190:20:30|"190:20:30"
	2026-05-03|"2026-05-03"
	1.50|1.50
	.5|0.5
	-.5|-0.5
	5.|5
	1e3|1e3
	1.e3|1e3
	1.5E+3|1.5E+3
	1e|"1e"
	.|"."
	+|"+"
	"12"|"12"
	'true'|"true"
	1 2|"1 2"
	[1, a, ~]|[1,"a",null]
	{a: 1, 1: b}|{"a":1,"1":"b"}
	"\\u00e9 \\x41 \\0"|"é A \u0000"
	END
}

@test "block scalars of YAML are texts" {
	[ "$(yaml '|-\n        1\n        2')" = '"1\n2"' ]
	[ "$(yaml '>-\n        1\n        2')" = '"1 2"' ]
	[ "$(yaml '|\n        true')" = '"true\n"' ]
}

@test "YAML and JSON of the same flow are the same flow" {
	cat >flow.yaml <<-'END'
	%YAML 1.2
	---
	# a comment
	name: "f"
	nodes:
	- id: a
	  mode: one
	  inputs: &in {k: [1, 2.5, "x"], deep: {er: null}}
	- id: b
	  mode: two
	  depends_on: [a]
	  inputs: *in
	  prompt: >
	    as $a.output.got.k
	    says
	...
	END
	flow '{"id":"a","mode":"one","inputs":{"k":[1,2.5,"x"],"deep":{"er":null}}},{"id":"b","mode":"two","depends_on":["a"],"inputs":{"k":[1,2.5,"x"],"deep":{"er":null}},"prompt":"as $a.output.got.k says\n"}'
	cp flow.yaml flow.yml
	alike <(workflow run -n flow.yaml | timeless) <(workflow run -n flow.json | timeless)
	alike <(workflow run -n flow.yml | timeless) <(workflow run -n flow.json | timeless)
}

# broken LINE TEXT - a YAML file that is refused, with its line.
broken() {
	printf '%b' "$2" >flow.yaml
	run --separate-stderr timeout 60 lh-workflow check --modes modes.json flow.yaml
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
	head -c 5000000 /dev/zero | tr '\0' 'x' >flow.yaml
	run -2 lh-workflow check flow.yaml
	{ echo 'name: f'; for i in $(seq 20000); do echo "x$i: &x$i 1"; done; echo 'nodes: *x20000'; } >flow.yaml
	run -2 timeout 60 lh-workflow check flow.yaml
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
