/* help.c - open the page of a tool.  See lh.h. */
#include "lh.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file/file.h"
#include "list.h"
#include "page.h"
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
static int show_page(struct lh_tool *t, char *path)
{
	char *man[] = { "man", "-l", path, NULL }, *mandoc[] = { "mandoc", "-a", path, NULL };

	execvp(man[0], man);
	execvp(mandoc[0], mandoc);
	return print_page(t, path);
}

/* Where pages are, from the folder of this program, in its tree or installation. */
static const char *const places[] = { "../man", "../share/man/man1", "../share/man/man7",
				      "../share/man/man5" };
#define N_PLACES (sizeof places / sizeof *places)

static bool find_page(const char *folder, const char *name, char *path, size_t size)
{
	static const char sections[] = "175";
	size_t i, j;

	for (i = 0; i < N_PLACES; i++) {
		for (j = 0; sections[j]; j++) {
			snprintf(path, size, "%s/%s/%.200s.%c", folder, places[i], name,
				 sections[j]);
			if (access(path, R_OK) == 0)
				return true;
		}
	}
	return false;
}

/* Consider the pages of ours in one place, by their names as "lh help" takes them. */
static void offer_pages(const char *place, struct lh_suggest *s)
{
	static const char *const ours[] = { "lh-", "lakehouse-" };
	DIR *d = opendir(place);
	const struct dirent *e;
	size_t i, n, skip;

	while (d && (e = readdir(d))) {
		n = strcspn(e->d_name, ".");
		for (i = skip = 0; i < 2; i++)
			if (strncmp(e->d_name, ours[i], strlen(ours[i])) == 0)
				skip = strlen(ours[i]);
		if (!skip && strncmp(e->d_name, "lh", 2) != 0)
			continue;
		if (strncmp(s->given, e->d_name, skip) == 0)
			skip = 0;
		lh_suggest_offer(s, e->d_name + skip, n - skip);
	}
	if (d)
		closedir(d);
}

/* Report that there is no page, and those whose names are close.  Returns -1. */
static int no_page(struct lh_tool *t, const char *folder, const char *name)
{
	const char *given = t->n_operands ? t->operands[0] : name;
	struct lh_suggest s = lh_suggest_for(given, strlen(given));
	char path[LIST_PATH_ROOM + 300], close[LH_SUGGEST_ROOM];
	size_t i;

	for (i = 0; i < N_PLACES; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, places[i]);
		offer_pages(path, &s);
	}
	lh_suggest_text(&s, "", close);
	return lh_err_set(&t->err, LH_EIO, "no page for \"%.200s\"%s%s%s", name,
			  *close ? " (" : "", close, *close ? ")" : "");
}

/* Open the page of one of these names, the first that there is. */
static int open_page(struct lh_tool *t, char *const *names)
{
	char folder[LIST_PATH_ROOM], path[LIST_PATH_ROOM + 300];
	char *const *name;

	if (list_folder(folder, sizeof folder, &t->err) < 0)
		return -1;
	for (name = names; *name; name++)
		if (find_page(folder, *name, path, sizeof path))
			return show_page(t, path);
	for (name = names; *name; name++)
		if (man_knows(*name, &t->err))
			execvp("man", (char *[]){ "man", "--", *name, NULL });
	return no_page(t, folder, names[0]);
}

int help_command(struct lh_tool *t, void *settings)
{
	const char *what = t->n_operands ? t->operands[0] : MAIN_PAGE;
	bool whole = strncmp(what, "lh", 2) == 0 || strncmp(what, "lakehouse-", 10) == 0;
	char of_tool[300], of_all[300];

	(void)settings;
	if (t->n_operands > 1)
		return lh_tool_unexpected(t, 1, "help opens one page");
	snprintf(of_tool, sizeof of_tool, "%s%.200s", whole ? "" : "lh-", what);
	snprintf(of_all, sizeof of_all, "lakehouse-%.200s", what);
	return open_page(t, (char *[]){ of_tool, of_all, NULL });
}
