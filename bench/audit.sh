# The subject audit: one log of a million rows verified, against bare SHA-256 over
# its lines, a Python script and a C loop with jansson and HMAC(); rows appended.
source "$ROOT/bench/lib.bash"
rows=${AUDIT_ROWS:-1000000} log=$DATA/W-1.audit.jsonl
if [ ! -s "$log" ] || [ ! -s "$DATA/audit.key" ]; then
	rm -f "$log" "$DATA/audit.key"
	(umask 077; head -c 32 /dev/urandom >"$DATA/audit.key")
	peer_audit rows "$rows" >"$DATA/accesses.jsonl"
	lh-subject-audit append --sync none --key-file "$DATA/audit.key" --dir "$DATA" "$DATA/accesses.jsonl" >/dev/null
	head -n $((rows / 10)) "$log" >"$DATA/audit-short.jsonl"
fi
key=$DATA/audit.key
# Rows a second of each side, five rounds in turn; the peers get a tenth.
for ((i = 0; i < 5; i++)); do
	echo "$(seconds peer_audit bare "$log")" \
		"$(seconds lh-subject-audit verify -j1 --key-file "$key" "$log")" \
		"$(seconds lh-subject-audit verify --key-file "$key" "$log")" \
		"$(seconds peer_audit verify "$DATA/audit-short.jsonl" "$key")" \
		"$(seconds python3 "$ROOT/bench/audit.py" "$DATA/audit-short.jsonl" "$key")"
done >"$DATA/audit.times"
# line WHAT OURS PEER SCALE - columns of that file
line() {
	awk -v o="$2" -v p="$3" '{ print $p * '"$4"' / $o }' "$DATA/audit.times" | median >"$DATA/audit.ratio"
	printf '%s\t%s\t%s\t%.2f\n' "$1" \
		"$(cut -d' ' -f"$2" "$DATA/audit.times" | median | awk '{ printf "%.0f rows/s", '"$rows"' / $1 }')" \
		"$(cut -d' ' -f"$3" "$DATA/audit.times" | median | awk '{ printf "%.0f rows/s", '"$rows"' / $1 / '"$4"' }')" "$(cat "$DATA/audit.ratio")"
}
line "verify -j1, bare SHA-256 of the lines" 2 1 1
line "verify on all cores, bare SHA-256 of the lines" 3 1 1
line "verify -j1, jansson and HMAC()" 2 4 10
line "verify -j1, Python" 2 5 10
printf 'memory of verify\t%s KiB\n' "$(/usr/bin/time -f %M lh-subject-audit verify --key-file "$key" "$log" 2>&1 >/dev/null)"
for sync in none batch; do
	rm -rf "$DATA/audit.d"
	printf 'append --sync %s, one subject\t%s rows/s\n' "$sync" "$(seconds lh-subject-audit append --sync "$sync" --key-file "$key" \
		--dir "$DATA/audit.d" "$DATA/accesses.jsonl" | awk '{ printf "%.0f", '"$rows"' / $1 }')"
done
rm -rf "$DATA/audit.d"
head -n 1000 "$DATA/accesses.jsonl" >"$DATA/accesses-short.jsonl"
printf 'append --sync each, one subject\t%s rows/s\n' "$(seconds lh-subject-audit append --key-file "$key" \
	--dir "$DATA/audit.d" "$DATA/accesses-short.jsonl" | awk '{ printf "%.0f", 1000 / $1 }')"
rm -rf "$DATA/audit.d"
