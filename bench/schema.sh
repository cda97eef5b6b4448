# lh-validate --schema FILE against npm's ajv: records in, the same with their verdicts out.
source "$ROOT/bench/lib.bash"
source "$ROOT/tests/npm.bash"

[ -s "$DATA/worker-records.jsonl" ] || lh-gen workers -n 200000 >"$DATA/worker-records.jsonl"
cat >"$DATA/worker.schema.json" <<'END'
{ "type": "object",
  "required": ["candidate_id", "name", "status", "city", "state", "role"],
  "properties": {
    "candidate_id": { "type": "string", "pattern": "^w-\\d+$" },
    "name": { "type": "string", "minLength": 1, "maxLength": 80 },
    "status": { "enum": ["active", "inactive"] },
    "city": { "type": "string", "minLength": 1 },
    "state": { "type": "string", "pattern": "^[A-Z]{2}$" },
    "skills": { "type": "array", "items": { "type": "string" }, "uniqueItems": true, "maxItems": 5 },
    "blacklisted_clients": { "type": "array", "items": { "$ref": "#/$defs/client" } } },
  "anyOf": [{ "required": ["email"] }, { "required": ["phone"] }],
  "$defs": { "client": { "type": "string", "minLength": 1 } } }
END
ours="lh-validate -j1 --schema $DATA/worker.schema.json $DATA/worker-records.jsonl || [ \$? = 1 ]"
npm_package ajv "$ROOT/tests/jsonschema/ajv" "$ROOT/build/ajv" >&2 || exit 0
theirs="node $ROOT/build/ajv/ajv.mjs records $DATA/worker.schema.json <$DATA/worker-records.jsonl"

# A validator that does less would be no peer.
a=$(bash -c "$ours" | grep -c '"verdict":{"status":200' || true)
b=$(bash -c "$theirs" | grep -c '"valid":true' || true)
[ "$a" = "$b" ] && [ "$a" -gt 0 ] || { echo "lh-validate finds $a valid, ajv $b" >&2; exit 1; }

versus 'lh-validate -j1 --schema, 200,000 records, ajv' 5 "$ours" "$theirs" |
	awk -F'\t' '{ print; printf "records a second\t%.0f\t%.0f\n", 2e5 / $2, 2e5 / $3 }'
