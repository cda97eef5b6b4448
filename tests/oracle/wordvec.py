#!/usr/bin/env python3
"""Texts by a table of word vectors again, from lhw(5), slowly.

    wordvec.py TABLE <RECORDS    the mean of each record's text, before it gets unit
                                 length, in base64 as lh-embed --encoding base64
                                 has it; TABLE is as GloVe writes it
"""
import base64
import json
import struct
import sys

import embed

A = 1e-3


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def one_word(word):
    """The folded word, when a text can have it as one."""
    found = list(embed.tokens(word))
    if len(found) != 1 or not list(embed.tokens(word[0])):
        return None
    if embed.kind(word[-1])[0] == "GAP" and word[-1] not in found[0][0]:
        return None
    return found[0]


def grams(token):
    word, single = token[0], token[1]
    if single or all(c in "0123456789" for c in word):
        return []
    s = "<" + word + ">"
    return [s[i:i + n] for n in (3, 4, 5) for i in range(len(s) - n + 1)]


class Table:
    def __init__(self, path):
        self.number, self.rows, self.listed = {}, [], {}
        for line in open(path, encoding="utf-8"):
            word, *v = line.split()
            token = one_word(word)
            if token is None or token[0] in self.number:
                continue
            n = self.number[token[0]] = len(self.rows)
            self.rows.append([f32(float(x)) for x in v])
            for g in dict.fromkeys(grams(token)):
                self.listed.setdefault(g, []).append(n)
        ranks = [1 / (r + 1 + 2.7) for r in range(len(self.rows))]
        c = sum(ranks)
        self.weight = [f32(A / (A + 1 / c / (r + 1 + 2.7))) for r in range(len(self.rows))]

    def like(self, token):
        score, known, mine = {}, 0, grams(token)
        for g in mine:
            words = self.listed.get(g, [])[:16]
            known += bool(words)
            for w in words:
                score[w] = score.get(w, 0) + 720720 // len(words)
        best = sorted(score.items(), key=lambda s: (-s[1], s[0]))[:8]
        total = sum(s for _, s in best)
        return [(w, f32(self.weight[-1] * known / len(mine) * s / total)) for w, s in best]

    def mean(self, text):
        sums, count = [0.0] * len(self.rows[0]), 0
        for token in embed.tokens(text):
            n = self.number.get(token[0])
            parts = self.like(token) if n is None else [(n, self.weight[n])]
            count += bool(parts)
            for w, weight in parts:
                for i, x in enumerate(self.rows[w]):
                    sums[i] += weight * x
        return [f32(s / count) for s in sums]


def main():
    table = Table(sys.argv[1])
    for line in sys.stdin:
        v = table.mean(json.loads(line)["text"])
        print(base64.b64encode(struct.pack("<%df" % len(v), *v)).decode())


if __name__ == "__main__":
    main()
