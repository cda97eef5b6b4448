# The tools as they are run: start-up, lh-embed's rates, an add to a big index.
source "$ROOT/bench/lib.bash"

# ---- start-up on empty input ----
[ -s "$DATA/small.lhv" ] || lh-gen workers -n 100 | lh-index build "$DATA/small.lhv"
for tool in "lh-search $DATA/small.lhv" lh-embed "lh-index info $DATA/small.lhv" lh-cat; do
	printf 'start of %s, nothing to do, jq -n 1\t%s\n' "${tool%% /*}" "$(spawn 101 "$tool" 'jq -n 1')"
done
cc -O2 -static -o "$DATA/empty" -x c - <<<'int main(void) { return 0; }'
for tool in "lh-search $DATA/small.lhv" "lh-search -Qwelder $DATA/small.lhv" lh-embed lh-cat; do
	printf '%s, an empty static program\t%s\n' "${tool%% /*}" "$(spawn 501 "$tool" "$DATA/empty")"
done

# ---- texts a second on one core ----
[ -s "$DATA/workers.jsonl" ] || lh-gen workers -n 100000 >"$DATA/workers.jsonl"
for encoding in array base64; do
	for i in 1 2 3 4 5; do seconds lh-embed -j1 --encoding $encoding "$DATA/workers.jsonl"; done | median |
		awk -v e=$encoding '{ printf "lh-embed -j1, 768, %s, 100,000 workers\t%.3f s\t\t%.0f texts/s\n", e, $1, 1e5 / $1 }'
done

# ---- 1 GB of 10 KB records with a short text ----
if [ ! -s "$DATA/wide.jsonl" ]; then
	lh-gen workers -n 100000 | jq -c '. as $w | { id, text: .role, note: ([range(28)] | map($w.text) | join(" "))[:9900] }' >"$DATA/wide.jsonl"
	head -n 5000 "$DATA/wide.jsonl" >"$DATA/wide-short.jsonl"
fi
for ((i = 0; i < 5; i++)); do
	echo "$(seconds lh-embed -j1 --dimension 64 --encoding base64 "$DATA/wide.jsonl") $(seconds jq -c . "$DATA/wide-short.jsonl")"
done | awk -v n="$(stat -c %s "$DATA/wide.jsonl")" -v s="$(stat -c %s "$DATA/wide-short.jsonl")" '
	{ print $1, $2 * n / s, $2 * n / s / $1 }' >"$DATA/wide.times"
printf 'lh-embed, %d MB of 10 KB records, jq -c .\t%.3f s\t%.3f s\t%.1f\n' "$(($(stat -c %s "$DATA/wide.jsonl") / 1000000))" \
	"$(cut -d' ' -f1 "$DATA/wide.times" | median)" "$(cut -d' ' -f2 "$DATA/wide.times" | median)" "$(cut -d' ' -f3 "$DATA/wide.times" | median)"
printf 'its resident memory\t%.1f MiB\n' "$(/usr/bin/time -f %M lh-embed -j1 --dimension 64 --encoding base64 "$DATA/wide.jsonl" 2>&1 >/dev/null |
	awk '{ print $1 / 1024 }')"

# ---- one record added to a small and to a big index ----
[ -s "$DATA/big.lhv" ] || lh-index build -q "$DATA/big.lhv" "$DATA/workers.jsonl"
lh-gen workers -n 1000 | lh-index build -q "$DATA/few.lhv"
lh-gen workers -n 1 --seed 9 | jq -c '.id = "new"' >"$DATA/new.jsonl"
versus 'lh-index add of one to 100,000, and to 1,000' 9 "lh-index add $DATA/big.lhv $DATA/new.jsonl" "lh-index add $DATA/few.lhv $DATA/new.jsonl"
