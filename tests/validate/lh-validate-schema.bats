# lh-validate --schema: records against tables of fields.
# bats file_tags=quick
load ../helper

samples=$ROOT/share/fixtures/schemas

# check SCHEMA FILE - "field: message" of each violation, and the status.
check() {
	run --separate-stderr lh-validate --schema "$1" "$2"
	[ -z "$stderr" ] || { echo "$stderr"; return 1; }
	found=$(jq -r '.verdict.report.findings[] | .field + ": " + .message' <<<"$output")
}

schema_of() {
	local name=${1##*/}
	echo "${name%%-*}"
}

@test "list prints the schemas, one a line" {
	run -0 --separate-stderr lh-validate --schema list
	[ -z "$stderr" ]
	[ "$output" = "evidence_record
scored_run
receipt
playbook
scratchpad_summary
model_ledger
rag_sample
sft_sample
preference_sample
stage_receipt
run_summary
drift_report" ]
}

@test "every valid sample has verdict 200, and each schema has one" {
	schemas=$(lh-validate --schema list)
	[ -n "$schemas" ]
	for schema in $schemas; do
		run -0 --separate-stderr lh-validate --schema "$schema" "$samples"/valid/"$schema"-*.json
		[ -z "$stderr" ]
		[ "$(jq -c '.verdict | [.status, .report.findings]' <<<"$output" | sort -u)" = '[200,[]]' ]
		[ "${#lines[@]}" = "$(find "$samples/valid" -name "$schema-*.json" | wc -l)" ]
	done
}

@test "every invalid sample has verdict 422 with exactly the findings of its file" {
	schemas=$(lh-validate --schema list)
	[ -n "$schemas" ]
	for schema in $schemas; do
		run -1 --separate-stderr lh-validate --schema "$schema" "$samples"/invalid/"$schema"-*.json
		[ -z "$stderr" ]
		[ "$(jq -c '.verdict | [.status, (.report.findings | map(.severity) | unique)]' <<<"$output" | sort -u)" = '[422,["error"]]' ]
		diff <(jq -r '.verdict.report.findings | map(.field + ": " + .message) | join("|")' <<<"$output") \
			<(for file in "$samples"/invalid/"$schema"-*.json; do paste -sd'|' "${file%.json}.expected"; done)
	done
	[ "$(find "$samples" -name '*.json' | wc -l)" -ge 51 ]
}

@test "taking away any required field of any schema is found, and only that" {
	for file in "$samples"/valid/*-least.json; do
		schema=$(schema_of "$file")
		run -1 --separate-stderr lh-validate --schema "$schema" < <(jq -c 'keys[] as $k | del(.[$k])' "$file")
		[ -z "$stderr" ]
		diff <(jq -r '.verdict.report.findings | map(.field + ": " + .message) | join("; ")' <<<"$output") \
			<(jq -r 'keys[] + ": missing"' "$file") || { echo "$schema"; return 1; }
	done
}

@test "a value of another type is found in any field of any schema" {
	for file in "$samples"/valid/*-full.json; do
		schema=$(schema_of "$file")
		run -1 --separate-stderr lh-validate --schema "$schema" < <(
			jq -c 'keys[] as $k | .[$k] |= ({array: {}, object: true}[type] // [1])' "$file")
		[ -z "$stderr" ]
		diff <(jq -r '.verdict.report.findings | map(.field + ": " + .message[:8]) | join("; ")' <<<"$output") \
			<(jq -r 'keys[] + ": expected"' "$file") || { echo "$schema"; return 1; }
	done
}

@test "the verdict comes last, in place of an old one, and all else stays as it came" {
	run -1 lh-validate --schema model_ledger --now 2026-05-03T12:00:00Z <<<'{ "verdict":1,"success_rate" : 1.50, "x":1e400}'
	[[ $output == '{"success_rate" : 1.50, "x":1e400,"verdict":{"status":422,"report":{"findings":[{"field":"schema_version","severity":"error","message":"missing"},'*'"message":"must be 0 to 1"}'*'],"elapsed_ms":0}}}' ]]
	run -0 lh-validate --schema sft_sample --now 2026-05-03T12:00:00Z --wire "$samples/valid/sft_sample-full.json"
	[ "$output" = '{"findings":[],"elapsed_ms":0,"status":200}' ]
}

@test "escapes are understood, in keys and in what is checked" {
	sed 's/"quality_score": "accepted"/"quality_\\u0073core": "\\u0072ejected"/; s/"response": "[^"]*"/"response": "\\u0020\\n"/; s/T12:00/\\u005412:00/g' \
		"$samples/valid/sft_sample-full.json" >in
	check sft_sample in
	[ "$found" = "response: must not be blank
quality_score: contamination: rejected must never enter sft" ]
}

@test "a number is what it means however it is written; a long value is named by its type" {
	local name from to want long
	long=$(printf 'x%.0s' {1..200})
	while IFS='|' read -r name from to want; do
		sed -E "s/\"$from/\"$to/; s/LONG/$long/" "$samples/valid/$name-least.json" >in
		check "$name" in
		[ "$found" = "$want" ] || { echo "$from $to: $found"; return 1; }
	done <<-'END'
		model_ledger|success_rate": 0, "sample_count": 1,|success_rate": 1.0, "sample_count": 3.0,|
		model_ledger|success_rate": 0, "sample_count": 1,|success_rate": -0, "sample_count": 1e0,|
		model_ledger|success_rate": 0,|success_rate": 1.0000001,|success_rate: must be 0 to 1
		model_ledger|success_rate": 0,|success_rate": 1e400,|success_rate: must be 0 to 1
		model_ledger|sample_count": 1,|sample_count": 0.5,|sample_count: expected integer, got 0.5
		model_ledger|sample_count": 1,|sample_count": 1e400,|sample_count: expected integer, got 1e400
		model_ledger|sample_count": 1,|sample_count": 9007199254740993,|
		model_ledger|last_updated": "2026[^"]*|last_updated": "12:00|last_updated: expected RFC 3339 time, got "12:00"
		scored_run|source_file": "[^"]*|source_file": "|provenance.source_file: must not be empty
		scored_run|line_offset": 0|line_offset": null|provenance.line_offset: expected integer, got null
		scored_run|line_offset": 0|line_offset": "LONG"|provenance.line_offset: expected integer, got string
		scored_run|sig_hash": "3f|sig_hash": "33f|provenance.sig_hash: expected 64 lowercase hex digits, got "33f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"
	END
}

@test "more than 1000 violations are counted in one finding" {
	jq -c '.tags = [range(5000)]' "$samples/valid/rag_sample-full.json" >in
	check rag_sample in
	[ "$status" = 1 ]
	[ "$(wc -l <<<"$found")" = 1001 ]
	[ "$(tail -n 1 <<<"$found")" = 'record: 4000 more violations' ]
}

@test "an unknown schema is exit 2 and the known ones are named, before anything is read" {
	run -2 --separate-stderr lh-validate --schema nonsense /nonexistent
	[ -z "$output" ]
	[ "$stderr" = 'lh-validate: --schema: "nonsense" is not evidence_record, scored_run, receipt, playbook, scratchpad_summary, model_ledger, rag_sample, sft_sample, preference_sample, stage_receipt, run_summary, drift_report, list, or a file' ]
	run -2 lh-validate --schema evidence-recrod /nonexistent
	[[ $output == 'lh-validate: --schema: "evidence-recrod" (did you mean evidence_record?) is not '* ]]
	run -2 lh-validate --schema list x
	run -2 lh-validate --schema receipt --normalize-errors
	[[ $output == *exclude* ]]
	run -2 lh-validate --schema receipt --kind fill
	[[ $output == *--kind* ]]
}
