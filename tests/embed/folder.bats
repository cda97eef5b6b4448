# Models in the form of Hugging Face: a folder in place of a GGUF file.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	python3 "$BATS_TEST_DIRNAME/../model/make.py" --architecture bert --split -o m.gguf
	python3 "$BATS_TEST_DIRNAME/../model/folder.py" m.gguf m
}

# vectors MODEL [OPTION]...
vectors() {
	lh-embed --engine gguf --model "$@" --encoding base64 texts | jq -r .vector
}

@test "a folder has the vectors of the file that it would become, with GELU by erf" {
	printf '{"text":"%s"}\n' 'driver of a lorry' 'welder, night shift' 'a' > texts
	vectors ./m > of-folder
	vectors m.gguf > of-file
	[ "$(wc -l < of-folder)" -eq 3 ]
	vectors ./m/ | cmp - of-folder
	lh-embed --engine gguf --model m.gguf --tokens texts | jq -c .tokens > lists
	python3 "$BATS_TEST_DIRNAME/../model/oracle.py" m.gguf --gelu erf < lists > expected
	lh-embed --engine gguf --model ./m texts | jq -c .vector > vectors
	python3 "$BATS_TEST_DIRNAME/../model/cosine.py" vectors expected 1e-10
	python3 "$BATS_TEST_DIRNAME/../model/cosine.py" vectors \
		<(lh-embed --engine gguf --model m.gguf texts | jq -c .vector) 1e-6
}

@test "a folder is compiled, and read again once one of its files is another" {
	printf '{"text":"welder"}\n' > texts
	vectors ./m > before
	lh-embed --engine gguf --compile ./m
	[ -s m.lhm ]
	vectors ./m | cmp - before
	printf '{"pooling_mode_cls_token": true}' > m/1_Pooling/config.json
	run --separate-stderr vectors ./m
	[ "$status" -eq 0 ]
	[ "$output" != "$(cat before)" ]
	[[ $stderr == *"the model has changed since"* ]]
}

@test "max_seq_length bounds texts, and --context goes up to the positions" {
	echo '{"max_seq_length": 8}' > m/sentence_bert_config.json
	echo '{"text":"one two three four five six seven eight nine"}' > texts
	run -1 lh-embed --engine gguf --model ./m texts
	[[ $output == *"the model takes 8 "* ]]
	lh-embed --engine gguf --model ./m --context 512 texts
	run -2 lh-embed --engine gguf --model ./m --context 513 texts
	[[ $output == *"has 512 positions"* ]]
}

@test "a cased folder keeps case and accents, and special tokens in a text are tokens" {
	echo '{"do_lower_case": false}' > m/tokenizer_config.json
	printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' Rene rene '##e' '$' > m/vocab.txt
	echo '{"text":"Rene renee [SEP] RENE $"}' > texts
	lh-embed --engine gguf --model ./m --tokens texts > out
	[ "$(jq -c .tokens out)" = '[2,4,5,6,3,1,7,3]' ]
	echo '{"do_lower_case": true}' > m/tokenizer_config.json
	lh-embed --engine gguf --model ./m --tokens texts > out
	[ "$(jq -c .tokens out)" = '[2,5,5,6,3,5,7,3]' ]
}

@test "a folder that is not read here is one line that says why, with status 2" {
	refused() {
		run -2 --separate-stderr lh-embed --engine gguf --model ./m --info
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == *"$1"* ]]
	}
	sed -i 's/BertModel/FalconModel/' m/config.json
	refused 'architecture "FalconModel"'
	sed -i 's/FalconModel/BertModel/; s/"gelu"/"relu"/' m/config.json
	refused '"hidden_act" is "relu"'
	sed -i 's/"relu"/"gelu"/' m/config.json
	echo '[{"type": "sentence_transformers.models.Dense"}]' > m/modules.json
	refused 'models.Dense'
	rm m/modules.json
	echo '{"pooling_mode_max_tokens": true}' > m/1_Pooling/config.json
	refused 'pooling_mode_max_tokens'
	rm -r m/1_Pooling
	mv m/model.safetensors elsewhere
	refused 'without model.safetensors'
	mv m/vocab.txt elsewhere-too
	refused 'without tokenizer.json and vocab.txt'
}

@test "a hostile header of safetensors is one line, with status 2" {
	header() {
		python3 - "$1" <<-'END'
			import struct, sys
			text = sys.argv[1].encode()
			open('m/model.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text + bytes(64))
		END
		run -2 --separate-stderr lh-embed --engine gguf --model ./m --info
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == *"$2"* ]]
	}
	tensor() {
		printf '{"dtype":"%s","shape":%s,"data_offsets":%s}' "$@"
	}
	header '{' 'its header'
	header '[]' 'not an object'
	header "{\"a\":$(tensor F32 '[16]' '[0,65]')}" 'other data_offsets than its shape'
	header "{\"a\":$(tensor F32 '[32]' '[0,128]')}" 'ends after the file'
	header "{\"a\":$(tensor F32 '[8]' '[0,32]'),\"b\":$(tensor F32 '[9]' '[28,64]')}" 'overlaps'
	header "{\"a\":$(tensor F32 '[4]' '[0,16]'),\"b\":$(tensor F32 '[4]' '[48,64]')}" 'does not follow'
	header "{\"a\":$(tensor F32 '[8]' '[0,32]')}" '32 bytes follow'
	header "{\"a\":$(tensor F32 '[4294967296,4294967296]' '[0,64]')}" 'too many values'
	header "{\"a\":$(tensor F32 '[-1]' '[0,64]')}" 'a wrong shape'
	header "{\"a\":$(tensor X9 '[16]' '[0,64]')}" 'X9'
	header "{\"a\":1}" 'lacks dtype'
	header "{\"a\":$(tensor F32 '[16]' '[64,0]')}" 'in order'
	python3 -c "import struct; open('m/model.safetensors', 'wb').write(struct.pack('<Q', 2**63))"
	run -2 --separate-stderr lh-embed --engine gguf --model ./m --info
	[[ $stderr == *"a header of 9223372036854775808 bytes"* ]]
	python3 - <<-'END'
		import json, struct
		text = json.dumps({'t%d' % i: {'dtype': 'F32', 'shape': [0], 'data_offsets': [0, 0]}
		                   for i in range(1000000)}).encode()
		open('m/model.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text)
	END
	run -2 --separate-stderr lh-embed --engine gguf --model ./m --info
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a name is looked up in LH_MODELS, then in the user's folder" {
	mkdir -p models data/lakehouse/models
	mv m data/lakehouse/models/tiny
	export LH_MODELS=$PWD/models XDG_DATA_HOME=$PWD/data
	[ "$(lh-embed --engine gguf --model tiny --info | jq -r .file)" = "$PWD/data/lakehouse/models/tiny" ]
	mv m.gguf models/tiny.gguf
	[ "$(lh-embed --engine gguf --model tiny --info | jq -r .file)" = "$PWD/models/tiny.gguf" ]
}

@test "--convert writes a GGUF file with the tokens and, but for its type, the vectors of a folder" {
	printf '{"text":"%s"}\n' 'driver of a lorry' 'welder, night shift' 'a' > texts
	echo '{"max_seq_length": 64}' > m/sentence_bert_config.json
	lh-embed --engine gguf --model ./m --tokens texts | jq -c .tokens > tokens
	lh-embed --engine gguf --model ./m texts | jq -c .vector > vectors
	for type in f32 f16 q8_0; do
		lh-embed --convert m "$type.gguf" --type "$type"
		lh-embed --engine gguf --model "$type.gguf" --tokens texts | jq -c .tokens |
			cmp - tokens
		lh-embed --engine gguf --model "$type.gguf" texts | jq -c .vector > "$type"
		[ "$(lh-embed --engine gguf --model "$type.gguf" --info | jq -c ".types | sort")" = \
			"$([ "$type" = f32 ] && echo '["F32"]' ||
				jq -nc "[\"${type^^}\",\"F32\"] | sort")" ]
		run -1 grep -c lakehouse "$type.gguf"
	done
	python3 "$BATS_TEST_DIRNAME/../model/cosine.py" vectors f32 1e-6
	python3 "$BATS_TEST_DIRNAME/../model/cosine.py" vectors f16 1e-5
	python3 "$BATS_TEST_DIRNAME/../model/cosine.py" vectors q8_0 1e-3
	lh-embed --engine gguf --model m.gguf texts | jq -c .vector > of-file
	python3 "$BATS_TEST_DIRNAME/../model/cosine.py" of-file f32 1e-13
	lh-embed --convert m f16-by-default.gguf
	cmp f16.gguf f16-by-default.gguf
}

@test "--convert leaves a file that is there as it is without --force, and nothing after an error" {
	echo mine > out.gguf
	run -2 --separate-stderr lh-embed --convert m out.gguf
	[[ $stderr == *"out.gguf: is there already"* ]]
	[ "$(cat out.gguf)" = mine ]
	lh-embed --convert m out.gguf --force
	lh-embed --engine gguf --model out.gguf --info
	run -2 --separate-stderr lh-embed --convert m.gguf new.gguf
	[[ $stderr == *"is a file already"* ]]
	sed -i 's/BertModel/FalconModel/' m/config.json
	run -2 --separate-stderr lh-embed --convert m new.gguf
	[[ $stderr == *FalconModel* ]]
	run -2 --separate-stderr lh-embed --convert m
	[[ $stderr == *"name the file to write"* ]]
	run -2 --separate-stderr lh-embed --type f16
	[[ $stderr == *"--type goes with --convert"* ]]
	[ -z "$(find . -name 'new*' -o -name '.*lh-tmp*')" ]
}
