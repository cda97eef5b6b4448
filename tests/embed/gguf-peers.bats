# The encoder of GGUF models and llama.cpp, on the same files.
# Plain only: many vectors by the same code; encoder.bats takes each of its paths.
# bats file_tags=full,plain-only,long
load ../helper
source "$ROOT/tests/model/peers.bash"

UNIT=$(dirname "$AID")

# The packages are installed once, and every test is skipped with the reason if they cannot be.
setup_file() {
	local reason
	reason=$(peers) || export NO_PEERS="$reason"
}

setup() {
	[ -z "${NO_PEERS:-}" ] || skip "$NO_PEERS"
	cd "$BATS_TEST_TMPDIR"
	peers
}

# MODEL FILE OPTION... - write a model.
MODEL() {
	python3 "$ROOT/tests/model/make.py" -o "$@"
}

# alike_vectors BOUND MODEL... - llama.cpp's vectors of lists and ours have 1 - cos <= BOUND.
alike_vectors() {
	local bound=$1 model
	shift
	node "$ROOT/tests/model/peers/embed.mjs" "$@" <lists >peer
	for model; do
		"$UNIT/aid_encoder" "$model" <lists
	done >ours
	python3 "$ROOT/tests/model/cosine.py" ours peer "$bound"
}

# of_types ARCHITECTURE BOUND TYPE... - models of each of these types.
of_types() {
	local architecture=$1 bound=$2 type models=()
	shift 2
	for type; do
		MODEL $type.gguf --architecture $architecture --type $type
		models+=($type.gguf)
	done
	python3 "$ROOT/tests/model/lists.py" $1.gguf 2 3 17 40 200 >lists
	alike_vectors $bound "${models[@]}"
}

# bats test_tags=full
@test "vectors of F32 and F16 are those of llama.cpp to 1e-6, of each architecture" {
	local architecture
	for architecture in bert nomic-bert nomic-bert-moe; do
		of_types $architecture 1e-6 F32 F16
	done
}

# bats test_tags=full
@test "vectors of BF16 are those of llama.cpp to 1e-5, of each architecture" {
	local architecture
	for architecture in bert nomic-bert nomic-bert-moe; do
		of_types $architecture 1e-5 BF16
	done
}

# bats test_tags=full
@test "vectors of Q8_0 and Q6_K are those of llama.cpp to 2e-4, of each architecture" {
	local architecture
	for architecture in bert nomic-bert nomic-bert-moe; do
		of_types $architecture 2e-4 Q8_0 Q6_K
	done
}

# bats test_tags=full
@test "vectors of the types of 4 and 5 bits are those of llama.cpp to 1e-2, of each architecture" {
	local architecture
	for architecture in bert nomic-bert nomic-bert-moe; do
		of_types $architecture 1e-2 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K Q5_K
	done
}

# bats test_tags=full
@test "vectors of texts as long as the context are those of llama.cpp to 1e-6" {
	MODEL bert.gguf --architecture bert
	MODEL moe.gguf --architecture nomic-bert-moe --layers 4
	python3 "$ROOT/tests/model/lists.py" bert.gguf 512 >lists
	alike_vectors 1e-6 bert.gguf
	python3 "$ROOT/tests/model/lists.py" moe.gguf 512 >lists
	alike_vectors 1e-6 moe.gguf
	MODEL nomic.gguf --layers 1
	python3 "$ROOT/tests/model/lists.py" nomic.gguf 2048 >lists
	alike_vectors 1e-6 nomic.gguf
}

# bats test_tags=full
@test "vectors of every pooling, of split projections and of few experts are those of llama.cpp" {
	MODEL cls.gguf --architecture bert --pooling cls --heads 2
	MODEL last.gguf --pooling last --seed 5
	MODEL split.gguf --split --feed-forward 96
	python3 "$ROOT/tests/model/lists.py" cls.gguf 2 9 130 >lists
	alike_vectors 1e-6 cls.gguf last.gguf split.gguf
	MODEL few.gguf --architecture nomic-bert-moe --experts 3 --layers 5
	MODEL many.gguf --architecture nomic-bert-moe --experts 32
	python3 "$ROOT/tests/model/lists.py" few.gguf 2 9 130 >lists
	alike_vectors 1e-6 few.gguf many.gguf
}

# llama.cpp of this version ends with an assertion at norms of q and k of jina-bert-v2 with one
# attn_qkv, and where no layer is without the window.
# bats test_tags=full
@test "vectors of each other architecture, with each of its parts, are those of llama.cpp to 1e-5" {
	local options i=0 models=()
	while read -r options; do
		MODEL $i.gguf --architecture $options
		models+=($((i++)).gguf)
	done <<-'END'
		qwen3 --kv-heads 2 --pooling last
		qwen3 --kv-heads 2 --head 32 --pooling last --causal 0
		qwen3 --heads 2 --type F16
		llama-embed --kv-heads 2 --pooling last
		llama-embed --kv-heads 1 --parts factors --causal 0
		gemma-embedding --kv-heads 1 --layers 7 --window 16
		gemma-embedding --heads 2 --window 9 --period 2 --dense 80 --local-base 500
		gemma-embedding --window 1000 --period 2
		modern-bert --layers 4 --window 16
		modern-bert --layers 4 --window 1000 --type F16
		modern-bert --layers 3 --window 0
		modern-bert --layers 4 --parts silu,first-norm --local-base 300 --pooling cls
		jina-bert-v2
		jina-bert-v2 --parts gate --split
		jina-bert-v2 --width 96 --heads 6 --split --parts up,qk-norm,second-norm
		jina-bert-v3
		jina-bert-v3 --parts no-types --heads 2 --split
	END
	[ "$i" = 17 ]
	python3 "$ROOT/tests/model/lists.py" 0.gguf 2 3 17 40 200 512 >lists
	alike_vectors 1e-5 "${models[@]}"
}

# bats test_tags=full
@test "lh-embed makes of a text the vector that llama.cpp makes of it" {
	local architecture
	lh-gen workers -n 40 --seed 4 | jq -c .text >texts
	printf '%s\n' '"Caf\u00e9 na\u00efve, \u00c5ngstr\u00f6m!"' '"\u4e2d\u6587 text \ud83d\ude00"' >>texts
	for architecture in bert nomic-bert nomic-bert-moe; do
		MODEL m.gguf --architecture $architecture --type F16
		node "$ROOT/tests/model/peers/embed.mjs" m.gguf <texts >peer
		jq -c '{text: .}' texts | lh-embed -q --engine gguf --model ./m.gguf | jq -c .vector >ours
		[ "$(wc -l <ours)" = 42 ]
		python3 "$ROOT/tests/model/cosine.py" ours peer 1e-6
	done
}

# bats test_tags=full
@test "vectors of a model of 12 layers and width 768 are those of llama.cpp within the same bounds" {
	local type
	for type in F16 Q8_0; do
		MODEL $type.gguf --type $type --layers 12 --width 128 --heads 4 \
			--feed-forward 3072 --tokens 30528
	done
	python3 "$ROOT/tests/model/lists.py" F16.gguf 2 17 128 >lists
	alike_vectors 1e-6 F16.gguf
	alike_vectors 2e-4 Q8_0.gguf
}
