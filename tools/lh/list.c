/* list.c - the tools by family.  See list.h. */
#include "list.h"

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

#define HELP_ROOM 8192
#define MEMBERS_MAX 8

static const struct family {
	const char *name, *members[MEMBERS_MAX];
} families[] = {
	{ "search", { "lh-embed", "lh-index", "lh-search", "lh-playbook", "lh-pathway",
		      "lh-relevance" } },
	{ "validate", { "lh-extract-json", "lh-validate", "lh-chat", "lh-iterate" } },
	{ "audit", { "lh-subject-audit", "lh-audit-full" } },
	{ "distill", { "lh-materialize", "lh-score", "lh-export", "lh-distill",
		       "lh-replay" } },
	{ "lake", { "lh-ingest", "lh-catalog", "lh-store", "lh-query" } },
	{ "agents", { "lh-observe", "lh-review", "lh-workflow" } },
	{ "measure", { "lh-gen", "lh-lift", "lh-parity" } },
	{ "serve", { "lh-serve", "lh-mcp", "lh-load" } },
	{ "general", { "lh-cat" } },
};

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

/* What the tool says in its --help that it does. */
static int summary(const char *name, char *to, size_t n, struct lh_err *err)
{
	char text[HELP_ROOM], *argv[] = { (char *)name, "--help", NULL };
	size_t have = 0;
	int ends[2];
	ssize_t got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	pid = lh_coproc_spawn(
		&(struct lh_spawn){ .argv = argv, .fd = (int[]){ -1, ends[1] }, .n_fd = 2 }, err);
	close(ends[1]);
	while (pid > 0 && have < sizeof text - 1) {
		got = lh_read_some(ends[0], text + have, sizeof text - 1 - have, err);
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	close(ends[0]);
	if (pid < 0)
		return -1;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	text[have] = '\0';
	put_summary(text, to, n);
	return 0;
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
	char what[256], line[640];
	int len, rc = summary(e->d_name, what, sizeof what, &t->err);

	if (!rc && *heading) {
		len = snprintf(line, sizeof line, "%s\n", *heading);
		rc = lh_tool_out(t, line, (size_t)len);
		*heading = NULL;
	}
	if (!rc) {
		len = snprintf(line, sizeof line, "  %-16.255s  %s\n", e->d_name, what);
		rc = lh_tool_out(t, line, (size_t)len);
	}
	free(e);
	return rc;
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

int list_tools(struct lh_tool *t)
{
	const char *heading = "other";
	char folder[LIST_PATH_ROOM];
	struct found f;
	struct dirent *e;
	size_t i;
	int rc = 0;

	if (list_folder(folder, sizeof folder, &t->err) < 0)
		return -1;
	f.n = scandir(folder, &f.entries, is_tool, alphasort);
	if (f.n < 0)
		return lh_err_sys(&t->err, "%s", folder);
	for (i = 0; !rc && i < sizeof families / sizeof *families; i++)
		rc = put_family(t, &f, &families[i]);
	while (!rc && (e = take(&f, NULL)))
		rc = put_tool(t, e, &heading);
	while ((e = take(&f, NULL)))
		free(e);
	free(f.entries);
	return rc;
}
