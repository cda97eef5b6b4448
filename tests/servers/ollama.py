#!/usr/bin/env python3
"""A stand-in for Ollama on loopback that has one model: a GGUF file, read by tokens.py and oracle.py.

    ollama.py MODEL

Prints its port on stdout and serves POST /api/embed until it is killed.  The name of the model
is ignored.  The vectors are those of the file in float64, so that it is slow: a model of one
layer and a few texts.
"""
import json
import os
import sys

import loopback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model"))
import oracle  # noqa: E402
import tokens  # noqa: E402


class Ollama(loopback.Handler):
    def do_POST(self):
        asked = json.loads(self.body())
        if self.path != "/api/embed":
            self.send_error(404)
            return
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        vectors = [model.vectors(words.run(text), False)[0] for text in texts]
        self.send(200, json.dumps({"model": asked["model"], "embeddings": vectors}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    words = tokens.Model(sys.argv[1])
    model = oracle.Model(sys.argv[1], oracle.gelu_tanh)
    loopback.serve(Ollama)
