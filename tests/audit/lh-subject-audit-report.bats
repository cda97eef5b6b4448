# lh-subject-audit anchor, report, manifest and sweep.
load ../helper
load ../coproc
load ../audit

# ---- anchors ----

@test "an anchor lists every log and is signed over its bytes, as the oracle finds" {
	log W/1 3
	log W-2 1
	mkdir -p d
	: >d/empty.audit.jsonl
	run -1 --separate-stderr lh-subject-audit anchor --dir d --now 2026-05-03T12:00:00Z
	echo "$output" >anchor
	[ "${#lines[@]}" = 4 ]
	[ "${lines[0]}" = '{"candidate_id":"W-2","count":1,"tip":"'"$(verdict tip d/W-2.audit.jsonl)"'"}' ]
	[ "${lines[1]}" = '{"candidate_id":"W/1","count":3,"tip":"'"$(verdict tip "$(named W/1 .audit.jsonl)")"'"}' ]
	[ "${lines[2]}" = '{"candidate_id":"empty","count":0,"tip":"GENESIS"}' ]
	[[ ${lines[3]} == '{"schema":"subject_anchor.v1","ts":"2026-05-03T12:00:00.000Z","logs":3,"hmac":"'*'"}' ]]
	oracle check-anchor key <anchor
	head -n 3 anchor | oracle anchor key | cmp - anchor
}

@test "against an anchor: grown, new, cut, replaced and removed logs" {
	for id in same grown cut replaced removed; do log "$id" 5; done
	lh-subject-audit anchor --dir d >anchor
	run -0 --separate-stderr lh-subject-audit verify --dir d --against anchor
	[ "$(jq -r .state <<<"$output" | sort -u)" = anchored ]
	log grown 2
	log new 1
	head -n 4 d/cut.audit.jsonl >x
	mv x d/cut.audit.jsonl
	rm d/replaced.audit.jsonl d/removed.audit.jsonl
	log replaced 7
	run -1 --separate-stderr lh-subject-audit verify --dir d --against anchor
	[ "$(jq -r '[.file, .count, .verified, .error, .state] | map(tostring) | join(" ")' <<<"$output")" = "d/cut.audit.jsonl 4 false anchor: expected 5 rows tampered
d/grown.audit.jsonl 7 true null anchored
d/new.audit.jsonl 1 true null intact
d/removed.audit.jsonl 0 false anchor: expected 5 rows tampered
d/replaced.audit.jsonl 7 false anchor: expected 5 rows tampered
d/same.audit.jsonl 5 true null anchored" ]
}

@test "against an anchor: a log that another program named, one without rows, a line without a name" {
	log a/b 3
	mv "$(named a/b .audit.jsonl)" d/a_b.audit.jsonl
	: >d/empty.audit.jsonl
	: >"$(named c/d .audit.jsonl)"
	run -1 --separate-stderr lh-subject-audit anchor --dir d
	printf '%s\n' "$output" >anchor
	[ "$(head -n 1 anchor)" = '{"candidate_id":"a/b","count":3,"tip":"'"$(verdict tip d/a_b.audit.jsonl)"'","log":"a_b"}' ]
	head -n 3 anchor | sed 's/,"log":"a_b"//' | oracle anchor key >old
	for anchor in anchor old; do
		run -0 --separate-stderr lh-subject-audit verify --dir d --against "$anchor"
		[ "$(jq -r .state <<<"$output")" = $'anchored\nanchored\nanchored' ]
		run -0 --separate-stderr lh-subject-audit verify --against "$anchor" d/*.audit.jsonl
		[ "$(jq -r .state <<<"$output")" = $'anchored\nanchored\nanchored' ]
	done
	log a/b 1
	[ "$(verdict state --against old d/a_b.audit.jsonl)" = anchored ]
	rm d/*
	run -1 --separate-stderr lh-subject-audit verify --dir d --against anchor
	[ "$(jq -r .error <<<"$output")" = $'anchor: expected 3 rows\nanchor: expected a log\nanchor: expected a log' ]
	log a_b 5
	run -1 --separate-stderr lh-subject-audit verify --dir d --against old
	[ "$(jq -r 'select(.count == 0) | .file' <<<"$output" | first 1)" = "$(named a/b .audit.jsonl)" ]
	[ "$(jq -r 'select(.count == 5) | .state' <<<"$output")" = intact ]
	run -1 --separate-stderr lh-subject-audit verify --against anchor d/empty.audit.jsonl
	[ "$(jq -r .error <<<"$output")" = 'anchor: expected a log' ]
}

@test "anchor --against is one pass: a new anchor of the rows compared, or none" {
	for id in a b c; do log "$id" 5; done
	lh-subject-audit anchor --dir d >old
	log a 2
	log new 1
	run -0 --separate-stderr lh-subject-audit anchor --dir d --against old
	[ -z "$stderr" ]
	[ "$(jq -r '[.candidate_id, .count] | join(" ")' <<<"$output" | first 4)" = $'a 7\nb 5\nc 5\nnew 1' ]
	alike <(head -n 4 <<<"$output") <(lh-subject-audit anchor --dir d | first 4)
	head -n 4 d/b.audit.jsonl >x
	mv x d/b.audit.jsonl
	rm d/c.audit.jsonl
	sed -i '1s/success/denied/' d/new.audit.jsonl
	run -1 --separate-stderr lh-subject-audit anchor --dir d --against old
	[ -z "$output" ]
	diff <(echo "$stderr") - <<-'END'
	lh-subject-audit: d/b.audit.jsonl: cut or replaced: it has 4 rows, and should have the 5 of the anchor (anchor: expected 5 rows); 1 row is missing: put a copy of the log back; or, if you know why, accept it: lh-subject-audit anchor --against ANCHOR --accept REASON
	lh-subject-audit: d/c.audit.jsonl: removed: it is not there (anchor: expected 5 rows); 5 rows are missing: put a copy of the log back; or, if you know why, accept it: lh-subject-audit anchor --against ANCHOR --accept REASON
	lh-subject-audit: d/new.audit.jsonl: row 0: row_hmac mismatch
	END
	run -2 --separate-stderr lh-subject-audit anchor --dir d --against absent
	[ -z "$output" ]
}

# bats test_tags=hostile
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
	run -0 --separate-stderr lh-subject-audit verify --dir d --against <(cat anchor)
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
	cmp m "$(named W/1 .json)"
	[ "$(stat -c %a "$(named W/1 .json)")" = 600 ]
	lh-subject-audit manifest get --dir d W/1 | cmp - m
	manifest W-2 >m
	lh-subject-audit manifest put --dir d <m | cmp - m
	run ! grep -q biometric_collection d/W-2.json
	jq . "$(named W/1 .json)" >pretty
	cp pretty "$(named W/1 .json)"
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
	[ "$stderr" = 'lh-subject-audit: d/c.json: missing "schema" ("subject_manifest.v1")' ]
	run -2 lh-subject-audit manifest get --dir d nobody
}

@test "what is not in a manifest's lists of values is refused, as is what is missing" {
	while IFS='|' read -r change want; do
		run -1 --separate-stderr lh-subject-audit manifest put --dir d < <(manifest W-1 "$change")
		[ "${stderr_lines[0]}" = "lh-subject-audit: -:1: $want" ] || { echo "$change: $stderr"; return 1; }
	done <<-'END'
	.schema = "subject_manifest.v2"|"schema" must be "subject_manifest.v1", not "subject_manifest.v2"
	.status = "gone"|"status" must be "pending_consent", "active", "withdrawn", "retention_expired" or "erased", not "gone"
	.vertical = "mining"|"vertical" must be "unknown", "general", "healthcare", "finance" or "other", not "mining"
	del(.vertical)|missing "vertical" ("unknown", "general", "healthcare", "finance" or "other")
	.consent.general_pii.status = "yes"|consent.general_pii.status must be "pending_backfill_review", "pending_first_contact", "given", "withdrawn" or "expired", not "yes"
	.consent.biometric = {}|missing consent.biometric.status ("never_collected", "pending", "given", "withdrawn" or "expired")
	.consent.biometric.retention_until = "soon"|consent.biometric.retention_until must be a time like 2026-05-03T12:00:00Z
	.retention.general_pii_until = null|missing retention.general_pii_until (time like 2026-05-03T12:00:00Z)
	.datasets = [{}]|missing datasets[0].name (string)
	.safe_views = [1]|safe_views[0] must be a string
	.audit_log_chain_root = "ABC"|"audit_log_chain_root" must be "GENESIS" or 64 lowercase hex digits
	.candidate_id = ".x"|candidate_id ".x" begins with a dot
	END
	[ -z "$(ls d)" ]
	for root in '' GENESIS "$(printf '0%.0s' {1..64})"; do
		manifest W-1 ".audit_log_chain_root = \"$root\"" | lh-subject-audit manifest put --dir d
	done
}

@test "a manifest never takes another subject's place, and replaces its own under either name" {
	mkdir d
	manifest a/b >d/a_b.json
	manifest a/b '.status = "withdrawn"' | lh-subject-audit manifest put --dir d
	[ "$(ls d)" = a_b.json ]
	[ "$(lh-subject-audit manifest get --dir d a/b | jq -r .status)" = withdrawn ]
	run -2 --separate-stderr lh-subject-audit manifest get --dir d a_b
	[ -z "$output" ]
	[ "$stderr" = "lh-subject-audit: d/a_b.json: it belongs to another candidate_id" ]
	cp d/a_b.json before
	run -1 --separate-stderr lh-subject-audit manifest put --dir d < <(manifest a_b)
	[[ $stderr == *"d/a_b.json: it belongs to another candidate_id"* ]]
	cmp d/a_b.json before
	manifest 'a b' | lh-subject-audit manifest put --dir d
	cmp "$(named 'a b' .json)" <(manifest 'a b')
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

@test "manifest verify finds what the manifest of an erased subject still has" {
	log W-1 2
	jq -nc '{candidate_id: "W-1", accessor: {kind: "erasure", daemon: "lh-subject", purpose: "erased", trace_id: "er-5f0c1d3a9b7e2468"},
		fields_accessed: [], result: "success"}' | lh-subject-audit append --dir d >/dev/null
	tip=$(verdict tip d/W-1.audit.jsonl)
	erased() {
		manifest W-1 ".audit_log_chain_root = \"$tip\" | .status = \"erased\" | .datasets = []
			| .consent.general_pii.status = \"withdrawn\" | .consent.biometric = {status: \"never_collected\"} | $1" |
			lh-subject-audit manifest put --dir d >/dev/null
		lh-subject-audit manifest verify --dir d | jq -r .error
	}
	run -0 erased .
	[ "$output" = null ]
	run -0 erased '.consent.biometric.status = "withdrawn"'
	[ "$output" = null ]
	run -1 erased '.consent.biometric.status = "given"'
	[ "$output" = "erased, but consent.biometric is not withdrawn" ]
	run -1 erased '.consent.general_pii.status = "given"'
	[ "$output" = "erased, but consent.general_pii is not withdrawn" ]
	run -1 erased '.datasets = [{name: "n", key_column: "k", key_value: "W-1"}]'
	[ "$output" = "erased, but there are datasets" ]
	run -0 erased '.retention.general_pii_until = "2020-01-01T00:00:00Z"'
	[ -z "$(lh-subject-audit sweep --dir d --as-of 2026-05-03T00:00:00Z)" ]
	lh-subject-audit report --dir d W-1 | jq -e '.manifest.status == "erased" and .audit_log.chain_verified and .audit_log.rows[-1].accessor.kind == "erasure"'
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

@test "report, prove and verify take the id of a log, or the log as it is listed" {
	log corpus:workers 2
	log w-1 1
	local shown of
	shown=$(lh-subject-audit verify --dir d | jq -r 'select(.count == 2).file')
	[[ $shown == d/corpus_workers~*.audit.jsonl ]]
	for of in corpus:workers "$shown" "${shown#d/}" "$(basename "$shown" .audit.jsonl)"; do
		lh-subject-audit report --dir d "$of" | jq -e '.candidate_id == "corpus:workers" and .audit_log.chain_rows_total == 2' >/dev/null
		[ "$(lh-subject-audit verify -q --dir d "$of" | jq -r .file)" = "$shown" ]
	done
	jq -nc --arg id "$(basename "$shown" .audit.jsonl)" '{op: "report", $id}' | lh-subject-audit requests --dir d | jq -e '.candidate_id == "corpus:workers"' >/dev/null
	[ "$(lh-subject-audit verify -q --dir d w-1 | jq -r .file)" = d/w-1.audit.jsonl ]
	for of in none none~2ef475ed7d03 e/w-1; do
		run -1 lh-subject-audit report --dir d "$of"
		run -2 lh-subject-audit verify --dir d "$of"
		[ "$output" = "lh-subject-audit: $of: no such log" ]
	done
}

@test "the window's ends are compared to the last of nine digits, whatever the zone" {
	for ts in 2026-05-03T09:00:00.461439209Z 2026-05-03T09:00:00.46143921Z 2026-05-03T11:00:00.461439211+02:00 2026-05-03T09:00:00.461439999Z; do
		record W-1 | jq -c ".ts = \"$ts\""
	done | lh-subject-audit append --dir d >/dev/null
	listed() {
		lh-subject-audit report --dir d "$@" W-1 | jq -r '[.audit_log.rows[].ts[20:29]] | join(" ")'
	}
	[ "$(listed --from 2026-05-03T09:00:00.461439210Z --to 2026-05-03T09:00:00.46143921Z)" = 46143921Z ]
	[ "$(listed --from 2026-05-03T10:00:00.461439211+01:00)" = "461439211 461439999" ]
	[ "$(listed --to 2026-05-03T09:00:00.461439209Z)" = 461439209 ]
	[ "$(listed --to 2026-05-03T09:00:00.461Z)" = "" ]
	[ "$(listed --from 2026-05-03T09:00:00.461439211Z --to 2026-05-03T09:00:00.461439998Z)" = 461439211 ]
	[ "$(listed --from 2026-05-03T09:00:00.462Z)" = "" ]
}

@test "a report on a broken log says so, shows the rows, and ends with 1" {
	log W-1 3
	sed -i '3s/success/denied/' d/W-1.audit.jsonl
	run -1 lh-subject-audit report --dir d W-1
	[ "$(jq -c '.audit_log | [.rows_in_window, .chain_verified, .chain_rows_total, .chain_error]' <<<"$output")" = '[3,false,3,"row 2: row_hmac mismatch"]' ]
	[[ $(jq -r .completeness_attestation <<<"$output") == *"damaged (row 2: row_hmac mismatch)"* ]]
}

@test "a report over a log that lacks the manifest's root says that rows are missing, and ends with 1" {
	log W-1 3
	for row in 1 3; do
		manifest W-1 ".audit_log_chain_root = \"$(sed -n ${row}p d/W-1.audit.jsonl | jq -r .row_hmac)\"" | lh-subject-audit manifest put --dir d >/dev/null
		run -0 lh-subject-audit report --dir d --from 2030-01-01T00:00:00Z W-1
		[ "$(jq -c '.audit_log | [.chain_verified, .chain_error]' <<<"$output")" = '[true,null]' ]
	done
	head -n 2 d/W-1.audit.jsonl >cut
	log W-2 2
	sed 's/W-2/W-1/' d/W-2.audit.jsonl | jq -c 'del(.prev_chain_hash, .row_hmac)' | oracle write key >replaced
	: >empty
	for what in cut replaced empty removed; do
		rm -f d/W-1.audit.jsonl
		[ $what = removed ] || cp $what d/W-1.audit.jsonl
		run -1 --separate-stderr lh-subject-audit report --dir d W-1
		[ "$(jq -c '.audit_log | [.chain_verified, .chain_error]' <<<"$output")" = '[false,"audit_log_chain_root mismatch"]' ]
		[[ $(jq -r .completeness_attestation <<<"$output") == "Rows are missing from the audit log: "* ]]
	done
	for root in '' GENESIS; do
		manifest W-1 ".audit_log_chain_root = \"$root\"" | lh-subject-audit manifest put --dir d >/dev/null
		run -0 lh-subject-audit report --dir d W-1
	done
}

@test "a report says when there is a second log of the subject under another name" {
	log a/b 2
	cp "$(named a/b .audit.jsonl)" d/a_b.audit.jsonl
	run -1 lh-subject-audit report --dir d a/b
	[[ $(jq -r .completeness_attestation <<<"$output") == *"a second log of this subject, $(named a/b .audit.jsonl), "* ]]
	[ "$(jq -c '.audit_log | [.rows_in_window, .chain_verified, .chain_error]' <<<"$output")" = '[2,false,"a second log"]' ]
	: >"$(named a/b .audit.jsonl)"
	run -0 lh-subject-audit report --dir d a/b
}

@test "one row is one row, in the attestation and on the page" {
	log W-1 1
	lh-subject-audit report --dir d --html page.html W-1 >report
	jq -e '.completeness_attestation | test("chain of 1 row verifies.*; the one row in the window is listed")' report
	grep -q 'Its one entry carries a valid seal' page.html
	grep -q '<p>1 of 1 entry.</p>' page.html
	run ! grep -qE '\b1 entries|All 1' page.html
	log W-1 1
	sed -i '2s/success/denied/' d/W-1.audit.jsonl
	lh-subject-audit report --dir d --html page.html W-1 && return 1
	grep -q 'Its first entry is genuine and unaltered' page.html
}

@test "a page of which no entry is genuine says so without contradiction, and a look at the record itself has no names of its format" {
	local fields='"schema","candidate_id","audit_log","prev_chain_hash","row_hmac"'
	echo '{"candidate_id":"W-1","accessor":{"kind":"k","daemon":"d","purpose":"record"},"fields_accessed":['"$fields"'],"result":"success"}' |
		lh-subject-audit append --dir d >/dev/null
	log W-2 1
	lh-subject-audit report --dir d --html page.html W-1 >report
	grep -q 'data-label="Which data">this record: who looked, at what and when<' page.html
	grep -q 'The last genuine entry has the seal' page.html
	cp d/W-1.audit.jsonl whole
	sed -i 's/"success"/"denied"/' d/W-1.audit.jsonl
	run -1 lh-subject-audit report --dir d --html page.html W-1
	grep -q 'Its very first entry has been changed or damaged, so none can be relied on (row 0: row_hmac mismatch)' page.html
	run ! grep -q 'GENESIS\|None of its entries\|has the seal' page.html
	head -c -9 whole >d/W-1.audit.jsonl
	run -1 lh-subject-audit report --dir d --html page.html W-1
	grep -q 'Its only entry was never finished being written' page.html
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
	lh-subject-audit sweep --dir d --now 2026-05-03T00:00:00Z | jq -es length | has -x 2
}

@test "sweep compares to the last of nine digits" {
	{
		manifest a '.retention.general_pii_until = "2026-05-03T00:00:00.000000001Z"'
		manifest b '.retention.general_pii_until = "2026-05-03T00:00:00.000000003Z"'
		manifest c '.consent.biometric = {status: "given", retention_until: "2026-05-03T02:00:00.000000001+02:00"}'
	} | lh-subject-audit manifest put --dir d >/dev/null
	run -0 lh-subject-audit sweep --dir d --as-of 2026-05-03T00:00:00.000000002Z
	[ "$(jq -r .candidate_id <<<"$output")" = $'a\nc' ]
	run -0 lh-subject-audit sweep --dir d --as-of 2026-05-03T00:00:00.000000001Z
	[ -z "$output" ]
}

# ---- the page ----

# shown FILE - the text that a browser shows of a page, as its reader sees it.
shown() {
	local browser
	browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no chromium"
	cat >frame.html <<-END
	<!DOCTYPE html><meta charset="utf-8"><iframe id="f" src="$1" style="width:1000px;height:3000px"></iframe><pre id="o"></pre>
	<script>onload = () => { o.textContent = f.contentDocument.title + "\n" + f.contentDocument.body.innerText }</script>
	END
	TMPDIR=$PWD patiently "$browser" --headless --no-sandbox --disable-gpu --allow-file-access-from-files --user-data-dir="$PWD/profile" \
		--dump-dom "file://$PWD/frame.html" 2>/dev/null | sed -n '/<pre/,/<\/pre>/p' |
		sed 's/.*<pre id="o">//; s/<\/pre>.*//; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
}

# page ID - its report as page.html, as of a fixed time.
page() {
	lh-subject-audit report --dir d --now 2026-05-04T00:00:00Z --html page.html "$1" >report.json || [ "$?" = 1 ]
}

@test "the page holds nothing that loads, links or runs, whatever the rows hold" {
	record W-1 | jq -c '.accessor = {kind: "<script>alert(1)</script>", daemon: "\u0001<img src=x onerror=alert(1)>",
		purpose: "\"&</td></table>\u202e"} | .fields_accessed = ["<b>"]' | lh-subject-audit append --dir d
	manifest W-1 '.retention.policy = "<iframe src=//x>" | .datasets[0].name = "<a href=x>"' | lh-subject-audit manifest put --dir d
	page W-1
	run ! grep -qiE '<(script|img|iframe|a|link|b)[ >]|<[^>]*(src|href|onerror)=' page.html
	grep -q "Content-Security-Policy\" content=\"default-src 'none'" page.html
	[ "$(stat -c %a page.html)" = 600 ]
	shown page.html >text
	grep -qF '\x01<img src=x onerror=alert(1)> (<script>alert(1)</script>)' text
	grep -qF '"&</td></table>' text
	grep -qF '<iframe src=//x>' text
}

# bats test_tags=plain-only
@test "a browser shows who looked, when and what for, and that the record is genuine" {
	for n in 1 2 3; do record W-1 "$n" | jq -c ".ts = \"2026-05-0${n}T01:02:03.5+01:00\""; done | lh-subject-audit append --dir d
	record W-1 | jq -c '.ts = "2026-05-04T00:00:00Z" | .result = "denied" | .fields_accessed = ["ssn", "name"] | .accessor.purpose = "café"' |
		lh-subject-audit append --dir d
	manifest W-1 | lh-subject-audit manifest put --dir d
	page W-1
	shown page.html >text
	[ "$(head -n 2 text)" = $'Who looked at your data\nWho looked at your data' ]
	grep -qF 'About W-1, as of 2026-05-04 00:00:00 UTC' text
	grep -qF 'is genuine; whether it is all is not known. All 4 entries carry a valid seal' text
	[ "$(grep -cP '^2026-05-0[123] 00:02:03 UTC\tgateway \(gateway_lookup\)\ttool_lookup\tname\tdata were read$' text)" = 3 ]
	grep -qP '^2026-05-04 00:00:00 UTC\tgateway \(gateway_lookup\)\tcafé\tssn, name\taccess was denied$' text
	grep -qx given text
	grep -qx workers text
	grep -qF "$(verdict tip d/W-1.audit.jsonl)" text
}

# ---- every night ----

# night [--first-night] [DIR] - the script, its anchors in a folder of their own.
night() {
	LH_ANCHORS=$PWD/anchors "$ROOT/share/examples/lh-subject-audit-nightly" "$@"
}

@test "the nightly script is silent when all is well, and says what is wrong" {
	mkdir anchors
	log W-1 5
	run -0 night --first-night d
	[ -z "$output" ]
	[ "$(ls -A anchors | wc -l)" = 1 ]
	lh-subject-audit verify --dir d --against anchors/* | jq -e '.state == "anchored"'
	log W-1 2
	log W-2 1
	run -0 night d
	[ -z "$output" ]
	[ "$(ls -A anchors | wc -l)" = 2 ]
	[ "$(jq -r .count "$(ls -d anchors/* | tail -n 1)" | first 2)" = $'7\n1' ]
	head -n 6 d/W-1.audit.jsonl >x
	mv x d/W-1.audit.jsonl
	run -1 night d
	[ "${lines[0]}" = "lh-subject-audit anchor --dir d --against $(ls -d "$PWD"/anchors/* | tail -n 1) ended with 1:" ]
	[ "${lines[1]}" = "lh-subject-audit: d/W-1.audit.jsonl: cut or replaced: it has 6 rows, and should have the 7 of the anchor (anchor: expected 7 rows); 1 row is missing: put a copy of the log back; or, if you know why, accept it: lh-subject-audit anchor --against ANCHOR --accept REASON" ]
	[ "$(ls -A anchors | wc -l)" = 2 ]
	run -1 night d
	run -2 night absent
	[[ $output == *" ended with 2:"*"absent: No such file or directory"* ]]
	[ "$(ls -A anchors | wc -l)" = 2 ]
}

@test "after a repair a row that an anchor had is accepted with who and why, signed, and the nights are silent again" {
	mkdir anchors
	log W-1 4
	log W-2 2
	night --first-night d
	truncate -s -5 d/W-1.audit.jsonl
	run -1 night d
	[ "${lines[1]}" = "lh-subject-audit: d/W-1.audit.jsonl: cut or replaced: it has 3 rows, and should have the 4 of the anchor (anchor: expected 4 rows); 1 row is missing: put a copy of the log back; or, if you know why, repair its last line, which is torn, and accept it: lh-subject-audit anchor --against ANCHOR --accept REASON" ]
	# a torn line is repaired first
	run -1 night --accept "disk full on May 2" d
	lh-subject-audit repair d/W-1.audit.jsonl >/dev/null
	run -1 night d
	run -1 night d
	rm d/W-2.audit.jsonl
	SUDO_USER=kim run -0 night --accept "disk full on May 2" d
	[ "$output" = "lh-subject-audit: d/W-1.audit.jsonl: accepted with 3 rows, where the anchor has 4
lh-subject-audit: d/W-2.audit.jsonl: accepted with 0 rows, where the anchor has 2" ]
	newest=$(ls -d anchors/* | tail -n 1)
	jq -se --arg user "$(id -un)" '.[-1].accepted | .reason == "disk full on May 2" and .user == $user and .sudo_user == "kim" and
		[.logs[] | .log, .was.count, .now.count] == ["W-1", 4, 3, "W-2", 2, 0]' "$newest"
	run -0 night d
	[ -z "$output" ]
	sed 's/May 2/May 3/' "$newest" >changed
	run -2 lh-subject-audit verify --dir d --against changed
	# a broken chain is never accepted, and neither is what no anchor had
	cp -r d good
	sed -i '2s/success/denied/' d/W-1.audit.jsonl
	run -1 night --accept "it is right" d
	[[ $output == *'row 1: row_hmac mismatch'* ]]
	[ "$(ls anchors | wc -l)" = 3 ]
}

@test "accepting needs an anchor and a reason, and says if there was nothing to accept" {
	log W-1 2
	lh-subject-audit anchor --dir d >old
	run -0 --separate-stderr lh-subject-audit anchor --dir d --against old --accept why
	[ "$stderr" = "lh-subject-audit: --accept: all is as anchored; there is nothing to accept" ]
	run ! grep -q accepted <<<"$output"
	run -2 lh-subject-audit anchor --dir d --accept why
	run -2 lh-subject-audit anchor --dir d --against old --accept ''
	run -2 lh-subject-audit anchor --dir d --against old --accept "$(printf '%1001s' x)"
	run -2 "$ROOT/share/examples/lh-subject-audit-nightly" --accept why d
	[[ $output == *'LH_ANCHORS is not set' ]]
}

@test "the nightly script uses a folder of its own below TMPDIR, for its owner alone, and removes it" {
	mkdir anchors tmp bin
	log W-1 5
	printf '#!/bin/sh\nstat -c %%a %s/tmp/* >>%s/modes\nls -A %s/tmp | wc -l >>%s/modes\nexec %s "$@"\n' "$PWD" "$PWD" "$PWD" "$PWD" \
		"$(command -v lh-subject-audit)" >bin/lh-subject-audit
	chmod +x bin/lh-subject-audit
	umask 0
	TMPDIR=$PWD/tmp PATH=$PWD/bin:$PATH run -0 night --first-night d
	[ "$(cat modes)" = $'700\n1' ]
	[ -z "$(ls -A tmp)" ]
	[ "$(stat -c %a anchors/*)" = 600 ]
}

@test "the units that commit and cosign run with the settings that are installed, and commit each row once" {
	local conf unit
	conf=$(sed "s,/var/lib/lakehouse\|/etc/lakehouse-tools,$PWD,; /^LH_/d" "$ROOT/share/etc/nightly.conf")
	unit=$(sed -n 's,^ExecStart=[^ ]*/,,p' "$ROOT/share/systemd/lh-subject-audit-commit.service")
	eval "$(grep '^[A-Z_]*=' <<<"$conf")"
	mkdir -p "${SUBJECT_LOGS%/*}"
	log W-1 5
	mv d "$SUBJECT_LOGS"
	lh-tlog keygen example.com/subjects --out "$SUBJECT_TLOG_KEY" 2>/dev/null
	lh-tlog init "$SUBJECT_TLOG" --origin example.com/subjects --key-file "$SUBJECT_TLOG_KEY"
	eval "$unit"
	eval "$unit"
	[ "$(sed -n 2p "$SUBJECT_TLOG/checkpoint")" = 5 ]
	printf 'log %s\nquorum none\n' "$(lh-tlog vkey "$SUBJECT_TLOG_KEY")" >"$SUBJECT_POLICY"
	eval "$(sed -n 's,^ExecStart=[^ ]*/,,p' "$ROOT/share/systemd/lh-tlog-cosign.service")"
	cmp "$SUBJECT_TLOG/checkpoint" "$SUBJECT_TLOG/checkpoints/5"
}

# ---- requests ----

# requests OPTION... - lh-subject-audit requests over d, as a co-process.
requests() {
	serve lh-subject-audit requests --dir d --now 2026-05-03T12:00:00Z --on-error emit "$@"
}

# code - of the error in the answer; its message may not name a file.
code() {
	jq -r '.error | if .message | test("/|key|audit.jsonl") then "a file" else .code end' <<<"$answer"
}

@test "requests answers with the report that the command prints, and adds no row" {
	log W-1 3
	log a/b 2
	manifest a/b | lh-subject-audit manifest put --dir d
	before=$(cat d/* | sha256sum)
	requests
	ask '{"op":"report","id":"a/b"}'
	diff <(lh-subject-audit report --dir d --now 2026-05-03T12:00:00Z a/b) <(echo "$answer")
	ask '{"op":"report","id":"W-1","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00+01:00","trace_id":"t"}'
	diff <(lh-subject-audit report --dir d --now 2026-05-03T12:00:00Z --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00+01:00 W-1) <(echo "$answer")
	[ "$(jq -c .window <<<"$answer")" = '{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00+01:00"}' ]
	log W-1 1
	ask '{"op":"report","id":"W-1"}'
	[ "$(jq .audit_log.rows_in_window <<<"$answer")" = 4 ]
	log W-2 1
	ask '{"op":"report","id":"W-2","from":null}'
	[ "$(jq .audit_log.rows_in_window <<<"$answer")" = 1 ]
	finish 0
	rm d/W-2*
	sed -i 4d d/W-1.audit.jsonl
	[ "$(cat d/* | sha256sum)" = "$before" ]
}

@test "requests: health is the verdict over the folder, 503 while a chain is broken or a log is unreadable" {
	requests
	ask '{"op":"health"}'
	[ "$answer" = '{"mode":"verify","logs":0,"count":0,"verified":true,"broken":0,"error":"","status":200}' ]
	log W-1 3
	log W-2 2
	ask '{"op":"health"}'
	[ "$answer" = '{"mode":"verify","logs":2,"count":5,"verified":true,"broken":0,"error":"","status":200}' ]
	cp d/W-2.audit.jsonl whole
	sed -i 's/success/not_found/' d/W-2.audit.jsonl
	ask '{"op":"health"}'
	[ "$answer" = '{"mode":"verify","logs":2,"count":3,"verified":false,"broken":1,"error":"W-2: row 0: row_hmac mismatch","status":503}' ]
	ask '{"op":"report","id":"W-2"}'
	[ "$(jq -r .audit_log.chain_error <<<"$answer")" = 'row 0: row_hmac mismatch' ]
	cp whole d/W-2.audit.jsonl
	mkdir d/W-3.audit.jsonl
	ask '{"op":"health"}'
	[ "$(jq -c '[.logs, .broken, .verified, .status]' <<<"$answer")" = '[3,1,false,503]' ]
	rmdir d/W-3.audit.jsonl
	echo '{' >d/W-4.json
	ask '{"op":"health"}'
	[ "$(jq -c '[.logs, .broken, .status, .error]' <<<"$answer")" = '[2,1,503,"some logs cannot be read"]' ]
	rm d/W-4.json
	manifest W-5 '.audit_log_chain_root = "'"$(printf '%064d' 7)"'"' | lh-subject-audit manifest put --dir d
	ask '{"op":"health"}'
	[ "$(jq -c '[.logs, .broken, .status, .error]' <<<"$answer")" = '[3,1,503,"W-5: audit_log_chain_root mismatch"]' ]
	rm d/W-5.json
	ask '{"op":"health"}'
	[ "$(jq .status <<<"$answer")" = 200 ]
	mv d gone
	ask '{"op":"health"}'
	[ "$(jq -c '[.verified, .status]' <<<"$answer")" = '[false,503]' ]
	mv gone d
	ask '{"op":"health"}'
	[ "$(jq -c '[.count, .status]' <<<"$answer")" = '[5,200]' ]
	exec {SERVED[1]}>&-
	wait "$PID" || true
}

@test "requests: a bad one costs itself alone, and its message names no file" {
	log W-1 2
	log a/b 1
	mv "$(named a/b .audit.jsonl)" d/a_b.audit.jsonl
	manifest W-9 | lh-subject-audit manifest put --dir d
	echo '{}' >d/W-8.json
	requests --lock-timeout 0.1
	while read -r want request; do
		ask "$request"
		[ "$(code)" = "$want" ] || { echo "$request: $answer"; return 1; }
	done <<-'END'
	404 {"op":"report","id":"W-2"}
	404 {"op":"report","id":"a:b"}
	400 {"op":"report","id":"../d/W-1"}
	400 {"op":"report","id":".W"}
	400 {"op":"report","id":"W-1\u0000"}
	400 {"op":"append","id":"W-1"}
	400 {"id":"W-1"}
	400 {"op":"health"
	503 {"op":"report","id":"W-8"}
	END
	ask "$(jq -nc '{op: "report", id: ("W" * 201)}')"
	[ "$(code)" = 400 ]
	exec 8<d/W-1.audit.jsonl
	flock -x 8
	ask '{"op":"report","id":"W-1"}'
	[ "$(code)" = 503 ]
	ask '{"op":"report","id":"W-9"}'
	[ "$(jq -r .manifest.candidate_id <<<"$answer")" = W-9 ]
	exec 8<&-
	ask '{"op":"report","id":"W-1"}'
	[ "$(jq .audit_log.rows_in_window <<<"$answer")" = 2 ]
	finish 1
	grep -q 'd/W-8.json' err
}

@test "requests judges by the key that is there by then: 503 without one, and none starts without" {
	log W-1 2
	cp -p key old
	requests
	ask '{"op":"health"}'
	[ "$(jq .status <<<"$answer")" = 200 ]
	(umask 077 && head -c 32 /dev/urandom >other)
	mv other key
	ask '{"op":"report","id":"W-1"}'
	[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"no row verifies with this key: is it the right one?"]' ]
	ask '{"op":"health"}'
	[ "$(jq -c '[.status, .error]' <<<"$answer")" = '[503,"no row verifies with this key: is it the right one?"]' ]
	head -c 32 /dev/urandom >open
	chmod 644 open
	mv open key
	ask '{"op":"report","id":"W-1"}'
	[ "$(jq -c '[.error.code, .error.message]' <<<"$answer")" = '[503,"not possible at present: a file is missing or damaged"]' ]
	rm key
	ask '{"op":"health"}'
	[ "$(jq .error.code <<<"$answer")" = 503 ]
	mv old key
	ask '{"op":"report","id":"W-1"}'
	[ "$(jq .audit_log.chain_verified <<<"$answer")" = true ]
	finish 1
	unset LH_SUBJECT_AUDIT_KEY
	refused 'no key: name its file by --key-file or LH_SUBJECT_AUDIT_KEY' requests --dir d
	refused 'absent: cannot open: No such file or directory' requests --dir d --key-file absent
}

@test "progress of what goes over all logs is the share of the logs" {
	log W-1 2
	log W-2 1
	for command in verify anchor; do
		lh-subject-audit $command --dir d >quiet
		run -0 --separate-stderr lh-subject-audit $command --dir d --progress always
		[ "$(whole_progress)" = "lh-subject-audit: 100 %$([ $command = anchor ] || printf '\nlh-subject-audit: 2 logs, 3 rows: all intact, but not compared with an anchor')" ]
		[ "${#lines[@]}" = "$(wc -l <quiet)" ]
	done
}

@test "without an anchor a page is amber and says what is not known, also of a log whose last row was cut; with one it is green" {
	log W-1 3
	lh-subject-audit anchor --dir d >anchor
	cp d/W-1.audit.jsonl whole
	not_known='It was not compared with an anchor: whether entries are missing at its end is not known.'
	for rows in 3 2; do
		head -n $rows whole >d/W-1.audit.jsonl
		run -0 lh-subject-audit report W-1 --dir d --html page.html
		[[ $(jq -r .completeness_attestation <<<"$output") == *'It was not compared with an anchor: whether rows are missing at its end is not known.' ]]
		[[ $(jq -r .completeness_attestation <<<"$output") == 'As far as is known without an anchor, '* ]]
		grep -qF 'class="verdict warn"' page.html
		grep -qF '<strong>What is in this record is genuine; whether it is all is not known.</strong>' page.html
		grep -qF "$not_known" page.html
	done
	cp whole d/W-1.audit.jsonl
	run -0 lh-subject-audit report W-1 --dir d --html page.html --against anchor
	[[ $output != *'not compared'* ]]
	grep -qF 'class="verdict good"' page.html
	grep -qF '<strong>This record is genuine.</strong>' page.html
	run ! grep -qF "$not_known" page.html
}

@test "a report of a torn log says so on standard error, with what to do, and is exit 1; an anchor of a cut one says both numbers" {
	log W-1 3
	lh-subject-audit anchor --dir d >anchor
	cp d/W-1.audit.jsonl whole
	head -c -9 whole >d/W-1.audit.jsonl
	run -1 --separate-stderr lh-subject-audit report W-1 --dir d
	[ "$stderr" = 'lh-subject-audit: d/W-1.audit.jsonl: torn: its last line is incomplete (row 2: torn); lh-subject-audit repair removes it and keeps the 2 rows before' ]
	head -n 1 whole >d/W-1.audit.jsonl
	run -1 --separate-stderr lh-subject-audit anchor --dir d --against anchor
	[ "$stderr" = 'lh-subject-audit: d/W-1.audit.jsonl: cut or replaced: it has 1 row, and should have the 3 of the anchor (anchor: expected 3 rows); 2 rows are missing: put a copy of the log back; or, if you know why, accept it: lh-subject-audit anchor --against ANCHOR --accept REASON' ]
}
