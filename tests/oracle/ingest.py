#!/usr/bin/env python3
"""ingest.py [OPTION]... FILE... - what lh-ingest makes of CSV, a second time.

Options: --delimiter C, --quote "|none, --null TEXT, --null-members, --no-header, --sample N|all,
--id COLUMN, --id-prefix TEXT, --describe.  Rejected rows are listed on stderr as FILE:LINE.
"""
import argparse
import hashlib
import json
import re
import sys

INT = re.compile(r"-?(0|[1-9][0-9]*)\Z")
CODE = re.compile(r"[0-9]+[eE][0-9]+\Z")
SEP = re.compile(rb'[\r\n]*(?:sep=([^"\r\n\0\x80-\xff])|"sep=([^"\r\n\0\x80-\xff])")(?=[\r\n]|\Z)', re.I)
FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")


def told(data, guess):
    """The delimiter that the first row tells, and where a line sep=X ends."""
    sep = SEP.match(data)
    if sep:
        return sep[1] or sep[2], sep.end()
    first = re.match(rb'(?:(?<![^\r\n,;|\t])"(?:[^"]|"")*(?:"|\Z)|[^\r\n])*', data.lstrip(b"\r\n")[:4096])[0]
    bare = re.sub(rb'(?<![^,;|\t])"(?:[^"]|"")*(?:"|\Z)', b"", first)
    counts = sorted((bare.count(d), d) for d in (b";", b"|", b"\t"))
    plain = counts[2][0] > counts[1][0] and b"," not in bare
    return counts[2][1] if guess and plain else b",", 0


def rows(data, delimiter, guess, quote):
    """Yield (line, cells) for each row of the bytes; cells is None for a row that is bad."""
    tells, at = told(data, guess)
    delimiter = delimiter or tells
    quotes = quote == '"' or (quote is None and delimiter != b"\t")
    n, ends = len(data), (b"\r", b"\n", delimiter)
    line = 1
    while at < n:
        begin, begin_line, cells, bad = at, line, [], False
        while True:
            cell = bytearray()
            if quotes and data[at:at + 1] == b'"':
                at += 1
                while True:
                    quote = data.find(b'"', at)
                    if quote < 0:
                        cell += data[at:]
                        at, bad = n, True
                        break
                    cell += data[at:quote]
                    at = quote + 1
                    if data[at:at + 1] != b'"':
                        break
                    cell += b'"'
                    at += 1
                bad = bad or (at < n and data[at:at + 1] not in ends)
                while at < n and data[at:at + 1] not in ends:
                    at += 1
            else:
                stop = at
                while stop < n and data[stop:stop + 1] not in ends:
                    stop += 1
                cell += data[at:stop]
                at = stop
                if at == n and cell[-1:] == b"\x1a":
                    del cell[-1]
            cells.append(bytes(cell))
            if at == n or data[at:at + 1] != delimiter:
                break
            at += 1
        raw = data[begin:at]
        at += 2 if data[at:at + 2] == b"\r\n" else 1
        line += len(re.findall(rb"\r\n|\r|\n", data[begin:at]))
        if raw in (b"", b"\x1a", b"\x0c"):
            continue
        try:
            raw.decode()
        except UnicodeDecodeError:
            bad = True
        yield begin_line, None if bad else [c.decode() for c in cells]


def is_int(s):
    return INT.match(s) is not None and -2 ** 63 <= int(s) < 2 ** 63


def is_float(s):
    return is_int(s) or (INT.match(s) is None and FLOAT.match(s) is not None and abs(float(s)) != float("inf"))


def is_number(s):
    return is_float(s) and not CODE.match(s)


def is_bool(s):
    return s.lower() in ("true", "false") and s.isascii()


TYPES = (("int64", is_int), ("float64", is_float), ("bool", is_bool), ("string", lambda s: True))


def text(s):
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in s) + '"'


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--delimiter", default="")
    p.add_argument("--quote")
    p.add_argument("--null")
    p.add_argument("--null-members", action="store_true")
    p.add_argument("--no-header", action="store_true")
    p.add_argument("--sample", default="1000")
    p.add_argument("--id")
    p.add_argument("--id-prefix", default="")
    p.add_argument("--describe", action="store_true")
    p.add_argument("file", nargs="+")
    a = p.parse_args()
    names, table, rejected = None, [], []
    for name in a.file:
        with open(name, "rb") as f:
            data = f.read()
        if data[:3] == b"\xef\xbb\xbf":
            data = data[3:]
        found = rows(data, a.delimiter.encode(), not a.no_header, a.quote)
        if not a.no_header:
            line, header = next(found)
            assert names is None or names == header
            names = header
        for line, cells in found:
            if cells is not None and names is None:
                names = [f"column{i + 1}" for i in range(len(cells))]
            if cells is None or len(cells) > len(names):
                rejected.append((name, line))
                table.append(None)
                continue
            cells += [""] * (len(names) - len(cells))
            table.append((name, line, [None if c in ("", a.null) else c for c in cells]))
    names = names or []
    good = [r for r in table if r]
    sample = good if a.sample == "all" else good[:int(a.sample)]
    types = []
    for i in range(len(names)):
        seen = [cells[i] for _, _, cells in sample if cells[i] is not None]
        types.append(next(t for t in TYPES if seen and all(map(is_number if t[0] == "float64" else t[1], seen))
                          or t[0] == "string"))
    count, nullable = 0, [False] * len(names)
    out = sys.stdout.buffer
    for name, line, cells in good:
        members = []
        ok = True
        if a.id is not None:
            i = names.index(a.id)
            if cells[i] is None:
                ok = False
            else:
                members.append('"id":' + text(a.id_prefix + cells[i]))
        for key, cell, (kind, fits) in zip(names, cells, types):
            if key == "id" and a.id is not None:
                continue
            if cell is None:
                if a.null_members:
                    members.append(text(key) + ":null")
            elif not fits(cell):
                ok = False
            else:
                members.append(text(key) + ":" + (text(cell) if kind == "string" else cell.lower() if kind == "bool" else cell))
        if not ok:
            rejected.append((name, line))
            continue
        count += 1
        nullable = [n or c is None for n, c in zip(nullable, cells)]
        if not a.describe:
            out.write(("{" + ",".join(members) + "}\n").encode())
    if a.describe:
        digest = hashlib.sha256("".join(f"{n}\x1f{t[0]}\x1e" for n, t in zip(names, types)).encode()).hexdigest()
        out.write((json.dumps({
            "name": None, "columns": [{"name": n, "type": t[0], "nullable": u} for n, t, u in zip(names, types, nullable)],
            "schema_fingerprint": digest, "row_count": count}, separators=(",", ":"), ensure_ascii=False) + "\n").encode())
    for name, line in rejected:
        print(f"{name}:{line}", file=sys.stderr)


if __name__ == "__main__":
    main()
