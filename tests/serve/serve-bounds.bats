# What requests may hold, in memory and on disk, and for how long: each test exceeds one bound
# while others are served.  Clients are told apart by their address on loopback.
load ../helper
load ../servers/serve

# Slow clients are closed after half a minute: they begin here, and are looked at last.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	config >routes.json
	start_serve --state crowd
	crowd=$PORT
	start_serve --config routes.json --state s
	raw "$crowd" >slow.out 2>&1 3>&- <<-'END' &
		from bounds import *
		out = {}

		def reader(name, step):
		    """A client that takes so many bytes in a second of an answer of 8 MiB."""
		    c = At(1).quiet().send(big(8 << 20))
		    until(lambda: held() > 8 << 20)
		    begun, got = time.monotonic(), 0
		    while time.monotonic() - begun < 300 and got < 8 << 20:
		        if held() == 0:
		            break
		        if step:
		            try:
		                got += len(c.socket.recv(step))
		            except OSError:
		                break
		        time.sleep(1)
		    out[name] = ["closed" if got < 2 << 20 else "open", time.monotonic() - begun]

		def upload(name, length, step):
		    c = At(2)
		    c.send(request("PUT", "/v1/storage/object/" + name, headers=["Content-Length: %d" % length]))
		    begun, sent = time.monotonic(), 0
		    try:
		        while sent < length:
		            c.send(b"x" * min(step, length - sent))
		            sent += step
		            time.sleep(0.5)
		        out[name] = [c.answer().status, time.monotonic() - begun]
		    except (OSError, EOFError):
		        out[name] = ["closed", time.monotonic() - begun]

		def stop():
		    """A body that begins fast, and stops."""
		    c = At(2)
		    c.send(request("PUT", "/v1/storage/object/stop", headers=["Content-Length: 1048576"]), b"x" * 262144)
		    while c.socket.recv(1):
		        pass
		    out["stop"] = "small" not in out

		def crowd():
		    """One upload at 16 KiB a second, among 47 at 40 KiB a second."""
		    others = [At(3 + i // 24, sys.argv[1]) for i in range(47)]
		    slow = At(5, sys.argv[1])
		    for i, c in enumerate([slow] + others):
		        c.send(request("PUT", "/v1/storage/object/%d" % i, headers=["Content-Length: 8388608"]))
		    slow.socket.settimeout(0.5)
		    closed = 0
		    for sent in range(0, 7 << 20, 20480):
		        for c in others:
		            try:
		                c.send(b"x" * 20480)
		            except OSError:
		                closed += 1
		        try:
		            slow.send(b"x" * 8192)
		            if not slow.socket.recv(1):
		                break
		        except TimeoutError:
		            continue
		        except OSError:
		            break
		    out["crowd"] = [sent < 6 << 20, closed]

		all = [threading.Thread(target=f, args=a) for f, a in
		       ((reader, ("mute", 0)), (upload, ("large", 200 << 20, 8192)), (upload, ("small", 90 * 8192, 8192)), (stop, ()), (crowd, ()))]
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
	faults_happened
	stop_serves
}

config() {
	local filter
	filter=$(printf '"python3","-B","%s/servers/filter.py"' "$ROOT/tests")
	printf '{"routes":[%s]}' "$(printf '%s,' \
		'{"route":"POST /big","run":['"$filter"'],"pool":2,"depth":8,"read":true,"timeout_s":300}' \
		'{"route":"POST /echo","run":['"$filter"',"--name","echo"],"read":true}' \
		'{"route":"POST /write","run":['"$filter"',"--name","write"]}' \
		'{"route":"POST /body","run":['"$filter"',"--name","body"],"read":true,"max_body":"1G"}' | sed 's/,$//')"
}

# raw [ARGUMENT]... - run Python that begins with "from bounds import *"
raw() {
	mkdir -p py
	cat >py/bounds.py <<-'END'
		from http_raw import *
		import http_raw, re, threading

		def request(method, target, body=None, headers=()):
		    return http_raw.request(method, target, body.encode() if isinstance(body, str) else body, headers)

		class At(Client):
		    """A client at 127.0.0.N."""
		    def __init__(self, n, port=None):
		        self.port = int(port or os.environ["PORT"])
		        self.socket = socket.socket()
		        self.socket.settimeout(PATIENCE)
		        self.socket.bind(("127.0.0.%d" % n, 0))
		        self.data = b""
		        self.n = n
		        self.open = False
		    def quiet(self):
		        """It takes little before it reads."""
		        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
		        return self
		    def send(self, *parts):
		        if not self.open:
		            self.socket.connect(("127.0.0.1", self.port))
		            self.open = True
		        return super().send(*parts)

		    def take(self, n):
		        out, self.data = bytearray(self.data[:n]), self.data[n:]
		        at = len(out)
		        out.extend(bytes(n - at))
		        view = memoryview(out)
		        while at < n:
		            got = self.socket.recv_into(view[at:])
		            if not got:
		                raise EOFError("the answer is cut off")
		            at += got
		        return bytes(out)

		def big(n, path="/big"):
		    return request("POST", path, '{"do":"big","bytes":%d}' % n)

		def metric(name):
		    found = re.search(r"^lh_serve_%s ([0-9]+)$" % re.escape(name), At(9).send(request("GET", "/metrics")).answer().body.decode(), re.M)
		    return int(found[1])

		def held(of="answers"):
		    return metric('held_bytes{of="%s"}' % of)

		def until(what):
		    end = time.monotonic() + PATIENCE
		    while not what():
		        must(time.monotonic() < end, "not in time")
		        time.sleep(0.01)

		def lines_of(c):
		    """What the lines of a chunked answer say."""
		    parts = []
		    while not parts or parts[-1]:
		        parts.append(c.chunk())
		    return [(g["answer"], len(g["text"])) for g in map(json.loads, b"".join(parts).splitlines())]

		def lines_of_all(clients):
		    """Those of several, read at the same time: a client that is not read is closed."""
		    out = {}
		    def read(i):
		        out[i] = lines_of(clients[i])
		    all = [threading.Thread(target=read, args=(i,)) for i in range(len(clients))]
		    [t.start() for t in all]
		    [t.join() for t in all]
		    return [out[i] for i in range(len(clients))]

		parked = []
		def park(c):
		    """Take from now on so little from a client that it is not closed, however long it takes."""
		    def take():
		        while True:
		            for p in list(parked):
		                try:
		                    p.socket.recv(2048, socket.MSG_DONTWAIT)
		                except OSError:
		                    pass
		            time.sleep(0.2)
		    if not parked:
		        threading.Thread(target=take, daemon=True).start()
		    parked.append(c)
		    return c

		def peak():
		    return int([l for l in open("/proc/%s/status" % os.environ["SERVE"]) if l.startswith("VmHWM")][0].split()[1])

		def served(n=8):
		    must(At(n).send(request("GET", "/health")).answer().status == 200)
		    return At(n).send(request("POST", "/echo", '{"id":7}')).answer().status
	END
	PYTHONPATH=$ROOT/tests:$PWD/py patiently python3 -B - "$@"
}

# bounded - a server of those routes, and the Python on stdin, with bounds.
bounded() {
	config >routes.json
	start_serve --config routes.json --state s
	raw < <(echo 'from bounds import *'; cat)
}

@test "answers that nobody reads have 256 MiB, half of it for one client; a new request is 503, health is not" {
	bounded <<-'END'
	MIB = 1 << 20
	def wait_at(n, mib):
	    c = At(n).quiet().send(big(int(mib * MIB)))
	    return park(c) if c.head().status == 200 else None
	def fill(n):
	    all = [wait_at(n, 15) for i in range(8)] + [wait_at(n, 7.5)]
	    must(None not in all)
	    return all
	def is_refused(c):
	    a = c.answer()
	    return a.status == 503 and a.get("retry-after") == "1"
	one = fill(1)
	must(is_refused(At(1).send(request("POST", "/echo", "{}"))))
	must(At(1).send(request("GET", "/health")).answer().status == 200)
	must(served() == 200)
	two = fill(2)
	must(is_refused(At(3).send(request("POST", "/echo", "{}"))))
	parked.remove(two[0])
	two.pop(0).close()
	until(lambda: held() < 241 * MIB)
	must(is_refused(At(3).send(big(20 * MIB))))
	# what has changed something is answered, and a small answer that was begun
	must(len(At(3).send(big(15 * MIB, "/write")).answer().body) > 15 * MIB)
	more = wait_at(3, 15.5)
	must(255 * MIB < held() <= 256 * MIB, held())
	for n in (1, 2, 3, 4):
	    must(is_refused(At(n).send(request("POST", "/echo", "{}"))))
	    must(At(n).send(request("GET", "/health")).answer().status == 200)
	must(peak() < 600 * 1024 or os.environ.get("LH_ASAN"), peak())
	for c in one + two + [more]:
	    c.close()
	until(lambda: held() < MIB)
	must(served(1) == 200)
	END
}

# bats test_tags=plain-only
@test "what clients send ahead of an answer is not held in memory" {
	bounded <<-'END'
	must(served() == 200)
	before = peak()
	ahead = request("POST", "/body", b"{}")
	ahead = ahead * ((256 << 10) // len(ahead))
	clients = [At(1 + i % 50) for i in range(300)]
	for c in clients:
	    c.send(request("POST", "/body", b'{"id":1,"wait":"go"}'))
	    c.socket.setblocking(False)
	    try:
	        c.socket.send(ahead)
	    except BlockingIOError:
	        pass
	must(served() == 200)
	print("KiB", peak() - before)
	must(peak() - before < 300 * 44, peak() - before)
	for c in clients:
	    c.socket.close()
	END
	: >go	# the filter ends
}

# bats test_tags=full
@test "an answer of more than 16 MiB goes, alone and as a line of many" {
	bounded <<-'END'
	n = 40 << 20
	must(len(At(1).send(big(n)).answer().json()["text"]) == n)
	lines = "".join('{"id":%d,"do":"big","bytes":%d}\n' % (i, m) for i, m in enumerate((n, 5, n, n, 5)))
	c = At(1).send(request("POST", "/big", lines, ["Content-Type: application/jsonl"]))
	must(c.head().status == 200)
	must(lines_of(c) == list(enumerate((n, 5, n, n, 5))))
	until(lambda: held() == 0)
	END
}

# bats test_tags=full
@test "lines whose answers nobody reads are asked no further, hold up nobody, and all come once they are read" {
	bounded <<-'END'
	n, lines = 4 << 20, 50
	before = peak()
	def body(size):
	    return "".join('{"id":%d,"do":"big","bytes":%d}\n' % (i, size(i)) for i in range(lines))
	# answers that are long from the first one on, and those that become long
	some = [lambda i: n, lambda i: n if i > 20 else 10, lambda i: n if i % 16 == 15 else 10]
	all = [At(1 + i).send(request("POST", "/big", body(f), ["Content-Type: application/jsonl"])) for i, f in enumerate(some)]
	for c in all:
	    must(c.head().status == 200)
	until(lambda: held() > 8 << 20)
	for i in range(5):
	    must(served() == 200)
	    must(held() <= 3 * (16 << 20) + n, held())
	for f, got in zip(some, lines_of_all(all)):
	    must(got == [(i, f(i)) for i in range(lines)])
	until(lambda: held() == 0)
	print("KiB", peak() - before)
	must(peak() - before < 160 * 1024 or os.environ.get("LH_ASAN"), peak() - before)
	END
}

@test "streams that find no room for answers wait for it, and go on" {
	bounded <<-'END'
	n = 20 << 20
	full = [At(1 + i // 6).quiet().send(big(n)) for i in range(12)]
	for c in full:
	    must(c.head().status == 200)
	    park(c)
	lines = "".join('{"id":%d,"do":"big","bytes":%d}\n' % (i, n) for i in range(6))
	late = [At(5 + i).send(request("POST", "/big", lines, ["Content-Type: application/jsonl"])) for i in range(2)]
	for c in late:
	    must(c.head().status == 200)
	must(held() <= 256 << 20)
	for c in full:
	    must(held() <= 256 << 20, held())
	    c.close()
	for got in lines_of_all(late):
	    must(got == [(i, n) for i in range(6)])
	END
}

@test "bodies in memory have 256 MiB, half of it for one client; others are served, and a refusal releases it" {
	bounded <<-'END'
	part = b" " * (1 << 20)
	def begin(n, mib):
	    c = At(n).send(request("POST", "/body", headers=["Content-Length: %d" % ((mib << 20) + 8), "Content-Type: application/json"]))
	    for i in range(mib):
	        c.send(part)
	    return c
	a, b = begin(1, 100), begin(2, 100)
	until(lambda: held("bodies") == 200 << 20)
	refused = begin(1, 40)
	refused.send(b" " * 8)
	got = refused.answer()
	must(got.status == 503, got.status)
	until(lambda: held("bodies") == 200 << 20)
	must(served() == 200 and served(1) == 200)
	b.send(b'{"id":1}')
	must(b.answer().json()["answer"] == 1)
	a.close()
	until(lambda: held("bodies") == 0)
	END
}

@test "one client has half of the 64 places for uploads, and of the 64 for objects; another one has the rest" {
	start_serve --state s
	head -c 8388608 /dev/zero | curl -sS -T - "$URL/v1/storage/object/k" >put
	raw <<-'END'
	from bounds import *
	def put(n, key):
	    return At(n).send(request("PUT", "/v1/storage/object/" + key, headers=["Expect: 100-continue", "Content-Length: 4"]))
	def get(n):
	    return At(n).quiet().send(request("GET", "/v1/storage/object/k"))
	def is_full(c):
	    a = c.answer()
	    return a.status == 503 and a.get("retry-after") == "5"
	one = [put(1, "a%d" % i) for i in range(32)]
	for c in one:
	    must(c.head().status == 100)
	must(is_full(put(1, "b")))
	two = [put(2, "c%d" % i) for i in range(32)]
	for c in two:
	    must(c.head().status == 100)
	must(is_full(put(2, "b")) and is_full(put(3, "b")))
	must(At(3).send(request("GET", "/v1/storage/object/k")).answer().status == 200)    # readers do not wait
	must(is_full(At(1).send(request("POST", "/v1/ingest?name=d", headers=["Content-Type: text/csv", "Expect: 100-continue", "Content-Length: 4"]))))
	for c in one + two:
	    must(c.send("new\n").answer().status == 200)
	all = [get(1) for i in range(32)]
	for c in all:
	    must(c.head().status == 200)
	must(is_full(get(1)))
	a = At(2).send(request("GET", "/v1/storage/object/k")).answer()
	must(a.status == 200 and len(a.body) == 8388608)
	must(At(1).send(request("GET", "/health")).answer().status == 200)
	END
}

@test "50 writers of one client with one old ETag and small bodies are all answered: one has 200, the others 412" {
	start_serve --state s
	curl -sS -D head -T - "$URL/v1/storage/object/k" <<<one >put
	ETAG=$(tr -d '\r' <head | sed -n 's/^ETag: //p') raw <<-'END'
	import os
	from bounds import *
	all = [At(1) for i in range(50)]
	for i, c in enumerate(all):
	    c.send(request("PUT", "/v1/storage/object/k", b"%d" % i * 1000, ["If-Match: " + os.environ["ETAG"]]))
	got = sorted(c.answer().status for c in all)
	must(got == [200] + [412] * 49, got)
	END
}

@test "clients take turns: many lines of one, which it does not read, are not before a request of another" {
	cat >slow.py <<-'END'
		import sys, time
		for line in sys.stdin:
		    with open("turns", "a") as f:
		        f.write(line)
		    time.sleep(0.02)
		    print("{}", flush=True)
	END
	: >turns
	jq -nc --arg f "$PWD/slow.py" '{routes: [{route: "POST /turn", run: ["python3", "-B", $f, "-j1"], depth: 64, read: true}]}' >turn.json
	start_serve --config turn.json
	raw <<-'END'
	from bounds import *
	def lines():
	    return open("turns").read().split("\n")[:-1]
	many = [At(1).quiet().send(request("POST", "/turn", '{"of":"a"}\n' * 200, ["Content-Type: application/jsonl"])) for i in range(8)]
	until(lambda: len(lines()) > 20)
	for name in ("b", "c", "d"):
	    before = len(lines())
	    must(At(2).send(request("POST", "/turn", '{"of":"%s"}' % name)).answer().status == 200)
	    at = lines().index('{"of":"%s"}' % name)
	    must(at - before < 40, at, before)
	must(lines().count('{"of":"a"}') > 20)
	END
}

# sql TIMEOUT - a server of SQL with that --timeout, and a statement that takes hours
sql() {
	echo '{"a":5}' >t.jsonl
	jq -nc --arg s "$1" '{routes: [{route: "POST /v1/sql", read: true, timeout_s: 300,
		run: ["lh-query", "--on-error", "emit", "--timeout", $s, "t=t.jsonl"]}]}' >sql.json
	start_serve --config sql.json --state s
	jq -nc '{sql: "SELECT instr(hex(zeroblob(10000000)), hex(zeroblob(5000000)) || \u00271\u0027)"}' >slow.json
}

@test "of the processes of SQL a client has all but one, which another client gets" {
	sql 0
	raw <<-'END'
	from bounds import *
	slow = open("slow.json").read()
	held = [At(1).send(request("POST", "/v1/sql", slow)) for i in range(6)]
	until(lambda: int(re.search(r"^lh_serve_in_flight ([0-9]+)$", At(9).send(request("GET", "/metrics")).answer().body.decode(), re.M).group(1)) == 7)
	for i in range(20):
	    must(At(2).send(request("POST", "/v1/sql", '{"sql":"SELECT a FROM t"}')).answer().json()["rows"] == [[5]])
	END
}

@test "a slow statement of SQL holds up none beside it" {
	sql 0
	local i pids=()
	for i in 1 2; do
		curl -sS --json @slow.json "$URL/v1/sql" >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	takes_two() { [ "$(metric lh_serve_in_flight)" = 3 ]; }
	until_so takes_two
	for i in $(seq 20); do
		[ "$(post /v1/sql '{"sql":"SELECT a FROM t"}' | jq -c .rows)" = '[[5]]' ]
	done
	takes_two
	stop_serves
	wait "${pids[@]}" || true
}

# bats test_tags=full
@test "a statement in one function ends its process after --timeout, which is replaced" {
	sql 2
	[ "$(curl -sS -m "$LH_PATIENCE" -o slow -w '%{http_code}' --json @slow.json "$URL/v1/sql")" = 502 ] || { cat slow; return 1; }
	[ "$(post /v1/sql '{"sql":"SELECT a FROM t"}' | jq -c .rows)" = '[[5]]' ]
	restarted() { [ "$(metric 'lh_serve_restarts_total{route="POST \/v1\/sql"}')" -ge 1 ]; }
	until_so restarted
}

@test "beyond --state-max a request that writes is 507, others are served, and DELETE makes room" {
	start_serve --state s --state-max 3M
	head -c 2000000 /dev/zero >two
	[ "$(status /v1/storage/object/a -T two)" = 200 ]
	[ "$(status /v1/storage/object/b -T two)" = 507 ]
	[ "$(status /v1/storage/object/b -H 'Transfer-Encoding: chunked' -T two)" = 507 ]
	[ "$(status /v1/storage/object/c -T - <<<small)" = 200 ]
	[ "$(curl -sS "$URL/v1/storage/object/a" | wc -c)" = 2000000 ]
	head -c 2000000 /dev/zero >s/log/full
	until_so refuses_small
	[ "$(post /v1/pathway/add '{"content":{"task":"fill"}}')" = '{"error":"the state is as large as it may be (--state-max)"}' ]
	[ "$(status /v1/pathway/stats)" = 200 ]
	[ "$(status /health)" = 200 ]
	[ "$(status /v1/storage/object/a -X DELETE)" = 204 ]
	[ "$(status /v1/storage/object/c -T - <<<small)" = 200 ]
	[ "$(status /v1/pathway/add --json '{"content":{"task":"fill"}}')" = 200 ]
	[ "$(curl -sS "$URL/v1/storage/list" | jq -r '[.objects[].key] | join(" ")')" = c ]
}

@test "--state-max counts the bodies that filters write as they come, not only objects" {
	start_serve --state s --state-max 3M
	jq -nc '{content: {task: ("x" * 1000000)}}' >large
	for i in {1..8}; do
		status /v1/pathway/add --json @large
		echo
	done >statuses
	[ "$(sort statuses | uniq -c | sed -n 's/.* //p' | xargs)" = '200 507' ]
	[ "$(stat -c %s s/log/pathway.jsonl)" -lt 3145728 ]
}

refuses_small() {
	[ "$(status /v1/storage/object/c -T - <<<small)" = 507 ]
}

@test "the access log is a file of mode 0600, and goes on in a new one after SIGHUP; no line is lost" {
	start_serve --state s --access-log log.jsonl
	status /health
	until_so test -s log.jsonl
	[ "$(stat -c %a log.jsonl)" = 600 ]
	mv log.jsonl log.1
	status /health
	has_lines() { [ "$(wc -l <"$1")" = "$2" ]; }
	until_so has_lines log.1 2
	hang_up
	status /health
	status /health
	until_so has_lines log.jsonl 2
	[ "$(wc -l <log.1)" = 2 ]
	# what cannot be opened is reported, and the old file goes on
	mv log.jsonl log.2
	mkdir log.jsonl
	hang_up
	status /health
	until_so has_lines log.2 3
	has 'access log not opened again: .*log.jsonl' <err
	rmdir log.jsonl
	end_serve
	[ ! -s "$SERVE_LOG" ]
	run -2 lh-serve --state s --listen 127.0.0.1:0 --access-log /dev/full
	[[ $output == *"--access-log /dev/full: not a regular file"* ]]
	# a log of another kind gets no row
	echo '{"schema":"subject_audit.v1"}' >w.audit.jsonl
	run -2 lh-serve --state s --listen 127.0.0.1:0 --access-log w.audit.jsonl
	[[ $output == *"--access-log w.audit.jsonl: is not an access log"* ]]
	[ "$(cat w.audit.jsonl)" = '{"schema":"subject_audit.v1"}' ]
	start_serve --state s --access-log log.2
	end_serve
}

# bats test_tags=full
@test "a reader that takes nothing for half a minute is closed, and its answer is gone" {
	until_so [ -s "$BATS_FILE_TMPDIR/slow.out" ]
	cat "$BATS_FILE_TMPDIR/slow.out"
	jq -e '.mute[0] == "closed" and .mute[1] > 25' "$BATS_FILE_TMPDIR/slow.out"
}

@test "a body is as fast as its size in 15 minutes: a large one is closed at the speed at which a small one is taken" {
	until_so [ -s "$BATS_FILE_TMPDIR/slow.out" ]
	cat "$BATS_FILE_TMPDIR/slow.out"
	jq -e '.large[0] == "closed" and .large[1] > 25 and .small[0] == 200 and .small[1] > 30' "$BATS_FILE_TMPDIR/slow.out"
}

@test "a body that stops is closed in half a minute, not in a whole one" {
	until_so [ -s "$BATS_FILE_TMPDIR/slow.out" ]
	cat "$BATS_FILE_TMPDIR/slow.out"
	jq -e .stop "$BATS_FILE_TMPDIR/slow.out"
}

@test "the more uploads there are, the faster each has to come" {
	until_so [ -s "$BATS_FILE_TMPDIR/slow.out" ]
	cat "$BATS_FILE_TMPDIR/slow.out"
	jq -e '.crowd == [true, 0]' "$BATS_FILE_TMPDIR/slow.out"
}
