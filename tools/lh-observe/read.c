/* read.c - read the rows of a log.  See run.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/rows.h"
#include "run.h"

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
		lh_tool_warn(g->run->tool, "%s: %llu lines of the log skipped", g->run->path,
			     (unsigned long long)g->skipped);
}
