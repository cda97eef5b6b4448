# lh-subject export: the folder for a person, and what is left out of it.
load ../helper
load ../subject

# export_of [OPTION]... ID - write x.
export_of() {
	rm -rf x
	lh-subject export --out x "$@" >said
}

# row FILTER - the first row of the export whose line of contents.jsonl a filter of jq takes.
row() {
	jq -r "select($1) | \"\(.file) \(.at)\"" x/contents.jsonl | first 1 | while read -r file at; do
		sed -n "${at}p" "x/$file"
	done
}

# shared - a log of rows with several persons, w-7 among them.
shared() {
	cat >log <<-'END'
		{"prompt":"fill: Ann Lee (w-7), Bob Ray (w-8)","artifact":{"fills":[{"candidate_id":"w-7","name":"Ann Lee","city":"Ulm"},{"candidate_id":"w-8","name":"Bob Ray","city":"Ulm"}]},"model":"m","duration_ms":5}
		{"candidate_id":"w-7","note":"works with Bob Ray","peers":["x"],"with":{"candidate_id":"w-8","name":"Bob Ray","phone":"+1 555 010"}}
		{"candidate_id":"w-8","name":"Bob Ray","team":[{"worker_id":"w-7","name":"Ann Lee"},{"worker_id":"w-9","name":"Cy Fox"}],"pay":12}
		{"candidate_id":"w-7","name":"Ann Lee", "n":1.0}
	END
}

# bats test_tags=full
@test "the folder has every row that find lists, byte for byte, and its sums hold" {
	a_state 3
	unset LH_SUBJECT_AUDIT_KEY	# with it find and export append rows to the person's log
	lh-subject find --state s w-2 | jq -c 'select(.kind and .kind != "secret")' >found
	export_of --state s --unredacted w-2
	alike found <(jq -c 'del(.file, .at, .redacted)' x/contents.jsonl)
	(cd x && sha256sum -c --quiet SHA256SUMS)
	[ "$(cd x && find . -type f ! -name SHA256SUMS | wc -l)" = "$(wc -l <x/SHA256SUMS)" ]
	jq -r 'select(.line and (.file | endswith(".jsonl"))) | "\(.path) \(.line) \(.file) \(.at)"' x/contents.jsonl >rows
	[ "$(wc -l <rows)" -gt 15 ]
	while read -r path line file at; do
		alike <(sed -n "${line}p" "$path") <(sed -n "${at}p" "x/$file")
	done <rows
	cmp s/data/_catalog/subjects/w-2.json x/manifest.json
	cmp s/data/_catalog/subjects/w-2.audit.jsonl x/lookups.jsonl
	alike <(zstdcat s/store/datasets/workers/*.zst | sed -n 2p) <(row '.kind == "object"')
	[ "$(row '.kind == "index"' | jq -c '[.id, .metadata.candidate_id, (.vector | length)]')" = '["w-2","w-2",64]' ]
}

# bats test_tags=full
@test "every marker of the person is in the folder, and none of another" {
	a_state 4
	export_of --state s --also "$(markers w-2 | tail -n 1)@example.com" w-2
	for marker in $(markers w-2 | sed 12d); do
		grep -rqF "$marker" x || { echo "missing: $marker"; return 1; }
	done
	for other in w-1 w-3 w-4; do
		for marker in $(markers $other); do
			not grep -rF "$marker" x
		done
	done
}

@test "lh-show shows what is handed over as names and values, a vector as how many numbers it has" {
	lh-gen workers -n 9 | tee w.jsonl | lh-index build -q w.lhv
	export_of --index w.lhv --roster w.jsonl w-7
	run -0 lh-show --card x/data/*
	[[ $output == *"name  "*"metadata.name "*"vector "*" 768 numbers"* ]]
	[[ $output != *"0, 0, 0"* ]]
}

@test "the folder and its files can be read by their owner alone, whatever the umask" {
	echo '{"candidate_id":"w-7"}' >log
	(umask 0; lh-subject export -q --log log --out x w-7)
	[ "$(find x -type d -printf '%m ')$(find x -type f -printf '%m\n' | sort -u)" = "700 700 600" ]
}

@test "the same inputs give the same bytes" {
	a_state 2
	unset LH_SUBJECT_AUDIT_KEY
	export_of --state s w-2
	mv x first
	find s -type f -exec touch -d 2001-01-01 {} +
	TZ=Asia/Tokyo export_of --state s --now 2027-01-01T00:00:00Z w-2
	diff -r x first
}

@test "a folder or a file that is there stays, and one folder is of one person" {
	echo '{"candidate_id":"w-7"}' >log
	mkdir there
	for out in log there; do
		run -2 lh-subject export --log log --out $out w-7
		[[ $output == *"$out: is there already"* ]]
	done
	[ "$(cat log)$(ls there)" = '{"candidate_id":"w-7"}' ]
	run -2 lh-subject export --log log w-7
	run -2 lh-subject export --log log --out o <<<'{"id":"w-7"}
{"id":"w-8"}'
	no_litter
}

@test "other persons in a row are replaced, with their names in its texts, unless --unredacted" {
	shared
	export_of --log log w-7
	row '.line == 1' | jq -e '.prompt == "fill: Ann Lee (w-7), [another person] ([another person])" and .model == "m" and .duration_ms == 5' >/dev/null
	[ "$(row '.line == 1' | jq -c .artifact.fills)" = '[{"candidate_id":"w-7","name":"Ann Lee","city":"Ulm"},"[another person]"]' ]
	[ "$(row '.line == 2')" = '{"candidate_id":"w-7","note":"works with [another person]","peers":["x"],"with":"[another person]"}' ]
	[ "$(row '.line == 3')" = '{"candidate_id":"[another person]","name":"[another person]","team":[{"worker_id":"w-7","name":"Ann Lee"},"[another person]"],"pay":"[another person]"}' ]
	[ "$(row '.line == 4')" = '{"candidate_id":"w-7","name":"Ann Lee", "n":1.0}' ]
	[ "$(jq -c .redacted x/contents.jsonl | tr '\n' ' ')" = "true true true false " ]
	not grep -r 'Bob\|w-8\|Fox' x
	export_of --log log --unredacted w-7
	alike log x/data/*
}

@test "a text that has the person's name stays, without the others in it" {
	shared
	export_of --log log --also 'Ann Lee' w-7
	[ "$(row '.line == 1' | jq -r .prompt)" = "fill: Ann Lee (w-7), [another person] ([another person])" ]
	not grep -r 'Bob\|w-8\|Fox' x
}

@test "a role is another's with its id, whether or not its member ends in _id" {
	cat >log <<-'END'
		{"candidate_id":"w-7","coach_id":"w-8","coach_name":"Bob"}
		{"candidate_id":"w-7","manager":"w-8","manager_email":"b@x.example"}
		{"candidate_id":"w-7","channel":"text","channel_phone":"+1 555 010 2030"}
	END
	export_of --log log w-7
	[ "$(row '.line == 1')" = '{"candidate_id":"w-7","coach_id":"[another person]","coach_name":"[another person]"}' ]
	[ "$(row '.line == 2')" = '{"candidate_id":"w-7","manager":"[another person]","manager_email":"[another person]"}' ]
	[ "$(row '.line == 3')" = '{"candidate_id":"w-7","channel":"text","channel_phone":"+1 555 010 2030"}' ]
}

@test "what names others is replaced in names of members and in any case or spelling, and parts of words stay" {
	cat >log <<-'END'
		{"fills":[{"candidate_id":"w-7","name":"Ann Lee"},{"candidate_id":"w-8","name":"Bob","email":"bob@x.example","phone":"+1 555 010 2030"}],"cc":"BOB@x.example","call":15550102030,"hits":{"w-7":1,"w-8":2,"Bob":3},"to":"cy@x.example"}
		{"candidate_id":"w-7","note":"my name, Bob: 1555-010-2030, Bobsleigh","with":{"candidate_id":"w-8","name":"bob","phone":"+1 555 010 2030"}}
	END
	export_of --log log w-7
	row '.line == 1' | jq -e '.fills[0] == {candidate_id: "w-7", name: "Ann Lee"} and .cc == .to and .call == "[another person]" and
		.hits == {"w-7": 1, "[another person]": "[another person]", "[another person] 2": "[another person]"}' >/dev/null
	[ "$(row '.line == 2' | jq -r .note)" = "my name, [another person]: [another person], Bobsleigh" ]
	not grep -ri 'bob\b\|w-8\|2030\|cy@' x/data
}

@test "of a replay the samples of others are left out, of a pair the side that is not the person's" {
	a_state 4
	mkdir -p s/exports/preference
	run=$(jq -r 'select(.candidate_id == "w-2") | input_line_number' s/data/_kb/scrum_reviews.jsonl | first 1)
	run=$(jq -r "select(.provenance.line_offset == $((run - 1))) | .run_id" s/data/evidence/*/*/*/scrum_reviews.jsonl)
	jq -nc --arg r "$run" '{schema_version: 1, id: "pref-0011223344556677", prompt: "to review", chosen: "my own text", rejected: "a text of another",
		reason: "one over the other", chosen_run_id: $r, rejected_run_id: "r-other", created_at: "2026-05-03T12:00:00.000Z",
		provenance: {source_file: "data/_kb/scrum_reviews.jsonl", line_offset: 0, sig_hash: ("0" * 64), recorded_at: "2026-05-03T12:00:00.000Z"}}' \
		>s/exports/preference/chosen_rejected.jsonl
	export_of --state s w-2
	row '.kind == "replays"' | jq -e '.context_bundle.retrieved_playbooks | map(.content_preview) |
		any(. == "[another person]") and any(. != "[another person]")' >/dev/null
	row '.kind == "preference"' | jq -e '.chosen == "my own text" and .rejected == "[another person]"' >/dev/null
}

@test "with --tlog the look-ups come with proofs that a stranger can check" {
	a_state 2
	printf 'log %s\nquorum none\n' "$(lh-tlog vkey tlog.key)" >policy
	unset LH_SUBJECT_AUDIT_KEY	# with it export appends a row
	export_of --state s --tlog s/tlog/main w-2
	lh-tlog verify --row --policy policy x/proofs.jsonl >/dev/null
	alike <(jq -r .row x/proofs.jsonl) x/lookups.jsonl
	not grep -rF "$(xxd -p -c 64 s/data/_catalog/subjects/w-2.secret)" x
	persons 2 'select(.id == "w-2") | {candidate_id: .id, accessor: {kind: "k", daemon: "d", purpose: "p"}, fields_accessed: [], result: "success"}' |
		lh-subject-audit append -q --key-file key --dir s/data/_catalog/subjects >/dev/null
	export_of --state s --tlog s/tlog/main w-2
	[ "$(jq .unproved said)" = 1 ]
	[ "$(wc -l <x/lookups.jsonl) $(wc -l <x/proofs.jsonl)" = "2 1" ]
}

@test "of a person of whom nothing is held there is no folder, and exit 1" {
	echo '{"candidate_id":"w-7"}' >log
	run -1 lh-subject export --log log --out x w-99
	[ ! -e x ]
	jq -e '.rows == 0 and .out == null' <<<"$output" >/dev/null
}

@test "lines that are not JSON, members of archives and packed files are handed over as they are" {
	mkdir -p s/data/_catalog/subjects s/exports s/log t
	echo 'visit by w-7, 10:00' >s/exports/notes.txt
	printf '{"candidate_id":"w-8"}\n{"candidate_id":"w-7","n":1.50}\n' | tee t/one.jsonl | gzip >s/log/old.jsonl.gz
	tar cf s/exports/a.tar -C t one.jsonl
	export_of --state s w-7
	[ "$(row '.path == "s/exports/notes.txt"')" = 'visit by w-7, 10:00' ]
	[ "$(row '.path == "s/log/old.jsonl.gz"')" = '{"candidate_id":"w-7","n":1.50}' ]
	[ "$(row '.path == "s/exports/a.tar"')" = '{"candidate_id":"w-7","n":1.50}' ]
}

@test "an export that cannot be written leaves nothing" {
	needs_strace
	a_state 2
	for fault in write:error=ENOSPC rename:error=EIO mkdir:error=EACCES fsync:error=EIO; do
		for n in 1 2 3; do
			rc=0
			rm -rf x
			inject "$fault:when=$n" lh-subject export -q --state s --out x w-1 >/dev/null 2>err || rc=$?
			injected || continue
			[ "$rc" = 2 ] || { [ "$rc" = 0 ] && not grep -q . err; } || { echo "$fault $n: $rc"; cat err; return 1; }
			[ "$rc" = 0 ] || [ ! -e x ] || [ -e x/SHA256SUMS ]
			no_litter
		done
	done
}

@test "a text and a list of pairs that name another person in another notation are cut, and those of the person stay" {
	mkdir -p s/log
	cat >s/log/a.jsonl <<-'E'
		{"candidate_id":"w-1","x":"result: {\"candidate_id\":\"w-2\",\"ssn\":\"456\"} ok"}
		{"candidate_id":"w-1","x":"{\"candidate_id\":\"w-1\"}\n{\"candidate_id\":\"w-2\",\"ssn\":\"456\"}"}
		{"candidate_id":"w-1","x":"\"{\\\"worker_id\\\":\\\"w-2\\\",\\\"ssn\\\":\\\"456\\\"}\""}
		{"candidate_id":"w-1","x":"candidate_id=w-2&ssn=456"}
		{"candidate_id":"w-1","x":"{'candidate_id': 'w-2', 'ssn': '456'}"}
		{"candidate_id":"w-1","x":[["candidate_id","w-2"],["ssn","456"]]}
		{"candidate_id":"w-1","x":"[[\"ssn\",\"456\"],[\"candidate_id\",\"w-2\"]]"}
		{"candidate_id":"w-1","x":[{"name":"candidate_id","value":"w-2"},{"name":"ssn","value":"456"}]}
		{"candidate_id":"w-1","x":"of candidate_id w-1; candidate_id, name"}
		{"candidate_id":"w-1","x":[["ssn","123"]],"y":[{"field":"candidate_id","n":4}],"z":["candidate_id","phone2"]}
	E
	export_of --state s w-1
	cat x/data/* >rows
	[ "$(wc -l <rows)" = 10 ]
	not grep -e 456 -e w-2 rows
	alike <(tail -n 2 rows) <(tail -n 2 s/log/a.jsonl)
}
