#!/usr/bin/env python3
"""Drift by another hand: drift.py BASELINE CURRENT prints a line for each metric,
"NAME<TAB>DELTA<TAB>FLAG<TAB>PCT", out of two rows; with exact fractions."""
import json
import sys
from fractions import Fraction


def row(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f, parse_int=Fraction, parse_float=Fraction)["metrics"]


def delta(x):
    tenths = abs(x) * 1000
    rounded = int(tenths) + (tenths - int(tenths) >= Fraction(1, 2))
    return "%s%d.%d%%" % ("-" if x < 0 else "+", rounded // 10, rounded % 10)


base, now = row(sys.argv[1]), row(sys.argv[2])
for name in sorted(now, key=lambda s: s.encode()):
    if name not in base:
        print(name, "-", "first_run", "null", sep="\t")
    elif base[name] == 0:
        print(name, "-", "warn" if now[name] else "ok", "null", sep="\t")
    else:
        x = (now[name] - base[name]) / base[name]
        print(name, delta(x), "warn" if abs(x) > Fraction(1, 5) else "ok", repr(float(x)), sep="\t")
