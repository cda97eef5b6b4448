#!/usr/bin/env python3
"""A collector of OpenTelemetry on loopback, and Langfuse's, both strict.

    observed.py [--key PUBLIC:SECRET] [--token TOKEN] [--answers A,B,...]
                [--most BYTES] [--log FILE] [--events FILE] [--payloads DIR] [--tls CERT KEY]

Prints its port and serves until it is killed.  POST /v1/traces and
POST /api/public/otel/v1/traces check each payload against OpenTelemetry's trace.proto with the
rules of its JSON encoding, written down here once more.  A member that it does not have is a
fault.  A payload with a fault is answered 400, and the faults go to the log.

--log gets a JSON line per request: path, status, events, new, faults.  --events gets each span
once, by its id; what comes again is counted only.  --payloads keeps each body.
--answers says how to answer one request after the other, then ok:
    ok  STATUS  STATUS+SECONDS (Retry-After)
    lost (it is taken, and the connection closed)  held (it is taken, and never answered)
    stall (it is not taken, and never answered)  html  partial:N  empty
--most: 413 for a larger body.
"""
import argparse
import base64
import json
import os
import re
import threading
import time

import loopback

lock = threading.Lock()
seen, requests = set(), [0]


# ---- checks: each is a function of (value, path, faults) ----

def text(v, path, faults, most=None):
    if not isinstance(v, str) or (most and len(v) > most):
        faults.append(path + ": not a string")


def anything(v, path, faults):
    pass


def whole(v, path, faults):
    if type(v) is not int:
        faults.append(path + ": not an integer")


def boolean(v, path, faults):
    if type(v) is not bool:
        faults.append(path + ": not a boolean")


def one_of(*values):
    def check(v, path, faults):
        if v not in values or type(v) is bool:
            faults.append("%s: none of %r" % (path, values))
    return check


def listed(element):
    def check(v, path, faults):
        if not isinstance(v, list):
            faults.append(path + ": not an array")
            return
        for i, e in enumerate(v):
            element(e, "%s[%d]" % (path, i), faults)
    return check


def record(required, optional, nullable=True):
    def check(v, path, faults):
        if not isinstance(v, dict):
            faults.append(path + ": not an object")
            return
        faults.extend("%s: no %s" % (path, k) for k in required if k not in v)
        for k, e in v.items():
            if k in required:
                required[k](e, path + "." + k, faults)
            elif k not in optional:
                faults.append("%s: %s is unknown" % (path, k))
            elif e is not None or not nullable:
                optional[k](e, path + "." + k, faults)
    return check


# ---- OTLP ----

def digits_of(n):
    def check(v, path, faults):
        if not isinstance(v, str) or not re.fullmatch("[0-9a-fA-F]{%d}" % n, v) or not int(v, 16):
            faults.append("%s: not %d digits of hex" % (path, n))
    return check


def whole_text(least, most):
    """64 bits are decimal strings in JSON."""
    def check(v, path, faults):
        if not isinstance(v, str) or not re.fullmatch(r"-?(0|[1-9]\d*)", v) or not least <= int(v) <= most:
            faults.append(path + ": not a number of 64 bits as a string")
    return check


def any_value(v, path, faults):
    kinds = {"stringValue": text, "boolValue": boolean, "intValue": whole_text(-2**63, 2**63 - 1),
             "doubleValue": anything, "bytesValue": text, "arrayValue": record({}, {"values": listed(any_value)}),
             "kvlistValue": record({}, {"values": attributes})}
    record({}, kinds, nullable=False)(v, path, faults)
    if isinstance(v, dict) and len(v) > 1:
        faults.append(path + ": more than one value")


def attributes(v, path, faults):
    listed(record({"key": text, "value": any_value}, {}))(v, path, faults)
    keys = [a.get("key") for a in v if isinstance(a, dict)] if isinstance(v, list) else []
    if len(keys) != len(set(keys)):
        faults.append(path + ": a key twice")


NANOS = whole_text(0, 2**64 - 1)
OTLP_SPAN = record(
    {"traceId": digits_of(32), "spanId": digits_of(16), "name": text, "startTimeUnixNano": NANOS, "endTimeUnixNano": NANOS},
    {"traceState": text, "parentSpanId": digits_of(16), "flags": whole, "kind": one_of(0, 1, 2, 3, 4, 5),
     "attributes": attributes, "droppedAttributesCount": whole, "events": listed(anything), "droppedEventsCount": whole,
     "links": listed(anything), "droppedLinksCount": whole,
     "status": record({}, {"message": text, "code": one_of(0, 1, 2)})})
SCOPE = record({}, {"name": text, "version": text, "attributes": attributes, "droppedAttributesCount": whole})
TRACES = record({}, {"resourceSpans": listed(record({}, {
    "resource": record({}, {"attributes": attributes, "droppedAttributesCount": whole}), "schemaUrl": text,
    "scopeSpans": listed(record({}, {"scope": SCOPE, "spans": listed(OTLP_SPAN), "schemaUrl": text}))}))})


def spans_of(v):
    return [s for r in v["resourceSpans"] for c in r["scopeSpans"] for s in c["spans"]]


def unique(pairs):
    keys = [k for k, v in pairs]
    assert len(keys) == len(set(keys)), "a member twice"
    return dict(pairs)


class Observed(loopback.Handler):
    def note(self, status, events, new, faults):
        if options.log:
            with open(options.log, "a") as f:
                f.write(json.dumps({"path": self.path, "status": status, "events": events, "new": new, "faults": faults}) + "\n")

    def allowed(self):
        given = self.headers.get("Authorization", "")
        if self.path == "/v1/traces":
            return given == ("Bearer " + options.token if options.token else "")
        return not options.key or given == "Basic " + base64.b64encode(options.key.encode()).decode()

    def keep(self, events, ids):
        """Take the events that are new: how many."""
        new = 0
        with lock:
            for e, i in zip(events, ids):
                if i in seen:
                    continue
                seen.add(i)
                new += 1
                if options.events:
                    with open(options.events, "a") as f:
                        f.write(json.dumps(e) + "\n")
        return new

    def do_POST(self):
        raw = self.body()
        with lock:
            requests[0] += 1
            number = requests[0]
            how = options.answers.pop(0) if options.answers else "ok"
        if options.payloads:
            with open(os.path.join(options.payloads, "%06d" % number), "wb") as f:
                f.write(raw)
        if not self.allowed():
            self.note(401, 0, 0, [])
            return self.send(401, json.dumps({"message": "who is " + self.headers.get("Authorization", "nobody")}))
        if options.most and len(raw) > options.most:
            self.note(413, 0, 0, [])
            return self.send(413, "{}")
        if how == "stall":
            self.note(0, 0, 0, [])
            time.sleep(600)
            return None
        if re.fullmatch(r"\d{3}(\+\d+)?", how):
            self.note(int(how[:3]), 0, 0, [])
            return self.send(int(how[:3]), "{}", **({"Retry_After": how[4:]} if len(how) > 3 else {}))
        faults = []
        try:
            value = json.loads(raw.decode(), object_pairs_hook=unique)
            TRACES(value, "", faults)
        except (ValueError, AssertionError) as e:
            faults.append(str(e))
        if self.headers.get("Content-Type") != "application/json" or self.path not in ("/v1/traces", "/api/public/otel/v1/traces"):
            faults.append("not for this place")
        if faults:
            self.note(400, 0, 0, faults)
            return self.send(400, json.dumps({"message": faults[0]}))
        self.take(spans_of(value), how)

    def take(self, spans, how):
        new = self.keep(spans, [s["traceId"] + s["spanId"] for s in spans])
        self.note(200, len(spans), new, [])
        if how == "held":
            time.sleep(600)
        if how == "lost":
            self.close_connection = True
            return None
        if how == "html":
            return self.send(200, "<html>")
        partial = {"rejectedSpans": how[8:], "errorMessage": "too many for %s" % self.headers["Authorization"]} if how.startswith("partial:") else {}
        return self.send(200, "" if how == "empty" else json.dumps({"partialSuccess": partial}))


parser = argparse.ArgumentParser()
parser.add_argument("--key")
parser.add_argument("--token")
parser.add_argument("--answers", type=lambda s: s.split(","), default=[])
parser.add_argument("--most", type=int)
parser.add_argument("--log")
parser.add_argument("--events")
parser.add_argument("--payloads")
parser.add_argument("--tls", nargs=2)
options = parser.parse_args()

loopback.serve(Observed, tls=options.tls)
