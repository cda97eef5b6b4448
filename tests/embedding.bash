# What the tests of lh-embed's engines across a network share; each has an embed of its own.

texts() {
	local t
	for t; do printf '{"text":"%s"}\n' "$t"; done
}

# fails_saying PATTERN [OPTION]... : two texts; exit 2, one line that matches, no output
fails_saying() {
	local pattern=$1
	shift
	texts a b > in
	run -2 --separate-stderr embed "$@" in
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == lh-embed:*$pattern* ]] || { echo "$stderr"; return 1; }
	[[ $stderr != *$'\e'* ]]
}
