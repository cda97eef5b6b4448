# Words and vectors together: Debian's package descriptions found by their synopses,
# beside SQLite's FTS5 and beside vectors alone; what the words take in bytes and time.
# Needs apt once, for bench/hash-v1/run's texts; N queries of each half.
source "$ROOT/bench/lib.bash"
n=${HYBRID_QUERIES:-1500} texts=$ROOT/build/bench/hash-v1/corpus.tsv
[ -s "$texts" ] || "$ROOT/bench/hash-v1/run" 1 >/dev/null
cd "$DATA"
if [ ! -s packages-words.lhv ]; then
	jq -cR 'split("\t") | { id: .[1], text: .[3] }' "$texts" >packages.jsonl
	for half in even odd; do
		awk -F'\t' -v half=$half -v n="$n" '(substr($1, 32) ~ /[13579bdf]/) == (half == "odd") && ++k <= n' "$texts" |
			jq -cR 'split("\t") | { own: .[1], query_text: .[2] }' >synopses-$half.jsonl
	done
	lh-index build -q --lexical packages-words.lhv packages.jsonl
fi

# found - recall@10 and MRR@10 of answers on stdin.
found() {
	jq -r '[.results[].id] as $ids | .own as $own | $ids | index($own) // -1' |
		awk '$1 >= 0 { hits++; mrr += 1 / ($1 + 1) } END { printf "%.4f\t%.4f\n", hits / NR, mrr / NR }'
}

for half in even odd; do
	python3 "$ROOT/bench/hash-v1/bm25.py" "$texts" $half "$n" |
		awk -F'\t' -v half=$half '{ printf "FTS5 bm25, %s: recall, MRR; ms a query, bytes a text\t%s\t%s\t%s %s\n", half, $4, $5, $6, $7 }'
	for how in --exact "--hybrid" "--hybrid --exact"; do
		# shellcheck disable=SC2086
		printf 'lh-search %s, %s: recall, MRR\t%s\n' "$how" $half \
			"$(lh-search --no-metadata $how packages-words.lhv <synopses-$half.jsonl | found)"
	done
	jq -r .query_text synopses-$half.jsonl >synopses.txt
	printf 'by words alone, %s: ms a query for 10, 20, 100\t%s\t%s\t%s\n' $half "$(hybrid_words packages-words.lhv 10 <synopses.txt)" \
		"$(hybrid_words packages-words.lhv 20 <synopses.txt)" "$(hybrid_words packages-words.lhv 100 <synopses.txt)"
done
versus "$n queries, one thread: --hybrid; vectors alone" 5 \
	"lh-search -j1 --no-metadata --hybrid packages-words.lhv <synopses-odd.jsonl" "lh-search -j1 --no-metadata packages-words.lhv <synopses-odd.jsonl"

# The sections 12 to 15 of the file, and the processor time of making them.
od -An -v -td8 -w32 -j128 -N2048 packages-words.lhv |
	awk -v texts="$(wc -l <"$texts")" '$1 % 4294967296 > 11 { n += $3 } END { printf "bytes a text for its words\t%.1f\n", n / texts }'
for how in "" --lexical; do
	bash -c "time lh-index build -q -j1 --exact-below 1000000 $how scratch.lhv packages.jsonl" 2>&1 | sed -n 's/^user.*m\(.*\)s/\1/p'
done | awk '{ v[NR] = $1 } END { printf "seconds more to build with words\t%.2f\n", v[2] - v[1] }'
rm -f scratch.lhv scratch.lhv-lock
