# lh-score: evidence in, a category and its reasons out.
# bats file_tags=quick
load ../helper

# evidence STEM [MEMBERS] - an evidence record of that stream.
evidence() {
	printf '{"run_id":"r:1","task_id":"t:1","timestamp":"2026-04-21T08:15:00+02:00","schema_version":1,'
	printf '"provenance":{"source_file":"data/_kb/%s.jsonl","line_offset":0,' "$1"
	printf '"sig_hash":"3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",'
	printf '"recorded_at":"2026-05-03T12:00:00.000Z"}%s}\n' "${2:+,$2}"
}

# The rules: STREAM|MEMBERS|CATEGORY|REASONS.
rules() {
	cat <<-'END'
	scrum_reviews|"success_markers":["accepted_on_attempt_1"]|accepted|accepted_on_attempt=1
	scrum_reviews|"success_markers":["accepted_on_attempt_2"]|partially_accepted|accepted_on_attempt=2
	scrum_reviews|"success_markers":["accepted_on_attempt_3"]|partially_accepted|accepted_on_attempt=3
	scrum_reviews||needs_human_review|no_accept_marker
	scrum_reviews|"success_markers":[]|needs_human_review|no_accept_marker
	scrum_reviews|"failure_markers":["accepted_on_attempt_1"]|needs_human_review|no_accept_marker
	scrum_reviews|"success_markers":["accepted_on_attempt_","other","accepted_on_attempt_2","accepted_on_attempt_1"]|partially_accepted|accepted_on_attempt=2
	observer_reviews|"observer_verdict":"accept"|accepted|observer_verdict=accept
	observer_reviews|"observer_verdict":"reject"|rejected|observer_verdict=reject
	observer_reviews|"observer_verdict":"cycle"|partially_accepted|observer_verdict=cycle
	observer_reviews|"failure_markers":["x"]|needs_human_review|observer_verdict_missing
	audits|"success_markers":["audit_severity_info"]|accepted|severity=info
	audits|"success_markers":["audit_severity_low"]|accepted|severity=low
	audits|"failure_markers":["audit_severity_medium"]|partially_accepted|severity=medium
	audits|"failure_markers":["audit_severity_high"]|rejected|severity=high
	audits|"failure_markers":["x","audit_severity_critical"]|rejected|severity=critical
	audits|"success_markers":["approved"],"failure_markers":["audit_severity_high"]|rejected|severity=high
	audits||needs_human_review|no_severity
	audits|"success_markers":["audit_severity_","audit_severity_lowest","info"]|needs_human_review|no_severity
	contract_analyses|"observer_verdict":"accept","failure_markers":["late","wrong"]|rejected|failure_marker=late
	contract_analyses|"observer_verdict":"reject"|rejected|observer_verdict=reject
	contract_analyses|"observer_verdict":"accept","failure_markers":[]|accepted|observer_verdict=accept
	contract_analyses|"observer_verdict":"cycle"|partially_accepted|observer_verdict=cycle
	contract_analyses|"success_markers":["x"]|needs_human_review|observer_verdict_missing
	auto_apply|"success_markers":["committed"]|accepted|action=committed
	auto_apply|"success_markers":["committed"],"failure_markers":["x_reverted"]|accepted|action=committed
	auto_apply|"failure_markers":["build_red_reverted"]|rejected|action=build_red_reverted
	auto_apply|"failure_markers":["no_op","_reverted"]|rejected|action=_reverted
	auto_apply|"failure_markers":["reverted","committed_not","x_reverted_y"]|needs_human_review|no_terminal_action
	outcomes|"success_markers":["all_events_ok"],"metadata":{"gap_signals":2}|partially_accepted|gap_signals=2
	outcomes|"metadata":{"elapsed_secs":1,"gap_signals":2.50}|partially_accepted|gap_signals=2.50
	outcomes|"success_markers":["all_events_ok"]|accepted|all_events_ok=true
	outcomes|"metadata":{"gap_signals":0}|needs_human_review|events_incomplete
	mode_experiments|"latency_ms":200000|rejected|empty_text
	mode_experiments|"text":"x","latency_ms":120000.50|partially_accepted|latency_ms=120000.50
	mode_experiments|"text":"x","latency_ms":12e4|needs_human_review|no_verdict_marker
	mode_experiments|"text":"x","latency_ms":1.21E+5|partially_accepted|latency_ms=1.21E+5
	mode_experiments|"text":" \u0078","latency_ms":120000|needs_human_review|no_verdict_marker
	mode_experiments|"text":"\u00a0","observer_verdict":"accept"|needs_human_review|no_verdict_marker
	a \"b\" \u00e9|"success_markers":["committed"]|needs_human_review|extraction_class=a "b" é
	END
	local each
	for each in 4 9 10 11 1000 18446744073709551617; do
		echo 'scrum_reviews|"success_markers":["accepted_on_attempt_'$each'"]|partially_accepted|accepted_on_attempt='$each',high_cost=true'
	done
	for each in '' x 1x 1.5 -1 0 01 ' 1'; do
		echo 'scrum_reviews|"success_markers":["accepted_on_attempt_'"$each"'"]|needs_human_review|no_accept_marker'
	done
	for each in success failure; do	# markers of before, in either list
		echo 'audits|"'$each'_markers":["approved"]|accepted|audit_verdict=approved'
		echo 'audits|"'$each'_markers":["x","request_changes"]|partially_accepted|audit_verdict=request_changes'
		echo 'audits|"'$each'_markers":["blocked"]|rejected|audit_verdict=blocked'
	done
	for each in 0 0.0 -1 -0 null '"3"'; do
		echo 'outcomes|"success_markers":["all_events_ok"],"metadata":{"gap_signals":'"$each"'}|accepted|all_events_ok=true'
	done
	for each in '' ' ' ' \t\r\n' '\u0020\u000b'; do
		echo 'mode_experiments|"text":"'"$each"'"|rejected|empty_text'
	done
	for each in distilled_facts distilled_procedures distilled_config_hints audit_facts observer_escalations distilled_other Audits nobody_knows; do
		echo "$each|\"observer_verdict\":\"accept\",\"success_markers\":[\"committed\"]|needs_human_review|extraction_class=$each"
	done
}

@test "each stream has its rules, and what none decides is for a person" {
	rules >want
	while IFS='|' read -r stem members _; do
		evidence "$stem" "$members"
	done <want >in
	lh-score in | jq -r '.category + "|" + (.reasons | join(","))' >scored
	cut -d'|' -f1,2 want | paste -d'|' - scored | diff want -
}

@test "a scored run is compact, in the schema's order, and signed" {
	run -0 --separate-stderr lh-score < <(evidence scrum_reviews '"success_markers":["accepted_on_attempt_4"],"text":"x"')
	[ -z "$stderr" ]
	sig=$(printf %s '{"category":"partially_accepted","evidence_sig":"3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea","reasons":["accepted_on_attempt=4","high_cost=true"],"run_id":"r:1","scorer_version":"v1.0.0","task_id":"t:1"}' | sha256sum)
	[ "$output" = '{"schema_version":1,"evidence_run_id":"r:1","evidence_task_id":"t:1","category":"partially_accepted","reasons":["accepted_on_attempt=4","high_cost=true"],"scored_at":"2026-05-03T12:00:00.000Z","scorer_version":"v1.0.0","sub_scores":{"scored_sig":"'"${sig%% *}"'"},"provenance":{"source_file":"data/_kb/scrum_reviews.jsonl","line_offset":0,"sig_hash":"3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea","recorded_at":"2026-05-03T12:00:00.000Z"}}' ]
	lh-validate --schema scored_run <<<"$output"
}

@test "what is copied keeps its text, and the signature is over its code points" {
	evidence contract_analyses '"failure_markers":["\u0022\u00e9\n"]' | sed 's/"r:1"/"\\u0072:\\u00e9"/; s/"line_offset":0/"line_offset":7.0/' >in
	run -0 lh-score in
	[[ $output == '{"schema_version":1,"evidence_run_id":"\u0072:\u00e9",'*'"reasons":["failure_marker=\"é\n"],'*'"line_offset":7.0,'* ]]
	sig=$(printf %s '{"category":"rejected","evidence_sig":"3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea","reasons":["failure_marker=\"é\n"],"run_id":"r:é","scorer_version":"v1.0.0","task_id":"t:1"}' | sha256sum)
	[ "$(jq -r .sub_scores.scored_sig <<<"$output")" = "${sig%% *}" ]
}

@test "keys may be in any order and be written with escapes" {
	evidence audits '"success_markers":["\u0061pproved"]' >in
	want=$(lh-score in)
	[ "$(jq -c 'to_entries | reverse | from_entries | .provenance |= (to_entries | reverse | from_entries)' in | lh-score)" = "$want" ]
	sed 's/"success_markers"/"succes\\u0073_markers"/; s/data.*audits/\\u0064ata\/_kb\/\\u0061udits/' in >escaped
	[ "$(lh-score escaped | jq -c 'del(.provenance)')" = "$(jq -c 'del(.provenance)' <<<"$want")" ]
}

@test "scored_at is --recorded-at, else --now or LH_NOW, else when the evidence was recorded" {
	evidence audits >in
	[ "$(lh-score in | jq -r .scored_at)" = 2026-05-03T12:00:00.000Z ]
	[ "$(LH_NOW=2026-06-01T00:00:00Z lh-score in | jq -r .scored_at)" = 2026-06-01T00:00:00.000Z ]
	[ "$(LH_NOW=2026-06-01T00:00:00Z lh-score --now 2026-06-02T00:00:00Z in | jq -r .scored_at)" = 2026-06-02T00:00:00.000Z ]
	run -0 lh-score --now 2026-06-02T00:00:00Z --recorded-at 2026-06-03T01:30:00.5+02:00 in
	[ "$(jq -r '.scored_at + " " + .provenance.recorded_at' <<<"$output")" = '2026-06-02T23:30:00.500Z 2026-05-03T12:00:00.000Z' ]
	sed 's/2026-05-03T12:00:00.000Z/2026-05-03T14:00:00+02:00/' in >other
	[ "$(lh-score other | jq -r .scored_at)" = 2026-05-03T14:00:00+02:00 ]
}

@test "a record that is not evidence is rejected, with all that is wrong with it" {
	evidence audits >good
	{
		cat good
		jq -c 'del(.timestamp) | .observer_verdict = "maybe" | .provenance.sig_hash = "AB"' good
		jq -c '.schema_version = 2' good
		echo '[]'
		cat good
	} >in
	run -1 --separate-stderr lh-score --rejects bad in
	[ "${#lines[@]}" = 2 ]
	[ "$stderr" = 'lh-score: in:2: timestamp: missing; provenance.sig_hash: expected 64 lowercase hex digits, got "AB"; observer_verdict: expected accept, reject or cycle, got "maybe"
lh-score: in:3: schema_version: expected 1, got 2
lh-score: in:4: not a JSON object
lh-score: 3 of 5 records rejected' ]
	cmp <(sed -n 2,4p in) bad
	run -1 --separate-stderr lh-score --on-error emit in
	[ "${#lines[@]}" = 5 ]
	[ "$(jq -r .error.line <<<"${lines[1]}")" = 2 ]
}
