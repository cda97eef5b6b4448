"""Hold the answers of a filter that stays open against those of fresh processes.

    apart.py pairs REQUESTS COMMAND...
    apart.py steps N SEED FOLDER REQUESTS COMMAND...

REQUESTS is a file of lines.  pairs is for a filter that changes nothing: one process is sent a
sequence in which each request comes after each other one, and itself, once, and must answer each as
a process does that is sent it alone.  steps is for one that changes its files: N requests drawn by
SEED are sent to one process that works in FOLDER, and each of them to a process of its own that
works in FOLDER.fresh, a copy of it; what differs must not be the answers.  COMMAND runs in the
folder.  The number of different answers is printed.
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


def main(how, *args):
    if how == "steps":
        number, seed, folder, *args = args
    with open(args[0], "rb") as lines:
        requests = lines.read().splitlines()
    for line in requests:
        json.loads(line)
    command = args[1:]
    answers = (pairs(requests, command) if how == "pairs" else
               steps(int(number), seed, folder, requests, command))
    print(len(set(answers)))


main(*sys.argv[1:])
