# lh-index requests: the indexes of a folder, for a server that keeps the process running.
load ../helper
load ../coproc
load ../index

# code LINE - the code of its error.
code() {
	ask "$1"
	jq -r '.error.code // "ok"' <<<"$answer"
}

# request LINE... - the answers of one process.
request() {
	printf '%s\n' "$@" | lh-index requests -q --on-error emit d || [ $? = 1 ]
}

# item ID - with a vector of dimension 2.
item() {
	echo '{"id":"'"$1"'","vector":[1,'${#1}'],"metadata":{"n":'${#1}'}}'
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir d
}

@test "requests answers each operation" {
	serve lh-index requests --on-error emit d
	ask '{"op":"create","name":"a","dimension":2}'
	[ "$answer" = '{"params":{"name":"a","dimension":2,"m":16,"ef_search":64,"distance":"cosine"},"length":0,"status":201}' ]
	ask '{"op":"create","name":"b","dimension":3,"m":8,"ef_search":100,"distance":"euclidean"}'
	[ "$answer" = '{"params":{"name":"b","dimension":3,"m":16,"ef_search":100,"distance":"l2"},"length":0,"status":201}' ]
	[ "$(info d/a.lhv engine)" = null ]
	[ "$(info d/b.lhv distance) $(info d/b.lhv ef_search)" = 'l2 100' ]
	[ "$(code '{"op":"create","name":"a","dimension":2}')" = 409 ]
	ask '{"op":"add","name":"a","items":[{"id":"x","vector":[1,0],"metadata":{"k": [1]}},{"id":7,"vector":"AAAAAAAAgD8="}]}'
	[ "$answer" = '{"added":2,"length":2}' ]
	ask '{"op":"add","name":"a","items":[{"id":"x","vector":[0,2]},{"id":"y","vector":[1,1],"metadata":null}]}'
	[ "$answer" = '{"added":2,"length":3}' ]
	ask '{"op":"get","name":"a"}'
	[ "$answer" = '{"params":{"name":"a","dimension":2,"m":16,"ef_search":64,"distance":"cosine"},"length":3}' ]
	ask '{"op":"list"}'
	[ "$answer" = '{"indexes":[{"params":{"name":"a","dimension":2,"m":16,"ef_search":64,"distance":"cosine"},"length":3},{"params":{"name":"b","dimension":3,"m":16,"ef_search":100,"distance":"l2"},"length":0}],"count":2}' ]
	ask '{"op":"corpora"}'
	[ "$answer" = '{"corpora":[{"name":"a","length":3,"dimension":2},{"name":"b","length":0,"dimension":3}],"count":2}' ]
	ask '{"op":"delete","name":"b"}'
	[ "$answer" = '{"status":204}' ]
	[ "$(code '{"op":"delete","name":"b"}') $(code '{"op":"get","name":"b"}')" = '404 404' ]
	finish 1
	lh-index dump d/a.lhv | jq -c '[.id, .vector, .metadata]' >got
	diff - got <<-'END'
	["7",[0,1],null]
	["x",[0,1],{"k":[1]}]
	["y",[0.70710677,0.70710677],null]
	END
}

@test "add takes texts where the index knows its engine, as lh-index add does, and says whose data they are" {
	lh-gen workers -n 3 | lh-index build -q --lexical d/w.lhv
	cp d/w.lhv by-command.lhv
	printf '%s\n' '{"id":"t1","text":"Welder in Gäry","metadata":{"candidate_id":"w-77","text":"Welder in Gäry"}}' \
		'{"id":"w-1","text":"Nurse\n in Utrecht"}' '{"id":"t3","text":"Cook","metadata":{}}' >in
	lh-index add -q by-command.lhv in
	jq -c -s '{op: "add", name: "w", items: .}' in >ask
	[ "$(lh-index requests -q --attribute --persons w d <ask)" = '{"added":3,"length":5,"persons":[{"id":"w-77","members":["candidate_id","text"]},{"id":"w-1","members":["text"]},{"id":"t3","members":[]}]}' ]
	cmp <(lh-index dump d/w.lhv | sort) <(lh-index dump by-command.lhv | sort)
	[ "$(lh-search --hybrid --flat -k 1 -Q 'Utrecht nurse' d/w.lhv | jq -r .id)" = w-1 ]
	# items with and without vectors, in their order, of many texts
	lh-gen workers -n 400 --seed 3 >many
	lh-embed many | jq -c 'if .id | endswith("7") then {id, vector, metadata: {n: 1}} else {id, text, metadata: {n: 1}} end' |
		jq -c -s '{op: "add", name: "w", items: .}' | lh-index requests -q d | has -F '"added":400'
	lh-index build -q all.lhv many
	for ix in all d/w; do
		lh-index dump $ix.lhv | jq -c 'select(.id | . == "w-7" or . == "w-8" or . == "w-300") | [.id, .vector]' >$(basename $ix).vectors
	done
	cmp <(sort all.vectors) <(sort w.vectors)
}

@test "lookup gives one record as it is now, after changes by itself and by others" {
	lh-gen workers -n 3 >in
	lh-index build -q d/w.lhv in
	serve lh-index requests --on-error emit d
	id=$(jq -r .id in | sed -n 2p)
	ask '{"op":"lookup","name":"w","id":"'"$id"'"}'
	alike <(jq -cS . <<<"$answer") <(lh-index dump d/w.lhv | jq -cS 'select(.id == "'"$id"'") | {corpus: "w", id, metadata}')
	ask '{"op":"lookup","name":"w","id":"none"}'
	[ "$(jq -r '"\(.error.code) \(.error.message)"' <<<"$answer")" = '404 there is no such record in index "w"' ]
	ask '{"op":"lookup","name":"none","id":"x"}'
	[ "$(jq -r '"\(.error.code) \(.error.message)"' <<<"$answer")" = '404 there is no index "none"; known: "w"' ]
	[ "$(code '{"op":"lookup","name":"w","id":""}') $(code '{"op":"lookup","name":"../w","id":"x"}')" = '400 400' ]
	ask '{"op":"create","name":"a","dimension":2}'
	ask '{"op":"add","name":"a","items":[{"id":7,"vector":[1,0],"metadata":{"k": [1]}},{"id":"é/\"","vector":[1,1]}]}'
	ask '{"op":"lookup","name":"a","id":7}'
	[ "$answer" = '{"corpus":"a","id":"7","metadata":{"k": [1]}}' ]
	ask '{"op":"lookup","name":"a","id":"\u00e9/\""}'
	[ "$answer" = '{"corpus":"a","id":"é/\""}' ]
	lh-index delete -q d/a.lhv --id 7
	[ "$(code '{"op":"lookup","name":"a","id":7}')" = 404 ]
	echo '{"id":"7","vector":[0,1],"metadata":{"k":2}}' | lh-index build -q d/a.lhv -
	ask '{"op":"lookup","name":"a","id":"7"}'
	[ "$answer" = '{"corpus":"a","id":"7","metadata":{"k":2}}' ]
	ask '{"op":"delete","name":"a"}'
	[ "$(code '{"op":"lookup","name":"a","id":"7"}')" = 404 ]
	cp d/w.lhv d/a.lhv
	ask '{"op":"lookup","name":"a","id":"'"$id"'"}'
	[ "$(jq -r .id <<<"$answer")" = "$id" ]
	ask '{"op":"lookup","id":"'"$id"'"}'
	[ "$(jq -r .corpus <<<"$answer")" = a ]
	rm d/a.lhv
	ask '{"op":"lookup","id":"'"$id"'"}'
	[ "$(jq -r .corpus <<<"$answer")" = w ]
	ask '{"op":"lookup","id":"none"}'
	[ "$(jq -r '"\(.error.code) \(.error.message)"' <<<"$answer")" = '404 there is no such record in any index' ]
	printf 'no index' >d/a.lhv
	ask '{"op":"lookup","name":"a","id":"'"$id"'"}'
	[ "$(jq -r '"\(.error.code) \(.error.message)"' <<<"$answer")" = '503 index "a" is damaged' ]
	run ! grep -F "$PWD" <<<"$answer"
	finish 1
}

@test "an index with a graph is created, filled and listed" {
	request '{"op":"create","name":"a","dimension":64,"layout":"qg"}' >out
	diff - out <<<'{"params":{"name":"a","dimension":64,"m":16,"ef_search":64,"distance":"cosine"},"length":0,"status":201}'
	request '{"op":"create","name":"b","dimension":2,"m":32,"distance":"l2","layout":"qg"}' '{"op":"create","name":"c","dimension":2,"m":20}' | jq .params.m >out
	[ "$(paste -sd' ' out)" = '32 32' ]
	lh-gen workers -n 1100 | lh-embed --dimension 64 | jq -c -s '{op: "add", name: "a", items: map({id, vector})}' >add
	lh-index requests d <add >out
	diff - out <<<'{"added":1100,"length":1100}'
	lh-index compact d/a.lhv
	[ "$(info d/a.lhv layout) $(info d/a.lhv format) $(info d/a.lhv pending)" = 'qg 4 0' ]
	lh-index verify d/a.lhv
	request '{"op":"get","name":"a"}' '{"op":"list"}' | jq -r '.params.name, (.indexes[]?.params.name)' >out
	[ "$(paste -sd, out)" = 'a,null,a,b,c' ]
}

@test "requests adds what lh-index add adds: the same log" {
	rows 1 3 | lh-index build e.lhv
	cp e.lhv d/e.lhv
	rows 3 4 >in
	printf '%s\n' '{"id":"r1","vector":[1,1,1,1,1,1,1,1]}' '{"id":"r2","vector":[1,1,1,1,1,1,1,2],"metadata":{}}' '{"id":"r2","vector":[1,1,1,1,1,1,1,3]}' >>in
	lh-index add e.lhv in
	jq -c -s '{op: "add", name: "e", items: .}' in | lh-index requests d >out
	diff - out <<<'{"added":5,"length":4}'
	cmp e.lhv-log d/e.lhv-log
}

@test "an item that is wrong is named by its number, and nothing of its request is added" {
	request '{"op":"create","name":"a","dimension":2}' '{"op":"create","name":"l","dimension":2,"distance":"l2"}' >/dev/null
	good=$(item ok)
	while IFS='|' read -r code message bad; do
		request "{\"op\":\"add\",\"name\":\"a\",\"items\":[$good,$bad,$good]}" >out
		[ "$(jq -r '"\(.error.code)|\(.error.message)"' out)" = "$code|$message" ] || { cat out; return 1; }
	done <<-END
	400|items[1]: dimension 3, expected 2|{"id":"a","vector":[1,2,3]}
	400|items[1]: zero vector has no direction (cosine)|{"id":"a","vector":[0,-0.0]}
	400|items[1]: vector: element 1 is beyond single precision|{"id":"a","vector":[1,1e39]}
	400|items[1]: vector holds NaN or infinity|{"id":"a","vector":"AACAPwAAwH8="}
	400|items[1]: vector is not base64|{"id":"a","vector":"%"}
	400|items[1]: empty vector|{"id":"a","vector":[]}
	400|items[1]: missing "vector" (array of numbers or base64) or "text"|{"id":"a"}
	400|items[1]: the index has no engine to embed text with: give a vector|{"id":"a","text":"t"}
	400|items[1].text must not be empty|{"id":"a","text":""}
	400|items[1].vector must be an array of numbers or base64|{"id":"a","vector":{}}
	400|missing items[1].id (string or number)|{"vector":[1,2]}
	400|items[1]: empty id|{"id":"","vector":[1,2]}
	400|items[1].id must be a string or number|{"id":[],"vector":[1,2]}
	400|items[1].metadata must be an object|{"id":"a","vector":[1,2],"metadata":[]}
	400|items[1] must be an object|7
	413|items[1]: id of 1025 bytes: at most 1024|{"id":"$(printf '%01025d' 0)","vector":[1,2]}
	END
	[ ! -e d/a.lhv-log ]
	request '{"op":"add","name":"a","items":[]}' '{"op":"add","name":"a"}' '{"op":"add","name":"a","items":{}}' | jq -r .error.code >out
	[ "$(paste -sd' ' out)" = '400 400 400' ]
	request "{\"op\":\"add\",\"name\":\"l\",\"items\":[{\"id\":\"z\",\"vector\":[0,0]}]}" >out
	diff - out <<<'{"added":1,"length":1}'
	# a model that is not that of the index
	lh-gen workers -n 3 | lh-index build --dimension 64 d/w.lhv
	v=$(lh-gen workers -n 1 | lh-embed --dimension 64 | jq -c .vector)
	request "{\"op\":\"add\",\"name\":\"w\",\"items\":[{\"id\":\"z\",\"vector\":$v,\"model\":\"other\"}]}" | jq -r .error.code >out
	request "{\"op\":\"add\",\"name\":\"w\",\"items\":[{\"id\":\"z\",\"vector\":$v,\"model\":\"hash-v3\"}]}" | jq -r .length >>out
	[ "$(paste -sd' ' out)" = '409 4' ]
}

@test "ranges and types of an index to create are checked, and nothing is made" {
	while read -r members; do
		request "{\"op\":\"create\",\"name\":\"a\"$members}" >out
		[ "$(jq .error.code out)" = 400 ] || { cat out; return 1; }
	done <<-'END'
	,"dimension":0
	,"dimension":65537
	,"dimension":1.5
	,"dimension":"2"

	,"dimension":2,"m":1
	,"dimension":2,"m":129
	,"dimension":2,"ef_search":0
	,"dimension":2,"ef_search":1000001
	,"dimension":2,"distance":"manhattan"
	,"dimension":2,"distance":5
	,"dimension":2,"layout":"nsw"
	,"dimension":2,"layout":1
	END
	[ -z "$(ls -A d)" ]
	for distance in cosine l2 ip euclidean dot inner_product; do
		request '{"op":"create","name":"'$distance'","dimension":65536,"distance":"'$distance'"}'
	done | jq -r .params.distance >out
	[ "$(paste -sd' ' out)" = 'cosine l2 ip l2 ip ip' ]
}

# bats test_tags=hostile
@test "hostile names are 400 for every operation, and lead nowhere" {
	long=$(printf '%0129d' 0)
	request '{"op":"create","name":"good","dimension":2}' >/dev/null
	cp d/good.lhv outside.lhv
	for name in '""' '"."' '".."' '".a"' '"a/b"' '"../outside"' '"/etc/x"' '"a\u0000b"' '"a b"' '"a\n"' '"é"' '"a%2fb"' "\"$long\"" 5 '["a"]' null; do
		printf '{"op":"%s","name":%s,"dimension":2,"items":[%s]}\n' create "$name" "$(item x)" get "$name" "$(item x)" delete "$name" "$(item x)" add "$name" "$(item x)"
		printf '{"op":"merge","%s":"good","%s":%s}\n' src dest "$name" dest src "$name"
	done >in
	cp outside.lhv was
	lh-index requests -q --on-error emit d in >out || [ $? = 1 ]
	[ "$(wc -l <out)" = 96 ]
	[ "$(jq .error.code out | sort -u)" = 400 ]
	cmp outside.lhv was
	[ "$(ls -A d)" = good.lhv ]
	request "{\"op\":\"create\",\"name\":\"${long%0}\",\"dimension\":2}" "{\"op\":\"get\",\"name\":\"${long%0}\"}" '{"op":"create","name":"-._-","dimension":2}' | jq -r '.error // "ok"' >out
	[ "$(paste -sd' ' out)" = 'ok ok ok' ]
}

@test "a symbolic link is not followed" {
	mkdir far
	rows 1 3 | lh-index build far/x.lhv
	ln -s ../far/x.lhv d/x.lhv
	mkfifo d/pipe.lhv
	mkdir d/folder.lhv
	request '{"op":"get","name":"x"}' '{"op":"delete","name":"x"}' '{"op":"add","name":"x","items":['"$(item a)"']}' \
		'{"op":"create","name":"x","dimension":2}' '{"op":"get","name":"pipe"}' '{"op":"create","name":"pipe","dimension":2}' '{"op":"delete","name":"folder"}' | jq .error.code >out
	[ "$(paste -sd' ' out)" = '404 404 404 409 404 409 404' ]
	[ "$(request '{"op":"list"}')" = '{"indexes":[],"count":0}' ]
	[ "$(info far/x.lhv length)" = 3 ]
}

@test "merge copies what DEST lacks, and with clear_source it empties the source as well" {
	rows 1 30 | lh-index build d/a.lhv
	rows 21 40 new | lh-index build d/b.lhv
	serve lh-index requests --on-error emit d
	ask '{"op":"merge","src":"b","dest":"a"}'
	[ "$answer" = '{"merged":10,"skipped":10,"failed":0,"source_length":20,"dest_length":40}' ]
	[ "$(lh-index dump d/a.lhv | jq -r 'select(.id == "r25").metadata.tag')" = x ]
	ask '{"op":"merge","src":"b","dest":"a","clear_source":true}'
	[ "$answer" = '{"merged":0,"skipped":20,"failed":0,"source_length":0,"dest_length":40}' ]
	[ "$(lh-index dump d/a.lhv | jq -r 'select(.id == "r25").metadata.tag')" = x ]
	ask '{"op":"merge","src":"b","dest":"a","clear_source":false}'
	[ "$answer" = '{"merged":0,"skipped":0,"failed":0,"source_length":0,"dest_length":40}' ]
	finish 0
	lh-index verify d/a.lhv d/b.lhv
}

@test "merge with clear_source keeps what DEST has got since, and moves what it has lost" {
	rows 1 5 old | lh-index build d/b.lhv
	rows 1 5 old | lh-index build d/a.lhv
	rows 2 3 new | lh-index add d/a.lhv
	lh-index delete --id r4 d/a.lhv
	rows 6 6 old | lh-index add d/b.lhv
	[ "$(request '{"op":"merge","src":"b","dest":"a","clear_source":true}')" = '{"merged":2,"skipped":4,"failed":0,"source_length":0,"dest_length":6}' ]
	[ "$(lh-index dump d/a.lhv | jq -r '.id + .metadata.tag' | sort | paste -sd' ')" = "r1old r2new r3new r4old r5old r6old" ]
	lh-index verify d/a.lhv d/b.lhv
}

@test "merge refuses what does not fit, and changes nothing" {
	rows 1 3 | lh-index build d/a.lhv
	rows 1 3 | lh-index build --distance l2 d/b.lhv
	request '{"op":"create","name":"c","dimension":2}' >/dev/null
	ln d/a.lhv d/same.lhv
	request '{"op":"merge","src":"a","dest":"a"}' '{"op":"merge","src":"a","dest":"same"}' '{"op":"merge","src":"a","dest":"b"}' \
		'{"op":"merge","src":"c","dest":"a","clear_source":true}' '{"op":"merge","src":"none","dest":"a"}' '{"op":"merge","src":"a","dest":"none"}' \
		'{"op":"merge","src":"a"}' '{"op":"merge","src":"a","dest":"c","clear_source":1}' | jq -r '"\(.error.code) \(.error.message)"' >out
	diff - out <<-'END'
	400 "dest" must not be "src"
	400 "dest" must not be "src"
	409 "a": distance cosine, expected l2
	409 "c": dimension 2, expected 8
	404 there is no index "none"; known: "a", "b", "c", "same"
	404 there is no index "none"; known: "a", "b", "c", "same"
	400 missing "dest" (name of 1 to 128 letters, digits, ".", "_" and "-", without "." at the start)
	400 "clear_source" must be true or false
	END
	[ -z "$(find d -name '*-log')" ]
}

@test "rows that DEST cannot hold are counted as failed, and stay in the source" {
	printf '%s\n' '{"id":"a","vector":[1,2]}' '{"id":"big","vector":[1,70000]}' '{"id":"c","vector":[1,3]}' | lh-index build --distance l2 d/src.lhv
	echo '{"id":"z","vector":[1,2]}' | lh-index build --distance l2 --precision f16 d/dest.lhv
	[ "$(request '{"op":"merge","src":"src","dest":"dest"}')" = '{"merged":2,"skipped":0,"failed":1,"source_length":3,"dest_length":3}' ]
	[ "$(request '{"op":"merge","src":"src","dest":"dest","clear_source":true}')" = '{"merged":0,"skipped":2,"failed":1,"source_length":1,"dest_length":3}' ]
	[ "$(lh-index dump d/src.lhv | jq -r .id)" = big ]
}

@test "requests sees what others did: adds, builds of another dimension, compaction, removal" {
	request '{"op":"create","name":"a","dimension":8}' >/dev/null
	serve lh-index requests --on-error emit d
	length() { ask '{"op":"get","name":"a"}'; jq .length <<<"$answer"; }
	[ "$(length)" = 0 ]
	rows 1 5 | lh-index add d/a.lhv
	[ "$(length)" = 5 ]
	ask '{"op":"add","name":"a","items":['"$(rows 9 9)"']}'
	[ "$answer" = '{"added":1,"length":6}' ]
	rows 6 7 | lh-index add d/a.lhv
	ask '{"op":"add","name":"a","items":['"$(rows 8 8)"']}'
	[ "$answer" = '{"added":1,"length":9}' ]
	lh-index compact d/a.lhv
	ask '{"op":"add","name":"a","items":['"$(rows 10 10)"']}'
	[ "$answer" = '{"added":1,"length":10}' ]
	echo '{"id":"a","vector":[1,2]}' | lh-index build d/a.lhv
	ask '{"op":"add","name":"a","items":['"$(item b)"']}'
	[ "$answer" = '{"added":1,"length":2}' ]
	ask '{"op":"list"}'
	[ "$(jq -c '.indexes[0] | [.params.dimension, .length]' <<<"$answer")" = '[2,2]' ]
	rm d/a.lhv d/a.lhv-log
	[ "$(code '{"op":"add","name":"a","items":['"$(item b)"']}')" = 404 ]
	[ "$(code '{"op":"get","name":"a"}')" = 404 ]
	ask '{"op":"corpora"}'
	[ "$answer" = '{"corpora":[],"count":0}' ]
	ask '{"op":"create","name":"a","dimension":2}'
	ask '{"op":"add","name":"a","items":['"$(item b)"']}'
	[ "$answer" = '{"added":1,"length":1}' ]
	finish 1
}

@test "corpora names the playbooks of --playbooks last, and nothing where there is none" {
	mkdir p
	corpora() { echo '{"op":"corpora"}' | lh-index requests --on-error emit "$@" d; }
	[ "$(corpora --playbooks p)" = '{"corpora":[],"count":0}' ]
	[ "$(corpora --playbooks none)" = '{"corpora":[],"count":0}' ]
	item x | lh-index build -q p/memory.lhv
	: >p/notes.txt
	[ "$(corpora --playbooks p)" = '{"corpora":[],"count":0,"playbooks":["memory"]}' ]
	[ "$(corpora)" = '{"corpora":[],"count":0}' ]
}

@test "a damaged index is 503, does not spoil the list, and is used again once it is repaired" {
	request '{"op":"create","name":"a","dimension":2}' '{"op":"create","name":"b","dimension":2}' '{"op":"add","name":"b","items":['"$(item x)"']}' >/dev/null
	serve lh-index requests --on-error emit d
	ask '{"op":"list"}'
	cp d/b.lhv good
	head -c 100 good >d/b.lhv
	ask '{"op":"list"}'
	[ "$(jq -c '[.count, .indexes[0].length, .indexes[1]]' <<<"$answer")" = '[2,0,{"params":{"name":"b"},"error":"index \"b\" is damaged"}]' ]
	ask '{"op":"corpora"}'
	[ "$(jq -c '.corpora[1]' <<<"$answer")" = '{"name":"b","error":"index \"b\" is damaged"}' ]
	for request in '{"op":"get","name":"b"}' '{"op":"add","name":"b","items":['"$(item x)"']}' '{"op":"merge","src":"b","dest":"a"}' '{"op":"merge","src":"a","dest":"b"}'; do
		ask "$request"
		[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"index \"b\" is damaged"]' ] || { echo "$request $answer"; return 1; }
	done
	cat good >d/b.lhv
	ask '{"op":"get","name":"b"}'
	[ "$(jq .length <<<"$answer")" = 1 ]
	head -c 100 good >d/b.lhv
	ask '{"op":"delete","name":"b"}'
	[ "$answer" = '{"status":204}' ]
	finish 1
	grep -q '^lh-index: d/b.lhv: ' err
}

@test "a folder that vanishes is 503 until it is back" {
	serve lh-index requests --on-error emit d
	ask '{"op":"create","name":"a","dimension":2}'
	ask '{"op":"add","name":"a","items":['"$(item x)"']}'
	mv d away
	for op in '"list"' '"corpora"' '"get","name":"a"' '"delete","name":"a"' '"add","name":"a","items":['"$(item y)"']' '"create","name":"b","dimension":2' '"merge","src":"a","dest":"b"'; do
		ask "{\"op\":$op}"
		[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"the folder cannot be read"]' ] || { echo "$op $answer"; return 1; }
	done
	[ ! -e d ]
	mv away d
	ask '{"op":"add","name":"a","items":['"$(item y)"']}'
	[ "$answer" = '{"added":1,"length":2}' ]
	finish 1
	run -2 --separate-stderr lh-index requests absent
	[ "$stderr" = 'lh-index: absent: No such file or directory' ]
	touch file
	run -2 --separate-stderr lh-index requests file
	[ "$stderr" = 'lh-index: file: not a folder' ]
}

@test "an index that another process locks is 503, and nothing is done" {
	request '{"op":"create","name":"a","dimension":2}' '{"op":"add","name":"a","items":['"$(item x)"']}' >/dev/null
	serve lh-index requests --lock-timeout 0 --on-error emit d
	exec 7>>d/a.lhv-lock
	flock 7
	for op in '"delete","name":"a"' '"add","name":"a","items":['"$(item y)"']' '"create","name":"a","dimension":2'; do
		ask "{\"op\":$op}"
		[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"index \"a\" is locked by another writer"]' ] || { echo "$op $answer"; return 1; }
	done
	exec 7>&-
	ask '{"op":"get","name":"a"}'
	[ "$(jq .length <<<"$answer")" = 1 ]
	ask '{"op":"delete","name":"a"}'
	[ "$answer" = '{"status":204}' ]
	finish 1
}

@test "delete takes the log and what killed processes left, and readers live on" {
	request '{"op":"create","name":"a","dimension":2}' '{"op":"create","name":"aa","dimension":2}' '{"op":"add","name":"a","items":['"$(item x)"']}' '{"op":"add","name":"aa","items":['"$(item x)"']}' >/dev/null
	cp d/aa.lhv .
	touch d/.a.lhv.lh-tmp-99999999 d/.a.lhv-log.lh-tmp-99999999 d/a.lhv-compact d/a.lhv-lock
	coproc READER { exec lh-search --once --no-metadata d/a.lhv; }
	reader=$READER_PID
	look() {
		echo '{"vector":[1,1]}' >&"${READER[1]}"
		IFS= read -r -t "$LH_PATIENCE" answer <&"${READER[0]}"
		[ "$(jq -r '.results[0].id' <<<"$answer")" = x ]
	}
	look
	[ "$(request '{"op":"delete","name":"a"}')" = '{"status":204}' ]
	look
	exec {READER[1]}>&-
	wait "$reader"
	[ "$(ls -A d | paste -sd' ')" = 'aa.lhv aa.lhv-log' ]
	cmp aa.lhv d/aa.lhv
}

@test "what a deleted index left does not come back with a new one of the name" {
	export LH_NOW=2026-05-03T12:00:00Z
	request '{"op":"create","name":"a","dimension":2}' '{"op":"add","name":"a","items":['"$(item x)"']}' >/dev/null
	rm d/a.lhv	# and not its log: a delete that was killed
	[ "$(request '{"op":"create","name":"a","dimension":2}' | jq .length)" = 0 ]
	[ "$(info d/a.lhv length)" = 0 ]
	[ ! -e d/a.lhv-log ]
}

@test "create never replaces a file that appeared meanwhile" {
	needs_strace
	run -1 inject renameat2:error=EEXIST lh-index requests -q --on-error emit d <<<'{"op":"create","name":"a","dimension":2}'
	[[ $output == *'"code":409,'* ]]
	[ -z "$(ls -A d)" ]
	# a file system without that call
	run -0 inject renameat2:error=EINVAL lh-index requests d <<<'{"op":"create","name":"a","dimension":2}'
	[ "$(stat -c %h d/a.lhv)" = 1 ]
	run -1 inject renameat2:error=EINVAL lh-index requests -q --on-error emit d <<<'{"op":"create","name":"b","dimension":2}
{"op":"create","name":"a","dimension":2}'
	[[ ${lines[1]} == *'"code":409,'* ]]
	rm d/*
	# of several that create at once, one succeeds
	for i in 1 2 3 4; do
		seq 20 | sed "s/.*/{\"op\":\"create\",\"name\":\"n&\",\"dimension\":$i}/" | lh-index requests -q --lock-timeout 600 --on-error emit d >"out$i" &
	done
	wait
	[ "$(cat out? | jq -s 'map(select(.status == 201)) | length')" = 20 ]
	[ "$(cat out? | jq -s 'map(select(.error.code == 409)) | length')" = 60 ]
	no_litter d
}

@test "many adds of one record stay cheap: the log is compacted, nothing accumulates" {
	serve lh-index requests --on-error emit d
	ask '{"op":"create","name":"a","dimension":2}'
	for i in {1..450}; do
		echo '{"op":"add","name":"a","items":[{"id":"r'$i'","vector":[1,'$i']}]}'
	done >in
	while IFS= read -r line; do
		ask "$line"
		[ "$(wc -c <d/a.lhv-log)" -lt 30000 ]
	done <in
	[ "$answer" = '{"added":1,"length":450}' ]
	[ "$(find "/proc/$PID/fd" | wc -l)" -lt 20 ]
	[ "$(info d/a.lhv pending)" -le 101 ]
	finish 0
	[ "$(info d/a.lhv length)" = 450 ]
}

@test "more indexes than stay open" {
	for i in {1..30}; do
		echo '{"op":"create","name":"n'$i'","dimension":2}'
	done >in
	for i in {1..30} {30..1} {1..30}; do
		echo '{"op":"add","name":"n'$i'","items":[{"id":"i'$RANDOM$RANDOM$RANDOM'","vector":[1,2]}]}'
	done >>in
	echo '{"op":"list"}' >>in
	lh-index requests d in >out
	[ "$(tail -n 1 out | jq -c '[.count, (.indexes | map(.length) | unique)]')" = '[30,[3]]' ]
}

# bats test_tags=full
@test "requests next to lh-index add, and a second process: nothing is lost" {
	request '{"op":"create","name":"a","dimension":8}' >/dev/null
	n=$(scale 60 600)
	for tag in p q; do
		for ((i = 1; i <= n; i++)); do
			rows $i $i | jq -c --arg t $tag '.id = $t + .id | {op: "add", name: "a", items: [., .id += "b"]}'
		done >"$tag"
	done
	lh-index requests --lock-timeout 600 d p >p.out &
	one=$!
	lh-index requests --lock-timeout 600 d q >q.out &
	two=$!
	for ((i = 1; i <= n; i++)); do rows $i $i | lh-index add --lock-timeout 600 d/a.lhv; done
	wait $one
	wait $two
	[ "$(cat p.out q.out | jq -c .added | sort | uniq -c | awk '{ print $1, $2 }')" = "$((2 * n)) 2" ]
	[ "$(info d/a.lhv length)" = $((5 * n)) ]
	lh-index verify d/a.lhv
}

@test "a disk that is full is 503, nothing is added, and the next request is answered" {
	needs_strace
	request '{"op":"create","name":"a","dimension":2}' '{"op":"add","name":"a","items":['"$(item x)"']}' >/dev/null
	printf '{"op":"add","name":"a","items":[%s,%s]}\n' "$(item p)" "$(item pp)" "$(item q)" "$(item qq)" >in
	run -1 --separate-stderr inject pwrite64:error=ENOSPC:when=1 -P d/a.lhv-log lh-index requests -q --on-error emit d in
	[ "$(jq -c '[.error.code, .error.message, .length]' <<<"$output" | paste -sd' ')" = '[503,"index \"a\" cannot be used at present",null] [null,null,3]' ]
	[[ $stderr == *'No space left'* ]]
	[ "$(lh-index dump d/a.lhv | jq -r .id | sort | paste -sd' ')" = 'q qq x' ]
}

# ---- killed ----

@test "killed at any step of an add, all items are there or none" {
	needs_strace
	request '{"op":"create","name":"a","dimension":2}' >/dev/null
	cp d/a.lhv empty
	for log in no yes; do
		before_fault() {
			rm -f d/a.lhv*
			cp empty d/a.lhv
			[ $log = no ] || lh-index add d/a.lhv <<<"$(item first)"
		}
		after_fault() {
			lh-index dump d/a.lhv | jq -r 'select(.id != "first").id' | paste -sd' ' >ids
			grep -qx '' ids || grep -qx 'x xx xxx' ids
			[ "$(grep -c '"added"' out)" = 0 ] || grep -qx 'x xx xxx' ids
			request "$(cat in)" >out
			[ "$(info d/a.lhv length)" = $([ $log = no ] && echo 3 || echo 4) ]
			lh-index verify d/a.lhv
		}
		echo '{"op":"add","name":"a","items":['"$(item x),$(item xx),$(item xxx)"']}' >in
		INJECT=signal=KILL at_each lh-index requests d in
	done
	no_litter d
}

@test "killed at any step of a create, there is an empty index or none" {
	needs_strace
	before_fault() { rm -f d/a.lhv*; }
	after_fault() {
		[ ! -e d/a.lhv ] || [ "$(info d/a.lhv length)" = 0 ]
		request '{"op":"create","name":"a","dimension":2}' | jq '.status // .error.code' >got
		grep -qx '201\|409' got
		lh-index verify d/a.lhv
	}
	echo '{"op":"create","name":"a","dimension":2}' >in
	INJECT=signal=KILL at_each lh-index requests d in
	request '{"op":"delete","name":"a"}' >got
	no_litter d
	[ -z "$(ls -A d)" ]
}

@test "killed at any step of a delete, the whole index is there or none" {
	needs_strace
	request '{"op":"create","name":"a","dimension":2}' '{"op":"add","name":"a","items":['"$(item x)"']}' >/dev/null
	cp -r d was
	before_fault() {
		rm -rf d
		cp -r was d
	}
	after_fault() {
		if [ -e d/a.lhv ]; then
			[ "$(info d/a.lhv length)" = 1 ]
		else
			request '{"op":"create","name":"a","dimension":2}' >got
			[ "$(info d/a.lhv length)" = 0 ]
		fi
		request '{"op":"delete","name":"a"}' >got
		[ "$(cat got)" = '{"status":204}' ]
		[ -z "$(ls -A d)" ]
	}
	echo '{"op":"delete","name":"a"}' >in
	INJECT=signal=KILL at_each lh-index requests d in
}

# bats test_tags=full
@test "killed at any step of a merge, the source is whole; with clear_source each record is in one of the two" {
	needs_strace
	rows 1 10 | same_build a.lhv
	rows 8 15 new | same_build b.lhv
	for clear in false true; do
		before_fault() {
			rm -f d/*
			cp a.lhv b.lhv d
		}
		after_fault() {
			lh-index verify d/a.lhv d/b.lhv
			lh-index dump d/a.lhv | jq -r .id >ids
			lh-index dump d/b.lhv | jq -r .id >>ids
			[ "$(sort -u ids | wc -l)" = 15 ]
			[ $clear = true ] || [ "$(info d/b.lhv length)" = 8 ]
			[ "$(info d/a.lhv length)" = 10 ] || [ "$(info d/a.lhv length)" = 15 ]
			request "$(cat in)" >got
			[ "$(jq .dest_length got)" = 15 ]
		}
		echo '{"op":"merge","src":"b","dest":"a","clear_source":'$clear'}' >in
		INJECT=signal=KILL at_each lh-index requests d in
	done
}

# bats test_tags=full
@test "killed at random in a loop of all operations, nothing is half done" {
	for ((round = 0; round < $(scale 15 150); round++)); do
		rm -rf d
		mkdir d
		for ((i = 1; i <= 200; i++)); do
			echo '{"op":"create","name":"a","dimension":2}'
			echo '{"op":"create","name":"b","dimension":2}'
			echo '{"op":"add","name":"a","items":['"$(item x),$(item xx),$(item xxx)"']}'
			echo '{"op":"add","name":"a","items":['"$(item x),$(item xx),$(item xxx)"']}'
			echo '{"op":"merge","src":"a","dest":"b"}'
			echo '{"op":"delete","name":"a"}'
			echo '{"op":"delete","name":"b"}'
			[ $i -lt 3 ] || break
		done >part
		for ((i = 1; i <= 60; i++)); do cat part; done >in
		lh-index requests -q --on-error emit d in >out 2>err &
		pid=$!
		sleep 0.0$((round % 9 + 1))
		kill -9 $pid 2>/dev/null || true
		wait $pid || true
		for name in a b; do
			[ -e d/$name.lhv ] || continue
			lh-index verify d/$name.lhv
			length=$(info d/$name.lhv length)
			[ "$length" = 0 ] || [ "$length" = 3 ]
		done
		request '{"op":"create","name":"a","dimension":2}' '{"op":"delete","name":"a"}' '{"op":"create","name":"b","dimension":2}' '{"op":"delete","name":"b"}' >got
		[ -z "$(ls -A d)" ] || { ls -A d; return 1; }
	done
}

@test "a scope confines list, get, corpora, lookup and add to its indexes and records" {
	row() { echo '{"id":"'"$1"'","vector":[1,0],"metadata":{"client":"'"$2"'"}}'; }
	(row a-1 acme; row b-1 beta) | lh-index build -q d/w.lhv
	row b-2 beta | lh-index build -q d/other.lhv
	scope='"scope":{"corpora":["w"],"filter":{"client":"acme"}}'
	add='"op":"add","name":"w","items":'
	request "{\"op\":\"list\",$scope}" "{\"op\":\"corpora\",$scope}" "{\"op\":\"get\",\"name\":\"w\",$scope}" \
		"{\"op\":\"get\",\"name\":\"other\",$scope}" "{\"op\":\"lookup\",\"id\":\"a-1\",$scope}" \
		"{\"op\":\"lookup\",\"id\":\"b-1\",$scope}" "{\"op\":\"lookup\",\"id\":\"b-2\",$scope}" \
		"{\"op\":\"lookup\",\"name\":\"w\",\"id\":\"b-1\",$scope}" "{\"op\":\"lookup\",\"name\":\"w\",\"id\":\"none\",$scope}" \
		"{$add[$(row a-2 acme)],$scope}" "{$add[$(row a-3 acme),$(row b-1 acme)],$scope}" "{$add[$(row a-1 beta)],$scope}" \
		"{$add[{\"id\":\"a-4\",\"vector\":[1,0]}],$scope}" "{$add[{\"id\":\"a-1\",\"vector\":[0,1]}],$scope}" \
		'{"op":"lookup","id":"b-1"}' '{"op":"get","name":"w"}' >got 2>/dev/null
	sed 's/"error":{"file":"-","line":[0-9]*,"code":/"error":{/' got | diff - <(cat <<-'END'
		{"indexes":[{"params":{"name":"w","dimension":2,"m":16,"ef_search":64,"distance":"cosine"}}],"count":1}
		{"corpora":[{"name":"w","dimension":2}],"count":1}
		{"params":{"name":"w","dimension":2,"m":16,"ef_search":64,"distance":"cosine"}}
		{"error":{404,"message":"there is no index \"other\"; known: \"w\""}}
		{"corpus":"w","id":"a-1","metadata":{"client":"acme"}}
		{"id":"b-1","error":{404,"message":"there is no such record in any index"}}
		{"id":"b-2","error":{404,"message":"there is no such record in any index"}}
		{"id":"b-1","error":{404,"message":"there is no such record in index \"w\""}}
		{"id":"none","error":{404,"message":"there is no such record in index \"w\""}}
		{"added":1}
		{"error":{409,"message":"items[1]: the id is taken"}}
		{"error":{403,"message":"items[0]: its metadata is not of the records that this client may see"}}
		{"error":{403,"message":"items[0]: its metadata is not of the records that this client may see"}}
		{"added":1}
		{"corpus":"w","id":"b-1","metadata":{"client":"beta"}}
		{"params":{"name":"w","dimension":2,"m":16,"ef_search":64,"distance":"cosine"},"length":3}
	END
	)
}
