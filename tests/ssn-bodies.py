"""ssn-bodies.py N [SEED] - emails full of numbers, and whether an SSN is among them

A number is a row of groups of digits with marks between them. It holds an SSN
when three groups in a row have 3, 2 and 4 digits with one ASCII hyphen between
each two, whatever stands around them: that is known from how it was put
together, without looking at the text. Others come about by hyphens of other
kinds, blanks around them and neighbours: those are found by a pattern made from
lh-validate(1). The seed goes to standard error.
"""
import json
import random
import re
import sys

count = int(sys.argv[1])
seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
print("seed", seed, file=sys.stderr)
draw = random.Random(seed)

# as people write telephone numbers, dates, ZIP+4 codes, card and order numbers
USUAL = [
    "###-###-####", "(###) ###-####", "+1-###-###-####", "+1 (###) ###-####", "1-###-###-####", "###.###.####", "### ### ####",
    "+## ### #######", "###-####", "1-8##-###-####", "###-###-#### x###", "####-##-##", "##-##-####", "##/##/####", "#/#/##",
    "####-##-##T##:##:##Z", "##.##.####", "##-###-####", "#####-####", "#####", "#########", "##########", "###########",
    "####-####-####-####", "#### #### #### ####", "### ## ####", "###.##.####", "###/##/####", "###_##_####", "##-#######",
    "###-##-###", "###-##-#####", "####-##-####", "###-###-###", "###-#-####", "###-##", "##-####", "###--##-####", "###-##--####",
]
HYPHEN = r"(?:(?:[ \t]*[-‐‑–−][ \t\n]*)|[ \t]*\n\s*[-‐‑–−](?=[0-9]))"
SSN = re.compile(rf"(?<![0-9])[0-9]{{3}}(?:{HYPHEN}[0-9]{{2}}{HYPHEN}[0-9]{{7}})*{HYPHEN}[0-9]{{2}}{HYPHEN}[0-9]{{4}}(?![0-9])")
OTHER_MARKS = [" ", ".", "/", "–", "‐", "−", "--", " -", "- ", ",", "\n", "_", "", "x", "-é-"]
AROUND = ["", "", " ", "(", ")", "#", "-", "--", "x", "No.", "é", "٣", "３", "²", "ORD-", "\n", "\t", ":", "/", "$"]
WORDS = ["Hi", "call", "on", "dock", "Łódź", "shift", "⭐", "ref", "at", "or", "the", "ZIP", "você", "order", "box"]


def digits(n):
    return "".join(draw.choice("0123456789") for _ in range(n))


def usual():
    return "".join(digits(1) if c == "#" else c for c in draw.choice(USUAL))


def groups(planted):
    """Some groups; without the three in a row unless planted, with them if so."""
    n = draw.randrange(1, 7)
    sizes = [draw.choice((1, 2, 2, 3, 3, 4, 4, 5, 9, 12)) for _ in range(n)]
    marks = [draw.choice(OTHER_MARKS) if draw.random() < 0.3 else "-" for _ in range(n - 1)]
    if planted:
        at = draw.randrange(n)
        sizes[at:at + 1] = [3, 2, 4]
        marks[at:at] = ["-", "-"]
        for edge in at - 1, at + 2:     # nothing may make its neighbours one run of digits with it
            if 0 <= edge < len(marks) and marks[edge] == "":
                marks[edge] = "-"
    # an empty mark makes one longer group
    k = 0
    while k < len(marks):
        if marks[k] == "":
            sizes[k:k + 2] = [sizes[k] + sizes[k + 1]]
            del marks[k]
        else:
            k += 1
    if not planted:
        for k in range(len(sizes) - 2):
            if sizes[k:k + 3] == [3, 2, 4] and marks[k] == marks[k + 1] == "-":
                sizes[k + 2] = draw.choice((3, 5))
    text = digits(sizes[0])
    for mark, size in zip(marks, sizes[1:]):
        text += mark + digits(size)
    return draw.choice(AROUND) + text + draw.choice(AROUND)


for number in range(count):
    planted = draw.random() < 0.5
    parts = [draw.choice((usual, lambda: groups(False), lambda: draw.choice(WORDS)))() for _ in range(draw.randrange(1, 8))]
    if planted:
        parts.insert(draw.randrange(len(parts) + 1), groups(True))
    text = " ".join(parts)
    if len(text) <= 78 and draw.random() < 0.2:
        artifact = {"to": "a@example.com", "subject": text, "body": "as above"}
    else:
        artifact = {"to": "a@example.com", "body": text or "-"}
    print(json.dumps({"kind": "email", "artifact": artifact, "ssn": planted or bool(SSN.search(text))}, ensure_ascii=draw.random() < 0.2, separators=(",", ":")))
