# Messages, help, progress and lh doctor, as a person sees them.
# bats file_tags=plain-only,full
load screen

@test "in messages the names and places stand out from the text" {
	printf '%s\n' '{"id":"a","text":"welder"}' '{"id":"b"}' '{"id":"c",}' >workers.jsonl
	each() {
		screen_run 'lh-embed --dimension 64 workers.jsonl >/dev/null; lh-embed --nonsense; lh-embed -v --help absent >/dev/null'
		screen_is -e messages
	}
	on_each_screen each
	plain() {
		screen_run 'lh-embed --dimension 64 workers.jsonl >/dev/null; lh-embed --nonsense; lh-embed -v --help absent >/dev/null'
		screen_is -n messages
	}
	on_each_screen plain NO_COLOR=1
}

@test "help has bold headings and fits the screen" {
	each() {
		screen_run 'clear; lh-extract-json --help'
		screen_is -e help
	}
	on_each_screen each
	plain() {
		screen_run 'clear; lh-extract-json --help'
		screen_is -n help
	}
	on_each_screen plain NO_COLOR=1
}

@test "the list of the tools has bold families" {
	screen_start 80x50 dark
	screen_run 'clear; lh --all'
	screen_until '^  lh-embed '
	screen_text -e | has '^␛\[1msearch'
	screen_run 'clear; lh --all | head -n 3'
	screen_until '^  lh-embed '
	screen_text -e | has '^search$'
	screen_run 'clear; lh'
	screen_is -e lh
}

# feed - a command line that keeps a filter at work until the file stop exists.
feed() {
	echo "{ while [ ! -e stop ]; do echo '{\"text\":\"x\"}'; sleep 0.05; done; } | $1; rm stop"
}

@test "progress is one line, fits, and is gone at the end" {
	each() {
		screen_run clear
		screen_type "$(feed 'lh-embed --dimension 64 >/dev/null')"
		screen_until '^lh-embed: [0-9]+ records, [0-9]+/s$'
		[ "$(screen_text | grep -c 'records')" = 1 ]
		touch stop
		screen_done
		[ "$(screen_text | grep -c 'records, ')" = 0 ]
		[ "$(screen_text | grep -cx '\$')" = 1 ]
	}
	on_each_screen each
}

@test "progress of 20 columns leaves out what does not fit, and never wraps" {
	screen_start 20x10 dark
	feed 'lh-embed --dimension 64 >/dev/null' >feed
	screen_type '. ./feed'
	screen_until '^[0-9]+ records(, [0-9]+/s)?$'
	[ "$(screen_text | grep -c '[a-z]')" = 2 ]
	touch stop
	screen_done
	[ "$(screen_text | grep -c '[a-z]')" = 1 ]
}

@test "a window that becomes narrower under a line of progress is left with nothing of it" {
	screen_start 80x24 light
	feed 'lh-embed --dimension 64 >/dev/null' >feed
	screen_type '. ./feed'
	screen_until '^lh-embed: [0-9]+ records, [0-9]+/s$'
	screen_tmux resize-window -x 24 -y 24
	screen_until '^[0-9]+ records, [0-9]+/s$|^lh-embed: [0-9]+ records$'
	[ "$(screen_text | grep -c 'records')" = 1 ]
	touch stop
	screen_done
	# tmux moves lines into its history to make place
	[ "$(screen_text -S - | tr -d '\n')" = '$ . ./feed$' ]
}

@test "a message takes the place of the line of progress, which goes on below it" {
	screen_start 80x24 dark
	echo "{ while [ ! -e stop ]; do sleep 0.05; [ ! -e bad ] || { rm bad; echo '{}'; }; echo '{\"text\":\"x\"}'; done; } | lh-embed --dimension 64 >/dev/null; rm stop" >feed
	screen_type '. ./feed'
	screen_until '^lh-embed: [0-9]+ records, [0-9]+/s$'
	touch bad
	screen_until '^lh-embed: -:[0-9]+: missing '
	screen_until '^lh-embed: [0-9]+ records, [0-9]+/s$'
	[ "$(screen_text | grep -c 'lh-embed: [0-9]* records')" = 1 ]
	touch stop
	screen_until '^lh-embed: 1 of [0-9]+ records rejected$'
	screen_done
	[ "$(screen_text | grep -c '^[^ ]')" = 4 ]
}

@test "records written to the terminal do not mix with the line of progress" {
	screen_start 80x24 dark
	echo "{ echo '{\"a\":1}'; until [ -e more ]; do echo '{'; sleep 0.05; done; echo '{\"a\":2}'; until [ -e stop ]; do sleep 0.05; done; } | lh-extract-json --progress always -q" >feed
	screen_type '. ./feed'
	screen_until 'records, [0-9]+/s$'
	touch more stop
	screen_done
	[ "$(screen_text | grep -c 'records, [0-9]*/s')" = 0 ]
}

@test "a key that ends a tool leaves nothing of its line of progress" {
	screen_start 80x24 dark
	feed 'lh-embed --dimension 64 >/dev/null' >feed
	screen_type '. ./feed'
	screen_until '^lh-embed: [0-9]+ records, [0-9]+/s$'
	screen_keys C-c
	screen_done
	[ "$(screen_text | grep -c 'records')" = 0 ]
}

@test "a bar shows the share that is done, and the time that is left" {
	screen_start 80x24 dark
	screen_type 'lh-gen workers -n 20000000 --progress always >/dev/null'
	screen_until '^lh-gen: [0-9]+ % \[=*>? *\] [0-9.]+ (s|min|h) left$'
	screen_tmux resize-window -x 20 -y 10
	screen_until '^[0-9]+ %, [0-9.]+ (s|min|h) left$'
	screen_keys C-c
	screen_done
	[ "$(screen_text | grep -c '%')" = 0 ]
}


@test "lh doctor prints rows in colour" {
	mkdir -p tmp data
	touch -d '1 hour ago' data/audit.key
	chmod 640 data/audit.key
	each() {
		screen_run "clear; lh doctor --color ${1-always} data | grep -E ' (key|tools) ' | sed 's/[0-9]* of [0-9]* of/N of N of/'"
		screen_is "${2--e}" doctor
	}
	on_each_screen each TMPDIR="$PWD/tmp" TERM=xterm
	plain() {
		each auto -n
	}
	on_each_screen plain TMPDIR="$PWD/tmp" NO_COLOR=1
}
