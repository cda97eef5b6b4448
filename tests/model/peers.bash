# llama.cpp and transformers from npm, for tests and measurements: source tests/model/peers.bash.
source "$ROOT/tests/npm.bash"

# peers - install the packages of peers/package.json below build/, if they are not there, and
# set PEERS to their folder.  Where that is not possible, say why and fail.
peers() {
	export PEERS=$ROOT/build/peers
	command -v npm >/dev/null || { echo "there is no npm"; return 1; }
	[ "$(node -p 'parseInt(process.versions.node) >= 20')" = true ] ||
		{ echo "llama.cpp and transformers from npm need Node 20"; return 1; }
	npm_package "llama.cpp and transformers" "$ROOT/tests/model/peers" "$PEERS" --omit=optional
}
