# What the version before had: each tool, command, option, value and kind of file that is gone
# says in one line what to do in place of it.
# bats file_tags=quick
load ../helper

# Each entry as TOOL|WHAT; one of any tool is tried with lh-embed.
entries() {
	sed -nE 's/^\t\{ "([a-z-]*)", "([^"]*)",( ".*|)$/\1|\2/p' "$ROOT/lib/base/gone.c" | sed 's/^|/lh-embed|/'
}

# says TEXT COMMAND... - exit 2, nothing on stdout, one line on stderr that begins so.
says() {
	local want=$1
	shift
	run --separate-stderr "$@" </dev/null
	[ "$status" = 2 ] && [ -z "$output" ] && [ "${#stderr_lines[@]}" = 1 ] && [[ $stderr == "$want is no more: "?* ]] ||
		{ echo "$*: exit $status, stdout $output, stderr $stderr"; return 1; }
}

@test "each tool, command, option and value that is gone says what to do" {
	[ "$(entries | wc -l)" -gt 0 ]
	[ "$(entries | wc -l)" = "$(grep -c '^	{ "' "$ROOT/lib/base/gone.c")" ]
	while IFS='|' read -r tool what; do
		case $what in
		'') says "lh: $tool" lh "${tool#lh-}" && says "lh: $tool" lh "$tool" --help && [ ! -e "$ROOT/tools/$tool" ] ;;
		file\ *) ;;
		layout\ *) says "lh-index: $what" lh-index build --layout "${what#* }" x.lhv ;;
		*) says "$tool: $what" "$tool" "$what" ;;
		esac
	done < <(entries)
}

@test "a plan of shards in the place of an index says what to do" {
	printf '{"format":1,"by":"hash","dimension":2,"model":null,"shards":[{"file":"p.0-of-1.a.lhv","length":40960,"checksum":"0123456789abcdef"}]}\n' >p.json
	run -2 lh-index info p.json
	[[ $output == *'p.json: this is a plan of shards, which is no more: name the indexes of its shards, or join answers by lh-merge'* ]]
}
