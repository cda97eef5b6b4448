# share/examples/slurm, on a Slurm of one node.
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

@test "eight shards by job arrays: contents and answers are those of one job, in a folder with a space" {
	a_job
	mv job 'a job'
	ln -s 'a job' job
	sed -i "s,=\(.*\)/job/,='\1/a job'/," job/settings
	"$SUBMIT" --check --wait 'a job' 8 >jobs || { tail -n 5 job/log/*; return 1; }
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
	held lh-embed "$PWD/job/part/3-of-8.jsonl"
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

# bats test_tags=full
@test "two tasks at the same time on one shard give what one gives" {
	a_job
	cp -R job twice
	sed -i 's,/job/,/twice/,' twice/settings
	"$SUBMIT" --wait job 2
	ids=()
	for numbers in 0-1 1 1; do
		ids+=("$(sbatch --parsable --array=$numbers "$SHARDED" "$PWD/twice" index 2)")
	done
	for id in "${ids[@]}"; do
		slurm_wait "$id" || { cat slurm-*.out; false; }
	done
	slurm_wait "$(sbatch --parsable "$SHARDED" "$PWD/twice" join-index 2)"
	same_contents twice/index.lhv job/index.lhv
	no_litter twice
}

@test "a shard that fails cancels what needs it, and the merge names one that is missing" {
	a_job
	instead lh-embed "*'/2-of-4.jsonl '" 'echo no >&2; exit 2'
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
	slurm_wait "$(sbatch --parsable --array=2 "$SHARDED" "$PWD/job" index 4)"
	"$SHARDED" "$PWD/job" join-index 4
	whole whole.lhv
	same_contents job/index.lhv whole.lhv
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
