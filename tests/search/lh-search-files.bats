# lh-search over files of records in place of an index: what is read, what is chosen, the cache.
# bats file_tags=quick
load ../helper
load ../embedding

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
	unset TMPDIR
}

people() {
	printf '%s\n' person_id,name,job,town,age 7,Ada,nurse,Utrecht,41 8,Bo,welder,Gent,28 9,Cy,cook,Leiden,35
}

# many N - records that differ, one with a heron.
many() {
	seq "$1" | awk '{ print "{\"sku\":\"s" $1 "\",\"title\":\"" ($1 == 77 ? "heron of silver" : "spoon number " $1 * 7) "\"}" }'
}

# ids ARGUMENT... - the ids that a search finds, in order.
ids() {
	lh-search -q "$@" | jq -r '[.results[].id] | join(" ")'
}

# kept - how many indexes are in the cache.
kept() {
	find cache/lakehouse -name '*.lhv' 2>/dev/null | wc -l
}

@test "a table is searched by a text in one command, which says what was chosen" {
	people >people.csv
	run -0 --separate-stderr lh-search people.csv 'nurse in Utrecht'
	[ "$stderr" = 'lh-search: people.csv: text: name, job, town; id: person_id (--field, --template and --id-field choose others)' ]
	jq -e '.query_text == "nurse in Utrecht" and .results[0].id == "7" and .results[0].corpus == "people" and
		.results[0].metadata == {person_id: 7, name: "Ada", job: "nurse", town: "Utrecht", age: 41}' <<<"$output"
	run -0 --separate-stderr lh-search -q -k 1 people.csv cook
	[ -z "$stderr" ] && [ "$(jq -r '.results[].id' <<<"$output")" = 9 ]
	# as with an index: options, queries from standard input, and lh as the command
	[ "$(ids --where town=Gent people.csv nurse)" = 8 ]
	[ "$(lh search -q --flat -k 1 people.csv welder | jq -c '[.rank, .id]')" = '[1,"8"]' ]
	printf '%s\n' '{"query_text":"cook","k":1}' '{"query_text":"nurse","k":1}' >queries
	[ "$(lh-search -q people.csv <queries | jq -r '.results[].id' | xargs)" = "9 7" ]
	[ "$(lh-search -q -k 1 -Q cook all=people.csv | jq -r '.results[] | .corpus + .id')" = all9 ]
	[ ! -e cache ]
}

@test "each kind of file is read: tables, lines, arrays, texts, compressed, archives, a pipe" {
	people >people.csv
	tr , '\t' <people.csv >people.tsv
	tr , ';' <people.csv >semicolons.csv
	lh-ingest people.csv >people.jsonl
	jq -s . people.jsonl >array.json
	jq . people.jsonl >lines.json
	jq -c -s . people.jsonl >short.json
	for name in people.csv people.jsonl array.json; do gzip -k $name; done
	zstd -q people.csv
	tar cf one.tar people.csv
	for file in people.csv people.tsv semicolons.csv people.jsonl array.json lines.json short.json \
		people.csv.gz people.jsonl.gz array.json.gz people.csv.zst one.tar; do
		[ "$(ids -k 1 $file nurse)" = 7 ] || { echo "$file"; return 1; }
	done
	for file in people.csv array.json people.jsonl.gz; do
		[ "$(ids -k 1 - cook <$file)" = 9 ]
	done
	[ "$(lh-search -q -k 1 <(cat people.jsonl) cook | jq -r '.results[].id')" = 9 ]
	# strings with what divides an array, and numbers as they were written
	printf '\xef\xbb\xbf [ {"sku":"a","t":"x\\"]},{\\\\"} ,\n {"sku":"b","t":"brace","n":1.00, "in":{"deep":["kettle {"]}}] \n' >hard.json
	[ "$(ids -k 1 hard.json kettle)" = b ]
	lh-search -q hard.json brace | has -F '"n":1.00'
	[ "$(lh-search -q hard.json x | jq -r '.results[] | select(.id == "a").metadata.t')" = 'x"]},{\' ]
}

@test "a log has a record for each line, a folder one for each text, with its path as the id" {
	printf 'a dark night\r\n\nthe whale swam\n' >book.log
	cp book.log book.txt
	[ "$(ids -k 1 book.log whale)" = 3 ]
	[ "$(ids -k 1 - whale <book.log)" = 3 ]
	[ "$(ids -k 1 --lines book.txt whale)" = 3 ]
	[ "$(ids book.txt whale)" = 1 ]
	[ "$(printf 'full name;x\nwhale;1\n' | ids - whale)" = 2 ]
	mkdir -p notes/deep notes/.git
	echo 'boil water in a kettle' >notes/a.txt
	echo 'the whale' >notes/deep/b.md
	echo 'whale whale' >notes/.git/c
	printf '\xff\x00' >notes/picture
	ln -s /etc/hostname notes/link
	run -0 --separate-stderr lh-search notes 'a whale'
	[ "$(jq -r '.results | map(.id) | join(" ")' <<<"$output")" = "deep/b.md a.txt" ]
	[ "${stderr_lines[1]}" = 'lh-search: notes: 1 file skipped: not a text in UTF-8' ]
	# with an index in it, a folder is its indexes, and without any text it has none
	people | lh-ingest --id person_id | lh-index build -q --template '{job}' notes/p.lhv
	[ "$(ids -k 1 notes nurse)" = 7 ]
	mkdir empty
	run -2 lh-search empty x
	[ "$output" = 'lh-search: no index in empty' ]
}

@test "the id is the first member of the list that is another in every record, else the line" {
	id() { lh-search -k 100 - spoon 2>err | jq -r '[.results[].id] | sort | join(" ")'; sed 's/.*; id: \(.*\) (--field.*/\1/' err; }
	check() { [ "$(printf '%s\n' "${@:3}" | id | paste -sd'|')" = "$1|$2" ] || { printf '%s\n' "${@:3}" | id; return 1; }; }
	check 'a b' ID '{"code":"x","ID":"a","t":"spoon"}' '{"code":"y","ID":"b","t":"spoon"}'
	check '7 8' customerId '{"t":"spoon","sku":"a","customerId":7}' '{"t":"spoon","sku":"b","customerId":8}'
	check 'x y' _id '{"t":"spoon","key":"a","_id":"x"}' '{"t":"spoon","key":"b","_id":"y"}'
	check 'a b' 'product sku' '{"t":"spoon","product sku":"a"}' '{"t":"spoon","product sku":"b"}'
	# repeated, absent, empty, not one value, too long; and paid is no id
	check '1 2' 'the line' '{"id":1,"t":"spoon"}' '{"id":"1","t":"spoon"}'
	check '1 3' 'the line' '{"id":1,"t":"spoon"}' '' '{"t":"spoon"}'
	check '1 2' 'the line' '{"id":"","t":"spoon"}' '{"id":"b","t":"spoon"}'
	check '1 2' 'the line' '{"id":["a"],"t":"spoon"}' '{"id":"b","t":"spoon"}'
	check '1 2' 'the line' "{\"id\":\"$(stretch 1025 a)\",\"t\":\"spoon\"}" '{"id":"b","t":"spoon"}'
	check '1 2' 'the line' '{"paid":"a","t":"spoon"}' '{"paid":"b","t":"spoon"}'
	check '2 3' 'the line' t spoon 'spoon 2'
	check '2 5' 'the line' n,t 1,'"spoon' ' of' 'tin"' 2,spoon
	# an archive has lines of several files
	printf '{"t":"spoon"}\n' | tee one.jsonl >two.jsonl
	tar cf both.tar one.jsonl two.jsonl
	[ "$(id <both.tar | paste -sd'|')" = '1 2|the number of the record' ]
	# --id-field chooses, and is refused where it cannot be
	printf '%s\n' '{"id":1,"t":"spoon","u":"z"}' '{"id":2,"t":"fork","u":"y"}' >u.jsonl
	[ "$(ids -k 1 --id-field u u.jsonl fork)" = y ]
	printf '%s\n' '{"t":"spoon"}' '{"t":"spoon"}' >t.jsonl
	run -2 lh-search --id-field t t.jsonl x
	[[ $output == 'lh-search: t.jsonl: --id-field: in t.jsonl "t" is missing, empty'* ]]
}

@test "the text is all strings at any depth, or what --field and --template name" {
	printf '%s\n' '{"id":"a","t":"fork","in":[{"deep":"kettle"}],"n":4711}' '{"id":"b","t":"kettle lid","in":[]}' >r.jsonl
	run -0 --separate-stderr lh-search -k 1 r.jsonl kettle
	[[ $stderr == *'text: id, t, in; id: id (--field'* ]]
	[ "$(ids -k 1 r.jsonl 'fork kettle')" = a ]
	[ "$(ids -k 1 --field in r.jsonl kettle)" = a ]
	[ "$(ids -k 1 --field t r.jsonl kettle)" = b ]
	[ "$(ids -k 1 --template '{n}' r.jsonl 4711)" = a ]
	[ "$(ids -k 1 --field in.0.deep r.jsonl kettle)" = a ]
	# members that lh-index knows are the user's own here
	printf '%s\n' '{"vector":"east","model":"m1","metadata":{"a":"north"},"dimension":"d","text":"south","id":"k"}' >own.jsonl
	for text in east m1 north south; do
		lh-search -q own.jsonl $text | jq -e '.results[0] | .distance < 0.9 and .metadata.vector == "east" and .metadata.metadata.a == "north"' >/dev/null
	done
	run -2 lh-search --field metadata.a own.jsonl x
	[ "$output" = 'lh-search: own.jsonl: a member called metadata cannot be the text alone' ]
	run -2 lh-search --field t --template '{t}' r.jsonl x
	[ "$output" = 'lh-search: --field and --template exclude each other' ]
	run -2 lh-search --template '{t' r.jsonl x
	[[ $output == *'--template: "{" at byte 1 is not closed'* ]]
	lh-index build -q --id-field id --field t w.lhv r.jsonl
	run -2 lh-search --field t w.lhv x
	[ "$output" = 'lh-search: --field, --template, --id-field and --no-cache are for files of records' ]
}

@test "no record, one record, records without a text and rows that are none are said, and no crash" {
	: >empty.csv
	echo name >header.csv
	for file in empty.csv header.csv; do
		run -0 --separate-stderr lh-search $file x
		[ "$output" = '{"query_text":"x","results":[]}' ] && [ "$stderr" = "lh-search: $file: no records" ]
	done
	echo '{"t":"x"}' >one.jsonl
	[ "$(ids one.jsonl x)" = 1 ]
	printf '%s\n' '{"n":1}' '{"n":2}' '{}' >numbers.jsonl
	run -1 --separate-stderr lh-search numbers.jsonl x
	[ "$output" = '{"query_text":"x","results":[]}' ]
	[ "${stderr_lines[1]}" = 'lh-search: numbers.jsonl: no record has a text: choose one by --field or --template' ]
	printf '%s\n' '{"id":1,"t":"x"}' broken '{"id":2}' >mixed.jsonl
	run -1 --separate-stderr lh-search mixed.jsonl x
	[ "$(jq -r '.results[].id' <<<"$output")" = 1 ]
	[ "${stderr_lines[0]}" = 'lh-ingest: mixed.jsonl:2:1: expected a value' ]
	[ "${stderr_lines[3]}" = 'lh-search: mixed.jsonl: 1 of 2 records have no text, and are not found' ]
}

# bats test_tags=hostile
@test "hostile files are one line and exit 2, and cost no more than their size" {
	printf '[{"t":"x"}' >cut.json
	printf '[{"t":"x"}] more' >more.json
	printf '\x89PNG\r\n\x1a\n\0\0\0' >picture.csv
	: >deep.json
	for _ in 1 2 3 4 5 6; do stretch 100000 '[' >>deep.json; done
	printf '{"t":"x","t":"y"}\n' >twice.jsonl
	run -2 --separate-stderr lh-search cut.json x
	[ "$stderr" = 'lh-search: cut.json: the array does not end' ]
	run -2 --separate-stderr lh-search more.json x
	[ "$stderr" = 'lh-search: more.json: there is text after the array' ]
	for file in picture.csv deep.json; do
		run -2 --separate-stderr lh-search $file x
		[ -z "$output" ] && [[ ${stderr_lines[-1]} == "lh-search: $file: "* ]]
	done
	run -1 --separate-stderr lh-search twice.jsonl x
	[[ ${stderr_lines[0]} == 'lh-ingest: twice.jsonl:1:'* ]]
	# of several files the others are searched
	echo '{"t":"x"}' >good.jsonl
	run -2 --separate-stderr lh-search cut.json good.jsonl x
	[ "$(jq -r '.results[].corpus' <<<"$output")" = good ]
	# names that a corpus cannot have as they are
	cp good.jsonl 'a=b.jsonl'
	mkdir sub
	cp good.jsonl sub
	[ "$(lh-search -q good.jsonl sub/good.jsonl a=b.jsonl x | jq -r '[.results[].corpus] | sort | join(" ")')" = "a_b good sub/good.jsonl" ]
}

@test "the last operand is the text, unless it is a file; a text in another place has a hint" {
	people >people.csv
	people | lh-ingest --id person_id | lh-index build -q --template '{job} in {town}' w.lhv
	[ "$(ids -k 1 w.lhv nurse)" = 7 ]
	[ "$(lh-search -q -k 2 w.lhv people.csv nurse | jq -r '[.results[] | .corpus + .id] | sort | join(" ")')" = "people7 w7" ]
	for args in 'nurse people.csv' 'nurse w.lhv' nurse; do
		run -2 lh-search $args </dev/null
		[[ ${lines[-1]} == 'lh-search: nurse: No such file or directory (a text comes last: lh search FILE TEXT)' ]]
	done
	for file in none.lhv none.csv none.jsonl.gz s3/; do
		run -2 lh-search w.lhv $file </dev/null
		[[ $output == *"$file"*'No such file or directory' ]]
	done
	cp people.csv cook
	run -0 --separate-stderr lh-search w.lhv cook <<<'{"query_text":"cook","k":1,"corpora":["cook"]}'
	[ "${stderr_lines[0]}" = 'lh-search: cook is a file, and is searched; -Q cook searches for that text' ]
	[ "$(jq -r '.results[].id' <<<"$output")" = 9 ]
	run -2 lh-search - </dev/null
	[ "$output" = 'lh-search: -: what to search for is missing: lh search FILE TEXT' ]
	run -2 lh-search w.lhv $'\xff'
	[ "$output" = 'lh-search: the text is not UTF-8' ]
}

@test "a file of several that is missing is reported, the others are searched, and the status is 2" {
	local args
	people >people.csv
	people | lh-ingest --id person_id | lh-index build -q --template "{job} in {town}" w.lhv
	for args in 'people.csv gone.csv' 'gone.jsonl.gz people.csv' 'x=gone.txt people.csv' 'w.lhv gone.tsv'; do
		run -2 --separate-stderr lh-search $args nurse
		[[ $stderr == *'lh-search: gone.'*': No such file or directory'* ]]
		[ "$(jq -r '.results[0].id' <<<"$output")" = 7 ]
	done
	for args in gone.csv 'people.csv gone.lhv'; do
		run -2 --separate-stderr lh-search $args nurse
		[[ $output == '' && $stderr == *gone.*'No such file or directory' ]]
	done
}

@test "the index of a large file is kept, for this user alone, until the file or an option changes" {
	many 5000 >m.jsonl
	lh-search m.jsonl 'a heron' >first 2>said
	[ "$(jq -r '.results[0].id' first)" = s77 ]
	[ "$(stat -c %a cache/lakehouse cache/lakehouse/* | xargs)" = "700 600 600" ]
	before=$(stat -c '%n %i' cache/lakehouse/*)
	lh-search m.jsonl 'a heron' >second 2>said-again
	alike first second
	alike said said-again
	[ "$(stat -c '%n %i' cache/lakehouse/*)" = "$before" ]
	jq -e --arg path "$(realpath m.jsonl)" '.source == $path and .records == 5000' cache/lakehouse/*.json
	# another option is another index; a changed file has another, and those of before are gone
	lh-search -q --field title m.jsonl heron >/dev/null
	[ "$(kept)" = 2 ]
	lh-search -q --no-cache --field sku m.jsonl s1 >/dev/null
	[ "$(kept)" = 2 ]
	sed -i 's/heron of silver/crane of silver/' m.jsonl
	[ "$(ids -k 1 m.jsonl crane)" = s77 ]
	[ "$(kept)" = 1 ]
	# the same size and time, other bytes
	cp -p m.jsonl old
	sed -i 's/crane of silver/eagle of silver/' m.jsonl
	touch -r old m.jsonl
	[ "$(ids -k 1 m.jsonl eagle)" = s77 ]
	[ "$(kept)" = 1 ]
	# fewer records, standard input and --no-cache leave nothing
	rm -r cache
	many 4999 >few.jsonl
	lh-search -q few.jsonl heron >/dev/null
	lh-search -q - heron <m.jsonl >/dev/null
	lh-search -q --no-cache m.jsonl heron >/dev/null
	[ ! -e cache ]
}

@test "a cache that cannot be used is said, and the file is searched" {
	many 5000 >m.jsonl
	: >cache
	run -0 --separate-stderr lh-search -k 1 m.jsonl heron
	[ "$(jq -r '.results[].id' <<<"$output")" = s77 ]
	[[ ${stderr_lines[1]} == "lh-search: m.jsonl: not kept: $XDG_CACHE_HOME"* ]]
	XDG_CACHE_HOME='' HOME='' run -0 lh-search -q -k 1 m.jsonl heron
	# one that others may read is closed to them first
	rm cache
	mkdir -p cache/lakehouse
	chmod 755 cache/lakehouse
	[ "$(ids -k 1 m.jsonl heron)" = s77 ]
	[ "$(stat -c %a cache/lakehouse)" = 700 ] && [ "$(kept)" = 1 ]
	# a damaged one is made again
	printf x >"$(echo cache/lakehouse/*.json)"
	[ "$(ids -k 1 m.jsonl heron)" = s77 ]
	truncate -s 100 cache/lakehouse/*.lhv
	[ "$(ids -k 1 m.jsonl heron)" = s77 ]
	printf x >"$(echo cache/lakehouse/*.lhv)"
	[ "$(ids -k 1 m.jsonl heron)" = s77 ]
	[ -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name "lh-search-$$-*")" ]
}

@test "the oldest indexes go when all have more than 1 GiB, and those of files that are gone" {
	for n in 1 2 3 4 5; do
		many 5000 >"m$n.jsonl"
		lh-search -q "m$n.jsonl" heron >/dev/null
	done
	for n in 1 2 3; do
		about=$(grep -l "/m$n.jsonl" cache/lakehouse/*.json)
		truncate -s 400M "${about%.json}.lhv"
		touch -d "2020-01-0$n" "${about%.json}.lhv"
	done
	rm m4.jsonl
	many 5000 >m6.jsonl
	# one whose run ended before its index was there
	printf '{"source":"%s/m4.jsonl","stamp":"s","said":"t"}\n' "$PWD" >cache/lakehouse/0123456789abcdef0123456789abcdef.json
	[ "$(ids -k 1 m6.jsonl heron)" = s77 ]
	[ "$(jq -r .source cache/lakehouse/*.json | sed 's,.*/,,' | LC_ALL=C sort | xargs)" = "m2.jsonl m3.jsonl m5.jsonl m6.jsonl" ]
	[ "$(kept)" = 4 ]
}

@test "nothing of a root or a state is kept, and the folder itself is refused with advice" {
	many 5000 >m.jsonl
	mkdir -p root/data/_kb/x state/index roster/index
	echo '{"id":"a","text":"b"}' | lh-index build -q state/index/w.lhv
	: >roster/roster.jsonl
	for folder in root state roster; do
		cp m.jsonl $folder/m.jsonl
		run -0 --separate-stderr lh-search -k 1 $folder/m.jsonl heron
		[ "$(jq -r '.results[].id' <<<"$output")" = s77 ]
		[[ ${stderr_lines[1]} == *"m.jsonl: not kept, since $PWD/$folder is a root or a state; lh-search $PWD/$folder/index searches its indexes" ]]
		run -2 --separate-stderr lh-search $folder heron
		[ "$stderr" = "lh-search: $folder is a root or a state, whose data belong in no cache: lh-search $folder/index searches its indexes" ]
	done
	cp m.jsonl root/data/_kb/x
	run -0 lh-search -q -k 1 root/data/_kb/x/m.jsonl heron
	[ ! -e cache ]
	[ "$(ids state/index b)" = a ]
}

@test "two at once make one index, and both are right" {
	many 6000 >m.jsonl
	for n in 1 2 3; do
		lh-search -q -k 1 m.jsonl heron >"out$n" &
	done
	wait
	for n in 1 2 3; do [ "$(jq -r '.results[].id' "out$n")" = s77 ]; done
	[ "$(find cache/lakehouse -type f | wc -l)" = 2 ]
	lh-index verify cache/lakehouse/*.lhv
}

# bats test_tags=full
@test "a killed writer leaves nothing torn, and nothing of which the file is not known" {
	needs_strace
	many 5000 >m.jsonl
	before_fault() { rm -rf cache; }
	after_fault() {
		local index
		for index in cache/lakehouse/*.lhv; do
			[ ! -e "$index" ] || { [ -s "${index%.lhv}.json" ] && lh-index verify "$index"; }
		done
		[ "$(ids -k 1 m.jsonl heron)" = s77 ]
		# nothing but locks, which are free
		[ "$(find cache/lakehouse -type f -not -name '*-lock' -not -name '*-making' | wc -l)" = 2 ]
	}
	CALLS='rename renameat renameat2 fsync unlink' INJECT=signal=KILL STEP=1 at_each lh-search -q -k 1 m.jsonl heron
}

@test "a closed standard output ends it as any filter, with nothing left" {
	many 5000 >m.jsonl
	run -141 bash -c 'set -o pipefail; lh-search -q -k 5000 m.jsonl heron | true'
	run -2 --separate-stderr sh -c 'exec lh-search -q m.jsonl heron >&-'
	[ "$stderr" = 'lh-search: stdout is closed' ]
	[ "$(ids -k 1 m.jsonl heron)" = s77 ]
}

@test "on a terminal the answer is a table of the records, with the words of the text marked" {
	plain_only "a terminal shows what the tools print"
	people >people.csv
	printf '%s\n' name,note 'Ada,two NURSES' >lines.csv
	screen() { TERM=xterm PAGER=cat script -qec "stty cols 80; $1" /dev/null | tr -d '\r' | sed '/^lh-search\|\x1b\[1mlh-/d; s/.*\x1b\[K//'; }
	screen "lh-search -q -k 1 people.csv 'nurse in Utrecht'" >out
	[ "$(sed 's/\x1b\[[0-9;]*m//g' out)" = 'person_id  name  job    town     age
---------  ----  -----  -------  ---
        7  Ada   nurse  Utrecht   41' ]
	has -F $'\x1b[1;33mnurse\x1b[0m' <out
	has -F $'\x1b[1;33mUtrecht\x1b[0m' <out
	# the line is a column where no member is the id; an index has no other way
	screen "lh-search -q lines.csv nurse" | sed 's/\x1b\[[0-9;]*m//g' >out
	[ "$(cat out)" = 'id  name  note
--  ----  ----------
 2  Ada   two NURSES' ] || [ "$(cat out)" = 'id  name  note
--  ----  ----------
2   Ada   two NURSES' ]
	people | lh-ingest --id person_id | lh-index build -q --template '{job}' w.lhv
	screen "lh-search w.lhv -k 1 welder --color never" >out
	[ "$(cat out)" = 'id  person_id  name  job     town  age
--  ---------  ----  ------  ----  ---
8           8  Bo    welder  Gent   28' ]
	# without a text there is no wait for one
	run -2 script -qec 'lh-search people.csv' /dev/null
	[[ $output == *'people.csv: what to search for is missing: lh search FILE TEXT'* ]]
}

# bats test_tags=full
@test "a record costs a bounded share of memory" {
	plain_only "the sanitizer takes memory of its own"
	peak() {
		many "$1" >m.jsonl
		python3 -c 'import resource, subprocess, sys
subprocess.run(["lh-search", "-q", "-j", "1", "--no-cache", "m.jsonl", "heron"], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)'
	}
	small=$(peak 50000) large=$(peak "$(scale 250000 1050000)")
	echo "$small KiB, then $large KiB"
	[ $(((large - small) * 1024)) -lt $((1200 * ($(scale 250000 1050000) - 50000))) ]
}

# essay - paragraphs of 60 words; a heading and a heron on line 13.
essay() {
	for i in 1 2 3 4 5 6; do
		seq -f "word%g-$i" 59 | paste -sd' ' | sed 's/$/ ends./'
		echo
	done
	printf '## Birds\n\nOne grey heron\nstood in the pond.\n\n'
	seq -f 'tail%g' 300 | paste -sd' '
}

@test "a text is divided at headings and paragraphs, and a hit names line and passage" {
	essay >essay.md
	lh-search -q -k 1 essay.md 'heron pond' | jq -e '.results | length == 1 and .[0].id == "13" and .[0].metadata == {} and
		(.[0].passage | .line == 13 and (.text | startswith("## Birds\n\nOne grey heron\nstood in the pond.\n\ntail1 ")))'
	# every word is in a passage, none has more than about 200, and paragraphs overlap by a sentence at most
	lh-search -q -k 50 essay.md 'word1-1 heron' >all
	[ "$(jq '[.results[].passage.text | splits("\\s+")] | unique | length' all)" = $((6 * 59 + 1 + 9 + 300)) ]
	jq -e 'all(.results[].passage.text; [splits("\\s+")] | length <= 200)' all
	printf '<style>p{}</style><h1>Pond</h1>\n<script>heron()</script>\n<p>A <b>grey</b>\nheron</p>\n' >p.html
	[ "$(lh-search -q p.html heron | jq -c '[.results[].passage]')" = '[{"line":1,"text":" Pond \n\nA grey \nheron"}]' ]
}

@test "a long record of a table or of a folder is found by each passage, and comes once" {
	mkdir notes
	essay >notes/a.md
	echo 'a heron and a pond' >notes/b.txt
	lh-search -q notes 'grey heron' | jq -e '[.results[] | "\(.id):\(.passage.line)"] | sort == ["a.md:13", "b.txt:1"]'
	[ "$(lh-search -q --passages notes 'grey heron' | jq '[.results[] | select(.id == "a.md")] | length > 2')" = true ]
	jq -nc --rawfile t notes/a.md '{sku: "s1", body: $t, rate: 1.0}, {sku: "s2", body: "a spoon", rate: 2}' >t.jsonl
	lh-search -q t.jsonl 'grey heron' | jq -e '[.results[].id] == ["s1", "s2"] and (.results[0] | .metadata.sku == "s1" and
		(.metadata | has("lh:passage") | not) and .passage.line == 1 and (.passage.text | contains("grey heron"))) and
		(.results[1] | has("passage") | not)'
	[ "$(ids --where rate=1 t.jsonl 'tail299')" = s1 ]
	lh-search -q --field body t.jsonl tail299 | jq -e '.results[0].passage.text | contains("tail299")'
}

@test "where no record has a word of the text that is said, and --matched finds nothing" {
	local said='no record has a word of the query; these are nearest by spelling'
	people >people.csv
	cp people.csv more.csv
	people | lh-ingest --id person_id | lh-index build -q --lexical --template "{job} in {town}" w.lhv
	for args in people.csv 'people.csv more.csv' '--hybrid w.lhv'; do
		run -0 --separate-stderr lh-search $args 'zzzqqq xxvvv'
		[[ $stderr == *"lh-search: $said"*' (--matched leaves them out)' ]]
		[ "$(jq -c '[.matched, (.results | length > 0)]' <<<"$output")" = '[false,true]' ]
		run -0 --separate-stderr lh-search --matched $args 'zzzqqq xxvvv'
		[[ $stderr != *'no record'* ]]
		[ "$(jq -c '[.matched, .results]' <<<"$output")" = '[false,[]]' ]
		run -0 --separate-stderr lh-search --matched $args 'zzzqqq nurse'
		[[ $stderr != *'no record'* ]]
		[ "$(jq -c '[.matched, .results[0].id]' <<<"$output")" = '[null,"7"]' ]
	done
	[ "$(lh-search --hybrid --flat -k 1 w.lhv <<<'{"query_text":"zzzqqq"}' | jq .matched)" = false ]
	[ "$(lh-search -k 1 w.lhv zzzqqq 2>&1 | jq .matched)" = null ]
	run -2 lh-search --matched w.lhv zzzqqq
	[[ $output == *'--matched: needs --hybrid for an INDEX'* ]]
}

@test "--words finds what has a word of the text, and nothing else" {
	people >people.csv
	[ "$(ids --words people.csv 'night nurse')" = 7 ]
	[ "$(ids --words people.csv zzz)" = '' ]
}

@test "a model reads a file whole, or orders the best; what is said says which, and a kill loses little" {
	model tiny.gguf
	many 300 >r.jsonl
	run -0 --separate-stderr lh-search --model tiny.gguf -k 3 r.jsonl 'heron of silver'
	[ "${stderr_lines[1]}" = 'lh-search: r.jsonl: read by the model tiny.gguf' ]
	[ "$(jq -r '.results[0].id' <<<"$output")" = s77 ]
	# the vectors are the model's
	lh-index build -q --engine gguf --model tiny.gguf --lexical --precision i8 --exact-below 1000000 \
		--template '{sku}
{title}
' --id-field sku w.lhv r.jsonl
	lh-search -q --hybrid -k 3 -Q 'heron of silver' w.lhv | jq -c '[.results[] | .id, .score]' >want
	jq -c '[.results[] | .id, .score]' <<<"$output" | alike want -
	# no time to read all: the best by words, in the model's order
	run -0 --separate-stderr lh-search --read-within 0 --model tiny.gguf -k 3 r.jsonl 'heron of silver'
	[[ ${stderr_lines[1]} == 'lh-search: r.jsonl: the best 100 by words and spelling are ordered by the model tiny.gguf; --whole'* ]]
	[ "$(jq -r '.results[0].id' <<<"$output")" = s77 ]
	export LH_MODEL=tiny.gguf
	run -0 --separate-stderr lh-search --read-within 0 --whole r.jsonl heron
	[ "${stderr_lines[1]}" = 'lh-search: r.jsonl: read by the model tiny.gguf' ]
	unset LH_MODEL
	run -2 lh-search --whole r.jsonl heron
	[ "$output" = 'lh-search: --whole: no model; ./bootstrap model brings one, and --model FILE names one' ]
	# a model of engine hash is none, and a damaged one is named
	lh-search --model hash-v3 r.jsonl heron 2>&1 >/dev/null | has -v 'model'
	head -c 1000 tiny.gguf >cut.gguf
	run -0 --separate-stderr lh-search --model cut.gguf -k 1 r.jsonl heron
	[[ ${stderr_lines[*]} == *'lh-search: the model is not used: '*cut.gguf* ]] && [ "$(jq -r '.results[0].id' <<<"$output")" = s77 ]
}

@test "what a model has read whole is kept, and is read once" {
	model tiny.gguf
	many 5000 >r.jsonl
	[ "$(ids --whole --model tiny.gguf -k 1 r.jsonl 'heron of silver')" = s77 ]
	[ "$(kept)" = 1 ] && [ -z "$(find cache -name '*.vectors')" ]
	inode=$(find cache -name '*.lhv' -printf '%i')
	[ "$(ids --model tiny.gguf -k 1 r.jsonl 'heron of silver')" = s77 ]
	[ "$(find cache -name '*.lhv' -printf '%i')" = "$inode" ]
	# without the model there is another index
	[ "$(ids -k 1 r.jsonl 'heron of silver')" = s77 ]
	[ "$(kept)" = 2 ]
}

@test "without a model, what means the same in other words is found by the table that comes along" {
	printf '%s\n' name,role 'Ann,"Lorry driver, long haul, refrigerated goods"' Bo,Welder 'Cy,"Night nurse, geriatrics"' 'Di,Sous chef' >people.csv
	[ "$(lh-search -q -k 1 people.csv 'trucker for cold freight' | jq -r '.results[].metadata.name')" = Ann ]
	[ "$(lh-search -q -k 1 people.csv 'cook' | jq -r '.results[].metadata.name')" = Di ]
	[ "$(lh-search -q -k 1 --model hash-v3 people.csv 'trucker for cold freight' | jq -r '.results[].metadata.name')" != Ann ]
}
