# lh-audit-full --observer over a million rows of evidence, their scores, samples
# and quarantine on tmpfs: against cat of the same files, which is what reading
# them costs, and against a Python script that judges the same rows. The run
# stops when the two come to different metrics.
source "$ROOT/bench/lib.bash"

rows=${LH_BENCH_ROWS:-1000000} rounds=${LH_BENCH_ROUNDS:-3}
shm=$(mktemp -d /dev/shm/lh-audit-full-XXXXXX)
trap 'rm -rf "$shm"' EXIT
lh-gen kb -n "$rows" --root "$shm/root"
lh-distill run -q --root "$shm/root" --now 2026-05-03T12:00:00Z --run-id bench >/dev/null
find "$shm/root/data/evidence" "$shm/root/data/scored-runs" "$shm/root/exports" -name '*.jsonl' >"$shm/files"
bytes=$(xargs cat <"$shm/files" | wc -c)

# timed NAME COMMAND... - adds its CPU seconds, wall seconds and peak MiB to a file.
timed() {
	local name=$1
	shift
	/usr/bin/time -o "$shm/time" -f '%U %S %e %M' "$@" >"$shm/$name.out"
	awk '{ printf "%.2f %.2f %.1f\n", $1 + $2, $3, $4 / 1024 }' "$shm/time" >>"$shm/$name"
}

# of NAME COLUMN - the median.
of() { awk -v n="$2" '{ print $n }' "$shm/$1" | median; }

observe() { timed "$1" lh-audit-full --observer --root "$shm/root" --out "$shm/report.md" "${@:2}"; }

for ((i = 0; i < rounds; i++)); do
	observe one -j1
	observe all
	timed cat bash -c 'xargs cat <"$1" >/dev/null' cat "$shm/files"
done
timed python python3 "$ROOT/bench/audit_full.py" "$shm/root"
[ "$(tail -n 1 "$shm/all.out" | jq -cS .metrics)" = "$(jq -cS . "$shm/python.out")" ] || { echo "Python comes to other metrics" >&2; exit 1; }

ratio() { awk "BEGIN { printf \"%.1f\", $2 / $1 }"; }
printf 'observer audit, %d rows, %.1f GB, wall\t%.2f s\tcat: %.2f s\t%s\n' "$rows" "$(awk "BEGIN { print $bytes / 1e9 }")" \
	"$(of all 2)" "$(of cat 2)" "$(ratio "$(of all 2)" "$(of cat 2)")"
printf 'the same, -j1, CPU\t%.2f s\tcat: %.2f s\t%s\n' "$(of one 1)" "$(of cat 1)" "$(ratio "$(of one 1)" "$(of cat 1)")"
printf 'the same, -j1, CPU\t%.2f s\tPython: %.2f s\t%s\n' "$(of one 1)" "$(of python 1)" "$(ratio "$(of one 1)" "$(of python 1)")"
printf 'GB/s, -j1 and all cores\t%s\t%s\n' "$(ratio "$(of one 2)" "$bytes / 1e9")" "$(ratio "$(of all 2)" "$bytes / 1e9")"
printf 'peak memory, -j1 and all cores\t%.0f MiB\t%.0f MiB\n' "$(of one 3)" "$(of all 3)"
