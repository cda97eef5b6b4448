#!/usr/bin/env python3
"""Wrong GGUF files, and ones with everything in them.

    forge.py wrong FOLDER     files that are wrong in one field each; a line "NAME TAB what the
                              reader says" for each, as a pattern of the shell
    forge.py infinite FILE    tensors of each type with a value or scale that is not finite,
                              named TYPE.WHAT, and one of each without
    forge.py blocks FILE      tensors of random blocks, named by their types
    forge.py every FILE       a key of each type and a tensor of each type
    forge.py model FILE       a whole model in 9 KB: bert, Q4_0
    forge.py ranker FILE, modern-ranker FILE
                              the same as a cross-encoder; of modern-bert
    forge.py gemma-embedding FILE, or modern-bert, jina-bert-v2, llama-embed, qwen3, nomic-bert-moe
                              the same of that architecture, with what it may have
"""
import os
import random
import struct
import sys

sys.dont_write_bytecode = True
import make  # noqa: E402

BIG = 1 << 63
# bytes of a block; where its halves are
BLOCKS = {"F32": (1, 4, []), "F16": (1, 2, []), "BF16": (1, 2, []), "Q4_0": (32, 18, [0]),
          "Q4_1": (32, 20, [0, 2]), "Q5_0": (32, 22, [0]), "Q5_1": (32, 24, [0, 2]),
          "Q8_0": (32, 34, [0]), "Q4_K": (256, 144, [0, 2]), "Q5_K": (256, 176, [0, 2]),
          "Q6_K": (256, 210, [208])}


# ---- a small file, of which everything can be another ----

def raw_key(name, kind, data, length=None):
    name = name if isinstance(name, bytes) else name.encode()
    return struct.pack("<Q", len(name) if length is None else length) + name + struct.pack(
        "<I", kind) + data


def raw_tensor(name, dims=(32, 2), kind=0, offset=0, length=None, count=None):
    name = name if isinstance(name, bytes) else name.encode()
    return (struct.pack("<Q", len(name) if length is None else length) + name +
            struct.pack("<I", len(dims) if count is None else count) +
            struct.pack("<%dQ" % len(dims), *dims) + struct.pack("<IQ", kind, offset))


KEYS = [raw_key("general.architecture", 8, make.string("bert")),
        raw_key("bert.block_count", 4, struct.pack("<I", 2)),
        raw_key("tokens", 9, struct.pack("<IQ", 8, 2) + make.string("a") + make.string("bc"))]
TENSORS = [raw_tensor("first"), raw_tensor("second", offset=256)]
DATA = bytes(512)


def small(magic=b"GGUF", version=3, keys=KEYS, tensors=TENSORS, data=DATA, n_keys=None,
          n_tensors=None, pad=32):
    head = magic + struct.pack("<IQQ", version, len(tensors) if n_tensors is None else n_tensors,
                               len(keys) if n_keys is None else n_keys)
    return make.padded(head + b"".join(keys) + b"".join(tensors), pad) + data


def key(*args, **more):
    return small(keys=KEYS + [raw_key(*args, **more)])


def array(kind, n, data=b""):
    return key("k", 9, struct.pack("<IQ", kind, n) + data)


def tensor(*args, **more):
    return small(tensors=[raw_tensor(*args, **more)] + TENSORS[1:])


def alignment(kind, form, n, pad=32):
    return small(keys=KEYS + [raw_key("general.alignment", kind, struct.pack(form, n))], pad=pad)


def layers(n):
    """The header of a model of many layers, and no more than 1 KB."""
    tensors = [raw_tensor("blk.%d.attn_q.weight" % i, offset=256 * i) for i in range(n)]
    return small(tensors=tensors)[:1024]


TRUNCATED = "truncated, or a wrong length: "

WRONG = [
    ("empty", b"", "not a GGUF file"),
    ("magic", small(magic=b"GGML"), "not a GGUF file"),
    ("magic-only", b"GGUF", "header: " + TRUNCATED + "4 bytes, 0 are left"),
    ("version-0", small(version=0), "GGUF version 0: 2 and 3 are supported"),
    ("version-1", small(version=1), "GGUF version 1: 2 and 3 are supported"),
    ("version-4", small(version=4), "GGUF version 4: 2 and 3 are supported"),
    ("byte-order", small(version=3 << 24), "a GGUF file in the other byte order"),
    ("tensors-2^63", small(n_tensors=BIG), "header: 9223372036854775808 tensors and 3 keys, *"),
    ("tensors-65537", small(n_tensors=65537), "header: 65537 tensors and 3 keys, *"),
    ("tensors-more", small(n_tensors=3, data=b"\xff" * 512, pad=1),
     "tensor 3 of 3: " + TRUNCATED + "* bytes, * are left"),
    ("tensors-65536", small(n_tensors=65536), "tensor 3 of 65536: *"),
    ("keys-2^63", small(n_keys=BIG), "header: 2 tensors and 9223372036854775808 keys, *"),
    ("keys-more", small(n_keys=4), "tensor 1 of 2: *"),
    ("keys-fewer", small(n_keys=2), "tensor 1 of 2: not 1 to 4 dimensions"),
    ("layers-400", layers(400), "tensor * of 400: " + TRUNCATED + "* bytes, * are left"),

    ("key-length-2^63", key("k", 4, bytes(4), length=BIG),
     "key 4 of 4: " + TRUNCATED + "9223372036854775808 bytes, * are left"),
    ("key-length-2^64-1", key("k", 4, bytes(4), length=2 * BIG - 1),
     "key 4 of 4: " + TRUNCATED + "18446744073709551615 bytes, * are left"),
    ("key-length-1-more", key("k", 4, bytes(4), length=2), "*"),
    ("key-65536-bytes", key("k" * 65536, 4, bytes(4)),
     "key 4 of 4: its name is longer than 65535 bytes, or not UTF-8"),
    ("key-not-utf8", key(b"k\xff", 4, bytes(4)),
     "key 4 of 4: its name is longer than 65535 bytes, or not UTF-8"),
    ("key-twice", key("tokens", 4, bytes(4)), 'two keys "tokens"'),
    ("key-type-13", key("k", 13, bytes(8)), "key 4 of 4: unknown type of value"),
    ("key-type-2^32-1", key("k", 2 ** 32 - 1, bytes(8)), "key 4 of 4: unknown type of value"),
    ("string-2^64-1", key("k", 8, struct.pack("<Q", 2 * BIG - 1)),
     "key 4 of 4: " + TRUNCATED + "18446744073709551615 bytes, * are left"),
    ("boolean-2", key("k", 7, b"\2"), "key 4 of 4: a boolean that is neither 0 nor 1"),
    ("array-boolean-2", array(7, 3, b"\1\0\2"), "key 4 of 4: a boolean that is neither 0 nor 1"),
    ("array-type-13", array(13, 1), "key 4 of 4: unknown type of value"),
    ("array-of-arrays", array(9, 1, struct.pack("<IQ", 4, 0)), "key 4 of 4: an array of arrays"),
    ("array-2^63", array(0, BIG), "key 4 of 4: " + TRUNCATED + "9223372036854775808 bytes, *"),
    ("array-2^61-times-8", array(10, 1 << 61),
     "key 4 of 4: " + TRUNCATED + "2305843009213693952 times 8 bytes, *"),
    ("array-2^62-times-4", array(4, (1 << 62) + 1),
     "key 4 of 4: " + TRUNCATED + "4611686018427387905 times 4 bytes, *"),
    ("array-strings-2^61", array(8, 1 << 61),
     "key 4 of 4: " + TRUNCATED + "2305843009213693952 times 8 bytes, *"),
    ("array-strings-2^64-1", array(8, 2 * BIG - 1),
     "key 4 of 4: " + TRUNCATED + "18446744073709551615 times 8 bytes, *"),
    ("array-string-2^63", array(8, 2, make.string("a") + struct.pack("<Q", BIG)),
     "key 4 of 4: " + TRUNCATED + "9223372036854775808 bytes, *"),
    ("array-string-ends-after-file", array(8, 1, struct.pack("<Q", 1000)),
     "key 4 of 4: " + TRUNCATED + "1000 bytes, *"),

    ("alignment-0", alignment(4, "<I", 0), 'key "general.alignment" is 0, not from 8 to 1048576'),
    ("alignment-4", alignment(4, "<I", 4), 'key "general.alignment" is 4, not from 8 to 1048576'),
    ("alignment-24", alignment(4, "<I", 24), 'key "general.alignment" is 24, not a power of 2'),
    ("alignment-2^31", alignment(4, "<I", 1 << 31),
     'key "general.alignment" is 2147483648, not from 8 to 1048576'),
    ("alignment-2^63", alignment(10, "<Q", BIG),
     'key "general.alignment" is 9223372036854775808, not from 8 to 1048576'),
    ("alignment-negative", alignment(5, "<i", -32),
     'key "general.alignment" is -32, not from 8 to 1048576'),
    ("alignment-real", alignment(6, "<f", 32), 'key "general.alignment" is not a whole number'),
    ("alignment-array", small(keys=KEYS + [raw_key(
        "general.alignment", 9, struct.pack("<IQI", 4, 1, 32))]),
     'key "general.alignment" is not a whole number'),
    ("alignment-64-offset-32", small(
        keys=KEYS + [raw_key("general.alignment", 4, struct.pack("<I", 64))], pad=64,
        tensors=[raw_tensor("first", (8, 1)), raw_tensor("second", offset=32)]),
     'tensor "second": its offset is 32, not 64'),

    ("tensor-length-2^63", tensor("t", length=BIG),
     "tensor 1 of 2: " + TRUNCATED + "9223372036854775808 bytes, * are left"),
    ("tensor-65-bytes", tensor("t" * 65),
     "tensor 1 of 2: its name is longer than 64 bytes, or not UTF-8"),
    ("tensor-not-utf8", tensor(b"\xc0\x80"),
     "tensor 1 of 2: its name is longer than 64 bytes, or not UTF-8"),
    ("tensor-twice", tensor("second"), 'two tensors "second"'),
    ("dims-0", tensor("t", ()), "tensor 1 of 2: not 1 to 4 dimensions"),
    ("dims-5", tensor("t", (32, 1, 1, 1, 1)), "tensor 1 of 2: not 1 to 4 dimensions"),
    ("dims-2^32-1", tensor("t", count=2 ** 32 - 1), "tensor 1 of 2: not 1 to 4 dimensions"),
    ("dimension-0", tensor("t", (32, 0)), "tensor 1 of 2: a dimension of 0"),
    ("dimension-2^63", tensor("t", (BIG,)), "tensor 1 of 2: too many values"),
    ("dimensions-2^64", tensor("t", (1 << 32, 1 << 32)), "tensor 1 of 2: too many values"),
    ("dimensions-2^64+2^33", tensor("t", ((1 << 32) + 1, (1 << 32) + 1)),
     "tensor 1 of 2: too many values"),
    ("dimensions-2^128", tensor("t", (1 << 32,) * 4), "tensor 1 of 2: too many values"),
    ("dimensions-2^58", tensor("t", (1 << 29, 1 << 29)),
     'truncated: tensor "t" (1152921504606846976 bytes at 0) ends after the file, *'),
    ("rows-not-blocks", tensor("t", (33,), 8),
     "tensor 1 of 2: its rows are not whole blocks of its type"),
    ("rows-not-k-blocks", tensor("t", (32, 8), 12),
     "tensor 1 of 2: its rows are not whole blocks of its type"),
    ("type-4", tensor("t", kind=4), "tensor 1 of 2: unknown type of tensor"),
    ("type-31", tensor("t", kind=31), "tensor 1 of 2: unknown type of tensor"),
    ("type-40", tensor("t", kind=40), "tensor 1 of 2: unknown type of tensor"),
    ("type-2^32-1", tensor("t", kind=2 ** 32 - 1), "tensor 1 of 2: unknown type of tensor"),
    ("offset-1", tensor("t", offset=1), 'tensor "t": its offset is 1, not 0'),
    ("offset-2^64-1", tensor("t", offset=2 * BIG - 1),
     'tensor "t": its offset is 18446744073709551615, not 0'),
    ("offset-overlap", small(tensors=[TENSORS[0], raw_tensor("second", offset=224)]),
     'tensor "second": its offset is 224, not 256'),
    ("offset-same", small(tensors=[TENSORS[0], raw_tensor("second")]),
     'tensor "second": its offset is 0, not 256'),
    ("offset-gap", small(tensors=[TENSORS[0], raw_tensor("second", offset=288)]),
     'tensor "second": its offset is 288, not 256'),
    ("data-none", small(data=b""), "truncated: the file ends with its header"),
    ("data-1-byte-less", small(data=DATA[:-1]),
     'truncated: tensor "second" (256 bytes at 256) ends after the file, whose data has 511 '
     'bytes'),
    ("data-first-only", small(data=DATA[:200]), 'truncated: tensor "first" (256 bytes at 0) *'),
]


def wrong(folder):
    for name, data, line in WRONG:
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
        print(name + "\t" + line)


# ---- values ----

def half_bits(r):
    """A finite half: any, or subnormal, zero or the largest."""
    bits = r.choice([r.randrange(1 << 16), r.randrange(1024), 0, 0x8000, 0x7BFF, 0xFBFF])
    return bits if bits & 0x7C00 != 0x7C00 else bits & 0x83FF


def random_blocks(r, kind, n):
    """The bytes of n random blocks of finite values."""
    _, size, scales = BLOCKS[kind]
    out = b""
    for _ in range(n):
        block = bytearray(r.randbytes(size))
        for at in scales:
            struct.pack_into("<H", block, at, half_bits(r))
        if not scales and block[-1] & 0x7F == 0x7F:	# the exponent of F32 and BF16
            block[-1] &= 0xBF
        if kind == "F16":
            block[1] &= 0xBF
        out += bytes(block)
    return out


def blocks(path):
    r, tensors = random.Random(5), []
    for kind, (values, _, _) in BLOCKS.items():
        n = 256 // values * 16
        tensors.append((kind, (512, 8), make.TYPES[kind], random_blocks(r, kind, n)))
    halves = [h for h in range(1 << 16) if h & 0x7FFF <= 0x7C00]
    tensors.append(("halves", (len(halves),), 1, struct.pack("<%dH" % len(halves), *halves)))
    write(path, [], tensors)


def infinite(path):
    """In the last block, so that all are looked at; not finite are halves 7c00, fc00, 7e01."""
    r, tensors = random.Random(6), []
    for kind, (values, size, scales) in BLOCKS.items():
        good, n = random_blocks(r, kind, 256 // values * 3), 3 * 256
        tensors.append((kind + ".finite", (256, 3), make.TYPES[kind], good))
        for at in scales or [size - 2]:
            for bits in (0x7C00, 0xFC00, 0x7E01) if kind not in ("F32", "BF16") else (
                    0x7F80, 0xFF80, 0x7FC1, 0x7F81):
                data = bytearray(good)
                struct.pack_into("<H", data, n // values * size - size + at, bits)
                tensors.append(("%s.%d.%x" % (kind, at, bits), (256, 3), make.TYPES[kind],
                                bytes(data)))
    write(path, [], tensors)


def write(path, keys, tensors):
    with open(path, "wb") as f:
        f.write(make.file_bytes(keys, tensors))


def every(path):
    r = random.Random(7)
    keys = [("general.architecture", 8, "bert"), ("general.alignment", 4, 32)]
    for kind in make.SCALAR:
        keys += [("one.%d" % kind, kind, 1), ("many.%d" % kind, 9, (kind, [1, 0, 1]))]
    keys += [("many.8", 9, (8, ["a", "", "\u2581bc"])), ("none.8", 9, (8, [])), ("", 8, "")]
    tensors = [(kind, (256,), make.TYPES[kind], random_blocks(r, kind, 256 // values))
               for kind, (values, _, _) in BLOCKS.items()]
    tensors += [("Q2_K", (256,), 10, bytes(84)), ("I32", (1, 2, 1, 3), 26, bytes(24)),
                ("t" * 64, (1,), 0, bytes(4))]
    write(path, keys, tensors)


def ranker(path):
    model(path, "--labels", "2", "--pooling", "rank")


def modern_ranker(path):
    model(path, "--architecture", "modern-bert", "--labels", "1", "--pooling", "rank",
          "--parts", "cls-norm")


OTHER = {"gemma-embedding": ["--dense", "32", "--period", "2", "--local-base", "100"],
         "modern-bert": ["--parts", "silu,first-norm", "--rotated", "16"],
         "jina-bert-v2": ["--parts", "qk-norm,second-norm,up", "--split"],
         "llama-embed": ["--parts", "factors", "--kv-heads", "1", "--causal", "0"],
         "qwen3": ["--pooling", "last", "--head", "8"],
         "nomic-bert-moe": ["--tokenizer", "bert", "--layers", "2", "--experts", "3"]}


def other(architecture):
    return lambda path: model(path, "--architecture", architecture, *OTHER[architecture])


def bpe(path):
    """A model whose merges are of every kind."""
    merges = ["a b", "\u0120 a", "", "a", "a ", " a", "a  b", "a b", "no pe", "ab ab"]
    few = ["<s>", "</s>", "a", "b", "ab", "\u0120", "\u0120a", "<x>", "\u010a"]
    o = make.options("--architecture", "bert", "--type", "Q4_0", "--layers", "1", "--width", "32",
                     "--heads", "2", "--feed-forward", "32", "--context", "8", "--tokenizer", "gpt2")
    make.pieces.keys = lambda *_: ([
        ("tokenizer.ggml.model", 8, "gpt2"), ("tokenizer.ggml.pre", 8, "llama-bpe"),
        ("tokenizer.ggml.tokens", 9, (8, few)), ("tokenizer.ggml.merges", 9, (8, merges)),
        ("tokenizer.ggml.token_type", 9, (5, [3, 3, 1, 1, 1, 1, 1, 4, 1])),
        ("tokenizer.ggml.add_eos_token", 7, 1), ("tokenizer.ggml.bos_token_id", 4, 0),
        ("tokenizer.ggml.eos_token_id", 4, 1)], len(few))
    write(path, *make.model(o))


def model(path, *more):
    o = make.options("--architecture", "bert", "--type", "Q4_0", "--layers", "1", "--width", "32",
                     "--heads", "2", "--feed-forward", "32", "--context", "8", *more)
    few = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u2581a", "a", "\u2581b", "b"]
    make.vocabulary = lambda tokenizer, n: (few, [0.0] * len(few))
    write(path, *make.model(o))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    {"wrong": wrong, "infinite": infinite, "blocks": blocks, "every": every,
     "model": model, "ranker": ranker, "modern-ranker": modern_ranker, "bpe": bpe,
     **{name: other(name) for name in OTHER}}[sys.argv[1]](sys.argv[2])
