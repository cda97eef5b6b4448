# lh-subject verify: texts in any bytes, however they are encoded, packed or left behind.
load ../helper
load ../subject

# verify ID [OPTION]... - verify with d/log as a place in whose lines find does not look.
verify() {
	lh-subject verify --cache d/log "$@" >got || [ $? = 1 ]
}

# encodings - of all that was found in bytes, each once.
encodings() {
	jq -r 'select(.by == "bytes") | .encoding' got | sort -u | tr '\n' ' '
}

# found - how many texts were found in bytes.
found() {
	jq -s 'map(select(.by == "bytes")) | length' got
}

# in_log TEXT ID [OPTION]... - verify an ID with a log that has that text.
in_log() {
	mkdir -p d
	printf '%s\n' "$1" >d/log
	shift
	verify "$@"
}

# packed FILE - d/log has that file, packed; w-7 must be found once, in a member.
packed() {
	mkdir -p d
	cp "$1" d/log
	verify w-7
	jq -es 'map(select(.by == "bytes" and .member != null)) | length == 1' got >/dev/null || { echo "$1"; cat got; return 1; }
}

@test "an id is found as it is, with escapes of JSON, percent-encoded and in base64, alone and one in another" {
	for text in 'say w-7.' 'say \u0077-7.' 'say \u0077\u002D\u0037.' 'say %77-7.' 'say %77%2d%37.' 'dy03' 'x: IHctNw==' \
		'x: LiB3LTc' 'say \\u0077-7.' 'say \u0025\u0037\u0037-7.' 'say %5Cu0077-7.' 'a\nw-7\nb'; do
		in_log "$text" w-7
		[ "$(found)" = 1 ] || { echo "$text"; cat got; return 1; }
	done
}

@test "a text does not count with a letter, a digit, _ or - beside it, after decoding" {
	for text in w-70 xw-7 w-7_ w-7- _w-7 'éw-7' 'w-7é' '%78w-7' '\u00e9w-7' '\u0077-7\u0030' "$(printf 'w-70' | base64)" \
		"$(printf ' xw-7 ' | base64)" "$(printf '  w-7-' | base64)"; do
		in_log "say $text." w-7
		[ "$(found)" = 0 ] || { echo "$text"; cat got; return 1; }
	done
	for text in '/w-7/' '(w-7)' '"w-7"' 'w-7,w-70' '\"w-7\"' "$(printf '\001w-7\377')"; do
		in_log "say $text" w-7
		[ "$(found)" = 1 ] || { echo "$text"; cat got; return 1; }
	done
}

@test "texts are compared without case and however accents are written, ids as bytes unless --fold" {
	in_log 'I am STRASSE, Jose\u0301, and W-7.' w-7 --also Straße --also José
	[ "$(jq -sc 'map(select(.by == "bytes") | [.text, .number])' got)" = '[["also",1],["also",2]]' ]
	verify w-7 --fold
	[ "$(jq -sc 'map(select(.by == "bytes") | .text)' got)" = '["id"]' ]
}

@test "a telephone is compared by its digits" {
	for text in '+49 170 1234567' 'tel:+491701234567;' '(+49) 170/123-45.67' '\u002b49 170 1234567' '%2B49-170-1234567'; do
		in_log "{\"x\":\"$text\"}" w-7 --also '+49 (170) 1234567'
		[ "$(jq -s 'map(select(.action == "look" or .action == null) | select(.by)) | length' got)" = 1 ] || { echo "$text"; cat got; return 1; }
	done
	in_log '4917012345678 and 14917012345670 and 49170 x 1234567' w-7 --also '+49 (170) 1234567'
	[ "$(jq -s 'map(select(.by)) | length' got)" = 0 ]
}

@test "what is in packed files is found, also where one is packed in another" {
	echo '{"candidate_id":"x","t":"see w-7."}' >one.jsonl
	for pack in gzip bzip2 xz 'zstd -q' 'lz4 -q'; do
		$pack -c one.jsonl >one.packed
		packed one.packed
	done
	tar cf one.tar one.jsonl && packed one.tar
	tar czf one.tgz one.jsonl && packed one.tgz
	python3 -m zipfile -c one.zip one.jsonl && packed one.zip
	gzip -c one.tgz >two.gz && packed two.gz
	gzip -kc one.jsonl >one.jsonl.gz && python3 -m zipfile -c two.zip one.jsonl.gz && packed two.zip
	tar cf three.tar two.zip && xz -c three.tar >three.xz && packed three.xz
	[ "$(jq -r 'select(.by == "bytes") | .member' got)" = two.zip/one.jsonl.gz/one.jsonl ] || [ "$(jq -r 'select(.by == "bytes") | .member' got)" = two.zip/one.jsonl.gz ]
}

@test "the name of a member, of a file and of an object counts as well" {
	mkdir -p d t && echo '{}' >t/w-7.json && tar cf d/log -C t w-7.json
	verify w-7
	[ "$(encodings)" = "name raw " ]
	mkdir -p s/exports s/data/_catalog/subjects store/a && echo 1 >s/exports/w-7.txt && echo 1 >store/a/w-7
	lh-subject verify --state s --store store w-7 >got || [ $? = 1 ]
	[ "$(jq -r 'select(.encoding == "name") | .path' got)" = "$(printf '%s\n' s/exports/w-7.txt store/a/w-7)" ]
}

# bats test_tags=full
@test "a text across the border of two blocks is found, however it is encoded" {
	mkdir -p d
	for at in 458600 524000 524280 524286 524288 1048570; do
		for text in w-7 '\u0077\u002d7' '%77%2d%37' dy03 '\\\\u0077-7'; do
			{ stretch "$at" '{"a":1}, '; printf ' %s ' "$text"; stretch 700000 'x, '; } >d/log
			verify w-7
			[ "$(found)" = 1 ] || { echo "$at $text"; cat got; return 1; }
		done
	done
}

@test "the offset is that of the first byte, and the line that of the row" {
	mkdir -p d
	printf '{"a":1}\n\n{"t":"\\u0022 7777"}\n' >d/log
	lh-subject verify --log d/log 7777 >got || [ $? = 1 ]
	[ "$(jq -c 'select(.by == "bytes") | [.line, .offset, .encoding]' got)" = '[3,22,"raw"]' ]
	printf '{"a":1}\n{"t":"x \\u0037777"}\n' >d/log
	lh-subject verify --log d/log 7777 >got || [ $? = 1 ]
	[ "$(jq -c 'select(.by == "bytes") | [.line, .offset, .encoding]' got)" = '[2,16,"json"]' ]
}

@test "an id in the rows of an index that were deleted is found, and in its log, until it is compacted" {
	persons 30 '{id: .id, text: "a \(.n)"}' | lh-index build -q --dimension 64 --field text w.lhv
	lh-subject verify --index w.lhv w-2 >got || [ $? = 1 ]
	[ "$(jq -r 'select(.by == "bytes") | .encoding' got)" = ids ]
	echo '{"id":"w-2"}' | lh-index delete -q w.lhv
	echo '{"id":"w-99","text":"b"}' | lh-index add -q w.lhv
	run -1 lh-subject find --index w.lhv w-2
	lh-subject verify --index w.lhv w-2 >got || [ $? = 1 ]
	[ "$(jq -c 'select(.encoding == "ids") | [.path, .encoding]' got | sort -u)" = "$(printf '%s\n' '["w.lhv","ids"]' '["w.lhv-log","ids"]')" ]
	lh-index compact w.lhv
	lh-subject verify --index w.lhv w-2
	run -1 lh-subject verify --index w.lhv w-99
}

@test "a short id that numbers of an index or packed bytes have by chance is not found, and one that texts have is" {
	python3 -c 'import json, struct
for i in range(300):
    # two numbers whose bytes are 0 w-7 0.
    print(json.dumps({"id": f"r{i}", "vector": [*struct.unpack("<2f", b"0 w-7 0."), i, 1], "metadata": {"t": "a"}}))' >rows
	lh-index build -q --distance ip --dimension 4 w.lhv rows
	[ "$(grep -caF '0 w-7 0.' w.lhv)" -gt 0 ]
	lh-subject verify --index w.lhv w-7
	run -1 lh-subject verify --index w.lhv --also '0 w-7 0.' x-1
	echo '{"id":"w-7","text":"a"}' | lh-index build -q --dimension 64 one.lhv
	run -1 lh-subject verify --index one.lhv w-7
	python3 -c 'import gzip
open("z.gz", "wb").write(gzip.compress(b"see w-7\n", 0))'
	run -1 lh-subject verify --cache z.gz w-7
	[ "$(jq -r 'select(.by == "bytes") | .member' <<<"$output")" = "" ]
	[ "$(jq -r 'select(.summary) | .left' <<<"$output")" = 1 ]
}

@test "what a database deleted is found in its free pages, and what is after a hole" {
	python3 -c 'import sqlite3
db = sqlite3.connect("c.db")
db.execute("PRAGMA secure_delete = OFF")
db.execute("CREATE TABLE t (x)")
db.executemany("INSERT INTO t VALUES (?)", [("row of (w-7) %d" % i,) for i in range(500)])
db.commit()
db.execute("DELETE FROM t")
db.commit()'
	run -1 lh-subject verify --cache c.db w-7
	mkdir -p d && truncate -s 3M d/log && echo ' w-7 ' >>d/log
	verify w-7
	[ "$(jq -c 'select(.by == "bytes") | .offset' got)" = 3145729 ]
}

@test "nothing left is status 0, something 1 with a line for each, and the summary counts" {
	echo '{"candidate_id":"w-8","t":"w-70"}' >log
	lh-subject verify --log log w-7 >got
	[ "$(jq -c 'del(.searched, .sentence)' got)" = '{"summary":true,"places_searched":1,"bytes_searched":34,"left":0,"look":0,"by_hand":0,"kept":0,"opaque":0,"complete":true}' ]
	echo '{"candidate_id":"w-7"}' >>log
	run -1 lh-subject verify --log log w-7
	[ "$(jq -c '[.by, .line, .left]' <<<"$output")" = "$(printf '%s\n' '["id",2,null]' '[null,null,1]')" ]
}

@test "the log, the manifest and the secret of the person are kept, and searched for other texts alone" {
	a_state 2
	subjects=s/data/_catalog/subjects
	head -c 32 /dev/zero >$subjects/w-2.secret && chmod 600 $subjects/w-2.secret
	lh-subject verify --subjects $subjects w-2 >got
	[ "$(jq -r 'select(.action == "kept") | .kind' got | sort | tr '\n' ' ')" = "chain manifest secret " ]
	[ "$(jq -c 'select(.summary) | [.left, .kept]' got)" = "[0,3]" ]
	run -1 lh-subject verify --subjects $subjects --also "$(markers w-2 | sed -n 11p)" w-2
	[ "$(jq -r 'select(.by == "bytes") | .path' <<<"$output")" = $subjects/w-2.json ]
}

@test "a text that others may have is to be looked at, and what no tool wrote is for a hand" {
	mkdir -p s/log s/data/_catalog/subjects
	echo '{"note":"ask Ann Other"}' >s/log/sessions.jsonl
	echo 'w-7 was here' >s/notes
	lh-subject verify --state s --also 'Ann Other' w-7 >got || [ $? = 1 ]
	[ "$(jq -c 'select(.by) | [.path, .action]' got | sort -u)" = "$(printf '%s\n' '["s/log/sessions.jsonl","look"]' '["s/notes","by hand"]')" ]
	jq -es 'last | .left == 0 and .look == 1' got >/dev/null
}

@test "what is packed and damaged is named, and nothing is said to be complete" {
	echo '{"t":"w-7"}' | gzip | head -c 20 >broken
	echo w-7 >z
	run -2 lh-subject verify --cache broken --cache z w-7
	[[ $output == *"broken: "* ]]
	[[ $output == *'"complete":false'* ]]
	[[ $output == *'"path":"z"'* ]]
	run -2 lh-subject verify --log broken w-7
}

@test "texts of which only hashes are known are found, however they are encoded" {
	hash_of() { printf '{"sha256":"%s","bytes":%s}\n' "$(printf %s "$1" | sha256sum | cut -d ' ' -f 1)" "${#1}"; }
	hash_of 'Zed Marker-1' >hashes && hash_of zq77 >>hashes && hash_of absent-text >>hashes
	mkdir -p d
	printf '{"a":"I am Zed Marker-1."}\n{"b":"\\u005aed Marker\\u002d1"}\n{"c":"%s"}\nxzq77 zq77\n' "$(printf '  Zed Marker-1 .......' | base64)" >d/log
	run -1 lh-subject verify --log d/log --markers hashes
	[ "$(jq -c 'select(.by) | [.line, .encoding]' <<<"$output")" = "$(printf '%s\n' '[1,"raw"]' '[2,"json"]' '[3,"base64"]' '[4,"raw"]')" ]
	[ "$(jq -r 'select(.by) | .sha256' <<<"$output" | sort -u | wc -l)" = 2 ]
	hash_of absent-text >hashes
	lh-subject verify --log d/log --markers hashes
	echo '{"sha256":"00"}' >hashes
	run -2 lh-subject verify --log d/log --markers hashes
}

# bats test_tags=plain-only
@test "memory stays the same whatever the size of a file" {
	mkdir -p d && truncate -s "$(scale 300M 20G)" d/log && echo w-7 >>d/log
	# shellcheck disable=SC2016
	run -1 python3 -c 'import resource, subprocess, sys
rc = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 65536
sys.exit(rc)' lh-subject verify --log d/log w-7
}
