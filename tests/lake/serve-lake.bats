# The routes of the lake: the catalog and the store.  What they answer is what the tools
# print.
load ../helper
load ../servers/serve

T=2026-05-03T12:00:00.000Z
export LH_NOW=2026-05-03T12:00:00Z

teardown() {
	faults_happened
	end_serves
}

# only WORD - a configuration in which the built-in filters without that word are off, so
# that a server starts at once.
only() {
	lh-serve --print-config | jq -c --arg word "$1" '{routes: [.routes[] | select(.run and (.run | index($word) | not)) |
		{route, off: "not in this test"}]}' >config.json
	start_serve --config config.json --state s
}

# get PATH [CURL-OPTION]... - the body of the answer
get() {
	curl -sS -m "$LH_PATIENCE" "${@:2}" "$URL$1"
}

# ---- the catalog ----

@test "the catalog's routes answer byte for byte what lh-catalog prints" {
	only lh-catalog
	[ "$(get /v1/catalog/list)" = '{"manifests":[],"count":0}' ]
	for body in '{"name":"workers","schema_fingerprint":"f","objects":[{"key":"k","size":7}],"row_count":5,"x":[1.0]}' \
		'{"name":"a/b ü","schema_fingerprint":"g"}' '{"name":"workers","schema_fingerprint":"f","row_count":6}'; do
		alike <(post /v1/catalog/register "$body"; echo) <(lh-catalog register --catalog c <<<"$body")
	done
	alike <(get /v1/catalog/manifest/workers; echo) <(lh-catalog get --catalog c workers)
	alike <(get /v1/catalog/manifest/a%2Fb%20%C3%BC; echo) <(lh-catalog get --catalog c 'a/b ü')
	alike <(get /v1/catalog/list; echo) <(lh-catalog list --catalog c | jq -c -s '{manifests: ., count: length}' | sed 's/"x":\[1\]/"x":[1.0]/')
	diff -r c s/catalog
}

@test "the catalog's errors are the statuses of the contract" {
	only lh-catalog
	post /v1/catalog/register '{"name":"w","schema_fingerprint":"f"}' >out
	while IFS='|' read -r code body; do
		[ "$(status /v1/catalog/register --json "$body")" = "$code" ] || { echo "$body"; return 1; }
	done <<-END
	400|{"schema_fingerprint":"f"}
	400|{"name":"","schema_fingerprint":"f"}
	400|{"name":"w"}
	400|{"name":"w","schema_fingerprint":""}
	400|{"name":"$(stretch 1025 x)","schema_fingerprint":"f"}
	400|{"op":"list","name":"w","schema_fingerprint":"f"}
	400|{"name":"w","schema_fingerprint":"f","status":299}
	400|[]
	409|{"name":"w","schema_fingerprint":"g"}
	200|{"name":"w","schema_fingerprint":"f"}
	END
	[ "$(status /v1/catalog/manifest/none)" = 404 ]
	[ "$(get /v1/catalog/manifest/none)" = '{"error":"there is no dataset \"none\""}' ]
	[ "$(status '/v1/catalog/manifest/w?op=list')" = 400 ]
	[ "$(status /v1/catalog/manifest/)" = 404 ]
	[ "$(status /v1/catalog/list -X DELETE)" = 405 ]
	echo '{' >s/catalog/*.json
	[ "$(status /v1/catalog/manifest/w)" = 503 ]
	[ "$(get /v1/catalog/list)" = '{"manifests":[],"count":0}' ]
	[ "$(get /v1/catalog/manifest/w)" = '{"error":"the catalog cannot be used at present"}' ]
}

# ---- the store ----

# raw - the Python on stdin, with http_raw.
raw() {
	PYTHONPATH=$ROOT/tests patiently python3 -B - "$@"
}

OBJECT=/v1/storage/object

@test "what is put comes back byte for byte, by the route and by lh-store" {
	only lh-store
	: >empty
	head -c 300000 /dev/urandom >random
	printf 'a\0b\r\n' >nul
	for name in empty random nul; do
		alike <(get $OBJECT/d/$name -T $name | jq -cS 'del(.etag)') <(lh-store put folder d/$name $name | jq -cS 'del(.etag)')
		get $OBJECT/d/$name >back
		cmp back $name
		lh-store get s/store d/$name | cmp - $name
	done
	get $OBJECT/caf%C3%A9%20x%2Fy/%25 -T nul >/dev/null
	lh-store get s/store 'café x/y/%' | cmp - nul
	get "$OBJECT/$(seq -s / 280)" -T nul >/dev/null
	get "$OBJECT/$(seq -s / 280)" | cmp - nul
	until_so spool_is_empty
}

@test "HEAD has the headers of GET and no body; ETag changes with the object" {
	only lh-store
	get $OBJECT/k -T - <<<one >/dev/null
	get $OBJECT/k -D first >/dev/null
	get $OBJECT/k -I >second
	alike <(grep -E '^(ETag|Content-|HTTP)' first) <(grep -E '^(ETag|Content-|HTTP)' second)
	grep -qx $'Content-Length: 4\r' second
	grep -qx $'Content-Type: application/octet-stream\r' second
	get $OBJECT/k -T - <<<two >/dev/null
	[ "$(get $OBJECT/k -I | grep ETag)" != "$(grep ETag first)" ]
	[ "$(status $OBJECT/none -I)" = 404 ]
}

# etag NAME - the ETag of an object, as HEAD has it
etag() {
	get "$OBJECT/$1" -I | tr -d '\r' | sed -n 's/^ETag: //p'
}

@test "the conditions of HTTP hold for objects: 412, 304; PUT answers with its ETag" {
	only lh-store
	get $OBJECT/o -D head -T - <<<one >/dev/null
	e=$(etag o)
	grep -qxF "ETag: $e"$'\r' head
	[ "$(status $OBJECT/o -H 'If-None-Match: *' -T - <<<two)" = 412 ]
	[ "$(status $OBJECT/o -H 'If-Match: "stale"' -T - <<<two)" = 412 ]
	[ "$(status $OBJECT/o -H 'If-Match: "stale"' -X DELETE)" = 412 ]
	[ "$(status $OBJECT/none -H 'If-Match: *' -T - <<<two)" = 412 ]
	[ "$(status $OBJECT/o -H "If-Match: stale" -T - <<<two)" = 400 ]
	[ "$(status "$OBJECT/o?if_match=*" -X DELETE)" = 400 ]
	[ "$(get $OBJECT/o)" = one ]
	get $OBJECT/o -i -H "If-None-Match: $e" | tr -d '\r' >out
	has -x 'HTTP/1.1 304 Not Modified' <out
	has -xF "ETag: $e" <out
	[ -z "$(sed '1,/^$/d' out)" ]
	[ "$(status $OBJECT/o -I -H 'If-None-Match: "a"' -H "If-None-Match: W/$e")" = 304 ]
	[ "$(status $OBJECT/o -H 'If-Match: "a"')" = 412 ]
	[ "$(status $OBJECT/o -H "If-Match: \"a\", $e" -T - <<<three)" = 200 ]
	[ "$(status $OBJECT/o -H "If-Match: $e" -X DELETE)" = 412 ]
	[ "$(status $OBJECT/o -H "If-Match: $(etag o)" -X DELETE)" = 204 ]
	[ "$(status $OBJECT/new -H 'If-None-Match: *' -T - <<<new)" = 200 ]
	curl -sS "$URL/openapi.json" | jq -e '[.paths["/v1/storage/object/{key}"][].parameters[] | select(.in == "header").name] | unique == ["If-Match", "If-None-Match"]'
}

@test "a condition of a change that is no object's, or not compared, is 501, and nothing changes" {
	only lh-store
	get $OBJECT/o -T - <<<one >/dev/null
	[ "$(status $OBJECT/o -H 'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT' -X DELETE)" = 501 ]
	jq -c '.routes |= map(select(.route != "DELETE /v1/vectors/index/{name}"))' config.json >two.json
	start_serve --config two.json --state s
	[ "$(status /v1/vectors/index/none -H 'If-Match: "a"' -X DELETE)" = 501 ]
	[ "$(status /v1/storage/list -H 'If-Match: "a"')" = 200 ]
	[ "$(get $OBJECT/o)" = one ]
}

@test "DELETE is 204 and then 404, and the list is that of lh-store" {
	only lh-store
	for key in b a/1 a/2 ab; do get $OBJECT/$key -T - <<<$key >/dev/null; done
	for prefix in '' a a/ none %C3%A9; do
		alike <(get "/v1/storage/list?prefix=$prefix" | jq -c '.objects[]'; echo) <(lh-store list s/store "$(printf "${prefix//%/\\x}")"; echo)
		get "/v1/storage/list?prefix=$prefix" | jq -e --arg p "$(printf "${prefix//%/\\x}")" '.prefix == $p and .truncated == false and keys == ["objects", "prefix", "truncated"]'
	done
	[ "$(get /v1/storage/list | jq '.objects | length')" = 4 ]
	[ "$(status $OBJECT/ab -X DELETE)" = 204 ]
	[ "$(status $OBJECT/ab -X DELETE)" = 404 ]
	[ "$(get $OBJECT/ab)" = '{"error":"no object \"ab\""}' ]
	[ "$(get /v1/storage/list | jq -r '[.objects[].key] | join(" ")')" = "a/1 a/2 b" ]
}

@test "a list has 10,000 objects at most, and says that there are more" {
	only lh-store
	mkdir s/store/d
	(cd s/store/d && seq -f 'k%05g' 10000 | xargs touch)
	[ "$(get '/v1/storage/list?prefix=d/' | jq -c '[.truncated, (.objects | length), .objects[-1].key]')" = '[false,10000,"d/k10000"]' ]
	touch s/store/d/k10001
	[ "$(get '/v1/storage/list?prefix=d/' | jq -c '[.truncated, (.objects | length), .objects[-1].key]')" = '[true,10000,"d/k10000"]' ]
}

@test "a key that is not one is 400 with every method, and touches nothing" {
	only lh-store
	get $OBJECT/a -T - <<<kept >/dev/null
	mkdir s/store/f
	ln -s /etc/passwd s/store/link
	ln -s /etc s/store/folder
	local -A BODY=([PUT]='-d x')
	for key in '' /a a//b a/ ./a a/. a/%2e%2e/b %2e%2e/x a%0Ab a%0Db a%09b "$(stretch 1025 k)" "$(seq -s / 40)/../x" "$(seq -s / 40)//x"; do
		for method in PUT GET DELETE; do
			[ "$(status "$OBJECT/$key" --path-as-is -X $method ${BODY[$method]})" = 400 ] || { echo "$method $key"; return 1; }
		done
	done
	[ "$(status $OBJECT/a%00b -X PUT -d x)" = 400 ]
	[ "$(status $OBJECT/a%ffb -X PUT -d x)" = 400 ]
	for key in link folder/passwd f; do
		[ "$(status $OBJECT/$key)" = 404 ] || { echo "$key: $(status $OBJECT/$key)"; return 1; }
	done
	[ "$(status $OBJECT/folder/x -X PUT -d x)" = 409 ]
	[ "$(status $OBJECT/a/b -X PUT -d x)" = 409 ]
	[ "$(status $OBJECT/a?file=/etc/passwd -X PUT -d x)" = 400 ]
	[ "$(status $OBJECT/a?file=/tmp/x)" = 400 ]
	[ "$(status $OBJECT/a?op=delete)" = 400 ]
	[ "$(get $OBJECT/a)" = kept ]
	[ ! -e /etc/x ]
	[ "$(status $OBJECT/a -X POST -d x)" = 405 ]
	[ -z "$(ls -A s/spool)" ]
}

@test "a length over the cap is 413 before a byte of it is read: 256 MiB, and 4 GiB under _vectors/" {
	only lh-store
	raw <<-'END'
		from http_raw import *

		def put(key, n):
		    c = Client()
		    c.send("PUT /v1/storage/object/%s HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (key, n))
		    return c.head().status

		must(put("k", (256 << 20) + 1) == 413)
		must(put("k", 256 << 20) == 100)
		must(put("_vectors/k", (256 << 20) + 1) == 100)
		must(put("_vectors/k", 4 << 30) == 100)
		must(put("_vectors/k", (4 << 30) + 1) == 413)
		must(put("_vectors", (256 << 20) + 1) == 413)
		must(put("a/_vectors/k", (256 << 20) + 1) == 413)
		must(put("%5fvectors/k", 4 << 30) == 100)
		c = Client()
		c.send("PUT /v1/storage/object/k HTTP/1.1\r\nHost: localhost\r\n\r\n")
		must(c.answer().status == 411)
	END
	until_so spool_is_empty
	[ -z "$(ls -A s/store)" ]
}

spool_is_empty() {
	[ -z "$(ls -A s/spool)" ]
}

@test "objects of datasets are not for PUT and DELETE: 403, and nothing is in their way" {
	only lh-store
	mkdir -p s/store/datasets/d
	echo kept >s/store/datasets/d/k
	for key in datasets datasets/d/k datasets/new datasets%2Fd%2Fk; do
		for method in '-T config.json' '-X DELETE'; do
			[ "$(status $OBJECT/$key $method)" = 403 ] || { echo "$method $key"; return 1; }
		done
	done
	[ "$(get $OBJECT/datasets/d/k)" = kept ]
	[ "$(get /v1/storage/list | jq -c '[.objects[].key]')" = '["datasets/d/k"]' ]
	[ "$(status $OBJECT/datasets2/k -T config.json)" = 200 ]
	until_so spool_is_empty
}

@test "max_body holds for chunks, too; what was there stays" {
	jq -nc '{routes: [{route: "PUT /v1/storage/object/{key...}", run: ["lh-store", "requests", "--on-error", "emit", "s/store"], members: {op: "put"}, max_body: "1K"}]}' >config.json
	start_serve --config config.json --state s
	head -c 1024 /dev/zero | get $OBJECT/k -H 'Transfer-Encoding: chunked' -T - >/dev/null
	[ "$(head -c 1025 /dev/zero | status $OBJECT/k -H 'Transfer-Encoding: chunked' -T -)" = 413 ]
	[ "$(head -c 1025 /dev/zero | status $OBJECT/k --data-binary @- -X PUT)" = 413 ]
	[ "$(stat -c %s s/store/k)" = 1024 ]
	until_so spool_is_empty
}

@test "a client that leaves in the middle leaves the old object" {
	only lh-store
	get $OBJECT/k -T - <<<old >/dev/null
	raw "$SERVE" <<-'END'
		from http_raw import *
		import signal

		server = int(sys.argv[1])

		def leave(*parts, last=b""):
		    """Begin, and leave once the server is receiving the body; it gets the last bytes
		    together with the end."""
		    c = Client()
		    c.send("PUT /v1/storage/object/k HTTP/1.1\r\nHost: localhost\r\n", *parts)
		    wait(lambda: os.listdir("s/spool"))
		    if last:
		        os.kill(server, signal.SIGSTOP)
		        wait(lambda: open("/proc/%d/stat" % server).read().rpartition(")")[2].split()[0] == "T")
		        c.send(last)
		    c.socket.close()
		    os.kill(server, signal.SIGCONT)
		    wait(lambda: not os.listdir("s/spool"))

		def wait(so):
		    end = time.monotonic() + PATIENCE
		    while not so():
		        must(time.monotonic() < end)
		        time.sleep(0.01)

		for n in (0, 1, 70000):
		    leave("Content-Length: 70001\r\n\r\n", b"x" * n)
		leave("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
		leave("Content-Length: 70001\r\n\r\n", last=b"x" * 10)
		leave("Transfer-Encoding: chunked\r\n\r\n", last=b"3\r\nabc\r\n")
	END
	[ "$(get $OBJECT/k)" = old ]
	until_so has_lines access 8
	[ "$(jq -c .status access | xargs)" = "200 499 499 499 499 499 499 200" ]
}

@test "bodies are not in memory: one of 128 MiB leaves the server small" {
	plain_only "it is about memory"
	only lh-store
	head -c 134217728 /dev/zero >big
	[ "$(status $OBJECT/_vectors/big -T big)" = 200 ]
	get $OBJECT/_vectors/big | cmp - big
	[ "$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$SERVE/status")" -lt 32768 ]
}

@test "files that a killed server left are removed at the next start" {
	only lh-store
	raw <<-'END' &
		from http_raw import *
		c = Client()
		c.send("PUT /v1/storage/object/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
		try:
		    c.more()
		except OSError:
		    pass
	END
	until_so spool_is_filled
	kill -s KILL "$SERVE"
	wait "$SERVE" || true
	SERVES=()
	wait
	[ -n "$(ls -A s/spool)" ]
	only lh-store
	[ -z "$(ls -A s/spool)" ]
	[ -z "$(ls -A s/store)" ]
}

@test "what a killed server of the same PID left does no harm, and is removed" {
	mkdir -p s/spool shim
	cat >shim/lh-serve <<-'END'
		#!/bin/bash
		touch s/spool/.body-{1..4}.lh-tmp-$$ s/spool/.body{,.lh-tmp-{1..4}}.lh-tmp-$$
		exec "$LH_BIN/lh-serve" "$@"
	END
	chmod +x shim/lh-serve
	PATH=$PWD/shim:$PATH only lh-store
	[ -z "$(ls -A s/spool)" ]
	# one of another PID namespace
	touch "s/spool/.body.lh-tmp-$SERVE" "s/spool/.body-1.lh-tmp-$SERVE"
	for i in 1 2 3; do
		[ "$(status "$OBJECT/k$i" -T - <<<"$i")" = 200 ]
		[ "$(get "$OBJECT/k$i")" = "$i" ]
	done
	until_so eval '[ "$(ls -A s/spool | wc -l)" = 2 ]'
}

spool_is_filled() {
	[ -n "$(ls -A s/spool)" ]
}

@test "a store that cannot be used is 503, and is used again once it can" {
	only lh-store
	rmdir s/store
	echo file >s/store
	[ "$(status $OBJECT/k -T - <<<x)" = 503 ]
	[ "$(get $OBJECT/k)" = '{"error":"the store cannot be used at present"}' ]
	rm s/store
	[ "$(status $OBJECT/k -T - <<<x)" = 200 ]
	[ "$(get $OBJECT/k)" = x ]
}

@test "a process of the store that is killed in a request costs that request, and no object" {
	only lh-store
	get $OBJECT/k -T - <<<old >/dev/null
	pkill -KILL -P "$SERVE" lh-store
	until_so eval '[ "$(get $OBJECT/k)" = old ]'
}

# ---- SQL ----

@test "SQL is off until a configuration has its route, and then answers what lh-query prints" {
	[ "$(lh-serve --print-config | jq -c '.routes[] | select(.route == "POST /v1/sql")')" = '{"route":"POST /v1/sql","right":"read","off":"SQL is off: no configuration has this route; \"routes\" of --config turn it on"}' ]
	printf '{"role":"%s","pay":%d}\n' a 1 b 2 a 3 >w.jsonl
	lh-serve --print-config | jq -c '{routes: ([.routes[] | {route, off: "not in this test"} | select(.route != "POST /v1/sql")] +
		[{route: "POST /v1/sql", run: ["lh-query", "--on-error", "emit", "w=w.jsonl"], read: true}])}' >config.json
	start_serve --config config.json --state s
	for sql in 'select role, sum(pay) from w group by role order by role' "select 'x' a, null b, 1.5 c"; do
		alike <(post /v1/sql "$(jq -nc --arg s "$sql" '{sql: $s}')"; echo) <(lh-query --wire "$sql" w=w.jsonl)
	done
	while IFS='|' read -r code sql; do
		[ "$(status /v1/sql --json "$(jq -nc --arg s "$sql" '{sql: $s}')")" = "$code" ] || { echo "$sql"; return 1; }
	done <<-END
	400|selec
	400|select * from none
	400|attach 'x' as y
	400|insert into w values (1)
	400|select load_extension('x')
	200|select 1
	END
	[ "$(status /v1/sql --json '{}')" = 400 ]
	echo '{"role":"c","pay":4}' >>w.jsonl
	[ "$(post /v1/sql '{"sql":"select count(*) from w"}' | jq -c .rows)" = '[[4]]' ]
}

@test "a manifest registered over HTTP has no store but the state's, and no other is ever read" {
	mkdir out
	echo '{"secret":1}' >out/k.jsonl
	lh-serve --print-config | jq -c '{routes: ([.routes[] | select(.run and (.run | index("lh-catalog") | not)) | {route, off: "not in this test"}] +
		[{route: "POST /v1/sql", run: ["lh-query", "--on-error", "emit", "--catalog", "s/catalog"], read: true}])}' >config.json
	start_serve --config config.json --state s
	for store in "$PWD/out" "$PWD/s" "$PWD/s/store/.." / s3://bucket/x store; do
		body=$(jq -nc --arg s "$store" '{name: "d", schema_fingerprint: "f", store: $s, objects: [{key: "k.jsonl"}]}')
		[ "$(status /v1/catalog/register --json "$body")" = 400 ] || { echo "$store"; return 1; }
	done
	post /v1/catalog/register "$body" | grep '"store\\" must be left out'
	[ -z "$(ls s/catalog)" ]
	for store in s/store "$PWD/s/store"; do
		[ "$(status /v1/catalog/register --json "$(jq -nc --arg s "$store" '{name: "own", schema_fingerprint: "f", store: $s}')")" = 200 ]
	done
	# what was stored before, or by another program, is as untrusted
	jq -nc --arg s "$PWD/out" '{name: "old", schema_fingerprint: "f", store: $s, objects: [{key: "k.jsonl"}]}' | lh-catalog register --catalog s/catalog >/dev/null
	[ "$(status /v1/sql --json '{"sql":"SELECT * FROM old"}')" = 404 ]
	mkdir -p s/store
	echo '{"own":1}' >s/store/k.jsonl
	[ "$(post /v1/sql '{"sql":"SELECT own FROM old"}' | jq -c .rows)" = '[[1]]' ]
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' '{"jsonrpc":"2.0","method":"notifications/initialized"}' \
		'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"query_sql","arguments":{"sql":"SELECT * FROM old"}}}' | patiently lh-mcp --state s -q >out.jsonl
	[ "$(jq -c 'select(.id == 2).result.structuredContent.columns' out.jsonl)" = '[{"name":"own","type":"BIGINT"}]' ]
}

# ---- tables ----

# ingest QUERY [CURL-OPTION]... - the answer
ingest() {
	curl -sS -m "$LH_PATIENCE" -H "Origin: $URL" "${@:2}" "$URL/v1/ingest$1"
}

@test "a table is kept as lh-ingest keeps it, from a form or from the body alone" {
	only lh-ingest
	printf 'id,score\n1,1.10\n2,\n' >t.csv
	printf 'id\tscore\n1\t1.10\n2\t\n' >t.tsv
	printf '{"id":%d}\n' 1 2 3 >t.jsonl
	for way in 'csv -F file=@t.csv' 'tsv -F file=@t.tsv' 'jsonl -F x=1 -F file=@t.jsonl -F file2=@t.csv' 'body --data-binary @t.csv' 'gz -T t.csv.gz -X POST -H Content-Type:application/gzip' 'typed -H Content-Type:text/csv --data-binary @t.csv'; do
		gzip -kf t.csv
		read -r name options <<<"$way"
		file=t.${name/#body/csv}
		file=${file/#t.gz/t.csv.gz}
		file=${file/t.typed/t.csv}
		alike <(ingest "?name=$name" $options; echo) <(lh-ingest --store "$PWD/store" --catalog c --name "$name" "$file") || { echo "$way"; return 1; }
	done
	alike <(ingest '?name=csv' -F file=@t.csv | jq .existing) <(echo true)
	alike <(ingest '?name=later&format=tsv' --data-binary @t.tsv | jq .row_count) <(echo 2)
	diff -r store/datasets/csv s/store/datasets/csv
	until_so spool_is_empty
	get /v1/catalog/manifest/csv >/dev/null
}

@test "rows are added to a dataset, and replace those with their key" {
	only lh-ingest
	printf 'id,score\n1,1.5\n' >t.csv
	printf 'id,score\n1,2\n2,3\n' >new.csv
	ingest '?name=t' -F file=@t.csv >/dev/null
	[ "$(ingest '?name=t&append=true' -F file=@t.csv | jq -c '[.row_count, .added]')" = '[2,1]' ]
	[ "$(ingest '?name=t&upsert=id&history=true' -F file=@new.csv | jq -c '[.row_count, .added, .replaced, .repeated]')" = '[2,2,2,0]' ]
	[ "$(lh-query --catalog s/catalog 'SELECT * FROM t, (SELECT count(*) was FROM t_history)')" = '{"id":1,"score":2,"was":2}
{"id":2,"score":3,"was":2}' ]
	[ "$(ingest '?name=t&history=true' -F file=@t.csv)" = '{"error":"\"history\" requires \"upsert\""}' ]
	[ "$(ingest '?name=t&upsert=town' -F file=@t.csv)" = '{"error":"row 1 has no \"town\" (--upsert)"}' ]
	[ "$(get /openapi.json | jq -c '[.paths."/v1/ingest".post.parameters[].name] - ["id", "trace_id"]')" = '["name","format","filename","append","upsert","history"]' ]
}

@test "what is wrong with a table or its form is 400, another fingerprint 409, and nothing changes" {
	only lh-ingest
	printf 'id\n1\n' >t.csv
	printf 'id\nx\n' >other.csv
	printf 'id,id\n1,2\n' >twice.csv
	: >empty.csv
	ingest '?name=t' -F file=@t.csv >/dev/null
	until_so spool_is_empty
	cp -r s before
	bad=0
	while IFS='|' read -r code query options; do
		got=$(ingest "$query" -o out -w '%{http_code}' $options)
		[ "$got" = "$code" ] || { echo "$query $options: $got $(cat out)"; bad=1; }
		jq -e '.error | strings | contains("spool") | not' out >/dev/null || { echo "$options: $(cat out)"; bad=1; }
	done <<-'END'
	400||-F file=@t.csv
	400|?name=|-F file=@t.csv
	400|?name=a|-F other=@t.csv
	400|?name=a|-F file=@t.csv -F file=@t.csv
	400|?name=a|-F file=@empty.csv
	400|?name=a|-F file=@twice.csv
	400|?name=a|--data-binary @empty.csv
	400|?name=a|-H Content-Type:multipart/form-data --data-binary @t.csv
	400|?name=a|-H Content-Type:multipart/form-data;boundary=x --data-binary @t.csv
	400|?name=a&format=xls|-F file=@t.csv
	400|?name=a&file=/etc/passwd|-F file=@t.csv
	400|?name=a%00|-F file=@t.csv
	409|?name=t|-F file=@other.csv
	END
	[ "$bad" = 0 ]
	[ "$(status '/v1/ingest?name=a' -X POST)" = 411 ]
	[ "$(status '/v1/ingest?name=a')" = 405 ]
	rm s/spool -r before/spool -r
	diff -r before/store s/store
	diff -r before/catalog s/catalog
	mkdir s/spool
}

@test "a form arrives in any pieces, and its boundary may be almost in the file" {
	only lh-ingest
	raw <<-'END'
		from http_raw import *

		def form(b, parts, end=b"--\r\n"):
		    out = b"preamble"
		    for head, data in parts:
		        out += b"\r\n--" + b + b"\r\n" + head + b"\r\n\r\n" + data
		    return out + b"\r\n--" + b + end

		def send(body, pieces, b="xyz", name="d"):
		    c = Client()
		    c.send("POST /v1/ingest?name=%s HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:%s\r\nContent-Type: multipart/form-data; boundary=\"%s\"\r\nTransfer-Encoding: chunked\r\n\r\n" % (name, c.socket.getpeername()[1], b))
		    for i in range(0, len(body), pieces):
		        part = body[i:i + pieces]
		        c.send(b"%x\r\n" % len(part) + part + b"\r\n")
		    return c.send(b"0\r\n\r\n").answer()

		F = b'content-disposition:form-data; name="file"; filename="a\\"b.csv"\r\nX: y'
		near = b"id\r\n1\r\n--xy\r\n\r--xyz\r\n"
		whole = form(b"xyz", [(b'Content-Disposition: form-data; name="a"', b"--xyz"), (F, near)])
		rows = None
		for pieces in (1, 2, 3, 7, 64, 10000):
		    a = send(whole, pieces)
		    must(a.status == 200, pieces, a.status, a.body)
		    rows = rows or a.json()["row_count"]
		    must(a.json()["row_count"] == rows)
		for body in (form(b"xyz", [(F, b"id\n1\n")], b""), form(b"xyz", [(F, b"id\n1\n")], b"\r\n"), form(b"xyy", [(F, b"id\n1\n")]),
		             form(b"xyz", [(b"X: " + b"y" * 9000, b"")]), form(b"xyz", [(b'Content-Disposition: form-data; name="file', b"id\n1\n")]),
		             form(b"xyz", [(F + b"\r\n" + F, b"id\n1\n")]), b"", b"--xyz"):
		    must(send(body, 5000, name="e").status == 400, body[:200])
		c = Client()
		c.send("POST /v1/ingest?name=e HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n" % ((256 << 20) + 1))
		must(c.answer().status == 413)
	END
	[ "$(ls s/store/datasets)" = d ]
	until_so spool_is_empty
}

# ---- all of it ----

@test "a table that came over HTTP is in the catalog, in the store, and in SQL; a damaged manifest hides no other" {
	lh-serve --print-config | jq -c '{routes: ([.routes[] | select(.route | test("^POST /v1/(ingest|sql|catalog)") | not) | {route, off: "not in this test"}] +
		[{route: "POST /v1/sql", run: ["lh-query", "--on-error", "emit", "--catalog", "s/catalog"], read: true}])}' >config.json
	start_serve --config config.json --state s
	rows() { post /v1/sql "$(jq -nc --arg s "$1" '{sql: $s}')" | jq -c .rows; }
	printf 'id,city,score\n1,Chicago,95\n2,Houston,89\n3,Chicago,80\n4,Houston,90\n5,Gary,70\n' >workers.csv
	ingest '?name=workers' -F file=@workers.csv >kept
	[ "$(rows 'select count(*), max(score) from workers')" = '[[5,95]]' ]
	[ "$(rows "select avg(score) from workers where city = 'Houston'")" = '[[89.5]]' ]
	printf 'id,city,score\n1,Chicago,1\n' | ingest '?name=workers' --data-binary @- >/dev/null
	[ "$(rows 'select count(*), max(score) from workers')" = '[[1,1]]' ]
	ingest '?name=others' --data-binary $'a\n1\n' >/dev/null
	[ "$(rows 'select * from others')" = '[[1]]' ]
	echo '{' >"s/catalog/$(ingest '?name=others' --data-binary $'a\n1\n' | jq -r .dataset_id).json"
	[ "$(rows 'select count(*) from workers')" = '[[1]]' ]
	[ "$(status /v1/sql --json '{"sql":"select * from others"}')" = 400 ]
	lh-store get s/store "$(jq -r .object_key kept)" | lh-cat | cmp - <(lh-ingest <<<$'id,city,score\n1,Chicago,1')
}
