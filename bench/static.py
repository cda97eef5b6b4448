"""static.py TABLE.bin <texts.jsonl - the loop of static.c in Python: texts a second
of processor time, loading not counted."""
import array
import json
import math
import sys
import time


def load(path):
    rows = {}
    with open(path, "rb") as f:
        words, dimension = map(int, f.readline().split())
        for _ in range(words):
            word = bytearray()
            while (c := f.read(1)) != b" ":
                word += c
            v = array.array("f")
            v.frombytes(f.read(4 * dimension))
            rows[word.strip().decode()] = v
    return rows, dimension


def embed(rows, dimension, text):
    sums = [0.0] * dimension
    for word in text.split():
        v = rows.get(word)
        if v:
            sums = [a + b for a, b in zip(sums, v)]
    norm = math.sqrt(sum(x * x for x in sums))
    return [x / norm for x in sums]


def main():
    rows, dimension = load(sys.argv[1])
    lines = [json.loads(line)["text"] for line in sys.stdin]
    start = time.process_time()
    for text in lines:
        embed(rows, dimension, text)
    print(round(len(lines) / (time.process_time() - start)))


main()
