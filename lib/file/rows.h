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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define LH_ROWS_LONGEST ((uint64_t)1 << 30)

struct lh_file_row {
	const char *p;		/* without its LF; until the next call; LH_PAD bytes follow */
	size_t n;
	uint64_t at;		/* offset in the file */
	uint64_t line;		/* line number, from 1 */
};

struct lh_rows;

struct lh_rows *lh_rows_new(void);
void lh_rows_free(struct lh_rows *r);	/* NULL is allowed */

/* Close the open file and open another, which must be a regular one: 1, 0 if it
 * does not exist, -1. */
int lh_rows_open(struct lh_rows *r, const char *path, struct lh_err *err);

/* The same with a regular file that is open already, whose descriptor is
 * duplicated; name is for messages. */
int lh_rows_open_fd(struct lh_rows *r, int fd, const char *name, struct lh_err *err);

/* Return the next line that is not empty, as below: 1, 0 at the end, -1. */
int lh_rows_next(struct lh_rows *r, struct lh_file_row *row, struct lh_err *err);

/* Call fn for each line of a file that is not empty: 1, 0 if it does not exist, -1.  A result of
 * fn other than 0 ends it, and is returned. */
typedef int lh_rows_fn(void *ctx, const struct lh_file_row *row, struct lh_err *err);
int lh_rows_each(const char *path, lh_rows_fn *fn, void *ctx, struct lh_err *err);

/* Read a line again whose place is known, into *out; path is for messages. */
int lh_line_again(int fd, const char *path, uint64_t at, size_t n, struct lh_buf *out,
		  struct lh_err *err);

/*
 * tombstone - the line that takes the place of a row that was erased, so that the lines after
 * it keep their numbers:
 *
 *     {"erased":"er-5f0c1d3a9b7e2468","at":"2026-05-03T12:00:00.000Z"}
 *
 * The id is that of the receipt of the erasure: 1 to LH_ERASURE_ID digits, letters a to z and
 * hyphens.  The time is as these tools write it.  A line is a tombstone if it has exactly these
 * bytes, with or without CR at its end, so that no parser is needed and no other record is one.
 * A reader of a log or of a source takes it as a blank line.  A filter of records of any kind
 * takes it as a record.
 */

#define LH_ERASURE_ID 64	/* bytes of an id */
#define LH_TOMBSTONE 128	/* bytes of a tombstone, and more */

bool lh_erasure_id(const char *p, size_t n);

/* Return whether a line, without its LF, is a tombstone; *id is then that of its receipt, in
 * the line.  id may be NULL. */
bool lh_line_erased(const char *p, size_t n, struct lh_str *id);

/* Return whether a line, without its LF, is blank (spaces, tabs, CR). */
bool lh_line_blank(const char *p, size_t n);

/* Return whether a line of a log or source has no row: it is blank or a tombstone. */
static inline bool lh_line_empty(const char *p, size_t n)
{
	return !n || (*p == '{' ? lh_line_erased(p, n, NULL) : lh_line_blank(p, n));
}

/* Find the next tombstone in a text that begins with a line, and set *rest to what follows its
 * LF: whether there is one. */
bool lh_tombstone_next(struct lh_str *rest, struct lh_str *id);

/* Append a tombstone without LF; at has LH_TIME_LEN bytes. */
void lh_tombstone(struct lh_buf *out, struct lh_str id, const char *at);

#endif
