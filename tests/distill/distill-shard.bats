# A run that is divided among processes, and joined: the measure is the root of one
# that was not, byte for byte, found by diff. Only what the parts leave is left out:
# the folders named shards.
# bats file_tags=long
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

# bats test_tags=plain-only
@test "parts that are joined are the root of a run that was not divided, also of a second run over more rows" {
	lh-gen kb -n 3000 --root fresh --dirty
	for n in 1 2 3 8; do
		rm -rf r whole
		cp -r fresh r
		cp -r fresh whole
		distil whole one
		parts r one "$n"
		merge r one
		same r whole
		cmp merge.out whole.out
		cmp merge.err whole.err
		more r 400
		cp r/data/_kb/*.jsonl whole/data/_kb
		distil whole two
		parts r two "$n"
		merge r two
		same r whole
		jq -e '.stages[0].accepted > 300 and .stages[0].skipped > 0' merge.out
	done
	lh-distill health --all --root r >/dev/null
}

@test "the known root of 15 rows, in more parts than rows" {
	mkdir r whole
	cp -r "$ROOT"/share/fixtures/distillation/acceptance/data r
	cp -r r/data whole
	distil whole r
	parts r r 40
	merge r r
	same r whole
	jq -e '.stages[0].accepted == 14 and .stages[0].skipped == 1 and .preference_pairs == 1' merge.out
}

# rows_of ROOT N - "STREAM OFFSET PART" of each row of its sources, from the description: the key
# is the sig_hash of a row, as a second implementation makes it, or the line where it has none.
rows_of() {
	PYTHONPATH=$ROOT/tests/oracle python3 - "$1" >places 3>keys <<-'END'
		import os, sys
		import distill
		keys = os.fdopen(3, "wb")
		for stem in distill.TRANSFORMS:
		    for offset, line in distill.rows(open(f"{sys.argv[1]}/data/_kb/{stem}.jsonl", "rb").read()):
		        line = line[:-1] if line.endswith(b"\r") else line
		        sig = distill.materialize(stem, line, offset, "2026-05-03T12:00:00.000Z")[1]
		        keys.write((sig.encode() or line) + b"\n")
		        print(stem, offset)
	END
	python3 "$ROOT/tests/oracle/shard.py" --of "$2" <keys | paste -d ' ' places -
}

@test "every row is in one part, by its sig_hash, and a line without one by its bytes" {
	lh-gen kb -n 500 --root r --dirty
	for file in r/data/_kb/*.jsonl; do
		printf 'no JSON %s\r\n{"a":1,"a":%d}\n\n{"ts":1e400}\r\n  no JSON at the end\r\r' "${file##*/}" "$RANDOM" >>"$file"
	done
	sed -i '1s/^/\xef\xbb\xbfnone\r\n/' r/data/_kb/audits.jsonl
	parts r r 3
	rows_of r 3 >rows
	for i in 0 1 2; do
		# all that were read, also those that are there twice
		awk -v i=$i '$3 == i { n[$1]++ } END { for (s in n) print s, n[s] }' rows | sort >expected
		jq -r '.sources[] | select(.rows_read > 0) | "\(.stream) \(.rows_read)"' r/shards/r/$i-of-3/part.json | sort >got
		alike expected got
		# and those that have left a row
		{
			jq -r '.provenance | "\(.source_file) \(.line_offset)"' r/shards/r/$i-of-3/data/evidence/*/*/*/*.jsonl
			jq -r '"\(.source_file) \(.line_offset)"' r/shards/r/$i-of-3/data/_kb/distillation_skips.jsonl
		} | sed "s,data/_kb/\(.*\)\.jsonl \(.*\),\1 \2 $i," | sort >left
		[ "$(wc -l <left)" -ge 100 ]
		[ -z "$(comm -23 left <(sort rows))" ]
	done
	distil r whole
	cat r/shards/r/?-of-3/data/evidence/*/*/*/*.jsonl | jq -r .provenance.sig_hash | sort >sigs
	alike sigs <(jq -r .provenance.sig_hash r/data/evidence/*/*/*/*.jsonl | sort) >/dev/null
}

@test "evidence of an earlier command that has no scores yet is scored first, as by a run" {
	lh-gen kb -n 600 --root r
	for file in r/data/_kb/*.jsonl; do
		head -n 10 "$file" >half && mv half "$file"
	done
	lh-materialize --root r --run-id early --now "$NOW" >/dev/null 2>&1
	more r 300
	cp -r r whole
	distil whole r
	parts r r 3
	merge r r
	same r whole
}

@test "parts made with an own time, and joined without it, have the time of the first" {
	lh-gen kb -n 200 --root r
	unset LH_NOW
	lh-distill run --root r --run-id r --shard 1/2 >/dev/null
	lh-distill run --root r --run-id r --shard 0/2 >/dev/null
	lh-distill merge --root r --run-id r >out
	[ "$(jq -r .provenance.recorded_at r/data/evidence/*/*/*/*.jsonl | sort -u)" = "$(jq -r .recorded_at r/shards/r/1-of-2/part.json)" ]
	[ "$(jq -r .recorded_at r/shards/r/0-of-2/part.json)" = "$(jq -r .started_at out)" ]
	lh-distill trace --root r < <(head -n 1 r/exports/rag/playbooks.jsonl) | jq -e '.run == "r"'
}

@test "parts of lh-materialize are joined to what it makes alone" {
	lh-gen kb -n 1000 --root r --dirty
	cp -r r whole
	for more in "" "--sources audits,outcomes" "--dedup day"; do
		run="m${more//[^a-z]/}"
		# shellcheck disable=SC2086
		lh-materialize --root whole --run-id "$run" --now "$NOW" $more >whole.out 2>/dev/null || [ $? = 1 ]
		for i in 0 1 2; do
			# shellcheck disable=SC2086
			lh-materialize --root r --run-id "$run" --now "$NOW" --shard $i/3 $more >/dev/null 2>&1 || [ $? = 1 ]
		done
		merge r "$run"
		same_sources r whole
		cmp merge.out whole.out
	done
	parts r mmm 2
	rm -r r/shards/mmm/0-of-2
	lh-materialize --root r --run-id mmm --now "$NOW" --shard 0/2 >/dev/null 2>&1 || [ $? = 1 ]
	run -2 lh-distill merge --root r --run-id mmm --now "$NOW"
	[[ $output == *"1-of-2: of another job than the first part"* ]]
}

same_sources() {
	[ "$(find "$2/data/evidence" -type f | wc -l)" = 12 ]
	diff -r -x shards "$1" "$2"
}

@test "lh-materialize --dry-run counts the rows of a shard, and a filter knows no shards" {
	lh-gen kb -n 300 --root r
	cp -r r before
	for i in 0 1; do
		lh-materialize --root r --dry-run --shard $i/2
	done | jq -s -e 'map(.rows_written) | add == 300'
	untouched r before
	run -2 lh-materialize --source audits --shard 0/2 </dev/null
	[[ $output == *"--shard"* ]]
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

@test "a task of a job array of Slurm knows its shard" {
	lh-gen kb -n 50 --root r
	export SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=1 SLURM_ARRAY_TASK_COUNT=2
	for SLURM_ARRAY_TASK_ID in 0 1; do
		export SLURM_ARRAY_TASK_ID
		lh-distill run --root r --run-id r --now "$NOW" >/dev/null 2>&1
	done
	unset "${!SLURM_@}"
	merge r r
	jq -e '.stages[0].accepted == 50' merge.out
}

@test "a part that is missing, incomplete, twice, of another run or another N is named, and the root stays as it was" {
	lh-gen kb -n 200 --root fresh
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
	lh-gen kb -n 200 --root fresh
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
	rebuild
	for i in 0 1; do
		edited r/shards/r/$i-of-2/part.json '"2026-05-03T12:00:00.000Z"' '"2026-05-02T12:00:00.000Z"'
	done
	run -2 lh-distill merge --root r --run-id r
	[[ $output == *"distilled_facts: the parts have 0 rows of evidence, not "* ]]
	[ ! -e r/data/evidence ]
	for stage in collect score; do
		rebuild
		sed -i 's/true/false/' r/shards/r/1-of-2/reports/distillation/r/$stage.json
		refused r "1-of-2: reports/distillation/r/$stage.json was changed, or is torn"
		rm r/shards/r/1-of-2/reports/distillation/r/$stage.json
		refused r "1-of-2: reports/distillation/r/$stage.json is missing"
	done
}

@test "a source that has changed since a part has read it is named, and the root stays as it was" {
	lh-gen kb -n 200 --root fresh
	parts fresh r 2
	rebuild() { rm -rf r && cp -r fresh r; }
	rebuild
	head -n 1 r/data/_kb/audits.jsonl >>r/data/_kb/audits.jsonl
	refused r "0-of-2: data/_kb/audits.jsonl has changed"
	part r r 0/2
	refused r "1-of-2: data/_kb/audits.jsonl has changed"
	part r r 1/2
	merge r r
	rebuild
	rm r/data/_kb/outcomes.jsonl
	refused r "0-of-2: data/_kb/outcomes.jsonl has changed"
}

@test "a part that is made again is made anew, and a second merge adds nothing" {
	lh-gen kb -n 400 --root r
	cp -r r whole
	distil whole r
	parts r r 3
	cp -r r/shards/r/1-of-3 first
	echo '{}' >r/shards/r/1-of-3/data/evidence/2026/05/03/other.jsonl
	part r r 1/3
	diff -r first r/shards/r/1-of-3
	merge r r
	same r whole
	distil whole r
	merge r r
	same r whole
}

@test "two tasks of one shard at once, and a merge at the same time, do not mix" {
	lh-gen kb -n 2000 --root r
	cp -r r whole
	distil whole r
	part r r 1/2
	for i in 1 2 3; do
		lh-distill run --root r --run-id r --shard 0/2 --now "$NOW" >"out$i" 2>&1 &
		pids[i]=$!
	done
	until_so [ -e r/shards/r/0-of-2/part.json ]
	merge r r &
	merging=$!
	for pid in "${pids[@]}" $merging; do
		wait "$pid"
	done
	same r whole
	no_litter r
}

@test "a part that is being made keeps a merge waiting, as another run does" {
	lh-gen kb -n 100 --root r
	parts r r 2
	cp -r r before
	exec 8>r/shards/r/1-of-2/.lh-lock
	flock 8
	run -2 lh-distill merge --root r --run-id r --now "$NOW" --lock-timeout 0
	[[ $output == *1-of-2* ]]
	run -2 lh-distill run --root r --run-id r --now "$NOW" --shard 1/2 --lock-timeout 0
	exec 8>&-
	exec 8>r/.lh-lock
	flock 8
	run -2 lh-distill merge --root r --run-id r --now "$NOW" --lock-timeout 0
	part r r 0/2	# it writes nothing that the lock guards
	exec 8>&-
	rm -f r/.lh-lock r/shards/r/1-of-2/.lh-lock
	untouched r before
}

@test "the tools that read a root find the run in it as in one that was not divided" {
	lh-gen kb -n 500 --root r
	cp -r r whole
	distil whole r
	parts r r 4
	merge r r
	for root in r whole; do
		lh-distill receipts --root $root >$root.receipts
		lh-distill health --all --root $root >$root.health
		head -n 1 $root/exports/sft/*.jsonl | lh-distill trace --root $root >$root.trace
	done
	for what in receipts health trace; do
		cmp r.$what whole.$what
	done
	mkdir a b
	cp -a r a/root
	cp -a whole b/root
	sig=$(jq -r .provenance.sig_hash r/data/evidence/*/*/*/audits.jsonl | sed -n 1p)
	for at in a b; do
		(
			cd $at
			lh-trace --root root --no-index --json r "$sig" >trace
			lh-audit-full --observer --root root --now "$NOW" --out report.md --bundle bundle.tar.zst >audit
			lh-audit-full bundle verify bundle.tar.zst >verify
		)
	done
	for what in trace report.md audit verify bundle.tar.zst; do
		cmp a/$what b/$what
	done
	for i in 0 1 2 3; do
		for stage in collect score; do
			lh-validate --schema stage_receipt r/reports/distillation/r/shards/$i-of-4/$stage.json >/dev/null
			cmp r/reports/distillation/r/shards/$i-of-4/$stage.json r/shards/r/$i-of-4/reports/distillation/r/$stage.json
		done
	done
	# a part is a root too
	lh-distill receipts --root r/shards/r/2-of-4 | jq -s -e 'map(.stage) == ["collect", "score"]'
}

# at_each CALL... -- COMMAND... - the command once for each third of these calls that
# it makes, with $INJECT at it; the function before_fault before, after_fault after.
at_each() {
	local calls=() call n rc done=0
	while [ "$1" != -- ]; do
		calls+=("$1")
		shift
	done
	shift
	for call in "${calls[@]}"; do
		for ((n = 1; n <= 400; n += $(scale 7 1))); do
			before_fault
			rc=0
			inject "$call:$INJECT:when=$n" "$@" >out 2>err || rc=$?
			injected || break
			[ "$rc" != 127 ] || continue	# the loader
			echo "$call $n: exit $rc, $(cat err)"
			after_fault "$rc"
			done=$((done + 1))
		done
		[ "$n" -le 400 ]
	done
	echo "$done faults"
	[ "$done" -ge 10 ]
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

@test "a task that is killed at any write, fsync, rename or mkdir and sent again ends with the same part" {
	needs_strace
	few
	cp -r fresh good
	parts good r 2
	before_fault() {
		rm -rf r
		cp -r fresh r
		part r r 1/2
		part r r 0/2
	}
	after_fault() {
		diff -r -x shards r fresh
		[ ! -e r/shards/r/0-of-2/part.json ] || diff -r -x .lh-lock r/shards/r/0-of-2 good/shards/r/0-of-2
		part r r 0/2
		diff -r r good
		no_litter r
	}
	INJECT=signal=KILL at_each write rename fsync mkdir -- lh-distill run -j1 --root r --now "$NOW" --run-id r --shard 0/2
}

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
	INJECT=signal=KILL at_each write rename fsync mkdir -- lh-distill merge -j1 --root r --now "$NOW" --run-id r
}

@test "a full disk and an I/O error in a part or a merge are exit 2, and the next makes it good" {
	needs_strace
	few
	before_fault() {
		rm -rf r
		cp -r fresh r
	}
	after_fault() {
		if grep -q 'write(2,.*INJECTED' trace; then return; fi	# no message left to print
		[ "$1" = 2 ] || { echo "exit $1"; return 1; }
		[ "$(grep -vc 'has not passed\|suppressed' err)" = 1 ] || { cat err; return 1; }
		no_litter r
		parts r r 2
		merge r r
		same_data r whole
	}
	INJECT=error=ENOSPC at_each write mkdir -- lh-distill run -j1 --root r --now "$NOW" --run-id r --shard 0/2
	parts fresh r 2
	INJECT=error=ENOSPC at_each write mkdir -- lh-distill merge -j1 --root r --now "$NOW" --run-id r
	INJECT=error=EIO at_each fsync rename -- lh-distill merge -j1 --root r --now "$NOW" --run-id r
}

@test "a part or a merge that finds no memory, at any allocation, is exit 2 and the next makes it good" {
	asan_only
	few
	cp -r fresh r
	for ((n = 1; n <= 4000; n += $(scale 37 3))); do
		rc=0
		LH_FAULT_ALLOC=$n lh-distill run -j1 --root r --run-id r --now "$NOW" --shard 0/2 >out 2>err || rc=$?
		[ "$rc" -le 2 ] || { echo "$n: exit $rc"; cat err; return 1; }
		[ "$rc" = 2 ] || break
	done
	parts r r 2
	for ((n = 1; n <= 4000; n += $(scale 37 3))); do
		rc=0
		LH_FAULT_ALLOC=$n lh-distill merge -j1 --root r --run-id r --now "$NOW" >out 2>err || rc=$?
		[ "$rc" -le 2 ] || { echo "$n: exit $rc"; cat err; return 1; }
		[ "$rc" = 2 ] || break
	done
	merge r r
	same_data r whole
}
