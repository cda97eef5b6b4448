# lh: the list of tools, of pages, and help.
# bats file_tags=quick
load ../helper

@test "lh lists the tools to begin with, and each family in a line" {
	run -0 --separate-stderr lh
	[ -z "$stderr" ]
	[ "$(sed -n '1p; s/^  \(lh[a-z-]*\) .*/\1/p' <<<"$output" | paste -sd ' ')" = \
		'start here lh-ingest lh-index lh-search lh-show lh-query lh-validate lh-serve lh' ]
	while read -r tool what; do
		[ "$what" = "$("$tool" --describe-options | jq -r .summary)" ]
	done < <(grep '^  lh' <<<"$output")
	[ "$(sed '1,/^families/d; s/^ *[a-z]* *//' <<<"$output" | tr ' ' '\n')" = \
		"$(lh --all | sed -n 's/^  lh-\([a-z-]*\) .*/\1/p')" ]
	not grep -E '.{81}' <<<"$output"
}

@test "lh --all lists every tool next to it with a line on what it does" {
	run -0 --separate-stderr lh --all
	[ -z "$stderr" ]
	for tool in "$ROOT"/tools/lh-*/; do
		tool=$(basename "$tool")
		# what the tool itself says in its source
		what=$(sed -n "s/^  $tool  *//p" <<<"$output")
		[[ "$what" == *[a-z]* ]] || { echo "$tool is not listed"; return 1; }
		grep -rqF "\"$what\"" "$ROOT/tools/$tool" || { echo "$tool: $what"; return 1; }
	done
}

@test "lh --all lists no tool twice, and none under other" {
	run -0 lh --all
	[[ $output != *other* ]]
	[ -z "$(sed -n 's/^  \(lh-[a-z-]*\) .*/\1/p' <<<"$output" | sort | uniq -d)" ]
}

@test "lh lists a tool that it does not know last, under other" {
	mkdir t
	cp "$(command -v lh)" t/lh
	for tool in lh-cat lh-zzz lh-aaa lh-score; do
		printf '#!/bin/sh\necho "Usage: %s"\necho "the summary of %s"\n' $tool $tool >t/$tool
	done
	echo data >t/lh-note.txt
	chmod +x t/lh-*
	run -0 --separate-stderr t/lh --all
	[ "$output" = 'distill
  lh-score          the summary of lh-score
general
  lh-cat            the summary of lh-cat
other
  lh-aaa            the summary of lh-aaa
  lh-zzz            the summary of lh-zzz' ]
	run -0 --separate-stderr t/lh
	[ "$output" = 'start here
  lh           list the tools, run one, or open its page
families (lh --all says what each tool does)
  distill      score
  general      cat
  other        aaa zzz' ]
}

@test "lh TOOL runs lh-TOOL with its arguments" {
	[ "$(lh cat --version)" = "lh-cat 0.1.0" ]
	echo '{"a":1}' >a.jsonl
	[ "$(lh cat -- a.jsonl)" = '{"a":1}' ]
}

@test "lh TOOL passes on the exit status" {
	run -2 lh cat --no-such-thing
	[[ $output == 'lh-cat: unknown option'* ]]
}

@test "lh finds the tools next to it without PATH" {
	tool=$(command -v lh)
	[ "$(PATH=/nowhere "$tool" cat --version)" = "lh-cat 0.1.0" ]
}

@test "lh with a name that is not a tool says so with exit 2" {
	run -2 --separate-stderr lh nosuchword
	[ -z "$output" ]
	[ "$stderr" = 'lh: no tool "nosuchword" (lh alone lists them)' ]
	run -2 lh ../../etc/passwd
	run -2 lh nosuchword --version
	[ "$output" = 'lh: no tool "nosuchword" (lh alone lists them)' ]
}

@test "lh with a name that is close to one says which" {
	while read -r name close; do
		run -2 --separate-stderr lh "$name" --help
		[ "$stderr" = "lh: no tool \"$name\" (did you mean $close? lh alone lists them)" ] || { echo "$stderr"; return 1; }
	done <<-'END'
	serach search
	lh-serach search
	Search search
	sub subject or subject-audit
	audit audit-full or subject-audit
	hlep help
	verison version
	END
}

@test "lh version prints the version, and with --json an object" {
	[ "$(lh version)" = "lakehouse-tools 0.1.0" ]
	run -0 --separate-stderr lh version --json
	[ "${#lines[@]}" = 1 ]
	jq -e '.version == "0.1.0" and (.compiler | test("^[0-9]")) and (.flags | test("-O") and (test("/") | not)) and
		(.kernels | keys) == ["distances", "fast_products", "models", "products", "text"]' <<<"$output"
	[ "$(LH_KERNEL=portable lh version --json | jq -r '.kernels | .text, .distances, .models' | sort -u)" = portable ]
	# what is loaded is what is installed
	jq -e --arg sqlite "$(python3 -c 'import sqlite3; print(sqlite3.sqlite_version)')" --arg zlib "$(python3 -c 'import zlib; print(zlib.ZLIB_RUNTIME_VERSION)')" '.libraries |
		all(.name == "duckdb" or .loaded) and (map({(.name): .}) | add | .libsqlite3.loaded == $sqlite and .zlib.compiled == $zlib and .libjansson)' <<<"$output"
	[ "$(LH_DUCKDB=/nowhere lh version --json | jq '.libraries[] | select(.name == "duckdb").loaded')" = null ]
	run -2 --separate-stderr lh version --json x
	[ "$stderr" = 'lh: unexpected operand "x": version takes none' ]
}

@test "lh list prints what lh alone prints" {
	[ "$(lh list) $(lh list --all)" = "$(lh) $(lh --all)" ]
	run -2 --separate-stderr lh list --json
	[ "$stderr" = 'lh: --json: not an option of "lh list", but of version, doctor' ]
}

@test "lh help TOOL opens its page from a tree that is not installed" {
	plain_only "its bin is not next to man"
	command -v man >/dev/null || command -v mandoc >/dev/null || skip "neither man nor mandoc is installed"
	run -0 lh help cat </dev/null
	[[ $output == *"decompress and unpack files of JSON Lines"* ]]
	run -0 lh help </dev/null
	[[ $output == *"tools for JSON Lines"* ]]
}

@test "lh help on what has no page is exit 2 and a message" {
	run -2 lh help nosuchword
	[ "$output" = 'lh: no page for "lh-nosuchword"' ]
	plain_only "its bin is not next to man"
	run -2 lh help serch
	[ "$output" = 'lh: no page for "lh-serch" (did you mean search?)' ]
	run -2 lh help lh-serch
	[ "$output" = 'lh: no page for "lh-serch" (did you mean lh-search?)' ]
	run -2 lh help tutoral
	[ "$output" = 'lh: no page for "lh-tutoral" (did you mean tutorial?)' ]
	run -2 lh help search embed
	[ "$output" = 'lh: unexpected operand "embed": help opens one page' ]
}

@test "lh help -k finds a word in the pages, those first that are about it, and so does the name of no page" {
	plain_only "its bin is not next to man"
	run -0 lh help -k SQL
	[[ ${lines[0]} == 'lh-query: lh-query – run SQL over JSON Lines'* ]]
	[ "$(cut -d: -f1 <<<"$output" | uniq -c | awk '$1 > 3')" = "" ]
	run -0 --separate-stderr lh help receipts
	[[ $output == *'lh-distill: '* ]]
	run -0 --separate-stderr lh help --rerank-depth
	[[ $output == *'lh-search: '* ]]
	run -2 lh help -k no-such-word
	[ "$output" = 'lh: no page has "no-such-word"' ]
	while read -r word tool; do
		run -2 --separate-stderr lh "$word"
		[[ $stderr == "lh: no tool \"$word\": see $tool"* ]] || { echo "$stderr"; return 1; }
	done <<-'END'
	sql lh-query
	erase lh-subject
	csv lh-ingest
	END
}

@test "a page that is not for a terminal has no letters struck over" {
	plain_only "its bin is not next to man"
	lh help search | not grep -q $'\b'
	lh help search | grep -q '^OPTIONS'
}

@test "lh help knows the pages that are not of a tool by their names" {
	plain_only "its bin is not next to man"
	command -v man >/dev/null || command -v mandoc >/dev/null || skip "neither man nor mandoc is installed"
	for page in lakehouse-tools tutorial lakehouse-tutorial recipes lhv hash-v1 lh-hash-v1 lh-hash-v2 lh-hash-v3 models lh lh-search; do
		run lh help "$page" </dev/null
		[ "$status" = 0 ] || { echo "$page: $status"; return 1; }
	done
}

@test "lh help finds the pages of an installed tree" {
	plain_only "once is enough"
	command -v man >/dev/null || skip "man is not installed"
	mkdir -p t/bin t/share/man/man1
	cp "$LH_BIN/lh" t/bin
	cp "$ROOT/man/lh-cat.1" t/share/man/man1
	run -0 t/bin/lh help cat </dev/null
	[[ $output == *"decompress and unpack"* ]]
}

# The words of a page, its items' marks and all space left out.
squeezed() {
	LC_ALL=C.UTF-8 sed 's/^ *[•-] //' | tr -d ' \n\t'
}

# bats test_tags=full
@test "lh help prints every page where neither man nor mandoc is installed, as mandoc does" {
	mkdir -p t/bin t/share/lakehouse-tools
	cp "$LH_BIN/lh" t/bin
	cp -r "$ROOT/build/pages" t/share/lakehouse-tools
	for page in "$ROOT"/man/*.[157]; do
		name=$(basename "${page%.*}")
		run -0 --separate-stderr env PATH=/nowhere t/bin/lh help "$name"
		[ -z "$stderr" ]
		mandoc -Tutf8 -Owidth=900 "$page" 2>/dev/null | LC_ALL=C.UTF-8 sed 's,.\x08,,g; 1d; $d' | squeezed >want
		squeezed <<<"$output" | cmp - want || { echo "$name"; return 1; }
		if grep -n '^\.[A-Z]' <<<"$output"; then return 1; fi
	done
	run -0 env PATH=/nowhere t/bin/lh help cat
	[[ $output == *$'\n     --max-ratio N\n'* ]]
	[[ $output == *$'\n           gzip -k tickets.jsonl\n           lh-cat tickets.jsonl.gz | wc -l\n'* ]]
	not env LC_ALL=C.UTF-8 grep -E '.{81}' <(sed '/^EXAMPLES/,$d' <<<"$output")
	mkdir -p t/man
	cp "$ROOT/man/lh-cat.1" t/man
	rm -r t/share
	run -2 env PATH=/nowhere t/bin/lh help cat
	[ "$output" = "lh: man shows pages, and is not installed" ]
}
