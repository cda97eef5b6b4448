# A log that strangers can check: entries appended, proofs made and verified, rows committed.
# TLOG_ENTRIES entries are appended and as many rows committed, and a row of each of TLOG_SUBJECTS;
# TLOG_TREE is the size of the tree from which TLOG_PROOFS proofs are taken, which is made once, in
# a minute.  Next to wall time is processor time, which a busy machine makes less long.
source "$ROOT/bench/lib.bash"
entries=${TLOG_ENTRIES:-1000000} size=${TLOG_TREE:-10000000} proofs=${TLOG_PROOFS:-10000} subjects=${TLOG_SUBJECTS:-1000}
dir=$DATA/tlog tree=$DATA/tlog/$size work=$DATA/tlog/work.$$
by_hand() { python3 "$ROOT/tests/oracle/transparency.py" "$@"; }
records() { seq -f '{"id":"entry %.0f"}' "$1"; }
new_log() { lh-tlog init "$1" --origin example.com/log --key-file "$dir/log.key" "${@:2}"; }
# Logs are removed at the end alone: ext4 passes over the inodes of files that were removed in
# the last seconds, one by one, at each file that is made.
mkdir -p "$dir" "$work"
trap 'rm -r "$work"' EXIT

# timed WHAT COUNT COMMAND - run a command (shell text) and append its processor and wall time.
timed() {
	local TIMEFORMAT='%U %S %R'
	{ time bash -c "$3" >/dev/null; } 2>&1 | awk -v n="$2" '{ print ($1 + $2) / n, $3 / n }' >>"$work/$1.times"
}
# each WHAT FORMAT EXPRESSION - the medians of both times, called t, of what was timed.
each() {
	local i
	for i in 1 2; do
		cut -d' ' -f"$i" "$work/$1.times" | median | awk '{ t = $1; printf "'"$2"'\t", '"$3"' }'
	done
}

[ -s "$dir/policy" ] || by_hand keys "$dir"
records "$entries" >"$work/records"
printf '%s\t%s\t%s\n' 'a log, on one core' 'by processor time' 'by wall time'
for i in 1 2 3 4 5; do
	for with in '' --no-entries; do
		new_log "$work/log$with$i" $with
		timed "append$with" "$entries" \
			"lh-tlog append '$work/log$with$i' --line --key-file '$dir/log.key' '$work/records'"
	done
done
for with in '' --no-entries; do
	printf 'append %s\t%s\n' "${with:-with bundles of entries}" "$(each "append$with" '%.0f entries/s' '1 / t')"
done

if [ ! -s "$tree/cosigned" ]; then
	rm -rf "$tree"
	new_log "$tree"
	records "$size" | lh-tlog append "$tree" --line --key-file "$dir/log.key" >/dev/null
	for i in w1 w2; do by_hand cosign $i "$tree/checkpoint"; done >"$tree/cosigned"
	cat "$tree/cosigned" >>"$tree/checkpoint"
fi
awk -v n="$proofs" -v size="$size" 'BEGIN { srand(1)
	while (n--) {
		i = int(rand() * size)
		printf "{\"index\":%d,\"entry\":\"{\\\"id\\\":\\\"entry %d\\\"}\"}\n", i, i + 1
	} }' >"$work/asked"
lh-tlog prove "$tree" "$work/asked" >"$work/proofs"
head -n 1 "$work/asked" >"$work/asked.one"
head -n 1 "$work/proofs" >"$work/proofs.one"
for i in 1 2 3 4 5; do
	timed prove "$proofs" "lh-tlog prove '$tree' '$work/asked'"
	timed verify "$proofs" "lh-tlog verify -j1 --policy '$dir/policy' '$work/proofs'"
	timed prove.one 100 "for i in {1..100}; do lh-tlog prove '$tree' '$work/asked.one'; done"
	timed verify.one 100 "for i in {1..100}; do lh-tlog verify --policy '$dir/policy' '$work/proofs.one'; done"
done
for what in prove verify; do
	printf '%s, one of %d\t%s\n' $what "$proofs" "$(each $what '%.3f ms' 't * 1000')"
	printf '%s, alone, with its process\t%s\n' $what "$(each $what.one '%.1f ms' 't * 1000')"
done
jq -s --arg size "$size" -r '"bytes of a proof, one of \($size)\t\(map(.proof | utf8bytelength) | max)"' "$work/proofs"

# Rows of one subject's log, verified and committed; and one row of each of TLOG_SUBJECTS, whose
# secrets and cursors are files of their own.
head -c 32 /dev/urandom >"$work/audit.key"
chmod 600 "$work/audit.key"
peer_audit rows "$entries" >"$work/one"
head -n "$subjects" "$work/one" | awk '{ sub(/W-1/, "W-" NR); print }' >"$work/many"
for rows in one many; do
	lh-subject-audit append -q --sync none --key-file "$work/audit.key" --dir "$work/audit.$rows" "$work/$rows" >/dev/null
	n=1
	[ $rows = one ] || n=$subjects
	for i in 1 2 3; do
		new_log "$work/tree.$rows$i" --no-entries
		cp -r "$work/audit.$rows" "$work/audit.$rows$i"
		timed "commit.$rows" "$n" "lh-subject-audit commit -j1 --dir '$work/audit.$rows$i' --key-file '$work/audit.key' --tlog '$work/tree.$rows$i' --key-file-tlog '$dir/log.key'"
	done
done
printf 'commit %d rows of one subject\t%s\n' "$entries" "$(each commit.one '%.2f s' t)"
printf 'commit a subject for the first time\t%s\n' "$(each commit.many '%.2f ms' 't * 1000')"
