# The tree: rooms of the library, columns of C, and the files of tests.
# Plain only: it looks at the tree, the plain build or the tests.
# bats file_tags=quick,plain-only
load ../helper

@test "no room of the library includes one that lib/LAYERS does not allow" {
	run "$ROOT/tests/layers"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
}

# breach FILE LINE REASON - with that line planted in a copy of the tree, that is found.
breach() {
	rm -rf tree
	mkdir tree
	cp -r "$ROOT"/lib "$ROOT"/tools tree
	sed -i "1i $2" "tree/$1"
	run -1 "$ROOT/tests/layers" tree
	[ "$output" = "$1:1: $3" ] || { echo "$output"; return 1; }
}

@test "an #include that points up or into a room is found" {
	breach lib/base/mem.c '#include "json/value.h"' "base may not include json"
	breach lib/json/json.c '#include "index/index.h"' "json may not include index"
	breach lib/index/change.c '#include "base/banned.h"' "base/banned.h is not a face of any room"
	breach tools/lh-score/main.c '#include "distill/score_parts.h"' "distill/score_parts.h is not a face of any room"
}

@test "a symbol that is taken from above, or that no face declares, is found" {
	mkdir -p tree/tools/lh-x
	cp -r "$ROOT"/lib tree
	object() {	# FILE CODE - the object of a file is this code
		mkdir -p "tree/build/${1%/*}"
		cc -xc -c -o "tree/build/$1.o" - <<<"$2"
	}
	object lib/file/lock.c 'int lh_realloc(void), hidden(void), lh_tool_main(void), removed(void);
		int a(void) { return lh_realloc() + hidden() + lh_tool_main() + removed(); }'
	object lib/base/mem.c 'int lh_realloc(void) { return 0; } int hidden(void) { return 0; }'
	object lib/tool/tool.c 'int lh_tool_main(void) { return 0; }'
	object lib/tool/removed.c 'int removed(void) { return 0; }'	# there is no such source
	object tools/lh-x/main.c 'int hidden(void); int main(void) { return hidden(); }'
	touch tree/tools/lh-x/main.c
	run -1 "$ROOT/tests/layers" tree
	[ "$output" = 'lib/file/lock.c: hidden is in no face of base
lib/file/lock.c: file takes lh_tool_main of tool
tools/lh-x/main.c: hidden is in no face of base' ] || { echo "$output"; return 1; }
}

@test "all faces can be included together, and no tag or guard means two things" {
	cd "$ROOT"
	for face in $(sed -n 's/^\([a-z]*\):.*| */\1 /p' lib/LAYERS | awk '{ for (i = 2; i <= NF; i++)
			print "lib/" $1 "/" $i ".h" }'); do
		grep -q "^#ifndef LH_.*_H$" "$face" || continue		# read once per instruction set
		echo "#include \"$face\""
	done >"$BATS_TEST_TMPDIR/faces.c"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/faces.c")" -gt 50 ]
	cc -std=gnu11 -D_GNU_SOURCE -DLANES=4 -DTARGET= -Wall -Wno-unused -I. -Ilib -Werror -fsyntax-only \
		"$BATS_TEST_TMPDIR/faces.c"
	headers=$(find lib -name '*.h')
	[ -z "$(grep -hE '^#ifndef \w+_H$' $headers | sort | uniq -d)" ]
	[ -z "$(grep -hoE '^(struct|union|enum) lh_\w+ \{' $headers | sort | uniq -d)" ]
}

@test "a room that is not in lib/LAYERS is found" {
	mkdir tree
	cp -r "$ROOT"/lib "$ROOT"/tools tree
	mkdir tree/lib/misc
	echo '#include <string.h>' >tree/lib/misc/misc.c
	run -1 "$ROOT/tests/layers" tree
	[ "$output" = "lib/misc/misc.c: is in a room that lib/LAYERS does not name" ]
}

# bats test_tags=plain-only
@test "no file of lh-serve, lib/serve, lib/distill or lib/manifest calls one that calls it, and no circle has over four files" {
	run -0 "$ROOT/tests/circles" "$ROOT/build/tools/lh-serve" "$ROOT"/build/lib/{serve,distill,manifest}
	run -0 "$ROOT/tests/circles" -n 4 "$ROOT"/build/tools/*/ "$ROOT"/build/lib/*/
	echo 'int b(void); int a(void) { return b(); }' | cc -xc -c -o a.c.o -
	echo 'int c(void); int b(void) { return c(); }' | cc -xc -c -o b.c.o -
	echo 'int c(void) { return 0; }' | cc -xc -c -o c.c.o -
	run -0 "$ROOT/tests/circles" .
	echo 'int a(void); int c(void) { return a(); }' | cc -xc -c -o c.c.o -
	run -1 "$ROOT/tests/circles" .
	[ "$output" = "a.c b.c c.c" ]
	run -1 "$ROOT/tests/circles" -n 2 .
	run -0 "$ROOT/tests/circles" -n 3 .
}

@test "no line of C is over 100 columns" {
	run -0 "$ROOT/tests/columns"
}

@test "a line over 100 columns is found, a tab being 8 and a character one" {
	mkdir -p tree/{lib,tools}
	printf '\t/* %s */\n' "$(repeat 86 é | tr -d '\n')" >tree/lib/fits.c
	printf 'x\t/* %s */\n' "$(repeat 87 é | tr -d '\n')" >tree/tools/wide.h
	run -1 "$ROOT/tests/columns" tree
	[ "$output" = 'tools/wide.h:1: 101 columns' ]
}

# ---- the tests ----

@test "each file of tests is in a folder that tests/README.md has, and begins with what it holds" {
	cd "$ROOT"
	not compgen -G 'tests/*.bats'
	alike <(printf '%s\n' tests/*/*.bats | cut -d/ -f2 | sort -u) \
		<(sed -n 's/^| `\([a-z]*\)\/` | .*/\1/p' tests/README.md | sort)
	[ -z "$(printf '%s\n' tests/*/*.bats | sed 's,.*/,,' | sort | uniq -d)" ]	# logs have these names
	[ -z "$(head -qn 1 tests/*/*.bats | grep -v '^# ')" ]
	[ "$(wc -l <tests/README.md)" -le 75 ]
	run -2 tests/run plain no-such-group
	[ "$output" = "tests/run: no group or file no-such-group in tests/" ]
}

@test "no test has a guard of its own against a hang: patiently is that" {
	not grep -nE '(^|[^-a-z._])timeout [0-9]+ ' "$ROOT"/tests/*/*.bats
}

@test "a folder, a tag, a file and a path name tests; --list says what they hold" {
	cd "$ROOT"
	alike <(tests/run --list models | grep -o '^models/.*\.bats' | sort) <(cd tests && printf '%s\n' models/*.bats)
	alike <(tests/run --list lh-chat.bats) <(tests/run --list tests/models/lh-chat.bats)
	alike <(tests/run --list sizes | grep -o '^[a-z]*/.*\.bats' | sort) <(cd tests && grep -lE '^# bats file_tags=.*sizes' -- */*.bats)
}

@test "of two runs of the tests in one tree, the second is refused before it deletes a log" {
	mkdir -p tree/tests tree/build/log/plain && cp "$ROOT/tests/run" tree/tests
	echo kept >tree/build/log/plain/a.tap
	exec 8>tree/build/run.lock
	flock 8
	run -2 --separate-stderr tree/tests/run plain unit
		[ "$stderr" = "tests/run: another run is at work in this tree" ]
	[ "$(cat tree/build/log/plain/a.tap)" = kept ]
	exec 8>&-
	run tree/tests/run plain unit		# there is no Makefile
	[[ $output = *"FAILED plain: it does not build"* ]]
	[ ! -e tree/build/log/plain/a.tap ]
}

two_lines() {
	[ -e pid ] && [ "$(wc -l <pid)" = 2 ]
}

# tree_of_one TEST - a tree with tests/run and one file of tests, x/one.bats, which has this body.
tree_of_one() {
	mkdir -p tree/tests/x tree/tests/servers
	cp "$ROOT/tests/run" tree/tests
	printf 'all unit lib:\n\t@:\n' >tree/Makefile
	printf '@test "one" {\n%s\n}\n# start_server\n' "$1" >tree/tests/x/one.bats
}

@test "a request to the starter that is written before it has opened the pipe is not lost" {
	tree_of_one 'cd "$BATS_TEST_DIRNAME"; echo asked 1<>"$LH_STARTER"; touch go; until [ -e got ]; do sleep 0.01; done'
	cat >tree/tests/servers/starter.py <<-'END'
	import os, sys, time
	while not os.path.exists("tests/x/go"):
	    time.sleep(0.01)
	with open(sys.argv[1], "r+b", buffering=0) as pipe:
	    assert pipe.readline() == b"asked\n"
	    open("tests/x/got", "w").close()
	    pipe.readline()
	END
	LH_SUMMARY='' HOME=$PWD patiently tree/tests/run plain one.bats >out
	[ "$(tail -n 1 out)" = "1 passed, 0 failed" ]
}

@test "what tests have started ends with the run of the tests, also when that is killed" {
	local pid
	tree_of_one 'sleep 600 3>&- & echo $! >'"$PWD"'/pid; setsid sleep 600 3>&- & echo $! >>'"$PWD"'/pid; sleep 600'
	touch tree/tests/servers/starter.py
	LH_SUMMARY='' tree/tests/run plain one.bats >out 2>&1 3>&- &
	until_so two_lines
	kill -9 $!
	for pid in $(cat pid); do
		until_so not kill -0 "$pid" 2>/dev/null
	done
}

@test "the oracle imports the standard library of Python; cryptography in one program" {
	python3 - "$ROOT"/tests/oracle/*.py >found <<-'END'
	import ast, os, sys
	own = {os.path.basename(path)[:-3] for path in sys.argv[1:]}
	for path in sys.argv[1:]:
	    for node in ast.walk(ast.parse(open(path).read())):
	        names = [a.name for a in node.names] if isinstance(node, ast.Import) else \
	                [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
	        for name in {n.split(".")[0] for n in names} - sys.stdlib_module_names - own:
	            print(os.path.basename(path), name)
	END
	[ "$(sort -u found)" = "transparency.py cryptography" ] || { cat found; return 1; }
}
