"""findability.py churn ROWS ROUNDS <TEXTS - write the records of bench/findability.sh's churn:
start.jsonl; for each round R-delete, a file of ids, and R-add.jsonl; and live.jsonl.

A round deletes half of the rows, adds as many, and replaces three tenths of those that there
are then.  Each record has a text of its own.

findability.py copies COPIES OTHERS equal|near first|last <TEXTS - write records.jsonl and
others.jsonl: copies of five texts, exact ones or each with a word of its own, before or after
OTHERS records of other texts.

findability.py conditions QUERIES SHARE... <WORKERS - write records.jsonl, workers with pay, rank
and a place near that of their city, and asked.jsonl: for each share of records that match, the
last QUERIES workers are asked for with a range of pay, a "not", an "any", and "within" a distance of
their own city ("here") or of another one ("there").

findability.py recall FOUND EXACT - of two answers to asked.jsonl: a line for each cell, with its
recall and how many answers have fewer results than there are, and do not say so."""
import json, math, random, sys

texts = (line.rstrip("\n") for line in sys.stdin)
draw = random.Random(7)


def write(path, ids, known):
    with open(path, "w") as f:
        for id in ids:
            f.write(json.dumps({"id": id, "key": id, "text": known[id]}) + "\n")


def churn(rows, rounds):
    live = {"r%d" % i: next(texts) for i in range(rows)}
    write("start.jsonl", live, live)
    for r in range(1, rounds + 1):
        gone = draw.sample(list(live), rows // 2)
        with open("%d-delete" % r, "w") as f:
            f.writelines(id + "\n" for id in gone)
        for id in gone:
            del live[id]
        new = ["r%d" % (rows + (r - 1) * len(gone) + i) for i in range(len(gone))]
        live.update((id, next(texts)) for id in new)
        replaced = draw.sample(list(live), rows * 3 // 10)
        live.update((id, next(texts)) for id in replaced)
        write("%d-add.jsonl" % r, dict.fromkeys(new + replaced), live)
    write("live.jsonl", live, live)


def copies(copies, others, how, where):
    some = [next(texts) for _ in range(5)]
    copied = {"c%d" % i: some[i % 5] + (" copy%d" % i if how == "near" else "") for i in range(copies)}
    rest = {"o%d" % i: next(texts) for i in range(others)}
    both = {**copied, **rest}
    write("records.jsonl", [*copied, *rest] if where == "first" else [*rest, *copied], both)
    write("others.jsonl", rest, both)
    write("copies.jsonl", copied, both)


def miles(a, b):
    lat, lon = (math.radians(x - y) / 2 for x, y in zip(a, b))
    h = math.sin(lat) ** 2 + math.cos(math.radians(a[0])) * math.cos(math.radians(b[0])) * math.sin(lon) ** 2
    return 2 * 3958.76 * math.asin(math.sqrt(h))


def conditions(queries, *shares):
    workers = [json.loads(line) for line in texts]
    place = {w["city"]: (draw.uniform(30, 45), draw.uniform(-115, -75)) for w in workers}
    for w in workers:
        lat, lon = place[w["city"]]
        w.update(pay=draw.uniform(0, 100), rank=draw.uniform(0, 100), lat=lat + draw.gauss(0, 1), lon=lon + draw.gauss(0, 1))
    asked = workers[-queries:]
    workers = workers[:-queries]
    far = {c: sorted(miles(at, (w["lat"], w["lon"])) for w in workers) for c, at in place.items()}
    with open("records.jsonl", "w") as f:
        f.writelines(json.dumps(w) + "\n" for w in workers)
    with open("asked.jsonl", "w") as f:
        for share in map(float, shares):
            for w in asked:
                low = draw.uniform(0, 100 - 100 * share)
                part = 100 * (1 - math.sqrt(1 - share))
                kinds = {
                    "range": {"pay": {"gte": low, "lt": low + 100 * share}},
                    "not": {"not": {"pay": {"gte": 100 * share}}},
                    "any": {"any": [{"pay": {"lt": part}}, {"rank": {"gte": 100 - part}}]},
                }
                for where, city in (("here", w["city"]), ("there", draw.choice(sorted(place)))):
                    near = far[city][int(share * len(workers))]
                    kinds["within " + where] = {"within": {"lat": place[city][0], "lon": place[city][1], "miles": near}}
                for kind, condition in kinds.items():
                    f.write(json.dumps({"query_text": w["text"], "metadata_filter": condition, "cell": "%s\t%g" % (kind, share)}) + "\n")


def recall(found, exact):
    cells = {}
    for f, e in zip(map(json.loads, open(found)), map(json.loads, open(exact))):
        cell = cells.setdefault(f["cell"], [0, 0, 0])
        last = e["results"][-1]["distance"] if e["results"] else 0
        cell[0] += sum(r["distance"] <= last + 1e-6 for r in f["results"])
        cell[1] += len(e["results"])
        cell[2] += len(f["results"]) < len(e["results"]) and not f.get("truncated")
    for cell, (hits, of, short) in cells.items():
        print("%s\t%.4f\t%d" % (cell, hits / of if of else 1, short))


{"churn": churn, "copies": copies, "conditions": conditions, "recall": recall}[sys.argv[1]](*(int(a) if a.isdigit() else a for a in sys.argv[2:]))
