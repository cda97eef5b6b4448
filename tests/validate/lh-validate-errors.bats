# lh-validate --normalize-errors: stored error rows into the tagged form.
# bats file_tags=quick
load ../helper

both() {
	cat <<-'END'
	{"Schema":{"field":"fills[0].name","reason":"missing"}}
	{"Kind":"schema","Field":"fills[0].name","Reason":"missing"}
	{"Completeness":{"reason":"endorsed count (1) != target_count (2)"}}
	{"Kind":"Completeness","Field":"","Reason":"endorsed count (1) != target_count (2)"}
	{"Consistency":{"reason":"city 'A' doesn't match contract city 'B'"}}
	{"Reason":"city 'A' doesn't match contract city 'B'","Kind":"CONSISTENCY","Field":""}
	{ "Policy" : { "reason" : "SSN-shaped sequence in body" } }
	{"Kind":"pOLICY","Field":"","Reason":"SSN-shaped sequence in body"}
	END
}

@test "rows of either form come out tagged, one for one" {
	run -0 --separate-stderr lh-validate --normalize-errors < <(both)
	[ -z "$stderr" ]
	[ "$output" = '{"Schema":{"field":"fills[0].name","reason":"missing"}}
{"Schema":{"field":"fills[0].name","reason":"missing"}}
{"Completeness":{"reason":"endorsed count (1) != target_count (2)"}}
{"Completeness":{"reason":"endorsed count (1) != target_count (2)"}}
{"Consistency":{"reason":"city '"'A' doesn't match contract city 'B'"'"}}
{"Consistency":{"reason":"city '"'A' doesn't match contract city 'B'"'"}}
{"Policy":{"reason":"SSN-shaped sequence in body"}}
{"Policy":{"reason":"SSN-shaped sequence in body"}}' ]
}

@test "what comes out goes in again and stays as it is" {
	both | lh-validate --normalize-errors >once
	run -0 lh-validate --normalize-errors once
	diff once <(echo "$output")
}

@test "the code points of field and reason are kept, escaped as little as JSON allows" {
	run -0 lh-validate --normalize-errors <<<'{"Kind":"schema","Field":"caf\u00e9\/x","Reason":"\u0041 \"q\" \\ \u001b \ud83d\ude00 你好"}'
	[ "$output" = '{"Schema":{"field":"café/x","reason":"A \"q\" \\ \u001b 😀 你好"}}' ]
}

@test "each row that is not an error, or not exactly one, is rejected with its reason" {
	cat >in <<-'END'
	{}
	{"schema":{"field":"x","reason":"y"}}
	{"Other":{"reason":"y"}}
	{"Schema":{"field":"x","reason":"y"},"Policy":{"reason":"y"}}
	{"Schema":{"reason":"y"}}
	{"Schema":{"field":"x"}}
	{"Policy":{}}
	{"Policy":{"reason":"y","field":"x"}}
	{"Policy":{"reason":1}}
	{"Policy":"y"}
	{"Policy":{"reason":"y"},"id":1}
	{"Kind":"other","Field":"","Reason":"y"}
	{"Kind":"policy","Reason":"y"}
	{"Kind":"policy","Field":"x","Reason":"y"}
	{"Kind":"policy","Field":"","Reason":null}
	{"Kind":"policy","Field":"","Reason":"y","Id":1}
	{"kind":"policy","field":"","reason":"y"}
	END
	cat >want <<-'END'
	lh-validate: in:1: missing "Schema", "Completeness", "Consistency" or "Policy"
	lh-validate: in:2: unknown member "schema" (did you mean "Schema"?)
	lh-validate: in:3: unknown member "Other"
	lh-validate: in:4: "Schema" and "Policy" exclude each other
	lh-validate: in:5: missing Schema.field (string)
	lh-validate: in:6: missing Schema.reason (string)
	lh-validate: in:7: missing Policy.reason (string)
	lh-validate: in:8: unknown member "field" in "Policy"
	lh-validate: in:9: Policy.reason must be a string
	lh-validate: in:10: "Policy" must be an object
	lh-validate: in:11: unknown member "id"
	lh-validate: in:12: "Kind" must be "schema", "completeness", "consistency" or "policy", not "other"
	lh-validate: in:13: missing "Field" (string)
	lh-validate: in:14: "Field" of a policy error must be ""
	lh-validate: in:15: missing "Reason" (string)
	lh-validate: in:16: unknown member "Id"
	lh-validate: in:17: unknown member "kind"
	lh-validate: 17 of 17 records rejected
	END
	run -1 --separate-stderr lh-validate --normalize-errors --rejects kept in
	[ -z "$output" ]
	diff <(echo "$stderr") want
	diff in kept
}

@test "what --wire prints is read: the status is left out" {
	jq -c '{kind: "fill", artifact: {fills: [{}]}}' <<<null >draft
	run -1 lh-validate --wire draft
	[[ $output == '{"Schema":{'*'},"status":422}' ]]
	run -0 --separate-stderr lh-validate --normalize-errors <<<"$output"
	[[ $output == '{"Schema":{"field":"'*'","reason":"'*'"}}' ]]
	run -1 --separate-stderr lh-validate --normalize-errors <<<'{"Policy":{"reason":"x"},"status":"422"}'
	[[ $stderr == 'lh-validate: -:1: "status" must be a whole number'* ]]
}
