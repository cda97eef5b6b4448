/* lh_line, lh_rows: which lines are tombstones, and that rows are counted around them. */

#include "check.h"
#include "file/rows.h"

#define ID "er-5f0c1d3a9b7e2468"
#define AT "2026-05-03T12:00:00.000Z"
#define STONE "{\"erased\":\"" ID "\",\"at\":\"" AT "\"}"

static struct lh_err err;

static bool erased(const char *line)
{
	return lh_line_erased(line, strlen(line), NULL);
}

static void what_is_written_is_one(void)
{
	struct lh_buf b = { .len = 0 };
	struct lh_str id;

	lh_tombstone(&b, lh_str_of(ID), AT);
	check(b.len == strlen(STONE) && b.len <= LH_TOMBSTONE && !memcmp(b.p, STONE, b.len));
	check(lh_line_erased(b.p, b.len, &id) && lh_str_is(id, ID, strlen(ID)));
	check(erased(STONE "\r"));
	lh_buf_free(&b);
}

static void other_bytes_are_a_row(void)
{
	static const char *const row[] = {
		"", "{}", "{\"erased\":\"" ID "\"}", " " STONE, STONE " ", STONE "\r\r",
		"{\"erased\":\"\",\"at\":\"" AT "\"}", "{\"erased\":\"E\",\"at\":\"" AT "\"}",
		"{\"erased\":\"a_b\",\"at\":\"" AT "\"}",
		"{\"erased\": \"" ID "\",\"at\":\"" AT "\"}",
		"{\"erased\":\"" ID "\",\"at\":\"2026-05-03T12:00:00Z\"}",
		"{\"erased\":\"" ID "\",\"at\":\"2026-13-03T12:00:00.000Z\"}",
		"{\"erased\":\"" ID "\",\"at\":\"2026-05-03T12:00:00+00:0\"}",
		"{\"erased\":\"" ID "\",\"at\":\"" AT "\",\"id\":1}",
		"{\"at\":\"" AT "\",\"erased\":\"" ID "\"}",
	};
	char line[] = STONE, longest[256] = "{\"erased\":\"";
	size_t i;

	for (i = 0; i < sizeof row / sizeof *row; i++)
		check_why(!erased(row[i]), row[i]);
	for (i = 0; i < strlen(STONE); i++)
		check(!lh_line_erased(STONE, i, NULL));
	for (i = 0; i < strlen(STONE); i++) {	/* no byte of it may be 0xff */
		line[i] = '\xff';
		check(!erased(line));
		line[i] = STONE[i];
	}
	memset(longest + 11, 'a', LH_ERASURE_ID);
	strcpy(longest + 11 + LH_ERASURE_ID, "\",\"at\":\"" AT "\"}");
	check(erased(longest));
	memmove(longest + 12, longest + 11, strlen(longest + 11) + 1);
	check(!erased(longest));
}

static void a_reader_of_rows_passes_over_them(void)
{
	struct lh_rows *r = lh_rows_new();
	struct lh_file_row row;

	check_put("rows", "{}\n" STONE "\n \n" STONE "\r\n{\"a\":1}\n" STONE);
	check(r && lh_rows_open(r, "rows", &err) == 1);
	check(lh_rows_next(r, &row, &err) == 1 && row.line == 1 && row.n == 2);
	check(lh_rows_next(r, &row, &err) == 1 && row.line == 5 && row.n == 7);
	check(lh_rows_next(r, &row, &err) == 0);
	lh_rows_free(r);
}

int main(void)
{
	check_folder();
	test(what_is_written_is_one());
	test(other_bytes_are_a_row());
	test(a_reader_of_rows_passes_over_them());
	return 0;
}
