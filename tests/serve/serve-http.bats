# HTTP as clients send it, whole and broken, by a client that sends exactly what it is
# told (http_raw.py).  The routes have a filter that prints what it reads (echo.py).
# bats file_tags=long
load ../helper
load ../servers/serve

# The slow body takes more than half a minute: it begins here, and is looked at last.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	config >routes.json
	start_serve --config routes.json --connections 12000
	raw >slow.out 2>&1 3>&- <<-'END' &
		from http_raw import *
		import threading

		def drip(rate, seconds):
		    """What becomes of a body of which so many bytes come each second: as the clock
		    says, so that a client that was not run for a while is not a slow one."""
		    c = Client()
		    c.send("POST /jq HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (rate * seconds), '{"a":"')
		    begun = time.monotonic()
		    body = b"x" * (rate * seconds - 8) + b'"}'
		    while body:
		        due = len(body) - int(rate * (begun + seconds - time.monotonic()))
		        try:
		            c.socket.settimeout(PATIENCE)
		            c.send(body[:max(due, 1)])
		            body = body[max(due, 1):]
		            c.socket.settimeout(0.5)
		            if body and not c.more():
		                return "closed", time.monotonic() - begun
		        except socket.timeout:
		            pass
		        except OSError:
		            return "closed", time.monotonic() - begun
		    c.socket.settimeout(PATIENCE)
		    return c.answer().status, time.monotonic() - begun

		out = {}
		def run(name, *how):
		    try:
		        out[name] = drip(*how)
		    except OSError as e:
		        out[name] = ("closed", 0)
		all = [threading.Thread(target=run, args=a) for a in
		       (("slow", 200, 200), ("fast", 16384, 35))]
		[t.start() for t in all]
		[t.join() for t in all]
		print(json.dumps(out))
	END
	echo $! >slow.pid
}

teardown_file() {
	wait "$(cat "$BATS_FILE_TMPDIR/slow.pid")" || true
	end_serves
}

teardown() {
	end_serves || return
	faults_happened
}

# echo_filter [ARGUMENT] - the argv of echo.py; with an argument it is a pool of its own.
echo_filter() {
	jq -nc --arg f "$ROOT/tests/servers/echo.py" '["python3", "-B", $f] + $ARGS.positional' --args "$@"
}

# only_routes ROUTE... - a configuration of these routes (JSON objects); the built-in
# ones that have a filter are switched off, so that a server starts at once.
only_routes() {
	lh-serve --print-config | jq -c --argjson mine "[$(IFS=,; echo "$*")]" '
		($mine | map(.route)) as $names
		| { routes: ([.routes[] | select(.route as $r | $names | index($r) | not) |
			{ route, off: "not in this test" }] + $mine) }'
}

# raw - the Python on stdin, with http_raw.
raw() {
	PYTHONPATH=$ROOT/tests patiently python3 -B - "$@"
}

config() {
	local echo slow
	echo=$(echo_filter) slow=$(echo_filter slow)
	only_routes \
		'{"route":"POST /echo","depth":64,"run":'"$echo"'}' \
		'{"route":"PUT /echo","depth":64,"run":'"$echo"'}' \
		'{"route":"DELETE /echo","depth":64,"run":'"$echo"'}' \
		'{"route":"PATCH /patch","depth":64,"run":'"$echo"'}' \
		'{"route":"GET /get","depth":64,"run":'"$echo"',"members":{"op":"get"}}' \
		'{"route":"POST /small","depth":64,"max_body":"1K","run":'"$echo"'}' \
		'{"route":"POST /big","depth":64,"max_body":"64M","run":'"$echo"'}' \
		'{"route":"GET /items/{id}","depth":64,"run":'"$echo"'}' \
		'{"route":"GET /items/new","depth":64,"members":{"fixed":true},"run":'"$echo"'}' \
		'{"route":"POST /items/{id}/parts/{part}","depth":64,"members":{"op":"add"},"run":'"$echo"'}' \
		'{"route":"POST /trace","depth":64,"trace":true,"run":'"$echo"'}' \
		'{"route":"POST /slow","pool":4,"run":'"$slow"'}' \
		'{"route":"POST /jq","run":["jq","-c","--unbuffered","{got:.n}"]}'
}

@test "a body of exactly the limit is answered, one byte more is 413, with a length and in chunks" {
	raw <<-'END'
	from http_raw import *
	for route, limit in (("/echo", 4 << 20), ("/small", 1024)):
	    for n in (limit, limit + 1):
	        body = b'{"a":"' + b"x" * (n - 8) + b'"}'
	        for way in ("length", "chunks"):
	            c = Client()
	            if way == "length":
	                c.send(request("POST", route, body))
	            else:
	                c.send(request("POST", route, b"", ["Transfer-Encoding: chunked"]), chunked(body, [60000, 7, 1]))
	            a = c.answer()
	            must(a.status == (200 if n == limit else 413), route, n, way, a.status, a.body[:100])
	            if n == limit:
	                must(a.body == body)
	                must(c.send(request("GET", "/health")).answer().status == 200)
	            else:
	                must(a.json() == {"error": "the body is too large"}, a.body)
	                must(c.ends())
	# in chunks it is refused at once, whether or not its end comes
	c = Client().send(request("POST", "/echo", b"", ["Transfer-Encoding: chunked"]), b"%x\r\n" % (6 << 20), b" " * (5 << 20))
	a = c.answer()
	must(a.status == 413 and a.json() == {"error": "the body is too large"}, a.status)
	# refused by its length alone, before any of it is there
	a = Client().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % ((4 << 20) + 1)).answer()
	must(a.status == 413)
	a = Client().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999999\r\n\r\n").answer()
	must(a.status == 413, a.status)
	END
}

@test "an answer before the body reaches a client that sends all of the body first" {
	raw <<-'END'
	from http_raw import *
	for i in range(20):
	    c = Client()
	    c.send(request("POST", "/echo", b"x" * (6 << 20)))
	    time.sleep(0.01 * (i % 3))
	    a = c.answer()
	    must(a.status == 413 and a.get("connection") == "close", a.status)
	    must(c.ends())
	END
}

@test "a header of 16 KiB is served, one byte more is 431, and so is far more" {
	raw <<-'END'
	from http_raw import *
	def ask_with(n, fields=1):
	    head = b"GET /get HTTP/1.1\r\nHost: localhost\r\n"
	    for i in range(fields - 1):
	        head += b"X-%d: %s\r\n" % (i, b"v" * 80)
	    head += b"X-Last: "
	    head += b"v" * (n - len(head) - 4) + b"\r\n\r\n"
	    must(len(head) == n)
	    return Client().send(head).answer()
	for fields in (1, 100):
	    must(ask_with(16384, fields).status == 200)
	    a = ask_with(16385, fields)
	    must(a.status == 431 and a.json() == {"error": "the header is too large"}, a.status)
	must(ask_with(40000).status == 431)
	must(ask_with(16000, 150).status == 200)
	c = Client()
	try:
	    c.send(b"GET /get HTTP/1.1\r\nHost: localhost\r\nX-Endless: ")
	    for i in range(100):
	        c.send(b"v" * 10000)
	except OSError:
	    pass
	try:
	    must(c.answer().status == 431)
	except ConnectionResetError:
	    pass    # more came after the answer
	a = Client().send(b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n").head()
	must(a.status in (414, 431), a.status)
	must(ask("GET", "/health").status == 200)
	END
}

@test "chunks of any size, with extensions and trailers, are the body that they hold" {
	raw <<-'END'
	from http_raw import *
	body = json.dumps({"text": "words of more than one byte: äöü " * 200, "n": [1.50, 1e3]}, ensure_ascii=False).encode()
	for sizes in ([1], [1, 2, 3], [4096], [len(body)], [100000]):
	    for extension in (b"", b";a", b';name="value; more"', b"; x=1;y"):
	        for trailer in (b"", b"X-Sum: abc\r\n", b"X-A: 1\r\nX-B: 2\r\n"):
	            c = Client()
	            c.send(request("POST", "/echo", b"", ["Transfer-Encoding: chunked"]), chunked(body, sizes, extension, trailer),
	                   request("GET", "/health"))
	            must(c.answer().json() == json.loads(body), sizes, extension)
	            must(c.answer().status == 200, "after", sizes, extension, trailer)
	# a byte a time, with pauses in the middle of the framing
	c = Client()
	c.send(request("POST", "/echo", b"", ["transfer-encoding: Chunked"]))
	for byte in chunked(b'{"a":1}', [2, 5], b";ext"):
	    c.send(bytes([byte]))
	must(c.answer().body == b'{"a":1}')
	for wrong in (b"x\r\n", b"-1\r\n{\r\n", b" 7\r\n{\"a\":1}\r\n0\r\n\r\n", b"0x7\r\n{\"a\":1}\r\n0\r\n\r\n",
	              b"7\r\n{\"a\":1}xx0\r\n\r\n", b"\r\n", b";\r\n", b"7;a\rb\r\n{\"a\":1}\r\n0\r\n\r\n", b"7\r;a\r\n{\"a\":1}\r\n0\r\n\r\n",
	              b"7\r\n{\"a\":1}\r\n0\r\nX: a\rb\r\n\r\n", b"7;a\r\r\n{\"a\":1}\r\n0\r\n\r\n",
	              b"7;a\0b\r\n{\"a\":1}\r\n0\r\n\r\n", b"7;a\x0bb\r\n{\"a\":1}\r\n0\r\n\r\n", b"7;\x7f\r\n{\"a\":1}\r\n0\r\n\r\n"):
	    c = Client().send(request("POST", "/echo", b"", ["Transfer-Encoding: chunked"]), wrong)
	    a = c.head()
	    must(a.status == 400, wrong, a.status)
	a = Client().send(request("POST", "/echo", b"", ["Transfer-Encoding: chunked"]), b"ffffffffffffffffff\r\n").head()
	must(a.status == 413, a.status)
	END
}

@test "pipelined requests are answered in their order, whichever filter is slow" {
	raw <<-'END'
	from http_raw import *
	c = Client()
	all = []
	for i in range(300):
	    slow = i % 50 == 7
	    body = json.dumps({"n": i, "do": "sleep 0.05"} if slow else {"n": i}).encode()
	    all.append(request("POST", "/slow" if slow else "/echo", body))
	    if i % 10 == 3:
	        all.append(request("GET", "/get?n2=%d" % i))
	# in parts that do not end where requests end
	text = b"".join(all)
	for at in range(0, len(text), 1013):
	    c.send(text[at:at + 1013])
	for i in range(300):
	    a = c.answer()
	    must(a.status == 200 and a.json()["n"] == i, i, a.status, a.body)
	    if i % 10 == 3:
	        must(c.answer().json() == {"op": "get", "n2": str(i)})
	c.send(request("GET", "/health", headers=["Connection: close"]))
	must(c.answer().get("connection").lower() == "close" and c.ends())
	END
}

@test "a client that closes its sending side once it has asked is answered" {
	raw <<-'END'
	from http_raw import *
	lines = b'{"a":1}\n{"do":"sleep 0.01"}\n' * 100
	# the end with the last byte
	c = Client()
	c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
	c.send(request("GET", "/health"))
	c.socket.shutdown(socket.SHUT_WR)
	must(c.answer().status == 200 and c.ends())
	for method, target, body, kind in (("GET", "/health", None, "x"), ("POST", "/echo", b'{"a":1}', "application/json"), ("GET", "/get", None, "x"),
	                                   ("POST", "/slow", b'{"do":"sleep 0.2"}', "application/json"), ("POST", "/slow", lines, "application/jsonl"),
	                                   ("POST", "/echo", b"x" * (5 << 20), "application/json"), ("POST", "/none", b'{"a":1}', "application/json")):
	    for i in range(5):
	        c = Client().send(request(method, target, body, ["Content-Type: " + kind]))
	        c.socket.shutdown(socket.SHUT_WR)
	        a = c.answer()
	        must(a.status == (404 if target == "/none" else 413 if body and len(body) > 4 << 20 else 200), target, a.status)
	        must(body != lines or len(a.body.splitlines()) == 200)
	        must(c.ends())
	    # two requests, and the end
	    c = Client().send(request("POST", "/slow", b'{"do":"sleep 0.1"}') + request("POST", "/echo", b'{"a":2}'))
	    c.socket.shutdown(socket.SHUT_WR)
	    must(c.answer().status == 200)
	END
}

@test "HTTP/1.0 is answered and closed; a chunked body or answer it does not get" {
	raw <<-'END'
	from http_raw import *
	c = Client().send("GET /health HTTP/1.0\r\n\r\n")
	a = c.answer()
	must(a.status == 200 and a.json()["status"] == "ok" and c.ends())
	c = Client().send(request("POST", "/echo", b'{"a":1}', version="HTTP/1.0"))
	must(c.answer().body == b'{"a":1}' and c.ends())
	c = Client().send(request("POST", "/echo", b'{"a":1}\n{"a":2}\n', ["Content-Type: application/jsonl"], "HTTP/1.0"))
	a = c.answer()
	must("transfer-encoding" not in a.headers and a.body == b'{"a":1}\n{"a":2}\n', a.headers, a.body)
	must(c.ends())
	c = Client().send("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	must(c.answer().status == 400 and c.ends())
	must(Client().send("POST /echo HTTP/1.0\r\n\r\n").answer().status == 411)
	# other versions get no answer of a route
	for first in ("GET /health", "GET /health HTTP/0.9", "GET /health HTTP/2.0", "GET /health http/1.1", "GET"):
	    c = Client().send(first + "\r\nHost: localhost\r\n\r\n")
	    try:
	        must(c.head().status in (400, 505), first)
	    except EOFError:
	        pass
	    must(c.ends() or c.data, first)
	END
}

@test "HEAD has the header of GET and no body; OPTIONS lists the methods, also of the server" {
	raw <<-'END'
	from http_raw import *
	for target in ("/health", "/get?a=1", "/items/7", "/nothing", "/echo"):
	    c = Client()
	    g = c.send(request("GET", target)).answer()
	    h = c.send(request("HEAD", target)).answer("HEAD")
	    must(g.status == h.status, target, g.status, h.status)
	    must(c.send(request("GET", "/health")).answer().status == 200)
	    for name in ("content-length", "content-type", "allow", "cache-control"):
	        must(g.headers.get(name) == h.headers.get(name), target, name, g.headers, h.headers)
	def allow(target):
	    c = Client()
	    a = c.send(request("OPTIONS", target)).answer()
	    must(c.send(request("GET", "/health")).answer().status == 200)
	    must(a.status == 204 and not a.body and "content-type" not in a.headers, target, a.status)
	    return sorted(a.get("allow").split(", "))
	must(allow("/echo") == ["DELETE", "OPTIONS", "POST", "PUT"], allow("/echo"))
	must(allow("/items/1") == ["GET", "HEAD", "OPTIONS"])
	must(allow("/health") == ["GET", "HEAD", "OPTIONS"])
	must(allow("*") == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
	must(ask("OPTIONS", "/nothing").status == 404)
	must(ask("GET", "*").status == 400)
	must(ask("DELETE", "/echo").body == b"{}")
	must(ask("PATCH", "/patch", "{}").body == b"{}")
	for method, target, want in (("GET", "/echo", ["DELETE", "OPTIONS", "POST", "PUT"]), ("POST", "/get", ["GET", "HEAD", "OPTIONS"]),
	                             ("BREW", "/get", ["GET", "HEAD", "OPTIONS"]), ("get", "/get", ["GET", "HEAD", "OPTIONS"]),
	                             ("POSTPOSTPOSTPOSTPOST", "/small", ["OPTIONS", "POST"])):
	    a = ask(method, target, "{}" if method == "POST" else None)
	    must(a.status == 405 and sorted(a.get("allow").split(", ")) == want, method, target, a.status, a.headers)
	END
}

@test "a header that two readers could read in two ways is 400, and ends the connection" {
	raw <<-'END'
	from http_raw import *
	body = b'{"a":1}'
	cases = {
	    "two lengths": "Host: localhost\r\nContent-Length: 7\r\nContent-Length: 8",
	    "two equal lengths": "Host: localhost\r\nContent-Length: 7\r\nContent-Length: 7",
	    "a list of lengths": "Host: localhost\r\nContent-Length: 7, 7",
	    "a length with a sign": "Host: localhost\r\nContent-Length: +7",
	    "a negative length": "Host: localhost\r\nContent-Length: -7",
	    "a length that is no number": "Host: localhost\r\nContent-Length: 7x",
	    "an empty length": "Host: localhost\r\nContent-Length:",
	    "length and chunks": "Host: localhost\r\nContent-Length: 7\r\nTransfer-Encoding: chunked",
	    "chunks and length": "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 7",
	    "another coding": "Host: localhost\r\nTransfer-Encoding: gzip",
	    "two codings": "Host: localhost\r\nTransfer-Encoding: gzip, chunked",
	    "identity": "Host: localhost\r\nTransfer-Encoding: identity",
	    "chunked twice": "Host: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
	    "chunked, blank": "Host: localhost\r\nTransfer-Encoding: chunked \t",
	    "a length, blank": "Host: localhost\r\nContent-Length: 7 ",
	    "chunked, other bytes": "Host: localhost\r\nTransfer-Encoding: \x0bchunked",
	    "a folded line": "Host: localhost\r\nX-A: b\r\n c\r\nContent-Length: 7",
	    "a folded length": "Host: localhost\r\nContent-Length:\r\n 7",
	    "a folded coding": "Host: localhost\r\nTransfer-Encoding:\r\n\tchunked",
	    "a folded first line": " Host: localhost\r\nContent-Length: 7",
	    "folded by blanks alone": "Host: localhost\r\nX-A: b\r\n \r\nContent-Length: 7",
	    "a bare LF": "Host: x\nContent-Length: 7",
	    "a bare LF at the end": "Host: localhost\r\nContent-Length: 7\n",
	    "a bare CR": "Host: localhost\r\nX-A: a\rContent-Length: 9\r\nContent-Length: 7",
	    "blank before the colon": "Host: localhost\r\nContent-Length : 7",
	    "tab before the colon": "Host: localhost\r\nContent-Length\t: 7",
	    "an empty name": "Host: localhost\r\n: a\r\nContent-Length: 7",
	    "a name with bytes": "Host: localhost\r\nContent\x80Length: 7",
	    "no colon": "Host: localhost\r\nContent-Length\r\nContent-Length: 7",
	    "NUL in a value": "Host: localhost\r\nX-A: a\0b\r\nContent-Length: 7",
	    "NUL in a name": "Host: localhost\r\nX\0A: b\r\nContent-Length: 7",
	    "NUL in the last value": "Host: localhost\r\nContent-Length: 7\r\nX-A: a\0b",
	    "a line that begins with NUL": "Host: localhost\r\n\0X-A: b\r\nContent-Length: 7",
	    "no host": "Content-Length: 7",
	    "two hosts": "Host: localhost\r\nHost: localhost\r\nContent-Length: 7",
	}
	for name, fields in cases.items():
	    c = Client()
	    c.send(("POST /echo HTTP/1.1\r\n" + fields + "\r\n\r\n").encode("latin-1") + body + request("GET", "/health"))
	    try:
	        a = c.head()
	        must(a.status == 400, name, a.status)
	    except (EOFError, ConnectionResetError):
	        pass    # closed without a word
	    try:
	        while c.more():
	            pass
	    except ConnectionResetError:
	        pass
	    must(b" 200 " not in c.data and b"gateway" not in c.data and b'"a":1' not in c.data, name, c.data)
	for name, line in {"blank in the target": "GET /get /x HTTP/1.1", "tab": "GET /get\t/x HTTP/1.1", "NUL": "GET /get\0/x HTTP/1.1",
	                   "two blanks": "GET  /get HTTP/1.1", "a blank at the end": "GET /get HTTP/1.1 ", "a bare LF": "GET /get HTTP/1.1\nX: y",
	                   "no method": " /get HTTP/1.1"}.items():
	    c = Client()
	    c.send((line + "\r\nHost: localhost\r\n\r\n").encode("latin-1"))
	    try:
	        a = c.head()
	        must(a.status == 400, name, a.status)
	    except EOFError:
	        pass
	# what is allowed: blanks around values, names of all token characters, an empty line before
	c = Client()
	c.send(b"\r\nPOST /echo HTTP/1.1\r\nHost:localhost\r\nContent-Type: application/json\r\nX-!#$%&'*+-.^_`|~9:  a\t b  \r\nX-Empty:\r\nX-High: \xe4\r\nContent-Length:  7\r\n\r\n", body)
	must(c.answer().body == body)
	# and where the header comes in parts does not matter
	head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Some: thing\r\nContent-Length: 7\r\n\r\n" + body
	for at in range(1, len(head)):
	    c.send(head[:at])
	    time.sleep(0.002)
	    c.send(head[at:])
	    a = c.answer()
	    must(a.status == 200, at, a.status, a.body)
	for byte in head:
	    c.send(bytes([byte]))
	must(c.answer().body == body)
	END
}

@test "targets: escapes, dots, slashes in a name, absolute URIs, and what is none" {
	raw <<-'END'
	from http_raw import *
	for target, want in {
	        "/items/7": {"id": "7"}, "/items/a%2Fb": {"id": "a/b"}, "/items/a%2fb": {"id": "a/b"}, "/%69tems/%41": {"id": "A"},
	        "/items/a%20b+c": {"id": "a b+c"}, "/items/%C3%A4": {"id": "ä"}, "/items/...": {"id": "..."}, "/items/.a": {"id": ".a"},
	        "/items/%22%5C%0A%7f": {"id": "\"\\\n\x7f"}, "/items/{id}": {"id": "{id}"}, "/items/%25": {"id": "%"}, "/items/a;b=c": {"id": "a;b=c"},
	        "/items/new": {"fixed": True}, "/items/n%65w": {"fixed": True}, "/items/7?x=1": {"id": "7", "x": "1"}, "/items/7?": {"id": "7"},
	        "/items/7?x": {"id": "7", "x": ""}, "/items/7?x=": {"id": "7", "x": ""}, "/items/7?&x=1&": {"id": "7", "x": "1"},
	        "/items/7?x=a=b": {"id": "7", "x": "a=b"}, "/items/7?x=a+b%2B%26": {"id": "7", "x": "a b+&"}, "/items/7?x=/../?": {"id": "7", "x": "/../?"},
	        "/items/7?%78%79=1": {"id": "7", "xy": "1"}, "/items/7?a%20b=1": {"id": "7", "a b": "1"},
	        "http://localhost/items/7?x=1": {"id": "7", "x": "1"}, "HTTPS://127.0.0.1:1/items/7": {"id": "7"}}.items():
	    a = ask("GET", target)
	    must(a.status == 200 and a.json() == want, target, a.status, a.body)
	for target in ("/items/%00", "/items/a%00b", "/items/7?x=%00", "/items/.", "/items/..", "/items/%2e%2e", "/items/%2E", "/items/.%2e",
	               "/../items/7", "/items/../items/7", "/./items/7", "/items/%", "/items/%4", "/items/%zz", "/items/7?x=%4", "/items/7?%=1",
	               "/items/%ff", "/items/%C3", "/items/%ED%A0%80", "/items/7?x=%c0%80", "/items/7?=1", "/items/7?x=1&x=1", "/items/7?x=1&%78=2",
	               "items/7", "?x", "http:/items/7", "ftp://h/items/7", "http://localhost?x=/items/7", "x?u=http://h/items/7", "/items/7?id=7", "/items/7?%69d=8",
	               "/get?op=delete", "/items/7?" + "&".join("a%d=1" % i for i in range(33))):
	    a = ask("GET", target)
	    must(a.status == 400 and list(a.json()) == ["error"], target, a.status, a.body)
	for target in ("/items", "/items/", "//items/7", "/items/7/", "/items//7", "/items/new/", "/Items/7", "/items/7/parts", "/",
	               "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r", "http://localhost", "http://localhost/", "/items%2F7", "/items/7%3Fx=1/"):
	    a = ask("GET", target)
	    must(a.status in (404,) or target in ("/", "http://localhost", "http://localhost/"), target, a.status, a.body)
	END
}

@test "Expect: 100-continue is met where the body is wanted, and answered at once where not" {
	raw <<-'END'
	from http_raw import *
	go = ["Expect: 100-continue"]
	def header(target, n, more=()):
	    return request("POST", target, b"", go + ["Content-Length: %d" % n] + list(more)).replace(b"Content-Length: 0\r\n", b"")
	c = Client().send(header("/echo", 7))
	must(c.line() == b"HTTP/1.1 100 Continue" and c.line() == b"")
	must(c.send('{"a":1}').answer().body == b'{"a":1}')
	must(c.send(request("GET", "/health")).answer().status == 200)
	# a client that does not wait
	must(Client().send(header("/echo", 7), '{"a":1}').answer().body == b'{"a":1}')
	for target, n, more, status in (("/none", 7, [], 404), ("/get", 7, [], 405), ("/echo", 5 << 20, [], 413), ("/echo", 7, ["Content-Type: text/xml"], 415)):
	    c = Client().send(header(target, n, more))
	    a = c.answer()
	    must(a.status == status and a.went_on == 0, target, a.status)
	    must(c.ends())
	END
}

@test "the first of 401, 404, 405, 411, 413 and 415 that holds is the answer, after 403 and 400" {
	LH_SERVE_TOKEN=sixteen-bytes-or-more start_serve --config "$BATS_FILE_TMPDIR/routes.json"
	token=$PORT
	LH_SERVE_TOKEN=sixteen-bytes-or-more start_serve --config "$BATS_FILE_TMPDIR/routes.json" --allow 10.0.0.0/8
	raw "$token" "$PORT" <<-'END'
	from http_raw import *
	import itertools
	seen = set()
	for port in sys.argv[1:]:
	    allowed = port == sys.argv[1]
	    for no_token, path, no_length, large, kind, two in itertools.product([0, 1], ["/echo", "/get", "/none"], [0, 1], [0, 1], [0, 1], [0, 1]):
	        if no_length and (large or two):
	            continue
	        headers = [] if no_token else ["Authorization: Bearer sixteen-bytes-or-more"]
	        headers += ["Content-Type: text/plain" if kind else "Content-Type: application/json"]
	        if not no_length:
	            headers += ["Content-Length: %d" % ((5 << 20) if large else 7)] * (1 + two)
	        a = Client(port).send(request("POST", path, None, headers)).send(b"" if no_length or large else b'{"a":1}').answer()
	        want = (400 if two else 403 if not allowed else 401 if no_token else 404 if path == "/none" else 405 if path == "/get" else
	                411 if no_length else 413 if large else 415 if kind else 200)
	        must(a.status == want, port, no_token, path, no_length, large, kind, two, a.status, want)
	        must((a.get("www-authenticate") == "Bearer") == (a.status == 401) if a.status == 401 else "www-authenticate" not in a.headers)
	        must(("allow" in a.headers) == (a.status == 405))
	        must(a.status == 200 or list(a.json()) == ["error"])
	        seen.add(a.status)
	    for target in ("/health", "/health?deep=0", "/metrics", "/health?deep=1", "/openapi.json", "/none", "/items/%00"):
	        a = ask("GET", target, port=port)
	        want = 200 if target in ("/health", "/health?deep=0") else 403 if not allowed else 401
	        must(a.status == want, target, a.status)
	must(seen == {200, 400, 401, 403, 404, 405, 411, 413, 415}, seen)
	END
}

@test "bodies are of JSON types: others are 415, and so is none but for PUT and what only reads" {
	raw <<-'END'
	from http_raw import *
	for kind in ("application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8", "application/problem+json",
	             "application/vnd.x.y+JSON ; q=1", "application/json \t; a"):
	    a = ask("POST", "/echo", '{"a":1}', ["Content-Type: " + kind])
	    must(a.status == 200 and a.body == b'{"a":1}' and a.get("content-type") == "application/json", kind, a.status)
	for kind in ("application/jsonl", "application/x-ndjson", "Application/X-NDJSON; charset=utf-8"):
	    a = ask("POST", "/echo", '{"a":1}', ["Content-Type: " + kind])
	    must(a.status == 200 and a.body == b'{"a":1}\n' and a.get("content-type") == "application/x-ndjson", kind, a.status, a.body)
	for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "application/jsonx", "json", "+json", "text/json",
	             "application/xml; a=application/json", "application/jsonlines"):
	    a = ask("POST", "/echo", '{"a":1}', ["Content-Type: " + kind])
	    must(a.status == 415, kind, a.status)
	for method, want in (("POST", 415), ("PUT", 200), ("DELETE", 415)):
	    c = Client().send(method + " /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\n", '{"a":1}')
	    must(c.answer().status == want, method)
	    c = Client().send(method + " /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
	    must(c.answer().status != 415, method)
	must(ask("DELETE", "/echo", headers=["Content-Type: text/plain"]).status == 200)
	END
}

@test "a body is one JSON object: another value, two values, nothing and bad bytes are 400" {
	raw <<-'END'
	from http_raw import *
	for body in (b"", b" ", b"\xef\xbb\xbf\xef\xbb\xbf{}", b"{}\xef\xbb\xbf", b"[]", b"[{}]", b"1", b'"a"', b"null", b"true", b"{}{}", b"{} {}", b"{}\n{}", b"{", b"}", b'{"a":}', b'{"a":1,}',
	             b"{'a':1}", b'{"a":01}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b'{"a":"\xed\xa0\x80"}', b'{"\\ud800":1}',
	             b'{"a":"\n"}', b'{"a":"\x00"}', b'{"a":1}\x00', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'{"x":{"a":1,"a":1}}', b"[" * 100000,
	             b'{"a":' * 600 + b"1" + b"}" * 600, b"// c\n{}", b'{"a":1}#'):
	    a = ask("POST", "/echo", body)
	    must(a.status == 400 and list(a.json()) == ["error"], body[:40], a.status, a.body)
	    text = a.json()["error"]
	    must(text and "\n" not in text and "/" not in text, body[:40], text)
	must(ask("POST", "/echo", b"\r\n\t {\"a\" :\t1\r\n}\n\n").body == b'{"a":1}')
	END
}

@test "a byte order mark before a body of JSON or of lines is skipped" {
	raw <<-'END'
	from http_raw import *
	must(ask("POST", "/echo", b'\xef\xbb\xbf{"a":1}').body == b'{"a":1}')
	a = ask("POST", "/echo", b'\xef\xbb\xbf{"a":1}\n{"a":2}\n', ["Content-Type: application/jsonl"])
	must(a.body == b'{"a":1}\n{"a":2}\n', a.body)
	END
}

@test "a body in another coding is 415 with Accept-Encoding, on every route" {
	start_serve --state s
	raw <<-'END'
	from http_raw import *
	for method, target in (("POST", "/v1/matrix/search"), ("PUT", "/v1/storage/object/k"), ("POST", "/mcp"), ("POST", "/v1/ingest?name=a"),
	                       ("DELETE", "/v1/storage/object/k"), ("GET", "/health")):
	    for coding in ("gzip", "br", "identity, gzip", "IDENTITY", "identity"):
	        a = ask(method, target, "{}", ["Content-Encoding: " + coding, "Content-Type: application/json"])
	        refused = coding.lower() != "identity"
	        must((a.status == 415) == refused, method, target, coding, a.status)
	        must(a.headers.get("accept-encoding") == (["identity"] if refused else None), a.headers)
	a = ask("POST", "/v1/matrix/search", "{}", ["Content-Encoding: ", "Content-Type: application/json"])
	assert a.status != 415, a
	a = ask("POST", "/v1/matrix/search", "{}", ["Content-Encoding: identity", "Content-Encoding: gzip", "Content-Type: application/json"])
	must(a.status == 415 and a.get("accept-encoding") == "identity", a.status)
	a = ask("POST", "/v1/matrix/search", "{}", ["Content-Type: text/plain"])
	must(a.status == 415 and "accept-encoding" not in a.headers, a.status)
	END
}

@test "a body is compacted, and every number and string in it keeps its bytes" {
	raw <<-'END'
	from http_raw import *
	tokens = ["1e400", "-0", "-0.0", "1.0000000000000000001", "0.1E+5", "123456789012345678901234567890", "1.50", "true", "null", '""', '"  two  blanks "',
	          '"\\u00e4\\/\\"\\\\ \\n"', '"{ \\"a\\" : 1 }"', '"\\\\"', '"\\\\\\""', "[]", "{}", '"äöü😀"', '"a\tb"'.replace("\t", "\\t"), '" :,{}[]"']
	import random
	seed = int.from_bytes(os.urandom(4), "big") if os.environ.get("LH_SCALE") == "soak" else 1
	print("seed", seed)
	r = random.Random(seed)
	blank = lambda: "".join(r.choice(" \t\n\r") for _ in range(r.choice([0, 0, 1, 3])))
	def value(deep, out):
	    kind = r.random()
	    if deep > 3 or kind < 0.6:
	        out.append(r.choice(tokens))
	    elif kind < 0.8:
	        out.append("[")
	        for i in range(r.randrange(4)):
	            if i: out.append(",")
	            value(deep + 1, out)
	        out.append("]")
	    else:
	        members(deep + 1, out)
	def members(deep, out):
	    out.append("{")
	    for i in range(r.randrange(5)):
	        if i: out.append(",")
	        out.extend(['"k %d\\t"' % i, ":"])
	        value(deep, out)
	    out.append("}")
	c = Client()
	for i in range(500):
	    out = []
	    members(0, out)
	    body = "".join(blank() + t for t in out) + blank()
	    a = c.send(request("POST", "/echo", body.encode())).answer()
	    must(a.status == 200 and a.body == "".join(out).encode(), body, a.status, a.body)
	END
}

@test "a member of body and path, query or route is 400, even when equal" {
	raw <<-'END'
	from http_raw import *
	a = ask("POST", "/items/7/parts/b?x=1", '{"n": 1}')
	must(a.status == 200 and a.body == b'{"n":1,"op":"add","id":"7","part":"b","x":"1"}', a.body)
	must(ask("POST", "/items/7/parts/b", "{ }").body == b'{"op":"add","id":"7","part":"b"}')
	for body in ('{"id":"7"}', '{"id":"8"}', '{"i\\u0064":null}', '{"a":1,"part":[]}', '{"op":"add"}', '{"\\u006fp":1}', '{"x":1}'):
	    a = ask("POST", "/items/7/parts/b?x=1", body)
	    must(a.status == 400 and "given by the route" in a.json()["error"], body, a.status, a.body)
	for query in ("id=7", "op=add", "op=delete", "part=c", "%6fp=x"):
	    must(ask("POST", "/items/7/parts/b?" + query, "{}").status == 400, query)
	# nested members have names of their own
	must(ask("POST", "/items/7/parts/b", '{"in":{"id":1,"op":2}}').json()["in"] == {"id": 1, "op": 2})
	# a trace id of the body, of the query and of the header
	t = ["X-Lakehouse-Trace-Id: of-the-header"]
	must(ask("POST", "/trace", "{}", t).json() == {"trace_id": "of-the-header"})
	must(ask("POST", "/trace", '{"trace_id":"own"}', t).json() == {"trace_id": "own"})
	must(ask("POST", "/trace?trace_id=q", "{}", t).json() == {"trace_id": "q"})
	must(ask("POST", "/trace", '{"a":1}').json()["trace_id"])
	END
}

@test "query parameters that a filter reads as numbers are numbers, all others strings" {
	raw <<-'END'
	from http_raw import *
	for value in ("1", "0", "-1", "1.5", "1e3", "1E-2", "1e400", "123456789012345678901234567890"):
	    a = ask("GET", "/get?k=" + value)
	    must(a.body == b'{"op":"get","k":%s}' % value.encode(), value, a.body)
	for value in ("", "a", "01", "+1", "1.", ".5", "0x1", "NaN", "Infinity", "1%20", "%201", "1e", "true", "null", "[1]", "1,2", '"1"'):
	    a = ask("GET", "/get?k=" + value)
	    must(a.status == 400 and a.json() == {"error": '"k" must be a number'}, value, a.body)
	must(ask("GET", "/get?kk=1&from=2&x=true&limit=5").body == b'{"op":"get","kk":"1","from":"2","x":"true","limit":5}')
	END
}

# bats test_tags=full
@test "the names that the bridge writes as numbers are the numbers of the filters' tables" {
	sed -n '/^static const char \*const numbers/,/^};/p' "$ROOT/lib/serve/route.c" | grep -o '"[^"]*"' | tr -d '"' | sort >bridge
	files=$(sed -n 's/^\tlh-[a-z-]* \(\(tools\|lib\)\/.*\)/\1/p' "$ROOT/tests/frame/members.bats" | tr ' ' '\n' | grep -v '^tools/lh-load/\|^lib/catalog/')
	[ "$(wc -l <<<"$files")" -gt 10 ]
	for file in $files; do
		"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -E -P -I "$ROOT/lib" "$ROOT/$file"
	done | sed 's/\.name = /\n&/g' |	# several members of a macro are on one line
		grep -oE '\.name = \("[^"]*"\), \.to = \(?LH_BIND_TO_(WHOLE|F64|JSON|VALUE)\)?.*' |
		grep '\.off = ' |	# without a field it is a member of an answer
		grep -E 'TO_(WHOLE|F64)|\.types = \(\(1u << \(LH_NUMBER\)\)\)' | sed 's/.*name = ("\([^"]*\)").*/\1/' |
		tr '|' '\n' | sort -u >filters
	alike bridge filters
}

@test "X-Request-Id and X-Lakehouse-Trace-Id are taken over, or made, and come back" {
	raw <<-'END'
	from http_raw import *
	def ids(*headers, target="/health"):
	    a = ask("GET", target, headers=headers)
	    return a.get("x-request-id"), a.get("x-lakehouse-trace-id")
	must(ids("X-Request-Id: a.B_9-", "X-Lakehouse-Trace-Id: t") == ("a.B_9-", "t"))
	must(ids("X-Request-Id: a \t", "X-Lakehouse-Trace-Id:t ") == ("a", "t"))	# blanks are not of the value
	must(ids("x-request-id: a", target="/none") == ("a", "a"))
	must(ids("X-Request-Id: " + "r" * 128)[0] == "r" * 128)
	made = set()
	for bad in ("", "a b", "a/b", "r" * 129, "a\"b", "é", "a,b", "<a>"):
	    r, t = ids("X-Request-Id: " + bad, "X-Lakehouse-Trace-Id: " + bad)
	    must(r == t and r != bad and r, bad, r, t)
	    made.add(r)
	r, t = ids("X-Lakehouse-Trace-Id: t")
	must(t == "t" and r != "t")
	made |= {ids()[0] for i in range(50)} | {r}
	must(len(made) == 59, made)
	log = os.environ["SERVE_LOG"]
	a = ask("GET", "/get", headers=["X-Request-Id: find-me", "X-Lakehouse-Trace-Id: and-me"])
	line = []
	def logged():
	    line[:] = [l for l in map(json.loads, filter(lambda l: l.endswith("}\n"), open(log))) if l["request_id"] == "find-me"]
	    return line
	until(logged)
	must(line[0]["trace_id"] == "and-me" and line[0]["route"] == "GET /get" and line[0]["status"] == 200, line)
	END
}

@test "what a filter says of the status is the status, and no part of the body" {
	raw <<-'END'
	from http_raw import *
	def do(what):
	    a = ask("POST", "/echo", json.dumps({"do": what}))
	    return a.status, a.body
	must(do("status 201") == (201, b'{"is": 201}'), do("status 201"))
	must(do("status 204") == (204, b""))
	must(do("status 599")[0] == 599)
	must(do("status 600") == (200, b'{"is": 600, "status": 600}'), do("status 600"))
	must(do("status 100")[0] == 200)
	must(do("error 404") == (404, b'{"error":"as asked"}'), do("error 404"))
	must(do("error 503") == (503, b'{"error":"as asked"}'))
	must(do("last 409") == (409, b'{ "kept": [409]}'), do("last 409"))
	must(do('say {"message":"no","status":404}') == (404, b'{"error":"no"}'))
	must(do('say {"message":"no","code":404}') == (404, b'{"error":"no"}'))
	must(do('say {"message":"no","status":201}') == (201, b'{"message":"no"}'))
	for text in ('{"status":"404"}', '{"status":404.5}', '{"status":null,"code":"a"}', '{"error":{"code":"404","message":"a"}}', '{"error":{"code":7,"message":"a"}}',
	             '{"error":{}}', '{"error":"text"}', '{ "a" : 1 }'):
	    must(do("say " + text) == (200, text.encode()), text, do("say " + text))
	must(ask("POST", "/echo", '{"status":404,"message":"of the client"}').status == 200)
	a = ask("POST", "/echo", '{"do":"say {\\"verdict\\":1,\\"status\\":422}","status":200,"code":201}')
	must((a.status, a.body) == (422, b'{"verdict":1}'), a.status, a.body)
	for what in ("die", "twice", "garbage"):
	    must(do(what) == (502, b'{"error":"the filter ended before it answered"}') or what == "twice", what, do(what))
	    until(lambda: do("status 201")[0] == 201)
	END
}

@test "10,000 lines of JSON Lines come back in their order, the first before the last is through" {
	raw <<-'END'
	from http_raw import *
	n = 10000
	body = b"".join(b'{"i": %d}\r\n' % i if i % 3 else b'\n  \r\n{"i": %d}\n' % i for i in range(n)) + b'{"i":"last, without LF"}'
	c = Client().send(request("POST", "/echo", body, ["Content-Type: application/x-ndjson"]))
	a = c.head()
	must(a.status == 200 and a.get("transfer-encoding") == "chunked")
	got = b""
	while True:
	    part = c.chunk()
	    if not part:
	        break
	    got += part
	lines = got.splitlines()
	must(len(lines) == n + 1, len(lines))
	must([json.loads(l)["i"] for l in lines] == list(range(n)) + ["last, without LF"])
	must(c.send(request("GET", "/health")).answer().status == 200)
	# failed lines
	lines = ['{"a":1}', "nonsense", '{"do":"status 404"}', '{"do":"error 422"}', "[1]", '{"do":"status 204"}', '{"a":1,"a":2}', r'{"do":"say {\"message\":\"no\",\"status\":409}"}', '{"a":2}']
	a = ask("POST", "/echo", "\n".join(lines), ["Content-Type: application/jsonl"])
	got = [json.loads(l) for l in a.body.splitlines()]
	must(a.status == 200 and len(got) == len(lines), a.body)
	must([g.get("code") for g in got] == [None, 400, 404, 422, 400, 204, 400, 409, None], got)
	must(got[0] == {"a": 1} and got[8] == {"a": 2} and got[3] == {"error": "as asked", "code": 422} and got[7] == {"error": "no", "code": 409}, got)
	must(got[2] == {"is": 404, "code": 404})
	must(ask("POST", "/echo", "", ["Content-Type: application/jsonl"]).body == b"")
	must(ask("POST", "/echo", "\n\n \n", ["Content-Type: application/jsonl"]).body == b"")
	# the first answer is there while a later line is still in the filter
	wait = os.getcwd() + "/wait"
	c = Client().send(request("POST", "/slow", b'{"a":1}\n{"do":"stall %s"}\n{"a":2}\n' % wait.encode(), ["Content-Type: application/jsonl"]))
	c.head()
	must(c.chunk() == b'{"a":1}\n')
	until(lambda: os.path.exists(wait))
	os.unlink(wait)
	rest = b""
	while True:
	    part = c.chunk()
	    if not part:
	        break
	    rest += part
	must(len(rest.splitlines()) == 2, rest)
	END
}

@test "clients that leave, in the middle of lines or while theirs is in a filter, cost nobody else an answer" {
	raw <<-'END'
	from http_raw import *
	lines = b'{"do":"sleep 0.01"}\n' * 300
	leavers = []
	for i in range(20):
	    c = Client().send(request("POST", "/slow", lines, ["Content-Type: application/jsonl"]))
	    c.head()
	    c.chunk()
	    leavers.append(c)
	for i in range(50):
	    leavers.append(Client().send(request("POST", "/slow", b'{"do":"sleep 0.01","secret":"of another"}')))
	    leavers.append(Client().send(request("POST", "/echo", b'{"a":1}')[:-i % 40 - 1]))
	for c in leavers:
	    c.close()
	for i in range(50):
	    a = ask("POST", "/slow", '{"mine":%d}' % i)
	    must(a.status in (200, 503) and (a.status == 503 or a.json() == {"mine": i}), a.status, a.body)
	until(lambda: ask("POST", "/slow", '{"mine":1}').body == b'{"mine":1}')
	def idle():
	    text = ask("GET", "/metrics").body.decode()
	    return "lh_serve_in_flight 1\n" in text
	until(idle)
	END
}

# bats test_tags=plain-only
@test "a header that is not there in 10 s ends its connection, an idle one stays, others are served meanwhile" {
	raw "$(scale 2000 10000)" <<-'END'
	from http_raw import *
	import resource, selectors
	n = int(sys.argv[1])
	resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
	n = min(n, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 300)
	class Timed(Client):
	    """Knows how long it has been open."""
	    def __init__(self):
	        self.since = time.monotonic()
	        super().__init__()
	    def age(self):
	        return time.monotonic() - self.since
	idle, begun = Client(), Timed()
	for c in (idle, begun):
	    must(c.send(request("GET", "/health")).answer().status == 200)
	# the beginning of a next header in the same packet as a request
	glued = Timed()
	must(glued.send(request("GET", "/health") + b"GET /hea").answer().status == 200)
	mute = Timed()
	begun.since = start = time.monotonic()
	text = request("GET", "/health", headers=["X-Filler: " + "x" * 60])
	begun.send(text[:10])
	slow = [Timed() for i in range(n)]
	sel = selectors.DefaultSelector()
	for c in slow + [begun, mute, glued]:
	    sel.register(c.socket, selectors.EVENT_READ, c)
	closed, at, served = {}, 0, 0
	while len(closed) < n + 3:
	    now = time.monotonic() - start
	    must(now < PATIENCE, "still open", n + 3 - len(closed))
	    if now > at:
	        for c in slow:
	            if c not in closed:
	                try:
	                    c.send(text[at:at + 1])
	                except OSError:
	                    closed[c] = c.age()
	                    sel.unregister(c.socket)
	        at += 1
	    for key, _ in sel.select(0.05):
	        c = key.data
	        try:
	            must(not c.socket.recv(100), "an answer to what was no request")
	        except OSError:
	            pass
	        closed[c] = c.age()
	        sel.unregister(c.socket)
	    must(ask("POST", "/echo", '{"n":%d}' % served).body == b'{"n":%d}' % served)
	    served += 1
	print(n, "closed after", min(closed.values()), "to", max(closed.values()), "s;", served, "served")
	must(min(closed.values()) > 8, min(closed.values()))
	must(served > 5)
	must(idle.send(request("GET", "/health")).answer().status == 200)
	END
}

@test "at the limit of connections the one that is idle longest goes, and new ones are served" {
	start_serve --config "$BATS_FILE_TMPDIR/routes.json" --connections 40
	raw <<-'END'
	from http_raw import *
	wait = [os.getcwd() + "/wait%d" % i for i in range(4)]
	busy = [Client().send(request("POST", "/slow", b'{"do":"stall %s"}' % w.encode())) for w in wait]
	until(lambda: all(map(os.path.exists, wait)))
	idle = []
	for i in range(200):
	    c = Client()
	    a = c.send(request("POST", "/echo", b'{"n":%d}' % i)).answer()
	    must(a.json() == {"n": i})
	    idle.append(c)
	until(lambda: sum(c.ends(0.001) for c in idle) >= 160 - 4)
	must(not idle[-1].ends(0.01), "the newest one is closed")
	for w in wait:
	    os.unlink(w)
	for c in busy:
	    must(c.answer().status == 200)
	text = ask("GET", "/metrics").body.decode()
	open_now = int([l for l in text.splitlines() if l.startswith("lh_serve_connections ")][0].split()[1])
	must(open_now <= 40, open_now)
	END
}

@test "as many connections as the limit allows are kept, whenever their requests come" {
	start_serve --config "$BATS_FILE_TMPDIR/routes.json" --connections 40
	raw <<-'END'
	from http_raw import *
	all_of_them = [Client() for _ in range(40)]
	must(not all_of_them[0].ends(0.3), "closed without need")
	for i, c in enumerate(all_of_them):
	    must(c.send(request("POST", "/echo", b'{"n":%d}' % i)).answer().json() == {"n": i})
	END
}

@test "without descriptors for new connections, old ones are served, and later the new" {
	# the filters run before the descriptors are gone: none could start afterwards
	start_serve --warm --config "$BATS_FILE_TMPDIR/routes.json"
	raw "$SERVE" <<-'END'
	from http_raw import *
	import subprocess
	pid = sys.argv[1]
	old = Client()
	must(old.send(request("GET", "/health?deep=1")).answer().status == 200)
	# numbers are free below the highest one, which may be inherited: two of them are left
	used = {int(fd) for fd in os.listdir("/proc/%s/fd" % pid)}
	free = [fd for fd in range(max(used) + 4) if fd not in used]
	def limit(n):
	    subprocess.run(["prlimit", "--pid", pid, "--nofile=%d:" % n], check=True)
	soft = [l for l in open("/proc/%s/limits" % pid) if l.startswith("Max open files")][0].split()[3]
	limit(free[2])
	waiting = [Client().send(request("POST", "/echo", b'{"n":%d}' % i)) for i in range(30)]
	for i in range(30):
	    must(waiting[i].answer().json() == {"n": i})
	must(old.ends(), "the idle one gave its descriptor")
	limit(int(soft))
	c = Client()
	must(c.send(request("POST", "/echo", b'{"n":1}')).answer().status == 200)
	END
	[ "$(grep -c . "$SERVE_ERR")" -lt 10 ]
}

@test "a small limit of open files lowers the limit of connections, and that is said" {
	(ulimit -n 100 && exec lh-serve --listen 127.0.0.1:0 --config "$BATS_FILE_TMPDIR/routes.json" --state s >log 2>err 3>&-) &
	SERVES+=($!)
	until_so grep -q 'listening on' err
	grep -q 'at most 50 connections: the limit of open files is 100' err
	PORT=$(sed -n 's/.*listening on http:.*:\([0-9]*\)$/\1/p' err) raw <<-'END'
	from http_raw import *
	all = []
	for i in range(150):
	    c = Client()
	    must(c.send(request("GET", "/health")).answer().status == 200)
	    all.append(c)
	END
}

# in_log ROUTE - how many lines of the access log have it.
in_log() {
	grep -c "\"route\":\"$1\"" "$SERVE_LOG" || true
}

# in_flight N - so many requests are, with the one for the metrics; all others are in the log.
in_flight() {
	curl -fsS "$URL/metrics" | has -x "lh_serve_in_flight $1"
}

@test "what is refused before it is a request is in the log and the metrics, and what ends in silence" {
	start_serve --config "$BATS_FILE_TMPDIR/routes.json"
	raw >want <<-'END'
	from http_raw import *
	chunks = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	health = b"GET /health HTTP/1.1\r\nHost: x\r\n"
	want = []
	def send(text, answers, *lines, leave=False):
	    c = Client().send(text)
	    if leave:
	        c.socket.shutdown(socket.SHUT_WR)
	    try:
	        while c.more():
	            pass
	    except ConnectionResetError:
	        pass
	    got = [int(part[:3]) for part in c.data.split(b"HTTP/1.1 ")[1:]]
	    must(got == answers, text[:60], got)
	    c.close()
	    want.extend(lines)
	    until(lambda: len(open(os.environ["SERVE_LOG"]).readlines()) >= len(want))
	send(health + b"Connection: close\r\n\r\n", [200], ["GET /health", 200, 0])
	send(b"\x16\x03\x01\r\n\r\n", [], [None, 400, 7])
	send(b"GET /health HTTP/2.0\r\nHost: x\r\n\r\n", [505], [None, 505, 33])
	send(b"GET /health\r\nHost: x\r\n\r\n", [400], [None, 400, 24])
	send(health + b"SECRET\r\n\r\n", [400], [None, 400, len(health) + 10])
	send(chunks + b"x\r\n", [400], ["POST /echo", 400, 0])
	send(chunks + b"ffffffffffffffffff\r\n", [413], ["POST /echo", 413, 0])
	# the second of two
	send(health + b"\r\nSECRET\r\n\r\n", [200], ["GET /health", 200, 0], [None, 400, 10])
	# what a client leaves undone
	send(b"GET /hea", [], [None, 499, 8], leave=True)
	send(health, [], [None, 499, len(health)], leave=True)
	send(b"", [], leave=True)
	send(health + b"\r\n", [200], ["GET /health", 200, 0], leave=True)
	must(len(Client().send(b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n\r\n").head().headers) > 0)
	must(Client().send(health + b"X: " + b"a" * 60000 + b"\r\n\r\n").head().status == 431)
	print("\n".join(json.dumps(line, separators=(",", ":")) for line in want))
	END
	until_so has_lines "$SERVE_LOG" $(($(wc -l <want) + 2))
	jq -c '[.route, .status, .bytes_in]' "$SERVE_LOG" | first "$(wc -l <want)" | diff want -
	[ "$(jq -r .status "$SERVE_LOG" | tail -n 2 | sort | xargs)" = '414 431' ]
	[ "$(jq -r .request_id "$SERVE_LOG" | sort -u | wc -l)" = "$(wc -l <"$SERVE_LOG")" ]
	curl -fsS "$URL/metrics" | grep -Fx 'lh_serve_requests_total{route="none",code="400"} 4'
	run ! grep SECRET "$SERVE_LOG" "$SERVE_ERR"
}

@test "of those that are refused at the same time each has its own status in the log" {
	start_serve --config "$BATS_FILE_TMPDIR/routes.json"
	raw "$SERVE" <<-'END'
	from http_raw import *
	import signal
	pid = int(sys.argv[1])
	texts = [b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n\r\n", b"GET /health HTTP/1.1\r\nX: " + b"a" * 60000 + b"\r\n\r\n", b"\x16\x03\x01\r\n\r\n"]
	clients = [Client() for text in texts]
	until(lambda: b"\nlh_serve_connections 4\n" in ask("GET", "/metrics").body)
	os.kill(pid, signal.SIGSTOP)
	until(lambda: open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[0] == "T")
	for c, text in zip(clients, texts):
	    c.send(text)
	os.kill(pid, signal.SIGCONT)
	must([c.head().status for c in clients[:2]] == [414, 431])
	END
	three() { [ "$(jq -c 'select(.route == null) | .status' "$SERVE_LOG" | sort | xargs)" = '400 414 431' ]; }
	until_so three
}

@test "what the server refuses in silence is 400 in the log, though the client sees it and leaves first" {
	needs_strace
	start_serve --config "$BATS_FILE_TMPDIR/routes.json"
	inject shutdown:delay_exit=200000 -p "$SERVE" 3>&- &
	until_so grep -q 'TracerPid:[[:space:]]*[1-9]' "/proc/$SERVE/status"
	raw <<-'END'
	from http_raw import *
	c = Client().send(b"\x16\x03\x01\r\n\r\n")
	while c.more():
	    pass
	c.close()
	END
	until_so has_lines "$SERVE_LOG" 1
	kill "$(sed -n 's/^TracerPid:[[:space:]]*//p' "/proc/$SERVE/status")"
	wait $! || true
	injected
	[ "$(jq -c '[.route, .status, .bytes_in]' "$SERVE_LOG")" = '[null,400,7]' ]
}

@test "a body slower than 1 KiB a second for half a minute ends its connection, a faster one does not" {
	until_so [ -s "$BATS_FILE_TMPDIR/slow.out" ]
	cat "$BATS_FILE_TMPDIR/slow.out"
	has '"route":"POST /jq","status":408' <"$BATS_FILE_TMPDIR/access.1"
	jq -e '.slow[0] == "closed" and .slow[1] > 25 and .fast[0] == 200 and .fast[1] > 30' "$BATS_FILE_TMPDIR/slow.out"
}
