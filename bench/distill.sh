# lh-distill run against the obvious scripts in Node and Python: 100,000 source rows
# (LH_BENCH_ROWS; Node takes two minutes for a million, four times) on tmpfs, all five
# stages with receipts, in user and system time; then once on disk. The rows are first written as JavaScript writes them, so that all
# sides come to the same bytes, and the run stops when the run hashes differ.
source "$ROOT/bench/lib.bash"

rows=${LH_BENCH_ROWS:-100000} rounds=${LH_BENCH_ROUNDS:-3}
now=2026-05-03T12:00:00.000Z
shm=$(mktemp -d /dev/shm/lh-distill-XXXXXX)
trap 'rm -rf "$shm" "$DATA/distill-disk"' EXIT

# sources N - the folder with N rows of all streams.
sources() {
	local dir=$DATA/kb-$1
	if [ ! -d "$dir" ]; then
		rm -rf "$dir.new"
		lh-gen kb -n "$1" --root "$dir.new"
		node "$ROOT/bench/rewrite.mjs" "$dir.new"/data/_kb/*.jsonl
		mv "$dir.new" "$dir"
	fi
	echo "$dir"
}

ours() { lh-distill run "${@:2}" --root "$1" --recorded-at "$now" --run-id bench | jq -r .run_hash; }
node_side() { node --max-old-space-size=8192 "$ROOT/bench/distill.mjs" "$1" "$now" bench; }
python_side() { python3 "$ROOT/bench/distill.py" "$1" "$now" bench; }
export -f ours node_side python_side
export now

# once SOURCES FOLDER COMMAND... - a fresh root in the folder; prints CPU
# seconds, wall seconds, peak MiB and the run hash.
once() {
	local from=$1 root=$2/root
	shift 2
	rm -rf "$root"
	cp -r "$from" "$root"
	sync -f "$root"
	# shellcheck disable=SC2016
	/usr/bin/time -o "$shm/time" -f '%U %S %e %M' bash -c '"$@"' once "$1" "$root" "${@:2}" >"$shm/hash"
	awk -v hash="$(cat "$shm/hash")" '{ printf "%.2f %.2f %.1f %s\n", $1 + $2, $3, $4 / 1024, hash }' "$shm/time"
	rm -rf "$root"
}

# column N FILE - the median.
column() { awk -v n="$1" '{ print $n }' "$2" | median; }

from=$(sources "$rows")
for ((i = 0; i < rounds; i++)); do
	once "$from" "$shm" ours -j1 >>"$shm/ours"
	once "$from" "$shm" ours >>"$shm/ours2"
	once "$from" "$shm" node_side >>"$shm/node"
done
tenth=$(sources $((rows / 10)))
once "$tenth" "$shm" ours -j1 >"$shm/tenth"
once "$tenth" "$shm" python_side >"$shm/python"
differ=$(cat "$shm/ours" "$shm/ours2" "$shm/node" | awk '{ print $4 }' | sort -u | wc -l)
[ "$differ" = 1 ] || { echo "the sides come to different run hashes:" >&2; cat "$shm/ours" "$shm/ours2" "$shm/node" >&2; exit 1; }
[ "$(awk '{ print $4 }' "$shm/tenth")" = "$(awk '{ print $4 }' "$shm/python")" ] || { echo "Python comes to another run hash" >&2; exit 1; }

a=$(column 1 "$shm/ours") b=$(column 1 "$shm/node") c=$(column 1 "$shm/tenth") d=$(column 1 "$shm/python")
printf 'distill run, %d rows on tmpfs, CPU\t%.2f s\tNode: %.2f s\t%.1f\n' "$rows" "$a" "$b" "$(awk "BEGIN { print $b / $a }")"
printf 'the same of a tenth, CPU\t%.2f s\tPython: %.2f s\t%.1f\n' "$c" "$d" "$(awk "BEGIN { print $d / $c }")"
printf 'its wall time, -j1 and default\t%.2f s\t%.2f s\tNode: %.2f s\n' "$(column 2 "$shm/ours")" "$(column 2 "$shm/ours2")" "$(column 2 "$shm/node")"
printf 'peak memory, -j1 and default\t%.0f MiB\t%.0f MiB\tNode: %.0f MiB\n' "$(column 3 "$shm/ours")" "$(column 3 "$shm/ours2")" "$(column 3 "$shm/node")"

mkdir -p "$DATA/distill-disk"
once "$from" "$DATA/distill-disk" ours >"$shm/disk"
once "$from" "$DATA/distill-disk" node_side >"$shm/disk-node"
printf 'on disk, wall\t%.2f s\tNode: %.2f s\n' "$(column 2 "$shm/disk")" "$(column 2 "$shm/disk-node")"
printf 'run hash\t%s\n' "$(awk '{ print $4 }' "$shm/disk")"
