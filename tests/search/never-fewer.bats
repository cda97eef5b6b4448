# A search returns fewer hits than asked only if fewer records match, or if it says so; checked
# against --exact.
# bats file_tags=long
load ../helper

# make_cells - an index, and queries for ten cells of share and way: of the records
# that match, the hundred nearest of all are some, 9 of 10, or none.
make_cells() {
	lh-gen workers -n 3000 >rows
	lh-index build -j1 --dimension 64 --precision i8 --exact-below 100 a.lhv rows
	lh-gen queries -n 2 --styles all --seed 5 | jq -c '{query_text}' |
		lh-search --exact -k 3000 --no-metadata a.lhv >order
	python3 - order <<-'END' >cells
		import json, random, sys
		draw = random.Random(1)
		for line in open(sys.argv[1]):
		    answer = json.loads(line)
		    order = [hit["id"] for hit in answer["results"]]
		    assert len(order) == 3000
		    for share in 1, .9, .5, .25, .1, .05, .01, .001, 1 / 3000, 0:
		        for way in "independent", "near", "far":
		            near = {"independent": share, "near": min(.9, share * 30), "far": 0}[way]
		            match = [i for n, i in enumerate(order) if draw.random() < (near if n < 100 else share)]
		            if share == 1 / 3000:
		                match = [order[2000]]
		            print(json.dumps({"query_text": answer["query_text"], "metadata_filter": {"candidate_id": match},
		                              "cell": [share, way], "match": len(match)}))
	END
	[ "$(wc -l <cells)" -ge 240 ]
}

# compare_cells LIMIT - got, with what --exact finds in want and the queries in cells.
compare_cells() {
	python3 - "$1" <<-'END'
		import collections, json, sys
		found, wanted, short = collections.Counter(), collections.Counter(), 0
		for ask, got, want in zip(*(map(json.loads, open(name)) for name in ("cells", "got", "want")), strict=True):
		    cell, k = tuple(ask["cell"]), min(10, ask["match"])
		    assert len(want["results"]) == k and "truncated" not in want, ask
		    match = set(ask["metadata_filter"]["candidate_id"])
		    assert all(hit["id"] in match for hit in got["results"]), ask
		    if got.get("truncated"):
		        short += 1
		        continue
		    assert len(got["results"]) == k, (cell, len(got["results"]), k)
		    last = want["results"][-1]["distance"] if k else 0
		    found[cell] += sum(hit["distance"] <= last for hit in got["results"])
		    wanted[cell] += k
		assert all(found[cell] >= .95 * wanted[cell] for cell in wanted), found
		assert len(found) >= 15 and (short > 0) == (sys.argv[1] == "limit"), (found, short)
	END
}

# bats test_tags=plain-only
@test "as many hits as asked are found or all that match, and 0.95 of the nearest, whatever matches" {
	make_cells
	jq -c '{query_text, metadata_filter}' cells >asked
	lh-search --ignore-unknown --no-metadata --exact a.lhv <asked >want
	lh-search --ignore-unknown --no-metadata --ef 32 --explain a.lhv <asked >got
	compare_cells none
	[ "$(jq -r .explain.filter got | sort | uniq -c | awk '$1 > 10' | wc -l)" = 2 ] || { jq -r .explain.filter got | sort | uniq -c; return 1; }
	run -1 lh-search --ignore-unknown --no-metadata --ef 32 --budget 500 a.lhv <asked
	echo "$output" >got
	compare_cells limit
}

# bats test_tags=plain-only
@test "a filter that refuses the hundred nearest finds the next ones" {
	lh-gen workers -n 5000 | lh-index build -j2 --model hash-v3 --exact-below 100 a.lhv
	lh-gen queries -n 10 --styles all --seed 5 | jq -c '{query_text}' | lh-search --exact -k 100 --no-metadata a.lhv |
		jq -c '{query_text, metadata_filter: {candidate_id: {not: [.results[].id]}}}' >asked
	lh-search --no-metadata --exact a.lhv <asked | jq -c '[.results[].id]' >want
	lh-search --no-metadata --explain a.lhv <asked >got
	[ "$(jq -r .explain.filter got | sort -u)" = walked ]
	jq -n -e --slurpfile want want --slurpfile got got '
		[range(40) | ($want[.] - [$got[.].results[].id]) | length] | add <= 8'
}

@test "k larger than the index finds all records once, deleted ones aside" {
	lh-gen workers -n 1500 >rows
	lh-index build -j1 --dimension 64 --exact-below 100 a.lhv rows
	jq -r 'select(.id[-1:] == "7") | .id' rows | lh-index delete a.lhv
	lh-gen queries -n 1 | lh-search --ignore-unknown -k 10000 --flat a.lhv | jq -r .id | sort >got
	jq -r 'select(.id[-1:] != "7") | .id' rows | sort | cmp - got
}
