# From texts to neighbours, as a reader of the README types it.
# Plain only: quality and counts over many valid records, on paths that the tools'
# own files and the unit programs take there.
# bats file_tags=plain-only
load ../helper

# Workers in the index, and demand.
N=$(scale 2000 20000) QUERIES=$(scale 20 100)
[ -z "${LH_ASAN:-}" ] || N=1100

@test "workers into an index and demand out of it, as typed" {
	run -0 --separate-stderr bash -o pipefail -c "
		lh-gen workers -n $(scale $N 100000) | lh-index build w.lhv && lh-gen queries -n $QUERIES | lh-search -k 5 w.lhv
	"
	[ -z "$stderr" ]
	echo "$output" >out
	[ "$(jq -c '.results | length' out | sort | uniq -c | tr -s ' ')" = " $QUERIES 5" ]
	alike <(lh-gen queries -n "$QUERIES") <(jq -c 'del(.results)' out)
}

# share K FIELD - how often one of the first K answers has the FIELD asked for.
share() {
	jq -c --argjson k "$1" "[($2) as \$want | .results[:\$k][].metadata | ($2) == \$want] | any" answers |
		awk '/true/ { n++ } END { printf "%.3f\n", n / NR }'
}

# precision - the share of the first five answers that have the role asked for.
precision() {
	jq -c '.role as $want | .results[:5][].metadata.role == $want' answers |
		awk '/true/ { n++ } END { printf "%.3f\n", n / NR }'
}

@test "role precision@5, role@5 and city@1 are at least 0.95 for each style of demand" {
	rows=$(scale 100 200 2000)
	lh-gen workers -n 5000 >w.jsonl
	lh-index build w.lhv w.jsonl
	jq -r '[.role, .city, .state] | @tsv' w.jsonl | sort -u >have
	for style in need client_first looking shorthand; do
		lh-gen queries -n $((rows * 2)) --styles $style >all.jsonl
		paste <(jq -r '[.role, .city, .state] | join("|")' all.jsonl) all.jsonl |
			awk -F'\t' 'NR == FNR { have[$1 "|" $2 "|" $3]; next } $1 in have { sub(/^[^\t]*\t/, ""); print }' have - | first "$rows" >q.jsonl
		[ "$(wc -l <q.jsonl)" = "$rows" ]
		lh-search -k 5 w.lhv <q.jsonl >answers
		role=$(share 5 .role)
		city=$(share 1 .city)
		echo "$style $role $city $(precision)" >>table
	done
	cat table
	awk '$2 < 0.95 || $3 < 0.95 || $4 < 0.95 { bad = 1 } END { exit bad || NR != 4 }' table
}

# bats test_tags=full
@test "the client's name does not lead to another role" {
	local seed
	echo '{"query_text":"Need 3 Forklift Operators in Aurora IL for Parallel Machining"}' >q.jsonl
	for seed in 1 2 3 4 5 6; do
		lh-gen workers -n 1500 --seed $seed >w.jsonl
		jq -e -s 'any(.[]; .role == "Machine Operator") and any(.[]; .role == "Forklift Operator" and .city == "Aurora")' w.jsonl >/dev/null
		lh-index build w.lhv w.jsonl
		[ "$(lh-search -k 1 w.lhv <q.jsonl | jq -r '.results[0].metadata | .role + ", " + .city')" = "Forklift Operator, Aurora" ] || { echo "seed $seed"; false; }
	done
}
