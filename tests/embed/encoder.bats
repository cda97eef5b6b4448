# The encoder of GGUF models: vectors against the float64 oracle, and models that it refuses.
load ../helper
load ../embedding
load ../encoder

# LISTS LENGTH... - lists of tokens.
LISTS() {
	python3 - "$@" <<-'END'
	import json, random, sys
	random.seed(3)
	for n in sys.argv[1:]:
	    print(json.dumps([random.randrange(300) for _ in range(int(n))]))
	END
}

# MODEL FILE OPTION... - write a model.
MODEL() {
	python3 "$ROOT/tests/model/make.py" -o "$@"
}

# near A B BOUND - the vectors of two files are in pairs of 1 - cos <= BOUND.
near() {
	python3 - "$@" <<-'END'
	import json, math, sys
	from operator import mul
	a, b = ([json.loads(line) for line in open(f)] for f in sys.argv[1:3])
	assert len(a) == len(b) > 0
	for x, y in zip(a, b):
	    one = [sum(map(mul, x, y)), sum(map(mul, x, x)), sum(map(mul, y, y))]
	    assert 1 - one[0] / math.sqrt(one[1] * one[2]) <= float(sys.argv[3]), one
	END
}

# like_oracle OPTION... - every kernel computes what the oracle does, within the bound.
like_oracle() {
	local kernel
	MODEL m.gguf "$@"
	python3 "$ROOT/tests/model/oracle.py" m.gguf <lists >want
	: >every
	: >wanted
	for kernel in $KERNELS; do
		LH_KERNEL=$kernel encoder m.gguf <lists >got
		cat got >>every
		cat want >>wanted
	done
	near every wanted 1e-6
}

@test "the kernel that LH_KERNEL names is used" {
	local kernel
	for kernel in $KERNELS; do
		[ "$(LH_KERNEL=$kernel encoder --kernel)" = $kernel ]
	done
}

@test "the kernel amx is used where the CPU has AMX" {
	grep -qw amx_bf16 /proc/cpuinfo || skip "this CPU has no AMX"
	[ "$("$UNIT/aid_encoder" --kernel)" = amx ]
}

@test "vectors of each architecture, by each kernel, are those of the float64 oracle" {
	local architecture
	LISTS 2 15 >lists
	for architecture in bert nomic-bert nomic-bert-moe qwen3 llama-embed gemma-embedding modern-bert jina-bert-v{2,3}; do
		like_oracle --architecture $architecture --layers 1 --width 32
	done
}

# bats test_tags=full
@test "vectors of bert and nomic-bert of any width are those of the float64 oracle" {
	local options
	LISTS 1 2 15 27 >lists
	for options in "bert" "nomic-bert" "nomic-bert-moe --layers 4" "nomic-bert --split" \
		"bert --width 36 --heads 3 --feed-forward 77" \
		"nomic-bert --width 60 --heads 5 --feed-forward 45" \
		"nomic-bert-moe --width 56 --experts 5 --feed-forward 33"; do
		like_oracle --architecture $options
	done
}

# bats test_tags=full
@test "vectors of qwen3 and llama-embed, causal or not, are those of the float64 oracle" {
	local options
	LISTS 1 2 15 27 >lists
	for options in "qwen3 --pooling last" "llama-embed" \
		"qwen3 --kv-heads 2 --head 16 --causal 0 --layers 1" \
		"qwen3 --width 36 --heads 6 --kv-heads 1 --feed-forward 45 --rotated 4" \
		"llama-embed --heads 2 --parts factors --causal 0" \
		"llama-embed --kv-heads 2 --causal 1 --layers 1"; do
		like_oracle --width 32 --architecture $options
	done
}

# bats test_tags=full
@test "vectors of gemma-embedding and modern-bert, with any window, are those of the float64 oracle" {
	local options
	LISTS 1 2 15 27 >lists
	for options in "gemma-embedding --layers 7 --kv-heads 1" "modern-bert --layers 4" \
		"gemma-embedding --window 40 --period 1 --heads 3 --head 10" \
		"gemma-embedding --window 1 --period 2 --dense 50 --local-base 300" \
		"modern-bert --window 0 --width 40 --feed-forward 45" \
		"modern-bert --window 7 --period 2 --parts silu,first-norm --split" \
		"modern-bert --window 40 --local-base 300 --pooling cls"; do
		like_oracle --width 32 --architecture $options
	done
}

# bats test_tags=full
@test "vectors of jina-bert-v2 and jina-bert-v3, with each part, are those of the float64 oracle" {
	local options
	LISTS 1 2 15 27 >lists
	for options in "jina-bert-v2" "jina-bert-v2 --parts gate" "jina-bert-v3" \
		"jina-bert-v2 --parts up,qk-norm,second-norm --split --layers 1" \
		"jina-bert-v2 --width 36 --heads 6 --feed-forward 45 --parts up" \
		"jina-bert-v3 --parts no-types --heads 2 --split --layers 1"; do
		like_oracle --width 32 --architecture $options
	done
}

# bats test_tags=full
@test "windows and causal attention hold across blocks of rows" {
	LISTS 260 129 >lists
	like_oracle --layers 2 --width 16 --heads 1 --architecture modern-bert --window 90
	like_oracle --layers 1 --width 16 --heads 1 --architecture gemma-embedding --window 300
	like_oracle --layers 1 --width 16 --heads 2 --kv-heads 1 --architecture qwen3
}

@test "the layers with a window may be a boolean each" {
	LISTS 15 27 >lists
	forge 'keys["modern-bert.attention.sliding_window_pattern"] = [9, (7, [1, 0, 1])]
write(keys, tensors)' --architecture modern-bert --layers 3 --width 32
	python3 "$ROOT/tests/model/oracle.py" m.gguf <lists >want
	encoder m.gguf <lists >got
	near got want 1e-6
	forge 'keys["modern-bert.attention.sliding_window_pattern"] = [9, (7, [1, 0])]
write(keys, tensors)' --architecture modern-bert --layers 3
	is_refused m.gguf "attention.sliding_window_pattern is not of all layers"
}

@test "without pooling each token has a vector, that of the float64 oracle" {
	LISTS 5 130 1 9 >lists
	like_oracle --pooling none --layers 1
	like_oracle --pooling none --layers 1 --width 32 --architecture gemma-embedding --dense 40
	[ "$(wc -l <got)" = 145 ]
	encoder m.gguf --each 1 <lists >alone
	encoder m.gguf <lists | cmp - alone
}

# bats test_tags=full
@test "vectors of each type of weights are those of the float64 oracle" {
	local type
	LISTS 1 13 >lists
	for type in F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K; do
		like_oracle --type $type --layers 1
	done
}

# bats test_tags=full
@test "vectors pooled by mean, first and last token are those of the float64 oracle" {
	local pooling
	LISTS 1 5 9 >lists
	for pooling in mean cls last; do
		like_oracle --pooling $pooling --layers 1
	done
	MODEL m.gguf
	python3 "$ROOT/tests/model/oracle.py" --raw m.gguf <lists >want
	encoder m.gguf --raw <lists >got
	near got want 1e-6
	python3 -c 'import json
for a, b in zip(open("got"), open("want")):
	assert all(abs(x - y) <= 1e-4 for x, y in zip(json.loads(a), json.loads(b)))'
}

# bats test_tags=full
@test "vectors of texts longer than a block of rows are those of the float64 oracle" {
	LISTS 260 129 >lists
	like_oracle --layers 1 --width 32 --heads 2
}

@test "vectors are the same bytes however lists are divided into calls" {
	local kernel architecture
	LISTS 1 2 14 15 50 7 33 61 90 3 >lists
	tac lists >reversed
	for architecture in nomic-bert nomic-bert-moe jina-bert-v2 modern-bert qwen3; do
		MODEL m.gguf --architecture $architecture
		for kernel in $KERNELS; do
			export LH_KERNEL=$kernel
			encoder m.gguf <lists >all
			encoder m.gguf --each 1 <lists | cmp - all
			encoder m.gguf --each 3 <lists | cmp - all
			encoder m.gguf <reversed | tac | cmp - all
		done
	done
}

# bats test_tags=full
@test "fast vectors are near the oracle's, and the same bytes in any calls" {
	local architecture type kernel
	LISTS 1 2 14 30 >lists
	for architecture in bert nomic-bert nomic-bert-moe; do
		for type in Q8_0 F16; do
			MODEL m.gguf --architecture $architecture --type $type --width 128
			python3 "$ROOT/tests/model/oracle.py" m.gguf <lists >want
			for kernel in vnni amx; do
				LH_KERNEL=$kernel encoder m.gguf --fast <lists >got
				near got want 1e-4
				LH_KERNEL=$kernel encoder m.gguf --fast --each 1 <lists | cmp - got
			done
		done
	done
}

@test "fast changes nothing with a kernel that has no 8 or 16 bits, and vnni only Q8_0" {
	local kernel
	LISTS 3 9 >lists
	MODEL m.gguf --type F16
	LH_KERNEL=vnni encoder m.gguf <lists >want
	LH_KERNEL=vnni encoder m.gguf --fast <lists | cmp - want
	MODEL m.gguf --type Q8_0
	for kernel in portable avx2 avx512; do
		LH_KERNEL=$kernel encoder m.gguf <lists >want
		LH_KERNEL=$kernel encoder m.gguf --fast <lists | cmp - want
	done
}

# is_refused FILE LINE - the model is refused with that line (a pattern).
is_refused() {
	run -2 --separate-stderr encoder "$1" <<<"[1]"
	[[ $stderr == "aid_encoder: $1: "$2 ]] || { echo "$stderr"; return 1; }
	[ -z "$output" ]
}

# refused LINE CHANGE OPTION... - the changed model is refused with that line.
refused() {
	local line=$1 change=$2
	shift 2
	forge "$change; write(keys, tensors)" "$@"
	is_refused m.gguf "$line"
}

@test "a model whose keys are wrong or whose graph is another one is refused with the reason" {
	local a=nomic-bert
	refused 'architecture "llama" is not bert, nomic-bert, *, qwen3 or llama-embed' \
		'keys["general.architecture"][1] = "llama"'
	refused "key \"$a.pooling_type\" is 4, not from 0 to 3" "keys['$a.pooling_type'][1] = 4"
	refused "attention is causal: this is not a model for embeddings" \
		"keys['$a.attention.causal'][1] = 1"
	refused "the number of heads does not divide the width" \
		"keys['$a.attention.head_count'][1] = 5"
	refused "the width of a head is odd: rotary embeddings need pairs" "0" --width 60 --heads 4
	refused "attention.layer_norm_epsilon is negative" \
		"keys['$a.attention.layer_norm_epsilon'][1] = -1e-9"
	refused "key \"$a.attention.layer_norm_epsilon\" is not finite" \
		"keys['$a.attention.layer_norm_epsilon'][1] = float('nan')"
	refused "rope.freq_base is not positive" "keys['$a.rope.freq_base'][1] = 0"
	a=nomic-bert-moe
	refused "key \"$a.expert_used_count\" is 9, not from 1 to 8" \
		"keys['$a.expert_used_count'][1] = 9" --architecture $a
}

# bats test_tags=full
@test "keys of the other architectures that contradict each other are refused with the reason" {
	local a=qwen3
	refused "attention.head_count_kv does not divide the number of heads" \
		"keys['$a.attention.head_count_kv'] = [4, 3]" --architecture $a
	refused "key \"$a.attention.head_count_kv\" is 5, not from 1 to 4" \
		"keys['$a.attention.head_count_kv'] = [4, 5]" --architecture $a
	refused "attention.value_length is not that of keys" \
		"keys['$a.attention.value_length'][1] = 8" --architecture $a --head 32
	refused "its heads are too wide together" \
		"keys['$a.attention.key_length'] = keys['$a.attention.value_length'] = [4, 1 << 20]" \
		--architecture $a
	refused "the width of a head is odd: rotary embeddings need pairs" "0" --architecture $a \
		--rotated 7
	refused "key \"$a.rope.dimension_count\" is 17, not from 1 to 16" "0" --architecture $a \
		--rotated 17
	refused "rope.scaling.factor is not 1: scaled positions are not supported" \
		"keys['$a.rope.scaling.factor'] = [6, 4]" --architecture $a
	refused "no key \"$a.attention.layer_norm_rms_epsilon\"" \
		"del keys['$a.attention.layer_norm_rms_epsilon']" --architecture $a
	a=gemma-embedding
	refused "no key \"$a.attention.sliding_window\"" "0" --architecture $a --window 0
	refused "key \"$a.attention.sliding_window\" is 0, not from 1 to 1048576" \
		"keys['$a.attention.sliding_window'][1] = 0" --architecture $a
	refused "rope.freq_base_swa is not positive" "0" --architecture $a --local-base -1
	a=modern-bert
	refused "attention is causal: this is not a model for embeddings" "0" --architecture $a \
		--causal 1
	refused 'hidden_activation "relu" is not gelu or silu' \
		"keys['$a.hidden_activation'] = [8, 'relu']" --architecture $a
}

@test "a layer that has or lacks what the first one does not is refused" {
	refused 'tensor "blk.1.attn_q_norm.weight" is missing' \
		"del tensors['blk.1.attn_q_norm.weight']" --architecture jina-bert-v2 --parts qk-norm
	refused 'tensor "blk.1.attn_norm_2.weight" is one that the first layer does not have' \
		"del tensors['blk.0.attn_norm_2.weight']" --architecture jina-bert-v2 --parts second-norm
	refused 'tensor "blk.1.ffn_gate.weight" is one that the first layer does not have' \
		"del tensors['blk.0.ffn_gate.weight']" --architecture jina-bert-v2 --parts gate
	refused 'tensor "dense_3.weight" is 80 x 64 x 1 x 1, not 64 x 64 x 1' \
		"del tensors['dense_2.weight']" --architecture gemma-embedding --dense 80
}

# bats test_tags=full
@test "a model without one of its keys or tensors is refused with its name" {
	local name a
	forge 'for k in keys:
    if k.startswith("bert.") and not k.endswith("causal"):
        write({n: v for n, v in keys.items() if n != k}, tensors, k)' --architecture bert
	for name in block_count context_length embedding_length feed_forward_length \
		attention.head_count attention.layer_norm_epsilon pooling_type; do
		is_refused bert.$name.gguf "no key \"bert.$name\""
	done
	for a in bert nomic-bert nomic-bert-moe modern-bert gemma-embedding qwen3; do
		forge 'for t in tensors:
    if t.endswith("weight") or "norm" in t:
        write(keys, {n: v for n, v in tensors.items() if n != t}, t)' --layers 2 --architecture $a
		for name in *.weight.gguf *norm.bias.gguf; do
			[[ $name == *qkv* || ! -e $name ]] ||
				is_refused "$name" "tensor \"${name%.gguf}\" is missing"
		done
		rm -- *.gguf
	done
}

# bats test_tags=full
@test "a model with a tensor of another shape, or a weight that is not finite, is refused" {
	local name a
	for a in bert nomic-bert nomic-bert-moe jina-bert-v2 modern-bert gemma-embedding qwen3 \
		llama-embed; do
		forge 'inf = struct.pack("<f", float("inf"))
for name, (dims, kind, data) in tensors.items():
    write(keys, tensors | {name: [dims, kind, data[:-4] + inf]}, name)
    write(keys, tensors | {name: [(*dims, 2), kind, 2 * data]}, "shape." + name)' --architecture $a
		for name in blk.* token*.gguf; do
			is_refused "$name" \
				"tensor \"${name%.gguf}\" has a value that is not finite"
			is_refused "shape.$name" "tensor \"${name%.gguf}\" is *, not *"
		done
		rm -- *.gguf
	done
	refused 'tensor "token_embd.weight" is 64 x 300 x 1 x 1, not 64 x 341 x 1' \
		't = tensors["token_embd.weight"]; t[0] = (64, 300); t[2] = t[2][:64 * 300 * 4]'
}

@test "a model with 1,024 layers or 2^20 experts in its keys and nothing else is refused in little memory" {
	forge 'keys["nomic-bert-moe.block_count"][1] = 1024
keys["nomic-bert-moe.expert_count"][1] = 1 << 20
write(keys, tensors)' --architecture nomic-bert-moe
	[ -n "${LH_ASAN:-}" ] || ulimit -v 200000
	is_refused m.gguf 'tensor "blk.1.ffn_gate_inp.weight" is 64 x 8 x 1 x 1, not 64 x 1048576 x 1'
}
