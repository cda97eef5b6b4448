# lh-audit-full: baselines, drift, and the reports.
load ../helper

NOW=2026-05-03T12:00:00Z
LOG=r/data/_kb/audit_baselines.jsonl

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -p r/data/_kb
}

# audit [OPTION]... - an audit of r that runs nothing: fast, and its metrics are all 0.
audit() {
	lh-audit-full --root r --observer --phase 0 --now $NOW "$@"
}

# row NAME=NUMBER... - a baseline.
row() {
	local m=
	for m_ in "$@"; do m+=",\"${m_%%=*}\":${m_#*=}"; done
	printf '{"recorded_at":"2026-05-02T03:17:00Z","metrics":{%s}}\n' "${m#,}"
}

# drifts FROM TO - drift of one metric, as "DELTA FLAG".
drifts() {
	{ row "m=$1"; row "m=$2"; } >two
	lh-audit-full drift two | awk 'NR == 2 { print $4, $5 }'
}

TEN='p2_evidence_rows p2_evidence_skips p3_accepted p3_human p3_partial p3_rejected p4_pref_pairs p4_rag_rows p4_sft_rows p4_total_quarantined'

# ---- drift ----

@test "drift: 12 to 82 is +583.3% warn, 2 to 2 +0.0% ok, 0 to 386 - warn, 353 to 353 ok" {
	[ "$(drifts 12 82)" = "+583.3% warn" ]
	[ "$(drifts 2 2)" = "+0.0% ok" ]
	[ "$(drifts 0 386)" = "- warn" ]
	[ "$(drifts 353 353)" = "+0.0% ok" ]
	[ "$(drifts 0 0)" = "- ok" ]
}

@test "the table, to the character" {
	{
		row p2_evidence_rows=12 p2_evidence_skips=2 p3_accepted=386 p3_human=0 p3_partial=353 p3_rejected=10 p4_pref_pairs=10 \
			p4_rag_rows=0 p4_sft_rows=1000 p4_total_quarantined=3
		row p2_evidence_rows=82 p2_evidence_skips=2 p3_accepted=0 p3_human=386 p3_partial=353 p3_rejected=12 p4_pref_pairs=13 \
			p4_rag_rows=0 p4_sft_rows=799 p4_total_quarantined=3
	} >$LOG
	run -0 --separate-stderr lh-audit-full drift --root r
	[ -z "$stderr" ]
	cat >want <<-'END'
	metric                baseline  current       Δ%  flag
	p2_evidence_rows            12       82  +583.3%  warn
	p2_evidence_skips            2        2    +0.0%  ok
	p3_accepted                386        0  -100.0%  warn
	p3_human                     0      386        -  warn
	p3_partial                 353      353    +0.0%  ok
	p3_rejected                 10       12   +20.0%  ok
	p4_pref_pairs               10       13   +30.0%  warn
	p4_rag_rows                  0        0        -  ok
	p4_sft_rows               1000      799   -20.1%  warn
	p4_total_quarantined         3        3    +0.0%  ok
	5/10 metrics flagged warn, 0 first-run
	END
	echo "$output" | diff want -
}

@test "a percentage is rounded half away from zero, and a fifth is not yet a warning" {
	while read -r from to want; do
		[ "$(drifts "$from" "$to")" = "$want" ] || { echo "$from $to: $(drifts "$from" "$to"), not $want"; return 1; }
	done <<-'END'
	2000 2001 +0.1% ok
	2000 1999 -0.1% ok
	10000 10004 +0.0% ok
	10000 9999 -0.0% ok
	10000 10005 +0.1% ok
	1000 1200 +20.0% ok
	1000 800 -20.0% ok
	100000 120001 +20.0% warn
	100000 79999 -20.0% warn
	3 4 +33.3% warn
	3 5 +66.7% warn
	1 2 +100.0% warn
	5 0 -100.0% warn
	999 1998.99 +100.1% warn
	1000 1999.99 +100.0% warn
	0.5 0.25 -50.0% warn
	1e2 1.0e2 +0.0% ok
	-10 -11 +10.0% ok
	-10 5 -150.0% warn
	10 -5 -150.0% warn
	0 -1 - warn
	-0 0.000 - ok
	0e999999999999999999999 1 - warn
	0.1 0.12 +20.0% ok
	0.3 0.36 +20.0% ok
	0.3 0.24 -20.0% ok
	0.1 0.10005 +0.1% ok
	10799.69995 10794.300100025 -0.1% ok
	1000000000 1200000001 +20.0% warn
	1e-3 1e3 +99999900.0% warn
	1e-300 1e300 - warn
	18446744073709551615 18446744073709551615 +0.0% ok
	END
}

@test "drift in JSON: null without a baseline or a percentage, numbers as they were written" {
	{ row a=0 b=1e300 c=10.0 d=1e-300; row a=3 b=1e301 c=12.50 d=82e100 e=-0; } >two
	run -0 lh-audit-full drift --json two
	[ "$output" = '[{"metric":"a","baseline":0,"current":3,"pct":null,"flag":"warn"},{"metric":"b","baseline":1e300,"current":1e301,"pct":9,"flag":"warn"},{"metric":"c","baseline":10.0,"current":12.50,"pct":0.25,"flag":"warn"},{"metric":"d","baseline":1e-300,"current":82e100,"pct":null,"flag":"warn"},{"metric":"e","baseline":null,"current":-0,"pct":null,"flag":"first_run"}]' ]
}

@test "a metric is first_run when the baseline has none of it, or null; the order is that of the names' bytes" {
	{ row z=1 null_=null gone=5; row z=1 null_=2 B=1 '\u0061=3' 'é=1' away=null; } >two
	run -0 lh-audit-full drift two
	[ "$output" = "metric  baseline  current     Δ%  flag
B              -        1      -  first_run
a              -        3      -  first_run
null_          -        2      -  first_run
z              1        1  +0.0%  ok
é              -        1      -  first_run
0/5 metrics flagged warn, 4 first-run" ]
}

@test "drift --from and --to: rows count from 1 or from the end, without blank lines" {
	{ row m=10; echo; row m=11; printf ' \t\r\n'; row m=20; row m=40; } >$LOG
	base() {
		run -0 lh-audit-full drift --root r "$@"
		awk '{ print $2, $3 }' <<<"${lines[1]}"
	}
	[ "$(base)" = "20 40" ]
	[ "$(base --from 1)" = "10 40" ]
	[ "$(base --from 1 --to 2)" = "10 11" ]
	[ "$(base --from -1 --to -4)" = "40 10" ]
	[ "$(base --to 3)" = "11 20" ]
	[ "$(base --to=-3)" = "10 11" ]
	[ "$(base --to 1)" = "- 10" ]
	[ "$(base --from 2 --to 2)" = "11 11" ]
	for no in '--from 5' '--to 5' '--from -5' '--to -5'; do
		run -2 --separate-stderr lh-audit-full drift --root r $no
		[ -z "$output" ]
		[ "$stderr" = "lh-audit-full: $LOG: $no: there are 4 rows" ]
	done
	for no in --from=0 --to=0; do
		run -2 lh-audit-full drift --root r $no
	done
	run -2 --separate-stderr lh-audit-full drift two three
	[ "$stderr" = 'lh-audit-full: unexpected operand "three": drift takes one FILE' ]
	run -2 lh-audit-full --from 1 --root r
}

@test "one row alone is all first_run; no row, and no file, is exit 2" {
	row a=1 b=0 >one
	run -0 lh-audit-full drift one
	[ "${lines[1]}" = "a              -        1   -  first_run" ]
	[ "${lines[3]}" = "0/2 metrics flagged warn, 2 first-run" ]
	: >empty
	echo >blank
	for f in empty blank absent; do
		run -2 --separate-stderr lh-audit-full drift $f
		[ "$stderr" = "lh-audit-full: $f: there is no baseline" ]
	done
	row >none
	run -0 lh-audit-full drift none
	[ "${lines[1]}" = "0/0 metrics flagged warn, 0 first-run" ]
}

@test "drift reads standard input, through a pipe and from a file" {
	{ row m=10; row m=12; row 'm=x'; } >three
	lh-audit-full drift --to 2 three >want
	lh-audit-full drift --to 2 - <three | cmp - want
	cat three | lh-audit-full drift --from 1 --to 2 - | cmp - want
	run -2 --separate-stderr lh-audit-full drift - < <(cat three)
	[[ $stderr == "lh-audit-full: -:3:"* ]]
	run -2 --separate-stderr lh-audit-full drift - </dev/null
	[ "$stderr" = "lh-audit-full: -: there is no baseline" ]
	run -2 --separate-stderr lh-audit-full drift - <.
	[[ $stderr == "lh-audit-full: -: "*"Is a directory" ]]
}

@test "--fail-on-drift ends with 1 for a warning, and for nothing else" {
	{ row a=10 b=0 c=3; row a=12 b=0 c=3 d=4; } >calm
	{ row a=10; row a=13; } >wild
	run -0 lh-audit-full drift --fail-on-drift calm
	run -1 lh-audit-full drift --fail-on-drift wild
	run -0 lh-audit-full drift wild
	run -0 lh-audit-full drift -q wild
	[ -z "$output" ]
	run -1 lh-audit-full drift -q --fail-on-drift wild
	[ "${#lines[@]}" = 3 ]
	mkdir -p r/docs/recon
	echo x >r/docs/recon/local-distillation-recon.md
	row p2_evidence_rows=5 >$LOG
	run -0 audit
	run -1 audit --fail-on-drift
	run -0 audit -q
	[ -z "$output" ]
	run -1 audit -q --fail-on-drift
	[ "$(jq -c '.drift[0]' <<<"${lines[-1]}")" = '{"metric":"p2_evidence_rows","baseline":5,"current":0,"pct":-1,"flag":"warn"}' ]
}

@test "a metric's name can forge no column, no row, and no terminal" {
	{ row; row 'p3_accepted  1  2  +0.0%  ok\n0\/10 metrics flagged warn, 0 first-run\u001b[2J=1' ' a =1' '\u202ex=1' '=1'; } >two
	run -0 lh-audit-full drift two
	[ "${#lines[@]}" = 6 ]
	[[ ${lines[1]} == '""  '* ]]
	[[ ${lines[2]} == '\x20a\x20  '* ]]
	[[ ${lines[3]} == 'p3_accepted \x201 \x202 \x20+0.0% \x20ok\x0a0/10 metrics flagged warn, 0 first-run\x1b[2J  '* ]]
	[[ ${lines[4]} == '\xe2\x80\xaex  '* ]]
	[ "${lines[5]}" = "0/4 metrics flagged warn, 4 first-run" ]
}

@test "a wrong row, or a metric that is not a number, is reported by drift with its line" {
	{ row a=1; echo; row a='"1"'; } >two
	run -2 --separate-stderr lh-audit-full drift two
	[ -z "$output" ]
	[ "$stderr" = 'lh-audit-full: two:3: metric "a" is not a number' ]
	{ row 'a\u001b=[1]'; row 'a\u001b=1'; } >two
	run -2 --separate-stderr lh-audit-full drift two
	[ "$stderr" = 'lh-audit-full: two:1: metric "a\x1b" is not a number' ]
	{ row a=1e512; row a=1; } >two
	run -2 --separate-stderr lh-audit-full drift two
	[ "$stderr" = 'lh-audit-full: two:1: metric "a" is beyond the range of a double' ]
	{ row a=0.1e-400; row a=1; } >two
	run -2 --separate-stderr lh-audit-full drift two
	[ "$stderr" = 'lh-audit-full: two:1: metric "a" is beyond the range of a double' ]
	{ row b='"x"' a=1e308; row a=1; } >two
	run -0 lh-audit-full drift two
}

# ---- baselines ----

@test "no file is a first run; --append-baseline begins one, and the next audit compares with it" {
	run -1 audit
	[ ! -e $LOG ]
	[ "$(jq -c '[.drift[] | .flag] | unique' <<<"${lines[-1]}")" = '["first_run"]' ]
	run -1 audit --append-baseline
	[ "$(cat $LOG)" = "$(printf '{"recorded_at":"2026-05-03T12:00:00.000Z","metrics":{%s}}' "$(printf ',"%s":0' $TEN | cut -c 2-)")" ]
	run -1 audit --append-baseline
	[ "$(jq -c '[.drift[] | .flag, .pct] | unique' <<<"${lines[-1]}")" = '[null,"ok"]' ]
	[ "$(sort -u $LOG | wc -l)" = 1 ]
	[ "$(wc -l <$LOG)" = 2 ]
	[ "$(jq -c .metrics <<<"${lines[-1]}")" = "$(tail -n 1 $LOG | jq -c .metrics)" ]
}

@test "the folder of baselines is made when it is not there" {
	rm -r r/data
	run -1 audit --append-baseline
	[ "$(wc -l <$LOG)" = 1 ]
}

@test "a root whose data is not a folder has no baseline" {
	rm -r r/data
	echo x >r/data
	run -1 audit
	[ "$(jq -c '[.drift[] | .flag] | unique' <<<"${lines[-1]}")" = '["first_run"]' ]
	run -2 --separate-stderr audit --append-baseline
	[ "${#lines[@]}" = 3 ]
	[[ $stderr == "lh-audit-full: r/data"* ]]
}

@test "a second live audit of a sound root shows +0.0%, - where both are 0, and no warning" {
	lh-gen kb -n 300 --root r
	lh-distill run --root r >/dev/null
	run -0 lh-audit-full --root r --append-baseline --now $NOW
	[ "$(jq -c '[.required_passed, .required_total, .checks_total, .skipped]' <<<"${lines[-1]}")" = '[16,16,22,[]]' ]
	run -0 lh-audit-full --root r --append-baseline --fail-on-drift -q --out report.md
	[ -z "$output" ]
	sed -n '/^metric /,/first-run$/p' report.md >table
	[ "$(awk 'NR > 1 { print $1 }' table | first 10 | tr '\n' ' ')" = "$TEN " ]
	[ "$(awk 'NR > 1 && NR < 12 { print ($2 == 0 ? "0 " : "") $4, $5 }' table | sort -u)" = $'+0.0% ok\n0 - ok' ]
	[ "$(tail -n 1 table)" = "0/10 metrics flagged warn, 0 first-run" ]
	lh-audit-full drift --root r | cmp - table
}

@test "git_commit is that of the root's repository" {
	git init -q r
	run -1 audit --append-baseline
	[ "$(jq -c 'has("git_commit")' $LOG)" = false ]
	git -C r -c user.name=a -c user.email=a@b commit -q --allow-empty -m x
	run -1 audit --append-baseline
	[ "$(tail -n 1 $LOG | jq -c 'keys_unsorted')" = '["recorded_at","git_commit","metrics"]' ]
	[ "$(tail -n 1 $LOG | jq -r .git_commit)" = "$(git -C r rev-parse HEAD)" ]
}

# odd - rows as other programs may write them: each is a baseline.
odd() {
	printf '{ "metrics" : {"p2_evidence_rows" : 5.0, "p3_accepted":1e300, "x":"text", "y":[1,{"z":null}], "big":12345678901234567890123, "neg":-0, "tiny":1e-400}, "recorded_at":42 , "note":"a\\u0000b\\ud83d\\ude00" }\r\n'
	printf ' \r\n\n'
	printf '{"metrics":{"p2_evidence_rows":null,"p3_accepted":1.50},"git_commit":"","deep":%s}\n' "$(python3 -c 'print("[" * 511 + "]" * 511)')"
}

@test "rows of other programs, and what is odd in them, survive byte for byte" {
	{ printf '\xef\xbb\xbf'; odd; printf '{"metrics":{"p2_evidence_rows":7},"last":1e-400}'; } >$LOG
	cp $LOG before
	run -1 audit
	cmp before $LOG
	[ "$(jq -c '.drift[0].baseline' <<<"${lines[-1]}")" = 7 ]
	run -1 audit --append-baseline
	{ cat before; echo; } >want
	head -c "$(stat -c %s want)" $LOG | cmp - want
	[ "$(tail -n +6 $LOG | wc -l)" = 1 ]
	odd >>$LOG
	cp $LOG before
	run -1 audit --append-baseline
	head -c "$(stat -c %s before)" $LOG | cmp - before
	[ "$(jq -c '[.drift[] | select(.baseline != null)] | length' <<<"${lines[-1]}")" = 1 ]
	[[ ${lines[-1]} == *'{"metric":"p3_accepted","baseline":1.50,"current":0,"pct":-1,"flag":"warn"}'* ]]
	odd | first 1 >>$LOG
	run -1 audit
	[[ ${lines[-1]} == *'{"metric":"p2_evidence_rows","baseline":5.0,"current":0,"pct":-1,"flag":"warn"}'* ]]
	[[ ${lines[-1]} == *'{"metric":"p3_accepted","baseline":1e300,"current":0,"pct":-1,"flag":"warn"}'* ]]
}

# bats test_tags=full
@test "a last line that is not a baseline: exit 2 naming it, after the checks, and nothing is appended" {
	deep() { python3 -c 'import sys; n = int(sys.argv[1]); print("{\"metrics\":{},\"x\":" + "[" * n + "]" * n + "}")' "$1"; }
	bad() {	# WANT, the last line on stdin
		{ row p3_accepted=1; echo; cat; } >$LOG
		cp $LOG before
		run -2 --separate-stderr audit --out report.md $how
		[ "$(grep -c '"phase":0' <<<"$output")" = 2 ]
		[ "$(jq -c '[.checks_total, .drift]' <<<"${lines[-1]}")" = '[2,[]]' ]
		[[ $stderr == "lh-audit-full: $LOG:3:"*"$1"* ]] || { echo "$1: $stderr"; return 1; }
		[ "${#stderr_lines[@]}" = 1 ]
		cmp before $LOG
		grep -q 'There is no baseline to compare with: ' report.md
	}
	how=
	printf '[]\n' | bad 'not a JSON object'
	how=--append-baseline
	row p3_accepted=1 | head -c -3 | bad ''
	printf '[]\n' | bad 'not a JSON object'
	printf '{}\n' | bad 'missing "metrics" (object)'
	printf '{"metrics":[]}\n' | bad '"metrics" must be an object'
	printf '{"metrics":{"p3_accepted":"NaN"}}\n' | bad 'metric "p3_accepted" is not a number'
	printf '{"metrics":{"p3_accepted":1e999999999999999999999}}\n' | bad 'metric "p3_accepted" is beyond the range of a double'
	printf '{"metrics":{"p3_accepted":1,"p3_accepted":1}}\n' | bad 'p3_accepted'
	printf '{"metrics":{}}\0\n' | bad ''
	printf '\xef\xbb\xbf{"metrics":{}}\n' | bad ''
	printf '{"metrics":{},"\033[2J":tru}\n' | bad ''
	deep 512 | bad '512'
}

@test "only the last row is judged; the bytes before it may be anything" {
	{ printf '{"torn\n\0\xff\n[]\n'; row p2_evidence_rows=4; } >$LOG
	cp $LOG before
	run -1 audit --append-baseline
	[ "$(jq -c '.drift[0].baseline' <<<"${lines[-1]}")" = 4 ]
	head -c "$(stat -c %s before)" $LOG | cmp - before
}

@test "a row of a hundred megabytes is read, compared with, and left alone" {
	mb=$(scale 16 100)
	{
		row p2_evidence_rows=1
		printf '{"x":"'
		head -c "${mb}M" /dev/zero | tr '\0' x
		printf '","metrics":{"p2_evidence_rows":2}}'
	} >$LOG
	run -1 audit --append-baseline --html page.html
	[ "$(jq -c '.drift[0].baseline' <<<"${lines[-1]}")" = 2 ]
	[ "$(wc -l <$LOG)" = 3 ]
	[ "$(tail -n 2 $LOG | first 1 | wc -c)" = $((mb * 1048576 + 42)) ]
	tail -n 1 $LOG | jq -e .metrics
	[ "$(stat -c %s page.html)" -lt 100000 ]
}

@test "a log of baselines that is a folder, a link, a FIFO, or unreadable: exit 2 after the checks" {
	refused() {
		for how in '' --append-baseline; do
			run -2 --separate-stderr patiently lh-audit-full --root r --observer --phase 0 $how
			[ "${#lines[@]}" = 3 ]
			[ "$stderr" = "lh-audit-full: $LOG: $1" ] || { echo "$stderr"; return 1; }
		done
	}
	mkdir $LOG
	refused "is a directory, not a regular file"
	rmdir $LOG
	row p3_accepted=1 >elsewhere
	ln -s ../../../elsewhere $LOG
	refused "is a symbolic link, not a regular file"
	rm $LOG
	mkfifo $LOG
	refused "is a FIFO, not a regular file"
	rm $LOG
	row p3_accepted=1 >$LOG
	chmod 000 $LOG
	chmod -R a+rwX . r/data/_kb
	chmod 000 $LOG
	if [ "$(id -u)" = 0 ]; then
		run -2 --separate-stderr as_nobody lh-audit-full --root r --observer --phase 0
		[ "${stderr_lines[-1]}" = "lh-audit-full: $LOG: cannot open: Permission denied" ]
		[ "${#lines[@]}" = 3 ]
	fi
	[ "$(wc -l <elsewhere)" = 1 ]
}

# bats test_tags=full
@test "killed at any write, sync or lock of an append: old rows are whole, and the next audit goes on" {
	needs_strace
	row p2_evidence_rows=3 >old
	row p2_evidence_rows=4 | head -c -1 >>old
	kills=0
	for call in write fdatasync fsync flock rename; do
		for ((n = 1; n < 60; n++)); do
			cp old $LOG
			status=0
			inject $call:signal=KILL:when=$n \
				lh-audit-full --root r --observer --phase 0 --append-baseline --out p.md --html p.html >/dev/null 2>&1 || status=$?
			injected || break
			[ "$status" = 137 ]
			kills=$((kills + 1))
			head -c "$(stat -c %s old)" $LOG | cmp - old
			run -1 audit --append-baseline --out p.md --html p.html
			head -c "$(stat -c %s old)" $LOG | cmp - old
			jq -e .metrics $LOG >/dev/null
			no_litter
		done
		[ "$status" = 1 ]
	done
	[ "$kills" -gt 8 ]
}

# bats test_tags=full
@test "a full disk or an I/O error at the append or a report: exit 2, and what was there stays" {
	needs_strace
	row p2_evidence_rows=3 >old
	audit --html p.html >/dev/null || true
	cp p.html want.html
	for call in write fdatasync fsync rename; do
		for error in ENOSPC EIO; do
			for ((n = 1; n < 60; n++)); do
				cp old $LOG
				status=0
				inject $call:error=$error:when=$n lh-audit-full --root r \
					--observer --phase 0 --append-baseline --out p.md --html p.html --now 2026-05-04T00:00:00Z >/dev/null 2>err || status=$?
				injected || break
				[ "$status" = 2 ] || { echo "$call $n: $status"; return 1; }
				head -c "$(stat -c %s old)" $LOG | cmp - old
				[ "$(tail -c 1 $LOG)" = "" ]
				jq -e .metrics $LOG >/dev/null
				tail -n 3 p.html | has '</html>'
				no_litter
			done
		done
	done
}

# ---- the report ----

@test "the report: verdict, checks by phase, metrics, and the table of drift with its last line" {
	row p2_evidence_rows=3 p2_evidence_skips=0 >$LOG
	run -1 lh-audit-full --root r --observer --now $NOW --out report.md
	report=report.md
	[ "$(head -n 1 $report)" = "# Full audit: NOT sound" ]
	grep -qx -- '- recorded at 2026-05-03T12:00:00.000Z, as an observer: nothing was run' $report
	[ "$(grep -c '^### Phase [0-7]: ' $report)" = 8 ]
	[ "$(grep -cE '^\| .* \| (yes|no) \| (passed|\*\*FAILED\*\*|not met|skipped) \|' $report)" = 22 ]
	grep -q '^| recon document present | yes | \*\*FAILED\*\* |' $report
	grep -qx '| p4_total_quarantined | 0 |' $report
	grep -qx 'Against line 1 of `data/_kb/audit_baselines.jsonl`, recorded at 2026-05-02T03:17:00Z.' $report
	{ cat $LOG; tail -n 1 $LOG | jq -c '.metrics = input' - <(tail -n 1 <<<"$output" | jq -c .metrics); } >two
	lh-audit-full drift two >table
	sed -n '/^```text$/,/^```$/p' $report | sed '1d;$d' | cmp - table
	[ "$(tail -n 2 $report | first 1)" = "1/10 metrics flagged warn, 8 first-run" ]
}

@test "no file is written twice, and none in the place of a log" {
	mkdir -p r/data/_kb r/reports/distillation
	echo old >r/data/_kb/audit_baselines.jsonl
	echo old >r/data/_kb/replay_runs.jsonl
	while IFS='|' read -r arguments message; do
		run -2 --separate-stderr lh-audit-full --observer --force --root r $arguments
		[ -z "$output" ]
		[ "$stderr" = "lh-audit-full: $message" ] || { echo "$arguments: $stderr"; return 1; }
	done <<-'END'
	--out a --html a|--html: a is --out
	--out r/data/_kb/audit_baselines.jsonl|--out: r/data/_kb/audit_baselines.jsonl is the file of baselines
	--html r/data/_kb/replay_runs.jsonl|--html: r/data/_kb/replay_runs.jsonl is the log of replays
	END
	[ "$(cat r/data/_kb/*)" = $'old\nold' ]
	[ ! -e a ]
}

@test "no row can forge a heading, a cell or a fence of the report" {
	printf '{"metrics":{"p2_evidence_rows":1,"x":"|"},"recorded_at":"x\\n# Full audit: sound\\n|a|b| `c` <b> ```"}\n' >$LOG
	run -1 audit --out a.md
	[ "$(grep -c '^#' a.md)" = 6 ]
	[ "$(grep -c '```' a.md)" = 2 ]
	grep -qF 'recorded at x\\n# Full audit: sound\\n\|a\|b\| \`c\` \<b\>' a.md
	printf '{"metrics":{},"# x\\n|":1,"# x\\n|":2}\n' >$LOG
	run -2 audit --out a.md
	[ "$(grep -c '^#' a.md)" = 6 ]
	[ "$(grep -c '```' a.md)" = 0 ]
}

# bats test_tags=full
@test "the same under a locale with a decimal comma" {
	needs_comma
	{ row p2_evidence_rows=3.5 p3_accepted=1; row p2_evidence_rows=7 p3_accepted=1; } >$LOG
	audit --out a.md --html a.html >a || true
	with_comma lh-audit-full --root r --observer --phase 0 --now $NOW --out b.md --html b.html >b || true
	cmp a b
	cmp a.md b.md
	cmp a.html b.html
	lh-audit-full drift $LOG >a
	with_comma lh-audit-full drift $LOG >b
	cmp a b
}

# ---- the page ----

# baselines N - that many, a day apart and more, with a spike.
baselines() {
	python3 - "$1" <<-'END'
	import datetime, json, sys
	n = int(sys.argv[1])
	names = "p2_evidence_rows p2_evidence_skips p3_accepted p3_human p3_partial p3_rejected p4_pref_pairs p4_rag_rows p4_sft_rows p4_total_quarantined".split()
	for i in range(n):
	    t = datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=i)
	    m = {k: 100 + (i * (j + 3)) % 17 + (9000 if i == n // 2 and j == 2 else 0) for j, k in enumerate(names)}
	    print(json.dumps({"recorded_at": t.strftime("%Y-%m-%dT%H:%M:%SZ"), "metrics": m}, separators=(",", ":")))
	END
}

@test "the page: verdict on top, checks by phase, a chart a metric of 40 baselines and this audit" {
	baselines 40 >$LOG
	lh-audit-full --root r --observer --now $NOW --html page.html >lines || [ "$?" = 1 ]
	grep -qE '<div class="verdict bad" id="verdict"><strong>The pipeline is not sound.</strong> [0-9]+ of 12 required checks failed: recon document present; ' page.html
	[ "$(grep -o '<h3>Phase [0-7]' page.html | cut -d' ' -f2 | paste -sd' ')" = "0 1 2 3 4 5 6 7" ]
	grep -qF '10 of 10 metrics moved by more than a fifth' page.html
	grep -qF 'Each chart begins at 0 and goes over 40 baselines on file, then this audit' page.html
	[ "$(grep -o '<path class="line" d="[^"]*' page.html | tr -cd 'ML\n' | sort | uniq -c | tr -s ' ')" = " 10 M$(stretch 40 L)" ]
	grep -qF '<title id="t2">p3_accepted over 41 audits</title>' page.html
	grep -qF '<desc id="d2">0 now; lowest 0, highest 9115</desc>' page.html
	while read -r name; do grep -qF -- "<bdi>${name//>/&gt;}</bdi>" page.html || { echo "$name"; return 1; }; done < <(jq -r 'select(.name) | .name' lines)
	# the newest 299, and a gap where a row has no number
	baselines 400 | sed '$s/"p3_accepted":[0-9]*/"p3_accepted":"x"/' >$LOG
	lh-audit-full --root r --observer --now $NOW --html page.html >/dev/null 2>&1 || [ "$?" = 2 ]
	grep -qF '<title id="t2">p3_accepted over 300 audits</title>' page.html
	[ "$(grep -o '<path class="line" d="[^"]*' page.html | sed -n 3p | tr -cd M | wc -c)" = 2 ]
}

@test "the page holds nothing that loads, links or runs, whatever is on file" {
	printf '{"recorded_at":"<script>alert(1)</script>","metrics":{"p2_evidence_rows":1,"<img src=x onerror=alert(1)>":2},"git_commit":"<b>"}\n' >$LOG
	mkdir -p r/reports/distillation/'<img src=x>' r/exports/rag
	echo '{"<script>":1,"<script>":2}' | tee r/exports/rag/playbooks.jsonl >r/reports/distillation/'<img src=x>'/summary.json
	lh-audit-full --root r --observer --html page.html >/dev/null || [ "$?" = 1 ]
	printf '{"<script>":1,"<script>":2}\n' >>$LOG
	lh-audit-full --root r --observer --html bad.html >/dev/null 2>&1 || [ "$?" = 2 ]
	for page in page.html bad.html; do
		run ! grep -qiE '<(script|img|iframe|a|link|b)[ >]|<[^>]*(src|href|onerror)=' <(sed 's/<b>[0-9]*<\/b>//g' $page)
		grep -q "Content-Security-Policy\" content=\"default-src 'none'" $page
	done
	grep -qF 'The baseline cannot be read' bad.html
	grep -qF '&lt;script&gt;' bad.html
}

@test "a baseline of which another program has appended a part is read when it is whole" {
	needs_strace
	row p3_accepted=1 >$LOG
	row p3_accepted=2 | head -c 30 >>$LOG
	inject clock_nanosleep:delay_exit=1000000 lh-audit-full --root r --observer --phase 0 >out 2>err &
	pid=$!
	until_so grep -qs DELAYED trace
	row p3_accepted=2 | tail -c +31 >>$LOG
	wait "$pid" || [ "$?" = 1 ]
	[ ! -s err ] || ! grep audit_baselines err
	row p3_accepted=2 | head -c 30 >>$LOG
	run -2 --separate-stderr lh-audit-full --root r --observer --phase 0
	[[ $stderr == *"$LOG:3:"* ]]
}
