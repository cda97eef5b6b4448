# Cross-encoders by lh-rerank and by llama.cpp, on the same files.
# Plain only: lh-rerank.bats takes each path.
# bats file_tags=full,plain-only,long
load ../helper
source "$ROOT/tests/model/peers.bash"

# llama.cpp gives both texts type 0.  It looks GELU up in a table of halves: on these models its
# vectors are as far from float64 as that.
# bats test_tags=full
@test "scores of models with one type of tokens are those of llama.cpp to 1e-3" {
	local reason options
	reason=$(peers) || skip "$reason"
	peers
	lh-gen workers -n 8 | jq -c '{n: (.id[2:] | tonumber), text: .text[:150]}' |
		jq -nc '{query_text: "need 3 welders in gary", results: [inputs]}' >in
	for options in '--architecture bert' '--architecture bert --tokenizer t5' \
		'--architecture bert --tokenizer gpt2 --pre roberta-bpe' \
		'--architecture modern-bert --tokenizer gpt2' '--architecture modern-bert --parts cls-norm'; do
		python3 "$ROOT/tests/model/make.py" --types 1 --pooling rank --labels 1 $options -o m.gguf
		{ jq -c .query_text in; jq -c '.results[].text' in; } |
			python3 "$ROOT/tests/model/tokens.py" run m.gguf |
			jq -nc '[inputs[1:-1]] | .[0] as $query | .[1:][] | [$query, .]' |
			python3 "$ROOT/tests/model/oracle.py" m.gguf --rank --lists >lists
		node "$ROOT/tests/model/peers/rank.mjs" m.gguf <lists >peer
		lh-rerank --model ./m.gguf in | jq '.results | sort_by(.n)[].rerank_score' >ours
		[ "$(wc -l <ours)" = 8 ] && [ "$(wc -l <peer)" = 8 ]
		paste ours peer | awk '{ d = $1 - $2; if (d > 1e-3 || -d > 1e-3) { print; exit 1 } }'
	done
}
