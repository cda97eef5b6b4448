/*
 * fvecs.c - rows as .fvecs has them, the format of the data sets SIFT and GIST: for each
 * vector i32 dimension and so many f32, little-endian.  See formats.h.
 */
#include "formats.h"

#include <endian.h>
#include <inttypes.h>

static int begin(struct row_reader *r, struct lh_err *err)
{
	(void)r;
	(void)err;
	return 0;
}

static int read_row(struct row_reader *r, struct lh_err *err)
{
	uint32_t dimension;
	const char *p;
	int rc = bytes_next(&r->in, sizeof dimension, &p, err);

	if (rc <= 0)
		return rc;
	memcpy(&dimension, p, sizeof dimension);
	dimension = le32toh(dimension);
	if (!dimension || dimension > LH_DIM_MAX)
		return bytes_wrong(&r->in, err, "a vector of dimension %" PRId32 ": from 1 to %d",
				   (int32_t)dimension, LH_DIM_MAX);
	if (r->dimension && dimension != r->dimension)
		return bytes_wrong(&r->in, err, "a vector of dimension %" PRIu32 ", expected %"
				   PRIu32, dimension, r->dimension);
	r->dimension = dimension;
	if (bytes_need(&r->in, 4 * (size_t)dimension, &p, err) < 0)
		return -1;
	lh_buf_reset(&r->vector);
	lh_buf_add(&r->vector, p, 4 * (size_t)dimension);
	return lh_buf_check(&r->vector, err) < 0 ? -1 : 1;
}

static int next(struct row_reader *r, struct format_row *row, struct lh_err *err)
{
	int rc = read_row(r, err);

	if (rc < 0)
		return lh_err_prefix(err, "vector %llu", (unsigned long long)r->rows + 1);
	if (!rc)
		return 0;
	r->rows++;
	*row = (struct format_row){ .vector = (const float *)(const void *)r->vector.p,
				    .n = r->dimension };
	return 1;
}

const struct format_reader fvecs_reader = { begin, next };

static int write_begin(const struct row_writing *w, struct lh_buf *out, struct lh_err *err)
{
	(void)w;
	(void)out;
	(void)err;
	return 0;
}

static int write_row(const struct row_writing *w, const struct format_row *row,
		     struct lh_buf *out, struct lh_err *err)
{
	uint32_t dimension = htole32(w->dimension);

	lh_buf_add(out, &dimension, sizeof dimension);
	lh_buf_add(out, row->vector, 4 * row->n);
	return lh_buf_check(out, err);
}

const struct format_writer fvecs_writer = { write_begin, write_row, NULL };
