"""validator: the verdict on a request, without its time."""
import json
import os
import subprocess

from surface import HERE, NOW, REFUSED, Surface, blank, spoilt, tool
from draws import Raw
import validate

ROSTER = os.path.join(HERE, "roster.jsonl")
KINDS = ["fill", "email", "sms", "playbook"]
PAY = ["salary", "Salary", "SALARY", "compensation", "pay rate", "pay  rate", "bill rate", "hourly rate", "wage", "wages", "swage", "ſalary", "w\u0430ge"]
DOLLARS = ["$", "$5", "$ 5", "$  5", "$5", "€5", "$-5", "$.5", "$\t5", "$\u00a05", "＄5", "$٣", "5$", "$$5", "US$20"]
DIGITS = ["123-45-6789", "555-123-4567", "(555) 123-4567", "+1-555-123-4567", "2026-05-03", "60601-1234", "123456789", "123-45-67890", "0123-45-6789", "12-345-6789",
          "123-45-678", "ORD-123-45-6789", "123-45-6789-", "123–45–6789", "١٢٣-45-6789", "123-45-6789x", "１123-45-6789", "123-45-6789１", "123-45-123-45-6789", "123-456-7890",
          "123-45-", "-6789"]
FILLER = "x.o-é好⭐ "


class Probe(Surface):
    tag = "default"

    def __init__(self, folder):
        super().__init__(folder)
        self.roster = validate.Roster(ROSTER)
        self.workers = list(self.roster.workers.values())
        self.drafts = []

    def case_of(self, d, text):
        """Another way to write an id or a name."""
        return d.one(text, text, text, text.upper(), text.lower(), " " + text, text + "\t", text + "\u00a0", "\n" + text + "\r", text[:-1], text + "x", text.swapcase())

    def entry(self, d):
        worker = d.choice(self.workers)
        made = {"candidate_id": self.case_of(d, worker["candidate_id"]), "name": d.one(worker["name"], worker["name"], self.case_of(d, worker["name"]), d.text(3))}
        if d.often(0.06):
            made = d.one(d.mutate(made), d.odd())
        return made

    def context(self, d, count):
        worker, made = d.choice(self.workers), {}
        for name in "city", "state", "role":
            if d.often(0.3):
                value = worker.get(name)
                made[name] = self.case_of(d, value) if isinstance(value, str) and d.often(0.9) else d.one(d.odd(), d.text(2))
        if d.often(0.6):
            made["target_count"] = d.one(*[Raw(str(count))] * 5, Raw(str(count + 1)), Raw(f"{count}.0"), Raw(f"{count}e0"), Raw("0"), d.one(*map(Raw, "2e0 20e-1 0.2e1 1E2".split())), d.odd())
        if d.often(0.3):
            made["client_id"] = d.one("ACME", "acme ", "Oak & Co", "é", "", d.text(1), d.odd())
        if d.often(0.05):
            made["candidate_id"] = d.one(d.odd(), "w-1")
        if d.often(0.05):
            made[d.near(d.one("city", "target_count"))] = d.value(1)
        return made

    def fill(self, d):
        entries = [self.entry(d) for _ in range(d.one(0, 1, 1, 2, 2, 3, 5))]
        made = {"fills": entries if d.often(0.96) else d.odd()}
        return made, self.context(d, len(entries))

    def long(self, d, limit):
        """A text about as long as the limit."""
        n = limit + d.one(-1, 0, 0, 1, 2, -limit // 2)
        return "".join(d.choice(FILLER) for _ in range(n))

    def prose(self, d, limit):
        kind = d.random()
        if kind < 0.2:
            gap = "".join(d.choices(FILLER, k=d.one(0, 1, 38, 39, 40, 41, 42, d.randint(0, 60))))
            two = [d.choice(PAY), gap, d.choice(DOLLARS)]
            return d.text(2) + "".join(two if d.often(0.6) else two[::-1]) + d.text(2)
        if kind < 0.45:
            return d.text(2) + d.one("", " ", "-", "1", "x", "é").join(d.choice(DIGITS) for _ in range(d.randint(1, 3))) + d.text(1)
        if kind < 0.6:
            return self.long(d, limit)
        made = d.text(10)
        if d.often(0.5):
            name = d.choice(self.workers)["name"]
            made += d.one(name, name.upper(), name.split()[0] if name.split() else "", name[:-1]) + d.text(2)
        return made

    def message(self, d):
        made = {"to": d.one("a@example.com", "+1-417-555-0175", d.text(1)), "body": self.prose(d, 160)}
        if d.often(0.5):
            made["subject"] = self.prose(d, 78)
        if d.often(0.1):
            made["kind"] = d.one("sms", "SMS", "email", "sms ", d.odd())
        if d.often(0.1):
            made = d.mutate(made)
        context = {}
        if d.often(0.5):
            context["candidate_id"] = d.one(self.case_of(d, d.choice(self.workers)["candidate_id"]), d.odd(), d.text(1))
        return made, context

    def playbook(self, d):
        names = [d.text(2) for _ in range(d.one(0, 1, 2, 3, 4, 5, 9))]
        made = {"operation": d.one("fill: Welder x2", "fill:", "fill", "Fill: x", " fill: x", "sms_draft: hello", "fill:" + d.text(), d.text()), "endorsed_names": names,
                "fingerprint": d.one("9f86d081", " ", d.text(1), "é")}
        if d.often(0.7):
            made["target_count"] = d.one(Raw(str(len(names) // 2)), Raw(str((len(names) + 1) // 2)), Raw("1"), Raw("2.0"), Raw("0"), Raw("1e0"))
        if d.often(0.2):
            made = d.mutate(made)
        return made, self.context(d, len(names) // 2)

    def request(self, d):
        kind = d.choice(KINDS)
        artifact, context = (self.message if kind in ("email", "sms") else getattr(self, kind))(d)
        if isinstance(artifact, dict) and d.often(0.3):
            artifact["_context"] = d.one(context, context, context, d.odd())
            if d.often(0.7):
                context = None
        if d.often(0.1):
            default, made = kind, artifact
        else:
            default, made = d.one("", "", d.choice(KINDS)), {"kind": kind, "artifact": artifact}
            if context is not None:
                made["context"] = context
            if d.often(0.05):
                made["context"] = d.odd()
        if d.often(0.06):
            made = d.mutate(made)
        if d.often(0.04):
            made["kind"] = d.one("Fill", "nonsense", "fill ", "", 'a"b\\c\u0001', d.text(2), d.odd())
        return default, made

    def draw(self, d):
        if d.often(0.2):
            if not self.drafts:
                argv = ["lh-gen", "drafts", "-n", "200", "--workers", "40", "--seed", str(d.randrange(1 << 31))]
                self.drafts = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.splitlines()
            line = self.drafts.pop()
            return "", spoilt(d, line) if d.often(0.3) else line
        default, made = self.request(d)
        return default, spoilt(d, d.dump(made).encode("utf-8"))

    def left(self, cases):
        def ask(default, lines):
            argv = ["lh-validate", "-q", "--now", NOW, "--roster", ROSTER, "--on-error", "emit"] + (["--kind", default] if default else [])
            got = []
            for line in tool(argv, b"".join(line + b"\n" for line in lines)):
                at = line.rfind(b'"verdict":{"status":')
                got.append(line[at + 10:-1] if at >= 0 else REFUSED)
            got = iter(got)
            answers = [b"" if blank(line) else next(got, None) for line in lines]
            return [a for a in answers if a is not None] + list(got)
        return self.by_tag(cases, ask)

    def right(self, case):
        default, line = case
        if blank(line):
            return b""
        try:
            return validate.written(validate.verdict(validate.parse(line), default or None, self.roster)).encode("utf-8")
        except validate.Rejected:
            return REFUSED

    def same(self, a, b):
        return a == b or b"{" in a and b"{" in b and json.loads(a) == json.loads(b)
