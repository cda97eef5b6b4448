/* tail.c - read the rows of a log; lh-observe tail prints the last, and those that follow. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/signal.h"
#include "file/rows.h"
#include "run.h"

/* ---- reading ---- */

#define SHOWN 20

int reading_open(struct reading *g, struct run *r, struct lh_err *err)
{
	struct stat st;

	*g = (struct reading){ .run = r };
	g->fd = lh_open_regular(r->path, O_RDONLY, 0, err);
	if (g->fd < 0 && errno != ENOENT)
		return -1;
	if (g->fd >= 0 && fstat(g->fd, &st) < 0) {
		lh_err_sys(err, "%s", r->path);
		close(g->fd);
		return -1;
	}
	g->size = g->fd < 0 ? 0 : (uint64_t)st.st_size;
	lh_log_lines_open(&g->lines, g->fd, r->path, g->size, r->tool->max_line);
	return 0;
}

void reading_close(struct reading *g)
{
	if (g->fd >= 0)
		close(g->fd);
	lh_log_lines_close(&g->lines);
	lh_record_free(&g->rec);
	lh_buf_free(&g->text);
}

void reading_skip(struct reading *g, const struct lh_log_line *line, const char *why)
{
	struct lh_tool *tool = g->run->tool;

	if (g->skipped++ < SHOWN || tool->verbose)
		lh_tool_message(tool, "%s: byte %llu: %s", g->run->path,
				(unsigned long long)line->at, why);
	else if (g->skipped == SHOWN + 1)
		lh_tool_message(tool, "%s: further messages suppressed (--verbose shows all)",
				g->run->path);
}

void reading_from(struct reading *g, uint64_t at)
{
	lh_log_lines_close(&g->lines);
	lh_log_lines_open(&g->lines, g->fd, g->run->path, at, g->run->tool->max_line);
}

/* Skip a line that is not a row: 0, or -1 for another error. */
static int skip_bad(struct reading *g, const struct lh_log_line *line, const struct lh_err *err)
{
	if (err->code != LH_EDATA)
		return -1;
	if (line->whole)	/* a row that is being written, or was left incomplete */
		reading_skip(g, line, err->msg);
	return 0;
}

int reading_parse(struct reading *g, const struct lh_log_line *line, struct lh_err *err)
{
	if (line->p && lh_line_empty(line->p, line->n))
		return 0;
	if (!line->p) {
		reading_skip(g, line, "the line is longer than --max-line");
		return 0;
	}
	return lh_record_parse(&g->rec, line->p, line->n, err) < 0 ? skip_bad(g, line, err) : 1;
}

int reading_row(struct reading *g, const struct lh_log_line *line, struct lh_observed *o,
		struct lh_err *err)
{
	int rc = reading_parse(g, line, err);

	if (rc > 0 && lh_observe_read(&g->rec, o, &g->text, err) < 0)
		rc = skip_bad(g, line, err);
	return rc;
}

void reading_report(const struct reading *g)
{
	if (g->skipped)
		lh_tool_warn(g->run->tool, "%s: %s of the log skipped", g->run->path,
			     LH_N(g->skipped, "line"));
}

/* ---- tail ---- */

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
