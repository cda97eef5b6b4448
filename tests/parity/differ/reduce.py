"""The smallest that still shows a difference.

    smallest(cases, shows)    shows(list of lists of cases) says of each list
                              whether a difference is left in it

A list of cases loses cases, then what is left loses lines, escapes of letters,
members and levels of JSON, and runs of characters, down to one; nothing that could still go is in the end left.
All candidates of a step are asked about at once, for a process is dearer than a
case.  A reduction that takes too long ends with what it has.
"""
import re
import time

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.S)
KEY = re.compile(rb'^\s*"(?:[^"\\]|\\.)*"\s*:', re.S)
AT_ONCE = 64
SECONDS = 120


def containers(data):
    """(start, end, the starts of what is between commas and the end) of each."""
    found, stack = [], []
    for token in TOKEN.finditer(data):
        c, at = token[0], token.start()
        if c in (b"{", b"["):
            stack.append((at, [at + 1]))
        elif c in (b"}", b"]") and stack:
            start, starts = stack.pop()
            found.append((start, at + 1, starts + [at + 1]))
        elif c == b"," and stack:
            stack[-1][1].append(token.end())
    return sorted(found, key=lambda s: s[0] - s[1])


def without(data):
    """Data with less between two brackets: nothing, or a member or element less."""
    for start, end, starts in containers(data):
        if end - start > 2:
            yield data[:start + 1] + data[end - 1:]
        for i in range(len(starts) - 1):
            # with the comma behind it, or before it if it is the last
            last = i == len(starts) - 2
            yield data[:starts[i] - (last and i > 0)] + data[starts[i + 1] - last:]


def lifted(data):
    """Data with something that a container holds in the container's place."""
    for start, end, starts in containers(data):
        for a, b in zip(starts, starts[1:]):
            yield data[:start] + KEY.sub(b"", data[a:b - 1]).strip() + data[end:]


def plainer(data):
    """With letters for their escapes: all of them, or each."""
    def letter(m):
        c = chr(int(m[1], 16))
        return c.encode() if c.isalnum() and c.isascii() else m[0]
    escape = re.compile(rb"\\u([0-9a-fA-F]{4})")
    made = [escape.sub(letter, data)]
    for m in escape.finditer(data):
        made.append(data[:m.start()] + letter(m) + data[m.end():])
    return made


def units(data):
    """The characters, or the bytes if they are no UTF-8."""
    try:
        return [c.encode("utf-8") for c in data.decode("utf-8")]
    except UnicodeDecodeError:
        return [data[i:i + 1] for i in range(len(data))]


def first(made, shows):
    """The first of these lists of cases that shows a difference, or None."""
    for at in range(0, len(made), AT_ONCE):
        some = made[at:at + AT_ONCE]
        for cases, yes in zip(some, shows(some)):
            if yes:
                return cases
    return None


def fewer(items, shows, size=None):
    """Items without the runs that are not needed, from the longest to one."""
    size = size or max(1, len(items) // 2)
    while size:
        at = 0
        while at < len(items):
            starts = range(at, len(items), size)
            kept = first([(i, items[:i] + items[i + size:]) for i in starts], lambda some: shows([x[1] for x in some]))
            if kept is None:
                break
            at, items = kept
        size //= 2
    return items


def smaller(data, shows):
    """One case's data, as small as it gets."""
    started = time.monotonic()
    while time.monotonic() - started < SECONDS:
        before = len(data)
        lines = re.findall(rb"[^\n]*\n|[^\n]+", data)
        if len(lines) > 1:
            data = b"".join(fewer(lines, lambda some: shows([b"".join(x) for x in some])))
        while time.monotonic() - started < SECONDS:
            made = [*plainer(data), *without(data), *lifted(data)]
            cut = first([x for x in made if len(x) < len(data)], shows)
            if cut is None:
                break
            data = cut
        data = b"".join(fewer(units(data), lambda some: shows([b"".join(x) for x in some])))
        if len(data) == before:
            break
    return data


def smallest(cases, shows):
    if len(cases) > 1:
        cases = fewer(cases, shows)
    for i, (tag, data) in enumerate(cases):
        def still(some):
            return shows([cases[:i] + [(tag, other)] + cases[i + 1:] for other in some])
        data = smaller(data, still)
        cases = cases[:i] + [(tag, data)] + cases[i + 1:]
    return cases
