# What a release has beside its programs: its sources as one file, and what the programs link.
load ../helper

# bats test_tags=full
@test "the sources of one commit are the same bytes in two folders, whatever the umask" {
	[ -e "$ROOT/.git" ] || skip "not a clone"
	git clone -q "$ROOT" a
	git clone -q "$ROOT" b
	make -s -C a dist >one
	(umask 077 && make -s -C b B=elsewhere dist) >two
	grep -qE '^[0-9a-f]{64}  lakehouse-tools-' one
	diff one two
}

@test "the list of what the programs link is SPDX, names each Debian package once, and is the same bytes twice" {
	export SOURCE_DATE_EPOCH=1700000000
	type dpkg-query >/dev/null || skip "no dpkg here"
	"$ROOT/debian/sbom" lakehouse-tools 9.9 "$LH_BIN" >one
	"$ROOT/debian/sbom" lakehouse-tools 9.9 "$LH_BIN" | cmp one -
	[ "$(jq -c '[.spdxVersion, .creationInfo.created, .packages[0].name, .packages[0].versionInfo]' one)" = '["SPDX-2.3","2023-11-14T22:13:20Z","lakehouse-tools","9.9"]' ]
	jq -e '([.packages[].name] | index("libc6") and index("libsqlite3-0")) and ([.packages[].SPDXID] | length == (unique | length)) and
		([.relationships[].relatedSpdxElement] | sort) == ([.packages[].SPDXID] | sort)' one
	jq -r '.packages[1:][] | "\(.name) \(.versionInfo)"' one | sort >listed
	cut -d ' ' -f 1 listed | xargs dpkg-query -W -f '${Package} ${Version}\n' | sort -u | diff listed -
}
