# lh-embed with the ollama engine, against a service on loopback that answers
# well, or badly in one way.
# bats file_tags=long
load ../helper
load ../embedding
load ../servers/server

teardown() {
	stop_upstreams
	faults_happened
}

# embed [OPTION]... : one thread, this test's service
embed() {
	lh-embed --engine ollama --url "$URL" -j1 "$@"
}

@test "records get the service's vectors, at unit length" {
	start_upstream --log log
	texts a b | embed > out
	[ "$(jq -c '[.dimension, .model, (.vector | length)]' out | sort -u)" = '[8,"nomic-embed-text",8]' ]
	[ "$(jq '.vector | map(. * .) | add | . * 100000 | round' out | sort -u)" = 100000 ]
	[ "$(jq -c '[.path, .model, .texts]' log)" = '["/api/embed","nomic-embed-text",["a","b"]]' ]
}

@test "--raw keeps the service's magnitude" {
	start_upstream
	texts a | embed --raw > out
	python3 - <<-'END'
		import hashlib, json
		want = [(b - 127.5) / 64 for b in hashlib.sha256(b"nomic-embed-text\0a").digest()[:8]]
		assert json.load(open("out"))["vector"] == want
	END
}

@test "a text that is too long is an error, unless --truncate lets the service cut it" {
	start_upstream --mode short --log log
	run -2 --separate-stderr embed <<<'{"text":"long"}'
	[ -z "$output" ] && [[ $stderr == *'the input length exceeds the context length'*' (--truncate cuts such texts)' ]]
	texts long | embed --truncate --cache cache >out
	[ "$(jq -c .truncate log)" = $'false\nnull' ]
	# what was cut is not what is asked for without the option
	run -2 embed --cache cache <<<'{"text":"long"}'
	run -0 embed --truncate --wire go <<<'{"texts":["long"]}'
}

@test "a request's model goes upstream and into the reply" {
	start_upstream --log log
	run -0 embed --wire rust <<<'{"id":"q","texts":["a"],"model":"nomic-embed-text-v2-moe"}'
	[[ $output == '{"id":"q","embeddings":[['*']],"dimensions":8,"model":"nomic-embed-text-v2-moe"}' ]]
	[ "$(jq -r .model log)" = nomic-embed-text-v2-moe ]
}

@test "with --wire the use of the cache is answered, and no trace id" {
	start_upstream --log log
	printf '%s\n' '{"op":"stats"}' '{"texts":["a","b"],"trace_id":"t"}' '{"op":"stats"}' '{"texts":["a","c","a"]}' '{"op":"stats"}' >in
	embed --wire go --batch 1 --cache-size 2 in >out
	[ "$(sed -n 1p out)" = '{"hits":0,"misses":0,"hit_rate":0,"size":0,"capacity":2}' ]
	[ "$(sed -n 2p out | jq -c keys)" = '["dimension","model","vectors"]' ]
	[ "$(sed -n 3p out)" = '{"hits":0,"misses":2,"hit_rate":0,"size":2,"capacity":2}' ]
	[ "$(sed -n 5p out)" = '{"hits":2,"misses":3,"hit_rate":0.4,"size":2,"capacity":2}' ]
}

@test "--batch texts go in one call, equal ones once, answers in input order" {
	start_upstream --log log
	texts a b a c b d e > in
	embed --batch 4 --cache-size 0 --raw in > out
	[ "$(jq -c .texts log)" = $'["a","b","c"]\n["b","d","e"]' ]
	embed --batch 1 --cache-size 0 --raw in > single
	cmp out single
	[ "$(jq -r .text out | tr -d '\n')" = abacbde ]
}

@test "what was seen is not asked for again" {
	start_upstream --log log
	texts a b a c a d > in
	run -0 --separate-stderr embed -v --batch 2 in
	[ "$(jq -c .texts log | tr -d '\n')" = '["a","b"]["c"]["d"]' ]
	[[ $stderr == *'6 texts, 2 hits, 4 misses, hit rate 33.3 %, '*' texts/s'* ]]
}

@test "one text under two models is two texts" {
	start_upstream --log log
	printf '%s\n' '{"texts":["a"],"model":"m1"}' '{"texts":["a"],"model":"m2"}' '{"texts":["a"],"model":"m1"}' > in
	embed in > out
	[ "$(jq -c .model log | tr -d '\n')" = '"m1""m2"' ]
	[ "$(jq -c .vectors out | sort -u | wc -l)" = 2 ]
}

@test "--cache-size bounds what is remembered" {
	start_upstream --log log
	texts a b c a > in
	embed --batch 1 --cache-size 2 in > out
	[ "$(jq -c .texts log | tr -d '\n')" = '["a"]["b"]["c"]["a"]' ]
}

@test "-j calls are in flight at once, and the order stays" {
	start_upstream --log log --gather 4
	seq 1 24 | sed 's/.*/{"text":"t&"}/' > in
	lh-embed --engine ollama --url "$URL" --batch 2 -j 4 in > out
	[ "$(jq -r .text out | tr '\n' ' ')" = "$(seq -f 't%g' -s ' ' 1 24) " ]
	[ "$(jq .in_flight log | sort -n | tail -n 1)" = 4 ]
}

@test "a text is sent once, however often it comes" {
	start_upstream --log log
	for i in {1..200}; do texts "t$((i * i % 23))"; done > in
	run -0 --separate-stderr lh-embed --engine ollama --url "$URL" --batch 4 -j 1 -v in
	[ "$(jq -r '.texts[]' log | sort | uniq -d | wc -l)" = 0 ]
	[[ $stderr == *"200 texts, 188 hits, 12 misses, hit rate 94.0 %"* ]]
}

# bats test_tags=full
@test "threads that ask for a text at one time get the same vector, and a failure ends them all" {
	for i in {1..400}; do texts a; done > in
	start_upstream
	lh-embed --engine ollama --url "$URL" --batch 1 -j 8 in | jq -c .vector | sort -u >out
	[ "$(wc -l <out)" = 1 ]
	start_upstream --mode error --log log
	run -2 --separate-stderr patiently lh-embed --engine ollama --url "$URL" --batch 1 --retries 0 -j 8 in
	[ -z "$output" ]
	[[ $stderr == *'HTTP 500'* ]]
	[ "$(wc -l <log)" -lt 400 ]
	start_upstream --mode error
	run -1 --separate-stderr patiently lh-embed --engine ollama --url "$URL" --batch 1 --retries 0 -j 6 --on-error emit in
	[ "$(grep -c 'HTTP 500' <<<"$output")" = 400 ]
}

@test "bad records are rejected without bothering the service" {
	start_upstream --log log
	{ texts a; echo '{"text":""}'; echo '{"texts":["b",1]}'; texts c; } > in
	run -1 --separate-stderr embed in
	[ "${#lines[@]}" = 2 ]
	[ "$(jq -c .texts log)" = '["a","c"]' ]
	[ "${stderr_lines[0]}" = "lh-embed: in:2: empty text" ]
}

@test "404 on /api/embed falls back once and for the run" {
	start_upstream --mode legacy --log log
	texts a b c > in
	embed --batch 2 in > out
	[ "$(jq -c '[.path, .texts[0]]' log | tr -d '\n')" = \
		'["/api/embed","a"]["/api/embeddings","a"]["/api/embeddings","b"]["/api/embeddings","c"]' ]
	[ "$(jq '.vector | length' out | sort -u)" = 8 ]
}

@test "404 on both reports the second" {
	start_upstream --mode missing
	fails_saying "$URL/api/embeddings: HTTP 404: {\"error\": \"model"
}

@test "a trailing slash of --url is dropped, LH_OLLAMA_URL is its default" {
	start_upstream --log log
	texts a | lh-embed --engine ollama --url "$URL//" > out
	[ "$(jq -r .path log)" = /api/embed ]
	texts a | LH_OLLAMA_URL=$URL lh-embed --engine ollama > out2
	cmp out out2
}

@test "only http and https are addresses, and --dimension is not for a service" {
	for url in ftp://h file:///etc/passwd h:1 http:// 'http://h/a b'; do
		run -2 lh-embed --engine ollama --url "$url" <<<'{"text":"a"}'
		[[ $output == 'lh-embed: --url: '* ]]
	done
	run -2 lh-embed --engine ollama --url= <<<'{"text":"a"}'
	[ "$output" = 'lh-embed: --url: "" is not an http:// or https:// address' ]
	LH_OLLAMA_URL=h:1 run -2 lh-embed --engine ollama <<<'{"text":"a"}'
	[ "$output" = 'lh-embed: LH_OLLAMA_URL: "h:1" is not an http:// or https:// address' ]
	run -2 lh-embed --engine ollama --dimension 768 <<<'{"text":"a"}'
	[[ $output == *--dimension*hash* ]]
}

@test "a proxy in the environment does not catch loopback" {
	start_upstream
	texts a | http_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 embed > out
	[ "$(jq .dimension out)" = 8 ]
}

# bats test_tags=full
@test "408, 409 and every 5xx are tried again, other statuses are not" {
	for status in 408 409 500 501 599; do
		rm -f log
		start_upstream --mode faint --status $status --log log
		texts a | embed > out
		[ "$(jq .dimension out)" = 8 ]
		[ "$(wc -l < log)" = 3 ]
	done
	for status in 400 404 410 422 600; do
		rm -f log
		start_upstream --mode faint --status $status --log log
		fails_saying "HTTP $status: not now"
		[ "$(jq .path log | sort | uniq -d)" = "" ]
	done
}

@test "the answer to a large batch may be larger than 16 MiB" {
	start_upstream --mode wide
	seq 0 1999 | sed 's/.*/{"text":"t&"}/' >in
	lh-embed --engine ollama --url "$URL" --batch 2000 -j 1 --encoding base64 in >out
	[ "$(wc -l <out)" = 2000 ]
	[ "$(tail -n 1 out | jq .dimension)" = 1024 ]
}

@test "an answer that is not what was asked for is refused, saying which" {
	while read -r mode message; do
		start_upstream --mode "$mode"
		fails_saying "$URL/api/embed: HTTP $message"
		stop_upstreams
	done <<-'END'
		few 200: 1 vector for 2 texts
		many 200: 3 vectors for 2 texts
		ragged 200: vector 2 has dimension 7, those before it 8
		nan 200: a vector that is not finite, at byte
		infinite 200: vector 1:
		null 200: vector 1:
		empty 200: vector 1 is empty
		huge 200: vector 1:
		odd 200: no "embeddings" in the answer
		html 200: not JSON at byte 1
		truncated 200: not JSON at byte
		nocontent 204
		error500 500
	END
	start_upstream --mode garbage
	fails_saying "$URL/api/embed: " --retries 0
}

@test "a dimension that changes from call to call is refused" {
	start_upstream --mode changing
	texts a b > in
	run -2 --separate-stderr embed --batch 1 in
	[ "${#lines[@]}" = 1 ]
	[[ $stderr == *"vector 1 has dimension 8, those before it 7"* ]]
}

@test "what was answered before the service failed is written" {
	start_upstream --mode late
	texts a b c d e f g > in
	run -2 --separate-stderr embed --batch 2 in
	[ "$(jq -r .text <<<"$output" | tr -d '\n')" = abcd ]
	[[ $stderr == *'HTTP 500: tired'* ]]
}

@test "user-info that a service quotes is not shown, neither plainly nor as Basic has it" {
	start_upstream --mode echoauth
	for info in me:s%2Fecret topsecret 'w:p%40:q'; do
		fails_saying 'HTTP 400: Basic ***' --url "http://$info@${URL#http://}"
		[[ $stderr != *s/ecret* && $stderr != *topsecret* && $stderr != *p@:q* ]]
		[[ $stderr != *$(printf 'me:s/ecret' | base64)* && $stderr != *$(printf topsecret | base64)* && $stderr != *$(printf 'w:p@:q' | base64)* ]]
	done
}

@test "a redirect is followed within its scheme, host and port, and stays a POST" {
	for status in 301 302 303 307 308; do
		rm -f log
		start_upstream --log log --status $status
		URL=$URL/mode/redirect
		texts "a$status" | embed > out
		[ "$(jq .dimension out)" = 8 ]
		[ "$(jq -c '[.path, .texts]' log)" = $'["/mode/redirect/api/embed",["a'$status$'"]]\n["/api/embed",["a'$status'"]]' ]
	done
}

@test "a redirect to another scheme, host or port is not followed, with or without a key" {
	start_upstream --log log
	good=$URL port=${URL##*:}
	for to in "$good" "http://localhost:$port" "https://127.0.0.1:$port" ftp://127.0.0.1 file:///etc/passwd; do
		start_upstream --mode redirect --to "$to"
		fails_saying "$URL/api/embed: HTTP 307: a redirect to ${to%/etc/passwd}" --retries 0
		[[ $stderr == *', which is not followed' ]]
	done
	for to in "http://u:secret@127.0.0.1:$port" "http://127.0.0.1:$port#@" "http://127.0.0.1:$port\\@x"; do
		start_upstream --mode redirect --to "$to"
		fails_saying "$URL/api/embed: HTTP 307: a redirect to " --retries 0
		[[ $stderr != *secret* ]]
	done
	[ ! -e log ]
	for to in http://localhost:PORT https://127.0.0.1:PORT; do
		rm -f log
		start_upstream --mode redirect --to "$to" --log log
		fails_saying "$URL/api/embed: HTTP 307: a redirect to " --retries 0
		[ "$(wc -l < log)" = 1 ]
	done
}

@test "redirects in a circle end" {
	start_upstream --mode redirect --to "" --log log
	fails_saying "$URL/api/embed: "
	[[ $stderr == *'more than 5 redirects' ]]
	[ "$(wc -l < log)" = 6 ]
}

@test "an interrupt ends the wait for a service" {
	start_upstream --mode silent --log log
	texts a > in
	timeout --foreground -s KILL "$LH_PATIENCE" lh-embed --engine ollama --url "$URL" --timeout 600 in > out 3>&- &
	pid=$!
	until_so has_lines log 1
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ $status = 143 ]
	[ ! -s out ]
}

@test "where no Ollama answers at its port, the message asks whether it runs" {
	! curl -s -m 5 http://127.0.0.66:11434/ >/dev/null || skip "something listens there"
	run -2 lh-embed --engine ollama --url http://127.0.0.66:11434 --retries 0 <<<'{"text":"t"}'
	[[ $output == *'(is Ollama running? ollama serve)'* ]]
}
