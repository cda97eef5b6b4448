# The encoder of GGUF models against the float64 oracle: windows and texts up to the longest, and
# fast vectors, by each kernel. Each architecture and type is in encoder.bats, in small.
# Plain only: many vectors by the same code; encoder.bats takes each of its paths.
# bats file_tags=full,oracle,plain-only
load ../helper
load ../encoder

# expected MODEL LENGTH... -- OPTION... - write a model, lists of those lengths and the oracle's
# vectors of them.
expected() {
	local model=$1 lengths=()
	shift
	while [ "$1" != -- ]; do
		lengths+=("$1")
		shift
	done
	shift
	python3 "$ROOT/tests/model/make.py" "$@" -o "$model.gguf"
	python3 "$ROOT/tests/model/lists.py" "$model.gguf" "${lengths[@]}" >"$model.lists"
	python3 "$ROOT/tests/model/oracle.py" "$model.gguf" <"$model.lists" >"$model.want"
}

# within BOUND MODEL OPTION... - the vectors of each kernel are the expected ones.
within() {
	local bound=$1 model=$2 kernel
	shift 2
	for kernel in $KERNELS; do
		LH_KERNEL=$kernel encoder "$model.gguf" "$@" <"$model.lists" >"$model.got"
		python3 "$ROOT/tests/model/cosine.py" "$model.got" "$model.want" "$bound" ||
			{ echo "$model by $kernel"; return 1; }
	done
}

# bats test_tags=full
@test "windows longer and shorter than the text, up to the longest, have the vectors of the oracle" {
	local options
	for options in "modern-bert --window 600" "modern-bert --window 100" \
		"gemma-embedding --window 257 --kv-heads 1" "qwen3 --kv-heads 1 --pooling last" \
		"llama-embed --causal 0 --parts factors" "jina-bert-v2 --parts up"; do
		expected m 1 200 512 -- --width 16 --heads 2 --layers 2 --architecture $options
		within 1e-6 m
	done
}

# bats test_tags=full
@test "texts as long as the context have the vectors of the oracle to 1e-6" {
	local model pid pids=()
	expected bert 512 -- --architecture bert --width 32 --heads 2 --layers 1 &
	pids+=($!)
	expected moe 512 -- --architecture nomic-bert-moe --width 32 --heads 2 &
	pids+=($!)
	expected nomic 512 2048 -- --width 16 --heads 1 --layers 1 --feed-forward 32 &
	pids+=($!)
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for model in bert moe nomic; do
		within 1e-6 $model
	done
}

# fast_near MODEL WANT - by each kernel that rounds.
fast_near() {
	local kernel
	for kernel in vnni amx; do
		LH_KERNEL=$kernel encoder "$1" --fast <lists >got
		python3 "$ROOT/tests/model/cosine.py" got "$2" 1e-4 || { echo "$1 by $kernel"; return 1; }
	done
}

# bats test_tags=full
@test "fast vectors of Q8_0 are within 1e-4 of the oracle, of each architecture" {
	local architecture
	for architecture in bert nomic-bert nomic-bert-moe; do
		expected $architecture 1 2 17 128 -- --type Q8_0 --architecture $architecture \
			--experts 3
		cp $architecture.lists lists
		fast_near $architecture.gguf $architecture.want
	done
}

# bats test_tags=full
@test "fast vectors of 12 layers are within 1e-4 of those in floats, short texts too" {
	local architecture
	for architecture in bert nomic-bert qwen3 modern-bert jina-bert-v2; do
		python3 "$ROOT/tests/model/make.py" --architecture $architecture --type Q8_0 \
			--layers 12 --width 128 --heads 4 --feed-forward 384 -o $architecture.gguf
		python3 "$ROOT/tests/model/lists.py" $architecture.gguf 2 3 8 40 >lists
		"$UNIT/aid_encoder" $architecture.gguf <lists >floats
		fast_near $architecture.gguf floats
	done
}
