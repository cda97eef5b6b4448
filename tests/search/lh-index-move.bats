# lh-index move: from one index to another, and nowhere else.
load ../helper
load ../index

# bats test_tags=graphs
@test "move gives DEST all that SRC holds, the newer of each, and leaves SRC empty" {
	rows 1 30 | lh-index build a.lhv
	rows 31 40 | lh-index build b.lhv
	rows 21 35 new | lh-index add b.lhv
	echo '{"id":"r22","vector":[1,0,0,0,0,0,0,0],"metadata":{}}' | lh-index add b.lhv
	lh-index delete --id r40 b.lhv
	(rows 1 20; rows 21 35 new; rows 36 39) | grep -v '"r22"' >want
	echo '{"id":"r22","vector":[1,0,0,0,0,0,0,0]}' >>want
	lh-index build want.lhv want
	run -0 lh-index move a.lhv b.lhv
	[ "$output" = '{"moved":19}' ]
	content a.lhv | cmp - <(content want.lhv)
	[ "$(info b.lhv length)" = 0 ]
	[ "$(lh-index move a.lhv b.lhv)" = '{"moved":0}' ]
	lh-index verify a.lhv b.lhv
	rows 50 50 | lh-index add b.lhv
	[ "$(info b.lhv length)" = 1 ]
}

@test "move of more than is stored in one go" {
	lh-gen workers -n 4000 | lh-index build --exact-below 100000 b.lhv
	lh-gen workers -n 10 --seed 2 | jq -c '.id = "x" + .id' | lh-index build a.lhv
	[ "$(lh-index move a.lhv b.lhv)" = '{"moved":4000}' ]
	[ "$(info a.lhv length)" = 4010 ]
	[ "$(info b.lhv length)" = 0 ]
}

@test "move refuses what cannot go there, and takes nothing" {
	rows 1 3 | lh-index build a.lhv
	rows 4 6 | lh-index build --distance l2 b.lhv
	rows 4 6 | lh-index build c.lhv
	ln c.lhv d.lhv
	run -2 lh-index move a.lhv b.lhv
	[ "$output" = 'lh-index: b.lhv: distance l2, expected cosine' ]
	run -2 lh-index move d.lhv c.lhv
	[ "$output" = 'lh-index: c.lhv: is DEST itself' ]
	run -2 lh-index move a.lhv b.lhv c.lhv
	[ "$output" = 'lh-index: unexpected operand "c.lhv": move takes two indexes' ]
	run -2 lh-index move a.lhv none.lhv
	[[ $output == 'lh-index: none.lhv: '* ]]
	exec 7>>a.lhv-lock
	flock 7
	run -2 lh-index move --lock-timeout 0 a.lhv c.lhv
	[[ $output == *'a.lhv-lock: locked by '* ]]
	exec 7>&-
	[ "$(info a.lhv length) $(info b.lhv length) $(info c.lhv length)" = '3 3 3' ]
	[ "$(lh-index move a.lhv c.lhv)" = '{"moved":3}' ]
}

@test "moves of two indexes in both directions take the locks in one order, however they are named" {
	rows 1 3 | lh-index build a.lhv
	rows 4 6 | lh-index build b.lhv
	exec 7>>a.lhv-lock 8>>b.lhv-lock
	flock 7
	flock 8
	mkdir d
	for pair in "a.lhv b.lhv" "b.lhv a.lhv" "d/../b.lhv a.lhv" "$PWD/a.lhv b.lhv" "b.lhv $PWD/a.lhv"; do
		run -2 lh-index move --lock-timeout 0 $pair
		[[ $output == *'a.lhv-lock: locked by '* ]] || { echo "$pair: $output"; return 1; }
	done
	exec 7>&- 8>&-
	rm -f a.lhv-lock b.lhv-lock
	for i in 1 2 3 4 5 6 7 8; do
		lh-index move --lock-timeout 600 a.lhv b.lhv >>moves &
		lh-index move --lock-timeout 600 b.lhv a.lhv >>moves
		wait $!
	done
	[ "$(wc -l <moves)" = 16 ]
	lh-index verify a.lhv b.lhv
	[ $(($(info a.lhv length) + $(info b.lhv length))) = 6 ]
}

@test "killed at any step of a move, or failing there, each record is in one of the two, and what is deleted then stays deleted" {
	needs_strace
	rows 1 30 | same_build old.lhv
	rows 31 35 | same_build fresh.lhv
	before_fault() {
		rm -f a.lhv* b.lhv*
		cp old.lhv a.lhv
		cp fresh.lhv b.lhv
		rows 30 32 newer | lh-index add b.lhv
	}
	after_fault() {
		cat <(content a.lhv) <(content b.lhv) | jq -r '.id + .metadata.tag' | sort -u | grep -c '^r3[12]newer\|^r30newer\|^r3[345]x' | has -x 6
		for id in r31 r33; do
			lh-index delete -q --id $id b.lhv
			lh-index delete -q --id $id a.lhv
		done
		lh-index move a.lhv b.lhv
		[ "$(info a.lhv length) $(info b.lhv length)" = '33 0' ]
		lh-index dump a.lhv | grep -c '"tag":"newer"' | has -x 2
		lh-index verify a.lhv b.lhv
	}
	for INJECT in signal=KILL error=ENOSPC; do
		at_each lh-index move a.lhv b.lhv
	done
	no_litter
}

# bats test_tags=full,graphs
@test "what is deleted or added while moves go on is as it was acknowledged" {
	rows 1 10 | lh-index build a.lhv
	rows 11 12 | lh-index build b.lhv
	while [ ! -e stop ]; do lh-index move --lock-timeout 600 a.lhv b.lhv >>moves 2>&1 || touch failed; done 3>&- &
	local mover=$!
	for i in $(seq 20 $((20 + $(scale 20 400)))); do
		rows "$i" "$i" | lh-index add --lock-timeout 600 b.lhv
		[ $((i % 2)) = 1 ] || [ "$(lh-index delete --lock-timeout 600 --id r$i b.lhv | jq .deleted)" = 1 ] ||
			[ "$(lh-index delete --lock-timeout 600 --id r$i a.lhv | jq .deleted)" = 1 ] || { touch stop; echo "r$i is in neither"; false; }
	done
	touch stop
	wait $mover
	[ ! -e failed ] || { cat moves; false; }
	lh-index move a.lhv b.lhv
	[ "$(info a.lhv length)" = $((12 + $(scale 20 400) / 2)) ]
}
