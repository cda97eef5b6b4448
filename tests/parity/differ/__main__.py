"""Both sides of a surface over inputs that nobody chose.

    python3 tests/parity/differ SURFACE... [--count N] [--seed S] [--keep DIR] [--most N] [--list]

SURFACE is embed, extract_json, validator, session_log, materializer or
subject_audit, or all.  For each, N inputs (2,000) are drawn and given to the
lh-* tool, found in PATH, and to tests/oracle.  Every difference is reduced to
the smallest input that still shows it and kept in DIR/SURFACE/, by default
regressions/ beside this folder; what is kept there is tried first by every
run.  One fault shows in many inputs: the first 5 are reduced, or so many as
--most says.  The same seed draws the same inputs; without one it is chosen, and
printed.

Prints a line a surface; exit 1 when anything differs, or when the tool found
fewer than a quarter of the inputs sound: what both refuse shows little.  With
--list the inputs are printed, as they would stand in a fixture.
"""
import argparse
import concurrent.futures
import hashlib
import importlib
import json
import os
import random
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from draws import Draw  # noqa: E402
from reduce import smallest  # noqa: E402
from surface import Died  # noqa: E402

SURFACES = ["embed", "extract_json", "validator", "session_log", "materializer", "subject_audit"]
AT_ONCE = 500

class Run:
    def __init__(self, name, folder):
        self.name = name
        self.surface = importlib.import_module("surface_" + name).Probe(folder)
        self.beside = concurrent.futures.ThreadPoolExecutor(1)
        self.sound, self.placed = 0, False

    def answers(self, cases):
        """What both say, the tool and the oracle at the same time; Died."""
        left = self.beside.submit(self.surface.left, cases)
        try:
            if hasattr(self.surface, "rights"):
                right = self.surface.rights(cases)
            else:
                right = [self.surface.right(case) for case in cases]
        finally:
            concurrent.futures.wait([left])
        return left.result(), right

    def differing(self, cases):
        """The places where both differ; all of them when the tool fails."""
        try:
            pairs = list(zip(*self.answers(cases)))
        except Died:
            return list(range(len(cases)))
        self.sound = sum(map(self.surface.sound, (a for a, _ in pairs)))
        return [i for i, (a, b) in enumerate(pairs) if not self.surface.same(a, b)]

    def shows(self, some):
        """Of lists of cases, which show a difference; none is asked behind the first that
        does when each costs a process."""
        if not self.placed and all(len(cases) == 1 for cases in some):
            found = set(self.differing([cases[0] for cases in some]))
            if len(found) < len(some):
                return [i in found for i in range(len(some))]
        said = []
        for cases in some:
            said.append(bool(self.differing(cases)))
            if said[-1]:
                break
        return said + [False] * (len(some) - len(said))

    def reduced(self, cases, i):
        """The smallest list of cases for a difference at i."""
        alone = [cases[i]]
        self.placed = self.surface.placed or not self.differing(alone)
        return smallest(alone if self.differing(alone) else cases, self.shows)

    def replay(self, folder):
        """The fixtures that still differ, and how many there are."""
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        bad = []
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                if self.differing([self.surface.held(json.loads(line)) for line in f]):
                    bad.append(os.path.join(folder, name))
        return bad, len(names)

    def tell(self, cases):
        for case in cases:
            print("  " + json.dumps(self.surface.kept(case), ensure_ascii=False)[:600])
        try:
            for a, b in zip(*self.answers(cases)):
                print("    left   " + a.decode("utf-8", "replace")[:600] + "\n    right  " + b.decode("utf-8", "replace")[:600])
        except Died as e:
            print(f"    left   {e}")

    def keep(self, folder, cases):
        os.makedirs(folder, exist_ok=True)
        made = "".join(json.dumps(self.surface.kept(case), ensure_ascii=False) + "\n" for case in cases).encode("utf-8")
        path = os.path.join(folder, hashlib.sha256(made).hexdigest()[:12] + ".jsonl")
        with open(path, "wb") as f:
            f.write(made)
        return path


def differ(name, count, seed, keep, most, folder):
    """Whether the surface shows no difference."""
    run, started = Run(name, folder), time.monotonic()
    draw, keep = Draw(f"{name} {seed}"), os.path.join(keep, name)
    old, fixtures = run.replay(keep)
    for path in old:
        print(f"{name}: a fixture differs: {path}")
        with open(path, encoding="utf-8") as f:
            run.tell([run.surface.held(json.loads(line)) for line in f])
    done = different = sound = reduced = 0
    kept = set()
    while done < count:
        cases = [run.surface.draw(draw) for _ in range(min(AT_ONCE, count - done))]
        found = run.differing(cases)
        sound += run.sound
        for i in found:
            different += 1
            if reduced < most:
                reduced += 1
                least = run.reduced(cases, i)
                path = run.keep(keep, least)
                if path not in kept:
                    kept.add(path)
                    print(f"{name}: a difference, kept as {path}")
                    run.tell(least)
                    sys.stdout.flush()
        done += len(cases)
    print(f"{name}: seed {seed}, {done} inputs, {sound} sound, {different} different; {fixtures} fixtures, {len(old)} different; "
          f"{time.monotonic() - started:.0f} s", flush=True)
    return not old and not different and sound >= done / 4


def listed(name, count, seed, folder):
    surface, draw = Run(name, folder).surface, Draw(f"{name} {seed}")
    for _ in range(count):
        print(json.dumps(surface.kept(surface.draw(draw)), ensure_ascii=False))
    return True


def main():
    args = argparse.ArgumentParser(usage="differ SURFACE... [--count N] [--seed S] [--keep DIR] [--most N] [--list]")
    args.add_argument("surfaces", nargs="+", choices=SURFACES + ["all"], metavar="SURFACE")
    args.add_argument("--count", type=int, default=2000)
    args.add_argument("--seed", type=int)
    args.add_argument("--keep", default=os.path.normpath(os.path.join(HERE, "../regressions")))
    args.add_argument("--most", type=int, default=5)
    args.add_argument("--list", action="store_true")
    options = args.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    good = True
    for name in SURFACES if "all" in options.surfaces else options.surfaces:
        folder = tempfile.mkdtemp()
        try:
            if options.list:
                good &= listed(name, options.count, seed, folder)
            else:
                good &= differ(name, options.count, seed, options.keep, options.most, folder)
        finally:
            shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
