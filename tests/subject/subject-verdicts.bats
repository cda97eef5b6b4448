# A verdict counts what it looked at: for each command that says erased, nothing left, found or
# complete, what it did not look at is planted, and the sentence and the exit status have to say so.

load ../helper

# a_state - s with w-2, and a snapshot of it in d that has w-2 also in files that no erasure changes.
a_state() {
	mkdir -p s/index s/log
	(umask 077 && head -c 32 /dev/urandom >key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	seq 3 | jq -c '{id: "w-\(.)", candidate_id: "w-\(.)", name: "Mara Quill\(.)", text: "welder \(.)"}' | tee s/roster.jsonl |
		lh-index build --dimension 64 -q s/index/workers.lhv
	cp s/index/workers.lhv s/index/workers.lhv.bak
	echo '{"candidate_id":"w-2","note":1}' | tee s/log/sessions.jsonl.1 | gzip >s/log/old.gz
	echo '{"note":"Mara Quill2 called"}' >s/log/decisions.jsonl
	printf 'w-2\x00\x80\xff' >s/picture
	lh-store snapshot -q --now 2026-05-01T00:00:00Z s d >/dev/null
	rm s/index/workers.lhv.bak s/log/* s/picture
}

@test "what an erasure leaves in a snapshot has a line for each file, and is counted in the summary and the receipt" {
	a_state
	run -1 lh-subject erase --state s --snapshots d -q --apply --reason test w-2
	[ "$(jq -r 'select(.file) | [.action, .snapshot, .file] | @tsv' <<<"$output" | tr '\t' ' ')" = "by hand 2026-05-01T00:00:00.000Z index/workers.lhv.bak
look 2026-05-01T00:00:00.000Z log/decisions.jsonl
by hand 2026-05-01T00:00:00.000Z log/old.gz
by hand 2026-05-01T00:00:00.000Z log/sessions.jsonl.1
by hand 2026-05-01T00:00:00.000Z picture" ]
	jq -es 'last | .state == "erased in part" and .look == 1 and .by_hand >= 4 and (.sentence | startswith("erased in part, also from 1 snapshot"))' <<<"$output" >/dev/null
	jq -e '.left.look == 1 and .left.by_hand >= 4 and ([.by_hand[].file] | index("log/old.gz"))' s/data/_catalog/subjects/_erasures/*.json >/dev/null
	# they are there when it is restored, and find and verify with the snapshots see them
	lh-store restore -q d r >/dev/null
	grep -q w-2 r/log/sessions.jsonl.1
	run -1 lh-subject verify --state s --snapshots d --also 'Mara Quill2' w-2
	[ "$(jq -r 'select(.file and .action == "by hand").file' <<<"$output" | sort -u | xargs)" = "index/workers.lhv.bak log/old.gz log/sessions.jsonl.1 picture" ]
	jq -es 'last | .snapshots_searched == 1 and .look == 1 and .by_hand >= 4 and .complete == false and (.sentence | contains("1 snapshot was looked at"))' <<<"$output" >/dev/null
	run -0 lh-subject find --state s --snapshots d -q w-2
	jq -es 'last | .found >= 3' <<<"$output" >/dev/null
	# the same without erasing anything more, by a second erasure
	run -1 lh-subject erase --state s --snapshots d -q --apply --reason test --also 'Mara Quill2' w-2
	jq -es 'last | .state == "erased in part" and .by_hand >= 4' <<<"$output" >/dev/null
}

@test "a snapshot that has only what stays is no reason to say that nothing was found" {
	a_state
	rm -r s
	mkdir s
	echo '{"candidate_id":"w-9"}' >s/x
	lh-store snapshot -q --now 2026-05-02T00:00:00Z s e >/dev/null
	rm s/x
	run -1 lh-subject erase --state s --snapshots e -q --apply --reason test --id-only w-9
	jq -es 'last | .state == "erased in part" and .by_hand == 1' <<<"$output" >/dev/null
}

@test "without --snapshots each verdict on a person says that snapshots were not looked at" {
	a_state
	for verb in find verify erase 'export --out e'; do
		lh-subject $verb --state s -q w-2 >got || [ $? = 1 ]
		[[ $(jq -r '.sentence // empty' got) == *"; snapshots were not looked at; "* ]]
	done
	mkdir none
	run -1 lh-subject verify --state s --snapshots none -q w-77
	[[ $(jq -r '.sentence // empty' <<<"$output") == *"; 0 snapshots were looked at; "* ]]
}

@test "a search is complete only if nothing has to be looked at, and a row of a snapshot is not in a list" {
	a_state
	echo '{"note":"Mara Quill2 called"}' >s/log/decisions.jsonl
	run -1 lh-subject verify --state s -q --also 'Mara Quill2' w-77
	jq -es 'last | .look > 0 and .complete == false' <<<"$output" >/dev/null
	lh-subject find --state s --snapshots d w-2 >rows
	run -2 --separate-stderr lh-subject erase --state s --list rows w-2
	[[ $stderr == *"is of a snapshot"* ]]
}

@test "erase takes its list from a pipe, by - and by /dev/stdin, and the person from its rows" {
	a_state
	for name in - /dev/stdin; do
		echo '{"candidate_id":"w-3","note":1}' >s/log/sessions.jsonl
		lh-subject find --state s -q w-3 | lh-subject erase --state s -q --list $name --apply --reason test --id-only >got
		jq -es 'last | .candidate_id == "w-3" and .state == "erased"' got >/dev/null
		run ! grep -q w-3 s/log/sessions.jsonl s/roster.jsonl
	done
	lh-subject find --state s -q w-1 >one
	lh-subject find --state s -q w-2 >two
	run -2 --separate-stderr lh-subject erase --state s --list - w-2 <one
	[[ $stderr == *'its rows are of "w-1", not of "w-2"'* ]]
	cat one two >both
	run -2 --separate-stderr lh-subject erase --state s --list both
	[[ $stderr == *"is of another person"* ]]
}
