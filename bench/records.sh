# The record layer: 1 GB passed through against jq and a jansson loop, and
# vectors read from JSON arrays against that loop.
source "$ROOT/bench/lib.bash"
[ -s "$DATA/records.jsonl" ] || lh-gen workers -n 1100000 >"$DATA/records.jsonl"
[ -s "$DATA/records-short.jsonl" ] || head -n 50000 "$DATA/records.jsonl" >"$DATA/records-short.jsonl"
[ -s "$DATA/vectors.jsonl" ] || lh-gen workers -n 10000 | lh-embed --dimension 768 >"$DATA/vectors.jsonl"
short=$(stat -c %s "$DATA/records-short.jsonl") all=$(stat -c %s "$DATA/records.jsonl")
# seconds for 1 GB; the peers get a part and are scaled
each() {
	awk -v n="$2" -v all="$all" '{ printf "'"$1"'\t%.3f s\t%.3f s\t%.1f\n", $1, $2 * all / n, $2 * all / n / $1 }'
}
for ((i = 0; i < 5; i++)); do
	echo "$(seconds passthrough pass <"$DATA/records.jsonl") $(seconds jq -c '.seen = (.role | length)' "$DATA/records-short.jsonl")" \
		"$(seconds peer_jansson pass <"$DATA/records-short.jsonl")"
done >"$DATA/records.times"
ours=$(cut -d' ' -f1 "$DATA/records.times" | median)
echo "$ours $(cut -d' ' -f2 "$DATA/records.times" | median)" | each "pass-through of $((all / 1000000)) MB, jq -c" "$short"
echo "$ours $(cut -d' ' -f3 "$DATA/records.times" | median)" | each "pass-through of $((all / 1000000)) MB, jansson" "$short"
versus "10,000 x 768 floats from JSON arrays, jansson" 5 'passthrough vectors <"$DATA/vectors.jsonl"' 'peer_jansson vectors <"$DATA/vectors.jsonl"'
