# Past one machine, on paper: the simulation of a fan-out over shards, which merges with
# lh-merge, and doc/scale.md, whose figures are recomputed.
# Plain only: shells, Python and a browser at work; other files run the tools.
# bats file_tags=full,plain-only
load ../helper

SIMULATE=$ROOT/tests/scale/simulate
DOC=$ROOT/doc/scale.md

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	"$SIMULATE" >all || echo $? >failed
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	table=$BATS_FILE_TMPDIR/all
}

@test "a fan-out agrees with the arithmetic, and what lh-merge writes is the merge of what came" {
	[ ! -e "$BATS_FILE_TMPDIR/failed" ] || { grep '^not ok' "$table"; return 1; }
	[ "$(grep -c '^ok .*: merged in order of arrival$' "$table")" = 24 ]
	[ "$(grep -c '^ok .*: merged from files$' "$table")" = 24 ]
	[ "$(grep -c "^ok .*: slower than the arithmetic's" "$table")" = 16 ]
	not grep '^not ok' "$table"
}

@test "a merge that loses a hit, keeps quiet about a shard or ends otherwise is found" {
	mkdir bin
	real=$(command -v lh-merge)
	for change in "sed 's/\"id\":\"r0-[0-9]*\"/\"id\":\"other\"/'" "sed 's/,\"partial\":true//'"; do
		printf '#!/bin/bash\n"%s" "$@" | %s; exit "${PIPESTATUS[0]}"\n' "$real" "$change" >bin/lh-merge
		chmod +x bin/lh-merge
		PATH=$PWD/bin:$PATH run -1 "$SIMULATE" --queries 50 --shards 10
		grep -q '^not ok 10 shards, .*merged from files' <<<"$output"
	done
	printf '#!/bin/bash\n"%s" "$@" || true\n' "$real" >bin/lh-merge
	PATH=$PWD/bin:$PATH run -1 "$SIMULATE" --queries 50 --shards 10
	grep -q '^not ok 10 shards, dead: merged from files' <<<"$output"
}

# ---- the document ----

@test "the table of doc/scale.md is what the simulation prints" {
	alike <(sed -n '/^| shards | case/,/^$/p' "$DOC") <(sed -n '1,/^$/p' "$table")
}

@test "each line of arithmetic in doc/scale.md recomputes, to the digits that it shows" {
	python3 - "$DOC" >lines <<-'END'
	import re, sys
	from math import ceil
	for line in open(sys.argv[1]):
	    m = re.match(r"    (.*?): ([^:=]+) = ([0-9][0-9,.]*)( .*)?$", line)
	    if not m:
	        continue
	    label, text, value, _ = m.groups()
	    assert re.fullmatch(r"(ceil|[0-9e.,()*/ +-])+", text), line
	    got = eval(text.replace(",", ""))
	    digits = len(value.partition(".")[2])
	    good = abs(got - float(value.replace(",", ""))) <= 0.5 * 10 ** -digits + 1e-9
	    print("ok" if good else "not ok", line.strip(), got)
	END
	not grep '^not ok' lines
	[ "$(wc -l <lines)" -gt 45 ]
}

@test "what doc/scale.md quotes is in bench/README.md, and its table has these figures" {
	sed -n 's/^> //p' "$DOC" >quoted
	[ "$(wc -l <quoted)" -gt 7 ]
	while IFS= read -r line; do
		grep -qF -- "$line" "$ROOT/bench/README.md" || { echo "$line"; return 1; }
	done <quoted
	for row in 'qg, f32' 'qg, i8' 'qg, i8, `--rescore`'; do
		figures=$(grep -F "| $row | " "$DOC" | head -n 1 | sed 's/^| [^|]* | //')
		grep -qF -- "| $row | ${figures% |} |" quoted || { echo "$row: $figures"; return 1; }
	done
}

@test "the latencies that the simulation draws from have the quantiles that are stated" {
	tr ' ' '\n' <"$ROOT/tests/scale/latencies" | sort -n >sorted
	[ "$(wc -l <sorted)" = 1980 ]
	for pair in 50:0.17 95:0.28 99:1.77; do
		value=$(sed -n "$((1980 * ${pair%:*} / 100))p" sorted)
		[ "$(printf %.2f "${value}e-3")" = "${pair#*:}" ]
		tr '\n' ' ' <"$DOC" | grep -qF "p${pair%:*} ${pair#*:} ms"
	done
}

# ---- measuring ----

@test "the latencies of a real shard are measured, a line for each query but the first tenth" {
	lh-gen workers -n 50 | lh-index build --dimension 64 w.lhv
	lh-gen queries -n 40 | "$ROOT/tests/scale/measure" w.lhv /dev/stdin -k 3 >got
	[ "$(wc -l <got)" = 36 ]
	not grep -v '^[1-9][0-9]*$' got
	"$SIMULATE" --queries 50 --shards 1,10 got >table || true
	[ "$(grep -c '^| 1' table)" = 6 ]
}
