# The big mix until REQUESTS requests (default 60000; 6000000 takes a quarter of an hour):
# errors, and the memory of all processes after the first and the last tenth.
source "$ROOT/bench/lib.bash"
requests=${REQUESTS:-60000}
work=$(mktemp -d)
trap 'kill "$serve" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
state=$work/state
mkdir -p "$state/index"
lh-gen workers -n 5000 >"$state/roster.jsonl"
lh-index build -q "$state/index/workers.lhv" "$state/roster.jsonl"
lh-serve --state "$state" --listen 127.0.0.1:0 2>"$work/err" >/dev/null &
serve=$!
until grep -qs listening "$work/err"; do sleep 0.1; done
url=$(sed -n 's/.* on //p' "$work/err")

# KiB resident, pages shared by several processes counted once
memory() {
	local pid sum=0
	for pid in "$serve" $(pgrep -P "$serve"); do
		sum=$((sum + $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")))
	done
	echo "$sum"
}
began=$EPOCHREALTIME
for tenth in 1 2 3 4 5 6 7 8 9 10; do
	lh-load -c 60 -n $((requests / 20)) "$url/v1/embed" <"$ROOT/share/load/big-embed.jsonl" 2>/dev/null >>"$work/sums" || true &
	load=$!
	lh-load -c 60 -n $((requests / 20)) "$url/v1/matrix/search" <"$ROOT/share/load/big.jsonl" 2>/dev/null >>"$work/sums" || true
	wait $load
	memory >>"$work/memory"
done
awk -v a="$began" -v b="$EPOCHREALTIME" -v n="$(jq -s 'map(.total) | add' "$work/sums")" \
	'BEGIN { printf "requests; in s; each s\t%d\t%.0f s\t%.0f /s\n", n, b - a, n / (b - a) }'
printf 'not 2xx, faults\t%d\t0\n' "$(jq -s 'map(.total - (.by_status["200"] // 0)) | add' "$work/sums")"
printf 'memory after the first, the last tenth\t%.1f MiB\t%.1f MiB\t%.3f\n' $(awk '
	{ v[NR] = $1 / 1024 } END { print v[1], v[NR], v[NR] / v[1] }' "$work/memory")
