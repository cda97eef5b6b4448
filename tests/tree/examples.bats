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
	jq -c '{sku: .id, title: "\(.role) gloves", maker: .city, price: 12.5}' workers.jsonl >products.jsonl
	{ echo sku,title,maker,price; jq -r '[.sku, .title, .maker, .price] | @csv' products.jsonl; } >products.csv
	jq -c '{id, text: "refund not arrived in \(.city)"}' workers.jsonl | tee tickets.jsonl | lh-index build tickets.lhv
	printf '%s\n' name,role,city 'Ada Visser,nurse,Utrecht' 'Ben Smit,welder,Gent' >people.csv
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
	for page in $(printf '%s\n' "$ROOT"/man/*.[157] | drawn 15); do
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

@test "the README's blocks run in order as they are printed, and print what is shown" {
	mkdir share
	cp -r "$ROOT/share/demo" share/
	awk '/^## The tools/ { exit } /^    / { print substr($0, 5); next } { print "" }' "$ROOT/README.md" |
		sed '/^export PATH/,$!d; /^export PATH/d; /sudo/d; /^name  /,/^Ben .* Gent$/d' >commands
	grep -q '^lh search people.csv' commands
	bash -eo pipefail <(sed 's/^    *lh-validate .*/{ & || [ $? = 1 ]; } |/; s/| || /|| /' commands) >out 2>err || { cat err; return 1; }
	[ "$(head -n 1 out | jq -r '.results[].metadata.name' | paste -sd,)" = 'Ada Visser,Cleo Maas,Ben Smit' ]
	[ "$(grep -c '^\[[12],"w-[0-9]*","Forklift Operator","Aurora"\]$' out)" = 2 ]
	[ "$(grep -c '^{"\(fills\|to\|operation\)":' out)" = 4 ]
	[ "$(grep -c '"verified":true.*"state":"intact"' out)" = 5 ]
	# on a terminal it is the table that the README has
	sed -n '/^    name  /,/^    Ben .* Gent$/s/^    //p' "$ROOT/README.md" >want
	PAGER=cat NO_COLOR=1 script -qefc "lh search people.csv 'nurse in Utrecht' 2>/dev/null" /dev/null </dev/null |
		tr -d '\r' | sed 's/ *$//' | alike want -
}
