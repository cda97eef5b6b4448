#!/usr/bin/env python3
"""erase-row.py ROOT RUN SOURCE LINE ERASURE - what an erasure of one row leaves: a tombstone in
the source, nothing of what was made from it, receipts of the run that are true and name the
erasure, and the receipt of the erasure itself."""
import glob, json, os, subprocess, sys

root, run, source, line, erasure = sys.argv[1:]
AT = "2026-05-03T12:00:00.000Z"
places = []


def replace(path, lines, kept):
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(kept))
    places.append({"place": "root", "path": path, "rows_before": sum(1 for row in lines if not row.startswith('{"erased":"')),
                   "rows_after": sum(1 for row in kept if not row.startswith('{"erased":"'))})


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.readlines()


source = f"{root}/data/_kb/{source}.jsonl"
rows = read(source)
replace(source, rows, [row if i != int(line) else f'{{"erased":"{erasure}","at":"{AT}"}}\n'
                       for i, row in enumerate(rows, 1)])
relative = os.path.relpath(source, root)
for path in sorted(glob.glob(f"{root}/data/evidence/**/*.jsonl", recursive=True) +
                   glob.glob(f"{root}/data/scored-runs/**/*.jsonl", recursive=True) +
                   glob.glob(f"{root}/exports/*/*.jsonl")):
    rows = read(path)
    kept = [row for row in rows
            if (json.loads(row).get("provenance") or {}).get("source_file") != relative
            or json.loads(row)["provenance"]["line_offset"] != int(line) - 1]
    if kept != rows:
        replace(path, rows, kept)
here = os.path.dirname(os.path.abspath(__file__))
subprocess.run([sys.executable, f"{here}/../reseal.py", root, run], check=True)
gone = {os.path.relpath(p["path"], root): p["rows_before"] - p["rows_after"] for p in places}
for path in glob.glob(f"{root}/reports/distillation/{run}/*.json"):
    with open(path, encoding="utf-8") as f:
        receipt = json.load(f)
    if "outputs" not in receipt:
        continue
    named = sum(gone.get(f["path"], 0)
                for f in receipt["inputs"]["files"] + receipt["outputs"]["files"])
    receipt["erased"] = receipt.get("erased", []) + [{"receipt": erasure, "rows": named}]
    with open(path, "w", encoding="utf-8") as f:
        f.write(json.dumps(receipt, separators=(",", ":"), ensure_ascii=False) + "\n")
os.makedirs(f"{root}/data/_catalog/subjects/_erasures", exist_ok=True)
with open(f"{root}/data/_catalog/subjects/_erasures/{erasure}.json", "w", encoding="utf-8") as f:
    json.dump({"schema": "subject_erasure.v1", "receipt": erasure, "started_at": AT,
               "finished_at": AT, "places": places}, f)
