# lh-serve for tests: start_serve starts one whose only filters are those of a
# configuration, so that it starts at once.
#
#     setup_file() { load helper; load serving; routes >routes.json ...; share_serve; }

SERVING=()

# only_routes ROUTE... - a configuration of these routes (JSON objects); the built-in
# ones that have a filter are switched off.
only_routes() {
	lh-serve --print-config | jq -c --argjson mine "[$(IFS=,; echo "$*")]" '
		($mine | map(.route)) as $names
		| { routes: ([.routes[] | select(.route as $r | $names | index($r) | not) |
			{ route, off: "not in this test" }] + $mine) }'
}

# echo_filter [ARGUMENT] - the argv of echo.py; with an argument it is a pool of its own.
echo_filter() {
	jq -nc --arg f "$ROOT/tests/servers/echo.py" '["python3", "-B", $f] + $ARGS.positional' --args "$@"
}

# start_serve [OPTION]... - on a free port, with the log in access.N and stderr in serve.N;
# PORT, SERVE_PID, SERVE_LOG, SERVE_ERR say of the last one.
start_serve() {
	local n=$((${#SERVING[@]} + 1)) dir=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}
	SERVE_LOG=$dir/access.$n SERVE_ERR=$dir/serve.$n
	LH_SERVE_TOKEN=${TOKEN:-} lh-serve --listen 127.0.0.1:0 --state "$dir/state" "$@" >"$SERVE_LOG" 2>"$SERVE_ERR" 3>&- &
	SERVE_PID=$!
	SERVING+=("$SERVE_PID")
	until_so grep -qs 'listening on\|lh-serve: fatal' "$SERVE_ERR"
	PORT=$(sed -n 's/.*listening on http:.*:\([0-9]*\)$/\1/p' "$SERVE_ERR")
	URL=http://127.0.0.1:$PORT
	export PORT URL SERVE_LOG SERVE_ERR SERVE_PID
}

# stop_serve - all of them, by SIGTERM; each must end with status 0.
stop_serve() {
	local pid status=0
	for pid in "${SERVING[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" || status=$?
	done
	SERVING=()
	return $status
}

# raw - the Python on stdin, with http_raw.
raw() {
	PYTHONPATH=$ROOT/tests timeout 300 python3 -B - "$@"
}
