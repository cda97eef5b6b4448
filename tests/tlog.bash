# For the tests of transparency logs, after helper: load ../tlog

# by_hand COMMAND... - the second implementation in Python.
by_hand() {
	python3 "$ROOT/tests/oracle/transparency.py" "$@"
}

# needs_go - compile the one in Go, once for each text of it, below build/; by_go COMMAND... runs it.
needs_go() {
	local source=$ROOT/tests/oracle/transparency.go packages=/usr/share/gocode
	command -v go >/dev/null || skip "there is no Go"
	[ -e $packages/src/golang.org/x/mod/sumdb/tlog ] || skip "there is no golang-golang-x-mod-dev"
	GO_HAND=$ROOT/build/transparency.$(sha256sum <"$source" | head -c 16)
	[ ! -x "$GO_HAND" ] || return 0
	GO111MODULE=off GOPATH=$packages GOCACHE=$ROOT/build/go GOFLAGS='' CGO_ENABLED=0 \
		go build -o "$GO_HAND.$BASHPID" "$source"
	mv "$GO_HAND.$BASHPID" "$GO_HAND"
}

by_go() {
	"$GO_HAND" "$@"
}

# all_are VALUE FILE - each line of FILE has it as "verified", and there is one.
all_are() {
	[ -s "$2" ] && [ -z "$(jq -c "select(.verified != $1)" "$2" | cut -c 1-500 | tee /dev/stderr)" ]
}

# the_keys - log.key, w1.key, w2.key, a policy of them, and one that is content without witnesses.
the_keys() {
	by_hand keys .
	sed 's/^quorum.*/quorum none/' policy >loose
}

# a_log [OPTION]... - keys, policies and an empty log.
a_log() {
	the_keys
	lh-tlog init log --origin example.com/log --key-file log.key "$@"
}

# entries FROM TO - a record for each number.
entries() {
	seq -f '{"id":"entry %.0f"}' "$1" "$2"
}

# append RECORDS... - to log; the answers on stdout.
append() {
	lh-tlog append log --key-file log.key --line "$@"
}

# cosign_by_hand - have the witnesses w1 and w2 of the policy sign the checkpoint of log.
cosign_by_hand() {
	{ by_hand cosign w1 log/checkpoint; by_hand cosign w2 log/checkpoint; } >lines
	cat lines >>log/checkpoint
}
