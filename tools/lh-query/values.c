/* values.c - members of records as values of SQLite, and back.  See query.h. */
#include <math.h>
#include <string.h>

#include "query.h"

/* ---- values ---- */

/*
 * SQLite has neither booleans nor JSON values.  true is 1 and an array is its JSON text
 * inside a query.  A column of the result that is a plain column of a table gets them back,
 * if the sample of its table has any: then the integers 1 and 0 are true and false (the
 * numbers 1 and 0 of such a column are passed as 1.0 and 0.0), and a text that is a JSON
 * array or object is one.
 *
 * What SQLite would take for another value is refused: a number outside of 64 bits, which has
 * no order among the others; and where functions look into texts, one with NUL, which they
 * see up to there, and JSON with either.
 */

/* Read a number that is written as a whole one and is within int64. */
static bool is_int(const struct lh_value *v, int64_t *out)
{
	const char *p = v->p, *end = v->p + v->n;
	bool negative = *p == '-';
	uint64_t u = 0;

	for (p += negative; p < end; p++) {
		unsigned digit = (unsigned char)*p - '0';

		if (digit > 9 || u > (UINT64_MAX - digit) / 10)
			return false;
		u = u * 10 + digit;
	}
	if (u > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)-u : (int64_t)u;
	return true;
}

static bool is_real(const struct lh_value *v, double *out)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (v->p[i] == '.' || (v->p[i] | 0x20) == 'e')
			break;
	if (i == v->n)
		return false;
	*out = lh_value_f64(v);
	return isfinite(*out);
}

enum kind value_kind(const struct lh_value *v)
{
	int64_t i;
	double f;

	switch (v->type) {
	case LH_NULL:
		return KIND_NONE;
	case LH_FALSE:
	case LH_TRUE:
		return KIND_BOOL;
	case LH_STRING:
		return KIND_TEXT;
	case LH_NUMBER:
		return is_int(v, &i) ? KIND_INT : is_real(v, &f) ? KIND_REAL : KIND_TEXT;
	default:
		return KIND_JSON;
	}
}

static const char beyond[] = "has a number beyond 64 bits, which has no exact order here; a "
			     "string of its digits has";
static const char nul[] = "has a text with NUL, which SQL's functions see up to there";

static bool is_number_part(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || (c | 0x20) == 'e';
}

/* Return why functions would see JSON text as something else, or NULL. */
static const char *json_misread(struct lh_str s)
{
	const char *p = s.p, *end = s.p + s.n, *from;
	bool quoted = false;
	int64_t i;
	double f;

	while (p < end) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (quoted && *p == '\\') {
			if (end - p > 5 && !memcmp(p + 1, "u0000", 5))
				return nul;
			p++;
		} else if (!quoted && ((*p >= '0' && *p <= '9') || *p == '-')) {
			struct lh_value v = { .type = LH_NUMBER };

			for (from = p; p < end && is_number_part(*p); p++)
				;
			v.p = from;
			v.n = (size_t)(p - from);
			if (!is_int(&v, &i) && !is_real(&v, &f))
				return beyond;
			continue;
		}
		p++;
	}
	return NULL;
}

static int number_value(struct reader *r, const struct column *c, const struct lh_value *v,
			struct sql_value *to, struct lh_err *err)
{
	int64_t i;
	double f;

	if (is_int(v, &i) && !(c->has_bool && (i == 0 || i == 1)))
		*to = (struct sql_value){ .type = SQLITE_INTEGER, .i = i };
	else if (is_int(v, &i))
		*to = (struct sql_value){ .type = SQLITE_FLOAT, .f = (double)i };
	else if (is_real(v, &f))
		*to = (struct sql_value){ .type = SQLITE_FLOAT, .f = f };
	else
		return reader_refuse(r, c, beyond, err);
	return 0;
}

static int json_value(struct reader *r, const struct column *c, struct lh_str json,
		      struct sql_value *to, struct lh_err *err)
{
	const char *why = reader_looks(r) ? json_misread(json) : NULL;

	if (why)
		return reader_refuse(r, c, why, err);
	*to = (struct sql_value){ .type = SQLITE_TEXT, .subtype = SUBTYPE_JSON, .s = json };
	return 0;
}

/* The last column is the whole record. */
int column_value(struct reader *r, const struct columns *c, size_t column, struct lh_buf *text,
		 struct sql_value *to, struct lh_err *err)
{
	const struct column *of = &c->v[column];
	struct lh_value v;
	struct lh_str s;

	*to = (struct sql_value){ .type = SQLITE_NULL };
	if (column + 1 == c->n) {
		reader_json(r, &s);
		return json_value(r, of, s, to, err);
	}
	if (!reader_value(r, column, &v))
		return 0;
	switch (v.type) {
	case LH_NULL:
		return 0;
	case LH_FALSE:
	case LH_TRUE:
		*to = (struct sql_value){ .type = SQLITE_INTEGER, .subtype = SUBTYPE_BOOL,
					  .i = v.type == LH_TRUE };
		return 0;
	case LH_NUMBER:
		return number_value(r, of, &v, to, err);
	case LH_STRING:
		lh_buf_reset(text);
		lh_value_str(&v, text, &s);
		if (reader_looks(r) && memchr(s.p, 0, s.n))
			return reader_refuse(r, of, nul, err);
		*to = (struct sql_value){ .type = SQLITE_TEXT, .s = s };
		return 0;
	default:
		return json_value(r, of, (struct lh_str){ v.p, v.n }, to, err);
	}
}

/* Return whether a text is a JSON array or object; scan parses a copy, which is padded. */
static bool is_container(struct lh_str s, struct lh_buf *text, struct lh_record *scan)
{
	struct lh_value v;
	struct lh_err err;

	if (!s.n || (*s.p != '{' && *s.p != '['))
		return false;
	lh_buf_reset(text);
	lh_buf_add(text, s.p, s.n);
	return lh_buf_room(text, LH_PAD) &&
	       lh_json_parse(scan, text->p, text->len, &v, &err) == 0 && v.n == s.n;
}

static void text_cell(sqlite3_value *v, const struct column *c, struct cell *cell,
		      struct lh_buf *text, struct lh_record *scan)
{
	cell->s.p = (const char *)sqlite3_value_text(v);
	cell->s.n = (size_t)sqlite3_value_bytes(v);
	cell->kind = KIND_TEXT;
	if (!cell->s.p)
		cell->s = lh_str_of("");
	if (c && c->has_json && is_container(cell->s, text, scan)) {
		cell->kind = KIND_JSON;
	} else if (!lh_utf8_valid(cell->s.p, cell->s.n)) {
		/* Copy a text that is not UTF-8: each byte that is not ASCII becomes U+FFFD. */
		size_t i;

		lh_buf_reset(text);
		for (i = 0; i < cell->s.n; i++) {
			if ((unsigned char)cell->s.p[i] < 0x80)
				lh_buf_putc(text, cell->s.p[i]);
			else
				lh_buf_puts(text, "\xef\xbf\xbd");
		}
		cell->s = (struct lh_str){ text->p, text->len };
	}
}

void value_cell(sqlite3_value *v, const struct column *c, struct cell *cell, struct lh_buf *text,
		struct lh_record *scan)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p;
	size_t n, i;

	cell->kind = KIND_NONE;
	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		cell->i = sqlite3_value_int64(v);
		cell->kind = c && c->has_bool && (cell->i == 0 || cell->i == 1) ? KIND_BOOL :
										   KIND_INT;
		return;
	case SQLITE_FLOAT:
		cell->f = sqlite3_value_double(v);
		cell->i = cell->f == 1;
		if (c && c->has_bool && (cell->f == 0 || cell->f == 1))
			cell->kind = KIND_INT;
		else if (isfinite(cell->f))
			cell->kind = KIND_REAL;
		return;
	case SQLITE_TEXT:
		text_cell(v, c, cell, text, scan);
		return;
	case SQLITE_BLOB:
		p = sqlite3_value_blob(v);
		n = (size_t)sqlite3_value_bytes(v);
		lh_buf_reset(text);
		for (i = 0; i < n; i++) {
			lh_buf_putc(text, digits[p[i] >> 4]);
			lh_buf_putc(text, digits[p[i] & 15]);
		}
		cell->kind = KIND_TEXT;
		cell->s = (struct lh_str){ text->len ? text->p : "", text->len };
	}
}
