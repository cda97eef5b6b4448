load helper

# share/examples: a small index beside a big one, emptied into it every night.

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

# nothing but the two indexes, and what lh-index keeps beside them
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
		workers $((i * 10 + 1000)) $((i * 10 + 1009)) new | lh-index add -q fresh.lhv || echo "add $i failed"
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

@test "cut off anywhere, nothing is lost, and the next night ends it" {
	for i in $(seq 1 "$(scale 10 150)"); do
		workers $((i * 3 + 1000)) $((i * 3 + 1002)) new | lh-index add -q fresh.lhv
		timeout -s KILL "0.$(printf %03d $((i * 37 % 400)))" "$NIGHTLY" big.lhv fresh.lhv --dimension 64 >out 2>&1 || true
		[ -e fresh.lhv ]
		there=$(for f in big fresh fresh-night; do [ ! -e $f.lhv ] || ids $f.lhv; done | sort -u | wc -l)
		[ "$there" = $((200 + i * 3)) ] || { echo "$i: $there"; ls; cat out; false; }
	done
	run -0 night
	[ -z "$output" ]
	tidy
	[ "$(length big.lhv)" = $((200 + $(scale 30 450))) ]
	lh-index verify big.lhv fresh.lhv
}

@test "each step that fails leaves all records where they can be found" {
	# as often as a night runs each, the rest of a night before it included
	for step in lh-index.{1..9} sort.{1..3} ln.1 ln.2 mv.1 comm.{1..4} chmod.1 sync.1; do
		tool=${step%.*} nth=${step#*.}
		rm -rf shim count
		mkdir shim
		printf '#!/bin/sh\necho >>%s/count\n[ "$(wc -l <%s/count)" != %s ] || exit 2\nexec %s "$@"\n' "$PWD" "$PWD" "$nth" "$(command -v "$tool")" >shim/$tool
		chmod +x shim/$tool
		echo '{"id":"'$step'","text":"one more"}' | lh-index add -q fresh.lhv
		PATH=$PWD/shim:$PATH "$NIGHTLY" big.lhv fresh.lhv --dimension 64 >out 2>&1 || true
		for f in big fresh fresh-night; do [ ! -e $f.lhv ] || lh-index dump $f.lhv; done | grep -q '"id":"'$step'"'
	done
	rm -rf shim count
	run -0 night
	[ "$(length big.lhv)" = 221 ]
	[ "$(length fresh.lhv)" = 0 ]
	tidy
}

@test "a record that is deleted during the night stays deleted" {
	workers 500 501 new | lh-index add -q fresh.lhv
	mkdir shim
	cat >shim/ln <<-END
		#!/bin/sh
		[ -e once ] || { : >once; $(command -v lh-index) delete -q --lock-timeout 0 --id w500 big.lhv; }
		exec $(command -v ln) "\$@"
	END
	chmod +x shim/ln
	PATH=$PWD/shim:$PATH "$NIGHTLY" big.lhv fresh.lhv --dimension 64
	rm -r shim once
	[ "$(length big.lhv)" = 201 ]
}

@test "what a cut-off night had moved, and was deleted by day, stays deleted" {
	workers 500 501 new | lh-index add -q fresh.lhv
	mkdir shim
	printf '#!/bin/sh\nkill -KILL $PPID\n' >shim/comm
	chmod +x shim/comm
	PATH=$PWD/shim:$PATH run "$NIGHTLY" big.lhv fresh.lhv --dimension 64
	rm -r shim
	[ -e fresh-night.lhv ]
	lh-index delete -q --id w500 big.lhv
	run -0 night
	[ -z "$output" ]
	tidy
	[ "$(lh-index dump big.lhv | grep -c '"w50[01]"')" = 1 ]
}

@test "one index as both, or a link, is refused and left as it is" {
	workers 500 501 new | lh-index add -q fresh.lhv
	ln -s fresh.lhv link.lhv
	ln -s big.lhv same.lhv
	for pair in 'big.lhv big.lhv' 'same.lhv big.lhv' 'big.lhv link.lhv'; do
		# shellcheck disable=SC2086
		run -2 "$NIGHTLY" $pair --dimension 64
		[[ $output == 'lh-fresh-nightly: '*'link'* ]]
	done
	[ "$(length big.lhv)" = 200 ]
	[ "$(length fresh.lhv)" = 2 ]
}

@test "a big one that is absent or of another kind is told, and the fresh one stays" {
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

@test "the script, the units and the line for cron are well-formed" {
	sh -n "$NIGHTLY"
	grep -q '^17 2 .*/lh-fresh-nightly ' "$ROOT/share/examples/crontab"
	command -v systemd-analyze || skip "no systemd-analyze"
	cp "$ROOT"/share/examples/*.service "$ROOT"/share/examples/*.timer .
	sed -i 's,^ExecStart=.*,ExecStart=/bin/true,' ./*.service
	run systemd-analyze verify --man=no ./lh-fresh.timer ./lh-fresh.service ./lh-fresh-mail.service
	[ "$status" = 0 ] && [ -z "$output" ] || { echo "$output"; return 1; }
}
