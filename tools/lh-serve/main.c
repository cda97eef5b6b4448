/* lh-serve: answer HTTP requests by filters.  See lh-serve(1). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "filesearch/filesearch.h"
#include "index/index_tools.h"
#include "serve.h"
#include "tool/op.h"

/* ---- files of records as a state that ends with the server ---- */

struct files {
	struct lh_tmpdir dir;
	bool was;		/* signals were deferred before */
};

/* Return the path of an index for a file, to be freed: its name without ending, in characters that
 * a name may have, and a number where that is taken. */
static char *index_for(const char *folder, const char *file, size_t number)
{
	LH_SCOPED(lh_free_local) char *copy = lh_strndup(file, strlen(file));
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	size_t n = strlen(copy), i;
	const char *name, *dot;
	char *path;

	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	name = strrchr(copy, '/') ? strrchr(copy, '/') + 1 : copy;
	n = lh_archive_stem(name);
	dot = memrchr(name, '.', n);
	n = dot && dot > name ? (size_t)(dot - name) : n;
	n = n < LH_INDEX_NAME_MAX / 2 ? n : LH_INDEX_NAME_MAX / 2;
	for (i = 0; i < n; i++)
		lh_buf_putc(&b, lh_index_name_valid((struct lh_str){ name + i, 1 }) ||
					(i && name[i] == '.') ? name[i] : '_');
	if (!b.len || !strcmp(file, "-"))
		lh_buf_puts(&b, "records");
	path = lh_index_folder_path(folder, (struct lh_str){ b.p, b.len });
	if (lh_index_is_file(path)) {
		free(path);
		lh_buf_printf(&b, "-%zu", number + 1);
		path = lh_index_folder_path(folder, (struct lh_str){ b.p, b.len });
	}
	return path;
}

static int add_file(struct lh_tool *tool, const char *folder, const char *file, size_t number)
{
	LH_SCOPED(lh_free_local) char *index = index_for(folder, file, number);
	LH_SCOPED(lh_free_local) char *model = lh_filesearch_model(NULL);
	const struct lh_filesearch_how how = { .index = index, .quiet = tool->quiet,
					       .model = model, .within = 20,
					       .hash = lh_filesearch_hash(NULL),
					       .progress = tool->progress != LH_PROGRESS_NEVER };
	struct lh_filesearch f;
	int rc = 0;

	if (!lh_filesearch_is(file))
		return lh_tool_usage(tool, "%s is not a file of records; --state names a folder of "
				     "indexes", file);
	rc = lh_filesearch_open(&f, file, &how, &tool->err);
	if (!rc)
		lh_tool_message(tool, "%s: %s%s%s", file, f.said.p,
				f.by_model ? "; read by the model " : "", f.by_model ? model : "");
	if (!rc && f.warning.len)
		lh_tool_message(tool, "%s: %s", file, f.warning.p);
	if (!rc && f.rejected)
		lh_tool_verdict_bad(tool);
	lh_filesearch_close(&f);
	return rc;
}

/* Make the state of the operands, if there are any; files_close is called in any case. */
static int files_open(struct files *f, struct lh_tool *tool, struct settings *set)
{
	LH_SCOPED(lh_free_local) char *folder = NULL;
	size_t i;
	int rc;

	*f = (struct files){ .dir = { NULL, -1 }, .was = lh_signal_deferred() };
	if (!tool->n_operands)
		return 0;
	lh_signal_defer(true);
	if (lh_tmpdir_make(&f->dir, "lh-serve-files", &tool->err) < 0)
		return -1;
	folder = lh_format("%s/index", f->dir.path);
	rc = mkdir(folder, 0700) < 0 ? lh_err_sys(&tool->err, "%s", folder) : 0;
	for (i = 0; !rc && i < tool->n_operands; i++)
		rc = add_file(tool, folder, tool->operands[i], i);
	set->given.state = f->dir.path;
	/* with a key, --audit-log is asked for: the state ends with the server, and its user is who
	 * has the file */
	if (set->given.audit.required < 0 && !set->given.audit.log)
		set->given.audit.required = 0;
	return rc;
}

/* Make the state of the operands, if there are any; close it in any case, once the server has
 * ended. */
static void files_close(struct files *f)
{
	lh_tmpdir_remove(&f->dir, &(struct lh_err){ 0 });
	lh_signal_defer(f->was);
}

/* Check that a file, a state or a configuration is given; else say how. */
static int files_check(struct lh_tool *tool, const struct settings *set)
{
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");

	if (tool->n_operands && (set->given.state || set->config))
		return lh_tool_usage(tool, "a file has a state of its own: without %s",
				     set->given.state ? "--state" : "--config");
	if (tool->n_operands && key && *key && !set->given.audit.log)
		return lh_tool_usage(tool, "LH_SUBJECT_AUDIT_KEY is set: --audit-log names a "
				     "folder for the rows of who looked, which outlast the state "
				     "of a file");
	if (tool->n_operands || set->given.state || set->config || set->given.listen.n ||
	    set->check || set->print_config)
		return 0;
	lh_tool_warn(tool, "there are three ways to serve:");
	lh_tool_warn(tool, "lh serve people.csv          files of records, for as long as it runs");
	lh_tool_warn(tool, "lh serve --state DIR         the indexes, playbooks and logs in DIR");
	lh_tool_warn(tool, "lh serve --config FILE       routes and settings of a file");
	return lh_tool_usage(tool, "missing operand FILE, or --state or --config");
}

/* ---- options ---- */

static const struct lh_option options[] = {
	{ 0, "listen", "ADDR:PORT", "address (repeatable; default 127.0.0.1:3110)",
	  LH_TEXTS(struct settings, given.listen) },
	{ 0, "config", "FILE", "routes and settings (JSON)", LH_TEXT(struct settings, config) },
	{ 0, "state", "DIR", "folder of indexes, playbooks and logs (default .)",
	  LH_TEXT(struct settings, given.state) },
	{ 0, "token-file", "FILE", "file of a token that clients must give (repeatable)",
	  LH_TEXTS(struct settings, given.token_file) },
	{ 0, "legal-token-file", "FILE", "file of the token for the routes of the audit",
	  LH_TEXT(struct settings, given.legal_token_file) },
	{ 0, "allow", "CIDR", "only clients of this network (repeatable)",
	  LH_TEXTS(struct settings, given.allow) },
	{ 0, "allow-origin", "ORIGIN", "pages of this origin may ask too (repeatable)",
	  LH_TEXTS(struct settings, given.allow_origin) },
	{ 0, "trusted-proxy", "CIDR", "log the clients of proxies of this network (repeatable)",
	  LH_TEXTS(struct settings, given.trusted_proxy) },
	{ 0, "trusted-user-header", "NAME", "field by which these proxies name the user",
	  LH_TEXT(struct settings, given.trusted_user_header) },
	{ 0, "allow-write", "TOOL", "tool of /mcp that may write (repeatable)",
	  LH_TEXTS(struct settings, given.allow_write, .words = LH_MCP_WRITERS) },
	{ 0, "audit-log", "DIR", "logs of whose data is shown (default: in --state, with a key)",
	  LH_TEXT(struct settings, given.audit.log) },
	{ 0, "audit-required", NULL, "no answer without its rows (default, with a key)",
	  LH_FLAG(struct settings, audit_required) },
	{ 0, "no-audit-required", NULL, "answers without their rows, too",
	  LH_FLAG(struct settings, no_audit_required) },
	{ 0, "audit-sync", LH_PERSONS_SYNCS, "when rows are on disk (default batch)",
	  LH_CHOICE(struct settings, given.audit.sync) },
	{ 0, "persons", "CORPUS", "records of CORPUS are persons (repeatable)",
	  LH_TEXTS(struct settings, given.audit.persons) },
	{ 0, "mount", "PREFIX", "serve all routes below PREFIX too",
	  LH_TEXT(struct settings, given.mount) },
	{ 0, "no-console", NULL, "without the web page at /",
	  LH_FLAG(struct settings, given.no_console) },
	{ 0, "warm", NULL, "start all filters at once, not when first used",
	  LH_FLAG(struct settings, given.warm) },
	{ 0, "no-confine", NULL, "let filters use all files and sockets",
	  LH_FLAG(struct settings, given.no_confine) },
	{ 0, "may-read", "PATH", "filters may read PATH, too (repeatable)",
	  LH_TEXTS(struct settings, given.may_read) },
	{ 0, "connections", "N", "most connections (default 10000)",
	  LH_UINT(struct settings, given.limits.connections, 1, 1000000) },
	{ 0, "state-max", "SIZE", "most bytes of the state, K/M/G (default: any)",
	  LH_SIZE(struct settings, given.limits.state, 1, 1e18) },
	{ 0, "access-log", "FILE", "write the access log to FILE, not to stdout",
	  LH_TEXT(struct settings, given.access_log) },
	{ 0, "queue", "N", "most requests that wait for a filter (default 1024)",
	  LH_UINT(struct settings, given.limits.queue, 1, 1000000) },
	{ 0, "drain", "S", "seconds for requests at the end (default 30)",
	  LH_REAL(struct settings, given.limits.drain, 0, 86400) },
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
	struct settings *set = settings;

	if (set->audit_required && set->no_audit_required)
		return lh_tool_usage(tool, "--audit-required and --no-audit-required exclude each "
				     "other");
	if (set->audit_required || set->no_audit_required)
		set->given.audit.required = set->audit_required;
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
		site_say(site);
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
	struct settings set = { .given = LH_SERVE_CONFIG };
	static const struct lh_tool_spec spec = {
		.name = "lh-serve",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "answer HTTP requests by filters",
		.example = "lh-serve --state demo --no-audit-required --listen 127.0.0.1:0",
		.options = options,
		.ops = ops,
		.mode = mode,
		.check = check,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &set);
}
