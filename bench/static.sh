# Engine static: 400,000 words × 300, compiled, and what it makes of texts.
source "$ROOT/bench/lib.bash"
words=400000 n=100000 rounds=5

[ -s "$DATA/words.bin" ] || static table $words 300 >"$DATA/words.bin"
[ -s "$DATA/word-texts.jsonl" ] || static texts $words $n >"$DATA/word-texts.jsonl"
[ -s "$DATA/word-texts-2000.jsonl" ] || static texts 2000 $n >"$DATA/word-texts-2000.jsonl"
head -n 2000 "$DATA/word-texts.jsonl" >"$DATA/word-texts-few.jsonl"

# used COMMAND... - processor seconds and MiB at the most, its output thrown away.
used() {
	/usr/bin/time -f '%U %S %M' "$@" 2>&1 >/dev/null | awk '{ print $1 + $2, $3 / 1024 }'
}

for precision in f32 f16 i8; do
	spent=$(used lh-embed -q --compile "$DATA/words.bin" --precision $precision -o "$DATA/words.$precision.lhw")
	awk -v p=$precision -v b="$(stat -c %s "$DATA/words.$precision.lhw")" '
		{ printf "compiled, 400,000 words x 300, %s\t%.2f s, %.0f MiB\tfile: %.0f MiB\n", p, $1, $2, b / 1048576 }' <<<"$spent"
done

# ---- in process, both sides in each round ----
for ((i = 0; i < rounds; i++)); do
	for precision in f32 f16 i8; do
		static ours "$DATA/words.$precision.lhw" <"$DATA/word-texts.jsonl" >>"$DATA/static.$precision.$$"
	done
	static loop "$DATA/words.bin" <"$DATA/word-texts.jsonl" >>"$DATA/static.loop.$$"
done
for precision in f32 f16 i8; do
	paste "$DATA/static.$precision.$$" "$DATA/static.loop.$$" | awk '{ print $1 / $2 }' |
		printf 'texts/s, %s, and of a loop in C\t%.0f\t%.0f\t%.2f\n' $precision \
			"$(median <"$DATA/static.$precision.$$")" "$(median <"$DATA/static.loop.$$")" "$(median)"
done
printf 'the same loop in Python\t\t%s\n' "$(python3 "$ROOT/bench/static.py" "$DATA/words.bin" <"$DATA/word-texts-few.jsonl")"
rm "$DATA"/static.*."$$"

# ---- as a tool: words of the whole table, and of its 2,000 most common alone ----
for texts in word-texts word-texts-2000; do
	for precision in f32 f16 i8; do
		for ((i = 0; i < rounds; i++)); do
			used lh-embed --engine static --model "$DATA/words.$precision.lhw" -j1 --encoding base64 "$DATA/$texts.jsonl"
		done | sort -g | awk -v p=$precision -v t=$texts -v n=$n -v r=$rounds '
			{ s[NR] = $1; m = $2 }
			END { printf "lh-embed -j1, %s, base64, %s\t%.0f texts/s\t%.0f MiB resident\n", p, t, n / s[(r + 1) / 2], m }'
	done
done
