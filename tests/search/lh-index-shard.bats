# lh-index shard: an index of several files and its plan.
load ../helper
load ../index

# shards PLAN - the files that a plan names.
shards() {
	jq -r '.shards[].file' "$1"
}

# content_of PLAN - what all its shards hold, in an order of its own.
content_of() {
	local file
	for file in $(shards "$1"); do
		lh-index dump "$file"
	done | sort
}

@test "the shards hold the records of one index, each in the shard of its id" {
	rows 1 300 >in
	rows 5 7 later >>in
	lh-index build one.lhv in
	lh-index shard p.json -n 7 in
	jq -e '.format == 1 and .by == "hash" and .dimension == 8 and .model == null and (.shards | length) == 7' p.json
	[ "$(jq -c '.shards[0] | keys_unsorted' p.json)" = '["file","length","checksum"]' ]
	[ "$(content_of p.json)" = "$(content one.lhv)" ]
	lh-index verify $(shards p.json)
}

@test "by centroid, each record is in the shard with the nearest centroid" {
	rows 1 400 | lh-index shard p.json -n 6 --by centroid
	jq -e '[.shards[].centroid | length] == [8, 8, 8, 8, 8, 8]' p.json
	cp p.json first
	rm p.*.lhv p.json
	rows 1 400 | lh-index shard -j1 p.json -n 6 --by centroid
	cmp <(jq -c '.shards[].centroid' first) <(jq -c '.shards[].centroid' p.json)
	rows 1 400 | lh-index shard p.json -n 6 --by centroid --seed 7
	not cmp -s <(jq -c '.shards[].centroid' first) <(jq -c '.shards[].centroid' p.json)
}

@test "the same input gives the same files" {
	mkdir a b
	for folder in a b; do
		rows 1 100 | lh-index shard -j1 --now 2026-05-03T12:00:00Z $folder/p.json -n 3 --by centroid
	done
	diff -r a b
	[ "$(ls a | wc -l)" = 4 ]
}

@test "wrong usage is refused before anything is read or written" {
	run -2 lh-index shard p.json </dev/null
	[[ $output == *"-n N"* ]]
	run -2 lh-index shard p.lhv -n 2 </dev/null
	[[ $output == *"p.lhv: the name of a plan is NAME.json"* ]]
	run -2 lh-index shard .json -n 2 </dev/null
	run -2 lh-index shard p.json -n 0 </dev/null
	run -2 lh-index shard p.json -n 65537 </dev/null
	run -2 lh-index shard p.json -n 2 --by size </dev/null
	run -2 lh-index build p.lhv -n 2 </dev/null
	run -2 lh-index shard - -n 2 </dev/null
	[ -z "$(ls -A)" ]
}

@test "a plan is not taken for an index" {
	rows 1 9 | lh-index shard p.json -n 2
	cp p.json want
	for verb in info dump add delete; do
		run -2 --separate-stderr lh-index $verb p.json </dev/null
		[ "$stderr" = "lh-index: p.json: a plan of shards, not an index: name the files of its shards" ]
		[ -z "$output" ]
	done
	cmp p.json want
}

@test "what is not a plan is not replaced, nor is a plan without a good record" {
	rows 1 9 >in
	echo '{"mine":1}' >p.json
	run -2 lh-index shard p.json -n 2 in
	[[ $output == *"p.json: not a plan of shards: missing \"format\""* ]]
	[ "$(cat p.json)" = '{"mine":1}' ]
	[ "$(ls -A | paste -sd' ')" = 'in p.json' ]
	rm p.json
	lh-index shard p.json -n 2 in
	cp p.json want
	run -2 lh-index shard p.json -n 2 </dev/null
	cmp want p.json
	[ "$(content_of p.json | wc -l)" = 9 ]
	run -1 lh-index shard p.json -n 2 <<<'{"id":"a","vector":[1]}
{"id":"b","vector":[1,2]}'
	[ "$(content_of p.json | jq -c .id)" = '"a"' ]
	lh-index shard --allow-empty --dimension 4 p.json -n 2 </dev/null
	[ "$(jq .dimension p.json)" = 4 ]
}

@test "one run at a time writes a plan" {
	rows 1 9 | lh-index shard p.json -n 2
	cp p.json want
	mkfifo in
	lh-index shard p.json -n 2 <in &
	exec 5>in
	until_so is_locked p.json-lock
	rows 20 25 >second
	run -2 lh-index shard --lock-timeout 0.05 p.json -n 2 second
	[[ $output == *p.json*lock* ]]
	cmp want p.json
	rows 1 3 >&5
	exec 5>&-
	wait $!
	[ "$(content_of p.json | wc -l)" = 3 ]
}

# The plan of before and its files are there and whole; or those of after.
before_fault() {
	rm -rf p.* .p.*
	cp -p keep/* .
}
after_fault() {
	local file
	for file in $(shards p.json); do
		lh-index verify "$file"
	done
	case $(content_of p.json | md5sum) in
	"$before") [ "$3" != 0 ] ;;
	"$after") ;;
	*) return 1 ;;
	esac
	[ "$INJECT" = signal=KILL ] || [ "$(ls | grep -c 'p\..*lhv')" -le 4 ]
	sh -c "$command"
	[ "$(content_of p.json | md5sum)" = "$after" ]
	[ "$(ls -A | grep -c '^\.*p\.')" = 4 ]
}

faulty() {
	needs_strace
	rows 1 12 >one
	rows 1 20 new >two
	lh-index shard p.json -n 3 one
	mkdir keep
	cp -p p.* keep
	before=$(content_of p.json | md5sum)
	command="lh-index shard -q -j1 --lock-timeout 1 p.json -n 3 two"
	sh -c "$command"
	after=$(content_of p.json | md5sum)
	STEP=12 at_each lh-index shard -q -j1 --lock-timeout 1 p.json -n 3 two
}

# bats test_tags=full
@test "killed at any system call that changes files: the plan before or the plan after, and no litter later" {
	INJECT=signal=KILL faulty
}

# bats test_tags=full
@test "a disk that fails at any system call: the plan before or the plan after, whole" {
	INJECT=error=ENOSPC faulty
}
