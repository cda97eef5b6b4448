/* help.c - open the page of a tool.  See lh.h. */
#include "lh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file/file.h"
#include "list.h"
#include "proc/coproc.h"
#include "base/suggest.h"

#define PAGE_MAX (1u << 20)
#define MAIN_PAGE "lakehouse-tools"

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

/* Where pages are in mdoc and as text, from the folder of this program, in its tree or its
 * installation. */
static const struct place {
	const char *folder, *suffix;
} mdoc[] = {
	{ "../man", ".1" }, { "../man", ".7" }, { "../man", ".5" },
	{ "../share/man/man1", ".1" }, { "../share/man/man7", ".7" }, { "../share/man/man5", ".5" },
	{ NULL, NULL },
}, text[] = {
	{ "../build/pages", ".txt" }, { "../share/lakehouse-tools/pages", ".txt" }, { NULL, NULL },
};

static bool find_page(const struct place *p, const char *folder, const char *name, char *path,
		      size_t size)
{
	for (; p->folder; p++) {
		snprintf(path, size, "%s/%s/%.200s%s", folder, p->folder, name, p->suffix);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}

/* Print the text of a page, for want of a program that shows pages. */
static int print_page(struct lh_tool *t, const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf page = { 0 };
	int rc;

	lh_buf_init(&page, PAGE_MAX);
	rc = lh_file_read(path, &page, &t->err);
	if (rc == 0)
		rc = lh_err_set(&t->err, LH_EIO, "%s: it is gone", path);
	if (rc > 0)
		rc = lh_tool_out(t, page.p, page.len);
	return rc;
}

/* Report that there is no page, and those whose names are close.  Returns -1. */
static int no_page(struct lh_tool *t, const char *name)
{
	static const char *const ours[] = { "lh-", "lakehouse-" };
	const char *given = t->n_operands ? t->operands[0] : name;
	struct lh_suggest s = lh_suggest_for(given, strlen(given));
	char close[LH_SUGGEST_ROOM];
	const struct page *p;
	size_t i, skip;

	for (p = list_pages; p->name; p++) {
		for (i = skip = 0; i < 2; i++)
			if (strncmp(p->name, ours[i], strlen(ours[i])) == 0)
				skip = strlen(ours[i]);
		if (strncmp(given, p->name, skip) == 0)
			skip = 0;
		lh_suggest_offer(&s, p->name + skip, strlen(p->name + skip));
	}
	lh_suggest_text(&s, "", close);
	return lh_err_set(&t->err, LH_EIO, "no page for \"%.200s\"%s%s%s", name,
			  *close ? " (" : "", close, *close ? ")" : "");
}

/* Open the page of one of these names, the first that there is: replace this process by man or
 * mandoc, or print the page if neither is installed. */
static int open_page(struct lh_tool *t, char *const *names)
{
	char folder[LIST_PATH_ROOM], path[LIST_PATH_ROOM + 300];
	char *const *name;
	bool found = false;

	if (list_folder(folder, sizeof folder, &t->err) < 0)
		return -1;
	for (name = names; *name && !found; name++) {
		found = find_page(mdoc, folder, *name, path, sizeof path);
		if (found) {
			execvp("man", (char *[]){ "man", "-l", path, NULL });
			execvp("mandoc", (char *[]){ "mandoc", "-a", path, NULL });
		}
	}
	for (name = names; *name; name++)
		if (man_knows(*name, &t->err))
			execvp("man", (char *[]){ "man", "--", *name, NULL });
	for (name = names; *name; name++)
		if (find_page(text, folder, *name, path, sizeof path))
			return print_page(t, path);
	return found ? lh_err_set(&t->err, LH_EIO, "man shows pages, and is not installed")
		     : no_page(t, names[0]);
}

int help_command(struct lh_tool *t, void *settings)
{
	const char *what = t->n_operands ? t->operands[0] : MAIN_PAGE;
	bool whole = strncmp(what, "lh", 2) == 0 || strncmp(what, "lakehouse-", 10) == 0;
	char of_tool[300], of_all[300];

	(void)settings;
	snprintf(of_tool, sizeof of_tool, "%s%.200s", whole ? "" : "lh-", what);
	snprintf(of_all, sizeof of_all, "lakehouse-%.200s", what);
	return open_page(t, (char *[]){ of_tool, of_all, NULL });
}
