#!/usr/bin/env python3
"""Compare two files of vectors, a JSON array a line.

    cosine.py A B BOUND

Prints the greatest 1 - cos of a pair; exits 1 if it is above the bound, or if the
files do not have the same number of vectors, at least one, of the same width.
"""
import json
import math
import sys


def vectors(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def distance(a, b):
    """1 - cos, exact also where it is tiny: half the square of the unit vectors' distance."""
    la, lb = math.hypot(*a), math.hypot(*b)
    return sum((x / la - y / lb) ** 2 for x, y in zip(a, b)) / 2


a, b = vectors(sys.argv[1]), vectors(sys.argv[2])
if not a or list(map(len, a)) != list(map(len, b)):
    sys.exit("cosine.py: not the same shapes: %d and %d vectors" % (len(a), len(b)))
worst = max(map(distance, a, b))
print("%.1e" % worst)
if not worst <= float(sys.argv[3]):
    sys.exit("cosine.py: 1 - cos is %.2e, above %s" % (worst, sys.argv[3]))
