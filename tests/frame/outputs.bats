# No option and no operand that a tool replaces destroys a file of another kind.
load ../helper
load ../embedding

# What each option with a FILE does with it: a new option must be entered here.
#   reads     opens it for reading alone
#   appends   adds lines at its end
#   replaces  makes it anew
uses() {
	cat <<-'END'
	lh-audit-full --out replaces
	lh-audit-full --html replaces
	lh-embed --output replaces
	lh-gen --expect replaces
	lh-index --answers replaces
	lh-index --hnswlib replaces
	lh-index --ids replaces
	lh-index --out replaces
	lh-lift --report replaces
	lh-observe --cursor replaces
	lh-parity --report replaces
	lh-subject-audit --html replaces
	lh-subject-audit --proofs replaces
	lh-subject --receipt makes
	lh-tlog --out makes
	lh-tlog --public makes
	lh-trace --decisions reads
	lh-trace --html replaces
	* --rejects appends
	lh-embed --cache appends
	lh-export --quarantine appends
	lh-iterate --session-log appends
	lh-lift --playbook appends
	lh-replay --log appends
	lh-serve --access-log appends
	* --decisions appends
	* --key-file reads
	* --key-file-tlog reads
	* --token-file reads
	* --legal-token-file reads
	* --model reads
	* --roster reads
	* --playbook reads
	lh-embed --compile reads
	lh-gen --from reads
	lh-ingest --lineage reads
	lh-ingest --types reads
	lh-iterate --answers reads
	lh-judge --qrels reads
	lh-judge --queries reads
	lh-judge --records reads
	lh-mcp --tools reads
	lh-playbook --judge reads
	lh-index --like reads
	lh-query --persons reads
	lh-relevance --focus reads
	lh-search --rerank reads
	lh-subject-audit --config reads
	lh-replay --index reads
	lh-serve --config reads
	lh-serve --may-read reads
	lh-subject-audit --against reads
	lh-subject --config reads
	lh-subject --index reads
	lh-subject --list reads
	lh-subject --log reads
	lh-tlog --policy reads
	lh-validate --schema reads
	END
}

# files_of_options - "TOOL --OPTION" of all options that name a file.
files_of_options() {
	local tool
	for tool in "$LH_BIN"/lh-*; do
		case $tool in *-slurm | *-nightly) continue ;; esac
		"$tool" --describe-options |
			jq -r '.tool as $t | .options[] | select(.value == "file") | "\($t) --\(.long)"'
	done
}

# bats test_tags=full
@test "each option that names a file is known to read, make, append to or replace it" {
	uses | awk '{ print $1, $2 }' >known
	files_of_options >all
	[ "$(wc -l <all)" -gt 40 ]
	while read -r tool option; do
		grep -qxF -e "$tool $option" -e "* $option" known || echo "$tool $option"
	done <all >unknown
	[ ! -s unknown ] || { cat unknown; return 1; }
}

# write WHAT FILE - the run that would replace FILE; files it needs are made by prepare.
write() {
	case $1 in
	"lh-audit-full --out") lh-audit-full --root root --phase 0 --out "$2" ;;
	"lh-audit-full --html") lh-audit-full --root root --phase 0 --out ours.md --html "$2" ;;
	"lh-embed --output") lh-embed --engine gguf --compile ./words.gguf --output "$2" ;;
	"lh-gen --expect") lh-gen kb -n 20 --root made --expect "$2" ;;
	"lh-gen kb") lh-gen kb -n 20 --root "${2%/data/*}" ;;
	"lh-index --hnswlib") lh-index export x.lhv --hnswlib "$2" --ids ours.ids ;;
	"lh-index --ids") lh-index export x.lhv --hnswlib ours.bin --ids "$2" ;;
	"lh-index --out" | "lh-index --answers") lh-index compare x.lhv a.jsonl "${1#* }" "$2" ;;
	"lh-index dump --ids") lh-index dump x.lhv --to npy --ids "$2" >ours.npy ;;
	"lh-index build") lh-index build "$2" a.jsonl ;;
	"lh-index import") lh-index import "$2" --hnswlib x.bin --ids x.ids ;;
	"lh-lift --report") echo '{"query_text":"Welder"}' | lh-lift --report "$2" x.lhv ;;
	"lh-observe --cursor") lh-observe push --restart --otlp http://127.0.0.1:9 --cursor "$2" log.jsonl ;;
	"lh-parity --report") lh-parity a.jsonl --left cat --right cat --report "$2" ;;
	"lh-parity all") lh-parity all --probes probes --out "${2%/*}" ;;
	"lh-trace --html") lh-trace --root root --html "$2" none || { local ended=$?; [ $ended = 1 ] || return $ended; } ;;
	"lh-subject-audit --html") lh-subject-audit report w-1 --dir audit --key-file key --html "$2" ;;
	"lh-subject-audit --proofs") lh-subject-audit report w-1 --dir audit --key-file key --tlog log --proofs "$2" ;;
	esac
}

# outputs - all that write can do.
outputs() {
	uses | awk '$3 == "replaces" { print $1, $2 }'
	printf '%s\n' "lh-index dump --ids" "lh-index build" "lh-index import"
}

prepare() {
	lh-gen kb -n 20 --root root
	seq 3 | sed 's/.*/{"id":"&","text":"welder &"}/' >a.jsonl
	model words.gguf
	lh-index build x.lhv a.jsonl
	lh-index export x.lhv --hnswlib x.bin --ids x.ids
	echo '{"candidate_id":"w-1","note":"mine"}' >foreign
	head -c 32 /dev/urandom >key
	chmod 600 key
	mkdir audit
	echo '{"candidate_id":"w-1","accessor":{"kind":"system","daemon":"t","purpose":"p","trace_id":"1"},"fields_accessed":["name"],"result":"success"}' |
		lh-subject-audit append --dir audit --key-file key >/dev/null
	lh-tlog keygen example.com/log >log.key 2>log.vkey
	chmod 600 log.key
	lh-tlog init log --origin example.com/log --key-file log.key
	lh-subject-audit commit --dir audit --key-file key --tlog log --key-file-tlog log.key >/dev/null
	echo '{"ts":"2026-05-03T12:00:00.000Z","endpoint":"/x","source":"mcp","success":true,"duration_ms":1}' >log.jsonl
}

# refused STATUS TEXT... - the last run ended so, with that text, and FILE is what it was.
refused() {
	[ "$status" = 2 ] && [[ $output == *"$1"* ]] && cmp "$2" "$3" ||
		{ echo "$4: exit $status: $output"; return 1; }
}

@test "no output replaces a file of another kind, which --force allows" {
	prepare
	while read -r what; do
		cp foreign out.json
		run write "$what" out.json
		refused ": give another name, or --force" foreign out.json "$what"
	done < <(outputs)
	[ "$(outputs | wc -l)" -ge 14 ]
	lh-index build out.json a.jsonl --force
	lh-index verify out.json
}

@test "--html - writes the page to standard output, in place of what is printed otherwise" {
	prepare
	export LH_NOW=2026-05-03T12:00:00Z
	pages=0
	while read -r what; do
		run write "$what" page
		[ "$status" -le 1 ] && [ -s page ]
		run --separate-stderr write "$what" -
		[ "$status" -le 1 ] || { echo "$what: $output$stderr"; return 1; }
		echo "$output" | alike page - || { echo "$what"; return 1; }
		rm page
		[ ! -e ./- ]
		pages=$((pages + 1))
	done < <(outputs | grep -e --html)
	[ $pages -ge 3 ]
	run -2 lh-audit-full --root root --phase 0 --json --html -
	run -2 bash -c 'lh-subject-audit report w-1 --dir audit --key-file key --html - >/dev/full'
	run -2 bash -c 'lh-audit-full --root root --phase 0 --html - >/dev/full'
}

@test "what an output made is made again, and an empty file is no obstacle" {
	prepare
	outputs | grep -v -e --cursor -e --report >mine
	while read -r what; do
		: >out.json
		write "$what" out.json >/dev/null || [ $? = 1 ]
		[ -s out.json ] || { echo "$what made nothing"; return 1; }
		write "$what" out.json >/dev/null || [ $? = 1 ]
	done <mine
	write "lh-audit-full --part" p >/dev/null
	write "lh-audit-full --part" p >/dev/null
	write "lh-parity --report" r >/dev/null
	write "lh-parity --report" r >/dev/null
}

@test "an audit log and a key are replaced by no option, also with --force" {
	prepare
	cp audit/w-1.audit.jsonl was
	cp key key.was
	run lh-subject-audit report w-1 --dir audit --key-file key --force --html audit/w-1.audit.jsonl
	refused "is an audit log, which is never replaced" was audit/w-1.audit.jsonl log
	run lh-subject-audit report w-1 --dir audit --key-file key --force --html key
	refused "is what --key-file names, and never replaced" key.was key key
	LH_SUBJECT_AUDIT_KEY=$PWD/key run lh-index build key a.jsonl --force
	refused "is what LH_SUBJECT_AUDIT_KEY names, and never replaced" key.was key environment
	run lh-index build audit/w-1.audit.jsonl a.jsonl --force
	refused "is an audit log, which is never replaced" was audit/w-1.audit.jsonl build
}

@test "build does not replace a playbook, and makes an index again" {
	prepare
	echo '{"query_text":"Need a welder","answer_id":"1","answer_corpus":"x","score":1}' |
		lh-playbook record book.lhv >/dev/null
	cp book.lhv was
	run lh-index build book.lhv a.jsonl
	refused "book.lhv: is a playbook, not an index: give another name, or --force" was book.lhv build
	lh-index build x.lhv a.jsonl
	lh-index build book.lhv a.jsonl --force
}

@test "kb replaces no stream of a root that it did not make" {
	prepare
	rm root/docs/recon/local-distillation-recon.md
	cp root/data/_kb/outcomes.jsonl was
	run lh-gen kb -n 5 --root root
	refused "is not a stream of lh-gen kb" was root/data/_kb/outcomes.jsonl kb
	no_litter
}

@test "all writes no report over a page that is not its own" {
	mkdir probes out
	echo '{"a":1}' >probes/a.jsonl
	cp "$ROOT"/share/parity/*.json probes/ 2>/dev/null || true
	echo '# Notes' >out/SUMMARY.md
	run -2 lh-parity all --out out
	[[ $output == *"SUMMARY.md: is not a report of lh-parity"* ]]
	[ "$(cat out/SUMMARY.md)" = '# Notes' ]
}

# fits TOOL COMMAND <LINES - each line fits the schema that the command describes for its answer.
fits() {
	"$1" --describe | jq -ce --arg c "$2" 'last(.operations[] | select(.name == $c and .operands).output)' >schema.json
	tee lines | lh-validate -q --schema schema.json >judged
	[ -s judged ] && [ "$(jq .verdict.status judged | sort -u)" = 200 ] || { echo "$1 $2"; cat lines schema.json judged; return 1; }
}

@test "what commands print as JSON fits the schema that they describe, of faults, proofs and what is left too" {
	cd "$BATS_TEST_TMPDIR"
	(umask 077; printf '%032d' 1 >key)
	export LH_SUBJECT_AUDIT_KEY=key
	mkdir -p s/log d
	echo '{"candidate_id":"w-1","accessor":{"kind":"k","daemon":"d","purpose":"p"},"fields_accessed":[],"result":"success"}' >row
	lh-subject-audit append --dir d row | fits lh-subject-audit append
	lh-subject-audit repair d/w-1.audit.jsonl | fits lh-subject-audit repair
	lh-subject-audit anchor --dir d | fits lh-subject-audit anchor
	lh-tlog keygen -q x.example/t --out tlog.key --public tlog.pub
	lh-tlog init -q tree --origin x.example/t --key-file tlog.key
	lh-subject-audit commit --dir d --tlog tree --key-file-tlog tlog.key | fits lh-subject-audit commit
	lh-subject-audit prove --dir d --tlog tree w-1 | fits lh-subject-audit prove
	lh-subject-audit known-answer | fits lh-subject-audit known-answer
	lh-gen workers -n 5 | tee w.jsonl | lh-index build -q w.lhv -
	lh-index get w.lhv w-1 | fits lh-index get
	lh-index delete w.lhv w-1 | fits lh-index delete
	lh-ingest -q --jsonl --name w --store st --catalog cat w.jsonl >/dev/null
	rm st/datasets/w/*
	(lh-catalog verify --catalog cat --store st || true) | fits lh-catalog verify
	lh-distill acceptance | fits lh-distill acceptance
	echo '{"candidate_id":"w-1","phone":"312-555-0101"}' >s/roster.jsonl
	(lh-subject verify --state s w-1 || true) | fits lh-subject verify
	lh-subject erase --state s w-1 | fits lh-subject erase
	lh-subject export --state s --out x w-1 | fits lh-subject export
}
