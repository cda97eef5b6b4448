#!/usr/bin/env python3
"""Our tools behind the wire of the probes whose cases hold what they ask about.

    surfaces.py sql|search|retrieve|storage|chat <REQUESTS

tests/oracle/surfaces.py says what a request holds.  One answer a line.
"""
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading


def tool(argv, data="", statuses=(0,), **env):
    done = subprocess.run(argv, input=data.encode("utf-8"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **env})
    if done.returncode not in statuses:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.decode('utf-8')}")
    return done


def sql(request, folder):
    table = os.path.join(folder, "table.csv")
    with open(table, "w", encoding="utf-8") as f:
        f.write(request["csv"])
    done = tool(["lh-query", "--wire", request["sql"], request["name_of_table"] + "=" + table], statuses=(0, 2))
    return json.loads(done.stdout) if done.returncode == 0 else {"code": 400}


def build(request, folder, *options):
    index = os.path.join(folder, "corpus.lhv")
    lines = "".join(json.dumps(r) + "\n" for r in request["records"])
    tool(["lh-index", "build", "-q", "--distance", request.get("distance", "cosine"), "--exact-below", "1", *options,
          index], lines)
    return index


def answers(index, request, *options):
    done = tool(["lh-search", *options, index], json.dumps(request["query"]) + "\n")
    results = json.loads(done.stdout)["results"]
    return [(r["id"], round(r["distance"], 3)) for r in results]


def search(request, folder):
    return {"results": answers(build(request, folder), request)}


def retrieve(request, folder):
    return {"results": answers(build(request, folder, "--lexical"), request, "--hybrid")}


def one_operation(store, op):
    argv = ["lh-store", op["op"], store] + ([op["key"]] if "key" in op else [])
    if op.get("new"):
        argv.append("--if-none-match")
    done = tool(argv, op.get("text", ""), statuses=(0, 1))
    if done.returncode:
        return {"code": int(re.search(rb"lh-store: (\d{3}): ", done.stderr).group(1))}
    if op["op"] == "get":
        return {"text": done.stdout.decode("utf-8"), "sha256": hashlib.sha256(done.stdout).hexdigest()}
    said = [json.loads(line) for line in done.stdout.splitlines()]
    if op["op"] == "list":
        return {"objects": [[o["key"], o["size"]] for o in said]}
    return {name: said[0][name] for name in ("key", "size", "sha256", "deleted") if name in said[0]}


def storage(request, folder):
    store = os.path.join(folder, "store")
    os.mkdir(store)
    return {"results": [one_operation(store, op) for op in request["operations"]]}


class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sent.append({"path": self.path, "body": json.loads(body)})
        answer = json.dumps(self.server.answer).encode("utf-8")
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def chat(request, _):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.sent, server.answer, server.status = [], request["answer"], request.get("status", 200)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    done = tool(["lh-chat", "--wire", "-q", "--retries", "0", "--on-error", "emit"], json.dumps(request["request"]) + "\n",
                statuses=(0, 1, 2), LH_OLLAMA_URL=url, LH_OLLAMA_CLOUD_URL=url, OLLAMA_CLOUD_KEY="k",
                LH_OPENROUTER_URL=url, OPENROUTER_API_KEY="k", http_proxy="", no_proxy="127.0.0.1")
    server.shutdown()
    server.server_close()
    reply = json.loads(done.stdout)
    reply.pop("latency_ms", None)
    if "error" in reply:
        reply = {"code": reply["error"]["code"]}
    return {"sent": server.sent, "reply": reply}


def main():
    answer = {f.__name__: f for f in (sql, search, retrieve, storage, chat)}[sys.argv[1]]
    for line in sys.stdin:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(answer(json.loads(line), folder), ensure_ascii=False), flush=True)


main()
