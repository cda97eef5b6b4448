# share/examples: the audit every night.
# Plain only: scripts of share/ and examples of the manual, over commands that other
# files test.
# bats file_tags=plain-only
load ../helper

NIGHTLY=$ROOT/share/examples/lh-audit-full-nightly

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	lh-gen kb -n 60 --root root
	LH_NOW=2026-05-01T12:00:00Z lh-distill run --root root >/dev/null
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR"/root .
}

# night DAY [OPTION]... - that day's run.
night() {
	LH_NOW=$1T03:47:00Z "$NIGHTLY" root audits "${@:2}"
}

@test "a good night is silent, and leaves a baseline, a report and a page" {
	run -0 night 2026-05-03
	[ -z "$output" ]
	[ "$(ls audits/audit-2026-05-03 | paste -sd' ')" = "report.html report.md" ]
	[ "$(jq -r .recorded_at root/data/_kb/audit_baselines.jsonl)" = 2026-05-03T03:47:00.000Z ]
	[ "$(find root -newer audits/audit-2026-05-03/report.md -type f ! -name audit_baselines.jsonl)" = "" ]
}

# bats test_tags=full
@test "of 35 nights thirty stay, the newest, and 35 baselines" {
	for ((n = 0; n < 35; n++)); do
		run -0 night "$(date -u -d "2026-02-10 + $n days" +%Y-%m-%d)" --observer
		[ -z "$output" ] || { echo "$output"; return 1; }
	done
	[ "$(ls audits | wc -l)" = 30 ]
	[ "$(ls audits | first 1)" = audit-2026-02-15 ]
	[ "$(ls audits | tail -n 1)" = audit-2026-03-16 ]
	[ "$(find audits -type f | wc -l)" = 60 ]
	[ "$(wc -l <root/data/_kb/audit_baselines.jsonl)" = 35 ]
	lh-audit-full drift --root root | tail -n 1 | grep -x '0/10 metrics flagged warn, 0 first-run'
}

@test "a second run of a night takes the place of the first" {
	night 2026-05-03 --observer
	night 2026-05-03 --observer
	[ "$(ls audits)" = audit-2026-05-03 ]
	[ "$(wc -l <root/data/_kb/audit_baselines.jsonl)" = 2 ]
}

@test "what is not its own stays: other names, links, folders with something in them" {
	mkdir -p audits elsewhere audits/audit-2025-01-02 audits/audit-2025-1-3 audits/audit-2025-01-04x "audits/audit-2025-01-05
audit-2025-01-06" audits/audit-2025-01-07/report.md
	touch elsewhere/report.md audits/audit-2025-01-08 audits/audit-2025-01-02/notes audits/audit-2025-01-02/report.md
	ln -s ../elsewhere audits/audit-2025-01-01
	for ((i = 0; i < 31; i++)); do
		mkdir "audits/audit-2025-$(printf '%02d-%02d' $((i / 28 + 2)) $((i % 28 + 1)))"
	done
	ls audits | grep -v 2025-0[23] >before
	night 2026-05-03 --observer
	[ "$(ls audits | grep -v '2025-0[23]\|2026')" = "$(cat before)" ]
	[ -e elsewhere/report.md ]
	[ -e audits/audit-2025-01-02/report.md ]
	[ "$(ls -d audits/audit-202[56]-0[235]-* | wc -l)" = 30 ]
}

@test "a night on which a check fails says which, and keeps its report" {
	night 2026-05-02 --observer
	rm root/docs/recon/local-distillation-recon.md
	run -1 night 2026-05-03 --observer
	diff - <(echo "$output") <<-'END'
		The audit of root found faults.
		- recon document present: expected docs/recon/local-distillation-recon.md, found absent.
		  What to do: Write the document, or put it back.
		Written this night:
		audits/audit-2026-05-03/report.html
		audits/audit-2026-05-03/report.md
	END
	[ "$(ls audits/audit-2026-05-03 | wc -l)" = 2 ]
	[ "$(wc -l <root/data/_kb/audit_baselines.jsonl)" = 2 ]
}

@test "drift is news when asked for" {
	night 2026-05-02 --observer
	echo '{"recorded_at":"2026-05-02T12:00:00.000Z","metrics":{"p2_evidence_rows":2}}' >>root/data/_kb/audit_baselines.jsonl
	run -1 night 2026-05-03 --observer --fail-on-drift
	[[ $output == *$'\n- Drift: p2_evidence_rows was 2 and is 60 (+2900.0%).\n'* ]]
	[[ $output != *'{"'* ]]
}

@test "a night that could not be made leaves no folder, and older ones alone" {
	night 2026-05-02 --observer
	flock -F root/.lh-lock sleep 600 3>&- &
	until_so eval '! flock -n root/.lh-lock true'
	run -2 night 2026-05-03 --observer
	kill %1
	wait %1 || true
	[[ $output == *"could not be made (status 2)."$'\n'*"another audit or run is at work there"* ]]
	[[ $output != *"Written this night"* ]]
	[ "$(ls audits)" = audit-2026-05-02 ]
	run -2 "$NIGHTLY" root
	[[ $output == usage:* ]]
	LH_NOW=../../x run -2 "$NIGHTLY" root audits
	[ "$(ls audits)" = audit-2026-05-02 ]
}

@test "a state that only serves is said once to have no distillation, and loses none in silence" {
	mkdir -p served/index
	for said in "There is no distillation in served, which only serves: there is nothing to audit.  This is said once." ''; do
		run -0 "$NIGHTLY" served audits
		[ "$output" = "$said" ]
		[ "$(ls audits)" = no-distillation ]
	done
	mv served/index root
	run -0 night 2026-05-02
	[ "$(ls audits)" = audit-2026-05-02 ]
	rm -r root/data root/exports root/reports root/docs
	run -1 night 2026-05-03 --observer
	[[ $output == 'The audit of root found faults.'* ]]
	# a folder that is no state, such as of a name mistyped, is a fault
	mkdir empty
	run -1 "$NIGHTLY" empty others --observer
	[ "$(ls others | wc -l)" = 1 ]
}

@test "checks of the datasets that fail are named, without their rows; the rest is silent" {
	local folder
	mkdir checks
	echo '{"check":"unique","dataset":"w","column":"id"}' >checks/w.jsonl
	printf 'id,pay,name,passed,rows,first\n1,20,,,,\n2,30,Ann,false,7,1\n' | lh-ingest -q --store root/store --catalog root/catalog --name w >/dev/null
	export DATA_CHECKS=$PWD/checks
	run -0 night 2026-05-03 --observer
	[ -z "$output" ]
	[ "$(lh-catalog get --catalog root/catalog w | jq -c '[.checks.at, .checks.passed, .checks.failed]')" = '["2026-05-03T03:47:00.000Z",1,0]' ]
	printf 'SELECT * FROM w WHERE pay > 25' >checks/pay.sql
	printf 'SELECT * FROM none' >checks/none.sql
	run -1 night 2026-05-04 --observer
	[ "${#lines[@]}" = 3 ]
	[ "${lines[0]}" = "Checks of the datasets of root have failed ($PWD/checks):" ]
	[[ ${lines[1]} == "- none: no such table: none"* ]]
	[ "${lines[2]}" = '- pay: 1 rows are wrong' ]
	rm checks/none.sql
	# a state that only serves has its checks as well
	mkdir -p serving/index
	mv root/catalog root/store serving
	sed -i 's,/root/store,/serving/store,' serving/catalog/*.json
	run -1 env LH_NOW=2026-05-03T03:47:00Z "$NIGHTLY" serving audits2
	[ "${lines[1]}" = '- pay: 1 rows are wrong' ]
	rm checks/pay.sql
	run -0 env LH_NOW=2026-05-03T03:47:00Z "$NIGHTLY" serving audits2
	[ -z "$output" ]
}
