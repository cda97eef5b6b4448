# Whose files are: what a writer makes or replaces stays with whom it belongs to.
load ../helper
load ../audit

NOBODY=65534

needs_root() {
	[ "$(id -u)" = 0 ] || skip "only root can take files away from others"
}

# theirs DIR - all in it belongs to its owner, and there is something.
theirs() {
	[ "$(find "$1" | wc -l)" -gt 1 ]
	local others
	others=$(find "$1" ! -user $NOBODY -o ! -group $NOBODY)
	[ -z "$others" ] || { ls -ld $others; return 1; }
}

# a folder of another user's, in which that user may work
folder() {
	needs_root
	mkdir d
	chown $NOBODY:$NOBODY d
	chmod o+x . ..
	lh-gen workers -n 20 >workers
}

# open_to_others DIR - what others may write there, links apart.
open_to_others() {
	find "$1" ! -type l -perm /o+w
}

@test "nothing that is written is writable by others, also with umask 000 and over a file that was" {
	load ../servers/serve
	mkdir d
	umask 000
	lh-gen workers -n 5 >d/workers
	chmod 644 d/workers
	lh-index build -q d/w.lhv d/workers
	lh-index add -q d/w.lhv <<<'{"id":"new","text":"a welder"}'
	lh-playbook record -q d/p.lhv <<<'{"query_text":"q","answer_id":"a","answer_corpus":"c","score":1}'
	lh-ingest --store d/s --catalog d/c --name w d/workers >/dev/null
	lh-store put d/s a/b d/workers >/dev/null
	lh-embed --rejects d/rejects <<<'{"no":1}' || true
	lh-gen kb -n 2 --root d/kb
	chmod 755 d
	[ -z "$(open_to_others d)" ]
	: >d/old.lhv
	lh-index build -q d/old.lhv d/workers
	[ -z "$(open_to_others d)" ]
	# follows the umask for the rest
	[ "$(stat -c %a d/w.lhv d/s/a d/s/a/b | xargs)" = '664 775 664' ]
	# the state of a service is for its user alone
	mkdir -p state/index
	lh-index build -q state/index/w.lhv d/workers
	start_serve --state state
	curl -sSf -m 60 -T d/workers "$URL/v1/storage/object/a/b" >/dev/null
	end_serve
	[ -z "$(find state ! -path state ! -path state/index/w.lhv -perm /077)" ]
	[ "$(stat -c %a state/index)" = 700 ]
}

@test "an index that root makes in the folder of another user, its log and its compaction belong to that user" {
	folder
	lh-index build -q d/w.lhv <workers
	lh-index add -q d/w.lhv <<<'{"id":"new","text":"a welder"}'
	[ -e d/w.lhv-log ]
	theirs d
	as_nobody lh-index add -q d/w.lhv <<<'{"id":"newer","text":"a roofer"}'
	lh-index compact d/w.lhv
	lh-index delete -q --id new d/w.lhv
	theirs d
	as_nobody lh-index delete -q --id newer d/w.lhv
	[ "$(as_nobody lh-index info --json d/w.lhv | jq .rows)" = 20 ] || as_nobody lh-index verify d/w.lhv
}

@test "a playbook, logs and a cache that root makes in the folder of another user belong to that user" {
	folder
	lh-playbook record -q d/p.lhv <<<'{"query_text":"q","answer_id":"a","answer_corpus":"c","score":1}'
	lh-pathway add d/traces.jsonl <<<'{"uid":"a","content":1}'
	echo '{"content":"{}"}' >answers
	lh-iterate --answers answers --session-log d/sessions.jsonl <<<'{"kind":"email","prompt":"p","model":"m"}' || true
	lh-embed --engine openai --url http://127.0.0.1:1 --retries 0 --cache d/c.db <<<'{"text":"a"}' || true
	lh-embed --rejects d/rejects <<<'{"no":1}' || true
	for f in p.lhv traces.jsonl sessions.jsonl c.db rejects; do [ -e "d/$f" ]; done
	theirs d
	as_nobody lh-pathway add d/traces.jsonl <<<'{"uid":"b","content":1}'
}

@test "logs of subjects, their folders, manifests, pages and sweeps belong to whose folder root works in" {
	folder
	record W-1 | lh-subject-audit append --dir d/data/subjects
	manifest W-1 '.retention.general_pii_until = "2020-01-01T00:00:00Z"' | lh-subject-audit manifest put --dir d/data/subjects
	lh-subject-audit sweep --apply --dir d/data/subjects
	lh-subject-audit report W-1 --dir d/data/subjects --html d/w.html || true
	printf '{"torn' >>d/data/subjects/W-1.audit.jsonl
	lh-subject-audit repair d/data/subjects/W-1.audit.jsonl
	[ -s d/data/subjects/W-1.audit.jsonl.torn ]
	[ -s d/w.html ]
	theirs d
	cp key d/key
	chown $NOBODY d/key
	record W-1 | LH_SUBJECT_AUDIT_KEY=d/key as_nobody lh-subject-audit append --dir d/data/subjects
}

@test "a root of a distillation that root makes or works in belongs to whose folder it is in" {
	folder
	lh-gen kb -n 30 --root d/root/
	lh-distill run -q --root d/root --run-id one || true
	lh-audit-full -q --root d/root --append-baseline || true
	[ -s d/root/data/_kb/audit_baselines.jsonl ]
	[ -s d/root/reports/distillation/one/summary.json ]
	theirs d
	as_nobody lh-distill run -q --root d/root --run-id two || true
	[ -s d/root/reports/distillation/two/summary.json ]
}

@test "a night that root makes leaves all to whose indexes they are" {
	needs_reach
	folder
	lh-index build -q d/big.lhv <workers
	lh-index build -q d/fresh.lhv <<<'{"id":"n","text":"a welder"}'
	run -0 "$ROOT/share/examples/lh-fresh-nightly" d/big.lhv d/fresh.lhv
	theirs d
	run -0 as_nobody env PATH="$PATH" "$ROOT/share/examples/lh-fresh-nightly" d/big.lhv d/fresh.lhv
	as_nobody lh-index info d/big.lhv | has '21'
}

@test "what root replaces keeps owner, group and mode, whatever the folder's are" {
	needs_root
	lh-gen workers -n 20 >workers
	lh-index build -q w.lhv <workers
	chown $NOBODY:1234 w.lhv
	chmod 640 w.lhv
	for command in 'build -q w.lhv workers' 'add -q w.lhv -' 'compact w.lhv' 'delete -q --id W-1 --id n w.lhv'; do
		echo '{"id":"n","text":"a"}' | lh-index $command || true
		for f in w.lhv*; do [ "$(stat -c '%u %g %a' "$f")" = "$NOBODY 1234 640" ] || { ls -ln; return 1; }; done
	done
	[ -e w.lhv-log ]
}

@test "a user who cannot give a file back gets a message, and no user gains a right by it" {
	needs_root
	chmod 777 .
	chmod o+x ..
	lh-gen workers -n 20 >workers
	lh-index build -q w.lhv <workers
	chmod 640 w.lhv
	run -2 as_nobody lh-index build w.lhv workers
	[[ $output == *"w.lhv: cannot tell what is replaced: Permission denied"* ]]
	run -0 --separate-stderr as_nobody lh-index build --force w.lhv workers
	[ "$stderr" = "lh-index: w.lhv: cannot be given to user 0, group 0: Operation not permitted" ]
	[ "$(stat -c '%u %g %a' w.lhv)" = "$NOBODY $NOBODY 600" ]
	mkdir d
	chown $NOBODY:$NOBODY d
	run -0 --separate-stderr setpriv --bounding-set -chown lh-index build d/w.lhv workers
	[[ $stderr == *"lh-index: d/w.lhv: cannot be given to user $NOBODY, group $NOBODY: Operation not permitted" ]]
}

@test "a file that root is to replace is not open to others meanwhile" {
	needs_root
	needs_strace
	lh-gen workers -n 20 >workers
	lh-index build -q w.lhv <workers
	chmod 600 w.lhv
	strace -f -qq -e trace=openat -o trace lh-index build -q w.lhv workers
	run -0 grep -c 'w.lhv.lh-tmp-.*O_CREAT.*, 0600)' trace
}

@test "a log that is new is in its folder on disk, and so are the folders that are made for it" {
	needs_strace
	strace -f -qq -y -e trace=fsync -o trace lh-pathway add log <<<'{"uid":"a","content":1}'
	grep -q "fsync([0-9]*<$PWD>)" trace
	strace -f -qq -y -e trace=fsync -o trace lh-subject-audit append --dir new/folder < <(record W-1)
	grep -q "fsync([0-9]*<$PWD>)" trace
	grep -q "fsync([0-9]*<$PWD/new>)" trace
	grep -q "fsync([0-9]*<$PWD/new/folder>)" trace
	run -2 --separate-stderr inject fsync:error=EIO lh-pathway add other <<<'{"uid":"a","content":1}'
	[[ $stderr == *"cannot sync: Input/output error" ]]
}

@test "a full disk names the file that could not be written" {
	plain_only "limits"
	run -2 --separate-stderr prlimit --fsize=200 lh-subject-audit manifest put --dir d < <(manifest W-1)
	[ "$stderr" = "lh-subject-audit: d/W-1.json: write failed: File too large" ]
	for id in W-1 W-2 W-3; do manifest $id '.retention.general_pii_until = "2020-01-01T00:00:00Z"'; done |
		lh-subject-audit manifest put --dir d >/dev/null
	run -2 --separate-stderr prlimit --fsize=200 lh-subject-audit sweep --apply --dir d --as-of 2026-05-03T12:00:00Z
	[ "$stderr" = "lh-subject-audit: d/_retention_sweep_2026-05-03.jsonl: write failed: File too large" ]
	run -2 --separate-stderr prlimit --fsize=200 lh-gen kb -n 100 --root r
	[[ $stderr == "lh-gen: r/data/_kb/"*": write failed: File too large" ]]
	no_litter
}
