# error.code of the error records of --on-error emit, tool by tool: 400 the record
# is wrong, 404 what it names is not there, 409 it contradicts what is there, 413
# too large, 500 our own failure.  What a service does to its records is tried in
# services.bats.
# bats file_tags=quick
load ../helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	lh-gen workers -n 20 | lh-index build w.lhv
	mkdir objects
	echo id >t.csv
	lh-catalog register --catalog lake <<<'{"name":"w","schema_fingerprint":"f"}' >out
	"$(dirname "$AID")/aid_index" theirs.lhv hash other-model ''
	printf '{"uid":"u1","content":1}\n' | lh-pathway add --now 2026-05-03T12:00:00Z way.log >out
	mkdir -p audit.d root/data/_kb root/data/scored-runs root/exports/rag
	printf '%s' '0123456789abcdef0123456789abcdef' >audit.key
	chmod 600 audit.key
	echo '{"name":"f","nodes":[{"id":"a","mode":"matrix.downgrade"}]}' >flow.json
	: >root/exports/rag/playbooks.jsonl
}

# code_of INPUT COMMAND... - of the one error record that comes of it
code_of() {
	local input=$1
	shift
	printf '%s\n' "$input" | "$@" --on-error emit 2>err >out || true
	jq -cn '[inputs | select(has("error")) | (.error | objects | .code) // .code] | if length == 1 then .[0] else "?" end' out
}

# Lines of table: CODE|INPUT|COMMAND
try_table() {
	local code input command bad=0
	while IFS='|' read -r code input command; do
		got=$(cd "$BATS_FILE_TMPDIR" && code_of "$input" $command)
		[ "$got" = "$code" ] || { echo "$command <<<'$input': $got, not $code"; bad=1; }
	done
	return $bad
}

@test "a line that is not a record is 400, one over the limit 413, in every tool that reads records" {
	while read -r command; do
		printf '400|[1]|%s\n400|{"a":1,"a":2}|%s\n413|%0100d|%s --max-line 80\n' "$command" "$command" 0 "$command"
	done >table <<-'END'
	lh-catalog register --catalog lake
	lh-catalog get --catalog lake
	lh-catalog requests --catalog lake
	lh-store requests --files objects
	lh-ingest --requests --files --store objects --catalog lake
	lh-chat
	lh-embed
	lh-extract-json
	lh-index add w.lhv
	lh-index delete w.lhv
	lh-index requests .
	lh-iterate --answers /dev/null
	lh-materialize --source outcomes
	lh-observe record seen.log
	lh-observe inbox seen.log
	lh-observe requests seen.log
	lh-merge
	lh-rerank --rerank-url http://127.0.0.1:1
	lh-pathway add way.log
	lh-pathway get way.log
	lh-pathway requests way.log
	lh-playbook record book.lhv
	lh-playbook requests .
	lh-query w=w.lhv
	lh-relevance gate
	lh-relevance
	lh-replay --dry-run --root root
	lh-score
	lh-search w.lhv
	lh-search --wire w.lhv
	lh-subject-audit append --key-file audit.key --dir audit.d
	lh-subject-audit requests --key-file audit.key --dir audit.d
	lh-validate
	lh-validate --normalize-errors
	END
	try_table <table
}

@test "each tool's error records say what kind of error it is" {
	try_table <<-END
	400|{"name":"","schema_fingerprint":"f"}|lh-catalog register --catalog lake
	400|{"name":"x"}|lh-catalog register --catalog lake
	404|{"name":"x"}|lh-catalog get --catalog lake
	404|{"op":"get","key":"x"}|lh-store requests --files objects
	404|{"op":"delete","key":"x"}|lh-store requests --files objects
	400|{"op":"get","key":"../x"}|lh-store requests --files objects
	400|{"op":"put","key":"x"}|lh-store requests --files objects
	400|{"op":"get"}|lh-store requests --files objects
	503|{"op":"put","key":"x","file":"none"}|lh-store requests --files objects
	400|{"name":"x"}|lh-ingest --requests --files --store objects --catalog lake
	400|{"name":"x","file":"none"}|lh-ingest --requests --files --store objects --catalog lake
	409|{"name":"w","file":"t.csv"}|lh-ingest --requests --files --store objects --catalog lake
	404|{"op":"remove","name":"x"}|lh-catalog requests --catalog lake
	409|{"name":"w","schema_fingerprint":"g"}|lh-catalog register --catalog lake
	400|{"texts":[]}|lh-embed
	400|{"texts":["a"],"model":"m"}|lh-embed
	413|{"texts":[$(printf '"x",%.0s' {1..65536})"x"]}|lh-embed
	404|{"query_text":"a","corpora":["none"]}|lh-search w.lhv
	400|{"query_vector":[1]}|lh-search w.lhv
	404|{"query_text":"a","index":"none"}|lh-search --wire w.lhv
	400|{"query_text":"a"}|lh-search --wire w.lhv
	400|{"corpora":["w"]}|lh-search --wire w.lhv
	400|{"query_vector":[1],"index":"w"}|lh-search --wire w.lhv
	404|{"query_text":"a","corpora":["w","none"]}|lh-search --wire w.lhv
	413|{"query_vector":[$(printf '1,%.0s' {1..65536})1]}|lh-search w.lhv
	500|{"query_text":"a"}|lh-search theirs.lhv
	400|{"id":"a","vector":[1]}|lh-index add w.lhv
	409|{"id":"a","model":"m2","vector":[$(printf '1,%.0s' {1..767})1]}|lh-index add w.lhv
	413|{"id":"$(printf '%01025d' 0)","text":"a"}|lh-index add w.lhv
	413|{"id":"$(printf '%01025d' 0)"}|lh-index delete w.lhv
	400|{"id":""}|lh-index delete w.lhv
	400|{"id":"a"}|lh-index build new.lhv
	400|{"query_text":"a","answer_id":"b","answer_corpus":"c","score":2}|lh-playbook record book.lhv
	413|{"query_text":"a","answer_id":"$(printf '%01025d' 0)","answer_corpus":"c","score":1}|lh-playbook record book.lhv
	400|{"endpoint":""}|lh-observe record seen.log
	400|{"type":"fax","body":"b"}|lh-observe inbox seen.log
	413|{"type":"sms","body":"$(printf '%08193d' 0)"}|lh-observe inbox seen.log
	413|{"op":"inbox","type":"sms","body":"$(printf '%08193d' 0)"}|lh-observe requests seen.log
	409|{"uid":"u1","content":1}|lh-pathway add way.log
	404|{"uid":"u2","content":1}|lh-pathway update way.log
	404|{"uid":"u2"}|lh-pathway retire way.log
	404|{"uid":"u2"}|lh-pathway get way.log
	404|{"uid":"u2"}|lh-pathway history way.log
	404|{"uid":"u3","content":1,"predecessor_uid":"u2"}|lh-pathway revise way.log
	400|{"uid":"u3"}|lh-pathway add way.log
	400|{"uid":"u1"}|lh-pathway requests way.log
	400|{"op":"verify"}|lh-pathway requests way.log
	409|{"op":"add","uid":"u1","content":1}|lh-pathway requests way.log
	404|{"op":"history","uid":"u2"}|lh-pathway requests way.log
	404|{"op":"revise","content":1,"predecessor_uid":"u2"}|lh-pathway requests way.log
	413|{"op":"add","uid":"$(printf '%01025d' 0)","content":1}|lh-pathway requests way.log
	404|{"op":"report","id":"u1"}|lh-subject-audit requests --key-file audit.key --dir audit.d
	400|{"op":"report","id":".u1"}|lh-subject-audit requests --key-file audit.key --dir audit.d
	400|{"op":"report","id":"u1","to":"now"}|lh-subject-audit requests --key-file audit.key --dir audit.d
	400|{"op":"verify"}|lh-subject-audit requests --key-file audit.key --dir audit.d
	413|{"path":"$(printf '%04097d' 0)","text":"x","focus":{"path":"a"}}|lh-relevance
	413|{"path":"a","text":"x","focus":{"path":"$(printf '%04097d' 0)"}}|lh-relevance
	413|{"task":"$(printf '%01048577d' 0)"}|lh-replay --dry-run --root root
	400|{"kind":"email","prompt":"","model":"m"}|lh-iterate --answers /dev/null
	404|{"model":"kimi/m","prompt":"a"}|env -u KIMI_API_KEY lh-chat
	400|{"op":"models"}|lh-chat --wire
	413|{$(seq -f '"k%g":1' -s, 65)}|lh-score --max-members 64
	END
}

@test "lh-index prints the error records of its bad lines and nothing else, and the rest goes in" {
	printf '%s\n' '{"id":"a","vector":[1,2]}' '{"id":7,"vector":[1]}' 'x' '{"id":"b","vector":[2,1]}' >in
	run -1 --separate-stderr lh-index build --on-error emit i.lhv in
	[ "$(jq -c '[.id, .error.file, .error.line, .error.code]' <<<"$output" | tr -d '\n')" = '[7,"in",2,400][null,"in",3,400]' ]
	[ "$(lh-index dump i.lhv | jq -r .id | xargs)" = 'a b' ]
	run -1 --separate-stderr lh-index add --on-error emit i.lhv in
	[ "$(jq -c '[.id, .error.line]' <<<"$output" | tr -d '\n')" = '[7,2][null,3]' ]
	printf '%s\n' '{"id":""}' '{"id":"b"}' >in
	run -1 --separate-stderr lh-index delete --on-error emit i.lhv in
	[ "${lines[0]}" = '{"id":"","error":{"file":"in","line":1,"code":400,"message":"empty id"}}' ]
	[ "${lines[1]}" = '{"deleted":1,"unknown":0}' ]
	for verb in info dump verify compact; do
		run -2 lh-index $verb --on-error emit i.lhv
		[[ $output == *'--on-error emit: there is no output per record'* ]]
	done
}

@test "each command that answers requests answers a bad line in its place, without being told" {
	cd "$BATS_FILE_TMPDIR"
	while read -r command; do
		run -1 --separate-stderr $command <<<'x'
		[[ $output == '{"error":{"file":"-","line":1,"code":400,"message":"expected a value"}}' ]] || { echo "$command: $output"; return 1; }
	done <<-'END'
		lh-catalog requests --catalog lake
		lh-index requests .
		lh-ingest --requests --store objects --catalog lake
		lh-observe requests seen.log
		lh-pathway requests way.log
		lh-playbook requests .
		lh-store requests objects
		lh-subject requests --state .
		lh-subject-audit requests --key-file audit.key --dir audit.d
		lh-trace --requests --root root
	END
	lh-query --catalog lake <<<x >out || true
	[[ $(<out) == *'"code":400'* ]]
}
