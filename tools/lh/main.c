/* lh: one door to all lh-* tools.  See lh(1). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/coproc.h"
#include "file/file.h"
#include "tool/tool.h"
#include "page.h"

#define PATH_ROOM 4096
#define HELP_ROOM 8192
#define PAGE_MAX (1u << 20)
#define MAIN_PAGE "lakehouse-tools"

static const struct lh_option options[] = { LH_COMMON_OPTIONS, LH_OPTION_END };

/* The folder we are run from, with no slash at its end. */
static int own_folder(char *to, size_t n, struct lh_err *err)
{
	char *slash;

	lh_coproc_find("lh", to, n);
	slash = strrchr(to, '/');
	if (!slash)
		return lh_err_set(err, LH_EIO, "cannot tell where the tools are");
	*slash = '\0';
	return 0;
}

/* A tool's --help says what it is for in the line after the usage, whose own lines
 * but the first are indented. */
static void put_summary(const char *help, char *to, size_t n)
{
	const char *line = help;

	do
		line = strchr(line, '\n');
	while (line && *++line == ' ');
	snprintf(to, n, "%.*s", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
}

static int summary(const char *name, char *to, size_t n, struct lh_err *err)
{
	char text[HELP_ROOM], *argv[] = { (char *)name, "--help", NULL };
	size_t have = 0;
	int ends[2];
	ssize_t got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	pid = lh_coproc_spawn(&(struct lh_spawn){ .argv = argv, .fd = (int[]){ -1, ends[1] }, .n_fd = 2 }, err);
	close(ends[1]);
	while (pid > 0 && have < sizeof text - 1 && (got = lh_read_some(ends[0], text + have, sizeof text - 1 - have, err)) > 0)
		have += (size_t)got;
	close(ends[0]);
	if (pid < 0)
		return -1;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	text[have] = '\0';
	put_summary(text, to, n);
	return 0;
}

static int is_tool(const struct dirent *e)
{
	return strncmp(e->d_name, "lh-", 3) == 0 && !strchr(e->d_name, '.');
}

static int list(struct lh_tool *t)
{
	char folder[PATH_ROOM], what[256], line[600];
	struct dirent **names;
	int i, n, len, rc = 0;

	if (own_folder(folder, sizeof folder, &t->err) < 0)
		return -1;
	n = scandir(folder, &names, is_tool, alphasort);
	if (n < 0)
		return lh_err_sys(&t->err, "%s", folder);
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = summary(names[i]->d_name, what, sizeof what, &t->err);
		len = snprintf(line, sizeof line, "%-16.255s %s\n", names[i]->d_name, what);
		if (!rc)
			rc = lh_tool_out(t, line, (size_t)len);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* Does man know the page of another tool, installed elsewhere? */
static bool man_knows(const char *name, struct lh_err *err)
{
	char *argv[] = { "man", "-w", "--", (char *)name, NULL };
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), status = -1;
	pid_t pid = nothing < 0 ? -1 : lh_coproc_spawn(&(struct lh_spawn){ .argv = argv, .fd = (int[]){ nothing, nothing, nothing }, .n_fd = 3 }, err);

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (nothing >= 0)
		close(nothing);
	return status == 0;
}

/* Where no program shows pages: what stands in it. */
static int print_page(struct lh_tool *t, const char *path)
{
	struct lh_buf page, text;
	int rc;

	lh_buf_init(&page, PAGE_MAX);
	lh_buf_init(&text, LH_BUF_NOMAX);
	rc = lh_file_read(path, &page, &t->err);
	if (rc == 0)
		rc = lh_err_set(&t->err, LH_EIO, "%s: it is gone", path);
	if (rc > 0) {
		page_text(page.p, page.len, &text);
		rc = lh_buf_check(&text, &t->err) < 0 ? -1 : lh_tool_out(t, text.p, text.len);
	}
	lh_buf_free(&page);
	lh_buf_free(&text);
	return rc;
}

/* Replace us by a reader of a page; print it ourselves if there is none. */
static int open_page(struct lh_tool *t, const char *name)
{
	static const char *const places[] = { "../man", "../share/man/man1", "../share/man/man7", "../share/man/man5" };
	static const char sections[] = "175";
	char folder[PATH_ROOM], path[PATH_ROOM + 300], *argv[] = { NULL, NULL, path, NULL };
	size_t i, j;

	if (own_folder(folder, sizeof folder, &t->err) < 0)
		return -1;
	for (i = 0; i < sizeof places / sizeof *places; i++) {
		for (j = 0; sections[j]; j++) {
			snprintf(path, sizeof path, "%s/%s/%.200s.%c", folder, places[i], name, sections[j]);
			if (access(path, R_OK) < 0)
				continue;
			argv[0] = "man";
			argv[1] = "-l";
			execvp(argv[0], argv);
			argv[0] = "mandoc";
			argv[1] = "-a";
			execvp(argv[0], argv);
			return print_page(t, path);
		}
	}
	snprintf(path, sizeof path, "%.200s", name);
	argv[0] = "man";
	argv[1] = "--";
	if (man_knows(path, &t->err))
		execvp(argv[0], argv);
	return lh_err_set(&t->err, LH_EIO, "no page for \"%.200s\"", name);
}

static int help(struct lh_tool *t)
{
	const char *what = t->n_operands > 1 ? t->operands[1] : MAIN_PAGE;
	bool whole = strncmp(what, "lh", 2) == 0 || strcmp(what, MAIN_PAGE) == 0;
	char name[300];

	if (t->n_operands > 2)
		return lh_tool_usage(t, "unexpected operand \"%.200s\": help opens one page", t->operands[2]);
	snprintf(name, sizeof name, "%s%.250s", whole ? "" : "lh-", what);
	return open_page(t, name);
}

static int run(struct lh_tool *t)
{
	if (!t->n_operands)
		return list(t);
	if (strcmp(t->operands[0], "help") == 0)
		return help(t);
	return lh_tool_usage(t, "no tool \"%.200s\" (lh alone lists them)", t->operands[0]);
}

/* "lh search ..." becomes "lh-search ..." before anything else is touched:
 * options, descriptors and signals are that tool's business. */
static void become(char **argv)
{
	char name[300], path[PATH_ROOM], *was = argv[1];

	if (strchr(argv[1], '/') || strlen(argv[1]) > 250)
		return;
	snprintf(name, sizeof name, "lh-%s", argv[1]);
	lh_coproc_find(name, path, sizeof path);
	argv[1] = name;
	execvp(path, argv + 1);
	argv[1] = was;
}

int main(int argc, char **argv)
{
	struct lh_tool tool;
	bool named = argc > 1 && argv[1][0] != '-' && strcmp(argv[1], "help");
	int rc;

	if (named)
		become(argv);
	lh_tool_init(&tool, "lh", "[TOOL [ARGUMENT]... | help TOOL]", "list the tools, run one, or open its page", options);
	/* options behind the name were for the tool that is not there */
	rc = lh_tool_parse(&tool, named ? 2 : argc, argv, NULL);
	if (!rc)
		rc = run(&tool);
	return lh_tool_finish(&tool, rc);
}
