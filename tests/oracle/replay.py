#!/usr/bin/env python3
"""Replays by another hand: the standard library of Python and the description
of retrieval, bundle, judgement and row, nothing of the C.

    replay.py check --root R [--now TIME] ROWS <TASKS
                    are these the tasks' rows?  The answers in them are taken as
                    given and judged again; a difference is shown, and exit 1
    replay.py prompt --root R TASK
                    what the user says to the model

Samples are scored all at once and sorted; sets are Python's.
"""
import argparse
import hashlib
import json
import os
import re
import sys

HEDGES = ["as an ai", "i cannot", "i can't", "i'm unable", "i'm sorry, but", "i don't have access"]
BLANKS = " \t\n\v\f\r"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def lower(text):
    return "".join(c.lower() if c.isascii() else c for c in text)


def words(text):
    return set(re.findall("[a-z0-9_]{3,}", lower(text)))


def samples(root):
    try:
        with open(os.path.join(root, "exports/rag/playbooks.jsonl"), encoding="utf-8", newline="\n") as f:
            return [json.loads(line) for line in f if line.strip()]
    except FileNotFoundError:
        return []


def retrieve(root, task):
    asked = words(task)
    found = []
    for s in samples(root):
        own = words(" ".join([s["title"], s["content"]] + s["tags"]))
        if asked & own:
            found.append((-len(asked & own) / len(asked | own), s["id"].encode(), s))
    found.sort(key=lambda f: f[:2])
    return [(-score, s) for score, _, s in found[:8]]


def artifact(score, s):
    return {"rag_id": s["id"], "source_run_id": s["source_run_id"], "title": s["title"],
            "content_preview": s["content"][:240], "success_score": s["success_score"], "tags": s["tags"],
            "score": score}


def steps(contents):
    out = []
    for content in contents:
        for line in content.split("\n"):
            line = re.sub(r"^(?:[-*+]|[0-9]+[.)])[ \t\v\f\r]+", "", line.strip(BLANKS))
            if re.match("(?:verify|check|assert|ensure)(?![a-z0-9_])", lower(line)) and line not in out:
                out.append(line)
    return out[:10]


def bundle(found):
    accepted = [f for f in found if f[1]["success_score"] == "accepted"][:3]
    partial = [f for f in found if f[1]["success_score"] == "partially_accepted"][:2]
    todo = steps([s["content"] for _, s in accepted])
    told = sum(len(s["content"][:240]) for _, s in accepted + partial) + sum(map(len, todo))
    return {"retrieved_playbooks": [artifact(*f) for f in found],
            "prior_successful_outputs": [artifact(*f) for f in accepted],
            "failure_patterns": [artifact(*f) for f in partial],
            "validation_steps": todo, "bundle_token_estimate": -(-told // 4)}


def prompt(task, b):
    def part(heading, artifacts):
        return "".join(["\n" + heading + "\n"] + ["- %(title)s\n%(content_preview)s\n" % a for a in artifacts]) if artifacts else ""
    out = "Task:\n" + task + "\n"
    if b:
        out += part("Prior successful outputs:", b["prior_successful_outputs"])
        out += part("Failure patterns to avoid:", b["failure_patterns"])
        if b["validation_steps"]:
            out += "\nValidation steps:\n" + "".join("- %s\n" % s for s in b["validation_steps"])
    return out


def judge(answer, b):
    answer = answer.strip(BLANKS)
    if not answer:
        return ["empty answer"]
    reasons = []
    if len(answer) < 80:
        reasons.append("short answer: %d of 80 characters" % len(answer))
    plain = re.sub("[%s]+" % BLANKS, " ", lower(answer).replace("’", "'"))
    reasons += ["hedge: " + h for h in HEDGES if re.search("(?<![a-z0-9_])%s(?![a-z0-9_])" % re.escape(h), plain)]
    if b and b["validation_steps"] and not words(answer) & words(" ".join(b["validation_steps"])):
        reasons.append("no word of the validation steps")
    return reasons


def row(root, now, asked, like):
    task = asked["task"]
    bare = asked.get("no_retrieval", False)
    found = [] if bare else retrieve(root, task)
    b = None if bare else bundle(found)
    names = [k for k in ("drift", "verify", "audit") if k in words(task)]
    failed = [r for r in like["validation_result"]["reasons"] if " call failed: " in r]
    reasons = failed or judge(like["model_response"], b)
    at = now or like["recorded_at"]
    return {"schema": "replay_run.v1", "recorded_run_id": "replay:%s:%s" % (sha(task)[:12], sha(at)[:12]),
            "task": task, "task_hash": sha(task), "task_class": (names + ["other"])[0],
            "retrieved_artifacts": {"rag_ids": [s["id"] for _, s in found]}, "context_bundle": b,
            "model_response": like["model_response"], "model_used": like["model_used"],
            "escalation_path": like["escalation_path"],
            "validation_result": {"passed": not reasons, "reasons": reasons},
            "recorded_at": at, "duration_ms": 0 if now else like["duration_ms"],
            "dry_run": like["dry_run"], "no_retrieval": bare}


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check(args):
    bad = 0
    with open(args.rows, encoding="utf-8", newline="\n") as f:
        rows = f.read().split("\n")[:-1]
    tasks = [json.loads(line) for line in sys.stdin]
    if len(tasks) != len(rows):
        sys.exit("%d tasks, %d rows" % (len(tasks), len(rows)))
    for asked, got in zip(tasks, rows):
        want = text(row(args.root, args.now, asked, json.loads(got)))
        if want != got and want != text(json.loads(got)):
            print("want " + want + "\ngot  " + got)
            bad = 1
    return bad


parser = argparse.ArgumentParser()
parser.add_argument("verb", choices=["check", "prompt"])
parser.add_argument("what")
parser.add_argument("--root", required=True)
parser.add_argument("--now")
args = parser.parse_args()
if args.verb == "check":
    args.rows = args.what
    sys.exit(check(args))
sys.stdout.write(prompt(args.what, bundle(retrieve(args.root, args.what))))
