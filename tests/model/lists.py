#!/usr/bin/env python3
"""Lists of token ids for tests, one of each length: [CLS] first, [SEP] last.

    lists.py MODEL LENGTH...

It reads the keys of a model, not its weights.
"""
import json
import sys

sys.dont_write_bytecode = True
from oracle import File

key = File(sys.argv[1]).key
cls, sep = (key["tokenizer.ggml.%s_token_id" % name] for name in ("cls", "seperator"))
n = len(key["tokenizer.ggml.tokens"])
for length in map(int, sys.argv[2:]):
    inner = [5 + (i * i * 31 + i * 17 + length) % (n - 5) for i in range(length - 2)]
    print(json.dumps(([cls] + inner + [sep])[:length]))
