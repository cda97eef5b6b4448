#!/usr/bin/env python3
"""Random schemas with random values, a line {"schema":S,"data":V}.

usage: random_cases.py COUNT SEED

Each schema has all keywords within reach, over few names and values, so that about half of
the values are valid.
"""
import json
import random
import sys

NAMES = "a b c ab".split()


class Cases:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def scalar(self):
        return self.r.choice([None, True, False, 0, 1, 2, 3, 1.0, 1.5, -2, "", "a", "ab", "é😀",
                              "abc"])

    def value(self, depth):
        kind = self.r.randrange(5) if depth else 0
        if kind < 2:
            return self.scalar()
        if kind == 2:
            return [self.value(depth - 1) for _ in range(self.r.randrange(4))]
        names = self.r.sample(NAMES, self.r.randrange(4))
        return {n: self.value(depth - 1) for n in names}

    def count(self):
        return self.r.randrange(4)

    def names(self):
        return self.r.sample(NAMES, self.r.randrange(3))

    def members(self, depth):
        return {n: self.schema(depth) for n in self.names()}

    def schemas(self, depth):
        return [self.schema(depth) for _ in range(self.r.randrange(1, 4))]

    def plain(self):
        """A keyword without schemas in it."""
        r = self.r
        types = ["null", "boolean", "object", "array", "number", "string", "integer"]
        return r.choice([
            lambda: {"type": r.choice(types)},
            lambda: {"type": r.sample(types, r.randrange(2, 6))},
            lambda: {"enum": [self.value(1) for _ in range(r.randrange(1, 6))]},
            lambda: {"const": self.value(1)},
            lambda: {r.choice(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]):
                     r.choice([0, 1, 1.5, 2])},
            lambda: {"multipleOf": r.choice([1, 2, 0.5])},
            lambda: {r.choice(["minLength", "maxLength"]): self.count()},
            lambda: {r.choice(["minItems", "maxItems"]): self.count()},
            lambda: {r.choice(["minProperties", "maxProperties"]): self.count()},
            lambda: {"pattern": r.choice(["^a", "b$", "^.{2}$", "^(a|b)*$", "^$", "\\p{L}"])},
            lambda: {"uniqueItems": True},
            lambda: {"required": self.names()},
            lambda: {"dependentRequired": {n: self.names() for n in self.names()}},
        ])()

    def nested(self, depth):
        r = self.r
        one = self.schema
        return r.choice([
            lambda: {"properties": self.members(depth)},
            lambda: {"properties": self.members(depth)},
            lambda: {"patternProperties": {r.choice(["^a", "b"]): one(depth)}},
            lambda: {"additionalProperties": one(depth)},
            lambda: {"propertyNames": one(0)},
            lambda: {"dependentSchemas": self.members(depth)},
            lambda: {"items": one(depth)},
            lambda: {"prefixItems": self.schemas(depth)},
            lambda: {"contains": one(depth), "minContains": self.count(),
                     "maxContains": self.count() + 1},
            lambda: {"contains": one(depth)},
            lambda: {"allOf": self.schemas(depth)},
            lambda: {"anyOf": self.schemas(depth)},
            lambda: {"oneOf": self.schemas(depth)},
            lambda: {"not": one(depth)},
            lambda: {"if": one(depth), "then": one(depth), "else": one(depth)},
            lambda: {"unevaluatedProperties": one(0)},
            lambda: {"unevaluatedItems": one(0)},
            lambda: {"$ref": r.choice(["#/$defs/x", "#/$defs/y"])},
        ])()

    def schema(self, depth):
        r = self.r
        if r.randrange(8) == 0:
            return r.randrange(4) > 0
        s = {}
        for _ in range(r.randrange(1, 4)):
            s.update(self.nested(depth - 1) if depth and r.randrange(3) else self.plain())
        if "contains" in s and "prefixItems" in s:
            del s["prefixItems"]        # of these together ajv 8.20 accepts [] where it must not
        return s

    def case(self):
        s = self.schema(3)
        if not isinstance(s, dict):
            s = {"allOf": [s]}
        # these refer to nothing else, so that nothing refers to itself
        s["$defs"] = {"x": self.plain(), "y": {"properties": {"a": self.plain()},
                                               "items": self.plain()}}
        return {"schema": s, "data": self.value(3)}


def main(count, seed):
    cases = Cases(int(seed))
    for _ in range(int(count)):
        print(json.dumps(cases.case()))


if __name__ == "__main__":
    main(*sys.argv[1:])
