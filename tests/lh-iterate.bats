# lh-iterate: generate, extract, validate, retry; and the log of such sessions.
load helper

NOW=2026-05-03T12:00:00Z
FIXTURES=$ROOT/share/fixtures/session

# fixture FILTER - accepted_grounded, changed by jq.
fixture() {
	jq -c "$1" "$FIXTURES/accepted_grounded.json"
}

@test "each of the four session fixtures becomes its row, byte for byte" {
	for name in accepted_grounded max_iter_exhausted infra_error unicode_in_prompt; do
		lh-iterate --emit-session --now $NOW "$FIXTURES/$name.json" > row
		cmp row "$FIXTURES/$name.row.json"
	done
}

@test "a row's members stand in their order, however they came" {
	jq -c 'to_entries | reverse | from_entries' "$FIXTURES/max_iter_exhausted.json" > in
	lh-iterate --emit-session --now $NOW in > row
	cmp row "$FIXTURES/max_iter_exhausted.row.json"
}

@test "timestamp is the time, daemon is --daemon" {
	run -0 lh-iterate --emit-session --daemon gateway "$FIXTURES/infra_error.json"
	[[ $output =~ ^'{"schema":"session.iterate.v1","session_id":"trace-infra","timestamp":"2'[0-9T:.-]+'Z","daemon":"gateway","kind":' ]]
}

@test "absent grounded_in_roster is written as null, what else may be absent is left out" {
	fixture 'del(.grounded_in_roster, .artifact) | .attempts[0] |= . + {error: null, span_id: ""}' > in
	run -0 lh-iterate --emit-session in
	[[ $output == *'"attempts":[{"iteration":0,"verdict_kind":"accepted"}],"grounded_in_roster":null,"duration_ms":42}' ]]
	fixture '.attempts[0] |= . + {span_id: "s", error: "e"} | .grounded_in_roster = false' > in
	run -0 lh-iterate --emit-session in
	[[ $output == *'"attempts":[{"iteration":0,"verdict_kind":"accepted","error":"e","span_id":"s"}],"artifact":{'*'},"grounded_in_roster":false,'* ]]
}

@test "a prompt is not cut again" {
	fixture '.prompt = "é" * 5000' > in
	run -0 lh-iterate --emit-session in
	[ "$(jq '.prompt | length' <<<"$output")" = 5000 ]
}

@test "an artifact loses its white space and nothing else" {
	printf '%s\n' "$(fixture .)" | sed 's/"artifact":{[^}]*}]}/"artifact": { "b" : [ 1.0 , 1e5 ] , "a" : "x \\" { y" }/' > in
	run -0 lh-iterate --emit-session in
	[[ $output == *',"artifact":{"b":[1.0,1e5],"a":"x \" { y"},'* ]]
}

@test "a record that is no row is rejected with the reason" {
	cat > cases <<-'END'
		. + {extra: 1}	unknown member "extra"
		. + {schema: "session.iterate.v1"}	unknown member "schema"
		. + {timestamp: "x"}	unknown member "timestamp"
		. + {daemon: "x"}	unknown member "daemon"
		del(.session_id)	missing member "session_id"
		del(.attempts)	missing member "attempts"
		del(.duration_ms)	missing member "duration_ms"
		.session_id = ""	"session_id" is empty
		.session_id = 5	"session_id" is not a string
		.model = null	"model" is not a string
		.kind = "letter"	"kind" is "letter", which is none of a row's
		.iterations = "1"	"iterations" is not a whole number
		.iterations = -1	"iterations" is not a whole number
		.max_iterations = 1.5	"max_iterations" is not a whole number
		.final_verdict = "no_json"	"final_verdict" is "no_json", which is none of a row's
		.final_verdict = 1	"final_verdict" is 1, which is none of a row's
		.attempts = {}	"attempts" is not an array
		.attempts = [1]	attempt 0: is not an object
		.attempts[0].error = 1	attempt 0: "error" is not a string
		.attempts[0].note = 1	attempt 0: unknown member "note"
		del(.attempts[0].iteration)	attempt 0: missing member "iteration"
		.attempts[1] = {iteration: 1, verdict_kind: "max_iter_exhausted"}	attempt 1: "verdict_kind" is "max_iter_exhausted", which is none of a row's
		.artifact = []	"artifact" is not an object
		.grounded_in_roster = "yes"	"grounded_in_roster" is not true, false or null
	END
	while IFS=$'\t' read -r change message; do
		fixture "$change" > in
		run -1 --separate-stderr lh-iterate --emit-session in
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-iterate: in:1: $message" ] || { echo "$change: $stderr"; false; }
	done < cases
}
