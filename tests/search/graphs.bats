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
@test "faults" {
	over_graph lh-index-faults
}

# bats test_tags=full
@test "changes, damage, merges and dumps" {
	over_graph lh-index
}

# bats test_tags=full
@test "moves" {
	over_graph lh-index-move
}

# bats test_tags=full,plain-only
@test "searches, filtered, of several corpora, and with playbooks" {
	over_graph lh-search
}

# bats test_tags=full,plain-only
@test "searches by vector and words" {
	over_graph lh-search-hybrid
}

# bats test_tags=full,plain-only
@test "searches of a folder" {
	over_graph lh-search-wire
}
