# lh-index verify --reach, and compactions that link what no link leads to.
load ../helper
load ../index

unlink_rows() { "$(dirname "$AID")/aid_unlink" "$@"; }

# unreached FILE - the ids that a second reader of the file finds
unreached() {
	python3 "$ROOT/tests/oracle/lhv.py" --reach "$1" | sort
}

# named FILE - the ids that verify --reach names
named() {
	{ lh-index verify --reach "$1" 2>&1 || :; } | sed -n "s/^lh-index: $1: graph: row [0-9]*, \"\(.*\)\": no link leads to it$/\1/p" | sort
}

# cut_off PRECISION - a.lhv, of 1500 rows, to three of which no link leads
cut_off() {
	rows 1 1500 | same_build --precision "$1" --exact-below 100 a.lhv
	unlink_rows a.lhv 7 600 1499
}

# all_first INDEX - each record is the first that its own vector finds, or one equal to it
all_first() {
	lh-index dump --encoding base64 "$1" | jq -c '{vector, k: 1}' >own
	lh-search --no-metadata "$1" <own | jq -r '.results[0].id' >first
	lh-search --no-metadata --exact "$1" <own | jq -r '.results[0].id' >exact
	[ -s first ]
	cmp first exact
}

@test "verify --reach names each record that no link leads to, as a second reader does" {
	for precision in f32 i8; do
		rows 1 1500 | same_build --precision $precision --exact-below 100 a.lhv
		run -0 lh-index verify --reach -v a.lhv
		[ "$output" = "lh-index: a.lhv: good" ]
		[ -z "$(unreached a.lhv)" ]
		unlink_rows a.lhv 7 600 1499
		run -1 lh-index verify --reach a.lhv
		[ "$(named a.lhv | wc -l)" = 3 ]
		[ "$(named a.lhv)" = "$(unreached a.lhv)" ]
	done
}

@test "verify --reach names live records alone, and none of a log or without a graph" {
	cut_off f32
	named a.lhv >before
	lh-index delete a.lhv "$(head -n 1 before)"
	rows 1600 1610 | lh-index add a.lhv
	[ "$(named a.lhv)" = "$(tail -n 2 before)" ]
	rows 1 50 | same_build b.lhv
	run -0 lh-index verify --reach -v b.lhv
	[ "$output" = "lh-index: b.lhv: no graph: every row is scanned
lh-index: b.lhv: good" ]
	run -2 lh-index verify --reach missing.lhv
	run -2 lh-index info --reach a.lhv
}

@test "verify --reach of a damaged file reports the damage" {
	cut_off f32
	cp a.lhv b.lhv
	for at in 40 200 5000 20000 100000; do
		cp b.lhv a.lhv
		printf '\377\377\377\377' | dd of=a.lhv bs=1 seek=$at conv=notrunc status=none
		run -1 lh-index verify --reach a.lhv
		[[ "$output" != *Error* && "$output" = *a.lhv:* ]]
	done
}

# bats test_tags=full
@test "compact links the records that no link leads to, with or without changes, and nothing else" {
	for precision in f32 i8; do
		cut_off $precision
		lh-index dump a.lhv | sort >before
		if [ $precision = i8 ]; then
			rows 1600 1700 | lh-index add a.lhv
			rows 1600 1700 | lh-index build --precision i8 --exact-below 1 -q new.lhv
			lh-index dump new.lhv | sort - before >both
			mv both before
		fi
		lh-index compact a.lhv
		lh-index verify --reach a.lhv
		[ -z "$(unreached a.lhv)" ]
		all_first a.lhv
		lh-index dump a.lhv | sort | cmp - <(sort before)
		cp a.lhv b.lhv
		lh-index compact a.lhv
		cmp a.lhv b.lhv
	done
}

@test "a compaction that is killed at any step leaves the old index or the new one" {
	local call when killed=0
	cut_off i8
	cp a.lhv old.lhv
	lh-index compact -j1 a.lhv
	cp a.lhv new.lhv
	needs_strace
	for call in pwrite64 fsync rename unlink; do
		for when in 1 2 3; do
			cp old.lhv a.lhv
			inject $call:signal=KILL:when=$when lh-index compact -j1 a.lhv || :
			injected && killed=$((killed + 1))
			cmp -s a.lhv old.lhv || cmp a.lhv new.lhv
			lh-index compact -j1 a.lhv
			cmp a.lhv new.lhv
			lh-index verify --reach a.lhv
		done
	done >/dev/null
	[ $killed -ge 3 ]
}

@test "two compactions at once link them once" {
	cut_off f32
	cp a.lhv b.lhv
	lh-index compact -j1 b.lhv
	lh-index compact --lock-timeout 600 -j1 a.lhv &
	lh-index compact --lock-timeout 600 -j1 a.lhv
	wait $!
	cmp a.lhv b.lhv
	lh-index verify --reach a.lhv
}

# vectors FROM TO ROUND - records of 24 values, others in each round
vectors() {
	awk -v from="$1" -v to="$2" -v round="$3" 'BEGIN {
		srand(round * 1000003 + from)
		for (i = from; i <= to; i++) {
			printf "{\"id\":\"r%d\",\"vector\":[", i
			for (j = 0; j < 24; j++)
				printf "%s%.5f", j ? "," : "", rand() + rand() - 1
			print "]}"
		}
	}'
}

# churn ROWS ROUNDS OPTION... - in each round half of the records of a.lhv are deleted, as many
# added, and three in ten replaced, while searches run
churn() {
	local rows=$1 round first=1 last=$1 searches
	vectors 1 "$rows" 0 | lh-index build -q --force "${@:3}" a.lhv
	vectors 1 20 99 | jq -c '{vector, k: 10}' >asked
	rm -f stop failed
	while [ ! -e stop ] && kill -0 $$; do
		lh-search --no-metadata a.lhv <asked >answers && [ "$(jq '.results | length' answers | sort -u)" = 10 ] ||
			touch failed
	done &
	searches=$!
	for ((round = 1; round <= $2; round++)); do
		seq "$first" $((first + rows / 2 - 1)) | sed 's/^/r/' | lh-index delete -q a.lhv
		vectors $((last + 1)) $((last + rows / 2)) $round | lh-index add -q a.lhv
		first=$((first + rows / 2)) last=$((last + rows / 2))
		vectors "$first" $((first + rows * 3 / 10 - 1)) $((100 + round)) | lh-index add -q a.lhv
	done
	touch stop
	wait $searches
	[ ! -e failed ]
	lh-index compact a.lhv
	[ "$(info a.lhv length)" = "$rows" ]
}

# recall INDEX - of a thousand, how many results of asked are those of --exact
recall() {
	vectors 1 100 98 | jq -c '{vector, k: 10}' >asked
	paste -d' ' <(lh-search --no-metadata "$1" <asked | jq -c '[.results[].id]') \
		<(lh-search --no-metadata --exact "$1" <asked | jq -c '[.results[].id]') |
		jq -s '[range(0; length; 2) as $i | .[$i] as $a | .[$i + 1] as $b | $a | map(select(IN($b[]))) | length] | add'
}

# bats test_tags=full
@test "rounds of deletes, additions and replacements, with searches meanwhile, lose no record" {
	local kind precisions=("--precision f32" "--precision i8")
	[ "$(scale check soak)" = check ] || precisions+=("--precision f16" "--precision i8 --rescore")
	for kind in "${precisions[@]}"; do
		churn "$(scale 1200 50000)" "$(scale 2 10)" $kind
		lh-index verify --reach a.lhv
		[ -z "$(unreached a.lhv)" ]
		all_first a.lhv
		lh-index dump --encoding base64 a.lhv | lh-index build -q --force $kind b.lhv
		[ "$(recall a.lhv)" -ge $(($(recall b.lhv) - 10)) ]
		[ $((10 * $(stat -c %s a.lhv))) -le $((12 * $(stat -c %s b.lhv))) ]
	done
}

@test "records behind others that are nearly equal to each other are found" {
	lh-gen workers -n 755 --seed 3 | jq -c '{id, text}' >texts
	sed 1,5d texts >others
	head -5 texts | jq -c '. as $t | range(300) | {id: "\($t.id)-\(.)", text: "\($t.text) copy\(.)"}' |
		cat - others | same_build --model hash-v2 --precision i8 --exact-below 10 a.lhv
	# three of the 750; fifteen more if walks do not go on
	[ "$(lh-search -k 1 --no-metadata a.lhv <others | jq -c 'select(.results[0].id != .id)' | wc -l)" -le 6 ]
}

# bats test_tags=full
@test "thousands of records that are nearly equal to each other are found" {
	lh-gen workers -n 3755 --seed 3 | jq -c '{id, text}' >texts
	jq -cs '.[:5] as $t | range(7500) | {id: "c\(.)", text: ($t[. % 5].text + " copy\(.)")}' texts >copies
	sed 1,5d texts | cat - copies | same_build --model hash-v2 --precision i8 --exact-below 10 a.lhv
	# 22 if walks among them do not go on, 95 if lists that are not full get no links back
	[ "$(lh-search -k 1 --no-metadata a.lhv <copies | jq -c 'select(.results[0].id != .id)' | wc -l)" -eq 0 ]
}
