# share/examples, share/systemd: stacks by prefix, units, and proxies in front of lh-serve.
# bats file_tags=full
load ../helper

EXAMPLES=$ROOT/share/examples
STACK=$EXAMPLES/lh-stack

teardown() {
	for prefix in a b c; do
		[ ! -d "$prefix" ] || "$STACK" stop "$prefix" >/dev/null || true
	done
	[ ! -e nginx.pid ] || kill "$(cat nginx.pid)" 2>/dev/null || true
}

# stack ARGUMENT... - lh-stack, which must not keep the descriptors of bats.
stack() { "$STACK" "$@" 3>&-; }
health() { curl -sS -m "$LH_PATIENCE" "$(cat "$1/run/url")/health"; }

@test "two stacks run side by side, and killing one leaves the other" {
	# a port that nobody gets while it is down
	stack start a --listen "127.0.0.1:$(free_port)"
	stack start b
	[ "$(cat a/run/url)" != "$(cat b/run/url)" ]
	curl -sS --json '{"name":"x","dimension":2}' "$(cat a/run/url)/v1/vectors/index"
	[ -e a/state/index/x.lhv ]
	[ "$(curl -sS "$(cat b/run/url)/v1/vectors/index")" = '{"indexes":[],"count":0}' ]
	kill -9 "$(cat a/run/pid)"
	until_so bash -c "! '$STACK' status a"
	[ "$(health b)" = '{"status":"ok","service":"gateway"}' ]
	stack status b
	# the next start takes the same port, and has the state
	url=$(cat a/run/url)
	stack start a
	[ "$(cat a/run/url)" = "$url" ]
	[ "$(curl -sS "$url/v1/vectors/index" | jq .count)" = 1 ]
	until_so has_lines a/log/access.jsonl 2
}

@test "a stack is started once, ends when it is told to, and leaves private files" {
	stack start a
	run -2 stack start a
	[[ $output == *"it runs already"* ]]
	[ "$(stat -c %a a a/run a/log a/state | sort -u)" = 700 ]
	stack stop a
	run -1 stack status a
	run -7 curl -sS -m "$LH_PATIENCE" "$(cat a/run/url)/health"
	stack stop a
}

@test "a number that a dead stack left behind is not taken for its process" {
	stack start a
	kill -9 "$(cat a/run/pid)"
	until_so bash -c "! '$STACK' status a"
	sleep 1000 3>&- &
	other=$!
	echo $other >a/run/pid
	stack stop a
	kill -0 $other
	kill $other
}

@test "the lock of a stack is its server's alone: a filter that hangs does not keep it" {
	mkdir a
	cat >config <<-END
		{"routes":[{"route":"POST /hang","timeout_s":600,"run":["python3","-B","$ROOT/tests/servers/filter.py","--log","$PWD/seen"]}]}
	END
	stack start a --config "$PWD/config" --listen "127.0.0.1:$(free_port)"
	curl -sS -m "$LH_PATIENCE" --json '{"do":"hang"}' "$(cat a/run/url)/hang" >/dev/null 2>&1 3>&- &
	until_so has_lines seen 1
	filter=$(pgrep -P "$(cat a/run/pid)" -f filter.py)
	kill -9 "$(cat a/run/pid)"
	until_so bash -c "! '$STACK' status a"
	kill -0 "$filter"
	sleep 1000 3>&- &
	other=$!
	echo $other >a/run/pid
	stack stop a
	stack start a
	[ "$(health a)" = '{"status":"ok","service":"gateway"}' ]
	stack stop a
	kill -0 $other
	kill -9 $other "$filter"
}

@test "a stack answers what is in flight before it stops, and stops but one of two" {
	mkdir a
	cat >config <<-END
		{"routes":[{"route":"POST /wait","run":["python3","-B","$ROOT/tests/servers/filter.py","--log","$PWD/seen"]}]}
	END
	stack start a --config "$PWD/config"
	stack start b
	curl -sS -m "$LH_PATIENCE" --json "{\"id\":1,\"wait\":\"$PWD/go\"}" "$(cat a/run/url)/wait" >out 3>&- &
	client=$!
	until_so has_lines seen 1
	stack stop a 3>&- &
	until_so grep -q 'ending; 1 request' a/log/messages
	touch go
	wait $client $!
	[ "$(jq .answer out)" = 1 ]
	run -1 stack status a
	stack status b
}

@test "a stack that cannot start says why" {
	run -2 stack start a --config missing.json
	[[ $output == *"missing.json"* && $output == *"it did not start"* ]]
	run -1 stack status a
	run -2 stack fly a
}

@test "the units are valid, and name options that exist" {
	command -v systemd-analyze >/dev/null || skip "systemd is not installed"
	cp "$ROOT"/share/systemd/lh-serve.s* .
	sed -i 's,^ExecStart=[^ ]*,ExecStart=/bin/true,' lh-serve.service
	systemd-analyze --man=no verify ./lh-serve.service ./lh-serve.socket 2>err || { cat err; return 1; }
	not grep lh-serve err
	# systemd would send SIGTERM to the filters, too
	grep -qx KillMode=mixed lh-serve.service
	options=$(sed -n 's,^ExecStart=[^ ]* ,,p' "$ROOT/share/systemd/lh-serve.service" | sed "s,/etc/lakehouse-tools/,$ROOT/share/etc/,")
	[[ $options == *serve.json ]]
	# it requires the token that the unit makes where there is none
	unit=$(sed -n 's,^ExecStartPre=,,p' lh-serve.service | head -n 1)
	[ "$(jq -r '.token_file[]' "$ROOT/share/etc/serve.json")" = "${unit##* }" ]
	sed "s,/var/lib/lakehouse,$PWD,g" "$ROOT/share/etc/serve.json" >serve.json
	unit=$(sed "s,/var/lib/lakehouse,$PWD,; s,[$][$],$,g" <<<"$unit")
	(umask 077 && eval "$unit")
	[ "$(stat -c %a serve.token)" = 600 ]
	cp serve.token first
	eval "$unit"
	cmp first serve.token
	options=${options/"$ROOT/share/etc"/"$PWD"}
	# and rows of who looked, by a key that is made where there are no logs
	run -2 lh-serve $options --check
	[[ $output == *'--audit-required: no key'* ]]
	unit=$(sed -n 's,^ExecStartPre=,,p' lh-serve.service | tail -n 1)
	LH_SUBJECT_AUDIT_KEY=$(sed -n 's,^Environment=LH_SUBJECT_AUDIT_KEY=,,p' lh-serve.service)
	[ "$LH_SUBJECT_AUDIT_KEY" = "${unit##* }" ]
	export LH_SUBJECT_AUDIT_KEY=$PWD/subject-audit.key
	unit=$(sed "s,/var/lib/lakehouse,$PWD,g; s,[$][$],$,g" <<<"$unit")
	(umask 077 && eval "$unit")
	lh-serve $options --check
	rm "$LH_SUBJECT_AUDIT_KEY"
	mkdir -p data/_catalog/subjects
	eval "$unit"
	[ ! -e "$LH_SUBJECT_AUDIT_KEY" ]
}

@test "every unit but the one that mails is confined: its exposure is at most 3, and none needs procps" {
	command -v systemd-analyze >/dev/null || skip "systemd is not installed"
	for unit in "$ROOT"/share/systemd/lh-*.service; do
		run -0 systemd-analyze security --offline=true --threshold=30 --no-pager "$unit"
		for name in CapabilityBoundingSet SystemCallFilter RestrictAddressFamilies RestrictNamespaces LockPersonality ProtectKernelModules; do
			grep -q "^$name=" "$unit"
		done
		not grep -E '^Exec.*=([^ ]*/)?(kill|pkill|ps) ' "$unit"
	done
	grep -q '^# .*root' "$ROOT/share/systemd/lakehouse-mail@.service"
}

# start_nginx PREFIX - in front of a stack: ask is curl, url the address
start_nginx() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lakehouse.example.com -keyout key.pem -out cert.pem 2>/dev/null
	mkdir -p body proxy
	# the port is free only until somebody else takes it
	until_so nginx_at_free_port "$1"
	ask() { curl -sS --http2 --cacert cert.pem --resolve "lakehouse.example.com:$port:127.0.0.1" -H "Authorization: Bearer $(cat token)" "$@"; }
	url=https://lakehouse.example.com:$port
}

nginx_at_free_port() {
	port=$(free_port)
	sed "s,127.0.0.1:3110,$(sed 's,http://,,' "$1/run/url"),; s,listen 443,listen 127.0.0.1:$port,; s,/etc/ssl/lakehouse.pem,$PWD/cert.pem,; s,/etc/ssl/private/lakehouse.key,$PWD/key.pem," "$EXAMPLES/lh-serve.nginx" >site
	cat >nginx.conf <<-END
		user $(id -un);
		pid $PWD/nginx.pid;
		error_log $PWD/nginx.err;
		events {}
		http {
			access_log off;
			client_body_temp_path $PWD/body;
			proxy_temp_path $PWD/proxy;
			fastcgi_temp_path $PWD/body; uwsgi_temp_path $PWD/body; scgi_temp_path $PWD/body;
			include $PWD/site;
		}
	END
	nginx -c "$PWD/nginx.conf" -e "$PWD/nginx.err" 3>&- && until_so test -s nginx.pid
}

@test "nginx in front gives TLS and HTTP/2, and passes on answers and ids" {
	command -v nginx >/dev/null || skip "nginx is not installed"
	(umask 077 && echo 0123456789abcdef >token)
	stack start a --token-file "$PWD/token" --trusted-proxy 127.0.0.1
	start_nginx a
	[ "$(ask -o out -w '%{http_version} %{http_code}' --json '{"texts":["a"]}' "$url/v1/embed")" = '2 200' ]
	[ "$(jq .dimension out)" = 768 ]
	printf '{"texts":["a"]}\n{"texts":[]}\n{"texts":["b"]}\n' >lines
	ask -H 'content-type: application/x-ndjson' --data-binary @lines "$url/v1/embed" | jq -c 'keys' >out
	alike out <(printf '%s\n' '["dimension","model","vectors"]' '["code","error"]' '["dimension","model","vectors"]')
	# the id of the proxy is that of the access log
	id=$(ask -o /dev/null -D - "$url/health" | tr -d '\r' | sed -n 's/^x-request-id: //p')
	until_so grep -q "\"request_id\":\"$id\"" a/log/access.jsonl
	# many streams of few connections
	h2load -n 1000 -c 4 -m 10 --connect-to="127.0.0.1:$port" "$url/health" >out
	grep -q '1000 succeeded, 0 failed' out
	grep -q 'status codes: 1000 2xx' out
	head -c 4300000 /dev/zero | tr '\0' a >big
	[ "$(ask -o /dev/null -w '%{http_code}' -H 'content-type: application/json' --data-binary @big "$url/v1/embed")" = 413 ]
	# bodies of the sizes that lh-serve takes; and who has sent them
	[ "$(ask -o /dev/null -w '%{http_code}' -X PUT --data-binary @big -H 'X-Request-Id: x' "$url/v1/storage/object/big")" = 200 ]
	[ "$(ask "$url/v1/storage/list?prefix=" | jq '.objects[0].size')" = 4300000 ]
	until_so grep -q '"route":"GET /v1/storage/list"' a/log/access.jsonl
	[ "$(jq -r 'select(.route == "GET /v1/storage/list").client' a/log/access.jsonl)" = 127.0.0.1 ]
	# a page of this server, and one of another
	[ "$(ask -o /dev/null -w '%{http_code}' -H "Origin: $url" "$url/v1/vectors/index")" = 200 ]
	[ "$(ask -o /dev/null -w '%{http_code}' -H 'Origin: https://evil.example.com' "$url/v1/vectors/index")" = 403 ]
}

@test "behind nginx a server without a token answers nobody but with its health" {
	command -v nginx >/dev/null || skip "nginx is not installed"
	stack start a
	start_nginx a
	ask() { curl -sS --cacert cert.pem --resolve "lakehouse.example.com:$port:127.0.0.1" "$@"; }
	[ "$(ask "$url/v1/vectors/index")" = '{"error":"it came through a proxy, and no token is required: see --token-file"}' ]
	[ "$(ask -o /dev/null -w '%{http_code}' --json '{"name":"x","dimension":2}' "$url/v1/vectors/index")" = 403 ]
	[ ! -e a/state/index/x.lhv ]
	[ "$(ask -o /dev/null -w '%{http_code}' "$url/health")" = 200 ]
}

@test "a line of many is answered through nginx before the next one is" {
	command -v nginx >/dev/null || skip "nginx is not installed"
	cat >config <<-END
		{"routes":[{"route":"POST /wait","depth":4,"run":["python3","-B","$ROOT/tests/servers/filter.py"]}]}
	END
	(umask 077 && echo 0123456789abcdef >token)
	stack start a --config "$PWD/config" --token-file "$PWD/token"
	start_nginx a
	printf '{"id":1}\n{"id":2,"wait":"%s"}\n{"id":3}\n' "$PWD/go" >lines
	ask -N -m "$LH_PATIENCE" -H 'content-type: application/x-ndjson' --data-binary @lines "$url/wait" >out 3>&- &
	client=$!
	until_so has_lines out 1
	touch go
	wait $client
	[ "$(jq .answer out | xargs)" = '1 2 3' ]
}

@test "Caddy takes its file" {
	command -v caddy >/dev/null || skip "Caddy is not installed"
	caddy validate --adapter caddyfile --config "$EXAMPLES/lh-serve.caddy" 2>err || { cat err; return 1; }
}
