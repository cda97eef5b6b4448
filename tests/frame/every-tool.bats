# What holds for every tool, over the commands of commands.bash, where a tool is a line.
# bats file_tags=quick
load ../helper
load ../servers/server
load ../commands

@test "a command line that is right ends with 0 and says nothing but a total" {
	while read -r command; do
		run --separate-stderr bash -c "$command" </dev/null
		[ "$status" = 0 ] && [[ $stderr =~ ^(|lh-playbook: 40 recorded, 0 not|lh-distill: [0-9]+ files compared with the newest receipts|lh-subject-audit: [0-9]+ logs?, [0-9]+ rows: all intact, but not compared with an anchor|lh-subject-audit: [0-9]+ accesses to the data of [0-9]+ persons?)$ ]] || { echo "$command: exit $status: $stderr"; return 1; }
	done < <(commands)
}

# bats test_tags=full
@test "what each command reads and writes is as --describe says, by JSON Schema" {
	n=0 bad=0
	while read -r command; do
		fresh
		set -- $command
		bash -c "${command/%lh-ingest*/lh-ingest} --describe" >described	# with a table it is about that
		operation=$(jq -c --arg c "$2" '.operations | map(select(.operands)) | sort_by(.name != $c)[0]' described)
		bash -c "$command" </dev/null >out 2>err
		for part in input output; do
			jq -ce ".$part | objects" <<<"$operation" >s.json || continue
			records=out
			if [ "$part" = input ]; then	# the records are in a FILE, or on standard input
				[[ $(jq -r .operands <<<"$operation") == *FILE* || $command == *\<* ]] || continue
				records=$(grep -o '[a-z-]*\.jsonl$' <<<"$command") || continue
			fi
			n=$((n + 1))
			lh-validate --schema s.json "$records" >got 2>err || { echo "$command: $part: $(cat err; jq -c '.verdict | select(.status != 200)' got | first 3)"; bad=1; }
		done
	done < <(commands | grep -v ^lh-query)	# which with SQL as operand prints rows
	[ "$n" -gt 100 ]
	[ "$bad" = 0 ]
}

@test "a full disk as stdout is exit 2 with the reason" {
	while read -r command; do
		run bash -c "$command 2>&1 >/dev/full" </dev/null
		[ "$status" = 2 ] && [[ $output == *"No space left"* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(writers)
}

@test "a full disk under help, version and the list of tools is exit 2 as well" {
	while read -r command; do
		run bash -c "$command 2>&1 >/dev/full"
		[ "$status" = 2 ] && [[ $output == *"No space left"* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(tools | sed 's/$/ --help/'; tools | sed 's/$/ --version/'; echo lh)
}

@test "a closed stdout is exit 2 and a message" {
	while read -r command; do
		run bash -c "$command 2>&1 >&-" </dev/null
		[ "$status" = 2 ] && [ -n "$output" ] || { echo "$command: exit $status: $output"; return 1; }
	done < <(writers)
}

@test "a closed stdin is exit 2 and a message where stdin would be read" {
	while read -r command; do
		run bash -c "$command 2>&1 <&-"
		[ "$status" = 2 ] && [ -n "$output" ] || { echo "$command: exit $status: $output"; return 1; }
	done < <(on_stdin)
}

# bats test_tags=full
@test "a closed stderr changes nothing, and no message lands in a file that was opened" {
	while read -r command; do
		fresh
		bash -c "$command >out 2>/dev/null" </dev/null && want=0 || want=$?
		bytes=$(wc -c <out)
		fresh
		sum=$(sha256sum workers.jsonl queries.jsonl vectors.jsonl)
		bash -c "$command >out 2>&-" </dev/null && status=0 || status=$?
		[ "$status" = "$want" ] && [ "$(wc -c <out)" = "$bytes" ] || { echo "$command: exit $status, not $want"; return 1; }
		[ "$sum" = "$(sha256sum workers.jsonl queries.jsonl vectors.jsonl)" ]
	done < <(repeatable)
}

@test "a file that is not there is exit 2 and named" {
	while read -r command; do
		# to lh-search a last operand that is not called a file is a text
		run bash -c "$command absent-file.lhv 2>&1 >/dev/null" </dev/null
		[ "$status" = 2 ] && [[ $output == *absent-file* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(commands | grep -v '^lh-gen\|^lh-query\|index delete\|dump\|audit verify\|catalog \(get\|remove\)\|lh-store [^r]\|^lh-trace\|subject find --' | sed 's/ [a-z]*\.jsonl\(\.gz\)*$//')
}

# bats test_tags=full,hostile
@test "terminal escapes in file names do not reach stderr raw" {
	name=$'bad\e[31mname.lhv'
	while read -r command; do
		run bash -c "$command '$name' 2>&1 >/dev/null" </dev/null
		[ "$status" = 2 ] && [[ $output != *$'\e'* ]] || { echo "$command: exit $status: $output"; return 1; }
	done < <(commands | grep -v 'index delete\|audit verify\|catalog \(get\|remove\)\|lh-store [^r]\|^lh-trace\|subject find --' | sed 's/ [a-z]*\.jsonl\(\.gz\)*$//')
}

# What must not reach a terminal: control bytes, also those of two bytes (C1).
raw() {
	LC_ALL=C grep -q -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1"
}

# bats test_tags=hostile
@test "terminal escapes in keys and values do not reach stderr raw" {
	python3 - >escapes.jsonl <<-'END'
	import json
	e = "\x1b[31m\x9b\x7f\b"
	for r in ({"id": e, "text": 5, "vector": 5}, {e: 1}, {"id": e, "texts": ["a"], "model": e, "vector": [1], "k": e},
	          {"id": e, "vector": e, "text": ""}, {"id": e, "vector": [1] * 3, "text": ""}, {"query": "a", "corpora": [e]},
	          {"kind": e, "prompt": e, "model": e}, {"id": 1, "vector": [1] * 64, "model": e, "exclude_ids": e}, {"id": e * 500, "vector": [1] * 64, "metadata_filter": e}):
	    print(json.dumps(r))
	    print(json.dumps(r, ensure_ascii=False))
	print('{"a":"%s"}\n{"%s":1}\n{"%s":1,"%s":2}\n%s' % ((e,) * 5))
	print('{"\\u001b":1,"\\u001b":2}\n{"id":1\x1b}')
	END
	while read -r command; do
		[[ $command == lh-cat* || $command == lh-mcp* ]] && continue
		bash -c "$command --verbose" <escapes.jsonl >out 2>err && status=0 || status=$?
		[ "$status" = 1 ]
		[ "$(wc -l <err)" -gt 5 ]
		run ! raw err
	done < <(on_stdin)
}

# bats test_tags=hostile
@test "terminal escapes in options, operands, the environment and an index do not reach stderr raw" {
	e=$'\e[31m\xc2\x9b'
	jq -nc --arg e "$e" '{id: 1, vector: [1, 2], model: $e}' | lh-index build "$e.lhv"
	jq -nc --arg e "$e" '{id: 2, vector: [1, 2], model: ($e + "2")}' >in
	jq -nc --arg e "$e" '{id: 2, vector: [1, 2], model: ($e + "2")}' | lh-index build two.lhv
	n=0
	while read -r command; do
		n=$((n + 1))
		E=$e bash -c "$command" <in >out 2>err && status=0 || status=$?
		[ "$status" -ge 1 ] || { echo "$command: exit $status"; return 1; }
		run ! raw err
		# where an ID is searched is a result
		[ -s err ] || [[ $command == lh-trace* ]]
	done < <(
		tools | sed 's/$/ "--$E"/; p; s/"--$E"/"$E"/'
		cat <<-'END'
		lh-gen queries --styles "$E"
		lh-gen drafts --kinds "$E"
		lh-gen kb --root "no/$E"
		LH_OLLAMA_URL=$E lh-chat
		KIMI_API_KEY=$E lh-chat
		LH_KEYS_FILE=no/$E lh-chat
		lh-iterate --answers "no/$E" workers.jsonl
		lh-iterate --rules "no/$E"
		lh-iterate --roster "no/$E"
		lh-iterate --daemon $'\xff'"$E"
		lh-audit-full --root "no/$E"
		LH_DISTILL_ROOT=no/$E lh-audit-full
		lh-distill run --run-id "/$E"
		lh-distill run --root "no/$E"
		lh-distill receipts --run-id "no $E"
		lh-distill acceptance --fixture "no/$E"
		LH_DISTILL_ROOT=no/$E lh-distill health
		lh-embed --model "$E"
		lh-embed --template "{$E"
		lh-embed --rejects "no/$E" workers.jsonl
		LH_OLLAMA_URL=$E lh-embed --engine ollama
		LH_OPENAI_URL=$E lh-embed --engine openai
		lh-embed --engine openai --key-file "no/$E"
		lh-export "$E"
		lh-export rag --verify-paths "no/$E"
		lh-export rag --quarantine "no/$E"
		lh-export rag --root "no/$E"
		lh-export rag --root . "$E"
		lh-index "$E"
		lh-index build --model "$E" --engine hash x.lhv
		lh-index build "no/$E"
		lh-index add "$E.lhv"
		lh-index merge "$E.lhv" two.lhv
		lh-load -c "$E" http://127.0.0.1:1
		lh-load --header "$E" http://127.0.0.1:1
		lh-load --header "a: $E" http://127.0.0.1:1
		lh-load --token-file "no/$E" http://127.0.0.1:1
		lh-load mix "no/$E"
		lh-lift --playbook "$E.lhv" workers.lhv
		lh-lift --report "no/$E" workers.lhv
		lh-lift --judge-model $'\xff'"$E" workers.lhv
		lh-mcp --state "no/$E"
		lh-mcp --tools "no/$E"
		lh-mcp --audit-log a --key-file "no/$E"
		lh-materialize --source "$E"
		lh-materialize --sources "$E"
		lh-materialize --root "no/$E"
		lh-materialize --root . --run-id "$E/"
		lh-merge "no/$E"
		lh-pathway add "no/$E"
		lh-pathway get --uid "$E" way.log
		lh-pathway search --where "$E" way.log
		lh-pathway verify "$E"
		lh-playbook "$E"
		lh-playbook record "no/$E"
		lh-playbook list "$E.lhv"
		lh-search --playbook "$E.lhv" workers.lhv <queries.jsonl
		lh-relevance --focus "no/$E"
		lh-relevance gate "$E"
		lh-replay --log "no/$E"
		lh-replay --root "no/$E"
		lh-replay --index "no/$E"
		LH_REPLAY_LOCAL_MODEL=$'\xff'"$E" lh-replay
		lh-search --where "$E" workers.lhv
		lh-search -Q x "$E.lhv"
		lh-search "$E=workers.lhv" "$E=two.lhv"
		lh-search "$E"
		lh-validate --roster "no/$E"
		lh-validate --roster in
		lh-validate --rules "no/$E"
		lh-validate --schema "$E"
		lh-validate --audit-log "workers.jsonl/$E" --key-file audit.key
		LH_ROSTER=$E lh-validate
		lh-subject-audit verify --key-file "no/$E"
		lh-subject-audit verify --key-file audit.key --against "no/$E"
		lh-subject-audit report --key-file audit.key --dir audit.d "$E"
		lh-subject-audit manifest "$E"
		lh-subject-audit sweep --dir "no/$E"
		LH_NOW=$E lh-index build x.lhv
		END
	)
	[ "$n" -gt 20 ]
}

# What makes a record one that lh-iterate can answer, an outcome, evidence, and
# of a trace that is known.
ASK='"query_id":"{\\"grade\\":1}","results":[],"endpoint":"e","type":"sms","body":"b","flow":{"name":"f","nodes":[{"id":"a","mode":"same"}]},"op":"get","index":"workers","uid":"t1","name":"other","role":"r","city":"c","state":"s","content":1,"mode":"m","kind":"email","task":"t","prompt":"p","model":"hash-v3","created_at":"2026-05-03T12:00:00Z","run_id":"r","task_id":"t","timestamp":"2026-05-03T12:00:00Z","schema_version":1,"provenance":{"source_file":"data/_kb/audits.jsonl","line_offset":0,"sig_hash":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","recorded_at":"2026-05-03T12:00:00Z"}'

# bats test_tags=hostile
@test "dirty lines are rejected one by one, and those between them are read" {
	printf '\357\273\277{"id":"a","text":"ok",'"$ASK"'}\r\n\r\n \t\n{"id":"b","text":"a\0b"}\n\0\n{"id":"c","text":"\377"}\n' >.dirty
	printf '{"id":"d","text":"\300\257"}\n{"id":"e","text":"\\ud800"}\n\357\273\277{"id":"f","text":"ok"}\n[1]\n"x"\n\n' >>.dirty
	printf '{"id":"g","text":"\342\200\250 is LINE SEPARATOR",'"$ASK"'}\n{"id":"g","id":"h","text":"ok"}\n{"id":"i","text":"no LF",'"$ASK"'}' >>.dirty
	while read -r command; do
		[[ $command == lh-cat* || $command == lh-mcp* || $command == lh-index\ requests* || $command == lh-pathway\ requests* || $command == lh-observe\ requests* || $command == *delete* || $command == *emit* || $command == *errors* || $command == *drift* || $command == *audit* || $command == *parity* || $command == *pathway\ add\ * || $command == *revise* || $command == lh-playbook* || $command == lh-show* || $command == lh-tlog\ [pv]* ]] && continue
		fresh
		bash -c "$command --rejects rejected" <.dirty >out 2>err && status=0 || status=$?
		[ "$status" = 1 ] || { echo "$command: exit $status: $(cat err)"; return 1; }
		[ "$(tail -n 1 err)" = "${command%% *}: 9 of 12 records rejected" ] || { echo "$command: $(cat err)"; return 1; }
		[ "$(wc -l <rejected)" = 9 ]
		# lh-subject find writes as many lines as it finds, and a bad request is answered
		[[ $command == *requests* ]] && answers=12 || answers=3
		[ ! -s out ] || [[ $command == lh-subject* ]] || [ "$(jq -c 'select(has("summary") | not)' out | wc -l)" = $answers ]
	done < <(on_stdin | sed "s/ <.*//; s/ -$//" | sed "s/ workers.jsonl//")
}

# bats test_tags=plain-only
@test "a locale with a decimal comma changes no byte" {
	needs_comma
	while read -r command; do
		point=$(bash -c "$command" </dev/null | sha256sum)
		comma=$(with_comma bash -c "$command" </dev/null | sha256sum)
		[ "$point" = "$comma" ] || { echo "$command"; return 1; }
	done < <(repeatable writers | grep -v 'audit append\|revise')
}

# bats test_tags=plain-only
@test "a locale with a decimal comma changes no byte of an index" {
	needs_comma
	build="lh-index build -j1 --now 2026-05-03T12:00:00Z"
	$build point.lhv vectors.jsonl
	with_comma $build comma.lhv vectors.jsonl
	cmp point.lhv comma.lhv
	$build --dimension 64 point.lhv workers.jsonl
	with_comma $build --dimension 64 comma.lhv workers.jsonl
	cmp point.lhv comma.lhv
	lh-index add -j1 point.lhv more.jsonl
	with_comma lh-index add -j1 comma.lhv more.jsonl
	cmp point.lhv-log comma.lhv-log
}

@test "what two threads write is what one writes" {
	while read -r command; do
		[ "$(bash -c "$command -j1" </dev/null | sha256sum)" = "$(bash -c "$command -j3" </dev/null | sha256sum)" ] ||
			{ echo "$command"; return 1; }
	done < <(writers | grep 'chat\|export\|extract-json answers\|embed\|lift\|materialize\|relevance\|score\|search\|validate')
}

# bats test_tags=hostile
@test "an array, a table, a text, UTF-16 and Latin-1 are named by each tool that reads records" {
	printf '[{"id":"a","text":"x"},\n{"id":"b"}]\n' >array
	printf 'id,text\na,x\n' >table
	printf '{"id":"a","text":"x"}\n' | iconv -t UTF-16 >utf16
	printf '{"id":"a","text":"caf\351"}\n' >latin1
	echo 'nurse in Utrecht' >text
	local command file want tried=0
	while read -r command; do
		for file in array table utf16 latin1 text; do
			[[ $file == t* && $command =~ ^(lh-index delete|lh-ingest) ]] && continue
			run --separate-stderr bash -c "${command% -} <$file"
			case $file in
			array) want='is a JSON array' ;;
			table) want='looks like a table' ;;
			text) want='lh search FILE TEXT' ;;
			utf16) want='iconv -f UTF-16 ' ;;
			*) want='iconv -f WINDOWS-1252 ' ;;
			esac
			[[ $stderr == *"$want"* ]] || { echo "$command: $file: $stderr"; return 1; }
			tried=$((tried + 1))
		done
	done < <(on_stdin | grep -v '^lh-cat\|^lh-mcp\|^lh-parity')
	[ "$tried" -gt 100 ]
}
