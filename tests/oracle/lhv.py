"""Read a vector index by lhv(5) alone.

    lhv.py --reach FILE     write the ids of the rows to which no link leads, of any row that
                            the links of the entry lead to, level by level
    lhv.py FILE     write id and vector (base64 of f32) of each row, tab-separated, in the
                    order of insertion; fail if a code of layout qg is not what it should be
"""
import base64
import json
import math
import struct
import sys


class Index:
    def __init__(self, data):
        self.data = data
        if data[:8] != b"\x89LHV\r\n\x1a\n" or self.u32(12) != 0x01020304:
            raise ValueError("not an index")
        self.version = self.u32(8)
        if self.version > 4 or self.u64(16) != len(data):
            raise ValueError("another version or length")
        self.rows, self.stride, self.vector_at = self.u64(24), self.u32(32), self.u32(36)
        self.entry = self.u32(40)
        self.section = {}
        for i in range(self.u32(48)):
            kind, _, at, n, _ = struct.unpack_from("<IIQQQ", data, 128 + 32 * i)
            self.section[kind] = (at, n)
        self.params = json.loads(self.bytes_of(1))
        self.dimension = self.params["dimension"]
        self.links = 2 * self.params["m"]
        self.layout = self.params.get("layout", "hnsw")

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def u64(self, at):
        return struct.unpack_from("<Q", self.data, at)[0]

    def bytes_of(self, kind):
        at, n = self.section.get(kind, (0, 0))
        return self.data[at:at + n]

    def row_at(self, r):
        return self.section[2][0] + r * self.stride

    def vector(self, r, exact=False):
        n, at = self.dimension, self.row_at(r) + self.vector_at
        if exact and self.params.get("rescore"):
            return struct.unpack_from("<%df" % n, self.data, self.section[10][0] + 4 * n * r)
        if self.params["precision"] == "f32":
            return struct.unpack_from("<%df" % n, self.data, at)
        if self.params["precision"] == "f16":
            return struct.unpack_from("<%de" % n, self.data, at)
        scale = struct.unpack_from("<f", self.data, at + n)[0]
        return struct.unpack("<%df" % n, struct.pack("<%df" % n, *(
            (c - 128) * scale for c in self.data[at:at + n])))

    def id(self, r):
        at = self.section[5][0] + 8 * r
        start, end = self.u64(at), self.u64(at + 8)
        return self.bytes_of(6)[start:end].decode()

    def order(self):
        order = self.bytes_of(11)
        return struct.unpack("<%dI" % (len(order) // 4), order) if order else range(self.rows)

    def links_of(self, r):
        at = self.row_at(r)
        if self.layout == "hnsw":
            return struct.unpack_from("<%dI" % self.u32(at), self.data, at + 4)
        if self.version > 3 and not self.part():
            return struct.unpack_from("<%dI" % self.links, self.data, at + self.unit_at())
        at += self.unit_at() + 4 + 4 * self.links if self.part() else \
            self.lanes_at() + self.links * (self.padded() // 8 + 8)
        return struct.unpack_from("<%dI" % self.links, self.data, at)

    def upper_links(self, r, level):
        first, last = struct.unpack_from("<2I", self.data, self.section[3][0] + 4 * r)
        if level > last - first:
            return ()
        at = self.section[4][0] + 4 * (1 + self.links // 2) * (first + level - 1)
        return struct.unpack_from("<%dI" % self.u32(at), self.data, at + 4)

    def unreached(self):
        if not self.section[3][1] and not self.bytes_of(11):
            return []
        met = {self.entry}
        for level in range(self.u32(44), -1, -1):
            todo = list(met)
            while todo:
                r = todo.pop()
                new = set(self.upper_links(r, level) if level else self.links_of(r)) - met
                met |= new
                todo += new
        linked = self.rows - self.params.get("outside", 0)
        return [self.id(r) for r in range(linked) if r not in met]

    # layout qg

    def padded(self):
        return (self.dimension + (self.params["distance"] == "ip") + 63) // 64 * 64

    def part(self):
        return self.params.get("code_values", 0)

    def values(self):
        return self.part() or self.padded()

    def code_end(self):
        n = self.dimension
        return {"f32": 4 * n, "f16": 2 * n, "i8": n + 8}[self.params["precision"]]

    def unit_at(self):
        return (self.code_end() + 3) // 4 * 4

    def lanes_at(self):
        if self.part():
            return self.unit_at() + 4 + 8 * self.links
        return (self.code_end() + 63) // 64 * 64

    def rotate(self, v):
        dim, signs = self.padded(), self.bytes_of(16)
        if self.params["distance"] == "ip":
            v = [x / self.params["longest"] for x in v]
            v.append(math.sqrt(max(0, 1 - sum(x * x for x in v))))
        v = list(v) + [0.0] * (dim - len(v))
        size = 1 << dim.bit_length() - 1
        for time in range(4):
            of = signs[time * dim // 8:(time + 1) * dim // 8]
            v = [-x if of[i // 8] >> i % 8 & 1 else x for i, x in enumerate(v)]
            first = dim - size if time % 2 else 0
            v[first:first + size] = [x / math.sqrt(size) for x in hadamard(v[first:first + size])]
        return v

    def check_signs(self):
        z, mask, out = self.params["seed"], (1 << 64) - 1, b""
        while len(out) < self.padded() // 2:
            z = z + 0x9e3779b97f4a7c15 & mask
            x = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & mask
            x = (x ^ x >> 27) * 0x94d049bb133111eb & mask
            out += struct.pack("<Q", x ^ x >> 31)
        assert out == self.bytes_of(16), "signs"

    def bit(self, r, link, i):
        at = self.row_at(r) + self.lanes_at() + link // 32 * 16 * self.values() // 4
        byte = self.data[at + 16 * (i // 4) + link % 16]
        return byte >> i % 4 + (4 if link % 32 >= 16 else 0) & 1

    def factors(self, r):
        if not self.part():
            at = self.row_at(r) + self.lanes_at() + self.links * self.padded() // 8
            f = struct.unpack_from("<%df" % (2 * self.links), self.data, at)
        else:
            at = self.row_at(r) + self.unit_at()
            unit, *f = struct.unpack_from("<f%de" % (2 * self.links), self.data, at)
            assert unit == 0 or 1 / 16 < max(map(abs, f)) <= 1, "the unit of row %d" % r
            f = [unit * x for x in f]
        return f[:self.links], f[self.links:]

    def check_codes(self, r):
        dim, c = self.padded(), self.rotate(self.vector(r))
        add, rescale = self.factors(r)
        for link, other in enumerate(self.links_of(r)):
            o = [x - y for x, y in zip(self.rotate(self.vector(other)), c)]
            u = [self.bit(r, link, i) - 0.5 for i in range(self.values())] + \
                [0.0] * (dim - self.values())
            for x, y in zip(o, u):
                assert y == 0 or abs(x) < 1e-6 or (x > 0) == (y > 0), "a bit of row %d" % r
            square, along = sum(x * x for x in o), sum(x * y for x, y in zip(o, u))
            b = -2 * square / along if along else 0
            a = square - b * sum(x * y for x, y in zip(c, u))
            near = (1e-3 if self.part() else 1e-4) * (1 + abs(a) + abs(b))
            assert abs(add[link] - a) < near and abs(rescale[link] - b) < near, \
                "a number of row %d" % r


def hadamard(v):
    if len(v) == 1:
        return v
    half = len(v) // 2
    a, b = v[:half], v[half:]
    return hadamard([x + y for x, y in zip(a, b)]) + hadamard([x - y for x, y in zip(a, b)])


def main(path, reach=False):
    index = Index(open(path, "rb").read())
    if reach:
        print("".join(i + "\n" for i in index.unreached()), end="")
        return
    for r in index.order():
        v = index.vector(r, True)
        print(index.id(r), base64.b64encode(struct.pack("<%df" % len(v), *v)).decode(), sep="\t")
    for r in range(index.rows):
        assert all(to < index.rows for to in index.links_of(r) if index.section[3][1] or
                   index.bytes_of(11)), "a link of row %d" % r
    if index.bytes_of(16):
        index.check_signs()
        for r in range(0, index.rows, max(1, index.rows // 20)):
            index.check_codes(r)


main(sys.argv[-1], sys.argv[1] == "--reach")
