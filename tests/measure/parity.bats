# Six surfaces through our tools and through tests/oracle, and what of it must
# not go unseen: each of the deviations in deviations.py, planted in either side.
# Plain only: known answers, and programs in Python; parity-differ.bats and
# distill-oracle.bats, whose inputs are random, are run there.
# bats file_tags=oracle,plain-only,long
load ../helper

PROBES=$ROOT/tests/parity

all() {
	status=0
	patiently lh-parity all --probes "${DIR:-$PROBES}" "$@" >out 2>err || status=$?
}

# spoil SIDE BEFORE AFTER - a copy of the probes in p, where one side of each has a
# filter before and after it.
spoil() {
	mkdir -p p
	cp "$PROBES"/*.jsonl "$PROBES"/*.py p
	ln -sfn "$ROOT/tests/oracle" oracle
	jq -c --arg side "$1" --arg before "$2" --arg behind "$3" \
		'.[$side] |= ($before + "{ " + . + "; }" + $behind)' "$PROBES/probes.jsonl" >p/probes.jsonl
	DIR=p
}

@test "all 80 cases of the eleven probes match, none is skipped" {
	all --out o
	[ "$status" = 0 ] || { grep -v '"match":true' out; return 1; }
	[ "$(cat err)" = "lh-parity: 80/80" ]
	diff <(jq -r 'select(.total) | "\(.probe) \(.passed)/\(.total)"' out) - <<-'END'
	embed 8/8
	extract_json 12/12
	validator 6/6
	session_log 4/4
	materializer 2/2
	subject_audit 6/6
	sql 10/10
	search 8/8
	retrieve 6/6
	storage 9/9
	chat 9/9
	all 80/80
	END
	[ "$(tail -n 1 o/SUMMARY.md)" = '**Tally:** 80/80' ]
	[ "$(ls o | wc -l)" = 12 ]
	run ! grep -l Divergences o/*.md
}

# bats test_tags=full
@test "make parity ends with 80/80, and runs each probe alone" {
	run -0 make -s -C "$ROOT" parity
	[ "${lines[-1]}" = 80/80 ]
	run -0 make -s -C "$ROOT" parity PROBE=validator
	[ "${lines[-1]}" = 6/6 ]
	run env LH_PARITY_RIGHT_VALIDATOR=no-such-command make -s -C "$ROOT" parity PROBE=validator
	[ "$status" != 0 ]
	[[ ${lines[*]} == *'"skipped":true'*0/6* ]]
}

@test "the cases are those that were agreed, in their order" {
	names() { jq -r 'select(.name) | .name' "$PROBES/$1.jsonl" | tr '\n' ' '; }
	[ "$(names embed)" = "forklift welder osha dental cnc unicode x long " ]
	[ "$(names extract_json)" = "fenced_json fenced_plain bare_with_prose first_of_many nested unicode escaped_quotes empty_object top_level_array no_json balanced_invalid trailing_garbage " ]
	[ "$(names validator)" = "playbook_happy playbook_missing_fingerprint playbook_wrong_prefix playbook_empty_endorsed playbook_overfull fill_phantom " ]
	[ "$(names session_log)" = "accepted_grounded max_iter_exhausted infra_error unicode_in_prompt " ]
	[ "$(names materializer)" = "distilled_facts contract_analyses " ]
	[ "$(names subject_audit)" = "known_answer three_rows empty edited row_removed torn " ]
}

@test "the fixtures hold what they are named for" {
	for f in "$ROOT"/share/fixtures/extract-json/*.txt; do
		name=$(basename "$f" .txt)
		cmp "$f" <(jq -j --arg n "$name" 'select(.name == $n) | .text' "$PROBES/extract_json.jsonl")
	done
	for f in accepted_grounded max_iter_exhausted infra_error unicode_in_prompt; do
		alike <(jq -S . "$ROOT/share/fixtures/session/$f.json") <(jq -S --arg n $f 'select(.name == $n) | del(.name)' "$PROBES/session_log.jsonl")
	done
	alike <(jq -r .text "$ROOT/share/fixtures/embed/texts.jsonl") <(jq -r '.texts[]' "$PROBES/embed.jsonl")
	[ "$(jq -r 'select(.name == "long") | .texts[0]' "$PROBES/embed.jsonl" | wc -w)" = 200 ]
	jq -r 'select(.log and .name != "empty") | .log' "$PROBES/subject_audit.jsonl" | grep -c 4f658d9adea2454252e9340fe1192953d6272d3780d118b4c837fd1bbc650971
}

@test "without Python the probes are skipped, shown, and not counted" {
	mkdir bin
	for tool in sh sed; do ln -s "$(command -v $tool)" bin; done
	status=0
	patiently env PATH="$PWD/bin" "$LH_BIN/lh-parity" all --probes "$PROBES" --out o >out 2>err || status=$?
	[ "$status" = 1 ]
	[ "$(tail -n 1 out)" = '{"probe":"all","passed":0,"failed":0,"skipped":80,"total":80}' ]
	[ "$(tail -n 1 o/SUMMARY.md)" = '**Tally:** 0/80' ]
	grep -q 'python3' out
}

@test "the exit status of our tool is judged after each pipe" {
	mkdir bin
	cp "$LH_BIN/lh-parity" bin
	for tool in validate iterate; do
		printf '#!/bin/sh\n"%s/lh-%s" "$@"; exit 3\n' "$LH_BIN" $tool >bin/lh-$tool
		chmod +x bin/lh-$tool
	done
	for probe in validator session_log; do
		status=0
		patiently bin/lh-parity all --probes "$PROBES" --probe $probe --out o >out 2>err || status=$?
		[ "$status" = 1 ]
		[ "$(tail -n 1 out | jq .passed)" = 0 ]
	done
}

# bats test_tags=full
@test "each of the deviations, planted in either side, is seen and its case named" {
	filter="python3 '$ROOT/tests/deviations.py'"
	n=0
	for probe in embed extract_json validator session_log materializer subject_audit; do
		python3 "$ROOT/tests/deviations.py" list $probe >names
		count=
		[ $probe != extract_json ] || count=$PWD/count
		for side in left right; do
			rm -f count
			spoil $side "$([ -n "$count" ] || echo "$filter in $probe | ")" " | $filter out $probe $count"
			python3 "$ROOT/tests/deviations.py" cases $probe "$PROBES/$probe.jsonl" >p/$probe.jsonl
			all --probe $probe --out o
			[ "$status" = 1 ]
			diff names <(jq -r 'select(.match == false and .skipped == false) | .name' out) || { echo "$probe, $side"; cat out; return 1; }
			while read -r name; do
				grep -qxF "### $name" <(sed 's/\\//g' o/$probe.md) || { echo "$name is not in the report"; return 1; }
			done <names
		done
		n=$((n + $(wc -l <names)))
	done
	[ "$n" -ge 40 ]
}
