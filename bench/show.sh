# lh-show, next to programs that show the same.
source "$ROOT/bench/lib.bash"

[ -s "$DATA/workers.jsonl" ] || lh-gen workers -n 100000 >"$DATA/workers.jsonl"
all=$(head -n 1 "$DATA/workers.jsonl" | jq -r 'keys_unsorted | join(",")')
versus 'table of 100,000 workers, mlr --opprint' 5 "lh-show --columns $all $DATA/workers.jsonl" "mlr --ijsonl --opprint cat $DATA/workers.jsonl"
versus 'the columns of a worker, mlr --opprint' 5 "lh-show $DATA/workers.jsonl" \
	"mlr --ijsonl --opprint cut -o -f candidate_id,name,role,city,state,status $DATA/workers.jsonl"
printf 'resident memory of the table, mlr --opprint\t%s\n' "$(for c in "lh-show --columns $all" "mlr --ijsonl --opprint cat"; do
	# shellcheck disable=SC2086
	/usr/bin/time -f %M $c "$DATA/workers.jsonl" 2>&1 >/dev/null
done | paste -s | awk '{ printf "%.1f MiB\t%.1f MiB\t%.0f", $1 / 1024, $2 / 1024, $2 / $1 }')"
