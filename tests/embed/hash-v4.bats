# hash-v4: words and a table of word pieces.  hash-v1.bats has its bits.
# bats file_tags=quick
load ../helper

# hits MODEL LINES - of these pairs of bench/meaning: how many records are first for their question.
hits() {
	sed -n "$2p" "$ROOT/bench/meaning/pairs.tsv" >pairs
	awk -F'\t' '{ print $2 }' pairs | jq -cR '{ id: ., text: . }' | lh-index build -q --model "$1" "$1.lhv"
	awk -F'\t' '{ print $3 }' pairs | jq -cR '{ query_text: . }' | lh-search -q --exact --no-metadata -k 1 "$1.lhv" |
		jq -r '.results[0].id' | paste - pairs | awk -F'\t' '$1 == $3' | wc -l
}

@test "hash-v4 finds records by questions in other words, of which hash-v3 finds next to none" {
	cd "$BATS_TEST_TMPDIR"
	[ "$(hits hash-v3 0~2)" -le 5 ]
	[ "$(hits hash-v4 0~2)" -ge 45 ]
}

@test "hash-v4 has the same bytes for any number of threads, and 768 values alone" {
	cd "$BATS_TEST_TMPDIR"
	for i in {1..4}; do cut -f2,3 "$ROOT/bench/meaning/pairs.tsv"; done | jq -cR '{ text: . }' >texts
	lh-embed --model hash-v4 -j 1 texts >one
	lh-embed --model hash-v4 -j 4 texts >four
	cmp one four
	run -2 lh-embed --model hash-v4 --dimension 512 texts
	[ "$output" = "lh-embed: dimension 512: hash-v4 has 768 values" ]
}

@test "lh-index upgrade embeds the texts of an index anew by hash-v4" {
	cd "$BATS_TEST_TMPDIR"
	printf '{"id":"a","text":"Bricklayer, garden walls"}\n{"id":"b","text":"Pastry cook"}\n' >rows
	lh-index build -q --model hash-v3 x.lhv rows
	lh-index upgrade -q --model hash-v4 x.lhv
	[ "$(lh-search -q --exact -Q mason x.lhv | jq -r '.results[0].id')" = a ]
}

# bats test_tags=plain-only
@test "without its table, or with another file in its place, hash-v4 is one line and exit 2" {
	cd "$BATS_TEST_TMPDIR"
	mkdir -p there/bin there/share
	cp "$(command -v lh-embed)" there/bin
	echo '{"text":"x"}' >text
	if [ ! -e /usr/local/share/lakehouse-tools/hash-v4.table ] && [ ! -e /usr/share/lakehouse-tools/hash-v4.table ]; then
		run -2 there/bin/lh-embed --model hash-v4 text
		[ "${#lines[@]}" = 1 ]
		[[ $output == "lh-embed: hash-v4 needs hash-v4.table in ../share/lakehouse-tools from the program, or "* ]]
	fi
	cp "$ROOT/share/hash-v4.table" there/share
	there/bin/lh-embed --model hash-v4 text >/dev/null
	printf x | dd of=there/share/hash-v4.table bs=1 seek=2000000 conv=notrunc status=none
	run -2 there/bin/lh-embed --model hash-v4 text
	[ "$output" = "lh-embed: $PWD/there/bin/../share/hash-v4.table: is not the table of hash-v4" ]
	echo foreign >there/share/hash-v4.table
	run -2 there/bin/lh-embed --model hash-v4 text
	[ "$output" = "lh-embed: $PWD/there/bin/../share/hash-v4.table: is not the table of hash-v4" ]
}

@test "no pair of bench/meaning shares a word of three letters or more" {
	awk -F'\t' 'NF != 3 { print; exit }
		{ split(tolower($2), a, /[^a-z]+/); for (k in seen) delete seen[k]; for (k in a) if (length(a[k]) > 2) seen[a[k]]
		  split(tolower($3), b, /[^a-z]+/); for (k in b) if (b[k] in seen) print }' "$ROOT/bench/meaning/pairs.tsv" >shared
	[ ! -s shared ]
}
