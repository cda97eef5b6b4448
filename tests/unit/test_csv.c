/* CSV is read the same in pieces of any size, as a plain state machine reads it. */
#include "check.h"
#include "csv/csv.h"

struct pieces {
	const char *p;
	size_t n, at, piece;	/* piece: bytes a read; 0: any number, by seed */
	uint64_t seed;
	struct lh_buf long_rows;
};

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static ssize_t read_piece(void *ctx, void *p, size_t n, struct lh_err *err)
{
	struct pieces *s = ctx;
	size_t some = s->piece ? s->piece : 1 + draw(&s->seed) % 100;

	(void)err;
	if (some > n)
		some = n;
	if (some > s->n - s->at)
		some = s->n - s->at;
	memcpy(p, s->p + s->at, some);
	s->at += some;
	return (ssize_t)some;
}

static int keep_long(void *ctx, const char *p, size_t n, struct lh_err *err)
{
	struct pieces *s = ctx;

	lh_buf_add(&s->long_rows, p, n);
	return lh_buf_check(&s->long_rows, err);
}

/* Append every row as text: line, then its cells in <>, or ! and why not. */
static void read_all(const char *p, size_t n, size_t piece, uint64_t max_row, struct lh_buf *to)
{
	struct pieces s = { p, n, 0, piece, 7, { 0 } };
	struct lh_csv c = { .delimiter = ',', .max_row = max_row, .max_cells = 1000,
			    .read = read_piece, .long_row = keep_long, .ctx = &s };
	struct lh_buf scratch = { 0 };
	struct lh_err err;
	size_t i;
	int rc;

	while ((rc = lh_csv_next(&c, &err)) != 0) {
		lh_buf_printf(to, "%d:", (int)lh_csv_line(&c));
		check(rc > 0 || err.code == LH_EDATA);
		for (i = 0; rc > 0 && i < c.cells; i++) {
			struct lh_str t = lh_csv_raw(&c, i);

			if (c.cell[i].n & LH_CSV_DOUBLED)
				t = lh_csv_undouble(t, &scratch);
			lh_buf_putc(to, '<');
			lh_buf_add(to, t.p, t.n);
			lh_buf_putc(to, '>');
		}
		if (rc < 0)
			lh_buf_printf(to, "!%s", err.msg);
		lh_buf_putc(to, '\n');
	}
	if (s.long_rows.len) {
		lh_buf_puts(to, "long:");
		lh_buf_add(to, s.long_rows.p, s.long_rows.len);
	}
	lh_buf_free(&s.long_rows);
	lh_buf_free(&scratch);
	lh_csv_free(&c);
}

/* Append a cell at p[i..n), without its quotes; return the offset of what ends it. */
static size_t plain_cell(const char *p, size_t n, size_t i, struct lh_buf *to, bool *open,
			 bool *bad)
{
	*open = i < n && p[i] == '"';
	if (*open) {
		for (i++; i < n && *open; i++) {
			*open = p[i] != '"' || (i + 1 < n && p[i + 1] == '"');
			if (*open)
				lh_buf_putc(to, p[i]);
			if (*open && p[i] == '"')
				i++;
		}
		*bad = i < n && p[i] != ',' && p[i] != '\n' && p[i] != '\r';
	}
	for (; i < n && p[i] != ',' && p[i] != '\n' && p[i] != '\r'; i++)
		lh_buf_putc(to, p[i]);
	return i;
}

/* Do the same as read_all, a byte at a time, for rows without a limit. */
static void read_plainly(const char *p, size_t n, struct lh_buf *to)
{
	size_t i = 0, first, line = 1, cell, bad_cell, at, end;
	bool open, bad;

	while (i < n) {
		lh_buf_printf(to, "%zu:", line);
		at = to->len;
		first = i;
		bad_cell = 0;
		for (cell = 1; ; cell++) {
			bad = false;
			lh_buf_putc(to, '<');
			i = plain_cell(p, n, i, to, &open, &bad);
			lh_buf_putc(to, '>');
			if (bad && !bad_cell)
				bad_cell = cell;
			if (i == n || p[i++] != ',')
				break;
		}
		if (open || bad_cell)
			to->len = at;
		if (open)
			lh_buf_printf(to, "!the quote of cell %zu is not closed", cell);
		else if (bad_cell)
			lh_buf_printf(to, "!text after the closing quote of cell %zu", bad_cell);
		lh_buf_putc(to, '\n');
		end = i - (p[i - 1] == '\n' || p[i - 1] == '\r');
		i += i < n && p[i - 1] == '\r' && p[i] == '\n';
		if (end == first)
			to->len = at - (size_t)snprintf(NULL, 0, "%zu:", line);
		for (; first < i; first++)
			line += p[first] == '\n' ? !first || p[first - 1] != '\r' :
						   p[first] == '\r';
	}
}

static void expect(const char *csv, size_t n, uint64_t max_row, const char *want)
{
	static const size_t piece[] = { 1, 2, 3, 7, 1000 };
	struct lh_buf got = { 0 };
	size_t i;

	for (i = 0; i < sizeof piece / sizeof piece[0]; i++) {
		lh_buf_reset(&got);
		read_all(csv, n, piece[i], max_row, &got);
		lh_buf_putc(&got, '\0');
		check_why(strcmp(got.p, want) == 0, got.p);
	}
	lh_buf_free(&got);
}

#define EXPECT(csv, want) expect(csv, sizeof csv - 1, 1 << 20, want)

static void rows_are_as_in_rfc_4180(void)
{
	EXPECT("a,b\n1,\n", "1:<a><b>\n2:<1><>\n");
	EXPECT("a,b\r\n\"1\",\"\"\r\n,", "1:<a><b>\n2:<1><>\n3:<><>\n");
	EXPECT("\xef\xbb\xbf\"a\nb\",c\r\n\n\r\nd\"d,\"e\"\"\"", "1:<a\nb><c>\n5:<d\"d><e\">\n");
	EXPECT("\"a\"b,c\nd\r", "1:!text after the closing quote of cell 1\n2:<d>\n");
	EXPECT("a\n\"b\n\nc\n", "1:<a>\n2:!the quote of cell 1 is not closed\n");
	EXPECT("\"a\"", "1:<a>\n");
	EXPECT("\"a\"\r", "1:<a>\n");
	EXPECT("\"a\"\r,", "1:<a>\n2:<><>\n");
	EXPECT("\"a\rb\"c,d\re", "1:!text after the closing quote of cell 1\n3:<e>\n");
	EXPECT("a\rb,\r\n\rc\r\r\nd", "1:<a>\n2:<b><>\n4:<c>\n6:<d>\n");
	EXPECT("a,b\n\f\n1,\x1a\n\x1a\r\n2,3\x1a", "1:<a><b>\n3:<1><\x1a>\n5:<2><3>\n");
	EXPECT("a\n\x1a", "1:<a>\n");
	EXPECT("\x1a", "");
	EXPECT("", "");
	EXPECT("\n\r\n\r", "");
	EXPECT("\xef\xbb\xbf", "");
	EXPECT("\xff\n\xc3\xa9\nb\xc3\nc",
	       "1:!invalid UTF-8\n2:<\xc3\xa9>\n3:!invalid UTF-8, looks like Latin-1 "
	       "(iconv -f WINDOWS-1252 -t UTF-8 converts it)\n4:<c>\n");
}

static void a_long_row_is_passed_on_and_the_next_one_read(void)
{
	expect("a,b\n12345678,\"\n\"\nc\n", 18, 4,
	       "1:<a><b>\n2:!row is longer than 4 bytes (--max-line)\n4:<c>\nlong:12345678,\"\n\"");
	expect("abcd\n\n", 6, 1,
	       "1:!row is longer than 1 bytes (--max-line)\nlong:abcd");
	expect("a\rbcdefg\rh\r\nijklmno\r\np\r", 22, 4,
	       "1:<a>\n2:!row is longer than 4 bytes (--max-line)\n3:<h>\n"
	       "4:!row is longer than 4 bytes (--max-line)\n5:<p>\nlong:bcdefgijklmno\r");
	expect("\"abcde", 6, 4,
	       "1:!row is longer than 4 bytes (--max-line)\nlong:\"abcde");
}

static void a_row_of_any_length_is_read_once(void)
{
	struct lh_buf csv = { 0 }, got = { 0 };
	size_t i, n = 3 << 20;

	lh_buf_puts(&csv, "x\n\"");
	for (i = 0; i < n; i++)
		lh_buf_putc(&csv, i % 70 ? 'a' : '\n');
	lh_buf_puts(&csv, "\",y\nz");
	read_all(csv.p, csv.len, 1000, 8 << 20, &got);
	check(got.len > n + 13 && !memcmp(got.p + got.len - 14, "<y>\n44942:<z>\n", 14));
	check(!memcmp(got.p, "1:<x>\n2:<\na", 11));
	lh_buf_reset(&got);
	read_all(csv.p, csv.len, 1000, 1 << 20, &got);
	check(got.len > n && strstr(got.p, "2:!row is longer than 1048576 bytes (--max-line)\n"));
	lh_buf_free(&csv);
	lh_buf_free(&got);
}

static void random_rows_are_as_a_plain_reader_reads_them(void)
{
	static const char of[] = "\"\"\",,\n\n\ra b\0c";
	struct lh_buf csv = { 0 }, got = { 0 }, want = { 0 };
	uint64_t seed = 1;
	size_t i, n, k;

	for (i = 0; i < 30000; i++) {
		lh_buf_reset(&csv);
		lh_buf_reset(&got);
		lh_buf_reset(&want);
		n = draw(&seed) % (i % 100 ? 30 : 400);
		k = i % 3 ? sizeof of : 8;
		while (csv.len < n)
			lh_buf_putc(&csv, i % 2 && draw(&seed) % 4 ? 'x' : of[draw(&seed) % k]);
		if (csv.len >= 2 && !csv.p[0] != !csv.p[1])
			csv.p[1] = csv.p[0];	/* else it is UTF-16, perhaps */
		read_all(csv.p, csv.len, i % 2, 1 << 20, &got);
		read_plainly(csv.p, csv.len, &want);
		check(got.len == want.len && (!got.len || !memcmp(got.p, want.p, got.len)));
	}
	lh_buf_free(&csv);
	lh_buf_free(&got);
	lh_buf_free(&want);
}

static void utf_16_is_refused_by_name(void)
{
	struct pieces s = { "\xff\xfe" "a\0\n\0", 6, 0, 1, 0, { 0 } };
	struct lh_csv c = { .delimiter = ',', .max_row = 100, .max_cells = 10,
			    .read = read_piece, .ctx = &s };
	struct lh_err err;

	check(lh_csv_next(&c, &err) == -1 && err.code == LH_EIO);
	check_why(strstr(err.msg, "UTF-16LE"), err.msg);
	check(lh_csv_next(&c, &err) == -1 && err.code == LH_EIO);
	lh_csv_free(&c);
}

int main(void)
{
	test(rows_are_as_in_rfc_4180());
	test(a_long_row_is_passed_on_and_the_next_one_read());
	test(a_row_of_any_length_is_read_once());
	test(random_rows_are_as_a_plain_reader_reads_them());
	test(utf_16_is_refused_by_name());
	return 0;
}
