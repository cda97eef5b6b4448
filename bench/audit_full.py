"""Judge the rows of a root as one would in Python: audit_full.py ROOT.

Prints the metrics, one line of JSON; exits with 1 when a row is at fault.
"""
import collections
import glob
import json
import re
import sys

root = sys.argv[1]
sha256 = re.compile("[0-9a-f]{64}").fullmatch
faults = 0


def rows(pattern):
    for path in sorted(glob.glob(root + "/" + pattern, recursive=True)):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    yield json.loads(line)


def judged(pattern, good):
    global faults
    n = 0
    for row in rows(pattern):
        n += 1
        if not good(row) or not sha256(row["provenance"]["sig_hash"]):
            faults += 1
    return n


def count(pattern):
    return sum(1 for _ in rows(pattern))


scored = collections.Counter(row["category"] for row in rows("data/scored-runs/**/*.jsonl"))
print(json.dumps({
    "p2_evidence_rows": count("data/evidence/**/*.jsonl"),
    "p2_evidence_skips": count("data/_kb/distillation_skips.jsonl"),
    "p3_accepted": scored["accepted"],
    "p3_human": scored["needs_human_review"],
    "p3_partial": scored["partially_accepted"],
    "p3_rejected": scored["rejected"],
    "p4_pref_pairs": judged("exports/preference/chosen_rejected.jsonl",
                            lambda r: r["chosen_run_id"] != r["rejected_run_id"] and r["chosen"] != r["rejected"]),
    "p4_rag_rows": judged("exports/rag/playbooks.jsonl",
                          lambda r: "rejected" not in (r["success_score"], r["source_category"])),
    "p4_sft_rows": judged("exports/sft/instruction_response.jsonl",
                          lambda r: r["quality_score"] in ("accepted", "partially_accepted")),
    "p4_total_quarantined": count("exports/quarantine/*.jsonl"),
}, separators=(",", ":")))
sys.exit(faults > 0)
