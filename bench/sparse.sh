# Searches by weighted terms: Debian's package descriptions as a learned sparse encoder might
# write them (bench/sparse.py), and by bm25 over the words of the same texts, in processor time
# of one thread without the start.  Needs apt once, for bench/hash-v1/run's texts; N queries.
source "$ROOT/bench/lib.bash"
n=${SPARSE_QUERIES:-1500} texts=$ROOT/build/bench/hash-v1/corpus.tsv
[ -s "$texts" ] || "$ROOT/bench/hash-v1/run" 1 >/dev/null
cd "$DATA"
if [ ! -s sparse.lhv ]; then
	python3 "$ROOT/bench/sparse.py" "$texts" sparse.jsonl idf.json
	lh-index build -q --lexical --weights w --dimension 64 sparse.lhv sparse.jsonl
fi
awk -F'\t' -v n="$n" 'substr($1, 32) ~ /[13579bdf]/ && ++k <= n { print $3 }' "$texts" >synopses.txt
for k in 10 100; do
	ours=$(hybrid_words sparse.lhv $k idf.json <synopses.txt) peer=$(hybrid_words sparse.lhv $k <synopses.txt)
	awk -v k=$k -v a="$ours" -v b="$peer" 'BEGIN {
		printf "ms a query by weights, for %d; bm25; weights/bm25\t%.3f\t%.3f\t%.2f\n", k, a, b, a / b }'
done
od -An -v -td8 -w32 -j128 -N2048 sparse.lhv |
	awk -v texts="$(wc -l <"$texts")" '$1 % 4294967296 > 16 { n += $3 } END { printf "bytes a text for its weights, without metadata\t%.0f\n", n / texts }'
