"""A searcher for texts in any bytes by another hand: the standard library of Python, nothing of the
C.  zstd(1) and lz4(1) unpack what Python cannot.

    texts(FOLDER, PATTERN)    each text that matches a regular expression, also escaped as in JSON
                              or a URL, once, with no border asked for

Everything is read into memory, and decoded as a whole, over and over.
"""
import bz2
import gzip
import io
import lzma
import os
import re
import subprocess
import tarfile
import zipfile

ESCAPE = re.compile(rb'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])')
PERCENT = re.compile(rb"%[0-9a-fA-F]{2}")
LEVELS = 3
NESTED = 4


# ---- packed files ----

def unpack(data):
    """Yield (name, bytes) of what is packed in the bytes; nothing, if they are not packed."""
    tools = {b"\x28\xb5\x2f\xfd": ["zstd", "-dcq"], b"\x04\x22\x4d\x18": ["lz4", "-dcq"]}
    if data[:3] == b"\x1f\x8b\x08":
        inner = gzip.decompress(data)
    elif data[:6] == b"\xfd7zXZ\0":
        inner = lzma.decompress(data)
    elif data[:3] == b"BZh" and data[3:4].isdigit():
        inner = bz2.decompress(data)
    elif data[:4] in tools:
        inner = subprocess.run(tools[data[:4]], input=data, stdout=subprocess.PIPE, check=True).stdout
    elif data[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            yield from ((i.filename, z.read(i)) for i in z.infolist())
        return
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as t:
            yield from ((m.name, t.extractfile(m).read()) for m in t if m.isfile())
        return
    else:
        return
    if inner[257:262] == b"ustar":
        yield from unpack(inner)
    else:
        yield "", inner


def members(data, name=None, depth=0):
    """Yield (name, bytes) of a file, whose name is None, and of what is packed in it."""
    yield name, data
    if depth > NESTED:
        return
    for inner, more in unpack(data):
        yield from members(more, f"{name}/{inner}" if name and inner else name or inner, depth + 1)


def files(folder):
    for at, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(at, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    yield path, f.read()


# ---- encodings ----

def undo_escape(m):
    s = m.group()
    if s[1:2] != b"u":
        return {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(s[1:], s[1:])
    units = bytes.fromhex("".join(part.decode() for part in s.split(b"\\u")[1:]))
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def decoded(data, depth=0, seen=None):
    """Yield the bytes, and all that they decode to."""
    seen = set() if seen is None else seen
    if not data or data in seen:
        return
    seen.add(data)
    yield data
    if depth == LEVELS:
        return
    if b"\\" in data:
        yield from decoded(ESCAPE.sub(undo_escape, data), depth + 1, seen)
    if b"%" in data:
        yield from decoded(PERCENT.sub(lambda m: bytes.fromhex(m.group()[1:].decode()), data), depth + 1, seen)


# ---- texts ----

def texts(folder, pattern):
    pattern = re.compile(pattern.encode())
    found = set()
    for _, data in files(folder):
        for _, bytes_of in members(data):
            for layer in decoded(bytes_of):
                found.update(pattern.findall(layer))
    return {t.decode() for t in found}
