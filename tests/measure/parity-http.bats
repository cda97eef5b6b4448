# Two live servers compared: each request of http.jsonl goes to both by curl.
load ../helper
load ../servers/serve
load ../servers/server

teardown() {
	stop_serves
	stop_upstreams
}

# state NAME - a state with workers, a table and SQL
state() {
	mkdir -p "$1/index"
	cp workers.jsonl "$1/roster.jsonl"
	lh-index build -q --lexical --now 2026-05-03T12:00:00Z "$1/index/workers.lhv" workers.jsonl
	lh-ingest --name scores --store "$PWD/$1/store" --catalog "$1/catalog" --now 2026-05-03T12:00:00Z scores.csv >/dev/null
	jq -n --arg s "$1" '{state: $s, routes: [{route: "POST /v1/sql", run: ["lh-query", "--catalog", ($s + "/catalog"),
		"--store", ($s + "/store"), "--on-error", "emit"]}]}' >"$1.json"
}

# compare LEFT RIGHT - the cases that differ
compare() {
	http=$ROOT/tests/parity/http
	lh-parity -q --per-record --ignore body.elapsed_ms --ignore body.latency_ms --ignore body.trace_id --ignore body.etag --report report.md \
		--left "'$http' $1" --right "'$http' $2" "$ROOT/tests/parity/http.jsonl" >out
}

# bats test_tags=full
@test "two live servers of one state answer alike, and what differs between two states is named" {
	plain_only "most of it is curl"
	lh-gen workers -n 40 >workers.jsonl
	printf 'id,score\n1,88\n2,95\n' >scores.csv
	start_chat
	export LH_OLLAMA_URL=$URL
	state a
	state b
	start_serve --config a.json
	left=$URL
	start_serve --config b.json
	right=$URL
	compare "$left" "$right" || { grep -v '"match":true' out; return 1; }
	[ "$(tail -n 1 out | jq -c '[.passed, .total]')" = '[20,20]' ]
	jq -c 'if .id == "w-1" then .state = "IL" else . end | .skills = ["forklift"]' workers.jsonl | first 9 |
		lh-index build -q --lexical b/index/workers.lhv
	printf 'id,score\n1,88\n2,96\n' >scores.csv
	lh-ingest --name scores --store "$PWD/b/store" --catalog b/catalog scores.csv >/dev/null
	run -1 compare "$left" "$right"
	[ "$(jq -r 'select(.match == false) | .name' out | grep -cE '^(search|retrieve|sql)$')" = 3 ]
	[ "$(jq -r 'select(.match == false) | .name' out | grep -cE '^(embed|chat|storage_.*|validate)$')" = 0 ]
	grep -q '^### sql$' report.md
}

# bats test_tags=full,plain-only
@test "the five probes that came last see what is planted in either side" {
	mkdir p
	while IFS='|' read -r probe change; do
		for side in left right; do
			jq -c --arg p "$probe" --arg s $side --arg c "$change" 'select(.probe == $p) |
				.[$s] |= "{ " + . + "; } | sed -u " + ($c | @sh)' "$ROOT/tests/parity/probes.jsonl" >p/probes.jsonl
			cp "$ROOT/tests/parity/$probe.jsonl" "$ROOT/tests/parity/surfaces.py" p
			ln -sfn "$ROOT/tests/oracle" oracle
			run lh-parity all -q --probes p --out o
			[ "$status" = 1 ] || { echo "$probe, $side: $output"; return 1; }
			[[ $output == *'"match":false'* ]]
		done
	done <<-'END'
	sql|s/"row_count": 1/"row_count": 2/
	search|s/"results": \[\[/"results": [["w-x", 0.1], [/
	retrieve|s/0\.[0-9]*/0.5/
	storage|s/"code": 404/"code": 400/
	chat|s/"stream": false/"stream": true/
	END
}

@test "SUMMARY.md keeps the dated verdicts of earlier runs" {
	for day in 1 2; do
		lh-parity all --probe sql --out o --now 2026-05-0${day}T12:00:00Z >out
	done
	[ "$(grep -c '^# Parity$' o/SUMMARY.md)" = 1 ]
	[ "$(grep -o '^\*\*Date:\*\* .*T' o/SUMMARY.md | paste -sd' ')" = '**Date:** 2026-05-01T **Date:** 2026-05-02T' ]
	[ "$(grep -c '^| sql | 10 | 10 | 0 | 0 |' o/SUMMARY.md)" = 2 ]
	[ "$(tail -n 1 o/SUMMARY.md)" = '**Tally:** 10/10' ]
}
