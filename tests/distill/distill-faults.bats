# What a distillation run survives: kills, full disks, I/O errors, company. The
# measure is always the data of one whole run: evidence, scored runs, samples,
# quarantine and skips, byte for byte, since all runs have one recorded_at.
# bats file_tags=faults,long
load ../helper

NOW=2026-05-03T12:00:00.000Z

# sources ROOT - rows of three streams: every category, two pairs, skips, a
# blank line, a repeat, and no LF at the end.
sources() {
	mkdir -p "$1/data/_kb"
	cat >"$1/data/_kb/scrum_reviews.jsonl" <<-'END'
		{"file":"src/a.rs","reviewed_at":"2026-05-01T10:00:00Z","text":"Fine.","accepted_on_attempt":1}
		{"file":"src/b.rs","reviewed_at":"2026-05-01T11:00:00Z","text":"Nearly.","accepted_on_attempt":3}

		{"file":"src/c.rs","text":"When was that?"}
		{"file":"src/a.rs","reviewed_at":"2026-05-01T10:00:00Z","text":"Fine.","accepted_on_attempt":1}
		no JSON
	END
	printf '%s\n' '{"file":"src/a.rs","ts":"2026-05-01T10:00:00Z","verdict":"accept","notes":["Good.","Ship it."]}' \
		'{"file":"src/a.rs","ts":"2026-05-01T11:00:00Z","verdict":"reject","review":"No."}' \
		'{"file":"src/b.rs","ts":"2026-05-01T12:00:00Z","verdict":"accept","review":"Yes."}' \
		'{"file":"src/b.rs","ts":"2026-05-01T13:00:00Z","verdict":"cycle","review":"Again."}' >"$1/data/_kb/observer_reviews.jsonl"
	printf '%s' '{"finding_id":"F1","phase":1,"ts":"2026-05-01T10:00:00Z","evidence":"A leak.","severity":"critical"}' >"$1/data/_kb/audits.jsonl"
}

# more ROOT - rows that come later.
more() {
	printf '\n%s\n' '{"finding_id":"F2","phase":2,"ts":"2026-05-02T10:00:00Z","evidence":"None.","severity":"info"}' >>"$1/data/_kb/audits.jsonl"
	echo '{"file":"src/b.rs","ts":"2026-05-02T11:00:00Z","verdict":"reject","review":"Worse."}' >>"$1/data/_kb/observer_reviews.jsonl"
}

# distil ROOT [OPTION]... - a whole run; its skips make it exit 1.
distil() {
	local root=$1 rc=0
	shift
	lh-distill run -j1 --root "$root" --now "$NOW" --run-id r "$@" >/dev/null 2>distil.err || rc=$?
	[ "$rc" = 1 ] || { cat distil.err; return 1; }
}

# same_data ROOT WHOLE
same_data() {
	diff -r "$1/data" "$2/data"
	diff -r "$1/exports" "$2/exports"
}

# whole lines only, each an object: what a reader may see at any time
whole_lines() {
	local files file
	mapfile -t files < <(find "$1"/data/evidence "$1"/data/scored-runs "$1"/exports -name '*.jsonl' 2>/dev/null)
	[ ${#files[@]} -gt 0 ] || return 0
	for file in "${files[@]}"; do
		[ -z "$(tail -c 1 "$file")" ] || { echo "$file ends in the middle of a line"; return 1; }
	done
	jq -es 'all(type == "object")' "${files[@]}" >/dev/null || { echo "a line is not an object"; return 1; }
}

@test "a second run writes nothing, a third with more rows adds only theirs" {
	sources r
	distil r
	cp -a r before
	find r -depth -exec touch -d '1 hour ago' {} +
	touch -d '1 minute ago' mark
	distil r
	same_data r before
	[ -z "$(find r/data r/exports -newer mark)" ] || { find r/data r/exports -newer mark; return 1; }
	more r
	distil r
	(cd before && find data/evidence data/scored-runs exports data/_kb/distillation_skips.jsonl -type f) >files
	[ -s files ]
	while read -r file; do
		head -c "$(stat -c %s "before/$file")" "r/$file" | cmp - "before/$file"
	done <files
	[ "$(cat r/data/evidence/*/*/*/*.jsonl | wc -l)" = $(($(cat before/data/evidence/*/*/*/*.jsonl | wc -l) + 2)) ]
	[ "$(wc -l <r/data/_kb/distillation_skips.jsonl)" = 2 ]
}

@test "killed at any write, fsync, rename or mkdir and run again, the data is that of one whole run" {
	needs_strace
	sources fresh
	cp -r fresh whole
	distil whole
	before_fault() {
		rm -rf r
		cp -r fresh r
	}
	after_fault() {
		whole_lines r
		distil r
		same_data r whole
		no_litter r
		lh-distill health --all --root r >/dev/null
	}
	STEP=25 CALLS="write rename fsync mkdir" INJECT=signal=KILL at_each lh-distill run -j1 --root r --now "$NOW" --run-id r
}

@test "killed in a tool of one stage and run again, the data is that of one whole run" {
	needs_strace
	sources fresh
	cp -r fresh whole
	distil whole
	before_fault() {
		rm -rf r
		cp -r fresh r
	}
	after_fault() {
		distil r
		same_data r whole
		no_litter r
	}
	STEP=25 CALLS="write rename" INJECT=signal=KILL at_each lh-materialize --root r --now "$NOW" --run-id r
	lh-materialize --root fresh --now "$NOW" --run-id r >/dev/null 2>&1 || [ $? = 1 ]
	lh-score --root fresh --now "$NOW" --run-id r >/dev/null 2>&1
	STEP=25 CALLS="write rename fsync mkdir" INJECT=signal=KILL at_each lh-export sft --root r --now "$NOW" --run-id r
}

@test "a full disk and an I/O error at any call are exit 2 with one message, and the next run makes it good" {
	needs_strace
	sources fresh
	cp -r fresh whole
	distil whole
	before_fault() {
		rm -rf r
		cp -r fresh r
	}
	after_fault() {
		if grep -q 'write(2,.*INJECTED' trace; then return; fi	# no message left to print
		[ "$3" = 2 ] || { echo "exit $3"; return 1; }
		[ "$(grep -vc 'has not passed\|suppressed' err)" = 1 ] || { cat err; return 1; }
		whole_lines r
		no_litter r
		distil r
		same_data r whole
	}
	STEP=25 CALLS="write mkdir" INJECT=error=ENOSPC at_each lh-distill run -j1 --root r --now "$NOW" --run-id r
	STEP=25 CALLS="fsync rename" INJECT=error=EIO at_each lh-distill run -j1 --root r --now "$NOW" --run-id r
}

@test "runs of all tools at once, some of them killed, do not mix" {
	lh-gen kb -n "$(scale 2000 20000)" --root fresh --dirty
	cp -r fresh whole
	cp -r fresh r
	distil whole
	pids=()
	for i in 1 2 3; do
		for tool in "lh-distill run -j2" "lh-materialize -j2" "lh-score -j1" "lh-export rag" "lh-export sft" "lh-export preference"; do
			# a summary tells of the receipts of its own run
			id=r$i
			[[ $tool != lh-distill* ]] || id=d$i
			$tool --root r --now "$NOW" --run-id "$id" >/dev/null 2>>err &
			pids+=($!)
		done
		# the oldest of them, wherever it is
		kill -KILL "${pids[$((i * 2))]}" 2>/dev/null || true
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || [ $? -le 2 ] || [ $? = 137 ] || true
	done
	whole_lines r
	distil r
	# exports that ran before all was scored made fewer pairs; samples and the
	# rest are the same set, and the same lines
	alike <(cat r/data/evidence/*/*/*/*.jsonl | sort) <(cat whole/data/evidence/*/*/*/*.jsonl | sort) >/dev/null
	diff -r r/data whole/data
	for file in rag/playbooks sft/instruction_response; do
		alike <(sort "r/exports/$file.jsonl") <(sort "whole/exports/$file.jsonl") >/dev/null
	done
	for kind in rag sft; do
		alike <(sort "r/exports/quarantine/$kind.jsonl") <(sort "whole/exports/quarantine/$kind.jsonl") >/dev/null
	done
	[ "$(jq -r .id r/exports/preference/*.jsonl | sort | uniq -d | wc -l)" = 0 ]
	no_litter r
	lh-distill health --all --root r >/dev/null
}

@test "a source that grows, or is written to, while a run reads it is read to a whole line" {
	sources r
	rm r/data/_kb/scrum_reviews.jsonl
	(
		for ((i = 0; i < 400; i++)); do
			printf '{"file":"f%d.rs","reviewed_at":"2026-05-01T10:00:00Z",' "$i" >>r/data/_kb/scrum_reviews.jsonl
			printf '"text":"Text %d","accepted_on_attempt":1}\n' "$i" >>r/data/_kb/scrum_reviews.jsonl
		done
	) &
	while kill -0 $! 2>/dev/null; do
		lh-distill run -j1 --root r --now "$NOW" --run-id r >/dev/null 2>&1 || [ $? = 1 ]
	done
	wait $!
	lh-distill run -j1 --root r --now "$NOW" --run-id r >/dev/null 2>&1 || [ $? = 1 ]
	[ "$(jq -r .task_id r/data/evidence/*/*/*/scrum_reviews.jsonl | sort -u | wc -l)" = 400 ]
	# half a line that was seen is on file as a skip; the whole line is evidence
	[ "$(wc -l <r/data/evidence/2026/05/03/scrum_reviews.jsonl)" = 400 ]
}

# bats test_tags=full
@test "SIGINT and SIGTERM leave whole files and no litter" {
	lh-gen kb -n "$(scale 5000 200000)" --root fresh
	for signal in INT TERM; do
		for when in data/evidence data/scored-runs exports; do
			rm -rf r
			cp -r fresh r
			hears_int lh-distill run --root r --now "$NOW" --run-id r >/dev/null 2>err &
			pid=$!
			until [ -e "r/$when" ] || ! kill -0 "$pid" 2>/dev/null; do :; done
			kill -s "$signal" "$pid" 2>/dev/null || true
			rc=0
			wait "$pid" || rc=$?
			case $rc in
			0 | 130 | 143) ;;
			*) echo "exit $rc"; cat err; return 1 ;;
			esac
			whole_lines r
			no_litter r
		done
	done
}
