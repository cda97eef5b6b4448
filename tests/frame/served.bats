# Filters as a server holds them open: each is a co-process with --on-error emit, and
# lives through bad records, an upstream that is down, and files that change.  What
# clients are to read names no file.
load ../helper
load ../coproc
load ../embedding
load ../servers/server

teardown() {
	stop_upstreams
	if [ -n "${SERVED_PID:-}" ]; then kill "$SERVED_PID" 2>/dev/null || true; fi
}

# said FILTER - what jq makes of the answer.
said() {
	jq -c "$1" <<<"$answer"
}

# code - of the error record; its message may name no file.
code() {
	said '.error | if .message | test("roster|rules|keys|table|jsonl|line") then "a file" else .code end'
}

# status - that of an answer, which is its last member.
status() {
	said '[.status, (keys_unsorted | last)]'
}

@test "lh-validate --wire: 200, 422, 400 and 413 at the end of the answer, or as an error record" {
	echo '{"candidate_id":"w1","name":"Ada","status":"active"}' >roster.jsonl
	serve lh-validate --wire --roster roster.jsonl --max-line 500 --on-error emit
	ask '{"kind":"email","artifact":{"to":"a@b.example","body":"Hello"}}'
	[ "$(status)" = '[200,"status"]' ]
	ask '{"kind":"email","artifact":{"to":"a@b.example","body":"123-45-6789"}}'
	[ "$(status)" = '[422,"status"]' ]
	ask '{"kind":"letter","artifact":{}}'
	[ "$(said keys)" = '["message","status"]' ]
	[ "$(status)" = '[400,"status"]' ]
	ask '{"kind":"email","artifact":null}'
	[ "$answer" = '{"message":"artifact must be an object","status":400}' ]
	ask '{"artifact":{}}'
	[ "$(code)" = 400 ]
	ask '[1]'
	[ "$(code)" = 400 ]
	ask "{\"kind\":\"email\",\"artifact\":{\"to\":\"$(printf '%0600d' 0)\"}}"
	[ "$(said .error.code)" = 413 ]
	fill='{"kind":"fill","artifact":{"fills":[{"candidate_id":"w1","name":"Ada"}]},"context":{"target_count":1}}'
	ask "$fill"
	[ "$(status)" = '[200,"status"]' ]
	echo '{"candidate_id":"w1","name":"Ada","status":"inactive"}' >new
	mv new roster.jsonl
	ask "$fill"
	[ "$(status)" = '[422,"status"]' ]
	echo '{"candidate_id":' >new
	mv new roster.jsonl
	for i in 1 2; do
		ask "$fill"
		[ "$(code)" = 503 ]
	done
	rm roster.jsonl
	ask "$fill"
	[ "$(code)" = 503 ]
	echo '{"candidate_id":"w1","name":"Ada","status":"active"}' >roster.jsonl
	ask "$fill"
	[ "$(status)" = '[200,"status"]' ]
	finish 1
	[ "$(grep -c 'lh-validate: roster.jsonl' err)" = 1 ]
}

@test "lh-iterate: 200, 422, 502 and 504 with their bodies, 400 and 413 as error records" {
	local body='{"to":"a@b.example","body":"Hello"}'
	{ jq -nc --arg c "$body" '{content: $c}'; repeat 2 '{"content":"no"}'; jq -nc --arg c "$body" '{content: $c}'; } >answers
	start_chat --mode replay --body answers --port "$(free_port)"
	export LH_OLLAMA_URL=$URL LH_KEYS_FILE=keys
	(umask 077 && echo 'KIMI_API_KEY' >keys)
	mkdir rules
	serve lh-iterate --retries 0 -j1 --rules rules --session-log sessions.jsonl --max-line 9000 --on-error emit
	request='{"kind":"email","prompt":"p","model":"m","max_iterations":2,"trace_id":"t"}'
	ask "$request"
	[ "$(status)" = '[200,"status"]' ]
	[ "$(said keys_unsorted)" = '["artifact","validation","iterations","history","trace_id","status"]' ]
	ask "$request"
	[ "$(status)" = '[422,"status"]' ]
	[ "$(said keys_unsorted)" = '["error","iterations","history","trace_id","status"]' ]
	ask '{"kind":"email","prompt":"","model":"m"}'
	[ "$(code)" = 400 ]
	ask '{"kind":"letter","prompt":"p","model":"m"}'
	[ "$(code)" = 400 ]
	ask 'x'
	[ "$(said .error.code)" = 400 ]
	ask "$(jq -nc '{kind: "email", model: "m", prompt: ("p" * 9000)}')"
	[ "$(said .error.code)" = 413 ]
	ask '{"kind":"email","prompt":"p","model":"kimi/m"}'
	[ "$(status)" = '[404,"status"]' ]
	[[ $(said .error) == *'unknown provider kimi: it has no key'* ]]
	echo '{"rules":' >rules/a.json
	ask "$request"
	[ "$(code)" = 503 ]
	rm rules/a.json
	ask "$request"
	[ "$(status)" = '[200,"status"]' ]
	ask "$request"
	[ "$(status)" = '[502,"status"]' ]
	stop_upstreams
	ask "$request"
	[ "$(status)" = '[502,"status"]' ]
	[ "$(said keys_unsorted)" = '["error","iterations","history","trace_id","status"]' ]
	[ "$(said '[.iterations, .history, .trace_id]')" = '[1,[],"t"]' ]
	start_chat --port "${URL##*:}" --mode replay --body answers
	ask "$request"
	[ "$(status)" = '[200,"status"]' ]
	finish 1
	[ "$(jq -r .final_verdict sessions.jsonl | sort | uniq -c | awk '{ print $1, $2 }' | xargs)" = '3 accepted 3 infra_error 1 max_iter_exhausted' ]
	start_chat --mode silent
	export LH_OLLAMA_URL=$URL
	run -1 --separate-stderr lh-iterate --timeout 0.5 --retries 0 --on-error emit <<<"$request"
	answer=$output
	[ "$(status)" = '[504,"status"]' ]
}

@test "lh-chat --wire: a bad record, no key, an upstream that is down, a key that changes" {
	start_chat --port "$(free_port)"
	export LH_OLLAMA_URL=$URL LH_KIMI_URL=$URL LH_KEYS_FILE=keys
	unset KIMI_API_KEY
	(umask 077 && echo '# none' >keys)
	serve lh-chat --wire --retries 0 -j1 --on-error emit
	ask '{"model":"m","prompt":"a b"}'
	[ "$(said .content)" = '"b a"' ]
	ask '{"op":"providers"}'
	[ "$(said '[.providers[].name]')" = '["ollama"]' ]
	ask '{"model":"kimi/m","prompt":"a"}'
	[ "$(code)" = 404 ]
	ask '{"model":"m"}'
	[ "$(code)" = 400 ]
	ask '{'
	[ "$(said .error.code)" = 400 ]
	(umask 077 && echo 'KIMI_API_KEY=k' >new)
	mv new keys
	ask '{"op":"providers"}'
	[ "$(said '[.providers[].name]')" = '["kimi","ollama"]' ]
	ask '{"model":"kimi/m","prompt":"a b"}'
	[ "$(said .provider)" = '"kimi"' ]
	(umask 077 && echo 'KIMI_API_KEY' >new)
	mv new keys
	ask '{"model":"kimi/m","prompt":"a"}'
	[ "$(code)" = 404 ]
	chmod 644 keys
	touch -d 2001-01-01 keys
	ask '{"model":"m","prompt":"a"}'
	[ "$(code)" = 503 ]
	rm keys
	ask '{"op":"providers"}'
	[ "$(code)" = 503 ]
	(umask 077 && echo '# none' >keys)
	stop_upstreams
	ask '{"model":"m","prompt":"a"}'
	[ "$(said .error.code)" = 502 ]
	ask '{"op":"providers"}'
	[ "$answer" = '{"providers":[{"name":"ollama","available":false}]}' ]
	start_chat --port "${URL##*:}"
	ask '{"model":"m","prompt":"a b"}'
	[ "$(said .content)" = '"b a"' ]
	finish 1
}

@test "lh-embed --wire: a bad record, and a model that changes, is damaged, gone and back" {
	model one.gguf
	model two.gguf --seed 2
	cp one.gguf model.gguf
	serve lh-embed --wire go --engine gguf --model ./model.gguf --on-error emit
	ask '{"texts":["nurse"]}'
	one=$(said .vectors)
	[[ $one == '[['* ]]
	ask '{"texts":["nurse",""]}'
	[ "$(code)" = 400 ]
	ask '{"text":"nurse"}'
	[ "$(code)" = 400 ]
	ask '{"op":"stats"}'
	[ "$(said .hits)" = 0 ]
	mv two.gguf model.gguf
	ask '{"texts":["nurse"]}'
	[[ $(said .vectors) == '[['* ]]
	[ "$(said .vectors)" != "$one" ]
	head -c 1000 one.gguf >new
	mv new model.gguf
	ask '{"texts":["nurse"]}'
	[ "$(code)" = 503 ]
	rm model.gguf
	ask '{"texts":["nurse"]}'
	[ "$(code)" = 503 ]
	cp one.gguf model.gguf
	ask '{"texts":["nurse"]}'
	[ "$(said .vectors)" = "$one" ]
	finish 1
}
