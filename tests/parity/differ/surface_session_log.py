"""session_log: a row of the log of sessions, byte for byte."""
from surface import NOW, REFUSED, Surface, blank, spoilt, tool
from draws import Raw
import session

WHOLE = list(map(Raw, "0 1 2 3 10 42 4096 4294967296 9007199254740993 9223372036854775807".split()))


class Probe(Surface):
    def attempt(self, d, n):
        made = {"iteration": Raw(str(n)), "verdict_kind": d.choice(sorted(session.ATTEMPTS))}
        if d.often(0.5):
            made["error"] = d.one(d.text(), "consistency: " + d.text(2), "", None)
        if d.often(0.3):
            made["span_id"] = d.one("4fd0b6131f19f39a", d.text(1), "", None)
        return made

    def draw(self, d):
        made = {
            "session_id": d.one("trace-1", "%016x-%08x" % (d.getrandbits(64), d.getrandbits(32)), d.text(2)), "kind": d.one("fill", "email", "sms", "playbook"),
            "model": d.one("qwen3.5:latest", "hf.co/x:cloud", d.text(2)), "provider": d.one("ollama", "openrouter", d.text(1)),
            "prompt": d.one(d.text(), d.text(30), "é⭐" * d.one(1999, 2000, 2001), "Besoin d'un soudeur — Café résumé ⭐ 你好") if d.often(0.05) else d.text(),
            "iterations": d.choice(WHOLE), "max_iterations": d.choice(WHOLE), "final_verdict": d.choice(sorted(session.VERDICTS)),
            "attempts": [self.attempt(d, n) for n in range(d.one(0, 1, 1, 2, 3))], "duration_ms": d.choice(WHOLE)}
        if d.often(0.5):
            made["artifact"] = {d.word(): d.value() for _ in range(d.randint(0, 4))} if d.often(0.95) else None
        if d.often(0.6):
            made["grounded_in_roster"] = d.one(True, False, None)
        if d.often(0.4):
            names = list(made)
            d.shuffle(names)
            made = {name: made[name] for name in names}
        if d.often(0.15):
            made = d.mutate(made)
        return "", spoilt(d, d.dump(made).encode("utf-8"))

    def left(self, cases):
        lines = [line for _, line in cases]
        argv = ["lh-iterate", "-q", "--emit-session", "--now", NOW, "--daemon", "oracle", "--on-error", "emit"]
        got = iter([REFUSED if line.startswith(b'{"error":') else line for line in tool(argv, b"".join(line + b"\n" for line in lines))])
        answers = [b"" if blank(line) else next(got, None) for line in lines]
        return [a for a in answers if a is not None] + list(got)

    def right(self, case):
        if blank(case[1]):
            return b""
        try:
            return session.row(session.parse(case[1]), "oracle", NOW).encode("utf-8")
        except session.Refused:
            return REFUSED
