#!/usr/bin/env python3
"""The peer: SQLite FTS5's bm25 with the porter tokenizer, over the same texts
and queries as eval.  A query is the OR of the synopsis' words.  After recall and
MRR come the milliseconds of processor time a query, the bytes a text, and nDCG@10.

usage: bm25.py corpus.tsv even|odd N
"""
import math
import re
import sqlite3
import sys
import time

path, half, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(path, encoding="utf-8") as f:
    rows = [line.rstrip("\n").split("\t") for line in f]

db = sqlite3.connect(":memory:")
db.execute("create virtual table t using fts5(body, content='', tokenize='porter unicode61')")
db.executemany("insert into t(rowid, body) values (?, ?)",
               ((i, row[3]) for i, row in enumerate(rows)))

db.execute("insert into t(t) values ('optimize')")
size = db.execute("select sum(length(block)) from t_data").fetchone()[0]

asked = hits = mrr = ndcg = took = 0
for i, (md5, _, synopsis, _) in enumerate(rows):
    if asked == most:
        break
    if (int(md5[-1], 16) & 1) != (half == "odd"):
        continue
    asked += 1
    query = " OR ".join('"%s"' % w for w in re.findall(r"\w+", synopsis))
    if not query:
        continue
    took -= time.process_time()
    top = [r[0] for r in db.execute(
        "select rowid from t where t match ? order by rank, rowid limit 10", (query,))]
    took += time.process_time()
    if i in top:
        hits += 1
        mrr += 1 / (top.index(i) + 1)
        ndcg += 1 / math.log2(top.index(i) + 2)

print("bm25\t%s\t%d\t%.4f\t%.4f\t%.2f\t%.1f\t%.4f"
      % (half, asked, hits / asked, mrr / asked, took / asked * 1e3, size / len(rows), ndcg / asked))
