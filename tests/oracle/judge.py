"""judge - what lh-judge score and compare say of runs, from the definitions of trec_eval.

    judge.py score QRELS RUN [--gain exp] [--only-answered] [MEASURE...]   values as score --each has them
    judge.py differences QRELS A B MEASURE    the difference, and its exact p: of all changes of signs
    judge.py make SEED                        qrels and a run with ties, gaps and grades from -1 to 4
    judge.py check COUNT                      so many of them, through lh-judge score and here
    judge.py peer QRELS RUN                   the default measures, in the time that Python needs

It reads TREC's formats, good lines alone.
"""
import itertools
import json
import math
import random
import subprocess
import sys

DEFAULT = ["ndcg@10", "map", "mrr@10", "recall@100", "p@5", "judged@10"]
ALL = DEFAULT + ["ndcg", "ndcg_cut_3", "map_cut_4", "recip_rank", "P_1", "P_10", "recall_2", "success_1", "success@3",
                 "bpref", "err", "err@2", "err@20", "judged@2"]


def read_qrels(path):
    qrels = {}
    with open(path) as lines:
        for query, _, document, grade in map(str.split, lines):
            qrels.setdefault(query, {})[document] = int(grade)
    return qrels


def read_run(path):
    run = {}
    with open(path) as lines:
        for query, _, document, _, score, _ in map(str.split, lines):
            run.setdefault(query, []).append((float(score), document))
    # equal scores: the later docno first, by bytes
    for query, found in run.items():
        found.sort(key=lambda hit: (hit[0], hit[1].encode()), reverse=True)
        run[query] = [document for _, document in found]
    return run


def dcg(gains):
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def err(grades, top):
    """Chapelle and others: a reader goes down the list and stops where satisfied."""
    value, left = 0.0, 1.0
    for rank, grade in enumerate(grades, 1):
        stops = (2 ** grade - 1) / 2 ** top if grade > 0 else 0.0
        value += left * stops / rank
        left *= 1 - stops
    return value


def bpref(ranked, judged):
    """Of the first R judged documents that are not relevant, how many come before each relevant one."""
    relevant = [d for d, grade in judged.items() if grade > 0]
    others = [d for d, grade in judged.items() if grade == 0]
    value = 0.0
    for at, document in enumerate(ranked):
        if document in relevant:
            before = sum(d in others for d in ranked[:at])
            value += 1 - min(before, len(relevant)) / min(len(others), len(relevant)) if before else 1
    return value / len(relevant) if relevant else 0.0


def value_of(measure, ranked, judged, top, gain):
    name, cut = measure.replace("_cut", ""), None
    for between in "@_":
        head, found, digits = name.rpartition(between)
        if found and digits.isdigit():
            name, cut = head, int(digits)
    name = {"recip_rank": "mrr", "P": "p"}.get(name, name)
    head = ranked[:cut]
    relevant = {d for d, grade in judged.items() if grade > 0}
    hits = [d in relevant for d in head]
    if name == "ndcg":
        gains = {d: 2 ** g - 1 if gain == "exp" else g for d, g in judged.items() if g > 0}
        ideal = dcg(sorted(gains.values(), reverse=True)[:cut])
        return dcg(gains.get(d, 0) for d in head) / ideal if ideal else 0.0
    if name == "map":
        found = [sum(hits[:at + 1]) / (at + 1) for at, hit in enumerate(hits) if hit]
        return math.fsum(found) / len(relevant) if relevant else 0.0
    if name == "mrr":
        return 1 / (hits.index(True) + 1) if True in hits else 0.0
    if name == "p":
        return sum(hits) / cut
    if name == "recall":
        return sum(hits) / len(relevant) if relevant else 0.0
    if name == "success":
        return float(any(hits))
    if name == "bpref":
        return bpref(ranked, judged)
    if name == "err":
        return err([judged.get(d, 0) for d in head], top)
    if name == "judged":
        return sum(d in judged for d in head) / cut
    raise ValueError(measure)


def score(qrels, run, measures, gain="linear", only_answered=False):
    """(query, measure, value) of all, and the summary."""
    top = max(0, max(grade for judged in qrels.values() for grade in judged.values()))
    queries = [q for q in qrels if q in run or not only_answered]
    values = [(q, m, value_of(m, run.get(q, []), qrels[q], top, gain)) for q in queries for m in measures]
    summary = {"queries": len(queries)}
    for m in measures:
        of = [v for _, name, v in values if name == m]
        summary[m] = math.fsum(of) / len(of) if of else None
    summary["unjudged"] = sum(d not in qrels[q] for q in queries for d in run.get(q, [])[:10])
    summary["without_qrels"] = sum(q not in qrels for q in run)
    summary["without_relevant"] = sum(max(qrels[q].values()) <= 0 for q in queries)
    return values, summary


def differences(qrels, a, b, measure):
    of = [{q: v for q, _, v in score(qrels, run, [measure])[0]} for run in (a, b)]
    d = [of[1][q] - of[0][q] for q in qrels]
    moved = [x for x in d if x]
    far = abs(math.fsum(moved)) * (1 - 1e-12)
    signs = itertools.product((1, -1), repeat=len(moved))
    p = sum(abs(sum(s * x for s, x in zip(change, moved))) >= far for change in signs) / 2 ** len(moved)
    return sum(d) / len(d), p


def make(seed):
    r = random.Random(seed)
    documents = [r.choice(["d", "D", "é", "z-"]) + str(i) for i in range(r.randint(1, 30))]
    qrels, run = [], []
    for query in range(r.randint(1, 12)):
        name = "q" + str(query)
        kind = r.random()
        if kind > 0.1:
            for d in r.sample(documents, r.randint(1, len(documents))):
                qrels.append(f"{name} 0 {d} {r.choice([-1, 0, 0, 1, 2, 3, 4])}")
        if kind < 0.85:
            coarse = r.choice([1, 3, 1000])
            for d in r.sample(documents, r.randint(1, len(documents))):
                s = r.choice([r.randint(-coarse, coarse), r.randint(0, coarse) / 8, "inf", "-inf", "1e-3", "0", "-0"])
                run.append(f"{name} Q0 {d} 1 {s} t")
    r.shuffle(qrels)
    r.shuffle(run)
    return qrels or ["q 0 d 1"], run or ["q Q0 d 1 1 t"]


def same(ours, theirs):
    if isinstance(ours, float) and theirs is not None:
        return abs(ours - theirs) <= 1e-12
    return ours == theirs


def check(count, first=1):
    """Compare; each number of a batch of runs."""
    compared = 0
    for seed in range(first, first + count):
        made = make(seed)
        for path, lines in zip(("made.qrels", "made.run"), made):
            with open(path, "w") as file:
                file.write("\n".join(lines) + "\n")
        gain, answered = ["linear", "exp"][seed % 2], seed % 3 == 0
        options = ["--gain", gain] + ["--only-answered"] * answered
        out = subprocess.run(["lh-judge", "score", "--each", "--qrels", "made.qrels", "--measures", ",".join(ALL),
                              *options, "made.run"], stdout=subprocess.PIPE, check=True).stdout.splitlines()
        ours = [json.loads(line) for line in out]
        values, summary = score(read_qrels("made.qrels"), read_run("made.run"), ALL, gain, answered)
        got = {(v["query_id"], v["measure"]): v["value"] for v in ours[:-1]}
        if len(got) != len(values) or len(ours) != len(values) + 1:
            sys.exit(f"seed {seed}: {len(ours) - 1} values, not {len(values)}")
        for query, measure, value in values:
            if not same(value, got[query, measure]):
                sys.exit(f"seed {seed}: {query} {measure}: {got[query, measure]}, not {value}")
        for name, value in summary.items():
            if not same(value, ours[-1][name]):
                sys.exit(f"seed {seed}: {name}: {ours[-1][name]}, not {value}")
        compared += len(values)
    print(compared)


def main(command, *arguments):
    if command == "make":
        print("\n".join(make(int(arguments[0]))[0]))
    elif command == "check":
        check(int(arguments[0]))
    elif command == "differences":
        qrels, a, b, measure = arguments
        print(*differences(read_qrels(qrels), read_run(a), read_run(b), measure))
    elif command == "peer":
        print(json.dumps(score(read_qrels(arguments[0]), read_run(arguments[1]), DEFAULT)[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
