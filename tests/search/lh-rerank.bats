# lh-rerank and lh-search --rerank by a cross-encoder: scores against the float64 oracle, the
# order of results, and models that are refused.
load ../helper
load ../embedding


# MODEL FILE [OPTION]... - write a cross-encoder of one label.
MODEL() {
	model "$1" --labels 1 --pooling rank "${@:2}"
}

# answers N [FROM..TO] - a record with the texts of N workers, cut to some bytes.
answers() {
	lh-gen workers -n "$1" | jq -c --arg cut "${2:-0:200}" \
		'{id, text: .text[($cut / ":")[0] | tonumber:($cut / ":")[1] | tonumber]}' |
		jq -nc '{query_text: "Need 3 Welders in Gary, IN", results: [inputs]}'
}

# expected MODEL FILE - the scores of the oracle for the results of the record in the file, in
# their order.
expected() {
	local model=$1
	{ jq -c .query_text "$2"; jq -c '.results[].text' "$2"; } |
		python3 "$ROOT/tests/model/tokens.py" run "$model" |
		jq -nc '[inputs[1:-1]] | .[0] as $query | .[1:][] | [$query, .]' |
		python3 "$ROOT/tests/model/oracle.py" "$model" --rank
}

# near A B - the numbers of two files are the same to 1e-5, or to that part of them.
near() {
	[ -s "$1" ] && [ "$(wc -l <"$1")" = "$(wc -l <"$2")" ]
	paste "$1" "$2" | awk '{ d = $1 - $2; a = $2 < 0 ? -$2 : $2; if (a < 1) a = 1
		if (d > 1e-5 * a || -d > 1e-5 * a) { print; bad = 1 } } END { exit bad }'
}

# as_oracle FILE OPTION... - the scores of a model are those of the oracle, of each kernel.
as_oracle() {
	local kernel in=$1
	shift
	MODEL m.gguf "$@"
	expected m.gguf "$in" >want
	for kernel in ${KERNELS:-portable avx2 avx512}; do
		LH_KERNEL=$kernel lh-rerank --model ./m.gguf <(jq -c '.results |= [to_entries[] |
			.value + {n: .key}]' "$in") | jq -c '.results | sort_by(.n)[].rerank_score' >got
		near got want || { echo "$kernel $*"; return 1; }
	done
}

# bats test_tags=full,plain-only
@test "scores of each architecture, of one label and two, are those of the float64 oracle to 1e-5" {
	local architecture labels
	answers 6 >in
	for architecture in bert nomic-bert nomic-bert-moe; do
		for labels in 1 2; do
			KERNELS=$([ $labels = 1 ] || echo avx512) as_oracle in --architecture $architecture \
				--labels $labels
		done
	done
}

# bats test_tags=full
@test "scores with one type of tokens, with two, and with the tokenizer t5 are those of the oracle" {
	answers 3 >in
	KERNELS=avx512
	as_oracle in --architecture bert --types 1 --layers 1
	cp got one
	as_oracle in --architecture bert --types 2 --layers 1
	not cmp -s one got
	as_oracle in --architecture bert --tokenizer t5 --types 2 --layers 1
	as_oracle in --architecture bert --tokenizer t5 --types 1 --layers 1
}

# bats test_tags=full
@test "scores of modern-bert, with the norm of its head and without, are those of the oracle" {
	answers 2 0:90 >in
	as_oracle in --architecture modern-bert
	KERNELS=avx512 as_oracle in --architecture modern-bert --labels 2 --tokenizer gpt2 --parts cls-norm,first-norm,silu
}

# bats test_tags=full
@test "pairs of BPE have two separators by roberta-bpe and one by others, as the oracle has them" {
	local pre small='--architecture bert --layers 1 --width 32 --heads 2 --tokenizer gpt2'
	KERNELS=avx512
	{ echo '{"results":[{"text":""},{"text":"naïve 東京 don'"'"'t 1,000"}]}'; answers 1 0:60; } |
		jq -sc '{query_text: "need 3 welders in gary", results: (map(.results) | add)}' >in
	for pre in roberta-bpe modern-bert; do
		as_oracle in $small --pre "$pre"
		cp want "of-$pre"
	done
	not cmp -s of-roberta-bpe of-modern-bert
	as_oracle in $small --pre roberta-bpe --types 1
	as_oracle in $small --pre roberta-bpe --context 4
	as_oracle in $small --pre roberta-bpe --context 11
	MODEL m.gguf $small --pre roberta-bpe --context 3
	run -2 --separate-stderr lh-rerank --model ./m.gguf in
	[[ $stderr == *'m.gguf: a context of 3 tokens is too short for a pair' ]]
}

@test "scores of weights of F16 and Q8_0 are those of the oracle to 1e-5" {
	local type
	answers 3 >in
	for type in $(printf '%s\n' F16 Q8_0 | drawn 1); do
		as_oracle in --architecture bert --type $type
	done
}

# bats test_tags=full
@test "the longer side of a pair loses tokens, the text where both are equal" {
	local context query
	KERNELS=avx512
	for query in 'a' 'need 3 welders in gary' 'need 30 welders, 20 fitters and 10 drivers in gary, il by 6:00'; do
		{ echo '{"results":[{"text":""},{"text":"a"},{"text":"need welders"}]}'; answers 2 0:60; answers 2; } |
			jq -sc --arg q "$query" '{query_text: $q, results: (map(.results) | add)}' >in
		for context in 3 4 5 16 17 40; do
			as_oracle in --architecture bert --layers 1 --width 32 --heads 2 --context $context
		done
	done
	as_oracle in --architecture bert --tokenizer t5 --layers 1 --width 32 --heads 2 --context 4
	as_oracle in --architecture bert --tokenizer t5 --layers 1 --width 32 --heads 2 --context 9
}

# bats test_tags=full
@test "a head without cls.weight, or without biases, gives the scores of the oracle" {
	local drop
	answers 3 >in
	for drop in cls.weight cls.bias cls.output.bias 'cls.weight modern-bert'; do
		forge "del tensors['${drop% *}']; write(keys, tensors)" --labels 1 --pooling rank --architecture \
			"$([[ $drop == *' '* ]] && echo modern-bert || echo bert)"
		expected m.gguf in >want
		lh-rerank --model ./m.gguf in | jq -c '.results | sort_by(.id[2:] | tonumber)[].rerank_score' >got
		near got want
	done
}

@test "results come by falling score, equal ones in their order, and keep their bytes" {
	MODEL m.gguf --architecture bert
	printf '%s' '{"id":7, "query_text":"welder","n":1.0,"results":[ {"text":"a b","x":1.50} ,' \
		'{"n":2,"text":"c d e"},{"text":"a b", "y" : [ ]},{"rerank_score":"old","text":"a b","z":3}],"k":4}' >in
	lh-rerank --model ./m.gguf in >out
	[ "$(jq -c '[.results[].rerank_score] | . == (sort | reverse)' out)" = true ]
	[ "$(jq -c '[.results[] | select(.text == "a b") | keys - ["rerank_score", "text"]]' out)" = '[["x"],["y"],["z"]]' ]
	[ "$(jq '[.results[] | select(.text == "a b").rerank_score] | unique | length' out)" = 1 ]
	grep -qF '{"id":7, "query_text":"welder","n":1.0,"k":4,"results":[' out
	grep -qF '{"text":"a b","x":1.50,"rerank_score":' out
	grep -qF '{"text":"a b", "y" : [ ],"rerank_score":' out
	grep -qF '{"text":"a b","z":3,"rerank_score":' out
	[ "$(lh-rerank --model ./m.gguf -k 2 in | jq -c .results)" = "$(jq -c '.results[:2]' out)" ]
	[ "$(lh-rerank --model ./m.gguf -k 0 in | jq -c .results)" = '[]' ]
}

@test "with --attribute an answer says whose data its results are" {
	MODEL m.gguf --architecture bert
	echo '{"query_text":"a","persons":[1],"results":[{"id":"r1","corpus":"c","text":"a","metadata":{"worker_id":"w-1","n":1}},{"id":2,"corpus":"c","text":"b"},{"text":"d"}]}' |
		lh-rerank --model ./m.gguf --attribute | jq -c '.results |= length' |
		alike - <(echo '{"query_text":"a","results":3,"persons":[{"id":"w-1","members":["worker_id","n","id","corpus","text","metadata"]},{"id":2,"corpus":"c","members":["id","corpus","text"]}]}')
}

@test "the text is that under --field in the result, or else in its metadata; without one the record is rejected" {
	MODEL m.gguf --architecture bert
	cat >in <<-'END'
	{"query_text":"a","results":[{"text":"b","metadata":{"text":"c"}},{"text":7,"metadata":{"text":"c"}},{"metadata":{"text":"b"}}]}
	{"query":"a","id":"q2","results":[{"text":"b"},{"text":null,"metadata":{"title":"c"}}]}
	{"text":"a","results":[{"metadata":{"t":{"en":["x","b"]}},"text":"c"}]}
	{"query_text":"a","results":[]}
	END
	run -1 --separate-stderr lh-rerank --model ./m.gguf --on-error emit in
	[[ $stderr == *'in:2: results[1] has no string "text", nor has its metadata'* ]]
	[ "$(jq -c '[.results[].rerank_score] | unique | length' <<<"${lines[0]}")" = 2 ]
	[ "$(jq -c '[.id, .error.code]' <<<"${lines[1]}")" = '["q2",400]' ]
	[ "$(jq -c '.results' <<<"${lines[3]}")" = '[]' ]
	run -1 --separate-stderr lh-rerank --model ./m.gguf --field t.en.1 in
	[ "$(jq -c '.results[0].rerank_score' <<<"${lines[0]}")" = \
		"$(lh-rerank --model ./m.gguf <<<'{"query":"a","results":[{"text":"b"}]}' | jq -c '.results[0].rerank_score')" ]
}

@test "--sigmoid maps scores, and leaves their order" {
	MODEL m.gguf --architecture bert
	answers 5 >in
	lh-rerank --model ./m.gguf in >out
	lh-rerank --model ./m.gguf --sigmoid in >mapped
	[ "$(jq -c '[.results[].id]' out)" = "$(jq -c '[.results[].id]' mapped)" ]
	near <(jq '.results[].rerank_score | 1 / (1 + (-. | exp))' out) <(jq '.results[].rerank_score' mapped)
}

@test "the output is the same with any number of threads, and however results are divided" {
	MODEL m.gguf --architecture nomic-bert --layers 1
	answers 40 >in
	{ cat in in in; answers 7; } >all
	lh-rerank -j1 --model ./m.gguf all >out
	lh-rerank -j5 --model ./m.gguf all | cmp - out
	jq -c '.results[] as $r | {query_text, results: [$r]}' in | lh-rerank --model ./m.gguf |
		jq -sc '[.[].results[0]] | sort_by(-.rerank_score)' | cmp - <(jq -c .results out | first 1)
}

@test "more results than are computed at once, one token, a megabyte and any text are scored" {
	MODEL m.gguf --architecture bert --layers 1 --width 32 --heads 2 --context 32
	python3 - >in <<-'END'
	import json
	texts = ["a", "", "a " * 500000, "\0\u202e[SEP] [CLS]", "\ud83d\ude00" * 1000] + ["b %d" % i for i in range(1500)]
	print(json.dumps({"query_text": "a", "results": [{"i": i, "text": t} for i, t in enumerate(texts)]}))
	print(json.dumps({"query_text": "c " * 500000, "results": [{"i": 0, "text": "a"}]}))
	END
	lh-rerank --model ./m.gguf in | jq -c '[.results[].i] | sort' >out
	[ "$(jq 'length' out | xargs)" = "1505 1" ]
	[ "$(jq -c '. == [range(length)]' out | xargs)" = "true true" ]
}

@test "a file that is not a cross-encoder, or whose head has other shapes, is refused with the reason" {
	local change reason
	answers 1 >in
	while IFS='|' read -r change reason; do
		forge "$change; write(keys, tensors)" --labels 1 --architecture bert --layers 1
		run -2 --separate-stderr lh-rerank --model ./m.gguf in
		[[ $stderr == "lh-rerank: --model: ./m.gguf: "$reason ]] || { echo "$stderr"; return 1; }
		[ -z "$output" ]
	done <<-'END'
	del tensors["cls.output.weight"]|not a cross-encoder: it has no tensor "cls.output.weight"
	tensors["cls.output.weight"][0] = (32, 2)|tensor "cls.output.weight" is 32 x 2 x 1 x 1, not 64 x 1 x 1
	tensors["cls.output.weight"][0] = (1, 64)|tensor "cls.output.weight" is 1 x 64 x 1 x 1, not 64 x 1 x 1
	t = tensors["cls.weight"]; t[0] = (64, 32); t[2] = t[2][:8192]|tensor "cls.weight" is 64 x 32 x 1 x 1, not 64 x 64 x 1
	t = tensors["cls.bias"]; t[0] = (32, 2)|tensor "cls.bias" is 32 x 2 x 1 x 1, not 64 x 1 x 1
	tensors["cls.output.weight"][1:] = [10, bytes(84)]; tensors["cls.output.weight"][0] = (256,)|tensor "cls.output.weight" is 256 x 1 x 1 x 1, not 64 x 1 x 1
	t = tensors["cls.bias"]; t[2] = t[2][:-4] + struct.pack("<f", float("nan"))|tensor "cls.bias" has a value that is not finite
	t = tensors["cls.output.weight"]; t[2] = struct.pack("<f", float("inf")) + t[2][4:]|tensor "cls.output.weight" has a value that is not finite
	keys["bert.classifier.output_labels"][1] = (8, ["a", "b"])|tensor "cls.output.weight" is 64 x 1 x 1 x 1, not 64 x 2 x 1
	keys["bert.classifier.output_labels"][1] = (8, ["a", "b", "c"])|3 labels: a cross-encoder has one or two
	keys["bert.classifier.output_labels"][1] = (8, [])|0 labels: a cross-encoder has one or two
	keys["bert.classifier.output_labels"][1] = (4, [1])|key "bert.classifier.output_labels" *
	keys["bert.context_length"][1] = 2|a context of 2 tokens is too short for a pair
	t = tensors["cls.output.bias"]; t[0] = (2,); t[2] *= 2|tensor "cls.output.bias" is 2 x 1 x 1 x 1, not 1 x 1 x 1
	keys["bert.classifier.output_labels"][1] = (8, ["a"] * 65)|65 labels: a cross-encoder has one or two
	t = tensors["token_types.weight"]; t[2] = t[2][:-4] + struct.pack("<f", float("-inf"))|tensor "token_types.weight" has a value that is not finite
	END
	while IFS='|' read -r change reason; do
		forge "$change; write(keys, tensors)" --labels 1 --architecture modern-bert --parts cls-norm --layers 1 --type F16
		run -2 --separate-stderr lh-rerank --model ./m.gguf in
		[[ $stderr == "lh-rerank: --model: ./m.gguf: "$reason ]] || { echo "$stderr"; return 1; }
		[ -z "$output" ]
	done <<-'END'
	del tensors["cls.output.weight"]|not a cross-encoder: it has no tensor "cls.output.weight"
	t = tensors["cls.norm.weight"]; t[0] = (32, 2)|tensor "cls.norm.weight" is 32 x 2 x 1 x 1, not 64 x 1 x 1
	t = tensors["cls.norm.weight"]; t[2] = t[2][:-4] + struct.pack("<f", float("nan"))|tensor "cls.norm.weight" has a value that is not finite
	t = tensors["cls.weight"]; t[0] = (64, 65); t[2] += bytes(128)|tensor "cls.weight" is 64 x 65 x 1 x 1, not 64 x 64 x 1
	t = tensors["cls.weight"]; t[2] = t[2][:-2] + struct.pack("<e", float("inf"))|tensor "cls.weight" has a value that is not finite
	t = tensors["cls.output.weight"]; t[0] = (64, 1 << 20); t[2] *= 1 << 20|tensor "cls.output.weight" is 64 x 1048576 x 1 x 1, not 64 x 1 x 1
	t = tensors["cls.output.weight"]; t[2] = t[2][:-2] + struct.pack("<e", float("nan"))|tensor "cls.output.weight" has a value that is not finite
	END
	for change in qwen3 jina-bert-v2; do
		forge 'write(keys, tensors)' --labels 1 --architecture $change
		run -2 --separate-stderr lh-rerank --model ./m.gguf in
		[ "$stderr" = "lh-rerank: --model: ./m.gguf: architecture \"$change\" is not one of a cross-encoder" ]
	done
	forge 'keys["tokenizer.ggml.add_bos_token"][1] = 0; write(keys, tensors)' --labels 1 --architecture bert --tokenizer t5
	run -2 --separate-stderr lh-rerank --model ./m.gguf in
	[[ $stderr == *'m.gguf: its tokenizer adds no special tokens at both ends of a text, which pairs need' ]]
}

@test "scores are the same bytes with a compiled file, which lh-embed refuses" {
	local options fast
	answers 5 >in
	for options in '--architecture bert' '--architecture modern-bert --parts cls-norm --labels 2 --tokenizer gpt2' \
		'--architecture nomic-bert-moe --type Q8_0 --context 64' '--architecture bert --tokenizer t5 --pooling mean'; do
		rm -f m.gguf*
		MODEL m.gguf $options
		for fast in '' --fast; do
			lh-rerank --model ./m.gguf $fast in >want
			lh-embed --engine gguf --compile m.gguf $fast
			lh-rerank --model "./m.gguf${fast/--/.}.lhm" $fast in | cmp - want
			# it is used: a model of zeros has the size and mtime of before
			cp -p m.gguf kept
			head -c "$(stat -c %s kept)" /dev/zero >m.gguf
			touch -r kept m.gguf
			lh-rerank --model ./m.gguf $fast in | cmp - want
			mv kept m.gguf
		done
	done
	run -2 --separate-stderr lh-embed --engine gguf --model m.gguf.lhm <<<'{"text":"a"}'
	[ "$stderr" = 'lh-embed: m.gguf.lhm: a cross-encoder, which makes scores, not vectors' ]
	run -0 --separate-stderr lh-embed --engine gguf --model m.gguf <<<'{"text":"a"}'
	[[ $stderr == *'m.gguf.lhm: a cross-encoder, which makes scores, not vectors: not used '* ]]
	model v.gguf
	lh-embed --engine gguf --compile v.gguf
	run -2 --separate-stderr lh-rerank --model ./v.gguf.lhm in
	[ "$stderr" = 'lh-rerank: --model: ./v.gguf.lhm: not a cross-encoder' ]
}

@test "weights by which a score is not finite reject the record, not the run" {
	forge 't = tensors["blk.0.ffn_up.weight"]; t[2] = struct.pack("<f", 3e38) * (len(t[2]) // 4)
write(keys, tensors)' --labels 1 --architecture bert --layers 1
	answers 2 >in
	run -1 --separate-stderr lh-rerank --model ./m.gguf in
	[[ $stderr == *'in:1: the model'* ]]
}

@test "engines for vectors, and lh-embed with a cross-encoder, are refused" {
	MODEL m.gguf --architecture bert
	model v.gguf
	lh-gen workers -n 3 | lh-index build w.lhv
	for name in hash hash-v2 hash-v3; do
		run -2 --separate-stderr lh-rerank --model $name <<<'{}'
		[ "$stderr" = "lh-rerank: --model: \"$name\" makes vectors of texts: a reranker is a cross-encoder in a GGUF file" ]
		run -2 --separate-stderr lh-search --rerank $name -Q a w.lhv
		[[ $stderr == "lh-search: --rerank: \"$name\" makes vectors of texts: "* ]]
	done
	run -2 --separate-stderr lh-rerank --model ./v.gguf <<<'{}'
	[[ $stderr == *'v.gguf: not a cross-encoder: '* ]]
	run -2 --separate-stderr lh-embed --engine gguf --model ./m.gguf <<<'{"text":"a"}'
	[[ $stderr == *'key "bert.pooling_type" is 4, not from 0 to 3' ]]
	run -2 --separate-stderr lh-rerank <<<'{}'
	[ "$stderr" = 'lh-rerank: name the cross-encoder by --model, or a service by --rerank-url' ]
}

# ---- lh-search ----

# workers N - an index of N workers, whose metadata have their text.
workers() {
	lh-gen workers -n "$1" | lh-index build w.lhv
	MODEL m.gguf --architecture bert --layers 1 --context 48
}

@test "lh-search --rerank gives the results that lh-rerank makes of a deep search" {
	workers 300
	lh-gen queries -n 5 | jq -c '{query_text}' >queries
	for depth in 20 100; do
		lh-search -k 4 --rerank m.gguf --rerank-depth $depth w.lhv <queries >got
		lh-search -k $depth w.lhv <queries | lh-rerank --model ./m.gguf -k 4 |
			jq -c '[.results[] | {id, distance, rerank_score, corpus}]' >want
		jq -c '[.results[] | {id, distance, rerank_score, corpus}]' got | cmp - want
	done
	lh-search -k 4 --rerank m.gguf w.lhv <queries | cmp - got
	[ "$(lh-search -k 150 --rerank m.gguf w.lhv <queries | jq '.results | length' | sort -u)" = 150 ]
	[ "$(jq -c '.k = 2 | {query_text, k}' queries | lh-search --rerank m.gguf w.lhv | jq -c '.results' | first 1)" = \
		"$(jq -c '.results[:2]' got | first 1)" ]
	jq -c '.k = 0' queries | lh-search --rerank m.gguf w.lhv | jq -e '.results == []' >out
}

@test "a reranked answer by --flat, --wire, --hybrid and of several corpora has the same scores" {
	workers 60
	lh-gen workers -n 40 --seed 9 | lh-index build --lexical x.lhv
	lh-gen workers -n 60 | lh-index build --lexical y.lhv
	lh-search -k 3 --rerank m.gguf -Q 'welder in Gary' w.lhv x.lhv >out
	[ "$(jq '.results | length' out)" = 3 ]
	lh-search --flat -k 3 --rerank m.gguf -Q 'welder in Gary' w.lhv x.lhv |
		jq -c '[.id, .rerank_score, .rank]' | cmp - <(jq -c '.results | to_entries[] | [.value.id, .value.rerank_score, .key + 1]' out)
	echo '{"query_text":"welder in Gary","corpora":["w","x"],"k":3}' | lh-search --wire --rerank m.gguf w.lhv x.lhv |
		jq -c .results | cmp - <(jq -c .results out)
	lh-search --hybrid -k 3 --rerank m.gguf -Q 'welder in Gary' y.lhv |
		jq -e '.results | length == 3 and all(has("score") and has("rerank_score"))' >out
}

@test "a record without the text, and a query without one, reject the query" {
	workers 3
	run -1 --separate-stderr lh-search --rerank m.gguf --rerank-field nothing w.lhv <<<'{"query_text":"a"}'
	[[ $stderr == *'-:1: corpus "w": the metadata of "w-'*'" has no string "nothing" (--rerank-field)'* ]]
	run -0 lh-search --rerank m.gguf --rerank-field role w.lhv <<<'{"query_text":"a"}'
	run -1 --separate-stderr lh-search --rerank m.gguf w.lhv <<<"$(lh-embed <<<'{"text":"a"}' | jq -c '{vector}')"
	[[ $stderr == *'missing "query_text" (string): --rerank compares texts'* ]]
	for option in depth=3 field=a; do
		run -2 --separate-stderr lh-search --rerank-$option -Q a w.lhv
		[ "$stderr" = "lh-search: --rerank-${option%=*}: needs --rerank or --rerank-url" ]
	done
}

@test "what a playbook boosts is reranked, and counted after the cut" {
	workers 40
	id=$(lh-search -k 1 -Q 'welder in Gary' w.lhv | jq -r '.results[0].id')
	echo '{"query_text":"welder in Gary","answer_id":"'"$id"'","answer_corpus":"w","score":1}' | lh-playbook record book.lhv >out
	lh-search -k 40 --rerank m.gguf --playbook book.lhv -Q 'welder in Gary' w.lhv >out
	[ "$(jq -c '[.playbook_boosted, ([.results[] | select(.playbook)] | length)]' out)" = '[1,1]' ]
	last=$(jq -r '.results[-1].id' out)
	[ "$(lh-search -k 1 --rerank m.gguf --playbook book.lhv -Q 'welder in Gary' w.lhv | jq .playbook_boosted)" = \
		"$(jq --arg id "$id" '[.results[0].id == $id] | if .[0] then 1 else 0 end' out)" ]
	[ -n "$last" ]
}
