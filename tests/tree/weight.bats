# How much there is of the tree: a step that makes it heavier changes a number here.
# Plain only: it looks at the tree.
# bats file_tags=plain-only,quick
load ../helper

# lines FOLDER... - of C and C++ below these.
lines() {
	(cd "$ROOT" && find "$@" -type f \( -name '*.[ch]' -o -name '*.inc' -o -name '*.cc' \) -exec cat {} +) | wc -l
}

@test "lib, tools and tests have no more lines and files than this" {
	code=$(lines lib tools)
	files=$(cd "$ROOT" && find lib tools -type f \( -name '*.[ch]' -o -name '*.inc' -o -name '*.cc' \) | wc -l)
	tests=$(cd "$ROOT" && find tests -type f -not -path '*/fuzz/corpus/*' -not -name '*.pyc' -not -name '*.gz' -exec cat {} + | wc -l)
	echo "# $code lines of C in $files files, $tests lines of tests; to become 174000 in 600, and 82000" >&3
	for room in "$ROOT"/lib/* "$ROOT"/tools/*; do
		[ ! -d "$room" ] || echo "$(lines "${room#"$ROOT"/}") ${room#"$ROOT"/}"
	done | sort -rn | head -n 10 | sed 's/^/# /' >&3
	[ "$code" -le 184005 ]
	[ "$files" -le 607 ]
	[ "$tests" -le 91921 ]
}

@test "no tool but lh-serve, lh-index and lh-subject has more than 5,500 lines" {
	for tool in "$ROOT"/tools/*/; do
		name=$(basename "$tool")
		[[ $name == lh-@(serve|index|subject) ]] || [ "$(lines "tools/$name")" -le 5500 ] || { echo "$name"; return 1; }
	done
}
