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

# tests/run has a starter.py for each file that starts servers, which takes a tenth of the time.
start_server() {
	local port="${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/port.$((++STARTED))" scheme=http
	case " $* " in *' --tls '*) scheme=https ;; esac
	if [ -n "${LH_STARTER:-}" ]; then
		printf '%s\0' "$PWD" "$port" "$@" >"$port.ask"
		echo "$port.ask" 1<>"$LH_STARTER"
	else
		python3 -B "$ROOT/tests/servers/$1" "${@:2}" >"$port" 2>"$port.err" 3>&- &
		echo $! >"$port.pid"
	fi
	until_so [ -s "$port" ]
	SERVERS+=("$(<"$port.pid")")
	URL=$scheme://127.0.0.1:$(<"$port")
}

# share_upstream - from setup_file: one server for all tests, where a start each
# would cost more than the tests.  share_log, in setup: what it is asked goes to
# the file log of the test.  teardown_file() { stop_upstreams; } ends it.
share_upstream() {
	start_upstream --log "$BATS_FILE_TMPDIR/log"
	export URL
}

share_log() {
	ln -sfn "$PWD/log" "$BATS_FILE_TMPDIR/log"
}

stop_upstreams() {
	local pid
	for pid in "${SERVERS[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null || true
		until_so not kill -0 "$pid" 2>/dev/null
	done
	SERVERS=()
	return 0
}

# cert NAME DAYS SUBJECT_ALT_NAME : signed by the authority of ca.pem
cert() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$2" \
		-extfile <(echo "subjectAltName=$3") -out "$1.pem" 2>/dev/null
}

# make_certificates - ca.pem, and by it good, expired and other (another host's);
# self is signed by itself.  Each has NAME.pem and NAME.key.
make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority 2>/dev/null
	cert good 2 IP:127.0.0.1
	cert expired -1 IP:127.0.0.1
	cert other 2 DNS:example.com
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout self.key -out self.pem -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
}
