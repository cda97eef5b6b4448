#!/usr/bin/env python3
"""Rows for the tools of a distillation, made to be difficult.

    distill_rows.py sources ROOT N [SEED]   N lines for each of the twelve streams, added to
                                            those in ROOT: sound rows, rows with something
                                            odd in a field, and lines that are no records
    distill_rows.py evidence N [SEED]       evidence records on standard output, all valid,
                                            with markers in every combination

The seed goes to standard error; the same seed gives the same bytes.
"""
import hashlib
import json
import os
import random
import sys

count = 1000
draw = random.Random()


class Raw(str):
    """Written as it is."""


WORDS = ["review", "Łódź", "the", "pull", "request", "is", "fine", "⭐", "naïve", "\u2028", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
         "a\nb", "tab\there", 'quo"te', "back\\slash", "\u007f", "nul\u0000", "\u001b[31m", "/", "x" * 40, "日本語", "é", "&<>", "\u0085", "\u00a0", ";", ", "]
FILES = [f"src/{name}.rs" for name in "main lib a b c d e f g h".split()] + ["docs/ä b.md", "x", "/etc/passwd", "../up", "a/../b", "."]
NUMBERS = ["0", "-0", "1", "2", "3", "4", "7", "12", "1.0", "1e0", "1.50", "0.1", "1e2", "1E+2", "12e-1", "120000", "120000.5", "120001", "-1", "-0.5", "1e-400",
           "100", "100.0", "101", "9007199254740993", "9223372036854775807", "9223372036854775808", "12345678901234567890", "1e21", "1e-7", "123456789.123456789",
           "5e-324", "1.7976931348623157e308", "0.000001", "4.35", "2.50", "1.0e1", "0e5", "10.00"]
TIMES = ["2026-05-03T12:00:00Z", "2026-05-03T12:00:00.000Z", "2026-05-03T14:00:00+02:00", "2026-05-03T12:00:00.123456789Z", "2024-02-29T23:59:59-05:30",
         "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-05-03t12:00:00z"]
NO_TIMES = ["2026-05-03", "2026-05-03T12:00:00", "2026-05-03 12:00:00Z", "2026-02-29T12:00:00Z", "2026-13-01T00:00:00Z", "2026-05-03T24:00:00Z", "2026-05-03T12:60:00Z",
            "yesterday", " 2026-05-03T12:00:00Z", "2026-05-03T12:00:00.Z", "2026-05-03T12:00:00+2:00", "2026-05-03T12:00:00+0200", "2026-05-03T12:00:00+24:00",
            "26-05-03T12:00:00Z", "2026-5-3T12:00:00Z", "2026-05-03T12:00:00Z ", "x" * 100]
OTHERS = [None, True, False, [], {}, [1], {"a": 1}, [["a"]], "", " ", "\t\n", "text", Raw("1"), Raw("-1.5"), Raw("1e-400"), "x" * 90, ["a", ""], ["a", None], [None], [None] * 20, [1] * 30,
          ["x", "y\nz"], {"a": {"b": [1, 2]}}, "accept", "Accept", "accept ", Raw("9" * 90)]


def words(least=1, most=12):
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(least, most)))


def some_text():
    return draw.choice([words, words, words, lambda: " \n" + words() + "\t ", lambda: words(300, 500), lambda: "", lambda: " \t\r\n\v\f", lambda: "\u00a0"])()


def a_list(of, most=3):
    return [of() for _ in range(draw.randint(0, most))]


def number():
    return Raw(draw.choice(NUMBERS))


def integer(most=5000):
    return Raw(str(draw.randint(0, most)))


def time():
    return draw.choice(TIMES) if draw.random() < 0.3 else f"2026-0{draw.randint(1, 9)}-{draw.randint(10, 28)}T{draw.randint(10, 23)}:{draw.randint(10, 59)}:00Z"


def ident(name):
    return lambda: draw.choice([f"{name}-{draw.randint(1, 40)}", f"{name}-{draw.randint(1, 40)}", integer(40), number(), "é:" + words(1, 2)])


def choice(*of):
    return lambda: draw.choice(of)


def retrieved():
    made = {"matrix_corpora": a_list(words), "matrix_hits": integer(20), "pathway_fingerprints": a_list(words), "more": number()}
    for name in list(made):
        if draw.random() < 0.3:
            del made[name]
    if draw.random() < 0.1:
        made[draw.choice(["matrix_corpora", "matrix_hits", "pathway_fingerprints"])] = draw.choice(OTHERS)
    return made


def notes():
    return draw.choice([some_text, lambda: a_list(some_text)])()


FILE = {"file": choice(*FILES)}
SEVERITIES = choice("info", "low", "medium", "high", "critical", "other", "")
VERDICTS = choice("accept", "reject", "cycle")
DISTILLED = {"run_id": ident("run"), "created_at": time, "text": some_text, "extractor": words, "verifier": words, "categorizer": words}
# field: how to draw it; most rows have most of them
STREAMS = {
    "distilled_facts": DISTILLED,
    "distilled_procedures": DISTILLED,
    "distilled_config_hints": DISTILLED,
    "contract_analyses": {
        "permit_id": ident("permit"), "ts": time, "analysis": some_text, "observer_verdict": VERDICTS, "observer_notes": lambda: a_list(some_text),
        "failure_markers": lambda: a_list(choice("timeout", "build_red", "", "é\n"), draw.choice([0, 0, 2])), "retrieved_context": retrieved,
        "cost_usd": number, "duration_ms": number, "contractor": words},
    "mode_experiments": {
        "task_class": ident("class"), **FILE, "ts": time, "response": some_text, "model": words, "latency_ms": number, "prompt_tokens": integer,
        "completion_tokens": integer, "retrieved_context": retrieved, "mode": words},
    "scrum_reviews": {
        **FILE, "reviewed_at": time, "suggestions_preview": some_text, "text": some_text, "accepted_model": words,
        "accepted_on_attempt": choice(*map(Raw, "1 1 1 2 3 4 5 12 1.0 1e0 10 0 -1 1.5 007 1e2 12345678901234567890".replace("007", "7").split())),
        "tree_split_fired": choice(True, False)},
    "observer_escalations": {
        "ts": time, "analysis": some_text, "model": words, "prompt_tokens": integer, "completion_tokens": integer, "trigger": words},
    "audit_facts": {
        "llm_team_run_id": ident("team"), "pr_number": ident("pr"), "extracted_at": time, "ts": time, "facts": notes, "source": words,
        "entities": lambda: a_list(number, 9), "relationships": lambda: a_list(retrieved, 4)},
    "auto_apply": {**FILE, "ts": time, "action": choice("committed", "committed", "build_red_reverted", "_reverted", "skipped", "é_reverted", "")},
    "observer_reviews": {
        **FILE, "ts": time, "verdict": VERDICTS, "confidence": number, "notes": notes, "review": some_text, "attempt": number},
    "audits": {
        "finding_id": ident("finding"), "phase": ident("phase"), "ts": time, "evidence": some_text, "topic": some_text, "severity": SEVERITIES,
        "resolution": words},
    "outcomes": {
        "run_id": ident("run"), "created_at": time, "ok": choice(*map(Raw, "0 1 2 3 3.0 -1".split())),
        "total": choice(*map(Raw, "0 1 2 3 3 3.0 -1".split())), "gap_signals": choice(Raw("0"), Raw("2"), Raw("0.5"), Raw("2.50"), [], ["a"], ["a", 2], Raw("-1")),
        "elapsed_secs": number},
}


def string(text):
    """JSON, with escapes that nobody needs now and then."""
    style = draw.random()
    if style < 0.9:
        return json.dumps(text, ensure_ascii=style < 0.1)
    return '"' + "".join(
        json.dumps(c)[1:-1] if c in '"\\' or c < " " or ord(c) > 0xffff else draw.choice([c, "\\u%04x" % ord(c), "\\/" if c == "/" else "\\u%04X" % ord(c), c])
        for c in text) + '"'


def space():
    return draw.choice(["", "", "", "", "", " ", "\t", "  "])


def dump(value):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, dict):
        return "{" + space() + ("," + space()).join(string(k) + space() + ":" + space() + dump(v) for k, v in value.items()) + space() + "}"
    if isinstance(value, list):
        return "[" + space() + ("," + space()).join(map(dump, value)) + space() + "]"
    return json.dumps(value)


def row(fields):
    made = {name: make() for name, make in fields.items() if draw.random() < 0.95}
    odd = draw.random()
    if odd < 0.25:
        name = draw.choice(list(fields))
        made[name] = draw.choice(OTHERS + NO_TIMES + list(map(Raw, NUMBERS)))
    if odd < 0.03:
        made[draw.choice(list(fields))] = draw.choice(OTHERS)
    if "file" in made and draw.random() < 0.3:
        made[draw.choice(["path", "source_file"])] = draw.choice(FILES)
        if draw.random() < 0.7:
            made["file"] = draw.choice(["", None])
        if draw.random() < 0.5:
            del made["file"]
    if draw.random() < 0.2:
        made[words(1, 2)] = draw.choice(OTHERS + list(map(Raw, NUMBERS)))
    names = list(made)
    if draw.random() < 0.3:
        draw.shuffle(names)
    return {name: made[name] for name in names}


BROKEN = [
    b"{", b"}", b"[]", b"null", b'"text"', b"1", b"{}x", b'{"a":1,}', b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":NaN}', b'{"a":1e400}', b'{"a":-1e400}',
    b'{"a":' + b"9" * 400 + b"}", b'{"a":1,"a":2}', b'{"b":{"a":1,"\\u0061":2}}', b'{"a":"\\ud800"}', b'{"a":"\\udc00\\ud800"}', b'{"\\ud83d":1}', b'{"a":"\xff"}',
    b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\x01"}', b'{"a":"\\x41"}', b'{"a":"\\u12"}', b"{'a':1}", b'{"a":tru}', b'{"a" 1}', b'{"a":1 "b":2}', b'{"a":1}{}',
    b'{"a":' + b"[" * 512 + b"]" * 512 + b"}", b"\x00", b'{"a":"\xf4\x90\x80\x80"}', b'{"a":\x0b1}', b"\xef\xbb\xbf{}", b'{"a":1', b'{"a":"', b'{"a":"\\', b"\x1b[31m",
]
SOUND = [b"{}", b'{"a":' + b"[" * 511 + b"]" * 511 + b"}", b'{"a":"\\u0000"}', b'{"":""}', b'{"a":1e-400}']


def line(fields, before):
    kind = draw.random()
    if kind < 0.03:
        return draw.choice(BROKEN)
    if kind < 0.04:
        return draw.choice(SOUND)
    if kind < 0.06:
        return draw.choice([b"", b" ", b"\t \r", b"\r"])
    if kind < 0.12 and before:
        return draw.choice(before)
    made = dump(row(fields)).encode("utf-8")
    if kind < 0.14:
        made = b" " + made + b"\t"
    return made + (b"\r" if kind > 0.97 else b"")


def sources(root):
    os.makedirs(os.path.join(root, "data/_kb"), exist_ok=True)
    for stem, fields in STREAMS.items():
        made = []
        for _ in range(count):
            made.append(line(fields, made[-50:]))
        data = b"\n".join(made) + draw.choice([b"", b"\n", b"\n", b"\n\n"])
        if draw.random() < 0.3:
            data = b"\xef\xbb\xbf" + data
        path = os.path.join(root, "data/_kb", stem + ".jsonl")
        if os.path.exists(path):
            with open(path, "rb") as f:
                old = f.read()
            data = old + (b"" if old.endswith(b"\n") else b"\n") + data
        with open(path, "wb") as f:
            f.write(data)


MARKERS = ["accepted_on_attempt_1", "accepted_on_attempt_2", "accepted_on_attempt_3", "accepted_on_attempt_4", "accepted_on_attempt_17",
           "accepted_on_attempt_", "accepted_on_attempt_x", "accepted_on_attempt_1.5", "accepted_on_attempt_ 1", "Accepted_on_attempt_1",
           "audit_severity_other", "audit_severity_", "audit_severity_Info", "approved", "request_changes", "blocked", "approved ",
           "committed", "Committed", "x_reverted", "_reverted", "reverted", "x_reverted ", "all_events_ok", "", "é\n"]
SEVERE = ["audit_severity_" + s for s in ("medium", "high", "critical")]
MILD = ["audit_severity_info", "audit_severity_low"]


def evidence(number):
    stem = draw.choice(list(STREAMS) + ["unknown", "x.y", "é"])
    made = {
        "run_id": draw.choice([f"run:{number}", f"run:{draw.randint(0, 30)}", words(1, 3) + "!"]),
        "task_id": draw.choice([f"task:{draw.randint(0, 20)}", "phase:2", "phase:", "permit:P-7", f"scrum_review:{draw.choice(FILES)}", "class:src/a.rs",
                                "outcome:abc", words(1, 3) + "!"]),
        "timestamp": time(),
        "schema_version": Raw("1"),
        "provenance": {
            "source_file": draw.choice(["data/_kb/%s.jsonl"] * 8 + ["%s.jsonl", "/x/%s.jsonl", "%s", "a/%s"]) % stem,
            "line_offset": integer(), "sig_hash": hashlib.sha256(str(draw.randint(0, count * 5)).encode()).hexdigest(), "recorded_at": time()},
    }
    for name, make, share in [
            ("text", some_text, 0.9), ("model_name", words, 0.5), ("model_role", choice("executor", "executor", "reviewer", "extractor", "applier", "other"), 0.9),
            ("observer_verdict", VERDICTS, 0.5), ("source_files", lambda: a_list(choice(*FILES, "", " ")), 0.6),
            ("success_markers", lambda: a_list(choice(*MARKERS, *MILD)), 0.7), ("failure_markers", lambda: a_list(choice(*MARKERS, *SEVERE)), 0.5),
            ("retrieved_context", lambda: {"matrix_corpora": a_list(words), "pathway_fingerprints": a_list(words)}, 0.5),
            ("latency_ms", choice(*map(Raw, "0 120000 120000.0 120001 120000.5 1.3e5 1e400 130000.00".replace("1e400", "1e4").split())), 0.7),
            ("metadata", lambda: {"gap_signals": draw.choice([Raw("0"), Raw("-0"), Raw("1"), Raw("2.50"), Raw("1e-9"), "1", None, [], [1], True]),
                                  "task_class": draw.choice(["class", "", "other", Raw("7")]), "contractor": draw.choice(["Oak {} & {0}", "", Raw("5"), "ü"])}, 0.7)]:
        if draw.random() < share:
            made[name] = make()
    names = list(made)
    if draw.random() < 0.3:
        draw.shuffle(names)
    return {name: made[name] for name in names}


def main():
    global count
    root = sys.argv[2] if sys.argv[1] == "sources" else None
    rest = sys.argv[3:] if root else sys.argv[2:]
    count = int(rest[0])
    seed = int(rest[1]) if len(rest) > 1 else random.SystemRandom().randrange(1 << 32)
    print("seed", seed, file=sys.stderr)
    draw.seed(seed)
    if root:
        sources(root)
    else:
        for n in range(count):
            sys.stdout.buffer.write(dump(evidence(n)).encode("utf-8") + b"\n")


if __name__ == "__main__":
    main()
