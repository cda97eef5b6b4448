# lh-subject places and find: where a person's data are, in every kind of place.
load ../helper
load ../subject

# kinds ID [OPTION]... - the kinds of places in which the person is found, each once.
kinds() {
	lh-subject find "$@" | jq -r 'select(.kind) | .kind' | sort -u | tr '\n' ' '
}

# hits FILTER ID [OPTION]... - of the lines that match a filter of jq: path, and where in it.
hits() {
	local filter=$1
	shift
	lh-subject find "$@" | jq -r "select(.kind) | select($filter) | \"\(.path) \(.line // .row // .id)\""
}

@test "places lists every file of a state by its kind, and of what cannot be erased why" {
	a_state 2
	touch s/notes.txt s/.lh-lock
	lh-subject places --state s --cache cache.db >got
	find s cache.db -type f ! -name .lh-lock | LC_ALL=C sort | cmp - <(jq -r .path got)
	jq -rs '[.[].kind] | unique | join(" ")' got >kinds
	[ "$(cat kinds)" = "cache chain cursor dataset evidence index index-log log manifest object other playbook quarantine rag receipt replays roster scored secret sft source spool tlog" ] ||
		{ cat kinds; return 1; }
	[ "$(jq -r 'select(.path == "s/notes.txt") | .why' got)" = "not a file of these tools" ]
	[ "$(jq -s 'map(select(.erasable == (.why != null))) | length' got)" = 0 ]
}

@test "a lock is no place, and a small file that is only called like one is" {
	unset LH_SUBJECT_AUDIT_KEY	# with it find appends a row to the person's log
	mkdir s
	echo 4711 >s/a.jsonl.lock
	: >s/.lh-lock
	for name in block b.lock c.lhv-compact; do
		echo w-1 >s/$name
	done
	[ "$(lh-subject find w-1 --state s | jq -r 'select(.kind) | .path' | tr '\n' ' ')" = "s/b.lock s/block s/c.lhv-compact " ]
	[ "$(lh-subject find w-1 --state s | jq -c 'select(.summary) | .places_searched')" = 3 ]
}

# bats test_tags=full
@test "every marker of a person is in a row that find lists" {
	a_state 3
	lh-subject find w-2 --state s --also "$(markers w-2 | tail -n 1)@example.com" >got
	for marker in $(markers w-2); do
		{ grep -rlaF --include='*.jsonl*' --include='*.json' -e "$marker" s || true; } | while read -r file; do
			grep -naF -- "$marker" "$file" | cut -d : -f 1 | while read -r line; do
				jq -es --arg f "$file" --argjson l "$line" 'any(.path == $f and .line == $l)' got >/dev/null ||
					{ echo "not found: $file:$line"; return 1; }
			done
		done
	done
	jq -es 'map(select(.kind == "object")) | length == 1 and .[0].row == 2' got >/dev/null
	jq -es 'map(select(.kind == "index")) | map(.id) == ["w-2"]' got >/dev/null
	jq -es '.[-1] | .summary and .complete and .found > 20' got >/dev/null
}

@test "lines are in the order of path and line, and the summary counts them" {
	a_state 3
	lh-subject find w-1 --state s >got
	jq -r 'select(.kind) | "\(.path)\t\(.line // .row // 0)"' got >order
	LC_ALL=C sort -t $'\t' -k 1,1 -k 2,2n order | cmp - order
	jq -es 'last.found == length - 1 and last.places_searched > 50' got >/dev/null
	[ "$(jq -c 'keys_unsorted' got | sed -n '$p')" = '["summary","places_searched","found","complete","searched","sentence"]' ]
}

@test "a person without any trace is a summary with found 0, and exit 1" {
	a_state 2
	run -1 lh-subject find w-99 --state s
	[ "$(jq -c '[.found, .complete]' <<<"$output")" = "[0,true]" ]
}

@test "an id that is part of another is not found in it" {
	a_state 12
	hits true w-1 --state s >one
	hits true w-12 --state s >twelve
	[ -s one ]
	[ -z "$(comm -12 <(sort one) <(sort twelve) | grep -v 'reports/\|replay_runs')" ]
	run -1 lh-subject find w- --state s
	run -1 lh-subject find --state s -- -1
}

@test "an id is found at any depth, as a string or a number, in each of its members and in no other" {
	cat >log <<-'END'
		{"candidate_id":"7"}
		{"metadata":{"candidate_id":7}}
		{"a":[{"b":{"worker_id":"7"}}]}
		{"subject":"7"}
		{"answer_id":"7","x":1}
		{"id":"7","name":"A"}
		{"id":"7"}
		{"candidate_id":7.0}
		{"candidate_id":"07"}
		{"other":"7"}
		{"candidate_id":["6","7"]}
		{"c\u0061ndidate_id":"\u0037"}
	END
	lh-subject find 7 --log log | jq -c 'select(.line) | [.line, .by, .members]' >got
	diff - got <<-'END'
		[1,"id",["candidate_id"]]
		[2,"id",["metadata.candidate_id"]]
		[3,"id",["a.0.b.worker_id"]]
		[4,"id",["subject"]]
		[5,"id",["answer_id"]]
		[6,"id",["id"]]
		[11,"id",["candidate_id.1"]]
		[12,"id",["candidate_id"]]
	END
}

@test "ids are compared as bytes, and with --fold without case" {
	printf '{"candidate_id":"Wé-1"}\n{"candidate_id":"wé-1"}\n{"candidate_id":"WÉ-1"}\n' >log
	[ "$(hits true 'wé-1' --log log)" = "log 2" ]
	[ "$(hits true 'wé-1' --fold --log log | wc -l)" = 3 ]
	printf '{"candidate_id":"a\\u0000b\\n\\"c"}\n' >log
	jq -c '{candidate_id, also: []}' log | lh-subject find --log log | jq -es '.[0] | .line == 1 and .by == "id"'
}

@test "other texts are found as words in any string, without case, and telephones by their digits" {
	cat >log <<-'END'
		{"x":"Ask jane DOE now"}
		{"x":{"y":["JANE DOE"]}}
		{"x":"Jane Doering"}
		{"x":"Mary-Jane Doe"}
		{"x":"jane doe-smith"}
		{"x":"call (0123) 456-789 today"}
		{"x":"call 901234567890123456"}
		{"x":"0123456789"}
		{"Jane Doe":1}
		{"x":"J\u0061ne\u0020Doe"}
	END
	lh-subject find w-1 --also 'Jane Doe' --also '0123 456789' --log log | jq -c 'select(.line) | [.line, .by]' | tr -d '\n' >got
	[ "$(cat got)" = '[1,"text"][2,"text"][6,"text"][8,"text"][9,"text"][10,"text"]' ] || { cat got; return 1; }
}

@test "a text of fewer than four bytes is refused unless --short is given" {
	echo '{"x":"Al is here"}' >log
	run -2 lh-subject find w-1 --also Al --log log
	[[ $output == *"--short"* ]]
	[ "$(hits '.by == "text"' w-1 --also Al --short --log log)" = "log 1" ]
}

@test "names, e-mail and telephone are taken from the roster on request" {
	a_state 2
	echo '{"note":"Person Number 2 '"$(persons 2 'select(.n == 2) | .m.roster' | jq -r .)"' called from 1 555 1000002"}' >>s/log/observer.jsonl
	[ -z "$(hits '.by == "text"' w-2 --state s)" ]
	hits '.by == "text" and .kind == "log"' w-2 --from-roster --state s >got
	grep -qx "s/log/observer.jsonl 5" got
	run -2 lh-subject find w-9 --from-roster --state s
}

@test "a roster that is an index has names too" {
	persons 3 '{id, text: .id, candidate_id: .id, name: "Jane Number \(.n)"}' | lh-index build --dimension 64 -q r.lhv
	echo '{"x":"jane number 2 called"}' >log
	[ "$(hits '.kind == "log"' w-2 --roster r.lhv --from-roster --log log)" = "log 1" ]
	run -2 lh-subject find w-9 --roster r.lhv --from-roster --log log
}

@test "a line of a root that is no record is found, and the rows that are made of the others" {
	a_state 2
	file=s/data/_kb/audits.jsonl
	printf '{"candidate_id":"w-1","torn\n{"a":1,"a":"w\\u002d1"}\n[{"candidate_id":"w-1"}]\n{"candidate_id":"w-1"}\n' >>$file
	n=$(wc -l <$file)
	for fold in '' --fold; do
		lh-subject find w-1 --state s $fold | jq -r "select(.path == \"$file\") | .line" | tail -n 4 | tr '\n' ' ' >got
		[ "$(cat got)" = "$((n - 3)) $((n - 2)) $((n - 1)) $n " ] || { cat got; return 1; }
	done
	lh-subject find w-1 --state s | jq -es 'any(.via.path == "s/data/_kb/audits.jsonl")' >/dev/null
}

@test "a store in S3 is listed and searched" {
	load ../servers/server
	load ../servers/s3
	start_s3
	a_state 2
	lh-store put s3://bucket/lake a/t.jsonl table.jsonl >/dev/null
	hits true w-2 --store s3://bucket/lake >got
	lh-subject places --store s3://bucket/lake >>got
	stop_upstreams
	diff - got <<-END
		s3://bucket/lake/a/t.jsonl 2
		{"place":"store","kind":"object","path":"s3://bucket/lake/a/t.jsonl","bytes":$(stat -c %s table.jsonl),"erasable":true}
	END
	run -2 --separate-stderr patiently env LH_RETRIES=0 lh-subject find w-2 --store s3://bucket/lake
	[[ $stderr == "lh-subject: s3://bucket/lake: "* ]]
}

@test "records on standard input name persons, each with its own summary" {
	a_state 2
	printf '{"candidate_id":"w-1"}\n{"candidate_id":"w-2","also":["welder"]}\n{"x":1}\n' >in
	run -1 --separate-stderr lh-subject find --state s <in
	[ "$(jq -s 'map(select(.summary)) | length' <<<"$output")" = 2 ]
	[[ $stderr == *"-:3: missing \"candidate_id\""* ]]
}

@test "what was made from a row is found along its lineage, with the row that it came from" {
	a_state 3
	lh-subject find w-1 --state s >got
	for kind in evidence scored rag quarantine replays receipt; do
		jq -es --arg k $kind 'map(select(.kind == $k)) | length > 0 and all(.by == "lineage" and .via.line > 0)' got >/dev/null ||
			{ echo "nothing of $kind"; return 1; }
	done
	# as lh-trace has it
	jq -r 'select(.kind == "source") | "\(.path):\(.line)"' got | while read -r at; do
		lh-trace --root s --json "${at#s/}" | jq -r '.steps[].steps[] | (., .steps[]?) | select(.step | IN("evidence", "scored", "rag", "sft",
			"preference", "quarantine", "replay", "receipt")) | "s/\(.file) \(.line)"'
	done | sort -u >want
	jq -r 'select(.by == "lineage" and .kind != "log") | "\(.path) \(.line)"' got | sort -u | cmp - want
}

@test "events of one trace, and rows that name a session or a sample, belong to what they name" {
	a_state 2
	session=$(jq -r 'select(.prompt) | .session_id' s/log/sessions.jsonl | sed -n 2p)
	sample=$(hits '.kind == "rag"' w-2 --state s | sed -n '1s/.* //p')
	sample=$(sed -n "${sample}p" s/exports/rag/playbooks.jsonl | jq -r .id)
	printf '{"note":"%s"}\n{"x":["%s"]}\n{"x":"x%s"}\n' "$session" "$sample" "$sample" >>s/log/observer.jsonl
	hits '.kind == "log" and .by == "lineage"' w-2 --state s >got
	diff - got <<-'END'
		s/log/observer.jsonl 5
		s/log/observer.jsonl 6
		s/log/pathway.jsonl 4
	END
	[ "$(lh-subject find w-2 --state s | jq 'select(.path == "s/log/pathway.jsonl" and .line == 4) | .via.line')" = 2 ]
}

@test "the sender of a message belongs by id when another text is that address" {
	a_state 2
	mail=$(persons 2 'select(.n == 1) | .m.email' | jq -r .)@example.com
	[ "$(hits '.by == "id" and .members == ["sender"]' w-1 --also "$mail" --state s)" = "s/log/observer.jsonl 3" ]
}

@test "rows of a dataset are found by the key that the manifest names" {
	a_state 2
	printf '{"badge":"B7","n":1}\n{"badge":"B8","n":2}\n' >badges.jsonl
	lh-ingest -q --jsonl --name badges --store s/store --catalog s/catalog badges.jsonl >/dev/null
	jq -c '.datasets += [{name: "badges", key_column: "badge", key_value: "B8"}]' s/data/_catalog/subjects/w-1.json |
		lh-subject-audit manifest put -q --dir s/data/_catalog/subjects >/dev/null
	hits '.kind == "object"' w-1 --state s >got
	grep -q 'store/datasets/badges/.* 2$' got
	[ "$(wc -l <got)" = 2 ]
	[ "$(hits '.kind == "object"' w-2 --state s | wc -l)" = 1 ]
}

@test "objects and logs that are packed are searched, and tables of text by their cells" {
	mkdir store
	printf '{"x":1}\n{"candidate_id":"w-1"}\n' >a.jsonl
	gzip -c a.jsonl >store/a.jsonl.gz
	zstd -qc a.jsonl >store/b.jsonl.zst
	tar cf store/c.tar a.jsonl
	printf 'id,name\nw-1,Jane\nw-12,Joe\n' >store/d.csv
	lh-subject find w-1 --store store | jq -c 'select(.kind) | [.path, .object, .row]' >got
	diff - got <<-'END'
		["store/a.jsonl.gz",null,2]
		["store/b.jsonl.zst",null,2]
		["store/c.tar","store/c.tar/a.jsonl",2]
		["store/d.csv",null,2]
	END
	lh-subject places --store store | jq -r 'select(.erasable | not) | .path' | tr '\n' ' ' >got
	[ "$(cat got)" = "store/c.tar store/d.csv " ]
}

@test "a lone file of each kind is a place by its option" {
	a_state 2
	kinds w-1 --playbook s/playbook/good.lhv --index s/index/workers.lhv --log s/log/decisions.jsonl --store s/store \
		--roster s/roster.jsonl --subjects s/data/_catalog/subjects --cache cache.db >got
	[ "$(cat got)" = "chain index log manifest object playbook roster secret " ] || { cat got; return 1; }
	kinds w-1 --root s | grep -q evidence
}

@test "a configuration of lh-serve names the state and the logs of subjects" {
	a_state 2
	unset LH_SUBJECT_AUDIT_KEY
	printf '{"state":"%s","elsewhere":["backups of the host"]}' "$PWD/s" >serve.json
	chmod 600 serve.json
	lh-subject find w-1 --config serve.json | jq -c 'del(.path, .via)' >got
	lh-subject find w-1 --state "$PWD/s" | jq -c 'del(.path, .via)' | cmp - got
	echo '{}' >serve.json
	run -2 lh-subject find w-1 --config serve.json
	[[ $output == *"names no state"* ]]
}

@test "a folder of subjects that is in the state is listed once, however it is named" {
	a_state 2
	lh-subject places --state s | jq -r .path >alone
	lh-subject places --state "$PWD/s" --subjects s/data/_catalog/subjects | jq -r .path | alike <(sed "s,^,$PWD/," alone) -
	lh-subject places --state s --subjects "$PWD/s/../s/data/_catalog/subjects/" | jq -r .path | alike alone -
}

@test "ss and ß are one letter to a text, and not to an id" {
	printf '{"x":"%s"}\n' 'Anna Weiss' 'Anna Weiß' 'ANNA WEISS' 'Anna Weis' >log
	[ "$(hits '.by == "text"' w-1 --also 'Anna Weiss' --log log | tr '\n' ' ')" = "log 1 log 2 log 3 " ]
	[ "$(hits '.by == "text"' w-1 --also 'anna weiß' --log log | tr '\n' ' ')" = "log 1 log 2 log 3 " ]
	printf '{"candidate_id":"%s"}\n' 'Weiß-1' >log
	[ -z "$(hits true 'Weiss-1' --log log || [ $? = 1 ])" ]
}

@test "two stores of one folder are searched once, and a store that a manifest names is a place" {
	a_state 2
	mkdir other
	echo '{"candidate_id":"w-1","x":1}' >t.jsonl
	lh-ingest -q --jsonl --name more --store "$PWD/other" --catalog s/catalog t.jsonl >/dev/null
	[ "$(hits '.kind == "object"' w-1 --state s | wc -l)" = 2 ]
	hits '.kind == "object"' w-1 --state s | grep -q "^$PWD/other/"
	[ "$(hits '.kind == "object"' w-1 --state s --store s/store | wc -l)" = 1 ]
}

@test "a row that has a text of the person and belongs to them by lineage is found by lineage, with the members" {
	a_state 2
	marker=$(markers w-2 | sed -n 9p)	# of sources, and of what is made from them
	lh-subject find --state s w-2 | jq -r 'select(.by == "lineage") | "\(.path) \(.line)"' >want
	lh-subject find --state s --also "$marker" w-2 >got
	jq -r 'select(.by == "lineage") | "\(.path) \(.line)"' got | alike want -
	jq -es 'any(.by == "lineage" and .kind == "evidence" and (.members | length) > 0)' got >/dev/null
}

@test "who looks with a key leaves a row with the kinds of places, of a plan too, and who finds nothing or has no key leaves none" {
	mkdir -p s/log
	echo '{"candidate_id":"w-1","name":"Rob Al"}' >s/roster.jsonl
	echo '{"candidate_id":"w-1"}' >s/log/a.jsonl
	log=s/data/_catalog/subjects/w-1.audit.jsonl
	LH_SUBJECT_AUDIT_KEY='' lh-subject find --state s w-1 >/dev/null
	run -1 lh-subject find --state s w-9
	[ ! -e s/data ]
	lh-subject find --state s --key-file key w-1 >/dev/null
	SUDO_USER=ada lh-subject export --state s --out x w-1 >/dev/null
	SUDO_USER=$'\xff' lh-subject erase --state s -q w-1 >/dev/null
	user="user $(id -un)"
	jq -c '[.candidate_id, .accessor, .fields_accessed, .result]' $log | alike - <(cat <<-END
		["w-1",{"kind":"subject_request","daemon":"lh-subject","purpose":"find","trace_id":"","token":"$user"},["log","roster"],"success"]
		["w-1",{"kind":"subject_request","daemon":"lh-subject","purpose":"export","trace_id":"","token":"$user, for ada"},["log","roster","chain"],"success"]
		["w-1",{"kind":"subject_request","daemon":"lh-subject","purpose":"erase, a plan","trace_id":"","token":"$user"},["log","roster","chain"],"success"]
	END
	)
	lh-subject-audit verify --dir s/data/_catalog/subjects >/dev/null
	alike x/lookups.jsonl <(head -n 1 $log)	# of before the export
}

@test "nothing is printed, and no folder is there, if the row on who looked cannot be written" {
	mkdir -p s/log
	echo '{"candidate_id":"w-1"}' >s/log/a.jsonl
	lh-subject find --state s w-1 >/dev/null
	printf '{"torn' >>s/data/_catalog/subjects/w-1.audit.jsonl
	for command in find 'export --out x' erase; do
		run -2 --separate-stderr lh-subject $command --state s w-1
		[ -z "$output" ] && [ ! -e x ]
		[[ $stderr == *"nothing is shown without its row in the log"* ]]
	done
}

@test "an index that lh-search keeps of a file is a place, by id and by texts, with the file that it was made of" {
	mkdir -p s/log
	keep 'a.jsonl' 'Rob Al'
	kept=$(echo "$XDG_CACHE_HOME"/lakehouse/*.lhv)
	: >"$kept-making"	# a lock, which is no place
	lh-subject places --state s | jq -c 'del(.bytes)' | alike - <(printf '{"place":"user-cache","kind":"kept-%s","path":"%s","source":"%s","erasable":true}\n' \
		source "${kept%.lhv}.json" "$PWD/a.jsonl" index "$kept" "$PWD/a.jsonl")
	lh-subject find --state s k-77 >got
	jq -c 'select(.kind) | del(.sha256)' got | alike - <(echo '{"candidate_id":"k-77","place":"user-cache","kind":"kept-index","path":"'"$kept"'","source":"'"$PWD/a.jsonl"'","id":"k-77","by":"id","members":["id","metadata.id"]}')
	[ "$(jq -c 'select(.summary) | [.found, .complete]' got)" = '[1,true]' ]
	[ "$(lh-subject find --state s --also 'rob al' x-1 | jq -c 'select(.kind) | [.path, .id, .by, .members]')" = "[\"$kept\",\"k-77\",\"text\",[\"metadata.name\"]]" ]
	run -1 lh-subject verify --state s --also 'Rob Al' x-1
	[ "$(jq -c '[.kind, .action, .left]' <<<"$output")" = "$(printf '%s\n' '["kept-index",null,null]' '["chain","kept",null]' '[null,null,1]')" ]
	XDG_CACHE_HOME=$PWD/another run -1 lh-subject find --state s k-78	# of whom there is no log
	# the name of the file alone
	mv a.jsonl 'Rob Al.jsonl'
	keep 'Rob Al.jsonl' 'Cy'
	[ "$(lh-subject find --state s --also 'Rob Al' x-1 | jq -r 'select(.place == "user-cache") | .kind + .members[]')" = kept-sourcesource ]
}

@test "an index that lh-search keeps and that is damaged or out of reach is named, and nothing is said to be complete" {
	mkdir -p s/log
	keep a.jsonl 'Rob Al'
	kept=$(echo "$XDG_CACHE_HOME"/lakehouse/*.lhv)
	printf xxxx | dd of="$kept" conv=notrunc bs=1 status=none
	for command in find verify 'erase --apply --reason test --id-only'; do
		run -2 lh-subject $command --state s k-9999
		[ "$output" = "lh-subject: $kept: not an index: the magic number is wrong" ]
	done
	rm "$kept"
	run -1 lh-subject find --state s k-77
	rm -r "$XDG_CACHE_HOME/lakehouse" && : >"$XDG_CACHE_HOME/lakehouse"
	run -2 lh-subject find --state s k-77
	[ "$output" = "lh-subject: $XDG_CACHE_HOME/lakehouse: Not a directory" ]
}

@test "a text that is broken over the ends of lines is found in all of these, and erased and verified there" {
	unset LH_SUBJECT_AUDIT_KEY
	echo '{"candidate_id":"w-7","name":"Ann Zadele","phone":"312-555-0199"}' >roster
	# broken TEXT - the lines of a text, as printf has it, that are hits.
	broken() {
		printf "$1" >log
		lh-subject find w-7 --log log --roster roster --from-roster |
			jq -r 'select(.kind == "log" and .broken) | .line' | tr '\n' ' '
	}
	[ "$(broken 'call Ann\nZadele at 312-555-\n0199 today\n')" = "1 2 3 " ]
	[ "$(broken 'call Ann\r\nZadele at 312-555-\r\n0199 today\r\n')" = "1 2 3 " ]
	[ "$(broken '> call Zadele,\n>\n> Ann\nand 312\n555\n0199')" = "1 3 4 5 6 " ]
	[ "$(broken '[1] with Ann Za-\ndele\nAnn Zade\nle\nAnn Zad=\nele\nworker w-\n7')" = "1 2 3 4 5 6 7 8 " ]
	# what is no text of the person, or all in one line, is not
	[ -z "$(broken 'Ann\nZadeler\nBeAnn\nZadele\npage 1\n312-555-0199\n312-555-0199\n1 of 2\nAnn\n{"x":1}\nZadele\n')" ]
	printf 'call Ann\nZadele at 312-555-\n0199 today\nBo\n' >log
	run -1 lh-subject verify w-7 --log log --also 'Ann Zadele'
	(umask 077; printf %064d 1 >k; mkdir subjects)
	lh-subject erase w-7 --log log --also 'Ann Zadele' --also 312-555-0199 --subjects subjects --text-too \
		--apply --reason request --key-file k >got
	[ "$(sed -n 4p log)" = Bo ]
	! grep -q 'Ann\|Zadele\|0199' log
	lh-subject verify w-7 --log log --also 'Ann Zadele'
}
