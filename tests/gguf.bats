# GGUF files: the generator of test models, and the reader on wrong files.

load helper

MODEL() {
	local vocabulary=wordpiece
	[[ " $* " != *nomic-bert-moe* ]] || vocabulary=unigram
	"$(dirname "$AID")/aid_model" "$ROOT/tests/model/$vocabulary.txt" "$@"
}

@test "the two generators of test models write the same bytes, of each architecture and type" {
	local architecture=bert type options
	for type in F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K; do
		options="--architecture $architecture --type $type --layers 1 --seed 7 --tokens 400"
		MODEL c.gguf $options
		python3 "$ROOT/tests/model/make.py" $options -o python.gguf
		cmp c.gguf python.gguf
	done
	for architecture in nomic-bert nomic-bert-moe; do
		for options in "" "--split --pooling cls --rows 500 --experts 3 --context 77"; do
			MODEL c.gguf --architecture $architecture $options
			python3 "$ROOT/tests/model/make.py" --architecture $architecture $options \
				-o python.gguf
			cmp c.gguf python.gguf
		done
	done
}
