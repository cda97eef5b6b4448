#!/usr/bin/env python3
"""workflow.py - a second implementation of lh-workflow, for tests.

    workflow.py run FLOW.json <inputs       results as lh-workflow run prints them, without times
    workflow.py order FLOW.json             the ids in their order
    workflow.py generate SHAPE NODES SEED   a flow: chain, wide or random
    workflow.py mode                        the modes of these tests, as a co-process

Every node is asked here, one after the other, by the function answer(), which `mode` serves
line by line: {"got": REQUEST}, or an error if the request has "fail".
"""
import json
import random
import re
import sys

REFERENCE = re.compile(r"\$(\$|[A-Za-z0-9_-]+)")


def answer(request):
    if request.get("fail"):
        return {"error": {"code": 422, "message": "asked to fail"}}
    return {"got": request}


class Unresolved(Exception):
    pass


class Run:
    def __init__(self, flow, value):
        self.nodes = {n["id"]: n for n in flow["nodes"]}
        self.value = value
        self.outputs = {}

    def above(self, node):
        """All that a node depends on."""
        found, open_ = set(), list(node.get("depends_on") or [])
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += self.nodes[name].get("depends_on") or []
        return found

    def reference(self, text, at):
        """The name at text[at], after "$", and the end of it; None if it is text."""
        words = re.match(r"[A-Za-z0-9_-]+", text[at:])
        if not words:
            return None
        parts = words[0].split("-")
        for n in range(len(parts), 0, -1):
            name = "-".join(parts[:n])
            if name == "input" or name in self.nodes:
                return name, at + len(name)
        return None

    def path(self, text, at):
        steps = []
        while True:
            m = re.match(r"\.((?:[A-Za-z0-9_-]*[A-Za-z0-9_]))", text[at:])
            if not m:
                return steps, at
            steps.append(m[1])
            at += len(m[0])

    def resolve(self, node, name, steps, text):
        if name == "input":
            value = self.value
        else:
            if name not in self.above(node):
                raise Unresolved(f'unresolved {text}: "{node["id"]}" does not depend on it')
            value = self.outputs[name]
            if steps:
                if steps[0] != "output":
                    raise Unresolved(f"unresolved {text}")
                steps = steps[1:]
        for step in steps:
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", step) and int(step) < len(value):
                value = value[int(step)]
            else:
                raise Unresolved(f"unresolved {text}")
        return value

    def fill_text(self, node, text):
        out, at = "", 0
        while at < len(text):
            if text[at] != "$":
                out += text[at]
                at += 1
                continue
            if text[at + 1:at + 2] == "$":
                out += "$"
                at += 2
                continue
            found = self.reference(text, at + 1)
            if not found:
                out += "$"
                at += 1
                continue
            steps, end = self.path(text, found[1])
            value = self.resolve(node, found[0], steps, text[at:end])
            if at == 0 and end == len(text):
                return value
            out += value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            at = end
        return out

    def fill(self, node, value):
        if isinstance(value, str):
            return self.fill_text(node, value)
        if isinstance(value, list):
            return [self.fill(node, v) for v in value]
        if isinstance(value, dict):
            return {k: self.fill(node, v) for k, v in value.items()}
        return value

    def request(self, node):
        prompt = node.get("prompt")
        inputs = {k: v for k, v in (node.get("inputs") or {}).items() if prompt is None or k != "prompt"}
        if prompt is not None:
            inputs["prompt"] = prompt
        return self.fill(node, inputs)


def in_order(flow):
    waits = {n["id"]: len(set(n.get("depends_on") or [])) for n in flow["nodes"]}
    ready = [n["id"] for n in flow["nodes"] if not waits[n["id"]]]
    for name in ready:
        for n in flow["nodes"]:
            if name in (n.get("depends_on") or []):
                waits[n["id"]] -= 1
                if not waits[n["id"]]:
                    ready.append(n["id"])
    return ready


def run(flow, value):
    r = Run(flow, value)
    failed_by, count = {}, {"ok": 0, "failed": 0, "skipped": 0}
    for name in in_order(flow):
        node = r.nodes[name]
        result = {"workflow": flow["name"], "id": name, "status": "ok", "output": None, "error": None}
        bad = [d for d in node.get("depends_on") or [] if d in failed_by]
        try:
            if bad:
                failed_by[name] = failed_by[bad[0]]
                result |= {"status": "skipped", "error": f"upstream node {failed_by[name]} failed"}
            else:
                got = answer(r.request(node))
                if "error" in got:
                    raise Unresolved(got["error"]["message"])
                r.outputs[name] = result["output"] = got
        except Unresolved as e:
            failed_by[name] = name
            result |= {"status": "failed", "error": str(e)}
            if str(e) == "asked to fail":
                result["output"] = {"error": str(e)}
        count[result["status"]] += 1
        yield result
    yield {"workflow": flow["name"], "status": "ok" if count["ok"] == len(r.nodes) else "failed",
           "nodes": len(r.nodes), **count}


def generate(shape, n, seed):
    draw = random.Random(seed)
    nodes = []
    names = [f"n{i}" for i in range(n)]
    for i, name in enumerate(names):
        node = {"id": name, "mode": draw.choice(["one", "two"])}
        if shape == "chain":
            on = names[max(i - 1, 0):i]
        elif shape == "wide":
            on = names[:1] if 0 < i < n - 1 else names[1:i] if i else []
        else:
            on = sorted(draw.sample(names[:i], min(i, draw.randrange(4))))
        if on:
            node["depends_on"] = on
        if shape == "random" and draw.random() < 0.02:
            node["inputs"] = {"fail": True}
        elif shape == "random" and on and draw.random() < 0.7:
            other = draw.choice(on if draw.random() < 0.95 else names)
            node["inputs"] = {"k": i, draw.choice("xyz"): draw.choice([
                f"${other}.output.got.k", f"<${other}.output.got.k>", "$$HOME $nobody $(id)", "$input.list.1",
                ["$input.list", {"deep": f"a ${other}.output.got.k, $input.name"}]])}
        elif i and shape == "chain":
            node["inputs"] = {"k": i, "before": f"${names[i - 1]}.output.got.k", "name": "$input.name"}
        else:
            node["inputs"] = {"k": i}
        if draw.random() < 0.2:
            node["prompt"] = "for $input.name: " + str(i)
        nodes.append(node)
    if shape == "random":
        draw.shuffle(nodes)
    return {"name": shape, "nodes": nodes}


def show(value):
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def main(command, *args):
    if command == "mode":
        for line in sys.stdin:
            show(answer(json.loads(line)))
            sys.stdout.flush()
        return 0
    if command == "generate":
        show(generate(args[0], int(args[1]), int(args[2])))
        return 0
    with open(args[0], encoding="utf-8") as f:
        flow = json.load(f)
    if command == "order":
        show({"workflow": flow["name"], "nodes": len(flow["nodes"]), "order": in_order(flow)})
        return 0
    for line in sys.stdin:
        for result in run(flow, json.loads(line)):
            show(result)
    return 0


sys.exit(main(*sys.argv[1:]))
