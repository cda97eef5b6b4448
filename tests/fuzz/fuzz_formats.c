/*
 * fuzz_formats - hostile files of lh-index build --from npy: reading them ends with an error or
 * with rows within the limits, the same in pieces of any size; and a row that is written is read
 * as the same row.  The first byte of the input is the size of the pieces.
 */
#include "fuzz.h"

#include "../../tools/lh-index/npy.c"

static uint64_t sum_of(uint64_t sum, const void *p, size_t n)
{
	const unsigned char *at = p;

	for (; n; n--)
		sum = sum * 1099511628211u + *at++;
	return sum;
}

static struct row_reader reader(struct feed *f)
{
	return (struct row_reader){ .read = feed_read, .ctx = f };
}

/* Write a row that was read, and read it again. */
static void there_and_back(const struct row_reader *row)
{
	struct lh_buf out = { 0 };
	struct row_reader r;
	struct lh_err err;
	struct feed f;

	npy_write_begin(1, row->dimension, &out);
	lh_buf_add(&out, row->vector.p, 4 * row->dimension);
	f = (struct feed){ (uint8_t *)out.p, (uint8_t *)out.p + out.len, 3 };
	r = reader(&f);
	never(npy_begin(&r, &err) < 0 || npy_next(&r, &err) != 1 || r.dimension != row->dimension ||
	      memcmp(r.vector.p, row->vector.p, 4 * row->dimension) || npy_next(&r, &err) != 0);
	row_reader_free(&r);
	lh_buf_free(&out);
}

/* Read all rows, and return what they come to. */
static uint64_t read_all(struct feed f, bool write)
{
	struct row_reader r = reader(&f);
	struct lh_err err;
	uint64_t sum = 14695981039346656037u;
	int more = npy_begin(&r, &err) < 0 ? -1 : 1;

	while (more > 0 && (more = npy_next(&r, &err)) > 0) {
		never(!r.dimension || r.dimension > LH_DIM_MAX);
		sum = sum_of(sum, r.vector.p, 4 * r.dimension);
		if (write)
			there_and_back(&r);
	}
	row_reader_free(&r);
	return more < 0 ? sum_of(sum, err.msg, strlen(err.msg)) : sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct feed whole = { data + 1, data + n, n }, pieces;

	if (n < 1)
		return 0;
	pieces = whole;
	pieces.most = 1 + data[0];
	never(read_all(whole, true) != read_all(pieces, false));
	return 0;
}
