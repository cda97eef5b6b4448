# What one request leaves in a filter that stays open does not reach the next: each is answered as by
# a fresh process, whatever came before it.
load ../helper

# apart MORE HOW... - hold the answers against those of fresh processes; more than MORE must differ.
apart() {
	local got
	got=$(patiently python3 "$ROOT/tests/apart.py" "${@:2}")
	[ "$got" -gt "$1" ] || { echo "$got different answers"; return 1; }
}

# state - indexes with words, one without; playbooks, one of them with an answer.
state() {
	mkdir -p st/index st/playbook
	for i in 1 2 3 4 5 6; do
		printf '{"id":"w-%s","text":"%s in %s","role":"%s","city":"%s","state":"%s"}\n' $i \
			"$( ((i % 2)) && echo Welder || echo Nurse)" "$( ((i % 3)) && echo Flint || echo Gary)" \
			"$( ((i % 2)) && echo Welder || echo Nurse)" "$( ((i % 3)) && echo Flint || echo Gary)" \
			"$( ((i % 3)) && echo MI || echo IN)"
	done >rows
	lh-index build -q --lexical --engine hash --dimension 64 st/index/workers.lhv rows
	sed 's/w-/o-/; s/Welder/Cook/g' rows | lh-index build -q --lexical --engine hash --dimension 64 st/index/others.lhv
	lh-playbook record -q --indexes st/index st/playbook/playbook_memory.lhv >/dev/null <<-'END'
		{"query_text":"a welder","answer_id":"w-5","answer_corpus":"workers","score":1}
		{"query_text":"Need 2 Nurses in Gary IN","answer_id":"w-6","answer_corpus":"workers","score":0.5}
	END
}

# crossed WHAT HOW - each line of WHAT with each of HOW, members of one object.
crossed() {
	while read -r a; do
		while read -r b; do echo "{$a${b:+,}$b}"; done <<<"$2"
	done <<<"$1"
}

SCOPES='
"scope":{"filter":{"state":"MI"}}
"scope":{"filter":{"state":"IN"}}
"scope":{"corpora":["workers"]}
"scope":{"corpora":["others","playbook_memory"],"filter":{"city":{"in":["Flint"]}}}
"scope":{"filter":{"city":{"like":5}}}'

# searches - of each kind, with scopes and what else a search has.
searches() {
	crossed '"query_text":"welder"
"like":["w-3"]
"like":"others/o-5"
"query_text":"Nurse Gary IN"' "$SCOPES
\"metadata_filter\":{\"state\":\"MI\"}
\"metadata_filter\":{\"state\":\"MI\"},\"scope\":{\"filter\":{\"city\":\"Flint\"}}
\"metadata_filter\":{\"sate\":\"MI\"}
\"metadata_filter\":{\"state\":\"ML\"}
\"metadata_filter\":{\"and\":5}
\"where\":[\"city=Gary\"],\"k\":2
\"exclude_ids\":[\"w-1\",\"w-3\"]
\"use_playbook\":true
\"use_playbook\":true,\"scope\":{\"filter\":{\"state\":\"IN\"}}
\"use_playbook\":true,\"query_role\":\"Cook\",\"exclude_ids\":[\"w-5\"]
\"use_playbook\":true,\"playbook_corpus\":\"none\"
\"k\":0
\"k\":3,\"offset\":2,\"max_distance\":0.9
\"per_corpus_k\":1,\"budget\":3
\"model\":\"other\"
\"explain\":true
\"k\":-1" | sed 's/}$/,"corpora":["workers","others"]}/' | drawn 40
	crossed '"query_vector":[1,0],"corpora":["workers"]
"query_text":"","corpora":["workers"]
"query_text":"nurse","corpora":["absent"]
"like":["w-3","o-1"],"corpora":["others","workers"]
"like":["w-9"],"corpora":["workers"]
"like":["w-2"],"index":"workers"' '
"scope":{"filter":{"state":"IN"}}'
	echo '{"query_text":5}'
}

@test "each search is answered as by a fresh process, after each other one: scopes, exclusions, playbooks, limits and errors" {
	state
	searches >requests
	for how in "" --hybrid "--hybrid --attribute --explain"; do
		# what a filter with budget 3 measures is the same each time
		apart 20 pairs requests lh-search --wire --auto-role -q -j1 --on-error emit $how --playbooks st/playbook st/index
	done
}

@test "a search of files is answered as by a fresh process, after each other one" {
	state
	searches | jq -c 'del(.corpora, .index)' >requests
	apart 20 pairs requests lh-search -q -j1 --on-error emit --auto-role st/index/workers.lhv st/index/others.lhv
}

@test "a like is looked up in the scope of its own request" {
	state
	like='{"like":["w-3"],"k":1,"corpora":["workers"]'
	printf '%s\n' '{"query_text":"x","corpora":["workers"]}' "$like,\"scope\":{\"filter\":{\"state\":\"MI\"}}}" \
		"$like,\"scope\":{\"filter\":{\"state\":\"MI\"}}}" "$like}" >in
	lh-search --wire -q -j1 --on-error emit st/index <in >out 2>/dev/null || [ $? = 1 ]
	[ "$(jq -c '.error.code // (.results | length)' out | tr '\n' ' ')" = '6 404 404 1 ' ]
}

# looks - requests about indexes that change nothing, and some that do.
looks() {
	crossed '"op":"lookup","name":"workers","id":"w-3"
"op":"lookup","id":"o-2"
"op":"get","name":"workers"
"op":"list"
"op":"corpora"
"op":"lookup","id":"none"' "$SCOPES"
}
changes() {
	crossed '"op":"add","name":"workers","items":[{"id":"w-7","text":"Cook in Gary","metadata":{"state":"IN","city":"Gary"}}]
"op":"add","name":"workers","items":[{"id":"w-8","text":"Cook","metadata":{"state":"MI"}},{"id":"w-3","vector":[1]}]
"op":"add","name":"others","items":[{"id":"o-1","text":"again"}]
"op":"add","name":"new","items":[{"id":"o-1","vector":[1,0],"model":"m"}]' "$SCOPES"
	crossed '"op":"create","name":"new","dimension":2
"op":"create","name":"none","dimension":0
"op":"delete","name":"new"
"op":"merge","src":"others","dest":"workers"
"op":"merge","src":"new","dest":"new"
"op":"merge","src":"others","dest":"new","clear_source":true' ''
}

@test "each request about indexes is answered as by a fresh process, whatever was changed or refused before" {
	state
	looks >requests
	apart 10 pairs requests lh-index requests -q -j1 --attribute --on-error emit --playbooks st/playbook st/index
	{ looks; changes; } >requests
	for attribute in "" --attribute; do
		rm -rf st.fresh
		apart 20 steps "$(scale 100 1000 4000)" "$LH_DRAW $attribute" st requests \
			lh-index requests -q -j1 $attribute --now 2026-01-01T00:00:00Z --on-error emit --playbooks playbook index
	done
}

@test "each entry is recorded as by a fresh process, whatever was recorded or refused before" {
	state
	crossed '"op":"record","query_text":"cook","answer_id":"o-1","answer_corpus":"others","score":1
"op":"record","query_text":"Nurse Gary IN","answer_id":"w-6","answer_corpus":"workers","score":0.5
"op":"record","query_text":"Need 1 Cook in Gary IN","answer_id":"w-3","answer_corpus":"workers","score":0.5,"corpus":"second"
"op":"record","query_text":"nurse","answer_id":"w-2","answer_corpus":"absent","score":1,"role":"Nurse"
"op":"record","query_text":"nurse","answer_id":"w-2","answer_corpus":"workers","score":2
"op":"record","query_text":"nurse","answer_id":"w-2","answer_corpus":"workers","score":1,"least":2
"op":"bulk","entries":[{"query_text":"welder","answer_id":"w-1","answer_corpus":"workers","score":1},{"query_text":"x"}]' "$SCOPES" >requests
	apart 8 steps "$(scale 100 1000 4000)" "$LH_DRAW" st requests \
		lh-playbook requests -q -j1 --now 2026-01-01T00:00:00Z --on-error emit --indexes index playbook
	for p in playbook_memory second; do
		alike <(lh-playbook list st/playbook/$p.lhv | sort) <(lh-playbook list st.fresh/playbook/$p.lhv | sort)
	done
}

@test "each request about a person is answered as by a fresh process, whatever was asked or refused before" {
	mkdir -p p/log
	printf '{"candidate_id":"w-%s","name":"%s","phone":"202-512-010%s"}\n' 7 "Rob Alvarez" 7 8 "Ann Zadele" 8 >p/roster.jsonl
	printf '{"ts":"2026-05-03T12:00:00Z","candidate_id":"w-7","body":"Ann Zadele and 202-512-0107"}\n' >p/log/sms.jsonl
	crossed '"op":"find","id":"w-7"
"op":"verify","id":"w-8"
"op":"export","id":"w-7"
"op":"erase","id":"w-8"' '
"from_roster":true
"also":["Ann Zadele"],"short":true
"also":["Al"]
"apply":true
"unredacted":true' >requests
	apart 8 pairs requests lh-subject requests -q --on-error emit --now 2026-01-01T00:00:00Z --state p
}

@test "each draft, object, trace and dataset is answered as by a fresh process, whatever came before it" {
	mkdir -p v/store
	echo '{"candidate_id":"w1","name":"Ada","status":"active"}' >roster.jsonl
	crossed '"kind":"email"
"kind":"fill"
"artifact":{}
"kind":"letter"' '"artifact":{"to":"a@b.example","body":"Hello"}
"artifact":{"to":"a@b.example","body":"123-45-6789"},"context":{"target_count":1}
"artifact":{"fills":[{"candidate_id":"w1","name":"Ada"}]},"context":{"target_count":1}
"trace_id":"t"' >requests
	sed -i 's/"artifact":{},"artifact"/"artifact"/' requests
	apart 5 pairs requests lh-validate --wire -q -j1 --roster roster.jsonl --on-error emit
	crossed '"text":"a"
"texts":["a","b c"]
"op":"models"
"op":"embeddings","input":["a"]
"op":"embed","input":"a"' '
"model":"hash-v1"
"model":"absent"
"encoding_format":"base64"
"dimensions":64
"trace_id":"t"' >requests
	apart 5 pairs requests lh-embed --wire go -q -j1 --on-error emit
	crossed '"op":"add","uid":"a"
"op":"add","uid":"b","tags":["t"]
"op":"revise","uid":"c","predecessor_uid":"a"
"op":"retire","uid":"a"
"op":"get","uid":"a"
"op":"history","uid":"c"
"op":"search"
"op":"search","tag":"t"' '"content":{"x":1}
"content":5,"include_retired":true
"limit":1' >requests
	sed -i 's/"op":"\(get\|history\|retire\)","uid":"\(.\)",.*/"op":"\1","uid":"\2"}/' requests
	apart 5 steps "$(scale 60 600 2000)" "$LH_DRAW" v requests \
		lh-pathway requests -q --now 2026-01-01T00:00:00Z --on-error emit log.jsonl
	rm -rf v.fresh
	crossed '"op":"list"
"op":"get","key":"k"
"op":"delete","key":"k"
"op":"put","key":"k","file":"/etc/passwd"' '
"if_match":"\"x\""
"if_none_match":"*"
"prefix":"k"' >requests
	echo hello >v/store/k
	apart 3 steps "$(scale 60 600 2000)" "$LH_DRAW" v requests lh-store requests -q --on-error emit store
	rm -rf v.fresh
	crossed '"op":"register","name":"d","schema_fingerprint":"f"
"op":"register","name":"e","schema_fingerprint":"g","objects":[{"key":"k"}]
"op":"get","name":"d"
"op":"list"
"op":"remove","name":"d"' '
"row_count":5
"objects":[{"key":5}]
"history":"b"' >requests
	sed -i '/objects.*objects/d' requests
	apart 3 steps "$(scale 60 600 2000)" "$LH_DRAW" v requests \
		lh-catalog requests -q --now 2026-01-01T00:00:00Z --on-error emit --catalog c
}

# described N GIVEN TOOL OPERATION... - requests drawn from what the tool says that it takes.
described() {
	python3 "$ROOT/tests/apart.py" draw "$1" "$LH_DRAW" "${@:2}" >requests
	[ "$(wc -l <requests)" = "$1" ]
}

# each_described N - of each tool that answers many requests by one process.  Those that
# ask a model are left out, and lh-merge, which makes one answer of several records.
each_described() {
	local now='--now 2026-01-01T00:00:00Z'
	state
	described "$1" '{}' lh-embed ''
	apart 1 pairs requests lh-embed -q -j1 --on-error emit
	apart 1 pairs requests lh-embed --wire rust -q -j1 --on-error emit
	described "$1" '{"query_text":["welder","Nurse Gary IN"],"like":["w-3"],"corpora":[["workers"],["others"]],"exclude_ids":[["w-1"]]}' lh-search ''
	apart 1 pairs requests lh-search --wire --auto-role -q -j1 --on-error emit --playbooks st/playbook st/index
	echo '{"candidate_id":"w1","name":"Ada","status":"active"}' >roster.jsonl
	described "$1" '{"kind":["email","fill","playbook"],"artifact":[{"to":"a@b.example","body":"Hello"},{"fills":[]}],"context":[{"target_count":1}]}' lh-validate ''
	apart 1 pairs requests lh-validate --wire -q -j1 --roster roster.jsonl --on-error emit
	described "$1" '{"text":["x {\"a\":1}"]}' lh-extract-json ''
	apart 1 pairs requests lh-extract-json -q -j1 --on-error emit
	described "$1" '{"focus":[{"path":"a.c","text":"struct a"}],"text":["struct a { int b; };"]}' lh-relevance ''
	apart 1 pairs requests lh-relevance -q -j1 --on-error emit
	described "$1" '{"name":["workers","others","new"],"src":["others","new"],"dest":["workers","new"],"id":["w-3","o-2"],"text":["Cook"]}' \
		lh-index create list get corpora delete add lookup merge
	apart 1 steps "$1" "$LH_DRAW" st requests \
		lh-index requests -q -j1 $now --on-error emit --playbooks playbook index
	described "$1" '{"answer_id":["w-3","o-2"],"answer_corpus":["workers","others"],"query_text":["nurse"]}' lh-playbook record bulk
	rm -rf st.fresh
	apart 1 steps "$1" "$LH_DRAW" st requests lh-playbook requests -q -j1 $now --on-error emit --indexes index playbook
	mkdir -p v/store p/log
	described "$1" '{"uid":["a","b"],"predecessor_uid":["a"],"content":[{"x":1}]}' \
		lh-pathway add add_idempotent update revise retire get history search stats
	apart 1 steps "$1" "$LH_DRAW" v requests lh-pathway requests -q $now --on-error emit log.jsonl
	rm -rf v.fresh
	described "$1" '{"key":["k","l/m"],"file":["/etc/hostname"]}' lh-store put get list delete
	apart 1 steps "$1" "$LH_DRAW" v requests lh-store requests -q --on-error emit store
	rm -rf v.fresh
	described "$1" '{"name":["d","e"],"objects":[[{"key":"k"}]]}' lh-catalog register get list remove
	apart 1 steps "$1" "$LH_DRAW" v requests lh-catalog requests -q $now --on-error emit --catalog c
	rm -rf v.fresh
	described "$1" '{"endpoint":["/a"],"source":["s"]}' lh-observe event inbox stats health
	apart 1 steps "$1" "$LH_DRAW" v requests lh-observe requests -q $now --on-error emit o.jsonl
	printf '{"candidate_id":"w-%s","name":"%s"}\n' 7 "Rob Alvarez" 8 "Ann Zadele" >p/roster.jsonl
	printf '{"ts":"2026-05-03T12:00:00Z","candidate_id":"w-7","body":"Ann Zadele"}\n' >p/log/sms.jsonl
	described "$1" '{"id":["w-7","w-8"],"also":[["Ann Zadele"]]}' lh-subject find export verify
	apart 1 pairs requests lh-subject requests -q --on-error emit $now --state p
}

@test "requests drawn from what each tool describes are answered as by a fresh process" {
	each_described 10
}

# bats test_tags=full
@test "many requests drawn from what each tool describes are answered as by a fresh process" {
	for i in 1 2 3; do
		rm -rf st st.fresh v v.fresh p
		LH_DRAW="$LH_DRAW $i" each_described "$(scale 40 100 300)"
	done
}

@test "a filter that remembers the request before, or ends by a signal, is found" {
	described 10 '{}' lh-embed ''
	run apart 1 pairs requests cat -n
	[[ $status = 1 && $output = *gives*alone* ]]
	run apart 1 pairs requests bash -c 'kill -SEGV $$'
	[[ $status = 1 && $output = *'status -11'* ]]
	mkdir st
	run apart 1 steps 10 1 st requests bash -c 'while read -r l; do echo $((++n)); done'
	[[ $status = 1 && $output = *gives*alone* ]]
}
