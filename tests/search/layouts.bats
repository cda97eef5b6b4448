# Indexes of layout qg pass the tests that are marked "layouts", as those of layout hnsw do
# in the files themselves.
# bats file_tags=full,long
load ../helper
load ../index

# over_qg FILE - run the marked tests of a file.
over_qg() {
	local name unset=()
	for name in ${!BATS_@}; do
		unset+=(-u "$name")
	done
	LH_TEST_LAYOUT=qg env "${unset[@]}" bats --tap --filter-tags layouts "$ROOT/tests/search/$1.bats" >tap 2>&1 3>&- || { grep -v '^ok' tap; return 1; }
	grep -q '^ok [0-9]* [^#]*$' tap
}

# bats test_tags=full
@test "faults" {
	over_qg lh-index-faults
}

# bats test_tags=full
@test "changes, damage, merges and dumps" {
	over_qg lh-index
}

# bats test_tags=full
@test "moves" {
	over_qg lh-index-move
}

# bats test_tags=full,plain-only
@test "searches, filtered, of several corpora, and with playbooks" {
	over_qg lh-search
}

# bats test_tags=full,plain-only
@test "searches by vector and words" {
	over_qg lh-search-hybrid
}

# bats test_tags=full,plain-only
@test "searches of a folder" {
	over_qg lh-search-wire
}

# bats test_tags=full,plain-only
@test "indexes of both layouts are searched together, and rows go from either to the other" {
	lh-gen workers -n 2400 >w
	first 1200 <w | lh-index build -j1 --dimension 64 --layout hnsw a.lhv
	tail -n 1200 w | lh-index build -j1 --dimension 64 --layout qg b.lhv
	lh-index build -j1 --dimension 64 --exact-below 100000 all.lhv w
	lh-gen queries -n 20 >q
	lh-search --flat --ignore-unknown --ef 1200 a.lhv b.lhv <q | jq -c '[.id, .distance]' >both
	lh-search --flat --ignore-unknown all.lhv <q | jq -c '[.id, .distance]' | cmp - both
	lh-index dump all.lhv | jq -r .id | sort >ids
	for pair in "a b" "b a"; do
		read -r from to <<<"$pair"
		cp $from.lhv from.lhv
		cp $to.lhv to.lhv
		[ "$(lh-index merge to.lhv from.lhv)" = '{"merged":1200,"skipped":0}' ]
		[ "$(info to.lhv layout) $(info to.lhv pending)" = "$(info $to.lhv layout) 0" ]
		lh-index dump to.lhv | jq -r .id | sort | cmp - ids
		cp $to.lhv to.lhv
		[ "$(lh-index move to.lhv from.lhv)" = '{"moved":1200}' ]
		lh-index dump to.lhv | jq -r .id | sort | cmp - ids
		[ "$(info from.lhv length)" = 0 ]
		lh-index verify to.lhv from.lhv
		lh-search --flat --ignore-unknown --ef 2400 to.lhv <q | jq -c '[.id, .distance]' | cmp - both
	done
}

# bats test_tags=plain-only
@test "a playbook built anew with layout qg is recorded to, and leads searches" {
	entry='{"query_text":"Need 3 Forklift Operators in Aurora IL","answer_id":"w-43","answer_corpus":"workers","score":0.8}'
	entries() { seq "$1" "$2" | jq -c '{query_text: "Need \(.) Welders in Gary", answer_id: "w-\(. % 50)", answer_corpus: "workers", score: 0.5}'; }
	entries 1 1100 | lh-playbook record -q old.lhv >ids
	lh-index dump old.lhv | lh-index build --layout qg pb.lhv
	alike <(lh-playbook export old.lhv) <(lh-playbook export pb.lhv)
	(entries 1050 1200; echo "$entry") | lh-playbook record -q pb.lhv >ids
	lh-index compact pb.lhv
	[ "$(info pb.lhv layout) $(info pb.lhv length) $(info pb.lhv engine)" = 'qg 1201 hash' ]
	lh-index verify pb.lhv
	lh-gen workers -n 1200 | lh-index build --layout qg workers.lhv
	lh-search -k 3 --playbook pb.lhv -Q 'Need 4 Forklift Operators in Aurora IL' workers.lhv >found
	[ "$(jq -c '[.results[0].id, .playbook_injected + .playbook_boosted]' found)" = '["w-43",1]' ]
}
