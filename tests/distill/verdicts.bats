# No tool calls sound what it did not look at: each file that a verdict covers is forged,
# cut and removed, and the verdict turns, or says that it does not cover the file.
load ../helper
load ../audit

NOW=2026-05-03T12:00:00Z

setup_file() {
	unset LH_DISTILL_ROOT
	cd "$BATS_FILE_TMPDIR" || return 1
	lh-gen kb -n 120 --dirty --root good
	lh-distill run -q --root good --run-id one --now $NOW >/dev/null || [ $? = 1 ]
}

root() {
	cp -r "$BATS_FILE_TMPDIR/good" r
}

# more - rows at the ends of the sources.
more() {
	local file
	lh-gen kb -n 40 --seed 9 --root more
	for file in more/data/_kb/*.jsonl; do cat "$file" >>"r/data/_kb/${file##*/}"; done
}

# covered - every file that the newest receipts name, the receipts and the summary.
covered() {
	jq -r '.inputs.files[].path, .outputs.files[].path' r/reports/distillation/one/{collect,score,export-*}.json | sort -u
	ls r/reports/distillation/one/{collect,score,export-*,summary}.json | sed 's,^r/,,'
}

# spoil HOW FILE
spoil() {
	case $1 in
	forge) python3 - "$2" <<-'PY' ;;	# a digit: the size stays
	import re, sys
	data = bytearray(open(sys.argv[1], "rb").read())
	what = rb'(?:sha256|_hash|timestamp|record_count|accepted)":"?[a-f]*[0-9]' if "/reports/" in sys.argv[1] else rb"[0-9]"
	digits = [m.end() - 1 for m in re.finditer(what, data)]
	digit = digits[len(data) // 97 % len(digits)]
	data[digit] = ord("1") if data[digit] != ord("1") else ord("2")
	open(sys.argv[1], "wb").write(data)
	PY
	cut) sed -i '$d' "$2" ;;
	add) tail -n 1 "$2" >last; cat last >>"$2" ;;
	remove) rm "$2" ;;
	esac
}

# verdict_of FILE - an audit that looks at the files, and health.
verdict_of() {
	audited=0 health=0
	lh-audit-full --root r --phase 4 --phase 5 --html page.html --now $NOW >lines 2>err || audited=$?
	lh-distill health --all --root r >healthy 2>said || health=$?
}

@test "each file that receipts cover, forged, cut, removed or added to: the audit and health fail and name it" {
	root
	verdict_of
	[ "$audited $health" = "0 0" ] || { cat lines said; return 1; }
	covered >files
	[ "$(wc -l <files)" -ge 40 ]
	for kind in _kb/distillation_skips _kb/ evidence/ scored-runs/ exports/rag exports/sft exports/pref exports/quarantine reports/; do
		grep -q "$kind" files
	done
	# of files of one kind a few are enough
	while read -r kind; do grep "$kind" files | shuf -n "$(scale 1 3 3)" --random-source=/dev/zero; done <<-'END' | sort -u >some
	_kb/
	distillation_skips
	evidence/
	scored-runs/
	exports/
	exports/.*/[^q].*
	reports/
	summary
	END
	n=0
	while read -r file; do
		cp -p "r/$file" kept
		for how in forge cut remove add; do
			case $how:$file in
			add:data/_kb/distillation_skips.jsonl) ;;
			add:data/_kb/* | cut:reports/* | add:reports/*) continue ;;
			esac
			spoil $how "r/$file"
			verdict_of
			[ "$audited" = 1 ] || { echo "$how $file: the audit says $audited"; cat lines; return 1; }
			[ "$health" = 1 ] || { echo "$how $file: health says $health"; cat said; return 1; }
			[ "$how $(basename "$file")" = "remove summary.json" ] ||
				jq -r 'select(.passed == false).notes' lines | has -F "$(basename "$file")" || { echo "$how $file: not named"; cat lines; return 1; }
			grep -qF "$(basename "$file")" said || [ "$(basename "$file")" = summary.json ] ||
				{ echo "$how $file: not named by health"; cat said; return 1; }
			run ! grep -qF 'is sound' page.html
			cp -p kept "r/$file"
			n=$((n + 1))
		done
	done <some
	[ "$n" -ge "$(scale 15 40 40)" ]
	verdict_of
	[ "$audited $health" = "0 0" ]
}

@test "a forged sample, a sample that was deleted, and no exports at all are not sound in an audit of all 22 checks" {
	root
	lh-audit-full --root r --html page.html >lines
	grep -qF 'The pipeline is sound.' page.html
	for how in 's/accepted/acceptex/' 1d; do
		cp -r r/exports kept
		sed -i "$how" r/exports/rag/playbooks.jsonl
		run -1 lh-audit-full --root r --html page.html
		grep -qF 'The pipeline is not sound.' page.html
		grep -qF 'exports/rag/playbooks.jsonl: was ' page.html
		[ "$(tail -n 1 <<<"$output" | jq -c '[.required_total, .checks_total]')" = '[16,22]' ]
		rm -r r/exports
		mv kept r/exports
	done
	rm -r r/exports
	run -1 lh-audit-full --root r --observer --html page.html
	[ "$(tail -n 1 <<<"$output" | jq -c '[.required_passed, .required_total]')" = '[11,12]' ]
	[ "$(grep -o 'exports/[a-z/_]*.jsonl: is gone' page.html | sort -u | wc -l)" = "$(find "$BATS_FILE_TMPDIR/good/exports" -type f | wc -l)" ]
}

@test "a file that no receipt names is a fault among evidence, scores and exports, and a note among sources" {
	root
	for file in data/evidence/2026/05/04/audits.jsonl data/scored-runs/2026/05/04/audits.jsonl; do
		mkdir -p "r/$(dirname $file)"
		tail -n 1 r/data/evidence/2026/05/03/audits.jsonl >"r/$file"
		verdict_of
		[ "$audited $health" = "1 1" ]
		grep -qF "$file: no receipt names it" lines
		grep -qF "$file: no receipt names it" said
		rm "r/$file"
	done
	[ -e r/data/_kb/outcomes.jsonl ]
	jq -c '.inputs.files |= map(select(.path != "data/_kb/outcomes.jsonl"))' r/reports/distillation/one/collect.json >new
	mv new r/reports/distillation/one/collect.json
	python3 "$ROOT/tests/reseal.py" r one
	verdict_of
	[ "$audited $health" = "0 0" ] || { cat lines said; return 1; }
	jq -r 'select(.name == "receipts valid").notes' lines | has '^data/_kb/outcomes.jsonl: not compared'
	grep -q 'data/_kb/outcomes.jsonl: not compared' said
}

@test "a source that was appended to, a later stage and a run that was resumed are no faults" {
	root
	more
	verdict_of
	[ "$audited $health" = "0 0" ] || { cat lines said; return 1; }
	run -1 lh-materialize --root r --now 2026-05-04T12:00:00Z
	verdict_of
	[ "$audited $health" = "0 0" ] || { cat lines said; return 1; }
	lh-score --root r --now 2026-05-04T13:00:00Z >/dev/null
	lh-export rag --root r --now 2026-05-04T14:00:00Z >/dev/null
	verdict_of
	[ "$audited $health" = "0 0" ] || { cat lines said; return 1; }
	sed -i 1d r/exports/rag/playbooks.jsonl
	verdict_of
	[ "$audited $health" = "1 1" ]
}

@test "a newer run without its summary, and a root without any receipt, are not called sound" {
	root
	more
	lh-distill run -q --root r --run-id two --now 2026-05-04T12:00:00Z >/dev/null || [ $? = 1 ]
	rm r/reports/distillation/two/summary.json
	verdict_of
	[ "$audited" = 1 ]
	jq -r 'select(.name == "summary valid").notes' lines | has -F 'reports/distillation/two: the newest run has a drift.json but no summary.json'
	rm -r r/reports
	verdict_of
	[ "$audited $health" = "1 1" ]
	grep -q 'data/evidence/.*: not compared, there is no receipt of collect' said
}

@test "health of a root without evidence says so and is exit 1, unless --allow-empty" {
	mkdir -p bare/data
	for all in '' --all; do
		run -1 --separate-stderr lh-distill health $all --root bare
		[ "${stderr_lines[0]}" = "lh-distill: 0 rows of evidence in bare: --allow-empty if that is right" ]
	done
	run -0 --separate-stderr lh-distill health --root bare --allow-empty
	[ "$stderr" = "lh-distill: 0 rows of evidence in bare" ]
}

@test "receipts that name files elsewhere are refused, and the files are not opened" {
	root
	needs_strace
	for path in ../secret /etc/hostname data/evidence/../../../secret docs/recon/x.jsonl; do
		echo s >secret
		jq -c --arg p "$path" '.inputs.files[0].path = $p' r/reports/distillation/one/score.json >new
		cp new r/reports/distillation/one/score.json
		strace -f -qq -o trace -e trace=openat lh-audit-full --root r --observer --phase 5 >lines 2>err || [ $? = 1 ]
		jq -r 'select(.name == "receipts valid").notes' lines | has -F "no stage has a file \"$path\""
		run ! grep -F -e '/secret"' -e /etc/hostname trace
		root
		rm -rf r/good
	done
}

@test "the page says of each check what it looked at, what that means and what to do; of those that did not run, nothing" {
	root
	lh-audit-full --root r --observer --html page.html --out report.md >lines
	[ "$(grep -c '</em>: looked at .* It means: .* If it fails: ' page.html)" = 22 ]
	[ "$(grep -c ': looked at nothing\. ' page.html)" = 4 ]
	# it is the report, in another form
	sed -n '/^- \*/{s/\\//g;s/^- .\(.*\)\*: looked/\1: looked/;p}' report.md >words
	sed -n '/^<li><em>/{s/<[^>]*>//g;s/&gt;/>/g;p}' page.html | alike words -
	run ! grep -qF 'The pipeline is sound' page.html
	grep -qF 'What was looked at is sound.</strong> All 12 required checks passed. Not looked at: schema validators pass; ' page.html
	[ "$(head -n 1 report.md)" = "# Full audit: sound as far as it looked" ]
	[ "$(grep -c '^- \*.*: looked at ' report.md)" = 22 ]
	sed -i 1d r/exports/rag/playbooks.jsonl
	lh-audit-full --root r --observer --html page.html >lines || [ $? = 1 ]
	[ "$(grep -c '<strong class="bad">FAILED</strong>' page.html)" = 1 ]
	grep -qF 'No audit looks at logs of accesses' page.html
}

# ---- logs of accesses ----

@test "with a key of another, verify, report, accesses and anchor ask whether it is the right one, exit 2, and make no page" {
	for id in W-1 W-2 W-3; do log $id 4; done
	(umask 077 && head -c 32 /dev/urandom >other)
	for command in "verify --dir d" "verify --all d/W-1.audit.jsonl" "report W-1 --dir d --html page.html" "accesses --dir d" "anchor --dir d"; do
		run -2 --separate-stderr lh-subject-audit $command --key-file other
		[ -z "$output" ] || { echo "$command: $output"; return 1; }
		[ "$stderr" = "lh-subject-audit: no row verifies with this key: is it the right one?" ] || { echo "$command: $stderr"; return 1; }
		[ ! -e page.html ]
	done
	# one log is forged as a whole, but the key is right: the others verify
	lh-subject-audit anchor --dir d >kept
	sed -i s/success/denied/ d/W-1.audit.jsonl
	run -1 --separate-stderr lh-subject-audit verify --dir d
	[ "$(jq -c .verified <<<"$output" | paste -sd' ')" = "false true true" ]
	[ "${stderr_lines[0]}" = "lh-subject-audit: d/W-1.audit.jsonl: tampered after 0 good rows (row 0: row_hmac mismatch)" ]
	[ "${stderr_lines[-1]}" = "lh-subject-audit: 3 logs, 8 rows: 2 intact, 2 logs not compared with an anchor, 1 tampered" ]
	run -1 --separate-stderr lh-subject-audit anchor --dir d --against kept
	[ -z "$output" ]
	[ "$stderr" = "lh-subject-audit: d/W-1.audit.jsonl: row 0: row_hmac mismatch" ]
	run -1 --separate-stderr lh-subject-audit anchor --dir d
	[ "$stderr" = "lh-subject-audit: d/W-1.audit.jsonl: row 0: row_hmac mismatch; the 0 rows before it are anchored" ]
	run -1 --separate-stderr lh-subject-audit report W-1 --dir d --html page.html
	[[ $(jq -r .completeness_attestation <<<"$output") == "The audit log is damaged (row 0: row_hmac mismatch)"* ]]
	[ -e page.html ]
}

@test "each log, forged, cut or removed: verify, report, the page and requests against an anchor say so" {
	for id in W-1 W-2 W-3; do log $id 5; done
	lh-subject-audit anchor --dir d >kept
	run -0 --separate-stderr lh-subject-audit verify --dir d --against kept
	[ "$stderr" = "lh-subject-audit: 3 logs, 15 rows: all as anchored" ]
	for where in --against beside folder; do
		set --
		rm -rf d/anchor.jsonl anchors
		unset LH_ANCHORS
		case $where in
		--against) set -- --against kept ;;
		beside) cp kept d/anchor.jsonl ;;
		folder)
			mkdir anchors
			cp kept anchors/anchor-20260101T000000Z.jsonl
			export LH_ANCHORS=anchors
			;;
		esac
		cp -r d good
		run -0 lh-subject-audit report W-2 --dir d "$@"
		for how in 3s/success/denied/ '$d' remove; do
			case $how in
			remove) rm d/W-2.audit.jsonl ;;
			*) sed -i "$how" d/W-2.audit.jsonl ;;
			esac
			run -1 --separate-stderr lh-subject-audit report W-2 --dir d --html page.html "$@"
			[ "$(jq .audit_log.chain_verified <<<"$output")" = false ]
			run ! grep -qF 'This record is genuine' page.html
			[ "$how" != '$d' ] || grep -qF 'It has 4, and a signed note that was made of it before has 5 (anchor: expected 5 rows)' page.html
			answer=$(echo '{"op":"report","id":"W-2"}' | lh-subject-audit requests --dir d "$@" --on-error emit || true)
			[ "$how" = 3s/success/denied/ ] || [ "$(jq .error.code <<<"$answer")" = 503 ]
			cp good/W-2.audit.jsonl d/
		done
		rm -r good
	done
	sed -i '$d' d/W-2.audit.jsonl
	run -1 --separate-stderr lh-subject-audit verify --dir d --against kept
	[ "${stderr_lines[0]}" = "lh-subject-audit: d/W-2.audit.jsonl: cut or replaced: it has 4 rows, and should have the 5 of the anchor (anchor: expected 5 rows); 1 row is missing: put a copy of the log back; or, if you know why, accept it: lh-subject-audit anchor --against ANCHOR --accept REASON" ]
	truncate -s -5 d/W-1.audit.jsonl
	run -1 --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
	[ "${stderr_lines[0]}" = "lh-subject-audit: d/W-1.audit.jsonl: torn: its last line is incomplete (row 4: torn); lh-subject-audit repair removes it and keeps the 4 rows before" ]
	[ "$(jq -r .error <<<"$output")" = "row 4: torn" ]
	run -1 --separate-stderr lh-subject-audit verify --all d/W-1.audit.jsonl
	[ "$(jq -c .broken <<<"$output")" = '[{"row":4,"error":"torn","line":5}]' ]
	# other programs know no torn line
	run -1 --separate-stderr lh-subject-audit verify --wire d/W-1.audit.jsonl
	[ "$(jq -r .error <<<"$output")" = "row 4: invalid JSON" ]
	unset LH_ANCHORS
	run -1 lh-subject-audit report W-1 --dir d --html page.html
	[[ $output == *"The audit log is torn (row 4: torn)"*"lh-subject-audit repair removes it"* ]]
	grep -qF 'it is torn (row 4: torn)' page.html
}

@test "times may be days and months of UTC, and a --from after --to is exit 2" {
	for ts in 2026-02-28T23:59:59.999Z 2026-03-01T00:00:00Z 2026-03-31T23:59:59.5Z 2026-04-01T01:30:00+02:00 2026-04-01T00:00:00Z; do
		record W-1 | jq -c --arg ts "$ts" '. + {ts: $ts}'
		record W-2 | jq -c --arg ts "$ts" '. + {ts: $ts}'
	done | lh-subject-audit append --dir d >/dev/null
	while read -r rows window; do
		[ "$(lh-subject-audit report W-1 --dir d $window | jq .audit_log.rows_in_window)" = "$rows" ] || { echo "$window"; return 1; }
		[ "$(lh-subject-audit accesses --dir d $window 2>err | wc -l)" = $((2 * rows)) ]
		grep -qx "lh-subject-audit: $((2 * rows)) accesses to the data of 2 persons" err
	done <<-'END'
	5
	3 --from 2026-03-01 --to 2026-03-31
	3 --from 2026-03 --to 2026-03
	4 --from 2026-03-01
	4 --to 2026-03
	1 --from 2026-02 --to 2026-02-28
	END
	for bad in "--from 2026-13" "--to 2026-02-30" "--from 2026-3-1" "--from yesterday" "--from 2026-03-02 --to 2026-03-01"; do
		run -2 --separate-stderr lh-subject-audit report W-1 --dir d $bad
		[ -z "$output" ]
		[[ $stderr == "lh-subject-audit: --from"* || $stderr == "lh-subject-audit: --to"* ]]
	done
	answer=$(echo '{"op":"report","id":"W-1","from":"2026-04-01","to":"2026-03"}' | lh-subject-audit requests --dir d --on-error emit || true)
	[ "$(jq .error.code <<<"$answer")" = 400 ]
	answer=$(echo '{"op":"report","id":"W-1","from":"2026-03","to":"2026-03"}' | lh-subject-audit requests --dir d)
	[ "$(jq .audit_log.rows_in_window <<<"$answer")" = 3 ]
}

# ---- other verdicts ----

@test "an index and a manifest's root, forged, cut or removed, do not verify" {
	lh-gen workers -n 50 | lh-index build -q i.lhv -
	log W-1 3
	manifest W-1 ".audit_log_chain_root = \"$(verdict tip d/W-1.audit.jsonl)\"" | lh-subject-audit manifest put --dir d >/dev/null
	verifies() {
		case $1 in
		i.lhv) lh-index verify i.lhv ;;
		d/*) lh-subject-audit manifest verify --dir d W-1 ;;
		esac >out 2>&1
	}
	n=0
	for file in i.lhv d/W-1.audit.jsonl; do
		verifies $file
		cp $file kept
		for how in forge cut remove; do
			case $how in
			forge) python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(100); c = f.read(1); f.seek(100); f.write(bytes([c[0] ^ 1]))' $file ;;
			cut) truncate -s -200 $file ;;
			remove) rm $file ;;
			esac
			rc=0
			verifies $file || rc=$?
			[ "$rc" = 1 ] || [ "$rc" = 2 ] || { echo "$how $file: $rc"; cat out; return 1; }
			cp kept $file
			n=$((n + 1))
		done
	done
	[ "$n" = 6 ]
}
