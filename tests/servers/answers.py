#!/usr/bin/env python3
"""An HTTP server on loopback that answers as its path says, well or badly.

    answers.py [--log FILE] [--stall-at N SECONDS]

Prints its port on stdout and serves until it is killed.  --log gets a JSON line for each
request: method, path, headers, body.  --stall-at: nothing is answered for that long once
N requests have come.

/ok /status/503 /slow/0.05 /echo         well
/chunked /interim /close /old /bytes     well, in other framings
/flaky/3                                 503 to every third request
/reset /short /silent /never /garbage /huge /extra /lengths /both /chunk /upgrade /endless
/big /fold /nul /half                    badly
/search                                  POST {"n","exclude_ids"}: results, as a search has
"""
import argparse
import itertools
import json
import socket
import struct
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--log")
parser.add_argument("--stall-at", nargs=2, type=float)
args = parser.parse_args()
lock = threading.Lock()
number = itertools.count(1)
resume = [0.0]


def answer(body=b"{}", status=200, head=b""):
    return b"HTTP/1.1 %d Any\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s" % (
        status, head, len(body), body)


def chunks(body, size):
    for i in range(0, len(body), size):
        piece = body[i:i + size]
        yield b"%X;name=value\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\nTrailer: x\r\nOther: y\r\n\r\n"


def search(body):
    asked = json.loads(body)
    out = [f"w-{i}" for i in range(50)]
    out = [i for i in out if i not in asked.get("exclude_ids", [])][:asked.get("n", 10)]
    return {"results": [{"id": i, "distance": k / 8, "metadata": {"name": f"Ann \"{i}\"", "email": i + "@x.org",
                                                                  "tags": ["a", 1], "n": 1.50}}
                        for k, i in enumerate(out)], "query": asked.get("q"), "count": len(out), "none": None}


def body_of(head):
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def trickle(s, data, size=1, pause=0.001):
    for i in range(0, len(data), size):
        s.sendall(data[i:i + size])
        time.sleep(pause)


bad = {
    "silent": b"", "garbage": b"\x16\x03\x01\x02hello\r\n\r\n", "upgrade": b"HTTP/1.1 101 Up\r\n\r\n",
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "half": b"HTTP/1.1 200 OK\r\nContent-Le",
    "huge": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "extra": answer() + b"{}", "lengths": answer(head=b"Content-Length: 3\r\n"),
    "both": answer(head=b"Transfer-Encoding: chunked\r\n"), "big": b"HTTP/1.1 200 OK\r\nContent-Length: 268435457\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefg\r\n0\r\n\r\n",
    "endless": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 70000,
    "fold": answer(head=b"A: b\r\n c\r\n"), "nul": answer(head=b"A: b\0\r\n"),
    "fine": b"HTTP/1.1 100 Continue\r\n\r\n" * 4000 + answer(),
}


def serve_one(s, method, path, body):
    """Answer one request; False: the connection ends."""
    what, _, value = path[1:].partition("?")[0].partition("/")
    if what in bad:
        s.sendall(bad[what])
        return False
    if what == "reset":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if what == "never":
        time.sleep(3600)
    if what == "slow":
        time.sleep(float(value))
    out = json.dumps({"got": json.loads(body) if body else None, "path": path, "method": method, "number": serial},
                     ensure_ascii=False).encode() if what == "echo" else b'{"ok":true}'
    if what == "search":
        out = json.dumps(search(body)).encode()
    if what == "text":
        out = b"plain"
    if what == "chunked":
        s.sendall(b"HTTP/1.1 200 OK\r\ntransfer-ENCODING:  Chunked \r\n\r\n" + b"".join(chunks(out * 100, 7)))
    elif what == "interim":
        s.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        s.sendall(b"HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\n" + answer(out))
    elif what == "bytes":
        trickle(s, answer(out))
    elif what == "close":
        s.sendall(answer(out, head=b"Connection: x, Close\r\n"))
        return False
    elif what == "old":
        s.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + out)
        return False
    elif what == "status":
        s.sendall(b"HTTP/1.1 %s None\r\n\r\n" % value.encode() if value in ("204", "304") else answer(out, int(value)))
    elif what == "flaky":
        s.sendall(answer(out, 503 if serial % int(value) == 0 else 200))
    else:
        s.sendall(answer(out))
    return True


def serve(s):
    global serial
    data = b""
    with s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            while b"\r\n\r\n" not in data:
                got = s.recv(65536)
                if not got:
                    return
                data += got
            head, _, data = data.partition(b"\r\n\r\n")
            head = head.decode()
            need = body_of(head)
            while len(data) < need:
                data += s.recv(65536)
            body, data = data[:need], data[need:]
            method, path, _ = head.split("\r\n")[0].split(" ")
            with lock:
                serial = next(number)
                if args.log:
                    with open(args.log, "a") as log:
                        log.write(json.dumps({"method": method, "path": path, "headers": head.split("\r\n")[1:],
                                              "body": body.decode()}) + "\n")
                if args.stall_at and serial == args.stall_at[0]:
                    resume[0] = time.monotonic() + args.stall_at[1]
                now = serial
            time.sleep(max(0, resume[0] - time.monotonic()))
            with lock:
                serial = now
                if not serve_locked(s, method, path, body):
                    return


def serve_locked(s, method, path, body):
    # slow answers must not hold up others
    if path.startswith(("/slow", "/never", "/bytes")):
        lock.release()
        try:
            return serve_one(s, method, path, body)
        finally:
            lock.acquire()
    return serve_one(s, method, path, body)


def quietly(s):
    try:
        serve(s)
    except OSError:
        pass


serial = 0
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=quietly, args=(connection,), daemon=True).start()
