/*
 * csv_table.c - files of CSV as a table: its columns, with types, and its rows.  See csv_table.h.
 */
#include "csv_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "base/num.h"
#include "archive/archive.h"
#include "base/mem.h"
#include "base/table.h"

/* ---- columns ---- */

static const char *const names[] = {
	[LH_COLUMN_STRING] = "string", [LH_COLUMN_INT64] = "int64",
	[LH_COLUMN_FLOAT64] = "float64", [LH_COLUMN_BOOL] = "bool",
};

const char *lh_column_type_name(enum lh_column_type type)
{
	return names[type];
}

int lh_column_type_named(struct lh_str name)
{
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (lh_str_is(name, names[i], strlen(names[i])))
			return (int)i;
	return -1;
}

/* Return the end of the digits at p. */
static const char *digits(const char *p, const char *end)
{
	while (p < end && (unsigned char)(*p - '0') < 10)
		p++;
	return p;
}

/* Return the end of the whole number at p: -?(0|[1-9][0-9]*); NULL if there is none. */
static const char *whole(const char *p, const char *end)
{
	const char *first;

	p += p < end && *p == '-';
	first = p;
	p = digits(p, end);
	return p == first || (*first == '0' && p - first > 1) ? NULL : p;
}

/* Return whether a whole number is within int64. */
static bool in_int64(struct lh_str s)
{
	bool negative = *s.p == '-';
	size_t n = s.n - negative;

	if (n != 19)
		return n < 19;
	return memcmp(s.p + negative, negative ? "9223372036854775808" : "9223372036854775807",
		      19) <= 0;
}

static bool is_int64(struct lh_str s)
{
	return whole(s.p, s.p + s.n) == s.p + s.n && in_int64(s);
}

/* Return whether a number with a point or an exponent is finite as a double. */
static bool is_finite(struct lh_str s, bool exponent)
{
	const char *next;

	return (!exponent && s.n < 300) || isfinite(lh_f64_read(s.p, s.p + s.n, &next));
}

/* Return whether a cell is written as a number; whether it has an exact order is another question:
 * a whole one has one within int64, another one if it is finite as a double. */
static bool is_number(struct lh_str s, bool *is_exact)
{
	const char *end = s.p + s.n, *p = whole(s.p, end), *first;
	bool exponent = false;

	*is_exact = p == end && in_int64(s);
	if (!p || p == end)
		return p;
	if (*p == '.') {
		first = ++p;
		p = digits(p, end);
		if (p == first)
			return false;
	}
	if (p < end && (*p | 0x20) == 'e') {
		exponent = true;
		p++;
		p += p < end && (*p == '+' || *p == '-');
		first = p;
		p = digits(p, end);
		if (p == first)
			return false;
	}
	*is_exact = p == end && is_finite(s, exponent);
	return p == end;
}

static bool is_float64(struct lh_str s)
{
	bool is_exact;

	return is_number(s, &is_exact) && is_exact;
}

bool lh_column_is_beyond(const struct lh_column *c, struct lh_str cell)
{
	bool is_exact;

	return c->beyond && is_number(cell, &is_exact) && !is_exact;
}

static bool is_word(struct lh_str s, const char *word)
{
	size_t i;

	for (i = 0; i < s.n && word[i] && (s.p[i] | 0x20) == word[i]; i++)
		;
	return i == s.n && !word[i];
}

static bool is_bool(struct lh_str s)
{
	return is_word(s, "true") || is_word(s, "false");
}

bool lh_column_fits(enum lh_column_type type, struct lh_str s)
{
	switch (type) {
	case LH_COLUMN_INT64:
		return is_int64(s);
	case LH_COLUMN_FLOAT64:
		return is_float64(s);
	case LH_COLUMN_BOOL:
		return is_bool(s);
	default:
		return true;
	}
}

/* Return whether a cell is digits, E, digits: 12E4 is a code more often than 120000. */
static bool is_code(struct lh_str s)
{
	const char *end = s.p + s.n, *e = digits(s.p, end);

	return e > s.p && end - e > 1 && (*e | 0x20) == 'e' && digits(e + 1, end) == end;
}

void lh_column_see(struct lh_column *c, struct lh_str cell)
{
	bool is_exact;
	unsigned type;

	if (!cell.p) {
		c->nullable = true;
		return;
	}
	c->seen = true;
	if (is_code(cell) || !is_number(cell, &is_exact))
		c->has_text = true;
	else if (!is_exact)
		c->beyond = true;
	if (is_code(cell))
		c->never |= 1u << LH_COLUMN_FLOAT64;
	for (type = LH_COLUMN_INT64; type <= LH_COLUMN_BOOL; type++)
		if (!(c->never >> type & 1) && !lh_column_fits(type, cell))
			c->never |= 1u << type;
}

void lh_column_decide(struct lh_column *c)
{
	unsigned type = LH_COLUMN_INT64;

	c->beyond &= !c->has_text && !c->given;
	if (c->given)
		return;
	while (type <= LH_COLUMN_BOOL && c->never >> type & 1)
		type++;
	c->type = c->seen && type <= LH_COLUMN_BOOL ? type : LH_COLUMN_STRING;
}

bool lh_column_put(struct lh_buf *out, enum lh_column_type type, struct lh_str s)
{
	if (type == LH_COLUMN_STRING) {
		lh_buf_json(out, s.p, s.n);
		return true;
	}
	if (!lh_column_fits(type, s))
		return false;
	if (type == LH_COLUMN_BOOL)
		lh_buf_puts(out, s.n == 4 ? "true" : "false");
	else
		lh_buf_add(out, s.p, s.n);
	return true;
}

void lh_columns_fingerprint(const struct lh_column *c, size_t n, char hex[65])
{
	unsigned char sum[32];
	struct lh_sha256 s;
	size_t i;

	lh_sha256_start(&s);
	for (i = 0; i < n; i++) {
		lh_sha256_more(&s, c[i].name.p, c[i].name.n);
		lh_sha256_more(&s, "\x1f", 1);
		lh_sha256_more(&s, names[c[i].type], strlen(names[c[i].type]));
		lh_sha256_more(&s, "\x1e", 1);
	}
	lh_sha256_end(&s, sum);
	lh_hex(sum, sizeof sum, hex);
	hex[64] = '\0';
}

/* ---- files ---- */

#define MAX_ROW ((uint64_t)256 << 20)
#define MAX_COLUMNS 65536

struct lh_csv_table {
	struct lh_csv_table_how how;
	struct lh_str null_text;
	struct lh_csv csv;
	struct lh_byte_source *source;	/* a file each; all zero until it is opened */
	size_t at;			/* the file that is read */
	bool entered;			/* a member of it is read, after its header */
	bool sampling;
	struct lh_column *column;
	size_t n;
	struct lh_buf names;		/* the columns' names follow each other here */
	struct lh_buf header;		/* the first one, as it is in the file */
	struct lh_buf scratch;		/* a cell without its doubled quotes */
	char note[300];			/* or "" */
};

static ssize_t read_source(void *ctx, void *p, size_t n, struct lh_err *err)
{
	struct lh_csv_table *t = ctx;

	return lh_byte_source_read(&t->source[t->at], p, n, err);
}

static int pass_long_row(void *ctx, const char *p, size_t n, struct lh_err *err)
{
	struct lh_csv_table *t = ctx;

	return t->how.long_row && !t->sampling ? t->how.long_row(t->how.ctx, p, n, err) : 0;
}

static struct lh_str cell_text(struct lh_csv_table *t, size_t i)
{
	struct lh_str s = lh_csv_raw(&t->csv, i);

	return t->csv.cell[i].n & LH_CSV_DOUBLED ? lh_csv_undouble(s, &t->scratch) : s;
}

/* ---- header ---- */

static struct lh_str name_of(const void *table, uint32_t i)
{
	return ((const struct lh_csv_table *)table)->column[i].name;
}

static int allocate_columns(struct lh_csv_table *t, size_t n, struct lh_err *err)
{
	if (n > t->csv.max_cells)
		return lh_err_set(err, LH_EIO, "%zu columns, more than %zu", n, t->csv.max_cells);
	t->column = lh_calloc(n, sizeof *t->column);
	t->n = t->csv.max_cells = n;
	return 0;
}

static int give_types(struct lh_csv_table *t, struct lh_err *err)
{
	return t->how.types ? t->how.types(t->how.ctx, t->column, t->n, err) : 0;
}

/* Find the columns' names among those in t->names, by their lengths. */
static void set_names(struct lh_csv_table *t)
{
	size_t i, at = 0;

	lh_buf_putc(&t->names, '\0');
	for (i = 0; i < t->n; at += t->column[i++].name.n)
		t->column[i].name.p = t->names.p + at;
}

/* Make the columns column1, column2, ... */
static int number_columns(struct lh_csv_table *t, struct lh_err *err)
{
	char name[32];
	size_t i;

	if (allocate_columns(t, t->csv.cells, err) < 0)
		return -1;
	for (i = 0; i < t->n; i++) {
		t->column[i].name.n = (size_t)snprintf(name, sizeof name, "column%zu", i + 1);
		lh_buf_add(&t->names, name, t->column[i].name.n);
	}
	set_names(t);
	return give_types(t, err);
}

static bool is_blank(struct lh_str s)
{
	size_t i = 0;

	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	return i == s.n;
}

/* Return the name of a column in the header just read.  The first alone may have none: numbers of
 * rows, as pandas writes them. */
static struct lh_str header_name(struct lh_csv_table *t, size_t i)
{
	const struct lh_str s = cell_text(t, i);

	return !i && t->csv.cells > 1 && is_blank(s) ? lh_str_of("column1") : s;
}

/* Refuse blank names and those that occur twice. */
static int check_names(const struct lh_csv_table *t, struct lh_err *err)
{
	LH_SCOPED(lh_table_free) struct lh_table seen = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < t->n && !rc; i++) {
		struct lh_str name = t->column[i].name;
		int64_t twin = lh_table_find(&seen, name, name_of, t);

		if (is_blank(name))
			rc = lh_err_set(err, LH_EIO, "column %zu has no name", i + 1);
		else if (twin >= 0)
			rc = lh_err_set(err, LH_EIO, "columns %zu and %zu are both called \"%.*s\"",
					(size_t)twin + 1, i + 1, (int)(name.n < 100 ? name.n : 100),
					name.p);
		else
			lh_table_set(&seen, name, (uint32_t)i, name_of, t);
	}
	return rc;
}

/* Make the columns from the header, which is the row just read. */
static int name_columns(struct lh_csv_table *t, struct lh_err *err)
{
	struct lh_str s;
	size_t i;

	if (allocate_columns(t, t->csv.cells, err) < 0)
		return -1;
	lh_buf_add(&t->header, t->csv.row, t->csv.n);
	for (i = 0; i < t->n; i++) {
		s = header_name(t, i);
		t->column[i].name.n = s.n;
		lh_buf_add(&t->names, s.p, s.n);
	}
	set_names(t);
	return check_names(t, err) < 0 ? -1 : give_types(t, err);
}

static const char *delimiter_name(char delimiter)
{
	return delimiter == ';' ? "semicolons" : delimiter == '|' ? "bars"
	       : delimiter == ',' ? "commas" : "tabs";
}

/* Set what is to be said of the first row, which was just read. */
static void take_note(struct lh_csv_table *t)
{
	const struct lh_csv_first *f = &t->csv.first;
	const char *file = lh_byte_source_name(&t->source[t->at]);

	if (f->guessed)
		snprintf(t->note, sizeof t->note, "%.200s: cells are separated by %s (--delimiter "
			 "of lh-ingest sets another)", file, delimiter_name(f->guessed));
	else if (f->lonely)
		snprintf(t->note, sizeof t->note, "%.200s: the first row is one cell with %s "
			 "(--delimiter of lh-ingest divides at them)", file,
			 delimiter_name(f->other));
	else if (f->in_quotes)
		snprintf(t->note, sizeof t->note, "%.200s: quotes are text in TSV (--quote '\"' of "
			 "lh-ingest reads quoted cells)", file);
}

const char *lh_csv_table_note(const struct lh_csv_table *t)
{
	return t->note[0] ? t->note : NULL;
}

/* Compare the header just read with the first one. */
static int compare_header(struct lh_csv_table *t, struct lh_err *err)
{
	struct lh_str s;
	size_t i;

	for (i = 0; i < t->n && i < t->csv.cells; i++) {
		s = header_name(t, i);
		if (!lh_str_is(s, t->column[i].name.p, t->column[i].name.n))
			return lh_err_set(err, LH_EIO,
					  "column %zu has another name than in the first file",
					  i + 1);
	}
	if (t->n != t->csv.cells)
		return lh_err_set(err, LH_EIO, "%s, but the first file has %zu",
				  LH_N(t->csv.cells, "column"), t->n);
	return 0;
}

static int read_header(struct lh_csv_table *t, struct lh_err *err)
{
	int rc = lh_csv_next(&t->csv, err);

	if (!rc)
		return lh_err_set(err, LH_EIO, "has no header");
	if (rc < 0) {
		if (err->code == LH_EDATA) {
			err->code = LH_EIO;
			lh_err_prefix(err, "header");
		}
		return -1;
	}
	if (t->column)
		return compare_header(t, err);
	take_note(t);
	return name_columns(t, err);
}

/* ---- files ---- */

/* Put the file's name before the reason; a file that is not open yet has its operand's. */
static int fail(const struct lh_csv_table *t, struct lh_err *err)
{
	return lh_err_prefix(err, "%s", lh_csv_table_place(t).file);
}

static int open_source(struct lh_csv_table *t, struct lh_err *err)
{
	struct lh_byte_source *s = &t->source[t->at];

	if (s->file && !(s == t->source && t->how.first))
		return 0;
	t->how.first = NULL;
	s->keep = t->sampling;
	s->waiting = t->how.waiting;
	s->ctx = t->how.ctx;
	s->output = t->how.output;
	return s->file ? 0 : lh_byte_source_open(s, t->how.files[t->at], err);
}

/* Enter the next member of a file, or the next file: 1, 0 at the end, -1. */
static int enter(struct lh_csv_table *t, struct lh_err *err)
{
	int rc = 0;

	while (t->at < t->how.n_files) {
		if (open_source(t, err) < 0)
			return fail(t, err);
		rc = lh_byte_source_next(&t->source[t->at], err);
		if (rc < 0)
			return fail(t, err);
		if (rc)
			break;
		if (!t->sampling)
			lh_byte_source_close(&t->source[t->at]);
		t->at++;
	}
	if (!rc)
		return 0;
	if (t->source[t->at].workbook) {
		lh_err_set(err, LH_EIO, "is a workbook, not a table; save it as CSV in UTF-8");
		return lh_err_prefix(err, "%s", t->how.files[t->at]);
	}
	lh_csv_restart(&t->csv);
	if (!t->how.no_header && read_header(t, err) < 0)
		return fail(t, err);
	t->entered = true;
	return 1;
}

static int too_many_cells(const struct lh_csv_table *t, struct lh_err *err)
{
	const char other = t->csv.first.other;

	lh_err_set(err, LH_EDATA, "%s, but there %s %s%s%s%s", LH_N(t->csv.cells, "cell"),
		   t->n == 1 ? "is" : "are", LH_N(t->n, "column"),
		   other ? " (are they separated by " : "", other ? delimiter_name(other) : "",
		   other ? "? --delimiter of lh-ingest)" : "");
	return -1;
}

int lh_csv_table_next(struct lh_csv_table *t, struct lh_err *err)
{
	int rc;

	do {
		rc = t->entered ? 1 : enter(t, err);
		if (rc <= 0)
			return rc;
		rc = lh_csv_next(&t->csv, err);
		t->entered = rc != 0;
	} while (!rc);
	if (rc < 0)
		return err->code == LH_EDATA ? -1 : fail(t, err);
	if (!t->column) {
		take_note(t);
		if (number_columns(t, err) < 0)
			return fail(t, err);
	}
	return t->csv.cells > t->n ? too_many_cells(t, err) : 1;
}

/* Begin again before the first row; requires that the bytes were kept. */
static int begin_again(struct lh_csv_table *t, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < t->how.n_files; i++)
		if (t->source[i].file && lh_byte_source_rewind(&t->source[i], err) < 0) {
			t->at = i;
			return fail(t, err);
		}
	t->at = 0;
	t->entered = false;
	return 0;
}

/* ---- the row ---- */

struct lh_str lh_csv_table_cell(struct lh_csv_table *t, size_t i)
{
	struct lh_str s = { NULL, 0 };

	if (i < t->csv.cells)
		s = cell_text(t, i);
	if (!s.n || (t->null_text.p && lh_str_is(s, t->null_text.p, t->null_text.n)))
		s.p = NULL;
	return s;
}

struct lh_str lh_csv_table_text(const struct lh_csv_table *t)
{
	return (struct lh_str){ t->csv.row, t->csv.n };
}

struct lh_str lh_csv_table_header(const struct lh_csv_table *t)
{
	return (struct lh_str){ t->header.p, t->header.len };
}

struct lh_csv_table_place lh_csv_table_place(const struct lh_csv_table *t)
{
	size_t i = t->at < t->how.n_files ? t->at : t->how.n_files - 1;
	bool open = t->source[i].file != NULL;

	return (struct lh_csv_table_place){
		open ? lh_byte_source_name(&t->source[i]) : t->how.files[i], i + 1,
		t->entered ? lh_csv_line(&t->csv) : 0 };
}

const struct lh_column *lh_csv_table_columns(const struct lh_csv_table *t, size_t *n)
{
	*n = t->n;
	return t->column;
}

/* ---- opening ---- */

/* Read the sample, and decide the types of the columns.  A file that cannot be read ends the
 * sample; it will be reported after the rows before that place. */
static int read_sample(struct lh_csv_table *t, struct lh_err *err)
{
	uint64_t rows = 0;
	size_t i;
	int rc = 1;

	while (rows < t->how.sample && (rc = lh_csv_table_next(t, err)) != 0) {
		if (rc < 0 && (err->code == LH_EINTR || !t->column))
			return -1;
		if (rc < 0 && err->code != LH_EDATA)
			break;
		for (i = 0; rc > 0 && i < t->n; i++)
			lh_column_see(&t->column[i], lh_csv_table_cell(t, i));
		rows += rc > 0;
	}
	for (i = 0; i < t->n; i++)
		lh_column_decide(&t->column[i]);
	return 0;
}

static int open_table(struct lh_csv_table *t, struct lh_err *err)
{
	size_t i;

	t->sampling = true;
	if (enter(t, err) < 0)
		return -1;
	if (read_sample(t, err) < 0 || begin_again(t, err) < 0)
		return -1;
	t->sampling = false;
	for (i = 0; i < t->how.n_files; i++)
		t->source[i].keep = false;
	return 0;
}

bool lh_csv_is_tsv(const char *name)
{
	return lh_archive_named(name, ".tsv") || lh_archive_named(name, ".tab");
}

struct lh_csv_table *lh_csv_table_open(const struct lh_csv_table_how *how, struct lh_err *err)
{
	static char *const just_stdin[] = { "-" };
	struct lh_csv_table *t = lh_calloc(1, sizeof *t);

	t->how = *how;
	if (!how->n_files) {
		t->how.files = just_stdin;
		t->how.n_files = 1;
	}
	if (!how->csv && lh_csv_is_tsv(t->how.files[0]))
		t->how.tsv = true;
	if (how->null_text)
		t->null_text = lh_str_of(how->null_text);
	t->csv = (struct lh_csv){
		.delimiter = t->how.delimiter, .tsv = t->how.tsv, .guess = !how->no_header,
		.quotes = how->quotes, .max_row = how->max_row ? how->max_row : MAX_ROW,
		.max_cells = how->max_columns ? how->max_columns : MAX_COLUMNS,
		.read = read_source, .long_row = pass_long_row, .ctx = t };
	t->source = lh_calloc(t->how.n_files, sizeof *t->source);
	if (how->first) {
		t->source[0] = *how->first;
		memset(how->first, 0, sizeof *how->first);
	}
	if (open_table(t, err) < 0) {
		lh_csv_table_close(t);
		return NULL;
	}
	return t;
}

void lh_csv_table_close(struct lh_csv_table *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; t->source && i < t->how.n_files; i++)
		lh_byte_source_close(&t->source[i]);
	free(t->source);
	free(t->column);
	lh_csv_free(&t->csv);
	lh_buf_free(&t->names);
	lh_buf_free(&t->header);
	lh_buf_free(&t->scratch);
	free(t);
}
