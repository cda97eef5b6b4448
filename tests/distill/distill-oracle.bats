# The tools of a distillation against tests/oracle/distill.py, which was written
# from the description of transforms, rules and exports and shares nothing with
# them, over rows made to be difficult (tests/oracle/distill_rows.py): the same
# files, byte for byte.  What a refusal says in words is each side's own where
# the description does not give the words: why a line is not JSON, and what an
# export says in addition to its reason.
# bats file_tags=oracle,long,full
load ../helper

NOW=2026-05-03T12:00:00.000Z
LATER=2026-05-04T06:30:00.000Z
ROWS=$(scale 2000 10000)
if [ -n "${LH_ASAN:-}" ]; then ROWS=200; fi

oracle() {
	python3 "$ROOT/tests/oracle/distill.py" "$@"
}

difficult() {
	python3 "$ROOT/tests/oracle/distill_rows.py" "$@"
}

# One root of difficult rows, and what both sides make of it.
setup_file() {
	export BASE=$BATS_FILE_TMPDIR
	cd "$BASE" || return 1
	difficult sources ours "$ROWS" 2>seed
	cp -r ours theirs
	echo "# rows: $(cat seed)" >&3
	oracle run --root theirs --recorded-at "$NOW" >theirs.out
	stages ours "$NOW" >ours.out 2>ours.err
}

# stages ROOT TIME [OPTION OF lh-export]... - the five stages, tool by tool.
stages() {
	local root=$1 now=$2 kind
	shift 2
	lh-materialize --root "$root" --recorded-at "$now" --run-id r || [ $? = 1 ]
	lh-score --root "$root" --recorded-at "$now" --run-id r
	for kind in rag sft preference; do
		local options=() option
		for option; do
			case $kind,$option in
			sft,--include-review | rag,--include-partial | preference,--include-*) ;;
			*) options+=("$option") ;;
			esac
		done
		lh-export "$kind" --root "$root" --recorded-at "$now" --run-id r "${options[@]}"
	done
}

# data ROOT - its files, less the words that are each side's own.
data() {
	(
		cd "$1" || exit 1
		find data/evidence data/scored-runs exports -name '*.jsonl' ! -path '*/quarantine/*' | LC_ALL=C sort | while read -r file; do
			echo "== $file"
			cat "$file"
		done
		sed -E 's/"errors":\[[^]]*\],"sig_hash":""/"errors":[],"sig_hash":""/' data/_kb/distillation_skips.jsonl
		for file in exports/quarantine/*.jsonl; do
			echo "== $file"
			sed -E 's/"errors":\[([^]"]|"([^"\\]|\\.)*")*\],"recorded_at"/"errors":[],"recorded_at"/' "$file"
		done
	)
}

# same_data OURS THEIRS
same_data() {
	data "$1" >ours.data
	data "$2" >theirs.data
	cmp ours.data theirs.data || { diff ours.data theirs.data | cut -c1-2000 | first 8; cat "$BASE/seed"; return 1; }
}

@test "known answers: hashes of rows, ids of samples" {
	run -0 lh-materialize --source outcomes --recorded-at "$NOW" <<<'{"created_at":"2026-05-03T12:00:00Z","b":{"d":"x","c":[true,null,"é"]},"a":1e0}'
	[[ $output == *'"sig_hash":"'$(printf '{"a":1,"b":{"c":[true,null,"é"],"d":"x"},"created_at":"2026-05-03T12:00:00Z"}' | sha256sum | cut -c1-64)\"* ]]
	run -0 python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import distill as d
print(d.sha256(d.jcs(d.parse(b"{}"))), d.sha256(d.jcs(d.parse("""{"b":{"d":"x","c":[true,null,"é"]},"a":1}""".encode()))), d.sample_id("rag", "rag", "run-1", "aaaa"))' "$ROOT/tests/oracle"
	[ "$output" = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a 044dd5712bc8962c07455734d153d28e9d32c96314b6dadcb0eceb276d6ffd7d rag-c18ba34bd1455dc9" ]
}

@test "evidence and skips of difficult rows are the oracle's, byte for byte" {
	(cd "$BASE/theirs" && find data/evidence -type f -exec sha256sum {} +) | sort >want
	[ "$(wc -l <want)" = 12 ]
	(cd "$BASE/ours" && find data/evidence -type f -exec sha256sum {} +) | sort >got
	diff got want || { cat "$BASE/seed"; return 1; }
	# words are compared where the row could be read
	jq -c 'select(.sig_hash != "")' "$BASE/theirs/data/_kb/distillation_skips.jsonl" >want
	jq -c 'select(.sig_hash != "")' "$BASE/ours/data/_kb/distillation_skips.jsonl" >got
	cmp got want || { diff got want | cut -c1-400 | first 8; cat "$BASE/seed"; return 1; }
	# the others say where, or what of the record as a whole
	jq -e -s 'map(select(.sig_hash == "").errors | length == 1 and (.[0] | test("^(line [0-9]+, column [0-9]+|record): "))) | length > 10 and all' \
		"$BASE/ours/data/_kb/distillation_skips.jsonl"
}

@test "what each source and each export counted is what the oracle counted" {
	grep -P '^collect\t' "$BASE/theirs.out" | cut -f2 >want
	head -n 12 "$BASE/ours.out" | diff - want
	grep -P '^export' "$BASE/theirs.out" | cut -f2 >want
	tail -n 3 "$BASE/ours.out" | diff - want
}

@test "scored runs, samples and quarantine are the oracle's, byte for byte" {
	same_data "$BASE/ours" "$BASE/theirs"
}

# bats test_tags=full
@test "rows that come on another day, and rows that were there before" {
	for now in "$NOW" "$LATER"; do
		difficult sources ours "$((ROWS / 5))" 2>seed
		cat seed
		mkdir -p theirs/data/_kb
		find ours/data/_kb -name '*.jsonl' ! -name 'distillation_*' -exec cp -t theirs/data/_kb {} +
		oracle run --root theirs --recorded-at "$now" >theirs.out
		stages ours "$now" >ours.out 2>ours.err
	done
	[ -s ours/data/evidence/2026/05/04/audits.jsonl ]
	same_data ours theirs
}

# bats test_tags=full
@test "with --dedup day, the rows of another day are evidence again" {
	difficult sources ours "$((ROWS / 10))" 2>seed
	cat seed
	cp -r ours theirs
	for now in "$NOW" "$LATER" "$LATER"; do
		oracle run --root theirs --dedup day --recorded-at "$now" >/dev/null
		lh-materialize --root ours --dedup day --recorded-at "$now" --run-id r >/dev/null 2>&1 || [ $? = 1 ]
		lh-score --root ours --recorded-at "$now" --run-id r >/dev/null 2>&1
		for kind in rag sft preference; do
			lh-export "$kind" --root ours --recorded-at "$now" --run-id r >/dev/null 2>&1
		done
	done
	same_data ours theirs
}

# bats test_tags=full
@test "with --include-review, --include-partial and --verify-paths" {
	mkdir -p tree/src tree/a
	touch tree/src/main.rs tree/src/lib.rs tree/b tree/x up
	ln -s ../up tree/src/a.rs
	ln -s main.rs tree/src/b.rs
	difficult sources ours "$((ROWS / 4))" 2>seed
	cat seed
	cp -r ours theirs
	oracle run --root theirs --recorded-at "$NOW" --include-review --include-partial --verify-paths tree >theirs.out
	stages ours "$NOW" --include-review --include-partial --verify-paths tree >ours.out 2>ours.err
	grep -P '^export' theirs.out | cut -f2 >want
	tail -n 3 ours.out | diff - want
	jq -e '.quarantine_summary.hallucinated_file_path > 0' <(tail -n 2 ours.out | first 1)
	same_data ours theirs
}

@test "a filter makes of a source what a root makes of it, repeats apart" {
	for stem in audits outcomes scrum_reviews contract_analyses; do
		oracle materialize --source "$stem" --recorded-at "$NOW" <"$BASE/theirs/data/_kb/$stem.jsonl" >want 2>/dev/null || true
		lh-materialize --source "$stem" --recorded-at "$NOW" -q <"$BASE/ours/data/_kb/$stem.jsonl" >got || [ $? = 1 ]
		cmp got want || { diff got want | cut -c1-1000 | first 4; return 1; }
	done
}

# bats test_tags=full
@test "records with markers in every combination are scored as the oracle scores them" {
	difficult evidence "$((ROWS * 2))" 2>seed >evidence
	cat seed
	lh-score --recorded-at "$LATER" <evidence >got
	oracle score --recorded-at "$LATER" <evidence >want
	cmp got want || { diff got want | cut -c1-1000 | first 4; return 1; }
}

# bats test_tags=full
@test "records with markers in every combination are exported by a filter as by the oracle" {
	difficult evidence "$((ROWS * 2))" 2>seed >evidence
	cat seed
	for kind in rag sft preference; do
		lh-export "$kind" --recorded-at "$NOW" --quarantine "$kind.refused" <evidence >got 2>/dev/null
		oracle export "$kind" --recorded-at "$NOW" --quarantine "$kind.want" <evidence >want
		cmp got want || { diff got want | cut -c1-1000 | first 4; return 1; }
		mask='s/"errors":\[([^]"]|"([^"\\]|\\.)*")*\],"recorded_at"/"errors":[],"recorded_at"/'
		diff <(sed -E "$mask" "$kind.refused") <(sed -E "$mask" "$kind.want") >differs || { cut -c1-1000 differs | first 4; return 1; }
	done
	[ -s rag.want ]
	[ -s sft.want ]
}

# bats test_tags=full
@test "any number of threads makes the same files" {
	cp -r "$BASE/theirs/data/_kb" kb
	rm -f kb/distillation_skips.jsonl
	for jobs in 1 2 5; do
		mkdir -p "j$jobs/data"
		cp -r kb "j$jobs/data/_kb"
		lh-materialize -j"$jobs" --root "j$jobs" --recorded-at "$NOW" --run-id r >/dev/null 2>&1 || [ $? = 1 ]
		lh-score -j"$jobs" --root "j$jobs" --recorded-at "$NOW" --run-id r >/dev/null 2>&1
		for kind in rag sft preference; do
			lh-export "$kind" -j"$jobs" --root "j$jobs" --recorded-at "$NOW" --run-id r >/dev/null 2>&1
		done
		diff -r "$BASE/ours/exports" "j$jobs/exports"
		diff -r "$BASE/ours/data" "j$jobs/data"
	done
}

@test "lh-distill run makes what its stages make one by one, and hashes it as the oracle does" {
	mkdir -p r/data
	cp -r "$BASE/theirs/data/_kb" r/data/_kb
	rm r/data/_kb/distillation_skips.jsonl
	for i in 1 2; do
		run -1 --separate-stderr lh-distill run --root r --recorded-at "$NOW" --run-id "r$i"
		diff -r "$BASE/ours/exports" r/exports
		diff -r "$BASE/ours/data" r/data
		oracle hashes --root r >want
		jq -r '(.stages[] | [.stage, .output_hash]), ["run", .run_hash] | @tsv' <<<"$output" | diff - want
	done
}
