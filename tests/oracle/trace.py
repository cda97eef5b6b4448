#!/usr/bin/python3
"""A second implementation of lh-trace: reads a whole root and walks it by plain lists.

    trace.py ROOT OPERAND...

prints for each operand a JSON object {"operand","steps"}: a sorted list of records, each a
sorted list of [step, file, line], or null if nothing was found.  A row that names no record,
a receipt and a subject are a list of their own.
"""
import glob
import json
import os
import sys
from datetime import datetime

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import distill  # noqa: E402

STREAMS = """distilled_facts distilled_procedures distilled_config_hints contract_analyses
mode_experiments scrum_reviews observer_escalations audit_facts auto_apply observer_reviews
audits outcomes""".split()
PLACES = [("source", ["data/_kb/%s.jsonl" % s for s in STREAMS]),
          ("skipped", ["data/_kb/distillation_skips.jsonl"]),
          ("evidence", "data/evidence/*/*/*/*.jsonl"),
          ("scored", "data/scored-runs/*/*/*/*.jsonl"),
          ("rag", ["exports/rag/playbooks.jsonl"]),
          ("sft", ["exports/sft/instruction_response.jsonl"]),
          ("preference", ["exports/preference/chosen_rejected.jsonl"]),
          ("quarantine", ["exports/quarantine/%s.jsonl" % x for x in ("rag", "sft", "preference")]),
          ("replay", ["data/_kb/replay_runs.jsonl"]),
          ("audit", ["data/_kb/audit_baselines.jsonl"])]
STAGES = {"skipped": "collect", "evidence": "collect", "scored": "score", "rag": "export-rag",
          "sft": "export-sft", "preference": "export-preference"}
SUBJECTS = "data/_catalog/subjects"


def strict(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def parse(line, first):
    try:
        text = line.decode()
        if first and text.startswith("\ufeff"):
            text = text[1:]
        row = json.loads(text, object_pairs_hook=strict, parse_float=str, parse_int=int)
        text.encode()
        json.dumps(row, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def text(v):
    return v if isinstance(v, str) and v else None


def from_of(o):
    p = o.get("provenance")
    return p if isinstance(p, dict) else {}


def side(run, p):
    sig, line = text(p.get("sig_hash")), p.get("line_offset")
    if sig is not None and (len(sig) != 64 or sig.strip("0123456789abcdef")):
        sig = None
    return text(run), sig, text(p.get("source_file")), line if isinstance(line, int) else None


def place(operand):
    name, _, line = operand.rpartition(":")
    return os.path.normpath(name), line


class Row:
    def __init__(self, step, file, line, o, raw):
        self.step, self.file, self.line, self.o = step, file, line, o
        self.id, self.sides, self.used = None, [], []
        if step == "source":
            try:
                sig = distill.sha256(distill.jcs(distill.parse(raw.removeprefix(b"\xef\xbb\xbf"))))
            except distill.Broken:
                sig = None
            self.sides = [(None, sig, file, line - 1)]
        elif o is not None:
            self.read(step, o)

    def read(self, step, o):
        if step == "skipped":
            self.sides = [side(None, o)]
        elif step == "evidence":
            self.sides = [side(o.get("run_id"), from_of(o))]
        elif step == "scored":
            self.sides = [side(o.get("evidence_run_id"), from_of(o))]
        elif step in ("rag", "sft"):
            self.id = text(o.get("id"))
            self.sides = [side(o.get("source_run_id"), from_of(o))]
        elif step == "preference":
            self.id = text(o.get("id"))
            self.sides = [side(o.get("chosen_run_id"), from_of(o)),
                          side(o.get("rejected_run_id"), {})]
        elif step == "quarantine":
            s = o.get("source_record")
            s = s if isinstance(s, dict) else {}
            pair = [s.get(k) for k in ("chosen", "rejected") if isinstance(s.get(k), dict)]
            self.sides = [side(x.get("evidence_run_id"), from_of(x)) for x in pair or [s]]
        elif step == "replay":
            self.id = text(o.get("recorded_run_id"))
            self.used = (o.get("retrieved_artifacts") or {}).get("rag_ids") or []


class Root:
    def __init__(self, path):
        self.path, self.rows = path, []
        for step, names in PLACES:
            if isinstance(names, str):
                names = sorted(os.path.relpath(p, path) for p in glob.glob(os.path.join(path, names)))
            for name in names:
                self.add(step, name)
        self.receipts = []
        for p in glob.glob(os.path.join(path, "reports/distillation/*/*.json")):
            with open(p) as f:
                r = json.load(f)
            if "stage" in r:
                self.receipts.append((os.path.relpath(p, path), r))

    def add(self, step, name):
        try:
            with open(os.path.join(self.path, name), "rb") as f:
                lines = f.read().split(b"\n")
        except FileNotFoundError:
            return
        for i, raw in enumerate(lines):
            if raw.strip(b" \t\r"):
                self.rows.append(Row(step, name, i + 1, parse(raw, i == 0), raw))

    def mine(self, o, s):
        run, sig, source, line = o
        if source and s[2] and source != s[2]:
            return False
        if not run and not sig:
            return bool(source and s[2]) and line == s[3]
        if run and s[0] and run != s[0]:
            return False
        if sig and s[1]:
            return sig == s[1]
        return bool(run and s[0])

    def merge(self, found, s):
        if not any(s[:3]):
            return
        for i, o in enumerate(found):
            if self.mine(o, s):
                found[i] = tuple(a if a is not None else b for a, b in zip(o, s))
                return
        found.append(s)

    def resolve(self, operand):
        found = []
        name, line = place(operand)
        here = [r for r in self.rows if r.file == name and str(r.line) == line]
        if here:
            rows = [(r, r.sides) for r in here]
        else:
            rows = [(r, r.sides) for r in self.rows if r.id == operand]
        if line.isdecimal() and (name in PLACES[0][1] or not here):
            rows += [(r, r.sides) for r in self.rows if r.step in ("evidence", "skipped")
                     and any(s[2:] == (name, int(line) - 1) for s in r.sides)]
        alone = [r for r, _ in rows]
        if rows and rows[0][0].step == "replay":
            rows = [(r, r.sides) for u in rows[-1][0].used for r in self.rows
                    if r.step == "rag" and r.id == u]
        if not rows:
            rows = [(r, [s for s in r.sides if s[0] == operand]) for r in self.rows]
            rows = [x for x in rows if x[1]]
        if not rows and len(operand) >= 8:
            rows = [(r, [s for s in r.sides if s[1] and s[1].startswith(operand)]) for r in self.rows]
            rows = [x for x in rows if x[1]]
        for _, sides in rows:
            for s in sides:
                self.merge(found, s)
        for i, _ in enumerate(found):
            for steps in (("evidence", "scored"), None):
                run, sig = found[i][:2]
                if (run and sig) or (not run and not sig):
                    break
                for r in self.rows:
                    if r.step in steps if steps else r.step != "source":
                        for s in r.sides:
                            if (s[1] == sig) if sig else (s[0] == run and steps):
                                self.merge(found, s)
        return found, alone if alone or rows else None

    def receipts_of(self, r):
        stage = STAGES.get(r.step)
        if r.step == "quarantine":
            stage = "export-" + os.path.basename(r.file)[:-6]
        listed = sorted((datetime.fromisoformat(x["timestamp"].replace("Z", "+00:00")), f["record_count"],
                         x["run_id"], name)
                        for name, x in self.receipts if x["stage"] == stage
                        for f in x["outputs"]["files"]
                        if f["path"] == r.file and f["record_count"] >= r.line)
        return {x[3] for x in (listed[:1] + listed[-1:])}

    def steps(self, o):
        out, since = set(), None
        if o[2]:
            if o[3] is not None:
                out.add(("source", o[2], o[3] + 1))
        for r in self.rows:
            if not any(self.mine(o, s) for s in r.sides):
                continue
            if r.step == "source" and not (o[1] and r.sides[0][1] == o[1]):
                continue
            out.add((r.step, r.file, r.line))
            out |= {("receipt", name, 1) for name in self.receipts_of(r)}
            if r.step == "rag":
                out |= {("replay", x.file, x.line) for x in self.rows if r.id in x.used}
            if r.step == "evidence":
                at = from_of(r.o).get("recorded_at")
                since = min(since or at, at)
        covers = [r for r in self.rows if r.step == "audit" and since and r.o and r.o["recorded_at"] >= since]
        out |= {("audit", r.file, r.line) for r in covers[:1] + covers[-1:]}
        return sorted(out)

    def lines(self, name):
        """The whole lines of a file that are not blank, and the torn one: number and bytes."""
        try:
            with open(os.path.join(self.path, name), "rb") as f:
                lines = list(enumerate(f.read().split(b"\n"), 1))
        except OSError:
            return [], []
        lines = [x for x in lines[:-1] + [lines[-1] + (0,)] if x[1].strip(b" \t\r")]
        return [x for x in lines if len(x) == 2], [x for x in lines if len(x) == 3]

    def run(self, name):
        return sorted([("receipt", x, 1)] for x, _ in self.receipts
                      if os.path.dirname(x) == os.path.dirname(name))

    def subject(self, name):
        base = name[:-12] if name.endswith(".audit.jsonl") else name[:-5]
        log, manifest = base + ".audit.jsonl", base + ".json"
        steps = {("manifest", manifest, 1)} if self.lines(manifest) != ([], []) else set()
        if os.path.exists(os.path.join(self.path, log)):
            whole, torn = self.lines(log)
            steps.add(("chain", log, torn[0][0] if torn else None))
            for n, raw in whole:
                kind = (parse(raw, False) or {}).get("accessor", {}).get("kind")
                steps.add(("verdict" if kind == "validator_lookup" else "look-up", log, n))
        return [sorted(steps)]

    def trace(self, operand):
        name, line = place(operand)
        if line in [str(x[0]) for part in self.lines(name) for x in part]:
            if name in [x[0] for x in self.receipts]:
                return self.run(name)
            if os.path.dirname(name) == SUBJECTS and name.endswith((".json", ".audit.jsonl")):
                return self.subject(name)
        found, rows = self.resolve(operand)
        if not found:
            return rows and sorted([(r.step, r.file, r.line)] for r in rows)
        return sorted(self.steps(o) for o in found)


def main():
    root = Root(sys.argv[1])
    for operand in sys.argv[2:] or sys.stdin.read().split("\n")[:-1]:
        print(json.dumps({"operand": operand, "steps": root.trace(operand)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
