/* lh-audit-full: audit the whole pipeline.  See lh-audit-full(1). */
#include "audit.h"
#include "tool/op.h"

static const struct lh_made made_report = { "a report of an audit", { "# Full audit: " },
					    NULL };
#define LAST 1e15	/* rows of a file of baselines */

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "the root (default: the working directory)",
	  LH_TEXT(struct settings, root, .env = "LH_DISTILL_ROOT", .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "subjects", "DIR", "folder of subjects (default: below the root)",
	  LH_TEXT(struct settings, subjects, .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "out", "FILE", "the report, Markdown",
	  LH_TEXT(struct settings, out, .verbs = V_AUDIT, .makes = &made_report) },
	{ 0, "html", "FILE", "the report as a web page; -: instead of lines",
	  LH_TEXT(struct settings, html, .verbs = V_AUDIT, .makes = &lh_made_page) },
	{ 0, "json", NULL, "print one document, not lines",
	  LH_FLAG(struct settings, json, .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "append-baseline", NULL, "append the metrics to the baselines",
	  LH_FLAG(struct settings, append_baseline, .verbs = V_AUDIT) },
	{ 0, "fail-on-drift", NULL, "exit 1 if a metric is flagged warn",
	  LH_FLAG(struct settings, fail_on_drift, .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "observer", NULL, "read the files on disk, run nothing",
	  LH_FLAG(struct settings, observer, .verbs = V_AUDIT) },
	{ 0, "phase", "N", "this phase, 0 to 7 (repeatable; default: all)",
	  LH_TEXTS(struct settings, phase, .verbs = V_AUDIT, .words = "0|1|2|3|4|5|6|7") },
	{ 0, "test-command", "CMD", "phase 1: must exit with 0 as well",
	  LH_TEXT(struct settings, test_command, .verbs = V_AUDIT) },
	{ 0, "samples", "DIR", "phase 1: samples (default: built in)",
	  LH_TEXT(struct settings, samples, .verbs = V_AUDIT) },
	{ 0, "acceptance-fixture", "DIR", "phase 6: the root to run on (default: built in)",
	  LH_TEXT(struct settings, acceptance_fixture, .verbs = V_AUDIT) },
	{ 0, "replay-command", "CMD", "phase 7: replay with this (default: lh-replay)",
	  LH_TEXT(struct settings, replay_command, .verbs = V_AUDIT) },
	{ 0, "from", "N",
	  "row that is the baseline, from 1, or -1 for the last (default: the one before --to)",
	  LH_INT(struct settings, from, -LAST, LAST, .verbs = V_DRIFT) },
	{ 0, "to", "N", "row to compare with it (default -1)",
	  LH_INT(struct settings, to, -LAST, LAST, .verbs = V_DRIFT) },
	LH_FORCE_OPTION(V_AUDIT),
	LH_LOCK_OPTION(V_AUDIT),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* A check, or the summary; with --json both in one document. */
static const struct lh_bind audited[] = {
	{ LH_BIND_ONLY("phase", LH_BIND_TO_WHOLE), .most = PHASES - 1, .about = "of a check" },
	{ LH_BIND_ONLY("name", LH_BIND_TO_STRING), .about = "what is checked" },
	{ LH_BIND_ONLY("passed", LH_BIND_TO_BOOL) },
	{ LH_BIND_ONLY("required", LH_BIND_TO_BOOL) },
	{ LH_BIND_ONLY("recorded_at", LH_BIND_TO_STRING), .about = "of the summary" },
	{ LH_BIND_ONLY("required_passed", LH_BIND_TO_WHOLE), .most = CHECKS },
	{ LH_BIND_ONLY("required_total", LH_BIND_TO_WHOLE), .most = CHECKS },
	LH_OP_OBJECT("metrics"),
	{ LH_BIND_ONLY("checks", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY) },
	LH_OP_OBJECT("summary"),
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", "", "audit a root", V_AUDIT, .out = audited, .command = audit_verb,
	  .writes = true },
	{ "drift", "[FILE]", "compare two baselines", V_DRIFT, .command = drift_verb },
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	size_t i;

	if (s->json && s->html && !strcmp(s->html, "-"))
		return lh_tool_usage(tool, "--json and --html - exclude each other");
	for (i = 0; i < s->phase.n; i++)
		if (s->phase.v[i][0] < '0' || s->phase.v[i][0] >= '0' + PHASES || s->phase.v[i][1])
			return lh_tool_usage(tool,
					     "--phase: \"%s\" is not a whole number from 0 to %d",
					     s->phase.v[i], PHASES - 1);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .from = NO_ROW, .to = NO_ROW };
	static const struct lh_tool_spec spec = {
		.name = "lh-audit-full",
		.synopsis = "[COMMAND] [OPTION]...",
		.summary = "check a whole root: files, rules and replays",
		.example = "lh-audit-full --phase 4 --root work",
		.options = options,
		.ops = ops,
		.check = check,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
