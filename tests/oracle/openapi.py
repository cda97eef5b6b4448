"""Read an OpenAPI 3.1 document from stdin and print its routes, METHOD PATH, sorted.

It checks what the specification requires of the objects that are there.
"""
import json
import re
import sys

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def members(what, o, required, optional=()):
    assert isinstance(o, dict), what
    missing = set(required) - set(o)
    extra = {k for k in o if not k.startswith("x-")} - set(required) - set(optional)
    assert not missing and not extra, (what, "lacks", missing, "has", extra)


def no_twice(pairs):
    assert len({k for k, _ in pairs}) == len(pairs), [k for k, _ in pairs]
    return dict(pairs)


def content(what, o):
    for kind, media in o.items():
        assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind), (what, kind)
        members(what, media, [], ["schema", "example"])
        schema((what, kind), media.get("schema", True))


TYPES = {"null", "boolean", "object", "array", "number", "string", "integer"}
KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "minimum",
            "maximum", "exclusiveMinimum", "minLength", "maxLength", "minItems", "pattern", "format", "default",
            "description", "allOf", "anyOf", "not", "$ref"}


def schema(what, s):
    """Check a schema of JSON Schema 2020-12, as far as its keywords are written here."""
    assert isinstance(s, (dict, bool)), what
    if isinstance(s, bool):
        return
    unknown = {k for k in s if k not in KEYWORDS and not k.startswith("x-")}
    assert not unknown, (what, unknown)
    types = s.get("type", [])
    types = types if isinstance(types, list) else [types]
    assert set(types) <= TYPES and len(set(types)) == len(types), (what, types)
    assert all(isinstance(n, str) for n in s.get("required", [])), what
    assert "enum" not in s or s["enum"], what
    re.compile(s.get("pattern", ""))
    for name, p in s.get("properties", {}).items():
        schema(what + (name,), p)
    for k in ("items", "additionalProperties", "not"):
        schema(what + (k,), s.get(k, True))
    for part in s.get("allOf", []) + s.get("anyOf", []):
        schema(what, part)
    if "$ref" in s:
        resolve(s)


def resolve(o):
    """Follow a reference inside the document."""
    if "$ref" not in o:
        return o
    at = d
    assert o["$ref"].startswith("#/"), o
    for step in o["$ref"][2:].split("/"):
        at = at[step]
    return at


d = json.load(sys.stdin, object_pairs_hook=no_twice)
members("document", d, ["openapi", "info", "paths"], ["components", "servers", "security", "tags"])
assert re.fullmatch(r"3\.1\.\d+", d["openapi"])
members("info", d["info"], ["title", "version"], ["description", "license"])
schemes = d.get("components", {}).get("securitySchemes", {})
for name, s in schemes.items():
    assert s["type"] in ("http", "apiKey"), name
    assert ("scheme" in s) if s["type"] == "http" else {"name", "in"} <= set(s), name
for name, s in d.get("components", {}).get("schemas", {}).items():
    schema((name,), s)
routes, templates, ids = [], set(), set()
for path, item in d["paths"].items():
    assert path.startswith("/"), path
    names = re.findall(r"\{([^}]+)\}", path)
    assert len(set(names)) == len(names), path
    template = re.sub(r"\{[^}]+\}", "{}", path)
    assert template not in templates, (path, "is there under another name")
    templates.add(template)
    assert item and set(item) <= METHODS, path
    for method, op in item.items():
        what = method + " " + path
        members(what, op, ["responses"], ["summary", "description", "parameters", "requestBody",
                                          "security", "operationId", "tags"])
        if "operationId" in op:
            assert op["operationId"] not in ids, what
            ids.add(op["operationId"])
        given = op.get("parameters", [])
        assert len({(p["name"], p["in"]) for p in given}) == len(given), what
        for p in given:
            members(what, p, ["name", "in"], ["required", "schema", "description", "content"])
            assert p["in"] in ("path", "query", "header", "cookie"), what
            assert p["in"] != "path" or p.get("required") is True, what
            assert ("schema" in p) != ("content" in p), what
            schema((what, p["name"]), p.get("schema", True))
        assert {p["name"] for p in given if p["in"] == "path"} == set(names), what
        if "requestBody" in op:
            members(what, op["requestBody"], ["content"], ["required", "description"])
            content(what, op["requestBody"]["content"])
        assert op["responses"], what
        for code, r in op["responses"].items():
            assert re.fullmatch(r"[1-5](\d\d|XX)|default", code), what
            r = resolve(r)
            members(what, r, ["description"], ["content", "headers"])
            content(what, r.get("content", {}))
        for s in op.get("security", []):
            assert set(s) <= set(schemes), what
        routes.append(method.upper() + " " + path)
print("\n".join(sorted(routes)))
