# Indexes with a graph pass the tests that are marked "graphs", as small ones without one do in the
# files themselves.
# bats file_tags=full,long
load ../helper
load ../index

# over_graph FILE - run the marked tests of a file.
over_graph() {
	local name unset=()
	for name in ${!BATS_@}; do
		unset+=(-u "$name")
	done
	LH_TEST_GRAPH=1 env "${unset[@]}" bats --tap --filter-tags graphs "$ROOT/tests/search/$1.bats" >tap 2>&1 3>&- || { grep -v '^ok' tap; return 1; }
	grep -q '^ok [0-9]* [^#]*$' tap
}

# bats test_tags=full
@test "faults, changes, damage, merges, dumps and moves" {
	local file
	for file in lh-index-faults lh-index lh-index-move; do
		over_graph $file
	done
}

# bats test_tags=full,plain-only
@test "searches: filtered, of several corpora, of a folder, with playbooks, by vector and words" {
	local file
	for file in lh-search lh-search-hybrid lh-search-wire; do
		over_graph $file
	done
}
