#!/usr/bin/env python3
"""Inputs for reviews: changes that git makes diffs of, and answers about them.

    review_cases.py repository SEED     a repository in the current folder, and the
                                        files NAME.diff and NAME.names (paths, each
                                        ended by NUL), by git itself
    review_cases.py answers SEED MODELS <BUNDLES
                                        {"content":...} by bundle and model
"""
import json
import os
import random
import subprocess
import sys

NAMES = ["plain.c", "with space.c", "dir/a b/c d.txt", "b/b/b", "a/b/a.c", "tab\there", 'quote".c', "back\\slash",
         "new\nline", "caf\u00e9.txt", b"latin\xe9.txt", "trailing ", "-dash", "diff --git a b", "x b/x", "a/x b/a/x"]
LINES = ["int main(void)", "--- a/plain.c", "+++ b/plain.c", "@@ -1,3 +1,3 @@", "diff --git a/x b/x", "WHERE: plain.c:1",
         "", " ", "\tx = 1;", "- item", "+ item", "\\ No newline at end of file", "caf\u00e9", "-- ", "Binary files a and b differ",
         "GIT binary patch", "x" * 300, "crlf\r"]


def git(*args, **how):
    return subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false",
                           "-c", "core.autocrlf=false", "-c", "core.fileMode=true", *args], check=True,
                          stdout=subprocess.PIPE, **how).stdout


def path(name):
    return name if isinstance(name, bytes) else name.encode()


def write(name, data):
    name = path(name)
    if os.path.dirname(name):
        os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as f:
        f.write(data)


def text(r, n):
    lines = [r.choice(LINES) if r.random() < 0.6 else "line %d" % r.randrange(1000) for _ in range(n)]
    data = "\n".join(lines).encode() + (b"\n" if r.random() < 0.8 else b"")
    return data.replace(b"line 7", b"\xff\xfe 7")


def edit(r, data):
    lines = data.split(b"\n")
    for _ in range(r.randrange(1, 6)):
        at = r.randrange(len(lines))
        what = r.random()
        if what < 0.4:
            lines[at] = r.choice(LINES).encode()
        elif what < 0.7:
            lines.insert(at, text(r, 1))
        elif len(lines) > 1:
            del lines[at]
    return b"\n".join(lines)


def tree(r, names):
    return {path(n): text(r, r.choice([0, 1, 3, 30, 200])) for n in names}


def change(r, files):
    """Change the work tree and git's index in every way that a diff shows."""
    for n in list(files):
        what = r.random()
        if what < 0.15:
            git("rm", "-q", "--", n)
            del files[n]
        elif what < 0.3:
            new = n + b".moved"
            git("mv", "--", n, new)
            files[new] = files.pop(n)
            if r.random() < 0.5 and len(files[new]) > 300:
                files[new] += b"one more\n"
                write(new, files[new])
        elif what < 0.4:
            os.chmod(n, 0o755)
        elif what < 0.45:
            os.remove(n)
            os.symlink("target", n)
        else:
            files[n] = edit(r, files[n])
            write(n, files[n])
    write("fresh.c", text(r, 20))
    write("empty", b"")
    write("binary", bytes(r.randrange(256) for _ in range(3000)))
    git("add", "-A", ".")


def save(name, *how):
    with open(name + ".diff", "wb") as f:
        f.write(git(*how))
    with open(name + ".names", "wb") as f:
        f.write(git(*how, "--name-only", "-z"))


def merge(r):
    """A merge with a conflict that was resolved by hand: a combined diff."""
    write("both.c", b"".join(b"line %d\n" % i for i in range(60)))
    git("add", "-A", ".")
    git("commit", "-q", "-m", "base")
    for side in (b"ours", b"theirs"):
        git("checkout", "-q", "-b", side.decode())
        write("both.c", b"".join((side if i in (5, 30) else b"line") + b" %d\n" % i for i in range(60)))
        git("commit", "-q", "-a", "-m", side.decode())
        git("checkout", "-q", "-")
    git("checkout", "-q", "ours")
    subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=n@example.com", "merge", "-q", "theirs"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    write("both.c", b"".join((b"both" if i in (5, 30) else b"line") + b" %d\n" % i for i in range(60)))
    git("commit", "-q", "-a", "-m", "merge")


def repository(seed):
    r = random.Random(seed)
    os.mkdir("work")
    os.chdir("work")
    git("init", "-q", "-b", "main")
    files = tree(r, NAMES)
    for n in files:
        write(n, files[n])
    write("binary", bytes(range(256)) * 10)
    git("add", "-A", ".")
    git("commit", "-q", "-m", "first")
    change(r, files)
    git("commit", "-q", "-m", "second\n\n--- a/x\n+++ b/x\n\ndiff --git\n")
    two = ("HEAD~", "HEAD")
    save("../default", "diff", *two)
    save("../renames", "diff", "-M", "-C", "--find-copies-harder", *two)
    save("../binary", "diff", "--binary", "--no-renames", *two)
    save("../noprefix", "diff", "--no-prefix", *two)
    save("../mnemonic", "-c", "diff.mnemonicPrefix=true", "diff", *two)
    save("../prefixes", "diff", "--no-renames", "--src-prefix=old/", "--dst-prefix=newer/", *two)
    save("../unquoted", "-c", "core.quotePath=false", "diff", *two)
    save("../nocontext", "diff", "-U0", *two)
    save("../show", "show", "--format=", "HEAD")
    with open("../show.diff", "wb") as f:
        f.write(git("show", "--stat", "-p", "HEAD"))
    save("../mail", "diff", two[0], two[1])
    with open("../mail.diff", "wb") as f:
        f.write(git("format-patch", "--stdout", "--no-binary", "-1", "HEAD"))
    merge(r)
    for how in "cc", "combined":
        with open("../%s.diff" % how, "wb") as f:
            f.write(git("show", "--cc" if how == "cc" else "-c", "HEAD"))
        with open("../%s.names" % how, "wb") as f:
            f.write(b"both.c\0")


def answer(r, paths):
    out = []
    for _ in range(r.choice([0, 2, 5, 9])):
        p = r.choice(paths if r.random() < 0.3 else paths[:2])
        line = r.choice([r.randrange(1, 30), 0, 12, 13, 15])
        where = r.choice(["WHERE: %s:%d", "- **WHERE:** `%s:%d`", "WHERE: %s:%d-40", "WHERE: b/%s:%d", "WHERE: %s", "where: %s:%d",
                          "1. WHERE: %s:%d: a leak", "WHERE: %s:%d, off by one", "  WHERE:%s:%d:7 \r", "WHERE: %s:%dth",
                          "> **WHERE: %s:%d** - text", "WHERE: \"%s\":%d", "\u2022 WHERE: (%s:%d) text", "| _WHERE:_ [%s:%d](x) |",
                          "WHERE: `%s`:%d\u201315 \u2014 `x` leaks", "WHERE: %s:%d. WHERE: b.c:7 both", "WHERE: \"%s:%d\".", "WHERE: %s:%d/2",
                          "WHERE: %s:%d; **WHERE:** no such.c:3, b.c:4", "WHERE: %s:%d WHERE: there is none"])
        out.append(where % ((p, line) if "%d" in where else p))
        out += r.choice([[], ["It is wrong."], ["", "Two lines", "`and` more `"], ["+WHERE: %s:1" % p, "-WHERE: %s:1" % p]])
    said = "\n".join(out) or "NONE"
    return "<think>WHERE: %s:1</think>\n%s" % (paths[0], said) if r.random() < 0.2 else said


def main():
    if sys.argv[1] == "repository":
        repository(int(sys.argv[2]))
        return
    r = random.Random(int(sys.argv[2]))
    for line in sys.stdin:
        paths = [p for p in json.loads(line)["prompt"].partition("\n\n=====")[0].split("\n")[1:]]
        for _ in range(int(sys.argv[3])):
            print(json.dumps({"content": answer(r, paths)}))


main()
