# The stages on a root whose every row says what must become of it: what is
# expected was written by hand, see share/fixtures/distillation.
# bats file_tags=quick
load ../helper

fixture=$ROOT/share/fixtures/distillation

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$fixture"/root root
	export LH_NOW=2026-05-03T12:00:00Z
}

# stages [JOBS] - all five in the root; what they print goes to the files out-*.
stages() {
	lh-materialize --root root -q -j "${1:-2}" >out-collect 2>err && status=0 || status=$?
	[ "$status" = 1 ]
	lh-score --root root -q >out-score
	for kind in rag sft preference; do
		lh-export $kind --root root -q >out-$kind
	done
}

same() {
	diff -r "root/$1" "$fixture/expected/$1"
}

@test "the root and what is expected follow from the cases" {
	python3 "$ROOT/tests/oracle/distill_cases.py" "$fixture/cases.txt" made
	diff -r made/root "$fixture/root"
	diff -r made/expected "$fixture/expected"
}

@test "the cases cover each stream, each reason of the scorer, each way to be refused by the gates" {
	[ "$(find "$fixture/root" -name '*.jsonl' | wc -l)" = 12 ]
	for reason in accepted_on_attempt=1 accepted_on_attempt=2 accepted_on_attempt=3 accepted_on_attempt=4 high_cost=true no_accept_marker \
		observer_verdict=accept observer_verdict=reject observer_verdict=cycle observer_verdict_missing severity=info severity=low \
		severity=medium severity=high severity=critical no_severity failure_marker=count_mismatch action=committed \
		action=build_red_reverted no_terminal_action gap_signals=2 all_events_ok=true events_incomplete empty_text latency_ms=120001 \
		no_verdict_marker extraction_class=distilled_facts extraction_class=audit_facts extraction_class=observer_escalations; do
		cat "$fixture"/expected/data/scored-runs/*/*/*/* | has "\"$reason\"" || { echo "$reason"; return 1; }
	done
	for reason in empty_content unsafe_sft_category unsafe_rag_category invalid_preference_pairing category_disallowed; do
		grep -q "$reason" "$fixture/expected/quarantine.tsv" || { echo "$reason"; return 1; }
	done
}

@test "rows that are skipped, with the input that was wrong" {
	stages
	alike <(jq -c 'del(.errors)' root/data/_kb/distillation_skips.jsonl) <(jq -c 'del(.errors)' "$fixture/expected/skips.jsonl")
	paste root/data/_kb/distillation_skips.jsonl "$fixture/expected/skips.jsonl" | jq -c -s '
		_nwise(2) | { got: .[0].errors | sort, want: .[1].errors | sort } |
		select((.got | length) != (.want | length) or ([.got, .want] | transpose | any(.[1] as $start | .[0] | startswith($start) | not)))' >wrong
	[ ! -s wrong ] || { cat wrong; return 1; }
}

@test "evidence, scored runs and samples are as expected, byte for byte" {
	stages
	same data/evidence
	same data/scored-runs
	same exports/rag
	same exports/sft
	same exports/preference
}

@test "quarantine, each row once with its reason" {
	stages
	for kind in rag sft preference; do
		jq -r '[.exporter, .reason] + (if .source_record.chosen then
			[([.source_record.chosen, .source_record.rejected] | map(.evidence_run_id) | join(" ")),
			 ([.source_record.chosen, .source_record.rejected] | map(.provenance.sig_hash) | join(" "))]
			else [.source_record.evidence_run_id, .source_record.provenance.sig_hash] end) | @tsv' root/exports/quarantine/$kind.jsonl
	done >got
	diff got "$fixture/expected/quarantine.tsv"
}

@test "stages count what they read, and what they refuse" {
	stages
	diff <(jq -r '[(.source_file_relpath | ltrimstr("data/_kb/") | rtrimstr(".jsonl")), .rows_read, .rows_written, .rows_skipped, .rows_deduped] | @tsv' out-collect) \
		"$fixture/expected/counts.tsv"
	for kind in rag sft preference; do
		diff <(jq -r '.quarantine_summary | to_entries[] | select(.value > 0) | "\(.key)\t\(.value)"' out-$kind | sort) \
			<(awk -F'\t' -v kind=$kind '$1 == kind { print $2 "\t" $3 }' "$fixture/expected/refused.tsv" | sort)
		jq -e '.records_read == (.records_exported // .pairs_exported) + .records_quarantined' out-$kind
	done
}

@test "a second run, and runs with one thread or many, leave the same files" {
	stages 1
	cp -r root first
	stages 3
	diff -r -x reports first root
	rm -r root
	cp -r "$fixture"/root root
	stages 3
	diff -r -x reports first root
}

@test "as filters the tools say the same, but for a text that a later line rejects" {
	for file in root/data/_kb/*.jsonl; do
		stem=$(basename "$file" .jsonl)
		lh-materialize --source "$stem" -q "$file" 2>/dev/null >evidence || [ $? = 1 ]
		# the filter does not look for repeats
		awk 'match($0, /"sig_hash":"[^"]*/) && !seen[substr($0, RSTART, RLENGTH)]++' evidence >once
		cmp once "$fixture/expected/data/evidence/2026/05/03/$stem.jsonl"
		lh-score once | cmp - "$fixture/expected/data/scored-runs/2026/05/03/$stem.jsonl"
	done
	cat "$fixture"/expected/data/evidence/*/*/*/*.jsonl >evidence
	lh-export rag evidence -q | sed '/src\/same.rs/d' | cmp - "$fixture/expected/exports/rag/playbooks.jsonl"
	lh-export sft evidence -q | sed '/src\/same.rs/d' | cmp - "$fixture/expected/exports/sft/instruction_response.jsonl"
	lh-export preference evidence -q | cmp - "$fixture/expected/exports/preference/chosen_rejected.jsonl"
}
