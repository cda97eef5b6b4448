# Two commands over one fixture: what matches, what does not, and what a command
# may do to lh-parity.  The probes themselves are in parity.bats.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	printf '%s\n' '{"name":"one","x":1}' '{"x":2}' '{"name":"three","x":3}' >three.jsonl
	echo '{"name":"a","x":1}' >one.jsonl
}

# parity [-STATUS] ARGUMENT... - run it with a guard against hanging; lines in out.
parity() {
	local want=
	[[ ${1-} != -[0-2] ]] || { want=${1#-}; shift; }
	status=0
	[ "${1:-}" = all ] || set -- --timeout "$LH_PATIENCE" "$@"
	patiently lh-parity "$@" >out 2>err || status=$?
	[ "$status" != 124 ] || { echo "lh-parity hangs: $*"; return 1; }
	[ "$status" = "${want:-$status}" ] || { echo "lh-parity $*: exit $status"; cut -c1-300 out err; return 1; }
}

# says MATCH LEFT RIGHT [ARGUMENT...] - whether these two answers, as text, match.
says() {
	local want=$1
	printf '%s\n' "$2" >left
	printf '%s\n' "$3" >right
	shift 3
	parity --per-record --left 'cat left' --right 'cat right' "$@" one.jsonl
	[ "$(head -n 1 out | jq .match)" = "$want" ] || { cat left right out err; return 1; }
	[ "$status" = "$([ "$want" = true ] && echo 0 || echo 1)" ]
}

# because TEXT - that is the detail of the first case.
because() {
	[ "$(head -n 1 out | jq -r .detail)" = "$1" ] || { head -n 1 out; return 1; }
}

# as_patient parity [-STATUS] ARGUMENT... - with a --timeout of $patience, which grows until the
# first case matches: how soon a shell answers is not what is tested.
as_patient() {
	for patience in 0.5 5 50 500; do
		"$@" --timeout $patience
		[ "$(head -n 1 out | jq .match)" != true ] || break
	done
}

# is_gone NAME - no process that was started under that name is left.
is_gone() {
	until_so eval "! pgrep -f '$1'"
}

# ---- lines, names, status ----

@test "two commands that answer alike: a line a case, one for the probe, exit 0" {
	parity -0 --left cat --right 'jq -c --unbuffered .' three.jsonl
	[ ! -s err ]
	diff out - <<-'END'
	{"probe":"three","name":"one","match":true,"skipped":false,"detail":""}
	{"probe":"three","name":"2","match":true,"skipped":false,"detail":""}
	{"probe":"three","name":"three","match":true,"skipped":false,"detail":""}
	{"probe":"three","passed":3,"failed":0,"skipped":0,"total":3}
	END
}

@test "a case that differs is named with the place, and the exit status is 1" {
	parity -1 --probe p --left cat --right 'sed -u s/2/4/' three.jsonl
	diff out - <<-'END'
	{"probe":"p","name":"one","match":true,"skipped":false,"detail":""}
	{"probe":"p","name":"2","match":false,"skipped":false,"detail":"x: 2 against 4"}
	{"probe":"p","name":"three","match":true,"skipped":false,"detail":""}
	{"probe":"p","passed":2,"failed":1,"skipped":0,"total":3}
	END
}

@test "a name that is not a string is ignored, a number of blank lines is not" {
	printf '\n{"name":7,"a":1}\n\n{"name":"\\u00e9","a":1}\n' >f.jsonl
	parity --left cat --right cat f.jsonl
	[ "$(jq -r '.name // empty' out)" = $'2\né' ]
}

@test "a co-process gets the record as it is, a process per case gets it and an LF" {
	printf '{ "x" : 1.0,\t"y":"\\u00e9" }\r\n' >f.jsonl
	parity -0 --compare exact --left cat --right "read -r line; printf '%s\\n' '{ \"x\" : 1.0,	\"y\":\"\\u00e9\" }'" f.jsonl
	parity -0 --per-record --compare exact --left cat --right "printf '%s\\n' '{ \"x\" : 1.0,	\"y\":\"\\u00e9\" }'" f.jsonl
}

@test "--per-record starts a process for each case, a co-process is started once" {
	parity -0 --per-record --left 'echo x >>starts; cat' --right cat three.jsonl
	[ "$(wc -l <starts)" = 3 ]
	rm starts
	parity -0 --left 'echo x >>starts; cat' --right cat three.jsonl
	[ "$(wc -l <starts)" = 1 ]
}

@test "--field gives a case its raw text and nothing else, each time anew" {
	printf '%s\n' '{"name":"a","text":"{\"a\":\"\\u00e9\"}"}' '{"text":"{\"b\":[1]}"}' >f.jsonl
	parity -0 --field text --left 'tee -a got' --right cat f.jsonl
	[ "$(cat got)" = '{"a":"\u00e9"}{"b":[1]}' ]
	parity -0 --field a.text --left cat --right cat - <<<'{"a":{"text":"{\"n\":1}"}}'
	parity -2 --field nothing --left cat --right cat f.jsonl
	grep -q 'f.jsonl:1: missing "nothing" (string)' err
	parity -0 --field x --left cat --right cat - <<<'{"name":"a","skip":"no text yet"}'
	[ "$(tail -n 1 out)" = '{"probe":"stdin","passed":0,"failed":0,"skipped":1,"total":1}' ]
}

@test "a skip comes with its reason, is not put to anybody, and does not count as passed" {
	printf '%s\n' '{"name":"a","skip":"not yet","x":1}' '{"name":"b","x":2}' >f.jsonl
	parity -0 --report r.md --left 'tee got' --right cat f.jsonl
	[ "$(head -n 1 out)" = '{"probe":"f","name":"a","match":false,"skipped":true,"detail":"not yet"}' ]
	[ "$(tail -n 1 out)" = '{"probe":"f","passed":1,"failed":0,"skipped":1,"total":2}' ]
	[ "$(wc -l <got)" = 1 ]
	grep -qF '| a | skipped | skipped | skipped: not yet |' r.md
	grep -qF '**Tally:** 1 match · 0 diff · 1 skipped (out of 2 cases)' r.md
	run ! grep -q Divergences r.md
}

@test "a command that is not to be had is a skip of the whole probe, and no pass" {
	for missing in no-such-command ./three.jsonl 'env no-such-command'; do
		for mode in '' --per-record; do
			parity -1 $mode --left cat --right "$missing" three.jsonl
			[ "$(tail -n 1 out)" = '{"probe":"three","passed":0,"failed":0,"skipped":3,"total":3}' ]
			[[ "$(head -n 1 out | jq -r .detail)" == 'right: '*[Nn]'o'* || "$(head -n 1 out | jq -r .detail)" == 'right: '*[Pp]'ermission'* || "$(head -n 1 out | jq -r .detail)" == 'right: '*'not found'* ]]
			grep -q 'skipped: a command is not to be had' err
		done
	done
}

@test "a command that was there and then ends with 127 is a failure" {
	parity -1 --left cat --right 'read -r l; echo "$l"; exit 127' three.jsonl
	[ "$(tail -n 1 out)" = '{"probe":"three","passed":1,"failed":2,"skipped":0,"total":3}' ]
	for first in 'sleep 1000' 'yes | head -c 70000000'; do
		parity -1 --per-record --timeout 3 --left cat --right "read -r l; case \$l in *one*) $first ;; esac; exit 127" three.jsonl
		[ "$(tail -n 1 out)" = '{"probe":"three","passed":0,"failed":3,"skipped":0,"total":3}' ] || { cat out; return 1; }
	done
}

@test "an empty fixture is exit 2, so is one that is not there" {
	: >empty.jsonl
	for f in empty.jsonl absent.jsonl; do
		parity -2 --left cat --right cat "$f"
		[ ! -s out ]
		grep -q "$f" err
	done
	printf '\n \n' >blank.jsonl
	parity -2 --left cat --right cat blank.jsonl
}

@test "records that are not cases are rejected, and the others are run" {
	printf '%s\n' '{"x":1}' '{"skip":1}' '[1]' '{"expect_exit":256}' '{"expect_exit":"1"}' '{"expect_exit":1.5}' '{"x":2,"skip":null}' >f.jsonl
	parity -1 --rejects rejected --left cat --right cat f.jsonl
	[ "$(wc -l <rejected)" = 5 ]
	[ "$(tail -n 1 out)" = '{"probe":"f","passed":2,"failed":0,"skipped":0,"total":2}' ]
	grep -q 'f.jsonl:2: "skip" must be a string' err
	grep -q 'f.jsonl:4: "expect_exit" must be a whole number from 0 to 255' err
	parity -1 --on-error stop --left cat --right cat f.jsonl
	[ ! -s out ]
}

@test "what is wrong on the command line is named, exit 2, and nothing is started" {
	while IFS='|' read -r want arguments; do
		rm -f started
		parity -2 $arguments
		[ ! -s out ]
		[ ! -e started ]
		grep -qF -- "$want" err || { echo "$arguments: $(cat err)"; return 1; }
	done <<-'END'
	missing operand FIXTURE|--left touch:started --right cat
	missing --left|--right cat one.jsonl
	missing --right|--left cat one.jsonl
	missing --right|--left cat --probe p one.jsonl
	unexpected operand "three.jsonl"|--left cat --right cat one.jsonl three.jsonl
	--on-error|--left cat --right cat --on-error emit one.jsonl
	--left: not an option of "lh-parity all"|all --left cat
	END
}

@test "a fixture may be standard input, or compressed" {
	parity -0 --left cat --right cat - <three.jsonl
	[ "$(tail -n 1 out)" = '{"probe":"stdin","passed":3,"failed":0,"skipped":0,"total":3}' ]
	gzip three.jsonl
	parity -0 --left cat --right cat three.jsonl.gz
	[ "$(tail -n 1 out | jq -r .probe)" = three ]
}

@test "LH_PARITY_RIGHT_<PROBE> is the default of --right, and an option wins" {
	LH_PARITY_RIGHT_A_B='sed -u s/x/y/' parity -1 --probe a-b --left cat one.jsonl
	LH_PARITY_RIGHT_A_B='sed -u s/x/y/' parity -0 --probe a-b --left cat --right cat one.jsonl
}

# ---- the guard ----

@test "both sides failing alike is a failure" {
	for mode in '' --per-record; do
		while read -r command; do
			parity $mode --timeout 0.3 --left "$command" --right "$command" one.jsonl
			[ "$status" = 1 ] || { echo "$mode $command: $status"; return 1; }
			[ "$(tail -n 1 out)" = '{"probe":"one","passed":0,"failed":1,"skipped":0,"total":1}' ] || { cat out; return 1; }
		done <<-'END'
		false
		true
		exit 3
		kill -9 $$
		echo
		echo " "
		echo null
		echo {}
		echo "{ }"
		echo not json
		echo NaN
		echo '{"a":1,"a":1}'
		echo '{"a":1} {"a":1}'
		printf '{"a":"\377"}\n'
		printf '{"a":"\0"}\n'
		cat; exit 1
		sleep 20
		END
	done
}

@test "values that are small but not nothing do match" {
	for v in 0 false '""' '[]' '[null]' '{"a":null}' '[{}]'; do
		says true "$v" "$v" || { echo "$v"; return 1; }
		says true "$v" "$v" --compare exact
	done
}

@test "ignoring everything that is there leaves nothing to match" {
	says false '{"a":1}' '{"a":2}' --ignore a
	because 'left: {} once ignored members are left out; right: {} once ignored members are left out'
	says false '{"a":1}' '{"a":1}' --ignore a --compare exact
	says true '{"a":1,"b":1}' '{"a":2,"b":1}' --ignore a
}

# ---- expect_exit ----

@test "a process a case must end with the status that its record expects" {
	printf '%s\n' '{"name":"zero","s":0}' '{"name":"one","s":1,"expect_exit":1}' '{"name":"not","s":2,"expect_exit":1}' '{"name":"less","s":0,"expect_exit":1}' >f.jsonl
	parity -1 --per-record --left 'tee x; exit $(jq .s x)' --right 'jq -c .; exit 1' f.jsonl
	diff <(jq -c 'select(.name) | [.name, .match, .detail]' out) - <<-'END'
	["zero",false,"right: exit status 1, expected 0"]
	["one",true,""]
	["not",false,"left: exit status 2, expected 1"]
	["less",false,"left: exit status 0, expected 1"]
	END
}

@test "a co-process is judged once, at the end, by the greatest status of the fixture" {
	printf '%s\n' '{"x":1,"expect_exit":1}' '{"x":2,"expect_exit":2}' '{"x":3,"expect_exit":9,"skip":"no"}' >f.jsonl
	parity -0 --left 'cat; exit 2' --right 'cat; exit 2' f.jsonl
	parity -1 --left 'cat; exit 2' --right 'cat; echo why >&2; exit 1' f.jsonl
	[ "$(tail -n 1 out)" = '{"probe":"f","passed":0,"failed":2,"skipped":1,"total":3}' ]
	because 'right: exit status 1 at the end, expected 2: why'
	parity -1 --left 'cat; exit 1' --right cat three.jsonl
	because 'left: exit status 1 at the end, expected 0'
}

# ---- json ----

@test "json: the same value in another order, spelling or spacing matches" {
	while IFS='|' read -r a b; do
		says true "$a" "$b" || { echo "$a $b"; return 1; }
	done <<-'END'
	{"a":1,"b":[true,null]}|{ "b" : [ true , null ] , "a" : 1 }
	[1,1,1]|[1.0,1e0,10e-1]
	[0,0]|[-0,0.0]
	[100]|[1e2]
	[12345678901234567890]|[12345678901234567890.0]
	[0.1]|[0.10000000000000000555]
	[1e400]|[10e399]
	["é<\t/"]|["\u00e9\u003C\u0009\/"]
	["\ud83d\ude00"]|["😀"]
	END
}

@test "json: another value does not match, and the detail says where" {
	while IFS='|' read -r a b detail; do
		says false "$a" "$b" || { echo "$a $b"; return 1; }
		because "$detail"
	done <<-'END'
	[1]|[true]|[0]: 1 against true
	[0]|[false]|[0]: 0 against false
	[1]|["1"]|[0]: 1 against "1"
	[null]|[0]|[0]: null against 0
	[9007199254740993]|[9007199254740992]|[0]: 9007199254740993 against 9007199254740992
	[1e400]|[1e401]|[0]: 1e400 against 1e401
	[0.1]|[0.1000001]|[0]: 0.1 against 0.1000001
	{"a":{"b":[1,{"c":2}]}}|{"a":{"b":[1,{"c":3}]}}|a.b[1].c: 2 against 3
	{"a":1,"b":2}|{"a":1}|b: 2 against nothing
	{"a":1}|{"a":1,"b":null}|b: nothing against null
	[1,2]|[1]|[1]: 2 against nothing
	[1]|[1,2]|[1]: nothing against 2
	{"a":[]}|{"a":{}}|a: [] against {}
	["a"]|["A"]|[0]: "a" against "A"
	["e\u0301"]|["\u00e9"]|[0]: "e\u0301" against "\u00e9"
	END
}

@test "json: a long value is cut in the detail, at a character" {
	says false "[\"$(printf 'é%.0s' {1..200})\"]" '["a"]'
	jq -e '.detail | length < 200 and contains("...")' <(head -n 1 out)
}

@test "json: large objects in another order are compared in time" {
	python3 - <<-'END'
	import json
	a = {"k%06d" % i: i for i in range(100000)}
	json.dump(a, open("left", "w"))
	json.dump(dict(reversed(a.items())), open("right", "w"))
	a["k000005"] = -1
	json.dump(a, open("third", "w"))
	END
	parity -0 --per-record --max-members 200000 --left 'cat left' --right 'cat right' one.jsonl
	parity -1 --per-record --max-members 200000 --left 'cat third' --right 'cat right' one.jsonl
}

# ---- exact, --ignore ----

@test "exact: one byte more, less or other does not match" {
	while IFS='|' read -r a b detail; do
		says false "$a" "$b" --compare exact || { echo "$a $b"; return 1; }
		because "$detail"
	done <<-'END'
	{"a":1}|{"a": 1}|byte 6: {"a":1} against {"a": 1}
	{"a":1}|{"a":1.0}|byte 7: {"a":1} against {"a":1.0}
	{"a":"<"}|{"a":"\u003c"}|byte 7: {"a":"<"} against {"a":"\u003c"}
	{"a":1,"b":2}|{"b":2,"a":1}|byte 3: {"a":1,"b":2} against {"b":2,"a":1}
	{"a":1}|{"a":1} |byte 8: {"a":1} against {"a":1} 
	END
	says true '{"a":1}' '{"a":1}' --compare exact
}

@test "exact: one LF at the end of a process's output is not part of the answer, a second is" {
	parity -0 --per-record --compare exact --left "printf '[1]'" --right 'echo "[1]"' one.jsonl
	parity -1 --per-record --compare exact --left 'echo "[1]"' --right 'echo "[1]"; echo' one.jsonl
}

@test "--ignore takes members at dotted paths, through lists, and only those" {
	a='{"t":1,"a":{"t":1,"b":[{"t":1,"c":1},{"t":1}]},"a.t":1}'
	for each in '{"t":2,"a":{"t":1,"b":[{"t":1,"c":1},{"t":1}]},"a.t":1}|t' \
		'{"t":1,"a":{"t":2,"b":[{"t":1,"c":1},{"t":1}]},"a.t":1}|a.t' \
		'{"t":1,"a":{"t":1,"b":[{"t":1,"c":1},{"t":2}]},"a.t":1}|a.b.t' \
		'{"t":1,"a":{"t":1,"b":[{"t":1,"c":1},{}]},"a.t":1}|a.b.t' \
		'{"t":1,"a":7,"a.t":1}|a' \
		'{"t":1,"\u0061":{"t":[[[]]],"b":[{"t":1,"c":1},{"t":1}]},"a.t":1}|a.t'; do
		says true "$a" "${each%|*}" --ignore "${each#*|}" --ignore nothing || { echo "$each"; return 1; }
		says false "$a" "${each%|*}" --ignore x.t || { echo "$each"; return 1; }
	done
	says false '{"a":{"t":1},"b":2}' '{"a":{"t":2},"b":2}' --ignore t
}

@test "exact with --ignore leaves the bytes of a member out, and counts all others" {
	while IFS='|' read -r want a b; do
		says "$want" "$a" "$b" --compare exact --ignore t || { echo "$a $b"; return 1; }
	done <<-'END'
	true|{"a":1,"t":5,"b":2}|{"a":1,"t":"long","b":2}
	true|{"a":1,"t":5,"b":2}|{"a":1,"b":2}
	true|{"t":5,"a":1}|{"t":{"t":1},"a":1}
	true|{"t":5,"a":1}|{"a":1}
	true|{"a":1,"t":5}|{"a":1}
	true|{"a":1,  "t" : 5}|{"a":1}
	false|{"a":1,"t":5,"b":2}|{"a":1,"t":5, "b":2}
	false|{"a":1,"t":5,"b":2}|{"b":2,"t":5,"a":1}
	false|{"a":1,"t":5}|{"a":1.0,"t":5}
	false|{"a":1,"t":5}|{"a":1,"t":5 }
	END
}

# ---- cosine ----

cosine() {
	local want=$1 a=$2 b=$3
	shift 3
	says "$want" "$a" "$b" --compare cosine "$@" || { echo "$a $b"; return 1; }
}

@test "cosine: vector, vectors and embeddings, as arrays and as base64" {
	half=AAAAPwAAAD8=	# 0.5, 0.5
	cosine true '{"vector":[1,1]}' '{"vector":[3,3]}'
	cosine true '{"vector":[1,1]}' '{"vectors":[[1,1]]}'
	cosine true '{"vectors":[[1,1],[1,2]]}' '{"embeddings":[[1,1],[2,4]],"dimensions":2}'
	cosine true '{"vector":[1,1]}' "{\"vector\":\"$half\"}"
	cosine true "{\"embeddings\":[\"$half\"]}" "{\"vectors\":[\"$half\"]}"
	cosine false '{"vector":[1,-1]}' "{\"vector\":\"$half\"}"
	cosine false '{"vector":[1,0]}' '{"embeddings":[[0,2]]}'
	because 'vector 1: 1 - cosine is 1, more than 1e-5'
}

@test "cosine: 1 - cosine of at most --tolerance matches" {
	cosine true '{"vector":[1,0]}' '{"vector":[1,0.0044]}'
	cosine false '{"vector":[1,0]}' '{"vector":[1,0.0046]}'
	cosine true '{"vector":[1,0]}' '{"vector":[1,1]}' --tolerance 0.3
	cosine true '{"vector":[0.1,0.2,0.3]}' '{"vector":[0.1,0.2,0.3]}' --tolerance 0
	cosine false '{"vector":[0.1,0.2,0.3]}' '{"vector":[0.1,0.2,0.3001]}' --tolerance 0
	cosine true '{"vector":[1e200,1e200]}' '{"vector":[1e-200,1e-200]}'
	cosine true '{"vector":[1,2]}' '{"vector":[-1,-2]}' --tolerance 2
}

@test "cosine: other lengths, zeros, and what is not a vector never match" {
	while IFS='|' read -r a b detail; do
		cosine false "$a" "$b" --tolerance 2
		because "$detail"
	done <<-'END'
	{"vector":[1,2]}|{"vector":[1,2,0]}|vector 1: 2 dimensions against 3
	{"vector":[0,0]}|{"vector":[0,0]}|vector 1: a zero vector
	{"vector":[1,0]}|{"vector":[0,0]}|vector 1: a zero vector
	{"vector":[]}|{"vector":[]}|vector 1: a zero vector
	{"vectors":[]}|{"vectors":[]}|both: no vectors
	{"vectors":[[1],[2]]}|{"vectors":[[1]]}|right: no more than 1 vector
	{"vectors":[[1]]}|{"vectors":[[1],[2]]}|left: no more than 1 vector
	{"vector":[1e999]}|{"vector":[1e999]}|left: a vector holds a number beyond double
	{"vector":[1,"2"]}|{"vector":[1,2]}|left: a vector contains something other than a number
	{"vector":[1,2]}|{"vector":[1,true]}|right: a vector contains something other than a number
	{"vector":"AAAA"}|{"vector":[1]}|left: a vector is not base64 of floats
	{"vector":"?"}|{"vector":[1]}|left: a vector is not base64 of floats
	{"vector":"AACAfw=="}|{"vector":[1]}|left: a vector holds a number that is not finite
	{"vector":5}|{"vector":[1]}|left: a vector is neither array nor base64
	{"vectors":[[1],5]}|{"vectors":[[1],[5]]}|left: a vector is neither array nor base64
	{"vectors":"AAAAPw=="}|{"vectors":[[1]]}|left: no vector, vectors or embeddings
	{"v":[1]}|{"v":[1]}|left: no vector, vectors or embeddings
	[1]|[1]|left: no vector, vectors or embeddings
	END
}

# ---- what commands may do ----

@test "silence beyond --timeout fails every case that is left, and those before keep their results" {
	as_patient parity -1 --left cat --right 'read -r l; echo "$l"; sleep 1000' three.jsonl
	diff <(jq -c 'select(.name) | [.match, .detail]' out) - <<-END
	[true,""]
	[false,"right: the command did not answer within $patience seconds"]
	[false,"right: the command did not answer within $patience seconds"]
	END
}

@test "an early end fails every case that is left, with the status and the last words" {
	parity -1 --left 'read -r l; echo "$l"; echo first >&2; echo last >&2; exit 5' --right cat three.jsonl
	diff <(jq -c 'select(.name) | [.match, .detail]' out) - <<-'END'
	[true,""]
	[false,"left: the command ended without an answer, with status 5: last"]
	[false,"left: the command ended without an answer, with status 5: last"]
	END
	parity --left 'kill -SEGV $$' --right cat three.jsonl
	because 'left: the command ended without an answer, with status 139'
}

@test "a command that does not end with its input is killed and fails all" {
	for patience in 0.5 5 50 500; do
		parity -1 --timeout $patience --left 'cat; sleep 1000' --right cat three.jsonl
		[ "$(tail -n 1 out | jq .failed)" = 3 ]
		[[ $(head -n 1 out) == *'did not answer'* ]] || break
	done
	because "left: the command did not end within $patience seconds"
}

@test "one answer too many, anywhere, fails all: none can be trusted to be its case's" {
	for command in 'echo "[0]"; cat' 'cat; echo "[0]"' 'cat; printf x' 'while read -r l; do echo "$l"; echo "$l"; done'; do
		parity -1 --left "$command" --right "$command" three.jsonl
		[ "$(tail -n 1 out | jq .passed)" = 0 ] || { echo "$command"; cat out; return 1; }
	done
}

@test "what a command leaves running is killed, as is its whole group when it is late" {
	for mode in '' --per-record; do
		parity -1 $mode --timeout 0.5 --left "sleep 7301.$$ & cat" --right "sleep 7302.$$ & (sleep 7303.$$; cat)" one.jsonl
		is_gone "sleep 730[123]\.$$"
	done
}

@test "output without end or without a newline is bounded" {
	for mode in '' --per-record; do
		for command in yes 'tr "\0" x </dev/zero' 'cat; cat /dev/zero'; do
			parity $mode --timeout 20 --left "$command" --right cat one.jsonl
			[ "$status" = 1 ] || { echo "$command"; cat out; return 1; }
			[ "$(wc -c <out)" -lt 2000 ]
		done
	done
}

@test "a command that floods stderr, closes stdin, or reads nothing is judged by what it answers" {
	head -c 300000 /dev/zero | tr '\0' x | sed 's/.*/{"x":"&"}/' >long.jsonl
	parity -0 --left 'seq 300000 >&2; cat' --right cat long.jsonl
	parity -0 --left 'exec <&-; echo "{\"a\":1}"; sleep 0.2' --right 'echo "{\"a\":1}"; sleep 0.2' long.jsonl
	parity -0 --per-record --left 'exec <&-; echo "{\"a\":1}"' --right 'echo "{\"a\":1}"' long.jsonl
	parity --left 'exec >&-; cat >/dev/null; exit 7' --right cat one.jsonl
	because 'left: the command ended without an answer, with status 7'
}

@test "a command may open its input and output again by name" {
	parity -0 --left 'cat /dev/stdin' --right 'cat >/dev/stdout' three.jsonl
	parity -0 --per-record --left 'cat /dev/stdin' --right cat three.jsonl
}

@test "a pipeline in a command ends by SIGPIPE as in a shell" {
	parity -0 --per-record --left 'yes | head -n 1 | sed s/y/[1]/' --right 'echo "[1]"' one.jsonl
	[ ! -s err ]
}

@test "bytes that are not text are distinguished, shown escaped, and reach no terminal raw" {
	e=$'\e[31m'
	parity -1 --per-record --report r.md --left "printf '{\"a\":\"\\377\\0%s\"}' '$e'" --right "printf '%s' '$e'; echo '$e' >&2; exit 9" one.jsonl
	head -n 1 out | jq -e '.detail | contains("\\x1b")'
	for file in out err r.md; do
		run ! grep -q $'\e' "$file"
		python3 -c 'open("'$file'", encoding="utf-8").read()'
	done
	grep -qF '\x1b[31m' r.md
}

@test "an interrupt ends the commands, leaves no report, and is passed on" {
	for mode in '' --per-record; do
		hears_int lh-parity $mode --report r.md --left "sleep 7401.$$" --right cat one.jsonl >out 2>err &
		pid=$!
		until_so pgrep -f "^sleep 7401\.$$"
		kill -INT "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" = 130 ] || { echo "$status"; return 1; }
		is_gone "sleep 7401\.$$"
		[ ! -e r.md ]
		no_litter
	done
}

# ---- the report ----

@test "a report has title, date, commands, table and tally, and nothing of divergences" {
	parity -0 --now 2026-05-03T12:00:00Z --report r.md --left cat --right 'jq -c --unbuffered .' three.jsonl
	diff r.md - <<-'END'
	# Parity: three

	**Date:** 2026-05-03T12:00:00.000Z

	**Left:** `cat`

	**Right:** `jq -c --unbuffered .`

	| Case | Left | Right | Match |
	|---|---|---|---|
	| one | {"name":"one","x":1} | {"name":"one","x":1} | ✓ |
	| 2 | {"x":2} | {"x":2} | ✓ |
	| three | {"name":"three","x":3} | {"name":"three","x":3} | ✓ |

	**Tally:** 3 match · 0 diff (out of 3 cases)
	END
}

@test "a report shows both bodies of what differs, and only of that" {
	parity -1 --now 2026-05-03T12:00:00Z --report r.md --left cat --right 'sed -u s/2/4/' three.jsonl
	grep -qF '| 2 | {"x":2} | {"x":4} | ✗ |' r.md
	diff <(sed -n '/^\*\*Tally/,$p' r.md) - <<-'END'
	**Tally:** 2 match · 1 diff (out of 3 cases)

	## Divergences

	### 2

	x: 2 against 4

	Left:

	```
	{"x":2}
	```

	Right:

	```
	{"x":4}
	```

	END
}

@test "nothing in a name, a command or an answer breaks out of its place in a report" {
	jq -nc '{name: "a|b\n`c`<i>\u001b", s: "```\n# x ```` |"}' >f.jsonl
	parity -1 --report r.md --left cat --right 'sed -u "s/s/\`t/"' f.jsonl
	grep -qF '| a\|b\\x0a\`c\`\<i\>\\x1b |' r.md
	grep -qF '**Right:** ``sed -u "s/s/\`t/"``' r.md
	grep -q '^`````$' r.md
	[ "$(grep -c '^#' r.md)" = 3 ]
}

@test "a report that cannot be written is exit 2, and an old one stays whole" {
	parity -2 --report no/r.md --left cat --right cat one.jsonl
	grep -q "no/.*cannot create" err
	mkfifo fifo
	parity -2 --report fifo --left cat --right cat one.jsonl
	echo old >r.md
	needs_strace
	run -2 inject fsync:error=EIO -P "$PWD" lh-parity --force --report r.md --left cat --right cat one.jsonl
	no_litter
}

@test "the body of an answer in a report is cut at 16 KiB" {
	parity -1 --report r.md --left 'sed -u "s/1/$(head -c 20000 /dev/zero | tr "\0" 7)/"' --right cat one.jsonl
	grep -q '^(the first 16384 of 20017 bytes)$' r.md
	[ "$(wc -c <r.md)" -lt 20000 ]
}

# ---- all ----

probes() {
	mkdir -p p
	echo '{"x":1}' >p/f.jsonl
	printf '%s\n' "$@" >p/probes.jsonl
}

@test "all runs what a folder describes, in order, with a report each and a summary" {
	probes '{"probe":"b","fixture":"f.jsonl","left":"cat","right":"cat"}' \
		'{"probe":"a-1","fixture":"f.jsonl","left":"cat \"$LH_PARITY_DIR/f.jsonl\"","right":"jq -c \".t=1\"","per_record":true,"ignore":["t"],"compare":"exact"}'
	parity -0 all --probes p --out new/folder --now 2026-05-03T12:00:00Z
	[ "$(cat err)" = "lh-parity: 2/2" ]
	diff out - <<-'END'
	{"probe":"b","name":"1","match":true,"skipped":false,"detail":""}
	{"probe":"b","passed":1,"failed":0,"skipped":0,"total":1}
	{"probe":"a-1","name":"1","match":true,"skipped":false,"detail":""}
	{"probe":"a-1","passed":1,"failed":0,"skipped":0,"total":1}
	{"probe":"all","passed":2,"failed":0,"skipped":0,"total":2}
	END
	[ "$(ls new/folder)" = $'SUMMARY.md\na-1.md\nb.md' ]
	diff new/folder/SUMMARY.md - <<-'END'
	# Parity

	**Date:** 2026-05-03T12:00:00.000Z

	| Probe | Cases | Match | Diff | Skipped | Report |
	|---|---|---|---|---|---|
	| b | 1 | 1 | 0 | 0 | [b.md](b.md) |
	| a-1 | 1 | 1 | 0 | 0 | [a-1.md](a-1.md) |

	**Tally:** 2/2
	END
}

@test "all --record puts date, version, cases and verdict of each probe on top of those of earlier runs" {
	probes '{"probe":"b","fixture":"f.jsonl","left":"cat","right":"cat"}' \
		'{"probe":"c","fixture":"f.jsonl","left":"cat","right":"jq -c \".t=1\"","per_record":true}'
	parity -1 all --probes p --record --now 2026-05-03T12:00:00Z
	LH_PARITY_RIGHT_B=no-such-command parity all --probes p --probe b --record --now 2026-05-04T12:00:00Z
	version=$(lh-parity --version | cut -d' ' -f2)
	diff <(sed -n '/^|/p' doc/verified.md) - <<-END
	| date | version | probe | against | cases | verdict |
	|---|---|---|---|---|---|
	| 2026-05-04 | $version | b | another program | 1 | not run |
	| 2026-05-03 | $version | b | the second implementation | 1 | equal |
	| 2026-05-03 | $version | c | the second implementation | 1 | differs |
	END
	[ "$(head -n 1 doc/verified.md)" = '# Verified' ]
	echo mine >doc/verified.md
	parity all --probes p --probe b --record
	[ "$status" = 2 ] && [ "$(cat doc/verified.md)" = mine ]
}

@test "all: a probe that differs is exit 1, one that is not to be had a skip" {
	probes '{"probe":"a","fixture":"f.jsonl","left":"cat","right":"no-such-command"}' \
		'{"probe":"b","fixture":"f.jsonl","left":"cat","right":"cat"}'
	parity -0 all --probes p --out o
	grep -qF '| a | 1 | 0 | 0 | 1 |' o/SUMMARY.md
	grep -qF '**Tally:** 1/2' o/SUMMARY.md
	LH_PARITY_RIGHT_B='sed -u s/1/2/' parity -1 all --probes p --out o
	grep -qF '| b | 1 | 0 | 1 | 0 |' o/SUMMARY.md
	parity -1 all --probes p --out o --probe a
}

@test "all: each way a description is wrong is exit 2 and says which probe" {
	while IFS='|' read -r want line; do
		probes '{"probe":"ok","fixture":"f.jsonl","left":"cat","right":"cat"}' "$line"
		parity all --probes p --out o
		[ "$status" = 2 ] || { echo "$line: $status"; return 1; }
		grep -qF "$want" err || { echo "$line: $(cat err)"; return 1; }
	done <<-'END'
	probes.jsonl: probe 2: missing "probe" (name of|{"fixture":"f.jsonl","left":"cat","right":"cat"}
	probe 2: "probe" must be a name of 1 to 64|{"probe":"../x","fixture":"f.jsonl","left":"cat","right":"cat"}
	probe 2: missing "fixture" (string)|{"probe":"a","left":"cat","right":"cat"}
	probe 2: missing "right" (string)|{"probe":"a","fixture":"f.jsonl","left":"cat"}
	probe 2: "left" must be a string|{"probe":"a","fixture":"f.jsonl","left":5,"right":"cat"}
	probe 2: "left" must not hold NUL|{"probe":"a","fixture":"f.jsonl","left":"a\u0000","right":"cat"}
	probe 2: "compare" must be|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","compare":"bytes"}
	probe 2: "ignore" must be|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","ignore":"a"}
	probe 2: ignore[0] must be a string|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","ignore":[1]}
	probe 2: "tolerance" must be|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","tolerance":3}
	probe 2: "timeout" must be|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","timeout":"1"}
	probe 2: "per_record" must be|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","per_record":1}
	probe 2: "timeout" must be a number from 0.001 to 86400|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","timeout":null}
	probe 2: ignore[1] must not hold NUL|{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat","ignore":["a","b\u0000"]}
	absent.jsonl|{"probe":"a","fixture":"absent.jsonl","left":"cat","right":"cat"}
	probes.jsonl|[1]
	END
	parity -2 all --probes absent --out o
	: >p/probes.jsonl
	parity -2 all --probes p --out o
	parity -2 all --probes p --out p/f.jsonl/x
}

@test "all --probe names one that is there" {
	probes '{"probe":"a","fixture":"f.jsonl","left":"cat","right":"cat"}'
	parity -2 all --probes p --out o --probe b
	grep -q 'has no probe "b"' err
}

# ---- memory ----
