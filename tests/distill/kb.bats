# lh-gen kb: the sources of a distillation, with what each row must be scored.
# Plain only: quality and counts over many valid records, on paths that the tools'
# own files and the unit programs take there.
# bats file_tags=plain-only
load ../helper

STEMS="distilled_facts distilled_procedures distilled_config_hints contract_analyses mode_experiments scrum_reviews
observer_escalations audit_facts auto_apply observer_reviews audits outcomes"

# made N [OPTION...] - rows below r, what they must be scored in the file expect.
made() {
	lh-gen kb -n "$1" --root r --expect expect "${@:2}"
}

@test "rows of all twelve streams, n in all, with a line of expectation for each" {
	run -0 --separate-stderr made 3000
	[ -z "$output$stderr" ]
	[ "$(basename -as .jsonl r/data/_kb/* | sort)" = "$(tr ' ' '\n' <<<"$STEMS" | sort)" ]
	[ "$(cat r/data/_kb/*.jsonl | jq -c 'objects' | wc -l)" = 3000 ]
	diff <(jq -r '"\(.source_file):\(.line_offset)"' expect | sort) \
		<(cd r && awk '{ print FILENAME ":" FNR - 1 }' data/_kb/*.jsonl | sort)
	[ "$(jq -r 'keys_unsorted | join(" ")' expect | sort -u)" = "source_file line_offset category" ]
	[ "$(jq -r .category expect | sort -u | paste -sd' ')" = "accepted needs_human_review partially_accepted rejected" ]
}

@test "twelve rows are one of each stream, and no rows are twelve empty files" {
	made 12
	for stem in $STEMS; do
		[ "$(wc -l <r/data/_kb/$stem.jsonl)" = 1 ]
	done
	made 0
	[ "$(cat r/data/_kb/*.jsonl expect | wc -c)" = 0 ]
	[ "$(find r/data/_kb -name '*.jsonl' | wc -l)" = 12 ]
}

@test "the same seed gives the same bytes, another seed others, and a row does not depend on the count" {
	made 2000
	lh-gen kb -n 2000 --root same --seed 1
	lh-gen kb -n 2000 --root other --seed 2
	lh-gen kb -n 5000 --root more
	diff -r r same
	for stem in $STEMS; do
		cmp -n "$(stat -c %s "r/data/_kb/$stem.jsonl")" "r/data/_kb/$stem.jsonl" "more/data/_kb/$stem.jsonl"
		run ! cmp -s "r/data/_kb/$stem.jsonl" "other/data/_kb/$stem.jsonl"
	done
}

@test "the rows are those of every other machine" {
	made 10000
	[ "$(cat r/data/_kb/*.jsonl expect | sha256sum | cut -c1-16)" = 41f64963d4012564 ]
	made 10000 --dirty
	[ "$(cat r/data/_kb/*.jsonl expect | sha256sum | cut -c1-16)" = 7d3ade3e576d8b0b ]
}

@test "what there was is replaced, and without the root's lock nothing is" {
	made 2000
	made 100
	[ "$(cat r/data/_kb/*.jsonl | wc -l)" = 100 ]
	[ "$(awk -F'|' '/jsonl/ { n += $3 } END { print n }' r/docs/recon/local-distillation-recon.md)" = 100 ]
	before=$(cat r/data/_kb/*.jsonl expect | sha256sum)
	run -2 --separate-stderr bash -c 'ulimit -f 8; trap "" XFSZ; lh-gen kb -n 1000 --root r --expect expect'
	[[ $stderr == lh-gen:*"File too large" ]]
	[ "$before" = "$(cat r/data/_kb/*.jsonl expect | sha256sum)" ]
	no_litter
	run -2 --separate-stderr patiently flock r/.lh-lock lh-gen kb --lock-timeout 0.2 -n 1000 --root r --expect expect
	[[ $stderr == lh-gen:*r/.lh-lock:*"gave up after 0.2 seconds" ]] || { echo "$stderr"; return 1; }
	[ "$before" = "$(cat r/data/_kb/*.jsonl expect | sha256sum)" ]
}

@test "a signal in the middle leaves what there was" {
	made 100
	before=$(cat r/data/_kb/*.jsonl expect | sha256sum)
	for signal in INT TERM; do
		timeout -s $signal 0.3 lh-gen kb -n 100000000 --root r --expect expect && status=0 || status=$?
		[ "$status" = 124 ]
		[ "$before" = "$(cat r/data/_kb/*.jsonl expect | sha256sum)" ]
		no_litter
	done
}

@test "a root that is not a folder, or whose folder does not exist, is exit 2 and named" {
	: >file
	for root in file no/such; do
		run -2 --separate-stderr lh-gen kb --root $root
		[ -z "$output" ]
		[[ $stderr == "lh-gen: $root: "* ]]
	done
	LH_DISTILL_ROOT=$PWD/env lh-gen kb -n 12
	[ -s env/data/_kb/audits.jsonl ]
	run -2 --separate-stderr lh-gen kb --expect no/such/file --root env
	[[ $stderr == "lh-gen: no/such/"* ]]
}

@test "a whole run says the same of dirty rows, counts them all, and finds pairs" {
	made "$(scale 5000 1000000)" --dirty
	LH_NOW=2026-05-03T12:00:00Z lh-distill run --root r --run-id one -q >summary 2>err && status=0 || status=$?
	[ "$status" = 1 ]
	alike <(cat r/data/scored-runs/*/*/*/* | jq -r '"\(.provenance.source_file) \(.provenance.line_offset) \(.category)"' | sort) \
		<(jq -r 'select(.category != "skipped") | "\(.source_file) \(.line_offset) \(.category)"' expect | sort) >wrong || { head -n 5 wrong; return 1; }
	alike <(jq -r '"\(.source_file) \(.line_offset)"' r/data/_kb/distillation_skips.jsonl | sort) \
		<(jq -r 'select(.category == "skipped") | "\(.source_file) \(.line_offset)"' expect | sort) >wrong || { head -n 5 wrong; return 1; }
	[ "$(jq .preference_pairs summary)" -ge $(($(scale 5000 1000000) / 20)) ]
	lh-distill health --all --root r -q >health
	[ "$(jq -s "map(.rows) | add" health)" = "$(grep -vc skipped expect)" ]
}
