#!/usr/bin/env python3
"""serve.py COUNT SEED AID - what lh-serve makes of a request, in a second implementation.

Written from lh-serve(1) alone: which route a target is, which members it gives, and the line
that a body becomes.  COUNT random requests are also given to AID (aid_serve), and whatever
differs is printed; exit 1.
"""
import json
import random
import re
import subprocess
import sys

NUMBERS = ("created_after_ns created_before_ns dimension ef_search k limit m max_iterations max_tokens per_corpus_k "
           "playbook_max_distance playbook_max_inject_distance playbook_top_k score temperature").split()
ROUTES = [
    ("GET", "/", {}), ("GET", "/a", {}), ("POST", "/a", {"op": "x", "deep": {"op": [1, "a b"]}}), ("GET", "/a/{id}", {"op": "get"}),
    ("GET", "/a/new", {}), ("DELETE", "/a/{id}", {}), ("POST", "/a/{id}/b/{k}", {}), ("GET", "/{x}/{y}", {}), ("GET", "/ä/{id}", {}),
    ("GET", "/r/{all...}", {"op": "r"}), ("DELETE", "/{x}/new/{y...}", {}), ("GET", "/r/{id}", {}),
    ("PUT", "/{x}/b", {"op": 1}), ("PUT", "/a/{y}", {"op": 2}), ("PATCH", "/a.b/~c", {}),
]


class Refused(Exception):
    pass


def unescape(text, plus):
    """Percent-decoding of bytes, to text without NUL."""
    if re.search(rb"[\x00-\x20\x7f]", text) or re.search(rb"%(?![0-9A-Fa-f]{2})", text):
        raise Refused
    if plus:
        text = text.replace(b"+", b" ")
    text = re.sub(rb"%(..)", lambda m: bytes([int(m[1], 16)]), text)
    if b"\0" in text:
        raise Refused
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused from None


def read_target(target):
    """The pieces and the parameters."""
    if not target.startswith(b"/"):
        m = re.fullmatch(rb"(?i:https?)://[^/?]+(/.*)?", target, re.S)
        if not m:
            raise Refused
        target = m[1] or b"/"
    path, _, query = target.partition(b"?")
    pieces = [unescape(p, False) for p in path[1:].split(b"/")] if path != b"/" else []
    if "." in pieces or ".." in pieces:
        raise Refused
    args = {}
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            name, value = unescape(name, True), unescape(value, True)
            if not name or name in args:
                raise Refused
            args[name] = value
    if len(args) > 32:
        raise Refused
    return pieces, args


def fits(route, pieces):
    want = route[1][1:].split("/") if route[1] != "/" else []
    if want and want[-1].endswith("...}"):
        if len(pieces) < len(want):
            return False
        want = want[:-1]
        pieces = pieces[:len(want)]
    return len(want) == len(pieces) and all(p if w[0] == "{" else p == w for w, p in zip(want, pieces))


def rank(route):
    return 2 * route[1].count("{") + ("...}" in route[1])


def find(method, pieces):
    best = None
    for route in ROUTES:
        if route[0] == method and fits(route, pieces) and (best is None or rank(route) < rank(best)):
            best = route
    return best


TOKEN = re.compile(r'[ \t\n\r]+|"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?'
                   r"|true|false|null|[][{}:,]")


def check(text):
    """The object that a body is, by Python's own parser where it is as strict."""
    def pairs(list_of):
        names = [n for n, _ in list_of]
        if len(set(names)) != len(names):
            raise Refused
        return dict(list_of)

    def constant(_):
        raise Refused

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_int=str, parse_float=str)
        json.dumps(value, ensure_ascii=False).encode("utf-8")    # lone surrogates
    except (ValueError, RecursionError):
        raise Refused from None
    if not isinstance(value, dict):
        raise Refused
    return value


def compact(text):
    out, at = [], 0
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise Refused
        if not m[0].isspace():
            out.append(m[0])
        at = m.end()
    return "".join(out)


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def line_of(method, target, body):
    pieces, args = read_target(target.encode())
    route = find(method, pieces)
    if not route:
        return {"status": 405 if any(find(m, pieces) for m in ("GET", "POST", "PUT", "PATCH", "DELETE")) else 404}
    members = [(quote(n), json.dumps(v, separators=(",", ":"))) for n, v in route[2].items()]
    names = list(route[2])
    wants = route[1][1:].split("/")
    if wants[-1].endswith("...}"):
        pieces = pieces[:len(wants) - 1] + ["/".join(pieces[len(wants) - 1:])]
        wants[-1] = wants[-1][:-4] + "}"
    for want, piece in zip(wants, pieces):
        if want.startswith("{"):
            args = dict([(want[1:-1], piece)] + list(args.items())) if want[1:-1] not in args else None
            if args is None:
                raise Refused
    order = [w[1:-1] for w in wants if w.startswith("{")]
    order += [n for n in args if n not in order]
    for name in order:
        if name in names:
            raise Refused
        names.append(name)
        if name in NUMBERS and not re.fullmatch(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", args[name], re.A):
            raise Refused
        members.append((quote(name), args[name] if name in NUMBERS else quote(args[name])))
    line = "{}"
    if body is not None:
        value = check(body)
        if set(value) & set(names):
            raise Refused
        line = compact(body)
    more = ",".join(n + ":" + v for n, v in members)
    if more:
        line = line[:-1] + ("," if line != "{}" else "") + more + "}"
    return {"route": route[0] + " " + route[1], "line": line}


# ---- random requests ----

class Draw:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def text(self, alphabet, most):
        return "".join(self.r.choice(alphabet) for _ in range(self.r.randrange(most)))

    def escaped(self, text):
        out = []
        for byte in text.encode():
            c = chr(byte)
            if byte < 33 or byte > 126 or self.r.random() < 0.2 or c in "%/?&+#":
                out.append("%%%02x" % byte if self.r.random() < 0.5 else "%%%02X" % byte)
            else:
                out.append(c)
        return "".join(out)

    def piece(self):
        return self.r.choice(["a", "b", "new", "7", "1.5", "ä", "a.b", "~c", ".", "..", "...", "", "a/b", "x y", self.text("abäö.%/ +~", 6)])

    def target(self):
        method, path, _ = self.r.choice(ROUTES)
        pieces = [self.piece() if p.startswith("{") or self.r.random() < 0.1 else p for p in path[1:].split("/")]
        if self.r.random() < 0.1:
            pieces.insert(self.r.randrange(len(pieces) + 1), self.piece())
        out = "/" + "/".join(map(self.escaped, pieces))
        if self.r.random() < 0.6:
            names = ["x", "y", "id", "op", "k", "limit", "q", "a b", "ä", "", "deep"]
            args = []
            for _ in range(self.r.randrange(4)):
                value = self.r.choice(["", "1", "-0.5e3", "01", "a b", "ä=&+", self.text("12.e-+ab", 5)])
                args.append(self.escaped(self.r.choice(names)) + self.r.choice(["=", "=", "=", ""]) + self.escaped(value).replace("%20", "+"))
            out += "?" + self.r.choice(["&", "&", "&&"]).join(args)
        if self.r.random() < 0.1:
            out = self.r.choice(["http://h", "HTTPS://h:1", "http://", "ftp://h", "x"]) + out
        if self.r.random() < 0.15:
            at = self.r.randrange(len(out) + 1)
            out = out[:at] + self.r.choice(["%", "%0", "%00", "%ff", "%C3", "%zz", " ", "\t", "/", "//", "?", "&", "=", "+", "\x7f", "é"]) + out[at:]
        return method, out

    def value(self, deep):
        kind = self.r.random()
        if kind < 0.7 or deep > 4:
            return self.r.choice(["1", "-0", "1e400", "1.0000000000000000001", "0.10", "true", "null", '""', '" a  b "', '"\\"\\\\"', '"\\u00e4ä"',
                                  '"\\ud83d\\ude00"', '"[{:,"'])
        if kind < 0.85:
            return "[" + self.blank() + ",".join(self.blank() + self.value(deep + 1) + self.blank() for _ in range(self.r.randrange(4))) + "]"
        return self.object(deep + 1)

    def blank(self):
        return self.r.choice(["", "", "", " ", "\n", "\r\n\t ", "  "])

    def object(self, deep=0):
        names = ['"a"', '"\\u0061"', '"op"', '"o\\u0070"', '"id"', '"x"', '"k"', '"b c"', '"ä"', '"n%d"' % self.r.randrange(1000), '"m%d"' % self.r.randrange(1000)]
        return "{" + self.blank() + ",".join(self.blank() + self.r.choice(names) + self.blank() + ":" + self.blank() + self.value(deep) + self.blank()
                                             for _ in range(self.r.choice([0, 1, 1, 2, 3]))) + "}"

    def body(self):
        if self.r.random() < 0.3:
            return None
        out = self.blank() + self.object() + self.blank()
        if self.r.random() < 0.15:
            at = self.r.randrange(len(out) + 1)
            out = out[:at] + self.r.choice(["{", "}", ",", ":", '"', "\\", "0", "NaN", "\ufeff", "\x01", "[]", "'"]) + out[at + self.r.randrange(2):]
        return out

    def request(self):
        method, target = self.target()
        if self.r.random() < 0.2:
            method = self.r.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"])
        return {"method": method, "target": target, "body": self.body()}


def main():
    count, seed, aid = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    draw = Draw(seed)
    requests = [draw.request() for _ in range(count)]
    argv = [aid]
    for method, path, members in ROUTES:
        argv += [method + " " + path, json.dumps(members)]
    text = "".join(json.dumps(q) + "\n" for q in requests)
    answers = subprocess.run(argv, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    different, lines, seen = 0, 0, {}
    if len(answers) != count:
        sys.exit("%d answers to %d requests" % (len(answers), count))
    for q, a in zip(requests, answers):
        try:
            want = line_of(q["method"], q["target"], q["body"])
        except Refused:
            want = {"status": 400}
        lines += "line" in want
        seen[want.get("status", want.get("route"))] = seen.get(want.get("status", want.get("route")), 0) + 1
        if json.loads(a) != want:
            different += 1
            if different <= 10:
                print("request", json.dumps(q, ensure_ascii=False), "\n   C     ", a, "\n   Python", json.dumps(want, ensure_ascii=False))
    print("seed %d, %d requests, %d lines, %d different" % (seed, count, lines, different))
    print(json.dumps(seen, ensure_ascii=False))
    return different or lines < count / 10


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
