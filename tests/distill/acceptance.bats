# lh-distill acceptance: that the built-in root passes, and that no invariant
# can be broken without its number being reported.
load ../helper

fixture=$ROOT/share/fixtures/distillation/acceptance
CHECK=$(dirname "$AID")/aid_acceptance
export LH_NOW=2026-05-03T12:00:00Z

# failing [OPTION...] - the numbers of the invariants that do not hold.
failing() {
	lh-distill acceptance -q "$@" >lines || [ $? = 1 ]
	[ "$(wc -l <lines)" = 22 ]
	jq -r 'select(.passed | not) | .n' lines | paste -sd' '
}

@test "22 of 22, one line each, and the roots are gone" {
	mkdir tmp
	TMPDIR=$PWD/tmp run -0 --separate-stderr lh-distill acceptance
	[ "$stderr" = "lh-distill: 22/22 invariants hold" ]
	[ "$(jq -r 'keys_unsorted | join(" ")' <<<"$output" | sort -u)" = "n name expected actual passed" ]
	[ "$(jq -r .n <<<"$output" | paste -sd' ')" = "$(seq -s' ' 22)" ]
	[ "$(jq -c .passed <<<"$output" | sort -u)" = true ]
	[ -z "$(ls -A tmp)" ]
}

@test "what is built in is the root in share" {
	lh-distill acceptance -q >built-in
	lh-distill acceptance -q --fixture "$fixture" | cmp - built-in
	[ "$(cat "$fixture"/data/_kb/*.jsonl | wc -l)" = 15 ]
}

# change FILTER FILE - jq whose if needs no else.
change() {
	local filter=$1
	[[ $filter == *else* ]] || filter=${filter/% end/ else . end}
	jq -c "$filter" "$2"
}

# changed STREAM FILTER NUMBERS - a row changed by jq makes just these fail.
changed() {
	rm -rf r
	cp -r "$fixture" r
	change "$2" "$fixture/data/_kb/$1.jsonl" >"r/data/_kb/$1.jsonl"
	[ ! -e r/data/evidence ]
	[ "$(failing --fixture r)" = "$3" ] || { echo "$1 $2: $(failing --fixture r), not $3"; return 1; }
}

@test "a changed row fails the invariants that it concerns, and no others" {
	changed scrum_reviews . ""
	changed scrum_reviews 'if .reviewed_at then . else .reviewed_at = "2026-04-30T09:09:09Z" end' "1 2 3 6 7 14 17"
	changed scrum_reviews 'if .reviewed_at then . else .reviewed_at = "noon" end' "3"
	changed scrum_reviews 'if .tree_split_fired then .accepted_on_attempt = 4 end' "7 9 11 14"
	changed scrum_reviews 'del(.tree_split_fired)' "11"
	changed scrum_reviews 'if .accepted_on_attempt == 3 then .accepted_on_attempt = 1 end' "7 9 14"
	changed scrum_reviews 'if .reviewed_at and (.accepted_on_attempt | not) then .accepted_on_attempt = 2 end' "9 10 15 17"
	changed audits 'if .severity == "high" then .severity = "info" end' "7 8 12 14 15 17"
	changed audits 'if .severity == "medium" then .severity = "critical" end' "8 9 15 17"
	changed audits 'if .severity == "info" then .phase = "5" end' "18"
	changed auto_apply 'if .action == "committed" then .action = "test_red_reverted" end' "7 8 15"
	changed auto_apply 'if .action != "committed" then .action = "dry_run" end' "8 10"
	changed contract_analyses '.observer_verdict = "cycle"' "7 8 9 14 15 17"
	changed contract_analyses 'if .observer_verdict == "accept" then del(.analysis) end' "14 17"
	changed distilled_facts empty "1 6 10 15"
	changed observer_reviews 'if .verdict == "reject" then .file = "crates/aibridge/src/other.rs" end' "18"
	changed observer_reviews '.notes = ["The same."]' "14 15 17 18"
	changed observer_reviews 'if .verdict == "reject" then .verdict = "accept" end' "7 8 14 15 17 18"
}

# three - the runs that acceptance makes, in the roots a and b, left to be looked at.
three() {
	for run in a:first b:other a:again; do
		[ -d ${run%:*} ] || cp -r "$fixture" ${run%:*}
		lh-distill run --root ${run%:*} --run-id ${run#*:} -q >/dev/null || [ $? = 1 ]
	done
	cp -r a a.whole
}

# tampered FILE FILTER NUMBERS - a file of the root changed by jq makes just these fail.
tampered() {
	rm -rf a
	cp -r a.whole a
	change "$2" "a.whole/$1" >"a/$1"
	run --separate-stderr "$CHECK" a b
	[ -z "$stderr" ]
	[ "$output" = "$3" ] || { echo "$1 $2: $output, not $3"; return 1; }
}

# bats test_tags=full
@test "whatever a stage might have written wrong fails its invariant, whatever the stage says of itself" {
	three
	day=2026/05/03
	tampered data/_kb/audits.jsonl . ""
	tampered data/evidence/$day/audits.jsonl '., .' "1 18"
	tampered data/_kb/distillation_skips.jsonl '., .' 2
	tampered data/_kb/distillation_skips.jsonl '.errors = ["file: missing"]' 3
	tampered data/evidence/$day/audits.jsonl 'del(.timestamp)' 4
	tampered data/evidence/$day/audits.jsonl '.provenance.line_offset += 1' 5
	tampered data/evidence/$day/audits.jsonl 'del(.provenance.line_offset)' "4 5"
	tampered data/evidence/$day/audits.jsonl '.provenance.sig_hash |= (.[1:] + "0")' 5
	tampered data/_kb/audits.jsonl 'if .phase == "4" then .resolution = "other" end' 5
	tampered data/evidence/$day/scrum_reviews.jsonl 'if .metadata then .text |= .[:200] end' 11
	tampered data/scored-runs/$day/audits.jsonl 'if .reasons == ["severity=high"] then .category = "partially_accepted" end' "8 9 12"
	tampered exports/sft/instruction_response.jsonl '.quality_score = "partially_accepted"' 13
	tampered exports/sft/instruction_response.jsonl '.quality_score = "rejected"' "13 20"
	tampered exports/sft/instruction_response.jsonl 'if .source_run_id == "finding-4-001" then .source_run_id = "finding-5-001" end' 13
	tampered exports/sft/instruction_response.jsonl 'del(.provenance)' 20
	tampered exports/sft/instruction_response.jsonl 'select(.source_run_id != "finding-4-001")' "14 20"
	tampered exports/quarantine/sft.jsonl 'select(.reason != "unsafe_sft_category")' "15 20"
	tampered exports/rag/playbooks.jsonl 'if .source_run_id == "finding-4-001" then .source_run_id = "finding-5-001" end' 16
	tampered exports/rag/playbooks.jsonl '.source_category = "rejected"' "16 20"
	tampered exports/rag/playbooks.jsonl 'select(.source_run_id != "finding-4-001")' "17 20"
	tampered exports/preference/chosen_rejected.jsonl 'empty' "18 20"
	tampered exports/preference/chosen_rejected.jsonl '.chosen_run_id = "finding-4-001"' 18
	tampered exports/preference/chosen_rejected.jsonl '.rejected = .chosen' "19 20"
	tampered exports/preference/chosen_rejected.jsonl '.rejected_run_id = .chosen_run_id' "19 20"
	tampered exports/quarantine/rag.jsonl '.reason = "because"' 20
	tampered exports/quarantine/rag.jsonl '., .' 20
	tampered reports/distillation/first/export-rag.json 'del(.stats)' 21
	tampered reports/distillation/again/collect.json '.inputs.hash = 0' 21
	tampered reports/distillation/again/summary.json '.run_hash |= (.[1:] + "0")' 22
	tampered reports/distillation/again/summary.json '.stages[3].output_hash |= (.[1:] + "0")' 22
}

@test "a fixture without sources, or none at all, is exit 2" {
	mkdir empty
	run -2 --separate-stderr lh-distill acceptance --fixture empty
	[ -z "$output" ]
	[[ $stderr == "lh-distill: empty: no source in data/_kb" ]]
	run -2 --separate-stderr lh-distill acceptance --fixture absent
	[[ $stderr == "lh-distill: absent: "* ]]
}
