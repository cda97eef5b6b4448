# lh-serve: logs that strangers check.
load ../helper
load ../servers/serve

teardown() {
	stop_serves
	faults_happened
}

# sample SIZE [NAME] - a log of that many entries in the state s
sample() {
	python3 -B "$ROOT/tests/oracle/tlog.py" make "s/tlog/${2:-demo}" example.com/demo "$1"
}

# configure MEMBER... - the file config
configure() {
	(umask 077 && printf '{"state":"s"%s}\n' "$(printf ',%s' "$@")" >config)
}

# asked WORD... - every path of the log demo, and paths near them
asked() {
	python3 -B "$ROOT/tests/oracle/tlog.py" ask "$URL/tlog/demo" s/tlog/demo "$@" >said || return 1
	grep ', 0 wrong$' said || { tail -20 said; return 1; }
}

# left NAME BYTES - what a writer that was killed has left beyond the tree of the checkpoint
left() {
	mkdir -p "$(dirname "s/tlog/demo/tile/$1")"
	head -c "$2" /dev/zero >"s/tlog/demo/tile/$1"
}

# grow SIZE - a checkpoint of that size
grow() {
	sed -i "2s/.*/$1/" s/tlog/demo/checkpoint
}

# bats test_tags=full
@test "the checkpoint and the tiles of a log are served as tlog-tiles says, and nothing else of its folder" {
	sample 70000
	# those of a tree of 70,000 that tlog-tiles counts
	[ "$(find s/tlog/demo/tile/0 s/tlog/demo/tile/1 s/tlog/demo/tile/2 -type f ! -name notes | wc -l)" = $((273 + 1 + 1 + 1 + 1)) ]
	left 0/273 8192
	left 0/273.p/113 $((113 * 32))
	left 1/001.p/18 $((18 * 32))
	left 2/000.p/2 64
	left 3/000.p/1 32
	left entries/273.p/113 $((113 * 2))
	left entries/900 512
	configure '"tlog":{"demo":{}}'
	start_serve --config config
	asked
	configure '"tlog":{"demo":{"public":true,"entries":true}}'
	hang_up
	asked public entries
	# once the tree has them they are served
	[ "$(status /tlog/demo/tile/0/273)" = 404 ]
	grow $((274 * 256))
	[ "$(status /tlog/demo/tile/0/273)" = 200 ]
	# without a checkpoint there is no tree
	grow none
	[ "$(curl -sS "$URL/tlog/demo/tile/0/000")" = '{"error":"the file is damaged"}' ]
	rm s/tlog/demo/checkpoint
	[ "$(status /tlog/demo/tile/0/000)" = 404 ]
}

@test "below a mount they are the same" {
	sample 300
	configure '"tlog":{"demo":{"entries":true}}' '"mount":"/go/a"'
	start_serve --config config
	URL=$URL/go/a asked entries
}

@test "a token is needed unless the log is public; entries are served only where the configuration says so" {
	local log bearer want got
	sample 300 open
	sample 300 full
	sample 300 shut
	token primary
	configure '"token_file":["primary"]' '"tlog":{"open":{"public":true},"full":{"public":true,"entries":true},"shut":{"entries":true}}'
	start_serve --config config
	while read -r log bearer want; do
		[ "$bearer" = - ] || bearer="Authorization: Bearer $bearer-0123456789abcdef"
		got=$(for path in checkpoint tile/0/000 tile/entries/000 lock; do status "/tlog/$log/$path" -H "${bearer/#-/X: y}"; echo; done | xargs)
		[ "$got" = "$want" ] || { echo "$log $bearer: $got"; return 1; }
	done <<-'END'
	open - 200 200 404 401
	open wrong 200 200 404 401
	open primary 200 200 404 404
	full - 200 200 200 401
	shut - 401 401 401 401
	shut wrong 401 401 401 401
	shut primary 200 200 200 404
	none - 401 401 401 401
	none primary 404 404 404 404
	OPEN - 401 401 401 401
	op%65n - 401 401 401 401
	op%65n primary 404 404 404 404
	END
	# what is public is so by any name and through any proxy, but not from any address
	[ "$(status /tlog/open/checkpoint -H 'Host: log.example' -H 'X-Forwarded-For: 1.2.3.4')" = 200 ]
	# a page needs --allow-origin, as on every route
	[ "$(status /tlog/open/checkpoint -H 'Origin: https://page.example')" = 403 ]
	# /openapi.json says that a token may be needed, and where none is
	curl -sS -H 'Authorization: Bearer primary-0123456789abcdef' "$URL/openapi.json" >document
	[ "$(jq -c '[.paths | to_entries[] | select(.key | startswith("/tlog")).value.get | [.security, .responses["200"].content]]' document)" = \
		'[[[{},{"bearer":[]}],{"text/plain":{}}],[[{},{"bearer":[]}],{"application/octet-stream":{}}]]' ]
	configure '"token_file":["primary"]' '"tlog":{"open":{"public":true}}' '"allow":["10.0.0.0/8"]'
	hang_up
	[ "$(status /tlog/open/checkpoint)" = 403 ]
}

@test "no symbolic link is followed, and no file of a wrong kind or size is sent" {
	sample 300
	grow 2000
	cd s/tlog/demo
	cp -r . ../../../outside
	ln -sf ../../../../../outside/tile/0/000 tile/0/000
	ln -s ../../../../outside/tile/1 tile/2
	mv tile/1/000.p/1 other && ln -s ../../../other tile/1/000.p/1
	mkfifo tile/0/001
	mkdir tile/0/002
	head -c 8191 /dev/zero >tile/0/003
	head -c 8193 /dev/zero >tile/0/004
	: >tile/0/005
	head -c 1 /dev/zero >tile/entries/006
	ln -s demo ../linked
	cd ../../..
	configure '"tlog":{"demo":{"entries":true},"linked":{}}'
	start_serve --config config
	for path in tile/0/000 tile/2/000.p/1 tile/1/000.p/1 tile/0/001 tile/0/002; do
		[ "$(status "/tlog/demo/$path")" = 404 ] || { echo "$path"; return 1; }
	done
	for path in tile/0/003 tile/0/004 tile/0/005 tile/entries/006; do
		[ "$(curl -sS "$URL/tlog/demo/$path")" = '{"error":"the file is damaged"}' ]
	done
	[ "$(status /tlog/linked/checkpoint)" = 404 ]
	head -c 1048577 /dev/zero >s/tlog/demo/checkpoint
	[ "$(status /tlog/demo/checkpoint)" = 500 ]
}

# bats test_tags=full
@test "bundles of the largest entries are sent whole, also to many at one time" {
	sample 1
	python3 -c 'open("s/tlog/demo/tile/entries/001", "wb").write(b"\xff" * (256 * 65537))'
	grow 512
	configure '"tlog":{"demo":{"public":true,"entries":true}}'
	start_serve --config config
	for i in {1..20}; do
		curl -sS "$URL/tlog/demo/tile/entries/001" >"got.$i" &
	done
	wait $(jobs -p | grep -v "^$SERVE$")
	for i in {1..20}; do
		cmp "got.$i" s/tlog/demo/tile/entries/001
	done
}

@test "what is not configured is off, and what is printed can be read again" {
	token key
	touch policy
	start_serve --state s
	for path in tlog/demo/checkpoint tlog/demo/tile/0/000; do
		[[ $(curl -sS "$URL/$path") == '{"error":"no '*' is configured; '*' of --config turns it on"}' ]]
	done
	for part in '"tlog":{}' '"tlog":{"a":{},"b.c-D_9":{"public":true}}' '"tlog":{"a":{"entries":true}}'; do
		configure "$part"
		lh-serve --config config --print-config >printed
		chmod 600 printed
		lh-serve --config printed --print-config | cmp - printed
	done
	[ "$(jq -c '[.tlog]' printed)" = '[{"a":{"public":false,"entries":true}}]' ]
}

@test "a configuration that cannot be meant is refused" {
	local want
	touch key policy
	while IFS='|' read -r part want; do
		configure "$part"
		run -2 lh-serve --config config --check
		[[ $output == "lh-serve: "*"$want"* ]] || { echo "$part: $output"; return 1; }
	done <<-'END'
	"tlog":{"a/b":{}}|"tlog": a name has 1 to 128 of
	"tlog":{"..":{}}|"tlog": a name has 1 to 128 of
	"tlog":{"":{}}|"tlog": a name has 1 to 128 of
	"tlog":{"a\u0000":{}}|"tlog": a name has 1 to 128 of
	"tlog":{"a":true}|"tlog": a: must be an object
	"tlog":{"a":{"open":true}}|"tlog": a: unknown member "open"
	"tlog":["a"]|"tlog" must be an object
	END
}
