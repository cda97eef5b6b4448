/* write.c - rows as JSON Lines, one JSON object, CSV or a table.  See query.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "json/write.h"
#include "attribute.h"
#include "text/escape.h"
#include <lh/num.h>

#define WIDEST 1000	/* characters of a cell in a table */

static const char *const types[] = {
	[KIND_NONE] = "VARCHAR", [KIND_BOOL] = "BOOLEAN", [KIND_INT] = "BIGINT",
	[KIND_REAL] = "DOUBLE", [KIND_TEXT] = "VARCHAR", [KIND_JSON] = "JSON",
};

void writer_init(struct writer *w, struct query *q, enum form form, struct lh_buf *out)
{
	memset(w, 0, sizeof *w);
	w->q = q;
	w->form = form;
	w->out = out;
	w->terminal = !out && form == FORM_CSV && isatty(STDOUT_FILENO);
}

void writer_free(struct writer *w)
{
	lh_buf_free(&w->names);
	lh_buf_free(&w->rows);
	lh_buf_free(&w->cells);
	free(w->field);
}

/* Pass on what is in rows. */
static int flush(struct writer *w, struct lh_err *err)
{
	int rc = 0;

	if (w->out) {
		lh_buf_add(w->out, w->rows.p, w->rows.len);
	} else if (lh_tool_out(w->q->tool, w->rows.p, w->rows.len) < 0) {
		*err = w->q->tool->err;
		rc = -1;
	}
	lh_buf_reset(&w->rows);
	return rc;
}

/* ---- values ---- */

/* A double has a point or an exponent, so that it is one again where it is read. */
static void put_real(struct lh_buf *b, double v)
{
	char *to = lh_buf_room(b, LH_F64_MAX + 2);
	size_t n;

	if (!to)
		return;
	n = lh_f64_print(to, v);
	if (!memchr(to, '.', n) && !memchr(to, 'e', n)) {
		memcpy(to + n, ".0", 2);
		n += 2;
	}
	lh_buf_took(b, n);
}

static void put_int(struct lh_buf *b, int64_t v)
{
	if (v < 0)
		lh_buf_putc(b, '-');
	lh_buf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* Append what is written the same everywhere: all but strings. */
static void put_plain(struct lh_buf *b, const struct cell *c, const char *null)
{
	switch (c->kind) {
	case KIND_NONE: lh_buf_puts(b, null); return;
	case KIND_BOOL: lh_buf_puts(b, c->i ? "true" : "false"); return;
	case KIND_INT: put_int(b, c->i); return;
	case KIND_REAL:
		if (c->as_text)
			break;
		put_real(b, c->f);
		return;
	default: break;
	}
	lh_buf_add(b, c->s.p, c->s.n);
}

static void put_json(struct lh_buf *b, const struct cell *c)
{
	if (c->kind == KIND_TEXT)
		lh_buf_json(b, c->s.p, c->s.n);
	else
		put_plain(b, c, "null");
}

/* Append a cell of RFC 4180; "" is an empty string, and nothing is NULL. */
static void put_csv(struct lh_buf *b, const struct cell *c)
{
	const char *p = c->s.p, *end, *quote;

	if ((c->kind != KIND_TEXT && c->kind != KIND_JSON) ||
	    (c->s.n && !memchr(p, '"', c->s.n) && !memchr(p, ',', c->s.n) &&
	     !memchr(p, '\n', c->s.n) && !memchr(p, '\r', c->s.n))) {
		put_plain(b, c, "");
		return;
	}
	lh_buf_putc(b, '"');
	for (end = p + c->s.n; (quote = memchr(p, '"', (size_t)(end - p))); p = quote + 1) {
		lh_buf_add(b, p, (size_t)(quote + 1 - p));
		lh_buf_putc(b, '"');
	}
	lh_buf_add(b, p, (size_t)(end - p));
	lh_buf_putc(b, '"');
}

/* Append a cell; on a terminal its control characters are escaped, and with --csv-safe a text
 * that a spreadsheet would compute begins with an apostrophe. */
static void put_csv_cell(struct writer *w, const struct cell *c)
{
	bool text = c->kind == KIND_TEXT || c->kind == KIND_JSON;
	LH_SCOPED(lh_buf_free) struct lh_buf own = { 0 };
	struct cell shown = *c;

	if (text && c->s.n && w->q->s->csv_safe && memchr("=+-@\t\r", *c->s.p, 6))
		lh_buf_putc(&own, '\'');
	if (text && w->terminal)
		lh_escape_column(&own, c->s.p, c->s.n);
	else if (own.len)
		lh_buf_add(&own, c->s.p, c->s.n);
	if (own.len)
		shown.s = (struct lh_str){ own.p, own.len };
	put_csv(&w->rows, &shown);
	w->rows.failed = w->rows.failed ? w->rows.failed : own.failed;
}

/* ---- columns ---- */

static struct lh_str name_of(const struct writer *w, size_t i)
{
	return (struct lh_str){ w->names.p + w->field[i].name, w->field[i].n };
}

static bool is_named(const struct writer *w, size_t n, struct lh_str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (lh_str_is(name_of(w, i), name.p, name.n))
			return true;
	return false;
}

/* A table has them as well, as its first row. */
static void table_row(struct writer *w, const struct cell *cell);

static void header(struct writer *w)
{
	LH_SCOPED(lh_free_local) struct cell *cell = lh_calloc(w->n_fields + 1, sizeof *cell);
	size_t i;

	for (i = 0; i < w->n_fields; i++)
		cell[i] = (struct cell){ .kind = KIND_TEXT, .s = name_of(w, i) };
	if (w->form == FORM_TABLE)
		table_row(w, cell);
	for (i = 0; w->form == FORM_CSV && i < w->n_fields; i++) {
		put_csv_cell(w, &cell[i]);
		lh_buf_putc(&w->rows, i + 1 < w->n_fields ? ',' : '\n');
	}
}

void writer_columns(struct writer *w, const struct column *column, size_t n)
{
	size_t i;

	w->field = lh_calloc(n + 1, sizeof *w->field);
	w->n_fields = n;
	for (i = 0; i < n; i++) {
		struct field *f = &w->field[i];
		unsigned number = 0;

		f->name = w->names.len;
		f->kind = column[i].kind;
		do {	/* members of an object differ: the second "id" is called "id_1" */
			w->names.len = f->name;
			lh_buf_puts(&w->names, column[i].name);
			if (number)
				lh_buf_printf(&w->names, "_%u", number);
			f->n = w->names.len - f->name;
			number++;
		} while (w->form == FORM_JSONL && is_named(w, i, name_of(w, i)));
	}
	if (w->form == FORM_CSV || w->form == FORM_TABLE)
		header(w);
}

/* ---- rows ---- */

static void object_row(struct writer *w, const struct cell *cell)
{
	size_t i;

	for (i = 0; i < w->n_fields; i++) {
		struct lh_str name = name_of(w, i);

		lh_buf_putc(&w->rows, i ? ',' : '{');
		lh_buf_json(&w->rows, name.p, name.n);
		lh_buf_putc(&w->rows, ':');
		put_json(&w->rows, &cell[i]);
	}
	lh_buf_puts(&w->rows, "}\n");
}

static void array_row(struct writer *w, const struct cell *cell)
{
	size_t i;

	if (w->n_rows)
		lh_buf_putc(&w->rows, ',');
	lh_buf_putc(&w->rows, '[');
	for (i = 0; i < w->n_fields; i++) {
		if (i)
			lh_buf_putc(&w->rows, ',');
		put_json(&w->rows, &cell[i]);
		w->field[i].kind = kind_join(w->field[i].kind, cell[i].kind);
	}
	lh_buf_putc(&w->rows, ']');
}

static void csv_row(struct writer *w, const struct cell *cell)
{
	size_t i;

	for (i = 0; i < w->n_fields; i++) {
		put_csv_cell(w, &cell[i]);
		lh_buf_putc(&w->rows, i + 1 < w->n_fields ? ',' : '\n');
	}
}

/* A cell of a table, which is written when the widths of all are known. */
struct shown {
	size_t at, n, width;	/* in rows */
	bool right;
};

static size_t characters(const char *p, size_t n)
{
	size_t count = 0;

	for (; n; n--, p++)
		count += ((unsigned char)*p & 0xc0) != 0x80;
	return count;
}

static void table_row(struct writer *w, const struct cell *cell)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct shown s;
	size_t i;

	for (i = 0; i < w->n_fields; i++) {
		lh_buf_reset(&text);
		put_plain(&text, &cell[i], "");
		s.at = w->rows.len;
		lh_escape_column(&w->rows, text.p, text.len < WIDEST ? text.len : WIDEST);
		s.n = w->rows.len - s.at;
		s.right = cell[i].kind == KIND_INT || cell[i].kind == KIND_REAL;
		s.width = characters(w->rows.p + s.at, s.n);
		if (s.width > w->field[i].width)
			w->field[i].width = s.width;
		lh_buf_add(&w->cells, &s, sizeof s);
	}
}

static void pad(struct lh_buf *out, size_t n, char c)
{
	while (n--)
		lh_buf_putc(out, c);
}

static int table_end(struct writer *w, struct lh_err *err)
{
	const struct shown *s = (const struct shown *)(const void *)w->cells.p;
	size_t n = w->cells.len / sizeof *s, i, k;
	struct lh_buf out = { 0 };

	for (i = 0; i < n; i++) {
		size_t column = i % w->n_fields, left = w->field[column].width - s[i].width;
		bool last = column + 1 == w->n_fields;

		if (s[i].right)
			pad(&out, left, ' ');
		lh_buf_add(&out, w->rows.p + s[i].at, s[i].n);
		if (!s[i].right && !last)
			pad(&out, left, ' ');
		lh_buf_puts(&out, last ? "\n" : "  ");
		for (k = 0; i + 1 == w->n_fields && k < w->n_fields; k++) {
			pad(&out, w->field[k].width, '-');
			lh_buf_puts(&out, k + 1 == w->n_fields ? "\n" : "  ");
		}
	}
	lh_buf_free(&w->rows);
	w->rows = out;
	return flush(w, err);
}

int writer_row(struct writer *w, const struct cell *cell, struct lh_err *err)
{
	switch (w->form) {
	case FORM_JSONL: object_row(w, cell); break;
	case FORM_WIRE: array_row(w, cell); break;
	case FORM_CSV: csv_row(w, cell); break;
	case FORM_TABLE: table_row(w, cell);
	}
	w->n_rows++;
	if (w->form == FORM_JSONL || w->form == FORM_CSV)
		return flush(w, err);
	if (w->rows.len + w->cells.len > w->q->s->memory)
		return lh_err_data(err, 413, "the answer is larger than --memory");
	return 0;
}

static int wire_end(struct writer *w, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf rows = w->rows;
	struct lh_writer json;
	size_t i;

	w->rows = (struct lh_buf){ 0 };
	json = lh_write_to(&w->rows);
	lh_write_object(&json, NULL);
	lh_write_array(&json, "columns");
	for (i = 0; i < w->n_fields; i++) {
		lh_write_object(&json, NULL);
		lh_write_str(&json, "name", name_of(w, i));
		lh_write_text(&json, "type", types[w->field[i].kind]);
		lh_write_end(&json);
	}
	lh_write_end(&json);
	lh_write_array(&json, "rows");
	lh_buf_add(&w->rows, rows.p, rows.len);
	lh_write_end(&json);
	lh_write_u64(&json, "row_count", w->n_rows);
	if (w->q->bounded)
		lh_write_bool(&json, "truncated", true);
	attribute_write(w->q, &json);
	if (w->q->unnamed && w->n_rows)
		lh_write_bool(&json, "unnamed", true);
	lh_write_end(&json);
	if (!w->out)
		lh_buf_putc(&w->rows, '\n');
	return flush(w, err);
}

int writer_end(struct writer *w, struct lh_err *err)
{
	switch (w->form) {
	case FORM_WIRE: return wire_end(w, err);
	case FORM_TABLE: return table_end(w, err);
	default: return flush(w, err);
	}
}
