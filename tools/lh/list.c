/* list.c - the tools by family.  See list.h. */
#include "list.h"
#include "lh.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file/file.h"
#include "proc/coproc.h"

#define OUTPUT_STEP 65536
#define MEMBERS_MAX 8

static const struct family {
	const char *name, *members[MEMBERS_MAX];
} families[] = {
	{ "search", { "lh-embed", "lh-index", "lh-search", "lh-merge", "lh-playbook",
		      "lh-pathway", "lh-relevance" } },
	{ "validate", { "lh-extract-json", "lh-validate", "lh-chat", "lh-iterate" } },
	{ "audit", { "lh-subject-audit", "lh-audit-full" } },
	{ "distill", { "lh-materialize", "lh-score", "lh-export", "lh-distill",
		       "lh-replay", "lh-trace" } },
	{ "lake", { "lh-ingest", "lh-catalog", "lh-store", "lh-query" } },
	{ "agents", { "lh-observe", "lh-review", "lh-workflow" } },
	{ "measure", { "lh-gen", "lh-lift", "lh-parity" } },
	{ "serve", { "lh-serve", "lh-mcp", "lh-load" } },
	{ "general", { "lh-cat", "lh-show" } },
};

const char *list_name(size_t i)
{
	size_t f, m;

	for (f = 0; f < sizeof families / sizeof *families; f++)
		for (m = 0; m < MEMBERS_MAX && families[f].members[m]; m++)
			if (!i--)
				return families[f].members[m];
	return NULL;
}

int list_folder(char *to, size_t n, struct lh_err *err)
{
	char *slash;

	lh_coproc_find("lh", to, n);
	slash = strrchr(to, '/');
	if (!slash)
		return lh_err_set(err, LH_EIO, "cannot tell where the tools are");
	*slash = '\0';
	return 0;
}

/* Copy the line after the usage, whose own lines are indented except for the first. */
static void put_summary(const char *help, char *to, size_t n)
{
	const char *line = help;

	do
		line = strchr(line, '\n');
	while (line && *++line == ' ');
	snprintf(to, n, "%.*s", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
}

int list_run(const char *name, const char *option, struct lh_buf *out, struct lh_err *err)
{
	char *argv[] = { (char *)name, (char *)option, NULL };
	int ends[2], rc = 0;
	ssize_t got = 1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	pid = lh_coproc_spawn(
		&(struct lh_spawn){ .argv = argv, .fd = (int[]){ -1, ends[1] }, .n_fd = 2 }, err);
	close(ends[1]);
	while (pid > 0 && got > 0 && out->len < LIST_OUTPUT_MAX) {
		char *to = lh_buf_room(out, OUTPUT_STEP);

		got = to ? lh_read_some(ends[0], to, OUTPUT_STEP, err) : 0;
		if (got > 0)
			lh_buf_took(out, (size_t)got);
	}
	close(ends[0]);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &rc, 0) < 0 && errno == EINTR)
		;
	return lh_buf_check(out, err);
}

/* What the tool says in its --help that it does. */
static int summary(const char *name, char *to, size_t n, struct lh_err *err)
{
	struct lh_buf text = { 0 };
	int rc = list_run(name, "--help", &text, err);

	lh_buf_putc(&text, '\0');
	if (!rc)
		rc = lh_buf_check(&text, err);
	if (!rc)
		put_summary(text.p, to, n);
	lh_buf_free(&text);
	return rc;
}

/* The tools in the folder, less those that were printed. */
struct found {
	struct dirent **entries;
	int n;
};

static int is_tool(const struct dirent *e)
{
	return strncmp(e->d_name, "lh-", 3) == 0 && !strchr(e->d_name, '.');
}

int list_names(struct dirent ***entries, struct lh_err *err)
{
	char folder[LIST_PATH_ROOM];
	int n;

	if (list_folder(folder, sizeof folder, err) < 0)
		return -1;
	n = scandir(folder, entries, is_tool, alphasort);
	return n < 0 ? lh_err_sys(err, "%s", folder) : n;
}

/* Take a tool by its name, or with NULL the first that is left; NULL if there is none. */
static struct dirent *take(struct found *f, const char *name)
{
	struct dirent *e;
	int i;

	for (i = 0; i < f->n; i++) {
		e = f->entries[i];
		if (!e || (name && strcmp(e->d_name, name) != 0))
			continue;
		f->entries[i] = NULL;
		return e;
	}
	return NULL;
}

/* Print a tool, with the heading of its family before the first; free the entry. */
static int put_tool(struct lh_tool *t, struct dirent *e, const char **heading)
{
	bool colored = lh_term_colored(STDOUT_FILENO, t->color);
	struct lh_buf line = { 0 };
	char what[256];
	int rc = summary(e->d_name, what, sizeof what, &t->err);

	if (*heading) {
		lh_term_put(&line, colored, LH_STYLE_HEADING, *heading, strlen(*heading));
		lh_buf_putc(&line, '\n');
	}
	lh_buf_printf(&line, "  %-16.255s  %s", e->d_name, what);
	free(e);
	if (rc < 0) {
		lh_buf_free(&line);
		return -1;
	}
	*heading = NULL;
	return lh_tool_out_line(t, &line);
}

static int put_family(struct lh_tool *t, struct found *f, const struct family *family)
{
	const char *heading = family->name;
	struct dirent *e;
	int i, rc = 0;

	for (i = 0; !rc && i < MEMBERS_MAX && family->members[i]; i++) {
		e = take(f, family->members[i]);
		if (e)
			rc = put_tool(t, e, &heading);
	}
	return rc;
}

static int list_tools(struct lh_tool *t)
{
	const char *heading = "other";
	struct found f;
	struct dirent *e;
	size_t i;
	int rc = 0;

	f.n = list_names(&f.entries, &t->err);
	if (f.n < 0)
		return -1;
	for (i = 0; !rc && i < sizeof families / sizeof *families; i++)
		rc = put_family(t, &f, &families[i]);
	while (!rc && (e = take(&f, NULL)))
		rc = put_tool(t, e, &heading);
	while ((e = take(&f, NULL)))
		free(e);
	free(f.entries);
	return rc;
}

int list_command(struct lh_tool *t, void *settings)
{
	(void)settings;
	return t->n_operands ? lh_tool_unexpected(t, 0, "list takes none") : list_tools(t);
}
