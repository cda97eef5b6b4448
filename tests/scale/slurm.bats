# share/examples/slurm, and --shard in job arrays, on a Slurm of one node.
# Plain only: scripts of share/, over commands that other files test.
# bats file_tags=full,plain-only,long
load ../helper
load ../slurm
load ../sharded

setup_file() {
	slurm_start
}

setup() {
	slurm_needed
	cd "$BATS_TEST_TMPDIR" || return 1
	SUBMIT=$ROOT/share/examples/slurm/lh-sharded-slurm
	TASK=$ROOT/share/examples/slurm/task.sbatch
}

teardown() {
	slurm_clear
}

teardown_file() {
	slurm_stop
}

# array NUMBERS COMMAND - run it as the tasks of a job array; out.I has what task I prints.
array() {
	sbatch --parsable --array="$1" --output=out.%a --wrap "$2"
}

@test "eight shards by job arrays: contents and answers are those of one job" {
	a_job
	"$SUBMIT" --check --wait job 8 >jobs || { tail -n 5 job/log/*; return 1; }
	cat job/log/check
	[ "$(grep -c ': equal$' job/log/check)" = 2 ]
	[ "$(awk '{ print $1 }' jobs | paste -sd ' ')" = "index join-index check" ]
	[ "$(find job/log -name 'index-[0-7]' | wc -l)" = 8 ]
	# the script's own comparison is not all: each of the eight had a part of the records
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
	for i in 0 1 2 3 4 5 6 7; do
		size=$(lh-index info "job/index/$i-of-8.lhv" | jq .length)
		[ "$size" -gt 0 ]
		[ "$size" -lt 400 ]
	done
}

@test "without --check nothing is compared, and no job for it is submitted" {
	a_job
	"$SUBMIT" --wait job 2 >jobs
	[ "$(awk '{ print $1 }' jobs | paste -sd ' ')" = "index join-index" ]
	[ ! -e job/check ]
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
}

@test "the folder of the job may have a space in its name" {
	a_job
	mv job 'a job'
	sed -i "s,=\(.*\)/job/,='\1/a job'/," 'a job/settings'
	"$SUBMIT" --wait 'a job' 2
	[ -e 'a job/log/index-1' ]
	lh-embed 'a job/workers.jsonl' | lh-index build whole.lhv
	same_contents 'a job/index.lhv' whole.lhv
}

@test "the check finds an index that lost a record" {
	a_job
	"$SUBMIT" --check --wait job 2
	lh-index delete --id w-7 job/index.lhv
	rm -r job/check/index.lhv
	run -1 "$SHARDED" job check 2
	[[ $output == *"contents: not equal"* ]]
}

# bats test_tags=full
@test "a task that is requeued while it reads ends with the same index" {
	a_job
	held lh-embed 3/8 "$PWD/job/workers.jsonl"
	export PATH=$PWD/job/bin:$PATH
	exec 7<>job/pipe
	"$SUBMIT" job 8 >jobs
	id=$(awk '$1 == "index" { print $2 }' jobs)
	until_so [ -d job/held ]
	first 700 <job/workers.jsonl >&7
	drained 7
	scontrol requeue "${id}_3"
	scontrol --oneliner show job "${id}_3" | has 'Restarts=1 '
	slurm_wait "$(awk '$1 == "join-index" { print $2 }' jobs)"
	has 'DUE TO JOB REQUEUE' <job/log/index-3
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
	[ -z "$(find job/vectors -name '*.jsonl.*')" ]
}

@test "a single task is sent again, and its shard is the one that its number says" {
	a_job
	"$SUBMIT" --wait job 8
	cp job/index/3-of-8.lhv first.lhv
	rm job/index/3-of-8.lhv job/index.lhv
	id=$(sbatch --parsable --array=3 --output=again-%a "$TASK" "$SHARDED" "$PWD/job" index 8)
	slurm_wait "$id"
	same_contents first.lhv job/index/3-of-8.lhv	# but for the time it was made
	"$SHARDED" "$PWD/job" join-index 8
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
}

# bats test_tags=full
@test "two tasks at the same time on one shard give what one gives" {
	a_job
	cp -R job twice
	sed -i 's,/job/,/twice/,' twice/settings
	"$SUBMIT" --wait job 2
	ids=()
	for numbers in 0-1 1 1; do
		ids+=("$(sbatch --parsable --array=$numbers "$TASK" "$SHARDED" "$PWD/twice" index 2)")
	done
	for id in "${ids[@]}"; do
		slurm_wait "$id" || { cat slurm-*.out; false; }
	done
	slurm_wait "$(sbatch --parsable "$TASK" "$SHARDED" "$PWD/twice" join-index 2)"
	same_contents twice/index.lhv job/index.lhv
	no_litter twice
}

@test "a shard that fails cancels what needs it, and the merge names one that is missing" {
	a_job
	instead lh-embed "*' --shard 2/4 '*" 'echo no >&2; exit 2'
	run ! env PATH="$PWD/job/bin:$PATH" "$SUBMIT" --wait job 4
	[[ $output == *"lh-sharded-slurm: index task 2: FAILED"* ]] || { echo "$output"; return 1; }
	until_so slurm_idle
	[ "$(cat job/log/index-2)" = no ]
	[ ! -e job/index.lhv ]
	[ ! -e job/log/join-index ]
	run -2 "$SHARDED" "$PWD/job" join-index 4
	[[ $output == *"2-of-4.lhv"* ]]
	[ ! -e job/index.lhv ]
	# sent again alone, then all is as it would have been
	slurm_wait "$(sbatch --parsable --array=2 "$TASK" "$SHARDED" "$PWD/job" index 4)"
	"$SHARDED" "$PWD/job" join-index 4
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
}

@test "in an array from 0, the task's number is the shard" {
	lh-gen workers -n 400 >workers.jsonl
	slurm_wait "$(array 0-7 'lh-embed --quiet workers.jsonl >part.$SLURM_ARRAY_TASK_ID')"
	for i in 0 1 2 3 4 5 6 7; do
		lh-embed --shard "$i/8" workers.jsonl | cmp - "part.$i"
	done
	cat part.? | sort | cmp - <(lh-embed workers.jsonl | sort)
}

@test "in an array from 1, with a step, or of one task sent again, --shard is asked for" {
	lh-gen workers -n 20 >workers.jsonl
	for numbers in 1-8 0-6:2 3; do
		until_so slurm_ended "$(array "$numbers" 'lh-embed workers.jsonl')"
	done
	for i in 1 2 3 4 5 6 7 8 0; do
		grep "SLURM_ARRAY_TASK_ID is $i of an array of" "out.$i" || { cat "out.$i"; false; }
		grep 'give --shard I/N' "out.$i"
	done
	# and where it is given, these arrays are as good
	slurm_wait "$(array 1-8 'lh-embed --shard $((SLURM_ARRAY_TASK_ID - 1))/8 workers.jsonl >part.$SLURM_ARRAY_TASK_ID')"
	cat part.? | sort | cmp - <(lh-embed workers.jsonl | sort)
}

# bats test_tags=full
@test "a task that is requeued still has its shard by Slurm's numbers" {
	lh-gen workers -n 400 >workers.jsonl
	mkfifo pipe
	exec 7<>pipe
	id=$(array 0-3 'if [ $SLURM_ARRAY_TASK_ID = 2 ] && mkdir held; then lh-embed pipe >part.2; else lh-embed workers.jsonl >part.$SLURM_ARRAY_TASK_ID; fi')
	until_so [ -d held ]
	first 100 <workers.jsonl >&7
	drained 7
	scontrol requeue "${id}_2"
	slurm_wait "$id"
	cat part.? | sort | cmp - <(lh-embed workers.jsonl | sort)
}

@test "two of these Slurms run at the same time" {
	SLURM_OTHER=$SLURM_CONF
	(
		BATS_FILE_TMPDIR=$PWD
		slurm_start
		slurm_wait "$(array 0-1 'echo "$SLURM_CONF"')"
		[ "$(cat out.1)" = "$PWD/slurm/slurm.conf" ]
		slurm_stop
	)
	slurm_wait "$(array 0-1 'echo "$SLURM_CONF"')"
	[ "$(cat out.1)" = "$SLURM_OTHER" ]
}
