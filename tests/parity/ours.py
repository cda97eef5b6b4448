#!/usr/bin/env python3
"""Our tools behind the wire of two probes, whose cases hold whole files.

    ours.py materializer <REQUESTS      {"source","rows":["line",...]} through lh-materialize
    ours.py subject_audit <REQUESTS     {"mode":"known_answer"}, or {"mode":"verify",
                                        "candidate_id","key","log"}, through lh-subject-audit

One answer a line.  What a tool says on stderr goes through.
"""
import json
import os
import re
import subprocess
import sys
import tempfile


def tool(argv, data=b"", statuses=(0, 1)):
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE)
    if done.returncode not in statuses:
        sys.exit(f"{argv[0]} ended with {done.returncode}")
    return done.stdout


def materializer(request, _):
    rows = "".join(row + "\n" for row in request["rows"]).encode("utf-8")
    lines = tool(["lh-materialize", "-q", "--source", request["source"]], rows).splitlines()
    return b'{"evidence":[' + b",".join(lines) + b"]}"


def subject_audit(request, folder):
    if request["mode"] == "known_answer":
        return tool(["lh-subject-audit", "known-answer"], statuses=(0,)).rstrip(b"\n")
    name = re.sub("[^A-Za-z0-9._-]", "_", request["candidate_id"])
    log, key = os.path.join(folder, name + ".audit.jsonl"), os.path.join(folder, "key")
    with open(log, "wb") as f:
        f.write(request["log"].encode("utf-8"))
    with open(key, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write(bytes.fromhex(request["key"]))
    return tool(["lh-subject-audit", "verify", "--wire", "--key-file", key, log]).rstrip(b"\n")


def main():
    answer = {"materializer": materializer, "subject_audit": subject_audit}[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin.buffer:
            sys.stdout.buffer.write(answer(json.loads(line), folder) + b"\n")
            sys.stdout.buffer.flush()


main()
