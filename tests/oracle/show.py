#!/usr/bin/env python3
"""oracle/show.py WIDTH LINES [SAMPLE] <FILE - the table of lh-show(1) of plain records,
written from the page: columns, widths, wrapping, cutting.  WIDTH and LINES 0: no limit.

oracle/show.py --make SEED N - random records to show."""
import json
import random
import re
import sys
import unicodedata

GAP, WORD, WIDEST, MOST = "  ", 24, 1000, 64


class Number(str):
    """A number as it is written."""


def cells(text):
    return sum(0 if unicodedata.category(c) in ("Mn", "Me") else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fit(text, width):
    """The longest prefix that fits, with its combining characters."""
    used = 0
    for i, c in enumerate(text):
        used += cells(c)
        if used > width:
            return i
    return len(text)


# Default_Ignorable_Code_Point that is not Cf, without the variation selectors of emoji, and
# the blank of Braille
IGNORABLE = {0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, *range(0x180b, 0x1810), 0x2065, 0x2800, 0x3164,
             0xffa0, *range(0xfff0, 0xfff9), *range(0xe0000, 0xe1000)}


def invisible(c):
    return unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") or ord(c) in IGNORABLE


def escape(c):
    """As in JSON, where a character beyond U+FFFF is two."""
    if c in "\b\f\n\r\t":
        return "\\" + "bfnrt"["\b\f\n\r\t".index(c)]
    return json.dumps(c)[1:-1] if ord(c) > 0x7f else "\\u%04x" % ord(c)


def clean(text):
    return "".join(escape(c) if invisible(c) else c for c in text)


def shown(value, source):
    """The text of a cell; source is the JSON text."""
    if isinstance(value, str):
        return clean(value) if isinstance(value, Number) or value else '""'
    if isinstance(value, list) and value and not any(isinstance(v, (list, dict)) for v in value):
        return ", ".join(shown(v, None) for v in value)
    if isinstance(value, (list, dict)):
        return clean(source)
    return {True: "true", False: "false", None: "null"}[value]


def members(line):
    """The members of an object, each with its JSON text."""
    decode = json.JSONDecoder(parse_int=Number, parse_float=Number)
    found, at = {}, 1
    while line[at] != "}":
        name, at = decode.raw_decode(line, at)
        start = at + 1
        value, at = decode.raw_decode(line, start)
        found[name] = value, shown(value, line[start:at])
        at += line[at] == ","
    return found


def wrap(text, width):
    lines = []
    while True:
        n = fit(text, width)
        if n == len(text):
            return lines + [text]
        n = n or 1
        if text[n] == " ":
            lines.append(text[:n])
            text = text[n + 1:]
        elif text.rfind(" ", 1, n) > 0:
            space = text.rfind(" ", 1, n)
            lines.append(text[:space])
            text = text[space + 1:]
        else:
            lines.append(text[:n])
            text = text[n:]
        if not text:
            return lines


def cut(text, width):
    return text if cells(text) <= width else text[:fit(text, width - 1)] + "…"


def needed(text):
    """The cells of what is not wrapped: a number, or a text's widest word."""
    if isinstance(text, Number):
        return max(2, min(WIDEST, cells(text)))
    return max(2, min(WORD, max(map(cells, text.split(" ")))))


def lay_out(names, sample, line):
    """For the columns that fit: [name, width, to the right, least], and the cells they may share."""
    natural, least, right = {}, {}, {}
    for name in names:
        cell = [row[name] for row in sample if name in row]
        right[name] = any(isinstance(v, Number) for v, _ in cell) and \
            all(v is None or isinstance(v, Number) for v, _ in cell)
        texts = [text for _, text in cell] + [clean(name) or '""']
        natural[name] = min(WIDEST, max(2, max(map(cells, texts))))
        least[name] = max(map(needed, texts + [v for v, _ in cell if isinstance(v, Number)]))
    shown_n = len(names)

    def width(name, cap):
        return min(natural[name], max(cap, least[name]))

    def room():
        left = len(names) - shown_n
        return max(2, line - 2 * (shown_n - 1) - (2 + len("+%d" % left) if left else 0))

    cap, left = WIDEST, 0
    if line:
        while shown_n > 1 and sum(width(n, 0) for n in names[:shown_n]) > room():
            shown_n -= 1
        if sum(width(n, 0) for n in names[:shown_n]) > room():
            natural[names[0]] = room()
        while cap and sum(width(n, cap) for n in names[:shown_n]) > room():
            cap -= 1
        left = room() - sum(width(n, cap) for n in names[:shown_n])
    columns = []
    for name in names[:shown_n]:
        w = width(name, cap)
        if left and w < natural[name]:
            w, left = w + 1, left - 1
        columns.append([name, w, right[name], least[name]])
    return columns, room() if line else float("inf")


def widen(columns, room, row):
    """Widen the columns for a row that came after the sample."""
    for column in columns:
        value, text = row.get(column[0], ("", ""))
        need = needed(value if isinstance(value, Number) else text)
        if need <= column[1]:
            continue
        column[3] = need
        while column[1] < need:
            if sum(c[1] for c in columns) >= room:
                widest = max(columns, key=lambda c: c[1] - c[3])
                if widest[1] <= widest[3]:
                    break
                widest[1] -= 1
            column[1] += 1


def padded(text, width, right):
    pad = " " * (width - cells(text))
    return pad + text if right else text + pad


def joined(line):
    """The cells of a line, without padding after the last text."""
    while line and not line[-1][0]:
        line.pop()
    return GAP.join(padded(*cell) if cell is not line[-1] or cell[2] else cell[0] for cell in line)


def headings(row, said, line, most):
    """The lines for what is the same in all rows, where the row has another than was said."""
    for name in said:
        value, text = row.get(name, (None, ""))
        if (type(value), text) == said[name]:
            continue
        said[name] = type(value), text
        text = (clean(name) or '""') + ":" + (" " + text if text else "")
        width = line - 2 if line > 4 else float("inf")
        parts = wrap(text, width)
        if most and len(parts) > most:
            parts = cut_lines(text, parts, most, width)
        for i, part in enumerate(parts):
            yield ("  " if i else "= ") + part


def cut_lines(text, parts, most, width):
    """The first lines, the last of them cut."""
    for part in parts[:most - 1]:
        text = text[len(part):]
        text = text[1:] if text.startswith(" ") else text
    return parts[:most - 1] + [cut(text, width)]


def table(lines, line, most, size):
    rows = [members(text) for text in lines]
    names = []
    for row in rows[:size]:
        names += [name for name in row if name not in names]
    assert len(names) <= MOST
    sample = [row for row in rows[:size] if row]
    same = [name for name in names if len(sample) > 1 and
            len({(type(row[name][0]), row[name][1]) if name in row else () for row in sample}) == 1]
    said = {}
    if len(same) < len(names):
        names = [name for name in names if name not in same]
        said = dict.fromkeys(same)
        yield from headings(sample[0], said, line, most)
    columns, room = lay_out(names, rows[:size], line)
    head = GAP.join(padded(cut(clean(n) or '""', w), w, r) for n, w, r, _ in columns)
    if len(columns) < len(names):
        yield head + GAP + "+%d" % (len(names) - len(columns))
    else:
        yield joined([(cut(clean(n) or '""', w), w, r) for n, w, r, _ in columns])
    yield GAP.join("-" * w for _, w, _, _ in columns)
    for row, source in zip(rows, lines):
        if not any(name in row for name in names):
            for i, part in enumerate(wrap(clean(source), line - 2 if line > 4 else float("inf"))):
                yield ("  " if i else "? ") + part
            continue
        texts = []
        yield from headings(row, said, line, most)
        widen(columns, room, row)
        for name, w, _, _ in columns:
            value, text = row.get(name, ("", ""))
            parts = wrap(text, w)
            if most and len(parts) > most and not isinstance(value, Number):
                parts = cut_lines(text, parts, most, w)
            texts.append(parts)
        for i in range(max(map(len, texts))):
            yield joined([(t[i] if i < len(t) else "", w, r) for t, (_, w, r, _) in zip(texts, columns)])


def make(seed, n):
    draw = random.Random(seed)
    letters = "abcdefg  hijk  ÄéЖ日本語👍⭐" + "e\u0301" + "\n\t\u202e\x1b\"\\" + "\u3164\u2800\u180b\U000e0101❤\ufe0f"

    def text(most):
        return "".join(draw.choice(letters) for _ in range(draw.randint(0, most)))

    def scalar():
        return draw.choice([lambda: draw.choice(["0.10", "1e400", "-7", "12345678901234567890"]),
                            lambda: json.dumps(text(draw.choice([5, 30, 200])), ensure_ascii=draw.random() < .5),
                            lambda: draw.choice(["true", "false", "null"])])()

    def value():
        if draw.random() < .8:
            return scalar()
        return "[" + ",".join(scalar() for _ in range(draw.randint(0, 4))) + "]" if draw.random() < .7 else \
            '{"x":[%s]}' % scalar()
    names = []
    while len(names) < draw.randint(1, 12):
        name = text(12)
        if name not in names:
            names.append(name)
    numbers = {name for name in names if draw.random() < .3}
    same = {name: value() for name in names if draw.random() < .2}
    for _ in range(n):
        chosen = [name for name in names if name in same or draw.random() < .8] or names[:1]
        print("{" + ",".join(json.dumps(name) + ":" + (same[name] if name in same and draw.random() < .98 else
                                                      draw.choice(["1", "2.50", "-300"]) if name in numbers else value())
                             for name in chosen) + "}")


if sys.argv[1] == "--make":
    make(int(sys.argv[2]), int(sys.argv[3]))
else:
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    lines = [text for text in sys.stdin.read().split("\n") if text]
    for out in table(lines, int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 1000):
        print(out)
