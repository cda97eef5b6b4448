# lh-query: SQL over files.
# bats file_tags=quick
load ../helper

SKILLS='{"id":"w-1","city":"Chicago","score":95,"skills":["safety","MIG"],"active":true}
{"id":"w-2","city":"Houston","score":89,"skills":[],"active":false}
{"id":"w-3","city":"Chicago","score":70,"skills":["TIG"],"active":true}
{"id":"w-4","city":"Houston","score":90,"skills":null}
{"id":"w-5","city":"Gary","score":61,"extra":{"a":{"b":7}}}'

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	echo "$SKILLS" >w.jsonl
}

# refused CODE MESSAGE SQL ARGUMENT... - exit 2 and that one line; as a request the error
# record with that code.
refused() {
	local code=$1 message=$2 sql=$3
	shift 3
	run -2 --separate-stderr lh-query "$sql" "$@"
	[ -z "$output" ] && [ "$stderr" = "lh-query: $message" ] || { echo "$sql: $stderr"; return 1; }
	jq -nc --arg sql "$sql" '{sql: $sql}' >request
	run -1 --separate-stderr lh-query "$@" nothing=/dev/null <request
	[ "$(jq -c '.error | [.code, .message]' <<<"${output/, nothing)/)}")" = "$(jq -nc --arg m "$message" "[$code, \$m]")" ] ||
		{ echo "$sql: $output"; return 1; }
}

@test "five questions about five workers" {
	[ "$(lh-query 'SELECT count(*) n FROM w' w=w.jsonl)" = '{"n":5}' ]
	[ "$(lh-query "SELECT count(*) n FROM w WHERE city = 'Chicago'" w=w.jsonl)" = '{"n":2}' ]
	[ "$(lh-query 'SELECT max(score) n FROM w' w=w.jsonl)" = '{"n":95}' ]
	[ "$(lh-query "SELECT w.id FROM w, json_each(skills) s WHERE s.value = 'safety'" w=w.jsonl)" = '{"id":"w-1"}' ]
	[ "$(lh-query "SELECT avg(score) n FROM w WHERE city = 'Houston'" w=w.jsonl)" = '{"n":89.5}' ]
}

@test "a session that was accepted without a look at the roster is found" {
	printf '%s\n' '{"kind":"fill","final_verdict":"accepted","grounded_in_roster":true}' \
		'{"kind":"email","final_verdict":"accepted","grounded_in_roster":false}' \
		'{"kind":"fill","final_verdict":"infra_error","grounded_in_roster":false}' >s.jsonl
	alarm="SELECT count(*) n FROM s WHERE kind = 'fill' AND final_verdict = 'accepted' AND NOT grounded_in_roster"
	[ "$(lh-query "$alarm" s=s.jsonl)" = '{"n":0}' ]
	echo '{"kind":"fill","final_verdict":"accepted","grounded_in_roster":false}' >>s.jsonl
	[ "$(lh-query "$alarm" s=s.jsonl)" = '{"n":1}' ]
}

@test "rows come as JSON Lines, as one object, as CSV and as a table" {
	sql='SELECT id, score, active, skills FROM w LIMIT 2'
	[ "$(lh-query "$sql" w=w.jsonl)" = '{"id":"w-1","score":95,"active":true,"skills":["safety","MIG"]}
{"id":"w-2","score":89,"active":false,"skills":[]}' ]
	[ "$(lh-query --wire "$sql" w=w.jsonl)" = '{"columns":[{"name":"id","type":"VARCHAR"},{"name":"score","type":"BIGINT"},{"name":"active","type":"BOOLEAN"},{"name":"skills","type":"JSON"}],"rows":[["w-1",95,true,["safety","MIG"]],["w-2",89,false,[]]],"row_count":2}' ]
	[ "$(lh-query --csv "$sql" w=w.jsonl)" = 'id,score,active,skills
w-1,95,true,"[""safety"",""MIG""]"
w-2,89,false,[]' ]
	[ "$(lh-query --table 'SELECT city, count(*) n FROM w GROUP BY 1' w=w.jsonl)" = 'city     n
-------  -
Chicago  2
Gary     1
Houston  2' ]
	run -2 lh-query --csv --table 'VALUES (1)'
}

@test "an answer without rows has its columns" {
	sql='SELECT id, score / 2.0 half FROM w WHERE 0'
	[ -z "$(lh-query "$sql" w=w.jsonl)" ]
	[ "$(lh-query --csv "$sql" w=w.jsonl)" = id,half ]
	[ "$(lh-query --wire "$sql" w=w.jsonl)" = '{"columns":[{"name":"id","type":"VARCHAR"},{"name":"half","type":"VARCHAR"}],"rows":[],"row_count":0}' ]
}

@test "CSV is read back by Python's csv module as it was" {
	printf '%s\n' '{"a":"","b":"x,y","c":"say \"hi\"\r\nand go"}' '{"a":" ","b":null,"c":"é\u0000"}' >q.jsonl
	lh-query --csv 'SELECT * FROM q' q=q.jsonl >out.csv
	[ "$(python3 -c 'import csv,json; print(json.dumps(list(csv.reader(open("out.csv", newline="")))))')" = '[["a", "b", "c"], ["", "x,y", "say \"hi\"\r\nand go"], [" ", "", "\u00e9\u0000"]]' ] ||
		{ python3 --version | has '3\.1[01]'; }
	[ "$(sed -n 2p out.csv | cut -c1-3)" = '"",' ]
}

@test "values are what the records say: exact integers, texts, null for nothing" {
	printf '%s\n' '{"v":9223372036854775807}' '{"v":-9223372036854775808}' '{"v":1.5}' '{"v":1e3}' '{"v":-0}' '{"v":"1"}' '{"v":""}' '{"v":"a\u0000b\n"}' '{"v":null}' '{}' >v.jsonl
	[ "$(lh-query 'SELECT v, typeof(v) t FROM v' v=v.jsonl)" = '{"v":9223372036854775807,"t":"integer"}
{"v":-9223372036854775808,"t":"integer"}
{"v":1.5,"t":"real"}
{"v":1e3,"t":"real"}
{"v":0,"t":"integer"}
{"v":"1","t":"text"}
{"v":"","t":"text"}
{"v":"a\u0000b\n","t":"text"}
{"v":null,"t":"null"}
{"v":null,"t":"null"}' ]
}

@test "a number beyond 64 bits and a text that a function would see in part are errors, and others are answered" {
	printf '%s\n' '{"id":2,"v":18446744073709551615,"o":{"n":9223372036854775808},"t":"ab\u0000cd"}' '{"id":1,"v":5,"o":{"n":7},"t":"x"}' >v.jsonl
	local sql beyond='has a number beyond 64 bits, which has no exact order here; a string of its digits has'
	for sql in 'SELECT v FROM v' 'SELECT max(v) FROM v' 'SELECT id FROM v WHERE v = 1e19' 'SELECT id FROM v ORDER BY v' \
		'SELECT a.id FROM v a JOIN v b USING (v)'; do
		refused 400 "v.jsonl:1: column \"v\" $beyond" "$sql" v=v.jsonl
	done
	refused 400 "v.jsonl:1: column \"json\" $beyond" "SELECT json->>'\$.v' FROM v" v=v.jsonl
	refused 400 "v.jsonl:1: column \"json\" $beyond" 'SELECT value FROM v, json_each(v.json)' v=v.jsonl
	refused 400 "v.jsonl:1: column \"o\" $beyond" "SELECT sum(o->>'n') FROM v" v=v.jsonl
	for sql in 'length(t)' "t LIKE '%d'" 'substr(t, 3)' 'upper(t)'; do
		refused 400 "v.jsonl:1: column \"t\" has a text with NUL, which SQL's functions see up to there" "SELECT $sql FROM v" v=v.jsonl
	done
	[ "$(lh-query 'SELECT id, t, o FROM v WHERE t <> 1 ORDER BY t' v=v.jsonl)" = '{"id":2,"t":"ab\u0000cd","o":{"n":9223372036854775808}}
{"id":1,"t":"x","o":{"n":7}}' ]
	[ "$(lh-query 'SELECT json FROM v WHERE id = 2' v=v.jsonl)" = '{"json":{"id":2,"v":18446744073709551615,"o":{"n":9223372036854775808},"t":"ab\u0000cd"}}' ]
	[ "$(lh-query 'SELECT count(*) n, max(t) m FROM v' v=v.jsonl)" = '{"n":2,"m":"x"}' ]
	for sql in -9223372036854775809 1e999 123456789012345678901234567890; do
		echo "{\"v\":$sql}" >w.jsonl
		refused 400 "w.jsonl:1: column \"v\" $beyond" 'SELECT v FROM v' v=w.jsonl
	done
}

@test "a whole number beyond 64 bits in a statement is an error, since SQLite would take another one" {
	local n
	for n in 18446744073709551616 9223372036854775808 0009223372036854775808; do
		refused 400 "the number $n is beyond 64 bits, and has no exact value here: write it as a text or with an exponent" "SELECT 1 = $n, 18446744073709551617"
	done
	run -2 lh-query 'SELECT -9223372036854775809'
	[ "$(lh-query "SELECT 9223372036854775807 a, -9223372036854775808 b, '18446744073709551616' c, 1e19 d, 00000000000000000000005 e, 1.00000000000000000000 f /* 18446744073709551616 */ -- 18446744073709551616")" = \
		'{"a":9223372036854775807,"b":-9223372036854775808,"c":"18446744073709551616","d":1e19,"e":5,"f":1.0}' ]
}

@test "a column of numbers of CSV with one beyond 64 bits is one of numbers, and that one an error; among texts it is a text" {
	printf '%s\n' id,n,t 1,18446744073709551615,18446744073709551615 2,5,x 3,1.5,y >v.csv
	local sql beyond='has a number beyond 64 bits, which has no exact order here; a string of its digits has'
	for sql in 'SELECT n FROM v' 'SELECT max(n) FROM v' 'SELECT id FROM v WHERE n = 1e19' 'SELECT id FROM v ORDER BY n'; do
		refused 400 "v.csv:2: column \"n\" $beyond" "$sql" v=v.csv
	done
	[ "$(lh-query "SELECT id, n FROM v WHERE id > 1 AND n < 6 ORDER BY n" v=v.csv)" = '{"id":3,"n":1.5}
{"id":2,"n":5}' ]
	[ "$(lh-query "SELECT id FROM v WHERE t = '18446744073709551615'" v=v.csv)" = '{"id":1}' ]
	lh-ingest v.csv >v.jsonl
	[ "$(lh-query "SELECT id FROM v WHERE n = '18446744073709551615'" v=v.jsonl)" = '{"id":1}' ]
}

@test "true, arrays and objects are themselves in a plain column, also sorted and grouped, and a text that looks like them is not" {
	printf '%s\n' '{"k":2,"b":true,"t":"[1]","j":[1]}' '{"k":1,"b":1,"t":"{","j":"[2"}' '{"k":3,"b":false,"t":"true","j":{"a":null}}' '{"k":4,"b":0}' >v.jsonl
	for order in '' 'GROUP BY k'; do
		[ "$(lh-query "SELECT k, b, t, j FROM v $order ORDER BY k" v=v.jsonl)" = '{"k":1,"b":1,"t":"{","j":"[2"}
{"k":2,"b":true,"t":"[1]","j":[1]}
{"k":3,"b":false,"t":"true","j":{"a":null}}
{"k":4,"b":0,"t":null,"j":null}' ]
	done
	[ "$(lh-query 'SELECT b = 1 x, j->0 y FROM v WHERE k = 2' v=v.jsonl)" = '{"x":1,"y":"1"}' ]
}

@test "names: case, odd characters, two of the same, one called json" {
	printf '%s\n' '{"Id":1,"id":2,"ID":3,"a \"b\"":4,"json":5,"é":6,"\u0061\u000a":7,"":8}' >n.jsonl
	[ "$(lh-query 'SELECT * FROM n' n=n.jsonl)" = '{"Id":1,"id_1":2,"ID_2":3,"a \"b\"":4,"json":5,"é":6,"a\n":7}' ]
	[ "$(lh-query 'SELECT json_1 FROM n' n=n.jsonl)" = "{\"json_1\":$(cat n.jsonl)}" ]
	echo '{"json":"x","a":1}' >j.jsonl
	refused 400 'malformed JSON (the table n has a member called json: the whole record is in json_1)' "SELECT json->>'a' FROM n" n=j.jsonl
	[ "$(lh-query "SELECT name FROM pragma_table_info('n') LIMIT 2" n=n.jsonl | jq -r .name | xargs)" = 'Id id_1' ]
	[ "$(lh-query 'SELECT 1 a, 2 a, 3 A, 4 a_1')" = '{"a":1,"a_1":2,"A":3,"a_1_1":4}' ]
	[ "$(lh-query 'SELECT id, "é" FROM "a-b.c"' a-b.c=n.jsonl)" = '{"Id":1,"é":6}' ]
}

@test "columns are those of the first records, and the whole record is in json" {
	{ repeat 1000 '{"a":1}'; echo '{"a":2,"late":{"x":[3]}}'; } >l.jsonl
	refused 400 'no such column: late' 'SELECT late FROM l' l=l.jsonl
	[ "$(lh-query --sample 0 'SELECT late FROM l WHERE a = 2' l=l.jsonl)" = '{"late":{"x":[3]}}' ]
	[ "$(lh-query "SELECT json->>'\$.late.x[0]' x, json FROM l WHERE a = 2" l=l.jsonl)" = '{"x":3,"json":{"a":2,"late":{"x":[3]}}}' ]
}

@test "files: compressed, in an archive, a pipe, standard input, an empty one, CRLF and a BOM" {
	lh-gen workers -n 500 >w.jsonl
	want=$(lh-query 'SELECT count(*) n, min(id) a FROM w' w=w.jsonl)
	[ "$want" = '{"n":500,"a":"w-1"}' ]
	for c in gzip zstd xz bzip2 lz4; do
		$c -c <w.jsonl >w.c
		[ "$(lh-query 'SELECT count(*) n, min(id) a FROM w' w=w.c)" = "$want" ]
	done
	head -n 200 w.jsonl >one.jsonl; tail -n 300 w.jsonl >two.jsonl
	tar -cf w.tar one.jsonl two.jsonl
	[ "$(lh-query 'SELECT count(*) n, min(id) a FROM w' w=w.tar)" = "$want" ]
	[ "$(lh-query 'SELECT count(*) n, min(id) a FROM w' w=<(cat w.jsonl))" = "$want" ]
	[ "$(lh-query 'SELECT count(*) n, min(id) a FROM w' w=- <w.jsonl)" = "$want" ]
	[ "$(gzip -c w.jsonl | lh-query 'SELECT count(*) n, min(a.id) a FROM w a JOIN w b ON a.id = b.id' w=-)" = "$want" ]
	[ "$(lh-query 'SELECT count(*) n FROM e' e=/dev/null)" = '{"n":0}' ]
	printf '\357\273\277{"a":1}\r\n\r\n{"a":2}' >odd
	[ "$(lh-query 'SELECT sum(a) n FROM o' o=odd)" = '{"n":3}' ]
}

@test "an index: one id by its map, ranges, metadata, changes in its log" {
	lh-gen workers -n 300 | lh-index build w.lhv
	lh-gen workers -n 300 >w.jsonl
	for where in "id = 'w-7'" "id IN ('w-9', 'w-7', 'x')" "id BETWEEN 'w-20' AND 'w-25'" "id > 'w-97'" "id <= 'w-100'" 'id = 7' 'id > 7' "id < 'w-11' AND role = 'Welder'"; do
		sql="SELECT id, role, city FROM w WHERE $where ORDER BY id"
		[ "$(lh-query "$sql" w=w.lhv)" = "$(lh-query "$sql" w=w.jsonl)" ] || { echo "$where"; return 1; }
	done
	[ "$(lh-query "SELECT count(*) n FROM w WHERE id < 'w-11'" w=w.lhv)" = "{\"n\":$(jq -r .id w.jsonl | LC_ALL=C awk '$0 "" < "w-11"' | wc -l)}" ]
	lh-query 'EXPLAIN QUERY PLAN SELECT * FROM w WHERE id = 1' w=w.lhv | has 'INDEX 1'
	echo '{"id":"w-7"}' | lh-index delete -q w.lhv
	[ "$(lh-query 'SELECT count(*) n FROM w' w=w.lhv)" = '{"n":299}' ]
	[ -z "$(lh-query "SELECT id FROM w WHERE id = 'w-7'" w=w.lhv)" ]
	[ "$(lh-query "SELECT json->>'role' r, json->>'id' i FROM w WHERE id = 'w-8'" w=w.lhv)" = "$(lh-query "SELECT role r, id i FROM w WHERE id = 'w-8'" w=w.jsonl)" ]
}

@test "joins, subqueries and self joins are those of Python's sqlite3" {
	lh-gen workers -n 400 >a.jsonl
	lh-gen workers -n 300 --seed 5 | jq -c '{id, city, n: (.name | length), r: .role}' >b.jsonl
	cat >same.py <<-'END'
	import json, sqlite3, sys
	db = sqlite3.connect(":memory:")
	for t in "ab":
	    rows = [json.loads(l) for l in open(t + ".jsonl")]
	    cols = list(rows[0])
	    db.execute(f"create table {t} ({','.join(cols)})")
	    db.executemany(f"insert into {t} values ({','.join('?' * len(cols))})", [[v if isinstance(v, (str, int)) else json.dumps(v) for v in r.values()] for r in rows])
	for row in db.execute(sys.argv[1]):
	    print(json.dumps(row, separators=(",", ":"), ensure_ascii=False))
	END
	while read -r sql; do
		lh-query "$sql" a=a.jsonl b=b.jsonl | jq -c '[.[]]' >ours
		python3 same.py "$sql" >theirs
		[ "$(wc -l <theirs)" -gt 0 ]
		cmp ours theirs || { echo "$sql"; return 1; }
	done <<-'END'
	SELECT a.id, b.n FROM a JOIN b ON a.id = b.id WHERE b.n > 14 ORDER BY a.id
	SELECT a.city, count(*), sum(b.n) FROM a JOIN b ON a.city = b.city AND a.role = b.r GROUP BY 1 ORDER BY 1
	SELECT count(*), max(a.id || b.id) FROM a, b WHERE a.id < b.id
	SELECT count(*) FROM a LEFT JOIN b ON a.id = b.id WHERE b.id IS NULL
	SELECT id, (SELECT count(*) FROM b WHERE b.city = a.city) FROM a ORDER BY id LIMIT 20
	SELECT count(*) FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.r = a.role AND b.n = 12)
	SELECT count(*) FROM a WHERE id IN (SELECT id FROM b)
	SELECT x.id, y.id FROM b x JOIN b y ON x.n = y.n AND x.id < y.id ORDER BY 1, 2 LIMIT 10
	SELECT count(*) FROM a WHERE city = (SELECT max(city) FROM b)
	SELECT city, rank() OVER (ORDER BY count(*) DESC, city) FROM a GROUP BY city ORDER BY 2
	SELECT count(*) FROM (SELECT id FROM a UNION SELECT id FROM b EXCEPT SELECT id FROM a WHERE city = 'Chicago')
	WITH t(c) AS (SELECT city FROM a GROUP BY 1 HAVING count(*) > 5) SELECT count(*) FROM b NATURAL JOIN a WHERE city IN t
	SELECT count(*) FROM a JOIN b USING (id) JOIN a c ON c.city = b.city
	WITH c AS MATERIALIZED (SELECT id, city FROM b) SELECT count(*) FROM a JOIN c ON c.id = a.id AND c.city = a.city
	END
}

@test "drawn joins and subqueries have the rows of sqlite3, whatever is looked up by" {
	python3 "$ROOT/tests/oracle/joins.py" 1 100
}

# bats test_tags=full
@test "thousands of drawn joins and subqueries have the rows of sqlite3" {
	for seed in 2 3 4; do
		python3 "$ROOT/tests/oracle/joins.py" $seed 1000
	done
}

@test "a join reads each of its files once, in any order, and beyond --memory from a temporary file" {
	n=200000
	mkdir tmp
	export TMPDIR=$PWD/tmp
	seq $n | jq -c '{id: ., k: (. % 500)}' >a.jsonl
	seq 0 499 | jq -c '{k: ., city: "c\(. % 7)"}' >b.jsonl
	for from in 'a JOIN b ON a.k = b.k' 'b CROSS JOIN a ON b.k = a.k' 'a JOIN b USING (k) LEFT JOIN b c ON c.city = b.k'; do
		[ "$(patiently lh-query "SELECT count(*) n FROM $from" a=a.jsonl b=b.jsonl)" = "{\"n\":$n}" ]
	done
	for how in '' --wire; do
		sql="SELECT count(*) n, sum(y.id) s FROM a x JOIN a y ON x.id = y.id"
		patiently lh-query --memory 4M $how "$sql" a=a.jsonl >out
		grep -q "$n,.*$((n * (n + 1) / 2))\|$n,\"s\":$((n * (n + 1) / 2))" out
	done
	ls -d "$TMPDIR"/lh-* && return 1 || true
}

@test "a value that a join does not show is no error of it, and one that it shows is" {
	printf '%s\n' '{"k":1,"n":1}' '{"k":2,"n":123456789012345678901}' >b.jsonl
	printf '%s\n' '{"k":1}' '{"k":1}' '{"k":3}' >a.jsonl
	[ "$(lh-query 'SELECT sum(n) s FROM a CROSS JOIN b ON a.k = b.k' a=a.jsonl b=b.jsonl)" = '{"s":2}' ]
	echo '{"k":2}' >>a.jsonl
	run -2 --separate-stderr lh-query 'SELECT n FROM a CROSS JOIN b ON a.k = b.k' a=a.jsonl b=b.jsonl
	[[ $stderr == *'b.jsonl:2: column "n" has a number beyond 64 bits'* ]]
}

@test "a sum or an average of a text that is no number is an error with file, line and column" {
	printf 'id;rate\n1;30\n2;12,5\n' >t.csv
	printf '%s\n' '{"v":1,"g":1}' '{"v":"2.5","g":1}' '{"v":null,"g":2}' '{"v":"n/a","g":2}' >v.jsonl
	for f in sum avg total; do
		for sql in "SELECT $f(rate) FROM t" "SELECT id, $f(rate) FROM t GROUP BY id ORDER BY 1" "SELECT $f(rate) OVER (ORDER BY id) FROM t" \
			"SELECT $f(r) FROM (SELECT DISTINCT rate r FROM t)"; do
			run -2 --separate-stderr lh-query "$sql" t=t.csv
			[[ ${stderr_lines[-1]} == 'lh-query: t.csv:3: column "rate" has a text that is not a number, '* ]]
		done
		run -2 --separate-stderr lh-query "SELECT $f(v) FROM v" v=v.jsonl
		[[ $stderr == 'lh-query: v.jsonl:4: column "v" has a text'* ]]
	done
	[ "$(lh-query "SELECT sum(replace(rate, ',', '.')) s FROM t" t=t.csv)" = '{"s":42.5}' ]
	[ "$(lh-query 'SELECT sum(v) s, avg(v) a, total(v) t FROM v WHERE g = 1' v=v.jsonl)" = '{"s":3.5,"a":1.75,"t":3.5}' ]
	[ "$(lh-query 'SELECT sum(v) s, avg(v) a, total(v) t FROM v WHERE v IS NULL' v=v.jsonl)" = '{"s":null,"a":null,"t":0.0}' ]
}

@test "sums over windows and of whole numbers are those of Python's sqlite3" {
	seq 50 | jq -c '{n: ., v: (if . % 7 == 0 then null elif . % 5 == 0 then . / 2 else . * 3 end)}' >v.jsonl
	cat >sums.py <<-'END'
	import json, sqlite3, sys
	db = sqlite3.connect(":memory:")
	db.execute("create table v (n, v)")
	db.executemany("insert into v values (?, ?)", [tuple(json.loads(l).values()) for l in open("v.jsonl")])
	for row in db.execute(sys.argv[1]):
	    print(json.dumps(row, separators=(",", ":")))
	END
	for of in 'ORDER BY n ROWS 3 PRECEDING' 'PARTITION BY n % 4' 'ORDER BY n ROWS BETWEEN 2 FOLLOWING AND 4 FOLLOWING'; do
		sql="SELECT n, sum(v) OVER w s, avg(v) OVER w a, total(n) OVER w t, sum(n) OVER w m FROM v WINDOW w AS ($of) ORDER BY n"
		alike <(lh-query "$sql" v=v.jsonl | jq -c '[.[]]') <(python3 sums.py "$sql" | jq -c .)
	done
	echo '{"i":9223372036854775807}' >i.jsonl
	refused 400 'integer overflow' 'SELECT sum(i) FROM (SELECT i FROM i UNION ALL SELECT 1)' i=i.jsonl
}

@test "to a check true is not 1" {
	mkdir c
	echo '{"v":true}' >w.jsonl
	printf '%s\n' '{"v":1}' '{"v":true}' '{"v":true}' >x.jsonl
	echo '{"v":1}' >y.jsonl
	while read -r passed check; do
		echo "$check" >c/1.jsonl
		run lh-query check c w=w.jsonl x=x.jsonl y=y.jsonl
		[ "$(jq .passed <<<"${lines[0]}")" = $passed ] || { echo "$check"; return 1; }
	done <<-'END'
		false {"check":"accepted","dataset":"w","column":"v","values":[1]}
		true {"check":"accepted","dataset":"w","column":"v","values":[true,2]}
		false {"check":"accepted","dataset":"y","column":"v","values":[true,false]}
		true {"check":"accepted","dataset":"y","column":"v","values":[1,true]}
		false {"check":"between","dataset":"w","column":"v","min":0,"max":2}
		false {"check":"references","dataset":"w","column":"v","to":"y"}
		true {"check":"references","dataset":"w","column":"v","to":"x"}
		false {"check":"unique","dataset":"x","column":"v"}
	END
	[ "$(jq -c .first <<<"${lines[0]}")" = '[{"v":true,"n":2}]' ]
}

@test "only one statement, and only one that reads" {
	only='only one SELECT, WITH, VALUES or EXPLAIN is answered'
	refused 400 "$only" '' x=w.jsonl
	refused 400 "$only" ' -- nothing' x=w.jsonl
	for sql in 'ATTACH "x.db" AS x' 'DETACH x' 'PRAGMA user_version = 3' 'PRAGMA table_list' 'CREATE TABLE t(a)' 'INSERT INTO w VALUES (1)' \
		'DELETE FROM w' 'UPDATE w SET id = 1' 'DROP TABLE w' 'VACUUM' "VACUUM INTO 'x.db'" 'BEGIN' 'REINDEX' 'ANALYZE' 'SAVEPOINT a' \
		'ALTER TABLE w RENAME TO v' '; SELECT 1' 'REPLACE INTO w VALUES (1)' '/* SELECT */ DROP TABLE w' 'SELECTED'; do
		refused 400 "$only" "$sql" w=w.jsonl
	done
	refused 400 "$only, and no command of a shell; a table has the name of its FILE, or is named by NAME=FILE" .tables w=w.jsonl
	refused 400 'only one statement is answered' 'SELECT 1; SELECT 2' w=w.jsonl
	refused 400 'only one statement is answered' 'SELECT 1; ATTACH x AS y' w=w.jsonl
	refused 400 'not authorized to use function: load_extension' "SELECT load_extension('x')" w=w.jsonl
	refused 400 'no such function: readfile' "SELECT readfile('/etc/passwd')" w=w.jsonl
	refused 400 'no such function: writefile' "SELECT writefile('x', 'y')" w=w.jsonl
	refused 400 'EXPLAIN takes a SELECT, and nothing before it' 'EXPLAIN ATTACH x AS y' w=w.jsonl
	for sql in 'EXPLAIN DELETE FROM w' 'WITH a AS (SELECT 1) DELETE FROM w' 'WITH a AS (SELECT 1) INSERT INTO w SELECT * FROM a' \
		"SELECT * FROM pragma_database_list" 'WITH a AS (SELECT 1) UPDATE sqlite_master SET type = 1' 'EXPLAIN UPDATE sqlite_master SET type = 1' 'WITH a AS (SELECT 1) UPDATE w SET id = 2' 'EXPLAIN PRAGMA writable_schema = 1'; do
		run -2 --separate-stderr lh-query "$sql" w=w.jsonl
		[ -z "$output" ]
	done
	[ "$(lh-query ' /* one */ SELECT 1 a; -- two' w=w.jsonl)" = '{"a":1}' ]
	alike <(ls | grep -v '^separate') <(printf 'request\nw.jsonl\n')
}

@test "wrong SQL has the engine's words, and no path" {
	refused 400 'no such table: nope (a table is named by NAME=FILE; there is w)' 'SELECT * FROM nope' w=w.jsonl
	refused 400 'no such column: nope' 'SELECT nope FROM w' w=w.jsonl
	refused 400 'near "FROM": syntax error' 'SELECT FROM w' w=w.jsonl
	refused 400 'unrecognized token: "'"'x"'"' "SELECT 'x" w=w.jsonl
	refused 400 'no such column: Chicago' 'SELECT * FROM w WHERE city = "Chicago"' w=w.jsonl
	refused 400 'malformed JSON' "SELECT json_extract('{', '\$')" w=w.jsonl
	run -1 --separate-stderr lh-query w=w.jsonl <<<'{"sql":"SELECT 1\u0000"}'
	[ "$(jq -r .error.message <<<"$output")" = 'the statement contains a NUL' ]
}

@test "a query that does not end is stopped by --timeout with 504, and the next one is answered" {
	printf '%s\n' '{"sql":"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"}' \
		'{"sql":"SELECT count(*) FROM w a, w b, w c, w d, w e, w f, w g, w h, w i, w j, w k, w l, w m"}' \
		'{"sql":"SELECT count(*) n FROM w"}' >requests
	run -1 --separate-stderr patiently lh-query --timeout 2 w=w.jsonl <requests
	[ "$(jq -c '.error.code // .rows' <<<"$output" | xargs)" = '504 504 [[5]]' ]
	run -2 --separate-stderr patiently lh-query --timeout 0.3 "$(sed -n '1s/.*:"\(.*\)"}/\1/p' requests)"
	[ "$stderr" = 'lh-query: the query takes longer than 0.3 seconds (--timeout)' ]
}

# one call of a function that takes hours
SLOW="SELECT instr(hex(zeroblob(10000000)), hex(zeroblob(5000000)) || '1')"

# bats test_tags=full
@test "one function that does not end, or an input that stalls, ends the process after --timeout with a message" {
	run -2 --separate-stderr patiently lh-query --timeout 0.5 "$SLOW"
	[ -z "$output" ]
	[ "$stderr" = 'lh-query: the query takes longer than 0.5 seconds (--timeout)' ]
	echo '{"a":1}' >w.jsonl
	run -2 --separate-stderr patiently lh-query --timeout 0.5 --on-error emit w=w.jsonl <<<"{\"id\":\"r1\",\"sql\":\"$SLOW\"}"
	[ "$(jq -c '[.id, .error.code, .error.message]' <<<"$output")" = '["r1",504,"the query takes longer than 0.5 seconds (--timeout)"]' ]
	mkfifo stalls
	exec 9<>stalls
	run -2 --separate-stderr patiently lh-query --timeout 0.5 'SELECT * FROM w' w=stalls
	exec 9>&-
	[ "$stderr" = 'lh-query: the query takes longer than 0.5 seconds (--timeout)' ]
}

@test "memory, values and answers are bounded" {
	repeat 30000 '{"k":"0123456789012345678901234567890123456789","v":1}' | awk '{ sub("0123", NR); print }' >b.jsonl
	[ "$(lh-query --memory 4M "SELECT count(*) n FROM (SELECT k, v FROM b ORDER BY k || 'x' LIMIT -1 OFFSET 1)" b=b.jsonl)" = '{"n":29999}' ]
	# of a request nothing goes to a file
	run -1 --separate-stderr env TMPDIR=/nowhere SQLITE_TMPDIR=/nowhere lh-query --memory 2M b=b.jsonl <<<"{\"sql\":\"SELECT k, v FROM b ORDER BY k || 'x'\"}"
	[ "$(jq -c '[.error.code, .error.message]' <<<"$output")" = '[413,"out of memory (--memory)"]' ]
	run -2 --separate-stderr lh-query --memory 4M --wire 'SELECT * FROM b JOIN b c ON 1' b=b.jsonl
	[ "$stderr" = 'lh-query: the answer is larger than --memory' ]
	refused 413 'string or blob too big (--memory)' 'SELECT zeroblob(1000000000)' --memory 16M
	run -2 --separate-stderr lh-query --memory 16M "SELECT printf('%.99999999c', 'x')"
	[ -z "$output" ]
	run -2 --separate-stderr lh-query --memory 8M 'SELECT group_concat(k, zeroblob(1000)) FROM b' b=b.jsonl
	[ -z "$output" ]
	run -1 --separate-stderr lh-query --memory 8M b=b.jsonl <<<'{"sql":"WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n + 1 FROM c) SELECT count(*) FROM c"}'
	[ "$(jq .error.code <<<"$output")" = 413 ]
}

@test "--max-rows prints so many, and reports that there are more" {
	run -1 --separate-stderr lh-query --max-rows 2 'SELECT id FROM w' w=w.jsonl
	[ "$output" = '{"id":"w-1"}
{"id":"w-2"}' ]
	[ "$stderr" = 'lh-query: more than 2 rows (--max-rows)' ]
	run -1 --separate-stderr lh-query --wire --max-rows 1 'SELECT id FROM w' w=w.jsonl
	[ "$output" = '{"columns":[{"name":"id","type":"VARCHAR"}],"rows":[["w-1"]],"row_count":1,"truncated":true}' ]
	[ "$(echo '{"sql":"SELECT id FROM w"}' | lh-query --max-rows 1 w=w.jsonl)" = "$output" ]
	run -0 --separate-stderr lh-query --max-rows 5 'SELECT id FROM w' w=w.jsonl
	[ "$(wc -l <<<"$output")" = 5 ]
}

@test "lines that are not records are reported once, and the others are rows" {
	printf '%s\n' '{"a":1}' '[1]' '{"a":2}' '{"a":' '{"a":3}' >d.jsonl
	run -1 --separate-stderr lh-query 'SELECT sum(x.a) s FROM d x, d y' d=d.jsonl
	[ "$output" = '{"s":18}' ]
	[ "$stderr" = 'lh-query: d.jsonl:2: not a JSON object
lh-query: d.jsonl:4:6: unexpected end of line
lh-query: 2 of 5 records rejected' ]
	run -1 --separate-stderr lh-query --on-error stop 'SELECT a FROM d' d=d.jsonl
	[ "$stderr" = 'lh-query: d.jsonl:2: not a JSON object
lh-query: 1 of 2 records rejected' ]
	printf '{"a":1}\n{"a":"%02000d"}\n{"a":2}' 0 >long.jsonl
	run -1 --separate-stderr lh-query --max-line 1000 'SELECT sum(a) s FROM d' d=long.jsonl
	[ "$output" = '{"s":3}' ]
	[[ $stderr == 'lh-query: long.jsonl:2: '*'--max-line'* ]]
}

@test "a co-process answers each request at once, and sees a file that changes" {
	coproc lh-query w=w.jsonl
	pid=$COPROC_PID
	ask() {
		jq -nc --arg sql "$1" '{sql: $sql}' >&"${COPROC[1]}"
		IFS= read -r -t "$LH_PATIENCE" -u "${COPROC[0]}" reply
	}
	ask 'SELECT count(*) FROM w'
	[ "$(jq -c .rows <<<"$reply")" = '[[5]]' ]
	echo '{"id":"w-6","new":1}' >>w.jsonl
	ask 'SELECT count(*), max(new) FROM w'
	[ "$(jq -c .rows <<<"$reply")" = '[[6,1]]' ]
	mv w.jsonl away
	ask 'SELECT count(*) FROM w'
	[ "$(jq -c '.error | [.code, .message]' <<<"$reply")" = '[500,"w.jsonl: cannot open: No such file or directory"]' ]
	ask 'SELECT 1'
	[ "$(jq -c .rows <<<"$reply")" = '[[1]]' ]
	mv away w.jsonl
	ask 'SELECT count(*) FROM w'
	[ "$(jq -c .rows <<<"$reply")" = '[[6]]' ]
	eval "exec ${COPROC[1]}>&-"
	wait "$pid" && status=0 || status=$?
	[ "$status" = 1 ]
}

@test "operands that are wrong are named" {
	run -2 --separate-stderr lh-query
	[ "$stderr" = 'lh-query: missing operand: SQL, or NAME=FILE' ]
	run -2 --separate-stderr lh-query 'SELECT 1' -
	[ "$stderr" = 'lh-query: unexpected operand "-": tables are NAME=FILE, or FILE' ]
	run -2 --separate-stderr lh-query 'SELECT 1' w=w.jsonl W=w.jsonl
	[ "$stderr" = 'lh-query: two tables are called "W"' ]
	run -2 --separate-stderr lh-query w=- <<<'{"sql":"SELECT count(*) FROM w"}'
	[ "$stderr" = 'lh-query: unexpected operand "w=-": standard input has the statements' ]
	run -2 --separate-stderr lh-query 'SELECT count(*) FROM a, b' a=- b=- <w.jsonl
	[ "$stderr" = 'lh-query: unexpected operand "b=-": standard input is a table already' ]
	for name in sqlite_x PRAGMA_y json_each; do
		run -2 --separate-stderr lh-query 'SELECT 1' $name=w.jsonl
		[ "$stderr" = "lh-query: \"$name\" cannot be the name of a table" ]
	done
}

@test "a query without end is ended, quietly, when its reader goes away" {
	echo '{"a":1}' >t.jsonl
	patiently lh-query --timeout 0 "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
		SELECT count(*) FROM c" t.jsonl 2>err | true || [ "${PIPESTATUS[*]}" = "141 0" ]
	[ ! -s err ]
}

@test "CSV and TSV: types by the sample, empty cells are NULL, rows that do not fit are rejected" {
	printf '\357\273\277id,name,score,active,"a b"\r\n1,"say ""hi"", x",95.5,true,\r\n2,,70,FALSE,007\r\n,"two\nlines",61,,x\r\n' >c.csv
	run -0 --separate-stderr lh-query 'SELECT * FROM c' c=c.csv
	[ "$output" = '{"id":1,"name":"say \"hi\", x","score":95.5,"active":true,"a b":null}
{"id":2,"name":null,"score":70,"active":false,"a b":"007"}
{"id":null,"name":"two\nlines","score":61,"active":null,"a b":"x"}' ]
	[ "$(lh-query --wire 'SELECT * FROM c LIMIT 0' c=c.csv | jq -r '.columns[].type' | xargs)" = 'BIGINT VARCHAR DOUBLE BOOLEAN VARCHAR' ]
	lh-query 'SELECT json FROM c' c=c.csv | jq -c .json >ours
	alike ours <(lh-ingest c.csv)
	tr -d '"' <c.csv | tr , '\t' | sed 2d >c.tsv
	[ "$(lh-query 'SELECT max(score) n FROM c' c=c.tsv)" = '{"n":70}' ]
	mkdir d.tsv
	cp c.csv d.tsv
	[ "$(lh-query 'SELECT max(score) n FROM c' c=d.tsv/c.csv)" = '{"n":95.5}' ]
	gzip -c c.csv >c.csv.gz
	[ "$(lh-query 'SELECT count(*) n, sum(score) s FROM c a JOIN c b USING (score)' c=c.csv.gz)" = '{"n":3,"s":226.5}' ]
	{ echo k,v; seq -f '%g,1' 1500; echo 'x,1'; echo '1,2,3'; echo '7,"open'; } >late.csv
	run -1 --separate-stderr lh-query 'SELECT count(*) n FROM c x JOIN c y USING (k)' c=late.csv
	[ "$output" = '{"n":1500}' ]
	[ "${stderr_lines[0]}" = 'lh-query: late.csv:1502: column 1 is not int64' ]
	[ "${stderr_lines[3]}" = 'lh-query: 3 of 1503 records rejected' ]
	printf 'a,a\n1,2\n' >twice.csv
	run -2 --separate-stderr lh-query 'SELECT * FROM c' c=twice.csv
	[[ $stderr == *'twice.csv: columns 1 and 2 are both called "a"' ]]
}

@test "CSV is read as lh-ingest reads it: line ends, delimiters, codes, quotes in TSV" {
	printf 'id,name\r1,Ann\r2,Bo\r' >t.csv
	[ "$(lh-query 'SELECT count(*) c, max(name) n FROM t' t=t.csv)" = '{"c":2,"n":"Bo"}' ]
	printf 'code;qty\n1E2;5\n100;7\n1e02;9\n' >t.csv
	run -0 --separate-stderr lh-query 'SELECT code, sum(qty) q FROM t GROUP BY code' t=t.csv
	[ "$output" = $'{"code":"100","q":7}\n{"code":"1E2","q":5}\n{"code":"1e02","q":9}' ]
	[ "$stderr" = 'lh-query: t.csv: cells are separated by semicolons (--delimiter of lh-ingest sets another)' ]
	printf 'sep=|\nid|name\n1|Ann\n' >t.csv
	[ "$(lh-query 'SELECT * FROM t' t=t.csv)" = '{"id":1,"name":"Ann"}' ]
	printf 'id\tsize\n1\t"6 ft board\n2\t5 ft"\n3\tok\n' >t.tsv
	[ "$(lh-query 'SELECT count(*) c FROM t' t=t.tsv)" = '{"c":3}' ]
	printf '<!doctype html>\n<html>\n' >t.csv
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=t.csv
	[[ $stderr == *'t.csv: is a page of HTML, not a table; save it as CSV in UTF-8' ]]
}

# dataset NAME KEY... - register a dataset of these objects in the catalog c, store s.
dataset() {
	local name=$1
	shift
	jq -nc --arg n "$name" --arg s "$PWD/s" '{name: $n, schema_fingerprint: "f", store: $s, objects: [$ARGS.positional[] | {key: .}]}' --args "$@" |
		lh-catalog register -q --catalog c >/dev/null
}

@test "the datasets of a catalog are tables: several objects, any name, and a bad one alone is missing" {
	mkdir -p s/d
	lh-gen workers -n 30 >w.jsonl
	head -n 10 w.jsonl | zstd -q >s/d/1.jsonl.zst
	tail -n 20 w.jsonl >s/d/2.jsonl
	printf 'id,n\nw-1,5\n' >s/d/n.csv
	printf 'id\tn\nw-1\t6\n' >s/d/n.tsv
	dataset workers d/1.jsonl.zst d/2.jsonl
	dataset 'fill "events" é' d/n.csv
	dataset tabs d/n.tsv
	dataset gone d/nothing.jsonl
	dataset outside ../w.jsonl
	ln -s "$PWD/w.jsonl" s/d/link.jsonl
	dataset linked d/link.jsonl
	dataset empty
	[ "$(lh-query --catalog c 'SELECT count(*) n, count(DISTINCT id) d FROM workers')" = '{"n":30,"d":30}' ]
	[ "$(lh-query --catalog c 'SELECT n FROM workers JOIN "fill ""events"" é" USING (id)')" = '{"n":5}' ]
	[ "$(lh-query --catalog c 'SELECT * FROM tabs')" = '{"id":"w-1","n":6}' ]
	[ "$(LH_CATALOG=c lh-query 'SELECT count(*) n FROM workers')" = '{"n":30}' ]
	[ "$(lh-query --catalog c 'SELECT count(*) n FROM workers' workers=s/d/2.jsonl)" = '{"n":20}' ]
	for t in gone outside linked empty; do
		run -2 --separate-stderr lh-query --catalog c "SELECT * FROM $t"
		[ -z "$output" ] && [[ $stderr == "lh-query: $t: "* ]] && [[ $stderr != *"$PWD"* ]] || { echo "$stderr"; return 1; }
	done
	mv s t
	run -2 lh-query --catalog c 'SELECT * FROM workers'
	[ "$(lh-query --catalog c --store t 'SELECT count(*) n FROM workers')" = '{"n":30}' ]
	echo '{' >"c/$(lh-catalog get --catalog c gone | jq -r .dataset_id).json"
	run -1 --separate-stderr lh-query --catalog c --store t 'SELECT count(*) n FROM workers'
	[ "$output" = '{"n":30}' ] && [ -n "$stderr" ]
}

@test "tables of hundreds of columns are joined by any of them, and of thousands have the first 1,900" {
	python3 - <<-'END'
	import json
	with open("wide.jsonl", "w") as f:
	    for i in range(50):
	        f.write(json.dumps({f"c{k}": i * k % 7 for k in range(300)}) + "\n")
	with open("wider.jsonl", "w") as f:
	    f.write(json.dumps({f"c{k}": k for k in range(3000)}) + "\n")
	END
	[ "$(lh-query 'SELECT count(*) n, sum(b.c250) s, max(b.json->>'"'\$.c299'"') m FROM a JOIN b ON a.c100 = b.c200 AND a.c0 = b.c70' a=wide.jsonl b=wide.jsonl)" = \
		"$(python3 -c '
import json
r = [json.loads(l) for l in open("wide.jsonl")]
j = [y for x in r for y in r if x["c100"] == y["c200"] and x["c0"] == y["c70"]]
print(json.dumps({"n": len(j), "s": sum(y["c250"] for y in j), "m": max(y["c299"] for y in j)}, separators=(",", ":")))')" ]
	[ "$(lh-query "SELECT c1899 a, json->>'\$.c2999' b FROM w" w=wider.jsonl)" = '{"a":1899,"b":2999}' ]
	run -2 --separate-stderr lh-query 'SELECT c1900 FROM w' w=wider.jsonl
	[ "$stderr" = 'lh-query: no such column: c1900 (did you mean c100, c190 or c900?)' ]
}

@test "names that hold NUL are no columns, from any format, and stop no query" {
	printf 'a\0b,a\0c,a,"a\0"\n1,2,3,4\n' >t.csv
	printf 'a\0b\ta\0c\ta\n1\t2\t3\n' >t.tsv
	printf '{"a\\u0000b":1,"a\\u0000c":2,"a":3}\n' >t.jsonl
	printf 'a\0b,a\0c\n1,2\n' >only.csv
	jq -c '{id: "x", vector: [1], metadata: .}' t.jsonl | lh-index build -q t.lhv
	for f in t.csv t.tsv t.jsonl; do
		[ "$(patiently lh-query 'SELECT * FROM t' t=$f)" = '{"a":3}' ] || { echo "$f"; return 1; }
	done
	[ "$(patiently lh-query 'SELECT * FROM t' t=t.lhv)" = '{"id":"x","a":3}' ]
	[ "$(patiently lh-query 'SELECT json FROM t' t=t.csv)" = '{"json":{"a":3}}' ]
	[ "$(patiently lh-query 'SELECT count(*) n FROM t' t=only.csv)" = '{"n":1}' ]
	[ "$(patiently lh-query 'SELECT x.a FROM t x JOIN t y ON x.a = y.a' t=t.csv)" = '{"a":3}' ]
}

@test "CSV: --csv-safe quotes formulas alone, and a terminal gets no control character" {
	printf '%s\n' '{"a":"=1+1","n":-5}' '{"a":"@x,y","n":1}' '{"a":"-2","n":2}' '{"a":"x=1","n":-0.5}' '{"a":"\u001b[2Jred","n":3}' '{"a":"\t=1"}' >f.jsonl
	alike <(lh-query --csv-safe "SELECT a, n FROM f WHERE a NOT LIKE '%red'" f=f.jsonl) <(printf "a,n\n'=1+1,-5\n\"'@x,y\",1\n'-2,2\nx=1,-0.5\n'\t=1,\n")
	alike <(lh-query --csv 'SELECT a FROM f LIMIT 1' f=f.jsonl) <(printf 'a\n=1+1\n')
	[[ $(lh-query --csv 'SELECT a FROM f' f=f.jsonl) == *$'\e[2J'* ]]
	command -v script >/dev/null || skip "there is no script(1)"
	script -qec "lh-query --csv 'SELECT a AS \"a'$'\e'b'\" FROM f' f=f.jsonl" /dev/null </dev/null >shown
	grep -q red shown
	run ! grep -q $'\e' shown
}

@test "a file alone is a table by its name, without folder and endings" {
	mkdir d
	printf 'id,n\n1,2\n' | tee d/p.csv >my-table.v2.csv
	zstd -q d/p.csv -o d/z.csv.zst
	for f in d/p.csv ./d/p.csv "$PWD/d/p.csv"; do
		[ "$(lh-query 'SELECT n FROM p' "$f")" = '{"n":2}' ]
	done
	[ "$(lh-query 'SELECT z.n FROM z JOIN p USING (id) JOIN q USING (id)' d/z.csv.zst d/p.csv q=d/p.csv)" = '{"n":2}' ]
	[ "$(lh-query 'SELECT n FROM "my-table.v2"' my-table.v2.csv)" = '{"n":2}' ]
	cp d/p.csv 'a b.csv'
	run -2 --separate-stderr lh-query 'SELECT 1' 'a b.csv'
	[ "$stderr" = 'lh-query: unexpected operand "a b.csv": tables are NAME=FILE, or FILE' ]
	run -2 --separate-stderr lh-query 'SELECT 1' d/p.csv my-table.v2.csv p=d/p.csv
	[ "$stderr" = 'lh-query: two tables are called "p"' ]
}

@test "a folder is all its files, a table by its name" {
	mkdir -p day.1/below
	echo '{"a":1,"name":"x"}' >day.1/b.jsonl
	echo '{"a":2}' | gzip >day.1/a.jsonl.gz
	echo 'not a record' | tee day.1/.hidden >day.1/below/c.jsonl
	for operand in day.1 day.1/ "$PWD/day.1//"; do
		[ "$(lh-query 'SELECT a, name FROM "day.1"' "$operand")" = $'{"a":2,"name":null}\n{"a":1,"name":"x"}' ]
	done
	[ "$(lh-query 'SELECT count(*) n FROM t' t=day.1)" = '{"n":2}' ]
	mkdir csv
	printf 'a,b\n1,2\n' | tee csv/1.csv >csv/2.csv
	[ "$(lh-query 'SELECT sum(b) s FROM csv' csv)" = '{"s":4}' ]
	# messages name the file
	echo '{' >>day.1/b.jsonl
	run -1 --separate-stderr lh-query 'SELECT a FROM t' t=day.1
	[[ ${stderr_lines[0]} == 'lh-query: day.1/b.jsonl:2:'* ]]
	# what comes later is seen by the next statement
	coproc lh-query t=csv
	pid=$COPROC_PID
	ask() {
		echo '{"sql":"SELECT count(*) FROM t"}' >&"${COPROC[1]}"
		IFS= read -r -t "$LH_PATIENCE" -u "${COPROC[0]}" reply
		[ "$(jq -c .rows <<<"$reply")" = "$1" ] || { echo "$reply"; return 1; }
	}
	ask '[[2]]'
	cp csv/1.csv csv/3.csv
	ask '[[3]]'
	eval "exec ${COPROC[1]}>&-"
	wait "$pid"
}

@test "a folder of files that are not alike, or without any, is refused" {
	mkdir mixed none
	echo '{"a":1}' >mixed/a.jsonl
	printf 'a,b\n1,2\n' >mixed/b.csv
	run -2 --separate-stderr lh-query 'SELECT * FROM mixed' mixed
	[ "$stderr" = 'lh-query: mixed: "a.jsonl" and "b.csv" are not one table: the files of a folder are all JSON Lines or all CSV' ]
	run -2 --separate-stderr lh-query 'SELECT * FROM none' none
	[ "$stderr" = 'lh-query: none: is a folder without files' ]
}

@test "a file in Parquet is refused with what reads it, and of a dataset that is kept twice the lines are read" {
	printf 'PAR1\25\4PAR1' >t.parquet
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t.parquet
	[ "$stderr" = 'lh-query: t.parquet: is a Parquet file (lh-ingest makes JSON Lines of it)' ]
	mkdir -p s/d
	cp t.parquet s/d/a.parquet
	echo '{"n":7}' >s/d/a.jsonl
	echo '{"name":"d","schema_fingerprint":"f","store":"s","objects":[{"key":"d/a.parquet"},{"key":"d/a.jsonl"}]}' |
		lh-catalog register --catalog c >register
	[ "$(lh-query --catalog c --store s 'SELECT n FROM d')" = '{"n":7}' ]
}

@test "an unknown column or table is named with those it is close to" {
	refused 400 'no such column: scroe (did you mean score?)' 'SELECT scroe FROM w' w=w.jsonl
	refused 400 'no such column: x.Skill (did you mean skills?)' 'SELECT x.Skill FROM w x' w=w.jsonl
	refused 400 'no such column: actve (did you mean active?)' 'SELECT id FROM w WHERE actve' w=w.jsonl
	refused 400 'no such table: works (did you mean work?)' 'SELECT * FROM works' work=w.jsonl
	run -2 lh-query 'SELECT * FROM people'
	[ "$output" = 'lh-query: no such table: people (a table is named by NAME=FILE)' ]
	refused 400 'near "-": syntax error (write "my-work" in double quotes)' 'SELECT * FROM my-work' my-work=w.jsonl
	refused 400 'near "-": syntax error (a table is named by NAME=FILE; there is w)' 'SELECT * FROM my-work' w=w.jsonl
	# those of a table that the statement does not use are not offered
	echo '{"scro":1}' >o.jsonl
	refused 400 'no such column: scroe (did you mean score?)' 'SELECT scroe FROM w' w=w.jsonl o=o.jsonl
}

# checks - c, a folder of checks of every kind; w.jsonl, c.jsonl.
checks() {
	mkdir c
	printf '%s\n' '{"id":"a","role":"welder","pay":20,"client":"c1","seen":"2026-05-01T00:00:00Z"}' \
		'{"id":"b","role":"o'"'"'clock","pay":35.5,"client":"c9","seen":"2026-05-02T00:00:00+02:00"}' \
		'{"id":"a","role":null,"pay":"x","client":null}' >w.jsonl
	echo '{"id":"c1"}' >c.jsonl
	printf '%s\n' '{"check":"unique","dataset":"w","column":"id"}' '{"check":"not_null","dataset":"w","column":"role"}' \
		'{"check":"accepted","dataset":"w","column":"role","values":["welder","o'"'"'clock"]}' \
		'{"check":"accepted","name":"few","dataset":"w","column":"role","values":["welder"]}' \
		'{"check":"between","dataset":"w","column":"pay","min":10,"max":30}' \
		'{"check":"references","dataset":"w","column":"client","to":"c","to_column":"id"}' \
		'{"check":"fresh","dataset":"w","column":"seen","within":"36h"}' \
		'{"check":"fresh","dataset":"w","column":"seen","within":"2h"}' >c/1.jsonl
	printf -- '-- too little\nSELECT * FROM w WHERE pay < 15;\n' >c/2-pay.sql
}

@test "check counts the rows that are wrong by queries and by lines that stand for them; null fails not_null alone" {
	checks
	run -1 lh-query --now 2026-05-03T00:00:00Z check c w=w.jsonl c=c.jsonl
	alike <(jq -c '[.name, .passed, .rows, (.first | length)]' <<<"$output") - <<-'END'
		["unique w.id",false,1,1]
		["not_null w.role",false,1,1]
		["accepted w.role",true,0,0]
		["few",false,1,1]
		["between w.pay",false,2,2]
		["references w.client",false,1,1]
		["fresh w.seen",true,0,0]
		["fresh w.seen",false,1,1]
		["2-pay",true,0,0]
	END
	seq 25 | jq -c '{id: null, n: .}' >many.jsonl
	echo '{"check":"not_null","dataset":"m","column":"id"}' >c/1.jsonl
	rm c/2-pay.sql
	[ "$(lh-query check c m=many.jsonl | jq -c '[.rows, (.first | map(.n) | add)]')" = '[25,55]' ]
}

@test "a check that cannot be run has an error, status 2; a wrong line is named; no checks is no pass" {
	mkdir c e
	echo '{"id":1}' >w.jsonl
	printf 'SELECT * FROM none' >c/1.sql
	printf 'SELECT * FROM w WHERE id > 1' >c/2.sql
	run -2 --separate-stderr lh-query check c w.jsonl
	[ "$(jq -c '[.passed, has("error")]' <<<"$output" | xargs)" = '[false,true] [true,false]' ]
	for line in '{"check":"uniq","dataset":"w","column":"id"}' '{"check":"accepted","dataset":"w","column":"id"}' \
		'{"check":"fresh","dataset":"w","column":"id","within":"2 weeks"}' '{"check":"between","dataset":"w","column":"id"}' \
		'{"check":"accepted","dataset":"w","column":"id","values":[{}]}' '{"check":"unique","dataset":"w","column":"id","x":1}'; do
		printf '{"check":"unique","dataset":"w","column":"id"}\n%s\n' "$line" >c/3.jsonl
		run -2 --separate-stderr lh-query check c w.jsonl
		[[ $stderr == "lh-query: c/3.jsonl:2: "* ]]
	done
	run -1 lh-query check e w.jsonl
	run -0 lh-query --allow-empty check e w.jsonl
	run -2 lh-query check
}

@test "a dataset of the catalog carries the last result of its checks, and the version that it is of" {
	mkdir k
	printf 'id,town\n1,Erie\n2,Erie\n' >w.csv
	lh-ingest -q --now 2026-05-01T00:00:00Z --store s --catalog c w.csv >/dev/null
	lh-ingest -q --now 2026-05-01T00:00:00Z --store s --catalog c --name other w.csv >/dev/null
	printf '{"check":"unique","dataset":"w","column":"%s"}\n' id town >k/1.jsonl
	printf 'SELECT * FROM w JOIN f USING (id)' >k/2.sql
	printf 'SELECT * FROM w WHERE missing > 1' >k/3.sql
	before=$(lh-catalog get --catalog c w)
	echo '{"id":7}' >f.jsonl
	run -2 lh-query --now 2026-05-02T00:00:00Z --catalog c check k f.jsonl
	want='{"at":"2026-05-02T00:00:00.000Z","of":"2026-05-01T00:00:00.000Z","passed":2,"failed":2,"failing":["unique w.town","3"]}'
	[ "$(lh-catalog list --catalog c | jq -c .checks)" = "null
$want" ]
	[ "$(lh-catalog get --catalog c w)" = "${before%?},\"checks\":$want}" ]
	# one that cannot be read has failed; a later result takes the place
	rm k/2.sql k/3.sql
	rm s/datasets/w/*
	run -2 lh-query --now 2026-05-03T00:00:00Z --catalog c check k
	[ "$(lh-catalog get --catalog c w | jq -c '[.checks.passed, .checks.failed]')" = '[0,2]' ]
	# rows that are kept later leave it, of the version that it is of
	lh-ingest -q --now 2026-05-04T00:00:00Z --store s --catalog c w.csv >/dev/null
	[ "$(lh-catalog get --catalog c w | jq -r '.checks.of, .updated_at' | cut -c-10 | paste -sd' ')" = '2026-05-01 2026-05-04' ]
	# who may not write the catalog is told so
	lock=$(echo c/*.json | tr ' ' '\n' | grep "$(lh-catalog get --catalog c w | jq -r .dataset_id)").lock
	mkdir "$lock"
	run -1 --separate-stderr lh-query --catalog c check k
	[[ $stderr == *"w: the result is not in the catalog: "* ]]
	[ "$(jq -c .passed <<<"$output" | paste -sd' ')" = 'true false' ]
}

# ---- files of SQLite ----

# database FILE - orders, with rows of each type of value, and an empty table
database() {
	rm -f "$1"
	sqlite3 "$1" "CREATE TABLE orders(id INTEGER PRIMARY KEY, who TEXT, rate REAL, raw BLOB, twice GENERATED ALWAYS AS (id * 2));
		CREATE TABLE empty(x, y);
		INSERT INTO orders(id, who, rate, raw) VALUES (1, 'Ann', 2, x'00ff'), (2, NULL, 1.5, NULL), (9007199254740993, 'é\"', -1e300, 7)"
}

@test "a file of SQLite is a table: that which FILE:TABLE or NAME says, or the only one" {
	database 'sh op?#%.db'
	want='{"id":1,"who":"Ann","rate":2.0,"raw":"00ff","twice":2}
{"id":2,"who":null,"rate":1.5,"raw":null,"twice":4}
{"id":9007199254740993,"who":"é\"","rate":-1e300,"raw":7,"twice":18014398509481986}'
	[ "$(lh-query 'SELECT * FROM t' 't=sh op?#%.db:orders')" = "$want" ]
	[ "$(lh-query 'SELECT * FROM Orders' 'Orders=sh op?#%.db')" = "$want" ]
	cp 'sh op?#%.db' shop.db
	[ "$(lh-query 'SELECT json FROM shop WHERE id = 2' shop.db:orders)" = '{"json":{"id":2,"who":null,"rate":1.5,"raw":null,"twice":4}}' ]
	[ "$(lh-query --wire 'SELECT * FROM e' e=shop.db:empty)" = '{"columns":[{"name":"x","type":"VARCHAR"},{"name":"y","type":"VARCHAR"}],"rows":[],"row_count":0}' ]
	# beside others, and the file stays as it is
	printf 'who,town\nAnn,Erie\n' >p.csv
	sum=$(sha256sum shop.db)
	[ "$(lh-query 'SELECT town, rate FROM o JOIN p USING (who)' o=shop.db:orders p=p.csv)" = '{"town":"Erie","rate":2.0}' ]
	[ "$(sha256sum shop.db)" = "$sum" ]
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=shop.db
	[ "$stderr" = 'lh-query: shop.db: has no table "t"; there is orders, empty: name one by t=FILE:TABLE' ]
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=shop.db:none
	[[ $stderr == *'has no table "none"'* ]]
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=- <shop.db
	[ "$stderr" = 'lh-query: -: is a database that is not a file: copy it to one' ]
	sqlite3 shop.db 'DROP TABLE empty'
	[ "$(lh-query 'SELECT count(*) n FROM t' t=shop.db)" = '{"n":3}' ]
}

@test "a database that another process writes is read as it was committed, with its log; a locked one is an error" {
	python3 - <<-'END'
	import os, shutil, sqlite3, subprocess
	def ask(file, code=0):
	    run = subprocess.run(["lh-query", "--csv", "SELECT count(*) FROM t", "t=" + file], capture_output=True, text=True)
	    assert run.returncode == code, run
	    return run.stdout.split()[-1] if code == 0 else run.stderr
	def files(name):
	    return sorted(f for f in os.listdir(".") if f.startswith(name))
	db = sqlite3.connect("w.db", isolation_level=None)
	db.execute("PRAGMA journal_mode=WAL")
	db.execute("CREATE TABLE t(a)")
	db.execute("INSERT INTO t VALUES (1)")
	assert ask("w.db") == "1"
	db.execute("BEGIN IMMEDIATE")
	db.execute("INSERT INTO t VALUES (2)")
	assert ask("w.db") == "1"
	db.execute("COMMIT")
	assert ask("w.db") == "2"
	for end in "", "-wal":
	    shutil.copy("w.db" + end, "killed.db" + end)
	db.close()
	assert ask("w.db") == "2" and files("w.db") == ["w.db"]
	assert ask("killed.db") == "2"
	db = sqlite3.connect("r.db", isolation_level=None)
	db.executescript("CREATE TABLE t(a); INSERT INTO t VALUES (1); BEGIN EXCLUSIVE")
	assert ask("r.db", 2) == "lh-query: r.db: database is locked\n"
	db.execute("COMMIT")
	assert ask("r.db") == "1" and files("r.db") == ["r.db"]
	END
}

@test "nothing that a database defines is run: no view, trigger, virtual table, function that reaches out" {
	database h.db
	sqlite3 h.db "CREATE VIEW v AS SELECT * FROM orders; CREATE TRIGGER r AFTER INSERT ON orders BEGIN DELETE FROM orders; END;
		CREATE VIRTUAL TABLE f USING fts5(t); CREATE TABLE g(a, b GENERATED ALWAYS AS (a || 'x'));
		INSERT INTO g VALUES ('7')"
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=h.db:v
	[[ $stderr == *'has no table "v"'* ]]
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=h.db:f
	[ "$stderr" = 'lh-query: h.db: no such module: fts5' ]
	[ "$(lh-query 'SELECT * FROM t' t=h.db:g)" = '{"a":"7","b":"7x"}' ]
	# the schema is rewritten, which sqlite3 itself refuses
	python3 - <<-'END'
	import sqlite3, subprocess
	for text, said in (("load_extension('x')", ""), ("readfile('/etc/passwd')", ""), ("randomblob(1000000000)", "")):
	    db = sqlite3.connect("h.db", isolation_level=None)
	    db.executescript("PRAGMA writable_schema=ON")
	    db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'g'", ("CREATE TABLE g(a, b GENERATED ALWAYS AS (%s))" % text,))
	    db.close()
	    run = subprocess.run(["lh-query", "--memory", "20M", "SELECT * FROM t", "t=h.db:g"], capture_output=True, text=True)
	    assert run.returncode == 2 and run.stdout == "" and run.stderr.count("\n") == 1, run
	END
}

@test "columns of a table without records are asked for in vain, and a message says so" {
	: >none.jsonl
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=none.jsonl
	[ "$stderr" = 'lh-query: there is no record, and so no column that * stands for' ]
	[ "$(lh-query 'SELECT count(*) AS n FROM t' t=none.jsonl)" = '{"n":0}' ]
}

@test "a damaged database is one clear error, or the rows that are left, and never another end" {
	database good.db
	head -c 6000 good.db >cut.db
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=cut.db:orders
	[ "$stderr" = 'lh-query: cut.db: is damaged: database disk image is malformed' ]
	{ printf 'SQLite format 3\0'; seq 2000; } >no.db
	run -2 --separate-stderr lh-query 'SELECT * FROM t' t=no.db
	[ "$stderr" = 'lh-query: no.db: is damaged: file is not a database' ]
	TIMES=$(scale 60 600 6000) python3 - <<-'END'
	import os, random, subprocess
	random.seed(53)
	good = open("good.db", "rb").read()
	ends = {}
	for i in range(int(os.environ["TIMES"])):
	    bad = bytearray(good)
	    for k in range(random.choice((1, 5, 50))):
	        bad[random.randrange(100 if i % 3 else 0, len(bad))] = random.randrange(256)
	    open("bad.db", "wb").write(bad)
	    run = subprocess.run(["lh-query", "SELECT * FROM t", "t=bad.db:orders"], capture_output=True)
	    # without its first bytes it is a text, of which each line is wrong
	    lines = run.stderr.count(b"\n") if bad[:16] == good[:16] else run.returncode > 0
	    assert run.returncode in (0, 2) and lines == (run.returncode > 0), (i, run)
	    ends[run.returncode] = 1
	assert len(ends) == 2
	END
}
