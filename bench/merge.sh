# lh-merge in step, against json and heapq in Python and a group_by of jq: answers of ten parts
# of 20,000 workers, with metadata, and of a thousand parts without.
source "$ROOT/bench/lib.bash"
cd "$DATA"
QUERIES=${LH_BENCH_QUERIES:-2000}
if [ ! -s merge-9 ]; then
	lh-gen queries -n "$QUERIES" --seed 3 | jq -c '{query_text}' | awk '!seen[$0]++' >merge.queries
	lh-gen workers -n 20000 >merge.workers
	for i in {0..9}; do
		awk -v i="$i" 'NR % 10 == i' merge.workers | lh-index build --dimension 128 "part$i.lhv"
		lh-search "part$i.lhv" <merge.queries >"merge-$i"
		rm "part$i.lhv"
	done
fi
lh-merge merge-{0..9} >merge.ours
python3 "$ROOT/bench/merge.py" 10 merge-{0..9} >merge.peer
cmp <(jq -c . merge.ours) <(jq -c . merge.peer)
n=$(wc -l <merge-0)
versus "$n answers of 10 files; Python, heapq" 5 'lh-merge merge-?' "python3 $ROOT/bench/merge.py 10 merge-?"
versus "the same from standard input; jq, group_by" 3 'cat merge-? | lh-merge' \
	"cat merge-? | jq -sc 'group_by(.query_text)[] | .[0] + {results: (map(.results[]) | sort_by(.distance, .corpus, .id)[:10])}'"
mkdir -p merge-thousand
for i in {0..999}; do
	first=$((i % 10))
	[ -s "merge-thousand/$i" ] || sed "50q; s/,\"metadata\":{[^}]*}//g; s/part/part$i-/g" "merge-$first" >"merge-thousand/$i"
done
versus "50 answers of 1,000 files; Python, heapq" 5 'lh-merge merge-thousand/*' "python3 $ROOT/bench/merge.py 10 merge-thousand/*"
/usr/bin/time -f 'resident memory of the last	%M KiB' lh-merge merge-thousand/* 2>&1 >/dev/null
