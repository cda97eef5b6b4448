#!/usr/bin/env python3
"""How good rankings are: hybrid.py CORPUS QUERIES NAME=ANSWERS...

ANSWERS are lines of lh-search, or of ids, one for each query; ANSWERS+ANSWERS is the fusion of
two by ranks, 1 / (60 + rank), as --hybrid made it before it used scores.  For queries with
"own", the id of the one right answer: nDCG@10.  For others, sentences of demand: the lowest
role precision@5 and city@1 of the styles, without those whose role and city nobody has.
"""
import collections
import json
import math
import sys


def answers(path):
    with open(path, encoding="utf-8") as f:
        for line in map(json.loads, f):
            yield line if isinstance(line, list) else [hit["id"] for hit in line["results"]]


def by_ranks(rankings):
    score = collections.Counter()
    for ranking in rankings:
        for rank, i in enumerate(ranking[:100], 1):
            score[i] += 1 / (60 + rank)
    return sorted(score, key=lambda i: -score[i])


def ndcg(queries, rankings):
    places = [ranking[:10].index(q["own"]) for q, ranking in zip(queries, rankings) if q["own"] in ranking[:10]]
    return "%.4f" % (sum(1 / math.log2(place + 2) for place in places) / len(queries))


def demand(queries, rankings, corpus):
    have = {(w["role"], w["city"]) for w in corpus.values()}
    role, city, n = collections.Counter(), collections.Counter(), collections.Counter()
    for q, ranking in zip(queries, rankings):
        if (q["role"], q["city"]) in have:
            n[q["style"]] += 1
            role[q["style"]] += sum(corpus[i]["role"] == q["role"] for i in ranking[:5]) / 5
            city[q["style"]] += corpus[ranking[0]]["city"] == q["city"]
    return "\t".join("%.3f" % min(sums[style] / n[style] for style in n) for sums in (role, city))


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


asked = lines(sys.argv[2])
rows = {} if "own" in asked[0] else {w["id"]: w for w in lines(sys.argv[1])}
for argument in sys.argv[3:]:
    name, _, paths = argument.partition("=")
    found = [by_ranks(lists) if "+" in paths else lists[0] for lists in zip(*map(answers, paths.split("+")))]
    print(name, ndcg(asked, found) if "own" in asked[0] else demand(asked, found, rows), sep="\t")
