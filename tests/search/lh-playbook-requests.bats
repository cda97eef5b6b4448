# lh-playbook requests: the playbooks of a folder, for a server that keeps the process running.
load ../helper
load ../coproc
load ../index

# entry QUERY [MEMBERS] - as JSON.
entry() {
	echo '{"query_text":"'"$1"'","answer_id":"w-1","answer_corpus":"workers","score":0.5'"${2:-}"'}'
}

# record QUERY [MEMBERS] - a request.
record() {
	entry "$1" ',"op":"record"'"${2:-}"
}

request() {
	printf '%s\n' "$@" | lh-playbook requests -q --on-error emit d || [ $? = 1 ]
}

count() {
	lh-playbook list "$1" | wc -l
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir d
}

@test "record answers with the id, and stores what lh-playbook record stores" {
	entry 'Need 3 Welders in Gary IN' ',"tags":["night"],"role":"Welder"' >in
	entry 'é \u0041' >>in
	entry 'é \u0041' ',"score":1' | sed 's/"score":0.5,//' >>in
	lh-playbook record --now 2026-05-03T12:00:00Z own.lhv in | jq -c '{playbook_id}' >want
	jq -c '. + {op: "record", trace_id: "t-1", playbook_id: "x"}' in >requests
	sed 's/^{"query_text":"é A"/{"query_text":"é \\u0041"/' requests >in.d
	lh-playbook requests --now 2026-05-03T12:00:00Z d in.d >got
	diff want got
	diff <(lh-playbook export own.lhv) <(lh-playbook export d/playbook_memory.lhv)
	for member in dimension engine model distance created_at; do
		[ "$(info own.lhv $member)" = "$(info d/playbook_memory.lhv $member)" ]
	done
	[ "$(ls d)" = "$(printf 'playbook_memory.lhv\nplaybook_memory.lhv-log')" ]
}

@test "corpus names the playbook, of a request or of an entry of bulk" {
	request "$(record a)" "$(record b ',"corpus":"x"')" '{"op":"bulk","corpus":"x","entries":['"$(entry c),$(entry d ',"corpus":"y"')"']}' >got
	[ "$(jq -c 'if .results then [.recorded, .failed] else (.playbook_id | length) end' got | paste -sd' ')" = '19 19 [2,0]' ]
	for name in playbook_memory x y; do
		lh-playbook export d/$name.lhv | jq -r .query_text | sort | paste -sd,
	done >got
	diff - got <<-'END'
	a
	b,c
	d
	END
	[ -z "$(lh-playbook export d/y.lhv | jq -r '.corpus // empty')" ]
}

@test "bulk: one bad entry fails alone" {
	request '{"op":"bulk","entries":['"$(entry a),$(entry ''),7,$(entry b ',"tags":[1]'),$(entry c ',"corpus":"../x"'),{},$(entry d)"']}' >got
	[ "$(wc -l <got)" = 1 ]
	jq -r '.results[] | "\(.index) \(.error // "id")"' got >lines
	diff - lines <<-'END'
	0 id
	1 "query_text" must not be empty
	2 must be an object
	3 tags[0] must be a string
	4 "corpus" must be a name of 1 to 128 letters, digits, ".", "_" and "-", without "." at the start
	5 missing "query_text" (string)
	6 id
	END
	[ "$(jq -c '[keys_unsorted, .recorded, .failed]' got)" = '[["results","recorded","failed"],2,5]' ]
	[ "$(jq -r '.results[0] | keys_unsorted | join(" ")' got)" = 'index playbook_id' ]
	[ "$(count d/playbook_memory.lhv)" = 2 ]
	request '{"op":"bulk","entries":['"$(entry '')"']}' >got
	diff - got <<<'{"results":[{"index":0,"error":"\"query_text\" must not be empty"}],"recorded":0,"failed":1}'
}

@test "a request that is wrong is 400, and makes no playbook" {
	while IFS= read -r line; do
		request "$line" >got
		[ "$(jq .error.code got)" = 400 ] || { echo "$line $(cat got)"; return 1; }
	done <<-END
	$(entry a)
	$(record '')
	$(record a ',"score":2' | sed 's/"score":0.5,//')
	$(entry a ',"op":"remove"')
	{"op":"record"}
	{"op":"bulk"}
	{"op":"bulk","entries":[]}
	{"op":"bulk","entries":{}}
	{"op":"bulk","corpus":5,"entries":[$(entry a)]}
	END
	for name in '""' '"."' '".."' '"../x"' '"/etc/x"' '"a/b"' '".a"' '"a\u0000"' '"a b"' "\"$(printf '%0129d' 0)\"" 5; do
		request "$(record a ',"corpus":'"$name")" '{"op":"bulk","corpus":'"$name"',"entries":['"$(entry a)"']}' | jq .error.code | paste -sd' ' >got
		[ "$(cat got)" = '400 400' ] || { echo "$name $(cat got)"; return 1; }
	done
	[ -z "$(ls -A d)" ]
	[ "$(ls | paste -sd' ')" = 'd got' ]
}

@test "requests sees playbooks that others make, remove, replace and compact" {
	serve lh-playbook requests --on-error emit d
	ask "$(record a)"
	[ "$(jq -r 'keys | join(" ")' <<<"$answer")" = playbook_id ]
	rm d/*
	ask "$(record b)"
	[ "$(count d/playbook_memory.lhv)" = 1 ]
	lh-playbook record -q d/playbook_memory.lhv <<<"$(entry c)" >out
	lh-index compact d/playbook_memory.lhv
	ask "$(record d)"
	[ "$(count d/playbook_memory.lhv)" = 3 ]
	rm d/*
	lh-playbook record -q --model hash-v1 d/playbook_memory.lhv <<<"$(entry e)" >out
	ask "$(record f)"
	[ "$(info d/playbook_memory.lhv model) $(count d/playbook_memory.lhv)" = 'hash-v1 2' ]
	lh-playbook remove --id "$(jq -r .playbook_id <<<"$answer")" d/playbook_memory.lhv
	ask "$(record g)"
	[ "$(count d/playbook_memory.lhv)" = 2 ]
	finish 0
}

@test "a playbook that is damaged, locked, no playbook or of another engine costs its own entries alone" {
	echo '{"id":"a","text":"b"}' | lh-index build d/index.lhv
	echo '{"id":"a","vector":[1,2]}' | lh-index build d/bare.lhv
	ln -s /tmp d/link.lhv
	request "$(record a ',"corpus":"bad"')" "$(record a ',"corpus":"held"')" >out
	cp d/bad.lhv good
	head -c 50 good >d/bad.lhv
	serve lh-playbook requests --lock-timeout 0 --on-error emit d
	exec 7>>d/held.lhv-lock
	flock 7
	for name in index bare link bad held; do
		ask "$(record b ',"corpus":"'$name'"')"
		jq -r '"\(.error.code) \(.error.message)"' <<<"$answer"
	done >got
	diff - got <<-'END'
	503 playbook "index" is damaged
	409 playbook "bare" has another engine, or none
	503 playbook "link" cannot be used at present
	503 playbook "bad" is damaged
	503 playbook "held" is locked by another writer
	END
	ask '{"op":"bulk","entries":['"$(entry c ',"corpus":"bad"'),$(entry d),$(entry e ',"corpus":"held"')"']}'
	[ "$(jq -c '[.results[].error, .recorded, .failed]' <<<"$answer")" = '["playbook \"bad\" is damaged",null,"playbook \"held\" is locked by another writer",1,2]' ]
	exec 7>&-
	cat good >d/bad.lhv
	ask '{"op":"bulk","entries":['"$(entry c ',"corpus":"bad"'),$(entry d),$(entry e ',"corpus":"held"')"']}'
	[ "$(jq .recorded <<<"$answer")" = 3 ]
	finish 1
	[ "$(count d/bad.lhv) $(count d/held.lhv) $(count d/playbook_memory.lhv)" = '2 2 1' ]
	[ "$(info d/index.lhv length) $(info d/bare.lhv length)" = '1 1' ]
	grep -q 'd/bad.lhv: ' err
}

@test "a folder that vanishes is 503 until it is back" {
	serve lh-playbook requests --on-error emit d
	ask "$(record a)"
	mv d away
	for i in 1 2; do
		ask "$(record b)"
		[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"the folder cannot be read"]' ]
	done
	[ ! -e d ]
	mv away d
	ask "$(record b)"
	[ "$(jq -r 'keys | join(" ")' <<<"$answer")" = playbook_id ]
	finish 1
	[ "$(count d/playbook_memory.lhv)" = 2 ]
	run -2 --separate-stderr lh-playbook requests absent
	[ "$stderr" = 'lh-playbook: absent: No such file or directory' ]
}

@test "a service that fails costs its entries 502, and the process lives on" {
	serve env LH_OLLAMA_URL=http://127.0.0.1:1 lh-playbook requests --engine ollama --on-error emit d
	ask "$(record a)"
	[ "$(jq .error.code <<<"$answer")" = 502 ]
	ask '{"op":"bulk","entries":['"$(entry a)"']}'
	[ "$(jq -c '[.recorded, .failed]' <<<"$answer")" = '[0,1]' ]
	[ -z "$(ls -A d)" ]
	finish 1
}

@test "requests of several playbooks that come at once are stored with one commit each" {
	needs_strace
	for i in {1..300}; do
		record "q$i" ',"corpus":"p'$((i % 12))'"'
	done >in
	request "$(for i in {0..11}; do record x ',"corpus":"p'$i'"'; done)" >out
	strace -f -qq -y -o trace -e trace=fsync lh-playbook requests d in >out
	[ "$(sort -u out | wc -l)" = 300 ]
	[ "$(grep -c 'lhv-log' trace)" -le 24 ]
	for i in {0..11}; do
		[ "$(count d/p$i.lhv)" = 26 ]
	done
}

@test "many requests, one at a time: the log is compacted, and nothing accumulates" {
	serve lh-playbook requests --on-error emit d
	for i in {1..350}; do
		ask "$(record "q$i")"
		[ "$(wc -c <d/playbook_memory.lhv-log)" -lt 600000 ]
	done
	[ "$(find "/proc/$PID/fd" | wc -l)" -lt 20 ]
	finish 0
	[ "$(count d/playbook_memory.lhv)" = 350 ]
	[ "$(info d/playbook_memory.lhv pending)" -le 101 ]
}

@test "two processes and lh-playbook record at once, from nothing: no entry is lost" {
	n=$(scale 80 800)
	for tag in p q; do
		for ((i = 1; i <= n; i++)); do record "$tag $i"; done >"$tag"
	done
	lh-playbook requests d p >p.out &
	one=$!
	lh-playbook requests d q >q.out &
	two=$!
	for ((i = 1; i <= n; i++)); do lh-playbook record -q d/playbook_memory.lhv <<<"$(entry "r $i")"; done >r.out
	wait $one
	wait $two
	lh-playbook list d/playbook_memory.lhv | jq -r .playbook_id | sort >stored
	[ "$(wc -l <stored)" = $((3 * n)) ]
	alike stored <(cat ?.out | jq -r .playbook_id | sort)
	lh-index verify d/playbook_memory.lhv
}

@test "a full disk is 503 for what is not stored, and the next request is recorded" {
	needs_strace
	request "$(record a)" >out
	serve inject pwrite64:error=ENOSPC:when=1 -P d/playbook_memory.lhv-log lh-playbook requests --on-error emit d
	ask '{"op":"bulk","entries":['"$(entry b),$(entry c ',"corpus":"other"'),$(entry '')"']}'
	[ "$(jq -c '[.results[].error]' <<<"$answer")" = '["playbook \"playbook_memory\" cannot be used at present",null,"\"query_text\" must not be empty"]' ]
	grep -q INJECTED trace
	ask "$(record d)"
	[ "$(jq -r 'keys | join(" ")' <<<"$answer")" = playbook_id ]
	finish 0
	[ "$(lh-playbook list d/playbook_memory.lhv | jq -r .query_text | paste -sd' ')" = 'a d' ]
	grep -q 'No space left' err
}

@test "killed at any step, what was answered is there, and the next run goes on" {
	needs_strace
	printf '%s\n' "$(record a)" '{"op":"bulk","entries":['"$(entry b),$(entry c ',"corpus":"x"')"']}' >in
	before_fault() { rm -f d/*; }
	after_fault() {
		cp out answered
		for file in d/*.lhv; do
			[ ! -e "$file" ] || lh-index verify "$file"
		done
		[ ! -s answered ] || [ "$(count d/playbook_memory.lhv) $(count d/x.lhv)" = '2 1' ]
		request "$(cat in)" >out
		[ "$(wc -l <out)" = 2 ]
		[ "$(count d/playbook_memory.lhv) $(count d/x.lhv)" = '2 1' ]
	}
	INJECT=signal=KILL at_each lh-playbook requests d in
	request "$(record a)" >out
	no_litter d
}

@test "a scope confines what is recorded to its playbooks, and to answers that are in it" {
	mkdir -p pb indexes
	printf '%s\n' '{"id":"a-1","text":"welder","client":"acme"}' '{"id":"b-1","text":"nurse","client":"beta"}' | lh-index build -q indexes/w.lhv
	scope='"scope":{"corpora":["w","playbook_memory"],"filter":{"client":"acme"}}'
	entry() { echo '"query_text":"q","answer_id":"'"$1"'","answer_corpus":"'"${2:-w}"'","score":1'; }
	printf '%s\n' "{\"op\":\"record\",$(entry a-1),$scope}" "{\"op\":\"record\",$(entry b-1),$scope}" "{\"op\":\"record\",$(entry none),$scope}" \
		"{\"op\":\"record\",$(entry a-1 other),$scope}" "{\"op\":\"record\",$(entry a-1),\"corpus\":\"theirs\",$scope}" \
		"{\"op\":\"bulk\",\"entries\":[{$(entry b-1)},{$(entry a-1)},{$(entry a-1),\"corpus\":\"theirs\"}],$scope}" |
		lh-playbook requests -q --on-error emit --indexes indexes pb >got 2>/dev/null || [ $? = 1 ]
	jq -c '.error.message // .playbook_id // [.results[] | .error // "recorded"]' got | sed 's/"[0-9a-z-]\{16,\}"/ID/' | diff <(cat <<-'END'
		ID
		"there is no such record in index \"w\""
		"there is no such record in index \"w\""
		"there is no such corpus"
		"there is no playbook \"theirs\""
		["there is no such record in index \"w\"","recorded","there is no playbook \"theirs\""]
	END
	) -
	[ "$(ls pb | grep -v -- - | xargs)" = playbook_memory.lhv ]
	# the scope is no part of what is kept
	lh-playbook list pb/playbook_memory.lhv | jq -c 'keys' | grep -q -v scope
	run ! grep -q acme pb/playbook_memory.lhv
}
