# Locks: who may only read can hold none, every wait has an end, and a message says
# for what it was and for whom.
# bats file_tags=quick
load ../helper
load ../audit

reader() {
	needs_root
	chmod o+x . ..
}

needs_root() {
	[ "$(id -u)" = 0 ] || skip "needs two users"
}

# holds FILE - another user, who may read it, has a flock on it until stopped
holds() {
	mkfifo -m 666 held
	setpriv --reuid=65534 --regid=65534 --clear-groups timeout "$LH_PATIENCE" flock "$1" bash -c 'echo go >held; exec sleep 600' 3>&- &
	READER=$!
	read -r _ <>held
	rm held
}

stopped() {
	kill "$READER"
	wait "$READER" || true
}

# given up FILE: the one line of stderr, with who holds it
given_up() {
	[[ $stderr == *"$1: locked by process "+([0-9])"; gave up after 0.1 seconds"* ]] || { echo "$stderr"; return 1; }
}

@test "who may read an index stops neither adds nor its compaction" {
	reader
	lh-gen workers -n 20 | lh-index build -q w.lhv
	chmod a+r w.lhv
	holds w.lhv
	lh-index add -q --lock-timeout 0 w.lhv <<<'{"id":"n","text":"a"}'
	lh-index compact --lock-timeout 0 w.lhv
	[ ! -s w.lhv-log ]
	stopped
}

@test "a signal while a lock is taken leaves no lock" {
	needs_strace
	lh-gen workers -n 20 >in
	for call in flock pwrite64; do
		for signal in TERM INT; do
			rc=0
			inject "$call:signal=$signal:when=1" env --default-signal=INT lh-index build -q w.lhv in || rc=$?
			injected
			[ "$rc" -gt 128 ]
			[ -z "$(ls -A | grep w.lhv)" ] || { ls -A; false; }
		done
	done
}

@test "a lock may be opened by those who may write what it is for, and by no others" {
	umask 022
	lh-gen workers -n 20 >in
	mkfifo fifo
	for mode in 644:600 640:600 664:660 600:600 666:666 444:600; do
		lh-index build -q w.lhv in
		chmod "${mode%:*}" w.lhv
		timeout "$LH_PATIENCE" lh-index build -q w.lhv <fifo &
		exec 7>fifo
		until [ -s w.lhv-lock ]; do kill -0 $!; done
		[ "$(stat -c %a w.lhv-lock)" = "${mode#*:}" ]
		cat in >&7
		exec 7>&-
		wait $!
		[ ! -e w.lhv-lock ]
	done
}

@test "a lock that may not be made says that its folder is meant" {
	needs_reach
	mkdir -m 755 d
	lh-gen workers -n 20 | tee in | lh-index build -q d/w.lhv
	chmod 555 d
	run -2 as_nobody lh-index add d/w.lhv in
	[ "$output" = 'lh-index: d/w.lhv-lock: cannot be made in its folder: Permission denied' ]
	chmod 755 d
}

@test "a lock that was left with other rights is tightened by its owner" {
	lh-gen workers -n 20 | lh-index build -q w.lhv
	chmod 644 w.lhv
	install -m 666 /dev/null w.lhv-lock
	exec 7<w.lhv-lock
	mkfifo fifo
	timeout "$LH_PATIENCE" lh-index build -q w.lhv <fifo 7<&- &
	exec 8>fifo
	until [ -s w.lhv-lock ]; do kill -0 $!; done
	[ "$(stat -Lc %a /dev/fd/7)" = 600 ]
	exec 8>&-
	wait $! || true
}

@test "who may read a root keeps no run from it" {
	reader
	lh-gen kb -n 30 --root r
	chmod a+rx r
	holds r
	lh-distill run -q --root r --run-id one || [ $? = 1 ]
	[ -s r/reports/distillation/one/summary.json ]
	patiently lh-audit-full --observer --root r >lines || [ $? = 1 ]
	[ -s lines ]
	[ ! -e r/.lh-lock ]
	stopped
}

@test "each wait for a root ends at --lock-timeout, and names the file and who holds it" {
	lh-gen kb -n 12 --root r
	python3 -c 'import fcntl, signal; f = open("r/.lh-lock", "w"); fcntl.flock(f, fcntl.LOCK_EX); open("held", "w"); signal.pause()' 3>&- &
	pid=$!
	until [ -e held ]; do kill -0 $pid; done
	for command in 'lh-distill run' lh-materialize lh-score 'lh-export rag' 'lh-gen kb'; do
		run -2 --separate-stderr patiently $command --root r --lock-timeout 0.1
		[ "$stderr" = "${command%% *}: r/.lh-lock: locked by process $pid; gave up after 0.1 seconds" ]
	done
	run -2 --separate-stderr patiently lh-audit-full --root r --out report.md
	[ "$stderr" = "lh-audit-full: r: another audit or run is at work there" ]
	kill $pid
	wait $pid || true
}

@test "a playbook's wait ends at --lock-timeout" {
	entry='{"query_text":"q","answer_id":"a","answer_corpus":"c","score":1}'
	lh-playbook record -q pb.lhv <<<"$entry" >/dev/null
	exec 7>pb.lhv-lock
	flock 7
	run -2 --separate-stderr patiently lh-playbook record --lock-timeout 0.1 pb.lhv <<<"$entry" 7>&-
	[[ $stderr == *'pb.lhv-lock: locked by '*'; gave up after 0.1 seconds'* ]]
	run -2 --separate-stderr patiently lh-playbook remove --lock-timeout 0.1 pb.lhv <<<"$entry" 7>&-
	[[ $stderr == *'pb.lhv-lock: locked by '*'; gave up after 0.1 seconds'* ]]
}

@test "who may read a log makes its writers and readers wait no longer than --lock-timeout, and is named" {
	reader
	lh-gen workers -n 2 >staff.jsonl
	record W-1 | lh-subject-audit append --dir d >/dev/null
	id=$(jq -r .id staff.jsonl | first 1)
	record "$id" | lh-subject-audit append --dir d >/dev/null
	echo '{"uid":"a","content":1}' | lh-pathway add traces >/dev/null
	echo '{"content":"{}"}' >answers
	: >sessions
	chmod -R a+rX .
	chmod 600 key
	log=d/W-1.audit.jsonl
	holds $log
	run --separate-stderr patiently lh-subject-audit append --lock-timeout 0.1 --dir d < <(record W-1)
	[ "$status" -gt 0 ] && [ "$status" -le 2 ]
	given_up $log
	run -2 --separate-stderr patiently lh-subject-audit repair --lock-timeout 0.1 $log
	given_up $log
	run -2 --separate-stderr patiently lh-subject-audit verify --lock-timeout 0.1 $log
	given_up $log
	[ "$(wc -l <$log)" = 1 ]
	stopped
	holds traces
	for command in 'add traces' 'search traces'; do
		run -2 --separate-stderr patiently lh-pathway ${command% *} --lock-timeout 0.1 traces <<<'{"uid":"b","content":1}'
		given_up traces
	done
	stopped
	holds sessions
	run --separate-stderr patiently lh-iterate --lock-timeout 0.1 --answers answers --session-log sessions <<<'{"kind":"email","prompt":"p","model":"m"}'
	[ "${#lines[@]}" = 1 ]
	given_up sessions
	stopped
}

@test "a look-up is judged although its row cannot be appended in time" {
	lh-gen workers -n 2 >staff.jsonl
	id=$(jq -r .id staff.jsonl | first 1)
	record "$id" | lh-subject-audit append --dir d >/dev/null
	exec 8<"d/$id.audit.jsonl"
	flock 8
	jq -nc --arg id "$id" '{kind: "fill", artifact: {fills: [{candidate_id: $id, name: "x"}]}}' >in
	run --separate-stderr patiently lh-validate --lock-timeout 0.1 --roster staff.jsonl --audit-log d in 8<&-
	[ "${#lines[@]}" = 1 ]
	[[ $stderr == *"$id.audit.jsonl: locked by "*"gave up after 0.1 seconds"* ]]
	[ "$(wc -l <"d/$id.audit.jsonl")" = 1 ]
}

@test "the metrics of an audit wait for their log no longer than --lock-timeout" {
	lh-gen kb -n 12 --root r
	: >r/data/_kb/audit_baselines.jsonl
	exec 8<r/data/_kb/audit_baselines.jsonl
	flock 8
	run -2 --separate-stderr patiently lh-audit-full --root r --observer --append-baseline --lock-timeout 0.1 8<&-
	[[ $stderr == *"r/data/_kb/audit_baselines.jsonl: locked by "*"gave up after 0.1 seconds"* ]]
}

@test "who may not write a root audits it without a lock, and says so" {
	reader
	lh-gen kb -n 12 --root r
	chmod -R a+rX .
	chmod 600 key
	mkdir out
	chmod o+w out
	run -1 --separate-stderr as_nobody lh-audit-full --root r --observer --out out/report.md
	[ -s out/report.md ]
	[ "$stderr" = "lh-audit-full: r: not locked, as only who may write it can; others may change it meanwhile" ]
}
