# The sizes at which a graph begins, is hardly one, or is left to the exact
# scan: another implementation's library crashed there under sustained writes.
# Plain only: quality and counts over many valid records, on paths that the tools'
# own files and the unit programs take there.
# bats file_tags=full,sizes,plain-only,long
load ../helper

ROUNDS=$(scale 2 20)
[ -z "${LH_ASAN:-}" ] || ROUNDS=1
SIZES="0 1 2 31 32 33 999 1000 1001"

# recall INDEX - what share of the exact answers the walk gives, in thousandths.
recall() {
	local all found
	lh-search -k 10 --flat --ignore-unknown --no-metadata "$1" <q | jq -c '[.query_text,.id]' | sort >walk
	lh-search -k 10 --flat --ignore-unknown --no-metadata --exact "$1" <q | jq -c '[.query_text,.id]' | sort >exact
	all=$(wc -l <exact)
	found=$(comm -12 walk exact | wc -l)
	[ "$all" -gt 0 ] || { echo 1000; return; }
	echo $((found * 1000 / all))
}

# expect INDEX COUNT - every answer is whole, and agrees with the exact one.
expect() {
	local k=$(($2 < 10 ? $2 : 10)) r
	[ "$(lh-search -k 10 "$1" <q | jq '.results | length' | sort -u)" = "$k" ]
	# one candidate kept: the shortest walk there is
	[ "$(lh-search -k 1 --ef 1 "$1" <q | jq '.results | length' | sort -u)" = "$(($2 > 0))" ]
	r=$(recall "$1")
	[ "$r" -ge 990 ] || { echo "$1 with $2 records: recall $r"; return 1; }
}

# churn INDEX SIZE: adds, replacements and deletes, and a look after each.
churn() {
	local file=$1 n=$2 round
	for ((round = 1; round <= ROUNDS; round++)); do
		jq -c --arg r "$round" '.id = "new-" + $r + "-" + .id' <(head -n 5 pool) | lh-index add -q "$file"
		expect "$file" $((n + 5))
		head -n 2 pool | jq -c --arg r "$round" '{id: ("new-" + $r + "-" + .id)}' | lh-index delete -q "$file"
		n=$((n + 3))
		expect "$file" "$n"
		if [ "$2" -gt 1 ]; then
			head -n $((round * 7)) pool | jq -c --arg n "$2" 'select((.id[2:] | tonumber) <= ($n | tonumber)) | .text = .role' |
				lh-index add -q "$file"
			expect "$file" "$n"
		fi
	done
	lh-index compact -q "$file"
	expect "$file" "$n"
	lh-index verify "$file"
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	lh-gen workers -n 1001 >pool
	lh-gen queries -n 40 | awk '!seen[$0]++' >q
}

for_each_size() {
	local n
	cp "$BATS_FILE_TMPDIR"/{pool,q} .
	for n in $SIZES; do
		head -n "$n" pool | lh-index build -q --allow-empty "$@" "s$n.lhv"
		expect "s$n.lhv" "$n"
		churn "s$n.lhv" "$n"
		rm "s$n.lhv"*
	done
}

# bats test_tags=full
@test "sizes 0 to 1001, under adds and deletes, agree with the exact scan" {
	for_each_size
}

# bats test_tags=full
@test "the same sizes with a graph from the first record on" {
	for_each_size --exact-below 1
}

# bats test_tags=full
@test "a search never fails while a writer adds and deletes all the while" {
	cp "$BATS_FILE_TMPDIR"/{pool,q} .
	for n in 0 2 33 999; do
		head -n "$n" pool | lh-index build -q --allow-empty w.lhv
		(
			for ((i = 0; i < $(scale 4 200); i++)); do
				tail -n 130 pool | jq -c --arg i "$i" '.id += "-" + $i' >extra
				lh-index add -q w.lhv extra
				jq -c '{id}' extra | lh-index delete -q w.lhv
			done
		) &
		while kill -0 $! 2>/dev/null; do
			lh-search -k 3 w.lhv <q >out
			[ "$(jq -c 'select(.results | length > 3)' out | wc -l)" = 0 ]
			[ "$(wc -l <out)" = "$(wc -l <q)" ]
		done
		wait $!
		lh-index verify w.lhv
		expect w.lhv "$n"
	done
}
