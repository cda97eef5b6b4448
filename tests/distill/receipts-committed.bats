# Receipts and bundles as entries of a transparency log: lh-distill --tlog, lh-audit-full
# --tlog, lh-trace --tlog.
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	lh-gen kb -n 20 --root r
	lh-tlog keygen example.com/receipts --out key --public pub
	lh-tlog init tree --origin example.com/receipts --key-file key
}

# run_distill ID - a run of the root, whose receipts are committed.
run_distill() {
	lh-distill run --root r --run-id "$1" --now 2026-05-03T12:00:00Z --tlog tree --key-file-tlog key >/dev/null
}

# entry FILE - the entry that it is committed as.
entry() {
	echo "lh-receipt/v1 $(sha256sum <"$1" | cut -c 1-64)"
}

size() {
	sed -n 2p tree/checkpoint
}

@test "each receipt is one entry, once, and lh-trace shows which" {
	run_distill a
	[ "$(size)" = 5 ]
	cp tree/checkpoint before
	lh-distill run --root r --run-id b --now 2026-05-03T12:00:00Z >/dev/null
	run lh-trace --root r --tlog tree --json b
	[ "$(jq -c '.steps[] | select(.step == "receipt") | .tlog_index' <<<"$output" | sort -u)" = null ]
	cmp tree/checkpoint before
	# those of b, which was not committed, are appended with those of c
	run_distill c
	[ "$(size)" -gt 5 ]
	after=$(size)
	run_distill c
	[ "$(size)" -ge "$after" ]
	printf 'log %s\nquorum none\n' "$(cat pub)" >policy
	lh-trace --root r --tlog tree --json a b c |
		jq -c '.steps[] | select(.step == "receipt") | {index: .tlog_index, file}' >steps
	[ "$(wc -l <steps)" = 15 ]
	while read -r step; do
		jq -c --arg e "$(entry "r/$(jq -r .file <<<"$step")")" '{index, entry: $e}' <<<"$step"
	done <steps | lh-tlog prove tree | lh-tlog verify --policy policy >out
	[ "$(jq .verified out | sort | uniq -c | xargs)" = "15 true" ]
	lh-trace --root r --tlog tree a | has 'tlog_index [0-9]'
	lh-trace --root r a >without
	not has tlog_index <without
}

@test "--tlog and its key need each other" {
	run -2 --separate-stderr lh-distill run --root r --tlog tree
	[ "$stderr" = "lh-distill: --tlog and --key-file-tlog need each other" ]
}

@test "a log that cannot be opened is exit 2 before a run begins" {
	run -2 --separate-stderr lh-distill run --root r --run-id a --tlog none --key-file-tlog key
	[[ $stderr == *"none"* ]]
	[ ! -e r/reports/distillation/a ]
}
