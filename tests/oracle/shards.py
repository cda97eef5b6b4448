#!/usr/bin/env python3
"""Shards in a second implementation, from the descriptions in lh-index(1) and lh-search(1).

    shards.py place PLAN        check the shard of every record, dumped by lh-index
    shards.py search PLAN K     answer queries {"id","vector"} of stdin: id, then K ids

Needs lh-index in PATH to read the files.
"""
import json
import math
import os
import subprocess
import sys

MASK = (1 << 64) - 1
P32 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
       0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")


def u32(b, at):
    return int.from_bytes(b[at:at + 4], "little")


def u64(b, at):
    return int.from_bytes(b[at:at + 8], "little")


def swap32(x):
    return int.from_bytes(x.to_bytes(4, "little"), "big")


def swap64(x):
    return int.from_bytes(x.to_bytes(8, "little"), "big")


def rotate(x, n):
    return (x << n | x >> (64 - n)) & MASK


def avalanche(h):
    h ^= h >> 37
    h = h * 0x165667919E3779F9 & MASK
    return h ^ h >> 32


def avalanche64(h):
    h ^= h >> 33
    h = h * P64[1] & MASK
    h ^= h >> 29
    h = h * P64[2] & MASK
    return h ^ h >> 32


def fold(a, b):
    product = a * b
    return product & MASK ^ product >> 64


def mix16(b, at, secret):
    return fold(u64(b, at) ^ u64(SECRET, secret), u64(b, at + 8) ^ u64(SECRET, secret + 8))


def xxh3(b):
    """XXH3, 64 bits, seed 0, as its specification describes it, for up to 240 bytes."""
    n = len(b)
    if n == 0:
        return avalanche64(u64(SECRET, 56) ^ u64(SECRET, 64))
    if n <= 3:
        value = b[0] << 16 | b[n >> 1] << 24 | b[-1] | n << 8
        return avalanche64(u32(SECRET, 0) ^ u32(SECRET, 4) ^ value)
    if n <= 8:
        value = u32(b, n - 4) + (u32(b, 0) << 32) & MASK
        h = value ^ u64(SECRET, 8) ^ u64(SECRET, 16)
        h ^= rotate(h, 49) ^ rotate(h, 24)
        h = h * 0x9FB21C651E98DF25 & MASK
        h ^= (h >> 35) + n
        h = h * 0x9FB21C651E98DF25 & MASK
        return h ^ h >> 28
    if n <= 16:
        low = u64(b, 0) ^ u64(SECRET, 24) ^ u64(SECRET, 32)
        high = u64(b, n - 8) ^ u64(SECRET, 40) ^ u64(SECRET, 48)
        return avalanche(n + swap64(low) + high + fold(low, high) & MASK)
    h = n * P64[0] & MASK
    if n <= 128:
        for i in range((n - 1) // 32, -1, -1):
            h += mix16(b, 16 * i, 32 * i) + mix16(b, n - 16 * (i + 1), 32 * i + 16)
        return avalanche(h & MASK)
    if n <= 240:
        for i in range(8):
            h += mix16(b, 16 * i, 16 * i)
        h = avalanche(h & MASK)
        for i in range(8, n // 16):
            h += mix16(b, 16 * i, 16 * (i - 8) + 3)
        return avalanche(h + mix16(b, n - 16, 136 - 17) & MASK)
    raise ValueError("an id of %d bytes" % n)


def shards(path):
    with open(path, encoding="utf-8") as f:
        plan = json.load(f)
    for shard in plan["shards"]:
        file = os.path.join(os.path.dirname(path), shard["file"])
        with open(file, "rb") as f:
            header = f.read(4096)
        assert os.path.getsize(file) == shard["length"], file
        assert "%016x" % u64(header, 4088) == shard["checksum"], file
        dump = subprocess.run(["lh-index", "dump", file], check=True, stdout=subprocess.PIPE)
        yield plan, shard, [json.loads(line) for line in dump.stdout.splitlines()]


def cosine(a, b):
    return 1 - math.fsum(x * y for x, y in zip(a, b)) / math.sqrt(
        math.fsum(x * x for x in a) * math.fsum(y * y for y in b))


def place(path):
    count = 0
    for number, (plan, shard, records) in enumerate(shards(path)):
        n = len(plan["shards"])
        for record in records:
            if plan["by"] == "hash":
                assert xxh3(record["id"].encode()) % n == number, record["id"]
            else:
                least = min(cosine(s["centroid"], record["vector"])
                            for s in plan["shards"] if "centroid" in s)
                assert cosine(shard["centroid"], record["vector"]) < least + 1e-6, record["id"]
            count += 1
    print(count)


def search(path, k):
    records = [r for _, _, part in shards(path) for r in part]
    for line in sys.stdin:
        query = json.loads(line)
        near = sorted((cosine(query["vector"], r["vector"]), r["id"].encode()) for r in records)
        print(query["id"], *[i.decode() for _, i in near[:k]])


if sys.argv[1] == "place":
    place(sys.argv[2])
else:
    search(sys.argv[2], int(sys.argv[3]))
