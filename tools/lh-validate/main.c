/* lh-validate: check whether an artifact may be sent.  See lh-validate(1). */
#include "validate.h"

#include "json/write.h"

#include "validate/validate.h"

static const struct lh_option options[] = {
	{ 0, "kind", LH_KINDS, "kind of records without a kind", LH_CHOICE(struct settings, kind) },
	{ 0, "roster", "ROSTER", "roster: JSON Lines or an index (repeatable: the first found)",
	  LH_TEXTS(struct settings, roster, .env = "LH_ROSTER") },
	{ 0, "roster-later", NULL, "the roster may come later; until then, error 503",
	  LH_FLAG(struct settings, roster_later) },
	{ 0, "rules", "DIR", "rule files, *.json, to run after the built-in rules",
	  LH_TEXT(struct settings, rules) },
	{ 0, "schema", "NAME|FILE|list", "check records by a schema; FILE: a JSON Schema",
	  LH_TEXT(struct settings, schema,
		  .words = "evidence_record|scored_run|receipt|playbook|scratchpad_summary|"
			   "model_ledger|rag_sample|sft_sample|preference_sample|stage_receipt|"
			   "run_summary|drift_report") },
	{ 0, "normalize-errors", NULL, "rewrite stored errors into the tagged form",
	  LH_FLAG(struct settings, normalize) },
	{ 0, "audit-log", "DIR", "log every look-up in the roster in DIR",
	  LH_TEXT(struct settings, audit_log) },
	{ 0, "audit-required", NULL, "a look-up without a row gives verdict 503",
	  LH_FLAG(struct settings, audit_required) },
	{ 0, "key-file", "FILE", "key of these rows (repeatable: the first signs)",
	  LH_TEXTS(struct settings, key_file, .env = "LH_SUBJECT_AUDIT_KEY") },
	{ 0, "insecure-key", NULL, "accept a key file that others can read",
	  LH_FLAG(struct settings, insecure_key) },
	{ 0, "sms-length", "units|chars", "measure of an SMS (default: units, with --wire chars)",
	  LH_CHOICE(struct settings, sms_length) },
	{ 0, "wire", NULL, "print only the report or the error", LH_FLAG(struct settings, wire) },
	LH_DECISIONS_OPTIONS(struct settings, decisions),
	LH_ONCE_OPTION,
	LH_LOCK_OPTION(0),
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

void put_status(struct lh_buf *out, int status)
{
	struct lh_writer w = lh_write_again(out);

	lh_write_u64(&w, "status", (uint64_t)status);
	lh_write_end(&w);
}

/* Copy the rosters and rules that are in S3. */
static int copy_objects(struct settings *s, struct lh_err *err)
{
	struct lh_object_copies *copies = &s->copies;
	size_t i;

	for (i = 0; i < s->roster.n; i++)
		if (lh_object_copies_take(copies, &s->roster.v[i], err) < 0)
			return lh_err_prefix(err, "--roster");
	return s->rules && lh_object_copies_folder(copies, &s->rules, err) < 0 ?
		lh_err_prefix(err, "--rules") : 0;
}

static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	const char *way = s->schema ? "--schema" : "--normalize-errors";

	if (copy_objects(s, &tool->err) < 0)
		return -1;
	if (s->audit_required && !s->audit_log)
		return lh_tool_usage(tool, "--audit-required: needs --audit-log");
	if (!s->schema && !s->normalize)
		return 0;
	if (s->schema && s->normalize)
		return lh_tool_usage(tool, "--schema and --normalize-errors exclude each other");
	if (s->kind != LH_KIND_NONE || s->rules || s->audit_log || s->decisions.path ||
	    s->decisions.text)
		return lh_tool_usage(tool, "%s: --kind, --rules, --audit-log and --decisions are "
				     "for artifacts", way);
	return 0;
}

static int close_copies(struct lh_tool *tool, void *settings, int rc)
{
	(void)tool;
	lh_object_copies_free(&((struct settings *)settings)->copies);
	return rc;
}

static const struct lh_bind report[] = {
	{ LH_BIND_ONLY("findings", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY) },
	{ LH_BIND_ONLY("elapsed_ms", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	LH_OP_COUNT("status"),
	LH_BIND_END
};
static const struct lh_bind verdict[] = {
	LH_OP_COUNT("status"), LH_OP_OBJECT("report"), LH_OP_OBJECT("error"), LH_BIND_END
};
static const struct lh_bind judged[] = {
	{ LH_BIND_ONLY("verdict", LH_BIND_TO_TABLE), .required = true, .table = verdict },
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", .in = artifact_members, .out = judged, .command = artifacts_run },
	{ "", .in = wire_members, .out = report, .command = artifacts_run },
	{ "", .about = "check records by a JSON Schema", .in = lh_op_any, .out = judged,
	  .command = schema_run },
	{ "", .about = "check records by a JSON Schema", .in = lh_op_any, .out = report,
	  .command = schema_run },
	{ "", .about = "write error objects of other programs as those of these", .in = lh_op_any,
	  .out = lh_op_any, .command = normalize_run },
	{ "", .in = artifact_members, .out = report, .command = artifacts_run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct settings *s = settings;

	if (s->wire && !s->schema && s->kind >= 0)
		return &ops[5];		/* a record may be the artifact itself */
	return &ops[s->normalize ? 4 : (s->schema ? 2 : 0) + s->wire];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-validate",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "judge drafts before they are sent, and records by schemas",
		.example = "lh-validate --roster workers.jsonl drafts.jsonl > judged.jsonl",
		.options = options,
		.check = check,
		.close = close_copies,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){
		.kind = LH_KIND_NONE, .sms_length = -1 });
}
