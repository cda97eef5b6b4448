#!/usr/bin/env python3
"""reseal.py ROOT RUN - write the receipts and the summary of a run anew, as if the files
of the root had always been as they are: so that a test sees what else is wrong with them.
Receipts are not signed; who can write all of them can do this."""
import hashlib, json, os, re, sys

root, run = sys.argv[1:]
reports = os.path.join(root, "reports/distillation", run)
TOMBSTONE = re.compile(rb'{"erased":"[a-z0-9-]{1,64}","at":"[-0-9T:.]{23}Z"}\r?')
STAGES = ["collect", "score", "export-rag", "export-sft", "export-preference"]


def tree(below):
    found = []
    for folder, _, names in os.walk(os.path.join(root, below)):
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names
                  if n.endswith(".jsonl") and not n.startswith(".")]
    return found


def side(paths):
    files = []
    for path in sorted(set(paths), key=os.fsencode):
        full = os.path.join(root, path)
        if not os.path.isfile(full) or os.path.islink(full) or not os.access(full, os.R_OK):
            continue
        with open(full, "rb") as f:
            data = f.read()
        lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        files.append({"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
                      "record_count": sum(1 for line in lines if line.strip(b" \t\r")
                                          and not TOMBSTONE.fullmatch(line))})
    lines = "".join(f"{f['path']}\t{f['sha256']}\n" for f in files)
    return {"files": files, "record_count": sum(f["record_count"] for f in files),
            "hash": hashlib.sha256(lines.encode()).hexdigest()}


def sides(stage, receipt):
    evidence, scored = tree("data/evidence"), tree("data/scored-runs")
    if stage == "collect":
        named = [f["path"] for f in receipt["inputs"]["files"]]
        return side(named), side(evidence + ["data/_kb/distillation_skips.jsonl"])
    if stage == "score":
        return side(evidence), side(scored)
    name = {"export-rag": "rag/playbooks", "export-sft": "sft/instruction_response",
            "export-preference": "preference/chosen_rejected"}[stage]
    kind = stage.removeprefix("export-")
    return (side(evidence + scored),
            side([f"exports/{name}.jsonl", f"exports/quarantine/{kind}.jsonl"]))


def write(name, value):
    path = os.path.join(reports, name + ".json")
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"
    with open(path, encoding="utf-8") as f:
        if f.read() == text:
            return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


with open(os.path.join(reports, "summary.json"), encoding="utf-8") as f:
    summary = json.load(f)
for stage in STAGES:
    with open(os.path.join(reports, stage + ".json"), encoding="utf-8") as f:
        receipt = json.load(f)
    receipt["inputs"], receipt["outputs"] = sides(stage, receipt)
    write(stage, receipt)
    of = summary["stages"][STAGES.index(stage)]
    for key, name in (("inputs", "in"), ("outputs", "out")):
        of["records_" + name] = receipt[key]["record_count"]
        of[key[:-1] + "_hash"] = receipt[key]["hash"]
summary["total_records_in"] = sum(s["records_in"] for s in summary["stages"])
summary["total_records_out"] = sum(s["records_out"] for s in summary["stages"])
hashes = "|".join(s["output_hash"] for s in summary["stages"])
summary["run_hash"] = hashlib.sha256(hashes.encode()).hexdigest()
write("summary", summary)
