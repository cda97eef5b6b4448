"""Hold the answers of a filter that stays open against those of fresh processes.

    apart.py pairs REQUESTS COMMAND...
    apart.py steps N SEED FOLDER REQUESTS COMMAND...
    apart.py draw N SEED GIVEN TOOL OPERATION...

REQUESTS is a file of lines.  pairs is for a filter that changes nothing: one process is sent a
sequence in which each request comes after each other one, and itself, once, and must answer each as
a process does that is sent it alone.  steps is for one that changes its files: N requests drawn by
SEED are sent to one process that works in FOLDER, and each of them to a process of its own that
works in FOLDER.fresh, a copy of it; what differs must not be the answers.  COMMAND runs in the
folder.  The number of different answers is printed.  draw prints N requests drawn by SEED from what
TOOL --describe says of each OPERATION: one or two members, with values at and over their limits and
of other types, beside those that are required; GIVEN, an object, has values of members that exist.
"""
import json
import random
import re
import shutil
import subprocess
import sys


def order(n):
    """A sequence of 0..n-1 in which each ordered pair is once (de Bruijn, by Lyndon words)."""
    found, word = [], [0] * (n * 2 + 1)

    def extend(t, p):
        if t > 2:
            if 2 % p == 0:
                found.extend(word[1:p + 1])
            return
        word[t] = word[t - p]
        extend(t + 1, p)
        for j in range(word[t - p] + 1, n):
            word[t] = j
            extend(t + 1, t)

    extend(1, 1)
    return found + [found[0]]


def alone(command, line, folder=None):
    done = subprocess.run(command, input=line + b"\n", capture_output=True, cwd=folder, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{line.decode()}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout


# What differs between two processes, and two folders, by its nature.
OWN = re.compile(rb'"file":"-","line":\d+|"etag":"[^"]*"|/lh-subject-\d+-\w+/|"run_id":"[^"]*"')


def same(got, want):
    return OWN.sub(b"", got) == OWN.sub(b"", want)


def differ(before, line, got, want):
    sys.exit(f"after  {before.decode()}\n  {line.decode()}\ngives  {got.decode()}"
             f"alone  {want.decode()}")


def at_once(command, sent):
    done = subprocess.run(command, input=b"".join(line + b"\n" for line in sent),
                          capture_output=True, check=False)
    got = done.stdout.splitlines(keepends=True)
    if done.returncode not in (0, 1) or len(got) != len(sent):
        sys.exit(f"status {done.returncode}, {len(got)} answers to {len(sent)}: "
                 f"{done.stderr.decode()[-2000:]}")
    return got


def pairs(requests, command):
    want = {line: alone(command, line) for line in requests}
    sent = [requests[i] for i in order(len(requests))]
    before = b"(nothing)"
    for line, got in zip(sent, at_once(command, sent)):
        if not same(got, want[line]):
            differ(before, line, got, want[line])
        before = line
    return want.values()


def steps(number, seed, folder, requests, command):
    draw = random.Random(seed)
    shutil.copytree(folder, folder + ".fresh")
    answers, before = [], b"(nothing)"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, cwd=folder) as held:
        for line in draw.choices(requests, k=number):
            held.stdin.write(line + b"\n")
            held.stdin.flush()
            got = held.stdout.readline()
            want = alone(command, line, folder + ".fresh")
            if not same(got, want):
                held.kill()
                differ(before, line, got, want)
            answers.append(got)
            before = line
        held.stdin.close()
    return answers


def values(schema, name, given):
    """Some that the schema of a member allows, and some that it does not."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    low, high = schema.get("minimum", 0), schema.get("maximum", 2**53)
    longest = min(schema.get("maxLength", 300), 5000)
    found = {
        "string": ["", "a", "x" * longest, "x" * (longest + 1), "\u00e9 \ud83d\ude00\n\"", "../a"],
        "integer": [low, low - 1, high, high + 1, 1, 1.5, 2**64, -1, schema.get("default", 3)],
        "number": [0, -1, 0.5, 1e300, 2**64],
        "boolean": [True, False],
        "array": [[], [None], [[]]] + [[v] for v in good(schema.get("items", {}), name, given)],
        "object": [{}, {"a": 1}] + [{k: v} for k, inner in schema.get("properties", {}).items()
                                    for v in good(inner, k, given)],
    }
    mine = [v for kind in kinds or found for v in found.get(kind, [])]
    others = [v[-1] for kind, v in found.items() if kind not in kinds]
    return given.get(name, []) * 3 + schema.get("enum", []) + mine + others + [None]


def good(schema, name, given):
    """Values that a member may have, first of all those that exist."""
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        made = {k: good(inner, k, given)[0] for k, inner in schema.get("properties", {}).items()
                if k in schema["required"] or k in given}
        return given.get(name, []) + [made]
    plain = {"integer": max(1, schema.get("minimum", 1)), "number": 1, "boolean": True,
             "string": "a"}
    if kind == "array":
        plain["array"] = good(schema.get("items", {}), name + "[]", given)[:1]
    return given.get(name, []) or schema.get("enum", [])[:1] or [plain.get(kind)]


def drawn(number, seed, given, tool, *names):
    draw = random.Random(seed)
    described = json.loads(subprocess.run([tool, "--describe"], capture_output=True,
                                          check=True).stdout)["operations"]
    found = [o for o in described if o["name"] in names and
             (o["operands"] is None or names == (o["name"],))]
    if {o["name"] for o in found} != set(names):
        sys.exit(f"{tool} describes no {names}")
    for i in range(int(number)):
        operation = found[i % len(found)]
        schema = operation["input"] or {"properties": {}, "required": []}
        # The time that a search may take is a clock.
        members = {k: v for k, v in schema["properties"].items() if k != "timeout_ms"}
        request = {"op": operation["name"]} if operation["operands"] is None else {}
        known = sorted(given.keys() & members.keys())
        for k in schema["required"] or draw.sample(known, min(1, len(known))):
            request[k] = draw.choice(good(members[k], k, given))
        for k in draw.sample(sorted(members), min(len(members), draw.choice((0, 1, 1, 2, 2)))):
            request[k] = draw.choice(values(members[k], k, given))
        if not draw.randrange(12):
            request[draw.choice(("user", "nmae", "trace_id", "op"))] = draw.choice(("u", 5, None))
        print(json.dumps(request))


def main(how, *args):
    if how == "draw":
        number, seed, given, *args = args
        return drawn(number, seed, json.loads(given), *args)
    if how == "steps":
        number, seed, folder, *args = args
    with open(args[0], "rb") as lines:
        requests = lines.read().splitlines()
    for line in requests:
        json.loads(line)
    command = args[1:]
    answers = (pairs(requests, command) if how == "pairs" else
               steps(int(number), seed, folder, requests, command))
    return print(len(set(answers)))


main(*sys.argv[1:])
