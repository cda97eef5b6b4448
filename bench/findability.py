"""findability.py churn ROWS ROUNDS <TEXTS - write the records of bench/findability.sh's churn:
start.jsonl; for each round R-delete, a file of ids, and R-add.jsonl; and live.jsonl.

A round deletes half of the rows, adds as many, and replaces three tenths of those that there
are then.  Each record has a text of its own.

findability.py copies COPIES OTHERS equal|near first|last <TEXTS - write records.jsonl and
others.jsonl: copies of five texts, exact ones or each with a word of its own, before or after
OTHERS records of other texts."""
import json, random, sys

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


{"churn": churn, "copies": copies}[sys.argv[1]](*(int(a) if a.isdigit() else a for a in sys.argv[2:]))
