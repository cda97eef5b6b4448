# lh-show in a terminal.
# bats file_tags=plain-only,full
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
		screen_is -e show-table
	}
	on_each_screen each
}

@test "with NO_COLOR nothing is coloured, and --color asks for it again" {
	each() {
		screen_run 'clear; lh-show hits.jsonl; lh-show mixed.jsonl'
		screen_is -n show-table
		screen_run 'clear; lh-show --color always hits.jsonl; lh-show --color always mixed.jsonl'
		screen_text -e | has ␛
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
		screen_run 'clear; PAGER=cat lh-show many.jsonl | tail -n 2'
		screen_until '^ *60  true$'
		screen_run 'clear; PAGER="tail -n 1" lh-show many.jsonl'
		screen_until '^ *60  true$'
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
	each() {
		screen_run 'clear; PAGER="exit 3" lh-show many.jsonl; echo "status $?"'
		screen_until '^lh-show: the pager ended with status 3$'
		screen_until '^status 2$'
		screen_run "clear; PAGER='kill -9 \$\$' lh-show many.jsonl; echo \"status \$?\""
		screen_until '^lh-show: the pager was ended by signal 9$'
		screen_until '^status 2$'
		screen_run 'clear; PAGER="head -n 1" lh-show hits.jsonl; echo "status $?"'
		screen_until '^status 0$'
		screen_run 'clear; PAGER=absent lh-show many.jsonl; echo "status $?"'
		screen_until '^lh-show: the pager "absent" cannot be run$'
		screen_until '^status 2$'
	}
	on_each_screen each
}

@test "two records side by side, and a card, in colour" {
	each() {
		screen_run 'clear; lh-show --diff many.jsonl; lh-show --card mixed.jsonl'
		screen_is -e show-diff
	}
	on_each_screen each
}
