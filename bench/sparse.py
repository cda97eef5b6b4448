#!/usr/bin/env python3
"""Package descriptions as a learned sparse encoder might write them: sparse.py CORPUS OUT IDF

CORPUS has hash, package, synopsis and description in columns.  The 30,000 most frequent words are
the vocabulary.  A text has its words, with ln(1 + count) times 0.8 to 1.2, and as its expansion 80
words more, drawn as often as texts have them, with 0.05 to 0.8.  IDF gets ln((N + 1) / (n + 0.5))
of each word that n of N texts have.
"""
import collections
import json
import math
import random
import re
import sys

corpus, out, idf = sys.argv[1:]
rng = random.Random(1)
with open(corpus, encoding="utf-8") as f:
    rows = [line.rstrip("\n").split("\t") for line in f]
texts = [collections.Counter(re.findall("[a-z0-9]+", row[3].lower())) for row in rows]
of = collections.Counter(word for text in texts for word in text)
words = [word for word, _ in of.most_common(30000)]
sums, total = [], 0
for word in words:
    total += of[word]
    sums.append(total)
known = set(words)
has = collections.Counter()
with open(out, "w", encoding="utf-8") as f:
    for row, text in zip(rows, texts):
        weights = {w: round(rng.uniform(0.05, 0.8), 4) for w in rng.choices(words, cum_weights=sums, k=80)}
        weights.update((w, round(math.log1p(n) * rng.uniform(0.8, 1.2), 4)) for w, n in text.items() if w in known)
        has.update(weights.keys())
        print(json.dumps({"id": row[1], "text": row[3], "w": weights}), file=f)
with open(idf, "w", encoding="utf-8") as f:
    json.dump({w: round(math.log((len(rows) + 1) / (n + 0.5)), 4) for w, n in has.items()}, f)
