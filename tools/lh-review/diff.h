/*
 * diff - read a unified diff file by file, from any source of bytes.
 *
 *     struct lh_diff d = { .max_file = 100 << 10, .read = read_file, .ctx = &file };
 *
 *     while ((rc = lh_diff_next(&d, &err)) > 0)
 *             ... d.path and its part of the diff, d.text.p[0..d.text.len) ...
 *     lh_diff_free(&d);
 *
 * Reads what git writes (diff --git; diff --cc and diff --combined of a merge) and what
 * diff -u writes.  A part is the header of a file and its hunks.  Text before, between and
 * after the parts, such as the message of a commit, is skipped; so is the data of a binary
 * patch.
 *
 * The path is the name on the new side, of a deleted file that on the old side, unquoted and
 * without the prefix (a/, b/, or another folder that git was asked for).  It never has a
 * NUL.
 *
 * Errors: LH_EDATA, and d.line is its line: a hunk that ends too early or has a line of another
 *         kind, a hunk outside a part, or text without any part.  The reader cannot continue.
 *         Empty input, and blank lines alone, are a diff of no files.
 * Memory: max_file, 64 KiB, and the names of one file.
 */
#ifndef LH_DIFF_H
#define LH_DIFF_H

#include <stdint.h>
#include <sys/types.h>

#include <lh/buf.h>
#include <lh/str.h>

struct lh_diff {
	uint64_t max_file;	/* bytes of a part that are kept */
	/* Read up to n bytes: their number, 0 at the end, -1 with *err. */
	ssize_t (*read)(void *ctx, void *p, size_t n, struct lh_err *err);
	void *ctx;

	/* the part, until the next call */
	struct lh_str path;
	struct lh_buf text;	/* its bytes; empty if it has more than max_file */
	uint64_t size;		/* their number, also then */
	uint64_t line;		/* line of the input, from 1, on which it begins */

	uint64_t bytes;		/* read so far, of all inputs */
	struct lh_diff_reader *reader;	/* private */
};

/* Read the next part: 1, 0 at the end, -1. */
int lh_diff_next(struct lh_diff *d, struct lh_err *err);

/* Begin a new input with the same settings; the memory is kept. */
void lh_diff_restart(struct lh_diff *d);
void lh_diff_free(struct lh_diff *d);

/* Append the name that s begins with, in quotes as git writes them ("a\tb", "\303\251").
 * Returns its length in s, quotes included; 0 if it is not such a name. */
size_t lh_diff_unquote(struct lh_str s, struct lh_buf *name);

/* Append a name as git writes it: in quotes if it has bytes other than visible ASCII and
 * blanks, a quote or a backslash. */
void lh_diff_quote(struct lh_str name, struct lh_buf *out);

#endif
