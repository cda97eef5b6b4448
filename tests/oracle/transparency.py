#!/usr/bin/env python3
"""tests/oracle/transparency.py - keys, notes, cosignatures, proofs, policies and the rules of a
witness, written from the texts of C2SP; Ed25519 is of Debian's python3-cryptography.

    transparency.py key NAME KIND SEED      a private and a public key; KIND is 1 or 4
    transparency.py keys DIR                log.key, w1.key, w2.key, policy and names of vkeys
    transparency.py verify POLICY           filter, as lh-tlog verify
    transparency.py proofs N SEED           proofs by DIR's keys, of trees up to 2^48 entries
    transparency.py mutate N SEED           filter: mutated forms of the proofs that come, each wrong
    transparency.py trees N SEED            consistency proofs and wrong ones, for transparency.go
    transparency.py policies N SEED DIR     policies, some of them wrong, and proofs for them
    transparency.py cosign NAME CHECKPOINT  the line of a witness, w1 or w2
"""
import functools
import hashlib
import json
import os
import random
import sys

sys.dont_write_bytecode = True
from tlog import Bad, b64, check_inclusion, leaf_hash, must, node  # noqa: E402
from tlog import number, split, unb64  # noqa: E402
from tlog import check_growth  # noqa: E402, F401: of servers/witness.py
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN = "example.com/log"
TIME = 1784073600
SPACES = "\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200b)))
MAGIC = "c2sp.org/tlog-proof@v1"


# ---- keys and notes ----

def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


class Key:
    """A private key, which a name and a seed make."""

    def __init__(self, name, kind=1, seed=None):
        self.name, self.kind = name, kind
        self.seed = seed or hashlib.sha256(name.encode()).digest()
        self.private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = key_id(name, kind, self.public)

    def skey(self):
        return "PRIVATE+KEY+%s+%s+%s" % (self.name, self.id.hex(), b64(bytes([self.kind]) + self.seed))

    def vkey(self):
        return "%s+%s+%s" % (self.name, self.id.hex(), b64(bytes([self.kind]) + self.public))

    def sign(self, body, time=TIME):
        if self.kind == 1:
            signature = self.private.sign(body.encode())
        else:
            signature = time.to_bytes(8, "big") + self.private.sign(cosigned(body, time))
        return "\u2014 %s %s" % (self.name, b64(self.id + signature))


def cosigned(body, time):
    return ("cosignature/v1\ntime %d\n%s" % (time, body)).encode()


class Vkey:
    def __init__(self, text):
        parts = text.split("+", 2)
        must(len(parts) == 3 and good_name(parts[0]), "no vkey")
        self.name = parts[0]
        data = unb64(parts[2])
        must(data and data[0] in (1, 4, 6) and len(data) == (1313 if data[0] == 6 else 33), "unknown kind of key")
        self.kind, self.public = data[0], data[1:]
        self.id = key_id(self.name, self.kind, self.public)
        must(parts[1] == self.id.hex(), "another key id")

    def signed(self, line, body):
        """Whether the line is of this key; Bad if it is, and the signature is not."""
        name, identity, signature = line
        if (name, identity) != (self.name, self.id):
            return False
        must(self.kind != 6, "not counted")
        message = body.encode()
        if self.kind == 4:
            must(len(signature) == 72 and signature[0] < 128, "no cosignature")
            message = cosigned(body, int.from_bytes(signature[:8], "big"))
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise Bad("a signature of %s is wrong" % name)
        return True


def good_name(name):
    return name and "+" not in name and not any(c in SPACES for c in name)


def parse_note(text):
    """The body, and a list of (name, id, signature)."""
    must(not any(c < " " and c != "\n" for c in text), "a control character")
    must(len(text.encode()) <= 1 << 20, "too long")
    body, blank, lines = text.rpartition("\n\n")
    must(blank and lines.endswith("\n"), "no signature")
    found = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        must(len(parts) == 3 and parts[0] == "\u2014" and good_name(parts[1]), "no signature line")
        data = unb64(parts[2])
        must(len(data) > 4, "a short signature")
        found.append((parts[1], data[:4], data[4:]))
    must(len(found) <= 64, "too many signatures")
    return body + "\n", found


def parse_checkpoint(body):
    lines = body[:-1].split("\n")
    must(len(lines) >= 3 and all(lines), "no checkpoint")
    return lines[0], number(lines[1]), unb64(lines[2], 32)


# ---- trees ----

@functools.lru_cache(None)
def plain(n):
    """The root of n leaves that are all alike."""
    return leaf_hash(b"plain") if n == 1 else node(plain(split(n)), plain(n - split(n)))


class Tree:
    """A tree of any size whose leaves are alike, except for some."""

    def __init__(self, leaves):
        self.leaves, self.known = leaves, {}
        self.at = sorted(leaves)

    def root(self, low, high):
        if low == high:
            return hashlib.sha256(b"").digest()
        inside = [i for i in self.at if low <= i < high]
        if not inside:
            return plain(high - low)
        if high - low == 1:
            return self.leaves[low]
        if (low, high) not in self.known:
            middle = low + split(high - low)
            self.known[low, high] = node(self.root(low, middle), self.root(middle, high))
        return self.known[low, high]

    def path(self, index, low, high):
        if high - low == 1:
            return []
        middle = low + split(high - low)
        if index < middle:
            return self.path(index, low, middle) + [self.root(middle, high)]
        return self.path(index, middle, high) + [self.root(low, middle)]

    def growth(self, old, low, high, whole=True):
        """The proof that the tree of old leaves grew into this one."""
        if old == high:
            return [] if whole else [self.root(low, high)]
        middle = low + split(high - low)
        if old <= middle:
            return self.growth(old, low, middle, whole) + [self.root(middle, high)]
        return self.growth(old, middle, high, False) + [self.root(low, middle)]


# ---- policies ----

class Policy:
    def __init__(self, data):
        must(not any(c < 32 and c not in (9, 10) or c == 127 for c in data), "a control character")
        self.logs, self.witnesses, self.groups, self.quorum, used = [], {}, {}, None, set()
        for line in data.decode("latin-1").split("\n"):
            words = line.replace("\t", " ").split(" ")
            words = [w.encode("latin-1").decode("utf-8", "surrogateescape") for w in words if w]
            if not words or words[0].startswith("#"):
                continue
            kind, n = words[0], len(words)
            if kind == "log":
                must(2 <= n <= 3, "a log has a vkey and a URL")
                self.logs.append(self.new_key(words[1], self.logs, (1, 4, 6)))
            elif kind == "witness":
                must(3 <= n <= 4, "a witness has a name, a vkey and a URL")
                self.new_name(words[1])
                self.witnesses[words[1]] = self.new_key(words[2], self.witnesses.values(), (4, 6))
            elif kind == "group":
                must(n >= 4, "a group has a name, a number and members")
                self.new_name(words[1])
                members = words[3:]
                for m in members:
                    must(m in self.witnesses or m in self.groups, "unknown member")
                    must(m not in used, "a member of two groups")
                    used.add(m)
                least = {"all": len(members), "any": 1}.get(words[2]) or number(words[2])
                must(1 <= least <= len(members), "a number out of range")
                self.groups[words[1]] = (least, members)
            elif kind == "quorum":
                must(n == 2 and self.quorum is None, "one quorum")
                must(words[1] == "none" or words[1] in self.witnesses or words[1] in self.groups, "unknown quorum")
                self.quorum = words[1]
            else:
                raise Bad("unknown line")
        must(self.quorum is not None, "no quorum")

    def new_key(self, text, others, kinds):
        key = Vkey(text)
        must(key.kind in kinds, "a key of another kind")
        must(all(key.public != k.public for k in others), "the key is there already")
        return key

    def new_name(self, name):
        must(name != "none" and name not in self.witnesses and name not in self.groups, "the name is there already")

    def reached(self, name, names):
        if name == "none":
            return True
        if name in self.witnesses:
            return name in names
        least, members = self.groups[name]
        return sum(self.reached(m, names) for m in members) >= least

    def check(self, body, lines):
        """The witnesses of a checkpoint that has a good log's signature and a quorum."""
        origin = parse_checkpoint(body)[0]
        signed = [any([key.signed(line, body) for line in lines]) for key in self.logs]
        names = [name for name, key in self.witnesses.items()
                 if key.kind == 4 and any([key.signed(line, body) for line in lines])]
        must(any(s and k.name == origin for s, k in zip(signed, self.logs)), "no log signed it")
        must(self.reached(self.quorum, names), "no quorum")
        return names


# ---- proofs ----

def parse_proof(text):
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    must(blank and lines.pop(0) == MAGIC, "no proof")
    if lines and lines[0].startswith("extra "):
        unb64(lines.pop(0)[6:])
    must(lines and lines[0].startswith("index "), "no index")
    index = number(lines[0][6:])
    path = [unb64(line, 32) for line in lines[1:]]
    body, signatures = parse_note(checkpoint)
    return index, path, body, signatures


def verify(policy, record):
    if "entry" in record:
        leaf = leaf_hash(record["entry"].encode())
    elif "entry_base64" in record:
        leaf = leaf_hash(unb64(record["entry_base64"]))
    else:
        leaf = unb64(record["leaf_hash"], 32)
    index, path, body, signatures = parse_proof(record["proof"])
    origin, size, root = parse_checkpoint(body)
    names = policy.check(body, signatures)
    check_inclusion(index, size, leaf, path, root)
    return {"index": index, "size": size, "origin": origin, "witnesses": names}


LOG, W1, W2 = Key(ORIGIN), Key("witness.example/w1", 4), Key("witness.example/w2", 4)
STRANGER = Key("stranger.example", 4)


def policy_text(logs=(LOG,), witnesses=(("w1", W1), ("w2", W2)), rest="group both all w1 w2\nquorum both\n"):
    lines = ["log %s\n" % k.vkey() for k in logs] + ["witness %s %s\n" % (n, k.vkey()) for n, k in witnesses]
    return "".join(lines) + rest


class Parts:
    """A proof in parts that a mutation changes."""

    def __init__(self, text):
        head, _, rest = text.partition("\n\n")
        body, _, signatures = rest.rpartition("\n\n")
        self.head, self.body, self.signatures = head.split("\n"), body.split("\n"), signatures[:-1].split("\n")
        self.at = next(i for i, line in enumerate(self.head) if line.startswith("index "))
        self.first = self.at + 1

    def text(self):
        return "\n\n".join("\n".join(lines) for lines in (self.head, self.body, self.signatures)) + "\n"

    def sign(self, keys=(LOG, W1, W2)):
        self.signatures = [k.sign("\n".join(self.body) + "\n") for k in keys]


def flip(data, rng):
    i = rng.randrange(len(data) * 8)
    return data[:i // 8] + bytes([data[i // 8] ^ 1 << i % 8]) + data[i // 8 + 1:]


def flip64(text, rng, low=0, high=None):
    """Base64 of the same bytes, with a bit of a part of them flipped."""
    data = unb64(text)
    high = len(data) if high is None else high
    return b64(data[:low] + flip(data[low:high], rng) + data[high:])


def misspell(text, rng):
    """Base64 that is not canonical, or none."""
    bare = text.rstrip("=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(bare[-1]) | 1] if text != bare else "!"
    return rng.choice([bare, text + "=", bare + "-", text + " ", text + "\r", " " + text, bare[:-1] + last + "=" * text.count("=")])


def with_line(lines, i, change):
    lines[i] = change(lines[i])


def signature_of(parts, key):
    return next((i for i, line in enumerate(parts.signatures) if line.split(" ")[1] == key.name), None)


def change_signature(key, change):
    """A mutation of the base64 of one signature."""
    def mutation(p, rng):
        i = signature_of(p, key)
        dash, name, text = p.signatures[i].split(" ")
        p.signatures[i] = " ".join((dash, name, change(text, rng)))
    return mutation


def resigned(change):
    def mutation(p, rng):
        change(p, rng)
        p.sign()
    return mutation


def other_index(p, rng):
    index, size = int(p.head[p.at][6:]), int(p.body[1])
    p.head[p.at] = "index %d" % rng.choice([i for i in (index + 1, index - 1, index ^ 1, size, rng.randrange(size + 2), index + 2**64) if i != index and i >= 0])


def spell_index(p, rng):
    digits = p.head[p.at][6:]
    p.head[p.at] = "index " + rng.choice(["0" + digits, "+" + digits, "-" + digits, digits + " ", " " + digits, "", digits + ".0", "0x" + digits])


def any_hash(p, rng):
    return rng.randrange(p.first, len(p.head))


def swap(lines, i, j):
    lines[i], lines[j] = lines[j], lines[i]


def swap_hashes(p, rng):
    swap(p.head, *rng.sample(range(p.first, len(p.head)), 2))


def other_size(p, rng):
    size = int(p.body[1])
    p.body[1] = rng.choice([str(size + 1), str(size - 1), "0" + p.body[1], str(size + 2**64), "-1", "", p.body[1] + " "])


def swap_cosignatures(p, rng):
    """Each witness has the other's signature."""
    i, j = signature_of(p, W1), signature_of(p, W2)
    a, b = p.signatures[i].split(" "), p.signatures[j].split(" ")
    p.signatures[i], p.signatures[j] = " ".join((a[0], a[1], b[2])), " ".join((b[0], b[1], a[2]))


def drop(key):
    return lambda p, rng: p.signatures.pop(signature_of(p, key))


def replace(key, by):
    def mutation(p, rng):
        p.signatures[signature_of(p, key)] = by("\n".join(p.body) + "\n")
    return mutation


def flip_line(lines, i, rng):
    lines[i] = flip64(lines[i], rng)


# name, whether Go's packages judge it (they know no cosignature and read loose base64 in a
# note), whether it needs hashes, the change
MUTATIONS = [
    ("index", True, 1, other_index),
    ("index spelled", True, 0, spell_index),
    ("a bit of a hash", True, 1, lambda p, r: flip_line(p.head, any_hash(p, r), r)),
    ("a hash missing", True, 1, lambda p, r: p.head.pop(any_hash(p, r))),
    ("a hash twice", True, 1, lambda p, r: p.head.insert(any_hash(p, r), p.head[any_hash(p, r)])),
    ("a hash more", True, 0, lambda p, r: p.head.append(b64(bytes(32)))),
    ("hashes swapped", True, 2, swap_hashes),
    ("base64 of a hash", True, 1, lambda p, r: with_line(p.head, any_hash(p, r), lambda t: misspell(t, r))),
    ("a short hash", True, 1, lambda p, r: with_line(p.head, any_hash(p, r), lambda t: b64(unb64(t)[:31]))),
    ("size", True, 0, other_size),
    ("origin", True, 0, lambda p, r: with_line(p.body, 0, lambda t: t + "2")),
    ("a bit of the root", True, 0, lambda p, r: flip_line(p.body, 2, r)),
    ("base64 of the root", True, 0, lambda p, r: with_line(p.body, 2, lambda t: misspell(t, r))),
    ("a line of the body more", True, 0, lambda p, r: p.body.append("extension")),
    ("lines of the body swapped", True, 0, lambda p, r: swap(p.body, *r.sample(range(3), 2))),
    ("another root, signed", True, 0, resigned(lambda p, r: flip_line(p.body, 2, r))),
    ("another origin, signed", False, 0, resigned(lambda p, r: with_line(p.body, 0, lambda t: t + "2"))),
    ("size spelled, signed", True, 0, resigned(lambda p, r: with_line(p.body, 1, lambda t: "0" + t))),
    ("an empty line, signed", False, 0, resigned(lambda p, r: p.body.insert(r.randrange(1, 4), ""))),
    ("size 0, signed", True, 0, resigned(lambda p, r: with_line(p.body, 1, lambda t: "0"))),
    ("a bit of the log's signature", True, 0, change_signature(LOG, lambda t, r: flip64(t, r, 4))),
    ("a bit of the log's key id", True, 0, change_signature(LOG, lambda t, r: flip64(t, r, 0, 4))),
    ("a short signature", True, 0, change_signature(LOG, lambda t, r: b64(unb64(t)[:-1]))),
    ("a long signature", True, 0, change_signature(LOG, lambda t, r: b64(unb64(t) + b"x"))),
    ("base64 of the log's signature", False, 0, change_signature(LOG, misspell)),
    ("the log's line missing", True, 0, drop(LOG)),
    ("the log's line by another key", True, 0, replace(LOG, Key(ORIGIN, 1, bytes(32)).sign)),
    ("the log's line of another name", True, 0, replace(LOG, lambda body: LOG.sign(body).replace(ORIGIN, ORIGIN + "2"))),
    ("a bit of a cosignature", False, 0, change_signature(W1, lambda t, r: flip64(t, r, 12))),
    ("a bit of a cosigner's id", False, 0, change_signature(W2, lambda t, r: flip64(t, r, 0, 4))),
    ("a bit of a time", False, 0, change_signature(W1, lambda t, r: flip64(t, r, 4, 12))),
    ("base64 of a cosignature", False, 0, change_signature(W2, misspell)),
    ("a cosignature without time", False, 0, change_signature(W1, lambda t, r: b64(unb64(t)[:4] + unb64(t)[12:]))),
    ("a cosignature missing", False, 0, drop(W1)),
    ("cosignatures swapped", False, 0, swap_cosignatures),
    ("a plain signature of a witness", False, 0,
     replace(W1, lambda body: "\u2014 %s %s" % (W1.name, b64(W1.id + TIME.to_bytes(8, "big") + W1.private.sign(body.encode()))))),
    ("a cosignature of another body", False, 0, replace(W2, lambda body: W2.sign("x" + body))),
    ("a cosignature of a stranger", False, 0, replace(W2, STRANGER.sign)),
    ("the header", True, 0, lambda p, r: with_line(p.head, 0, lambda t: r.choice(["", t + " ", t[:-1] + "2", t[:-1], " " + t]))),
    ("the header after the index", True, 0, lambda p, r: swap(p.head, 0, p.at)),
    ("a bad extra line", True, 0, lambda p, r: p.head.insert(1, r.choice(["extra", "extra !", "extra YQ", "Extra YQ=="]))),
    ("an extra line after the index", True, 0, lambda p, r: p.head.insert(p.first, "extra YQ==")),
    ("an index line more", True, 0, lambda p, r: p.head.insert(p.at, p.head[p.at])),
    ("an empty line in front", True, 0, lambda p, r: p.head.insert(r.randrange(p.at + 1), "")),
]
TEXT_MUTATIONS = [
    ("a byte more", lambda t, r: t + r.choice(["x", "\n", " ", "\0", "\r", "\n\n", "\u2014", "\u2014 x"])),
    ("the last LF missing", lambda t, r: t[:-1]),
    ("CR LF", lambda t, r: t.replace("\n", "\r\n")),
    ("a BOM", lambda t, r: "\ufeff" + t),
    ("cut", lambda t, r: t[:r.randrange(len(t.partition("\u2014")[0]) + 60)]),
    ("blank lines", lambda t, r: t.replace("\n\n", "\n\n\n", 1)),
    ("no blank line", lambda t, r: t.replace("\n\n", "\n", 1)),
    ("a hyphen", lambda t, r: t.replace("\u2014", "-")),
]


def mutate(record, rng):
    """A record that differs in one part, and must not verify."""
    while True:
        choice = rng.randrange(len(MUTATIONS) + len(TEXT_MUTATIONS) + 1)
        r = {k: record[k] for k in ("entry", "leaf_hash", "proof", "vkeys") if k in record}
        r["go"] = True
        if choice < len(MUTATIONS):
            r["mutation"], r["go"], least, change = MUTATIONS[choice]
            p = Parts(r["proof"])
            if len(p.head) - p.first < least:
                continue
            change(p, rng)
            r["proof"] = p.text()
        elif choice < len(MUTATIONS) + len(TEXT_MUTATIONS):
            r["mutation"], change = TEXT_MUTATIONS[choice - len(MUTATIONS)]
            r["proof"] = change(r["proof"], rng)
        elif "entry" in r:
            r["mutation"], r["entry"] = "entry", r["entry"] + "x"
        else:
            r["mutation"], r["leaf_hash"] = "leaf_hash", flip64(r["leaf_hash"], rng)
        if r != dict(record, go=r["go"], mutation=r["mutation"]) and not same_proof(record["proof"], r["proof"], r["mutation"]):
            return r


def same_proof(a, b, name):
    return a == b and name not in ("entry", "leaf_hash")


def random_size(rng, bits=48):
    return max(1, rng.getrandbits(rng.randrange(1, bits + 1)) + rng.choice([0, 0, 0, 1]))


def proof_of(rng, keys=None, extensions=()):
    """A proof of one entry of a tree of any size, at random."""
    size = rng.choice([random_size(rng), 1 << rng.randrange(48)])
    size = min(size, 1 << 48)
    index = rng.choice([rng.randrange(size), size - 1, 0])
    entry = "entry %x \u00e9 \\\"" % rng.getrandbits(64)
    leaves = {i: hashlib.sha256(b"%d" % i).digest() for i in (index ^ 1, rng.randrange(size), size - 1) if i < size}
    leaves[index] = leaf_hash(entry.encode())
    tree = Tree(leaves)
    body = "\n".join([ORIGIN, str(size), b64(tree.root(0, size)), *extensions]) + "\n"
    signatures = [k.sign(body) for k in keys or (LOG, W1, W2)]
    if keys is None and rng.random() < 0.3:
        signatures.append(STRANGER.sign(body))
    if keys is None and rng.random() < 0.3:
        rng.shuffle(signatures)
    head = [MAGIC] + (["extra " + b64(rng.randbytes(rng.randrange(9)) + b"x")] if rng.random() < 0.2 else [])
    head += ["index %d" % index] + [b64(h) for h in tree.path(index, 0, size)]
    proof = "\n".join(head) + "\n\n" + body + "\n" + "\n".join(signatures) + "\n"
    record = {"entry": entry} if rng.random() < 0.8 else {"leaf_hash": b64(leaves[index])}
    return dict(record, proof=proof, vkeys=[LOG.vkey()])


def tree_record(rng):
    size = random_size(rng)
    old = rng.choice([rng.randrange(1, size + 1), size, 1 << rng.randrange(size.bit_length())])
    tree = Tree({i: rng.randbytes(32) for i in (0, old - 1, min(old, size - 1), rng.randrange(size), size - 1)})
    hashes = tree.growth(old, 0, size)
    r = {"old": old, "old_root": b64(tree.root(0, old)), "size": size, "root": b64(tree.root(0, size)), "hashes": [b64(h) for h in hashes]}
    right, wrong = dict(r, wrong=False), dict(r, wrong=True, hashes=list(r["hashes"]))
    part = rng.choice(["old_root", "root", "hashes", "hashes"]) if hashes else rng.choice(["old_root", "root"])
    if part == "hashes":
        i = rng.randrange(len(hashes))
        wrong["hashes"][i:i + 1] = rng.choice([[], [flip64(wrong["hashes"][i], rng)], [wrong["hashes"][i]] * 2])
    else:
        wrong[part] = flip64(wrong[part], rng)
    return right, wrong


# ---- policies at random ----

def wrong_policy(text, rng):
    """A policy that breaks one rule."""
    lines = text.splitlines(True)
    def with_(line, where=None):
        i = len(lines) if where is None else where
        return "".join(lines[:i] + [line] + lines[i:])
    last = lines[-1]
    return rng.choice([
        "".join(lines[:-1]),
        with_(last),
        with_("quorum nobody\n", len(lines) - 1),
        "".join(lines[:-1]) + "quorum nobody\n",
        "".join(lines[:-1]) + "quorum\n",
        "".join(lines[:-1]) + last[:-1] + " w1\n",
        with_("witness none %s\n" % STRANGER.vkey(), 0),
        with_("witness spare %s\n" % STRANGER.vkey(), len(lines) - 1),
        with_("witness again %s\n" % Key("spare.example", 4).vkey(), len(lines) - 1),
        with_("witness again %s\n" % Key("other.example", 4, Key("spare.example").seed).vkey(), len(lines) - 1),
        with_("witness plain %s\n" % Key("plain.example", 1).vkey(), 0),
        with_("witness bad %s\n" % STRANGER.vkey().replace("A", "B", 1), 0),
        with_("witness bad %s x y\n" % STRANGER.vkey(), 0),
        with_("witness bad\n", 0),
        with_(lines[0], 1),
        with_("log\n", 0),
        with_("log %s\n" % LOG.vkey()[:-1], 0),
        with_("log %s a b\n" % Key("other.example/log").vkey(), 0),
        with_("group g 1\n", len(lines) - 1),
        with_("group g some spare\n", len(lines) - 1),
        with_("group g 0 spare\n", len(lines) - 1),
        with_("group g 2 spare\n", len(lines) - 1),
        with_("group g -1 spare\n", len(lines) - 1),
        with_("group g 1 spare spare\n", len(lines) - 1),
        with_("group g any g\n", len(lines) - 1),
        with_("group g any none\n", len(lines) - 1),
        with_("group g any later\nwitness later %s\n" % STRANGER.vkey(), len(lines) - 1),
        with_("witness x %s\ngroup spare any x\n" % STRANGER.vkey(), len(lines) - 1),
        with_("group none any spare\n", len(lines) - 1),
        with_("group g any spare\ngroup h any spare\n", len(lines) - 1),
        with_("# a control character \x01\n"),
        with_("# a DEL \x7f\n"),
        with_("# a CR\r\n"),
        with_("Quorum spare\n"),
        with_("\u00a0\n"),
    ])


def random_policy(rng):
    """A policy of logs, witnesses and groups, and the keys of both."""
    witnesses = [("w%d" % i, Key("witness.example/w%d" % i, 4)) for i in range(1, rng.randrange(1, 12))]
    witnesses.append(("spare", Key("spare.example", 4)))
    logs = rng.choice([[LOG], [LOG, Key("other.example/log")], [Key(ORIGIN, 1, bytes(32)), LOG]])
    free, rest, groups = [n for n, _ in witnesses[:-1]], "", 0
    while len(free) > 1 and rng.random() < 0.8:
        members = rng.sample(free, rng.randrange(1, len(free) + 1))
        groups += 1
        free = [n for n in free if n not in members] + ["g%d" % groups]
        least = rng.choice(["all", "any", str(rng.randrange(1, len(members) + 1))])
        rest += rng.choice(["", " ", "\t"]) + "group\tg%d  %s %s\n" % (groups, least, " ".join(members))
    rest += rng.choice(["", "\n", "# caf\u00e9\n", " \t# quorum none\n"])
    top = rng.choice(free or ["none"])
    rest += "quorum %s\n" % rng.choice([top, top, "none"])
    return policy_text(logs, witnesses, rest), [k for _, k in witnesses]


def policy_cases(n, rng, folder):
    for i in range(n):
        text, witnesses = random_policy(rng)
        valid = rng.random() < 0.7
        if not valid:
            text = wrong_policy(text, rng)
        record = proof_of(rng, [LOG] + [k for k in witnesses if rng.random() < 0.6], rng.choice([(), (), ("an extension",)]))
        with open(os.path.join(folder, "policy.%d" % i), "wb") as f:
            f.write(text.encode())
        case = {"policy": "policy.%d" % i, "valid": valid, "record": record}
        try:
            case["want"] = dict(verified=True, **verify(Policy(text.encode()), record))
        except Bad as e:
            case["want"] = {"verified": False, "reason": str(e)}
        try:
            Policy(text.encode())
            readable = True
        except Bad:
            readable = False
        must(readable == valid, "a policy that is not as it was meant: " + text)
        yield case


def show(record):
    print(json.dumps(record, ensure_ascii=False))


def write_keys(folder):
    for name, key in ("log", LOG), ("w1", W1), ("w2", W2):
        with open(os.open(os.path.join(folder, name + ".key"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(key.skey() + "\n")
        with open(os.path.join(folder, name + ".vkey"), "w") as f:
            f.write(key.vkey() + "\n")
    with open(os.path.join(folder, "policy"), "w") as f:
        f.write(policy_text())


def main(command, *args):
    rng = random.Random(int(args[1])) if len(args) > 1 and args[1].isdigit() else None
    if command == "key":
        key = Key(args[0], int(args[1]), bytes.fromhex(args[2]))
        print(key.skey() + "\n" + key.vkey())
    elif command == "keys":
        write_keys(args[0])
    elif command == "verify":
        with open(args[0], "rb") as f:
            policy = Policy(f.read())
        for line in sys.stdin:
            try:
                show(dict(verified=True, **verify(policy, json.loads(line))))
            except Bad as e:
                show({"verified": False, "reason": str(e)})
    elif command == "proofs":
        for _ in range(int(args[0])):
            show(proof_of(rng))
    elif command == "mutate":
        records = [json.loads(line) for line in sys.stdin]
        for i in range(int(args[0])):
            show(mutate(records[i % len(records)], rng))
    elif command == "trees":
        for _ in range(int(args[0])):
            for record in tree_record(rng):
                show(record)
    elif command == "policies":
        for case in policy_cases(int(args[0]), rng, args[2]):
            show(case)
    elif command == "cosign":
        with open(args[1], encoding="utf-8") as f:
            print({"w1": W1, "w2": W2}[args[0]].sign(parse_note(f.read())[0]))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    try:
        main(*(sys.argv[1:] or ["help"]))
    except Bad as e:
        sys.exit("transparency.py: %s" % e)
