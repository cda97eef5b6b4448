# What is installed is what the plain build made, whichever build is tested.
# Plain only: it looks at the tree, the plain build or the tests.
# bats file_tags=plain-only
load ../helper

setup_file() {
	[ -z "${LH_ASAN:-}" ] || return 0
	export D=$BATS_FILE_TMPDIR/root P=/opt/lakehouse
	make -s -C "$ROOT" install DESTDIR="$D" PREFIX="$P" >"$BATS_FILE_TMPDIR/log" 2>&1
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	plain_only "the plain build is what is installed"
}

lh_config() {
	PKG_CONFIG_SYSROOT_DIR=$D PKG_CONFIG_PATH=$D$P/lib/pkgconfig pkgconf "$@" liblh
}

program() {
	cat >program.c <<-'END'
	#include <stdio.h>
	#include <lh/buf.h>

	int main(void)
	{
		struct lh_err err;
		struct lh_buf b;

		lh_buf_init(&b, 100);
		lh_buf_json(&b, "a\"b", 3);
		if (lh_buf_check(&b, &err) < 0)
			return 1;
		printf("%.*s\n", (int)b.len, b.p);
		lh_buf_free(&b);
		return 0;
	}
	END
}

@test "every tool and every page is installed, under DESTDIR and PREFIX only" {
	for tool in "$ROOT"/tools/*/; do
		[ -x "$D$P/bin/$(basename "$tool")" ]
	done
	for page in "$ROOT"/man/*.[157]; do
		[ -f "$D$P/share/man/man${page##*.}/$(basename "$page")" ]
		[ -s "$D$P/share/lakehouse-tools/pages/$(basename "${page%.*}").txt" ]
	done
	[ "$(ls "$D")" = opt ]
	[ "$(ls "$D/opt")" = lakehouse ]
}

@test "installed programs are stripped, those of bin/ are not" {
	[ -n "$(nm "$ROOT/bin/lh-cat")" ]
	for tool in "$D$P"/bin/*; do
		[ -z "$(nm "$tool" 2>/dev/null)" ]
	done
}

@test "an installed tool runs" {
	for tool in "$D$P"/bin/lh-*; do
		run "$tool" --version
		[ "$status" = 0 ]
		[ "$output" = "$(basename "$tool") 0.1.0" ]
	done
}

# bats test_tags=full
@test "the probes are installed, and run without the source tree" {
	PATH=/usr/bin:/bin run patiently "$D$P/bin/lh-parity" all --out o
	[ "$status" = 0 ]
	[ "$(tail -n 1 o/SUMMARY.md)" = "**Tally:** 80/80" ]
}

@test "a program builds against the shared library" {
	program
	# shellcheck disable=SC2046
	gcc -Wall -Werror $(lh_config --cflags) -o program program.c $(lh_config --libs)
	[ "$(LD_LIBRARY_PATH=$D$P/lib ./program)" = '"a\"b"' ]
	ldd program | has liblh.so.0 || LD_LIBRARY_PATH=$D$P/lib ldd program | has liblh.so.0
}

@test "a program builds against the static library" {
	program
	# shellcheck disable=SC2046
	gcc -Wall -Werror $(lh_config --cflags) -o program program.c $(lh_config --static --libs | sed 's/-llh/-l:liblh.a/')
	[ "$(./program)" = '"a\"b"' ]
}

@test "each header compiles on its own, in C and in C++" {
	headers=("$D$P"/include/lh/*.h)
	[ -f "${headers[0]}" ]
	for header in "${headers[@]}"; do
		echo "#include <lh/$(basename "$header")>" >one.c
		gcc -std=gnu11 -Wall -Wextra -Werror -I"$D$P/include" -fsyntax-only one.c
		g++ -std=c++17 -Wall -Wextra -Werror -I"$D$P/include" -fsyntax-only -x c++ one.c
	done
}

@test "a program that names every installed function links, in C and in C++" {
	python3 - "$D$P"/include/lh/*.h >all.c <<-'END'
	import re, sys
	names = []
	for path in sys.argv[1:]:
	    text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
	    names += re.findall(r"^LH_API[^;(]*?\b(lh_\w+)\(", text, re.M)
	    print("#include <lh/%s>" % path.rsplit("/", 1)[1])
	assert len(names) > 100 and len(set(names)) == len(names)
	print("typedef void fn(void);\nfn *const all[] = {")
	print("".join("\t(fn *)%s,\n" % n for n in names) + "};")
	print("int main(void) { return all[0] == 0; }")
	END
	gcc -Wall -Werror -Wno-cast-function-type -I"$D$P/include" -o c all.c -L"$D$P/lib" -llh
	g++ -std=c++17 -Wall -Werror -Wno-cast-function-type -I"$D$P/include" -o cc -x c++ all.c -x none -L"$D$P/lib" -llh
	LD_LIBRARY_PATH=$D$P/lib ./c
	LD_LIBRARY_PATH=$D$P/lib ./cc
}

@test "the shared library has its soname and exports nothing but lh_" {
	readelf -d "$D$P/lib/liblh.so" | has 'SONAME.*\[liblh.so.0\]'
	names=$(nm -D --defined-only "$D$P/lib/liblh.so" | awk '{ print $NF }')
	run -1 grep -v '^lh_' <<<"$names"
}

@test "what the static library defines for others starts with lh_" {
	names=$(nm -g --defined-only "$D$P/lib/liblh.a" | awk 'NF == 3 && $2 !~ /[VWu]/ { print $3 }')
	run -1 grep -v '^lh_' <<<"$names"
}

@test "liblh writes to stderr and exits nowhere but in its frame, and in a child that is not started yet" {
	cd "$ROOT/build/lib"
	objects=(*/*.o)
	[ ${#objects[@]} -gt 100 ]
	nm -A -u "${objects[@]}" | grep -vE '^[a-z]*/(tool|messages|progress|signal|truncated|coproc)\.c\.o:' |
		awk '{ print $1, $NF }' >"$BATS_TEST_TMPDIR/used"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/used")" -gt 1000 ]
	run -1 grep -E ' (_?exit|abort|stderr|perror|warnx?|errx?|err_sys|__assert_fail)$' "$BATS_TEST_TMPDIR/used"
}

@test "programs are built with the flags of Debian's packages: PIE, RELRO, bound at start, checks of the stack and of copies" {
	plain_only "the sanitizers have checks of their own"
	for tool in "$LH_BIN"/lh*; do
		run -0 readelf -hldW "$tool"
		[[ $output == *"DYN (Position-Independent Executable file)"* && $output == *GNU_RELRO* && $output == *NOW* ]] ||
			{ echo "$tool: $output"; return 1; }
		run -0 nm -D -u "$tool"
		[[ $output == *__stack_chk_fail* && $output == *_chk@* ]] || { echo "$tool: $output"; return 1; }
	done
}

@test "uninstall leaves no file" {
	cp -a "$D" copy
	[ -n "$(find copy -type f)" ]
	make -s -C "$ROOT" uninstall DESTDIR="$PWD/copy" PREFIX="$P"
	[ -z "$(find copy -type f -o -type l)" ]
}

# Into a folder of the test's; ldconfig is a program of the test's, too.
# bats test_tags=full
@test "installing as root runs ldconfig, and says what to do where that is not enough" {
	[ "$(id -u)" = 0 ] || skip "not root"
	local note='programs that use liblh.so.0: name *lib in /etc/ld.so.conf.d and run ldconfig as root, or set LD_LIBRARY_PATH'
	mkdir fake
	printf '#!/bin/sh\n[ "$1" = -p ] && echo "liblh.so.0 => %s/usr/lib/liblh.so.0" || echo >>%s/asked\n' "$PWD" "$PWD" >fake/ldconfig
	chmod +x fake/ldconfig
	PATH=$PWD/fake:$PATH run -0 make -s -C "$ROOT" install PREFIX="$PWD/usr"
	[ -e asked ]
	[ "$output" = ldconfig ]
	rm asked
	PATH=$PWD/fake:$PATH run -0 make -s -C "$ROOT" install PREFIX="$PWD/other"
	[ -e asked ]
	[[ ${lines[1]} == $note ]]
	rm asked
	PATH=$PWD/fake:$PATH run -0 make -s -C "$ROOT" install DESTDIR="$PWD/stage" PREFIX=/usr
	[ ! -e asked ]
	[[ $output == $note ]]
	printf '#!/bin/sh\necho 1000\n' >fake/id
	chmod +x fake/id
	PATH=$PWD/fake:$PATH run -0 make -s -C "$ROOT" install PREFIX="$PWD/theirs"
	[ ! -e asked ]
	[[ $output == $note ]]
}
