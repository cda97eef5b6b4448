# lh-trace: the way of a record, from both ends.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_DISTILL_ROOT LH_SUBJECT_AUDIT_KEY
	export XDG_CACHE_HOME=$PWD/cache
}

NOW=2026-05-03T12:00:00Z

# root N [OPTION]... - a distilled root r of N rows, with replays and an audit.
root() {
	lh-gen kb -n "$1" --root r "${@:2}"
	lh-distill run -q --root r --run-id one --now $NOW >/dev/null || [ $? = 1 ]
	lh-replay --root r --dry-run --now $NOW --task 'verify the index of rows' >/dev/null || [ $? = 1 ]
	lh-audit-full --root r --observer --append-baseline --now $NOW >/dev/null || [ $? = 1 ]
}


# ask OPERANDS - into answers.
ask() {
	xargs -d '\n' lh-trace --root r --json --limit 1000 <"$1" >answers || [ $? = 123 ]
}

# some N - operands of every kind for rows of r.
some() {
	first "$1" < <(jq -r .run_id r/data/evidence/*/*/*/audits.jsonl)
	first "$1" < <(jq -r .id r/exports/rag/*.jsonl)
	printf '%s\n' exports/rag/playbooks.jsonl:1 data/_kb/audits.jsonl:2 nowhere 0123456789abcdef
}

# ---- both ends ----

@test "a source line leads to its sample, and the sample back to it" {
	root 200
	jq -rn 'limit(20; inputs) | [.id, .provenance.source_file, .provenance.line_offset + 1] | @tsv' r/exports/rag/*.jsonl >pairs
	[ "$(wc -l <pairs)" = 20 ]
	while IFS=$'\t' read -r id file line; do
		lh-trace --root r --json "$id" | jq -c '.steps' >back
		lh-trace --root r --json "$file:$line" | jq -c '.steps' | cmp - back
		jq -e --arg f "$file" --arg id "$id" --argjson l "$line" '.[0].steps | any(.step == "source" and .file == $f and .line == $l
			and .state == "intact") and any(.step == "rag" and .id == $id)' back >/dev/null
	done <pairs
}

@test "a pair has the steps of both sides" {
	root 300
	id=$(jq -rn 'first(inputs).id' r/exports/preference/*.jsonl)
	lh-trace --root r --json "$id" >answer
	jq -c --arg id "$id" '[.steps[] | (.steps[] | select(.id == $id) | .side), .run_id]' answer >got
	jq -c --arg id "$id" 'select(.id == $id) | ["chosen", .chosen_run_id, "rejected", .rejected_run_id]' r/exports/preference/*.jsonl | cmp - got
}

@test "a line of the source that was changed or removed is reported as that" {
	root 100
	sed -i '2s/{/{"x":1,/' r/data/_kb/audits.jsonl
	run=$(jq -r 'select(.provenance.line_offset == 1) | .run_id' r/data/evidence/*/*/*/audits.jsonl)
	[ "$(lh-trace --root r --json "$run" | jq -r '.steps[].steps[] | select(.step == "source") | .state')" = changed ]
	sed -i '2,$d' r/data/_kb/audits.jsonl
	[ "$(lh-trace --root r --json "$run" | jq -r '.steps[].steps[] | select(.step == "source") | .state')" = missing ]
	rm r/data/_kb/audits.jsonl
	[ "$(lh-trace --root r --json "$run" | jq -r '.steps[].steps[] | select(.step == "source") | .state')" = missing ]
}

@test "the receipt is that of the run that wrote the row, and the newest" {
	lh-gen kb -n 100 --root r
	lh-distill run -q --root r --run-id one --recorded-at 2026-01-01T00:00:00Z --now $NOW >/dev/null
	lh-gen kb -n 200 --root r
	lh-distill run -q --root r --run-id two --recorded-at 2026-01-01T00:00:00Z --now 2026-05-04T00:00:00Z >/dev/null
	file=r/data/evidence/2026/01/01/scrum_reviews.jsonl
	first=$(jq '.outputs.files[] | select(.path | endswith("scrum_reviews.jsonl")) | .record_count' r/reports/distillation/one/collect.json)
	[ "$first" -lt "$(wc -l <$file)" ]
	receipts() {
		lh-trace --root r --json "${file#r/}:$1" | jq -c '[.steps[].steps[] | select(.step == "evidence") | .steps[] | [.run_id, .wrote]]'
	}
	[ "$(receipts "$first")" = '[["one",true],["two",false]]' ]
	[ "$(receipts $((first + 1)))" = '[["two",true]]' ]
	lh-trace --root r --json "${file#r/}:1" | jq -r '.. | objects | select(.stage == "collect" and .run_id == "two") | .sha256' >got
	sha256sum <$file | cut -c-64 | cmp - got
}

@test "the id of a run of a distillation has its receipts" {
	root 50
	lh-trace --root r --json one | jq -c '[.as, (.steps[] | [.step, .stage, .file])]' >got
	jq -nc '["run", ("collect", "score", "export-rag", "export-sft", "export-preference" |
		["receipt", ., "reports/distillation/one/\(.).json"])]' | cmp - got
}

@test "a line of a source shows what was collected from it, whatever it is now" {
	root 300
	file=data/_kb/audits.jsonl
	n=$(wc -l <r/$file)
	lh-trace --root r --json $file:{3,4,"$n"} >before
	sed -i -e '3s/.*/{"another":1}/' -e '4s/.*/no record/' -e '$d' r/$file
	lh-trace --root r --json $file:{3,4,"$n"} >after
	states() { jq -c '[.steps[].steps[] | select(.step == "source").state]' "$1"; }
	[ "$(states before | sort -u)" = '["intact"]' ]
	states after | diff - <(printf '%s\n' '["not collected","changed"]' '["changed"]' '["missing"]')
	rest() { jq -c '.steps[-1] | .steps |= map(select(.step != "source"))' "$1"; }
	rest before | diff - <(rest after)
	printf '%s\n' $file:{3,4,"$n","$((n + 1))"} >operands
	ask operands
}

@test "a line of a source that was removed shows what was collected from it, and what was skipped" {
	lh-gen kb -n 200 --dirty --root r
	lh-distill run -q --root r --run-id one --now $NOW >/dev/null || [ $? = 1 ]
	jq -r '"\(.source_file):\(.line_offset + 1)"' r/data/_kb/distillation_skips.jsonl | sort -u >operands
	[ -s operands ]
	jq -r '.provenance | "\(.source_file):\(.line_offset + 1)"' r/data/evidence/*/*/*/*.jsonl >>operands
	lh-trace --root r --json --limit 1000 $(cat operands) >before
	rm $(sed 's|^|r/|; s/:[0-9]*$//' operands | sort -u)
	lh-trace --root r data/_kb/audits.jsonl:1 | grep -q 'source  data/_kb/audits.jsonl:1  state missing'
	ask operands
	steps() { jq -c '[.steps[].steps[] | select(.step != "source") | [.step, .file, .line]] | unique' "$1"; }
	steps before | diff - <(steps answers)
	lh-trace --root r r/data/_kb/audits.jsonl:1 | tail -n +2 >out
	lh-trace --root r data/_kb/audits.jsonl:1 | tail -n +2 | cmp - out
	(cd r/data && lh-trace --root .. _kb/audits.jsonl:1) | tail -n +2 | cmp - out
	rm -r r/data/_kb
	lh-trace --root r r/data/_kb/audits.jsonl:1 | tail -n +2 | cmp - out
	run -1 lh-trace --root r data/_kb/audits.jsonl:9999
}

# bats test_tags=full
@test "every place that an answer names can be asked for" {
	subject gateway 300
	some 10 >operands
	echo 'W 1' >>operands
	xargs -d '\n' lh-trace --root r --json <operands >answers || [ $? = 123 ]
	jq -r '.. | objects | select(.step and .file and .line) | "\(.file):\(.line)"' answers | sort -u >places
	grep -q ^reports/distillation/one/score.json:1 places
	grep -q '/subjects/.*\.json:1' places
	grep -q '/subjects/.*\.audit\.jsonl:30' places
	grep -v '^data/_catalog' places >operands
	ask operands
	jq -e '.as == "line" and .steps != []' answers >/dev/null
	not grep -q '"as":null' answers
	lh-trace --root r --json --limit 1000 'W 1' | jq -c .steps >whole
	grep '^data/_catalog' places >operands
	ask operands
	jq -c .steps answers | sort -u | cmp - whole
	lh-trace --root r --json one | jq -c .steps >whole
	lh-trace --root r --json reports/distillation/one/score.json:1 | jq -c .steps | cmp - whole
	for none in reports/distillation/one/{score.json:2,score.json:0,summary.json:1,other.json:1} reports/distillation/two/score.json:1 \
		"$(sed -n 's/.json:1$/.json:2/p' operands)" data/_catalog/subjects/none.json:1; do
		run -1 lh-trace --root r "$none"
	done
}

@test "a row that names no record is a step by itself" {
	root 20
	printf 'no record\n\n{}\n' >>r/data/_kb/audit_baselines.jsonl
	printf '{"id":"rag-q"}\n' >>r/exports/rag/playbooks.jsonl
	printf '{"recorded_run_id":"replay:q"}\n' >>r/data/_kb/replay_runs.jsonl
	printf '%s\n' data/_kb/audit_baselines.jsonl:{1,2,3,4} "exports/rag/playbooks.jsonl:$(wc -l <r/exports/rag/playbooks.jsonl)" \
		"data/_kb/replay_runs.jsonl:$(wc -l <r/data/_kb/replay_runs.jsonl)" rag-q replay:q >operands
	ask operands
	jq -c '[.as, (.steps[] | [.step, .line, .state, .recorded_at])]' answers | head -n 4 >got
	jq -nc --arg t "$(sed -n 1p r/data/_kb/audit_baselines.jsonl | jq -r .recorded_at)" '["line", ["audit", 1, null, $t]],
		["line", ["audit", 2, "not a record", null]], [null], ["line", ["audit", 4, null, null]]' | diff - got
	lh-trace --root r --json --records data/_kb/audit_baselines.jsonl:1 | jq -c '.steps[0].record' |
		cmp - <(jq -c . <(sed -n 1p r/data/_kb/audit_baselines.jsonl))
}

@test "what is nowhere is exit 1, with the places that were searched and their rows" {
	root 100
	run -1 --separate-stderr lh-trace --root r --json nothing-of-that-name
	jq -e '.as == null and .steps == []' <<<"$output" >/dev/null
	jq -r '.searched[] | "\(.place) \(.rows)"' <<<"$output" >got
	for place in data/_kb/distillation_skips.jsonl data/evidence data/scored-runs exports/rag exports/sft exports/preference exports/quarantine data/_kb/replay_runs.jsonl data/_kb/audit_baselines.jsonl; do
		echo "$place $(find r/$place -name '*.jsonl' -exec cat {} + 2>/dev/null | wc -l)"
	done >want
	echo "reports/distillation 5" >>want
	diff want <(sed '1d; $d' got)
	[ "$(sed -n 1p got)" = 'data/_kb 100' ]
	run -1 lh-trace --root r nothing-of-that-name
	[[ $output == *nowhere*searched*data/evidence*rows*100* ]]
}

@test "digits that begin several hashes list the candidates, longer ones find one" {
	root 20
	sig=$(jq -rn 'first(inputs).provenance.sig_hash' r/data/evidence/*/*/*/*.jsonl)
	other=${sig:0:9}$(tr 0-9a-f 1-9a-f0 <<<"${sig:9}")
	sed -i "2s/\"sig_hash\":\"[0-9a-f]*\"/\"sig_hash\":\"$other\"/" r/data/scored-runs/*/*/*/audits.jsonl
	run -1 lh-trace --root r --json "${sig:0:8}"
	[ "$(jq -r '.candidates[].sig_hash' <<<"$output" | sort)" = "$(printf '%s\n' "$sig" "$other" | sort)" ]
	lh-trace --root r --json "${sig:0:10}" | jq -e --arg s "$sig" '.as == "sig_hash" and .steps[0].sig_hash == $s' >/dev/null
	up=${sig:0:10}
	lh-trace --root r --json "${up^^}" | jq -e --arg s "$sig" '.steps[0].sig_hash == $s' >/dev/null
	run -1 lh-trace --root r --json "${sig:0:7}"
	jq -e '.searched' <<<"$output" >/dev/null
}

@test "what the user may not read is reported, and the rest is found" {
	root 50
	mkdir -p r/data/_catalog/subjects
	touch r/data/_catalog/subjects/one.audit.jsonl
	chmod -R a+rX .
	chmod 0 r/data/_catalog/subjects
	run -2 --separate-stderr as_nobody "$LH_BIN/lh-trace" --root r --json one
	chmod 755 r/data/_catalog/subjects
	[[ $stderr == *subjects*'Permission denied'* ]]
	jq -e '.as == "run" and (.steps | length) == 5' <<<"$output" >/dev/null
}

# ---- rows from outside ----

# bats test_tags=hostile
@test "hostile rows are passed over, and the good ones between them found" {
	root 100
	{
		printf '\xff\xfe\n{"id":1}\n{"id":"rag-z","source_run_id":7,"provenance":[]}\n'
		printf '{"id":"rag-y","source_run_id":"F-1","provenance":{"sig_hash":"XYZ","line_offset":-1,"source_file":"/etc/passwd"}}\n'
		printf '[]\nnull\n\n  \n{"id":"rag-x","id":"rag-x"}\n'
		head -c 300000 /dev/zero | tr '\0' '['
		printf '\n{"id":"r\\u0061g-w","title":"\\u001b[31m","source_run_id":"n\\u0000l"}\n'
	} >>r/exports/rag/playbooks.jsonl
	printf '{"recorded_run_id":"replay:x","retrieved_artifacts":{"rag_ids":[1,null,"rag-w",{}]}}\n{"recorded_run_id":"replay:y","retrieved_artifacts":5}\n' >>r/data/_kb/replay_runs.jsonl
	for id in rag-z rag-y rag-w replay:x replay:y; do
		lh-trace --root r "$id" >out.$id 2>err
		[ ! -s err ]
	done
	run grep -l $'\x1b' out.*
	[ -z "$output" ]
	lh-trace --root r --html page rag-w
	run grep $'\x1b' page
	[ -z "$output" ]
	grep -q 'source  /etc/passwd' out.rag-y || grep -q rag-y out.rag-y
	run -1 lh-trace --root r rag-x
	run -1 lh-trace --root r $'a\x1b[31mb'
	[[ $output != *$'\x1b'* ]]
	run -2 lh-trace --root r $'\xff'
}

@test "a link and a FIFO in the place of a file are reported, and the rest is found" {
	root 100
	mv r/exports/sft/instruction_response.jsonl elsewhere
	ln -s "$PWD/elsewhere" r/exports/sft/instruction_response.jsonl
	rm r/data/_kb/replay_runs.jsonl
	mkfifo r/data/_kb/replay_runs.jsonl
	id=$(jq -rn 'first(inputs).id' r/exports/rag/*.jsonl)
	run -2 --separate-stderr patiently lh-trace --root r "$id"
	[[ $output == *"evidence"*"rag "* ]]
	[[ $stderr == *instruction_response.jsonl*replay_runs.jsonl* ]]
}

# ---- subjects ----

# subject KIND [N] - the log and the manifest of W 1 in a root of N rows.
subject() {
	root "${2:-20}"
	(umask 077; head -c 32 /dev/urandom >key)
	for i in {1..30}; do
		echo '{"candidate_id":"W 1","accessor":{"kind":"'"$1"'","daemon":"ui","purpose":"p'"$i"'","trace_id":"t"},"fields_accessed":["name","phone"],"result":"success","ts":"2026-05-03T12:00:00Z"}'
	done | lh-subject-audit append --key-file key --sync none --dir r/data/_catalog/subjects >rows
	echo '{"schema":"subject_manifest.v1","candidate_id":"W 1","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","status":"active","vertical":"other","consent":{"general_pii":{"status":"given"},"biometric":{"status":"pending"}},"retention":{"general_pii_until":"2026-01-01T00:00:00Z","policy":"p"},"datasets":[],"safe_views":[],"audit_log_path":"x","audit_log_chain_root":""}' |
		lh-subject-audit manifest put --dir r/data/_catalog/subjects >/dev/null
}

@test "a subject has its manifest, and its look-ups with file and line" {
	subject gateway
	lh-trace --root r --json --limit 100 'W 1' >answer
	[ "$(jq -r .as answer)" = subject ]
	jq -c '.steps[].steps[] | select(.step == "manifest") | [.status, .general_pii]' answer | grep -qx '\["active","given"\]'
	log=$(cd r && ls data/_catalog/subjects/*.audit.jsonl)
	jq -c '.steps[].steps[] | select(.step == "chain") | .steps[] | [.step, .file, .line, .daemon, .purpose, .result]' answer >got
	jq -c --arg log "$log" '["look-up", $log, input_line_number, .accessor.daemon, .accessor.purpose, .result]' "r/$log" >want
	[ "$(wc -l <want)" = 30 ]
	diff want got
	lh-trace --root r --json --limit 5 --subject 'W 1' | jq -c '.steps[].steps[] | select(.step == "chain") | [.rows, .more, .steps[0].line]' | grep -qx '\[30,25,26\]'
}

@test "a manifest that is damaged is reported, and the log is shown" {
	subject gateway
	sed -i 's/"active"/"inactive"/' r/data/_catalog/subjects/*.json
	run -2 --separate-stderr lh-trace --root r --subject 'W 1'
	[[ $stderr == *status* ]]
	[[ $output == *chain*look-up* ]]
}

@test "a chain is verified with a key, and not without" {
	subject validator_lookup
	state() { lh-trace --root r --json --subject 'W 1' "$@" | jq -r '.steps[].steps[] | select(.step == "chain") | .state + " " + (.error // "")'; }
	[ "$(state)" = 'not verified ' ]
	[ "$(state --key-file key)" = 'intact ' ]
	lh-trace --root r --subject 'W 1' | grep -q verdict
	sed -i '3s/p3/p4/' r/data/_catalog/subjects/*.audit.jsonl
	[ "$(state --key-file key)" = 'tampered row_hmac mismatch' ]
	run -1 lh-trace --root r --key-file key --subject 'W 1'
	lh-subject-audit verify --key-file key "$(echo r/data/_catalog/subjects/*.audit.jsonl)" >verdict || [ $? = 1 ]
	[ "$(lh-trace --root r --json --key-file key --subject 'W 1' | jq '.steps[].steps[] | select(.step == "chain").line')" = "$(jq .line verdict)" ]
	[[ $output == *"chain  data/_catalog/subjects/"*".audit.jsonl:3  rows 30  state tampered  error row_hmac mismatch"* ]]
	lh-trace --root r --subject 'W 1' >out	# without a key nothing is known of it
	run -1 lh-trace --root r --subject W-2
	[[ $output == *nowhere*searched*data/_catalog/subjects*files*2* ]]
	run -2 lh-trace --root r --key-file absent --subject 'W 1'
}

@test "with a key that is not the log's, the key is said to be wrong, and the log not to be tampered with" {
	subject gateway
	(umask 077; head -c 32 /dev/urandom >other)
	run -1 lh-trace --root r --json --key-file other --subject 'W 1'
	[ "$(jq -c '.steps[].steps[] | select(.step == "chain") | [.rows, .state, .error, .line]' <<<"$output")" = '[30,"not verified","no row verifies with this key: is it the right one?",null]' ]
	lh-trace --root r --json --key-file other --key-file key --subject 'W 1' | jq -e '.steps[].steps[] | select(.step == "chain").state == "intact"'
	sed -i '1s/p1/p9/' r/data/_catalog/subjects/*.audit.jsonl
	run -1 lh-trace --root r --json --key-file key --subject 'W 1'
	[ "$(jq -r '.steps[].steps[] | select(.step == "chain").state' <<<"$output")" = tampered ]
}

@test "a torn last line of a log is reported with its offset, and is no look-up" {
	subject gateway
	log=$(echo r/data/_catalog/subjects/*.audit.jsonl)
	size=$(stat -c %s "$log")
	cp "$log" whole
	for tail in '{"torn' '  ' "$(sed -n 30p "$log")" "$(printf '%09999d' 0)"; do
		cp whole "$log"
		printf %s "$tail" >>"$log"
		lh-subject-audit verify --key-file key "$log" >verdict || [ $? = 1 ]
		for key in '' '--key-file key'; do
			run -1 --separate-stderr lh-trace --root r --json --limit 100 $key 'W 1'
			jq -c '.steps[].steps[] | select(.step == "chain") | [.rows, .line, .state, .error, .torn_at, (.steps | length)]' <<<"$output" >got
			echo "[30,31,\"torn\",\"incomplete last line\",$size,30]" | diff - got
			[ "$(jq -c '[.line, .state]' verdict)" = "$(jq -c '.[1:3]' got)" ]
		done
	done
	printf '%s:%s\n' "${log#r/}" 1 "${log#r/}" 30 "${log#r/}" 31 "${log#r/}" 32 >operands
	ask operands
	sed -i '3s/p3/p4/' "$log"
	run -1 lh-trace --root r --limit 100 --key-file key 'W 1'
	[[ $output == *".audit.jsonl:3  rows 30  state tampered  error row_hmac mismatch  torn_at $size"* ]]
	[ "$(grep -c look-up <<<"$output")" = 30 ]
	printf '{"torn' >"$log"
	run -1 lh-trace --root r 'W 1'
	[[ $output == *".audit.jsonl:1  rows 0  state torn "*" torn_at 0"* ]]
	[[ $output != *look-up* ]]
}

@test "a line of a log that is not a record says so" {
	subject gateway
	log=$(echo r/data/_catalog/subjects/*.audit.jsonl)
	sed -i '1s/.*/no record/; 3s/.*/[]/' "$log"
	lh-trace --root r --json --limit 100 "${log#r/}:1" >answer
	jq -c '.steps[] | [.candidate_id, (.steps[] | select(.step == "chain").steps[] | select(.error) | [.line, .error])]' answer |
		diff - <(echo '["W 1",[1,"not a record"],[3,"not a record"]]')
}

@test "the row of a log that is asked for is shown, however old it is" {
	subject gateway
	log=$(cd r && echo data/_catalog/subjects/*.audit.jsonl)
	lines() { lh-trace --root r --json --limit 2 "$log:$1" | jq -c '.steps[].steps[] | select(.step == "chain") | [.more, .steps[].line]'; }
	[ "$(lines 7)" = '[27,7,29,30]' ]
	[ "$(lines 29)" = '[28,29,30]' ]
	mv r/data/_catalog/subjects elsewhere
	lh-trace --root r --subjects elsewhere "elsewhere/${log##*/}:7" | grep -q "look-up  elsewhere/${log##*/}:7 "
}

# ---- output ----

@test "the tree and the page have every step of the JSON" {
	root 300
	id=$(jq -rn 'first(inputs).id' r/exports/preference/*.jsonl)
	lh-trace --root r --json "$id" | jq -r '.. | objects | select(.step and .file) | "\(.step)  \(.file):\(.line)"' >steps
	[ "$(wc -l <steps)" -gt 10 ]
	lh-trace --root r "$id" | grep -oE '[a-z-]+  [^ ]+:[0-9]+( |$)' | sed 's/ $//' | diff steps -
	lh-trace --root r --html - "$id" >page
	sed -n 's/.*<b>\(<bdi>\)\?\([a-z-]*\)\(<\/bdi>\)\?<\/b><code>\(<bdi>\)\?\([^<]*\).*/\2  \5/p' page | diff steps -
	[ "$(grep -c '^<!' page)" = 1 ]
	run grep -iE '<script|src=|href=' page
	[ -z "$output" ]
}

@test "the tree is coloured on demand, and the same without its colours" {
	root 20
	lh-trace --root r --color always F-11 one >colored
	grep -q $'\x1b\[' colored
	lh-trace --root r F-11 one | cmp - <(sed 's/\x1b\[[0-9;]*m//g' colored)
}

@test "the text of a record is shown: whole in JSON and on a page, its beginning in the tree" {
	root 20
	read -r id < <(jq -rn 'first(inputs | select((.text | utf8bytelength) > 170)).run_id' r/data/evidence/*/*/*/*.jsonl)
	jq -n --arg id "$id" 'first(inputs | select(.run_id == $id)).text' r/data/evidence/*/*/*/*.jsonl >text
	lh-trace --root r --json "$id" | jq '.. | objects | select(.step == "evidence").text' | cmp - text
	[[ $(lh-trace --root r "$id") == *"  text $(jq -r 'gsub("\n"; " ")[:140]' text)"*…* ]]
	lh-trace --root r --html - "$id" | grep -F '<i>text</i><span class="plain">'
}

@test "rows are printed on demand" {
	root 20
	lh-trace --root r --json --records data/_kb/outcomes.jsonl:1 >answer
	jq -c '.steps[].steps[] | select(.step == "source") | .record' answer | cmp - <(jq -cn input r/data/_kb/outcomes.jsonl)
	jq -e '.steps[].steps[] | select(.step == "evidence") | .record.run_id' answer >/dev/null
}

@test "usage errors name what is accepted" {
	for args in '' '--json --html - x' '--requests --json' '--records x'; do
		run -2 --separate-stderr lh-trace $args
		[ -z "$output" ] && [ "${#stderr_lines[@]}" = 1 ]
	done
	run -2 lh-trace --root absent x
	[[ $output == *absent* ]]
}

@test "without a root, in a folder that is none, it says so" {
	mkdir none && cd none
	run -1 --separate-stderr env -u LH_DISTILL_ROOT lh-trace x
	[ "$stderr" = "lh-trace: the working directory is not a root, it has no folder data; --root DIR names one" ]
	run -1 --separate-stderr lh-trace --root . x
	[ -z "$stderr" ]
}

# ---- requests ----

# trace ID... - of the root r.
trace() {
	jq -nc '$ARGS.positional[] | {id: .}' --args "$@" | lh-trace --requests -q --root r --on-error emit || [ $? = 1 ]
}

@test "--requests: each sample leads to the rows that another program finds for it" {
	lh-gen kb -n 300 --root r
	lh-distill run -q --root r --run-id a >/dev/null || [ $? = 1 ]
	cat r/exports/{rag,sft,preference}/*.jsonl | lh-trace --requests --root r >got
	python3 - <<-'PY'
	import glob, json
	def rows(pattern):
	    for path in glob.glob("r/" + pattern, recursive=True):
	        for n, line in enumerate(open(path), 1):
	            yield {"file": path[2:], "line": n, "record": json.loads(line)}
	key = lambda r, run: (r[run], r["provenance"]["sig_hash"])
	scored = {key(s["record"], "evidence_run_id"): s for s in rows("data/scored-runs/**/*.jsonl")}
	evidence = {key(e["record"], "run_id"): e for e in rows("data/evidence/**/*.jsonl")}
	samples = [dict(s, exporter=x) for x in ("rag", "sft", "preference") for s in rows("exports/%s/*.jsonl" % x)]
	got = [json.loads(line) for line in open("got")]
	assert len(got) == len(samples) > 60 and len({s["exporter"] for s in samples}) == 3
	for g, s in zip(got, samples):
	    r = s["record"]
	    assert (g["id"], g["exporter"], g["run"]) == (r["id"], s["exporter"], "a"), g
	    assert g["sample"] == {k: s[k] for k in ("file", "line", "record")}, g
	    sides = [("source", "source_run_id")] if "source_run_id" in r else [("chosen", "chosen_run_id"), ("rejected", "rejected_run_id")]
	    assert [(f["side"], f["run_id"]) for f in g["from"]] == [(side, r[name]) for side, name in sides], g
	    for f in g["from"]:
	        hash = f["scored"]["record"]["provenance"]["sig_hash"]
	        if f["side"] != "rejected":
	            assert hash == r["provenance"]["sig_hash"]
	        assert f["scored"] == scored[f["run_id"], hash] and f["evidence"] == evidence[f["run_id"], hash], f
	        p = f["evidence"]["record"]["provenance"]
	        line = open("r/" + p["source_file"]).read().split("\n")[p["line_offset"]]
	        assert f["source"] == {"file": p["source_file"], "line": p["line_offset"] + 1, "record": json.loads(line), "intact": True}, f
	PY
}

@test "--requests: an unknown id is 404, a file that cannot be read 503 without its path, and the next is answered" {
	root 100
	id=$(head -n 1 r/exports/sft/*.jsonl | jq -r .id)
	trace nothing "$id" 'a"\b' >got
	[ "$(jq -r '.error.code // .exporter' got | paste -sd' ')" = '404 sft 404' ]
	[ "$(jq -r '.error.message // empty' got | sort -u)" = 'there is no such sample' ]
	rm r/exports/rag/playbooks.jsonl
	mkdir r/exports/rag/playbooks.jsonl
	trace "$id" >got
	[ "$(jq -r '"\(.error.code) \(.error.message)"' got)" = '503 the files of the root cannot be read' ]
	rmdir r/exports/rag/playbooks.jsonl
	[ "$(trace "$id" | jq -r .exporter)" = sft ]
	run -2 --separate-stderr lh-trace --requests --root none
	[[ $stderr == "lh-trace: none: "* ]]
}

@test "a log without rows is empty, with a key and without, and is exit 1" {
	mkdir subjects
	: >subjects/w-1.audit.jsonl
	for key in '' "--key-file $PWD/key"; do
		(umask 077; printf '%032d' 1 >key)
		run -1 --separate-stderr lh-trace --subjects subjects $key --json --subject w-1
		[[ $output == *'"step":"chain","file":"subjects/w-1.audit.jsonl","rows":0,"state":"empty","error":"no rows","steps":[]}'* ]]
	done
}
