"""Drawn joins and subqueries over JSON Lines: the rows of lh-query are those of sqlite3 over
loaded tables.

    joins.py SEED QUERIES

Writes a.jsonl, b.jsonl and c.jsonl, and prints how many queries and rows were compared.
"""
import json, random, sqlite3, subprocess, sys
seed, n = int(sys.argv[1]), int(sys.argv[2])
r = random.Random(seed)
values = [1, 2, 1.0, 2.5, "1", "1.0", " 1 ", "2.5", "2.50", "x", "X", "", "9007199254740993", 9007199254740993, 9007199254740992.0,
          -0.0, 0, "0", "-0", "1e0", "1e", ".5", 0.5, "5.", 5, None, "0x1", "+1", "é"]
db = sqlite3.connect(":memory:")
for t, rows in (("a", 60), ("b", 40), ("c", 25)):
    db.execute(f"create table {t} (k, j, n)")
    with open(f"{t}.jsonl", "w") as f:
        for i in range(rows):
            row = {"k": r.choice(values), "j": r.choice(values), "n": i}
            f.write(json.dumps(row) + "\n")
            db.execute(f"insert into {t} values (?,?,?)", list(row.values()))
def side(t):
    c = f"{t}.{r.choice('kj')}"
    return r.choice([c, c, c, f"cast({c} as text)", f"cast({c} as integer)", f"cast({c} as real)", f"{c} || ''", f"+{c}", f"{t}.n", f"{t}.n / 2"])
def equal(x, y):
    return " and ".join(f"{side(x)} = {side(y)}" for _ in range(r.choice((1, 1, 2))))
lines, want = [], []
for _ in range(n):
    how = r.choice(("", "", "left ", "full ", "right "))
    q = r.choice([
        lambda: f"select a.n x, b.n y from a {how}join b on {equal('a', 'b')}",
        lambda: f"select a.n x, b.n y, c.n z from a {how}join b on {equal('a', 'b')} join c on {equal(r.choice('ab'), 'c')}",
        lambda: f"select a.n x from a where {side('a')} {r.choice(('in', 'not in'))} (select {side('b')} from b)",
        lambda: f"select a.n x from a where {r.choice(('', 'not '))}exists (select 1 from b where {equal('a', 'b')} and b.n > a.n / 3)",
        lambda: f"select a.n x, (select count(*) from b where {equal('a', 'b')}) y from a",
        lambda: f"select x.n x, y.n y from b x join b y on {equal('x', 'y')} and x.n < y.n",
        lambda: f"select a.n x, b.n y from a, b where {equal('a', 'b')} or a.n = b.n",
        lambda: f"select a.n x, b.n y from a join b on a.k = b.k collate nocase where a.n < b.n",
        lambda: f"select a.n x, b.n y from a join b on a.k is b.j",
    ])()
    lines.append(json.dumps({"sql": q}))
    want.append(sorted(json.dumps(list(x)) for x in db.execute(q)))
out = subprocess.run(["lh-query", "--sample", "0", "a=a.jsonl", "b=b.jsonl", "c=c.jsonl"], input="\n".join(lines) + "\n", text=True, capture_output=True)
got = [json.loads(l) for l in out.stdout.splitlines()]
assert len(got) == n, out.stderr
rows = 0
for l, w, g in zip(lines, want, got):
    assert "rows" in g, (l, g)
    have = sorted(json.dumps(x) for x in g["rows"])
    rows += len(w)
    assert have == w, (l, w[:5], have[:5])
assert rows > n, rows
print(n, rows)
