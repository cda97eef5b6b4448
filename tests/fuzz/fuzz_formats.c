/*
 * fuzz_formats - hostile files of lh-index build --from: reading them ends with an error or
 * with rows within the limits, the same in pieces of any size; and a row that is written is
 * read as the same row.  The first byte of the input is the format, the second the type of ids
 * and the size of the pieces.
 */
#include <stdlib.h>

/* Each file has static functions of the same names. */
#include "../../tools/lh-index/formats.c"
#define begin pgcopy_begin
#define next pgcopy_next
#define write_begin pgcopy_write_begin
#define write_row pgcopy_write_row
#include "../../tools/lh-index/pgcopy.c"
#undef begin
#undef next
#undef write_begin
#undef write_row
#define begin npy_begin
#define next npy_next
#define write_begin npy_write_begin
#define write_row npy_write_row
#include "../../tools/lh-index/npy.c"
#undef begin
#undef next
#undef write_begin
#undef write_row
#include "../../tools/lh-index/fvecs.c"
#include "feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t sum_of(uint64_t sum, const void *p, size_t n)
{
	const unsigned char *at = p;

	for (; n; n--)
		sum = sum * 1099511628211u + *at++;
	return sum;
}

static struct row_reader reader(struct feed *f, enum id_type id_type)
{
	return (struct row_reader){
		.in = { .read = feed_read, .ctx = f }, .id_type = id_type, .meta_max = 1 << 16,
	};
}

/* Write a row that was read, and read it again. */
static void there_and_back(enum format format, enum id_type id_type, const struct format_row *row)
{
	struct row_writing w = { .dimension = (uint32_t)row->n, .rows = 1, .id_type = id_type };
	const struct format_writer *to = format_writer(format);
	const struct format_reader *from = format_reader(format);
	struct lh_buf out = { 0 };
	struct format_row again;
	struct row_reader r;
	struct lh_err err;
	struct feed f;

	if (to->begin(&w, &out, &err) < 0)
		abort();
	if (to->row(&w, row, &out, &err) == 0) {
		if (to->end)
			to->end(&out);
		f = (struct feed){ (uint8_t *)out.p, (uint8_t *)out.p + out.len, 3 };
		r = reader(&f, id_type);
		if (from->begin(&r, &err) < 0 || from->next(&r, &again, &err) != 1 ||
		    again.n != row->n || memcmp(again.vector, row->vector, 4 * row->n) ||
		    again.id.n != row->id.n || again.meta.n != row->meta.n ||
		    (row->id.n && memcmp(again.id.p, row->id.p, row->id.n)) ||
		    (row->meta.n && memcmp(again.meta.p, row->meta.p, row->meta.n)) ||
		    from->next(&r, &again, &err) != 0)
			abort();
		row_reader_free(&r);
	}
	lh_buf_free(&out);
}

/* Read all rows, and return what they come to. */
static uint64_t read_all(enum format format, enum id_type id_type, struct feed f, bool write)
{
	const struct format_reader *from = format_reader(format);
	struct row_reader r = reader(&f, id_type);
	struct format_row row = { .n = 0 };
	struct lh_err err;
	uint64_t sum = 14695981039346656037u;
	int more = from->begin(&r, &err) < 0 ? -1 : 1;

	while (more > 0 && (more = from->next(&r, &row, &err)) > 0) {
		if (!row.n || row.n > LH_DIM_MAX || row.id.n > LH_ID_MAX || row.meta.n > 1 << 16)
			abort();
		sum = sum_of(sum, row.vector, 4 * row.n);
		sum = sum_of(sum, row.id.p, row.id.n);
		sum = sum_of(sum, row.meta.p, row.meta.n);
		if (write)
			there_and_back(format, id_type, &row);
	}
	row_reader_free(&r);
	return more < 0 ? sum_of(sum, err.msg, strlen(err.msg)) : sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct feed whole = { data + 2, data + n, n }, pieces;
	enum format format;
	enum id_type id_type;

	if (n < 2)
		return 0;
	format = FORMAT_PGCOPY + data[0] % 3;
	id_type = data[1] % 3;
	pieces = whole;
	pieces.most = 1 + data[1] / 3;
	if (read_all(format, id_type, whole, true) != read_all(format, id_type, pieces, false))
		abort();
	return 0;
}
