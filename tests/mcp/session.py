"""A client of lh-mcp over pipes, and a small checker of JSON Schemas.

    from session import *
    s = Session("S", "--compat")
    r = s.call("search", query="welder")     the result of tools/call, held against outputSchema
"""

import json, os, re, subprocess

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def must(so, *why):
    if not so:
        raise AssertionError(" ".join(str(w)[:2000] for w in why))


def is_type(value, name):
    if name in ("number", "integer"):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and (name == "number" or value == int(value))
    return isinstance(value, TYPES[name])


def wrong(value, schema, at="$"):
    "Return what is wrong with a value, or None.  A keyword that is not known here is an error."
    known = {"type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "minimum", "maximum",
             "exclusiveMinimum", "minLength", "maxLength", "pattern", "minItems", "description", "default"}
    must(set(schema) <= known, at, set(schema) - known)
    types = schema.get("type", [])
    if types and not any(is_type(value, t) for t in (types if isinstance(types, list) else [types])):
        return f"{at}: {value!r} is not {types}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{at}: {value!r} is none of {schema['enum']}"
    if "anyOf" in schema and all(wrong(value, s, at) for s in schema["anyOf"]):
        return f"{at}: " + "; ".join(wrong(value, s, at) for s in schema["anyOf"])
    if is_type(value, "number"):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value) or not value > schema.get("exclusiveMinimum", value - 1):
            return f"{at}: {value} is out of range"
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return f"{at}: too short"
    if isinstance(value, str) and (len(value) > schema.get("maxLength", len(value)) or not re.search(schema.get("pattern", ""), value)):
        return f"{at}: too long, or not {schema.get('pattern')}"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return f"{at}: too few"
        for i, v in enumerate(value):
            bad = wrong(v, schema.get("items", {}), f"{at}[{i}]")
            if bad:
                return bad
    if isinstance(value, dict):
        more = schema.get("additionalProperties", True)
        for name in schema.get("required", []):
            if name not in value:
                return f"{at}: no {name}"
        for name, v in value.items():
            if name not in schema.get("properties", {}) and more is False:
                return f"{at}: {name} is not known"
            bad = wrong(v, schema.get("properties", {}).get(name, more if isinstance(more, dict) else {}), f"{at}.{name}")
            if bad:
                return bad
    return None


class Session:
    def __init__(self, state, *options):
        # the rows of the persons shown go elsewhere: the state stays as the tests made it
        if os.environ.get("LH_SUBJECT_AUDIT_KEY") and "--audit-log" not in options:
            options += ("--audit-log", "rows")
        # without the key of who looked, also of a state of persons
        unkeyed = [] if os.environ.get("LH_SUBJECT_AUDIT_KEY") else ["--no-audit-required"]
        self.p = subprocess.Popen(["lh-mcp", "--state", state, *unkeyed, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.n = 0
        self.seen = ""          # all that it has answered
        self.tools = {t["name"]: t for t in self.ask("tools/list")["result"]["tools"]}

    def ask(self, method, **params):
        self.n += 1
        print(json.dumps({"jsonrpc": "2.0", "id": self.n, "method": method, "params": dict(params, _meta=META)}), file=self.p.stdin, flush=True)
        line = self.p.stdout.readline()
        self.seen += line
        answer = json.loads(line)
        must(answer["id"] == self.n, answer)
        return answer

    def raw(self, tool, arguments):
        return self.ask("tools/call", name=tool, arguments=arguments)["result"]

    def call(self, tool, **arguments):
        "Call with arguments that fit inputSchema; return the structured content."
        must(not wrong(arguments, self.tools[tool]["inputSchema"]), tool, wrong(arguments, self.tools[tool]["inputSchema"]))
        result = self.raw(tool, arguments)
        must(not result.get("isError"), tool, arguments, result)
        content = result["structuredContent"]
        bad = wrong(content, self.tools[tool]["outputSchema"])
        must(not bad, tool, bad)
        must(result["content"][0]["type"] == "text" and json.loads(result["content"][0]["text"]) == content, tool, result)
        self.links = [c for c in result["content"] if c["type"] == "resource_link"]
        must(len(self.links) == len(result["content"]) - 1)
        return content

    def fails(self, tool, arguments, why=None):
        "Call what must fail; return the message."
        result = self.raw(tool, arguments)
        must(result.get("isError") is True and "structuredContent" not in result, tool, arguments, result)
        text = result["content"][0]["text"]
        must(why is None or text == why, tool, arguments, "said", text, "wanted", why)
        return text

    def read(self, uri):
        contents = self.ask("resources/read", uri=uri)["result"]["contents"]
        must(len(contents) == 1 and contents[0]["uri"] == uri, contents)
        return json.loads(contents[0]["text"])

    def end(self):
        self.p.stdin.close()
        must(self.p.wait(600) == 0)
