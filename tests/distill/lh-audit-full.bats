# lh-audit-full: what the checks judge, on roots that are sound, damaged in one
# place, hostile, or hardly there. Baselines, the report, the archive and what
# needs other tools are in files of their own.
load ../helper

NOW=2026-05-03T12:00:00.000Z

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$ROOT/bin}:$PATH
	lh-gen kb -n 300 --root sound
	lh-distill run -q --root sound --now "$NOW" --run-id run1 >/dev/null
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR/sound" r
}

# seal - the receipts, if a test has not touched them, are made those of the files
# as they are: then a fault of the files fails its own check alone. That the receipts
# find any change is in verdicts.bats.
seal() {
	local as
	for as in "$BATS_FILE_TMPDIR/sound/reports" sealed; do
		diff -rq "$as" r/reports >/dev/null 2>&1 || continue
		python3 "$ROOT/tests/reseal.py" r run1
		rm -rf sealed
		cp -r r/reports sealed
		return
	done
}

# audit [OPTION]... - into lines, its status into $status.
audit() {
	seal
	status=0
	lh-audit-full --root r --out report.md --now "$NOW" "$@" >lines 2>err || status=$?
}

# failed - the names of the checks that have failed, a line each.
failed() {
	jq -r 'select(.passed == false and .skipped == false).name' lines
}

# notes NAME - of that check.
notes() {
	jq -r --arg name "$1" 'select(.name == $name).notes' lines
}

# only STATUS NAME... - exactly these have failed, and there was nothing to say.
only() {
	local want=$1
	shift
	[ "$status" = "$want" ] || { echo "exit $status"; cat lines err; return 1; }
	[ ! -s err ] || { cat err; return 1; }
	diff <([ $# = 0 ] || printf '%s\n' "$@") <(failed)
}

# file_of KIND - the file of samples, evidence or scores that the tests damage.
file_of() {
	case $1 in
	evidence) ls r/data/evidence/*/*/*/scrum_reviews.jsonl ;;
	skips) echo r/data/_kb/distillation_skips.jsonl ;;
	scored) ls r/data/scored-runs/*/*/*/scrum_reviews.jsonl ;;
	rag) echo r/exports/rag/playbooks.jsonl ;;
	sft) echo r/exports/sft/instruction_response.jsonl ;;
	preference) echo r/exports/preference/chosen_rejected.jsonl ;;
	quarantine) echo r/exports/quarantine/sft.jsonl ;;
	summary) echo r/reports/distillation/run1/summary.json ;;
	drift) echo r/reports/distillation/run1/drift.json ;;
	receipt) echo r/reports/distillation/run1/score.json ;;
	esac
}

# checks_of KIND - those that look into it, a line each.
checks_of() {
	case $1 in
	evidence | skips) echo 'materializer dry run completes' ;;
	scored) echo 'scored distribution on disk' ;;
	rag) printf '%s\n' 'no rejected rag row' 'no missing provenance' ;;
	sft) printf '%s\n' 'no contaminated sft row' 'no missing provenance' ;;
	preference) printf '%s\n' 'no preference self-pair' 'no identical preference text' 'no missing provenance' ;;
	quarantine) echo 'quarantine observable' ;;
	summary) printf '%s\n' 'summary valid' 'run_hash is a sha256' ;;
	drift) echo 'drift.json present' ;;
	receipt) echo 'receipts valid' ;;
	esac
}

# edit KIND PROGRAM - its first row (of reports: the whole) by jq.
edit() {
	local file
	file=$(file_of "$1")
	case $file in
	*.jsonl) { head -n 1 "$file" | jq -c "$2"; tail -n +2 "$file"; } >edited ;;
	*) jq "$2" "$file" >edited ;;
	esac
	not cmp -s edited "$file"
	mv edited "$file"
}

@test "the checks are those of the table, in its order, and require what it says" {
	cat >table <<-'END'
		0 * o recon document present
		0 - - tier-1 streams present
		1 * - schema validators pass
		1 - - schema sample count ≥ 51
		2 * o materializer dry run completes
		2 - - tier-1 hits in evidence
		3 * - scored distribution on disk
		4 * o no contaminated sft row
		4 * o no rejected rag row
		4 * o no preference self-pair
		4 * o no identical preference text
		4 * o no missing provenance
		4 - - quarantine observable
		5 * o five stage receipts present
		5 * o receipts valid
		5 * o summary valid
		5 * o run_hash is a sha256
		5 - - drift.json present
		6 * - acceptance 22/22
		7 * o three dry-run replays pass
		7 * - escalation guard holds
		7 - - replay log tail parses
	END
	audit
	alike <(awk '{ $3 = ""; print }' table | tr -s ' ') <(jq -r 'select(.name) | "\(.phase) \(if .required then "*" else "-" end) \(.name)"' lines)
	[ "$(tail -n 1 lines | jq -c '[.required_passed, .required_total, .checks_total, .skipped]')" = '[16,16,22,[]]' ]
	audit --observer
	alike <(awk '{ $2 = ""; print }' table | tr -s ' ') <(jq -r 'select(.name) | "\(.phase) \(if .required then "o" else "-" end) \(.name)"' lines)
	[ "$(tail -n 1 lines | jq -c .skipped)" = '["schema validators pass","schema sample count ≥ 51","acceptance 22/22","escalation guard holds"]' ]
	[ "$(jq -c 'select(.skipped == true).passed' lines | sort -u)" = false ]
}

@test "each line has its members in their order, and so has the summary" {
	audit --phase 0
	[ "$(head -n 1 lines)" = '{"phase":0,"name":"recon document present","expected":"docs/recon/local-distillation-recon.md","actual":"present","passed":true,"required":true,"skipped":false,"notes":""}' ]
	[ "$(tail -n 1 lines | jq -c 'keys_unsorted')" = '["recorded_at","required_passed","required_total","checks_total","skipped","metrics","drift"]' ]
	[ "$(tail -n 1 lines | jq -r .recorded_at)" = "$NOW" ]
}

@test "the metrics are what is on disk" {
	lh-gen kb -n 200 --dirty --seed 7 --root r
	lh-distill run -q --root r --now 2026-05-04T12:00:00Z --run-id run2 >/dev/null 2>&1 || [ $? = 1 ]
	count() { cat "$@" 2>/dev/null | grep -c . || true; }
	category() { cat r/data/scored-runs/*/*/*/*.jsonl | jq -r .category | grep -cx "$1"; }
	cat >want <<-END
		p2_evidence_rows $(count r/data/evidence/*/*/*/*.jsonl)
		p2_evidence_skips $(count r/data/_kb/distillation_skips.jsonl)
		p3_accepted $(category accepted)
		p3_human $(category needs_human_review)
		p3_partial $(category partially_accepted)
		p3_rejected $(category rejected)
		p4_pref_pairs $(count r/exports/preference/*.jsonl)
		p4_rag_rows $(count r/exports/rag/*.jsonl)
		p4_sft_rows $(count r/exports/sft/*.jsonl)
		p4_total_quarantined $(count r/exports/quarantine/*.jsonl)
	END
	run ! grep ' 0$' want
	for jobs in 1 2 7; do
		audit --observer -j$jobs
		diff want <(tail -n 1 lines | jq -r '.metrics | to_entries[] | "\(.key) \(.value)"')
	done
	audit --phase 0
	diff want <(tail -n 1 lines | jq -r '.metrics | to_entries[] | "\(.key) \(.value)"')
}

# ---- each check alone ----

@test "rows that the dry run skips do not fail it" {
	echo 'no JSON' >>r/data/_kb/audits.jsonl
	audit --phase 2
	only 0
	[ "$(jq -r 'select(.name == "materializer dry run completes").actual' lines)" = 'exit 1' ]
}

@test "to an observer evidence without a row is a dry run that has not completed" {
	find r/data/evidence -name '*.jsonl' -exec truncate -s 0 {} +
	audit --observer
	only 1 'materializer dry run completes' 'tier-1 hits in evidence'
}

@test "a contaminated sft row fails that check alone, whatever it says" {
	for score in '"rejected"' '"needs_human_review"' '"Accepted"' '"accepted "' null true '["accepted"]' '{"accepted":1}'; do
		cp "$BATS_FILE_TMPDIR"/sound/exports/sft/*.jsonl r/exports/sft/
		edit sft ".quality_score = $score"
		audit --observer
		only 1 'no contaminated sft row'
		[ "$(notes 'no contaminated sft row')" = 'exports/sft/instruction_response.jsonl:1: quality_score is neither accepted nor partially_accepted' ]
	done
	edit sft 'del(.quality_score)'
	audit --observer
	only 1 'no contaminated sft row'
	sed -i '1s/}$/,"quality_score":"\\u0061ccepted"}/' r/exports/sft/instruction_response.jsonl
	audit --observer
	only 0
}

@test "a rejected rag row fails that check alone, in either member" {
	for change in '.success_score = "rejected"' '.source_category = "rejected"' 'del(.success_score, .source_category)' '.success_score = null | .source_category = 5'; do
		cp "$BATS_FILE_TMPDIR"/sound/exports/rag/*.jsonl r/exports/rag/
		edit rag "$change"
		audit --observer
		only 1 'no rejected rag row'
	done
	edit rag '.success_score = "accepted"'
	audit --observer
	only 0
	printf '%s\n' "$(jq -c '.source_category = "rejected"' r/exports/rag/playbooks.jsonl | tail -n 1)" | sed 's/"rejected"/"\\u0072ejected"/' >>r/exports/rag/playbooks.jsonl
	audit --observer
	only 1 'no rejected rag row'
	[[ $(notes 'no rejected rag row') == "exports/rag/playbooks.jsonl:$(wc -l <r/exports/rag/playbooks.jsonl): "* ]]
}

@test "a row without provenance fails that check alone, in each of the three files" {
	for change in 'del(.provenance)' '.provenance = null' '.provenance = "x"' 'del(.provenance.sig_hash)' '.provenance.sig_hash |= ascii_upcase' \
		'.provenance.sig_hash |= .[1:]' '.provenance.sig_hash += "0"' '.provenance.sig_hash = 5'; do
		cp -r "$BATS_FILE_TMPDIR"/sound/exports r/
		for kind in rag sft preference; do edit $kind "$change"; done
		audit --observer
		only 1 'no missing provenance'
		[ "$(jq -r 'select(.name == "no missing provenance").actual' lines)" = 3 ]
	done
}

@test "the newest run is the one that ended last, of equal ones the one with the greatest id" {
	cp -r r/reports/distillation/run1 r/reports/distillation/run0
	rm r/reports/distillation/run0/score.json
	audit --observer
	only 0
	edit summary '.ended_at = "2026-05-03T11:59:59.999Z"'
	audit --observer
	only 1 'five stage receipts present'
	edit summary '.ended_at = "2026-05-03T14:00:00.001+02:00"'
	audit --observer
	only 0
	mkdir r/reports/distillation/run2
	cp r/reports/distillation/run1/score.json r/reports/distillation/run2
	audit --observer
	only 0
}

@test "a summary that cannot be read fails its check, also next to a good one" {
	for torn in '' '{' '[]' '{"ended_at":5}' '{"ended_at":"soon"}'; do
		mkdir -p r/reports/distillation/old
		echo "$torn" >r/reports/distillation/old/summary.json
		audit --observer
		only 1 'summary valid'
		[[ $(notes 'summary valid') == reports/distillation/old/summary.json:* ]]
	done
}

# ---- damage ----

# each_hostile_line FUNCTION - called with a name and the line, for each.
each_hostile_line() {
	local fn=$1
	$fn torn '{"a":"b'
	$fn array '[1]'
	$fn text 'hello'
	$fn twice '{"a":1,"a":2}'
	$fn deep "$(printf '{"a":%s' "$(printf '[%.0s' {1..600})")"
	$fn latin $'{"a":"\xe9"}'
	$fn surrogate '{"a":"\ud800"}'
	$fn bom $'\xef\xbb\xbf{"a":1}'
	$fn escape $'{"a":"\e[31m"}'
}

@test "a line that is not an object fails the checks of its file, with file and line" {
	for kind in evidence skips scored rag sft preference quarantine; do
		file=$(file_of $kind)
		[ $kind != skips ] || echo '{}' >"$file"
		cp "$file" kept
		echo '{"a":"b' >>"$file"
		n=$(wc -l <"$file")
		tail -n 1 kept >>"$file"
		audit --observer
		case $kind in
		scored | quarantine) only 0 "$(checks_of $kind)" ;;
		*) only 1 "$(checks_of $kind)" ;;
		esac
		while read -r name; do
			[[ $(notes "$name") == "${file#r/}:$n:"* ]] || { echo "$kind: $(notes "$name")"; return 1; }
		done < <(checks_of $kind)
		mv kept "$file"
	done
}

@test "a report that is not an object fails its check" {
	one() {
		for kind in summary drift receipt; do printf '%s\n' "$2" >"$(file_of $kind)"; done
		audit --observer
		[ "$status" = 1 ]
		diff <(for kind in receipt summary drift; do checks_of $kind; done) <(failed) || { echo "$1"; return 1; }
	}
	each_hostile_line one
}

@test "CRLF, a BOM, blank lines and a last line without LF are not damage" {
	for kind in evidence scored rag sft preference quarantine; do
		file=$(file_of $kind)
		{ printf '\xef\xbb\xbf'; sed 's/$/\r/' "$file"; printf ' \t\r\n\n'; tail -n 1 "$file" | tr -d '\n'; } >edited
		mv edited "$file"
	done
	audit --observer
	only 0
	[ "$(jq -r 'select(.metrics).metrics.p4_sft_rows' lines)" = $(($(wc -l <"$BATS_FILE_TMPDIR"/sound/exports/sft/instruction_response.jsonl) + 1)) ]
}

# ---- roots that are hardly there ----

# bats test_tags=full
@test "a line of 100 MB is read, and a torn one is found, in little memory" {
	size=$(scale 30 100)
	python3 -c "print('{\"a\":\"' + 'x' * ($size << 20) + '\"}')" >>"$(file_of evidence)"
	if [ -n "${LH_ASAN:-}" ]; then
		audit --observer
	else
		seal
		status=0
		/usr/bin/time -f %M -o peak lh-audit-full --observer --root r --out report.md >lines 2>err || status=$?
		[ "$(cat peak)" -le $((3 * size * 1024 + 50000)) ] || { cat peak; return 1; }
	fi
	only 0
	truncate -s -3 "$(file_of evidence)"
	audit --observer
	only 1 'materializer dry run completes'
}

@test "an empty root fails in good order" {
	rm -rf r
	mkdir r
	audit
	[ "$status" = 1 ]
	[ ! -s err ]
	[ "$(grep -c '"phase"' lines)" = 22 ]
	[ "$(jq -r 'select(.phase == 4 and .required == true).passed' lines | sort -u)" = true ]
	[ "$(notes 'no rejected rag row')" = 'exports/rag/playbooks.jsonl: absent' ]
	[ "$(jq -r 'select(.phase == 5).passed' lines | sort -u)" = false ]
	[ "$(tail -n 1 lines | jq -c '.metrics | map(.) | unique')" = '[0]' ]
}

@test "an export that is empty passes with a note" {
	for kind in rag sft preference; do : >"$(file_of $kind)"; done
	audit --observer
	only 0
	[ "$(notes 'no contaminated sft row')" = 'exports/sft/instruction_response.jsonl: empty' ]
}

@test "a root in which a run was killed half way is audited to the end" {
	rm -rf r
	lh-gen kb -n 50 --root r
	lh-materialize --root r --now "$NOW" --run-id run1 >/dev/null
	audit --observer
	only 1 'scored distribution on disk' 'quarantine observable' 'five stage receipts present' 'receipts valid' 'summary valid' \
		'run_hash is a sha256' 'drift.json present'
	lh-score --root r --now "$NOW" --run-id run1 >/dev/null
	audit --observer
	only 1 'quarantine observable' 'five stage receipts present' 'receipts valid' 'summary valid' 'run_hash is a sha256' 'drift.json present'
}

@test "a root that is not there, or no folder, is exit 2 and named" {
	touch file
	for root in absent file r/data/_kb/audits.jsonl; do
		run -2 --separate-stderr lh-audit-full --root $root
		[ -z "$output" ]
		[[ $stderr == "lh-audit-full: $root: cannot open the root: "* ]]
	done
}

@test "a file that is not regular fails its checks" {
	for kind in skips rag sft preference quarantine summary drift receipt; do
		file=$(file_of $kind)
		touch "$file"
		mv "$file" kept
		for what in folder fifo loop link; do
			case $what in
			folder) mkdir "$file" ;;
			fifo) mkfifo "$file" ;;
			loop) ln -s "$(basename "$file")" "$file" ;;
			link) ln -s "$PWD/kept" "$file" ;;
			esac
			status=0
			patiently lh-audit-full --observer --root r --out report.md >lines 2>err || status=$?
			case $kind in
			drift) only 0 "$(checks_of $kind)" ;;
			summary | receipt) only 1 "$(checks_of $kind)" ;;
			*) only 1 "$(checks_of $kind)" 'receipts valid' ;;
			esac
			rm -r "$file"
		done
		mv kept "$file"
		[ -s "$file" ] || rm "$file"
	done
}

@test "a file that is not regular among evidence or scores fails that check, whatever its name" {
	for kind in evidence:'materializer dry run completes' scored:'scored distribution on disk'; do
		dir=$(dirname "$(file_of "${kind%:*}")")
		for odd in 'ln -s /':2027 mkfifo:more.jsonl; do
			${odd%:*} "$dir/${odd#*:}"
			audit --observer
			only "$([ "${kind%:*}" = scored ] && echo 0 || echo 1)" "${kind#*:}"
			[[ $(notes "${kind#*:}") == "${dir#r/}/${odd#*:}: is a "*", not a regular file" ]]
			rm "$dir/${odd#*:}"
		done
		touch "$dir/README"	# not looked at
		audit --observer
		only 0
	done
}

@test "a folder that is a file, or that may not be entered, fails the checks of what is in it" {
	chmod 777 . r
	audit=$LH_BIN/lh-audit-full
	for kind in evidence:'materializer dry run completes' scored-runs:'scored distribution on disk'; do
		dir=r/data/${kind%:*}
		mv "$dir" kept
		touch "$dir"
		audit --observer
		failed | has -x "${kind#*:}"
		rm "$dir"
		mv kept "$dir"
		chmod 0 "$dir"
		status=0
		as_nobody "$audit" --observer --root r --out report.md >lines 2>err || status=$?
		failed | has -x "${kind#*:}"
		[[ $(notes "${kind#*:}") == "data/${kind%:*}: cannot open: Permission denied"* ]]
		chmod 755 "$dir"
	done
}

@test "a folder among others that may not be entered fails that check alone, and the others are counted" {
	chmod 777 . r
	mkdir -m 0 r/data/evidence/2020
	status=0
	as_nobody "$LH_BIN/lh-audit-full" --observer --root r --out report.md >lines 2>err || status=$?
	only 1 'materializer dry run completes' 'receipts valid'
	[ "$(notes 'materializer dry run completes')" = 'data/evidence/2020: cannot open: Permission denied' ]
	[ "$(tail -n 1 lines | jq .metrics.p2_evidence_rows)" = 300 ]
}

@test "a file that may not be read fails the checks of that file" {
	chmod 777 . r
	for kind in skips rag sft preference quarantine summary drift receipt evidence scored; do
		file=$(file_of $kind)
		touch "$file"
		chmod 0 "$file"
		status=0
		as_nobody "$LH_BIN/lh-audit-full" --observer --root r --out report.md >lines 2>err || status=$?
		case $kind in
		drift) only 0 "$(checks_of $kind)" ;;
		summary | receipt) only 1 "$(checks_of $kind)" ;;
		*) only 1 "$(checks_of $kind)" 'receipts valid' ;;
		esac
		while read -r name; do
			[[ $(notes "$name") == "${file#r/}: cannot open: Permission denied"* ]] || { echo "$kind: $(notes "$name")"; return 1; }
		done < <(checks_of $kind | grep -v run_hash)
		chmod 644 "$file"
		[ -s "$file" ] || rm "$file"
		rm -f report.md
	done
}

@test "terminal escapes and invalid UTF-8, in names and rows, are printed escaped" {
	mkdir -p r/data/evidence/2026/05/$'0\e[31m'
	printf '{"\e\n' >r/data/evidence/2026/05/$'0\e[31m'/audits.jsonl
	printf '{"\xc2\x9b' >>r/exports/sft/instruction_response.jsonl
	mkdir r/reports/distillation/$'r\e'
	echo 5 >r/reports/distillation/$'r\e'/summary.json
	for options in --observer '--phase 2' '--observer --json'; do
		audit $options --verbose
		[ "$status" = 1 ]
		run ! grep -q $'\e' lines err
		jq . lines >/dev/null
	done
	mkdir $'r/data/evidence/x\xff'
	audit --observer
	[ "$status" = 1 ]
	iconv -f UTF-8 -t UTF-8 lines >/dev/null
	run ! grep -q $'\e' lines err
}

# ---- the command line ----

@test "--phase takes one or several, and the sums are over those" {
	audit --phase 5 --phase 0
	only 0
	[ "$(jq -r 'select(.name).phase' lines | uniq | tr '\n' ' ')" = '0 5 ' ]
	[ "$(tail -n 1 lines | jq -c '[.required_passed, .required_total, .checks_total]')" = '[5,5,7]' ]
}

@test "--json prints one document with the same lines" {
	audit --observer
	cp lines plain
	audit --observer --json
	[ "$(wc -l <lines)" = 1 ]
	[ "$(jq -c 'keys_unsorted' lines)" = '["checks","summary"]' ]
	diff plain <(jq -c '.checks[], .summary' lines)
}

@test "--quiet prints nothing when all is well, else what has failed and the summary" {
	audit --observer --quiet
	[ "$status" = 0 ]
	[ ! -s lines ]
	rm r/reports/distillation/run1/drift.json
	audit --observer --quiet
	[ "$status" = 0 ]
	[ ! -s lines ]
	rm r/docs/recon/local-distillation-recon.md
	audit --observer --quiet
	[ "$status" = 1 ]
	[ ! -s err ]
	[ "$(jq -r '.name // "summary"' lines | tr '\n' ,)" = 'recon document present,drift.json present,summary,' ]
	audit --observer --quiet --json
	[ "$(jq -c '[.checks[].name, .summary.required_passed]' lines)" = '["recon document present","drift.json present",11]' ]
}

@test "progress is of rows, on standard error alone" {
	audit --observer
	cp lines quiet
	audit --observer --progress always
	cmp quiet lines
	run ! grep -vE '^lh-audit-full: [1-9][0-9]* records, [0-9]+/s$' err
}

@test "the root is --root, else LH_DISTILL_ROOT, else the working directory" {
	LH_DISTILL_ROOT=absent lh-audit-full --observer --root r --out x >/dev/null
	LH_DISTILL_ROOT=r lh-audit-full --observer --out x >/dev/null
	cd r
	lh-audit-full --observer --out ../x >/dev/null
}

@test "a second audit of a root ends with 2 at once and says why; another root goes on" {
	cp -r r other
	exec 9>r/.lh-lock
	flock 9
	run -2 --separate-stderr patiently lh-audit-full --root r --out report.md 9>&-
	[ -z "$output" ]
	[ "$stderr" = 'lh-audit-full: r: another audit or run is at work there' ]
	[ ! -e report.md ]
	lh-audit-full --observer --root other --out report.md >/dev/null 9>&-
	flock -u 9
	audit --observer
	[ "$status" = 0 ]
}

@test "only the report is written, and nothing but the lock is opened for writing" {
	snapshot() { find r -mindepth 1 -printf '%p %y %m %s %T@ %i\n' | sort; find r -type f -exec sha256sum {} + | sort; }
	snapshot >before
	audit --observer
	snapshot | diff before -
	audit
	snapshot | diff before -
	needs_strace
	strace -f -qq -o trace -e trace=openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,truncate,ftruncate,chmod,fchmod,link,symlink,utimensat \
		lh-audit-full --observer --root r --out report.md >/dev/null
	run ! grep -E '"r/' <(grep -E 'O_(WRONLY|RDWR|CREAT)|mkdir|rename|unlink|truncate|chmod|link|utimens' trace | grep -v '"r/.lh-lock"')
}

@test "a closed pipe as stdout is exit 0, and the report is written" {
	status=0
	{ lh-audit-full --observer --root r --out report.md --append-baseline 2>err || echo $? >status; } | true
	[ ! -s err ]
	[ ! -e status ]
	[ -s report.md ]
	[ "$(wc -l <r/data/_kb/audit_baselines.jsonl)" = 1 ]
}

@test "a report that cannot be written is exit 2 and named, after the checks were printed, and no baseline is kept" {
	mkdir folder
	mkfifo fifo
	ln -s fifo link
	for options in '--out folder' '--out absent/report.md' '--out fifo' '--out link' '--out /dev/full' \
		'--out x --html folder' '--out x --html absent/page.html'; do
		run -2 --separate-stderr patiently lh-audit-full --observer --root r --append-baseline $options
		[ "${#lines[@]}" = 23 ]
		[[ $stderr == "lh-audit-full: ${options##* }"* || $stderr == "lh-audit-full: absent/."*": cannot create: "* ]]
		[ ! -e r/data/_kb/audit_baselines.jsonl ]
	done
}
