# lh-subject requests, and the routes /v1/subject/{id}/... of lh-serve, which are off until they
# are configured.
load ../helper
load ../subject
load ../servers/serve

teardown() {
	stop_serves
	faults_happened
}

requests() {
	lh-subject requests --state s -q --on-error emit "$@"
}

@test "a request is answered with what the command prints, and its exit status" {
	a_state 2
	printf '{"op":"find","id":"%s"}\n' w-1 w-9 | requests >got
	lh-subject find w-1 --state s | jq -cs '{candidate_id: "w-1", exit: 0, lines: .}' | cmp - <(sed -n 1p got)
	[ "$(jq -c '[.exit, .lines[0].found]' got | sed -n 2p)" = "[1,0]" ]
}

@test "a request names no place, file or configuration" {
	a_state 2
	for member in state root index store cache roster subjects config log out receipt key_file tlog paths; do
		printf '{"op":"find","id":"w-1","%s":"/etc"}\n' $member
	done >asked
	run -1 requests <asked
	[ "$(jq -r .error.message <<<"$output" | grep -c '^unknown member')" = 14 ]
	[ "$(jq -r .error.code <<<"$output" | sort -u)" = 400 ]
	[ "$(lh-subject --describe | jq -c '.operations[] | select(.name == "requests") | .paths')" = "[]" ]
}

@test "a text that is too long or too short is refused, and nothing is said to be looked at" {
	a_state 1
	long=$(repeat 4097 x | tr -d '\n')
	for text in "\"id\":\"$long\"" "\"id\":\"w-1\",\"also\":[\"$long\"]" '"id":"w-1","also":["abc"]' '"id":"w-1","also":["abc"],"short":true'; do
		echo "{\"op\":\"verify\",$text}"
	done >asked
	run -1 --separate-stderr requests <asked
	[ "$(jq -c '[.error.code, .exit]' <<<"$output" | tr '\n' ' ')" = "[413,null] [400,null] [400,null] [null,1] " ]
}

@test "the id and the texts of a person are in no argument of a process" {
	needs_strace
	a_state 1
	echo '{"op":"find","id":"secret-id","also":["secret-text"]}' >asked
	strace -f -s 1000 -e trace=execve -o calls lh-subject requests --state s asked >/dev/null || true
	not grep -q 'secret-' calls
}

@test "a place that cannot be read is a request that fails, with 503 and without its name" {
	a_state 1
	ln -s /etc/passwd s/log/link.jsonl
	run -1 --separate-stderr requests <<<'{"op":"find","id":"w-1"}'
	[ "$(jq -r .error.code <<<"$output")" = 503 ]
	not grep -q 'link.jsonl' <<<"$output"
	[[ $stderr == *"s/log/link.jsonl: is a symbolic link"* ]]
}

@test "the routes answer 404 until a configuration has them, and then need the token of the audit" {
	a_state 2
	(umask 077; echo legal-0123456789abcdef >legal)
	start_serve --state s --legal-token-file legal
	for op in find export erase verify; do
		[ "$(curl -sS -o got -w '%{http_code}' --json '{}' -H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef' "$URL/v1/subject/w-1/$op")" = 404 ]
		[ "$(jq -r .error got)" = "persons' data: no configuration has this route; \"routes\" of --config turn it on" ]
	done
	stop_serves
	jq -nc '{state: "s", legal_token_file: "legal", routes: [{route: "POST /v1/subject/{id}/find", read: true, members: {op: "find"},
		run: ["lh-subject", "requests", "--state", "s", "-q", "--on-error", "emit"]}]}' >config
	start_serve --config config
	[ "$(curl -sS -o got -w '%{http_code}' --json '{}' "$URL/v1/subject/w-1/find")" = 401 ]
	[ "$(curl -sS -o got -w '%{http_code}' --json '{"also":["Number 1"]}' -H 'X-Lakehouse-Trace-Id: t-7' \
		-H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef' "$URL/v1/subject/w-1/find")" = 200 ]
	jq -e '.candidate_id == "w-1" and .exit == 0 and (.lines | length > 10)' got
	[ "$(curl -sS -o got -w '%{http_code}' --json '{"root":"/etc"}' -H 'X-Lakehouse-Legal-Token: legal-0123456789abcdef' \
		"$URL/v1/subject/w-1/find")" = 400 ]
	# the look-up is a row of the person's log
	[ "$(tail -n 1 s/data/_catalog/subjects/w-1.audit.jsonl | jq -r '[.accessor.purpose, .accessor.trace_id] | join(" ")')" = "subject_find t-7" ]
}

@test "a bad request is answered with an error also without --on-error emit" {
	mkdir s
	printf '%s\n' '{"op":"find","id":"w-1","also":["a"]}' '{"op":"find","id":"w-1"}' >asked
	run -1 --separate-stderr lh-subject requests --state s -q asked
	[ "$(jq -c '[.error.code, .exit]' <<<"$output" | tr '\n' ' ')" = "[400,null] [null,1] " ]
}

@test "a request to erase needs a reason, and texts or id_only; who asks writes the row on who looked" {
	mkdir -p s/log
	echo '{"candidate_id":"w-1"}' >s/log/a.jsonl
	printf '%s\n' '{"op":"find","id":"w-1"}' '{"op":"export","id":"w-1"}' '{"op":"erase","id":"w-1"}' \
		'{"op":"erase","id":"w-1","apply":true,"id_only":true}' '{"op":"erase","id":"w-1","apply":true,"reason":"r","id_only":true,"also":["Rob Al"]}' \
		'{"op":"erase","id":"w-1","apply":true,"reason":"r"}' >asked
	run -1 --separate-stderr lh-subject requests --state s -q asked
	[ "$(jq -c '[.exit, .error.code]' <<<"$output" | tr '\n' ' ')" = "[0,null] [0,null] [0,null] [null,400] [null,400] [null,503] " ]
	[ ! -e s/data/_catalog/subjects/w-1.audit.jsonl ]
	requests <<<'{"op":"erase","id":"w-1","apply":true,"reason":"r","id_only":true}' | jq -e '.lines[-1].state == "erased"' >/dev/null
}
