"""mcp_http - messages of the Model Context Protocol over HTTP, for tests of POST /mcp.

    from mcp_http import *
    a = modern("tools/list")                    # of revision 2026-07-28, with its headers
    a = older("tools/list")                     # of 2025-11-25
    must(a.status == 200 and a.result()["tools"])
    c = Client().send(posted(*modern_parts("tools/call", {"name": "echo"})))
"""
from http_raw import *

MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def message(method, params=None, id=1):
    m = {"jsonrpc": "2.0", "id": id, "method": method}
    if params is not None:
        m["params"] = params
    if id is None:
        del m["id"]
    return m


def with_meta(params=None, version=MODERN, capabilities={}):
    meta = {META + "protocolVersion": version, META + "clientCapabilities": capabilities}
    return {**(params or {}), "_meta": {k: v for k, v in meta.items() if v is not None}}


def modern_parts(method, params=None, id=1):
    """The body and the headers of a request of the modern era."""
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if method in NAMED and NAMED[method] in (params or {}):
        headers["Mcp-Name"] = params[NAMED[method]]
    return message(method, with_meta(params), id), headers


def posted(body, headers={}, target="/mcp"):
    """A request as bytes: body is bytes, text or what becomes JSON, headers a dict or lines."""
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    if isinstance(headers, dict):
        headers = ["%s: %s" % h for h in headers.items() if h[1] is not None]
    if not any(h.lower().startswith("accept:") for h in headers):
        headers = ["Accept: application/json, text/event-stream"] + list(headers)
    return request("POST", target, body, headers)


def say(body, headers={}, port=None):
    """Post it on a connection of its own; the answer also has result() and code()."""
    c = Client(port).send(posted(body, headers))
    a = c.answer()
    c.close()
    return a


def modern(method, params=None, id=1, headers={}, port=None):
    body, all = modern_parts(method, params, id)
    return say(body, {**all, **headers}, port)


def older(method, params=None, id=1, version="2025-11-25", port=None):
    return say(message(method, params, id), {"MCP-Protocol-Version": version}, port)


def call(name, arguments=None, id=1, port=None):
    return modern("tools/call", {"name": name, "arguments": arguments or {}}, id, port=port)


def result(a, id=1):
    """The result of an answer of status 200."""
    must(a.status == 200 and a.get("content-type") == "application/json", a.status, a.headers, a.body)
    m = a.json()
    must(m.get("jsonrpc") == "2.0" and m.get("id") == id and "result" in m, m)
    return m["result"]


def code(a):
    """The code of the error of an answer, or None."""
    return a.json().get("error", {}).get("code") if a.body else None


def structured(a, id=1):
    """The structured content of a call that went well, which is its text, too."""
    r = result(a, id)
    must(r["isError"] is False, r)
    must(json.loads(r["content"][0]["text"]) == r["structuredContent"], r)
    return r["structuredContent"]


def failure(a, id=1):
    """The text of a call that failed."""
    r = result(a, id)
    must(r["isError"] is True and "structuredContent" not in r, r)
    return r["content"][0]["text"]
