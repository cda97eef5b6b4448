# lh-ingest --store: datasets in a store and a catalog, and what must not change them.
load ../helper

NOW="--now 2026-05-03T12:00:00Z"

keep() {
	lh-ingest $NOW --store s --catalog c "$@"
}

table() {
	printf 'id,name,score,active\n1,Ann,1.5,true\n2,,,\n%s' "$1"
}

FP=1bd13dee3b40c41fdcf04b60530f5b758c0d54a4b7f7a89def387cc2bbab91ff
KEY=datasets/workers/$FP.jsonl.zst

# state - every file of the store and the catalog, and its hash.
state() {
	find s c -type f -exec sha256sum {} + | sort
}

@test "a dataset is an object and a manifest, and one line says so" {
	table >workers.csv
	run -0 --separate-stderr keep workers.csv
	size=$(stat -c %s s/$KEY)
	[ "$output" = '{"dataset_id":"4ee908eb-05e4-5c26-a4ad-4ca54bb01062","name":"workers","schema_fingerprint":"'$FP'","row_count":2,"object_key":"'$KEY'","object_size":'$size',"existing":false}' ]
	lh-cat s/$KEY | cmp - <(lh-ingest workers.csv)
	zstd -qdc s/$KEY | cmp - <(lh-ingest workers.csv)
	run -0 lh-catalog get --catalog c workers
	[ "$output" = '{"dataset_id":"4ee908eb-05e4-5c26-a4ad-4ca54bb01062","name":"workers","schema_fingerprint":"'$FP'","objects":[{"key":"'$KEY'","size":'$size',"sha256":"'"$(sha256sum <s/$KEY | cut -c-64)"'"}],"row_count":2,"store":"'"$PWD"'/s","created_at":"2026-05-03T12:00:00.000Z","updated_at":"2026-05-03T12:00:00.000Z"}' ]
}

@test "the same bytes again change nothing, other rows replace the object" {
	table >workers.csv
	keep workers.csv >/dev/null
	before=$(state)
	run -0 keep --name workers <workers.csv
	[[ $output == *'"existing":true}' ]]
	[ "$(state)" = "$before" ]
	table $'3,Bo,2,false\n' >workers.csv
	run -0 keep workers.csv
	[[ $output == *'"row_count":3,'*'"existing":true}' ]]
	[ "$(lh-cat s/$KEY | wc -l)" = 3 ]
	[ "$(find s c -type f | wc -l)" = 2 ]
	[ "$(lh-catalog get --catalog c workers | jq -r '.objects[0].sha256')" = "$(sha256sum <s/$KEY | cut -c-64)" ]
}

@test "an object has a checksum, by which every reader refuses one with a bit changed" {
	lh-gen workers -n 60 >in
	keep --name w in >/dev/null
	local object
	object=$(echo s/datasets/w/*.zst)
	zstd -qt "$object"
	[[ $(zstd -lv "$object" 2>&1) == *XXH64* ]]
	# shellcheck disable=SC2016
	python3 - "$object" <<-'END'
	import subprocess, sys
	object = sys.argv[1]
	whole = open(object, "rb").read()
	want = open("in", "rb").read()
	readers = ["lh-cat", object], ["lh-query", "--catalog", "c", "SELECT json FROM w"]
	sums = [subprocess.run(r, capture_output=True).stdout for r in readers]
	assert sums[0] == want
	refused = 0
	for i in range(60):
	    bit = i * 997 % (8 * len(whole))
	    with open(object, "wb") as f:
	        f.write(whole[:bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1:])
	    for reader, good in zip(readers[:1 + (i % 20 == 0)], sums):
	        got = subprocess.run(reader, capture_output=True)
	        if got.returncode == 0 and got.stdout != good:
	            sys.exit(f"{reader}: bit {bit} gives other rows")
	        refused += got.returncode != 0
	assert refused > 55, refused
	END
	: >none.jsonl
	keep --name none none.jsonl >/dev/null
	zstd -qt s/datasets/none/*.zst
}

@test "another fingerprint is a conflict, code 409 and exit 1, and touches nothing" {
	table >workers.csv
	keep workers.csv >/dev/null
	before=$(state)
	echo '{"id":"string"}' >types
	run -1 --separate-stderr keep --types types workers.csv
	[ -z "$output" ]
	[ "$stderr" = "lh-ingest: 409 the dataset is registered with another fingerprint" ]
	run -1 --separate-stderr keep --on-error emit --types types workers.csv
	[ "$output" = '{"error":{"code":409,"message":"the dataset is registered with another fingerprint"}}' ]
	[ "$(state)" = "$before" ]
}

@test "JSON Lines are kept by the columns that all records have" {
	printf '{"id":1,"name":"Ann","score":1.5,"active":true}\n{"id":2,"name":"\\u0042o"}\n' >in
	run -0 keep --name workers in
	[[ $output == *'"schema_fingerprint":"'$FP'","row_count":2,'* ]]
	zstd -qdc s/$KEY | cmp - in
}

@test "a name that is no part of a key is refused with 400, and nothing is made" {
	table >t.csv
	for name in ../x a//b /a . ''; do
		run -1 --separate-stderr keep --name "$name" t.csv
		[[ $stderr == "lh-ingest: 400 "* ]] || { echo "$name: $stderr"; return 1; }
		[ ! -e s ] && [ ! -e c ] && [ ! -e x ]
	done
	run -2 --separate-stderr lh-ingest --store s --catalog c <t.csv
	[ "$stderr" = "lh-ingest: --store requires --name for standard input" ]
	run -2 --separate-stderr lh-ingest --store s t.csv
	[ "$stderr" = "lh-ingest: --store requires --catalog" ]
}

@test "rejected rows are left out, and what is kept is exit 1" {
	table $'3,x,y,true,5\n' >workers.csv
	run -1 --separate-stderr keep --rejects r --on-error emit workers.csv
	[[ $output == *'"row_count":2,'* ]]
	[ "${#lines[@]}" = 1 ]
	[ "$(tail -n 1 r)" = "3,x,y,true,5" ]
}

@test "damaged input keeps nothing" {
	seq 200000 | sed '1i id' | gzip >workers.csv.gz
	head -c 100000 workers.csv.gz >cut.csv.gz
	run -2 --separate-stderr keep --name workers cut.csv.gz
	[ -z "$output" ]
	[ -z "$(find s c -type f 2>/dev/null)" ]
}

@test "no room in the temporary folder, or no such folder, is exit 2, and the old dataset stays" {
	table >workers.csv
	keep workers.csv >/dev/null
	before=$(state)
	for i in {1..20000}; do echo "$i,$RANDOM$RANDOM,,"; done | cat <(table) - >large.csv
	run -2 --separate-stderr bash -c "trap '' XFSZ; ulimit -f 64; lh-ingest --store s --catalog c --name workers large.csv"
	[ -z "$output" ]
	[ "$stderr" = "lh-ingest: write failed: File too large" ]
	[ "$(state)" = "$before" ]
	run -2 --separate-stderr env TMPDIR=/nowhere lh-ingest --store s --catalog c --name workers large.csv
	[[ $stderr == *"/nowhere: cannot make a temporary file: No such file or directory" ]]
	[ "$(state)" = "$before" ]
}

# stored - the rows of the object, and those that the manifest states.
stored() {
	echo "$(lh-cat s/$KEY | wc -l) $(lh-catalog get --catalog c workers | jq .row_count)"
}

@test "a failure between the steps of keeping is exit 2, and the next run repairs what it left" {
	needs_strace
	table >old.csv
	table $'3,Bo,2,false\n' >new.csv
	# the object: its bytes, its name; then the manifest in the same way
	local after=('2 2' '3 2' '3 2' '3 3') n
	for n in 1 2 3 4; do
		keep --name workers old.csv >/dev/null
		run -2 --separate-stderr inject fsync:error=EIO:when=$n lh-ingest $NOW --store s --catalog c --name workers new.csv
		injected
		[ -z "$output" ] && [[ $stderr == *"Input/output error" ]]
		[ "$(stored)" = "${after[n - 1]}" ] || { echo "fsync $n: $(stored)"; return 1; }
		[ "$(find s c -type f | wc -l)" = 2 ]
		keep --name workers new.csv >/dev/null
		[ "$(stored)" = "3 3" ]
		[ "$(lh-catalog get --catalog c workers | jq -r '.objects[0].sha256')" = "$(sha256sum <s/$KEY | cut -c-64)" ]
	done
}

@test "of many runs at once each keeps its dataset, and of one dataset object and manifest agree" {
	for i in {1..12}; do
		table "$(seq -f "$i%g,x,1.5,true" "$i")"$'\n' >"$i.csv"
		keep --name workers "$i.csv" >"out.$i" &
		keep --name "own-$i" "$i.csv" >/dev/null &
	done
	wait
	[ "$(lh-catalog list --catalog c | wc -l)" = 13 ]
	[ "$(cat out.* | wc -l)" = 12 ]
	[ "$(lh-catalog get --catalog c workers | jq -r '.objects[0].sha256')" = "$(sha256sum <s/$KEY | cut -c-64)" ]
	[ "$(lh-catalog get --catalog c workers | jq .row_count)" = "$(lh-cat s/$KEY | wc -l)" ]
	[ "$(find s c -type f | wc -l)" = 26 ]
}
