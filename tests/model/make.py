#!/usr/bin/env python3
"""Write a GGUF model for tests: any architecture, any type, weights by a seed.

    make.py [--architecture nomic-bert] [--type F16] ... -o FILE

bench/model.c writes the same files of the first three architectures,
byte for byte, and is faster; this one is also a module, with which forge.py makes wrong files.  README.md
says how weights follow from the seed.
"""
import argparse
import math
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pieces  # noqa: E402

U32, I32, F32, BOOL, STRING, ARRAY, U8, U64 = 4, 5, 6, 7, 8, 9, 0, 10
TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8,
         "Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "BF16": 30}
ONE = {"F32": 4, "F16": 2, "BF16": 2}
NEW = ["jina-bert-v2", "jina-bert-v3", "modern-bert", "gemma-embedding", "qwen3", "llama-embed"]
POOLING = {"none": 0, "mean": 1, "cls": 2, "last": 3, "rank": 4}
WORD64 = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


# ---- numbers ----

def mix(z):
    """The output function of splitmix64."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD64
    return z ^ (z >> 31)


def fnv(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & WORD64
    return h


def weights(seed, name, n, center=0, exponent=0):
    """n floats center + v * 2^exponent; v is triangular in -1..1, of 24 bits."""
    at = mix((seed + fnv(name)) & WORD64)
    low, top, unit = (1 << 23) - 1, 1 << 23, math.ldexp(1, exponent)
    out = []
    for _ in range(n):
        at = (at + GOLDEN) & WORD64
        z = mix(at)
        out.append(center + ((z >> 41) + (z >> 18 & low) - low) / top * unit)
    return [f32(x) for x in out] if center else out


def f32(x, F=struct.Struct("<f")):
    return F.unpack(F.pack(x))[0]


def f16(x, H=struct.Struct("<e")):
    return H.unpack(H.pack(x))[0]


# ---- blocks: the formulas of ggml for 32 values, simpler ones for 256 ----

def pack_bf16(values):
    out = []
    for x in values:
        bits, = struct.unpack("<I", struct.pack("<f", x))
        out.append((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    return struct.pack("<%dH" % len(out), *out)


def farthest(values):
    """The first of the values with the largest magnitude."""
    best = 0.0
    for x in values:
        if abs(x) > abs(best):
            best = x
    return best


def inverse(d):
    return f32(1 / d) if d else 0.0


def nibbles(q):
    return bytes(q[i] & 15 | (q[i + 16] & 15) << 4 for i in range(16))


def high_bits(q):
    return struct.pack("<I", sum((x >> 4 & 1) << i for i, x in enumerate(q)))


def signed(values, half):
    """Scale and values 0 .. 2*half-1 around half: Q4_0, Q5_0."""
    d = f32(farthest(values) / -half)
    i = inverse(d)
    return d, [min(2 * half - 1, int(f32(f32(x * i) + (half + 0.5)))) for x in values]


def affine(values, most):
    """Scale, minimum and values 0 .. most: Q4_1, Q5_1."""
    low = min(values)
    d = f32(f32(max(values) - low) / most)
    i = inverse(d)
    return d, low, [min(most, int(f32(f32(f32(x - low) * i) + 0.5))) for x in values]


def q4_0(values):
    d, q = signed(values, 8)
    return struct.pack("<e", d) + nibbles(q)


def q4_1(values):
    d, low, q = affine(values, 15)
    return struct.pack("<ee", d, low) + nibbles(q)


def q5_0(values):
    d, q = signed(values, 16)
    return struct.pack("<e", d) + high_bits(q) + nibbles(q)


def q5_1(values):
    d, low, q = affine(values, 31)
    return struct.pack("<ee", d, low) + high_bits(q) + nibbles(q)


def q8_0(values):
    d = f32(abs(farthest(values)) / 127)
    i = inverse(d)
    q = [int(math.copysign(math.floor(abs(f32(x * i)) + 0.5), x)) for x in values]
    return struct.pack("<e32b", d, *q)


def k_scales(values, most):
    """d, dmin, eight 6-bit scales and minima, and the values 0 .. most."""
    runs = [values[i:i + 32] for i in range(0, 256, 32)]
    low = [min(0.0, min(r)) for r in runs]
    scale = [f32(f32(max(r) - m) / most) for r, m in zip(runs, low)]
    top, bottom = max(scale), max(-m for m in low)
    up = f32(63 / top) if top else 0.0
    down = f32(63 / bottom) if bottom else 0.0
    ls = [min(63, round(f32(up * s))) for s in scale]
    lm = [min(63, round(f32(down * -m))) for m in low]
    d, dmin = f16(f32(top / 63)), f16(f32(bottom / 63))
    q = []
    for r, s, m in zip(runs, ls, lm):
        ds, dm = f32(d * s), f32(dmin * m)
        q += [min(most, max(0, round(f32(f32(x + dm) / ds)))) if ds else 0 for x in r]
    packed = [0] * 12
    for j in range(4):
        packed[j] = ls[j] | ls[j + 4] >> 4 << 6
        packed[j + 4] = lm[j] | lm[j + 4] >> 4 << 6
        packed[j + 8] = ls[j + 4] & 15 | (lm[j + 4] & 15) << 4
    return struct.pack("<ee12B", d, dmin, *packed), q


def k_nibbles(q):
    return bytes(q[64 * i + j] & 15 | (q[64 * i + 32 + j] & 15) << 4
                 for i in range(4) for j in range(32))


def q4_k(values):
    head, q = k_scales(values, 15)
    return head + k_nibbles(q)


def q5_k(values):
    head, q = k_scales(values, 31)
    high = bytes(sum((q[32 * i + j] >> 4) << i for i in range(8)) for j in range(32))
    return head + high + k_nibbles(q)


def q6_k(values):
    runs = [values[i:i + 16] for i in range(0, 256, 16)]
    scale = [f32(farthest(r) / -32) for r in runs]
    top = farthest(scale)
    if not top:
        return bytes(210)
    up = f32(-128 / top)
    d = f16(f32(1 / up))
    ls = [min(127, round(f32(up * s))) for s in scale]
    q = []
    for r, s in zip(runs, ls):
        ds = f32(d * s)
        q += [min(31, max(-32, round(f32(x / ds)))) + 32 if ds else 32 for x in r]
    low, high = bytearray(), bytearray()
    for h in (q[:128], q[128:]):
        low += bytes(h[j] & 15 | (h[j + 64] & 15) << 4 for j in range(64))
        high += bytes(sum((h[j + 32 * i] >> 4) << 2 * i for i in range(4)) for j in range(32))
    return bytes(low) + bytes(high) + struct.pack("<16be", *ls, d)


BLOCK = {"Q4_0": (32, q4_0), "Q4_1": (32, q4_1), "Q5_0": (32, q5_0), "Q5_1": (32, q5_1),
         "Q8_0": (32, q8_0), "Q4_K": (256, q4_k), "Q5_K": (256, q5_k), "Q6_K": (256, q6_k)}


def encode(kind, values):
    """The bytes of values as a type."""
    if kind == "F32":
        return struct.pack("<%df" % len(values), *values)
    if kind == "F16":
        return struct.pack("<%de" % len(values), *values)
    if kind == "BF16":
        return pack_bf16(values)
    n, block = BLOCK[kind]
    return b"".join(block(values[i:i + n]) for i in range(0, len(values), n))


# ---- the file ----

def string(s):
    s = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<Q", len(s)) + s


SCALAR = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q",
          11: "<q", 12: "<d"}


def value(kind, v):
    if kind == STRING:
        return string(v)
    if kind == ARRAY:
        of, items = v
        return struct.pack("<IQ", of, len(items)) + b"".join(value(of, x) for x in items)
    return struct.pack(SCALAR[kind], v)


def padded(data, alignment):
    return data + bytes(-len(data) % alignment)


def file_bytes(keys, tensors, alignment=32, version=3):
    """keys: (name, type, value); tensors: (name, dims innermost first, type number, bytes)."""
    out = [b"GGUF", struct.pack("<IQQ", version, len(tensors), len(keys))]
    for name, kind, v in keys:
        out += string(name), struct.pack("<I", kind), value(kind, v)
    at = 0
    for name, dims, kind, data in tensors:
        out += (string(name), struct.pack("<I%dQ" % len(dims), len(dims), *dims),
                struct.pack("<IQ", kind, at))
        at += len(padded(data, alignment))
    head = padded(b"".join(out), alignment)
    return head + b"".join(padded(data, alignment) for _, _, _, data in tensors)


# ---- the vocabulary ----

def filler(i):
    """Word i of those that fill a vocabulary: three syllables of two letters."""
    word = ""
    for _ in range(3):
        word += "bcdfghjklmnprstvz"[i % 17] + "aeiou"[i // 17 % 5]
        i //= 85
    return word


def vocabulary(tokenizer, n):
    """Tokens and their scores: those of the file, then fillers until there are n."""
    rows = pieces.rows("wordpiece.txt" if tokenizer == "bert" else "unigram.txt")
    rows += [("\u2581" + filler(i), -12 - i % 64 / 8) for i in range(n - len(rows))]
    return [r[0] for r in rows], [r[1] for r in rows]


def token_keys(o):
    if o.tokenizer in ("gpt2", "llama"):
        keys, n = pieces.keys(o.tokenizer, o.pre, map(filler, range(o.tokens)))
        return keys + [("tokenizer.ggml.token_type_count", U32, o.token_types)], n
    tokens, scores = vocabulary(o.tokenizer, o.tokens)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    if o.tokenizer == "t5":
        special = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]
    pad, unk, cls, sep, mask = (tokens.index(t) for t in special)
    kinds = [2 if i == unk else 3 if t in special else 1 for i, t in enumerate(tokens)]
    t = "tokenizer.ggml."
    keys = [(t + "model", STRING, o.tokenizer), (t + "tokens", ARRAY, (STRING, tokens)),
            (t + "token_type", ARRAY, (I32, kinds)),
            (t + "token_type_count", U32, o.token_types or 1)]
    if o.tokenizer == "t5":
        keys += [(t + "scores", ARRAY, (F32, scores)), (t + "add_bos_token", BOOL, 1),
                 (t + "add_eos_token", BOOL, 1), (t + "add_space_prefix", BOOL, 1),
                 (t + "remove_extra_whitespaces", BOOL, 1)]
        if o.charsmap:
            keys.append((t + "precompiled_charsmap", ARRAY, (U8, charsmap(CHARS))))
    keys += [(t + "bos_token_id", U32, cls), (t + "eos_token_id", U32, sep),
             (t + "unknown_token_id", U32, unk), (t + "seperator_token_id", U32, sep),
             (t + "padding_token_id", U32, pad), (t + "cls_token_id", U32, cls),
             (t + "mask_token_id", U32, mask)]
    return keys, len(tokens)


# What a charsmap made here replaces: some of what NFKC does, white space, and controls.
CHARS = {chr(0xFEE0 + c): chr(c) for c in range(0x21, 0x7F)}
CHARS.update({"\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ", "\ufb01": "fi",
              "\ufb02": "fl", "\u2126": "\u03c9", "\u00bd": "1\u20442", "e\u0301": "\u00e9",
              "u\u0308": "\u00fc", "\u0007": "", "\u200b": " ", "\u2026": "...",
              "\u32ff": "\u4ee4\u548c", "\u1e9e": "\u00df"})


def charsmap(table):
    """The bytes of a precompiled charsmap: u32 bytes of a double array, the array, texts."""
    texts, trie = b"", {}
    for key, text in sorted(table.items()):
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = len(texts)		# a leaf: where its text begins
        texts += text.encode() + b"\0"
    used, bases, unit = {0}, set(), {}

    def place(node, at):
        base = 1
        while base in bases or any(base ^ label in used for label in node):
            base += 1
        bases.add(base)
        used.update(base ^ label for label in node)
        unit[at] = unit.get(at, 0) | (at ^ base) << 10 | (0 in node) << 8
        for label, child in node.items():
            if label == 0:
                unit[base] = 1 << 31 | child
            else:
                unit[base ^ label] = label
                place(child, base ^ label)

    place(trie, 0)
    n = (max(used) | 255) + 1
    return struct.pack("<I%dI" % n, 4 * n, *(unit.get(i, 0) for i in range(n))) + texts


# ---- the model ----

def model_keys(o):
    a = o.architecture + "."
    epsilon = "rms_epsilon" if o.rms else "epsilon"
    keys = [("general.architecture", STRING, o.architecture), ("general.name", STRING, "test"),
            (a + "block_count", U32, o.layers), (a + "context_length", U32, o.context),
            (a + "embedding_length", U32, o.width), (a + "feed_forward_length", U32, o.ff),
            (a + "attention.head_count", U32, o.heads),
            (a + "attention.layer_norm_" + epsilon, F32,
             1e-6 if o.rms else 1e-5 if o.moe or o.new else 1e-12)]
    if not o.new:
        keys.append((a + "attention.causal", BOOL, 0))
    elif o.causal is not None:
        keys.append((a + "attention.causal", BOOL, o.causal))
    keys.append((a + "pooling_type", U32, POOLING[o.pooling]))
    if o.nomic and o.architecture != "jina-bert-v2":
        keys.append((a + "rope.freq_base", F32, 10000 if o.moe else 1000))
    if o.moe:
        keys += [(a + "expert_count", U32, o.experts), (a + "expert_used_count", U32, 2),
                 (a + "moe_every_n_layers", U32, 2)]
    if o.new:
        keys += new_keys(o, a)
    if o.labels:
        keys.append((a + "classifier.output_labels", ARRAY,
                     (STRING, ["LABEL_%d" % i for i in range(o.labels)])))
    tokens, n = token_keys(o)
    return keys + tokens, n


def new_keys(o, a):
    keys = []
    if o.kv_heads != o.heads:
        keys.append((a + "attention.head_count_kv", U32, o.kv_heads))
    if o.head * o.heads != o.width:
        keys += [(a + "attention.key_length", U32, o.head),
                 (a + "attention.value_length", U32, o.head)]
    if o.rotated:
        keys.append((a + "rope.dimension_count", U32, o.rotated))
    if o.window:
        keys.append((a + "attention.sliding_window", U32, o.window))
    if o.period:
        keys.append((a + "attention.sliding_window_pattern", U32, o.period))
    if o.local_base:
        keys.append((a + "rope.freq_base_swa", F32, o.local_base))
    if "silu" in o.parts:
        keys.append((a + "hidden_activation", STRING, "silu"))
    if o.dense:
        keys += [(a + "dense_2_feat_in", U32, o.width), (a + "dense_2_feat_out", U32, o.dense),
                 (a + "dense_3_feat_in", U32, o.dense), (a + "dense_3_feat_out", U32, o.width)]
    return keys


def matrix(o, name, *dims):
    k = 0
    while 6 * 4 ** k < dims[0]:	# values of about unit variance from such ones
        k += 1
    return name + ".weight", dims, o.type, 0, -k


def plain(name, dims, center=0, exponent=-3):
    return name, dims, "F32", center, exponent


def norm(o, name, n):
    weight = plain(name + ".weight", (n,), 1, -2)
    return [weight] if o.rms or o.architecture == "modern-bert" else [
        weight, plain(name + ".bias", (n,))]


def model_tensors(o, rows):
    """Yield (name, dims, type, center, exponent)."""
    w = o.width
    yield "token_embd.weight", (w, rows), o.type, 0, 0
    if o.token_types:
        yield plain("token_types.weight", (w, o.token_types), 0, -2)
    if not o.nomic:
        yield plain("position_embd.weight", (w, o.context), 0, -2)
    if not o.rms:
        yield from norm(o, "token_embd_norm", w)
    for i in range(o.layers):
        yield from layer_tensors(o, i) if not o.pre_norm else pre_layer_tensors(o, i)
    if o.pre_norm:
        yield from norm(o, "output_norm", w)
    if "factors" in o.parts:
        yield plain("rope_freqs.weight", (o.head // 2,), 3, 1)
    if o.dense:
        yield matrix(o, "dense_2", w, o.dense)
        yield matrix(o, "dense_3", o.dense, w)
    if o.labels:
        yield matrix(o, "cls", w, w)
        if o.architecture != "modern-bert":
            yield plain("cls.bias", (w,))
        if "cls-norm" in o.parts:
            yield plain("cls.norm.weight", (w,), 1, -2)
        yield matrix(o, "cls.output", w, o.labels)
        yield plain("cls.output.bias", (o.labels,))


def projections(o, b, bias):
    q, kv = o.heads * o.head, o.kv_heads * o.head
    outs = {"attn_qkv": q + 2 * kv} if o.fused else {"attn_q": q, "attn_k": kv, "attn_v": kv}
    for name, out in outs.items():
        yield matrix(o, b + name, o.width, out)
        if bias:
            yield plain(b + name + ".bias", (out,))
    yield matrix(o, b + "attn_output", q, o.width)
    if bias:
        yield plain(b + "attn_output.bias", (o.width,))


def layer_tensors(o, i):
    """A layer with norms after its halves."""
    w, ff, bias, b = o.width, o.ff, not o.nomic or o.moe or o.new, "blk.%d." % i
    yield from projections(o, b, bias)
    if "qk-norm" in o.parts:
        yield from norm(o, b + "attn_q_norm", w)
        yield from norm(o, b + "attn_k_norm", w)
    yield from norm(o, b + "attn_output_norm", w)
    if "second-norm" in o.parts:
        yield from norm(o, b + "attn_norm_2", w)
    if o.moe and i % 2 == 1:
        yield plain(b + "ffn_gate_inp.weight", (w, o.experts), 0, -2)
        yield matrix(o, b + "ffn_up_exps", w, ff, o.experts)
        yield matrix(o, b + "ffn_down_exps", ff, w, o.experts)
    else:
        if (o.nomic and not o.moe and not o.new) or "gate" in o.parts:
            yield matrix(o, b + "ffn_gate", w, ff)
        for name, dims in ("ffn_up", (w, ff * (2 if "up" in o.parts else 1))), ("ffn_down", (ff, w)):
            yield matrix(o, b + name, *dims)
            if bias and (name == "ffn_down" or not {"gate", "up"} & o.parts):
                yield plain(b + name + ".bias", (dims[1],))
    yield from norm(o, b + "layer_output_norm", w)


def pre_layer_tensors(o, i):
    """A layer with norms before its halves."""
    w, ff, b = o.width, o.ff, "blk.%d." % i
    modern = o.architecture == "modern-bert"
    if i or not modern or "first-norm" in o.parts:
        yield from norm(o, b + "attn_norm", w)
    yield from projections(o, b, False)
    if o.architecture in ("gemma-embedding", "qwen3"):
        yield from norm(o, b + "attn_q_norm", o.head)
        yield from norm(o, b + "attn_k_norm", o.head)
    if o.architecture == "gemma-embedding":
        yield from norm(o, b + "post_attention_norm", w)
        yield from norm(o, b + "post_ffw_norm", w)
    yield from norm(o, b + "ffn_norm", w)
    if not modern:
        yield matrix(o, b + "ffn_gate", w, ff)
    yield matrix(o, b + "ffn_up", w, 2 * ff if modern else ff)
    yield matrix(o, b + "ffn_down", ff, w)


def parser():
    p = argparse.ArgumentParser(description="Write a GGUF model for tests.")
    p.add_argument("--architecture", default="nomic-bert",
                   choices=["bert", "nomic-bert", "nomic-bert-moe"] + NEW)
    p.add_argument("--type", default="F32", choices=list(TYPES), help="of the matrices")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--layers", type=int, default=2)
    p.add_argument("--width", type=int, help="default: 64, for the K types 256")
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--feed-forward", type=int, dest="ff", help="default: twice the width")
    p.add_argument("--context", type=int, help="default: 2048 for nomic-bert, else 512")
    p.add_argument("--experts", type=int, default=8)
    p.add_argument("--pooling", default="mean", choices=list(POOLING))
    p.add_argument("--tokenizer", choices=["bert", "t5", "gpt2", "llama"],
                   help="default: t5 for nomic-bert-moe")
    p.add_argument("--pre", default="modern-bert", help="gpt2: the pre-tokenizer; \"\": none")
    p.add_argument("--tokens", type=int, default=0, help="of the vocabulary, at least")
    p.add_argument("--rows", type=int, default=0, help="of token_embd; default: the tokens")
    p.add_argument("--labels", type=int, default=0, help="of a cross-encoder; 0: it is none")
    p.add_argument("--types", type=int, dest="token_types", default=0,
                   help="of tokens; default: 1 for nomic-bert-moe, else 2")
    p.add_argument("--split", action="store_true", help="attn_q, attn_k, attn_v (bert: always)")
    p.add_argument("--kv-heads", type=int, help="of keys and values; default: as many")
    p.add_argument("--head", type=int, help="width of a head; default: width / heads")
    p.add_argument("--rotated", type=int, help="numbers of a head that are rotated, as a key")
    p.add_argument("--window", type=int, help="default: 8 for gemma-embedding and modern-bert")
    p.add_argument("--period", type=int, help="of layers with a window; default: no key")
    p.add_argument("--local-base", type=float, help="their rope.freq_base_swa; default: no key")
    p.add_argument("--causal", type=int, choices=[0, 1], help="default: no key")
    p.add_argument("--dense", type=int, default=0, help="outputs of dense_2; 0: there is none")
    p.add_argument("--parts", default="", help="what is not in each file, with commas: qk-norm, "
                   "second-norm, gate, up, silu, factors, first-norm, no-types, cls-norm")
    p.add_argument("--charsmap", action="store_true", help="t5: a precompiled charsmap")
    return p


def options(*words):
    """The options as an object, its defaults filled in."""
    return settle(parser().parse_args(words))


def settle(o):
    o.moe, o.nomic = o.architecture == "nomic-bert-moe", o.architecture != "bert"
    o.new = o.architecture in NEW
    o.rms = o.architecture in ("gemma-embedding", "qwen3", "llama-embed")
    o.pre_norm = o.rms or o.architecture == "modern-bert"
    o.parts = set(filter(None, o.parts.split(",")))
    o.width = o.width or (256 if o.type.endswith("_K") else 64)
    o.ff = o.ff or 2 * o.width
    o.kv_heads = o.kv_heads or o.heads
    o.head = o.head or o.width // o.heads
    if o.window is None:
        o.window = 8 if o.architecture in ("gemma-embedding", "modern-bert") else 0
    o.context = o.context or (2048 if o.architecture == "nomic-bert" else 512)
    o.tokenizer = o.tokenizer or ("t5" if o.moe else "bert")
    o.token_types = 0 if o.pre_norm or "no-types" in o.parts else o.token_types or (1 if o.moe else 2)
    o.fused = o.nomic and not o.rms and not o.split
    return o


def model(o):
    """Keys and tensors, as file_bytes takes them."""
    keys, tokens = model_keys(o)
    tensors = []
    for name, dims, kind, center, exponent in model_tensors(o, max(o.rows, tokens)):
        values = weights(o.seed, name, math.prod(dims), center, exponent)
        tensors.append((name, dims, TYPES[kind], encode(kind, values)))
    return keys, tensors


def main():
    p = parser()
    p.add_argument("-o", "--output", required=True)
    o = settle(p.parse_args())
    with open(o.output, "wb") as f:
        f.write(file_bytes(*model(o)))


if __name__ == "__main__":
    sys.exit(main())
