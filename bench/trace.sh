# What a look-up of a record costs: lh-trace, next to grep over the root and to jq, which reads
# the same rows.  TRACE_ROWS rows of sources give five times as many rows in all.
source "$ROOT/bench/lib.bash"
rows=${TRACE_ROWS:-1000000}
root=$DATA/trace-$rows
if [ ! -d "$root/exports" ]; then
	lh-gen kb -n "$rows" --root "$root"
	lh-distill run -q --root "$root" --run-id one >/dev/null
fi
id=$(tail -n 1 "$root/exports/rag/playbooks.jsonl" | jq -r .source_run_id)
files="$root/data $root/exports"

versus 'trace: a look-up, grep -rnF' 3 "lh-trace --root $root --json '$id'" \
	"grep -rnF '\"$id\"' $files"
versus 'trace: a look-up, jq' 1 "lh-trace --root $root --json '$id'" \
	"find $files -name '*.jsonl' -exec jq -c --arg id '$id' 'select([.run_id, .evidence_run_id, .source_run_id, .source_record.evidence_run_id?] | index(\$id))' {} +"
