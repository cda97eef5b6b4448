"""What the surfaces have in common: a tool run over many cases at once.

A surface is a class Probe in surface_NAME.py with draw(d), left(cases) and
right(case), or rights(cases); answers are bytes.

A case is (tag, data): data is the text, line or log that is drawn, spoilt and
reduced, bytes; tag is the little beside it that is not, a string.
"""
import base64
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "../../oracle")
sys.path.insert(0, ORACLE)

NOW = "2026-05-03T12:00:00.000Z"
REFUSED = b"refused"


class Died(Exception):
    """A tool that did not answer every case."""


def tool(argv, data=b""):
    """What it prints, by line."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LH_")}
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    if done.returncode not in (0, 1):
        raise Died(f"{argv[0]} ended with {done.returncode}: {done.stderr[-2000:].decode('utf-8', 'replace')}")
    return done.stdout.split(b"\n")[:-1]


class Surface:
    tag, data = None, "line"
    # whether an answer depends on a case's place among the others
    placed = False

    def __init__(self, folder):
        self.folder = folder

    def same(self, a, b):
        return a == b

    def sound(self, answer):
        """Whether the tool took the case for what it should be."""
        return answer not in (REFUSED, b"")

    def by_tag(self, cases, ask):
        """ask(tag, list of data) for each tag there is; the answers in order."""
        places = {}
        for i, (tag, _) in enumerate(cases):
            places.setdefault(tag, []).append(i)
        answers = [None] * len(cases)
        for tag, held in places.items():
            got = ask(tag, [cases[i][1] for i in held])
            if len(got) != len(held):
                raise Died(f"{len(got)} answers to {len(held)} cases")
            for i, answer in zip(held, got):
                answers[i] = answer
        return answers

    def kept(self, case):
        """A case as it stands in a fixture."""
        tag, data = case
        made = {self.tag: tag} if self.tag else {}
        try:
            made[self.data] = data.decode("utf-8")
        except UnicodeDecodeError:
            made[self.data + "_base64"] = base64.b64encode(data).decode()
        return made

    def held(self, made):
        """The case of a fixture."""
        tag = made.get(self.tag, "")
        if self.data in made:
            return tag, made[self.data].encode("utf-8")
        return tag, base64.b64decode(made[self.data + "_base64"])


def blank(line):
    return not line.strip(b" \t\r")


def spoilt(d, data):
    """A line, now and then with other bytes; still one line, and no BOM before it."""
    if d.often(0.12):
        data = d.spoil(data)
    elif d.often(0.03):
        data = d.doubled(data.decode("utf-8")).encode("utf-8")
    data = data.replace(b"\n", b" ")
    return b" " + data if data.startswith(b"\xef\xbb\xbf") else data
