# lh-gen: workers, queries, drafts and sources, the same for the same seed.
# bats file_tags=quick
load ../helper

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
	run -0 --separate-stderr lh-gen workers -n 0
	[ -z "$output$stderr" ]
}

# What these rows are is pinned by their hashes; that they are what they shall be is read off them.
@test "workers have a text of their other fields, no real telephone, and roles of every kind" {
	lh-gen workers -n 10000 >w
	jq -e -s 'all(.[]; .id == .candidate_id
		and .text == "Worker role: \(.role). Skills: \(.skills | join(", ")). "
			+ (if .certifications == [] then "" else "Certifications: \(.certifications | join(", ")). " end)
			+ "Archetype: \(.archetype). Location: \(.city), \(.state). \(.resume_text)"
		and (.phone | test("^[2-9][0-9]{2}-555-01[0-9]{2}$")) and (.email | test("^[a-z.]+[0-9]+@example[.]com$"))
		and (.skills | length == (unique | length)) and (.certifications | length == (unique | length)))
		and (map(select(.role == "Forklift Operator")) | length / 10000 | . > .1 and . < .12)
		and (map(.role) | unique | length >= 25) and (map(.city + .state) | unique | length >= 60)' w
}

@test "demand is worded in its style, and half of the drafts are sound" {
	lh-gen queries -n 500 --styles all >q
	jq -e -s 'all(.[]; (if .count > 1 then .role + "s" else .role end) as $roles | .query_text == {
			need: "Need \(.count) \($roles) in \(.city) \(.state) starting at \(.at) for \(.client)",
			client_first: "\(.client) needs \(.count) \($roles) in \(.city) \(.state) starting at \(.at)",
			looking: "Looking for \(.count) \($roles) at \(.client) in \(.city) \(.state) for a \(.at) start",
			shorthand: "\(.count) \(.role) \(.city) \(.state) \(.at) \(.client)"
		}[.style])' q
	for kind in fill email sms playbook; do
		lh-gen drafts -n 4000 --kinds $kind | jq -e -s 'map(select(.expect.status == 200)) | length > 1600 and length < 2400'
	done
	lh-gen drafts -n 500 --kinds all | cmp - <(lh-gen drafts -n 500)
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

@test "a seed is a whole number up to 2^53, to the last digit" {
	lh-gen workers -n 1 --seed 9007199254740992
	run -2 lh-gen workers -n 1 --seed 9007199254740993
	[ "$output" = 'lh-gen: --seed: "9007199254740993" is not a whole number from 0 to 9007199254740992' ]
}

@test "an operand and an unknown style are usage errors" {
	run -2 --separate-stderr lh-gen workers file
	[ -z "$output" ]
	[[ $stderr == *'"file"'* ]]
	run -2 --separate-stderr lh-gen queries --styles rude
	[[ $stderr == *client_first* ]]
	run -2 --separate-stderr lh-gen workers --styles need
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
