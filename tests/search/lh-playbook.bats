# lh-playbook: record, boost, seed, revise and retire.
# bats file_tags=quick
load ../helper
load ../servers/server

teardown() {
	stop_upstreams
	faults_happened
}

BAD=$ROOT/share/fixtures/playbook/bad

# The known answer.
KNOWN='{"query_text":"Need 3 Forklift Operators in Aurora IL for Parallel Machining","answer_id":"w-43","answer_corpus":"workers","score":0.8,"role":"Forklift Operator"}'
ENTRY='{"query_text":"q","answer_id":"a","answer_corpus":"c","score":1}'

# entries N [FROM] - that many, no two alike.
entries() {
	seq "${2:-1}" $((${2:-1} + $1 - 1)) | awk '{
		printf "{\"query_text\":\"Need %d Welders in Gary IN for client %d\",\"answer_id\":\"w-%d\",\"answer_corpus\":\"workers\",\"score\":0.5,\"role\":\"Welder\"}\n", $1 % 9 + 2, $1, $1 % 50
	}'
}

@test "the known id: pb-1126c52bd106df6b" {
	run -0 --separate-stderr lh-playbook record pb.lhv <<<"$KNOWN"
	[ "$output" = '{"index":0,"playbook_id":"pb-1126c52bd106df6b"}' ]
	[ "$stderr" = 'lh-playbook: 1 recorded, 0 not' ]
	[ "$(lh-playbook export pb.lhv)" = "$KNOWN" ]
	[ "$(lh-playbook list pb.lhv)" = "{\"playbook_id\":\"pb-1126c52bd106df6b\",${KNOWN#\{}" ]
}

@test "an id is that of the texts, however they are spelled" {
	printf '%s\n' '{"query_text":"\u00e9|","answer_id":"\u0061","answer_corpus":"c","score":1}' '{"query_text":"é|","answer_id":"a","answer_corpus":"c","score":0.5}' |
		lh-playbook record -q pb.lhv >out
	id=pb-$(printf 'é||a|c' | sha256sum | cut -c1-16)
	[ "$(jq -r .playbook_id out)" = "$id"$'\n'"$id" ]
	[ "$(lh-playbook export pb.lhv | jq -c .score)" = 0.5 ]
}

@test "texts that are the same with | between them have one id, and the later entry counts" {
	printf '{"query_text":"%s","answer_id":"%s","answer_corpus":"w","score":%s}\n' 'a|b' c 0.25 a 'b|c' 0.75 | lh-playbook record -q pb.lhv >out
	[ "$(jq -r .playbook_id out | sort -u)" = "pb-$(printf 'a|b|c|w' | sha256sum | cut -c1-16)" ]
	[ "$(lh-playbook export pb.lhv | jq -c '[.query_text, .score]')" = '["a",0.75]' ]
}

@test "an entry recorded again replaces the score; another answer or corpus is another entry" {
	for score in 0.1 0.9; do lh-playbook record -q pb.lhv <<<"$(jq -c ".score = $score" <<<"$ENTRY")" >>ids; done
	[ "$(lh-playbook export pb.lhv)" = '{"query_text":"q","answer_id":"a","answer_corpus":"c","score":0.9}' ]
	for change in '.answer_id = "b"' '.answer_corpus = "d"' '.query_text = "r"'; do
		lh-playbook record -q pb.lhv <<<"$(jq -c "$change" <<<"$ENTRY")" >>ids
	done
	[ "$(lh-playbook list pb.lhv | wc -l)" = 4 ]
	[ "$(sort -u ids | wc -l)" = 4 ]
}

@test "a hit of lh-search --flat is recorded as it is: that answer, with score 1, without its metadata" {
	lh-gen workers -n 60 | lh-index build -q --lexical workers.lhv
	for mode in "" --hybrid; do
		rm -f pb.lhv*
		lh-search --flat -k 3 $mode -Q 'Need 2 "Welders"' workers.lhv >hits
		lh-playbook record -q pb.lhv hits
		lh-playbook export pb.lhv | jq -S . >got
		jq -S '{query_text: (.query_text // .query), answer_id: .id, answer_corpus: .corpus, score: 1}' hits | diff - got
	done
	# it is the same entry
	id=$(head -n 1 hits | lh-playbook record -q other.lhv | jq -r .playbook_id)
	[ "$id" = "pb-$(head -n 1 hits | jq -j '"Need 2 \"Welders\"|" + .id + "|workers"' | sha256sum | cut -c1-16)" ]
	# further members are kept, and boost the query of the hit
	head -n 1 hits | jq -c '.role = "Welder" | .tags = ["night"] | .mine = 1' | lh-playbook record -q more.lhv
	lh-playbook export more.lhv | jq -e '.role == "Welder" and .tags == ["night"] and .mine == 1'
	lh-search -k 3 --playbook other.lhv -Q 'Need 2 "Welders"' workers.lhv | jq -e '.playbook_boosted + .playbook_injected == 1'
	# a search by a vector has no query to remember; an entry is not a hit
	jq -c '.query = null | .query_text = null' hits | head -n 1 >bad
	echo '{"query_text":"q","answer_id":"a","rank":1,"distance":0}' >>bad
	echo '{"query_text":"q","id":"a","corpus":"c"}' >>bad
	run -1 --separate-stderr lh-playbook record --rejects rejected -q pb.lhv bad
	[ "$(jq -r .error <<<"$output")" = $'missing "query_text" (string)\nmissing "answer_corpus" (string)\nmissing "answer_id" (string)' ] || { echo "$output"; return 1; }
	cmp bad rejected
}

# bats test_tags=full
@test "each way for an entry to be wrong has its reason, in its place among the answers" {
	for bad in "$BAD"/*.jsonl; do
		rm -f pb.lhv* rejected
		{ echo "$ENTRY"; cat "$bad"; jq -c '.answer_id = "b"' <<<"$ENTRY"; } >in
		run -1 --separate-stderr lh-playbook record --rejects rejected pb.lhv <in
		[ "${#lines[@]}" = 3 ]
		[ "$(jq -c .index <<<"$output" | paste -sd' ')" = "0 1 2" ]
		want=$(cat "${bad%.jsonl}.err")
		[[ $(jq -r .error <<<"${lines[1]}") == *"$want"* ]] || { echo "$bad: ${lines[1]}"; return 1; }
		[[ $stderr == "lh-playbook: -:2:"*"$want"* ]] || { echo "$bad: $stderr"; return 1; }
		[[ $stderr == *"lh-playbook: 2 recorded, 1 not"* ]]
		[ "$(tail -n 1 <<<"$stderr")" = "lh-playbook: 1 of 3 records rejected" ]
		cmp rejected "$bad"
		[ "$(lh-playbook list pb.lhv | wc -l)" = 2 ]
	done
}

@test "--on-error stop ends at the first bad entry: what stood before it is recorded" {
	run -1 --separate-stderr lh-playbook record --on-error stop pb.lhv <<<"$ENTRY"$'\n{}\n'"$KNOWN"
	[ "$(jq -c '.index, has("error")' <<<"$output" | paste -sd' ')" = "0 false 1 true" ]
	[ "$(lh-playbook export pb.lhv)" = "$ENTRY" ]
}

@test "tags, role and members of other names are kept as they came; null counts as absent" {
	entry='{ "query_text":"q", "answer_id":"a","answer_corpus":"c","score":1.00,"tags":["x","\u00e9"],"role":null,"n":12345678901234567890 }'
	echo "{\"playbook_id\":\"old\",${entry#\{}" | lh-playbook record -q pb.lhv >out
	[ "$(lh-playbook export pb.lhv | tr -d ' ')" = "$(tr -d ' ' <<<"$entry")" ]
	# what list prints can be recorded again
	lh-playbook list pb.lhv | lh-playbook record -q again.lhv | cmp - out
	[ "$(lh-playbook list pb.lhv)" = "$(lh-playbook list again.lhv)" ]
}

@test "entries are removed by id, by what list or record printed, or by what was recorded" {
	entries 6 >in
	lh-playbook record -q pb.lhv in >ids
	[ "$(lh-playbook remove --id "$(jq -r .playbook_id ids | sed -n 1p)" --id pb-0 pb.lhv)" = '{"removed":1,"unknown":1}' ]
	[ "$(sed -n 2p ids | lh-playbook remove pb.lhv)" = '{"removed":1,"unknown":0}' ]
	[ "$(sed -n 3p in | lh-playbook remove pb.lhv)" = '{"removed":1,"unknown":0}' ]
	[ "$(lh-playbook list pb.lhv | sed -n 1p | lh-playbook remove pb.lhv -)" = '{"removed":1,"unknown":0}' ]
	[ "$(lh-playbook export pb.lhv)" = "$(tail -n 2 in)" ]
	[ "$(lh-playbook remove pb.lhv in)" = '{"removed":2,"unknown":4}' ]
	[ -z "$(lh-playbook list pb.lhv)" ]
	run -1 --separate-stderr lh-playbook remove pb.lhv <<<'{"playbook_id":5}'
	[[ $stderr == *'"playbook_id" must be a string'* ]]
	run -1 --separate-stderr lh-playbook remove pb.lhv <<<'{"query_text":"q"}'
	[[ $stderr == *'missing "answer_id" (string)'* ]]
}

@test "a playbook of an earlier model goes on with it" {
	local model
	for model in hash-v1 hash-v2; do
		entries 20 | lh-playbook record -q --model $model $model.lhv >ids
		entries 20 21 | lh-playbook record -q $model.lhv >ids
		[ "$(lh-index info $model.lhv | jq -c '[.length, .model]')" = "[40,\"$model\"]" ]
		lh-index dump $model.lhv | jq -c .vector | sort >is
		entries 40 | lh-embed --field query_text --model $model | jq -c .vector | sort | cmp - is
	done
}

@test "a playbook is an index like any other" {
	entries 30 | lh-playbook record -q --now 2026-05-03T12:00:00Z pb.lhv >ids
	[ "$(lh-index info pb.lhv | jq -c '[.name, .dimension, .length, .engine, .model, .created_at]')" = '["pb",768,30,"hash","hash-v3","2026-05-03T12:00:00.000Z"]' ]
	lh-index verify pb.lhv
	[ "$(lh-search -k 1 -Q 'Need 3 Welders in Gary IN for client 1' pb.lhv | jq -c '.results[0] | [.distance < 0.000001, .metadata.answer_id]')" = '[true,"w-1"]' ]
	lh-playbook export pb.lhv >before
	lh-index compact pb.lhv
	lh-playbook export pb.lhv | cmp - before
	lh-index dump pb.lhv | lh-index build --now 2026-05-03T12:00:00Z copy.lhv
	lh-playbook export copy.lhv | cmp - before
}

@test "a playbook of another engine goes on with it" {
	start_upstream
	export LH_OLLAMA_URL=$URL
	lh-playbook record -q --engine ollama --model m8 pb.lhv <<<"$ENTRY" >out
	[ "$(lh-index info pb.lhv | jq -c '[.dimension, .engine, .model]')" = '[8,"ollama","m8"]' ]
	lh-playbook record -q pb.lhv <<<"$KNOWN" >>out
	[ "$(lh-playbook list pb.lhv | wc -l)" = 2 ]
	run -2 --separate-stderr lh-playbook record --engine hash pb.lhv <<<"$KNOWN"
	[ "$stderr" = 'lh-playbook: --engine hash: the playbook has ollama' ]
	stop_upstreams
	run -2 --separate-stderr lh-playbook record pb.lhv <<<"$KNOWN"
	[ -z "$output" ]
	[[ $stderr == *"$URL"* ]]
	[ "$(lh-playbook list pb.lhv | wc -l)" = 2 ]
}

@test "no entry, no playbook; a folder that is not there, an index without an engine, a link and a stream are exit 2" {
	lh-playbook record -q pb.lhv </dev/null
	[ ! -e pb.lhv ]
	echo '{"id":"a","vector":[1,0]}' | lh-index build none.lhv
	ln -s none.lhv link.lhv
	for command in "record no/pb.lhv" "record none.lhv" "record link.lhv" "record -" "list pb.lhv" "export pb.lhv" "remove --id x pb.lhv" \
		"list none.lhv" "export none.lhv" "list none.lhv none.lhv" "list" "record --url ftp://x pb.lhv" "record --url http://u:p@x pb.lhv" \
		"record --engine static pb.lhv" "record --model other pb.lhv" "remove --on-error emit none.lhv"; do
		run --separate-stderr lh-playbook $command <<<"$ENTRY"
		[ "$status" = 2 ] || { echo "$command: $status $output"; return 1; }
		[ -z "$output" ]
		[ "$(wc -l <<<"$stderr")" = 1 ]
		[[ $stderr != *"u:p"* ]]
	done
	[ "$(lh-index dump none.lhv | jq -r .id)" = a ]
	no_litter
}

@test "an index of something else takes no entries and loses no rows" {
	echo '{"id":"a","text":"x"}' | lh-index build other.lhv
	for command in "record other.lhv" "remove --id a other.lhv"; do
		run -2 --separate-stderr lh-playbook $command <<<"$ENTRY"
		[ "$stderr" = 'lh-playbook: other.lhv is not a playbook: row 0: missing "query_text" (string)' ]
	done
	[ "$(lh-index dump other.lhv | jq -r .id)" = a ]
	[ ! -e other.lhv-log ]
}

# bats test_tags=hostile
@test "rows that are not entries, or are damaged, are named and not printed" {
	lh-playbook record -q pb.lhv <<<"$ENTRY" >ids
	for meta in '{"a":1}' '{"query_text":"q","answer_id":"a","answer_corpus":"c","score":2}'; do
		lh-index dump pb.lhv | jq -c --argjson m "$meta" '.metadata = $m' | lh-index build bad.lhv
		run -2 --separate-stderr lh-playbook list bad.lhv
		[ -z "$output" ]
		[[ $stderr == "lh-playbook: bad.lhv: row 0: no entry: "* ]]
	done
	lh-index compact pb.lhv
	python3 - <<-'END'
	whole = open("pb.lhv", "rb").read()
	at = whole.index(b'{"query_text"')
	for name, byte in ("quote", b'"'), ("newline", b"\n"), ("utf8", b"\xff"), ("nul", b"\0"):
	    open(name + ".lhv", "wb").write(whole[:at + 5] + byte + whole[at + 6:])
	END
	for name in quote newline utf8 nul; do
		run -2 --separate-stderr lh-playbook export $name.lhv
		[ -z "$output" ]
	done
}

@test "as a co-process: an entry is answered at once, and is there by then" {
	coproc lh-playbook record -q pb.lhv
	pid=$COPROC_PID
	for i in 1 2 3; do
		entries 1 "$i" >&"${COPROC[1]}"
		read -r -t "$LH_PATIENCE" answer <&"${COPROC[0]}"
		[ "$(jq .index <<<"$answer")" = $((i - 1)) ]
		[ "$(lh-playbook list pb.lhv | wc -l)" = "$i" ]
	done
	eval "exec ${COPROC[1]}>&-"
	wait "$pid"
}

@test "killed at any write, sync or rename: what was answered is there, and the next run goes on" {
	needs_strace
	entries 3 >in
	for call in write pwrite64 fsync rename ftruncate unlink; do
		for ((n = 1, new = 1; n < 40; n++)); do
			rm -f pb.lhv* .*lh-tmp*
			[ $new = 1 ] || head -n 1 in | lh-playbook record -q pb.lhv >/dev/null
			inject $call:signal=KILL:when=$n lh-playbook record -q pb.lhv <in >out 2>/dev/null || true
			# first without a playbook, then with one
			injected || { [ $new = 1 ] && new=0 n=0 && continue; } || break
			jq -r .playbook_id out | sort >answered
			[ ! -e pb.lhv ] || lh-playbook list pb.lhv >listed 2>/dev/null || { echo "$call $n: unreadable"; return 1; }
			[ -e pb.lhv ] || : >listed
			[ -z "$(comm -23 answered <(jq -r .playbook_id listed | sort))" ] || { echo "$call $n: lost"; return 1; }
			lh-playbook record -q pb.lhv in >/dev/null
			[ "$(lh-playbook list pb.lhv | wc -l)" = 3 ]
			lh-index verify pb.lhv
			no_litter
		done
	done
}

@test "a playbook grows without a slower commit: only what is new of the log is read" {
	needs_strace
	entries 90 | lh-playbook record -q pb.lhv >/dev/null
	entries 5 100 >in
	strace -f --quiet=all -o trace -e trace=rename lh-playbook record -q pb.lhv <in >/dev/null
	[ "$(grep -c rename trace)" = 0 ]
	# the log has outgrown its bound: one compaction, at the end
	entries 20 200 | lh-playbook record -q pb.lhv >/dev/null
	[ "$(lh-index info pb.lhv | jq -c '[.length, .pending]')" = "[115,0]" ]
}

@test "entries recorded again keep the graph: the compaction leaves rows and links where they are" {
	n=$(scale 1200 5000)
	entries "$n" | lh-playbook record -q -j1 pb.lhv >/dev/null
	lh-index compact pb.lhv
	lh-playbook export pb.lhv | first 150 | jq -c '.score = 0.25' >again
	lh-playbook record -q pb.lhv <again >/dev/null
	lh-index compact pb.lhv
	# in the order they had
	lh-playbook export pb.lhv | first 150 | cmp - again
	[ "$(lh-playbook list pb.lhv | wc -l)" = "$n" ]
	lh-index verify pb.lhv
	lh-search -k 1 --flat pb.lhv < <(jq -c '{query_text}' again) | jq -c 'select(.metadata.score != 0.25)' >wrong
	[ ! -s wrong ]
}

@test "50 processes record while 4 search, from nothing: no failure, no lost entry" {
	per=$(scale 20 2000) procs=50
	lh-gen workers -n 60 | lh-index build workers.lhv
	for ((p = 0; p < procs; p++)); do entries "$per" $((p * per + 1)) >in.$p; done
	searchers=()
	for s in 1 2 3 4; do
		while :; do
			lh-search -k 3 --playbook-optional --playbook pb.lhv -Q 'Need 3 Welders in Gary IN for client 1' workers.lhv || echo "exit $?"
			[ ! -e done ] || break
		done >found.$s 2>&1 &
		searchers+=($!)
	done
	recorders=()
	for ((p = 0; p < procs; p++)); do
		lh-playbook record -q --lock-timeout 600 pb.lhv in.$p >ids.$p 2>err.$p &
		recorders+=($!)
	done
	failed=0
	for pid in "${recorders[@]}"; do wait "$pid" || failed=$((failed + 1)); done
	: >done
	wait "${searchers[@]}"
	[ "$failed" = 0 ] || { cat err.*; false; }
	[ -z "$(cat err.*)" ]
	[ "$(cat ids.* | jq -r .playbook_id | sort -u | wc -l)" = $((procs * per)) ]
	lh-playbook list pb.lhv | jq -r .playbook_id | sort >there
	cat ids.* | jq -r .playbook_id | sort | cmp - there
	lh-index verify pb.lhv
	[ "$(cat found.* | wc -l)" -gt 3 ]
	[ "$(cat found.* | jq -c 'select(.results | length != 3)' | wc -l)" = 0 ]
	# no more is pending than would slow a search down, and the last runs may have added
	[ "$(lh-index info pb.lhv | jq ".pending <= ([100, .length / 10] | max) + 2 * $per")" = true ]
	no_litter
	[ ! -e pb.lhv-lock ]
}

@test "many begin one playbook at once, an entry each" {
	for round in $(seq "$(scale 3 50)"); do
		rm -f pb.lhv*
		pids=()
		for p in {1..12}; do
			entries 1 "$p" | lh-playbook record -q pb.lhv >ids.$p &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid"; done
		[ "$(lh-playbook list pb.lhv | wc -l)" = 12 ]
		lh-index verify pb.lhv
	done
}

@test "100,000 bad lines: exact count, linear time, messages that end" {
	(echo "$ENTRY"; repeat 100000 bad) >in
	run -1 --separate-stderr cheaply lh-playbook record --rejects rejected pb.lhv <in
	[ "${#lines[@]}" = 100001 ]
	[[ $(tail -n 3 <<<"$stderr" | first 1) == "lh-playbook: -: 99997 more: "* ]]
	[ "$(tail -n 2 <<<"$stderr" | first 1)" = "lh-playbook: 1 recorded, 100000 not" ]
	[ "$(tail -n 1 <<<"$stderr")" = "lh-playbook: 100000 of 100001 records rejected" ]
	[ "$(wc -l <rejected)" = 100000 ]
}

@test "a lock that another process holds is waited for" {
	lh-playbook record -q pb.lhv <<<"$ENTRY" >/dev/null
	exec 7>pb.lhv-lock
	flock 7
	lh-playbook record -q pb.lhv <<<"$KNOWN" >out 7>&- &
	pid=$!
	until_so eval '[ -n "$(find /proc/$pid/fd -lname "$PWD/pb.lhv-lock" 2>/dev/null)" ]'
	[ ! -s out ]
	kill -0 $pid
	rm pb.lhv-lock
	exec 7>&-
	wait $pid
	[ "$(lh-playbook list pb.lhv | wc -l)" = 2 ]
}

@test "what is recorded while ids to remove come in is removed with them" {
	first=$(lh-playbook record -q pb.lhv <<<"$ENTRY" | jq -r .playbook_id)
	mkfifo ids
	timeout "$LH_PATIENCE" lh-playbook remove --id "$first" pb.lhv ids >out &
	exec 7>ids	# the first one is taken when this can be opened
	lh-playbook record -q pb.lhv <<<"$KNOWN" >known 7>&-
	cat known known >&7
	exec 7>&-
	wait $!
	[ "$(cat out)" = '{"removed":2,"unknown":1}' ]
	[ -z "$(lh-playbook list pb.lhv)" ]
}

@test "who finds that another has made the playbook meanwhile goes on with its engine" {
	mkfifo in
	timeout "$LH_PATIENCE" lh-playbook record -q pb.lhv in >out &
	exec 7>in	# there was no playbook yet
	lh-index build --force --allow-empty --engine hash --dimension 64 pb.lhv </dev/null 7>&-
	printf '%s\n' "$ENTRY" "$KNOWN" >&7
	exec 7>&-
	wait $!
	[ "$(jq -c 'has("error")' out | sort | uniq -c | xargs)" = "2 false" ]
	lh-embed --dimension 64 --field query_text <<<"$KNOWN" | jq -c .vector >want
	lh-index dump pb.lhv | jq -c --arg id "$(jq -r 'select(.index == 1).playbook_id' out)" 'select(.id == $id).vector' | cmp - want
}

@test "who finds a playbook of a service that is down meanwhile stores nothing" {
	mkfifo in
	timeout "$LH_PATIENCE" lh-playbook record -q pb.lhv in >out 2>err &
	exec 7>in
	lh-index build --force --allow-empty --engine openai --model m2 --url http://127.0.0.1:1 --dimension 768 pb.lhv </dev/null 7>&-
	echo "$ENTRY" >&7
	exec 7>&-
	rc=0
	wait $! || rc=$?
	[ "$rc" = 2 ]
	[[ $(cat err) == *http://127.0.0.1:1/* ]]
	[ "$(lh-index info pb.lhv | jq .length)" = 0 ]
}

@test "entries do not go into a playbook that was replaced by one of another engine meanwhile" {
	lh-playbook record -q pb.lhv <<<"$ENTRY" >/dev/null
	mkfifo in
	timeout "$LH_PATIENCE" lh-playbook record -q pb.lhv in >out 2>err &
	exec 7>in
	lh-index build --force --allow-empty --engine openai --model m2 --dimension 768 pb.lhv </dev/null 7>&-
	echo "$KNOWN" >&7
	exec 7>&-
	rc=0
	wait $! || rc=$?
	[ "$rc" = 2 ]
	[ ! -s out ]
	[ "$(cat err)" = "lh-playbook: pb.lhv: it was replaced meanwhile by an index of engine openai, expected hash" ]
	[ "$(lh-index info pb.lhv | jq .length)" = 0 ]
}

@test "learn and find: what was recorded leads the next search, and a paraphrase, but no other role" {
	lh-gen workers -n 500 | lh-index build workers.lhv
	echo "$KNOWN" | lh-playbook record -q pb.lhv >/dev/null
	search() { lh-search -k 3 --auto-role --playbook pb.lhv -Q "$1" workers.lhv; }
	[ "$(search 'Need 3 Forklift Operators in Aurora IL for Parallel Machining' | jq -c '[.results[0].id, .playbook_injected]')" = '["w-43",1]' ]
	[ "$(search 'Need 4 Forklift Operators in Aurora IL for Parallel Machining' | jq -c '[.results[0].id, .playbook_injected]')" = '["w-43",1]' ]
	[ "$(search 'Need 3 CNC Operators in Aurora IL for Parallel Machining' | jq -c '[.results[0].id == "w-43", .playbook_injected]')" = '[false,0]' ]
}

@test "an entry without a role gets that which its text asks for, by what its corpus holds, or says why there is none" {
	mkdir index book
	printf '%s\n' '{"id":"1","text":"a","role":"Reach Truck Driver","city":"Detroit","state":"MI"}' '{"id":"2","text":"b","role":"Baker"}' | lh-index build -q index/workers.lhv
	entry() { printf '{"query_text":"%s","answer_id":"1","answer_corpus":"%s","score":1%s}\n' "$@"; }
	{ entry 'Reach Truck Driver Detroit MI' workers; entry 'somebody in Detroit' workers ',"role":""'; entry 'Baker Detroit' workers ',"role":"Cook"'
		entry 'Need 2 Bakers in Gary IN' elsewhere; entry 'Baker' ../index/workers; } >in
	lh-playbook record -q --indexes index pb.lhv in | jq -c 'del(.index, .playbook_id)' | diff - <(
		printf '%s\n' '{"query_role":"Reach Truck Driver","query_city":"Detroit","query_state":"MI"}' \
			'{"query_role_missing":"the text has no role that a record has"}' '{}' '{"query_role":"Baker"}' '{}')
	[ "$(lh-playbook export pb.lhv | jq -c .role | paste -sd' ')" = '"Reach Truck Driver" "" "Cook" "Baker" null' ]
	jq -c '. + {op: "record"}' in | lh-playbook requests -q --indexes index book | jq -c 'del(.playbook_id)' |
		diff - <(lh-playbook record -q --indexes index again.lhv in | jq -c 'del(.index, .playbook_id)')
	# as it is asked: the same role is boosted, another one is not
	search() { lh-search -k 2 --auto-role --playbook pb.lhv -Q "$1" index/workers.lhv | jq -c '[.query_role, .playbook_boosted]'; }
	[ "$(search 'reach truck drivers Detroit MI')" = '["Reach Truck Driver",1]' ]
	[ "$(search 'Baker Detroit MI')" = '["Baker",0]' ]
}

# judge.sh - rates welders 3, others 1, and one not at all.
make_judge() {
	cat >judge.sh <<-'END'
		while read -r line; do
			echo "$line" >>asked
			case $line in
			*'"id":"w-3"'*) echo '{"no":1}' ;;
			*Welder*'"text":'*Welder*) echo '{"rating":3}' ;;
			*) echo '{"rating":1}' ;;
			esac
		done
	END
	mkdir -p index book
	printf '%s\n' '{"id":"w-1","text":"Welder"}' '{"id":"w-2","text":"Nurse"}' '{"id":"w-3","text":"Cook"}' | lh-index build -q index/workers.lhv
	for n in 1 2 3 4; do
		echo '{"query_text":"Need 1 Welder in Gary IN","answer_id":"w-'$n'","answer_corpus":"workers","score":1}'
	done >entries.jsonl
}

@test "record --judge refuses an answer that the judge rates under --least, with the rating, in a row of the log" {
	make_judge
	run -1 --separate-stderr lh-playbook record --judge 'sh judge.sh' --least 2 --indexes index --decisions log --on-error emit pb.lhv entries.jsonl
	diff - <(jq -c '[.index, .error, .code]' <<<"$output") <<-'END'
		[0,null,null]
		[1,"the judge rates the answer 1, less than 2",422]
		[2,"the judge gave no rating",502]
		[3,"corpus \"workers\" has no record \"w-4\" to judge",404]
	END
	[ "$(lh-playbook list pb.lhv | jq -r .answer_id)" = w-1 ]
	diff - <(jq -c '[.verdict, .rating, .ids[0].id]' log) <<-'END'
		["refused",1,"w-2"]
		["recorded",3,"w-1"]
	END
	[ "$(first 1 <asked | jq -c '[.id, .corpus, .query_text, .text]')" = '["w-1","workers","Need 1 Welder in Gary IN","{\"text\":\"Welder\"}"]' ]
	run -2 lh-playbook record --judge 'sh judge.sh' pb.lhv entries.jsonl
	run -2 lh-playbook record --least 2 pb.lhv entries.jsonl
	# a judge that ends is an error of its entry
	run -1 --separate-stderr lh-playbook record --judge 'exit 3; true' --least 2 --on-error emit pb.lhv <entries.jsonl
	[ "$(jq -c .code <<<"$output" | uniq)" = 502 ]
	# nor does it read what is no index of the folder
	run -1 --separate-stderr lh-playbook record --judge 'sh judge.sh' --least 2 --indexes index --on-error emit pb.lhv < <(sed 's|"workers"|"../index/workers"|;q' entries.jsonl)
	[ "$(jq -c '[.error, .code]' <<<"$output")" = '["there is no such index",404]' ]
}

@test "in a bulk each entry is rated by itself, by the judge of the configuration and never by one that a request names" {
	make_judge
	load ../servers/serve
	mkdir -p s/log
	mv index s/index
	jq -nc --arg run "lh-playbook requests --indexes s/index -q --on-error emit --decisions s/log/decisions.jsonl --least 2 s/playbook --judge" \
		'def run: ($run | split(" ")) + ["sh '"$PWD"'/judge.sh"];
		{state: "s", routes: [("record", "bulk") | {route: "POST /v1/matrix/playbooks/\(.)", members: {op: .}, run: run}]}' >config
	start_serve --config config
	jq -sc '{entries: .[:3]}' entries.jsonl >bulk
	[ "$(post /v1/matrix/playbooks/bulk "$(jq -c '.judge = "touch pwned; cat"' bulk)")" = '{"error":"unknown member \"judge\""}' ]
	[ "$(post /v1/matrix/playbooks/bulk "$(jq -c '.entries[].judge = "touch pwned; cat"' bulk)" | jq -c '[.results[].error] | unique')" = '["unknown member \"judge\""]' ]
	post /v1/matrix/playbooks/bulk "$(cat bulk)" >answer
	jq -c '[.results[] | .error // .playbook_id[:3]], [.recorded, .failed]' answer |
		diff <(echo '["pb-","the judge rates the answer 1, less than 2","the judge gave no rating"]'; echo '[1,2]') -
	jq -c '[.verdict, .rating, .ids[0].id]' s/log/decisions.jsonl | sort | diff <(echo '["recorded",3,"w-1"]'; echo '["refused",1,"w-2"]') -
	[ "$(status /v1/matrix/playbooks/record --json "$(sed -n 2p entries.jsonl)")$(status /v1/matrix/playbooks/record --json "$(sed -n 3p entries.jsonl)")" = 422502 ]
	[ "$(lh-playbook list s/playbook/playbook_memory.lhv | jq -r .answer_id)" = w-1 ]
	[ -z "$(find . -name pwned)" ]
	stop_serves
}

@test "a request asks for a higher rating by least, never a lower one, and gets an error where there is no judge" {
	make_judge
	ask() { sed -n "$1p" entries.jsonl | jq -c '. + {op: "record"} + '"${2:-null}" | lh-playbook requests -q --on-error emit --indexes index "${@:3}" book | jq -c '.error.message // .playbook_id[:3]'; }
	[ "$(ask 1 null --judge 'sh judge.sh' --least 2)" = '"pb-"' ]
	[ "$(ask 1 '{least: 3}' --judge 'sh judge.sh' --least 2)" = '"pb-"' ]
	[ "$(ask 1 '{least: 3.5}' --judge 'sh judge.sh' --least 2)" = '"the judge rates the answer 3, less than 3.5"' ]
	[ "$(ask 2 '{least: 0}' --judge 'sh judge.sh' --least 2)" = '"the judge rates the answer 1, less than 2"' ]
	[ "$(ask 1 '{least: 1}')" = '"\"least\": there is no judge (--judge)"' ]
	[ "$(lh-playbook export book/playbook_memory.lhv)" = "$(first 1 <entries.jsonl | sed 's/}$/,"role":"Welder"}/')" ]
}

@test "record --judge asks a model as lh-judge does" {
	make_judge
	printf '{"content":"{\\"grade\\":%s}"}\n' 1 3 >answers
	start_server chat.py --mode replay --body answers
	run -1 --separate-stderr env LH_OLLAMA_URL="$URL" lh-playbook record --judge m --least 2 --indexes index --on-error emit pb.lhv entries.jsonl
	[ "$(jq -c '[.error, .code, .playbook_id[:3]]' <<<"$output" | first 2)" = '["the judge rates the answer 1, less than 2",422,null]'$'\n''[null,null,"pb-"]' ]
}
