# S3 servers for tests: source servers/server.bash before.
source "$ROOT/tests/npm.bash"

# start_s3 [OPTION]... - one of s3.py, which checks signatures; sets what the tools need.
start_s3() {
	start_server s3.py "$@"
	export LH_S3_ENDPOINT=$URL AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
	export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
}

# s3 PATH - what s3.py answers without a signature: s3 _state, s3 _mode/503/PUT/0/1.
s3() {
	curl -sSf --noproxy '*' "$LH_S3_ENDPOINT/$1"
}

# s3rver - install the package of s3rver/package.json below build/, if it is not there,
# and set S3RVER to its folder.  Where that is not possible, say why and fail.
s3rver() {
	S3RVER=$ROOT/build/s3rver
	npm_package s3rver "$ROOT/tests/servers/s3rver" "$S3RVER"
}

# start_s3rver - the real server, with an empty bucket called bucket.
start_s3rver() {
	local log="${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/s3rver.$((++STARTED))" port
	port=$(free_port)
	: >"$log"
	node "$S3RVER/node_modules/.bin/s3rver" -d "$log.data" -a 127.0.0.1 -p "$port" \
		--configure-bucket bucket >"$log" 2>&1 3>&- &
	SERVERS+=($!)
	until_so grep -q listening "$log"
	export LH_S3_ENDPOINT=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=S3RVER AWS_SECRET_ACCESS_KEY=S3RVER
	unset AWS_SESSION_TOKEN
}
