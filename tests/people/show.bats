# lh-show in a terminal.
# bats file_tags=plain-only
load screen

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >hits.jsonl <<-'END'
	{"query_text":"welder in Toledo","results":[{"id":"w-2","distance":0.30947557,"corpus":"day","metadata":{"candidate_id":"w-2","name":"Brittany Lewis","role":"Welder","city":"Toledo","state":"OH","skills":["stainless","blueprint reading","flux core","grinding","TIG"]}},{"id":"w-29","distance":0.4473961,"corpus":"night","metadata":{"candidate_id":"w-29","name":"三宅 美香","role":"Shipping Clerk","city":"Cincinnati","state":"OH","skills":["customs forms","Excel"]}}]}
	END
	printf '{"id":1,"category":"accepted","evidence_run_id":"r","note":"\\u001b[31mred"}\nnot JSON\n' >mixed.jsonl
	for ((i = 1; i <= 60; i++)); do echo '{"number":'$i',"even":'$([ $((i % 2)) = 0 ] && echo true || echo null)'}'; done >many.jsonl
}

@test "a table fits the terminal, in its colours, on a dark and on a light background" {
	each() {
		screen_run 'clear; lh-show hits.jsonl; lh-show mixed.jsonl'
		screen_is show-table
		screen_is -e show-table
	}
	on_each_screen each
}

@test "with NO_COLOR nothing is coloured, and --color asks for it again" {
	each() {
		screen_run 'clear; lh-show hits.jsonl'
		screen_is -e show-plain
		screen_run 'clear; lh-show --color always hits.jsonl'
		screen_is -e show-always
	}
	on_each_screen each NO_COLOR=1
}

@test "a pager shows what is longer than the screen, and q leaves it" {
	each() {
		screen_type 'clear; lh-show many.jsonl; echo "status $?"'
		screen_until '^:$'
		screen_is show-pager
		screen_keys q
		screen_done
		screen_until '^status 0$'
		screen_run 'clear; lh-show --no-pager many.jsonl | tail -n 2'
		screen_until '^ *60  true$'
		screen_run 'clear; LH_PAGER="tail -n 1" lh-show many.jsonl'
		screen_until '^ *60  true$'
	}
	on_each_screen each
}

@test "what a pager gets has no progress in it, and colours that less shows as colours" {
	each() {
		screen_run 'clear; (sed 1q many.jsonl; sleep 0.5; tail -n 2 many.jsonl) | LH_PAGER="cat -v >paged" lh-show --sample 1'
		screen_run 'clear; grep -c lh-show: paged'
		screen_until '^0$'
		grep -q '60' paged
		screen_type 'clear; PAGER=less lh-show many.jsonl; echo "status $?"'
		screen_until '^number  even$'
		screen_keys q
		screen_done
		screen_run 'clear; PAGER=absent lh-show many.jsonl; echo "status $?"'
		screen_until '^lh-show: the pager "absent" cannot be run$'
		screen_until '^status 2$'
	}
	on_each_screen each
}

@test "after the user has left the pager, it ends, also when no record comes" {
	mkfifo records
	each() {
		sleep 600 3>&- >records &
		screen_type 'clear; lh-show --sample 1 records; echo "status $?"'
		cat many.jsonl >records
		screen_until '^:$'
		screen_keys q
		screen_done
		screen_until '^status 0$'
		kill $!
	}
	on_each_screen each
}

# runs COMMAND - it is in the foreground of the screen.
runs() {
	[ "$(screen_tmux display-message -p '#{pane_current_command}')" = "$1" ]
}

@test "what a user types is shown at ^D, and ^C ends it: there is no pager" {
	each() {
		for input in '' - /dev/tty; do
			screen_type "clear; lh-show $input; echo \"status \$?\""
			if [ "$input" = /dev/tty ]; then
				until_so runs lh-show	# so that "clear" has ended
			else
				screen_until '^lh-show: reading JSONL from the terminal$'
			fi
			screen_keys '{"a":1}' Enter C-d
			screen_done
			screen_until '^\{"a":1\}$'
			screen_until '^ 1$'
			screen_until '^status 0$'
		done
		screen_type 'clear; lh-show'
		screen_until '^lh-show: reading JSONL from the terminal$'
		screen_keys C-c
		screen_done
	}
	on_each_screen each
}

@test "^C ends it while it waits for the first record" {
	mkfifo records
	each() {
		screen_type 'clear; lh-show records'
		exec 7>records		# waits for the reader
		screen_keys C-c
		screen_done
		exec 7>&-
	}
	on_each_screen each
}

@test "a pager that fails is exit 2, and one that the user leaves is not" {
	mkfifo records
	help() { screen_matches 'SUMMARY OF LESS COMMANDS' || { screen_keys h; false; }; }
	each() {
		local pager
		screen_run 'clear; LH_PAGER="exit 3" lh-show many.jsonl; echo "status $?"'
		screen_until '^lh-show: the pager ended with status 3$'
		screen_until '^status 2$'
		screen_run 'clear; LH_PAGER="cat >/dev/full" lh-show many.jsonl; echo "status $?"'
		screen_until '^lh-show: the pager ended with status 1$'
		screen_until '^status 2$'
		screen_run "clear; LH_PAGER='kill -9 \$\$' lh-show many.jsonl; echo \"status \$?\""
		screen_until '^lh-show: the pager was ended by signal 9$'
		screen_until '^status 2$'
		for pager in 'head -n 1' 'exec <&-' 'less -+F' 'less -F'; do
			screen_type "clear; LH_PAGER='$pager' lh-show hits.jsonl; echo \"status \$?\""
			if [ "$pager" = "less -+F" ]; then
				screen_until '^\(END\)'
				screen_keys C-c
				until_so help	# less has taken the ^C
				screen_keys q
				screen_until '^\(END\)'
				screen_keys q
			fi
			screen_done
			screen_until '^status 0$'
		done
		screen_type 'clear; lh-show --sample 1 records; echo "status $?"'
		exec 7>records
		cat many.jsonl >&7
		screen_until '^:$'
		screen_keys G		# less waits for the end of the input, and has no prompt
		until_so not screen_matches '^:$'
		screen_keys C-c
		screen_until '^:$'
		screen_keys q
		screen_done
		exec 7>&-
		screen_until '^status 0$'
	}
	on_each_screen each
}

@test "each card begins a screen of the pager" {
	each() {
		screen_type 'clear; lh-show --card many.jsonl'
		screen_until '^:$'
		screen_is show-card
		screen_keys Space
		screen_until '^--- many.jsonl:2 -'
		screen_is -e show-card-2
		screen_keys q
		screen_done
	}
	on_each_screen each
}

@test "two records side by side, and JSON, in colour" {
	each() {
		screen_run 'clear; lh-show --diff many.jsonl; lh-show --json mixed.jsonl'
		screen_is show-diff
		screen_is -e show-diff
	}
	on_each_screen each
}
