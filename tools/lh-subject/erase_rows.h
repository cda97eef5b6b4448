/*
 * erase_rows.h - lines without those that are erased, as a stream.
 *
 *     struct line_filter f = { .e = e, .t = t, .line = 1, .write = write, .to = me };
 *     while (...)
 *             rc = line_filter_more(&f, p, n, err);
 *     rc = line_filter_end(&f, err);
 */
#ifndef ERASE_ROWS_H
#define ERASE_ROWS_H

#include "erase.h"

struct line_filter {
	const struct erasure *e;
	const struct target *t;		/* whose hits are the lines */
	struct lh_str stone;		/* what takes the place of a line; n 0: nothing */
	int (*write)(void *to, const void *p, size_t n, struct lh_err *err);
	void *to;
	struct cuts *cuts;		/* lengths, ascending; or NULL */
	uint64_t line;			/* begins as 1 */

	uint64_t at, out, rows;		/* bytes read and written, lines erased */
	size_t next, next_cut;
	bool begun;			/* in a line */
};
int line_filter_more(struct line_filter *f, const char *p, size_t n, struct lh_err *err);
int line_filter_end(struct line_filter *f, struct lh_err *err);

#endif
