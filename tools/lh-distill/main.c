/* lh-distill: runs of the five stages, and checks on them.  See lh-distill(1). */
#include "distill.h"

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "the root (default: the working directory)",
	  LH_OPT_TEXT, false, offsetof(struct settings, run.root), 0, 0, "LH_DISTILL_ROOT", V_RUN | V_HEALTH | V_RECEIPTS },
	{ 0, "recorded-at", "TIME", "time of the records (default: now)",
	  LH_OPT_TIME, false, offsetof(struct settings, run.recorded_at), 0, 0, NULL, V_RUN | V_ACCEPTANCE },
	{ 0, "run-id", "ID", "id of the run (default: a UUID; receipts: the newest)",
	  LH_OPT_TEXT, false, offsetof(struct settings, run.run_id), 0, 0, NULL, V_RUN | V_RECEIPTS },
	{ 0, "all", NULL, "check every row, not a sample", LH_OPT_FLAG, false, offsetof(struct settings, all), 0, 0, NULL, V_HEALTH },
	{ 0, "fixture", "DIR", "the root to run on (default: one built in)",
	  LH_OPT_TEXT, false, offsetof(struct settings, fixture), 0, 0, NULL, V_ACCEPTANCE },
	LH_LOCK_OPTION(V_RUN),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_verb verbs[] = {
	{ "run", "", "collect, score and export, with receipts", V_RUN, 0, distill_run },
	{ "health", "", "check evidence against its sources", V_HEALTH, 0, distill_health },
	{ "receipts", "", "print the receipts of a run", V_RECEIPTS, 0, distill_receipts },
	{ "acceptance", "", "check 22 invariants on a known root", V_ACCEPTANCE, 0, distill_acceptance },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

static int check(struct lh_tool *tool, const struct settings *s)
{
	if (tool->n_operands)
		return lh_tool_unexpected(tool, 0, "%s takes none", tool->verb->name);
	if (s->run.run_id && !lh_run_id_valid(s->run.run_id))
		return lh_tool_usage(tool, "--run-id: \"%s\" is no name of a folder (up to 128 bytes, no \"/\", not hidden)", s->run.run_id);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .all = false };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-distill", "COMMAND [OPTION]...",
		     "run all stages of a distillation, with receipts", options);
	lh_tool_verbs(&tool, verbs);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc)
		rc = check(&tool, &s);
	if (!rc) {
		s.run.jobs = (unsigned)tool.jobs;
		rc = tool.verb->run(&tool, &s);
	}
	return lh_tool_finish(&tool, rc);
}
