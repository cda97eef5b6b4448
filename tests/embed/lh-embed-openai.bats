# lh-embed with the openai engine, against a service on loopback that answers
# well, or badly in one way.  What it shares with the ollama engine (deadlines,
# TLS, redirects, caps) is tested there.
load ../helper
load ../embedding
load ../servers/server

setup_file() { share_upstream; }

teardown_file() { stop_upstreams; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	share_log
	unset LH_OPENAI_URL LH_OPENAI_API_KEY
}

teardown() {
	stop_upstreams
	faults_happened
}

# embed [OPTION]... : one thread, this test's service
embed() {
	lh-embed --engine openai --url "$URL" -j1 "$@"
}

@test "texts go to /v1/embeddings and vectors come back in base64, at unit length" {
	texts a b | embed >out
	[ "$(jq -c '[.dimension, .model, (.vector | length)]' out | sort -u)" = '[8,"text-embedding-3-small",8]' ]
	[ "$(jq '.vector | map(. * .) | add | . * 100000 | round' out | sort -u)" = 100000 ]
	[ "$(jq -c '[.path, .model, .texts, .auth]' log)" = '["/v1/embeddings","text-embedding-3-small",["a","b"],null]' ]
}

@test "arrays, any order and no numbers give the same vectors, bit for bit" {
	texts a b c | embed --raw >out
	python3 - <<-'END'
		import hashlib, json
		raw = [hashlib.sha256(b"text-embedding-3-small\0" + t).digest()[:8] for t in (b"a", b"b", b"c")]
		assert [json.loads(line)["vector"] for line in open("out")] == [[(b - 127.5) / 64 for b in r] for r in raw]
	END
	for mode in floats shuffled unnumbered; do
		texts a b c | lh-embed --engine openai --url "$URL/mode/$mode" --raw | cmp - out
	done
}

@test "an address may end in /v1 and slashes, LH_OPENAI_URL is its default" {
	for url in "$URL/" "$URL/v1" "$URL/v1//"; do
		texts a | lh-embed --engine openai --url "$url" >out
	done
	texts a | LH_OPENAI_URL=$URL lh-embed --engine openai >out2
	cmp out out2
	[ "$(jq -r .path log | sort | uniq -c | xargs)" = "4 /v1/embeddings" ]
	LH_OPENAI_URL=h:1 run -2 lh-embed --engine openai <<<'{"text":"a"}'
	[ "$output" = 'lh-embed: LH_OPENAI_URL: "h:1" is not an http:// or https:// address' ]
	LH_OPENAI_URL=h:1 texts a | lh-embed >out
}

@test "the key is taken from the environment or a file, and the file wins" {
	start_upstream --key sk-right --log log
	texts a | LH_OPENAI_API_KEY=sk-right embed >out
	for text in sk-right $'sk-right\n' $'sk-right\r\n'; do
		(umask 077; printf %s "$text" >key)
		texts a | LH_OPENAI_API_KEY=sk-wrong embed --key-file key | cmp - out
	done
	[ "$(jq -r .auth log | sort -u)" = 'Bearer sk-right' ]
}

@test "a key file that is replaced while it runs gives the key of the next texts; gone, they wait" {
	(umask 077; echo sk-one >key; echo sk-two >next)
	coproc EMBED { exec lh-embed --engine openai --url "$URL" -j1 --key-file key --on-error emit 2>/dev/null; }
	pid=$EMBED_PID
	for text in a b c d; do
		case $text in
		b) mv next key ;;
		c) mv key away ;;
		d) mv away key ;;
		esac
		echo '{"text":"'$text'"}' >&"${EMBED[1]}"
		read -r -t "$LH_PATIENCE" line <&"${EMBED[0]}"
		[ "$(jq -c '.error.code // .dimension' <<<"$line")" = "$([ $text = c ] && echo 503 || echo 8)" ]
	done
	exec {EMBED[1]}>&-
	wait "$pid" || [ $? = 1 ]
	[ "$(jq -r .auth log | paste -sd,)" = 'Bearer sk-one,Bearer sk-two,Bearer sk-two' ]
}

@test "a wrong key is what the service says, and asked about once" {
	start_upstream --key sk-right --log log
	LH_OPENAI_API_KEY=sk-wrong fails_saying "$URL/v1/embeddings: HTTP 401: "
	[ "$(wc -l <log)" = 1 ]
	[[ $stderr != *sk-wrong* ]]
}

@test "without a key the service of the default address is not asked" {
	run -2 --separate-stderr lh-embed --engine openai <<<'{"text":"a"}'
	[ -z "$output" ]
	[ "$stderr" = 'lh-embed: --engine: openai needs a key, in LH_OPENAI_API_KEY or by --key-file' ]
	LH_OPENAI_API_KEY='' run -2 --separate-stderr lh-embed --engine openai <<<'{"text":"a"}'
	[[ $stderr == *'needs a key'* ]]
}

@test "a file of keys that others may read, is not a file or breaks the header is refused without being shown" {
	echo sk-secret >key
	chmod 0644 key
	fails_saying "--key-file: key: mode 0644 gives others access" --key-file key
	chmod 0600 key
	fails_saying "--key-file: absent: " --key-file absent
	fails_saying "--key-file: .: " --key-file .
	: >empty
	chmod 0600 empty
	fails_saying "--key-file: empty: no key in it" --key-file empty
	for key in 'sk secret' $'sk\nsecret' $'sk\x1bsecret' 'sk-sécret'; do
		echo "$key" >key
		fails_saying "--key-file: holds white space, control or non-ASCII characters" --key-file key
		[[ $stderr != *cret* ]]
	done
	printf 'sk\0secret' >key
	fails_saying "--key-file: key: holds a NUL byte" --key-file key
	LH_OPENAI_API_KEY=$'a\r\nX-Evil: b' fails_saying "LH_OPENAI_API_KEY: holds white space"
	[ ! -e log ]
	run -2 lh-embed --key-file key <<<'{"text":"a"}'
	[ "$output" = 'lh-embed: --key-file is for engine openai' ]
}

@test "a key that the service quotes is shown as ***, also escaped" {
	URL=$URL/mode/telltale
	LH_OPENAI_API_KEY=sk-secret fails_saying 'HTTP 400: {"error":"bad key ***, I mean ***"}'
	[[ $stderr != *secret* ]]
}

@test "an answer that is not what was asked for is refused, saying which" {
	at=$URL
	while read -r mode message; do
		URL=$at/mode/$mode
		fails_saying "$URL/v1/embeddings: HTTP $message"
	done <<-'END'
		few 200: 1 vector for 2 texts
		many 200: 3 vectors for 2 texts
		ragged 200: vector 2 has dimension 7, those before it 8
		nan64 200: vector 1 is not finite
		twice 200: two vectors of index 0
		beyond 200: vector 2: "index" must be a whole number from 0 to 1
		fraction 200: vector 1: "index" must be a whole number, 0 or more
		bare 200: vector 1: must be an object
		hollow 200: vector 1: missing "embedding" (any value)
		notbase64 200: vector 1: vector is not base64
		odd64 200: vector 1: vector of 5 bytes does not hold whole 32-bit floats
		empty64 200: vector 1: empty vector
		odd 200: no "data" in the answer
		html 200: not JSON at byte 1
		error 500: out of
	END
}

@test "an index and a playbook of this engine ask it again for their queries" {
	start_upstream --key sk-right
	export LH_OPENAI_URL=$URL LH_OPENAI_API_KEY=sk-right
	for t in a b c; do echo "{\"id\":\"$t\",\"text\":\"$t\"}"; done | lh-index build --engine openai small.lhv
	[ "$(lh-index info small.lhv | jq -c '[.engine, .model, .dimension]')" = '["openai","text-embedding-3-small",8]' ]
	[ "$(lh-search -Q b -k 1 small.lhv | jq -r '.results[0].id')" = b ]
	echo '{"query_text":"b","answer_id":"c","answer_corpus":"small","score":1}' | lh-playbook record --engine openai play.lhv >out
	[ "$(lh-search -Q b -k 3 --playbook play.lhv small.lhv | jq -r .playbook_boosted)" = 1 ]
}

@test "an address that only an index names is not sent the key of the environment" {
	unset LH_OPENAI_URL
	for t in a b c; do echo "{\"id\":\"$t\",\"text\":\"$t\"}"; done >in
	lh-index build --engine openai --url "$URL" small.lhv in
	echo '{"query_text":"b","answer_id":"c","answer_corpus":"small","score":1}' >entry
	lh-playbook record --engine openai --url "$URL" play.lhv entry >out
	rm log
	export LH_OPENAI_API_KEY=sk-mine
	for LH_OPENAI_URL in '' http://127.0.0.1:1; do
		export LH_OPENAI_URL
		run lh-search -Q b small.lhv
		[ "$status" -ge 1 ]
		[[ $output == *"the index names $URL, which is not sent your key: set LH_OPENAI_URL to that, if it may be"* ]] || { echo "$output"; false; }
		run lh-index add small.lhv in
		[[ $output == *"which is not sent your key"* ]] || { echo "$output"; false; }
		run -2 lh-playbook record play.lhv entry
		[[ $output == *"which is not sent your key"* ]] || { echo "$output"; false; }
	done
	[ ! -e log ]
	LH_OPENAI_URL=$URL lh-search -Q b -k 1 small.lhv >out
	lh-index add -q --url "$URL" small.lhv in
	lh-playbook record --url "$URL" play.lhv entry >out
	env -u LH_OPENAI_API_KEY lh-search -Q b -k 1 small.lhv >out
	[ "$(jq -r .auth log | sort -u | xargs)" = 'Bearer sk-mine null' ]
}
