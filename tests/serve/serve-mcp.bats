# POST /mcp of lh-serve: the protocol over HTTP, by clients that send exactly what they
# are given; mcp-clients.bats has the clients of others.
load ../helper
load ../servers/serve

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export TESTS=$ROOT/tests
}

teardown() {
	stop_serves
	unset LH_SERVE_TOKEN LH_SUBJECT_AUDIT_KEY
	faults_happened
}

# raw - the Python on stdin, with mcp_http.
raw() {
	PYTHONPATH=$TESTS patiently python3 -B - "$@"
}

# tool NAME [MEMBERS [ARGUMENT]...] - a tool that filter.py answers
tool() {
	printf '{"name":"%s","description":"a tool for tests","inputSchema":{"type":"object"},%s"run":["python3","-B","%s/servers/filter.py"%s]}' \
		"$1" "${2:+$2,}" "$TESTS" "$([ $# -lt 3 ] || printf ',"%s"' "${@:3}")"
}

# config TOOL... - the file config with these tools, the routes of ROUTES and the members of
# MEMBERS; built-in routes that have a filter are off, so that a server starts at once.
config() {
	jq -nc --argjson tools "[$(IFS=,; echo "$*")]" --argjson more "{${MEMBERS:-}}" --argjson routes "[${ROUTES:-}]" \
		--argjson off "$(lh-serve --print-config | jq -c '[.routes[] | {route, off: "not in this test"}]')" '
		($routes | map(.route)) as $mine |
		$more + {state: "s", tools: $tools, routes: ([$off[] | select(.route as $r | $mine | index($r) | not)] + $routes)}' >config
}

@test "both eras are answered, each in its form, and on one connection" {
	config "$(tool echo)"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	a = modern("server/discover")
	r = result(a)
	must(MODERN in r["supportedVersions"] and "tools" in r["capabilities"] and r["resultType"] == "complete", r)
	must(r["_meta"][META + "serverInfo"]["name"] == "lakehouse-tools", r)
	names = [t["name"] for t in result(modern("tools/list"))["tools"]]
	must("echo" in names and "playbook_record" not in names, names)
	must(structured(call("echo", {"id": 7}))["answer"] == 7)
	must(code(modern("tools/call", {"name": "no_such"})) == -32602)

	a = say(message("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}))
	r = result(a)
	must(r["protocolVersion"] == "2025-06-18" and "mcp-session-id" not in a.headers, r, a.headers)
	for version in ("2025-11-25", "2025-06-18", None):
	    must([t["name"] for t in result(older("tools/list", version=version))["tools"]] == names, version)
	    r = result(older("tools/call", {"name": "echo", "arguments": {"id": 8}}, version=version))
	    must(r["structuredContent"]["answer"] == 8 and "resultType" not in r, r)
	    must(result(older("ping", version=version)) == {})
	    # the older revisions know no 404 for a method
	    a = older("no/such", version=version)
	    must(a.status == 200 and code(a) == -32601, a.status, a.body)
	# a session that nobody made does not matter
	must(say(message("ping"), {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": "x"}).status == 200)
	for method in ("no/such", "ping", "initialize", "logging/setLevel", "resources/subscribe", "subscriptions/listen", "prompts/list"):
	    a = modern(method, {})
	    must(a.status == 404 and code(a) == -32601 and a.json()["id"] == 1, method, a.status, a.body)
	c = Client()
	for i in range(20):
	    c.send(posted(*modern_parts("tools/call", {"name": "echo", "arguments": {"id": i}}, i)),
	           posted(message("tools/call", {"name": "echo", "arguments": {"id": i}}, i), {"MCP-Protocol-Version": "2025-11-25"}))
	for i in range(20):
	    must(structured(c.answer(), i)["answer"] == i)
	    must(structured(c.answer(), i)["answer"] == i)
	END
}

@test "the headers must say what the body says: the table of what is refused, and how" {
	config "$(tool echo)" "$(tool 'z-1.x_')"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	import base64
	V, M, N = "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"
	sentinel = lambda s: "=?base64?%s?=" % base64.b64encode(s.encode()).decode()
	list_, call_ = with_meta(), with_meta({"name": "echo", "arguments": {}})
	cases = [
	    # headers, method, params, status, code
	    ({V: MODERN, M: "tools/list"}, "tools/list", list_, 200, None),
	    ({V.lower(): MODERN, M.upper(): "tools/list"}, "tools/list", list_, 200, None),
	    ({V: "  %s \t" % MODERN, M: " tools/list  "}, "tools/list", list_, 200, None),
	    ({V: MODERN}, "tools/list", list_, 400, -32020),
	    ({V: MODERN}, "tools/list", {}, 400, -32020),
	    ({V: MODERN}, "tools/list", None, 400, -32020),
	    ({V: MODERN, M: ""}, "tools/list", list_, 400, -32020),
	    ({M: "tools/list"}, "tools/list", list_, 400, -32020),
	    ({V: "2025-11-25", M: "tools/list"}, "tools/list", list_, 400, -32020),
	    ({V: "2025-11-25"}, "tools/list", list_, 400, -32020),
	    ({}, "tools/list", list_, 400, -32020),
	    ({V: MODERN, M: "tools/call"}, "tools/list", list_, 400, -32020),
	    ({V: MODERN, M: "TOOLS/LIST"}, "tools/list", list_, 400, -32020),
	    ({V: MODERN, M: "tools/list"}, "tools/list", with_meta(version="v999"), 400, -32020),
	    ({V: "v999", M: "tools/list"}, "tools/list", with_meta(version="v999"), 400, -32022),
	    ({V: "v999", M: "tools/list"}, "tools/list", list_, 400, -32020),
	    ({V: "v999"}, "tools/list", {}, 400, -32022),
	    ({V: "2025-11-25", M: "tools/list"}, "tools/list", with_meta(version="2025-11-25"), 400, -32022),
	    ({V: MODERN, M: "server/discover"}, "server/discover", None, 400, -32602),
	    ({V: MODERN, M: "server/discover"}, "server/discover", {}, 400, -32602),
	    ({V: MODERN, M: "server/discover"}, "server/discover", with_meta(version=None), 400, -32602),
	    ({V: MODERN, M: "server/discover"}, "server/discover", with_meta(capabilities=None), 400, -32602),
	    ({V: MODERN, M: "tools/call", N: "echo"}, "tools/call", call_, 200, None),
	    ({V: MODERN, M: "tools/call", N: "  echo\t "}, "tools/call", call_, 200, None),
	    ({V: MODERN, M: "tools/call", N: sentinel("echo")}, "tools/call", call_, 200, None),
	    ({V: MODERN, M: "tools/call", N: "=?base64?ZWNobw?="}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call", N: "=?base64?ZW!obw==?="}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call", N: "=?BASE64?ZWNobw==?="}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call", N: sentinel("echo\0")}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call", N: "Echo"}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call", N: "ech"}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call", N: "echo\xe9"}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call"}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "tools/call", N: ""}, "tools/call", call_, 400, -32020),
	    ({V: MODERN, M: "resources/read"}, "resources/read", with_meta({"uri": "lh://x/y"}), 400, -32020),
	    ({V: MODERN, M: "resources/read", N: "lh://x/z"}, "resources/read", with_meta({"uri": "lh://x/y"}), 400, -32020),
	    ({V: MODERN, M: "resources/read", N: "lh://x/y"}, "resources/read", with_meta({"uri": "lh://x/y"}), 200, -32602),
	    # a name of other letters, which a header cannot hold
	    ({V: MODERN, M: "tools/call", N: "müll".encode().decode("latin-1")}, "tools/call", with_meta({"name": "müll"}), 400, -32020),
	    ({V: MODERN, M: "tools/call", N: sentinel("müll")}, "tools/call", with_meta({"name": "müll"}), 200, -32602),
	    ({V: MODERN, M: "tools/call", N: "z-1.x_"}, "tools/call", with_meta({"name": "z-1.x_"}), 200, None),
	    ({V: "2025-11-25", M: "wrong", N: "wrong"}, "tools/list", None, 200, None),
	    ({V: "2025-11-25"}, "initialize", {"protocolVersion": "2025-11-25"}, 200, None),
	    ({V: MODERN, M: "initialize"}, "initialize", {"protocolVersion": "2025-11-25"}, 400, -32602),
	    ({V: MODERN, M: "initialize"}, "initialize", with_meta({"protocolVersion": MODERN}), 404, -32601),
	]
	for headers, method, params, status, want in cases:
	    a = say(message(method, params, "id"), headers)
	    must(a.status == status and code(a) == want, headers, method, params, "expected", status, want, "got", a.status, a.body)
	    must(a.json()["id"] == "id", a.body)
	a = say(message("tools/list", with_meta(version="v999")), {V: "v999", M: "tools/list"}).json()["error"]
	must(a["data"]["requested"] == "v999" and MODERN in a["data"]["supported"], a)
	# two of one name: two readers may take different ones
	for twice in (V + ": " + MODERN, M + ": tools/call", N + ": echo", N + ": other"):
	    body, headers = modern_parts("tools/call", {"name": "echo"})
	    a = say(body, ["%s: %s" % h for h in headers.items()] + [twice])
	    must(a.status == 400 and code(a) == -32020, twice, a.status, a.body)
	END
}

@test "an origin passes if it is the address that is listened on, a Host that is another name does not" {
	config "$(tool echo)"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	port = os.environ["PORT"]
	body, headers = modern_parts("tools/call", {"name": "echo"})
	def status(*lines):
	    c = Client().send(posted(body, ["%s: %s" % h for h in headers.items()] + list(lines)))
	    a = c.answer()
	    must(a.status in (200, 403), a.status, a.body)
	    must(a.status == 200 or c.ends() , "the body was not read")
	    return a.status
	for own in ("http://127.0.0.1:", "http://localhost:", "HTTP://LOCALHOST:", "http://[::1]:"):
	    must(status("Origin: " + own + port) == 200, own)
	    must(status("Origin: %s%d" % (own, int(port) + 1)) == 403, own)
	    must(status("Origin: " + own[:-1]) == 403, own)
	for other in ("http://evil.example.com:" + port, "https://127.0.0.1:" + port, "null", "", "http://", "127.0.0.1:" + port, "http://127.0.0.1:" + port + "/",
	              "http://127.0.0.1:" + port + ".evil.example.com", "http://127.0.0.1.evil.example.com:" + port, "http://localhost.evil.example.com:" + port,
	              "http://x@127.0.0.1:" + port, "http://127.0.0.2:" + port, "http://127.0.0.1:0" + port, "http://[::1]:80:" + port, "file://"):
	    must(status("Origin: " + other) == 403, other)
	must(status("Origin: http://127.0.0.1:" + port, "Origin: http://evil.example.com:" + port) == 403)
	must(status("Origin: http://127.0.0.1:" + port, "origin: http://127.0.0.1:" + port) == 403)
	must(status() == 200)
	must(Client().send(posted(body, headers).replace(b"Host: localhost", b"Host: evil.example.com:" + port.encode())).answer().status == 421)
	# who asks for the health does not matter
	must(ask("GET", "/health", headers=["Origin: http://evil.example.com"]).status == 200)
	END
}

@test "only POST is there; notifications and answers of a client are 202 without a body" {
	config "$(tool echo)"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	for method in ("GET", "HEAD", "DELETE", "PUT", "PATCH"):
	    a = ask(method, "/mcp", b"{}" if method[0] == "P" else None)
	    must(a.status == 405 and a.get("allow") == "OPTIONS, POST", method, a.status, a.headers)
	V = "MCP-Protocol-Version"
	for headers in ({V: "2025-11-25"}, {V: MODERN, "Mcp-Method": "notifications/initialized"}, {V: MODERN}, {}):
	    for method in ("notifications/initialized", "notifications/cancelled", "notifications/no-such"):
	        a = say(message(method, {"requestId": 1}, None), {**headers, **({"Mcp-Method": method} if "Mcp-Method" in headers else {})})
	        must(a.status == 202 and a.body == b"" and a.get("content-length") == "0" and "content-type" not in a.headers, headers, a.status, a.headers)
	for answer in ({"jsonrpc": "2.0", "id": 1, "result": {}}, {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}}):
	    must(say(answer, {V: "2025-11-25"}).status == 202)
	# the connection goes on
	c = Client()
	for i in range(3):
	    c.send(posted(message("notifications/initialized", None, None)), posted(*modern_parts("tools/list")))
	    must(c.answer().status == 202)
	    must(c.answer().status == 200)
	END
}

@test "what is no message, or not JSON, or too long, is refused, and the next request is answered" {
	config "$(tool echo)"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	V = {"MCP-Protocol-Version": "2025-11-25"}
	one = message("tools/list")
	for body, want in ((b"", -32700), (b"{", -32700), (b"what", -32700), (b'{"a":1,"a":2}', -32700), (b"\xff\xfe", -32700), (b"[" * 600, -32700),
	                   (b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n{"jsonrpc":"2.0","id":2,"method":"tools/list"}', -32700),
	                   ([], -32600), ([one], -32600), ([one, one], -32600), ("1", -32600), ("null", -32600), ({}, -32600), ({"jsonrpc": "2.0", "id": 1}, -32600),
	                   ({**one, "jsonrpc": "1.0"}, -32600), ({**one, "id": None}, -32600), ({**one, "id": 1.5}, -32600), ({**one, "id": {}}, -32600), ({**one, "method": 1}, -32600)):
	    a = say(body, V)
	    must(a.status == 400 and code(a) == want, body, a.status, a.body)
	must(say({**one, "params": []}, V).json()["error"]["code"] == -32602)
	for kind, status in (("application/json", 200), ("application/json; charset=utf-8", 200), ("Application/JSON", 200), ("text/plain", 415), ("application/jsonl", 415),
	                     ("application/x-ndjson", 415), ("multipart/form-data", 415), ("application/x-www-form-urlencoded", 415)):
	    a = say(one, {**V, "Content-Type": kind})
	    must(a.status == status, kind, a.status)
	for accept, status in (("application/json, text/event-stream", 200), ("text/event-stream, application/json;q=0.5", 200), ("*/*", 200), ("application/*", 200),
	                       ("application/json", 200), ("text/event-stream", 406), ("text/html", 406)):
	    a = say(one, {**V, "Accept": accept})
	    must(a.status == status, accept, a.status)
	# 100 MB are refused by their length, and in chunks once they are more than the limit
	a = Client().send("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n").answer()
	must(a.status == 413, a.status)
	c = Client().send(request("POST", "/mcp", b"", ["Transfer-Encoding: chunked"]))
	part = b"%x\r\n" % (1 << 20) + b" " * (1 << 20) + b"\r\n"
	try:
	    for i in range(100):
	        c.send(part)
	except OSError:
	    pass
	try:
	    must(c.answer().status == 413)
	except (ConnectionResetError, EOFError):
	    pass    # more came after the refusal than is read to its end
	c = Client().send(request("POST", "/mcp", b"", ["Transfer-Encoding: chunked"]), part * 5, "0\r\n\r\n")
	must(c.answer().status == 413)
	big = message("tools/call", {"name": "echo", "arguments": {"text": "x" * (3 << 20)}})
	must(say(big, V).status == 200)
	must(result(modern("tools/list"))["tools"])
	END
}

@test "tokens and networks hold for /mcp, and the audit's tools need the legal token" {
	token primary
	token legal
	config "$(tool echo)"
	start_serve --config config --token-file primary
	[ "$(status /mcp --json '{}')" = 401 ]
	[ "$(status /mcp --json '{}' -H 'Authorization: Bearer wrong-0123456789abcdef')" = 401 ]
	[ "$(status /mcp --json '{"jsonrpc":"2.0","id":1,"method":"ping"}' -H 'Authorization: Bearer primary-0123456789abcdef')" = 200 ]
	# who has no token learns nothing, not even what an origin is
	[ "$(status /mcp --json '{}' -H 'Origin: http://evil.example.com')" = 401 ]
	end_serve
	start_serve --config config --allow 10.0.0.0/8
	[ "$(status /mcp --json '{"jsonrpc":"2.0","id":1,"method":"ping"}')" = 403 ]
	end_serve
	(umask 077 && head -c 32 /dev/zero >key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	mkdir -p s/data/_catalog/subjects
	ROUTES=$(lh-serve --state s --print-config --legal-token-file legal | jq -c '.routes[] | select(.route == "GET /v1/audit/health")') config "$(tool echo)"
	start_serve --config config --legal-token-file legal
	raw <<-'END'
	from mcp_http import *
	body, headers = modern_parts("tools/call", {"name": "audit_verify", "arguments": {}})
	must("token" in failure(say(body, headers)), say(body, headers).body)
	must("token" in failure(say(body, {**headers, "X-Lakehouse-Legal-Token": "wrong-0123456789abcdef"})))
	structured(say(body, {**headers, "X-Lakehouse-Legal-Token": "legal-0123456789abcdef"}))
	must("token" in failure(say(body, headers)))
	END
	run ! grep -E 'primary-|legal-|wrong-' access err access.1 err.1
}

@test "a client that closes its connection cancels its call, in both eras" {
	config "$(tool slow '"pool":1' --log asked)" "$(tool quick)"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	def asked():
	    return open("asked").read() if os.path.exists("asked") else ""
	def logged():
	    return [json.loads(l) for l in open("access") if l.endswith("\n")]
	open("go", "w").close()
	must(structured(call("slow", {"id": 0, "wait": "go"}))["answer"] == 0)
	os.remove("go")
	# three calls of one process: the first is in it, the others wait for it
	first = Client().send(posted(*modern_parts("tools/call", {"name": "slow", "arguments": {"id": 1, "wait": "go"}})))
	until(lambda: '"id":1,' in asked())
	gone = Client().send(posted(*modern_parts("tools/call", {"name": "slow", "arguments": {"id": 2}})))
	last = Client().send(posted(*modern_parts("tools/call", {"name": "slow", "arguments": {"id": 3}})))
	must(structured(call("quick", {"id": 9}))["answer"] == 9)
	gone.close()
	until(lambda: any(l["status"] == 499 for l in logged()))
	open("go", "w").close()
	must(structured(first.answer())["answer"] == 1 and structured(last.answer())["answer"] == 3)
	os.remove("go")
	# the one that is in the process
	gone = Client().send(posted(*modern_parts("tools/call", {"name": "slow", "arguments": {"id": 4, "wait": "go"}})))
	until(lambda: '"id":4,' in asked())
	gone.close()
	until(lambda: sum(l["status"] == 499 for l in logged()) == 2)
	last = Client().send(posted(*modern_parts("tools/call", {"name": "slow", "arguments": {"id": 5}})))
	open("go", "w").close()
	must(structured(last.answer())["answer"] == 5)
	os.remove("go")
	# of an older revision, which could cancel it by nothing else
	gone = Client().send(posted(message("tools/call", {"name": "slow", "arguments": {"id": 6, "wait": "go"}}), {"MCP-Protocol-Version": "2025-11-25"}))
	until(lambda: '"id":6,' in asked())
	gone.close()
	until(lambda: sum(l["status"] == 499 for l in logged()) == 3)
	last = Client().send(posted(message("tools/call", {"name": "slow", "arguments": {"id": 7}}), {"MCP-Protocol-Version": "2025-11-25"}))
	gone = Client().send(posted(message("tools/call", {"name": "slow", "arguments": {"id": 8}}), {"MCP-Protocol-Version": "2025-11-25"}))
	must(structured(call("quick", {"id": 9}))["answer"] == 9)
	gone.close()
	until(lambda: sum(l["status"] == 499 for l in logged()) == 4)
	open("go", "w").close()
	must(structured(last.answer())["answer"] == 7)
	must(structured(call("slow", {"id": 10}))["answer"] == 10 and '"id":8' not in asked())
	END
}

@test "two clients with the same ids get their own answers, and cannot cancel each other" {
	config "$(tool slow '"pool":1')"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	import threading
	wrong = []
	def client(k):
	    c = Client()
	    for i in range(200):
	        for headers in (None, {"MCP-Protocol-Version": "2025-11-25"}):
	            params = {"name": "slow", "arguments": {"id": "%d/%d" % (k, i)}}
	            if headers:
	                c.send(posted(message("tools/call", params, i), headers))
	            else:
	                c.send(posted(*modern_parts("tools/call", params, i)))
	            a = c.answer().json()
	            if a["id"] != i or a["result"]["structuredContent"]["answer"] != "%d/%d" % (k, i):
	                wrong.append((k, i, a))
	all = [threading.Thread(target=client, args=(k,)) for k in range(4)]
	[t.start() for t in all]
	[t.join() for t in all]
	must(not wrong, wrong[:1])
	# the same id at the same time, and a cancellation from elsewhere
	V = {"MCP-Protocol-Version": "2025-11-25"}
	both = [Client().send(posted(message("tools/call", {"name": "slow", "arguments": {"id": k, "wait": "go"}}, "same"), V)) for k in (1, 2)]
	must(say(message("notifications/cancelled", {"requestId": "same"}, None), V).status == 202)
	open("go", "w").close()
	must([structured(c.answer(), "same")["answer"] for c in both] == [1, 2])
	END
}

@test "a tool and a route with the same command share its processes, also after SIGHUP" {
	ROUTES=$(filter_route 'POST /echo' '"pool":1,"depth":1') config "$(tool echo '"pool":1')"
	start_serve --config config
	pid=$(post /echo | jq .pid)
	pid_of() { raw <<<$'from mcp_http import *\nprint(structured(call("'"$1"'", {"id": 1}))["pid"])'; }
	[ "$(pid_of echo)" = "$pid" ]
	ROUTES=$(filter_route 'POST /echo' '"pool":1,"depth":1') config "$(tool renamed '"pool":1')" "$(tool more '"pool":1' --name more)"
	hang_up
	[ "$(pid_of renamed)" = "$pid" ]
	[ "$(pid_of more)" != "$pid" ]
	[ "$(post /echo | jq .pid)" = "$pid" ]
	more=$(pid_of more)
	hang_up
	[ "$(pid_of more)" = "$more" ]
	# the configuration is wrong: nothing changes
	MEMBERS='"allow_write":["x"],' ROUTES='' config '{"name":"x"}' || echo '{"tools":[{"name":"x"}]}' >config
	echo '{"tools":[{"name":"x"}]}' >config
	hang_up
	grep -q 'configuration not changed: config:1: ' err
	[ "$(pid_of more)" = "$more" ]
}

@test "a call that is in a filter at SIGHUP and at SIGTERM is answered" {
	config "$(tool slow '"pool":1' --log asked)"
	start_serve --config config
	raw 3>&- <<-'END' &
	from mcp_http import *
	c = Client().send(posted(*modern_parts("tools/call", {"name": "slow", "arguments": {"id": 1, "wait": "go"}})))
	must(structured(c.answer())["answer"] == 1)
	END
	client=$!
	until_so has_lines asked 1
	config "$(tool other '"pool":1')"
	hang_up
	kill -s TERM "$SERVE"
	until_so grep -q 'ending; 1 request is in flight' err
	touch go
	wait "$client"
	wait "$SERVE"
	SERVES=()
}

@test "tools that write are there with --allow-write alone, and say so" {
	ROUTES=$(filter_route 'POST /v1/matrix/playbooks/record') config "$(tool writes '"annotations":{"readOnlyHint":false}')"
	start_serve --config config
	names() { raw <<<$'from mcp_http import *\nprint(*[t["name"] for t in result(modern("tools/list"))["tools"]])'; }
	refused() { raw <<<$'from mcp_http import *\nmust("--allow-write" in failure(call("'"$1"'")), call("'"$1"'").body)'; }
	[[ " $(names) " != *" playbook_record "* ]]
	[[ " $(names) " != *" writes "* ]]
	refused playbook_record
	refused writes
	end_serve
	start_serve --config config --allow-write playbook_record --allow-write writes
	[[ " $(names) " == *" playbook_record "* && " $(names) " == *" writes "* ]]
	end_serve
	MEMBERS='"allow_write":["writes"]' config "$(tool writes '"annotations":{"readOnlyHint":false}')"
	start_serve --config config
	[[ " $(names) " == *" writes "* && " $(names) " != *" playbook_record "* ]]
	refused playbook_record
	lh-serve --config config --print-config | tee printed | jq -e '.allow_write == ["writes"] and .tools[0].name == "writes"'
	lh-serve --config printed --print-config | cmp - printed
}

restarted() {
	[ "$(metric 'lh_serve_restarts_total{route="tool echo"}')" = 1 ]
}

# one that has just been started has hardly any
has_memory() {
	[ "$(metric 'lh_serve_memory_bytes{process="tool echo"}')" -gt 100000 ]
}

@test "/mcp is counted, logged and listed, without a word of what was asked" {
	config "$(tool echo)"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	must(structured(call("echo", {"id": "SECRET-ONE", "text": "SECRET-TWO"}))["answer"] == "SECRET-ONE")
	body, headers = modern_parts("tools/call", {"name": "SECRET-NAME"})
	say(body, {**headers, "Authorization": "Bearer SECRET-TOKEN-0123456789"})
	say('{"SECRET-KEY": ', headers)
	a = modern("tools/call", {"name": "echo", "arguments": {"do": "die"}}, headers={"X-Request-Id": "mine"})
	must(a.get("x-request-id") == "mine" and "SECRET" not in failure(a))
	END
	[ "$(metric 'lh_serve_requests_total{route="POST \/mcp",code="200"}')" = 3 ]
	until_so restarted
	until_so has_memory
	[ "$(metric 'lh_serve_requests_total{route="POST \/mcp",code="400"}')" = 1 ]
	[ "$(jq -rc 'select(.route == "POST /mcp") | .status' access | tr '\n' ' ')" = "200 200 400 200 " ]
	jq -se 'map(select(.request_id == "mine" and .filter_ms > 0)) | length == 1' access
	run ! grep SECRET access err
	curl -sS "$URL/openapi.json" | jq -e '.paths["/mcp"].post.summary'
	lh-serve --print-config | jq -e '.built_in | index("POST /mcp")'
}

@test "the recorded transcripts of both eras are replayed byte for byte, over stdio and HTTP" {
	jq -n --arg tests "$TESTS" -f "$TESTS/mcp/transcripts/tools.jq" >config
	start_serve --config config
	raw "$TESTS/mcp/transcripts" "$(lh-mcp --version | sed 's/.* //')" <<-'END'
	from mcp_http import *
	import subprocess
	folder, version = sys.argv[1:]
	def lines(name):
	    return [l.replace("LH_VERSION", version) for l in open(os.path.join(folder, name), encoding="utf-8").read().splitlines()]
	for era in ("older", "modern"):
	    p = subprocess.Popen(["lh-mcp", "--state", "state", "--tools", "config"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
	    want = lines(era + ".out")
	    asked = lines(era + ".in")
	    must(len(asked) >= len(want) >= 10)
	    for line in asked:
	        p.stdin.write(line.encode() + b"\n")
	        p.stdin.flush()
	        if "id" in json.loads(line):
	            got = p.stdout.readline().decode()
	            must(got == want.pop(0) + "\n", line, got)
	    p.stdin.close()
	    must(not want and p.stdout.read() == b"" and p.wait() == 0)
	    for line in lines(era + ".http.jsonl"):
	        t = json.loads(line)
	        lines_ = ["%s: %s" % h for h in t["headers"].items()]
	        a = Client().send(request(t["method"], "/mcp", t["body"] and t["body"].encode(), lines_)).answer()
	        must(a.status == t["status"] and a.body.decode() == t["answer"], t, a.status, a.body)
	END
}

@test "an argument that a header repeats must be what the header says" {
	config "$(tool echo)" "$(tool to '"title":"to"' | jq -c '.inputSchema = {type: "object", properties: {
		region: {type: "string", "x-mcp-header": "Region"}, n: {type: "integer", "x-mcp-header": "N"}, on: {type: "boolean", "x-mcp-header": "On"},
		in: {type: "object", properties: {"a\"b": {type: "string", "x-mcp-header": "Inner"}}}}}')"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	import base64
	def status(arguments, headers):
	    body, all = modern_parts("tools/call", {"name": "to", "arguments": arguments})
	    a = say(body, ["%s: %s" % h for h in all.items()] + list(headers))
	    must(a.status in (200, 400) and (a.status == 200) == (code(a) is None) and code(a) in (None, -32020), a.status, a.body)
	    return a.status
	b64 = lambda s: "=?base64?%s?=" % base64.b64encode(s.encode()).decode()
	for arguments, headers, want in (
	    ({}, [], 200), ({}, ["Mcp-Param-Region: x"], 200), ({"region": None}, [], 200), ({"region": "us"}, ["Mcp-Param-Region: us"], 200), ({"region": "us"}, ["mcp-param-REGION:  us \t"], 200),
	    ({"region": "us"}, [], 400), ({"region": "us"}, ["Mcp-Param-Region: US"], 400), ({"region": "us"}, ["Mcp-Param-Region: us", "Mcp-Param-Region: us"], 400),
	    ({"region": "us"}, ["Mcp-Param-Region: " + b64("us")], 200), ({"region": "zürich\n"}, ["Mcp-Param-Region: " + b64("zürich\n")], 200), ({"region": "us"}, ["Mcp-Param-Region: =?base64?dXM?="], 400),
	    ({"region": ""}, ["Mcp-Param-Region:"], 200), ({"region": ""}, [], 400), ({"region": "=?base64?us"}, ["Mcp-Param-Region: =?base64?us"], 200),
	    ({"n": 42}, ["Mcp-Param-N: 42"], 200), ({"n": 42}, ["Mcp-Param-N: 42.0"], 200), ({"n": 42.0}, ["Mcp-Param-N: 42"], 200), ({"n": 42}, ["Mcp-Param-N: 43"], 400), ({"n": 42}, ["Mcp-Param-N: 0x2a"], 400),
	    ({"n": 42}, ["Mcp-Param-N: 42 42"], 400), ({"n": 42}, ["Mcp-Param-N:"], 400), ({"n": -7}, ["Mcp-Param-N: -7"], 200), ({"n": 1}, ["Mcp-Param-N: " + "1" * 4000], 400), ({"n": float("inf")}, ["Mcp-Param-N: inf"], None),
	    ({"on": True}, ["Mcp-Param-On: true"], 200), ({"on": True}, ["Mcp-Param-On: True"], 400), ({"on": False}, ["Mcp-Param-On: false"], 200), ({"on": False}, [], 400),
	    ({"in": {'a"b': "x"}}, ["Mcp-Param-Inner: x"], 200), ({"in": {'a"b': "x"}}, [], 400), ({"in": "x"}, [], 200), ({"in": {}}, [], 200)):
	    if want:
	        must(status(arguments, headers) == want, arguments, headers, want)
	must(structured(older("tools/call", {"name": "to", "arguments": {"region": "us", "id": 3}}))["answer"] == 3)
	END
}

@test "below a mount /mcp is the same" {
	MEMBERS='"mount":"/_go"' config "$(tool echo)"
	start_serve --config config
	raw <<-'END'
	from mcp_http import *
	body, headers = modern_parts("tools/call", {"name": "echo", "arguments": {"id": 5}})
	must(structured(Client().send(posted(body, headers, "/_go/mcp")).answer())["answer"] == 5)
	must(Client().send(posted(body, {**headers, "Origin": "http://evil.example.com"}, "/_go/mcp")).answer().status == 403)
	must(Client().send(posted(body, headers, "/_go/mcp/")).answer().status == 404)
	END
}
