# lh-serve: who may send what.  The tokens, the addresses and the files of tokens.
load ../helper
load ../servers/serve

teardown() {
	stop_serves
	unset LH_SERVE_TOKEN LH_SUBJECT_AUDIT_KEY
	faults_happened
}

# config [MEMBER]... - the file config: an echo, a route with a token of its own, one of the audit
config() {
	local members
	[ -e own ] || token own
	members=$(printf '%s,' "$@")
	echo "{${members#,}\"mount\":\"/go\",\"state\":\"s\",\"routes\":[$(filter_route 'POST /echo'),
		$(filter_route 'POST /own' '"token_file":"own"'),$(filter_route 'GET /v1/audit/subject/{id}')]}" >config
}

# tokens and addresses of the table
tokens=('' '"token_file":["primary"]' '"token_file":["primary","second"]'
	'"token_file":["primary"],"legal_token_file":"legal"' '"legal_token_file":"legal"')
networks=('' '"allow":["127.0.0.0/8"]' '"allow":["127.0.0.2"]' '"allow":["10.0.0.0/8","::1"]'
	'"allow":["0.0.0.0/0"]' '"allow":["::/0"]' '"allow":["::ffff:127.0.0.2"]' '"allow":["::ffff:127.0.0.0/104"]')

has_v6() {
	python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null
}

# all_of_the_table - one server, which reads the configuration anew for each row; in make check
# for a sixth of them, other ones with each commit
all_of_the_table() {
	local t n port6= rows=0
	for name in primary second legal; do token "$name"; done
	config
	if has_v6; then
		start_serve --listen '[::1]:0' --config config
		port6=$(sed -n 's/.*listening on http:..\[::1\]://p' err)
	else
		start_serve --config config
	fi
	while read -r t n; do
		config "${tokens[t]}" "${networks[n]}"
		sed -i 's/{,*/{/; s/,,*/,/g' config
		hang_up
		python3 -B "$ROOT/tests/oracle/access.py" "$PORT" $port6 <config >table
		grep -q ' tried, 0 wrong' table || { cat config; head -20 table; return 1; }
		[ "$(sed -n 's/ tried.*//p' table)" -gt 300 ]
		rows=$((rows + 1))
	done < <(printf '%s\n' {0..4}' '{0..7} | drawn 7)
	[ "$rows" = "$(scale 7 40 40)" ]
	run ! grep -E 'not changed' err
	run ! grep -E 'primary-|second-|legal-|own-|wrong-' access err
}

# bats test_tags=plain-only
@test "every token from every address on every route: the truth table" {
	all_of_the_table
}

@test "the truth table with a token in the environment" {
	export LH_SERVE_TOKEN=environment-0123456789
	tokens=('' '"token_file":["primary"]') networks=('' '"allow":["127.0.0.2"]')
	for name in primary second legal; do token "$name"; done
	config
	start_serve --config config
	for t in "${tokens[@]}"; do
		for n in "${networks[@]}"; do
			config "$t" "$n"
			sed -i 's/{,*/{/; s/,,*/,/g' config
			hang_up
			python3 -B "$ROOT/tests/oracle/access.py" "$PORT" <config >table
			grep -q ' tried, 0 wrong' table || { cat config; head -20 table; return 1; }
		done
	done
	run ! grep -a environment-0123456789 "/proc/$SERVE/environ" access err
	[ "$(jq -r 'select(.token == "environment").route' access | sort -u | wc -l)" -gt 3 ]
	# no filter inherits it
	[ "$(post /echo '{"do":"env"}' -H "Authorization: Bearer $LH_SERVE_TOKEN" -H 'X-Forwarded-For: 127.0.0.2' --interface 127.0.0.2 |
		jq '.env | has("PATH"), has("LH_SERVE_TOKEN")' | xargs)" = 'true false' ]
}

@test "a filter that is not of the family inherits no key and no other variable that its route does not name" {
	export KIMI_API_KEY=k LH_OPENAI_API_KEY=o LH_KEYS_FILE=f LH_SUBJECT_AUDIT_KEY=$PWD/own LH_OLLAMA_URL=http://u:p@h DATABASE_PASSWORD=d \
		OTHER=x LH_NOW=2026-05-03T12:00:00Z LC_TIME=C
	token own
	seen() {
		post "$1" '{}' | jq -r '.env[]' | grep -v '^_$\|^PWD$\|^OLDPWD$\|^SHLVL$' | LC_ALL=C sort | xargs
	}
	jq -nc '["sh", "-c", "while read -r line; do env | jq -Rnc \"{env: [inputs | split(\\\"=\\\")[0]]}\"; done"] as $run |
		{state: "s", audit_required: false, routes: [{route: "POST /none", run: $run}, {route: "POST /some", run: $run, env: ["KIMI_API_KEY", "OTHER", "ABSENT"]}]}' >config
	start_serve --config config
	env | grep '^\(PATH\|HOME\|XDG_CACHE_HOME\|USER\|LOGNAME\|SHELL\|TERM\|TMPDIR\|TZ\|LANG\|LANGUAGE\|L[CH]_[A-Z_]*\)=' | sed 's/=.*//' |
		grep -v 'LH_OPENAI_API_KEY\|LH_KEYS_FILE\|LH_SUBJECT_AUDIT_KEY\|LH_OLLAMA_URL' | LC_ALL=C sort | xargs >want
	seen /none | diff want -
	has -w LH_NOW <want
	[ "$(seen /some)" = "$( (seen /none | tr ' ' '\n'; echo KIMI_API_KEY; echo OTHER) | LC_ALL=C sort | xargs)" ]
	# what a route names is part of the configuration that is printed
	lh-serve --config config --print-config >printed
	[ "$(jq -c '.routes[] | select(.route == "POST /some").env' printed)" = '["KIMI_API_KEY","OTHER","ABSENT"]' ]
	lh-serve --config printed --print-config | cmp - printed
	for name in LH_SERVE_TOKEN A=b; do
		echo "{\"routes\":[$(filter_route 'POST /x' "\"env\":[\"$name\"]")]}" >bad
		run -2 lh-serve --config bad --check
		[ "$output" = "lh-serve: bad:1: route \"POST /x\": \"env\": no filter inherits $name" ]
	done
}

@test "an address is refused before a token is looked at, and a token before the route" {
	token primary
	config '"token_file":["primary"]' '"allow":["127.0.0.2"]'
	start_serve --config config
	[ "$(status /nowhere)" = 403 ]
	[ "$(status /nowhere --interface 127.0.0.2)" = 401 ]
	[ "$(status /nowhere --interface 127.0.0.2 -H 'Authorization: Bearer primary-0123456789abcdef')" = 404 ]
	[ "$(status '/health?deep=1')" = 403 ]
	curl -s --interface 127.0.0.2 -D head -o /dev/null "$URL/metrics"
	grep -qi '^www-authenticate: Bearer' head
	# the header of a proxy, whatever it says, is nobody's address
	[ "$(status '/health?deep=1' -H 'X-Forwarded-For: 127.0.0.2' -H 'Forwarded: for=127.0.0.2' -H 'X-Real-IP: 127.0.0.2')" = 403 ]
	until_so has_lines access 6
	[ "$(jq -r .remote access | sort -u | xargs)" = '127.0.0.1 127.0.0.2' ]
}

@test "the log has the label of a token, and the second one is good until it is removed" {
	token primary
	token second
	config '"token_file":["primary","second"]'
	start_serve --config config
	[ "$(status /metrics -H 'Authorization: Bearer second-0123456789abcdef')" = 200 ]
	[ "$(status /metrics -H 'Authorization: Bearer primary-0123456789abcdef')" = 200 ]
	until_so has_lines access 2
	[ "$(jq -r .token access | xargs)" = 'token 2 token 1' ]
	config '"token_file":["primary"]'
	hang_up
	[ "$(status /metrics -H 'Authorization: Bearer second-0123456789abcdef')" = 401 ]
	token primary other-0123456789abcdef
	[ "$(status /metrics -H 'Authorization: Bearer primary-0123456789abcdef')" = 200 ]
	hang_up
	[ "$(status /metrics -H 'Authorization: Bearer primary-0123456789abcdef')" = 401 ]
	[ "$(status /metrics -H 'Authorization: Bearer other-0123456789abcdef')" = 200 ]
}

@test "a client whose IPv4 address comes as IPv6 is the IPv4 one" {
	has_v6 || skip "no IPv6 here"
	token primary
	cat >parent.py <<-'END'
		import os, socket, sys
		s = socket.socket(socket.AF_INET6)
		s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
		s.bind(("::", 0))
		s.listen(100)
		print(s.getsockname()[1], flush=True)
		os.dup2(s.fileno(), 3)
		os.set_inheritable(3, True)
		os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
		os.dup2(os.open("access", os.O_WRONLY | os.O_CREAT, 0o600), 1)
		os.execvp("lh-serve", ["lh-serve", *sys.argv[1:]])
	END
	python3 -B parent.py --state s --token-file primary --allow 127.0.0.0/8 >port 2>err &
	SERVES+=($!)
	until_so grep -q 'listening on' err
	URL=http://127.0.0.1:$(cat port)
	[ "$(status /metrics)" = 401 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://[::1]:$(cat port)/metrics")" = 403 ]
	until_so has_lines access 2
	[ "$(jq -r .remote access | xargs)" = '127.0.0.1 ::1' ]
}

@test "a port alone gets its address in the message, and a state that is new is said to be so" {
	for given in 3110 :3110; do
		run -2 lh-serve --state s --listen $given
		[ "$output" = "lh-serve: --listen $given: expected ADDRESS:PORT, such as 127.0.0.1:3110" ]
	done
	run -0 lh-serve --state typed-wrongly --check
	[ "$output" = "lh-serve: typed-wrongly is new: no index in it" ]
	mkdir typed-rightly
	run -0 lh-serve --state typed-rightly --check
	[ -z "$output" ]
}

@test "an entry of --allow that is no network is exit 2, and is named" {
	for bad in '' 10 10.0.0 10.0.0.0/33 10.0.0.0/-1 10.0.0.0/ 10.0.0.0/8/8 10.0.0.1/8 ::1/129 /8 '::/0 ' localhost 010.0.0.1 \
		256.0.0.1 10.0.0.0/+8 10.0.0.0/008 fe80::1%lo '[::1]' 10.0.0.0:80; do
		run --separate-stderr lh-serve --state s --check --allow 127.0.0.1 --allow "$bad"
		[ "$status" = 2 ] || { echo "\"$bad\": $status"; return 1; }
		[ -z "$output" ]
		[[ $stderr == *"--allow"*"\"$bad\" is not a network"* ]] || { echo "$bad: $stderr"; return 1; }
		jq -nc --arg bad "$bad" '{allow:["127.0.0.1",$bad],state:"s"}' >config
		run -2 lh-serve --config config --check
	done
	for good in 10.0.0.0/8 10.1.2.3 0.0.0.0/0 ::/0 ::1 2001:db8::/32 ::ffff:10.0.0.0/104; do
		run -0 lh-serve --state s --check --allow "$good"
	done
}

@test "a file of a token is a file of mode 0600 or 0400 with 16 to 256 visible characters" {
	# refused WHAT: neither its text nor a part of it is in the message
	refused() {
		run -2 --separate-stderr lh-serve --state s --check --token-file "$1"
		[ -z "$output" ]
		[[ $stderr == "lh-serve: "*"$1"* ]] || { echo "$1: $stderr"; return 1; }
		[[ $stderr != *canary* ]] || { echo "$1: $stderr"; return 1; }
		run -2 lh-serve --state s --check --legal-token-file "$1"
		[[ $output != *canary* ]]
	}
	accepted() {
		run -0 lh-serve --state s --check --token-file "$1"
		[ "$output" = "lh-serve: s is new: no index in it" ]
	}
	umask 077
	echo canary-0123456789 >good
	accepted good
	chmod 0400 good
	accepted good
	for mode in 0644 0640 0604 0660 0700 0500 0200 0000 1600 4600; do
		chmod "$mode" good
		refused good
	done
	chmod 0600 good
	ln -s good link
	refused link
	mkdir folder
	refused folder
	mkfifo fifo
	refused fifo
	refused missing
	ln -s /dev/null null
	refused null
	while IFS='|' read -r verdict text; do
		printf "$text" >text
		echo "$text"
		$verdict text
	done <<-END
	refused|
	refused|\n
	accepted|canary-0123456789
	refused|canary-0123456789\n\n
	refused|canary-0123456789\r\n
	refused| canary-0123456789\n
	refused|canary 0123456789\n
	refused|canary-0123456789\t\n
	refused|canary-0123456789\0\n
	refused|canary-\303\274ber-0123456789\n
	refused|canary-01234567\n
	accepted|canary-012345678\n
	accepted|canary$(stretch 250 x)\n
	refused|canary$(stretch 251 x)\n
	refused|canary$(stretch 100000 x)\n
	refused|canary-0123456789\ncanary-0123456788\n
	END
	LH_SERVE_TOKEN=canary-short run -2 --separate-stderr lh-serve --state s --check
	[[ $stderr == *LH_SERVE_TOKEN* && $stderr != *canary* ]]
}

@test "without a token it does not leave loopback, and says what would let it" {
	for address in 0.0.0.0:0 '[::]:0' 192.0.2.1:0; do
		for how in --check --quiet; do
			run -2 --separate-stderr patiently lh-serve --state s "$how" --listen 127.0.0.1:0 --listen "$address"
			[[ $stderr == *"--listen $address: "*"--token-file FILE lets it"* ]] || { echo "$stderr"; return 1; }
		done
	done
	# an allowed address is no token
	run -2 patiently lh-serve --state s --listen 0.0.0.0:0 --allow 127.0.0.1
	# nor is the token of the audit
	token legal
	run -2 patiently lh-serve --state s --listen 0.0.0.0:0 --legal-token-file legal
	token primary
	run -0 lh-serve --state s --listen 0.0.0.0:0 --token-file primary --check
	LH_SERVE_TOKEN=environment-0123456789 run -0 lh-serve --state s --listen 0.0.0.0:0 --check
	for address in 127.0.0.1:0 127.9.9.9:0 '[::1]:0' localhost:0; do
		run -0 lh-serve --state s --listen "$address" --check
	done
}

@test "a listener that left loopback with its token does not lose it by SIGHUP" {
	token primary
	config '"listen":["0.0.0.0:0"]' '"token_file":["primary"]'
	serve_with --config config
	URL=http://127.0.0.1:$(sed -n 's/.*listening on .*://p' err)
	config '"listen":["127.0.0.1:0"]'
	hang_up
	grep -q 'configuration not changed: .*--token-file FILE lets it' err
	[ "$(status /metrics)" = 401 ]
	config '"listen":["0.0.0.0:0"]'
	hang_up
	[ "$(status /metrics)" = 401 ]
}

@test "a route of the audit that is configured anew still wants the token of the audit" {
	token primary
	token legal
	config
	start_serve --config config
	[ "$(post /nowhere)" = '{"error":"there is no such route"}' ]
	[ "$(curl -s "$URL/v1/audit/subject/x")" = '{"error":"no legal token file is configured; --legal-token-file turns this on"}' ]
	config '"legal_token_file":"legal"'
	hang_up
	[ "$(status /v1/audit/subject/x)" = 401 ]
	[ "$(status /v1/audit/subject/x -H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef')" = 200 ]
	# a token of its own is instead of that
	sed -i 's|"route":"GET /v1/audit/subject/{id}"|&,"token_file":"own"|' config
	token own
	hang_up
	[ "$(status /v1/audit/subject/x -H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef')" = 401 ]
	[ "$(status /v1/audit/subject/x -H 'X-Lakehouse-Legal-Token: own-0123456789abcdef')" = 200 ]
}

@test "a server without a token says to whom it is open; one with a token does not" {
	start_serve --state s
	[ "$(grep -c 'no token is required: open to all programs of this machine, and to all clients of any proxy here' err)" = 1 ]
	LH_SERVE_TOKEN=sixteen-bytes-or-more start_serve --state s
	not grep 'no token' err
}

@test "the state is for its user alone, whatever the umask and the modes that it had" {
	mkdir -p s/index s/log
	chmod 755 s/index s/log
	(umask 000; exec lh-serve --state s --listen 127.0.0.1:0 >access 2>err 3>&-) &
	SERVES+=($!)
	until_so grep -q 'listening on' err
	URL=$(sed -n 's/.*listening on //p' err)
	[ "$(status /v1/storage/object/a/b -T err)" = 200 ]
	[ "$(status /v1/vectors/index --json '{"name":"n","dimension":2}')" = 201 ] || [ -e s/index/n.lhv ]
	[ "$(status /v1/catalog/register --json '{"name":"w","schema_fingerprint":"f"}')" = 200 ]
	[ "$(status /v1/observer/event --json '{"endpoint":"e"}')" = 200 ]
	[ "$(find s -mindepth 1 -type d -not -perm 700)" = "" ]
	[ "$(find s -type f -not -perm 600)" = "" ]
	[ "$(find s -type f | wc -l)" -ge 4 ]
}
