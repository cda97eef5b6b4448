# lh-subject: which texts an erasure and its verification search for, and what they say of it.
# bats file_tags=plain-only
load ../helper
load ../subject

# a_person - s, with w-9 in the roster, a log that names them, and their record.
a_person() {
	mkdir -p s/log
	echo '{"candidate_id":"w-9","name":"Rob Al","phone":3125550101,"email":"rob@example.com"}' >s/roster.jsonl
	echo '{"note":"Al, Rob called, +1 312 555 0101"}' >s/log/a.jsonl
	echo '{"candidate_id":"w-9"}' >s/log/b.jsonl
}

receipt() {
	cat s/data/_catalog/subjects/_erasures/*.json
}

@test "an erasure searches for the texts of the roster by itself, and says which kinds" {
	a_person
	run -1 --separate-stderr lh-subject erase --state s -q --apply --reason test w-9
	[ "$(jq -c 'select(.action == "look") | .path' <<<"$output")" = '"s/log/a.jsonl"' ]
	searched='{"id":true,"names":1,"emails":1,"telephones":1}'
	[ "$(jq -c 'select(.summary) | .searched' <<<"$output")" = $searched ]
	[ "$(receipt | jq -c '.searched | del(.hashes)')" = $searched ]
	[ "$(receipt | jq -c '[.searched.hashes | length, (.[] | length)]')" = "[3,64,64,64]" ]
	not grep -ri -e 'rob' -e 'al,' -e 3125550101 s/data/_catalog/subjects/_erasures
	[[ $(jq -r 'select(.summary) | .sentence' <<<"$output") == "erased in part, as the receipt er-"*"; 1 row or text is to be looked at; "*"searched for the id, 1 name, 1 e-mail address and 1 telephone" ]]
}

@test "an erasure without a text is refused unless --id-only, which says that names were not searched" {
	a_person
	: >s/roster.jsonl
	run -2 lh-subject erase --state s --apply --reason test w-9
	[[ $output == *"--id-only"* && ! -e s/data/_catalog/subjects/_erasures/*.plan ]]
	grep -q w-9 s/log/b.jsonl
	run -0 --separate-stderr lh-subject erase --state s w-9		# a plan says so
	[[ $stderr == *"--id-only"* ]]
	run -2 lh-subject erase --state s --apply --reason test --id-only --also 'Rob Al' w-9
	run -0 --separate-stderr lh-subject erase --state s --apply --reason test --id-only w-9
	[[ $(jq -r 'select(.summary) | .sentence' <<<"$output") == *"searched for the id alone; names, e-mail addresses and telephones were not searched" ]]
	[ "$(receipt | jq -c .searched)" = '{"id":true,"names":0,"emails":0,"telephones":0,"hashes":[]}' ]
	# the receipt can be made good: with the name the row is found
	lh-subject erase --state s -q --apply --text-too --reason test --also 'Rob Al' w-9 >/dev/null
	not grep -r 'Rob' s/log
}

@test "what the receipt says is left is said again by a second erasure, after the roster went; with all texts it is looked for anew" {
	a_person
	run -1 lh-subject erase --state s -q --apply --reason test w-9
	for apply in --apply ''; do
		run -1 --separate-stderr lh-subject erase --state s $apply --reason test w-9
		[[ ${lines[-1]} == *'"state":"erased in part","look":1,"by_hand":0,"opaque":0,'*'"sentence":"the person was erased in part before; snapshots were not looked at; 1 row or text is to be looked at; searched for the id alone; '* ]]
	done
	echo '{"note":"another"}' >s/log/a.jsonl		# it was looked at
	run -1 lh-subject erase --state s --apply --reason test --also 'Rob Al' w-9
	run -0 --separate-stderr lh-subject erase --state s --apply --reason test --also 'Al, Rob' --also 312-555-0101 --also rob@example.com w-9
	[[ ${lines[-1]} == *'"state":"erased","look":0,"by_hand":0,'* ]]
}

@test "--apply needs a reason" {
	a_person
	for reason in '' '--reason='; do
		run -2 lh-subject erase --state s --apply $reason w-9
		[[ $output == *"--apply needs --reason TEXT"* ]]
	done
	[ ! -e s/data ]
}

@test "verify with the key says whether it searches for the texts of the erasure, and without texts that they were not searched" {
	a_person
	lh-subject erase --state s -q --apply --text-too --reason test w-9 >/dev/null
	id=$(receipt | jq -r .receipt)
	verified() { lh-subject verify --state s "$@" w-9 | jq -c 'select(.summary)'; }
	verified --also 'rob  AL' --also tel:+13125550101 --also ROB@example.com >got
	[ "$(jq -c .erasure got)" = '{"receipt":"'$id'","names":1,"emails":1,"telephones":1,"same":true}' ]
	[[ $(jq -r .sentence got) == "nothing is left in "*" places; snapshots were not looked at; searched for the id, 1 name, 1 e-mail address and 1 telephone; the erasure $id searched for the same 1 name, 1 e-mail address and 1 telephone" ]]
	verified --also 'Rob Al' >got
	[ "$(jq -c .erasure.same got)" = false ]
	[[ $(jq -r .sentence got) == *"the erasure $id searched for 1 name, 1 e-mail address and 1 telephone, not all of which are among these" ]]
	LH_SUBJECT_AUDIT_KEY='' verified >got
	[ "$(jq -c '[.left, .searched, .erasure]' got)" = '[0,{"id":true,"names":0,"emails":0,"telephones":0},null]' ]
	[[ $(jq -r .sentence got) == *"names, e-mail addresses and telephones were not searched" ]]
	head -c 32 /dev/zero >other && chmod 600 other
	[ "$(verified --key-file other | jq .erasure)" = null ]
}

@test "verify and find that searched no place are not complete, and say so" {
	mkdir s
	for command in verify find; do
		run -1 --separate-stderr lh-subject $command --state s --also 'Rob Al' w-9
		[[ $output == *'"places_searched":0,'*'"complete":false,'*'"sentence":"no place was searched; '* ]]
	done
}

@test "the receipt and verify count the same as kept" {
	a_person
	lh-subject erase --state s -q --apply --text-too --reason test w-9 >/dev/null
	[ "$(receipt | jq .left.kept)" = "$(lh-subject verify --state s w-9 | jq 'select(.summary) | .kept')" ]
}

@test "what belongs to the person by lineage is erased, also where it has a text of theirs" {
	lh-gen kb -n 20 --root r
	analysis='Zoe Quill takes it. The packing line was moved, the count agreed with the order, and all was checked twice.'
	jq -cn --arg a "$analysis" '{permit_id: "P1", ts: "2026-02-01T08:00:00Z", contractor: "Zoe Quill", observer_verdict: "accept", analysis: $a,
		candidate_id: "w-777"}' >>r/data/_kb/contract_analyses.jsonl
	lh-distill run -q --root r --run-id one --recorded-at $NOW >/dev/null
	grep -rlF 'Zoe Quill' r >files
	[ "$(wc -l <files)" -gt 3 ]
	run -0 --separate-stderr lh-subject erase w-777 --root r --also Quill --apply --reason test -q
	not grep -q '"look"' <<<"$(jq -r .action <<<"$output")"
	not grep -rlF 'Zoe Quill' r
	lh-distill health --all --root r >/dev/null
}

@test "files of an id whose name begins with _ are known, and the receipt has no name that is made of an id" {
	for id in 'Ω-2' '@x' '_w' 'éa' ' q' '_retention_sweep_x' 'a.lh-tmp-1'; do
		rm -rf s && mkdir s
		printf '{"badge":"B-2","x":1}\n{"badge":"B-3"}\n' | lh-ingest -q --jsonl --name badges --store s/store --catalog s/catalog - >/dev/null
		jq -cn --arg id "$id" '{schema: "subject_manifest.v1", candidate_id: $id, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-02T00:00:00Z",
			status: "active", vertical: "general", consent: {general_pii: {status: "given"}, biometric: {status: "never_collected"}},
			retention: {general_pii_until: "2030-01-01T00:00:00Z", policy: "p"}, datasets: [{name: "badges", key_column: "badge", key_value: "B-2"}],
			safe_views: [], audit_log_path: "data/_catalog/subjects/x.audit.jsonl", audit_log_chain_root: "GENESIS"}' |
			lh-subject-audit manifest put -q --dir s/data/_catalog/subjects >/dev/null
		[ "$(LH_SUBJECT_AUDIT_KEY='' lh-subject find --state s "$id" | jq -r 'select(.kind) | .kind' | tr '\n' ' ')" = "manifest object " ] || { echo "$id"; return 1; }
		lh-subject erase --state s -q --apply --reason test --id-only "$id" >/dev/null
		[ "$(zstdcat s/store/datasets/badges/*.zst)" = '{"badge":"B-3"}' ]
		jq -es '.[0].status == "erased"' s/data/_catalog/subjects/*.json >/dev/null
		for file in s/data/_catalog/subjects/*.*; do
			not grep -qF "$(basename "$file" .json)" <(receipt)
		done
	done
}

@test "a file that has another name is by hand, since what it has would stay there" {
	mkdir other
	a_person
	ln s/log/b.jsonl other/b
	ln s/roster.jsonl other/roster
	run -1 --separate-stderr lh-subject erase --state s -q --apply --text-too --reason test w-9
	jq -r 'select(.action == "by hand") | "\(.path) \(.why)"' <<<"$output" | alike - <(printf '%s has another name\n' s/log/b.jsonl s/roster.jsonl)
	cmp s/roster.jsonl other/roster
	[ "$(receipt | jq -c '[.by_hand[].why]')" = '["has another name","has another name"]' ]
	run -1 lh-subject verify --state s w-9
	[ "$(jq -c 'select(.summary) | [.left, .by_hand]' <<<"$output")" = "[0,2]" ]
}

@test "places whose bytes are neither text nor unpacked are counted by verify and in the receipt, and said" {
	a_person
	mkdir s/x d
	printf 'w-9 in UTF-16' | iconv -t UTF-16LE >s/x/utf16
	printf 'w-9 in Latin-1 \xe9' >s/x/latin1
	printf '7z\xbc\xaf\x27\x1c\x00\x04' >s/x/a.7z
	echo '{"candidate_id":"w-9","text":"some of it"}' | gzip | tail -c +5 >s/x/cut
	python3 -c 'import base64, sys, zipfile
text = b"{\"candidate_id\":\"w-9\",\"text\":\"some of it\"}"
open("s/x/hex", "w").write(text.hex() + "\n")
open("s/x/base32", "wb").write(base64.b32encode(text))
open("s/x/base64", "wb").write(base64.encodebytes(text * 3))
open("s/x/ids", "w").write("w-1\nw-2\nperson-number-12\n")
with zipfile.ZipFile("s/x/w.docx", "w") as z:
    z.writestr("[Content_Types].xml", "<Types/>")
    z.writestr("word/document.xml", "<w:t>w-</w:t><w:t>9</w:t>")
with zipfile.ZipFile("s/x/text.zip", "w") as z:
    z.writestr("a.txt", "hello")
with zipfile.ZipFile("s/x/picture.zip", "w") as z:
    z.writestr("a.png", b"\x89PNG\r\n\x1a\n\x00")'
	printf 'text with accents \xc3\xa9 and tabs\t\n' >s/x/text
	echo '{"id":"w-8","text":"welder"}' | lh-index build --dimension 64 --field text -q s/x/other.lhv
	lh-subject verify --state s w-8 >got || [ $? = 1 ]
	[ "$(jq 'select(.summary) | .opaque' got)" = 9 ] || { cat got; return 1; }
	[[ $(jq -r 'select(.summary) | .sentence' got) == *"; 9 places cannot be read, and were not searched; "* ]]
	lh-subject erase --state s -q --apply --text-too --reason test w-9 >out || [ $? = 1 ]
	[ "$(receipt | jq .opaque) $(jq 'select(.summary) | .opaque' out)" = "9 9" ]
	rm -r s/x
	[ "$(lh-subject verify --state s w-9 | jq 'select(.summary) | .opaque')" = 0 ]
}

@test "a text whose characters are cut by blocks of a file is text" {
	python3 -c 'open("d.log", "w").write("é" * 400000 + "\n" + "xé€𝒳" * 200000 + "\n")'
	[ "$(lh-subject verify --log d.log w-9 | jq 'select(.summary) | .opaque')" = 0 ]
	printf '\xc3' >>d.log
	[ "$(lh-subject verify --log d.log w-9 | jq 'select(.summary) | .opaque')" = 1 ]
}

@test "extended attributes are searched, and are by hand" {
	mkdir -p s/log
	echo '{"x":1}' >s/log/a.jsonl
	python3 -c 'import os
os.setxattr("s/log/a.jsonl", b"user.who", b"of w-9")
os.setxattr("s/log/a.jsonl", b"user.what", b"called rob al")' || skip "no extended attributes here"
	lh-subject verify --state s --also 'Rob Al' w-9 >got || [ $? = 1 ]
	jq -c 'select(.by) | [.by, .encoding, .member, .action]' got | sort | alike - <(printf '["bytes","attribute","user.%s","by hand"]\n' what who)
}
