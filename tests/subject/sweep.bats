# The timer that erases the persons whose retention has ended: its unit, its script, its dry run.
# bats file_tags=plain-only
load ../helper
load ../subject

# sweep OPTION... - the script by itself.
sweep() {
	"$ROOT/share/examples/lh-subject-sweep-nightly" "$@"
}

# unit - the command of the unit, with the settings that are installed, for the state s.
unit() {
	local conf
	conf=$(sed "s,/var/lib/lakehouse,$PWD/s,; s,/etc/lakehouse-tools,$PWD,; /^LH_/d" "$ROOT/share/etc/nightly.conf")
	(
		eval "$(grep '^[A-Z_]*=' <<<"$conf")"
		eval "$(sed -n "s,^ExecStart=/usr/local/share/lakehouse-tools,$ROOT/share,p" "$ROOT/share/systemd/lh-subject-sweep.service")"
	)
}

# due TIME ID... - the retention of these subjects has ended then.
due() {
	local id
	for id in "${@:2}"; do
		jq -c --arg t "$1" '.retention.general_pii_until = $t' "$SUBJECTS/$id.json" >changed
		lh-subject-audit manifest put -q --dir $SUBJECTS changed >/dev/null
	done
}

states() {
	jq -r '"\(.candidate_id) \(.status)"' $SUBJECTS/w-?.json | tr '\n' ' '
}

# a_due_state N - the state, the configuration that names it, nothing due.
a_due_state() {
	a_state "$1"
	SUBJECTS=$PWD/s/data/_catalog/subjects
	echo "{\"state\":\"$PWD/s\",\"elsewhere\":[\"the tapes\"]}" >serve.json
}

receipts() {
	find $SUBJECTS -name '*.json' -path '*_erasures*' | wc -l
}

# bats test_tags=full
@test "the unit erases who is due, and no others; it prints receipts without ids, and then nothing" {
	a_due_state 4
	run -0 unit
	[ -z "$output" ]
	due 2026-05-01T00:00:00Z w-2 w-4
	run -0 unit
	[ "$(grep -cx 'Erased: er-[0-9a-f]\{16\}' <<<"$output")" = 2 ]
	[ "$(wc -l <<<"$output")" = 2 ]
	[ "$(states)" = "w-1 active w-2 erased w-3 active w-4 erased " ]
	for id in w-2 w-4; do
		for marker in $(markers $id); do
			not grep -rlF -- "$marker" s
		done
	done
	for id in w-1 w-3; do
		for marker in $(markers $id | sed '9,10d'); do
			grep -rqF -- "$marker" s || zstdcat s/store/datasets/workers/*.zst | grep -qF "$marker" || grep -q "$marker" <(lh-index dump s/index/workers.lhv)
		done
	done
	[ "$(cat $SUBJECTS/_erasures/*.json | jq -c '[.reason, .elsewhere]' | sort -u)" = '["the retention has ended",["the tapes"]]' ]
	run -0 unit
	[ -z "$output" ]
}

@test "a dry run prints what would be done, and changes nothing" {
	a_due_state 3
	due 2026-05-01T00:00:00Z w-2
	# but for the row on who looked
	find s ! -path '*/.lh-trace*' ! -name w-2.audit.jsonl -type f -exec sha256sum {} + | sort >before
	sweep --dry-run serve.json $SUBJECTS --from-roster >plan
	find s ! -path '*/.lh-trace*' ! -name w-2.audit.jsonl -type f -exec sha256sum {} + | sort >after
	alike before after
	lh-subject erase w-2 --config serve.json --subjects $SUBJECTS --from-roster | grep -v '"kind":"chain"' |
		alike - <(grep -v '"kind":"chain"' plan)
	sed -i /w-2/d s/roster.jsonl
	run -0 sweep --dry-run serve.json $SUBJECTS --from-roster
	grep -q 'no roster has a name of "w-2"' <<<"$output"
	grep -q '"state":"planned"' <<<"$output"
	[ "$(tail -n 1 plan | jq -c '[.candidate_id, .state]')" = '["w-2","planned"]' ]
	[ "$(grep -c '"action":"tombstone"' plan)" -gt 3 ]
}

@test "a person whose erasure fails makes the status 1, the others are done, and the next run tries again" {
	a_due_state 3
	due 2026-05-01T00:00:00Z w-1 w-2 w-3
	cp $SUBJECTS/w-2.audit.jsonl kept
	sed -i 's/gateway_lookup/gateway_1ookup/' $SUBJECTS/w-2.audit.jsonl
	run -1 --separate-stderr unit
	[[ $stderr == *"w-2.audit.jsonl"* ]]
	[ "$(grep -c '^Erased' <<<"$output")" = 2 ]
	[ "$(states)" = "w-1 erased w-2 active w-3 erased " ]
	cp kept $SUBJECTS/w-2.audit.jsonl
	run -0 unit
	[ "$(grep -c '^Erased' <<<"$output")" = 1 ]
	[ "$(states)" = "w-1 erased w-2 erased w-3 erased " ]
}

@test "an erasure that was begun is finished, though its manifest says erased already" {
	a_due_state 2
	due 2026-05-01T00:00:00Z w-1
	run -1 sweep serve.json $SUBJECTS --tlog gone --key-file-tlog tlog.key
	[ "$(states)" = "w-1 erased w-2 active " ]
	[ -e $SUBJECTS/_erasures/*.plan ]
	[ -z "$(lh-subject-audit sweep --dir $SUBJECTS)" ]
	run -0 sweep serve.json $SUBJECTS --tlog s/tlog/main --key-file-tlog tlog.key
	[[ $output == 'Erased: er-'* ]]
	[ ! -e $SUBJECTS/_erasures/*.plan ]
	[ "$(receipts)" = 1 ]
}

@test "what has to be looked at is printed, and makes the status 1, once" {
	a_due_state 2
	due 2026-05-01T00:00:00Z w-1
	jq -c 'if .candidate_id == "w-2" then .name = "Person Number 1 \(.name)" else .name = "Person Number 1" end' s/roster.jsonl >changed
	mv changed s/roster.jsonl
	run -1 sweep serve.json $SUBJECTS --from-roster
	[ "$(grep -v '^Erased' <<<"$output" | jq -r '"\(.kind) \(.action) \(.rows)"')" = "roster look 1" ]
	[ "$(grep -c '^Erased' <<<"$output")" = 1 ]
	run -0 sweep serve.json $SUBJECTS --from-roster
	[ -z "$output" ]
}

@test "biometric data that are due alone are reported, and nothing is erased" {
	a_due_state 2
	jq -c '.consent.biometric = {status: "given", retention_until: "2026-05-01T00:00:00Z"}' $SUBJECTS/w-1.json |
		lh-subject-audit manifest put -q --dir $SUBJECTS >/dev/null
	run -1 unit
	[ "$output" = "By hand: biometric data are due, as lh-subject-audit sweep lists: 1" ]
	[ "$(states)" = "w-1 active w-2 active " ]
	[ "$(receipts)" = 0 ]
}

@test "an id that has what is looked for, or line ends, is that person and no other" {
	a_due_state 1
	local odd='x","expired":["general_pii"],"y":"' lines=$'a\nw-1\n{"candidate_id":"w-1"}'
	for id in "$odd" "$lines"; do
		jq -c --arg id "$id" '.candidate_id = $id | .datasets = []' $SUBJECTS/w-1.json |
			lh-subject-audit manifest put -q --dir $SUBJECTS >/dev/null
		jq -nc --arg id "$id" '{candidate_id: $id, name: "Odd \($id | length)"}' >>s/roster.jsonl
	done
	# the first has only biometric data that are due, the second all
	for file in $(grep -lF 'x\",' $SUBJECTS/*.json); do
		jq -c '.consent.biometric = {status: "given", retention_until: "2026-05-01T00:00:00Z"}' "$file" |
			lh-subject-audit manifest put -q --dir $SUBJECTS >/dev/null
	done
	for file in $(grep -lF 'a\nw-1' $SUBJECTS/*.json); do
		jq -c '.retention.general_pii_until = "2026-05-01T00:00:00Z"' "$file" |
			lh-subject-audit manifest put -q --dir $SUBJECTS >/dev/null
	done
	run -1 sweep serve.json $SUBJECTS
	[ "$(grep -c '^Erased' <<<"$output")" = 1 ]
	[ "$(jq -r '.candidate_id | length' s/roster.jsonl | tr '\n' ' ')" = "3 ${#odd} " ]
	[ "$(receipts)" = 1 ]
}

@test "without a configuration, a folder or a key nothing is erased" {
	a_due_state 1
	due 2026-05-01T00:00:00Z w-1
	run -2 sweep serve.json
	[[ $output == usage:* ]]
	run -1 sweep gone.json $SUBJECTS
	[[ $output == *gone.json* ]]
	run -1 sweep serve.json "$PWD/gone"
	[[ $output == *gone* ]]
	LH_SUBJECT_AUDIT_KEY='' run -1 sweep serve.json $SUBJECTS
	[[ $output == *"erase needs --key-file"* ]]
	[ "$(states)" = "w-1 active " ]
}

@test "nothing enables the units" {
	grep -q 'lh-subject-sweep.timer' "$ROOT/debian/rules"
	grep -q 'lh-subject-sweep.timer' "$ROOT/debian/lakehouse-tools.prerm"
	not grep -rq 'lh-subject-sweep' "$ROOT/share/examples/crontab"
}
