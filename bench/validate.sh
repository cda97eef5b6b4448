# lh-validate against the obvious Python script: a million emails, a roster of
# 100,000; and how long a roster of 500,000 takes to load.
source "$ROOT/bench/lib.bash"

[ -s "$DATA/roster.jsonl" ] || lh-gen workers -n 100000 | jq -c '{ candidate_id, name, status, city, state, role, blacklisted_clients }' >"$DATA/roster.jsonl"
[ -s "$DATA/emails.jsonl" ] || lh-gen drafts -n 1000000 --kinds email --workers 100000 >"$DATA/emails.jsonl"
[ -s "$DATA/roster-500k.jsonl" ] || lh-gen workers -n 500000 | jq -c '{ candidate_id, name, status, city, state, role, blacklisted_clients }' >"$DATA/roster-500k.jsonl"

# A script that does less would be no peer.
fit() { grep -c '"verdict":{"status":200' || true; }
ours=$( (lh-validate --roster "$DATA/roster.jsonl" <(head -n 20000 "$DATA/emails.jsonl") || [ $? = 1 ]) | fit)
theirs=$(head -n 20000 "$DATA/emails.jsonl" | python3 "$ROOT/bench/validate.py" "$DATA/roster.jsonl" | fit)
[ "$ours" = "$theirs" ] || { echo "lh-validate finds $ours of 20,000 fit, the script $theirs" >&2; exit 1; }

versus 'lh-validate -j1, 1,000,000 emails, Python' 3 \
	"lh-validate -j1 --roster $DATA/roster.jsonl $DATA/emails.jsonl || [ \$? = 1 ]" \
	"python3 $ROOT/bench/validate.py $DATA/roster.jsonl <$DATA/emails.jsonl" |
	awk -F'\t' '{ print; printf "drafts a second\t%.0f\t%.0f\n", 1e6 / $2, 1e6 / $3 }'

versus 'a roster of 500,000 loaded, the same in Python' 5 \
	"lh-validate --roster $DATA/roster-500k.jsonl </dev/null" "python3 $ROOT/bench/validate.py $DATA/roster-500k.jsonl </dev/null"
printf 'its resident memory\t%.1f MiB\tof a file of %.1f MiB\n' \
	"$(/usr/bin/time -f %M lh-validate --roster "$DATA/roster-500k.jsonl" 2>&1 </dev/null | awk '{ print $1 / 1024 }')" \
	"$(stat -c %s "$DATA/roster-500k.jsonl" | awk '{ print $1 / 1048576 }')"
