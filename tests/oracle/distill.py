#!/usr/bin/env python3
"""Distillation by another hand: the standard library of Python and the
description of the transforms, rules and exports, nothing of the C.

    distill.py run --root DIR --recorded-at TIME [--include-partial] [--include-review]
               [--verify-paths DIR] [--dedup all|day]
                        the five stages; prints what each counted
    distill.py materialize --source STEM --recorded-at TIME <ROWS
    distill.py score [--recorded-at TIME] <EVIDENCE
    distill.py export KIND --recorded-at TIME [--quarantine FILE] [...] <EVIDENCE
    distill.py hashes --root DIR
                        the hash of each stage's outputs, and the run's
    distill.py probe <REQUESTS
                        {"source","rows":["line",...]} in, {"evidence":[...]} out, a line each

A filter's refusals go to standard error as the skip rows they would be.
"""
import argparse
import collections
import datetime
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import unicodedata
from decimal import Decimal

sys.dont_write_bytecode = True
from extract import DEPTH, SURROGATE, Number, is_text, quoted  # noqa: E402

SCORER = "v1.0.0"
BLANK = " \t\n\v\f\r"
STEMS = [
    "distilled_facts", "distilled_procedures", "distilled_config_hints", "contract_analyses", "mode_experiments",
    "scrum_reviews", "observer_escalations", "audit_facts", "auto_apply", "observer_reviews", "audits", "outcomes",
]
REASONS = [
    "missing_provenance", "missing_source_run_id", "empty_content", "schema_violation", "unsafe_sft_category",
    "unsafe_rag_category", "invalid_preference_pairing", "hallucinated_file_path", "duplicate_id", "self_pairing",
    "category_disallowed",
]


# ---- JSON whose values remember how they were written ----

class Text(str):
    """A string; raw is how it was written, quotes and all."""
    raw = None


class Broken(ValueError):
    """No object with a canonical form."""


SPACE = re.compile(r"[ \t\n\r]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
SHORT_INTEGER = re.compile(r"-?[1-9][0-9]{0,14}|0")
WORDS = {"true": True, "false": False, "null": None}


def parse(line):
    """The object on a line of bytes."""
    try:
        text = line.decode("utf-8")
        value, at = parse_value(text, SPACE.match(text, 0).end(), 0)
        at = SPACE.match(text, at).end()
    except (UnicodeDecodeError, json.JSONDecodeError, IndexError) as e:
        raise Broken(str(e))
    if at != len(text):
        raise Broken("something after the value")
    if not isinstance(value, dict):
        raise Broken("not an object")
    return value


def parse_string(text, at):
    value, end = json.decoder.scanstring(text, at + 1, True)
    if SURROGATE.search(value):
        raise Broken("a lone surrogate")
    value = Text(value)
    value.raw = text[at:end]
    return value, end


def parse_value(text, at, depth):
    c = text[at]
    if c == '"':
        return parse_string(text, at)
    if c == "{" or c == "[":
        if depth == DEPTH:
            raise Broken("too deep")
        return (parse_object if c == "{" else parse_array)(text, SPACE.match(text, at + 1).end(), depth + 1)
    number = NUMBER.match(text, at)
    if number:
        exact = Decimal(number[0])
        if float(number[0]) in (float("inf"), float("-inf")) or (exact and exact.adjusted() < -4097):
            raise Broken("beyond a double")
        return Number(number[0]), number.end()
    for word, value in WORDS.items():
        if text.startswith(word, at):
            return value, at + len(word)
    raise Broken("no value")


def parse_object(text, at, depth):
    found = {}
    if text[at] == "}":
        return found, at + 1
    while True:
        if text[at] != '"':
            raise Broken("no key")
        key, at = parse_string(text, at)
        if key in found:
            raise Broken("a repeated key")
        at = SPACE.match(text, at).end()
        if text[at] != ":":
            raise Broken("no colon")
        found[key], at = parse_value(text, SPACE.match(text, at + 1).end(), depth)
        at = SPACE.match(text, at).end()
        if text[at] == "}":
            return found, at + 1
        if text[at] != ",":
            raise Broken("no comma")
        at = SPACE.match(text, at + 1).end()


def parse_array(text, at, depth):
    found = []
    if text[at] == "]":
        return found, at + 1
    while True:
        value, at = parse_value(text, at, depth)
        found.append(value)
        at = SPACE.match(text, at).end()
        if text[at] == "]":
            return found, at + 1
        if text[at] != ",":
            raise Broken("no comma")
        at = SPACE.match(text, at + 1).end()


def written(value):
    """A value as it was written, less the white space between."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return getattr(value, "raw", None) or quoted(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(written(k) + ":" + written(v) for k, v in value.items()) + "}"
    return "[" + ",".join(map(written, value)) + "]"


def rewritten(value):
    """A value whose strings forget how they were written."""
    if isinstance(value, dict):
        return {str(k): rewritten(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rewritten(v) for v in value]
    return str(value) if is_text(value) else value


def es6(number):
    """A double as JavaScript prints it, or the digits of a number that no double prints."""
    if SHORT_INTEGER.fullmatch(number):
        return str(number)
    d, exact = float(number), Decimal(number)
    if not exact:
        return "0"
    if Decimal(repr(d)) != exact:
        out = format(exact, "f")
        return out.rstrip("0").rstrip(".") if "." in out else out
    sign, digits, exponent = Decimal(repr(d)).as_tuple()
    digits = "".join(map(str, digits)).lstrip("0")
    exponent += len(digits) - len(digits.rstrip("0"))
    digits = digits.rstrip("0")
    k, n = len(digits), len(digits) + exponent
    if k <= n <= 21:
        out = digits + "0" * (n - k)
    elif 0 < n <= 21:
        out = digits[:n] + "." + digits[n:]
    elif -6 < n <= 0:
        out = "0." + "0" * -n + digits
    else:
        out = digits[0] + ("." + digits[1:] if k > 1 else "") + "e%+d" % (n - 1)
    return "-" * sign + out


def jcs(value):
    if isinstance(value, Number):
        return es6(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-16-be"))
        return "{" + ",".join(quoted(k) + ":" + jcs(value[k]) for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    return written(value)


def sha256(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


# ---- times ----

TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


def is_time(text):
    m = TIME.fullmatch(text)
    if not m:
        return False
    year, month, day, hour, minute, second = map(int, m.groups()[:6])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1 <= month <= 12 and 1 <= day <= days[month - 1] and hour < 24 and minute < 60 and second < 60 and
            (m[8] is None or (int(m[9]) < 24 and int(m[10]) < 60)))


def utc(text):
    """The run's time as records hold it."""
    when = datetime.datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone(datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (when.microsecond // 1000)


# ---- the transforms ----

def shown(value):
    """How a message names a value: itself when it is short, else its kind."""
    if isinstance(value, (dict, list)):
        return "object" if isinstance(value, dict) else "array"
    text = written(value)
    if len(text.encode()) <= 80:
        return text
    return "number" if isinstance(value, Number) else "string"


def missing(value):
    return value is None or (isinstance(value, str) and not isinstance(value, Number) and value == "")


def is_integer(value):
    if not isinstance(value, Number):
        return False
    d = Decimal(value)
    return d == d.to_integral_value() and -2**63 <= d < 2**63 if d.adjusted() < 40 else False


class One(list):
    """A list of one, made of a plain string."""


class Row:
    """A source row under transformation, and what is wrong with it."""

    def __init__(self, row, offset, sig, recorded_at):
        self.row, self.offset, self.sig, self.recorded_at = row, offset, sig, recorded_at
        self.errors = {}

    def refuse(self, name, problem):
        self.errors.setdefault(name, problem)

    def expected(self, name, what, value):
        self.refuse(name, f"expected {what}, got {shown(value)}")

    def get(self, name):
        return self.row.get(name)

    def text(self, name):
        value = self.get(name)
        if value is not None and not is_text(value):
            self.expected(name, "string", value)
            return None
        return value

    def either(self, *names):
        """The first that is there and not empty."""
        for name in names:
            value = self.text(name)
            if not missing(value) or name in self.errors:
                return value
        return None

    def texts(self, name):
        """A string or a list of strings, as a list."""
        value = self.get(name)
        if value is None:
            return None
        if is_text(value):
            return One([value])
        if not isinstance(value, list):
            self.expected(name, "string or array of strings", value)
            return None
        self.list(name)
        return value if all(map(is_text, value)) else None

    def list(self, name):
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            self.expected(name, "array", value)
            return None
        for i, each in enumerate(value):
            if not is_text(each):
                self.expected(f"{name}[{i}]", "string", each)
        return value

    def length(self, name):
        value = self.get(name)
        if value is not None and not isinstance(value, list):
            self.expected(name, "array", value)
            return None
        return None if value is None else len(value)

    def number(self, name, integer=False, least=None, most=None):
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, Number) or (integer and not is_integer(value)):
            self.expected(name, "integer" if integer else "number", value)
            return None
        if (least is not None and float(value) < least) or (most is not None and float(value) > most):
            self.refuse(name, f"must be {least} or more" if most is None else f"must be {least} to {most}")
        return value

    def bool(self, name):
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            self.expected(name, "boolean", value)
        return value

    def identity(self, name):
        value = self.get(name)
        if missing(value):
            self.refuse(name, "missing")
        elif not isinstance(value, str):
            self.expected(name, "string or number", value)
        return str(value) if isinstance(value, str) else ""

    def clock(self, name):
        """A time as part of an id: time() says what is wrong with it, unless it is missing."""
        value = self.get(name)
        if missing(value):
            self.refuse(name, "missing")
        return str(value)

    def file(self):
        for name in "file", "path", "source_file":
            value = self.get(name)
            if missing(value):
                continue
            if not isinstance(value, str):
                self.expected(name, "string or number", value)
            return str(value) if isinstance(value, str) else ""
        self.refuse("file", "missing")
        return ""

    def time(self, *names):
        for name in names:
            value = self.get(name)
            if missing(value):
                continue
            if not is_text(value) or not is_time(value):
                self.expected(name, "RFC 3339 time", value)
                return ""
            return value
        self.refuse(names[0], "missing")
        return ""

    def verdict(self, name):
        value = self.get(name)
        if value is not None and (not is_text(value) or value not in ("accept", "reject", "cycle")):
            self.expected(name, "accept, reject or cycle", value)
        return value

    def context(self):
        value = self.get("retrieved_context")
        if value is None:
            return None
        if not isinstance(value, dict):
            self.expected("retrieved_context", "object", value)
            return None
        self.names_of(value, "matrix_corpora")
        hits = value.get("matrix_hits", Number("0"))
        if not is_integer(hits):
            self.expected("retrieved_context.matrix_hits", "integer", hits)
        elif float(hits) < 0:
            self.refuse("retrieved_context.matrix_hits", "must be 0 or more")
        self.names_of(value, "pathway_fingerprints")
        return value

    def names_of(self, context, name):
        if name in context and not isinstance(context[name], list):
            self.expected("retrieved_context." + name, "array", context[name])
        for i, each in enumerate(context[name] if isinstance(context.get(name), list) else []):
            if not is_text(each):
                self.expected(f"retrieved_context.{name}[{i}]", "string", each)

    def tokens(self):
        return {name: self.number(name, True, 0) for name in ("prompt_tokens", "completion_tokens")}


def lines(texts):
    if texts is None:
        return None
    return texts[0] if isinstance(texts, One) else "\n".join(texts)


def marker(prefix, value):
    return [prefix + value]


# Each makes its fields in the order of the schema, which is that of the errors.

def distilled(kind):
    def transform(r):
        run = r.identity("run_id")
        return dict(run_id=f"{run}:{r.offset}", task_id=f"distilled:{run}", timestamp=r.time("created_at"),
                    text=r.text("text"), model_name=r.text("extractor"), model_role="extractor",
                    metadata=dict(kind=kind, verifier=r.text("verifier"), categorizer=r.text("categorizer")))
    return transform


def contract_analyses(r):
    permit = r.identity("permit_id")
    return dict(run_id=f"contract:{permit}:{r.offset}", task_id=f"permit:{permit}", timestamp=r.time("ts"),
                text=r.text("analysis"), model_role="executor", observer_verdict=r.verdict("observer_verdict"),
                observer_notes=r.list("observer_notes"), failure_markers=r.list("failure_markers"),
                retrieved_context=r.context(), cost_usd=r.number("cost_usd", least=0),
                latency_ms=r.number("duration_ms", least=0), metadata=dict(contractor=r.text("contractor")))


def mode_experiments(r):
    ts, task = r.clock("ts"), r.identity("task_class")
    return dict(run_id=f"mode:{r.offset}:{ts}", task_id=f"{task}:{r.file()}", timestamp=r.time("ts"),
                text=r.text("response"), model_name=r.text("model"), model_role="executor",
                retrieved_context=r.context(), **r.tokens(), latency_ms=r.number("latency_ms", least=0),
                metadata=dict(task_class=r.get("task_class"), mode=r.text("mode")))


def scrum_reviews(r):
    f = r.file()

    def attempt():
        n = r.number("accepted_on_attempt", True, 1)
        return None if n is None else marker("accepted_on_attempt_", str(int(Decimal(n))))
    return dict(run_id=f"scrum:{f}:{r.offset}", task_id=f"scrum_review:{f}", timestamp=r.time("reviewed_at"),
                text=r.either("suggestions_preview", "text"), model_name=r.text("accepted_model"),
                model_role="executor", source_files=[f], success_markers=attempt(),
                metadata=dict(tree_split_fired=r.bool("tree_split_fired")))


def observer_escalations(r):
    return dict(run_id=f"escalation:{r.offset}", task_id=f"escalation:{r.sig[:12]}", timestamp=r.time("ts"),
                text=r.text("analysis"), model_name=r.text("model"), model_role="reviewer", **r.tokens(),
                metadata=dict(trigger=r.text("trigger")))


def audit_facts(r):
    team, pr = r.identity("llm_team_run_id"), r.identity("pr_number")
    return dict(run_id=f"audit_facts:{team}:{r.offset}", task_id=f"pr:{pr}", timestamp=r.time("extracted_at", "ts"),
                text=lines(r.texts("facts")), model_role="extractor",
                metadata=dict(source=r.text("source"), entity_count=r.length("entities"),
                              relationship_count=r.length("relationships")))


def auto_apply(r):
    f, action = r.file(), None
    ts = r.recorded_at if missing(r.get("ts")) else r.time("ts")
    action = r.text("action")
    mark = None if action is None else marker("", action)
    done = action == "committed"
    return dict(run_id=f"auto_apply:{r.offset}", task_id=f"auto_apply:{f}", timestamp=ts, model_role="applier",
                source_files=[f], success_markers=mark if done else None, failure_markers=None if done else mark)


def observer_reviews(r):
    ts, f = r.clock("ts"), r.file()
    when, notes = r.time("ts"), r.texts("notes")
    text = lines(notes)
    if missing(text) and not any(name.startswith("notes") for name in r.errors):
        text = r.text("review") or None
    return dict(run_id=f"observer:{r.offset}:{ts}", task_id=f"observer_review:{f}", timestamp=when, text=text,
                model_role="reviewer", observer_verdict=r.verdict("verdict"), observer_notes=notes,
                observer_confidence=r.number("confidence", least=0, most=100),
                metadata=dict(attempt=r.number("attempt")))


def audits(r):
    made = dict(run_id=str(r.identity("finding_id")), task_id=f"phase:{r.identity('phase')}", timestamp=r.time("ts"),
                text=r.either("evidence", "topic"), model_role="reviewer")
    severity = r.text("severity")
    if severity is not None:
        good = severity in ("info", "low")
        made["success_markers" if good else "failure_markers"] = marker("audit_severity_", severity)
    return dict(made, metadata=dict(topic=r.text("topic"), resolution=r.text("resolution")))


def outcomes(r):
    run = r.offset if missing(r.get("run_id")) else r.identity("run_id")
    when, ok, total, gaps = r.time("created_at"), r.number("ok"), r.number("total"), r.get("gap_signals")
    if isinstance(gaps, list):
        gaps = len(gaps)
    elif gaps is not None and not isinstance(gaps, Number):
        r.expected("gap_signals", "number or array", gaps)
    fine = ok is not None and total is not None and float(total) > 0 and Decimal(ok) == Decimal(total)
    return dict(run_id=f"outcome:{run}", task_id=f"outcome:{r.sig[:12]}", timestamp=when, model_role="executor",
                success_markers=["all_events_ok"] if fine else None,
                metadata=dict(gap_signals=gaps, elapsed_secs=r.number("elapsed_secs")))


TRANSFORMS = dict(zip(STEMS, [
    distilled("fact"), distilled("procedure"), distilled("config_hint"), contract_analyses, mode_experiments,
    scrum_reviews, observer_escalations, audit_facts, auto_apply, observer_reviews, audits, outcomes]))
EVIDENCE = [
    "run_id", "task_id", "timestamp", "schema_version", "provenance", "text", "model_name", "model_provider",
    "model_role", "observer_verdict", "observer_notes", "observer_confidence", "source_files", "success_markers",
    "failure_markers", "validation_results", "retrieved_context", "prompt_tokens", "completion_tokens", "cost_usd",
    "latency_ms", "metadata", "scratchpad_summary", "human_override",
]


def source_of(stem):
    return f"data/_kb/{stem}.jsonl"


def materialize(stem, line, offset, recorded_at):
    """(record or None, sig_hash, errors) of one line."""
    try:
        row = parse(line)
    except Broken as e:
        return None, "", [str(e)]
    sig = sha256(jcs(row))
    r = Row(row, offset, sig, recorded_at)
    made = TRANSFORMS[stem](r)
    if r.errors:
        errors = [f"{name}: {problem}" for name, problem in r.errors.items()]
        return None, sig, errors[:20] + [f"{len(errors) - 20} more"] * (len(errors) > 20)
    made["schema_version"] = 1
    made["provenance"] = dict(source_file=source_of(stem), line_offset=offset, sig_hash=sig, recorded_at=recorded_at)
    for name in "success_markers", "failure_markers":
        made[name] = made.get(name) or None
    if "metadata" in made:
        made["metadata"] = {k: v for k, v in made["metadata"].items() if v is not None} or None
    return {k: made[k] for k in EVIDENCE if made.get(k) is not None}, sig, []


def rows(data):
    """The lines of a file that are not blank, with their physical places."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    for offset, line in enumerate(data.split(b"\n")):
        if line.strip(b" \t\r"):
            yield offset, line


# ---- the rules ----

ATTEMPT = re.compile(r"accepted_on_attempt_([1-9][0-9]*)")
ACCEPTED, PARTIAL, REJECTED, HUMAN = CATEGORIES = "accepted", "partially_accepted", "rejected", "needs_human_review"
BY_VERDICT = dict(accept=ACCEPTED, reject=REJECTED, cycle=PARTIAL)
BY_SEVERITY = dict(info=ACCEPTED, low=ACCEPTED, medium=PARTIAL, high=REJECTED, critical=REJECTED)
BY_AUDIT = dict(approved=ACCEPTED, request_changes=PARTIAL, blocked=REJECTED)


def stem_of(evidence):
    name = evidence["provenance"]["source_file"].split("/")[-1]
    return name[:-6] if name.endswith(".jsonl") else name


def by_verdict(e):
    verdict = e.get("observer_verdict")
    if verdict in BY_VERDICT:
        return BY_VERDICT[verdict], [f"observer_verdict={verdict}"]
    return HUMAN, ["observer_verdict_missing"]


def judge_scrum(e):
    for marker in e.get("success_markers", []):
        m = ATTEMPT.fullmatch(marker)
        if m:
            n = int(m[1])
            reasons = [f"accepted_on_attempt={m[1]}"]
            if n == 1:
                return ACCEPTED, reasons
            if n >= 2:
                return PARTIAL, reasons + (["high_cost=true"] if n >= 4 else [])
    return HUMAN, ["no_accept_marker"]


def judge_audit(e):
    markers = e.get("success_markers", []) + e.get("failure_markers", [])
    for severity, category in BY_SEVERITY.items():
        if "audit_severity_" + severity in markers:
            return category, [f"severity={severity}"]
    for verdict, category in BY_AUDIT.items():
        if verdict in markers:
            return category, [f"audit_verdict={verdict}"]
    return HUMAN, ["no_severity"]


def judge_contract(e):
    for marker in e.get("failure_markers", []):
        return REJECTED, [f"failure_marker={marker}"]
    return by_verdict(e)


def judge_apply(e):
    if "committed" in e.get("success_markers", []):
        return ACCEPTED, ["action=committed"]
    for marker in e.get("success_markers", []) + e.get("failure_markers", []):
        if marker.endswith("_reverted"):
            return REJECTED, [f"action={marker}"]
    return HUMAN, ["no_terminal_action"]


def judge_outcome(e):
    gaps = e.get("metadata", {}).get("gap_signals")
    if isinstance(gaps, Number) and float(gaps) > 0:
        return PARTIAL, [f"gap_signals={gaps}"]
    if "all_events_ok" in e.get("success_markers", []):
        return ACCEPTED, ["all_events_ok=true"]
    return HUMAN, ["events_incomplete"]


def judge_mode(e):
    if not e.get("text", "").strip(BLANK):
        return REJECTED, ["empty_text"]
    if float(e.get("latency_ms", 0)) > 120000:
        return PARTIAL, [f"latency_ms={e['latency_ms']}"]
    return HUMAN, ["no_verdict_marker"]


RULES = dict(scrum_reviews=judge_scrum, observer_reviews=by_verdict, audits=judge_audit, contract_analyses=judge_contract,
             auto_apply=judge_apply, outcomes=judge_outcome, mode_experiments=judge_mode)


def origin(e):
    return {k: e["provenance"][k] for k in ("source_file", "line_offset", "sig_hash", "recorded_at")}


def score(e, scored_at=None):
    stem, p = stem_of(e), e["provenance"]
    rule = RULES.get(stem)
    category, reasons = rule(e) if rule else (HUMAN, [f"extraction_class={stem}"])
    signed = dict(category=category, evidence_sig=p["sig_hash"], reasons=reasons, run_id=e["run_id"],
                  scorer_version=SCORER, task_id=e["task_id"])
    return dict(schema_version=1, evidence_run_id=e["run_id"], evidence_task_id=e["task_id"], category=category,
                reasons=reasons, scored_at=scored_at or p["recorded_at"], scorer_version=SCORER,
                sub_scores=dict(scored_sig=sha256(jcs(signed))),
                provenance=origin(e))


# ---- files of a root ----

class Root:
    def __init__(self, path):
        self.path, self.parsed = path, {}

    def read(self, name):
        try:
            with open(os.path.join(self.path, name), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None

    def records(self, name):
        if name not in self.parsed:
            self.parsed[name] = [parse(line) for _, line in rows(self.read(name) or b"")]
        return self.parsed[name]

    def append(self, name, values):
        if not values:
            return
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as f:
            f.write("".join(written(v) + "\n" for v in values).encode("utf-8"))
        self.parsed.pop(name, None)

    def walk(self, below):
        found = []
        for folder, _, names in os.walk(os.path.join(self.path, below)):
            found += [os.path.relpath(os.path.join(folder, n), self.path) for n in names if n.endswith(".jsonl")]
        return sorted(found, key=os.fsencode)


# ---- the stages ----

SKIPS = "data/_kb/distillation_skips.jsonl"


def collect(root, now, dedup="all"):
    day = now[:10].replace("-", "/")
    on_file = {(s["source_file"], str(s["line_offset"]), s["sig_hash"]) for s in root.records(SKIPS)}
    results = []
    for stem in STEMS:
        source, target = source_of(stem), f"data/evidence/{day}/{stem}.jsonl"
        data = root.read(source)
        count = dict(source_file_relpath=source, rows_present=data is not None, rows_read=0, rows_written=0,
                     rows_skipped=0, rows_deduped=0, output_files=[])
        seen = {e["provenance"]["sig_hash"]
                for name in ([target] if dedup == "day" else root.walk("data/evidence"))
                if os.path.basename(name) == stem + ".jsonl" for e in root.records(name)}
        made, skips = [], []
        for offset, line in rows(data or b""):
            record, sig, errors = materialize(stem, line, offset, now)
            count["rows_read"] += 1
            if errors:
                count["rows_skipped"] += 1
                if (source, str(offset), sig) not in on_file:
                    skips.append(dict(source_file=source, line_offset=offset, errors=errors, sig_hash=sig, recorded_at=now))
            elif sig in seen:
                count["rows_deduped"] += 1
            else:
                seen.add(sig)
                made.append(record)
                count["rows_written"] += 1
        count["output_files"] = [target] if made else []
        root.append(target, made)
        root.append(SKIPS, skips)
        results.append(count)
    return results


def score_all(root, now):
    counts = collections.Counter()
    for name in root.walk("data/evidence"):
        target = "data/scored-runs" + name[len("data/evidence"):]
        seen = {(s["provenance"]["sig_hash"], s["scorer_version"]) for s in root.records(target)}
        made = []
        for e in root.records(name):
            key = e["provenance"]["sig_hash"], SCORER
            if key not in seen:
                seen.add(key)
                made.append(score(e, now))
                counts[made[-1]["category"]] += 1
        root.append(target, made)
    return [{c: counts[c] for c in CATEGORIES}]


OUTPUTS = dict(rag="exports/rag/playbooks.jsonl", sft="exports/sft/instruction_response.jsonl",
               preference="exports/preference/chosen_rejected.jsonl")


class Refused(Exception):
    def __init__(self, reason, *errors):
        self.reason, self.errors = reason, list(errors)


class Exporter:
    """What the three exports share: gates, quarantine, and no repeats."""

    def __init__(self, root, kind, now, options):
        self.root, self.kind, self.target, self.now, self.options = root, kind, OUTPUTS[kind], now, options
        self.quarantine = f"exports/quarantine/{kind}.jsonl"
        self.on_file = {s["id"] for s in root.records(self.target)}
        self.refused_on_file = set()
        for q in root.records(self.quarantine):
            self.refused_on_file.add((q["reason"],) + self.who(q["source_record"]))
        self.ids, self.samples, self.refusals = set(), [], []
        self.summary = dict.fromkeys(REASONS, 0)
        self.read = self.exported = 0

    @staticmethod
    def who(record):
        """What a quarantine row is about: run ids and hashes."""
        if "chosen" in record:
            return Exporter.who(record["chosen"]) + Exporter.who(record["rejected"])
        return record.get("evidence_run_id"), record.get("provenance", {}).get("sig_hash")

    def unlike_rejected(self, e):
        """Refuse a text that was rejected for the same task."""
        if e["task_id"] and (e["task_id"], plain(e["text"])) in self.rejected:
            raise Refused("unsafe_rag_category" if self.kind == "rag" else "unsafe_sft_category",
                          "text: was rejected for the same task")

    def take(self, sample):
        if sample["id"] in self.ids:
            raise Refused("duplicate_id")
        self.ids.add(sample["id"])
        self.exported += 1
        if sample["id"] not in self.on_file:
            self.samples.append(rewritten(sample))

    def refuse(self, record, refusal):
        self.summary[refusal.reason] += 1
        key = (refusal.reason,) + self.who(record)
        if key in self.refused_on_file:
            return
        self.refused_on_file.add(key)
        row = dict(exporter=self.kind, reason=refusal.reason, source_record=record, errors=refusal.errors,
                   recorded_at=self.now)
        about = record.get("chosen", record)
        if "provenance" in about:
            row["source_provenance"] = about["provenance"]
        self.refusals.append(row)

    def done(self, files):
        self.root.append(self.target, self.samples)
        self.root.append(self.quarantine, self.refusals)
        name = "pairs_exported" if self.kind == "preference" else "records_exported"
        return [{"scored_files_read": files, "records_read": self.read, name: self.exported,
                 "records_quarantined": sum(self.summary.values()), "quarantine_summary": self.summary,
                 "output_path": self.target}]

    def paths(self, e):
        below = self.options.get("verify_paths")
        if not below:
            return
        top = os.path.realpath(below)
        for name in e.get("source_files", []):
            path = os.path.realpath(os.path.join(top, name))
            if os.path.isabs(name) or not os.path.exists(path) or not path.startswith(top + "/"):
                raise Refused("hallucinated_file_path")


def sample_id(prefix, *parts):
    return f"{prefix}-" + sha256("|".join(parts))[:16]


def is_output(e, stem):
    """Did a model write the text?"""
    role = e.get("model_role")
    return role in ("executor", "applier") or (role == "reviewer" and ("observer_verdict" in e or stem == "audits"))


def joined(root):
    """Every scored run in order, with its evidence or None: that of its own day
    where a row is evidence of several."""
    evidence = {}
    for name in root.walk("data/evidence"):
        for e in root.records(name):
            key = e["run_id"], e["provenance"]["sig_hash"]
            evidence.setdefault(key, e)
            evidence.setdefault((name,) + key, e)
    files, found = root.walk("data/scored-runs"), []
    for name in files:
        mirrored = "data/evidence" + name[len("data/scored-runs"):]
        for s in root.records(name):
            key = s["evidence_run_id"], s["provenance"]["sig_hash"]
            found.append((s, evidence.get((mirrored,) + key) or evidence.get(key)))
    return files, found


SENTENCES = dict(
    scrum_reviews="Review the file {} against the requirements.", auto_apply="Emit a small patch for the file {}.",
    audits="Audit phase {}.", observer_reviews="Review the latest attempt at the file {}.",
    contract_analyses="Analyse permit {}.", outcomes="Run scenario {} and report how it went.")
PREFIXES = dict(scrum_reviews="scrum_review:", auto_apply="auto_apply:", audits="phase:",
                observer_reviews="observer_review:", contract_analyses="permit:", outcomes="outcome:")


def instruction(e, stem):
    task, metadata = e["task_id"], e.get("metadata", {})
    if stem == "mode_experiments":
        kind = metadata.get("task_class")
        if not (isinstance(kind, str) and kind and task.startswith(kind + ":")):
            kind = task.split(":")[0]
        if task.startswith(kind + ":"):
            return f"Run the task class {kind} on the file {task[len(kind) + 1:]}."
    if stem not in SENTENCES:
        return f"Answer task {task} of source {stem}."
    prefix = PREFIXES[stem]
    sentence = SENTENCES[stem]
    contractor = metadata.get("contractor")
    if stem == "contract_analyses" and is_text(contractor) and contractor:
        sentence = sentence[:-1] + f" for contractor {contractor}.".replace("{", "{{").replace("}", "}}")
    return sentence.format(task[len(prefix):] if task.startswith(prefix) and task != prefix else task)


def context(e):
    c = e.get("retrieved_context", {})
    parts = dict(corpora=c.get("matrix_corpora"), fingerprints=c.get("pathway_fingerprints"), files=e.get("source_files"))
    return "; ".join(f"{name}: {', '.join(list_)}" for name, list_ in parts.items() if list_)


WHITE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def plain(text):
    """A text as a reader sees it."""
    return WHITE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")


def rag_sample(x, s, e, stem):
    category = s["category"]
    if category == REJECTED:
        raise Refused("unsafe_rag_category")
    if category == HUMAN and not x.options.get("include_review"):
        raise Refused("category_disallowed")
    if e is None:
        raise Refused("missing_source_run_id")
    content = e.get("text", "").strip(BLANK)
    if not content:
        raise Refused("empty_content")
    x.paths(e)
    x.unlike_rejected(e)
    title = f"{stem}: {e['task_id']}"
    file = (e.get("source_files") or [""])[0]
    return dict(schema_version=1, id=sample_id("rag", "rag", e["run_id"], e["provenance"]["sig_hash"]), title=title,
                content=content, embedding_text=f"{title}\n{content[:1000]}",
                tags=[t for t in (stem, category, e.get("model_role", ""), file) if t.strip(BLANK)],
                source_run_id=e["run_id"], success_score=category, source_category=category, created_at=x.now,
                provenance=origin(e))


def sft_sample(x, s, e, stem):
    category = s["category"]
    if category in (REJECTED, HUMAN):
        raise Refused("unsafe_sft_category")
    if category == PARTIAL and not x.options.get("include_partial"):
        raise Refused("category_disallowed")
    if e is None or not is_output(e, stem):
        raise Refused("missing_source_run_id")
    if not e.get("text", "").strip(BLANK):
        raise Refused("empty_content")
    x.paths(e)
    x.unlike_rejected(e)
    return dict(schema_version=1, id=sample_id("sft", "sft", e["run_id"], e["provenance"]["sig_hash"]),
                instruction=instruction(e, stem), context=context(e), response=e["text"], source_run_id=e["run_id"],
                quality_score=category, created_at=x.now, provenance=origin(e))


def export_each(root, kind, now, options, files, found):
    x = Exporter(root, kind, now, options)
    x.rejected = {(e["task_id"], plain(e.get("text", ""))) for s, e in found
                  if s["category"] == REJECTED and e is not None and files}  # a filter takes each record by itself
    make = rag_sample if kind == "rag" else sft_sample
    for s, e in found:
        x.read += 1
        try:
            x.take(make(x, s, e, stem_of(s)))
        except Refused as refusal:
            x.refuse(s, refusal)
    return x.done(len(files))


def pair(x, chosen, rejected):
    (s, e), (s2, e2) = chosen, rejected
    if e["run_id"] == e2["run_id"]:
        raise Refused("self_pairing")
    if plain(e["text"]) == plain(e2["text"]):
        raise Refused("invalid_preference_pairing")
    x.paths(e)
    x.paths(e2)
    return dict(schema_version=1, id=sample_id("pref", "preference", e["run_id"], e2["run_id"]),
                prompt=instruction(e, stem_of(e)), chosen=e["text"], rejected=e2["text"],
                reason=f"{s['category']} over {s2['category']} on {e['task_id']}: {s['reasons'][0]} vs {s2['reasons'][0]}",
                chosen_run_id=e["run_id"], rejected_run_id=e2["run_id"], created_at=x.now, provenance=origin(e))


def export_pairs(root, now, options, files, found):
    x = Exporter(root, "preference", now, options)
    tasks = collections.defaultdict(lambda: collections.defaultdict(list))
    for s, e in found:
        if e is not None and e.get("text", "").strip(BLANK) and is_output(e, stem_of(e)):
            tasks[e["task_id"]][s["category"]].append((s, e))
    for task in sorted(tasks, key=lambda t: t.encode("utf-8")):
        by = tasks[task]
        for chosen, rejected in zip(by[ACCEPTED], by[REJECTED] or by[PARTIAL]):
            x.read += 1
            try:
                x.take(pair(x, chosen, rejected))
            except Refused as refusal:
                x.refuse(dict(chosen=chosen[0], rejected=rejected[0]), refusal)
    return x.done(len(files))


def export(root, kind, now, options, files, found):
    if kind == "preference":
        return export_pairs(root, now, options, files, found)
    return export_each(root, kind, now, options, files, found)


def stages(root, now, options):
    yield "collect", collect(root, now, options["dedup"])
    yield "score", score_all(root, now)
    for kind in OUTPUTS:
        yield "export-" + kind, export(root, kind, now, options, *joined(root))


def hashes(root):
    """The hash of each stage's outputs, and of the run."""
    outputs = dict(collect=root.walk("data/evidence") + [SKIPS], score=root.walk("data/scored-runs"))
    for kind, name in OUTPUTS.items():
        outputs["export-" + kind] = [name, f"exports/quarantine/{kind}.jsonl"]
    all_of = {}
    for stage, names in outputs.items():
        held = {n: root.read(n) for n in names}
        all_of[stage] = sha256("".join(f"{n}\t{hashlib.sha256(b).hexdigest()}\n"
                                       for n, b in sorted(held.items()) if b is not None))
    all_of["run"] = sha256("|".join(all_of.values()))
    return all_of


def filter_rows(options):
    refused = False
    for offset, line in rows(sys.stdin.buffer.read()):
        record, sig, errors = materialize(options.source, line, offset, options.recorded_at)
        if errors:
            refused = True
            print(written(dict(source_file=source_of(options.source), line_offset=offset, errors=errors, sig_hash=sig,
                               recorded_at=options.recorded_at)), file=sys.stderr)
        else:
            print(written(record))
    return refused


def evidence_of(request, recorded_at):
    made = []
    for offset, line in enumerate(request["rows"]):
        line = line.encode("utf-8")
        if line.strip(b" \t\r"):
            record, _, errors = materialize(request["source"], line, offset, recorded_at)
            if not errors:
                made.append(record)
    return {"evidence": made}


def probe():
    for line in sys.stdin.buffer:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        print(written(evidence_of(json.loads(line), utc(now))), flush=True)


def filter_evidence(kind, options):
    """Samples of the records on standard input, as of a root that holds nothing else."""
    root = Root(tempfile.mkdtemp())
    evidence = [parse(line) for _, line in rows(sys.stdin.buffer.read())]
    export(root, kind, options.recorded_at, vars(options), [], [(score(e, options.recorded_at), e) for e in evidence])
    sys.stdout.write((root.read(OUTPUTS[kind]) or b"").decode("utf-8"))
    if options.quarantine:
        with open(options.quarantine, "ab") as f:
            f.write(root.read(f"exports/quarantine/{kind}.jsonl") or b"")
    shutil.rmtree(root.path)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("verb", choices=["run", "materialize", "score", "export", "hashes", "probe"])
    args.add_argument("kind", nargs="?", choices=list(OUTPUTS))
    args.add_argument("--root")
    args.add_argument("--source", choices=STEMS)
    args.add_argument("--recorded-at", type=utc)
    args.add_argument("--dedup", choices=["all", "day"], default="all")
    args.add_argument("--include-partial", action="store_true")
    args.add_argument("--include-review", action="store_true")
    args.add_argument("--verify-paths")
    args.add_argument("--quarantine")
    options = args.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stderr.reconfigure(encoding="utf-8", newline="\n")
    if options.verb == "run":
        for stage, results in stages(Root(options.root), options.recorded_at, vars(options)):
            for result in results:
                print(stage, written(result), sep="\t")
    elif options.verb == "hashes":
        for stage, digest in hashes(Root(options.root)).items():
            print(stage, digest, sep="\t")
    elif options.verb == "materialize":
        return filter_rows(options)
    elif options.verb == "probe":
        probe()
    elif options.verb == "export":
        filter_evidence(options.kind, options)
    else:
        for _, line in rows(sys.stdin.buffer.read()):
            print(written(score(parse(line), options.recorded_at)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
