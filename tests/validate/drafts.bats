# The whole of lh-validate against requests whose verdicts are known from how
# they were made (lh-gen drafts), and SSNs against numbers that look like them.
# Plain only: quality and counts over many valid records, on paths that the tools'
# own files and the unit programs take there.
# bats file_tags=plain-only
load ../helper

many() {
	if [ -n "${LH_ASAN:-}" ]; then echo 20000; else scale 60000 200000 1000000; fi
}

# judged OPTION... - drafts on stdin with their verdicts, the clock standing
# still. Some verdicts are bad: 1 is right. The drafts are made for the forms of
# the other runtimes, which are those of --wire: its lines become verdicts again.
judged() {
	local drafts
	drafts=$(mktemp "$PWD/drafts.XXXXXX")
	cat >"$drafts"
	# what a draft was made for is no member of a request
	sed 's/,"expect":.*/}/' "$drafts" >"$drafts.asked"
	{ lh-validate --wire --now 2026-05-03T12:00:00Z "$@" "$drafts.asked" || [ $? = 1 ]; } |
		sed -E 's/^(.*),"status":([0-9]+)}$/\2 \1}/; s/^([0-9]+) ([{]"findings".*)$/"verdict":{"status":\1,"report":\2}}/; s/^([0-9]+) (.*)$/"verdict":{"status":\1,"error":\2}}/' |
		paste -d, <(sed 's/}$//' "$drafts") -
}

# surprises - of judged drafts, those whose verdict is not the expected one, the
# first few; then how many rows there were and how many surprises.
surprises() {
	awk '{
		i = index($0, ",\"expect\":")
		j = index($0, ",\"verdict\":")
		expected = substr($0, i + 10, j - i - 10)
		verdict = substr($0, j + 11, length($0) - j - 11)
		if (i && j && expected == verdict) next
		if (++bad <= 3) print
	}
	END { print NR " rows, " bad + 0 " surprises" }'
}

@test "every draft gets exactly the verdict that it was made for" {
	lh-gen workers -n 1000 >roster.jsonl
	run -0 bash -c "$(declare -f judged surprises); lh-gen drafts -n $(many) | judged --roster roster.jsonl | surprises"
	[ "$output" = "$(many) rows, 0 surprises" ]
}

@test "the same with an index for a roster" {
	lh-gen workers -n 1000 | lh-index build --dimension 64 roster.lhv
	n=$(($(many) / 4))
	run -0 bash -c "$(declare -f judged surprises); lh-gen drafts -n $n | judged --roster roster.lhv | surprises"
	[ "$output" = "$n rows, 0 surprises" ]
}

@test "the same with other seeds, a small and a large roster, one thread and several" {
	n=$(($(many) / 10))
	while read -r seed workers jobs; do
		lh-gen workers -n "$workers" --seed "$seed" >roster.jsonl
		run -0 bash -c "$(declare -f judged surprises)
			lh-gen drafts -n $n --seed $seed --workers $workers | judged -j $jobs --roster roster.jsonl | surprises"
		[ "$output" = "$n rows, 0 surprises" ]
	done <<-END
		2 1 1
		3 12 2
		4 $(scale 20000 100000) 4
	END
}

@test "a later line for the same worker wins, in whatever case the id is written" {
	lh-gen workers -n 1000 >now.jsonl
	lh-gen workers -n 1000 --seed 2 | jq -c '.candidate_id |= ascii_upcase | .status = "inactive"' >before.jsonl
	cat before.jsonl now.jsonl >roster.jsonl
	run -0 bash -c "$(declare -f judged surprises); lh-gen drafts -n 20000 | judged --roster roster.jsonl | surprises"
	[ "$output" = "20000 rows, 0 surprises" ]
	cat now.jsonl before.jsonl >roster.jsonl
	run -0 bash -c "$(declare -f judged surprises); lh-gen drafts -n 20000 | judged --roster roster.jsonl | surprises"
	[ "$output" != "20000 rows, 0 surprises" ]
}

@test "what the roster does not say of a worker refuses no one" {
	lh-gen workers -n 1000 |
		jq -c 'if (.candidate_id[2:] | tonumber) % 2 == 0 then { candidate_id, name } else { candidate_id, name, status: "", city: null, state: "", role: null, blacklisted_clients: null } end' >roster.jsonl
	lh-gen drafts -n 20000 --kinds fill >drafts.jsonl
	judged --roster roster.jsonl <drafts.jsonl >out.jsonl
	silent="doesn't match contract|status is '|is blacklisted for"
	[ "$(grep -cE "\"expect\":.*($silent).*\"verdict\":" out.jsonl)" -gt 1000 ]
	run ! grep -qE "\"verdict\":.*($silent)" out.jsonl
	run -0 surprises < <(grep -vE "\"expect\":.*($silent).*\"verdict\":" out.jsonl)
	[[ ${lines[-1]} == *" rows, 0 surprises" ]]
}

@test "without a roster each look-up fails, and what needs none is as it was" {
	lh-gen drafts -n 20000 >drafts.jsonl
	judged <drafts.jsonl >out.jsonl
	run -0 jq -c 'select(.verdict.status == 200) | select(.kind == "fill" and .artifact.fills != [])' out.jsonl
	[ -z "$output" ]
	run -0 surprises < <(jq -c 'select(.expect.error.Schema or .expect.error.Completeness or .expect.status == 400 or .kind == "playbook")' out.jsonl)
	[[ ${lines[-1]} == *" rows, 0 surprises" ]]
}

# here - a folder as a fresh clone is after make: share/, bin/ and build/.
here() {
	mkdir -p build bin share
	cp -r "$ROOT/share/demo" share/
	ln -s "$LH_BIN"/lh* bin/
}

# bats test_tags=full
@test "the demo runs to its end, also where packages cannot be fetched" {
	here
	printf '#!/bin/sh\nexit 1\n' >bin/apt-get
	chmod +x bin/apt-get
	run -0 share/demo/demo
	[[ $output == *"These go on:
  order-1  fill
  order-1/w-2  sms
  order-1/mail  email
  order-1/note  playbook
These do not:"* ]]
	[[ $output == *"skipped: apt could not fetch"*"== What next =="*"lh help tutorial"* ]]
}
