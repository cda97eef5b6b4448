# Indexes of layout qg through the tools, and a second reader of index files.
load ../helper
load ../index

@test "an index of layout qg is searched, added to, compacted and dumped as another" {
	lh-gen workers -n 1200 >w
	for kind in f32 "i8 --rescore"; do
		# shellcheck disable=SC2086
		head -n 1150 w | lh-index build -j1 --layout qg --dimension 128 --precision $kind --now 2026-05-03T12:00:00Z a.lhv
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
		# shellcheck disable=SC2086
		lh-index build -j2 --precision $kind --dimension 128 h.lhv w
		lh-index dump a.lhv | sort >dump.a
		lh-index dump h.lhv | sort >dump.h
		cmp dump.a dump.h
	done
}

@test "the layout follows from dimension, distance and m, unless it is given" {
	layout_of() {
		jq -cn --argjson n "$1" '{id: "a", vector: [range($n) | 1]}' | lh-index build "${@:2}" a.lhv
		info a.lhv layout
	}
	[ "$(layout_of 2) $(layout_of 200)" = 'qg qg' ]
	[ "$(layout_of 200 --distance l2) $(layout_of 200 --m 32)" = 'qg qg' ]
	[ "$(layout_of 200 --distance ip) $(layout_of 200 --m 20)" = 'qg hnsw' ]
	[ "$(layout_of 200 --layout hnsw) $(layout_of 199 --layout qg)" = 'hnsw qg' ]
	lh-index build -q --allow-empty --dimension 200 a.lhv </dev/null
	[ "$(info a.lhv layout)" = qg ]
	jq -cn '{op: "create", name: "b", dimension: 200}' | lh-index requests . >out
	[ "$(info b.lhv layout)" = hnsw ]
	jq -cn '{query_text: "Need 2 Welders in Gary", answer_id: "w-1", answer_corpus: "workers", score: 1}' | lh-playbook record -q notes.lhv >out
	[ "$(info notes.lhv layout) $(info notes.lhv dimension)" = 'hnsw 768' ]
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
	same_build --layout qg --exact-below 2 "$@"
}

# bats test_tags=full
@test "a compaction repairs the graph if an eighth of the records is gone, and builds it if more are" {
	rows 1 200 | qg_build old.lhv
	for gone in 1 20 25 26; do
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
		if [ $gone = 26 ]; then cmp got.1 new.lhv; else [ "$(cmp got.1 new.lhv | wc -l)" = 1 ]; fi
		python3 "$ROOT/tests/oracle/lhv.py" got.1 >reader
		[ "$(wc -l <reader)" = $((200 - gone / 4)) ]
	done
}

@test "repairs of a graph are counted: at an eighth of the records in all it is built again" {
	rows 1 200 | qg_build a.lhv
	for batch in 1 2 3; do
		rows $((batch * 10)) $((batch * 10 + 9)) | lh-index delete a.lhv
		lh-index compact a.lhv
		[ "$(info a.lhv length)" = $((200 - batch * 10)) ]
		grep -ao '"repaired":[0-9]*' a.lhv >>counts || [ $batch = 3 ]
	done
	diff counts - <<-'END'
	"repaired":10
	"repaired":20
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
	for how in "hnsw --precision i8" "qg" "qg --precision i8 --rescore" "qg --precision f16 --m 32 --distance l2" "qg --precision i8 --distance ip"; do
		# shellcheck disable=SC2086
		lh-index build -j2 --dimension 300 --layout $how a.lhv w
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

@test "a file of version 3 is read, searched, added to, and written anew by a compaction" {
	gzip -dc "$ROOT/tests/search/version-3.lhv.gz" >a.lhv
	[ "$(info a.lhv format) $(info a.lhv length)" = '3 120' ]
	lh-index verify a.lhv
	python3 "$ROOT/tests/oracle/lhv.py" a.lhv >read
	lh-index dump --encoding base64 a.lhv | jq -r '[.id, .vector] | @tsv' | cmp - read
	lh-index dump a.lhv >old
	jq -c '{vector, k: 1}' old >queries
	lh-search -q --ef 3 a.lhv <queries | jq -c '.results[0].id' >found
	jq -c .id old | cmp - found
	cp a.lhv b.lhv
	lh-index compact b.lhv
	[ "$(info b.lhv format) $(info b.lhv length)" = '4 120' ]
	lh-index verify b.lhv
	lh-index dump b.lhv | cmp - old
	rows 121 121 | jq -c '.vector = [range(20) | sin]' >more
	lh-index add a.lhv more
	lh-index compact a.lhv
	[ "$(info a.lhv format) $(info a.lhv length)" = '4 121' ]
	lh-index verify a.lhv
	python3 "$ROOT/tests/oracle/lhv.py" a.lhv >read
	lh-index dump a.lhv | head -n 120 | cmp - old
	lh-search -q --ef 3 a.lhv <queries | jq -c '.results[0].id' | cmp - found
}

# bytes_of DIMENSION - of a row in i8 of 12,000, with its id and the parts of the file, without
# metadata and padding
bytes_of() {
	lh-gen workers -n 12000 | lh-embed --model hash-v3 --dimension "$1" | jq -c '{id, vector, metadata: {}}' |
		lh-index build -q --precision i8 --ef-construction 8 b.lhv
	python3 -c 'import struct; d = open("b.lhv", "rb").read(); n = struct.unpack_from("<I", d, 48)[0]
print(sum(struct.unpack_from("<Q", d, 128 + 32 * i + 16)[0] for i in range(n) if struct.unpack_from("<I", d, 128 + 32 * i)[0] != 9) // 12000)'
}

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
