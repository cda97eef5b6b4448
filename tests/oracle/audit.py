#!/usr/bin/env python3
"""The subject audit chain by another hand: the standard library of Python and
the description of the format, nothing of the C.

    audit.py write KEY <ROWS >LOG       rows without prev_chain_hash and row_hmac,
                                        their bytes kept, made a chain
    audit.py verify KEY [--name NAME] LOG...
                                        {"file","count","tip","verified","error"} each
    audit.py name ID...                 what each one's files are called
    audit.py mac KEY <ROWS              the MAC that each row should have
    audit.py anchor KEY <LINES          an anchor's lines, its last one added
    audit.py check-anchor KEY <ANCHOR   exit 0 when it is genuine
    audit.py probe <REQUESTS            {"mode":"known_answer"} or {"mode":"verify",
                                        "candidate_id","key","log"} in, what other
                                        programs print for it out, a line each
"""
import hashlib
import hmac
import json
import re
import sys

sys.dont_write_bytecode = True
from extract import canonical, strict as parse  # noqa: E402


def mac(key, row):
    body = {k: v for k, v in row.items() if k != "row_hmac"}
    text = row["prev_chain_hash"] + canonical(body)
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()


def sanitised(subject):
    """The name that other programs give a subject's files: by code points."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", subject)


def file_name(subject):
    """Its own: by bytes, and with a hash unless nothing was replaced."""
    if re.fullmatch(r"[A-Za-z0-9._-]+", subject):
        return subject
    data = subject.encode("utf-8")
    return re.sub(rb"[^A-Za-z0-9._-]", b"_", data).decode() + "~" + hashlib.sha256(data).hexdigest()[:12]


def fault(key, line, prev, first, name):
    """(what is wrong or None, row_hmac) of one line."""
    try:
        row = parse(line)
        canonical(row).encode("utf-8")
    except (ValueError, RecursionError):
        return "invalid JSON", None
    subject = row.get("candidate_id")
    if type(subject) is not str or (first is not None and subject != first) or \
            (name is not None and name not in (sanitised(subject), file_name(subject))):
        return "candidate_id mismatch", None
    if type(row.get("prev_chain_hash")) is not str or row["prev_chain_hash"] != prev:
        return "prev_chain_hash mismatch", None
    if type(row.get("row_hmac")) is not str or \
            not hmac.compare_digest(row["row_hmac"].encode(), mac(key, row).encode()):
        return "row_hmac mismatch", None
    return None, row["row_hmac"]


def bare(lines):
    try:
        return bool(lines) and all("row_hmac" not in parse(line) for line in lines)
    except ValueError:
        return False


def verify(key, data, name):
    lines = data.split(b"\n")
    # blank lines at the end do not count
    torn = lines.pop()
    while not torn and lines and not lines[-1].strip(b" \t\r"):
        lines.pop()
    if not lines and not torn:
        return {"count": 0, "tip": "GENESIS", "verified": False, "error": "no rows"}
    if bare(lines):
        return {"count": 0, "tip": "GENESIS", "verified": False, "error": "row 0: row_hmac mismatch"}
    tip, first = "GENESIS", None
    for n, line in enumerate(lines):
        wrong, row_hmac = fault(key, line, tip, first, name)
        if wrong:
            return {"count": n, "tip": tip, "verified": False, "error": "row %d: %s" % (n, wrong)}
        tip = row_hmac
        first = parse(line)["candidate_id"]
    if torn:
        return {"count": len(lines), "tip": tip, "verified": False, "error": "row %d: torn" % len(lines)}
    return {"count": len(lines), "tip": tip, "verified": True, "error": None}


def write(key, lines, out):
    """The rows keep their bytes; the two members of the chain come last."""
    prev = "GENESIS"
    for line in lines:
        body = line.rstrip(b"\r\n")
        body = body[:body.rindex(b"}")]
        comma = b"" if body.rstrip().endswith(b"{") else b","
        body += comma + b'"prev_chain_hash":"' + prev.encode() + b'"'
        prev = mac(key, parse(body + b"}"))
        out.write(body + b',"row_hmac":"' + prev.encode() + b'"}\n')


def anchor_mac(key, data):
    at = data.rindex(b',"hmac"')
    return hmac.new(key, data[:at], hashlib.sha256).hexdigest()


def anchor(key, data, out):
    logs = data.count(b"\n")
    last = b'{"schema":"subject_anchor.v1","ts":"2026-05-03T12:00:00.000Z","logs":%d,"hmac"' % logs
    out.write(data + last + b':"' + anchor_mac(key, data + last).encode() + b'"}\n')


KNOWN = {
    "schema": "subject_audit.v1", "ts": "2026-05-03T12:00:00Z", "candidate_id": "WORKER-FIXED",
    "accessor": {"kind": "gateway_lookup", "daemon": "gateway", "purpose": "parity_test", "trace_id": "trace-fixed"},
    "fields_accessed": ["name"], "result": "success", "prev_chain_hash": "GENESIS",
}


def answer(request):
    if request["mode"] == "known_answer":
        return {"mode": "known_answer", "canonical": canonical(KNOWN), "hmac": mac(bytes(range(32)), KNOWN),
                "canonical_bytes_len": len(canonical(KNOWN).encode("utf-8"))}
    verdict = verify(bytes.fromhex(request["key"]), request["log"].encode("utf-8"), sanitised(request["candidate_id"]))
    # other programs know no torn line, and no row is none that is wrong
    error = (verdict["error"] or "").replace(": torn", ": invalid JSON").replace("no rows", "")
    return dict(mode="verify", **dict(verdict, verified=not error, error=error))


def probe():
    for line in sys.stdin.buffer:
        print(json.dumps(answer(json.loads(line)), separators=(",", ":"), ensure_ascii=False), flush=True)


def main():
    if sys.argv[1:] == ["probe"]:
        probe()
        return 0
    if sys.argv[1:2] == ["name"]:
        print("\n".join(map(file_name, sys.argv[2:])))
        return 0
    verb, key_file, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(key_file, "rb") as f:
        key = f.read()
    if verb == "write":
        write(key, sys.stdin.buffer, sys.stdout.buffer)
    elif verb == "mac":
        for line in sys.stdin.buffer:
            print(mac(key, parse(line)))
    elif verb == "anchor":
        anchor(key, sys.stdin.buffer.read(), sys.stdout.buffer)
    elif verb == "check-anchor":
        data = sys.stdin.buffer.read()
        last = parse(data.rstrip(b"\n").rsplit(b"\n", 1)[-1])
        return 0 if hmac.compare_digest(last["hmac"], anchor_mac(key, data)) else 1
    elif verb == "verify":
        name = None
        if rest[0] == "--name":
            name, rest = rest[1], rest[2:]
        for path in rest:
            with open(path, "rb") as f:
                print(json.dumps(dict(file=path, **verify(key, f.read(), name)), separators=(",", ":")))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
