"""embed: a text's vector, compared by its direction."""
import base64
import importlib.util
import json
import math
import os
import struct

from surface import ORACLE, REFUSED, Surface, tool

spec = importlib.util.spec_from_file_location("oracle_embed", os.path.join(ORACLE, "embed.py"))
oracle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(oracle)

AFTER = "s es ies ed er or ing tion sses xes ches shes y e zzing nning".split()
DIMENSIONS = ["64", "64", "64 hash-v1", "768", "768", "768 hash-v1", "768 hash-v2", "1000"]


def engine(tag):
    """Dimension and model."""
    dimension, _, model = tag.partition(" ")
    return dimension, model or "hash-v3"


def cosine(a, b):
    lengths = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b)) / lengths if lengths else 0


class Probe(Surface):
    tag, data = "dimension", "text"

    def piece(self, d):
        kind = d.random()
        if kind < 0.15:
            return "".join(d.choices("aeioulsyrtnbz", k=d.randint(1, 7))) + d.choice(AFTER)
        if kind < 0.2:
            return d.one("a", "x1", "é", "日", "-") * d.one(1, 2, 3, 63, 64, 65, 130)
        if kind < 0.3:
            return d.one("City: ", "in ", "IN", "c++", "c#", "F#", "C+", "a:b", "a :b", "(A", "/B", "X", "XY", "Xy", "X1", "O'Neil", "Name:\t", "::", "5 ", "12 Oil Rig", "need 3 ", " 007", " in Salt Lake City UT ", "Role: ", "3.14", "1,000", "10-12", "in: In")
        return d.piece()

    def draw(self, d):
        data = d.one("", " ", " ").join(self.piece(d) for _ in range(d.one(0, 1, 1, 2, 3, 4, 6, 9)))
        if d.often(0.0005):
            data = " ".join(d.choice("ab cd ef gh".split()) + str(d.randrange(30)) for _ in range(d.one(1023, 1024, 1025, 1100)))
        return d.choice(DIMENSIONS), data.encode("utf-8")

    def left(self, cases):
        def ask(tag, texts):
            dimension, model = engine(tag)
            lines = "".join(json.dumps({"text": t.decode("utf-8")}, ensure_ascii=len(t) % 2 == 0) + "\n" for t in texts)
            answers = []
            for line in tool(["lh-embed", "-q", "--dimension", dimension, "--model", model, "--encoding", "base64", "--on-error", "emit"], lines.encode("utf-8")):
                at = line.rfind(b'"vector":"')
                answers.append(line[at + 10:line.index(b'"', at + 10)] if at >= 0 else REFUSED)
            return answers
        return self.by_tag(cases, ask)

    def right(self, case):
        dimension, model = engine(case[0])
        return base64.b64encode(oracle.embed(case[1].decode("utf-8"), int(dimension), model)) if case[1] else REFUSED

    def same(self, a, b):
        if a == b or len(a) != len(b) or REFUSED in (a, b):
            return a == b
        a, b = (struct.unpack("<%df" % (len(x) // 4), x) for x in map(base64.b64decode, (a, b)))
        return 1 - cosine(a, b) <= 1e-5
