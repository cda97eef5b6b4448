/* lh-mcp: tools for a model, by the Model Context Protocol.  See lh-mcp(1). */
#include "transport.h"

struct settings {
	const char *state, *tools, *audit_log;
	struct lh_list allow;
	bool compat, audit_required;
	double timeout;
	uint64_t max_line;
};

static const struct lh_option options[] = {
	{ 0, "state", "DIR", "folder of indexes, playbooks and logs (default .)",
	  LH_TEXT(struct settings, state) },
	{ 0, "tools", "FILE", "more tools (JSON)", LH_TEXT(struct settings, tools) },
	{ 0, "allow-write", "TOOL", "also this tool, which changes something (repeatable)",
	  LH_TEXTS(struct settings, allow) },
	{ 0, "compat", NULL, "also embed_text and search_vectors",
	  LH_FLAG(struct settings, compat) },
	{ 0, "audit-log", "DIR", "append whose data an answer shows to the logs in DIR",
	  LH_TEXT(struct settings, audit_log) },
	{ 0, "audit-required", NULL, "no answer without its rows",
	  LH_FLAG(struct settings, audit_required) },
	{ 0, "timeout", "S", "seconds for a call (default 30)",
	  LH_REAL(struct settings, timeout, 0.01, 86400) },
	{ 0, "max-line", "SIZE", "longest message, K/M/G (default 16M)",
	  LH_SIZE(struct settings, max_line, 1, 2147483648.0) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static void warn(void *tool, const char *text)
{
	lh_tool_warn(tool, "%s", text);
}

static int run(struct lh_tool *tool, const struct settings *set)
{
	struct lh_routes routes = { 0 };
	struct lh_mcp_tools more = { 0 };
	struct lh_mcp_how how = {
		.tool = lh_mcp_tools, .tools = lh_mcp_tools_n, .more = &more,
		.version = LH_VERSION, .state = set->state, .routes = &routes,
		.allow = set->allow.v, .allowed = set->allow.n, .compat = set->compat,
		.timeout = set->timeout, .audit = set->audit_log,
		.audit_required = set->audit_required, .warn = warn, .owner = tool,
	};
	int rc = lh_routes_built_in(&routes, set->state, &tool->err);

	if (!rc && set->tools)
		rc = lh_mcp_tools_read(&more, set->tools, &tool->err);
	if (!rc)
		rc = serve_stdio(tool, &how, set->max_line);
	lh_mcp_tools_free(&more);
	lh_routes_free(&routes);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings set = { .state = ".", .timeout = LH_MCP_TIMEOUT, .max_line = 16 << 20 };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-mcp", "[OPTION]...", "offer tools to a model (MCP)", options);
	lh_tool_ignore_sigpipe(&tool);
	rc = lh_tool_parse(&tool, argc, argv, &set);
	if (!rc && tool.n_operands)
		rc = lh_tool_unexpected(&tool, 0, "lh-mcp takes none");
	if (!rc)
		rc = run(&tool, &set);
	return lh_tool_finish(&tool, rc);
}
