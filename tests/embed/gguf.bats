# GGUF files: the generator of test models, and the reader on wrong files.
load ../helper

GGUF() {
	"$(dirname "$AID")/aid_gguf" "$@"
}

# bats test_tags=full
@test "blocks of each type are decoded as a second implementation decodes them, to the bit" {
	local type bytes
	python3 "$ROOT/tests/model/forge.py" blocks blocks.gguf
	for type in F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K halves; do
		bytes=$((4 * 8 * 512))
		[ "$type" != halves ] || bytes=$((4 * 2 * 0x7c01))
		python3 "$ROOT/tests/model/oracle.py" blocks.gguf --tensor $type | python3 -c '
import json, struct, sys
for line in sys.stdin:
    row = json.loads(line)
    sys.stdout.buffer.write(struct.pack("=%df" % len(row), *row))' >expected
		[ "$(stat -c %s expected)" = "$bytes" ]
		GGUF values blocks.gguf $type >values
		cmp values expected
		LH_KERNEL=portable GGUF values blocks.gguf $type >values
		cmp values expected
	done
}

@test "values that are not finite are found in each type, in the value or in any scale" {
	local name type dims bytes verdict n=0
	python3 "$ROOT/tests/model/forge.py" infinite infinite.gguf
	GGUF list infinite.gguf >list
	while read -r name type dims bytes verdict; do
		case $name in
		*.finite) [ "$verdict" = finite ] ;;
		*) [ "$verdict" = "not finite" ] ;;
		esac || { echo "$name $verdict"; return 1; }
		n=$((n + 1))
	done <list
	[ "$n" = 58 ]
}

@test "a file that is wrong in one field is refused in one line that names it" {
	local name line n=0
	python3 "$ROOT/tests/model/forge.py" wrong . >wrong.tsv
	while IFS=$'\t' read -r name line; do
		run -2 GGUF list "$name"
		[ "${#lines[@]}" = 1 ]
		# the line is a pattern
		[[ $output == "$name: "$line ]] || { echo "got  $output"; echo "want $name: $line"; return 1; }
		n=$((n + 1))
	done <wrong.tsv
	[ "$n" -gt 60 ]
}

@test "keys of all types and tensors of all types are taken; unknown ones do not matter" {
	python3 "$ROOT/tests/model/forge.py" every every.gguf
	GGUF list every.gguf >list
	[ "$(grep -c ' finite$' list)" = 12 ]
	[ "$(grep -c ' not readable$' list)" = 2 ]
	has -x 'I32 I32 1x2x1x3 24 not readable' <list
}

# bats test_tags=hostile
@test "a file cut off at any byte of its header, or every 4 KiB after it, is refused" {
	python3 "$ROOT/tests/model/forge.py" every every.gguf
	GGUF prefixes every.gguf
	python3 "$ROOT/tests/model/make.py" -o model.gguf --type Q8_0
	GGUF prefixes model.gguf
}

# bats test_tags=hostile
@test "a header with any byte changed is refused, or all that it says can be read" {
	python3 "$ROOT/tests/model/forge.py" every every.gguf
	GGUF bytes every.gguf
	python3 "$ROOT/tests/model/forge.py" model model.gguf
	GGUF bytes model.gguf
}

@test "a header of counts and lengths beyond the file needs no memory" {
	local name line
	plain_only "it needs address space"
	python3 "$ROOT/tests/model/forge.py" wrong . >wrong.tsv
	while IFS=$'\t' read -r name line; do
		run -2 prlimit --as=$((32 << 20)) "$(dirname "$AID")/aid_gguf" list "$name"
		[[ $output != *memory* ]]
	done <wrong.tsv
}
