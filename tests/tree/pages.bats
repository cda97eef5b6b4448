# The manual, the options and the help say the same.
# Plain only: it looks at the tree, the plain build or the tests.
# bats file_tags=quick,plain-only
load ../helper

tools() {
	basename -a "$ROOT"/tools/*/
}

# The options that a page lists in OPTIONS, one a line.
page_options() {
	awk '
		/^\.Sh / { on = $2 == "OPTIONS" }
		on && /^\.It Fl / {
			for (i = 3; i <= NF; i++)
				if ($(i - 1) == "Fl" || $(i - 1) == ",") print "-" $i
		}' "$1" | sort -u
}

# The options that a tool has, one a line; tests/frame/options.bats compares its help with them.
options() {
	"$1" --describe-options | jq -r '.options[] | (.short // empty | "-" + .), (.long // empty | "--" + .)' | sort -u
}

@test "mandoc has nothing to say about any page" {
	for page in "$ROOT"/man/*.[157]; do
		# two files: in one, the second message may come in the middle of the first
		mandoc -Tlint -Wstyle "$page" >lint 2>err || true
		run bash -c "grep -v 'referenced manual not found' lint; grep -v 'outdated mandoc.db' err"
		[ -z "$output" ] || { echo "$output"; return 1; }
	done
}

@test "each tool has a page, each page of section 1 a tool" {
	alike <(tools) <(basename -as .1 "$ROOT"/man/*.1)
}

@test "each tool's page has the sections that every page has" {
	for page in "$ROOT"/man/lh-*.1; do
		for section in NAME SYNOPSIS DESCRIPTION OPTIONS INPUT OUTPUT FILES 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
			grep -q "^\.Sh $section\$" "$page" || { echo "$page has no $section"; return 1; }
		done
	done
}

@test "a page lists the options that the tool has, and no other" {
	for tool in $(tools); do
		[ "$tool" = lh ] && continue
		alike <(options "$tool") <(page_options "$ROOT/man/$tool.1") || { echo "$tool: tool <, page >"; return 1; }
	done
}

@test "--help begins with an example of the page" {
	for tool in $(tools); do
		[ "$tool" = lh ] && continue
		run -0 "$tool" --help
		example=$(awk '!$0 { block++ } NR < 10 && block == 1' <<<"$output" | tr -s ' \\\n' ' ')
		[[ $example == *lh[-\ ]* ]] || { echo "$tool: $example"; return 1; }
		sed 's/\\e/\\/g' "$ROOT/man/$tool.1" | tr -s ' \t\\\n' ' ' | grep -qF -- "${example:1:-1}" || { echo "$tool: $example"; return 1; }
	done
}

@test "the overview and the README name every tool, once" {
	alike <(tools | LC_ALL=C sort) <(sed -n 's/^\.It Xr \(lh[a-z-]*\) 1$/\1/p' "$ROOT/man/lakehouse-tools.7" | LC_ALL=C sort)
	alike <(tools | LC_ALL=C sort) <(sed -n '/^\.Sh SEE ALSO/,$s/^\.Xr \(lh[a-z-]*\) 1 ,$/\1/p' "$ROOT/man/lakehouse-tools.7")
	alike <(tools | LC_ALL=C sort) <(sed -n 's/^- `\(lh[a-z-]*\)`: .*/\1/p' "$ROOT/README.md" | LC_ALL=C sort)
}

# The three lists as lines FAMILY TOOL, without lh itself, which lh --all does not list.
families_of_lh() {
	lh --all | awk '/^[a-z]/ { family = $0; next } { print family, $1 }'
}

families_of_overview() {
	awk '/^\.Sh / { on = $2 == "TOOLS" } on && /^\.Ss / { family = tolower($2) }
		on && /^\.It Xr lh-/ { print family, $3 }' "$ROOT/man/lakehouse-tools.7"
}

families_of_readme() {
	awk '/^## / { on = $0 == "## The tools" } on && /^### / { family = tolower($2) }
		on && /^- `lh-/ { gsub("[`:]", ""); print family, $2 }' "$ROOT/README.md"
}

@test "the README fits 120 lines, and CONTRIBUTING.md two screens of 60; each file that they name exists" {
	[ "$(wc -l <"$ROOT/README.md")" -le 120 ]
	[ "$(wc -l <"$ROOT/CONTRIBUTING.md")" -le 120 ]
	cd "$ROOT"
	ls -d $(sed -n 's/.*`\([a-z]*\/[a-z_/.-]*\)`.*/\1/p; s/.*](\([^)]*\)).*/\1/p' README.md CONTRIBUTING.md SECURITY.md |
		grep -v '^bin/\|^build/\|^oracle/\|^\/') >"$BATS_TEST_TMPDIR/named"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/named")" -gt 20 ]
}

@test "lh, the overview and the README list the same families in the same order" {
	[ "$(families_of_lh | wc -l)" -gt 20 ]
	alike <(families_of_lh) <(families_of_overview)
	alike <(families_of_lh) <(families_of_readme)
}

@test "help, page and overview say in the same words what a tool does" {
	for tool in $(tools); do
		page=$(sed -n 's/^\.Nd \(.*\) (lakehouse-tools)$/\1/p' "$ROOT/man/$tool.1")
		[ -n "$page" ]
		alike <(echo "$page") <("$tool" --help | awk 'NR > 1 && !/^ / { print; exit }') || { echo "$tool --help"; return 1; }
		alike <(echo "$page") <(grep -A1 "^\.It Xr $tool 1\$" "$ROOT/man/lakehouse-tools.7" | sed 1d) || { echo "overview of $tool"; return 1; }
	done
}

@test "the pages call each other by names that exist" {
	names=$(grep -h '^\.Xr lh\|^\.Xr lakehouse' "$ROOT"/man/*.[157] | awk '{ print $2 "." $3 }' | sort -u)
	for name in $names; do
		[ -f "$ROOT/man/$name" ] || { echo "no page $name"; return 1; }
	done
}

@test "the help fits a terminal: 40 lines of 80 columns, on stdout, exit 0" {
	for tool in $(tools); do
		run -0 --separate-stderr "$tool" --help
		[ -z "$stderr" ]
		[ "$(wc -l <<<"$output")" -le 40 ] || { echo "$tool --help has ${#lines[@]} lines"; return 1; }
		[ "$(awk 'length > 80' <<<"$output")" = "" ] || { echo "$tool --help is too wide"; return 1; }
	done
}

@test "every tool says its version" {
	for tool in $(tools); do
		[ "$("$tool" --version)" = "$tool 0.1.0" ]
		[ "$("$tool" -V)" = "$tool 0.1.0" ]
	done
}

@test "an unknown option is named, with exit 2 and nothing on stdout" {
	for tool in $(tools); do
		[ "$tool" = lh ] && continue
		run -2 --separate-stderr "$tool" --no-such-thing
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ]
		[[ $stderr == "$tool: "*no-such-thing* ]]
	done
}

@test "what a rule says is in the page of lh-validate to the letter" {
	mandoc -Tutf8 -Owidth=1000 "$ROOT/man/lh-validate.1" | sed 's,.\x08,,g' >page
	while IFS= read -r text; do
		grep -qF -- "$text" page || { echo "not in the page: $text"; return 1; }
	done <<-'END'
	unknown kind "nonsense" (expected fill, email, sms or playbook)
	artifact must be an object
	context must be an object
	context.target_count must be a whole number
	context.city must be a string
	expected array
	endorsed count (N) != target_count (M)
	duplicate candidate_id 'X' in fills
	fills[i].candidate_id 'X' does not exist in worker roster
	fills[i] worker 'X' status is 'inactive', expected 'active'
	fills[i] worker 'X' is blacklisted for client 'C'
	city 'Louisville' doesn't match contract city 'Toledo'
	'Given' differs from roster name 'Donald Green'
	"kind":"sms"
	SMS body is N chars (max 160)
	subject is N chars (max 78)
	SSN-shaped sequence in body
	salary disclosure: keyword near dollar amount
	_context.candidate_id 'X' does not exist in worker roster
	body does not mention 'Donald Green'
	expected `fill: ...` prefix, got "sms_draft: hello"
	endorsed_names must be non-empty
	endorsed_names (3) exceeds target_count × 2 (2)
	missing — required for Phase 25 validity window
	END
}

@test "no line of a page ends with a backslash that joins it to the next" {
	run ! grep -nE '(^|[^\\])(\\\\)*\\$' "$ROOT"/man/*.[157]
	[ "$status" = 1 ]
}

# The words that readers had to read twice, as a Perl expression, and what to write instead:
# the user, reported, next to, after, compaction, stream, command, is stored, is not a string.
WORDS='\b(?:whoever|somebody|nobody|anybody|everybody|told|besides?|behind|folds?|folding|folded|stems?|verbs?
	|lies|lay|stands|stood|now\ and\ then)\b | (?<!there\ )(?<!without\ )\b(?:is|are|was|holds)\ no\ (?!longer\b|more\b)[a-z]'

# Where such a word is right: what is written, and why.
RIGHT='params.c: beside|beside\s+number|as beside says   the name of a member of lhv(5)
left behind                      idiom; also the prompt of lh-replay
leave behind                     the same
stands still                     said of a clock
stands for                       means
--fold                           an option of lh-subject
case-folded                      the term of Unicode
case folding                     the same
fold\.(?:inc|py)                 names of files
stemmer|stemming                 the term of linguistics'

# wrong NAME - the lines of stdin that have one of the words.
wrong() {
	local right
	right=$(sed 's/   *.*//' <<<"$RIGHT" | paste -sd'|')
	NAME=$1 WORDS=$WORDS RIGHT=$right perl -ne '
		my ($text, $line) = ($_, $_);
		$text =~ s/$ENV{RIGHT}//gi;
		print "$ENV{NAME}:$.: $line" if $text =~ /$ENV{WORDS}/xi'
}

# The string literals of the C files named, one a line, after their file.
literals() {
	perl -ne 'next if /^\s*(?:\/?\*|#\s*include)/;
		print "$ARGV: $1\n" while /"((?:[^"\\]|\\.)*)"/g' "$@"
}

@test "no page, README or help has a word of the list" {
	[ "$(echo 'it is told to whoever asks' | wrong x)" = 'x:1: it is told to whoever asks' ]
	[ "$(echo 'an id that is no string' | wrong x)" = 'x:1: an id that is no string' ]
	[ -z "$(echo 'there is no string; it is no longer left behind' | wrong x)" ]
	for page in "$ROOT"/man/*.[157]; do
		case $page in
		*/lh-hash-v[123].7) continue ;;	# letters are folded and words have stems, both defined there
		esac
		mandoc -Tutf8 -Owidth=1000 "$page" >text
		sed -i 's,.\x08,,g' text
		grep -q '^DESCRIPTION' text
		wrong "$(basename "$page")" <text
	done >found
	for file in README.md CONTRIBUTING.md SECURITY.md KNOWN_RISKS.md bench/README.md; do
		sed 's/without stems/without endings cut/' "$ROOT/$file" | wrong "$file"
	done >>found
	for tool in $(tools); do
		"$tool" --help >help
		wrong "$tool --help" <help
		for command in $(awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }' help); do
			# the first word of a command of two words is none
			"$tool" "$command" --help >help 2>err || continue
			wrong "$tool $command --help" <help
		done
	done >>found
	[ ! -s found ] || { cat found; return 1; }
}

@test "no message of a tool has a word of the list" {
	cd "$ROOT"
	# what tools write to standard output, to a model or to records on file stays as it is
	literals $(find lib tools -name '*.[ch]') |
		grep -vE '^tools/(lh-gen|lh-audit-full/report|lh-subject-audit/report|lh-replay/answer)|^tools/lh-lift/tally.c: .n## Disc' |
		grep -vE '^lib/distill/sample.c: model_role|: \^stem$|: (stem|verb)s?$|main.c: fold$' | wrong message >"$BATS_TEST_TMPDIR/found"
	[ "$(literals lib/tool/options.c | wc -l)" -gt 10 ]
	[ ! -s "$BATS_TEST_TMPDIR/found" ] || { cat "$BATS_TEST_TMPDIR/found"; return 1; }
}

@test "no word of a sentence is shown as an option" {
	for page in "$ROOT"/man/*.[157]; do
		mandoc -T tree "$page" | awk -v page="${page##*/}" '/^ *Fl \(elem\)/ { flag = 1; next }
			flag && / \(text\) / && $1 ~ /^[^-]./ { print page ": -" $1 }
			{ flag = 0 }'
	done >found
	[ ! -s found ] || { cat found; return 1; }
	# it finds them
	printf '.Dd May 3, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Sh DESCRIPTION\n.Fl -all it takes\n' >page
	mandoc -T tree page | grep -A1 'Fl (elem)' | has '^ *takes (text)'
}

@test "a description begins with a sentence that has its subject, and no line is there twice" {
	for page in "$ROOT"/man/*.[157]; do
		awk -v page="${page##*/}" '/^\.Bd/ { shown = 1 }
			/^\.Ed/ { shown = 0 }
			begun && /^[a-z]/ { print page ": " $0 }
			!shown && $0 == last && length > 4 { print page ": twice: " $0 }
			{ begun = $0 == ".Sh DESCRIPTION"; last = $0 }' "$page"
	done >found
	[ ! -s found ] || { cat found; return 1; }
}

@test "man -k lakehouse lists every page" {
	for page in "$ROOT"/man/*.[157]; do
		sed -n '/^\.Sh NAME/,/^\.Sh S/p' "$page" | has lakehouse || { echo "$page"; return 1; }
	done
	command -v mandb >/dev/null || skip "there is no mandb"
	mkdir -p tree/man1
	cp "$ROOT"/man/lh*.1 tree/man1
	mandb -q "$PWD/tree" 2>/dev/null || skip "mandb does not run here"
	[ "$(man -M "$PWD/tree" -k lakehouse | wc -l)" = "$(ls tree/man1 | wc -l)" ]
}
