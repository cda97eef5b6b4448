# Which keys the programs get that tools start.
# bats file_tags=quick
load ../helper

KEYS="LH_OPENAI_API_KEY LH_OPENAI_URL LH_OLLAMA_URL LH_KEYS_FILE OLLAMA_CLOUD_KEY LH_OLLAMA_CLOUD_URL OPENROUTER_API_KEY
	LH_OPENROUTER_URL OPENCODE_API_KEY LH_OPENCODE_URL KIMI_API_KEY LH_KIMI_URL http_proxy https_proxy HTTPS_PROXY all_proxy
	ALL_PROXY LH_SUBJECT_AUDIT_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN LH_S3_KEY_FILE LANGFUSE_PUBLIC_KEY LANGFUSE_SECRET_KEY LH_OTLP_TOKEN
	LH_RERANK_API_KEY"

# In a folder of its own each tool is one that notes its environment first.
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir bin
	cp "$LH_BIN"/lh-* bin
	for key in $KEYS; do export "$key=http://name:key-of-$key@127.0.0.1:1"; done
	export LH_SEEN=$PWD/seen OTHER=stays
	mkdir seen
}

# notes TOOL - bin/TOOL notes the environment in seen/TOOL
notes() {
	mv "bin/$1" "bin/$1.real"
	printf '#!/bin/sh\nenv >"$LH_SEEN/%s"\nexec "%s" "$@"\n' "$1" "$PWD/bin/$1.real" >"bin/$1"
	chmod +x "bin/$1"
}

# got TOOL [KEY]... - these and no others were given to it, and all that is not a key
got() {
	local tool=$1
	shift
	[ -s "seen/$tool" ]
	grep -q '^OTHER=stays$' "seen/$tool"
	diff <(printf '%s\n' "$@" | sort) <(grep -F key-of- "seen/$tool" | sed 's/=.*//' | grep . | sort || true)
}

none() {
	got "$1" ''
}

@test "what decodes archives gets no key" {
	notes lh-cat
	lh-gen workers -n 3 | gzip >w.gz
	bin/lh-embed w.gz >out
	[ "$(wc -l <out)" = 3 ]
	run ! grep -F key-of- seen/lh-cat
	grep -q '^OTHER=stays$' seen/lh-cat
	grep -q '^LH_CAT_FRAMES=lines$' seen/lh-cat
}

@test "what embeds gets the keys of its engine and no others" {
	proxies="http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY"
	notes lh-embed
	lh-gen workers -n 3 >in
	bin/lh-index build --engine openai a.lhv in || true
	got lh-embed LH_OPENAI_API_KEY LH_OPENAI_URL $proxies
	bin/lh-index build --engine ollama a.lhv in || true
	got lh-embed LH_OLLAMA_URL $proxies
}

@test "tools that an audit runs get no key, commands that were given all, replays none of services" {
	for tool in lh-materialize lh-distill lh-replay; do notes $tool; done
	lh-gen kb -n 12 --root r
	run -1 bin/lh-audit-full --root r --out report.md --test-command 'env >"$LH_SEEN/test"'
	for tool in lh-materialize lh-distill; do run ! grep -F key-of- seen/$tool; done
	run ! grep -F key-of- seen/lh-replay
	got test $KEYS
	run -1 bin/lh-audit-full --root r --out report.md --phase 7 --replay-command 'env >"$LH_SEEN/replay"'
	run ! grep -F key-of- seen/replay
}

@test "commands that are compared get all keys" {
	echo '{"name":"a","input":{"text":"x"}}' >cases
	bin/lh-parity --per-record --left 'env >"$LH_SEEN/left"; cat' --right 'env >"$LH_SEEN/right"; cat' cases || true
	got left $KEYS
	got right $KEYS
}

@test "what reads objects gets the keys of S3" {
	local keys="AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN LH_S3_KEY_FILE http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY"
	notes lh-cat
	notes lh-store
	run -2 bin/lh-embed s3://bucket/a
	got lh-cat $keys
	got lh-store $keys
}
