#!/usr/bin/env python3
"""The vectors of token lists in float64, by another hand: the standard library of
Python, the description of GGUF and of the graph, nothing of the C.

    oracle.py MODEL [--raw] [--gelu erf] <LISTS >VECTORS
                a list of token ids a line, as JSON; a vector a line (without pooling one for
                each token)
    oracle.py MODEL --rank [--lists] <PAIRS >SCORES
                of a cross-encoder: the tokens of a query and of a text a line, [[1,2],[3]],
                without special ones; a score a line, or the tokens of the pair
    oracle.py MODEL --tensor NAME
                the values of a tensor, a row a line

It is slow: a model of 2 layers and width 64 takes about 10 ms a token, and attention
grows with the square of the length.
"""
import argparse
import json
import math
import struct
import sys
from operator import add, mul


# ---- blocks: bytes of a row as numbers ----

def halves(data):
    return struct.unpack("<%de" % (len(data) // 2), data)


def f32(data):
    return list(struct.unpack("<%df" % (len(data) // 4), data))


def f16(data):
    return list(halves(data))


def bf16(data):
    shorts = struct.unpack("<%dH" % (len(data) // 2), data)
    return [struct.unpack("<f", struct.pack("<I", s << 16))[0] for s in shorts]


def low_high(qs):
    """The low nibbles of some bytes, then the high ones."""
    return [q % 16 for q in qs] + [q // 16 for q in qs]


def q4_0(block):
    d, = halves(block[:2])
    return [(q - 8) * d for q in low_high(block[2:])]


def q4_1(block):
    d, m = halves(block[:4])
    return [q * d + m for q in low_high(block[4:])]


def with_fifth_bit(block):
    """A u32 of fifth bits, then 16 bytes of nibbles."""
    bits = int.from_bytes(block[:4], "little")
    return [q + 16 * (bits >> i & 1) for i, q in enumerate(low_high(block[4:]))]


def q5_0(block):
    d, = halves(block[:2])
    return [(q - 16) * d for q in with_fifth_bit(block[2:])]


def q5_1(block):
    d, m = halves(block[:4])
    return [q * d + m for q in with_fifth_bit(block[4:])]


def q8_0(block):
    d, = halves(block[:2])
    return [q * d for q in struct.unpack("<32b", block[2:])]


def six_bits(s):
    """Eight scales and eight minima from 12 bytes: 4 + 4 whole ones whose upper two bits
    belong to the others, whose lower four are in the last bytes."""
    a, b, c = s[:4], s[4:8], s[8:]
    scales = [x % 64 for x in a] + [z % 16 + 16 * (x // 64) for x, z in zip(a, c)]
    minima = [y % 64 for y in b] + [z // 16 + 16 * (y // 64) for y, z in zip(b, c)]
    return scales, minima


def k_values(block, q):
    d, dmin = halves(block[:4])
    scales, minima = six_bits(block[4:16])
    return [d * scales[i // 32] * q[i] - dmin * minima[i // 32] for i in range(256)]


def nibbles_of_64(qs):
    """Each 32 bytes are 64 values: the low nibbles, then the high ones."""
    return [q for i in range(0, len(qs), 32) for q in low_high(qs[i:i + 32])]


def q4_k(block):
    return k_values(block, nibbles_of_64(block[16:]))


def q5_k(block):
    high, q = block[16:48], nibbles_of_64(block[48:])
    return k_values(block, [v + 16 * (high[i % 32] >> i // 32 & 1) for i, v in enumerate(q)])


def q6_k(block):
    low, high, scales = block[:128], block[128:192], struct.unpack("<16b", block[192:208])
    d, = halves(block[208:])
    out = []
    for half in range(2):
        four = low_high(low[64 * half:64 * half + 64])
        two = high[32 * half:32 * half + 32]
        for i, q in enumerate(four):
            q += 16 * (two[i % 32] >> 2 * (i // 32) & 3)
            out.append(d * scales[8 * half + i // 16] * (q - 32))
    return out


# number of the type: values and bytes of a block, its decoder
TYPES = {0: (1, 4, f32), 1: (1, 2, f16), 30: (1, 2, bf16), 2: (32, 18, q4_0), 3: (32, 20, q4_1),
         6: (32, 22, q5_0), 7: (32, 24, q5_1), 8: (32, 34, q8_0), 12: (256, 144, q4_k),
         13: (256, 176, q5_k), 14: (256, 210, q6_k)}


# ---- the file ----

class Reader:
    SCALAR = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
              12: "d"}

    def __init__(self, data):
        self.data, self.at = data, 0

    def get(self, form):
        form = "<" + form
        v, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return v

    def string(self):
        n = self.get("Q")
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind == 9:
            of, n = self.get("I"), self.get("Q")
            return [self.value(of) for _ in range(n)]
        return self.get(self.SCALAR[kind])


class File:
    def __init__(self, path):
        with open(path, "rb") as f:
            r = Reader(f.read())
        if r.data[:4] != b"GGUF":
            raise ValueError("not GGUF")
        r.at = 4
        r.get("I")
        tensors, keys = r.get("Q"), r.get("Q")
        self.data, self.key, self.tensor = r.data, {}, {}
        for _ in range(keys):
            name = r.string()
            self.key[name] = r.value(r.get("I"))
        for _ in range(tensors):
            name = r.string()
            dims = [r.get("Q") for _ in range(r.get("I"))]
            self.tensor[name] = dims, r.get("I"), r.get("Q")
        align = self.key.get("general.alignment", 32)
        self.start = (r.at + align - 1) // align * align

    def row(self, name, i):
        """Row i of a tensor, counted through all dimensions but the innermost."""
        dims, kind, offset = self.tensor[name]
        values, size, decode = TYPES[kind]
        n = dims[0] // values * size
        at = self.start + offset + i * n
        data = self.data[at:at + n]
        if values == 1:
            return decode(data)
        return [v for b in range(0, n, size) for v in decode(data[b:b + size])]

    def rows(self, name):
        return [self.row(name, i) for i in range(math.prod(self.tensor[name][0][1:]))]


# ---- arithmetic ----

def dot(a, b):
    return sum(map(mul, a, b))


def softmax(v):
    top = max(v)
    e = [math.exp(x - top) for x in v]
    total = sum(e)
    return [x / total for x in e]


def gelu_erf(x):
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x)))


def silu(x):
    return x / (1 + math.exp(-x)) if x > -700 else 0.0


class Linear:
    """y = W x + b; the file has a row of W for each output.  part: which of several
    matrices in one tensor."""

    def __init__(self, f, name, part=0):
        count = f.tensor[name + ".weight"][0][1]
        self.w = [f.row(name + ".weight", part * count + i) for i in range(count)]
        self.b = f.row(name + ".bias", 0) if name + ".bias" in f.tensor else [0.0] * count

    def __call__(self, x):
        return [dot(row, x) + b for row, b in zip(self.w, self.b)]


class Norm:
    """A norm by its mean and variance, or (rms) by its mean square."""

    def __init__(self, f, name, epsilon, rms=False):
        self.w = f.row(name + ".weight", 0)
        self.b = f.row(name + ".bias", 0) if name + ".bias" in f.tensor else [0.0] * len(self.w)
        self.epsilon, self.rms = epsilon, rms

    def __call__(self, x):
        mean = 0 if self.rms else sum(x) / len(x)
        x = [v - mean for v in x]
        scale = 1 / math.sqrt(dot(x, x) / len(x) + self.epsilon)
        return [v * scale * w + b for v, w, b in zip(x, self.w, self.b)]


def same(x):
    return x


# ---- the graph ----

class Layer:
    def __init__(self, m, i):
        f, b = m.file, "blk.%d." % i
        self.m, self.file = m, f
        if b + "attn_qkv.weight" in f.tensor:
            self.qkv = Linear(f, b + "attn_qkv")
        else:
            parts = [Linear(f, b + "attn_" + p) for p in "qkv"]
            self.qkv = lambda x: [v for p in parts for v in p(x)]
        self.out = Linear(f, b + "attn_output")
        self.norm = {name: m.norm_of(b + name) for name in (
            "attn_norm", "attn_q_norm", "attn_k_norm", "post_attention_norm", "attn_output_norm",
            "attn_norm_2", "ffn_norm", "post_ffw_norm", "layer_output_norm")}
        self.second = b + "attn_norm_2.weight" in f.tensor
        self.local = m.is_local(i)
        self.base = m.local_base if self.local else m.base
        if b + "ffn_gate_inp.weight" in f.tensor:
            self.forward = self.experts(b)
        else:
            self.forward = self.dense_forward(b)

    def dense_forward(self, b):
        m, f = self.m, self.file
        up, down = Linear(f, b + "ffn_up"), Linear(f, b + "ffn_down")
        ff = f.tensor[b + "ffn_down.weight"][0][0]
        act = silu if m.silu else m.gelu
        if b + "ffn_gate.weight" in f.tensor:
            gate = Linear(f, b + "ffn_gate")
            return lambda x: down(list(map(mul, map(act, gate(x)), up(x))))
        if f.tensor[b + "ffn_up.weight"][0][1] == 2 * ff:
            def both(x):
                y = up(x)
                return down(list(map(mul, map(act, y[:ff]), y[ff:])))
            return both
        return lambda x: down(list(map(m.gelu, up(x))))

    def experts(self, b):
        gate = Linear(self.file, b + "ffn_gate_inp")
        width, _, n = self.file.tensor[b + "ffn_up_exps.weight"][0]
        up, down = ([Linear(self.file, b + "ffn_" + name + "_exps", i) for i in range(n)]
                    for name in ("up", "down"))
        used = self.m.used

        def forward(x):
            share = softmax(gate(x))
            best = sorted(range(n), key=lambda i: -share[i])[:used]
            y = [0.0] * width
            for i in best:
                y = [a + share[i] * v for a, v in zip(y, down[i](list(map(self.m.gelu, up[i](x)))))]
            return y
        return forward

    def heads_of(self, x):
        """q, k and v of a token, each a list of heads, normalised."""
        m, y = self.m, self.qkv(x)
        d, parts = m.head, []
        for n, name in (m.heads, "attn_q_norm"), (m.kv_heads, "attn_k_norm"), (m.kv_heads, None):
            part, y = y[:n * d], y[n * d:]
            norm = self.norm[name] if name else same
            if not m.rms:		# over all heads
                part = norm(part)
            heads = [part[h * d:h * d + d] for h in range(n)]
            parts.append([norm(h) for h in heads] if m.rms else heads)
        return parts

    def sees(self, i, j):
        """Whether token i attends to token j."""
        m = self.m
        return not (m.causal and j > i) and not (self.local and abs(i - j) > m.window // 2)

    def attend(self, xs):
        m = self.m
        out = [[] for _ in xs]
        all3 = [self.heads_of(x) for x in xs]
        for h in range(m.heads):
            kv = h * m.kv_heads // m.heads
            q, k, v = ([row[part][h if part == 0 else kv] for row in all3] for part in range(3))
            if self.base:
                q, k = ([m.rotate(x, p, self.base) for p, x in enumerate(part)] for part in (q, k))
            for i, (row, y) in enumerate(zip(q, out)):
                near = [j for j in range(len(xs)) if self.sees(i, j)]
                p = softmax([dot(row, k[j]) / math.sqrt(m.head) - m.slope(h) * abs(i - j)
                             for j in near])
                y += [dot(p, column) for column in zip(*(v[j] for j in near))]
        return out

    def __call__(self, xs):
        n, ys = self.norm, []
        for x, a in zip(xs, self.attend([n["attn_norm"](x) for x in xs])):
            y = n["attn_output_norm"](list(map(add, x, n["post_attention_norm"](self.out(a)))))
            ys.append(n["attn_norm_2"](list(map(add, y, x))) if self.second else y)
        return [n["layer_output_norm"](list(map(
            add, y, n["post_ffw_norm"](self.forward(n["ffn_norm"](y)))))) for y in ys]


class Model:
    def __init__(self, path, gelu):
        f = self.file = File(path)
        self.gelu = gelu
        a = self.architecture = f.key["general.architecture"]
        def key(name, default=None):
            return f.key.get(a + "." + name, default)
        self.rms = a in ("gemma-embedding", "qwen3", "llama-embed")
        self.heads = key("attention.head_count")
        self.kv_heads = key("attention.head_count_kv", self.heads)
        self.head = key("attention.key_length", key("embedding_length") // self.heads)
        self.epsilon = key("attention.layer_norm_rms_epsilon" if self.rms else
                           "attention.layer_norm_epsilon")
        self.pooling = key("pooling_type")
        self.used = key("expert_used_count", 0)
        self.base = 0 if a in ("bert", "jina-bert-v2") else key("rope.freq_base", 10000)
        self.local_base = key("rope.freq_base_swa", 10000)
        self.rotated = key("rope.dimension_count", self.head)
        self.factors = f.row("rope_freqs.weight", 0) if "rope_freqs.weight" in f.tensor else None
        self.causal = key("attention.causal", a in ("qwen3", "llama-embed"))
        if a == "gemma-embedding":
            self.causal = False
        self.window = key("attention.sliding_window", 0)
        self.silu = a in ("nomic-bert", "qwen3", "llama-embed") or key(
            "hidden_activation") == "silu"
        self.norm = self.norm_of("token_embd_norm")
        self.output_norm = self.norm_of("output_norm")
        self.dense = [Linear(f, name) for name in ("dense_2", "dense_3")
                      if name + ".weight" in f.tensor]
        self.layers = [Layer(self, i) for i in range(key("block_count"))]

    def norm_of(self, name):
        if name + ".weight" not in self.file.tensor:
            return same
        return Norm(self.file, name, self.epsilon, self.rms)

    def is_local(self, i):
        """Whether a layer has the window: all but the last of six, or the first of three."""
        first = self.architecture == "modern-bert"
        if not self.window or self.architecture not in ("modern-bert", "gemma-embedding"):
            return False
        pattern = self.file.key.get(self.architecture + ".attention.sliding_window_pattern",
                                    3 if first else 6)
        if isinstance(pattern, list):
            return pattern[i]
        return i % pattern != (0 if first else pattern - 1)

    def slope(self, head):
        """What a token's distance costs a head of ALiBi."""
        if self.architecture != "jina-bert-v2":
            return 0
        two = 2 ** int(math.log2(self.heads))
        return 2 ** (-8 / two * (head + 1) if head < two else -4 / two * (2 * (head - two) + 1))

    def rotate(self, v, position, base):
        half = self.rotated // 2
        angle = [position * base ** (-i / half) for i in range(half)]
        if self.factors:
            angle = [x / f for x, f in zip(angle, self.factors)]
        pairs = [(i, i + half) for i in range(half)]
        if self.architecture == "llama-embed":
            pairs = [(2 * i, 2 * i + 1) for i in range(half)]
        out = list(v)
        for (i, k), x in zip(pairs, angle):
            out[i] = v[i] * math.cos(x) - v[k] * math.sin(x)
            out[k] = v[k] * math.cos(x) + v[i] * math.sin(x)
        return out

    def start(self, token, position, kind=0):
        x = self.file.row("token_embd.weight", token)
        if self.architecture == "gemma-embedding":
            x = [v * math.sqrt(len(x)) for v in x]
        if "token_types.weight" in self.file.tensor:
            x = list(map(add, x, self.file.row("token_types.weight", kind)))
        if "position_embd.weight" in self.file.tensor:
            x = list(map(add, x, self.file.row("position_embd.weight", position)))
        return self.norm(x)

    def encode(self, tokens, kinds):
        xs = list(map(self.start, tokens, range(len(tokens)), kinds))
        for layer in self.layers:
            xs = layer(xs)
        return list(map(self.output_norm, xs))

    def pair(self, query, text):
        """The tokens of a pair and their types."""
        key = self.file.key
        cls, sep = (key["tokenizer.ggml.%s_token_id" % name] for name in ("bos", "eos"))
        twice = (key["tokenizer.ggml.model"] == "t5"
                 or key.get("tokenizer.ggml.pre") == "roberta-bpe")
        between = [sep] * (2 if twice else 1)
        room = key[self.architecture + ".context_length"] - 2 - len(between)
        while len(query) + len(text) > room:
            if len(query) > len(text):
                query = query[:-1]
            else:
                text = text[:-1]
        one, two = [cls] + query + between[:1], between[1:] + text + [sep]
        types = self.file.tensor.get("token_types.weight", [[0, 1]])[0][1]
        second = min(1, types - 1)
        return one + two, [0] * len(one) + [second] * len(two)

    def score(self, query, text):
        f, xs = self.file, self.encode(*self.pair(query, text))
        modern = self.architecture == "modern-bert"
        x = [sum(column) / len(xs) for column in zip(*xs)] if modern else xs[0]
        if "cls.weight" in f.tensor:
            x = list(map(self.gelu if modern else math.tanh, Linear(f, "cls")(x)))
            x = self.norm_of("cls.norm")(x) if modern else x
        logits = Linear(f, "cls.output")(x)
        return logits[0] if len(logits) == 1 else logits[1] - logits[0]

    def vectors(self, tokens, raw):
        """The vector of a list, or (no pooling) those of its tokens."""
        xs = self.encode(tokens, [0] * len(tokens))
        if self.pooling == 1:
            xs = [[sum(column) / len(xs) for column in zip(*xs)]]
        elif self.pooling:
            xs = [xs[{2: 0, 3: -1}[self.pooling]]]
        for dense in self.dense:
            xs = list(map(dense, xs))
        lengths = [1 if raw else math.sqrt(dot(v, v)) for v in xs]
        return [[x / n for x in v] for v, n in zip(xs, lengths)]


def main():
    p = argparse.ArgumentParser(description="Vectors of token lists in float64.")
    p.add_argument("model")
    p.add_argument("--raw", action="store_true", help="do not scale to unit length")
    p.add_argument("--gelu", choices=["tanh", "erf"], default="tanh")
    p.add_argument("--rank", action="store_true", help="print the scores of pairs")
    p.add_argument("--lists", action="store_true", help="with --rank: print the tokens of pairs")
    p.add_argument("--tensor", metavar="NAME", help="print the values of a tensor")
    o = p.parse_args()
    if o.tensor:
        for row in File(o.model).rows(o.tensor):
            print(json.dumps(row))
        return
    m = Model(o.model, gelu_erf if o.gelu == "erf" else gelu_tanh)
    for line in sys.stdin if o.rank else []:
        pair = json.loads(line)
        print(json.dumps(m.pair(*pair)[0] if o.lists else m.score(*pair)), flush=True)
    for line in sys.stdin:
        for vector in m.vectors(json.loads(line), o.raw):
            print(json.dumps(vector), flush=True)


if __name__ == "__main__":
    sys.exit(main())
