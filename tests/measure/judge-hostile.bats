# lh-judge: lines that are no run and no qrels, documents twice, sizes, faults.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	printf '%s\n' '1 0 a 1' '1 0 b 0' '2 0 x 1' >q
	printf '%s\n' '1 Q0 a 1 2 t' '1 Q0 b 2 1 t' >r
}

# refused LINE MESSAGE FILE - with this line after those of the file, q or r, there is exit 2 and
# the message with file and line, and nothing on stdout.
refused() {
	local n
	cp "$3" before
	printf '%b\n' "$1" >>"$3"
	n=$(grep -c '' "$3")
	run --separate-stderr lh-judge score --qrels q r
	mv before "$3"
	[ "$status" = 2 ] && [ -z "$output" ] && [[ $stderr == "lh-judge: $3:$n:"*"$2"* ]] ||
		{ echo "$1: exit $status: $stderr"; return 1; }
}

# bats test_tags=hostile
@test "a bad line of a run is exit 2 with file and line" {
	for line in 'a' '1 Q0 c 1 2' '1 Q0 c 1 2 t more' '{"query_id":"1","results":[]}' '[]' '"x'; do
		refused "$line" '' r
	done
	refused '1 Q0 c 1 2' 'not a line of a run: QUERY Q0 DOCUMENT RANK SCORE TAG' r
	refused '1 Q0 c 1 nan t' 'the score is not a number: nan' r
	refused '1 Q0 c\0377 1 2 t' 'is not UTF-8' r
	echo '{"query_id":"1","results":[{"id":"a"}]}' >r
	for line in '{"results":[]}' '{"query_id":"1"}' '{"query_id":"1","results":[{}]}' '{"query_id":"","id":"b"}' \
		'{"query_id":"1","results":{}}' '{"query_id":"1","results":[{"id":null}]}' '{"error":{"line":1}}' '{' '1 Q0 c 1 1 t'; do
		refused "$line" '' r
	done
	refused '{"query_id":null,"id":"b","rank":1}' 'missing "query_id" or "query_text"' r
	printf 'query-id\tcorpus-id\tscore\n1\ta\t1\n' >r
	for line in '1\tb' '1\tb\t1\t1' '\tb\t1' '1\t\t1' '1\tb\tx' '{}' '1 Q0 c 1 1 t'; do
		refused "$line" '' r
	done
}

# bats test_tags=hostile
@test "a bad line of qrels is exit 2 with file and line" {
	for line in '1 0 c' '1 0 c 1 1' '1 0 c x' '1 0 c 1.5' '1 0 c inf' '1 0 c 1001' '1 0 c -1001' '{"query_id":"1","id":"c","grade":1}'; do
		refused "$line" '' q
	done
	refused '1 0 c 1.5' 'the grade is not a whole number from -1000 to 1000: 1.5' q
	printf '{"query_id":"1","id":"a","grade":1}\n' >q
	for line in '{"query_id":"1","id":"c"}' '{"query_id":"1","id":"c","grade":"1"}' '{"query_id":"1","grade":1}' '1 0 c 1'; do
		refused "$line" '' q
	done
}

@test "a document twice for one query is exit 2, with the line that has it again" {
	refused '1 Q0 a 3 7 t' 'document a twice for query 1' r
	refused '1 0 b 0' 'document b twice for query 1' q
	printf '%s\n' '7 Q0 n 1 1 t' '2 Q0 a 1 1 t' >>r
	refused '7 Q0 n 1 2 t' 'document n twice for query 7' r	# without qrels, too
	printf '%s\n' '1 Q0 b 1 1 t' '1 Q0 a 1 1 t' >>r
	run -2 lh-judge score --qrels q r
	[ "$output" = 'lh-judge: r:5: document b twice for query 1' ]
	printf '{"query_id":"1","results":[{"id":"a"},{"id":"b"},{"id":"a"}]}\n' >r
	run -2 lh-judge score --qrels q r
	[ "$output" = 'lh-judge: r:1: document a twice for query 1' ]
}

# bats test_tags=hostile
@test "what is empty, absent, or a folder is no run" {
	for run in /dev/null absent .; do
		run -2 --separate-stderr lh-judge score --qrels q "$run"
		[[ $stderr == "lh-judge: $run: "* ]]
		run -2 --separate-stderr lh-judge score --qrels "$run" r
		[[ $stderr == "lh-judge: $run: "* ]]
	done
	printf '\n \n' >blank
	run -2 lh-judge score --qrels q blank
	[ "$output" = 'lh-judge: blank: is empty: not a run' ]
	lh-gen workers -n 3 >workers.jsonl
	run -2 lh-judge score --qrels q workers.jsonl
	[ "$output" = 'lh-judge: workers.jsonl:1: not an answer of lh-search: no "results", nor "id" and "rank"' ]
}

@test "grades of 1000 give values that are numbers" {
	printf '%s\n' '1 0 a 1000' '1 0 b 1000' '1 0 c -1000' '2 0 x 1' >q
	lh-judge score --each --gain exp --measures ndcg,ndcg@1,err,bpref --qrels q r >out
	jq -se 'map(select(has("value")).value) | length == 8 and all(. >= 0 and . <= 1)' out
	[ "$(tail -n 1 out | jq .ndcg)" = 0.5 ]
	run ! grep -i 'nan\|inf' out
}

# bats test_tags=hostile
@test "ids of any kind are kept apart, and are written as JSON" {
	printf '%s\n' "é\"\\ 0 d 1" "e 0 d 1" >q
	printf '%s\n' "é\"\\ Q0 d 1 1 t" >r
	[ "$(lh-judge score --each --measures p@1 --qrels q r | jq -r 'select(.value == 1) | .query_id')" = 'é"\' ]
	[ "$(lh-judge pool <<<"é\"\\ Q0 $(stretch 100000 x)\" 1 1 t" | jq -r '.query_id + .id' | wc -c)" = 100006 ]
}

@test "qrels and a run of a million lines are held in the memory that the page states" {
	n=$(scale 100000 1000000)
	awk -v n="$n" 'BEGIN { for (i = 0; i < n; i++) printf "%d 0 doc%07d %d\n", i / 1000, i * 7 % n, i % 4 }' >q
	awk -v n="$n" 'BEGIN { for (i = 0; i < n; i++) printf "%d Q0 doc%07d 1 %d t\n", i / 1000, i * 7 % n, i % 50 }' >r
	prlimit --as=$((2 * n * 80 + (150 << 20))) lh-judge score --qrels q r r >out ||
		[ -n "${LH_ASAN:-}" ]
	lh-judge score --qrels q r >out
	jq -e --argjson n "$n" '.queries == $n / 1000 and ."judged@10" == 1 and .without_qrels == 0' out
}
