# lh-embed with the hash engine: records in, records with vectors out.
# bats file_tags=quick
load ../helper

# base64 of little-endian f32 on stdin, as a JSON array
decode() {
	python3 -c 'import base64, json, struct, sys
for line in sys.stdin:
	raw = base64.b64decode(json.loads(line))
	print(json.dumps(struct.unpack("<%df" % (len(raw) // 4), raw)))'
}

@test "a record comes back with vector, dimension and model at its end" {
	echo '{"id" : 1.0,"text":"forklift operator","n":12345678901234567890}' > in
	run -0 --separate-stderr lh-embed in
	[ -z "$stderr" ]
	[[ $output == '{"id" : 1.0,"text":"forklift operator","n":12345678901234567890,"vector":['*'],"dimension":768,"model":"hash-v3"}' ]]
	[ "$(jq '.vector | length' <<<"$output")" = 768 ]
}

@test "vectors have unit length, and with --raw the engine's own" {
	echo '{"text":"forklift operator in Aurora"}' > in
	[ "$(lh-embed in | jq '.vector | map(. * .) | add | . * 100000 | round')" = 100000 ]
	[ "$(lh-embed --raw in | jq '.vector | map(. * .) | add | . > 1.1 or . < 0.9')" = true ]
}

@test "old members of the added names are dropped, the new ones come last" {
	run -0 lh-embed --dimension 64 <<<'{"vector":[1],"a":1,"model":"m","dimension":1,"text":"x"}'
	[[ $output == '{"a":1,"text":"x","vector":['*'],"dimension":64,"model":"hash-v3"}' ]]
}

@test "base64 holds the same floats as the array" {
	echo '{"text":"Café résumé ⭐ 你好"}' > in
	lh-embed in | jq -c .vector > array
	lh-embed --encoding base64 in | jq .vector | decode > decoded
	python3 - <<-'END'
		import json, struct
		f32 = lambda v: [struct.unpack("<f", struct.pack("<f", x))[0] for x in v]
		assert f32(json.load(open("array"))) == json.load(open("decoded"))
	END
}

@test "--dimension of engine hash is 64 to 4096" {
	for n in 64 100 4096; do
		run -0 lh-embed --dimension $n <<<'{"text":"x"}'
		[ "$(jq '.vector | length' <<<"$output")" = $n ]
		[ "$(jq .dimension <<<"$output")" = $n ]
	done
	run -2 lh-embed --dimension 63 <<<'{"text":"x"}'
	[[ $output == *--dimension*64*4096* ]]
	run -2 lh-embed --dimension 4097 <<<'{"text":"x"}'
}

@test "a request is answered by the reply alone" {
	run -0 lh-embed --dimension 64 --encoding base64 <<<'{"texts":["a","b"],"other":1}'
	[[ $output =~ ^'{"vectors":["'[A-Za-z0-9+/]+'==","'[A-Za-z0-9+/]+'=="],"dimension":64,"model":"hash-v3"}'$ ]]
}

@test "--wire rust names the reply's members as the other runtime does" {
	run -0 lh-embed --dimension 64 --wire rust <<<'{"texts":["a"]}'
	[[ $output == '{"embeddings":[['*']],"dimensions":64,"model":"hash-v3"}' ]]
	jq -e '.embeddings[0] | map(. * .) | add | (. - 1) * 1e5 | round == 0' <<<"$output"
}

@test "--wire takes requests alone, and answers with the body that clients expect" {
	run -0 lh-embed --dimension 64 --wire go --trace-id t <<<'{"texts":["a"],"trace_id":"x"}'
	[[ $output == '{"vectors":[['*']],"dimension":64,"model":"hash-v3"}' ]]
	[ "$output" = "$(lh-embed --dimension 64 <<<'{"texts":["a"]}')" ]
	run -0 lh-embed --wire go <<<'{"op":"stats"}'
	[ "$output" = '{"hits":0,"misses":0,"hit_rate":0,"size":0,"capacity":10000}' ]
	cat >in <<-'END'
	{"text":"a"}
	{}
	{"texts":null}
	{"texts":[]}
	{"texts":["a",""]}
	{"texts":["a"],"model":"other"}
	{"texts":["a"],"op":"search"}
	{"texts":["a"]
	{"texts":["a"],"op":null}
	END
	run -1 --separate-stderr lh-embed --wire go --on-error emit in
	[ "$(jq -r '.error.code // (.vectors | length)' <<<"$output" | xargs)" = '400 400 400 400 400 400 400 400 1' ]
}

@test "LH_EMBED_ENGINE is the default of --engine" {
	LH_EMBED_ENGINE=gguf run -2 lh-embed --model missing.gguf <<<'{"text":"b"}'
	[[ $output == *missing.gguf* ]]
	LH_EMBED_ENGINE=gguf run -0 lh-embed --engine hash <<<'{"text":"b"}'
	[ "$(jq -r .model <<<"$output")" = hash-v3 ]
	LH_EMBED_ENGINE=other run -2 --separate-stderr lh-embed <<<'{"text":"b"}'
	[ "$stderr" = 'lh-embed: LH_EMBED_ENGINE: "other" is not one of hash, ollama, openai, gguf' ]
}

@test "a request's id comes first in the reply, byte for byte" {
	run -0 lh-embed --dimension 64 <<<'{"texts":["a"],"id":1.50}'
	[[ $output == '{"id":1.50,"vectors":'* ]]
}

@test "records and requests mix, and give the same vectors" {
	printf '%s\n' '{"text":"a b"}' '{"texts":["a b","c"]}' '{"text":"c"}' > in
	lh-embed in > out
	[ "$(sed -n 1p out | jq -c .vector)" = "$(sed -n 2p out | jq -c '.vectors[0]')" ]
	[ "$(sed -n 3p out | jq -c .vector)" = "$(sed -n 2p out | jq -c '.vectors[1]')" ]
}

@test "a request may name the engine's model, null or none, but no other" {
	for model in '"hash-v3"' null '""' '"hash\u002dv3"'; do
		run -0 lh-embed <<<"{\"texts\":[\"a\"],\"model\":$model}"
	done
	run -1 --separate-stderr lh-embed <<<'{"texts":["a"],"model":"nomic-embed-text"}'
	[ "${stderr_lines[0]}" = 'lh-embed: -:1: "model" is "nomic-embed-text", but this engine makes "hash-v3"' ]
	run -1 lh-embed <<<'{"texts":["a"],"model":1}'
}

@test "records that cannot be embedded are rejected with the reason" {
	cat > cases <<-'END'
		{"text":null,"texts":["a"]}	missing "text" (string)
		{"text":""}	empty text
		{"texts":[]}	empty list of texts
		{"texts":["a",""]}	text 2: empty text
		{"texts":["a",3]}	text 2 is not a string
	END
	while IFS=$'\t' read -r record message; do
		run -1 --separate-stderr lh-embed <<<"$record"
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "lh-embed: -:1: $message" ] || { echo "$record: $stderr"; false; }
		[ "${stderr_lines[1]}" = "lh-embed: 1 of 1 records rejected" ]
	done < cases
}

@test "--field names the text, --template makes it" {
	echo '{"role":"Welder","city":"Joliet","skills":["MIG","TIG"],"n":1.50,"text":"Welder, Joliet: MIG, TIG 1.50 {} "}' > in
	[ "$(lh-embed --template '{role}, {city}: {skills} {n} {{}} {none}' in | jq -c .vector)" = "$(lh-embed in | jq -c .vector)" ]
	[ "$(lh-embed --field role in | jq -c .vector)" = "$(lh-embed <<<'{"text":"Welder"}' | jq -c .vector)" ]
	run -1 --separate-stderr lh-embed --template '{none}' in
	[ "${stderr_lines[0]}" = "lh-embed: in:1: empty text" ]
	run -2 lh-embed --template '{role' in
	[ "$output" = 'lh-embed: --template: "{" at byte 1 is not closed (a literal one is written "{{")' ]
	run -2 lh-embed --template '{role}' --field role in
}

@test "a field of --field or --template that no record has is named, after 1,000 and at the end, exit 1" {
	seq 1500 | jq -c '{id: ., title: {en: "bolt \(.)"}} + if . > 1200 then {late: "y"} else {} end' >many
	head -n 3 many >few
	run -1 --separate-stderr lh-embed --template '{title.en} {nosuch} {late}' few
	[ "${#lines[@]}" = 3 ]
	[ "$stderr" = 'lh-embed: --template: no record has "nosuch"
lh-embed: --template: no record has "late"' ]
	run -1 --separate-stderr lh-embed -j 1 --dimension 64 --template '{title.en} {nosuch} {late}' many
	[ "${#lines[@]}" = 1500 ]
	[ "${stderr_lines[0]}" = 'lh-embed: --template: none of the first 1000 records has "nosuch"' ]
	[ "${stderr_lines[1]}" = 'lh-embed: --template: none of the first 1000 records has "late"' ]
	[ "${stderr_lines[-1]}" = 'lh-embed: --template: no record has "nosuch"' ]
	run -0 --separate-stderr lh-embed -j 1 --dimension 64 --template '{late} {title.en}' many
	[ "$stderr" = 'lh-embed: --template: none of the first 1000 records has "late"' ]
	[ "$(lh-embed --dimension 64 --template '{late} {title.en}' <many 2>&1 >/dev/null)" = "$stderr" ]
	run -1 --separate-stderr lh-embed --field title.fr few
	[ "${stderr_lines[0]}" = 'lh-embed: few:1: missing "title.fr" (string)' ]
	[ "${stderr_lines[3]}" = 'lh-embed: --field: no record has "title.fr"' ]
	# no record says nothing about a field
	run -0 --separate-stderr lh-embed --template '{nosuch}' </dev/null
	[ -z "$stderr" ]
	run -0 --separate-stderr lh-embed --field nosuch <<<'{"texts":["a"]}'
	[ -z "$stderr" ]
}

@test "--field and --template take paths; a member named by the whole path comes first" {
	echo '{"title":{"en":"bolt","list":["nut",{"x":"pin"}]},"a":{"b":"no"},"a.b":"yes"}' >in
	vector() { jq -c .vector; }
	[ "$(lh-embed --field title.en in | vector)" = "$(lh-embed <<<'{"text":"bolt"}' | vector)" ]
	[ "$(lh-embed --field a.b in | vector)" = "$(lh-embed <<<'{"text":"yes"}' | vector)" ]
	[ "$(lh-embed --template '{title.list.0} {title.list.1.x} {a.b}' in | vector)" = \
		"$(lh-embed <<<'{"text":"nut pin yes"}' | vector)" ]
}

@test "a text is what it spells, however it is escaped" {
	printf '%s\n' '{"text":"Caf\u00e9 \ud83d\ude00 \"x\"\n"}' '{"text":"Café 😀 \u0022x\"\u000a"}' > in
	[ "$(lh-embed in | jq -c .vector | uniq | wc -l)" = 1 ]
}

@test "white space, control bytes and single signs are texts" {
	printf '%s\n' '{"text":" "}' '{"text":"\u0000"}' '{"text":"⭐"}' '{"text":"--"}' '{"text":"\u202e"}' > in
	run -0 lh-embed in
	[ "$(jq '.vector | map(. * .) | add > 0.99' <<<"$output" | sort -u)" = true ]
}

@test "an engine or a model that does not exist is refused" {
	run -2 lh-embed --engine mystery
	[[ $output == *--engine*hash* ]]
	run -2 lh-embed --model nomic-embed-text <<<'{"text":"x"}'
	[[ $output == *"hash-v1, hash-v2, hash-v3 and hash-v4"* ]]
}

@test "-v ends with what was done" {
	printf '%s\n' '{"text":"a"}' '{"texts":["b","c"]}' > in
	run -0 --separate-stderr lh-embed -v in
	[[ $stderr =~ 'lh-embed: 3 texts, 0 hits, 3 misses, hit rate 0.0 %, '[0-9]+' texts/s' ]]
}

@test "more texts than a request may hold are refused" {
	python3 -c 'print("{\"texts\":[" + ",".join(["\"a\""] * 65537) + "]}")' > in
	run -1 --separate-stderr lh-embed --dimension 64 --encoding base64 in
	[ "${stderr_lines[0]}" = "lh-embed: in:1: more than 65536 texts in one request" ]
}

@test "the hash engine starts without libcurl" {
	needs_strace
	strace -f -e trace=openat -o trace lh-embed < /dev/null
	run ! grep -q libcurl trace
}

@test "members of other services that have no effect are taken, of any value" {
	local member value
	for member in user truncate options keep_alive; do
		for value in '"u"' true 7 '[1,"two"]' '{"a":{}}' null; do
			echo "{\"op\":\"embeddings\",\"input\":\"a night nurse\",\"$member\":$value}"
			echo "{\"op\":\"embed\",\"input\":\"a night nurse\",\"$member\":$value}"
		done
	done | lh-embed --wire go -j1 >got
	lh-embed --wire go <<<'{"op":"embeddings","input":"a night nurse"}' >openai
	lh-embed --wire go <<<'{"op":"embed","input":"a night nurse"}' >ollama
	[ "$(wc -l <got)" = 48 ]
	[ "$(sed -n 'p;n' got | sort -u)" = "$(cat openai)" ]
	[ "$(sed -n 'n;p' got | sort -u)" = "$(cat ollama)" ]
}
