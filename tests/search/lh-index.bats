# lh-index: build, add, remove, compact, dump, merge, move, verify.
# bats file_tags=quick,long
load ../helper
load ../index

# bats test_tags=graphs
@test "build makes an index, info names its fields in their order" {
	rows 1 20 | lh-index build --now 2026-05-03T12:00:00Z w.lhv
	[ "$(lh-index info w.lhv | jq -r 'keys_unsorted | join(" ")')" = "name dimension length distance m ef_construction precision rescore layout engine model url created_at field template lexical file_bytes pending deleted format" ]
	[ "$(lh-index info w.lhv | jq -c 'del(.file_bytes)')" = '{"name":"w","dimension":8,"length":20,"distance":"cosine","m":16,"ef_construction":200,"precision":"f32","rescore":false,"layout":"qg","engine":null,"model":null,"url":null,"created_at":"2026-05-03T12:00:00.000Z","field":null,"template":null,"lexical":null,"pending":0,"deleted":0,"format":4}' ]
	[ "$(info w.lhv file_bytes)" = "$(stat -c %s w.lhv)" ]
}

@test "texts are embedded as lh-embed does, and the index says by whom" {
	lh-gen workers -n 50 >w.jsonl
	lh-index build a.lhv w.jsonl
	lh-embed w.jsonl | lh-index build b.lhv
	lh-embed --encoding base64 w.jsonl | lh-index build c.lhv
	alike <(content a.lhv) <(content b.lhv)
	alike <(content a.lhv) <(content c.lhv)
	[ "$(info a.lhv engine)" = hash ]
	[ "$(info a.lhv model)" = hash-v3 ]
	[ "$(info b.lhv engine)" = hash ]
	[ "$(info a.lhv dimension)" = 768 ]
}

@test "a field that a record lacks is taken from its metadata by --template" {
	echo '{"id":"a","metadata":{"role":"cook","town":{"name":"Gent"}},"grade":"head"}' >in
	lh-index build --lexical --template '{grade} {role} {town.name}' w.lhv in
	echo '{"id":"a","text":"head cook Gent"}' | lh-index build same.lhv
	alike <(lh-index dump w.lhv | jq -c .vector) <(lh-index dump same.lhv | jq -c .vector)
	[ "$(lh-search --hybrid -Q gent w.lhv | jq -r '.results[0].id')" = a ]
	# a member of the record itself comes first
	echo '{"id":"a","role":"nurse","metadata":{"role":"cook"}}' | lh-embed --template '{role}' >out
	alike <(jq -c .vector out) <(echo '{"id":"a","text":"nurse"}' | lh-embed | jq -c .vector)
}

@test "--field and --template say what is embedded" {
	lh-gen workers -n 5 >w.jsonl
	lh-index build --dimension 64 --field resume_text a.lhv w.jsonl
	jq -c '.text = .resume_text' w.jsonl | lh-index build --dimension 64 b.lhv
	alike <(lh-index dump a.lhv | jq -c .vector) <(lh-index dump b.lhv | jq -c .vector)
	run -1 lh-index build --dimension 64 --template '{role} in {city}: {skills}{nothing} {{x}}' a.lhv w.jsonl
	[ "$output" = 'lh-index: --template: no record has "nothing"' ]
	jq -c '.text = "\(.role) in \(.city): \(.skills | join(", ")) {x}"' w.jsonl | lh-index build --dimension 64 b.lhv
	alike <(lh-index dump a.lhv | jq -c .vector) <(lh-index dump b.lhv | jq -c .vector)
	run -2 lh-index build --template '{role' a.lhv w.jsonl
	[[ $output == *"byte 1"* ]]
}

@test "a field that no record has is named and exit 1, in build, add and upgrade; paths lead inside" {
	printf '%s\n' '{"id":1,"t":{"en":"bolt","fr":"boulon"}}' '{"id":2,"t":{"en":"nut"}}' >in
	lh-index build --lexical --field t.en a.lhv in
	[ "$(lh-search --flat -k 1 -Q nut a.lhv | jq -r .id)" = 2 ]
	[ "$(lh-search --hybrid --flat -k 1 -Q nut a.lhv | jq -r '.score > 0.03')" = true ]
	run -1 lh-index build --template '{t.en} {t.de}' b.lhv in
	[ "$output" = 'lh-index: --template: no record has "t.de"' ]
	[ "$(lh-index info b.lhv | jq .length)" = 2 ]
	# a field of the index's own may be absent in what is added
	run -0 lh-index add b.lhv <<<'{"id":3,"t":{"en":"pin"}}'
	[ -z "$output" ]
	run -1 lh-index add --template '{t.en} {t.de}' b.lhv <<<'{"id":3,"t":{"en":"pin"}}'
	[ "$output" = 'lh-index: --template: no record has "t.de"' ]
	run -1 lh-index upgrade --template '{t.en} {t.it}' b.lhv
	[ "$output" = 'lh-index: --template: no record has "t.it"' ]
	# of records with vectors it matters to the search by words
	lh-index dump a.lhv >dumped
	lh-index build --lexical --field t.en c.lhv dumped
	run -1 lh-index build --lexical --field t.es c.lhv dumped
	[ "$output" = 'lh-index: --field: no record has "t.es"' ]
}

# source_of INDEX - what its texts are made by.
source_of() {
	lh-index info "$1" | jq -r '[.field, .template] | map(. // "-") | join(" ")'
}

@test "add embeds by the field or template that the index was built with, through compactions" {
	lh-gen workers -n 130 >w.jsonl
	for how in "--field resume_text" "--template {role},{city}" "--template {role},{city} --lexical" ""; do
		lh-index build --dimension 64 $how all.lhv w.jsonl
		head -n 9 w.jsonl | lh-index build --dimension 64 $how a.lhv
		sed -n 10,12p w.jsonl | lh-index add a.lhv
		lh-index compact a.lhv
		tail -n +13 w.jsonl | lh-index add a.lhv
		alike <(content all.lhv) <(content a.lhv)
		[ ! -e a.lhv-log ]
		lh-index add ${how%--lexical} a.lhv w.jsonl
		alike <(content all.lhv) <(content a.lhv)
		[ "$(source_of a.lhv)" = "$(source_of all.lhv)" ]
		lh-index verify a.lhv
	done
	# an empty one keeps what it was given, for all that is added later
	lh-index build --allow-empty --dimension 64 --field resume_text a.lhv </dev/null
	lh-index build --dimension 64 --field resume_text all.lhv w.jsonl
	lh-index add a.lhv w.jsonl
	alike <(content all.lhv) <(content a.lhv)
}

@test "add refuses another field or template than the index was built with, and names both" {
	lh-gen workers -n 3 >w.jsonl
	while IFS='|' read -r built added message; do
		lh-index build --dimension 64 $built a.lhv w.jsonl
		run -2 --separate-stderr lh-index add $added a.lhv w.jsonl
		[ "${stderr_lines[0]}" = "lh-index: $message" ] || { echo "$stderr"; return 1; }
		[ ! -e a.lhv-log ]
	done <<-'EOF'
	--field resume_text|--field text|--field text: the index has --field resume_text
	--field resume_text|--template {text}|--template {text}: the index has --field resume_text
	--template {role},{city}|--template {city},{role}|--template {city},{role}: the index has --template {role},{city}
	--template {text}|--field text|--field text: the index has --template {text}
	--lexical|--field resume_text|--field resume_text: the index has --field text
	EOF
	long=$(printf 'x%.0s' {1..4095})
	lh-index build --template "$long" a.lhv w.jsonl
	[ "$(source_of a.lhv)" = "- $long" ]
	run -2 --separate-stderr lh-index build --template "x$long" a.lhv w.jsonl
	[[ $stderr == "lh-index: --template of 4096 bytes: at most 4095"* ]]
	[ "$(source_of a.lhv)" = "- $long" ]
	for name in field template; do
		run -2 --separate-stderr lh-index add --$name '' a.lhv w.jsonl
		[[ $stderr == "lh-index: --$name: nothing is named"* ]]
	done
}

@test "an index that was built without --field and --template refuses others, and inherits none" {
	lh-gen workers -n 3 >w.jsonl
	lh-embed --dimension 64 --field resume_text w.jsonl >v.jsonl
	lh-index build a.lhv v.jsonl
	[ "$(source_of a.lhv)" = "- -" ]
	lh-index add a.lhv w.jsonl
	run ! cmp -s <(lh-index dump a.lhv | jq -c .vector) <(jq -c .vector v.jsonl)
	for how in "--field resume_text" "--template {role}"; do
		run -2 --separate-stderr lh-index add $how a.lhv w.jsonl
		[ "$stderr" = "lh-index: $how: the index was built without, from \"text\"" ]
	done
	lh-index add --field text a.lhv w.jsonl
	lh-index compact a.lhv
	[ "$(source_of a.lhv)" = "- -" ]
	lh-index build --template '{role}' a.lhv w.jsonl
	lh-index dump a.lhv | lh-index build b.lhv
	[ "$(source_of b.lhv)" = "- -" ]
	alike <(content a.lhv) <(content b.lhv)
	lh-index build a.lhv w.jsonl
	[ "$(source_of a.lhv)" = "- -" ]
}

@test "an engine over the network is reached through lh-embed" {
	load ../servers/server
	start_upstream
	export LH_OLLAMA_URL=$URL
	lh-gen workers -n 150 >w.jsonl
	lh-index build --engine ollama -j2 a.lhv w.jsonl
	lh-embed --engine ollama w.jsonl | lh-index build --engine ollama b.lhv
	stop_upstreams
	alike <(content a.lhv) <(content b.lhv)
	[ "$(info a.lhv engine)" = ollama ]
	[ "$(info a.lhv model)" = nomic-embed-text ]
	run -2 --separate-stderr lh-index add a.lhv w.jsonl
	lh-index dump b.lhv | lh-index add a.lhv
}

@test "the model of the first record that names one is the index's" {
	printf '%s\n' '{"id":1,"vector":[1,0],"model":"m1"}' '{"id":2,"vector":[0,1],"model":"m2"}' '{"id":3,"vector":[1,1]}' >in
	run -1 lh-index build a.lhv in
	[[ ${lines[0]} == 'lh-index: in:2: model "m2", expected "m1"' ]]
	[ "$(info a.lhv model)" = m1 ]
	[ "$(info a.lhv engine)" = null ]
	[ "$(info a.lhv length)" = 2 ]
	run -1 lh-index add a.lhv in
	[[ ${lines[0]} == *'model "m2", expected "m1"' ]]
	echo '{"id":4,"text":"x"}' >text
	run -1 lh-index add a.lhv text
	[[ ${lines[0]} == *"names no engine"* ]]
	run -1 lh-index build --model m2 a.lhv in
	[[ ${lines[0]} == *'in:1: model "m1", expected "m2"' ]]
	run -2 lh-index build --engine hash --model m2 a.lhv in
}

@test "a model of hash means the engine hash, where its dimension allows" {
	jq -nc '{id: 1, model: "hash-v1", vector: [range(64)]}' | lh-index build a.lhv
	[ "$(info a.lhv engine)" = hash ]
	jq -nc '{id: 1, model: "hash-v1", vector: [range(63)]}' | lh-index build a.lhv
	[ "$(info a.lhv engine)" = null ]
	printf '%s\n' '{"id":1,"text":"a b"}' "$(jq -nc '{id: 2, vector: [range(768)]}')" | lh-index build a.lhv
	[ "$(info a.lhv model)" = hash-v3 ]
	[ "$(info a.lhv length)" = 2 ]
	# the vector gives the dimension, whichever thread is first
	printf '%s\n' "$(jq -nc '{id: 2, vector: [range(100)]}')" '{"id":1,"text":"a b"}' | lh-index build a.lhv
	[ "$(info a.lhv dimension)" = 100 ]
	[ "$(info a.lhv length)" = 2 ]
	[ "$(info a.lhv engine)" = hash ]
}

@test "an index of an earlier model of hash goes on with it: texts that come later, searches, dump and build" {
	lh-gen workers -n 40 >w.jsonl
	lh-gen queries -n 3 --styles all >q.jsonl
	for model in hash-v1 hash-v2; do
		lh-index build --model $model want.lhv w.jsonl
		[ "$(info want.lhv model) $(info want.lhv engine)" = "$model hash" ]
		head -n 20 w.jsonl | lh-embed --model $model | lh-index build is.lhv
		tail -n 20 w.jsonl | lh-index add is.lhv
		lh-index compact is.lhv
		lh-index dump is.lhv | lh-index build copy.lhv
		# the first record gives the model, whichever thread is first
		{ head -n 20 w.jsonl | lh-embed --model $model; tail -n 20 w.jsonl; } | lh-index build mixed.lhv
		lh-search c=want.lhv <q.jsonl >answers
		for index in is copy mixed; do
			[ "$(info $index.lhv model)" = $model ]
			lh-search c=$index.lhv <q.jsonl | cmp - answers
		done
		lh-index build new.lhv w.jsonl
		[ $model = hash-v2 ] || not cmp -s answers <(lh-search c=new.lhv <q.jsonl)
		run -2 --separate-stderr lh-index merge want.lhv new.lhv
		[[ $stderr == *"model hash-v3, expected $model"* ]]
	done
}

@test "an index made from nothing takes texts" {
	lh-index build --allow-empty e.lhv </dev/null
	[ "$(info e.lhv dimension)" = 768 ]
	[ "$(info e.lhv length)" = 0 ]
	lh-gen workers -n 3 | lh-index add e.lhv
	[ "$(info e.lhv length)" = 3 ]
	lh-index build --allow-empty --dimension 5 e.lhv </dev/null
	[ "$(info e.lhv dimension)" = 5 ]
	[ "$(info e.lhv engine)" = null ]
	[ -z "$(lh-index dump e.lhv)" ]
	lh-index compact e.lhv
	lh-index verify e.lhv
	lh-index build --allow-empty --engine ollama e.lhv </dev/null
	[ "$(info e.lhv model)" = nomic-embed-text ]
}

@test "a build that no good record came to leaves the old index as it was, or makes none" {
	lh-gen workers -n 5 | lh-index build good.lhv
	lh-gen workers -n 6 | tail -n 1 | lh-index add good.lhv
	cp good.lhv was.lhv
	cp good.lhv-log was.lhv-log
	for producer in true false 'printf \n\n' 'echo {}' 'lh-gen workers -n 3'; do
		for index in good new; do
			run -2 --separate-stderr lh-index build --field txet $index.lhv < <($producer)
			case $index in
			good) says="so it stays as it was" ;;
			new) says="so it is not made" ;;
			esac
			grep -qxF "lh-index: $index.lhv: no good record came in, $says (--allow-empty makes an empty index)" <<<"$stderr" || { echo "$stderr"; return 1; }
		done
		[ ! -e new.lhv ]
		cmp good.lhv was.lhv
		cmp good.lhv-log was.lhv-log
	done
	no_litter
	run -1 lh-index build --allow-empty -q --field txet good.lhv < <(lh-gen workers -n 3)
	[ "$(info good.lhv length)" = 0 ]
}

# kept FILE - the parameters of an index
kept() { lh-index info "$1" | jq -c '[.dimension, .distance, .m, .precision, .rescore, .layout, .engine, .model, .field, .template, .lexical]'; }

@test "build --like keeps the parameters of another index, but what an option gives" {
	lh-gen workers -n 20 >w.jsonl
	lh-index build --dimension 64 --m 32 --precision i8 --rescore --model hash-v1 --distance l2 --lexical --template '{role} in {city}' old.lhv w.jsonl
	lh-index build --like old.lhv new.lhv w.jsonl
	cmp <(kept old.lhv) <(kept new.lhv)
	cmp <(lh-index dump old.lhv) <(lh-index dump new.lhv)
	lh-index build --like old.lhv --model hash-v3 --m 16 --precision f16 --field city new.lhv w.jsonl
	[ "$(kept new.lhv)" = '[64,"l2",16,"f16",false,"qg","hash","hash-v3","city",null,{"field":"city"}]' ]
	run -2 lh-index build --like nowhere.lhv new.lhv w.jsonl
	[[ $output == *nowhere.lhv* ]]
}

# bats test_tags=full,plain-only
@test "an index is as large as the help of build says, and the page for each precision" {
	lh-gen workers -n 1200 | lh-embed | jq -c '{id, vector, metadata: {}}' >v
	each() { echo $(($(info x.lhv file_bytes) / 1200)); }
	lh-index build x.lhv v
	said=$(lh-index build --help | sed -n 's/.*(768: \([0-9]*\)\.\([0-9]\) KB a record).*/\1\200/p')
	[ "$(each)" -gt $((said * 95 / 100)) ] && [ "$(each)" -lt $((said * 105 / 100)) ] || { each; false; }
	while read -r precision bytes; do
		lh-index build --precision "$precision" x.lhv v
		[ "$(each)" -gt $((bytes * 93 / 100)) ] && [ "$(each)" -lt $((bytes * 107 / 100)) ] || { echo "$precision: $(each)"; return 1; }
	done < <(sed -nE 's/^\.It (f32|f16|i8) Ta ([0-9]+)$/\1 \2/p' "$ROOT/man/lh-index.1" | tee rows)
	[ "$(wc -l <rows)" = 3 ]
}

@test "upgrade makes an index anew in its place: with its vectors, or with another model from its texts" {
	lh-gen workers -n 600 >w.jsonl
	head -n 500 w.jsonl | lh-index build --dimension 64 --model hash-v1 --field resume_text a.lhv
	tail -n 100 w.jsonl | lh-index add a.lhv
	lh-index delete -q --id "$(head -n 1 w.jsonl | jq -r .id)" a.lhv >/dev/null
	lh-index dump a.lhv >was
	lh-index upgrade a.lhv
	cmp was <(lh-index dump a.lhv)
	[ ! -e a.lhv-log ]
	lh-index upgrade --model hash-v3 a.lhv
	tail -n +2 w.jsonl | lh-index build --dimension 64 --field resume_text want.lhv
	cmp <(lh-index dump want.lhv) <(lh-index dump a.lhv)
	lh-index upgrade --template '{role} in {city}' a.lhv
	tail -n +2 w.jsonl | lh-index build --dimension 64 --template '{role} in {city}' want.lhv
	cmp <(lh-index dump want.lhv) <(lh-index dump a.lhv)
	lh-index verify a.lhv
}

@test "an upgrade that lacks the text of a record leaves the index as it was, and names the record" {
	printf '%s\n' '{"id":"a","text":"x"}' '{"id":"b","text":"y","metadata":{}}' | lh-index build --model hash-v1 a.lhv
	cp a.lhv was
	run -2 --separate-stderr lh-index upgrade --model hash-v3 a.lhv
	[[ $stderr == 'lh-index: a.lhv: record "b": '* ]]
	cmp a.lhv was
	echo '{"id":"v","vector":[1,2]}' | lh-index build --model m v.lhv
	cp v.lhv was
	run -2 lh-index upgrade --model m2 v.lhv
	cmp v.lhv was
	lh-index upgrade v.lhv
	[ "$(info v.lhv model)" = m ]
	lh-index delete -q --id v v.lhv >deleted
	lh-index upgrade v.lhv
	[ "$(info v.lhv model)" = m ]
	[ "$(lh-index dump v.lhv)" = '' ]
}

@test "indexes of two models of hash do not fit, and the message says what to do" {
	echo '{"id":"a","text":"x"}' | lh-index build --model hash-v1 a.lhv
	echo '{"id":"b","text":"x"}' | lh-index build b.lhv
	run -2 --separate-stderr lh-index move a.lhv b.lhv
	[ "$stderr" = 'lh-index: b.lhv: model hash-v3, expected hash-v1: make one of the two indexes anew, by lh-index upgrade --model hash-v3 INDEX' ]
	lh-index upgrade --model hash-v3 a.lhv
	lh-index move a.lhv b.lhv
	[ "$(info a.lhv length)" = 2 ]
}

@test "a build that loses more than half of the records says so" {
	rows 1 9 | lh-index build a.lhv
	rows 10 11 | lh-index add a.lhv
	lh-index delete --id r1 a.lhv
	for n in 5 3 2; do
		run -0 --separate-stderr lh-index build a.lhv < <(rows 1 $n)
		[ -z "$stderr" ]
	done
	run -0 --separate-stderr lh-index build a.lhv < <(rows 1 10)
	[ -z "$stderr" ]
	run -0 --separate-stderr lh-index build -q a.lhv < <(rows 11 14)
	[ "$stderr" = "lh-index: a.lhv: it had 10 records, and has 4 now" ]
	run -0 --separate-stderr lh-index build --allow-empty a.lhv </dev/null
	[ "$stderr" = "lh-index: a.lhv: it had 4 records, and has 0 now" ]
	# of a damaged one it is not known
	rows 1 10 | lh-index build a.lhv
	truncate -s 5000 a.lhv
	run -0 --separate-stderr lh-index build a.lhv < <(rows 1 1)
	[ -z "$stderr" ]
}

# bats test_tags=hostile
@test "a vector that is hostile is rejected with the reason" {
	n=0
	while IFS='|' read -r record message; do
		n=$((n + 1))
		printf '%s\n' '{"id":"good","vector":[1,0,0]}' "$record" '{"id":"last","vector":[0,1,0]}' >in
		run -1 lh-index build --rejects rejected a.lhv in
		[ "${lines[0]}" = "lh-index: in:2: $message" ] || { echo "got ${lines[0]}, wanted $message"; return 1; }
		[ "${lines[1]}" = "lh-index: 1 of 3 records rejected" ]
		[ "$(cat rejected)" = "$record" ]
		rm rejected
		[ "$(info a.lhv length)" = 2 ]
		rows 1 2 | jq -c '.vector |= .[:3]' | lh-index build b.lhv
		run -1 lh-index add b.lhv in
		[ "${lines[0]}" = "lh-index: in:2: $message" ]
		[ "$(info b.lhv length)" = 4 ]
	done <"$ROOT/tests/hostile/vectors"
	[ "$n" -ge 20 ]
}

@test "what is rejected while reading and while storing is reported in the order of the lines" {
	printf '%s\n' '{"id":1,"vector":[1,0]}' '{"id":2,"vector":[1]}' 'no' '{"id":4,"vector":[1,2,3]}' '{"id":5}' '{"id":6,"vector":[0,0]}' >in
	run -1 lh-index build --rejects rejected a.lhv in
	[ "$(printf '%s\n' "${lines[@]}" | sed -n 's/^lh-index: in:\([0-9]\).*/\1/p' | paste -sd' ')" = "2 3 4 5 6" ]
	cmp rejected <(tail -n 5 in)
}

@test "denormal, huge and whole-number vectors are taken" {
	printf '%s\n' '{"id":1,"vector":[1e-44,0]}' '{"id":2,"vector":[3e38,3e38]}' '{"id":3,"vector":[12345678901234567890,1]}' '{"id":4,"vector":[-0.0,-1]}' |
		lh-index build a.lhv
	[ "$(lh-index dump a.lhv | jq -c .vector | paste -sd' ')" = '[1,0] [0.70710677,0.70710677] [1,8.1e-20] [-0,-1]' ]
	lh-index verify a.lhv
}

@test "ids are strings, or numbers as written; the last of an id wins" {
	printf '%s\n' '{"id":7,"vector":[1,0]}' '{"id":"7","vector":[0,1]}' '{"id":1.50,"vector":[1,1]}' '{"id":"\u00e9\n","vector":[1,1]}' >in
	run -0 --separate-stderr lh-index build a.lhv in
	[ "$stderr" = 'lh-index: 1 record replaced an earlier one of the same id' ]
	run -0 --separate-stderr lh-index build b.lhv in <(tail -n +2 in)
	[ "$stderr" = 'lh-index: 4 records replaced earlier ones of the same id' ]
	[ "$(lh-index dump a.lhv | jq -c '[.id, .vector[0]]' | sort | paste -sd' ')" = '["1.50",0.70710677] ["7",0] ["é\n",0.70710677]' ]
	id=$(printf '%1024s' | tr ' ' x)
	echo "{\"id\":\"$id\",\"vector\":[1,2]}" | lh-index add a.lhv
	run -1 lh-index add a.lhv <<<"{\"id\":\"y$id\",\"vector\":[1,2]}"
	[[ $output == *1024* ]]
}

# bats test_tags=graphs
@test "metadata is the object, byte for byte, else every field but the vector's own" {
	printf '%s\n' '{"id":1,"vector":[1,0],"metadata":{"b": 1.0,"a":"\u00e9"},"other":2}' \
		'{"id":2,"vector":[1,0],"dimension":2,"model":"m","x": 1e2,"text":"t","metadata":null}' \
		'{"id":3,"vector":[1,0]}' '{"id":4,"vector":[1,0],"metadata":{ }}' '{"id":5,"vector":[1,0],"metadata":"s"}' | lh-index build a.lhv
	lh-index dump a.lhv | sed 's/.*"model":"m"//' >got
	diff got - <<-'END'
		,"metadata":{"b": 1.0,"a":"\u00e9"}}
		,"metadata":{"x":1e2,"text":"t"}}
		}
		}
		,"metadata":{"metadata":"s"}}
	END
}

@test "metadata of several megabytes is stored as any other" {
	long_one() { printf '{"id":"%s","vector":[1,0],"metadata":{"x":"%*s"}}\n' "$1" "$2" ""; }
	long_one a 9000000 | lh-index build one.lhv
	{ long_one a 1900000; long_one b 3000000; } | lh-index build two.lhv
	lh-index verify one.lhv two.lhv
	[ "$(lh-index dump two.lhv | jq '.metadata.x | length')" = $'1900000\n3000000' ]
}

# bats test_tags=graphs
@test "add without metadata leaves what is stored, {} clears it" {
	rows 1 3 | lh-index build a.lhv
	rows 1 2 | jq -c 'del(.metadata)' | lh-index add a.lhv
	[ "$(lh-index dump a.lhv | jq -c .metadata | sort | paste -sd' ')" = '{"n":1,"tag":"x"} {"n":2,"tag":"x"} {"n":3,"tag":"x"}' ]
	rows 1 2 | jq -c '.metadata = {}' | lh-index add a.lhv
	[ "$(lh-index dump a.lhv | jq -c .metadata | sort | paste -sd' ')" = 'null null {"n":3,"tag":"x"}' ]
	lh-index compact a.lhv
	[ "$(lh-index dump a.lhv | jq -c .metadata | sort | paste -sd' ')" = 'null null {"n":3,"tag":"x"}' ]
}

# bats test_tags=full
@test "dump, then build, gives an index that answers alike" {
	for distance in cosine l2 ip; do
		lh-gen workers -n 1200 | lh-index build --dimension 64 --distance $distance a.lhv
		lh-gen workers -n 1250 | tail -n 50 | lh-index add a.lhv
		lh-index delete --id w-3 a.lhv >/dev/null
		lh-index dump a.lhv | lh-index build --distance $distance b.lhv
		lh-index dump --encoding base64 a.lhv | lh-index build --distance $distance c.lhv
		alike <(content a.lhv) <(content b.lhv)
		alike <(content b.lhv) <(content c.lhv)
		[ "$(info b.lhv engine)" = hash ]
		lh-gen queries -n 50 | lh-search --exact a.lhv | jq -c '[.results[].id]' >qa
		lh-gen queries -n 50 | lh-search --exact b.lhv | jq -c '[.results[].id]' >qb
		cmp qa qb
	done
}

# bats test_tags=graphs
@test "with -j1 and --now the same input gives the same bytes" {
	lh-gen workers -n 1100 >w.jsonl
	same_build --dimension 64 a.lhv w.jsonl
	same_build --dimension 64 b.lhv w.jsonl
	cmp a.lhv b.lhv
	same_build --dimension 64 --seed 2 b.lhv w.jsonl
	run ! cmp -s a.lhv b.lhv
}

@test "the parameters are checked before anything is read or written" {
	while read -r words; do
		run -2 --separate-stderr lh-index build $words a.lhv <<<'{"id":1,"vector":[1]}'
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ]
		[ ! -e a.lhv ]
	done <<-'END'
		--rescore
		--precision f32 --rescore
		--m 20
		--m 8
		--engine hash --dimension 63
		--engine ollama --url nowhere
		--template {
	END
	echo '{"id":1,"vector":[1,2]}' | lh-index build --m 16 --ef-construction 8 -j 256 a.lhv
	echo '{"id":1,"vector":[1,2]}' | lh-index build --m 32 --ef-construction 10000 --exact-below 0 a.lhv
	lh-index verify a.lhv
}

@test "ef_search is kept by a build, shown, and kept by a compaction; without it nothing is written" {
	rows 1 20 >r.jsonl
	same_build --ef-search 1000000 a.lhv r.jsonl
	same_build b.lhv r.jsonl
	[ "$(lh-index info a.lhv | jq -c '[.ef_construction, .ef_search] + [keys_unsorted | index("ef_search")]')" = '[200,1000000,6]' ]
	[ "$(lh-index info b.lhv | jq -c 'has("ef_search")')" = false ]
	grep -qa '"ef_construction":200,"ef_search":1000000,"exact_below":1000' a.lhv
	grep -qa '"ef_construction":200,"exact_below":1000' b.lhv
	rows 21 22 | lh-index add a.lhv
	lh-index compact a.lhv
	[ "$(info a.lhv 'ef_search,.length')" = "1000000
22" ]
	lh-index verify a.lhv b.lhv
}

@test "add, delete and compact need an index, merge its SRC" {
	rows 1 2 | lh-index build src.lhv
	for verb in 'add none.lhv' 'delete --id 1 none.lhv' 'compact none.lhv' 'info none.lhv' 'verify none.lhv' 'dump none.lhv' 'merge new.lhv src.lhv none.lhv'; do
		run -2 --separate-stderr lh-index $verb </dev/null
		[ -z "$output" ]
		[[ $stderr == *none.lhv*"No such file"* ]]
	done
	[ "$(ls ./*.lhv*)" = ./src.lhv ]
}

# bats test_tags=graphs
@test "delete counts, and an unknown id is not an error" {
	rows 1 10 | lh-index build a.lhv
	[ "$(lh-index delete --id r1 --id nobody --id r1 a.lhv)" = '{"deleted":1,"unknown":2}' ]
	[ "$(rows 2 3 | lh-index delete a.lhv)" = '{"deleted":2,"unknown":0}' ]
	[ "$(info a.lhv length)" = 7 ]
	[ "$(info a.lhv deleted)" = 3 ]
	lh-index compact a.lhv
	[ "$(info a.lhv length)" = 7 ]
	[ "$(info a.lhv deleted)" = 0 ]
	lh-index dump a.lhv | jq -r .id | sort >ids
	[ "$(grep -cx 'r[123]' ids)" = 0 ]
}

# bats test_tags=graphs
@test "an index is compacted when changes pass a tenth of the records, but not under a hundred" {
	rows 1 2000 | lh-index build a.lhv
	rows 2001 2200 | lh-index add a.lhv
	[ "$(info a.lhv pending)" = 200 ]
	[ -e a.lhv-log ]
	rows 2201 2201 | lh-index add a.lhv
	[ "$(info a.lhv pending)" = 0 ]
	[ "$(info a.lhv length)" = 2201 ]
	[ ! -e a.lhv-log ]
	rows 1 5 | lh-index build a.lhv
	rows 6 105 | lh-index add a.lhv
	[ "$(info a.lhv pending)" = 100 ]
	lh-index delete --id r1 a.lhv
	[ "$(info a.lhv pending)" = 0 ]
	[ "$(info a.lhv length)" = 104 ]
	lh-index verify a.lhv
}

@test "a compaction that only adds makes what a build of everything makes, and inserts no row twice" {
	lh-gen workers -n 1300 >w.jsonl
	same_build --dimension 64 all.lhv w.jsonl
	head -n 1200 w.jsonl | same_build --dimension 64 a.lhv
	tail -n 100 w.jsonl | lh-index add -j1 a.lhv
	lh-index compact -j1 a.lhv
	alike <(content a.lhv) <(content all.lhv)
	lh-index verify --reach a.lhv
	lh-index delete --id w-1 a.lhv >/dev/null
	lh-index compact a.lhv
	tail -n 1299 w.jsonl | same_build --dimension 64 all.lhv
	alike <(content a.lhv) <(content all.lhv)
	lh-index verify a.lhv
}

# bats test_tags=hostile,graphs
@test "a damaged index is not compacted: new checksums would hide the damage" {
	lh-gen workers -n 20 | lh-index build --dimension 64 a.lhv
	lh-gen workers -n 1 --seed 2 | lh-index add a.lhv
	printf '\377' | dd of=a.lhv bs=1 seek=$((4096 * 2 + 200)) conv=notrunc status=none
	cp a.lhv was
	run -2 lh-index compact a.lhv
	[[ $output == "lh-index: a.lhv: rows: "* ]]
	cmp a.lhv was
	[ "$(info a.lhv pending)" = 1 ]
}

# flipped FILE AT - a copy of FILE with another byte there
flipped() {
	python3 -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[2])] ^= 0x40; sys.stdout.buffer.write(b)' "$@"
}

# bats test_tags=hostile,graphs
@test "a damaged index is neither merged nor moved, wherever the damage is, and DEST stays as it was" {
	mkdir served
	lh-gen workers -n 300 >w
	for i in 0 1; do split -n r/$((i + 1))/2 w | lh-index build --dimension 64 p$i.lhv; done
	lh-gen workers -n 1 --seed 2 | lh-index add p1.lhv
	refused() {
		run -2 --separate-stderr "$@"
		[[ $stderr == 'lh-index: bad.lhv: '* ]] && [ "${#stderr_lines[@]}" = 1 ] && [ -z "$output" ] || { echo "$at: $stderr"; return 1; }
		cmp dest.lhv p0.lhv
		cmp bad.lhv was
		cmp bad.lhv-log p1.lhv-log
		[ "$(ls -A | grep -c '^new\|^dest.lhv-log')" = 0 ] || { ls -A; return 1; }
	}
	cp p0.lhv dest.lhv
	cp p1.lhv-log bad.lhv-log
	size=$(stat -c %s p1.lhv)
	for ((at = 4200; at < size; at += $(scale 3 1 1) * 8192)); do
		flipped p1.lhv $at >bad.lhv
		cp bad.lhv was
		run -1 lh-index verify bad.lhv
		refused lh-index merge new.lhv p0.lhv bad.lhv
		refused lh-index merge dest.lhv bad.lhv
		refused lh-index merge dest.lhv p1.lhv bad.lhv
		refused lh-index move dest.lhv bad.lhv
	done
	[ "$at" -gt 60000 ]
	# the same by requests
	cp p0.lhv served/dest.lhv
	cp bad.lhv bad.lhv-log served
	for clear in false true; do
		run -1 --separate-stderr lh-index requests --on-error emit served <<<'{"op":"merge","src":"bad","dest":"dest","clear_source":'$clear'}'
		[ "$(jq -c .error.code <<<"$output")" = 503 ] || { echo "$output"; return 1; }
		cmp served/dest.lhv p0.lhv
		cmp served/bad.lhv bad.lhv
	done
	# and a good one is taken
	lh-index merge dest.lhv p1.lhv
	lh-index verify dest.lhv
}

# bats test_tags=graphs
@test "merge adds what DEST lacks, pending records included, and refuses another kind" {
	rows 1 5 a | lh-index build a.lhv
	rows 4 8 b | lh-index build b.lhv
	rows 9 9 b | lh-index add b.lhv
	lh-index delete --id r8 b.lhv >/dev/null
	[ "$(lh-index merge a.lhv b.lhv)" = '{"merged":3,"skipped":2}' ]
	[ "$(lh-index dump a.lhv | jq -r '.id + .metadata.tag' | sort | paste -sd' ')" = "r1a r2a r3a r4a r5a r6b r7b r9b" ]
	[ "$(lh-index merge a.lhv a.lhv b.lhv)" = '{"merged":0,"skipped":13}' ]
	cp a.lhv was
	cp a.lhv-log was-log
	jq -nc '{id: 1, vector: [1, 2]}' | lh-index build dim.lhv
	rows 20 21 | lh-index build --distance l2 l2.lhv
	rows 20 21 | jq -c '.model = "m"' | lh-index build model.lhv
	rows 30 31 | lh-index build fits.lhv
	for other in dim l2 model; do
		run -2 --separate-stderr lh-index merge a.lhv fits.lhv $other.lhv
		[ -z "$output" ]
		[[ $stderr == *"$other.lhv"*expected* ]]
		cmp a.lhv was
		cmp a.lhv-log was-log
	done
}

@test "--on-error stop replaces nothing and appends nothing" {
	rows 1 3 | lh-index build a.lhv
	cp a.lhv was
	{ rows 4 5; echo '{"id":"bad"}'; rows 6 7; } >in
	run -1 lh-index build --on-error stop a.lhv in
	cmp a.lhv was
	run -1 lh-index add --on-error stop a.lhv in
	cmp a.lhv was
	[ ! -e a.lhv-log ]
	{ rows 4 5; echo '{"id":"short","vector":[1]}'; rows 6 700; } >in
	for jobs in 1 8; do
		run -1 lh-index add -j $jobs --on-error stop a.lhv in
		[ "$output" = $'lh-index: in:3: dimension 1, expected 8\nlh-index: 1 of 3 records rejected' ]
	done
	cmp a.lhv was
	run lh-index delete --on-error stop a.lhv <<<'{"id":"r1"}
{"no":1}'
	[ "$status" = 1 ]
	[ ! -e a.lhv-log ]
	no_litter
}

@test "an index, its log and its target are refused unless they are regular files" {
	rows 1 3 | lh-index build real.lhv
	ln -s real.lhv link.lhv
	mkfifo fifo.lhv
	mkdir dir.lhv
	device=
	[ ! -w /dev ] || device=/dev/null	# others may not even lock it
	for target in link.lhv fifo.lhv dir.lhv $device; do
		run -2 lh-index build "$target" < <(rows 1 2)
		[ "${#lines[@]}" = 1 ]
		[[ $output == *"$target"*"not a regular file"* ]]
	done
	for verb in add compact "delete --id r1" "merge"; do
		run lh-index $verb link.lhv $([ "$verb" != merge ] || echo real.lhv) < <(rows 1 2)
		[ "$status" = 2 ]
		[[ $output == *"link.lhv: is a symbolic link"* ]]
	done
	[ ! -e link.lhv-log ]
	[ -h link.lhv ]
	[ -p fifo.lhv ]
	[ "$(info real.lhv length)" = 3 ]
	ln -s elsewhere real.lhv-log
	run -2 lh-index add real.lhv < <(rows 4 4)
	[ "$output" = "lh-index: real.lhv-log: is a symbolic link, not a regular file" ]
	[ ! -e elsewhere ]
	mkfifo other.lhv-lock
	run -2 lh-index build other.lhv < <(rows 1 2)
	[ "$output" = "lh-index: other.lhv-lock: is a FIFO, not a regular file" ]
	[ -p other.lhv-lock ]
}

@test "a reader follows a symbolic link, to the log as well" {
	mkdir there
	rows 1 3 | lh-index build there/real.lhv
	ln -s there/real.lhv link.lhv
	rows 4 4 | lh-index add there/real.lhv
	lh-index delete --id r1 there/real.lhv
	[ "$(info link.lhv name)" = link ]
	[ "$(info link.lhv length)" = 3 ]
	alike <(content link.lhv) <(content there/real.lhv)
	[ "$(rows 1 1 | lh-search link.lhv | jq -c '[.results[].id] | sort')" = '["r2","r3","r4"]' ]
	lh-index verify link.lhv
	printf x >>there/real.lhv-log
	run -1 lh-index verify link.lhv
	ln -s nowhere dangling.lhv
	run -2 lh-index info dangling.lhv
	[ "$output" = "lh-index: dangling.lhv: No such file or directory" ]
}

# bats test_tags=graphs
@test "verify says each thing once, whatever the other operands are" {
	rows 1 1 | lh-index build good.lhv
	echo nothing >bad.lhv
	run -2 lh-index verify good.lhv none.lhv bad.lhv
	[ "${#lines[@]}" = 2 ]
	[ "${lines[0]}" = "lh-index: none.lhv: No such file or directory" ]
	[[ ${lines[1]} == "lh-index: bad.lhv: header: "* ]]
}

@test "an index given as input is refused, and nothing built of it" {
	rows 1 3 | lh-index build a.lhv
	for verb in build add; do
		run -2 lh-index $verb a.lhv a.lhv
		[ "$output" = "lh-index: a.lhv: is an index, not JSON Lines (lh-index dump makes such of it)" ]
		run -2 lh-index $verb a.lhv <a.lhv
	done
	[ "$(info a.lhv length)" = 3 ]
}

@test "an index is never standard input, and its URL no secret" {
	run -2 lh-index build - < <(rows 1 2)
	[[ $output == 'lh-index: "-": '* ]]
	[ ! -e ./- ]
	run -2 lh-index build --engine ollama --url http://me:secret@host a.lhv </dev/null
	[[ $output == *'"http://***@host" holds user-info'* ]]
	[ ! -e a.lhv ]
}

# bats test_tags=graphs
@test "vectors are stored as f16 or i8, and with --rescore as f32 in addition" {
	lh-gen workers -n 1200 >w
	lh-index build --dimension 128 --now 2026-05-03T12:00:00Z f32.lhv w
	lh-search -Q "welder in Ohio" idx=f32.lhv >want
	for kind in f16 i8 "f16 --rescore" "i8 --rescore"; do
		lh-index build -j1 --dimension 128 --precision $kind --now 2026-05-03T12:00:00Z a.lhv w
		[ "$(lh-index info a.lhv | jq -r '.precision + if .rescore then " --rescore" else "" end')" = "$kind" ]
		[[ $kind == *rescore ]] || [ "$(stat -c %s a.lhv)" -lt "$(stat -c %s f32.lhv)" ]
		lh-index verify a.lhv
		lh-search -Q "welder in Ohio" idx=a.lhv >got
		[[ $kind != *rescore ]] || diff want got
		jq -e --slurpfile want want '(.results[0].distance - $want[0].results[0].distance | fabs) < 0.01' got >found
		lh-index dump a.lhv | lh-index build -j1 --precision $kind --now 2026-05-03T12:00:00Z b.lhv
		cmp a.lhv b.lhv
	done
}

@test "what is added to an index of quantized vectors is exact until a compaction" {
	lh-gen workers -n 1200 >w
	for kind in f16 i8 "i8 --rescore"; do
		head -n 1150 w | lh-index build -j1 --dimension 128 --precision $kind --now 2026-05-03T12:00:00Z a.lhv
		tail -n 50 w | lh-index add a.lhv
		tail -n 1 w | jq -c '{query: .text}' | lh-search -k 1 a.lhv | jq -e '.results[0].distance <= 1e-6' >near
		lh-index compact -j1 a.lhv
		tail -n 1 w | jq -c '{query: .text}' | lh-search -k 1 a.lhv | jq -e '.results[0].distance < 0.01' >near
		lh-index build -j1 --dimension 128 --precision $kind --now 2026-05-03T12:00:00Z b.lhv w
		alike <(content a.lhv) <(content b.lhv)
	done
}

# bats test_tags=graphs
@test "merge takes vectors from an index of another precision" {
	lh-gen workers -n 150 >w
	lh-index build --dimension 64 --precision i8 --rescore a.lhv w
	head -n 50 w | lh-index build --dimension 64 --precision f16 b.lhv
	[ "$(lh-index merge b.lhv a.lhv)" = '{"merged":100,"skipped":50}' ]
	lh-index build --allow-empty --dimension 64 c.lhv </dev/null
	lh-index merge c.lhv a.lhv
	alike <(lh-index dump a.lhv) <(lh-index dump c.lhv)
}

@test "an order that would lose a record is not gone by" {
	rows 1 40 | lh-index build --exact-below 10 a.lhv
	rows 50 50 | lh-index build d.lhv
	[ "$(lh-index dump a.lhv | wc -l)" = 40 ]
	# its last section is the order: the second entry becomes the first
	at=$(($(stat -c %s a.lhv) - 4096))
	dd if=a.lhv of=a.lhv bs=1 skip=$at seek=$((at + 4)) count=4 conv=notrunc status=none
	for what in "dump a.lhv" "merge d.lhv a.lhv"; do
		run -2 --separate-stderr lh-index $what
		[ -z "$output" ]
		[ "$stderr" = "lh-index: a.lhv: order: the checksum is wrong" ]
	done
	[ "$(info d.lhv length)" = 1 ]
	run -1 lh-index verify a.lhv
	[[ $output == *"a.lhv: order: "* ]]
}

@test "a value that f16 cannot hold is a bad record" {
	printf '{"id":%d,"vector":[1,%s]}\n' 1 65504 2 65505 3 -1e6 >v
	run -1 lh-index build --precision f16 --distance l2 a.lhv v
	[[ $output == *"v:2: "*"65505"*f16* ]]
	[ "$(info a.lhv length)" = 1 ]
	run -1 lh-index add a.lhv v
	[[ $output == *"v:3: "*f16* ]]
	lh-index build --precision f16 a.lhv v
	[ "$(info a.lhv length)" = 3 ]
	lh-index build --distance l2 b.lhv v
	lh-index build --allow-empty --distance l2 --precision f16 --dimension 2 c.lhv </dev/null
	run -2 lh-index merge c.lhv b.lhv
	[[ $output == *"b.lhv: row 1: value 65505 "* ]]
	[ "$(info c.lhv length)" = 0 ]
}

# bats test_tags=graphs
@test "dump refuses metadata that is not JSON rather than print it" {
	rows 1 1 | lh-index build a.lhv
	sed -i 's/"tag":"x"/"tag":"x,/' a.lhv
	run -2 lh-index dump a.lhv
	[[ $output == *metadata* ]]
	run -1 lh-index verify a.lhv
	[[ $output == *"a.lhv: metadata: "* ]]
}

@test "of two builders the second waits, then replaces" {
	mkfifo slow
	lh-index build a.lhv <slow &
	first=$!
	exec 7>slow
	until_so is_locked a.lhv-lock
	rows 1 3 | lh-index build --lock-timeout 600 a.lhv 7>&- &
	second=$!
	run -2 --separate-stderr lh-index build --lock-timeout 0.3 a.lhv < <(rows 1 9)
	[[ $stderr == *a.lhv-lock*"process $first"* ]]
	rows 1 5 >&7
	exec 7>&-
	wait $first
	wait $second
	[ "$(info a.lhv length)" = 3 ]
	[ "$(ls ./*.lhv*)" = ./a.lhv ]
}

# bats test_tags=graphs
@test "many processes add at once and no record is lost, through compactions" {
	n=$(scale 6 30)
	rows 1 5 | lh-index build a.lhv
	for p in 1 2 3 4; do
		for ((i = 0; i < n; i++)); do
			rows $((p * 1000 + i * 10)) $((p * 1000 + i * 10 + 9)) | lh-index add --lock-timeout 600 -j1 a.lhv || echo "$p" >>failed
		done &
	done
	wait
	[ ! -e failed ]
	[ "$(info a.lhv length)" = $((5 + 4 * n * 10)) ]
	lh-index verify a.lhv
	no_litter
}

# bats test_tags=graphs
@test "what is added while ids to delete come in is deleted with them" {
	rows 1 3 | lh-index build a.lhv
	mkfifo ids
	timeout "$LH_PATIENCE" lh-index delete --id r1 a.lhv ids >out &
	exec 7>ids	# r1 is taken when this can be opened
	rows 8 9 | lh-index add a.lhv 7>&-
	lh-index delete --id r2 a.lhv 7>&-
	printf '{"id":"%s"}\n' r9 r2 r9 >&7
	exec 7>&-
	wait $!
	[ "$(cat out)" = '{"deleted":2,"unknown":2}' ]
	[ "$(lh-index dump a.lhv | jq -r .id | sort | xargs)" = "r3 r8" ]
	lh-index verify a.lhv
}

@test "vectors do not go into an index that was replaced by one of another kind meanwhile" {
	mkfifo in
	while IFS='|' read -r was is message; do
		rows 1 3 | lh-index build $was a.lhv
		timeout "$LH_PATIENCE" lh-index add a.lhv in 2>err &
		exec 7>in	# a.lhv has been looked at when this can be opened
		rows 5 6 | lh-index build $is a.lhv 7>&-
		content a.lhv >want
		rows 8 9 >&7
		exec 7>&-
		rc=0
		wait $! || rc=$?
		[ "$rc" = 2 ]
		[ "$(cat err)" = "lh-index: a.lhv: it was replaced meanwhile by an index of $message" ] || { cat err; return 1; }
		cmp want <(content a.lhv)
		[ ! -e a.lhv-log ]
	done <<-'EOF'
	--model m1|--model m2|model m2, expected m1
	--model m1||model none, expected m1
	|--model m2|model m2, expected none
	--engine openai --model m1|--engine ollama --model m1|engine ollama, expected openai
	--model m1|--engine ollama --model m1|engine ollama, expected none
	--distance l2|--distance ip|distance ip, expected l2
	--precision i8|--precision f16|precision f16, expected i8
	--field a|--field b|field b, expected a
	--field a|--template {a}|field none, expected a
	--template {a}|--template {b}|template {b}, expected {a}
	--field a||field text, expected a
	|--field a|field a, expected text
	|--template {a}|field none, expected text
	EOF
}

# bats test_tags=graphs
@test "ids are deleted from the index that is there when they have come in, whatever its kind" {
	rows 1 3 | lh-index build --model m1 a.lhv
	mkfifo ids
	timeout "$LH_PATIENCE" lh-index delete a.lhv ids >out &
	exec 7>ids
	jq -nc '{id: ("r3", "r5"), vector: [1, 2]}' | lh-index build --model m2 a.lhv 7>&-
	printf '{"id":"%s"}\n' r3 r1 >&7
	exec 7>&-
	wait $!
	[ "$(cat out)" = '{"deleted":1,"unknown":1}' ]
	[ "$(lh-index dump a.lhv | jq -r .id)" = r5 ]
	lh-index verify a.lhv
}

# bats test_tags=graphs
@test "merge leaves what DEST got while it was at work" {
	rows 1 3 old | lh-index build a.lhv
	rows 3 9 old | lh-index build more.lhv
	cp a.lhv copy.lhv
	rows 8 8 new | lh-index add copy.lhv
	exec 7>a.lhv-lock
	flock 7
	lh-index merge --lock-timeout 600 a.lhv more.lhv >out 7>&- &
	merge=$!
	# it has looked at a.lhv when it asks for the lock
	until [[ $(readlink /proc/$merge/exe) == */lh-index ]] &&
		find /proc/$merge/fd -lname "$PWD/a.lhv-lock" 2>/dev/null | grep -q .; do
		kill -0 $merge
	done
	mv copy.lhv-log a.lhv-log	# what an add leaves that had the lock first
	rm a.lhv-lock
	exec 7>&-
	wait $merge
	[ "$(cat out)" = '{"merged":5,"skipped":2}' ]
	[ "$(lh-index dump a.lhv | jq -c 'select(.metadata.tag == "new") | .id')" = '"r8"' ]
	[ "$(info a.lhv length)" = 9 ]
	lh-index verify a.lhv
}

# bats test_tags=graphs
@test "a reader sees the old index or the new one while it is replaced" {
	rows 1 20 old >old.jsonl
	rows 1 40 new >new.jsonl
	lh-index build a.lhv old.jsonl
	for ((i = 0; i < $(scale 20 200); i++)); do
		lh-index build a.lhv new.jsonl
		rows 41 42 new | lh-index add a.lhv
		lh-index build a.lhv old.jsonl
	done &
	while kill -0 $! 2>/dev/null; do
		lh-index dump a.lhv | jq -r .metadata.tag | sort | uniq -c | tr -s ' ' >seen
		grep -qxE ' 20 old| 4[02] new' seen && [ "$(wc -l <seen)" = 1 ] || { cat seen; return 1; }
	done
	wait $!
}

@test "adding one record costs the same however large the index is" {
	plain_only "speed"
	lh-gen workers -n 100 | lh-index build --dimension 64 small.lhv
	lh-gen workers -n 20000 | lh-index build --dimension 64 --exact-below 100000 large.lhv
	lh-gen workers -n 1 --seed 9 | jq -c '.id = "one"' >one
	for index in small large; do
		strace -f -qq -e trace=read,pread64,write,pwrite64 -o trace lh-index add -j1 $index.lhv one 2>/dev/null || skip "strace may not trace here"
		wc -l <trace >$index.calls
	done
	[ "$(cat small.calls)" = "$(cat large.calls)" ]
}

@test "a service that is down is reported in one line, whatever the number of threads" {
	echo '{"id":"a","text":"x"}' >w
	run ! --separate-stderr lh-index build --engine ollama --url http://127.0.0.1:1 -j4 a.lhv w
	[ "$status" = 2 ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "lh-index: http://127.0.0.1:1/api/embed: "* ]]
	[ ! -e a.lhv ]
}

@test "info shows where the engine is, and no user-info that a file by others has there" {
	rows 1 2 | lh-index build --engine ollama --url http://127.0.0.1:1/base mine.lhv
	[ "$(info mine.lhv url)" = http://127.0.0.1:1/base ]
	"$(dirname "$AID")/aid_index" theirs.lhv openai m http://me:secret@127.0.0.1:1
	[ "$(info theirs.lhv url)" = http://***@127.0.0.1:1 ]
	LH_OPENAI_API_KEY=sk run lh-search -Q a theirs.lhv
	[[ $output == *'the index names http://***@127.0.0.1:1, which is not sent your key'* ]]
}

# ---- merge of parts ----

# in_parts N - part.1.lhv to part.N.lhv of the records in, each of every Nth line.
in_parts() {
	local i
	for ((i = $1; i; i--)); do
		split -n "r/$i/$1" in | lh-index build --allow-empty -q "part.$i.lhv" || return 1
	done
}

@test "parts that split takes, one of them without a record, merge to the index of all" {
	rows 1 3 >in
	in_parts 4
	lh-index merge merged.lhv part.?.lhv
	alike <(content merged.lhv) <(lh-index build whole.lhv in && content whole.lhv)
	[ "$(info part.4.lhv length) $(info merged.lhv dimension)" = "0 8" ]
	# also into an index that is there
	[ "$(lh-index merge whole.lhv part.4.lhv)" = '{"merged":0,"skipped":0}' ]
}

@test "merge makes DEST of the first SRC with a record; the first row of an id stays" {
	rows 1 3 a | lh-index build --ef-search 70 a.lhv
	rows 2 5 b | lh-index build b.lhv
	lh-index build --allow-empty --dimension 3 none.lhv </dev/null
	[ "$(lh-index merge new.lhv none.lhv a.lhv b.lhv a.lhv)" = '{"merged":5,"skipped":5}' ]
	[ "$(info new.lhv ef_search)" = 70 ]
	[ "$(lh-index dump new.lhv | jq -r '.id + .metadata.tag' | paste -sd' ')" = "r1a r2a r3a r4b r5b" ]
	# rows in a log, replaced, deleted and with other metadata
	rows 2 2 c | lh-index add a.lhv
	lh-index delete --id r1 a.lhv >/dev/null
	echo '{"id":"r3","metadata":{"n":33}}' | lh-index replace-metadata a.lhv
	lh-index merge new2.lhv a.lhv b.lhv
	[ "$(lh-index dump new2.lhv | jq -r '"\(.id)\(.metadata.tag)\(.metadata.n)"' | sort | paste -sd' ')" = "r2c2 r3null33 r4b4 r5b5" ]
	lh-index verify new2.lhv
	# none with a record
	lh-index merge new3.lhv none.lhv none.lhv
	[ "$(info new3.lhv dimension) $(info new3.lhv length)" = "3 0" ]
}

@test "a part of another kind, missing or damaged ends a merge, and DEST is not made" {
	rows 1 20 | lh-index build a.lhv
	rows 21 30 | lh-index build --distance l2 l2.lhv
	rows 21 30 | jq -c '.vector |= .[:3]' | lh-index build short.lhv
	rows 21 30 | jq -c '.model = "m2"' | lh-index build model.lhv
	rows 21 30 | lh-index build torn.lhv
	truncate -s -100 torn.lhv
	while IFS='|' read -r src message; do
		run -2 --separate-stderr lh-index merge new.lhv a.lhv "$src"
		[[ $stderr == "lh-index: $src: "$message* ]] || { echo "$src: $stderr"; return 1; }
		[ "${#stderr_lines[@]}" = 1 ] && [ -z "$output" ]
		[ -z "$(ls -A | grep new)" ]
	done <<-'END'
	l2.lhv|distance l2, expected cosine
	short.lhv|dimension 3, expected 8
	model.lhv|model m2, expected none
	none.lhv|
	torn.lhv|
	END
	mkdir dir
	run -2 lh-index merge dir/no/new.lhv a.lhv
}
