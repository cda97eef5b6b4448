/* lh-parity: the same fixture through two commands.  See lh-parity(1). */
#include <stdlib.h>

#include "base/mem.h"
#include "parity.h"
#include "tool/op.h"

struct settings {
	const char *left, *right, *report, *probe, *field, *out, *probes;
	struct lh_list ignore;
	int compare;
	double tolerance, timeout;
	bool per_record, record;
};

/* Beyond all bounds: the option was not given. */
#define UNSET (-1)

enum { V_ONE = 1, V_ALL = 2 };

const struct lh_made made_report = { "a report of lh-parity", { "# Parity\n", "# Parity: " },
				     NULL };

static const struct lh_option options[] = {
	{ 0, "left", "CMD", "one side, run by /bin/sh -c",
	  LH_TEXT(struct settings, left, .verbs = V_ONE) },
	{ 0, "right", "CMD", "other side (default LH_PARITY_RIGHT_<PROBE>)",
	  LH_TEXT(struct settings, right, .verbs = V_ONE) },
	{ 0, "compare", "exact|json|cosine", "bytes, values or vectors (default json)",
	  LH_CHOICE(struct settings, compare, .verbs = V_ONE) },
	{ 0, "ignore", "MEMBER", "member that is not compared: a.b (repeatable)",
	  LH_TEXTS(struct settings, ignore, .verbs = V_ONE) },
	{ 0, "tolerance", "X", "greatest 1 - cosine (default 0.00001)",
	  LH_REAL(struct settings, tolerance, 0, 2, .verbs = V_ONE) },
	{ 0, "per-record", NULL, "start each side anew for every case",
	  LH_FLAG(struct settings, per_record, .verbs = V_ONE) },
	{ 0, "field", "NAME", "pass only this string of each case (per record)",
	  LH_TEXT(struct settings, field, .verbs = V_ONE) },
	{ 0, "timeout", "S", "seconds for an answer (default 10)",
	  LH_REAL(struct settings, timeout, 0.001, 86400, .verbs = V_ONE) },
	{ 0, "report", "FILE.md", "write a report",
	  LH_TEXT(struct settings, report, .verbs = V_ONE, .makes = &made_report) },
	LH_FORCE_OPTION(0),
	{ 0, "probe", "NAME", "name of the probe (default: the fixture's); all: only this one",
	  LH_TEXT(struct settings, probe) },
	{ 0, "out", "DIR", "folder of the reports (default reports/parity)",
	  LH_TEXT(struct settings, out, .verbs = V_ALL) },
	{ 0, "record", NULL, "add the verdicts to doc/verified.md",
	  LH_FLAG(struct settings, record, .verbs = V_ALL) },
	{ 0, "probes", "DIR", "all: folder of the probes (default: installed)",
	  LH_TEXT(struct settings, probes, .env = "LH_PARITY_PROBES") },
	LH_INPUT_OPTIONS,
	LH_NOW_OPTION,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

int probe_one(struct lh_tool *tool, struct probe *p, const char *report)
{
	int rc = cases_read(tool, p);

	if (!rc)
		rc = probe_run(tool, p);
	if (!rc && p->absent)
		lh_tool_warn(tool, "%s: skipped: a command is not to be had", p->name);
	if (!rc && p->failed)
		lh_tool_verdict_bad(tool);
	if (!rc)
		rc = print_lines(tool, p);
	if (!rc)
		rc = lh_tool_flush(tool);
	if (!rc && report)
		rc = report_write(tool, p, report);
	return rc;
}

/* Return "embed" of "tests/parity/embed.jsonl". */
static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path,
		   *dot = strchr(name, '.');

	if (strcmp(path, "-") == 0)
		return lh_strndup("stdin", 5);
	return lh_strndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static int one(struct lh_tool *tool, const struct settings *s)
{
	char *name = s->probe ? NULL : base_name(tool->operands[0]);
	struct probe p = {
		.name = s->probe ? s->probe : name,
		.fixture = tool->operands[0],
		.command = { s->left, s->right },
		.compare = s->compare == UNSET ? COMPARE_JSON : s->compare,
		.ignore = s->ignore,
		.field = LH_PATH(s->field),
		.tolerance = s->tolerance == UNSET ? TOLERANCE : s->tolerance,
		.timeout = s->timeout == UNSET ? TIMEOUT : s->timeout,
		.per_record = s->per_record || s->field,
	};
	int rc = -1;

	if (p.name)
		rc = probe_one(tool, &p, s->report);
	if (!rc && p.absent && !p.passed && !p.failed)
		lh_tool_verdict_bad(tool);
	cases_free(&p);
	free(name);
	return rc;
}

static int run_one(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (!s->right && s->probe)
		s->right = probe_right(s->probe);
	if (!s->left || !s->right)
		return lh_tool_usage(tool, "missing --%s, which is a command",
				     s->left ? "right" : "left");
	return one(tool, s);
}

static int run_all(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	return probes_run(tool, s->probes, s->out ? s->out : "reports/parity", s->probe,
			  s->record);
}

static int check(struct lh_tool *tool, void *settings)
{
	(void)settings;
	if (tool->on_error == LH_ON_ERROR_EMIT)
		return lh_tool_usage(tool,
				     "--on-error: emit has no place here (skip and stop have)");
	return 0;
}

/* A case, or the counts of a probe. */
static const struct lh_bind lines[] = {
	LH_OP_TEXT("probe"),
	{ LH_BIND_ONLY("name", LH_BIND_TO_STRING), .about = "of a case" },
	{ LH_BIND_ONLY("match", LH_BIND_TO_BOOL), .about = "whether both sides answer alike" },
	{ LH_BIND_ONLY("skipped", LH_BIND_TO_VALUE),
	  .types = LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE) | LH_BIND_IS(LH_NUMBER),
	  .about = "whether the case was not compared; or how many were not" },
	{ LH_BIND_ONLY("detail", LH_BIND_TO_STRING), .about = "where they differ" },
	{ LH_BIND_ONLY("total", LH_BIND_TO_WHOLE), .most = INT64_MAX, .about = "of a probe" },
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", "FIXTURE", "compare the answers to a fixture", V_ONE, .in = lh_op_any,
	  .out = lines, .command = run_one },
	{ "all", "", "compare the answers to all fixtures, with reports", V_ALL, .out = lines,
	  .command = run_all, .writes = true },
	LH_OP_END
};

int main(int argc, char **argv)
{
	struct settings s = { .compare = UNSET, .tolerance = UNSET, .timeout = UNSET };
	static const struct lh_tool_spec spec = {
		.name = "lh-parity",
		.synopsis = "--left CMD --right CMD [OPTION]... FIXTURE\n"
			    "       lh-parity all [OPTION]...",
		.summary = "compare the answers of two programs, case by case",
		.example = "lh-parity all --out reports/parity",
		.options = options,
		.ops = ops,
		.check = check,
		.ignore_sigpipe = true,		/* a side may end before it has read everything */
	};

	return lh_op_main(&spec, argc, argv, &s);
}
