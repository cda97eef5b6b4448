# Whose data an answer of lh-serve or lh-mcp shows: a row in the log of each person, before the
# answer is sent.
load ../helper
load ../servers/serve
load ../servers/server

setup_file() {
	load ../helper
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir -p state/index
	lh-gen workers -n 40 >workers.jsonl
	cp workers.jsonl state/roster.jsonl
	lh-index build -q --lexical state/index/workers.lhv workers.jsonl
	jq -nc 'range(3) | {id: "p\(.)", text: "a product \(.)", metadata: {title: "t"}}' | lh-index build -q state/index/products.lhv -
	# one of them has an id, so all are persons; one more has its id deep inside
	jq -nc '{id: "r1", text: "one", metadata: {person: {candidate_id: "w-1", name: "A"}, notes: "n"}},
		{id: "r2", text: "two", metadata: {notes: "m"}}, {id: "r3", text: "three"}' | lh-index build -q state/index/notes.lhv -
	(umask 077; head -c 32 /dev/urandom >key)
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR/state" s
	export LH_SUBJECT_AUDIT_KEY=$BATS_FILE_TMPDIR/key
	LOGS=s/data/_catalog/subjects
}

teardown() {
	stop_serves
	stop_upstreams
	faults_happened
}

# all_rows [DIR] - who, why and by which trace, of all logs; and that every chain holds
all_rows() {
	lh-subject-audit verify --dir "${1:-$LOGS}" >verified
	[ "$(jq -r .error verified | sort -u)" = null ]
	jq -r '[.candidate_id, .accessor.purpose, .accessor.trace_id] | join(" ")' "${1:-$LOGS}"/*.audit.jsonl | sort
}

# rows [DIR] - those of persons; corpora [DIR] - those of what is asked
rows() { all_rows "$@" | sed '/^corpus:/d'; }
corpora() { all_rows "$@" | sed '/^corpus:/!d'; }

# say PATH BODY TRACE - the status of the answer, which is in the file answer
say() {
	curl -sS -m "$LH_PATIENCE" -o answer -w '%{http_code}' --json "$2" -H "X-Lakehouse-Trace-Id: $3" "$URL$1"
}

@test "each route that shows a person leaves a row, with the caller's trace" {
	start_serve --state s
	[ "$(say /v1/matrix/search '{"query_text":"welder","k":2,"corpora":["workers"]}' t-search)" = 200 ]
	jq -r '.results[].metadata.candidate_id + " matrix_search t-search"' answer >want
	[ "$(say /v1/matrix/retrieve '{"query_text":"welder","k":1,"corpora":["workers"]}' t-retrieve)" = 200 ]
	jq -r '.results[].metadata.candidate_id + " matrix_retrieve t-retrieve"' answer >>want
	vector=$(lh-embed -q --model hash-v1 <<<'{"text":"welder"}' | jq -c .vector)
	[ "$(say /v1/vectors/search '{"index":"workers","vector":'"$vector"',"k":1}' t-vectors)" = 200 ]
	jq -r '.results[].metadata.candidate_id + " vectors_search t-vectors"' answer >>want
	[ "$(say /v1/vectors/index/workers/search '{"vector":'"$vector"',"k":1}' t-index)" = 200 ]
	jq -r '.results[].metadata.candidate_id + " vectors_search t-index"' answer >>want
	[ "$(curl -sS -o answer -w '%{http_code}' -H 'X-Lakehouse-Trace-Id: t-record' "$URL/v1/vectors/index/workers/record/w-7")" = 200 ]
	echo 'w-7 record t-record' >>want
	[ "$(say /mcp '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"lookup","arguments":{"id":"w-8"}}}' t-mcp)" = 200 ]
	echo 'w-8 mcp_lookup t-mcp' >>want
	[ "$(say /v1/validate '{"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-9"}}' t-validate)" = 200 ]
	echo 'w-9 validator_worker_lookup t-validate' >>want
	rows | diff <(sort want) -
	jq -es 'all(.[]; .accessor.daemon == "lh-serve" and .accessor.kind == "gateway_lookup" and .result == "success")' \
		$LOGS/w-7.audit.jsonl $LOGS/w-8.audit.jsonl
	[ "$(jq -r 'select(.accessor.purpose == "record").fields_accessed[]' $LOGS/w-7.audit.jsonl | sort)" = \
		"$(jq -r 'select(.id == "w-7") | keys[] | select(. != "id")' "$BATS_FILE_TMPDIR/workers.jsonl")" ]
	# what shows nobody
	wc -l <want >before
	[ "$(say /v1/matrix/search '{"query_text":"product","k":2,"corpora":["products"]}' t)" = 200 ]
	[ "$(say /v1/embed '{"texts":["candidate_id w-1"]}' t)" = 200 ]
	[ "$(curl -sS -o answer -w '%{http_code}' "$URL/v1/vectors/index/workers/record/nobody")" = 404 ]
	rows | wc -l | diff before -
}

@test "a row, the access log and the report say by which token a client asked, by its name" {
	token planning
	token payroll
	token old
	body='{"query_text":"welder","k":1,"corpora":["workers"]}'
	echo '{"state":"s","listen":["127.0.0.1:0"],"token_file":["old"],"tokens":[{"name":"planning","token_file":"planning"},{"name":"pay-roll","token_file":"payroll"}]}' >config
	chmod 600 config
	[ "$(lh-serve --config config --print-config | jq -c .tokens)" = '[{"name":"planning","token_file":"planning"},{"name":"pay-roll","token_file":"payroll"}]' ]
	start_serve --config config
	for name in planning payroll old; do
		post /v1/matrix/search "$body" -H "Authorization: Bearer $name-0123456789abcdef" >answer
	done
	id=$(jq -r '.results[0].metadata.candidate_id' answer)
	post /mcp '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"welder","k":1,"corpus":"workers"}}}' \
		-H 'Authorization: Bearer payroll-0123456789abcdef' -H 'Accept: application/json' >answer
	[ "$(jq -r '.accessor | .purpose + " " + .token' "$LOGS/$id.audit.jsonl")" = $'matrix_search planning\nmatrix_search pay-roll\nmatrix_search token 1\nmcp_search pay-roll' ]
	[ "$(jq -r '.accessor.token' "$LOGS"/corpus* | paste -sd,)" = 'planning,pay-roll,token 1,pay-roll' ]
	lh-subject-audit verify --dir "$LOGS" >verified
	lh-subject-audit report --dir "$LOGS" --html report.html "$id" >report.json
	grep -qF '<td data-label="Who"><bdi>planning</bdi>, by <bdi>lh-serve/planning</bdi> (<bdi>gateway_lookup</bdi>)</td>' report.html
	[ "$(jq -r '.token // empty' access | paste -sd,)" = 'planning,pay-roll,token 1,pay-roll' ]
	# a filter that writes rows itself says it, too, and takes it from no client
	draft='"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-9"}'
	post /v1/validate "{$draft}" -H "Authorization: Bearer planning-0123456789abcdef" >answer
	[ "$(jq -c '[.accessor.daemon, .accessor.token]' "$LOGS/w-9.audit.jsonl" | sed -n '/validate/p')" = '["lh-validate","planning"]' ]
	[ "$(curl -sS -o answer -w '%{http_code}' --json "{$draft,\"token\":\"pay-roll\"}" -H "Authorization: Bearer planning-0123456789abcdef" "$URL/v1/validate")" = 400 ]
	run ! grep pay-roll "$LOGS/w-9.audit.jsonl"
	for bad in '{"name":"token 1","token_file":"old"}' '{"name":"a","token_file":"old"},{"name":"a","token_file":"payroll"}' '{"name":"a"}' '{"token_file":"old"}' '{"name":"","token_file":"old"}'; do
		echo "{\"state\":\"s\",\"tokens\":[$bad]}" >bad
		run -2 --separate-stderr lh-serve --config bad --check
		echo "$stderr"
	done
}

@test "each route whose operation says that it shows persons leaves a row, and no other does" {
	(umask 077; echo legal-0123456789abcdef >legal)
	echo '{"to":"a@b","subject":"s","body":"hello","candidate_id":"w-4"}' | jq -R '{content: .}' -c >answers
	start_chat --mode replay --body answers
	export LH_OLLAMA_URL=$URL
	jq -nc --arg file "people=$BATS_FILE_TMPDIR/workers.jsonl" '{state: "s", legal_token_file: "legal", routes: [{route: "POST /v1/sql", read: true, run: ["lh-query", "--on-error", "emit", $file]}]}' >config
	mkdir -p s/exports/rag s/log
	echo '{"id":"rag-1","candidate_id":"w-1"}' >s/exports/rag/playbooks.jsonl
	echo '{"timestamp":"2026-05-03T12:00:00Z","source":"scenario","endpoint":"e","success":true,"candidate_id":"w-1"}' >s/log/observer.jsonl
	start_serve --config config
	operations --config config >operations
	vector=$(lh-embed -q --model hash-v1 <<<'{"text":"welder"}' | jq -c .vector)
	# the route, the path that is asked, the body
	cat >asked <<-END
		POST /v1/matrix/search|/v1/matrix/search|{"query_text":"welder","k":1,"corpora":["workers"]}
		POST /v1/matrix/retrieve|/v1/matrix/retrieve|{"query_text":"welder","k":1,"corpora":["workers"]}
		POST /v1/vectors/search|/v1/vectors/search|{"index":"notes","query_text":"two","k":2}
		POST /v1/vectors/index/{index}/search|/v1/vectors/index/workers/search|{"vector":$vector,"k":1}
		GET /v1/vectors/index/{name}/record/{id}|/v1/vectors/index/workers/record/w-7|
		POST /v1/iterate|/v1/iterate|{"kind":"email","prompt":"p","model":"m","context":{"candidate_id":"w-9"}}
		POST /v1/sql|/v1/sql|{"sql":"SELECT candidate_id FROM people LIMIT 1"}
		POST /v1/pathway/add|/v1/pathway/add|{"uid":"a","content":{"candidate_id":"w-1"}}
		POST /v1/pathway/add_idempotent|/v1/pathway/add_idempotent|{"uid":"a","content":{"candidate_id":"w-1"}}
		POST /v1/pathway/update|/v1/pathway/update|{"uid":"a","content":{"candidate_id":"w-2"}}
		POST /v1/pathway/revise|/v1/pathway/revise|{"predecessor_uid":"a","content":{"candidate_id":"w-1"}}
		POST /v1/pathway/get|/v1/pathway/get|{"uid":"a"}
		POST /v1/pathway/history|/v1/pathway/history|{"uid":"a"}
		POST /v1/pathway/search|/v1/pathway/search|{}
		POST /v1/pathway/retire|/v1/pathway/retire|{"uid":"a"}
		GET /v1/observer/stats|/v1/observer/stats|
		GET /v1/audit/subject/{id}|/v1/audit/subject/w-7|
		GET /v1/distill/trace/{id}|/v1/distill/trace/rag-1|
	END
	cut -d '|' -f 1 asked | sort >want
	jq -r 'select(.operation.shows | length > 0).route' operations | sort | alike want -
	# every other route, as served-members.txt asks it
	jq -r .route operations | grep -vxFf want | while read -r route; do
		request=$(awk -F '|' -v route="$route" '$2 == route { print $3; exit }' "$ROOT/tests/served-members.txt")
		path=$(sed 's/.* //; s/{id}/w-7/; s/{[^}]*}/gone/' <<<"$route")
		[[ -z $request || $request == '{'* ]] || { path+="?$request"; request=; }
		echo "$route|$path|$request"
	done >>asked
	n=0
	while IFS='|' read -r route path body; do
		n=$((n + 1))
		args=(-X "${route%% *}" -H "X-Lakehouse-Trace-Id: t-$n" -H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef')
		[ -z "$body" ] || args+=(--json "$body")
		curl -sS -m "$LH_PATIENCE" -o answer "${args[@]}" "$URL$path"
	done <asked
	[ "$n" -gt 45 ]
	rows | sed -n 's/.* t-//p' | sort -un | while read -r n; do sed -n "${n}s/|.*//p" asked; done | sort -u | alike want -
}

@test "one row a person and answer, under the id that is in the record, else under the record's own" {
	start_serve --state s
	curl -sS "$URL/v1/vectors/index/notes/record/r1" >/dev/null
	curl -sS "$URL/v1/vectors/index/notes/record/r2" >/dev/null
	[ "$(say /v1/matrix/search '{"query_text":"three","k":3,"corpora":["notes","products"]}' t)" = 200 ]
	rows | diff - <(printf '%s\n' "r2 matrix_search t" "r3 matrix_search t" "w-1 matrix_search t" "r2 record $(jq -r 'select(.accessor.purpose == "record").accessor.trace_id' $LOGS/r2.audit.jsonl)" \
		"w-1 record $(jq -r 'select(.accessor.purpose == "record").accessor.trace_id' $LOGS/w-1.audit.jsonl)" | sort)
	[ "$(jq -c 'select(.accessor.purpose == "record").fields_accessed | sort' $LOGS/w-1.audit.jsonl)" = '["candidate_id","name","notes","person"]' ]
	[ "$(jq -c 'select(.accessor.purpose == "record").fields_accessed' $LOGS/r2.audit.jsonl)" = '["notes"]' ]
}

@test "a corpus is of persons once one of its first records is, and --persons names others" {
	start_serve --state s --persons products
	curl -sS "$URL/v1/vectors/index/products/record/p1" >/dev/null
	[ -s $LOGS/p1.audit.jsonl ]
	curl -sS --json '{"name":"new","dimension":2}' "$URL/v1/vectors/index" >/dev/null
	curl -sS --json '{"items":[{"id":"n1","vector":[1,0],"metadata":{"a":1}}]}' "$URL/v1/vectors/index/new/add" >/dev/null
	curl -sS "$URL/v1/vectors/index/new/record/n1" | jq -e '.metadata.a == 1'
	[ ! -e $LOGS/n1.audit.jsonl ]
	curl -sS --json '{"items":[{"id":"n2","vector":[0,1],"metadata":{"candidate_id":"x"}}]}' "$URL/v1/vectors/index/new/add" >/dev/null
	[ -s $LOGS/x.audit.jsonl ]
	curl -sS "$URL/v1/vectors/index/new/record/n1" | jq -e '.metadata.a == 1'
	[ -s $LOGS/n1.audit.jsonl ]
}

@test "each line of a body of many has its rows before its answer" {
	start_serve --state s
	for i in {1..30}; do echo '{"query_text":"w-'"$i"'","k":1,"corpora":["workers"]}'; done >body
	curl -sS -H 'Content-Type: application/jsonl' -H 'X-Lakehouse-Trace-Id: t' --data-binary @body "$URL/v1/matrix/search" >answers
	jq -r '.results[].metadata.candidate_id + " matrix_search t"' answers | sort >want
	[ "$(wc -l <want)" = 30 ]
	rows | diff want -
}

@test "what a model was asked about leaves rows: the context, its artifact, answers that failed" {
	printf '%s\n' 'Here: {"fills":[{"candidate_id":"w-3","name":"A"},{"candidate_id":"w-5","name":"B"}]}' \
		'{"fills":[{"candidate_id":"w-4","name":"C"}]}' '{"to":"a@b","subject":"s","body":"hello"}' | jq -R '{content: .}' -c >answers
	start_chat --mode replay --body answers --log calls
	export LH_OLLAMA_URL=$URL
	start_serve --state s
	[ "$(say /v1/iterate '{"kind":"fill","prompt":"p","model":"m","context":{"target_count":1}}' t-fill)" = 200 ]
	[ "$(say /v1/iterate '{"kind":"email","prompt":"p","model":"m","context":{"candidate_id":"w-9"}}' t-email)" = 200 ]
	printf '%s\n' 'w-3 iterate t-fill' 'w-4 iterate t-fill' 'w-5 iterate t-fill' 'w-9 iterate t-email' >want
	rows | diff want -
	[ "$(jq -c .fields_accessed $LOGS/w-4.audit.jsonl)" = '["candidate_id","name"]' ]
	# the console shows them again
	curl -sS "$URL/console/sessions" -H 'X-Lakehouse-Trace-Id: t-console' | jq -e '.sessions | length == 2'
	[ "$(rows | grep -c 'w-4 console_sessions t-console')" = 1 ]
}

@test "without its rows an answer is withheld, or given with --no-audit-required: the loss is reported, counted and no health" {
	mkdir -p $LOGS
	printf '{"torn' >$LOGS/w-7.audit.jsonl
	start_serve --state s --no-audit-required
	[ "$(status /v1/vectors/index/workers/record/w-7)" = 200 ]
	grep -q 'audit log: 1 of 2 rows of an answer of record not written' err
	[ "$(metric lh_serve_audit_rows_missing_total)" = 1 ]
	[ "$(curl -sS -o deep -w '%{http_code}' "$URL/health?deep=1")" = 503 ]
	jq -e '.error == "rows of who looked were not written" and .down == ["audit log"]' deep
	hang_up
	[ "$(status /v1/vectors/index/workers/record/w-8)" = 200 ]
	[ "$(metric lh_serve_audit_rows_missing_total)" = 1 ]
	[ "$(status '/health?deep=1')" = 200 ]
	end_serve
	(umask 077; echo legal-0123456789abcdef0123456789abcdef >legal)
	start_serve --state s --legal-token-file legal
	[ "$(curl -sS -o answer -w '%{http_code}' "$URL/v1/vectors/index/workers/record/w-7")" = 503 ]
	[ "$(cat answer)" = '{"error":"the audit log cannot be written, and there is no answer without it"}' ]
	[ "$(metric lh_serve_audit_rows_missing_total)" = 1 ]
	# an auditor is told where the log is broken, and nothing of what it has
	curl -sS -o answer -H "X-Lakehouse-Legal-Token: $(cat legal)" "$URL/v1/audit/subject/w-7"
	[ "$(cat answer)" = '{"error":"the audit log cannot be written, and there is no answer without it: w-7.audit.jsonl: the last line, at byte 0, is torn; repair the log first"}' ]
	[ "$(status /v1/vectors/index/workers/record/w-8)" = 200 ]
	[ "$(status /v1/vectors/index/products/record/p1)" = 200 ]
	printf '{"torn' | cmp - $LOGS/w-7.audit.jsonl
	# of many lines those alone that show him
	for i in 6 7 8; do echo '{"query_text":"'"$(jq -r 'select(.id == "w-'$i'").text' "$BATS_FILE_TMPDIR/workers.jsonl")"'","k":1,"corpora":["workers"]}'; done >body
	curl -sS -H 'Content-Type: application/jsonl' --data-binary @body "$URL/v1/matrix/search" | jq -c '.code' >codes
	[ "$(xargs <codes)" = 'null 503 null' ]
	curl -sS --json '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"lookup","arguments":{"id":"w-7"}}}' "$URL/mcp" | jq -e '.result.isError'
}

@test "a state of persons does not start without the key; with --no-audit-required the start, a metric and deep health say that looks are not recorded" {
	unset LH_SUBJECT_AUDIT_KEY
	mkdir -p logs/data/_catalog/subjects played/playbook things/index
	: >logs/data/_catalog/subjects/w-1.audit.jsonl
	cp s/index/workers.lhv played/playbook/good.lhv
	cp s/index/products.lhv things/index
	for state in s:index/notes.lhv logs:data/_catalog/subjects played:playbook/good.lhv; do
		for how in --check --print-config --listen=127.0.0.1:0; do
			run -2 --separate-stderr lh-serve --state "${state%:*}" "$how"
			[[ $stderr == "lh-serve: ${state%:*} holds persons (${state#*:}), and no key is named: "* ]]
		done
		run -2 --separate-stderr lh-mcp --state "${state%:*}" </dev/null
		[[ $stderr == *"holds persons (${state#*:}), and no key is named"* ]]
		lh-serve --state "${state%:*}" --no-audit-required --check 2>err
		grep -qx "lh-serve: who looks at persons (${state#*:}) is not recorded: LH_SUBJECT_AUDIT_KEY names no key" err
		lh-mcp --state "${state%:*}" --no-audit-required </dev/null 2>err
		grep -q 'who looks at persons' err
	done
	lh-serve --state things --check
	run -2 lh-serve --state things --persons products --check
	lh-mcp --state things </dev/null
	start_serve --state s
	until_so grep -qx 'lh-serve: who looks at persons (index/notes.lhv) is not recorded: LH_SUBJECT_AUDIT_KEY names no key' err
	[ "$(metric lh_serve_looks_unrecorded)" = 1 ]
	[ "$(curl -sS "$URL/health?deep=1" | jq -c '[.status, .looks]')" = '["ok",{"recorded":false,"reason":"LH_SUBJECT_AUDIT_KEY names no key","persons":"index/notes.lhv"}]' ]
	end_serve
	# persons who come later
	start_serve --state things
	[ "$(metric lh_serve_looks_unrecorded)" = 0 ]
	[ "$(say /v1/vectors/index/products/add '{"items":[{"id":"p9","text":"x","metadata":{"candidate_id":"w-1"}}]}' t)" = 200 ]
	[ "$(curl -sS "$URL/health?deep=1" | jq -r .looks.persons)" = index/products.lhv ]
	grep -q 'who looks at persons (index/products.lhv) is not recorded' err
	[ "$(metric lh_serve_looks_unrecorded)" = 1 ]
}

@test "a key that is another, or cannot be read, is an error at the start; later it stands in the log, in health and in 503 of /ready" {
	(umask 077; head -c 32 /dev/urandom >other; cp "$LH_SUBJECT_AUDIT_KEY" mine; cp mine right)
	chmod 644 other
	start_serve --state s
	[ "$(status /v1/vectors/index/workers/record/w-7)" = 200 ]
	end_serve
	for tool in "lh-serve --check" "lh-serve --listen 127.0.0.1:0" lh-mcp "lh doctor"; do
		folder=--state
		[ "$tool" != "lh doctor" ] || folder=
		chmod 600 other
		LH_SUBJECT_AUDIT_KEY=other run $tool $folder s </dev/null
		[ "$status" != 0 ]
		[[ $output == *'other is another key than that of the logs of who looked in '* ]]
		chmod 644 other
		LH_SUBJECT_AUDIT_KEY=other run $tool $folder s </dev/null
		[ "$status" != 0 ]
		[[ $output == *'other: mode 0644 gives others access'* ]]
	done
	export LH_SUBJECT_AUDIT_KEY=$PWD/mine
	start_serve --state s
	[ "$(status /ready)" = 200 ]
	chmod 600 other
	cp other mine
	[ "$(curl -sS "$URL/health?deep=1" | jq -c '[.status, .down, .looks.recorded, .looks.reason]')" = '["down",["audit key"],false,"is another key than that of the logs of who looked"]' ]
	[ "$(status /ready)" = 503 ]
	[ "$(curl -sS "$URL/health" | jq -r .status)" = degraded ]
	[ "$(status /v1/vectors/index/workers/record/w-7)" = 503 ]
	grep -q "audit log: . of 2 rows of an answer of record not written: w-7.audit.jsonl: the last row, at byte [0-9]*, is not one of its chain: row_hmac mismatch (or is it another key's?)" err
	curl -sS "$URL/health?deep=1" >deep
	[ "$(metric lh_serve_looks_unrecorded)" = 1 ]
	cp right mine
	[ "$(status /v1/vectors/index/workers/record/w-7)" = 200 ]
	curl -sS "$URL/health?deep=1" >deep
	[ "$(status /ready)" = 200 ]
	rm mine
	curl -sS "$URL/health?deep=1" | jq -e '.looks.reason == "cannot be read"'
	[ "$(status /ready)" = 503 ]
}

@test "a folder of the audit that is a file is 503, and nothing is shown" {
	mkdir -p s/data/_catalog
	: >$LOGS
	start_serve --state s
	for ask in '/v1/validate|{"kind":"fill","artifact":{"fills":[{"candidate_id":"w-3","name":"x"}]},"context":{"target_count":1}}' \
		'/v1/matrix/search|{"query_text":"welder","k":1,"corpora":["workers"]}'; do
		[ "$(say "${ask%%|*}" "${ask#*|}" t)" = 503 ]
		[ "$(cat answer)" = '{"error":"the audit log cannot be written, and there is no answer without it"}' ]
	done
}

@test "a client that leaves and a new configuration do not end the server while rows are being appended" {
	lh-serve --print-config | jq -c '{ audit_required: false, routes: ([.routes[] | { route, off: "not in this test" }]
		+ [{ route: "POST /echo", run: ["cat"], depth: 8, read: true, max_body: "16M" }]) }' >config
	# what is freed is overwritten, so that its use shows
	MALLOC_PERTURB_=165 GLIBC_TUNABLES=glibc.malloc.tcache_count=0 start_serve --state s --config config
	[ "$(status /echo --json '{"candidate_id":"w-1"}')" = 200 ]
	append=$(pgrep -P "$SERVE" -f 'lh-subject-audit append')
	PYTHONPATH=$ROOT/tests patiently python3 -B - "$append" <<-'END'
	from http_raw import *
	import signal, struct
	append, serve = int(sys.argv[1]), int(os.environ["SERVE"])
	def until(what):
	    end = time.monotonic() + PATIENCE
	    while not what():
	        must(time.monotonic() < end)
	        time.sleep(0.01)
	def says(what):
	    return what in open(os.environ["SERVE_ERR"]).read()
	os.kill(append, signal.SIGSTOP)
	c = Client()
	body = b'{"a":"' + b"x" * (12 << 20) + b'"}\n{"candidate_id":"w-1"}\n'
	c.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jsonl\r\nContent-Length: %d\r\n\r\n" % len(body), body)
	c.more()                                        # the first line is being sent; the filter answers in order
	must(ask("POST", "/echo", b"{}").status == 200)
	os.kill(serve, signal.SIGHUP)
	until(lambda: says("configuration read again"))
	c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
	c.close()
	until(lambda: open(os.environ["SERVE_LOG"]).read().count("\n") == 3)
	os.kill(append, signal.SIGKILL)
	until(lambda: says("1 of 1 row of an answer of echo not written"))
	must(ask("POST", "/echo", b"{}").status == 200)
	END
	end_serve
}

@test "an id that no log can have is no answer with --audit-required" {
	jq -nc '{id: "e", text: "t", metadata: {candidate_id: ""}}, {id: "d", text: "t", metadata: {candidate_id: ".x"}},
		{id: "n", text: "t", metadata: {candidate_id: 7}}' | lh-index build -q s/index/odd.lhv -
	start_serve --state s --audit-required
	for id in e d; do
		[ "$(status /v1/vectors/index/odd/record/$id)" = 503 ]
	done
	[ "$(status /v1/vectors/index/odd/record/n)" = 200 ]
	[ "$(ls $LOGS | sed /^corpus/d)" = 7.audit.jsonl ]
}

@test "rows are on disk before the answer is sent, or synced not at all with --audit-sync none" {
	for mode in none batch each; do
		rm -rf s/data
		strace -qq -y -f -e trace=fsync,fdatasync -o trace lh-serve --state s --listen 127.0.0.1:0 --audit-sync $mode >access 2>err 3>&- &
		SERVES+=($!)
		until_so grep -q 'listening on' err
		URL=$(sed -n 's/.*listening on //p' err)
		curl -sS --json '{"query_text":"welder","k":5,"corpora":["workers"]}' "$URL/v1/matrix/search" | jq -e '.results | length == 5'
		grep -c 'sync.*audit.jsonl' trace >"$mode" || true
		[ "$(rows | wc -l)" = 5 ]
		pkill -TERM -P $!
		wait $! || true
		rm err
	done
	[ "$(cat none)" = 0 ]
	[ "$(cat batch)" -ge 5 ]
	[ "$(cat each)" -ge 5 ]
}

@test "a server that is killed has sent no answer without its row" {
	start_serve --state s
	for i in {1..40}; do
		curl -sS -m "$LH_PATIENCE" "$URL/v1/vectors/index/workers/record/w-$i" 2>/dev/null | jq -r '.id // empty' >>answered || true
		[ "$i" != 20 ] || { kill -s KILL "$SERVE"; break; }
	done
	[ "$(wc -l <answered)" -ge 19 ]
	while read -r id; do
		jq -es --arg id "$id" 'any(.[]; .candidate_id == $id)' "$LOGS/$id.audit.jsonl"
	done <answered
}

@test "the audit is on with a key alone, in the folder of --audit-log, and wants a key" {
	cp "$LH_SUBJECT_AUDIT_KEY" 'my key'
	export LH_SUBJECT_AUDIT_KEY='my key'
	start_serve --state s --audit-log logs
	[ "$(say /v1/validate '{"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-9"}}' t)" = 200 ]
	[ "$(status /v1/vectors/index/workers/record/w-7)" = 200 ]
	[ "$(cd logs; echo w*)" = 'w-7.audit.jsonl w-9.audit.jsonl' ]
	[ ! -e $LOGS ]
	end_serve
	unset LH_SUBJECT_AUDIT_KEY
	start_serve --state s
	[ "$(status /v1/vectors/index/workers/record/w-7)" = 200 ]
	[ ! -e $LOGS ]
	run -2 --separate-stderr lh-serve --state s --audit-required --check
	[[ $stderr = *'--audit-required: no key: name its file by LH_SUBJECT_AUDIT_KEY'* ]]
	run -2 --separate-stderr lh-serve --state s --audit-log logs --check
	[[ $stderr = *'--audit-log: no key: '* ]]
}

@test "a configuration says where rows are written, and --print-config prints it" {
	echo '{"state":"s","audit_log":"logs","audit_required":true,"audit_sync":"each","persons":["products"]}' >config
	lh-serve --config config --print-config >printed
	[ "$(jq -c '[.audit_log, .audit_required, .audit_sync, .persons]' printed)" = '["logs",true,"each",["products"]]' ]
	lh-serve --config printed --print-config | cmp - printed
	start_serve --config config
	[ "$(status /v1/vectors/index/products/record/p1)" = 200 ]
	[ -s logs/p1.audit.jsonl ]
	echo '{"state":"s","audit_sync":"often"}' >config
	run -2 lh-serve --config config --check
}

@test "reports and the health are compared with the anchor that the configuration names, or the newest of that folder" {
	(umask 077; echo legal-0123456789abcdef >legal)
	for id in w-7 w-7 w-8; do jq -nc --arg id $id '{candidate_id: $id, accessor: {kind: "gateway_lookup", daemon: "t", purpose: "p"}, fields_accessed: [], result: "success"}'; done |
		lh-subject-audit append --dir $LOGS >rows
	mkdir anchors
	lh-subject-audit anchor --dir $LOGS >anchors/anchor-20260102T000000Z.jsonl
	sed -i '$d' $LOGS/w-7.audit.jsonl
	lh-subject-audit anchor --dir $LOGS >anchors/anchor-20260101T000000Z.jsonl
	audit() { curl -sS -o answer -w '%{http_code}' -H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef' "$URL/v1/audit/$1"; }
	for anchor in anchors anchors/anchor-20260102T000000Z.jsonl anchors/anchor-20260101T000000Z.jsonl ''; do
		jq -nc --arg anchor "$anchor" '{state: "s", legal_token_file: "legal"} + if $anchor == "" then {} else {audit_anchor: $anchor} end' >config
		lh-serve --config config --print-config >printed
		[ "$(jq -r '.audit_anchor // ""' printed)" = "$anchor" ]
		start_serve --config printed --listen 127.0.0.1:0
		case $anchor in
		anchors|*02T*)
			[ "$(audit subject/w-7)" = 503 ]
			jq -e '.error | test("contradicts its anchor: anchor: expected 2 rows")' answer
			[ "$(audit health)" = 503 ]
			;;
		*)
			[ "$(audit subject/w-7)" = 200 ]
			[ "$(audit health)" = 200 ]
			;;
		esac
		end_serve
	done
	# a folder without one, and what is no anchor, are no verdict
	rm anchors/*
	echo '{"state":"s","legal_token_file":"legal","audit_anchor":"anchors"}' >config
	start_serve --config config
	[ "$(audit subject/w-7)" = 503 ]
	[ "$(jq -r .error answer)" = "the log cannot be read at present" ]
	run -2 --separate-stderr lh-subject-audit verify --dir $LOGS --against anchors
	[ "$stderr" = "lh-subject-audit: anchors: no anchor-TIME.jsonl is in it" ]
}

@test "a filter behind another command, as nice, has the key of the audit" {
	printf '{"routes":[{"route":"POST /v1/validate","run":["nice","lh-validate","--wire","--roster","s/roster.jsonl","--audit-log","%s","--audit-required","--on-error","emit","-q"]}]}\n' "$LOGS" >config
	start_serve --state s --config config
	[ "$(say /v1/validate '{"kind":"sms","artifact":{"to":"+13125550100","body":"Shift at 6"},"context":{"candidate_id":"w-1"}}' t-nice)" = 200 ]
	[ "$(jq -r '.accessor.daemon' "$LOGS/w-1.audit.jsonl")" = lh-validate ]
}

@test "a configured lh-validate that takes no --audit-log answers where there is a key, and leaves no row" {
	echo '{"type":"object","required":["n"]}' >schema.json
	jq -nc '{state: "s", routes: [{route: "POST /v1/schema", run: ["lh-validate", "--schema", "schema.json", "--on-error", "emit"]}, {route: "POST /v1/errors", run: ["lh-validate", "--normalize-errors", "--on-error", "emit"]}]}' >config
	start_serve --config config
	[ "$(say /v1/schema '{"n":1}' t)" = 200 ]
	[ "$(say /v1/errors '{"Kind":"schema","Field":"a","Reason":"b"}' t)" = 200 ]
	run ! grep -F 'ended with status' err
	run ! compgen -G "$LOGS/*"
}

@test "lh-mcp finds its key and its folder as lh-serve does" {
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}' \
		'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"lookup","arguments":{"id":"p1","corpus":"products"}}}' \
		'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"search","arguments":{"query":"two","corpus":"notes","k":1}}}' |
		patiently lh-mcp --state s --persons products >out
	[ "$(jq -r .accessor.purpose $LOGS/p1.audit.jsonl)" = mcp_lookup ]
	[ "$(jq -rs 'map(.accessor.purpose) | unique[]' $LOGS/*.audit.jsonl | xargs)" = 'mcp_lookup mcp_search' ]
}

# unnamed SQL - whether lh-query says that the answer shows persons without their ids
unnamed() {
	jq -nc --arg sql "$1" '{$sql}' | lh-query --attribute workers="$BATS_FILE_TMPDIR/workers.jsonl" products=p.jsonl
}

# bats test_tags=full
@test "lh-query --attribute marks rows of persons without candidate_id, in doubt too, but no counts" {
	jq -nc 'range(3) | {id: "p\(.)", title: "t", worker: "w-\(. + 1)"}' >p.jsonl
	while read -r want sql; do
		unnamed "$sql" >got
		jq -e --argjson want "$want" '.rows and (.unnamed // false) == $want' got >/dev/null || { echo "$sql"; cat got; return 1; }
	done <<-'END'
	false select count(*) from workers
	false select count(*), sum(1) as n from workers where city <> ''
	true select avg(length(name)) a from workers
	true select sum(unicode(substr(name, 1, 1))) from workers where candidate_id = 'w-3'
	true select sum(name) from workers where candidate_id = 'w-3'
	true select sum(name) from (select name from workers limit 1)
	true select total(name) from workers, json_each('[1]') each
	false select sum(name), avg("name") r, count(name), total(1) from workers
	false select title from products
	false select p.title from products p join workers w on w.candidate_id = p.worker
	false select * from workers
	false select candidate_id, name from workers
	false select candidate_id, upper(name) from workers
	false select w.candidate_id, w.name, p.title from products p join workers w on w.candidate_id = p.worker
	false with x as (select name from workers) select count(*) from x
	false select name from workers where name = 'nobody'
	false explain query plan select name from workers
	true select name from workers
	true select role, count(*) from workers group by role
	true select max(name) from workers
	true select candidate_id, max(name) from workers
	true select candidate_id, lag(name) over (order by name) from workers
	true select 'w-1' as candidate_id, name from workers
	true select candidate_id as who from workers
	true select phone as candidate_id from workers
	true select a.candidate_id, b.name from workers a, workers b
	true select a.candidate_id, b.name from workers a, "workers" b
	true select candidate_id, (select name from workers limit 1) from workers
	true select candidate_id from workers union select phone from workers
	true with x as (select name from workers) select name from x
	true select count(*) || name from workers
	true select count(*) over (partition by name), name from workers
	true select (select name from workers limit 1)
	true select /* count(*) from */ name from workers
	true select count(*), name as "count(*)" from workers
	false with x as (select city from workers) select count(*) n, sum(1) from x
	true with x as (select * from workers) select a.candidate_id, b.name from x a, x b
	true with x as (select * from workers) select candidate_id, (select name from x limit 1) from x
	true select candidate_id, sum(length(name)) over (order by name rows between 1 following and 1 following) from workers
	true select each.value from workers, json_each(json_array(name)) each
	true select candidate_id, each.value from workers, json_each((select json_group_array(phone) from workers)) each
	false select candidate_id, each.value from workers, json_each(json_array(name)) each
	END
	# a byte order mark is blank
	unnamed $'select a.candidate_id, b.name from workers a, \xef\xbb\xbfworkers b' | jq -e .unnamed
	unnamed $'select candidate_id from workers \xef\xbb\xbfunion select phone from workers' | jq -e .unnamed
	unnamed 'select title from products' | jq -e 'has("unnamed") | not'
	jq -nc '{sql: "select title from products"}' | lh-query --attribute --persons products products=p.jsonl | jq -e .unnamed
	unnamed 'select name from workers' | jq 'del(.unnamed, .tables)' | cmp - <(jq -nc '{sql: "select name from workers"}' | lh-query workers="$BATS_FILE_TMPDIR/workers.jsonl" | jq .)
}

@test "an error of SQL shows no value of a person" {
	jq -nc '{id: "p1", title: "ball"}' >p.jsonl
	run ! unnamed "select json_extract('{}', name) from workers"
	[[ $output == *'"message":"the statement failed on a table of persons; the reason is left out, since it may show them"'* ]]
	for name in $(jq -r '.name | @json' "$BATS_FILE_TMPDIR/workers.jsonl" | tr -d '" ' | sort -u); do
		[[ $output != *"$name"* ]]
	done
	run ! unnamed "select json_extract('{}', title) from products"
	[[ $output == *"near 'ball'"* ]]
	run ! unnamed 'select nam from workers'
	[[ $output == *'no such column: nam (did you mean name?)'* ]]
}

@test "rows of SQL are those of the column candidate_id; without it they are withheld with --audit-required" {
	mkdir -p s/store s/catalog
	lh-ingest -q --store s/store --catalog s/catalog --name workers "$BATS_FILE_TMPDIR/workers.jsonl" >/dev/null
	echo '{"state":"s","routes":[{"route":"POST /v1/sql","run":["lh-query","--catalog","s/catalog","--store","s/store","--on-error","emit"]}]}' >config
	start_serve --config config --no-audit-required
	[ "$(say /v1/sql "{\"sql\":\"select candidate_id, name from workers where candidate_id in ('w-1', 'w-2')\"}" t)" = 200 ]
	rows | diff - <(printf '%s\n' 'w-1 sql t' 'w-2 sql t')
	[ "$(jq -c .fields_accessed $LOGS/w-1.audit.jsonl)" = '["candidate_id","name"]' ]
	[ "$(say /v1/sql '{"sql":"select count(*) as n from workers"}' t)" = 200 ]
	[ "$(cat answer)" = '{"columns":[{"name":"n","type":"BIGINT"}],"rows":[[40]],"row_count":1}' ]
	[ ! -s err ] || run ! grep audit err
	[ "$(say /v1/sql '{"sql":"select name from workers limit 1"}' t)" = 200 ]
	jq -e '.row_count == 1 and (has("unnamed") | not)' answer
	grep -q 'audit log: an answer of sql shows persons without their candidate_id' err
	end_serve
	start_serve --config config
	[ "$(say /v1/sql '{"sql":"select name from workers limit 1"}' t)" = 503 ]
	[ "$(say /v1/sql '{"sql":"select count(*) as n from workers"}' t)" = 200 ]
	[ "$(rows | wc -l)" = 2 ]
}

@test "an answer of thousands of persons has a row of each, more than requests may wait" {
	mkdir -p s/store s/catalog
	lh-gen workers -n 3000 >many.jsonl
	lh-ingest -q --store s/store --catalog s/catalog --name workers many.jsonl >/dev/null
	echo '{"state":"s","queue":16,"audit_sync":"none","audit_required":true,"routes":[{"route":"POST /v1/sql","run":["lh-query","--catalog","s/catalog","--store","s/store","--on-error","emit"]}]}' >config
	start_serve --config config
	[ "$(say /v1/sql '{"sql":"select candidate_id from workers"}' t)" = 200 ]
	[ "$(find $LOGS -name 'w-*.audit.jsonl' | wc -l)" = 3000 ]
}

@test "look-ups of a configured lh-validate, and of lh-mcp with --key-file alone, leave rows" {
	echo '{"state":"s","routes":[{"route":"POST /v1/validate","run":["lh-validate","--wire","--roster","s/roster.jsonl","--on-error","emit"],"trace":true}]}' >config
	start_serve --config config
	[ "$(say /v1/validate '{"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-9"}}' t)" = 200 ]
	rows | diff - <(echo 'w-9 validator_worker_lookup t')
	end_serve
	unset LH_SUBJECT_AUDIT_KEY
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}' \
		'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"validate","arguments":{"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-8"}}}}' |
		patiently lh-mcp --state s --key-file "$BATS_FILE_TMPDIR/key" --audit-log logs >out
	[ "$(jq -c .accessor.token logs/w-8.audit.jsonl)" = null ]
	[ "$(jq -r .accessor.purpose logs/w-8.audit.jsonl)" = validator_worker_lookup ]
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}' \
		'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"validate","arguments":{"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-7"}}}}' |
		LH_SUBJECT_AUDIT_KEY=$BATS_FILE_TMPDIR/key patiently lh-mcp --state s --audit-log logs >out
	[ -s logs/w-7.audit.jsonl ]
}

# logged - how many rows there are
logged() { find s -name '*.audit.jsonl' -exec cat {} + | wc -l; }

# bisect PATH BODY - ask for the telephone of w-7, which @@ stands for, in three steps: each leaves a
# row, whatever it answers, or has no answer, since its filter has no key behind another program
bisect() {
	local before after guess path
	for guess in 1 5 9; do
		before=$(logged)
		path=${1//@@/$guess}
		if [ -n "$2" ]; then
			curl -sS -m 60 -o answer --json "${2//@@/$guess}" "$URL$path"
		else
			curl -sS -m 60 -o answer "$URL$path"
		fi
		after=$(logged)
		[ "$after" -gt "$before" ] || grep -q 'the filter is busy or down' answer || { echo "# $path ${2//@@/$guess}: $(cat answer) $(cat err)" >&2; return 1; }
	done
}

@test "no route and no tool that reaches persons answers a question without a row, plain or behind another program" {
	(umask 077; echo legal-0123456789abcdef >legal)
	mkdir -p s/store s/catalog
	lh-ingest -q --store s/store --catalog s/catalog --name people "$BATS_FILE_TMPDIR/workers.jsonl" >/dev/null
	lh-index build -q s/index/cp.lhv s/index/products.lhv 2>/dev/null || cp s/index/products.lhv s/index/cp.lhv
	sql='["lh-query","--timeout","25","--max-rows","10000","--catalog","s/catalog","--store","s/store","-j1","-q","--on-error","emit"]'
	jq -nc --argjson sql "$sql" '{state: "s", legal_token_file: "legal", routes: [{route: "POST /v1/sql", read: true, run: $sql}]}' >plain
	lh-serve --config plain --print-config | jq -c '{state, legal_token_file, routes: [.routes[] | select(.run and (.route | test("storage|ingest|subject|witness") | not))
		| {route, run: (["nice"] + .run), read, trace, members} | with_entries(select(.value != null))]}' >behind
	filter='"metadata_filter":{"candidate_id":"w-7","phone":{"gte":"@@"}}'
	cat >asked <<-END
		POST /v1/matrix/search|/v1/matrix/search|{"query_text":"x","corpora":["workers"],"k":1,"explain":true,"exclude_ids":["w-7"],$filter}
		POST /v1/matrix/search|/v1/matrix/search|{"query_text":"x","corpora":["workers"],"k":0,"metadata_filter":{"phone":{"gte":"@@"}}}
		POST /v1/matrix/search|/v1/matrix/search|{"query_text":"x","corpora":["workers"],"metadata_filter":{"no_such":"@@"}}
		POST /v1/matrix/retrieve|/v1/matrix/retrieve|{"query_text":"x","corpora":["workers"],"k":1,"explain":true,"exclude_ids":["w-7"],$filter}
		POST /v1/vectors/search|/v1/vectors/search|{"index":"workers","query_text":"x","k":1,"explain":true,"exclude_ids":["w-7"],$filter}
		POST /v1/vectors/index/{index}/search|/v1/vectors/index/workers/search|{"query_text":"x","k":1,"explain":true,"exclude_ids":["w-7"],$filter}
		GET /v1/vectors/index/{name}/record/{id}|/v1/vectors/index/workers/record/w-7@@|
		GET /v1/vectors/index/{name}|/v1/vectors/index/workers|
		POST /v1/vectors/index/{src}/merge|/v1/vectors/index/cp/merge|{"dest":"workers"}
		POST /v1/vectors/index/{name}/add|/v1/vectors/index/workers/add|{"items":[{"id":"w-7@@","vector":[1]}]}
		POST /v1/validate|/v1/validate|{"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-7@@"}}
		POST /v1/iterate|/v1/iterate|{"kind":"email","prompt":"p","model":"m","context":{"candidate_id":"w-7@@"}}
		POST /v1/sql|/v1/sql|{"sql":"select count(*) from people where candidate_id = 'w-7' and phone >= '@@'"}
		POST /v1/sql|/v1/sql|{"sql":"select 1 from people where phone >= '@@' limit 1"}
		POST /v1/sql|/v1/sql|{"sql":"select name from people where phone >= '@@'"}
		POST /v1/sql|/v1/sql|{"sql":"select sum(unicode(substr(phone, 1, @@))) from people where candidate_id = 'w-7'"}
		POST /v1/sql|/v1/sql|{"sql":"select json(phone) from people where phone >= '@@'"}
	END
	asked_tools() {
		cat <<-END
			search {"query":"x","corpus":"workers","k":1,"filter":{"candidate_id":"w-7","phone":{"gte":"@@"}}}
			search {"query":"x","corpus":"workers","k":1,"filter":{"no_such":"@@"}}
			lookup {"id":"w-7@@"}
			lookup {"id":"w-7@@","corpus":"workers"}
			validate {"kind":"email","artifact":{"to":"a@b","body":"hello"},"context":{"candidate_id":"w-7@@"}}
			query_sql {"sql":"select count(*) from people where phone >= '@@'"}
			query_sql {"sql":"select json(phone) from people where phone >= '@@'"}
		END
	}
	# the routes that name an index, show records of one, or are of a roster or of SQL
	operations --config plain | jq -r 'select(.route | test("playbooks|DELETE|catalog|POST /v1/vectors/index$|ingest") | not)
		| select(([.operation.paths[]?.member] | any(test("^(corpora|index|name|src)"))) or (.operation.shows | index("rows"))
		or (.route | test("/validate|/iterate"))) | .route' | sort >want
	cut -d '|' -f 1 asked | sort -u | alike want -
	for config in plain behind; do
		start_serve --config $config
		while IFS='|' read -r _ path body; do
			bisect "$path" "$body"
		done < <(drawn 8 <asked)
		while read -r tool arguments; do
			bisect /mcp "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"$tool\",\"arguments\":$arguments}}"
		done < <(asked_tools | drawn 4)
		# a search of things leaves none
		before=$(logged)
		[ "$(say /v1/matrix/search '{"query_text":"product","corpora":["products"],"explain":true}' t)" = 200 ]
		[ "$(say /v1/vectors/search '{"index":"products","query_text":"product","exclude_ids":["p1"]}' t)" = 200 ]
		[ "$(status /v1/vectors/index/products/record/p1)" = 200 ]
		[ "$(status /v1/vectors/index/products/record/p9)" = 404 ]
		[ "$(logged)" = "$before" ]
		end_serve
	done
	all_rows >/dev/null
}

@test "who records a good answer names the person of it, alone and in bulk, and leaves a row; an answer of things leaves none" {
	start_serve --state s
	entry='"query_text":"welder","answer_corpus":"workers","score":1'
	[ "$(say /v1/matrix/playbooks/record "{$entry,\"answer_id\":\"w-7\"}" t-one)" = 200 ]
	[ "$(say /v1/matrix/playbooks/bulk "{\"entries\":[{$entry,\"answer_id\":\"w-8\"},{$entry,\"answer_id\":\"w-9\"}]}" t-bulk)" = 200 ]
	[ "$(say /v1/matrix/playbooks/record '{"query_text":"ball","answer_corpus":"products","answer_id":"p1","score":1}' t)" = 200 ]
	rows | alike - <(printf '%s\n' 'w-7 matrix_playbooks_record t-one' 'w-8 matrix_playbooks_bulk t-bulk' 'w-9 matrix_playbooks_bulk t-bulk')
}

@test "a command before a tool that has --files is refused files alike, and one of which nothing is known is an error at the start" {
	unset LH_SUBJECT_AUDIT_KEY
	mkdir -p st d
	echo inside >d/file
	printf '#!/bin/sh\nexec lh-store requests --files d/st "$@"\n' >says
	printf '#!/bin/sh\nexec lh-store requests --files d/st\n' >silent
	chmod 755 says silent
	tool='"lh-store","requests","--files","-q","--on-error","emit","d/st"'
	for run in "[$tool]" "[\"nice\",$tool]" "[\"env\",\"A=b\",$tool]" "[\"timeout\",\"600\",$tool]" "[\"nice\",\"env\",$tool]" "[\"$PWD/says\"]"; do
		echo "{\"state\":\"st\",\"routes\":[{\"route\":\"POST /a\",\"run\":$run}]}" >config
		start_serve --config config
		[ "$(say /a '{"op":"put","key":"k","file":"d/file"}' t)" = 400 ]
		jq -e '.error | test("names a file")' answer
		case $run in
		*says*) until_so grep -q '^lh-serve: "POST /a": its command, .*/says, says that it is lh-store$' err ;;
		'["lh-store"'*) run ! grep 'says that it is' err ;;
		*) until_so grep -q '^lh-serve: "POST /a": its command, [a-z]*, says that it is lh-store$' err ;;
		esac
		end_serve
	done
	for run in "[\"$PWD/silent\"]" '["sh","-c","exec lh-store requests --files d/st"]' '["cat","--files"]' '["env","cat","--files=x"]'; do
		echo "{\"state\":\"st\",\"routes\":[{\"route\":\"POST /a\",\"run\":$run}]}" >config
		run -2 --separate-stderr lh-serve --config config --check
		[[ $stderr == *'clients could name any file (--files): "POST /a": its command, '*' does not describe itself'* ]]
	done
	[ ! -e d/st/k ]
}

@test "a command that does not say what it does is an error at the start where rows are required, and none reads a file for a client" {
	jq -nc '{state: "s", routes: [{route: "POST /echo", run: ["cat"]}]}' >config
	run -2 --separate-stderr lh-serve --config config --check
	[[ $stderr == *'"POST /echo": its command, cat, does not describe itself (--describe)'* ]]
	run -0 --separate-stderr lh-serve --config config --check --no-audit-required
	[[ $stderr == *'its answers may show persons without a row: "POST /echo": its command, cat, does not describe itself (--describe)'* ]]
	jq -nc '{state: "s", tools: [{name: "t", description: "d", inputSchema: {type: "object"}, run: ["cat"]}]}' >config
	# a tool for models is let alone, and each call of it has a row
	start_serve --config config
	[ "$(say /mcp '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}}' t)" = 200 ]
	corpora | diff - <(echo 'corpus:tool t mcp_t t')
	end_serve
	# behind other programs, one that is known is known, and refuses files by itself
	mkdir -p s/store s/catalog
	echo secret >outside
	printf '#!/bin/sh\nexec "$@"\n' >wrap
	chmod +x wrap
	jq -nc --arg wrap "$PWD/wrap" '{state: "s", routes: [{route: "POST /st", run: ["nice", "lh-store", "requests", "--on-error", "emit", "s/store"]},
		{route: "POST /sh", run: [$wrap, "lh-store", "requests", "--on-error", "emit", "s/store"]},
		{route: "POST /in", run: ["env", "lh-ingest", "--requests", "--store", "s/store", "--catalog", "s/catalog", "--on-error", "emit"]}]}' >config
	for key in "$LH_SUBJECT_AUDIT_KEY" ''; do
		LH_SUBJECT_AUDIT_KEY=$key start_serve --config config
		[ "$(say /st '{"op":"put","key":"a","file":"outside"}' t)" = 400 ]
		[ "$(say /sh '{"op":"put","key":"a","file":"outside"}' t)" != 200 ]
		[ "$(say /in '{"name":"a","file":"outside"}' t)" = 400 ]
		end_serve
	done
	[ -z "$(ls s/store s/catalog | grep -v :)" ]
}

@test "an object of a dataset is not given where rows are required, and leaves one of the dataset elsewhere" {
	mkdir -p s/store s/catalog
	lh-ingest -q --store s/store --catalog s/catalog --name people "$BATS_FILE_TMPDIR/workers.jsonl" >/dev/null
	path=/v1/storage/object/$(cd s/store; echo datasets/people/*)
	echo x >s/store/other
	start_serve --state s
	[ "$(status "$path")" = 403 ]
	[ "$(status "${path/people/%70eople}")" = 403 ]
	[ "$(status /v1/storage/object/other)" = 200 ]
	[ "$(logged)" = 0 ]
	end_serve
	start_serve --state s --no-audit-required
	[ "$(curl -sS "$URL$path" -H 'X-Lakehouse-Trace-Id: t' | zstd -dc | wc -l)" = 40 ]
	corpora | diff - <(echo 'corpus:people storage_object t')
}

@test "the row of a corpus has the hash of what was asked, and its text with decisions_text" {
	mkdir -p s/store s/catalog
	lh-ingest -q --store s/store --catalog s/catalog --name people "$BATS_FILE_TMPDIR/workers.jsonl" >/dev/null
	jq -nc '{state: "s", routes: [{route: "POST /v1/sql", run: ["lh-query", "--catalog", "s/catalog", "--on-error", "emit"]}]}' >config
	start_serve --config config
	statement="select count(*) from people where phone >= '8'"
	[ "$(say /v1/sql "$(jq -nc --arg sql "$statement" '{$sql}')" t)" = 200 ]
	log=$(grep -l '"corpus:people"' $LOGS/*)
	[ "$(jq -r .fields_accessed[] "$log")" = "sha256:$(printf %s "$statement" | sha256sum | cut -d ' ' -f 1)" ]
	end_serve
	jq -c '. + {decisions: true, decisions_text: true}' config >with
	start_serve --config with
	[ "$(say /v1/sql "$(jq -nc --arg sql "$statement" '{$sql}')" t)" = 200 ]
	[ "$(tail -n 1 "$log" | jq -r .fields_accessed[1])" = "text:$statement" ]
}

@test "a person is known by each member that names one, in records and in rows of SQL; the subject of a message and an answer about things name none" {
	jq -nc '{id: "a", metadata: {worker_id: "w-a"}}, {id: "b", metadata: {n: 1}}' | jq -c '. + {text: .id}' | lh-index build -q s/index/crew.lhv -
	jq -nc '{id: "m", text: "m", metadata: {subject: "Shift", to: "x", body: "y"}}' | lh-index build -q s/index/mail.lhv -
	jq -nc '{id: "q", text: "q", metadata: {subject: "w-q"}}' | lh-index build -q s/index/files.lhv -
	jq -nc '{id: "e", text: "e", metadata: {answer_id: "p1", answer_corpus: "products"}}, {id: "f", text: "f", metadata: {answer_id: "w-1", answer_corpus: "workers"}}' | lh-index build -q s/index/book.lhv -
	mkdir -p s/store s/catalog
	jq -nc '{worker_id: "w-a", name: "A"}' >crew.jsonl
	lh-ingest -q --store s/store --catalog s/catalog --name crew crew.jsonl >/dev/null
	jq -nc '{state: "s", routes: [{route: "POST /v1/sql", run: ["lh-query", "--catalog", "s/catalog", "--on-error", "emit"]}]}' >config
	start_serve --config config
	for at in crew/record/a crew/record/b mail/record/m files/record/q book/record/e book/record/f; do
		[ "$(status /v1/vectors/index/$at)" = 200 ]
	done
	rows | cut -d ' ' -f 1,2 | diff - <(printf '%s record\n' b w-1 w-a w-q)
	[ "$(say /v1/sql '{"sql":"select WORKER_ID as worker_id, name from crew"}' t)" = 200 ]
	[ "$(rows | grep -c 'w-a sql t')" = 1 ]
	[ "$(say /v1/sql '{"sql":"select name from crew"}' t)" = 503 ]
	# whom a search names, to find or to leave out, has a row
	[ "$(say /v1/matrix/search '{"query_text":"x","corpora":["workers"],"k":0,"exclude_ids":["w-9"],"metadata_filter":{"candidate_id":["w-8"],"city":"Gary"}}' t-named)" = 200 ]
	rows | sed -n '/t-named/s/ .*//p' | xargs | diff - <(echo w-8 w-9)
}

@test "a request that is refused before a filter is asked shows nobody" {
	(umask 077; echo legal-0123456789abcdef >legal)
	jq -nc '{state: "s", legal_token_file: "legal", routes: [{route: "POST /v1/subject/{id}/find", members: {op: "find"}, run: ["lh-subject", "requests", "--state", "s", "--on-error", "emit"]}]}' >config
	start_serve --config config
	[ "$(curl -sS -o answer -w '%{http_code}' --json '{"x":1}' -H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef' "$URL/v1/subject/w-2/find")" = 400 ]
	[ "$(logged)" = 0 ]
	run ! grep 'audit log' err
}

@test "being of persons is carried by a merge, a move and a new index of that name, and is in the index" {
	jq -nc 'range(3) | {id: "p-\(.)", text: "t", metadata: {ssn: "\(.)"}}' | lh-index build -q s/index/pv.lhv -
	jq -nc '{id: "x", text: "t", metadata: {n: 1}}' | tee x.jsonl | lh-index build -q s/index/cp.lhv -
	start_serve --state s --persons pv --persons fresh
	[ "$(say /v1/vectors/index/pv/merge '{"dest":"cp"}' t)" = 200 ]
	[ "$(status /v1/vectors/index/cp/record/p-1 -H 'X-Lakehouse-Trace-Id: t-p')" = 200 ]
	[ "$(status /v1/vectors/index/cp/record/x -H 'X-Lakehouse-Trace-Id: t-x')" = 200 ]
	[ "$(say /v1/vectors/index '{"name":"fresh","dimension":2}' t)" = 201 ]
	rows | grep 'record t-' | diff - <(printf '%s\n' 'p-1 record t-p' 'x record t-x')
	end_serve
	[ "$(lh-index info s/index/cp.lhv s/index/fresh.lhv s/index/workers.lhv | jq -c .persons | xargs)" = 'true true null' ]
	lh-index verify s/index/cp.lhv
	# and by the commands
	lh-index build -q --of-persons a.lhv x.jsonl
	jq -nc '{id: "y", text: "u"}' | tee y.jsonl | lh-index build -q b.lhv -
	lh-index merge b.lhv a.lhv >out
	lh-index merge made.lhv a.lhv >out
	lh-index build -q c.lhv y.jsonl
	lh-index move c.lhv made.lhv >out
	lh-index build -q --like a.lhv like.lhv y.jsonl
	lh-index dump a.lhv >dumped
	jq -e .of_persons dumped >/dev/null
	lh-index build -q built.lhv dumped
	lh-index build -q added.lhv y.jsonl
	lh-index add -q added.lhv dumped
	[ "$(lh-index dump added.lhv | jq -c .metadata)" = '{"text":"u"}
{"n":1}' ]
	for i in b c like built added; do
		lh-index compact $i.lhv
		[ "$(lh-index info $i.lhv | jq -c .persons)" = true ]
	done
	[ "$(lh-index info b.lhv | jq .length)" = 2 ]
	# of a dataset the manifest says it, which a later record without the member leaves
	echo '{"ssn":"1"}' >t.jsonl
	lh-ingest -q --store s/store --catalog s/catalog --name t --of-persons t.jsonl >/dev/null
	lh-ingest -q --store s/store --catalog s/catalog --name t t.jsonl >/dev/null
	echo '{"sql":"select ssn from t"}' | lh-query --wire --attribute --catalog s/catalog | jq -c '[.tables, .unnamed]' | diff - <(echo '[["t"],true]')
	echo '{"sql":"select * from a"}' | lh-query --wire --attribute a=a.lhv | jq -c '[.tables, .unnamed]' | diff - <(echo '[["a"],true]')
}

@test "a search and a look-up say whose data they used, also where the answer does not show it, and that is taken off" {
	mkdir other
	cp s/index/notes.lhv other/crew.lhv
	jq -nc '{id: "x1", text: "x", metadata: {n: 1}}' | lh-index build -q --of-persons other/own.lhv -
	jq -nc '{state: "s", routes: [
		{route: "POST /v1/bare", read: true, run: ["lh-search", "--wire", "--no-metadata", "other"]},
		{route: "POST /v1/flat", read: true, run: ["lh-search", "--flat", "-k1", "other"]},
		{route: "POST /v1/one", read: true, members: {op: "lookup"}, run: ["lh-index", "requests", "other"]}]}' >config
	start_serve --config config
	[ "$(say /v1/bare '{"query_text":"one","k":1,"corpora":["crew"]}' t-1)" = 200 ]
	run ! grep persons answer
	[ "$(say /v1/bare '{"query_text":"x","k":0,"corpora":["crew"],"exclude_ids":["r1","r9"],"metadata_filter":{"person.candidate_id":"w-1","notes":"n"}}' t-2)" = 200 ]
	[ "$(say /v1/flat '{"query_text":"one","corpora":["own"]}' t-3)" = 200 ]
	[ "$(say /v1/one '{"name":"crew","id":"r1"}' t-4)" = 200 ]
	[ "$(jq -c keys answer)" = '["corpus","id","metadata"]' ]
	[ "$(say /v1/one '{"name":"own","id":"x1"}' t-5)" = 200 ]
	rows | diff - <(printf '%s\n' 'r9 bare t-2' 'w-1 bare t-1' 'w-1 bare t-2' 'w-1 one t-4' 'x1 flat t-3' 'x1 one t-5')
	# what the filters say
	echo '{"query_text":"one","k":1,"exclude_ids":["r3"]}' | lh-search --attribute s/index/notes.lhv | jq -c .persons >said
	echo '{"op":"lookup","name":"products","id":"p1"}' | lh-index requests --attribute s/index | jq -c .persons >>said
	echo '{"op":"lookup","name":"products","id":"p1"}' | lh-index requests --attribute --persons products s/index | jq -c .persons >>said
	alike said - <<-END
		[{"id":"w-1","members":["candidate_id","name","person","notes"]},{"id":"r3","members":["exclude_ids"]}]
		[]
		[{"id":"p1","members":["title"]}]
	END
}
