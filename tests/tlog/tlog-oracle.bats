# lh-tlog and two other implementations, in Go and Python, judge what each of them makes.
# bats file_tags=oracle,plain-only,full
load ../helper
load ../tlog

# judged_alike PROOFS POLICY - all accept these proofs, and refuse as many that differ in one part;
# Go judges neither cosignatures nor policies.
judged_alike() {
	local n
	n=$(wc -l <"$1")
	((n >= $(scale 300 10000)))
	lh-tlog verify --policy "$2" "$1" >ours
	by_hand verify "$2" <"$1" >hand
	all_are true ours
	[ "$(jq -c .witnesses ours | sort -u)" = "$3" ]
	cmp <(jq -c '[.verified, .index, .size, .origin, .witnesses]' ours) <(jq -c '[.verified, .index, .size, .origin, .witnesses]' hand)
	by_go check <"$1" >go
	all_are true go
	by_hand mutate "$n" 1 <"$1" >bad
	lh-tlog verify --policy "$2" bad >ours || [ $? = 1 ]
	by_hand verify "$2" <bad >hand
	jq -c 'select(.go)' bad | by_go check >go
	for by in ours hand go; do all_are false $by; done
	[ "$(wc -l <ours)" = "$n" ]
	((2 * $(wc -l <go) > n))
}

@test "a folder has the tiles, bundles and root that Go's packages compute, at each size that tiles end at" {
	local size have=0
	needs_go
	a_log
	lh-tlog init bare --no-entries --origin example.com/log --key-file log.key
	for size in 0 1 2 3 255 256 257 511 512 513 1000 $(scale '' '65535 65536 65537 70000'); do
		[ "$size" = "$have" ] || entries $((have + 1)) "$size" >more
		[ "$size" = "$have" ] || append more >/dev/null
		[ "$size" = "$have" ] || lh-tlog append bare --key-file log.key --line more >/dev/null
		have=$size
		for dir in log bare; do
			[ "$(by_go folder $dir "$(cat log.vkey)")" = "$size entries" ]
			cp $dir/checkpoint "was.$dir.$size"
		done
		cmp log/checkpoint bare/checkpoint
	done
	for was in was.log.*; do
		by_go grow log "$(cat log.vkey)" "$was"
	done
}

@test "keys of Go and Python are read, and keys of lh-tlog by them" {
	local seed
	needs_go
	seed=$(printf '%064x' 12345)
	umask 077
	by_go key example.com/log "$seed" >go
	by_hand key example.com/log 1 "$seed" >hand
	cmp go hand
	head -n 1 go >key
	[ "$(lh-tlog vkey key)" = "$(sed -n 2p go)" ]
	by_hand key witness.example/é 4 "$seed" >hand
	head -n 1 hand >key
	[ "$(lh-tlog vkey key)" = "$(sed -n 2p hand)" ]
	lh-tlog keygen example.com/new --out new --public new.vkey
	[ "$(stat -c %a new)" = 600 ]
	lh-tlog init fresh --origin example.com/new --key-file new
	[ "$(by_go folder fresh "$(cat new.vkey)")" = "0 entries" ]
}

@test "proofs that lh-tlog makes are accepted by Go and Python, and refused if they differ in one part" {
	needs_go
	a_log
	entries 1 "$(scale 700 70001)" | append >/dev/null
	cosign_by_hand
	awk -v n="$(scale 300 10000)" -v size="$(scale 700 70001)" 'BEGIN { srand(1); while (n--) print int(rand() * size) }' >indexes
	jq -c --arg vkey "$(cat log.vkey)" '{index: ., entry: "{\"id\":\"entry \(. + 1)\"}", vkeys: [$vkey]}' indexes |
		lh-tlog prove log >proofs
	judged_alike proofs policy '["w1","w2"]'
}

@test "proofs that Go makes are accepted, and refused if they differ in one part" {
	needs_go
	the_keys
	by_go make go.log example.com/log "$(cat log.key)" "$(scale 700 70001)" 1
	by_go proofs go.log "$(cat log.vkey)" "$(scale 300 10000)" 1 >proofs
	by_hand cosign w1 go.log/checkpoint >lines
	by_hand cosign w2 go.log/checkpoint >>lines
	jq -c --rawfile lines lines '.proof += $lines' proofs >cosigned
	judged_alike cosigned policy '["w1","w2"]'
	lh-tlog audit go.log --policy loose
	jq -c '{index: (.proof | capture("index (?<i>.*)").i | tonumber), proof}' proofs >asked
	lh-tlog prove go.log asked >again
	cmp <(jq .proof again) <(jq .proof proofs)
}

@test "proofs of trees up to 2^48 entries that Python makes are accepted, and refused if they differ in one part" {
	needs_go
	the_keys
	by_hand proofs "$(scale 300 10000)" 1 >proofs
	judged_alike proofs policy '["w1","w2"]'
}

@test "policies are read, and quorums counted, as Python does" {
	local policy want record summary='if .verified then [.index, .size, .origin, .witnesses] else false end'
	the_keys
	mkdir policies
	by_hand policies "$(scale 60 2000)" 1 policies >cases
	jq -r ".policy, (if .valid then .want | $summary else 2 end | tojson), (.record | tojson)" cases >asked
	while read -r policy && read -r want && read -r record; do
		run --separate-stderr lh-tlog verify --policy "policies/$policy" <<<"$record"
		[ "$status" = 2 ] || output=$(jq -c "$summary" <<<"$output")
		[ "${output:-$status}" = "$want" ] || { echo "$policy: $want, not $output ($stderr)"; return 1; }
	done <asked
	[ -s asked ]
}
