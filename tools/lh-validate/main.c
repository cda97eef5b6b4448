/* lh-validate: is this artifact fit to leave the building?  See lh-validate(1). */
#include "validate.h"

#include "lh_validate.h"

static const struct lh_option options[] = {
	{ 0, "kind", LH_KINDS, "kind of records that name none", LH_CHOICE(struct settings, kind) },
	{ 0, "roster", "FILE", "workers: JSONL or an index",
	  LH_OPT_TEXT, false, offsetof(struct settings, roster), 0, 0, "LH_ROSTER", 0 },
	{ 0, "rules", "DIR", "rule files, *.json, to run after the built-in rules", LH_TEXT(struct settings, rules) },
	{ 0, "wire", NULL, "print the report or the error alone", LH_FLAG(struct settings, wire) },
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

int main(int argc, char **argv)
{
	struct settings s = { .kind = LH_KIND_NONE };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-validate", "[OPTION]... [FILE]...", "is this artifact fit to leave the building?", options);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc)
		rc = artifacts_run(&tool, &s);
	return lh_tool_finish(&tool, rc);
}
