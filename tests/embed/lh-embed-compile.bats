# lh-embed --engine gguf --compile: compiled models, and when they are used.
load ../helper
load ../embedding

UNIT=$(dirname "$AID")

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export OLLAMA_MODELS=$PWD/models XDG_CACHE_HOME=$PWD/cache
	model m.gguf
	printf '{"text":"%s"}\n' 'forklift operator' 'hello, world' 'é 東京 x9 Ünder' >in
}

teardown() {
	[ -z "${OPEN:-}" ] || rm -rf "$OPEN"
	faults_happened
}

# embed [OPTION]... : the texts of in by m.gguf, in base64
embed() {
	lh-embed --engine gguf --model m.gguf --encoding base64 "$@" in
}

compile() {
	lh-embed --engine gguf --compile "$@"
}

# used [OPTION]... : the compiled file that is used, or "null"
used() {
	lh-embed --engine gguf --model m.gguf --info "$@" 2>/dev/null | jq -r .compiled.file
}

# unused REASON [OPTION]... : the vectors are those of the model, and one line says why
unused() {
	run -0 --separate-stderr embed "${@:2}"
	cmp - want <<<"$output"
	[ "$stderr" = "lh-embed: $PWD/m.gguf.lhm: $1: not used (--compile makes it again)" ] || { echo "$stderr"; return 1; }
}

# bats test_tags=full
@test "vectors are the same bytes with and without a compiled file, of every architecture" {
	words='forklift operator welder nurse hello world é 東京 three, (nights) x9 Ünder'
	for i in 1 2 3 4 5 6; do
		printf '{"text":"%s"}\n' "$words $(stretch $((i * 40)) "$words ")"
	done >in
	for options in "" "--architecture bert --pooling cls" "--architecture nomic-bert-moe --type Q8_0 --width 64" "--type F16 --pooling last" "--type Q8_0" "--tokenizer gpt2 --pre llama-bpe" "--tokenizer llama" \
		"--architecture modern-bert --window 16" "--architecture jina-bert-v2 --parts up,second-norm" "--architecture jina-bert-v3" \
		"--architecture gemma-embedding --dense 80 --kv-heads 2" "--architecture qwen3 --type F16" "--architecture llama-embed --parts factors"; do
		rm -f m.gguf*
		model m.gguf $options
		for fast in "" --fast; do
			embed $fast >want
			lh-embed --engine gguf --model m.gguf --tokens in | jq -c .tokens >tokens
			compile m.gguf $fast
			[ "$(used $fast)" = "$PWD/m.gguf${fast/--/.}.lhm" ]
			run -0 --separate-stderr embed $fast -j2
			cmp - want <<<"$output"
			[ -z "$stderr" ]
			lh-embed --engine gguf --model m.gguf $fast --tokens in | jq -c .tokens | cmp - tokens
		done
	done
	no_litter
}

@test "a compiled file is used only with the setting of --fast for which it was made" {
	model m.gguf --type Q8_0
	compile m.gguf --fast
	[ "$(used)" = null ]
	[ "$(used --fast)" = "$PWD/m.gguf.fast.lhm" ]
	compile m.gguf
	[ "$(used)" = "$PWD/m.gguf.lhm" ]
}

@test "the source is not read while its size and mtime are the same" {
	needs_strace
	compile m.gguf
	strace -f -qq -e trace=open,openat -o trace lh-embed --engine gguf --model m.gguf in
	grep -q 'm.gguf.lhm"' trace
	not grep -q 'm.gguf"' trace
	touch m.gguf
	strace -f -qq -e trace=open,openat -o trace lh-embed --engine gguf --model m.gguf in
	grep -q 'm.gguf.lhm"' trace
	grep -q 'm.gguf"' trace
}

@test "a compiled file of another size, or of other weights with another mtime, is not used" {
	compile m.gguf
	touch -d '2001-01-01' m.gguf
	[ "$(used)" = "$PWD/m.gguf.lhm" ]
	model n.gguf --seed 2
	[ "$(stat -c %s n.gguf)" = "$(stat -c %s m.gguf)" ]
	mv n.gguf m.gguf
	mv m.gguf.lhm kept
	embed >want
	mv kept m.gguf.lhm
	unused 'the model has changed since'
	model m.gguf --layers 1
	rm m.gguf.lhm
	embed >want
	model n.gguf
	compile n.gguf -o m.gguf.lhm
	unused 'the model has changed since'
	[ "$(used)" = null ]
	compile m.gguf
	[ "$(used)" = "$PWD/m.gguf.lhm" ]
}

@test "a compiled file that is named is used without its source, under the name of its model" {
	embed >want
	id=$(lh-embed --engine gguf --model m.gguf --info | jq -r .model)
	compile m.gguf -o x.lhm
	mv m.gguf moved.gguf
	lh-embed --engine gguf --model x.lhm --encoding base64 in | cmp - want
	lh-embed --engine gguf --model x.lhm <<<'{"texts":["a"],"model":"m"}' | jq -e --arg id "$id" '.model == $id'
	[ "$(lh-embed --engine gguf --model x.lhm --info | jq -c 'del(.file, .compiled)')" = \
		"$(lh-embed --engine gguf --model moved.gguf --info | jq -c --arg id "$id" 'del(.file) | .model = $id')" ]
	mv x.lhm y.lhm
	run -2 --separate-stderr lh-embed --engine gguf --model x.lhm in
	[ "$stderr" = 'lh-embed: x.lhm: No such file or directory' ]
}

@test "lh-index, lh-search and lh-playbook use the compiled file" {
	needs_strace
	jq -c '.id = "w" + (input_line_number | tostring)' in >records
	lh-index build --engine gguf --model m.gguf a.lhv records
	lh-search -Q forklift -k 2 a.lhv | jq -c '.results[] | [.id, .distance]' >want
	compile m.gguf
	strace -f -qq -e trace=openat -o trace lh-index build --engine gguf --model m.gguf b.lhv records
	grep -q 'm.gguf.lhm"' trace
	cmp a.lhv b.lhv || lh-index dump a.lhv | cmp - <(lh-index dump b.lhv)
	strace -f -qq -e trace=openat -o trace lh-search -Q forklift -k 2 b.lhv | jq -c '.results[] | [.id, .distance]' | cmp - want
	grep -q 'm.gguf.lhm"' trace
	compile m.gguf -o only.lhm
	rm m.gguf m.gguf.lhm
	lh-search --model only.lhm -Q forklift -k 2 a.lhv | jq -c '.results[] | [.id, .distance]' | cmp - want
	strace -f -qq -e trace=openat -o trace lh-playbook record --engine gguf --model only.lhm -q pb.lhv \
		<<<'{"query_text":"forklift","answer_id":"5","answer_corpus":"w","score":1}'
	grep -q 'only.lhm"' trace
}

@test "where the model's folder is not writable the cache folder has the compiled file" {
	needs_reach
	# others may not enter the folder of the test
	OPEN=$(mktemp -d)
	chmod 755 "$OPEN"
	mkdir -m 777 "$OPEN/home"
	mkdir "$OPEN/shared"
	cp m.gguf "$OPEN/shared"
	chmod 555 "$OPEN/shared"
	cd "$OPEN"
	nobody() { as_nobody env -u XDG_CACHE_HOME HOME="$OPEN/home" "$LH_BIN/lh-embed" --engine gguf "$@"; }
	run -0 nobody --compile shared/m.gguf -v
	[[ $output == "lh-embed: $OPEN/home/.cache/lakehouse-tools/m.gguf-"*.lhm": "*" bytes" ]]
	file=$(find home -name '*.lhm')
	[ "$(stat -c %a "$file" home/.cache home/.cache/lakehouse-tools | tr '\n' ' ')" = '644 700 700 ' ]
	run -0 nobody --model shared/m.gguf --info
	[ "$(jq -r .compiled.file <<<"$output")" = "$OPEN/$file" ]
	[ -z "$(find shared -name '*.lhm')" ]
	run -2 as_nobody env -u XDG_CACHE_HOME -u HOME "$LH_BIN/lh-embed" --engine gguf --compile shared/m.gguf
	[ "$output" = 'lh-embed: neither XDG_CACHE_HOME nor HOME is an absolute path: say by -o where to' ]
}

@test "nothing is put into the folder of Ollama; a model by its name is compiled and found" {
	in_store m.gguf nomic-embed-text
	embed >want
	compile nomic-embed-text
	[ "$(find models -name '*.lhm')" = '' ]
	[ "$(find cache -name 'sha256-*.lhm' | wc -l)" = 1 ]
	rm m.gguf
	id=$(lh-embed --engine gguf --model nomic-embed-text --info | jq -r '"\(.model) \(.compiled.file | contains("cache/lakehouse-tools/sha256-"))"')
	[[ $id == 'nomic-embed-text:latest@'*' true' ]]
	lh-embed --engine gguf --model nomic-embed-text --encoding base64 in | jq -r .vector | cmp - <(jq -r .vector want)
	cp models/manifests/registry.ollama.ai/library/nomic-embed-text/latest models/manifests/registry.ollama.ai/library/nomic-embed-text/v9
	[[ $(lh-embed --engine gguf --model nomic-embed-text:v9 --info | jq -r .model) == 'nomic-embed-text:v9@'* ]]
}

@test "the compiled file has the model's permissions, without those to write" {
	for mode in 600 640 644 666 444; do
		rm -f m.gguf.lhm
		chmod $mode m.gguf
		compile m.gguf
		case $mode in 666 | 444) mode=644 ;; esac
		[ "$(stat -c %a m.gguf.lhm)" = $mode ]
	done
}

@test "a compiled file that others can write to, or that belongs to another user, is not used" {
	embed >want
	compile m.gguf
	chmod 664 m.gguf.lhm
	unused 'others than its owner can write to it'
	if [ "$(id -u)" = 0 ]; then
		chmod 644 m.gguf.lhm
		chown 65534 m.gguf.lhm
		unused 'belongs to another user'
		chown 65534 m.gguf
		[ "$(used)" = "$PWD/m.gguf.lhm" ]
	fi
}

# bats test_tags=hostile
@test "damaged weights are found by --info, and damaged tables at once" {
	embed >want
	compile m.gguf
	cp m.gguf.lhm good
	flip() { perl -e 'open F, "+<", $ARGV[0]; seek F, $ARGV[1], 0; read F, $b, 1; seek F, $ARGV[1], 0; print F chr(255 - ord $b)' m.gguf.lhm "$1"; }
	flip $(($(stat -c %s good) - 5000))
	run -2 --separate-stderr lh-embed --engine gguf --model m.gguf --info
	[ "$stderr" = "lh-embed: $PWD/m.gguf.lhm: damaged: its weights have another checksum" ]
	cp good m.gguf.lhm
	flip 4100
	unused 'damaged: part 0 has another checksum'
	cp good m.gguf.lhm
	flip 30
	unused 'damaged: the header has another checksum'
	head -c 100000 good >m.gguf.lhm
	unused "100000 bytes, not $(stat -c %s good)"
	head -c 100 good >m.gguf.lhm
	unused 'truncated'
	: >m.gguf.lhm
	unused 'not a compiled model'
	cp m.gguf m.gguf.lhm
	unused 'not a compiled model'
	run -2 --separate-stderr lh-embed --engine gguf --model good in
	[ "$stderr" = 'lh-embed: "good" is an unknown model' ] || [ -n "$stderr" ]
}

# bats test_tags=full
@test "each number of the header and the tables that is wrong is refused with its reason" {
	wrong() {
		local field=$1 value=$2 message=$3
		echo "$field $value"
		"$UNIT/aid_compiled" set good x.lhm "$field" "$value"
		run -2 --separate-stderr lh-embed --engine gguf --model x.lhm in
		[[ $stderr == "lh-embed: x.lhm: "$message ]] || { echo "$field $value: $stderr"; return 1; }
	}
	model m.gguf --tokenizer t5
	compile m.gguf -o good
	size=$(stat -c %s good)
	few='its weights are too few for its sizes'
	parameters='its parameters are not those of a model'
	while IFS='|' read -r field value message; do
		wrong "$field" "$value" "$message"
	done <<-END
		magic|0|not a compiled model
		version|6|compiled by another version, 6, not 5
		byte_order|0x04030201|compiled in the other byte order
		file_bytes|4096|$size bytes, not 4096
		source.name|65|its model has no name
		part[0].at|0|part 0 is at 0, not 4096
		part[13].at|0xfffffffffffff000|part 13 is at 18446744073709547520, not *
		part[0].bytes|0x8000000000000000|part 0 ends after the file
		part[13].bytes|0xffffffffffffffff|part 13 ends after the file
		part[13].bytes|0|its parts do not end with the file
		encoder.architecture|3|$parameters
		encoder.pooling|4|$parameters
		encoder.layers|0|$parameters
		encoder.layers|1024|a matrix has no packing
		encoder.layers|1|its weights are too many for its sizes
		encoder.width|0|$parameters
		encoder.width|1048576|$few
		encoder.context|0|$parameters
		encoder.heads|0|$parameters
		encoder.heads|5|attention.head_count_kv does not divide the number of heads
		encoder.heads|64|$few
		encoder.kv_heads|0|$parameters
		encoder.kv_heads|2|its weights are too many for its sizes
		encoder.head|0|$parameters
		encoder.rotated|15|the width of a head is odd: rotary embeddings need pairs
		encoder.rotated|17|$parameters
		encoder.window|1048577|$parameters
		encoder.dense|64|$parameters
		encoder.labels|1|$parameters
		encoder.has|0|$parameters
		encoder.local_base|nan|$parameters
		encoder.feed_forward|0|$parameters
		encoder.feed_forward|1048576|$few
		encoder.experts|1|$parameters
		encoder.epsilon|-1.0|attention.layer_norm_epsilon is negative
		encoder.epsilon|nan|$parameters
		encoder.base|0.0|rope.freq_base is not positive
		encoder.row_type|4|its embeddings are of a wrong type
		encoder.rows|0xffffffff|its embeddings are too few, or incomplete
		tokenizer.first|-2|its special tokens are wrong
		tokenizer.last|0x7fffffffffffffff|its special tokens are wrong
		tokenizer.unknown|0xffffffff|its special tokens are wrong
		tokenizer.longest|0|its special tokens are wrong
		tokenizer.unknown_score|nan|its scores are wrong
		tokenizer.kind|5|its tokenizer is of no known kind
		tokenizer.kind|2|a trie is wrong
		0:1|0x78787878|compiled for another processor, LH_KERNEL or --fast (weights are packed as xxxx, not *)
		1:0|1|its tokens are wrong
		1:1|0|a token is wrong
		2:8|255|a token is wrong
		3:1|0xffffffff|a trie is wrong
		4:3|0x7fffffff|a trie is wrong
		4:1|0|a trie is wrong
		8:3|0x7f800000|its scores are wrong
	END
	model m.gguf --labels 2 --pooling rank
	compile m.gguf -o good
	wrong encoder.labels 0 "$parameters"
	wrong encoder.labels 3 "$parameters"
	wrong encoder.pooling 1 "$parameters"
	wrong encoder.labels 1 'a cross-encoder, which makes scores, not vectors'
	model m.gguf --tokenizer gpt2
	compile m.gguf -o good
	wrong tokenizer.pre 4 'its pairs are wrong'
	wrong 10:3 0x7fffffff 'its pairs are wrong'
	wrong tokenizer.kind 3 'its scores are wrong'
	model m.gguf --tokenizer llama
	compile m.gguf -o good
	wrong tokenizer.kind 2 'its pairs are of a wrong size'
}

# bats test_tags=hostile
@test "a compiled file with any byte changed, and right checksums, is refused or gives vectors" {
	python3 "$ROOT/tests/model/forge.py" model tiny.gguf
	compile tiny.gguf -o tiny.lhm
	run -0 "$UNIT/aid_compiled" bytes tiny.lhm
	[[ $output =~ ^([0-9]+)" refused, "([0-9]+)" used"$ ]] || { echo "$output"; false; }
	[ "${BASH_REMATCH[1]}" -gt 1000 ]
	[ "${BASH_REMATCH[2]}" -gt 100 ]
}

@test "a full disk and a kill leave the old compiled file, or none, and no litter" {
	needs_strace
	for n in 1 2 5 9; do
		run -2 --separate-stderr inject write:error=ENOSPC:when="$n" lh-embed --engine gguf --compile m.gguf
		[ "$stderr" = "lh-embed: $PWD/m.gguf.lhm: write failed: No space left on device" ] || { echo "$stderr"; false; }
		[ ! -e m.gguf.lhm ]
		no_litter
	done
	run -2 inject fsync:error=EIO:when=1 lh-embed --engine gguf --compile m.gguf
	[ ! -e m.gguf.lhm ]
	compile m.gguf
	cp m.gguf.lhm good
	for call in write:signal=KILL:when=3 fsync:signal=KILL:when=1 rename:signal=KILL:when=1; do
		run inject "$call" lh-embed --engine gguf --compile m.gguf
		cmp m.gguf.lhm good || [[ $call == rename* ]]
		[ "$(used)" = "$PWD/m.gguf.lhm" ]
	done
	compile m.gguf
	no_litter
	run -143 inject write:signal=TERM:when=3 lh-embed --engine gguf --compile m.gguf
	no_litter
	[ "$(used)" = "$PWD/m.gguf.lhm" ]
}

@test "two compilers and readers at once: every reader has a whole file or none" {
	embed >want
	for i in 1 2 3; do
		{ for k in 1 2 3; do compile m.gguf || echo compile >>wrong; done; } &
		{ for k in 1 2 3 4 5; do embed 2>>said | cmp - want || echo "reader" >>wrong; done; } &
	done
	wait
	[ ! -e wrong ]
	[ ! -s said ] || { cat said; false; }
	[ "$(used)" = "$PWD/m.gguf.lhm" ]
	no_litter
}

@test "a model replaced while its compiled file is used is read again" {
	model n.gguf --seed 2
	compile m.gguf
	coproc EMBED { lh-embed --engine gguf --model m.gguf 2>said; }
	ask() { echo '{"text":"hello"}' >&"${EMBED[1]}"; read -r -t "$LH_PATIENCE" answer <&"${EMBED[0]}"; }
	ask
	[ "$(jq -r .model <<<"$answer")" = "$(lh-embed --engine gguf --model m.gguf --info | jq -r .model)" ]
	mv n.gguf m.gguf
	ask
	[ "$(jq -r .model <<<"$answer")" = "$(lh-embed --engine gguf --model m.gguf --info 2>/dev/null | jq -r .model)" ]
	grep -q 'not used (--compile makes it again)' said
	pid=$EMBED_PID
	eval "exec ${EMBED[1]}>&-"
	wait "$pid"
}

# cut_short FILE COMMAND... - a filter answers a line; the file is emptied; the next line ends it.
cut_short() {
	local status=0 answer pid file=$1
	cp "$file" whole
	coproc RUN { "${@:2}" 2>said; }
	pid=$RUN_PID
	echo '{"text":"hello","query_text":"hello"}' >&"${RUN[1]}"
	read -r -t "$LH_PATIENCE" answer <&"${RUN[0]}"
	: >"$file"
	echo '{"text":"world","query_text":"world"}' >&"${RUN[1]}"
	wait "$pid" || status=$?
	[ "$status" = 2 ] || { echo "status $status"; return 1; }
	[ "$(wc -l <said)" = 1 ]
	mv whole "$file"
}

@test "a model, a compiled one or an index cut short while it is mapped is one line and exit 2" {
	cut_short m.gguf lh-embed --engine gguf --model m.gguf --once
	[ "$(<said)" = "lh-embed: $PWD/m.gguf: truncated while it was read, or its disk has failed" ]
	compile m.gguf
	cut_short m.gguf.lhm lh-embed --engine gguf --model m.gguf --once
	[ "$(<said)" = "lh-embed: $PWD/m.gguf.lhm: truncated while it was read, or its disk has failed" ]
	lh-gen workers -n 20 | lh-embed | lh-index build a.lhv
	cut_short a.lhv lh-search --once a.lhv
	[ "$(<said)" = "lh-search: $PWD/a.lhv: truncated while it was read, or its disk has failed" ]
}

@test "options that do not go with --compile, and what cannot be compiled, are one line" {
	mkdir folder
	echo x >text.gguf
	while IFS=$'\t' read -r options message; do
		run -2 --separate-stderr lh-embed --engine gguf $options </dev/null
		[ "$stderr" = "lh-embed: $message" ] || { echo "$options: $stderr"; false; }
	done <<-'END'
		--compile m.gguf --model m.gguf	--compile embeds no text: only --output, --fast and --jobs go with it
		--compile m.gguf --info	--compile embeds no text: only --output, --fast and --jobs go with it
		--compile m.gguf in	unexpected operand "in": --compile reads its MODEL alone
		--compile m.gguf -o -	-o -: a compiled model is a file, not a stream (./- if that is its name)
		--compile none.gguf	none.gguf: No such file or directory
		--compile text.gguf	text.gguf: not a GGUF file
		--compile m.gguf -o folder	folder: is a directory, not a regular file
	END
	no_litter
}
