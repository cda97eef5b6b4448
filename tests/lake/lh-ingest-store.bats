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
	[ "$output" = '{"dataset_id":"4ee908eb-05e4-5c26-a4ad-4ca54bb01062","name":"workers","schema_fingerprint":"'$FP'","objects":[{"key":"'$KEY'","size":'$size',"sha256":"'"$(sha256sum <s/$KEY | cut -c-64)"'"}],"row_count":2,"store":"'"$PWD"'/s","created_at":"2026-05-03T12:00:00.000Z","updated_at":"2026-05-03T12:00:00.000Z","columns":[{"name":"id","type":"int64"},{"name":"name","type":"string"},{"name":"score","type":"float64"},{"name":"active","type":"bool"}]}' ]
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

# ---- rows that are added ----

# sql SQL - over the datasets
sql() {
	lh-query --catalog c "$1"
}

@test "--append adds rows as a part, in any order of columns, and a run without it makes one object again" {
	table >w.csv
	keep w.csv >/dev/null
	printf 'name,id,score\nBo,3,2\nCy,4,\n' >more.csv
	run -0 --separate-stderr keep --name w --append more.csv
	[ -z "$stderr" ]
	[[ $output == *'"schema_fingerprint":"'$FP'","row_count":4,"object_key":"datasets/w/'$FP-2-*'.jsonl.zst",'*'"existing":true,"added":2}' ]]
	[ "$(sql 'SELECT * FROM w')" = '{"id":1,"name":"Ann","score":1.5,"active":true}
{"id":2,"name":null,"score":null,"active":null}
{"id":3,"name":"Bo","score":2,"active":null}
{"id":4,"name":"Cy","score":null,"active":null}' ]
	keep --name w --append more.csv >/dev/null
	[ "$(for key in $(lh-catalog get --catalog c w | jq -r '.objects[].key'); do zstd -qdc "s/$key"; done | wc -l)" = 6 ]
	[ -z "$(lh-catalog verify --store s --catalog c)" ]
	keep --name w w.csv >/dev/null
	[ "$(ls s/datasets/w)" = $FP.jsonl.zst ]
	[ "$(sql 'SELECT count(*) n FROM w')" = '{"n":2}' ]
	# one that is new
	run -0 keep --name v --append w.csv
	[[ $output == *'"row_count":2,'*'"existing":false,"added":2}' ]]
}

@test "--upsert replaces the rows with a key, counts a repeated one, and --history keeps what was" {
	table >w.csv
	keep w.csv >/dev/null
	run -0 --separate-stderr keep --name w --upsert id --history <<-'END'
	id,name,score
	1,Anna,
	3,Bo,2
	1,Anne,
	END
	[[ $output == *'"row_count":3,'*'"existing":true,"added":2,"replaced":1,"repeated":1,"unchanged":0}' ]]
	[ "$stderr" = 'lh-ingest: 1 row has the key of a later one, and is left out
lh-ingest: 1 row of the dataset replaced' ]
	[ "$(sql 'SELECT id, name, score FROM w ORDER BY id')" = '{"id":1,"name":"Anne","score":null}
{"id":2,"name":null,"score":null}
{"id":3,"name":"Bo","score":2}' ]
	[ "$(sql 'SELECT * FROM w_history')" = '{"id":1,"name":"Ann","score":1.5,"active":true,"replaced_at":"2026-05-03T12:00:00.000Z"}' ]
	keep -q --name w --upsert id --history <<<$'id,name\n3,Cy' >/dev/null
	[ "$(sql 'SELECT id, name FROM w_history')" = '{"id":1,"name":"Ann"}
{"id":3,"name":"Bo"}' ]
	[ -z "$(lh-catalog verify --store s --catalog c)" ]
	# a run without --history adds nothing to it, and leaves nothing else of what was replaced
	keep -q --name w --upsert id <<<$'id,name\n3,Di' >/dev/null
	[ "$(cat s/datasets/w/* | zstd -dc | grep -c Cy)" = 0 ]
	[ "$(sql 'SELECT count(*) n FROM w_history')" = '{"n":2}' ]
	# a table that has the same key twice is kept with the last
	run -0 keep -q --name new --upsert id <<<$'id,name\n1,a\n1,b'
	[[ $output == *'"row_count":1,'*'"existing":false,"added":1,"replaced":0,"repeated":1,"unchanged":0}' ]]
	[ "$(sql 'SELECT * FROM new')" = '{"id":1,"name":"b"}' ]
}

@test "keys of a column of numbers are compared by value, with all digits, and texts as texts" {
	keep -q --name t <<<$'id,name\n1.5,Ann\n2.0,Bo\n3.0e0,Cy' >/dev/null
	keep -q --name t --upsert id <<<$'id,name\n2,Bob\n3.00,Cyd\n3,Cyn' | jq -e '.added == 2 and .replaced == 2 and .repeated == 1'
	[ "$(sql 'SELECT name FROM t ORDER BY id')" = '{"name":"Ann"}
{"name":"Bob"}
{"name":"Cyn"}' ]
	keep -q --name big <<<$'id,name\n9007199254740993,Ann\n1,Bo' >/dev/null
	keep -q --name big --upsert id <<<$'id,name\n9007199254740992,Cy' | jq -e '.added == 1 and .replaced == 0'
	keep -q --name text <<<$'id,name\n2.0,Ann\nx,Bo' >/dev/null
	keep -q --name text --upsert id <<<$'id,name\n2,Cy' | jq -e '.added == 1 and .replaced == 0'
}

@test "a row that the dataset has already is unchanged, stays where it is and is no history" {
	keep -q --name t <<<$'id,name\n1,Ann\n2,Bo\n3,Cy' >/dev/null
	before=$(ls s/datasets/t)
	run -0 --separate-stderr keep --name t --upsert id --history <<<$'name,id\nAnn,1\nBo,2\nCy,3'
	[ "$stderr" = 'lh-ingest: 3 rows are in the dataset already, unchanged' ]
	[[ $output == *'"row_count":3,'*'"added":0,"replaced":0,"repeated":0,"unchanged":3}' ]]
	[ "$(ls s/datasets/t)" = "$before" ]
	[ "$(lh-catalog get --catalog c t | jq -c .history)" = null ]
	keep -q --name t --upsert id --history <<<$'id,name\n1,Ann\n2,Bob\n4,Di\n1,Ann' |
		jq -e '[.row_count, .added, .replaced, .repeated, .unchanged] == [4, 2, 1, 1, 1]'
	[ "$(sql 'SELECT name FROM t ORDER BY id' | jq -r .name | paste -sd' ')" = 'Ann Bob Cy Di' ]
	[ "$(sql 'SELECT name FROM t_history')" = '{"name":"Bo"}' ]
	# of two rows with its key that one stays which is the same; an earlier one of the new rows is none
	keep -q --name t --append <<<$'id,name\n1,Ada\n1,Ann' >/dev/null
	keep -q --name t --upsert id <<<$'id,name\n1,Ada\n1,Ann' | jq -e '.row_count == 4 and .replaced == 2 and .unchanged == 1'
	[ "$(sql 'SELECT name FROM t WHERE id = 1')" = '{"name":"Ann"}' ]
	lh-catalog verify --store s --catalog c
}

@test "a dataset remembers the column of its ids, and rows with others are refused" {
	local rows='zstd -qdc s/datasets/t/*.zst' json='{"no":8,"name":"Bo"}'
	keep -q --name t --id no --id-prefix w- <<<$'no,name\n7,Ann' >/dev/null
	keep -q --name t --upsert no <<<$'no,name\n7,Ann\n8,Bo' | jq -e '.unchanged == 1 and .added == 1'
	keep -q --name t --append --id no <<<$'no,name\n9,Cy' >/dev/null
	keep -q --name t --append <<<'{"no":10,"name":"Di"}' >/dev/null
	[ "$($rows | jq -r .id | sort | paste -sd' ')" = 'w-10 w-7 w-8 w-9' ]
	run -1 keep --name t --append --id name <<<$'no,name\n9,Cy'
	[[ $output == *'409 the ids of the dataset are "w-" and column "no" (--id-prefix, --id)' ]]
	# kept again, and by an earlier version, whose manifest does not say it
	keep -q --name t <<<$'no,name\n7,Ann' >/dev/null
	[ "$($rows)" = '{"id":"w-7","no":7,"name":"Ann"}' ]
	sed -i 's/,"id_column":"no","id_prefix":"w-"//' c/*.json
	run -1 keep --name t --append --id no <<<$'no,name\n9,Cy'
	[[ $output == *'409 the rows of the dataset have no such ids: it was kept without --id' ]]
	keep -q --name t --append --id no --id-prefix w- <<<$'no,name\n9,Cy' >/dev/null
	keep -q --name none <<<$'no,name\n7,Ann' >/dev/null
	run -1 keep --name none --append --id no <<<$'no,name\n9,Cy'
	[[ $output == *'409 the rows of the dataset have no such ids: it was kept without --id' ]]
}

@test "what is upserted is what SQLite makes of the same rows" {
	python3 - <<-'END'
	import json, random, sqlite3, subprocess
	random.seed(53)
	db = sqlite3.connect(":memory:")
	db.execute("create table w(id text primary key, v)")
	for round in range(8):
	    rows = [{"id": random.choice(["%d", "k é %d", '"%d"']) % random.randrange(40), "v": random.random()} for i in range(30)]
	    text = "".join(json.dumps(r, ensure_ascii=round % 2 == 0) + "\n" for r in rows)
	    run = subprocess.run(["lh-ingest", "-q", "--store", "s", "--catalog", "c", "--name", "w", "--upsert", "id"], input=text, capture_output=True, text=True)
	    said = json.loads(run.stdout)
	    had = {i for i, in db.execute("select id from w")}
	    new = {r["id"] for r in rows}
	    db.executemany("insert or replace into w values (:id, :v)", rows)
	    want = list(db.execute("select id, v from w order by id"))
	    assert said["row_count"] == len(want) and said["added"] == len(new), said
	    assert said["replaced"] == len(had & new) and said["repeated"] == len(rows) - len(new), said
	    got = subprocess.run(["lh-query", "--catalog", "c", "select id, v from w order by id"], capture_output=True, text=True).stdout
	    assert [(r["id"], r["v"]) for r in map(json.loads, got.splitlines())] == want
	assert subprocess.run(["lh-catalog", "verify", "--store", "s", "--catalog", "c"]).returncode == 0
	END
}

@test "rows that do not fit the columns of the dataset are refused, and touch nothing" {
	table >w.csv
	keep w.csv >/dev/null
	before=$(state)
	while IFS='|' read -r why options rows; do
		run -1 --separate-stderr keep --name w $options <<<"$(printf "$rows")"
		[ -z "$output" ] && [ "$stderr" = "lh-ingest: $why" ] || { echo "$rows: $stderr"; return 1; }
		[ "$(state)" = "$before" ]
	done <<-'END'
	409 the dataset has no column "town"|--append|id,town\n5,x
	409 column "score" is string, and float64 in the dataset|--append|id,score\n5,high
	409 column "id" is float64, and int64 in the dataset|--append|id\n5.5
	409 column "name" is int64, and string in the dataset|--append|{"id":5,"name":7}
	400 row 2 has no "id" (--upsert)|--upsert id|id,name\n5,x\n,y
	400 row 1 has no "town" (--upsert)|--upsert town|id,name\n5,x
	END
	# whole numbers are floating ones, and texts may be any
	keep --name w --append <<<$'id,name,score\n5,7,8' >/dev/null
	[ "$(sql 'SELECT name, score FROM w WHERE id = 5')" = '{"name":"7","score":8}' ]
	run -0 keep --name w --append <<<'id,name'
	[[ $output == *'"row_count":3,'*'"added":0}' ]]
	while read -r options; do
		run -2 lh-ingest --catalog c --name w $options w.csv
	done <<-'END'
	--append
	--store s --append --upsert id
	--store s --history
	--store s --append --history
	--store s --append --parquet-out
	END
	mkdir t
	run -1 --separate-stderr lh-ingest --store t --catalog c --name w --append w.csv
	[ "$stderr" = 'lh-ingest: 409 the dataset is kept in another store' ]
}

# whole - a dataset of 20 keys that are of one version, and 5 others
whole() {
	local is
	is=$(sql 'SELECT count(*) n, count(DISTINCT v) v, count(DISTINCT id) id FROM w' 2>&1)
	[[ $is =~ ^'{"n":'([0-9]+)',"v":1,"id":25}'$ && $((BASH_REMATCH[1] % 5)) = 0 ]] || { echo "$is"; return 1; }
}

before_fault() {
	printf 'id,v\n' >new.csv
	seq -f "%g,$((version++))" 20 >>new.csv
}

after_fault() {
	kills=$((kills + 1))
	whole
}

@test "killed at any call that changes a file, under readers, rows that are added are all there or none" {
	needs_strace
	local kills=0 version=1
	{ before_fault; cat new.csv; seq -f '%g,' 21 25; } >w.csv
	keep --name w w.csv >/dev/null
	while :; do whole || exit 1; done >reader 3>&- &
	reader=$!
	local CALLS='write pwrite64 fsync rename renameat unlink unlinkat mkdir'
	INJECT=signal=KILL STEP=6 at_each lh-ingest -q --store s --catalog c --name w --upsert id new.csv
	sed 1d w.csv | tail -n 5 | sed '1i id,v' >five.csv
	before_fault() { :; }
	INJECT=signal=KILL STEP=9 at_each lh-ingest -q --store s --catalog c --name w --append five.csv
	kill $reader	# which it does not end by itself
	wait $reader || true
	[ ! -s reader ]
	echo "# $kills kills" >&3
	[ "$kills" -ge "$(scale 5 40 40)" ]
	# what they left is deleted by the next run
	lh-ingest -q --store s --catalog c --name w --upsert id new.csv >/dev/null
	whole
	[ -z "$(lh-catalog verify --store s --catalog c)" ]
	no_litter
	[ "$(find c -type f | wc -l)" = 1 ]
}

@test "of two that add to one dataset at once the second waits, or is refused, for a lock that no reader holds" {
	table >w.csv
	keep w.csv >/dev/null
	for i in {10..25}; do
		keep -q --name w --append <<<$'id\n'"$i" >"out.$i" &
	done
	wait
	[ "$(sql 'SELECT count(*) n, count(DISTINCT id) d FROM w')" = '{"n":18,"d":18}' ]
	[ "$(lh-catalog get --catalog c w | jq .row_count)" = 18 ]
	lock=c/$(lh-catalog get --catalog c w | jq -r .dataset_id).ingest.lock
	: >"$lock"
	chmod 644 "$lock"
	flock "$lock" sh -c 'touch held; cat' < <(until_so test -e tried) &
	until_so test -e held
	run -2 --separate-stderr keep --lock-timeout 0 --name w --append w.csv
	[[ $stderr == *"$lock: locked by process "*"; gave up after 0 seconds" ]]
	[ "$(sql 'SELECT count(*) n FROM w')" = '{"n":18}' ]
	[ "$(stat -c %a "$lock")" = 600 ]
	touch tried
	wait
}
