/* lh-serve: answer HTTP requests by filters.  See lh-serve(1). */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "serve.h"
#include "tool/op.h"

static const struct lh_option options[] = {
	{ 0, "listen", "ADDR:PORT", "address (repeatable; default 127.0.0.1:3110)",
	  LH_TEXTS(struct settings, listen) },
	{ 0, "config", "FILE", "routes and settings (JSON)", LH_TEXT(struct settings, config) },
	{ 0, "state", "DIR", "folder of indexes, playbooks and logs (default .)",
	  LH_TEXT(struct settings, state) },
	{ 0, "token-file", "FILE", "file of a token that clients must give (repeatable)",
	  LH_TEXTS(struct settings, token_file) },
	{ 0, "legal-token-file", "FILE", "file of the token for the routes of the audit",
	  LH_TEXT(struct settings, legal_token_file) },
	{ 0, "allow", "CIDR", "only clients of this network (repeatable)",
	  LH_TEXTS(struct settings, allow) },
	{ 0, "allow-origin", "ORIGIN", "pages of this origin may ask too (repeatable)",
	  LH_TEXTS(struct settings, allow_origin) },
	{ 0, "trusted-proxy", "CIDR", "log the clients of proxies of this network (repeatable)",
	  LH_TEXTS(struct settings, trusted_proxy) },
	{ 0, "trusted-user-header", "NAME", "field by which these proxies name the user",
	  LH_TEXT(struct settings, user_header) },
	{ 0, "allow-write", "TOOL", "tool of /mcp that may write (repeatable)",
	  LH_TEXTS(struct settings, allow_write, .words = LH_MCP_WRITERS) },
	{ 0, "audit-log", "DIR", "logs of whose data is shown (default: in --state, with a key)",
	  LH_TEXT(struct settings, audit.log) },
	{ 0, "audit-required", NULL, "no answer without its rows (default, with a key)",
	  LH_FLAG(struct settings, audit.required) },
	{ 0, "no-audit-required", NULL, "answers without their rows, too",
	  LH_FLAG(struct settings, audit.optional) },
	{ 0, "audit-sync", LH_PERSONS_SYNCS, "when rows are on disk (default batch)",
	  LH_CHOICE(struct settings, audit.sync) },
	{ 0, "persons", "CORPUS", "records of CORPUS are persons (repeatable)",
	  LH_TEXTS(struct settings, audit.persons) },
	{ 0, "mount", "PREFIX", "serve all routes below PREFIX too",
	  LH_TEXT(struct settings, mount) },
	{ 0, "no-console", NULL, "without the web page at /",
	  LH_FLAG(struct settings, no_console) },
	{ 0, "warm", NULL, "start all filters at once, not when first used",
	  LH_FLAG(struct settings, warm) },
	{ 0, "no-confine", NULL, "let filters use all files and sockets",
	  LH_FLAG(struct settings, no_confine) },
	{ 0, "may-read", "PATH", "filters may read PATH, too (repeatable)",
	  LH_TEXTS(struct settings, may_read) },
	{ 0, "connections", "N", "most connections (default 10000)",
	  LH_UINT(struct settings, connections, 1, 1000000) },
	{ 0, "state-max", "SIZE", "most bytes of the state, K/M/G (default: any)",
	  LH_SIZE(struct settings, state_max, 1, 1e18) },
	{ 0, "access-log", "FILE", "write the access log to FILE, not to stdout",
	  LH_TEXT(struct settings, access_log) },
	{ 0, "queue", "N", "most requests that wait for a filter (default 1024)",
	  LH_UINT(struct settings, queue, 1, 1000000) },
	{ 0, "drain", "S", "seconds for requests at the end (default 30)",
	  LH_REAL(struct settings, drain, 0, 86400) },
	{ 0, "check", NULL, "check the configuration, and exit",
	  LH_FLAG(struct settings, check) },
	{ 0, "print-config", NULL, "print the configuration in force, and exit",
	  LH_FLAG(struct settings, print_config) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Take LH_SERVE_TOKEN out of the environment, which the filters inherit. */
static char *take_token(void)
{
	char *token = getenv("LH_SERVE_TOKEN"), *copy;

	if (!token || !*token)
		return NULL;
	copy = lh_strndup(token, strlen(token));
	explicit_bzero(token, strlen(token));	/* /proc/PID/environ shows it */
	unsetenv("LH_SERVE_TOKEN");
	return copy;
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *set = settings;

	if (set->audit.required && set->audit.optional)
		return lh_tool_usage(tool, "--audit-required and --no-audit-required exclude each "
				     "other");
	return files_check(tool, set);
}

/* A state that is not there is made, and may be a name that was typed wrongly. */
static void say_new(struct lh_tool *tool, const struct site *site)
{
	const char *state = site->config.state;

	if (access(state, F_OK) < 0 && errno == ENOENT)
		lh_tool_message(tool, "%s is new: no index in it", state);
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *set = settings;
	char *token = take_token();
	struct site *site = NULL;
	struct files files;
	int rc = files_open(&files, tool, set);

	if (!rc)
		rc = (site = site_new(tool, set, token, &tool->err)) ? 0 : -1;

	if (site && !set->print_config)
		say_new(tool, site);
	if (site && set->print_config)
		rc = site_print(site, tool);
	if (site && set->check)
		rc = site_try_engine(site, tool);
	if (site && (set->check || set->print_config))
		site_drop(site);
	else if (site)
		rc = serve(tool, set, site, token);
	files_close(&files);
	if (token)
		explicit_bzero(token, strlen(token));
	free(token);
	return rc;
}

static const struct lh_op ops[] = {
	{ "", .command = run, .writes = true },
	{ "", .about = "check or print the configuration", .command = run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct settings *set = settings;

	return &ops[set->check || set->print_config];
}

int main(int argc, char **argv)
{
	struct settings set = { .drain = -1, .audit.sync = -1 };
	static const struct lh_tool_spec spec = {
		.name = "lh-serve",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "answer HTTP requests by filters",
		.example = "lh-serve --state demo --listen 127.0.0.1:0",
		.options = options,
		.ops = ops,
		.mode = mode,
		.check = check,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &set);
}
