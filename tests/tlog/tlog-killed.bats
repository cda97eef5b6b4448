# lh-tlog killed anywhere: no entry that was acknowledged is lost, no index is given twice, and no
# checkpoint contradicts another.
# bats file_tags=faults,plain-only
load ../helper
load ../tlog

killed() {
	python3 "$ROOT/tests/tlog/killed.py" "$@"
}

# remember - the trees that are signed or going to be.
remember() {
	local n
	n=$(find notes -type f | wc -l)
	cp log/checkpoint "notes/checkpoint.$n"
	[ ! -e log/pending ] || cp log/pending "notes/pending.$n"
}

# bats test_tags=full
@test "writers that are killed at any time lose nothing that they acknowledged, and contradict nothing" {
	a_log
	killed writers "$(scale 40 2000)" 1
	lh-tlog audit log --policy loose | jq -e .verified
}

@test "a writer killed at any of its system calls leaves a log that the next one goes on with" {
	local call n i=0
	needs_strace
	a_log
	mkdir notes
	: >acks
	entries 1 255 | append >>acks
	for call in mkdir,mkdirat openat,open write,pwrite64 fsync,fdatasync rename,renameat,renameat2 unlink,unlinkat close flock,fcntl; do
		for ((n = 1; n < 400; n += $(scale 3 1))); do
			i=$((i + 2))
			entries 1000$i 1000$((i + 1)) >in
			inject "$call:signal=KILL:when=$n" lh-tlog append log --key-file log.key --line in >out 2>err || [ $? = 137 ] || { cat err; return 1; }
			[ ! -s out ] || grep -a '}$' out >>acks || true
			remember
			injected || break
		done
	done
	entries 1 1 | sed s/entry/last/ | append >>acks
	killed check acks 'notes/*'
	no_litter log
	lh-tlog audit log --policy loose | jq -e .verified
}

@test "an append for which there is no space leaves the files that were there, and the next one works" {
	local n
	needs_strace
	a_log
	entries 1 300 | append >/dev/null
	find log -type f ! -name pending | sort >before
	entries 301 900 >in
	for ((n = 1; n < 60; n += $(scale 3 1))); do
		cp -a log copy
		inject "write,pwrite64:error=ENOSPC:when=$n" lh-tlog append copy --key-file log.key --line in >out 2>err && break
		injected || break
		(mv log kept; mv copy log; find log -type f ! -name pending | sort | alike before -)
		append <in >/dev/null
		lh-tlog audit log --policy loose | jq -e .verified
		rm -r log
		mv kept log
	done
	[ "$n" -gt 4 ]
}
