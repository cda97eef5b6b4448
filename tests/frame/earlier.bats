# What the version before this layout of rows (commit 56bd50c6) has left in the folder of a site is
# read by the tools of now, and says the same; an index after `lh-index upgrade`.
# earlier/state.tar.gz was made by its tools over 20 generated workers: two indexes, one with a log,
# a playbook, logs of who looked with their anchor and transparency log, an erasure, a dataset of the
# catalog, a cache of vectors, the root of a distillation with receipts, a log of observations and
# one of traces.

load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	tar -xzf "$ROOT/tests/frame/earlier/state.tar.gz"
}

@test "an index and a playbook of before are named with their remedy, and answer the same after it" {
	for file in index/workers.lhv index/plain.lhv play.lhv; do
		run -2 --separate-stderr lh-index verify "$file"
		[[ $stderr == *": \`lh-index upgrade FILE\` makes it qg" ]]
		lh-index upgrade -q "$file"
		lh-index verify -q --reach "$file"
	done
	lh-search -q -k 2 -Q 'welder in Chicago' index/workers.lhv | alike answer.json /dev/stdin
	[ "$(lh-playbook list play.lhv | jq -r .answer_id)" = w-5 ]
}

@test "logs of before verify with their anchor, transparency log and proofs, and go on" {
	lh-subject-audit verify -q --dir subjects --key-file audit.key --against anchor.jsonl >got
	jq -s 'length == 6 and all(.verified)' got | grep -x true
	lh-tlog audit -q tlog | jq .verified | grep -x true
	printf '%s\n' "log $(cat log.vkey)" 'quorum none' >policy
	lh-tlog verify -q --policy policy --row proof.jsonl | jq -s 'length == 1 and .[0].verified' | grep -x true
	lh-subject verify w-3 --subjects subjects --key-file audit.key |
		jq -c 'select(.summary) | [.left, .complete, .erasure.receipt]' | grep -x '\[0,true,"er-[0-9a-f]*"\]'
	echo '{"candidate_id":"w-97","accessor":{"kind":"human","daemon":"t","purpose":"call"},"fields_accessed":["name"],"result":"success"}' |
		lh-subject-audit append -q --dir subjects --key-file audit.key >row
	lh-subject-audit verify -q --dir subjects --key-file audit.key | jq -s 'all(.verified)' | grep -x true
}

@test "receipts, datasets, caches and other logs of before are what they were" {
	[ "$(lh-distill health -q --root root | jq -s 'map(.mismatched + .missing) | add')" = 0 ]
	[ "$(lh-distill receipts --root root | jq -s 'length == 6 and .[5].overall_passed')" = true ]
	lh-audit-full --root root >checks
	[ "$(tail -n 1 checks | jq .required_passed)" = 16 ]
	[ "$(lh-query 'select count(*) n from workers' --catalog catalog --store store)" = '{"n":20}' ]
	lh-embed -q --engine gguf --model m.gguf --cache cache.db --field role few.jsonl | alike vectors.jsonl /dev/stdin
	[ "$(lh-observe stats observe.jsonl | jq .total)" = 1 ]
	[ "$(lh-pathway search pathway.jsonl | jq -c .content.steps)" = '["call","write"]' ]
}
