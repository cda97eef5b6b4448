#!/usr/bin/python3
"""A second implementation of metadata filters, and random cases for both.

    filter.py cases SEED FILTERS RECORDS DIR    write DIR/records.jsonl and DIR/queries.jsonl
    filter.py answer DIR                        print for each query the ids that match, in order

It reads numbers from their text, so that no digit and no exponent is rounded.  JSON is read by
Python's parser with hooks for numbers.
"""
import json
import random
import sys


class Number:
    """A JSON number: its sign, its digits without zeros at the ends, the power of ten."""

    def __init__(self, text):
        self.text = text
        mantissa, _, exponent = text.lower().partition("e")
        whole, _, fraction = mantissa.lstrip("-").partition(".")
        digits = (whole + fraction).lstrip("0")
        self.power = int(exponent or 0) - len(fraction)
        kept = digits.rstrip("0")
        self.power += len(digits) - len(kept)
        self.digits = kept
        self.sign = 0 if not kept else -1 if text[0] == "-" else 1

    def is_whole(self):
        return self.power >= 0 or not self.digits

    def magnitude_cmp(self, other):
        a, b = len(self.digits) + self.power, len(other.digits) + other.power
        if a != b:
            return 1 if a > b else -1
        n = max(len(self.digits), len(other.digits))
        x, y = self.digits.ljust(n, "0"), other.digits.ljust(n, "0")
        return (x > y) - (x < y)

    def cmp(self, other):
        if self.sign != other.sign or not self.sign:
            return (self.sign > other.sign) - (self.sign < other.sign)
        return self.sign * self.magnitude_cmp(other)

    def equal(self, other):
        if self.cmp(other) == 0:
            return True
        if self.is_whole() and other.is_whole():
            return False
        return float(self.text) == float(other.text)


def read(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def equal(a, b):
    if isinstance(a, Number) and isinstance(b, Number):
        return a.equal(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    return a == b


BOUNDS = {"lt": lambda c: c < 0, "lte": lambda c: c <= 0,
          "gt": lambda c: c > 0, "gte": lambda c: c >= 0}


def within(op, bound, value):
    if isinstance(bound, Number) and isinstance(value, Number):
        return BOUNDS[op](value.cmp(bound))
    if isinstance(bound, str) and isinstance(value, str):
        x, y = value.encode(), bound.encode()
        return BOUNDS[op]((x > y) - (x < y))
    return False


class Bad(Exception):
    pass


def condition(spec, has, value):
    """Whether a key (has: it is there) matches what a filter has under it."""
    if not isinstance(spec, dict):
        spec = {"in": spec} if isinstance(spec, list) else {"eq": spec}
    elif not spec:
        raise Bad
    tests = []
    good = True
    for op, arg in spec.items():
        if op in BOUNDS:
            if not isinstance(arg, (Number, str)):
                raise Bad
            tests.append(lambda v, op=op, arg=arg: within(op, arg, v))
        elif op == "eq":
            tests.append(lambda v, arg=arg: equal(arg, v))
        elif op == "in":
            if not isinstance(arg, list):
                raise Bad
            tests.append(lambda v, arg=arg: any(equal(one, v) for one in arg))
        elif op == "not":
            good &= not condition(arg, has, value)
        elif op == "exists":
            if not isinstance(arg, bool):
                raise Bad
            good &= has == arg
        else:
            raise Bad
    if tests:
        tried = ([value] + (value if isinstance(value, list) else [])) if has else []
        good &= any(all(t(v) for t in tests) for v in tried)
    return good


def matches(spec, meta):
    """Whether metadata (a dict) matches.  Everything is judged, so that each error shows."""
    if not isinstance(spec, dict):
        raise Bad
    good = True
    for key, arg in spec.items():
        if key in ("or", "and") and not isinstance(arg, dict):
            if not isinstance(arg, list):
                raise Bad
            each = [matches(one, meta) for one in arg]
            good &= any(each) if key == "or" else all(each)
        elif key == "exists" and not isinstance(arg, dict):
            if not isinstance(arg, str):
                raise Bad
            good &= arg in meta
        else:
            good &= condition(arg, key in meta, meta.get(key))
    return good


# ---- random cases ----

KEYS = ["a", "b", "price", "role", "é", "or", "exists", "k\"1"]
NUMBERS = ["0", "-0", "1", "1.0", "1e0", "100", "1e2", "0.1e3", "9007199254740993", "9007199254740992",
           "9007199254740992.5", "0.1", "0.10000000000000001", "-7", "-7.25", "1e400", "1e401", "-1e400",
           "1e-400", "1e-401", "123456789012345678901234567890", "1.23456789012345678901234567891e29",
           "1e99999999999999999999", "10e99999999999999999998", "1E+100000000000000000000", "50", "49.99"]
TEXTS = ["", "a", "A", "ab", "é", "\u20ac", "\U0001f600", "2026-01-01", "2026-02-01T10:00", "50", "1",
         "Welder", "Picker", "null", "\"q\"", "tab\t", "x" * 40]


class Written:
    """A random value as JSON text, with escapes that no writer would choose."""

    def __init__(self, rand):
        self.rand = rand

    def text(self, s):
        r = self.rand
        if r.random() < 0.2:
            return '"' + "".join("\\u%04x" % u for u in units(s)) + '"'
        return json.dumps(s, ensure_ascii=r.random() < 0.3)

    def scalar(self):
        r = self.rand.random()
        if r < 0.45:
            return self.rand.choice(NUMBERS)
        if r < 0.85:
            return self.text(self.rand.choice(TEXTS))
        return self.rand.choice(["true", "false", "null"])

    def value(self, depth=0):
        r = self.rand.random()
        if depth > 2 or r < 0.7:
            return self.scalar()
        if r < 0.9:
            return self.array(lambda: self.value(depth + 1))
        return self.object(lambda: self.value(depth + 1), ["x", "y", "z"])

    def space(self):
        return self.rand.choice(["", "", "", " ", "  "])

    def array(self, element):
        return "[" + ",".join(self.space() + element() for _ in range(self.rand.randrange(4))) + "]"

    def object(self, member, keys, least=0):
        most = min(4, len(keys)) if not least else len(keys)
        some = self.rand.sample(keys, self.rand.randrange(least, most + 1))
        return "{" + ",".join("%s%s:%s%s" % (self.space(), self.text(k), self.space(), member())
                              for k in some) + "}"

    def operators(self, depth):
        some = self.rand.sample(["lt", "lte", "gt", "gte", "eq", "in", "not", "exists"],
                                self.rand.choice([1, 1, 1, 2, 2, 3]))
        parts = []
        for op in some:
            if op in BOUNDS:
                arg = self.rand.choice(NUMBERS) if self.rand.random() < 0.6 else self.text(self.rand.choice(TEXTS))
                arg = self.value() if self.rand.random() < 0.01 else arg
            elif op == "eq":
                arg = self.value()
            elif op == "in":
                arg = self.array(self.value)
            elif op == "not":
                arg = self.under(depth + 1)
            else:
                arg = self.rand.choice(["true", "false"])
            parts.append(self.text(op) + ":" + arg)
        if self.rand.random() < 0.01:
            parts.append('"like":1')
        return "{" + ",".join(parts) + "}"

    def under(self, depth=0):
        r = self.rand.random()
        if depth < 4 and r < 0.6:
            return self.operators(depth)
        return self.array(self.value) if r < 0.75 else self.scalar()

    def filter(self, depth=0):
        parts = []
        for key in self.rand.sample(KEYS, self.rand.choice([0, 1, 1, 1, 2, 3])):
            arg = self.operators(depth) if key in ("or", "exists") else self.under()
            parts.append(self.text(key) + ":" + arg)
        for key in ("or", "and"):
            if depth < 3 and self.rand.random() < 0.25 and not any('"or"' in p[:4] for p in parts):
                parts.append('"%s":%s' % (key, self.array(lambda: self.filter(depth + 1))))
                if key == "or":
                    break
        if self.rand.random() < 0.15 and not any("exists" in json.loads(p.partition(":")[0]) for p in parts):
            parts.append('"exists":' + self.text(self.rand.choice(KEYS)))
        self.rand.shuffle(parts)
        return "{" + ",".join(parts) + "}"


def units(s):
    raw = s.encode("utf-16-be")
    return [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]


def no_twice(pairs):
    if len({k for k, _ in pairs}) < len(pairs):
        raise Bad
    return dict(pairs)


def fresh(make):
    """Make until no key is there twice, which is no JSON for the toolkit."""
    while True:
        text = make()
        try:
            json.loads(text, object_pairs_hook=no_twice)
            return text
        except Bad:
            pass


def cases(seed, filters, records, folder):
    w = Written(random.Random(int(seed)))
    with open(folder + "/records.jsonl", "w", encoding="utf-8") as out:
        for i in range(int(records)):
            meta = fresh(lambda: w.object(w.value, KEYS, 2))
            with_meta = "" if i % 17 == 0 else ',"metadata":' + meta
            out.write('{"id":"r%d","vector":[1,%d]%s}\n' % (i, i, with_meta))
    with open(folder + "/queries.jsonl", "w", encoding="utf-8") as out:
        for i in range(int(filters)):
            out.write('{"n":%d,"vector":[1,0],"metadata_filter":%s}\n' % (i, fresh(w.filter)))


def answer(folder):
    records = []
    for line in open(folder + "/records.jsonl", encoding="utf-8"):
        rec = read(line)
        records.append((rec["id"], rec.get("metadata", {})))
    for line in open(folder + "/queries.jsonl", encoding="utf-8"):
        q = read(line)
        try:
            print(q["n"].text, *sorted(i for i, meta in records if matches(q["metadata_filter"], meta)))
        except Bad:
            print(q["n"].text, "refused")


if __name__ == "__main__":
    {"cases": cases, "answer": answer}[sys.argv[1]](*sys.argv[2:])
