/* lh-merge: the answers of several searches as one.  See lh-merge(1). */
#include "merge.h"

#include <unistd.h>

static const struct lh_option options[] = {
	{ 'k', NULL, "N", "results for each query (default 10)",
	  LH_UINT(struct settings, k, 0, K_MAX) },
	{ 0, "corpus", "NAME", "name the corpus of all hits NAME",
	  LH_TEXT(struct settings, corpus) },
	{ 0, "expect", "N", "answers to each query; with fewer it is partial",
	  LH_UINT(struct settings, expect, 0, UINT32_MAX) },
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

void report_partial(struct lh_tool *tool, uint64_t partial, uint64_t answers, bool truncated)
{
	if (truncated)
		lh_tool_verdict_bad(tool);
	if (!partial)
		return;
	lh_tool_warn(tool, "%llu of %s partial", (unsigned long long)partial,
		     LH_N(answers, "answer is|answers are"));
	lh_tool_verdict_bad(tool);
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	size_t i, n = 0;

	if (s->corpus && !*s->corpus)
		return lh_tool_usage(tool, "--corpus must not be empty");
	if (s->corpus && !lh_utf8_valid(s->corpus, strlen(s->corpus)))
		return lh_tool_usage(tool, "--corpus is not UTF-8: %s", s->corpus);
	for (i = 0; i < tool->n_operands; i++)
		n += strcmp(tool->operands[i], "-") == 0;
	if (n > 1)
		return lh_tool_usage(tool, "standard input can be one operand only");
	return 0;
}

/* Return whether standard input is all there is. */
static bool is_joined(const struct lh_tool *tool)
{
	return !tool->n_operands ||
	       (tool->n_operands == 1 && strcmp(tool->operands[0], "-") == 0);
}

static int run(struct lh_tool *tool, void *s)
{
	struct lh_records *records;
	int rc;

	if (!tool->n_operands && isatty(STDIN_FILENO))
		lh_tool_message(tool, "reading JSONL from the terminal");
	records = lh_records_begin(tool);
	if (!records)
		return -1;
	rc = is_joined(tool) ? join_run(tool, s, records) : step_run(tool, s, records);
	return lh_records_end(records, rc);
}

int main(int argc, char **argv)
{
	static const struct lh_op ops[] = {
		{ "", .in = answer_members, .out = answer_members, .command = run }, LH_OP_END
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-merge",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "join the answers of several searches into one",
		.example = "lh-merge -k 5 --corpus tickets part0.answers part1.answers",
		.options = options,
		.check = check,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){ .k = 10 });
}
