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

/* Refuse options of another mode. */
static int check_options(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
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

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	const char *time = s->how.recorded_at ? s->how.recorded_at : tool->now;
	int64_t ms;

	if (time && lh_time_read(time, strlen(time), &ms) == 0)
		lh_time_print(ms, s->time);
	return filter_run(tool, s);
}

static const struct lh_op ops[] = {
	{ "", .in = lh_evidence_members, .out = lh_scored_members, .command = run },
	{ "", .about = "score all evidence of a root", .command = root_run, .writes = true },
	{ "", .about = "compare the rules with stored scored runs", .in = lh_op_any,
	  .out = drift_members, .command = drift_run },
	{ "", .about = "compare the rules with the scored runs of each record",
	  .in = drift_request, .out = drift_members, .command = drift_requests_run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct settings *s = settings;

	return &ops[s->check_drift ? 2 + s->wire : s->how.root != NULL];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-score",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "put evidence into categories by fixed rules",
		.example = "lh-score evidence.jsonl | jq -r .category | sort | uniq -c",
		.options = options,
		.check = check_options,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){ .check_drift = false });
}
