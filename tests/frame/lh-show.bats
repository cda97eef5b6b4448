# Records for people.  What a terminal shows is in people/show.bats.
load ../helper

# raw FILE - whether it has what must not reach a terminal.
raw() {
	LC_ALL=C grep -q -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf' "$1" ||
		perl -CSD -ne '$n = 1 if /(?![\x{FE00}-\x{FE0F}])[\p{DI}\x{2800}]/; END { exit !$n }' "$1"
}

@test "the table of plain records has all members as columns, and numbers as they are written" {
	cat >in <<-'END'
	{"name":"Ann","n":1e400,"rate":0.10,"tags":["a","b"],"more":{"x":[1]}}
	{"name":"Bob","n":-12345678901234567890123,"rate":null,"new":true,"name2":""}
	END
	cat >want <<-'END'
	name                         n  rate  tags  more       new   name2
	----  ------------------------  ----  ----  ---------  ----  -----
	Ann                      1e400  0.10  a, b  {"x":[1]}
	Bob   -12345678901234567890123  null                   true  ""
	END
	lh-show in >out
	diff want out
	lh-show <in | diff want -
	gzip -k in
	lh-show in.gz | diff want -
}

@test "values that are not objects are shown in the column value" {
	printf '1.50\n"a b"\n[1,"x"]\n[[1]]\nnull\n' >in
	lh-show in >out
	diff - out <<-'END'
	value
	-----
	1.50
	a b
	1, x
	[[1]]
	null
	END
}

@test "each kind has its columns" {
	F=$ROOT/share/fixtures
	header() { head -n 1 | sed 's/  */ /g'; }
	[ "$(lh-gen workers -n 1 | lh-show | header)" = "candidate_id name role city state status skills certifications" ]
	[ "$(cat "$F"/schemas/valid/evidence_record-full.json | lh-show | header)" = "timestamp run_id task_id model_name observer_verdict text" ]
	[ "$(cat "$F"/schemas/valid/scored_run-full.json | lh-show | header)" = "evidence_run_id evidence_task_id category reasons scored_at" ]
	[ "$(cat "$F"/schemas/valid/rag_sample-full.json | lh-show | header)" = "id success_score title tags content" ]
	[ "$(cat "$F"/schemas/valid/sft_sample-full.json | lh-show | header)" = "id quality_score instruction response" ]
	[ "$(cat "$F"/schemas/valid/preference_sample-full.json | lh-show | header)" = "id prompt chosen rejected reason" ]
	[ "$(cat "$F"/session/accepted_grounded.row.json | lh-show | header)" = "timestamp session_id kind model iterations final_verdict grounded_in_roster duration_ms prompt" ]
	[ "$(echo '{"id":1,"error":{"file":"a","line":2,"code":400,"message":"m"}}' | lh-show | header)" = "id file line code message" ]
	lh-gen workers -n 1 >w.jsonl
	[ "$(jq -c '{id, to: .phone, body: "Hi", context: {candidate_id}}' w.jsonl | lh-validate --kind sms --roster w.jsonl |
		lh-show | header)" = "id to status findings" ]
	(umask 077; printf '%032d' 0 >key)
	echo '{"candidate_id":"W-1","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":["name"],"result":"success"}' |
		lh-subject-audit append -q --key-file key --sync none --dir audit.d >/dev/null
	[ "$(lh-show audit.d/*.jsonl | header)" = "ts candidate_id daemon kind purpose fields_accessed result" ]
}

@test "hits are rows below their query, with the columns of their metadata" {
	cat >in <<-'END'
	{"query_text":"welder in Gary","results":[{"id":"w-7","distance":0.25,"corpus":"day","metadata":{"id":"w-7","candidate_id":"w-7","name":"Ann","role":"Welder"}},{"id":"w-9","distance":0.5,"corpus":"day"}]}
	{"query_text":"cook","results":[]}
	END
	lh-show in >out
	diff - out <<-'END'
	rank  distance  corpus  id   name  role
	----  --------  ------  ---  ----  ------
	> welder in Gary
	   1      0.25  day     w-7  Ann   Welder
	   2       0.5  day     w-9
	> cook
	END
	lh-gen workers -n 50 | lh-index build workers.lhv
	lh-search -k 2 -Q welder workers.lhv | lh-show | grep -A 2 '^rank' | grep -c '^> welder$'
	lh-search --flat -k 1 -Q welder workers.lhv | lh-show | first 1 | grep '^query_text  *rank  *distance'
}

@test "a column is named by the whole name of its member, dots and all, without its path" {
	echo '{"query":"q","rank":1,"id":"x","distance":0.5,"metadata":{"a.b":1,"c.d":2,"d":3,"site.name":"x","id":4,"é.é":5}}' >in
	lh-show in >out
	diff - out <<-'END'
	query  rank  distance  id  a.b  c.d   d  site.name  metadata.id  é.é
	-----  ----  --------  --  ---  ---  --  ---------  -----------  ---
	q         1       0.5  x     1    2   3  x                    4    5
	END
}

@test "--columns chooses the columns, by paths" {
	lh-gen workers -n 1 >w
	echo '{"a":{"b":[{"c":1}],"d":2},"a.d":3}' >in
	run -1 --separate-stderr lh-show --columns "a.b.0.c, a.d ,none,a.b.1.c" in
	[ "$stderr" = 'lh-show: --columns: no record has "none"
lh-show: --columns: no record has "a.b.1.c"' ]
	echo "$output" >out
	diff - out <<-'END'
	a.b.0.c  a.d  none  a.b.1.c
	-------  ---  ----  -------
	      1    3
	END
	seq 1100 | jq -c '{a: .} + if . > 1050 then {late: 1} else {} end' >many
	lh-show --columns a,late many 2>err >out
	[ ! -s err ]
	run -2 lh-show --columns ,, w
	[ "$output" = 'lh-show: --columns: ",," names no column' ]
	run -2 lh-show --columns a --card w
	[ "$output" = "lh-show: --columns is for a table, not for --card" ]
	run -2 lh-show --table --card w
	[ "$output" = "lh-show: --table, --card and --diff exclude each other" ]
	lh-show --table w | cmp - <(lh-show w)
}

@test "a bad line is reported with file and line, kept in rejects; exit 1" {
	printf '{"a":1}\nno json\n{"a":\xff}\n{"a":2}\n' >in
	for options in --table --card; do
		run -1 --separate-stderr lh-show $options --rejects rejected in
		[ "$stderr" = 'lh-show: in:2:1: expected a value
lh-show: in:3:6: expected a value
lh-show: 2 of 4 records rejected' ]
		sed -n 2,3p in | cmp - rejected
		rm rejected
	done
	run -1 --separate-stderr lh-show --on-error stop in
	[ "$output" = $' a\n--\n 1' ]
}

@test "a record that no column shows is shown as it is" {
	printf '{"name":"Ann","role":"Welder"}\n{"name":"Bob","role":"Cook"}\n{"other":[1.50]}\n' | lh-show >out
	diff - out <<-'END'
	name  role
	----  ------
	Ann   Welder
	Bob   Cook
	? {"other":[1.50]}
	END
}

@test "controls, escape sequences and marks of direction never come out raw" {
	python3 - >in <<-'END'
	import json
	bad = "".join(map(chr, [*range(32), 127, *range(0x80, 0xa0), 0xad, 0x61c, *range(0x200b, 0x2010), *range(0x2028, 0x202f),
	               *range(0x2060, 0x2070), 0xfeff, *range(0xfff0, 0xfffc), 0xe0001, 0xe007f, 0xe0100, 0xe01ef,
	               0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, *range(0x180b, 0x1810), 0x2800, 0x3164, 0xffa0]))
	for ascii in True, False:
	    for r in {bad: bad}, {"query_text": bad, "results": [{"id": bad, "distance": 1, "metadata": {bad: bad}}]}, [bad], bad, {"a": {bad: [bad, {bad: bad}]}}:
	        print(json.dumps(r, ensure_ascii=ascii))
	print("\x1b[31m" + bad.replace("\n", "") + '{"a":1}')
	END
	cp in $'\e[31m'
	for options in "" --card --diff "--width 40" "--card --color always" "--color always"; do
		run -1 bash -c "lh-show $options \$'\\e[31m' >out 2>err"
		[ -s out ]
		sed -i 's/\x1b\[[0-9;]*m//g' out err
		run ! raw out
		run ! raw err
	done
	run ! lh-show --color $'\e' in
	[[ $output != *$'\e'* ]]
}

@test "an emoji keeps its variation selector, and a blank that is no space is written as its number" {
	printf '{"a":"\xe2\x9d\xa4\xef\xb8\x8f","b":"x\xe3\x85\xa4y\xe2\xa0\x80"}\n' >in
	[ "$(lh-show in | tail -n 1)" = $'\xe2\x9d\xa4\xef\xb8\x8f   x\\xe3\\x85\\xa4y\\xe2\\xa0\\x80' ]
}

@test "--card shows all values of each record with their paths" {
	cat >in <<-'END'
	{"id":"w-1","note":"one\ntwo\n\nthree","tags":["a","b"],"at":{"city":"Gary","deep":{"x":1.0}},"list":[{"a":1},2],"e":{},"s":"","a member whose name is very long indeed":1}
	[1,2]
	END
	lh-show --card in >out
	diff - out <<-'END'
	--- in:1
	id         w-1
	note       one
	           two
	
	           three
	tags       a, b
	at.city    Gary
	at.deep.x  1.0
	list[0].a  1
	list[1]    2
	e          {}
	s          ""
	a member whose name is very long indeed
	           1
	
	--- in:2
	1, 2
	END
	# a vector is how many numbers it has, one of four values and a list with a text are themselves
	seq -f '%.0f.5' 768 | jq -sc '{vector: ., v: .[:4], mixed: (.[:40] + ["x"])}' >in
	[ "$(lh-show --card in | sed -n 2p)" = 'vector  768 numbers' ]
	[ "$(lh-show --card in | sed -n 3p)" = 'v       1.5, 2.5, 3.5, 4.5' ]
	[[ $(lh-show --card in | sed -n 4p) == 'mixed   1.5, 2.5, '*', x' ]]
}

@test "--diff shows two records next to each other, and exit 1 says that they differ" {
	printf '{"a":1,"b":{"x":1.0,"y":[1,2]},"c":"left"}\n{"b":{"y":[1,3,4],"x":1},"a":1,"d":"right"}\n{"not":"compared"}\n' >in
	run -1 lh-show --diff in
	diff - <(echo "$output") <<-'END'
	    member  in:1  in:2
	--  ------  ----  -----
	    a       1     1
	~   b.x     1.0   1
	    b.y[0]  1     1
	|   b.y[1]  2     3
	<   c       left
	>   b.y[2]        4
	>   d             right
	END
	run -0 lh-show --diff in in
	printf '{"a":1}\n' >one
	run -1 lh-show --diff in one
	[[ $output == *in:1*one:1* ]]
	run -2 lh-show --diff one
	[ "${lines[-1]}" = "lh-show: --diff needs two records, and there is one" ]
	run -2 lh-show --diff one one one
}

# bats test_tags=full
@test "a million records take no more memory than a few thousand" {
	plain_only "memory"
	for options in "" --card; do
		repeat "$(scale 100000 1000000)" '{"name":"Ann Example","n":1.50,"tags":["a","b"],"more":{"x":"some text that is longer"}}' |
			prlimit --as=80000000 lh-show $options >out
		[ "$(wc -l <out)" -ge "$(scale 100000 1000000)" ]
	done
}

# --card of the second is 500 MB of indentation
# bats test_tags=full
@test "a huge line, deep nesting and very many members are shown in bounded memory" {
	plain_only "memory"
	{ printf '{"a":"'; stretch 4000000 'word '; echo '","b":1}'; } >huge
	{ repeat 500 '[' | tr -d '\n'; repeat 100000 0 | paste -sd,; repeat 500 ']' | tr -d '\n'; echo; } | tr -d '\n' >deep
	echo >>deep
	python3 -c 'print("{" + ",".join("\"m%d\":%d" % (i, i) for i in range(60000)) + "}")' >wide
	for options in "" --card; do
		for file in huge deep wide; do
			prlimit --as=200000000 lh-show $options $file | wc -c >size
			[ "$(cat size)" -gt 100 ] || { echo "$options $file"; return 1; }
		done
	done
	lh-show wide | first 1 | grep '+more$'
	repeat 513 '[' | tr -d '\n' | (cat; echo) | { run -1 lh-show; [[ $output == *"nested deeper"* ]]; }
}

@test "a width cuts what is wider and leaves out what does not fit" {
	printf '{"t":"one two three four five six","n":%s,"more":"x","last":"yyyyyyyyyyyyyyyyyyyyyyyyyy"}\n' 1 1234567890123456789 >in
	lh-show --width 46 in >out
	diff - out <<-'END'
	t                                n  more  +1
	-------------  -------------------  ----
	one two thre…                    1  x
	one two thre…  1234567890123456789  x
	END
}

@test "the error of a verdict is shown in words" {
	echo '{"kind":"fill","artifact":{"fills":[{}]}}' | lh-validate >judged || [ $? = 1 ]
	run -0 lh-show judged
	[[ ${lines[2]} == *'422  schema: fills[0].candidate_id: missing'* ]] || { echo "$output"; return 1; }
	[[ $(lh-show --card judged) != *'"Schema"'* ]]
	# a member of that name with something else in it is as it was
	[[ $(lh-show <<<'{"a":{"Schema":{"x":1}}}') == *'{"Schema":{"x":1}}'* ]]
}

@test "a number that is missing leaves the columns after it where they are" {
	printf '{"a":1,"n":2222222,"b":"x"}\n{"a":1,"b":"y"}\n' >in
	lh-show in >out
	diff - out <<-'END'
	 a        n  b
	--  -------  --
	 1  2222222  x
	 1           y
	END
}

@test "--mark marks words in colour, whatever their case, accents and endings, and no short ones" {
	echo '{"t":"Two NURSES in Caf\u00e9 12, nursery","n":12}' >in
	lh-show --color always --mark 'a nurse in cafe 12' in | tail -n 1 >out
	bold=$'\x1b[1;33m' end=$'\x1b[0m'
	[ "$(cat out)" = "Two ${bold}NURSES$end in ${bold}Café$end ${bold}12$end, nursery  ${bold}12$end" ]
	[ "$(lh-show --mark nurse in)" = "$(lh-show in)" ]
	[ "$(lh-show --color always --mark 'in a' in)" = "$(lh-show --color always in)" ]
	run -2 lh-show --mark $'\xff' in
	[ "$output" = 'lh-show: --mark is not UTF-8' ]
}
