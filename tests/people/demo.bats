# The first things that a new user types: bootstrap, the demo, the tutorial.
# bats file_tags=plain-only,full
load screen

# stubs - a PATH in $PWD/stubs where nothing is missing and make compiles three files.
stubs() {
	local tool
	mkdir -p stubs
	for tool in sh dirname id nproc printf env cat grep mktemp rm; do
		ln -s "$(type -P "$tool")" "stubs/$tool"
	done
	printf '#!/bin/sh\necho installed\n' >stubs/dpkg-query
	cp stubs/dpkg-query stubs/apt-get
	cat >stubs/make <<'END'
#!/bin/sh
[ "$1" != -n ] || { for f in a b c; do echo "echo '  CC     $f.c'"; done; exit; }
echo '  CC     a.c'
echo 'b.c:1:5: warning: a line of the compiler that says what it thinks, at length' >&2
echo '  CC     b.c'
[ ! -p pause ] || cat pause
echo '  CC     c.c'
END
	chmod +x stubs/make stubs/dpkg-query stubs/apt-get
	cp "$ROOT/bootstrap" .
}

@test "bootstrap counts in one line, and leaves the warnings and one line" {
	stubs
	each() {
		rm -f pause
		mkfifo pause
		screen_type 'clear; PATH=$PWD/stubs ./bootstrap all'
		screen_until '^bootstrap: building  2/3$'
		[ "$(screen_text | grep -c '^bootstrap')" = 1 ]
		: >pause
		screen_done
		rm pause
		screen_is bootstrap
	}
	on_each_screen each
}

@test "the demo's last screen says what to do next, and fits" {
	mkdir -p build bin share
	cp -r "$ROOT/share/demo" share/
	ln -s "$LH_BIN"/lh* bin/
	printf '#!/bin/sh\nexit 1\n' >bin/apt-get
	chmod +x bin/apt-get
	each() {
		screen_run 'clear; share/demo/demo'
		screen_until '^== What next ==$'
		screen_text | sed -n '/^== What next/,$p' >next
		has '^  lh help tutorial    fifteen minutes' <next
		has '^All files are in build/demo: .* indexes\.$' <next
		# the command that it offers, as it is offered
		screen_run 'clear; PATH=$PWD/bin:$PATH'
		screen_run "$(sed -n '/^  lh-search/,/^ *jq/s/^  //p' next | tr -d '\n')"
		screen_until '^w-[0-9]+$'
	}
	on_each_screen each
}

@test "the tutorial's search looks as it should" {
	lh-gen workers -n 2000 >workers.jsonl
	lh-index build workers.lhv workers.jsonl
	sed 's/\\e/\\/g' "$ROOT/man/lakehouse-tutorial.7" | sed -n '/^lh-search -k 3 --flat -Q .Need/,/^\.Ed/p' | grep -v '^\.Ed' >commands
	[ "$(wc -l <commands)" -ge 2 ]
	each() {
		screen_run 'clear'
		screen_run "$(sed 's/ \\$//' commands | head -n 2 | tr -d '\n')"
		screen_run "$(tail -n +3 commands | tr -d '\n')"
		screen_is tutorial-search
	}
	on_each_screen each
}

@test "lh help tutorial opens in the pager of man, and q leaves it" {
	command -v man >/dev/null || skip "man is not installed"
	each() {
		screen_type 'clear; lh help tutorial'
		screen_until '^ Manual page lakehouse-tutorial\.7 line 1'
		screen_until '^ +lakehouse-tutorial — fifteen minutes, from nothing to an audited pipeline$'
		screen_keys q
		screen_done
		screen_until '^\$ *$'
	}
	on_each_screen each
	on_each_screen each NO_COLOR=1
}
