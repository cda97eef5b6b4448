# lh-extract-json on prose with one object at its end, against the obvious
# Python script: find a brace, decode from there, or go on to the next.
source "$ROOT/bench/lib.bash"
if [ ! -s "$DATA/answer.txt" ]; then
	lh-gen workers -n 40000 | jq -r .text | python3 -c '
import json, sys
lines = sys.stdin.read().split("\n")
answer = """```json
{"fills":[{"candidate_id":"W-1","name":"Ann \\"A\\" Lee"},{"candidate_id":"W-2","name":"Bob"}]}
```
"""
prose, at = "\n".join(lines), 0
with open(sys.argv[1], "w") as out:
    while at < 100_000_000:
        print(json.dumps({"id": at, "text": prose[at % 4_000_000:][:4000] + "\n" + answer}, ensure_ascii=False), file=out)
        at += 4000
with open(sys.argv[2], "w") as out:
    out.write(prose[:4_000_000] * 25 + "\n" + answer.replace("```", "").replace("json\n", ""))
' "$DATA/answers.jsonl" "$DATA/answer.txt"
fi
cat >"$DATA/extract.py" <<'END'
import json, re, sys

decode = json.JSONDecoder().raw_decode
fence = re.compile(r"```[A-Za-z0-9_+-]*(.*?)```", re.S)

def extract(text):
    for m in fence.finditer(text):
        try:
            v = json.loads(m.group(1).strip())
            if isinstance(v, dict):
                return v
        except ValueError:
            pass
    at = text.find("{")
    while at >= 0:
        try:
            return decode(text, at)[0]
        except ValueError:
            at = text.find("{", at + 1)

def reply(v):
    return {"matched": v is not None, "value": v}

if sys.argv[1] == "raw":
    print(json.dumps(reply(extract(sys.stdin.read())), ensure_ascii=False))
else:
    for line in sys.stdin:
        r = json.loads(line)
        print(json.dumps({**r, **reply(extract(r["text"]))}, ensure_ascii=False))
END
for how in "jsonl answers.jsonl" "raw answer.txt"; do
	file=$DATA/${how#* } mode=${how% *} option=
	[ "$mode" = raw ] && option=--raw-input
	cmp <(lh-extract-json $option "$file" | jq -c .value) <(python3 "$DATA/extract.py" "$mode" <"$file" | jq -c .value)
	mb=$(($(stat -c %s "$file") / 1000000))
	versus "lh-extract-json -j1${option:+ $option}, $mb MB of prose, Python" 5 "lh-extract-json -j1 $option '$file'" \
		"python3 '$DATA/extract.py' $mode <'$file'" | awk -F'\t' -v mb="$mb" '{ printf "%s\t%s\n%s\t%.0f MB/s\n", $0, "", "the same", mb / $2 }' | sed 's/\t$//'
done
