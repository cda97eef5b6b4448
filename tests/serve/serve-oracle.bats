# lh-serve and oracle/serve.py: the same targets and bodies by two implementations.
# bats file_tags=oracle
load ../helper

@test "two implementations agree which route a request is, and what line its body becomes" {
	seed=${LH_SEED:-$(scale 1 $RANDOM$RANDOM)}
	python3 -B "$ROOT/tests/oracle/serve.py" "$(scale 10000 300000)" "$seed" "$(dirname "$AID")/aid_serve" >out || { cat out; return 1; }
	cat out
	# each of the routes was met, and both kinds of refusal
	[ "$(sed -n 2p out | jq 'length')" -ge 15 ]
}
