#!/usr/bin/env python3
"""Rows of the session log by another hand: the standard library of Python and
the description of the row, nothing of the C.

    session.py [DAEMON] <FIXTURES

Reads rows without schema, timestamp and daemon, and writes them with these, in
the order of the row's fields.
"""
import datetime
import json
import re
import sys
from decimal import Decimal

sys.dont_write_bytecode = True
from extract import STRICT, Number, is_text, strict, written  # noqa: E402

FIELDS = [
    "session_id", "kind", "model", "provider", "prompt", "iterations", "max_iterations", "final_verdict", "attempts",
    "artifact", "grounded_in_roster", "duration_ms",
]
ATTEMPT = ["iteration", "verdict_kind", "error", "span_id"]
TEXTS = ["session_id", "kind", "model", "provider", "prompt"]
COUNTS = ["iterations", "max_iterations", "duration_ms"]
REQUIRED = set(FIELDS) - {"artifact", "grounded_in_roster"}
KINDS = {"fill", "email", "sms", "playbook"}
VERDICTS = {"accepted", "max_iter_exhausted", "infra_error"}
ATTEMPTS = {"no_json", "validation_failed", "accepted", "infra_error"}
SPACE = re.compile(r"[ \t\n\r]*")
BETWEEN = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\n\r]+')


class AsItCame(Number):
    """JSON as it stands in its line, less the white space between."""


class Refused(ValueError):
    """No session row."""


def is_count(value):
    if not isinstance(value, Number):
        return False
    d = Decimal(value)
    return 0 <= d < 2**63 and d == d.to_integral_value()


def as_it_came(text, name):
    """The value of a member of the object in text, which is known to be sound."""
    at = SPACE.match(text, text.index("{") + 1).end()
    while text[at] != "}":
        key, at = json.decoder.scanstring(text, at + 1)
        at = SPACE.match(text, SPACE.match(text, at).end() + 1).end()
        _, end = STRICT.raw_decode(text, at)
        if key == name:
            return AsItCame(BETWEEN.sub(lambda m: m[1] or "", text[at:end]))
        at = SPACE.match(text, end).end()
        at = SPACE.match(text, at + (text[at] == ",")).end()
    return None


def parse(line):
    """The object on a line; its artifact, when it is an object, as it came."""
    try:
        value = strict(line)
    except (ValueError, RecursionError) as e:
        raise Refused(str(e))
    if isinstance(value.get("artifact"), dict):
        value["artifact"] = as_it_came(line.decode("utf-8"), "artifact")
    return value


def without_empty(given, optional):
    """A text that may be absent is so when it is null or empty."""
    return {name: value for name, value in given.items() if not (name in optional and (value is None or value == ""))}


def attempt(given):
    if not isinstance(given, dict) or not set(given) <= set(ATTEMPT):
        raise Refused("attempts")
    given = without_empty(given, ATTEMPT[2:])
    if not {"iteration", "verdict_kind"} <= set(given) or not is_count(given["iteration"]):
        raise Refused("attempts")
    if not all(is_text(given[name]) for name in given if name != "iteration") or given["verdict_kind"] not in ATTEMPTS:
        raise Refused("attempts")
    given["iteration"] = Number(int(Decimal(given["iteration"])))
    return {name: given[name] for name in ATTEMPT if name in given}


def check(fixture):
    """Refused unless each member is what the row has there."""
    for name in fixture:
        if name not in FIELDS:
            raise Refused(f"unknown member {name}")
    if not REQUIRED <= set(fixture) or not isinstance(fixture["attempts"], list):
        raise Refused("a missing member")
    if not all(is_text(fixture[name]) for name in TEXTS) or not all(is_count(fixture[name]) for name in COUNTS):
        raise Refused("a member of another type")
    if not fixture["session_id"] or fixture["kind"] not in KINDS:
        raise Refused("session_id or kind")
    if not is_text(fixture["final_verdict"]) or fixture["final_verdict"] not in VERDICTS:
        raise Refused("final_verdict")
    if not isinstance(fixture.get("artifact", AsItCame()), AsItCame):
        raise Refused("artifact")
    if not isinstance(fixture.get("grounded_in_roster", True), bool):
        raise Refused("grounded_in_roster")


def row(fixture, daemon, now):
    fixture = {name: value for name, value in fixture.items()
               if value is not None or name not in ("artifact", "grounded_in_roster")}
    check(fixture)
    out = {"schema": "session.iterate.v1", "session_id": fixture["session_id"], "timestamp": now, "daemon": daemon}
    for name in FIELDS[1:]:
        if name == "attempts":
            out[name] = [attempt(a) for a in fixture[name]]
        elif name in COUNTS:
            out[name] = Number(int(Decimal(fixture[name])))
        elif name in fixture:
            out[name] = fixture[name]
        elif name == "grounded_in_roster":
            out[name] = None
    return written(out)


def clock():
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (now.microsecond // 1000)


def main():
    daemon = sys.argv[1] if len(sys.argv) > 1 else "oracle"
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    failed = 0
    for line in sys.stdin.buffer:
        try:
            fixture = parse(line)
            fixture.pop("name", None)  # of the case, not of the row
            print(row(fixture, daemon, clock()), flush=True)
        except ValueError as e:
            failed = 1
            print(json.dumps({"error": {"message": str(e)}}), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
