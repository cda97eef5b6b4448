/* lh-score: evidence in, a category and its reasons out.  See lh-score(1). */
#include "score.h"

static const struct lh_option options[] = {
	{ 0, "recorded-at", "TIME", "scored_at of what is written (default: --now)",
	  LH_OPT_TIME, false, offsetof(struct settings, recorded_at), 0, 0, NULL, 0 },
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static void settle_time(const struct lh_tool *tool, struct settings *s)
{
	const char *time = s->recorded_at ? s->recorded_at : tool->now;
	int64_t ms;

	if (time && lh_time_read(time, strlen(time), &ms) == 0)
		lh_time_print(ms, s->time);
}

int main(int argc, char **argv)
{
	struct settings s = { .root = NULL };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-score", "[OPTION]... [FILE]...", "evidence in, a category and its reasons out", options);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc) {
		settle_time(&tool, &s);
		rc = filter_run(&tool, &s);
	}
	return lh_tool_finish(&tool, rc);
}
