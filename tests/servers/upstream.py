#!/usr/bin/env python3
"""An embedding service on loopback that answers well, or badly in one way.

    upstream.py [--mode MODE] [--log FILE] [--delay S] [--gather N] [--tls CERT KEY]
                [--to URL] [--key KEY] [--port N]

Prints its port (a free one without --port) on stdout and serves until it is killed.  --log gets one JSON
line per request: path, model, texts.  --gather answers none before N calls are
there at once.  Vectors have 8 dimensions and depend on
the text (and the model) alone.  /api/embed and /api/embeddings answer as
Ollama does, /v1/embeddings as OpenAI: in base64 when asked to, and with --key
only those who have it.  Below /mode/MODE/ it answers in that way.
"""
import argparse
import base64
import gzip
import hashlib
import json
import struct
import threading
import time

import loopback

lock = threading.Lock()
count = {"calls": 0, "now": 0, "not_before": 0}
gathered = threading.Event()


def vector(model, text, dim=8):
    raw = hashlib.sha256((model + "\0" + text).encode()).digest()
    return [(b - 127.5) / 64 for b in raw[:dim]]


# How an answer is bad where that is all that there is to say of it, by modes; u is the server.
VECTORS = {  # other vectors
    "wide": lambda u: [vector(u.model, t) * 128 for t in u.texts],
    # no direction for texts that say so
    "zeros": lambda u: [[0.0] * 8 if "zero" in t else vector(u.model, t) for t in u.texts],
    "few": lambda u: [vector(u.model, t) for t in u.texts[1:]],
    "many": lambda u: [vector(u.model, t) for t in u.texts + ["more"]],
    "ragged": lambda u: [vector(u.model, t, 8 - i % 2) for i, t in enumerate(u.texts)],
    "changing": lambda u: [vector(u.model, t, 7 + min(u.call, 2) - 1) for t in u.texts],
    "nan": lambda u: [[0.5, float("nan")] for _ in u.texts],
    "infinite": lambda u: [[0.5, 1e39] for _ in u.texts],
    "null": lambda u: [[0.5, None] for _ in u.texts],
    "empty": lambda u: [[] for _ in u.texts],
    "zero": lambda u: [[0, 0] for _ in u.texts],
    "huge": lambda u: [[0.5] * 65537 for _ in u.texts],
}
SENDS = {  # another status, body or type
    "missing": lambda u: (404, json.dumps({
        "error": "model \"%s\" not found, try pulling it first" % u.model})),
    "error": lambda u: (500, "out of\x1b[31m memory\n" + "x" * 500, "text/plain"),
    "error500": lambda u: (500, ""),
    "unavailable": lambda u: (503, "starting"),
    "odd": lambda u: (200, json.dumps({"answer": 42})),
    "html": lambda u: (200, "<!DOCTYPE html>\n<html><body>Sign in to the hotel network"
                       "</body></html>\n", "text/html"),
    "nocontent": lambda u: (204, ""),
}
DATA = {  # what only OpenAI's shape can do
    "shuffled": lambda u: u.good()[::-1],
    "floats": lambda u: u.elements([vector(u.model, t) for t in u.texts]),
    "unnumbered": lambda u: [{"embedding": e["embedding"]} for e in u.good()],
    "twice": lambda u: [{**e, "index": 0} for e in u.good()],
    "beyond": lambda u: [{**e, "index": e["index"] + 1} for e in u.good()],
    "fraction": lambda u: [{**e, "index": 0.5} for e in u.good()],
    "bare": lambda u: [e["embedding"] for e in u.good()],
    "hollow": lambda u: [{"index": e["index"]} for e in u.good()],
    "notbase64": lambda u: u.elements(["a?=="] * len(u.texts)),
    "odd64": lambda u: u.elements([base64.b64encode(b"12345").decode()] * len(u.texts)),
    "empty64": lambda u: u.elements([""] * len(u.texts)),
    "nan64": lambda u: u.elements([u.encoded([0.5, float("nan")]) for _ in u.texts]),
}


class Upstream(loopback.Handler):
    # -- ways to answer --

    def encoded(self, v):
        if self.asked.get("encoding_format") != "base64":
            return v
        return base64.b64encode(struct.pack("<%df" % len(v), *v)).decode()

    def data(self, elements):
        self.send(200, json.dumps({"object": "list", "data": elements, "model": self.model, "usage": {"total_tokens": 1}}))

    def elements(self, vectors):
        return [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]

    def vectors(self, vectors):
        if self.path == "/v1/embeddings":
            self.data(self.elements([self.encoded(v) for v in vectors]))
        elif self.path == "/api/embeddings":
            self.send(200, json.dumps({"embedding": vectors[0]}))
        else:
            self.send(200, json.dumps({"model": self.model, "embeddings": vectors, "total_duration": 1}))

    def head(self, *lines):
        self.write("".join(line + "\r\n" for line in ("HTTP/1.1 200 OK",) + lines).encode())

    def act(self, mode):
        """Answer in a mode."""
        if hasattr(self, "do_" + mode):
            getattr(self, "do_" + mode)()
        elif mode in SENDS:
            self.send(*SENDS[mode](self))
        elif mode in DATA:
            self.data(DATA[mode](self))
        else:
            self.vectors(VECTORS[mode](self))

    # -- one method per mode --

    def do_ok(self):
        self.vectors([vector(self.model, t) for t in self.texts])

    def do_legacy(self):
        if self.path == "/api/embed":
            self.send(404, "404 page not found", "text/plain")
        else:
            self.do_ok()

    def do_short(self):
        if self.asked.get("truncate", True):
            return self.do_ok()
        self.send(400, json.dumps({"error": "the input length exceeds the context length"}))

    def do_busy(self):
        if self.call <= 2:
            self.send(429, "busy", Retry_After=args.retry_after)
        else:
            self.do_ok()

    def do_strict(self):
        """As busy, and an error to one that is back before Retry-After is over."""
        now = time.monotonic()
        early, count["not_before"] = now < count["not_before"], now + float(args.retry_after)
        if early:
            self.send(400, "too early")
        else:
            self.do_busy()

    def do_faint(self):
        """Two calls end in --status, the others well."""
        if self.call <= 2:
            self.send(args.status, "not now")
        else:
            self.do_ok()

    def do_dozing(self):
        """The first call is never answered."""
        if self.call == 1:
            time.sleep(3600)
        self.do_ok()

    def do_echoauth(self):
        """An error that shows user-info, as Basic has it and decoded."""
        word = self.headers.get("Authorization", "").split()[-1]
        self.send(400, "Basic %s is %s" % (word, base64.b64decode(word).decode()))

    def do_texts(self):
        """Each text says how its call ends: badly in the mode it names, else well."""
        named = [m for m in ("unavailable", "error", "garbage", "few", "nan", "ragged", "odd", "silent", "resetnow", "missing")
                 if any(m in t for t in self.texts)]
        self.act(named[0] if named else "ok")

    def do_flaky(self):
        if self.call == 1:
            self.reset()
        else:
            self.do_ok()

    def do_late(self):
        """Two good answers, then nothing but errors."""
        if self.call <= 2:
            self.do_ok()
        else:
            self.send(500, "tired")

    def do_silent(self):
        time.sleep(3600)

    def do_slow(self):
        self.head("Content-Length: 1000", "")
        for _ in range(600):
            self.write(b"[")
            time.sleep(0.1)

    def do_endless(self):
        self.head("Content-Type: application/json", "Connection: close", "")
        self.close_connection = True
        while True:
            self.wfile.write(b"[1," * 20000)

    def do_headers(self):
        self.head()
        while True:
            self.wfile.write(b"X-Padding: " + b"y" * 1000 + b"\r\n")

    def do_bomb(self):
        body = gzip.compress(b" " * (64 << 20), 1)
        self.send(200, body, Content_Encoding="gzip")

    def do_gzip(self):
        body = json.dumps({"embeddings": [vector(self.model, t) for t in self.texts]})
        self.send(200, gzip.compress(body.encode()), Content_Encoding="gzip")

    def do_truncated(self):
        body = json.dumps({"embeddings": [vector(self.model, t) for t in self.texts]})
        self.send(200, body[:-20])

    def do_garbage(self):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.close_connection = True

    def do_resetnow(self):
        self.reset()

    def do_resethead(self):
        self.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        time.sleep(0.05)
        self.reset()

    def do_resetbody(self):
        self.head("Content-Length: 1000", "")
        self.write(b"{\"embeddings\":[[0.1")
        time.sleep(0.05)
        self.reset()

    def do_redirect(self):
        to = args.to.replace("PORT", str(self.server.server_address[1]))
        self.send(args.status, "", Location=to + self.path)

    def good(self):
        return self.elements([self.encoded(vector(self.model, t)) for t in self.texts])

    def do_telltale(self):
        """An error that shows the key, plainly and with JSON's escapes."""
        key = self.headers.get("Authorization", "").split()[-1]
        escaped = "".join("\\u%04x" % ord(c) for c in key)
        self.send(400, '{"error":"bad key %s, I mean %s"}' % (key, escaped))

    # -- reading --

    def has_key(self):
        return not args.key or self.headers.get("Authorization") == "Bearer " + args.key

    def do_POST(self):
        try:
            request = json.loads(self.body())
        except ValueError:
            return self.send(400, "not JSON")
        self.asked = request
        self.model = request.get("model", "")
        self.texts = request["input"] if "input" in request else [request.get("prompt")]
        self.answer({"path": self.path, "model": self.model, "texts": self.texts, "truncate": request.get("truncate"), "auth": self.headers.get("Authorization"),
                     "trace": self.headers.get("X-Lakehouse-Trace-Id")})

    def answer(self, entry):
        with lock:
            count["calls"] += 1
            count["now"] += 1
            self.call = count["calls"]
            if args.log:
                with open(args.log, "a", encoding="utf-8") as log:
                    log.write(json.dumps({**entry, "in_flight": count["now"]}) + "\n")
            if count["now"] >= args.gather:
                gathered.set()
        gathered.wait(600)
        time.sleep(args.delay)
        with lock:
            count["now"] -= 1
        mode = args.mode
        if self.path.startswith("/mode/"):
            _, _, mode, rest = self.path.split("/", 3)
            self.path = "/" + rest
        try:
            if self.has_key():
                self.act(mode)
            else:
                self.send(401, json.dumps({"error": {"message": "Incorrect API key provided"}}))
        except OSError:
            self.close_connection = True

    def do_GET(self):
        self.send(405, "POST only")


class Server(loopback.Server):
    def get_request(self):
        if args.mode == "deaf":
            with self.socket.accept()[0]:
                time.sleep(3600)
        if args.mode == "resetaccept":
            loopback.resets(self.socket.accept()[0])
            raise OSError("reset")
        return super().get_request()


parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="ok")
parser.add_argument("--log")
parser.add_argument("--delay", type=float, default=0)
parser.add_argument("--gather", type=int, default=0)
parser.add_argument("--retry-after", default="0")
parser.add_argument("--tls", nargs=2)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--key")
parser.add_argument("--to", default="")
parser.add_argument("--status", type=int, default=307)
args = None


def serve(handler):
    global args
    args = parser.parse_args()
    loopback.serve(handler, args.port, args.tls, Server)


if __name__ == "__main__":
    serve(Upstream)
