# lh completion, in the three shells themselves: bash and zsh on a terminal each, fish by what its
# complete -C prints.  tests/people has the same with a person's keys.
# Plain only: shells, Python and a browser at work; other files run the tools.
# bats file_tags=plain-only
load ../helper

# The shells that are installed.
shells() {
	local shell
	for shell in bash zsh fish; do
		! command -v "$shell" >/dev/null || echo "$shell"
	done
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=${LH_BIN:-$ROOT/bin}:$PATH
	for shell in bash zsh fish; do
		lh completion $shell >lh.$shell
	done
	mkdir -p files/sub 'files/my dir'
	cd files || return 1
	touch a.lhv 'my index.lhv' w.jsonl w.jsonl.gz 'my file.jsonl' notes.txt m.gguf b.csv
}

setup() {
	cd "$BATS_FILE_TMPDIR/files" || return 1
	cp -r . "$BATS_TEST_TMPDIR/files"
	cd "$BATS_TEST_TMPDIR/files" || return 1
	export HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
}

# complete_in SHELL [SCRIPT] - what fits for each line "all TEXT".
complete_in() {
	PATH=${TOOLS_PATH-$LH_BIN:}/usr/bin:/bin "$ROOT/tests/complete-in" "$1" "${2:-$BATS_FILE_TMPDIR/lh.$1}"
}

# expected - standard input has lines "TEXT|WORD  WORD...": in each shell the words, and no other,
# complete the text.
expected() {
	cat >../table
	[ -s ../table ]
	sed 's/^/all /; s/|.*//' ../table >../lines
	for shell in $(shells); do
		complete_in "$shell" "$@" <../lines >../got
		paste -d'|' <(sed 's/^all //' ../lines) ../got | diff ../table - || { echo "$shell: wanted <, got >"; return 1; }
	done
}

@test "options that the command has are completed, once each unless they may be repeated" {
	expected <<-'END'
	lh-search --whe|--where
	lh-search --pl|--playbook  --playbook-optional  --playbooks
	lh-search --where a=b --whe|--where
	lh-search --ef 10 --ef|
	lh-search --ef=10 --ef|
	lh-search -q --qui|
	lh-search a.lhv --whe|--where
	lh-search -- --wh|
	lh-index build --dis|--distance
	lh-index --dis|--distance
	lh-index add --dis|
	lh-index build a.lhv --dis|--distance
	lh-audit-full --obs|--observer
	lh-audit-full drift --obs|
	lh version --js|--json
	lh --nonsense|
	END
}

@test "commands are completed, and tools after lh" {
	expected <<-'END'
	lh-index b|build
	lh-index --dimension 64 ver|verify
	lh-catalog re|register  remove  requests
	lh-subject-audit manifest |get  list  put  verify
	lh-load m|mix
	lh sea|search
	lh search --whe|--where
	lh index bui|build
	lh index build --dis|--distance
	lh help ca|cat  catalog
	lh help tu|tutorial
	lh help rec|recipes
	lh help h|hash-v1  hash-v2  hash-v3  hash-v4
	lh completion |bash  fish  zsh
	lh comp|complete  completion
	END
}

@test "values that are a choice are completed, after a space and after =" {
	expected <<-'END'
	lh-search --on-error |emit  skip  stop
	lh-search --on-error=|emit  skip  stop
	lh-search --on-error=s|skip  stop
	lh-index build --distance c|cosine
	lh-load mix --via |filters  http
	lh-search -k |
	lh-search --where |
	lh-validate --kind |email  fill  playbook  sms
	lh-validate --kind=s|sms
	lh-ingest --sample |all
	lh-observe stats --window a|all
	lh-audit-full --phase 1 --phase |0  1  2  3  4  5  6  7
	lh-materialize --source a|audit_facts  audits  auto_apply
	lh-materialize --sources=out|outcomes
	lh-serve --allow-write |playbook_record
	END
}

@test "values that have a name are completed next to files" {
	schemas=$(lh-validate --schema list)
	[ "$(wc -w <<<"$schemas")" = 12 ]
	expected <<-END
	lh-validate --schema li|list
	lh-validate --schema m|m.gguf  model_ledger  my dir  my file.jsonl  my index.lhv
	lh-validate --schema=re|receipt
	lh-validate --schema my\\ f|my file.jsonl
	lh-validate --schema |$(printf '%s\n' $schemas list * | LC_ALL=C sort | paste -sd, | sed 's/,/  /g')
	END
}

# choices_of TOOL OPTION - as the tool describes them, a line each.
choices_of() {
	"$1" --describe-options | jq -r --arg o "$2" '.options[] | select(.long == $o).choices[]'
}

@test "the values that are completed are those that there are" {
	diff <(choices_of lh-validate schema) <(lh-validate --schema list; echo list)
	run -2 --separate-stderr lh-materialize --source nothing
	for option in source sources; do
		diff <(choices_of lh-materialize $option) <(sed 's/.* is not //; s/, \| or /\n/g' <<<"$stderr")
	done
	mkdir state
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' \
		'{"jsonrpc":"2.0","id":2,"method":"tools/list"}' >listing
	names() { lh-mcp --state state "$@" <listing | jq -r 'select(.id == 2).result.tools[].name' | sort; }
	for tool in lh-mcp lh-serve; do
		diff <(choices_of $tool allow-write) <(comm -13 <(names) <(names --allow-write playbook_record))
	done
	pages=$(cd "$ROOT/man" && basename -s .1 -a *.1; cd "$ROOT/man" && basename -a *.[57] | sed 's/\..$//')
	[ "$(wc -w <<<"$pages")" -gt 40 ]
	expected <<<"lh help |$(sed 's/^lh-//; /tools$/! s/^lakehouse-//' <<<"$pages" | LC_ALL=C sort | paste -sd, | sed 's/,/  /g')"
}

@test "files are completed by their kind, with folders, and all if none is of the kind" {
	expected <<-'END'
	lh-search |a.lhv  b.csv  m.gguf  my dir  my file.jsonl  my index.lhv  notes.txt  sub  w.jsonl  w.jsonl.gz
	lh-search a.lhv |a.lhv  b.csv  m.gguf  my dir  my file.jsonl  my index.lhv  notes.txt  sub  w.jsonl  w.jsonl.gz
	lh-search my|my dir  my file.jsonl  my index.lhv
	lh-embed |my dir  my file.jsonl  sub  w.jsonl  w.jsonl.gz
	lh-embed n|notes.txt
	lh-embed --model |m.gguf  my dir  sub
	lh-embed --model=m|m.gguf  my dir
	lh-ingest |b.csv  my dir  my file.jsonl  sub  w.jsonl
	lh-index build |a.lhv  my dir  my index.lhv  sub
	lh-index build a.lhv |my dir  my file.jsonl  sub  w.jsonl  w.jsonl.gz
	lh-validate --rules |my dir  sub
	lh-validate --rules=m|my dir
	lh-validate --key-file n|notes.txt
	lh-store put sub |
	lh-store put sub key n|notes.txt
	lh-index info -- a|a.lhv
	END
}

@test "a file name with spaces is completed, with backslashes and within quotes" {
	expected <<-'END'
	lh-search my\ i|my index.lhv
	lh-search "my i|my index.lhv
	lh-embed my\ f|my file.jsonl
	END
	for shell in $(shells | grep -v fish); do
		echo 'tab lh-search my\ i' | complete_in "$shell" >got
		[ "$(cat got)" = 'lh-search my\ index.lhv ' ]
		echo 'tab lh-search corpus=a' | complete_in "$shell" >got
		[ "$(cat got)" = 'lh-search corpus=a.lhv ' ]
	done
}

# The lines "TEXT|WORDS" of all options and choices of all tools, as --describe-options has them.
all_options() {
	for tool in $(basename -a "$ROOT"/tools/*/); do
		"$tool" --describe-options
	done | jq -r '
		.tool as $tool | .options as $options
		| [.commands[]?.name] as $names
		| (if $names == [] then [""] else $names | map(select(. != "")) end)[]
		| . as $command | "\($tool) \($command)" + (if $command == "" then "" else " " end) as $line
		| [$options[] | select($command == "" or (.commands // [$command] | index($command)))]
		| . as $of
		| "\($line)--|\([.[] | .long // empty | "--" + .] | sort | join("  "))",
		  ($of[] | select(.choices and .long and .value != "file") | "\($line)--\(.long) |\(.choices | sort | join("  "))")'
}

# bats test_tags=full
@test "each tool and command is completed with the options and choices that it describes" {
	all_options >lines.table
	[ "$(wc -l <lines.table)" -gt 300 ]
	grep -q '^lh-index build --distance |cosine  ip  l2$' lines.table
	expected <lines.table
}

# bats test_tags=full
@test "each tool's commands are completed, with what they do in zsh and fish" {
	for tool in $(basename -a "$ROOT"/tools/*/); do
		"$tool" --describe-options | jq -r '.tool as $t | .commands[]?.name | select(. != "") | "\($t) \(.)|\(.)"'
	done >pairs
	[ "$(wc -l <pairs)" -gt 60 ]
	for shell in $(shells); do
		sed 's/^/all /; s/.|.*//' pairs | complete_in "$shell" >got
		paste -d'|' pairs got | awk -F'|' '{
			n = split($3, word, "  ")
			for (i = 1; i <= n && word[i] != $2; i++)
				;
			if (i > n) { print; bad = 1 }
		} END { exit bad }' || { echo "$shell"; return 1; }
	done
	[ "$(lh complete -- lh-index bu)" = $'build\tmake INDEX from records' ]
	[ "$(lh complete -- lh index build --ho)" = "$(lh complete -- lh-index build --ho)" ]
}

# bats test_tags=full
@test "installed completions are found by the shells' own loaders" {
	make -s -C "$ROOT" install DESTDIR="$BATS_TEST_TMPDIR/d" PREFIX=/usr >/dev/null
	share=$BATS_TEST_TMPDIR/d/usr/share
	export XDG_DATA_DIRS=$share:/usr/share
	printf '%s\n' 'all lh-search --whe' 'all lh index bui' 'all lh-store put sub key n' >lines
	printf '%s\n' --where build notes.txt >want
	for shell in $(shells); do
		case $shell in
		bash)
			[ -f /usr/share/bash-completion/bash_completion ] || continue
			LH_BEFORE='. /usr/share/bash-completion/bash_completion'
			;;
		zsh) LH_BEFORE="fpath=($share/zsh/site-functions \$fpath)" ;;
		fish)
			# it reads no completions for a command that it does not find
			LH_BEFORE= TOOLS_PATH=$BATS_TEST_TMPDIR/d/usr/bin:
			;;
		esac
		export LH_BEFORE
		complete_in "$shell" - <lines >got
		diff want got || { echo "$shell"; return 1; }
	done
	for tool in $(basename -a "$ROOT"/tools/*/); do
		[ -f "$share/bash-completion/completions/$tool" ]
		[ -f "$share/fish/vendor_completions.d/$tool.fish" ]
		grep -qw -- "$tool" <(head -n 1 "$share/zsh/site-functions/_lh")
	done
	make -s -C "$ROOT" uninstall DESTDIR="$BATS_TEST_TMPDIR/d" PREFIX=/usr
	[ -z "$(find "$BATS_TEST_TMPDIR/d" ! -type d)" ]
}

@test "with bash-completion loaded the script still completes" {
	[ -f /usr/share/bash-completion/bash_completion ] || skip "bash-completion is not installed"
	export LH_BEFORE='. /usr/share/bash-completion/bash_completion'
	printf '%s\n' 'all lh-search --whe' 'all lh-search --on-error=' 'tab lh-search my\ i' | complete_in bash >got
	diff got - <<-'END'
	--where
	emit  skip  stop
	lh-search my\ index.lhv 
	END
}

@test "a script is made for three shells, and for no other" {
	run -2 --separate-stderr lh completion
	[ "$stderr" = 'lh: completion: missing operand bash|zsh|fish' ]
	run -2 --separate-stderr lh completion tcsh
	[ "$stderr" = 'lh: no completion for "tcsh" (bash, zsh or fish)' ]
	run -2 --separate-stderr lh completion bash zsh
	[ "$stderr" = 'lh: unexpected operand "zsh": completion is for one shell' ]
	for shell in $(shells); do
		"$shell" -n "$BATS_FILE_TMPDIR/lh.$shell"
	done
}

@test "completing runs lh, and the tool with --describe-options, and no other program" {
	mkdir t
	cp "$(command -v lh)" t
	for tool in lh-search lh-odd lh-liar; do
		printf '#!/bin/sh\necho "%s $*" >>%s/ran\nexec "%s/%s" "$@"\n' $tool "$PWD" "$LH_BIN" $tool >t/$tool
		chmod +x t/$tool
	done
	for word in '' --wh --where=a n; do
		t/lh complete -- t/lh-search "$word" >>all
		t/lh complete -- lh search -k 3 "$word" >>all
	done
	grep -qx -- $'--where\tonly such records.*' all
	[ "$(sort -u ran)" = 'lh-search --describe-options' ]
	rm ran
	# a program that is not a tool is neither offered nor run
	[ "$(t/lh complete -- lh '' | cut -f 1 | tr '\n' ' ')" = 'list help version doctor completion complete search ' ]
	for words in 'lh-odd' 'lh odd' 'lh-liar --' 'lh-cat' '../lh-cat' '/bin/sh' '' -- 'lh-search' "lh-$(printf %04000d 0)"; do
		run -0 --separate-stderr t/lh complete -- $words ''
		[ -z "$stderr" ]
	done
	[ ! -e ran ] || [ "$(sort -u ran)" = 'lh-search --describe-options' ]
	run -2 --separate-stderr lh complete
	[ "$stderr" = 'lh: complete: missing operand WORD...' ]
}

@test "a tool that describes nothing is exit 2, and nothing for the shell" {
	mkdir t
	cp "$(command -v lh)" t
	printf '#!/bin/sh\necho nonsense\n' >t/lh-cat
	chmod +x t/lh-cat
	run -2 --separate-stderr t/lh complete -- lh-cat --
	[ -z "$output" ]
	[[ $stderr == 'lh: '* ]]
}

@test "lines that lh complete prints say where files, folders and commands may follow" {
	[ "$(lh complete -- lh-search '')" = $'\tfile' ]
	[ "$(lh complete -- lh-search a.csv '')" = $'\tfile' ]
	[ "$(lh complete -- lh-validate --rules '')" = $'\tfolder' ]
	[ "$(lh complete -- lh-validate --schema=list)" = $'list\n\tfile' ]
	[ "$(lh complete -- lh-search -- -)" = $'\tfile' ]
	[ "$(lh complete -- lh-search - | grep -c '^-[Qk]')" = 2 ]
	[ "$(lh complete -- lh help lh-sea)" = $'lh-search\tfind the nearest records of an index for each query' ]
}
