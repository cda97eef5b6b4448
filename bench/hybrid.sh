# Words and vectors together: Debian's package descriptions found by their synopses,
# beside SQLite's FTS5, vectors alone and the fusion of ranks that --hybrid made before;
# workers found by demand, also over HTTP; what the words take in bytes and time.
# Needs apt once, for bench/hash-v1/run's texts; N queries of each half; HYBRID_MODEL.
source "$ROOT/bench/lib.bash"
n=${HYBRID_QUERIES:-1500} texts=$ROOT/build/bench/hash-v1/corpus.tsv model=${HYBRID_MODEL:-hash-v3}
[ -s "$texts" ] || "$ROOT/bench/hash-v1/run" 1 >/dev/null
cd "$DATA"
packages=packages-words-$model.lhv
if [ ! -s "$packages" ]; then
	jq -cR 'split("\t") | { id: .[1], text: .[3] }' "$texts" >packages.jsonl
	lh-index build -q --lexical --model "$model" "$packages" packages.jsonl
fi
for half in even odd; do
	awk -F'\t' -v half=$half -v n="$n" '(substr($1, 32) ~ /[13579bdf]/) == (half == "odd") && ++k <= n' "$texts" |
		jq -cR 'split("\t") | { own: .[1], query_text: .[2] }' >synopses-$half.jsonl
done

# rank INDEX CORPUS QUERIES [NAME=ANSWERS]... - how good vectors, words and both are, exactly.
rank() {
	lh-search -q --exact --no-metadata -k 100 "$1" <"$3" >by-vector
	jq -r .query_text "$3" | hybrid_words "$1" 100 ids >by-words
	lh-search -q --exact --no-metadata --hybrid "$1" <"$3" >by-both
	lh-search -q --no-metadata --hybrid "$1" <"$3" >by-walk
	python3 "$ROOT/bench/hybrid.py" "$2" "$3" "vectors alone=by-vector" "words alone=by-words" "fusion of ranks=by-vector+by-words" \
		"--hybrid --exact=by-both" "--hybrid=by-walk" "${@:4}"
}

for half in even odd; do
	echo "packages, $half, $model: nDCG@10"
	rank "$packages" packages.jsonl synopses-$half.jsonl
	python3 "$ROOT/bench/hash-v1/bm25.py" "$texts" $half "$n" |
		awk -F'\t' '{ printf "FTS5 bm25: nDCG@10; recall, MRR; ms a query, bytes a text\t%s\t%s %s\t%s %s\n", $8, $4, $5, $6, $7 }'
	jq -r .query_text synopses-$half.jsonl >synopses.txt
	printf 'by words alone: ms a query for 10, 20, 100\t%s\t%s\t%s\n' "$(hybrid_words "$packages" 10 <synopses.txt)" \
		"$(hybrid_words "$packages" 20 <synopses.txt)" "$(hybrid_words "$packages" 100 <synopses.txt)"
done

# post ROUTE - send the queries on standard input one by one.
post() {
	local query
	while IFS= read -r query; do
		curl -s "http://127.0.0.1:31102/v1/matrix/$1" -H 'Content-Type: application/json' -d "$query"
		echo
	done
}

state=$(mktemp -d)
mkdir "$state/index" "$state/playbook"
lh-serve -q --state "$state" --listen 127.0.0.1:31102 >/dev/null 2>&1 &
server=$!
trap 'kill $server; rm -rf "$state"' EXIT
until (exec 3<>/dev/tcp/127.0.0.1/31102) 2>/dev/null; do sleep 0.05; done
for rows in 500 5000; do
	for seed in ${HYBRID_SEEDS:-1 11}; do
		lh-gen workers -n $rows --seed "$seed" >workers.jsonl
		lh-gen queries --styles all -n 200 --seed "$seed" >demand.jsonl
		lh-index build -q --lexical --model "$model" demand.lhv workers.jsonl
		cp demand.lhv "$state/index/workers.lhv.new"
		mv "$state/index/workers.lhv.new" "$state/index/workers.lhv"
		jq -c '{ query_text, corpora: ["workers"], k: 5 }' demand.jsonl >bodies
		post search <bodies >http-vectors
		post retrieve <bodies >http-both
		echo "demand over $rows workers, seed $seed, $model: role precision@5, city@1 of the worst style"
		rank demand.lhv workers.jsonl demand.jsonl "/v1/matrix/search=http-vectors" "/v1/matrix/retrieve=http-both"
	done
done
versus "$n queries, one thread: --hybrid; vectors alone" 5 \
	"lh-search -j1 --no-metadata --hybrid $packages <synopses-odd.jsonl" "lh-search -j1 --no-metadata $packages <synopses-odd.jsonl"

# The sections 12 to 15 of the file, and the processor time of making them.
od -An -v -td8 -w32 -j128 -N2048 "$packages" |
	awk -v texts="$(wc -l <"$texts")" '$1 % 4294967296 > 11 { n += $3 } END { printf "bytes a text for its words\t%.1f\n", n / texts }'
for how in "" --lexical; do
	bash -c "time lh-index build -q -j1 --exact-below 1000000 $how scratch.lhv packages.jsonl" 2>&1 | sed -n 's/^user.*m\(.*\)s/\1/p'
done | awk '{ v[NR] = $1 } END { printf "seconds more to build with words\t%.2f\n", v[2] - v[1] }'
rm -f scratch.lhv scratch.lhv-lock demand.lhv demand.lhv-lock
