/* lh-workflow: several filters as one graph.  See lh-workflow(1). */
#include "flow.h"

#define V_ASKS (V_RUN | V_REQUESTS)

static const struct lh_option options[] = {
	{ 0, "modes", "FILE", "JSON of further modes: {\"modes\":{NAME:[ARGV...]}}",
	  LH_TEXT(struct settings, modes) },
	{ 0, "state", "DIR", "folder of indexes and logs for the modes (default .)",
	  LH_TEXT(struct settings, state) },
	{ 'n', NULL, NULL, "read no input: one run with {}",
	  LH_FLAG(struct settings, no_input, .verbs = V_RUN) },
	{ 0, "timeout", "S", "seconds for a node (default: the mode's)",
	  LH_REAL(struct settings, timeout, 0.001, 86400, .verbs = V_ASKS) },
	{ 0, "observe", "LOG", "append a row for each node to this log",
	  LH_TEXT(struct settings, observe, .verbs = V_ASKS) },
	{ 0, "run-id", "ID", "id of the run (default: minted)",
	  LH_TEXT(struct settings, run_id, .verbs = V_RUN) },
	{ 0, "resume", "RUN", "continue this run by its rows in --observe LOG",
	  LH_TEXT(struct settings, resume, .verbs = V_RUN) },
	{ 'j', "jobs", "N", "nodes at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256, .verbs = V_ASKS) },
	LH_LOCK_OPTION(V_ASKS),
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static bool is_run_id(const char *id)
{
	size_t n = strlen(id);

	return n && n <= RUN_ID_MAX && lh_utf8_valid(id, n) && !strpbrk(id, "\n\r\t");
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (tool->verb->bit != V_REQUESTS && strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, "a flow");
	if (s->resume && s->run_id)
		return lh_tool_usage(tool, "--resume and --run-id exclude each other");
	if (s->resume && !s->observe)
		return lh_tool_usage(tool, "--resume needs --observe LOG");
	if ((s->resume && !is_run_id(s->resume)) || (s->run_id && !is_run_id(s->run_id)))
		return lh_tool_usage(tool, "an id of a run has 1 to %d bytes on one line",
				     RUN_ID_MAX);
	if (s->no_input && tool->n_operands > 1)
		return lh_tool_unexpected(tool, 1, "-n reads no input");
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { NULL };
	static const struct lh_tool_spec spec = {
		.name = "lh-workflow",
		.synopsis = "COMMAND [OPTION]... [FLOW] [FILE]...",
		.summary = "run several filters as one graph",
		.options = options,
		.check = check,
		.ops = workflow_ops,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
