load helper

# share/examples: stacks by prefix, units, and proxies in front of lh-serve.

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
health() { curl -sS -m 9 "$(cat "$1/run/url")/health"; }

@test "two stacks run side by side, and killing one leaves the other" {
	stack start a
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
	[ "$(jq -s 'length' a/log/access.jsonl)" -ge 2 ]
}

@test "a stack is started once, ends when it is told to, and leaves private files" {
	stack start a
	run -2 stack start a
	[[ $output == *"it runs already"* ]]
	[ "$(stat -c %a a a/run a/log a/state | sort -u)" = 700 ]
	stack stop a
	run -1 stack status a
	! curl -sS -m 5 "$(cat a/run/url)/health"
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

@test "a stack that cannot start says why" {
	run -2 stack start a --config missing.json
	[[ $output == *"missing.json"* && $output == *"it did not start"* ]]
	run -1 stack status a
	run -2 stack fly a
}

@test "the units are valid, and name options that exist" {
	command -v systemd-analyze >/dev/null || skip "systemd is not installed"
	cp "$EXAMPLES"/lh-serve.s* .
	sed -i 's,^ExecStart=[^ ]*,ExecStart=/bin/true,; /^User=/d; /^Group=/d' lh-serve.service
	systemd-analyze --man=no verify ./lh-serve.service ./lh-serve.socket 2>err || { cat err; return 1; }
	! grep lh-serve err
	(umask 077; echo a-token-of-sixteen >token)
	options=$(sed -n 's,^ExecStart=[^ ]* ,,p' "$EXAMPLES/lh-serve.service" | sed "s,/srv/lakehouse,$PWD/c,; s,/etc/lakehouse/token,$PWD/token,")
	lh-serve $options --check
}

@test "nginx in front gives TLS and HTTP/2, and passes on answers and ids" {
	command -v nginx >/dev/null || skip "nginx is not installed"
	stack start a
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lakehouse.example.com -keyout key.pem -out cert.pem 2>/dev/null
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	sed "s,listen 443,listen 127.0.0.1:$port,; s,/etc/ssl/lakehouse.pem,$PWD/cert.pem,; s,/etc/ssl/private/lakehouse.key,$PWD/key.pem,; s,127.0.0.1:3110,$(sed 's,http://,,' a/run/url)," "$EXAMPLES/lh-serve.nginx" >site
	mkdir -p body proxy
	cat >nginx.conf <<-END
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
	nginx -t -c "$PWD/nginx.conf" -e "$PWD/nginx.err" 2>err || { cat err; return 1; }
	nginx -c "$PWD/nginx.conf" -e "$PWD/nginx.err" 3>&-
	until_so test -s nginx.pid
	ask() { curl -sS --http2 --cacert cert.pem --resolve "lakehouse.example.com:$port:127.0.0.1" "$@"; }
	url=https://lakehouse.example.com:$port
	[ "$(ask -o out -w '%{http_version} %{http_code}' --json '{"texts":["a"]}' "$url/v1/embed")" = '2 200' ]
	[ "$(jq .dimension out)" = 768 ]
	printf '{"texts":["a"]}\n{"texts":[]}\n{"texts":["b"]}\n' >lines
	ask -H 'content-type: application/x-ndjson' --data-binary @lines "$url/v1/embed" | jq -c 'keys' >out
	alike out <(printf '%s\n' '["dimension","model","vectors"]' '["code","error"]' '["dimension","model","vectors"]')
	# the id of the proxy is that of the access log
	id=$(ask -o /dev/null -D - "$url/health" | tr -d '\r' | sed -n 's/^x-request-id: //p')
	until_so grep -q "\"request_id\":\"$id\"" a/log/access.jsonl
	head -c 4300000 /dev/zero | tr '\0' a >big
	[ "$(ask -o /dev/null -w '%{http_code}' -H 'content-type: application/json' --data-binary @big "$url/v1/embed")" = 413 ]
}
