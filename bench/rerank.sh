# lh-rerank's cross-encoder and llama.cpp: 100 pairs of 128 tokens by a model of 6 layers and width
# 384, generated weights of F16; one thread, processor time, the fastest of ROUNDS (default 3) in
# which both take turns.  The model has one type of tokens, since llama.cpp reads no other.
source "$ROOT/bench/lib.bash"
source "$ROOT/tests/model/peers.bash"
rounds=${ROUNDS:-3}
peers || exit 1
model=$ROOT/tests/model work=$(mktemp -d) file=$DATA/rerank.gguf
trap 'rm -r "$work"' EXIT
[ -s "$file" ] || "$ROOT/build/bench/model" "$model/wordpiece.txt" "$file" --type F16 \
	--architecture bert --layers 6 --width 384 --heads 12 --feed-forward 1536 --tokens 30528 \
	--labels 1 --types 1 --pooling rank

# Each token of these texts is a word: 25 of the query, 100 of a text and three special ones.
words=(need three welders in gary with a forklift license who can start at six on monday morning)
text() {
	local i out=
	for ((i = 0; i < $1; i++)); do
		out+="${words[(i * $2 + i / 7) % ${#words[@]}]:0:1} "
	done
	echo "$out"
}
for ((n = 1; n <= 100; n++)); do text 100 "$n"; done |
	jq -Rnc --arg q "$(text 25 3)" '{query_text: $q, results: [inputs | {text: .}]}' >"$work/in"
{ jq -c .query_text "$work/in"; jq -c '.results[].text' "$work/in"; } |
	python3 "$model/tokens.py" run "$file" |
	jq -nc '[inputs[1:-1]] | .[0] as $query | .[1:][] | [$query, .]' |
	python3 "$model/oracle.py" "$file" --rank --lists >"$work/lists"
tokens=$(jq length "$work/lists" | sort -n | uniq -c | xargs)
[ "$tokens" = "100 128" ] || { echo "bench/rerank: $tokens tokens" >&2; exit 1; }

# cpu FILE COMMAND... - append the processor time of a command in seconds to a file.
cpu() {
	/usr/bin/time -a -o "$1" -f '%U %S' "${@:2}" >/dev/null
}
# best FILE - the least sum of a line.
best() {
	awk '{ t = $1 + $2; if (!n++ || t < least) least = t } END { print least }' "$1"
}
jq -c '.results = []' "$work/in" >"$work/none"
lh-embed --engine gguf --compile "$file" -o "$work/rerank.lhm"
for ((i = 0; i < rounds; i++)); do
	cpu "$work/all" lh-rerank -j1 --model "$file" "$work/in"
	cpu "$work/start" lh-rerank -j1 --model "$file" "$work/none"
	cpu "$work/compiled" lh-rerank -j1 --model "$work/rerank.lhm" "$work/none"
	cpu "$work/fast" lh-rerank -j1 --fast --model "$file" "$work/in"
	node "$model/peers/rank.mjs" --time 3 "$file" <"$work/lists" >>"$work/peer"
done
# row WHAT FILE AIM - its time, without that of opening the model, by llama.cpp's.
row() {
	awk -v what="$1" -v all="$(best "$2")" -v start="$(best "$work/start")" -v aim="$3" \
		-v peer="$(sort -g "$work/peer" | sed -n 1p)" 'BEGIN {
		ours = all - start
		printf "%s\t%.2f s\t%.2f s\t%.2f%s\n", what, ours, peer, peer / ours, aim }'
}
row '100 pairs of 128 tokens, 6 x 384' "$work/all" ' (aim: AVX-512 2.5 s)'
row '  --fast' "$work/fast" ' (aim: AMX 1 s)'
printf '  opening the model, and compiled\t%.2f s\t%.2f s\t\n' "$(best "$work/start")" \
	"$(best "$work/compiled")"
