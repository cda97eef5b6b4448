"""The obvious script: a distillation root's five stages, with receipts.
bench/distill.sh measures against it: python3 distill.py ROOT RECORDED_AT RUN_ID"""
import datetime
import hashlib
import json
import os
import re
import sys
from collections import defaultdict

root, recorded_at, run_id = sys.argv[1:]
os.chdir(root)
now = datetime.datetime.fromisoformat(recorded_at.replace("Z", "+00:00")).astimezone(datetime.timezone.utc)
now = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
day = now[:10].replace("-", "/")
SCORER = "v1.0.0"
SKIPS = "data/_kb/distillation_skips.jsonl"
OUTPUT = {"rag": "exports/rag/playbooks.jsonl", "sft": "exports/sft/instruction_response.jsonl",
          "preference": "exports/preference/chosen_rejected.jsonl"}


class Refused(Exception):
    def __init__(self, reason, *errors):
        self.reason, self.errors = reason, list(errors)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def es6(number):
    if number == int(number) and abs(number) < 1e21:
        return str(int(number))
    return re.sub(r"e([+-])0", r"e\1", repr(number))


def canonical(v):
    if isinstance(v, dict):
        return "{" + ",".join(f"{canonical(k)}:{canonical(v[k])}" for k in sorted(v)) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(canonical, v)) + "]"
    return es6(v) if isinstance(v, float) else json.dumps(v, ensure_ascii=False)


def dumps(v):
    return json.dumps(v, ensure_ascii=False, separators=(",", ":"))


def records(name):
    if os.path.exists(name):
        with open(name, encoding="utf-8", newline="\n") as lines:
            for line in lines:
                if line.strip():
                    yield json.loads(line)


class Appender:
    def __init__(self, name):
        self.name, self.file = name, None

    def add(self, value):
        if not self.file:
            os.makedirs(os.path.dirname(self.name), exist_ok=True)
            self.file = open(self.name, "a", encoding="utf-8", newline="\n")
        self.file.write(dumps(value) + "\n")

    def close(self):
        if self.file:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()


def walk(below):
    return sorted(os.path.join(at, n) for at, _, names in os.walk(below) for n in names if n.endswith(".jsonl"))


# ---- schemas ----

def text(v):
    return isinstance(v, str) and v != ""


def number(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool) and v >= 0


def integer(v):
    return isinstance(v, int) and not isinstance(v, bool) and v >= 0


def texts(v):
    return isinstance(v, list) and all(isinstance(each, str) for each in v)


def time(v):
    if not isinstance(v, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", v):
        return False
    try:
        datetime.datetime.fromisoformat(v.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def among(*of):
    return lambda v: v in of


def is_provenance(v):
    return (text(v["source_file"]) and integer(v["line_offset"]) and
            re.fullmatch("[0-9a-f]{64}", v["sig_hash"]) is not None and time(v["recorded_at"]))


def is_context(v):
    return (isinstance(v, dict) and texts(v.get("matrix_corpora", [])) and integer(v.get("matrix_hits", 0)) and
            texts(v.get("pathway_fingerprints", [])))


EVIDENCE = {
    "run_id": text, "task_id": text, "timestamp": time, "schema_version": among(1), "provenance": is_provenance,
    "text": lambda v: isinstance(v, str), "model_name": lambda v: isinstance(v, str),
    "model_role": among("executor", "reviewer", "extractor", "verifier", "categorizer", "tiebreaker", "applier", "embedder", "other"),
    "observer_verdict": among("accept", "reject", "cycle"), "observer_notes": texts,
    "observer_confidence": lambda v: number(v) and v <= 100, "source_files": texts, "success_markers": texts,
    "failure_markers": texts, "retrieved_context": is_context, "prompt_tokens": integer, "completion_tokens": integer,
    "cost_usd": number, "latency_ms": number, "metadata": lambda v: isinstance(v, dict),
}
SAMPLES = {
    "rag": {"title": text, "content": text, "success_score": among("accepted", "partially_accepted", "needs_human_review")},
    "sft": {"instruction": text, "response": lambda v: v.strip(), "quality_score": among("accepted", "partially_accepted")},
    "preference": {"prompt": text, "chosen": text, "rejected": text, "reason": text},
}


def wrong(fields, record):
    return [f"{k}: invalid" for k in fields if k in record and not fields[k](record[k])]


# ---- transforms ----

def need(row, name):
    if row.get(name) in (None, ""):
        raise Refused("skip", f"{name}: missing")
    return row[name]


def file_of(row):
    for name in "file", "path", "source_file":
        if row.get(name) not in (None, ""):
            return str(row[name])
    raise Refused("skip", "file: missing")


def lined(v):
    return "\n".join(v) if isinstance(v, list) else v


def listed(v):
    return [v] if isinstance(v, str) else v


def distilled(kind):
    return lambda r, off, sig: {
        "run_id": f"{need(r, 'run_id')}:{off}", "task_id": f"distilled:{r['run_id']}", "timestamp": need(r, "created_at"),
        "text": r.get("text"), "model_name": r.get("extractor"), "model_role": "extractor",
        "metadata": {"kind": kind, "verifier": r.get("verifier"), "categorizer": r.get("categorizer")}}


def contract(r, off, sig):
    return {"run_id": f"contract:{need(r, 'permit_id')}:{off}", "task_id": f"permit:{r['permit_id']}", "timestamp": need(r, "ts"),
            "text": r.get("analysis"), "model_role": "executor", "observer_verdict": r.get("observer_verdict"),
            "observer_notes": r.get("observer_notes"), "failure_markers": r.get("failure_markers") or None,
            "retrieved_context": r.get("retrieved_context"), "cost_usd": r.get("cost_usd"), "latency_ms": r.get("duration_ms"),
            "metadata": {"contractor": r.get("contractor")}}


def mode(r, off, sig):
    return {"run_id": f"mode:{off}:{need(r, 'ts')}", "task_id": f"{need(r, 'task_class')}:{file_of(r)}", "timestamp": r["ts"],
            "text": r.get("response"), "model_name": r.get("model"), "model_role": "executor",
            "retrieved_context": r.get("retrieved_context"), "prompt_tokens": r.get("prompt_tokens"),
            "completion_tokens": r.get("completion_tokens"), "latency_ms": r.get("latency_ms"),
            "metadata": {"task_class": r["task_class"], "mode": r.get("mode")}}


def scrum(r, off, sig):
    n = r.get("accepted_on_attempt")
    return {"run_id": f"scrum:{file_of(r)}:{off}", "task_id": f"scrum_review:{file_of(r)}", "timestamp": need(r, "reviewed_at"),
            "text": r.get("suggestions_preview") or r.get("text") or None, "model_name": r.get("accepted_model"),
            "model_role": "executor", "source_files": [file_of(r)],
            "success_markers": None if n is None else [f"accepted_on_attempt_{n}"],
            "metadata": {"tree_split_fired": r.get("tree_split_fired")}}


def escalation(r, off, sig):
    return {"run_id": f"escalation:{off}", "task_id": f"escalation:{sig[:12]}", "timestamp": need(r, "ts"),
            "text": r.get("analysis"), "model_name": r.get("model"), "model_role": "reviewer",
            "prompt_tokens": r.get("prompt_tokens"), "completion_tokens": r.get("completion_tokens"),
            "metadata": {"trigger": r.get("trigger")}}


def facts(r, off, sig):
    def length(name):
        return len(r[name]) if r.get(name) is not None else None
    return {"run_id": f"audit_facts:{need(r, 'llm_team_run_id')}:{off}", "task_id": f"pr:{need(r, 'pr_number')}",
            "timestamp": r.get("extracted_at") or need(r, "ts"), "text": lined(r.get("facts")), "model_role": "extractor",
            "metadata": {"source": r.get("source"), "entity_count": length("entities"),
                         "relationship_count": length("relationships")}}


def apply(r, off, sig):
    action = r.get("action")
    return {"run_id": f"auto_apply:{off}", "task_id": f"auto_apply:{file_of(r)}", "timestamp": r.get("ts") or now,
            "model_role": "applier", "source_files": [file_of(r)],
            "success_markers": [action] if action == "committed" else None,
            "failure_markers": [action] if action is not None and action != "committed" else None}


def observer(r, off, sig):
    return {"run_id": f"observer:{off}:{need(r, 'ts')}", "task_id": f"observer_review:{file_of(r)}", "timestamp": r["ts"],
            "text": lined(r.get("notes")) or r.get("review") or None, "model_role": "reviewer",
            "observer_verdict": r.get("verdict"), "observer_notes": listed(r.get("notes")),
            "observer_confidence": r.get("confidence"), "metadata": {"attempt": r.get("attempt")}}


def audit(r, off, sig):
    severity = r.get("severity")
    marker = None if severity is None else [f"audit_severity_{severity}"]
    mild = severity in ("info", "low")
    return {"run_id": str(need(r, "finding_id")), "task_id": f"phase:{need(r, 'phase')}", "timestamp": need(r, "ts"),
            "text": r.get("evidence") or r.get("topic") or None, "model_role": "reviewer",
            "success_markers": marker if mild else None, "failure_markers": None if mild else marker,
            "metadata": {"topic": r.get("topic"), "resolution": r.get("resolution")}}


def outcome(r, off, sig):
    gaps = r.get("gap_signals")
    fine = (r.get("total") or 0) > 0 and r.get("ok") == r["total"]
    return {"run_id": f"outcome:{off if r.get('run_id') in (None, '') else r['run_id']}", "task_id": f"outcome:{sig[:12]}",
            "timestamp": need(r, "created_at"), "model_role": "executor", "success_markers": ["all_events_ok"] if fine else None,
            "metadata": {"gap_signals": len(gaps) if isinstance(gaps, list) else gaps, "elapsed_secs": r.get("elapsed_secs")}}


TRANSFORMS = {
    "distilled_facts": distilled("fact"), "distilled_procedures": distilled("procedure"),
    "distilled_config_hints": distilled("config_hint"), "contract_analyses": contract, "mode_experiments": mode,
    "scrum_reviews": scrum, "observer_escalations": escalation, "audit_facts": facts, "auto_apply": apply,
    "observer_reviews": observer, "audits": audit, "outcomes": outcome,
}


def materialize(stem, row, offset, sig):
    made = TRANSFORMS[stem](row, offset, sig)
    if "metadata" in made:
        made["metadata"] = {k: v for k, v in made["metadata"].items() if v is not None} or None
    provenance = {"source_file": f"data/_kb/{stem}.jsonl", "line_offset": offset, "sig_hash": sig, "recorded_at": now}
    record = {"run_id": made.pop("run_id"), "task_id": made.pop("task_id"), "timestamp": made.pop("timestamp"),
              "schema_version": 1, "provenance": provenance, **{k: v for k, v in made.items() if v is not None}}
    errors = wrong(EVIDENCE, record)
    if errors:
        raise Refused("skip", *errors)
    return record


def collect():
    known = {(s["source_file"], s["line_offset"], s["sig_hash"]) for s in records(SKIPS)}
    skips, evidence, written, skipped = Appender(SKIPS), walk("data/evidence"), 0, 0
    for stem in TRANSFORMS:
        source = f"data/_kb/{stem}.jsonl"
        if not os.path.exists(source):
            continue
        seen = {e["provenance"]["sig_hash"] for n in evidence if os.path.basename(n) == stem + ".jsonl" for e in records(n)}
        out = Appender(f"data/evidence/{day}/{stem}.jsonl")
        with open(source, encoding="utf-8", newline="\n") as lines:
            for offset, line in enumerate(lines):
                if not line.strip():
                    continue
                sig = ""
                try:
                    row = json.loads(line)
                    sig = sha256(canonical(row))
                    record = materialize(stem, row, offset, sig)
                    if sig not in seen:
                        seen.add(sig)
                        out.add(record)
                        written += 1
                except (Refused, ValueError) as e:
                    skipped += 1
                    if (source, offset, sig) not in known:
                        skips.add({"source_file": source, "line_offset": offset, "errors": getattr(e, "errors", [str(e)]),
                                   "sig_hash": sig, "recorded_at": now})
        out.close()
    skips.close()
    return {"accepted": written, "rejected": 0, "quarantined": 0, "skipped": skipped}


# ---- rules ----

BY_VERDICT = {"accept": "accepted", "reject": "rejected", "cycle": "partially_accepted"}
BY_SEVERITY = {"info": "accepted", "low": "accepted", "medium": "partially_accepted", "high": "rejected", "critical": "rejected"}
BY_AUDIT = {"approved": "accepted", "request_changes": "partially_accepted", "blocked": "rejected"}


def stem_of(record):
    return os.path.basename(record["provenance"]["source_file"]).removesuffix(".jsonl")


def judge_verdict(e):
    verdict = e.get("observer_verdict")
    return (BY_VERDICT[verdict], f"observer_verdict={verdict}") if verdict else ("needs_human_review", "observer_verdict_missing")


def judge(stem, e):
    good, bad = e.get("success_markers", []), e.get("failure_markers", [])
    if stem == "scrum_reviews":
        for m in good:
            found = re.fullmatch(r"accepted_on_attempt_(\d+)", m)
            if found:
                n = int(found[1])
                return ("accepted" if n == 1 else "partially_accepted", f"accepted_on_attempt={n}", *["high_cost=true"] * (n >= 4))
        return "needs_human_review", "no_accept_marker"
    if stem == "observer_reviews":
        return judge_verdict(e)
    if stem == "audits":
        for severity, category in BY_SEVERITY.items():
            if "audit_severity_" + severity in good + bad:
                return category, f"severity={severity}"
        for verdict, category in BY_AUDIT.items():
            if verdict in good + bad:
                return category, f"audit_verdict={verdict}"
        return "needs_human_review", "no_severity"
    if stem == "contract_analyses":
        return ("rejected", f"failure_marker={bad[0]}") if bad else judge_verdict(e)
    if stem == "auto_apply":
        if "committed" in good:
            return "accepted", "action=committed"
        for m in good + bad:
            if m.endswith("_reverted"):
                return "rejected", f"action={m}"
        return "needs_human_review", "no_terminal_action"
    if stem == "outcomes":
        gaps = e.get("metadata", {}).get("gap_signals", 0)
        if gaps > 0:
            return "partially_accepted", f"gap_signals={gaps}"
        return ("accepted", "all_events_ok=true") if "all_events_ok" in good else ("needs_human_review", "events_incomplete")
    if stem == "mode_experiments":
        if not e.get("text", "").strip():
            return "rejected", "empty_text"
        if e.get("latency_ms", 0) > 120000:
            return "partially_accepted", f"latency_ms={e['latency_ms']}"
        return "needs_human_review", "no_verdict_marker"
    return "needs_human_review", f"extraction_class={stem}"


def scored(e):
    category, *reasons = judge(stem_of(e), e)
    signed = {"category": category, "evidence_sig": e["provenance"]["sig_hash"], "reasons": reasons, "run_id": e["run_id"],
              "scorer_version": SCORER, "task_id": e["task_id"]}
    return {"schema_version": 1, "evidence_run_id": e["run_id"], "evidence_task_id": e["task_id"], "category": category,
            "reasons": reasons, "scored_at": now, "scorer_version": SCORER, "sub_scores": {"scored_sig": sha256(canonical(signed))},
            "provenance": e["provenance"]}


def score():
    count = defaultdict(int)
    for name in walk("data/evidence"):
        target = name.replace("data/evidence", "data/scored-runs")
        seen = {(s["provenance"]["sig_hash"], s["scorer_version"]) for s in records(target)}
        out = Appender(target)
        for e in records(name):
            if (e["provenance"]["sig_hash"], SCORER) not in seen:
                s = scored(e)
                count[s["category"]] += 1
                out.add(s)
        out.close()
    return {"accepted": count["accepted"], "rejected": count["rejected"],
            "quarantined": count["partially_accepted"] + count["needs_human_review"], "skipped": 0}


# ---- exports ----

def joined():
    for name in walk("data/scored-runs"):
        evidence = {(e["run_id"], e["provenance"]["sig_hash"]): e
                    for e in records(name.replace("data/scored-runs", "data/evidence"))}
        for s in records(name):
            yield s, evidence.get((s["evidence_run_id"], s["provenance"]["sig_hash"]))


def about(reason, record):
    sides = [record["chosen"], record["rejected"]] if "chosen" in record else [record]
    return (reason, *[(s["evidence_run_id"], s["provenance"]["sig_hash"]) for s in sides])


class Exporter:
    def __init__(self, kind):
        self.kind, self.quarantine = kind, f"exports/quarantine/{kind}.jsonl"
        self.on_file = {s["id"] for s in records(OUTPUT[kind])}
        self.refused = {about(q["reason"], q["source_record"]) for q in records(self.quarantine)}
        self.ids, self.read = set(), 0
        self.samples, self.refusals = Appender(OUTPUT[kind]), Appender(self.quarantine)

    def attempt(self, source, make, *of):
        self.read += 1
        try:
            sample = make(*of)
            errors = wrong(SAMPLES[self.kind], sample)
            if errors:
                raise Refused("schema_violation", *errors)
            if sample["id"] in self.ids:
                raise Refused("duplicate_id")
            self.ids.add(sample["id"])
            if sample["id"] not in self.on_file:
                self.samples.add(sample)
        except Refused as e:
            key = about(e.reason, source)
            if key not in self.refused:
                self.refused.add(key)
                self.refusals.add({"exporter": self.kind, "reason": e.reason, "source_record": source, "errors": e.errors,
                                   "recorded_at": now, "source_provenance": source.get("chosen", source)["provenance"]})

    def finish(self):
        self.samples.close()
        self.refusals.close()
        for s in records(OUTPUT[self.kind]):
            if wrong(SAMPLES[self.kind], s):
                sys.exit(f"{OUTPUT[self.kind]}: {s['id']} is not clean")
        return {"accepted": len(self.ids), "rejected": 0, "quarantined": self.read - len(self.ids), "skipped": 0}


def id_of(prefix, *parts):
    return f"{prefix}-{sha256('|'.join(parts))[:16]}"


def rest(task, prefix):
    return task[len(prefix):] if task.startswith(prefix) and task != prefix else task


def instruction(e, stem):
    task = e["task_id"]
    if stem == "mode_experiments":
        kind, _, name = task.partition(":")
        return f"Run the task class {kind} on the file {name}."
    if stem == "contract_analyses":
        contractor = e.get("metadata", {}).get("contractor")
        return f"Analyse permit {rest(task, 'permit:')}" + (f" for contractor {contractor}." if contractor else ".")
    return {
        "scrum_reviews": f"Review the file {rest(task, 'scrum_review:')} against the requirements.",
        "auto_apply": f"Emit a small patch for the file {rest(task, 'auto_apply:')}.",
        "audits": f"Audit phase {rest(task, 'phase:')}.",
        "observer_reviews": f"Review the latest attempt at the file {rest(task, 'observer_review:')}.",
        "outcomes": f"Run scenario {rest(task, 'outcome:')} and report how it went.",
    }.get(stem, f"Answer task {task} of source {stem}.")


def context(e):
    c = e.get("retrieved_context", {})
    parts = {"corpora": c.get("matrix_corpora"), "fingerprints": c.get("pathway_fingerprints"), "files": e.get("source_files")}
    return "; ".join(f"{k}: {', '.join(v)}" for k, v in parts.items() if v)


def is_output(e, stem):
    role = e.get("model_role")
    return role in ("executor", "applier") or (role == "reviewer" and ("observer_verdict" in e or stem == "audits"))


def rag_sample(s, e, stem):
    category = s["category"]
    if category == "rejected":
        raise Refused("unsafe_rag_category")
    if category == "needs_human_review":
        raise Refused("category_disallowed")
    if e is None:
        raise Refused("missing_source_run_id")
    content = e.get("text", "").strip()
    if not content:
        raise Refused("empty_content")
    title = f"{stem}: {e['task_id']}"
    tags = [stem, category, e.get("model_role"), *e.get("source_files", [])[:1]]
    return {"schema_version": 1, "id": id_of("rag", "rag", e["run_id"], e["provenance"]["sig_hash"]), "title": title,
            "content": content, "embedding_text": f"{title}\n{content[:1000]}", "tags": [t for t in tags if t and t.strip()],
            "source_run_id": e["run_id"], "success_score": category, "source_category": category, "created_at": now,
            "provenance": e["provenance"]}


def sft_sample(s, e, stem):
    category = s["category"]
    if category in ("rejected", "needs_human_review"):
        raise Refused("unsafe_sft_category")
    if category != "accepted":
        raise Refused("category_disallowed")
    if e is None or not is_output(e, stem):
        raise Refused("missing_source_run_id")
    if not e.get("text", "").strip():
        raise Refused("empty_content")
    return {"schema_version": 1, "id": id_of("sft", "sft", e["run_id"], e["provenance"]["sig_hash"]),
            "instruction": instruction(e, stem), "context": context(e), "response": e["text"], "source_run_id": e["run_id"],
            "quality_score": category, "created_at": now, "provenance": e["provenance"]}


def export_each(kind, make):
    x = Exporter(kind)
    for s, e in joined():
        x.attempt(s, make, s, e, stem_of(s))
    return x.finish()


def pair(s, e, s2, e2):
    if e["run_id"] == e2["run_id"]:
        raise Refused("self_pairing")
    if e["text"] == e2["text"]:
        raise Refused("invalid_preference_pairing", "rejected: must differ from chosen")
    return {"schema_version": 1, "id": id_of("pref", "preference", e["run_id"], e2["run_id"]), "prompt": instruction(e, stem_of(e)),
            "chosen": e["text"], "rejected": e2["text"],
            "reason": f"{s['category']} over {s2['category']} on {e['task_id']}: {s['reasons'][0]} vs {s2['reasons'][0]}",
            "chosen_run_id": e["run_id"], "rejected_run_id": e2["run_id"], "created_at": now, "provenance": e["provenance"]}


def export_pairs():
    x, tasks = Exporter("preference"), defaultdict(lambda: defaultdict(list))
    for s, e in joined():
        if e and s["category"] != "needs_human_review" and e.get("text", "").strip() and is_output(e, stem_of(e)):
            tasks[e["task_id"]][s["category"]].append((s, e))
    for _, by in sorted(tasks.items()):
        for (s, e), (s2, e2) in zip(by["accepted"], by["rejected"] or by["partially_accepted"]):
            x.attempt({"chosen": s, "rejected": s2}, pair, s, e, s2, e2)
    return x.finish()


# ---- receipts ----

def side(names):
    files = []
    for path in sorted(filter(os.path.exists, names)):
        with open(path, "rb") as f:
            data = f.read()
        files.append({"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "record_count": data.count(b"\n")})
    return {"files": files, "record_count": sum(f["record_count"] for f in files),
            "hash": sha256("".join(f"{f['path']}\t{f['sha256']}\n" for f in files))}


def report(name, value):
    with open(f"reports/distillation/{run_id}/{name}", "w", encoding="utf-8") as f:
        f.write(dumps(value) + "\n")


def evidence_and_scores():
    return walk("data/scored-runs") + walk("data/evidence")


STAGES = {
    "collect": (collect, lambda: [f"data/_kb/{s}.jsonl" for s in TRANSFORMS], lambda: walk("data/evidence") + [SKIPS]),
    "score": (score, lambda: walk("data/evidence"), lambda: walk("data/scored-runs")),
    "export-rag": (lambda: export_each("rag", rag_sample), evidence_and_scores, lambda: [OUTPUT["rag"], "exports/quarantine/rag.jsonl"]),
    "export-sft": (lambda: export_each("sft", sft_sample), evidence_and_scores, lambda: [OUTPUT["sft"], "exports/quarantine/sft.jsonl"]),
    "export-preference": (export_pairs, evidence_and_scores, lambda: [OUTPUT["preference"], "exports/quarantine/preference.jsonl"]),
}

os.makedirs(f"reports/distillation/{run_id}", exist_ok=True)
summary = {"schema_version": 1, "run_id": run_id, "stages": []}
for stage, (run, inputs_of, outputs_of) in STAGES.items():
    stats, inputs, outputs = run(), side(inputs_of()), side(outputs_of())
    report(stage + ".json", {"schema_version": 1, "run_id": run_id, "stage": stage, "timestamp": now, "inputs": inputs,
                             "outputs": outputs, "stats": stats})
    summary["stages"].append({"stage": stage, **stats, "input_hash": inputs["hash"], "output_hash": outputs["hash"]})
summary["run_hash"] = sha256("|".join(s["output_hash"] for s in summary["stages"]))
report("summary.json", summary)
print(summary["run_hash"])
