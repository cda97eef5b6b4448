#!/usr/bin/env python3
"""An S3 on loopback that checks every signature, and answers badly when it is told to.

    s3.py [--log FILE] [--token TOKEN] [--region REGION] [--port N]
    s3.py --known-answers

Prints its port on stdout and serves until it is killed.  The keys are ID and SECRET
below; every bucket exists and is empty at first.  Each request must carry a Signature
Version 4 over all that it should, x-amz-content-sha256 must be the hash of the body, and
Content-MD5 its MD5.  --known-answers checks the four examples of Amazon's documentation.

Without a signature it answers these, for tests:

    GET /_state                      {"objects": {"BUCKET/KEY": size}, "uploads": N, "parts": N}
    GET /_make/BUCKET/N              make N small objects, k000000 and so on
    GET /_clear                      remove all objects
    GET /_raw/BUCKET/KEY             make the object, whatever its key (percent-encoded) is
    GET /_mode/MODE/METHOD/SKIP/N    let SKIP requests of that method ("ANY") pass, then answer
                                     N of them in that way; /_mode/off ends it
                                     (truncated=XML is in place of IsTruncated in lists)

--log gets a line for each request: method, path, status.
"""
import argparse
import base64
import bisect
import calendar
import hashlib
import hmac
import json
import re
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

import loopback

ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TIME = "2026-05-03T12:00:00.000Z"

lock = threading.Lock()
LENGTHLESS = ("cut", "cut-md5", "bare", "bare-md5", "flood")
objects = {}		# "bucket/key": (bytes, etag)
sorted_names = {}	# (bucket, prefix): (how many objects there were, the keys)
uploads = {}		# id: (name, {number: (bytes, md5)})
mode = {"name": "off", "method": "", "skip": 0, "left": 0}
args = None


def quote(text, slash=False):
    return urllib.parse.quote(text, safe="/-_.~" if slash else "-_.~")


def signature(secret, method, path, query, headers, signed, payload, stamp, region):
    """The signature by the documentation; path and query are as in the request line."""
    pairs = sorted(tuple(quote(urllib.parse.unquote(x)) for x in (p.split("=", 1) + [""])[:2])
                   for p in query.split("&") if p)
    canonical = "\n".join([
        method, quote(urllib.parse.unquote(path), True), "&".join("=".join(p) for p in pairs),
        "".join("%s:%s\n" % (name, " ".join(headers[name].split())) for name in signed),
        ";".join(signed), payload])
    scope = "%s/%s/s3/aws4_request" % (stamp[:8], region)
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def known_answers():
    empty = hashlib.sha256(b"").hexdigest()
    body = hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()
    base = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z"}
    for method, path, query, more, payload, want in (
            ("GET", "/test.txt", "", {"range": "bytes=0-9"}, empty,
             "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            ("PUT", "/test%24file.text", "", {"date": "Fri, 24 May 2013 00:00:00 GMT",
                                              "x-amz-storage-class": "REDUCED_REDUNDANCY"}, body,
             "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
            ("GET", "/", "lifecycle", {}, empty,
             "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("GET", "/", "max-keys=2&prefix=J", {}, empty,
             "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")):
        headers = dict(base, **more, **{"x-amz-content-sha256": payload})
        got = signature(SECRET, method, path, query, headers, sorted(headers), payload,
                        base["x-amz-date"], "us-east-1")
        print(method, path, query, got)
        if got != want:
            sys.exit("wrong: not " + want)


class Refused(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class S3(loopback.Handler):
    # -- answers --

    def answer(self, status, body=b"", **headers):
        body = body.encode() if isinstance(body, str) else body
        if args.log:
            with lock, open(args.log, "a", encoding="utf-8") as f:
                f.write("%s %s %d\n" % (self.command, self.path, status))
        self.send_response(status)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(body)

    def send_body(self, body):
        how = self.bad
        if how == "slow":
            for b in body[:40]:
                self.write(bytes([b]))
                time.sleep(0.1)
            how = "short"
        if how in ("short", "swap"):
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
            return
        if how == "wrong" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        self.wfile.write(body)

    def refuse(self, status, code, message=""):
        self.answer(status, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>%s</Message></Error>"
                    % (code, escape(message)), content_type="application/xml")

    # -- the check of a request --

    def check(self, body):
        h = {k.lower(): v for k, v in self.headers.items()}
        try:
            kind, rest = h["authorization"].split(" ", 1)
            said = dict(p.strip().split("=", 1) for p in rest.split(","))
            who, date, region, service, end = said["Credential"].split("/")
            signed = said["SignedHeaders"].split(";")
        except (KeyError, ValueError):
            raise Refused(403, "AccessDenied", "no signature")
        stamp, payload = h.get("x-amz-date", ""), h.get("x-amz-content-sha256", "")
        need = {"host"} | {n for n in h if n.startswith("x-amz-") or n in ("content-md5", "content-type", "range", "if-match", "if-none-match")}
        if (kind, service, end) != ("AWS4-HMAC-SHA256", "s3", "aws4_request") or who != ID:
            raise Refused(403, "InvalidAccessKeyId")
        if region != args.region or date != stamp[:8]:
            raise Refused(400, "AuthorizationHeaderMalformed")
        if abs(time.time() - calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))) > 900:
            raise Refused(403, "RequestTimeTooSkewed")
        if h.get("x-amz-security-token") != args.token:
            raise Refused(403, "InvalidToken")
        if signed != sorted(signed) or not need <= set(signed) or not set(signed) <= set(h):
            raise Refused(403, "AccessDenied", "signed are " + ";".join(signed))
        path, _, query = self.path.partition("?")
        if not hmac.compare_digest(said["Signature"], signature(SECRET, self.command, path, query, h, signed, payload, stamp, region)):
            raise Refused(403, "SignatureDoesNotMatch", "with " + SECRET)
        if payload != hashlib.sha256(body).hexdigest():
            raise Refused(400, "XAmzContentSHA256Mismatch")
        if "content-md5" in h and base64.b64decode(h["content-md5"]) != hashlib.md5(body).digest():
            raise Refused(400, "BadDigest")
        if self.command == "PUT" and "content-md5" not in h:
            raise Refused(400, "InvalidRequest", "no Content-MD5")

    # -- operations --

    def put(self, name, query, body, h):
        etag = hashlib.md5(body).hexdigest()
        with lock:
            if "uploadId" in query:
                upload = uploads.get(query["uploadId"])
                if not upload:
                    raise Refused(404, "NoSuchUpload")
                upload[1][int(query["partNumber"])] = (body, etag)
            elif h.get("If-None-Match") == "*" and name in objects:
                raise Refused(412, "PreconditionFailed")
            else:
                objects[name] = (body, etag)
        self.answer(200, ETag='"%s"' % ("0" * 32 if self.bad == "etag" else etag))

    def begin(self, name):
        number = "up/load+%d=" % time.time_ns()
        with lock:
            uploads[number] = (name, {})
        self.answer(200, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>" % number)

    def complete(self, name, query, body, h):
        if self.bad == "internal":
            return self.refuse(200, "InternalError", "We encountered an internal error.")
        if self.bad == "invalid":
            return self.refuse(200, "InvalidPart", "One or more of the parts could not be found.")
        with lock:
            upload = uploads.get(query["uploadId"])
            if not upload:
                raise Refused(404, "NoSuchUpload")
            if h.get("If-None-Match") == "*" and name in objects:
                raise Refused(412, "PreconditionFailed")
            parts = [upload[1][n] for n in sorted(upload[1])]
            named = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>&quot;(\w+)&quot;</ETag>", body.decode())
            if named != [(str(n), upload[1][n][1]) for n in sorted(upload[1])]:
                raise Refused(400, "InvalidPart")
            if any(len(p[0]) < 5 << 20 for p in parts[:-1]):
                raise Refused(400, "EntityTooSmall")
            etag = "%s-%d" % (hashlib.md5(b"".join(bytes.fromhex(p[1]) for p in parts)).hexdigest(), len(parts))
            objects[name] = (b"".join(p[0] for p in parts), etag)
            del uploads[query["uploadId"]]
        if self.bad == "lose":
            return self.reset()
        self.answer(200, "<CompleteMultipartUploadResult><ETag>&quot;%s&quot;</ETag></CompleteMultipartUploadResult>" % etag)

    def get(self, name, h):
        with lock:
            if name not in objects:
                raise Refused(404, "NoSuchKey")
            body, etag = objects[name]
            if self.bad == "swap":
                objects[name] = (body[::-1], hashlib.md5(body[::-1]).hexdigest())
        if "If-Match" in h and h["If-Match"].strip('"') != etag and self.bad != "glue":
            raise Refused(412, "PreconditionFailed")
        more = {"ETag": '"%s"' % etag, "Last_Modified": "Sun, 03 May 2026 12:00:00 GMT"}
        if self.bad == "no-etag":
            del more["ETag"]
        if self.bad in LENGTHLESS:
            return self.lengthless(body, etag)
        if self.bad == "unasked":
            more.update(ETag='"none"', Content_Range="bytes 0-%d/%d" % (len(body) // 2 - 1, len(body)))
            return self.answer(206, body[:len(body) // 2], **more)
        if "Range" in h and self.bad != "whole":
            at = int(h["Range"][6:].split("-")[0])
            more["Content_Range"] = "bytes %d-%d/%d" % (at, len(body) - 1, len(body))
            return self.answer(206, body[at:], **more)
        self.answer(200, body, **more)

    def lengthless(self, body, etag):
        """A 200 that says no length, and ends with the connection."""
        self.send_response(200)
        self.send_header("ETag", '"%s"' % (etag if self.bad.endswith("md5") else "opaque"))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if self.bad.startswith("cut") else body)
        try:
            while self.bad == "flood":
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass
        self.close_connection = True

    def list(self, bucket, query):
        prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
        with lock:
            if sorted_names.get((bucket, prefix), (None,))[0] != len(objects):
                sorted_names[bucket, prefix] = (len(objects), sorted(
                    n[len(bucket) + 1:].encode() for n in objects if n.startswith(bucket + "/" + prefix)))
            names = sorted_names[bucket, prefix][1]
        if after and self.bad != "endless":
            names = names[bisect.bisect_right(names, base64.b64decode(after)):]
        names = [n.decode() for n in names[:1001]]
        page, more = names[:1000], len(names) > 1000 or self.bad == "endless"
        if self.bad == "shuffled":
            page = page[:1] + page
        encode = quote if query.get("encoding-type") == "url" else escape
        truncated = "<IsTruncated>%s</IsTruncated>" % str(more).lower()
        if self.bad.startswith("truncated="):
            truncated = urllib.parse.unquote(self.bad[10:])
        out = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
               "%s<EncodingType>url</EncodingType>" % truncated]
        if more and self.bad != "tokenless" and "NextMarker" not in truncated:
            out.append("<NextContinuationToken>%s</NextContinuationToken>" % base64.b64encode(page[-1].encode()).decode())
        for n in page:
            body, etag = objects[bucket + "/" + n]
            out.append("<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>&quot;%s&quot;</ETag><Size>%s</Size></Contents>"
                       % (encode(n), TIME, etag, "-1" if self.bad == "size" else len(body)))
        self.answer(200, "".join(out) + "</ListBucketResult>", content_type="application/xml")

    def misbehave(self):
        """Answer in the mode's way; False if the mode leaves that to the operation."""
        if self.bad in ("500", "503"):
            self.refuse(int(self.bad), "SlowDown", "Please reduce your request rate.")
        elif self.bad == "403":
            self.refuse(403, "AccessDenied", "Access Denied")
        elif self.bad == "retry-after":
            self.answer(503, retry_after="1")
        elif self.bad == "redirect":
            self.answer(307, location="http://127.0.0.1:9/", x_amz_bucket_region="eu-west-1")
        elif self.bad == "drop":
            self.reset()
        elif self.bad == "stall":
            time.sleep(60)
            self.reset()
        elif self.bad == "bad-xml":
            self.answer(200, "<ListBucketResult><Contents></ListBucketResult>")
        elif self.bad == "doctype":
            self.answer(200, "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ListBucketResult><Name>&b;</Name></ListBucketResult>")
        elif self.bad == "deep":
            self.answer(200, "<a>" * 100 + "</a>" * 100)
        elif self.bad == "error-200":
            self.refuse(200, "SlowDown", "Please reduce your request rate.")
        elif self.bad == "html":
            self.answer(200, "<html><body>Welcome</body></html>", content_type="text/html; charset=utf-8")
        elif self.bad == "huge":
            self.answer(200, "<ListBucketResult>" + " " * (20 << 20) + "</ListBucketResult>")
        else:
            return False
        return True

    def control(self):
        words = self.path.split("/")[1:]
        if words[0] == "_state":
            with lock:
                state = {"objects": {n: len(o[0]) for n, o in objects.items()}, "uploads": len(uploads),
                         "parts": sum(len(u[1]) for u in uploads.values())}
            return self.answer(200, json.dumps(state))
        with lock:
            if words[0] == "_make":
                for i in range(int(words[2])):
                    objects["%s/k%06d" % (words[1], i)] = (b"x", hashlib.md5(b"x").hexdigest())
            elif words[0] == "_clear":
                objects.clear()
                sorted_names.clear()
            elif words[0] == "_raw":
                objects["%s/%s" % (words[1], urllib.parse.unquote(words[2]))] = (b"x", hashlib.md5(b"x").hexdigest())
            elif len(words) == 2:
                mode.update(name="off")
            else:
                mode.update(name=words[1], method=words[2], skip=int(words[3]), left=int(words[4]))
        self.answer(200)

    def choose(self):
        """The mode of this request."""
        with lock:
            if mode["name"] == "off" or mode["method"] not in (self.command, "ANY"):
                return ""
            if mode["skip"]:
                mode["skip"] -= 1
                return ""
            mode["left"] -= 1
            return mode["name"] if mode["left"] >= 0 else ""

    def handle_one(self):
        self.bad = ""
        body = self.body()
        if self.path.startswith("/_"):
            return self.control()
        path, _, q = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(q, keep_blank_values=True))
        name = urllib.parse.unquote(path)[1:]
        try:
            self.check(body)
            self.bad = self.choose()
            if self.misbehave():
                return None
            if "/" not in name.rstrip("/"):
                return self.list(name.rstrip("/"), query)
            if self.command in ("GET", "HEAD"):
                return self.get(name, self.headers)
            if self.command == "PUT":
                return self.put(name, query, body, self.headers)
            if self.command == "POST" and "uploads" in query:
                return self.begin(name)
            if self.command == "POST":
                return self.complete(name, query, body, self.headers)
            with lock:
                if "uploadId" in query:
                    uploads.pop(query["uploadId"], None)
                else:
                    objects.pop(name, None)
            return self.answer(204)
        except Refused as e:
            return self.refuse(e.status, e.code, e.message)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one


def main():
    global args
    p = argparse.ArgumentParser()
    p.add_argument("--known-answers", action="store_true")
    p.add_argument("--log")
    p.add_argument("--token")
    p.add_argument("--region", default="us-east-1")
    p.add_argument("--port", type=int, default=0)
    args = p.parse_args()
    if args.known_answers:
        return known_answers()
    return loopback.serve(S3, args.port)


if __name__ == "__main__":
    main()
