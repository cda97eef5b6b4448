load helper

# A PATH of our own, so that nothing is installed here: make says what it was
# asked, dpkg-query knows the packages in $HAVE, apt-get and sudo log.
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir bin
	for tool in sh dirname id nproc printf env cat grep; do
		ln -s "$(command -v "$tool")" "bin/$tool"
	done
	stub make 'echo "make $*"'
}

stub() {
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod +x "bin/$1"
}

debian() {
	stub dpkg-query 'for p; do :; done; case " $HAVE " in *" $p "* | " all ") echo installed ;; *) exit 1 ;; esac'
	stub apt-get "echo \"apt-get \$*\" >>'$PWD/apt.log'"
	stub apt-cache 'exit "${UNKNOWN:-0}"'
	stub sudo "echo \"sudo \$*\" >>'$PWD/apt.log'"
}

@test "with everything there it only runs make" {
	debian
	run env PATH="$PWD/bin" HAVE=all "$ROOT/bootstrap" demo check
	[ "$status" = 0 ]
	[[ $output =~ ^make\ -j[0-9]+\ demo\ check$ ]]
	[ ! -e apt.log ]
}

@test "what is missing is installed, and nothing else" {
	debian
	run env PATH="$PWD/bin" HAVE="gcc make libarchive-dev libexpat1-dev libmicrohttpd-dev libsqlite3-dev libssl-dev libxxhash-dev libyaml-dev zlib1g-dev ca-certificates jq" "$ROOT/bootstrap" demo
	[ "$status" = 0 ]
	[ "$(grep -c . apt.log)" = 1 ]
	[[ $(cat apt.log) == *"install libcurl4-openssl-dev" ]]
}

@test "the package lists are fetched only when a package is not in them" {
	debian
	run env PATH="$PWD/bin" HAVE= UNKNOWN=100 "$ROOT/bootstrap" demo
	[ "$status" = 0 ]
	[[ $(head -n1 apt.log) == *update ]]
	[[ $(tail -n1 apt.log) == *install* ]]
}

@test "on another system it lists the packages and exits 2" {
	run --separate-stderr env PATH="$PWD/bin" "$ROOT/bootstrap" check
	[ "$status" = 2 ]
	[ -z "$output" ]
	[[ $stderr == *libxxhash-dev* && $stderr == *bats* ]]
}
