# The tutorial, typed as it is shown: tests/walk compares what its commands print.
# Plain only: scripts of share/ and examples of the manual, over commands that other
# files test.
# bats file_tags=plain-only
load ../helper

# sources - a folder as that of the sources, in which bootstrap has nothing to do.
sources() {
	mkdir sources walk
	printf '#!/bin/sh\n' >sources/bootstrap
	chmod +x sources/bootstrap
	ln -s "$LH_BIN" sources/bin
	ln -s "$ROOT/share" sources/share
	export HOME=$PWD WALK=$PWD/walk
	cd sources
}

@test "each command of the tutorial prints what the page shows" {
	sources
	SUBSTITUTE=3110:$(free_port) run -0 "$ROOT/tests/walk" "$ROOT/man/lakehouse-tutorial.7"
	[[ $output =~ ^([0-9]+)\ steps,\ 0\ of\ them ]]
	[ "${BASH_REMATCH[1]}" -ge 20 ]
	[ ! -e "$HOME/tutorial" ]
}

@test "a step of the tutorial that prints something else is shown, and is exit 1" {
	sources
	sed 's/^2000 workers/2001 workers/; /^echo \$?$/d' "$ROOT/man/lakehouse-tutorial.7" >wrong.7
	SUBSTITUTE=3110:$(free_port) run -1 "$ROOT/tests/walk" wrong.7
	[[ $output == *$'--- the page shows\n2001 workers.jsonl'*$'--- it prints\n2000 workers.jsonl'* ]]
	[[ $output == *"steps, 3 of them"* ]]
}

@test "the tutorial fits 80 columns" {
	mandoc -Tutf8 -Owidth=80 "$ROOT/man/lakehouse-tutorial.7" | sed 's,.\x08,,g' >page
	[ "$(wc -l <page)" -gt 100 ]
	not env LC_ALL=C.UTF-8 grep -nE '.{81}' page
}

@test "the Markdown of share/doc is what share/doc/markdown makes of the manual" {
	for page in tutorial recipes; do
		alike <(cd "$ROOT" && share/doc/markdown "man/lakehouse-$page.7") "$ROOT/share/doc/$page.md"
	done
	[ "$(grep -c '^```sh$' "$ROOT/share/doc/tutorial.md")" -ge 20 ]
}
