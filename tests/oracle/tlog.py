"""A log in the form of C2SP tlog-tiles, and what may be had of it over HTTP.

    tlog.py make FOLDER ORIGIN SIZE                     a log of SIZE entries, not signed
    tlog.py ask URL FOLDER [entries] [public] [bearer TOKEN]

Its trees and their proofs, by RFC 9162, are also those of transparency.py and commitment.py.

ask fetches each file of FOLDER, and thousands of paths near them: the answer must be the bytes
of a file for the paths that tlog-tiles gives one in the tree of the checkpoint, and 404 or 400 for
all others.  It prints each wrong answer, and at the end how many were tried.
"""
import base64
import binascii
import hashlib
import http.client
import os
import random
import re
import sys
from urllib.parse import urlsplit


class Bad(Exception):
    """Something does not verify or cannot be parsed."""


def must(holds, why):
    if not holds:
        raise Bad(why)


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text, size=None):
    """Canonical base64 alone is read."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Bad("no base64")
    must(b64(data) == text and size in (None, len(data)), "no base64 of that size")
    return data


def number(text):
    must(text.isascii() and text.isdigit() and str(int(text)) == text, "no number")
    return int(text)


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(n):
    return 1 << ((n - 1).bit_length() - 1)


def root(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return node(root(hashes[:k]), root(hashes[k:]))


def check_inclusion(index, size, leaf, path, root):
    must(index < size, "index beyond the tree")
    at, last, found = index, size - 1, leaf
    for hash_ in path:
        must(last, "too many hashes")
        if at & 1 or at == last:
            found = node(hash_, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, hash_)
        at, last = at >> 1, last >> 1
    must(last == 0 and found == root, "the entry is not in the tree")


def check_growth(old, old_root, size, root, path):
    """RFC 9162, 2.1.4.2."""
    must(0 < old <= size, "sizes")
    if old == size:
        must(not path and old_root == root, "the same size, another root")
        return
    path = [old_root] + path if old & (old - 1) == 0 else path
    must(path, "no hash")
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = path[0]
    for hash_ in path[1:]:
        must(last, "too many hashes")
        if at & 1 or at == last:
            older, newer = node(hash_, older), node(hash_, newer)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = node(newer, hash_)
        at, last = at >> 1, last >> 1
    must(last == 0 and older == old_root and newer == root, "the tree did not grow so")


def name_of(index):
    parts = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        parts.insert(0, "x%03d" % (index % 1000))
    return "/".join(parts)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def write_tiles(folder, parts):
    for n in range(0, len(parts), 256):
        some = parts[n:n + 256]
        partial = "" if len(some) == 256 else ".p/%d" % len(some)
        write(f"{folder}/{name_of(n // 256)}{partial}", b"".join(some))


def make(folder, origin, size):
    entries = [b"entry %d" % i for i in range(size)]
    write_tiles(folder + "/tile/entries", [len(e).to_bytes(2, "big") + e for e in entries])
    level, hashes = 0, [leaf_hash(e) for e in entries]
    top = root(hashes)
    while hashes:
        write_tiles(f"{folder}/tile/{level}", hashes)
        hashes = [root(hashes[i:i + 256]) for i in range(0, len(hashes) - 255, 256)]
        level += 1
    note = f"{origin}\n{size}\n{b64(top)}\n\n— {origin} {b64(bytes(68))}\n"
    write(folder + "/checkpoint", note.encode())
    for other in "origin", "lock", "pending", "checkpoints/1", "tile/notes", "tile/0/notes":
        write(f"{folder}/{other}", b"not served\n")


def near(path, rng):
    """a path with one thing changed"""
    at = rng.randrange(len(path))
    return rng.choice([
        path[:at] + rng.choice("x0129./%p-+ \\") + path[at:],
        path[:at] + path[at + 1:],
        path[:at] + rng.choice("x01234/.pX") + path[at + 1:],
        path[:at] + "%%%02x" % ord(path[at]) + path[at + 1:],
        path.replace("tile/", rng.choice(["tile//", "tile/./", "tile/../", "tile/x000/", "Tile/", "tile/0"])),
        path + rng.choice(["/", ".p/1", ".p/255", ".p/256", ".p/0", ".p/01", ".p", "/000", "?", "%00", ".gz", "#a"]),
    ])


OTHERS = ["lock", "origin", "pending", "checkpoints/1", "checkpoint/", "checkpoint.", "tile", "tile/", "tile/0", "tile/0/",
          "tile/64/000", "tile/99999999999999999999/000", "tile/-1/000", "tile/00/000", "tile/+0/000", "tile/0/x000/000",
          "tile/0/x999/x999/x999/x999/x999/999", "tile/notes", "tile/0/notes", "tile/entries", "tile/entries/", "tile/Entries/000",
          "../checkpoint", "..%2fcheckpoint", "%2e%2e/checkpoint", "tile/0/../../lock", "tile/..%2f..%2florigin", "tile/0%2f000",
          "tile/0/000%2ep%2f1", "tile/0/0000", "tile/0/00", "tile/0/x00/000", "tile/0/000/000", "%63heckpoint", "tile/%30/000", ""]


def in_tree(path, size):
    """whether the tree of a checkpoint has all hashes of a tile, or all entries of a bundle"""
    kind, *parts = path.partition(".p/")[0].split("/")[1:]
    n = int("".join(part[-3:] for part in parts))
    width = int(path.partition(".p/")[2] or 256)
    return 256 * n + width <= size >> 8 * int(kind if kind != "entries" else 0)


def ask(url, folder, words):
    entries, public = "entries" in words, "public" in words
    rng, parts = random.Random(33), urlsplit(url)
    names = [os.path.relpath(os.path.join(at, f), folder) for at, _, files in os.walk(folder) for f in files]
    good = re.compile(r"checkpoint|tile/([0-9]|[1-5][0-9]|6[0-3]%s)/(?!x000)(x\d{3}/)*\d{3}(\.p/([1-9]\d?|1\d\d|2[0-4]\d|25[0-5]))?"
                      % ("|entries" if entries else ""))
    with open(folder + "/checkpoint", encoding="utf-8") as f:
        size = int(f.read().split("\n")[1])
    paths = names + OTHERS
    for _ in range(1500):
        paths.append(near(rng.choice(names), rng))
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=600)
    headers = {"Authorization": "Bearer " + words[words.index("bearer") + 1]} if "bearer" in words else {}
    wrong = served = 0
    for path in paths:
        if re.search(r"[ \\#]", path):
            continue
        for method in "GET", "HEAD":
            connection.putrequest(method, parts.path + "/" + path, skip_accept_encoding=True)
            for item in headers.items():
                connection.putheader(*item)
            connection.endheaders()
            answer = connection.getresponse()
            body, plain = answer.read(), path.split("?")[0]
            want = None
            if good.fullmatch(plain) and os.path.isfile(os.path.join(folder, plain)) and (plain == "checkpoint" or in_tree(plain, size)):
                with open(os.path.join(folder, plain), "rb") as f:
                    want = f.read()
            if want is None:
                fine = answer.status in (404, 400) and answer.getheader("Cache-Control") == "no-store"
            else:
                served += 1
                kind, cache = answer.getheader("Content-Type"), answer.getheader("Cache-Control")
                fine = answer.status == 200 and body == (want if method == "GET" else b"") and \
                    answer.getheader("Content-Length") == str(len(want)) and \
                    (kind, cache) == (("text/plain; charset=utf-8", "no-cache") if plain == "checkpoint" else
                                      ("application/octet-stream", ("public" if public else "private") + ", max-age=31536000, immutable"))
            if not fine:
                wrong += 1
                print(method, path, answer.status, answer.getheaders(), body[:100])
    print(f"{len(paths)} tried, {served} served, {wrong} wrong")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        ask(sys.argv[2], sys.argv[3], sys.argv[4:])
