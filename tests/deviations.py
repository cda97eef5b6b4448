#!/usr/bin/env python3
"""What two implementations come to disagree in, each planted alone.

    deviations.py list PROBE            the deviations of that probe
    deviations.py cases PROBE FIXTURE   the fixture's case for each, named after it
    deviations.py in|out PROBE [COUNT]  a filter before or behind one side: it spoils
                                        the n-th of these cases in the n-th way.  With
                                        COUNT, a file, all of its input is one case,
                                        and it is the n-th to write to that file.
"""
import json
import os
import re
import sys
import unicodedata


def change(old, new, count=1):
    """One text for another; where it is not there nothing changes."""
    return lambda line: line.replace(old, new, count)


def sub(pattern, new, count=1):
    return lambda line: re.sub(pattern, new, line, count=count)


# name: probe, case, where, what
DEVIATIONS = {
    "a line_offset of 0 is left out": ("materializer", "distilled_facts", "out", change('"line_offset":0,', "")),
    "a timestamp is printed anew": ("materializer", "distilled_facts", "out", sub(r'("timestamp":"[^"]*:\d\d)Z', r"\1.000Z")),
    "an offset of a time becomes Z": ("materializer", "distilled_facts", "out", sub(r'("timestamp":"[^"]*)\+05:30"', r'\1Z"')),
    "a hash is in capitals": ("materializer", "contract_analyses", "out", sub(r'"sig_hash":"[^"]*"', lambda m: m[0].upper().replace("SIG_HASH", "sig_hash"))),
    "the last row is lost": ("materializer", "contract_analyses", "out", sub(r',\{"run_id":(?:(?!\{"run_id").)*\]\}$', "]}")),
    "a number is printed anew": ("materializer", "distilled_facts", "out", change('"d-1', '"1')),
    "a skipped row shifts the offsets": ("materializer", "distilled_facts", "out", change('"line_offset":3,', '"line_offset":2,')),
    "an optional member is null": ("materializer", "contract_analyses", "out", change('"model_role"', '"model_name":null,"model_role"')),
    "< is escaped": ("session_log", "unicode_in_prompt", "out", change("<", "\\u003c")),
    "& is escaped": ("session_log", "unicode_in_prompt", "out", change("&", "\\u0026")),
    "a prompt is normalised": ("session_log", "unicode_in_prompt", "out", lambda s: unicodedata.normalize("NFD", s)),
    "keys are in another order": ("session_log", "unicode_in_prompt", "out", sub(r'\{("body":"[^"]*"),("to":"[^"]*")\}', r"{\2,\1}")),
    "true is 1": ("session_log", "accepted_grounded", "out", change('"grounded_in_roster":true', '"grounded_in_roster":1')),
    "a null is left out": ("session_log", "infra_error", "out", change('"grounded_in_roster":null,', "")),
    "an attempt's error is lost": ("session_log", "max_iter_exhausted", "out", sub(r',"error":"[^"]*"', "")),
    "attempts count from 1": ("session_log", "max_iter_exhausted", "out", lambda s: re.sub(r'("iteration":)(\d)', lambda m: m[1] + str(int(m[2]) + 1), s)),
    "a duration is a string": ("session_log", "infra_error", "out", sub(r'"duration_ms":(\d+)', r'"duration_ms":"\1"')),
    "an error has the legacy shape": ("validator", "playbook_missing_fingerprint", "out",
                                      sub(r'\{"Schema":\{"field":("[^"]*"),"reason":("[^"]*")\}\}', r'{"Kind":"schema","Field":\1,"Reason":\2}')),
    "a finding is lost": ("validator", "fill_phantom", "out", sub(r"^.*Consistency.*$", '{"status":200,"report":{"findings":[],"elapsed_ms":0}}')),
    "no findings are null": ("validator", "playbook_happy", "out", change('"findings":[]', '"findings":null')),
    "a status is another": ("validator", "fill_phantom", "out", sub(r'"status":422(.*Consistency)', r'"status":400\1')),
    "a dash is a hyphen": ("validator", "playbook_missing_fingerprint", "out", change("—", "-")),
    "a sign of times is an x": ("validator", "playbook_overfull", "out", change("×", "x")),
    "quotes are of another kind": ("validator", "playbook_wrong_prefix", "out", change('\\"', "'", -1)),
    "an error has two variants": ("validator", "playbook_empty_endorsed", "out", change('"error":{', '"error":{"Policy":{"reason":"x"},')),
    "there is one space more": ("extract_json", "fenced_plain", "out", change('{"a":1}', '{"a": 1}')),
    "letters are escaped": ("extract_json", "unicode", "out", change("é", "\\u00e9")),
    "the last object wins": ("extract_json", "first_of_many", "out", change('{"a":1}', '{"b":2}')),
    "no match has an empty object": ("extract_json", "no_json", "out", change("null", "{}")),
    "an empty object is no match": ("extract_json", "empty_object", "out", change('{"matched":true,"value":{}}', '{"matched":false,"value":null}')),
    "a line ends in CRLF": ("extract_json", "trailing_garbage", "out", change("}\n", "}\r\n")),
    "one sign is flipped": ("embed", "forklift", "out", sub(r"(0\.0[1-9])", r"-\1")),
    "a vector has one number less": ("embed", "x", "out", sub(r",[^,]*\]\]", "]]")),
    "a vector is of zeros": ("embed", "x", "out", sub(r"\[\[.*\]\]", "[[" + ",".join(["0"] * 768) + "]]")),
    "numbers are rounded": ("embed", "long", "out", lambda s: re.sub(r"0\.[0-9]{3,}", lambda m: "%.2f" % float(m[0]), s)),
    "an empty trace_id is left out": ("subject_audit", "three_rows", "in", change(',\\"trace_id\\":\\"\\"', "")),
    "nanoseconds lose a zero": ("subject_audit", "three_rows", "in", change("461439210Z", "46143921Z")),
    "& is escaped before it is hashed": ("subject_audit", "three_rows", "in", change("</&>", "</\\\\\\\\u0026>")),
    "a torn row counts": ("subject_audit", "torn", "out", sub(r'"count":2(.*"row 2)', r'"count":3\1')),
    "no error is null": ("subject_audit", "empty", "out", sub(r'"count":0(.*)"error":""', r'"count":0\1"error":null')),
    "the tip of an empty log is empty": ("subject_audit", "empty", "out", sub(r'"tip":"GENESIS"', '"tip":""')),
    "rows count from 1": ("subject_audit", "edited", "out", change("row 1:", "row 2:")),
    "a broken chain verifies": ("subject_audit", "row_removed", "out", sub(r'"verified":false,"error":"row 1: prev[^"]*"', '"verified":true,"error":""')),
    "the known answer is another": ("subject_audit", "known_answer", "out", change("f730fa03", "f730fa04")),
}


def of(probe):
    return [(name, case, where, spoil) for name, (p, case, where, spoil) in DEVIATIONS.items() if p == probe]


def calls(path):
    """How many came before."""
    with open(path, "ab") as f:
        f.write(b".")
        f.flush()
        return os.stat(path).st_size - 1


def main():
    verb, probe = sys.argv[1:3]
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    planted = of(probe)
    if verb == "list":
        print(*(name for name, _, _, _ in planted), sep="\n")
    elif verb == "cases":
        with open(sys.argv[3], encoding="utf-8") as f:
            cases = {json.loads(line)["name"]: line for line in f}
        for name, case, _, _ in planted:
            sys.stdout.write(cases[case].replace(json.dumps(case), json.dumps(name), 1))
    else:
        one = len(sys.argv) > 3
        planted = planted[calls(sys.argv[3]):] if one else planted
        for (_, _, where, spoil), text in zip(planted, [sys.stdin.read()] if one else sys.stdin):
            sys.stdout.write(spoil(text) if where == verb else text)
            sys.stdout.flush()


main()
