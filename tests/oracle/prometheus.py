"""Read Prometheus text from stdin, strictly, and compare its counts with an access log.

    prometheus.py ACCESS_LOG <metrics

Every sample must follow the TYPE and the HELP of its family, none may be there twice, and a
histogram must rise up to its count.  lh_serve_requests_total must be what the log has.
"""
import collections
import json
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(r"(%s)(?:\{(.*)\})? (\S+)$" % NAME)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
types, helps, samples, order = {}, {}, {}, []

text = sys.stdin.read()
assert text.endswith("\n")
for line in text.splitlines():
    if line.startswith("# HELP "):
        _, _, name, what = line.split(" ", 3)
        assert name not in helps and what, line
        helps[name] = what
    elif line.startswith("# TYPE "):
        _, _, name, kind = line.split(" ", 3)
        assert name in helps and name not in types, line
        assert kind in ("counter", "gauge", "histogram"), line
        types[name] = kind
        order.append(name)
    else:
        m = SAMPLE.match(line)
        assert m, line
        name, labels, value = m[1], m[2] or "", float(m[3])
        family = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
        assert family == order[-1], (line, "is not below its TYPE")
        assert family == name or types[family] == "histogram", line
        found = LABEL.findall(labels)
        assert "".join('%s="%s",' % f for f in found)[:-1] == labels, line
        key = name, tuple(sorted(found))
        assert key not in samples, (line, "is there twice")
        samples[key] = value
        assert value >= 0, line

buckets = collections.defaultdict(list)
for (name, labels), value in samples.items():
    if name.endswith("_bucket"):
        rest = tuple(l for l in labels if l[0] != "le")
        buckets[name[:-7], rest].append((float(dict(labels)["le"]), value))
assert buckets
for (name, rest), list_ in buckets.items():
    values = [v for _, v in sorted(list_)]
    assert values == sorted(values) and sorted(list_)[-1][0] == float("inf"), (name, rest)
    assert values[-1] == samples[name + "_count", rest], (name, rest)

log = collections.Counter()
with open(sys.argv[1]) as f:
    for line in f:
        row = json.loads(line)
        log[row["route"] or "none", str(row["status"])] += 1


def plain(text):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


counted = {(plain(dict(l)["route"]), dict(l)["code"]): v for (n, l), v in samples.items()
           if n == "lh_serve_requests_total"}
if counted != log:
    for key in sorted(set(counted) | set(log)):
        if counted.get(key) != log.get(key):
            print(key, "metrics", counted.get(key), "log", log.get(key))
    sys.exit(1)
by_route = collections.Counter()
for (route, _), n in log.items():
    by_route[route] += n
taken = {plain(l[0][1]): v for (n, l), v in samples.items()
         if n == "lh_serve_request_seconds_count"}
assert taken == by_route, (taken, by_route)
print("%d requests" % sum(log.values()))
