# What one query reads of an index that is not in memory, and of which sections, of
# COLD_ROWS workers of 768 dimensions (100,000), asked for other
# workers and by sentences of demand, k 10, the default ef, without metadata; medians of
# COLD_QUERIES (15) processes.  COLD_MODEL is hash-v2.  COLD_INDEX="INDEX..." measures other
# indexes, by the same texts.
source "$ROOT/bench/lib.bash"
rows=${COLD_ROWS:-100000}
model=${COLD_MODEL:-hash-v2}
home=$DATA/cold-$rows-$model
given=()
[ -z "${COLD_INDEX:-}" ] || mapfile -t given < <(realpath $COLD_INDEX)
mkdir -p "$home"
cd "$home"
lh-gen workers -n 200 --seed 9 | jq -c '{text}' >workers.jsonl
lh-gen queries -n 50 --styles all --seed 5 | jq -c '{text: .query_text}' >demand.jsonl

# measure NAME INDEX
measure() {
	local from
	for from in workers demand; do
		COLD_NAME="$1, $from" python3 "$ROOT/bench/cold.py" "$2" $from.jsonl "${COLD_QUERIES:-15}" -k 10 --no-metadata
	done
}

for index in "${given[@]}"; do
	measure "$(basename "$index")" "$index"
done
[ ${#given[@]} = 0 ] || exit 0
for precision in ${PRECISIONS:-i8}; do
	[ -f "$precision.lhv" ] ||
		lh-gen workers -n "$rows" | lh-index build -q -j 2 --model "$model" --dimension 768 --precision "$precision" "$precision.lhv"
	measure "$precision" "$precision.lhv"
done
