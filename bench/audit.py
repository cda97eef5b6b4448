"""Verify a subject audit log as one would in Python: audit.py LOG KEY."""
import hashlib
import hmac
import json
import sys

key = open(sys.argv[2], "rb").read()
prev = "GENESIS"
for n, line in enumerate(open(sys.argv[1], encoding="utf-8")):
    row = json.loads(line)
    want = row.pop("row_hmac")
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    mac = hmac.new(key, (prev + text).encode(), hashlib.sha256).hexdigest()
    if row["prev_chain_hash"] != prev or not hmac.compare_digest(mac, want):
        sys.exit("row %d" % n)
    prev = mac
