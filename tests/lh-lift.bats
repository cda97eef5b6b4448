# lh-lift: what a playbook is worth.
load helper

NOW=2026-05-03T12:00:00Z

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$BATS_TEST_DIRNAME/../bin}:$PATH
	lh-gen workers -n 5000 | lh-index build --dimension 256 workers.lhv
	lh-gen queries -n 40 --styles all >demand
	# by hand: who is nearest to "Need 1 Welder in Gary IN" is no welder
	cat >few.jsonl <<-'END'
	{"id":"cook","text":"Need 2 Cooks in Gary IN","role":"Cook","city":"Gary","state":"IN"}
	{"id":"other","text":"Need 2 Welders in Ohio","role":"Welder","city":"Gary","state":"OH"}
	{"id":"welder","text":"A welder who lives near Lake Michigan, in Gary, Indiana","role":"welders","city":" gary ","state":"in"}
	{"id":"none","text":"Need a hand","metadata":null}
	END
	lh-index build few.lhv few.jsonl
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp "$BATS_FILE_TMPDIR"/few.lhv .
	WORKERS=$BATS_FILE_TMPDIR/workers.lhv DEMAND=$BATS_FILE_TMPDIR/demand
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir tmp
}

# summary - that of the file out.
summary() {
	tail -n 1 out | jq -c ".summary | $1"
}

# ask QUERY [JQ] - a query of the role, city and state of the hand-made ones.
ask() {
	jq -nc --arg q "$1" '{query_text: $q, role: "Welder", city: "Gary", state: "IN"}' | jq -c "${2:-.}"
}

# nothing_left - neither a folder nor a process of ours.
nothing_left() {
	[ -z "$(ls -A tmp)" ]
	run ! pgrep -f "lh-(search|playbook).* $BATS_TEST_TMPDIR/tmp"
}

@test "40 rows of demand in four styles: at least 10 of 11 discoveries are lifts, and no role bleeds into another" {
	lh-lift --now $NOW "$WORKERS" <"$DEMAND" >out
	[ "$(wc -l <out)" = 161 ]
	[ "$(summary .queries)" = 160 ]
	[ "$(summary '.discoveries >= 11 and .lifts * 11 >= .discoveries * 10')" = true ]
	[ "$(summary .bleed)" = 0 ]
	[ "$(summary '[.open_gate, (.styles[] | .style, .open_gate)]')" = '[40,"need",0,"client_first",0,"looking",0,"shorthand",40]' ]
	nothing_left
}

@test "the summary is what its lines come to" {
	lh-lift "$WORKERS" <"$DEMAND" >out
	head -n -1 out | jq -c '.lift + {style}' | jq -sc '
		def sum(f): map(f) | add;
		def mean(f): if length == 0 then null else sum(f) / length end;
		def part: {
			queries: length, discoveries: map(select(.discovery)) | length, lifts: map(select(.lifted)) | length,
			lift_ratio: map(select(.discovery)) | mean(if .lifted then 1 else 0 end),
			displaced: map(select(.discovery and (.lifted | not) and .warm[0].playbook)) | length,
			boosted: sum(.boosted), injected: sum(.injected), mean_distance_change: mean(.warm[0].distance - .cold[0].distance),
			mean_score_cold: mean(.cold[0].score), mean_score_warm: mean(.warm[0].score),
			bleed: map(select(.open_gate | not)) | sum(.bleed), open_gate: map(select(.open_gate)) | length,
			open_gate_bleed: map(select(.open_gate)) | sum(.bleed)};
		part + {styles: [group_by(.style)[] | {style: .[0].style} + part]}' >want
	summary '.styles |= sort_by(.style)' >got
	python3 - <<-'END'
	import json
	def near(a, b):
	    if isinstance(a, dict): return a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
	    if isinstance(a, list): return len(a) == len(b) and all(map(near, a, b))
	    return a == b or (isinstance(a, float) or isinstance(b, float)) and abs(a - b) < 1e-6
	def none(v):
	    if isinstance(v, dict): return {k: none(x) for k, x in v.items()}
	    return [none(x) for x in v] if isinstance(v, list) else v or 0 if v is None else v
	got, want = (none(json.load(open(f))) for f in ("got", "want"))
	assert near(got, want), (got, want)
	END
}

@test "a discovery by hand: judged by role, state and city, recorded, lifted" {
	ask "Need 1 Welder in Gary IN" >q
	lh-lift --playbook book.lhv few.lhv <q >out
	[ "$(head -n 1 out | jq -c '[.lift.cold[] | [.id, .score]]')" = '[["cook",0.5],["welder",1],["other",0.5],["none",0]]' ]
	[ "$(head -n 1 out | jq -c '.lift | [.best, .discovery, .lifted, .boosted, .injected, .bleed, .open_gate]')" = '[2,true,true,1,0,0,false]' ]
	[ "$(head -n 1 out | jq -c '.lift.warm | [.[0].id, .[0].playbook.boosted]')" = '["welder",true]' ]
	[ "$(lh-playbook export book.lhv)" = '{"query_text":"Need 1 Welder in Gary IN","answer_id":"welder","answer_corpus":"few","score":1,"tags":["Welder"],"role":"Welder"}' ]
	[ "$(head -n 1 out | jq -r .lift.playbook_id)" = "pb-$(printf 'Need 1 Welder in Gary IN|welder|few' | sha256sum | cut -c1-16)" ]
	[ "$(head -n 1 out | jq '.lift | .distance_change < 0 and (.warm[0].distance - .cold[0].distance - .distance_change | fabs < 1e-6)')" = true ]
}

@test "a discovery that the role gate or a distance keeps from the top is no lift, and says so" {
	ask "Need 2 Cooks in Gary IN" >q
	lh-lift few.lhv <q >out
	[ "$(head -n 1 out | jq -c '.lift | [.discovery, .lifted, .boosted, .warm[0].id]')" = '[true,false,0,"cook"]' ]
	[ "$(summary '[.discoveries, .lifts, .lift_ratio, .displaced]')" = '[1,0,0,0]' ]
	ask "Cook in Gary IN" >q
	lh-lift few.lhv <q >out
	[ "$(head -n 1 out | jq -c '.lift | [.discovery, .lifted, .boosted, .open_gate, .warm[0].id]')" = '[true,false,1,true,"cook"]' ]
}

@test "an answer to words nearly alike may come before the recorded one: displaced" {
	{ ask "Need 1 Welder in Gary IN"; ask "Need 1 Welder in Gary IN!" '.state = "OH"'; } >q
	lh-lift few.lhv <q >out
	[ "$(head -n 2 out | jq -c '.lift | [.best, .discovery, .lifted, .warm[0].id]' | paste -sd' ')" = '[2,true,true,"welder"] [3,true,false,"welder"]' ]
	[ "$(summary '[.discoveries, .lifts, .displaced]')" = '[2,1,1]' ]
}

@test "where the first is as good as any, nothing is recorded and no playbook is made" {
	ask "A welder who lives near Lake Michigan" >q
	lh-lift --playbook book.lhv few.lhv <q >out
	[ "$(head -n 1 out | jq -c '.lift | [.best, .discovery, .playbook_id, .lifted]')" = '[1,false,null,false]' ]
	[ "$(summary '[.discoveries, .lift_ratio, .mean_distance_change]')" = '[0,null,0]' ]
	[ ! -e book.lhv ]
}

@test "a query comes back as it came, with lift last" {
	echo '{ "lift":1, "query_text" :"Need 1 Welder in G\u0061ry IN", "n":12345678901234567890, "role":"Welder","city":"Gary","state":"IN"}' >q
	lh-lift few.lhv <q >out
	[[ $(head -n 1 out) == '{ "query_text" :"Need 1 Welder in G\u0061ry IN", "n":12345678901234567890, "role":"Welder","city":"Gary","state":"IN","lift":{"cold":'* ]] ||
		{ head -n 1 out; return 1; }
}

@test "an entry about another role that moves a result is bleed: exit 1, and what it is" {
	# the wording says Welder, what is known says Cook: the gate lets the welder's entry through
	ask "Need 1 Welder in Gary IN" >q
	lh-lift -q --playbook book.lhv few.lhv <q >out
	ask "Need 1 Welder in Gary IN" '.role = "Cook"' >q
	run --separate-stderr lh-lift --playbook book.lhv few.lhv <q
	[ "$status" = 1 ]
	[ "$stderr" = "lh-lift: 1 results moved by entries of another role" ]
	[ "$(tail -n 1 <<<"$output" | jq -c '.summary | [.bleed, .open_gate_bleed]')" = '[1,0]' ]
	# where the wording gives no role the gate is open, and it is told apart
	ask "1 Welder Gary IN" '.role = "Cook"' >q
	lh-lift --playbook book.lhv few.lhv <q >out
	[ "$(summary '[.bleed, .open_gate, .open_gate_bleed]')" = '[0,1,1]' ]
}

@test "--now: the same input gives the same bytes, with any number of threads, and the same playbook" {
	lh-lift --now $NOW -j1 --playbook a.lhv w="$WORKERS" few.lhv <"$DEMAND" >one
	lh-lift --now $NOW -j3 --playbook b.lhv w="$WORKERS" few.lhv <"$DEMAND" >three
	cmp one three
	cmp a.lhv b.lhv
}

@test "a query that cannot be measured is rejected with its line; the others are measured" {
	cat >cases <<-'END'
	del(.query_text)	missing string field "query_text"
	.query_text = ""	empty text
	.query_text = 5	"query_text" must be a string
	del(.role)	missing string field "role"
	.city = ""	missing string field "city"
	.state = null	missing string field "state"
	.role = ["Welder"]	"role" must be a string
	.style = 1	"style" must be a string
	.corpora = ["few", "many"]	no corpus is named "many"
	.k = -1	"k" must be a whole number from 0 to 10000
	END
	while IFS=$'\t' read -r change why; do
		{ ask "Need 1 Welder in Gary IN"; ask "Need 1 Welder in Gary IN" "$change"; ask "Welder in Gary"; } >q
		run --separate-stderr lh-lift --rejects rejected few.lhv <q
		[ "$status" = 1 ]
		[[ $stderr == "lh-lift: -:2: "*"$why"*$'\n'"lh-lift: 1 of 3 records rejected" ]] || { echo "$change: $stderr"; return 1; }
		[ "${#lines[@]}" = 3 ]
		[ "$(tail -n 1 rejected)" = "$(sed -n 2p q)" ]
	done <cases
}

@test "usage and files that are not there: exit 2, one line, before anything is read" {
	run --separate-stderr lh-lift </dev/null
	[ "$status" = 2 ]
	[ "$stderr" = 'lh-lift: missing operand INDEX' ]
	run --separate-stderr lh-lift absent.lhv </dev/null
	[ "$status" = 2 ]
	[ "$stderr" = 'lh-lift: absent.lhv: No such file or directory' ]
	echo no >bad.lhv
	run --separate-stderr lh-lift --playbook bad.lhv few.lhv </dev/null
	[ "$status" = 2 ]
	[[ $stderr == 'lh-lift: bad.lhv: '* ]]
	run --separate-stderr lh-lift --playbook - few.lhv </dev/null
	[ "$status" = 2 ]
	run --separate-stderr lh-lift playbook_memory=few.lhv </dev/null
	[ "$status" = 2 ]
	[[ $stderr == *'playbook_memory'* ]]
	nothing_left
}

@test "no queries: a summary of nothing" {
	run --separate-stderr lh-lift few.lhv </dev/null
	[ "$status" = 0 ]
	[ "$output" = '{"summary":{"queries":0,"discoveries":0,"lifts":0,"lift_ratio":null,"displaced":0,"boosted":0,"injected":0,"mean_distance_change":null,"mean_score_cold":null,"mean_score_warm":null,"bleed":0,"open_gate":0,"open_gate_bleed":0,"styles":[]}}' ]
}
