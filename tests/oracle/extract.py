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
FENCE_TAG = re.compile(rb"[A-Za-z0-9_+-]*")
GAP = rb"[ \t\r\n]*+"
MARK = rb"(?:%s|\\[\"'])" % "|".join("\"'`´«»‹›‘’‚‛“”„‟″′「」『』〝〞〟＂＇").encode()
KEY = rb"(?:%s(?:(?!%s)[^{}\n\0])*+(?:%s)?+|(?!%s)[A-Za-z0-9_$.+\-\x80-\xff]++)" % ((MARK,) * 4)
OBJECT = re.compile(rb"\{%s(?:[\"'}]|//|/\*|#|--|<!--|,?%s%s%s(?:,%s%s%s)*+:)" %
                    ((GAP, GAP, KEY, GAP) + (GAP, KEY, GAP)))
# what the walk to a balancing } stops at: a string, or what opens one to the end
STEP = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}]', re.S)
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.S)
# the parts of JSON; a string without its last quote, so that a bad one shows where it is bad
SPACE = re.compile(rb"[ \t\r\n]*")
OPENED = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
ATOM = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
WORDS = rb"(?P<word>think|thinking|thought|reasoning|reflection|scratchpad|analysis)s?"
PREFIX = rb"(?P<before>(?:[A-Za-z0-9_:.\-]*[_:.\-])?)"
SIGNS = rb"(?P<signs>[ \t\r\n|/]*)"
END = rb"[ \t\r\n]*\|?"
ANGLE = rb"(?:(?P<more>[ \t\r\n/][^<>|]*)|[ \t\r\n]*)\|?>"
TAGS = [re.compile(opened + SIGNS + PREFIX + WORDS + closed, re.I) for opened, closed in (
    (rb"<", ANGLE), (rb"\[", END + rb"\]"), ("◁".encode(), END + "▷".encode()))]
HARMONY = [re.compile(opened + SIGNS + rb"(?P<name>channel|end|start|call|return)(?P<end>" + closed +
                      rb")", re.I) for opened, closed in (
    (rb"<", ANGLE), (rb"\[", END + rb"\]"), ("◁".encode(), END + "▷".encode()))]
FINAL = re.compile(rb"[ \t\r\n]*final(?![A-Za-z0-9_:.\-])", re.I)
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
    """The object in these bytes; ValueError if they hold anything else, TooDeep if they
    hold an object but for its depth."""
    text = data.decode("utf-8")
    value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=no_constant)
    check_strings(value)
    if text.count("{") + text.count("[") > DEPTH:
        check_depth(text)
    return value


def no_repeat(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a repeated key")
    return dict(pairs)


STRICT = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=no_constant,
                          object_pairs_hook=no_repeat)


def strict(line):
    """The object on a line of bytes, no key twice; ValueError if there is none."""
    text = line.decode("utf-8")
    check_depth(text)
    value = STRICT.decode(text)
    check_strings(value)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def read(text, at):
    """Read the object at a brace: whether it is one, and its end or the place where it
    cannot be read further."""
    closers, key, comma = [], False, False
    while True:
        at = SPACE.match(text, at).end()
        c = text[at:at + 1]
        if closers and c == closers[-1] and not (comma and c in b"]}"):
            closers.pop()
            at += 1
            if not closers:
                return True, at
        elif key:
            if c != b'"':
                return False, at
            at = OPENED.match(text, at).end()
            if text[at:at + 1] != b'"':
                return False, at
            at = SPACE.match(text, at + 1).end()
            if text[at:at + 1] != b":":
                return False, at
            at, key, comma = at + 1, False, True
            continue
        elif c in (b"{", b"["):
            closers.append(b"}" if c == b"{" else b"]")
            at, key, comma = at + 1, c == b"{", False
            continue
        elif c == b'"':
            at = OPENED.match(text, at).end()
            if text[at:at + 1] != b'"':
                return False, at
            at += 1
        else:
            atom = ATOM.match(text, at)
            if not atom:
                return False, at
            at = atom.end()
        # behind a value
        at = SPACE.match(text, at).end()
        comma = text[at:at + 1] == b","
        if comma:
            at, key = at + 1, closers[-1] == b"}"
        elif text[at:at + 1] != closers[-1]:
            return False, at


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


def tag_at(text, at):
    """What a tag at this place says, the name of the thought, and its end."""
    for tag in TAGS:
        m = tag.match(text, at)
        if not m:
            continue
        word = m["word"].lower()
        if b"/" in m["signs"]:
            return "close", word, m.end()
        if m.groupdict().get("more") and m["more"].endswith(b"/"):
            return None
        if re.match(rb"end[_:.\-]", m["before"], re.I):
            return "close", word, m.end()
        return "open", word, m.end()
    for tag in HARMONY:
        m = tag.match(text, at)
        if not m or b"|" not in m["signs"] + m["end"]:
            continue
        if m["name"].lower() != b"channel" or b"|" not in m["signs"]:
            return "stop", b"channel", m.end()
        return "final" if FINAL.match(text, m.end()) else "channel", b"channel", m.end()
    return None


class Walk:
    """What a text holds, by the places where an answer may be."""

    def __init__(self, text, tags):
        self.text, self.tags = text, tags
        self.thought = self.final = False
        self.open = []
        self.forget()
        at = 0
        while at < len(text):
            at = self.step(at)
        if self.fence is not None:
            self.rest += self.fenced[:1]

    def forget(self):
        self.whole, self.inside, self.rest = [], [], []
        self.broken = self.hidden = False
        self.fence, self.fenced = None, []
        self.until, self.depth, self.ends = 0, 0, True
        self.open.clear()
        self.stretch(0)
        self.outer = None  # behind the tag that began the thoughts that are open

    def stretch(self, at):
        self.begin, self.piece, self.prose, self.quoted = at, None, 0, False

    def brace(self, at):
        c = self.text[at:at + 1]
        if c == b'"':
            self.quoted = not self.quoted
        elif self.quoted:
            pass
        elif c == b"{":
            self.prose += 1
        elif self.prose:
            self.prose -= 1
        else:
            if not self.open and self.text[self.begin:at].strip(BLANK):
                self.broken = True
            if self.piece is not None:
                self.piece.clear()
            self.stretch(at + 1)

    def step(self, at):
        text, c = self.text, self.text[at:at + 1]
        tag = tag_at(text, at) if self.tags and c in b"<[\xe2" else None
        if tag:
            self.pass_tag(tag)
            return tag[2]
        if at < self.until:
            string = self.ends and STRING.match(text, at, self.until)
            return string.end() if string else at + 1
        if OBJECT.match(text, at):
            return self.pass_object(at)
        if text.startswith(b"```", at):
            return self.pass_fence(at)
        if c in b'{}"':
            self.brace(at)
        elif c == b"\n":
            self.quoted = False
        return at + 1

    def close(self, name):
        if name not in self.open:
            return False
        while self.open.pop() != name:
            pass
        if len(self.open) < self.depth:
            self.until = 0
        return True

    def pass_tag(self, tag):
        kind, name, end = tag
        self.thought = True
        if kind == "final" and not self.final:
            self.final = True
            self.forget()
        elif not (kind != "open" and self.close(name)) and kind == "close":
            self.forget()
        if kind == "open" and not self.open:
            self.outer = end
        if kind in ("open", "channel"):
            self.open.append(name)
        self.stretch(end)

    def pass_object(self, at):
        good, end = read(self.text, at)
        try:
            value = parse(self.text[at:end]) if good else None
        except (TooDeep, RecursionError):
            self.broken = self.broken or not self.open
            return end
        except ValueError:
            good = False
        if good:
            if not self.open and not self.hidden:
                self.keep(self.rest if self.fence is None else self.fenced, at, end, value)
            return end
        close = balanced(self.text, at)
        if not self.open:
            self.broken = True
            self.hidden = self.hidden or close is None
        self.until, self.depth, self.ends = close or end, len(self.open), close is not None
        return at + 1

    def keep(self, where, at, end, value):
        if where:
            return
        where.append((at, end, value))
        before = self.text[self.begin:at].rstrip(BLANK)
        if before and (not before.endswith(b">") or before == b">" or before.endswith((b"=>", b"->"))):
            self.piece = where

    def pass_fence(self, at):
        begins_line = re.search(rb"(?:\A|[\r\n])[ \t]*\Z", self.text[:at])
        if self.open or (self.hidden and not begins_line):
            return at + 3
        self.hidden = False
        if self.fence is None:
            after = FENCE_TAG.match(self.text, at + 3).end()
            self.fence, self.fenced = after, []
            self.stretch(after)
            return after
        if self.fenced:
            first, end, _ = self.fenced[0]
            alone = self.text[self.fence:at].strip(BLANK) == self.text[first:end]
            (self.whole if alone else self.inside).append(self.fenced[0])
        self.fence = None
        self.stretch(at + 3)
        return at + 3

    def found(self):
        return (self.whole + self.inside + self.rest)[:1]


def extract(text):
    """The object that is the answer, or None."""
    walk = Walk(text, True)
    found = walk.found()
    if not found and not walk.broken and walk.open and walk.outer is not None:
        walk = Walk(text[walk.outer:], True)
        found = walk.found()
    if not found and not walk.broken:
        found = Walk(text, False).found()
    return found[0][2] if found else None


def quoted(text):
    return '"' + ESCAPED.sub(lambda m: SHORT.get(ord(m[0])) or "\\u%04x" % ord(m[0]), text) + '"'


def written(value, keys=list):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join(quoted(k) + ":" + written(value[k], keys) for k in keys(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(v, keys) for v in value) + "]"
    return json.dumps(value)


def canonical(value):
    return written(value, lambda names: sorted(names, key=lambda k: k.encode("utf-8")))


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
