/*
 * formats - rows of vectors in the files of other programs: PostgreSQL's COPY binary with the
 * types of pgvector, NumPy's .npy, and .fvecs.
 *
 * A format is a pair of tables of functions, one to read and one to write.  Both work on a
 * stream: a reader takes bytes from a function, a writer appends them to a buffer.
 *
 *     r = (struct row_reader){ .in = { .read = feed, .ctx = &file } };
 *     rc = format->begin(&r, err);
 *     while (!rc && (more = format->next(&r, &row, err)) > 0)
 *             ...
 *     row_reader_free(&r);
 *
 * Trust:   a file may be cut or contradict itself.  Its sizes are checked against limits, and
 *          memory is taken only for bytes that have come.
 * Owner:   what a row points to is the reader's until the next call.
 * Errors:  0, or -1 with *err: LH_ECORRUPT with "byte N: reason" for a wrong file.
 */
#ifndef FORMATS_H
#define FORMATS_H

#include <sys/types.h>

#include <lh/buf.h>
#include <lh/distance.h>
#include <lh/index.h>
#include <lh/str.h>

enum format { FORMAT_JSONL, FORMAT_PGCOPY, FORMAT_NPY, FORMAT_FVECS };
#define FORMATS "jsonl|pgcopy|npy|fvecs"

enum id_type { ID_TEXT, ID_INT4, ID_INT8 };
#define ID_TYPES "text|int4|int8"

#define PGCOPY_DIMENSION_MAX 16000	/* of pgvector */

struct format_row {
	struct lh_str id;	/* p NULL: the format has none */
	struct lh_str meta;	/* JSON, not checked; n 0: none */
	const float *vector;
	size_t n;		/* its values */
};

/* ---- reading ---- */

/* Bytes from a function, with their offset. */
struct byte_input {
	/* Read up to n bytes: their number, 0 at the end, -1. */
	ssize_t (*read)(void *ctx, void *to, size_t n, struct lh_err *err);
	void *ctx;
	struct lh_buf buf;	/* read, and used up to `at` */
	size_t at;
	uint64_t offset;	/* of the byte at `at` */
};

/* Set *p to the next n bytes, which count as used, and stay there until the next call: 1; 0
 * at the end of the input; -1, also where it ends between them. */
int bytes_next(struct byte_input *in, size_t n, const char **p, struct lh_err *err);
/* Do the same where the end is an error: 0, or -1. */
int bytes_need(struct byte_input *in, size_t n, const char **p, struct lh_err *err);
int bytes_skip(struct byte_input *in, uint64_t n, struct lh_err *err);
/* Check that the input has ended. */
int bytes_end(struct byte_input *in, struct lh_err *err);
/* Report a wrong file at the byte that follows what was used. */
int bytes_wrong(const struct byte_input *in, struct lh_err *err, const char *fmt, ...)
	LH_PRINTF(3, 4);

struct row_reader {
	struct byte_input in;
	enum id_type id_type;	/* of pgcopy */
	uint64_t meta_max;	/* bytes of metadata */
	uint64_t rows;		/* read so far */
	int fields;		/* of each row of pgcopy */

	struct lh_buf id, meta, vector;
	uint32_t dimension;	/* of npy and fvecs; 0: not known */
	uint64_t left;		/* rows of npy */
	unsigned width;		/* bytes of a value of npy */
	bool big_endian;
};
void row_reader_free(struct row_reader *r);

struct format_reader {
	int (*begin)(struct row_reader *r, struct lh_err *err);
	/* Read a row: 1, 0 after the last one, -1. */
	int (*next)(struct row_reader *r, struct format_row *row, struct lh_err *err);
};
extern const struct format_reader pgcopy_reader, npy_reader, fvecs_reader;

/* Return the reader of a format; NULL for FORMAT_JSONL. */
const struct format_reader *format_reader(enum format format);

/* ---- writing ---- */

struct row_writing {
	uint32_t dimension;
	uint64_t rows;		/* that will be written */
	bool half;		/* of pgcopy: f16 */
	enum id_type id_type;	/* of pgcopy */
};

struct format_writer {
	int (*begin)(const struct row_writing *w, struct lh_buf *out, struct lh_err *err);
	/* Append a row, whose values are finite and whose metadata is JSON. */
	int (*row)(const struct row_writing *w, const struct format_row *row, struct lh_buf *out,
		   struct lh_err *err);
	void (*end)(struct lh_buf *out);	/* or NULL */
};
extern const struct format_writer pgcopy_writer, npy_writer, fvecs_writer;
const struct format_writer *format_writer(enum format format);

#endif
