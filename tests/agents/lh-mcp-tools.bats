# The built-in tools of lh-mcp and its resources, over a state with data; mcp/session.py holds
# each answer against the tool's outputSchema.
load ../helper
load ../servers/serve

setup_file() {
	load ../helper
	export S=$BATS_FILE_TMPDIR/state
	mkdir -p "$S"/{index,playbook,log,catalog,store,data/_catalog/subjects}
	(umask 077; head -c 32 /dev/urandom >"$BATS_FILE_TMPDIR/key")
	export LH_SUBJECT_AUDIT_KEY=$BATS_FILE_TMPDIR/key
	cd "$BATS_FILE_TMPDIR" || return 1
	lh-gen workers -n 200 >"$S/roster.jsonl"
	lh-index build -q --lexical "$S/index/workers.lhv" "$S/roster.jsonl"
	lh-gen kb -q -n 300 --root "$S"
	lh-distill run -q --root "$S" --run-id r1 >/dev/null
	lh-audit-full -q --observer --root "$S" --append-baseline \
		--out "$S/reports/distillation/phase8-full-audit-report.md" >/dev/null 2>&1
	jq -c '{id, text: .content, metadata: .}' "$S/exports/rag/playbooks.jsonl" | lh-index build -q "$S/index/samples.lhv" -
	jq -nc '{id: "ä/b?%", text: ("Ü" * 10000), metadata: {text: ("Ü" * 10000), vector: [1, 2], list: [range(1000)], n: "N"}}' |
		sed 's/"N"/12345678901234567890/' | lh-index build -q "$S/index/odd.lhv" -
	lh-ingest -q --store "$S/store" --catalog "$S/catalog" --name workers "$S/roster.jsonl" >/dev/null
	local n
	for n in $(seq 30); do echo '{"name":"d'"$n"'","schema_fingerprint":"f","store":"/secret/'"$n"'","objects":[{"key":"k","size":1}]}'; done |
		lh-catalog register -q --catalog "$S/catalog" >/dev/null
	for n in $(seq 45); do echo '{"content":{"n":'"$n"',"text":"look at '"$(printf '%0500d' "$n")"'"},"tags":["t'$((n % 2))'"]}'; done |
		lh-pathway add -q "$S/log/pathway.jsonl" >/dev/null
	for n in $(seq 25); do
		echo '{"candidate_id":"w-7","accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"look '"$n"'","trace_id":"t-'"$n"'"},"fields_accessed":["name"],"result":"success"}'
	done | lh-subject-audit append -q --sync none --dir "$S/data/_catalog/subjects" - >/dev/null
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	stop_serves
}

# drive - run a script in Python, with session.
drive() {
	PYTHONPATH=$ROOT/tests/mcp patiently python3 -B - "$@"
}

@test "every tool and every argument is described, and tools that write are not listed" {
	drive <<-'PY'
	import os, re
	from session import *
	S = os.environ["S"]
	want = "search lookup list_corpora validate list_datasets get_manifest query_sql pathway_search relevance audit_verify audit_report trace_record".split()
	s = Session(S)
	must(list(s.tools) == want, list(s.tools))
	both = Session(S, "--compat", "--allow-write", "playbook_record")
	must(set(both.tools) == set(want + ["playbook_record", "embed_text", "search_vectors"]), list(both.tools))
	def described(schema, at):
	    for name, member in schema.get("properties", {}).items():
	        must(len(member.get("description", "")) > 5, at, name)
	        described(member, at + "." + name)
	    for part in schema.get("anyOf", []) + ([schema["items"]] if "items" in schema else []):
	        described(part, at)
	for name, tool in both.tools.items():
	    must(tool["title"] and len(tool["description"]) > 30, name)
	    for part in "inputSchema", "outputSchema":
	        must(tool[part]["type"] == "object" and tool[part]["additionalProperties"] is False, name, part)
	        must(set(tool[part]["required"]) <= set(tool[part]["properties"]), name, part)
	        described(tool[part], name)
	    must(tool["annotations"]["readOnlyHint"] is (name != "playbook_record"), tool["annotations"])
	s.fails("playbook_record", {}, "playbook_record changes what is stored, and is not allowed: see --allow-write")
	must(s.ask("tools/call", name="embed_text", arguments={})["error"]["code"] == -32602)
	s.end()
	both.end()
	PY
}

@test "a tool that is off is not listed, and a call of it says why" {
	drive <<-'PY'
	import os
	from session import *
	S = os.environ["S"]
	key = os.environ.pop("LH_SUBJECT_AUDIT_KEY")
	s = Session(S)
	must(not {"audit_verify", "audit_report"} & set(s.tools) and "query_sql" in s.tools, list(s.tools))
	s.fails("audit_verify", {}, "no key: LH_SUBJECT_AUDIT_KEY is not set; the name of a file of keys in it turns this on")
	s.end()
	PY
	listed() {
		curl -sS --json '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' "$URL/mcp" | jq -r '.result.tools[].name' | sort | paste -sd' '
	}
	legal=$BATS_TEST_TMPDIR/legal
	(umask 077; echo legal-0123456789abcdef >"$legal")
	start_serve --state "$S"
	[ "$(listed)" = "get_manifest list_corpora list_datasets lookup pathway_search relevance search trace_record validate" ]
	end_serve
	echo '{"routes":[{"route":"POST /v1/validate","off":"a reason"},{"route":"POST /v1/sql","run":["lh-query","--catalog","none"]}]}' >config
	start_serve --state "$S" --config config --legal-token-file "$legal"
	[ "$(listed)" = "audit_report audit_verify get_manifest list_corpora list_datasets lookup pathway_search query_sql relevance search trace_record" ]
	curl -sS --json '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"validate","arguments":{"kind":"fill","artifact":{}}}}' "$URL/mcp" |
		jq -e '.result.isError and .result.content[0].text == "a reason"'
}

@test "the page lists each tool with its arguments" {
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' \
		'{"jsonrpc":"2.0","id":2,"method":"tools/list"}' | lh-mcp --compat --allow-write playbook_record |
		jq -r 'select(.id == 2).result.tools[] | [.name, (.inputSchema.properties | keys_unsorted | sort[])] | join(" ")' >tools
	[ "$(wc -l <tools)" = 15 ]
	awk '/^\.Sh / { on = $2 == "TOOLS" } on && /^\.It Cm / { line = $3; for (i = 6; i <= NF; i++) if ($i != ",") line = line " " $i; print line }' \
		"$ROOT/man/lh-mcp.1" | while read -r name rest; do echo "$name $(tr ' ' '\n' <<<"$rest" | sort | paste -sd' ')" | sed 's/ $//'; done >page
	diff <(sort tools) <(sort page)
}

@test "search gives what lh-search finds, small, with scores and sources" {
	q='Need 3 Forklift Operators in Chicago IL'
	lh-search -k 5 -Q "$q" "$S/index/workers.lhv" >want
	lh-search -k 7 --where status=placed -Q "$q" "$S/index/workers.lhv" >filtered
	lh-search -k 3 --hybrid -Q "$q" "$S/index/workers.lhv" >hybrid
	drive "$q" <<-'PY'
	import os, sys
	from session import *
	S, q = os.environ["S"], sys.argv[1]
	s = Session(S, "--compat")
	def same(got, path, key="id"):
	    want = json.load(open(path))["results"]
	    must([r["id"] for r in got["results"]] == [r["id"] for r in want] and got["count"] == len(want) > 2, got)
	    return zip(got["results"], want)
	got = s.call("search", query=q, corpus="workers")
	for g, w in same(got, "want"):
	    must(g["distance"] == w["distance"] and abs(g["score"] - (1 - w["distance"])) < 1e-6 and g["corpus"] == "workers", g)
	    must(g["source"] == {"uri": "lh://workers/" + g["id"]} and g["metadata"]["name"] == w["metadata"]["name"], g)
	    must("text" not in g["metadata"] and w["metadata"]["text"].startswith(g["text"][:300]), g)
	must([l["uri"] for l in s.links] == [r["source"]["uri"] for r in got["results"]])
	list(same(s.call("search", query=q, corpus="workers", k=7, filter={"status": "placed"}), "filtered"))
	for g, w in same(s.call("search", query=q, corpus="workers", k=3, hybrid=True), "hybrid"):
	    must(g["score"] == w["score"], g)
	must(s.call("search", query=q, corpus="workers", role="Forklift Operator")["count"] == 5)
	# all indexes; a sample is cited by its source line
	got = s.call("search", query="The new test fails without the fix", k=20)
	must(sorted(got["per_corpus_counts"]) == ["odd", "samples", "workers"], got)
	cited = [r for r in got["results"] if r["corpus"] == "samples"]
	must(cited and all(r["source"]["file"].startswith("data/_kb/") and r["source"]["line"] >= 1 for r in cited), cited)
	line = open(S + "/" + cited[0]["source"]["file"]).read().split("\n")[cited[0]["source"]["line"] - 1]
	must(cited[0]["text"][:40] in json.dumps(json.loads(line), ensure_ascii=False), cited[0], line)
	# texts are cut at a character, and vectors are left out
	for detail, most in ("brief", 400), ("full", 4000):
	    odd = s.call("search", query="Ü", corpus="odd", detail=detail)["results"][0]
	    must(odd["text"] == "Ü" * (most // 2) + " [cut: the first %d of 20000 bytes]" % most, odd["text"][-60:])
	    must("vector" not in odd["metadata"] and odd["metadata"]["n"] == 12345678901234567890, odd["metadata"])
	must(s.call("search", query="Ü", corpus="odd")["results"][0]["metadata"]["list"] == "[left out: 3891 bytes of JSON]")
	must(odd["source"]["uri"] == "lh://odd/%C3%A4%2Fb%3F%25", odd["source"])
	record = s.read(odd["source"]["uri"])
	must(record["id"] == "ä/b?%" and record["metadata"]["text"] == "Ü" * 10000, str(record)[:200])
	# lookup, with and without the index
	must(s.call("lookup", id="ä/b?%")["corpus"] == "odd" and s.call("lookup", id="w-7", corpus="workers")["metadata"]["candidate_id"] == "w-7")
	must(s.call("lookup", id="ä/b?%", detail="brief")["text"].endswith("[cut: the first 400 of 20000 bytes]"))
	# vectors
	v = s.call("embed_text", texts=[q])
	must(len(v["vectors"]) == 1 and len(v["vectors"][0]) == v["dimension"], v["dimension"])
	index = json.loads(os.popen("lh-index info " + S + "/index/workers.lhv").read())
	v = json.loads(os.popen("head -n 1 %s/roster.jsonl | lh-embed --dimension %d" % (S, index["dimension"])).read())
	must(s.call("search_vectors", index="workers", vector=v["vector"], k=1)["results"][0]["id"] == v["id"])
	s.end()
	PY
}

@test "datasets, pathways and reports come in parts, each once and in order" {
	drive <<-'PY'
	import os
	from session import *
	S = os.environ["S"]
	s = Session(S, "--no-audit-required")
	def all_of(tool, member, key, **arguments):
	    found, cursor = [], {}
	    while True:
	        got = s.call(tool, **arguments, **cursor)
	        found += [key(e) for e in got[member]]
	        if "next_cursor" not in got:
	            return found
	        must(len(got[member]) == arguments.get("limit", 20), got)
	        cursor = {"cursor": got["next_cursor"]}
	corpora = s.call("list_corpora")
	must({c["name"]: c["length"] for c in corpora["corpora"]}["workers"] == 200 and corpora["count"] == len(corpora["corpora"]), corpora)
	must(all_of("list_corpora", "corpora", lambda c: c["name"], limit=1) == [c["name"] for c in corpora["corpora"]])
	names = all_of("list_datasets", "datasets", lambda d: d["name"])
	must(len(names) == len(set(names)) == 31 and s.call("list_datasets")["count"] == 31, names)
	must(all_of("list_datasets", "datasets", lambda d: d["name"], limit=7) == names)
	must(s.call("list_datasets", cursor="999999999")["datasets"] == [])
	must(s.call("query_sql", sql="SELECT count(*) AS n FROM workers")["rows"] == [[200]])
	asked = s.call("query_sql", sql="SELECT id FROM workers ORDER BY id", limit=2, cursor="198")
	must(asked["row_count"] == 200 and len(asked["rows"]) == 2 and "next_cursor" not in asked, asked)
	audited = Session(S, "--audit-log", "sql-rows", "--audit-required")
	must(audited.call("query_sql", sql="SELECT 1 AS n")["rows"] == [[1]])
	must(audited.call("query_sql", sql="SELECT count(*) AS n FROM workers")["rows"] == [[200]])
	must(len(audited.call("query_sql", sql="SELECT candidate_id, name FROM workers LIMIT 2")["rows"]) == 2)
	audited.fails("query_sql", {"sql": "SELECT name FROM workers"}, "the answer shows persons without their candidate_id, and so no row can be written")
	audited.end()
	ns = all_of("pathway_search", "traces", lambda t: t["content"]["n"] if isinstance(t["content"], dict) else t["content"], detail="full")
	must(sorted(ns) == list(range(1, 46)), ns)
	brief = s.call("pathway_search", contains="look at", limit=2)["traces"]
	must(all(t["content"].startswith("[left out: ") for t in brief), brief)
	must(len(all_of("pathway_search", "traces", lambda t: t["uid"], tag="t1", limit=4)) == 23)
	must(s.call("pathway_search", contains="not there")["traces"] == [])
	rows = all_of("audit_report", "rows", lambda r: r["accessor"]["purpose"], id="w-7")
	must(rows == ["look %d" % n for n in range(1, 26)], rows)
	r = s.call("audit_report", id="w-7")
	must(r["chain_verified"] is True and r["rows_in_window"] == 25 and "row_hmac" not in r["rows"][0], r)
	must("row_hmac" in s.call("audit_report", id="w-7", detail="full")["rows"][0])
	# who looked is never left out
	purpose, fields = "long " * 200, ["field_%d" % n for n in range(100)]
	subprocess.run(["lh-subject-audit", "append", "-q", "--sync", "none", "--dir", "long"], check=True, text=True, stdout=subprocess.DEVNULL, input=json.dumps({
	    "candidate_id": "p", "accessor": {"kind": "mcp", "daemon": "d", "purpose": purpose, "trace_id": "t"}, "fields_accessed": fields, "result": "success"}))
	os.makedirs("state/data/_catalog")
	os.rename("long", "state/data/_catalog/subjects")
	long = Session("state")
	row = long.call("audit_report", id="p")["rows"][0]
	must(row["accessor"]["purpose"] == purpose and row["fields_accessed"] == fields, row)
	long.end()
	must(s.call("audit_verify") == {"verified": True, "logs": 1, "rows": 25, "broken": 0})
	m = s.call("get_manifest", name="workers")
	must(m["manifest"]["row_count"] == 200 and m["count"] == len(m["objects"]) == 1, m)
	must(s.read("lh:manifest/workers")["manifest"]["name"] == "workers" and s.read("lh:manifests")["count"] == 31)
	s.call("get_manifest", name="d7", detail="full")
	must("/secret/" not in s.seen, "the folder of a store is shown")
	s.end()
	PY
}

@test "verdicts: drafts, chunks, the way of a sample" {
	drive <<-'PY'
	import os
	from session import *
	S = os.environ["S"]
	s = Session(S)
	good = {"to": "a@example.com", "subject": "Shift", "body": "Tuesday at 7."}
	must(s.call("validate", kind="email", artifact=good) == {"passed": True, "findings": []})
	v = s.call("validate", kind="email", artifact={"to": ""})
	must(v["passed"] is False and v["error"] == {"kind": "Schema", "field": "to", "reason": "missing"}, v)
	v = s.call("validate", kind="fill", artifact={"fills": []}, context={"target_count": 2})
	must(v["passed"] is False and v["error"]["kind"] == "Completeness", v)
	s.fails("validate", {"kind": "fill", "artifact": good, "context": {"target_count": "x"}}, "context.target_count must be a whole number")
	r = s.call("relevance", focus={"path": "src/log.c", "defined_symbols": ["log_open"]}, chunks=[{"text": "see src/log.c", "path": "a.c"}, {"text": "nothing"}])
	must([(c["chunk"], c["kept"]) for c in r["results"]] == [(0, True), (1, False)] and r["kept"] == 1 and r["results"][0]["source"] == "a.c", r)
	for kind in "rag", "sft", "preference":
	    path = [p for p in os.listdir(S + "/exports/" + kind)][0]
	    sample = json.loads(open(S + "/exports/" + kind + "/" + path).readline())
	    t = s.call("trace_record", id=sample["id"])
	    must(t["run"] == "r1" and t["exporter"] == kind and t["sample"]["line"] == 1, t)
	    for side in t["from"]:
	        must(side["source"]["intact"] is True and side["evidence"]["record"]["run_id"] == side["run_id"], side)
	        must("provenance" not in side["evidence"]["record"] and os.path.exists(S + "/" + side["source"]["file"]), side)
	    full = s.call("trace_record", id=sample["id"], detail="full")
	    must(full["sample"]["record"]["provenance"] == sample["provenance"], full)
	s.fails("trace_record", {"id": "rag-0000000000000000"}, "there is no such sample")
	s.end()
	PY
}

@test "wrong arguments are results with isError that name the argument" {
	drive <<-'PY'
	import os
	from session import *
	s = Session(os.environ["S"], "--compat", "--allow-write", "playbook_record")
	whole = '"k" must be a whole number from 1 to 100'
	chunk = [{"text": "a"}]
	for tool, arguments, why in (
	    ("search", {}, 'missing "query_text" (string), "query_vector" or "like"'), ("search", {"query": ""}, '"query" must not be empty'),
	    ("search", {"query": 7}, '"query" must be a string'), ("search", {"query": "a", "k": 0}, whole),
	    ("search", {"query": "a", "k": 101}, whole), ("search", {"query": "a", "k": 1.5}, whole),
	    ("search", {"query": "a", "filter": []}, '"filter" must be an object'),
	    ("search", {"query": "a", "detail": "all"}, '"detail" must be "brief" or "full", not "all"'),
	    ("search", {"query": "a", "where": {}}, 'unknown member "where" (did you mean "filter"?)'),
	    ("search", {"query": "a", "metadata_filter": {}}, 'unknown member "metadata_filter" (did you mean "filter"?)'),
	    ("search", {"query_text": "a"}, 'unknown member "query_text" (did you mean "query"?)'),
	    ("lookup", {"id": "a", "corpsu": "w"}, 'unknown member "corpsu" (did you mean "corpus"?)'),
	    ("search", {"query": "a", "x": 1}, 'unknown member "x"'), ("search", {"query": "a", "corpus": "../w"}, None),
	    ("search", {"query": "a", "corpus": "none"}, 'no corpus is named "none"; known: "odd", "samples", "workers"'),
	    ("search", {"query": "a", "filter": {"stat": "IL"}}, 'no record has the key "stat" (did you mean "status" or "state"?)'),
	    ("search", {"query": "a", "filter": {"or": [{"role": {"not": {"in": ["x"]}}}, {"rol": {"not": 1}}]}}, 'no record has the key "rol" (did you mean "role"?)'),
	    ("lookup", {}, 'missing "id" (string or number)'), ("lookup", {"id": "none"}, "there is no such record in any index"),
	    ("lookup", {"id": "none", "corpus": "workers"}, 'there is no such record in index "workers"'),
	    ("validate", {"kind": "letter", "artifact": {}}, '"kind" must be "fill", "email", "sms" or "playbook", not "letter"'),
	    ("validate", {"kind": "email"}, 'missing "artifact" (object)'),
	    ("list_datasets", {"limit": 101}, '"limit" must be a whole number from 1 to 100'),
	    ("list_datasets", {"cursor": "x"}, '"cursor" must be a cursor of an answer'), ("list_datasets", {"a": 1}, 'unknown member "a"'),
	    ("get_manifest", {}, 'missing "name" (string)'), ("get_manifest", {"name": "none"}, 'there is no dataset "none"'),
	    ("query_sql", {"sql": "SELECT a FROM none"}, None), ("query_sql", {"sql": "ATTACH 'x' AS y"}, None), ("query_sql", {}, 'missing "sql" (string)'),
	    ("pathway_search", {"tag": 7}, '"tag" must be a string'), ("relevance", {"focus": {}}, None),
	    ("relevance", {"focus": {}, "chunks": [{}]}, "missing chunks[0].text (string)"),
	    ("relevance", {"focus": [], "chunks": chunk}, '"focus" must be an object'),
	    ("audit_verify", {"a": 1}, 'unknown member "a"'), ("audit_report", {}, 'missing "id" (string)'),
	    ("trace_record", {"id": "x" * 1025}, '"id" must be at most 1024 bytes'), ("trace_record", {"id": 7}, '"id" must be a string'),
	    ("playbook_record", {"query_text": "q", "answer_id": "w-7", "answer_corpus": "workers", "score": 0}, None),
	    ("playbook_record", {"query_text": "q"}, 'missing "answer_id" (string)'),
	    ("embed_text", {"texts": []}, '"texts" must not be empty'), ("embed_text", {"texts": "a"}, None),
	    ("search_vectors", {"index": "workers", "vector": [1]}, None), ("search_vectors", {"index": "workers"}, None)):
	    s.fails(tool, arguments, why)
	for tool in s.tools:
	    s.fails(tool, [], "arguments must be an object")
	must(s.call("search", query="a", k=1)["count"] == 1)
	s.end()
	PY
}

@test "playbook_record writes what later searches use, and nothing else changes the state" {
	cp -r "$S" w
	find w -type f | sort | xargs sha256sum >before
	drive <<-'PY'
	from session import *
	s = Session("w", "--compat")
	q = "Need 2 Pipefitters in Toledo OH"
	for tool, arguments in (("search", {"query": q}), ("lookup", {"id": "w-7"}), ("list_datasets", {}), ("get_manifest", {"name": "workers"}),
	                        ("pathway_search", {}), ("relevance", {"focus": {}, "chunks": [{"text": "a"}]}), ("audit_verify", {}), ("embed_text", {"texts": ["a"]})):
	    s.call(tool, **arguments)
	s.end()
	PY
	find w -type f | sort | xargs sha256sum | diff before -
	drive <<-'PY'
	from session import *
	s = Session("w", "--allow-write", "playbook_record")
	q = "Need 2 Pipefitters in Toledo OH"
	before = s.call("search", query=q, corpus="workers", role="Pipefitter")["results"]
	far = before[-1]
	r = s.call("playbook_record", query_text=q, answer_id=far["id"], answer_corpus="workers", score=1, role="Pipefitter", tags=["a"])
	must(r["playbook_id"].startswith("pb-"), r)
	first = s.call("search", query=q, corpus="workers", role="Pipefitter")["results"][0]
	must(first["id"] == far["id"] and first["playbook"]["boosted"] is True and first["distance"] < far["distance"], first)
	must("playbook" not in s.call("search", query=q, corpus="workers")["results"][0])
	s.end()
	PY
}

@test "resources are listed and read: indexes, schemas, datasets, the last audit" {
	drive <<-'PY'
	import os
	from session import *
	S = os.environ["S"]
	s = Session(S)
	listed = [r["uri"] for r in s.ask("resources/list")["result"]["resources"]]
	must({"lh:manifests", "lh:audit/last", "lh:index/workers", "lh:index/odd"} <= set(listed), listed)
	must(len([u for u in listed if u.startswith("lh:schema/")]) == 12, listed)
	for uri in listed:
	    must(isinstance(s.read(uri), dict), uri)
	must(s.read("lh:index/workers")["length"] == 200)
	schema = s.read("lh:schema/rag_sample")
	must(schema["required"][0] == "schema_version" and schema["properties"]["tags"]["type"] == "array", schema)
	sample = json.loads(open(S + "/exports/rag/playbooks.jsonl").readline())
	must(set(schema["required"]) <= set(sample) and set(sample) <= set(schema["properties"]), schema)
	must(s.read("lh:audit/last")["report"].startswith("# Full audit"), "report")
	templates = [t["uriTemplate"] for t in s.ask("resources/templates/list")["result"]["resourceTemplates"]]
	must("lh://{corpus}/{id}" in templates, templates)
	for uri in "lh://workers/none", "lh://none/w-7", "lh://../w-7", "lh://workers/", "lh:index/none", "lh:schema/none", "lh:manifest/none", "lh:manifest/" + "a" * 2000, "lh:manifest/%00", "lh:x", "file:///etc/passwd", "":
	    a = s.ask("resources/read", uri=uri)
	    must(a["error"]["code"] == -32602 and a["error"]["data"] == {"uri": uri}, uri, a)
	must(s.ask("resources/list", cursor="x")["error"]["code"] == -32602)
	s.end()
	# a state with nothing in it
	os.mkdir("none")
	s = Session("none")
	listed = [r["uri"] for r in s.ask("resources/list")["result"]["resources"]]
	must(len(listed) == 13 and "lh:audit/last" not in listed, listed)
	must(s.ask("resources/read", uri="lh:audit/last")["error"]["message"] == "there is no audit yet")
	s.fails("search", {"query": "a"})
	# what is there and cannot be read is another error than what is not there
	os.makedirs("none/data/_kb/audit_baselines.jsonl")
	a = s.ask("resources/read", uri="lh:audit/last")
	must(a["error"]["code"] == -32603 and a["error"]["data"] == {"uri": "lh:audit/last"}, a)
	must("lh:audit/last" in [r["uri"] for r in s.ask("resources/list")["result"]["resources"]])
	s.end()
	PY
}

@test "the name of a dataset may hold what JSON and URIs escape" {
	mkdir -p odd/{catalog,store}
	jq -nc '{name: ("ä\"%/" + "\\b" * 300), schema_fingerprint: "f", store: "/x", objects: [{key: "k", size: 1}]}' | tee dataset |
		lh-catalog register -q --catalog odd/catalog >/dev/null
	drive <<-'PY'
	from session import *
	name = json.load(open("dataset"))["name"]
	s = Session("odd")
	for tool, arguments in ("list_datasets", {}), ("get_manifest", {"name": name}):
	    s.call(tool, **arguments)
	    must([l["name"] for l in s.links] == [name], tool, s.links)
	    must(s.links[0]["uri"].startswith("lh:manifest/%C3%A4%22%25%2F%5Cb"), s.links)
	    must(s.read(s.links[0]["uri"])["manifest"]["name"].startswith("ä\"%/"), tool)
	s.end()
	PY
}

@test "more than 100 resources come in parts" {
	mkdir -p many/index
	for n in $(seq 100 249); do cp "$S/index/odd.lhv" "many/index/i$n.lhv"; done
	drive <<-'PY'
	from session import *
	s = Session("many")
	found, more = [], {}
	while True:
	    r = s.ask("resources/list", **more)["result"]
	    found += [e["uri"] for e in r["resources"]]
	    must(len(r["resources"]) <= 100)
	    if "nextCursor" not in r:
	        break
	    more = {"cursor": r["nextCursor"]}
	must(len(found) == len(set(found)) == 163, len(found))
	s.end()
	PY
}

@test "no key and no path of the machine is in an answer, whatever fails" {
	cp -r "$S" w
	rm w/index/odd.lhv
	printf 'no index' >w/index/broken.lhv
	sed -i '2s/look 2/LOOK 2/' w/data/_catalog/subjects/w-7.audit.jsonl
	rm -r w/exports/rag/playbooks.jsonl
	mkdir w/exports/rag/playbooks.jsonl
	LH_OPENAI_API_KEY=sk-secret-1 OPENAI_API_KEY=sk-secret-2 LH_OLLAMA_URL=http://127.0.0.1:1/secret-3 drive "$PWD" <<-'PY'
	import sys
	from session import *
	s = Session(sys.argv[1] + "/w", "--compat")
	s.fails("search", {"query": "a", "corpus": "broken"})
	s.fails("search", {"query": "a"})
	s.fails("lookup", {"id": "x", "corpus": "broken"})
	v = s.call("audit_verify")
	must(v["verified"] is False and v["broken"] == 1 and v["error"], v)
	must(s.call("audit_report", id="w-7")["chain_verified"] is False)
	s.fails("trace_record", {"id": "rag-1"}, "the files of the root cannot be read")
	s.fails("embed_text", {"texts": ["a"], "model": "other"})
	s.read("lh:audit/last")
	s.ask("resources/read", uri="lh:index/broken")
	for secret in sys.argv[1], "sk-secret", "secret-3", "key":
	    must(secret not in s.seen.replace('"key":', "").replace("LH_SUBJECT_AUDIT_KEY", ""), secret, [l for l in s.seen.split("\n") if secret in l])
	s.end()
	PY
}

@test "query_sql gives rows in parts, over HTTP with the route that has it" {
	jq -nc --arg s "$S" '{state: $s, routes: [{route: "POST /v1/sql", run: ["lh-query", "--wire", "--catalog", ($s + "/catalog"), "-q", "--on-error", "emit"]}]}' >config
	start_serve --config config --no-audit-required
	call() {
		curl -sS -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -H 'mcp-protocol-version: 2025-11-25' "$URL/mcp" \
			-d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query_sql","arguments":'"$1"'}}'
	}
	call '{"sql":"SELECT id, text FROM workers ORDER BY id","limit":3,"cursor":"198"}' >got
	[ "$(jq -c '.result.structuredContent | [.row_count, (.rows | length), .next_cursor, (.columns | map(.name))]' got)" = '[200,2,null,["id","text"]]' ] || { cat got; return 1; }
	call '{"sql":"SELECT id FROM workers ORDER BY id","limit":3}' >got
	[ "$(jq -c '.result.structuredContent | [.rows, .next_cursor]' got)" = '[[["w-1"],["w-10"],["w-100"]],"3"]' ]
	call '{"sql":"SELECT nothing"}' >got
	[ "$(jq -c '.result.isError' got)" = true ]
}
