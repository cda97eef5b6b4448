# lh-extract-json: the object inside a model's answer.
load ../helper

FIXTURES=$ROOT/share/fixtures/extract-json
NONE='{"matched":false,"value":null}'

# found TEXT OBJECT - the text (with printf's escapes) holds the object; "" for none.
found() {
	local want=$NONE
	[ -z "$2" ] || want="{\"matched\":true,\"value\":$2}"
	printf '%b' "$1" | lh-extract-json --raw-input >.found 2>.messages
	[ "$(cat .found)" = "$want" ] || { echo "in $1: $(cat .found), not $want"; return 1; }
	[ ! -s .messages ]
}

# wire NAME - the fixture comes out byte for byte, as a text and in a record.
wire() {
	run -0 --separate-stderr lh-extract-json --wire --raw-input "$FIXTURES/$1.txt"
	[ -z "$stderr" ]
	lh-extract-json --wire --raw-input "$FIXTURES/$1.txt" | cmp - "$FIXTURES/$1.out"
	jq -Rsc '{text: .}' "$FIXTURES/$1.txt" | lh-extract-json --wire | cmp - "$FIXTURES/$1.out"
	jq -Rsac '{text: .}' "$FIXTURES/$1.txt" | lh-extract-json --wire | cmp - "$FIXTURES/$1.out"
}

# quick COMMAND... - hang guard; under a second on an idle machine.
quick() {
	patiently "$@"
}

# times TEXT BYTES - the text again and again.
times() {
	stretch "$2" "$1"
}

# bats test_tags=hostile
@test "each fixture comes out byte for byte, as a text and in a record" {
	local file n=0
	for file in "$FIXTURES"/*.txt; do
		wire "$(basename "$file" .txt)" || { echo "$file"; return 1; }
		n=$((n + 1))
	done
	[ $n = 12 ]
}

@test "a record passes through, matched and value last" {
	echo '{"id" : 1.0,"text":"see {\"b\" : 2,\"a\":1e3}","n":12345678901234567890}' >in
	run -0 --separate-stderr lh-extract-json in
	[ -z "$stderr" ]
	[ "$output" = '{"id" : 1.0,"text":"see {\"b\" : 2,\"a\":1e3}","n":12345678901234567890,"matched":true,"value":{"b" : 2,"a":1e3}}' ]
	run -0 lh-extract-json <<<'{"value":7,"text":"none","matched":true,"z":[1]}'
	[ "$output" = '{"text":"none","z":[1],"matched":false,"value":null}' ]
}

@test "each text holds the object that the rules find in it, or none" {
	while IFS= read -r row; do
		want=${row##* => }
		[[ $row == \#* ]] || found "${row%% => *}" "${want#-}"
	done <<-'END'
	# the object keeps its own text; over several lines, without its white space
	a {"b" : 2,\t"a":"x  y", "f":1.50} b => {"b" : 2,	"a":"x  y", "f":1.50}
	{\n  "b" : [ 1,\r\n\t2 ],\n "a b" : "x  y\\\\"\n} => {"b":[1,2],"a b":"x  y\\"}
	{"a":"b\\nc",\r"d":1} => {"a":"b\nc","d":1}
	# a fence with an object is preferred to braces before it
	{"a":1} ```{"b":2}``` {"c":3} => {"b":2}
	{"a":1} ```[1]``` {"c":3} => {"a":1}
	```\n[{"a":1}]\n``` => {"a":1}
	```json\n{"a":1} and more\n``` => {"a":1}
	```{"a":1}{"b":2}``` => {"a":1}
	{"a":1} ```[{"b":2}]``` ```x: {"c":3}``` => {"b":2}
	```x: {"a":1}``` ```\n{"b":2}\n``` ```{"c":3}``` => {"b":2}
	# of several fences the first that holds an object and nothing else counts
	```\nls -l\n```\n```json\n{"a":1}\n```\n```json\n{"b":2}\n``` => {"a":1}
	```{"a":1,}``` ```{"b":2}``` => {"b":2}
	`````` ```{"b":2}``` => {"b":2}
	# a closing fence never opens one
	{"x":0} ```a``` {"b":2} ```c``` => {"x":0}
	```no```{"a":1}```no```{"b":2} => {"a":1}
	{"z":1} ```no```{"a":1}``` => {"z":1}
	# a fence that is never closed is not a fence
	```json\n{"a":1} => {"a":1}
	{"b":2} ```json\n{"a":1} => {"b":2}
	{"b":2} ```json\n{"a":1}\n`` => {"b":2}
	``` => -
	```json => -
	````` => -
	# a fence in a string of an object is text
	{"a":"```{\\"b\\":1}```"} => {"a":"```{\"b\":1}```"}
	{"a":"``` {} ```"} => {"a":"``` {} ```"}
	Here {"a":"```js {} ``` and","n":5} done => {"a":"```js {} ``` and","n":5}
	{"z":1} {"a":"```"} ```{"b":"```"}``` => {"b":"```"}
	```json\n{"a":"x```y"}\n``` => {"a":"x```y"}
	{"a":"```{}```",}  => -
	{"a":"\n```{\\"b\\":1}\n```",} {"c":3} => {"c":3}
	# of the channels of the harmony format only the final one is an answer
	<|channel|>analysis<|message|>{"a":1}<|end|><|start|>assistant<|channel|>final<|message|>{"b":2}<|return|> => {"b":2}
	<|channel|>commentary to=f <|constrain|>json<|message|>{"a":1}<|call|><|start|>assistant<|channel|>final<|message|>{"b":2} => {"b":2}
	{"a":1}<|end|><|start|>assistant<|channel|>final<|message|>{"b":2} => {"b":2}
	<|channel|>final<|message|>{"a":1}<|end|><|channel|>final<|message|>{"b":2} => {"a":1}
	<|channel>thought\n{"a":1}<channel|>{"b":2} => {"b":2}
	<|channel|>analysis<|message|>{"a":1}<|end|> => {"a":1}
	# a thought is searched if nothing else begins an object
	<think>{"a":1} => {"a":1}
	<think>{"a":1}</think>The [analysis] is: {"b":2} => {"b":2}
	<think>```{"a":1}``` {"b":2}</think> Done. => {"a":1}
	{"a":1} as I said</think> => {"a":1}
	<think>{"a":1}</think>{"b":2,} => -
	<think>{"a":1}</think>{"b": => -
	# CRLF is white space like LF
	Here:\r\n```json\r\n{"a":1}\r\n```\r\n => {"a":1}
	Here:\r\n{\r\n  "a": 1\r\n}\r\n => {"a":1}
	# a brace before other text is prose, which may hold an object
	{see {"a":1}} => {"a":1}
	{x, y} then {"a":1} => {"a":1}
	Use {NAME} or "{ ." and then {"a":1} => {"a":1}
	Use “{” or `{` and `x`: {"a":1} => {"a":1}
	G{\\"o}del {"a":1} => {"a":1}
	{see {"a":1}} or {that} => {"a":1}
	{{"a":1}} => {"a":1}
	{ [{ }]} => { }
	# braces in strings do not balance
	{"a":"}"} {"b":1} => {"a":"}"}
	{"a":"{"} => {"a":"{"}
	{"a":"\\"}"} x => {"a":"\"}"}
	{"a":"\\\\"} {"b":"} => {"a":"\\"}
	# around the object the text may hold anything
	\x00\xff\xfe {"a":"é"} \xc0\x80\x00 => {"a":"é"}
	\xef\xbb\xbf{"a":1} => {"a":1}
	{"\xff {"a":1} => -
	\x1b[31m{"a":1} => {"a":1}
	END
}

@test "--wire sorts keys at every depth by their bytes and leaves numbers as written" {
	printf '%s' '{"b":{"z":1.0,"é":2,"a":[{"y":1E5,"x":-0}]},"B":1e400,"ab":"\u00e9\/\"","a":12345678901234567890}' >in
	run -0 lh-extract-json --wire --raw-input in
	[ "$output" = '{"matched":true,"value":{"B":1e400,"a":12345678901234567890,"ab":"é/\"","b":{"a":[{"x":-0,"y":1E5}],"z":1.0,"é":2}}}' ]
	run -0 lh-extract-json --raw-input in
	[ "$output" = '{"matched":true,"value":{"b":{"z":1.0,"é":2,"a":[{"y":1E5,"x":-0}]},"B":1e400,"ab":"\u00e9\/\"","a":12345678901234567890}}' ]
}

@test "of a repeated key the last one wins, at every depth, however it is escaped" {
	found '{"a":1,"b":2,"a":3}' '{"b":2,"a":3}'
	found '{"a":1, "b": {"c":{"x":1},"c":[{"d":1,"d":2}], "\\u0063":4 },"e":0}' '{"a":1,"b":{"\u0063":4},"e":0}'
	found '{"a":{"a":{"a":1,"a":2}},"x":[{"k":1,"k":2},{"k":3}]}' '{"a":{"a":{"a":2}},"x":[{"k":2},{"k":3}]}'
	printf '{"b":1,"a":{"d":1,"c":2,"d":3},"b":[]}' >in
	run -0 lh-extract-json --wire --raw-input in
	[ "$output" = '{"matched":true,"value":{"a":{"c":2,"d":3},"b":[]}}' ]
	lh-extract-json --raw-input in | jq -c '{text: "x"} + .' | lh-embed --dimension 64 >/dev/null
}

@test "what a model thought is no answer where there is another" {
	for tag in think THINK thinking thoughts thought reasoning Reflection scratchpad analysis seed:think ds-reasoning 'think duration="3"' ' think '; do
		end=${tag%% d*}
		found "<$tag>maybe {\"a\":1}</$end>{\"b\":2}" '{"b":2}'
		found "maybe {\"a\":1} </$end> {\"b\":2}" '{"b":2}'
		found "{\"b\":2}<$tag>no {\"a\":1}" '{"b":2}'
		found "<$tag>is \`\`\`{\"a\":1}\`\`\`</$end>is {\"b\":2}" '{"b":2}'
	done
	found '[THINK]{"a":1}[/THINK]{"b":2}' '{"b":2}'
	found '\xe2\x97\x81think\xe2\x96\xb7{"a":1}\xe2\x97\x81/think\xe2\x96\xb7{"b":2}' '{"b":2}'
	found '<|begin_of_thought|>{"a":1}<|end_of_thought|>{"b":2}' '{"b":2}'
	for tag in reasoning_content thought-process; do
		found "<$tag>{\"a\":1}</$tag>{\"b\":2}" '{"b":2}'
		found "maybe {\"a\":1}</$tag>{\"b\":2}" '{"b":2}'
	done
	found '<|START_THINKING|>{"a":1}<|END_THINKING|>{"b":2}' '{"b":2}'
	found '<think><think>{"a":1}</think>{"c":1}</think>{"b":2}' '{"b":2}'
	found '<think>an <analysis> too {"a":1}</think>{"b":2}' '{"b":2}'
	found '<think>{"a":"</think>"}</think>{"b":2}' '{"b":2}'
	found '<think>{"a":"cut off</think>{"b":2}' '{"b":2}'
	found '<think>{"a": no</think>{"b":2}' '{"b":2}'
	found '<think>{"a":1}</think>x<think>{"c":1}</think>```{"b":2}```' '{"b":2}'
}

@test "a tag of reasoning in a string is text, and so is what only looks like one" {
	found '{"a":"<think>"} {"b":1}</div>' '{"a":"<think>"}'
	found '{"z":1} {"a":"</think>"} {"b":2}' '{"z":1}'
	found '{"z":1} {"a":"</think>",} {"b":2}' '{"z":1}'
	for tag in '<thinker>' '</rethink>' '[think about it]' '</think' 'think>' '<think/>' '</>' '<b>' '<|message|>' '[x](think)' '<x think>'; do
		found "$tag{\"a\":1}$tag{\"b\":2}" '{"a":1}'
	done
}

@test "tags are letters, digits, _ + and -, and nothing else" {
	for tag in '' json JSON json5 c++ objective-c my_tag 1; do
		found "{\"z\":1}\`\`\`$tag\n{\"a\":1}\n\`\`\`" '{"a":1}'
		found "{\"z\":1}\`\`\`$tag{\"a\":1}\`\`\`" '{"a":1}'
		found "{\"z\":1}\`\`\`$tag \t\r\n{\"a\":1}\r\n\t \`\`\`" '{"a":1}'
	done
	for tag in 'json:' '.json' 'a b' é; do
		found "\`\`\`$tag\n{\"a\":1}\n\`\`\` \`\`\`{\"b\":2}\`\`\`" '{"b":2}'
	done
}

@test "only space, tab, CR and LF are trimmed" {
	for space in '\v' '\f' '\xc2\xa0' '\xe2\x80\xa8' '\xef\xbb\xbf' '\x00'; do
		found "\`\`\`$space{\"a\":1}\`\`\` \`\`\`{\"z\":1}\`\`\`" '{"z":1}'
		found "\`\`\`{\"a\":1}$space\`\`\` \`\`\`{\"z\":1}\`\`\`" '{"z":1}'
	done
}

@test "a piece of an object that cannot be read is no answer" {
	for broken in '{"a":1,"b":{"c":2},}' '{"a":{"c":2}, // none\n"b":1}' '{"a":{"c":2},"b":1' '{"a":"say "no", {"c":2}","b":1}' '{"a":"x\ny","b":{"c":2}}' \
		"{'a': {\"c\":2}}" "{ 'a': {}}" '{"a":None,"b":{"c":2}}' '{"a":"it\\'"'s"'","b":{"c":2}}' '{"x":"{}" oops}' '{\n"a" {"c":2}}' '{"a":[{"c":2},]}'; do
		found "$broken" ''
		found "\`\`\`\n$broken\n\`\`\`" ''
	done
	found '{"fills":[{"id":1},{"id":2},{"i' ''
}

@test "an object as JavaScript writes it, or with comments or other quotation marks, is a broken one" {
	for start in 'to: 1, ' '\n  to : 1, ' 'to_2: 1, ' '$to: 1, ' 'à: 1, ' '1: 2, ' 'to, body, ' '...m, ' ', ' '// it\n "to":1, ' '/* {} */ "to":1, ' \
		'# it\n to: 1, ' '-- it\n' '<!-- it --> ' '“to”: 1, ' '„to“: 1, ' '«to»: 1, ' '‘reply to’: 1, ' '`to`: 1, ' '`reply to` : 1, ' \
		'「to」: 1, ' '＂to＂: 1, '; do
		for key in '"re"' re; do
			found "{$start$key: {\"c\":2}}" ''
			found "Here: {$start$key: {\"c\":2}} {\"d\":3}" '{"d":3}'
			found "\`\`\`json\n{$start$key: [{\"c\":2}]}\n\`\`\`" ''
		done
	done
	found '{\\"to\\": 1, "re": {"c":2}}' ''
}

@test "an object without its first brace is a broken one, and what is in it no answer" {
	for text in '"to":"x","re":{"c":2}}' '"to":"x","re":[{"c":2},{"d":3}],"z":1\n}' 'to: "x", re: {"c":2}}' '"b":"a { b","re":{"c":2}}' '"b":"a } b","re":{"c":2}}' \
		're => {"c":2}}' '\n "re":\n{"c":2}\n}\n'; do
		found "$text" ''
		found "<think>{\"p\":1}</think>$text" ''
		found "\`\`\`json\n$text\n\`\`\`" ''
		found "$text\n\`\`\`\n" ''
		found "$text and {\"e\":5}" '{"e":5}'
	done
	found '<think>{"p":1}</think>"to":1}' ''
	for text in '{"c":2}}' ' \n{"c":2} }' '<answer>{"c":2}}</answer>' '<think>"x":{"d":1}}</think>{"c":2}}' '<|channel|>final<|message|>{"c":2}}' '} {"c":2}' \
		'{a {"c":2} b}' 'say "} { [" {"c":2} "}"' '"to":1} {"c":2}'; do
		found "$text" '{"c":2}'
	done
	found 'Sure:\n```json\n{"c":2}}\n```' '{"c":2}'
}

@test "after a broken object the search goes on; without an end it hides what follows" {
	found '{"a":1,"b":{"c":2},} {"d":3}' '{"d":3}'
	found "{'it': {}} {\"d\":3}" '{"d":3}'
	found '[{"a":1,},{"b":2}]' '{"b":2}'
	found '{"a":{"b":1} {"c":2}' ''
	found '{"a {"b":1} ```{"c":2}```' ''
	found '{"a {"b":1}\n```\n{"c":2}\n```' '{"c":2}'
	found '```json\n{"a":"cut off\n```\nAgain: {"c":2}' '{"c":2}'
	found '```json\n{"a":"cut off\n  ```\n ```json\n{"c":2}\n```' '{"c":2}'
	found '{"a {\\"b":1}' '{"a {\"b":1}'
}

@test "unbalanced texts hold nothing" {
	for text in '{' '}' '{{' '}{' '{"' '{"a' '{"a"' '{"a":' '{"a":1' '{"a":1,' '{"a":"' '{"a":"\\' '{[}' '{"a":[}' '{"a":1]' '[}' '{"a":{"b":{"c":'; do
		found "$text" ''
	done
	found '' ''
	found ' \n' ''
}

@test "only strict JSON is an object" {
	for text in '{a:1}' "{'a':1}" '{"a":1,}' '{,}' '{"a"}' '{"a":01}' '{"a":+1}' '{"a":.5}' '{"a":1.}' '{"a":NaN}' '{"a":Infinity}' \
		'{"a":True}' '{"a":nul}' '{"a":/**/1}' '{"a":1 "b":2}' '{1:2}' '{"a"::1}' '{"a":"\\x"}' '{"a":"\\u12"}' '{"a":"\t"}' '{"a":"\n"}' \
		'{"a":"\\ud800"}' '{"a":"\\udc00"}' '{"a":"\\ud800\\u0041"}' '{"a":"\xff"}' '{"a":"\xc0\xaf"}' '{"a":"\xed\xa0\x80"}' '{"a":"\x00"}' '{"a":\x001}' '{\xa0"a":1}'; do
		found "$text" ''
	done
	found '{"a":1e400}' '{"a":1e400}'
	found '{"a":"\\ud83d\\ude00"}' '{"a":"\ud83d\ude00"}'
	found '[1,"x",{"a":1}]' '{"a":1}'
}

@test "512 containers are accepted, and what is deeper is passed over whole" {
	deep() {
		python3 -c 'import sys; n = int(sys.argv[1]); print("{\"a\":" * n + "1" + "}" * n, end="")' "$1"
	}
	deep 512 >in
	[ "$(lh-extract-json --raw-input in)" = "{\"matched\":true,\"value\":$(deep 512)}" ]
	[ "$(lh-extract-json --wire --raw-input in)" = "{\"matched\":true,\"value\":$(deep 512)}" ]
	for n in 513 600 100000; do
		[ "$(deep $n | quick lh-extract-json --raw-input)" = "$NONE" ]
		[ "$( (deep $n; echo 'and {"b":2}') | quick lh-extract-json --raw-input)" = '{"matched":true,"value":{"b":2}}' ]
		[ "$( (echo '```'; deep $n; echo '```') | quick lh-extract-json --raw-input)" = "$NONE" ]
	done
	printf '{"a":%s{"c":1}%s} {"b":2}' "$(printf '[%.0s' {1..511})" "$(printf ']%.0s' {1..511})" >in
	[ "$(lh-extract-json --raw-input in)" = '{"matched":true,"value":{"b":2}}' ]
	printf '%s{"c":1}%s' "$(printf '[%.0s' {1..600})" "$(printf ']%.0s' {1..600})" >in
	[ "$(lh-extract-json --raw-input in)" = '{"matched":true,"value":{"c":1}}' ]
}

@test "10 MB of nearly balanced text is answered soon" {
	n=5000000
	[ "$( (times '{' $n; times '}' $n) | quick lh-extract-json --raw-input)" = '{"matched":true,"value":{}}' ]
	[ "$( (printf '{'; times '{}' $n) | quick lh-extract-json --raw-input)" = '{"matched":true,"value":{}}' ]
	[ "$( (printf '{"x":['; times '{},' $n; printf ',,]}{}') | quick lh-extract-json --raw-input)" = '{"matched":true,"value":{}}' ]
	[ "$( (times "$(printf '{"a":%.0s' {1..600})1$(printf '}%.0s' {1..600})" 3601000; echo '{"b":2}') |
		quick lh-extract-json --raw-input)" = '{"matched":true,"value":{"b":2}}' ]
	(printf '{"x":1'; seq -f ',"k":%.0f' 200000 | tr -d '\n'; printf '}') >in
	[ "$(quick lh-extract-json --raw-input --max-members 300000 in)" = '{"matched":true,"value":{"x":1,"k":200000}}' ]
}

# bats test_tags=full
@test "what a second reading of the rules finds is found" {
	cat >draw.py <<-'END'
	import itertools, json, random, sys
	random.seed(7)
	pieces = list("{}[]\":,\\ \n`a1'") + ['{"a":', '"}', '{"', '```', '{"a":1}', '\\"', '":"', '"{', '},', '1}', '":{', "true", "\n```", "```json\n", "{}"]
	pieces += ["a:", "{a", "//", "“", "”:", "\"}}", ":{\"a\":1}}"]
	tags = ["<think>", "</think>", "[analysis]", "[/analysis]", "<x:think>", "<|channel|>analysis", "<|channel|>final", "<|end|>", "<channel|>", "<think", ">", "|", "/"]
	for n in range(5):
	    for word in itertools.product('{}["\\:,1', repeat=n):
	        print(json.dumps({"text": "".join(word)}))
	for i in range(int(sys.argv[1])):
	    share = random.choice([0, .1, .3])
	    print(json.dumps({"text": "".join(random.choice(tags if random.random() < share else pieces) for _ in range(random.randrange(2, 40)))}))
	END
	python3 draw.py "$(scale 35000 3000000)" >in
	python3 "$ROOT/tests/oracle/extract.py" records <in >want
	lh-extract-json --wire in >got
	[ "$(grep -c true got)" -gt 7000 ]
	cmp want got
	lh-extract-json in | jq -cS '{matched, value}' | cmp - <(jq -cS . want)
}

@test "--field takes a path; one that no record has is named at the end" {
	run -0 lh-extract-json --field reply.0.text <<<'{"reply":[{"text":"x {\"a\":1}"}]}'
	[ "$output" = '{"reply":[{"text":"x {\"a\":1}"}],"matched":true,"value":{"a":1}}' ]
	run -1 --separate-stderr lh-extract-json --field reply.text <<<'{"reply":[{"text":"{}"}]}'
	[ "${stderr_lines[1]}" = 'lh-extract-json: --field: no record has "reply.text"' ]
}

@test "--field names the text; a record without it is rejected" {
	run -0 lh-extract-json --field reply <<<'{"text":"{}","reply":"{\"a\":1}"}'
	[ "$output" = '{"text":"{}","reply":"{\"a\":1}","matched":true,"value":{"a":1}}' ]
	for record in '{"reply":"{}"}' '{"text":null}' '{}' '{"text":5}' '{"text":{"a":1}}'; do
		run -1 --separate-stderr lh-extract-json <<<"$record"
		[ -z "$output" ]
		want='missing "text" (string)'
		[[ $record != *'"text":'[5{]* ]] || want='"text" must be a string'
		[ "${stderr_lines[0]}" = "lh-extract-json: -:1: $want" ]
		[ "${stderr_lines[1]}" = 'lh-extract-json: 1 of 1 records rejected' ]
	done
	run -1 --separate-stderr lh-extract-json --on-error emit <<<'{"id":"q"}'
	[ "$output" = '{"id":"q","error":{"file":"-","line":1,"code":400,"message":"missing \"text\" (string)"}}' ]
}

@test "no object is not an error, but with --require it is status 1" {
	printf '%s\n' '{"text":"none"}' '{"text":"{}"}' >in
	run -0 --separate-stderr lh-extract-json in
	[ "${lines[0]}" = '{"text":"none","matched":false,"value":null}' ]
	run -1 --separate-stderr lh-extract-json --require in
	[ "${#lines[@]}" = 2 ]
	[ -z "$stderr" ]
	run -0 lh-extract-json --require <<<'{"text":"{}"}'
	echo none >none.txt
	run -1 lh-extract-json --raw-input --require none.txt
	[ "$output" = "$NONE" ]
}

@test "each operand of --raw-input is one text, also an empty or compressed one" {
	printf 'a {"a":1}\n{"b":2}\n' >one
	: >empty
	printf 'c {"c":3}' | gzip >three.gz
	run -0 --separate-stderr lh-extract-json --raw-input one empty three.gz - <<<'{"d":4}'
	[ "${lines[0]}" = '{"matched":true,"value":{"a":1}}' ]
	[ "${lines[1]}" = "$NONE" ]
	[ "${lines[2]}" = '{"matched":true,"value":{"c":3}}' ]
	[ "${lines[3]}" = '{"matched":true,"value":{"d":4}}' ]
	[ "${#lines[@]}" = 4 ]
	run -2 --separate-stderr lh-extract-json --raw-input one absent empty
	[ "${#lines[@]}" = 2 ]
	[[ $stderr == 'lh-extract-json: absent: cannot open'* ]]
}

@test "each member of an archive is one text" {
	printf 'a\n{"a":1}\n' >one
	printf 'b\n{"b":\n2}\n' >two
	: >three
	tar cf all.tar one two three
	run -0 --separate-stderr lh-extract-json --raw-input all.tar
	[ "${lines[0]}" = '{"matched":true,"value":{"a":1}}' ]
	[ "${lines[1]}" = '{"matched":true,"value":{"b":2}}' ]
	[ "${lines[2]}" = "$NONE" ]
	[ "${#lines[@]}" = 3 ]
	printf 'PK\005\006%.0s\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' x >none.zip
	run -0 --separate-stderr lh-extract-json --raw-input none.zip
	[ -z "$output" ]
}

@test "a text beyond --max-line is refused, and the next one is read" {
	{ times x 2000000; echo '{"a":1}'; } >big
	times x 1023 >fits
	times x 1025 >over
	echo '{"b":2}' >small
	run -1 --separate-stderr lh-extract-json --raw-input --max-line 1K big fits over small
	[ "${lines[0]}" = "$NONE" ]
	[ "${lines[1]}" = '{"matched":true,"value":{"b":2}}' ]
	[ "${#lines[@]}" = 2 ]
	[ "${stderr_lines[0]}" = 'lh-extract-json: big:1: text is longer than 1024 bytes (--max-line)' ]
	[ "${stderr_lines[1]}" = 'lh-extract-json: over:1: text is longer than 1024 bytes (--max-line)' ]
	[ "${stderr_lines[2]}" = 'lh-extract-json: 2 of 4 records rejected' ]
	run -1 lh-extract-json -q --raw-input --max-line 1K --on-error emit --rejects bad big
	[ "${lines[0]}" = '{"error":{"file":"big","line":1,"code":413,"message":"text is longer than 1024 bytes (--max-line)"}}' ]
	cmp bad <(cat big; echo)
}

@test "both sets of kernels find the same" {
	python3 -c 'import json
for i in range(300):
	print(json.dumps({"text": "é" * (i % 70) + "{\"" + "x" * i + "ü\":\"" + "\\\\" * (i % 9) + "\"} and" + "`" * (i % 7)}))' >in
	lh-extract-json in | cmp - <(LH_KERNEL=portable lh-extract-json in)
	[ "$(lh-extract-json in | grep -c '"matched":true')" = 300 ]
}
