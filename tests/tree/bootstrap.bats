# bootstrap: what it installs and builds, where little is there.
# Plain only: it looks at the tree, the plain build or the tests.
# bats file_tags=plain-only
load ../helper

# A PATH of our own, so that nothing is installed here: make says what it was
# asked and compiles what $COMPILE names, dpkg-query knows the packages in $HAVE,
# apt-get and sudo log.
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir bin
	for tool in sh dirname id nproc printf env cat grep mktemp rm; do
		ln -s "$(command -v "$tool")" "bin/$tool"
	done
	stub make 'if [ "$1" = -n ]; then for f in $COMPILE; do echo "echo '"'  CC     \$f'"'"; done; exit; fi
		case $* in
		*-O*) for f in $COMPILE; do
			case $f in
			odd.c) echo "odd.c:1: warning: odd" >&2 ;;
			bad.c) echo "bad.c:1: error: bad" >&2; exit 2 ;;
			esac
			echo "  CC     $f"
		done ;;
		*) echo "make $*" ;;
		esac'
}

stub() {
	rm -f "bin/$1"	# of a link, the program that it leads to would be replaced
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod +x "bin/$1"
}

debian() {
	stub dpkg-query 'for p; do :; done; case " $HAVE " in *" $p "* | " all ") echo installed ;; *) exit 1 ;; esac'
	stub apt-get "echo \"apt-get \$*\" >>'$PWD/apt.log'; echo Unpacking; ${1:-}"
	stub apt-cache 'exit "${UNKNOWN:-0}"'
	stub sudo "echo \"sudo \$*\" >>'$PWD/apt.log'"
}

# bootstrap [-STATUS] NAME=VALUE... TARGET... - with the PATH of our own; its exit status is 0, or that.
bootstrap() {
	local set=() want=-0
	[[ $1 != -2 ]] || { want=$1; shift; }
	while [[ ${1:-} == *=* ]]; do set+=("$1"); shift; done
	run "$want" --separate-stderr env PATH="$PWD/bin" "${set[@]}" "$ROOT/bootstrap" "$@"
}

# on_terminal COLUMNS COMMAND - what it writes to a terminal, with ^M and ^[ for CR and ESC.
on_terminal() {
	TERM=xterm script -qec "stty cols $1; $2" /dev/null </dev/null | cat -v | sed 's/\^M$//'
}

# last_lines - of what on_terminal wrote: what is left of each line after the last ^M^[[K.
last_lines() {
	sed 's/.*\^M\^\[\[K//' | grep .
}

@test "with everything there it only runs make" {
	debian
	bootstrap HAVE=all demo check
	[ "${lines[0]}" = 'make -s demo-answer' ]
	[[ ${lines[1]} =~ ^make\ -j[0-9]+\ demo-rest\ check$ ]]
	[ -z "$stderr" ]
	[ ! -e apt.log ]
}

@test "what is missing is installed, and nothing else" {
	debian
	bootstrap HAVE="gcc make g++ libarchive-dev libexpat1-dev libhnswlib-dev libjansson-dev libpcre2-dev libsqlite3-dev libssl-dev libutf8proc-dev libxxhash-dev mandoc zlib1g-dev ca-certificates jq curl" demo
	[ "$(grep -c . apt.log)" = 1 ]
	[[ $(cat apt.log) == *"install libcurl4-openssl-dev" ]]
	[ "${lines[0]}" = "bootstrap: installed 1 package" ]
}

@test "the package lists are fetched only when a package is not in them" {
	debian
	bootstrap HAVE= UNKNOWN=100 demo
	[[ $(head -n1 apt.log) == *update ]]
	[[ $(tail -n1 apt.log) == *install* ]]
	[[ ${lines[0]} =~ ^bootstrap:\ installed\ [0-9]+\ packages$ ]]
}

@test "what apt-get prints is shown only if it fails, and then with exit 2" {
	debian 'echo "E: no space" >&2; exit 100'
	bootstrap -2 HAVE= demo
	[ -z "$output" ]
	[[ $stderr == *"Unpacking"*"E: no space"*"bootstrap: apt-get could not install gcc make"* ]]
}

@test "on another system it lists the packages and exits 2" {
	bootstrap -2 check
	[ -z "$output" ]
	[[ $stderr == *libxxhash-dev* && $stderr == *bats* ]]
}

@test "off a terminal the compiling is one line, and no word of it if nothing was to do" {
	debian
	bootstrap HAVE=all COMPILE="a.c b.c c.c" all
	[ "$output" = "bootstrap: built 3 files" ]
	[ -z "$stderr" ]
	bootstrap HAVE=all all
	[ -z "$output$stderr" ]
}

@test "a warning of the compiler is shown" {
	debian
	bootstrap HAVE=all COMPILE="a.c odd.c" deb
	[ -z "$stderr" ]
	bootstrap HAVE=all COMPILE="a.c odd.c" unit deb
	[ "$stderr" = "odd.c:1: warning: odd" ]
	[ "${lines[0]}" = "bootstrap: built 2 files" ]
	[[ ${lines[1]} == "make -j"*"unit deb" ]]
}

@test "the first answer of the demo is shown when its programs are built, before all others" {
	debian
	bootstrap HAVE=all COMPILE="a.c b.c" demo
	[ "${lines[*]}" = "bootstrap: built 2 files make -s demo-answer bootstrap: built 2 files ${lines[3]}" ]
	[[ ${lines[3]} =~ ^make\ -j[0-9]+\ demo-rest$ ]]
}

@test "the programs of the first answer link nothing of the files that are compiled later" {
	mkdir b
	cp -r "$ROOT/build/share" b
	cp -r "$ROOT/build/lib" "$ROOT/build/tools" b
	rm b/lib/distill/*.o b/lib/tlog/*.o b/lib/validate/*.o
	env -u MAKEFLAGS make -s -C "$ROOT" B="$PWD/b" BIN="$PWD/bin2" demo-first >made
	[ "$(sort made | tr -s ' ' | sed 's| /.*/| |' | paste -sd,)" = ' LINK lh, LINK lh-index, LINK lh-ingest, LINK lh-search' ]
	# the others have all of the library
	env -u MAKEFLAGS make -s -n -C "$ROOT" B="$PWD/b" BIN="$PWD/bin2" demo-programs >plan
	grep -q "CC     lib/tlog/log.c'" plan
}

@test "an error of the compiler is shown, ends the run with the status of make, and leaves no file" {
	debian
	mkdir tmp
	bootstrap -2 HAVE=all TMPDIR="$PWD/tmp" COMPILE="a.c bad.c c.c" demo
	[ -z "$output" ]
	[ "$stderr" = "bad.c:1: error: bad
bootstrap: the build failed" ]
	[ -z "$(ls tmp)" ]
}

@test "on a terminal the compiling is counted in one line, which a warning does not run into" {
	debian
	on_terminal 80 "env PATH='$PWD/bin' HAVE=all COMPILE='a.c odd.c c.c' '$ROOT/bootstrap' all" >out
	grep -qF '^M^[[Kbootstrap: building  1/3^M^[[K' out
	grep -qF '^M^[[Kbootstrap: building  2/3^M^[[Kbootstrap: building  3/3^M^[[K' out
	[ "$(last_lines <out)" = "odd.c:1: warning: odd
bootstrap: built 3 files" ]
}

@test "on a terminal the installation is one line with the part that is done" {
	debian 'echo "dlstatus:1:50.5:Fetching"; echo "pmstatus:gcc:12.25:Unpacking gcc"'
	on_terminal 80 "env PATH='$PWD/bin' HAVE=gcc '$ROOT/bootstrap' all" >out
	grep -qF '^M^[[Kbootstrap: fetching 15 packages  50 %^M^[[Kbootstrap: installing 15 packages  12 %^M^[[K' out
	[ "$(last_lines <out)" = "bootstrap: installed 15 packages" ]
}

@test "with a variable or an option of make everything is left to make" {
	debian
	bootstrap HAVE=all COMPILE=a.c all V=1
	[[ $output =~ ^make\ -j[0-9]+\ all\ V=1$ ]]
}

@test "each file that make compiles is counted, in this tree" {
	env -u MAKEFLAGS make -s -n -C "$ROOT" B="$PWD/b" BIN="$PWD/bin2" all >plan
	[ "$(grep -c "^echo '  CC " plan)" -gt 300 ]
	[ "$(grep -c "^echo '  LINK " plan)" = "$(ls "$ROOT/tools" | wc -l)" ]
	[ "$(grep -c '^echo' plan)" = "$(grep -cE "^echo '  (CC|LINK) " plan)" ]
}

@test "make V=1 shows the commands" {
	env -u MAKEFLAGS make --no-print-directory -C "$ROOT" B="$PWD/b" BIN="$PWD/bin2" V=1 "$PWD/b/lib/base/err.c.o" >out
	grep -q -- ' -c -o ' out
	env -u MAKEFLAGS make --no-print-directory -C "$ROOT" B="$PWD/c" BIN="$PWD/bin2" "$PWD/c/lib/base/err.c.o" >out
	[ "$(cat out)" = "  CC     lib/base/err.c" ]
}

@test "without root and sudo it prints the command that root has to run" {
	debian
	rm bin/sudo bin/id
	stub id 'echo 1000'
	bootstrap -2 HAVE="gcc make g++ libarchive-dev libexpat1-dev libhnswlib-dev libjansson-dev libpcre2-dev libsqlite3-dev libssl-dev libutf8proc-dev libxxhash-dev mandoc zlib1g-dev ca-certificates jq" demo
	[ "$stderr" = "bootstrap: there is no sudo; first, as root: apt-get install --no-install-recommends libcurl4-openssl-dev curl" ]
}

@test "what builds packages and what the tests run are installed, and for check no more than its own" {
	debian
	bootstrap HAVE= deb
	grep -q ' install .*\bbuild-essential\b.*\bdebhelper\b' apt.log
	bootstrap HAVE= check
	grep -q ' install .*\bxxd\b' apt.log
	run ! grep -q 'build-essential.*xxd\|slurm' apt.log
	bootstrap HAVE= check-full
	grep -q ' install .*\bxxd\b.*\bbuild-essential\b.*\bslurm-wlm\b' apt.log
}

@test "while packages are built each step is a line, and the log has everything" {
	{
		echo '   dh_auto_build -- all'
		for i in {1..201}; do echo "gcc -std=gnu11 -c -o $i.o $i.c"; done
		echo "dpkg-deb: building package 'lh' in '../lh.deb'."
	} >all
	run -3 --separate-stderr "$ROOT/debian/progress" log sh -c 'cat all; echo bad >&2; exit 3'
	[ "$output" = "deb: dh_auto_build
deb: 100 files compiled
deb: 200 files compiled
deb: building package 'lh' in '../lh.deb'." ]
	alike <(cat all; echo bad) log
	on_terminal 80 "'$ROOT/debian/progress' log cat all" >out
	grep -qF '^M^[[Kdeb: 57 files compiled^M' out
	[ -z "$(last_lines <out)" ]
}

@test "where no cgroup is mounted the tests of Slurm are skipped, with the reason" {
	command -v slurmd >/dev/null || [ -x /usr/sbin/slurmd ] || skip "there is no slurmd"
	unshare --mount true 2>/dev/null || skip "no mounts here"
	run unshare --mount sh -c 'umount -lR /sys/fs/cgroup 2>/dev/null; exec env -i PATH=/usr/bin:/bin LH_BIN="$LH_BIN" bats --tap "$0/tests/scale/slurm.bats"' "$ROOT"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	[[ ${lines[1]} == *"# skip no cgroup is mounted, which slurmd needs" ]]
	[[ $output != *$'\n''not ok '* ]]
}

# npm_packs FILE - an npm that packs it as the library.
npm_packs() {
	mkdir -p package
	cp "$1" package/libduckdb.so
	tar -czf packed.tgz package/libduckdb.so
	stub npm "cp '$PWD/packed.tgz' ."
	for tool in cp tar gzip sha256sum install; do ln -sf "$(command -v "$tool")" "bin/$tool"; done
	stub ldconfig "echo ldconfig >>'$PWD/called'"
	mkdir -p usr/lib
}

# bats test_tags=full
@test "bootstrap duckdb installs no package where npm is in PATH already" {
	debian
	stub npm 'echo "npm error: no network" >&2; exit 1'
	bootstrap -2 HAVE=none PREFIX="$PWD/usr" duckdb
	[[ $stderr == *"bootstrap: npm has no library of DuckDB for us" ]]
	[ ! -e apt.log ]
}

@test "bootstrap duckdb installs the library that it knows, and no other" {
	debian
	echo other >other
	npm_packs other
	bootstrap -2 HAVE=all PREFIX="$PWD/usr" duckdb
	[ "$stderr" = "bootstrap: npm's libduckdb.so is another one" ]
	stub npm 'echo "npm error: no network" >&2; exit 1'
	bootstrap -2 HAVE=all PREFIX="$PWD/usr" duckdb
	[[ $stderr == *"no network"*"bootstrap: npm has no library of DuckDB for us" ]]
	[ -z "$(ls usr/lib)" ]
	source "$ROOT/tests/duckdb.bash"
	reason=$(duckdb_library) || skip "$reason"
	duckdb_library
	npm_packs "$LH_DUCKDB"
	bootstrap HAVE=all PREFIX="$PWD/usr" duckdb
	[ "$output" = "bootstrap: installed $PWD/usr/lib/libduckdb.so" ]
	cmp "$LH_DUCKDB" usr/lib/libduckdb.so
	[ ! -e apt.log ]
	[ "$(id -u)" != 0 ] || [ "$(cat called)" = ldconfig ]
}
