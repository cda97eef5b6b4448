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

FIELDS = [
    "session_id", "kind", "model", "provider", "prompt", "iterations", "max_iterations", "final_verdict", "attempts",
    "artifact", "grounded_in_roster", "duration_ms",
]
ATTEMPT = ["iteration", "verdict_kind", "error", "span_id"]
REQUIRED = set(FIELDS) - {"artifact", "grounded_in_roster"}
VERDICTS = {"accepted", "max_iter_exhausted", "infra_error"}
ATTEMPTS = {"no_json", "validation_failed", "accepted", "infra_error"}
SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
ESCAPED = re.compile(r'[\x00-\x1f"\\]')


class Number(str):
    """A number as it stands in its line."""


class Refused(ValueError):
    """No session row."""


def no_repeat(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Refused("a repeated key")
    return dict(pairs)


def no_constant(name):
    raise Refused(name)


def quoted(text):
    return '"' + ESCAPED.sub(lambda m: SHORT.get(ord(m[0])) or "\\u%04x" % ord(m[0]), text) + '"'


def written(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join(quoted(k) + ":" + written(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return {None: "null", True: "true", False: "false"}[value]


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def attempt(given):
    if not isinstance(given, dict) or not {"iteration", "verdict_kind"} <= set(given) <= set(ATTEMPT):
        raise Refused("attempts")
    if not isinstance(given["iteration"], Number) or given["verdict_kind"] not in ATTEMPTS:
        raise Refused("attempts")
    return {name: given[name] for name in ATTEMPT if name in given}


def row(fixture, daemon, now):
    if not isinstance(fixture, dict):
        raise Refused("not an object")
    for name in fixture:
        if name not in FIELDS:
            raise Refused(f"unknown member {name}")
    if not REQUIRED <= set(fixture) or not isinstance(fixture["attempts"], list):
        raise Refused("a missing member")
    if fixture["final_verdict"] not in VERDICTS or not is_text(fixture["session_id"]) or not fixture["session_id"]:
        raise Refused("final_verdict or session_id")
    out = {"schema": "session.iterate.v1", "session_id": fixture["session_id"], "timestamp": now, "daemon": daemon}
    for name in FIELDS[1:]:
        if name == "attempts":
            out[name] = [attempt(a) for a in fixture[name]]
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
            fixture = json.loads(line.decode("utf-8"), parse_int=Number, parse_float=Number,
                                 parse_constant=no_constant, object_pairs_hook=no_repeat)
            fixture.pop("name", None)  # of the case, not of the row
            print(row(fixture, daemon, clock()), flush=True)
        except ValueError as e:
            failed = 1
            print(json.dumps({"error": {"message": str(e)}}), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
