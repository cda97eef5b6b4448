# For the tests of the subject audit: load audit.

# key_of_tests - the file key: the bytes 0 to 31.
key_of_tests() {
	printf "$(printf '\\%03o' {0..31})" >key
	chmod 600 key
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_SUBJECT_AUDIT_KEY
	key_of_tests
	export LH_SUBJECT_AUDIT_KEY=key
}

# The same format by another hand.
oracle() {
	python3 "$ROOT/tests/oracle/audit.py" "$@"
}

# named ID SUFFIX - that subject's file in d, by its own name.
named() {
	echo "d/$(oracle name "$1")$2"
}

# record ID [N] - what append reads.
record() {
	printf '{"candidate_id":"%s","accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"tool_lookup","trace_id":"t-%s"},"fields_accessed":["name"],"result":"success"}\n' "$1" "${2:-0}"
}

records() {
	seq 0 $(($2 - 1)) | awk -v line="$(record "$1" @)" '{ split(line, part, "@"); print part[1] $1 part[2] }'
}

# log ID N - that subject's log in d.
log() {
	records "$1" "$2" | lh-subject-audit append --sync none --dir d >/dev/null
}

# verdict MEMBER [OPTION]... FILE - one member of the verdict on a log.
verdict() {
	local member=$1
	shift
	lh-subject-audit verify "$@" | jq -r ".$member" || true
}

# manifest ID [JQ] - one, changed by a filter.
manifest() {
	jq -nc --arg id "$1" '{schema: "subject_manifest.v1", candidate_id: $id, created_at: "2026-01-01T00:00:00Z",
		updated_at: "2026-01-02T00:00:00Z", status: "active", vertical: "general",
		consent: {general_pii: {status: "given"}, biometric: {status: "never_collected"}},
		retention: {general_pii_until: "2030-01-01T00:00:00Z", policy: "4y"},
		datasets: [{name: "workers", key_column: "candidate_id", key_value: $id}], safe_views: ["workers_safe"],
		audit_log_path: "data/_catalog/subjects/x.audit.jsonl", audit_log_chain_root: "GENESIS"} | '"${2:-.}"
}

# refused MESSAGE ARGUMENT... - exit 2 with that line, nothing on stdout.
refused() {
	local want=$1
	shift
	run --separate-stderr lh-subject-audit "$@" </dev/null
	[ "$status" = 2 ] && [ -z "$output" ] && [ "$stderr" = "lh-subject-audit: $want" ] ||
		{ echo "$*: exit $status, stdout $output, stderr $stderr"; return 1; }
}
