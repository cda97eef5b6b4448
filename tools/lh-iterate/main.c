/* lh-iterate: generate, extract, validate, retry.  See lh-iterate(1). */
#include "iterate.h"

static const struct lh_option options[] = {
	{ 0, "emit-session", NULL, "make rows of the session log of stdin's records", LH_FLAG(struct iterate, emit_session) },
	{ 0, "daemon", "NAME", "who a row says wrote it (default lh-iterate)", LH_TEXT(struct iterate, daemon) },
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

int main(int argc, char **argv)
{
	struct iterate it = { .daemon = "lh-iterate" };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-iterate", "[OPTION]... [FILE]...", "generate, extract, validate, retry", options);
	it.tool = &tool;
	rc = lh_tool_parse(&tool, argc, argv, &it);
	if (!rc)
		rc = it.emit_session ? emit_run(&it) : lh_tool_usage(&tool, "only --emit-session is built yet");
	return lh_tool_finish(&tool, rc);
}
