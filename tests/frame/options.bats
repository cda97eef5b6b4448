# The command line, by way of the test filter; what each tool's own options do
# is tested with the tool, that help and pages agree in pages.bats.
# bats file_tags=quick
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	echo '{"a":1}' >a.jsonl
}

# refused MESSAGE ARGUMENT... - exit 2, that one line, nothing on stdout.
refused() {
	local want=$1
	shift
	run --separate-stderr "$AID" "$@" a.jsonl
	[ "$status" = 2 ] && [ -z "$output" ] && [ "$stderr" = "aid-filter: $want" ] ||
		{ echo "$*: exit $status, stdout $output, stderr $stderr"; return 1; }
}

accepted() {
	run --separate-stderr "$AID" "$@" a.jsonl
	[ "$status" = 0 ] && [ -z "$stderr" ] || { echo "$*: exit $status: $stderr"; return 1; }
}

@test "values follow = or a space, or directly a letter" {
	accepted --batch-max=7
	accepted --batch-max 7
	accepted -b7
	accepted -b 7
	accepted -qvb7
}

@test "options may follow operands, and -- ends them" {
	run -0 --separate-stderr "$AID" a.jsonl --identity
	[ "$output" = '{"a":1}' ]
	cp a.jsonl ./--identity
	run -0 --separate-stderr "$AID" -- --identity
	[ "$output" = '{"a":1,"seen":true}' ]
}

@test "- is standard input, also between files" {
	run -0 --separate-stderr bash -c 'echo "{\"b\":2}" | $AID --identity a.jsonl - a.jsonl'
	[ "$output" = $'{"a":1}\n{"b":2}\n{"a":1}' ]
}

@test "an unknown option is named" {
	refused 'unknown option "--foo" (see aid-filter --help)' --foo
	refused 'unknown option "--foo" (see aid-filter --help)' --foo=bar
	refused 'unknown option "-x" (see aid-filter --help)' -x
	refused 'unknown option "-x" (see aid-filter --help)' -qx
}

@test "long names are not abbreviated" {
	refused 'unknown option "--batch-m" (did you mean --batch-max? see aid-filter --help)' --batch-m 7
}

@test "whole numbers are checked, and the message says what is accepted" {
	for bad in abc 0 1001 -1 +1 1.0 1e2 '' ' 1' 99999999999999999999 0x10; do
		refused "--batch-max: \"$bad\" is not a whole number from 1 to 1000" --batch-max="$bad"
	done
	refused '-b: "x" is not a whole number from 1 to 1000' -bx
}

@test "sizes take K, M and G" {
	accepted --max-line 100
	accepted --max-line 1K
	accepted --max-line 1M
	accepted --max-line 2G
	for bad in 0 3G 1T 1KB K 1.5M -1 18446744073709551615G; do
		refused "--max-line: \"$bad\" is not a size from 1 to 2G (in bytes, or with K, M or G)" --max-line="$bad"
	done
}

@test "numbers are decimal, whatever the locale" {
	needs_comma
	accepted --real 0.5
	accepted --real 10
	accepted --real 0.22559473684210527
	with_comma "$AID" --real 0.5 a.jsonl
	for bad in 0,5 10.1 -1 .5 5. 1e0 nan inf '' 0x1; do
		refused "--real: \"$bad\" is not a number from 0 to 10" --real="$bad"
	done
}

@test "choices are named" {
	accepted --colour green
	refused '--colour: "blue" is not one of red, green' --colour blue
	refused '--colour: "" is not one of red, green' --colour=
	refused '--on-error: "ignore" is not one of skip, emit, stop' --on-error ignore
}

# wrong_values TOOL - a command line for each value that the type of an option forbids.
wrong_values() {
	"$1" --describe-options | jq -r '.tool as $tool | .options[] |
		"\($tool) \((.commands // [""])[0]) \(if .long then "--\(.long)=" else "-\(.short)" end)" +
		(if .type == "choice" then "no\u001b[31mthing", "" elif .type == "time" then "now", "12:00" elif .type == "size" then "0", "1.5M"
		elif .type == "whole" then .min - 1, "\(.max)0", 1.5, "x" elif .type == "number" then "x", "0x1" else empty end | tostring)'
}

@test "a value that the type of an option forbids is exit 2 in every tool, in one line that quotes it" {
	for tool in $(basename -a "$ROOT"/tools/*/); do
		wrong_values "$tool"
	done >lines
	[ "$(wc -l <lines)" -gt 800 ]
	while read -r line; do
		run -2 --separate-stderr $line </dev/null
		[ -z "$output" ] && [[ $stderr == "${line%% *}: -"*": \""*"\" is not "* && $stderr != *$'\e'* ]] && [ "${#stderr_lines[@]}" = 1 ] ||
			{ echo "$line: $stderr"; return 1; }
	done < <(drawn 80 <lines)
}

@test "times are RFC 3339" {
	accepted --now 2026-05-03T12:00:00Z
	accepted --now 2026-05-03T12:00:00.25+02:00
	accepted --now 2024-02-29T23:59:59Z
	for bad in now 2026-05-03 2026-02-29T00:00:00Z 2026-13-01T00:00:00Z 2026-05-03T24:00:00Z 2026-05-03T12:00:00; do
		refused "--now: \"$bad\" is not a time like 2026-05-03T12:00:00Z" --now "$bad"
	done
}

@test "a missing or a superfluous value is named" {
	run -2 --separate-stderr "$AID" a.jsonl --jobs
	[ "$stderr" = 'aid-filter: --jobs: missing value, which is a whole number from 1 to 256' ]
	refused '--quiet: takes no value' --quiet=yes
}

@test "a variable gives a default, is checked, and an option wins" {
	export LH_AID_REAL=77
	refused 'LH_AID_REAL: "77" is not a number from 0 to 10'
	accepted --real 1
	export LH_AID_REAL=
	accepted
}

@test "what is printed about bad options is escaped" {
	refused 'unknown option "--\x1b[31m" (see aid-filter --help)' $'--\e[31m'
	refused '--jobs: "\x0a\x9b\x7f" is not a whole number from 1 to 256' $'--jobs=\n\x9b\x7f'
	refused '--colour: "\xc2\x9b" is not one of red, green' $'--colour=\xc2\x9b'
}

@test "help and version come on stdout with exit 0, whatever else is asked" {
	run -0 --separate-stderr "$AID" --help absent
	[ -z "$stderr" ]
	[ "${lines[0]}" = 'Usage: aid-filter [OPTION]... [FILE]...' ]
	run -0 --separate-stderr "$AID" -qV
	[ "$output" = "aid-filter 0.1.0" ]
	run -2 bash -c "$AID --help 2>&1 >/dev/full"
	[[ $output == *"No space left"* ]]
}

@test "nothing is read or written before the command line is right" {
	refused '--colour: "blue" is not one of red, green' --rejects r --into out.jsonl --colour blue
	[ ! -e r ]
	[ ! -e out.jsonl ]
}

@test "a tool may do something without a command, and other things by name" {
	mkdir empty
	run -1 --separate-stderr lh-audit-full --phase 0 --root empty --out report
	[ "${#lines[@]}" = 3 ]
	run -0 lh-audit-full --help
	[[ $output == *$'\nCommands:\n  drift '* ]]
	[[ $output != *'run nothing; '* ]]
	[[ $output == *'(default -1); drift'* ]]
	run -2 --separate-stderr lh-audit-full nonsense
	[[ $stderr == 'lh-audit-full: unknown command "nonsense", not one of '* ]]
	run -2 --separate-stderr lh-audit-full ''
	[[ $stderr == 'lh-audit-full: unknown command "", not one of '* ]]
	run -2 --separate-stderr lh-audit-full --from 1
	[ "$stderr" = 'lh-audit-full: --from: not an option of "lh-audit-full", but of drift' ]
	run -2 --separate-stderr lh-audit-full drift --observer
	[ "$stderr" = 'lh-audit-full: --observer: not an option of "lh-audit-full drift", but of lh-audit-full' ]
}

@test "whole numbers may have a sign where that means something" {
	for bad in 1.5 x '' - +1 --1 1- 99999999999999999999 -99999999999999999999; do
		run -2 --separate-stderr lh-audit-full drift --from="$bad" absent
		[[ $stderr == "lh-audit-full: --from: \"$bad\" is not a whole number from -"*" to "* ]]
	done
	for good in 1 -1 -02 007; do
		run -2 --separate-stderr lh-audit-full drift --from "$good" absent
		[[ $stderr == 'lh-audit-full: absent: '* ]]
	done
}

@test "options of another command, unknown commands and missing operands are named" {
	command -v lh-index >/dev/null || skip "lh-index is not built"
	run -2 --separate-stderr lh-index
	[[ $stderr == 'lh-index: missing command, which is one of build, '* ]]
	run -2 --separate-stderr lh-index nonsense
	[[ $stderr == 'lh-index: unknown command "nonsense", not one of build, '* ]]
	run -2 --separate-stderr lh-index build
	[[ $stderr == 'lh-index: build: missing operand '* ]]
	run -0 --separate-stderr lh-index build --help
	[[ ${lines[0]} == 'Usage: lh-index build '* ]]
}

@test "an unknown option, command or choice that is close to one says which" {
	while IFS='|' read -r arguments want; do
		run -2 --separate-stderr $arguments
		[ -z "$output" ] && [ "$stderr" = "${arguments%% *}: $want" ] || { echo "$arguments: $stderr"; return 1; }
	done <<-'END'
	lh-search --wher a=b x.lhv|unknown option "--wher" (did you mean --where? see lh-search --help)
	lh-search --Where=a=b x.lhv|unknown option "--Where" (did you mean --where? see lh-search --help)
	lh-search --exlcude a x.lhv|unknown option "--exlcude" (did you mean --exclude? see lh-search --help)
	lh-search --max_line 1M x.lhv|unknown option "--max_line" (did you mean --max-line? see lh-search --help)
	lh-search --play a x.lhv|unknown option "--play" (did you mean --playbook, --playbook-optional or --playbooks? see lh-search --help)
	lh-search -help x.lhv|unknown option "-help" (did you mean --help? see lh-search --help)
	lh-search -where a=b x.lhv|unknown option "-where" (did you mean --where? see lh-search --help)
	lh-search --limit 3 x.lhv|unknown option "--limit" (did you mean -k? see lh-search --help)
	lh-search -n 3 x.lhv|unknown option "-n" (did you mean -k? see lh-search --help)
	lh-search --k 3 x.lhv|unknown option "--k" (did you mean -k? see lh-search --help)
	lh-search -help|unknown option "-help" (did you mean --help? see lh-search --help)
	lh-query --limit 3 x|unknown option "--limit" (did you mean --max-rows? see lh-query --help)
	lh-search --filter a=b x.lhv|unknown option "--filter" (did you mean --where? see lh-search --help)
	lh-search --format json x.lhv|unknown option "--format" (did you mean --flat? see lh-search --help)
	lh-serve --port 80|unknown option "--port" (did you mean --listen? see lh-serve --help)
	lh-index build --pk id x.lhv|unknown option "--pk" (did you mean --id-field? see lh-index --help)
	lh-search --nonsense x.lhv|unknown option "--nonsense" (see lh-search --help)
	lh-search -x x.lhv|unknown option "-x" (see lh-search --help)
	lh-lift --model m x.lhv|unknown option "--model" (did you mean --judge-model? see lh-lift --help)
	lh-gen workers --see 1|unknown option "--see" (did you mean --seed? see lh-gen --help)
	lh-embed --engine Olama|--engine: "Olama" is not one of hash, ollama, openai, gguf (did you mean ollama?)
	lh-validate --kind smss x|--kind: "smss" is not one of fill, email, sms, playbook (did you mean sms?)
	lh-score --on-error=skpi|--on-error: "skpi" is not one of skip, emit, stop (did you mean skip?)
	lh-index build --distance l1 x.lhv|--distance: "l1" is not one of cosine, l2, ip (did you mean l2?)
	lh-catalog lst|unknown command "lst" (did you mean list?), not one of register, get, list, remove, verify, requests
	lh-observe stats --cursr x log|unknown option "--cursr" (did you mean --cursor? see lh-observe --help)
	END
}

@test "--id and --id-field are one where a tool has either for the member with the id" {
	printf '{"key":"a","text":"t"}\n' >in
	[ "$(lh-embed --id key --dimension 64 in | jq -c 'keys')" = "$(lh-embed --id-field key --dimension 64 in | jq -c 'keys')" ]
	lh-index build -q --id key x.lhv in
	[ "$(lh-index dump x.lhv | jq -r .id)" = a ]
	printf 'key,text\na,t\n' >in.csv
	[ "$(lh-ingest --id-field key in.csv)" = "$(lh-ingest --id key in.csv)" ]
}

@test "what is close is offered from the command given, if that has it" {
	# both are one letter away; --to is of drift alone
	run -2 --separate-stderr lh-audit-full drift --tos 1
	[ "$stderr" = 'lh-audit-full: unknown option "--tos" (did you mean --to? see lh-audit-full --help)' ]
	run -2 --separate-stderr lh-index delete --i x.lhv
	[[ $stderr == 'lh-index: unknown option "--i" '* ]]
	run -2 --separate-stderr lh-index delete --hnswlib w-1 x.lhv
	[ "$stderr" = 'lh-index: --hnswlib: not an option of "lh-index delete", but of import, export' ]
}

# Each option of the helps given as LETTER NAME ARGUMENT, - where there is none.
options_of() {
	sed -nE 's/^ {2,6}(-(.), )?--([a-z0-9-]+)( ([^ ]+))?(  .*)?$/\2|\3|\5/p; s/^  -(.)( ([^ ]+))?(  .*)?$/\1||\3/p' |
		sed 's/^|/-|/; s/||/|-|/; s/|$/|-/' | sort -u
}

# Of rows as options_of prints them: the name of each, the letter if there is one.
names() {
	sed -E 's/^-\|([^|]*)\|.*/\1/; s/\|.*//' | sort -u
}

# The options that a help names in its last lines alone.
also_of() {
	awk '/^  Also / { on = 1 } on' | grep -oE -- '-[a-zA-Z],|--[a-z-]+[,;]|-[a-zA-Z];' | sed 's/^-*//; s/[,;]//' | sort -u
}

# lists TEXT ROWS - whether a help has those rows and no other, but that some are names alone.
lists() {
	local rows
	rows=$(options_of <<<"$1")
	[ -z "$rows" ] || not grep -vxFf <(printf '%s' "$2") <<<"$rows"
	alike <(names <<<"$2") <({ names <<<"$rows"; also_of <<<"$1"; } | sed '/^$/d' | sort -u)
}

# bats test_tags=full,plain-only
@test "--describe-options has every option and command that --help has, and no other" {
	for tool in $(basename -a "$ROOT"/tools/*/); do
		run -0 --separate-stderr "$tool" --describe-options
		[ -z "$stderr" ]
		[ "${#lines[@]}" = 1 ]
		described=$(jq -r '.options[] | "\(.short // "-")|\(.long // "-")|\(.argument // "-")"' <<<"$output" | sort)
		lists "$(all_help "$tool")" "$described" || { echo "$tool: described <, help >"; return 1; }
		alike <(jq -r '.tool, (.commands[]?.name | select(. != ""))' <<<"$output" | sort) \
			<({ echo "$tool"; "$tool" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }'; } | sort)
		[ "$(jq -r .tool <<<"$output")" = "$tool" ]
		[ "$(jq -r .summary <<<"$output")" = "$("$tool" --help | awk 'NR > 1 && !/^ / { print; exit }')" ]
		# of an option: commands that there are; of a choice: what is accepted
		[ "$(jq '[.commands[]?.name] as $c | all(.options[].commands[]?; IN($c[]))' <<<"$output")" = true ]
		[ "$(jq 'all(.options[] | select(.type == "choice"); (.choices | join("|")) == .argument or (.argument == "NAME" and (.choices | length) > 5))' <<<"$output")" = true ]
		# either operands, or commands with theirs
		[ "$(jq 'has("operands") != has("commands")' <<<"$output")" = true ]
	done
}

# The tools whose operations are rows of lib/tool/op.h.
DESCRIBED="lh-catalog lh-index lh-observe lh-pathway lh-playbook lh-store lh-subject-audit"

# bats test_tags=full,plain-only
@test "--describe has every command with its options, every operation of requests, and no other" {
	for tool in $DESCRIBED; do
		run -0 --separate-stderr "$tool" --describe
		[ -z "$stderr" ]
		[ "${#lines[@]}" = 1 ]
		alike <(jq -r '.operations[] | select(.operands).name' <<<"$output" | sort) <(commands_of "$tool" | sort)
		for command in $(commands_of "$tool"); do
			alike <(jq -r --arg c "$command" '.options[].name, (.operations[] | select(.name == $c).options[].name)' <<<"$output" | sort) \
				<("$tool" --describe-options | jq -r --arg c "$command" '.options[] |
					select(.commands == null or any(.commands[]; . == $c)) | .long // .short' | sort)
		done
		# what requests answers is described, with the members of its record
		jq -r '.operations[] | select(.name == "requests").input.properties.op.enum[]?' <<<"$output" >asked
		[ -s asked ]
		run ! grep -vxFf <(jq -r '.operations[].name' <<<"$output") asked
	done
}

@test "--describe of each tool has its operations, or one without a name, under the options given" {
	for tool in $(basename -a "$ROOT"/tools/*/); do
		run -0 --separate-stderr "$tool" --describe
		[ -z "$stderr" ]
		[ "${#lines[@]}" = 1 ]
		[ "$(jq -c 'keys_unsorted' <<<"$output")" = '["name","about","options","operations"]' ]
		[ "$(jq -c '[.operations[] | keys_unsorted] | unique[]' <<<"$output")" = '["name","operands","about","options","input","output","writes","shows","uses","paths"]' ]
		alike <(jq -r '.name, (.operations[] | select(.operands and .name != "").name)' <<<"$output" | sort) \
			<({ echo "$tool"; commands_of "$tool"; } | sort)
		[ "$(jq ".operations | length" <<<"$output")" -ge 1 ]
		jq -e 'all(.operations[]; .writes | type == "boolean")' <<<"$output" >/dev/null
	done
	run -0 bash -c 'for tool in lh-audit-full lh-store lh-search; do "$tool" --describe; done |
		jq -c "[.operations[] | .writes] | unique"'
	[ "$output" = '[false,true]
[false,true]
[false]' ]
	run -0 bash -c 'lh-score --check-drift --wire --describe | jq -c ".operations[] | [.operands, (.input.properties | keys[])]"'
	[ "$output" = '["[FILE]...","records"]' ]
	run -0 bash -c 'lh-ingest --describe | jq -c "[.operations[] | .name, .operands]"'
	[ "$output" = '["","[TABLE]..."]' ]
	printf 'a\n1\n' >t.csv
	lh-ingest --describe t.csv | cmp - <(lh-ingest --columns t.csv)
}

# bats test_tags=full
@test "the input of an operation in --describe permits what is answered, and not another type or a lack" {
	# of two of a name, that of requests
	input() { "$1" --describe | jq -c --arg n "$2" '.operations | map(select(.name == $n)) | sort_by(.operands)[0].input' >s.json; }
	verdict() { lh-validate --schema s.json <<<"$1" | jq .verdict.status; }
	while IFS='|' read -r tool name permitted forbidden; do
		input "$tool" "$name"
		[ "$(verdict "$permitted")" = 200 ] || { echo "$tool $name: $permitted"; return 1; }
		[ "$(verdict "$forbidden")" = 422 ] || { echo "$tool $name: $forbidden"; return 1; }
	done <<-'END'
	lh-catalog|register|{"op":"register","name":"a","schema_fingerprint":"f","x":1,"row_count":null}|{"name":"a"}
	lh-catalog|get|{"name":"a"}|{"name":""}
	lh-index|create|{"name":"a","dimension":2,"m":null}|{"name":"a","dimension":0}
	lh-index|lookup|{"id":7}|{"id":7,"name":"../a"}
	lh-index|merge|{"src":"a","dest":"b","clear_source":true}|{"src":"a"}
	lh-store|put|{"key":"a","file":"f"}|{"file":"f"}
	lh-store|list|{}|{"prefix":5}
	lh-observe|inbox|{"type":"sms","body":"b","priority":""}|{"type":"fax","body":"b"}
	lh-observe|stats|{"window":5,"by":null}|{"by":"x"}
	lh-subject-audit|append|{"candidate_id":"a","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":[],"result":"denied"}|{"candidate_id":"a","x":1}
	lh-subject-audit|report|{"id":"a","from":null}|{"id":""}
	lh-observe|requests|{"op":"health"}|{"op":"record"}
	lh-pathway|add|{"content":null,"uid":null}|{"uid":"a"}
	lh-pathway|update|{"uid":"a","content":1}|{"content":1}
	lh-playbook|bulk|{"entries":[{}],"corpus":null}|{"entries":[]}
	lh-playbook|remove|{"playbook_id":"a"}|{"playbook_id":5}
	lh-pathway|search|{"tags":["a"],"limit":null}|{"limit":-1}
	END
}

# bats test_tags=full,plain-only
@test "the help of a command has its options and those of all commands, and no other" {
	for tool in $(basename -a "$ROOT"/tools/*/); do
		for command in $(commands_of "$tool"); do
			run -0 --separate-stderr "$tool" "$command" --help
			[[ ${lines[0]} == "Usage: $tool $command "* ]]
			[ "${#lines[@]}" -le 40 ] || { echo "$tool $command --help has ${#lines[@]} lines"; return 1; }
			lists "$output" "$("$tool" --describe-options | jq -r --arg c "$command" '.options[] |
				select(.commands == null or any(.commands[]; . == $c)) |
				"\(.short // "-")|\(.long // "-")|\(.argument // "-")"' | sort)" || { echo "$tool $command: described <, help >"; return 1; }
		done
	done
}

# bats test_tags=full,plain-only
@test "where its options do not fit a screen, a tool lists those of all commands and says so" {
	last='COMMAND --help lists the options of a command.'
	for tool in $(basename -a "$ROOT"/tools/*/); do
		run -0 --separate-stderr "$tool" --help
		of_all=$("$tool" --describe-options | jq -r '.options[] | select(.commands == null) |
			"\(.short // "-")|\(.long // "-")|\(.argument // "-")"' | sort)
		if [ "${lines[-1]}" = "$tool $last" ]; then
			lists "$output" "$of_all"
		else
			lists "$output" "$("$tool" --describe-options | jq -r '.options[] |
				"\(.short // "-")|\(.long // "-")|\(.argument // "-")"' | sort)" || { echo "$tool"; return 1; }
		fi
	done
	run -0 lh-index --help
	[ "${lines[-1]}" = "lh-index $last" ]
	[[ $output == *'  Also '*'-j, '* && $output != *--precision* ]]
	run -0 lh-index build --help
	[[ $output == *'--precision f32|f16|i8 '* && $output != *"$last"* ]]
	run -0 lh-audit-full --help
	[[ $output == *'--from '* && $output != *"$last"* ]]
}

@test "the name of an argument says what kind of value it has" {
	kind() { "$1" --describe-options | jq -c "$2"; }
	[ "$(kind lh-search '.operands')" = '[{"name":"INDEX|FILE","required":true,"repeatable":true,"value":"file"},{"name":"TEXT","required":false,"repeatable":false,"value":"text"}]' ]
	[ "$(kind lh-index '.commands[] | select(.name == "merge") | [.operands[] | .name, .required, .repeatable]')" = '["DEST",true,false,"SRC",true,true]' ]
	[ "$(kind lh-index '.commands[] | select(.name == "build").operands[1] | .required, .repeatable, .files[0]' | xargs)" = 'false true *.jsonl' ]
	[ "$(kind lh-parity '.commands[0].operands | map(.name)')" = '["FIXTURE"]' ]
	[ "$(kind lh-parity '.options[] | select(.long == "report").files')" = '["*.md"]' ]
	[ "$(kind lh-load '.commands[1].operands | map([.name, .value])')" = '[["SCENARIOS.jsonl","file"],["URL|DIR","folder"]]' ]
	[ "$(kind lh-load '.options[] | select(.short == "c").value')" = '"text"' ]
	[ "$(kind lh-subject-audit '.commands[] | select(.name == "manifest").operands[0].choices')" = '["put","get","list","verify"]' ]
	[ "$(kind lh-ingest '.options[] | select(.long == "sample") | [.type, .value, .choices]')" = '["text","text",["all"]]' ]
	[ "$(kind lh-validate '.options[] | select(.long == "schema") | [.type, .value, .choices[0], .choices[-1]]')" = '["text","file","evidence_record","list"]' ]
	[ "$(kind lh-validate '.options[] | select(.long == "kind") | [.type, .argument, .choices[0]]')" = '["choice","fill|email|sms|playbook","fill"]' ]
	[ "$(kind lh-search '.options[] | select(.short == "k") | [.type, .min, .max, .default]')" = '["whole",0,10000,"10"]' ]
	[ "$(kind lh-validate '.options[] | select(.long == "key-file") | [.type, .value, .files, .repeatable]')" = '["text","file",null,true]' ]
}
