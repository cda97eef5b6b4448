# lh-materialize: rows of source streams in, evidence out.
# bats file_tags=long
load ../helper

NOW=2026-05-03T12:00:00.000Z
T='"2026-04-21T08:15:00Z"'

# made STEM ROW - the evidence record, its provenance left out.
made() {
	lh-materialize --source "$1" --recorded-at $NOW <<<"$2" | sed 's/,"provenance":{[^}]*}//'
}

# makes STEM ROW RECORD - so and not otherwise; {S} is schema_version.
makes() {
	local got want=${3//'{S}'/'"schema_version":1'}
	got=$(made "$1" "$2")
	[ "$got" = "$want" ] || { printf '%s\n%s\n' "$got" "$want"; return 1; }
}

# refuses STEM ROW REASON - as a filter it rejects the row, for this reason.
refuses() {
	run -1 --separate-stderr lh-materialize --source "$1" <<<"$2"
	[ -z "$output" ]
	[ "${stderr_lines[0]}" = "lh-materialize: -:1: $3" ] || { echo "$stderr"; return 1; }
}

# root - a root r with these sources: STEM ROWS...
root() {
	mkdir -p r/data/_kb
	while [ $# -gt 0 ]; do
		printf '%s\n' "$2" >"r/data/_kb/$1.jsonl"
		shift 2
	done
}

# collect [-STATUS] [OPTION]... - its exit status is 0, or that.
collect() {
	local want=-0
	[[ ${1-} != -[12] ]] || { want=$1; shift; }
	run "$want" --separate-stderr lh-materialize --root r --now $NOW "$@"
}

# counts STEM - read, written, skipped, deduped in what collect printed.
counts() {
	jq -r --arg f "data/_kb/$1.jsonl" 'select(.source_file_relpath == $f) | "\(.rows_read) \(.rows_written) \(.rows_skipped) \(.rows_deduped)"' <<<"$output"
}

# All that a root holds but its receipts, in one text.
data() {
	(cd r && find . -name '*.jsonl' ! -path './data/_kb/*' -o -name distillation_skips.jsonl | LC_ALL=C sort | xargs -r tail -n +1)
}

# sig ROW - its sig_hash, by way of Python, whose sorted dump is JCS for such rows.
sig() {
	python3 -c 'import hashlib, json, sys
print(hashlib.sha256(json.dumps(json.loads(sys.argv[1]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest())' "$1"
}

FACT='{"run_id":"r1","created_at":'$T',"text":"one"}'
AUDIT='{"finding_id":"F1","phase":"G0","ts":'$T',"severity":"low"}'

# ---- the table ----

@test "f is the row's file, else path, else source_file" {
	f() { made auto_apply "{$1}" | jq -r .task_id; }
	[ "$(f '"source_file":"c","path":"b","file":"a"')" = auto_apply:a ]
	[ "$(f '"source_file":"c","path":"b"')" = auto_apply:b ]
	[ "$(f '"source_file":"c","path":null,"file":""')" = auto_apply:c ]
	[ "$(made auto_apply '{"file":12.0}' | jq -c '[.task_id, .source_files]')" = '["auto_apply:12.0",["12.0"]]' ]
	refuses auto_apply '{"file":{},"path":"b"}' 'file: expected string or number, got object'
}

# ---- what holds for all of them ----

# A row of each stem with all that it knows.
all_rows() {
	cat <<-END
	distilled_facts {"run_id":"r","created_at":$T,"text":"t","extractor":"m","verifier":"v","categorizer":"c"}
	distilled_procedures {"run_id":"r","created_at":$T,"text":"t","extractor":"m","verifier":"v","categorizer":"c"}
	distilled_config_hints {"run_id":"r","created_at":$T,"text":"t","extractor":"m","verifier":"v","categorizer":"c"}
	contract_analyses {"permit_id":"P","ts":$T,"analysis":"a","observer_verdict":"accept","observer_notes":["n"],"failure_markers":["f"],"retrieved_context":{"matrix_hits":1},"cost_usd":1,"duration_ms":2,"contractor":"c"}
	mode_experiments {"ts":$T,"task_class":"c","file":"f","response":"r","model":"m","latency_ms":1,"prompt_tokens":2,"completion_tokens":3,"retrieved_context":{},"mode":"m"}
	scrum_reviews {"file":"f","reviewed_at":$T,"suggestions_preview":"s","accepted_model":"m","accepted_on_attempt":1,"tree_split_fired":false}
	observer_escalations {"ts":$T,"analysis":"a","model":"m","prompt_tokens":1,"completion_tokens":2,"trigger":"t"}
	audit_facts {"llm_team_run_id":"l","pr_number":1,"extracted_at":$T,"facts":["f"],"source":"s","entities":[],"relationships":[]}
	auto_apply {"ts":$T,"file":"f","action":"committed"}
	observer_reviews {"file":"f","ts":$T,"verdict":"accept","confidence":5,"notes":["n"],"attempt":1}
	audits {"finding_id":"F","phase":"p","ts":$T,"severity":"info","evidence":"e","topic":"t","resolution":"r"}
	outcomes {"run_id":"o","created_at":$T,"ok":1,"total":1,"gap_signals":0,"elapsed_secs":1}
	END
}

@test "every record is valid evidence, its keys in the schema's order, compact" {
	order=$(jq -c 'keys_unsorted' "$ROOT/share/fixtures/schemas/valid/evidence_record-full.json")
	while read -r stem row; do
		lh-materialize --source "$stem" <<<"$row" >out
		[ "$(cat out)" = "$(jq -c . out)" ]
		lh-validate --schema evidence_record out >verdict || { cat verdict; return 1; }
		[ "$(jq -c --argjson order "$order" '[keys_unsorted[] as $k | $order | index($k)] | . == sort' out)" = true ] || { cat out; return 1; }
		[ "$(jq -c '.provenance | keys_unsorted' out)" = '["source_file","line_offset","sig_hash","recorded_at"]' ]
	done < <(all_rows)
	[ "$(all_rows | wc -l)" = 12 ]
}

unhashed() {
	sed -E 's/"sig_hash":"[^"]*"//; s/"task_id":"(escalation|outcome):[0-9a-f]{12}"//' "$1"
}

# bats test_tags=full,plain-only
@test "null and absence are the same for every input of every stem, and neither is written" {
	n=0
	while read -r stem row; do
		for key in $(jq -r 'keys[]' <<<"$row"); do
			lh-materialize --source "$stem" --now $NOW < <(jq -c --arg k "$key" '.[$k] = null' <<<"$row") >null 2>null.err || true
			lh-materialize --source "$stem" --now $NOW < <(jq -c --arg k "$key" 'del(.[$k])' <<<"$row") >none 2>none.err || true
			diff <(unhashed null) <(unhashed none) || { echo "$stem.$key"; return 1; }
			cmp null.err none.err
			[[ $(cat null) != *:null* ]]
			n=$((n + 1))
		done
	done < <(all_rows)
	[ "$n" -gt 60 ]
}

# bats test_tags=full
@test "a wrong kind of any input of any stem is refused by its name, and nothing is coerced" {
	n=0
	while read -r stem row; do
		for key in $(jq -r 'keys[]' <<<"$row"); do
			refuses "$stem" "$(jq -c --arg k "$key" '.[$k] |= ({object: 7}[type] // {})' <<<"$row")" "$key: expected *" 2>/dev/null || true
			[[ ${stderr_lines[0]} == "lh-materialize: -:1: $key: expected "* ]] || { echo "$stem.$key: $stderr"; return 1; }
			n=$((n + 1))
		done
	done < <(all_rows)
	[ "$n" -gt 60 ]
}

@test "copied values keep their text, white space between tokens apart" {
	got=$(made contract_analyses '{"permit_id":"P","ts":'$T',"analysis":"\u0041 \/ é","cost_usd":1.50,"duration_ms":1E2,"retrieved_context":{ "x y" : [ 1.0 , "a b" ], "matrix_hits":3.0 }}')
	[[ $got == *'"text":"\u0041 \/ é"'* ]]
	[[ $got == *'"retrieved_context":{"x y":[1.0,"a b"],"matrix_hits":3.0}'* ]]
	[[ $got == *'"cost_usd":1.50,"latency_ms":1E2'* ]]
	got=$(made audits '{"finding_id":"\u0041\"","phase":1.50,"ts":'$T'}')
	[[ $got == '{"run_id":"A\"","task_id":"phase:1.50",'* ]]
}

@test "\"\" counts as missing where something is required and in every else, and is kept elsewhere" {
	refuses audits '{"finding_id":"","phase":"p","ts":'$T'}' 'finding_id: missing'
	refuses contract_analyses '{"permit_id":"p","ts":""}' 'ts: missing'
	[[ $(made audits '{"finding_id":"f","phase":"p","ts":'$T',"evidence":"","topic":""}') == *'"model_role":"reviewer","metadata":{"topic":""}}' ]]
	[[ $(made contract_analyses '{"permit_id":"p","ts":'$T',"analysis":"","contractor":""}') == *'"text":"","model_role":"executor","metadata":{"contractor":""}}' ]]
	[[ $(made contract_analyses '{"permit_id":"p","ts":'$T',"observer_notes":[""],"failure_markers":[""]}') == *'"observer_notes":[""],"failure_markers":[""]}' ]]
	[[ $(made auto_apply '{"file":"f","ts":'$T',"action":""}') == *'"source_files":["f"],"failure_markers":[""]}' ]]
	[[ $(made audits '{"finding_id":"f","phase":"p","ts":'$T',"severity":""}') == *'"model_role":"reviewer","failure_markers":["audit_severity_"]}' ]]
}

@test "empty notes and facts: a text where no other input can give it" {
	for facts in '[]' '""' '[""]'; do
		[[ $(made audit_facts '{"llm_team_run_id":"l","pr_number":1,"ts":'$T',"facts":'$facts'}') == *'"schema_version":1,"text":"","model_role":"extractor"}' ]]
	done
	for notes in '[]' '[""]'; do
		[[ $(made observer_reviews '{"file":"f","ts":'$T',"notes":'$notes',"review":"r"}') == *'"text":"r","model_role":"reviewer","observer_notes":'"$notes}" ]]
		[[ $(made observer_reviews '{"file":"f","ts":'$T',"notes":'$notes',"review":""}') == *'"schema_version":1,"model_role":"reviewer","observer_notes":'"$notes}" ]]
	done
	[[ $(made observer_reviews '{"file":"f","ts":'$T',"notes":"","review":"r"}') == *'"text":"r","model_role":"reviewer","observer_notes":[""]}' ]]
	[[ $(made observer_reviews '{"file":"f","ts":'$T',"notes":""}') == *'"schema_version":1,"model_role":"reviewer","observer_notes":[""]}' ]]
	[[ $(made observer_reviews '{"file":"f","ts":'$T',"notes":["",""]}') == *'"text":"\n","model_role":"reviewer","observer_notes":["",""]}' ]]
}

@test "empty lists of markers and empty metadata are left out" {
	makes contract_analyses '{"permit_id":"P","ts":'$T',"failure_markers":[ ],"observer_notes":[]}' \
		'{"run_id":"contract:P:0","task_id":"permit:P","timestamp":'$T',{S},"model_role":"executor","observer_notes":[]}'
}

@test "times need a zone, and are kept as written" {
	for t in 2026-04-21T08:15:00.123456+02:00 2026-04-21T08:15:00-11:30 2024-02-29T23:59:59Z; do
		[ "$(made contract_analyses '{"permit_id":"p","ts":"'$t'"}' | jq -r .timestamp)" = "$t" ]
	done
	for t in '2026-04-21T08:15:00' '2026-04-21' '2026-04-21 08:15:00Z' '2026-02-30T08:15:00Z' '1776759300' '2026-04-21T08:15:00+0200'; do
		refuses contract_analyses '{"permit_id":"p","ts":"'"$t"'"}' "ts: expected RFC 3339 time, got \"$t\""
	done
	refuses contract_analyses '{"permit_id":"p","ts":1776759300}' 'ts: expected RFC 3339 time, got 1776759300'
}

@test "all that is wrong with a row is said" {
	refuses scrum_reviews '{"reviewed_at":"x","accepted_on_attempt":0}' \
		'file: missing; reviewed_at: expected RFC 3339 time, got "x"; accepted_on_attempt: must be 1 or more'
}

@test "an input that makes several fields is reported once" {
	refuses audits '{"finding_id":"f","phase":"p","ts":'$T',"topic":7,"severity":[]}' 'topic: expected string, got 7; severity: expected string, got array'
	refuses observer_reviews '{"file":"f","ts":'$T',"notes":["a",1,2]}' 'notes[1]: expected string, got 1; notes[2]: expected string, got 2'
	refuses distilled_facts '{"run_id":[],"created_at":'$T'}' 'run_id: expected string or number, got array'
}

# bad N - N elements that are not strings.
bad() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "%s7", i ? "," : "" }'
}

@test "20 reasons of a row are reported, then how many more there are" {
	for n in 20 21 1000 5000; do
		root observer_reviews '{"file":"f","ts":'$T',"notes":['"$(bad $n)"'],"attempt":"x"}' contract_analyses '{"permit_id":"p","ts":'$T',"failure_markers":['"$(bad $n)"']}'
		rm -f r/data/_kb/distillation_skips.jsonl
		collect -1
		jq -c .errors r/data/_kb/distillation_skips.jsonl >errors
		[ "$(jq -c '[.[:20][] | split(":")[0]] == [range(20) | "failure_markers[\(.)]"]' errors | first 1)" = true ]
		[ "$(jq -c '[.[:20][] | split(":")[0]] == [range(20) | "notes[\(.)]"]' errors | tail -1)" = true ]
		[ "$(jq -c '.[20:]' errors | xargs)" = "$([ $n = 20 ] && echo '[]' || echo "[$((n - 20)) more]") [$((n - 19)) more]" ] || { cat errors; return 1; }
	done
}

@test "a last line that is half written is a skip, and evidence once it is whole" {
	root audits "$AUDIT"
	printf '{"finding_id":"F2","pha' >>r/data/_kb/audits.jsonl
	collect -1
	[ "$(counts audits)" = '2 1 1 0' ]
	printf 'se":"p","ts":%s}\n' "$T" >>r/data/_kb/audits.jsonl
	collect
	[ "$(counts audits)" = '2 1 0 1' ]
	[ "$(jq -c '[.line_offset, .sig_hash]' r/data/_kb/distillation_skips.jsonl)" = '[1,""]' ]
}

@test "provenance: the source by its name, the line from 0, the row's hash, the run's time" {
	run -0 lh-materialize --source audits --recorded-at 2026-05-03T01:00:00+02:00 <<<"$AUDIT"
	[ "$(jq -c .provenance <<<"$output")" = '{"source_file":"data/_kb/audits.jsonl","line_offset":0,"sig_hash":"'"$(sig "$AUDIT")"'","recorded_at":"2026-05-02T23:00:00.000Z"}' ]
}

@test "the hash is of the row's meaning: order, escapes, white space and 1.0 make no difference" {
	a=$(lh-materialize --source outcomes <<<'{"created_at":'$T',"ok":1,"total":1,"x":"A\u0000"}' | jq -r .provenance.sig_hash)
	b=$(lh-materialize --source outcomes <<<'{ "x":"\u0041\u0000", "total":1.0,"ok":1e0,"created_at":'$T'}' | jq -r .provenance.sig_hash)
	[ "$a" = "$b" ]
	[ "$(lh-materialize --source outcomes <<<'{"created_at":'$T',"x":1e-400}' | jq -r .provenance.sig_hash)" != "$(sig '{"created_at":'$T',"x":0}')" ]
}

# ---- as a filter ----

@test "rows whose numbers differ are two rows, however many digits tell them apart" {
	root audits ''
	for n in 1234567890123456789 1234567890123456788 1234567890123456789.0 123456789012345678.8e1 0.1 0.10000000000000000001 1e-400 1e-401 1e23 100000000000000000000000; do
		jq -c --arg n "$n" . <<<"$AUDIT" | sed "s/^{/{\"n\":$n,/"
	done >r/data/_kb/audits.jsonl
	collect
	[ "$(counts audits)" = '10 7 0 3' ]
	[ "$(jq -r .provenance.line_offset r/data/evidence/*/*/*/audits.jsonl | paste -sd,)" = 0,1,4,5,6,7,8 ]
	[ "$(jq -r '[.provenance.sig_hash, .provenance.line_offset] | @tsv' r/data/evidence/*/*/*/audits.jsonl | sed -n 1p)" = "$(jq -Sc . <<<"$AUDIT" | sed 's/,"phase"/,"n":1234567890123456789,"phase"/' | tr -d '\n' | sha256sum | cut -c1-64)	0" ]
	echo '{"n":1e-999999999999}' >r/data/_kb/audits.jsonl
	rm -r r/data/evidence
	collect -1
	[ "$(counts audits)" = '1 0 1 0' ]
}

@test "the filter counts every physical line, and never dedupes" {
	printf '\357\273\277%s\r\n\n \t\r\n%s\nno\n%s' "$AUDIT" "$AUDIT" "$AUDIT" >in
	run -1 --separate-stderr lh-materialize --source audits --rejects rejected in
	[ "$(jq -c .provenance.line_offset <<<"$output" | xargs)" = '0 3 5' ]
	[ "$stderr" = "lh-materialize: in:5:1: expected a value
lh-materialize: 1 of 4 records rejected" ]
	[ "$(cat rejected)" = no ]
}

@test "line_offset is right in every block of a large input, on any number of threads" {
	n=$(scale 30000 300000)
	T=$T awk -v n="$n" 'BEGIN { for (i = 0; i < n; i++)
		printf "{\"finding_id\":\"%d\",\"phase\":\"p\",\"ts\":%s}\n%s", i, ENVIRON["T"], i % 7 ? "" : "\n" }' >in
	lh-materialize --source audits --recorded-at $NOW -j1 in >one
	lh-materialize --source audits --recorded-at $NOW -j4 in >four
	cmp one four
	alike <(jq -r '"\(.provenance.line_offset) \(.run_id)"' one) <(awk 'NF { split($0, q, "\""); print NR - 1, q[4] }' in)
}

@test "the filter's time is --recorded-at, else --now, else LH_NOW" {
	at() { jq -r .provenance.recorded_at; }
	export LH_NOW=2026-01-01T00:00:00Z
	[ "$(lh-materialize --source audits <<<"$AUDIT" | at)" = 2026-01-01T00:00:00.000Z ]
	[ "$(lh-materialize --source audits --now 2026-01-02T00:00:00Z <<<"$AUDIT" | at)" = 2026-01-02T00:00:00.000Z ]
	[ "$(lh-materialize --source audits --now 2026-01-02T00:00:00Z --recorded-at 2026-01-03T00:00:00.5+01:00 <<<"$AUDIT" | at)" = 2026-01-02T23:00:00.500Z ]
}

# ---- over a root ----

@test "sources become evidence by day, and one result is printed for each source, in their order" {
	root distilled_facts "$FACT" audits "$AUDIT"
	collect
	[ "$(jq -r .source_file_relpath <<<"$output" | sed 's,data/_kb/,,; s/.jsonl//' | xargs)" = "distilled_facts distilled_procedures distilled_config_hints contract_analyses mode_experiments scrum_reviews observer_escalations audit_facts auto_apply observer_reviews audits outcomes" ]
	[ "${lines[0]}" = '{"source_file_relpath":"data/_kb/distilled_facts.jsonl","rows_present":true,"rows_read":1,"rows_written":1,"rows_skipped":0,"rows_deduped":0,"output_files":["data/evidence/2026/05/03/distilled_facts.jsonl"]}' ]
	[ "${lines[1]}" = '{"source_file_relpath":"data/_kb/distilled_procedures.jsonl","rows_present":false,"rows_read":0,"rows_written":0,"rows_skipped":0,"rows_deduped":0,"output_files":[]}' ]
	[ "$stderr" = "lh-materialize: 2 rows read, 2 written, 0 skipped, 0 deduped" ]
	[ "$(find r/data/evidence -type f | sort | xargs)" = "r/data/evidence/2026/05/03/audits.jsonl r/data/evidence/2026/05/03/distilled_facts.jsonl" ]
	cmp r/data/evidence/2026/05/03/audits.jsonl <(lh-materialize --source audits --recorded-at $NOW <<<"$AUDIT")
	[ ! -e r/data/_kb/distillation_skips.jsonl ]
}

@test "the root is --root, else LH_DISTILL_ROOT, else the working directory" {
	root audits "$AUDIT"
	LH_DISTILL_ROOT=r lh-materialize --dry-run 2>&1 | has '1 row read'
	mkdir -p empty
	LH_DISTILL_ROOT=empty lh-materialize --root r --dry-run 2>&1 | has '1 row read'
	(cd r && lh-materialize --dry-run 2>&1 | has '1 row read')
	run -2 lh-materialize --root nowhere
	[ "$output" = "lh-materialize: nowhere: cannot open the root: No such file or directory" ]
}

@test "an empty source is there and has no rows" {
	root audits "$AUDIT"
	: >r/data/_kb/outcomes.jsonl
	collect
	[ "$(counts outcomes)" = '0 0 0 0' ]
	[ "$(jq -r 'select(.rows_present) | .source_file_relpath' <<<"$output" | wc -l)" = 2 ]
}

@test "a row that becomes no evidence becomes a skip that says why, and the exit status is 1" {
	root audits "$AUDIT"$'\n\n''{"finding_id":"F2","phase":"p"}'$'\n{"a":\n[1]\n{"a":1e400}\n{"a":1,"a":2}\n{"a":"\\ud800"}'
	collect -1
	[ "$(counts audits)" = '7 1 6 0' ]
	[ "$stderr" = "lh-materialize: 7 rows read, 1 written, 6 skipped, 0 deduped" ]
	diff - r/data/_kb/distillation_skips.jsonl <<-END
	{"source_file":"data/_kb/audits.jsonl","line_offset":2,"errors":["ts: missing"],"sig_hash":"$(sig '{"finding_id":"F2","phase":"p"}')","recorded_at":"$NOW"}
	{"source_file":"data/_kb/audits.jsonl","line_offset":3,"errors":["line 4, column 6: unexpected end of line"],"sig_hash":"","recorded_at":"$NOW"}
	{"source_file":"data/_kb/audits.jsonl","line_offset":4,"errors":["record: not a JSON object"],"sig_hash":"","recorded_at":"$NOW"}
	{"source_file":"data/_kb/audits.jsonl","line_offset":5,"errors":["record: number beyond double precision"],"sig_hash":"","recorded_at":"$NOW"}
	{"source_file":"data/_kb/audits.jsonl","line_offset":6,"errors":["line 7, column 8: duplicate key \\"a\\""],"sig_hash":"","recorded_at":"$NOW"}
	{"source_file":"data/_kb/audits.jsonl","line_offset":7,"errors":["line 8, column 7: lone surrogate in string"],"sig_hash":"","recorded_at":"$NOW"}
	END
}

@test "rows without a canonical form are skips without a hash, whatever is wrong" {
	deep=$(printf '[%.0s' {1..512}) close=$(printf ']%.0s' {1..512})
	root outcomes '{"created_at":'$T',"x":1e-400,"y":"\u0000"}'
	{
		printf '{"created_at":%s,"x":1%0400d}\n' "$T" 0
		printf '{"created_at":%s,"x":%s%s}\n' "$T" "$deep" "$close"
		printf '{"created_at":%s,"x":"\377"}\n' "$T"
		printf '{"created_at":%s,"x":"\300\257"}\n' "$T"
		printf 'null\n\0\n'
	} >>r/data/_kb/outcomes.jsonl
	collect -1
	[ "$(counts outcomes)" = '7 1 6 0' ]
	[ "$(jq -r .sig_hash r/data/_kb/distillation_skips.jsonl | sort -u)" = "" ]
	[ "$(jq -c '.errors | length' r/data/_kb/distillation_skips.jsonl | sort -u)" = 1 ]
}

@test "a line beyond --max-line is a skip, and the rows around it are read" {
	root audits "$AUDIT"
	{
		printf '{"finding_id":"%0100d","phase":"p"}\n' 1
		head -c 3000000 /dev/zero | tr '\0' x
		printf '\n%s\n' '{"finding_id":"F3","phase":"G0","ts":'$T'}'
	} >>r/data/_kb/audits.jsonl
	collect -1 --max-line 100
	[ "$(counts audits)" = '4 2 2 0' ]
	[ "$(jq -c '[.line_offset, .errors[], .sig_hash]' r/data/_kb/distillation_skips.jsonl)" = '[1,"record: line is longer than 100 bytes (--max-line)",""]
[2,"record: line is longer than 100 bytes (--max-line)",""]' ]
	[ "$(jq -c .provenance.line_offset r/data/evidence/*/*/*/audits.jsonl | xargs)" = '0 3' ]
}

@test "a compressed source is read as it is: its lines are skips" {
	root audits "$AUDIT"
	gzip -c r/data/_kb/audits.jsonl >gz
	mv gz r/data/_kb/audits.jsonl
	collect -1
	[ ! -e r/data/evidence ]
}

@test "--dedup day knows the rows of its own day alone" {
	root audits "$AUDIT"
	collect
	collect --recorded-at 2026-05-04T00:00:00Z --dedup day
	[ "$(counts audits)" = '1 1 0 0' ]
	collect --recorded-at 2026-05-04T23:59:59Z --dedup day
	[ "$(counts audits)" = '1 0 0 1' ]
	collect --recorded-at 2026-05-05T00:00:00Z --dedup all
	[ "$(counts audits)" = '1 0 0 1' ]
	[ "$(find r/data/evidence -type f | wc -l)" = 2 ]
}

@test "rows that repeat within one run are deduped, and the first is kept" {
	root audits "$AUDIT"$'\n'"$AUDIT"$'\n{ "phase":"G0","finding_id":"F1","severity":"low","ts":'$T'}'
	collect
	[ "$(counts audits)" = '3 1 0 2' ]
	[ "$(jq -c .provenance.line_offset r/data/evidence/*/*/*/audits.jsonl)" = 0 ]
}

@test "the same row in two streams is evidence of both" {
	root distilled_facts "$FACT" distilled_procedures "$FACT"
	collect
	[ "$(counts distilled_procedures)" = '1 1 0 0' ]
}

@test "rows that were added are appended to those on file, of their own day" {
	root audits "$AUDIT"
	collect
	echo '{"finding_id":"F2","phase":"p","ts":'$T'}' >>r/data/_kb/audits.jsonl
	collect
	[ "$(jq -r .run_id r/data/evidence/2026/05/03/audits.jsonl | xargs)" = 'F1 F2' ]
	echo '{"finding_id":"F3","phase":"p","ts":'$T'}' >>r/data/_kb/audits.jsonl
	collect --recorded-at 2026-05-04T00:30:00+01:00
	collect --recorded-at 2026-05-04T00:30:00-01:00
	[ "$(jq -r .run_id r/data/evidence/2026/05/03/audits.jsonl | xargs)" = 'F1 F2 F3' ]
}

@test "a skip is written again only when source, line or hash differ" {
	root audits '{"finding_id":"F2","phase":"p"}'
	collect -1
	collect -1
	[ "$(counts audits)" = '1 0 1 0' ]
	[ "$(wc -l <r/data/_kb/distillation_skips.jsonl)" = 1 ]
	printf '\n%s\n' '{"finding_id":"F2","phase":"p"}' >r/data/_kb/audits.jsonl
	collect -1
	[ "$(wc -l <r/data/_kb/distillation_skips.jsonl)" = 2 ]
	printf '{"finding_id":"F2","phase":"q"}\n' >r/data/_kb/audits.jsonl
	collect -1
	cp r/data/_kb/audits.jsonl r/data/_kb/observer_reviews.jsonl
	collect -1
	[ "$(wc -l <r/data/_kb/distillation_skips.jsonl)" = 4 ]
}

@test "--dry-run counts and writes nothing" {
	root audits "$AUDIT"$'\n'"$AUDIT"$'\n{'
	collect -1 --dry-run
	[ "$(counts audits)" = '3 1 1 1' ]
	[ "$(jq -c .output_files <<<"$output" | sort -u)" = '[]' ]
	[ "$(find r -type f)" = r/data/_kb/audits.jsonl ]
	chmod -R a-w r
	run -1 as_nobody lh-materialize --root r --dry-run
	[[ $output == *'3 rows read, 1 written, 1 skipped, 1 deduped'* ]]
	chmod -R u+w r
}

@test "--sources reads those alone, in the order of the table" {
	root audits "$AUDIT" distilled_facts "$FACT" outcomes '{'
	collect --sources audits,distilled_facts,audits
	[ "$(jq -r .source_file_relpath <<<"$output" | xargs)" = 'data/_kb/distilled_facts.jsonl data/_kb/audits.jsonl' ]
	for bad in audit '' audits, audits,,outcomes 'audits outcomes'; do
		collect -2 --sources "$bad"
		[[ $stderr == "lh-materialize: --sources: "*" is not distilled_facts, "*" or outcomes" ]] || { echo "$bad: $stderr"; return 1; }
	done
}

@test "recorded_at is converted to UTC and printed with milliseconds" {
	root audits "$AUDIT"
	collect --recorded-at 2026-12-31T23:30:00-01:00
	[ "$(jq -r .provenance.recorded_at r/data/evidence/2027/01/01/audits.jsonl)" = 2027-01-01T00:30:00.000Z ]
}

@test "each run leaves the receipt of its stage" {
	root audits "$AUDIT"$'\n{'
	collect -1 --run-id one
	lh-validate --schema stage_receipt r/reports/distillation/one/collect.json >verdict || { cat verdict; return 1; }
	[ "$(jq -c '[.run_id, .stage, .stats, .validation.passed]' r/reports/distillation/one/collect.json)" = '["one","collect",{"accepted":1,"rejected":0,"quarantined":0,"skipped":1},false]' ]
	[ "$(jq -c '[.inputs.files[].path, .inputs.record_count]' r/reports/distillation/one/collect.json)" = '["data/_kb/audits.jsonl",2]' ]
	[ "$(jq -c '[.outputs.files[].path]' r/reports/distillation/one/collect.json)" = '["data/_kb/distillation_skips.jsonl","data/evidence/2026/05/03/audits.jsonl"]' ]
	sum=$(sha256sum <r/data/evidence/2026/05/03/audits.jsonl)
	[ "$(jq -r '.outputs.files[1].sha256' r/reports/distillation/one/collect.json)" = "${sum%% *}" ]
	echo "$AUDIT" >r/data/_kb/audits.jsonl
	collect --run-id one
	[ "$(jq -c '[.stats.accepted, .validation.passed]' r/reports/distillation/one/collect.json)" = '[0,true]' ]
	collect -2 --run-id ../one
}

# ---- what goes wrong ----

@test "a source that is a link, a FIFO or a folder, or cannot be read, is exit 2" {
	root audits "$AUDIT"
	echo "$AUDIT" >elsewhere
	for make in 'ln -s ../../../elsewhere' mkfifo mkdir; do
		$make r/data/_kb/outcomes.jsonl
		run -2 --separate-stderr patiently lh-materialize --root r --now $NOW
		[[ $stderr == "lh-materialize: r/data/_kb/outcomes.jsonl: is a "*", not a regular file" ]]
		[ -z "$output" ]
		rm -rf r/data/_kb/outcomes.jsonl
	done
	chmod 0 r/data/_kb/audits.jsonl
	mkdir -p r/data/evidence
	chmod -R a+w r/data r
	run -2 as_nobody lh-materialize --root r --run-id one
	[[ $output == *"audits.jsonl: cannot open: Permission denied"* ]] || { echo "$output"; return 1; }
}

@test "evidence or skips that are not ours are exit 2 with file and line, and nothing is written" {
	root audits "$AUDIT"
	mkdir -p r/data/evidence/2026/05/01
	echo '{"provenance":{}}' >r/data/evidence/2026/05/01/audits.jsonl
	collect -2
	[ "$stderr" = 'lh-materialize: r/data/evidence/2026/05/01/audits.jsonl:1: evidence without provenance.sig_hash' ]
	printf '{"provenance":{"sig_hash":"%064d"}}\n{"torn' 1 >r/data/evidence/2026/05/01/audits.jsonl
	collect -2
	[[ $stderr == 'lh-materialize: r/data/evidence/2026/05/01/audits.jsonl:2: '* ]]
	rm -r r/data/evidence
	echo '{}' >r/data/_kb/distillation_skips.jsonl
	collect -2
	[[ $stderr == 'lh-materialize: r/data/_kb/distillation_skips.jsonl:1: a skip without '* ]]
	[ ! -e r/data/evidence ]
}

@test "evidence that is a link or a folder is refused, not followed" {
	root audits "$AUDIT"
	mkdir -p r/data/evidence/2026/05/03 away
	: >away/target
	ln -s ../../../../../../away/target r/data/evidence/2026/05/03/audits.jsonl
	collect -2
	[[ $stderr == *'audits.jsonl: is a symbolic link, not a regular file' ]]
	[ ! -s away/target ]
}

@test "of two runs at once the second waits, and gives up in the end" {
	root audits "$AUDIT"
	exec 9>r/.lh-lock
	flock 9
	collect -2 --lock-timeout 0.3
	[ "$stderr" = "lh-materialize: r/.lh-lock: locked by another process; gave up after 0.3 seconds" ]
	lh-materialize --root r --now $NOW >lines 9>&- &
	pid=$!
	until_so eval '[ -n "$(find /proc/$pid/fd -lname "$PWD/r/.lh-lock" 2>/dev/null)" ]'
	[ ! -s lines ]
	exec 9>&-
	wait $pid
	[ ! -e r/.lh-lock ]
}

# ---- the command line ----

@test "what does not go together is exit 2, and nothing is read or written" {
	root audits "$AUDIT"
	for args in "--root r x" "--root r --rejects x" "--root r --on-error emit" "--source audits --dry-run" "--source audits --root r" \
		"--source audits --sources audits" "--source audits --run-id x" "--source audits --dedup day" "--source nonsense" "--root r --dedup week"; do
		run -2 --separate-stderr lh-materialize $args </dev/null
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ] || { echo "$args: $stderr"; return 1; }
	done
	[ "$(find r -type f)" = r/data/_kb/audits.jsonl ]
	LH_DISTILL_ROOT=r lh-materialize --source audits <<<"$AUDIT" >/dev/null
}

@test "-v reports each skip, -q the totals" {
	root audits '{"finding_id":"\u001b[31m","phase":"p","ts":"\u001b[31m"}'
	collect -1 -v
	[ "$stderr" = 'lh-materialize: data/_kb/audits.jsonl:1: ["ts: expected RFC 3339 time, got \"\\u001b[31m\""]
lh-materialize: 1 row read, 0 written, 1 skipped, 0 deduped' ]
	collect -1 -q
	[ "$stderr" = 'lh-materialize: 1 row read, 0 written, 1 skipped, 0 deduped' ]
}

@test "a million rows take little memory, and none is lost" {
	plain_only "sanitizers need memory"
	n=$(scale 100000 1000000)
	mkdir -p r/data/_kb
	awk -v n="$n" 'BEGIN { for (i = 0; i < n; i++) printf "{\"finding_id\":\"F%d\",\"phase\":\"p\",\"ts\":\"2026-04-21T08:15:00Z\",\"severity\":\"low\",\"evidence\":\"some words\"}\n", i }' >r/data/_kb/audits.jsonl
	/usr/bin/time -f %M -o kib lh-materialize --root r --now $NOW >out 2>/dev/null
	[ "$(jq -r 'select(.rows_present) | .rows_written' out)" = "$n" ]
	[ "$(cat kib)" -lt "$(scale 60000 160000)" ] || { cat kib; return 1; }
	/usr/bin/time -f %M -o kib lh-materialize --root r --now $NOW >out 2>/dev/null
	[ "$(jq -r 'select(.rows_present) | .rows_deduped' out)" = "$n" ]
	[ "$(cat kib)" -lt "$(scale 60000 160000)" ] || { cat kib; return 1; }
}
