# The examples of the manual, as a reader would type them.
# Plain only: scripts of share/ and examples of the manual, over commands that other
# files test.
# bats file_tags=plain-only
load ../helper
load ../embedding

# Small files by the names that the pages use.
prepare() {
	lh-gen workers -n 200 >workers.jsonl
	lh-gen queries -n 20 >queries.jsonl
	lh-gen workers -n 20 --seed 2 | jq -c '.id = "n" + .id | .candidate_id = .id' >more.jsonl
	lh-embed workers.jsonl >vectors.jsonl
	lh-index build workers.lhv vectors.jsonl
	jq -c '{kind: "email", artifact: {to: "ops@example.com", body: "\(.name) starts at 6:00."}, context: {candidate_id}}' \
		workers.jsonl more.jsonl >drafts.jsonl
	lh-gen kb -n 100 --dirty --root r
	cat "$ROOT"/share/fixtures/schemas/valid/evidence_record-*.json >evidence.jsonl
	mkdir -p past/data/evidence/2026/05/03
	head -n 1 evidence.jsonl >past/data/evidence/2026/05/03/scrum_reviews.jsonl
	cp "$ROOT/share/load/multitier.jsonl" .
	{ echo worker_id,role,city,score; jq -r '[.id[2:], .role, .city, 95] | @csv' workers.jsonl; } >workers.csv
	(umask 077; head -c 32 /dev/urandom >audit.key; head -c 32 /dev/urandom >new.key)
	model model.gguf
	model reranker.gguf --labels 1 --pooling rank
	in_store model.gguf nomic-embed-text
}

# The displays of a page's EXAMPLES as mandoc shows them, on 80 columns or so many,
# each ended by \036.
examples() {
	mandoc -Tascii -Owidth="${2:-80}" "$1" | sed 's,.\x08,,g' | awk '
		function flush() { if (block != "") printf "%s\036", block; block = "" }
		/^[A-Z]/ { on = $0 == "EXAMPLES"; next }
		!on { next }
		/^           / { block = block substr($0, 12) "\n"; next }
		{ flush() }
		END { flush() }'
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
	load ../servers/server
	load ../servers/s3
	start_chat
	export OLLAMA_MODELS=$PWD/models LH_OLLAMA_URL=$URL LH_OPENAI_URL=$URL LH_OLLAMA_CLOUD_URL=$URL LH_KIMI_URL=$URL
	start_s3
	unset AWS_SESSION_TOKEN AWS_REGION LH_S3_KEY_FILE
}

teardown() {
	stop_upstreams
}

@test "every example of every page runs as it is printed" {
	prepare
	bad=0
	for page in "$ROOT"/man/*.[157]; do
		while IFS= read -r -d $'\036' example; do
			echo "--- $(basename "$page"): $example"
			bash -eo pipefail -c "$example" </dev/null >out 2>err 3>&- || { echo "exit $?"; cat err; bad=$((bad + 1)); }
		done < <(examples "$page")
	done
	[ "$bad" = 0 ]
}

@test "an example can be copied from a page of 80 columns" {
	for page in "$ROOT"/man/*.[157]; do
		examples "$page" 80 | cmp - <(examples "$page" 1000) || { echo "$page"; return 1; }
		# with the indent of 11
		if examples "$page" | tr '\036' '\n' | grep -nE '.{70}'; then echo "$page: too wide"; return 1; fi
	done
}

@test "each tool's page has an example" {
	for page in "$ROOT"/man/lh*.1; do
		[ "$(examples "$page" | tr -cd '\036' | wc -c)" -ge 1 ] || { echo "$page has none"; return 1; }
	done
}

@test "the last commands of the README print a line for each check, and no null" {
	mkdir build
	sed -n '/^    lh-gen kb /,/^    lh-audit-full /p' "$ROOT/README.md" >commands
	[ "$(wc -l <commands)" = 3 ]
	bash -eo pipefail commands >out
	[ "$(tail -n 22 out | grep -c '^\[[0-9]*,"[^"]*",true\]$')" = 22 ]
	not grep -q '\[null' out
}

@test "the first search of the README prints what is shown below it" {
	awk '/^    lh-gen workers -n 2000 /, /jq -c/ { print substr($0, 5) }' "$ROOT/README.md" >commands
	[ "$(wc -l <commands)" = 3 ]
	bash -eo pipefail commands >out
	awk '/^    \[/ { print substr($0, 5) }' "$ROOT/README.md" >want
	[ "$(wc -l <want)" = 2 ]
	diff want out
}

# bats test_tags=full
@test "each route of lh-serve answers what its page shows" {
	prepare
	examples "$ROOT/man/lh-serve.1" | awk -v RS='\036' '/^mkdir -p full/' >commands
	sed -n 's/^# //p' commands >want
	[ "$(wc -l <want)" -ge 26 ]
	# its filters start after it listens, and have two seconds for the deep look
	sed -i '/^url=/a until curl -sf "$url/health?deep=1" >/dev/null; do sleep 0.1; done' commands
	[ "$(grep -c '^until curl' commands)" = 1 ]
	patiently bash -eo pipefail commands >out 3>&- || { cat err full/access; return 1; }
	diff want out
}

@test "the README's commands for a model run" {
	prepare
	awk '/^    lh-gen workers -n 500 >/, /-Q/ { print substr($0, 5) }' "$ROOT/README.md" >commands
	[ "$(wc -l <commands)" = 4 ]
	bash -eo pipefail commands >out
	[ "$(jq -c .rank out | tr '\n' ' ')" = '1 2 ' ]
}

@test "the README's bridge answers the search below it" {
	port=$(free_port)
	awk '/^    mkdir -p demo/, /jq -c/ { print substr($0, 5) }' "$ROOT/README.md" |
		sed "s/:3110/:$port/; s/--state demo/& --listen 127.0.0.1:$port/" >commands
	[ "$(wc -l <commands)" = 7 ]
	echo 'kill %1; wait' >>commands
	patiently bash -eo pipefail commands >out 2>err 3>&- || { cat err; return 1; }
	[ "$(grep -c '^\["w-[0-9]*","Forklift Operator",' out)" = 2 ]
	jq -e '.route == "POST /v1/matrix/search" and .status == 200' demo/access.jsonl
}
