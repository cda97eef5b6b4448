"""merge - what lh-merge writes, after its manual page: a second implementation for tests.

    merge.py [-k N] [--corpus NAME] [--expect N] [FILE...]

It reads good input only: answers of lh-search, as files in step or joined from standard
input.  Numbers keep their text.  The exit status is 1 if an answer is partial.
"""
import json
import sys

COUNTERS = ["per_corpus_counts", "metadata_filter_dropped", "playbook_boosted", "playbook_injected"]


class Number(str):
    """A number as it is written."""


def load(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def dump(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(dump(k) + ":" + dump(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def parts(answer):
    """The query, and what the search added: results and what counts after them."""
    names = list(answer)
    after = names[names.index("results") + 1:]
    ours = {"results"} | {n for n in after if n in COUNTERS + ["partial", "truncated", "explain"]}
    return ({n: v for n, v in answer.items() if n not in ours},
            {n: v for n, v in answer.items() if n in ours})


def place(hit):
    corpus = hit.get("corpus")
    return (-float(hit.get("score", 0)), float(hit.get("distance", 0)),
            b"" if corpus is None else b"\0" + corpus.encode(), hit["id"].encode())


def merge(answers, missing, options):
    query = parts(answers[0])[0]
    k = int(query.get("k") or options["k"]) if query.get("k") is not None else options["k"]
    added = [parts(a)[1] for a in answers]
    hits = [h for a in added for h in a["results"]]
    for h in hits:
        if options["corpus"] is not None and "corpus" in h:
            h["corpus"] = options["corpus"]
    seen, best = set(), []
    for h in sorted(hits, key=place):
        name = (h.get("corpus"), h["id"])
        if name not in seen:
            seen.add(name)
            best.append(h)
    limit = query.get("per_corpus_k")
    if limit is not None:
        taken, cut = {}, []
        for h in best:
            playbook = h.get("playbook")
            if isinstance(playbook, dict) and playbook.get("injected") is True:
                cut.append(h)
                continue
            taken[h.get("corpus")] = taken.get(h.get("corpus"), 0) + 1
            if taken[h.get("corpus")] <= int(limit):
                cut.append(h)
        best = cut
    out = dict(query)
    out["results"] = best[:k]
    for name in COUNTERS:
        values = [a[name] for a in added if name in a]
        if values and name == COUNTERS[0]:
            out[name] = {}
            for corpus, n in (c for v in values for c in v.items()):
                corpus = corpus if options["corpus"] is None else options["corpus"]
                out[name][corpus] = Number(int(out[name].get(corpus, 0)) + int(n))
        elif values:
            out[name] = Number(sum(map(int, values)))
    partial = missing or len(answers) < options["expect"] or any(a.get("partial") for a in added)
    if partial:
        out["partial"] = True
    if any(a.get("truncated") for a in added):
        out["truncated"] = True
    explain = [a["explain"] for a in added if "explain" in a]
    if len(explain) == 1:
        out["explain"] = explain[0]
    elif explain:
        out["explain"] = [e for x in explain for e in (x if isinstance(x, list) else [x])]
    print(dump(out))
    return partial


def main(arguments):
    options = {"k": 10, "corpus": None, "expect": 0}
    files = []
    while arguments:
        word = arguments.pop(0)
        if word in ("-k", "--corpus", "--expect"):
            value = arguments.pop(0)
            options[word.lstrip("-")] = value if word == "--corpus" else int(value)
        else:
            files.append(word)
    partial = False
    if files:
        for lines in zip(*[open(f, encoding="utf-8") for f in files]):
            answers = [load(line) for line in lines]
            good = [a for a in answers if "results" in a]
            if good:
                partial |= merge(good, len(good) < len(answers), options)
    else:
        queries = {}
        for line in sys.stdin:
            answer = load(line)
            queries.setdefault(dump(parts(answer)[0]), []).append(answer)
        for answers in queries.values():
            partial |= merge(answers, False, options)
    return int(partial)


sys.stdout.reconfigure(encoding="utf-8")
sys.stdin.reconfigure(encoding="utf-8")
sys.exit(main(sys.argv[1:]))
