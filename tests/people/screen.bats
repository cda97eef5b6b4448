# The terminal that the tests of this folder use: what it has to notice.
# bats file_tags=plain-only,full
load screen

colors() {
	screen_run "printf '\033[32mgreen\033[0m\n'; stty size; echo äöü 日本"
}

@test "a screen is compared, its text and its styles, on each background" {
	each() {
		colors
		screen_is -e screen
	}
	on_each_screen each
}

@test "a wrong screen, a wrong style and a screen that is not known are failures" {
	SCREENS=$BATS_TEST_TMPDIR
	screen_start 80x24 dark
	colors
	LH_SCREENS=write screen_is -e wrong
	screen_is wrong
	screen_is -e wrong
	LH_PATIENCE=1
	run -1 screen_is -n wrong
	[[ $output == *-*green*+*32mgreen* ]]
	sed -i '/␛/s/32m/31m/' wrong.txt
	screen_is wrong
	run -1 screen_is -e wrong
	[[ $output == *-*31mgreen*+*32mgreen* ]]
	sed -i '/␛/s/green/grown/' wrong.txt
	run -1 screen_is wrong
	[[ $output == *-grown*+green* ]]
	run -1 screen_is unknown
	[[ $output == *"there is no "*unknown.txt* ]]
}

@test "a body that fails before its end, on any screen, is a failure" {
	screens="screen_start() { :; }; screen_stop() { :; }; $(declare -f on_each_screen)"
	run -1 bash -ec "$screens; body() { false; true; }; on_each_screen body"
	[ "$output" = "in dark:" ]
	run -0 bash -ec "$screens; body() { true; }; on_each_screen body"
	[ "${#lines[@]}" = 2 ]
}

@test "what does not come is a failure that shows the screen" {
	screen_start 80x24 light
	screen_run 'echo here'
	screen_until '^here$'
	LH_PATIENCE=1
	run -1 screen_until '^there$'
	[[ $output == *"no line matches ^there$:"*here* ]]
	screen_type 'cat'
	run -1 screen_done
	[[ $output == "the prompt did not come back:"*cat* ]]
	LH_PATIENCE=600
	screen_keys C-d
	screen_done
}

@test "a screen with a path, the host or the date in it is refused" {
	SCREENS=$BATS_TEST_TMPDIR/screens
	screen_start 80x24 dark
	screen_run 'echo "$HOME"'
	LH_SCREENS=write run -1 screen_is home
	[[ $output == *"home has /tmp/"* ]]
	screen_run 'clear; date +%F'
	LH_SCREENS=write run -1 screen_is today
	[[ $output == "today has 2"* ]]
	screen_run 'clear; hostname'
	LH_SCREENS=write run -1 screen_is host
	[[ $output == "host has "* ]]
}

@test "nothing of the environment of the tests reaches the terminal's shell" {
	SECRET=x NO_COLOR=1 screen_start 80x24 dark ASKED=yes
	screen_run 'env | cut -d= -f1 | grep -v "^_$" | sort | xargs'
	screen_until '^ASKED COLORFGBG ENV HOME LC_ALL LESSHISTFILE PATH PWD SHELL SHLVL TERM '
	not screen_matches 'SECRET|NO_COLOR|BATS'
}
