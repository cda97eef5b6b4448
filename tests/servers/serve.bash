# lh-serve for tests: start_serve starts one; at teardown stop_serves kills them, or
# end_serves ends them.
#
#     setup() { load servers/serve; }
#     teardown() { stop_serves; faults_happened; }

SERVES=() SERVE_N=0

# start_serve [OPTION]... - lh-serve on a free port: URL, PORT and SERVE (its PID); its
# access log is access.N and its messages err.N, linked as access and err, with their
# whole names in SERVE_LOG and SERVE_ERR.
start_serve() {
	serve_with --listen 127.0.0.1:0 "$@"
	URL=$(sed -n 's/.*listening on //p' err | head -n 1)
	PORT=${URL##*:}
	SERVE_LOG=$PWD/access.$SERVE_N SERVE_ERR=$PWD/err.$SERVE_N
	export URL PORT SERVE SERVE_LOG SERVE_ERR
}

# serve_with OPTION... - start it with those options alone, and without rows of who looked where
# there is no key.
serve_with() {
	local n=$((++SERVE_N)) unkeyed=()
	[ -n "${LH_SUBJECT_AUDIT_KEY:-}" ] || unkeyed=(--no-audit-required)
	ln -sf "access.$n" access
	ln -sf "err.$n" err
	lh-serve "${unkeyed[@]}" "$@" >"access.$n" 2>"err.$n" 3>&- &
	SERVE=$!
	SERVES+=("$SERVE")
	until_so listens_or_ended "$SERVE" "err.$n"
	grep -q 'listening on' "err.$n" || { cat "err.$n"; return 1; }
}

listens_or_ended() {
	grep -q 'listening on' "$2" || ! kill -0 "$1" 2>/dev/null
}

# end_serve [SIGNAL] - end the last one; its status.
end_serve() {
	kill -s "${1:-TERM}" "$SERVE"
	wait "$SERVE"
}

# hang_up - SIGHUP, and wait until it has read its configuration, or refused it.
hang_up() {
	local before
	before=$(grep -c 'configuration \(read again\|not changed\)' err || true)
	kill -s HUP "$SERVE"
	until_so read_again "$before"
}

read_again() {
	[ "$(grep -c 'configuration \(read again\|not changed\)' err)" -gt "$1" ]
}

# end_serves - all of them, by SIGTERM; each must end with status 0.
end_serves() {
	local pid status=0
	for pid in "${SERVES[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" || status=$?
	done
	SERVES=()
	return $status
}

stop_serves() {
	local pid
	for pid in "${SERVES[@]}"; do
		kill -s KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null || true
	done
	SERVES=()
	return 0
}

# token NAME [TEXT] - a file of a token that nobody else has
token() {
	(umask 077 && printf '%s\n' "${2:-$1-0123456789abcdef}" >"$1")
}

# post PATH [BODY] [CURL-OPTION]... - the body of the answer
post() {
	curl -sS -m "$LH_PATIENCE" --json "${2-"{}"}" "${@:3}" "$URL$1"
}

# status PATH [CURL-OPTION]... - the status of the answer
status() {
	curl -sS -m "$LH_PATIENCE" -o /dev/null -w '%{http_code}' "${@:2}" "$URL$1"
}

# metric NAME - its value
metric() {
	curl -sS -m "$LH_PATIENCE" "$URL/metrics" | sed -n "s/^$1 //p"
}

# filter_route ROUTE [MEMBERS [ARGUMENT]...] - a route to filter.py
filter_route() {
	printf '{"route":"%s","run":["python3","-B","%s/servers/filter.py"%s]%s}' "$1" "$ROOT/tests" \
		"$([ $# -lt 3 ] || printf ',"%s"' "${@:3}")" "${2:+,$2}"
}

# operations OPTION... - each route of lh-serve OPTION... that has a filter, with the names of its
# constant members, and its operation as the filter describes it
operations() {
	local row run
	lh-serve --no-audit-required --print-config "$@" | jq -c '.routes[] | select(.run)' | while read -r row; do
		mapfile -t run < <(jq -r '.run[]' <<<"$row")
		"${run[@]}" --describe | jq -c --argjson r "$row" '($r.members.op // ($r.run[1] // "-" | select(startswith("-") | not)) // "") as $op |
			[.operations[] | select(.name == $op)] | {filter: $r.run[0], route: $r.route, given: ($r.members // {} | keys), operation: (map(select(.operands == null)) + .)[0]}'
	done
}
