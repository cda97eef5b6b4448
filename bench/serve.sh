# The bridge under load, with its client on the same cores: requests a second, and the
# latencies in milliseconds.  Peers: lh-search on the same queries from a file; a Node server
# over the same co-processes; the tree before (BEFORE=REVISION), over an index that it built.  SECONDS_EACH for each measurement (default 5); MULTITIER=300 also runs the mix of share/load/multitier
# for so many seconds over 100,000 workers, whose vectors take a byte a value, and says the
# processor time of the server and its filters.
source "$ROOT/bench/lib.bash"
each=${SECONDS_EACH:-5}
work=$(mktemp -d)
stop() { kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"; }
pids=()
trap stop EXIT
state=$work/state
mkdir -p "$state/index" "$state/playbook"
lh-gen workers -n "${WORKERS:-5000}" >"$state/roster.jsonl"
lh-index build -q "$state/index/workers.lhv" "$state/roster.jsonl"
lh-gen queries -n 2000 --seed 7 | jq -c '{query_text, corpora: ["workers"], k: 10}' >"$work/search"
jq -c '{texts: [.query_text]}' "$work/search" >"$work/embed"

# start COMMAND... - a server in the background.
start() { "$@" >"$work/out" 2>"$work/err" & pids+=($!); }
# up PORT - wait until something listens there.
up() { until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do sleep 0.05; done; }
# post CONNECTIONS URL FILE - requests/s, p50, p99, errors.
post() { wrk -t1 -c"$1" -d"${each}s" --latency -s "$ROOT/bench/serve_post.lua" "$2" -- "$3" | tail -n 1; }
# against WHAT CONNECTIONS OURS PEER FILE - three rounds in turn, medians.
against() {
	local i
	: >"$work/a"; : >"$work/b"
	for i in 1 2 3; do
		post "$2" "$3" "$5" >>"$work/a"
		post "$2" "$4" "$5" >>"$work/b"
	done
	[ "$(awk '{ n += $4 } END { print n }' "$work/a" "$work/b")" = 0 ] || { echo "errors: $1" >&2; return 1; }
	a=$(cut -f1 "$work/a" | median) b=$(cut -f1 "$work/b" | median)
	printf '%s\t%.0f /s\t%.0f /s\t%.2f\n' "$1" "$a" "$b" "$(awk "BEGIN { print $a / $b }")"
	printf '  p50, p99\t%.2f, %.2f ms\t%.2f, %.2f ms\t%.1f\n' \
		"$(cut -f2 "$work/a" | median)" "$(cut -f3 "$work/a" | median)" \
		"$(cut -f2 "$work/b" | median)" "$(cut -f3 "$work/b" | median)" \
		"$(awk "BEGIN { print $(cut -f3 "$work/a" | median) / $(cut -f2 "$work/a" | median) }")"
}

search_file() { lh-search -q -j1 "$state/index/workers.lhv" <"$work/search"; }

start lh-serve --warm --state "$state" --listen 127.0.0.1:31101
serve=$!
if tree_before all; then
	mkdir -p "$work/before/index" "$work/before/playbook"
	PATH=$before:$PATH lh-index build -q "$work/before/index/workers.lhv" "$state/roster.jsonl"
	PATH=$before:$PATH start lh-serve --warm --state "$work/before" --listen 127.0.0.1:31104
	up 31104
fi
start node "$ROOT/bench/serve_node.mjs" 31103 "$state" "$ROOT/bin" 2
up 31101; up 31103
sleep 1

# resident memory of lh-serve and its filters, pages shared by several counted once
memory() {
	local pid sum=0
	for pid in "$serve" $(pgrep -P "$serve"); do
		sum=$((sum + $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")))
	done
	echo $((sum / 1024))
}
printf 'idle, all built-in pools\t%d MiB\t100 MiB\n' "$(memory)"

one=$(for i in 1 2 3; do seconds search_file; done | median)
for c in 50 64 200; do
	: >"$work/a"
	for i in 1 2 3; do post $c http://127.0.0.1:31101/v1/matrix/search "$work/search" >>"$work/a"; done
	a=$(cut -f1 "$work/a" | median)
	printf 'search, %d connections; lh-search -j1\t%.0f /s\t%.0f /s\t%.2f\n' $c "$a" \
		"$(awk "BEGIN { print 2000 / $one }")" "$(awk "BEGIN { print $a * $one / 2000 }")"
done
for c in ${before:+50 64 200}; do
	against "search, $c connections; the tree before" $c http://127.0.0.1:31101/v1/matrix/search http://127.0.0.1:31104/v1/matrix/search "$work/search"
done
[ -z "$before" ] || against 'embed, 64 connections; the tree before' 64 http://127.0.0.1:31101/v1/embed http://127.0.0.1:31104/v1/embed "$work/embed"
against 'search, 64 connections; Node' 64 http://127.0.0.1:31101/v1/matrix/search http://127.0.0.1:31103/v1/matrix/search "$work/search"
against 'search, 200 connections; Node' 200 http://127.0.0.1:31101/v1/matrix/search http://127.0.0.1:31103/v1/matrix/search "$work/search"
against 'embed, 64 connections; Node' 64 http://127.0.0.1:31101/v1/embed http://127.0.0.1:31103/v1/embed "$work/embed"
printf 'memory under load\t%d MiB\n' "$(memory)"

# processor time of lh-serve and its filters, in seconds
processor() {
	local pid
	for pid in "$serve" $(pgrep -P "$serve"); do
		sed 's/.*) //' "/proc/$pid/stat"
	done | awk -v hz="$(getconf CLK_TCK)" '{ n += $12 + $13 } END { print n / hz }'
}
# the same as memory, without what is mapped of an index
beyond_index() {
	local pid
	for pid in "$serve" $(pgrep -P "$serve"); do
		cat "/proc/$pid/smaps"
	done | awk '$1 ~ /-/ { index_file = /\.lhv$/ } /^Pss:/ && !index_file { n += $2 } END { print int(n / 1024) }'
}

[ -n "${MULTITIER:-}" ] || exit 0
kill "${pids[@]}"
wait
pids=()
rm -r "$state"
mkdir -p "$state/index"
lh-gen workers -n 100000 >"$state/roster.jsonl"
lh-index build -q --precision i8 "$state/index/workers.lhv" "$state/roster.jsonl"
start lh-serve --warm --state "$state" --listen 127.0.0.1:31101
serve=$!
up 31101
sleep 2
from=$(processor)
lh-load mix "$ROOT/share/load/multitier.jsonl" -c 50 -d "$MULTITIER" --via http http://127.0.0.1:31101 \
	2>/dev/null >"$work/mix" || true
jq -r 'if .scenarios then "multitier, 50 workers; aim\t\(.per_second) /s\t4000 /s\t\(.per_second / 4000)",
		"  classes without a failure\t\(.classes_ok)\t\(.classes)"
	else "  \(.scenario): runs; p50, p99\t\(.count)\t\(.p50_ms), \(.p99_ms) ms" end' "$work/mix"
jq -r --argjson took "$(processor)" --argjson from "$from" 'select(.scenarios) |
	"  a second of processor time; aim\t\(.scenarios / ($took - $from) | floor)\t3000"' "$work/mix"
printf '  memory at the end; beyond the index\t%d MiB\t%d MiB\t400 MiB\n' "$(memory)" "$(beyond_index)"
