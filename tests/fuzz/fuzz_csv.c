/*
 * fuzz_csv - for any bytes, sizes of reads and limits, CSV is read the same in pieces as at
 * once; cells are within their row, and what fits a type is JSON of that type.
 *
 * Input: the delimiter (a comma: what the first row tells), the limit of a row, the largest
 * read; then the text.
 */
#include "fuzz.h"

#include "csv/csv_table.h"
#include "csv/csv.h"

struct text {
	struct feed feed;	/* first: feed_read gets the whole struct */
	struct lh_buf long_rows;
};

static int take_long(void *ctx, const char *p, size_t n, struct lh_err *err)
{
	struct text *t = ctx;

	lh_buf_add(&t->long_rows, p, n);
	return lh_buf_check(&t->long_rows, err);
}

/* Check that a cell that fits is JSON, and of UTF-8. */
static void check_cell(struct lh_str cell, struct lh_record *scan)
{
	static struct lh_buf json;
	enum lh_column_type type;
	struct lh_value v;
	struct lh_err err;

	for (type = LH_COLUMN_STRING; type <= LH_COLUMN_BOOL; type++) {
		lh_buf_reset(&json);
		never(lh_column_put(&json, type, cell) != lh_column_fits(type, cell));
		if (!json.len)
			continue;
		never(lh_json_parse(scan, json.p, json.len, &v, &err) < 0 || v.n != json.len);
		never(type == LH_COLUMN_INT64 && !lh_value_i64(&v, &(int64_t){ 0 }));
		never(type == LH_COLUMN_STRING && v.type != LH_STRING);
	}
}

/* Append all that is read. */
static void read_all(struct feed feed, char delimiter, uint64_t max_row, struct lh_buf *out)
{
	struct text t = { .feed = feed };
	struct lh_buf scratch = { 0 };
	struct lh_csv c = { .delimiter = delimiter == ',' ? 0 : delimiter, .guess = true,
			    .max_row = max_row, .max_cells = 20,
			    .read = feed_read, .long_row = take_long, .ctx = &t };
	struct lh_record scan;
	struct lh_err err = { 0 };
	size_t i;
	int rc;

	lh_record_init(&scan);
	while ((rc = lh_csv_next(&c, &err)) != 0) {
		if (rc < 0 && err.code != LH_EDATA)
			break;
		lh_buf_printf(out, "%d %llu %zu:", rc, (unsigned long long)lh_csv_line(&c),
			      c.cells);
		lh_buf_add(out, c.row, c.n);
		for (i = 0; rc > 0 && i < c.cells && i < 20; i++) {
			struct lh_str s = lh_csv_raw(&c, i);

			never(s.p < c.row || s.p + s.n > c.row + c.n);
			if (c.cell[i].n & LH_CSV_DOUBLED)
				s = lh_csv_undouble(s, &scratch);
			check_cell(s, &scan);
			lh_buf_putc(out, '|');
			lh_buf_add(out, s.p, s.n);
		}
		lh_buf_puts(out, rc < 0 ? err.msg : "\n");
	}
	if (rc < 0)
		lh_buf_puts(out, err.msg);
	lh_buf_add(out, t.long_rows.p, t.long_rows.len);
	lh_record_free(&scan);
	lh_buf_free(&t.long_rows);
	lh_buf_free(&scratch);
	lh_csv_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lh_buf once = { 0 }, pieces = { 0 };
	uint64_t max_row;

	if (size < 3 || data[0] == '"' || data[0] == '\n' || data[0] == '\r' || data[0] > 127)
		return 0;
	max_row = data[1] ? data[1] : 1 << 20;
	read_all((struct feed){ data + 3, data + size, SIZE_MAX }, (char)data[0], max_row,
		 &once);
	read_all((struct feed){ data + 3, data + size, data[2] + 1u }, (char)data[0],
		 max_row, &pieces);
	if (once.failed || pieces.failed)
		goto end;
	never(once.len != pieces.len || (once.len && memcmp(once.p, pieces.p, once.len)));
end:
	lh_buf_free(&once);
	lh_buf_free(&pieces);
	return 0;
}
