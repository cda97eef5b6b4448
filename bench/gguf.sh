# The encoder of GGUF models and llama.cpp on a model of the size of nomic-embed-text: 12 layers,
# width 768, 30,528 tokens, generated weights; one thread, processor time, the
# fastest of ROUNDS (default 3) in which both take turns.
source "$ROOT/bench/lib.bash"
source "$ROOT/tests/model/peers.bash"
rounds=${ROUNDS:-3}
peers || exit 1
model=$ROOT/tests/model work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# made TYPE - the model of that type, made once.
made() {
	[ -s "$DATA/model.$1.gguf" ] || "$ROOT/build/bench/model" "$model/wordpiece.txt" \
		"$DATA/model.$1.gguf" --type "$1" --layers 12 --width 768 --heads 12 \
		--feed-forward 3072 --tokens 30528
}
made F16
made Q8_0
python3 "$model/lists.py" "$DATA/model.F16.gguf" 128 >"$DATA/lists.128"
# shellcheck disable=SC2046
python3 "$model/lists.py" "$DATA/model.F16.gguf" $(seq 8 40) >"$DATA/lists.short"

# both TYPE LISTS [--fast] - our lines of "tokens/s first-vector KiB" into a, llama.cpp's into b.
both() {
	local i file=$DATA/model.$1.gguf
	: >"$work/a"
	: >"$work/b"
	for ((i = 0; i < rounds; i++)); do
		gguf_liblh 3 "$file" "${@:3}" <"$DATA/lists.$2" >>"$work/a"
		/usr/bin/time -f %M -o "$work/memory" node "$model/peers/embed.mjs" --time 3 "$file" \
			<"$DATA/lists.$2" >"$work/line"
		paste -d' ' "$work/line" "$work/memory" >>"$work/b"
	done
}
# best N - the best line of each side, by column N: "OURS PEER".
best() {
	local order=-g
	[ "$1" != 1 ] || order=-gr
	echo "$(cut -d' ' -f"$1" "$work/a" | sort $order | sed -n 1p)" \
		"$(cut -d' ' -f"$1" "$work/b" | sort $order | sed -n 1p)"
}
# speed WHAT AIM TYPE LISTS [--fast] - tokens a second of processor time.
speed() {
	both "${@:3}"
	best 1 | awk -v what="$1" -v aim="$2" '
		{ printf "%s\t%.0f /s\t%.0f /s\t%.2f%s\n", what, $1, $2, $1 / $2, aim ? " (aim " aim ")" : "" }'
}
# peak - the F16 speed by the float products that this core adds in AVX-512 registers just now; a
# token takes 226 MFLOP.
peak() {
	best 1 | awk -v peak="$(fma)" '
		{ printf "  GFLOP/s; AVX-512, at most\t%.0f\t%.0f\t%.2f\n", $1 * 0.226, peak, $1 * 0.226 / peak }'
}
# size WHAT AIM - the memory of what was measured last, by the size of the F16 file.
size() {
	best 3 | awk -v what="$1" -v aim="$2" -v file="$(stat -c %s "$DATA/model.F16.gguf")" '
		{ printf "%s\t%.2f\t%.2f\t(aim %s)\n", what, $1 * 1024 / file, $2 * 1024 / file, aim }'
}
# first WHAT - processor time from opening the file to the first vector, of what was measured last.
first() {
	best 2 | awk -v what="$1" '{ printf "%s\t%.0f ms\t%.0f ms\t%.2f\n", what, $1 * 1e3, $2 * 1e3, $2 / $1 }'
}

speed 'tokens, F16, a text of 128' 2.5 F16 128
peak
size '  peak memory, by the F16 file' 2.7
first '  opened, first vector of 128 tokens'
speed 'tokens, F16 --fast, a text of 128' '' F16 128 --fast
speed 'tokens, Q8_0, in floats; llama.cpp: 8 bits' '' Q8_0 128
speed 'tokens, Q8_0 --fast, a text of 128' 3 Q8_0 128 --fast
size '  peak memory, by the F16 file' 0.6
first '  opened, first vector of 128 tokens'
speed 'tokens, F16, texts of 8 to 40' 4 F16 short
speed 'tokens, Q8_0 --fast, texts of 8 to 40' '' Q8_0 short --fast

# start WHAT AIM TYPE [--fast] - processor time to the first vector of a text of 12 tokens, and the
# peak memory by the F16 file: of the model, and compiled.
start() {
	local i compiled=$work/$3${4:-}.lhm
	lh-embed --engine gguf --compile "$DATA/model.$3.gguf" -o "$compiled" "${@:4}"
	: >"$work/a"
	: >"$work/b"
	for ((i = 0; i < rounds; i++)); do
		gguf_liblh 1 "$DATA/model.$3.gguf" "${@:4}" <"$DATA/lists.12" >>"$work/a"
		gguf_liblh 1 "$compiled" "${@:4}" <"$DATA/lists.12" >>"$work/b"
	done
	best 2 | awk -v what="$1" -v aim="$2" '
		{ printf "%s\t%.0f ms\t%.0f ms\t%.2f%s\n", what, $1 * 1e3, $2 * 1e3, $1 / $2, aim ? " (aim " aim " ms)" : "" }'
}
python3 "$model/lists.py" "$DATA/model.F16.gguf" 12 >"$DATA/lists.12"
echo 'the model, and compiled (lh-embed --compile):'
start 'opened, first vector of 12 tokens, F16' 30 F16
size '  peak memory, by the F16 file' 2.7
start 'opened, first vector of 12 tokens, Q8_0 --fast' 30 Q8_0 --fast
size '  peak memory, by the F16 file' 0.6

# one TYPE [--fast] - wall time of lh-embed with one text, of the model and compiled.
one() {
	local i compiled=$work/$1${2:-}.lhm
	for ((i = 0; i < rounds; i++)); do
		seconds lh-embed -q --engine gguf --model "$DATA/model.$1.gguf" "${@:2}" "$work/text" >>"$work/c"
		seconds lh-embed -q --engine gguf --model "$compiled" "${@:2}" "$work/text" >>"$work/d"
	done
	echo "$(sort -g "$work/c" | sed -n 1p) $(sort -g "$work/d" | sed -n 1p)" | awk -v what="lh-embed, one text, $*" '
		{ printf "%s\t%.0f ms\t%.0f ms\t%.2f\n", what, $1 * 1e3, $2 * 1e3, $1 / $2 }'
	rm "$work/c" "$work/d"
}
echo '{"text":"certified forklift operator in Chicago"}' >"$work/text"
export XDG_CACHE_HOME=$work
one F16
one Q8_0 --fast
