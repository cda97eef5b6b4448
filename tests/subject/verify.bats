# lh-subject verify: a find that must be empty, of rows and of what is in none.
load ../helper
load ../subject

# in_log TEXT ID [OPTION]... - verify an ID with a log that has that text; got has the hits.
in_log() {
	mkdir -p d
	printf '%s\n' "$1" >d/log
	shift
	verify "$@"
}

verify() {
	lh-subject verify --log d/log "$@" >said || [ $? = 1 ]
	jq -c 'select(.summary | not)' said >got
}

# found - how many rows were found.
found() {
	wc -l <got
}

@test "an id is found as it is, with escapes of JSON and percent-encoded, and not in base64" {
	for text in 'say w-7.' 'say \u0077-7.' 'say \u0077\u002D\u0037.' 'say %77-7.' 'say %77%2d%37.' '{"x":"say %77%2d7"}' '{"x":"\u0025\u0037\u0037-7."}'; do
		in_log "$text" w-7
		[ "$(found)" = 1 ] || { echo "$text"; cat said; return 1; }
	done
	in_log 'x: IHctNw==' w-7
	[ "$(found)" = 0 ]
}

@test "a text does not count with a letter, a digit, _ or - beside it, after decoding" {
	for text in w-70 xw-7 w-7_ w-7- _w-7 'éw-7' 'w-7é' '%78w-7' '\u00e9w-7' '\u0077-7\u0030'; do
		in_log "say $text." w-7
		[ "$(found)" = 0 ] || { echo "$text"; cat got; return 1; }
	done
	for text in '/w-7/' '(w-7)' '"w-7"' 'w-7,w-70' '\"w-7\"' "$(printf '\001w-7\377')"; do
		in_log "say $text" w-7
		[ "$(found)" = 1 ] || { echo "$text"; cat got; return 1; }
	done
}

@test "texts are compared without case and however accents are written, ids as bytes unless --fold" {
	in_log '{"x":"I am STRASSE, Jose\u0301, and W-7."}' w-7 --also Straße
	[ "$(jq -c '[.by, .action]' got)" = '["text","look"]' ]
	verify w-7 --also José
	[ "$(jq -c '[.by, .action]' got)" = '["text","look"]' ]
	verify w-7 --fold
	[ "$(jq -c '[.by, .action]' got)" = '["text","look"]' ]
	verify w-7
	[ ! -s got ]
}

@test "an id that is a number is to be looked at in a text" {
	in_log '{"x":"page 7777 of 7778"}' 7777
	[ "$(jq -c '[.line, .by, .action]' got)" = '[1,"text","look"]' ]
	mkdir subjects
	run -1 lh-subject erase --log d/log --subjects subjects --apply --id-only --text-too --reason test 7777
	grep -q 'page 7777' d/log
}

@test "what is in packed files is found, and what is packed in what is packed is by hand" {
	mkdir s
	echo '{"candidate_id":"x","t":"see w-7."}' >one.jsonl
	for pack in gzip bzip2 xz 'zstd -q' 'lz4 -q'; do
		$pack -c one.jsonl >"s/${pack%% *}"
	done
	tar cf s/one.tar one.jsonl
	tar czf s/one.tgz one.jsonl
	python3 -m zipfile -c s/one.zip one.jsonl
	lh-subject verify --state s w-7 >got || [ $? = 1 ]
	[ "$(jq -c 'select(.path) | [.by, .action]' got | sort | uniq -c | tr -s ' ')" = ' 8 ["text","look"]' ] || { cat got; return 1; }
	rm s/*
	gzip -c one.jsonl | gzip >s/a.gz
	gzip -kc one.jsonl >one.jsonl.gz && python3 -m zipfile -c s/b.zip one.jsonl.gz
	tar cf one.tar one.jsonl && tar cf s/c.tar one.tar
	run -1 --separate-stderr lh-subject verify --state s w-7
	jq -r 'select(.path) | "\(.path) \(.by) \(.encoding) \(.action)"' <<<"$output" | alike - <(printf 's/%s bytes packed by hand\n' a.gz b.zip c.tar)
	[ "$(jq -c 'select(.summary) | [.left, .by_hand, .opaque]' <<<"$output")" = "[0,3,0]" ]
	run -2 --separate-stderr lh-subject find --state s w-7		# which is not thorough, and says so
	[[ $stderr == *"s/a.gz"* ]]
}

@test "the name of a file and of an object counts as well, but not its folder outside of the state" {
	mkdir -p s/exports s/data/_catalog/subjects store/a w-7 && echo 1 >s/exports/w-7.txt && echo 1 >store/a/w-7 && echo 1 >w-7/log
	lh-subject verify --state s --store store --log w-7/log w-7 >got || [ $? = 1 ]
	[ "$(jq -r 'select(.encoding == "name") | "\(.path) \(.action)"' got)" = "$(printf '%s by hand\n' s/exports/w-7.txt store/a/w-7)" ]
}

@test "a text across the border of two blocks is found" {
	for at in 524000 524280 524284 524286 524288 1048570; do
		{ stretch "$at" '{"a":1}, '; printf ' w-7 '; stretch 700000 'x, '; } >c.db
		run -1 lh-subject verify --cache c.db w-7
		[ "$(jq -sc 'map([.encoding, .left])' <<<"$output")" = '[["raw",null],[null,1]]' ] || { echo "$at $output"; return 1; }
		{ stretch "$at" '{"a":1}, '; printf ' w-70 xw-7 '; stretch 700000 'x, '; } >c.db
		run -0 lh-subject verify --cache c.db w-7
	done
}

@test "an id in the rows of an index that were deleted is found, and in its log, until it is compacted" {
	persons 30 '{id: .id, text: "a \(.n)"}' | lh-index build -q --dimension 64 --field text w.lhv
	echo '{"id":"w-2"}' | lh-index delete -q w.lhv
	echo '{"id":"w-99","text":"b"}' | lh-index add -q w.lhv
	run -1 lh-subject find --index w.lhv w-2
	lh-subject verify --index w.lhv w-2 >got || [ $? = 1 ]
	[ "$(jq -c 'select(.path) | [.path, .encoding]' got)" = '["w.lhv","ids"]' ]
	lh-index compact w.lhv
	lh-subject verify --index w.lhv w-2
	run -1 lh-subject verify --index w.lhv w-99
	echo '{"id":"w-99"}' | lh-index delete -q w.lhv	# which is in the log alone
	lh-subject verify --index w.lhv w-99 >got || [ $? = 1 ]
	[ "$(jq -c 'select(.path) | [.path, .encoding]' got)" = '["w.lhv","ids"]' ]
}

@test "a short id that numbers of an index have by chance is not found, and one that texts have is" {
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
	truncate -s 3M hole.db && echo ' w-7 ' >>hole.db
	run -1 lh-subject verify --cache hole.db w-7
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
	[ "$(jq -r 'select(.by and .action == null) | .path' <<<"$output")" = $subjects/w-2.json ]
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
	run -2 lh-subject verify --log broken w-7
	[[ $output == *"broken: "* && $output != *'"complete":true'* ]]
}

# bats test_tags=plain-only
@test "memory stays the same whatever the size of a file" {
	truncate -s "$(scale 300M 20G)" c.db && echo w-7 >>c.db
	run -1 python3 -c 'import resource, subprocess, sys
rc = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 65536
sys.exit(rc)' lh-subject verify --cache c.db w-7
}
