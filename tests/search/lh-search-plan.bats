# lh-search with a plan of shards, made by lh-index shard.
load ../helper
load ../index

# queries N - with filters, exclusions and several k.
queries() {
	rows 1001 $((1000 + $1)) | jq -c '{id, vector, k: (.metadata.n % 7 * 5)} + if .metadata.n % 3 == 0
		then {metadata_filter: {n: {lt: 150}}} else {} end + if .metadata.n % 4 == 0
		then {exclude_ids: ["r1", "r2", "r77", "none"]} else {} end + if .metadata.n % 5 == 0
		then {per_corpus_k: 3} else {} end'
}

# edit FILTER - change p.json by jq.
edit() {
	jq -c "$1" p.json >edited.tmp
	mv edited.tmp p.json
}

file() {
	jq -r ".shards[$1].file" p.json
}

# bats test_tags=plain-only
@test "--exact: N shards answer byte for byte as one index" {
	rows 1 300 >in
	queries 40 >q
	jq -c '.corpora = ["a"]' q >named
	for how in "" "--distance l2" "--distance ip" "--precision f16" "--precision i8" "--precision i8 --rescore"; do
		# shellcheck disable=SC2086
		lh-index build $how a.lhv in
		for by in hash centroid; do
			# shellcheck disable=SC2086
			lh-index shard $how --by $by p.json -n 5 in
			for args in "" "--where n>=20" "--flat" "--no-metadata" "--exclude r9" "-k 3" "-j1"; do
				# shellcheck disable=SC2086
				lh-search --exact $args a=a.lhv <q >want
				# shellcheck disable=SC2086
				lh-search --exact $args a=p.json <q >got
				cmp want got
			done
			lh-search --exact --wire a=a.lhv <named >want
			lh-search --exact --wire a=p.json <named | cmp want -
			[ -s want ]
		done
	done
	[ "$(jq -s 'map(.results | length) | max' <(lh-search --exact p.json <q))" = 30 ]
}

# near_rows SEED N - vectors that differ by less than f32 tells apart in a sum of products.
near_rows() {
	python3 - "$@" <<-'END'
		import json, random, sys
		random.seed(7)
		base = [random.gauss(0, 1) for _ in range(16)]
		random.seed(int(sys.argv[1]))
		for i in range(int(sys.argv[2])):
		    print(json.dumps({"id": f"r{i}", "vector": [x + random.gauss(0, 1e-6) for x in base]}))
	END
}

@test "--exact finds the nearest of many that are nearly equal, in one index and in shards" {
	near_rows 1 600 >in
	near_rows 2 12 >q
	for how in "--distance cosine" "--distance l2" "--distance ip" "--precision i8 --rescore"; do
		# shellcheck disable=SC2086
		lh-index build --exact-below 100 $how a.lhv in
		# shellcheck disable=SC2086
		lh-index shard $how p.json -n 8 in
		for args in "" "-k 40" "--where none!=1"; do
			# shellcheck disable=SC2086
			lh-search -q --exact $args a=a.lhv <q >want || [ "$? $args" = "1 --where none!=1" ]
			# shellcheck disable=SC2086
			lh-search -q --exact $args a=p.json <q >got || [ "$? $args" = "1 --where none!=1" ]
			cmp want got
			[ "$(wc -l <want)" = 12 ]
		done
		# The distances of the nearest ten are the least ten of all.
		lh-search --exact a=a.lhv <q | jq -c '[.results[].distance]' >want
		lh-search --exact -k 600 a=a.lhv <q | jq -c '[.results[].distance] | sort | .[:10]' | cmp want -
	done
}

@test "the answers are those of another implementation" {
	rows 1 200 | lh-index shard p.json -n 4
	rows 501 520 | jq -c '{id, vector}' >q
	python3 "$ROOT"/tests/oracle/shards.py search p.json 9 <q >want
	[ "$(wc -l <want)" = 20 ]
	lh-search --exact -k 9 p.json <q | jq -r '[.id, .results[].id] | join(" ")' | cmp want -
}

@test "hits at equal distance come by the bytes of their ids, whatever shard they are in" {
	printf '{"id":"%s","vector":[1,2]}\n' b c a d f e é Z | tee in | lh-index shard p.json -n 4
	lh-index build a.lhv in
	lh-search --exact -k 6 a=a.lhv <<<'{"vector":[3,1]}' >want
	lh-search --exact -k 6 a=p.json <<<'{"vector":[3,1]}' | cmp want -
	[ "$(jq -c '[.results[].id]' want)" = '["Z","a","b","c","d","e"]' ]
}

@test "a plan is a corpus with the name of the plan, among others" {
	rows 1 50 | lh-index shard p.json -n 3
	rows 40 60 | lh-index build other.lhv
	rows 1 1 | lh-search --exact -k 4 p.json other.lhv x=p.json >out
	[ "$(jq -c '[.results[] | select(.id == "r1") | .corpus]' out)" = '["p","x"]' ]
	rows 45 45 | jq -c '.corpora = ["other"]' | lh-search -k 1 p.json other.lhv >out
	[ "$(jq -r '.results[0].corpus' out)" = other ]
	run -1 lh-search p.json <<<'{"vector":[1],"corpora":["q"]}'
	[[ $output == *'no corpus is named "q"'* ]]
	run -2 lh-search p.json p.json </dev/null
	[[ $output == *'two corpora are named "p"'* ]]
	run -1 lh-search p.json <<<'{"vector":[1,2]}'
	[[ $output == *'the query has dimension 2, corpus "p" has 8'* ]]
}

@test "a text is embedded by the engine of the shards" {
	lh-gen workers -n 60 | tee in | lh-index build a.lhv
	lh-index shard p.json -n 3 in
	lh-search --exact -Q 'welder in Gary' a=a.lhv >want
	lh-search --exact -Q 'welder in Gary' a=p.json | cmp want -
	[ "$(jq '.results | length' want)" = 10 ]
}

@test "a key of a filter is reported only if no shard has it" {
	rows 1 30 | jq -c 'if .id == "r3" then .metadata.rare = 1 else . end' | lh-index shard p.json -n 4
	run -0 --separate-stderr lh-search --where rare=1 p.json <<<"$(rows 1 1)"
	[ -z "$stderr" ]
	run -1 --separate-stderr lh-search --where none=1 p.json <<<"$(rows 1 2)"
	[ "$stderr" = 'lh-search: corpus "p": no record has the key "none"' ]
}

@test "--nearest searches the shards with the nearest centroids, and all of them answer as one" {
	rows 1 400 >in
	lh-index build a.lhv in
	lh-index shard p.json -n 6 --by centroid in
	rows 1001 1030 | jq -c '{id, vector}' >q
	for ((P = 1; P <= 6; P++)); do
		lh-search --exact --nearest $P -k 20 a=p.json <q >got
		python3 - $P <<-'END'
			import json, math, subprocess, sys
			plan = json.load(open("p.json"))
			rows = [[json.loads(l) for l in subprocess.check_output(["lh-index", "dump", s["file"]]).splitlines()]
			        for s in plan["shards"]]
			unit = lambda v: [x / math.sqrt(math.fsum(y * y for y in v)) for x in v]
			dot = lambda a, b: math.fsum(x * y for x, y in zip(a, b))
			for query, answer in zip(open("q"), open("got")):
			    v = unit(json.loads(query)["vector"])
			    near = sorted(range(6), key=lambda i: (-dot(plan["shards"][i]["centroid"], v), i))[:int(sys.argv[1])]
			    want = sorted((-dot(r["vector"], v), r["id"].encode()) for i in near for r in rows[i])[:20]
			    assert [r["id"].encode() for r in json.loads(answer)["results"]] == [i for _, i in want]
		END
	done
	lh-search --exact -k 20 a=a.lhv <q | cmp - got
}

@test "--nearest goes with a plan by centroid, --hybrid with none" {
	rows 1 20 | lh-index shard p.json -n 3
	rows 1 20 | lh-index build a.lhv
	run -2 lh-search --nearest 1 p.json </dev/null
	[[ $output == *"--nearest: p.json divides its records by hash"* ]]
	run -2 lh-search --nearest 1 a.lhv </dev/null
	[[ $output == *"--nearest goes with a plan"* ]]
	lh-gen workers -n 9 | lh-index shard --lexical p.json -n 2
	run -2 lh-search --hybrid -Q welder p.json
	[[ $output == *"p.json: --hybrid does not go with a plan"* ]]
	run -2 lh-search --playbook p.json -Q welder p.json
}

@test "a playbook boosts and injects records of any shard" {
	lh-gen workers -n 40 | tee in | lh-index build p.lhv
	lh-index shard p.json -n 4 in
	for i in 3 7 11 29; do
		echo "{\"query_text\":\"welder in Gary\",\"answer_id\":\"w-$i\",\"answer_corpus\":\"p\",\"score\":0.9}"
	done | lh-playbook record good.lhv
	lh-search --exact -k 6 --playbook good.lhv -Q 'welder in Gary' p.lhv >want
	lh-search --exact -k 6 --playbook good.lhv -Q 'welder in Gary' p.json | cmp want -
	[ "$(jq .playbook_injected want)" -ge 1 ]
	echo '{"query_text":"a","use_playbook":true,"playbook_corpus":"p"}' >q
	run -1 lh-search p.json <q
	[[ $output == *'corpus "p" is a plan of shards, not a playbook'* ]]
}

@test "a shard that is missing, torn or not readable is named, and the others answer" {
	rows 1 100 >in
	lh-index shard p.json -n 4 in
	queries 8 >q
	lh-index dump "$(file 2)" | jq -r .id >gone
	lh-index build rest.lhv <(grep -vFf <(sed 's/.*/"id":"&"/' gone) in)
	lh-search --exact p=rest.lhv <q | jq -c '.partial = true' | jq -c 'del(.metadata_filter_dropped)' >want
	cp "$(file 2)" whole
	for how in 'rm "$f"' 'truncate -s 5000 "$f"' ': >"$f"' 'rm "$f"; mkdir "$f"' 'echo bytes >"$f"' \
		'rm "$f"; ln -s "$f" "$f"'; do
		f=$(file 2)
		eval "$how"
		run -1 --separate-stderr lh-search --exact p.json <q
		jq -c 'del(.metadata_filter_dropped)' <<<"$output" | cmp want -
		[[ $stderr == "lh-search: p.json: answers are partial: $f: "* ]]
		[ "$(wc -l <<<"$stderr")" = 1 ]
		run -1 --separate-stderr lh-search --flat --exact p.json <q
		[ "$(jq -s 'all(.partial)' <<<"$output")" = true ]
		run -1 --separate-stderr lh-search --wire --exact p.json <<<"$(jq -c '.corpora = ["p"]' q)"
		[ "$(jq -s 'all(.partial)' <<<"$output")" = true ]
		rm -rf "$f"
		cp whole "$f"
	done
	lh-search --exact p.json <q | jq -se 'any(has("partial")) | not'
	rm p.*.lhv
	run -2 lh-search p.json <q
	[[ $output == *"p.json: none of its shards can be read"* ]]
}

@test "damage that a search meets in a shard leaves the answers partial" {
	rows 1 100 | lh-index shard p.json -n 2
	lh-index build rest.lhv <(lh-index dump "$(file 0)")
	# the offsets of ids and metadata, which opening does not read
	python3 - "$(file 1)" <<-'END'
		import struct, sys
		with open(sys.argv[1], "r+b") as f:
		    header = f.read(4096)
		    for i in range(struct.unpack_from("<I", header, 48)[0]):
		        kind, _, at, size, _ = struct.unpack_from("<IIQQQ", header, 128 + 32 * i)
		        if kind in (5, 8):
		            f.seek(at)
		            f.write(b"\xff" * size)
	END
	queries 8 | jq -c 'del(.metadata_filter)' >q
	lh-search --exact p=rest.lhv <q | jq -c 'if .k > 0 then .partial = true else . end' >want
	run -1 --separate-stderr lh-search --exact p.json <q
	cmp want <(jq -c . <<<"$output")
	[[ $stderr == "lh-search: p.json: answers are partial: $(file 1): "* ]]
	[ "$(wc -l <<<"$stderr")" = 1 ]
}

@test "with --nearest, an answer is partial only if a shard that it asks for is missing" {
	rows 1 200 | lh-index shard p.json -n 4 --by centroid
	rows 1 200 | jq -c '{id, vector}' >q
	lh-index dump "$(file 1)" | jq -r .id | sort >gone
	rm "$(file 1)"
	run -1 --separate-stderr lh-search --exact --nearest 1 -k 1 p.json <q
	[ "$(jq -r 'select(.partial) | .id' <<<"$output" | sort)" = "$(cat gone)" ]
	[ "$(jq -r 'select(.partial | not) | select(.id == .results[0].id) | .id' <<<"$output" | wc -l)" = $((200 - $(wc -l <gone))) ]
}

@test "a plan that contradicts its files is refused" {
	rows 1 60 | lh-index shard p.json -n 3
	cp p.json keep
	cp "$(file 0)" copy.lhv
	lh-index dump "$(file 1)" | lh-index build --distance l2 l2.lhv
	while IFS=@ read -r filter message; do
		cp keep p.json
		edit "$filter"
		run -2 lh-search p.json <<<"$(rows 1 1)"
		[[ $output == "lh-search: p.json: "*"$message"* ]] || { echo "$filter: $output"; return 1; }
	done <<-'END'
		.dimension = 9@it has dimension 8, the plan 9
		.model = "m"@it has model "", the plan "m"
		.shards[1].length += 1@bytes, the plan
		.shards[1].checksum = "0123456789abcdef"@the plan 0123456789abcdef
		.shards[1] = .shards[0]@is named twice
		.shards[1] = .shards[0] | .shards[1].file = "copy.lhv"@copy.lhv is not the shard that the plan names: it is shards[1] of 3, where a record of it belongs to shards[0]
		.shards[2].file = "copy.lhv"@is not the shard that the plan names
		.format = 2@format 2 is newer
		.format = 0@"format" must be
		.by = "size"@"by" must be "hash" or "centroid"
		.shards = []@"shards" has 0 elements
		.shards = {}@"shards" must be an array
		.shards[0].file = "/etc/passwd"@shards[0].file must be a file name below
		.shards[0].file = "../p.lhv"@shards[0].file must be a file name below
		.shards[0].file = "a/../p.lhv"@shards[0].file must be a file name below
		.shards[0].file = "./p.lhv"@shards[0].file must be a file name below
		.shards[0].file = ""@shards[0].file must be a file name below
		.shards[0].centroid = [1,2,3,4,5,6,7,8]@the plan is by hash
		.by = "centroid" | .shards[0].centroid = [1,2]@2 values, the plan has dimension 8
		del(.shards[1].checksum)@missing shards[1].checksum
		[.]@must be an object
	END
	cp keep p.json
	rows 100 100 | lh-index add "$(file 1)"
	run -2 lh-search p.json <<<"$(rows 1 1)"
	[[ $output == *"$(file 1) is not the shard that the plan names: it was changed after the plan was made"* ]]
	lh-index compact "$(file 1)"
	run -2 lh-search p.json <<<"$(rows 1 1)"
	[[ $output == *"$(file 1) is not the shard"* ]]
	cp keep p.json
	cp l2.lhv "$(file 1)"
	jq -c --arg sum "$(python3 -c 'print("%016x" % int.from_bytes(open("l2.lhv", "rb").read(4096)[4088:], "little"))')" \
		--argjson size "$(stat -c %s l2.lhv)" '.shards[1].length = $size | .shards[1].checksum = $sum' keep >p.json
	run -2 lh-search p.json <<<"$(rows 1 1)"
	[[ $output == *"it has distance l2, others cosine"* ]]
	rows 1 60 | lh-index shard p.json -n 3 --by centroid
	cp "$(file 0)" copy.lhv
	edit '.shards[1] = .shards[0] | .shards[1].file = "copy.lhv"'
	run -2 lh-search p.json <<<"$(rows 1 1)"
	[[ $output == "lh-search: p.json: "*"are the same shard"* ]]
	echo '{"id":"a","vector":[1]}' >queries.json
	run -2 lh-search queries.json <queries.json
	[[ $output == *"queries.json: not a plan of shards"* ]]
	printf '{"format":1,' >p.json
	run -2 lh-search p.json </dev/null
}

@test "a hash plan with a shard taken out, added or moved is refused" {
	rows 1 300 | lh-index shard p.json -n 5
	cp p.json keep
	while read -r filter; do
		cp keep p.json
		edit "$filter"
		run -2 --separate-stderr lh-search p.json <<<"$(rows 1 1)"
		[[ $stderr == "lh-search: p.json: p."*" is not the shard that the plan names: it is shards["*"where a record of it belongs to shards["* ]] ||
			{ echo "$filter: $stderr"; return 1; }
	done <<-'END'
		del(.shards[1])
		del(.shards[0])
		del(.shards[4])
		del(.shards[2:])
		.shards |= reverse
		.shards |= .[1:] + .[:1]
		.shards[3] as $x | .shards[3] = .shards[4] | .shards[4] = $x
		.shards |= . + [.[0] | .file = "more.lhv"]
	END
	# a file that is missing or empty says nothing
	cp keep p.json
	rm "$(file 1)"
	run -1 lh-search p.json <<<"$(rows 1 1)"
	rows 1 2 | lh-index shard p.json -n 9
	rows 1 1 | lh-search p.json | jq -e '.results | length == 2'
	lh-index shard --allow-empty --dimension 8 p.json -n 3 </dev/null
	rows 1 1 | lh-search p.json | jq -e '.results == [] and (has("partial") | not)'
}

@test "a plan by centroid that lacks the centroid of a shard with records is refused" {
	rows 1 300 >in
	lh-index shard p.json -n 4 --by centroid in
	cp p.json keep
	rows 1 1 >q
	while read -r filter; do
		cp keep p.json
		edit "$filter"
		for args in "" "--nearest 4" "--exact --nearest 1"; do
			# shellcheck disable=SC2086
			run -2 --separate-stderr lh-search $args p.json <q
			[[ $stderr == "lh-search: p.json: p."*" is not the shard that the plan names: it has records, and the plan no centroid of it" ]] ||
				{ echo "$filter: $stderr"; return 1; }
		done
	done <<-'END'
		del(.shards[].centroid)
		del(.shards[2].centroid)
		.shards[3].centroid = null
	END
	# one whose file is missing too may have had records
	cp keep p.json
	edit 'del(.shards[2].centroid)'
	rm "$(file 2)"
	run -1 --separate-stderr lh-search --nearest 1 p.json <q
	[ "$(jq .partial <<<"$output")" = true ]
	lh-index shard p.json -n 4 in
	edit '.by = "centroid"'
	run -2 --separate-stderr lh-search --nearest 4 p.json <q
	[[ $stderr == *"it has records, and the plan no centroid of it" ]]
	# empty shards have none
	printf '{"id":"%s","vector":[1,2]}\n' a b c | lh-index shard p.json -n 3 --by centroid
	lh-search --nearest 3 p.json <<<'{"vector":[1,2]}' | jq -e '(.results | length == 3) and (has("partial") | not)'
}

@test "an id that is in several shards of a plan made by hand is one result, the nearest" {
	rows 1 60 >in
	lh-index build a.lhv in
	lh-index build one.lhv <(first 40 <in)
	# r21 to r40 twice: half of them as they are, and half with another vector
	(sed -n '31,60p' in; sed -n '21,30p' in | jq -c '.vector |= map(. * -1 + 0.25)') | lh-index build two.lhv
	for file in one two; do
		jq -n -c --arg file $file.lhv --argjson size "$(stat -c %s $file.lhv)" \
			--arg sum "$(python3 -c 'import sys; print("%016x" % int.from_bytes(open(sys.argv[1], "rb").read(4096)[4088:], "little"))' $file.lhv)" \
			'{file: $file, length: $size, checksum: $sum, centroid: [1, 0, 0, 0, 0, 0, 0, 0]}'
	done | jq -c -s '{format: 1, by: "centroid", dimension: 8, model: null, shards: .}' >p.json
	rows 1001 1020 | jq -c '{id, vector, k: (.metadata.n % 7 * 10)}' >q
	rows 1001 1020 | jq -c '{id, vector, k: 9, per_corpus_k: 4}' >>q
	lh-search --exact a=p.json <q >got
	lh-search --exact a=one.lhv <q >1
	lh-search --exact a=two.lhv <q >2
	lh-merge 1 2 | cmp - got
	[ "$(jq -s 'map(.results | length) | max' got)" = 60 ]
	[ "$(jq -s 'map(.results | map(.id) | length - (unique | length)) | max' got)" = 0 ]
}

@test "members of an answer that is searched for again are not the answer's" {
	rows 1 20 >in
	lh-index build a.lhv in
	lh-index shard p.json -n 2 in
	rows 1 1 | jq -c '{id, results: [1], metadata_filter_dropped: 7, playbook_boosted: 8, playbook_injected: 9, partial: true, vector}' >old
	rows 1 1 | jq -c '{id, vector}' >new
	for index in a.lhv p.json; do
		lh-search --exact "$index" <new >want
		lh-search --exact "$index" <old | cmp want -
		lh-search --exact --where n=3 "$index" <new >want
		lh-search --exact --where n=3 "$index" <old | cmp want -
		[ "$(jq -c keys_unsorted want)" = '["id","results","metadata_filter_dropped"]' ]
	done
}

@test "a plan and files below a folder are found from anywhere" {
	mkdir -p d/sub
	rows 1 30 | lh-index shard d/p.json -n 2
	mv "d/$(jq -r '.shards[0].file' d/p.json)" d/sub/x.lhv
	jq -c '.shards[0].file = "sub/x.lhv"' d/p.json >d/q.json
	rows 1 1 | lh-search -k 30 d/q.json | jq -e '.results | length == 30'
	cd d/sub
	rows 1 1 | lh-search -k 30 ../q.json | jq -e '.results | length == 30'
}

@test "a plan that is replaced during the run is read again, also while it is being replaced" {
	rows 1 20 | lh-index shard p.json -n 2
	coproc lh-search --on-error emit -k 100 p.json 2>err
	ask() {
		rows 1 1 >&"${COPROC[1]}"
		read -r answer <&"${COPROC[0]}"
	}
	ask
	jq -e '.results | length == 20' <<<"$answer"
	rows 1 33 | lh-index shard p.json -n 5
	ask
	jq -e '(.results | length == 33) and (has("partial") | not)' <<<"$answer"
	mv "$(file 3)" away
	ask
	jq -e '(.results | length < 33) and .partial' <<<"$answer"
	mv away "$(file 3)"
	ask
	jq -e '(.results | length == 33) and (has("partial") | not)' <<<"$answer"
	cp p.json keep
	edit '.dimension = 9'
	ask
	jq -e '.error.code == 503' <<<"$answer"
	cp keep p.json
	ask
	jq -e '.results | length == 33' <<<"$answer"
	pid=$COPROC_PID
	eval "exec ${COPROC[1]}>&-"
	rc=0
	wait "$pid" || rc=$?
	[ $rc = 1 ]
	[ "$(grep -c 'answers are partial' err)" = 1 ]
}

@test "a search that runs while plans are replaced finds one plan or the other" {
	rows 1 20 >a
	rows 1 33 >b
	lh-index shard p.json -n 3 a
	(for i in 1 2 3 4 5 6 7 8; do
		lh-index shard -j1 p.json -n $((i % 3 + 2)) b
		lh-index shard -j1 p.json -n $((i % 2 + 1)) a
	done; touch done) &
	until [ -e done ]; do
		rows 1 1 | lh-search -k 100 p.json | jq '.results | length' >>lengths
	done
	wait $!
	[ -s lengths ]
	[ -z "$(grep -vxE '20|33' lengths)" ]
}

@test "a plan that is replaced while its shards are opened costs no query" {
	needs_strace
	rows 1 20 >a
	rows 1 33 >b
	lh-index shard p.json -n 1 a
	mkfifo q
	inject openat:error=ENOENT:signal=STOP:when=1 -P p.0-of-1.b.lhv sh -c 'echo $$ >pid; exec lh-search -k 100 p.json' \
		<q >out 2>err 3>&- &
	exec 7>q
	rows 1 1 >&7
	until_so has_lines out 1
	lh-index shard p.json -n 1 b 7>&-
	rows 1 1 >&7
	until_so grep -qs 'stopped by SIGSTOP' trace
	lh-index shard p.json -n 1 a 7>&-
	kill -CONT "$(cat pid)"
	exec 7>&-
	wait $!
	[ "$(jq '.results | length' out | paste -sd,)" = 20,20 ]
	[ ! -s err ]
}
