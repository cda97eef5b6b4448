/* lh-mcp: tools for a model, by the Model Context Protocol.  See lh-mcp(1). */
#include <sys/stat.h>

#include "audit/chain.h"
#include "observe/observe.h"
#include "tool/op.h"
#include "transport.h"

struct settings {
	const char *state, *tools, *audit_log;
	struct lh_list allow, key_file, persons;
	struct lh_decisions_how decisions;
	bool compat, print_tools, audit_required, audit_optional;
	int audit_sync;
	double timeout;
	uint64_t max_line;
};

static const struct lh_option options[] = {
	{ 0, "state", "DIR", "folder of indexes, playbooks and logs (default .)",
	  LH_TEXT(struct settings, state) },
	{ 0, "tools", "FILE", "more tools (JSON)", LH_TEXT(struct settings, tools) },
	{ 0, "print-tools", NULL, "print the tools that are built in, and exit",
	  LH_FLAG(struct settings, print_tools) },
	{ 0, "allow-write", "TOOL", "also this tool, which changes something (repeatable)",
	  LH_TEXTS(struct settings, allow, .words = LH_MCP_WRITERS) },
	{ 0, "compat", NULL, "also embed_text and search_vectors",
	  LH_FLAG(struct settings, compat) },
	{ 0, "audit-log", "DIR", "logs of whose data is shown (default: in --state, with a key)",
	  LH_TEXT(struct settings, audit_log) },
	{ 0, "audit-required", NULL, "no answer without its rows (default, with a key)",
	  LH_FLAG(struct settings, audit_required) },
	{ 0, "no-audit-required", NULL, "answers without their rows, too",
	  LH_FLAG(struct settings, audit_optional) },
	{ 0, "audit-sync", LH_PERSONS_SYNCS, "when rows are on disk (default batch)",
	  LH_CHOICE(struct settings, audit_sync) },
	{ 0, "persons", "CORPUS", "records of CORPUS are persons (repeatable)",
	  LH_TEXTS(struct settings, persons) },
	{ 0, "key-file", "FILE", "the key of the audit log (repeatable)",
	  LH_TEXTS(struct settings, key_file, .env = "LH_SUBJECT_AUDIT_KEY") },
	LH_DECISIONS_OPTIONS(struct settings, decisions),
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

/* Check the state and the key, before anything is read. */
static int check_state(struct lh_tool *tool, const struct settings *set)
{
	LH_SCOPED(lh_chain_keys_free) struct lh_chain_keys keys = { 0 };
	struct stat st;

	if (set->audit_required && set->audit_optional)
		return lh_tool_usage(tool, "--audit-required and --no-audit-required exclude each "
				     "other");
	if (set->decisions.text && !set->decisions.path)
		return lh_tool_usage(tool, "--decisions-text: needs --decisions");
	if (stat(set->state, &st) < 0 || !S_ISDIR(st.st_mode))
		return lh_tool_usage(tool, "--state %s: no such folder", set->state);
	if (!set->key_file.n)
		return set->audit_log || set->audit_required
			? lh_tool_usage(tool, "--audit-%s: no key: name its file by "
					"--key-file or "
					"LH_SUBJECT_AUDIT_KEY",
					set->audit_log ? "log" : "required")
			: 0;
	return lh_chain_keys_read(&keys, set->key_file.v, set->key_file.n, false, &tool->err);
}

/* Check that the tools exist that --allow-write names. */
static int check_allowed(struct lh_tool *tool, const struct lh_list *allow,
			 const struct lh_mcp_how *how)
{
	size_t i;

	for (i = 0; i < allow->n; i++)
		if (!lh_mcp_tools_find(how->tools, allow->v[i]) &&
		    !lh_mcp_tools_find(how->more, allow->v[i]))
			return lh_tool_usage(tool, "--allow-write %s: no such tool", allow->v[i]);
	return 0;
}

/* Make the one that appends rows of the persons shown, once the routes are there; *p is NULL
 * without a key. */
static int open_persons(struct lh_tool *tool, const struct settings *set,
			struct lh_routes *routes, struct lh_mcp_tools *more, struct lh_buf *folder,
			struct lh_persons **p)
{
	struct lh_persons_how how = {
		.folder = set->audit_log, .key = set->key_file.v, .keys = set->key_file.n,
		.sync = (enum lh_persons_sync)set->audit_sync, .daemon = tool->name,
		.state = set->state, .corpus = set->persons.v, .corpora = set->persons.n,
		.required = !set->audit_optional, .text = set->decisions.text, .warn = warn,
		.owner = tool,
	};

	*p = NULL;
	if (!set->key_file.n)
		return 0;
	lh_buf_puts(folder, set->state);
	lh_buf_add(folder, "/" LH_SUBJECT_DIR, sizeof "/" LH_SUBJECT_DIR);
	if (!how.folder)
		how.folder = folder->p;
	if (lh_persons_filters(routes, &how, &tool->err) < 0 ||
	    lh_mcp_tools_audit(more, &how, &tool->err) < 0)
		return -1;
	*p = lh_persons_new(&how);
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	const struct settings *set = settings;
	LH_SCOPED(lh_routes_free) struct lh_routes routes = { 0 };
	struct lh_mcp_tools tools = { .n = 0 }, more = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 };
	struct lh_mcp_how how = {
		.tools = &tools, .more = &more,
		.program = tool->name, .version = LH_VERSION, .state = set->state,
		.routes = &routes,
		.allow = set->allow.v, .allowed = set->allow.n, .compat = set->compat,
		.timeout = set->timeout, .answer_max = LH_MCP_ANSWER_LINE, .warn = warn,
		.owner = tool,
	};
	int rc = check_state(tool, set);

	if (!rc)
		rc = lh_routes_built_in(&routes, set->state, &tool->err);
	if (!rc)
		lh_routes_named(&routes, lh_str_of("POST /v1/sql"))->off = NULL;
	if (!rc && set->decisions.path)
		lh_persons_decisions(&routes, set->decisions.path, set->decisions.text);
	if (!rc)
		rc = lh_mcp_tools_read(&tools, NULL, &tool->err);
	if (!rc && set->tools)
		rc = lh_mcp_tools_read(&more, set->tools, &tool->err);
	if (!rc)
		rc = open_persons(tool, set, &routes, &more, &folder, &how.persons);
	if (!rc)
		rc = check_allowed(tool, &set->allow, &how);
	if (!rc)
		rc = serve_stdio(tool, &how, set->max_line);
	lh_persons_free(how.persons);
	lh_mcp_tools_free(&more);
	lh_mcp_tools_free(&tools);
	return rc;
}

static int print_tools(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return lh_tool_out(tool, lh_mcp_built_in, strlen(lh_mcp_built_in));
}

static int check(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return tool->n_operands ? lh_tool_unexpected(tool, 0, "lh-mcp takes none") : 0;
}

static const struct lh_op ops[] = {
	{ "", .command = run, .writes = true },
	{ "", .about = "print the tools that are built in", .command = print_tools },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct settings *)settings)->print_tools];
}

int main(int argc, char **argv)
{
	struct settings set = { .state = ".", .timeout = LH_MCP_TIMEOUT, .max_line = 16 << 20,
				.audit_sync = LH_PERSONS_BATCH };
	static const struct lh_tool_spec spec = {
		.name = "lh-mcp",
		.synopsis = "[OPTION]...",
		.summary = "offer the tools to a model, by the Model Context Protocol",
		.example = "lh-mcp --tools mine.json",
		.options = options,
		.ops = ops,
		.mode = mode,
		.check = check,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &set);
}
