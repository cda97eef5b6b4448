# share/examples/parallel: shards by GNU parallel.
# Plain only: scripts of share/, over commands that other files test.
# bats file_tags=full,plain-only
load ../helper
load ../sharded

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	command -v parallel >/dev/null || skip "there is no parallel"
	RUN=$ROOT/share/examples/parallel/lh-sharded-parallel
	SEARCH=$ROOT/share/examples/parallel/lh-search-parallel
	export PARALLEL_HOME=$PWD/.parallel
	mkdir .parallel
	: >.parallel/will-cite
}

# shards N - shard0.lhv to shardN-1.lhv of the records of the job.
shards() {
	local i
	lh-embed job/workers.jsonl >vectors.jsonl
	for ((i = 0; i < $1; i++)); do
		split -n "r/$((i + 1))/$1" vectors.jsonl | lh-index build "shard$i.lhv"
	done
}

@test "eight shards by parallel: contents and answers are those of one job, in a folder with a space" {
	a_job
	mv job 'a job'
	ln -s 'a job' job
	sed -i "s,=\(.*\)/job/,='\1/a job'/," job/settings
	run -0 "$RUN" --check 'a job' 8
	[ "$(grep -c ': equal$' <<<"$output")" = 2 ]
	[ "$(find job/log -name 'index-[0-7]' | wc -l)" = 8 ]
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
	# a second time all is replaced
	run -0 "$RUN" --check job 8
	[ "$(grep -c ': equal$' <<<"$output")" = 2 ]
}

@test "parallel that is killed while shard 3 is read is resumed, and does not repeat the others" {
	a_job
	held lh-embed "$PWD/job/part/3-of-8.jsonl"
	exec 7<>job/pipe
	PATH=$PWD/job/bin:$PATH "$RUN" job 8 --jobs 2 3>&- 7>&- &
	pid=$!
	until_so [ -d job/held ]
	first 700 <job/workers.jsonl >&7
	drained 7
	until_so has_lines job/log/index.tasks 8
	# the shard and all above it at once, as when a machine stops
	children=$(ps -o pid= --ppid "$pid" | tr -d ' ')
	for child in $children; do children="$children $(ps -o pid= --ppid "$child" | tr -d ' ')"; done
	kill -KILL "$pid" $children
	wait "$pid" || true
	exec 7>&-
	[ ! -e job/index.lhv ]
	before=$(stat -c %Y.%i job/index/[0-24-7]-of-8.lhv)
	"$RUN" --resume job 8
	[ "$(stat -c %Y.%i job/index/[0-24-7]-of-8.lhv)" = "$before" ]
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
}

@test "the index can be searched while it is joined again, and stays if a part is missing" {
	a_job
	"$RUN" job 2
	cp job/index.lhv before.lhv
	lh-gen workers -n 1 --seed 9 | jq -c '.worker_id = "later" | .id = "later"' | lh-index add job/index.lhv
	instead lh-index '*' 'ls job/index.lhv >>searched || exit 2'
	mv job/index/1-of-2.lhv away.lhv
	PATH=$PWD/job/bin:$PATH run -2 "$SHARDED" "$PWD/job" join-index 2
	lh-index get job/index.lhv later | has '"id":"later"'
	mv away.lhv job/index/1-of-2.lhv
	PATH=$PWD/job/bin:$PATH "$SHARDED" "$PWD/job" join-index 2
	[ "$(wc -l <searched)" = 3 ]
	# without what was added to the one that was replaced
	same_contents job/index.lhv before.lhv
	[ "$(ls job | tr '\n' ' ')" = "bin index index.lhv log part queries.jsonl settings vectors workers.jsonl " ]
}

@test "a shard that fails ends the job with 2, names its log, and is the only one that --resume runs" {
	a_job
	instead lh-embed "*'/2-of-4.jsonl '" 'echo no >&2; exit 2'
	run -2 env PATH="$PWD/job/bin:$PATH" "$RUN" job 4 --jobs 4
	[[ $output == *"index has failed"*"job/log/index"* ]]
	[ "$(cat job/log/index-2)" = no ]
	[ ! -e job/index.lhv ]
	run -2 "$SHARDED" "$PWD/job" join-index 4
	[[ $output == *"2-of-4.lhv"* ]]
	"$RUN" --resume job 4
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
}

@test "by the ssh of parallel, on other machines that see the same folders" {
	a_job
	# a machine: what ssh gives it is one line for its shell; without SHELL, which sshd
	# sets, parallel would run nothing, with exit 0
	printf '#!/bin/sh\nhost=$1; shift; [ "$1" != -- ] || shift; echo "$host" >>"%s/hosts"; exec env -i SHELL=/bin/sh HOME="%s" PATH="%s" sh -c "$*"\n' \
		"$PWD" "$PWD" "$PATH" >ssh
	chmod +x ssh
	PARALLEL_SSH=$PWD/ssh "$RUN" --check job 4 --sshlogin 2/one,2/two --workdir /
	[ "$(sort -u hosts | paste -sd ' ')" = "one two" ]
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
	shards 3
	rm hosts
	PARALLEL_SSH=$PWD/ssh PARALLEL="--sshlogin 2/one,2/two --workdir /" \
		"$SEARCH" --corpus whole "$PWD/job/queries.jsonl" "$PWD"/shard?.lhv |
		cmp - <(lh-search --exact whole.lhv <job/queries.jsonl)
	[ "$(sort -u hosts | paste -sd ' ')" = "one two" ]
}

@test "the answers of shards that parallel searches, merged, are those of one index" {
	a_job
	shards 8
	whole whole.lhv
	lh-search --exact -k 10 whole.lhv <job/queries.jsonl >expected
	"$SEARCH" -k 10 --corpus whole job/queries.jsonl shard?.lhv | cmp - expected
	parallel --keep-order "lh-search --exact -k 10 shard{}.lhv <job/queries.jsonl" ::: 0 1 2 3 4 5 6 7 |
		lh-merge -k 10 --corpus whole | cmp - expected
	# in any order of the shards
	"$SEARCH" -k 10 --corpus whole job/queries.jsonl shard3.lhv shard[0-24-7].lhv | cmp - expected
}

@test "a query that is asked twice is answered twice, also without a shard" {
	a_job
	mkdir tmp
	export TMPDIR=$PWD/tmp
	shards 3
	whole whole.lhv
	(head -n 3 job/queries.jsonl; head -n 2 job/queries.jsonl; echo '{"n":1}'; head -n 1 job/queries.jsonl) >twice
	run -1 lh-search -q --exact whole.lhv <twice
	run -1 --separate-stderr "$SEARCH" --corpus whole twice shard?.lhv
	cmp <(lh-search -q --exact whole.lhv <twice || true) - <<<"$output"
	[ "${#lines[@]}" = 6 ]
	rm shard1.lhv
	run -1 --separate-stderr "$SEARCH" --corpus whole twice shard0.lhv shard1.lhv shard2.lhv
	[ "$(jq .partial <<<"$output" | paste -sd' ')" = 'true true true true true true' ]
	[[ $stderr == *shard1.lhv* ]]
	rm shard?.lhv
	run -2 --separate-stderr "$SEARCH" --corpus whole twice shard0.lhv shard1.lhv
	[ -z "$output" ]
	[ -z "$(find tmp -name 'lh-search-parallel.*')" ]
}

@test "a shard that cannot be searched is named, and the exit status is 1" {
	a_job
	shards 4
	head -c 1000 shard2.lhv >torn
	mv torn shard2.lhv
	run -1 --separate-stderr "$SEARCH" job/queries.jsonl shard?.lhv
	[[ $stderr == *shard2.lhv* ]]
	[ "${#lines[@]}" = 20 ]
	[ "$output" = "$("$SEARCH" job/queries.jsonl shard[013].lhv | sed 's/}$/,"partial":true}/')" ]
}
