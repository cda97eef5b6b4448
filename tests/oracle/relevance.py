"""The score of a chunk, from lh-relevance(1) alone: a record a line in, its
relevance a line out."""
import json
import re
import sys
from fractions import Fraction

NAME = r"[A-Za-z0-9_\x80-\xff-]"
IMPORT = re.compile(
    r"#include|#import|import[ {(]|(import|require|require_relative|include)\s*[\"'(]|from .*? import "
    r"|(pub use|use|using|extern crate) .*[;{]$|package [^ ]*$|export .* from [\"']|(const|let|var) .*= require\(")
COMMENT = re.compile(r"//|/\*|\*|#([\s#!]|$)")


def flat(s):
    """Text as the bytes of its UTF-8, a character each."""
    return (s or "").encode().decode("latin-1")


def words(s):
    return re.findall(r"[A-Za-z0-9_\x80-\xff]+", flat(s))


def tokens(s):
    return {re.sub("[A-Z]", lambda m: m[0].lower(), w) for w in words(s) if len(w) >= 3}


def plain(path):
    path = flat(path)
    while path.startswith("./") and len(path) > 2:
        path = path[2:]
    return path


def mentions(text, name):
    return bool(name) and bool(re.search(
        "(?<!%s)(?<![.])%s(?!%s|/|[.]%s)" % (NAME, re.escape(name), NAME, NAME), flat(text)))


def symbols(names):
    return {words(n)[-1] for n in names or [] if words(n)}


def imports_only(text):
    depth, some = 0, False
    for line in flat(text).split("\n"):
        line = line.strip(" \t\n\v\f\r")
        delta = sum(line.count(c) for c in "({[") - sum(line.count(c) for c in ")}]")
        if depth > 0:
            depth += delta
        elif line and not COMMENT.match(line):
            if not IMPORT.match(line):
                return False
            some, depth = True, delta
    return some


for line in sys.stdin:
    r = json.loads(line)
    f = r["focus"]
    mine, its, path = plain(f.get("path")), plain(r.get("path")), r["text"]
    name = mine.rpartition("/")[2]
    folder = mine[:len(mine) - len(name)]
    held = set(words(r["text"]))
    defined = bool(held & symbols(f.get("defined_symbols")))
    a, b = tokens(r["text"]), tokens(f.get("text"))
    jaccard = Fraction(len(a & b), len(a | b)) if a and b else Fraction(0)
    signals = [
        ("path_match", Fraction(1), bool(mine) and its == mine or mentions(r["text"], mine)),
        ("filename_match", Fraction(6, 10), bool(name) and its.rpartition("/")[2] == name or mentions(r["text"], name)),
        ("defined_symbol_match", Fraction(6, 10), defined),
        ("token_overlap", Fraction(4, 10) * jaccard, jaccard > 0),
        ("path_prefix_match", Fraction(3, 10), bool(folder) and its.startswith(folder) and its != folder),
        ("import_only", Fraction(-5, 10), imports_only(r["text"]) or (not defined and bool(held & symbols(f.get("imported_symbols"))))),
    ]
    signals = [(n, w) for n, w, holds in signals if holds]
    score = float(sum((w for n, w in signals), Fraction(0)))
    print(json.dumps([score, score >= float(sys.argv[1]), [[n, float(w)] for n, w in signals]]))
