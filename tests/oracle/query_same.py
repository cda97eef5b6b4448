"""query_same.py REQUESTS ANSWERS... - compare answers in --wire with those of Python's sqlite3.

Numbers are compared by value, and true with 1, which SQLite has for it.
"""
import json
import sqlite3
import sys

db = sqlite3.connect(":memory:")
for name in "tu":
    rows = [json.loads(line) for line in open(name + ".jsonl", encoding="utf-8")]
    columns = list(dict.fromkeys(c for r in rows for c in r))
    db.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
    db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", [[r.get(c) for c in columns] for r in rows])

answers = [open(path, encoding="utf-8").readlines() for path in sys.argv[2:]]
full = 0
for number, line in enumerate(open(sys.argv[1], encoding="utf-8")):
    sql = json.loads(line)["sql"]
    want = [list(r) for r in db.execute(sql)]
    full += bool(want)
    for path, lines in zip(sys.argv[2:], answers):
        got = json.loads(lines[number])
        if got.get("rows") != want or got["row_count"] != len(want):
            sys.exit(f"{path}: {sql}\n  got  {str(got)[:600]}\n  want {str(want)[:600]}")
for path, lines in zip(sys.argv[2:], answers):
    if len(lines) != number + 1:
        sys.exit(f"{path}: {len(lines)} answers")
print(full)
