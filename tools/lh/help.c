/* help.c - open the page of a tool, or find the pages that have a word.  See lh.h. */
#include "lh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file/file.h"
#include "proc/coproc.h"
#include "base/mem.h"
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

/* ---- which pages have a word ---- */

#define PAGES_MAX 80
#define NAME_WEIGHT 1000	/* of a word in the line that says what a tool does */

/* Rank a page: by how often a word is in it for its size, and whether that is what it is about. */
static void rank(struct help_page *page, const char *word)
{
	const char *at, *about = strchr(page->text.p, '\n'), *end;
	size_t n = 0;

	for (at = page->text.p; (at = strcasestr(at, word)); at++)
		n++;
	end = about ? strchr(about + 1, '\n') : NULL;
	at = about ? strcasestr(about, word) : NULL;
	page->score = (double)n * 100 / (double)(page->text.len + 1000) +
		(end && at && at < end ? NAME_WEIGHT : 0);
}

static int by_score(const void *a, const void *b)
{
	double x = ((const struct help_page *)a)->score, y = ((const struct help_page *)b)->score;

	return x < y ? 1 : x > y ? -1 : 0;
}

void help_free(struct help_page *page, size_t n)
{
	while (n--)
		lh_buf_free(&page[n].text);
	free(page);
}

size_t help_find(const char *word, struct help_page **found)
{
	struct help_page *page = lh_calloc(PAGES_MAX, sizeof *page);
	char folder[LIST_PATH_ROOM], path[LIST_PATH_ROOM + 300];
	const struct page *p;
	struct lh_err err;
	size_t n = 0;

	*found = page;
	if (!*word || list_folder(folder, sizeof folder, &err) < 0)
		return 0;
	for (p = list_pages; p->name && n < PAGES_MAX; p++) {
		page[n].name = p->name;
		lh_buf_init(&page[n].text, PAGE_MAX);
		if (!find_page(text, folder, p->name, path, sizeof path) ||
		    lh_file_read(path, &page[n].text, &err) <= 0)
			continue;
		lh_buf_putc(&page[n].text, '\0');
		rank(&page[n], word);
		if (page[n].score > 0)
			n++;
		else
			lh_buf_free(&page[n].text);
	}
	qsort(page, n, sizeof *page, by_score);
	return n;
}

#define PAGES_SHOWN 12
#define LINES_SHOWN 3	/* of a page */

/* Print the first lines of a page that have the word. */
static int put_lines(struct lh_tool *t, const struct help_page *page, const char *word)
{
	struct lh_buf out = { 0 };
	const char *line = page->text.p, *end, *at;
	size_t n = 0, shown = 0;

	for (; *line; line = end + (*end != '\0'), n++) {
		end = line + strcspn(line, "\n");
		at = strcasestr(line, word);
		if (!at || at >= end || shown++ == LINES_SHOWN)
			continue;
		line += strspn(line, " ");
		lh_buf_printf(&out, "%s%s: %.*s", out.len ? "\n" : "", page->name,
			      (int)(end - line), line);
		if (shown == LINES_SHOWN)
			break;
	}
	return lh_tool_out_line(t, &out);
}

/* Print where the pages have a word: 1, 0 if none has it, -1. */
static int search(struct lh_tool *t, const char *word)
{
	struct help_page *page;
	size_t n = help_find(word, &page), i;
	int rc = n > 0;

	for (i = 0; i < n && i < PAGES_SHOWN && rc > 0; i++)
		rc = put_lines(t, &page[i], word) < 0 ? -1 : 1;
	if (rc > 0 && n > PAGES_SHOWN)
		lh_tool_message(t, "%zu other pages have it, too", n - PAGES_SHOWN);
	help_free(page, n);
	return rc;
}

/* Open the page of one of these names, the first that there is: replace this process by man or
 * mandoc, or print the page if neither is installed. */
static int open_page(struct lh_tool *t, char *const *names)
{
	char folder[LIST_PATH_ROOM], page[LIST_PATH_ROOM + 300], plain[LIST_PATH_ROOM + 300];
	char *const *name;
	bool found = false, printed = false;
	int rc;

	if (list_folder(folder, sizeof folder, &t->err) < 0)
		return -1;
	for (name = names; *name && !found; name++)
		found = find_page(mdoc, folder, *name, page, sizeof page);
	for (name = names; *name && !printed; name++)
		printed = find_page(text, folder, *name, plain, sizeof plain);
	/* man strikes letters over also in a file or a pipe. */
	if (found && (isatty(STDOUT_FILENO) || !printed)) {
		execvp("man", (char *[]){ "man", "-l", page, NULL });
		execvp("mandoc", (char *[]){ "mandoc", "-a", page, NULL });
	}
	if (printed)
		return print_page(t, plain);
	for (name = names; *name; name++)
		if (man_knows(*name, &t->err))
			execvp("man", (char *[]){ "man", "--", *name, NULL });
	rc = found || !t->n_operands ? 0 : search(t, t->operands[0]);
	if (rc)
		return rc < 0 ? -1 : 0;
	return found ? lh_err_set(&t->err, LH_EIO, "man shows pages, and is not installed")
		     : no_page(t, names[0]);
}

int help_command(struct lh_tool *t, void *settings)
{
	const char *what = t->n_operands ? t->operands[0] : MAIN_PAGE;
	bool whole = strncmp(what, "lh", 2) == 0 || strncmp(what, "lakehouse-", 10) == 0;
	const struct settings *set = settings;
	char of_tool[300], of_all[300];
	int rc;

	if (set->word) {
		rc = search(t, set->word);
		return rc ? rc < 0 ? -1 : 0
			  : lh_err_set(&t->err, LH_EIO, "no page has \"%.200s\"", set->word);
	}
	snprintf(of_tool, sizeof of_tool, "%s%.200s", whole ? "" : "lh-", what);
	snprintf(of_all, sizeof of_all, "lakehouse-%.200s", what);
	return open_page(t, (char *[]){ of_tool, of_all, NULL });
}
