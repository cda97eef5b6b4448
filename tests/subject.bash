# For the tests of lh-subject, after helper: load ../subject
#
# a_state builds s, a folder of lh-serve with persons w-1, w-2, ... in every kind of place, each
# with markers: texts that are nowhere else.  markers ID lists those of a person.

NOW=2026-05-03T12:00:00Z

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset LH_SUBJECT_AUDIT_KEY
	printf "$(printf '\\%03o' {0..31})" >key
	chmod 600 key
	export LH_SUBJECT_AUDIT_KEY=$PWD/key LH_NOW=$NOW XDG_CACHE_HOME=$PWD/.cache
}

# persons N [JQ] - a record of each person, changed by a filter: .id, .n, and .m, an object with a
# marker for each kind of place.
persons() {
	[ -e "persons.$1" ] || python3 -c 'import hashlib, json, sys
for n in range(1, int(sys.argv[1]) + 1):
    print(json.dumps({"n": n, "id": f"w-{n}", "m": {k: "zq" + hashlib.md5(f"{n}/{k}".encode()).hexdigest()[:16]
        for k in sys.argv[2].split()}}, separators=(",", ":")))' "$1" "$KINDS" >"persons.$1"
	jq -c "${2:-.}" "persons.$1"
}
KINDS="roster index playbook session pathway observer inbox decision source dataset manifest rejects email"

# markers ID - those of a person, one a line.
markers() {
	persons "${1#w-}" 'select(.id == "'"$1"'") | .m[]' | jq -r .
}

# sources N - rows for all sources of a distillation, in s: every second row is of a person, and has
# a candidate_id and a marker in its texts.
sources() {
	local rows=0 file
	lh-gen kb -n "$(($1 * 12))" --root s
	persons "$1" >/dev/null
	for file in s/data/_kb/*.jsonl; do
		jq -c --argjson from "$rows" --slurpfile p "persons.$1" '(input_line_number + $from) as $row | $p[$row / 2 % ($p | length) | floor] as $p |
			if $row % 2 == 0 then
			.candidate_id = $p.id | with_entries(if (.key | IN("text", "analysis", "response", "notes", "topic", "evidence", "suggestions_preview"))
			and (.value | type) == "string" then .value += " " + $p.m.source else . end) else . end' "$file" >new
		rows=$((rows + $(wc -l <"$file")))
		mv new "$file"
	done
}

# a_state N - s, with N persons, and beside it cache.db, tlog.key and tlog.pub; made once for each
# file of tests, and copied.
a_state() {
	local made=$BATS_FILE_TMPDIR/state.$1
	if [ ! -e "$made" ]; then
		mkdir "$made.new"
		(cd "$made.new" && make_state "$1")
		mv "$made.new" "$made"
	fi
	cp -a "$made/." .
	sed -i "s|$made.new|$PWD|" s/catalog/*.json	# a manifest names its store
}

make_state() {
	mkdir -p s/{index,playbook,log,catalog,store,spool}
	persons "$1" '{candidate_id: .id, name: "Person Number \(.n) \(.m.roster)", status: "active",
		email: "\(.m.email)@example.com", phone: "+1 555 \(1000000 + .n)", city: "Ulm", role: "welder"}' >s/roster.jsonl
	persons "$1" '{id: .id, text: "welder \(.m.index)", candidate_id: .id, note: .m.index}' |
		lh-index build --dimension 64 --field text -q s/index/workers.lhv
	persons "$1" '{id: "job-\(.n)", text: "a job \(.n)"}' | lh-index build --dimension 64 --field text -q s/index/jobs.lhv
	persons "$1" '{query_text: "need \(.m.playbook)", answer_id: .id, answer_corpus: "workers", score: 0.9}' |
		lh-playbook record -q s/playbook/good.lhv >/dev/null
	logs_of_state "$1"
	sources "$1"
	lh-distill run -q --root s --run-id one --recorded-at "$NOW" >/dev/null
	jq -rn 'first(inputs) | .content' s/exports/rag/playbooks.jsonl | head -c 200 >task
	lh-replay -q --root s --task "$(cat task)" --dry-run >/dev/null
	persons "$1" '{candidate_id: .id, name: .m.dataset, n: .n}' >table.jsonl
	lh-ingest -q --jsonl --name workers --store s/store --catalog s/catalog table.jsonl >/dev/null
	subjects_of_state "$1"
	python3 -c 'import sqlite3
db = sqlite3.connect("cache.db")
db.execute("CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB)")
db.commit()'
	persons "$1" '{candidate_id: .id, wrong: .m.rejects}' | sed "s/}$//" >s/log/sessions.jsonl.rejects
	jq -nc '{schema: "observe.cursor.v1", to: "langfuse", offset: 0, line: 0, check: ""}' >s/log/observer.jsonl.cursor
	persons 1 '{body: .m.rejects}' >s/spool/body-1
	# an older lh-trace has left this
	mkdir s/.lh-trace
	head -c 200 /dev/zero >s/.lh-trace/index
}

logs_of_state() {
	persons "$1" '{schema: "session.iterate.v1", session_id: "s-\(.n)-\(.m.session)", timestamp: "2026-05-03T12:00:00.000Z",
		daemon: "gateway", kind: "fill", model: "m", provider: "p", prompt: "fill \(.m.session)", iterations: 1, max_iterations: 3,
		final_verdict: "accepted", attempts: [], artifact: {fills: [{candidate_id: .id, name: .m.session}]},
		grounded_in_roster: true, duration_ms: 5}' >s/log/sessions.jsonl
	persons "$1" '{uid: "t-\(.n)", content: {candidate_id: .id, note: .m.pathway}, tags: ["fill"]}' |
		lh-pathway add -q s/log/pathway.jsonl >/dev/null
	persons "$1" '{uid: "t-\(.n)"}' | lh-pathway retire -q s/log/pathway.jsonl >/dev/null
	persons "$1" '{endpoint: "fill", success: true, input_summary: .m.observer, candidate_id: .id}' |
		lh-observe record -q s/log/observer.jsonl >/dev/null
	persons "$1" '{type: "email", sender: "\(.m.email)@example.com", subject: "shift", body: "I am \(.m.inbox)"}' |
		lh-observe inbox -q s/log/observer.jsonl >/dev/null
	persons "$1" '{schema: "decision.v1", ts: "2026-05-03T12:00:00.000Z", trace_id: "req-\(.n)", tool: "lh-search",
		asked: "00", text: .m.decision, verdict: "boosted", rules: null, playbook: null, indexes: [],
		ids: [{id: .id, corpus: "workers"}]}' >s/log/decisions.jsonl
}

subjects_of_state() {
	persons "$1" '{candidate_id: .id, accessor: {kind: "gateway_lookup", daemon: "gateway", purpose: "search", trace_id: "req-\(.n)"},
		fields_accessed: ["name"], result: "success"}' |
		lh-subject-audit append -q --dir s/data/_catalog/subjects >/dev/null
	persons "$1" '{schema: "subject_manifest.v1", candidate_id: .id, created_at: "2026-01-01T00:00:00Z",
		updated_at: "2026-01-02T00:00:00Z", status: "active", vertical: "general",
		consent: {general_pii: {status: "given"}, biometric: {status: "never_collected"}},
		retention: {general_pii_until: "2030-01-01T00:00:00Z", policy: .m.manifest},
		datasets: [{name: "workers", key_column: "candidate_id", key_value: .id}], safe_views: ["workers_safe"],
		audit_log_path: "data/_catalog/subjects/\(.id).audit.jsonl", audit_log_chain_root: "GENESIS"}' |
		lh-subject-audit manifest put -q --dir s/data/_catalog/subjects >/dev/null
	mkdir s/tlog
	lh-tlog keygen example.com/log --out tlog.key --public tlog.pub >/dev/null
	lh-tlog init s/tlog/main --origin example.com/log --key-file tlog.key >/dev/null
	lh-subject-audit commit -q --dir s/data/_catalog/subjects --tlog s/tlog/main --key-file-tlog tlog.key >/dev/null
}

# sound - what audits, verifies and compares finds nothing wrong with s.
sound() {
	lh-audit-full --observer --root s >audit || { jq -c 'select(.passed == false)' audit; return 1; }
	lh-distill health --all --root s >health || { cat health; return 1; }
	lh-subject-audit verify --all --dir s/data/_catalog/subjects >/dev/null
	lh-tlog audit s/tlog/main >/dev/null
	lh-index verify s/index/workers.lhv >/dev/null
	lh-index verify s/playbook/good.lhv >/dev/null
	lh-catalog verify --catalog s/catalog --store s/store >/dev/null
	no_litter s
}

# keep FILE NAME - make a file of records, of which the 77th is k-77 with that name, and search it,
# so that lh-search keeps its index.
keep() {
	seq 5000 | awk -v name="$2" '{ print "{\"id\":\"k-" $1 "\",\"name\":\"" ($1 == 77 ? name : "spoon " $1) "\"}" }' >"$1"
	lh-search -q -k 1 "$1" heron >/dev/null
}
