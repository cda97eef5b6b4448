# lh-catalog: manifests, who may change them, and what a folder of them may look like.
# bats file_tags=quick
load ../helper

NOW="--now 2026-05-03T12:00:00Z"
T=2026-05-03T12:00:00.000Z
WORKERS=4ee908eb-05e4-5c26-a4ad-4ca54bb01062

register() {
	lh-catalog register $NOW --catalog c "$@"
}

# uuids - the ids of names, one a line, by a program that knows nothing of ours.
uuids() {
	python3 -c '
import sys, uuid
for line in sys.stdin:
    print(uuid.uuid5(uuid.UUID("a8f3c1d2-4e5b-5a6c-9d8e-7f0a1b2c3d4e"), line[:-1]))'
}

@test "a registration prints the manifest and whether the name was known" {
	run -0 register <<<'{"name":"workers","schema_fingerprint":"f","objects":[{"key":"k","size":7,"sha256":"'"$(printf '%064d' 1)"'"}],"row_count":5,"store":"/s","x":[1.0, 2]}'
	[ "$output" = '{"manifest":{"dataset_id":"'$WORKERS'","name":"workers","schema_fingerprint":"f","objects":[{"key":"k","size":7,"sha256":"'"$(printf '%064d' 1)"'"}],"row_count":5,"store":"/s","created_at":"'$T'","updated_at":"'$T'","x":[1.0, 2]},"existing":false}' ]
	[ "{\"manifest\":$(cat c/$WORKERS.json),\"existing\":false}" = "$output" ]
	run -0 lh-catalog register --now 2026-05-04T12:00:00Z --catalog c <<<'{"schema_fingerprint":"f","name":"workers","objects":[],"y":1}'
	[ "$output" = '{"manifest":{"dataset_id":"'$WORKERS'","name":"workers","schema_fingerprint":"f","objects":[],"created_at":"'$T'","updated_at":"2026-05-04T12:00:00.000Z","y":1,"x":[1.0, 2]},"existing":true}' ]
	[ "$(ls -A c)" = $WORKERS.json ]
}

@test "the id is the UUID of version 5 of the name, for names of any characters" {
	printf '%s\n' workers fill_events 'a b' ünï 日本 '"quoted"' 'C:\x' "$(stretch 1024 x)" >names
	jq -Rc '{name: ., schema_fingerprint: "f"}' names | register >out
	alike <(jq -r .manifest.dataset_id out) <(uuids <names)
	[ "$(sed -n 1,2p <(jq -r .manifest.dataset_id out) | xargs)" = "$WORKERS a556bc0d-eb3c-5af0-87de-824f1b4e4c10" ]
}

@test "another fingerprint is a conflict, 409, and the manifest keeps every byte" {
	register <<<'{"name":"w","schema_fingerprint":"f","row_count":1}' >/dev/null
	cp c/*.json before
	run -1 register --on-error emit <<<'{"name":"w","schema_fingerprint":"g","row_count":2}'
	[[ $output == *'"code":409,"message":"the dataset is registered with another fingerprint, \"f\""'* ]]
	cmp before c/*.json
}

@test "a record that is wrong makes nothing, also no folder" {
	long=$(stretch 1025 x)
	while IFS='|' read -r record why; do
		run -1 --separate-stderr register <<<"$record"
		[[ -z $output && ${stderr_lines[0]} == "lh-catalog: -:1: $why" ]] || { echo "$record: $stderr"; return 1; }
		[ ! -e c ]
	done <<-END
	{"name":"$long","schema_fingerprint":"f"}|"name" must be at most 1024 bytes
	{"name":"a\u0000","schema_fingerprint":"f"}|"name" must not hold NUL
	{"name":"a","schema_fingerprint":"f","objects":[{}]}|missing objects[0].key (string)
	{"name":"a","schema_fingerprint":"f","objects":[{"key":"k"},{"key":""}]}|objects[1].key must not be empty
	{"name":"a","schema_fingerprint":"f","objects":[{"key":"k","size":-1}]}|objects[0].size must be a whole number, 0 or more
	{"name":"a","schema_fingerprint":"f","objects":[{"key":"k","sha256":"AB"}]}|objects[0].sha256 must be a hash of 64 lowercase hex digits
	{"name":"a","schema_fingerprint":"f","status":404}|"status" must not be a number
	{"name":"a","schema_fingerprint":"f","error":{}}|"error" must not be an object
	{"name":"a","schema_fingerprint":"f","dataset_id":"$WORKERS"}|"dataset_id" must be that of the name, "$(echo a | uuids)"
	END
}

@test "get and remove take names as operands or as records, in order" {
	printf '{"name":"%s","schema_fingerprint":"f"}\n' a b c | register >/dev/null
	run -0 lh-catalog get --catalog c b a
	[ "$(jq -r .name <<<"$output" | xargs)" = "b a" ]
	[ "$(printf '{"name":"%s"}\n' c a | lh-catalog get --catalog c | jq -r .name | xargs)" = "c a" ]
	run -1 --separate-stderr lh-catalog get --catalog c none a
	[ "$(jq -r .name <<<"$output")" = a ]
	[ "$stderr" = 'lh-catalog: there is no dataset "none"' ]
	run -1 lh-catalog get --on-error emit --catalog c <<<'{"name":"none"}'
	[[ $output == *'"code":404'* ]]
	[ "$(lh-catalog remove --catalog c a)" = '{"name":"a","removed":true}' ]
	run -1 --separate-stderr lh-catalog remove --catalog c < <(printf '{"name":"%s"}\n' a b)
	[ "$output" = '{"name":"b","removed":true}' ]
	[ "$(lh-catalog list --catalog c | jq -r .name)" = c ]
}

@test "a catalog that is not there is empty, and only a registration makes it" {
	[ -z "$(lh-catalog list --catalog c)" ]
	run -1 lh-catalog get --catalog c a
	run -1 lh-catalog remove --catalog c a
	[ ! -e c ]
	echo x >c
	run -2 --separate-stderr lh-catalog list --catalog c
	[ "$stderr" = 'lh-catalog: c: Not a directory' ]
	run -2 register <<<'{"name":"a","schema_fingerprint":"f"}'
	run -2 --separate-stderr lh-catalog list
	[ "$stderr" = 'lh-catalog: --catalog DIR is missing' ]
	run -2 --separate-stderr lh-catalog list --catalog c x
	[[ $stderr == *'unexpected operand "x"'* ]]
	[ "$(LH_CATALOG=d lh-catalog list)" = "" ]
}

@test "the list is sorted by name, and what it prints can be registered elsewhere" {
	printf '%s\n' b a B é ab a1 | jq -Rc '{name: ., schema_fingerprint: "f", more: {x: 1.0}}' | register >/dev/null
	[ "$(lh-catalog list --catalog c | jq -r .name | xargs)" = "B a a1 ab b é" ]
	lh-catalog list --catalog c | lh-catalog register $NOW --catalog d >/dev/null
	[ "$(ls d | wc -l)" = 6 ]
	diff -r c d
}

# ---- hostile folders ----

# bats test_tags=hostile
@test "a damaged manifest is reported and the others are listed, exit 1" {
	printf '{"name":"%s","schema_fingerprint":"f"}\n' {a..j} | register >/dev/null
	id() { echo "$1" | uuids; }
	printf '{' >"c/$(id b).json"
	: >"c/$(id c).json"
	rm "c/$(id d).json" && ln -s "$PWD/c/$(id a).json" "c/$(id d).json"
	rm "c/$(id e).json" && mkdir "c/$(id e).json"
	cp "c/$(id a).json" "c/$(id f).json"
	truncate -s 17M "c/$(id g).json"
	rm "c/$(id h).json" && mkfifo "c/$(id h).json"
	sed -i 's/"name":"i"/"name":"i","name":"i"/' "c/$(id i).json"
	echo junk >c/README
	echo '{}' >c/.hidden.json
	run -1 --separate-stderr patiently lh-catalog list --catalog c
	[ "$(jq -r .name <<<"$output" | xargs)" = "a j" ]
	[ "${#stderr_lines[@]}" = 8 ]
	listed=$stderr
	for name in b c d e f g h i; do
		[[ $listed == *"c/$(id $name).json: "* ]]
		run -1 --separate-stderr patiently lh-catalog get --on-error emit --catalog c < <(printf '{"name":"%s"}\n' $name a)
		[[ ${lines[0]} == *'"code":503'* ]]
		[ "$(jq -r .name <<<"${lines[1]}")" = a ]
	done
	# what is damaged is not overwritten, and can be removed
	run -1 register --on-error emit <<<'{"name":"b","schema_fingerprint":"f"}'
	[[ $output == *'"code":503'* ]]
	[ "$(cat "c/$(id b).json")" = '{' ]
	lh-catalog remove --catalog c b
	register <<<'{"name":"b","schema_fingerprint":"f"}'
	[ "$(readlink "c/$(id d).json")" = "$PWD/c/$(id a).json" ]
}

@test "a manifest that was edited by hand, over several lines, is printed on one" {
	register <<<'{"name":"workers","schema_fingerprint":"f","note":"a\tb"}' >/dev/null
	jq --tab . c/$WORKERS.json | sed 's/$/\r/' >edited
	mv edited c/$WORKERS.json
	run -0 lh-catalog list --catalog c
	[ "${#lines[@]}" = 1 ]
	[ "$(jq -c . <<<"$output")" = "$(jq -c . c/$WORKERS.json)" ]
	[ "$(register <<<'{"name":"workers","schema_fingerprint":"f"}' | jq -r .manifest.note)" = $'a\tb' ]
}

@test "members of an earlier version that are called as newer ones are kept and not read; a registration has no such" {
	register <<<'{"name":"workers","schema_fingerprint":"f"}' >/dev/null
	was=$(cat c/$WORKERS.json)
	while read -r own; do
		echo "${was%?},$own}" >c/$WORKERS.json
		[ "$(lh-catalog get --catalog c workers)" = "${was%?},$own}" ]
		[ "$(lh-query --catalog c 'SELECT 1 AS n')" = '{"n":1}' ]
		run -0 register <<<'{"name":"workers","schema_fingerprint":"f","team":"ops"}'
		[[ $output == *',"team":"ops",'"$own"'},"existing":true}' ]]
		run -1 register <<<'{"name":"workers","schema_fingerprint":"f",'"$own"'}'
	done <<-'END'
	"columns":["id"]
	"columns":[{"name":"id","type":"int64"},{"title":"t"}]
	"history":[{"key":"k","size":-1}]
	"history":"moved in May"
	"checks":"ok"
	"lineage":["crm"]
	END
}

@test "sizes are limited: a manifest of more than 16 megabytes is 413 and changes nothing" {
	register <<<'{"name":"w","schema_fingerprint":"f"}' >/dev/null
	cp c/*.json before
	{ printf '{"name":"w","schema_fingerprint":"f","x":"'; stretch $((16 << 20)) x; echo '"}'; } >big
	run -1 register --on-error emit big
	[[ $output == *'"code":413,'* ]]
	cmp before c/*.json
	[ "$(ls -A c | wc -l)" = 1 ]
}

# ---- many at once, and ends that nobody planned ----

@test "50 registrars at once lose none, of different names and of one" {
	for i in {1..50}; do
		printf '{"name":"%s","schema_fingerprint":"f","n%d":1}\n' "n$i" "$i" one "$i" >"in$i"
	done
	for i in {1..50}; do
		lh-catalog register --catalog c "in$i" >"out$i" &
	done
	wait
	[ "$(lh-catalog list --catalog c | wc -l)" = 51 ]
	[ "$(lh-catalog get --catalog c one | jq '[keys[] | select(test("^n[0-9]"))] | length')" = 50 ]
	[ "$(cat out* | jq -c 'select(.manifest.name == "one" and (.existing | not))' | wc -l)" = 1 ]
	[ -z "$(ls -A c | grep -v '\.json$')" ]
}

@test "killed at any write, sync or rename, a registration leaves the old manifest or the new one" {
	needs_strace
	register <<<'{"name":"w","schema_fingerprint":"f","row_count":1}' >/dev/null
	file=$(echo c/*.json)
	cp "$file" old
	for call in write fsync rename unlink flock; do
		for n in {1..20}; do
			cp old "$file"
			inject $call:signal=KILL:when="$n" lh-catalog register $NOW --catalog c <<<'{"name":"w","schema_fingerprint":"f","row_count":2}' >out 2>/dev/null || true
			injected || break
			[[ $(lh-catalog get --catalog c w | jq .row_count) == [12] ]]
			[ ! -s out ] || [ "$(lh-catalog get --catalog c w | jq .row_count)" = 2 ]
			run -0 register <<<'{"name":"w","schema_fingerprint":"f","row_count":3}'
			[ "$(ls -A c)" = "$(basename "$file")" ]
		done
	done
}

# ---- requests ----

@test "requests answer in the shapes of the routes, and live on after every error" {
	run -1 --separate-stderr lh-catalog requests $NOW --on-error emit --catalog c <<-'END'
	{"op":"list"}
	{"op":"register","name":"b","schema_fingerprint":"f"}
	{"op":"register","name":"a","schema_fingerprint":"f","op2":1}
	{"op":"get","name":"a"}
	{"op":"get","name":"x"}
	{"op":"register","name":"a","schema_fingerprint":"g"}
	{"op":"register","name":"a"}
	{"op":"drop","name":"a"}
	{"op":"list"}
	{"op":"remove","name":"b"}
	END
	[ "${#lines[@]}" = 10 ]
	[ "${lines[0]}" = '{"manifests":[],"count":0}' ]
	[ "${lines[2]}" = '{"manifest":'"${lines[3]}"',"existing":false}' ]
	[ "$(printf '%s\n' "${lines[@]:4:4}" | jq .error.code | xargs)" = "404 409 400 400" ]
	[ "${lines[8]}" = '{"manifests":['"${lines[3]},$(jq -c .manifest <<<"${lines[1]}")"'],"count":2}' ]
	[ "${lines[9]}" = '{"name":"b","removed":true}' ]
	[ "$(jq -c 'keys' <<<"${lines[3]}" | grep -c '"op"')" = 0 ]
}

@test "requests name no file in an answer, only on stderr" {
	register <<<'{"name":"w","schema_fingerprint":"f"}' >/dev/null
	echo '{' >"$(echo c/*.json)"
	run -1 --separate-stderr lh-catalog requests --on-error emit --catalog c <<-'END'
	{"op":"get","name":"w"}
	{"op":"register","name":"w","schema_fingerprint":"f"}
	{"op":"list"}
	END
	[ "$(printf '%s\n' "${lines[@]:0:2}" | jq -r '.error | "\(.code) \(.message)"' | sort -u)" = "503 the catalog cannot be used at present" ]
	[ "${lines[2]}" = '{"manifests":[],"count":0}' ]
	[[ $stderr == *"c/"*".json: not a manifest"* ]]
}

@test "verify that found no object says so and is exit 1, unless --allow-empty" {
	mkdir c st
	run -1 --separate-stderr lh-catalog verify --catalog c --store st
	[ -z "$output" ] && [ "$stderr" = "lh-catalog: 0 objects in c: --allow-empty if that is right" ]
	run -0 --separate-stderr lh-catalog verify --catalog c --store st --allow-empty
	[ "$stderr" = "lh-catalog: 0 objects in c" ]
}
