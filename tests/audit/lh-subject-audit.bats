# lh-subject-audit verify; tampering.txt lists what is done to a log and what must
# be said of it.
# bats file_tags=long
load ../helper
load ../audit

# The logs of the table, t, and what is to be said of each, want.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	key_of_tests
	mkdir t
	python3 "$ROOT/tests/oracle/tamper.py" key "$ROOT/tests/tampering.txt" t >want
}

# ---- known answers ----

@test "known-answer is the fixed row, its MAC and its length, without a key" {
	unset LH_SUBJECT_AUDIT_KEY
	run -0 --separate-stderr lh-subject-audit known-answer
	[ "$output" = '{"mode":"known_answer","canonical":"{\"accessor\":{\"daemon\":\"gateway\",\"kind\":\"gateway_lookup\",\"purpose\":\"parity_test\",\"trace_id\":\"trace-fixed\"},\"candidate_id\":\"WORKER-FIXED\",\"fields_accessed\":[\"name\"],\"prev_chain_hash\":\"GENESIS\",\"result\":\"success\",\"schema\":\"subject_audit.v1\",\"ts\":\"2026-05-03T12:00:00Z\"}","hmac":"f730fa038c847c27386b92eb1939ec64c62086c0a92617ac0bdf9f650c390b96","canonical_bytes_len":266}' ]
	refused 'unexpected operand "x": known-answer takes none' known-answer x
}

@test "append makes the chain of WORKER-1 with the known MACs" {
	cat >in <<-'END'
	{"candidate_id":"WORKER-1","ts":"2026-05-03T09:00:00.461439210Z","accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"tool_lookup","trace_id":""},"fields_accessed":["name","phone"],"result":"success"}
	{"result":"not_found","fields_accessed":["exists"],"accessor":{"purpose":"validator_worker_lookup","kind":"validator_lookup","daemon":"gateway"},"ts":"2026-05-03T09:00:01Z","candidate_id":"WORKER-1"}
	{"candidate_id":"WORKER-1","ts":"2026-05-03T09:00:02.500Z","accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"caf\u00e9 \"q\" <\/&>","trace_id":"t-3"},"fields_accessed":[],"result":"error"}
	END
	run -0 --separate-stderr lh-subject-audit append --dir d in
	[ "$output" = "$(cat d/WORKER-1.audit.jsonl)" ]
	[ "$(jq -r .row_hmac d/WORKER-1.audit.jsonl | tr '\n' ' ')" = "4f658d9adea2454252e9340fe1192953d6272d3780d118b4c837fd1bbc650971 3529a596290d31e7b1ad8ba8c4bd039b4972409b9bb5ecf74d7f7c7a1a6e20ef c6d38cb0ad488bb2c33eb004a36ed44921d620c6a111c2b38ca8b3e26a2cb31b " ]
	[ "${lines[0]}" = '{"schema":"subject_audit.v1","ts":"2026-05-03T09:00:00.461439210Z","candidate_id":"WORKER-1","accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"tool_lookup","trace_id":""},"fields_accessed":["name","phone"],"result":"success","prev_chain_hash":"GENESIS","row_hmac":"4f658d9adea2454252e9340fe1192953d6272d3780d118b4c837fd1bbc650971"}' ]
	[[ ${lines[2]} == *'"purpose":"café \"q\" </&>"'* ]]
}

# ---- verify ----

@test "verify gives one line per log, and --wire the other programs' line" {
	log W-1 3
	tip=$(tail -n 1 d/W-1.audit.jsonl | jq -r .row_hmac)
	run -0 --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
	[ "$output" = '{"file":"d/W-1.audit.jsonl","count":3,"tip":"'"$tip"'","verified":true,"error":null,"state":"intact"}' ]
	[ "$stderr" = "lh-subject-audit: 1 log, 3 rows: all intact, but not compared with an anchor" ]
	run -0 --separate-stderr lh-subject-audit verify --wire d/W-1.audit.jsonl
	[ "$output" = '{"mode":"verify","count":3,"tip":"'"$tip"'","verified":true,"error":""}' ]
	sed -i 2s/success/denied/ d/W-1.audit.jsonl
	tip=$(head -n 1 d/W-1.audit.jsonl | jq -r .row_hmac)
	run -1 --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
	[ "$output" = '{"file":"d/W-1.audit.jsonl","count":1,"tip":"'"$tip"'","verified":false,"error":"row 1: row_hmac mismatch","state":"tampered","line":2}' ]
	run -1 --separate-stderr lh-subject-audit verify --wire d/W-1.audit.jsonl
	[ "$output" = '{"mode":"verify","count":1,"tip":"'"$tip"'","verified":false,"error":"row 1: row_hmac mismatch"}' ]
}

@test "the byte order mark of an editor is named, append refuses to go on behind it, and without it the log is intact" {
	log W-1 3
	cp d/W-1.audit.jsonl whole
	{ printf '\xef\xbb\xbf'; cat whole; } >d/W-1.audit.jsonl
	cp d/W-1.audit.jsonl marked
	run -1 --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
	[[ ${stderr_lines[0]} == *'tampered after 0 good rows (row 0: invalid JSON: a byte order mark, which an editor writes '* ]]
	record W-1 9 >more
	run --separate-stderr lh-subject-audit append --dir d more
	[[ $status != 0 && $stderr == *'begins with the byte order mark of an editor'* ]]
	cmp marked d/W-1.audit.jsonl
	tail -c +4 marked >d/W-1.audit.jsonl
	lh-subject-audit verify d/W-1.audit.jsonl >/dev/null
	{ head -n 1 whole; printf '\xef\xbb\xbf'; tail -n 2 whole; } >d/W-1.audit.jsonl
	run -1 --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
	[[ ${stderr_lines[0]} == *'tampered after 1 good row (row 1: invalid JSON: a byte order mark'* ]]
}

@test "a log without rows is empty and not intact, unless --allow-empty; one that is named and absent is an error, and the next goes on" {
	mkdir d
	: >d/empty.audit.jsonl
	echo >d/blank.audit.jsonl
	empty=$'lh-subject-audit: d/empty.audit.jsonl: empty: its rows were removed, or none was ever written (no rows); verify --allow-empty if that is right\n'
	for wire in '' --wire; do
		run -2 --separate-stderr lh-subject-audit verify $wire d/absent.audit.jsonl d/empty.audit.jsonl absent
		[ "${#lines[@]}" = 1 ]
		[ "$stderr" = $'lh-subject-audit: d/absent.audit.jsonl: no such log\n'"$empty"$'lh-subject-audit: absent: no such log\nlh-subject-audit: 1 log, 0 rows: 0 intact, 1 empty' ]
	done
	run -1 --separate-stderr lh-subject-audit verify d/empty.audit.jsonl
	[ "$output" = '{"file":"d/empty.audit.jsonl","count":0,"tip":"GENESIS","verified":false,"error":"no rows","state":"empty"}' ]
	run -1 --separate-stderr lh-subject-audit verify --dir d
	[ "${lines[0]}" = '{"file":"d/blank.audit.jsonl","count":0,"tip":"GENESIS","verified":false,"error":"no rows","state":"empty"}' ]
	run -0 --separate-stderr lh-subject-audit verify --dir d --allow-empty
	[ "${lines[1]}" = '{"file":"d/empty.audit.jsonl","count":0,"tip":"GENESIS","verified":true,"error":null,"state":"empty"}' ]
	[ "$stderr" = "lh-subject-audit: 2 logs, 0 rows: 0 intact, 2 empty" ]
	lh-subject-audit anchor --dir d >anchor 2>err || [ $? = 1 ]
	run -0 lh-subject-audit verify --dir d --against anchor
	rm d/*
	run -0 --separate-stderr lh-subject-audit verify --dir d --allow-empty
	[ -z "$output" ]
}

@test "a log that was emptied is said to be empty by report, its page, accesses, manifest verify and anchor" {
	log W-1 2
	manifest W-1 | lh-subject-audit manifest put --dir d >/dev/null
	: >d/W-1.audit.jsonl
	said="lh-subject-audit: d/W-1.audit.jsonl: empty: its rows were removed, or none was ever written (no rows); verify --allow-empty if that is right"
	run -1 --separate-stderr lh-subject-audit report --dir d W-1
	[ "$stderr" = "$said" ]
	has '"chain_verified":false,"chain_rows_total":0,"chain_root":"GENESIS","chain_error":"no rows"' <<<"$output"
	has '"completeness_attestation":"The audit log is empty: its rows were removed, or none was ever written. Who looked is not known."' <<<"$output"
	run -1 --separate-stderr lh-subject-audit report --dir d --html - W-1
	has '<div class="verdict bad" id="verdict"><strong>This record is empty.</strong> Its entries were removed, or none was ever written: who looked is not known.</div>' <<<"$output"
	run -1 --separate-stderr lh-subject-audit accesses --dir d
	[ "${stderr_lines[0]}" = "$said" ]
	run -1 --separate-stderr lh-subject-audit anchor --dir d
	[ "$stderr" = "$said" ]
	run -1 --separate-stderr lh-subject-audit manifest verify --dir d
	has '"count":0,"verified":false,"error":"no rows"' <<<"$output"
	rm d/W-1.audit.jsonl
	run -0 --separate-stderr lh-subject-audit report --dir d W-1
	has '"completeness_attestation":"There is no audit log: no access was recorded, or the log was removed."' <<<"$output"
}

@test "manifest verify of a folder without manifests is 0 manifests, exit 1, unless --allow-empty" {
	mkdir d
	run -1 --separate-stderr lh-subject-audit manifest verify --dir d
	[ -z "$output" ] && [ "$stderr" = "lh-subject-audit: 0 manifests in d: --allow-empty if that is right" ]
	run -0 --separate-stderr lh-subject-audit manifest verify --dir d --allow-empty
	[ "$stderr" = "lh-subject-audit: 0 manifests in d" ]
}

@test "a folder's absent log is fine unless a manifest has one of its rows as root" {
	log W-1 2
	log W/2 2
	for id in W-1 W/2 W-3; do manifest "$id"; done | lh-subject-audit manifest put --dir d >/dev/null
	run -0 --separate-stderr lh-subject-audit verify --dir d
	[ "${#lines[@]}" = 2 ]
	for id in W-1 W/2; do
		manifest "$id" ".audit_log_chain_root = \"$(verdict tip "$(named "$id" .audit.jsonl)")\""
	done | lh-subject-audit manifest put --dir d >/dev/null
	run -0 --separate-stderr lh-subject-audit verify --dir d
	rm d/*.audit.jsonl
	run -1 --separate-stderr lh-subject-audit verify --dir d
	[ "${lines[0]}" = '{"file":"d/W-1.audit.jsonl","count":0,"tip":"GENESIS","verified":false,"error":"audit_log_chain_root mismatch","state":"tampered"}' ]
	[ "$(jq -r .file <<<"${lines[1]}")" = "$(named W/2 .audit.jsonl)" ]
	[ "${#lines[@]}" = 2 ]
	run -1 --separate-stderr lh-subject-audit anchor --dir d
	[ "$(jq .logs <<<"$output")" = 0 ]
	[ "${stderr_lines[0]}" = 'lh-subject-audit: d/W-1.audit.jsonl: audit_log_chain_root mismatch' ]
	echo '{}' >d/W-1.json
	run -1 --separate-stderr lh-subject-audit verify --dir d
	[ "${stderr_lines[0]}" = 'lh-subject-audit: d/W-1.json: missing "schema" ("subject_manifest.v1")' ]
}

@test "without operands verify takes every log of the folder, in the order of names" {
	for id in b a C 'x y'; do log "$id" 2; done
	echo '{}' >d/b.json
	echo '{}' >d/_retention_sweep_2026-05-03.jsonl
	run -0 --separate-stderr lh-subject-audit verify --dir d
	[ "$(jq -r .file <<<"$output" | tr '\n' ' ')" = "d/C.audit.jsonl d/a.audit.jsonl d/b.audit.jsonl $(named 'x y' .audit.jsonl) " ]
	mkdir -p data/_catalog
	mv d data/_catalog/subjects
	run -0 --separate-stderr lh-subject-audit verify
	[ "${#lines[@]}" = 4 ]
}

# bats test_tags=full
@test "each kind of tampering in the table gets its verdict and row, as the oracle says" {
	cd "$BATS_FILE_TMPDIR"
	[ "$(wc -l <want)" -ge 4000 ]
	mapfile -t files < <(cut -f1 want)
	lh-subject-audit verify "${files[@]}" >got && return 1
	jq -r '[.file, .state, .error // "-"] | join("\t")' got | diff - <(cut -f1,3,4 want) || { echo "verify <, table >"; return 1; }
	jq -se 'all(.line == if .error then (.error | capture("row (?<n>[0-9]+)").n | tonumber + 1) else null end)' got
	# the table is the same in both passes, and so is what the oracle says
	# of which the oracle takes every fifth log, or with soak each
	every=$(scale 5 1)
	mapfile -t files < <(cut -f1 want | sed -n "1~${every}p")
	[ -n "${LH_ASAN:-}" ] ||
		oracle verify key --name W-1 "${files[@]}" | diff - <(jq -c 'del(.state, .line)' got | sed -n "1~${every}p") || { echo "oracle <, verify >"; return 1; }
}

@test "each kind of tampering in the table is judged against an anchor as the table says" {
	cd "$BATS_FILE_TMPDIR"
	lh-subject-audit anchor --dir t >anchor
	mapfile -t files < <(cut -f1 want)
	lh-subject-audit verify --against anchor "${files[@]}" >got && return 1
	jq -r '[.file, .state, .error // "-"] | join("\t")' got | diff - <(cut -f1,5,6 want) || { echo "verify <, table >"; return 1; }
}

# bats test_tags=full,plain-only
@test "the verdict is the same on any number of threads, wherever stripes begin" {
	log W-1 4000
	cp d/W-1.audit.jsonl log
	size=$(stat -c %s log)
	[ "$size" -gt 1500000 ]
	for row in 0 1 627 628 629 630 1999 3998 3999; do
		sed "$((row + 1))s/tool_lookup/tool_l00kup/" log >d/W-1.audit.jsonl
		for jobs in 1 2 7; do
			[ "$(verdict error -j "$jobs" d/W-1.audit.jsonl)" = "row $row: row_hmac mismatch" ]
			[ "$(verdict tip -j "$jobs" d/W-1.audit.jsonl)" = "$( ((row)) && sed -n "${row}p" log | jq -r .row_hmac || echo GENESIS)" ]
		done
	done
	for row in 1 628 629 3998; do
		sed "${row}d" log >d/W-1.audit.jsonl
		for jobs in 1 2 7; do
			[ "$(verdict error -j "$jobs" d/W-1.audit.jsonl)" = "row $((row - 1)): prev_chain_hash mismatch" ]
		done
	done
}

@test "--all lists every broken row" {
	log W-1 2000
	sed -i '1s/success/error/; 700s/.*/[]/; 1000s/"t-/"u-/; 1500s/W-1/W-2/; 2000s/"name"/"phone"/' d/W-1.audit.jsonl
	for jobs in 1 3; do
		run -1 --separate-stderr lh-subject-audit verify -j "$jobs" --all d/W-1.audit.jsonl
		[ "$(jq -c .broken <<<"$output")" = '[{"row":0,"error":"row_hmac mismatch","line":1},{"row":699,"error":"invalid JSON","line":700},{"row":999,"error":"row_hmac mismatch","line":1000},{"row":1499,"error":"candidate_id mismatch","line":1500},{"row":1999,"error":"row_hmac mismatch","line":2000}]' ]
		[ "$(jq -r .error <<<"$output")" = "row 0: row_hmac mismatch" ]
	done
	log W-3 1
	run -0 --separate-stderr lh-subject-audit verify --all d/W-3.audit.jsonl
	[ "$(jq -c .broken <<<"$output")" = '[]' ]
}

# bats test_tags=full
@test "a flipped bit anywhere in a log is found and named by its row" {
	n=$(scale 20000 1000000)
	log W-1 "$n"
	cat >flip.py <<-'END'
	import random, subprocess, sys, json
	path, flips, tool = "d/W-1.audit.jsonl", int(sys.argv[1]), sys.argv[2]
	random.seed(1)
	data = open(path, "rb").read()
	for _ in range(flips):
	    at = random.randrange(len(data))
	    bad = bytes([data[at] ^ 1 << random.randrange(8)])
	    with open(path, "r+b") as f:
	        f.seek(at); f.write(bad)
	    got = subprocess.run([tool, "verify", path], capture_output=True)
	    with open(path, "r+b") as f:
	        f.seek(at); f.write(data[at:at + 1])
	    row = data.count(b"\n", 0, at)
	    error = json.loads(got.stdout)["error"] or ""
	    if got.returncode != 1 or not error.startswith("row %d: " % row):
	        sys.exit("byte %d, row %d: exit %d, %s" % (at, row, got.returncode, error))
	END
	python3 flip.py "$(scale 200 500)" "$LH_BIN/lh-subject-audit"
}

@test "a candidate_id must be the file's, when the file's name has one" {
	log W-1 2
	cp d/W-1.audit.jsonl d/W-9.audit.jsonl
	[ "$(verdict error d/W-9.audit.jsonl)" = "row 0: candidate_id mismatch" ]
	[ "$(verdict count d/W-9.audit.jsonl)" = 0 ]
	cp d/W-1.audit.jsonl copy.jsonl
	[ "$(verdict state copy.jsonl)" = intact ]
}

@test "chains that the oracle writes verify, whatever their rows hold" {
	cat >odd <<-'END'
	{"ts":"2026-05-03T09:00:00.100000000Z","schema":"subject_audit.v1","candidate_id":"W/1","accessor":{"purpose":"p","kind":"k","daemon":"d","trace_id":""},"fields_accessed":["a"],"result":"success"}
	{ "n" : 12345678901234567890.100 , "e":1E+05,"z":[-0, 1.0, 1e400,{"b":[],"a":{}}], "é\u00e9\ud83d\ude00":"\u0000\u001f\b\f\n\r\t\/\\\"\u007f</&>\u2028", "candidate_id":"W\u002f1"	}
	{"\u006b":1,"candidate_id":"W/1","accessor":{"kind":"café","x":{"y":{"z":null}}},"":true,"\uffff":1,"\ud800\udc00":2}
	{"schema":"subject_audit.v1","ts":"2026-05-03T09:00:00.000000000Z","candidate_id":"W/1","accessor":{"kind":"","daemon":"\u007f","purpose":"\\","trace_id":""},"fields_accessed":[],"result":"success"}
	{"schema":"subject_audit.v1","ts":"x","candidate_id":"W/1","accessor":{"kind":"a","daemon":"b","purpose":"c","trace_id":"d"},"fields_accessed":["",[],{},null,1.50],"result":"success"}
	END
	oracle write key <odd >W_1.audit.jsonl
	run -0 --separate-stderr lh-subject-audit verify --wire W_1.audit.jsonl
	[[ $output == *'"count":5,'*'"verified":true'* ]]
	oracle verify key --name W_1 W_1.audit.jsonl | jq -e .verified
	records W/1 3 | lh-subject-audit append --dir .
	[ "$(verdict count W_1.audit.jsonl)" = 8 ]
	[ "$(verdict tip W_1.audit.jsonl)" = "$(oracle verify key W_1.audit.jsonl | jq -r .tip)" ]
}

@test "chains that append writes verify for the oracle" {
	cat >in <<-'END'
	{"candidate_id":"Zoë \ud83d\ude00\u0000/","ts":"2026-05-03T09:00:00.100000000+02:00","accessor":{"kind":"\u0001\u001f\"\\\/\b\f\n\r\t\u007f","daemon":"","purpose":"<&>\u2028é","trace_id":""},"fields_accessed":["","\u00e9","a\"b"],"result":"denied"}
	{"candidate_id":"Zoë 😀\u0000/","accessor":{"kind":"a","daemon":"b","purpose":"c"},"fields_accessed":[],"result":"error"}
	END
	lh-subject-audit append --dir d in >out
	name=$(python3 -c 'import hashlib; print("Zo_________~" + hashlib.sha256("Zoë 😀\0/".encode()).hexdigest()[:12])')
	[ "$(ls d)" = "$name.audit.jsonl" ]
	[ "$(verdict count "d/$name.audit.jsonl")" = 2 ]
	oracle verify key --name "$name" "d/$name.audit.jsonl" | jq -e '.verified and .count == 2'
	[ "$(jq -r .ts out | first 1)" = 2026-05-03T09:00:00.100000000+02:00 ]
}

@test "bytes of a row are never judged by what they parse to" {
	log W-1 2
	sed -i '1s/"ts":"[^"]*"/"ts":"2026-05-03T09:00:00.1Z"/' d/W-1.audit.jsonl
	[ "$(verdict error d/W-1.audit.jsonl)" = "row 0: row_hmac mismatch" ]
	printf '{"candidate_id":"W","n":%s}\n' 1.0 2 | oracle write key >w.jsonl
	[ "$(verdict state w.jsonl)" = intact ]
	sed -i 's/1\.0/1.00/' w.jsonl
	[ "$(verdict state w.jsonl)" = tampered ]
}

@test "a growing log is verified up to its length, and is never found broken" {
	appends=$(scale 15 150)
	mkdir d
	: >d/W-1.audit.jsonl
	(for ((n = 0; n < appends; n++)); do log W-1 50; done) 3>&- &
	writer=$!
	while kill -0 "$writer" 2>/dev/null; do
		run -0 --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
	done
	wait "$writer"
	[ "$(verdict count d/W-1.audit.jsonl)" = $((appends * 50)) ]
}

@test "memory is flat, however long a log is" {
	plain_only "sanitizers need memory"
	log W-1 2000
	for ((n = 0; n < $(scale 5 8); n++)); do cat d/W-1.audit.jsonl d/W-1.audit.jsonl >x && mv x d/W-1.audit.jsonl; done
	[ "$(wc -l <d/W-1.audit.jsonl)" = $((2000 << n)) ]
	/usr/bin/time -q -o time -f %M lh-subject-audit verify -j2 d/W-1.audit.jsonl >out || true
	[ "$(tail -n 1 time)" -lt 16384 ]
	[ "$(jq -r .error out)" = "row 2000: prev_chain_hash mismatch" ]
	/usr/bin/time -q -o time -f %M lh-subject-audit report --dir d W-1 >out || true
	[ "$(tail -n 1 time)" -lt 16384 ]
	[ "$(jq .audit_log.chain_rows_total out)" = $((2000 << n)) ]
}

@test "a row beyond --max-line is an error that names it, not a verdict, and the next log goes on" {
	log W-1 2
	log W-2 1
	{
		printf '{"candidate_id":"W-1","x":"'
		head -c "$(scale 8M 1G)" /dev/zero | tr '\0' x
		printf '"}\n'
	} >>d/W-1.audit.jsonl
	at=$(head -n 2 d/W-1.audit.jsonl | wc -c)
	plain=${LH_ASAN:-plain}
	/usr/bin/time -q -o time -f %M lh-subject-audit verify --max-line 1M d/W-1.audit.jsonl d/W-2.audit.jsonl >out 2>err && return 1
	[ "$(first 1 <err)" = "lh-subject-audit: d/W-1.audit.jsonl: the row at byte $at is longer than 1048576 bytes (--max-line)" ]
	[ "$(jq -r .file out)" = d/W-2.audit.jsonl ]
	[ "$plain" != plain ] || [ "$(tail -n 1 time)" -lt 20480 ]
	[ "$(scale no yes)" = yes ] || [ "$(verdict error d/W-1.audit.jsonl)" = "row 2: prev_chain_hash mismatch" ]
}

@test "a folder without a log is not intact: 0 logs, exit 1, unless --allow-empty" {
	mkdir d
	run -1 --separate-stderr lh-subject-audit verify --dir d
	[ -z "$output" ] && [ "$stderr" = "lh-subject-audit: 0 logs in d: --allow-empty if that is right" ]
	run -0 --separate-stderr lh-subject-audit verify --dir d --allow-empty
	[ "$stderr" = "lh-subject-audit: 0 logs in d" ]
	run -1 --separate-stderr lh-subject-audit accesses --dir d
	[ "$stderr" = "lh-subject-audit: 0 logs in d: --allow-empty if that is right" ]
	run -0 lh-subject-audit accesses --dir d --allow-empty
	run -1 --separate-stderr lh-subject-audit anchor --dir d
	[ "$stderr" = "lh-subject-audit: 0 logs in d: --allow-empty if that is right" ]
	run -0 lh-subject-audit anchor --dir d --allow-empty
	log W-1 1
	run -0 lh-subject-audit verify --dir d
	rm d/W-1.audit.jsonl
	run -1 lh-subject-audit verify --dir d
}

@test "blank lines at the end of a log are not there for verify and report, and append and repair cut them" {
	log W-1 3
	lh-subject-audit anchor --dir d >anchor
	cp d/W-1.audit.jsonl whole
	for blank in '\n' '\n \t\r\n' "$(printf '%5000s\\n' '')"; do
		{ cat whole; printf "$blank"; } >d/W-1.audit.jsonl
		cp d/W-1.audit.jsonl padded
		run -0 --separate-stderr lh-subject-audit verify --dir d --against anchor
		[ "$stderr" = 'lh-subject-audit: 1 log, 3 rows: all as anchored' ]
		[ "$(lh-subject-audit report W-1 --dir d | jq '.audit_log.rows | length')" = 3 ]
		[ "$(lh-subject-audit repair d/W-1.audit.jsonl | jq .cut)" = $(($(stat -c %s padded) - $(stat -c %s whole))) ]
		cmp d/W-1.audit.jsonl whole
		cp padded d/W-1.audit.jsonl
		record W-1 3 | lh-subject-audit append --dir d >row
		cat whole row | cmp - d/W-1.audit.jsonl
	done
	# before a row none was written by append, which the sentence says
	{ head -n 1 whole; echo; tail -n 2 whole; } >d/W-1.audit.jsonl
	[ "$(verdict error d/W-1.audit.jsonl)" = 'row 1: invalid JSON' ]
	{ echo; cat whole; } >d/W-1.audit.jsonl
	run -1 --separate-stderr lh-subject-audit verify d/W-1.audit.jsonl
	[ "$(jq -r '.state + " " + .error' <<<"$output")" = 'tampered row 0: invalid JSON' ]
	[ "${stderr_lines[0]}" = 'lh-subject-audit: d/W-1.audit.jsonl: tampered after 0 good rows (row 0: invalid JSON: a blank line, which no append writes)' ]
	printf ' \n\n' >d/W-1.audit.jsonl
	[ "$(verdict count d/W-1.audit.jsonl)" = 0 ]
}
