/* lh-validate: check whether an artifact may be sent.  See lh-validate(1). */
#include "validate.h"

#include "json/write.h"
#include "store/object_copies.h"

#include <lh/validate.h>

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
static int copy_objects(struct settings *s, struct lh_object_copies *copies, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < s->roster.n; i++)
		if (lh_object_copies_take(copies, &s->roster.v[i], err) < 0)
			return lh_err_prefix(err, "--roster");
	return s->rules && lh_object_copies_folder(copies, &s->rules, err) < 0 ?
		lh_err_prefix(err, "--rules") : 0;
}

static int run(struct lh_tool *tool, const struct settings *s)
{
	const char *way = s->schema ? "--schema" : "--normalize-errors";

	if (s->audit_required && !s->audit_log)
		return lh_tool_usage(tool, "--audit-required: needs --audit-log");
	if (!s->schema && !s->normalize)
		return artifacts_run(tool, s);
	if (s->schema && s->normalize)
		return lh_tool_usage(tool, "--schema and --normalize-errors exclude each other");
	if (s->kind != LH_KIND_NONE || s->rules || s->audit_log || s->decisions.path ||
	    s->decisions.text)
		return lh_tool_usage(tool, "%s: --kind, --rules, --audit-log and --decisions are "
				     "for artifacts", way);
	return s->schema ? schema_run(tool, s) : normalize_run(tool);
}

int main(int argc, char **argv)
{
	struct settings s = { .kind = LH_KIND_NONE };
	struct lh_object_copies copies = { .n = 0 };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-validate", "[OPTION]... [FILE]...",
		     "judge drafts before they are sent, and records by schemas", options);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc)
		rc = copy_objects(&s, &copies, &tool.err);
	if (!rc)
		rc = run(&tool, &s);
	lh_object_copies_free(&copies);
	return lh_tool_finish(&tool, rc);
}
