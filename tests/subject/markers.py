#!/usr/bin/env python3
"""Persons with random markers in every kind of place, and which of them are left in any byte.

    markers.py make PERSONS MARKERS KIND...    a line for each person, as persons of subject.bash
                                               has them: MARKERS of each over the kinds
    markers.py count FOLDER LINES ID...        {"left","of","kept","kept_of"}: how many markers of
                                               those persons are left in the folder, and how many
                                               of all others are there

The seed is MARKERS_SEED, or 1.  The bytes are read by tests/oracle/subject.py.
"""
import json
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
from subject import texts  # noqa: E402

PATTERN = r"zq[0-9a-f]{16}"


def make(persons, markers, *kinds):
    rand = random.Random(int(os.environ.get("MARKERS_SEED", "1")))
    for n in range(1, int(persons) + 1):
        of = {kind: [] for kind in kinds}
        for i in range(max(int(markers), len(kinds))):
            # an address has one
            kind = kinds[i % len(kinds)]
            of[kinds[0] if kind == "email" and of[kind] else kind].append("zq%016x" % rand.getrandbits(64))
        print(json.dumps({"n": n, "id": f"w-{n}", "m": {k: " ".join(v) for k, v in of.items()}}, separators=(",", ":")))


def count(folder, lines, *erased):
    there = texts(folder, PATTERN)
    of = {True: set(), False: set()}
    with open(lines) as f:
        for person in map(json.loads, f):
            for markers in person["m"].values():
                of[person["id"] in erased].update(markers.split())
    left = sorted(of[True] & there)
    print(json.dumps({"left": len(left), "of": len(of[True]), "kept": len(of[False] & there), "kept_of": len(of[False])},
                     separators=(",", ":")))
    for marker in left:
        print(marker, file=sys.stderr)
    sys.exit(bool(left))


if __name__ == "__main__":
    {"make": make, "count": count}[sys.argv[1]](*sys.argv[2:])
