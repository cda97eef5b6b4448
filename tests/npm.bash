# Packages from npm, for tests and measurements: source tests/npm.bash.

# registry_answers - whether npm gets something within half a minute.  It is asked once in ten
# minutes, and not again by those that come after: build/registry keeps what it said.
registry_answers() {
	local said=$ROOT/build/registry
	(
		flock 8
		if [ -z "$(find "$said" -size +0 -mmin -10)" ]; then
			timeout 30 npm view ajv version --fetch-retries=0 >/dev/null 2>&1 8>&- &&
				echo yes >"$said" || echo no >"$said"
		fi
	) 8>>"$said"
	[ "$(cat "$said")" = yes ]
}

# npm_package NAME FROM TO [OPTION]... - copy the folder FROM into the folder TO, and install
# what its package.json names, if that is not there.  OPTION is one of npm install.  Where
# that is not possible, say why and fail.
npm_package() {
	local name=$1 from=$2 to=$3 log
	command -v npm >/dev/null || { echo "there is no npm"; return 1; }
	mkdir -p "$to"
	{
		flock 9
		cmp -s "$from/package.json" "$to/installed.json" && return
		registry_answers || { echo "npm cannot install $name: its registry does not answer"; return 1; }
		cp -r "$from/." "$to"
		log=$(cd "$to" && timeout 300 npm install --ignore-scripts --no-audit --no-fund \
			--no-package-lock --fetch-retries=0 "${@:4}" 2>&1 9>&-) || {
			[ $? != 124 ] || echo no >"$ROOT/build/registry"	# the next one is not waited for
			echo "npm cannot install $name: $(grep -m1 'npm \(ERR!\|error\)' <<<"$log")"
			return 1
		}
		cp "$from/package.json" "$to/installed.json"
	} 9>"$to/lock"
}
