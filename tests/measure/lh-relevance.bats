# lh-relevance: each signal of a chunk, what is kept, and the gate.
# bats file_tags=quick
load ../helper

FOCUS='{"path":"src/store/log.c","defined_symbols":["log_open","Log::append"],"imported_symbols":["memchr"]}'

# score CHUNK [FOCUS] - "score kept signal..." of a chunk of that path and text.
score() {
	echo '{"focus":'"${2:-$FOCUS}"','"$1"'}' | lh-relevance |
		jq -r '.relevance | "\(.score) \(.kept) \([.signals[] | "\(.signal)=\(.weight)"] | join(" "))"'
}

# ---- the signals ----

@test "path_match +1.0: the chunk is of the file, or names its path" {
	[ "$(score '"path":"src/store/log.c","text":"-"')" = '1.9 true path_match=1 filename_match=0.6 path_prefix_match=0.3' ]
	[ "$(score '"path":"./src/store/log.c","text":"-"' '{"path":"././src/store/log.c"}')" = '1.9 true path_match=1 filename_match=0.6 path_prefix_match=0.3' ]
	for text in 'src/store/log.c' '(src/store/log.c:17)' 'see src/store/log.c.' 'it is /home/x/src/store/log.c, I think' './src/store/log.c'; do
		[ "$(score '"text":"'"$text"'"')" = '1.6 true path_match=1 filename_match=0.6' ] || { echo "$text"; return 1; }
	done
	for text in 'src/store/log.cc' 'xsrc/store/log.c' 'src/store/log.c.orig' 'src/store/log.c/x' 'SRC/store/log.c é.src/store/log.c' 'lib-src/store/log.c'; do
		[[ $(score '"text":"'"$text"'"') != *path_match* ]] || { echo "$text"; return 1; }
	done
}

@test "filename_match +0.6: the chunk is of a file of that name, or names it" {
	[ "$(score '"path":"lib/log.c","text":"-"')" = '0.6 true filename_match=0.6' ]
	[ "$(score '"path":"log.c","text":"-"')" = '0.6 true filename_match=0.6' ]
	[ "$(score '"text":"as in log.c, line 5"')" = '0.6 true filename_match=0.6' ]
	[ "$(score '"text":"other/log.c"')" = '0.6 true filename_match=0.6' ]
	[ "$(score '"path":"lib/catalog.c","text":"catalog.c and log.cpp and log.c2 and a.log.c"')" = '0 false ' ]
}

@test "defined_symbol_match +0.6: the chunk holds a symbol that the file defines, as a whole word" {
	[ "$(score '"text":"log_open(x)"')" = '0.6 true defined_symbol_match=0.6' ]
	[ "$(score '"text":"other->append()"' '{"defined_symbols":["Log::append"]}')" = '0.6 true defined_symbol_match=0.6' ]
	[ "$(score '"text":"log_open2 xlog_open LOG_OPEN Log"')" = '0 false ' ]
	[ "$(score '"text":"größe(1)"' '{"defined_symbols":["größe","::"]}')" = '0.6 true defined_symbol_match=0.6' ]
}

@test "token_overlap +0.4 x Jaccard: words in both over words in either" {
	[ "$(score '"text":"OPEN the door"' '{"text":"open the log"}')" = '0.2 false token_overlap=0.2' ]
	[ "$(score '"text":"log open the the"' '{"text":"open the log"}')" = '0.4 true token_overlap=0.4' ]
	[ "$(score '"text":"of it"' '{"text":"of it"}')" = '0 false ' ]
	[ "$(score '"text":""' '{"text":"open"}')" = '0 false ' ]
	[ "$(echo '{"text":"aaa bbb ccc","focus":{"text":"bbb ddd"}}' | lh-relevance | jq -c .relevance.signals)" = '[{"signal":"token_overlap","weight":0.1,"jaccard":0.25}]' ]
}

@test "path_prefix_match +0.3: the chunk is of the file's folder or one below, and that is just enough" {
	[ "$(score '"path":"src/store/a.c","text":"-"')" = '0.3 true path_prefix_match=0.3' ]
	[ "$(score '"path":"src/store/x/y/a.c","text":"-"')" = '0.3 true path_prefix_match=0.3' ]
	[ "$(score '"path":"src/a.c","text":"-"')" = '0 false ' ]
	[ "$(score '"path":"src/store2/a.c","text":"-"')" = '0 false ' ]
	[ "$(score '"path":"b.c","text":"-"' '{"path":"a.c"}')" = '0 false ' ]
}

@test "import_only -0.5: the chunk is nothing but imports" {
	while IFS= read -r text; do
		[ "$(score '"path":"src/store/a","text":"'"$text"'"')" = '-0.2 false path_prefix_match=0.3 import_only=-0.5' ] || { echo "$text"; return 1; }
	done <<-'END'
	#include <stdio.h>
	// what it needs\n\n#include \"a.h\"\n#include <b.h>\n
	import os\r\nimport sys\r\n
	from os import (\n    path,\n    sep,\n)
	# comment\nfrom a.b import c  # why
	import (\n\t\"fmt\"\n\t\"os\"\n)
	package main\n\nimport \"fmt\"
	import { a,\n  b } from './c';\nexport * from \"./d\";
	use std::io;\npub use crate::{\n    a,\n    b,\n};\nextern crate c;
	using System.Linq;
	require 'json'\nrequire_relative \"x\"
	const fs = require('fs');\nlet p = require(\"path\")
	END
	while IFS= read -r text; do
		[[ $(score '"path":"src/store/a","text":"'"$text"'"') != *import_only* ]] || { echo "$text"; return 1; }
	done <<-'END'
	
	// a comment alone
	import os\nos.exit()
	#define A 1\n#include <a.h>
	use the crane with care
	from here to there
	package of ten
	require a licence
	important
	const a = 1;
	export default a
	END
}

@test "import_only -0.5: the chunk holds a symbol that the file imports and none that it defines" {
	[ "$(score '"text":"memchr()"')" = '-0.5 false import_only=-0.5' ]
	[ "$(score '"text":"memchr() in log_open()"')" = '0.6 true defined_symbol_match=0.6' ]
	[ "$(score '"text":"memchr2()"')" = '0 false ' ]
}

@test "a record with several chunks gets what each of them gets alone" {
	focus='{"path":"src/log.c","defined_symbols":["log_open"],"imported_symbols":["memchr"]}'
	chunks='[{"text":"see src/log.c","path":"a.c"},{"text":"log_open()"},{"path":"src/log.c","text":null},{"text":"caf\u00e9","path":"x/y"}]'
	echo '{"id":1,"focus":'"$focus"',"chunks":'"$chunks"',"k": 0.0}' | lh-relevance >got
	jq -c --argjson f "$focus" '.[] | .focus = $f' <<<"$chunks" | lh-relevance | jq -c .relevance | jq -sc '{id: 1, k: 0.0, relevance: .}' >want
	diff <(jq -c . want) <(jq -c . got)
	[ "$(jq '.relevance | length' got)" = 4 ]
	grep -qF '"k": 0.0,"relevance":[{' got
	while IFS='|' read -r message bad; do
		echo '{"focus":{},"chunks":'"$bad"'}' | lh-relevance -q --on-error emit >out || [ $? = 1 ]
		[ "$(jq -r .error.message out)" = "$message" ] || { cat out; return 1; }
	done <<-'END'
	chunks[1] must be an object|[{"text":"a"},7]
	missing chunks[0].text (string)|[{"path":"a"}]
	"chunks" must be an array of objects|{}
	END
	[ "$(echo '{"focus":{},"chunks":[]}' | lh-relevance)" = '{"relevance":[]}' ]
}

# ---- what becomes of them ----

@test "--threshold says what is kept, and --kept prints nothing else" {
	for i in a/b a c; do echo '{"text":"-","path":"'$i'/x","focus":{"path":"a/y"}}'; done >in
	[ "$(lh-relevance in | jq -c '[.path, .relevance.kept]')" = '["a/b/x",true]
["a/x",true]
["c/x",false]' ]
	[ "$(lh-relevance --kept in | jq -r .path | paste -sd' ')" = 'a/b/x a/x' ]
	[ "$(lh-relevance --kept --threshold 0.31 in)" = '' ]
	[ "$(lh-relevance --threshold 0 in | jq -c .relevance.kept | sort -u)" = true ]
	[ "$(lh-relevance --threshold 0.25 in | jq .relevance.threshold | sort -u)" = 0.25 ]
	run -2 lh-relevance --threshold=-1 in
	run -2 lh-relevance --threshold x in
}

@test "--kept with --on-error emit has a line for each record, of those not kept the verdict alone" {
	printf '%s\n' '{"id":1,"text":"-"}' '{"id":2,"text":"log_open()"}' '{"text":"-"}' '{"id":4}' 'x' >in
	echo "$FOCUS" >focus.json
	run -1 --separate-stderr lh-relevance --focus focus.json --kept --on-error emit in
	[ "${#lines[@]}" = 5 ]
	[ "${lines[0]}" = '{"id":1,"relevance":{"score":0,"threshold":0.3,"kept":false,"signals":[]}}' ]
	[ "$(jq -c '[.id, .text, .relevance.kept]' <<<"${lines[1]}")" = '[2,"log_open()",true]' ]
	[ "${lines[2]}" = '{"relevance":{"score":0,"threshold":0.3,"kept":false,"signals":[]}}' ]
	[ "$(jq -c '[.id, .error.code]' <<<"${lines[3]}${lines[4]}" | xargs)" = '[4,400] [null,400]' ]
	run -1 --separate-stderr lh-relevance gate --on-error emit <<<$'{"mode":"","model":"m"}\n{"mode":"a"}\n{"mode":"a","model":"m"}\nx'
	[ "$(jq -c '.error.code // .mode' <<<"$output" | xargs)" = '400 400 a 400' ]
}

@test "--focus holds for records without one of their own" {
	echo "$FOCUS" >focus.json
	(echo '{"text":"-","path":"src/store/a.c"}'; echo '{"text":"-","path":"src/store/a.c","focus":{"path":"a.c"}}'; echo '{"text":"-","path":"src/store/a.c"}') >in
	[ "$(lh-relevance --focus focus.json in | jq -c '[.relevance.signals[].signal]')" = '["path_prefix_match"]
["filename_match"]
["path_prefix_match"]' ]
	for bad in '[]' '{' '' '{"path":1}' '{"defined_symbols":[1]}' '{"path":"a","path":"b"}'; do
		printf %s "$bad" >focus.json
		run -2 --separate-stderr lh-relevance --focus focus.json in
		[ -z "$output" ]
		[[ $stderr == 'lh-relevance: --focus focus.json: '* ]] || { echo "$bad: $stderr"; return 1; }
	done
	run -2 lh-relevance --focus absent in
	run -2 lh-relevance --focus . in
}

@test "a record passes through as it was, with relevance at its end" {
	run -0 lh-relevance <<<'{"n" : 1.0,"relevance":5,"text":"\u0041","focus":{},"big":12345678901234567890}'
	[ "$output" = '{"n" : 1.0,"text":"\u0041","focus":{},"big":12345678901234567890,"relevance":{"score":0,"threshold":0.3,"kept":false,"signals":[]}}' ]
}

@test "a record without a file under review is rejected, and so is a path of more than 4096 bytes" {
	echo '{"text":"a"}' >in
	python3 -c 'print("{\"text\":\"a\",\"focus\":{\"path\":\"" + "a" * 4097 + "\"}}")' >>in
	run -1 --separate-stderr lh-relevance in
	[ "$(sed 's/^lh-relevance: in:[0-9]*: //' <<<"$stderr")" = 'missing "focus" (object) or --focus
"focus.path" is longer than 4096 bytes
lh-relevance: 2 of 2 records rejected' ]
}

@test "text made to be slow to look through is not" {
	python3 - >in <<-'END'
	import json
	print(json.dumps({"text": "a" * 3000000, "focus": {"path": "a" * 4000, "text": "a" * 3000000}}))
	print(json.dumps({"text": "a/" * 1000000, "focus": {"path": "a/" * 2000 + "a"}}))
	print(json.dumps({"text": "{\n" * 1000000 + "import x", "focus": {}}))
	print(json.dumps({"text": " ".join("w%d" % i for i in range(300000)), "focus": {"defined_symbols": ["s%d" % i for i in range(300000)]}}))
	END
	patiently lh-relevance in >out
	[ "$(wc -l <out)" = 4 ]
}

# ---- the gate ----

# gate MODE MODEL [FORCED] - the mode, which says what it was before if that was another.
gate() {
	jq -nc --arg mode "$1" --arg model "$2" '{mode: $mode, model: $model}'"${3:+ + {forced: $3\}}" |
		lh-relevance gate | jq -r --arg was "$1" 'if .downgraded_from == (if .mode == $was then null else $was end) then .mode else . end'
}

@test "gate: codereview_lakehouse becomes codereview_isolation, unless it is forced or the model is weak" {
	while read -r to model forced; do
		[ "$(gate codereview_lakehouse "$model" $forced)" = "$to" ] || { echo "$model $forced: not $to"; return 1; }
	done < <(
		printf '%s\n' kimi-k2{,' false',' null'} a:freed a:FREE free a/free/b qwen3 qwen3.5 qwen3:latest2 xqwen3:latest qwen2.5:latest Qwen3:latest |
			sed 's/^/codereview_isolation /'
		printf 'codereview_lakehouse %s\n' 'kimi-k2 true' openai/gpt-oss-20b:free :free a:free/b qwen3.5:latest qwen3:latest
	)
	for value in 1 0 false; do
		[ "$(LH_FORCE_FULL_ENRICHMENT=$value gate codereview_lakehouse kimi-k2)" = codereview_lakehouse ]
	done
	[ "$(LH_FORCE_FULL_ENRICHMENT='' gate codereview_lakehouse '')" = codereview_isolation ]
	run -0 lh-relevance gate <<<'{"id":1.0,"mode":"codereview_\u006cakehouse","downgraded_from":"old","model":"m"}'
	[ "$output" = '{"id":1.0,"model":"m","mode":"codereview_isolation","downgraded_from":"codereview_\u006cakehouse"}' ]
}

@test "gate: any other mode stays, whatever the model" {
	for mode in codereview_isolation codereview_lakehouse2 codereview staffing CODEREVIEW_LAKEHOUSE; do
		[ "$(gate $mode kimi-k2)" = $mode ]
	done
	run -0 lh-relevance gate <<<'{"mode":"a","downgraded_from":"old","model":"m"}'
	[ "$output" = '{"model":"m","mode":"a"}' ]
}

@test "gate: an empty mode is an error, and so is a record without a model" {
	run -1 --separate-stderr lh-relevance gate <<<'{"mode":"","model":"m"}'
	[ "${stderr_lines[0]}" = 'lh-relevance: -:1: "mode" must not be empty' ]
	run -1 --separate-stderr lh-relevance gate <<<'{"mode":"a"}'
	[ "${stderr_lines[0]}" = 'lh-relevance: -:1: missing "model" (string)' ]
	run -2 --separate-stderr lh-relevance gate --kept
	[ "$stderr" = 'lh-relevance: --kept: not an option of "lh-relevance gate", but of lh-relevance' ]
}
