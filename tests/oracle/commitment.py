#!/usr/bin/env python3
"""Commitments of audit rows by another hand: the standard library of Python and the
description of the format, nothing of the C.

    commitment.py entries SECRET <LOG       the entry of each row of a log, one a line
    commitment.py check <PROOFS             {"row","opening","entry","proof"} each: print its
                                            index, or exit 1; signatures are not checked
    commitment.py root <ENTRIES             the root of the tree of these lines, in base64
"""
import hashlib
import hmac
import json
import sys

sys.dont_write_bytecode = True
from tlog import b64, check_inclusion, leaf_hash, must, number, root, unb64  # noqa: E402


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def opening_of(secret, row):
    mac = json.loads(row)["row_hmac"].encode()
    return hmac.new(secret, b"open\n" + mac, hashlib.sha256).digest()


def entry_of(opening, row):
    return b"lh-audit-row/v1 " + sha(b"lh-audit-row/v1\n", opening, row).hex().encode()


def check(record):
    entry = record["entry"].encode()
    opening, row = bytes.fromhex(record["opening"]), record["row"].encode()
    must(entry == entry_of(opening, row), "the entry is another's")
    head, note = record["proof"].split("\n\n", 1)
    first, index, *path = head.split("\n")
    origin, size, top = note.split("\n")[:3]
    must(first == "c2sp.org/tlog-proof@v1" and index.startswith("index "), "not a proof")
    at = number(index[6:])
    check_inclusion(at, number(size), leaf_hash(entry), list(map(unb64, path)), unb64(top))
    return at


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
        print(b64(root([leaf_hash(e) for e in lines])))


main()
