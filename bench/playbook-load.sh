# A playbook that 50 processes fill from nothing while 4 search, N entries in
# all.  Processor time, as so many processes wait for each other: of an entry,
# its share in folds included, and of a search started cold, in the first tenth
# of the time and in the last; and how long the log gets.
source "$ROOT/bench/lib.bash"
N=${N:-100000} procs=50
work=$(mktemp -d)
trap 'touch "$work/done"; wait; rm -rf "$work"' EXIT
cd "$work"
lh-gen workers -n 60 | lh-index build workers.lhv
lh-gen queries -n "$N" --styles need --seed 7 |
	jq -c '{ query_text, answer_id: "w-\(input_line_number)", answer_corpus: "workers", score: 0.8, role }' |
	split -n r/$procs - in.
TIMEFORMAT='%U %S'
for s in 1 2 3 4; do
	while [ ! -e done ]; do
		[ -e pb.lhv ] || continue
		echo "$EPOCHREALTIME $( { time lh-search -k 3 --playbook pb.lhv -Q 'Need 3 Welders in Gary IN for client 1' workers.lhv >/dev/null; } 2>&1)"
	done >took.$s &
done
while [ ! -e done ]; do
	[ ! -e pb.lhv ] || lh-index info pb.lhv | jq .pending
	sleep 0.1
done >pending &
times >before
began=$EPOCHREALTIME
for f in in.*; do
	lh-playbook record -q -j1 pb.lhv "$f" >/dev/null &
	recorders+=($!)
done
wait "${recorders[@]}"
end=$EPOCHREALTIME
times >after
touch done
wait
[ "$(lh-playbook list pb.lhv | wc -l)" = "$N" ]
awk -F '[ms ]' -v n="$N" -v began="$began" -v end="$end" '
	{ spent[FILENAME] = $1 * 60 + $2 + $4 * 60 + $5 }
	END {
		printf "%d entries by 50 processes\t%.0f s\n", n, end - began
		printf "processor time an entry\t%.2f ms\n", (spent["after"] - spent["before"]) / n * 1000
	}' before after
printf 'the longest log, in entries\t%d\n' "$(sort -n pending | tail -n 1)"
at() {
	cat took.* | awk -v from="$1" -v to="$2" -v began="$began" -v end="$end" \
		'$1 >= began + from * (end - began) && $1 < began + to * (end - began) { print ($2 + $3) * 1000 }' | median
}
printf 'processor time a search, first tenth, last tenth\t%.0f ms\t%.0f ms\n' "$(at 0 0.1)" "$(at 0.9 1)"
printf 'searches meanwhile\t%d\n' "$(cat took.* | wc -l)"
