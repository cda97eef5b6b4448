# Filtered search: the index as a library beside an exact scan of the rows that
# match, which the scan knows beforehand and measures where they lie.
#
# 100,000 generated workers × 768 from hash-v1, with four numbers drawn for each
# that have nothing to do with it.  Asked by sentences of demand, which lie far
# from all workers, and by workers of another seed, which do not.
source "$ROOT/bench/lib.bash"
rounds=${FILTER_ROUNDS:-3} rows=${FILTER_ROWS:-100000} queries=${FILTER_QUERIES:-200}

mkdir -p "$DATA/filter-$rows"
cd "$DATA/filter-$rows"
if [ ! -f workers.f32 ]; then
	lh-gen workers -n "$rows" | awk 'BEGIN { srand(7) } { r = int(rand() * 1000)
		sub(/}$/, ",\"of2\":" r % 2 ",\"of10\":" r % 10 ",\"of100\":" r % 100 ",\"of1000\":" r "}"); print }' |
		lh-index build -q -j 2 --model hash-v1 rows.lhv
	lh-gen queries -n "$((queries / 4))" --styles all --seed 5 | lh-embed --model hash-v1 --field query_text --encoding base64 |
		jq -r .vector | base64 -d >demand.f32
	lh-gen workers -n "$queries" --seed 2 | lh-embed --model hash-v1 --encoding base64 | jq -r .vector | base64 -d >workers.f32
fi
while read -r filter; do
	for from in demand workers; do
		filter rows.lhv $from.f32 "$filter" "$rounds" | {
			IFS=$'\t' read -r match recall first ours peer ratio
			printf '%s\t%s ms\t%s ms\t%s\n' "$filter" "$ours" "$peer" "$ratio"
			printf '  %s, %s match\trecall %s\tfirst %s ms\n' "$from" "$match" "$recall" "$first"
		}
	done
done <<'END'
{"status":"active"}
{"of2":0}
{"state":["IL","OH","IN","MI"]}
{"archetype":"reliable"}
{"state":"IL"}
{"of10":0}
{"role":"Welder"}
{"of100":0}
{"state":"WI","archetype":"specialist"}
{"of1000":0}
{"role":"Dental Assistant","state":"IL"}
END
