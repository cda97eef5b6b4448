/*
 * rows - the lines of one of our files, one after the other.
 *
 *     struct lh_rows *rows = lh_rows_new(err);
 *     rc = lh_rows_open(rows, "r/data/evidence/2026/05/03/audits.jsonl", err);
 *     while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0)
 *             ... row.p, row.n, row.line ...
 *     lh_rows_free(rows);
 *
 * How:     a window of the file is mapped, so it must only ever be replaced or
 *          grow (lh_mapped in file.h); what it grows by is not read.
 * Memory:  the window, a megabyte, or four times the longest line if that is
 *          more; no line is longer than LH_ROWS_LONGEST.
 * Errors:  -1 with *err, whose text names the file (and the line).
 * Threads: one thread per struct.
 */
#ifndef LH_ROWS_H
#define LH_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include <lh/err.h>

#define LH_ROWS_LONGEST ((uint64_t)1 << 30)

struct lh_row {
	const char *p;		/* without its LF; until the next call; LH_PAD bytes follow */
	size_t n;
	uint64_t at;		/* bytes of the file before it */
	uint64_t line;		/* from 1 */
};

struct lh_rows;

struct lh_rows *lh_rows_new(struct lh_err *err);
void lh_rows_free(struct lh_rows *r);	/* NULL is fine */

/* Leave the file that is open and open another, a regular one: 1, 0 when it is
 * not there, -1. */
int lh_rows_open(struct lh_rows *r, const char *path, struct lh_err *err);

/* The same with a regular file that is open already, of which a descriptor of
 * its own is made; name is for the messages. */
int lh_rows_open_fd(struct lh_rows *r, int fd, const char *name, struct lh_err *err);

/* The next line that is not blank (spaces, tabs, CR): 1, 0 at the end, -1. */
int lh_rows_next(struct lh_rows *r, struct lh_row *row, struct lh_err *err);

#endif
