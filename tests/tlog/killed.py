#!/usr/bin/env python3
"""tests/tlog/killed.py - kill writers, and hold what is left against all they said.

    killed.py writers KILLS SEED    two at a time of lh-tlog append and checkpoint and
                                    lh-subject-audit commit, on log, killed at random
    killed.py check ACKS NOTE...    the log in log, after kills by others: what was acknowledged,
                                    and each checkpoint or pending tree that ever was
"""
import collections
import glob
import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import transparency as t  # noqa: E402


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


class Watcher(threading.Thread):
    """Every text that files have, as fast as they can be read."""

    def __init__(self, *paths):
        super().__init__(daemon=True)
        self.paths, self.seen, self.over = paths, {p: [""] for p in paths}, False
        self.start()

    def run(self):
        while not self.over:
            for path, texts in self.seen.items():
                text = read(path)
                if text and text != texts[-1]:
                    texts.append(text)
            time.sleep(0.0005)

    def stop(self):
        self.over = True
        self.join()
        return {path: texts[1:] for path, texts in self.seen.items()}


def killed(commands, rng, most):
    """Run them at a time, kill each with chance 3/4; how many were killed."""
    running = [subprocess.Popen(c, stdin=open(i), stdout=open(o, "w")) for c, i, o in commands]
    time.sleep(rng.random() ** 2 * most)
    for p in running:
        if rng.random() < 0.75:
            p.kill()
    status = [p.wait() for p in running]
    t.must(all(s in (0, -9) for s in status), "exit statuses %s" % status)
    return status.count(-9)


def whole_lines(path):
    return [json.loads(line) for line in read(path).splitlines(True) if line.endswith("\n")]


def bundles(size):
    """The entries of log."""
    found = []
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        name = "log/tile/entries/" + "/".join(("x%03d" % (n // 1000),) * (n >= 1000) + ("%03d" % (n % 1000),))
        path = name if width == 256 else "%s.p/%d" % (name, width)
        with open(path, "rb") as f:
            data = f.read()
        while data:
            end = 2 + int.from_bytes(data[:2], "big")
            found.append(data[2:end].decode())
            data = data[end:]
    t.must(len(found) == size, "%d entries of %d" % (len(found), size))
    return found


def roots(entries, sizes):
    """The root of each size, from a stack of complete subtrees."""
    stack, found = [], {}
    for size in range(len(entries) + 1):
        if size:
            hash_, n = t.leaf_hash(entries[size - 1].encode()), size
            while n & 1 == 0:
                hash_, n = t.node(stack.pop(), hash_), n >> 1
            stack.append(hash_)
        if size in sizes:
            root = stack[-1] if stack else hashlib.sha256(b"").digest()
            for left in stack[-2::-1]:
                root = t.node(left, root)
            found[size] = root
    return found


def check_log(acks, checkpoints, pending):
    """All that was acknowledged is there, once, and every tree is a beginning of this one."""
    key = t.Vkey(t.LOG.vkey())
    trees = []
    for text in checkpoints + [read("log/checkpoint")]:
        body, lines = t.parse_note(text)
        t.must(any([key.signed(line, body) for line in lines]), "not signed: " + text)
        trees.append(t.parse_checkpoint(body))
    size = trees[-1][1]
    trees += [t.parse_checkpoint("\n".join(text.split("\n")[:3]) + "\n") for text in pending]
    entries = bundles(size)
    t.must(max(collections.Counter(entries).values(), default=1) == 1, "an entry is there twice")
    known = roots(entries, {n for _, n, _ in trees})
    for origin, n, root in trees:
        t.must(origin == t.ORIGIN and known.get(n) == root, "a tree of %d entries contradicts" % n)
    indexes = set()
    for ack in acks:
        tlog = ack.pop("tlog")
        entry = json.dumps(ack, separators=(",", ":"))
        t.must(tlog["index"] not in indexes, "index %d twice" % tlog["index"])
        indexes.add(tlog["index"])
        t.must(tlog["index"] < size and entries[tlog["index"]] == entry, "lost: %s" % entry)
        t.must(tlog["leaf_hash"] == t.b64(t.leaf_hash(entry.encode())), "another hash")
    return size, len(set(trees))


APPEND = ["lh-tlog", "append", "log", "--key-file", "log.key", "--line"]
CHECKPOINT = ["lh-tlog", "checkpoint", "log", "--key-file", "log.key"]
AUDIT = ["--dir", "audit", "--key-file", "audit.key"]
COMMIT = ["lh-subject-audit", "commit", *AUDIT, "--tlog", "log", "--key-file-tlog", "log.key"]
ACCESS = '{"candidate_id":"W-%d","accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"tool_lookup","trace_id":"t-%d"},"fields_accessed":["name"],"result":"success"}\n'


def access(rng, n):
    """Add rows to some logs of the subject audit."""
    rows = "".join(ACCESS % (rng.randrange(4), n) for _ in range(rng.choice([1, 2, 20])))
    subprocess.run(["lh-subject-audit", "append", *AUDIT, "--sync", "none"], input=rows.encode(), check=True, stdout=subprocess.DEVNULL)


def check_rows():
    """Each row is the entry that its cursor names, and the tree has no other row; how many."""
    at, rows = {}, 0
    for log in glob.glob("audit/*.audit.jsonl"):
        name = log[:-len(".audit.jsonl")]
        with open(name + ".secret", "rb") as f:
            secret = f.read()
        runs = json.loads(read(name + ".commit"))["runs"]
        indexes = [index + i for _, index, n in runs for i in range(n)]
        lines = read(log).splitlines()
        t.must(len(indexes) == len(lines), "%d of %d rows are committed" % (len(indexes), len(lines)))
        rows += len(lines)
        for index, row in zip(indexes, lines):
            opening = hmac.digest(secret, b"open\n" + json.loads(row)["row_hmac"].encode(), "sha256")
            at[index] = "lh-audit-row/v1 " + hashlib.sha256(b"lh-audit-row/v1\n" + opening + row.encode()).hexdigest()
    entries = bundles(t.parse_checkpoint(t.parse_note(read("log/checkpoint"))[0])[1])
    there = {i: e for i, e in enumerate(entries) if e.startswith("lh-audit-row/v1 ")}
    t.must(there == at and len(at) == rows, "%d rows, %d of them known, are %d entries" % (rows, len(at), len(there)))
    return rows


def kill_writers(wanted, rng):
    watcher = Watcher("log/checkpoint", "log/pending")
    acks, kills, n, took = [], 0, 0, 0.05
    with open(os.open("audit.key", os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
        f.write(rng.randbytes(32))
    while kills < wanted:
        commands = []
        for w in "ab":
            with open("in." + w, "w") as f:
                for _ in range(rng.choice([1, 1, 3, 300])):
                    f.write('{"id":"%s-%d"}\n' % (w, n))
                    n += 1
            commands.append((rng.choice(5 * [APPEND] + 2 * [COMMIT] + [CHECKPOINT]), "in." + w, "out." + w))
        if any(c is COMMIT for c, _, _ in commands):
            access(rng, n)
        start = time.monotonic()
        now = killed(commands, rng, took * 2)
        if not now:
            took = took / 2 + (time.monotonic() - start) / 2
        kills += now
        t.must(2000 * kills + 20000 > n, "only %d were killed" % kills)
        acks += [ack for c, _, out in commands if c is APPEND for ack in whole_lines(out)]
    for command in COMMIT, CHECKPOINT, APPEND:
        with open("in.a", "w") as f:
            f.write('{"id":"last"}\n')
        subprocess.run(command, check=True, stdin=open("in.a"), stdout=open("out.a", "w"))
    acks += whole_lines("out.a")
    seen = watcher.stop()
    size, trees = check_log(acks, seen["log/checkpoint"], seen["log/pending"])
    print("%d killed, %d acknowledged, %d rows, %d entries, %d trees" % (kills, len(acks), check_rows(), size, trees))


def main(command, *args):
    if command == "check":
        notes = [(path, read(path)) for pattern in args[1:] for path in glob.glob(pattern)]
        size, trees = check_log(whole_lines(args[0]), [x for p, x in notes if x and "pending" not in p],
                                [x for p, x in notes if x and "pending" in p])
        print("%d entries, %d trees" % (size, trees))
    else:
        kill_writers(int(args[0]), random.Random(int(args[1])))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except t.Bad as e:
        sys.exit("killed.py: %s" % e)
