# What lh-index build says while it works.
load ../helper
load ../index

# bats test_tags=full
@test "progress goes on through the graph, the words and the file, with a percentage and the time left" {
	local n
	n=$(scale 20000 200000)
	[ -z "${LH_ASAN:-}" ] || n=4000
	rows 1 "$n" >r.jsonl
	run -0 --separate-stderr lh-index build -j2 --lexical --ef-construction 400 --progress always a.lhv r.jsonl
	[ -z "$output" ]
	# each stage in its turn, ascending, to its end
	awk '
		/^lh-index: [0-9]+ records, [0-9]+\/s(, [0-9.]+ (s|min|h) left)?$/ { if (stage) exit 1; next }
		!/^lh-index: (graph|words|file): [0-9]+ %(, [0-9.]+ (s|min|h) left)?$/ { print "odd: " $0; exit 1 }
		$2 != stage { if (stage && last != 100) { print stage " ends at " last; exit 1 } stage = $2; last = 0; order = order stage }
		$3 < last { print "back: " $0; exit 1 }
		{ last = $3; left += /left$/ }
		END { if (order != "graph:words:file:" || last != 100) { print order, last; exit 1 } }' <<<"$stderr"
	# building this many takes more than a fifth of a second anywhere
	grep -qE '^lh-index: graph: [0-9]+ %, [0-9.]+ (s|min) left$' <<<"$stderr"
}

@test "an index without a graph, and a build that is not watched, say little or nothing" {
	rows 1 10 >r.jsonl
	run -0 --separate-stderr lh-index build --progress always a.lhv r.jsonl
	# a start that takes a fifth of a second shows its records, too
	[ "$(whole_progress | grep -v ' records')" = 'lh-index: file: 100 %' ]
	run -0 --separate-stderr lh-index build --progress never a.lhv r.jsonl
	[ -z "$stderr" ]
	rows 1 2000 >r.jsonl
	run -0 --separate-stderr lh-index build a.lhv r.jsonl
	[ -z "$stderr" ]
	run -0 --separate-stderr lh-index build --allow-empty --progress always b.lhv /dev/null
	[ -z "$stderr" ]
}

@test "dump, verify and compact show how far they are" {
	rows 1 2000 >r.jsonl
	lh-index build a.lhv r.jsonl
	run -0 --separate-stderr lh-index dump --progress always a.lhv
	[[ $stderr == *'lh-index: 100 %' ]]
	[ "${#lines[@]}" = 2000 ]
	run -0 --separate-stderr lh-index verify --progress always a.lhv
	[ "$(whole_progress)" = 'lh-index: 100 %' ]
	head -n 20 r.jsonl | lh-index delete a.lhv
	run -0 --separate-stderr lh-index compact --progress always a.lhv
	[[ $stderr == *'lh-index: file: 100 %' ]]
	lh-index verify a.lhv
}
