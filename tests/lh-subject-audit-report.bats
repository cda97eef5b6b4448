load helper
load audit

# lh-subject-audit anchor, report, manifest and sweep.

# ---- anchors ----

@test "an anchor lists every log and is signed over its bytes, as the oracle finds" {
	log W/1 3
	log W-2 1
	mkdir -p d
	: >d/empty.audit.jsonl
	run -0 --separate-stderr lh-subject-audit anchor --dir d --now 2026-05-03T12:00:00Z
	echo "$output" >anchor
	[ "${#lines[@]}" = 4 ]
	[ "${lines[0]}" = '{"candidate_id":"W-2","count":1,"tip":"'"$(verdict tip d/W-2.audit.jsonl)"'"}' ]
	[ "${lines[1]}" = '{"candidate_id":"W/1","count":3,"tip":"'"$(verdict tip d/W_1.audit.jsonl)"'"}' ]
	[ "${lines[2]}" = '{"candidate_id":"empty","count":0,"tip":"GENESIS"}' ]
	[[ ${lines[3]} == '{"schema":"subject_anchor.v1","ts":"2026-05-03T12:00:00.000Z","logs":3,"hmac":"'*'"}' ]]
	oracle check-anchor key <anchor
	head -n 3 anchor | oracle anchor key | cmp - anchor
}

@test "against an anchor: grown, new, cut, replaced and removed logs" {
	for id in same grown cut replaced removed; do log "$id" 5; done
	lh-subject-audit anchor --dir d >anchor
	run -0 lh-subject-audit verify --dir d --against anchor
	[ "$(jq -r .state <<<"$output" | sort -u)" = anchored ]
	log grown 2
	log new 1
	head -n 4 d/cut.audit.jsonl >x
	mv x d/cut.audit.jsonl
	rm d/replaced.audit.jsonl d/removed.audit.jsonl
	log replaced 7
	run -1 lh-subject-audit verify --dir d --against anchor
	[ "$(jq -r '[.file, .count, .verified, .error, .state] | map(tostring) | join(" ")' <<<"$output")" = "d/cut.audit.jsonl 4 false anchor: expected 5 rows tampered
d/grown.audit.jsonl 7 true null anchored
d/new.audit.jsonl 1 true null intact
d/removed.audit.jsonl 0 false anchor: expected 5 rows tampered
d/replaced.audit.jsonl 7 false anchor: expected 5 rows tampered
d/same.audit.jsonl 5 true null anchored" ]
}

@test "a forged or damaged anchor is exit 2, whatever the logs are like" {
	log W-1 3
	lh-subject-audit anchor --dir d >anchor
	bad() {
		run -2 --separate-stderr lh-subject-audit verify --dir d --against bad
		[ -z "$output" ]
		[[ $stderr == "lh-subject-audit: bad: "* ]] || { echo "$stderr"; return 1; }
	}
	sed 's/"count":3/"count":2/' anchor >bad; bad
	sed 's/"logs":1/"logs":2/' anchor >bad; bad
	sed 1d anchor >bad; bad
	sed 2d anchor >bad; bad
	head -c -1 anchor >bad; bad
	: >bad; bad
	(cat anchor; echo) >bad; bad
	sed '2s/}$/,"x":1}/' anchor >bad; bad
	sed '2s/"hmac":"./"hmac":"g/' anchor >bad; bad
	(umask 077; head -c 32 /dev/urandom >other)
	run -2 --separate-stderr lh-subject-audit verify --dir d --against anchor --key-file other
	[[ $stderr == *"anchor: forged, or made with another key"* ]]
	run -0 lh-subject-audit verify --dir d --against <(cat anchor)
}

@test "a broken log is anchored as far as it is whole, and reported" {
	log W-1 5
	sed -i '3s/success/denied/' d/W-1.audit.jsonl
	run -1 --separate-stderr lh-subject-audit anchor --dir d
	[ "$(jq -r .count <<<"${lines[0]}")" = 2 ]
	[ "$stderr" = "lh-subject-audit: d/W-1.audit.jsonl: row 2: row_hmac mismatch; the 2 rows before it are anchored" ]
}

# ---- manifests ----

@test "a manifest comes back as it went in, and is stored whole" {
	manifest W/1 '.biometric_collection = {"a": 1.0} | .note = "kept"' | sed 's/:1\.0}/:1.00}/' >m
	lh-subject-audit manifest put --dir d m | cmp - m
	cmp m d/W_1.json
	[ "$(stat -c %a d/W_1.json)" = 600 ]
	lh-subject-audit manifest get --dir d W/1 | cmp - m
	manifest W-2 >m
	lh-subject-audit manifest put --dir d <m | cmp - m
	run ! grep -q biometric_collection d/W-2.json
	jq . d/W_1.json >pretty
	cp pretty d/W_1.json
	[ "$(lh-subject-audit manifest get --dir d W/1 | jq -S .)" = "$(jq -S . pretty)" ]
	[ "$(lh-subject-audit manifest get --dir d W/1 | wc -l)" = 1 ]
	no_litter d
}

@test "list has a line for each manifest" {
	for id in b a; do manifest "$id"; done | lh-subject-audit manifest put --dir d
	run -0 lh-subject-audit manifest list --dir d
	[ "${lines[0]}" = '{"candidate_id":"a","status":"active","vertical":"general","general_pii_until":"2030-01-01T00:00:00Z","file":"d/a.json"}' ]
	[ "${#lines[@]}" = 2 ]
	echo '{}' >d/c.json
	run -1 --separate-stderr lh-subject-audit manifest list --dir d
	[ "${#lines[@]}" = 2 ]
	[ "$stderr" = 'lh-subject-audit: d/c.json: missing member "schema"' ]
	run -2 lh-subject-audit manifest get --dir d nobody
}

@test "what is not in a manifest's lists of values is refused, as is what is missing" {
	while IFS='|' read -r change want; do
		run -1 --separate-stderr lh-subject-audit manifest put --dir d < <(manifest W-1 "$change")
		[ "${stderr_lines[0]}" = "lh-subject-audit: -:1: $want" ] || { echo "$change: $stderr"; return 1; }
	done <<-'END'
	.schema = "subject_manifest.v2"|"schema" is "subject_manifest.v2", not one of subject_manifest.v1
	.status = "gone"|"status" is "gone", not one of pending_consent|active|withdrawn|retention_expired|erased
	.vertical = "mining"|"vertical" is "mining", not one of unknown|general|healthcare|finance|other
	del(.vertical)|missing member "vertical"
	.consent.general_pii.status = "yes"|"consent.general_pii.status" is "yes", not one of pending_backfill_review|pending_first_contact|given|withdrawn|expired
	.consent.biometric = {}|missing member "consent.biometric.status"
	.consent.biometric.retention_until = "soon"|"consent.biometric.retention_until" is not a time like 2026-05-03T12:00:00Z
	.retention.general_pii_until = null|"retention.general_pii_until" is not a string
	.datasets = [{}]|"datasets" holds one without a string "name"
	.safe_views = [1]|"safe_views" holds something that is not a string
	.audit_log_chain_root = "ABC"|"audit_log_chain_root" is neither GENESIS nor 64 lowercase hex digits
	.candidate_id = ".x"|candidate_id ".x" begins with a dot
	END
	[ -z "$(ls d)" ]
	for root in '' GENESIS "$(printf '0%.0s' {1..64})"; do
		manifest W-1 ".audit_log_chain_root = \"$root\"" | lh-subject-audit manifest put --dir d
	done
}

@test "a manifest never takes another subject's place" {
	manifest a/b | lh-subject-audit manifest put --dir d
	cp d/a_b.json before
	run -1 --separate-stderr lh-subject-audit manifest put --dir d < <(manifest a_b)
	[[ $stderr == *"d/a_b.json: it belongs to another candidate_id"* ]]
	cmp d/a_b.json before
}

@test "manifest verify compares the root with the log's tip" {
	log W-1 3
	tip=$(verdict tip d/W-1.audit.jsonl)
	manifest W-1 ".audit_log_chain_root = \"$tip\"" | lh-subject-audit manifest put --dir d
	run -0 lh-subject-audit manifest verify --dir d
	[ "$output" = '{"candidate_id":"W-1","file":"d/W-1.json","audit_log_chain_root":"'"$tip"'","tip":"'"$tip"'","count":3,"verified":true,"error":null}' ]
	cp d/W-1.audit.jsonl whole
	head -n 2 whole >d/W-1.audit.jsonl
	run -1 lh-subject-audit manifest verify --dir d W-1
	[ "$(jq -r '.error' <<<"$output")" = "audit_log_chain_root mismatch" ]
	rm d/W-1.audit.jsonl
	run -1 lh-subject-audit manifest verify --dir d
	[ "$(jq -r '.tip + " " + .error' <<<"$output")" = "GENESIS audit_log_chain_root mismatch" ]
	sed 2s/success/denied/ whole >d/W-1.audit.jsonl
	run -1 lh-subject-audit manifest verify --dir d
	[ "$(jq -r '.error' <<<"$output")" = "row 1: row_hmac mismatch" ]
}

# ---- report ----

@test "a report has the rows of the window, and the whole chain's verdict" {
	for n in 1 2 3; do record W-1 "$n" | jq -c ".ts = \"2026-05-0${n}T00:00:00Z\""; done | lh-subject-audit append --dir d >rows
	manifest W-1 | lh-subject-audit manifest put --dir d >m
	run -0 --separate-stderr lh-subject-audit report --dir d --now 2026-05-04T00:00:00Z W-1
	[ "$(jq -c keys_unsorted <<<"$output")" = '["schema","candidate_id","generated_at","window","manifest","audit_log","datasets_referenced","safe_views_available","completeness_attestation"]' ]
	[ "$(jq -c '[.schema, .candidate_id, .generated_at, .window]' <<<"$output")" = '["subject_audit_response.v1","W-1","2026-05-04T00:00:00.000Z",{"from":null,"to":null}]' ]
	[ "$(jq -c '.audit_log | keys_unsorted' <<<"$output")" = '["rows","rows_in_window","chain_verified","chain_rows_total","chain_root","chain_error"]' ]
	[ "$(jq -c '.audit_log.rows[]' <<<"$output")" = "$(cat rows)" ]
	[ "$(jq -c '.audit_log | del(.rows)' <<<"$output")" = '{"rows_in_window":3,"chain_verified":true,"chain_rows_total":3,"chain_root":"'"$(verdict tip d/W-1.audit.jsonl)"'","chain_error":null}' ]
	[ "$(jq -c '[.manifest, .datasets_referenced, .safe_views_available]' <<<"$output")" = "[$(cat m),[\"workers\"],[\"workers_safe\"]]" ]
	run -0 lh-subject-audit report --dir d --from 2026-05-02T00:00:00Z --to 2026-05-02T00:00:00Z W-1
	[ "$(jq -c '[.window, .audit_log.rows_in_window, .audit_log.chain_rows_total]' <<<"$output")" = '[{"from":"2026-05-02T00:00:00Z","to":"2026-05-02T00:00:00Z"},1,3]' ]
	[ "$(jq -r '.audit_log.rows[0].accessor.trace_id' <<<"$output")" = t-2 ]
}

@test "a report on a broken log says so, shows the rows, and ends with 1" {
	log W-1 3
	sed -i '3s/success/denied/' d/W-1.audit.jsonl
	run -1 lh-subject-audit report --dir d W-1
	[ "$(jq -c '.audit_log | [.rows_in_window, .chain_verified, .chain_rows_total, .chain_error]' <<<"$output")" = '[3,false,3,"row 2: row_hmac mismatch"]' ]
	[[ $(jq -r .completeness_attestation <<<"$output") == *"damaged (row 2: row_hmac mismatch)"* ]]
}

@test "a report with a log alone, a manifest alone, and with neither" {
	log W-1 1
	manifest W-2 | lh-subject-audit manifest put --dir d
	run -0 lh-subject-audit report --dir d W-1
	[ "$(jq -c '[.manifest, .datasets_referenced, .safe_views_available]' <<<"$output")" = '[null,[],[]]' ]
	run -0 lh-subject-audit report --dir d W-2
	[ "$(jq -c .audit_log <<<"$output")" = '{"rows":[],"rows_in_window":0,"chain_verified":true,"chain_rows_total":0,"chain_root":"GENESIS","chain_error":null}' ]
	run -1 --separate-stderr lh-subject-audit report --dir d W-3
	[ -z "$output" ]
	[ "$stderr" = "lh-subject-audit: W-3: no log and no manifest in d" ]
}

@test "a report never shows what is another subject's of the same file name" {
	log a/b 1
	manifest a/b | lh-subject-audit manifest put --dir d
	run -1 --separate-stderr lh-subject-audit report --dir d a_b
	[ -z "$output" ]
}

# ---- sweep ----

@test "sweep lists whose data are due, skips those gone, and changes nothing" {
	{
		manifest late
		manifest pii '.retention.general_pii_until = "2026-05-02T23:59:59.999Z"'
		manifest edge '.retention.general_pii_until = "2026-05-03T00:00:00Z"'
		manifest bio '.consent.biometric = {status: "given", retention_until: "2026-01-01T00:00:00+02:00"}'
		manifest gone '.status = "erased" | .retention.general_pii_until = "2020-01-01T00:00:00Z"'
		manifest past '.status = "retention_expired" | .retention.general_pii_until = "2020-01-01T00:00:00Z"'
	} | lh-subject-audit manifest put --dir d >/dev/null
	sum=$(cat d/* | sha256sum)
	run -0 lh-subject-audit sweep --dir d --as-of 2026-05-03T00:00:00Z
	[ "$(jq -c '[.candidate_id, .expired]' <<<"$output")" = '["bio",["biometric"]]
["pii",["general_pii"]]' ]
	[ "$sum" = "$(cat d/* | sha256sum)" ]
	lh-subject-audit sweep --dir d --as-of 2026-05-03T00:00:00+02:00 --apply >out
	cmp out d/_retention_sweep_2026-05-02.jsonl
	[ "$sum" = "$(cat d/*.json | sha256sum)" ]
	lh-subject-audit sweep --dir d --now 2026-05-03T00:00:00Z | jq -es length | grep -qx 2
}
