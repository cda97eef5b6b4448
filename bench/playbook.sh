# What a playbook costs a query, and an entry, at several sizes.
source "$ROOT/bench/lib.bash"
[ -s "$DATA/workers-20k.lhv" ] || lh-gen workers -n 20000 | lh-index build -q "$DATA/workers-20k.lhv"
lh-gen queries -n 2000 --styles all --seed 3 >"$DATA/playbook-queries.jsonl"
lh-gen queries -n 1 --seed 4 >"$DATA/playbook-one.jsonl"
entries() {
	lh-gen queries -n "$1" --styles need --seed 7 |
		jq -c '{ query_text, answer_id: "w-\(input_line_number)", answer_corpus: "workers-20k", score: 0.8, role }'
}
queries=$(wc -l <"$DATA/playbook-queries.jsonl")
plain="lh-search -j1 --no-metadata $DATA/workers-20k.lhv"
for n in 100 10000 50000; do
	book=$DATA/book-$n.lhv
	if [ ! -s "$book" ]; then
		entries "$n" >"$DATA/entries.jsonl"
		printf 'entries recorded, to %d\t%.0f a second\n' "$n" \
			"$(seconds lh-playbook record -q "$book" "$DATA/entries.jsonl" | awk -v n="$n" '{ print n / $1 }')"
		lh-index compact "$book"
	fi
	with="lh-search -j1 --no-metadata --auto-role --playbook $book $DATA/workers-20k.lhv"
	versus "$queries queries with a playbook of $n entries, without one" 5 "$with <$DATA/playbook-queries.jsonl" "$plain <$DATA/playbook-queries.jsonl"
	for i in 1 2 3 4 5; do
		echo "$(seconds bash -c "$with <$DATA/playbook-queries.jsonl") $(seconds bash -c "$plain <$DATA/playbook-queries.jsonl")"
	done | awk -v n="$queries" '{ print ($1 - $2) / n * 1e6 }' | median |
		awk -v n="$n" '{ printf "what a playbook of %d entries adds to a query\t%.0f us\n", n, $1 }'
	versus "one query, started cold, with a playbook of $n entries, without one" 9 "$with <$DATA/playbook-one.jsonl" "$plain <$DATA/playbook-one.jsonl"
done
