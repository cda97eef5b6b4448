# lh-subject-audit manifest put of a person who was erased: reported once, or refused.
load ../helper
load ../subject

# a_person - s with a roster and a log, in which w-1 is, and keys 1 and 2.
a_person() {
	mkdir -p s/log
	echo '{"candidate_id":"w-1"}' >s/log/sessions.jsonl
	S=s/data/_catalog/subjects
}

# manifest ID [JQ] - one, changed by a filter.
manifest() {
	jq -nc --arg id "$1" '{schema: "subject_manifest.v1", candidate_id: $id, created_at: "2026-01-01T00:00:00Z",
		updated_at: "2026-01-02T00:00:00Z", status: "active", vertical: "general",
		consent: {general_pii: {status: "given"}, biometric: {status: "never_collected"}},
		retention: {general_pii_until: "2030-01-01T00:00:00Z", policy: "4y"}, datasets: [], safe_views: [],
		audit_log_path: "x", audit_log_chain_root: "GENESIS"} | '"${2:-.}"
}

# put [OPTION]... - a manifest on stdin; its messages are in err.
put() {
	lh-subject-audit manifest put --dir $S "$@" >/dev/null 2>err
}

erase() {
	lh-subject erase --state s -q --apply --reason test --id-only "$@" >/dev/null
}

@test "a person who was erased with a manifest is added again, and that is said once" {
	a_person
	manifest w-1 | put
	[ ! -s err ]
	erase w-1
	manifest w-1 | put
	[ "$(cat err)" = "lh-subject-audit: $S/w-1.json: the person was erased, and is added again" ]
	manifest w-1 '.status = "withdrawn"' | put
	[ ! -s err ]
	manifest w-1 | put
	[ ! -s err ]
	erase w-1
	manifest w-1 | put -q
	[ ! -s err ]
}

@test "a person who had no manifest is recognised by the receipt, under any of the keys" {
	a_person
	erase w-1
	[ ! -e $S/w-1.json ]
	head -c 32 /dev/zero | tr '\0' x >other
	chmod 600 other
	for id in w-2 W-1 w-10; do
		manifest $id | put --forbid-return
		[ ! -s err ]
	done
	run -1 put --forbid-return --key-file other --key-file key < <(manifest w-1)
	[ ! -e $S/w-1.json ]
	manifest w-1 | put --key-file other --key-file key
	[ "$(cat err)" = "lh-subject-audit: $S/w-1.json: the person was erased, and is added again" ]
}

@test "with --forbid-return, or forbid_return of the configuration, the manifest is refused and the others are put" {
	a_person
	manifest w-1 | put
	erase w-1
	cp $S/w-1.json before
	echo '{"state":"s","forbid_return":true}' >serve.json
	for option in --forbid-return --config=serve.json; do
		{ manifest w-3; manifest w-1; manifest w-4; } >m
		run -1 put $option m
		[ "$(sed -n 1p err)" = "lh-subject-audit: m:2: $S/w-1.json: the person was erased, and may not be added again" ]
		cmp before $S/w-1.json
		[ -e $S/w-3.json ] && [ -e $S/w-4.json ]
		rm $S/w-3.json $S/w-4.json
	done
	# nor over what is no manifest, nor after the manifest is removed
	echo '{}' >$S/w-1.json
	run -1 put --forbid-return < <(manifest w-1)
	rm $S/w-1.json
	run -1 put --forbid-return < <(manifest w-1)
	[ ! -e $S/w-1.json ]
	# what says that the person was erased is no return
	put --forbid-return before
	cmp before $S/w-1.json
	[ ! -s err ]
	echo '{"state":"s"}' >serve.json
	manifest w-1 | put --config serve.json
	[ "$(grep -c 'is added again' err)" = 1 ]
	# a person who is there again can be changed
	manifest w-1 '.status = "withdrawn"' | put --forbid-return
	[ "$(jq -r .status $S/w-1.json)" = withdrawn ]
}

@test "--forbid-return needs the key, and a folder of receipts that can be read" {
	a_person
	erase w-1
	manifest w-1 >m
	LH_SUBJECT_AUDIT_KEY='' run -2 --separate-stderr lh-subject-audit manifest put --dir $S --forbid-return m
	[ "$stderr" = "lh-subject-audit: no key: name its file by --key-file or LH_SUBJECT_AUDIT_KEY" ]
	# without it the receipt's hash cannot be made, and nothing is said
	LH_SUBJECT_AUDIT_KEY='' put m
	[ ! -s err ]
	rm $S/w-1.json
	mv $S/_erasures away
	touch $S/_erasures
	run -2 put --forbid-return m
	[[ $(cat err) == *"_erasures/"*": Not a directory" ]]
	[ ! -e $S/w-1.json ]
}

@test "lh-serve takes forbid_return, prints it, and refuses what is not a boolean" {
	echo '{"forbid_return":true}' >config
	[ "$(lh-serve --config config --print-config | jq .forbid_return)" = true ]
	echo '{"forbid_return":"yes"}' >config
	run -2 lh-serve --config config --check
	[[ $output == *'"forbid_return" must be true or false'* ]] || { echo "$output"; return 1; }
}
