# Loaded by the tests of tests/people with "load screen": the tools in a real terminal,
# which is tmux with a server of its own, without a configuration, and a plain shell
# in it whose prompt is "$ ".
#
#     screen_start 80x24 dark|light [NAME=VALUE]...  a terminal; the environment is the
#                                 shell's, without anything of ours
#     screen_type COMMAND         type a line and Enter: a command at the shell's prompt
#     screen_keys KEY...          send keys to what runs, as tmux names them: q Down Tab
#     screen_done                 wait until every command typed has ended
#     screen_run COMMAND          screen_type and screen_done
#     screen_until REGEX          wait until a line of the screen matches (grep -E)
#     screen_is [-e|-n] NAME      the screen is tests/people/screens/NAME.txt, in which an
#                                 escape sequence begins with ␛: its text; with -e its
#                                 styles, too; with -n it has none.  Dark and light are the
#                                 same file: what is written must not depend on it
#     screen_text [-e]            print what is on the screen
#     screen_stop                 end the terminal; also called by teardown
#     on_each_screen BODY [NAME=VALUE]...
#                                 run the function BODY in 80x24, dark and light
#
# LH_SCREENS=write makes screen_is write its file.  A screen with a path, the host's name
# or today's date in it is refused: it would differ elsewhere.  Nothing sleeps: a screen
# that does not come within LH_PATIENCE seconds is a failure, shown.

load ../helper

SCREENS=$BATS_TEST_DIRNAME/screens
SCREEN_SOCKET=

teardown() {
	screen_stop
	faults_happened
}

# The tmux of this terminal.
screen_tmux() {
	env -u TMUX tmux -S "$SCREEN_SOCKET" "$@"
}

screen_start() {
	local background=black foreground=white colors='15;0' home
	command -v tmux >/dev/null || skip "no tmux"
	plain_only "a screen shows what the tools print, which other tests look at there"
	[ -z "$SCREEN_SOCKET" ] || screen_stop
	SCREEN_SIZE=$1 SCREEN_TYPED=0
	[ "$2" = dark ] || background=white foreground=black colors='0;15'
	# a socket's path has 107 bytes at most
	home=$(mktemp -d /tmp/lh-screen.XXXXXX)
	SCREEN_SOCKET=$home/tmux
	# the prompt counts itself in the title, where screen_done finds it
	printf 'PS1="\033]2;\$((prompts=\${prompts:-0}+1))\007$ " PS2="> "\n' >"$home/.shrc"
	env -i PATH="$PATH" LC_ALL=C.UTF-8 TZ=UTC HOME="$home" ENV="$home/.shrc" LESSHISTFILE=- \
		COLORFGBG="$colors" "${@:3}" tmux -u -S "$SCREEN_SOCKET" -f /dev/null \
		start-server \; set -g status off \; set -g default-terminal tmux-256color \; \
		set -g window-style "bg=$background,fg=$foreground" \; set -g allow-rename off \; \
		set -g escape-time 0 \; \
		new-session -d -x "${1%x*}" -y "${1#*x}" -c "$PWD" sh
	screen_done
}

screen_type() {
	SCREEN_TYPED=$((SCREEN_TYPED + 1))
	screen_tmux send-keys -l -- "$1"
	screen_tmux send-keys Enter
}

screen_keys() {
	screen_tmux send-keys -- "$@"
}

screen_is_done() {
	[ "$(screen_tmux display-message -p '#{pane_title}')" = $((SCREEN_TYPED + 1)) ]
}

screen_done() {
	until_so screen_is_done >/dev/null || { echo "the prompt did not come back:"; screen_text; return 1; }
}

screen_run() {
	screen_type "$1"
	screen_done
}

screen_text() {
	local text
	text=$(screen_tmux capture-pane -p "$@")
	printf '%s\n' "${text//$'\033'/␛}"
}

screen_matches() {
	screen_text | has -E -- "$1"
}

screen_until() {
	until_so screen_matches "$1" >/dev/null || { echo "no line matches $1:"; screen_text; return 1; }
}

# screen_same FILE [-e] - whether the screen is the file's.
screen_same() {
	screen_text "${@:2}" | cmp -s - "$1"
}

screen_is() {
	local file want style=() plain='s/␛\[[0-9;:]*m//g' place
	case $1 in
	-e) style=(-e) plain= ;;
	-n) style=(-e) ;;
	esac
	[[ $1 != -* ]] || shift
	file=$SCREENS/$1.txt
	if [ "${LH_SCREENS:-}" = write ] && [ -z "${style[*]}" -o -z "$plain" ]; then
		mkdir -p "$SCREENS"
		screen_text "${style[@]}" >"$file"
	fi
	[ -e "$file" ] || { echo "there is no $file; LH_SCREENS=write writes it"; return 1; }
	want=$BATS_TEST_TMPDIR.screen
	sed "$plain" "$file" >"$want"
	until_so screen_same "$want" "${style[@]}" >/dev/null ||
		{ diff -u "$want" <(screen_text "${style[@]}") || return 1; }
	for place in "$ROOT" "${SCREEN_SOCKET%/*}" "$BATS_TEST_TMPDIR" "$(hostname)" "$(date -u +%F)"; do
		! has -F -- "$place" <"$file" || { echo "$1 has $place in it"; return 1; }
	done
}

screen_stop() {
	[ -n "$SCREEN_SOCKET" ] || return 0
	screen_tmux kill-server || true
	# a shell that ends may still write its history there
	until_so rm -rf "${SCREEN_SOCKET%/*}"
	SCREEN_SOCKET=
}

on_each_screen() {
	local background
	for background in dark light; do
		screen_start 80x24 "$background" "${@:2}"
		echo "in $background:"
		"$1"	# not with ||, in which a failure ends only its own command
		screen_stop
	done
}
