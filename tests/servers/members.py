#!/usr/bin/env python3
"""members.py URL OUTSIDE PORT OPERATIONS < served-members.txt - send to each member of each route what
would name a file, a URL, a bucket, a command or an option, and print what is not as its class says.
OUTSIDE is a folder whose files hold the word canary; PORT is that of a listener; OPERATIONS has the
routes with their operations, whose members are those of the list, or have the class that their
schema gives.  members.py --list OPERATIONS < served-members.txt prints the list with all members."""
import copy
import http.client
import json
import re
import sys
import urllib.parse

url, outside, port, operations = sys.argv[1:] if sys.argv[1] != "--list" else ("", "", "", sys.argv[2])
HOSTILE = [outside + "/secret.jsonl", outside, outside + "/secret", "../outside/secret.jsonl",
           "../../outside/secret", "http://127.0.0.1:%s/x" % port, "file://" + outside + "/secret.jsonl",
           "s3://bucket/secret.jsonl", "|touch %s/made" % outside, "$(touch %s/made)" % outside,
           "--rejects=%s/made" % outside, "-/" + outside, "/proc/self/fd/0", "/dev/stdin"]
SQL = ["SELECT * FROM '%s'", "SELECT * FROM \"%s\"", "ATTACH '%s' AS x", "SELECT readfile('%s')",
       "SELECT load_extension('%s')", "SELECT * FROM read_csv('%s')", "EXPLAIN ANALYZE COPY (SELECT 1) TO '%s'",
       "VACUUM INTO '%s'", "SELECT writefile('%s', 'x')", "SELECT * FROM pragma_table_info('%s')"]
# No key: a part of it is empty or leads up.  Others are objects of the store with strange names.
NO_KEY = [outside + "/secret.jsonl", "../outside/secret.jsonl", "a/../../outside/secret.jsonl", "//x",
          "./x", "http://127.0.0.1/x", "s3://bucket/secret.jsonl"]
wrong = 0
seen = set()


def complain(*what):
    global wrong
    wrong += 1
    if wrong <= 200 and what[:2] not in seen:
        seen.add(what[:2])
        print(*what)


connection = http.client.HTTPConnection(urllib.parse.urlparse(url).netloc, timeout=600)


def ask(method, path, body=None, headers=None):
    for _ in (1, 2):
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (http.client.HTTPException, ConnectionError):
            connection.close()
    return 0, "no answer"


def call(tool, arguments):
    head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-06-18"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    status, text = ask("POST", "/mcp", json.dumps(body), head)
    failed = '"isError":true' in text or '"error":{' in text
    return (400 if failed and status == 200 else status), text


def put(request, member, value):
    """A copy of the request in which the member has the value."""
    at = request = copy.deepcopy(request)
    steps = re.findall(r"[^.\[\]]+", member)
    for i, step in enumerate(steps):
        if isinstance(at, list):
            while len(at) <= int(step):
                at.append({})
        key = int(step) if isinstance(at, list) else step
        if i == len(steps) - 1:
            at[key] = value
        else:
            new = [] if steps[i + 1].isdigit() else {}
            if isinstance(at, dict) and not isinstance(at.get(key), (dict, list)):
                at[key] = new
            at = at[key]
    return request


def send(filter, route, request, member, value):
    if filter == "mcp":
        return call(route, put(json.loads(request), member, value))
    method, path = route.split(" ")
    given, query = {}, {}
    body = json.loads(request) if request.startswith("{") else {}
    if request and not request.startswith("{"):
        query = dict(urllib.parse.parse_qsl(request))
    if member.startswith("{"):
        given[member] = value
    elif member.startswith("?") or method != "POST":
        query[member.lstrip("?")] = value
    else:
        body = put(body, member, value)
    for name in re.findall(r"\{[^}]*\}", path):
        safe = "/" if name.endswith("...}") else ""
        text = given.get(name, query.pop(name[1:-1], "w"))
        path = path.replace(name, urllib.parse.quote(text, safe=safe))
    if query:
        path += "?" + urllib.parse.urlencode(query)
    if filter == "lh-ingest":
        return ask(method, path, "id,n\n1,2\n", {"Content-Type": "text/csv"})
    if method in ("GET", "DELETE"):
        return ask(method, path)
    if method == "PUT":
        return ask(method, path, "x", {"Content-Type": "application/octet-stream"})
    return ask(method, path, json.dumps(body), {"Content-Type": "application/json"})


def values(kind):
    if kind == "sql":
        return [s % v for s in SQL for v in HOSTILE[:3]]
    if kind == "sent":
        return HOSTILE[5:6]
    if kind == "text":
        return HOSTILE[:1] + HOSTILE[4:9]
    return NO_KEY if kind == "key" else HOSTILE


def kind(schema, path, paths):
    """The class of a member."""
    types = schema.get("type", "string")
    if re.sub(r"\[0\]", "[]", path) in paths:
        return "refused"
    if "string" not in ([types] if isinstance(types, str) else types):
        return "inside" if "array" in types or "object" in types else "data"
    return "refused" if {"enum", "pattern", "format"} & set(schema) else "text"


def described(schema, paths, above=""):
    """Each member of a schema, with its class."""
    for name, of in schema.get("properties", {}).items():
        yield above + name, kind(of, above + name, paths)
        yield from described(of, paths, above + name + ".")
        if "items" in of:
            yield above + name + "[0]", kind(of["items"], above + name + "[0]", paths)
            yield from described(of["items"], paths, above + name + "[0].")


def all_members(route, listed, of):
    """The members of a route that the list does not have, each with its class."""
    have = {m[0].strip("{}?").replace("...", "") for m in listed}
    pieces = re.findall(r"\{([^}.]*)(\.*)\}", route)
    paths = {p["member"] for p in of["operation"]["paths"]}
    members = [(n, "given") for n in of["given"]]
    if route.startswith("POST"):
        members += [(n, "given") for n, _ in pieces]
    for name, is_of in described(of["operation"]["input"] or {}, paths):
        dots = dict(pieces).get(name)
        if dots is None and name not in of["given"]:
            members.append((name, is_of))
        elif dots is not None and name not in have:
            members.append(("{" + name + dots + "}", is_of))
    query = "?" if of["filter"] == "lh-ingest" else ""  # its body is the table
    return [(n if n[0] == "{" else query + n, c) for n, c in members if n not in have or n[0] == "{"]


rows = [line.rstrip("\n").split("|") for line in sys.stdin if line.strip() and line[0] != "#"]
by_route = {o["route"]: o for o in map(json.loads, open(operations))}
for row in rows:
    row[3] = [tuple(m.split()) for m in row[3].split(";") if m.strip()]
for row in rows:
    if row[1] in by_route:
        same = [m for r in rows if r[1] == row[1] for m in r[3]]
        row[3] += all_members(row[1], same, by_route.pop(row[1]))
for o in by_route.values():
    rows.append([o["filter"], o["route"], "", all_members(o["route"], [], o)])
if not url:
    for row in rows:
        print("|".join(row[:3]) + "|" + "; ".join(" ".join(m) for m in row[3]))
    sys.exit()
every = {re.split(r"[.\[]", m[0])[0].strip("{}?.") for row in rows for m in row[3]}
asked = 0
for filter, route, request, listed in rows:
    for member, kind in listed:
        if kind in ("data", "inside"):
            continue
        for value in values(kind):
            status, text = send(filter, route, request, member, value)
            asked += 1
            if "canary" in text or status == 0:
                complain(route, member, value, "answers", status, text[:300])
            if kind in ("refused", "key", "given") and not 400 <= status < 500 and status != 503:
                complain(route, member, value, "is answered with", status, text[:200])
    # a member of another filter is not one of this
    if route.startswith("POST") and filter not in ("lh-ingest", "lh-iterate", "lh-chat"):
        for member in sorted(every - {m[0].split("[")[0].split(".")[0] for m in listed}):
            status, text = send(filter, route, request, member, HOSTILE[0])
            asked += 1
            if "canary" in text or status == 0:
                complain(route, member, "answers", status, text[:300])
print(asked, "requests,", wrong, "wrong", file=sys.stderr)
sys.exit(wrong > 0)
