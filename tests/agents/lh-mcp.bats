# The Model Context Protocol over stdin and stdout: both eras, errors, calls in flight, filters
# that fail, the audit.
load ../helper

V='"io.modelcontextprotocol/protocolVersion":"2026-07-28"'
C='"io.modelcontextprotocol/clientCapabilities":{}'
META='"_meta":{'$V,$C'}'

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	: >out
	cat >tools.json <<-END
	{"tools": [
	  {"name": "echo", "description": "the arguments", "run": ["cat"], "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}},
	  {"name": "aid", "title": "Aid", "description": "adds seen", "run": ["$AID", "--on-error", "emit"], "pool": 1,
	   "inputSchema": {"type": "object"}, "outputSchema": {"type": "object", "required": ["seen"]}},
	  {"name": "slow", "description": "takes ten minutes", "run": ["$AID", "--sleep", "600000", "--begun", "begun"], "inputSchema": {"type": "object"},
	   "annotations": {"readOnlyHint": true}}]}
	END
}

teardown() {
	faults_happened
}

# request ID METHOD [PARAMS] - a request of the newer era; PARAMS without braces
request() {
	printf '{"jsonrpc":"2.0","id":%s,"method":"%s","params":{%s}}\n' "$1" "$2" "${3:+$3,}$META"
}

# call ID TOOL ARGUMENTS
call() {
	request "$1" tools/call '"name":"'"$2"'","arguments":'"$3"
}

# cancel ID
cancel() {
	printf '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}\n' "$1"
}

# older ID METHOD [PARAMS] - a request of the older era
older() {
	printf '{"jsonrpc":"2.0","id":%s,"method":"%s"%s}\n' "$1" "$2" "${3:+,\"params\":$3}"
}

initialize() {
	older 0 initialize '{"protocolVersion":"'"${1:-2025-11-25}"'","capabilities":{},"clientInfo":{"name":"t","version":"1"}}'
	echo '{"jsonrpc":"2.0","method":"notifications/initialized"}'
}

# answered N - wait until file "out" has so many lines
answered() {
	until_so has_lines out "$1"
}

# begun - wait until the tool "slow" is at work
begun() {
	until_so test -e begun
}

# little KB - no more memory from here on; the sanitizer has its own by the terabyte
little() {
	[ -n "${LH_ASAN:-}" ] || ulimit -v "$1"
}

mcp() {
	patiently lh-mcp --tools tools.json --timeout "$LH_PATIENCE" "$@"
}

# ---- the eras ----

@test "initialize agrees on each of the older revisions, and on the newest of them for any other" {
	for v in 2025-11-25 2025-06-18; do
		[ "$(initialize $v | mcp | jq -c '[.id, .result.protocolVersion]')" = "[0,\"$v\"]" ]
	done
	for v in 2026-07-28 2025-03-26 2024-11-05 1999-01-01 ''; do
		older 0 initialize '{"protocolVersion":"'$v'"}' | mcp | jq -e '.result.protocolVersion == "2025-11-25"'
	done
	initialize | mcp | jq -e '.result | .serverInfo == {name: "lakehouse-tools", version: "0.1.0"} and
		.capabilities == {tools: {}, resources: {}} and (.instructions | test("staff|worker"; "i") | not) and (has("resultType") | not)'
}

@test "a request of 2026-07-28 needs no handshake, and its results say what they are" {
	{ request 1 server/discover; request '"b"' tools/list; call 3 aid '{"a":1}'; request 4 resources/list; } | mcp >out
	[ "$(jq -c .id out | sort | tr '\n' ' ')" = '"b" 1 3 4 ' ]
	jq -es 'all(.[]; .jsonrpc == "2.0" and .result.resultType == "complete" and
		.result._meta["io.modelcontextprotocol/serverInfo"].name == "lakehouse-tools")' out
	jq -es 'map(select(.id != 3)) | all(.[]; (.result.ttlMs >= 0) and (.result.cacheScope | IN("public", "private")))' out
	jq -es 'map(select(.id == 1))[0].result | .supportedVersions[0] == "2026-07-28" and .capabilities.tools == {}' out
	jq -es 'map(select(.id == 3))[0].result | .structuredContent == {a: 1, seen: true} and .isError == false and
		(.content[0].text | fromjson) == .structuredContent' out
}

@test "after initialize both eras are served, each in its own way" {
	{ initialize; older 1 tools/list; request 2 tools/list; older 3 tools/call '{"name":"aid","arguments":{"a":1}}'; call 4 aid '{}'
		older 5 ping; request 6 ping; older 7 server/discover; request 8 initialize '"protocolVersion":"2025-11-25"'; older 9 tools/list
	} | mcp | jq -c '[.id, .result.resultType, .error.code, .result.isError]' | sort >out
	diff - out <<-'END'
	[0,null,null,null]
	[1,null,null,null]
	[2,"complete",null,null]
	[3,null,null,false]
	[4,"complete",null,false]
	[5,null,null,null]
	[6,null,-32601,null]
	[7,null,-32601,null]
	[8,null,-32601,null]
	[9,null,null,null]
	END
}

@test "ping is answered before initialize, and nothing else without a version" {
	{ older 1 ping; older 2 tools/list; older 3 server/discover; older 4 no/such; } | mcp | jq -c '[.id, .result, .error.code]' >out
	diff - out <<-'END'
	[1,{},null]
	[2,null,-32602]
	[3,null,-32602]
	[4,null,-32601]
	END
}

# ---- errors of the protocol ----

# bats test_tags=hostile
@test "what is wrong with a message has its code, and the next one is served" {
	n=0
	while IFS='|' read -r code id line; do
		n=$((n + 1))
		{ echo "$line"; older 99 ping; } | mcp >out
		[ "$(jq -c '[.id, .error.code]' out | first 1)" = "[$id,$code]" ] && [ "$(jq -c .id out | tail -n 1)" = 99 ] && [ "$(wc -l <out)" = 2 ] ||
			{ echo "$line"; cat out; return 1; }
	done <<-END
	-32700|null|{"jsonrpc":"2.0","id":1,
	-32700|null|nonsense
	-32700|null|{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}
	-32600|null|[]
	-32600|null|[{"jsonrpc":"2.0","id":1,"method":"ping"}]
	-32600|null|"ping"
	-32600|null|1
	-32600|null|null
	-32600|null|{}
	-32600|null|{"jsonrpc":"2.0","id":null,"method":"ping"}
	-32600|null|{"jsonrpc":"2.0","id":1.5,"method":"ping"}
	-32600|null|{"jsonrpc":"2.0","id":1.0,"method":"ping"}
	-32600|null|{"jsonrpc":"2.0","id":1e3,"method":"ping"}
	-32600|null|{"jsonrpc":"2.0","id":true,"method":"ping"}
	-32600|null|{"jsonrpc":"2.0","id":[1],"method":"ping"}
	-32600|null|{"jsonrpc":"2.0","id":{},"method":"ping"}
	-32600|1|{"jsonrpc":"1.0","id":1,"method":"ping"}
	-32600|1|{"id":1,"method":"ping"}
	-32600|1|{"jsonrpc":2.0,"id":1,"method":"ping"}
	-32600|1|{"jsonrpc":"2.0","id":1}
	-32600|1|{"jsonrpc":"2.0","id":1,"method":5}
	-32602|1|{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}
	-32602|1|{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":5}}
	-32602|1|{"jsonrpc":"2.0","id":1,"method":"initialize"}
	-32602|1|{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}
	-32602|1|{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{$V}}}
	-32602|1|{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{$C}}}
	-32602|1|{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{$V,"io.modelcontextprotocol/clientCapabilities":1}}}
	-32601|"x"|$(request '"x"' tools/lost)
	-32601|1|$(request 1 notifications/cancelled '"requestId":5')
	-32602|1|$(request 1 tools/call '"name":"lost"')
	-32602|1|$(request 1 tools/call '"name":5')
	-32602|1|$(request 1 tools/call)
	-32602|1|$(request 1 tools/list '"cursor":5')
	-32602|1|$(request 1 tools/list '"cursor":"x"')
	-32602|1|$(request 1 tools/list '"cursor":"100"')
	-32602|1|$(request 1 resources/read '"uri":"lh://no/such"')
	-32602|1|$(request 1 resources/read)
	END
	[ "$n" = 38 ]
	{ initialize; older 1 resources/read '{"uri":"lh://no/such"}'; } | mcp | jq -e 'select(.id == 1).error.code == -32002'
}

@test "the answer to a line that is JSON by its grammar alone has its id" {
	deep=$(stretch 600 '[')$(stretch 600 ']')
	while IFS='|' read -r id line; do
		{ echo "$line"; older 99 ping; } | mcp >out
		[ "$(jq -c '[.id, .error.code]' out | first 1)" = "[$id,-32700]" ] || { echo "$line"; cat out; return 1; }
	done <<-END
	1|{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"wel\\ud83d","k":1}}}
	"a\"}"|{"params":{"id":2,"a":"\\"id\\":3,","k":1,"k":1},"method":"ping", "id" : "a\"}" ,"jsonrpc":"2.0"} 
	-7|{"jsonrpc":"2.0","method":"ping","id":-7,"method":"ping"}
	5|{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"search","arguments":{"a":$deep}}}
	6|{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{$(seq -f '"%g":0' -s , 66000)}}
	null|{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"
	null|{"jsonrpc":"2.0","id":1.5,"method":"ping","method":"ping"}
	null|{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}}
	null|{"jsonrpc":"2.0","params":{"id":1},"method":"ping","method":"ping"}
	END
}

@test "a byte order mark before the first message is skipped, and is an error before another" {
	{ printf '\xef\xbb\xbf'; older 1 ping; printf '\xef\xbb\xbf'; older 2 ping; } | lh-mcp >out
	[ "$(jq -c '[.id, .error.code]' out)" = $'[1,null]\n[null,-32700]' ]
}

@test "null and an empty cursor count as absent" {
	{
		initialize
		older 1 ping null
		older 2 tools/list null
		older 3 tools/list '{"cursor":""}'
		older 4 resources/list '{"cursor":"","_meta":null}'
		older 5 resources/templates/list '{"cursor":null}'
		older 6 tools/call '{"name":"echo","arguments":null}'
	} | mcp --state "$PWD" | jq -c 'select(.id | numbers) | [.id, .error.code, .result.isError]' | sort >out
	diff - out <<-'END'
	[0,null,null]
	[1,null,null]
	[2,null,null]
	[3,null,null]
	[4,null,null]
	[5,null,null]
	[6,null,false]
	END
}

@test "a version that is not served is -32022, with those that are" {
	echo '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-\"1",'"$C"'}}}' |
		mcp | jq -e '.error.code == -32022 and .error.data.requested == "2099-\"1" and
			.error.data.supported == ["2026-07-28", "2025-11-25", "2025-06-18"]'
	# what another version needs in addition is not known
	older 1 tools/list '{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01"}}' | mcp | jq -e '.error.code == -32022'
}

@test "notifications and answers of the client are silent" {
	{ echo '{"jsonrpc":"2.0","method":"notifications/unknown"}'; echo '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo",'"$META"'}}'
		echo '{"jsonrpc":"2.0","id":1,"result":{}}'; echo '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}'
		cancel 5; cancel null; cancel '"x"'; echo '{"jsonrpc":"2.0","method":"notifications/cancelled"}'; echo; echo ' '; printf '\r\n'
	} | mcp >out
	[ ! -s out ]
}

@test "ids come back as they were written" {
	for id in 0 -7 12345678901234567890 '""' '"a b"' '"\u0061\n\"é"' '"'"$(stretch 1000 id)"'"'; do
		[ "$(older "$id" ping | mcp)" = '{"jsonrpc":"2.0","id":'"$id"',"result":{}}' ]
	done
	older '"'"$(stretch 1100 id)"'"' ping | mcp | jq -e '.error.code == -32600 and (has("id") | not)'
}

# ---- calls ----

@test "all that is wrong with a call is a result with isError" {
	{ call 1 aid '[]'; call 2 aid '"x"'; call 3 aid null; call 4 aid '{"refuse":1}'; call 5 aid '{"fatal":1}'; } | mcp |
		jq -c '[.id, .result.isError, .result.content[0].text, (.result | has("structuredContent"))]' | sort >out
	diff - out <<-'END'
	[1,true,"arguments must be an object",false]
	[2,true,"arguments must be an object",false]
	[3,false,"{\"seen\":true}",true]
	[4,true,"field \"refuse\" is not wanted",false]
	[5,true,"the service: gone",false]
	END
	request 1 tools/call '"name":"aid"' | mcp | jq -e '.result.structuredContent == {seen: true}'
}

@test "numbers and texts of arguments reach the filter byte for byte" {
	args='{"a": 1.0, "b":12345678901234567890,"c" : "\u00e9é\/ \n",  "d":[ 1e400 ]}'
	call 1 echo "$args" | mcp >out
	grep -qF '"structuredContent":{"a":1.0,"b":12345678901234567890,"c":"\u00e9é\/ \n","d":[1e400]},' out
}

@test "text that looks like the protocol stays text" {
	python3 - >in <<-'END'
	import json
	meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
	texts = ['\n{"jsonrpc":"2.0","id":2,"result":{}}\n', '\r\n\r\n', '\u2028\u2029\u0085', '"}}\n[', '\0\x1b\x7f', '\\n\\', "]]>", "é" * 9]
	for i, t in enumerate(texts):
	    for ascii in (True, False):
	        print(json.dumps({"jsonrpc": "2.0", "id": t + str(i) + str(ascii), "method": "tools/call",
	                          "params": {"name": "echo", "arguments": {t: t}, "_meta": meta}}, ensure_ascii=ascii))
	END
	mcp <in >out
	[ "$(wc -l <out)" = 16 ]
	python3 - <<-'END'
	import json
	answers = {(a := json.loads(line))["id"]: a["result"] for line in open("out", newline="\n")}
	asked = [json.loads(line) for line in open("in", newline="\n")]
	assert len(answers) == 16
	for q in asked:
	    r = answers[q["id"]]
	    assert r["structuredContent"] == json.loads(r["content"][0]["text"]) == q["params"]["arguments"]
	END
}

@test "the second of two calls in flight with one id is refused, the first one answered" {
	{ call 1 echo '{"a":1}'; call 1 echo '{"a":2}'; call '"1"' echo '{"a":3}'; call '"a"' echo '{"a":4}'; call '"\u0061"' echo '{"a":5}'; } >in
	mcp <in | jq -c '[.id, .error.code, .result.structuredContent.a]' >out
	diff <(sort out) - <<-'END'
	["1",null,3]
	["a",-32600,null]
	["a",null,4]
	[1,-32600,null]
	[1,null,1]
	END
	# an id may come again once it is answered
	: >out
	{ call 1 echo '{"a":1}'; answered 1; call 1 echo '{"a":2}'; } | mcp >out
	[ "$(jq -c .result.structuredContent.a out)" = $'1\n2' ]
}

@test "many calls at once are answered each by its id" {
	for i in {1..3000}; do echo "$i"; done | jq -c '{jsonrpc: "2.0", id: ., method: "tools/call", params: {name: "aid", arguments: {n: .},
		_meta: {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}}' >in
	mcp <in >out
	jq -es 'length == 3000 and all(.[]; .id == .result.structuredContent.n) and (map(.id) | unique | length) == 3000' out
}

@test "a slow call delays no other" {
	{ call 1 slow '{"slow":1}'; begun; call 2 echo '{}'; older 3 ping; answered 2; cancel 1; } | mcp >out
	[ "$(jq -c .id out | sort)" = $'2\n3' ]
}

# ---- cancellation ----

@test "a call that is cancelled is not answered, at whatever moment" {
	# in the queue of the pool, at work, answered
	{ call 1 slow '{"slow":1}'; call 2 slow '{}'; cancel 2; begun; cancel 1; call 3 slow '{"a":1}'; answered 1; cancel 3; older 4 ping; } |
		mcp >out 2>err
	[ "$(jq -c .id out)" = $'3\n4' ]
	[ ! -s err ]
}

@test "what only reads stops when it is cancelled, and the others of its process are asked again" {
	{ call 1 slow '{"slow":1}'; begun; call 2 slow '{"a":2}'; call 3 slow '{"a":3}'; cancel 1; answered 2; } | mcp >out
	[ "$(jq -c .result.structuredContent.a out | sort)" = $'2\n3' ]
}

@test "a change that was begun is completed when it is cancelled, without an answer" {
	cat >write.json <<-'END'
	{"tools": [{"name": "write", "description": "d", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": false},
	  "run": ["sh", "-c", "while read -r line; do echo >>begun; until test -e go; do sleep 0.1; done; echo \"$line\" >>written; echo \"$line\"; done"]}]}
	END
	{ call 1 write '{"a":1}'; until_so test -e begun; cancel 1; older 9 ping; answered 1; touch go; call 2 write '{"a":2}'; } |
		patiently lh-mcp --tools write.json --allow-write write >out
	[ "$(cat written)" = $'{"a":1}\n{"a":2}' ]
	[ "$(jq -c .id out)" = $'9\n2' ]
}

# ---- limits ----

@test "a call without an answer in time fails, and the next one is served" {
	# the second may be late as well on a busy machine: then with more patience
	for patience in 2 20 200; do
		: >out
		{ call 1 slow '{"slow":1}'; answered 1; call 2 slow '{"a":1}'; } | mcp --timeout $patience >out 2>err
		[ "$(jq -s '.[1].result.isError' out)" = true ] || break
	done
	[ "$(jq -c '[.id, .result.isError, .result.content[0].text[:23]]' out | sed "s/in $patience s/in N s/")" = '[1,true,"no answer in N seconds"]
[2,false,"{\"a\":1,\"seen\":true}"]' ]
}

@test "an answer of more than 8 MiB, where clients end, is a result with isError" {
	# of BYTES - a text so long, which the answer has twice
	of() { with 'while read -r l; do printf "{\"t\":\""; head -c '"$1"' /dev/zero | tr "\0" x; printf "\"}\n"; done'; call 1 t '{}' | mcp; }
	of 4200000 >out 2>err
	jq -e '.result.isError == true and (.result.content[0].text | test("more than 8388607"))' out
	[ "$(wc -c <out)" -lt 1000 ]
	[ ! -s err ]
	of 4190000 | jq -e '.result.isError == false'
	of 70000000 2>err | jq -e '.result.isError == true'
	# a line has at most 8 MiB, with its LF
	of 4193000 >out
	more=$(((8388608 - $(wc -c <out)) / 2))
	for n in $((4193000 + more)) $((4193001 + more)); do
		of $n >out
		[ "$(wc -c <out)" -le 8388608 ]
	done
	jq -e .result.isError out
	# what an error repeats of the request is not longer either
	{ printf '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"_meta":{%s,%s},"uri":"lh:' "$V" "$C"; stretch 9000000 x; echo '"}}'; older 2 ping; } | mcp >out
	[ "$(jq -c '[.id, .error.code]' out)" = $'[1,-32603]\n[2,null]' ]
}

@test "a line of 100 MB is refused in little memory, and the next one is served" {
	{ printf '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"'; stretch 100000000 x; echo '"}}'; older 2 ping; } >in
	(little 200000; mcp <in >out)
	[ "$(jq -c '[.id, .error.code]' out)" = $'[null,-32600]\n[2,null]' ]
	(little 200000; cat in | mcp >out)
	[ "$(jq -c '[.id, .error.code]' out)" = $'[null,-32600]\n[2,null]' ]
	first 1 <out | jq -e '.error.message | test("16777216.*--max-line")'
	older 1 ping | mcp --max-line 50 | jq -e '.result == {}'
	older 100 ping '{"a":"0123456789"}' | mcp --max-line 50 | jq -e '.error.code == -32600'
}

@test "tools come in pages of a hundred, and every cursor but those given is refused" {
	jq -nc '{tools: [range(250) | {name: "t\(.)", description: "d", run: ["cat"], inputSchema: {type: "object"}}]}' >tools.json
	cursor=; n=0
	while :; do
		request 1 tools/list "$cursor" | mcp >out
		jq -r '.result.tools[].name' out >>names
		n=$((n + 1))
		jq -e '.result | has("nextCursor")' out >/dev/null || break
		cursor='"cursor":'$(jq .result.nextCursor out)
	done
	[ "$n" = 3 ]
	alike <(first 250 <names) <(for i in {0..249}; do echo "t$i"; done)
	[ -z "$(sort names | uniq -d)" ]
}

# ---- filters that fail ----

# with TOOL-SCRIPT - tools.json with one tool "t", a shell script
with() {
	jq -nc --arg s "$1" '{tools: [{name: "t", description: "d", run: ["sh", "-c", $s], inputSchema: {type: "object"}}]}' >tools.json
}

@test "a filter that dies, floods or answers nonsense fails its call alone" {
	while IFS= read -r script; do
		with "$script"
		: >out
		{ call 1 t '{"n":"secret-1234"}'; answered 1; call 2 t '{"ok":1}'; older 3 ping; } | (little 400000; mcp) >out 2>err
		[ "$(jq -c '[.id, .result.isError]' out | sort)" = $'[1,true]\n[2,false]\n[3,null]' ] || { echo "$script"; cat out err; return 1; }
		run ! grep -q secret-1234 err
	done <<-'END'
	read -r l; case $l in *ok*) echo "$l";; esac; exit 3
	read -r l; case $l in *ok*) echo "$l";; *) echo "$l" >&2; kill -9 $$;; esac; cat
	read -r l; case $l in *ok*) echo "$l";; *) echo nonsense;; esac; cat
	read -r l; case $l in *ok*) echo "$l";; *) echo "[]";; esac; cat
	read -r l; case $l in *ok*) echo "$l";; *) printf "{}\n{}\n";; esac; cat
	read -r l; case $l in *ok*) echo "$l";; *) echo "{\"a\":\"\377\"}";; esac; cat
	read -r l; case $l in *ok*) echo "$l";; *) tr "\0" a </dev/zero;; esac; cat
	read -r l; case $l in *ok*) echo "$l";; *) yes "{}";; esac; cat
	END
}

@test "a filter that cannot start is a result with isError" {
	with 'exit 1'
	{ call 1 t '{}'; answered 1; call 2 t '{}'; } | mcp >out 2>err
	[ "$(jq -c '[.id, .result.isError]' out)" = $'[1,true]\n[2,true]' ]
}

# ---- the ends ----

@test "at the end of input what is in flight is answered, and the exit is 0" {
	with 'while read -r l; do sleep 1; echo "$l"; done'
	{ call 1 t '{"a":1}'; call 2 t '{"a":2}'; } | mcp >out
	[ "$(jq -c .result.structuredContent.a out)" = $'1\n2' ]
	{ older 1 ping; printf '{"jsonrpc":"2.0","id":2,"meth'; } | mcp | jq -c '[.id, .error.code]' >out
	[ "$(cat out)" = $'[1,null]\n[null,-32700]' ]
	older 1 ping | tr -d '\n' | mcp | jq -e '.result == {}'
	mcp </dev/null >out
	[ ! -s out ]
}

@test "a client that ends without reading ends the server, too" {
	run -0 bash -c 'for i in {1..2000}; do echo "{\"jsonrpc\":\"2.0\",\"id\":$i,\"method\":\"ping\"}"; done |
		{ patiently lh-mcp; echo "exit $?" >&2; } | sleep 0.2'
	[ "$output" = 'exit 0' ]
}

# bats test_tags=full
@test "a client that does not read does not stop a call from ending in time" {
	# 20 MB of answers into a pipe that nothing reads for a while
	for i in {1..200}; do call "$i" echo '{"t":"'"$(stretch 50000 x)"'"}'; done >in
	mcp <in | { sleep 1; cat >out; }
	jq -es 'length == 200 and all(.[]; .result.isError == false)' out
}

@test "a signal ends the server and its filters, also one that is stuck" {
	mkfifo pipe
	with 'echo $$ >pid; read -r l; sleep 100 & wait'
	lh-mcp --tools tools.json <pipe >out 2>err &
	exec 7>pipe
	call 1 t '{}' >&7
	until_so test -s pid
	filter=$(cat pid)
	kill -0 "$filter"
	kill %1
	wait %1 || true
	exec 7>&-
	until_so not kill -0 "$filter"
	[ ! -s out ]
}

# ---- writing tools ----

@test "a tool that changes something is neither listed nor called, unless it is allowed" {
	jq -nc '{tools: [{name: "a", annotations: {readOnlyHint: false}}, {name: "b", annotations: {destructiveHint: true}}, {name: "c"}, {name: "d", annotations: {readOnlyHint: true}}] |
		map(. + {description: "d", run: ["sh", "-c", "while read -r l; do echo x >>ran; echo {}; done"], inputSchema: {type: "object"}})}' >tools.json
	listed() { request 1 tools/list | mcp "$@" | jq -c '[.result.tools[].name | select(length == 1)]'; }
	[ "$(listed)" = '["c","d"]' ]
	[ "$(listed --allow-write a)" = '["a","c","d"]' ]
	[ "$(listed --allow-write a --allow-write b)" = '["a","b","c","d"]' ]
	call 1 a '{}' | mcp | jq -e '.result.isError == true and (.result.content[0].text | test("--allow-write"))'
	[ ! -e ran ]
	call 1 a '{}' | mcp --allow-write a | jq -e '.result.isError == false'
	[ -s ran ]
}

# ---- the audit ----

# audited - a state with workers, and a key
audited() {
	mkdir -p s/index
	lh-gen workers -n 50 >workers.jsonl
	lh-index build -q s/index/workers.lhv workers.jsonl
	(umask 077; head -c 32 /dev/urandom >key)
}

TRACE=0af7651916cd43dd8448eb211c80319c

# traced ID TOOL ARGUMENTS - a call in a trace
traced() {
	call "$@" | jq -c --arg t "00-$TRACE-b7ad6b7169203331-01" '.params._meta.traceparent = $t'
}

@test "each person whose data an answer shows has a row of it, in a chain that holds" {
	audited
	{ traced 1 search '{"query":"welder","k":3}'; answered 1; call 2 lookup '{"id":"w-1"}'; answered 2; call 3 search '{"query":"welder","k":3}'
		answered 3; call 4 lookup '{"id":"no-such"}'; call 5 list_datasets '{}'; } | mcp --state s --audit-log a --key-file key >out 2>err
	# the tool "echo" is a command without a description
	[ -z "$(grep -v 'does not describe itself' err)" ]
	jq -es 'map(select(.id < 4).result.isError) == [false, false, false]' out
	shown=$(jq -r 'select(.id == 1).result.structuredContent.results[].metadata.candidate_id' out)
	[ "$(wc -l <<<"$shown")" = 3 ]
	for id in $shown; do
		[ "$(jq -c '[.accessor.purpose, .accessor.trace_id, .result]' "a/$id.audit.jsonl" | first 2)" = \
			'["mcp_search","'$TRACE'","success"]
["mcp_search","","success"]' ]
		jq -es --argjson all "$(jq -c --arg id "$id" 'select(.id == $id) | keys - ["id"]' workers.jsonl)" \
			--arg user "user $(id -un)" 'all(.[]; .accessor.kind == "gateway_lookup" and .accessor.daemon == "lh-mcp" and .accessor.token == $user and (.fields_accessed | sort) == $all)' "a/$id.audit.jsonl"
	done
	[ "$(jq -r 'select(.accessor.purpose == "mcp_lookup").candidate_id' a/w-*.audit.jsonl)" = w-1 ]
	[ "$(cat a/w-*.audit.jsonl | wc -l)" = 7 ]
	# and each question about persons one of the corpus, also if nothing is found
	[ "$(jq -r .accessor.purpose a/corpus*.audit.jsonl | sort | xargs)" = 'mcp_lookup mcp_lookup mcp_search mcp_search' ]
	lh-subject-audit verify --key-file key --dir a >verified
	[ "$(jq -r .error verified | sort -u)" = null ]
}

@test "a record that is read as a resource has a row, too" {
	audited
	request 1 resources/read '"uri":"lh://workers/w-7"' | mcp --state s --audit-log a --key-file key | jq -e '.result.contents[0].text | fromjson.id == "w-7"'
	jq -e '.candidate_id == "w-7"' a/w-7.audit.jsonl
}

@test "the id of a person may be a number; the row of an id that no log has is missing" {
	audited
	jq -nc '{id: "n", text: "t", metadata: {candidate_id: 7}}, {id: "z", text: "t", metadata: {candidate_id: "w-1\u0000w-2"}},
		{id: "e", text: "t", metadata: {candidate_id: ""}}' | lh-index build -q s/index/odd.lhv -
	for id in n z e; do
		call '"'"$id"'"' lookup '{"id":"'"$id"'","corpus":"odd"}'
	done | mcp --state s --audit-log a --key-file key --audit-required | jq -c '[.id, .result.isError]' | sort >got
	diff got - <<-'END'
	["e",true]
	["n",false]
	["z",true]
	END
	(cd a; ls) >logs
	[ "$(sed /^corpus/d logs)" = 7.audit.jsonl ]
	lh-subject-audit verify --key-file key --dir a | jq -e '.verified'
}

@test "a row is on disk before its answer" {
	audited
	mkfifo pipe
	mcp --state s --audit-log a --key-file key <pipe >out &
	exec 7>pipe
	for i in {1..20}; do
		call "$i" lookup '{"id":"w-'"$i"'"}' >&7
		answered "$i"
		[ -s "a/w-$i.audit.jsonl" ]
	done
	exec 7>&-
	wait
}

@test "without its rows an answer is withheld, or given and the loss reported with --no-audit-required" {
	audited
	mkdir a
	printf '{"torn' >a/w-7.audit.jsonl
	call 1 lookup '{"id":"w-7"}' | mcp --state s --audit-log a --key-file key --no-audit-required >out 2>err
	jq -e '.result.isError == false' out
	[[ $(grep -v 'does not describe itself' err) == 'lh-mcp: audit log: 1 of 2 rows of an answer of mcp_lookup not written: w-7.audit.jsonl: '* ]]
	{ call 1 lookup '{"id":"w-7"}'; call 2 lookup '{"id":"w-8"}'; request 3 resources/read '"uri":"lh://workers/w-7"'; } |
		mcp --state s --audit-log a --key-file key >out 2>err
	jq -c '[.id, .result.isError, .error.code]' out | sort >got
	diff got - <<-'END'
	[1,true,null]
	[2,false,null]
	[3,null,-32603]
	END
	jq -es 'map(select(.id == 1))[0].result.content[0].text == "the audit log cannot be written, and there is no answer without it"' out
	run ! grep -q "$(jq -r 'select(.id == "w-7").name' workers.jsonl)" out err
	[ -s a/w-8.audit.jsonl ]
	printf '{"torn' | cmp - a/w-7.audit.jsonl
}

@test "an auditor that dies leaves no answer out, and none hanging" {
	audited
	mkdir tools
	cp "$LH_BIN"/lh-mcp "$LH_BIN"/lh-index tools
	printf '#!/bin/sh\nread -r line\nexit 1\n' >tools/lh-subject-audit
	chmod +x tools/lh-subject-audit
	call 1 lookup '{"id":"w-7"}' | patiently tools/lh-mcp --state s --audit-log a --key-file key --no-audit-required >out 2>err
	jq -e '.result.isError == false' out
	call 1 lookup '{"id":"w-7"}' | patiently tools/lh-mcp --state s --audit-log a --key-file key >out 2>err
	jq -e '.result.isError == true' out
}

@test "the trace of a call is that of the filter's record, where the route has one" {
	audited
	mkdir tools
	cp "$LH_BIN"/lh-mcp "$LH_BIN"/lh-index tools
	printf '#!/bin/sh\nwhile read -r line; do echo "$line" >>asked; echo "{}"; done\n' >tools/lh-search
	chmod +x tools/lh-search
	{ traced 1 search '{"query":"welder"}'; answered 1; call 2 search '{"query":"welder"}'; answered 2
		n=2
		for bad in "00-$TRACE" "00-${TRACE^^}-b7ad6b7169203331-01" "00x$TRACE-b7ad6b7169203331-01" 5; do
			call $((++n)) search '{"query":"welder"}' | jq -c --arg t "$bad" '.params._meta.traceparent = $t'
			answered "$n"
		done
	} | patiently tools/lh-mcp --state s --no-audit-required >out
	[ "$(first 1 <asked | jq -r .trace_id)" = "$TRACE" ]
	sed 1d asked | jq -es 'length == 5 and all(.[]; has("trace_id") | not)'
}

# ---- the file of tools ----

@test "a tool of a file is listed as the file has it" {
	jq -nc '{listen: ["127.0.0.1:1"], tools: [{name: "x.y-z_1", title: "T", description: "D\n", run: ["cat"],
		inputSchema: {type: "object", properties: {a: {type: "number", default: 1.50}}}, outputSchema: {type: "object"}, annotations: {readOnlyHint: true, title: "é"}}]}' |
		jq . >tools.json
	request 1 tools/list | mcp | jq -ce '.result.tools[0]' >out
	alike out <(jq -c '.tools[0] | del(.run)' tools.json)
}

@test "a wrong file of tools is exit 2, with its line and what is wrong" {
	tool='"name":"a","description":"d","run":["cat"],"inputSchema":{"type":"object"}'
	while IFS='|' read -r text why; do
		printf '%s\n' "$text" >tools.json
		run --separate-stderr mcp </dev/null
		[ "$status" = 2 ] && [ -z "$output" ] && [ "$stderr" = "lh-mcp: tools.json:$why" ] || { echo "$text: $stderr"; return 1; }
	done <<-END
	{}|1: missing "tools" (array of objects)
	{"tools":[{"description":"d"}]}|1: missing tools[0].name (string)
	{"tools":[{$tool,"x":1}]}|1: unknown member "x" in tools[0]
	{"tools":[{$tool},{$tool}]}|1: tool "a" is there twice
	{"tools":[{"name":"a b","description":"d","run":["cat"],"inputSchema":{"type":"object"}}]}|1: "name" must be letters, digits, "_", "-" and "."
	{"tools":[{"name":"a","description":"d","run":[],"inputSchema":{"type":"object"}}]}|1: tools[0].run must not be empty
	{"tools":[{"name":"a","description":"d","run":["no-such-command"],"inputSchema":{"type":"object"}}]}|1: tool "a": "run": there is no command no-such-command
	{"tools":[{"name":"a","description":"d","run":["cat"],"inputSchema":{"type":"array"}}]}|1: tool "a": "inputSchema": "type" must be "object"
	{"tools":[{"name":"a","description":"d","run":["cat"],"inputSchema":{"type":"object"},"outputSchema":{}}]}|1: tool "a": "outputSchema": "type" must be "object"
	{"tools":[{$tool,"pool":0}]}|1: tools[0].pool must be a whole number from 1 to 256
	END
	echo '{"tools":' >tools.json
	run -2 mcp
	[[ $output == 'lh-mcp: tools.json:2: '* ]]
	rm tools.json
	run -2 mcp
	[ "$output" = 'lh-mcp: tools.json: no such file' ]
}

@test "arguments that the schema of a tool of a file forbids fail, with their name and the reason" {
	cat >tools.json <<-END
	{"tools": [{"name": "a", "description": "d", "run": ["$AID", "--on-error", "emit"], "inputSchema": {"type": "object", "required": ["n"],
	  "properties": {"n": {"type": "integer", "maximum": 9}, "of": {"anyOf": [{"type": "string", "pattern": "^x"}, {"type": "null"}]},
	    "in": {"type": "object", "properties": {"v": {"type": "array", "items": {"type": "number"}}}}}, "additionalProperties": false}}]}
	END
	n=0
	while IFS='|' read -r args why; do
		call $((++n)) a "$args" >>in
		echo "$n $why" >>want
	done <<-'END'
	{}|n: missing
	{"n":"7"}|n: expected integer, got "7"
	{"n":10}|n: must be 9 or less
	{"n":1,"of":"y"}|of:
	{"n":1,"in":{"v":[1,"a"]}}|in.v[1]: expected number, got "a"
	{"n":1,"k":1}|k:
	{"n":1,"of":null,"in":{"v":[1.5]}}|
	END
	mcp <in | jq -r '"\(.id) \(if .result.isError then .result.content[0].text else "" end)"' | sort >got
	paste -d'\t' want got | while IFS=$'\t' read -r a b; do [[ $b == "$a"* ]] && [ -n "$b" ] || { echo "$b, not $a"; return 1; }; done
	[ "$(tail -n 1 got)" = "7 " ]
	echo '{"tools":[{"name":"a","description":"d","run":["cat"],"inputSchema":{"type":"object","properties":{"a":{"pattern":"("}}}}]}' >tools.json
	run -2 mcp
	[[ $output == 'lh-mcp: tools.json:1: tool "a": inputSchema: /properties/a/pattern: '* ]]
}

@test "the tools that are printed are those that are built in, as a file of tools" {
	lh-mcp --print-tools >tools.json
	{ initialize; older 1 tools/list; } | lh-mcp --compat --allow-write playbook_record | tail -n 1 | jq -c '.result.tools | sort_by(.name)[]' >built
	{ initialize; older 1 tools/list; } | mcp --compat --allow-write playbook_record | tail -n 1 | jq -c '.result.tools | sort_by(.name)[]' >read
	alike built read
	[ "$(wc -l <built)" = 13 ]
	# a route that is asked by another name
	mkdir -p state
	jq '.tools |= map(select(.name == "list_datasets") | .name = "tables")' tools.json >one
	mv one tools.json
	call 1 tables '{"limit":101}' | mcp --state state | jq -e '.result.isError and .result.content[0].text == "\"limit\" must be a whole number from 1 to 100"'
	call 1 tables '{}' | mcp --state state | jq -e '.result.structuredContent == {datasets: [], count: 0}'
	while IFS='|' read -r wrong why; do
		jq "$wrong" tools.json >wrong.json
		run -2 lh-mcp --tools wrong.json
		[[ $output == "lh-mcp: wrong.json:"*": $why"* ]] || { echo "$output"; return 1; }
	done <<-'END'
	.tools[0].run = ["cat"]|tool "tables": needs "run" or "route"
	del(.tools[0].route)|tool "tables": needs "run" or "route"
	del(.shared.detail)|"shared" has no "detail"
	.tools[0].inputSchema.properties.x = []|a schema is an object, [NAME, TEXT] or NAME
	END
	# a name with a text has that text, whatever description the shared schema has
	lh-mcp --print-tools | jq '.shared["\u0000"] = {} | .tools[0].inputSchema.properties["a\u0000b"] = "\u0000" | (.shared[] | objects).description = "of all"' >tools.json
	{ initialize; older 1 tools/list; } | lh-mcp --tools tools.json >all
	grep -qF '"a\u0000b":{"description":"of all"}' all
	run -1 grep '"description":"of all","description"' all
}

@test "the command line is checked before anything is read" {
	while IFS='|' read -r args why; do
		run --separate-stderr bash -c "lh-mcp $args"
		[ "$status" = 2 ] && [[ $stderr == "lh-mcp: $why"* ]] || { echo "$args: $status $stderr"; return 1; }
	done <<-'END'
	--state no/such|--state no/such: no such folder
	--audit-required|--audit-required: no key
	--allow-write playbook_recrod|--allow-write playbook_recrod: no such tool
	--audit-log a|--audit-log: no key
	--audit-log a --key-file no-key|no-key
	operand|unexpected operand "operand"
	END
}

# ---- a client's configuration, and the page ----

@test "the example configures a desktop client, which then can call a tool" {
	file=$ROOT/share/examples/mcp.json
	[ "$(wc -l <"$file")" -le 5 ]
	mapfile -t argv < <(jq -r '.mcpServers.lakehouse | .command, .args[]' "$file")
	[ "${argv[0]}" = lh-mcp ]
	[ "${argv[1]}" = --state ]
	mkdir state
	argv[2]=state
	request 1 tools/list | patiently "${argv[@]}" | jq -e '.result.tools | length > 0'
}

@test "the page's transcripts are what is printed" {
	mandoc -Tascii -Owidth=80 "$ROOT/man/lh-mcp.1" | sed 's,.\x08,,g' | awk '/^[A-Z]/ { on = $0 == "EXAMPLES"; next } on && /^           / { print substr($0, 12) }' >commands
	sed -n 's/^# //p' commands >want
	[ "$(wc -l <want)" -ge 4 ]
	patiently bash -eo pipefail commands >out
	diff want out
}

@test "the tool search says which corpora were skipped, as its route does" {
	mkdir -p s/index
	lh-gen workers -n 3 | lh-index build -q s/index/workers.lhv -
	echo '{"id":"a","vector":[1,2]}' | lh-index build -q s/index/v.lhv
	call 1 search '{"query":"welder","k":1}' | lh-mcp --state s --no-audit-required | jq -c '.result.structuredContent.skipped' >out
	[ "$(cat out)" = '[{"corpus":"v","reason":"it has no engine to embed text with"}]' ]
}
