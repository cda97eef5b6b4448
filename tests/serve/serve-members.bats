# What a request can name: every member of every route that is a path, a URL, a bucket, a
# command or the name of a file is listed in served-members.txt, and refused unless it is
# listed as safe.
load ../helper
load ../servers/serve

teardown() {
	stop_serves
	[ -z "${LISTENER:-}" ] || kill "$LISTENER"
}

# listener - whatever connects to PORT_OUT leaves a line in the file connected
listener() {
	python3 - 3>&- <<-'END' &
		import os, socket
		s = socket.create_server(("127.0.0.1", 0))
		open("port.new", "w").write(str(s.getsockname()[1]))
		os.rename("port.new", "port")
		while True:
		    c = s.accept()[0]
		    open("connected", "a").write("x\n")
		    c.close()
	END
	LISTENER=$!
	until_so test -e port
	PORT_OUT=$(cat port)
}

# state - a state with an index, a roster, a key, and datasets; next to it a folder outside
state() {
	mkdir -p s/index outside
	printf '%s\n' '{"id":"a","vector":[1,0],"metadata":{"text":"x"}}' '{"id":"b","vector":[0,1]}' | lh-index build -q s/index/w.lhv
	printf '%s\n' '{"id":"b","vector":[0,1]}' | lh-index build -q s/index/other.lhv
	printf '%s\n' '{"id":"canary","vector":[1,0],"metadata":{"text":"canary"}}' | lh-index build -q outside/secret.lhv
	echo '{"id":"canary","candidate_id":"canary","text":"canary"}' | tee outside/secret.jsonl >outside/secret
	lh-gen workers -n 3 >s/roster.jsonl
	(umask 077 && head -c 32 /dev/urandom >key)
	find outside -type f -exec sha256sum {} + | sort >before
}

# unharmed - nothing outside of the state has changed, and nothing was connected to
unharmed() {
	find outside -type f -exec sha256sum {} + | sort | alike before -
	[ ! -e connected ]
	[ -z "$(find . -name 'made*' -o -name 'pwned*')" ]
}

@test "paths, URLs, buckets, commands and options in any member reach nothing, and are refused where one is named" {
	listener
	state
	echo '{"routes":[{"route":"POST /v1/sql","read":true,"run":["lh-query","--on-error","emit","--catalog","s/catalog"]}]}' >config.json
	export LH_SUBJECT_AUDIT_KEY=$PWD/key AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b LH_S3_ENDPOINT=http://127.0.0.1:$PORT_OUT
	export LH_OLLAMA_URL=http://127.0.0.1:9 LH_RETRIES=0
	operations --config config.json --state s >operations
	start_serve --config config.json --state s
	python3 -B "$ROOT/tests/servers/members.py" "$URL" "$PWD/outside" "$PORT_OUT" operations <"$ROOT/tests/served-members.txt"
	unharmed
}

@test "a manifest that a request stored leads nowhere but into the state's store" {
	listener
	state
	lh-serve --print-config --state s | jq -c '{routes: ([{route: "POST /v1/sql", read: true, run: ["lh-query", "--on-error", "emit", "--catalog", "s/catalog"]}] +
		[.routes[] | select(.run and (.run | index("lh-catalog") | not)) | {route, off: "not in this test"}])}' >config.json
	export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b LH_S3_ENDPOINT=http://127.0.0.1:$PORT_OUT
	start_serve --config config.json --state s
	mkdir -p s/store
	ln -s "$PWD/outside" s/store/link
	n=0
	for key in "$PWD/outside/secret.jsonl" ../../outside/secret.jsonl link/secret.jsonl s3://bucket/secret.jsonl /proc/self/fd/0 . "http://127.0.0.1:$PORT_OUT/x"; do
		n=$((n + 1))
		post /v1/catalog/register "$(jq -nc --arg n "d$n" --arg k "$key" '{name: $n, schema_fingerprint: "f", objects: [{key: $k}]}')" >out
		[ "$(jq -r .manifest.name out)" = "d$n" ]
		code=$(status /v1/sql --json "{\"sql\":\"SELECT * FROM d$n\"}")
		[[ $code == 40[04] ]] || { echo "$key: $code"; return 1; }
	done
	unharmed
}

@test "a request to a configured route names no file of the server, unless the route does" {
	state
	jq -nc '{state: "s", routes: [["POST /any", {}], ["POST /get", {op: "get", file: "got"}] | {route: .[0], members: .[1], run: ["lh-store", "requests", "--files", "--on-error", "emit", "s/store"]}]}' >config.json
	start_serve --config config.json
	printf x | curl -sS -f --data-binary @- -X PUT -H 'Content-Type: application/octet-stream' "$URL/v1/storage/object/k" >out
	for body in '{"op":"put","key":"a","file":"outside/secret"}' '{"op":"get","key":"k","\u0066ile":"made"}' '{"op":"get","key":"k","file":null}'; do
		[ "$(post /any "$body")" = '{"error":"\"file\" is not for requests from outside: it names a file"}' ]
	done
	[ "$(status '/any?file=made' --json '{"op":"get","key":"k"}')" = 400 ]
	[ "$(status '/v1/storage/list?file=made')" = 400 ]
	[ "$(status /any --json '{"op":"head","key":"k"}')" = 400 ]
	post /any '{"op":"get","key":"k"}' | jq -e '.size == 1'
	unharmed
	: >got
	[ "$(status /get --json '{"key":"k"}')" = 200 ]
	[ "$(cat got)" = x ]
}

# listed - the members that the pages of the filters read over HTTP
listed() {
	for filter in $(cut -d '|' -f 1 list | grep -v mcp | sort -u); do
		sed -n '/^\.Sh INPUT/,/^\.Sh OUTPUT/p' "$ROOT/man/$filter.1" | sed -n 's/^\.It Va //p' | tr -d , | tr ' ' '\n' | sed '/^$/d' | sort -u | sed "s/^/$filter /"
	done
}

@test "the list has routes that exist, every tool of lh-mcp, and with the descriptions every member of the filters' pages" {
	mkdir s
	(umask 077; head -c 32 /dev/urandom >key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	(umask 077; echo legal-0123456789abcdef >legal)
	operations --legal-token-file legal --state s >operations
	python3 -B "$ROOT/tests/servers/members.py" --list operations <"$ROOT/tests/served-members.txt" >list
	lh-serve --print-config --state s | jq -r '.routes[].route' | sort >routes
	[ "$(wc -l <routes)" -gt 45 ]
	awk -F '|' '$1 != "mcp" { print $2 }' list | sort -u | alike routes -
	for tool in $(grep '^mcp' list | cut -d '|' -f 2) audit_verify; do echo "$tool"; done | sort -u >have
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' '{"jsonrpc":"2.0","method":"notifications/initialized"}' '{"jsonrpc":"2.0","id":2,"method":"tools/list"}' |
		lh-mcp --state s -q --compat --allow-write playbook_record | jq -r 'select(.id == 2).result.tools[].name' | sort >tools
	alike tools have
	awk -F '|' '{ n = split($4, m, /; */); for (i = 1; i <= n; i++) { split(m[i], w, " "); name = w[1]
		gsub(/[{}?]|\.\.\.|\[[0-9]*\]/, "", name); print $1, name; while (sub(/^[^.]*\./, "", name)) print $1, name } }' list | sort -u >known
	listed | sort -u | comm -13 known - >missing
	[ ! -s missing ] || { cat missing; return 1; }
}
