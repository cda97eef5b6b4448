# Indexes with a graph through the tools, and a second reader of index files.
load ../helper
load ../index

@test "an index with a graph is searched, added to, compacted and dumped as another" {
	lh-gen workers -n 1200 >w
	for kind in f32 "i8 --rescore"; do
		head -n 1150 w | lh-index build -j1 --dimension 128 --precision $kind --now 2026-05-03T12:00:00Z a.lhv
		[ "$(info a.lhv layout)" = qg ]
		[ "$(info a.lhv format)" = 4 ]
		tail -n 50 w | lh-index add a.lhv
		tail -n 1 w | jq -c '{query: .text}' | lh-search -k 1 a.lhv | jq -e '.results[0].distance <= 1e-6' >near
		lh-index delete --id "$(jq -r .id w | tail -n 2 | head -n 1)" a.lhv
		lh-index add a.lhv < <(tail -n 2 w | head -n 1)
		cp a.lhv b.lhv
		cp a.lhv-log b.lhv-log
		lh-index compact -j1 a.lhv
		lh-index compact -j3 b.lhv
		cmp a.lhv b.lhv
		lh-index verify a.lhv
		tail -n 1 w | jq -c '{query: .text}' | lh-search -k 1 a.lhv | jq -e '.results[0].distance < 0.01' >near
		lh-search -Q "welder in Ohio" idx=a.lhv >got
		[ "$(jq '.results | length' got)" = 10 ]
		lh-index build -j2 --precision $kind --dimension 128 h.lhv w
		lh-index dump a.lhv | sort >dump.a
		lh-index dump h.lhv | sort >dump.h
		cmp dump.a dump.h
	done
}

@test "each new index has layout qg, by whichever way it is made" {
	rows 1 2 | lh-index build --layout qg --m 32 a.lhv
	lh-index build -q --allow-empty --dimension 200 b.lhv </dev/null
	jq -cn '{op: "create", name: "c", dimension: 200}' | lh-index requests . >out
	jq -cn '{query_text: "Need 2 Welders in Gary", answer_id: "w-1", answer_corpus: "workers", score: 1}' | lh-playbook record -q d.lhv >out
	lh-index info ?.lhv | jq -r '"\(.name) \(.layout) \(.format)"' | diff - <(printf '%s qg 4\n' a b c d)
}

@test "layout hnsw says in one line that upgrade makes it qg, for an option and a request" {
	run -2 --separate-stderr lh-index build --layout hnsw a.lhv </dev/null
	[ "$stderr" = 'lh-index: layout hnsw is no more: `lh-index upgrade FILE` makes it qg' ]
	run -1 lh-index requests . <<<'{"op":"create","name":"a","dimension":2,"layout":"hnsw"}'
	[ "$(jq -c '[.error.code, .error.message]' <<<"${lines[0]}")" = '[400,"layout hnsw is no more: `lh-index upgrade FILE` makes it qg"]' ]
	[ ! -e a.lhv ]
}

# changed N - replace the first N of 200 records of dimension 8, except a quarter of them,
# which is deleted.
changed() {
	local deleted=$(($1 / 4))
	replacing $((deleted + 1)) "$1" | lh-index add a.lhv
	[ $deleted = 0 ] || lh-index delete a.lhv < <(rows 1 $deleted)
}

# replacing FROM TO - records of these ids with other vectors.
replacing() {
	rows $((1000 + $1)) $((1000 + $2)) | sed 's/"r10*/"r/'
}

# qg_build ARG... - build with a graph, the same each time.
qg_build() {
	same_build --exact-below 2 "$@"
}

# bats test_tags=full
@test "a compaction repairs the graph if a quarter of the records is gone, and builds it if more are" {
	rows 1 200 | qg_build old.lhv
	for gone in 1 20 50 51; do
		for jobs in 1 3; do
			cp old.lhv a.lhv
			changed $gone
			lh-index compact -j $jobs a.lhv
			mv a.lhv got.$jobs
		done
		cmp got.1 got.3
		lh-index verify got.1
		{ rows $((gone + 1)) 200 && replacing $((gone / 4 + 1)) $gone; } | qg_build new.lhv
		content got.1 | cmp - <(content new.lhv)
		if [ $gone = 51 ]; then cmp got.1 new.lhv; else [ "$(cmp got.1 new.lhv | wc -l)" = 1 ]; fi
		python3 "$ROOT/tests/oracle/lhv.py" got.1 >reader
		[ "$(wc -l <reader)" = $((200 - gone / 4)) ]
	done
}

@test "repairs of a graph are counted: beyond a quarter of the records in all it is built again" {
	rows 1 200 | qg_build a.lhv
	for batch in 1 2 3; do
		rows $((batch * 20)) $((batch * 20 + 19)) | lh-index delete a.lhv
		lh-index compact a.lhv
		[ "$(info a.lhv length)" = $((200 - batch * 20)) ]
		grep -ao '"repaired":[0-9]*' a.lhv >>counts || [ $batch = 3 ]
	done
	diff counts - <<-'END'
	"repaired":20
	"repaired":40
	END
	lh-index dump a.lhv | qg_build new.lhv
	cmp a.lhv new.lhv
}

# bats test_tags=full
@test "killed at any step of a compaction that repairs the graph, or with a full disk, no record is lost" {
	needs_strace
	rows 1 200 | qg_build old.lhv
	cp old.lhv a.lhv
	changed 20
	cp a.lhv-log old.lhv-log
	content a.lhv >want
	cp a.lhv new.lhv
	cp a.lhv-log new.lhv-log
	lh-index compact new.lhv
	before_fault() {
		rm -f a.lhv*
		cp old.lhv a.lhv
		cp old.lhv-log a.lhv-log
	}
	after_fault() {
		content a.lhv | cmp - want
		lh-index verify a.lhv
		[ "$INJECT" = signal=KILL ] || [ "$3" = 0 ] || [ "$(wc -l <err)" = 1 ]
		lh-index compact a.lhv
		cmp a.lhv new.lhv
	}
	for INJECT in signal=KILL error=ENOSPC; do
		at_each lh-index compact a.lhv
	done
	no_litter
}

# bats test_tags=full
@test "a reader written from lhv(5) finds the same rows, and the codes that belong to them" {
	lh-gen workers -n 1020 >w
	lh-index build -j2 --dimension 64 a.lhv w
	lh-index dump --encoding base64 a.lhv | jq -r '[.id, .vector] | @tsv' >want
	python3 "$ROOT/tests/oracle/lhv.py" a.lhv | cmp want -
	for how in "" "--precision i8 --rescore" "--precision f16 --m 32 --distance l2" "--precision i8 --distance ip"; do
		lh-index build -j2 --dimension 300 $how a.lhv w
		lh-index dump --encoding base64 a.lhv | jq -r '[.id, .vector] | @tsv' >want
		python3 "$ROOT/tests/oracle/lhv.py" a.lhv >got
		cmp want got
	done
}

@test "a search that names no ef visits no more rows than its answer needs" {
	lh-gen workers -n 5000 | lh-index build -q -j2 a.lhv
	lh-gen queries -n 200 --seed 7 | lh-embed --field query_text | jq -c '{vector}' >queries
	lh-search -q --exact a.lhv <queries | jq -r 'input_line_number as $n | .results[] | "\($n) \(.id)"' | sort >want
	lh-search -q --explain a.lhv <queries >got
	jq -s 'map(.explain.walked) | add / length < 150' got | grep -x true
	jq -r 'input_line_number as $n | .results[] | "\($n) \(.id)"' got | sort | comm -12 - want >same
	[ "$(wc -l <same)" -ge $(($(wc -l <want) * 99 / 100)) ]
}

@test "a filter that most records match is tested within the walk, and not by a scan" {
	lh-gen workers -n 5000 | lh-index build -q -j2 a.lhv
	lh-gen queries -n 200 --seed 7 | lh-embed --field query_text | jq -c '{vector}' >queries
	lh-search -q --where status=active --exact a.lhv <queries | jq -r 'input_line_number as $n | .results[] | "\($n) \(.id)"' | sort >want
	lh-search -q --where status=active --explain a.lhv <queries >got
	jq -s 'map(.explain.measured) | add / length < 200' got | grep -x true
	[ "$(jq -s 'map(.results | length) | add' got)" = 2000 ]
	jq -r 'input_line_number as $n | .results[] | "\($n) \(.id)"' got | sort | comm -12 - want >same
	[ "$(wc -l <same)" -ge $(($(wc -l <want) * 98 / 100)) ]
}

@test "one question to a large index reads the rows that it visits; from some questions on they are mapped" {
	needs_strace
	lh-gen workers -n 2000 | lh-index build -q -j2 a.lhv
	for i in 1 2 3; do lh-gen queries -n 1; done >q
	stride=$(od -An -td4 -j32 -N4 a.lhv | tr -d ' ')
	strace -f -qq -e trace=pread64 -o trace lh-search -j1 -q --ignore-unknown --explain a.lhv <q >got
	[ "$(grep -c ", $stride, [0-9]*) = $stride$" trace)" = "$(jq -s 'map(.explain.walked) | .[0] + .[1]' got)" ]
	[ "$(jq -c .results got | uniq | wc -l)" = 1 ]
}

# earlier NAME - a file that an earlier version made, with its log if it has one
earlier() {
	local file
	for file in "$ROOT/tests/search/earlier/$1.lhv"*.gz; do
		gzip -dc "$file" >"$(basename "$file" .gz)"
	done
}

# bats test_tags=full
@test "an index of an earlier format is refused by all but upgrade, in one line that names it" {
	earlier hnsw-l2
	cp hnsw-l2.lhv was
	cp hnsw-l2.lhv a.lhv
	rows 1 2 >r
	while read -r command; do
		run -2 --separate-stderr $command <r
		[ "$stderr" = "${command%% *}: a.lhv: this is a vector index of an earlier format, which is no more: \`lh-index upgrade FILE\` makes it qg" ] || { echo "$command: $stderr"; return 1; }
	done <<-'END'
		lh-search a.lhv
		lh-search --exact a.lhv
		lh-index info a.lhv
		lh-index verify a.lhv
		lh-index dump a.lhv
		lh-index get --id r1 a.lhv
		lh-index add a.lhv
		lh-index delete --id r1 a.lhv
		lh-index compact a.lhv
		lh-index build --like a.lhv b.lhv
		lh-playbook list a.lhv
	END
	lh-index requests . >out <<<'{"op":"get","name":"a"}' || true
	[ "$(jq -c '[.error.code, .error.message]' out)" = '[503,"index \"a\" is of an earlier format: `lh-index upgrade FILE` makes it qg"]' ]
	cmp a.lhv was
}

@test "upgrade makes an index of an earlier format one of layout qg, of any distance, with all rows" {
	for name in hnsw-l2 hnsw-ip hnsw-cosine qg-cosine; do
		earlier $name
		python3 "$ROOT/tests/oracle/lhv.py" $name.lhv >want
		lh-index upgrade -q $name.lhv
		lh-index verify --reach $name.lhv
		[ "$(lh-index info $name.lhv | jq -c '[.layout, .format, .m, .distance, .pending]')" = '["qg",4,16,"'${name#*-}'",0]' ]
		[ ! -e $name.lhv-log ]
		lh-index dump --encoding base64 $name.lhv | jq -r '[.id, .vector] | @tsv' >got
		if [ $name = hnsw-l2 ]; then
			# its log deletes r1 and r125, and replaces or adds r100 to r130
			grep -vP '^r(1|1[0-3]\d)\t' got | cmp - <(grep -vP '^r(1|1[0-3]\d)\t' want)
			lh-index dump hnsw-l2.lhv | jq -r .metadata.tag | sort | uniq -c | diff -w - <(printf '98 x\n30 y\n')
			[ "$(lh-search -k 1 hnsw-l2.lhv <<<"$(rows 130 130)" | jq -r .results[0].id)" = r130 ]
		else
			cmp got want
		fi
		jq -c '{vector, k: 1}' <(lh-index dump --encoding base64 $name.lhv) >own
		cmp <(lh-search --no-metadata $name.lhv <own | jq -r '.results[0].id') <(lh-search --exact --no-metadata $name.lhv <own | jq -r '.results[0].id')
	done
	[ "$(lh-index dump hnsw-ip.lhv | jq -c 'select(.id == "r7").metadata')" = '{"n":7,"tag":"x"}' ]
}

# bytes_of DIMENSION - of a row in i8 of 12,000, with its id and the parts of the file, without
# metadata and padding
bytes_of() {
	lh-gen workers -n 12000 | lh-embed --model hash-v3 --dimension "$1" | jq -c '{id, vector, metadata: {}}' |
		lh-index build -q --precision i8 --ef-construction 8 b.lhv
	python3 -c 'import struct; d = open("b.lhv", "rb").read(); n = struct.unpack_from("<I", d, 48)[0]
print(sum(struct.unpack_from("<Q", d, 128 + 32 * i + 16)[0] for i in range(n) if struct.unpack_from("<I", d, 128 + 32 * i)[0] != 9) // 12000)'
}

# bats test_tags=full
@test "under 200 values a row is not larger than one of hnswlib, and up to 384 not by a tenth" {
	[ "$(bytes_of 64)" -le $((4 * 64 + 148)) ]
	[ "$(bytes_of 128)" -le $((4 * 128 + 148)) ]
	[ "$(bytes_of 200)" -le $(((4 * 200 + 148) * 11 / 10)) ]
}

@test "short vectors are found: by default 0.99 of what a scan finds" {
	for dimension in 64 128; do
		lh-gen workers -n 4000 | lh-index build -q -j2 --dimension $dimension a.lhv
		lh-gen queries -n 100 --seed 7 | lh-embed --dimension $dimension --field query_text | jq -c '{vector}' >queries
		lh-search -q --exact a.lhv <queries | jq -r 'input_line_number as $n | .results[] | "\($n) \(.id)"' | sort >want
		lh-search -q a.lhv <queries | jq -r 'input_line_number as $n | .results[] | "\($n) \(.id)"' | sort | comm -12 - want >same
		[ "$(wc -l <same)" -ge 990 ] || { wc -l same; return 1; }
		lh-index verify --reach a.lhv
	done
}

@test "the reader notices a wrong code" {
	lh-gen workers -n 1020 | lh-index build -j2 --dimension 200 --precision i8 a.lhv
	python3 - <<-'END'
		import struct
		with open("a.lhv", "r+b") as f:
		    data = f.read()
		    rows = struct.unpack_from("<Q", data, 128 + 32 + 8)[0]
		    f.seek(rows + 468 + 70)
		    f.write(bytes([data[rows + 468 + 70] ^ 1]))
	END
	run -1 --separate-stderr python3 "$ROOT/tests/oracle/lhv.py" a.lhv
	[[ $stderr == *"a bit of row 0"* ]]
}

@test "any number of threads makes the same file: by a build, an addition and a deletion, compacted" {
	local j
	lh-gen workers -n 1500 >w.jsonl
	sed 1200q w.jsonl >most.jsonl
	sed 1,1200d w.jsonl >more.jsonl
	for j in 1 3; do
		lh-index build -q -j $j --now 2026-01-01T00:00:00Z --dimension 64 $j.lhv most.jsonl
		cp $j.lhv $j-built.lhv
		lh-index add -q -j $j --now 2026-01-01T00:00:00Z $j.lhv more.jsonl
		lh-index compact -q -j $j --now 2026-01-01T00:00:00Z $j.lhv
		cp $j.lhv $j-added.lhv
		jq -r .id more.jsonl | sed 20q | lh-index delete -q --ids /dev/stdin $j.lhv
		lh-index compact -q -j $j --now 2026-01-01T00:00:00Z $j.lhv
	done
	cmp 1-built.lhv 3-built.lhv
	cmp 1-added.lhv 3-added.lhv
	cmp 1.lhv 3.lhv
	run ! cmp -s 1-added.lhv 1.lhv
}
