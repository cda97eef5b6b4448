# lh-store with a real S3 server, s3rver from npm, and other clients on the same bucket:
# rclone and s3cmd.  The server does not check the signatures of reads; lh-store.bats has
# one that does.  It is installed once, and every test is skipped with the reason if it
# cannot be.
# Plain only: s3rver, rclone and s3cmd; lh-store.bats and store-operands.bats take the
# same paths with a server of ours.
# bats file_tags=full,plain-only
load ../helper
load ../servers/server
load ../servers/s3

setup_file() {
	local reason
	reason=$(s3rver) || export NO_S3RVER="$reason"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	[ -z "${NO_S3RVER:-}" ] || skip "$NO_S3RVER"
	s3rver
	unset AWS_SESSION_TOKEN AWS_REGION LH_S3_KEY_FILE AWS_CA_BUNDLE AWS_PROFILE
	start_s3rver
	export RCLONE_CONFIG=/dev/null RCLONE_S3_PROVIDER=Other RCLONE_S3_ENV_AUTH=true
	export RCLONE_S3_ENDPOINT=$LH_S3_ENDPOINT RCLONE_S3_FORCE_PATH_STYLE=true
}

teardown() {
	stop_upstreams
}

B=s3://bucket

s3cmd_() {
	s3cmd --config /dev/null --host="${LH_S3_ENDPOINT#http://}" --host-bucket="${LH_S3_ENDPOINT#http://}" \
		--access_key=S3RVER --secret_key=S3RVER --no-ssl --quiet "$@"
}

@test "what lh-store puts, rclone and s3cmd read" {
	command -v rclone s3cmd >which || skip "there is no rclone or s3cmd"
	seq 2000000 >large
	lh-store put $B 'a b/é+1' <<<hello >out
	lh-store put --part-size 5M $B large large >out
	[ "$(rclone cat ':s3:bucket/a b/é+1')" = hello ]
	rclone cat :s3:bucket/large | cmp - large
	s3cmd_ get $B/large got
	cmp got large
	s3cmd_ get "$B/a b/é+1" small
	[ "$(cat small)" = hello ]
	alike <(lh-store list $B | jq -r .key) <(rclone lsf -R --files-only :s3:bucket | LC_ALL=C sort)
}

@test "what rclone and s3cmd put, lh-store reads" {
	command -v rclone s3cmd >which || skip "there is no rclone or s3cmd"
	seq 2000000 >large
	echo hello >'é+1'
	rclone copy --s3-no-check-bucket . ':s3:bucket/r c' --include large --include 'é+1'
	s3cmd_ --multipart-chunk-size-mb=5 put large $B/s/large
	s3cmd_ put 'é+1' "$B/s/é+1"
	for at in 'r c' s; do
		lh-store get $B "$at/large" | cmp - large
		[ "$(lh-store get $B "$at/é+1")" = hello ]
	done
	[ "$(lh-store list $B s/ | jq -r .key | xargs)" = "s/large s/é+1" ]
	lh-store delete $B s/large >out
	[ "$(rclone lsf :s3:bucket/s)" = é+1 ]
}

@test "sync to s3rver and back gives the same files" {
	mkdir -p from/x/y
	for i in {1..30}; do seq $((i * 10)) >"from/x/y/file $i"; done
	seq 2000000 >from/large
	lh-store sync --part-size 5M from $B/copy >out
	[ "$(wc -l <out)" = 31 ]
	lh-store sync $B/copy to >out
	diff -r from to
	rm -r from/x
	lh-store sync --delete from $B/copy >out
	[ "$(lh-store list $B/copy | jq -r .key)" = large ]
}

@test "what the page of lh-ingest shows of S3 works with s3rver" {
	{ echo worker_id,role,city; for i in {1..300}; do echo "$i,Forklift Operator,Chicago"; echo "$((i + 300)),Welder,Gary"; done; } >workers.csv
	sed -n '/^lh-ingest .*s3:/,/^\.Ed/p' "$ROOT/man/lh-ingest.1" | sed '$d; s/\\e/\\/g' >commands
	[ "$(grep -c '^lh-' commands)" = 5 ]
	bash -euo pipefail commands >out
	diff - <(jq -c 'if .results then (.results | map(.metadata.role) | unique) elif .n then . else .row_count // .size > 0 end' out) <<-'END'
	600
	{"role":"Forklift Operator","n":300}
	{"role":"Welder","n":300}
	true
	["Forklift Operator"]
	END
}
