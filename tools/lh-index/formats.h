/*
 * formats - rows of vectors in the files of another program: NumPy's .npy.
 *
 * A reader takes bytes from a function, a writer appends them to a buffer.
 *
 *     r = (struct row_reader){ .read = feed, .ctx = &file };
 *     rc = npy_begin(&r, err);
 *     while (!rc && (more = npy_next(&r, err)) > 0)
 *             ...
 *     row_reader_free(&r);
 *
 * Trust:   a file may be cut or contradict itself.  Its sizes are checked against limits, and
 *          memory is taken only for bytes that have come.
 * Owner:   r.vector is the reader's until the next call.
 * Errors:  0, or -1 with *err: LH_ECORRUPT with "byte N: reason" for a wrong file.
 */
#ifndef FORMATS_H
#define FORMATS_H

#include <sys/types.h>

#include "base/buf.h"
#include "vector/distance.h"
#include "index/index.h"
#include "base/str.h"

enum format { FORMAT_JSONL, FORMAT_NPY };
#define FORMATS "jsonl|npy"

struct row_reader {
	/* Read up to n bytes: their number, 0 at the end, -1. */
	ssize_t (*read)(void *ctx, void *to, size_t n, struct lh_err *err);
	void *ctx;
	struct lh_buf bytes;	/* those read last */
	uint64_t offset;	/* of the byte after them */
	uint64_t rows, left;	/* read so far, and not yet */
	struct lh_buf vector;	/* the row: so many values as the dimension */
	uint32_t dimension;
	unsigned width;		/* bytes of a value */
	bool big_endian;
};
void row_reader_free(struct row_reader *r);

int npy_begin(struct row_reader *r, struct lh_err *err);
/* Read a row, without id and metadata, which the file does not have: 1, 0 after the last, -1. */
int npy_next(struct row_reader *r, struct lh_err *err);

/* Append what comes before the values of so many rows; these are f32, little-endian. */
void npy_write_begin(uint64_t rows, uint32_t dimension, struct lh_buf *out);

#endif
