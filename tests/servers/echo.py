"""echo.py - a filter for tests of lh-serve: it prints each line as it is, unless the record
has "do", which is what to do with it:

    sleep N     answer after N seconds
    status N    answer {"is":N} with that status
    error N     answer an error record with that code, as --on-error emit does
    last N      answer with "status":N in front of other members
    die         end with status 3, without an answer
    twice       answer with two lines
    garbage     answer with what is not JSON
    stall FILE  make FILE, and answer once it is gone again
    say TEXT    answer with the text
"""
import json
import os
import sys
import time


def act(record, what, value):
    if what == "sleep":
        time.sleep(value)
    elif what == "status":
        return {"is": value, "status": value}
    elif what == "error":
        return {"line": 1, "error": {"message": "as asked", "code": value}}
    elif what == "last":
        return {"status": value, "kept": [value]}
    elif what == "die":
        os._exit(3)
    elif what == "garbage":
        return None
    elif what == "stall":
        open(value, "w").close()
        while os.path.exists(value):
            time.sleep(0.01)
    return record


for line in sys.stdin.buffer:
    out = line
    if b'"do"' in line:
        record = json.loads(line)
        what, _, value = record["do"].partition(" ")
        if value.replace(".", "").isdigit():
            value = float(value) if "." in value else int(value)
        answer = act(record, what, value)
        out = b"what is this\n" if answer is None else (json.dumps(answer) + "\n").encode()
        if what == "say":
            out = (value + "\n").encode()
        if what == "twice":
            out += out
    sys.stdout.buffer.write(out)
    sys.stdout.buffer.flush()
