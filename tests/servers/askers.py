"""Many connections to lh-serve at one time, each with one request after the other.

    askers.py URL PATH [-c CONNECTIONS] [-n REQUESTS] [--while FILE] [--body JSON]
              [--token FILE]... [--ready FILE]

Each record gets an "id" of its own, and its answer must have it.  It prints how often each
status came, "broken" for a connection that ended without an answer, "refused", and
"wrong" for an answer to something else: {"200":640}.  -n: requests of each connection;
--while: as long as FILE is there.  --ready: make FILE once every connection had an answer.
"""
import argparse
import collections
import http.client
import json
import os
import threading
import urllib.parse

p = argparse.ArgumentParser()
p.add_argument("url")
p.add_argument("path")
p.add_argument("-c", type=int, default=16)
p.add_argument("-n", type=int, default=1)
p.add_argument("--while", dest="during")
p.add_argument("--body", default="{}")
p.add_argument("--token", action="append", default=[])
p.add_argument("--ready")
args = p.parse_args()

url = urllib.parse.urlsplit(args.url)
tokens = [open(t).read().strip() for t in args.token]
lock = threading.Lock()
counts = collections.Counter()
answered = set()


def ready(who):
    if not args.ready:
        return
    with lock:
        answered.add(who)
        if len(answered) == args.c:
            open(args.ready, "w").close()


def one(c, ident, n):
    body = dict(json.loads(args.body), id=ident)
    headers = {"Content-Type": "application/json"}
    if tokens:
        headers["Authorization"] = "Bearer " + tokens[n % len(tokens)]
    c.request("POST", args.path, json.dumps(body), headers)
    r = c.getresponse()
    text = r.read()
    if r.status == 200 and json.loads(text).get("answer") != ident:
        return "wrong"
    return str(r.status)


def asker(who):
    c = http.client.HTTPConnection(url.hostname, url.port, timeout=600)
    n = 0
    while os.path.exists(args.during) if args.during else n < args.n:
        n += 1
        try:
            what = one(c, "%d-%d" % (who, n), n)
        except ConnectionRefusedError:
            what = "refused"
        except (http.client.HTTPException, OSError, ValueError):
            what = "broken"
            c.close()
        with lock:
            counts[what] += 1
        ready(who)
        if what == "refused":
            return


threads = [threading.Thread(target=asker, args=(i,)) for i in range(args.c)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(json.dumps(dict(sorted(counts.items())), separators=(",", ":")))
