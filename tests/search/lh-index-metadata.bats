# lh-index get and set-metadata, and --id-field.
load ../helper
load ../index

@test "get writes records by their ids, in that order, from the file and from its log" {
	rows 1 50 | lh-index build a.lhv
	rows 60 61 y | lh-index add a.lhv
	rows 3 3 new | lh-index add a.lhv
	lh-index delete -q --id r4 a.lhv >/dev/null
	run -0 --separate-stderr lh-index get a.lhv r60 r1 r3 r1
	[ "$output" = '{"id":"r60","metadata":{"n":60,"tag":"y"}}
{"id":"r1","metadata":{"n":1,"tag":"x"}}
{"id":"r3","metadata":{"n":3,"tag":"new"}}
{"id":"r1","metadata":{"n":1,"tag":"x"}}' ]
	run -1 --separate-stderr lh-index get a.lhv r4 r2 nobody
	[ "$output" = '{"id":"r2","metadata":{"n":2,"tag":"x"}}' ]
	[ "$stderr" = 'lh-index: a.lhv: no record has the id "r4"
lh-index: a.lhv: no record has the id "nobody"' ]
	run -1 lh-index get -q --on-error stop a.lhv r4 r2
	[ "$output" = 'lh-index: a.lhv: no record has the id "r4"' ]
	run -2 lh-index get nowhere.lhv r1
	[[ $output == *nowhere.lhv* ]]
}

@test "delete and get take ids alike: as operands, by --id, from a file of lines, and from jq -r" {
	rows 1 9 | lh-index build a.lhv
	printf 'r3\n{"id":"r4"}\r\n\nr5\r\n' >ids
	ids() { jq -r .id | paste -sd' '; }
	[ "$(lh-index get a.lhv r1 --id r2 --ids ids | ids)" = 'r2 r1 r3 r4 r5' ]
	[ "$(rows 7 8 | jq -r .id | lh-index get a.lhv | ids)" = 'r7 r8' ]
	[ "$(rows 7 8 | jq -r .id | lh-index get --ids - a.lhv | ids)" = 'r7 r8' ]
	[ "$(lh-index delete a.lhv r1 --id r2 --ids ids none)" = '{"deleted":5,"unknown":1}' ]
	[ "$(rows 7 8 | jq -r .id | lh-index delete a.lhv)" = '{"deleted":2,"unknown":0}' ]
	[ "$(lh-index dump a.lhv | ids)" = 'r6 r9' ]
	# an operand is an id if a record has it; else a file is read, as all were
	echo r9 >r6
	[ "$(lh-index delete a.lhv r6)" = '{"deleted":1,"unknown":0}' ]
	[ "$(lh-index dump a.lhv | ids)" = r9 ]
	[ "$(lh-index delete a.lhv r6)" = '{"deleted":1,"unknown":0}' ]
	# what is meant for JSON is no id
	run -1 --separate-stderr lh-index delete a.lhv <<<'["r1"]'
	[[ $stderr == 'lh-index: -:1'* ]]
	run -2 lh-index delete a.lhv ''
	run -2 lh-index delete --ids nowhere a.lhv
	[[ $output == *nowhere* ]]
}

@test "get --encoding writes what dump writes, for every way to store vectors" {
	for how in "" "--precision f16" "--precision i8" "--precision i8 --rescore" "--distance l2" "--distance ip"; do
		rows 1 40 | lh-index build $how a.lhv
		rows 41 45 | lh-index add a.lhv
		jq -r .id < <(rows 1 45) | xargs lh-index get --encoding array a.lhv | cmp - <(lh-index dump a.lhv)
		lh-index dump --encoding base64 a.lhv >want
		jq -r .id want | xargs lh-index get --encoding base64 a.lhv | cmp - want
	done
}

@test "get reads records with ids, one answer each, and sees changes as a co-process" {
	rows 1 9 | lh-index build a.lhv
	printf '%s\n' '{"id":"r2"}' '{"id":"no"}' '{"x":1}' '{"id":"r1","more":[]}' >ids
	run -1 --separate-stderr lh-index get --on-error emit a.lhv <ids
	[ "$(jq -c '[.id, .error.code]' <<<"$output" | paste -sd' ')" = '["r2",null] ["no",404] [null,400] ["r1",null]' ]
	coproc GET { lh-index get a.lhv; }
	echo '{"id":"r2"}' >&"${GET[1]}"
	read -r -u "${GET[0]}" line
	[ "$(jq -r .metadata.tag <<<"$line")" = x ]
	rows 2 2 later | lh-index add a.lhv
	echo '{"id":"r2"}' >&"${GET[1]}"
	read -r -u "${GET[0]}" line
	[ "$(jq -r .metadata.tag <<<"$line")" = later ]
	pid=$GET_PID
	exec {GET[1]}>&-
	wait "$pid"
}

# bats test_tags=full
@test "replace-metadata replaces the metadata and leaves the vectors as they are, bit for bit" {
	for how in "" "--precision f16" "--precision i8" "--precision f16 --rescore" "--precision i8 --rescore" "--distance l2" "--exact-below 10"; do
		rows 1 200 | lh-index build -j1 $how a.lhv
		rows 201 205 | lh-index add a.lhv
		# a compaction is what quantizes
		[[ $how != *precision* ]] || lh-index compact a.lhv
		lh-index dump a.lhv | jq -c 'del(.metadata)' | sort >vectors
		cp a.lhv before.lhv
		printf '%s\n' '{"id":"r7","metadata":{"n": 1.50,"more":["é"]}}' '{"id":"r203","metadata":{}}' '{"id":"r9","metadata":{"a":1}}' \
			'{"id":"r9","metadata":{"a":2},"vector":[0],"text":"ignored"}' | lh-index replace-metadata a.lhv
		cmp a.lhv before.lhv
		for when in pending compacted; do
			run -0 lh-index get a.lhv r7 r203 r9 r8
			[ "$output" = '{"id":"r7","metadata":{"n": 1.50,"more":["é"]}}
{"id":"r203"}
{"id":"r9","metadata":{"a":2}}
{"id":"r8","metadata":{"n":8,"tag":"x"}}' ] || { echo "$how $when: $output"; return 1; }
			lh-index dump a.lhv | jq -c 'del(.metadata)' | sort | cmp - vectors
			lh-index verify a.lhv
			[ "$(info a.lhv length)" = 205 ]
			[ $when = compacted ] || lh-index compact a.lhv
		done
		[ "$(lh-search --flat -k 1 --where a=2 a.lhv <<<'{"vector":[1,0,0,0,0,0,0,0]}' | jq -r .id)" = r9 ]
	done
}

@test "set-metadata changes the members that are named, removes those that are null, and keeps the others" {
	rows 1 9 | lh-index build a.lhv
	printf '%s\n' '{"id":"r7","metadata":{"tag":null,"n": 1.50,"more":{"a":1}}}' '{"id":"r8","metadata":{}}' \
		'{"id":"r9","metadata":{"\u0074ag":"y","x":1}}' '{"id":"r9","metadata":{"x":null,"z":0}}' \
		'{"id":"r9","metadata":{"n":null}}' '{"id":"r6","metadata":{"more":1}}' |
		lh-index set-metadata a.lhv
	echo '{"id":"r7","metadata":{"more":{"b":2}}}' | lh-index set-metadata a.lhv
	for when in pending compacted; do
		run -0 lh-index get a.lhv r6 r7 r8 r9
		[ "$output" = '{"id":"r6","metadata":{"n":6,"tag":"x","more":1}}
{"id":"r7","metadata":{"n":1.50,"more":{"b":2}}}
{"id":"r8","metadata":{"n":8,"tag":"x"}}
{"id":"r9","metadata":{"tag":"y","z":0}}' ] || { echo "$when: $output"; return 1; }
		[ $when = compacted ] || lh-index compact a.lhv
	done
}

@test "set-metadata merges into what another writer has set meanwhile" {
	rows 1 3 | lh-index build a.lhv
	coproc SET { lh-index set-metadata a.lhv; }
	pid=$SET_PID
	echo '{"id":"r1","metadata":{"mine":1}}' >&"${SET[1]}"
	drained "${SET[1]}"
	echo '{"id":"r1","metadata":{"theirs":2}}' | lh-index set-metadata a.lhv
	exec {SET[1]}>&-
	wait "$pid"
	run -0 lh-index get a.lhv r1
	[ "$output" = '{"id":"r1","metadata":{"n":1,"tag":"x","theirs":2,"mine":1}}' ]
}

@test "set-metadata rejects an id that is not there, and a record without an object of metadata" {
	rows 1 5 | lh-index build a.lhv
	printf '%s\n' '{"id":"r1","metadata":{"a":1}}' '{"id":"no","metadata":{}}' '{"id":"r2"}' '{"id":"r2","metadata":null}' \
		'{"id":"r2","metadata":[1]}' '{"metadata":{}}' '{"id":"r3","metadata":{"a":3}}' >in
	run -1 --separate-stderr lh-index set-metadata --rejects bad a.lhv in
	[ "$output" = '' ]
	[ "$stderr" = 'lh-index: in:2: no record has the id "no"
lh-index: in:3: missing "metadata" (object)
lh-index: in:4: missing "metadata" (object)
lh-index: in:5: "metadata" must be an object
lh-index: in:6: missing "id" (string or number)
lh-index: 5 of 7 records rejected' ]
	sed -n 2,6p in | cmp - bad
	[ "$(lh-index get a.lhv r1 r2 r3 | jq -c .metadata | paste -sd' ')" = '{"n":1,"tag":"x","a":1} {"n":2,"tag":"x"} {"n":3,"tag":"x","a":3}' ]
	# all or nothing
	content a.lhv >want
	run -1 lh-index set-metadata --on-error stop a.lhv < <(printf '%s\n' '{"id":"r5","metadata":{"a":5}}' '{"id":"no","metadata":{}}')
	content a.lhv | cmp - want
	run -2 lh-index set-metadata nowhere.lhv in
}

@test "while others add, delete and replace vectors, set-metadata undoes none of it" {
	n=$(scale 5 25)
	rows 1 300 | lh-index build a.lhv
	rows 1 300 | jq -c '{id, metadata: {set: .metadata.n}}' >meta
	for ((i = 1; i <= n; i++)); do
		# the vectors of 1 to 300 turn round and round; no metadata in it
		rows $((i + 1)) $((i + 300)) | jq -c --argjson i $i '{id: ("r\((.id[1:] | tonumber) - $i)"), vector}' | lh-index add --lock-timeout 600 -j1 a.lhv || echo add >>failed
	done &
	for ((i = 0; i < n; i++)); do
		lh-index set-metadata -q --lock-timeout 600 -j1 a.lhv meta || echo set >>failed
	done &
	for ((i = 0; i < n; i++)); do
		rows $((1000 + i)) $((1000 + i)) | lh-index add --lock-timeout 600 a.lhv || echo new >>failed
		echo '{"id":"r'$((1000 + i))'"}' | lh-index delete -q --lock-timeout 600 a.lhv >/dev/null || echo delete >>failed
	done &
	wait
	[ ! -e failed ]
	lh-index verify a.lhv
	[ "$(info a.lhv length)" = 300 ]
	[ "$(lh-index dump a.lhv | jq -c 'select(.metadata.set != (.id[1:] | tonumber))')" = '' ]
	# the last vectors are there: those of a build from them
	rows $((n + 1)) $((n + 300)) | jq -c --argjson n $n '{id: ("r\((.id[1:] | tonumber) - $n)"), vector}' | lh-index build want.lhv
	cmp <(lh-index dump a.lhv | jq -c '[.id, .vector]' | sort) <(lh-index dump want.lhv | jq -c '[.id, .vector]' | sort)
	no_litter
}

@test "what is deleted while metadata comes in remains deleted, and a new vector stays" {
	rows 1 5 | lh-index build a.lhv
	mkfifo in
	timeout "$LH_PATIENCE" lh-index set-metadata a.lhv in &
	exec 7>in
	printf '%s\n' '{"id":"r1","metadata":{"a":1}}' '{"id":"r2","metadata":{"a":2}}' >&7
	lh-index delete -q --id r1 a.lhv 7>&- >/dev/null
	rows 9 9 | sed 's/r9/r2/' | lh-index add a.lhv 7>&-
	exec 7>&-
	wait $!
	run -1 lh-index get a.lhv r1
	[ "$(lh-index get a.lhv r2)" = '{"id":"r2","metadata":{"n":9,"tag":"x","a":2}}' ]
	cmp <(lh-index get --encoding array a.lhv r2 | jq -c .vector) <(rows 9 9 | lh-index build w.lhv; lh-index dump w.lhv | jq -c .vector)
}

# bats test_tags=full
@test "set-metadata killed or failing at any write: the old metadata or the new, and no vector changes" {
	needs_strace
	rows 1 30 | same_build old.lhv
	rows 1 20 | jq -c '{id, metadata: {set: 1}}' >meta
	content old.lhv | jq -c 'del(.metadata)' >vectors
	before_fault() {
		rm -f a.lhv*
		cp old.lhv a.lhv
	}
	after_fault() {
		local set
		set=$(lh-index dump a.lhv | jq -c 'select(.metadata.set == 1)' | wc -l)
		[ "$set" = 0 ] || [ "$set" = 20 ]
		[ "$3" != 0 ] || [ "$set" = 20 ]
		content a.lhv | jq -c 'del(.metadata)' | cmp - vectors
		lh-index set-metadata a.lhv meta
		lh-index verify a.lhv
		[ "$(lh-index dump a.lhv | jq -c 'select(.metadata.set == 1)' | wc -l)" = 20 ]
	}
	for fault in signal=KILL error=ENOSPC error=EIO; do
		INJECT=$fault at_each lh-index set-metadata -j1 a.lhv meta
	done
	no_litter
}

@test "metadata that replaces a text replaces its words in an index that has them" {
	printf '%s\n' '{"id":"a","text":"red apple"}' '{"id":"b","text":"green pear"}' | lh-index build --lexical a.lhv
	echo '{"id":"b","metadata":{"text":"a quince"}}' | lh-index set-metadata a.lhv
	for when in pending compacted; do
		[ "$(lh-search --hybrid --flat -k 1 -Q quince a.lhv | jq -r .id)" = b ]
		lh-index compact a.lhv
	done
	lh-index verify a.lhv
}

@test "--id-field names the id: a number as written, nothing nested or missing" {
	printf '%s\n' '{"no":12.50,"vector":[1,0],"id":"x"}' '{"no":"b\u00e9","vector":[0,1],"k":1}' '{"no":12345678901234567890,"vector":[1,1]}' \
		'{"vector":[1,0],"id":"c"}' '{"no":null,"vector":[1,0]}' '{"no":{"a":1},"vector":[1,0]}' '{"no":true,"vector":[1,0]}' '{"no":"","vector":[1,0]}' '{"m":{"no":1},"vector":[1,0]}' >in
	run -1 --separate-stderr lh-index build --id-field no a.lhv in
	[ "$stderr" = 'lh-index: in:4: missing "no" (string or number)
lh-index: in:5: missing "no" (string or number)
lh-index: in:6: "no" must be a string or number
lh-index: in:7: "no" must be a string or number
lh-index: in:8: empty id
lh-index: in:9: missing "no" (string or number)
lh-index: 6 of 9 records rejected' ]
	[ "$(lh-index dump a.lhv | jq -c 'del(.vector,.dimension)')" = '{"id":"12.50","metadata":{"id":"x"}}
{"id":"bé","metadata":{"k":1}}
{"id":"12345678901234567890"}' ]
	echo '{"no":3,"vector":[1,0]}' | lh-index add --id-field no a.lhv
	echo '{"no":3,"metadata":{"three":3}}' | lh-index set-metadata --id-field no a.lhv
	[ "$(echo '{"no":3,"id":"12.50"}' | lh-index get --id-field no a.lhv)" = '{"id":"3","metadata":{"three":3}}' ]
	[ "$(echo '{"no":12.50}' | lh-index delete --id-field no a.lhv)" = '{"deleted":1,"unknown":0}' ]
	run -2 lh-index build --id-field '' b.lhv in
	[ "$output" = 'lh-index: --id-field: nothing is named' ]
	run -2 lh-index dump --id-field no a.lhv
}

@test "lh-embed --id-field writes the id as text, in the place of another id" {
	printf '%s\n' '{"id":7,"no":12.50,"text":"a welder"}' '{"no":"b\u00e9","text":"b"}' '{"no":[1],"text":"c"}' '{"text":"d"}' >in
	run -1 --separate-stderr lh-embed --id-field no in
	[ "$(jq -c 'del(.vector,.dimension,.model)' <<<"$output")" = '{"no":12.5,"text":"a welder","id":"12.50"}
{"no":"bé","text":"b","id":"bé"}' ]
	[ "$stderr" = 'lh-embed: in:3: "no" must be a string or number
lh-embed: in:4: missing "no" (string or number)
lh-embed: 2 of 4 records rejected' ]
	lh-embed -q --id-field no in | lh-index build a.lhv || true
	[ "$(lh-index dump a.lhv | jq -r .id | paste -sd' ')" = '12.50 bé' ]
	run -2 lh-embed --id-field no --wire go in
	[ "$output" = 'lh-embed: --id-field and --wire exclude each other' ]
}
