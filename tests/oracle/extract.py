#!/usr/bin/env python3
"""The JSON object inside a model's answer, by another hand: the standard
library of Python and the description of the rules, nothing of the C.

    extract.py <TEXT                all of it is one text
    extract.py records <RECORDS     the string "text" of each record, a line each

Prints {"matched","value"}, keys sorted by their bytes, numbers as written.
"""
import json
import re
import sys

sys.setrecursionlimit(10000)

DEPTH = 512
BLANK = b" \t\r\n"
TAG = re.compile(rb"[A-Za-z0-9_+-]*")
# what the walk to a balancing } stops at: a string, or what opens one to the end
STEP = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}]', re.S)
SURROGATE = re.compile("[\ud800-\udfff]")
SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
ESCAPED = re.compile(r'[\x00-\x1f"\\]')


class Number(str):
    """A number as it stands in its text."""


class TooDeep(ValueError):
    """More containers in one another than are read."""


def no_constant(name):
    raise ValueError(name)


def check_depth(text):
    """TooDeep for more containers in one another than are read."""
    if text.count("{") + text.count("[") <= DEPTH:
        return
    depth, in_string, at = 0, False, 0
    while at < len(text):
        c = text[at]
        if in_string:
            if c == "\\":
                at += 1
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
        elif c in "{[":
            depth += 1
            if depth > DEPTH:
                raise TooDeep()
        elif c in "}]":
            depth -= 1
        at += 1


def check_strings(value):
    if isinstance(value, dict):
        for k, v in value.items():
            check_strings(k)
            check_strings(v)
    elif isinstance(value, list):
        for v in value:
            check_strings(v)
    elif isinstance(value, str) and SURROGATE.search(value):
        raise ValueError("a lone surrogate")


def parse(data):
    """The object in these bytes; ValueError if they hold anything else, and TooDeep
    if they hold an object but for its depth."""
    text = data.decode("utf-8")
    value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=no_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    check_strings(value)
    check_depth(text)
    return value


def fences(text):
    """What stands in each fence, without its tag."""
    at = 0
    while True:
        opened = text.find(b"```", at)
        if opened < 0:
            return
        start = TAG.match(text, opened + 3).end()
        closed = text.find(b"```", start)
        if closed < 0:
            return
        yield text[start:closed].strip(BLANK)
        at = closed + 3


def balanced(text, at):
    """The end of the slice that begins with the { at at; None if it never balances."""
    depth = 0
    for step in STEP.finditer(text, at):
        if step[0] == b"{":
            depth += 1
        elif step[0] == b"}":
            depth -= 1
            if depth == 0:
                return step.end()
    return None


def extract(text):
    """The first object, or None."""
    for inside in fences(text):
        try:
            return parse(inside)
        except (ValueError, RecursionError):
            continue
    at = text.find(b"{")
    while at >= 0:
        end, after = balanced(text, at), at + 1
        if end is not None:
            try:
                return parse(text[at:end])
            except (TooDeep, RecursionError):
                after = end
            except ValueError:
                pass
        at = text.find(b"{", after)
    return None


def quoted(text):
    return '"' + ESCAPED.sub(lambda m: SHORT.get(ord(m[0])) or "\\u%04x" % ord(m[0]), text) + '"'


def canonical(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-8"))
        return "{" + ",".join(quoted(k) + ":" + canonical(value[k]) for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return {None: "null", True: "true", False: "false"}[value]


def answer(text):
    value = extract(text)
    return '{"matched":%s,"value":%s}' % ("false" if value is None else "true", canonical(value))


def main():
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    if sys.argv[1:] == ["records"]:
        for line in sys.stdin.buffer:
            print(answer(json.loads(line)["text"].encode("utf-8")), flush=True)
    else:
        print(answer(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
