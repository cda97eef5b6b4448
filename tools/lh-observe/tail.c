/* tail.c - lh-observe tail: print the last rows, and those that follow. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/signal.h"
#include "run.h"

#define PAUSE_MS 100	/* between two looks at the log */

/* Find the offset of the n-th row from the end. */
static int find_rows(struct reading *g, uint64_t n, uint64_t *from, struct lh_err *err)
{
	struct lh_log_line line;
	struct lh_observed o;
	uint64_t rows = 0;
	int rc = 0;

	*from = g->size;
	while (rows < n && (rc = lh_log_lines_before(&g->lines, &line, err)) > 0) {
		rc = reading_row(g, &line, &o, err);
		if (rc < 0)
			return -1;
		if (rc) {
			rows++;
			*from = line.at;
		}
	}
	return rc < 0 ? -1 : 0;
}

static int print_line(struct lh_tool *tool, const struct lh_log_line *line)
{
	if (lh_tool_out(tool, line->p, line->n) < 0)
		return -1;
	return lh_tool_out(tool, "\n", 1);
}

/* Print the rows from the reader's position on, as far as they are complete. */
static int print_rows(struct reading *g, struct lh_err *err)
{
	struct lh_log_line line;
	struct lh_observed o;
	int rc;

	while ((rc = lh_log_lines_next(&g->lines, &line, err)) > 0) {
		rc = reading_row(g, &line, &o, err);
		if (rc > 0)
			rc = print_line(g->run->tool, &line);
		if (rc < 0)
			break;
	}
	return rc;
}

/* Print the last line if it is a row without LF. */
static int print_rest(struct reading *g, struct lh_err *err)
{
	uint64_t at = g->lines.at;
	struct lh_log_line line;
	struct lh_observed o;
	struct stat st;
	int rc;

	if (g->fd < 0 || fstat(g->fd, &st) < 0 || (uint64_t)st.st_size <= at)
		return 0;
	lh_log_lines_close(&g->lines);
	lh_log_lines_open(&g->lines, g->fd, g->run->path, (uint64_t)st.st_size,
			  g->run->tool->max_line);
	rc = lh_log_lines_before(&g->lines, &line, err);
	if (rc > 0 && !line.whole && line.at == at)
		rc = reading_row(g, &line, &o, err);
	else if (rc > 0)
		rc = 0;		/* it was continued meanwhile */
	return rc > 0 ? print_line(g->run->tool, &line) : rc;
}

/* Return whether the path leads to another file than the open one, or it became shorter. */
static bool was_replaced(const struct reading *g)
{
	struct stat now, open;

	if (lstat(g->run->path, &now) < 0)
		return false;
	if (g->fd < 0 || fstat(g->fd, &open) < 0)
		return true;
	return now.st_dev != open.st_dev || now.st_ino != open.st_ino ||
	       (uint64_t)open.st_size < g->lines.at;
}

/* Continue with the file that the path leads to, from its beginning. */
static int reopen(struct reading *g, struct lh_err *err)
{
	int fd = lh_open_regular(g->run->path, O_RDONLY, 0, err);

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (g->fd >= 0) {
		close(g->fd);
		lh_tool_message(g->run->tool, "%s: was replaced or truncated; from its beginning",
				g->run->path);
	}
	g->fd = fd;
	reading_from(g, 0);
	return 0;
}

static int follow(struct reading *g, struct lh_err *err)
{
	while (!lh_stopping()) {
		bool replaced = was_replaced(g);

		if (g->fd >= 0 && print_rows(g, err) < 0)
			return -1;
		if (replaced && reopen(g, err) < 0)
			return -1;
		if (lh_tool_flush(g->run->tool) < 0)
			return -1;
		if (!replaced)
			nanosleep(&(struct timespec){ 0, PAUSE_MS * 1000000L }, NULL);
	}
	return 0;
}

int observe_tail(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_err *err = &tool->err;
	struct reading g;
	uint64_t from;
	int rc;

	if (reading_open(&g, &s->run, err) < 0)
		return -1;
	rc = find_rows(&g, s->n, &from, err);
	if (!rc && g.fd >= 0) {
		reading_from(&g, from);
		rc = print_rows(&g, err);
	}
	if (!rc)
		rc = s->follow ? follow(&g, err) : s->n ? print_rest(&g, err) : 0;
	reading_report(&g);
	reading_close(&g);
	return rc;
}
