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
	queries 15 >q
	jq -c '.corpora = ["a"]' q >named
	for how in "" "--distance ip" "--precision i8 --rescore"; do
		# shellcheck disable=SC2086
		lh-index build $how a.lhv in
		for by in hash centroid; do
			# shellcheck disable=SC2086
			lh-index shard $how --by $by p.json -n 5 in
			for args in "--where n>=20 -j1" "--flat --exclude r9"; do
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

@test "--nearest searches the shards with the nearest centroids, and all of them answer as one" {
	rows 1 400 >in
	lh-index build a.lhv in
	lh-index shard p.json -n 6 --by centroid in
	rows 1001 1030 | jq -c '{id, vector}' >q
	for ((P = 1; P <= 6; P++)); do
		lh-search --exact --nearest $P -k 20 a=p.json <q >got
		[ "$(wc -l <got)" = 30 ]
	done
	lh-search --exact -k 20 a=a.lhv <q | cmp - got
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

@test "a plan that contradicts its files is refused" {
	rows 1 60 | lh-index shard p.json -n 3
	cp p.json keep
	cp "$(file 0)" copy.lhv
	while IFS=@ read -r filter message; do
		cp keep p.json
		edit "$filter"
		run -2 lh-search p.json <<<"$(rows 1 1)"
		[[ $output == "lh-search: p.json: "*"$message"* ]] || { echo "$filter: $output"; return 1; }
	done <<-'END'
		.dimension = 9@it has dimension 8, the plan 9
		.shards[1].length += 1@bytes, the plan
		.shards[1] = .shards[0]@is named twice
		.shards[1] = .shards[0] | .shards[1].file = "copy.lhv"@copy.lhv is not the shard that the plan names: it is shards[1] of 3, where a record of it belongs to shards[0]
		.format = 2@format 2 is newer
		.by = "size"@"by" must be "hash" or "centroid"
		.shards = []@"shards" has 0 elements
		.shards[0].file = "/etc/passwd"@shards[0].file must be a file name below
		.shards[0].file = "../p.lhv"@shards[0].file must be a file name below
		.shards[0].centroid = [1,2,3,4,5,6,7,8]@the plan is by hash
		.by = "centroid" | .shards[0].centroid = [1,2]@2 values, the plan has dimension 8
		del(.shards[1].checksum)@missing shards[1].checksum
	END
	cp keep p.json
	rows 100 100 | lh-index add "$(file 1)"
	run -2 lh-search p.json <<<"$(rows 1 1)"
	[[ $output == *"$(file 1) is not the shard that the plan names: it was changed after the plan was made"* ]]
	lh-index compact "$(file 1)"
	run -2 lh-search p.json <<<"$(rows 1 1)"
	[[ $output == *"$(file 1) is not the shard"* ]]
	cp keep p.json
	echo '{"id":"a","vector":[1]}' >queries.json
	run -2 lh-search queries.json <queries.json
	[[ $output == *"queries.json: not a plan of shards"* ]]
	printf '{"format":1,' >p.json
	run -2 lh-search p.json </dev/null
}
