/* lh_rows.c - the lines of a file.  See lh_rows.h. */
#include "lh_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lh_file.h"
#include "lh_lines_int.h"
#include "lh_mem.h"

struct lh_rows {
	struct lh_lines lines;
	struct lh_bytes block;
	size_t next;		/* in the block: where the next line starts */
	uint64_t before, line;	/* bytes before the block, lines so far */
	char *path;		/* NULL: none is open */
	int fd;
};

struct lh_rows *lh_rows_new(struct lh_err *err)
{
	struct lh_rows *r = lh_calloc(1, sizeof *r, err);

	if (!r)
		return NULL;
	r->fd = -1;
	r->lines.max_line = LH_ROWS_LONGEST;
	r->lines.target = LH_LINES_BLOCK_MAX;
	r->lines.wake = -1;
	return r;
}

static void leave(struct lh_rows *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	free(r->path);
	r->path = NULL;
}

void lh_rows_free(struct lh_rows *r)
{
	if (!r)
		return;
	leave(r);
	lh_lines_free(&r->lines);
	free(r->block.p);
	free(r);
}

int lh_rows_open(struct lh_rows *r, const char *path, struct lh_err *err)
{
	leave(r);
	r->block.n = r->next = 0;
	r->before = r->line = 0;
	r->fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (r->fd < 0)
		return errno == ENOENT ? 0 : -1;
	r->path = lh_strndup(path, strlen(path), err);
	if (!r->path)
		return -1;
	lh_lines_open(&r->lines, r->fd);
	return 1;
}

/* The next block: 1, 0 at the end, -1. */
static int more(struct lh_rows *r, struct lh_err *err)
{
	r->before += r->block.n;
	r->block.n = r->next = 0;
	for (;;)
		switch (lh_lines_next(&r->lines, &r->block, err)) {
		case LH_LINES_BLOCK:
			return 1;
		case LH_LINES_WAIT:
			if (lh_lines_wait(&r->lines, err) < 0)
				return -1;
			break;
		case LH_LINES_ROOM:
			lh_lines_allow(&r->lines);
			break;
		case LH_LINES_LONG:
			lh_err_set(err, LH_ECORRUPT, "%s:%llu: line is longer than %llu bytes", r->path,
				   (unsigned long long)r->line + 1, (unsigned long long)LH_ROWS_LONGEST);
			return -1;
		case LH_LINES_END:
			return 0;
		default:
			return lh_err_prefix(err, "%s", r->path);
		}
}

static bool is_blank(const char *p, size_t n)
{
	while (n && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++, n--;
	return !n;
}

int lh_rows_next(struct lh_rows *r, struct lh_row *row, struct lh_err *err)
{
	const char *p, *lf;
	size_t left;
	int rc;

	if (!r->path)
		return 0;
	do {
		if (r->next == r->block.n && (rc = more(r, err)) <= 0)
			return rc;
		p = r->block.p + r->next;
		left = r->block.n - r->next;
		lf = memchr(p, '\n', left);
		*row = (struct lh_row){ p, lf ? (size_t)(lf - p) : left, r->before + r->next, ++r->line };
		r->next += row->n + (lf != NULL);
	} while (is_blank(p, row->n));
	return 1;
}
