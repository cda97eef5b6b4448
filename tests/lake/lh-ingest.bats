# lh-ingest: rows of tables as records, their types, and which rows are refused.
load ../helper

# ingest CSV [OPTION]... - lh-ingest on a text with the escapes of printf.
ingest() {
	printf "$1" >t.csv
	lh-ingest "${@:2}" t.csv
}

# gives CSV WANT [OPTION]... - the records of a text, all of them accepted.
gives() {
	run -0 --separate-stderr ingest "$1" "${@:3}"
	[ "$output" = "$2" ] && [ -z "$stderr" ] || { echo "$1 gives: $output $stderr"; return 1; }
}

# refuses CSV LINE REASON [OPTION]... - a text with one bad row.
refuses() {
	run -1 --separate-stderr ingest "$1" "${@:4}"
	[ "${stderr_lines[0]}" = "lh-ingest: t.csv:$2: $3" ] || { echo "$1: $stderr"; return 1; }
	[ "${#stderr_lines[@]}" = 2 ]
}

# fails CSV REASON [OPTION]... - a text that is no table: exit 2.
fails() {
	run -2 --separate-stderr ingest "$1" "${@:3}"
	[ -z "$output" ] && [[ $stderr == *"$2"* ]] || { echo "$1: $output $stderr"; return 1; }
}

@test "a row is a record, with members in the order of the header and types by the cells" {
	gives 'id,name,score,active\n1,Ann,1.10,TRUE\n2,Bo,95,false\n' \
		$'{"id":1,"name":"Ann","score":1.10,"active":true}\n{"id":2,"name":"Bo","score":95,"active":false}'
}

@test "quotes, doubled quotes, line ends in quotes, CRLF and a BOM are as RFC 4180 has them" {
	gives '\xef\xbb\xbf"a","b"\r\n"x\r\ny","say ""hi"", twice"\r\nz,"a,b"' \
		$'{"a":"x\\r\\ny","b":"say \\"hi\\", twice"}\n{"a":"z","b":"a,b"}'
	gives 'a,b\n5" pipe,x"y"\n' '{"a":"5\" pipe","b":"x\"y\""}'
	gives 'a\n\n\r\nx\n' '{"a":"x"}'
	gives 'a,b\nx\\y,\t\x01\n' '{"a":"x\\y","b":"\t\u0001"}'
}

@test "an empty cell, a missing one and --null are the same: left out, or null" {
	gives 'a,b,c,d\n1,,"",NA\n2\n' $'{"a":1}\n{"a":2}' --null NA
	gives 'a,b,c,d\n1,,"",NA\n2\n' $'{"a":1,"b":null,"c":null,"d":null}\n{"a":2,"b":null,"c":null,"d":null}' --null NA --null-members
	gives 'a,b\n,x\nN/A,y\n7,z\n' $'{"b":"x"}\n{"a":"N/A","b":"y"}\n{"a":"7","b":"z"}'
	gives 'a\n""\n' '{}'
}

@test "what is no number in JSON makes a column of strings, and so does a number out of range" {
	for cell in 007 +5 .5 5. 1_0 ' 5' 0x1 1e999 9223372036854775808 -9223372036854775809 12345678901234567890 nan; do
		gives "a,b\n1,x\n$cell,x\n" "$(printf '{"a":"1","b":"x"}\n{"a":"%s","b":"x"}' "$cell")"
	done
	gives 'a\n9223372036854775807\n-9223372036854775808\n-0\n' $'{"a":9223372036854775807}\n{"a":-9223372036854775808}\n{"a":-0}'
	gives 'a\n1\n1.7976931348623157e308\n-5e-324\n1E+5\n-2e3\n' $'{"a":1}\n{"a":1.7976931348623157e308}\n{"a":-5e-324}\n{"a":1E+5}\n{"a":-2e3}'
}

@test "digits, E, digits are a code: a column with one is of strings, unless --types says float64" {
	gives 'badge\n12E4\n7E03\n' $'{"badge":"12E4"}\n{"badge":"7E03"}'
	gives 'badge\n100\n1.5\n1e2\n' $'{"badge":"100"}\n{"badge":"1.5"}\n{"badge":"1e2"}'
	echo '{"badge":"float64"}' >types
	gives 'badge\n12E4\n7\n' $'{"badge":12E4}\n{"badge":7}' --types types
}

# says CSV WANT NOTE [OPTION]... - a text that is read with a word about it on stderr.
says() {
	run -0 --separate-stderr ingest "$1" "${@:4}"
	[ "$output" = "$2" ] && [ "$stderr" = "lh-ingest: t.csv: $3" ] || { echo "$1 gives: $output $stderr"; return 1; }
}

@test "CR alone ends a row as LF and CRLF do, also where they are mixed" {
	local two=$'{"id":1,"name":"Ann"}\n{"id":2,"name":"Bo"}'
	gives 'id,name\r1,Ann\r2,Bo\r' "$two"
	gives 'id,name\r1,Ann\r2,Bo' "$two"
	gives '\xef\xbb\xbfid,name\n1,Ann\r2,"Bo"\r\n' "$two"
	gives 'id,name\r\r\n1,Ann\n\r2,Bo\r\r\n' "$two"
	gives 'a\r"x\ry"\r' '{"a":"x\ry"}'
	refuses 'a,b\r\r\n"x\ry",2\r1,2,3\r' 5 '3 cells, but there are 2 columns'
	# a file of one line end that comes in pieces
	{ printf 'id,name\r1,Ann\r'; printf '\n2,Bo\r'; } | lh-ingest | alike - <(echo "$two")
	printf 'id,name\r1,Ann\r2,Bo\r' >t.csv
	run -0 lh-ingest --store st --catalog cat t.csv
	[[ $output == *'"row_count":2,'* ]]
}

@test "a Ctrl-Z at the end, and a line that is one or a form feed, are no row" {
	gives 'id,name\n1,Ann\n\x1a' '{"id":1,"name":"Ann"}'
	gives 'id,name\r\n\f\r\n1,Ann\x1a' '{"id":1,"name":"Ann"}'
	gives 'a\n"\x1a"\nx\x1ay\n' $'{"a":"\\u001a"}\n{"a":"x\\u001ay"}'
}

@test "another delimiter that the header plainly has is used, and named" {
	local row='{"id":1,"name":"Ann"}' used='(--delimiter of lh-ingest sets another)'
	local one='the first row is one cell with semicolons (--delimiter of lh-ingest divides at them)'
	says 'id;name\n1;Ann\n' "$row" "cells are separated by semicolons $used"
	says 'id|name\r\n1|Ann\r\n' "$row" "cells are separated by bars $used" --csv
	says 'id\tname\r1\tAnn' "$row" "cells are separated by tabs $used"
	says '"a, b";n\n1;12,50\n' '{"a, b":1,"n":"12,50"}' "cells are separated by semicolons $used"
	gives 'id;name\n1;Ann\n' '{"id;name":"1;Ann"}' --delimiter ,
	gives '"id;name"\n1;Ann\n' '{"id;name":"1;Ann"}'
	# not plainly: said alone
	says 'a;b|c\n1\n' '{"a;b|c":1}' "$one"
	says '1;x\n' '{"column1":"1;x"}' "$one" --no-header
	gives 'id,tags (a;b;c)\n1,a\n' '{"id":1,"tags (a;b;c)":"a"}'
	refuses 'Name, first;Town\nLee, Ann;Gent\nA, B, C;D\n' 3 \
		'3 cells, but there are 2 columns (are they separated by semicolons? --delimiter of lh-ingest)'
	# in TSV too, and where there are some of the usual ones, if the second row agrees
	says 'id,name\n1,Ann\n' "$row" "cells are separated by commas $used" --tsv
	says 'id;name\n1;Ann\n' "$row" "cells are separated by semicolons $used" --tsv
	says 'a, b;n;t\nx;12,50;3,1\n' '{"a, b":"x","n":"12,50","t":"3,1"}' "cells are separated by semicolons $used"
	says 'a, b;n;t\r\nx, y;1;2\r\n' '{"a, b":"x, y","n":1,"t":2}' "cells are separated by semicolons $used"
	gives 'a\tb,c,d\n1\t2,3\n' '{"a":1,"b,c,d":"2,3"}' --tsv
	gives 'a,b;c;d' ''
	(printf 'a, b;n;t\nx;12'; printf ',50;3,1\n') | lh-ingest -q | diff - <(echo '{"a, b":"x","n":"12,50","t":"3,1"}')
	printf 'id,name\n1,Ann\n' >commas.tsv
	lh-ingest commas.tsv 2>said | diff - <(echo "$row")
	[ "$(cat said)" = "lh-ingest: commas.tsv: cells are separated by commas $used" ]
	lh-query --csv 'SELECT name FROM t' t=commas.tsv 2>said | diff - <(printf 'name\nAnn\n')
	grep -qF 'cells are separated by commas' said
	# each file by its own header
	printf 'id;name\n1;Ann\n' >1.csv
	printf 'id,name\n2,Bo\n' >2.csv
	[ "$(lh-ingest -q 1.csv 2.csv)" = $'{"id":1,"name":"Ann"}\n{"id":2,"name":"Bo"}' ]
}

@test "a first line sep=X is skipped, and X is the delimiter unless one is given" {
	local row='{"id":1,"name":"Ann"}'
	gives 'sep=;\nid;name\n1;Ann\n' "$row"
	gives '\xef\xbb\xbf"sep=,"\r\nid,name\r\n1,Ann\r\n' "$row"
	gives 'SEP=\t\rid\tname\r1\tAnn\r' "$row"
	gives 'sep=:\nid:name\n1:Ann\n' "$row"
	gives 'sep=;\nid,name\n1,Ann\n' "$row" --delimiter ,
	gives 'sep=;x,b\n1,2\n' '{"sep=;x":1,"b":2}'
	fails 'sep=;' 'has no header'
	refuses 'sep=;\na;b\n1;2;3\n' 3 '3 cells, but there are 2 columns'
}

@test "a quote in TSV is text, unless --quote says otherwise" {
	printf 'id\tsize\n1\t"6 ft board\n2\t5 ft"\n3\t"\n' >t.tsv
	local rows=$'{"id":1,"size":"\\"6 ft board"}\n{"id":2,"size":"5 ft\\""}\n{"id":3,"size":"\\""}'
	run -0 --separate-stderr lh-ingest t.tsv
	[ "$output" = "$rows" ] && [ -z "$stderr" ]
	lh-ingest --tsv <t.tsv | alike - <(echo "$rows")
	lh-ingest --delimiter '\t' <t.tsv | alike - <(echo "$rows")
	printf '"id"\t"size"\n1\t"6 ""ft"""\n' >t.tsv
	run -0 --separate-stderr lh-ingest --quote '"' t.tsv
	[ "$output" = '{"id":1,"size":"6 \"ft\""}' ] && [ -z "$stderr" ]
	run -0 --separate-stderr lh-ingest t.tsv
	[ "$stderr" = "lh-ingest: t.tsv: quotes are text in TSV (--quote '\"' of lh-ingest reads quoted cells)" ]
	gives 'a,b\n"x,y"\n' '{"a":"\"x","b":"y\""}' --quote none
	run -2 lh-ingest --quote "'" t.tsv
	[[ $output == 'lh-ingest: --quote must be " or none'* ]]
}

@test "a page of HTML, XML, PDF and a workbook are refused by what they are" {
	local book
	fails '<!DOCTYPE html>\n<html>\n' 't.csv: is a page of HTML, not a table; save it as CSV in UTF-8'
	fails '\r\n \t<HTML lang="en"><body>' 't.csv: is a page of HTML, not a table'
	fails '<table>\n<tr>' 't.csv: is a page of HTML, not a table'
	fails '<?xml version="1.0"?>\n' 't.csv: is XML, not a table'
	fails '%%PDF-1.7\n' 't.csv: is a PDF file, not a table'
	fails '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00' 't.csv: is a workbook, not a table'
	python3 -c '
import zipfile
for book, names in ("t.xlsx", ["[Content_Types].xml", "xl/workbook.xml"]), ("u.xlsx", ["docProps/app.xml"]), ("t.ods", ["mimetype"]):
    with zipfile.ZipFile(book, "w") as z:
        for n in names:
            z.writestr(n, "application/vnd.oasis.opendocument.spreadsheet" if n == "mimetype" else "<x/>")'
	# by its name alone, too
	printf 'PK\3\4cut off' >v.XLSX
	printf 'a,b\n1,2\n' >v.xlsm
	for book in t.xlsx u.xlsx t.ods v.XLSX; do
		run -2 --separate-stderr lh-ingest "$book"
		[ -z "$output" ] && [ "$stderr" = "lh-ingest: $book: is a workbook, not a table; save it as CSV in UTF-8" ]
		run -2 --separate-stderr lh-ingest --jsonl "$book"
		[ -z "$output" ] && [ "$stderr" = "lh-ingest: $book: is a workbook, not JSON Lines; save it as CSV in UTF-8" ]
		run -2 --separate-stderr lh-query 'SELECT * FROM t' t="$book"
		[ "$stderr" = "lh-query: $book: is a workbook, not JSON Lines; save it as CSV in UTF-8, which lh-ingest reads" ]
	done
	run -2 lh-ingest v.xlsm
	[ "$output" = "lh-ingest: v.xlsm: is a workbook, not a table; save it as CSV in UTF-8" ]
}

@test "the fingerprint of the known table is the known one" {
	printf 'id,name,score,active\n1,Ann,1.5,true\n2,,,\n' >workers.csv
	run -0 lh-ingest --describe workers.csv
	[ "$output" = '{"name":"workers","columns":[{"name":"id","type":"int64","nullable":false},{"name":"name","type":"string","nullable":true},{"name":"score","type":"float64","nullable":true},{"name":"active","type":"bool","nullable":true}],"schema_fingerprint":"1bd13dee3b40c41fdcf04b60530f5b758c0d54a4b7f7a89def387cc2bbab91ff","row_count":2}' ]
	run -0 lh-ingest --columns --name other <workers.csv
	[[ $output == '{"name":"other",'*1bd13dee3b40c41fdcf04b60530f5b75* ]]
	run -0 lh-ingest --columns <workers.csv
	[[ $output == '{"name":null,'* ]]
	gzip workers.csv
	run -0 lh-ingest --columns workers.csv.gz
	[[ $output == '{"name":"workers",'*1bd13dee3b40c41fdcf04b60530f5b75* ]]
}

@test "a row that is bad is refused by the line on which it begins, and the next one is read" {
	refuses 'a,b\n1,2\n1,"x\ny"z,3\n4,5\n' 3 'text after the closing quote of cell 2'
	[ "$output" = $'{"a":1,"b":2}\n{"a":4,"b":5}' ]
	refuses 'a,b\n"x\n\ny",2\n1,2,3\n' 5 '3 cells, but there are 2 columns'
	refuses 'a\nx\n"y\nz\n' 3 'the quote of cell 1 is not closed'
	[ "$output" = '{"a":"x"}' ]
	refuses 'a\nx\n\xff\ny\n' 3 'invalid UTF-8'
	[ "$output" = $'{"a":"x"}\n{"a":"y"}' ]
	refuses 'a,b\n1,2\nx,3\n' 3 'column "a" is not int64' --sample 1
	refuses 'a,id\nx,y\n,z\n' 3 'the id is empty (column "a")' --id a
	refuses 'a,b\n123456789,2\n4,5\n' 2 'row is longer than 10 bytes (--max-line)' --max-line 10
	[ "$output" = '{"a":4,"b":5}' ]
}

@test "--sample all and --types make a column of strings of what would be refused" {
	gives 'a,b\n1,2\nx,3\n' $'{"a":"1","b":2}\n{"a":"x","b":3}' --sample all
	echo '{"a":"string","b":"float64"}' >types
	gives 'a,b\n1,2\nx,3\n' $'{"a":"1","b":2}\n{"a":"x","b":3}' --types types --sample 1
	refuses 'a,b\n1,2\nx,y\n' 3 'column "b" is not float64' --types types
	echo '{"c":"string"}' >types
	fails 'a,b\n1,2\n' 'there is no column "c" (--types)' --types types
	echo '{"a":"text"}' >types
	fails 'a,b\n1,2\n' '--types: the type of column "a" must be string, int64, float64 or bool' --types types
	fails 'a,b\n1,2\n' 'none: does not exist' --types none
}

@test "rejected rows are kept byte for byte after the header, and can be fed back in" {
	printf 'a,b\r\n1,2\r\n"x\r\ny",3,4\r\n5,"6"7\r\n' >t.csv
	run -1 lh-ingest -q --rejects r.csv t.csv
	[ "$(od -c r.csv)" = "$(printf 'a,b\r\n"x\r\ny",3,4\r\n5,"6"7\r\n' | od -c)" ]
	run -1 lh-ingest -q --rejects again.csv r.csv
	cmp r.csv again.csv
	run -1 lh-ingest -q --max-line 5 --rejects long.csv t.csv
	[ "$(od -c long.csv)" = "$(printf 'a,b\r\n"x\r\ny",3,4\r\n5,"6"7\r\n' | od -c)" ]
	run -2 lh-ingest --rejects t.csv t.csv
	[[ $output == *"is both input and output"* ]]
}

@test "--on-error emit puts an error in place of the row, and stop ends at it" {
	printf 'a\n1\n2,3\n4\n' >t.csv
	run -1 --separate-stderr lh-ingest --on-error emit t.csv
	[ "$output" = $'{"a":1}\n{"error":{"file":"t.csv","line":3,"code":400,"message":"2 cells, but there is 1 column"}}\n{"a":4}' ]
	run -1 --separate-stderr lh-ingest --on-error stop t.csv
	[ "$output" = '{"a":1}' ]
}

@test "a header that is empty, blank, or has a name twice is exit 2" {
	fails '' 'has no header'
	fails '\n\r\n' 'has no header'
	fails 'a,,b\n1,2,3\n' 'column 2 has no name'
	fails 'a, ,b\n1,2,3\n' 'column 2 has no name'
	fails 'a,b,a\n1,2,3\n' 'columns 1 and 3 are both called "a"'
	fails 'a,"b"c\n1,2\n' 'header: text after the closing quote of cell 2'
	fails '\xff\n1\n' 'header: invalid UTF-8'
	fails 'a,b\n1,2\n' 'there is no column "c" (--id)' --id c
}

@test "a first column without a name, of row numbers for example, is column1" {
	printf ',id,name\n0,7,Ann\n1,8,Bo\n' >t.csv
	run -0 lh-ingest t.csv
	[ "$output" = $'{"column1":0,"id":7,"name":"Ann"}\n{"column1":1,"id":8,"name":"Bo"}' ]
	printf '"",id\n0,7\n' >u.csv
	[ "$(lh-ingest u.csv)" = '{"column1":0,"id":7}' ]
	[ "$(lh-query 'SELECT max(column1) AS n FROM t' t.csv)" = '{"n":1}' ]
	fails ',,a\n1,2,3\n' 'column 2 has no name'
	fails ',column1\n1,2\n' 'columns 1 and 2 are both called "column1"'
	fails ' \n1\n' 'has no name'
}

@test "a file of another program is named by its first bytes" {
	fails 'SQLite format 3\x00\x10\x00\n' 't.csv: is an SQLite database, which lh-query reads, not a table'
	fails '\x93NUMPY\x01\x00v\x00{}\n' 't.csv: is an array of NumPy, which lh-index reads, not a table'
	fails '\x89LHV\r\n\x1a\n\x04\x00' 't.csv: is an index, which lh-search reads, not a table'
	fails 'GGUF\x03\x00\x00\x00\x01\n' 't.csv: is a model in GGUF, not a table'
	fails '\x89PNG\r\n\x1a\n\x00\x00' 't.csv: is a picture, not a table'
	# a text may begin so
	[ "$(printf 'GGUF,b\n1,2\n' | lh-ingest)" = '{"GGUF":1,"b":2}' ]
}

@test "UTF-16 is exit 2 with its name" {
	fails '\xff\xfea\x00\n\x00' 't.csv: is UTF-16LE, not UTF-8'
	fails '\xfe\xff\x00a\x00\n' 't.csv: is UTF-16BE, not UTF-8'
	fails '\xff\xfe\x00\x00a\x00\x00\x00' 't.csv: is UTF-32LE, not UTF-8; iconv -f UTF-32 -t UTF-8 converts it'
	fails 'a\x00,\x00b\x00\n\x00' 't.csv: has NUL bytes, as UTF-16 has, not UTF-8; iconv -f UTF-16LE -t UTF-8 converts it'
	fails '\x00a\x00,\x00b\x00\n' 't.csv: has NUL bytes, as UTF-16 has, not UTF-8; iconv -f UTF-16BE -t UTF-8 converts it'
}

@test "Latin-1 is named with the command that converts it, in rows and in a header" {
	local like='invalid UTF-8, looks like Latin-1 (iconv -f WINDOWS-1252 -t UTF-8 converts it)'
	refuses 'a\nx\nK\xf6ln\n' 3 "$like"
	refuses 'a\nx\n\x93shift\x94 \x8012 \x96 5\xb0\n' 3 "$like"
	fails 'n\xe4me\nx\n' "header: $like"
	refuses 'a\nx\n\xcf\xf0\xe8\xe2\xe5\xf2\n' 3 'invalid UTF-8, looks like another encoding (iconv -f ENCODING -t UTF-8 converts it)'
	# UTF-8 that is damaged, and what is no text, is not
	refuses 'a\nx\nK\xc3\xb6l\xe4n\n' 3 'invalid UTF-8'
	refuses 'a\nx\n\x01\xe4\n' 3 'invalid UTF-8'
	# the advice helps
	printf 'a\nK\xf6ln\n' | iconv -f WINDOWS-1252 -t UTF-8 | lh-ingest | jq -e '.a == "Köln"'
}

@test "an array of objects is rejected as one, by name, from standard input or over several lines" {
	local why="the input is a JSON array, not JSON Lines; jq -c '.[]' makes a line of each element"
	echo '[{"id":"a"},{"id":"b"}]' >t.json
	run -1 --separate-stderr lh-ingest t.json
	[[ -z $output && $stderr == *"lh-ingest: t.json: $why"* ]]
	run -1 --separate-stderr lh-ingest <t.json
	[[ -z $output && $stderr == *"lh-ingest: -: $why"* ]]
	jq . t.json >pretty
	run -1 --separate-stderr lh-ingest pretty
	[[ -z $output && $stderr == *"lh-ingest: pretty: $why"* ]]
	jq -c '.[]' pretty | lh-ingest | cmp - <(printf '{"id":"a"}\n{"id":"b"}\n')
	run -2 --separate-stderr lh-query 'SELECT id FROM t' t=pretty
	[[ $stderr == *"lh-query: pretty: $why"* ]]
	# a column may be called so
	printf '[a],b\n1,2\n' | lh-ingest | cmp - <(echo '{"[a]":1,"b":2}')
}

@test "--id puts the id first, and the column stays unless it is called id" {
	gives 'n,worker\nx,7\n' '{"id":"w-7","n":"x","worker":7}' --id worker --id-prefix w-
	gives 'n,id\nx,7\n' '{"id":"7","n":"x"}' --id id
	gives 'n,id\nx,7\n' '{"id":"\"x","n":"x"}' --id n --id-prefix '"'
}

@test "--id: records with the id of an earlier one are counted" {
	printf 'id,n\na,1\nb,2\na,3\n' >t.csv
	run -0 --separate-stderr lh-ingest --id id t.csv
	[ "$output" = $'{"id":"a","n":1}\n{"id":"b","n":2}\n{"id":"a","n":3}' ]
	[ "$stderr" = 'lh-ingest: 1 record comes after an earlier one of the same id' ]
	run -0 --separate-stderr lh-ingest --id n --id-prefix w- <<<$'{"n":1}\n{"n":"1"}\n{"n":1}\n{"n":2}'
	[ "$stderr" = 'lh-ingest: 2 records come after earlier ones of the same id' ]
	run -0 --separate-stderr lh-ingest t.csv
	[ -z "$stderr" ]
}

@test "the format is by content, then by name, then CSV; --delimiter and --no-header are for others" {
	printf 'a\tb\n1\tx, y\n' >t.tsv
	run -0 lh-ingest t.tsv
	[ "$output" = '{"a":1,"b":"x, y"}' ]
	run -0 lh-ingest --tsv <t.tsv
	[ "$output" = '{"a":1,"b":"x, y"}' ]
	gzip -k t.tsv
	run -0 lh-ingest t.tsv.gz
	[ "$output" = '{"a":1,"b":"x, y"}' ]
	gives 'a;b\n1;2,5\n' '{"a":1,"b":"2,5"}' --delimiter ';'
	refuses '1,x\n2,y,\n' 2 '3 cells, but there are 2 columns' --no-header
	[ "$output" = '{"column1":1,"column2":"x"}' ]
	gives '1,x\n2\n' $'{"column1":1,"column2":"x"}\n{"column1":2}' --no-header
	echo '{"a":1.0}' >t.csv
	run -0 lh-ingest t.csv
	[ "$output" = '{"a":1.0}' ]
	run -0 lh-ingest --csv t.csv
	[ -z "$output" ]
	: >t.jsonl
	run -0 lh-ingest t.jsonl
	[ -z "$output" ]
	printf '[1]\n{"a":1}\n' | gzip >t.ndjson.gz
	run -1 --separate-stderr lh-ingest t.ndjson.gz
	[ "$output" = '{"a":1}' ]
	printf 'a\n1\n' >t.jsonl.csv
	[ "$(lh-ingest t.jsonl.csv)" = '{"a":1}' ]
}

@test "JSON Lines pass through as they are, with an id perhaps, and can be described" {
	printf '{"a":1.0,"b":[1, 2]}\r\n\n{"b":null,"a":"x","c":true}\n{"a":1,"a":2}\n' >t.jsonl
	run -1 --separate-stderr lh-ingest t.jsonl
	[ "$output" = $'{"a":1.0,"b":[1, 2]}\n{"b":null,"a":"x","c":true}' ]
	[[ ${stderr_lines[0]} == 'lh-ingest: t.jsonl:4:'*'"a"'* ]]
	run -1 --separate-stderr lh-ingest --id a --id-prefix w- t.jsonl
	[ "$output" = $'{"id":"w-1.0","a":1.0,"b":[1, 2]}\n{"id":"w-x","b":null,"a":"x","c":true}' ]
	run -1 --separate-stderr lh-ingest --columns t.jsonl
	[[ $output == '{"name":"t","columns":[{"name":"a","type":"string","nullable":false},{"name":"b","type":"string","nullable":true},{"name":"c","type":"bool","nullable":true}],'*'"row_count":2}' ]]
	run -1 --separate-stderr lh-ingest --max-line 8 --rejects r t.jsonl
	[ "$(wc -l <r)" = 3 ]
	[[ ${stderr_lines[0]} == *"t.jsonl:1: line is longer than 8 bytes (--max-line)" ]]
}

@test "--line adds the line on which a row begins, in place of a member of that name" {
	printf 'id,name,at\n1,"a\nb",x\n\n2,c,y\n' >rows.csv
	[ "$(lh-ingest --line at rows.csv)" = '{"at":2,"id":1,"name":"a\nb"}
{"at":5,"id":2,"name":"c"}' ]
	printf '{ "a": 1.0, "at": 9 }\n\n{}\n' >lines.jsonl
	[ "$(lh-ingest --line at lines.jsonl)" = '{"at":1,"a":1.0}
{"at":3}' ]
	[ "$(lh-ingest --line at --id a --on-error skip lines.jsonl 2>/dev/null)" = '{"at":1,"id":"1.0","a":1.0}' ] || [ "$?" = 1 ]
	run -2 lh-ingest --line at --columns rows.csv
	[ "$output" = 'lh-ingest: --line and --columns exclude each other' ]
}

@test "several files are one table, if their headers are equal" {
	printf 'a,b\n1,2\n' >1.csv
	printf '"a",b\r\n3,x' >2.csv
	run -0 lh-ingest 1.csv 2.csv
	[ "$output" = $'{"a":1,"b":"2"}\n{"a":3,"b":"x"}' ]
	printf 'a,c\n1,2\n' >3.csv
	run -2 lh-ingest 1.csv 3.csv
	[[ $output == *"3.csv: column 2 has another name than in the first file"* ]]
	tar cf t.tar 1.csv 2.csv
	run -0 lh-ingest t.tar
	[ "$output" = $'{"a":1,"b":"2"}\n{"a":3,"b":"x"}' ]
	run -1 --separate-stderr lh-ingest --sample 1 1.csv - <t.tar
	[ "$output" = $'{"a":1,"b":2}\n{"a":1,"b":2}' ]
	[ "${stderr_lines[0]}" = 'lh-ingest: -/2.csv:2: column "b" is not int64' ]
}

# bats test_tags=full
@test "a pipe is read as the file is, compressed or not, also beyond what memory keeps of the sample" {
	python3 -c '
for i in range(120000):
    print(i, "x" * 200, i / 8, sep=",")' | sed '1i a,b,c' >t.csv
	lh-ingest --sample all t.csv >want
	[ "$(wc -l <want)" = 120000 ]
	cat t.csv | lh-ingest --sample all | cmp - want
	gzip -1 <t.csv | lh-ingest --sample all | cmp - want
	gzip -1 <t.csv >t.csv.gz
	lh-ingest t.csv.gz | cmp - want
}

# bats test_tags=hostile
@test "damaged input: the rows before the damage are written, then exit 2" {
	python3 -c '
import random
print("a,b")
for i in range(50000):
    print(f"{i},{random.random()}")' | gzip >t.csv.gz
	head -c 200000 t.csv.gz >cut.csv.gz
	run -2 --separate-stderr bash -c 'lh-ingest cut.csv.gz >out'
	[[ $stderr == *cut.csv.gz* ]]
	[ "$(wc -l <out)" -gt 10000 ]
	run -2 bash -c 'cat cut.csv.gz | lh-ingest --sample all >piped'
	cmp out piped
}

@test "a table of 65,536 columns is read, and one of more is refused by the limit" {
	python3 -c '
n = 65536
print(",".join(f"c{i}" for i in range(n)))
print(",".join(str(i) for i in range(n)))
print("x" + "," * n)' >t.csv
	run -1 --separate-stderr bash -c 'lh-ingest t.csv >out'
	[[ $stderr == *"t.csv:3: 65537 cells, but there are 65536 columns"* ]]
	[ "$(jq -c '[length, .c0, .c65535]' out)" = '[65536,0,65535]' ]
	sed '1s/$/,more/' t.csv >more.csv
	run -2 lh-ingest more.csv
	[[ $output == *"more.csv: 65537 columns, more than 65536"* ]]
}

# bats test_tags=full
@test "a cell of 100 MB is a member, or refused in little memory with --max-line" {
	plain_only "address space"
	{ printf 'a,b\n1,"'; stretch 104857600 'x y
'; printf '"\n2,z\n'; } >t.csv
	lh-ingest t.csv | wc -c >size
	[ "$(cat size)" -gt 104857600 ]
	run -1 --separate-stderr bash -c 'ulimit -v 60000; lh-ingest --max-line 1M --rejects r t.csv'
	[ "$output" = '{"a":2,"b":"z"}' ]
	[[ ${stderr_lines[0]} == *"t.csv:2: row is longer than 1048576 bytes (--max-line)" ]]
	cmp r <(sed '$d' t.csv)
}

@test "memory does not grow with the rows" {
	plain_only "memory"
	python3 -c '
print("id,name,score")
for i in range(400000):
    print(f"{i},name {i % 1000},{i / 8}")' >t.csv
	head -n 20000 t.csv >few.csv
	small=$( (/usr/bin/python3 - few.csv || true) <<-'END'
	import resource, subprocess, sys
	subprocess.run(["lh-ingest", "--sample", "all", sys.argv[1]], stdout=subprocess.DEVNULL, check=True)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	END
	)
	large=$( (/usr/bin/python3 - t.csv || true) <<-'END'
	import resource, subprocess, sys
	subprocess.run(["lh-ingest", "--sample", "all", sys.argv[1]], stdout=subprocess.DEVNULL, check=True)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	END
	)
	[ "$large" -lt $((small + 2048)) ] || { echo "$small KiB, $large KiB"; return 1; }
}

# bats test_tags=full
@test "random tables are as a second implementation reads them" {
	python3 - "$(scale 300 5000)" <<-'END'
	import io, os, random, subprocess, sys
	sys.path.insert(0, os.environ["ROOT"] + "/tests/oracle")
	sys.dont_write_bytecode = True
	import ingest
	def second(*argv):
	    kept = sys.argv, sys.stdout, sys.stderr
	    sys.argv, sys.stdout, sys.stderr = ["ingest", *argv], io.TextIOWrapper(io.BytesIO()), io.StringIO()
	    try:
	        ingest.main()
	        sys.stdout.flush()
	        return sys.stdout.buffer.getvalue(), sys.stderr.getvalue().encode()
	    finally:
	        sys.argv, sys.stdout, sys.stderr = kept
	random.seed(11)
	cells = ["", "1", "-7", "2.50", "1e+3", "1e3", "true", "FALSE", "x", "N/A", "007", "é", '"a"', '"a,b"', '"a\nb"', '"a\r\nb"',
	         '"q""q"', '""', "x\"y", " 5", "a\rb", "9223372036854775807", "9223372036854775808", "\0", "tab\there", '"a"b', '"', "\x7f", "\x0c", "\x1a", "a;b", "a|b", ";"]
	for n in range(int(sys.argv[1])):
	    wild = random.random()
	    few = random.sample(cells, random.randrange(1, 6))
	    width = random.randrange(1, 6)
	    end = random.choice(["\n", "\r\n", "\r"])
	    by = random.choice([",", ",", ";", "|", "\t"])
	    text = ("\ufeff" if random.random() < .2 else "") + (f"sep={by}{end}" if random.random() < .2 else "")
	    text += by.join(["id", "b", '"c,c"', "d", "e"][:width]) + end
	    for _ in range(random.randrange(40)):
	        k = width if random.random() < .8 else random.randrange(0, 7)
	        text += by.join(random.choice(cells if random.random() < wild / 4 else few) for _ in range(k)) + end
	        end = random.choice("\r\n") if random.random() < .02 else end
	    if random.random() < .3:
	        text = text[:-1] + random.choice(["", "", "\x1a"])
	    data = text.encode()
	    if random.random() < .1:
	        data = data.replace("é".encode(), b"\xe9")
	    with open("t.csv", "wb") as f:
	        f.write(data)
	    options = random.choice([[], ["--sample", "3"], ["--sample", "all"], ["--null", "N/A"], ["--null-members"],
	                             ["--no-header"], ["--delimiter", by], ["--quote", "none"], ["--quote", '"'], ["--id", "id"], ["--id", "id", "--id-prefix", "w-"]])
	    for describe in ([], ["--describe", "--name", "x"]):
	        want, why = second(*options, *describe[:1], "t.csv")
	        got = subprocess.run(["lh-ingest", "-v", *options, *describe, "t.csv"], capture_output=True)
	        expected = want.replace(b'"name":null,"columns"', b'"name":"x","columns"')
	        lines = sorted(b":".join(line.split(b":")[1:3]).strip() for line in got.stderr.splitlines() if b"t.csv:" in line and line.split(b":")[2].isdigit())
	        bad = sorted(why.split(b"\n")[:-1])
	        if got.stdout != expected or lines != bad or got.returncode != (1 if bad else 0):
	            sys.exit(f"{data!r} {options} {describe}: exit {got.returncode}\n{got.stdout!r}\n{expected!r}\n{got.stderr!r}\n{bad!r}")
	END
}
