# The tokens of texts, by every kind of tokenizer, compared with other implementations.
# bats file_tags=full,long
load ../helper
source "$ROOT/tests/model/peers.bash"

# The packages are installed once.
setup_file() {
	local reason
	reason=$(peers) || export NO_PEERS="$reason"
}

# against_llama - skip the test, with the reason, where there is no llama.cpp.
against_llama() {
	plain_only "compared with another implementation there"
	[ -z "${NO_PEERS:-}" ] || skip "$NO_PEERS"
	peers
}

VOCABULARIES=(wordpiece wordpiece-extra unigram unigram-extra unigram-bare bpe bpe-gpt2 bpe-llama bpe-qwen spm spm-extra)

TOKENS() {
	"$(dirname "$AID")/aid_tokens" "$@"
}

BY_HAND() {
	python3 "$ROOT/tests/model/tokens.py" "$@"
}

# without_ends VOCABULARY - the lists without the special tokens at both ends.
without_ends() {
	local part=1:-1
	case $1 in unigram-*) part=0:-1 ;; bpe) part=0: ;; esac
	jq -c ".[$part]"
}

# bats test_tags=full,plain-only
@test "texts of all kinds have the tokens that another implementation gives them" {
	local name n
	n=$(scale 1500 100000)
	for name in "${VOCABULARIES[@]}"; do
		BY_HAND vocabulary $name model.gguf
		BY_HAND texts model.gguf --count "$n" --assigned >texts
		alike <(TOKENS model.gguf <texts) <(BY_HAND run model.gguf <texts)
		[ "$(TOKENS model.gguf <texts | wc -l)" = "$n" ]
	done
}

# bats test_tags=full,plain-only
@test "every code point that Python knows is read as another implementation reads it" {
	BY_HAND vocabulary wordpiece-points model.gguf
	BY_HAND points --assigned >texts
	TOKENS model.gguf <texts >tokens
	BY_HAND run model.gguf <texts | cmp - tokens
	[ "$(wc -l <tokens)" -gt 1000 ]
}

# bats test_tags=full
@test "llama.cpp gives texts of all kinds the same tokens" {
	local name
	against_llama
	for name in "${VOCABULARIES[@]}"; do
		BY_HAND vocabulary $name model.gguf
		BY_HAND texts model.gguf --count "$(scale 3000 100000)" --seed 7 >texts
		TOKENS model.gguf <texts | without_ends $name >ours
		node "$ROOT/tests/model/peers/tokens.mjs" model.gguf <texts | cmp - ours
		[ "$(wc -l <ours)" = "$(scale 3000 100000)" ]
	done
}

# three_ways MODEL <TEXTS - write our tokens, llama.cpp's and transformers' to ours, llama, third.
three_ways() {
	tee texts | TOKENS $1.gguf | without_ends $1 >ours
	BY_HAND json $1.gguf >tokenizer.json
	node "$ROOT/tests/model/peers/tokens.mjs" $1.gguf <texts >llama
	node "$ROOT/tests/model/peers/transformers.mjs" tokenizer.json <texts >third
}

# bats test_tags=full
@test "where transformers and llama.cpp give a text the same tokens, these are ours" {
	local name n
	n=$(scale 3000 100000)
	against_llama
	for name in wordpiece unigram; do
		BY_HAND vocabulary $name $name.gguf
		three_ways $name < <(BY_HAND texts $name.gguf --count "$n" --seed 11)
		[ "$(wc -l <third)" = "$n" ]
		# the texts with other tokens, then what is to be shown
		paste ours llama third | awk -F'\t' -v name=$name '
			$2 != $3 { next }
			{ same++ }
			$1 != $2 { print "text " NR " of " name ": " $0; wrong++ }
			END {
				printf "transformers differs from llama.cpp in %d of %d texts (%s)\n", NR - same, NR, name
				exit wrong || same < NR / 5
			}' >found || { cat found; return 1; }
		echo "# $(cat found)" >&3
	done
}

# bats test_tags=full
@test "transformers, llama.cpp and lh-embed give texts of workers and queries the same tokens" {
	local name
	against_llama
	for name in wordpiece unigram; do
		BY_HAND vocabulary $name $name.gguf
		three_ways $name < <(lh-gen workers -n 2000 --seed 4 | jq -c .text
			lh-gen queries -n 500 --seed 5 | jq -c .query_text
			jq -cn '"Caf\u00e9 na\u00efve, r\u00e9sum\u00e9: \u4e2d\u6587, 24/7 (C++ & C#)"')
		[ "$(wc -l <ours)" = 2501 ]
		cmp ours llama
		cmp ours third
	done
}

# bats test_tags=full
@test "llama.cpp reads every code point in the same way" {
	against_llama
	BY_HAND vocabulary wordpiece-points model.gguf
	BY_HAND points >texts
	TOKENS model.gguf <texts | without_ends wordpiece >ours
	node "$ROOT/tests/model/peers/tokens.mjs" model.gguf <texts | cmp - ours
	[ "$(wc -l <ours)" -gt 1000 ]
}

# bats test_tags=full
@test "a generated model has a vocabulary that llama.cpp reads, of either kind" {
	local architecture
	against_llama
	for architecture in bert nomic-bert nomic-bert-moe; do
		python3 "$ROOT/tests/model/make.py" --architecture $architecture -o model.gguf
		BY_HAND texts model.gguf --count 500 >texts
		TOKENS model.gguf <texts | without_ends $architecture >ours
		node "$ROOT/tests/model/peers/tokens.mjs" model.gguf <texts | cmp - ours
	done
}

@test "a list has as many tokens as are asked for, the last special one at its end" {
	BY_HAND vocabulary wordpiece model.gguf
	BY_HAND texts model.gguf --count 300 >texts
	TOKENS model.gguf <texts >whole
	TOKENS model.gguf 9 <texts >cut
	jq -c 'if length > 9 then .[:8] + [.[-1]] else . end' whole | cmp - cut
	[ "$(jq 'select(length > 9) | length' whole | wc -l)" -gt 100 ]
	BY_HAND vocabulary bpe-llama model.gguf
	TOKENS model.gguf <texts >whole
	TOKENS model.gguf 9 <texts >cut
	jq -c 'if length > 9 then .[:8] + [.[-1]] else . end' whole | cmp - cut
	[ "$(jq '.[-1]' cut | sort -u)" = 3 ]
	BY_HAND vocabulary bpe model.gguf		# adds none at the ends
	TOKENS model.gguf <texts >whole
	TOKENS model.gguf 9 <texts >cut
	jq -c '.[:9]' whole | cmp - cut
}

# bats test_tags=full,plain-only
@test "a text of a megabyte without spaces costs BPE neither seconds nor much memory" {
	local name text
	for name in bpe bpe-gpt2 bpe-llama bpe-qwen spm spm-extra; do
		BY_HAND vocabulary $name model.gguf
		for text in a er ' ' '\n' '\n ' 1 '!' '\u0301' 中 q '\u0000'; do
			python3 -c 'import sys; t = sys.argv[1]; print("\"" + t * (1000000 // len(t.encode())) + "\"")' "$text" >text
			patiently prlimit --as=300000000 "$(dirname "$AID")/aid_tokens" model.gguf <text >tokens
			[ "$(wc -l <tokens)" = 1 ]
		done
	done
}

# bats test_tags=full,plain-only
@test "a text of 10 MB is divided, as words, one word, signs, spaces and what is dropped" {
	local name text n=10000000
	[ -z "${LH_ASAN:-}" ] || n=1000000
	for name in wordpiece-extra unigram-extra; do
		BY_HAND vocabulary $name model.gguf
		for text in 'welder and nurse ' a ' ' '\u0301' ▁ ＡＢ; do
			python3 -c 'import sys; t, n = sys.argv[1:]; print("\"" + t * (int(n) // len(t)) + "\"")' \
				"$text" "$n" >text
			patiently "$(dirname "$AID")/aid_tokens" model.gguf <text >tokens
			[ "$(wc -l <tokens)" = 1 ]
		done
	done
}
