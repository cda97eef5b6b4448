# Engine gguf: lh-embed, lh-index, lh-search and lh-playbook over a model in this process.
# bats file_tags=long
load ../helper
load ../embedding
load ../servers/server

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export OLLAMA_MODELS=$PWD/models
	model m.gguf
}

teardown() {
	stop_upstreams
	faults_happened
}

# embed [OPTION]... : by m.gguf, in base64
embed() {
	lh-embed --engine gguf --model m.gguf --encoding base64 "$@"
}

# The identity of a model file.
id_of() {
	lh-embed --engine gguf --model "$1" --info | jq -r .model
}

# words N [SEED] : N records with texts of 1 to 60 words.
words() {
	python3 - "$@" <<-'END'
		import json, random, sys
		r = random.Random(int((sys.argv + [1])[2]))
		some = "forklift operator welder nurse hello world é 東京 three, (nights) x9 Ünder".split()
		for i in range(int(sys.argv[1])):
		    print(json.dumps({"id": str(i), "text": " ".join(r.choice(some) for _ in range(r.randint(1, 60)))}))
	END
}

# text BYTES : a record with a text so long.
text() {
	printf '{"text":"%s"}\n' "$(stretch "$1" 'forklift ')"
}

# bats test_tags=full,plain-only
@test "vectors are those of the float64 oracle over the tokens that --tokens writes" {
	words "$(scale 12 40)" >in
	for options in "" "--architecture bert --pooling cls" "--architecture nomic-bert-moe --type Q8_0 --width 64" "--type F16 --pooling last"; do
		model a.gguf $options
		lh-embed --engine gguf --model a.gguf --tokens in | jq -c .tokens >lists
		python3 "$ROOT/tests/model/oracle.py" a.gguf <lists >want
		lh-embed --engine gguf --model a.gguf in | jq -c .vector >got
		python3 - "$(wc -l <in)" <<-'END'
			import json, math, sys
			n = 0
			for a, b in zip(open("want"), open("got")):
			    a, b = json.loads(a), json.loads(b)
			    dot = sum(x * y for x, y in zip(a, b))
			    cos = dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
			    assert 1 - cos < 1e-6 and abs(sum(y * y for y in b) - 1) < 1e-5
			    n += 1
			assert n == int(sys.argv[1])
		END
	done
}

@test "a model is found by its name where Ollama keeps it, with a tag, a user and a host" {
	in_store m.gguf nomic-embed-text
	model n.gguf --seed 2
	in_store n.gguf nomic-embed-text v1.5
	sum() { lh-embed --engine gguf --model "$1" --info | jq -r .model; }
	[ "$(sum nomic-embed-text)" = "nomic-embed-text:latest@$(id_of m.gguf | cut -d@ -f2)" ]
	[ "$(sum nomic-embed-text:v1.5)" = "nomic-embed-text:v1.5@$(id_of n.gguf | cut -d@ -f2)" ]
	cd models/manifests
	mkdir -p registry.ollama.ai/me hf.co/you
	cp -r registry.ollama.ai/library/nomic-embed-text registry.ollama.ai/me/m
	cp -r registry.ollama.ai/library/nomic-embed-text hf.co/you/m
	cd ../..
	[ "$(sum ollama:me/m:v1.5)" = "me/m:v1.5@$(id_of n.gguf | cut -d@ -f2)" ]
	[ "$(sum ollama:hf.co/you/m)" = "hf.co/you/m:latest@$(id_of m.gguf | cut -d@ -f2)" ]
	mkdir .ollama
	mv models .ollama/models
	[ "$(env -u OLLAMA_MODELS HOME="$PWD" lh-embed --engine gguf --model nomic-embed-text --info | jq .bytes)" = "$(stat -c %s m.gguf)" ]
}

@test "no name and no manifest leads out of the folder of models, and each is one line" {
	in_store m.gguf good
	cp m.gguf secret
	cp m.gguf models/secret
	folder=models/manifests/registry.ollama.ai/library
	layer() { printf '{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"%s"}]}' "$1"; }
	mkdir $folder/{dots,short,upper,none,text,object,big,gone}
	layer sha256:../../secret >$folder/dots/latest
	layer sha256:abc >$folder/short/latest
	layer "sha256:$(printf 'A%.0s' {1..64})" >$folder/upper/latest
	layer "sha256:$(printf 'a%.0s' {1..64})" >$folder/gone/latest
	echo '{"layers":[]}' >$folder/none/latest
	echo 'no JSON' >$folder/text/latest
	echo '{}' >$folder/object/latest
	head -c 2000000 /dev/zero >$folder/big/latest
	while IFS='|' read -r name message; do
		run -2 --separate-stderr lh-embed --engine gguf --model "$name" <<<'{"text":"a"}'
		[ -z "$output" ] && [ "${#stderr_lines[@]}" = 1 ] && [[ $stderr == *"$message"* ]] || { echo "$name: $stderr"; false; }
	done <<-'END'
		dots|dots/latest: the digest of its model is not sha256: and 64 hex digits
		short|the digest of its model is not sha256: and 64 hex digits
		upper|the digest of its model is not sha256: and 64 hex digits
		gone|aaaa: No such file or directory
		none|no layer of it is a model
		text|text/latest:
		object|missing "layers" (array of objects)
		big|big/latest:
		absent|no model absent:latest in
		good:v2|no model good:v2 in
		..|".." is not the name of a model
		ollama:../good|"ollama:../good" is not the name of a model
		ollama:a/b/c/d|"ollama:a/b/c/d" is not the name of a model
		good:../latest|good:../latest: No such file or directory
		good:|"good:" is not the name of a model
		a b|"a b" is not the name of a model
		../absent|../absent: No such file or directory
		absent.gguf|absent.gguf: No such file or directory
	END
	run -0 lh-embed --engine gguf --model good <<<'{"text":"a"}'
}

# bats test_tags=full
@test "the command that compares a model with a running Ollama finds what is equal and what is not" {
	local seed
	model a.gguf --layers 1 --width 32 --heads 2 --feed-forward 64
	in_store a.gguf nomic-embed-text
	# as tests/model/README.md has it, with fewer texts
	sed -n '/^    lh-gen queries -n 1000/,$ { s/^    //; s/-n 1000/-n 20/; p; }' "$ROOT/tests/model/README.md" >compare
	has '^lh-parity ' <compare
	for seed in 1 2; do
		model b.gguf --layers 1 --width 32 --heads 2 --feed-forward 64 --seed $seed
		start_server ollama.py "$PWD/b.gguf"
		LH_OLLAMA_URL=$URL run bash -e compare
		[ "$status" = $((seed - 1)) ] || { echo "$output"; return 1; }
		if [ "$seed" = 1 ]; then
			[[ $output == *'"passed":20,"failed":0,'* ]]
		else
			[[ $output == *'1 - cosine is '*'"passed":0,"failed":20,'* ]] || { echo "$output"; return 1; }
		fi
	done
}

@test "--info is one object with what the file is" {
	run -0 --separate-stderr lh-embed --engine gguf --model m.gguf --info
	[ "$(jq -c 'del(.model, .bytes, .tokens)' <<<"$output")" = '{"file":"m.gguf","architecture":"nomic-bert","layers":2,"width":64,"heads":4,"feed_forward":128,"context":2048,"pooling":"mean","types":["F32"]}' ]
	[[ $(jq -r .model <<<"$output") =~ ^m@[0-9a-f]{16}$ ]]
	[ "$(jq .bytes <<<"$output")" = "$(stat -c %s m.gguf)" ]
	model q.gguf --architecture nomic-bert-moe --type Q8_0
	[ "$(lh-embed --engine gguf --model q.gguf --info | jq -c '[.types, .experts]')" = '[["Q8_0","F32"],8]' ]
}

@test "--tokens writes the tokens that the model is given, with the prefix, cut only under --truncate" {
	model s.gguf --context 6
	tokens() { lh-embed --engine gguf --model s.gguf --tokens "$@" <<<'{"id":7,"text":"hello world, forklift","tokens":1}'; }
	[ "$(tokens | jq -c '[.id, .token_texts]')" = '[7,["[CLS]","▁hello","▁world","▁,","▁forklift","[SEP]"]]' ]
	[ "$(tokens | jq -c '.tokens | length')" = 6 ]
	[ "$(tokens --prefix 'world: ' | jq -c .token_texts)" = '["[CLS]","▁world","▁:","▁hello","▁world","▁,","▁forklift","[SEP]"]' ]
	[ "$(tokens --prefix 'world: ' --truncate | jq -c .token_texts)" = '["[CLS]","▁world","▁:","▁hello","▁world","[SEP]"]' ]
	run -1 --separate-stderr lh-embed --engine gguf --model s.gguf --tokens <<<'{"texts":["a"]}'
	[ "${stderr_lines[0]}" = 'lh-embed: -:1: --tokens reads records with a text alone' ]
}

@test "models whose tokens are made by BPE or by SentencePiece give vectors, cut before their last token" {
	for options in "gpt2 --pre llama-bpe" gpt2 llama; do
		model b.gguf --architecture bert --context 6 --tokenizer $options
		tokens() { lh-embed --engine gguf --model b.gguf --tokens --truncate <<<'{"text":"hello world, forklift 12 é"}' | jq -c .tokens; }
		[ "$(tokens | jq -c '[length, .[0], .[-1]]')" = '[6,2,3]' ]
		python3 "$ROOT/tests/model/oracle.py" b.gguf < <(tokens) >theirs
		lh-embed --engine gguf --model b.gguf --truncate -q <<<'{"text":"hello world, forklift 12 é"}' | jq -c .vector >ours
		python3 "$ROOT/tests/model/cosine.py" ours theirs 1e-6
	done
	model b.gguf --tokenizer gpt2 --pre gpt-7
	run -2 --separate-stderr lh-embed --engine gguf --model b.gguf --info
	[ "$stderr" = "lh-embed: b.gguf: the pre-tokenizer \"gpt-7\" is not known" ] || { echo "$stderr"; false; }
}

@test "a text of no token is rejected alone by a model that adds none at the ends" {
	python3 "$ROOT/tests/model/tokens.py" model bpe --architecture bert b.gguf
	printf '{"text":"%s"}\n' q 'hello world' q >in
	run -1 --separate-stderr lh-embed --engine gguf --model b.gguf in
	[ "${#lines[@]}" = 1 ]
	[ "${stderr_lines[0]}" = 'lh-embed: in:1: text of no token that the model has' ]
}

@test "a text over the context is rejected alone, or cut and counted, and is not cached" {
	model s.gguf --context 8
	{ text 9; text 54; text 63; text 9; } >in	# 3, 8, 9 and 3 tokens
	run -1 --separate-stderr lh-embed --engine gguf --model s.gguf --cache cache in
	[ "${#lines[@]}" = 3 ]
	[ "${stderr_lines[0]}" = 'lh-embed: in:3: text of 9 tokens, and the model takes 8 (--truncate cuts it)' ]
	run -0 --separate-stderr lh-embed --engine gguf --model s.gguf --cache cache --truncate -q in
	[ "$stderr" = "lh-embed: 1 of 4 texts cut to the model's context" ]
	[ "$(jq -c .vector <<<"${lines[1]}")" = "$(jq -c .vector <<<"${lines[2]}")" ]
	run -1 lh-embed --engine gguf --model s.gguf --cache cache -q in
	run -0 --separate-stderr lh-embed --engine gguf --model s.gguf --cache cache --truncate -q in in
	[ "$stderr" = "lh-embed: 2 of 8 texts cut to the model's context" ]
	run -1 --separate-stderr lh-embed --engine gguf --model s.gguf --on-error emit --prefix 'forklift ' in
	[ "$(jq -c '.error.code // "good"' <<<"$output" | tr '\n' ' ')" = '"good" 413 413 "good" ' ]
}

@test "a request says which of its texts is refused, or with partial has the others" {
	model s.gguf --context 8
	long=$(stretch 900 'forklift ')
	printf '%s\n' "{\"texts\":[\"a\",\"$long\"]}" "{\"texts\":[\"$long\",\"a\",\"$long\",\"\"],\"partial\":true}" '{"texts":["a"," "]}' >in
	run -1 --separate-stderr lh-embed --engine gguf --model s.gguf in
	[ "${stderr_lines[0]}" = 'lh-embed: in:1: text 2: text of 102 tokens, and the model takes 8 (--truncate cuts it)' ]
	[ "$(jq -c '[(.vectors | map(. == null)), (.errors | map([.index, .code, .upstream]))]' <<<"${lines[0]}")" = \
		'[[true,false,true,true],[[0,413,false],[2,413,false],[3,400,false]]]' ]
	# white space is [CLS] [SEP]
	[ "$(jq -c '.vectors | length' <<<"${lines[1]}")" = 2 ]
}

@test "a request for another model is refused, one for this model is answered by its identity" {
	in_store m.gguf nomic-embed-text
	for name in nomic-embed-text nomic-embed-text:latest "$(id_of nomic-embed-text)" "$(id_of m.gguf)" ''; do
		[ "$(lh-embed --engine gguf --model nomic-embed-text <<<"{\"texts\":[\"a\"],\"model\":\"$name\"}" | jq -r .model)" = "$(id_of nomic-embed-text)" ]
	done
	for name in nomic nomic-embed-text:v1 m@0000000000000000 hash-v3; do
		run -1 --separate-stderr lh-embed --engine gguf --model nomic-embed-text --on-error emit <<<"{\"texts\":[\"a\"],\"model\":\"$name\"}"
		[ "$(jq -c '[.error.code, .error.message]' <<<"$output")" = "[400,\"\\\"model\\\" is \\\"$name\\\", but this engine makes \\\"$(id_of nomic-embed-text)\\\"\"]" ]
	done
	run -1 lh-embed --engine gguf --model m.gguf <<<'{"texts":["a"],"model":"m:latest"}'
	[ "$(lh-embed --engine gguf --model m.gguf <<<'{"texts":["a"],"model":"m"}' | jq -r .model)" = "$(id_of m.gguf)" ]
}

@test "the cache tells models, prefixes and --fast apart, and --raw not" {
	model n.gguf --seed 2
	words 20 >in
	run_all() {
		lh-embed --engine gguf --model m.gguf --cache "$1" in
		lh-embed --engine gguf --model n.gguf --cache "$1" in
		lh-embed --engine gguf --model m.gguf --cache "$1" --prefix 'hello ' in
		lh-embed --engine gguf --model m.gguf --cache "$1" --prefix 'hello' in
		lh-embed --engine gguf --model m.gguf --cache "$1" --fast in
		lh-embed --engine gguf --model m.gguf --cache "$1" --raw in
	}
	run_all c >first
	run_all c | cmp - first
	for i in 1 2 3 4 5 6; do run_all "c$i" | sed -n "$((20 * i - 19)),$((20 * i))p"; done | cmp - first
	[ "$(sed -n '1p;21p;41p;61p' first | jq -c .vector | sort -u | wc -l)" -ge 3 ]
	# the name of a file does not count as part of its weights, but its checksum does
	[ "$(jq -r .model first | sort -u | wc -l)" = 2 ]
}

@test "two models answer at once, each its own vectors" {
	model n.gguf --seed 2
	words 200 >in
	for m in m n; do lh-embed --engine gguf --model $m.gguf in >$m.want; done
	for m in m n m n; do lh-embed --engine gguf --model $m.gguf -j2 in | cmp - $m.want || echo $m >>wrong & done
	wait
	[ ! -e wrong ]
	lh-index build --engine gguf --model m.gguf m.lhv in
	lh-index build --engine gguf --model n.gguf n.lhv in
	for m in m n; do [ "$(lh-index dump $m.lhv | jq -c .vector | sort)" = "$(jq -c .vector $m.want | sort)" ]; done
	[ "$(lh-search -Q 'hello world' -k 3 m.lhv n.lhv | jq -c '.results | map(.corpus) | unique')" != '[]' ]
}

@test "a model replaced while it is used is read again, and a wrong one is an error of the records" {
	model n.gguf --seed 2
	coproc EMBED { lh-embed --engine gguf --model m.gguf --on-error emit; }
	ask() { echo '{"text":"hello"}' >&"${EMBED[1]}"; read -r -t "$LH_PATIENCE" answer <&"${EMBED[0]}"; }
	ask
	[ "$(jq -r .model <<<"$answer")" = "$(id_of m.gguf)" ]
	cp n.gguf new && mv new m.gguf
	ask
	[ "$(jq -r .model <<<"$answer")" = "m@$(id_of n.gguf | cut -d@ -f2)" ]
	[ "$(jq -c .vector <<<"$answer")" = "$(lh-embed --engine gguf --model n.gguf <<<'{"text":"hello"}' | jq -c .vector)" ]
	echo wrong >new && mv new m.gguf
	ask
	[ "$(jq .error.code <<<"$answer")" = 503 ]
	cp n.gguf new && mv new m.gguf
	ask
	[ "$(jq .dimension <<<"$answer")" = 64 ]
	status=0
	pid=$EMBED_PID
	eval "exec ${EMBED[1]}>&-"
	wait "$pid" || status=$?
	[ "$status" = 1 ]
}

@test "a name that leads to another file is seen, also with the same size" {
	model n.gguf --seed 2
	in_store m.gguf one
	coproc EMBED { lh-embed --engine gguf --model one; }
	ask() { echo '{"text":"hello"}' >&"${EMBED[1]}"; read -r -t "$LH_PATIENCE" answer <&"${EMBED[0]}"; }
	ask
	in_store n.gguf one
	ask
	[ "$(jq -r .model <<<"$answer")" = "one:latest@$(id_of n.gguf | cut -d@ -f2)" ]
	pid=$EMBED_PID
	eval "exec ${EMBED[1]}>&-"
	wait "$pid"
}

@test "a wrong file is one line and exit 2" {
	head -c 100 m.gguf >short.gguf
	echo '{"text":"a"}' >text.gguf
	: >empty.gguf
	mkfifo pipe.gguf
	mkdir folder.gguf
	for file in short text empty pipe folder; do
		run -2 --separate-stderr patiently lh-embed --engine gguf --model $file.gguf <<<'{"text":"a"}'
		[ -z "$output" ] && [ "${#stderr_lines[@]}" = 1 ] && [[ $stderr == "lh-embed: "*"$file.gguf"* ]] || { echo "$file: $stderr"; false; }
		run -2 --separate-stderr patiently lh-index build --engine gguf --model $file.gguf x.lhv <<<'{"id":"a","text":"a"}'
		[ "${#stderr_lines[@]}" = 1 ] && [[ $stderr == "lh-index: "*"$file.gguf"* ]] || { echo "$file: $stderr"; false; }
	done
	[ ! -e x.lhv ]
	no_litter
}

# floats OPTION... - records of the file in with vectors as numbers.
floats() {
	lh-embed --engine gguf --model m.gguf "$@" in
}

# unit N - of vectors, one a line, the first N numbers, scaled to unit length.
unit() {
	jq -c --argjson n "$1" '.[:$n] | (map(. * .) | add | sqrt) as $l | map(. / $l)'
}

@test "--dimension cuts vectors and normalises them again, also in a request and with a cache" {
	printf '%s\n' '{"text":"forklift operator"}' '{"text":"welder, nights"}' >in
	floats | jq -c .vector >whole
	for n in 1 2 33 63 64; do
		run -0 --separate-stderr floats --dimension $n --cache cache.db
		[ -z "$stderr" ]
		[ "$(jq -c '[.dimension, (.vector | length)]' <<<"$output" | sort -u)" = "[$n,$n]" ]
		jq -c .vector <<<"$output" >got
		unit $n <whole >want
		python3 "$ROOT/tests/model/cosine.py" got want 1e-12
		jq -e '(map(. * .) | add) as $s | $s > 0.999999 and $s < 1.000001' got
		# from the cache, which has vectors of other lengths of the same texts
		floats --dimension $n --cache cache.db | jq -c .vector | cmp - got
	done
	floats --raw --dimension 5 | jq -c .vector >got
	floats --raw | jq -c '.vector[:5]' | cmp - got
	run -0 lh-embed --engine gguf --model m.gguf --dimension 7 --wire go <<<'{"texts":["welder, nights"]}'
	[ "$(jq -c '[.dimension, (.vectors[0] | length)]' <<<"$output")" = '[7,7]' ]
	run -2 --separate-stderr floats --dimension 65
	[[ $stderr == 'lh-embed: --dimension 65: the vectors of m@'*' have 64' ]]
	run -2 --separate-stderr lh-embed --engine ollama --dimension 7 in
	[[ $stderr == 'lh-embed: --dimension is for engine'* ]]
}

@test "a model without pooling makes a vector of each token" {
	model none.gguf --pooling none --architecture modern-bert
	model mean.gguf --pooling mean --architecture modern-bert
	printf '%s\n' '{"text":"forklift operator","id":7}' '{"text":"x"}' >in
	run -0 --separate-stderr lh-embed --engine gguf --model none.gguf --raw in
	[ -z "$stderr" ]
	lh-embed --engine gguf --model none.gguf --tokens in | jq '.tokens | length' >tokens
	jq '.vectors | length' <<<"$output" | cmp - tokens
	[ "$(jq -c 'keys_unsorted' <<<"$output" | head -1)" = '["text","id","vectors","dimension","model"]' ]
	# their mean is the vector of the text
	jq -c '.vectors | transpose | map(add / length)' <<<"$output" >got
	lh-embed --engine gguf --model mean.gguf --raw in | jq -c .vector >want
	python3 "$ROOT/tests/model/cosine.py" got want 1e-9
	jq -c '.vectors[]' <<<"$output" | unit 9 >want
	lh-embed --engine gguf --model none.gguf --dimension 9 -j3 in | jq -c '.vectors[]' >got
	python3 "$ROOT/tests/model/cosine.py" got want 1e-12
	run -0 lh-embed --engine gguf --model none.gguf --dimension 1 --encoding base64 in
	[ "$(jq -c '.vectors[] | length' <<<"$output" | sort -u)" = 8 ]
	run -1 --separate-stderr lh-embed --engine gguf --model none.gguf <<<'{"texts":["a"]}'
	[[ ${stderr_lines[0]} == *'none.gguf has no pooling: it takes records with a text alone' ]]
	for option in '--wire go' '--cache c.db'; do
		run -2 --separate-stderr lh-embed --engine gguf --model none.gguf $option </dev/null
		[[ $stderr == "lh-embed: "*"none.gguf: a model without pooling makes a vector of each token: ${option%% *} is for one of each text" ]] || { echo "$stderr"; false; }
	done
	run -2 --separate-stderr patiently lh-index build --engine gguf --model none.gguf x.lhv <<<'{"id":"a","text":"a"}'
	[[ $stderr == "lh-index: "*none.gguf* ]]
	[ ! -e x.lhv ]
}

# bats test_tags=full
@test "memory is bounded by the file and the batch, not by the number of texts" {
	plain_only "it maps more"
	words 3000 >in
	lh-embed --engine gguf --model m.gguf -j1 -q --cache-size 0 in >want
	prlimit --as=$((40 << 20)) lh-embed --engine gguf --model m.gguf -j1 -q --cache-size 0 in | cmp - want
	[ "$(wc -l <want)" = 3000 ]
	# in batches of all of them it is more
	run -2 --separate-stderr prlimit --as=$((40 << 20)) lh-embed --engine gguf --model m.gguf -j1 -q --batch 4096 in
	[ "${#stderr_lines[@]}" = 1 ]
}

@test "options that do not go together are refused" {
	while IFS=$'\t' read -r options message; do
		run -2 --separate-stderr lh-embed $options </dev/null
		[ "$stderr" = "lh-embed: $message" ] || { echo "$options: $stderr"; false; }
	done <<-'END'
		--engine gguf	--engine gguf: name the model by --model FILE or NAME
		--engine gguf --model m.gguf --dimension 0	--dimension: "0" is not a whole number from 1 to 1048576
		--engine gguf --model m.gguf --url http://x	--url: engine gguf has no service
		--engine gguf --model m.gguf --info --tokens	--tokens and --info exclude each other
		--engine gguf --model m.gguf --info x	unexpected operand "x": --info reads the model alone
		--engine gguf --model m.gguf --wire go --info	--wire and --info exclude each other
		--engine gguf --model m.gguf --wire go --tokens	--wire and --tokens exclude each other
		--prefix x	--prefix is for engine gguf
		--engine openai --truncate	--truncate is for engines gguf and ollama
		--truncate	--truncate is for engines gguf and ollama
		--fast	--fast is for engine gguf
		--tokens	--tokens is for engine gguf
		--info	--info is for engine gguf
	END
	run -2 --separate-stderr lh-index build --prefix x w.lhv </dev/null
	[ "$stderr" = 'lh-index: --prefix is for engine gguf' ]
	run -2 --separate-stderr lh-index build --engine gguf --model m.gguf --url http://x w.lhv </dev/null
	[ "$stderr" = 'lh-index: --url: the model of engine gguf is --model' ]
	run -2 --separate-stderr lh-index build --engine gguf w.lhv </dev/null
	[ "$stderr" = 'lh-index: engine gguf: name the model by --model FILE or NAME' ]
	run -2 --separate-stderr lh-playbook record --prefix x pb.lhv </dev/null
	[ "$stderr" = 'lh-playbook: --prefix is for engine gguf' ]
}

@test "an index keeps the model, where it is and both prefixes, and takes no other model" {
	model n.gguf --seed 2
	words 30 >in
	lh-index build --engine gguf --model m.gguf --prefix 'hello ' --query-prefix 'world ' w.lhv in
	[ "$(lh-index info w.lhv | jq -c '[.engine, .model, .url, .prefix, .query_prefix, .dimension]')" = \
		"[\"gguf\",\"$(id_of m.gguf)\",\"$PWD/m.gguf\",\"hello \",\"world \",64]" ]
	[ "$(lh-index dump w.lhv | jq -c .vector)" = "$(lh-embed --engine gguf --model m.gguf --prefix 'hello ' in | jq -c .vector)" ]
	echo '{"id":"new","text":"welder"}' | lh-index add w.lhv
	[ "$(lh-index dump w.lhv | jq -c 'select(.id == "new") | .vector')" = "$(lh-embed --engine gguf --model m.gguf <<<'{"text":"hello welder"}' | jq -c .vector)" ]
	run -2 --separate-stderr lh-index add --prefix 'x' w.lhv in
	[ "$stderr" = 'lh-index: --prefix "x": the index has "hello "' ]
	run -2 --separate-stderr lh-index add --query-prefix 'x' w.lhv in
	[ "$stderr" = 'lh-index: --query-prefix "x": the index has "world "' ]
	run -2 --separate-stderr lh-index add --engine hash w.lhv in
	# vectors of the same file under another name fit, others do not
	cp m.gguf copy.gguf
	lh-embed --engine gguf --model copy.gguf <<<'{"id":"copy","text":"x"}' | lh-index add w.lhv
	run -1 --separate-stderr lh-index add w.lhv < <(lh-embed --engine gguf --model n.gguf <<<'{"id":"n","text":"x"}')
	[[ ${stderr_lines[0]} == *"model \"$(id_of n.gguf)\", expected \"$(id_of m.gguf)\"" ]]
	mv m.gguf moved.gguf
	run -2 --separate-stderr lh-index add w.lhv in
	[ "$stderr" = "lh-index: $PWD/m.gguf: No such file or directory" ]
	lh-index add --model moved.gguf w.lhv <<<'{"id":"moved","text":"x"}'
	run -2 --separate-stderr lh-index add --model n.gguf w.lhv <<<'{"id":"other","text":"x"}'
	[ "$stderr" = "lh-index: $PWD/n.gguf: is the model $(id_of n.gguf), not m@$(id_of moved.gguf | cut -d@ -f2)" ]
	[ "$(lh-index info w.lhv | jq .length)" = 33 ]
	lh-index build a.lhv <<<'{"id":"a","text":"x"}'
	[ "$(lh-index info a.lhv | jq -c 'has("prefix") or has("query_prefix")')" = false ]
}

# bats test_tags=full
@test "an index of vectors that are cut cuts those of its texts and of its queries alike" {
	local n
	words 40 >in
	lh-embed --engine gguf --model m.gguf --tokens in | jq -c .tokens | python3 "$ROOT/tests/model/oracle.py" m.gguf >whole
	lh-index build --engine gguf --model m.gguf u.lhv in
	for n in 1 24 64; do
		lh-index build --engine gguf --model m.gguf --dimension $n c$n.lhv < <(head -n 30 in)
		tail -n 10 in | lh-index add c$n.lhv
		[ "$(lh-index info c$n.lhv | jq -c '[.dimension, .length]')" = "[$n,40]" ]
		lh-index dump c$n.lhv | jq -sc 'sort_by(.id | tonumber)[].vector' >got
		unit $n <whole >want
		python3 "$ROOT/tests/model/cosine.py" got want 1e-6
		# a query with the text of a record is at no distance from it; the others are where its cut vector puts them
		jq -c '{id, query_text: .text, k: 40}' in >queries
		lh-search --exact c$n.lhv <queries | jq -c '[.id, (.results | map(.distance) | min < 1e-6), (.results[] | select(.id == "7") | .distance)]' >asked
		python3 - want >computed <<-'END'
			import json, sys
			v = [json.loads(line) for line in open(sys.argv[1])]
			for i, a in enumerate(v):
			    print(json.dumps([str(i), True, 1 - sum(x * y for x, y in zip(a, v[7]))]))
		END
		python3 -c 'import json, sys
a, b = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
assert len(a) == len(b) == 40
for x, y in zip(a, b): assert x[:2] == y[:2] and abs(x[2] - y[2]) < 1e-5, (x, y)' asked computed
	done
	cmp <(lh-index dump u.lhv | jq -c .vector) <(lh-index dump c64.lhv | jq -c .vector)
	# both cuts in one search, each by its own vectors
	lh-search --exact c24.lhv u.lhv -k 80 -Q 'welder nights' | jq -c '.results[] | select(.corpus == "c24") | [.id, .distance]' >both
	lh-search --exact c24.lhv -k 80 -Q 'welder nights' | jq -c '.results[] | [.id, .distance]' | cmp - both
	[ "$(lh-embed --indexes . --wire go <<<'{"texts":["welder"]}' | jq .dimension)" = 64 ]
	rm c64.lhv u.lhv c1.lhv
	mkdir pb
	lh-playbook requests --indexes . pb <<<'{"op":"record","corpus":"c24","query_text":"welder","answer_id":"7","answer_corpus":"c24","score":1}'
	[ "$(lh-index info pb/c24.lhv | jq -c '[.engine, .dimension, .length]')" = '["gguf",24,1]' ]
	[ "$(lh-embed --indexes . --wire go <<<'{"texts":["welder"]}' | jq -c .vectors[])" = "$(lh-embed --engine gguf --model m.gguf --dimension 24 <<<'{"text":"welder"}' | jq -c .vector)" ]
}

@test "a length that vectors of the model cannot have is a usage error, and --like and upgrade keep a cut" {
	words 10 >in
	run -2 --separate-stderr lh-index build --engine gguf --model m.gguf --dimension 65 w.lhv in
	[ "$stderr" = "lh-index: --dimension 65: the vectors of $(id_of m.gguf) have 64" ]
	[ ! -e w.lhv ]
	lh-index build --engine gguf --model m.gguf --dimension 24 w.lhv in
	run -2 --separate-stderr lh-index add --dimension 24 w.lhv in
	[[ $stderr == 'lh-index: --dimension: not an option of "lh-index add"'* ]]
	run -1 --separate-stderr lh-index add w.lhv < <(lh-embed --engine gguf --model m.gguf <<<'{"id":"whole","text":"x"}')
	[[ ${stderr_lines[0]} == *'dimension 64, expected 24' ]]
	lh-embed --engine gguf --model m.gguf --dimension 24 <<<'{"id":"cut","text":"x"}' | lh-index add w.lhv
	lh-index build --like w.lhv like.lhv in
	cmp <(lh-index dump like.lhv | jq -c .vector) <(lh-index dump w.lhv | head -n 10 | jq -c .vector)
	lh-index upgrade --dimension 8 like.lhv
	[ "$(lh-index info like.lhv | jq .dimension)" = 8 ]
	cmp <(lh-index dump like.lhv | jq -c .vector) <(lh-embed --engine gguf --model m.gguf --dimension 8 in | jq -c .vector)
	model n.gguf --width 16
	run -2 --separate-stderr lh-search --model n.gguf -Q x w.lhv
	[[ $stderr == "lh-search: -Q: corpus \"w\": --dimension 24: the vectors of $(id_of n.gguf) have 16" ]]
}

@test "queries are embedded with the query prefix of the index, or with their own" {
	words 30 >in
	lh-index build --engine gguf --model m.gguf --prefix 'hello ' --query-prefix 'world ' w.lhv in
	first() { lh-search -k 3 "$@" w.lhv | jq -c '[.results[] | [.id, .distance]]'; }
	by_vector() { lh-embed --engine gguf --model m.gguf <<<"{\"text\":\"$1\"}" | jq -c '{query_vector: .vector}' | first; }
	[ "$(first -Q 'forklift operator')" = "$(by_vector 'world forklift operator')" ]
	[ "$(first -Q 'forklift operator' --query-prefix 'nurse ')" = "$(by_vector 'nurse forklift operator')" ]
	[ "$(first -Q 'forklift operator' --query-prefix '')" = "$(by_vector 'forklift operator')" ]
	[ "$(first -Q 'forklift operator')" != "$(by_vector 'forklift operator')" ]
	words 64 2 | jq -c '{query_text: .text}' >queries
	lh-search -j1 w.lhv <queries >one
	lh-search -j8 w.lhv <queries | cmp - one
	[ "$(wc -l <one)" = 64 ]
}

@test "another model than the index's: queries by text fail, those with a vector are answered" {
	model n.gguf --seed 2
	words 30 >in
	lh-index build --engine gguf --model m.gguf w.lhv in
	printf '%s\n' '{"id":1,"query_text":"hello"}' "$(lh-index dump w.lhv | jq -c '{id: 2, query_vector: .vector, k: 1}' | sed -n 5p)" >queries
	fails() {
		local why=$1
		shift
		run -2 --separate-stderr lh-search "$@" -Q hello w.lhv
		[ "$stderr" = "lh-search: -Q: corpus \"w\": $why" ] || { echo "$stderr"; return 1; }
		run -2 --separate-stderr lh-search "$@" w.lhv <queries
		[ "$(jq -c '[.id, .results[0].id]' <<<"$output")" = '[2,"4"]' ]
		[ "${stderr_lines[0]}" = "lh-search: -:1: corpus \"w\": $why" ]
		[ "${#stderr_lines[@]}" = 2 ]
	}
	fails "$PWD/n.gguf: is the model $(id_of n.gguf), not $(id_of m.gguf)" --model n.gguf
	fails "absent.gguf: No such file or directory" --model absent.gguf
	cp m.gguf good.gguf
	cp n.gguf m.gguf
	[ "$(stat -c %s good.gguf)" = "$(stat -c %s m.gguf)" ]
	fails "$PWD/m.gguf: is the model $(id_of m.gguf), not $(id_of good.gguf | sed s/good/m/)"
	[ "$(lh-search --model good.gguf -Q hello -k 1 w.lhv | jq '.results | length')" = 1 ]
	in_store good.gguf kept
	[ "$(lh-search --model kept -Q hello -k 1 w.lhv | jq '.results | length')" = 1 ]
	rm m.gguf
	fails "$PWD/m.gguf: No such file or directory"
	ln -s good.gguf m.gguf
	run -0 --separate-stderr lh-search -Q hello -k 1 w.lhv
}

@test "an index of a model found by name keeps the name, and sees that it leads elsewhere" {
	in_store m.gguf nomic-embed-text
	words 10 >in
	lh-index build --engine gguf --model nomic-embed-text w.lhv in
	[ "$(lh-index info w.lhv | jq -c '[.url, .model]')" = "[\"nomic-embed-text:latest\",\"$(id_of nomic-embed-text)\"]" ]
	(cd / && lh-search -Q hello -k 1 "$BATS_TEST_TMPDIR/w.lhv") | jq -e '.results | length == 1'
	model n.gguf --seed 2
	in_store n.gguf nomic-embed-text
	run -2 --separate-stderr lh-search -Q hello w.lhv
	[[ $stderr == *"nomic-embed-text:latest: is the model $(id_of nomic-embed-text), not nomic-embed-text:latest@$(id_of m.gguf | cut -d@ -f2)" ]]
	[ "$(lh-search --model m.gguf -Q hello -k 1 w.lhv | jq '.results | length')" = 1 ]
}

@test "a playbook may be embedded by a model, with a prefix" {
	model n.gguf --seed 2
	echo '{"query_text":"forklift operator","answer_id":"5","answer_corpus":"w","score":1}' >in
	lh-playbook record --engine gguf --model m.gguf --prefix 'hello ' -q pb.lhv in
	lh-playbook record -q pb.lhv in
	mv m.gguf moved.gguf
	lh-playbook record --model moved.gguf --prefix 'hello ' -q pb.lhv in
	[ "$(lh-index info pb.lhv | jq -c '[.length, .model, .prefix, .query_prefix]')" = "[1,\"m@$(id_of moved.gguf | cut -d@ -f2)\",\"hello \",\"hello \"]" ]
	run -2 lh-playbook record --model n.gguf pb.lhv in
	run -2 --separate-stderr lh-playbook record --model moved.gguf --prefix x pb.lhv in
	[ "$stderr" = 'lh-playbook: --prefix "x": the playbook has "hello "' ]
	words 30 | lh-index build --engine gguf --model moved.gguf w.lhv
	[ "$(lh-search -Q 'forklift operator' --query-prefix 'hello ' --model moved.gguf --playbook pb.lhv w.lhv | jq -c '[.playbook_boosted, .playbook_injected] | add')" = 1 ]
}
