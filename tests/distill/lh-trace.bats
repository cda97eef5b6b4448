# lh-trace: the way of a record, from both ends, and the index that it is found by.
# bats file_tags=long
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

# steps - of answers on stdin, what the oracle prints.
steps() {
	jq -c '{operand, steps: (if .as == null then null else
		[.steps[] | [.. | objects | select(.step and .file) | [.step, .file, .line]] | unique] | sort end)}'
}

# ask OPERANDS [OPTION]... - into answers.
ask() {
	xargs -d '\n' lh-trace --root r --json --limit 1000 "${@:2}" <"$1" >answers || [ $? = 123 ]
}

# agree OPERANDS [OPTION]... - the answers for these are those of the oracle.
agree() {
	python3 "$ROOT/tests/oracle/trace.py" r <"$1" | jq -c . >want
	ask "$@"
	steps <answers >got
	[ "$(wc -l <got)" = "$(wc -l <"$1")" ]
	diff want got
}

# some N - operands of every kind for random rows of r.
some() {
	RANDOM=1
	shuf -n "$1" --random-source=<(yes) <(jq -r '.run_id, .provenance.sig_hash, .provenance.sig_hash[:12],
		"\(.provenance.source_file):\(.provenance.line_offset + 1)"' r/data/evidence/*/*/*/*.jsonl)
	for file in r/data/scored-runs/*/*/*/*.jsonl r/exports/*/*.jsonl r/data/_kb/*.jsonl; do
		echo "${file#r/}:$(((RANDOM % $(wc -l <"$file")) + 1))"
	done
	jq -r .id r/exports/{rag,sft,preference}/*.jsonl | shuf -n "$1" --random-source=<(yes)
	printf '%s\n' nowhere 0123456789abcdef rag-0000000000000000 data/_kb/audits.jsonl:999999
}

# index - what there is of it: its inode, size and time.
index() { stat -c '%i %s %y' r/.lh-trace/index; }

# ---- both ends ----

# bats test_tags=plain-only
@test "random rows have the way that a second implementation finds, with an index and without" {
	root 1000
	some 60 >operands
	[ "$(wc -l <operands)" -gt 100 ]
	agree operands --no-index
	[ ! -e r/.lh-trace ]
	cp answers scanned
	ask operands
	[ -s r/.lh-trace/index ]
	cmp answers scanned
	ask operands
	cmp answers scanned
	lh-trace --root r --json --limit 1000 --reindex --jobs 1 "$(sed -n 1p operands)" | cmp - <(sed -n 1p scanned)
}

# bats test_tags=plain-only
@test "dirty sources, several days and repeated rows have the way that the oracle finds" {
	lh-gen kb -n 300 --dirty --root r
	lh-distill run -q --root r --run-id one --recorded-at 2026-01-01T00:00:00Z --now $NOW >/dev/null || [ $? = 1 ]
	lh-gen kb -n 400 --dirty --root r
	cat r/data/_kb/audits.jsonl >>r/data/_kb/audits.jsonl.new
	head -n 5 r/data/_kb/audits.jsonl >>r/data/_kb/audits.jsonl.new
	mv r/data/_kb/audits.jsonl.new r/data/_kb/audits.jsonl
	lh-distill run -q --root r --run-id two --recorded-at 2026-01-02T00:00:00Z --now 2026-05-04T12:00:00Z >/dev/null || [ $? = 1 ]
	some 40 >operands
	# every line, bad and blank ones too, and the one after the last
	for file in $(find r -name '*.jsonl' ! -path '*/reports/*'); do
		seq "$(($(wc -l <"$file") + 1))" | sed "s|^|${file#r/}:|"
	done >>operands
	grep -q $'^\r*$' r/data/_kb/audits.jsonl
	agree operands
	lh-trace --root r --json data/_kb/audits.jsonl:1 | jq -e '[.steps[0].steps[] | select(.step == "source")] | length == 2' >/dev/null
}

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
	lh-trace --root r --json --reindex $file:{3,4,"$n"} >before
	sed -i -e '3s/.*/{"another":1}/' -e '4s/.*/no record/' -e '$d' r/$file
	lh-trace --root r --json $file:{3,4,"$n"} >after
	lh-trace --root r --json --no-index $file:{3,4,"$n"} | cmp - after
	states() { jq -c '[.steps[].steps[] | select(.step == "source").state]' "$1"; }
	[ "$(states before | sort -u)" = '["intact"]' ]
	states after | diff - <(printf '%s\n' '["not collected","changed"]' '["changed"]' '["missing"]')
	rest() { jq -c '.steps[-1] | .steps |= map(select(.step != "source"))' "$1"; }
	rest before | diff - <(rest after)
	printf '%s\n' $file:{3,4,"$n","$((n + 1))"} >operands
	agree operands
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
	agree operands
	steps() { jq -c '[.steps[].steps[] | select(.step != "source") | [.step, .file, .line]] | unique' "$1"; }
	steps before | diff - <(steps answers)
	lh-trace --root r r/data/_kb/audits.jsonl:1 | tail -n +2 >out
	lh-trace --root r data/_kb/audits.jsonl:1 | tail -n +2 | cmp - out
	(cd r/data && lh-trace --root .. _kb/audits.jsonl:1) | tail -n +2 | cmp - out
	rm -r r/data/_kb
	lh-trace --root r r/data/_kb/audits.jsonl:1 | tail -n +2 | cmp - out
	run -1 lh-trace --root r data/_kb/audits.jsonl:9999
}

@test "a path with more parts than it needs names the same file" {
	subject gateway
	log=$(cd r && ls data/_catalog/subjects/*.audit.jsonl)
	for file in data/_kb/audits.jsonl reports/distillation/one/score.json "$log"; do
		lh-trace --root r "$file:1" | tail -n +2 >want
		[ -s want ]
		dir=${file%/*} name=${file##*/}
		for other in "./$file" "${file/\//\/\/}" "$dir/../${dir##*/}/$name" "$dir/./$name" "none/../$file" "r/$file" \
			"r/../r/./$file" "$PWD/r/$file" "../r/$file"; do
			lh-trace --root r "$other:1" | tail -n +2 | cmp - want
		done
		(cd r/data && lh-trace --root .. "../$file:1") | tail -n +2 | cmp - want
		ln -sfn r link
		lh-trace --root r "link/$file:1" | tail -n +2 | cmp - want
		lh-trace --root link "r/$file:1" | tail -n +2 | cmp - want
	done
	printf '%s\n' ./data/_kb/audits.jsonl:2 data//_kb/../_kb/./audits.jsonl:3 >operands
	agree operands
	for other in ../data/_kb/audits.jsonl /data/_kb/audits.jsonl audits.jsonl data/_kb/audits.jsonl/.. ..; do
		run -1 lh-trace --root r "$other:1"
	done
	# where the working directory is gone, paths of the root are known all the same
	mkdir gone
	(cd gone && rmdir ../gone && lh-trace --root "$BATS_TEST_TMPDIR/r" data/_kb/audits.jsonl:1 >/dev/null)
}

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
	agree operands
	jq -e '.as == "line" and .steps != []' answers >/dev/null
	not grep -q '"as":null' answers
	lh-trace --root r --json --limit 1000 'W 1' | jq -c .steps >whole
	grep '^data/_catalog' places >operands
	agree operands
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
	agree operands
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

@test "a limit of one record does not make several hashes one" {
	root 20
	sig=$(jq -rn 'first(inputs).provenance.sig_hash' r/data/evidence/*/*/*/*.jsonl)
	sed -i "2s/\"sig_hash\":\"[0-9a-f]*\"/\"sig_hash\":\"${sig:0:9}$(tr 0-9a-f 1-9a-f0 <<<"${sig:9}")\"/" r/data/scored-runs/*/*/*/audits.jsonl
	run -1 lh-trace --root r --json --limit 1 "${sig:0:8}"
	jq -e '.candidates | length == 2' <<<"$output" >/dev/null
}

@test "records over the limit are counted once, not by their rows" {
	root 100
	sed -Ei 's/"(evidence_)?run_id":"[^"]*"/"\1run_id":"shared"/' r/data/{evidence,scored-runs}/*/*/*/audits.jsonl
	n=$(jq -r .provenance.sig_hash r/data/evidence/*/*/*/audits.jsonl | sort -u | wc -l)
	[ "$n" -gt 3 ]
	lh-trace --root r --json --limit 3 shared | jq -e --argjson n "$n" '(.steps | length) == 3 and .more == $n - 3' >/dev/null
}

@test "a hash that over 10,000 other rows begin like is not said to be nowhere" {
	root 20
	file=$(echo r/data/scored-runs/*/*/*/audits.jsonl)
	seq 10000 | awk '{ printf "{\"evidence_run_id\":\"x\",\"provenance\":{\"sig_hash\":\"deadbeef%056d\"}}\n", $1 }' >>"$file"
	run -2 --separate-stderr lh-trace --root r "deadbeef$(printf '%056d' 99999)"
	[[ $stderr == *'over 10000 rows may have "deadbeef'*'not all were compared' ]]
	run -1 lh-trace --root r "deadbee1$(printf '%056d' 99999)"
}

# ---- the index ----

# stale CHANGE... - after the change, answers with the index are those of the oracle.
stale() {
	lh-trace --root r "$(sed -n 1p operands)" >out || [ $? = 1 ]
	before=$(index)
	"$@"
	agree operands
	cp answers first
	ask operands
	cmp answers first
	lh-trace --root r --json --limit 1000 --no-index "$(sed -n 1p operands)" | cmp - <(sed -n 1p answers) || [ "${PIPESTATUS[0]}" = 1 ]
}

append() {
	lh-gen kb -n 1200 --root r
	lh-distill run -q --root r --run-id two --recorded-at 2026-05-04T00:00:00Z --now 2026-05-04T00:00:00Z >/dev/null
	some 10 >>operands
}
append_little() { head -n 3 r/exports/rag/playbooks.jsonl | sed 's/rag-/rag-x/' >>r/exports/rag/playbooks.jsonl; echo rag-x"$(jq -r .id r/exports/rag/*.jsonl | sed -n 1s/rag-//p)" >>operands; }
torn() { printf '{"id":"torn-1","source_run_id":"F-1"}' >>r/exports/rag/playbooks.jsonl; echo torn-1 >>operands; }
in_place() { perl -pi -e 's/"run_id":"F-1/"run_id":"G-1/' "$(echo r/data/evidence/*/*/*/audits.jsonl)"; jq -r .run_id r/data/evidence/*/*/*/audits.jsonl >>operands; }
same_size() {
	file=$(echo r/data/evidence/*/*/*/audits.jsonl)
	touch -r "$file" time
	python3 - "$file" <<-'E'
	import sys
	with open(sys.argv[1], "r+b") as f:
	    at = f.read().index(b'"run_id":"F-') + 10
	    f.seek(at)
	    f.write(b"G")
	E
	touch -r time "$file"
	jq -r .run_id "$file" >>operands
}
edit_and_append() { in_place; append_little; perl -e 'print "\n\n"' >>"$(echo r/data/evidence/*/*/*/audits.jsonl)"; }
truncated() { truncate -s -3000 "$(echo r/data/scored-runs/*/*/*/mode_experiments.jsonl)"; }
replaced() { tac r/exports/sft/instruction_response.jsonl >x && mv x r/exports/sft/instruction_response.jsonl; }
removed() { rm r/exports/quarantine/rag.jsonl r/data/evidence/*/*/*/outcomes.jsonl; }
renamed() { (cd r/data/evidence && mkdir -p 2027/01/01 && mv 2026/*/*/scrum_reviews.jsonl 2027/01/01); }
added() { mkdir -p r/data/evidence/2028/01/01 && sed 's/"run_id":"/&new-/' r/data/evidence/*/*/*/audits.jsonl >r/data/evidence/2028/01/01/audits.jsonl; jq -rn 'limit(9; inputs).run_id' r/data/evidence/2028/*/*/*.jsonl >>operands; }

# bats test_tags=plain-only
@test "files that change in any way between runs are noticed" {
	root "$(scale 300 1000)"
	cp -r r whole
	for change in append append_little torn in_place same_size edit_and_append truncated replaced removed renamed added; do
		rm -rf r
		cp -r whole r
		some "$(scale 4 8)" >operands
		echo "--- $change"
		stale $change
	done
}

@test "a root that did not change is not read again, and its index stays" {
	plain_only "LeakSanitizer does not work under strace"
	root 1000
	lh-trace --root r --reindex one >out
	touch -d '1 hour ago' r/data/_kb/*.jsonl
	sleep 2.1	# so that no file counts as changed just now
	lh-trace --root r --reindex one >out
	before=$(index)
	strace -f -qq -e trace=openat,read,pread64 -o calls lh-trace --root r F-11 >out
	[ "$(index)" = "$before" ]
	grep -q 'audits.jsonl' calls
	not grep -q 'mode_experiments.jsonl' calls
	[ "$(awk -F'= ' '/^[0-9]+ +p?read/ { n += $NF } END { print n }' calls)" -lt 2000000 ]
}

@test "what is added is read, and not what was there" {
	root 1000
	lh-trace --root r --reindex one >out
	sleep 2.1
	lh-trace --root r --reindex one >out
	size=$(stat -c %s r/.lh-trace/index)
	sed 's/"id":"rag-/"id":"raw-/' r/exports/rag/playbooks.jsonl >more
	cat more >>r/exports/rag/playbooks.jsonl
	lh-trace --root r "$(jq -r .id more | tail -n 1)" >out
	grep -q 'exports/rag/playbooks.jsonl' out
	[ "$(stat -c %s r/.lh-trace/index)" -gt "$size" ]
	lh-trace --root r --json nowhere >out || [ $? = 1 ]
	[ "$(jq '.searched[] | select(.place == "exports/rag") | .rows' out)" = "$(wc -l <r/exports/rag/playbooks.jsonl)" ]
}

@test "a damaged index is noticed, reported and made anew" {
	root 1000
	some 5 >operands
	lh-trace --root r --reindex one >out
	cp r/.lh-trace/index good
	size=$(stat -c %s good)
	agree operands
	cp answers want-answers
	noticed=0
	for at in 0 9 4096 $((size / 3)) $((size / 2)) $((size - 5000)) $((size - 100)) $((size - 64)) $((size - 20)) $((size - 1)); do
		cp good r/.lh-trace/index
		printf '\xa5' | dd of=r/.lh-trace/index bs=1 seek="$at" conv=notrunc status=none
		lh-trace --root r --json --limit 1000 $(cat operands) >answers 2>err || [ $? = 1 ]
		cmp answers want-answers
		[ -s err ] && noticed=$((noticed + 1))
		grep -v '^lh-trace: .*the index is damaged' err && return 1
	done
	[ "$noticed" -ge 3 ]
	for cut in 0 1 63 64 $((size / 2)) $((size - 8)); do
		head -c "$cut" good >r/.lh-trace/index
		lh-trace --root r --json --limit 1000 $(cat operands) >answers 2>err || [ $? = 1 ]
		cmp answers want-answers
	done
	echo nonsense >r/.lh-trace/index
	lh-trace --root r one >out 2>err
	cmp -n 8 r/.lh-trace/index good || true
	lh-trace --root r one 2>err2 >out
	[ ! -s err2 ]
}

@test "an index of the version before is made anew, without a word" {
	root 300
	some 5 >operands
	ask operands
	cp answers want
	[ "$(tail -c 16 r/.lh-trace/index | head -c 8)" = lhindex4 ]
	for version in lhindex2 lhindex3; do
		printf $version | dd of=r/.lh-trace/index bs=1 seek=$(($(stat -c %s r/.lh-trace/index) - 16)) conv=notrunc status=none
		ask operands 2>err
		cmp answers want
		[ ! -s err ]
		[ "$(tail -c 16 r/.lh-trace/index | head -c 8)" = lhindex4 ]
	done
}

@test "an index that another user could have written is not used" {
	root 1000
	lh-trace --root r --reindex one >out
	python3 - <<-'E'
	import os
	os.chmod("r/.lh-trace/index", 0o666)
	E
	before=$(index)
	lh-trace --root r one >out
	[ "$(index)" != "$before" ]
	[ "$(stat -c %a r/.lh-trace/index)" = 600 ]
}

@test "an index is not written through a link, nor into a folder that others can write" {
	root 50
	mkdir other
	echo precious >other/index
	ln -s ../other r/.lh-trace
	lh-trace --root r --reindex one >out 2>err
	[ "$(cat err)" = "lh-trace: r/.lh-trace: is not a folder that only its owner can write" ]
	[ "$(ls other)" = index ]
	[ "$(cat other/index)" = precious ]
	[ -n "$(find cache -name '*.index')" ]
	rm r/.lh-trace
	mkdir -m 777 r/.lh-trace
	lh-trace --root r --reindex one 2>err | cmp - out
	[ -s err ]
	[ -z "$(ls -A r/.lh-trace)" ]
}

@test "what the user may not read is reported, and the rest is found" {
	root 50
	mkdir -p r/data/_catalog/subjects
	touch r/data/_catalog/subjects/one.audit.jsonl
	chmod -R a+rX .
	chmod 0 r/data/_catalog/subjects
	run -2 --separate-stderr as_nobody "$LH_BIN/lh-trace" --root r --no-index --json one
	chmod 755 r/data/_catalog/subjects
	[[ $stderr == *subjects*'Permission denied'* ]]
	jq -e '.as == "run" and (.steps | length) == 5' <<<"$output" >/dev/null
}

@test "the index holds hashes and the names of files, and no text of a row" {
	root 1000
	lh-trace --root r --reindex one >out
	strings -n 6 r/.lh-trace/index | grep -v '^data/\|^exports/' >texts || true
	jq -r '.. | strings' r/data/_kb/*.jsonl r/exports/*/*.jsonl | tr -s '[:space:]' '\n' | awk 'length > 5' | sort -u >words
	[ "$(wc -l <words)" -gt 1000 ]
	run grep -Fwf words texts
	[ -z "$output" ]
	[ "$(stat -c %a r/.lh-trace)" = 700 ]
}

@test "a root that cannot be written has its index in the cache, or none" {
	root 1000
	some 5 >operands
	mount_read_only() { unshare -rm bash -c "mount --bind r r && mount -o remount,ro,bind r && $1"; }
	unshare -rm true 2>/dev/null || skip "no user namespaces"
	mount_read_only 'lh-trace --root r one >out 2>err'
	[ ! -s err ] && [ ! -e r/.lh-trace ]
	[ "$(find cache -name '*.index' | wc -l)" = 1 ]
	mount_read_only 'HOME= XDG_CACHE_HOME= lh-trace --root r one 2>err' | cmp - out
	[ ! -s err ] && [ ! -e r/.lh-trace ]
}

@test "a full disk is a warning, and everything is found" {
	root 1000
	lh-trace --root r one >want
	rm -r r/.lh-trace
	unshare -rm true 2>/dev/null || skip "no user namespaces"
	mkdir -p small r/.lh-trace cache
	unshare -rm bash -c 'mount -t tmpfs -o size=8k none r/.lh-trace && mount -t tmpfs -o size=8k none cache && lh-trace --root r one >out 2>err'
	cmp want out
	grep -q 'No space left on device' err
}

@test "two runs at once, and one that is killed, leave a good index" {
	root 1000
	lh-trace --root r one >want
	for i in {1..10}; do
		lh-trace --root r --reindex one >out.$i & pids[i]=$!
	done
	for i in {1..10}; do wait "${pids[i]}"; cmp want out.$i; done
	killed=0
	for i in 0{1..9} {1..20}; do
		timeout -s KILL 0.0$i lh-trace --root r --reindex one >/dev/null || killed=$((killed + ($? == 137)))
	done
	[ "$killed" -gt 0 ]
	lh-trace --root r one | cmp - want
	for i in {1..50}; do	# a killed process may remain for a moment
		lh-trace --root r --reindex one | cmp - want
		[ "$(ls -A r/.lh-trace)" = index ] && break
		sleep 0.1
	done
	[ "$(ls -A r/.lh-trace)" = index ]
}

# ---- rows from outside ----

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
	run -2 --separate-stderr timeout 60 lh-trace --root r "$id"
	[[ $output == *"evidence"*"rag "* ]]
	[[ $stderr == *instruction_response.jsonl*replay_runs.jsonl* ]]
}

# bats test_tags=plain-only
@test "an operand with a hundred thousand rows takes the first of them" {
	root 20
	jq -cn input r/data/evidence/*/*/*/audits.jsonl >one.jsonl
	mkdir -p r/data/evidence/2027/01/01
	python3 - <<-'E'
	import hashlib
	row = open("one.jsonl").read()
	sig = row.split('"sig_hash":"')[1][:64]
	with open("r/data/evidence/2027/01/01/audits.jsonl", "w") as f:
	    for i in range(100000):
	        f.write(row.replace(sig, hashlib.sha256(b"%d" % i).hexdigest()))
	E
	lh-trace --root r --json "$(jq -r .run_id one.jsonl)" >answer
	[ "$(jq '.steps | length' answer)" = 20 ]
	jq -e '.more > 1000' answer >/dev/null
}

@test "memory is bounded: 160 MB of address space are enough for a root of 20,000 rows" {
	plain_only "AddressSanitizer reserves the address space"
	root 20000
	(ulimit -v 160000; lh-trace --root r --reindex --jobs 1 one >out)
	(ulimit -v 160000; lh-trace --root r --no-index --jobs 1 one | cmp - out)
}

@test "a root of 1,000,000 rows is indexed in 1 GB of address space, and found as without it" {
	[ "$LH_SCALE" = soak ] || skip "LH_SCALE=soak"
	lh-gen kb -n 1000000 --root r
	lh-distill run -q --root r --run-id one >/dev/null || [ $? = 1 ]
	(ulimit -v 1000000; lh-trace --root r --jobs 2 one >out)
	some 50 >operands
	xargs -d '\n' lh-trace --root r --json <operands >got || [ $? = 123 ]
	xargs -d '\n' lh-trace --root r --json --no-index <operands >want || [ $? = 123 ]
	cmp want got
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
	agree operands
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
	for args in '' '--json --html - x' '--no-index --reindex x' '--records x'; do
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
