#!/usr/bin/env python3
"""Validation of artifacts by another hand: the standard library of Python and
the description of the rules, nothing of the C.

    validate.py [--kind KIND] [--roster FILE] <REQUESTS

Prints a verdict for each request: {"status","report"|"error"}.
"""
import argparse
import re
import sys
import unicodedata
from decimal import Decimal

sys.dont_write_bytecode = True
from extract import Number, is_text, quoted, strict, written  # noqa: E402

KINDS = ["fill", "email", "sms", "playbook"]
# what a context holds for each kind; of the count see is_whole
TEXTS = {"fill": ["city", "state", "role", "client_id"], "email": ["candidate_id"], "sms": ["candidate_id"], "playbook": []}
COUNTED = ["fill", "playbook"]
BLANK = " \t\n\v\f\r"
NEAR = 40
# signs by their kind: a hyphen, a blank, a line end or of no width; a text keeps its length
LINE_ENDS, MINUS, NO_WIDTH = "\n\v\f\r\x85\u2028\u2029", "\u2212\u02d7\u2043\u2796", "\u200b"
GAP = "(?:[ ]*-[ \n]*|[ \n]*-(?![ \n]))"
SSN = re.compile(f"(?<!0)000(?:{GAP}00{GAP}0000000)*{GAP}00{GAP}0000(?!0)")
KEYWORDS = [re.compile(f"[- \n{NO_WIDTH}]+".join(f"{NO_WIDTH}*".join(word) for word in words.split()))
            for words in ("salary", "compensation", "pay rate", "bill rate", "hourly rate", "wage")]
DOLLARS = re.compile(f"[$\uff04\ufe69][ \n{NO_WIDTH}]*[0-9]")
# 3GPP TS 23.038: what GSM 7-bit holds in one unit, and what in two
GSM = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
       "abcdefghijklmnopqrstuvwxyzäöñüà")
GSM_TWO = "\f^{}\\[~]|€"


class Rejected(ValueError):
    """No request at all."""


class BadRequest(Exception):
    """Status 400."""


class Invalid(Exception):
    """Status 422: the variant, and its members."""

    def __init__(self, variant, reason, field=None):
        super().__init__(reason)
        self.variant, self.members = variant, dict(reason=reason)
        if field is not None:
            self.members = dict(field=field, reason=reason)


# ---- JSON ----

def parse(line):
    try:
        return strict(line)
    except (ValueError, RecursionError) as e:
        raise Rejected(str(e))


def is_whole(value):
    if not isinstance(value, Number):
        return False
    d = Decimal(value)
    return -2**63 <= d < 2**63 and d == d.to_integral_value()


# ---- comparing as people do ----

def fold(text):
    """ASCII letters without case."""
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in text)


def same(a, b):
    return fold(a.strip(BLANK)) == fold(b.strip(BLANK))


def named(text):
    """A name as a reader would compare it."""
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).split())


def filled(value):
    """A text; one of blanks alone is empty, since what is compared is trimmed."""
    return is_text(value) and value.strip(BLANK) != ""


# ---- the roster ----

class Roster:
    """Workers by their id; a roster that was not given holds nobody."""

    def __init__(self, path=None):
        self.workers = {}
        if path is None:
            return
        with open(path, "rb") as f:
            for line in f:
                if line.strip():
                    row = parse(line)
                    self.workers[fold(row["candidate_id"].strip(BLANK))] = row

    def find(self, candidate_id):
        return self.workers.get(fold(candidate_id.strip(BLANK)))


# ---- the rules ----

def finding(field, message, severity="warning"):
    return {"field": field, "severity": severity, "message": message}


def judge_worker(i, entry, worker, context):
    given = entry["candidate_id"]
    status = worker.get("status")
    if filled(status) and not same(status, "active"):
        raise Invalid("Consistency", f"fills[{i}] worker '{given}' status is '{status}', expected 'active'")
    client = context.get("client_id")
    if filled(client) and any(same(client, c) for c in worker.get("blacklisted_clients") or []):
        raise Invalid("Policy", f"fills[{i}] worker '{given}' is blacklisted for client '{client}'")
    for name in "city", "state", "role":
        has, wants = worker.get(name), context.get(name)
        if filled(has) and filled(wants) and not same(has, wants):
            raise Invalid("Consistency", f"{name} '{has}' doesn't match contract {name} '{wants}'")


def judge_fill(artifact, context, roster):
    fills, found, seen = artifact.get("fills"), [], set()
    if not isinstance(fills, list):
        raise Invalid("Schema", "expected array", "fills")
    for i, entry in enumerate(fills):
        for name in "candidate_id", "name":
            if not isinstance(entry, dict) or not filled(entry.get(name)):
                raise Invalid("Schema", "missing", f"fills[{i}].{name}")
    target = context.get("target_count")
    if target is not None and len(fills) != int(Decimal(target)):
        raise Invalid("Completeness", f"endorsed count ({len(fills)}) != target_count ({int(Decimal(target))})")
    for i, entry in enumerate(fills):
        given = entry["candidate_id"]
        key = fold(given.strip(BLANK))
        if key in seen:
            raise Invalid("Consistency", f"duplicate candidate_id '{given}' in fills")
        seen.add(key)
        worker = roster.find(given)
        if worker is None:
            raise Invalid("Consistency", f"fills[{i}].candidate_id '{given}' does not exist in worker roster")
        judge_worker(i, entry, worker, context)
        if named(entry["name"]) != named(worker["name"]):
            found.append(finding(f"fills[{i}].name", f"'{entry['name']}' differs from roster name '{worker['name']}'"))
    return found


def signs(text):
    """The text with one sign for all of a kind, letters without case."""
    def sign(c):
        kind = unicodedata.category(c)
        if c in LINE_ENDS:
            return "\n"
        if kind == "Zs" or c == "\t":
            return " "
        if kind == "Pd" or c in MINUS:
            return "-"
        return NO_WIDTH if kind == "Cf" or c == "\u034f" or "\ufe00" <= c <= "\ufe0f" else c
    return "".join(map(sign, fold(text)))


def has_ssn(text):
    """Digits of ASCII, or all of other scripts; a sign of no width is nothing, or a hyphen."""
    text = signs(text)

    def holds(text, ascii):
        return SSN.search("".join("-" if c == "-" else c if c in " \n" else "0"
                                  if unicodedata.category(c) == "Nd" and (c < "\x80") == ascii else "x" for c in text))
    plain = text.replace(NO_WIDTH, "")
    return bool(holds(plain, True) or holds(plain, False) or holds(text.replace(NO_WIDTH, "-"), True))


def discloses_pay(text):
    """A keyword and an amount with no more than 40 characters between."""
    text = signs(text)
    amounts = [m.start() for m in DOLLARS.finditer(text)]
    words = [m for word in KEYWORDS for m in word.finditer(text)]
    return any(0 <= d - w.end() <= NEAR or 0 <= w.start() - (d + 1) <= NEAR for w in words for d in amounts)


def judge_sms(body):
    wide = any(c not in GSM + GSM_TWO for c in body)
    units = [1 + (c > "\uffff" if wide else c in GSM_TWO) for c in body]
    name, one, each = ("UTF-16", 70, 67) if wide else ("GSM 7-bit", 160, 153)
    if sum(units) <= one:
        return
    parts, room = 0, 0
    for n in units:
        if n > room:
            parts, room = parts + 1, each
        room -= n
    raise Invalid("Completeness", f"SMS body is {sum(units)} units of {name} in {parts} parts (max {one} units, 1 part)")


def judge_message(artifact, context, roster, sms):
    found = []
    for name in "to", "body":
        if not filled(artifact.get(name)):
            raise Invalid("Schema", "missing", name)
    subject, body = artifact.get("subject"), artifact["body"]
    if subject is not None and not is_text(subject):
        raise Invalid("Schema", "expected string", "subject")
    subject = subject or ""
    if sms:
        judge_sms(body)
    if len(subject) > 78:
        raise Invalid("Completeness", f"subject is {len(subject)} chars (max 78)")
    if has_ssn(subject) or has_ssn(body):
        raise Invalid("Policy", "SSN-shaped sequence in body")
    if discloses_pay(subject) or discloses_pay(body):
        raise Invalid("Policy", "salary disclosure: keyword near dollar amount")
    candidate = context.get("candidate_id")
    if filled(candidate):
        worker = roster.find(candidate)
        if worker is None:
            raise Invalid("Consistency", f"_context.candidate_id '{candidate}' does not exist in worker roster")
        name = fold(worker["name"].strip(BLANK))
        if name not in fold(body) and name.split()[0] not in fold(body):
            found.append(finding("body", f"body does not mention '{worker['name']}'"))
    return found


def judge_playbook(artifact, context):
    operation, names = artifact.get("operation"), artifact.get("endorsed_names")
    if not is_text(operation):
        raise Invalid("Schema", "missing", "operation")
    if not operation.startswith("fill:"):
        raise Invalid("Schema", f"expected `fill: ...` prefix, got {quoted(operation)}", "operation")
    if not isinstance(names, list):
        raise Invalid("Schema", "expected array", "endorsed_names")
    if not names:
        raise Invalid("Completeness", "endorsed_names must be non-empty")
    target = artifact.get("target_count")
    if target is not None and not is_whole(target):
        raise Invalid("Schema", "expected whole number", "target_count")
    target = context.get("target_count") if target is None else target
    if target is not None and len(names) > 2 * int(Decimal(target)):
        raise Invalid("Completeness",
                      f"endorsed_names ({len(names)}) exceeds target_count × 2 ({2 * int(Decimal(target))})")
    if not filled(artifact.get("fingerprint")):
        raise Invalid("Schema", "missing — required for Phase 25 validity window", "fingerprint")
    return []


# ---- a request ----

def context_of(request, artifact, kind):
    context = request.get("context")
    if context is None:
        context = artifact.get("_context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise BadRequest("context must be an object")
    target = context.get("target_count")
    if kind in COUNTED and target is not None and not is_whole(target):
        raise BadRequest("context.target_count must be a whole number")
    for name in TEXTS[kind]:
        if context.get(name) is not None and not is_text(context[name]):
            raise BadRequest(f"context.{name} must be a string")
    return context


def judge(request, default, roster):
    """The findings of a request; BadRequest or Invalid."""
    wrapped = "artifact" in request or default is None
    kind = request.get("kind", default) if wrapped else default
    if not is_text(kind):
        raise Rejected("no kind")
    if kind not in KINDS:
        raise BadRequest(f"unknown kind {quoted(kind)} (expected fill, email, sms or playbook)")
    artifact = request.get("artifact") if wrapped else request
    if not isinstance(artifact, dict):
        raise BadRequest("artifact must be an object")
    context = context_of(request, artifact, kind)
    if kind == "fill":
        return judge_fill(artifact, context, roster)
    if kind == "playbook":
        return judge_playbook(artifact, context)
    return judge_message(artifact, context, roster, kind == "sms" or artifact.get("kind") == "sms")


def verdict(request, default, roster):
    try:
        return {"status": 200, "report": {"findings": judge(request, default, roster), "elapsed_ms": 0}}
    except Invalid as e:
        return {"status": 422, "error": {e.variant: e.members}}
    except BadRequest as e:
        return {"status": 400, "error": {"message": str(e)}}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--kind")
    args.add_argument("--roster")
    options = args.parse_args()
    roster, failed = Roster(options.roster), 0
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for line in sys.stdin.buffer:
        try:
            print(written(verdict(parse(line), options.kind, roster)), flush=True)
        except Rejected as e:
            failed = 1
            print(written({"error": {"message": str(e)}}), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
