# lh-validate --schema FILE: records by a JSON Schema of one's own.
load ../helper

CHECK=$(dirname "$AID")/aid_jsonschema

# found SCHEMA RECORD - "field: message" of each violation, one a line
found() {
	echo "$1" >s.json
	run --separate-stderr lh-validate --schema s.json <<<"$2"
	[ -z "$stderr" ] || { echo "$stderr"; return 1; }
	found=$(jq -r '.verdict.report.findings[] | .field + ": " + .message' <<<"$output")
}

# refused SCHEMA REASON - exit 2 with that reason, and nothing is read
refused() {
	echo "$1" >s.json
	run -2 --separate-stderr lh-validate --schema s.json /nonexistent
	[ -z "$output" ]
	[ "$stderr" = "lh-validate: s.json: $2" ] || { echo "$stderr"; return 1; }
}

# is VALID SCHEMA VALUE - what a schema says of a value of any type
is() {
	run -0 "$CHECK" check <<<"{\"schema\":$2,\"data\":$3}"
	[ "$output" = "$1" ] || { echo "$2 of $3: $output"; return 1; }
}

# matches RESULT PATTERN TEXT - both as JSON strings
matches() {
	run -0 "$CHECK" regex <<<"[$2,$3]"
	[ "$output" = "$1" ] || { echo "$2 in $3: $output"; return 1; }
}

@test "of the official suite 1328 of 1461 cases pass, and the schemas of all others are refused" {
	run -0 "$ROOT/tests/jsonschema/suite.py" "$CHECK"
	[ "$(awk 'NF == 3 && $1 !~ /optional|^all$/ { p += $2; n += $3; f++ } END { print p, n, f }' <<<"$output")" = "1179 1299 46" ]
	[ "$(awk 'NF == 3 && $2 != $3' <<<"$output")" = "anchor 2 8
defs 0 2
dynamicRef 0 44
ref 51 79
refRemote 0 31
unevaluatedItems 69 71
unevaluatedProperties 127 129
vocabulary 0 5
optional/cross-draft 0 1
optional/dynamicRef 0 2
optional/format-assertion 0 4
optional/id 0 3
optional/unknownKeyword 0 3
all 1328 1461" ]
	[ "$(awk 'NF != 3' <<<"$output" | grep -c ': error: /[^ ]*\(\$ref\|\$id\|\$schema\|\$dynamicRef\|\$dynamicAnchor\): ')" = 133 ]
}

@test "a violation names the field and the problem, and the exit status is 1" {
	found '{"required":["id","role"],"properties":{
		"id":{"type":"string","pattern":"^W-\\d{6}$"},"role":{"enum":["Welder","Driver"]},
		"rate":{"type":["number","null"],"minimum":15,"maximum":99.5,"multipleOf":0.01},
		"tags":{"items":{"type":"string","maxLength":3},"uniqueItems":true,"maxItems":4},
		"a b":{"const":{"x":1}},"deep":{"properties":{"list":{"items":{"properties":{"n":{"type":"integer"}}}}}}},
		"additionalProperties":false,"minProperties":9}' \
		'{"id":"W-1","rate":14.995,"tags":["a","b",3,"abcd","a"],"a b":2,"deep":{"list":[{"n":1.0},{"n":1.5}]},"x.y":0}'
	[ "$status" = 1 ]
	[ "$found" = 'id: does not match "^W-\\d{6}$"
rate: must be 15 or more
rate: must be a multiple of 0.01
tags[2]: expected string, got 3
tags[3]: must have at most 3 characters
tags: must have at most 4 items
tags: items 0 and 4 are equal
["a b"]: expected {"x":1}, got 2
deep.list[1].n: expected integer, got 1.5
["x.y"]: not allowed
record: must have at least 9 members
role: missing' ]
	found '{"oneOf":[{"required":["a"]},{"required":["b"]}],"not":{"required":["c"]},"anyOf":[{"required":["z"]}],
		"dependentRequired":{"a":["d"]},"propertyNames":{"maxLength":2},"if":{"required":["b"]},"then":{"required":["e"]},
		"properties":{"l":{"contains":{"const":1},"minContains":2}}}' '{"a":1,"b":2,"c":3,"long":4,"l":[1]}'
	[ "$found" = 'long: the name is not valid by propertyNames
l: must contain at least 2 matching items, has 1
d: missing, needed with "a"
record: matches none of the 1 schemas of anyOf (z: missing)
record: matches schemas 0 and 1 of oneOf, not one alone
record: matches the schema of not
e: missing' ]
}

@test "where no schema of anyOf or oneOf matches, the first problem of each is named" {
	found '{"properties":{"contact":{"anyOf":[{"required":["email"]},{"required":["phone"]},{"type":"string"}]}}}' '{"contact":{}}'
	[ "$found" = 'contact: matches none of the 3 schemas of anyOf (contact.email: missing; contact.phone: missing; contact: expected string, got object)' ]
	found '{"oneOf":[{"anyOf":[{"required":["a"]}]},false,false,false,false,false]}' '{}'
	[ "$found" = 'record: matches none of the 6 schemas of oneOf (record: matches none of the 1 schemas of anyOf; record: not allowed; record: not allowed; record: not allowed; record: not allowed ...)' ]
	# reasons that are too long end at a character
	long=$(stretch 900 é)
	for name in "$long" "x$long"; do
		found "{\"anyOf\":[{\"properties\":{\"$name\":false}},{\"properties\":{\"$name\":false}}]}" "{\"$name\":1}"
		[[ $found == 'record: matches none of the 2 schemas of anyOf ('*'é...: not allowed; '*'é ...)' ]]
		has -v '�' <<<"$found"
	done
}

@test "a valid record has status 200, with what it had before, and a report as of the other schemas" {
	echo '{"type":"object"}' >s.json
	run -0 --separate-stderr lh-validate --schema s.json --now 2026-05-03T12:00:00Z <<<'{ "id": 1.50 }'
	[ "$output" = '{ "id": 1.50 ,"verdict":{"status":200,"report":{"findings":[],"elapsed_ms":0}}}' ]
	run -0 lh-validate --schema s.json --wire --now 2026-05-03T12:00:00Z <<<'{}'
	[ "$output" = '{"findings":[],"elapsed_ms":0,"status":200}' ]
	run -1 lh-validate --schema <(echo false) --wire --now 2026-05-03T12:00:00Z <<<'{}'
	[ "$output" = '{"findings":[{"field":"record","severity":"error","message":"not allowed"}],"elapsed_ms":0,"status":422}' ]
}

@test "one of the built-in names is that schema, also where a file has the name" {
	echo true >receipt
	run -1 lh-validate --schema receipt <<<'{}'
	run -0 lh-validate --schema ./receipt <<<'{}'
}

@test "a schema that cannot be used is exit 2, with its place, before anything is read" {
	refused '{"properties":{"a/b":{"pattern":"(x"}}}' '/properties/a~1b/pattern: byte 1 of the pattern: ( without )'
	refused '{"patternProperties":{"[z-a]":true}}' '/patternProperties/[z-a]: range out of order in character class'
	refused '{"pattern":"(a)\\2"}' '/pattern: reference to non-existent subpattern'
	refused '{"pattern":"é(?<=a*)"}' '/pattern: lookbehind assertion is not fixed length'
	refused '{"allOf":[{"type":"text"}]}' '/allOf/0/type: must be null, boolean, object, array, string, number or integer'
	refused '{"items":[{}]}' '/items: must be one schema (a list is prefixItems since 2020-12)'
	refused '{"additionalItems":false}' '/additionalItems: is of an older draft: use items after prefixItems'
	refused '{"minLength":-1}' '/minLength: must be a whole number, 0 or more'
	refused '{"multipleOf":0}' '/multipleOf: must be more than 0'
	refused '{"required":"id"}' '/required: must be an array'
	refused '{"type":["object","string","object"]}' '/type/2: "object" is there twice'
	refused '{"type":["object","obj\u0065ct"]}' '/type/1: "obj\u0065ct" is there twice'
	refused '{"required":["a","b","a"]}' '/required/2: "a" is there twice'
	refused '{"dependentRequired":{"x":["a"],"y":["a","b","\u0062"]}}' '/dependentRequired/y/2: "\u0062" is there twice'
	refused '{"dependencies":{"x":["a","a"]}}' '/dependencies/x/1: "a" is there twice'
	refused '{"$ref":"#/$defs/x"}' '/$ref: "#/$defs/x" does not refer to anything'
	refused '{"$ref":"#x"}' '/$ref: "#x" does not refer to anything'
	for ref in https://example.com/s.json s.json ../s.json '?b' 'https://example.com/t.json#/$defs/a'; do
		refused "{\"\$ref\":\"$ref\",\"\$id\":\"https://example.com/t\"}" "/\$ref: \"$ref\" is another document, and none is read"
	done
	refused '{"$defs":{"a":{"$id":"a.json"}}}' '/$defs/a/$id: a schema inside another has no URI of its own: use $anchor'
	refused '{"$dynamicRef":"#a"}' '/$dynamicRef: is not supported: use $ref and $anchor'
	refused '{"$dynamicAnchor":"a"}' '/$dynamicAnchor: is not supported: use $ref and $anchor'
	refused '{"$schema":"http://json-schema.org/draft-07/schema#"}' '/$schema: only https://json-schema.org/draft/2020-12/schema is supported'
	refused '{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}' '/$defs/b/$anchor: "#x" is there twice'
	refused '{"$id":"a#b"}' '/$id: must not have a fragment (use $anchor)'
	refused '3' 'the schema: a schema must be an object, true or false'
	# a name in more lists than one, and values of enum, which should be unique and need not be
	is true '{"required":["a","x"],"dependentRequired":{"a":["x"],"x":["x","a"]},"dependencies":{"a":["x","a"]},"type":["integer","number","object"],"enum":[{"a":1,"x":2},{"x":2,"a":1.0}]}' '{"a":1,"x":2}'
	printf '{\n "type":}\n' >s.json
	run -2 --separate-stderr lh-validate --schema s.json /nonexistent
	[ "$stderr" = 'lh-validate: s.json:2:9: expected a value' ]
	printf '{"type":1,\n"type":1}' >s.json
	run -2 --separate-stderr lh-validate --schema s.json /nonexistent
	[ "$stderr" = 'lh-validate: s.json:2:1: duplicate key "type"' ]
}

@test "a schema that applies itself to the same value without end is refused" {
	refused '{"$ref":"#"}' 'the schema: applies itself to the same value, without end'
	refused '{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}' \
		'/$defs/b/not: applies itself to the same value, without end'
	is true '{"type":["object","array"],"items":{"$ref":"#"},"properties":{"a":{"$ref":"#"}}}' '{"a":[[],{"a":{}}]}'
	is false '{"type":["object","array"],"items":{"$ref":"#"},"properties":{"a":{"$ref":"#"}}}' '{"a":[[],{"a":3}]}'
}

@test "-v names the keywords that are unknown, and without it they are silent" {
	echo '{"x-owner":1,"properties":{"a":{"pattren":"b"},"pattren":{"format":"email"}}}' >s.json
	run -0 --separate-stderr lh-validate -v --schema s.json <<<'{"pattren":"no"}'
	[ "$(grep keyword <<<"$stderr")" = 'lh-validate: s.json: /x-owner: not a keyword of JSON Schema, ignored
lh-validate: s.json: /properties/a/pattren: not a keyword of JSON Schema, ignored' ]
	run -0 --separate-stderr lh-validate --schema s.json <<<'{"pattren":"no"}'
	[ -z "$stderr" ]
}

@test "a reference may be by the URI of the schema itself" {
	is true '{"$id":"https://example.com/s","$defs":{"a":{"type":"object"}},"$ref":"https://example.com/s#/$defs/a"}' '{}'
	is false '{"$id":"https://example.com/s","$defs":{"a b":{"type":"object","$anchor":"x"}},"allOf":[{"$ref":"https://example.com/s#x"},{"$ref":"#/$defs/a%20b"}]}' 3
}

@test "numbers are compared exactly, at any size" {
	is true '{"maximum":12345678901234567890123}' 12345678901234567890123
	is false '{"maximum":12345678901234567890123}' 12345678901234567890123.000000001
	is true '{"const":0.1}' 1e-1
	is false '{"const":0.1}' 0.1000000000000000000001
	is false '{"enum":[0.1,0.2]}' 0.20000000000000000001
	is true '{"uniqueItems":true}' '[0.1,0.1000000000000000000001]'
	is false '{"uniqueItems":true}' '[{"a":1,"b":[1.0]},2,{"b":[10e-1],"a":1.00}]'
	is true '{"multipleOf":0.01}' 4.35
	is true '{"multipleOf":1e-7}' 123456789012345678901234567890.0000003
	is false '{"multipleOf":1e-7}' 123456789012345678901234567890.00000003
	is true '{"type":"integer"}' 1e400
	is false '{"type":"integer"}' 1e-400
	is false '{"exclusiveMinimum":-0.0}' 0
	is true '{"multipleOf":7}' 7e99999
}

@test "patterns are those of ECMA-262" {
	matches true '"^\\d{3}-\\d{4}$"' '"555-1234"'
	matches false '"^\\d{3}-\\d{4}$"' '"555-12345"'
	matches false '"^\\d$"' '"٣"'
	matches true '"^\\p{Lu}\\P{Lu}+$"' '"Éric"'
	matches true '"^(?=.*[A-Z])(?=.*\\d).{8,}$"' '"passw0rdX"'
	matches false '"^(?=.*[A-Z])(?=.*\\d).{8,}$"' '"passwordX"'
	matches true '"^(?!admin$)[a-z]+$"' '"admins"'
	matches false '"^(?!admin$)[a-z]+$"' '"admin"'
	matches true '"(?<=\\$)\\d+(?!\\.)\\b"' '"costs $30 now"'
	matches false '"(?<!\\$)\\b\\d+"' '"costs $30 now"'
	matches true '"(?<=(?=a+b)a)b"' '"xaab"'
	matches true '"(?<=é|ab)c"' '"xabc"'
	matches true '"^.$"' '"😀"'
	matches true '"^[😀-😂]\\u{1F600}\\uD83D\\uDE00$"' '"😁😀😀"'
	matches false '"^a.b$"' '"a\nb"'
	matches true '"^a[^]b$"' '"a\nb"'
	matches false '"a[]b"' '"ab"'
	matches true '"^\\s$"' '"\u00a0"'
	matches false '"^a$"' '"a\n"'
	matches true '"^(?:a{2,3}){2}$"' '"aaaaa"'
	matches false '"^(?:a{2,3}){2}$"' '"aaaaaaa"'
	matches true '"^(?<year>\\d{4})[-/]\\x30\\cJ?$"' '"2026-0"'
	matches true '"x*"' '""'
	matches true '"^(|a|(b|)*)*$"' '"abba"'
	matches true '"^(?<q>[ab])\\k<q>(c)?\\2$"' '"bb"'
	matches false '"^(.)\\1$"' '"ab"'
	matches true '"^\\p{Script=Cyrillic}\\p{scx=Grek}\\P{Assigned}?[\\p{Emoji}\\S]$"' '"жΩ😀"'
	# PCRE2 10.42 alone: [^\W\p{Lu}] has each character beyond a byte
	matches false '"[^\\W\\p{Lu}]|[^\\D\\p{Lu}]|[^\\S\\p{Lo}]"' '"漢"'
	matches true '"^[\\W\\p{Lu}][^\\d\\P{Lo}]$"' '"ж漢"'
	matches true '"^[\\s-]\\cJ[a&&b[:]\\{$"' '"\ufeff\n&{"'
	matches true '"^(?:a|(?=b)){0}"' '"x"'
	for bad in '"(?>a)"' '"a++"' '"\\Aa"' '"\\Qa\\E"' '"(*ACCEPT)"' '"(?1)"' '"(?C)"' '"(?#a)"' '"\\h"' '"\\p{L&}"' \
		'"\\p{Greek}"' '"\\p{Xan}"' '"[\\d-z]"' '"[a-\\s]"' '"[\\S-a]"' '"[z-a]"' '"(?<=a*)b"' '"(?<n>a)(?<n>b)"' '"\\u{41"' \
		'"a{65536}"' '"(a)\\2"' '"a**"' '"(?i)a"' '"\\k<n>"' '"[a"' '"a)"' '"\\p{Nonsense}"' '"\\a"' '"a{2,1}"' '"^*"' '"}"' '"\\"'; do
		run -0 "$CHECK" regex <<<"[$bad,\"\"]"
		[[ $output == error:* ]] || { echo "$bad: $output"; return 1; }
	done
}

@test "patterns agree with those of Node, over random ones" {
	command -v node || skip "there is no node"
	node "$ROOT/tests/jsonschema/random_patterns.mjs" "$(scale 10000 300000)" 20 >cases
	cut -f1 cases | "$CHECK" regex >results
	# a few patterns of those need more steps than there are
	paste cases results | awk -F'\t' '$3 ~ /too many steps/ { many++; next }
		$2 != ($3 ~ /^error/ ? "error" : $3) { print } { n[$2]++ }
		END { if (many > NR / 1000 || n["true"] < NR / 10 || n["false"] < NR / 10 || n["error"] < NR / 10) print "counts" }' >differ
	[ ! -s differ ] || { head differ; return 1; }
}

# bats test_tags=full,hostile
@test "a hostile pattern, schema or record ends in time, or is refused" {
	cheaply "$CHECK" regex >out <<-E
	["^(a+)+\$","$(stretch 100000 a)b"]
	["(a*)*(a*)*(a*)*b","$(stretch 100000 a)"]
	["(?:a|b)+c|d","$(stretch 100000 a)"]
	["a+\\\\d","$(stretch 100000 a)"]
	["a{60000}","$(stretch 59999 a)b$(stretch 59999 a)"]
	["(a{1000}).*?\\\\1z","$(stretch 1000 a)$(stretch 90 "$(stretch 999 a)b")z"]
	["(?:(?=.*a).)*[bz]","$(stretch 20000 a)"]
	["(?:a{0,1000}){0,1000}[bz]","$(stretch 500 a)"]
	["(((a{1,50}){1,50}){1,50}){1,50}","a"]
	["(((){999999999}){999999999}){999999999}b","a"]
	["$(stretch 500 '(')","a"]
	["$(stretch 70000 a)","a"]
	E
	alike out - <<-'E'
	error: the record needs too many steps
	false
	error: the record needs too many steps
	error: the record needs too many steps
	error: the record needs too many steps
	false
	error: the record needs too many steps
	error: the record needs too many steps
	error: the pattern is too large
	error: number too big in {} quantifier
	error: more than 200 groups inside each other
	error: the pattern is too large
	E
	# the memory of PCRE2 has a limit, too
	echo '{"properties":{"a":{"pattern":"^(?:a|b)*$"},"b":{"pattern":"^(a+)+$"}}}' >s.json
	printf '{"a":"%s"}\n' "$(stretch 1000000 a)" x >in
	printf '{"b":"%s!"}\n' "$(stretch 100 a)" >>in
	run -1 --separate-stderr cheaply lh-validate --schema s.json --wire in
	has 'in:1: a pattern needs too much memory' <<<"$stderr"
	has 'in:3: the record needs too many steps' <<<"$stderr"
	[ "$(jq -r '.findings[].message' <<<"$output")" = 'does not match "^(?:a|b)*$"' ]

	# 2^40 ways through a schema
	jq -nc '{"$ref": "#/$defs/d0", "$defs": ([range(40) | {"d\(.)": {allOf: [range(2) as $i | {"$ref": "#/$defs/d\(. + 1)"}]}}] | add + {d40: {type: "object"}})}' >s.json
	run -1 --separate-stderr cheaply lh-validate --schema s.json <<<'{}'
	[[ $stderr == *'-:1: the record needs too many steps'* ]]

	stretch 10000 '{"not":' >s.json
	run -2 --separate-stderr cheaply lh-validate --schema s.json /nonexistent
	[[ $stderr == 'lh-validate: s.json:1:'*': nested deeper than 512' ]]
	(stretch 3500 '{"items":'; echo 'true'; stretch 500 '}') | tr -d '\n' >s.json
	run -2 lh-validate --schema s.json /nonexistent
	# a chain of references, longer than what may be applied to one value
	jq -nc '{"$ref": "#/$defs/d0", "$defs": ([range(5000) | {"d\(.)": {"$ref": "#/$defs/d\(. + 1)"}}] | add + {d5000: true})}' >s.json
	run -1 --separate-stderr cheaply lh-validate --schema s.json <<<'{}'
	[[ $stderr == *'-:1: more than 4096 schemas applied inside each other'* ]]
}

@test "a mark of the byte order before a schema is skipped, as before records" {
	printf '\xef\xbb\xbf{"type":"object",\n "required":["a"]}' >s.json
	run -1 --separate-stderr lh-validate --schema s.json --wire <<<'{}'
	[[ $output == *'"field":"a"'*missing* ]]
	printf '\xef\xbb\xbf{"type":}' >s.json
	run -2 lh-validate --schema s.json /nonexistent
	[ "$output" = "lh-validate: s.json:1:12: expected a value" ]
}

@test "a long text of the schema is cut between characters in a message" {
	for pad in '' a aa aaa; do
		long=$pad$(stretch 160 é)$(stretch 80 😀)
		found "{\"properties\":{\"v\":{\"pattern\":\"$long\"}}}" '{"v":"x"}'
		[[ $found == "v: does not match \"$pad"é*[é😀] ]]
		[ "${#found}" -lt 230 ]
		iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null
		found "{\"dependentRequired\":{\"$long\":[\"x\"]}}" "{\"$long\":1}"
		[[ $found == "x: missing, needed with \"$pad"é*[é😀] ]]
		iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null
	done
}

@test "a record as deep as any is checked by a schema that refers to itself" {
	echo '{"$defs":{"t":{"allOf":[{"type":["object","array"]},{"anyOf":[{"items":{"$ref":"#/$defs/t"},"properties":{"a":{"$ref":"#/$defs/t"}}}]}]}},"$ref":"#/$defs/t"}' >s.json
	deep="{\"a\":$(stretch 510 '[')1$(stretch 510 ']')}"
	run -1 --separate-stderr lh-validate --schema s.json --wire <<<"$deep"
	[ -z "$stderr" ]
	[ "$(jq -c '[.findings[0].field[:11], (.findings | length)]' <<<"$output")" = '["record",1]' ]
	run -0 --separate-stderr lh-validate --schema s.json --wire <<<"${deep/1/}"
	[ -z "$stderr" ]
}

@test "a record of a million members or items, and invalid UTF-8, are records like others" {
	echo '{"properties":{"list":{"uniqueItems":true,"items":{"type":"integer"}},"o":{"propertyNames":{"pattern":"^k"},"additionalProperties":{"type":"integer"}}}}' >s.json
	python3 -c 'import json
print(json.dumps({"list": list(range(1000000))}))
print(json.dumps({"list": list(range(1000000)) + [7.0]}))
print(json.dumps({"o": {"k%d" % i: i for i in range(60000)}}))' >in
	printf '{"a":"\xff"}\n' >>in
	run -1 --separate-stderr cheaply lh-validate --schema s.json --wire in
	[ "$(jq -c '[.findings[].message]' <<<"$output")" = '[]
["items 7 and 1000000 are equal"]
[]' ]
	[[ $stderr == *'in:4:7: invalid UTF-8'* ]]
}

@test "more violations than 1000 are counted" {
	echo '{"properties":{"a":{"items":false}}}' >s.json
	run -1 lh-validate --schema s.json --wire <<<"{\"a\":[1$(stretch 3000 ,1)]}"
	[ "$(jq -c '[(.findings | length), .findings[999].field, .findings[1000]]' <<<"$output")" = \
		'[1001,"a[999]",{"field":"record","severity":"error","message":"501 more violations"}]' ]
}
