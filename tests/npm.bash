# Packages from npm, for tests and measurements: source tests/npm.bash.

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
		cp -r "$from/." "$to"
		log=$(cd "$to" && timeout 300 npm install --ignore-scripts --no-audit --no-fund \
			--no-package-lock --fetch-retries=0 "${@:4}" 2>&1 9>&-) || {
			echo "npm cannot install $name: $(grep -m1 'npm \(ERR!\|error\)' <<<"$log")"
			return 1
		}
		cp "$from/package.json" "$to/installed.json"
	} 9>"$to/lock"
}
