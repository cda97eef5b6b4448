# lh-search over a file of records, in processor time: the first search, and the next.
source "$ROOT/bench/lib.bash"

file=$DATA/file-search.csv
[ -s "$file" ] || awk 'BEGIN {
	srand(3); n = split("nurse welder cook driver plumber baker painter roofer gardener teacher", job)
	m = split("Utrecht Gent Leiden Delft Breda Zwolle Arnhem Tilburg Hasselt Namur", town)
	w = split("night shift licence forklift kitchen ward patient careful quick stock phone planning Dutch French years team lead", word)
	print "person_id,name,job,town,notes"
	for (i = 1; i <= 100000; i++) {
		line = ""
		while (length(line) < 165) line = line " " word[int(rand() * w) + 1]
		print i ",person " i "," job[int(rand() * n) + 1] "," town[int(rand() * m) + 1] "," line
	} }' >"$file"
XDG_CACHE_HOME=$(mktemp -d)
export XDG_CACHE_HOME

# processor COMMAND... - its processor time and that of its children, in seconds.
processor() {
	local TIMEFORMAT='%3U %3S'
	{ time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}

printf 'first search of 100,000 records of 200 bytes\t%.2f s\t\t\n' "$(processor lh-search -q "$file" 'a nurse in Utrecht')"
printf 'the next, from the cache\t%.1f ms\t\t\n' "$(for _ in {1..21}; do processor lh-search -q "$file" 'a nurse in Utrecht'; done |
	median | awk '{ print 1000 * $1 }')"
rm -r "$XDG_CACHE_HOME"
