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
	start_serve --config config.json --state s
	python3 -B "$ROOT/tests/servers/members.py" "$URL" "$PWD/outside" "$PORT_OUT" <"$ROOT/tests/served-members.txt"
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

# listed - the members that the pages of the filters read over HTTP
listed() {
	for filter in $(grep -v '^#' "$ROOT/tests/served-members.txt" | cut -d '|' -f 1 | grep -v mcp | sort -u); do
		sed -n '/^\.Sh INPUT/,/^\.Sh OUTPUT/p' "$ROOT/man/$filter.1" | sed -n 's/^\.It Va //p' | tr -d , | tr ' ' '\n' | sed '/^$/d' | sort -u | sed "s/^/$filter /"
	done
}

@test "the list has every built-in route, every tool of lh-mcp, and every member of the filters' pages" {
	list=$ROOT/tests/served-members.txt
	mkdir s
	(umask 077; head -c 32 /dev/urandom >key)
	lh-serve --print-config --state s | jq -r '.routes[].route' | sort >routes
	grep -v '^#' "$list" | awk -F '|' '$1 != "mcp" { print $2 }' | sort -u >have
	# those whose requests have no members of their own
	sort -u have - >all <<-'END'
		GET /v1/catalog/list
		GET /v1/matrix/corpora
		GET /v1/observer/health
		GET /v1/pathway/stats
		GET /v1/vectors/index
		POST /v1/pathway/add_idempotent
		POST /v1/pathway/history
		POST /v1/pathway/retire
		POST /v1/pathway/update
	END
	alike routes all
	for tool in $(grep '^mcp' "$list" | cut -d '|' -f 2) list_datasets audit_verify; do echo "$tool"; done | sort -u >have
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' '{"jsonrpc":"2.0","method":"notifications/initialized"}' '{"jsonrpc":"2.0","id":2,"method":"tools/list"}' |
		LH_SUBJECT_AUDIT_KEY=key lh-mcp --state s -q --compat --allow-write playbook_record | jq -r 'select(.id == 2).result.tools[].name' | sort >tools
	alike tools have
	awk -F '|' '!/^#/ { n = split($4, m, /; */); for (i = 1; i <= n; i++) { split(m[i], w, " "); name = w[1]
		gsub(/[{}?]|\.\.\.|\[[0-9]*\]/, "", name); print $1, name; while (sub(/^[^.]*\./, "", name)) print $1, name } }' "$list" | sort -u >known
	listed | sort -u | comm -13 known - >missing
	[ ! -s missing ] || { cat missing; return 1; }
}
