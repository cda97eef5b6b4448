# A table of 500,000 rows as JSON Lines, on one core: against Python's csv and json, Miller
# and, if its library is there, DuckDB.  Seconds are of processor time.
source "$ROOT/bench/lib.bash"
source "$ROOT/tests/duckdb.bash"
table=$DATA/table.csv
[ -s "$table" ] || python3 "$ROOT/bench/ingest.py" make "$table" 500000

# cpu COMMAND - user and system time of one run on one core.
cpu() {
	local TIMEFORMAT='%U %S' times
	times=$( { time taskset -c 0 bash -c "$1" >/dev/null 2>&3; } 3>&2 2>&1)
	awk '{ print $1 + $2 }' <<<"$times"
}

# against WHAT ROUNDS PEER
against() {
	local i
	for ((i = 0; i < $2; i++)); do
		echo "$(cpu 'lh-ingest "$DATA/table.csv"') $(cpu "$3")"
	done >"$DATA/ingest.times"
	printf '%s\t%.2f s\t%.2f s\t%.1f\n' "$(($(stat -c %s "$table") >> 20)) MiB of CSV, $1" \
		"$(cut -d' ' -f1 "$DATA/ingest.times" | median)" "$(cut -d' ' -f2 "$DATA/ingest.times" | median)" \
		"$(awk '{ print $2 / $1 }' "$DATA/ingest.times" | median)"
}

against "Python csv and json" 3 'python3 "$ROOT/bench/ingest.py" read "$DATA/table.csv"'
against "mlr --icsv --ojsonl cat" 3 'mlr --icsv --ojsonl cat "$DATA/table.csv"'
if duckdb_library; then
	against "DuckDB, read_csv to JSON" 3 'python3 "$ROOT/tests/duckdb/sql.py" "SET threads = 1" \
		"COPY (SELECT * FROM read_csv('"'$table'"')) TO '"'/dev/null'"' (FORMAT json)"'
fi
for n in 50000 500000; do
	head -n "$n" "$table" >"$DATA/table.part"
	printf 'lh-ingest over %s rows, peak memory\t%s KiB\t\t\n' "$n" \
		"$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' lh-ingest "$DATA/table.part")"
done
