"""Vocabularies of BPE over bytes and of SentencePiece BPE, trained on a few words.

Written from the description of byte-pair encoding: the most frequent pairs become pieces, some
each round, of equal ones the first in the order of code points.
"""
import collections
import os

HERE = os.path.dirname(os.path.abspath(__file__))
MORE = """
don't I'll we've they're it's he'd I'm DON'T I'LL 2024 1234567 3.14 1,000 x=y+1; if(a<b) {return;} --- ... ===
Привет мир Ωμέγα ελληνικά 中文 世界 你好 日本語 テスト 한국어 안녕하세요 हिन्दी नमस्ते العربية مرحبا עברית ไทย
naïve café résumé Ångström über straße 😀 👍🏽 👩‍💻 \u0301 e\u0301 ½ ² ٣٤٥ ①② \xa0 \u3000
""".split(" ")


def alphabet():
    """What each byte is written as: itself if it is printable in Latin-1, else from U+0100 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(b if b in plain else next(others)) for b in range(256)]


def rows(name):
    """The tokens of a file and their scores, which are 0 where there are none."""
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        words = f.read().split()
    if name == "wordpiece.txt":
        return [(word, 0.0) for word in words]
    return list(zip(words[::2], map(float, words[1::2])))


def words():
    """Words and how often they occur."""
    out = collections.Counter()
    for name in "wordpiece.txt", "unigram.txt":
        for i, (word, _) in enumerate(rows(name)):
            out[word.replace("\u2581", " ")] += 1 + 4000 // (i + 20)
    for i, word in enumerate(MORE):
        out[word] += 20 + i % 7
        out[" " + word] += 30 + i % 5
    for run in "  ", "    ", "        ", "\n", "\n\n", "\r\n", "\t", "\t\t", "aaaa", "zzzzzzzz":
        out[run] += 200
    return out


def train(counted, rounds, each):
    """The pairs that are merged, in order."""
    merges, known = [], set()
    for _ in range(rounds):
        pairs = collections.Counter()
        for word, n in counted:
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        best = sorted(pairs, key=lambda p: (-pairs[p], p))[:each]
        rank = {p: i for i, p in enumerate(best)}
        merges += [p for p in best if p not in known]
        known.update(best)
        for word, _ in counted:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) in rank:
                    word[i:i + 2] = [word[i] + word[i + 1]]
                i += 1
    return merges


def bpe(rounds=60, each=25):
    """Tokens and merges of BPE over bytes."""
    written = alphabet()
    counted = [([written[b] for b in w.encode()], n) for w, n in sorted(words().items())]
    merges = train(counted, rounds, each)
    return list(dict.fromkeys(written + [a + b for a, b in merges])), [" ".join(m) for m in merges]


def spm(rounds=60, each=25):
    """Tokens of SentencePiece BPE: pieces, then single characters; a score each."""
    counted = [(list(w.replace(" ", "\u2581")), n) for w, n in sorted(words().items())]
    chars = sorted({c for word, _ in counted for c in word})
    pieces = list(dict.fromkeys(a + b for a, b in train(counted, rounds, each)))
    return pieces + chars, [-float(i // 2) for i in range(len(pieces) + len(chars))]


# ---- keys of a model ----

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
CONTROL, BYTE = 3, 6
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]


def keys(tokenizer, pre, fillers=()):
    """The keys of a vocabulary, as make.file_bytes takes them, and its number of tokens."""
    t = "tokenizer.ggml."
    pieces, more = bpe() if tokenizer == "gpt2" else spm()
    escaped = ["<0x%02X>" % b for b in range(256)] if tokenizer == "llama" else []
    pieces = [p for p in pieces if p not in SPECIAL]
    tokens = list(dict.fromkeys(SPECIAL + pieces + escaped + list(fillers)))
    kinds = [CONTROL if i < len(SPECIAL) else BYTE if p in escaped else 1
             for i, p in enumerate(tokens)]
    kinds[1] = 2
    out = [(t + "model", STRING, tokenizer), (t + "tokens", ARRAY, (STRING, tokens)),
           (t + "token_type", ARRAY, (I32, kinds)), (t + "add_bos_token", BOOL, 1),
           (t + "add_eos_token", BOOL, 1)]
    out += [(t + name + "_token_id", U32, SPECIAL.index(token)) for name, token in (
        ("bos", "<s>"), ("eos", "</s>"), ("unknown", "<unk>"), ("seperator", "</s>"),
        ("padding", "<pad>"), ("cls", "<s>"), ("mask", "<mask>"))]
    if tokenizer == "llama":
        scores = dict(zip(pieces, more))
        out.append((t + "scores", ARRAY, (F32, [scores.get(p, -1000.0) for p in tokens])))
    else:
        out.append((t + "merges", ARRAY, (STRING, more)))
        if pre:
            out.append((t + "pre", STRING, pre))
    return out, len(tokens)
