# What lh-index leaves when it is killed, the disk is full or a call fails.
# bats file_tags=graphs,faults,long
load ../helper
load ../index

@test "a torn tail is ignored, reported by verify, and gone after the next append" {
	rows 1 3 | lh-index build a.lhv
	rows 4 4 | lh-index add a.lhv
	size=$(stat -c %s a.lhv-log)
	rows 5 5 | lh-index add a.lhv
	truncate -s -5 a.lhv-log
	[ "$(info a.lhv length)" = 4 ]
	run -1 lh-index verify a.lhv
	[ "$output" = "lh-index: a.lhv: log: torn tail at byte $size" ]
	rows 6 6 | lh-index add a.lhv
	lh-index verify a.lhv
	[ "$(lh-index dump a.lhv | jq -r .id | paste -sd' ')" = "r1 r2 r3 r4 r6" ]
}

@test "an index is synced before the rename and its folder after, an append before it is acknowledged" {
	needs_strace
	calls() { grep -o 'fsync([0-9]*<[^>]*>\|rename[a-z0-9]*(\|p*write[0-9]*([0-9]*<[^>]*\.lhv[^>]*>' trace | sed 's/([0-9]*</ /; s/[(>]$//; s/\S*\/\([^/]*\)$/\1/; s/lh-tmp-.*/tmp/' | uniq | paste -sd,; }
	mkdir d
	cd d
	strace -f -qq -y -o trace -e trace=fsync,fdatasync,rename,renameat,renameat2 lh-index build a.lhv < <(rows 1 9)
	calls
	[[ $(calls) == *'fsync .a.lhv.tmp,rename,fsync d' ]]
	rows 10 11 | lh-index add a.lhv
	strace -f -qq -y -o trace -e trace=fsync,fdatasync,write,pwrite64 lh-index add a.lhv < <(rows 12 13)
	calls
	[[ $(calls) == *'write64 a.lhv-log,fsync a.lhv-log'* ]]
	[ "$(calls | grep -o 'a.lhv-log' | wc -l)" = 2 ]
}

@test "what a killed writer left is synced before a commit depends on it" {
	needs_strace
	synced() {
		strace -f -qq -y -o trace -e trace=fsync,rename,pwrite64 "$@" >/dev/null
		grep -o '^[0-9 ]*\(fsync\|rename\|pwrite64\)[^,)]*' trace | sed 's/^[0-9 ]*//; s/(.*\//(/; s/lh-tmp-.*/tmp/; s/["<>]//g' | uniq | paste -sd' '
	}
	mkdir d
	cd d
	rows 1 9 | lh-index build a.lhv
	rows 10 11 | lh-index add a.lhv
	rows 12 13 >more
	run synced lh-index add a.lhv more
	echo "$output"
	[[ $output == *'fsync(d pwrite64(a.lhv-log fsync(a.lhv-log'* ]]
	run synced lh-index delete --id none a.lhv
	echo "$output"
	[[ $output == *'fsync(d fsync(a.lhv-log' ]]
	run synced lh-index compact a.lhv
	echo "$output"
	[[ $output == *'lhv-lock fsync(d fsync(.a.lhv-log.tmp rename(.a.lhv-log.tmp fsync(d fsync(.a.lhv.tmp rename(.a.lhv.tmp fsync(d'* ]]
}

@test "killed at any write, fsync or rename, a build leaves the old file or the new" {
	needs_strace
	rows 1 30 old | same_build old.lhv
	rows 1 40 new >new.jsonl
	same_build new.lhv new.jsonl
	before_fault() { cp old.lhv a.lhv; }
	after_fault() {
		cmp -s a.lhv old.lhv || cmp -s a.lhv new.lhv
		same_build a.lhv new.jsonl
		cmp a.lhv new.lhv
	}
	INJECT=signal=KILL at_each lh-index build -j1 --now 2026-05-03T12:00:00Z a.lhv new.jsonl
	rm -f ./*.lhv
	rows 1 2 | lh-index build a.lhv
	no_litter
	[ "$(ls ./*.lhv*)" = ./a.lhv ]
}

# bats test_tags=full
@test "killed at any write while adding, what was acknowledged is there and the rest starts afresh" {
	needs_strace
	rows 1 30 | same_build --lexical old.lhv
	rows 31 35 >more.jsonl
	rows 36 36 >last.jsonl
	for before in 30 31; do	# without a log, and with one that holds r50
		before_fault() {
			rm -f a.lhv*
			cp old.lhv a.lhv
			[ $before = 30 ] || rows 50 50 | lh-index add a.lhv
		}
		after_fault() {
			[ "$(lh-index dump a.lhv | wc -l)" -ge $before ]
			lh-index add a.lhv last.jsonl
			lh-index verify a.lhv
			lh-index dump a.lhv | jq -r .id >ids
			grep -qx r36 ids
			[ "$(sort ids | uniq -d | wc -l)" = 0 ]
			[ $before = 30 ] || grep -qx r50 ids
			lh-index add a.lhv more.jsonl
			[ "$(info a.lhv length)" = $((before + 6)) ]
		}
		INJECT=signal=KILL at_each lh-index add a.lhv more.jsonl
	done
	no_litter
}

@test "killed at any step of a compaction, no record is lost" {
	needs_strace
	rows 1 30 | same_build --lexical old.lhv
	cp old.lhv a.lhv
	rows 25 60 y | lh-index add a.lhv
	lh-index delete --id r1 --id r60 a.lhv
	cp a.lhv-log old.lhv-log
	content a.lhv >want
	before_fault() {
		rm -f a.lhv*
		cp old.lhv a.lhv
		cp old.lhv-log a.lhv-log
	}
	after_fault() {
		content a.lhv | cmp - want
		lh-index verify a.lhv
		rows 70 70 | lh-index add a.lhv
		lh-index delete --id r70 a.lhv
		lh-index compact a.lhv
		content a.lhv | cmp - want
		[ ! -e a.lhv-log ]
	}
	INJECT=signal=KILL at_each lh-index compact a.lhv
	no_litter
}

@test "a full disk and an I/O error: one message, exit 2, the old data readable" {
	local faults="error=ENOSPC error=EIO" quick=${LH_TEST_GRAPH:-} STEP=12
	needs_strace
	[ -z "$quick" ] || faults=error=ENOSPC	# the second time in graphs.bats
	rows 1 30 | same_build old.lhv
	rows 31 200 >more.jsonl
	head -n 5 more.jsonl >few.jsonl
	content old.lhv >want
	before_fault() {
		rm -f a.lhv*
		cp old.lhv a.lhv
	}
	# All was done (what failed was not needed, as the note in the lock), or
	# it is reported in one line and the old records are there.
	after_fault() {
		if [ "$3" = 0 ]; then
			[ "$(info a.lhv length)" = "$new_length" ]
		else
			[ "$3" = 2 ]
			[ "$(wc -l <err)" = 1 ] || [ "$1" = write ]
			lh-index dump a.lhv | jq -r .id | sort | comm -13 - <(jq -r .id want | sort) >lost
			[ ! -s lost ] || [ "$(info a.lhv length)" = "$new_length" ]
		fi
		lh-index verify a.lhv
		lh-index build a.lhv more.jsonl
		[ "$(info a.lhv length)" = 170 ]
	}
	for INJECT in $faults; do
		new_length=170 at_each lh-index build -j1 a.lhv more.jsonl
		[ -n "$quick" ] || new_length=35 at_each lh-index add a.lhv few.jsonl
		new_length=200 at_each lh-index add a.lhv more.jsonl
	done
	no_litter
}

@test "a limit on the size of files ends a build and an append with a message" {
	rows 1 30 | lh-index build a.lhv
	content a.lhv >want
	rows 31 130 >more.jsonl
	for limit in 0 4096 8192; do
		run -2 prlimit --fsize=$limit lh-index build a.lhv more.jsonl
		[ "${#lines[@]}" = 1 ]
		[[ $output == "lh-index: "*a.lhv*": write failed: File too large" ]]
		run -2 prlimit --fsize=$limit lh-index add a.lhv more.jsonl
		[ "${#lines[@]}" = 1 ]
		[[ $output == "lh-index: "*a.lhv*": write failed: File too large" ]]
		content a.lhv | cmp - want
		lh-index verify a.lhv
	done
	no_litter
}

@test "an interrupted build leaves the old index, no litter, and dies of the signal" {
	rows 1 3 | lh-index build a.lhv
	mkfifo slow
	for signal in INT TERM; do
		# bash starts background jobs with SIGINT ignored
		perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' lh-index build a.lhv <slow &
		pid=$!
		exec 7>slow
		rows 1 9 >&7
		drained 7
		kill -$signal $pid
		rc=0
		wait $pid || rc=$?
		exec 7>&-
		[ $rc = $((128 + $(kill -l $signal))) ]
		[ "$(info a.lhv length)" = 3 ]
		[ "$(ls ./a.lhv*)" = ./a.lhv ]
		no_litter
	done
}

@test "opening an index checks its header and parameters; a bit that changed in its rows is for verify to find" {
	jq -nc 'range(20) | {id: "w-\(.)", text: "welder \(.)", metadata: {candidate_id: "w-\(.)", name: "Abcdefgh Zz", status: "active"}}' | lh-index build -q whole.lhv -
	params=$(LC_ALL=C grep -abo '"dimension"' whole.lhv | head -n 1 | cut -d : -f 1)
	name=$(LC_ALL=C grep -abo Abcdefgh whole.lhv | head -n 1 | cut -d : -f 1)
	draft='{"kind":"email","artifact":{"to":"a","body":"b"},"context":{"candidate_id":"w-3"}}'
	flip_bit() { python3 -c 'import sys; b = bytearray(open("whole.lhv", "rb").read()); b[int(sys.argv[1])] ^= 1; open("i.lhv", "wb").write(b)' "$1"; }
	readers() {
		lh-search -Q welder i.lhv && lh-query 'SELECT count(*) n FROM i' i=i.lhv && lh-validate --roster i.lhv <<<"$draft" && lh-index get i.lhv w-3 && lh-index info i.lhv
	}
	for at in 8 200 4080 $((params + 14)); do
		flip_bit "$at"
		for reader in 'lh-search -Q welder i.lhv' 'lh-index get i.lhv w-3' 'lh-index info i.lhv'; do
			run -2 $reader
		done
		run -2 lh-query 'SELECT count(*) n FROM i' i=i.lhv
		run -2 lh-validate --roster i.lhv <<<"$draft"
	done
	flip_bit "$name"
	readers >out
	run ! cmp -s i.lhv whole.lhv
	run -1 lh-index verify i.lhv
}

@test "killed at any call, a merge leaves no DEST or all of it, and the next one completes it" {
	needs_strace
	rows 1 60 >in
	lh-index build whole.lhv in
	for i in 1 2 3; do split -n r/$i/3 in | lh-index build part.$i.lhv; done
	before_fault() { rm -f new.lhv*; }
	after_fault() {
		[ ! -e new.lhv ] || alike <(content new.lhv) <(content whole.lhv)
		lh-index merge new.lhv part.?.lhv >/dev/null
		alike <(content new.lhv) <(content whole.lhv)
		[ "$(ls -A | grep new | grep -v 'new.lhv-lock$' | paste -sd,)" = new.lhv ] || { ls -A; return 1; }
	}
	INJECT=signal=KILL at_each lh-index merge -j1 new.lhv part.{1,2,3}.lhv
}
