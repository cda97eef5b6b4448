#!/usr/bin/env python3
"""A review of a diff by another hand: from lh-review(1), nothing of the C.

    review.py bundles DIFF              a line a bundle: {"paths","size","prompt"}
    review.py findings DIFF ANSWERS MODEL[=LINEAGE]...
                                        the findings of answers, {"content":...} by
                                        bundle and model, as lh-review prints them
    review.py lineage MODEL...          the lineage of each
"""
import hashlib
import json
import re
import sys

BUNDLE, FILE, NEAR = 60 * 1024, 100 * 1024, 3
ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
QUOTED = re.compile(rb'"((?:[^"\\\0]|\\[abtnvfr"\\]|\\[0-3][0-7][0-7])+)"')
RANGE = rb"\d{1,18}(?:,(\d{1,18}))? "
HEADER = re.compile(rb"(index |(old|new|new file|deleted file) mode |mode |(dis)?similarity index "
                    rb"|(rename|copy) (from|to) |--- |\+\+\+ )")


def unquote(match):
    def byte(m):
        e = m.group(1).decode()
        return bytes([ESCAPES[e] if e in ESCAPES else int(e, 8)])
    return re.sub(rb'\\([abtnvfr"\\]|[0-7]{3})', byte, match.group(1))


def name(text):
    m = QUOTED.match(text)
    return unquote(m) if m else text


def git_names(rest):
    """The path of "diff --git", and whether that is sure."""
    pairs = []
    m = QUOTED.match(rest)
    if m and rest[m.end():m.end() + 1] == b" ":
        pairs = [(unquote(m), name(rest[m.end() + 1:]))]
    elif b' "' in rest:
        i = rest.index(b' "')
        pairs = [(rest[:i], name(rest[i + 1:]))]
    else:
        spaces = [i for i in range(len(rest)) if rest[i:i + 1] == b" "]
        middle = len(rest) // 2
        if middle in spaces:
            spaces.insert(0, middle)
        pairs = [(rest[:i], rest[i + 1:]) for i in spaces]
    for a, b in pairs:
        if a == b:
            return b, True
        p, q = a.partition(b"/")[2], b.partition(b"/")[2]
        if p and p == q:
            return q, True
    return pairs[-1][1] if pairs else None, False


class File:
    def __init__(self, path, sure):
        self.path, self.sure, self.lines, self.old, self.hunks = path, sure, [], b"", 0

    def header(self, line):
        m = re.match(rb"(rename|copy) to (.+)", line, re.S)
        if m:
            self.path, self.sure = name(m.group(2)), True
        elif line.startswith(b"--- "):
            self.old = name(line[4:].partition(b"\t")[0])
        elif line.startswith(b"+++ ") and not self.sure:
            new = name(line[4:].partition(b"\t")[0])
            if new == b"/dev/null":
                self.path = self.old[2:] if self.old.startswith(b"a/") else self.old
            elif new.startswith(b"b/") and (self.old.startswith(b"a/") or self.old == b"/dev/null"):
                self.path = new[2:]
            else:
                self.path = new
            self.sure = True


def hunk(line):
    """The numbers of lines, by parent and then of the new side; None."""
    ats = re.match(rb"@+", line)
    if not ats or len(ats.group()) < 2:
        return None
    n = len(ats.group())
    m = re.match(b"@" * n + b" " + b"-" .join([b""] + [RANGE] * (n - 1)) + rb"\+" + RANGE + b"@" * n, line)
    return [1 if g is None else int(g) for g in m.groups()] if m else None


def files(diff):
    """The parts (path, bytes) of a diff that is well-formed."""
    out, i = [], 0
    lines = re.findall(rb"[^\n]*\n|[^\n]+", diff)

    def word(k):
        return re.sub(rb"\r?\n?\Z", b"", lines[k]) if k < len(lines) else b""

    while i < len(lines):
        line = word(i)
        if line.startswith(b"diff --git ") and b" " in line[11:]:
            open_file = File(*git_names(line[11:]))
        elif re.match(rb"diff --(cc|combined) .", line):
            open_file = File(name(line.split(b" ", 2)[2]), True)
        elif line.startswith(b"--- ") and word(i + 1).startswith(b"+++ ") and hunk(word(i + 2)):
            open_file = File(b"", False)
            open_file.header(line)
            open_file.lines.append(lines[i])
            i += 1
            line = word(i)
            open_file.header(line)
        else:
            i += 1
            continue
        open_file.lines.append(lines[i])
        i = body(lines, i + 1, open_file, word)
        out.append((open_file.path, b"".join(open_file.lines)))
    return out


def body(lines, i, f, word):
    """Take the lines of a part from i on; where it ends."""
    binary = False
    while i < len(lines):
        line = word(i)
        left = hunk(line)
        if left:
            f.lines.append(lines[i])
            f.hunks += 1
            i += 1
            while any(left):
                line = word(i)
                f.lines.append(lines[i])
                i += 1
                if line.startswith(b"\\"):
                    continue
                marks = line[:len(left) - 1].ljust(len(left) - 1).decode("latin-1")
                gone = "-" in marks
                for k, c in enumerate(marks):
                    left[k] -= c == "-" if gone else c == " "
                left[-1] -= not gone
            continue
        if binary and (not line or re.match(rb"(literal|delta) ", line) or
                       (len(line) <= 66 and len(line) % 5 == 1 and b" " not in line)):
            i += 1
            continue
        if f.hunks and line.startswith(b"\\"):
            pass
        elif binary or f.hunks or not (HEADER.match(line) or re.match(rb"GIT binary patch|Binary files ", line)):
            return i
        binary = line.startswith(b"GIT binary patch")
        f.header(line)
        f.lines.append(lines[i])
        i += 1
    return i


def utf8(data):
    out = ""
    while data:
        try:
            return out + data.decode()
        except UnicodeDecodeError as e:
            out += data[:e.start].decode() + "\ufffd"
            data = data[e.start + 1:]
    return out


def listed(path):
    """The path as the prompt lists it."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None and not re.search(r'[\0-\x1f\x7f"]', text):
        return text
    back = {v: "\\" + k for k, v in ESCAPES.items()}
    return '"' + "".join(back.get(b) or (chr(b) if 32 <= b < 127 else "\\%03o" % b) for b in path) + '"'


def bundles(diff):
    out = []
    for path, text in files(diff):
        if len(text) > FILE:
            continue
        if not out or path in out[-1]["paths"] or out[-1]["size"] + len(text) > BUNDLE:
            out.append({"paths": [], "size": 0, "text": ""})
        out[-1]["paths"].append(path)
        out[-1]["size"] += len(text)
        out[-1]["text"] += utf8(text) + ("" if text.endswith(b"\n") else "\n")
    for b in out:
        mark = hashlib.sha256(b["text"].encode()).hexdigest()[:16]
        b["prompt"] = "The files of the diff:\n%s\n===== diff %s begins =====\n%s===== diff %s ends =====\n" % (
            "".join(listed(p) + "\n" for p in b["paths"]), mark, b["text"], mark)
    return out


def lineage(model):
    bare = model.rpartition("/")[2].partition(":")[0]
    words = re.split(r"[-_]", bare)
    keep = [re.match(r"[^0-9]*", words[0]).group()]
    if keep[0] == words[0]:
        for w in words[1:]:
            if not w or re.search(r"[0-9]", w) or w.lower() in (
                    "nano", "micro", "tiny", "mini", "small", "medium", "large", "huge", "latest"):
                break
            keep.append(w)
    n = len("-".join(keep))
    return re.sub("[A-Z]", lambda m: m.group().lower(), bare[:n] or bare) or model


def text_after(s):
    s = s.lstrip("*`_\"')]}>|,;:.!?").strip(" \t")
    for dash in "|", "-", ":", "\u2013", "\u2014":
        if s.startswith(dash):
            s = s[len(dash):].strip(" \t")
    return s if s.strip(" \t*`|") else ""


def placed(where, paths):
    """(number of the path, path, line, rest); the number is None if it is not one of them."""
    dropped = ""        # marks at the end that are text if there is other text before them
    for marks in "", " \t*`", " \t*`_\"'()[]<>|":
        where = where.lstrip(marks) if marks else where
        bare = where.rstrip(marks) if marks else where
        where, dropped = bare, where[len(bare):] + dropped
        first = None
        for i in [i for i in range(len(where) - 1, -1, -1) if where[i] == ":"]:
            m = re.match(r"[0-9]{1,9}(?![0-9])", where[i + 1:])
            if not m or not int(m.group()):
                continue
            rest = re.sub("^(-L?|:|[.][.]|\u2013)[0-9]+", "", where[i + 1 + m.end():])
            if re.match(r"[.]?[A-Za-z0-9/\\]", rest):
                continue
            path = where[:i].strip(marks) if marks else where[:i]
            q = QUOTED.fullmatch(path.encode())
            raw = unquote(q) if q else path.encode()
            text = text_after(rest)
            here = (None, path, int(m.group()), text and text + dropped)
            if raw in paths:
                return (paths.index(raw),) + here[1:]
            first = first or here
    return first or (None, where, None, "")


def places(where, paths):
    """What one line has: a list of what placed returns."""
    number, path, at, rest = placed(where, paths)
    begin = 0 if number is None else where.rindex(rest) if rest else len(where)
    for m in re.finditer("WHERE:", where[begin:]):
        i = begin + m.start()
        tail = where[i + m.end() - m.start():].strip(" \t")
        if (" " + where)[i] in " \t*`(;,|" and placed(tail, paths)[2]:
            return [placed(where[:i].strip(" \t"), paths)] + places(tail, paths)
    return [(number, path, at, rest)]


def findings(answer, paths):
    answer = answer.strip(" \t\n\v\f\r")
    if answer.startswith("<think>") and "</think>" in answer:
        answer = answer.partition("</think>")[2]
    out = []
    for line in answer.split("\n"):
        m = re.match(r"(?:[ \t*`#>0-9.)_|(\[\]\u0080-\U0010ffff]|- |-$)*WHERE[*_`]*:(.*)", line, re.S)
        if m:
            out += [{"file": number, "path": path, "line": at, "text": rest}
                    for number, path, at, rest in places(m.group(1).strip(" \t\r"), paths)]
        elif out:
            out[-1]["text"] += "\n" + line
    for f in out:
        f["text"] = f["text"].strip(" \t\n\v\f\r")
    return out


def review(diff, answers, models):
    answers = iter(answers)
    for b in bundles(diff):
        groups = []
        for m, _ in models:
            for f in findings(next(answers)["content"], b["paths"]):
                f["model"] = m
                for g in groups:
                    if f["file"] is not None and g[0]["file"] == f["file"] and abs(g[0]["line"] - f["line"]) <= NEAR:
                        g.append(f)
                        break
                else:
                    groups.append([f])
        groups.sort(key=lambda g: (g[0]["file"] is None, g[0]["file"] or 0, g[0]["line"] or 0)
                    if g[0]["file"] is not None else (True, 0, 0))
        for g in groups:
            said = {f["model"] for f in g}
            names = list(dict.fromkeys(m for m, _ in models if m in said))
            lineages = list(dict.fromkeys(x for m, x in models if m in said))
            row = {"path": utf8(b["paths"][g[0]["file"]]) if g[0]["file"] is not None else g[0]["path"],
                   "line": g[0]["line"], "models": names, "lineages": lineages, "convergent": len(lineages) > 1,
                   "text": g[0]["text"]}
            if g[0]["file"] is None:
                row["unplaced"] = True
            if len(g) > 1:
                row["also"] = [{k: f[k] for k in ("model", "line", "text")} for f in g[1:]]
            yield row


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == "lineage":
        for m in args:
            print(lineage(m))
        return
    with open(args[0], "rb") as f:
        diff = f.read()
    if command == "bundles":
        for b in bundles(diff):
            print(json.dumps({"paths": [utf8(p) for p in b["paths"]], "size": b["size"], "prompt": b["prompt"]}))
    elif command == "findings":
        with open(args[1], encoding="utf-8") as f:
            answers = [json.loads(line) for line in f]
        models = [(m, x or lineage(m)) for m, _, x in (a.partition("=") for a in args[2:])]
        for row in review(diff, answers, models):
            print(json.dumps(row, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
