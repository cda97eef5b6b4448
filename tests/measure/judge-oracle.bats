# lh-judge against a second implementation, written from trec_eval's definitions.
# Plain only: an oracle over many inputs.
# bats file_tags=oracle,plain-only
load ../helper

@test "each measure of random runs is that of the second implementation" {
	run -0 python3 "$ROOT/tests/oracle/judge.py" check "$(scale 200 100000)"
	[ "$output" -gt $(($(scale 200 100000) * 50)) ]
}

@test "the second implementation finds a value that is wrong" {
	mkdir bin
	printf '#!/bin/sh\n%s/lh-judge "$@" | sed "s/\\"measure\\":\\"bpref\\",\\"value\\":1}/\\"measure\\":\\"bpref\\",\\"value\\":0.9}/"\n' "$LH_BIN" >bin/lh-judge
	chmod +x bin/lh-judge
	PATH=$PWD/bin:$PATH run -1 python3 "$ROOT/tests/oracle/judge.py" check 50
	[[ $output == *" bpref: 0.9, not 1"* ]]
}

@test "the p of a comparison is near the exact one, and the difference is the same" {
	for seed in 1 2 3 4 5 6; do
		python3 - $seed >q 2>ab <<-'END'
		import random, sys
		r = random.Random(int(sys.argv[1]))
		for q in range(12):
		    print(q, 0, "a", 1)
		    for run in "ab":
		        print(run, q, "Q0", "a", 1, r.choice([1, 2, 3, 3 + (run == "b")]), "t", file=sys.stderr)
		        for d in "xyz":
		            print(run, q, "Q0", d, 1, r.choice([1, 2]), "t", file=sys.stderr)
		END
		for run in a b; do sed -n "s/^$run //p" ab >$run; done
		read -r difference p < <(python3 "$ROOT/tests/oracle/judge.py" differences q a b mrr)
		lh-judge compare --qrels q --measures mrr a b >out
		jq -e --argjson d "$difference" --argjson p "$p" \
			'(.difference - $d | fabs) < 1e-12 and (.p - $p | fabs) < 0.03 and .low <= .difference and .difference <= .high' out ||
			{ cat out; echo "$difference $p"; return 1; }
	done
}
