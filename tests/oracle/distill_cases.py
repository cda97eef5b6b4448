#!/usr/bin/env python3
"""distill_cases.py CASES OUT - the root and the outputs that CASES tells of.

What a row becomes stands in CASES, written by hand; this adds what is mere
counting and hashing: offsets, hashes, ids, and which file a line goes to.

    OUT/root/                     the sources
    OUT/expected/data, exports    what the stages must write, byte for byte
    OUT/expected/counts.tsv       stem, rows read, written, skipped, deduped
    OUT/expected/skips.jsonl      skips; errors holds what each error begins with
    OUT/expected/refused.tsv      exporter, reason, how many
    OUT/expected/quarantine.tsv   exporter, reason, run id, sig_hash; of a pair both;
                                  what is the same in all of these stands there once
"""
import ast
import collections
import json
import os
import re
import sys

sys.dont_write_bytecode = True
from distill import BLANK, STEMS, jcs, parse, sample_id, sha256  # noqa: E402

NOW = "2026-05-03T12:00:00.000Z"
DAY = "2026/05/03"


def compact(v):
    return json.dumps(v, ensure_ascii=False, separators=(",", ":"))


class Case:
    def __init__(self, stem, title):
        self.stem, self.title = stem, title
        self.row = b""
        self.said = {}


def read(path):
    cases, pairs = [], []
    for line in open(path, encoding="utf-8", newline="\n").read().split("\n"):
        if line.startswith("#"):
            continue
        if line == "== preference":
            break
        if line.startswith("== "):
            stem, title = line[3:].split(": ", 1)
            cases.append(Case(stem, title))
        elif line.startswith("<b "):
            cases[-1].row = eval(compile(ast.parse(line[3:], mode="eval"), path, "eval"), {"__builtins__": {}})
        elif line.startswith("< "):
            cases[-1].row = line[2:].encode("utf-8")
        elif line:
            cases[-1].said[line[0]] = line[1:].strip()
    rest = [x for x in open(path, encoding="utf-8").read().split("== preference\n")[1].split("\n") if x and x[0] != "#"]
    for names, reason in zip(rest[::2], rest[1::2]):
        pairs.append((*names.split(" = "), reason))
    return cases, pairs


def place(cases):
    """Give each row its offset and its hash."""
    lines = collections.Counter()
    for c in cases:
        c.offset = lines[c.stem]
        lines[c.stem] += 1
        c.source = "data/_kb/%s.jsonl" % c.stem
        c.blank = not c.row.strip(b" \t\r")
        broken = c.said.get("!", "").startswith("0")
        c.sig = "" if c.blank or broken else sha256(jcs(parse(c.row)))
        c.provenance = {"source_file": c.source, "line_offset": c.offset, "sig_hash": c.sig, "recorded_at": NOW}


def evidence(c):
    text = c.said[">"].replace("$off", str(c.offset)).replace("$sig", c.sig[:12])
    added = ',"schema_version":1,"provenance":' + compact(c.provenance)
    text = re.sub(r'("timestamp":"[^"]*")', lambda m: m[1] + added, text, count=1)
    c.evidence = json.loads(text)
    return text


def scored(c):
    category, *reasons = c.said["="].split(" | ")
    c.category, c.reasons = category, reasons
    e = c.evidence
    sig = sha256(jcs({"category": category, "evidence_sig": c.sig, "reasons": reasons, "run_id": e["run_id"],
                      "scorer_version": "v1.0.0", "task_id": e["task_id"]}))
    return compact({"schema_version": 1, "evidence_run_id": e["run_id"], "evidence_task_id": e["task_id"], "category": category,
                    "reasons": reasons, "scored_at": NOW, "scorer_version": "v1.0.0", "sub_scores": {"scored_sig": sig},
                    "provenance": c.provenance})


def rag(c):
    """The sample, or why there is none."""
    said = c.said.get("r") or {"rejected": "unsafe_rag_category", "needs_human_review": "category_disallowed"}[c.category]
    if not said.startswith("+"):
        return None, said
    e, title = c.evidence, "%s: %s" % (c.stem, c.evidence["task_id"])
    content = e["text"].strip(BLANK)
    return {"schema_version": 1, "id": sample_id("rag", "rag", e["run_id"], c.sig), "title": title, "content": content,
            "embedding_text": title + "\n" + content[:1000], "tags": json.loads(said[1:]), "source_run_id": e["run_id"],
            "success_score": c.category, "source_category": c.category, "created_at": NOW, "provenance": c.provenance}, None


def sft(c):
    said = c.said.get("s") or ("category_disallowed" if c.category == "partially_accepted" else "unsafe_sft_category")
    if not said.startswith("+"):
        return None, said
    instruction, context = said[1:].strip().split("|")
    c.instruction = instruction.strip()
    e = c.evidence
    return {"schema_version": 1, "id": sample_id("sft", "sft", e["run_id"], c.sig), "instruction": c.instruction, "context": context.strip(),
            "response": e["text"], "source_run_id": e["run_id"], "quality_score": c.category, "created_at": NOW, "provenance": c.provenance}, None


def preference(chosen, rejected, reason):
    if reason.startswith("! "):
        return None, reason[2:]
    a, b = chosen.evidence, rejected.evidence
    return {"schema_version": 1, "id": sample_id("pref", "preference", a["run_id"], b["run_id"]), "prompt": chosen.instruction, "chosen": a["text"],
            "rejected": b["text"], "reason": reason, "chosen_run_id": a["run_id"], "rejected_run_id": b["run_id"], "created_at": NOW,
            "provenance": chosen.provenance}, None


class Out:
    def __init__(self, folder):
        self.folder, self.files = folder, collections.defaultdict(list)
        self.refused, self.held = collections.Counter(), set()

    def refuse(self, *row):
        self.refused[row[:2]] += 1
        if row not in self.held:
            self.held.add(row)
            self.add("expected/quarantine.tsv", "\t".join(row))

    def add(self, path, line):
        self.files[path].append(line if isinstance(line, bytes) else line.encode("utf-8"))

    def write(self):
        for path, lines in self.files.items():
            path = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(b"".join(line + b"\n" for line in lines))


def collect(cases, out):
    """Evidence and scored runs; the cases that became some."""
    counts, made = {s: collections.Counter() for s in STEMS}, []
    for c in cases:
        out.add("root/" + c.source, c.row)
        n = counts[c.stem]
        n["read"] += not c.blank
        if "!" in c.said:
            n["skipped"] += 1
            starts = c.said["!"].lstrip("0").strip()
            out.add("expected/skips.jsonl", compact({"source_file": c.source, "line_offset": c.offset, "errors": starts.split(" | ") if starts else [""],
                                                     "sig_hash": c.sig, "recorded_at": NOW}))
        elif "~" in c.said:
            n["deduped"] += 1
        elif not c.blank:
            n["written"] += 1
            out.add("expected/data/evidence/%s/%s.jsonl" % (DAY, c.stem), evidence(c))
            out.add("expected/data/scored-runs/%s/%s.jsonl" % (DAY, c.stem), scored(c))
            made.append(c)
    for s in STEMS:
        out.add("expected/counts.tsv", "\t".join([s] + [str(counts[s][k]) for k in ("read", "written", "skipped", "deduped")]))
    return sorted(made, key=lambda c: c.source)


def export(made, pairs, out):
    named = {"%s: %s" % (c.stem, c.title): c for c in made}
    for kind, path, sample_of in (("rag", "rag/playbooks", rag), ("sft", "sft/instruction_response", sft)):
        for c in made:
            sample, why = sample_of(c)
            if sample:
                out.add("expected/exports/%s.jsonl" % path, compact(sample))
            else:
                out.refuse(kind, why, c.evidence["run_id"], c.sig)
    for chosen, rejected, reason in pairs:
        a, b = named[chosen], named[rejected]
        sample, why = preference(a, b, reason)
        if sample:
            out.add("expected/exports/preference/chosen_rejected.jsonl", compact(sample))
        else:
            out.refuse("preference", why, a.evidence["run_id"] + " " + b.evidence["run_id"], a.sig + " " + b.sig)
    for (kind, why), n in out.refused.items():
        out.add("expected/refused.tsv", "%s\t%s\t%d" % (kind, why, n))


def main(path, folder):
    cases, pairs = read(path)
    out = Out(folder)
    place(cases)
    export(collect(cases, out), pairs, out)
    out.write()


main(*sys.argv[1:])
