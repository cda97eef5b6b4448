# lh-subject erase: the plan, what is done in each kind of place, the list of it, the receipt.
# bats file_tags=plain-only
load ../helper
load ../subject
load ../servers/server
load ../servers/s3

teardown() {
	stop_upstreams
	faults_happened
}

# erase [OPTION]... ID - apply, quietly, by the id alone unless texts are named; out has what it
# printed.
erase() {
	local texts=--id-only
	[[ " $* " != *" --from-roster "* && " $* " != *" --also "* ]] || texts=
	lh-subject erase --state s --cache cache.db -q --apply --reason test $texts "$@" >out
}

# left ID... - the files that have a marker of these persons.
left() {
	local id marker
	for id; do
		for marker in $(markers "$id"); do
			grep -rlF -- "$marker" s cache.db 2>/dev/null || true
		done
	done
	zstdcat s/store/datasets/workers/*.zst | { grep -F "$(markers "$1" | sed -n 10p)" || true; }
}

receipt() {
	cat s/data/_catalog/subjects/_erasures/*.json
}

@test "a plan has a line for each place with what is done there, and changes nothing but the log of who looked" {
	a_state 4
	find s cache.db ! -path '*/.lh-trace*' ! -name w-2.audit.jsonl -type f -exec sha256sum {} + | sort >before
	lh-subject erase --state s --cache cache.db w-2 >plan
	find s cache.db ! -path '*/.lh-trace*' ! -name w-2.audit.jsonl -type f -exec sha256sum {} + | sort >after
	alike before after
	jq -rs 'map(select(.kind)) | group_by(.kind)[] | "\(.[0].kind) \(map(.action) | unique | join(","))"' plan >got
	cat >want <<-'END'
	cache remove
	chain kept
	evidence remove
	index erase
	log tombstone
	manifest rewrite
	object rewrite
	playbook erase
	END
	grep -xFf want got >had
	alike want had
	jq -es 'last | .summary and .state == "planned" and .receipt == null' plan >/dev/null
	[ ! -e s/data/_catalog/subjects/_erasures ]
}

@test "after an erasure no file has a marker of the person, all have those of the others, and audits are sound" {
	a_state 4
	cp -a s before
	sound
	erase --from-roster w-2
	run -0 left w-2
	[ -z "$output" ]
	for id in w-1 w-3 w-4; do
		markers "$id" >texts
		grep -rlFf texts before | sed 's/^before/s/' | sort -u >had
		grep -rlFf texts s | sort -u >has
		comm -23 had has | { grep -v -e '/exports/' -e '/evidence/' -e '/scored-runs/' -e '/reports/' -e replay_runs -e 'lhv-log$' || true; } >lost
		[ ! -s lost ] || { cat lost; return 1; }
	done
	sound
	lh-subject verify --state s w-2 >/dev/null || [ $? = 1 ]
	lh-subject-audit manifest --dir s/data/_catalog/subjects verify w-2 >/dev/null
}

@test "a row of a log or a source becomes a tombstone on its line, and the lines after it keep their numbers" {
	a_state 4
	cp -a s before
	erase w-2
	id=$(receipt | jq -r .receipt)
	receipt | jq -r '.places[] | select(.action == "tombstone") | .path' >files
	grep -q _kb/ files
	while read -r file; do
		cp "before${file#s}" "${file##*/}"
		n=$(wc -l <"$file")
		[ "$n" = "$(wc -l <"${file##*/}")" ]
		grep -n '' "$file" | sed "s/{\"erased\":\"$id\",\"at\":\"2026-05-03T12:00:00.000Z\"}/ERASED/" >new
		grep -n '' "${file##*/}" >old
		diff old new >diff || true
		[ "$(grep -c '^> [0-9]*:ERASED$' diff)" -gt 0 ]
		[ "$(grep -c '^>' diff)" = "$(grep -c '^> [0-9]*:ERASED$' diff)" ]
	done <files
}

@test "the receipt is private, has counts and hashes of each place, and nothing of the person" {
	a_state 4
	erase --from-roster --reason "a request" w-2
	[ "$(stat -c %a s/data/_catalog/subjects/_erasures/*.json)" = 600 ]
	[ -z "$(find s/data/_catalog/subjects/_erasures -name '*.plan' -o -name '.*' -type f)" ]
	receipt >r
	jq -e '.schema == "subject_erasure.v1" and .reason == "a request" and .left.look == 0 and .left.by_hand == 0' r >/dev/null
	jq -e '.places[] | select(.kind == "roster") | .rows_before == 4 and .rows_after == 3' r >/dev/null
	[ "$(jq -r '.places[] | select(.kind == "roster") | .sha256_after' r)" = "$(sha256sum <s/roster.jsonl | cut -d' ' -f1)" ]
	[ "$(jq -r .candidate_hash r)" = "$(printf w-2 | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(xxd -p -c99 key)" | sed 's/.* //')" ]
	run ! grep -e 'w-2"' -e 'w-2/' -e "Person Number" r
	for marker in $(markers w-2); do run ! grep -F "$marker" r; done
}

@test "the row erased ends the audit log once, and the manifest says erased and nothing else of the person" {
	a_state 4
	erase w-2
	erase w-2
	log=s/data/_catalog/subjects/w-2.audit.jsonl
	[ "$(grep -c '"erased"' $log)" = 1 ]
	tail -n 1 $log | jq -e --arg id "$(receipt | jq -r .receipt)" --arg by "user $(id -un)" '.accessor == {kind: "erasure", daemon: "lh-subject",
		purpose: "erased", trace_id: $id, token: $by} and .result == "success"' >/dev/null
	jq -e --arg tip "$(tail -n 1 $log | jq -r .row_hmac)" '.status == "erased" and .consent.general_pii.status == "withdrawn" and
		.consent.biometric.status == "never_collected" and .datasets == [] and .safe_views == [] and
		.audit_log_chain_root == $tip' s/data/_catalog/subjects/w-2.json >/dev/null
}

@test "who was erased already is not erased again: the id of the receipt is printed, with status 0" {
	a_state 4
	erase w-2
	id=$(receipt | jq -r .receipt)
	receipt >first
	erase w-2
	[ "$(tail -n 1 out | jq -r '"\(.receipt) \(.state)"')" = "$id erased" ]
	receipt | alike first -
	run -1 lh-subject erase --state s --apply --reason test --id-only nobody-of-that-id
	[ "$(tail -n 1 <<<"$output" | jq -r .state)" = "not found" ]
}

@test "a person who is added again is erased again, and the receipt has the earlier one" {
	a_state 4
	erase w-2
	id=$(receipt | jq -r .receipt)
	echo '{"candidate_id":"w-2","name":"again"}' >>s/roster.jsonl
	LH_NOW=2026-05-04T12:00:00Z lh-subject erase --state s --apply --reason test --id-only w-2 >out 2>err
	grep -q "was erased before, by $id, and is there again" err
	receipt | jq -e --arg id "$id" '.receipt != $id and .earlier.receipt == $id' >/dev/null
	[ "$(wc -l <s/roster.jsonl)" = 3 ]
}

@test "a person whose id is a part of another's is erased alone" {
	a_state 12
	erase w-1
	run -0 left w-1
	# without --from-roster a message and a body without the id are not known to be theirs
	[ -z "$(grep -v -e observer -e spool/body <<<"$output")" ] || { echo "$output"; return 1; }
	for id in w-10 w-11 w-12; do
		grep -q "\"$id\"" s/roster.jsonl
		lh-index lookup s/index/workers.lhv "$id" >/dev/null 2>&1 || lh-index get s/index/workers.lhv "$id" >/dev/null
		grep -q "\"$id\"" s/log/sessions.jsonl
	done
	run ! grep '"w-1"' s/roster.jsonl s/log/sessions.jsonl
}

@test "an id may have any bytes" {
	mkdir -p s/index s/log
	id='a/b "ü" %41\é'$'\t''-'
	jq -cn --arg id "$id" '{candidate_id: $id, name: "x"}, {candidate_id: "other"}' >s/roster.jsonl
	jq -cn --arg id "$id" '{id: $id, text: "welder"}, {id: "other", text: "fitter"}' |
		lh-index build --dimension 64 --field text -q s/index/workers.lhv
	jq -cna --arg id "$id" '{worker_id: $id}, {worker_id: "other"}' >s/log/sessions.jsonl
	lh-subject erase --state s --apply --reason test --id-only "$id" >out
	[ "$(cat s/roster.jsonl)" = '{"candidate_id":"other"}' ]
	[ "$(lh-index info s/index/workers.lhv | jq .length)" = 1 ]
	[ "$(sed -n 2p s/log/sessions.jsonl)" = '{"worker_id":"other"}' ]
	[[ $(sed -n 1p s/log/sessions.jsonl) == '{"erased":"er-'* ]]
}

@test "a row that has only a text of the person, or the id in a text alone, is listed to look at, the receipt counts it, and it goes with --text-too" {
	mkdir -p s/log s/index
	printf '%s\n' '{"candidate_id":"w-2"}' '{"note":"ask w-2 about it"}' '{"note":"Maria Musterfrau called"}' >s/log/decisions.jsonl
	echo '{"id":"w-3","text":"welder, see w-2"}' | lh-index build --dimension 64 --field text -q s/index/workers.lhv
	run -0 lh-subject find --state s --also "maria musterfrau" w-2
	[ "$(grep -c '"by":"text"' <<<"$output")" = 3 ]
	run -1 lh-subject erase --state s --apply --reason test --also "maria musterfrau" w-2
	[ "$(jq -r 'select(.action == "look") | "\(.path) \(.rows)"' <<<"$output")" = "$(printf '%s\n' 's/index/workers.lhv 1' 's/log/decisions.jsonl 2')" ]
	[ "$(grep -c 'ask w-2\|Musterfrau' s/log/decisions.jsonl)" = 2 ]
	receipt | jq -e '.left.look >= 3 and .left.by_hand == 0' >/dev/null
	lh-subject erase --state s --apply --reason test --text-too --also "maria musterfrau" w-2 >/dev/null
	[ "$(grep -c '"erased":' s/log/decisions.jsonl)" = 3 ]
	[ "$(lh-index info s/index/workers.lhv | jq .length)" = 0 ]
}

@test "with --list the rows of it are erased, also those that have a text alone, and no others" {
	mkdir -p s/log
	printf '{"candidate_id":"w-2","n":%s}\n' 1 2 >s/log/a.jsonl
	printf '{"note":"Maria Muster %s"}\n' called wrote called >s/log/b.jsonl
	lh-subject find --state s --also 'Maria Muster' w-2 >hits
	[ "$(jq -r 'select(.path == "s/log/a.jsonl") | .sha256' hits | first 1)" = "$(head -n 1 s/log/a.jsonl | tr -d '\n' | sha256sum | cut -d' ' -f1)" ]
	grep -v '"line":2,"by":"text"' hits >list
	echo '{"note":"Maria Muster is new"}' >>s/log/b.jsonl
	sed -i '3s/called/sang/' s/log/b.jsonl
	run -1 --separate-stderr lh-subject erase --state s --apply --reason test --also 'Maria Muster' --list list w-2
	jq -c 'select(.path and .kind != "chain") | [.action, .rows, .why]' <<<"$output" | alike - <(printf '["%s",%s]\n' tombstone '2,null' tombstone '1,null' look '3,"not in the list"')
	[ "$(jq -r '.note // "-"' s/log/b.jsonl | tr '\n' ' ')" = "- Maria Muster wrote Maria Muster sang Maria Muster is new " ]
	receipt | jq -e '.rows == 3 and .left.look == 3' >/dev/null
}

@test "without a row of the person in --list there is no receipt until the next run, without it" {
	mkdir -p s/log
	printf '{"candidate_id":"w-2","n":%s}\n' 1 2 >s/log/a.jsonl
	lh-subject find --state s w-2 | sed 1d >list
	run -2 --separate-stderr lh-subject erase --state s --apply --reason test --id-only --list list w-2
	[[ $stderr == *"1 row or text is left, and no receipt was written"* ]]
	[ "$(grep -c erased s/log/a.jsonl)" = 1 ]
	erase_s() { lh-subject erase --state s -q --apply --reason test --id-only "$@"; }
	run -2 erase_s --list gone w-2
	erase_s w-2 >/dev/null
	receipt | jq -e '.rows == 2' >/dev/null
}

@test "tables and archives, also with the name of rows, are by hand in the plan, in verify and in the receipt" {
	mkdir -p s/store/a t
	echo '{"candidate_id":"w-2"}' >t/one.jsonl
	tar cf s/store/a/rows.jsonl -C t one.jsonl
	cp s/store/a/rows.jsonl s/store/t.tar
	printf 'candidate_id,name\nw-2,x\n' >s/store/t.csv
	run -1 lh-subject erase --state s --apply --reason test --id-only w-2
	[ "$(jq -r 'select(.action == "by hand") | .path' <<<"$output")" = "$(printf 's/store/%s\n' a/rows.jsonl t.csv t.tar)" ]
	receipt | jq -e '(.by_hand | map(.why)) == ["packed with others", "not rows of JSON Lines", "not rows of JSON Lines"] and .left.by_hand == 3 and .left.look == 0' >/dev/null
	run -1 lh-subject verify --state s w-2
	[ "$(jq -rs 'last.left' <<<"$output")" = 0 ]
	[ "$(jq -r 'select(.kind == "object") | .action' <<<"$output" | sort -u)" = "by hand" ]
}

@test "a log or a source that is packed is by hand, and stays as it is" {
	mkdir -p s/log s/data/_kb t
	printf '{"candidate_id":"w-2"}\n{"candidate_id":"w-1"}\n' >t/one.jsonl
	gzip -c t/one.jsonl >s/log/zip.jsonl
	zstd -qc t/one.jsonl >s/data/_kb/audits.jsonl
	tar cf s/log/tar.jsonl -C t one.jsonl
	cp -r s before
	run -1 lh-subject erase --state s --apply --reason test --id-only w-2
	[ "$(jq -r 'select(.action == "by hand") | "\(.path) \(.why)"' <<<"$output")" = "$(printf '%s packed\n' s/data/_kb/audits.jsonl s/log/tar.jsonl s/log/zip.jsonl)" ]
	for file in log/zip.jsonl log/tar.jsonl data/_kb/audits.jsonl; do
		cmp "before/$file" "s/$file"
	done
	run -1 lh-subject verify --state s w-2
	[ "$(jq -cs 'last | [.left, .look, .by_hand > 2]' <<<"$output")" = "[0,0,true]" ]
	lh-subject places --state s | jq -e 'select(.path == "s/log/zip.jsonl") | .why == "packed"' >/dev/null
}

@test "the BOM of a file goes with its first line, and stays with any other" {
	mkdir -p s/log
	for log in one two; do
		printf '\357\273\277{"candidate_id":"w-%s"}\n{"candidate_id":"w-%s"}\n' 1 2 >s/log/$log.jsonl
	done
	sed -i '1s/w-1/w-2/;2s/w-2/w-1/' s/log/two.jsonl
	lh-subject erase --state s --apply --reason test --id-only w-2 >/dev/null
	[ "$(head -c 3 s/log/one.jsonl | xxd -p)" = efbbbf ]
	[ "$(head -c 11 s/log/two.jsonl)" = '{"erased":"' ]
	[ "$(lh-subject find --state s w-1 | jq -r 'select(.line) | "\(.path) \(.line)"' | grep -v audit)" = "$(printf '%s\n' 's/log/one.jsonl 1' 's/log/two.jsonl 2')" ]
}

@test "a file that the tool does not know is never changed: it is by hand, with status 1" {
	a_state 4
	echo 'about w-2, by another program' >s/notes.txt
	mkdir -p s/shards/one/0-of-2/data/_kb	# by an older lh-distill
	echo '{"candidate_id":"w-2"}' >s/shards/one/0-of-2/data/_kb/outcomes.jsonl
	run -1 lh-subject erase --state s w-2
	grep '^{' <<<"$output" | jq -r 'select(.action == "by hand") | .path' | alike <(printf 's/notes.txt\ns/shards/one/0-of-2/data/_kb/outcomes.jsonl\n') -
	run -1 lh-subject erase --state s --apply --reason test --id-only w-2
	[ "$(cat s/notes.txt)" = 'about w-2, by another program' ]
	receipt | jq -e '.by_hand[0].why and .left.by_hand > 0' >/dev/null
}

@test "the receipt names what is by hand, in no folder that is called after the person, and does not count its own journal" {
	a_state 4
	mkdir -p s/data/w-2
	echo 'about w-2' >s/data/w-2/notes.txt
	run -1 lh-subject erase --state s --from-roster --apply --reason test w-2
	[ "$(receipt | jq -c '.by_hand')" = '[{"kind":"other","path":"s/data/","why":"not a file of these tools"}]' ]
	[ "$(receipt | jq -c '.left')" = '{"look":0,"by_hand":2,"kept":3}' ]
	not grep -r 'w-2' s/data/_catalog/subjects/_erasures
}

@test "a file that a killed writer left is removed, also where its name is made of the id" {
	mkdir -p s/data/_catalog/subjects
	echo '{"candidate_id":"w-2","name":"Al Bo"}' >s/roster.jsonl
	echo '{"schema"' >s/data/_catalog/subjects/.w-2.json.lh-tmp-99999
	lh-subject erase --state s -q --apply --reason test --id-only w-2 >out
	jq -es 'map(select(.kind == "spool").action) == ["remove"]' out >/dev/null
	[ ! -e s/data/_catalog/subjects/.w-2.json.lh-tmp-99999 ]
}

@test "a reason that names the person is refused, since the receipt must not" {
	mkdir -p s/log
	for id in w-2 17; do
		echo "{\"candidate_id\":\"$id\"}" >>s/log/a.jsonl
	done
	cp s/log/a.jsonl before
	for args in 'w-2 --reason request\ of\ w-2' 'w-2 --also Bob\ Ray --reason of\ bob\ ray'; do
		eval "run -2 lh-subject erase --state s --apply $args"
		[[ $output == *"--reason: names the person"* ]]
	done
	cmp before s/log/a.jsonl
	lh-subject erase --state s --apply --id-only --reason 'request 17 of 2026' 17 >/dev/null
}

@test "with --with-log the audit log goes too, and the secret by which its rows could be opened" {
	a_state 4
	head -c 32 /dev/urandom >s/data/_catalog/subjects/w-2.secret
	chmod 600 s/data/_catalog/subjects/w-2.secret
	erase --with-log w-2
	[ ! -e s/data/_catalog/subjects/w-2.audit.jsonl ]
	[ ! -e s/data/_catalog/subjects/w-2.secret ]
	lh-subject-audit manifest --dir s/data/_catalog/subjects verify w-2 >/dev/null
}

@test "the hash of the receipt is an entry of the transparency log" {
	a_state 4
	lh-tlog keygen erasures.example --out k --public p
	lh-tlog init t --origin erasures.example --key-file k >/dev/null
	erase --tlog t --key-file-tlog k w-2
	lh-tlog audit t >/dev/null
	entry="lh-receipt/v1 $(receipt | sha256sum | cut -d' ' -f1)"
	grep -rqF "$entry" t
}

@test "objects are written in their own compression, and the manifest has the new size, hash and count" {
	a_state 4
	for kind in gz xz bz2 lz4 plain; do
		persons 4 '{candidate_id: .id, name: .m.dataset}' >t.jsonl
		case $kind in
		plain) ;;
		gz) gzip -n t.jsonl ;;
		xz) xz t.jsonl ;;
		bz2) bzip2 t.jsonl ;;
		lz4) lz4 -q --rm t.jsonl t.jsonl.lz4 ;;
		esac
		mkdir -p s/store/more
		mv t.jsonl* s/store/more/
	done
	fingerprint=$(jq -r .schema_fingerprint s/catalog/*.json)
	erase w-2
	for file in s/store/more/*; do
		lh-cat "$file" | jq -r .candidate_id | paste -sd' ' >got
		[ "$(cat got)" = "w-1 w-3 w-4" ]
	done
	[[ $(head -c 2 s/store/more/t.jsonl.gz | xxd -p) == 1f8b && $(head -c 4 s/store/more/t.jsonl.xz | xxd -p) == fd377a58 ]]
	[ "$(jq -r '"\(.schema_fingerprint) \(.row_count)"' s/catalog/*.json)" = "$fingerprint 3" ]
	lh-catalog verify --catalog s/catalog --store s/store >/dev/null
}

@test "rows that were added to a dataset, and those that they replaced, are erased, and the manifest says so" {
	local keep='lh-ingest -q --store s/store --catalog s/catalog --name workers'
	a_state 4
	persons 4 '{candidate_id: .id, name: .m.dataset}' >t.jsonl
	persons 4 '{candidate_id: .id, name: "as it was"}' >was.jsonl
	$keep --upsert candidate_id --history was.jsonl >/dev/null
	$keep --upsert candidate_id --history t.jsonl >/dev/null
	$keep --append t.jsonl >/dev/null
	lh-subject find --state s w-2 >found
	[ "$(jq -r 'select(.kind == "object").path' found | sort -u | wc -l)" = 4 ]
	# not while rows are copied from one object to another
	flock "$(echo s/catalog/*.json | sed 's/json$/ingest.lock/')" sh -c 'touch held; cat' < <(until_so test -e tried) &
	until_so test -e held
	run -2 erase --lock-timeout 0 w-2
	[[ $output == *"ingest.lock: locked by "* ]]
	touch tried
	wait
	erase w-2
	[ "$(lh-query --catalog s/catalog "SELECT candidate_id, count(*) n FROM workers GROUP BY 1")" = '{"candidate_id":"w-1","n":2}
{"candidate_id":"w-3","n":2}
{"candidate_id":"w-4","n":2}' ]
	[ "$(lh-query --catalog s/catalog "SELECT candidate_id, count(*) n FROM workers_history GROUP BY 1")" = '{"candidate_id":"w-1","n":2}
{"candidate_id":"w-3","n":2}
{"candidate_id":"w-4","n":2}' ]
	[ "$(jq .row_count s/catalog/*.json)" = 6 ]
	lh-catalog verify --catalog s/catalog --store s/store
	# rows are added to what is left
	$keep --upsert candidate_id was.jsonl 2>/dev/null | jq -e '.replaced == 6 and .row_count == 4' >/dev/null
}

@test "a record that was deleted before is not in the file any more either" {
	a_state 4
	lh-index delete -q s/index/workers.lhv w-2
	[ -e s/index/workers.lhv-log ]
	erase w-2
	[ ! -e s/index/workers.lhv-log ]
	run ! grep -F "$(markers w-2 | sed -n 2p)" s/index/workers.lhv
}

@test "a cursor is moved with its log: rows that were sent are not sent again, and no other is left out" {
	a_state 4
	rm s/log/observer.jsonl.cursor
	start_server observed.py --key pk-lf-public:sk-lf-secret --log asked --events events
	export LANGFUSE_URL=$URL LANGFUSE_PUBLIC_KEY=pk-lf-public LANGFUSE_SECRET_KEY=sk-lf-secret
	lh-observe push -q s/log/observer.jsonl >sent
	rows=$(jq .sent sent)
	erase w-2
	echo '{"endpoint":"after","success":true}' | lh-observe record -q s/log/observer.jsonl >/dev/null
	[ "$(lh-observe push -q s/log/observer.jsonl | jq .sent)" = 1 ]
	[ "$rows" -gt 1 ]
}

# ---- faults ----

# same_end - the state is as in the folder ref, but for what depends on inodes.
same_end() {
	diff -r -x .lh-trace s ref/s
	[ ! -e cache.db ]
	[ -z "$(find s -name '*.lh-tmp-*' -o -name '*lock' -o -name '*-compact')" ]
}

# a_reference - a state, as it was in made, and as it is after an erasure in ref.
a_reference() {
	a_state 2
	mkdir made ref
	cp -a s cache.db made/
	erase w-2
	cp -a s ref/
}

again() {
	rm -rf s cache.db
	cp -a made/s made/cache.db .
}

# bats test_tags=full
@test "killed at any write, fsync, rename or unlink, the next run ends with the same bytes, and nothing is called done before" {
	needs_strace
	a_reference
	for call in write fsync rename unlink; do
		step=$(scale "$([ $call = unlink ] && echo 3 || echo 11)" 1)
		for ((at = 1; ; at += step)); do
			again
			run inject "$call:signal=KILL:when=$at" lh-subject erase --state s --cache cache.db -q --apply --reason test --id-only w-2
			injected || break
			if receipt >r 2>/dev/null; then
				run -1 lh-subject find --state s w-2
				jq -e '.found == 0' <<<"${lines[-1]}" >/dev/null
			fi
			erase w-2
			same_end || { echo "$call $at"; return 1; }
		done
		[ "$at" -gt 1 ]
	done
}

@test "a full disk or an I/O error at any write, fsync or rename is status 2 with the reason, and the next run finishes" {
	needs_strace
	a_reference
	for fault in write:error=ENOSPC rename:error=EIO fsync:error=EIO; do
		for ((at = 2; ; at += $(scale 17 1))); do
			again
			run inject "$fault:when=$at" lh-subject erase --state s --cache cache.db -q --apply --reason test --id-only w-2
			injected || break
			[[ $status = 2 && -n $output ]] || [ "$status" = 0 ] || { echo "$fault $at: $status $output"; return 1; }
			[ "$status" = 0 ] || [ ! -e s/data/_catalog/subjects/_erasures/*.json ] || [ -e s/data/_catalog/subjects/_erasures/*.plan ]
			erase w-2
			same_end || { echo "$fault $at"; return 1; }
		done
	done
}

@test "the list of what is changed is private, is durable before anything changes, and has id and texts; then it is gone" {
	needs_strace
	a_state 2
	find s ! -path '*/.lh-trace*' ! -path '*/_erasures*' ! -name '.*' -type f -exec sha256sum {} + | sort >before
	run inject rename:signal=KILL:when=2 lh-subject erase --state s -q --apply --reason test --also "Person Number 2" w-2
	injected
	find s ! -path '*/.lh-trace*' ! -path '*/_erasures*' ! -name '.*' -type f -exec sha256sum {} + | sort >after
	alike before after
	plan=$(echo s/data/_catalog/subjects/_erasures/*.plan)
	[ "$(stat -c %a "$plan")" = 600 ]
	head -n 1 "$plan" | jq -e '.candidate_id == "w-2" and .also[0] == "Person Number 2" and (.also | length) == 4' >/dev/null	# with those of the roster
	printf '{"path":"torn' >>"$plan"
	LH_NOW=2026-06-01T00:00:00Z lh-subject erase --state s -q --apply --reason test --id-only w-2 >/dev/null
	[ ! -e "$plan" ]
	receipt | jq -e '.started_at == "2026-05-03T12:00:00.000Z" and .finished_at == "2026-06-01T00:00:00.000Z"' >/dev/null
}

@test "two erasures at once: the second waits, or says who holds the lock" {
	a_state 4
	mkdir -p s/data/_catalog/subjects/_erasures
	flock s/data/_catalog/subjects/_erasures/.lock sh -c 'touch held; cat' < <(until_so test -e tried) &
	until_so test -e held
	run -2 lh-subject erase --state s --apply --reason test --id-only --lock-timeout 0.1 w-2
	[[ $output == *_erasures/.lock:\ locked\ by\ process\ * ]]
	touch tried
	wait
	lh-subject erase --state s -q --apply --reason test --id-only w-2 >one &
	lh-subject erase --state s -q --apply --reason test --id-only w-3 >two &
	wait %1 %2
	[ "$(find s/data/_catalog/subjects/_erasures -name '*.json' | wc -l)" = 2 ]
	sound
}

# begun - the journal is there.
begun() {
	compgen -G 's/data/_catalog/subjects/_erasures/*.plan' >/dev/null
}

@test "a writer that waits for a log that is replaced meanwhile appends to the new one" {
	a_state 4
	flock s/log/observer.jsonl flock s/log/pathway.jsonl sh -c 'touch held; cat' < <(until_so test -e tried) &
	until_so test -e held
	echo '{"endpoint":"late","success":true}' | lh-observe record -q s/log/observer.jsonl >/dev/null &
	echo '{"uid":"t-late","content":{"a":1}}' | lh-pathway add -q s/log/pathway.jsonl >/dev/null &
	lh-subject erase --state s -q --apply --reason test --id-only w-2 >/dev/null &
	until_so begun
	touch tried
	wait %1 && wait %2 && wait %3 && wait %4
	grep -q late s/log/observer.jsonl
	grep -q t-late s/log/pathway.jsonl
	run ! grep '"w-2"' s/log/observer.jsonl s/log/pathway.jsonl
}

@test "of a file that is rewritten in place after the search the rows are found again, and no other goes" {
	for file in s/log/a.jsonl s/roster.jsonl; do
		rm -rf s
		mkdir -p s/log
		seq 3 | jq -c '{candidate_id: "w-\(.)"}' >$file
		exec 8<>$file
		flock 8
		lh-subject erase --state s --apply --reason test --id-only w-1 8>&- >/dev/null &
		until_so compgen -G 's/data/_catalog/subjects/_erasures/*.plan'
		{ seq 3 -1 1; [ $file = s/log/a.jsonl ] || echo 4; } | jq -c '{candidate_id: "w-\(.)"}' | first 4 >rows
		[ $file = s/roster.jsonl ] || sed -i 1d rows
		cat rows >$file
		exec 8>&-
		wait $!
		alike <(grep -v w-1 rows) <(grep -v erased $file)
	done
}

# stopped - the erasure of the job before is stopped at the call, or has ended.
stopped() {
	grep -qs 'stopped by SIGSTOP' trace || ! kill -0 $! 2>/dev/null
}

@test "an object that another writer replaces while it is read is read again, and no row of it is lost" {
	needs_strace
	for ((at = 1; ; at++)); do
		rm -rf s trace
		mkdir -p s/store
		printf '{"candidate_id":"w-%s"}\n' 1 2 | tee s/store/a.jsonl >new
		echo '{"candidate_id":"w-3"}' >>new
		inject lseek:signal=STOP:when=$at -P "$PWD/s/store/a.jsonl" \
			lh-subject erase --state s -q --apply --reason test --id-only w-2 >out &
		until_so stopped
		grep -qs 'stopped by SIGSTOP' trace || break
		mv new s/store/a.jsonl
		kill -CONT "$(sed -n 's/ .*stopped by SIGSTOP.*//p' trace)"
		# replaced after it was searched for the last time, it is left to the next run
		wait $! || [ $? = 2 ]
		LH_NOW=2026-05-04T12:00:00Z lh-subject erase --state s -q --apply --reason test --id-only w-2 >out
		printf '{"candidate_id":"w-%s"}\n' 1 3 | alike - s/store/a.jsonl
	done
	wait $!
	[ $at -gt 2 ]
}

@test "while records are added, searched and logged an erasure takes out the person, and nothing else is lost" {
	a_state 4
	n=$(scale 40 1000)
	for ((i = 0; i < n; i++)); do
		echo "{\"endpoint\":\"op $i\",\"success\":true}"
	done >ops
	while read -r op; do lh-observe record -q s/log/observer.jsonl <<<"$op" >/dev/null; done <ops &
	for ((i = 0; i < n; i++)); do
		echo "{\"id\":\"new-$i\",\"text\":\"fitter $i\"}" | lh-index add -q s/index/workers.lhv >/dev/null
	done &
	for ((i = 0; i < n; i++)); do lh-search -q -Q welder s/index/workers.lhv >/dev/null; done &
	erase w-2
	wait %1 && wait %2 && wait %3
	[ "$(grep -c '"op ' s/log/observer.jsonl)" = "$n" ]
	[ "$(lh-index dump s/index/workers.lhv | grep -c '"new-')" = "$n" ]
	lh-index verify s/index/workers.lhv >/dev/null
	run ! grep -F "$(markers w-2 | sed -n 2p)" s/index/workers.lhv s/index/workers.lhv-log
}

# bats test_tags=full
@test "whatever the size of a root, an erasure does with 64 MiB of its own" {
	lh-gen kb -n "$(scale 20000 200000)" --root r
	for file in r/data/_kb/*.jsonl; do
		LC_ALL=C sed -i '1~500s/^{/{"candidate_id":"w-7",/' "$file"
	done
	lh-distill run -q --root r --run-id one >/dev/null
	[ "$(du -sk r | cut -f1)" -gt 70000 ]
	for command in "find" "export --out w-7" "erase --apply --reason test --id-only" "verify"; do
		prlimit --data=$((64 << 20)) lh-subject $command --root r w-7 >got
	done
	jq -es 'last.left == 0' got >/dev/null
	lh-distill health --all --root r >/dev/null
}

# audited - an audit of s that waits for others; while an erasure has no receipt yet, it may say 1.
audited() {
	until lh-audit-full --observer --root s >audit 2>busy || [ $? = 1 ]; do
		grep -q "another audit or run is at work" busy || { cat busy; return 1; }
	done
}

@test "while the root is distilled and audited an erasure takes out the person, and all runs end" {
	a_state 4
	for i in 1 2 3; do LH_NOW=2026-05-03T12:0$i:00Z lh-distill run -q --root s --run-id "more-$i" >/dev/null || echo "distill $?" >>failed; done &
	until_so test -d s/reports/distillation/more-1
	for i in 1 2 3; do audited >>failed || echo "audit $i" >>failed; done &
	erase --from-roster w-2
	wait %1 %2
	[ ! -s failed ] || { cat failed; return 1; }
	[ -d s/reports/distillation/more-3 ]
	lh-subject verify --state s w-2 >left || [ $? = 1 ]
	jq -es 'last.left == 0' left >/dev/null || { cat left; return 1; }
	lh-audit-full --observer --root s >/dev/null
}

@test "a place that disappears is status 2 with its name or is left out, and is never called done" {
	a_state 2
	run -2 lh-subject erase --state s --log gone.jsonl -q --apply --reason test --id-only w-2
	[[ $output == *gone.jsonl* ]]
	not compgen -G 's/data/_catalog/subjects/_erasures/*.json'
	mv s/index elsewhere
	erase --from-roster w-2
	receipt | jq -e 'all(.places[]; .kind != "index")' >/dev/null
	mv elsewhere s/index
	# it is there again, and with it the person
	run -1 lh-subject verify --state s w-2
	LH_NOW=2026-05-04T12:00:00Z lh-subject erase --state s -q --apply --reason test --id-only w-2 >/dev/null
	receipt | jq -e '.earlier.receipt and any(.places[]; .kind == "index")' >/dev/null
	lh-subject verify --state s w-2 >/dev/null
}

@test "a place that may not be written is by hand" {
	needs_reach
	[ "$(id -u)" = 0 ] || skip "root alone can make a folder that another may not write"
	a_state 4
	open=$(mktemp -d /tmp/XXXXXXXXXX)	# which another user reaches
	mv s key "$open"
	cd "$open"
	chown -R 65534:65534 . && chmod 755 .
	chown root s/log && chmod 755 s/log
	run as_nobody env PATH="$PATH" LH_SUBJECT_AUDIT_KEY=key XDG_CACHE_HOME="$open/.cache" lh-subject erase --state s --store s/store --apply --reason test --id-only w-2
	counts=$(grep -c '"w-2"' s/log/sessions.jsonl s/roster.jsonl) || true
	cd "$BATS_TEST_TMPDIR"
	rm -r "$open"
	[ "$status" = 1 ] || { echo "$output"; return 1; }
	grep '"action":"by hand"' <<<"$output" | grep -q 's/log/sessions.jsonl.*cannot be written'
	[ "$counts" = "s/log/sessions.jsonl:1
s/roster.jsonl:0" ]
}

@test "an index that lh-search keeps goes as a whole, for an id or a text, and is in the receipt; those of others stay" {
	mkdir -p s/log
	echo '{"candidate_id":"w-1"}' >s/log/a.jsonl
	keep b.jsonl 'Cy'
	other=$(echo .cache/lakehouse/*.lhv)
	keep a.jsonl 'Rob Al'
	sed -i 's/k-/m-/' b.jsonl	# its index is of before, and is searched all the same
	lh-subject erase --state s -q --also 'Rob Al' w-1 >plan
	kept=$(jq -r 'select(.action == "remove") | .path' plan)
	[ -e "$kept" ] && [ "$kept" != "$PWD/$other" ]
	jq -c 'select(.action == "remove") | [.place, .kind, .source, .rows]' plan | alike - <(echo '["user-cache","kept-index","'"$PWD"'/a.jsonl",1]')
	lh-subject erase --state s -q --also 'Rob Al' --apply --reason test w-1 >out
	[ ! -e "$kept" ] && [ -e "$other" ] && [ -e a.jsonl ]
	receipt | jq -e '.places | any(.kind == "kept-index" and .action == "remove" and .path == "'"$kept"'" and .sha256_after == null)' >/dev/null
	run ! grep -F "$PWD/a.jsonl" <(receipt)
	lh-subject verify --state s --also 'Rob Al' w-1 >/dev/null
	# by the id alone, with nothing in any other place, and from files that are gone
	keep c.jsonl 'Rob Al'
	keep d.jsonl 'Cy'
	rm ./*.jsonl
	lh-subject erase --state s -q --id-only --apply --reason test k-78 >out
	[ "$(jq -r 'select(.action == "remove") | .kind' out | xargs)" = "kept-index kept-index" ]
	not compgen -G '.cache/lakehouse/*.lhv'
	# what says only by its name whom it is of
	keep 'Rob Al.jsonl' 'Cy'
	lh-subject erase --state s -q --also 'Rob Al' --apply --reason test w-2 >out
	[ "$(jq -r 'select(.action == "remove") | .kind' out)" = kept-source ]
	run ! grep -rF 'Rob Al' .cache
	keep e.jsonl 'Cy'	# the index that nothing names is removed with the next one
	[ "$(find .cache -name '*.lhv' | wc -l)" = 1 ]
}

# a_small_state - s, and two snapshots of it in d; w-2 is in both, more of it in the second.
a_small_state() {
	mkdir -p s/index s/log
	(umask 077 && head -c 32 /dev/urandom >key)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	seq 3 | jq -c '{id: "w-\(.)", candidate_id: "w-\(.)", name: "Mara Quill\(.)", text: "welder \(.)"}' | tee s/roster.jsonl |
		lh-index build --dimension 64 -q s/index/workers.lhv
	lh-store snapshot -q --now 2026-05-01T00:00:00Z s d >/dev/null
	echo '{"candidate_id":"w-2","note":"Mara Quill2 called"}' >s/log/sessions.jsonl
	lh-store snapshot -q --now 2026-05-02T00:00:00Z s d >/dev/null
}

erase_all() {
	lh-subject erase --state s --snapshots d -q --apply --reason test "$@" w-2
}

# each_is_whole - every snapshot that is listed restores, with the others in it.
each_is_whole() {
	lh-store verify d >/dev/null
	[ "$(lh-store snapshots d | jq -r .snapshot | xargs)" = "2026-05-01T00:00:00.000Z 2026-05-02T00:00:00.000Z" ]
	for time in 2026-05-01T00:00:00Z 2026-05-02T00:00:00Z; do
		rm -rf one
		lh-store restore -q --as-of $time d one >/dev/null
		lh-index get one/index/workers.lhv w-3 >/dev/null
		grep -q Quill1 one/roster.jsonl
	done
}

# gone_from_all - no byte of the snapshots has the person.
gone_from_all() {
	each_is_whole
	run -1 grep -raF Quill2 d s
	run -1 lh-index get one/index/workers.lhv w-2
}

@test "with --snapshots a plan names the snapshots that have the person, and an erasure takes the person out of them" {
	a_small_state
	run -0 lh-subject erase --state s --snapshots d -q w-2
	[ "$(jq -r '.snapshot // empty' <<<"$output" | wc -l)" = 2 ]
	grep -rqaF Quill2 d
	run -2 lh-subject erase --state s --snapshots d --list s/roster.jsonl w-2
	erase_all >out
	gone_from_all
	[ "$(jq -c 'select(.snapshot) | [.place, .path, .snapshot, .action]' out | sed -n 2p)" = '["snapshots","d","2026-05-02T00:00:00.000Z","erase"]' ]
	[[ $(jq -r '.sentence // empty' out) == 'erased, also from 2 snapshots, as the receipt '* ]]
	alike <(jq -c 'select(.snapshot)' out) <(jq -c '.snapshots[]' s/data/_catalog/subjects/_erasures/*.json)
	# each has the receipt of what was done there, and is as it was for whom it is not about
	[ -s one/data/_catalog/subjects/_erasures/*.json ]
	lh-subject-audit verify -q --dir one/data/_catalog/subjects >/dev/null
	cp -r d before
	erase_all >out
	diff -r before d
	# who is in snapshots alone is erased there, by the texts of the roster there
	rm -r s
	mkdir s
	run -0 lh-subject erase --state s --snapshots d -q --apply --reason test w-3
	[ "$(jq -c 'select(.snapshot)' <<<"$output" | wc -l)" = 2 ]
	run -1 grep -raF Quill3 d
	run -1 lh-subject erase --state s --snapshots d -q --apply --reason test w-77
	[ "$(jq -r .state <<<"$output")" = 'not found' ]
	# one that has only what is to be looked at stays, and nobody is erased for it again
	mkdir s/log
	echo '{"note":"Mara Quill1 called"}' >s/log/decisions.jsonl
	lh-store snapshot -q --now 2026-05-03T00:00:00Z s d >/dev/null
	for did in "look erase erase" look; do
		run -1 lh-subject erase --state s --snapshots d -q --apply --reason test --also 'mara quill1' w-1
		[ "$(jq -r 'select(.snapshot).action' <<<"$output" | xargs)" = "$did" ]
		[ "$did" = look ] || find d s/data/_catalog/subjects/_erasures -type f -exec sha256sum {} + >then
	done
	find d s/data/_catalog/subjects/_erasures -type f -exec sha256sum {} + | alike then -
}

before_fault() {
	rm -rf s d
	cp -a made/s made/d .
}

after_fault() {
	each_is_whole
	erase_all >out || [ $? = 1 ]
	gone_from_all
}

@test "killed at any call while it erases from snapshots, each that is listed is whole, and the next run ends it" {
	needs_strace
	a_small_state
	mkdir made
	mv s d made
	export TMPDIR=$PWD/tmp
	mkdir tmp
	INJECT=signal=KILL STEP=17 CALLS=$(scale "rename unlink" "write pwrite64 fsync rename unlink" "write pwrite64 fsync rename unlink") at_each lh-subject erase --state s --snapshots d -q --apply --reason test w-2
	[ -z "$(ls tmp)" ]
}

@test "an erasure takes the person out of snapshots in S3, and says that the bucket may keep older versions" {
	a_small_state
	start_s3
	lh-store sync -q d s3://bucket/d >/dev/null
	run -1 lh-subject erase --state s --snapshots s3://bucket/d -q --apply --reason test w-2
	[[ $(jq -r '.sentence // empty' <<<"$output") == 'erased, also from 2 snapshots, but for older versions of objects that S3 may keep, as '* ]]
	receipt | jq -e '.old_versions | length == 1 and .[0].path == "s3://bucket/d"' >/dev/null
	[ "$(jq -r 'select(.snapshot).action' <<<"$output" | xargs)" = "erase erase" ]
	rm -r d
	lh-store sync -q s3://bucket/d d >/dev/null
	gone_from_all
}

@test "in S3 the object is replaced, and that the bucket may keep older versions is said, in the receipt too, with status 1" {
	a_state 4
	start_s3 --log asked
	persons 4 '{candidate_id: .id, name: .m.dataset}' >t.jsonl
	lh-store put -q s3://bucket t.jsonl t.jsonl >/dev/null
	run -1 lh-subject erase --state s --store s3://bucket -q --apply --reason test --id-only w-2
	jq -es 'last | .state == "erased" and (.sentence | startswith("erased, but for older versions of objects that S3 may keep"))' <<<"$output" >/dev/null
	lh-store get s3://bucket t.jsonl - | jq -r .candidate_id | paste -sd' ' | grep -qx "w-1 w-3 w-4"
	receipt | jq -e '.old_versions == [{path: "s3://bucket/t.jsonl", version: null, why: "the bucket may keep older versions, which stay"}]' >/dev/null
}

@test "S3 that fails in the middle is status 2, and the next run finishes" {
	a_state 4
	start_s3 --log asked
	persons 4 '{candidate_id: .id, name: .m.dataset}' >t.jsonl
	lh-store put -q s3://bucket t.jsonl t.jsonl >/dev/null
	for fault in HEAD/0 GET/3 PUT/0; do
		s3 _mode/403/$fault/99
		run -2 lh-subject erase --state s --store s3://bucket -q --apply --reason test --id-only w-2
		s3 _mode/off
		[[ $output == *HTTP\ 403* ]]
		not compgen -G 's/data/_catalog/subjects/_erasures/*.json'
	done
	run -1 lh-subject erase --state s --store s3://bucket -q --apply --reason test --id-only w-2
	run ! grep w-2 <(lh-store get s3://bucket t.jsonl -)
}

@test "verify and export read the objects of a store in S3, and name what S3 does not give" {
	a_state 2
	start_s3
	persons 2 '{candidate_id: .id, name: .m.dataset}' | gzip >t.jsonl.gz
	lh-store put -q s3://bucket/lake a/t.jsonl.gz t.jsonl.gz >/dev/null
	run -1 lh-subject verify --store s3://bucket/lake --also "$(markers w-2 | sed -n 10p)" w-2
	[ "$(jq -r 'select(.by == "id") | .path' <<<"$output")" = s3://bucket/lake/a/t.jsonl.gz ]
	run -0 lh-subject verify --store s3://bucket/lake w-3
	lh-subject export --store s3://bucket/lake --out w-2.d w-2 >/dev/null
	jq -e '.kind == "object" and .path == "s3://bucket/lake/a/t.jsonl.gz" and .row == 2' w-2.d/contents.jsonl >/dev/null
	alike w-2.d/data/* <(zcat t.jsonl.gz | sed -n 2p)
	for fault in 503/GET/1 drop/GET/1 short/GET/1; do
		s3 "_mode/$fault/99"
		run -2 --separate-stderr env LH_RETRIES=0 lh-subject verify --store s3://bucket/lake w-3
		[[ $stderr == *s3://bucket/lake* && $output != *'"complete":true'* ]]
		run -2 env LH_RETRIES=0 lh-subject export --store s3://bucket/lake --out gone w-2
		[ ! -e gone ]
		s3 _mode/off
	done
}
