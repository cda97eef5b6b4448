#!/usr/bin/env python3
"""bodies.py forbidden|allowed URL < served-members.txt - send to each route of /openapi.json that
has a schema of its body what this forbids, which must be 400, or what it allows, which must not
be, and whose answer must fit the schema of answers.  A request that is allowed is the one of
served-members.txt, with null where the schema has it, or made of the schema."""
import copy
import http.client
import json
import re
import sys
import urllib.parse

what, url = sys.argv[1:]
connection = http.client.HTTPConnection(urllib.parse.urlparse(url).netloc, timeout=600)
wrong = sent = 0


def ask(method, path, body=None):
    for _ in (1, 2):
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (http.client.HTTPException, ConnectionError):
            connection.close()
    return 0, "no answer"


def types(schema):
    t = schema.get("type", list(KINDS))
    return t if isinstance(t, list) else [t]


KINDS = {"null": None, "boolean": True, "integer": 7, "number": 7.5, "string": "w", "array": [], "object": {}}
IS = {"null": lambda v: v is None, "boolean": lambda v: isinstance(v, bool),
      "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
      "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
      "string": lambda v: isinstance(v, str), "array": lambda v: isinstance(v, list),
      "object": lambda v: isinstance(v, dict)}


def unfit(s, v, at=""):
    """Where a value does not fit a schema, or None; without allOf, which says what may be missing."""
    if not any(IS[t](v) for t in types(s)):
        return at + " is not of " + str(types(s))
    if "enum" in s and v not in s["enum"]:
        return at + " is not listed"
    if IS["number"](v) and not s.get("minimum", v) <= v <= s.get("maximum", v):
        return at + " is out of range"
    if isinstance(v, list):
        return next((e for i, x in enumerate(v) if (e := unfit(s.get("items", {}), x, "%s[%d]" % (at, i)))), None)
    if not isinstance(v, dict):
        return None
    missing = [n for n in s.get("required", []) if n not in v]
    if missing or (s.get("additionalProperties") is False and set(v) - set(s["properties"])):
        return at + " lacks or has more: " + str(missing or set(v) - set(s["properties"]))
    return next((e for n, x in v.items() if (e := unfit(s.get("properties", {}).get(n, {}), x, at + "." + n))), None)


def fitting(s):
    """A value that fits a schema, with what is required alone."""
    if "enum" in s:
        return s["enum"][0]
    kind = types(s)[0] if "type" in s else "string"
    if kind in ("integer", "number"):
        return s.get("maximum", 1) if "exclusiveMinimum" in s else s.get("minimum", 1)
    if kind == "object":
        return {n: fitting(p) for n, p in s.get("properties", {}).items() if n in s["required"]}
    return [fitting(s.get("items", {}))] if kind == "array" else KINDS[kind]


def forbidden(s):
    """Values that a schema forbids, one for each condition."""
    allowed = types(s)
    for kind, v in KINDS.items():
        if kind not in allowed and not (kind == "integer" and "number" in allowed):
            yield v
    if "enum" in s:
        yield "not listed"
    if "minimum" in s:
        yield s["minimum"] - 1
    if "exclusiveMinimum" in s:
        yield s["exclusiveMinimum"]
    if "maximum" in s:
        yield s["maximum"] + 1
    if "minLength" in s:
        yield ""
    if "maxLength" in s and "string" in allowed and "type" in s:
        yield "x" * (s["maxLength"] + 1)
    if "pattern" in s:
        yield "../x"
    if "minItems" in s:
        yield []
    if "items" in s:
        yield from ([v] for v in forbidden(s["items"]) if v is not None)
    if "properties" in s:
        whole = fitting(s)
        for name, p in s["properties"].items():
            yield from ({**whole, name: v} for v in forbidden(p) if "type" in p
                        and (v is not None or name in s["required"] or "items" not in p))
        yield from ({n: v for n, v in whole.items() if n != name} for name in s["required"])
        if s.get("additionalProperties") is False:
            yield {**whole, "no_member": 1}


samples = {}
for line in sys.stdin:
    row = line.rstrip("\n").split("|")
    if line[0] != "#" and len(row) == 4 and row[2].startswith("{"):
        samples.setdefault(row[1], json.loads(row[2]))
status, text = ask("GET", "/openapi.json")
assert status == 200, text
document = json.loads(text)
error = document["components"]["schemas"]["Error"]
for path, item in document["paths"].items():
    schema = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if not schema or "properties" not in schema:
        continue
    if "x-off" in item["post"]:
        continue  # which is said before a body is read
    target = re.sub(r"\{[^}]*\}", "w", path)
    if what == "forbidden":
        bodies = [b for b in forbidden(schema) if isinstance(b, dict)]
    else:
        whole = samples.get("POST " + path) or fitting(schema)
        nulls = {n: None for n, p in schema["properties"].items() if n not in whole and "null" in types(p) and "type" in p}
        bodies = [whole, {**copy.deepcopy(whole), **nulls}]
    for body in bodies:
        status, text = ask("POST", target, body)
        answer = json.loads(text)
        sent += 1
        if status < 300:
            why = unfit(item["post"]["responses"]["200"]["content"]["application/json"]["schema"], answer)
        else:
            why = unfit(error, answer) or ("error" not in answer and len(answer) != 1 and "no error")
        if (status == 400) != (what == "forbidden") or why or (what == "allowed" and unfit(schema, body)):
            wrong += 1
            print("POST", path, json.dumps(body)[:300], status, text[:300], why or "", unfit(schema, body) or "")
print(sent, "bodies")
sys.exit(wrong > 0 or sent < 40)
