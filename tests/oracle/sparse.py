#!/usr/bin/env python3
"""Searches by weighted terms, computed anew from lh-index(1), lh-search(1) and lhv(5).

    sparse.py make SEED ROWS      records, the table of query weights and queries, as rows.jsonl,
                                  idf.json and queries.jsonl in the current folder
    sparse.py answer IDF QUERIES K ROWS...
                                  for each query the ids and scores; ROWS are NAME=FILE, a corpus
                                  each, of which a record with the id of an earlier one replaces it
"""
import json
import random
import struct
import sys
import unicodedata

# Terms that a text can have, and others: any bytes, also of the marks that the cutting uses.
PIECES = ["a", "b", "ab", "abc", "##a", "##b", "##bc", "##cab", "c", "ca", "##c", "é", "##é", "e", "##e",
          "straße", "水", "-", "x", "##x", "##y", "xy", "▁", "▁a", "##", "", "#", "##▁a", "A", "\u0000", "\"\\", "\U0001f600"]


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def pieces(table, text):
    """The pieces of a text as BERT's WordPiece cuts it: lower case, without accents."""
    words, word = [], ""
    for char in text + " ":
        for c in unicodedata.normalize("NFD", char)[:1]:
            kind = unicodedata.category(c)
            if kind in ("Mn", "Mc", "Me", "Cf", "Co", "Cs") or (kind == "Cc" and not c.isspace()):
                continue
            alone = kind[0] == "P" or (kind[0] == "S" and c < "\x80") or "\u4e00" <= c <= "\u9fff"
            if (c.isspace() or alone) and word:
                words.append(word)
                word = ""
            if alone:
                words.append(c)
            elif not c.isspace():
                word += c.lower()
    for word in words:
        found, at = [], 0
        while at < len(word):
            for end in range(len(word), at, -1):
                piece = ("##" if at else "") + word[at:end]
                if piece in table and not (at == 0 and piece[:2] == "##" and len(piece) > 2):
                    break
            else:
                break
            found.append(piece)
            at = end
        if at == len(word):
            yield from found


def make(seed, rows):
    rng = random.Random(seed)
    weight = lambda: rng.choice([0, 0, 1, 2, 0.5, 0.1, 3.3, 1e-50, 1e30, rng.random() * 3])
    with open("rows.jsonl", "w", encoding="utf-8") as f:
        for i in range(rows):
            w = rng.choice([{}, None]) if i % 17 == 0 else {t: weight() for t in rng.sample(PIECES, rng.randint(1, 9))}
            row = {"id": f"r{rng.randrange(rows)}", "vector": [rng.random() + 0.1, rng.random()], "n": i % 3, "w": w}
            if i % 29 == 0:
                del row["w"]
            print(json.dumps(row), file=f)
    with open("idf.json", "w", encoding="utf-8") as f:
        json.dump({t: rng.choice([0, 0.5, 1, 1, 2, rng.random() * 5]) for t in rng.sample(PIECES, 24)}, f)
    with open("queries.jsonl", "w", encoding="utf-8") as f:
        for _ in range(40):
            words = ["".join(rng.choice("aabbccexyéA") for _ in range(rng.randint(1, 5))) for _ in range(rng.randint(1, 6))]
            text = " ".join(words + rng.sample(["水", "-", "straße", "##a", "▁a", "\U0001f600", "\x01x"], 2))
            print(json.dumps({"query_text": text}), file=f)


def answer(idf, queries, k, corpora):
    with open(idf, encoding="utf-8") as f:
        table = json.load(f)
    cut = {t: w for t, w in table.items() if t}
    rows = []
    for corpus in corpora:
        name, _, path = corpus.partition("=")
        of = {}
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            of[row["id"]] = row.get("w") or {}
        rows += [(name, i, {t: f32(w) for t, w in terms.items()}) for i, terms in of.items()]
    for line in open(queries, encoding="utf-8"):
        terms = sorted(set(pieces(cut, json.loads(line)["query_text"])), key=lambda t: (-cut[t], t.encode()))
        hits = []
        for name, i, weights in rows:
            score = 0.0
            for t in terms:
                score += cut[t] * weights.get(t, 0.0)
            if score > 0:
                hits.append((-score, name, i.encode()))
        print(json.dumps([[name, i.decode(), -score] for score, name, i in sorted(hits)[:k]]))


if sys.argv[1] == "make":
    make(int(sys.argv[2]), int(sys.argv[3]))
else:
    answer(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
