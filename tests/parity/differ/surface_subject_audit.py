"""subject_audit: the verdict on a log, whole or tampered with."""
import importlib.util
import json
import os
import re

from surface import ORACLE, Surface, tool
from draws import Raw

spec = importlib.util.spec_from_file_location("oracle_audit", os.path.join(ORACLE, "audit.py"))
oracle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(oracle)

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
IDS = ["WORKER-1", "W-1", "a.b_c", "é", "a/b", "x" * 200, "w 1", "⭐你", "_", "A\u0000B", "日" * 60]


class Probe(Surface):
    tag, data = "candidate_id", "log"

    def __init__(self, folder):
        super().__init__(folder)
        self.key = os.path.join(folder, "key")
        with open(self.key, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(KEY)
        # a log that the key fits: where none is, verify refuses the key
        self.fits = os.path.join(folder, "fits.audit.jsonl")
        row = b'{"candidate_id":"fits","prev_chain_hash":"GENESIS"'
        with open(self.fits, "wb") as f:
            f.write(row + b',"row_hmac":"' + oracle.mac(KEY, oracle.parse(row + b"}")).encode() + b'"}\n')

    def row(self, d, subject):
        made = {
            "schema": "subject_audit.v1", "ts": d.time(), "candidate_id": subject,
            "accessor": {"kind": d.one("gateway_lookup", d.word()), "daemon": d.word(), "purpose": d.text(3), "trace_id": d.one("", "trace-1", d.text(1))},
            "fields_accessed": [d.word() for _ in range(d.randint(0, 3))], "result": d.one("success", "not_found", "denied", "error")}
        if d.often(0.3):
            made[d.word()] = d.value()
        if d.often(0.02):
            n = d.one(500, 510, 511, 512, 600)
            made["deep"] = Raw("[" * n + "]" * n)
        if d.often(0.1):
            made = d.mutate(made)
        return made

    def chain(self, d, subject, n):
        lines, prev = [], "GENESIS"
        for _ in range(n):
            row = self.row(d, subject if d.often(0.99) else d.one("other", d.odd()))
            row["prev_chain_hash"] = prev
            row.pop("row_hmac", None)
            try:
                held = oracle.parse(d.dump(row, 0).encode("utf-8", "surrogatepass"))
                prev = oracle.mac(KEY if d.often(0.99) else OTHER, held)
            except (ValueError, RecursionError):
                prev = "0" * 64
            row["row_hmac"] = prev
            if d.often(0.4):
                names = list(row)
                d.shuffle(names)
                row = {name: row[name] for name in names}
            lines.append(d.dump(row).encode("utf-8") + (b"\r" if d.often(0.05) else b""))
        return lines

    def tamper(self, d, lines):
        i = d.randrange(len(lines)) if lines else 0
        how = d.randrange(12)
        if how == 0 or not lines:
            lines.insert(i, d.one(b"", b" ", b"\t\r", b"{}", b"null", b"[]", b"x"))
        elif how == 1:
            del lines[i]
        elif how == 2:
            d.shuffle(lines)
        elif how == 3:
            lines.insert(i, lines[i])
        elif how == 4:
            lines[i] = re.sub(rb"[0-9a-f]{64}", lambda m: d.one(m[0].upper(), m[0][:-1], m[0] + b"0", m[0][::-1], b"GENESIS"), lines[i], count=d.one(1, 2))
        elif how == 5:
            lines[i] = b"\xef\xbb\xbf" + lines[i]
        elif how == 6:
            lines[i] = d.doubled(lines[i].decode("utf-8")).encode("utf-8")
        elif how == 7:
            lines[i] = lines[i].replace(d.one(b'"prev_chain_hash"', b'"row_hmac"', b'"candidate_id"', b'"ts"'), d.one(b'"x"', b'"row_hmac "', b'"Row_hmac"'))
        elif how == 8:
            for j, line in enumerate(lines):
                lines[j] = re.sub(rb',?\s*"row_hmac"\s*:\s*"[0-9a-f]*"', b"", line)
        else:
            lines[i] = d.spoil(lines[i])
        return lines

    def draw(self, d):
        subject = d.choice(IDS)
        lines = self.chain(d, subject, d.one(0, 1, 1, 2, 2, 3, 5))
        if d.often(0.45):
            lines = self.tamper(d, lines)
        data = b"".join(line + b"\n" for line in lines)
        if d.often(0.06):
            data = d.one(data[:-1], data + d.one(b"x", b" ", b"{", b"\r", lines[-1] if lines else b"{}"), data[:d.randint(0, len(data))])
        return subject, data

    def name(self, subject, data):
        return (oracle.sanitised if len(data) % 2 else oracle.file_name)(subject)

    def left(self, cases):
        paths = []
        for i, (subject, data) in enumerate(cases):
            folder = os.path.join(self.folder, str(i))
            os.makedirs(folder, exist_ok=True)
            paths.append(os.path.join(folder, self.name(subject, data) + ".audit.jsonl"))
            with open(paths[-1], "wb") as f:
                f.write(data)
        answers = []
        for line in tool(["lh-subject-audit", "verify", "--key-file", self.key, "--", self.fits] + paths)[1:]:
            said = json.loads(line)
            answers.append(json.dumps([said[name] for name in ("count", "tip", "verified", "error")]).encode())
        for path in paths:
            os.unlink(path)
        return answers

    def sound(self, answer):
        return json.loads(answer)[2]

    def right(self, case):
        said = oracle.verify(KEY, case[1], self.name(*case))
        return json.dumps([said[name] for name in ("count", "tip", "verified", "error")]).encode()
