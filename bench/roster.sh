# A roster of 500,000 workers loaded, against the dict that a Python program
# would make of it; look-ups; and an index as a roster.
source "$ROOT/bench/lib.bash"
[ -s "$DATA/workers-500k.jsonl" ] || lh-gen workers -n 500000 >"$DATA/workers-500k.jsonl"
[ -s "$DATA/workers-100k-64.lhv" ] || head -n 100000 "$DATA/workers-500k.jsonl" | lh-embed --dimension 64 --encoding base64 | lh-index build -q "$DATA/workers-100k-64.lhv"
cat >"$DATA/roster.py" <<'PY'
import json, sys
workers = {}
for line in open(sys.argv[1], encoding="utf-8"):
    worker = json.loads(line)
    workers[worker["candidate_id"].lower()] = worker
PY
for jobs in 1 2; do
	versus "roster of 500,000 workers, -j$jobs, Python" 3 "roster $DATA/workers-500k.jsonl $jobs" "python3 $DATA/roster.py $DATA/workers-500k.jsonl"
done
kib() {
	/usr/bin/time -f %M "$@" 2>&1 >/dev/null
}
file=$(stat -c %s "$DATA/workers-500k.jsonl")
echo "$(kib roster "$DATA/workers-500k.jsonl" 2) $(kib python3 "$DATA/roster.py" "$DATA/workers-500k.jsonl") $file" |
	awk '{ printf "its memory (the file has %d MB)\t%.1f MB\t%.1f MB\t%.1f\n", $3 / 1e6, $1 * 1024 / 1e6, $2 * 1024 / 1e6, $2 / $1 }'
field() {
	for i in 1 2 3 4 5; do roster "${@:2}"; done | sed -n "s/^$1 //p" | median
}
printf 'look-ups among 500,000, in no order\t%.0f ns\n' "$(field find "$DATA/workers-500k.jsonl" 2 5000000)"
printf 'an index of 100,000 opened as a roster\t%.3f ms\n' "$(field open "$DATA/workers-100k-64.lhv" 1 | awk '{ print $1 * 1000 }')"
printf 'look-ups in it, by the ids of its rows\t%.0f ns\n' "$(field find "$DATA/workers-100k-64.lhv" 1 500000)"
printf 'its first look-up in another case\t%.3f s\n' "$(field first "$DATA/workers-100k-64.lhv" 1 1)"
