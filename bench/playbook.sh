# What a playbook costs a query, and an entry, at two sizes.
source "$ROOT/bench/lib.bash"
[ -s "$DATA/workers-20k.lhv" ] || lh-gen workers -n 20000 | lh-index build -q "$DATA/workers-20k.lhv"
queries=1000
lh-gen queries -n $queries --seed 3 >"$DATA/playbook-queries.jsonl"
head -n 1 "$DATA/playbook-queries.jsonl" >"$DATA/playbook-one.jsonl"
entries() {
	lh-gen queries -n "$1" --styles need --seed 7 |
		jq -c '{ query_text, answer_id: "w-\(input_line_number)", answer_corpus: "workers-20k", score: 0.8, role }'
}
search="lh-search -j1 --no-metadata --auto-role"
for n in 100 10000; do
	book=$DATA/book-$n.lhv
	rm -f "$book" "$book-log"
	entries "$n" >"$DATA/entries.jsonl"
	seconds lh-playbook record -q "$book" "$DATA/entries.jsonl" |
		awk -v n="$n" '{ printf "%d entries recorded, folds and all\t%.0f /s\n", n, n / $1 }'
	lh-index compact "$book"
	for i in 1 2 3 4 5; do
		echo "$(seconds bash -c "$search --playbook $book $DATA/workers-20k.lhv <$DATA/playbook-queries.jsonl")" \
			"$(seconds bash -c "$search $DATA/workers-20k.lhv <$DATA/playbook-queries.jsonl")"
	done | awk -v n=$queries '{ print ($1 - $2) / n * 1e6 }' | median |
		awk -v n="$n" '{ printf "a playbook of %d entries adds to a query\t%.0f us\n", n, $1 }'
	versus "one query, started cold, $n entries; none" 9 \
		"$search --playbook $book $DATA/workers-20k.lhv <$DATA/playbook-one.jsonl" "$search $DATA/workers-20k.lhv <$DATA/playbook-one.jsonl"
done
