#!/usr/bin/env python3
"""A stand-in for Ollama on loopback that has one model: a GGUF file, read by tokens.py and oracle.py.

    ollama.py MODEL

Prints its port on stdout and serves POST /api/embed until it is killed.  The name of the model
is ignored.  The vectors are those of the file in float64, so that it is slow: a model of one
layer and a few texts.
"""
import http.server
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model"))
import oracle  # noqa: E402
import tokens  # noqa: E402


class Ollama(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/api/embed":
            self.send_error(404)
            return
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        vectors = [model.vectors(words.run(text), False)[0] for text in texts]
        body = json.dumps({"model": asked["model"], "embeddings": vectors}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    words = tokens.Model(sys.argv[1])
    model = oracle.Model(sys.argv[1], oracle.gelu_tanh)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ollama)
    print(server.server_port, flush=True)
    server.serve_forever()
