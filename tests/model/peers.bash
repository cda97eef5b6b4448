# llama.cpp and transformers from npm, for tests and measurements: source tests/model/peers.bash.

# peers - install the packages of peers/package.json below build/, if they are not there, and
# set PEERS to their folder.  Where that is not possible, say why and fail.
peers() {
	local from=$ROOT/tests/model/peers/package.json log
	PEERS=$ROOT/build/peers
	export PEERS
	command -v npm >/dev/null || { echo "there is no npm"; return 1; }
	[ "$(node -p 'parseInt(process.versions.node) >= 20')" = true ] ||
		{ echo "llama.cpp and transformers from npm need Node 20"; return 1; }
	mkdir -p "$PEERS"
	{
		flock 9
		cmp -s "$from" "$PEERS/installed.json" && return
		rm -rf "$PEERS/none"
		cp -r "$from" "${from%/*}/none" "$PEERS"
		log=$(cd "$PEERS" && timeout 300 npm install --ignore-scripts --omit=optional \
			--no-audit --no-fund --no-package-lock --fetch-retries=0 2>&1 9>&-) || {
			echo "npm cannot install llama.cpp and transformers: $(grep -m1 'npm \(ERR!\|error\)' <<<"$log")"
			return 1
		}
		cp "$from" "$PEERS/installed.json"
	} 9>"$PEERS/lock"
}
