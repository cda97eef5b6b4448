# lh-subject, all of it: persons with random markers in every kind of place, of whom half is erased.
# bats file_tags=plain-only
load ../helper
load ../subject

# markers_py COMMAND... - the generator, and the searcher of what is left.
markers_py() {
	python3 "$ROOT/tests/subject/markers.py" "$@"
}

# marked N M - a state of N persons, each with M markers.
marked() {
	eval "$(declare -f make_state | sed '1s/make_state/make_plain_state/')"
	make_state() {
		markers_py make "$1" "$MARKERS" $KINDS >"persons.$1"
		make_plain_state "$1"
	}
	MARKERS=$2 a_state "$1"
	mv cache.db s/exports/
	cp "$BATS_FILE_TMPDIR/state.$1/persons.$1" .
}

# bats test_tags=full
@test "every marker is in some byte of the state that is made, and is seen there" {
	n=$(scale 4 100)
	marked "$n" "$(scale 26 100)"
	markers_py count s "persons.$n" >got
	jq -e '.kept == .kept_of and .of == 0' got >/dev/null || { cat got; return 1; }
	run -1 markers_py count s "persons.$n" w-2
	jq -e '.left == .of' <<<"${lines[0]}" >/dev/null
}

@test "after half of the persons are erased no byte has a marker of theirs, and all of the others are there" {
	n=$(scale 4 1000)
	marked "$n" "$(scale 26 100)"
	sound
	for i in $(seq 2 2 "$n"); do
		email=$(jq -r "select(.n == $i) | .m.email" "persons.$n")@example.com
		lh-subject erase --state s --cache s/exports/cache.db --also "$email" --apply --reason test -q "w-$i" >erased || [ $? = 1 ]
		jq -es 'last.state == "erased"' erased >/dev/null || { cat erased; return 1; }
		# erase writes a receipt only after such a search of its own
		[ $((i % 50)) != 2 ] || lh-subject verify --state s "w-$i" >verified || [ $? = 1 ]
		jq -es 'last.left == 0' verified >/dev/null || { cat verified; return 1; }
	done
	markers_py count s "persons.$n" $(seq -f 'w-%g' 2 2 "$n") >got || { cat got; return 1; }
	jq -e '.left == 0 and .of > 0 and .kept == .kept_of' got >/dev/null || { cat got; return 1; }
	for i in $(seq 1 2 "$n"); do
		lh-subject find --state s "w-$i" >found
		jq -es 'last.found > 15' found >/dev/null
	done
	sound
}
