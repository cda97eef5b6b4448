# lh-serve FILE: a file of records with a state that ends with the server.
# bats file_tags=quick
load ../helper
load ../servers/serve

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir tmp
	printf '%s\n' person_id,name,job,town 7,Ada,nurse,Utrecht 8,Bo,welder,Gent >people.csv
}

teardown() {
	stop_serves
	faults_happened
}

ask() {
	curl -sS -m "$LH_PATIENCE" --json "$2" "$URL/v1/matrix/$1"
}

@test "a file is served with its console, on loopback, and nothing of it is left at the end" {
	cp people.csv 'my people.v2.csv'
	echo '{"t":"a kettle"}' >things.jsonl
	start_serve people.csv 'my people.v2.csv' things.jsonl
	[ "$(ask search '{"query_text":"nurse","corpora":["people"],"k":1}' | jq -r '.results[].id')" = 7 ]
	[ "$(ask retrieve '{"query_text":"welder","corpora":["my_people.v2"],"k":1}' | jq -r '.results[].id')" = 8 ]
	[ "$(curl -sS "$URL/v1/matrix/corpora" | jq -r '[.corpora[].name] | sort | join(" ")')" = "my_people.v2 people things" ]
	curl -sS "$URL/" | has -i '<title>'
	has -F 'lh-serve: people.csv: text: name, job, town; id: person_id' <err
	folder=$(echo tmp/lh-serve-files-*)
	[ "$(stat -c %a "$folder" "$folder"/index/*.lhv | sort -u | xargs)" = "600 700" ]
	end_serve
	[ -z "$(ls tmp)" ]
	# another signal, and a start that fails
	start_serve people.csv
	end_serve INT || [ "$?" = 130 ]
	[ -z "$(ls tmp)" ]
	run -2 lh-serve --listen 127.0.0.1:99999 people.csv
	[ -z "$(ls tmp)" ]
}

@test "a killed server's folder is removed by the next" {
	start_serve people.csv
	kill -s KILL "$SERVE"
	wait "$SERVE" || [ "$?" = 137 ]
	[ -n "$(ls tmp)" ]
	start_serve people.csv
	[ "$(find tmp -maxdepth 1 -name 'lh-serve-files-*' | wc -l)" = 1 ]
}

@test "lh serve alone says which three ways there are; a file goes with no state" {
	run -2 --separate-stderr lh serve
	[ -z "$output" ] && [ "${#stderr_lines[@]}" = 5 ]
	[[ ${stderr_lines[1]} == *'lh serve people.csv '* && ${stderr_lines[2]} == *'lh serve --state DIR '* && ${stderr_lines[3]} == *'lh serve --config FILE '* ]]
	run -2 lh-serve --state s people.csv
	[ "$output" = 'lh-serve: a file has a state of its own: without --state' ]
	run -2 lh-serve none.csv
	[ "$output" = 'lh-serve: none.csv is not a file of records; --state names a folder of indexes' ]
	mkdir -p s/index
	: >s/roster.jsonl
	run -2 lh-serve s
	[[ $output == *'lh-serve: s is a root or a state'* ]]
	printf '[{"a":"b"' >cut.json
	run -2 lh-serve cut.json
	[ "$output" = 'lh-serve: cut.json: the array does not end' ]
	(umask 077 && head -c 32 /dev/zero >key)
	LH_SUBJECT_AUDIT_KEY=$PWD/key run -2 lh-serve people.csv
	[[ $output == 'lh-serve: LH_SUBJECT_AUDIT_KEY is set: --audit-log names a folder'* ]]
	[ -z "$(ls tmp)" ]
}
