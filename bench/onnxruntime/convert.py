#!/usr/bin/env python3
"""Write a nomic-bert of tests/model/make.py as an ONNX file: the same weights.

    convert.py floats|int8|blocks MODEL ONNX

floats: from F16, multiplied as floats.  From Q8_0: int8, a scale for each output and rows that are
quantized as they come (DynamicQuantizeMatMul), or blocks, the same blocks of 32 (MatMulNBits).
The inputs are ids and positions, [1, n] of int64, the output is the mean, vector.
"""
import math
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/model"))
from oracle import File, TYPES  # noqa: E402

FLOAT, UINT8, INT8, INT64, FLOAT16 = 1, 2, 3, 7, 10
MS = "com.microsoft"


# ---- protobuf ----

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, value):
    """A field: whole numbers, reals, texts or bytes of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name, value):
    if isinstance(value, list):
        return field(1, name) + b"".join(field(8, v) for v in value) + field(20, 7)
    real = isinstance(value, float)
    return field(1, name) + field(2 if real else 3, value) + field(20, 1 if real else 2)


def tensor(name, kind, dims, data):
    return b"".join(field(1, d) for d in dims) + field(2, kind) + field(8, name) + field(9, data)


def value_info(name, kind, *dims):
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


# ---- the graph ----

class Graph:
    def __init__(self, f, how):
        self.f, self.how, self.nodes, self.tensors, self.n = f, how, [], [], 0

    def node(self, op, *inputs, domain="", outputs=1, **attributes):
        names = ["v%d" % (self.n + i) for i in range(outputs)]
        self.n += outputs
        self.nodes.append(b"".join(field(1, i) for i in inputs) + b"".join(
            field(2, o) for o in names) + field(4, op) + field(7, domain) + b"".join(
                field(5, attribute(*a)) for a in attributes.items()))
        return names[0] if outputs == 1 else names

    def constant(self, kind, dims, data):
        name = "w%d" % len(self.tensors)
        self.tensors.append(tensor(name, kind, dims, data))
        return name

    def floats(self, values, *dims):
        data = struct.pack("<%df" % len(values), *values)
        return self.constant(FLOAT, dims or [len(values)], data)

    def bytes_of(self, name):
        dims, kind, at = self.f.tensor[name]
        values, size, _ = TYPES[kind]
        at += self.f.start
        return dims, self.f.data[at:at + math.prod(dims) // values * size]

    def halves(self, name):
        """A tensor of F16, as floats."""
        dims, data = self.bytes_of(name)
        return self.node("Cast", self.constant(FLOAT16, dims[::-1], data), to=FLOAT)

    def matmul(self, x, name):
        (rows, outputs), data = self.bytes_of(name + ".weight")
        if self.how == "floats":
            w = self.node("Transpose", self.halves(name + ".weight"), perm=[1, 0])
            return self.node("MatMul", x, w)
        scale = struct.unpack("<%de" % (len(data) // 34), b"".join(
            data[i:i + 2] for i in range(0, len(data), 34)))
        quants = [data[i + 2:i + 34] for i in range(0, len(data), 34)]
        if self.how == "blocks":
            moved = b"".join(quants).translate(bytes((i + 128) % 256 for i in range(256)))
            return self.node(
                "MatMulNBits", x, self.constant(UINT8, [outputs, rows // 32, 32], moved),
                self.floats(scale, outputs, rows // 32), domain=MS, K=rows, N=outputs, bits=8,
                block_size=32, accuracy_level=4)
        out, top, per = bytearray(), [], rows // 32
        for i in range(0, len(scale), per):
            most = max(abs(s) * max(map(abs, struct.unpack("32b", q)))
                       for s, q in zip(scale[i:i + per], quants[i:i + per])) / 127
            top.append(most)
            for s, q in zip(scale[i:i + per], quants[i:i + per]):
                out += struct.pack("32b", *(round(v * s / most) for v in struct.unpack("32b", q)))
        w = self.node("Transpose", self.constant(INT8, [outputs, rows], bytes(out)), perm=[1, 0])
        return self.node("DynamicQuantizeMatMul", x, w, self.floats(top), domain=MS)

    def norm(self, x, name, epsilon, more=None):
        w, b = (self.floats(self.f.row(name + end, 0)) for end in (".weight", ".bias"))
        if more is None:
            return self.node("LayerNormalization", x, w, b, epsilon=epsilon)
        return self.node("SkipLayerNormalization", x, more, w, b, domain=MS, epsilon=epsilon)


def embeddings(g):
    """What the model makes of ids first; of Q8_0 as floats."""
    if g.how == "floats":
        return g.node("Gather", g.halves("token_embd.weight"), "ids")
    (width, rows), _ = g.bytes_of("token_embd.weight")
    values = [v for i in range(rows) for v in g.f.row("token_embd.weight", i)]
    return g.node("Gather", g.constant(FLOAT16, [rows, width], struct.pack(
        "<%de" % len(values), *values)), "ids")


def model(f, how):
    g, key = Graph(f, how), lambda name: f.key["nomic-bert." + name]
    heads, epsilon = key("attention.head_count"), key("attention.layer_norm_epsilon")
    half, n = key("embedding_length") // heads // 2, 512
    angle = [i * key("rope.freq_base") ** (-k / half) for i in range(n) for k in range(half)]
    cos, sin = (g.floats(list(map(of, angle)), n, half) for of in (math.cos, math.sin))
    x = embeddings(g)
    x = x if how == "floats" else g.node("Cast", x, to=FLOAT)
    x = g.node("Add", x, g.floats(f.row("token_types.weight", 0)))
    x = g.norm(x, "token_embd_norm", epsilon)
    for i in range(key("block_count")):
        b = "blk.%d." % i
        q, k, v = g.node("Split", g.matmul(x, b + "attn_qkv"), outputs=3, axis=2)
        q, k = (g.node("RotaryEmbedding", p, "positions", cos, sin, domain=MS) for p in (q, k))
        y = g.node("MultiHeadAttention", q, k, v, domain=MS, num_heads=heads)
        x = g.norm(x, b + "attn_output_norm", epsilon, g.matmul(y, b + "attn_output"))
        gate = g.node("QuickGelu", g.matmul(x, b + "ffn_gate"), domain=MS, alpha=1.0)
        y = g.node("Mul", gate, g.matmul(x, b + "ffn_up"))
        x = g.norm(x, b + "layer_output_norm", epsilon, g.matmul(y, b + "ffn_down"))
    mean = g.node("ReduceMean", x, axes=[1], keepdims=0)
    g.nodes.append(field(1, mean) + field(2, "vector") + field(4, "Identity"))
    graph = b"".join(field(1, v) for v in g.nodes) + field(2, "model") + b"".join(
        field(5, t) for t in g.tensors)
    for name in "ids", "positions":
        graph += field(11, value_info(name, INT64, 1, "n"))
    graph += field(12, value_info("vector", FLOAT, 1, key("embedding_length")))
    opsets = field(8, field(1, "") + field(2, 17)) + field(8, field(1, MS) + field(2, 1))
    return field(1, 8) + opsets + field(7, graph)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("floats", "int8", "blocks"):
        sys.exit(__doc__)
    with open(sys.argv[3], "wb") as out:
        out.write(model(File(sys.argv[2]), sys.argv[1]))
