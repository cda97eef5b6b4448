"""Who may send what to lh-serve: a second reading of its page.

    access.py PORT [PORT6] <config.json

The configuration is the file that lh-serve has been given; LH_SERVE_TOKEN is its
environment's.  Every token is tried from every address on every route; it prints each
status that is not what the page says, and at the end how many were tried.
"""
import http.client
import ipaddress
import json
import os
import sys

port = int(sys.argv[1])
port6 = int(sys.argv[2]) if len(sys.argv) > 2 else 0
config = json.load(sys.stdin)


def token_of(path):
    with open(path) as f:
        return f.read().rstrip("\n")


good = [token_of(t) for t in config.get("token_file", [])]
if os.environ.get("LH_SERVE_TOKEN"):
    good.append(os.environ["LH_SERVE_TOKEN"])
legal = token_of(config["legal_token_file"]) if "legal_token_file" in config else None
own = token_of("own")


def network(text):
    n = ipaddress.ip_network(text)
    if n.version == 6 and n.prefixlen >= 96 and n.network_address.ipv4_mapped:
        return ipaddress.ip_network((n.network_address.ipv4_mapped, n.prefixlen - 96))
    return n


allow = [network(t) for t in config.get("allow", [])]


def address_allowed(source):
    address = ipaddress.ip_address(source)
    return not allow or any(address.version == n.version and address in n for n in allow)


# method, path, open to all, extra token it wants, statuses when all is given
routes = [
    ("GET", "/health", True, None, {200}),
    ("GET", "/go/health", True, None, {200}),
    ("GET", "/health?deep=1", False, None, {200, 503}),
    ("GET", "/metrics", False, None, {200}),
    ("GET", "/openapi.json", False, None, {200}),
    ("GET", "/", True, None, {200, 404}),
    ("POST", "/echo", False, None, {200}),
    ("POST", "/go/echo", False, None, {200}),
    ("GET", "/echo", False, None, {405}),
    ("GET", "/nowhere", False, None, {404}),
    ("POST", "/health", False, None, {405}),
    ("POST", "/own", False, own, {200}),
    ("GET", "/v1/audit/subject/x", False, legal, {200} if legal else {404}),
]
wrong = "wrong-0123456789abcdef"
bearers = [None, "Bearer " + wrong, "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 15,
           "Bearer " + "x" * 257]
for t in good or ["primary-0123456789abcdef"]:
    bearers += ["Bearer " + t, "bearer " + t, "Basic " + t, "Bearer " + t[:-1], "Bearer " + t + "x",
                "Bearer " + t.swapcase(), t]
connections = {}
tried = failed = 0


def ask(source, method, path, headers):
    c = connections.get(source)
    for again in (False, True):
        if c is None:
            if ":" in source:
                c = http.client.HTTPConnection("::1", port6, timeout=600)
            else:
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=600,
                                               source_address=(source, 0))
            connections[source] = c
        try:
            c.request(method, path, b"{}" if method == "POST" else None, headers)
            r = c.getresponse()
            r.read()
            return r.status
        except (http.client.HTTPException, OSError):
            if again:
                raise
            c = None


for source in ["127.0.0.1", "127.0.0.2"] + (["::1"] if port6 else []):
    for method, path, is_open, extra, statuses in routes:
        for bearer in bearers:
            if "deep" in path and bearer not in (None, "Bearer " + wrong, "Bearer " + (good or [""])[0]):
                continue
            for extra_given in {None, wrong, extra, good[0] if good else None} if extra else \
                    {None} if "deep" in path else {None, wrong}:
                # the header of a proxy lets nobody in; without a token it keeps everybody out
                headers = {"X-Forwarded-For": "127.0.0.2"} if good else {}
                if method == "POST":
                    headers["Content-Type"] = "application/json"
                if bearer is not None:
                    headers["Authorization"] = bearer
                if extra_given:
                    headers["X-Lakehouse-Legal-Token"] = extra_given
                expected = statuses
                if method == "GET" and path in ("/health", "/go/health"):
                    expected = {200}
                elif not address_allowed(source):
                    expected = {403}
                elif good and not is_open and not (
                        bearer and bearer[:7].lower() == "bearer " and bearer[7:] in good):
                    expected = {401}
                elif extra and extra_given != extra:
                    expected = {401}
                status = ask(source, method, path, headers)
                tried += 1
                if status not in expected:
                    failed += 1
                    print(source, method, path, bearer, extra_given, "gave", status, "not", expected)
print("%d tried, %d wrong" % (tried, failed))
