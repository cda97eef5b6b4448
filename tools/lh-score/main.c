/* lh-score: assign evidence a category with its reasons.  See lh-score(1). */
#include "score.h"

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "score all evidence of this root", LH_TEXT(struct settings, how.root) },
	{ 0, "check-drift", NULL, "compare the rules with stored scored runs",
	  LH_FLAG(struct settings, check_drift) },
	{ 0, "wire", NULL, "with --check-drift: each record holds what to compare",
	  LH_FLAG(struct settings, wire) },
	{ 0, "recorded-at", "TIME", "scored_at of scored runs (default: --now)",
	  LH_TIME(struct settings, how.recorded_at) },
	{ 0, "run-id", "ID", "id of the run in a root (default: a UUID)",
	  LH_TEXT(struct settings, how.run_id) },
	LH_LOCK_OPTION(0),
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static void set_time(const struct lh_tool *tool, struct settings *s)
{
	const char *time = s->how.recorded_at ? s->how.recorded_at : tool->now;
	int64_t ms;

	if (time && lh_time_read(time, strlen(time), &ms) == 0)
		lh_time_print(ms, s->time);
}

/* Refuse options of another mode. */
static int check_options(struct lh_tool *tool, const struct settings *s)
{
	bool writes_root = s->how.root && !s->check_drift;

	if (s->how.root && tool->n_operands)
		return lh_tool_usage(tool, "--root takes no operand: %s", tool->operands[0]);
	if (s->how.run_id && !writes_root)
		return lh_tool_usage(tool, "--run-id is for scoring a --root");
	if (s->wire && (!s->check_drift || s->how.root))
		return lh_tool_usage(tool, "--wire is for --check-drift without a --root");
	if (s->how.recorded_at && s->check_drift)
		return lh_tool_usage(tool, "--recorded-at: --check-drift records nothing");
	if (writes_root && (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP))
		return lh_tool_usage(tool,
				     "--rejects and --on-error are for a filter, not for a --root");
	return 0;
}

static int run(struct lh_tool *tool, struct settings *s)
{
	if (check_options(tool, s) < 0)
		return -1;
	if (s->check_drift)
		return drift_run(tool, s);
	if (s->how.root)
		return root_run(tool, s);
	set_time(tool, s);
	return filter_run(tool, s);
}

int main(int argc, char **argv)
{
	struct settings s = { .check_drift = false };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-score", "[OPTION]... [FILE]...",
		     "put evidence into categories by fixed rules", options);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc)
		rc = run(&tool, &s);
	return lh_tool_finish(&tool, rc);
}
