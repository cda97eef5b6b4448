/* lh-materialize: convert rows of past work to evidence.  See lh-materialize(1). */
#include "materialize.h"

#include <stdio.h>
#include <stdlib.h>

#define STREAMS "distilled_facts|distilled_procedures|distilled_config_hints|contract_analyses|" \
	"mode_experiments|scrum_reviews|observer_escalations|audit_facts|auto_apply|" \
	"observer_reviews|audits|outcomes"

static const struct lh_option options[] = {
	{ 0, "source", "STREAM", "filter: rows of this stream in, evidence out",
	  LH_TEXT(struct settings, source, .words = STREAMS) },
	LH_RUN_OPTIONS(struct settings, run, 0),
	{ 0, "sources", "STREAM,...", "only read these sources of the root (default: all)",
	  LH_TEXT(struct settings, sources, .words = STREAMS) },
	{ 0, "dedup", "all|day",
	  "which evidence makes a row known: of all days or of this one (default all)",
	  LH_CHOICE(struct settings, dedup) },
	{ 0, "dry-run", NULL, "count, and write nothing", LH_FLAG(struct settings, dry_run) },
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

int unknown_source(struct lh_tool *tool, const char *option, const char *given, size_t n)
{
	char all[512] = "";
	size_t len = 0;
	int s;

	for (s = 0; s < LH_STREAMS; s++)
		len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", !s ? ""
					: s + 1 < LH_STREAMS ? ", " : " or ",
					lh_stream_name((enum lh_stream)s));
	return lh_tool_usage(tool, "%s: \"%.*s\" is not %s", option, n > 100 ? 100 : (int)n, given,
			     all);
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (!s->source) {
		if (tool->n_operands)
			return lh_tool_usage(tool, "operands are read with --source alone");
		if (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP)
			return lh_tool_usage(tool,
					     "--rejects and --on-error go with --source: a root "
					     "keeps what it skips");
		return 0;
	}
	if (s->sources || s->dry_run || s->run.run_id || s->dedup >= 0 ||
	    s->run.root != getenv("LH_DISTILL_ROOT"))
		return lh_tool_usage(tool,
				     "--source reads no root: --root, --sources, --dry-run,"
				     " --run-id and --dedup exclude it");
	return 0;
}

static const struct lh_op ops[] = {
	{ "", .command = root_run, .writes = true },
	{ "", .in = lh_op_any, .out = lh_evidence_members, .command = filter_run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct settings *)settings)->source != NULL];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-materialize",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "turn rows of past work into evidence records",
		.example = "echo '{\"file\":\"a.rs\",\"reviewed_at\":\"2026-05-03T12:00:00Z\"}' |\n"
			   "      lh-materialize --source scrum_reviews",
		.options = options,
		.check = check,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){ .dedup = -1 });
}
