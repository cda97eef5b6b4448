# The encoder of GGUF models and onnxruntime from npm, over the same lists of tokens and weights: a
# nomic-bert of 12 layers, width 768, as for bench/gguf.sh; one thread, processor time, the fastest
# of ROUNDS (default 3) in which both take turns.
source "$ROOT/bench/lib.bash"
source "$ROOT/tests/npm.bash"
rounds=${ROUNDS:-3} here=$ROOT/bench/onnxruntime work=$(mktemp -d)
export ORT=$ROOT/build/bench/onnxruntime
trap 'rm -r "$work"' EXIT
npm_package onnxruntime "$here" "$ORT" || exit 1
for type in F16 Q8_0; do
	[ -s "$DATA/model.$type.gguf" ] || "$ROOT/build/bench/model" "$ROOT/tests/model/wordpiece.txt" \
		"$DATA/model.$type.gguf" --type "$type" --layers 12 --width 768 --heads 12 \
		--feed-forward 3072 --tokens 30528
done
python3 "$ROOT/tests/model/lists.py" "$DATA/model.F16.gguf" 128 >"$work/lists"

# row WHAT TYPE HOW [--fast] - tokens a second of both, and 1 - cos of the vectors of the other to
# ours without --fast.
row() {
	local i file=$DATA/model.$2.gguf onnx=$DATA/model.$3.onnx
	[ -s "$onnx" ] || python3 "$here/convert.py" "$3" "$file" "$onnx"
	: >"$work/a"
	: >"$work/b"
	for ((i = 0; i < rounds; i++)); do
		gguf_liblh 3 "$file" "${@:4}" <"$work/lists" | cut -d' ' -f1 >>"$work/a"
		node "$here/embed.mjs" 3 "$onnx" <"$work/lists" >"$work/out"
		sed -n 1p "$work/out" >>"$work/b"
	done
	sed 1d "$work/out" >"$work/$3"
	[ -s "$work/floats" ] || cp "$work/$3" "$work/floats"
	echo "$(sort -gr "$work/a" | sed -n 1p) $(sort -gr "$work/b" | sed -n 1p)" | awk -v what="$1" \
		-v far="$(python3 "$ROOT/tests/model/cosine.py" "$work/$3" "$work/floats" 2)" '
		{ printf "%s\t%.0f /s\t%.0f /s\t%.2f (1 - cos to floats: %s)\n", what, $1, $2, $1 / $2, far }'
}
row 'tokens, F16; onnxruntime: floats' F16 floats
row 'tokens, Q8_0 --fast; blocks of int8' Q8_0 blocks --fast
row 'tokens, Q8_0 --fast; int8' Q8_0 int8 --fast
