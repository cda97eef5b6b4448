# lh-search: neighbours of texts and vectors, filters, playbooks, damaged indexes.
# bats file_tags=quick
load ../helper

BAD=$ROOT/share/fixtures/search/bad

# Eight workers on the unit circle, by angle; a and b are one vector.
points() {
	cat <<-'END'
	{"id":"b","vector":[1,0],"metadata":{"state":"IL","role":"Welder","years":1,"skills":["mig","tig"]}}
	{"id":"a","vector":[1,0],"metadata":{"state":"IL","role":"CNC Operator","years":2.0,"skills":[]}}
	{"id":"c","vector":[0.8,0.6],"metadata":{"state":"IN","role":"Welder","years":9007199254740993}}
	{"id":"d","vector":[0.6,0.8],"metadata":{"state":"IN","role":"Picker","years":9007199254740992}}
	{"id":"e","vector":[0,1],"metadata":{"state":"OH","role":null,"nested":{"x":1,"y":[2]}}}
	{"id":"f","vector":[-0.6,0.8],"metadata":{"years":"2", "sp" : 1.50 }}
	{"id":"g","vector":[-1,0]}
	{"id":"7","vector":[0,-1],"metadata":{"state":"IL"}}
	END
}

# p.lhv holds them, in the folder of each test.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	points >points.jsonl
	lh-index build p.lhv points.jsonl
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp "$BATS_FILE_TMPDIR"/p* .
}

# ask QUERY [ARGUMENT...] - the ids that answer, in order.
ask() {
	local query=$1
	shift
	printf '%s\n' "$query" | lh-search --flat "$@" | jq -r .id | paste -sd' '
}

# bats test_tags=graphs
@test "a record's own vector comes back first, at distance 0" {
	[ "$(echo '{"vector":[0.8,0.6]}' | lh-search -k 1 --flat --no-metadata p.lhv)" = '{"query_text":null,"rank":1,"id":"c","distance":0,"corpus":"p","query":null}' ]
}

# bats test_tags=graphs
@test "hits come by ascending distance, equal ones by the bytes of the id" {
	[ "$(ask '{"vector":[1,0]}' -k 5 p.lhv)" = "a b c d 7" ]
}

@test "the answer is the query without its vector, with results at the end, and nothing else changed" {
	echo '{"z":1.0, "query_vector":[1,0],"n":12345678901234567890,"results":"old","vector":"x","s":"\u00e9","k":1}' |
		lh-search p.lhv >out
	[ "$(cat out)" = '{"z":1.0,"n":12345678901234567890,"s":"\u00e9","k":1,"results":[{"id":"a","distance":0,"corpus":"p","metadata":{"state":"IL","role":"CNC Operator","years":2.0,"skills":[]}}]}' ] ||
	[ "$(cat out)" = '{"z":1.0, "n":12345678901234567890,"s":"\u00e9","k":1,"results":[{"id":"a","distance":0,"corpus":"p","metadata":{"state":"IL","role":"CNC Operator","years":2.0,"skills":[]}}]}' ]
}

@test "metadata comes back byte for byte, and is absent where it was absent" {
	echo '{"vector":[-0.6,0.8],"k":1}' | lh-search p.lhv | has -F '"metadata":{"years":"2", "sp" : 1.50 }}]'
	echo '{"vector":[-1,0],"k":1}' | lh-search p.lhv | has -F '{"id":"g","distance":0,"corpus":"p"}]'
}

@test "a file of queries that is called an index is exit 2, with where queries are read from" {
	points >queries.lhv
	printf 'RIFF\n' >other.lhv
	why='queries.lhv: not an index: the magic number is wrong'
	for indexes in queries.lhv 'p.lhv queries.lhv'; do
		run -2 lh-search $indexes </dev/null
		[ "$output" = "lh-search: $why (it is JSON text; queries are read from standard input)" ]
	done
	run -2 lh-search other.lhv </dev/null
	[ "$output" = 'lh-search: other.lhv: not an index: the magic number is wrong' ]
}

@test "a base64 vector answers as the array does" {
	echo '{"vector":[0.6,0.8]}' | lh-search p.lhv >array
	echo '{"vector":"mpkZP83MTD8="}' | lh-search p.lhv >base64
	cmp array base64
}

@test "base64 whose slashes are escaped is read as well" {
	echo '{"vector":"\/\/\/\/PgAAAAA="}' | lh-search p.lhv >escaped
	echo '{"vector":"////PgAAAAA="}' | lh-search p.lhv >plain
	cmp escaped plain
	[ "$(jq -r '.results[0].id' plain)" = a ]
}

@test "the vector wins over a text, query_vector over vector" {
	[ "$(ask '{"query_text":"x","vector":[-1,0],"query_vector":[0,1]}' -k 1 p.lhv)" = e ]
}

@test "a record's k wins over -k; more than there are gives all; 0 gives none" {
	[ "$(ask '{"vector":[1,0],"k":2}' -k 5 p.lhv)" = "a b" ]
	[ "$(ask '{"vector":[1,0],"k":10000}' p.lhv | wc -w)" = 8 ]
	[ "$(echo '{"vector":[1,0],"k":0}' | lh-search p.lhv)" = '{"k":0,"results":[]}' ]
	[ "$(echo '{"vector":[1,0],"q":1}' | lh-search -k 0 p.lhv)" = '{"q":1,"results":[]}' ]
}

@test "an empty index answers with no results" {
	lh-index build --allow-empty --dimension 2 empty.lhv </dev/null
	[ "$(echo '{"vector":[1,0],"q":1}' | lh-search empty.lhv)" = '{"q":1,"results":[]}' ]
}

@test "every query that asks wrongly is rejected with its reason, and the others are answered" {
	mv p.lhv a.lhv
	for bad in "$BAD"/*.jsonl; do
		{
			echo '{"vector":[1,0]}'
			cat "$bad"
			echo '{"vector":[0,1]}'
		} >in
		run --separate-stderr lh-search -k 1 a.lhv <in
		[ "$status" = 1 ] && [ "${#lines[@]}" = 2 ] || { echo "$bad: $status"; false; }
		grep -qF -- "$(cat "${bad%.jsonl}.err")" <<<"$stderr" || { echo "$bad: $stderr"; false; }
	done
}

@test "the ef_search of an index is the ef of searches that name none" {
	lh-gen workers -n 3000 | lh-embed --dimension 64 >w.jsonl
	for ef in 1 500; do
		lh-index build -j1 --ef-construction 8 --exact-below 0 --ef-search $ef w$ef.lhv w.jsonl
	done
	lh-index build -j1 --ef-construction 8 --exact-below 0 w.lhv w.jsonl
	lh-gen queries -n 100 >q.jsonl
	for how in 1 500 ""; do
		lh-search -k 1 --no-metadata w=w$how.lhv <q.jsonl >"own$how"
		lh-search -k 1 --no-metadata ${how:+--ef $how} w=w.lhv <q.jsonl >"named$how"
		cmp "own$how" "named$how"
	done
	not cmp -s own1 own
	not cmp -s own own500
	lh-search -k 1 --no-metadata --ef 500 w=w1.lhv <q.jsonl | cmp - own500
	# with a filter too
	lh-search -k 1 --no-metadata --where status=active w=w1.lhv <q.jsonl >few
	lh-search -k 1 --no-metadata --where status=active --ef 1 w=w.lhv <q.jsonl | cmp - few
}

# bats test_tags=graphs
@test "a walk of far fewer candidates than results finds as many as are wanted" {
	lh-gen workers -n 2700 | lh-index build -q --precision i8 few.lhv
	lh-gen workers -n 300 --seed 9 >asked
	for wanted in "1 300" "4 300" "16 100" "16 300"; do
		lh-search -q --no-metadata --ef "${wanted% *}" -k "${wanted#* }" few.lhv <asked |
			jq '.results | length' | uniq -c >found
		[ "$(echo $(cat found))" = "300 ${wanted#* }" ] || { echo "$wanted"; cat found; return 1; }
	done
}

@test "metadata_filter: scalars, lists, objects, arrays, null, missing keys" {
	filter() { ask "{\"vector\":[1,0],\"metadata_filter\":$1}" p.lhv; }
	[ "$(filter '{"state":"IL"}')" = "a b 7" ]
	[ "$(filter '{"state":["IN","OH"]}')" = "c d e" ]
	[ "$(filter '{"state":"IL","role":"Welder"}')" = "b" ]
	[ "$(filter '{"years":2}')" = "a" ]
	[ "$(filter '{"years":9007199254740993}')" = "c" ]
	[ "$(filter '{"role":null}')" = "e" ]
	[ "$(filter '{"skills":"tig"}')" = "b" ]
	[ "$(filter '{"nested":{"eq":{"y":[2.0],"x":1}}}')" = "e" ]
	[ "$(filter '{"nested":[{"y":[2.0],"x":1}]}')" = "e" ]
	[ "$(filter '{"state":[]}')" = "" ]
	[ "$(filter '{"city":"Aurora"}')" = "" ]
	[ "$(filter '{}' | wc -w)" = 8 ]
}

# bats test_tags=graphs
@test "metadata_filter_dropped counts the refused, and is there only with a filter" {
	[ "$(echo '{"vector":[1,0],"metadata_filter":{"state":"IL"}}' | lh-search p.lhv | jq .metadata_filter_dropped)" = 5 ]
	[ "$(echo '{"vector":[1,0],"metadata_filter":{}}' | lh-search p.lhv | jq .metadata_filter_dropped)" = 0 ]
	[ "$(echo '{"vector":[1,0]}' | lh-search p.lhv | jq 'has("metadata_filter_dropped")')" = false ]
	[ "$(echo '{"vector":[1,0]}' | lh-search --where state=IL p.lhv | jq .metadata_filter_dropped)" = 5 ]
}

@test "--where matches the string and the scalar it spells, keys ANDed, a repeated key is OR" {
	[ "$(ask '{"vector":[1,0]}' --where years=2 p.lhv)" = "a f" ]
	[ "$(ask '{"vector":[1,0]}' --where state=IN --where state=OH p.lhv)" = "c d e" ]
	[ "$(ask '{"vector":[1,0]}' --where state=IL --where role=Welder p.lhv)" = "b" ]
	[ "$(ask '{"vector":[1,0]}' --where role=null p.lhv)" = "e" ]
}

# bats test_tags=graphs
@test "--where with bounds and !=: numbers with numbers, texts with texts, a missing key is unequal" {
	where() {
		local args=() a
		for a; do args+=(--where "$a"); done
		ask '{"vector":[1,0]}' "${args[@]}" p.lhv
	}
	[ "$(where 'years<3')" = "a b" ]
	[ "$(where 'years>=2.0')" = "a c d" ]
	[ "$(where 'years>9007199254740992')" = "c" ]
	[ "$(where 'years>1' 'years<1e10')" = "a" ]
	[ "$(where 'years>="1"')" = "f" ]
	[ "$(where 'role<Picker')" = "a" ]
	[ "$(where 'role<=Picker')" = "a d" ]
	[ "$(where 'role!=Welder')" = "a d 7 e f g" ]
	[ "$(where 'role!=Welder' 'role!=null' 'state!=IL')" = "d f g" ]
	[ "$(where 'role!=Welder' 'role>A')" = "a d" ]
	[ "$(where 'years!=2' 'years!=1')" = "c d 7 e g" ]
	[ "$(where 'state=IL' 'state=IN' 'years<=2')" = "a b" ]
	[ "$(where 'skills!=tig' 'state=IL')" = "a 7" ]
	run -2 lh-search --where 'years<3' --where 'years<4' p.lhv </dev/null
	[[ $output == *'--where: "years<4": "years<" is given twice' ]]
}

@test "metadata_filter: bounds, not, in, exists, or, and; also without any metadata" {
	filter() { ask "{\"vector\":[1,0],\"metadata_filter\":$1}" p.lhv; }
	[ "$(filter '{"years":{"gte":1,"lt":9007199254740993}}')" = "a b d" ]
	[ "$(filter '{"role":{"not":"Welder"}}')" = "a d 7 e f g" ]
	[ "$(filter '{"role":{"not":["Welder",null],"exists":true}}')" = "a d" ]
	[ "$(filter '{"exists":"nested"}')" = "e" ]
	[ "$(filter '{"state":{"exists":false}}')" = "f g" ]
	[ "$(filter '{"or":[{"state":"OH"},{"years":{"lt":2}}]}')" = "b e" ]
	[ "$(filter '{"state":["IL","IN"],"or":[{"role":{"in":["Picker"]}},{"skills":{"eq":[]}}]}')" = "a d" ]
	[ "$(filter '{"and":[{"or":[{"state":"IL"},{"state":"IN"}]},{"role":{"not":{"gte":"P"}}}]}')" = "a 7" ]
	for bad in '{"years":{"under":3}}' '{"or":[{"years":{"under":3}}]}' '{"years":{"not":{"under":3}}}'; do
		run -1 --separate-stderr lh-search p.lhv <<<"{\"vector\":[1,0],\"metadata_filter\":$bad}"
		[[ $stderr == *'lh-search: -:1: filter: unknown operator "under" under "years"'* ]]
		[ "$output" = "" ]
	done
}

@test "a value of a filter that no record has is named with those close to it, that some records share" {
	for i in 1 2 3 4; do echo '{"id":"'"$i"'","vector":[1,'"$i"'],"metadata":{"state":"IL","role":["Welder"],"phone":"555-010'"$i"'","rate":120,"on":true}}'; done | lh-index build n.lhv
	near() { jq -nc --argjson f "$1" '{vector: [1, 0], metadata_filter: $f}' | lh-search n.lhv | jq -c .unmatched_filter; }
	[ "$(near '{"state":"il"}')" = '{"state":["IL"]}' ]
	[ "$(near '{"role":"weldr","state":["IL"]}')" = '{"role":["Welder"]}' ]
	[ "$(near '{"phone":"555-0109"}')" = '{"phone":[]}' ]	# may be of one person alone
	[ "$(near '{"state":"IL"}') $(near '{"state":{"not":"il"}}') $(near '{"state":["XX","YY"]}')" = 'null null null' ]
	[ "$(near '{"rate":12}') $(near '{"on":false}') $(near '{"rate":[9e2]}')" = '{"rate":["120"]} {"on":[]} {"rate":[]}' ]
	[ "$(near '{"rate":1.2e2,"on":true}') $(near '{"rate":{"gt":900}}')" = 'null null' ]
	[ "$(lh-search --where rate=12 n.lhv <<<'{"vector":[1,0]}' | jq -c .unmatched_filter)" = '{"rate":["120"]}' ]
	run -0 --separate-stderr lh-search --flat --where state=il n.lhv <<<'{"vector":[1,0]}'
	[ "$stderr" = 'lh-search: no record matches: "unmatched_filter":{"state":["IL"]}' ]
	# a query whose time is over does not look at all records for it
	[ "$(lh-search --timeout 0.000001 --where state=il n.lhv <<<'{"vector":[1,0]}' | jq -c '[.truncated, .unmatched_filter]')" = '[true,null]' ]
}

@test "a key of a filter that no corpus asked has is refused, at any depth; one that some lack is reported once" {
	head -n 4 points.jsonl | sed 's/years/ages/' >few.jsonl
	lh-index build q.lhv few.jsonl
	for f in '{"years":{"not":1}}' '{"yeers":1,"years":2}' '{"or":[{"years":1},{"yeers":{"exists":false}}]}' '{"yeers":{"not":{"gt":3}}}' \
		'{"and":[{"or":[{"exists":"yeers"}]}]}' '{"ages":{"exists":false}}'; do
		echo "{\"vector\":[1,0],\"metadata_filter\":$f}"
	done >asked
	run -1 --separate-stderr lh-search -j 4 --on-error emit --no-metadata p.lhv q.lhv <asked
	[ "$(jq -c '.error | objects | [.code, .message]' <<<"$output" | sort -u)" = '[400,"no record has the key \"yeers\" (did you mean \"years\"?)"]' ]
	[ "$(jq -c '.error == null' <<<"$output" | paste -sd' ')" = 'true false false false false true' ]
	grep -x 'lh-search: corpus "p": no record has the key "ages"' <<<"$stderr"
	[ "$(grep -cx 'lh-search: corpus "q": no record has the key "years"' <<<"$stderr")" = 1 ]
	[ "$(lh-search -q --flat -k 1 --where 'years!=-1' p.lhv q.lhv <<<'{"vector":[1,0]}' | wc -l)" = 1 ]
	# a record of the log has it, until it is deleted; an index without records has no key to miss
	echo '{"id":"new","vector":[1,0],"metadata":{"yeers":3}}' | lh-index add p.lhv
	lh-index build --allow-empty --dimension 2 e.lhv </dev/null
	sed -i '$d' asked
	lh-search p.lhv e.lhv <asked >out
	echo '{"id":"new"}' | lh-index delete p.lhv >deleted
	run -1 lh-search p.lhv e.lhv <asked
	run -0 lh-search e.lhv <asked
	[ "$(jq -c .results <<<"$output" | sort -u)" = '[]' ]
	run -2 --separate-stderr lh-search --where 'yeers>1' -Q x q.lhv
	[ "$stderr" = 'lh-search: -Q: no record has the key "yeers"' ] || [[ $stderr == *engine* ]]
	run -1 --separate-stderr lh-search --where 'agess>1' --flat q.lhv <<<'{"vector":[1,0]}'
	[ "${stderr_lines[0]}" = 'lh-search: -:1: no record has the key "agess" (did you mean "ages"?)' ]
	[ -z "$output" ]
}

@test "a filter of many keys and a server that goes on: each query is judged by the index as it is" {
	coproc S { exec lh-search -j 1 --on-error emit --no-metadata p.lhv 2>/dev/null; }
	asks() {
		echo '{"vector":[1,0],"k":1,"metadata_filter":{"later":{"exists":true}}}' >&"${S[1]}"
		read -r line <&"${S[0]}"
		[ "$(jq -c '.error.code // .results[0].id' <<<"$line")" = "$1" ]
	}
	asks 400
	asks 400
	echo '{"id":"new","vector":[1,0],"metadata":{"later":3}}' | lh-index add p.lhv
	asks '"new"'
	echo '{"id":"new"}' | lh-index delete p.lhv >deleted
	asks 400
	pid=$S_PID
	exec {S[1]}>&-
	wait "$pid" || [ $? = 1 ]
}

@test "what not, any, ranges and within let through is what the page says, at the poles and the date line too" {
	n=$(scale 300 3000 3000)
	python3 -B "$ROOT/tests/oracle/filters.py" rows 600 >rows
	python3 -B "$ROOT/tests/oracle/filters.py" queries "$n" >queries
	lh-index build -q f.lhv rows
	lh-search --no-metadata f.lhv <queries >answers
	python3 -B "$ROOT/tests/oracle/filters.py" check rows answers | has "^$n answers, [1-9][0-9]* with a part"
}

@test "--where takes a filter as JSON, and a query its conditions as texts, over a service too" {
	printf '%s\n' '{"id":"a","vector":[1,0],"metadata":{"lat":41.9,"lon":-87.6,"pay":20}}' \
		'{"id":"b","vector":[1,0.1],"metadata":{"latitude":41.6,"longitude":-87.3,"pay":25}}' \
		'{"id":"c","vector":[1,0.2],"metadata":{"pay":20}}' | lh-index build -q p.lhv
	within='{"within":{"lat":41.88,"lon":-87.63,"miles":30}}'
	[ "$(ask '{"vector":[1,0]}' --where "$within" p.lhv)" = "a b" ]
	[ "$(ask '{"vector":[1,0]}' --where "$within" --where 'pay>20' p.lhv)" = b ]
	[ "$(ask '{"vector":[1,0]}' --where '{"not":'"$within"'}' p.lhv)" = c ]
	[ "$(ask '{"vector":[1,0],"where":["pay<=20"],"metadata_filter":'"$within"'}' p.lhv)" = a ]
	[ "$(ask '{"vector":[1,0],"where":["pay<=20"]}' --where pay=25 p.lhv)" = "a c" ]
	echo '{"vector":[1,0],"corpora":["p"],"where":["pay>=20","{\"not\":{\"pay\":25}}"]}' |
		lh-search --wire p.lhv | has -F '"metadata_filter_dropped":1'
	run -1 --separate-stderr lh-search p.lhv <<<'{"vector":[1,0],"where":["pay"]}'
	[[ $stderr == *'"where": "pay" is not KEY=VALUE'* ]]
	run -1 --separate-stderr lh-search p.lhv <<<'{"vector":[1,0],"where":["a=\u0000"]}'
	[[ $stderr == *'where[0] must not hold NUL'* ]]
	run -2 lh-search --where '{"pay":' -Q x p.lhv
	run -2 lh-search --where 'not<5' -Q x p.lhv
	[[ $output == *'a key called "not" takes = alone' ]]
	echo '{"id":"a","vector":[1,0],"metadata":{"pay":20}}' | lh-index build -q n.lhv
	run -1 --separate-stderr lh-search n.lhv <<<'{"vector":[1,0],"metadata_filter":'"$within"'}'
	[[ $stderr == *'no record has the key "lat or latitude"'* ]]
}

@test "offset leaves out the first results: pages of any size are the whole answer, k and offset at most 10,000" {
	ask '{"vector":[1,0.01],"k":8}' p.lhv >whole
	for k in 1 3 8; do
		for offset in 0 1 2 3 4 5 6 7 8; do
			ask '{"vector":[1,0.01],"k":'$k',"offset":'$offset'}' p.lhv >page
			cut -d' ' -f$((offset + 1))-$((offset + k)) whole | cmp - page
		done
	done
	lh-search -k 2 --offset 5 p.lhv <<<'{"vector":[1,0.01]}' | jq -r '[.results[].id] | join(" ")' >page
	cut -d' ' -f6,7 whole | cmp - page
	[ "$(lh-search -k 1 --offset 3 --flat p.lhv <<<'{"vector":[1,0]}' | jq .rank)" = 4 ]
	[ "$(ask '{"vector":[1,0],"k":0,"offset":5}' p.lhv)" = "" ]
	run -0 lh-search --flat p.lhv <<<'{"vector":[1,0],"k":9000,"offset":1000}'
	run -1 --separate-stderr lh-search p.lhv <<<'{"vector":[1,0],"k":9000,"offset":1001}'
	[[ $stderr == *'"k" and "offset" are more than 10000 together'* ]]
	run -1 lh-search --offset 9995 p.lhv <<<'{"vector":[1,0]}'
	# of several corpora, what is merged
	points | jq -c 'select(.id < "c") | .id = "q" + .id' | lh-index build -q q.lhv
	ask '{"vector":[1,0],"k":20}' p.lhv q.lhv >whole
	ask '{"vector":[1,0],"k":3,"offset":2}' p.lhv q.lhv >page
	cut -d' ' -f3-5 whole | cmp - page
}

@test "max_distance keeps what is as near as that, also as it is printed and after a boost" {
	[ "$(ask '{"vector":[1,0],"max_distance":0.4}' p.lhv)" = "a b c d" ]
	[ "$(ask '{"vector":[1,0],"max_distance":0.39}' p.lhv)" = "a b c" ]
	[ "$(ask '{"vector":[1,0],"max_distance":-1}' p.lhv)" = "" ]
	[ "$(ask '{"vector":[1,0],"k":2,"offset":2,"max_distance":0.4}' --max-distance 9 p.lhv)" = "c d" ]
	[ "$(ask '{"vector":[1,0]}' --max-distance 0.2 p.lhv)" = "a b c" ]
	lh-search --flat --no-metadata p.lhv <<<'{"vector":[0.9,0.3]}' | jq -r '"\(.rank) \(.distance)"' >printed
	while read -r rank distance; do
		[ "$(ask '{"vector":[0.9,0.3],"max_distance":'"$distance"'}' p.lhv | wc -w)" -ge "$rank" ]
	done <printed
	run -1 --separate-stderr lh-search p.lhv <<<'{"vector":[1,0],"min_score":0.5}'
	[[ $stderr == *'"min_score": results have no score, but a distance ("max_distance")'* ]]
	printf '%s\n' '{"id":"w","text":"Welder in Gary"}' '{"id":"v","text":"Nurse in Utrecht"}' | lh-index build -q t.lhv
	echo '{"query_text":"Welders for Gary","answer_id":"w","answer_corpus":"t","score":1}' | lh-playbook record -q good.lhv 2>/dev/null
	lh-search -k 1 --no-metadata t.lhv <<<'{"query_text":"Welders for Gary"}' | jq .results[0].distance >far
	[ "$(ask '{"query_text":"Welders for Gary","max_distance":'"$(jq ./1.5 far)"'}' t.lhv)" = "" ]
	[ "$(ask '{"query_text":"Welders for Gary","max_distance":'"$(jq ./1.5 far)"'}' --playbook good.lhv t.lhv)" = w ]
}

@test "like finds what is nearest to a record or to the mean of several, without these" {
	[ "$(ask '{"like":"c"}' -k 3 p.lhv)" = "d a b" ]
	[ "$(ask '{"like":["b"]}' -k 3 p.lhv)" = "a c d" ]
	[ "$(ask '{"like":7}' -k 1 p.lhv)" = "a" ]
	[ "$(ask '{"like":["e","c"],"where":["state=IN"]}' p.lhv)" = "d" ]
	[ "$(lh-search --like e --like c --flat -k 2 p.lhv | jq -r .id | paste -sd' ')" = "d a" ]
	for distance in cosine l2 ip; do
		printf '%s\n' '{"id":"x","vector":[4,0]}' '{"id":"y","vector":[0,1]}' '{"id":"diagonal","vector":[1,1]}' \
			'{"id":"mean","vector":[2,0.5]}' | lh-index build -q --distance $distance $distance.lhv
	done
	[ "$(ask '{"like":["x","y"]}' -k 1 cosine.lhv)" = "diagonal" ]
	[ "$(ask '{"like":["x","y"]}' -k 1 l2.lhv)" = "mean" ]
	[ "$(ask '{"like":["x","y"]}' -k 1 ip.lhv)" = "mean" ]
	# of several corpora
	points | lh-index build -q q.lhv
	printf '%s\n' '{"id":"o/1","vector":[0.6,0.8,0]}' '{"id":"o/2","vector":[0,0,1]}' | lh-index build -q o.lhv
	[ "$(ask '{"like":"q/c"}' -k 3 p.lhv q.lhv)" = "c d d" ]
	[ "$(ask '{"like":"o/1"}' o.lhv)" = "o/2" ]
	[ "$(ask '{"like":"o/o/1"}' o.lhv)" = "o/2" ]
	lh-search -k 1 p.lhv o.lhv <<<'{"like":"p/c"}' | has -F '"skipped":[{"corpus":"o","reason":"its vectors are of another model"}]'
	run -1 --separate-stderr lh-search --on-error emit p.lhv q.lhv o.lhv <<-'END'
		{"like":"c"}
		{"like":"nobody"}
		{"like":["p/c","o/1"]}
		{"like":"c","vector":[1,0]}
		{"like":[]}
		{"like":[["c"]]}
	END
	jq -r '"\(.error.code) \(.error.message)"' <<<"$output" >said
	diff said - <<-'END'
		400 "like": "c" is in "p" and "q": name one by CORPUS/ID
		404 "like": there is no record "nobody"
		409 "like": corpora "p" and "o" are of two models
		400 "like" and "query_vector" exclude each other
		400 "like" must not be empty
		400 like[0] must be an id or a list of ids
	END
	run -2 --separate-stderr lh-search --like nobody p.lhv
	[[ $stderr == *'--like: "like": there is no record "nobody"' ]]
	# whose data the answer has used: theirs too
	lh-gen workers -n 40 | lh-index build -q w.lhv
	lh-search --attribute --like w-7 -k 1 w.lhv | jq -c '[.persons[] | [.id, .members[0]]]' | has -F '["w-7","like"]'
}

@test "--where and filters take paths; a key that no corpus has is refused, with those near it" {
	printf '%s\n' '{"id":"a","vector":[1,0],"metadata":{"t":{"en":"x","l":[1,{"n":2}]}}}' \
		'{"id":"b","vector":[1,0],"metadata":{"t.en":"y"}}' | lh-index build p.lhv
	echo '{"id":"c","vector":[1,0],"metadata":{"k":1}}' | lh-index build q.lhv
	ids() { lh-search -q --flat "$@" p.lhv q.lhv <<<"${query:-{\"vector\":[1,0]\}}" | jq -r .id | paste -sd' '; }
	[ "$(ids --where t.en=x)" = a ]
	[ "$(ids --where t.en=y)" = b ]
	[ "$(ids --where 't.l.1.n>1')" = a ]
	[ "$(ids --where t.l.0=1 --where t.en=x)" = a ]
	[ "$(ids --where t.en!=x)" = "b c" ]
	[ "$(query='{"vector":[1,0],"metadata_filter":{"or":[{"t.l.0":1},{"k":1}]}}' ids)" = "a c" ]
	# one corpus lacks each of these keys, another has it
	run -0 lh-search -q --flat --where t.en=x --where k!=7 p.lhv q.lhv <<<'{"vector":[1,0]}'
	run -1 --separate-stderr lh-search --flat --where t.fr!=x p.lhv q.lhv <<<'{"vector":[1,0]}'
	[ "${stderr_lines[0]}" = 'lh-search: -:1: no record has the key "t.fr"' ]
	[ -z "$output" ]
	# nothing was searched, or the filter is a query's own
	run -0 lh-search --where t.fr=x p.lhv </dev/null
	run -0 lh-search -q --where t.fr=x p.lhv <<<'{"vector":[1,0],"metadata_filter":{"t.en":"x"}}'
}

# bats test_tags=graphs
@test "a query's metadata_filter takes the place of --where, also query after query" {
	printf '%s\n' '{"vector":[1,0]}' '{"vector":[1,0],"metadata_filter":{"state":"OH"}}' '{"vector":[1,0]}' |
		lh-search -j 1 --where state=IN p.lhv | jq -r '[.results[].id] | join(" ")' >out
	[ "$(paste -sd, out)" = "c d,e,c d" ]
}

# bats test_tags=graphs
@test "excluded records never answer nor take a place, and a swap overlaps in nothing" {
	[ "$(ask '{"vector":[1,0],"exclude_ids":["a","c","nobody"]}' -k 3 p.lhv)" = "b d 7" ]
	[ "$(ask '{"vector":[1,0],"exclude_ids":[7]}' p.lhv)" = "a b c d e f g" ]
	[ "$(ask '{"vector":[1,0],"exclude_ids":["a"]}' -k 2 --exclude b p.lhv)" = "c d" ]
	[ "$(ask '{"vector":[1,0],"exclude_ids":["a"],"metadata_filter":{"state":"IL"}}' -k 2 p.lhv)" = "b 7" ]
	[ "$(echo '{"vector":[1,0],"exclude_ids":["a"],"metadata_filter":{"state":"IL"}}' | lh-search p.lhv | jq .metadata_filter_dropped)" = 5 ]
}

# bats test_tags=graphs,plain-only
@test "a filter that one record in a hundred matches still gives k results" {
	lh-gen workers -n 5000 | jq -c '. + {n: (.id[2:] | tonumber % 100)}' | lh-index build -j 2 w.lhv
	lh-gen queries -n 20 | jq -c '. + {metadata_filter: {n: 7}}' >q
	lh-search -k 20 w.lhv <q >walk
	lh-search -k 20 --exact w.lhv <q >exact
	[ "$(jq '.results | length' walk | sort -u)" = 20 ]
	[ "$(jq '.results[].metadata.n' walk | sort -u)" = 7 ]
	alike <(jq -c '[.results[].id]' walk) <(jq -c '[.results[].id]' exact)
}

# bats test_tags=graphs
@test "corpora are merged by distance, then corpus name, then id, and cut at k" {
	mv p.lhv two.lhv
	head -n 3 points.jsonl | lh-index build one.lhv
	[ "$(echo '{"vector":[1,0],"k":5}' | lh-search --flat two.lhv one.lhv | jq -r '.corpus + "/" + .id' | paste -sd' ')" = \
		"one/a one/b two/a two/b one/c" ]
	[ "$(echo '{"vector":[1,0],"k":5,"per_corpus_k":1}' | lh-search --flat two.lhv one.lhv | jq -r '.corpus + "/" + .id' | paste -sd' ')" = "one/a two/a" ]
	[ "$(echo '{"vector":[1,0],"k":1,"per_corpus_k":5}' | lh-search --flat two.lhv one.lhv | jq -r '.corpus + "/" + .id' | paste -sd' ')" = "one/a" ]
	[ "$(ask '{"vector":[1,0],"k":3,"corpora":["two","two"]}' two.lhv one.lhv)" = "a b c" ]
}

@test "a corpus is named by its file, or by NAME=FILE; an operand that is a file is that file" {
	mkdir d
	cp p.lhv 'd/x=y.lhv'
	corpus() { echo '{"vector":[1,0],"k":1}' | lh-search --flat "$@" | jq -r .corpus; }
	[ "$(corpus p.lhv)" = p ]
	[ "$(corpus night=p.lhv)" = night ]
	[ "$(corpus 'd/x=y.lhv')" = 'x=y' ]
	[ "$(corpus 'n=d/x=y.lhv')" = n ]
	cp p.lhv plain
	[ "$(corpus plain)" = plain ]
}

@test "two corpora of one name, no operand, and an index that is not there are exit 2" {
	run -2 lh-search p.lhv p=p.lhv </dev/null
	[[ $output == *'two corpora are named "p"'* ]]
	run -2 lh-search </dev/null
	[[ $output == *INDEX* ]]
	run -2 lh-search nowhere.lhv </dev/null
	[[ $output == *nowhere.lhv* ]]
	run -2 lh-search =p.lhv </dev/null
	run -2 lh-search p= </dev/null
	[[ $output == *'"p=" names no file'* ]]
}

@test "--where needs a key and a value" {
	for pair in state =x; do
		run -2 lh-search --where $pair absent.lhv </dev/null
		[ "$output" = "lh-search: --where: \"$pair\" is not KEY=VALUE (nor !=, <, <=, >, >=)" ]
	done
}

@test "--where refuses an unknown operator, an empty bound, and a number that JSON does not have" {
	while IFS='|' read -r pair want; do
		run -2 --separate-stderr lh-search --where "$pair" p.lhv <<<'{"vector":[1,0]}'
		[ -z "$output" ] && [ "$stderr" = "lh-search: --where: \"$pair\": $want" ] || { echo "$pair: $stderr"; return 1; }
	done <<-'END'
	years==2|"==" is not one of =, !=, <, <=, >, >=; a string needs quotes: years="=2"
	years=<2|"=<" is not one of =, !=, <, <=, >, >=; a string needs quotes: years="<2"
	years=>2|"=>" is not one of =, !=, <, <=, >, >=; a string needs quotes: years=">2"
	years<>2|"<>" is not one of =, !=, <, <=, >, >=; a string needs quotes: years<">2"
	years!==2|"!==" is not one of =, !=, <, <=, >, >=; a string needs quotes: years!="=2"
	years<|no bound; a string needs quotes: years<""
	years>= 2|the bound is not a number as JSON writes it; a string needs quotes: years>=" 2"
	years<02|the bound is not a number as JSON writes it; a string needs quotes: years<"02"
	years<+2|the bound is not a number as JSON writes it; a string needs quotes: years<"+2"
	years<.2e1|the bound is not a number as JSON writes it; a string needs quotes: years<".2e1"
	years<2.|the bound is not a number as JSON writes it; a string needs quotes: years<"2."
	END
	run -2 --separate-stderr lh-search --where 'role=="Welder"' p.lhv <<<'{"vector":[1,0]}'
	[[ $stderr == *'; a string needs quotes: role="=\"Welder\""' ]]
	[ "$(ask '{"vector":[1,0]}' --where 'role="Welder"' p.lhv)" = "b c" ]
}

@test "a text is embedded by the engine of the index and finds itself" {
	lh-gen workers -n 200 | lh-index build w.lhv
	lh-gen workers -n 200 | jq -c '{id, query_text: .text}' | lh-search -k 1 w.lhv >out
	[ "$(jq -c 'select(.results[0].id != .id)' out | wc -l)" -le 2 ]
	[ "$(jq -c 'select(.results[0].distance > 0.000001 or .results[0].distance < 0)' out | wc -l)" = 0 ]
}

@test "query_text, query and text name the query; -Q gives one on the command line" {
	lh-gen workers -n 50 | lh-index build w.lhv
	echo '{"query_text":"welder"}' | lh-search w.lhv | jq -c .results >a
	echo '{"query":"welder"}' | lh-search w.lhv | jq -c .results >b
	echo '{"text":"welder"}' | lh-search w.lhv | jq -c .results >c
	lh-search -Q welder w.lhv >d
	cmp a b
	cmp a c
	cmp a <(jq -c .results d)
	[ "$(jq -c 'del(.results)' d)" = '{"query_text":"welder"}' ]
	[ "$(lh-search -Q welder -k 1 --flat w.lhv | jq -r .query)" = welder ]
	for blank in '' ' ' $' \t\n '; do
		run -2 lh-search -Q "$blank" w.lhv
		[ "$output" = "lh-search: -Q: empty text" ]
	done
}

# bats test_tags=graphs
@test "a text over corpora of different engines and dimensions is embedded for each" {
	lh-gen workers -n 50 >w
	lh-index build big.lhv w
	lh-index build --dimension 128 small.lhv w
	echo '{"query_text":"welder","corpora":["big","small"]}' | lh-search -k 6 big.lhv small.lhv p.lhv >both
	[ "$(jq -r '.results[].corpus' both | sort -u | paste -sd' ')" = "big small" ]
	run -0 --separate-stderr lh-search -Q welder big.lhv p.lhv
	jq -e '.skipped | length == 1 and .[0].corpus == "p" and (.[0].reason | contains("no engine"))' <<<"$output"
	run -2 lh-search -Q welder p.lhv
	[[ $output == *'"p" has no engine'* ]]
}

@test "an index of the engine ollama is asked by text through it, query by query" {
	load ../servers/server
	start_upstream
	export LH_OLLAMA_URL=$URL
	lh-gen workers -n 40 >w
	lh-index build --engine ollama w.lhv w
	jq -c '{id, text}' w | lh-search -j 2 -k 1 w.lhv >out
	[ "$(jq -c 'select(.results[0].id != .id)' out | wc -l)" = 0 ]
	stop_upstreams
	run -2 --separate-stderr lh-search w.lhv <<<'{"query":"welder"}'
	[ -z "$output" ]
	[[ $stderr == *"$URL"* ]]
	jq -c '{id: .id, vector: [range(8) | 0.5]}' w | lh-search -k 1 w.lhv >out
	[ "$(wc -l <out)" = 40 ]
}

@test "use_playbook finds no playbook: counters 0, and its members pass through" {
	echo '{"vector":[1,0],"k":1,"use_playbook":true,"playbook_top_k":3,"query_role":"Welder"}' | lh-search --no-metadata p.lhv >out
	[ "$(cat out)" = '{"k":1,"use_playbook":true,"playbook_top_k":3,"query_role":"Welder","results":[{"id":"a","distance":0,"corpus":"p"}],"playbook_boosted":0,"playbook_injected":0}' ]
	[ "$(echo '{"vector":[1,0],"use_playbook":false}' | lh-search p.lhv | jq 'has("playbook_boosted")')" = false ]
}

# remember ID X Y ANSWER CORPUS SCORE [ROLE] - an entry of a playbook, as a record of an index.
remember() {
	jq -nc --arg id "$1" --argjson x "$2" --argjson y "$3" --arg a "$4" --arg c "$5" --argjson s "$6" --arg r "${7-}" \
		'{id: $id, vector: [$x, $y], metadata: {query_text: "q", answer_id: $a, answer_corpus: $c, score: $s, role: $r}}'
}

# book FILE - the entries on standard input as a playbook.
book() {
	lh-index build --force --allow-empty --engine hash --dimension 64 "$1" </dev/null 2>/dev/null
	lh-index build --force "$1"
}

# hits - each result as id distance (4 decimals, truncated), + boosted or * injected.
hits() {
	jq -r '[.results[] | .id + " " + ((.distance * 10000 | floor) / 10000 | tostring) +
		(if .playbook.boosted then "+" elif .playbook.injected then "*" else "" end)] | join(", ")'
}

# bats test_tags=graphs
@test "a boost: the known answer, 0.4449 with score 1.0 becomes 0.2224" {
	printf '%s\n' '{"id":"a","vector":[0.55505,0.831817]}' '{"id":"b","vector":[0.69995,0.714192]}' | lh-index build w.lhv
	[ "$(echo '{"vector":[1,0]}' | lh-search w.lhv | hits)" = "b 0.3, a 0.4449" ]
	remember pb-1 1 0 a w 1.0 | book pb.lhv
	echo '{"vector":[1,0]}' | lh-search --playbook pb.lhv w.lhv >out
	[ "$(hits <out)" = "a 0.2224+, b 0.3" ]
	[ "$(jq -c '.playbook_boosted, .playbook_injected' out | paste -sd' ')" = "1 0" ]
	[ "$(jq -c '.results[0].playbook | [.id, .boosted, .injected, (.original_distance - 0.4449 | fabs < 0.0001)]' out)" = '["pb-1",true,null,true]' ]
	[ "$(jq -c '.results[1] | has("playbook")' out)" = false ]
}

# bats test_tags=graphs
@test "an answer that is not among the results is injected, once, re-sorted and cut at k" {
	{
		remember pb-1 0.98 0.198997 f p 0.4	# 0.02 away
		remember pb-2 0.9 0.435890 f p 1.0	# 0.1 away
	} | book pb.lhv
	echo '{"vector":[1,0],"k":3}' | lh-search --playbook pb.lhv p.lhv >out
	[ "$(hits <out)" = "a 0, b 0, f 0.0159*" ] || { hits <out; false; }
	[ "$(jq -c '.results[2].playbook.id, .playbook_boosted, .playbook_injected' out | paste -sd' ')" = '"pb-1" 0 1' ]
	[ "$(jq -c '.results[2].metadata.years' out)" = '"2"' ]
	# not nearer than what is there: it falls off again
	[ "$(echo '{"vector":[1,0],"k":2}' | lh-search --playbook pb.lhv p.lhv | jq -c '[.results[].id], .playbook_injected' | paste -sd' ')" = '["a","b"] 0' ]
	# among the results it is boosted, by the better of two
	[ "$(echo '{"vector":[1,0],"k":8}' | lh-search --playbook pb.lhv p.lhv | jq -c '.results[] | select(.id == "f") | [.playbook.id, .playbook.boosted, (.distance - 0.8 | fabs < 0.001)]')" = '["pb-2",true,true]' ]
}

# bats test_tags=graphs
@test "a boost reaches to playbook_max_distance, an injection to playbook_max_inject_distance, of playbook_top_k hits" {
	{
		remember near 0.9 0.435890 c p 1	# 0.1 away, and among the results
		remember far 0.6 0.8 d p 1		# 0.4 away, and among the results
		remember lost 0.7 -0.714143 f p 1	# 0.3 away, and not
		remember next 0.85 -0.526783 g p 1	# 0.15 away, and not
	} | book pb.lhv
	touched() {
		echo "{\"vector\":[1,0],\"k\":5$1}" | lh-search --playbook pb.lhv p.lhv |
			jq -c '[.results[] | select(.playbook) | .playbook.id] | sort | join(" ")'
	}
	[ "$(touched ',"playbook_top_k":4')" = '"far near next"' ] || { touched ',"playbook_top_k":4'; false; }
	[ "$(touched '')" = '"near next"' ]
	[ "$(touched ',"playbook_top_k":1')" = '"near"' ]
	[ "$(touched ',"playbook_top_k":0')" = '""' ]
	[ "$(touched ',"playbook_top_k":4,"playbook_max_distance":0.05')" = '"next"' ]
	[ "$(touched ',"playbook_top_k":4,"playbook_max_distance":0,"playbook_max_inject_distance":0')" = '""' ]
	[ "$(touched ',"playbook_top_k":4,"playbook_max_inject_distance":0.35,"playbook_max_distance":0')" = '"lost next"' ] ||
		{ touched ',"playbook_top_k":4,"playbook_max_inject_distance":0.35,"playbook_max_distance":0'; false; }
}

# bats test_tags=graphs
@test "an answer that is excluded, filtered out, deleted or of a corpus not searched never comes by a playbook" {
	points | lh-index build other.lhv
	remember pb-1 1 0 f p 1 | book pb.lhv
	ids() {
		echo "{\"vector\":[1,0],\"k\":2$1}" | lh-search --flat --playbook pb.lhv "${@:2}" | jq -r .id | paste -sd' '
	}
	[ "$(ids '' p.lhv)" = "a b" ]		# f at 0 would come after a and b, which are at 0 as well
	[ "$(ids ',"exclude_ids":["a"]' p.lhv)" = "b f" ]
	[ "$(ids ',"exclude_ids":["a","f"]' p.lhv)" = "b c" ]
	[ "$(ids ',"exclude_ids":["a"]' --exclude f p.lhv)" = "b c" ]
	[ "$(ids ',"metadata_filter":{"state":"IN"}' p.lhv)" = "c d" ]
	[ "$(ids ',"metadata_filter":{"years":["2",1]}' p.lhv)" = "b f" ]
	[ "$(ids ',"exclude_ids":["a"]' q=p.lhv)" = "b c" ]
	[ "$(ids ',"exclude_ids":["a"],"corpora":["other"]' p.lhv other.lhv)" = "b c" ]
	lh-index delete --id f p.lhv
	[ "$(ids ',"exclude_ids":["a"]' p.lhv)" = "b c" ]
}

# bats test_tags=graphs
@test "the swap: what a first search answered is not in the answer of a second that excludes it, playbook or not" {
	{ remember pb-1 1 0 f p 1; remember pb-2 1 0 a p 1; } | book pb.lhv
	echo '{"vector":[1,0],"k":3}' | lh-search --playbook pb.lhv p.lhv >first
	jq -c '{vector: [1, 0], k: 3, exclude_ids: [.results[].id]}' first | lh-search --playbook pb.lhv p.lhv >second
	[ "$(jq '.results | length' second)" = 3 ]
	[ "$(jq -r '.results[].id' first second | sort | uniq -d)" = "" ]
}

@test "the role gate: another role moves nothing, folded for case and plural; an empty one lets all pass" {
	remember pb-1 1 0 f p 1 "Forklift Operator" | book pb.lhv
	injected() {
		jq -nc --arg r "$1" '{vector: [1, 0], k: 3, query_role: $r}' | lh-search --playbook pb.lhv p.lhv | jq .playbook_injected
	}
	[ "$(injected 'CNC Operator')" = 0 ]
	[ "$(injected 'Forklift')" = 0 ]
	[ "$(injected 'Forklift Operator')" = 1 ]
	[ "$(injected ' forklift OPERATORS ')" = 1 ]
	[ "$(injected '')" = 1 ]
	remember pb-1 1 0 f p 1 | book pb.lhv
	[ "$(injected 'CNC Operator')" = 1 ]
	remember pb-1 1 0 f p 1 "Secretaries" | book pb.lhv
	[ "$(injected 'secretary')" = 1 ]
	remember pb-1 1 0 f p 1 "Boss" | book pb.lhv
	[ "$(injected 'bosses')" = 1 ]
	[ "$(injected 'bos')" = 0 ]
}

@test "a range, not, any and within find .95 of what a scan finds, for each share of records, and never fewer; half of them in 1.8 times the visits" {
	lh-gen workers -n 3010 | python3 "$ROOT/bench/findability.py" conditions 10 .9 .5 .1 .01
	lh-index build -q --precision i8 --exact-below 10 w.lhv records.jsonl
	lh-search -q --no-metadata w.lhv <asked.jsonl >found
	lh-search -q --no-metadata --exact w.lhv <asked.jsonl >exact
	python3 "$ROOT/bench/findability.py" recall found exact >cells
	[ "$(wc -l <cells)" = 20 ]
	[ -z "$(awk -F'\t' '$3 < .95 || $4 > 0' cells)" ] || { cat cells; return 1; }
	lh-search -q --explain --no-metadata w.lhv <asked.jsonl >explained
	[ "$(jq -c 'select(.explain.filter == "walked")' explained | wc -l)" -gt 20 ]
	jq -c 'select(.cell == "range\t0.5") | del(.metadata_filter)' asked.jsonl | lh-search -q --explain --no-metadata w.lhv >all
	jq -e -n --slurpfile all all '[inputs | select(.cell == "range\t0.5").explain.walked] | add < 1.8 * ($all | map(.explain.walked) | add)' explained
}

@test "--auto-role finds roles and cities that the records have, the longest first, in shorthand without a count" {
	printf '%s\n' '{"id":"1","text":"a","role":"Baker","city":"Gary","state":"IN"}' '{"id":"2","text":"b","role":"Head Baker","city":"Baker City"}' \
		'{"id":"3","text":"c","role":"Reach Truck Driver","city":"Detroit"}' '{"id":"4","text":"d","role":7,"city":null}' | lh-index build -q r.lhv
	printf '%s\n' '{"id":"5","text":"e","role":"Truck"}' | lh-index build -q s.lhv
	while IFS='|' read -r text want; do
		got=$(lh-search --auto-role -Q "$text" r.lhv | jq -r '[.query_role, .query_city, .query_state, .query_role_missing] | map(. // "-") | join("/")')
		[ "$got" = "$want" ] || { echo "$text: $got"; return 1; }
	done <<-'END'
		Reach Truck Driver Detroit|Reach Truck Driver/Detroit/-/-
		reach truck drivers, detroit 06:00 Baker & Sons|Reach Truck Driver/Detroit/-/-
		Head Baker Baker City|Head Baker/Baker City/-/-
		Baker City Baker|Baker/Baker City/-/-
		2x bakers gary|Baker/Gary/-/-
		bakers gary in|Baker/Gary/IN/-
		baker in Gary|Baker/Gary/-/-
		baker IN|Baker/-/IN/-
		Need 3 Reach Truck Drivers in Gary IN|Reach Truck Driver/-/-/-
		2 Welders Gary|-/-/-/no known role follows the count
		2 Stuntmen Gary|-/-/-/no known role follows the count
		somebody in Gary|-/-/-/the text has no role that a record has
	END
	lh-search --auto-role -Q 'truck Detroit' s.lhv r.lhv | has -F '"query_role":"Truck","query_city":"Detroit"'
	# a copy of an index has a log, and so roles, of its own
	cp s.lhv t.lhv
	echo '{"id":"6","text":"f","role":"Cook"}' | lh-index add -q t.lhv
	[ "$(printf '{"query_text":"cook","corpora":["%s"]}\n' t s t | lh-search -j1 --auto-role s.lhv t.lhv | jq -c .query_role | paste -sd' ')" = '"Cook" null "Cook"' ]
	# generated demand in four styles, each with its role, and shorthand with its city
	lh-gen workers -n 2000 | lh-index build -q w.lhv
	lh-gen queries -n 500 --styles all | jq -c '{query_text, role, city, style, k: 0}' | lh-search --auto-role w.lhv |
		jq -e -s 'all(.[]; .query_role == .role) and (map(select(.style == "shorthand" and .query_city == .city)) | length > 480)'
}

@test "--auto-role knows need, client_first and looking, and of shorthand the roles that the index has" {
	lh-gen workers -n 20000 | jq -r .role | sort -u >roles
	[ "$(wc -l <roles)" = 33 ]
	jq -Rc '{id: ., text: ., role: .}' roles | lh-index build -q w.lhv
	while IFS='|' read -r text role; do
		got=$(lh-search --auto-role -Q "$text" w.lhv | jq -r '.query_role // "-"')
		[ "$got" = "$role" ] || { echo "$text: $got"; return 1; }
	done <<-'END'
	Need 3 Forklift Operators in Aurora IL for Parallel Machining|Forklift Operator
	Need 1 Forklift Operator in Aurora IL starting at 17:30 for Beacon Freight|Forklift Operator
	need 12 CNC OPERATORS IN Aurora|CNC OPERATOR
	Beacon Freight needs 3 Welders in Gary IN at 06:00|Welder
	Need Co needs 3 Welders in Gary IN|Welder
	Looking for 2 Secretaries at Beacon Freight in Gary IN for a 06:00 start|Secretary
	1 CNC Operator Detroit MI 17:30 Beacon Freight|CNC Operator
	2x forklift aurora|Forklift Operator
	2 x Forklifts, Aurora|Forklift Operator
	12 tool and die makers Gary IN|Tool and Die Maker
	3 pickers Joliet|Order Picker
	4 WELDERS|Welder
	2xforklift aurora|-
	2 forks aurora|-
	2 operators aurora|-
	forklift aurora|-
	Need a welder in Gary|Welder
	Need 3 in Gary|-
	Need 3  in Gary|-
	Need 3|-
	Need |-
	needs 3 Welders in Gary|Welder
	Looking for 2 Welders in Gary|Welder
	welder|Welder
	END
	[ "$(lh-gen queries -n 500 --styles all | lh-search --auto-role w.lhv |
		jq -c 'select((.query_role // "") != .role)' | wc -l)" = 0 ]
	# what has no role says why, where records have roles
	cp w.lhv v.lhv
	why() { lh-search --auto-role -Q "$1" w.lhv v.lhv | jq -r '.query_role_missing // "-"'; }
	[ "$(why '2 forks aurora')" = 'no known role follows the count' ]
	[ "$(why '2 drivers aurora')" = 'it may be any of Delivery Driver, Truck Driver' ]
	[ "$(why '2 operators aurora')" = 'it may be any of CNC Operator, Forklift Operator, Machine Operator, Packaging Operator, Press Operator' ]
	[ "$(why '2x forklift aurora')$(why 'welder')$(why 'Need a welder in Gary')" = --- ]
	lh-index build -q --allow-empty empty.lhv </dev/null
	[ "$(lh-search --auto-role -Q '2x forklift aurora' empty.lhv | jq -c 'del(.query_text, .results)')" = '{}' ]
	[ "$(echo '{"query":"2x forklift","query_role_missing":"x"}' | lh-search -k0 --auto-role w.lhv)" = '{"query":"2x forklift","query_text":"2x forklift","query_role":"Forklift Operator","results":[]}' ]
	jq -Rc '{query: "2 \(.) Gary IN", role: .}' roles | lh-search --auto-role w.lhv | jq -e -s 'all(.[]; .query_role == .role)'
	# what the query says itself is kept; an empty role is filled
	[ "$(echo '{"query":"Need 3 Welders in Gary","query_role":"Picker"}' | lh-search -k0 --auto-role w.lhv)" = '{"query":"Need 3 Welders in Gary","query_role":"Picker","query_text":"Need 3 Welders in Gary","results":[]}' ]
	[ "$(echo '{"query_role":"","query":"Need 3 Welders in Gary"}' | lh-search -k0 --auto-role w.lhv)" = '{"query":"Need 3 Welders in Gary","query_text":"Need 3 Welders in Gary","query_role":"Welder","results":[]}' ]
	[ "$(echo '{"query":"Need 3 Welders in Gary"}' | lh-search -k0 w.lhv)" = '{"query":"Need 3 Welders in Gary","query_text":"Need 3 Welders in Gary","results":[]}' ]
}

@test "a playbook is --playbook or the corpus that playbook_corpus names; use_playbook turns it on and off" {
	remember pb-1 1 0 f p 1 | book pb.lhv
	cp pb.lhv playbook_memory.lhv
	count() { echo "{\"vector\":[1,0],\"k\":3,\"corpora\":[\"p\"]$1}" | lh-search "${@:2}" | jq -c .playbook_injected; }
	[ "$(count '' --playbook pb.lhv p.lhv)" = 1 ]
	[ "$(count ',"use_playbook":false' --playbook pb.lhv p.lhv)" = null ]
	[ "$(count '' p.lhv playbook_memory.lhv)" = null ]
	[ "$(count ',"use_playbook":true' p.lhv playbook_memory.lhv)" = 1 ]
	[ "$(count ',"use_playbook":true,"playbook_corpus":"notes"' p.lhv notes=pb.lhv)" = 1 ]
	[ "$(count ',"use_playbook":true,"playbook_corpus":"notes"' p.lhv pb.lhv)" = 0 ]
	[ "$(count ',"playbook_corpus":"notes"' --playbook notes=pb.lhv p.lhv)" = 1 ]
	[ "$(count ',"playbook_corpus":"playbook_memory"' --playbook pb.lhv p.lhv)" = 1 ]
	[ "$(count ',"playbook_corpus":"other"' --playbook pb.lhv p.lhv)" = 0 ]
	run -2 --separate-stderr lh-search --playbook pb.lhv p.lhv playbook_memory.lhv </dev/null
	[ "$stderr" = 'lh-search: --playbook: playbook_memory.lhv is named "playbook_memory" already; name one with NAME=FILE' ]
}

@test "a playbook that is not there is exit 2, unless --playbook-optional" {
	for playbook in absent.lhv no/absent.lhv book=absent.lhv; do
		run -2 --separate-stderr lh-search --playbook $playbook p.lhv <<<'{"vector":[1,0]}'
		[ -z "$output" ]
		[ "$stderr" = "lh-search: --playbook: ${playbook#*=}: no such file; --playbook-optional if it need not exist" ] || { echo "$stderr"; return 1; }
	done
	lh-search --playbook absent.lhv --playbook-optional p.lhv <<<'{"vector":[1,0]}' | jq -e '.playbook_injected == 0'
	run -2 lh-search --playbook-optional p.lhv <<<'{"vector":[1,0]}'
}

@test "an absent or empty playbook changes nothing but the counters, a damaged one is exit 2" {
	lh-search -k 4 p.lhv <<<'{"vector":[1,0]}' | jq -c .results >want
	lh-index build --allow-empty --dimension 64 empty.lhv </dev/null
	for file in absent.lhv no/folder.lhv empty.lhv; do
		lh-search -k 4 --playbook-optional --playbook $file p.lhv <<<'{"vector":[1,0]}' >out
		jq -c .results out | cmp - want
		[ "$(jq -c '[.playbook_boosted, .playbook_injected]' out)" = "[0,0]" ]
	done
	head -c 5000 p.lhv >torn.lhv
	for file in torn.lhv points.jsonl .; do
		run -2 --separate-stderr lh-search --playbook $file p.lhv <<<'{"vector":[1,0]}'
		[ -z "$output" ]
		[[ $stderr == *"$file"* ]]
	done
}

@test "an index that is not a playbook rejects the query that uses it as one, and names the row" {
	run -1 --separate-stderr lh-search --playbook book=p.lhv p.lhv <<<'{"vector":[-1,0]}'
	[ "${stderr%%$'\n'*}" = 'lh-search: -:1: corpus "book" is not a playbook: row 6: missing "query_text" (string)' ]
	remember pb-1 1 0 f p 2 | book pb.lhv
	run -1 --separate-stderr lh-search --playbook pb.lhv p.lhv <<<'{"vector":[1,0]}'
	[[ $stderr == *'corpus "playbook_memory" is not a playbook: row 0: "score" must be a number above 0 and at most 1'* ]]
	# its dimension has to fit, as a corpus's has
	run -1 --separate-stderr lh-search --playbook pb.lhv p.lhv <<<'{"vector":[1,0,0]}'
}

@test "with a playbook: k 0, ip, --flat, several threads and exclusion of all" {
	remember pb-1 1 0 a p 1 | book pb.lhv
	[ "$(echo '{"vector":[1,0],"k":0}' | lh-search --playbook pb.lhv p.lhv)" = '{"k":0,"results":[],"playbook_boosted":0,"playbook_injected":0}' ]
	points | lh-index build --distance ip p2.lhv
	# below 0 there is nothing to take away
	[ "$(echo '{"vector":[2,0],"k":1}' | lh-search --playbook pb.lhv p=p2.lhv | hits)" = "a -1+" ]
	lh-search --flat --no-metadata --playbook pb.lhv p.lhv <<<'{"vector":[0.8,0.6],"k":3}' >flat
	[ "$(sed -E '1,2d; s/[0-9.]+,/0.1,/2; s/0\.(19|2)[0-9]*/0.2/' flat)" = \
		'{"query_text":null,"rank":3,"id":"a","distance":0.1,"corpus":"p","playbook":{"id":"pb-1","boosted":true,"original_distance":0.2},"query":null}' ] || { cat flat; false; }
	lh-gen workers -n 300 | lh-index build w.lhv
	lh-gen queries -n 200 >q
	jq -c '{query_text, answer_id: "w-1", answer_corpus: "w", score: 1}' q | lh-playbook record -q notes.lhv >ids
	lh-search -j1 --playbook notes.lhv w.lhv <q >one
	lh-search -j4 --playbook notes.lhv w.lhv <q >four
	cmp one four
	[ "$(jq -c 'select(.results[0].id != "w-1")' one | wc -l)" = 0 ]
}

@test "the other distances: l2 is Euclidean, ip is 1 - dot and may be below 0" {
	points | lh-index build --distance l2 l2.lhv
	points | lh-index build --distance ip ip.lhv
	[ "$(echo '{"vector":[4,5],"k":1}' | lh-search --flat l2.lhv | jq -c '[.id, (.distance - ([3.4,4.2] | map(. * .) | add | sqrt) | fabs < 0.00001)]')" = '["d",true]' ]
	[ "$(echo '{"vector":[2,0],"k":1}' | lh-search --flat ip.lhv | jq -c '[.id,.distance]')" = '["a",-1]' ]
	[ "$(echo '{"vector":[0,0],"k":1}' | lh-search --flat l2.lhv | jq -c '.distance - 1 | fabs < 0.00001')" = true ]
}

# bats test_tags=graphs
@test "deleted and replaced records do not come back" {
	lh-index delete --id a p.lhv
	echo '{"id":"b","vector":[-1,0]}' | lh-index add p.lhv
	[ "$(ask '{"vector":[1,0]}' -k 1 p.lhv)" = c ]
	[ "$(ask '{"vector":[-1,0]}' -k 2 p.lhv)" = "b g" ]
	lh-index compact p.lhv
	[ "$(ask '{"vector":[-1,0]}' -k 2 p.lhv)" = "b g" ]
}

# bats test_tags=hostile,graphs
@test "a damaged metadata text is never printed: exit 2 names the file" {
	python3 - <<-'END'
	data = open("p.lhv", "rb").read()
	def damage(name, old, new):
	    assert data.count(old) == 1 and len(old) == len(new)
	    open(name, "wb").write(data.replace(old, new))
	damage("brace.lhv", b'{"state":"OH"', b'{"state":"OH}')
	damage("utf8.lhv", b'{"state":"OH"', b'{"state":"\xff\xfe"')
	damage("line.lhv", b'"years":"2", "sp"', b'"years":"2",\n"sp"')
	END
	for file in brace utf8 line; do
		run --separate-stderr lh-search "$file.lhv" <<<'{"vector":[0,1]}'
		[ "$status" = 2 ] && [ -z "$output" ] && [[ $stderr == *"$file.lhv"* ]] || { echo "$file: $status $output $stderr"; false; }
		run -0 --separate-stderr lh-search -k 1 "$file.lhv" <<<'{"vector":[1,0]}'
		[ "${#lines[@]}" = 1 ]
	done
}

# bats test_tags=full,hostile,graphs
@test "flipped bits anywhere in the file: an answer that is JSON, or an error, never a crash" {
	lh-gen workers -n 40 | lh-index build --dimension 64 --exact-below 1 w.lhv
	lh-gen queries -n 3 | jq -c '. + {metadata_filter: {state: [.state, "IL"]}, exclude_ids: ["w-3"]}' >q
	FLIPS=$(scale 150 10000) python3 - <<-'END'
	import os, random, subprocess, sys, json
	data = bytearray(open("w.lhv", "rb").read())
	rnd = random.Random(1)
	for n in range(int(os.environ["FLIPS"])):
	    at, bit = rnd.randrange(len(data)), 1 << rnd.randrange(8)
	    data[at] ^= bit
	    open("x.lhv", "wb").write(data)
	    data[at] ^= bit
	    r = subprocess.run(["lh-search", "-j1", "x.lhv"], stdin=open("q"), capture_output=True, timeout=600)
	    if r.returncode not in (0, 1, 2):
	        sys.exit(f"byte {at} bit {bit}: {r.returncode} {r.stderr[-2000:]}")
	    for line in r.stdout.splitlines():
	        json.loads(line)
	END
}

@test "no tool loads OpenSSL, whose start takes longer than its own" {
	plain_only "the sanitizers bring their own"
	run -0 nm -C "$LH_BIN/lh-validate"
	[[ $output == *" T SHA256_Update"* ]]
	for tool in "$LH_BIN"/lh-*; do
		run -0 readelf -d "$tool"
		[[ $output == *"[libc.so.6]"* ]]
		[[ $output != *libcrypto* ]] || { echo "$tool: $output"; false; }
	done
}

@test "no library that costs a start is linked" {
	plain_only "the sanitizers bring their own"
	run -0 ldd "$LH_BIN/lh-search"
	for lib in libstdc++ libcurl libcrypto libarchive libjansson; do
		[[ $output != *"$lib"* ]] || { echo "$output"; false; }
	done
}

@test "INDEX - reads the queries from standard input, as INDEX alone does" {
	printf '{"id":"a","text":"night nurse"}\n{"id":"b","text":"welder"}\n' >rows
	lh-index build -q w.lhv rows
	printf '{"query_text":"night","k":1}\n{"query_text":"welder","k":1}\n' >queries
	alike <(lh-search w.lhv - <queries) <(lh-search w.lhv <queries)
	[ "$(lh-search rows - <queries 2>err | jq -r '.results[0].id' | tr '\n' ' ')" = 'a b ' ]
}
