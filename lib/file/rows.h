/*
 * rows - read the lines of a file that these tools wrote.
 *
 *     struct lh_rows *rows = lh_rows_new(err);
 *     rc = lh_rows_open(rows, "r/data/evidence/2026/05/03/audits.jsonl", err);
 *     while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0)
 *             ... row.p, row.n, row.line ...
 *     lh_rows_free(rows);
 *
 * How:     a window of the file is mapped, so the file must only ever be replaced or
 *          grow (lh_mapped in file.h); bytes appended after the opening are not read.
 * Memory:  the window: a megabyte, or four times the longest line if that is more; a
 *          line is at most LH_ROWS_LONGEST bytes long.
 * Errors:  -1 with *err, whose text names the file (and the line).
 * Threads: one thread per struct.
 */
#ifndef LH_ROWS_H
#define LH_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include <lh/err.h>

#define LH_ROWS_LONGEST ((uint64_t)1 << 30)

struct lh_file_row {
	const char *p;		/* without its LF; until the next call; LH_PAD bytes follow */
	size_t n;
	uint64_t at;		/* offset in the file */
	uint64_t line;		/* line number, from 1 */
};

struct lh_rows;

struct lh_rows *lh_rows_new(struct lh_err *err);
void lh_rows_free(struct lh_rows *r);	/* NULL is allowed */

/* Close the open file and open another, which must be a regular one: 1, 0 if it
 * does not exist, -1. */
int lh_rows_open(struct lh_rows *r, const char *path, struct lh_err *err);

/* The same with a regular file that is open already, whose descriptor is
 * duplicated; name is for messages. */
int lh_rows_open_fd(struct lh_rows *r, int fd, const char *name, struct lh_err *err);

/* Return the next line that is not blank (spaces, tabs, CR): 1, 0 at the end, -1. */
int lh_rows_next(struct lh_rows *r, struct lh_file_row *row, struct lh_err *err);

#endif
