# TAB in bash, zsh and fish, as a person presses it.
# bats file_tags=plain-only,full
load screen

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir files
	for shell in bash zsh fish; do
		lh completion $shell >lh.$shell
	done
	cd files || return 1
	touch a.lhv 'my workers.lhv' workers.jsonl notes.txt
	printf '%s\n' 'PS1="$ "' 'bind "set bell-style none"' '. ../lh.bash' clear >../start.bash
	printf '%s\n' 'PS1="$ "' 'unsetopt beep' 'autoload -Uz compinit' 'compinit -u -D' \
		'. ../lh.zsh' clear >../start.zsh
	printf '%s\n' "function fish_prompt; echo -n '\$ '; end" 'function fish_greeting; end' \
		'set -g fish_autosuggestion_enabled 0' 'source ../lh.fish' clear >../start.fish
}

# enter SHELL - leave sh for that shell, with an empty screen.
enter() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
	case $1 in
	bash) screen_type 'bash --norc --noprofile' ;;
	zsh) screen_type 'zsh -f' ;;
	fish) screen_type 'fish --no-config' ;;
	esac
	screen_type ". ../start.$1; echo 'in '$1"
	screen_until "^in $1\$"
	# what is typed before the prompt is there is echoed by the terminal
	screen_until '^\$ *$'
}

# press TEXT - type it, and TAB.
press() {
	screen_tmux send-keys -l -- "$1"
	screen_keys Tab
}

# tabs SHELL - each screen is compared when its last text has come.
tabs() {
	enter "$1"
	press 'lh-search --wh'
	screen_until '^\$ lh-search --where'
	screen_keys C-u
	press 'lh-search my'
	screen_until '^\$ lh-search my\\ workers.lhv'
	screen_keys C-u
	press 'lh index bui'
	screen_until '^\$ lh index build'
	screen_keys C-u
	press 'lh-search --on-error=sk'
	screen_until '^\$ lh-search --on-error=skip'
	screen_is "complete-$1-value"
	screen_keys C-u
	# what fits is listed, with what it does where the shell shows that
	press 'lh-search --play'
	screen_until '^\$ lh-search --playbook'
	screen_keys Tab Tab
	screen_until '(^| )-?-?playbooks'
	[ "$1" = bash ] || screen_until 'let queries use'
	screen_is "complete-$1-options"
	screen_keys C-u
	press 'lh index '
	[ "$1" != bash ] || screen_keys Tab
	screen_until '(^| )merge'
	screen_is "complete-$1-commands"
}

# What a shell lists does not depend on the background, nor on NO_COLOR.
each_way() {
	each() { tabs "$shell"; }
	shell=$1
	on_each_screen each
	screen_start 80x24 dark NO_COLOR=1
	each
}

@test "TAB completes in bash" {
	each_way bash
}

@test "TAB completes in zsh" {
	each_way zsh
}

@test "TAB completes in fish" {
	each_way fish
}
