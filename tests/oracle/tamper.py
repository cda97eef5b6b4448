#!/usr/bin/env python3
"""Do to a log what tampering.txt lists.

    tamper.py KEY TABLE DIR     logs DIR/0001/W-1.audit.jsonl..., their verdicts
                                to stdout: file, what, state, error, state and
                                error against the anchor, tab-separated
The log itself is DIR/W-1.audit.jsonl.
"""
import hashlib
import hmac
import json
import os
import sys

ROWS = 100
OTHER_KEY = b"k" * 32


def canonical(row):
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def text(row):
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()


def new_row(subject, n, note=""):
    return {"schema": "subject_audit.v1", "ts": "2026-05-03T09:%02d:%02d.5Z" % (n // 60, n % 60),
            "candidate_id": subject,
            "accessor": {"kind": "gateway_lookup", "daemon": "gateway", "purpose": "tool_lookup" + note, "trace_id": "t-%d" % n},
            "fields_accessed": ["name", "phone"], "result": "success"}


def chain(key, rows, prev="GENESIS"):
    """The rows, each with its two members of the chain."""
    done = []
    for row in rows:
        row = {k: v for k, v in row.items() if k not in ("prev_chain_hash", "row_hmac")}
        row["prev_chain_hash"] = prev
        prev = hmac.new(key, (prev + canonical(row)).encode(), hashlib.sha256).hexdigest()
        row["row_hmac"] = prev
        done.append(row)
    return done


class Log:
    def __init__(self, key):
        self.key = key
        self.rows = chain(key, [new_row("W-1", n) for n in range(ROWS)])
        self.twin = chain(key, [new_row("W-1", n, " elsewhere") for n in range(ROWS + 1)])
        self.other = chain(key, [new_row("W-2", n) for n in range(ROWS + 1)])

    def edited(self, n, name):
        row = json.loads(text(self.rows[n]))
        where = row["accessor"] if name in row["accessor"] else row
        if name == "fields_accessed":
            row[name].append("ssn")
        elif name in ("prev_chain_hash", "row_hmac"):
            row[name] = ("0" if row[name][0] != "0" else "1") + row[name][1:]
        else:
            where[name] += "x"
        return row

    def tamper(self, what, n):
        """The log's bytes when that was done to row n."""
        rows, key = list(self.rows), self.key
        lines = [text(row) for row in rows]
        last = rows[n - 1]["row_hmac"] if 0 < n <= ROWS else "GENESIS"
        more = [new_row("W-1", k, " later") for k in range(n, ROWS + 5)]
        words = what.split()
        if words[0] == "edit":
            lines[n] = text(self.edited(n, words[1]))
        elif what == "add a member":
            lines[n] = text(dict(rows[n], note="x"))
        elif words[0] == "drop":
            name = "ts" if what == "drop a member" else words[1]
            lines[n] = text({k: v for k, v in rows[n].items() if k != name})
        elif what == "number the row_hmac":
            lines[n] = text(dict(rows[n], row_hmac=12))
        elif what == "capital row_hmac":
            lines[n] = text(dict(rows[n], row_hmac=rows[n]["row_hmac"].upper()))
        elif what == "pad the ts with zeros":
            lines[n] = lines[n].replace(b".5Z", b".500Z")
        elif what == "repeat a key":
            lines[n] = lines[n][:-1] + b',"\\u0074s":"2026-05-03T09:00:00Z"}'
        elif what == "delete":
            del lines[n]
        elif what == "swap with the next":
            lines[n], lines[n + 1] = lines[n + 1], lines[n]
        elif what == "duplicate":
            lines.insert(n, lines[n])
        elif what.startswith("insert"):
            lines.insert(n, {"insert of another subject": text(self.other[n]), "insert of the same subject": text(self.twin[n]),
                             "insert a blank line": b"", "insert an array": b"[]"}[what])
        elif what == "splice with another of the subject":
            lines[n:] = map(text, self.twin[n:])
        elif what == "splice with another subject's":
            lines[n:] = map(text, self.other[n:])
        elif what == "an id in another case":
            lines[n] = lines[n].replace(b'"W-1"', b'"w-1"')
        elif what == "remove the first":
            del lines[:n]
        elif what == "remove the last":
            del lines[ROWS - n:]
        elif what in ("cut and go on", "go on"):
            lines[n:] = map(text, chain(key, more, last))
        elif what == "strip all MACs":
            lines = [text({k: v for k, v in row.items() if k != "row_hmac"}) for row in rows]
        elif what == "strip MACs and links":
            lines = [text({k: v for k, v in row.items() if k not in ("row_hmac", "prev_chain_hash")}) for row in rows]
        elif what == "MAC with another key from":
            lines[n:] = map(text, chain(OTHER_KEY, rows[n:], last))
        elif what == "a BOM":
            lines[0] = b"\xef\xbb\xbf" + lines[0]
        elif what == "a byte that is no UTF-8":
            lines[n] = lines[n].replace(b"tool", b"t\xffol")
        elif what == "a lone surrogate":
            lines[n] = lines[n].replace(b"tool", b"t\\udc00ol")
        elif what == "CRLF":
            lines[n] += b"\r"
        elif what == "white space":
            lines[n] = b" " + json.dumps(rows[n]).encode() + b"\t"
        elif what == "keys in another order":
            lines[n] = text(dict(reversed(list(rows[n].items()))))
        elif what == "escapes for letters":
            lines[n] = lines[n].replace(b"tool", b"t\\u006fol").replace(b'"ts"', b'"\\u0074s"')
        elif what not in ("nothing", "cut inside the row", "cut the last LF", "a torn row behind"):
            raise SystemExit("tamper.py: what is \"%s\"?" % what)
        data = b"".join(line + b"\n" for line in lines)
        if what == "cut inside the row":
            return data[:-40]
        if what == "cut the last LF":
            return data[:-1]
        if what == "a torn row behind":
            return data + text(self.twin[n])
        return data


def cases(table):
    with open(table) as f:
        for line in f:
            if line.startswith("#") or not line.strip():
                continue
            what, rows, state, error, state2, error2 = [field.strip() for field in line.split("|")]
            first, _, last = rows.partition("..")
            for n in range(int(first), int(last or first) + 1):
                at = error.replace("N+1", str(n + 1)).replace("row N", "row %d" % n)
                yield what, n, state, at, state if state2 == "=" else state2, at if error2 == "=" else error2


def main():
    with open(sys.argv[1], "rb") as f:
        log = Log(f.read())
    folder = sys.argv[3]
    with open(folder + "/W-1.audit.jsonl", "wb") as f:
        f.write(log.tamper("nothing", 0))
    for i, (what, n, *verdicts) in enumerate(cases(sys.argv[2])):
        name = "%s/%04d/W-1.audit.jsonl" % (folder, i)
        os.mkdir(os.path.dirname(name))
        with open(name, "wb") as f:
            f.write(log.tamper(what, n))
        print(name, "%s (%d)" % (what, n), *verdicts, sep="\t")


main()
