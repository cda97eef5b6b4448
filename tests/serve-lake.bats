load helper
load servers/serve

# The routes of the lake: the catalog.  What they answer is what the tool prints.

T=2026-05-03T12:00:00.000Z
export LH_NOW=2026-05-03T12:00:00Z

teardown() {
	faults_happened
	end_serves
}

# only WORD - a configuration in which the built-in filters without that word are off, so
# that a server starts at once.
only() {
	lh-serve --print-config | jq -c --arg word "$1" '{routes: [.routes[] | select(.run and (.run | index($word) | not)) |
		{route, off: "not in this test"}]}' >config.json
	start_serve --config config.json --state s
}

# get PATH [CURL-OPTION]... - the body of the answer
get() {
	curl -sS -m 60 "${@:2}" "$URL$1"
}

# ---- the catalog ----

@test "the catalog's routes answer byte for byte what lh-catalog prints" {
	only lh-catalog
	[ "$(get /v1/catalog/list)" = '{"manifests":[],"count":0}' ]
	for body in '{"name":"workers","schema_fingerprint":"f","objects":[{"key":"k","size":7}],"row_count":5,"x":[1.0]}' \
		'{"name":"a/b ü","schema_fingerprint":"g"}' '{"name":"workers","schema_fingerprint":"f","row_count":6}'; do
		alike <(post /v1/catalog/register "$body"; echo) <(lh-catalog register --catalog c <<<"$body")
	done
	alike <(get /v1/catalog/manifest/workers; echo) <(lh-catalog get --catalog c workers)
	alike <(get /v1/catalog/manifest/a%2Fb%20%C3%BC; echo) <(lh-catalog get --catalog c 'a/b ü')
	alike <(get /v1/catalog/list; echo) <(lh-catalog list --catalog c | jq -c -s '{manifests: ., count: length}' | sed 's/"x":\[1\]/"x":[1.0]/')
	diff -r c s/catalog
}

@test "the catalog's errors are the statuses of the contract" {
	only lh-catalog
	post /v1/catalog/register '{"name":"w","schema_fingerprint":"f"}' >out
	while IFS='|' read -r code body; do
		[ "$(status /v1/catalog/register --json "$body")" = "$code" ] || { echo "$body"; return 1; }
	done <<-END
	400|{"schema_fingerprint":"f"}
	400|{"name":"","schema_fingerprint":"f"}
	400|{"name":"w"}
	400|{"name":"w","schema_fingerprint":""}
	400|{"name":"$(stretch 1025 x)","schema_fingerprint":"f"}
	400|{"op":"list","name":"w","schema_fingerprint":"f"}
	400|{"name":"w","schema_fingerprint":"f","status":299}
	400|[]
	409|{"name":"w","schema_fingerprint":"g"}
	200|{"name":"w","schema_fingerprint":"f"}
	END
	[ "$(status /v1/catalog/manifest/none)" = 404 ]
	[ "$(get /v1/catalog/manifest/none)" = '{"error":"there is no dataset \"none\""}' ]
	[ "$(status '/v1/catalog/manifest/w?op=list')" = 400 ]
	[ "$(status /v1/catalog/manifest/)" = 404 ]
	[ "$(status /v1/catalog/list -X DELETE)" = 405 ]
	echo '{' >s/catalog/*.json
	[ "$(status /v1/catalog/manifest/w)" = 503 ]
	[ "$(get /v1/catalog/list)" = '{"manifests":[],"count":0}' ]
	[ "$(get /v1/catalog/manifest/w)" = '{"error":"the catalog cannot be used at present"}' ]
}

@test "50 clients at once that register lose no dataset" {
	only lh-catalog
	for i in {1..50}; do
		curl -sS -m 60 -o "out$i" --json '{"name":"n'"$i"'","schema_fingerprint":"f"}' "$URL/v1/catalog/register" 3>&- &
		CURLS[i]=$!
	done
	wait "${CURLS[@]}"
	[ "$(get /v1/catalog/list | jq '[.count, (.manifests | map(.name) | unique | length)] | unique | first')" = 50 ]
	[ "$(ls -A s/catalog | wc -l)" = 50 ]
}
