#!/usr/bin/env python3
"""The tokens of texts by another hand, and the texts and vocabularies to compare on.

    tokens.py run MODEL <TEXTS       a JSON string a line; a JSON array of token ids a line
    tokens.py texts MODEL [--count N] [--seed N] [--assigned]
                                     texts of all kinds, some of its vocabulary, as JSON
    tokens.py points [--assigned]    every code point but the surrogates, in texts, as JSON
    tokens.py json MODEL             its vocabulary as the tokenizer.json that models of its kind
                                     come with elsewhere
    tokens.py vocabulary NAME FILE   a model that has a vocabulary and no tensors; NAME is one
                                     of those in VOCABULARIES
    tokens.py model NAME [--architecture A] FILE
                                     a whole model with that vocabulary

Written from the description of the tokenizers with the tables of Python's unicodedata, and
nothing of the C.  Code points that were assigned after its version of Unicode may differ;
--assigned leaves out those that are not assigned in it.
"""
import argparse
import base64
import functools
import json
import os
import random
import re
import struct
import sys
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make  # noqa: E402
import oracle  # noqa: E402
import pieces  # noqa: E402

TOKENIZER = "tokenizer.ggml."
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
WHITE_SPACE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029,
               0x202F, 0x205F, 0x3000}
CJK = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF),
       (0x2A700, 0x2B81F), (0x2B920, 0x2CEAF), (0x2F800, 0x2FA1F))


# ---- WordPiece ----

@functools.lru_cache(None)
def becomes(c):
    """What a character is in words: space, nothing, itself or a word of its own."""
    c = unicodedata.normalize("NFD", c)[0]
    category = unicodedata.category(c)
    if ord(c) in WHITE_SPACE:
        return [""]
    if c in "\0\ufffd" or category in ("Cc", "Cf", "Co") or category[0] == "M":
        return []
    if (category[0] == "P" or c < "\x7f" and category[0] == "S"
            or any(a <= ord(c) <= b for a, b in CJK)):
        return ["", c.lower(), ""]
    return [c.lower()]


def divide(text):
    """The words of a text, normalised."""
    words = [""]
    for c in text:
        to = becomes(c)
        if to and to[0]:
            words[-1] += to[0]
        else:
            words += to
    return [w for w in words if w]


def wordpiece(model, text):
    out = []
    for word in divide(text):
        left, ids = "\u2581" + word, []
        while left and ids is not None:
            n = next((n for n in range(min(len(left), model.longest), 0, -1)
                      if left[:n] in model.id), 0)
            ids = ids + [model.id[left[:n]]] if n else None
            left = left[n:]
        out += [model.unknown] if ids is None else ids
    return out


# ---- Unigram ----

def replaced(model, data):
    """The longest beginning that the map replaces: its length and what it becomes."""
    units, texts = model.units, model.texts

    def offset(u):
        return (u >> 10) << (8 if u & 512 else 0)

    found = 0, b""
    if not units:
        return found
    at = offset(units[0])
    for i, byte in enumerate(data):
        at ^= byte
        if byte == 0 or units[at] & 0x800000FF != byte:
            break
        leaf = units[at] & 256
        at ^= offset(units[at])
        if leaf:
            begin = units[at] & 0x7FFFFFFF
            found = i + 1, texts[begin:texts.index(b"\0", begin)]
    return found


def width(byte):
    """The bytes of a code point by its first."""
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


def normalised(model, text):
    data, out = text.encode(), b""
    while data:
        # any beginning of a user-defined token stays, even a part of a code point
        n = next((n for n in range(model.longest_user, 0, -1) if data[:n] in model.begins), 0)
        to = data[:n]
        if not n:
            n, to = replaced(model, data)
        if not n and data[0] & 0xC0 == 0x80:
            n, to = 1, "\ufffd".encode()
        elif not n:
            n = width(data[0])
            to = data[:n]
        out += to
        data = data[n:]
    mark = "\u2581".encode()
    if model.merge:
        return b"".join(mark + w for w in out.split(b" ") if w)
    if model.prefix and out.strip(b" "):
        at = len(out) - len(out.lstrip(b" "))
        out = out[:at] + b" " + out[at:]
    return out.replace(b" ", mark)


def unigram(model, text):
    """The whole text at once; ends of the best divisions by position."""
    text = normalised(model, text)
    best = [(0.0, 0, 0)] + [(float("-inf"), 0, 0)] * len(text)
    i = 0
    while i < len(text):
        one = min(width(text[i]), len(text) - i)
        offers = [(n, model.bytes[text[i:i + n]]) for n in range(1, model.longest_bytes + 1)
                  if i + n <= len(text) and text[i:i + n] in model.bytes]
        offers = [(n, id_, model.score[id_]) for n, id_ in offers]
        if not any(n == one for n, _, _ in offers):
            offers.append((one, model.unknown, model.unknown_score))
        for n, id_, s in offers:
            if best[i][0] + s > best[i + n][0]:
                best[i + n] = best[i][0] + s, id_, n
        i += one
    out = []
    while i:
        _, id_, n = best[i]
        i -= n
        if not (out and id_ == model.unknown == out[-1]):
            out.append(id_)
    return out[::-1]


# ---- BPE ----

@functools.lru_cache(None)
def class_of(wanted):
    """The inside of a class of re: the characters of categories, or White_Space."""
    is_in = [ord(c) in WHITE_SPACE if wanted == "s" else unicodedata.category(c)[0] == wanted
             for c in map(chr, range(0x110000))]
    spans, begin = "", None
    for c, now in enumerate(is_in + [False]):
        if now and begin is None:
            begin = c
        elif not now and begin is not None:
            spans += "\\U%08x-\\U%08x" % (begin, c - 1)
            begin = None
    return spans


@functools.lru_cache(None)
def pattern(text):
    """A regular expression with classes of Unicode, for re."""
    text = text.replace(r"\S", r"[^\s]")
    inside, out, i = False, "", 0
    while i < len(text):
        found = re.match(r"\\(?:p\{(\w)\}|(s))", text[i:])
        if found:
            spans = class_of(found[1] or "s")
            out += spans if inside else "[%s]" % spans
            i += found.end()
            continue
        inside = text[i] == "[" or inside and text[i] != "]"
        out += text[i]
        i += 1
    return re.compile(out)


GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA = (r"'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|NUMBER"
         r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PATTERNS = {"llama": [LLAMA.replace("NUMBER", r"\p{N}{1,3}")], "gpt2": [GPT2],
            "qwen": [LLAMA.replace("NUMBER", r"\p{N}")],
            "default": [r"[\p{P}$+<=>^~|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]}


def words_of(text, kind):
    """What each pattern matches, and what is between, becomes a part for the next one."""
    parts = [text]
    for one in PATTERNS[kind]:
        new = []
        for part in parts:
            at = 0
            for m in pattern(one).finditer(part):
                new += [part[at:m.start()], m[0]]
                at = m.end()
            new.append(part[at:])
        parts = [p for p in new if p]
    return parts


def merged(symbols, rank):
    """Symbols, after the pair of the lowest rank, the leftmost of such, was merged as often as
    there is one.  rank: infinite for no pair."""
    inf = float("inf")
    ranks = [rank(a, b) for a, b in zip(symbols, symbols[1:])]
    while ranks:
        best = min(ranks)
        if best == inf:
            break
        i = ranks.index(best)
        symbols[i:i + 2] = [symbols[i] + symbols[i + 1]]
        del ranks[i]
        if i > 0:
            ranks[i - 1] = rank(symbols[i - 1], symbols[i])
        if i < len(ranks):
            ranks[i] = rank(symbols[i], symbols[i + 1])
    return symbols


def bpe(model, text):
    out = []
    for word in words_of(text, model.pre):
        written = "".join(model.alphabet[b] for b in word.encode())
        if model.pre == "llama" and written in model.id:
            out.append(model.id[written])
            continue
        for s in merged(list(written), lambda a, b: model.ranks.get((a, b), float("inf"))):
            if s in model.id:
                out.append(model.id[s])
            else:		# what is no token is left out, but for single ASCII characters
                out += [model.id[c] for c in s if c < "\x7f" and c in model.id]
    return out


# ---- SentencePiece BPE ----

def spm(model, text):
    if not text:
        return []
    text = ((" " if model.prefix else "") + text).replace(" ", "\u2581")
    out = []
    for s in merged(list(text), lambda a, b: -model.score[model.id[a + b]]
                    if a + b in model.id else float("inf")):
        out += [model.id[s]] if s in model.id else [model.byte[b] for b in s.encode()]
    return out


# ---- models ----

class Model:
    def __init__(self, path):
        key = oracle.File(path).key
        get = {k[len(TOKENIZER):]: v for k, v in key.items() if k.startswith(TOKENIZER)}.get
        self.tokens = get("tokens")
        self.types = types = get("token_type", [NORMAL] * len(self.tokens))
        self.kind = get("model")
        self.unigram = self.kind == "t5"
        found = (NORMAL, USER_DEFINED, UNUSED) if self.unigram else range(7)
        self.id = {t: i for i, t in enumerate(self.tokens) if types[i] in found}
        self.longest = max(map(len, self.tokens))
        self.user = sorted((i for i, t in enumerate(types) if t == USER_DEFINED),
                           key=lambda i: (-len(self.tokens[i].encode()), i))
        self.unknown = get("unknown_token_id")
        first, last = get("bos_token_id"), get("seperator_token_id")
        if self.unigram:
            first = first if get("add_bos_token", False) else None
            last = get("eos_token_id") if get("add_eos_token", True) else None
            self.read_unigram(get, types)
        if self.kind in ("gpt2", "llama"):
            {"gpt2": self.read_bpe, "llama": self.read_spm}[self.kind](get)
            first = get("bos_token_id") if get("add_bos_token", self.adds) else None
            last = get("eos_token_id") if get("add_eos_token", False) else None
        self.ends = [[x] if x is not None else [] for x in (first, last)]

    def read_unigram(self, get, types):
        scores = get("scores")
        self.score = [0.0 if t == USER_DEFINED else s for s, t in zip(scores, types)]
        self.unknown_score = min(s for s, t in zip(scores, types) if t == NORMAL) - 10
        self.prefix, self.merge = get("add_space_prefix"), get("remove_extra_whitespaces")
        self.bytes = {t.encode(): i for t, i in self.id.items()}
        self.longest_bytes = max(map(len, self.bytes))
        users = [self.tokens[i].encode() for i in self.user]
        self.longest_user = max(map(len, users), default=0)
        self.begins = {u[:n] for u in users for n in range(1, len(u) + 1)}
        self.charsmap = data = bytes(get("precompiled_charsmap", b"\0\0\0\0"))
        n, = struct.unpack_from("<I", data)
        self.units, self.texts = struct.unpack_from("<%dI" % (n // 4), data, 4), data[4 + n:]

    def read_bpe(self, get):
        self.alphabet = pieces.alphabet()
        self.ranks = {}
        for i, merge in enumerate(get("merges")):
            at = merge.find(" ", 1)
            if at > 0:
                self.ranks.setdefault((merge[:at], merge[at + 1:]), i)
        self.pre = {"llama-bpe": "llama", "qwen2": "qwen"}.get(get("pre"), "gpt2")
        if get("pre", "default") == "default":
            self.pre = "default"
        self.adds = self.pre == "llama"

    def read_spm(self, get):
        self.score, self.prefix = get("scores"), get("add_space_prefix", True)
        self.byte = [self.id.get("<0x%02X>" % b, self.id.get(chr(b) if b < 128 else "",
                                                             self.unknown)) for b in range(256)]
        self.adds = True

    def written(self):
        """Tokens as they are in texts, as far as they are texts."""
        if self.kind != "gpt2":
            return self.tokens
        byte = {c: i for i, c in enumerate(self.alphabet)}
        return [bytes(byte[c] for c in t).decode(errors="ignore") if all(c in byte for c in t)
                else t for t in self.tokens]

    def fragment(self, text, user):
        """The tokens of a text that has none of the first user-defined tokens."""
        for k in range(user, len(self.user)):
            id_ = self.user[k]
            if self.tokens[id_] in text:
                parts = text.split(self.tokens[id_])
                out = self.fragment(parts[0], k + 1)
                for p in parts[1:]:
                    out += [id_] + self.fragment(p, k + 1)
                return out
        return {"bert": wordpiece, "t5": unigram, "gpt2": bpe, "llama": spm}[self.kind](self, text)

    def run(self, text):
        return self.ends[0] + self.fragment(text, 0) + self.ends[1]


# ---- tokenizer.json ----

def piece(token, special):
    """A token of WordPiece as its makers write it."""
    if special:
        return token
    return token[1:] if token[0] == "\u2581" else "##" + token


def tokenizer_json(model):
    special = [i for i, t in enumerate(model.types) if t in (UNKNOWN, CONTROL)]
    added = [{"id": i, "content": model.tokens[i], "single_word": False, "lstrip": False,
              "rstrip": False, "normalized": False, "special": True} for i in special]
    out = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
           "post_processor": None}
    if model.unigram:
        out["normalizer"] = {"type": "Precompiled", "precompiled_charsmap":
                             base64.b64encode(model.charsmap).decode()}
        out["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}]}
        out["decoder"] = out["pre_tokenizer"]["pretokenizers"][1]
        out["model"] = {"type": "Unigram", "unk_id": model.unknown,
                        "vocab": list(zip(model.tokens, model.score))}
        return out
    vocab = {piece(t, i in special): i for i, t in enumerate(model.tokens)}
    out["normalizer"] = {"type": "BertNormalizer", "clean_text": True, "lowercase": True,
                         "handle_chinese_chars": True, "strip_accents": None}
    out["pre_tokenizer"] = {"type": "BertPreTokenizer"}
    out["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    out["model"] = {"type": "WordPiece", "unk_token": model.tokens[model.unknown],
                    "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                    "vocab": vocab}
    return out


# ---- vocabularies ----

def wide_map(table):
    """A map as make.charsmap makes it, but each offset a multiple of 256, and shifted."""
    texts, trie, unit, blocks = b"", {}, {}, [0]
    for key, text in sorted(table.items()):
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = len(texts)
        texts += text.encode() + b"\0"

    def place(node, at):
        blocks[0] += 1
        base = blocks[0] << 8 | at & 255
        unit[at] = unit.get(at, 0) | (at ^ base) >> 8 << 10 | 512 | (0 in node) << 8
        for label, child in node.items():
            if label == 0:
                unit[base] = 1 << 31 | child
            else:
                unit[base ^ label] = label
                place(child, base ^ label)

    place(trie, 0)
    n = (blocks[0] + 1) << 8
    return struct.pack("<I%dI" % n, 4 * n, *(unit.get(i, 0) for i in range(n))) + texts


def is_assigned(c):
    return unicodedata.category(c) != "Cn"


def points():
    return [c for c in map(chr, range(0x110000)) if not "\ud800" <= c <= "\udfff"]


def tokens_of_points():
    """Those that are assigned, without what becomes nothing, ideographs and syllables."""
    return [c for c in points() if unicodedata.category(c)[0] not in "CZM"
            and not any(a <= ord(c) <= b for a, b in CJK + ((0xAC00, 0xD7A3), (0x17000, 0x18CFF)))]


def set_key(keys, name, kind, value):
    return [k for k in keys if k[0] != TOKENIZER + name] + [(TOKENIZER + name, kind, value)]


def more_tokens(keys, tokens, types, scores):
    for name, kind, new in (("tokens", make.STRING, tokens), ("token_type", make.I32, types),
                            ("scores", make.F32, scores)):
        old = next((v[1] for k, _, v in keys if k == TOKENIZER + name), None)
        if old is not None:
            keys = set_key(keys, name, make.ARRAY, (kind, old + new))
    return keys


def extra(keys, unigram_):
    """Tokens of all types, such that begin with each other and overlap."""
    mark = "\u2581"
    rows = [("<|sep|>", USER_DEFINED, -1), ("<|se", USER_DEFINED, -1), ("foo bar", USER_DEFINED, -9),
            ("\u00c9cole", USER_DEFINED, -3), ("zz", UNUSED, -4), ("qu", CONTROL, -1),
            ("zzz", NORMAL, -7), ("zzzzzzzzzzzzzzzz", NORMAL, -20),
            (mark + mark, NORMAL, -6), ("a" + mark + "b", NORMAL, -5), ("\U0001f600\U0001f600", NORMAL, -2)]
    rows += [("<0x41>", BYTE, -1) if unigram_ else (mark, NORMAL, -3)]
    old = next(v[1] for k, _, v in keys if k == TOKENIZER + "tokens")
    rows = [row for row in rows if row[0] not in old]
    tokens, types, scores = map(list, zip(*rows))
    return more_tokens(keys, tokens, types, [float(s) for s in scores])


def plain(kind):
    return make.token_keys(make.options("--tokenizer", kind, "--charsmap"))[0]


def odd(keys):
    """Merges that are not a pair, or are there twice, or name tokens that are not there, or
    make none; bytes without a token; words that no merge makes; tokens of all types."""
    def change(key, f):
        return [(k, t, (v[0], f(v[1])) if k == TOKENIZER + key else v) for k, t, v in keys]

    gone = {"q", "\u00f0", "\u0120", "\u0120w", "er", "in"}
    keys = change("tokens", lambda old: ["<gone %d>" % i if t in gone else t
                                         for i, t in enumerate(old)])
    keys = change("merges", lambda old: old[:40] + ["abc", "a ", "", " b", "a", "\u0120 w o", "no pe",
                                                    "nope nada", "z z"] + old[40:] + old[:9])
    old = next(v[1] for k, _, v in keys if k == TOKENIZER + "tokens")
    rows = [("<|sep|>", USER_DEFINED), ("<|se", USER_DEFINED), ("foo bar", USER_DEFINED),
            ("\u00c9cole", USER_DEFINED), ("  x", USER_DEFINED), ("qu", CONTROL), ("zq", UNUSED),
            ("\u0120unheard", NORMAL), ("unheard", NORMAL), ("12", NORMAL), ("\u0120!?", NORMAL),
            ("\u010a\u010a\u010a", NORMAL), ("\u0120\u0120\u0120", NORMAL), ("\xc3\u0125", NORMAL)]
    rows = [r for r in rows if r[0] not in old]
    return more_tokens(keys, [r[0] for r in rows], [r[1] for r in rows], [])


def trained(name):
    if name == "spm":
        return pieces.keys("llama", None)[0]
    if name == "spm-extra":
        keys = extra(pieces.keys("llama", None)[0], False)
        return set_key(keys, "add_space_prefix", make.BOOL, 0)
    pre = {"bpe": None, "bpe-llama": "llama-bpe", "bpe-qwen": "qwen2", "bpe-gpt2": "modern-bert"}
    keys = odd(pieces.keys("gpt2", pre[name])[0])
    for key in ("add_bos_token", "add_eos_token") if name == "bpe" else ():
        keys = set_key(keys, key, make.BOOL, 0)
    return keys


def vocabulary(name):
    if name[:3] in ("bpe", "spm"):
        return trained(name)
    if name == "wordpiece":
        return plain("bert")
    if name == "wordpiece-extra":
        return extra(plain("bert"), False)
    if name == "wordpiece-points":
        new = tokens_of_points()
        keys = [(k, t, (v[0], v[1][:5]) if k.endswith(("tokens", "token_type")) else v)
                for k, t, v in plain("bert")]
        return more_tokens(keys, new, [NORMAL] * len(new), [])
    if name == "unigram":
        return plain("t5")
    keys = extra(plain("t5"), True)
    for key in "add_bos_token", "add_space_prefix", "remove_extra_whitespaces":
        keys = set_key(keys, key, make.BOOL, 0)
    if name == "unigram-extra":
        return set_key(keys, "precompiled_charsmap", make.ARRAY, (make.U8, wide_map(make.CHARS)))
    keys = [k for k in keys if not k[0].endswith("charsmap")]
    return set_key(keys, "add_space_prefix", make.BOOL, 1)


VOCABULARIES = ("wordpiece", "wordpiece-extra", "wordpiece-points", "unigram", "unigram-extra",
                "unigram-bare", "bpe", "bpe-llama", "bpe-qwen", "bpe-gpt2", "spm", "spm-extra")


def write_model(name, architecture, path):
    o = make.options("--architecture", architecture)
    make.token_keys = lambda o: (vocabulary(name), len(dict(
        (k, v) for k, _, v in vocabulary(name))[TOKENIZER + "tokens"][1]))
    with open(path, "wb") as f:
        f.write(make.file_bytes(*make.model(o)))


def write_vocabulary(name, path):
    o = make.options()
    keys = [k for k in make.model_keys(o)[0] if not k[0].startswith(TOKENIZER)]
    with open(path, "wb") as f:
        f.write(make.file_bytes(keys + vocabulary(name), []))


# ---- texts ----

def chars(r, *spans):
    return lambda: chr(r.randint(*r.choice(spans)))


def kinds(r, tokens):
    """Functions that make a piece of text each."""
    def some(f, most):
        return lambda: "".join(f() for _ in range(r.randint(1, most)))

    token = [t.replace("\u2581", r.choice(["", " "])) for t in tokens]
    ascii_ = chars(r, (0x21, 0x7E))
    mark = chars(r, (0x300, 0x36F), (0x483, 0x489), (0x5B0, 0x5BD), (0x20D0, 0x20F0), (0xFE20, 0xFE2F))
    letter = chars(r, (0x61, 0x7A), (0x41, 0x5A), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x52F),
                   (0x1E00, 0x1FFF))
    return [
        lambda: r.choice(token), lambda: r.choice(token).upper(), lambda: r.choice(tokens),
        lambda: r.choice(token) + r.choice(token), some(ascii_, 8), some(letter, 9),
        some(lambda: letter() + mark(), 4), some(mark, 3),
        some(chars(r, (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x3040, 0x30FF), (0x20000, 0x323AF),
                   (0xF900, 0xFAFF)), 5),
        some(chars(r, (0xAC00, 0xD7A3), (0x1100, 0x11FF)), 4),
        some(chars(r, (0x1F300, 0x1FAFF), (0x2600, 0x27BF), (0x1F1E6, 0x1F1FF)), 3),
        lambda: "\U0001f469\u200d\U0001f4bb\ufe0f", some(chars(r, (0, 0x20), (0x7F, 0xA0)), 3),
        lambda: chr(r.choice(sorted(WHITE_SPACE))) * r.randint(1, 3),
        some(chars(r, (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF),
                   (0xE0000, 0xE01FF)), 2),
        some(chars(r, (0x2000, 0x2BFF), (0x3000, 0x303F), (0xFF00, 0xFFEF)), 4),
        some(chars(r, (0xA0, 0xFF), (0x2070, 0x215F), (0xFB00, 0xFB4F)), 4),
        some(chars(r, (0xE000, 0xF8FF), (0xFFF0, 0xFFFF), (0x10000, 0x1FFFF), (0xF0000, 0x10FFFF)), 3),
        some(chars(r, (0x590, 0x6FF), (0x900, 0xDFF), (0xE00, 0x10FF)), 6),
        lambda: r.choice(["[CLS]", "[SEP]", "[UNK]", "[MASK]", "<s>", "</s>", "<unk>", "<mask>",
                          "<pad>", "[unused1]", "<0x41>", "<|sep|>", "<|se", "foo bar"]),
        lambda: "\u2581" * r.randint(1, 2), lambda: r.choice("azq") * r.randint(1, 40),
        some(lambda: r.choice(["'s", "'T", "'re", "'Ve", "'M", "'ll", "'D", "'", "'\u017f", "'v", " "]), 3),
        some(lambda: r.choice([" ", "  ", "\n", "\r\n", "\t", "\u3000", "a", "!", "9"]), 9),
        some(chars(r, (0x30, 0x39), (0x30, 0x39), (0x660, 0x669), (0x2160, 0x2169)), 9),
        lambda: r.choice([" unheard", " !?", " w", "\n\n\n", "  x", "zq", "qu"]),
        lambda: str(r.randint(0, 10 ** r.randint(1, 12))), lambda: "\u0130\u017f\u212a\u1e9e\u2126",
    ]


def texts(model, count, seed):
    r = random.Random(seed)
    tokens = [t for t in Model(model).written() if t]
    make_one = kinds(r, tokens)
    yield ""
    yield " "
    for i in range(count - 4):
        pieces = [r.choice(make_one)() for _ in range(r.randint(1, 3 + i % 20))]
        yield r.choice(["", " ", " "]).join(pieces)
    yield "".join(r.choice(tokens) for _ in range(2000)).replace("\u2581", "")
    all_ = points()
    yield "".join(r.choice(all_) for _ in range(5000))


def point_texts():
    all_ = points()
    for i in range(0, len(all_), 1000):
        yield " ".join("q%sz" % c for c in all_[i:i + 1000])


def parser():
    p = argparse.ArgumentParser(description="The tokens of texts by another hand.")
    commands = p.add_subparsers(dest="command", required=True)
    commands.add_parser("run").add_argument("model")
    commands.add_parser("json").add_argument("model")
    t = commands.add_parser("texts")
    t.add_argument("model")
    t.add_argument("--count", type=int, default=10000)
    t.add_argument("--seed", type=int, default=1)
    t.add_argument("--assigned", action="store_true")
    commands.add_parser("points").add_argument("--assigned", action="store_true")
    m = commands.add_parser("model")
    m.add_argument("name", choices=VOCABULARIES)
    m.add_argument("--architecture", default="bert")
    m.add_argument("file")
    v = commands.add_parser("vocabulary")
    v.add_argument("name", choices=VOCABULARIES)
    v.add_argument("file")
    return p


def main():
    o = parser().parse_args()
    if o.command == "vocabulary":
        write_vocabulary(o.name, o.file)
    elif o.command == "model":
        write_model(o.name, o.architecture, o.file)
    elif o.command == "json":
        json.dump(tokenizer_json(Model(o.model)), sys.stdout)
    elif o.command == "run":
        model = Model(o.model)
        for line in sys.stdin:
            print(json.dumps(model.run(json.loads(line)), separators=(",", ":")))
    else:
        for text in point_texts() if o.command == "points" else texts(o.model, o.count, o.seed):
            print(json.dumps("".join(filter(is_assigned, text)) if o.assigned else text))


if __name__ == "__main__":
    sys.exit(main())
