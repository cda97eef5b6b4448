"""forge-bundle.py FOLDER - bundles by another hand, tampered with.

FOLDER/b.tar.zst is unpacked by zstd(1) and tarfile; for each line EDIT of stdin
that is done to its members, and the result packed and sealed as a bundle is, so
that only the members can give it away: FOLDER/EDIT.tar.zst.  "flip BYTE" and
"cut BYTES" are done to the file itself.
"""
import hashlib
import io
import json
import struct
import subprocess
import sys
import tarfile

MANIFEST = "MANIFEST.jsonl"


def unpack(path):
    tar = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as t:
        return [(m, t.extractfile(m).read()) for m in t]


def info(name, size=0, kind=tarfile.REGTYPE, link=""):
    m = tarfile.TarInfo(name)
    m.size, m.type, m.linkname, m.mode = size, kind, link, 0o644
    return m


def tar(members, form=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as t:
        for m, data in members:
            t.addfile(m, io.BytesIO(data))
    return out.getvalue()


def pack(path, raw, sealed=True):
    z = subprocess.run(["zstd", "-cq"], input=raw, check=True, capture_output=True).stdout
    if sealed:
        z += struct.pack("<II", 0x184D2A5E, 32) + hashlib.sha256(z).digest()
    with open(path, "wb") as f:
        f.write(z)


def listed(members):
    """The same with a manifest that fits."""
    rest = [(m, d) for m, d in members if m.name != MANIFEST]
    return listing([{"path": m.name, "size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for m, d in rest]) + rest


def listing(rows):
    text = "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in rows).encode()
    return [(info(MANIFEST, len(text)), text)]


def rows(members):
    return [json.loads(line) for line in members[0][1].splitlines()]


def put(members, at, m, data=b""):
    return members[:at] + [(m, data)] + members[at:]


def edit(members, what):
    by = {m.name: i for i, (m, _) in enumerate(members)}
    md = by["report.md"]
    m, data = members[md]
    swap = list(members)
    if what == "nothing":
        return members
    if what == "relisted":
        return listed(members)
    if what == "change":
        return members[:md] + [(m, b"X" + data[1:])] + members[md + 1:]
    if what == "longer":
        return members[:md] + [(info(m.name, len(data) + 1), data + b"X")] + members[md + 1:]
    if what == "remove":
        return members[:md] + members[md + 1:]
    if what == "remove-last":
        return members[:-1]
    if what == "add":
        return put(members, len(members), info("zzz", 3), b"abc")
    if what == "rename":
        return members[:md] + [(info("report.mx", len(data)), data)] + members[md + 1:]
    if what == "reorder":
        swap[md], swap[md - 1] = swap[md - 1], swap[md]
        return swap
    if what == "reorder-all":
        swap[md], swap[md - 1] = swap[md - 1], swap[md]
        return listed(swap)
    if what == "duplicate":
        return put(members, md, info(m.name, len(data)), data)
    if what == "duplicate-listed":
        return listed(put(members, md, info(m.name, len(data)), data))
    if what == "manifest-twice":
        return put(members, 1, *members[0])
    if what == "manifest-lists-itself":
        return listing(rows(members) + [{"path": MANIFEST, "size": 0, "sha256": "0" * 64}]) + members[1:]
    if what == "manifest-last":
        return members[1:] + members[:1]
    if what == "no-manifest":
        return members[1:]
    if what == "manifest-link":
        return put(members[1:], 0, info(MANIFEST, kind=tarfile.SYMTYPE, link="/etc/passwd"))
    if what == "manifest-garbage":
        return [(info(MANIFEST, 7), b"garbage")] + members[1:]
    if what == "manifest-cut":
        text = members[0][1][:-1]
        return [(info(MANIFEST, len(text)), text)] + members[1:]
    if what == "manifest-capitals":
        r = rows(members)
        r[0]["sha256"] = r[0]["sha256"].upper()
        return listing(r) + members[1:]
    if what == "manifest-no-size":
        r = rows(members)
        del r[1]["size"]
        return listing(r) + members[1:]
    if what == "manifest-huge":
        return [(info(MANIFEST, 2 << 20), b"\n" * (2 << 20))] + members[1:]
    if what == "nothing-left":
        return []
    kinds = {"symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE, "device": tarfile.CHRTYPE, "block": tarfile.BLKTYPE,
             "fifo": tarfile.FIFOTYPE, "folder": tarfile.DIRTYPE}
    if what in kinds:
        return members[:md] + [(info(m.name, kind=kinds[what], link="checks.jsonl"), b"")] + members[md + 1:]
    if what == "link-beside":
        return put(members, md, info("report.link", kind=tarfile.SYMTYPE, link="/etc/passwd"))
    names = {"dotdot": "../x", "absolute": "/etc/x", "deep": "run/../../x", "dot": "./report.md", "escape": "a\033[31mb", "utf8": "b\u00fcndel"}
    if what in names:
        return put(members, len(members), info(names[what], 3), b"abc")
    if what in ["listed-" + n for n in names]:
        return listing(rows(members) + [{"path": names[what[7:]], "size": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}]) + \
            put(members, len(members), info(names[what[7:]], 3), b"abc")[1:]
    sys.exit("no such edit: " + what)


def whole(members):
    """An archive without its end, for more to follow."""
    raw = tar(members).rstrip(b"\0")
    return raw + b"\0" * (-len(raw) % 512)


def forge(members, target, what):
    if what == "bomb":          # a member as long as it is listed to be, out of next to nothing
        n = 300_000_000
        zzz = {"path": "zzz", "size": n, "sha256": "0" * 64}
        pack(target, whole(listing(rows(members) + [zzz]) + members[1:]) + info("zzz", n).tobuf(tarfile.USTAR_FORMAT) + b"x" * n + b"\0" * 2048)
    elif what == "huge":        # a member said to have an exabyte
        pack(target, whole(members) + info("zzz", 1 << 60).tobuf(tarfile.GNU_FORMAT) + b"abc")
    elif what == "many":
        pack(target, tar(members + [(info("z%05d" % i), b"") for i in range(10000)]))
    elif what == "behind":      # another archive behind the first
        pack(target, tar(members) + tar([(info("zzz", 3), b"abc")]))
    elif what == "no-tar":
        pack(target, b"hello\n")
    elif what == "unsealed":
        pack(target, tar(members), sealed=False)
    else:
        pack(target, tar(edit(members, what)))


def damage(folder, what, n):
    with open(folder + "/b.tar.zst", "rb") as f:
        data = bytearray(f.read())
    if what == "flip":
        data[n] ^= 1 << n % 8
    with open("%s/%s-%d.tar.zst" % (folder, what, n), "wb") as f:
        f.write(data[:n] if what == "cut" else data)


def main():
    folder = sys.argv[1]
    members = unpack(folder + "/b.tar.zst")
    for line in sys.stdin:
        what = line.split()
        if len(what) == 2:
            damage(folder, what[0], int(what[1]))
        else:
            forge(members, "%s/%s.tar.zst" % (folder, what[0]), what[0])


main()
