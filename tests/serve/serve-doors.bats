# lh-serve: which requests come in at all.  The names that they use (Origin, Host), the
# proxies that they came through, and what is refused before a filter sees it.
load ../helper
load ../servers/serve

teardown() {
	stop_serves
	faults_happened
}

# raw - the Python on stdin, with http_raw.
raw() {
	PYTHONPATH=$ROOT/tests patiently python3 -B - "$@"
}

# echo_config [MEMBERS] - the file config: an echo, and no other filter
echo_config() {
	lh-serve --print-config | jq -c --argjson mine "$(filter_route 'POST /echo')" --argjson more "{$1}" '
		{ routes: ([.routes[] | { route, off: "not in this test" }] + [$mine]) } + $more' >config
}

@test "every route × no token, wrong token, blanks, foreign Origin, foreign Host, a proxy's header, no Content-Type" {
	(umask 077 && head -c 32 /dev/zero >key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	token primary
	token legal
	mkdir -p open guarded
	start_serve --state guarded --token-file primary --legal-token-file legal
	guarded=$PORT
	start_serve --state open --legal-token-file legal
	lh-serve --state open --print-config --legal-token-file legal >printed
	raw "$guarded" <<-'END' >table
	from http_raw import *
	import re
	printed = json.load(open("printed"))
	routes = [r["route"] for r in printed["routes"]] + printed["built_in"]
	reads = {r["route"] for r in printed["routes"] if r.get("read")}
	off = {r["route"] for r in printed["routes"] if "off" in r}
	must(len(routes) > 55 and len(off) == 6, len(routes), off)
	free = {"GET /health", "GET /ready"}            # to everybody
	page = {"GET /", "GET /console.css", "GET /console.js"}   # without a token
	primary, legal = (open(n).read().strip() for n in ("primary", "legal"))
	forwarded = ("Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: a", "Via: 1.1 a",
	             "X-Real-IP: 192.0.2.1")
	tried = 0
	def status(port, route, *headers, host=None, kind="application/json"):
	    global tried
	    tried += 1
	    method, path = route.split()
	    path = re.sub(r"{[^}]*}", "a", path) + ("?name=a" if path == "/v1/ingest" else "")
	    body = b"{}" if method in ("POST", "PUT", "DELETE") else None
	    lines = ["Host: " + (host or "127.0.0.1:%d" % port), "Connection: close"] + list(headers)
	    if body:
	        lines += ["Content-Length: 2"] + (["Content-Type: " + kind] if kind else [])
	    c = Client(port).send("%s %s HTTP/1.1\r\n%s\r\n\r\n" % (method, path, "\r\n".join(lines)), body or b"")
	    a = c.answer(method)
	    c.close()
	    return a.status
	refusals = {401, 403, 415, 421}
	for port in (int(os.environ["PORT"]), int(sys.argv[1])):
	    open_server = port == int(os.environ["PORT"])
	    good = ["X-Lakehouse-Legal-Token: " + legal] + ([] if open_server else ["Authorization: Bearer " + primary])
	    for route in routes:
	        audit = "/v1/audit/" in route or "/v1/subject/" in route
	        secret = audit or not open_server       # it has come with a token, so its name does not matter
	        def is_(want, *headers, **how):
	            got = status(port, route, *headers, **how)
	            ok = got not in refusals if want == "in" else got == want
	            must(ok, "open" if open_server else "guarded", route, headers, how, "gave", got, "not", want)
	        at_all = lambda refusal: "in" if route in free else refusal
	        is_("in", *good)
	        # tokens
	        inside = route in free or (route in page) or (open_server and not audit)
	        is_("in" if inside else 401)
	        is_("in" if inside else 401, "Authorization: Bearer wrong-0123456789abcdef", "X-Lakehouse-Legal-Token: wrong-0123456789abcdef")
	        is_("in", *(h + " \t " for h in good))
	        # names
	        is_(at_all(403), "Origin: http://evil.example.com", *good)
	        is_(at_all(403), "Origin: null", *good)
	        is_(at_all(403), "Origin: http://127.0.0.1:%d" % port, "Origin: http://evil.example.com", *good)
	        is_(at_all(403), "Origin: http://evil.example.com:%d" % port, *good, host="127.0.0.1:%d" % port)
	        is_("in", "Origin: http://127.0.0.1:%d" % port, *good)
	        is_("in", "Origin: http://LOCALHOST:%d" % port, *good)
	        for host in ("evil.example.com", "evil.example.com:%d" % port, "127.0.0.1.evil.example.com", "localhost.evil", "127.0.0.2", "[::2]", "x@localhost", "localhost:1@a", ""):
	            is_("in" if secret else at_all(421), *good, host=host or " ")
	        for host in ("localhost", "LocalHost:1", "127.0.0.1", "[::1]:%d" % port):
	            is_("in", *good, host=host)
	        # a page of the name that the request has: a token makes the name one of this server
	        is_("in" if not open_server else at_all(403), "Origin: https://lake.example.com", *good, host="lake.example.com")
	        for line in forwarded:
	            is_("in" if secret else at_all(403), line, *good)
	        # bodies
	        if route.split()[0] in ("POST", "DELETE"):
	            for kind in (None, " "):
	                is_("in" if route in reads | off else 415, *good, kind=kind)
	        if route == "POST /v1/ingest":
	            form = "multipart/form-data; boundary=a"
	            is_(403 if open_server else "in", *good, kind=form)
	            is_("in", "Origin: http://localhost:%d" % port, *good, kind=form)
	print(tried, "tried,", len(routes), "routes")
	END
	grep -q 'tried' table
	run ! grep -E 'primary-|legal-|wrong-' "$SERVE_LOG" "$SERVE_ERR"
}

@test "a page cannot write by a simple request, and one whose name was rebound cannot read" {
	mkdir s
	start_serve --state s
	body='{"name":"a","schema_fingerprint":"f"}'
	for header in 'Origin: http://evil.example.com' 'Origin: null' 'Host: rebound.example.com'; do
		[[ $(status /v1/catalog/register -H 'Content-Type: text/plain' -d "$body" -H "$header") == 4* ]]
		[[ $(status /v1/catalog/register --json "$body" -H "$header") == 4* ]]
		[[ $(status /v1/catalog/list -H "$header") == 4?[13] ]]
		[[ $(status '/v1/ingest?name=t' -F file=@"$ROOT"/README.md -H "$header") == 4?[13] ]]
	done
	[ "$(curl -sS -H 'Host: rebound.example.com' "$URL/v1/catalog/list" | jq -c .)" = '{"error":"this host is not the server'"'"'s"}' ]
	[ "$(curl -sS "$URL/v1/catalog/list" | jq .count)" = 0 ]
	# by the host of an absolute target as well, which is used instead of Host
	raw <<-'END'
	from http_raw import *
	must(ask("GET", "http://rebound.example.com/v1/catalog/list").status == 421)
	must(ask("GET", "http://localhost:%s/v1/catalog/list" % os.environ["PORT"]).status == 200)
	must(Client().send("GET /v1/catalog/list HTTP/1.0\r\n\r\n").answer().status == 200)
	END
}

@test "the name that --listen gives is one of the server's, and so is the address of each listener" {
	echo_config
	grep -q '127.0.0.1.*localhost' /etc/hosts || skip "localhost is not 127.0.0.1 here"
	serve_with --listen 127.0.0.5:0 --config config
	URL=$(sed -n 's/.*listening on //p' err) PORT=${URL##*:}
	for host in 127.0.0.5 "127.0.0.5:$PORT" localhost; do
		[ "$(status /metrics -H "Host: $host")" = 200 ]
		[ "$(status /metrics -H "Origin: http://${host%:*}:$PORT")" = 200 ]
	done
	[ "$(status /metrics -H 'Host: 127.0.0.6')" = 421 ]
	[ "$(status /metrics -H "Origin: http://127.0.0.5:1")" = 403 ]
	[ "$(status /metrics -H "Origin: https://127.0.0.5:$PORT")" = 403 ]
}

@test "--allow-origin lets the pages that it lists ask, and browsers are told so beforehand" {
	token primary
	echo_config '"allow_origin":["https://apps.example.com","http://localhost:5173"]'
	start_serve --config config
	plain=$URL
	start_serve --config config --token-file primary
	for base in "$plain" "$URL"; do
		# the question before: without a token, since browsers send none with it
		curl -sS -o /dev/null -D head -X OPTIONS -H 'Origin: https://apps.example.com' -H 'Access-Control-Request-Method: POST' \
			-H 'Access-Control-Request-Headers: authorization, content-type' "$base/echo"
		sed -i 's/\r$//' head
		grep -q '^HTTP/1.1 204' head
		grep -qix 'Access-Control-Allow-Origin: https://apps.example.com' head
		grep -qix 'Access-Control-Allow-Methods: OPTIONS, POST' head
		grep -qix 'Access-Control-Allow-Headers: authorization, content-type' head
		grep -qix 'Vary: Origin' head
		[ "$(curl -sS -o head -w '%{http_code}' -X OPTIONS -H 'Origin: https://evil.example.com' -H 'Access-Control-Request-Method: POST' "$base/echo")" != 204 ]
		run ! grep -i access-control head
	done
	curl -sS -o out -D head --json '{"id":1}' -H 'Origin: http://localhost:5173' "$plain/echo"
	grep -qi '^access-control-allow-origin: http://localhost:5173' head
	jq -e '.answer == 1' out
	# a refusal can be read by the page, too
	curl -sS -o out -D head --json '{}' -H 'Origin: http://localhost:5173' "$URL/echo"
	grep -q '^HTTP/1.1 401' head
	grep -qi '^access-control-allow-origin: http://localhost:5173' head
	curl -sS -o out -D head --json '{}' -H 'Origin: http://localhost:5174' "$URL/echo"
	grep -q '^HTTP/1.1 401' head
	run ! grep -i access-control head
	[ "$(curl -sS -o /dev/null -w '%{http_code}' --json '{}' -H 'Origin: http://localhost:5174' "$plain/echo")" = 403 ]
	[ "$(curl -sS -o /dev/null -w '%{http_code}' --json '{}' -H 'Origin: http://apps.example.com' "$plain/echo")" = 403 ]
	curl -sS -o out -D head "$plain/health"
	run ! grep -i access-control head
	for bad in '*' null apps.example.com https:// 'https://a/' 'https://a b' 'https://a,https://b' 'ftp://a' 'https://u@a'; do
		run -2 lh-serve --allow-origin "$bad" --check
		[[ $output == "lh-serve: --allow-origin: \"$bad\" is not an origin"* ]]
	done
}

@test "the log has the client of a proxy that --trusted-proxy names, and of no other" {
	token primary
	echo_config '"trusted_proxy":["127.0.0.2","10.0.0.0/8"]'
	start_serve --config config --token-file primary
	asked() { curl -sS -o /dev/null -H "X-Request-Id: $1" "${@:2}" -H 'Authorization: Bearer primary-0123456789abcdef' "$URL/metrics"; }
	asked a --interface 127.0.0.2 -H 'X-Forwarded-For: 192.0.2.7'
	asked b --interface 127.0.0.2 -H 'X-Forwarded-For: 6.6.6.6, 2001:DB8::7, 10.1.1.1'
	asked c --interface 127.0.0.3 -H 'X-Forwarded-For: 192.0.2.7'
	asked d --interface 127.0.0.2 -H 'X-Forwarded-For: SECRET'
	asked e --interface 127.0.0.2
	until_so has_lines access 5
	[ "$(jq -r '[.request_id, .remote, .client // "-"] | join(" ")' access | xargs)" = \
		'a 127.0.0.2 192.0.2.7 b 127.0.0.2 2001:db8::7 c 127.0.0.3 - d 127.0.0.2 - e 127.0.0.2 -' ]
	run ! grep SECRET access err
	# it lets nobody in: --allow is for the connection
	end_serve
	start_serve --config config --token-file primary --allow 192.0.2.7
	[ "$(status /metrics --interface 127.0.0.2 -H 'X-Forwarded-For: 192.0.2.7' -H 'Authorization: Bearer primary-0123456789abcdef')" = 403 ]
	run -2 lh-serve --trusted-proxy 10.0.0.1/8 --check
	[[ $output == 'lh-serve: --trusted-proxy: "10.0.0.1/8" is not a network'* ]]
}

@test "/health and /ready answer everybody, also without being in --allow; ?deep=1 does not" {
	token primary
	echo_config
	for options in '--allow 10.0.0.0/8' '--allow 10.0.0.0/8 --token-file primary'; do
		start_serve --config config $options
		for path in /health /ready /health?deep=0; do
			[ "$(status "$path")" = 200 ]
			[ "$(status "$path" -H 'Host: evil.example.com' -H 'Origin: http://evil.example.com' -H 'Via: a')" = 200 ]
			[ "$(status "$path" -I)" = 200 ]
		done
		[ "$(curl -sS "$URL/ready")" = '{"status":"ready","service":"gateway"}' ]
		[ "$(status '/health?deep=1')" = 403 ]
		[ "$(status /metrics)" = 403 ]
		[ "$(status /health --json '{}')" = 403 ]
	done
}

@test "a line of chunks that ends in a bare LF, or is too long, is 400 and ends the connection at once" {
	echo_config
	start_serve --config config
	raw <<-'END'
	from http_raw import *
	head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	health = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
	good = b'8\r\n{"id":1}\r\n0\r\n\r\n'
	lf, long = "a line of chunks ends in a bare LF", "a line of chunks is too long"
	cases = {
	    "size": (b'8\n{"id":1}\r\n0\r\n\r\n', lf), "extension": (b'8;a=b\n{"id":1}\r\n0\r\n\r\n', lf), "data": (b'8\r\n{"id":1}\n0\r\n\r\n', lf),
	    "last size": (b'8\r\n{"id":1}\r\n0\n\r\n', lf), "end": (b'8\r\n{"id":1}\r\n0\r\n\n', lf), "trailer": (b'8\r\n{"id":1}\r\n0\r\nA: b\n\r\n', lf),
	    "long size": (b"0" * 40000, long), "long extension": (b"8;" + b"a" * 40000, long), "long line": (b"8;" + b"a" * 40000 + b"\r\n", long),
	    "long trailer": (b'8\r\n{"id":1}\r\n0\r\nA: ' + b"b" * 40000, long),
	}
	def refused(c, why, name):
	    try:
	        a = c.answer()
	    except ConnectionResetError:
	        must(False, name, "reset")
	    must(a.status == 400 and a.get("connection") == "close" and a.json() == {"error": why}, name, a.status, a.body)
	    must(c.ends(), name)
	for name, (body, why) in cases.items():
	    # with the header, after it, and after another request
	    refused(Client().send(head + body), why, name)
	    c = Client().send(head)
	    time.sleep(0.01)
	    try:
	        for i in range(0, len(body), 3000):
	            c.send(body[i:i + 3000])
	    except (ConnectionResetError, BrokenPipeError):
	        pass
	    refused(c, why, name)
	    c = Client().send(health + head + good + head + body)
	    must(c.answer().status == 200 and c.answer().status == 200, name)
	    refused(c, why, name)
	# also after a body whose length has more blanks or zeros before it than a line of the header is followed for
	for length in (b" " * 300 + b"12", b"0" * 300 + b"12"):
	    first = b'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ' + length + b'\r\n\r\n{"id":1}\r\n\r\n'
	    c = Client().send(first)
	    must(c.answer().status == 200, length)
	    refused(c.send(head + b'8\n{"id":1}\r\n0\r\n\r\n'), lf, length)
	# what is right stays so, in whatever pieces it comes
	right = health + head + b'8;a="b\t";c\r\n{"id":1}\r\n00;x\r\nTrailer: a\r\n\r\n' + head + good + health
	for size in (1, 2, 3, 7, 1000):
	    c = Client()
	    for i in range(0, len(right), size):
	        c.send(right[i:i + size])
	    must([c.answer().status for i in range(4)] == [200] * 4, size)
	END
	until_so has_lines access 74
	[ "$(jq -r .status access | sort | uniq -c | xargs)" = '42 200 32 400' ]
}

@test "a LF before the request line, a trailer that is folded or no field, and a blank after a size are 400" {
	echo_config
	start_serve --config config
	raw <<-'END'
	from http_raw import *
	health = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
	head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	body = b'\r\n{"id":1}\r\n0\r\n'
	for text in (b"\n" + health, b"\r\n\n" + health, head + b"8" + body + b" A: b\r\n\r\n", head + b"8" + body + b"A\r\n\r\n",
	             head + b"8" + body + b"A: b\r\n c\r\n\r\n", head + b"8 " + body + b"\r\n", head + b"8\t;a" + body + b"\r\n",
	             head + b"0x8" + body + b"\r\n", head + b"+8" + body + b"\r\n", head + b"7" + body + b"\r\n"):
	    c = Client().send(text + health)
	    a = c.answer()
	    must(a.status == 400 and a.get("connection") == "close" and list(a.json()) == ["error"], text, a.status, a.body)
	    must(c.ends() and not c.data, text, c.data)
	END
}

# bats test_tags=plain-only
@test "lh-serve replaces no function of the C library" {
	nm -D --defined-only "$(command -v lh-serve)" >own
	run ! grep -E ' (recv|send|sendmsg|read|write|accept4?)$' own
}

@test "what is not HTTP is refused by one header and JSON, and what comes before it is answered" {
	echo_config
	start_serve --config config
	raw <<-'END'
	from http_raw import *
	post = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	health = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
	cases = [(b"GET /health HTTP/1.1\r\n\r\n", 400), (b"GET /health HTTP/2.0\r\nHost: a\r\n\r\n", 505), (b"GET /health\r\nHost: a\r\n\r\n", 400),
	         (b"GET /health HTTP/1.1\r\nHost: a\r\nSECRET\r\n\r\n", 400), (b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n\r\n", 414),
	         (b"GET /health HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 60000 + b"\r\n\r\n", 431), (post + b"Content-Length: x\r\n\r\n", 400),
	         (post + b"Content-Length: 99999999999999999999999\r\n\r\n", 413), (post + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
	         (post + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413),
	         (post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413),
	         (post + b"Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", 413)]
	for before in (0, 3):
	    for text, status in cases:
	        c = Client().send(health * before + text)
	        for i in range(before):
	            must(c.answer().json()["status"] == "ok")
	        a = c.answer()
	        must(a.status == status and a.get("content-type") == "application/json" and list(a.json()) == ["error"], text[:60], a.status, a.body)
	        must(c.ends() and not c.data, text[:60], c.data)
	END
}

@test "a file that names commands belongs to the user or root, and nobody else may write it" {
	echo_config
	echo '{"tools":[]}' >tools
	chmod 600 config tools
	asked() {
		lh-serve --config config --check
		lh-mcp --tools tools </dev/null
	}
	refused() {
		for tool in "lh-serve --config config --check" "lh-mcp --tools tools"; do
			run -2 $tool </dev/null
			[[ $output == *": $1: it names commands, so $2" ]] || { echo "$output"; return 1; }
		done
	}
	asked
	chmod 644 config tools
	asked
	for mode in 0664 0646 0666; do
		chmod "$mode" config tools
		refused "mode $mode" 'only its owner may write it'
	done
	[ "$(id -u)" = 0 ] || skip "the rest needs root"
	chmod 644 config tools
	chown 12345 config tools
	refused 'belongs to user 12345' 'it must belong to root'
}
