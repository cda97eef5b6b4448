# lh-embed's hash engine on generated workers, one thread.
source "$ROOT/bench/lib.bash"
[ -s "$DATA/embed.jsonl" ] || lh-gen workers -n 100000 >"$DATA/embed.jsonl"
for encoding in array base64; do
	for _ in 1 2 3 4 5; do seconds lh-embed -j1 --encoding $encoding "$DATA/embed.jsonl"; done | median |
		awk -v e="$encoding" '{ printf "lh-embed, 768, one thread, %s out\t%.3f s\t\t%.0f texts/s\n", e, $1, 1e5 / $1 }'
done
