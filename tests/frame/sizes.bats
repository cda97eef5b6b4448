# Much of everything: long lines, many records, many bad ones, and how much
# memory they may take.  The full sizes are those of make soak.
# Plain only: it measures memory, which sanitizers need; frame.bats and test_json read the
# same lines in small.
# bats file_tags=full,sizes,plain-only,long
load ../helper
load ../servers/server

# Every filter that reads records, with - for its input.
filters() {
	cat <<-'END'
	lh-chat -
	lh-embed --dimension 64 --encoding base64 -
	lh-export rag --quarantine refused -
	lh-export preference --quarantine refused -
	lh-extract-json -
	lh-extract-json --wire -
	lh-index build --force --dimension 64 built.lhv -
	lh-index add some.lhv -
	lh-index delete some.lhv -
	lh-iterate --answers answers.jsonl -
	lh-lift some.lhv
	lh-materialize --source outcomes -
	lh-pathway add-idempotent way.log -
	lh-pathway get way.log -
	lh-playbook record notes.lhv -
	lh-relevance --focus focus.json -
	lh-relevance gate -
	lh-replay --dry-run --log replays -
	lh-score -
	lh-search -k 1 some.lhv
	lh-validate --kind email --roster some.lhv -
	lh-validate --schema rag_sample -
	END
}

# What makes a record one that lh-iterate can answer from the file below, an
# outcome, evidence, an entry of a playbook, and of a trace that is known.
ASK=',"uid":"t1","role":"r","city":"c","state":"s","content":1,"mode":"m","answer_id":"a","answer_corpus":"c","score":1,"query_text":"q","kind":"email","task":"t","prompt":"p","model":"m","created_at":"2026-05-03T12:00:00Z","run_id":"r","task_id":"t","timestamp":"2026-05-03T12:00:00Z","schema_version":1,"provenance":{"source_file":"data/_kb/audits.jsonl","line_offset":0,"sig_hash":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","recorded_at":"2026-05-03T12:00:00Z"}'

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$ROOT/bin}:$PATH
	for i in {1..10}; do echo '{"content":"{\"to\":\"t\",\"body\":\"'$i'\"}"}'; done >answers.jsonl
	lh-gen workers -n 30 | lh-index build --dimension 64 some.lhv
	echo '{"uid":"t1","content":1}' | lh-pathway add way.log
	echo '{"path":"a.c","text":"x"}' >focus.json
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR/server
	mkdir "$BATS_TEST_TMPDIR"
	start_chat
	export LH_OLLAMA_URL=$URL
}

teardown_file() { stop_upstreams; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp "$BATS_FILE_TMPDIR"/{some.lhv,answers.jsonl,way.log,focus.json} .
}

# peak [-1] COMMAND - the most memory it had in KiB and its output in kib and the
# file out; its messages in err. Its exit status is 0, or 1.
peak() {
	local status=0 want=0
	[ "$1" != -1 ] || { want=1; shift; }
	/usr/bin/time -q -o time -f %M bash -c "exec $1 >out 2>err" || status=$?
	[ "$status" = $want ] || { echo "$1: exit $status: $(<err)"; return 1; }
	kib=$(tail -n 1 time)
}

# below KIB - what peak found.
below() {
	[ "$kib" -lt "$1" ] || { echo "$kib KiB, not below $1"; return 1; }
}

# bats test_tags=full
@test "a line over the limit costs no more than the limit, is named, and the next goes on" {
	limit=$(scale 16 256) mib=$(scale 64 1024)
	huge() {
		echo '{"id":"a","text":"x"'"$ASK"'}'
		printf '{"id":"b","text":"'
		head -c "${mib}M" /dev/zero | tr '\0' x
		printf '"}\n{"id":"c","text":"y"%s}\n' "$ASK"
	}
	while read -r command; do
		peak -1 "$command --max-line ${limit}M" < <(huge)
		below $((limit * 1024 * 3 + 20000))
		[ "$(head -n 1 err)" = "${command%% *}: -:2: line is longer than $((limit * 1048576)) bytes (--max-line)" ]
		[ "$(tail -n 1 err)" = "${command%% *}: 1 of 3 records rejected" ]
		[[ $command == lh-index* || $command == lh-export* || $command == lh-playbook* ]] || [ "$(grep -vc '^{"summary"' out)" = 2 ]
	done < <(filters)
	[ "$(lh-playbook list notes.lhv | wc -l)" = 1 ]
	huge >in
	peak "lh-cat in"
	below 20000
	cmp in out
}

# bats test_tags=full
@test "a line of millions of tiny members costs no more than three times the limit, and is named" {
	limit=$(scale 24 200)
	(
		echo '{"id":"a","text":"x"'"$ASK"'}'
		seq -f '"k%.0f":1' "$(scale 1900000 14000000)" | paste -sd, | sed 's/.*/{"id":"b","text":"x",&}/'
		echo '{"id":"c","text":"y"'"$ASK"'}'
	) >in
	while read -r command; do
		peak -1 "$command --max-line ${limit}M" <in
		below $((limit * 1024 * 3 + 20000))
		grep -qE "^${command%% *}: -:2:[0-9]+: an object of more than 65536 members \(--max-members\)$" err || { echo "$command"; cat err; false; }
		[ "$(tail -n 1 err)" = "${command%% *}: 1 of 3 records rejected" ]
	done < <(filters)
}

@test "an object found in a text has as many members at most, and repeated keys take no more memory" {
	mib=$(scale 16 64)
	many() { repeat $((mib * 1048576 / (${#1} + 1))) "$1" | paste -sd,; }
	for how in --wire ""; do
		echo "{\"x\":[$(many '{"a":1,"a":2}')]}" >in
		peak "lh-extract-json --raw-input $how" <in
		below $((mib * 1024 * 3 + 20000))
		[ "$(head -c 45 out)" = '{"matched":true,"value":{"x":[{"a":2},{"a":2}' ]
		echo "{\"x\":{$(many '"a":1')}}" >in
		peak -1 "lh-extract-json --raw-input $how" <in
		below $((mib * 1024 * 3 + 20000))
		[ "$(head -n 1 err)" = 'lh-extract-json: -:1: an object of more than 65536 members (--max-members)' ]
	done
}

# bats test_tags=full
@test "a long text below the limit takes no more than three times its line" {
	mib=$(scale 16 64)
	for text in 'x' 'one two '; do
		(printf '{"id":"a","text":"'; stretch "${mib}M" "$text"; printf '"}\n') >in
		for command in "lh-embed --dimension 64" lh-extract-json "lh-search -k 1 some.lhv"; do
			peak "$command" <in
			below $((mib * 1024 * 3 + 20000))
			[ "$(wc -l <out)" = 1 ]
		done
	done
}

# bats test_tags=full
@test "memory stays flat over millions of records" {
	n=$(scale 200000 10000000)
	peak "lh-gen workers -n $n | wc -l"
	below 10000
	[ "$(cat out)" = "$n" ]
	peak "lh-gen kb -n $n --root made --expect expect"
	below 20000
	[ "$(cat made/data/_kb/*.jsonl | wc -l)" = "$n" ]
	rm -r made expect
	for command in lh-cat lh-extract-json "lh-relevance --focus focus.json" "lh-embed --dimension 64 --encoding base64" "lh-search -k 1 --no-metadata some.lhv"; do
		peak "$command" < <(lh-gen queries -n "$n" | sed 's/query_text/text/')
		below 60000
		[ "$(wc -l <out)" = "$n" ]
		rm out
	done
	peak -1 "lh-validate --roster some.lhv" < <(lh-gen drafts --workers 30 -n "$n")
	below 60000
	[ "$(wc -l <out)" = "$n" ]
}

# bats test_tags=full
@test "memory stays flat over much evidence, and grows by a hash a record in a root" {
	n=$(scale 200000 10000000)
	peak lh-score < <(repeat "$n" "{${ASK#,}}")
	below 20000
	[ "$(wc -l <out)" = "$n" ]
	mkdir -p r/data/evidence
	line=$(sed 's/"sig_hash":"[0-9a-f]*"/"sig_hash":"%064x"/' <<<"{${ASK#,}}")
	seq 0 $((n - 1)) | awk -v line="$line\n" '{ printf line, $0 }' >r/data/evidence/audits.jsonl
	for times in 1 2; do
		peak "lh-score --root r -q"
		below $((n * 64 / 1024 + 30000))
		[ "$(wc -l <r/data/scored-runs/audits.jsonl)" = "$n" ]
	done
	peak "lh-score --root r --check-drift"
	below $((n * 64 / 1024 + 30000))
	[ "$(jq .matched out)" = "$n" ]
}

@test "memory stays flat over many sessions and their answers" {
	n=$(scale 50000 2000000)
	peak "lh-iterate --session-log log --answers <(yes '{\"content\":\"{\\\"to\\\":\\\"t\\\",\\\"body\\\":\\\"b\\\"}\"}')" \
		< <(repeat "$n" "{${ASK#,}}")
	below 20000
	[ "$(wc -l <out)" = "$n" ]
	[ "$(wc -l <log)" = "$n" ]
}

# bats test_tags=full
@test "an index is built and compacted in the memory that lh-index(1) states" {
	n=$(scale 20000 200000) d=64 m=16
	lh-gen workers -n "$n" | lh-embed --dimension $d --encoding base64 >in
	meta=$(jq -c 'del(.vector, .id, .dimension, .model)' in | first 2000 | wc -c)
	formula=$((n * (4 * d + d + 72 + 8 * m + 192 + 10 + meta / 2000) / 1024 + 32 * 1024))
	peak "lh-index build -j2 a.lhv in"
	below "$formula"
	peak "lh-index build -j2 --precision i8 b.lhv in"
	below $((formula - n * (4 * d + 72) / 1024))
	head -n $((n / 20)) in | jq -c '.id = "new-" + .id' | lh-index add a.lhv
	# in addition to the rows, the old file, which is mapped
	mapped=$(($(stat -c %s a.lhv) / 1024))
	peak "lh-index compact a.lhv"
	below $((formula * 21 / 20 + mapped))
	peak "lh-index dump a.lhv"
	[ "$(wc -l <out)" = $((n + n / 20)) ]
	below $((mapped * 21 / 20 + 20000))
}

# lh-playbook has one line more to say, its totals: lh-playbook.bats
# bats test_tags=full
@test "100,000 bad lines: exact count, linear time, a summary after three messages" {
	(echo '{"id":"a","text":"x"'"$ASK"'}'; repeat 100000 "{bad"; echo '{"id":"c","text":"y"'"$ASK"'}') >in
	while read -r command; do
		cp "$BATS_FILE_TMPDIR/some.lhv" .
		rm -f rejected
		cheaply $command --rejects rejected <in >out 2>err && status=0 || status=$?
		[ "$status" = 1 ]
		[ "$(wc -l <err)" = 5 ]
		[[ $(tail -n 2 err | first 1) == "${command%% *}: -: 99997 more: "* ]]
		[ "$(tail -n 1 err)" = "${command%% *}: 100000 of 100002 records rejected" ]
		[ "$(wc -l <rejected)" = 100000 ]
		cheaply $command --verbose <in >out 2>err && status=0 || status=$?
		[ "$status" = 1 ]
		[ "$(grep -c ': -:' err)" = 100000 ]
	done < <(filters | grep -v playbook)
}

# bats test_tags=full
@test "a million numbers, a million keys where that many may be, and nesting of 512 pass; 513 and 100,000 do not" {
	ASK=$ASK python3 - >in <<-'END'
	import os
	ask = os.environ["ASK"]
	print('{"id":"a","text":"x"' + ask + ',"n":[' + ",".join(map(str, range(1000000))) + "]}")
	print('{"id":"b","text":"x"' + ask + ',' + ",".join('"k%d":%d' % (i, i) for i in range(1000000)) + "}")
	print('{"id":"c","text":"x"' + ask + ',"o":{' + ",".join('"k%d":%d' % (i, i) for i in range(1000000)) + "}}")
	for n in 512, 513, 100000:
	    print('{"id":"d","text":"x"' + ask + ',"n":' + "[" * (n - 1) + "]" * (n - 1) + "}")
	print('{"id":"e","text":"x"' + ask + ',"k":1,"deep":' + '{"a":' * 510 + "1" + "}" * 510 + "}")
	END
	while read -r command; do
		cheaply $command --max-members 2000000 <in >out 2>err && status=0 || status=$?
		[ "$status" = 1 ]
		grep -q -- '-:5:.*512' err
		grep -q -- '-:6:.*512' err
		[ "$(tail -n 1 err)" = "${command%% *}: 2 of 7 records rejected" ]
	done < <(filters)
}
