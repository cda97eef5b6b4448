"""materializer: a source row's evidence, or what its refusal says of its fields."""
import json

from surface import NOW, Surface, blank, tool
from draws import Raw
import distill
import distill_rows


class Probe(Surface):
    tag = "source"
    placed = True

    def draw(self, d):
        distill_rows.draw = d
        stem = d.choice(distill.STEMS)
        fields = distill_rows.STREAMS[stem]
        if d.often(0.3):
            return stem, distill_rows.line(fields, []).lstrip(b"\xef\xbb\xbf")
        row = distill_rows.row(fields)
        for name in list(row):
            if name in ("ts", "created_at", "reviewed_at", "extracted_at"):
                row[name] = d.one(d.time, d.time, d.time, d.no_time)()
        if d.often(0.6):
            row[d.word()] = d.value()
        if d.often(0.3):
            row[d.near(d.choice(list(fields)))] = d.value(1)
        if d.often(0.3):
            row = d.mutate(row)
        line = self.dump(d, row).encode("utf-8")
        if d.often(0.08):
            line = d.spoil(line).replace(b"\n", b" ").lstrip(b"\xef\xbb\xbf")
        return stem, line

    def dump(self, d, row):
        def ours(v):
            if isinstance(v, distill_rows.Raw):
                return Raw(v)
            if isinstance(v, dict):
                return {k: ours(x) for k, x in v.items()}
            return [ours(x) for x in v] if isinstance(v, list) else v
        return d.dump(ours(row))

    def left(self, cases):
        def ask(stem, lines):
            answers, got = [], iter(tool(["lh-materialize", "-q", "--source", stem, "--recorded-at", NOW, "--on-error", "emit"], b"".join(line + b"\n" for line in lines)))
            for line in lines:
                answer = b"" if blank(line) else next(got, None)
                if answer is not None:
                    answers.append(answer)
            return answers + list(got)
        return self.by_tag(cases, ask)

    def rights(self, cases):
        """Of all at once, for a row's evidence holds its place among those of its source."""
        def ask(stem, lines):
            return [self.right_at(stem, line, offset) for offset, line in enumerate(lines)]
        return self.by_tag(cases, ask)

    def sound(self, answer):
        return answer.startswith(b'{"run_id"')

    def right_at(self, stem, line, offset):
        if blank(line):
            return b""
        record, sig, errors = distill.materialize(stem, line, offset, NOW)
        if errors:
            return json.dumps([sig and "; ".join(errors)]).encode()
        return distill.written(record).encode("utf-8")

    def same(self, a, b):
        if a == b:
            return True
        if not a.startswith(b'{"error":') or not b.startswith(b"["):
            return False
        said = json.loads(b)[0]
        # a message ends after a kilobyte, wherever it is
        return not said or json.loads(a)["error"]["message"].encode("utf-8")[:900] == said.encode("utf-8")[:900]
