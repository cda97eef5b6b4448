# What an auditor is handed: lh-audit-full --bundle and bundle verify.
# bats file_tags=long
load ../helper

NOW=2026-05-03T12:00:00Z

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	lh-gen kb -n 60 --root root
	LH_NOW=$NOW lh-distill run --root root >/dev/null
	seq 60 | sed 's/.*/{"schema":"replay_run.v1","n":&}/' >root/data/_kb/replay_runs.jsonl
	echo '{"recorded_at":"2026-05-02T12:00:00.000Z","metrics":{"p2_evidence_rows":59}}' >root/data/_kb/audit_baselines.jsonl
	lh-audit-full --observer --root root --now $NOW --out report.md --html report.html --bundle b.tar.zst >checks.jsonl
	# every EDIT that a test below asks for
	sed -nE 's/^\t(faulty|forged) ([a-z][a-z0-9-]*).*/\2/p; s/^\t([a-z-]+)\|.*/\1/p' "$BATS_TEST_FILENAME" | grep -vx bundle | sort -u >edits
	for name in dotdot absolute deep dot escape utf8; do echo listed-$name; done >>edits
	python3 "$ROOT/tests/forge-bundle.py" "$BATS_FILE_TMPDIR" <edits
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR"/{root,b.tar.zst} .
}

# bundle [OPTION]... - audit the root into out.tar.zst.
bundle() {
	lh-audit-full --observer --root root --now $NOW --out report.md --bundle out.tar.zst "$@" >lines
}

# refused FILE WHY - bundle verify answers 1, and WHY is in its last line.
refused() {
	run --separate-stderr patiently lh-audit-full bundle verify "$1"
	[ "$status" = 1 ] || { echo "$1: exit $status, $output, $stderr"; return 1; }
	[ -z "$stderr" ]
	[ "$(tail -n 1 <<<"$output" | jq -c '[.verified, .error]')" = "[false,$(jq -nc --arg e "$2" '$e')]" ] ||
		{ echo "$1: $output"; return 1; }
}

# forged EDIT - b.tar.zst with that done to it, as f.tar.zst.
forged() {
	cp "$BATS_FILE_TMPDIR/$1.tar.zst" f.tar.zst
}

# faulty EDIT NAME WHY - one member is said to be at fault, and all others are good.
faulty() {
	forged "$1"
	refused f.tar.zst "not every member is as listed"
	[ "$(head -n -1 <<<"$output" | jq -c 'select(.verified == false) | [.path, .error]')" = "$(jq -nc --arg n "$2" --arg e "$3" '[$n, $e]')" ] ||
		{ echo "$1: $output"; return 1; }
}

# ---- what is in it ----

@test "it holds the report in all its forms, the run, the baselines, the tail of the replays" {
	tar --zstd -xf b.tar.zst
	[ "$(find . -path ./root -prune -o -type f -printf '%P\n' | LC_ALL=C sort | grep -v zst | paste -sd' ')" = \
		"MANIFEST.jsonl baselines.jsonl checks.jsonl replay-tail.jsonl report.html report.json report.md run/collect.json run/drift.json run/export-preference.json run/export-rag.json run/export-sft.json run/score.json run/summary.json run/summary.md" ]
	for f in checks.jsonl report.html report.md; do cmp $f "$BATS_FILE_TMPDIR/$f"; done
	lh-audit-full --observer --root root --now $NOW --out x.md --json | cmp - report.json
	for f in run/*; do cmp $f root/reports/distillation/*/"${f#run/}"; done
	cmp baselines.jsonl root/data/_kb/audit_baselines.jsonl
	tail -n 50 root/data/_kb/replay_runs.jsonl | cmp - replay-tail.jsonl
}

@test "the manifest lists path, size and sha256 of every other member, in order, and comes first" {
	tar --zstd -xf b.tar.zst
	[ "$(tar --zstd -tf b.tar.zst | first 1)" = MANIFEST.jsonl ]
	[ "$(tar --zstd -tf b.tar.zst | tail -n +2)" = "$(jq -r .path MANIFEST.jsonl)" ]
	tar --zstd -tf b.tar.zst | LC_ALL=C sort -c
	jq -r '"\(.sha256)  \(.path)"' MANIFEST.jsonl | sha256sum -c --quiet
	[ "$(jq -r '"\(.size) \(.path)"' MANIFEST.jsonl)" = "$(jq -r .path MANIFEST.jsonl | xargs stat -c '%s %n')" ]
	[ "$(jq -c keys_unsorted MANIFEST.jsonl | sort -u)" = '["path","size","sha256"]' ]
}

@test "other programs read it: GNU tar, zstd, lh-cat" {
	zstd -tq b.tar.zst
	run -0 --separate-stderr tar --zstd -tvf b.tar.zst
	[ -z "$stderr" ]
	[ "$(awk '{ print $1, $2, $4, $5 }' <<<"$output" | sort -u)" = "-rw-r--r-- 0/0 1970-01-01 00:00" ]
	[ "$(zstd -dcq b.tar.zst | tar -xO run/summary.json)" = "$(cat root/reports/distillation/*/summary.json)" ]
	lh-cat b.tar.zst | has '"path":"report.md"'
}

@test "its mode is 0600, also in the place of a file that others can read" {
	[ "$(stat -c %a b.tar.zst)" = 600 ]
	echo old >out.tar.zst
	chmod 644 out.tar.zst
	bundle --force
	[ "$(stat -c %a out.tar.zst)" = 600 ]
	cmp out.tar.zst b.tar.zst
}

# ---- how it is written ----

@test "a target that is a symlink, FIFO, folder or device is refused, and so is one in no folder" {
	echo old >file
	ln -s file link
	mkfifo fifo
	mkdir folder
	for t in "link: is a symbolic link, not a regular file" "fifo: is a FIFO, not a regular file" \
		"folder: is a directory, not a regular file" "/dev/null: is a device, not a regular file" \
		"no/x.tar.zst"; do
		run --separate-stderr patiently lh-audit-full --observer --root root --now $NOW --out report.md --bundle "${t%%:*}"
		[ "$status" = 2 ]
		[[ $stderr == *"$t"* ]] || [[ $t == no/* && $stderr == *"no/"*"No such file or directory"* ]] ||
			{ echo "$t: $stderr"; return 1; }
	done
	[ "$(cat file)" = old ]
	[ -c /dev/null ]
	no_litter
}

@test "a full disk leaves the old file, at whichever write" {
	needs_strace
	for ((n = 1; n < 200; n++)); do
		echo old >out.tar.zst
		run inject write,pwrite64:error=ENOSPC:when=$n \
			bash -c "exec lh-audit-full --observer --phase 0 --root root --now $NOW --out report.md --force --bundle out.tar.zst >lines 2>err"
		injected || break
		grep -qE 'write\(2,.*INJECTED' trace && continue
		[ "$status" = 2 ] && grep -q 'No space left' err || { echo "write $n: exit $status, $(cat err)"; return 1; }
		# after the bundle only stdout is written
		[ "$(tr -d '\0' <out.tar.zst)" = old ] || lh-audit-full bundle verify -q out.tar.zst
		no_litter
	done
	[ "$n" -gt 2 ]
	echo old >out.tar.zst
	run prlimit --fsize=2000 lh-audit-full --observer --phase 0 --root root --now $NOW --out report.md --force --bundle out.tar.zst
	[ "$status" = 2 ]
	[[ $output == *"File too large"* ]]
	[ "$(cat out.tar.zst)" = old ]
}

# ---- bundle verify ----

@test "a good bundle: a line a member, as listed, and a summary" {
	run -0 --separate-stderr lh-audit-full bundle verify b.tar.zst
	[ -z "$stderr" ]
	head -n -1 <<<"$output" >lines
	[ "$(jq -c '[.path, .size, .sha256]' lines)" = "$(tar --zstd -xOf b.tar.zst MANIFEST.jsonl | jq -c '[.path, .size, .sha256]')" ]
	[ "$(jq -c '[keys_unsorted, .verified, .error]' lines | sort -u)" = '[["path","size","sha256","verified","error"],true,null]' ]
	sum=$(tar --zstd -xOf b.tar.zst MANIFEST.jsonl | sha256sum)
	[ "$(tail -n 1 <<<"$output")" = '{"file":"b.tar.zst","members":14,"manifest_sha256":"'"${sum%% *}"'","verified":true,"error":null}' ]
	run -0 lh-audit-full bundle verify -q b.tar.zst
	[ -z "$output" ]
	run -0 lh-audit-full bundle verify - <b.tar.zst
	[ "$(tail -n 1 <<<"$output" | jq -c '[.file, .verified]')" = '["-",true]' ]
}

# bats test_tags=full
@test "each kind of tampering is found, and the member named" {
	faulty remove report.md "missing"
	faulty remove-last run/summary.md "missing"
	faulty add zzz "not listed in MANIFEST.jsonl"
	faulty behind zzz "not listed in MANIFEST.jsonl"
	faulty reorder report.json "comes after report.md"
	faulty duplicate report.md "is there twice"
	faulty manifest-twice MANIFEST.jsonl "not listed in MANIFEST.jsonl"
	size=$(tar --zstd -xOf b.tar.zst report.md | wc -c)
	faulty longer report.md "has $((size + 1)) bytes, not $size"
	sum=$(tar --zstd -xOf b.tar.zst report.md | sed '1s/^./X/' | sha256sum)
	faulty change report.md "its SHA-256 is ${sum%% *}"
	forged rename
	refused f.tar.zst "not every member is as listed"
	[ "$(jq -c 'select(.verified == false).path' <<<"$output" | paste -sd' ')" = '"report.mx" "report.md" null' ]
}

@test "links, devices and folders are refused" {
	faulty symlink report.md "is a symbolic link, not a regular file"
	faulty hardlink report.md "is a hard link, not a regular file"
	faulty device report.md "is a device, not a regular file"
	faulty block report.md "is a device, not a regular file"
	faulty fifo report.md "is a FIFO, not a regular file"
	faulty link-beside report.link "not listed in MANIFEST.jsonl"
	forged folder
	refused f.tar.zst "not every member is as listed"
}

@test "names that lead out, or mean something else elsewhere, are refused, listed or not" {
	faulty dotdot ../x "not a name for a member"
	faulty absolute /etc/x "not a name for a member"
	faulty deep run/../../x "not a name for a member"
	faulty dot ./report.md "not a name for a member"
	faulty escape $'a\033[31mb' "not a name for a member"
	faulty utf8 bündel "not a name for a member"
	for name in dotdot absolute deep dot escape utf8; do
		forged listed-$name
		refused f.tar.zst 'MANIFEST.jsonl: line 15: "path" must be a relative path of letters, digits, ".", "_", "-" and "/"'
	done
}

@test "a manifest that is not one, or lists what cannot be" {
	while IFS='|' read -r edit why; do
		forged "$edit"
		refused f.tar.zst "$why"
	done <<-'END'
	no-manifest|begins with "baselines.jsonl", not with MANIFEST.jsonl
	manifest-last|begins with "baselines.jsonl", not with MANIFEST.jsonl
	manifest-link|MANIFEST.jsonl is a symbolic link, not a regular file
	manifest-garbage|MANIFEST.jsonl: line 1: cut short
	manifest-cut|MANIFEST.jsonl: line 14: cut short
	manifest-capitals|MANIFEST.jsonl: line 1: "sha256" must be a string of 64 lowercase hex digits
	manifest-no-size|MANIFEST.jsonl: line 2: missing "size" (whole number, 0 or more)
	manifest-lists-itself|MANIFEST.jsonl: line 15: lists itself
	manifest-huge|MANIFEST.jsonl is said to have 2097152 bytes, more than 1048576
	reorder-all|MANIFEST.jsonl: line 6: report.json comes after report.md
	duplicate-listed|MANIFEST.jsonl: line 7: report.md is listed twice
	nothing-left|holds nothing
	no-tar|is not an archive
	unsealed|ends in no seal
	END
}

@test "a bomb, a member of an exabyte, ten thousand members: refused, and soon" {
	forged bomb
	[ "$(stat -c %s f.tar.zst)" -lt 100000 ]
	refused f.tar.zst "expands more than 1000 times (LH_MAX_RATIO)"
	forged huge
	refused f.tar.zst "damaged: Truncated tar archive"
	forged many
	refused f.tar.zst "holds more than 4096 members"
}

# bats test_tags=full
@test "a flipped bit anywhere is found, and so is an end cut off" {
	size=$(stat -c %s b.tar.zst)
	step=$(scale 97 5)
	for ((i = 0; i < size; i += i < 8 || i > size - 50 ? 1 : step)); do echo "flip $i"; done >edits
	for n in 0 1 3 4 5 8 9 100 511 512 1000 $((size / 2)) $(seq $((size - 45)) $((size - 1))); do echo "cut $n"; done >>edits
	python3 "$ROOT/tests/forge-bundle.py" . <edits
	while read -r what n; do
		status=0
		patiently lh-audit-full bundle verify "$what-$n.tar.zst" >out 2>err || status=$?
		[ "$status" = 1 ] || { echo "$what $n: exit $status, $(cat out err)"; return 1; }
		[ ! -s err ]
		[[ $(tail -n 1 out) == *'"verified":false,"error":"'* ]]
		rm "$what-$n.tar.zst"
	done <edits
}

@test "the command line" {
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086
		run --separate-stderr lh-audit-full $arguments
		[ "$status" = 2 ]
		[ "$stderr" = "lh-audit-full: $message" ] || { echo "$arguments: $stderr"; return 1; }
	done <<-'END'
	bundle|bundle: missing operand verify|commit
	bundle make|bundle: "make" is not verify or commit
	bundle verify|bundle verify: missing operand BUNDLE
	bundle verify a b|unexpected operand "b": bundle verify takes one BUNDLE
	bundle --root x verify a|--root: not an option of "lh-audit-full bundle", but of lh-audit-full, drift, merge
	END
}
