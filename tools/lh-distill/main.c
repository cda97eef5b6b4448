/* lh-distill: runs of the five stages, and checks on them.  See lh-distill(1). */
#include "distill.h"

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "the root (default: the working directory)",
	  LH_TEXT(struct settings, run.root, .env = "LH_DISTILL_ROOT",
		  .verbs = V_RUN | V_HEALTH | V_RECEIPTS) },
	{ 0, "recorded-at", "TIME", "time of the records (default: now)",
	  LH_TIME(struct settings, run.recorded_at, .verbs = V_RUN | V_ACCEPTANCE) },
	{ 0, "run-id", "ID", "id of the run (default: a UUID; receipts: the newest)",
	  LH_TEXT(struct settings, run.run_id, .verbs = V_RUN | V_RECEIPTS) },
	{ 0, "all", NULL, "check every row, not a sample",
	  LH_FLAG(struct settings, all, .verbs = V_HEALTH) },
	{ 0, "subjects", "DIR", "folder of subjects (default: below the root)",
	  LH_TEXT(struct settings, subjects, .verbs = V_HEALTH) },
	{ 0, "fixture", "DIR", "the root to run on (default: one built in)",
	  LH_TEXT(struct settings, fixture, .verbs = V_ACCEPTANCE) },
	{ 0, "tlog", "DIR", "commit receipts to this transparency log",
	  LH_TEXT(struct settings, tlog, .verbs = V_RUN) },
	{ 0, "key-file-tlog", "FILE", "key that signs its checkpoint (repeatable)",
	  LH_TEXTS(struct settings, tlog_key, .verbs = V_RUN) },
	LH_ALLOW_EMPTY_OPTION(V_HEALTH),
	LH_LOCK_OPTION(V_RUN),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_bind summary[] = {
	LH_OP_COUNT("schema_version"), LH_OP_TEXT("run_id"), LH_OP_TEXT("started_at"),
	LH_OP_TEXT("ended_at"), LH_OP_TEXT("git_commit"), LH_OP_ARRAY("stages"),
	LH_OP_COUNT("total_records_in"), LH_OP_COUNT("total_records_out"),
	LH_OP_COUNT("total_records_accepted"), LH_OP_COUNT("total_records_rejected"),
	LH_OP_COUNT("total_records_quarantined"), LH_OP_COUNT("total_records_skipped"),
	LH_OP_COUNT("rag_records"), LH_OP_COUNT("sft_records"), LH_OP_COUNT("preference_pairs"),
	LH_OP_BOOL("overall_passed"), LH_OP_TEXT("run_hash"), LH_OP_COUNT("total_duration_ms"),
	LH_BIND_END
};
static const struct lh_bind checked[] = {
	LH_OP_TEXT("source"), LH_OP_COUNT("rows"), LH_OP_COUNT("checked"),
	LH_OP_COUNT("mismatched"), LH_OP_COUNT("missing"), LH_OP_COUNT("scored"),
	LH_OP_COUNT("scoreable"), LH_BIND_END
};

static const struct lh_bind invariant[] = {
	LH_OP_COUNT("n"), LH_OP_TEXT("name"), LH_OP_BOOL("passed"), LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "run", "", "collect, score and export, with receipts", V_RUN, .out = summary,
	  .command = distill_run, .writes = true },
	{ "health", "", "check evidence against its sources", V_HEALTH, .out = checked,
	  .command = distill_health },
	{ "receipts", "", "print the receipts of a run", V_RECEIPTS, .out = lh_op_any,
	  .command = distill_receipts },
	{ "acceptance", "", "check 22 invariants on a known root", V_ACCEPTANCE,
	  .out = invariant, .command = distill_acceptance },
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	s->run.jobs = (unsigned)tool->jobs;
	if (s->run.run_id && !lh_run_id_valid(s->run.run_id))
		return lh_tool_usage(tool,
				     "--run-id: \"%s\" is not a name for a run (up to 128 bytes, "
				     "no \"/\", not hidden)",
				     s->run.run_id);
	if (!s->tlog != !s->tlog_key.n)
		return lh_tool_usage(tool, "--tlog and --key-file-tlog need each other");
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .all = false };
	static const struct lh_tool_spec spec = {
		.name = "lh-distill",
		.synopsis = "COMMAND [OPTION]... [FILE]...",
		.summary = "run all stages of a distillation, with receipts",
		.example = "lh-distill run --root work >summary.json",
		.options = options,
		.ops = ops,
		.check = check,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
