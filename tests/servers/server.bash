# Loopback servers for tests: start_upstream sets URL and kills at teardown.
#
#     setup() { load servers/server; }
#     teardown() { stop_upstreams; }

SERVERS=() STARTED=0

# start_upstream [OPTION]...: a server of upstream.py; URL is its address.
start_upstream() {
	start_server upstream.py "$@"
}

# start_chat [OPTION]...: one of chat.py.
start_chat() {
	start_server chat.py "$@"
}

start_server() {
	local port="$BATS_TEST_TMPDIR/port.$((++STARTED))" scheme=http i
	case " $* " in *' --tls '*) scheme=https ;; esac
	python3 -B "$BATS_TEST_DIRNAME/servers/$1" "${@:2}" >"$port" 2>"$port.err" 3>&- &
	SERVERS+=($!)
	for i in {1..200}; do
		[ -s "$port" ] && break
		sleep 0.05
	done
	URL=$scheme://127.0.0.1:$(cat "$port")
}

stop_upstreams() {
	local pid
	for pid in "${SERVERS[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null || true
	done
	SERVERS=()
	return 0
}
