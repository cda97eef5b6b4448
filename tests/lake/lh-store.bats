# lh-store: objects in a folder, and in an S3 that checks every signature.
# bats file_tags=long
load ../helper
load ../servers/server
load ../servers/s3

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset AWS_SESSION_TOKEN AWS_REGION AWS_PROFILE LH_S3_KEY_FILE
}

teardown() {
	stop_upstreams
	faults_happened
}

B=s3://bucket/p

# both FUNCTION - call it with a folder, and with a bucket.
both() {
	start_s3
	"$1" folder
	"$1" $B
}

# has_object STORE KEY TEXT
has_object() {
	[ "$(lh-store get "$1" "$2")" = "$3" ]
}

life() {
	local key='we ird/é$&+,;=@:"<>%41*~!()#?'
	run -0 lh-store put "$1" a/b <<<hello
	[ "$(jq -r '.key, .size, .sha256' <<<"$output" | xargs)" = "a/b 6 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03" ]
	has_object "$1" a/b hello
	seq 1000 | lh-store put "$1" "$key" >out
	lh-store get "$1" "$key" file
	seq 1000 | cmp - file
	: | lh-store put "$1" empty >out
	lh-store get "$1" empty file
	[ -e file ] && [ ! -s file ]
	alike <(lh-store list "$1" | jq -r .key) <(printf '%s\n' a/b empty "$key")
	alike <(lh-store list "$1" we) <(lh-store head "$1" "$key" | jq -c ".modified = \"$(lh-store list "$1" we | jq -r .modified)\"")
	[ "$(lh-store delete "$1" a/b)" = '{"key":"a/b","deleted":true}' ]
	run -1 --separate-stderr lh-store get "$1" a/b
	[ -z "$output" ] && [ "$stderr" = 'lh-store: 404: no object "a/b"' ]
	run -1 lh-store head "$1" a/b
	run -1 lh-store delete "$1" a/b
	run -0 lh-store delete --missing-ok "$1" a/b
	[ -z "$output" ]
}

@test "an object is put, read, described, listed and deleted" {
	both life
}

@test "the server's check of signatures gives the answers of the documentation" {
	run -0 python3 -B "$ROOT/tests/servers/s3.py" --known-answers
	[ "${#lines[@]}" = 4 ]
}

@test "a session token and another region are signed too" {
	start_s3 --token 'tok/en+1=' --region eu-north-1
	run -2 lh-store put $B a <<<x
	export AWS_REGION=eu-north-1 AWS_SESSION_TOKEN='tok/en+1='
	run -0 lh-store put $B a <<<x
	seq 2000000 | lh-store put --part-size 5M $B b >out
	[ "$(lh-store list $B | jq -r .key | xargs)" = "a b" ]
}

bad_keys() {
	local key
	for key in "" /a a/ a//b . .. a/../b a/. ./a $'a\nb' $'a\tb' $'a\rb' $'\xff' "$(stretch 1025 x)"; do
		for verb in put get head delete; do
			run -1 --separate-stderr lh-store $verb "$1" "$key" </dev/null
			[[ $stderr == "lh-store: 400: "* ]] || { echo "$verb $key: $stderr"; return 1; }
		done
	done
}

@test "what is not a key is refused with code 400" {
	both bad_keys
	[ ! -e folder ]
}

once() {
	lh-store put "$1" a --if-none-match <<<old >out
	run -1 --separate-stderr lh-store put "$1" a --if-none-match <<<new
	[ "$stderr" = 'lh-store: 412: there is an object "a" already' ]
	has_object "$1" a old
	lh-store put "$1" a <<<new >out
	has_object "$1" a new
}

@test "--if-none-match puts an object only where there is none" {
	both once
}

@test "of many requests with the ETag that an object had exactly one changes it, and no ETag comes back" {
	lh-store put folder k <<<0 >out
	for ((n = 0; n < 5; n++)); do
		etag=$(lh-store head folder k | jq -r .etag)
		echo "$etag" >>etags
		pids=()
		for i in {1..12}; do
			echo $i >in.$i
			jq -nc --arg e "\"$etag\"" --arg f in.$i '{op: (if $f == "in.1" then "delete" else "put" end), key: "k", file: $f, if_match: $e}' |
				lh-store requests -q --files --on-error emit folder >out.$i &
			pids+=($!)
		done
		failed=0
		for pid in "${pids[@]}"; do wait $pid || failed=$((failed + 1)); done
		[ $failed = 11 ]
		cat out.* | jq -e -s '[.[].error.code | select(. == 412)] | length == 11'
		[ -f folder/k ] || lh-store put folder k <<<$n >out
	done
	[ "$(sort -u etags | wc -l)" = 5 ]
}

@test "conditions are lists of ETags: weak ones match for a reader alone, and what is no list is 400" {
	lh-store put folder k <<<0 >out
	: >got
	etag=$(lh-store head folder k | jq -r .etag)
	while IFS='|' read -r code op member list; do
		jq -nc --arg o "$op" --arg m "$member" --arg l "$list" '{op: $o, key: "k", file: "got", ($m): $l}' >in
		[ "$(lh-store requests --files --on-error emit folder <in | jq '.error.code // .status // 200')" = "$code" ] || { cat in; return 1; }
	done <<-END
	200|get|if_match|"$etag"
	200|get|if_match|"a", "$etag"
	412|get|if_match|W/"$etag"
	304|get|if_none_match|"a",W/"$etag"
	304|get|if_none_match|*
	200|get|if_none_match|"a"
	412|put|if_none_match|"$etag"
	412|put|if_match|"a", "$etag-"
	412|delete|if_none_match|*
	400|put|if_match|$etag
	400|put|if_match|"$etag" x
	400|put|if_match|"$etag
	400|delete|if_match|
	400|delete|if_none_match|,
	204|delete|if_match|*
	412|delete|if_match|*
	412|put|if_match|*
	200|put|if_none_match|*
	END
	[ "$(jq -nc '{op: "delete", key: "k", if_match: "*"}' | LH_S3_ENDPOINT=http://127.0.0.1:9 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b lh-store requests --on-error emit s3://bucket | jq .error.code)" = 501 ]
}

@test "two writers of one key leave one of the objects" {
	start_s3
	stretch 300000 a >one
	stretch 300000 b >two
	for store in folder s3://bucket; do
		for name in one two; do
			(for i in {1..8}; do lh-store put $store k $name >/dev/null || exit 1; done) &
			eval "$name=$!"
		done
		wait "$one" "$two"
		lh-store get $store k got
		cmp got one || cmp got two
	done
	no_litter folder
}

@test "a key and a key below it exclude each other in a folder: code 409" {
	lh-store put d a/b <<<1 >out
	run -1 lh-store put d a <<<2
	[[ $output == *" 409: "* ]]
	run -1 lh-store put d a/b/c <<<2
	[[ $output == *" 409: "* ]]
	lh-store delete d a/b >out
	lh-store put d a <<<2 >out
	run -1 --separate-stderr lh-store put d "$(stretch 256 x)" <<<2
	[[ $stderr == *" 400: "*"255 bytes" ]]
}

@test "symbolic links lead nowhere, in or out of the folder" {
	lh-store put d in/a <<<1 >out
	echo secret >secret
	ln -s ../secret d/link
	ln -s .. d/up
	ln -s in d/inner
	mkfifo d/fifo
	for key in link up/secret inner/a fifo in; do
		run -1 patiently lh-store get d $key
		[ "$output" = "lh-store: 404: no object \"$key\"" ]
		run -1 lh-store delete d $key
	done
	for key in link up/new inner/b fifo in; do
		run -1 patiently lh-store put d $key <<<2
		[[ $output == *" 409: "* ]] || { echo "$key: $output"; return 1; }
	done
	[ "$(lh-store list d | jq -r .key)" = in/a ]
	[ "$(cat secret)" = secret ] && [ ! -e new ]
}

@test "a put into a folder that fails at any call leaves the old object" {
	needs_strace
	seq 100000 >new
	for call in write fsync rename; do
		for when in 1 2 3; do
			lh-store put d a/b <<<old >out
			run inject "$call:error=EIO:when=$when" lh-store put d a/b new
			injected || continue
			[ "$status" = 2 ]
			[[ $output != *"$PWD"* && $output != */proc/* ]] || { echo "$output"; return 1; }
			has_object d a/b old || [ "$call $when" = "fsync 2" ]
		done
	done
	no_litter d
}

@test "a put into a folder that is killed at any write leaves the old object" {
	needs_strace
	seq 100000 >new
	lh-store put d a/b <<<old >out
	for call in write fsync rename; do
		inject "$call:signal=KILL:when=1" lh-store put d a/b new || true
		injected
		has_object d a/b old || [ $call = rename ]
		[ "$(lh-store list d | wc -l)" = 1 ]
		lh-store put d a/b <<<old >out
	done
	no_litter d
}

@test "an upload in parts that fails at any request leaves the old object and no parts" {
	start_s3
	seq 2000000 >new
	lh-store put $B a <<<old >out
	for how in 500 drop; do
		for skip in 0 1 2 3 4; do
			s3 _mode/$how/ANY/$skip/2	# libcurl repeats a call whose connection is lost
			run -2 --separate-stderr lh-store put --retries 0 --part-size 5M $B a new
			[[ $stderr == lh-store:* ]]
			has_object $B a old
			[ "$(s3 _state | jq -c '[.uploads, .parts]')" = "[0,0]" ] || { echo "$how $skip"; return 1; }
		done
	done
	s3 _mode/off
	lh-store put --retries 0 --part-size 5M $B a new >out
	lh-store get $B a got
	cmp got new
}

@test "a complete that answers 200 with an error is a failure" {
	start_s3
	seq 2000000 >new
	lh-store put $B a <<<old >out
	s3 _mode/invalid/POST/1/1
	run -2 lh-store put --part-size 5M $B a new
	[[ $output == *InvalidPart* ]]
	has_object $B a old
	[ "$(s3 _state | jq -c '[.uploads, .parts]')" = "[0,0]" ]
	s3 _mode/internal/POST/1/1
	lh-store put --part-size 5M $B a new >out
	lh-store get $B a | cmp - new
}

@test "a complete whose answer is lost is found to be done" {
	start_s3
	seq 2000000 >new
	s3 _mode/lose/POST/1/1
	lh-store put --part-size 5M $B a new >out
	lh-store get $B a | cmp - new
	[ "$(s3 _state | jq .uploads)" = 0 ]
}

@test "a signal during an upload leaves the old object and no parts" {
	start_s3
	lh-store put $B a <<<old >out
	mkfifo pipe
	lh-store put --part-size 5M $B a <pipe >out &
	pid=$!
	exec 8>pipe
	seq 2000000 >&8
	until_so eval '[ "$(s3 _state | jq .parts)" -ge 1 ]'
	kill -TERM $pid
	exec 8>&-
	wait $pid && rc=0 || rc=$?
	[ $rc = 143 ]
	has_object $B a old
	[ "$(s3 _state | jq -c '[.uploads, .parts]')" = "[0,0]" ]
}

# bats test_tags=plain-only
@test "500, 503 and a lost connection are tried again, and --retries says how often" {
	start_s3 --log log
	for how in 500 503 retry-after drop; do
		for method in PUT GET HEAD; do
			s3 _mode/$how/$method/0/2
			lh-store put $B a <<<"$how" >out
			has_object $B a $how
			lh-store head $B a >out
			lh-store list $B >out
			s3 _mode/off
		done
	done
	s3 _mode/503/GET/0/3
	: >log
	run -2 lh-store get --retries 2 $B a
	[[ $output == *"HTTP 503 SlowDown: Please reduce your request rate."* ]]
	[ "$(wc -l <log)" = 3 ]
}

@test "a refusal is not tried again, and its words hold no secret" {
	start_s3 --log log
	AWS_SECRET_ACCESS_KEY=wrong run -2 lh-store list $B
	[[ $output == *"HTTP 403 SignatureDoesNotMatch"* ]]
	[ "$(wc -l <log)" = 1 ]
	AWS_ACCESS_KEY_ID=other run -2 lh-store list $B
	[[ $output == *"HTTP 403 InvalidAccessKeyId"* && $output != *"$AWS_SECRET_ACCESS_KEY"* ]]
	AWS_SECRET_ACCESS_KEY='with space' run -2 lh-store list $B
	[[ $output != *"with space"* ]]
	unset AWS_SECRET_ACCESS_KEY
	run -2 lh-store list $B
	[[ $output == *"no keys for S3"* ]]
}

@test "a redirect is not followed, and the region of the bucket is reported" {
	start_s3
	s3 _mode/redirect/ANY/0/9
	run -2 lh-store get $B a
	[[ $output == *"HTTP 307"*"not followed"*"AWS_REGION=eu-west-1"* ]]
	run -2 lh-store put $B a <<<x
	[[ $output == *"not followed"* ]]
}

@test "a transfer that breaks off goes on by range, to a file and to stdout" {
	start_s3 --log log
	seq 500000 >want
	lh-store put $B a want >out
	s3 _mode/short/GET/0/3
	lh-store get $B a got
	cmp got want
	[ "$(grep -c ' 206$' log)" = 3 ]
	s3 _mode/short/GET/0/3
	lh-store get $B a | cmp - want
	s3 _mode/whole/GET/1/9
	s3 _mode/short/GET/0/1
	lh-store get $B a | cmp - want
}

@test "a 200 in place of a range is a new start" {
	start_s3
	seq 500000 >want
	lh-store put $B a want >out
	# the answers: half of it; then all of it, where the rest was asked for
	s3 _mode/short/GET/0/1
	lh-store get $B a got
	cmp got want
}

@test "two objects are never glued: a file is started again, stdout is a failure" {
	start_s3
	seq 500000 >want
	lh-store put $B a want >out
	s3 _mode/swap/GET/0/1
	lh-store get $B a got
	python3 -c 'open("other", "wb").write(open("want", "rb").read()[::-1])'
	cmp got other
	s3 _mode/swap/GET/0/1
	run -2 bash -c "lh-store get $B a >got"
	[[ $output == *"the object changed while it was received" ]]
	[ "$(stat -c %s got)" -le "$(stat -c %s want)" ]
	cmp -n "$(stat -c %s got)" got other
}

@test "an object that is not what its ETag says leaves the old file" {
	start_s3
	echo old >file
	seq 1000 | lh-store put $B a >out
	s3 _mode/wrong/GET/0/1
	run -2 lh-store get $B a file
	[[ $output == *"do not have the MD5"* ]]
	[ "$(cat file)" = old ]
	s3 _mode/etag/PUT/0/1
	run -2 lh-store put $B a <<<x
	[[ $output == *"is not that of the bytes sent" ]]
	no_litter
}

@test "an object is whole by its length or its MD5 alone: cut-off and unasked answers leave the old file" {
	start_s3
	seq 100000 >want
	lh-store put $B a want >out
	echo old >file
	for mode in cut cut-md5 bare; do
		s3 _mode/$mode/GET/0/9
		run -2 lh-store get $B a file
		[ "$(cat file)" = old ]
		if [ $mode = cut-md5 ]; then
			[[ $output == *'do not have the MD5'* ]]
		else
			[[ $output == *'nothing tells whether the object is whole: the answer has no length, and no MD5' ]]
		fi
		run -2 lh-query 'SELECT 1 FROM a' a=$B/a
	done
	s3 _mode/bare-md5/GET/0/1
	lh-store get $B a got
	cmp got want
	s3 _mode/unasked/GET/0/9
	run -2 lh-store get $B a file
	[[ $output == *'a part of the object, which was not asked for' ]]
	[ "$(cat file)" = old ]
	no_litter
}

two_write() {
	[ "$(find s -name '*.lh-tmp-*' | wc -l)" = 2 ]
}

@test "what a killed writer left is removed by the next writer of any key, and not what a live one writes" {
	local killed live
	mkfifo slow live
	lh-store put s a/b slow &
	killed=$!
	exec 7>slow
	lh-store put s c/d live >out 2>&1 7>&- &
	live=$!
	exec 8>live
	until_so two_write
	kill -KILL $killed
	wait $killed || [ $? = 137 ]
	exec 7>&-
	[ "$(find s/a -name '*.lh-tmp-*' | wc -l)" = 1 ]
	seq 3 | lh-store put s other/key >/dev/null 8>&-
	[ -z "$(find s/a -name '*.lh-tmp-*')" ]
	[ "$(find s/c -name '*.lh-tmp-*' | wc -l)" = 1 ]
	seq 9 >&8
	exec 8>&-
	wait $live
	lh-store get s c/d | alike - <(seq 9)
	[ -z "$(find s -name '*.lh-tmp-*')" ]
	# those of another PID namespace, which no process here has, and of a manifest
	mkdir -p c
	: >c/.x.json.lh-tmp-$$
	jq -nc '{name: "n", schema_fingerprint: "f", store: "s", objects: []}' | lh-catalog register -q --catalog c >/dev/null
	[ -z "$(find c -name '*.lh-tmp-*')" ]
}

@test "a page of another server is no object: a PUT without ETag, a GET of a text without one" {
	start_s3
	seq 10 | lh-store put $B a >out
	echo old >file
	s3 _mode/html/ANY/0/99
	run -2 --separate-stderr lh-store put $B b out
	[ -z "$output" ] && [[ $stderr == *'"b": '*'the answer has no ETag, as S3 always has: is this another server?' ]]
	run -2 --separate-stderr lh-store put --part-size 5M $B b <(head -c 6000000 /dev/zero)
	[ -z "$output" ]
	for to in file -; do
		run -2 --separate-stderr lh-store get $B a $to
		[ -z "$output" ] && [[ $stderr == *'the answer has no ETag, as S3 always has: is this another server?' ]]
	done
	[ "$(cat file)" = old ]
	run -2 --separate-stderr lh-store delete $B a
	[ -z "$output" ]
	run -2 lh-query 'SELECT 1 FROM a' a=$B/a
	s3 _mode/off
	lh-store get $B a | alike - <(seq 10)
	no_litter
}

@test "an answer of S3 without an end is refused before it is received" {
	start_s3
	seq 10 | lh-store put $B a >out
	s3 _mode/flood/GET/0/9
	run -2 prlimit --fsize=10000000 lh-store get $B a file
	[[ $output == *'nothing tells whether the object is whole: the answer has no length, and no MD5' ]]
	[ ! -e file ]
	no_litter
}

@test "a short 206 is asked for the rest, and is not the end" {
	python3 - <<-'END' &
	import http.server, hashlib
	class S(http.server.BaseHTTPRequestHandler):
	    protocol_version = "HTTP/1.1"
	    def do_GET(self):
	        body = b"0123456789" * 10000
	        at = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
	        to = len(body) // 2 if not at else min(len(body), at + 20000)
	        self.send_response(206 if at else 200)
	        self.send_header("ETag", '"opaque"')
	        self.send_header("Content-Length", str(len(body) if not at else to - at))
	        if at:
	            self.send_header("Content-Range", "bytes %d-%d/%d" % (at, to - 1, len(body)))
	        self.end_headers()
	        with open("asked", "a") as f:
	            f.write("%d-%d\n" % (at, to))
	        self.wfile.write(body[at:to])
	        self.close_connection = not at
	    def log_message(self, *a): pass
	s = http.server.HTTPServer(("127.0.0.1", 0), S)
	open("port.new", "w").write(str(s.server_port))
	import os
	os.rename("port.new", "port")
	s.serve_forever()
	END
	pid=$!
	until_so test -e port
	export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b LH_S3_ENDPOINT=http://127.0.0.1:$(cat port)
	lh-store get $B a got || { kill "$pid"; return 1; }
	kill "$pid"
	[ "$(stat -c %s got)" = 100000 ]
	[ "$(xargs <asked)" = '0-50000 50000-70000 70000-90000 90000-100000' ]
}

@test "a server that does not answer, or too slowly, is given up" {
	start_s3
	echo old >file
	seq 100000 | lh-store put $B a >out
	for how in stall slow; do
		s3 _mode/$how/GET/0/9
		run -2 patiently lh-store get --timeout 1 --retries 0 $B a file
		[[ $output == *"no progress within 1 s"* ]]
	done
	[ "$(cat file)" = old ]
	no_litter
	stop_upstreams
	run -2 lh-store get --retries 0 $B a
	[[ $output == *"onnect"* ]]
}

@test "bad lists are refused: XML, entities, depth, size, order, endless" {
	start_s3
	s3 _make/many/2500
	for how in bad-xml doctype deep html huge endless shuffled tokenless size; do
		s3 _mode/$how/GET/0/99
		run -2 --separate-stderr patiently lh-store list s3://many
		[[ ${stderr_lines[-1]} == lh-store:* ]] || { echo "$how: $stderr"; return 1; }
		s3 _mode/off
	done
	[ "$(lh-store list s3://many k00249 | wc -l)" = 10 ]
}

@test "a page that says in any way that more follow is not the end, or the list is an error" {
	start_s3
	s3 _make/many/2500
	for how in '' '<IsTruncated>false</IsTruncated>'; do
		s3 "_mode/truncated=$(jq -rn --arg s "$how" '$s|@uri')/GET/0/99"
		lh-store list s3://many >keys
		[ "$(wc -l <keys)" = 2500 ]
	done
	mkdir -p copy
	touch copy/k001500
	for how in TRUE True 1 yes '' ' true' ' false '; do
		s3 "_mode/truncated=$(jq -rn --arg s "<IsTruncated>$how</IsTruncated>" '$s|@uri')/GET/0/99"
		run -2 --separate-stderr patiently lh-store sync --delete s3://many copy
		[[ $stderr == *"IsTruncated is neither true nor false"* ]]
	done
	s3 "_mode/truncated=%3CNextMarker%3Ek000999%3C%2FNextMarker%3E/GET/0/99"
	run -2 --separate-stderr patiently lh-store sync --delete s3://many copy
	[[ $stderr == *"a list that goes on, without a token"* ]]
	[ -e copy/k001500 ]
}

@test "a list that is answered by an Error names its Code" {
	start_s3
	s3 _mode/error-200/GET/0/99
	run -2 --separate-stderr patiently lh-store list s3://many
	[[ $stderr == *"SlowDown: Please reduce your request rate."* ]]
}

@test "a folder to list that is not there is named" {
	run -2 --separate-stderr lh-store list none
	[ "$stderr" = 'lh-store: none: No such file or directory' ]
}

@test "all pages of a list are read" {
	start_s3
	n=$(scale 100000 1000000)
	s3 _make/many/$n
	lh-store list s3://many | jq -r .key >keys
	[ "$(wc -l <keys)" = "$n" ]
	LC_ALL=C sort -cu keys
}

@test "a folder of many keys is listed in the order of their bytes" {
	mkdir -p d/{a,a.b,a-b,a/b}/{0..9}
	touch d/{a,a.b,a-b,a/b}/{0..9}/{x,y}{1..50} d/a0 d/b
	lh-store list d | jq -r .key >keys
	[ "$(wc -l <keys)" = 4002 ]
	LC_ALL=C sort -cu keys
	alike <(lh-store list d a/b | jq -r .key) <(grep ^a/b keys)
}

@test "sync copies what differs, and --delete removes the rest" {
	start_s3
	lh-store put from a/b <<<1 >out
	lh-store put from c <<<2 >out
	seq 2000000 | lh-store put from big >out
	for to in to $B s3://bucket/q; do
		from=from
		[ $to != s3://bucket/q ] || from=$B
		run -0 lh-store sync --part-size 5M $from $to
		[ "${#lines[@]}" = 3 ]
		run -0 lh-store sync --part-size 5M $from $to
		[ -z "$output" ] || { echo "$to: $output"; return 1; }
		lh-store put $to c <<<3 >out
		lh-store put $to more <<<4 >out
		run -0 lh-store sync --delete --dry-run --part-size 5M $from $to
		has_object $to c 3
		dry=$output
		run -0 lh-store sync --delete --part-size 5M $from $to
		[ "$output" = "$dry" ]
		[ "$output" = $'{"key":"c","copied":true}\n{"key":"more","deleted":true}' ]
		alike <(lh-store list from | jq -c '[.key, .size]') <(lh-store list $to | jq -c '[.key, .size]')
	done
	run -0 lh-store sync --part-size 5M $B back
	diff -r from back
}

@test "list and sync name what has no key, and exit 1; all others are listed and copied" {
	local name
	start_s3
	for name in p/a 'p/a%2F%2Fb' 'p/t%09b' 'p/z'; do s3 "_raw/bucket/${name//\//%2F}"; done
	run -1 --separate-stderr lh-store list $B
	[ "$(jq -r .key <<<"$output" | xargs)" = 'a z' ]
	[[ $stderr == *'"a//b" is not a key: a part is empty'* ]]
	[[ $stderr == *'"t'*'b" is not a key: it holds a NUL, CR, LF or TAB'* && $stderr != *$'\t'* ]]
	run -1 --separate-stderr lh-store sync $B copy
	alike <(ls copy) <(printf '%s\n' a z)
	[[ $stderr == *'"a//b" is not a key'* ]]
	printf x >copy/$'t\tb'
	printf x >copy/$'\xff'
	run -1 --separate-stderr lh-store list copy
	[ "$(jq -r .key <<<"$output" | xargs)" = 'a z' ]
	[[ $stderr == *'TAB'* && $stderr == *'UTF-8'* ]]
	run -0 --separate-stderr lh-store list copy z
	[ -z "$stderr" ]
}

@test "sync goes on after a key that TO cannot have, and exits 1" {
	mkdir -p from to/m
	printf x | tee from/a from/z >from/m
	echo y >to/m/below
	run -1 --separate-stderr lh-store sync from to
	[ "$(jq -r .key <<<"$output" | xargs)" = 'a z' ]
	[[ $stderr == *'409: "m": there are objects whose keys begin with it'* ]]
	cmp from/z to/z
	start_s3
	lh-store put $B "$(stretch 300 k)" from/a >out
	lh-store put $B z from/a >out
	run -1 --separate-stderr lh-store sync $B copy
	[[ $stderr == *'a part of the key is longer than 255 bytes'* ]]
	[ "$(ls copy)" = z ]
}

@test "the keys of S3 come from a file that others may not read" {
	start_s3
	printf '[other]\naws_access_key_id = x\naws_secret_access_key = another\n\n[default]\n# keys\naws_access_key_id = %s\r\naws_secret_access_key=%s\n' \
		"$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >keys
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	chmod 644 keys
	run -2 lh-store list --key-file keys $B
	[[ $output == *"make it 0600" ]]
	chmod 600 keys
	run -0 lh-store list --key-file keys $B
	LH_S3_KEY_FILE=keys run -0 lh-store list $B
	AWS_PROFILE=other run -2 lh-store list --key-file keys $B
	[[ $output == *InvalidAccessKeyId* ]]
	AWS_PROFILE=none run -2 lh-store list --key-file keys $B
	[[ $output == *"in [none]" ]]
}

# bats test_tags=full
@test "an object is sent and received in constant memory" {
	plain_only "memory limits"
	start_s3
	head -c 67108864 /dev/zero >large
	prlimit --data=25165824 lh-store put --part-size 16M $B a large >out
	cat large | prlimit --data=25165824 lh-store put --part-size 16M $B b >out
	prlimit --data=25165824 lh-store get $B a | cmp - large
	prlimit --data=25165824 lh-store get $B b got
	cmp got large
}

@test "no request is made for a wrong command line" {
	run -2 lh-store list s3://B
	run -2 lh-store list 's3://bu ck/x'
	run -2 lh-store list s3://bucket/../x
	LH_S3_ENDPOINT=ftp://h run -2 lh-store list $B
	[[ $output == *LH_S3_ENDPOINT* ]]
	LH_S3_ENDPOINT=http://me:secret@h run -2 lh-store list $B
	[[ $output != *secret* ]]
	AWS_REGION='a/b' run -2 lh-store list $B
	run -2 lh-store get d
	run -2 lh-store sync d
	run -2 lh-store head d a b
	run -2 lh-store put --part-size 1M d a
	run -2 lh-store list -
}
