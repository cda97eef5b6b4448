#!/usr/bin/env python3
"""Langfuse's ingestion and an OTLP collector on loopback, both strict.

    observed.py [--key PUBLIC:SECRET] [--token TOKEN] [--answers A,B,...] [--refuse TEXT:STATUS]
                [--most BYTES] [--log FILE] [--events FILE] [--payloads DIR] [--tls CERT KEY]

Prints its port and serves until it is killed.  POST /api/public/ingestion and POST /v1/traces
check each payload against what is published of their schemas, written down here once more: the
Fern definition of Langfuse (ingestion.yml, commons.yml) and OpenTelemetry's trace.proto with the
rules of its JSON encoding.  A member that they do not have is a fault.  A payload with a fault
is answered 400, and the faults go to the log.

--log gets a JSON line per request: path, status, events, new, faults.  --events gets each event
or span once, by its id; what comes again is counted only.  --payloads keeps each body.
--answers says how to answer one request after the other, then ok:
    ok  STATUS  STATUS+SECONDS (Retry-After)  some:TEXT:STATUS (events with TEXT are refused)
    lost (it is taken, and the connection closed)  held (it is taken, and never answered)
    stall (it is not taken, and never answered)  html  partial:N  empty
--refuse refuses events with TEXT each time.  --most: 413 for a larger body.
"""
import argparse
import base64
import datetime
import http.server
import json
import os
import re
import ssl
import threading
import time

lock = threading.Lock()
seen, requests = set(), [0]


# ---- checks: each is a function of (value, path, faults) ----

def text(v, path, faults, most=None):
    if not isinstance(v, str) or (most and len(v) > most):
        faults.append(path + ": not a string")


def identifier(v, path, faults):
    if not isinstance(v, str) or not 1 <= len(v) <= 800 or "\r" in v:
        faults.append(path + ": not an id")


def anything(v, path, faults):
    pass


def moment(v, path, faults):
    try:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", v)
        datetime.datetime.fromisoformat(v.replace("Z", "+00:00"))
    except (AssertionError, TypeError, ValueError):
        faults.append(path + ": not a date-time")


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


# ---- Langfuse ----

LEVEL = one_of("DEBUG", "DEFAULT", "WARNING", "ERROR")
OBSERVATION = {"id": identifier, "traceId": identifier, "name": text, "startTime": moment, "metadata": anything,
               "input": anything, "output": anything, "level": LEVEL, "statusMessage": text,
               "parentObservationId": text, "version": text, "environment": text}
SPAN = dict(OBSERVATION, endTime=moment)
GENERATION = dict(SPAN, completionStartTime=moment, model=text, modelParameters=anything, usage=anything,
                  usageDetails=anything, costDetails=anything, promptName=text, promptVersion=whole)
TRACE = {"id": identifier, "timestamp": moment, "name": text, "userId": text, "input": anything, "output": anything,
         "sessionId": text, "release": text, "version": text, "metadata": anything, "tags": listed(text),
         "environment": text, "public": boolean}
BODIES = {
    "trace-create": record({}, TRACE),
    "span-create": record({}, SPAN),
    "span-update": record({"id": identifier}, SPAN),
    "event-create": record({}, OBSERVATION),
    "generation-create": record({}, GENERATION),
    "generation-update": record({"id": identifier}, GENERATION),
}


def event(v, path, faults):
    kind = v.get("type") if isinstance(v, dict) else None
    if kind not in BODIES:
        faults.append("%s: type %r" % (path, kind))
        return
    record({"id": identifier, "timestamp": moment, "type": text, "body": BODIES[kind]}, {"metadata": anything})(v, path, faults)


INGESTION = record({"batch": listed(event)}, {"metadata": anything})


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


class Observed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, status, body, **headers):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

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
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            requests[0] += 1
            number = requests[0]
            how = options.answers.pop(0) if options.answers else "ok"
        if options.payloads:
            with open(os.path.join(options.payloads, "%06d" % number), "wb") as f:
                f.write(raw)
        if not self.allowed():
            self.note(401, 0, 0, [])
            return self.answer(401, json.dumps({"message": "who is " + self.headers.get("Authorization", "nobody")}))
        if options.most and len(raw) > options.most:
            self.note(413, 0, 0, [])
            return self.answer(413, "{}")
        if how == "stall":
            self.note(0, 0, 0, [])
            time.sleep(600)
            return None
        if re.fullmatch(r"\d{3}(\+\d+)?", how):
            self.note(int(how[:3]), 0, 0, [])
            return self.answer(int(how[:3]), "{}", **({"Retry_After": how[4:]} if len(how) > 3 else {}))
        faults = []
        try:
            value = json.loads(raw.decode(), object_pairs_hook=unique)
            (TRACES if self.path == "/v1/traces" else INGESTION)(value, "", faults)
        except (ValueError, AssertionError) as e:
            faults.append(str(e))
        if self.headers.get("Content-Type") != "application/json" or self.path not in ("/v1/traces", "/api/public/ingestion"):
            faults.append("not for this place")
        if faults:
            self.note(400, 0, 0, faults)
            return self.answer(400, json.dumps({"message": faults[0]}))
        events = spans_of(value) if self.path == "/v1/traces" else value["batch"]
        self.take(events, how)

    def take(self, events, how):
        refused = dict()
        for rule in ([how[5:]] if how.startswith("some:") else []) + options.refuse:
            needle, status = rule.rsplit(":", 1)
            refused.update({e["id"]: int(status) for e in events if self.path != "/v1/traces" and needle in json.dumps(e)})
        taken = [e for e in events if e.get("id") not in refused]
        new = self.keep(taken, [e.get("id") or e["traceId"] + e["spanId"] for e in taken])
        self.note(200, len(taken), new, [])
        if how == "held":
            time.sleep(600)
        if how == "lost":
            self.close_connection = True
            return None
        if how == "html":
            return self.answer(200, "<html>")
        if self.path == "/v1/traces":
            partial = how.startswith("partial:")
            return self.answer(200, "" if how == "empty" else json.dumps(
                {"partialSuccess": {"rejectedSpans": how[8:], "errorMessage": "too many"}} if partial else {"partialSuccess": {}}))
        return self.answer(207, json.dumps({
            "successes": [{"id": e["id"], "status": 201} for e in taken],
            "errors": [{"id": i, "status": s, "message": "Refused", "error": "for %s" % self.headers["Authorization"]} for i, s in refused.items()]}))


parser = argparse.ArgumentParser()
parser.add_argument("--key")
parser.add_argument("--token")
parser.add_argument("--answers", type=lambda s: s.split(","), default=[])
parser.add_argument("--refuse", action="append", default=[])
parser.add_argument("--most", type=int)
parser.add_argument("--log")
parser.add_argument("--events")
parser.add_argument("--payloads")
parser.add_argument("--tls", nargs=2)
options = parser.parse_args()

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Observed)
server.daemon_threads = True
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
