"""merge.py K FILE... - the peer of bench/merge.sh: answers of lh-search, read in step, merged
with json and heapq.  Writes what lh-merge writes, but for the text of numbers."""
import heapq
import itertools
import json
import sys

k = int(sys.argv[1])
order = lambda hit: (hit["distance"], hit["corpus"].encode(), hit["id"].encode())
for lines in zip(*[open(name, encoding="utf-8") for name in sys.argv[2:]]):
    answers = [json.loads(line) for line in lines]
    hits = heapq.merge(*(a["results"] for a in answers), key=order)
    answers[0]["results"] = list(itertools.islice(hits, k))
    print(json.dumps(answers[0], ensure_ascii=False, separators=(",", ":")))
