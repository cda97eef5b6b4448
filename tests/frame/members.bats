# Members of records: what tools bind by tables (lib/json/bind.h) has one wording and
# one meaning of null, and is what the pages say.
# Plain only: hundreds of starts with one wrong member each, read by lib/json/bind, which
# test_bind holds; each tool's file has some.
# bats file_tags=quick,plain-only
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	printf '%s\n' '{"id":"a","vector":[1,0]}' '{"id":"b","vector":[0,1]}' | lh-index build p.lhv
	lh-playbook record -q pb.lhv <<<"$ENTRY" >ids
	lh-pathway add log <<<'{"uid":"a","content":1}' >added
	(umask 077 && head -c 32 /dev/urandom >key)
}

ENTRY='{"query_text":"q","answer_id":"a","answer_corpus":"c","score":1}'
ROW='{"session_id":"s","kind":"email","model":"m","provider":"p","prompt":"q","iterations":0,"max_iterations":1,"final_verdict":"infra_error","attempts":[{"iteration":0,"verdict_kind":"infra_error"}],"duration_ms":1}'

# What a kind of member must not be: values that are wrong for it, and the words.
#     KIND: what it must be | wrong values
kinds() {
	cat <<-'END'
	string: a string|5|true|[]|{}
	id: a string or number|true|[]|{}
	bool: true or false|0|"true"|[]
	number: a number|"1"|true|[]
	whole: a whole number|1.5|"1"|[]|1e30
	count: a whole number, 0 or more|-1|1.5|"1"|[]
	k: a whole number from 0 to 10000|-1|10001|1.5|"1"|{}
	turns: a whole number from 1 to 10|0|11|1.5|"1"
	distance: a number, 0 or more|-0.1|"1"|[]
	score: a number above 0 and at most 1|0|1.1|"1"|[]
	object: an object|1|"a"|[]
	array: an array|1|"a"|{}
	strings: an array of strings|1|"a"|{}
	ids: an array of strings or numbers|1|"a"|{}
	objects: an array of objects|1|"a"|{}
	vector: an array of numbers or base64|1|true|{}
	json: "json"|1|[]
	kinds: "fill", "email", "sms" or "playbook"|1|[]
	end: "accepted", "max_iter_exhausted" or "infra_error"|1|[]
	turn: "no_json", "validation_failed", "accepted" or "infra_error"|1|[]
	role: "system", "user" or "assistant"|1|[]
	ms: a number from 0 to 1e+15|-1|1e16|"1"|[]
	message: "email" or "sms"|1|[]
	priority: "urgent", "high", "medium", "low" or ""|1|[]
	observer: "event", "inbox", "stats" or "health"|1|[]
	grouping: "endpoint"|1|[]
	stats: "stats", "models", "tags", "embeddings" or "embed"|1|[]
	op: "create", "list", "get", "corpora", "delete", "add", "lookup" or "merge"|1|[]
	record: "record" or "bulk"|1|[]
	name: a name of 1 to 128 letters, digits, ".", "_" and "-", without "." at the start|1|[]|".a"|"a/b"|""
	dimension: a whole number from 1 to 65536|0|65537|1.5|"2"|[]
	links: a whole number from 2 to 128|1|129|1.5|"2"|[]
	ef: a whole number from 1 to 1000000|0|1000001|1.5|"2"|[]
	distances: "cosine", "l2", "ip", "euclidean", "dot" or "inner_product"|1|[]
	layouts: "qg"|1|[]
	providers: "providers" or "completions"|1|[]
	query: "report" or "health"|1|[]
	time: a time like 2026-05-03T12:00:00Z|1|"1"|"2026-05-03"|[]
	until: a time like 2026-05-03T12:00:00Z|1|"1"|"2026-05-32"|[]
	catalog: "register", "get", "list" or "remove"|1|[]
	outcome: "success", "not_found", "denied" or "error"|1|[]
	format: "csv", "tsv", "jsonl" or "parquet"|1|[]
	object_op: "put", "get", "list" or "delete"|1|[]
	operation: "add", "add_idempotent", "update", "revise", "retire", "get", "history", "search" or "stats"|1|[]
	END
}

# The commands, each with a record that it would take (or reject for another reason).
#     COMMAND | RECORD
commands() {
	cat <<-END
	lh-search p.lhv|{"vector":[1,0]}
	lh-search --wire p.lhv|{"vector":[1,0],"corpora":["p"]}
	lh-merge|{"results":[{"id":"a","distance":1}]}
	lh-rerank --rerank-url http://127.0.0.1:1 --retries 0|{"query_text":"a","results":[{"text":"b"}]}
	lh-chat|{"model":"m","prompt":"a"}
	lh-chat |{"model":"m","messages":[{"role":"user","content":"a"}]}
	lh-chat --wire|{"model":"m","prompt":"a"}
	lh-iterate|{"kind":"email","prompt":"p","model":"m"}
	lh-iterate --emit-session|$ROW
	lh-playbook record new.lhv|$ENTRY
	lh-playbook remove pb.lhv|{"playbook_id":"x"}
	lh-playbook requests .|$(jq -c '. + {op:"record"}' <<<"$ENTRY")
	lh-playbook requests . |{"op":"bulk","entries":[$ENTRY]}
	lh-validate|{"kind":"email","artifact":{}}
	lh-index add p.lhv|{"id":"c","vector":[1,0]}
	lh-index requests .|{"op":"add","name":"p","items":[{"id":"c","vector":[1,0]}]}
	lh-index requests . |{"op":"create","name":"c","dimension":2}
	lh-index requests .  |{"op":"merge","src":"p","dest":"pb"}
	lh-index requests .   |{"op":"lookup","name":"p","id":"a"}
	lh-embed|{"texts":["a"]}
	lh-embed --wire go|{"texts":["a"]}
	lh-embed |{"text":"a"}
	lh-embed --field body|{"body":"a"}
	lh-embed --id-field key|{"key":"a","text":"a"}
	lh-index build n.lhv|{"id":"a","text":"a"}
	lh-index build --id-field key --field body n.lhv|{"key":"a","body":"a"}
	lh-index delete p.lhv|{"id":"a"}
	lh-index set-metadata p.lhv|{"id":"a","metadata":{}}
	lh-search p.lhv |{"vector":[1,0],"model":"m"}
	lh-lift c=p.lhv|{"query_text":"a"}
	lh-extract-json|{"text":"a"}
	lh-relevance|{"text":"a","focus":{"path":"a","text":"b"}}
	lh-relevance |{"chunks":[{"text":"a"}],"focus":{"text":"b"}}
	lh-relevance gate|{"mode":"m","model":"n"}
	lh-replay --dry-run --root . --log r.log|{"task":"a"}
	lh-subject-audit append --key-file key|{"candidate_id":"a","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":[],"result":"success"}
	lh-catalog register --catalog lake|{"name":"w","schema_fingerprint":"f"}
	lh-catalog get --catalog lake|{"name":"w"}
	lh-gen queries --from -|{"count":2,"role":"r","city":"c","state":"s","at":"a","client":"b"}
	lh-catalog requests --catalog lake|{"op":"list"}
	lh-store requests --files objects|{"op":"list"}
	lh-ingest --requests --files --store objects --catalog lake|{"name":"a","file":"none"}
	lh-pathway add log|{"content":1}
	lh-pathway get log|{"uid":"a"}
	lh-pathway revise log|{"predecessor_uid":"a","content":1}
	lh-pathway requests log|{"op":"search"}
	lh-observe record log|{"endpoint":"a"}
	lh-observe inbox log|{"type":"sms","body":"a"}
	lh-observe requests log|{"op":"stats"}
	lh-query p=p.lhv|{"sql":"VALUES (1)"}
	lh-score --check-drift --wire|{"records":[]}
	lh-trace --requests --root .|{"id":"rag-0"}
	lh-subject-audit requests --key-file key|{"op":"report","id":"a"}
	END
}

# Their members: the path that jq takes, and a kind; ! required, + not empty.
#     COMMAND | PATH KIND [FLAGS]; ...
members() {
	cat <<-'END'
	lh-search p.lhv|query_text string; query string; text string; query_vector vector; k k; per_corpus_k k
	lh-search p.lhv|exclude_ids ids; corpora strings +; metadata_filter object; use_playbook bool; query_role string
	lh-search p.lhv|playbook_corpus string; playbook_top_k k; playbook_max_distance distance; playbook_max_inject_distance distance
	lh-search --wire p.lhv|index string; use_playbook bool; corpora strings +
	lh-merge|results objects !; k k; results[0].id string !; results[0].distance number !; results[0].score number; results[0].corpus string
	lh-rerank --rerank-url http://127.0.0.1:1 --retries 0|query_text string !; results objects !; results[0] object
	lh-chat|model string !+; prompt string +; system string; temperature number; max_tokens whole; format json; think bool
	lh-chat --wire|op providers
	lh-chat |messages objects +; messages[0].role role !; messages[0].content string !
	lh-iterate|kind string; prompt string !+; model string !+; system string; provider string; trace_id string
	lh-iterate|max_iterations turns; temperature number; max_tokens whole
	lh-iterate --emit-session|session_id string !+; kind kinds !; model string !; provider string !; prompt string !
	lh-iterate --emit-session|iterations count !; max_iterations count !; duration_ms count !; final_verdict end !
	lh-iterate --emit-session|artifact object; grounded_in_roster bool; attempts objects !
	lh-iterate --emit-session|attempts[0].iteration count !; attempts[0].verdict_kind turn !; attempts[0].error string
	lh-playbook record new.lhv|query_text string !+; answer_id string !+; answer_corpus string !+; score score !; tags strings; role string
	lh-playbook remove pb.lhv|playbook_id string
	lh-playbook requests .|op record !; corpus name; query_text string !+; answer_id string !+; answer_corpus string !+; score score !; tags strings; role string
	lh-playbook requests . |corpus name; entries array !+
	lh-validate|kind string
	lh-index add p.lhv|id id !; model string
	lh-index requests .|op op !; name name !; items objects !+; items[0].id id !; items[0].vector vector; items[0].metadata object; items[0].model string
	lh-index requests . |name name !; dimension dimension !; m links; ef_search ef; distance distances; layout layouts
	lh-index requests .  |src name !; dest name !; clear_source bool
	lh-index requests .   |name name; id id !+
	lh-embed|texts array; partial bool; model string
	lh-embed --wire go|op stats; texts array; partial bool; model string
	lh-embed |text string !
	lh-embed --field body|body string !
	lh-embed --id-field key|key id !
	lh-index build n.lhv|id id !; text string !
	lh-index build --id-field key --field body n.lhv|key id !; body string !
	lh-index delete p.lhv|id id !
	lh-index set-metadata p.lhv|id id !; metadata object !
	lh-search p.lhv |model string
	lh-lift c=p.lhv|query_text string !+; role string; city string; state string; style string; client string; at string; count number
	lh-extract-json|text string !
	lh-relevance|text string; path string; focus object; focus.path string; focus.text string; focus.defined_symbols strings; focus.imported_symbols strings
	lh-relevance |chunks objects; chunks[0].text string; chunks[0].path string
	lh-relevance gate|mode string; model string; forced bool
	lh-replay --dry-run --root . --log r.log|task string !+; local_only bool; allow_escalation bool; no_retrieval bool; dry_run bool
	lh-subject-audit append --key-file key|candidate_id string !; accessor object !; accessor.kind string !; accessor.daemon string !; accessor.purpose string !; accessor.trace_id string; fields_accessed strings !; result outcome; ts time
	lh-catalog register --catalog lake|name string !+; schema_fingerprint string !+; store string +; row_count count; objects objects
	lh-catalog get --catalog lake|name string !+
	lh-gen queries --from -|role string !+; city string !+; state string !+; at string !+; client string !+
	lh-catalog requests --catalog lake|op catalog !
	lh-ingest --requests --files --store objects --catalog lake|name string !+; file string !+; format format; filename string
	lh-store requests --files objects|op object_op !; key string; file string +; prefix string
	lh-pathway add log|uid string +
	lh-pathway get log|uid string !+
	lh-pathway revise log|predecessor_uid string !+
	lh-observe record log|endpoint string !+; timestamp time; source string; success bool; duration_ms ms; input_summary string; output_summary string; error string
	lh-observe inbox log|type message !; body string !+; sender string; subject string; tag string; priority priority
	lh-observe requests log|op observer !; by grouping
	lh-pathway requests log|op operation !; tag string; tags strings; content_contains string; include_retired bool
	lh-query p=p.lhv|sql string !
	lh-score --check-drift --wire|records objects !
	lh-trace --requests --root .|id string !+
	lh-subject-audit requests --key-file key|op query !; id string !+; from until; to until
	lh-pathway requests log|created_after_ns whole; created_before_ns whole; limit count
	END
}

# A member of the record is quoted in a message, a path is not.
shown() {
	[[ $1 == *[.[]* ]] && echo "$1" || echo "\"$1\""
}

# rejected MESSAGE COMMAND... <RECORD: it goes nowhere, with that reason.
rejected() {
	local want=$1 status=0 line=
	shift
	env LH_OLLAMA_URL=http://127.0.0.1:1 "$@" >out 2>err || status=$?
	read -r line <err || true
	[[ $status = [12] ]] && [[ $line =~ ^lh-[a-z-]+:\ -:1:\ (400\ )?(.*)$ ]] && [ "${BASH_REMATCH[2]}" = "$want" ] ||
		{ echo "$*: exit $status: $line; wanted $want"; return 1; }
	wrong=$((wrong + 1))
}

# each FUNCTION: call it with COMMAND, RECORD, PATH, KIND, FLAGS of each member.
each() {
	local command line member path kind flags list record all
	all=$(commands)
	while IFS='|' read -r command line; do
		record=$(awk -F'|' -v c="$command" '$1 == c { print substr($0, length(c) + 2) }' <<<"$all")
		[ -n "$record" ] || { echo "no record for $command"; return 1; }
		IFS=';' read -ra list <<<"$line"
		for member in "${list[@]}"; do
			read -r path kind flags <<<"$member"
			"$1" "$command" "$record" "$path" "$kind" "$flags" || return 1
		done
	done < <(members)
}

wrong_values() {
	local what values records record
	IFS='|' read -r what values < <(kinds | sed -n "s/^$4: //p")
	[ -n "$values" ] || { echo "no values for $4"; return 1; }
	records=$(jq -c --argjson values "[${values//|/,}]" ".$3 = \$values[]" <<<"$2") || return 1
	while read -r record; do
		rejected "$(shown "$3") must be $what" $1 <<<"$record" || return 1
	done <<<"$records"
}

# bats test_tags=full
@test "a member of another type, or out of range, is rejected in the same words by every tool" {
	wrong=0
	each wrong_values
	[ "$wrong" -gt 150 ]
}

absent_or_empty() {
	local what
	what=$(kinds | sed -n "s/^$4: \([^|]*\)|.*/\1/p" | sed 's/^an\? //')
	if [[ $5 == *!* ]]; then
		rejected "missing $(shown "$3") ($what)" $1 < <(jq -c "del(.$3)" <<<"$2") || return 1
		rejected "missing $(shown "$3") ($what)" $1 < <(jq -c ".$3 = null" <<<"$2") || return 1
	fi
	if [[ $5 == *+* ]]; then
		rejected "$(shown "$3") must not be empty" $1 < <(jq -c ".$3 |= if type == \"array\" or \"$4\" == \"strings\" then [] else \"\" end" <<<"$2")
	fi
}

# bats test_tags=full
@test "a required member that is absent or null is missing, and one that must say something is not empty" {
	wrong=0
	each absent_or_empty
	[ "$wrong" -gt 40 ]
}

@test "null counts as absent: an optional member may be null" {
	[ "$(lh-search --no-metadata p.lhv <<<'{"vector":[1,0],"k":null,"corpora":null,"metadata_filter":null,"use_playbook":null,"trace_id":null}' | jq -r '.results[0].id')" = a ]
	lh-playbook record -q pb.lhv <<<"$(jq -c '. + {tags:null,role:null}' <<<"$ENTRY")"
	lh-iterate --emit-session <<<"$(jq -c '. + {artifact:null,grounded_in_roster:null}' <<<"$ROW")" | jq -e '.grounded_in_roster == null'
	lh-embed <<<'{"texts":["a"],"model":null,"partial":null}' | jq -e '.vectors | length == 1'
	lh-pathway add log <<<'{"uid":null,"content":null,"tags":null}' | jq -e '.content == null and (.uid | length > 0)'
}

@test "an element that is wrong is named by its position" {
	wrong=0
	rejected 'exclude_ids[1] must be a string or number' lh-search p.lhv <<<'{"vector":[1,0],"exclude_ids":["a",null]}'
	rejected 'corpora[0] must be a string' lh-search p.lhv <<<'{"vector":[1,0],"corpora":[1]}'
	rejected 'tags[2] must be a string' lh-playbook record pb.lhv <<<"$(jq -c '.tags = ["a","b",{}]' <<<"$ENTRY")"
	rejected 'messages[1] must be an object' lh-chat <<<'{"model":"m","messages":[{"role":"user","content":"a"},1]}'
	rejected 'messages[0].role must be "system", "user" or "assistant", not "tool"' lh-chat <<<'{"model":"m","messages":[{"role":"tool","content":"a"}]}'
	rejected 'unknown member "x" in attempts[0]' lh-iterate --emit-session <<<"$(jq -c '.attempts[0].x = 1' <<<"$ROW")"
}

# ---- the pages ----

# The names in the tables of the files that read a record, aliases too, one a line.
bound() {
	local file
	for file; do
		"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -E -P -I "$ROOT/lib" "$ROOT/$file"
	done | grep -o '\.name = ("[^"]*")[^{}]*\.off = ' | sed 's/^[^"]*"//; s/".*//' | tr '|' '\n' | sort -u
}

input_section() {
	awk '/^\.Sh / { on = $2 == "INPUT" } on' "$ROOT/man/$1.1"
}

# bats test_tags=full
@test "a page's INPUT names the members of the tool's tables, and lists no other" {
	while read -r tool files; do
		bound $files >tables
		[ -s tables ] || { echo "$tool: no names in $files"; return 1; }
		input_section "$tool" | sed 's/\\(dq/ /g' | grep -oE '[A-Za-z_][A-Za-z0-9_]*' | sort -u >words
		comm -23 tables words >unnamed
		[ ! -s unnamed ] || { echo "$tool: not on its page:"; cat unnamed; return 1; }
		input_section "$tool" | awk '/^\.It Va / { for (i = 3; i <= NF; i++) if ($i != ",") print $i }' | sort -u >listed
		comm -13 tables listed >unknown
		[ ! -s unknown ] || { echo "$tool: in no table:"; cat unknown; return 1; }
	done <<-'END'
	lh-search tools/lh-search/query.c
	lh-rerank tools/lh-rerank/main.c
	lh-chat tools/lh-chat/request.c
	lh-iterate tools/lh-iterate/answers.c
	lh-playbook lib/tool/describe.c lib/memory/playbook.c tools/lh-playbook/recorder.c tools/lh-playbook/requests.c tools/lh-playbook/commands.c
	lh-embed tools/lh-embed/request.c
	lh-index lib/tool/describe.c tools/lh-index/rows.c tools/lh-index/requests.c lib/vector/vector_record.c
	lh-catalog lib/tool/describe.c tools/lh-catalog/main.c lib/catalog/catalog.c
	lh-gen tools/lh-gen/workers.c
	lh-store lib/tool/describe.c tools/lh-store/requests.c
	lh-ingest tools/lh-ingest/keep.c
	lh-observe lib/tool/describe.c tools/lh-observe/record.c tools/lh-observe/stats.c
	lh-pathway lib/tool/describe.c tools/lh-pathway/commands.c
	lh-subject-audit lib/tool/describe.c tools/lh-subject-audit/requests.c
	lh-load tools/lh-load/scenario.c
	lh-validate tools/lh-validate/artifacts.c
	END
}

@test "another type is not called missing in answers, in logs and in messages of MCP" {
	echo '{"reply":5}' >answers
	run -2 --separate-stderr lh-iterate --answers answers <<<'{"kind":"email","prompt":"p","model":"m"}'
	[ "$stderr" = 'lh-iterate: answers:1: "reply" must be an object' ]
	echo '{"op":5}' >odd
	run -1 --separate-stderr lh-pathway verify odd
	[[ "$output$stderr" == *'"op" is not a string'* ]]
	while IFS='|' read -r message why; do
		lh-mcp <<<"$message" | jq -e --arg why "$why" '.error.message == $why' || { echo "$message"; return 1; }
	done <<-'END'
	{"jsonrpc":"2.0","id":1,"method":5}|method must be a string
	{"jsonrpc":"2.0","id":1}|missing method (string)
	{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":5}}|protocolVersion must be a string
	{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":null}}|missing protocolVersion (string)
	{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":5}}}|_meta["io.modelcontextprotocol/protocolVersion"] must be a string
	{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":5}}}|_meta["io.modelcontextprotocol/clientCapabilities"] must be an object
	END
	local begin='{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}'
	while IFS='|' read -r method params why; do
		printf '%s\n' "$begin" '{"jsonrpc":"2.0","id":1,"method":"'"$method"'","params":'"$params"'}' | lh-mcp |
			jq -e --arg why "$why" 'select(.id == 1) | .error.message == $why' || { echo "$method $params"; return 1; }
	done <<-'END'
	tools/call|{"name":5}|name must be a string
	tools/call|{}|missing name (string)
	resources/read|{"uri":[]}|uri must be a string
	END
}
