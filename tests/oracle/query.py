"""query.py SEED COUNT - random tables and queries for tests/lake/lh-query-oracle.bats.

Writes t.jsonl and u.jsonl and prints a line {"sql":...} for each query.  The queries
have one meaning in SQLite and DuckDB: names and types are those of both, every
order is total, and averages are of whole numbers.
"""
import json
import random
import sys

rng = random.Random(int(sys.argv[1]))
CITIES = ["Chicago", "Houston", "Gary", "São Paulo", "東京", "", "O'Hare", 'a"b', "x,y", "Z"]
COLUMNS = {
    "k": lambda: rng.randrange(60),
    "n": lambda: rng.choice([0, 1, -1, 7, 1000000, rng.randrange(-100, 100)]),
    "f": lambda: rng.choice([0.5, 1.25, -3.75, rng.randrange(-1000, 1000) / 8]),
    "s": lambda: rng.choice(CITIES),
    "b": lambda: rng.random() < 0.5,
}
NUMBERS, TEXTS = ["k", "n"], ["s"]


def table(name, rows):
    with open(name + ".jsonl", "w", encoding="utf-8") as f:
        for i in range(rows):
            r = {"id": i}
            for c, make in COLUMNS.items():
                x = rng.random() if i else 1
                if x > 0.1:
                    r[c] = make()
                elif x > 0.05:
                    r[c] = None
            items = list(r.items())
            rng.shuffle(items)
            f.write(json.dumps(dict(items), ensure_ascii=rng.random() < 0.5) + "\n")


def value(t):
    kind = rng.randrange(5)
    if kind == 0:
        return f"{t}.{rng.choice(NUMBERS)} {rng.choice(['=', '<', '>', '<=', '>=', '<>'])} {rng.randrange(-5, 60)}"
    if kind == 1:
        return f"{t}.s {rng.choice(['=', '<', '>', '<>'])} '{rng.choice(CITIES).replace(chr(39), chr(39) * 2)}'"
    if kind == 2:
        return f"{t}.{rng.choice(list(COLUMNS))} IS {rng.choice(['', 'NOT '])}NULL"
    if kind == 3:
        return f"{rng.choice(['', 'NOT '])}{t}.b"
    return f"{t}.f {rng.choice(['<', '>'])} {rng.randrange(-400, 400) / 8}"


def where(*tables):
    terms = [value(rng.choice(tables)) for _ in range(rng.randrange(4))]
    if not terms:
        return ""
    out = terms[0]
    for term in terms[1:]:
        out = f"({out} {rng.choice(['AND', 'OR'])} {term})"
    return " WHERE " + out


def aggregates(t):
    choice = [f"count(*)", f"count({t}.n)", f"sum({t}.n)", f"min({t}.k)", f"max({t}.s)", f"avg({t}.n)", f"min({t}.f)",
              f"count(DISTINCT {t}.s)", f"sum({t}.f)", f"sum(CASE WHEN {t}.b THEN 1 ELSE 0 END)"]
    return [f"{e} a{i}" for i, e in enumerate(rng.sample(choice, rng.randrange(1, 4)))]


def query():
    kind = rng.randrange(7)
    if kind == 0:
        cols = rng.sample(list(COLUMNS), rng.randrange(1, 5))
        return f"SELECT id, {', '.join(cols)} FROM t{where('t')} ORDER BY id {rng.choice(['', 'DESC '])}LIMIT {rng.randrange(1, 50)}"
    if kind == 1:
        g = rng.choice(["k", "s", "b"])
        return f"SELECT {g}, {', '.join(aggregates('t'))} FROM t{where('t')} GROUP BY {g} ORDER BY {g}"
    if kind == 2:
        on = rng.choice(["t.k = u.k", "t.s = u.s AND t.k = u.k", "t.id = u.k"])
        join = rng.choice(["JOIN", "LEFT JOIN"])
        return f"SELECT t.id i, u.id j, u.s FROM t {join} u ON {on}{where('t')} ORDER BY t.id, u.id LIMIT 60"
    if kind == 3:
        return f"SELECT {', '.join(aggregates('t'))} FROM t WHERE k IN (SELECT k FROM u{where('u')})"
    if kind == 4:
        return f"SELECT id, (SELECT count(*) FROM u WHERE u.k = t.k) c FROM t{where('t')} ORDER BY id LIMIT 30"
    if kind == 5:
        op = rng.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
        return f"SELECT k, s FROM t{where('t')} {op} SELECT k, s FROM u{where('u')} ORDER BY 1, 2"
    return f"WITH c AS (SELECT s, count(*) n FROM t{where('t')} GROUP BY s) SELECT c.s, c.n, u.id FROM c JOIN u ON u.s = c.s ORDER BY c.s, u.id LIMIT 40"


table("t", 400)
table("u", 120)
for _ in range(int(sys.argv[2])):
    print(json.dumps({"sql": query()}))
