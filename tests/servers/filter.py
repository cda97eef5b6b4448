"""A filter that does to lh-serve what the records ask for in "do".

    filter.py [--broken FILE] [--noisy] [--log FILE]

It answers {"answer":ID,"pid":PID} with the "id" of a record.  --broken: it cannot start
while FILE is there.  --noisy: it writes each record to stderr.  --log: it adds a line for
each record to FILE.
"""
import argparse
import json
import os
import sys
import time

p = argparse.ArgumentParser()
p.add_argument("--broken", default="")
p.add_argument("--noisy", action="store_true")
p.add_argument("--log")
p.add_argument("--name")
args = p.parse_args()

if os.path.exists(args.broken):
    sys.exit("cannot start: %s is there" % args.broken)


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.005)


for line in sys.stdin:
    if args.noisy:
        print("filter.py: a record:", line.strip(), file=sys.stderr, flush=True)
    if args.log:
        with open(args.log, "a") as f:
            f.write(line)
    rec = json.loads(line)
    do = rec.get("do", "")
    answer = json.dumps({"answer": rec.get("id"), "pid": os.getpid()}) + "\n"
    if "wait" in rec:
        wait_for(rec["wait"])
    if do == "hang":
        time.sleep(3600)
    elif do == "die":
        os._exit(rec.get("status", 7))
    elif do == "answer and die":
        say(answer)
        os._exit(7)
    elif do == "kill":
        os.kill(os.getpid(), 9)
    elif do == "two":
        say(answer + answer)
    elif do == "garbage":
        say("this is no JSON " + line)
    elif do == "array":
        say("[1]\n")
    elif do == "blank":
        say("\n")
    elif do == "half":
        say(answer[:9])
        os._exit(7)
    elif do == "close":
        os.close(0)
        os.close(1)
        time.sleep(3600)
    elif do == "flood":
        for i in range(2000):
            sys.stderr.write("x" * 2000 + "\n")
        say(answer)
    elif do == "fork":
        if os.fork() == 0:
            time.sleep(3600)    # keeps stdin, stdout and stderr open
        with open(rec["pids"], "w") as f:
            f.write(str(os.getpid()))
        os._exit(7)
    elif do == "env":
        say(json.dumps({"env": dict(os.environ)}) + "\n")
    elif do == "limits":
        say(json.dumps({"limits": open("/proc/self/limits").read()}) + "\n")
    elif do == "big":
        say(json.dumps({"answer": rec.get("id"), "text": "x" * rec["bytes"]}) + "\n")
    elif do == "error":
        say(json.dumps({"error": {"code": rec["code"], "message": "wrong"}}) + "\n")
    else:
        say(answer)
