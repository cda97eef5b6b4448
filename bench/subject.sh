# A person's data in a root of SUBJECT_ROWS rows of sources, which are five times as many in all,
# an index and a roster of SUBJECT_PERSONS workers, and a log of sessions: found, handed over and
# erased, by processor time, wall time and resident memory, which has the pages of mapped files.
# The state is made once, in a minute; each round erases another person of a copy of it.  grep
# looks for one of the texts that verify looks for, in the same files.
source "$ROOT/bench/lib.bash"
rows=${SUBJECT_ROWS:-200000} persons=${SUBJECT_PERSONS:-20000} rounds=${SUBJECT_ROUNDS:-3}
state=$DATA/subject-$rows-$persons work=$DATA/subject.work.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"

# Make the state: every second row of the sources, every record and every session is a person's.
make_state() {
	local file
	mkdir -p "$1"/{index,log}
	lh-gen workers -n "$persons" >"$1/roster.jsonl"
	lh-index build -q "$1/index/workers.lhv" "$1/roster.jsonl"
	awk -v n="$persons" 'BEGIN { for (i = 1; i <= n; i++)
		printf "{\"schema\":\"session.iterate.v1\",\"session_id\":\"session-%d\",\"timestamp\":\"2026-05-03T12:00:00.000Z\",\"kind\":\"fill\",\"prompt\":\"fill %d\",\"artifact\":{\"fills\":[{\"candidate_id\":\"w-%d\"}]}}\n", i, i, i }' >"$1/log/sessions.jsonl"
	lh-gen kb -n "$rows" --root "$1"
	for file in "$1"/data/_kb/*.jsonl; do
		LC_ALL=C awk -v n="$persons" 'NR % 2 { printf "{\"candidate_id\":\"w-%d\",%s\n", (NR + 1) / 2 % n + 1, substr($0, 2); next } 1' "$file" >"$1/new"
		mv "$1/new" "$file"
	done
	lh-distill run -q --root "$1" --run-id one >/dev/null
}
if [ ! -d "$state" ]; then
	rm -rf "$state.new"
	make_state "$state.new"
	mv "$state.new" "$state"
fi

head -c 32 /dev/urandom >"$work/key"
chmod 600 "$work/key"
export LH_SUBJECT_AUDIT_KEY=$work/key
cp -a "$state" "$work/s"
cd "$work"

# timed WHAT COMMAND... - append its processor time, wall time and memory in MiB to a file.
timed() {
	/usr/bin/time -o time -f '%U %S %e %M' "${@:2}" >out
	awk '{ printf "%.2f %.2f %.0f\n", $1 + $2, $3, $4 / 1024 }' time >>"$1.times"
}
for ((i = 1; i <= rounds; i++)); do
	id=w-$((i * 7 + 1))
	timed find lh-subject find --state s "$id"
	timed export lh-subject export --state s --out archive.tar.gz --force "$id"
	timed plan lh-subject erase --state s "$id"
	timed erase lh-subject erase --state s --apply --reason bench "$id"
	timed verify lh-subject verify --state s "$id"
	timed grep bash -c "find s -type f | xargs grep -lF '$id\"' || [ \$? = 123 ]"
done
printf 'a state of %s, one person\t%s\t%s\t%s\n' "$(du -sh s | cut -f1)" 'processor time' 'wall time' 'resident memory'
for what in find export plan erase verify grep; do
	printf '%s\t%.2f s\t%.2f s\t%s MiB\n' "$what" $(for c in 1 2 3; do cut -d' ' -f$c "$what.times" | median; done)
done
