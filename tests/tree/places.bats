# How many files a change of each kind takes: CONTRIBUTING.md says it, and a sample of each is
# added to a copy of the tree, built and run.
# Plain only: it looks at the tree, the plain build or the tests.
# bats file_tags=plain-only
load ../helper

setup_file() {
	load ../helper
	export COPY=$BATS_FILE_TMPDIR/copy
	"$ROOT/tests/places" "$COPY" >"$BATS_FILE_TMPDIR/changed"
	# by any compiler, since nothing is measured; without other targets of a make that runs this
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -j2 -C "$COPY" CFLAGS=-O0 CPPFLAGS= \
		bin/lh{,-audit-full,-catalog,-mcp,-merge,-sample,-score,-serve} >"$BATS_FILE_TMPDIR/built"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export PATH=$COPY/bin:$PATH
}

# takes N THING - CONTRIBUTING.md says so, and that many files changed for it.
takes() {
	grep -qF "**$2** ($1 places" "$ROOT/CONTRIBUTING.md" || { grep -F "**$2**" "$ROOT/CONTRIBUTING.md"; return 1; }
	[ "$(grep -c "^$2: " "$BATS_FILE_TMPDIR/changed")" = "$1" ] || { grep "^$2: " "$BATS_FILE_TMPDIR/changed"; return 1; }
}

@test "an option takes 3 places; --help, --describe and completion have it" {
	takes 3 "an option"
	lh-merge --help | has '^ *--sample  *say that this is a sample$'
	[ "$(lh-merge --describe | jq '.options | map(select(.name == "sample")) | length')" = 1 ]
	lh complete -- lh-merge --sam | has '^--sample'
	run -0 --separate-stderr lh-merge --sample </dev/null
	[ "$stderr" = "lh-merge: a sample" ]
}

@test "a tool takes 5 places; lh lists and runs it, and it says its schemas" {
	takes 5 "a tool"
	run -0 "$ROOT/tests/layers" "$COPY"
	[ "$(lh sample <<<'{"n":4}')" = '{"twice":8}' ]
	run -1 --separate-stderr lh-sample <<<'{"n":-1}'
	[[ $stderr == 'lh-sample: -:1: "n" must be a whole number from 0 to 1000'* ]]
	lh --all | has '^  lh-sample  *double the numbers of records$'
	lh complete -- lh sam | has '^sample'
	[ "$(lh-sample --describe | jq -c '.operations[0] | [.input.required, .output.required]')" = '[["n"],["twice"]]' ]
}

@test "a route takes 2 places, its operation 2 more; the server answers by it and describes it" {
	takes 2 "a route"
	takes 2 "an operation"
	lh-serve --listen 127.0.0.1:0 --state . >/dev/null 2>said 3>&- &
	server=$!
	until_so grep -q 'listening on' said
	url=$(sed -n 's/.*listening on //p' said)
	got=$(curl -sS "$url/v1/catalog/sample") described=$(curl -sS "$url/openapi.json")
	kill "$server"
	wait "$server"
	[ "$got" = '{"sample":true}' ]
	[ "$(jq -r '.paths["/v1/catalog/sample"].get.summary' <<<"$described")" = "a sample" ]
	has -F '{\"name\":\"sample\"' <"$COPY/build/share/serve/described.inc"
}

@test "a tool for models takes 2 places; it is listed and answers" {
	takes 2 "a tool for models"
	lh-mcp --print-tools | jq -r '.tools[].name' | has '^sample$'
	jq -nc '{jsonrpc: "2.0", id: 1, method: "initialize", params: {protocolVersion: "2025-11-25"}},
		{jsonrpc: "2.0", id: 2, method: "tools/call", params: {name: "sample"}}' |
		lh-mcp --state . | jq -c 'select(.id == 2).result.structuredContent' >got
	[ "$(cat got)" = '{"sample":true}' ]
}

@test "a schema version takes 2 places; the older is read, the newer written" {
	takes 2 "a schema version"
	lh-gen kb -q -n 20 --root r
	"$ROOT"/bin/lh-distill run --root r >/dev/null
	cat $(find r/data/evidence -name '*.jsonl') | lh-score -q | jq -c .schema_version | sort -u >written
	[ "$(cat written)" = 2 ]
	# rows of version 1 are those of the tool as it is
	[ "$(cat $(find r/data/scored-runs -name '*.jsonl') | jq -c .schema_version | sort -u)" = 1 ]
	lh-audit-full --observer --root r --phase 3 | jq -r 'select(.phase == 3) | .passed' >got
	[ "$(cat got)" = true ]
}

@test "a check of the audit takes 4 places; the report has it" {
	takes 4 "a check of the audit"
	lh-gen kb -q -n 20 --root r
	lh-audit-full --observer --root r --phase 0 --out report.md | jq -c 'select(.name == "sample present") | [.phase, .passed]' >got || true
	[ "$(cat got)" = '[0,true]' ]
	has 'sample present' <report.md
}
