# What one query reads of an index that is not in memory, and of which sections, for each
# layout that lh-index knows: COLD_ROWS workers of 768 dimensions (100,000), asked for other
# workers, k 10, the default ef, without metadata; medians of COLD_QUERIES (15) processes.
# COLD_INDEX="INDEX..." measures other indexes, by the same texts.
source "$ROOT/bench/lib.bash"
rows=${COLD_ROWS:-100000}
home=$DATA/cold-$rows
given=()
[ -z "${COLD_INDEX:-}" ] || mapfile -t given < <(realpath $COLD_INDEX)
mkdir -p "$home"
cd "$home"
[ -f queries.jsonl ] || lh-gen workers -n 200 --seed 9 | jq -c '{id, text}' >queries.jsonl

# measure NAME INDEX
measure() {
	COLD_NAME=$1 python3 "$ROOT/bench/cold.py" "$2" queries.jsonl "${COLD_QUERIES:-15}" -k 10 --no-metadata
}

for index in "${given[@]}"; do
	measure "$(basename "$index")" "$index"
done
[ ${#given[@]} = 0 ] || exit 0
for layout in ${LAYOUTS:-hnsw qg}; do
	[ "$layout" = hnsw ] || lh-index build --help | grep -q -e "--layout.*$layout" || continue
	for precision in ${PRECISIONS:-i8}; do
		[ -f "$layout-$precision.lhv" ] ||
			lh-gen workers -n "$rows" | lh-index build -q -j 2 --layout "$layout" --dimension 768 --precision "$precision" "$layout-$precision.lhv"
		measure "$layout-$precision" "$layout-$precision.lhv"
	done
done
