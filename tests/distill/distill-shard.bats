# A run that is divided among processes, and joined: the measure is the root of one
# that was not, byte for byte, found by diff. Only what the parts leave is left out:
# the folders named shards.
load ../helper

NOW=2026-05-03T12:00:00.000Z

# distil ROOT RUN [OPTION]... - a whole run; its skips make it exit 1.
distil() {
	local root=$1 run=$2 rc=0
	shift 2
	lh-distill run --root "$root" --run-id "$run" --now "$NOW" "$@" >whole.out 2>whole.err || rc=$?
	[ "$rc" -le 1 ] || { cat whole.err; return 1; }
}

# part ROOT RUN I/N [OPTION]...
part() {
	local root=$1 run=$2 shard=$3 rc=0
	shift 3
	lh-distill run --root "$root" --run-id "$run" --shard "$shard" --now "$NOW" "$@" >part.out 2>part.err || rc=$?
	[ "$rc" -le 1 ] || { cat part.err; return 1; }
}

# parts ROOT RUN N [OPTION]... - all of them, the last first.
parts() {
	local i
	for ((i = $3 - 1; i >= 0; i--)); do
		part "$1" "$2" "$i/$3" "${@:4}"
	done
}

# merge ROOT RUN [OPTION]... - and that it went as the last whole run did.
merge() {
	local rc=0
	lh-distill merge --root "$1" --run-id "$2" --now "$NOW" "${@:3}" >merge.out 2>merge.err || rc=$?
	[ "$rc" -le 1 ] || { cat merge.err; return 1; }
}

# same ROOT WHOLE - all files, and at least those of a run.
same() {
	[ "$(find "$2/data" "$2/exports" "$2/reports" -type f | wc -l)" -ge 10 ]
	diff -r -x shards "$1" "$2"
}

# untouched ROOT BEFORE
untouched() {
	diff -r "$1" "$2"
	no_litter "$1"
}

# refused ROOT WORD... - a merge of the run r is exit 2 and one line with these words.
refused() {
	local root=$1 word
	rm -rf before
	cp -a "$root" before
	run -2 --separate-stderr lh-distill merge --root "$root" --run-id r --now "$NOW"
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	for word in "${@:2}"; do
		[[ $stderr == *"$word"* ]] || { echo "$stderr"; return 1; }
	done
	untouched "$root" before
}

# edited FILE FROM TO - a part.json with that done to it, and the hash it then has.
edited() {
	python3 - "$@" <<-'END'
		import hashlib, sys
		path, old, new = sys.argv[1:]
		text = open(path).read()
		assert old in text
		text = text[:text.rindex(',"hash":"')].replace(old, new)
		open(path, "w").write(f'{text},"hash":"{hashlib.sha256(text.encode()).hexdigest()}"}}\n')
	END
}

# more ROOT N - rows that come later, some of them known, and some that are none.
more() {
	local file
	lh-gen kb -n "$2" --seed 7 --root later
	for file in later/data/_kb/*.jsonl; do
		{
			head -n 20 "$1/data/_kb/${file##*/}"
			cat "$file"
			echo 'no JSON'
			printf '{"a":1,"a":2}\n\n{"ts":1e400}\n'
		} >add
		cat add >>"$1/data/_kb/${file##*/}"
	done
	rm -r later
}

# bats test_tags=full,plain-only
@test "parts that are joined are the root of a run that was not divided, also of a second run over more rows" {
	lh-gen kb -n 400 --root fresh --dirty
	for n in 3; do
		rm -rf r whole
		cp -r fresh r
		cp -r fresh whole
		distil whole one
		parts r one "$n"
		merge r one
		same r whole
		cmp merge.out whole.out
		cmp merge.err whole.err
		more r 100
		cp r/data/_kb/*.jsonl whole/data/_kb
		distil whole two
		parts r two "$n"
		merge r two
		same r whole
		jq -e '.stages[0].accepted > 80 and .stages[0].skipped > 0' merge.out
	done
	lh-distill health --all --root r >/dev/null
}

@test "what is asked for wrongly is exit 2, and nothing was written" {
	lh-gen kb -n 50 --root r
	cp -r r before
	run -2 lh-distill run --root r --shard 0/2
	[[ $output == *"--shard needs --run-id"* ]]
	run -2 lh-distill run --root r --run-id r --shard 2/2
	run -2 lh-distill run --root r --run-id ../r --shard 0/2
	run -2 lh-distill merge --root r
	[[ $output == *"merge needs --run-id"* ]]
	run -2 lh-distill merge --root r --run-id r --shard 0/2
	run -2 lh-distill merge --root r --run-id none
	[[ $output == *"shards/none"* ]]
	untouched r before
}

@test "a part that is missing, incomplete, twice, of another run or another N is named, and the root stays as it was" {
	lh-gen kb -n 60 --root fresh
	parts fresh r 3
	rebuild() { rm -rf r && cp -r fresh r; }
	rebuild
	rm -r r/shards/r/1-of-3
	refused r "1-of-3 is missing"
	rm -r r/shards/r/*-of-3
	refused r "there are no parts"
	rebuild
	rm r/shards/r/2-of-3/part.json
	refused r "2-of-3: is not complete"
	rebuild
	rm -r r/shards/r/2-of-3
	cp -r r/shards/r/0-of-3 r/shards/r/2-of-3
	refused r "2-of-3: is 0-of-3, a second time"
	rebuild
	cp -r r/shards/r/0-of-3 r/shards/r/00-of-3
	refused r "00-of-3: is not named as a part is"
	rebuild
	part r r 0/2
	refused r "another N" "0-of-2" "0-of-3"
	rebuild
	part r other 1/3
	rm -r r/shards/r/1-of-3
	cp -r r/shards/other/1-of-3 r/shards/r/1-of-3
	refused r "1-of-3: a part of another run, other"
	rebuild
	lh-distill run --root r --run-id r --shard 1/3 --now 2026-05-04T00:00:00Z >/dev/null
	refused r "1-of-3: recorded at 2026-05-04"
}

@test "a part that was edited or torn is named, and the root stays as it was" {
	lh-gen kb -n 60 --root fresh
	parts fresh r 2
	rebuild() { rm -rf r && cp -r fresh r; }
	rebuild
	sed -i 's/"rows_skipped":0/"rows_skipped":1/' r/shards/r/1-of-2/part.json
	refused r "1-of-2/part.json: is torn, or was edited"
	rebuild
	truncate -s -10 r/shards/r/1-of-2/part.json
	refused r "1-of-2/part.json: is torn, or was edited"
	rebuild
	: >r/shards/r/0-of-2/part.json
	refused r "0-of-2/part.json: is torn, or was edited"
	rebuild
	rm r/shards/r/0-of-2/part.json
	mkdir r/shards/r/0-of-2/part.json
	refused r "0-of-2/part.json"
	for file in evidence scored-runs; do
		rebuild
		sed -i '1s/"/ "/' r/shards/r/1-of-2/data/$file/2026/05/03/audits.jsonl
		refused r "1-of-2: data/$file/2026/05/03/audits.jsonl was changed, or is torn"
		rm r/shards/r/1-of-2/data/$file/2026/05/03/audits.jsonl
		refused r "1-of-2: 1 of its" "are missing"
		cp r/shards/r/0-of-2/data/$file/2026/05/03/audits.jsonl r/shards/r/1-of-2/data/$file/2026/05/03/audits.jsonl
		refused r "1-of-2: data/$file/2026/05/03/audits.jsonl was changed, or is torn"
		rebuild
		echo '{}' >r/shards/r/1-of-2/data/$file/2026/05/03/more.jsonl
		refused r "1-of-2: data/$file/2026/05/03/more.jsonl is not of the part"
	done
	rebuild
	for i in 0 1; do
		edited r/shards/r/$i-of-2/part.json '"2026-05-03T12:00:00.000Z"' '"..///../..T12:00:00.000Z"'
	done
	refused r "0-of-2: recorded at ..///../..T12:00:00.000Z"
}

few() {
	lh-gen kb -n 60 --root fresh --dirty
	cp -r fresh whole
	distil whole r
}

same_data() {
	diff -r "$1/data" "$2/data"
	diff -r "$1/exports" "$2/exports"
}

# bats test_tags=full
@test "a merge that is killed at any write, fsync, rename or mkdir is completed by the next" {
	needs_strace
	few
	parts fresh r 2
	before_fault() {
		rm -rf r
		cp -r fresh r
	}
	after_fault() {
		merge r r
		same_data r whole
		[ "$(jq -r .run_hash r/reports/distillation/r/summary.json)" = "$(jq -r .run_hash whole/reports/distillation/r/summary.json)" ]
		no_litter r
	}
	STEP=60 CALLS="write rename fsync mkdir" INJECT=signal=KILL at_each lh-distill merge -j1 --root r --now "$NOW" --run-id r
}
