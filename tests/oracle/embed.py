#!/usr/bin/env python3
"""hash-v1 to hash-v4 again, from lh-hash-v1(7) to lh-hash-v4(7) and the tables, slowly.

    embed.py bits DIMENSION [MODEL] <RECORDS
                                          the vector of each record's text in base64,
                                        as lh-embed --encoding base64 has it
    embed.py probe <REQUESTS            {"texts":[...]} in, {"vectors","dimension","model"}
                                        out, a line each

The model is hash-v3 unless it is named, and that which a request names.

The tables lie in lib/ and share/ of this tree, or beside this file and above it.
"""
import base64
import functools
import json
import math
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MASK = (1 << 64) - 1
SPACE = b" \t\n\v\f\r"


def table(name):
    for path in os.path.join(HERE, os.path.basename(name)), os.path.join(HERE, "../../lib", name):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                return f.read()
    sys.exit(f"embed.py: no table {name}")


def read_words():
    return {m[1]: int(m[2]) for m in
            re.finditer(r'\{ "([^"]+)", (\d+) \}', table("embed/hashv1_words.inc"))}


def read_fold():
    text = table("text/fold.inc")
    many = []
    for m in re.finditer(r'"([^"]+)"', text[text.index("fold_many[]"):text.index("fold_tables[]")]):
        raw = re.sub(r"\\(\d{3})", lambda o: chr(int(o[1], 8)), m[1])
        many.append(raw.encode("latin-1").decode())
    direct = {}
    for m in re.finditer(r"\{ 0x(\w+), 0x\w+, fold_(\w+) \}", text):
        body = re.search(r"fold_%s\[\] = \{([^}]*)\}" % m[2], text)[1]
        for i, v in enumerate(re.findall(r"0x(\w+)", body)):
            v = int(v, 16)
            direct[int(m[1], 16) + i] = (
                ("GAP", "DROP")[v] if v < 2 else "WORD",
                many[v - 0xE000] if 0xE000 <= v < 0xE000 + len(many) else chr(v))
    ranges = [(int(a, 16), k) for a, k in re.findall(r"\{ 0x(\w+), FOLD_(\w+) \}", text)]
    return direct, ranges


WORDS = read_words()
DIRECT, RANGES = read_fold()


def kind(c):
    cp = ord(c)
    if cp < 0x80:
        return ("WORD", c.lower()) if c.isalnum() else ("GAP", "")
    if cp in DIRECT:
        return DIRECT[cp]
    return [k for lo, k in RANGES if lo <= cp][-1], c


def mix(x):
    x = (x ^ x >> 33) * 0xff51afd7ed558ccd & MASK
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53 & MASK
    return x ^ x >> 33


def H(s, seed):
    h = 0xcbf29ce484222325 ^ seed
    for b in s.encode():
        h = (h ^ b) * 0x100000001b3 & MASK
    return mix(h)


class Marks:
    """What stands before a word: see "Marks of emphasis"."""

    def __init__(self, data):
        self.data, self.before, self.value = data, 0, False

    def passed(self, at, in_word):
        b = self.data[at]
        if b < 0x80 and not in_word and b not in SPACE:
            self.value = b == 58 and at + 1 < len(self.data) and self.data[at + 1] in SPACE
        if b not in SPACE:
            self.before = b

    def name(self, at):
        d, b = self.data, self.before
        if not 65 <= d[at] <= 90 or at + 1 == len(d):
            return False
        nxt = d[at + 1]
        if 65 <= nxt <= 90:
            if at + 2 < len(d) and (d[at + 2] >= 0x80 or chr(d[at + 2]).isalnum()):
                return False
        elif nxt < 0x80 and not 97 <= nxt <= 122:
            return False
        return b >= 0x80 or b != 0 and (chr(b).isalnum() or b in b",:(/)'\"")


def around(gap):
    """Is white space directly before, and is there nothing else?"""
    return gap[-1:] != b"" and gap[-1] in SPACE, gap != b"" and all(b in SPACE for b in gap)


def tokens(text):
    """(folded, single, joined, name, value, open, spaced) in order."""
    marks, at, joined = Marks(text.encode()), 0, False
    word, flags = "", (False, False)
    gap = b" "      # between the token before and here; before the text as if white space were
    for c in text:
        size = len(c.encode())
        k, to = kind(c)
        if k == "GAP" and c in "+#" and 0 < len(word) < 3:
            k, to = "WORD", c
        if k == "DROP":
            at += size
            continue
        if word and k != "WORD":
            yield word, False, False, *flags
            word, gap = "", b""
        if k == "WORD":
            if not word:
                flags = (ord(c) < 0x80 and marks.name(at), ord(c) < 0x80 and marks.value, *around(gap))
            word += to
            joined = False
        elif k == "SOLO":
            yield to, True, joined, False, False, *around(gap)
            joined, gap = True, b""
        else:
            joined = False
            gap += c.encode()
        marks.passed(at + size - 1, k == "WORD")
        at += size
        if len(word) >= 64:
            yield word, False, False, *flags
            word, gap = "", b""
    if word:
        yield word, False, False, *flags


def vowel(w, i):
    return i > 0 and not vowel(w, i - 1) if w[i] == "y" else w[i] in "aeiou"


def stem(w):
    if not re.fullmatch("[a-z]+", w):
        return w
    if len(w) > 4 and w.endswith("ies"):
        w = w[:-3] + "y"
    elif len(w) > 4 and w.endswith(("sses", "xes", "ches", "shes")):
        w = w[:-2]
    elif len(w) > 3 and w[-1] == "s" and w[-2] not in "sui":
        w = w[:-1]
    whole = w
    if len(w) > 5 and w.endswith("ing") and any(vowel(w, i) for i in range(len(w) - 3)):
        w = w[:-3]
    elif len(w) > 4 and w.endswith(("ed", "er", "or")) and any(vowel(w, i) for i in range(len(w) - 2)):
        w = w[:-2]
    elif len(w) > 6 and w.endswith("tion"):
        w = w[:-3]
    if w != whole and len(w) > 3 and w[-1] == w[-2] and w[-1] not in "aeiouls":
        w = w[:-1]
    if len(w) > 3 and w[-1] == "e":
        w = w[:-1]
    if len(w) > 3 and w[-1] == "y":
        w = w[:-1] + "i"
    return w


class Place:
    """The emphasis of hash-v1."""

    def __init__(self):
        self.where = False

    def single(self):
        pass

    def word(self, word, weight, name, value, opened, spaced):
        marked = self.where and name
        self.where = marked or word == "in" and not name
        if name:
            weight = max(weight, 195)
        return weight * (9 if name else 8) * (10 if value else 8) * (12 if marked else 8)


class Phrases:
    """The emphasis of hash-v2."""

    COUNTED = (16, 14, 13, 12, 11, 11), (24, 21, 18, 16, 15, 13)
    PLACE = (14,) * 6, (20,) * 6

    def __init__(self):
        self.before = self.runs = 0
        self.last_value = self.last_name = self.title = self.counted = False
        self.due = self.phrase = None
        self.names, self.words = False, 0

    def single(self):
        self.before += 1
        self.last_value = self.last_name = False
        self.due = self.phrase = None

    def label(self, name, value):
        if value and not self.last_value:
            self.runs += 1
            if self.runs == 1:
                self.title = self.before <= 5
        if not value or not self.title:
            return 8
        if self.runs == 1:
            return 28
        return 16 if name else 8

    def mark(self, word, weight, name, opened, spaced):
        if word.isascii() and word.isdigit():
            self.phrase = None
            self.due = self.COUNTED if len(word) <= 3 and opened and not self.last_name else None
            return 8
        strong = weight >= 128
        if self.due and spaced and (name or strong):
            self.phrase, self.names, self.words = self.due, name, 0
            self.counted = self.counted or self.due is self.COUNTED
        elif not (self.phrase and spaced and self.words < 6 and (name or strong and not self.names)):
            self.phrase = None
        self.due = self.PLACE if self.counted and word == "in" and not name else None
        if not self.phrase:
            return 8
        self.words += 1
        return self.phrase[self.names][self.words - 1]

    def word(self, word, weight, name, value, opened, spaced):
        by = 8 * self.label(name, value) * self.mark(word, weight, name, opened, spaced)
        self.last_value, self.last_name = value, name
        self.before += 1
        return math.isqrt(math.isqrt(255 * weight ** 3)) * by


MODELS = {"hash-v1": (Place, 10, 30), "hash-v2": (Phrases, 14, 40)}

# hash-v3: which texts are about staffing, from lh-hash-v3(7).


def read_lists():
    text = table("embed/hashv3_words.inc")
    return {name: set(re.findall(r"\w+", "".join(re.findall('"([^"]*)"', body))
                                 if name == "states" else body))
            for name, body in re.findall(r"(\w+)\[\] =([^;]*);", text)}


def word_of(piece):
    found = re.search(r"[A-Za-z0-9\x80-\U0010ffff](?:.*[A-Za-z0-9\x80-\U0010ffff])?", piece, re.S)
    return found[0] if found else ""


def small(s):
    return re.sub("[A-Z]", lambda m: m[0].lower(), s)


class Staffing:
    def __init__(self):
        lists = read_lists()
        self.own, self.other, self.verbs = lists["own_labels"], lists["labels"], lists["verbs"]
        self.occupations, self.states = lists["occupations"], lists["states"]

    def holds(self, text):
        pieces = [p for p in re.split("[\0-\x20]+", text) if p]
        self.pieces, self.words = pieces, [small(word_of(p)) for p in pieces]
        if self.record():
            return True
        return len(pieces) <= 40 and (self.order() or any(map(self.occupation, range(len(pieces))[:16])) and
                                      any(map(self.place, range(len(pieces))[:16])))

    def record(self):
        labels = [i for i, p in enumerate(self.pieces[:40]) if p == word_of(p) + ":"]
        own = sum(self.words[i] in self.own for i in labels)
        return bool(labels) and labels[0] < 5 and own > 0 and \
            own + sum(self.words[i] in self.other for i in labels) > 1

    def occupation(self, i):
        return self.words[i] in self.occupations or \
            self.words[i][-1:] == "s" and self.words[i][:-1] in self.occupations

    def place(self, i):
        return i > 0 and self.pieces[i][:2] in self.states and word_of(self.pieces[i]) == self.pieces[i][:2] and \
            re.match("[A-Z][^A-Z]", self.pieces[i - 1], re.S) is not None and \
            (i > 1 or self.pieces[0][-1] == ",")

    def order(self):
        for i, piece in list(enumerate(self.pieces[:-1]))[:9]:
            if not re.fullmatch("[0-9]{1,3}", piece) or not re.match(r"[A-Za-z\x80-\U0010ffff]", self.pieces[i + 1]):
                continue
            after = range(i + 1, len(self.pieces))
            asked = i > 0 and (self.words[i - 1] in self.verbs or i > 1 and self.words[i - 2:i] == ["looking", "for"])
            time = any(re.fullmatch("[0-9]{1,2}:[0-9]{2}", self.words[k]) for k in after)
            place = any(map(self.place, after))
            role = any(map(self.occupation, after[:3]))
            if asked and (role or time or place) or i == 0 and (role or time and place):
                return True
        return False


STAFFING = Staffing()


class Sum:
    def __init__(self, dimension, model):
        emphasis, self.repeat, self.half = MODELS[model]
        self.marks = emphasis()
        self.sums, self.dimension, self.count = [0] * dimension, dimension, 0
        self.place, self.times = {}, {}

    def token(self):
        if self.count == 1024:
            self.count, self.place, self.times = 0, {}, {}
        self.count += 1

    def add(self, features, emphasis):
        identity = features[0][0]
        p = self.place.setdefault(identity, len(self.place))
        t = self.times.get(identity, 0)
        self.times[identity] = t + 1
        c, half = self.repeat, self.half
        factor = (256 * (c + 12) * (t + 1) // (c * (t + 1) + 12) - 256 * (c + 12) * t // (c * t + 12)) * emphasis
        factor = factor * (4096 * half // (half + p)) >> 21
        for h, size in features:
            for _ in range(2):
                self.sums[(h & 0xffffffff) * self.dimension >> 32] += factor * (-size if h >> 63 else size)
                h = mix((h + 0x9e3779b97f4a7c15) & MASK)

    def word(self, word, *flags):
        s = stem(word)
        weight = WORDS.get(s, 255)
        features = [(H(s, 1), 724)]
        if weight >= 52 and not re.fullmatch("[0-9]+", s):
            marked = "^" + s
            grams = [marked[i:i + g] for g in (3, 4, 5) for i in range(len(marked) - g + 1)]
            if grams:
                size = math.isqrt(1048576 // (2 * len(grams)))
                features += [(H(g, 2), size) for g in grams]
        self.add(features, self.marks.word(word, weight, *flags))


class Table:
    """The word pieces of hash-v4."""

    def __init__(self):
        path = next(filter(os.path.exists, (os.path.join(HERE, up, "hash-v4.table") for up in ("../../share", ".."))))
        with open(path, "rb") as f:
            data = f.read()
        n, size = struct.unpack_from("<II", data, 8)
        at = struct.unpack_from("<%dI" % (n + 1), data, 16)
        self.factor = struct.unpack_from("<%dH" % n, data, 20 + 4 * n)
        self.rows, text = 20 + 6 * n, data[-size:]
        self.data, self.row = data, {text[a:b]: i for i, (a, b) in enumerate(zip(at, at[1:]))}

    def add(self, word, sums):
        word, at = word.encode(), 0
        while at < len(word):
            mark = b"##" if at else b""
            ends = [e for e in range(min(len(word), at + 32), at, -1) if mark + word[at:e] in self.row]
            if not ends:
                break
            i, at = self.row[mark + word[at:ends[0]]], ends[0]
            row = self.data[self.rows + 128 * i:][:128]
            for k, n in enumerate([b & 15 for b in row] + [b >> 4 for b in row]):
                sums[k] += (2 * n - 15) * self.factor[i]


@functools.cache
def pieces():
    return Table()


def scaled(sums, share):
    by = share / math.sqrt(sum(x * x for x in sums)) if any(sums) else 0
    return struct.pack("<%df" % len(sums), *(x * by for x in sums))


def embed_v4(text):
    staffing = STAFFING.holds(text)
    sums = [0] * 256
    for t, single, *_ in tokens(text):
        if not single:
            pieces().add(t, sums)
    words, table = (0.85, 0.15) if staffing else (0.45, 0.55)
    return scaled(sums_of(text, 512, "hash-v2" if staffing else "hash-v1"), math.sqrt(words) if any(sums) else 1) + \
        scaled(sums, math.sqrt(table))


def embed(text, dimension, model):
    if model == "hash-v4":
        return embed_v4(text)
    if model == "hash-v3":
        model = "hash-v2" if STAFFING.holds(text) else "hash-v1"
    return scaled(sums_of(text, dimension, model), 1)


def sums_of(text, dimension, model):
    s, last, empty = Sum(dimension, model), 0, True
    for t, single, joined, *flags in tokens(text):
        empty = False
        s.token()
        if not single:
            s.word(t, *flags)
            continue
        s.marks.single()
        h = H(t, 3)
        s.add([(h, 724)], 128 * 512)
        if joined:
            s.add([(mix((3 * last + h + 4) & MASK), 724)], 255 * 512)
        last = h
    if empty:
        for c in text:
            s.token()
            s.add([(H(c, 5), 724)], 255 * 512)
    if not any(s.sums):
        s.sums[0] = 67108864
    return s.sums


def answer(request, dimension=768):
    model = request.get("model") or "hash-v3"
    vectors = [struct.unpack("<%df" % dimension, embed(text, dimension, model)) for text in request["texts"]]
    return {"vectors": vectors, "dimension": dimension, "model": model}


def main():
    if sys.argv[1] == "bits":
        model = (sys.argv[3:] or ["hash-v3"])[0]
        for line in sys.stdin:
            print(base64.b64encode(embed(json.loads(line)["text"], int(sys.argv[2]), model)).decode())
    else:
        for line in sys.stdin.buffer:
            print(json.dumps(answer(json.loads(line)), separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
