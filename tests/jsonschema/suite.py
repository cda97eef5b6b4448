#!/usr/bin/env python3
"""Run the cases of cases.jsonl by AID: "FILE PASSED ALL" a file, then the cases that fail.

usage: suite.py AID
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main(aid):
    cases = []
    with open(os.path.join(HERE, "cases.jsonl"), encoding="utf-8") as f:
        for group in map(json.loads, f):
            cases += [(group["file"], group["description"] + ": " + t["description"],
                       t["valid"], {"schema": group["schema"], "data": t["data"]})
                      for t in group["tests"]]
    lines = "".join(json.dumps(c[3]) + "\n" for c in cases)
    ran = subprocess.run([aid, "check"], text=True,
                         input=lines, stdout=subprocess.PIPE, check=True)
    results = ran.stdout.splitlines()
    assert len(results) == len(cases)
    passed, failed = {}, []
    for (name, what, valid, _), result in zip(cases, results):
        good = result == json.dumps(valid)
        passed.setdefault(name, []).append(good)
        if not good:
            failed.append(f"{name}: {what}: {result}")
    for name, good in passed.items():
        print(name, sum(good), len(good))
    print("all", sum(map(sum, passed.values())), len(cases))
    print("\n".join(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
