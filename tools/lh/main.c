/* lh: list the lh-* tools, run one, or open its page.  See lh(1). */
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
#include "list.h"
#include "page.h"

#define PAGE_MAX (1u << 20)
#define MAIN_PAGE "lakehouse-tools"

static const struct lh_option options[] = { LH_COMMON_OPTIONS, LH_OPTION_END };

/* Whether man has the page of a tool that is installed elsewhere. */
static bool man_knows(const char *name, struct lh_err *err)
{
	char *argv[] = { "man", "-w", "--", (char *)name, NULL };
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), status = -1;
	pid_t pid = nothing < 0
		? -1
		: lh_coproc_spawn(&(struct lh_spawn){ .argv = argv,
						      .fd = (int[]){ nothing, nothing, nothing },
						      .n_fd = 3 },
				  err);

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (nothing >= 0)
		close(nothing);
	return status == 0;
}

/* Print the text of a page, for want of a program that shows pages. */
static int print_page(struct lh_tool *t, const char *path)
{
	struct lh_buf page, text = { 0 };
	int rc;

	lh_buf_init(&page, PAGE_MAX);
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

/* Replace this process by man or mandoc; print the page here if neither is installed. */
static int open_page(struct lh_tool *t, const char *name)
{
	static const char *const places[] = { "../man", "../share/man/man1", "../share/man/man7",
					      "../share/man/man5" };
	static const char sections[] = "175";
	char folder[LIST_PATH_ROOM], path[LIST_PATH_ROOM + 300],
		*argv[] = { NULL, NULL, path, NULL };
	size_t i, j;

	if (list_folder(folder, sizeof folder, &t->err) < 0)
		return -1;
	for (i = 0; i < sizeof places / sizeof *places; i++) {
		for (j = 0; sections[j]; j++) {
			snprintf(path, sizeof path, "%s/%s/%.200s.%c", folder, places[i], name,
				 sections[j]);
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
		return lh_tool_unexpected(t, 2, "help opens one page");
	snprintf(name, sizeof name, "%s%.250s", whole ? "" : "lh-", what);
	return open_page(t, name);
}

static int run(struct lh_tool *t)
{
	if (!t->n_operands)
		return list_tools(t);
	if (strcmp(t->operands[0], "help") == 0)
		return help(t);
	return lh_tool_usage(t, "no tool \"%.200s\" (lh alone lists them)", t->operands[0]);
}

/* Replace this process by lh-search for "lh search ...", before it touches anything:
 * options, descriptors and signals belong to that tool. */
static void become(char **argv)
{
	char name[300], path[LIST_PATH_ROOM], *was = argv[1];

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
	lh_tool_init(&tool, "lh", "[TOOL [ARGUMENT]... | help TOOL]",
		     "list the tools, run one, or open its page", options);
	/* options after the name were meant for a tool that does not exist */
	rc = lh_tool_parse(&tool, named ? 2 : argc, argv, NULL);
	if (!rc)
		rc = run(&tool);
	return lh_tool_finish(&tool, rc);
}
