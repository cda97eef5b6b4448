#!/usr/bin/env python3
"""Starts the servers of a file of tests: each is a fork of this, in which what they import is there.

    starter.py PIPE

A line of PIPE names a file with what start_server (server.bash) writes there, each ended by NUL: a
folder to be in, the file for what is printed, a program next to this one, and its arguments.  The
number of the process is put next to the second, with the ending .pid.  An empty line is the end:
servers that are left are named on stdout and ended, and the exit status is 1.
"""
import argparse  # noqa: F401: what the servers import
import ctypes
import email.parser  # noqa: F401
import gzip  # noqa: F401
import hashlib  # noqa: F401
import http.server  # noqa: F401
import json  # noqa: F401
import os
import signal
import ssl  # noqa: F401
import sys
import traceback

import upstream  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
code, running = {}, {}


def ends_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def become(folder, out, program, arguments):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ends_with_parent()
    os.chdir(folder)
    for name, fd in (out, 1), (out + ".err", 2):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), fd)
    with open(out + ".pid", "w", encoding="utf-8") as f:
        f.write(str(os.getpid()))
    sys.argv = [os.path.join(HERE, program), *arguments]
    exec(code[program], {"__name__": "__main__", "__file__": sys.argv[0]})


def start(folder, out, program, *arguments):
    if program not in code:
        with open(os.path.join(HERE, program), encoding="utf-8") as f:
            code[program] = compile(f.read(), program, "exec")
    pid = os.fork()
    if pid:
        running[pid] = " ".join((program, *arguments))
        return
    try:
        become(folder, out, program, arguments)
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
    os._exit(1)


def reap(*_):
    try:
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            running.pop(pid, None)
    except ChildProcessError:
        pass


ends_with_parent()
signal.signal(signal.SIGCHLD, reap)
with open(sys.argv[1], "r+b", buffering=0) as pipe:
    while asked := pipe.readline().rstrip(b"\n"):
        with open(asked, encoding="utf-8") as f:
            start(*f.read().split("\0")[:-1])
for left in list(running.items()):
    print("%d %s" % left)
    os.kill(left[0], signal.SIGKILL)
sys.exit(bool(running))
