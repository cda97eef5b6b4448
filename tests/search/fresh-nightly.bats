# share/examples: a small index next to a big one, emptied into it every night.
# Plain only: scripts of share/ and examples of the manual, over commands that other
# files test.
# bats file_tags=plain-only
load ../helper

NIGHTLY=$ROOT/share/examples/lh-fresh-nightly

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	workers 1 200 old | lh-index build -q --dimension 64 big.lhv
	lh-index build --allow-empty -q --dimension 64 fresh.lhv </dev/null
}

# workers FIRST LAST STATE
workers() {
	seq "$1" "$2" | awk -v s="$3" '{ printf "{\"id\":\"w%d\",\"text\":\"welder %d\",\"state\":\"%s\"}\n", $1, $1, s }'
}

night() {
	"$NIGHTLY" big.lhv fresh.lhv --dimension 64
}

ids() {
	lh-index dump "$1" | jq -r .id | sort
}

length() {
	lh-index info "$1" | jq .length
}

# nothing but the two indexes, and what lh-index keeps next to them
tidy() {
	[ -z "$(ls -A fresh.lhv-nightly)" ]
	[ "$(ls | grep -vx 'big.lhv\|big.lhv-log\|fresh.lhv\|fresh.lhv-log\|fresh.lhv-nightly\|out.*\|adds')" = "" ] || { ls; return 1; }
}

@test "by day both are searched; after the night all is in the big one, the newer of each" {
	workers 196 215 new | lh-index add fresh.lhv
	[ "$(lh-search -Q 'welder 210' -k 1 big.lhv fresh.lhv | jq -c '.results[0] | [.id, .corpus]')" = '["w210","fresh"]' ]
	run -0 night
	[ -z "$output" ]
	tidy
	[ "$(length fresh.lhv)" = 0 ]
	[ "$(length big.lhv)" = 215 ]
	[ "$(lh-index dump big.lhv | jq -r 'select(.metadata.state == "new") | .id' | sort)" = "$(workers 196 215 x | jq -r .id | sort)" ]
	[ "$(lh-search -Q 'welder 210' -k 1 big.lhv fresh.lhv | jq -c '.results[0] | [.id, .corpus]')" = '["w210","big"]' ]
	workers 300 300 new | lh-index add fresh.lhv
	run -0 night
	[ -z "$output" ]
	run -0 night
	[ "$(length big.lhv)" = 216 ]
}

@test "what is added while nights go on is not lost, and no add fails" {
	for i in $(seq 1 "$(scale 25 400)"); do
		workers $((i * 10 + 1000)) $((i * 10 + 1009)) new | lh-index add -q --lock-timeout 600 fresh.lhv || echo "add $i failed"
	done >adds 2>&1 &
	adder=$!
	while kill -0 $adder 2>/dev/null; do
		run -0 night
		[ -z "$output" ]
	done
	wait $adder
	[ "$(grep -c failed adds)" = 0 ]
	night
	[ "$(length fresh.lhv)" = 0 ]
	[ "$(length big.lhv)" = $((200 + $(scale 250 4000))) ]
	tidy
}

@test "cut off anywhere, each record is found in one of the two, and the next night ends it" {
	for i in $(seq 1 "$(scale 10 150)"); do
		workers $((i * 3 + 1000)) $((i * 3 + 1002)) new | lh-index add -q --lock-timeout 600 fresh.lhv
		timeout -s KILL "0.$(printf %03d $((i * 37 % 400)))" "$NIGHTLY" big.lhv fresh.lhv --dimension 64 >out 2>&1 || true
		until_so flock -n fresh.lhv-nightly true	# a command of it may still be ending
		there=$(cat <(ids big.lhv) <(ids fresh.lhv) | sort -u | wc -l)
		[ "$there" = $((200 + i * 3)) ] || { echo "$i: $there"; ls; cat out; false; }
	done
	run -0 night
	[ -z "$output" ]
	tidy
	[ "$(length big.lhv)" = $((200 + $(scale 30 450))) ]
	lh-index verify big.lhv fresh.lhv
}

# shim TOOL SCRIPT - what runs in place of a tool; in it "$tool" is the real one.
shim() {
	mkdir -p shim
	printf '#!/bin/sh\ntool=%s\n%s\n' "$(command -v "$1")" "$2" >"shim/$1"
	chmod +x "shim/$1"
}

@test "killed or failing before or after each command of its own, all records are where they are searched" {
	local add="$(command -v lh-index) add -q --lock-timeout 0 fresh.lhv"
	for tool in lh-index mkdir chmod flock rm; do
		for how in 'exit 2' 'kill -KILL $PPID; exit 2' '"$tool" "$@"; kill -KILL $PPID'; do
			for n in $(seq 1 12); do
				rm -rf shim count
				# someone adds at each step, too
				shim "$tool" "echo >>$PWD/count
					k=\$(wc -l <$PWD/count)
					echo '{\"text\":\"late\",\"id\":\"$tool$n.'\$k'\"}' | $add 2>>$PWD/late && echo $tool$n.\$k >>$PWD/acked
					[ \$k != $n ] || { $how; exit 2; }
					exec \$tool \"\$@\""
				(PATH=$PWD/shim:$PATH "$NIGHTLY" big.lhv fresh.lhv --dimension 64 >out 2>&1) || true
				sort -u acked >want
				cat <(ids big.lhv) <(ids fresh.lhv) | sort -u | comm -23 want - >lost
				[ ! -s lost ] || { echo "$n, $how: lost $(cat lost)"; false; }
				[ "$(wc -l <count)" -ge "$n" ] || break
			done
			[ "$n" -gt 1 ] && [ "$n" -lt 12 ]
		done
	done
	run -0 night
	[ "$(length fresh.lhv)" = 0 ]
	[ "$(length big.lhv)" = $((200 + $(wc -l <want))) ]
}

# bats test_tags=full
@test "a record that is deleted from either index while nights go on stays deleted" {
	while [ ! -e stop ]; do night >>outs 2>&1 || touch failed; done 3>&- &
	local nights=$!
	for i in $(seq 1 "$(scale 15 300)"); do
		workers $i $i day | jq -c '.id = "x" + .id' | lh-index add -q --lock-timeout 600 fresh.lhv
		[ "$(lh-index delete --lock-timeout 600 --id xw$i fresh.lhv | jq .deleted)" = 1 ] ||
			[ "$(lh-index delete --lock-timeout 600 --id xw$i big.lhv | jq .deleted)" = 1 ] || { touch stop; echo "$i: in neither"; false; }
	done
	touch stop
	wait $nights
	[ ! -s outs ] && [ ! -e failed ] || { cat outs; false; }
	night
	[ "$(length big.lhv)" = 200 ]
	[ "$(length fresh.lhv)" = 0 ]
}

@test "killed between the two indexes, a record is in both, and deleted from both it stays deleted" {
	needs_strace
	workers 500 502 new | lh-index add -q fresh.lhv
	# the first log that is cut to its end is that of FRESH
	shim lh-index 'exec strace -f -qq -o /dev/null -e trace=ftruncate -e inject=ftruncate:signal=KILL:when=1 "$tool" "$@"'
	PATH=$PWD/shim:$PATH run -2 "$NIGHTLY" big.lhv fresh.lhv
	[[ $output == *'lh-fresh-nightly: lh-index move ended with 137: '* ]]
	rm -r shim
	cat <(ids big.lhv) <(ids fresh.lhv) >out
	grep -qx w500 out
	lh-index delete --id w500 fresh.lhv
	lh-index delete --id w500 big.lhv
	run -0 night
	[ -z "$output" ]
	tidy
	[ "$(lh-index dump big.lhv | grep -c '"w50[0-2]"')" = 2 ]
	[ "$(length fresh.lhv)" = 0 ]
}

@test "what an earlier version's cut-off night has left is finished, and stays deleted where it was" {
	workers 500 501 new | lh-index build -q --dimension 64 fresh-night.lhv
	lh-index dump fresh-night.lhv >day
	lh-index add -q big.lhv day
	workers 502 502 new | lh-index add -q fresh-night.lhv
	mkdir fresh.lhv-nightly
	sort day >fresh.lhv-nightly/day
	rm day
	lh-index delete -q --id w500 big.lhv
	run -0 night
	[ -z "$output" ]
	tidy
	[ "$(lh-index dump big.lhv | grep -o '"w50[0-2]"' | sort | tr -d '\n')" = '"w501""w502"' ]
}

@test "the work folder and its files are the user's own" {
	mkdir -m 755 fresh.lhv-nightly
	echo >fresh.lhv-nightly/day
	workers 500 501 new | lh-index build -q --dimension 64 fresh-night.lhv
	shim lh-index "find $PWD/fresh.lhv-nightly -printf '%m %y\\n' >>$PWD/modes; umask >>$PWD/masks; exec \$tool \"\$@\""
	umask 022
	PATH=$PWD/shim:$PATH run -0 "$NIGHTLY" big.lhv fresh.lhv
	[ "$(sort -u modes)" = $'600 f\n700 d' ] || { sort -u modes; false; }
	# readers of the indexes still can
	[ "$(sort -u masks)" = 0022 ]
}

@test "an index that does not exist is one line, and leaves nothing" {
	for pair in 'big.lhv none.lhv' 'none.lhv fresh.lhv'; do
		run -2 "$NIGHTLY" $pair --dimension 64
		[ "$output" = 'lh-fresh-nightly: none.lhv: there is no such index' ]
	done
	[ "$(ls)" = $'big.lhv\nfresh.lhv' ]
}

@test "one index as both, or a link, is refused and left as it is" {
	workers 500 501 new | lh-index add -q fresh.lhv
	ln -s fresh.lhv link.lhv
	ln -s big.lhv same.lhv
	for pair in 'big.lhv big.lhv' 'same.lhv big.lhv' 'big.lhv link.lhv'; do
		run -2 "$NIGHTLY" $pair --dimension 64
		[[ $output == 'lh-fresh-nightly: '*'link'* ]]
	done
	[ "$(length big.lhv)" = 200 ]
	[ "$(length fresh.lhv)" = 2 ]
}

@test "a big index that is missing or of another kind is reported, and the fresh one stays" {
	workers 500 501 new | lh-index add -q fresh.lhv
	run -2 "$NIGHTLY" none.lhv fresh.lhv --dimension 64
	[[ $output == *none.lhv* ]]
	[ "$(length fresh.lhv)" = 2 ]
	lh-index build --allow-empty -q --dimension 128 other.lhv </dev/null
	run "$NIGHTLY" other.lhv fresh.lhv --dimension 64
	[ "$status" -ge 1 ]
	[[ $output == *dimension* ]] || { echo "$output"; false; }
	[ "$(length fresh.lhv)" = 2 ]
	exec 7<fresh.lhv-nightly
	flock 7
	run -2 night
	[ "$output" = 'lh-fresh-nightly: fresh.lhv: another run is at work' ]
	exec 7<&-
	run -2 "$NIGHTLY" big.lhv
	[[ $output == usage:* ]]
	run -0 night
	[ "$(length big.lhv)" = 202 ]
}
