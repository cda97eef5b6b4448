# share/examples/lh-review: what several models say about a diff.  The models are servers/chat.py.
# Plain only: a script of share/, over commands that other files test.
# bats file_tags=plain-only
load ../helper
load ../servers/server

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_KEYS_FILE
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR
	export LH_NOW=2026-05-03T12:00:00.000Z
}

teardown() {
	stop_upstreams
}

review() {
	"$ROOT/share/examples/lh-review" "$@"
}

# serve - a server for all models, which says the lines of stdin; what it is asked is in log.
serve() {
	cat >answers
	rm -f log
	start_chat --mode about --body answers --log log
	export LH_OLLAMA_URL=$URL
}

# part PATH [LINE]... - the part of a diff that adds a file of these lines.
part() {
	printf 'diff --git a/%s b/%s\nnew file mode 100644\n--- /dev/null\n+++ b/%s\n@@ -0,0 +1,%d @@\n' "$1" "$1" "$1" $(($# - 1))
	[ $# = 1 ] || printf '+%s\n' "${@:2}"
}

# asked - the path and the first line of the diff in each question, and the last.
asked() {
	jq -r '.body | fromjson | .messages[-1].content | split("\n") | "\(.[0])|\(.[3])|\(.[-3])"' log
}

# placed - PATH:LINE of each finding on stdin.
placed() {
	jq -r 'select(.path) | "\(.path):\(.line)"'
}

@test "three models: what two families found is convergent, and who said it is in the record" {
	{ part src/a.c x; part src/b.c y; } >diff
	serve <<-'END'
	{"model":"qwen3:8b","about":"src/a.c","content":"Sure.\n```json\n{\"findings\":[{\"line\":12,\"text\":\"A check for NULL is missing.\"}]}\n```"}
	{"model":"qwen3:8b","about":"src/b.c","content":"{\"findings\":[{\"line\":40,\"text\":\"a leak\\nof memory\"},{\"line\":\"none\",\"text\":\"no line\"}]}"}
	{"model":"qwen2.5:32b","about":"src/a.c","content":"{\"findings\":[{\"line\":30,\"text\":\"far\"}]}"}
	{"model":"qwen2.5:32b","content":"nothing to say"}
	{"model":"glm-4.6","about":"src/a.c","content":"{\"findings\":[{\"line\":15,\"text\":\"No check.\"},{\"line\":16,\"text\":\"next\"}]}"}
	{"model":"glm-4.6","content":"{\"findings\":[]}"}
	END
	run -0 --separate-stderr review --model qwen3:8b --model qwen2.5:32b --model glm-4.6 --label l --log rows diff
	[ "$stderr" = 'lh-review: src/b.c: qwen2.5:32b answered without a JSON object' ]
	diff - <<<"$output" <(cat <<-END
	{"path":"src/a.c","line":12,"models":["qwen3:8b","glm-4.6"],"lineages":["qwen","glm"],"convergent":true,"text":"A check for NULL is missing.","also":[{"model":"glm-4.6","line":15,"text":"No check."}]}
	{"path":"src/a.c","line":16,"models":["glm-4.6"],"lineages":["glm"],"convergent":false,"text":"next"}
	{"path":"src/a.c","line":30,"models":["qwen2.5:32b"],"lineages":["qwen"],"convergent":false,"text":"far"}
	{"path":"src/b.c","line":40,"models":["qwen3:8b"],"lineages":["qwen"],"convergent":false,"text":"a leak\nof memory"}
	{"path":"src/b.c","line":null,"models":["qwen3:8b"],"lineages":["qwen"],"convergent":false,"text":"no line","unplaced":true}
	{"timestamp":"$LH_NOW","label":"l","branch":"","head":"","diff_bytes":$(wc -c <diff),"findings_total":4,"findings_convergent":1,"by_model":{"qwen3:8b":2,"qwen2.5:32b":1,"glm-4.6":2},"unplaced":1,"failed":{"qwen2.5:32b":1},"files":2,"refused":0}
	END
	)
	[ "$(cat rows)" = "${lines[-1]}" ]
	[ "$(stat -c %a rows)" = 600 ]
}

@test "two models of one family agree with themselves alone, and --lineage decides otherwise" {
	part a x >diff
	serve <<<'{"content":"{\"findings\":[{\"line\":1,\"text\":\"t\"}]}"}'
	pairs() {
		run -0 review "${@:3}" --model "$1" --model "$2" diff
		jq -c 'select(.path) | [.lineages, .convergent]' <<<"$output"
	}
	[ "$(pairs qwen3.5:latest x/qwen3:480b)" = '[["qwen"],false]' ]
	[ "$(pairs gpt-oss:20b gpt-4o)" = '[["gpt-oss","gpt"],true]' ]
	[ "$(pairs mistral-small3 Mistral-Large)" = '[["mistral"],false]' ]
	[ "$(pairs 7b llama3 --lineage 7b=llama)" = '[["llama"],false]' ]
	[ "$(pairs a1 a2 --lineage a2=b=c)" = '[["a","b=c"],true]' ]
}

@test "findings are one by the rules of review-merge.txt" {
	local names='{"A":"qwen3:8b","B":"x/qwen3:480b","C":"kimi-k2","D":"glm-4.6","E":"other"}' n=0
	: >diff
	while IFS='|' read -r about findings want; do
		n=$((n + 1))
		part "c$n." x >>diff
		for one in $findings; do echo "c$n. ${one%:*} ${one#*:}"; done >>said
		echo "$n:$want" | xargs >>wanted
	done < <(grep -v '^#' "$ROOT/tests/review-merge.txt")
	[ "$n" -ge 15 ]
	serve < <(jq -Rnc --argjson names "$names" '[inputs | split(" ")] | group_by(.[0], .[1])[]
		| {model: $names[.[0][1]], about: "The file: \(.[0][0])",
			content: ({findings: map({line: (.[2] | tonumber), text: "t"})} | tojson)}' said; echo '{"content":"{}"}')
	run -0 review --lineage other=glm $(jq -r '.[] | "--model", .' <<<"$names") diff
	jq -nr --argjson names "$names" '($names | with_entries({key: .value, value: .key})) as $letter
		| [inputs | select(.path)] | group_by(.path[1:-1] | tonumber)[]
		| "\(.[0].path[1:-1]): \(map("\(.line)[\(.models | map($letter[.]) | add)]\(if .convergent then "!" else "" end)") | join(" "))"
		' <<<"$output" >got
	diff got wanted
}

@test "a file is what git or diff shows of it: renamed, deleted, binary, quoted, merged, with lines like headers" {
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	serve <<<'{"content":"{\"findings\":[{\"line\":2,\"text\":\"t\"}]}"}'
	git init -q -b main repo
	cd repo
	printf 'one\n-- two\nthree\n' >old
	printf 'gone\n' >gone
	printf '\0\1' >binary
	printf 'moved\n' >from
	mkdir $'caf\303\251 b'
	printf 'x\n' >$'caf\303\251 b/y'
	git add . && git commit -qm 1
	printf 'one\n++ b/two\nthree\n' >old
	rm gone
	printf '\0\2' >binary
	printf 'z\n' >$'caf\303\251 b/y'
	git mv from to
	git add . && git commit -qm 2
	git show >diff
	run -0 review --model m diff
	diff - <(placed <<<"$output") <<-'END'
	binary:2
	caf\303\251 b/y:2
	gone:2
	old:2
	to:2
	END
	[ "$(jq -r 'select(.head) | .branch, .head' <<<"$output" | xargs)" = "main $(git rev-parse HEAD)" ]
	# without git's lines, and with CRLF
	printf -- '--- a/old\t2026-05-03\r\n+++ b/old\t2026-05-03\r\n@@ -1,3 +1,3 @@\r\n one\r\n--- two\r\n+++ b/two\r\n three\r\n--- a/n\n+++ b/n\n@@ -1 +1 @@\n-x\n+y\n\\ No newline at end of file\n' >diff
	[ "$(review --model m diff | placed | xargs)" = 'old:2 n:2' ]
	# of a merge
	printf 'diff --cc both\nindex 1,2..3\n--- a/both\n+++ b/both\n@@@ -1,1 -1,1 +1,1 @@@\n---- x\n++y\n' >diff
	[ "$(review --model m <diff | placed | xargs)" = both:2 ]
}

@test "a question has one file between lines with its hash, and over 61440 bytes a warning" {
	{ part a x; part b "$(stretch 61500 y)"; part c z; } >diff
	serve <<<'{"content":"{}"}'
	run -0 --separate-stderr review --model m diff
	[[ $stderr == 'lh-review: b: 6'????' bytes of the diff in one question' ]]
	asked | sort >got
	sum=$(part c z | sha256sum | cut -c 1-16)
	[ "$(sed -n 3p got)" = "The file: c|diff --git a/c b/c|+z" ]
	jq -r '.body | fromjson | .messages[-1].content' log | grep -xF "===== diff $sum ends ====="
	[ "$(jq -r '.findings_total, .files' <<<"$output" | xargs)" = '0 3' ]
}

@test "a file over --max is refused with exit 1, and the others are reviewed" {
	{ part a x; part b "$(stretch 102300 y)"; part c "$(stretch 102400 z)"; } >diff
	serve <<<'{"content":"{\"findings\":[{\"line\":1,\"text\":\"t\"}]}"}'
	run -1 --separate-stderr review --model m diff
	[[ $stderr == *'lh-review: c: 10'????' bytes of the diff, more than --max 102400: it is not reviewed'* ]]
	[ "$(placed <<<"$output" | xargs)" = 'a:1 b:1' ]
	[ "$(jq -c 'select(.files) | [.files, .refused]' <<<"$output")" = '[3,1]' ]
	run -1 review --max 10 --model m diff
	[ "$(jq .refused <<<"${lines[-1]}")" = 3 ]
	run -0 review --max 200000 --model m diff
}

@test "a model that fails is counted, and a file that no model answered is exit 2" {
	{ part a x; part b y; } >diff
	serve <<-'END'
	{"model":"bad","status":400,"content":"no"}
	{"model":"good","about":"The file: a","content":"{\"findings\":[{\"line\":1,\"text\":\"t\"}]}"}
	{"model":"good","status":400,"content":"no"}
	END
	part a x | { run -0 review --model good --model bad; [ "$(jq -c .failed <<<"${lines[-1]}")" = '{"bad":1}' ]; }
	run -2 review --model good --model bad diff
	[ "$(grep '"failed"' <<<"$output" | jq -c .failed)" = '{"bad":2,"good":1}' ]
	[[ $output == *'lh-review: no model answered about some file' ]]
}

@test "a model that answers without an object has failed, and that is shown; an empty one finds nothing" {
	part a x >diff
	serve <<-'END'
	{"model":"prose","content":"I find nothing wrong with line 3."}
	{"model":"list","content":"[1, 2]"}
	{"model":"mute","content":""}
	{"model":"good","content":"{\"findings\":[]}"}
	END
	run -0 --separate-stderr review --model prose --model list --model mute --model good diff
	[ "$(jq -c .failed <<<"${lines[-1]}")" = '{"prose":1,"list":1,"mute":1}' ]
	[ "$stderr" = 'lh-review: a: prose answered without a JSON object
lh-review: a: list answered without a JSON object
lh-review: a: mute answered without a JSON object' ]
	run -2 review --model prose diff
	[[ $output == *'lh-review: no model answered about some file' ]]
}

@test "what is not a diff, and a wrong command line, is one line and exit 2; an empty diff has a row" {
	wrong() {
		local want=$1
		shift
		run -2 --separate-stderr review "$@" <<<'hello'
		[ -z "$output" ]
		[ "$stderr" = "lh-review: $want" ] || { echo "$stderr"; return 1; }
	}
	wrong 'this is not a unified diff' --model m
	wrong 'missing --model NAME'
	wrong '--model: missing value' --model
	wrong '--max: "1k" is not a number of bytes' --model m --max 1k
	wrong '--lineage: "m" is not a value' --model m --lineage m
	wrong 'unknown option "-x"; the script says at its start which there are' -x
	wrong 'unexpected operand "b"' --model m a b
	run -2 review --model m missing
	run -0 review --model m </dev/null
	[ "$(jq -c '[.files, .findings_total]' <<<"$output")" = '[0,0]' ]
}
