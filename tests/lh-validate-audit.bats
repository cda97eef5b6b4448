load helper
load audit

# lh-validate --audit-log: whom a validator looked up.

# fill ID... - a fill of these workers, as a request.
fill() {
	printf '%s\n' "$@" | jq -Rnc '{kind: "fill", artifact: {fills: [inputs | {candidate_id: ., name: "Ada"}]}}'
}

roster() {
	for id in "$@"; do echo '{"candidate_id":"'"$id"'","name":"Ada"}'; done >roster.jsonl
}

@test "every look-up leaves a row in that worker's log, with the result" {
	roster W-1 W-2
	run -1 --separate-stderr env LH_TRACE_ID=t-7 lh-validate --roster roster.jsonl --audit-log d --key-file key --now 2026-05-03T12:00:00Z \
		< <(fill W-1 W-2; fill nobody; echo '{"kind":"email","artifact":{"to":"a","body":"Hi Ada"},"context":{"candidate_id":"w-1"}}')
	[ -z "$stderr" ]
	lh-subject-audit verify --dir d | jq -r '[.file, .count, .state] | map(tostring) | join(" ")' >got
	diff got - <<-'END'
	d/W-1.audit.jsonl 1 intact
	d/W-2.audit.jsonl 1 intact
	d/nobody.audit.jsonl 1 intact
	d/w-1.audit.jsonl 1 intact
	END
	jq -c 'del(.prev_chain_hash, .row_hmac)' d/W-1.audit.jsonl >got
	echo '{"schema":"subject_audit.v1","ts":"2026-05-03T12:00:00.000Z","candidate_id":"W-1","accessor":{"kind":"validator_lookup","daemon":"lh-validate","purpose":"validator_worker_lookup","trace_id":"t-7"},"fields_accessed":["exists"],"result":"success"}' | diff - got
	[ "$(jq -r .result d/nobody.audit.jsonl)" = not_found ]
	oracle verify key --name W-2 d/W-2.audit.jsonl | jq -e .verified
}

@test "the verdicts and the status are the same with and without a log, also when rows cannot be written" {
	roster W-1 W-2
	{ fill W-1 W-2; fill W-1; } >in
	lh-validate --roster roster.jsonl --now 2026-05-03T12:00:00Z in >plain
	lh-validate --roster roster.jsonl --now 2026-05-03T12:00:00Z --audit-log d --key-file key in | cmp - plain
	printf torn >>d/W-1.audit.jsonl
	run -0 --separate-stderr lh-validate -j1 --roster roster.jsonl --now 2026-05-03T12:00:00Z --audit-log d --key-file key in
	[ "$output" = "$(cat plain)" ]
	[ "${#stderr_lines[@]}" = 2 ]
	[[ ${stderr_lines[0]} == 'lh-validate: no audit row for "W-1": d/W-1.audit.jsonl: the last line, at byte '*', is torn; repair the log first' ]]
	[ "$(verdict count d/W-2.audit.jsonl)" = 2 ]
}

@test "threads and processes that validate at once leave intact chains" {
	n=$(scale 100 2000)
	roster W-1 W-2 W-3
	for ((k = 0; k < n; k++)); do fill "W-$((k % 3 + 1))" W-9; done >in
	for p in 1 2 3 4; do echo "$p"; done | xargs -P 4 -I{} sh -c 'lh-validate -j3 --roster roster.jsonl --audit-log d --key-file key in >out.{} || true'
	run -0 lh-subject-audit verify --dir d
	[ "$(jq -s 'map(.count) | add' <<<"$output")" = $((8 * n)) ]
}

@test "a missing or refused key is exit 2, and nothing is validated" {
	roster W-1
	unset LH_SUBJECT_AUDIT_KEY
	head -c 31 key >short
	chmod 600 short
	ln -s key link
	run -2 --separate-stderr lh-validate --roster roster.jsonl --audit-log d < <(fill W-1)
	[ -z "$output" ]
	[ "$stderr" = 'lh-validate: --audit-log: no key: name its file by --key-file or LH_SUBJECT_AUDIT_KEY' ]
	for key in short link absent; do
		run -2 --separate-stderr lh-validate --roster roster.jsonl --audit-log d --key-file "$key" < <(fill W-1)
		[ -z "$output" ]
	done
	[ ! -e d ]
	run -2 --separate-stderr lh-validate --schema rag_sample --audit-log d --key-file key </dev/null
	[[ $stderr == *"--audit-log are for artifacts"* ]]
}
