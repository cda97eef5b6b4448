# For the measurements in bench/*.sh: source "$ROOT/bench/lib.bash".

# seconds COMMAND... - wall time of one run, its output thrown away.
seconds() {
	local from=$EPOCHREALTIME
	"$@" >/dev/null
	awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.6f\n", b - a }'
}

# median - of the numbers on stdin.
median() {
	sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# versus WHAT ROUNDS OURS PEER - two commands (shell text), run in turn; prints
# the medians of their seconds, and of peer/ours over the rounds.
versus() {
	local what=$1 rounds=$2 ours=$3 peer=$4 a b i dir
	dir=$(mktemp -d)
	for ((i = 0; i < rounds; i++)); do
		a=$(seconds bash -c "$ours")
		b=$(seconds bash -c "$peer")
		echo "$a" >>"$dir/a"
		echo "$b" >>"$dir/b"
		awk -v a="$a" -v b="$b" 'BEGIN { print b / a }' >>"$dir/ratio"
	done
	printf '%s\t%.4f s\t%.4f s\t%.2f\n' "$what" "$(median <"$dir/a")" "$(median <"$dir/b")" "$(median <"$dir/ratio")"
	rm -r "$dir"
}

# tree_before GOAL... - build the revision BEFORE in a folder of its own, by these goals of make,
# and set before to its programs; where it is not to be had, say why and return 1.
tree_before() {
	local tree commit why='BEFORE names no revision'
	before=
	if [ -n "${BEFORE:-}" ]; then
		if ! command -v git >/dev/null; then
			why='there is no git'
		elif ! commit=$(git -C "$ROOT" rev-parse -q --verify "$BEFORE^{commit}" 2>/dev/null); then
			why="there is no revision $BEFORE"
		else
			tree=$ROOT/build/bench/before-$commit
			[ -d "$tree" ] || { mkdir -p "$tree" && git -C "$ROOT" archive "$commit" | tar -xC "$tree"; }
			make -s -j 2 -C "$tree" "$@" >"$tree.log" 2>&1 && before=$tree/bin && return
			why="it does not build, see $tree.log"
		fi
	fi
	echo "the tree before is left out: $why"
	return 1
}
