# What the learning loop is worth, and what measuring it costs.
source "$ROOT/bench/lib.bash"
[ -s "$DATA/workers-5k.lhv" ] || lh-gen workers -n 5000 | lh-index build -q -j1 "$DATA/workers-5k.lhv"
lift() { lh-lift --paraphrase "$DATA/workers-5k.lhv" | tail -n 1; }
for seed in {1..20}; do lh-gen queries -n 40 --styles all --seed "$seed" | lift; done |
	jq -sr 'map(.summary) | "40 rows in 4 styles, 20 seeds: lifts of discoveries\t\(map(.lifts) | add) of \(map(.discoveries) | add)\t\t",
		"  the lowest ratio of a seed; bleed; with open gate\t\(map(.lift_ratio) | min)\t\(map(.bleed) | add)\t\(map(.open_gate_bleed) | add)"'
for styles in need all; do
	lh-gen queries -n 2000 --styles $styles --seed 3 | lift |
		jq -r --arg s "$styles" '.summary | "2,000 rows, styles \($s): lifts of discoveries; displaced; by worse\t\(.lifts) of \(.discoveries)\t\(.displaced)\t\(.displaced_worse)",
			"  score of the first, cold; warm\t\(.mean_score_cold)\t\(.mean_score_warm)\t", "  other words: held\t\(.held) of \(.paraphrases)\t\t"'
done
lh-gen queries -n 500 --styles all --seed 3 >"$DATA/lift-queries.jsonl"
# Processor time: an answer is waited for, which a busy machine makes long.
cpu() {
	local TIMEFORMAT='%U %S'
	{ time bash -c "$1" >/dev/null; } 2>&1 | awk '{ print $1 + $2 }'
}
for i in 1 2 3 4 5; do
	echo "$(cpu "lh-lift -j1 $DATA/workers-5k.lhv <$DATA/lift-queries.jsonl")" \
		"$(cpu "for i in 1 2; do lh-search -j1 $DATA/workers-5k.lhv <$DATA/lift-queries.jsonl; done")"
done | awk '{ print $1 / 2, $2 / 2, $2 / $1 }' >"$DATA/lift-cpu"
for i in 1 2 3; do cut -d' ' -f$i "$DATA/lift-cpu" | median; done |
	paste -sd' ' | awk '{ printf "a query measured; searched twice\t%.2f ms\t%.2f ms\t%.2f\n", $1, $2, $3 }'
