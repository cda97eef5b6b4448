"""rights.py URL MINE ROUTES DESCRIBED - hold the rights of tokens against the routes themselves.

URL is a server of a state with records of others, MINE one of a state without them; both have the
tokens read, write and admin, and some that are confined.  ROUTES is share/serve/routes.json, and
DESCRIBED has a line for each route with a filter: {"route","operation"}, as its filter says.

1. Each route, for each token: it is there if the token has the right that the row says (admin, if it
   says none), and a confined token sees no record by it; else the answer is that of a path which
   no route has.
2. Each route that a confined token may ask: a request of its own corpus, of a foreign one and of one
   that does not exist, and requests that try to get around, are answered alike, byte for byte, by
   both servers; and those of the foreign corpus as those of the one that does not exist.
"""
import json
import sys
import urllib.error
import urllib.request

URL, MINE, routes, described = sys.argv[1:5]
LEVEL = {"read": 1, "write": 2, "admin": 3}
TOKENS = {"read": ("read", False), "write": ("write", False), "admin": ("admin", False),
          "corpora": ("write", True), "filter": ("write", True)}
# The routes that tell of no record, and so are open to confined tokens: a new one is added here
# by somebody who has looked.
NEUTRAL = {"GET /health", "GET /ready", "GET /openapi.json", "GET /", "GET /console.css",
           "GET /console.js", "POST /mcp", "POST /v1/embed", "POST /ai/embed",
           "POST /v1/matrix/relevance", "POST /v1/matrix/downgrade", "POST /v1/chat",
           "GET /v1/chat/providers", "POST /v1/embeddings", "GET /v1/models", "POST /v1/chat/completions",
           "POST /v1/rerank", "POST /api/embed", "GET /api/tags"}
OPEN = {"GET /health", "GET /ready", "GET /", "GET /console.css", "GET /console.js"}
NONE = (404, '{"error":"there is no such route"}')
tried = wrong = 0


def ask(url, method, path, token, body=None, headers=None):
    h = {"Authorization": "Bearer %s-0123456789abcdef" % token, **(headers or {})}
    if body is not None:
        h.setdefault("Content-Type", "application/json")
    r = urllib.request.Request(url + path, method=method, headers=h,
                               data=None if body is None else body.encode())
    try:
        with urllib.request.urlopen(r, timeout=60) as f:
            return f.status, f.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode("utf-8", "replace")


def check(good, what, *more):
    global tried, wrong
    tried += 1
    if not good:
        wrong += 1
        print("WRONG", what, *(str(m)[:300] for m in more))


def fill(path, name="workers"):
    pieces = []
    for p in path.split("/"):
        if p in ("{name}", "{index}", "{src}"):
            p = name
        elif p.startswith("{"):
            p = "w-1"
        pieces.append(p)
    return "/".join(pieces)


rows = json.load(open(routes))["routes"]
takes = set()
for line in open(described):
    d = json.loads(line)
    if "scope" in ((d["operation"] or {}).get("input") or {}).get("properties", {}):
        takes.add(d["route"])

# ---- 1. who may ask what ----
for row in rows:
    route = row["route"]
    method, path = route.split(" ")
    check(bool(row.get("neutral")) == (route in NEUTRAL), "not looked at: neutral", route)
    for token, (right, confined) in TOKENS.items():
        may = route in OPEN or (LEVEL[right] >= LEVEL[row.get("right", "admin")] and
                                (not confined or row.get("neutral") or route in takes))
        if token == "admin" and method not in ("GET", "POST"):
            continue
        body = None if method in ("GET", "DELETE") else "[]"
        got = ask(URL, method, fill(path, "nowhere"), token, body)
        hidden = got == NONE or got[0] == 405      # the path has other routes, which it may ask
        check(may != hidden, "%s for %s" % (route, token), "may" if may else "may not", got)
for token in TOKENS:
    check(ask(URL, "GET", "/nowhere", token) == NONE, "no such route", token)
    got = ask(URL, "GET", "/health?deep=1", token)
    check((got[0] == 200) == (token == "admin"), "deep health", token, got)

# ---- 2. what a confined token learns ----
q = '"query_text":"truck driver in Ohio","k":40'
F = '"metadata_filter":'
CORPUS = {      # how a route is asked of a corpus, %s
    "POST /v1/matrix/search": '{"corpora":["%s"],' + q + "}",
    "POST /v1/matrix/retrieve": '{"corpora":["%s"],' + q + "}",
    "POST /v1/vectors/search": '{"index":"%s",' + q + "}",
    "POST /v1/vectors/index/{index}/search": "{" + q + "}",
    "POST /v1/vectors/index/{name}/add": '{"items":[{"id":"new","vector":[1,0]}]}',
    "POST /v1/matrix/playbooks/record": '{"query_text":"q","answer_id":"w-1","answer_corpus":"%s","score":1}',
    "POST /v1/matrix/playbooks/bulk": '{"entries":[{"query_text":"r","answer_id":"w-1","answer_corpus":"%s","score":1}]}',
    "GET /v1/matrix/corpora": None, "GET /v1/vectors/index": None,
    "GET /v1/vectors/index/{name}": None, "GET /v1/vectors/index/{name}/record/{id}": None,
}
check("canary" in ask(URL, "POST", "/v1/matrix/search", "admin", '{"corpora":["workers"],"k":9,"query_text":"x"}')[1],
      "others are there")
check(set(CORPUS) == takes, "it takes a scope, and is not tried here", takes ^ set(CORPUS))
requests = []
for route, body in CORPUS.items():
    method, path = route.split(" ")
    for name in ("workers", "foreign", "nowhere1"):
        requests.append((method, fill(path, name), body and body.replace("%s", name)))
for more in (F + '{"role":"Welder"}', F + '{"only_theirs":1}', F + '{"city":"Chicago"}', F + '{"city":"Chicag"}',
             F + '{"or":[{"state":"IL"},{"state":"OH"}]}', F + '{"state":"IL"}', F + '{"not_there":{"exists":false}}',
             F + '{"exists":"only_theirs"}', F + '{"role":{"not":"Welder"}}', '"exclude_ids":["w-2","w-1"]', '"budget":1',
             '"budget":100000', '"explain":true', '"timeout_ms":100000', '"per_corpus_k":10000', '"scope":null',
             '"scope":{}', '"scope":{"corpora":["foreign","workers"]}', '"\\u0073cope":{"filter":{}}', '"model":"other"',
             '"use_playbook":true,"playbook_max_inject_distance":2', '"use_playbook":true,"playbook_corpus":"foreign"',
             '"use_playbook":true,"playbook_corpus":"workers","playbook_top_k":1,"playbook_max_inject_distance":2'):
    for path in ("search", "retrieve"):
        requests.append(("POST", "/v1/matrix/" + path, '{"corpora":["workers"],%s,%s}' % (q, more)))
for key in ('"answer_id":"w-2"', '"answer_id":"theirs"', '"answer_id":"w-1","corpus":"foreign"', '"answer_id":"w-1","scope":{}'):
    entry = '{"query_text":"q","answer_corpus":"workers","score":1,%s}' % key
    requests.append(("POST", "/v1/matrix/playbooks/record", entry))
    requests.append(("POST", "/v1/matrix/playbooks/bulk", '{"entries":[%s]}' % entry))
for body in ('{"corpora":["workers","foreign"],%s}' % q, '{"corpora":["foreign","workers"],%s}' % q,
             '{"corpora":[],%s}' % q, "{%s}" % q, '{"corpora":["../index/foreign"],%s}' % q, "[]", "{", ""):
    requests.append(("POST", "/v1/matrix/search", body))
for path in ("/v1/matrix/corpora?scope=x", "/v1/vectors/index/workers?scope=x", "/v1/vectors/index/playbook_memory",
             "/v1/vectors/index/workers/record/w-2", "/v1/vectors/index/workers/record/theirs",
             "/v1/vectors/index/foreign/record/theirs", "/v1/vectors/index/w%6frkers/record/w-2",
             "/v1/vectors/index/workers/record/w-2?scope=%7B%7D", "/v1/vectors/index/workers/record/w-2/",
             "/v1/audit/health", "/console/sessions", "/v1/storage/list", "/openapi.json"):
    requests.append(("GET", path, None))
calls = [("search", {"query": "truck driver", "k": 40}), ("search", {"query": "x", "corpus": "foreign"}),
         ("search", {"query": "x", "corpus": "nowhere1"}), ("search", {"query": "x", "filter": {"only_theirs": 1}}),
         ("search", {"query": "truck driver", "hybrid": True}), ("search", {"query": "x", "role": "Truck Driver"}),
         ("search", {"query": "x", "scope": {}}), ("lookup", {"id": "w-1"}), ("lookup", {"id": "w-2"}),
         ("lookup", {"id": "theirs"}), ("lookup", {"id": "theirs", "corpus": "foreign"}), ("list_corpora", {}),
         ("list_datasets", {}), ("validate", {"kind": "email", "artifact": {}}), ("playbook_record", {}), ("no", {})]
messages = [("tools/call", {"name": n, "arguments": a}) for n, a in calls]
messages += [("tools/list", {}), ("resources/list", {}), ("resources/templates/list", {})]
messages += [("resources/read", {"uri": u}) for u in (
    "lh://workers/w-1", "lh://workers/w-2", "lh://foreign/theirs", "lh:index/workers", "lh:index/foreign",
    "lh:index/nowhere1", "lh:manifests", "lh:manifest/x", "lh:audit/last", "lh:schema/playbook")]
for n, (method, params) in enumerate(messages):
    requests.append(("POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": n, "method": method, "params": params})))
for token in ("corpora", "filter"):
    said = {}
    own = requests
    if token == "corpora":      # its own corpus is another
        own = requests + [(m, p.replace("workers", "oh"), b and b.replace("workers", "oh")) for m, p, b in requests]
    for method, path, body in own:
        mine, all_ = ask(MINE, method, path, token, body), ask(URL, method, path, token, body)
        check(mine == all_, "%s %s %s for %s" % (method, path, body, token), mine, all_)
        check("canary" not in all_[1], "a canary", path, body, all_)
        said[(method, path, body)] = all_
    for (method, path, body), got in said.items():
        if "foreign" in path + (body or ""):
            none = said.get((method, path.replace("foreign", "nowhere1"), body and body.replace("foreign", "nowhere1")))
            check(not none or (got[0], got[1].replace("foreign", "nowhere1")) == none, "foreign and nowhere", path, got, none)
print("%d tried, %d wrong" % (tried, wrong))
sys.exit(wrong > 0)
