# Tables of word vectors: read, compiled, looked up; and what an index keeps of one.
# bats file_tags=quick
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	printf '%s\n' 'the 0.5 0.5 0.5 0.5' 'forklift 1 0 0 0' 'operator 0 1 0 0' 'welder 0 0 1 0' \
		'aurora 0 0 0 1' 'chicago 0 0.5 0 -0.5' > glove.txt
}

# model FILE
model() {
	lh-embed --engine static --model "$1" <<<'{"text":"forklift"}' | jq -r .model
}

@test "each form of table is recognised, and gives the same vectors" {
	{ echo '6 4'; cat glove.txt; } > word2vec.txt
	sed 's/$/ \r/; s/ /\t/' word2vec.txt | head -c -1 > blanks.txt
	{ printf '\xef\xbb\xbf'; cat glove.txt; } > bom.txt
	python3 - <<-'END'
		import struct
		for end in "", "\n":
		    with open("glove.txt") as f, open("lines.bin" if end else "dense.bin", "wb") as out:
		        out.write(b"6 4\n")
		        for line in f:
		            word, *v = line.split()
		            out.write(word.encode() + b" " + struct.pack("<4f", *map(float, v)) + end.encode())
	END
	lh-embed --compile glove.txt --precision f32 -o want.lhw
	for form in word2vec.txt blanks.txt bom.txt lines.bin dense.bin; do
		lh-embed --compile $form --precision f32 -o $form.lhw
		# all but the header, which has the name
		cmp -i 4096 want.lhw $form.lhw || { echo $form; false; }
	done
	lh-embed --compile - --precision f32 -o stdin.lhw < lines.bin
	cmp -i 4096 want.lhw stdin.lhw
	[[ $(model stdin.lhw) == table:* ]]
}

@test "a table that is damaged is refused, with the place, and nothing is written" {
	head -n 1 glove.txt | gzip > gz
	python3 - <<-'END'
		import struct
		row = lambda w, *v: w + b" " + struct.pack("<2f", *v)
		open("short.bin", "wb").write(b"3 2\n" + row(b"a\x01", 1, 2) + row(b"b", 3, 4) + b"c \x01")
		open("nan.bin", "wb").write(b"2 2\n" + row(b"a", 1, 2) + row(b"b", float("nan"), 4))
		open("blank.bin", "wb").write(b"\n\n2 2\n" + row(b"a\x01", 1, 2) + row(b"b", 70000, 4))
		open("more.bin", "wb").write(b"1 2\n" + row(b"a\x01", 1, 2) + b"\nb")
		open("noblank.bin", "wb").write(b"1 2\n" + b"\x01" * 5000)
		open("far", "w").write("a 1 2\nb 3 1e5\n")
		open("wide", "w").write("a" + " 1" * 65537)
		open("long", "w").write("a" * (5 << 20))
	END
	cat > cases <<-'END'
		a 1 2\nb 1	:2: 1 numbers after the word, expected 2
		a 1 2\nb 1 x	:2: value 2 is not a number
		a 1 2\nb 1 1e39	:2: value 2 is beyond the range of f32
		1 2\na 1 2\nb 3 4	:3: the first line promises 1 words, and here is one more
		3 2\na 1 2\nb 3 4	: truncated: 2 words, the first line promises 3
		{"text":"a"}	:1: not a table of word vectors: no line of a word and its values
		a 1 70000	:1: value 70000 at 1 of the vector: f16 ends at 65504
	END
	lh-embed --compile far --precision f32 -o far.lhw
	while IFS=$'\t' read -r lines message; do
		printf "$lines" > t
		run -2 --separate-stderr lh-embed --compile t -o out.lhw
		[ "$stderr" = "lh-embed: t$message" ] || { echo "$lines: $stderr"; false; }
	done < cases
	for case in 'short.bin: truncated: 2 words, the first line promises 3' 'nan.bin: word 2: NaN or infinity among its values' \
		'blank.bin: word 2: value 70000 at 0 of the vector: f16 ends at 65504' \
		'more.bin: more bytes after the 1 words that the first line promises' 'noblank.bin: word 1: no blank after it in 4096 bytes' \
		'far.lhw: word 2: value 100000 at 1 of the vector: f16 ends at 65504' \
		'wide:1: not a table of word vectors: more than 65536 numbers in a line' \
		'long:1: a line of more than 4194304 bytes: this is not a table of word vectors' \
		'gz: is compressed: give what zcat or the like makes of it'; do
		run -2 --separate-stderr lh-embed --compile "${case%%:*}" -o out.lhw
		[ "$stderr" = "lh-embed: $case" ] || { echo "$case, but $stderr"; false; }
	done
	[ ! -e out.lhw ]
	no_litter
}

@test "options that do not go together are refused" {
	lh-embed --compile glove.txt -o t.lhw
	while IFS=$'\t' read -r options message; do
		run -2 --separate-stderr lh-embed $options < /dev/null
		[ "$stderr" = "lh-embed: $message" ] || { echo "$options: $stderr"; false; }
	done <<-'END'
		--engine static	--engine static: name the table of word vectors by --model FILE
		--engine static --model t.lhw --dimension 64	--dimension: engine static makes vectors as long as its table has them
		--engine static --model t.lhw --url http://x	--url: engine static has no service
		--engine static --model none	--model: none: No such file or directory
		--compile glove.txt	--compile: say by -o where to
		--compile glove.txt -o x in	unexpected operand "in": --compile reads its TABLE alone
		--compile none -o x	none: No such file or directory
		--compile glove.txt -o -	-o -: a compiled table is a file, not a stream (./- if that is its name)
		--compile glove.txt -o x --raw	--compile embeds no text: only --output and --precision go with it
		-o x	--output goes with --compile
		--precision f16	--precision goes with --compile
	END
}

@test "a text is the weighted mean of its words" {
	lh-embed --compile glove.txt --precision f32 -o t.lhw
	for table in glove.txt t.lhw; do
		lh-embed --engine static --model $table <<<'{"text":"FORKLIFT"}' | jq -c .vector
		lh-embed --engine static --model $table <<<'{"text":"welder, welder"}' | jq -c .vector
	done >got
	[ "$(paste -sd' ' got)" = '[1,0,0,0] [0,0,1,0] [1,0,0,0] [0,0,1,0]' ]
}

@test "a text is refused when no word of it is known, nor one like it" {
	lh-embed --compile glove.txt -o t.lhw
	printf '%s\n' '{"text":"⭐"}' '{"text":"60505"}' '{"text":"zzz"}' '{"text":""}' '{"texts":["forklift"],"model":"hash-v1"}' '{"text":"forkliftz"}' '{"texts":["the","⭐"]}' > in
	run -1 --separate-stderr lh-embed --engine static --model t.lhw in
	[ "${#lines[@]}" = 1 ]
	[ "$(jq -c '.vector[0] > 0.99' <<<"$output")" = true ]
	for i in 0 1 2; do
		[ "${stderr_lines[i]}" = "lh-embed: in:$((i + 1)): no word of the text is in the table, nor one like it" ]
	done
	[ "${stderr_lines[3]}" = "lh-embed: in:4: empty text" ]
	[ "${stderr_lines[4]}" = "lh-embed: in:5: \"model\" is \"hash-v1\", but this engine makes \"$(model t.lhw)\"" ]
	[ "${stderr_lines[5]}" = "lh-embed: in:7: text 2: no word of the text is in the table, nor one like it" ]
}

@test "an index keeps the table it was made by and its path, and takes no other" {
	lh-embed --compile glove.txt -o t.lhw
	mkdir sub
	printf '%s\n' '{"id":"a","text":"forklift operator"}' '{"id":"b","text":"welder"}' > in
	lh-index build --engine static --model t.lhw w.lhv in
	[ "$(lh-index info w.lhv | jq -c '[.dimension, .engine, .model]')" = "[4,\"static\",\"$(model t.lhw)\"]" ]
	[ "$(cd sub && lh-search -Q welders -k 1 ../w.lhv | jq -r '.results[0].id')" = b ]
	echo '{"id":"c","text":"aurora"}' | lh-index add w.lhv
	[ "$(lh-search -Q Aurora -k 1 w.lhv | jq -r '.results[0].id')" = c ]

	mv t.lhw sub/moved.lhw
	run -2 lh-search -Q welder w.lhv
	[ "$output" = "lh-search: corpus \"w\": $PWD/t.lhw: No such file or directory" ]
	echo '{"id":"d","text":"chicago"}' | lh-index add --model sub/moved.lhw w.lhv
	lh-embed --compile glove.txt --precision i8 -o t.lhw
	run -2 lh-search -Q welder w.lhv
	[ "$output" = "lh-search: -Q: corpus \"w\": $PWD/t.lhw: is the table $(model t.lhw), not $(model sub/moved.lhw)" ]
	run -1 lh-index add w.lhv <<<'{"id":"e","text":"the"}'
	[[ $output == *"is the table $(model t.lhw), not $(model sub/moved.lhw)"* ]]
	ln -sf sub/moved.lhw t.lhw
	[ "$(lh-search -Q chicago -k 1 w.lhv | jq -r '.results[0].id')" = d ]

	lh-embed --engine static --model t.lhw in > vectors
	lh-index build v.lhv vectors
	run -1 lh-index add v.lhv <<<'{"id":"e","text":"the"}'
	echo '{"id":"e","text":"the"}' | lh-index add --engine static --model t.lhw v.lhv
	[ "$(lh-index info v.lhv | jq .length)" = 3 ]
	run -2 lh-index build --engine static x.lhv in
	[ "$output" = "lh-index: engine static: name the table of word vectors by --model FILE" ]
	run -2 lh-index build --engine static --model glove.txt x.lhv in
	[ "$output" = "lh-index: $PWD/glove.txt: not a compiled table of word vectors (lh-embed --compile makes one)" ]
	run -2 lh-index build --engine static --model t.lhw --dimension 5 x.lhv in
	cp sub/moved.lhw $'caf\xe9.lhw'
	run -2 lh-index build --engine static --model $'caf\xe9.lhw' x.lhv in
	[[ $output == *'its path is not UTF-8'* ]]
	[ ! -e x.lhv ]
}
