# SQL over records: count(*) and avg() by group over 900 MB against jq with awk, the way of
# sqlite-utils (insert into a database in memory, then query), and DuckDB itself.
# ROWS=100000 for a quick look.
source "$ROOT/bench/lib.bash"
rows=${ROWS:-1000000}
data=$DATA/query-$rows.jsonl
[ -s "$data" ] || lh-gen workers -n "$rows" |
	jq -c '. + {score: (.name | length), rate: ((.text | length) / 7)}' >"$data.new"
[ -s "$data" ] || mv "$data.new" "$data"
rounds=${ROUNDS:-3}
ask='SELECT role, count(*) n, avg(rate) a FROM w GROUP BY role ORDER BY role'
one="taskset -c 0"
cat >"$DATA/query.jq.sh" <<-END
	jq -r '[.role, .rate] | @tsv' "$data" | sort |
	awk -F'\t' '\$1 != k { if (n) print k, n, s / n; k = \$1; n = s = 0 } { n++; s += \$2 } END { print k, n, s / n }'
END
cat >"$DATA/query.py" <<-'END'
	import json, sqlite3, sys
	db = sqlite3.connect(":memory:")
	columns = list(json.loads(open(sys.argv[1]).readline()))
	db.execute("CREATE TABLE w (%s)" % ", ".join(f"[{c}]" for c in columns))
	def rows():
	    for line in open(sys.argv[1]):
	        r = json.loads(line)
	        yield [json.dumps(v) if isinstance(v, (list, dict)) else v for v in (r.get(c) for c in columns)]
	db.executemany("INSERT INTO w VALUES (%s)" % ", ".join("?" * len(columns)), rows())
	for row in db.execute(sys.argv[2]):
	    print(json.dumps(row))
END
size="$(($(stat -c %s "$data") / 1000000)) MB"
ours="$one lh-query '$ask' w=$data"
versus "group by over $size, jq, sort and awk" "$rounds" "$ours" "$one bash $DATA/query.jq.sh"
versus "group by over $size, sqlite-utils' way" "$rounds" "$ours" "$one python3 $DATA/query.py $data '$ask'"
versus "one in $rows by a condition, jq" "$rounds" "$one lh-query \"SELECT id FROM w WHERE id = 'w-77777'\" w=$data" \
	"$one jq -c 'select(.id == \"w-77777\") | {id}' $data"
join="SELECT count(*) FROM w JOIN (SELECT city, max(score) m FROM w GROUP BY city) c ON c.city = w.city AND c.m = w.score"
versus "self join over $size, sqlite-utils' way" "$rounds" "$one lh-query '$join' w=$data" "$one python3 $DATA/query.py $data '$join'"
printf 'memory of the group by over %s\t%s MiB\t\t\n' "$size" \
	"$(($(command time -f %M lh-query "$ask" w="$data" 2>&1 >/dev/null) / 1024))"
