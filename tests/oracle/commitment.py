#!/usr/bin/env python3
"""Commitments of audit rows by another hand: the standard library of Python and the
description of the format, nothing of the C.

    commitment.py entries SECRET <LOG       the entry of each row of a log, one a line
    commitment.py check <PROOFS             {"row","opening","entry","proof"} each: print its
                                            index, or exit 1; signatures are not checked
    commitment.py root <ENTRIES             the root of the tree of these lines, in base64
"""
import base64
import hashlib
import hmac
import json
import sys


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def opening_of(secret, row):
    mac = json.loads(row)["row_hmac"].encode()
    return hmac.new(secret, b"open\n" + mac, hashlib.sha256).digest()


def entry_of(opening, row):
    return b"lh-audit-row/v1 " + sha(b"lh-audit-row/v1\n", opening, row).hex().encode()


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha(b"\1", root_of(leaves[:k]), root_of(leaves[k:]))


def root_by_proof(leaf, index, size, path):
    """The root that RFC 9162, section 2.1.3.2, computes."""
    if index >= size:
        raise ValueError("index beyond the tree")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if not sn:
            raise ValueError("the proof is too long")
        if fn & 1 or fn == sn:
            r = sha(b"\1", p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b"\1", r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ValueError("the proof is too short")
    return r


def check(record):
    entry = record["entry"].encode()
    if entry != entry_of(bytes.fromhex(record["opening"]), record["row"].encode()):
        raise ValueError("the entry is another's")
    head, note = record["proof"].split("\n\n", 1)
    first, index, *path = head.split("\n")
    origin, size, root = note.split("\n")[:3]
    if first != "c2sp.org/tlog-proof@v1" or not index.startswith("index "):
        raise ValueError("not a proof")
    path = [base64.b64decode(p, validate=True) for p in path]
    index = int(index[6:])
    if root_by_proof(sha(b"\0", entry), index, int(size), path) != base64.b64decode(root):
        raise ValueError("another root")
    return index


def main():
    lines = sys.stdin.buffer.read().splitlines()
    if sys.argv[1] == "entries":
        with open(sys.argv[2], "rb") as f:
            secret = f.read()
        for row in lines:
            print(entry_of(opening_of(secret, row), row).decode())
    elif sys.argv[1] == "check":
        for line in lines:
            print(check(json.loads(line)))
    else:
        print(base64.b64encode(root_of([sha(b"\0", e) for e in lines])).decode())


main()
