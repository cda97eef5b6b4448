# lh-validate --rules: what a house forbids beyond the built-in checks.
# bats file_tags=quick
load ../helper

# judge KIND ARTIFACT - the one record's verdict.
judge() {
	run --separate-stderr lh-validate --rules rules --kind "$1" --wire --now 2026-05-03T12:00:00Z <<<"$2"
	[ -z "$stderr" ] || { echo "$stderr"; return 1; }
}

# rule FILE CONDITION [ACTION [CLASS]]
rule() {
	mkdir -p rules
	action='{"type":"Reject","message":"no"}'
	echo '{"rules":[{"id":"'"$1"'","task_class":"'"${4:-staffing.any}"'","description":"","condition":'"$2"',"action":'"${3:-$action}"'}]}' >"rules/$1.json"
}

mail='{"to":"ann@example.com","subject":"Shift","body":"Cash on Friday."}'
ok='{"findings":[],"elapsed_ms":0,"status":200}'
no='{"Policy":{"reason":"no"},"status":422}'

@test "Reject and Block end a validation with their message as a Policy error" {
	rule r '{"type":"Always"}'
	judge email "$mail"
	[ "$status" = 1 ]
	[ "$output" = "$no" ]
	rule r '{"type":"Always"}' '{"type":"Block","message":"not \"now\""}'
	judge email "$mail"
	[ "$output" = '{"Policy":{"reason":"not \"now\""},"status":422}' ]
}

@test "Pass does nothing, Redact warns on the first field and names all" {
	rule a '{"type":"Always"}' '{"type":"Pass"}'
	judge email "$mail"
	[ "$status" = 0 ]
	[ "$output" = "$ok" ]
	rule b '{"type":"Always"}' '{"type":"Redact","fields":["body","to"]}'
	judge email "$mail"
	[ "$status" = 0 ]
	[ "$output" = '{"findings":[{"field":"body","severity":"warning","message":"redact: body, to"}],"elapsed_ms":0,"status":200}' ]
}

@test "FieldEquals is JSON equality and false on a missing field" {
	rule r '{"type":"FieldEquals","field":"extra.n","value":1}'
	judge email '{"to":"a","body":"b","extra":{"n":1.0}}'
	[ "$output" = "$no" ]
	judge email '{"to":"a","body":"b","extra":{"n":"1"}}'
	[ "$output" = "$ok" ]
	judge email '{"to":"a","body":"b"}'
	[ "$output" = "$ok" ]
	rule r '{"type":"FieldEquals","field":"subject","value":"shift"}'
	judge email "$mail"
	[ "$output" = "$ok" ]
}

@test "FieldMismatch is another value, and false on a missing field" {
	rule r '{"type":"FieldMismatch","field":"to","value":"ann@example.com"}'
	judge email "$mail"
	[ "$output" = "$ok" ]
	judge email '{"to":"bob@example.com","body":"b"}'
	[ "$output" = "$no" ]
	rule r '{"type":"FieldMismatch","field":"cc","value":"x"}'
	judge email "$mail"
	[ "$output" = "$ok" ]
}

@test "FieldEmpty is missing, null, \"\", [] or {}" {
	rule r '{"type":"FieldEmpty","field":"x"}'
	for x in null '""' '[]' '{ }'; do
		judge email '{"to":"a","body":"b","x":'"$x"'}'
		[ "$output" = "$no" ] || { echo "$x: $output"; return 1; }
	done
	judge email "$mail"
	[ "$output" = "$no" ]
	for x in 0 false '" "' '[0]' '{"a":null}'; do
		judge email '{"to":"a","body":"b","x":'"$x"'}'
		[ "$output" = "$ok" ] || { echo "$x: $output"; return 1; }
	done
}

@test "FieldGreater is a number above the threshold, and false on anything else" {
	rule r '{"type":"FieldGreater","field":"x","threshold":10}'
	for x in 10.5 11 1e2 1e400; do
		judge email '{"to":"a","body":"b","x":'"$x"'}'
		[ "$output" = "$no" ] || { echo "$x: $output"; return 1; }
	done
	for x in 10 -11 '"11"' null '[11]'; do
		judge email '{"to":"a","body":"b","x":'"$x"'}'
		[ "$output" = "$ok" ] || { echo "$x: $output"; return 1; }
	done
	judge email "$mail"
	[ "$output" = "$ok" ]
}

@test "FieldContainsAny folds case, in a string or any string of an array" {
	rule r '{"type":"FieldContainsAny","field":"body","needles":["cheque","CASH"]}'
	judge email "$mail"
	[ "$output" = "$no" ]
	judge email '{"to":"a","body":"by transfer"}'
	[ "$output" = "$ok" ]
	rule r '{"type":"FieldContainsAny","field":"tags","needles":["cash"]}'
	judge email '{"to":"a","body":"b","tags":[1,"Some Cash"]}'
	[ "$output" = "$no" ]
	judge email '{"to":"a","body":"b","tags":[["cash"],{"cash":1}]}'
	[ "$output" = "$ok" ]
	judge email "$mail"
	[ "$output" = "$ok" ]
}

@test "staffing.email covers sms, only staffing.any covers playbooks" {
	fill='{"fills":[]}' play='{"operation":"fill: x","endorsed_names":["A"],"fingerprint":"f"}'
	rule r '{"type":"Always"}' '{"type":"Reject","message":"no"}' staffing.email
	for kind in email sms; do judge $kind "$mail"; [ "$output" = "$no" ]; done
	judge fill "$fill"
	[ "$output" = "$ok" ]
	judge playbook "$play"
	[ "$output" = "$ok" ]
	rule r '{"type":"Always"}' '{"type":"Reject","message":"no"}' staffing.fill
	judge fill "$fill"
	[ "$output" = "$no" ]
	for kind in email sms; do judge $kind "$mail"; [ "$output" = "$ok" ]; done
	judge playbook "$play"
	[ "$output" = "$ok" ]
	rule r '{"type":"Always"}'
	for kind in email sms; do judge $kind "$mail"; [ "$output" = "$no" ]; done
	judge fill "$fill"
	[ "$output" = "$no" ]
	judge playbook "$play"
	[ "$output" = "$no" ]
}

@test "rules run after the built-in ones, files in byte order of their names" {
	rule b '{"type":"Always"}' '{"type":"Reject","message":"from b"}'
	rule B '{"type":"Always"}' '{"type":"Redact","fields":["first"]}'
	rule a '{"type":"Always"}' '{"type":"Redact","fields":["second"]}'
	rule c '{"type":"Always"}' '{"type":"Block","message":"from c"}'
	judge email '{"to":"a","body":"SSN 123-45-6789"}'
	[ "$output" = '{"Policy":{"reason":"SSN-shaped sequence in body"},"status":422}' ]
	judge email "$mail"
	[ "$output" = '{"Policy":{"reason":"from b"},"status":422}' ]
	rm rules/[bc].json
	judge email "$mail"
	[ "$(jq -c '[.findings[].field]' <<<"$output")" = '["first","second"]' ]
}

@test "a path goes down objects and arrays; _context is the one in effect" {
	rule r '{"type":"FieldEquals","field":"fills.1.name","value":"Bob"}'
	judge fill '{"fills":[]}'
	[ "$output" = "$ok" ]
	rule r '{"type":"FieldEquals","field":"_context.client_id","value":"C-1"}'
	request() {
		run lh-validate --rules rules --wire --now 2026-05-03T12:00:00Z <<<"$1"
	}
	request '{"kind":"email","artifact":{"to":"a","body":"b","_context":{"client_id":"C-1"}}}'
	[ "$output" = "$no" ]
	request '{"kind":"email","artifact":{"to":"a","body":"b","_context":{"client_id":"C-1"}},"context":{}}'
	[ "$output" = "$ok" ]
	request '{"kind":"email","artifact":{"to":"a","body":"b","_context":{"client_id":"C-2"}},"context":{"client_id":"C-1"}}'
	[ "$output" = "$no" ]
}

@test "the sample rules judge the sample requests as they say" {
	run -1 lh-validate --rules "$ROOT/share/fixtures/rules/house" "$ROOT/share/fixtures/rules/requests.jsonl"
	diff <(jq -c '.expect' "$ROOT/share/fixtures/rules/requests.jsonl") \
		<(jq -c '.verdict | if .status == 200 then [.report.findings[] | .field + ": " + .message] else .error end' <<<"$output")
}

@test "each way to get a rule wrong is exit 2 with the file, the rule and the reason" {
	n=0
	for file in "$ROOT"/share/fixtures/rules/refused/*.json; do
		rm -rf rules
		mkdir rules
		cp "$file" rules
		run -2 --separate-stderr lh-validate --rules rules /nonexistent
		[ -z "$output" ]
		diff <(echo "$stderr") <(echo "lh-validate: rules/$(basename "$file"):$(cat "${file%.json}.expected")") || { echo "$file"; return 1; }
		n=$((n + 1))
	done
	[ "$n" -ge 15 ]
}

@test "an id that two files have is exit 2 and both are named" {
	rule a '{"type":"Always"}'
	sed 's/"a"/"\\u0061"/' rules/a.json >rules/b.json
	run -2 lh-validate --rules rules </dev/null
	[ "$output" = 'lh-validate: rules/b.json: rule "a": duplicate id, also in rules/a.json' ]
}

@test "a folder or a file that cannot be read is exit 2" {
	run -2 lh-validate --rules nowhere </dev/null
	[ "$output" = 'lh-validate: nowhere: cannot read the folder of rules: No such file or directory' ]
	touch plain
	run -2 lh-validate --rules plain </dev/null
	[[ $output == 'lh-validate: plain: cannot read the folder of rules: '* ]]
	mkdir -p rules/folder.json
	run -2 lh-validate --rules rules </dev/null
	[ "$output" = 'lh-validate: rules/folder.json: is a directory' ]
	rmdir rules/folder.json
	mkfifo rules/pipe.json
	run -2 patiently lh-validate --rules rules </dev/null
	[ "$output" = 'lh-validate: rules/pipe.json: is not a regular file' ]
	rm rules/pipe.json
	ln -s nowhere rules/gone.json
	run -2 lh-validate --rules rules </dev/null
	[[ $output == 'lh-validate: rules/gone.json: No such file'* ]]
	rm rules/gone.json
	truncate -s 17M rules/big.json
	run -2 lh-validate --rules rules </dev/null
	[ "$output" = 'lh-validate: rules/big.json: is larger than 16777216 bytes' ]
	rm rules/big.json
	echo '{"rules":[]}' >rules/secret.json
	chmod 0 rules/secret.json
	chmod 755 . rules "$BATS_RUN_TMPDIR"
	run -2 as_nobody lh-validate --rules rules </dev/null
	[[ $output == 'lh-validate: rules/secret.json: Permission denied' ]]
}

@test "no rule file, hidden files and other names mean no rules" {
	mkdir rules
	echo '{' >rules/.hidden.json
	echo '{' >rules/notes.txt
	echo '{' >rules/x.json~
	judge email "$mail"
	[ "$output" = "$ok" ]
}

@test "10,000 rules load and run" {
	mkdir rules
	seq 1 10000 | jq -c '{id: "r\(.)", task_class: "staffing.any", condition: {type: "FieldGreater", field: "n", threshold: .}, action: {type: "Redact", fields: ["f\(.)"]}}' |
		jq -cs '{rules: .}' >rules/many.json
	judge email '{"to":"a","body":"b","n":5000.5}'
	[ "$(jq '.findings | length' <<<"$output")" = 5000 ]
}

@test "a condition compares values, finds letters without case, and goes by the parts of a path" {
	local condition members want
	while IFS='|' read -r condition members want; do
		rule r "$condition"
		judge email '{"to":"a","body":"b",'"$members"'}'
		[ "$output" = "${!want}" ] || { echo "$condition $members: $output"; return 1; }
	done <<-'END'
		{"type":"FieldEquals","field":"a","value":{"b":[1],"c":2}}|"a":{"c":2.0,"b":[1]}|no
		{"type":"FieldEquals","field":"a","value":null}|"a":null|no
		{"type":"FieldEquals","field":"a","value":null}|"b":1|ok
		{"type":"FieldMismatch","field":"a","value":1}|"a":null|no
		{"type":"FieldMismatch","field":"a","value":1}|"a":1e0|ok
		{"type":"FieldGreater","field":"a","threshold":9007199254740992}|"a":9007199254740993|no
		{"type":"FieldContainsAny","field":"a","needles":["CAFé"]}|"a":"caf\u00e9"|no
		{"type":"FieldContainsAny","field":"a","needles":["café"]}|"a":"CAFÉ"|ok
		{"type":"FieldContainsAny","field":"a","needles":["a\u0000b"]}|"a":"xA\u0000B"|no
		{"type":"FieldEquals","field":"a.b","value":1}|"a.b":1|ok
		{"type":"FieldEquals","field":"a.01","value":1}|"a":[0,1]|ok
		{"type":"FieldEquals","field":"a.99999999999999999999","value":1}|"a":[1]|ok
		{"type":"FieldEquals","field":"a.0","value":1}|"a":{"0":1}|no
		{"type":"FieldEmpty","field":"a.b"}|"a":1|no
		{"type":"FieldEquals","field":"a._context","value":1}|"a":{"_context":1}|no
	END
}
