# The console of lh-serve, in headless Chromium; servers/browser.py drives it.
# Plain only: shells, Python and a browser at work; other files run the tools.
# bats file_tags=plain-only,full
load ../helper

# Text that would run, break out of an element or an attribute, or move its
# surroundings; each calls hit(), which the browser counts.
HOSTILE='<img src=x onerror=hit()>"'"'"'></script><script>hit()</script><svg/onload=hit()>javascript:hit()'

setup_file() {
	load ../helper
	export S=$BATS_FILE_TMPDIR/state
	mkdir -p "$S"/{index,playbook,log,data/_catalog/subjects}
	(umask 077; head -c 32 /dev/urandom >"$BATS_FILE_TMPDIR/key")
	export LH_SUBJECT_AUDIT_KEY=$BATS_FILE_TMPDIR/key
	make_workers && make_sessions && make_audits && make_subjects && make_datasets
	(umask 077; printf %s the-legal-token-1 >"$BATS_FILE_TMPDIR/legal")
	jq -nc --arg s "$S" '{routes: [{route: "POST /v1/sql", read: true,
		run: ["lh-query", "--catalog", "\($s)/catalog", "--store", "\($s)/store", "--on-error", "emit"]}]}' >"$BATS_FILE_TMPDIR/sql"
	serve
	SHARED=$SERVER
	export URL SHARED
}

teardown_file() {
	[ -z "${SHARED:-}" ] || kill "$SHARED"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	python3 -B "$ROOT/tests/servers/browser.py" || skip "no chromium"
}

teardown() {
	[ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
}

make_workers() {
	lh-gen workers -n 200 >"$S/roster.jsonl"
	lh-index build -q "$S/index/workers.lhv" "$S/roster.jsonl"
	lh-gen workers -n 60 --seed 9 | lh-index build -q "$S/index/bench.lhv"
	jq -nc --arg h "$HOSTILE" '
		{id: $h, text: "Need a Glassblower", metadata: {name: $h, role: $h, city: "\u202eoiraM\u2066", status: $h, ($h): $h}},
		{id: ("x" * 1000), text: "Need a Glassblower", metadata: {name: ("n" * 100000), role: ("\u0627\u0301" * 500)}},
		{id: "\u202e1-w", text: "Need a Glassblower", metadata: {name: ("a" + "\u0301" * 500), city: ["</li>", {"<b>": 1}]}}' |
		lh-index build -q "$S/index/glass.lhv" -
}

make_sessions() {
	for n in $(seq 30); do
		jq -nc --argjson n "$n" '{session_id: "s-\($n)", kind: "email", model: "m", provider: "p", prompt: "Write to worker \($n).",
			iterations: 2, max_iterations: 3, final_verdict: ["accepted", "max_iter_exhausted", "infra_error"][$n % 3], duration_ms: 5,
			attempts: [{iteration: 0, verdict_kind: "no_json"}, {iteration: 1, verdict_kind: "validation_failed", error: "schema: body: missing \($n)"}]}
			| if .final_verdict == "accepted" then .artifact = {to: "ada@example.com", n: 7} else . end'
	done | sed 's/"n":7}/"n":12345678901234567890}/' | lh-iterate --emit-session >"$S/log/sessions.jsonl"
	jq -nc --arg h "$HOSTILE" '{session_id: $h, kind: "email", model: $h, provider: $h, prompt: ($h + "\u202e" + "p" * 3000),
		iterations: 1, max_iterations: 3, final_verdict: "accepted", duration_ms: 5, artifact: {($h): $h},
		attempts: [{iteration: 0, verdict_kind: "no_json", error: $h}]}' | lh-iterate --emit-session >"$BATS_FILE_TMPDIR/hostile-session"
}

# Three audits: the last but one drifted by half.
make_audits() {
	lh-gen kb -q -n 300 --root "$S"
	lh-distill run --root "$S" >/dev/null 2>&1
	local n
	for n in 1 2 3; do
		lh-audit-full --observer --root "$S" --append-baseline --now "2026-05-0${n}T12:00:00Z" \
			--out "$S/reports/distillation/phase8-full-audit-report.md" >/dev/null
	done
	python3 - "$S/data/_kb/audit_baselines.jsonl" <<-'PY'
	import json, sys
	rows = [json.loads(line) for line in open(sys.argv[1])]
	rows[1]["metrics"]["p3_accepted"] *= 2
	open(sys.argv[1], "w").write("".join(json.dumps(row) + "\n" for row in rows))
	PY
}

make_subjects() {
	local n
	for n in $(seq 230); do
		echo '{"candidate_id":"W/1 ä","accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"look '"$n"'","trace_id":"t-'"$n"'"},"fields_accessed":["name","phone"],"result":"success"}'
	done >"$BATS_FILE_TMPDIR/rows"
	jq -nc --arg h "$HOSTILE" '{candidate_id: $h, accessor: {kind: $h, daemon: ("d" * 100000), purpose: ("\u202e" + $h), trace_id: $h},
		fields_accessed: [$h, "f" * 5000], result: "denied"}' >>"$BATS_FILE_TMPDIR/rows"
	echo '{"candidate_id":"broken","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":[],"result":"success"}' >>"$BATS_FILE_TMPDIR/rows"
	lh-subject-audit append -q --sync none --dir "$S/data/_catalog/subjects" "$BATS_FILE_TMPDIR/rows" >/dev/null
	sed -i 's/"purpose":"p"/"purpose":"q"/' "$S/data/_catalog/subjects/broken.audit.jsonl"
}

make_datasets() {
	seq 300 | jq -c '{n: ., square: (. * .), "#": "x"}' >"$BATS_FILE_TMPDIR/numbers.jsonl"
	jq -nc --arg h "$HOSTILE" '{n: 1, ($h): $h, long: ("l" * 100000)}' >"$BATS_FILE_TMPDIR/hostile.jsonl"
	lh-ingest -q --store "$S/store" --catalog "$S/catalog" --name numbers "$BATS_FILE_TMPDIR/numbers.jsonl" >/dev/null
	lh-ingest -q --store "$S/store" --catalog "$S/catalog" --name hostile "$BATS_FILE_TMPDIR/hostile.jsonl" >/dev/null
}

# serve [OPTION]... - lh-serve over S: SERVER and URL.
serve() {
	local said
	said=$(mktemp "$BATS_FILE_TMPDIR/said.XXXXXX")
	lh-serve --listen 127.0.0.1:0 --state "$S" --config "$BATS_FILE_TMPDIR/sql" --legal-token-file "$BATS_FILE_TMPDIR/legal" "$@" >/dev/null 2>"$said" 3>&- &
	SERVER=$!
	until_so grep -q 'listening on' "$said" || { cat "$said"; return 1; }
	URL=$(sed -n 's/.*listening on //p' "$said")/
}

# drive - run a script in Python: b is the browser, URL the address; panel(NAME) opens a
# panel, count(SELECTOR) counts.  In the end nothing may have run that is not the page's.
drive() {
	{
		cat <<-'PY'
		import json, os, re, subprocess, sys
		from browser import Browser
		URL, S = os.environ["URL"], os.environ["S"]
		PANELS = "search record validate datasets sql sessions audit subject traffic routes".split()
		b = Browser()
		def count(selector):
		    return b.js("document.querySelectorAll(%s).length" % json.dumps(selector))
		def panel(name):
		    b.click("#tab-" + name)
		    b.until("!document.getElementById('%s').hidden" % name)
		def submit(name):
		    b.js("document.getElementById('%s-form').requestSubmit()" % name)
		def status(name, text):
		    b.until("document.getElementById('%s-status').textContent.includes(%s)" % (name, json.dumps(text)))
		def texts(selector):
		    return b.js("[...document.querySelectorAll(%s)].map((e) => e.innerText.trim())" % json.dumps(selector))
		def corpora():
		    b.until("document.querySelector('[name=corpus]')")
		def search(text, corpora_=("workers",), playbook="off", role="", filters="", k="10"):
		    corpora()
		    b.js("document.querySelectorAll('[name=corpus]').forEach((e) => e.checked = %s.includes(e.value))" % json.dumps(corpora_))
		    b.js("document.querySelector('[name=playbook][value=%s]').checked = true" % playbook)
		    for field, value in ("query", text), ("role", role), ("filters", filters), ("k", k):
		        b.js("document.getElementById('search-%s').value = %s" % (field, json.dumps(value)))
		    b.js("document.getElementById('search-status').textContent = ''")
		    submit("search")
		    b.until("/^(With|[0-9])/.test(document.getElementById('search-status').textContent)")
		def route(name):
		    b.until("document.querySelector('#routes-route option')")
		    b.js("""(e => { e.value = [...e.options].find((o) => o.text.startsWith(%s)).value; e.dispatchEvent(new Event("change")); })
		        (document.getElementById('routes-route'))""" % json.dumps(name + ":"))
		def ask(**fields):
		    "Fill in fields of the route, send it, and return the status and the answer."
		    for name, value in fields.items():
		        b.js("document.getElementById(inputs.find((i) => i.name === %s).id).value = %s" % (json.dumps(name), json.dumps(value)))
		    b.js("document.getElementById('routes-status').textContent = ''"); submit("routes")
		    b.until("document.getElementById('routes-status').textContent.match(/^(?!Asking)./)")
		    return b.text("#routes-status"), b.text("#routes-answer")
		def fill():
		    "Fill each panel with the state's data."
		    search("Need 2 Welders in Akron OH", ["workers", "bench"], "both")
		    panel("record")
		    panel("validate"); b.click("#validate-example"); submit("validate"); status("validate", "The draft")
		    panel("datasets"); b.until("document.querySelector('#datasets-list button')")
		    b.js("document.querySelectorAll('#datasets-list details').forEach((e) => e.open = true)")
		    b.click("#datasets-list tr:last-child button"); submit("sql"); status("sql", "20 rows")
		    panel("routes"); route("GET /v1/catalog/list"); ask(); route("POST /v1/matrix/search")
		    panel("sessions"); b.until("document.querySelector('.session')")
		    b.js("document.querySelectorAll('.session').forEach((e, i) => e.open = i < 3)")
		    panel("audit"); b.until("document.querySelector('#audit-drift table')")
		    panel("subject"); b.type("#subject-id", "W/1 ä"); b.type("#subject-token", "the-legal-token-1"); submit("subject"); status("subject", "in the window")
		    panel("traffic"); b.until("document.querySelector('#traffic-table td')")
		PY
		cat
		echo 'b.clean()'
	} >script.py
	PYTHONPATH=$ROOT/tests/servers patiently python3 -B script.py
}

# bats test_tags=full
@test "the three files are served with a strict policy, and name nothing elsewhere" {
	for path in '' console.css console.js; do
		curl -sSi "$URL$path" >got
		has -F "HTTP/1.1 200" <got
		has -iF "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" <got
		run ! grep -E 'https?://|@import|url\(|innerHTML|outerHTML|insertAdjacent|eval\(|document\.write|localStorage|sessionStorage|cookie' \
			<(grep -v 'createElementNS\|www.w3.org/2000/svg' got)
	done
	curl -sSI "$URL" | has -i '^content-type: text/html; charset=utf-8'
	run ! grep -E '<script>|style=| on[a-z]+=' <(curl -sS "$URL")
}

@test "a search lists the corpora, and shows what lh-search finds, with filters" {
	q='Need 3 Forklift Operators in Chicago IL'
	lh-search -k 5 -Q "$q" "$S"/index/{bench,workers}.lhv | jq -c .results >hits
	jq -c 'map([.id, .metadata.name])' hits >want
	lh-search -k 7 --where status=placed --where status=inactive -Q "$q" "$S/index/workers.lhv" | jq -c '[.results[].id]' >want-filtered
	Q=$q drive <<-'PY'
	b.open(URL)
	corpora()
	assert [t.split("\n") for t in texts("#search-corpora label")] == [["bench", "60 records × 768 values"], ["glass", "3 records × 768 values"],
	    ["workers", "200 records × 768 values"]]
	search(os.environ["Q"], ["workers", "bench"], k="5")
	got = [[t.split()[-1], " ".join(t.split()[:-1])] for t in texts(".hit > :nth-child(2)")]
	assert got == json.load(open("want")), got
	want = {c: sum(hit["corpus"] == c for hit in json.load(open("hits"))) for c in ("bench", "workers")}
	assert b.text("#search-status") == "5 results (%s)" % ", ".join("%d of %s" % (n, c) for c, n in want.items() if n), b.text("#search-status")
	assert b.text("#search-scale") == "The number at the right is the distance; smaller is nearer. " \
	    "bench, workers: 1 − cosine: 0 is the same direction, 1 unrelated, 2 opposite.", b.text("#search-scale")
	search(os.environ["Q"], ["workers"], k="7", filters="status=placed\n\n status = inactive")
	assert texts(".hit .id") == json.load(open("want-filtered")), texts(".hit .id")
	assert "dropped by the filters" in b.text("#search-status")
	b.type("#search-filters", "nonsense"); submit("search"); status("search", "not key=value")
	b.type("#search-filters", ""); b.type("#search-k", "2.5"); submit("search"); status("search", "Results: not a whole number from 1 to 1000")
	b.type("#search-k", "3"); b.js("document.querySelectorAll('[name=corpus]').forEach((e) => e.checked = false)")
	submit("search"); status("search", "none chosen")
	PY
}

# things_server - one over products and tickets, without a key, a configuration and a playbook.
things_server() {
	mkdir -p own/index
	export S=$PWD/own
	for n in $(seq 12); do
		echo '{"id":"P-'"$n"'","text":"Kettle '"$n"'. Boils water in minutes.","metadata":{"title":"Kettle '"$n"'","maker":"Brio","price":'"$n"'.5,"about":"Boils wäter in minutes."}}'
	done | lh-index build -q own/index/products.lhv -
	for n in $(seq 12); do
		echo '{"id":"T-'"$n"'","text":"Parcel damaged","metadata":{"town":"Gent","about":"Parcel damaged"}}'
	done | lh-index build -q own/index/tickets.lhv -
	LH_SUBJECT_AUDIT_KEY='' lh-serve --listen 127.0.0.1:0 --state own >/dev/null 2>said 3>&- &
	SERVER=$!
	until_so grep -q 'listening on' said
	URL=$(sed -n 's/.*listening on //p' said)/
	export URL
}

# bats test_tags=full
@test "a search shows each hit once, with what lh-show shows and the words of the query marked; its first is on the screen of a telephone" {
	things_server
	lh-search -k 3 -Q 'boiling water' own/index/products.lhv | lh-show --table --width 0 | sed -n 1p >heads
	drive <<-'PY'
	b.open(URL, width=390, height=844)
	search("boiling water", ["products", "tickets"], "both", k="3")
	assert count(".hit") == 3 and b.text("#search-status") == "3 results (3 of products)", b.text("#search-status")
	assert not b.js("['filters', 'role', 'k'].some((f) => document.getElementById('search-' + f).checkVisibility())")
	assert b.js("document.querySelector('.hit').getBoundingClientRect().bottom") < 600
	assert texts(".hit:first-child mark") == ["Boils", "wäter"], texts(".hit:first-child mark")
	names = ["title"] + texts(".hit:first-child .facts > span > .dim")
	assert names == open("heads").read().split()[4:], names
	b.click("#search-more summary"); b.type("#search-filters", "twon=Gent"); submit("search")
	status("search", '400: no record has the key "twon" (did you mean "town"?)')
	b.type("#search-filters", "nonsense"); b.click("#search-more summary"); submit("search"); status("search", "not key=value")
	assert b.js("document.activeElement.id") == "search-filters"
	b.js("""show_search([{ query: { query_text: "x", corpora: ["tickets"], words: new Set() }, use: false, results: [], unmatched_filter: { town: ["Gent"], maker: [] } }])""")
	assert b.text("#search-status") == "0 results, no record has this town (did you mean Gent?), no record has this maker", b.text("#search-status")
	# the same kinds of records as lh-show has
	rows = re.findall(r'{ "([^"]*)",\s*((?:WORKER_ID )?(?:"[^"]*"\s*)+)}', open(os.environ["ROOT"] + "/tools/lh-show/view.c").read())
	rows = {tells: "".join(re.findall('"([^"]*)"', names)).removeprefix("candidate_id ") for tells, names in rows}
	for tells, names in b.js("kinds.map((k) => k.map((names) => names.join(' ')))"):
	    assert rows[tells] == names, (tells, rows)
	PY
}

# bats test_tags=full
@test "what is off says how to turn it on in place of its form, and no panel is without a word" {
	things_server
	drive <<-'PY'
	b.open(URL)
	corpora()
	for name, words in ("sql", "SQL is off: "), ("subject", "No key: LH_SUBJECT_AUDIT_KEY is not set; "):
	    panel(name); status(name, words); status(name, "turn"); status(name, "lh-serve(1)")
	    assert not b.js("document.getElementById('%s-form').checkVisibility()" % name)
	panel("routes"); route("POST /v1/sql")
	assert "SQL is off" in b.text("#routes-fields") and not b.js("document.querySelector('#routes .actions').checkVisibility()")
	route("POST /v1/matrix/search")
	assert b.js("document.querySelector('#routes .actions').checkVisibility()")
	for name, words in ("datasets", "lh-ingest"), ("sessions", "lh-iterate"), ("audit", "lh-audit-full"):
	    panel(name); status(name, words)
	places = lambda: b.js("tabs.map((t) => [t.getBoundingClientRect().x, t.getBoundingClientRect().width])")
	for name in PANELS:
	    was = places(); panel(name)
	    assert places() == was, (name, was, places())
	    assert b.js("document.querySelector('#%s > .help').innerText.length > 20" % name), name
	b.until("document.querySelector('#traffic-table td')")
	for width in 390, 1280:
	    b.size(width)
	    rows = b.js("[...document.querySelectorAll('#traffic-cards .card')].map((c) => c.getBoundingClientRect().y)")
	    assert len({rows.count(y) for y in rows}) == 1, rows
	PY
}

# bats test_tags=full
@test "a recorded answer boosts the same search, or is injected, and another role sees neither" {
	drive <<-'PY'
	import hashlib
	q = "Need 2 Pipefitters in Toledo OH"
	b.open(URL)
	search(q, ["workers"], "both", role="Pipefitter")
	ids = texts("[data-playbook=off] .hit .id")
	assert len(ids) == 10 and count("[data-playbook=on]") == 0 and not b.js("document.getElementById('search-role').checkVisibility()")
	assert count(".touched") == 0
	want = "pb-" + hashlib.sha256(("%s|%s|workers" % (q, ids[4])).encode()).hexdigest()[:16]
	b.click("[data-playbook=off] .hit:nth-child(5) button")
	b.until("document.activeElement.id === 'record-score'")
	b.key("Enter")
	status("record", "Recorded as " + want)
	assert ids[4] in b.text("#record-list")
	far = next(json.loads(line)["id"] for line in open(S + "/roster.jsonl") if json.loads(line)["id"] not in ids)
	b.type("#record-id", far); b.type("#record-score", "0.5"); b.type("#record-tags", "a, b"); submit("record")
	b.until("document.querySelectorAll('#record-list li').length === 2")
	panel("search"); search(q, ["workers"], "both", role="Pipefitters")
	got = dict(zip(texts("[data-playbook=on] .touched .id:not(.facts *)"), texts("[data-playbook=on] .touched .facts")))
	assert set(got) == {ids[4], far}, got
	assert "boosted" in got[ids[4]] and want in got[ids[4]] and "was 0." in got[ids[4]] and "▲ up" in got[ids[4]], got
	assert "injected" in got[far] and "not in the other list" in got[far], got
	now = texts("[data-playbook=on] .hit > :nth-child(2) .id")
	moved = {id: (str(ids.index(id) + 1), str(i + 1)) for i, id in enumerate(now) if id in ids and ids.index(id) != i}
	facts = dict(zip(now, texts("[data-playbook=on] .hit .facts")))
	assert len(moved) > 3 and {id: m.groups() for id, m in ((id, re.search(r"from ([0-9]+) to ([0-9]+)", f)) for id, f in facts.items()) if m} == moved, facts
	assert ", %d moved" % (len(moved) + 1) in b.text("#search-status"), b.text("#search-status")
	assert "1 boosted, 1 injected" in b.text("#search-status"), b.text("#search-status")
	assert texts("[data-playbook=off] .hit .id") == ids
	search(q, ["workers"], "on", role="Nurse")
	assert count(".touched") == 0 and count(".hit") == 10 and count("[data-playbook=off]") == 0
	for wrong in "0", "1.1", "", "x":
	    panel("record"); b.type("#record-score", wrong); submit("record"); status("record", "Score")
	assert count("#record-list li") == 2
	PY
}

# bats test_tags=full
@test "a draft gets its verdict: passed, passed with findings, failed, or not judged" {
	drive <<-'PY'
	b.open(URL)
	worker = next(w for w in map(json.loads, open(S + "/roster.jsonl")) if w["status"] == "active" and not w["blacklisted_clients"])
	panel("validate")
	def judge(kind, artifact, context, wait):
	    b.js("document.getElementById('validate-kind').value = %s" % json.dumps(kind))
	    for field, value in ("artifact", artifact), ("context", context):
	        b.js("document.getElementById('validate-%s').value = %s" % (field, json.dumps(value if isinstance(value, str) else json.dumps(value, indent=1))))
	    submit("validate"); status("validate", wait)
	fills = {"fills": [{"candidate_id": worker["id"], "name": worker["name"]}]}
	contract = {"target_count": 1, "city": worker["city"], "state": worker["state"], "role": worker["role"]}
	judge("fill", fills, contract, "passes with no findings")
	assert "May be sent" in b.text(".verdict.good")
	fills["fills"][0]["name"] = "Some Body"
	judge("fill", fills, contract, "passes with 1 finding")
	assert texts("#validate-verdict td")[0] == "warning" and "'Some Body' differs" in texts("#validate-verdict td")[2]
	contract["target_count"] = 2
	judge("fill", fills, contract, "fails: Completeness")
	assert "endorsed count (1) != target_count (2)" in b.text(".verdict.bad"), b.text(".verdict.bad")
	judge("email", {"to": ""}, "", "fails: Schema")
	assert texts(".verdict dd") == ["to", "missing"], texts(".verdict dd")
	judge("email", {"to": "a", "body": "b"}, [], "400: context must be an object")
	assert count(".verdict") == 0
	b.requests.clear()
	judge("email", "{", "", "Artifact (JSON): ")
	judge("email", "{}", '{"a":1},"kind":"sms"', "Context (JSON), optional: ")
	assert not [r for r in b.requests if r["method"] == "POST"]
	judge("fill", '{"fills":[],"score":0.930,"n":12345678901234567890}', "", "The draft")
	assert [r["postData"] for r in b.requests if r["method"] == "POST"] == ['{"kind":"fill","artifact":{"fills":[],"score":0.930,"n":12345678901234567890}}']
	for kind in "fill", "email", "sms", "playbook":
	    b.js("document.getElementById('validate-kind').value = '%s'" % kind)
	    b.click("#validate-example"); submit("validate"); status("validate", "The draft")
	PY
}

# bats test_tags=full
@test "datasets are listed with their manifests, and SQL over them has rows, 200 at first" {
	drive <<-'PY'
	b.open(URL + "#datasets")
	b.until("document.querySelector('#datasets-list button')")
	rows = b.js("[...document.querySelectorAll('#datasets-list tbody tr')].map((r) => [...r.cells].slice(0, 3).map((c) => c.innerText.trim()))")
	assert rows == [["hostile", "1", "1"], ["numbers", "300", "1"]], rows
	b.js("document.querySelectorAll('#datasets-list details').forEach((e) => e.open = true)")
	assert "datasets/numbers/" in b.text("#datasets-list"), b.text("#datasets-list")
	b.click("#datasets-list tr:last-child button")
	assert b.js("document.getElementById('sql-text').value") == 'SELECT * FROM "numbers" LIMIT 20'
	submit("sql"); status("sql", "20 rows")
	assert texts("#sql-rows th") == ["n", "square", "#"] and texts("#sql-rows tr:last-child td") == ["20", "400", "x"], texts("#sql-rows th")
	b.type("#sql-text", "SELECT n FROM numbers ORDER BY n"); submit("sql"); status("sql", "300 rows")
	assert count("#sql-rows tbody tr") == 200
	b.click("#sql-rows button")
	b.until("document.querySelectorAll('#sql-rows tbody tr').length === 300")
	b.type("#sql-text", "SELECT"); submit("sql"); status("sql", "400: ")
	assert count("#sql-rows *") == 0
	b.type("#sql-text", ""); submit("sql"); status("sql", "Statement: nothing given")
	PY
}

# bats test_tags=full
@test "any route can be asked by a form that is made from /openapi.json" {
	drive <<-'PY'
	b.open(URL + "#routes")
	route("GET /v1/vectors/index/{name}")
	assert ask()[0] == "name: nothing given"
	got, text = ask(name="bench")
	assert got.startswith("200, ") and json.loads(text)["length"] == 60, (got, text)
	assert ask(name="..")[0] == "name: not a name"
	assert ask(name="a/b?c#d")[0].startswith("4"), b.text("#routes-status")
	assert b.requests[-1]["url"] == URL + "v1/vectors/index/a%2Fb%3Fc%23d", b.requests[-1]
	assert b.js("getComputedStyle(document.getElementById('routes-status')).borderLeftStyle") == "solid"
	route("GET /v1/catalog/list")
	assert count("#routes-fields *") == 0
	got, text = ask()
	assert got.startswith("200, ") and "numbers" in text, (got, text)
	# the kinds of fields, and what is sent of them
	b.js("""routes.push(route_of("POST", "/v1/catalog/list", { parameters: [{ name: "q", in: "query" },
	    { name: "by", in: "query", schema: { type: ["string", "null"], enum: ["endpoint", null], description: "what is counted" } }], requestBody: { content: { "application/json": {
	    schema: { required: ["t"], properties: { t: { type: "string" }, n: { type: ["integer", "null"], default: 10 }, b: { type: ["boolean", "null"] },
	        c: { type: "string", enum: ["x", "y", null] }, s: { type: ["array", "null"], items: { type: "string" } }, o: { type: "object" },
	        v: { type: ["string", "array"] }, any: {}, q: {}, u: { description: "Another name of v." } } } } } } }))
	    && $("routes-route").append(el("option", { value: routes.length - 1 }, "POST mine:"))""")
	route("POST mine")
	labels = ["q, optional", "by, optional", "t", "n, optional", "b, optional", "c, optional", "s (one a line), optional", "o (JSON), optional", "v, optional", "any, optional"]
	assert texts("#routes-fields label") == labels, texts("#routes-fields label")
	assert b.js("[...document.querySelectorAll('#routes-fields select')].map((e) => [...e.options].map((o) => o.value))") == [["", "endpoint"], ["", "true", "false"], ["", "x", "y"]]
	assert texts("#routes-fields .help") == ["what is counted"]
	assert ask()[0] == "t: nothing given"
	assert ask(t="7", n="x")[0] == "n, optional: not a number"
	assert ask(n="12345678901234567890", o="{")[0].startswith("o (JSON), optional: ")
	b.requests.clear()
	ask(q="a b", by="endpoint", b="true", c="y", s="one\n two ", o='{"a":0.10}', v="[1,2]", any="x")
	assert b.requests[0]["url"].endswith("/v1/catalog/list?q=a+b&by=endpoint"), b.requests
	assert b.requests[0]["postData"] == '{"t":"7","n":12345678901234567890,"b":true,"c":"y","s":["one","two"],"o":{"a":0.10},"v":[1,2],"any":"x"}', b.requests[0]
	PY
}

# bats test_tags=full
@test "the last sessions are listed, newest first, with their turns and artifacts" {
	drive <<-'PY'
	b.open(URL + "#sessions")
	b.until("document.querySelectorAll('.session').length === 20")
	assert texts(".session .prompt") == ["Write to worker %d." % n for n in range(30, 10, -1)], texts(".session .prompt")
	assert "20 sessions, 7 accepted" in b.text("#sessions-status"), b.text("#sessions-status")
	assert texts("summary .tag")[:3] == ["accepted", "infra_error", "max_iter_exhausted"], texts("summary .tag")
	b.js("document.querySelector('.session').open = true")
	body = b.text(".session[open] .body")
	for part in "s-30", "Write to worker 30.", "no_json", "schema: body: missing 30", "ada@example.com", "12345678901234567890":
	    assert part in body, (part, body)
	b.js("document.getElementById('sessions-limit').value = '50'"); submit("sessions")
	b.until("document.querySelectorAll('.session').length === 30")
	PY
}

# bats test_tags=full
@test "the audit has a chart of each metric, the drift that lh-audit-full finds, and its report" {
	lh-audit-full drift --root "$S" >drift
	drive <<-'PY'
	b.open(URL + "#audit")
	b.until("document.querySelector('#audit-drift table')")
	want = [re.split(r" {2,}", line.strip()) for line in open("drift").read().splitlines()[1:-1]]
	rows = b.js("[...document.querySelectorAll('#audit-drift tbody tr')].map((r) => [...r.cells].map((c) => c.innerText.trim()))")
	assert rows == want and ["-50.0%", "warn"] in [row[3:] for row in rows], (rows, want)
	assert "3 audits, the newest at 2026-05-03 12:00:00; 1 metric drifted" in b.text("#audit-status")
	assert count("#audit-charts .card svg polyline") == 10
	points = b.js("""[...document.querySelectorAll('#audit-charts .card')].find((c) => c.innerText.includes('Scored: accepted'))
	    .querySelector('polyline').getAttribute('points').split(' ').map((p) => p.split(',').map(Number))""")
	assert [x for x, y in points] == [0, 150, 300] and points[0][1] == points[2][1] > points[1][1], points
	assert b.text("#audit-verdict").startswith("Full audit: sound"), b.text("#audit-verdict")
	assert "recon document present" in b.text("#audit-report") and count("#audit-report .tag.good") >= 12
	assert "\\" not in b.text("#audit-report")
	PY
}

# bats test_tags=full
@test "the page of a subject: its accesses, the state of its chain, and why it was refused" {
	serve --no-audit-required	# no row can be put after a broken one
	export URL
	drive <<-'PY'
	b.open(URL + "#subject")
	def report(id, legal, wait):
	    b.type("#subject-id", id); b.type("#subject-token", legal); submit("subject"); status("subject", wait)
	report("W/1 ä", "", "401: ")
	report("W/1 ä", "the-wrong-token-1", "401: ")
	assert not b.js("document.getElementById('ask').open")
	report("W/1 ä", "the-legal-token-1", "230 accesses")
	assert "The chain is intact" in b.text(".verdict.good")
	assert texts("#subject-report tbody tr td:nth-child(3)")[0] == "look 230 t-230"
	assert count("#subject-report tbody tr") == 200
	b.click("#subject-report button")
	b.until("document.querySelectorAll('#subject-report tbody tr').length === 230")
	sent = [r for r in b.requests if "/v1/audit/subject/" in r["url"]]
	assert sent[-1]["url"].endswith("/v1/audit/subject/W%2F1%20%C3%A4") and "the-legal-token-1" not in json.dumps([r["url"] for r in b.requests])
	report("broken", "the-legal-token-1", "1 access in")
	assert "not intact: row 0: row_hmac mismatch" in b.text(".verdict.bad"), b.text(".verdict.bad")
	report("nobody", "the-legal-token-1", "404: ")
	assert count("#subject-report *") == 0
	b.type("#subject-from", "yesterday"); report("broken", "the-legal-token-1", "400: ")
	for id in "..", ".":
	    report(id, "the-legal-token-1", "Subject: not an id")
	b.click("#forget")
	assert b.js("document.getElementById('subject-token').value") == ""
	PY
}

# person_server - one over a copy of S that has the routes of lh-subject, with a person of a hostile id.
person_server() {
	cp -r "$S" own
	S=$PWD/own
	jq -nc --arg h "$HOSTILE" '{candidate_id: $h, name: ($h + "\u202e"), note: ("n" * 100000)}' >>own/roster.jsonl
	jq -nc --arg s "$S" '{routes: [("find", "export", "erase") as $op | {route: "POST /v1/subject/{id}/\($op)", members: {op: $op},
		run: ["lh-subject", "requests", "--state", $s, "-q", "--on-error", "emit"]}]}' >config
	serve --config config
	export URL HOSTILE S
}

# bats test_tags=full
@test "the page of a person: what is held, its files, the plan; who may not ask is shown nothing, and each look is a row" {
	person_server
	export LOG=$S/data/_catalog/subjects/w-7.audit.jsonl
	find own -type f -not -path '*subjects*' -not -path '*.lh-trace*' -exec sha256sum {} + | sort >before
	drive <<-'PY'
	b.open(URL + "#subject")
	b.until("!document.getElementById('subject-erase').hidden")
	def press(op, legal, wait, id="w-7", also=""):
	    b.js("document.getElementById('subject-also').value = %s" % json.dumps(also))
	    b.js("document.getElementById('subject-id').value = %s" % json.dumps(id))
	    b.type("#subject-token", legal); b.click("#subject-" + op); status("subject", wait)
	for op in "find", "export", "erase":
	    for legal in "", "the-wrong-token-1":
	        press(op, legal, "401: ")
	        assert count("#subject-report *") == 0
	assert not os.path.exists(os.environ["LOG"])
	worker = json.loads(next(l for l in open(S + "/roster.jsonl") if '"w-7"' in l))
	press("find", "the-legal-token-1", "rows found.")
	rows = b.js("[...document.querySelectorAll('#subject-report tbody tr')].map((r) => [...r.cells].map((c) => c.innerText.trim()))")
	assert ["roster", S + "/roster.jsonl", "7", "id"] in [r[:4] for r in rows] and ["index", S + "/index/workers.lhv", "w-7", "id"] in [r[:4] for r in rows], rows
	press("export", "the-legal-token-1", "The files are ready: ")
	links = b.js("[...document.querySelectorAll('#subject-report a')].map((a) => [a.download, a.href.slice(0, 5)])")
	assert ["contents.jsonl", "blob:"] in links and ["data-0004-roster-roster.jsonl", "blob:"] in links, links
	cards = b.js("[...document.querySelectorAll('#subject-report .card')].map((c) => Object.fromEntries([...c.querySelectorAll('dt')].map((t) => [t.innerText, t.nextSibling.innerText])))")
	assert [c["vector"] for c in cards if "vector" in c] == ["768 numbers"] * 2 and worker["name"] in [c.get("metadata.name") for c in cards], cards
	assert [c["skills"] for c in cards if "skills" in c] == [", ".join(worker["skills"])], cards
	press("erase", "the-legal-token-1", "State: planned. Nothing was changed.", also=worker["name"])
	plan = b.js("[...document.querySelectorAll('#subject-report tbody tr')].map((r) => [r.cells[0].innerText.trim(), r.cells[1].innerText.trim()])")
	assert ["remove", "roster"] in plan and ["erase", "index"] in plan, plan
	looks = [json.loads(l)["accessor"]["purpose"] for l in open(os.environ["LOG"])]
	assert looks == ["subject_find", "subject_export", "subject_erase"], looks
	# the report is asked for by its button alone, and by Enter
	press("find", "the-legal-token-1", "rows found.")
	b.js("document.getElementById('subject-id').focus()"); b.key("Enter"); status("subject", "in the window")
	for _ in range(20):
	    b.key("Tab")
	    if b.js("document.activeElement.id") == "subject-find": break
	b.key("Enter"); status("subject", "rows found.")
	assert "the-legal-token-1" not in json.dumps([r["url"] for r in b.requests])
	PY
	find own -type f -not -path '*subjects*' -not -path '*.lh-trace*' -exec sha256sum {} + | sort | alike before -
	[ ! -e $S/data/_catalog/subjects/_erasures ]
}

# bats test_tags=full
@test "the page of a person whose id, name and paths are hostile shows text" {
	person_server
	jq -nc --arg h "$HOSTILE" '{candidate_id: $h, ($h): $h}' >"$S/log/<img src=x onerror=hit()>.jsonl"
	drive <<-'PY'
	H = os.environ["HOSTILE"]
	b.open(URL + "#subject", width=360)
	b.until("!document.getElementById('subject-erase').hidden")
	b.js("document.getElementById('subject-id').value = %s" % json.dumps(H)); b.type("#subject-token", "the-legal-token-1")
	b.js("document.getElementById('subject-also').value = %s" % json.dumps(H))
	for op, wait in ("find", "found"), ("erase", "State: planned"):
	    b.click("#subject-" + op); status("subject", wait)
	    assert "<img src=x onerror=hit()>.jsonl" in b.text("#subject-report"), b.text("#subject-report")
	    assert b.wide() == [], (op, b.wide())
	    assert count("main img, main script:not([src]), main a, main iframe, main svg[onload], main b > b") == 0, op
	    assert not b.js("document.getElementById('main').innerText.match(/[\\u202a-\\u202e\\u2066-\\u2069]/)")
	PY
}

# bats test_tags=full
@test "without the routes of lh-subject the page of a subject has no buttons for them" {
	drive <<-'PY'
	b.open(URL + "#subject")
	b.until("document.querySelector('#subject-form')")
	status("subject", "There is the report alone; persons' data: no configuration has this route; ")
	panel("routes"); b.until("document.querySelector('#routes-route option')")
	panel("subject")
	assert b.js("['find', 'export', 'erase', 'person'].map((x) => document.getElementById('subject-' + x).checkVisibility())") == [False] * 4
	b.js("load_person_routes()")
	assert b.js("['find', 'export', 'erase', 'person'].map((x) => document.getElementById('subject-' + x).checkVisibility())") == [False] * 4
	PY
}

# bats test_tags=full
@test "traffic: rates, quantiles and totals are those of /metrics" {
	drive <<-'PY'
	b.open(URL + "#traffic")
	b.until("document.querySelector('#traffic-table td')")
	for _ in range(7):
	    b.js("fetch('v1/matrix/corpora').then((a) => a.text())")
	def row(route):
	    return b.js("[...[...document.querySelectorAll('#traffic-table tbody tr')].find((r) => r.cells[0].innerText === %s)?.cells ?? []].map((c) => c.innerText)" % json.dumps(route))
	text = subprocess.run(["curl", "-sS", URL + "metrics"], stdout=subprocess.PIPE, check=True, text=True).stdout
	total = sum(int(n) for n in re.findall(r'lh_serve_requests_total\{[^}]*route="GET /v1/matrix/corpora"[^}]*\} (\d+)', text))
	assert total >= 8
	b.until("[...document.querySelectorAll('#traffic-table tbody tr')].some((r) => r.cells[0].innerText === 'GET /v1/matrix/corpora' && r.cells[7].innerText === '%d')" % total)
	assert row("GET /v1/matrix/corpora")[3].endswith("s"), row("GET /v1/matrix/corpora")
	b.js("fetch('v1/matrix/search', { method: 'POST', body: '[]' }).then((a) => a.text())")
	b.until("[...document.querySelectorAll('#traffic-table tbody tr')].some((r) => r.cells[0].innerText === 'POST /v1/matrix/search' && r.cells[5].innerText !== '0')")
	assert row("POST /v1/matrix/search")[6] == "0", row("POST /v1/matrix/search")
	assert b.js("""(() => { const s = take_snapshot(`lh_serve_requests_total{code="404",route="a"} 2\\nlh_serve_requests_total{code="503",route="a"} 3\\n`);
	    const all = add_up([between(null, s, "a")]); return [all.refused, all.failed, all.total]; })()""") == [2, 3, 5]
	b.until("document.querySelector('#traffic-cards polyline').getAttribute('points').split(' ').length >= 2")
	b.click("#traffic-pause")
	assert b.js("document.getElementById('traffic-pause').getAttribute('aria-pressed')") == "true" and b.js("watching()") is False
	# the quantiles of a histogram, as Prometheus computes them
	for q, want in (.5, .0025), (.95, .04), (1, .05), (.1, .0005):
	    got = b.js("quantile(new Map([[Infinity, 20], [.005, 15], [.001, 4], [.05, 20]]), %g)" % q)
	    edges = [(0, 0), (.001, 4), (.005, 15), (.05, 20)]
	    at = next(i for i in range(1, 4) if edges[i][1] >= q * 20)
	    (low, below), (le, n) = edges[at - 1], edges[at]
	    assert abs(got - (low + (le - low) * (q * 20 - below) / (n - below))) < 1e-12, (q, got)
	assert b.js("quantile(new Map([[.001, 0], [Infinity, 0]]), .5)") is None
	assert b.js("quantile(new Map([[.001, 0], [Infinity, 3]]), .5)") == .001
	# a server that was started anew counts from 0
	assert b.js("""(() => { const s = (n) => take_snapshot(`lh_serve_requests_total{code="200",route="a}\\\\"{"} ${n}\\n`);
	    const name = 'a}"{'; return [between(s(5), s(9), name).total, between(s(9), s(5), name).total, between(null, s(5), name).total]; })()""") == [4, 5, 5]
	PY
}

@test "the token is asked for once, after a 401, and stays in memory" {
	printf %s the-bearer-token-1 >token
	chmod 600 token
	serve --token-file token
	export URL
	drive <<-'PY'
	b.open(URL)
	b.until("document.getElementById('ask').open && document.activeElement.id === 'ask-token'")
	b.insert("has blanks"); b.key("Enter")
	b.until("document.getElementById('ask-why').textContent.includes('visible ASCII')")
	b.type("#ask-token", "the-wrong-token-1"); b.key("Enter")
	b.until("document.getElementById('ask-why').textContent.includes('refused')")
	b.type("#ask-token", "the-bearer-token-1"); b.key("Enter")
	corpora()
	for name in PANELS:
	    panel(name)
	b.until("document.querySelector('#traffic-table td') && document.querySelector('.session') && document.querySelector('#audit-drift table')")
	assert not b.js("document.getElementById('ask').open")
	assert b.js("[localStorage.length, sessionStorage.length, document.cookie, document.getElementById('ask-token').value]") == [0, 0, "", ""]
	assert "the-bearer-token-1" not in b.js("document.documentElement.outerHTML + location.href + JSON.stringify(history.state)")
	assert not [r["url"] for r in b.requests if "token" in r["url"]]
	assert [r for r in b.requests if r["headers"].get("Authorization") == "Bearer the-bearer-token-1"]
	panel("sessions"); b.click("#forget"); submit("sessions")	# that of traffic asks by itself
	b.until("document.getElementById('ask').open")
	b.key("Escape")
	status("sessions", "401: no token was given")
	panel("search")
	b.call("Page.reload")
	b.until("document.getElementById('ask')?.open")
	b.click("#ask-cancel")
	b.until("!document.getElementById('search-corpora-again').hidden")
	PY
}

# bats test_tags=full
@test "below a prefix the page asks the routes below it" {
	serve --mount /_go
	export URL
	drive <<-'PY'
	b.open(URL + "_go/")
	for name in PANELS:
	    panel(name)
	corpora()
	b.until("document.querySelector('#traffic-table td') && document.querySelector('.session') && document.querySelector('#audit-drift table')")
	asked = [r["url"] for r in b.requests if r["url"].startswith("http")]
	assert len(asked) >= 7 and all(url.startswith(URL + "_go/") for url in asked), asked
	PY
}

# bats test_tags=full
@test "a route's error is shown, and so is a server that is gone" {
	cp -r "$S" own
	S=$PWD/own serve
	export URL SERVER
	rm own/index/bench.lhv
	mv own/index/glass.lhv own/index/other.lhv
	cp "$S/index/glass.lhv" own/index/glass.lhv
	drive <<-'PY'
	import signal
	b.open(URL)
	corpora()
	b.js("document.querySelectorAll('[name=corpus]').forEach((e) => e.value = 'away')")
	b.type("#search-query", "x"); submit("search"); status("search", "404: no corpus is named")
	assert b.js("getComputedStyle(document.getElementById('search-status')).borderLeftStyle") == "solid"
	assert b.js("document.getElementById('search-status').getAttribute('role')") == "alert"
	panel("record")
	for field, value in ("query", "q"), ("id", "i"), ("corpus", "c"), ("playbook", "../x"):
	    b.type("#record-" + field, value)
	submit("record"); status("record", "400: ")
	os.kill(int(os.environ["SERVER"]), signal.SIGKILL)
	submit("record"); status("record", "the server cannot be reached")
	PY
}

@test "hostile names, ids and reasons are text: nothing runs, hides or sticks out" {
	cp -r "$S" own
	cat "$BATS_FILE_TMPDIR/hostile-session" >>own/log/sessions.jsonl
	jq -nc --arg h "$HOSTILE" '{recorded_at: $h, metrics: {($h): 1, "__proto__": 2, "constructor": 3, ("m" * 5000): 1e308, "p3_human": $h}}' >>own/data/_kb/audit_baselines.jsonl
	printf '# <img src=x onerror=hit()>: sound\n\n- <script>hit()</script>\n\n## [a](javascript:hit())\n\n| %s | b |\n|---|---|\n| <img src=x onerror=hit()> | \\| x |\n\n```\n</pre><script>hit()</script>\n' \
		"$(stretch 3000 W)" >own/reports/distillation/phase8-full-audit-report.md
	S=$PWD/own serve
	export URL HOSTILE
	drive <<-'PY'
	H = os.environ["HOSTILE"]
	b.open(URL, width=360)
	def look(what):
	    assert b.wide() == [], (what, b.wide())
	    assert count("main img, main script:not([src]), main a, main iframe, main svg[onload], main b > b") == 0, what
	    bad = b.js("document.getElementById('main').innerText.match(/[\\u202a-\\u202e\\u2066-\\u2069]/)")
	    assert not bad, (what, bad)
	search("Need a Glassblower", ["glass"], "both")
	b.js("document.querySelectorAll('details').forEach((e) => e.open = true)")
	look("search")
	assert H in b.text("#search-results") and "\\u202e" in b.text("#search-results") and "(100,000 characters)" in b.text("#search-results")
	tall = b.js("Math.max(...[...document.querySelectorAll('#search-results bdi')].map((e) => e.getBoundingClientRect().height))")
	assert tall < 2000, tall
	b.click(".hit button")
	submit("record"); b.until("document.querySelector('#record-list li')"); look("record")
	panel("validate")
	worker = json.loads(open(S + "/roster.jsonl").readline())["id"]
	for id, name, wait, part in (H, "x", "fails: Consistency", H), (worker, H + "n" * 100000, "1 finding", "(100,1"):
	    b.js("document.getElementById('validate-artifact').value = %s" % json.dumps(json.dumps({"fills": [{"candidate_id": id, "name": name}]})))
	    submit("validate"); status("validate", wait)
	    assert part in b.text("#validate-verdict"), b.text("#validate-verdict")
	    look("validate")
	panel("datasets"); b.until("document.querySelector('#datasets-list button')")
	b.js("document.querySelectorAll('#datasets-list details').forEach((e) => e.open = true)"); look("datasets")
	b.click("#datasets-list button"); submit("sql"); status("sql", "1 row"); look("sql")
	assert H in b.text("#sql-rows") and "(100,000 characters)" in b.text("#sql-rows")
	panel("routes"); route("POST /v1/sql"); look("routes")
	panel("sessions"); b.until("document.querySelector('.session')")
	b.js("document.querySelectorAll('.session').forEach((e) => e.open = true)"); look("sessions")
	assert H in b.text(".session .body")
	panel("audit"); b.until("document.querySelector('#audit-drift table')"); look("audit")
	assert H[:60] in b.text("#audit-drift") and "constructor" in b.text("#audit-drift") and "__proto__" in b.text("#audit-drift"), b.text("#audit-drift")
	assert "<img src=x onerror=hit()>: sound" in b.text("#audit-verdict") and "[a](javascript:hit())" in b.text("#audit-report")
	assert "</pre><script>" in b.text("#audit-report pre") and "| x" in b.text("#audit-report")
	panel("subject"); b.js("document.getElementById('subject-id').value = %s" % json.dumps(H)); b.type("#subject-token", "the-legal-token-1"); submit("subject")
	status("subject", "2 accesses"); look("subject")
	assert "(100,000 characters)" in b.text("#subject-report")
	b.call("Page.navigate", url=URL + "#javascript:hit()//<img src=x onerror=hit()>")
	b.js("location.hash = '#<img src=x onerror=hit()>'")
	look("hash")
	PY
}

# bats test_tags=full
@test "no panel scrolls sideways at 320, 360 and 768 pixels, and fields can be hit with a finger" {
	drive <<-'PY'
	b.open(URL, width=360)
	fill()
	for width in 320, 360, 768:
	    b.size(width)
	    for name in PANELS:
	        panel(name)
	        assert b.wide() == [], (width, name, b.wide())
	        small = b.js("""[...document.querySelectorAll("main button, main select, main summary, main input:not([type=checkbox], [type=radio]), [role=tab]")]
	            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24).map((e) => e.outerHTML)""")
	        assert small == [], (width, name, small)
	PY
}

# bats test_tags=full
@test "light and dark differ, and every text has a contrast of 4.5 in both" {
	drive <<-'PY'
	b.open(URL)
	fill()
	grounds = []
	for dark in False, True:
	    b.dark(dark)
	    grounds.append(b.js("getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color"))
	    for name in PANELS:
	        panel(name)
	        assert b.faint() == [], (dark, name, b.faint())
	        assert b.faint(22) != [], "nothing was measured"
	    panel("sessions"); b.js("say('sessions', 'an error', true)")
	    assert b.faint() == [], (dark, "an error", b.faint())
	    b.js("ask_token('why').catch(() => 0)  && 1")
	    assert b.faint() == [], (dark, "dialog", b.faint())
	    b.key("Escape")
	assert grounds[0] != grounds[1], grounds
	PY
}

# bats test_tags=full
@test "the keyboard alone does everything, and the focus can be seen" {
	drive <<-'PY'
	b.open(URL)
	corpora()
	b.js("document.getElementById('search-playbook').hidden = false")
	focus = lambda: b.js("document.activeElement.id || document.activeElement.name || document.activeElement.textContent.slice(0, 20)")
	def seen():
	    style = b.js("(s => [s.outlineStyle, parseFloat(s.outlineWidth)])(getComputedStyle(document.activeElement))")
	    assert style[0] != "none" and style[1] >= 2, (focus(), style)
	def tab_to(wanted, most=40):
	    for _ in range(most):
	        b.key("Tab"); seen()
	        if focus() == wanted: return
	    raise AssertionError("Tab does not reach " + wanted)
	b.key("Tab")
	assert focus() == "Skip to content" and b.js("document.activeElement.getBoundingClientRect().top") >= 0; seen()
	tab_to("tab-search")
	for key, want in ("ArrowRight", "record"), ("ArrowLeft", "search"), ("ArrowLeft", "routes"), ("ArrowRight", "search"), ("End", "routes"), ("Home", "search"):
	    b.key(key)
	    assert focus() == "tab-" + want, (key, focus()); seen()
	    assert b.js("[...document.querySelectorAll('[role=tabpanel]')].filter((p) => !p.hidden).map((p) => p.id)") == [want]
	    assert b.js("[...document.querySelectorAll('[role=tab][aria-selected=true]')].map((t) => t.id)") == ["tab-" + want]
	    assert count("[role=tab][tabindex='0'], [role=tab]:not([tabindex])") == 1
	tab_to("search-query"); b.insert("Need 2 Welders in Akron OH")
	tab_to("corpus"); b.key(" "); assert count("[name=corpus]:checked") == 2
	tab_to("search-role"); b.insert("Welder")
	tab_to("playbook"); b.key("ArrowLeft")
	assert b.js("document.querySelector('[name=playbook]:checked').value") == "on"
	tab_to("search-k"); b.key("Enter")
	b.until("document.querySelectorAll('.hit').length === 10")
	tab_to("metadata"); b.key("Enter")
	b.until("document.querySelector('.hit details').open")
	tab_to("Good answer …"); b.key("Enter")
	b.until("document.activeElement.id === 'record-score'"); seen(); b.key("Enter")
	b.until("document.querySelector('#record-list li')")
	b.js("document.getElementById('tab-sessions').focus()"); b.key("Enter")
	b.until("document.querySelector('.session')")
	tab_to("sessions-limit")
	b.key("Tab", "Tab"); assert b.js("document.activeElement.localName") == "summary"; seen(); b.key(" ")
	b.until("document.querySelector('.session').open")
	b.key("Tab"); b.key("Tab", shift=True); assert b.js("document.activeElement.localName") == "summary"
	PY
}

# bats test_tags=full
@test "every field has a label, every id is there once, and results are announced" {
	drive <<-'PY'
	b.open(URL)
	fill()
	assert b.unlabelled() == [], b.unlabelled()
	assert b.js("[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)") == []
	for name in PANELS:
	    assert b.js("""(() => { const p = document.getElementById('%s'), t = document.getElementById('tab-%s');
	        return [p.getAttribute('role'), p.getAttribute('aria-labelledby'), t.getAttribute('role'), t.getAttribute('aria-controls'),
	            t.parentElement.getAttribute('role'), document.querySelectorAll('#%s [role=status]').length]; })()""" % (name, name, name)) == \
	        ["tabpanel", "tab-" + name, "tab", name, "tablist", 1], name
	assert b.js("document.documentElement.lang") == "en" and count("h1") == 1 and b.js("document.title")
	for attribute in "for", "aria-controls", "aria-labelledby", "aria-describedby", "list":
	    assert b.js("[...document.querySelectorAll('[%s]')].filter((e) => !document.getElementById(e.getAttribute('%s'))).length" % (attribute, attribute)) == 0, attribute
	assert count("svg:not([role=img][aria-label]):not([aria-hidden=true])") == 0
	assert count("table tr > :not(th, td)") == 0 and count("th:not([scope])") == 0
	# the names that a screen reader gets, as the browser computes them
	tree = b.call("Accessibility.getFullAXTree")["nodes"]
	nameless = [n["role"]["value"] for n in tree if not n["ignored"] and n["role"]["value"] in
	            ("button", "textbox", "searchbox", "checkbox", "radio", "combobox", "spinbutton", "tab", "tabpanel", "image", "region", "group")
	            and not n.get("name", {}).get("value")]
	assert [n for n in nameless if n != "group"] == [], nameless
	PY
}
