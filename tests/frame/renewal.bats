# What a running tool sees of files that change: each is asked as a co-process,
# before and after.
load ../helper

teardown() {
	if [ -n "${TOOL_PID:-}" ]; then kill "$TOOL_PID" 2>/dev/null || true; fi
}

# start COMMAND... - as a co-process, what it says on stderr in err.
start() {
	coproc TOOL { exec "$@" 2>>err; }
	PID=$TOOL_PID
}

# ask LINE - its answer into $answer; LH_PATIENCE: seconds, for a tool that gives none.
ask() {
	echo "$1" >&"${TOOL[1]}"
	IFS= read -r -t "$LH_PATIENCE" answer <&"${TOOL[0]}"
}

# said FILTER - what jq makes of the answer.
said() {
	jq -c "$1" <<<"$answer"
}

# finish [STATUS] - the input ends, and with it the tool.
finish() {
	local status=0
	exec {TOOL[1]}>&-
	wait "$PID" || status=$?
	[ "$status" = "${1:-0}" ]
}

# replace FILE - by standard input, whole.
replace() {
	cat >"$1.new"
	mv "$1.new" "$1"
}

# lines N - out has that many.
lines() {
	[ "$(wc -l <out)" = "$1" ]
}

# lost - the answer is the error that says "not now".
lost() {
	[ "$(said '[.error.code, .id]')" = '[503,"q"]' ]
}

# ---- lh-search ----

# two ID X Y ID X Y - two records of an index.
two() {
	printf '{"id":"%s","vector":[%s,%s]}\n{"id":"%s","vector":[%s,%s]}\n' "$@"
}

# hits - of the answer: id distance (4 decimals, cut), + when boosted.
hits() {
	said '[.results[] | .id + " " + ((.distance * 10000 | floor) / 10000 | tostring) +
		(if .playbook.boosted then "+" else "" end)] | join(", ")'
}

@test "cold, record, warm within one running lh-search: 0.4449, then 0.2224" {
	two a 0.55505 0.831817 b 0.69995 0.714192 | lh-index build -q w.lhv
	start lh-search --playbook-optional --playbook pb.lhv w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"b 0.3, a 0.4449"' ]
	echo '{"id":"pb-1","vector":[1,0],"metadata":{"query_text":"q","answer_id":"a","answer_corpus":"w","score":1.0,"role":""}}' |
		lh-index build -q pb.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"a 0.2224+, b 0.3"' ]
	finish
}

@test "a playbook that is recorded into while it is searched counts at once, entry by entry" {
	lh-gen workers -n 200 --seed 1 | lh-index build -q w.lhv
	text=$(lh-gen queries -n 1 --seed 1 | jq -r .query_text)
	start lh-search -k 5 --no-metadata --playbook-optional --playbook pb.lhv w.lhv
	ask "$(jq -nc --arg t "$text" '{query_text: $t}')"
	[ "$(said .playbook_boosted)" = 0 ]
	for n in 0 1 2; do	# three entries are asked
		id=$(said '[.results[] | select(.playbook | not) | .id][-1]')
		jq -nc --arg t "$text" --argjson id "$id" '{query_text: $t, answer_id: $id, answer_corpus: "w", score: 1}' |
			lh-playbook record -q pb.lhv >/dev/null
		ask "$(jq -nc --arg t "$text" '{query_text: $t}')"
		[ "$(said '[.results[] | select(.playbook) | .id] | [length, index('"$id"') != null]')" = "[$((n + 1)),true]" ]
	done
	finish
}

@test "an index that is added to, deleted from, compacted or rebuilt is searched as it is by then" {
	two a 1 0 b 0 1 | lh-index build -q w.lhv
	start lh-search -k 3 w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"a 0, b 1"' ]
	echo '{"id":"c","vector":[1,0]}' | lh-index add -q w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"a 0, c 0, b 1"' ]
	lh-index delete -q --id a w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"c 0, b 1"' ]
	lh-index compact -q w.lhv
	[ ! -e w.lhv-log ]
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"c 0, b 1"' ]
	two x 1 0 y 0 1 | lh-index build -q w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"x 0, y 1"' ]
	finish
}

@test "a log that grew is read on from where it stood, and the index is not mapped anew" {
	needs_strace
	lh-gen workers -n 1200 --seed 1 | lh-index build -q w.lhv
	lh-gen workers -n 1250 --seed 1 | tail -n 50 | lh-index add -q w.lhv
	before=$(stat -c %s w.lhv-log)
	touch -d '1 minute ago' w.lhv w.lhv-log	# or the next look cannot tell whether they changed
	start strace -f -qq -y -o trace -e trace=read,pread64,mmap lh-search -k 1 w.lhv
	ask '{"query_text":"Welder"}'
	lh-gen workers -n 1252 --seed 1 | tail -n 2 | lh-index add -q w.lhv
	: >trace
	ask '{"query_text":"Welder"}'
	finish
	grown=$(($(stat -c %s w.lhv-log) - before))
	[ "$(grep -ac 'mmap.*w\.lhv>' trace)" = 0 ]
	[ "$(grep -aF 'w.lhv-log>' trace | awk '{ n += $NF } END { print n + 0 }')" = "$grown" ]
}

@test "an index that is gone, or replaced by a damaged one, costs the records of then a 503" {
	two a 1 0 b 0 1 | lh-index build -q w.lhv
	cp w.lhv whole
	start lh-search -k 1 --on-error emit w.lhv
	ask '{"id":"q","vector":[1,0]}'
	[ "$(hits)" = '"a 0"' ]
	mv w.lhv away
	ask '{"id":"q","vector":[1,0]}'
	lost
	[[ $(said .error.message) == *'w.lhv: No such file'* ]]
	mv away w.lhv
	ask '{"id":"q","vector":[1,0]}'
	[ "$(hits)" = '"a 0"' ]
	for damage in 0 100 4096 5000; do
		head -c $damage whole | replace w.lhv
		ask '{"id":"q","vector":[1,0]}'
		lost
		ask '{"id":"q","vector":'
		[ "$(said '.error | has("message")')" = true ]
	done
	replace w.lhv <whole
	ask '{"id":"q","vector":[0,1]}'
	[ "$(hits)" = '"b 0"' ]
	head -c 24 /dev/urandom >w.lhv-log
	ask '{"id":"q","vector":[1,0]}'
	lost
	rm w.lhv-log
	ask '{"id":"q","vector":[1,0]}'
	[ "$(hits)" = '"a 0"' ]
	finish 1
	grep -q ': w.lhv: ' err
}

@test "damage that only a search meets ends a run at its start, but not one that is under way" {
	echo '{"id":"a","vector":[1,0],"metadata":{"name":"Ada"}}' | lh-index build -q w.lhv
	sed 's/"Ada"/"Ada /' w.lhv >damaged
	start lh-search -k 1 --on-error emit w.lhv
	ask '{"vector":[1,0]}'
	[ "$(said .results[0].metadata.name)" = '"Ada"' ]
	replace w.lhv <damaged
	ask '{"id":"q","vector":[1,0]}'
	lost
	replace w.lhv <damaged
	run -2 lh-search w.lhv <<<'{"vector":[1,0]}'
	lh-index build -q w.lhv <<<'{"id":"b","vector":[1,0]}'
	ask '{"vector":[1,0]}'
	[ "$(said .results[0].id)" = '"b"' ]
	finish 1
}

@test "without emit such records are skipped, or end the run, as others that are rejected" {
	two a 1 0 b 0 1 | lh-index build -q w.lhv
	start lh-search -k 1 --rejects rej w.lhv
	ask '{"vector":[1,0]}'
	mv w.lhv away
	echo '{"vector":[1,0],"lost":1}' >&"${TOOL[1]}"
	until_so [ -s rej ]
	mv away w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"a 0"' ]
	finish 1
	[ "$(cat rej)" = '{"vector":[1,0],"lost":1}' ]
	grep -q '1 of 3 records rejected' err
	start lh-search -k 1 --on-error stop w.lhv
	ask '{"vector":[1,0]}'
	mv w.lhv away
	echo '{"vector":[1,0]}' >&"${TOOL[1]}"
	status=0
	wait "$PID" || status=$?
	[ "$status" = 1 ]
}

@test "an index rebuilt with another dimension: texts go on, vectors get the error that fits" {
	printf '%s\n' '{"id":"a","text":"welder"}' '{"id":"b","text":"nurse"}' >texts
	lh-index build -q --dimension 64 w.lhv <texts
	start lh-search -k 1 --on-error emit w.lhv
	ask '{"query_text":"welder"}'
	[ "$(said .results[0].id)" = '"a"' ]
	ask "$(jq -nc '{vector: [range(64) | 1]}')"
	[ "$(said '.results | length')" = 1 ]
	lh-index build -q --dimension 128 w.lhv <texts
	ask '{"query_text":"nurse"}'
	[ "$(said .results[0].id)" = '"b"' ]
	ask "$(jq -nc '{vector: [range(64) | 1]}')"
	[[ $(said .error.message) == *'the query has dimension 64, corpus \"w\" has 128'* ]]
	[ "$(said .error.code)" != 503 ]
	ask "$(jq -nc '{vector: [range(128) | 1]}')"
	[ "$(said '.results | length')" = 1 ]
	finish 1
}

@test "with --once, and where a file is the input, an index is looked at once" {
	two a 1 0 b 0 1 | lh-index build -q w.lhv
	start lh-search -k 1 --once w.lhv
	ask '{"vector":[1,0]}'
	two x 1 0 y 0 1 | lh-index build -q w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"a 0"' ]
	rm w.lhv
	ask '{"vector":[1,0]}'
	[ "$(hits)" = '"a 0"' ]
	finish
	two a 1 0 b 0 1 | lh-index build -q w.lhv
	echo '{"vector":[1,0]}' >in
	lh-search -k 1 w.lhv <in >out
	lh-search -k 1 w.lhv <in | cmp - out
}

@test "an index that is added to while four threads search it: each answer is of one state" {
	two a 1 0 b 0 1 | lh-index build -q w.lhv
	mkfifo in
	lh-search -k 100 --no-metadata -j4 w.lhv <in >out 3>&- &
	pid=$!
	exec 9>in
	for ((i = 0; i < $(scale 30 300); i++)); do
		repeat 400 '{"vector":[1,0]}' >&9
		printf '{"id":"n%04d","vector":[1,0]}\n' $i | lh-index add -q w.lhv
		[ $((i % 10)) != 9 ] || lh-index compact -q w.lhv
		[ $((i % 10)) != 5 ] || until_so lines $((i * 400 + 400))
	done
	echo '{"vector":[1,0],"last":true}' >&9
	exec 9>&-
	wait $pid
	[ "$(wc -l <out)" = $((i * 400 + 1)) ]
	# what is added comes in order, and is never gone again
	jq -c '[.results[].id | select(startswith("n"))]' out | uniq >seen
	[ "$(wc -l <seen)" -gt $((i / 10)) ]
	[ "$(jq -c 'select(. != (sort | .[0:length])) ' seen | wc -l)" = 0 ]
	[ "$(jq length seen | sort -n | uniq | paste -sd' ')" = "$(jq length seen | uniq | paste -sd' ')" ]
	[ "$(tail -n 1 out | jq '.results | length')" = $((i + 2 > 100 ? 100 : i + 2)) ]
}

# bats test_tags=full
@test "what was replaced is let go of: no old map, however many rebuilds" {
	lh-gen workers -n 300 --seed 1 >w
	lh-index build -q w.lhv <w
	mkfifo in
	lh-search -k 1 -j4 w.lhv <in >out 3>&- &
	pid=$!
	exec 9>in
	for i in 1 2 3; do
		repeat 20000 '{"query_text":"Welder"}' >&9
		lh-index build -q w.lhv <w
	done
	repeat 20000 '{"query_text":"Welder"}' >&9
	until_so lines 80000
	echo '{"query_text":"Welder"}' >&9
	until_so lines 80001
	until_so not grep -q 'w\.lhv (deleted)' /proc/$pid/maps
	[ "$(grep -c 'w\.lhv$' /proc/$pid/maps)" = 1 ]
	exec 9>&-
	wait $pid
}

# ---- lh-search over a folder ----

# counted - the corpora that the answer counts, or its error's code.
counted() {
	said '.error.code // (.per_corpus_counts | keys | join(" "))'
}

@test "a playbook that lh-playbook records into a folder counts at the next query" {
	mkdir i p
	lh-gen workers -n 200 --seed 1 | lh-index build -q i/workers.lhv
	text=$(lh-gen queries -n 1 --seed 1 | jq -r .query_text)
	query=$(jq -nc --arg t "$text" '{query_text: $t, corpora: ["workers"], k: 5, use_playbook: true}')
	start lh-search --wire --no-metadata -j1 --playbooks p i/
	ask "$query"
	[ "$(said .playbook_boosted)" = 0 ]
	for n in 1 2 3; do	# three entries are asked
		id=$(said '[.results[] | select(.playbook | not) | .id][-1]')
		jq -nc --arg t "$text" --argjson id "$id" '{query_text: $t, answer_id: $id, answer_corpus: "workers", score: 1}' |
			lh-playbook record -q p/playbook_memory.lhv >/dev/null
		ask "$query"
		[ "$(said .playbook_boosted)" = $n ]
	done
	finish
}

@test "indexes of a folder are created, replaced, added to and deleted while it is searched" {
	mkdir i
	two a 1 0 b 0 1 | lh-index build -q i/m.lhv
	start lh-search --wire --on-error emit -j1 i/
	m='{"vector":[1,0],"corpora":["m"]}' new='{"vector":[1,0],"corpora":["m","a"]}'
	ask "$m"
	[ "$(hits)" = '"a 0, b 1"' ]
	ask "$new"
	[ "$(counted)" = 404 ]
	lh-index build -q --allow-empty --dimension 2 i/a.lhv </dev/null
	ask "$new"
	[ "$(said .per_corpus_counts)" = '{"a":0,"m":2}' ]
	echo '{"id":"c","vector":[1,0]}' | lh-index add -q i/a.lhv
	ask "$new"
	[ "$(hits)" = '"c 0, a 0, b 1"' ]
	two x 1 0 y 0 1 | lh-index build -q i/m.lhv
	ask "$new"
	[ "$(hits)" = '"c 0, x 0, y 1"' ]
	lh-index compact -q i/a.lhv
	ask "$new"
	[ "$(hits)" = '"c 0, x 0, y 1"' ]
	rm i/a.lhv*
	ask "$new"
	[ "$(counted)" = 404 ]
	ask '{"vector":[1,0],"index":"a"}'
	[ "$(said .error.code)" = 404 ]
	ask "$m"
	[ "$(hits)" = '"x 0, y 1"' ]
	echo '{"id":"other","vector":[1]}' | lh-index build -q i/a.lhv
	ask '{"vector":[1],"index":"a"}'
	[ "$(said '.results[0].id')" = '"other"' ]
	finish 1
}

@test "an index of a folder that is damaged while it is searched fails alone, until it is whole" {
	mkdir i
	two a 1 0 b 0 1 | lh-index build -q i/a.lhv
	two c 1 0 d 0 1 | lh-index build -q i/c.lhv
	cp i/a.lhv whole
	start lh-search --wire --on-error emit i/
	ask '{"vector":[1,0],"corpora":["a","c"]}'
	[ "$(hits)" = '"a 0, c 0, b 1, d 1"' ]
	for damage in 0 100 4096 5000; do
		head -c $damage whole | replace i/a.lhv
		ask '{"vector":[1,0],"corpora":["a","c"]}'
		[ "$(said '[.error.code, (.error.message | contains("i/"))]')" = '[502,false]' ]
		ask '{"vector":[1,0],"corpora":["c"]}'
		[ "$(hits)" = '"c 0, d 1"' ]
		replace i/a.lhv <whole
		ask '{"vector":[1,0],"corpora":["a","c"]}'
		[ "$(counted)" = '"a c"' ]
	done
	mv i away
	ask '{"id":"q","vector":[1,0],"corpora":["c"]}'
	lost
	[[ $(said .error.message) == '"cannot read the folder: No such file or directory"' ]]
	mv away i
	ask '{"vector":[1,0],"corpora":["a","c"]}'
	[ "$(counted)" = '"a c"' ]
	finish 1
}

@test "what a query needs of a folder stays open when another index of it changes" {
	needs_strace
	mkdir i
	for name in a b c; do two a 1 0 b 0 1 | lh-index build -q i/$name.lhv; done
	start strace -f -qq -o trace -e trace=openat lh-search --wire -j1 i/
	ask '{"vector":[1,0],"corpora":["a","c"]}'
	two x 1 0 y 0 1 | lh-index build -q i/b.lhv
	two x 1 0 y 0 1 | lh-index build -q i/aa.lhv
	touch -d '1 minute ago' i/*.lhv i	# nothing of it counts as changed just now
	ask '{"vector":[1,0],"corpora":["a","c"]}'
	: >trace
	ask '{"vector":[1,0],"corpora":["a","c"]}'
	[ "$(counted)" = '"a c"' ]
	echo '{"id":"x","vector":[1,0]}' | lh-index add -q i/c.lhv
	ask '{"vector":[1,0],"corpora":["aa","c"]}'
	[ "$(said .per_corpus_counts)" = '{"aa":2,"c":3}' ]
	finish
	[ "$(grep -c 'aa\.lhv"' trace)" = 1 ]
	[ "$(grep -c '/[abc]\.lhv"' trace)" = 0 ]
}

@test "filters and engines of a corpus are the right ones while others come and go" {
	mkdir i
	for n in 1 2; do lh-gen workers -n 300 --seed $n | lh-index build -q --dimension $((n * 64)) i/w$n.lhv; done
	query='{"query_text":"Welder in Chicago","corpora":["w1","w2"],"k":5,"metadata_filter":{"state":["IL","IN"]}}'
	start lh-search --wire --on-error emit -j2 i/
	ask "$query"
	for n in 3 4 5 6; do
		lh-gen workers -n $((n * 50)) --seed $n | lh-index build -q --dimension $((n % 2 * 64 + 64)) i/w0$n.lhv
		lh-gen workers -n $((n * 99)) --seed $n | lh-index build -q --dimension $((n % 2 * 64 + 64)) i/w2.lhv
		rm -f i/w0$((n - 1)).lhv
		for corpora in '["w1","w2"]' '["w2","w0'$n'"]' '["w0'$n'","w1","w2"]'; do
			query=$(jq -c ".corpora = $corpora" <<<"$query")
			ask "$query"
			[ "$answer" = "$(lh-search --wire i <<<"$query")" ]
		done
	done
	finish
}

# ---- lh-validate, lh-iterate ----

# fill NAME - a fill of one worker, w1, as a record.
fill() {
	echo '{"id":"q","kind":"fill","artifact":{"fills":[{"candidate_id":"w1","name":"'"$1"'"}]},"context":{"target_count":1,"city":"Aurora","client_id":"c"}}'
}

# worker NAME [STATUS] - w1 of a roster.
worker() {
	echo '{"candidate_id":"w1","name":"'"$1"'","status":"'"${2:-active}"'","city":"Aurora"}'
}

# judged_by_roster FILE - the roster in FILE is seen when it changes, whatever it is.
judged_by_roster() {
	ask "$(fill Ada)"
	[ "$(said .verdict.status)" = 200 ]
	worker Ada terminated | $make
	ask "$(fill Ada)"
	[ "$(said .verdict.status)" = 422 ]
	mv "$1" away
	ask "$(fill Ada)"
	lost
	head -c 30 away | replace "$1"
	ask "$(fill Ada)"
	lost
	mv away "$1"
	ask "$(fill Ada)"
	[ "$(said .verdict.status)" = 422 ]
	worker Ada | $make
	ask "$(fill Ada)"
	[ "$(said .verdict.status)" = 200 ]
	finish 1
}

to_lines() {
	replace roster.jsonl
}

to_index() {
	jq -c '{id: .candidate_id, vector: [1, 0], metadata: .}' | lh-index build -q roster.lhv
}

@test "a roster of many blocks that turns bad and good under four threads: every record is answered" {
	lh-gen workers -n 3000 --seed 1 | jq -c '{candidate_id: .id, name: "n", status: "active"}' >many
	[ "$(wc -c <many)" -gt 131072 ]
	{ cat many; worker Ada; } >good
	{ cat many; echo '{"broken'; } >bad
	replace roster.jsonl <good
	mkfifo in
	lh-validate -j4 -q --on-error emit --roster roster.jsonl <in >out 2>err 3>&- &
	pid=$!
	exec 9>in
	# a roster that is bad at the start ends the run
	repeat 600 "$(fill Ada)" >&9
	until_so [ -s out ]
	for ((i = 1; i < $(scale 20 100); i++)); do
		repeat 300 "$(fill Ada)" >&9
		replace roster.jsonl <bad
		repeat 300 "$(fill Ada)" >&9
		[ $i != 1 ] || until_so has_lines out 1200
		replace roster.jsonl <good
	done
	exec 9>&-
	status=0
	wait $pid || status=$?
	[ "$status" = 1 ]
	[ "$(wc -l <out)" = $((i * 600)) ]
	[ "$(jq -c '[.verdict.status, .error.code]' out | sort -u | paste -sd' ')" = '[200,null] [null,503]' ]
}

@test "lh-validate sees a roster that changed: an index, also one that is added to" {
	make=to_index
	worker Ada | to_index
	start lh-validate --on-error emit --roster roster.lhv
	judged_by_roster roster.lhv
	worker Ada | to_index
	start lh-validate --roster roster.lhv
	ask "$(fill Ada | sed 's/w1/W2/')"
	[ "$(said .verdict.status)" = 422 ]
	worker Ada | jq -c '{id: "w2", vector: [0, 1], metadata: (. + {candidate_id: "w2"})}' | lh-index add -q roster.lhv
	ask "$(fill Ada | sed 's/w1/W2/')"
	[ "$(said .verdict.status)" = 200 ]
	finish 1
}

# rule TEXT - a rule file that blocks mails with TEXT.
rule() {
	echo '{"rules":[{"id":"'"$1"'","task_class":"staffing.email","condition":{"type":"FieldContainsAny","field":"body","needles":["'"$1"'"]},"action":{"type":"Block","message":"no"}}]}'
}

@test "lh-validate sees rules that are added, changed, damaged or taken away" {
	mkdir rules
	rule cash >rules/a.json
	start lh-validate --on-error emit --rules rules
	mail='{"id":"q","kind":"email","artifact":{"to":"a@b.example","subject":"s","body":"gift and cash"}}'
	ask "$mail"
	[ "$(said .verdict.status)" = 422 ]
	rule coin | replace rules/a.json
	ask "$mail"
	[ "$(said .verdict.status)" = 200 ]
	rule gift >rules/b.json
	ask "$mail"
	[ "$(said .verdict.status)" = 422 ]
	echo '{"rules":' | replace rules/b.json
	ask "$mail"
	lost
	rm rules/b.json
	ask "$mail"
	[ "$(said .verdict.status)" = 200 ]
	mv rules away
	ask "$mail"
	lost
	mv away rules
	ask "$mail"
	[ "$(said .verdict.status)" = 200 ]
	finish 1
}

@test "lh-validate signs look-ups with the key that is there by then, and judges none without" {
	worker Ada | to_lines
	(umask 077 && head -c 32 /dev/urandom >key && head -c 32 /dev/urandom >other)
	start lh-validate --on-error emit --roster roster.jsonl --audit-log logs --key-file key
	ask "$(fill Ada)"
	[ "$(said .verdict.status)" = 200 ]
	lh-subject-audit verify -q --dir logs --key-file key >/dev/null
	cp key old
	mv key away
	ask "$(fill Ada)"
	lost
	rm -r logs
	mkdir logs
	cp -p other key
	ask "$(fill Ada)"
	[ "$(said .verdict.status)" = 200 ]
	finish 1
	lh-subject-audit verify -q --dir logs --key-file other >/dev/null
	run -2 lh-subject-audit verify -q --dir logs --key-file old
}

@test "lh-iterate sees a roster that changed between two sessions" {
	worker Ada | to_lines
	for i in 1 2 3; do jq -nc '{content: ({fills: [{candidate_id: "w1", name: "Ada"}]} | tojson)}'; done >answers
	start lh-iterate --on-error emit --roster roster.jsonl --answers answers
	request='{"id":"q","kind":"fill","prompt":"p","model":"m","max_iterations":1,"context":{"target_count":1,"city":"Aurora","client_id":"c"}}'
	ask "$request"
	[ "$(said .validation.elapsed_ms)" != null ]
	worker Ada terminated | to_lines
	ask "$request"
	[[ $(said .error) == *'max iterations'* ]]
	mv roster.jsonl away
	ask "$request"
	lost
	worker Ada | to_lines
	ask "$request"
	[ "$(said .validation.elapsed_ms)" != null ]
	finish 1
}

# ---- lh-chat ----

# ---- lh-embed, and the table of an index ----

# ---- lh-relevance, lh-pathway, lh-subject-audit ----

@test "lh-relevance judges by the file under review as --focus has it by then" {
	focus() { echo '{"path":"'"$1"'","text":"'"$2"'"}' | replace focus; }
	focus src/a.rs 'alpha beta'
	start lh-relevance --focus focus --on-error emit
	ask '{"id":"q","path":"src/a.rs","text":"alpha beta"}'
	first=$(said .relevance.score)
	focus lib/z.py 'omega'
	ask '{"id":"q","path":"src/a.rs","text":"alpha beta"}'
	[ "$(jq -n "$(said .relevance.score) < $first")" = true ]
	echo '{"path":' | replace focus
	ask '{"id":"q","path":"src/a.rs","text":"alpha beta"}'
	lost
	rm focus
	ask '{"id":"q","path":"src/a.rs","text":"alpha beta"}'
	lost
	focus src/a.rs 'alpha beta'
	ask '{"id":"q","path":"src/a.rs","text":"alpha beta"}'
	[ "$(said .relevance.score)" = "$first" ]
	finish 1
}

@test "lh-subject-audit append signs with the key that is there by then" {
	(umask 077 && head -c 32 /dev/urandom >key && head -c 32 /dev/urandom >other)
	row='{"id":"q","candidate_id":"C","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":["name"],"result":"success"}'
	row=$(jq -c 'del(.id)' <<<"$row")
	start lh-subject-audit append --dir logs --key-file key --on-error emit
	ask "$row"
	[ "$(said .candidate_id)" = '"C"' ]
	lh-subject-audit verify -q --dir logs --key-file key >/dev/null
	rm -r logs
	mv key away
	ask "$row"
	[ "$(said .error.code)" = 503 ]
	cp -p other key
	mkdir -p logs
	ask "$row"
	[ "$(said .candidate_id)" = '"C"' ]
	finish 1
	lh-subject-audit verify -q --dir logs --key-file other >/dev/null
	run -2 lh-subject-audit verify -q --dir logs --key-file away
}

# ---- lh-replay ----

# learned ID - a sample of that id, about exports.
learned() {
	jq -nc --arg id "$1" '{schema_version: 1, id: $id, title: "nightly export", content: "- Verify the export",
		tags: [], source_run_id: ("run-" + $id), success_score: "accepted"}'
}

# index_of ID - the same as an index.
index_of() {
	learned "$1" | jq -c '{id, text: (.title + " " + .content), metadata: del(.schema_version, .id)}' | lh-index build -q p.lhv
}

@test "lh-replay retrieves from what is there by then: the export, or an index" {
	mkdir -p r/exports/rag
	corpus=r/exports/rag/playbooks.jsonl
	learned a >$corpus
	start lh-replay --root r --dry-run --on-error emit
	ask '{"id":"q","task":"nightly export"}'
	[ "$(said .retrieved_artifacts.rag_ids)" = '["a"]' ]
	learned b | replace $corpus
	ask '{"id":"q","task":"nightly export"}'
	[ "$(said .retrieved_artifacts.rag_ids)" = '["b"]' ]
	echo '{"schema' | replace $corpus
	ask '{"id":"q","task":"nightly export"}'
	lost
	learned a | replace $corpus
	ask '{"id":"q","task":"nightly export"}'
	[ "$(said .retrieved_artifacts.rag_ids)" = '["a"]' ]
	finish 1
	index_of a
	start lh-replay --root r --dry-run --on-error emit --index p.lhv
	ask '{"id":"q","task":"nightly export"}'
	[ "$(said .retrieved_artifacts.rag_ids)" = '["a"]' ]
	index_of b
	ask '{"id":"q","task":"nightly export"}'
	[ "$(said .retrieved_artifacts.rag_ids)" = '["b"]' ]
	mv p.lhv away
	ask '{"id":"q","task":"nightly export"}'
	lost
	echo '{"id":"a","vector":[1,2]}' | lh-index build -q p.lhv
	ask '{"id":"q","task":"nightly export"}'
	lost
	mv away p.lhv
	ask '{"id":"q","task":"nightly export"}'
	[ "$(said .retrieved_artifacts.rag_ids)" = '["b"]' ]
	finish 1
}
