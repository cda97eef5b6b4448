# lh-serve: what a token may do, and what one learns that may not see everything.
load ../helper
load ../servers/serve

teardown() {
	stop_serves
	unset LH_SUBJECT_AUDIT_KEY
}

# states - the state all with workers of all places, a foreign corpus and a playbook for all, and
# mine with what a token of Ohio may see; and the tokens
states() {
	local s from name
	mkdir -p {all,mine}/{index,playbook}
	lh-gen workers -n 120 --seed 3 | jq -c 'if .state == "OH" then . else . + {only_theirs: 1, canary: "canary"} end' >w.jsonl
	jq -c 'select(.state == "OH")' w.jsonl >oh.jsonl
	jq -c '{query_text: "truck driver in Ohio", answer_id: .id, answer_corpus: "workers", score: 0.9, op: "record", corpus: "playbook_memory"}' w.jsonl >entries
	for s in all mine; do
		[ $s = all ] && from=w.jsonl || from=oh.jsonl
		lh-index build -q --lexical $s/index/workers.lhv $from
		grep -F -f <(jq -r '"\"answer_id\":\"" + .id + "\""' $from) entries | lh-playbook requests -q --indexes $s/index $s/playbook >/dev/null
	done
	cp mine/index/workers.lhv all/index/oh.lhv
	cp mine/index/workers.lhv mine/index/oh.lhv
	echo '{"id":"theirs","text":"canary"}' | lh-index build -q --lexical all/index/foreign.lhv
	for name in read write admin corpora filter; do token "$name"; done
}

# config STATE [MEMBER]... - its configuration, with all tokens
config() {
	cat <<-END
		{"state":"$1",${2:+$2,}"tokens":[{"name":"read","token_file":"read","rights":"read"},{"name":"write","token_file":"write","rights":"write"},
		{"name":"admin","token_file":"admin"},{"name":"corpora","token_file":"corpora","rights":"write","corpora":["oh","playbook_memory"]},
		{"name":"filter","token_file":"filter","rights":"write","corpora":["workers","playbook_memory"],"filter":{"state":"OH"},"purpose":"intake"}]}
	END
}

# as NAME - the option of curl for its token
as() {
	printf -- '-HAuthorization: Bearer %s-0123456789abcdef' "$1"
}

@test "each route, for each right, confined or not, of its own corpus and a foreign one: a table made of the routes" {
	states
	config all >config
	config mine >config.mine
	operations --config config >described
	start_serve --config config.mine
	mine=$URL
	start_serve --config config
	python3 -B "$ROOT/tests/servers/rights.py" "$URL" "$mine" "$ROOT/share/serve/routes.json" described >table || { head -40 table; return 1; }
	tail -n 1 table
	[ "$(sed -n 's/ tried, 0 wrong//p' table)" -gt 500 ]
}

@test "shorthand has its role and place in searches and in what is recorded, by the records that the token may see" {
	mkdir -p s/{index,playbook}
	printf '{"id":"%s","text":"x","role":"%s","city":"%s","state":"%s"}\n' 1 'Reach Truck Driver' Akron OH 2 'Head Baker' Gary IN | lh-index build -q --lexical s/index/workers.lhv
	for name in read write admin corpora filter; do token "$name"; done
	config s >config
	start_serve --config config
	found='.. | objects | select(.query_role or .query_role_missing) | [.query_role, .query_city, .query_state, .query_role_missing]'
	ask() { curl -sS -m "$LH_PATIENCE" "$(as "$1")" --json "$3" "$URL$2" | jq -c "$found"; }
	text='"query_text":"head bakers, Gary IN 06:00"'
	none='[null,null,null,"the text has no role that a record has"]'
	for ways in "/v1/matrix/search {$text,\"corpora\":[\"workers\"]}" "/v1/matrix/retrieve {$text,\"corpora\":[\"workers\"]}" \
		"/v1/vectors/index/workers/search {$text}" "/v1/vectors/search {$text,\"index\":\"workers\"}" \
		"/v1/matrix/playbooks/record {$text,\"answer_id\":\"1\",\"answer_corpus\":\"workers\",\"score\":1}" \
		"/v1/matrix/playbooks/bulk {\"entries\":[{$text,\"answer_id\":\"1\",\"answer_corpus\":\"workers\",\"score\":1}]}" \
		'/mcp {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"head bakers, Gary IN"}}}'; do
		[ "$(ask filter "${ways%% *}" "${ways#* }")" = "$none" ] || { echo "filter: $ways"; return 1; }
		[ "$(ask write "${ways%% *}" "${ways#* }")" = '["Head Baker","Gary","IN",null]' ] || { echo "$ways"; return 1; }
		[ "$(ask filter "${ways%% *}" "${ways#* }")" = "$none" ]
	done
	[ "$(lh-playbook export s/playbook/playbook_memory.lhv | jq -c .role)" = null ]
	# a record that is added is known at once
	curl -sS -m "$LH_PATIENCE" "$(as write)" --json '{"items":[{"id":"3","text":"y","metadata":{"role":"Head Chef","city":"Troy","state":"OH"}}]}' "$URL/v1/vectors/index/workers/add" >answer
	[ "$(ask filter /v1/matrix/search '{"query_text":"Head Chef Troy oh","corpora":["workers"]}')" = '["Head Chef","Troy","OH",null]' ]
}

@test "a row says the token, the user whom a trusted proxy names, and the purpose of the token or the request" {
	states
	(umask 077 && head -c 32 /dev/urandom >key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	config all '"trusted_proxy":["127.0.0.2"],"trusted_user_header":"X-User","token_file":["plain"]' >config
	token plain
	start_serve --config config
	row() { jq -r '.accessor | [.daemon, .token, .purpose] | join(" ")' all/data/_catalog/subjects/w-1.audit.jsonl | tail -n 1; }
	look() { curl -sS -m "$LH_PATIENCE" -o answer -w '%{http_code}' "$(as "$1")" "${@:2}" "$URL/v1/vectors/index/workers/record/w-1"; }
	id=$(jq -r .id oh.jsonl | head -n 1)
	[ "$id" = w-1 ]
	[ "$(look filter --interface 127.0.0.2 -H 'X-User: jane@example.com')" = 200 ]
	[ "$(row)" = 'lh-serve/filter/jane@example.com filter intake' ]
	# a purpose of the token is not replaced, that of a request is taken where there is none
	[ "$(look filter -H 'X-Lakehouse-Purpose: mine')" = 200 ]
	[ "$(row)" = 'lh-serve/filter filter intake' ]
	[ "$(look read -H 'X-Lakehouse-Purpose: a complaint')" = 200 ]
	[ "$(row)" = 'lh-serve/read read a complaint' ]
	# another address names nobody
	[ "$(look read -H 'X-User: mallory')" = 200 ]
	[ "$(row)" = 'lh-serve/read read record' ]
	[ "$(look plain)" = 200 ]
	[ "$(row)" = 'lh-serve token 1 record' ]
	[ "$(look plain --interface 127.0.0.2 -H 'X-User: joe')" = 200 ]
	[ "$(row)" = 'lh-serve/token 1/joe token 1 record' ]
	# by the tools for models, too
	curl -sS -m "$LH_PATIENCE" --interface 127.0.0.2 "$(as filter)" -H 'X-User: jane' --json '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"lookup","arguments":{"id":"w-1"}}}' "$URL/mcp" >answer
	[ "$(row)" = 'lh-serve/filter/jane filter intake' ]
	lh-subject-audit report --dir all/data/_catalog/subjects --html page w-1 >report
	grep -qF 'lh-serve/filter/jane@example.com' page
	# what could be read in two ways in a row is refused
	for bad in 'a/b' 'a b' '' $'\xc3\xa4' "$(printf '%064d' 1)"; do
		[ "$(look filter --interface 127.0.0.2 -H "X-User;" -H "X-User: $bad")" = 400 ]
	done
	[ "$(look filter --interface 127.0.0.2 -H 'X-User: a' -H 'X-User: b')" = 400 ]
	[ "$(look read -H 'X-Lakehouse-Purpose: a' -H 'X-Lakehouse-Purpose: b')" = 400 ]
	[ "$(look read -H "X-Lakehouse-Purpose: $(printf '%064d' 1)")" = 400 ]
	until_so has_lines access 6
	[ "$(jq -r 'select(.user) | .token + " " + .user' access | head -n 2 | xargs)" = 'filter jane@example.com token 1 joe' ]
}

@test "a token that is configured wrongly is an error at the start, and the configuration is printed as it was read" {
	for name in a b; do token $name; done
	wrong() {
		echo "{\"tokens\":[{\"name\":\"a\",\"token_file\":\"a\",$1}]}" >config
		run -2 lh-serve --config config --check
		[[ $output == *"$2"* ]] || { echo "$1: $output"; return 1; }
	}
	wrong '"rights":"root"' 'tokens[0].rights must be "admin", "read" or "write", not "root"'
	wrong '"rights":"admin","corpora":["w"]' '"tokens": a: one with "corpora" or "filter" cannot have all rights'
	wrong '"corpora":[]' 'tokens[0].corpora must not be empty'
	wrong '"corpora":["../w"]' '"tokens": a: "../w" is not the name of a corpus'
	wrong '"filter":{"a":{"nearly":1}}' '"tokens": a: '
	wrong '"filter":[]' 'tokens[0].filter must be an object'
	wrong '"routes":["GET /nowhere"]' '"tokens": a: there is no route "GET /nowhere"'
	wrong '"purpose":"a\nb"' 'tokens[0].purpose must be a text of 1 to 63 visible characters of ASCII'
	wrong '"right":"read"' 'unknown member "right"'
	echo '{"token_file":["b"],"tokens":[{"name":"a","token_file":"a"},{"name":"c","token_file":"b","rights":"read"}]}' >config
	run -2 lh-serve --config config --check
	[ "$output" = 'lh-serve: "tokens": token 1 and c are the same token' ]
	run -2 lh-serve --trusted-user-header X-User --check
	[ "$output" = 'lh-serve: --trusted-user-header: no --trusted-proxy is named, which would send it' ]
	cat >config <<-'END'
		{"trusted_proxy":["10.0.0.1"],"trusted_user_header":"X-User","routes":[{"route":"POST /v1/mine","run":["cat"],"right":"write"}],
		"tokens":[{"name":"a","token_file":"a","rights":"write","corpora":["w"],"filter":{"c":["x",2]},"routes":["POST /v1/mine"],"purpose":"p q"},
		{"name":"b","token_file":"b"}]}
	END
	lh-serve --config config --print-config >printed
	[ "$(jq -c .tokens printed)" = '[{"name":"a","token_file":"a","rights":"write","corpora":["w"],"filter":{"c":["x",2]},"routes":["POST /v1/mine"],"purpose":"p q"},{"name":"b","token_file":"b"}]' ]
	[ "$(jq -c '[.trusted_user_header, (.routes[] | select(.route == "POST /v1/mine").right)]' printed)" = '["X-User","write"]' ]
	lh-serve --config printed --print-config | cmp - printed
}

@test "a configured route needs all rights unless it says less, and is not there for a confined token" {
	states
	config all "\"routes\":[$(filter_route 'POST /a' ''),$(filter_route 'POST /b' '"right":"read"'),$(filter_route 'POST /v1/matrix/search' '')]" >config
	start_serve --config config
	for t in read write admin corpora filter; do
		for path in /a /b /v1/matrix/search; do
			echo "$t $path $(status "$path" "$(as $t)" --json '{}')"
		done
	done >got
	grep -v ' 404$' got | diff - <(printf '%s 200\n' 'read /b' 'read /v1/matrix/search' 'write /b' 'write /v1/matrix/search' 'admin /a' 'admin /b' 'admin /v1/matrix/search')
}
