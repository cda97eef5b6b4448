# lh-gen: workers, queries, drafts and sources, the same for the same seed.
# bats file_tags=quick
load ../helper

@test "workers write one JSON object a line with the fields in their order" {
	lh-gen workers -n 50 >w
	[ "$(wc -l <w)" = 50 ]
	jq -r 'keys_unsorted | join(" ")' w | sort -u >keys
	[ "$(cat keys)" = "id candidate_id name status role city state skills certifications archetype resume_text phone email blacklisted_clients text" ]
}

@test "id is candidate_id, counted from w-1" {
	lh-gen workers -n 3 >w
	[ "$(jq -r '.id + "=" + .candidate_id' w | paste -sd' ')" = "w-1=w-1 w-2=w-2 w-3=w-3" ]
}

@test "text is made of the other fields, empty parts left out" {
	lh-gen workers -n 2000 >w
	[ "$(jq -c 'select(.certifications == [])' w | wc -l)" -gt 100 ]
	run jq -c 'select(.text != "Worker role: \(.role). Skills: \(.skills | join(", ")). "
		+ (if .certifications == [] then "" else "Certifications: \(.certifications | join(", ")). " end)
		+ "Archetype: \(.archetype). Location: \(.city), \(.state). \(.resume_text)")' w
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "skills and certifications of a worker do not repeat" {
	lh-gen workers -n 2000 >w
	run -0 jq -c 'select((.skills | length != (unique | length)) or (.certifications | length != (unique | length))
		or (.blacklisted_clients | length != (unique | length)))' w
	[ -z "$output" ]
}

@test "a résumé has two to four sentences" {
	lh-gen workers -n 2000 >w
	jq -r '.resume_text | gsub("St[.] "; "") | [match("[.](?: |$)"; "g")] | length' w | sort -un >counts
	[ "$(head -n1 counts)" -ge 2 ]
	[ "$(tail -n1 counts)" -le 4 ]
}

@test "about 11 percent are forklift operators, over at least 25 roles and 60 cities" {
	lh-gen workers -n 20000 >w
	n=$(jq -r 'select(.role == "Forklift Operator") | .id' w | wc -l)
	[ "$n" -ge 2000 ]
	[ "$n" -le 2400 ]
	[ "$(jq -r .role w | sort -u | wc -l)" -ge 25 ]
	[ "$(jq -r '.city + .state' w | sort -u | wc -l)" -ge 60 ]
}

@test "telephone numbers and addresses are reserved ones, some names are not ASCII" {
	lh-gen workers -n 2000 >w
	run -0 jq -c 'select((.phone | test("^[2-9][0-9]{2}-555-01[0-9]{2}$") | not) or (.email | test("^[a-z.]+[0-9]+@example[.]com$") | not))' w
	[ -z "$output" ]
	[ "$(jq -c 'select(.name | test("[^\\x00-\\x7f]"))' w | wc -l)" -gt 50 ]
}

@test "the same seed gives the same bytes, another seed others, and a row does not depend on the count" {
	lh-gen workers -n 1000 >a
	lh-gen workers -n 1000 --seed 1 >b
	lh-gen workers -n 1000 --seed 2 >c
	lh-gen workers -n 3000 | first 1000 >d
	cmp a b
	cmp a d
	lh-gen drafts -n 100 >e
	cmp e <(lh-gen drafts -n 1000 | first 100)
	run ! cmp -s e <(lh-gen drafts -n 100 --seed 2)
	run ! cmp -s a c
	[ "$(comm -12 <(jq -r .text a | sort) <(jq -r .text c | sort) | wc -l)" -lt 50 ]
}

@test "the rows are those of every other machine" {
	[ "$(lh-gen workers -n 10000 | sha256sum | cut -c1-16)" = b49594bd2c6d48e5 ]
	[ "$(lh-gen queries -n 10000 --styles all | sha256sum | cut -c1-16)" = 1ff2e2ea6c25d082 ]
	[ "$(lh-gen drafts -n 10000 | sha256sum | cut -c1-16)" = 1fcdcc4dd2e80f62 ]
}

@test "each style has its shape, with an s from two workers on" {
	lh-gen queries -n 500 --styles all >q
	run jq -c '. as $q | (if .count > 1 then .role + "s" else .role end) as $roles |
		{
			need: "Need \(.count) \($roles) in \(.city) \(.state) starting at \(.at) for \(.client)",
			client_first: "\(.client) needs \(.count) \($roles) in \(.city) \(.state) starting at \(.at)",
			looking: "Looking for \(.count) \($roles) at \(.client) in \(.city) \(.state) for a \(.at) start",
			shorthand: "\(.count) \(.role) \(.city) \(.state) \(.at) \(.client)"
		}[.style] | select(. != $q.query_text)' q
	[ "$status" = 0 ]
	[ -z "$output" ]
	[ "$(jq 'select(.count == 1)' q | wc -l)" -gt 0 ]
}

@test "a draft is a kind, an artifact, perhaps a context, and the verdict expected" {
	lh-gen drafts -n 5000 >d
	[ "$(wc -l <d)" = 5000 ]
	[ "$(jq -r 'keys_unsorted | join(" ")' d | sort -u | paste -sd,)" = "kind artifact context expect,kind artifact expect" ]
	run -0 jq -c 'select(.expect | (.status == 200 and .report.elapsed_ms == 0 and (.report.findings | type) == "array")
		or (.status == 422 and (.error | length) == 1) or (.status == 400 and (.error.message | type) == "string") | not)' d
	[ -z "$output" ]
}

@test "about half of the drafts are sound, and --kinds chooses what is drafted" {
	for kind in fill email sms playbook; do
		lh-gen drafts -n 4000 --kinds $kind >d
		n=$(jq -c 'select(.expect.status == 200)' d | wc -l)
		[ "$n" -ge 1600 ]
		[ "$n" -le 2400 ]
		[ "$(jq -c --arg k $kind 'select(.kind == $k)' d | wc -l)" -ge 3900 ]
	done
	[ "$(lh-gen drafts -n 5000 --kinds all | cmp - <(lh-gen drafts -n 5000))" = "" ]
	[ "$(lh-gen drafts -n 5000 | jq -r 'select(.expect.status != 400) | .kind' | sort -u | paste -sd' ')" = "email fill playbook sms" ]
}

@test "drafts are about workers of the same seed, as many as --workers says" {
	lh-gen workers -n 50 --seed 3 | jq -c '{ key: .candidate_id, value: . }' | jq -sc from_entries >roster
	lh-gen drafts -n 3000 --seed 3 --workers 50 --kinds fill |
		jq -c 'select(.expect.status == 200) | .artifact.fills[].candidate_id | ascii_downcase | gsub("[ \t\r\n]"; "")' | sort -u >named
	[ "$(wc -l <named)" -ge 30 ]
	run -0 jq -c --slurpfile r roster 'select($r[0][.] == null or $r[0][.].status != "active")' named
	[ -z "$output" ]
	lh-gen drafts -n 200 --workers 1 >one
	[ "$(wc -l <one)" = 200 ]
}

@test "-n counts rows of demand: all styles of a row follow each other" {
	lh-gen queries -n 100 --styles all >q
	[ "$(wc -l <q)" = 400 ]
	[ "$(head -n4 q | jq -r .style | paste -sd' ')" = "need client_first looking shorthand" ]
	[ "$(jq -c '[.role, .city, .state, .count, .client, .at]' q | uniq -c | awk '$1 % 4' | wc -l)" = 0 ]
	alike <(jq -c 'select(.style == "looking")' q) <(lh-gen queries -n 100 --styles looking)
}

@test "demand is worded as need when nothing is said" {
	alike <(lh-gen queries -n 20) <(lh-gen queries -n 20 --styles need)
}

@test "most of the demand is for a role in a city that some of 5,000 workers have" {
	lh-gen workers -n 5000 | jq -r '.role + "/" + .city' | sort -u >have
	lh-gen queries -n 1000 | jq -r '.role + "/" + .city' >want
	[ "$(grep -cxFf have want)" -ge 850 ]
}

@test "a city is served by a few clients mostly" {
	lh-gen queries -n 5000 | jq -r 'select(.city == "Chicago") | .client' | sort | uniq -c | sort -rn | awk '
		{ all += $1; if (NR <= 4) top += $1 } END { exit !(all > 100 && top > 0.8 * all) }'
}

@test "a seed is a whole number up to 2^53, to the last digit" {
	lh-gen workers -n 1 --seed 9007199254740992
	run lh-gen workers -n 1 --seed 9007199254740993
	[ "$status" = 2 ]
	[ "$output" = 'lh-gen: --seed: "9007199254740993" is not a whole number from 0 to 9007199254740992' ]
}

@test "zero rows give no output and no error" {
	run --separate-stderr lh-gen workers -n 0
	[ "$status" = 0 ]
	[ -z "$output" ]
	[ -z "$stderr" ]
}

@test "a hundred thousand workers come, each with an id of its own" {
	lh-gen workers -n 100000 >out
	[ "$(grep -o '"id":"w-[0-9]*"' out | sort -u | wc -l)" = 100000 ]
	tail -n 1 out | jq -e '.id == "w-100000"'
}

@test "an operand, a missing command and an unknown style are usage errors" {
	run --separate-stderr lh-gen workers file
	[ "$status" = 2 ]
	[ -z "$output" ]
	[[ $stderr == *'"file"'* ]]
	run --separate-stderr lh-gen
	[ "$status" = 2 ]
	run --separate-stderr lh-gen queries --styles rude
	[ "$status" = 2 ]
	[[ $stderr == *client_first* ]]
	run --separate-stderr lh-gen workers --styles need
	[ "$status" = 2 ]
	run --separate-stderr lh-gen drafts --workers 0
	[ "$status" = 2 ]
	[ "$stderr" = 'lh-gen: --workers: "0" is not a whole number from 1 to 10000000' ]
}

@test "a closed pipe ends it quietly" {
	run --separate-stderr bash -c 'lh-gen workers -n 1000000 | head -n1 >/dev/null; exit ${PIPESTATUS[0]}'
	[ "$status" = 141 ] || [ "$status" = 0 ]
	[ -z "$stderr" ]
}

@test "queries --from words given demand, and keeps the members of its record" {
	row='{"count":3,"role":"Welder","city":"Gary","state":"IN","client":"B\"F","at":"06:00","x":1.0,"style":"s"}'
	rest='"count":3,"role":"Welder","city":"Gary","state":"IN","client":"B\"F","at":"06:00","x":1.0}'
	run -0 lh-gen queries --from - <<<"$row"
	[ "$output" = '{"query_text":"Need 3 Welders in Gary IN starting at 06:00 for B\"F","style":"need",'"$rest" ]
	run -0 lh-gen queries --from - --styles all <<<"${row/3/\"1\"}"
	[ "${#lines[@]}" = 4 ]
	[ "$(jq -r .query_text <<<"${lines[1]}")" = 'B"F needs 1 Welder in Gary IN starting at 06:00' ]
	# what it wrote itself comes out again
	lh-gen queries -n 50 --styles all >out
	lh-gen queries -n 50 | jq -c 'del(.query_text, .style)' | lh-gen queries --from - --styles all | cmp - out
}

@test "queries --from rejects what lacks a member or a count" {
	for row in '{"role":"r","city":"c","state":"s","client":"b","at":"a"}' '{"count":0,"role":"r","city":"c","state":"s","client":"b","at":"a"}' \
		'{"count":"1.5","role":"r","city":"c","state":"s","client":"b","at":"a"}' '{"count":9999999999,"role":"r","city":"c","state":"s","client":"b","at":"a"}' \
		'{"count":1,"role":"r","city":"c","state":"s","client":"b"}' '{"count":1,"role":"","city":"c","state":"s","client":"b","at":"a"}'; do
		run -1 --separate-stderr lh-gen queries --from - --rejects r <<<"$row"
		[ -z "$output" ]
		[ "$(tail -n 1 r)" = "$row" ]
	done
	run -2 lh-gen queries --from absent
	[[ $output == *absent* ]]
}

@test "progress is the share that is done, to the end, and changes no output" {
	run -0 --separate-stderr lh-gen workers -n 50 --progress always
	[ "$(whole_progress)" = 'lh-gen: 100 %' ]
	[ "$output" = "$(lh-gen workers -n 50)" ]
	run -0 --separate-stderr lh-gen workers -n 50
	[ -z "$stderr" ]
}
