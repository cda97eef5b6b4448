# lh-judge: qrels and a run of TREC of a million lines each, 1,000 queries of 1,000 documents, half
# of which have grades; and a comparison with 10,000 rounds.
source "$ROOT/bench/lib.bash"
cd "$DATA"
LINES=${LH_BENCH_LINES:-1000000}
if [ ! -s "judge-$LINES" ]; then
	python3 - "$LINES" judge.qrels judge.run judge.other <<-'END'
	import random
	import sys
	r = random.Random(1)
	lines = int(sys.argv[1])
	files = [open(path, "w") for path in sys.argv[2:]]
	for q in range(lines // 1000):
	    found = r.sample(range(3000000), 1500)
	    for d in found[500:]:
	        print(f"q{q} 0 doc{d} {r.choice([0, 0, 1, 2, 3])}", file=files[0])
	    for run in files[1:]:
	        some = r.sample(found, 1000)
	        for rank, d in enumerate(some, 1):
	            print(f"q{q} Q0 doc{d} {rank} {50 - rank * 0.01:.6f} tag", file=run)
	END
	echo made >"judge-$LINES"
fi
versus "compare two runs, six measures; score both" 3 'lh-judge compare --qrels judge.qrels judge.run judge.other' \
	'lh-judge score --qrels judge.qrels judge.run judge.other'
/usr/bin/time -f '%U' lh-judge score --qrels judge.qrels judge.run 2>judge.time >/dev/null
awk -v n="$LINES" '{ printf "lines a second of processor time\t%.0f\n", 2 * n / $1 }' judge.time
/usr/bin/time -f 'resident memory of score	%M KiB' lh-judge score --qrels judge.qrels judge.run 2>&1 >/dev/null
