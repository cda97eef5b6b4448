"""extract_json: the object in a model's answer."""
import json
import os

from surface import Surface, tool
import extract

DEEP = [1, 2, 100, 511, 512, 513, 600]
PROSE = ["Sure, ", "Here: ", "as asked.", "the answer is ", "{see ", "}", "}}}", "]]", "{", "[", "[1,", ",", '"', "\\", "\\\"", "'", "{}", "{ }", "[]", "[{}]", "{not: valid}", "{'a':1}",
         '{"a":1', '{"', '{"a":', "{\\", "null", "\n", "\r\n", "\t", " ", "é⭐", "\u2028", "`", "``", "\u0000", "{{", "{\"}\"", "”"]
THOUGHT = ["<think>", "</think>", "<THINKING a=\"1\">", "</thinking >", "[think]", "[/THINK]", "<seed:think>", "</seed:think>", "<|begin_of_thought|>", "<|end_of_thought|>", "\u25c1think\u25b7",
           "\u25c1/think\u25b7", "<analysis/>", "<|channel|>analysis<|message|>", "<|channel|>final<|message|>", "<|end|>", "<|start|>assistant", "<thoughts", "\n```", "\n ```json\n"]
TAGS = ["", "json", "JSON", "json5", "c++", "a-b_c", "j.s", "json ", " json", "jsön", "json\r", "```", "js`", "\\"]


class Probe(Surface):
    tag, data = "how", "text"

    def object(self, d):
        kind = d.random()
        if kind < 0.03:
            n = d.choice(DEEP)
            return d.one('{"a":' * n + "1" + "}" * n, '{"a":' + "[" * (n - 1) + "]" * (n - 1) + "}")
        value = {d.word(): d.value() for _ in range(d.randint(0, 4))}
        if d.often(0.1):
            value = [value, d.value()]
        text = d.dump(value)
        if kind < 0.1 and "{" in text:
            text = d.doubled(text)
        if d.often(0.1):
            text = text.replace(": ", ": " + d.choice(THOUGHT), 1) if d.often(0.5) else text.replace('": "', '": "' + d.choice(THOUGHT), 1)
        if d.often(0.15):
            text = text.replace(",", d.one(",\n", " , ", ",,", ",\u00a0"), 1)
        if d.often(0.05):
            text = d.one("/* c */", "// c\n", "\ufeff", "\u00a0", "\u000b", "x") + text
        return text

    def part(self, d):
        kind = d.random()
        if kind < 0.35:
            return "".join(d.choice(THOUGHT if d.often(0.3) else PROSE) for _ in range(d.randint(1, 3)))
        if kind < 0.6:
            return self.object(d)
        if kind < 0.85:
            inside = d.one(self.object(d), self.object(d), d.text(), d.choice(PROSE))
            return "```" + d.choice(TAGS) + d.one("\n", "", " ", "\r\n", "\t\n") + inside + d.one("\n", "", " \n\t") + d.one("```", "```", "```", "", "``", "````")
        return d.text()

    def draw(self, d):
        data = "".join(self.part(d) for _ in range(d.randint(1, 5))).encode("utf-8")
        if d.often(0.3):
            data = d.spoil(data)
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return "raw", data
        return d.one("record", "record", "record", "raw"), data

    def raw(self, texts):
        paths = []
        for i, text in enumerate(texts):
            paths.append(os.path.join(self.folder, str(i)))
            with open(paths[-1], "wb") as f:
                f.write(text)
        return tool(["lh-extract-json", "--raw-input", "--wire", "--"] + paths)

    def left(self, cases):
        def ask(how, texts):
            if how == "raw":
                return self.raw(texts)
            lines = [json.dumps({"text": t.decode("utf-8")}, ensure_ascii=len(t) % 2 == 0) for t in texts]
            return tool(["lh-extract-json", "-q", "--wire"], "".join(line + "\n" for line in lines).encode("utf-8"))
        return self.by_tag(cases, ask)

    def sound(self, answer):
        return b"true" in answer[:16]

    def right(self, case):
        return extract.answer(case[1]).encode("utf-8")
