/* duckdb_value.c - values of vectors.  See duckdb_value.h. */
#include "duckdb_value.h"

#include <math.h>
#include <string.h>

#include <lh/num.h>

#define DAY_US INT64_C(86400000000)

/* Where a value is. */
struct place {
	const struct duckdb_api *api;
	const struct lh_duckdb_shape *s;
	duckdb_handle vector;
	uint64_t row;
};

static const void *data_of(const struct place *p, size_t size)
{
	return (const char *)p->api->vector_get_data(p->vector) + p->row * size;
}

static bool is_null(const struct place *p)
{
	const uint64_t *valid = p->api->vector_get_validity(p->vector);

	return p->s->type == DUCKDB_SQLNULL ||
	       (valid && !(valid[p->row >> 6] >> (p->row & 63) & 1));
}

/* ---- integers ---- */

static __int128 integer(const struct place *p, enum duckdb_type type)
{
	switch (type) {
	case DUCKDB_TINYINT: return *(const int8_t *)data_of(p, 1);
	case DUCKDB_UTINYINT: return *(const uint8_t *)data_of(p, 1);
	case DUCKDB_SMALLINT: return *(const int16_t *)data_of(p, 2);
	case DUCKDB_USMALLINT: return *(const uint16_t *)data_of(p, 2);
	case DUCKDB_INTEGER: return *(const int32_t *)data_of(p, 4);
	case DUCKDB_UINTEGER: return *(const uint32_t *)data_of(p, 4);
	case DUCKDB_UBIGINT: return *(const uint64_t *)data_of(p, 8);
	case DUCKDB_BIGINT: return *(const int64_t *)data_of(p, 8);
	default: {
		const uint64_t *half = data_of(p, 16);

		return (__int128)((unsigned __int128)half[1] << 64 | half[0]);
	}
	}
}

/* Append digits, with a point before the last `scale` of them. */
static void put_digits(struct lh_buf *b, unsigned __int128 v, bool negative, unsigned scale)
{
	char digit[64];
	size_t n = sizeof digit;
	unsigned written = 0;

	do {
		if (written && written == scale)
			digit[--n] = '.';
		digit[--n] = (char)('0' + (int)(v % 10));
		v /= 10;
		written++;
	} while (v || written <= scale);
	if (negative)
		digit[--n] = '-';
	lh_buf_add(b, digit + n, sizeof digit - n);
}

static void put_signed(struct lh_buf *b, __int128 v, unsigned scale)
{
	put_digits(b, v < 0 ? -(unsigned __int128)v : (unsigned __int128)v, v < 0, scale);
}

/* ---- times ---- */

/* Append n digits of v. */
static void put_padded(struct lh_buf *b, uint64_t v, unsigned n)
{
	char digit[20];
	unsigned i;

	for (i = n; i; i--, v /= 10)
		digit[i - 1] = (char)('0' + v % 10);
	lh_buf_add(b, digit, n);
}

/* Append a date by its days since 1970, in the proleptic Gregorian calendar. */
static void put_date(struct lh_buf *b, int64_t days)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	uint64_t doe = (uint64_t)(z - era * 146097);
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint64_t month = mp < 10 ? mp + 3 : mp - 9;
	int64_t year = (int64_t)yoe + era * 400 + (month <= 2);

	if (year < 0)
		lh_buf_putc(b, '-');
	year = year < 0 ? -year : year;
	put_padded(b, (uint64_t)year, year > 999999 ? 7 : year > 99999 ? 6 : year > 9999 ? 5 : 4);
	lh_buf_putc(b, '-');
	put_padded(b, month, 2);
	lh_buf_putc(b, '-');
	put_padded(b, doy - (153 * mp + 2) / 5 + 1, 2);
}

/* Append a time of the day: units of it, so many in a second, of `digits` decimal places. */
static void put_time(struct lh_buf *b, uint64_t v, uint64_t second, unsigned digits)
{
	uint64_t s = v / second, part = v % second;

	put_padded(b, s / 3600, 2);
	lh_buf_putc(b, ':');
	put_padded(b, s / 60 % 60, 2);
	lh_buf_putc(b, ':');
	put_padded(b, s % 60, 2);
	if (!part)
		return;
	for (; part % 10 == 0; part /= 10)
		digits--;
	lh_buf_putc(b, '.');
	put_padded(b, part, digits);
}

static void put_timestamp(struct lh_buf *b, int64_t v, int64_t second, unsigned digits)
{
	int64_t day = second * 86400, days = v / day - (v % day < 0);

	if (v == INT64_MAX || v == -INT64_MAX) {
		lh_buf_puts(b, v < 0 ? "-infinity" : "infinity");
		return;
	}
	put_date(b, days);
	lh_buf_putc(b, ' ');
	put_time(b, (uint64_t)(v - days * day), (uint64_t)second, digits);
}

static void put_when(struct lh_buf *b, const struct place *p)
{
	int32_t days;

	switch (p->s->type) {
	case DUCKDB_DATE:
		days = *(const int32_t *)data_of(p, 4);
		if (days == INT32_MAX || days == -INT32_MAX)
			lh_buf_puts(b, days < 0 ? "-infinity" : "infinity");
		else
			put_date(b, days);
		return;
	case DUCKDB_TIME:
		put_time(b, *(const uint64_t *)data_of(p, 8), 1000000, 6);
		return;
	case DUCKDB_TIMESTAMP_S:
		put_timestamp(b, *(const int64_t *)data_of(p, 8), 1, 0);
		return;
	case DUCKDB_TIMESTAMP_MS:
		put_timestamp(b, *(const int64_t *)data_of(p, 8), 1000, 3);
		return;
	case DUCKDB_TIMESTAMP_NS:
		put_timestamp(b, *(const int64_t *)data_of(p, 8), 1000000000, 9);
		return;
	default:
		put_timestamp(b, *(const int64_t *)data_of(p, 8), 1000000, 6);
	}
	if (p->s->type == DUCKDB_TIMESTAMP_TZ)
		lh_buf_puts(b, "+00");
}

/* ---- others ---- */

static struct lh_str string_of(const struct place *p)
{
	const struct duckdb_string *s = data_of(p, sizeof *s);

	return (struct lh_str){ s->n <= 12 ? s->head : s->p, s->n };
}

static void put_hex(struct lh_buf *b, const unsigned char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (; n; n--, p++) {
		lh_buf_putc(b, digits[*p >> 4]);
		lh_buf_putc(b, digits[*p & 15]);
	}
}

/* A UUID is a 128-bit number whose highest bit is inverted. */
static void put_uuid(struct lh_buf *b, const struct place *p)
{
	unsigned __int128 v = (unsigned __int128)integer(p, DUCKDB_HUGEINT);
	unsigned char byte[16];
	int i;

	v ^= (unsigned __int128)1 << 127;
	for (i = 15; i >= 0; i--, v >>= 8)
		byte[i] = (unsigned char)v;
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			lh_buf_putc(b, '-');
		put_hex(b, &byte[i], 1);
	}
}

/* Append a double; it has a point or an exponent, so that it is one again where it is read. */
static bool put_real(struct lh_buf *b, const struct place *p)
{
	bool single = p->s->type == DUCKDB_FLOAT;
	double v = single ? (double)*(const float *)data_of(p, 4) : *(const double *)data_of(p, 8);
	char *to = lh_buf_room(b, LH_F64_MAX + 2);
	size_t n;

	if (!isfinite(v) || !to)
		return false;
	n = single ? lh_f32_print(to, (float)v) : lh_f64_print(to, v);
	if (!memchr(to, '.', n) && !memchr(to, 'e', n)) {
		memcpy(to + n, ".0", 2);
		n += 2;
	}
	lh_buf_took(b, n);
	return true;
}

/* ---- JSON ---- */

static void put_json(const struct place *p, struct lh_buf *b)
{
	struct lh_duckdb_value v;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	lh_duckdb_value_read(p->api, p->s, p->vector, p->row, &v, &text);
	lh_duckdb_value_json(&v, b);
	if (text.failed)
		b->failed = text.failed;
}

static void put_list(const struct place *p, struct lh_buf *b)
{
	struct place at = { p->api, p->s->child, NULL, 0 };
	const struct duckdb_list_entry *e;
	uint64_t from = p->row * p->s->size, n = p->s->size, i;

	if (p->s->type == DUCKDB_ARRAY) {
		at.vector = p->api->array_vector_get_child(p->vector);
	} else {
		at.vector = p->api->list_vector_get_child(p->vector);
		e = data_of(p, sizeof *e);
		from = e->offset;
		n = e->length;
	}
	lh_buf_putc(b, '[');
	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_putc(b, ',');
		at.row = from + i;
		put_json(&at, b);
	}
	lh_buf_putc(b, ']');
}

/* A map is a list of structs. */
static void put_map(const struct place *p, struct lh_buf *b)
{
	static char *const name[] = { "key", "value" };
	const struct duckdb_list_entry *e = data_of(p, sizeof *e);
	duckdb_handle pairs = p->api->list_vector_get_child(p->vector);
	struct place at = { p->api, NULL, NULL, 0 };
	uint64_t i, k;

	lh_buf_putc(b, '[');
	for (i = 0; i < e->length; i++) {
		at.row = e->offset + i;
		for (k = 0; k < 2; k++) {
			lh_buf_printf(b, "%s\"%s\":", k ? "," : i ? ",{" : "{", name[k]);
			at.s = &p->s->child[k];
			at.vector = p->api->struct_vector_get_child(pairs, k);
			put_json(&at, b);
		}
		lh_buf_putc(b, '}');
	}
	lh_buf_putc(b, ']');
}

void lh_duckdb_value_json(const struct lh_duckdb_value *v, struct lh_buf *out)
{
	switch (v->kind) {
	case LH_DUCKDB_NULL:
		lh_buf_puts(out, "null");
		return;
	case LH_DUCKDB_BOOL:
		lh_buf_puts(out, v->i ? "true" : "false");
		return;
	case LH_DUCKDB_INT:
		put_signed(out, v->i, 0);
		return;
	case LH_DUCKDB_TEXT:
		lh_buf_json(out, v->s.p, v->s.n);
		return;
	default:
		lh_buf_add(out, v->s.p, v->s.n);
	}
}

/* ---- a value ---- */

static void read_text(const struct place *p, struct lh_buf *text)
{
	struct lh_str s;
	size_t i;

	switch (p->s->type) {
	case DUCKDB_ENUM:
		i = (size_t)integer(p, p->s->internal);
		lh_buf_puts(text, i < p->s->n_choices ? p->s->choice[i] : "");
		return;
	case DUCKDB_UUID:
		put_uuid(text, p);
		return;
	case DUCKDB_BLOB:
		s = string_of(p);
		put_hex(text, (const unsigned char *)s.p, s.n);
		return;
	default:
		put_when(text, p);
	}
}

static void read_nested(const struct place *p, struct lh_buf *text)
{
	if (p->s->type == DUCKDB_STRUCT) {
		struct place at = { p->api, NULL, NULL, p->row };
		size_t i;

		lh_buf_putc(text, '{');
		for (i = 0; i < p->s->n; i++) {
			if (i)
				lh_buf_putc(text, ',');
			at.s = &p->s->child[i];
			at.vector = p->api->struct_vector_get_child(p->vector, i);
			lh_buf_json(text, at.s->name, strlen(at.s->name));
			lh_buf_putc(text, ':');
			put_json(&at, text);
		}
		lh_buf_putc(text, '}');
	} else if (p->s->type == DUCKDB_MAP) {
		put_map(p, text);
	} else {
		put_list(p, text);
	}
}

void lh_duckdb_value_read(const struct duckdb_api *api, const struct lh_duckdb_shape *s,
			  duckdb_handle vector, uint64_t row, struct lh_duckdb_value *v,
			  struct lh_buf *text)
{
	const struct place p = { api, s, vector, row };
	__int128 n;

	lh_buf_reset(text);
	*v = (struct lh_duckdb_value){ .kind = LH_DUCKDB_NULL, .s = { "", 0 } };
	if (is_null(&p))
		return;
	v->kind = lh_duckdb_shape_kind(s);
	if (s->type == DUCKDB_VARCHAR) {
		v->s = string_of(&p);
		return;
	}
	switch (v->kind) {
	case LH_DUCKDB_BOOL:
		v->i = *(const bool *)data_of(&p, 1);
		return;
	case LH_DUCKDB_INT:
		n = integer(&p, s->type);
		if (s->type == DUCKDB_UHUGEINT && n < 0) {
			put_digits(text, (unsigned __int128)n, false, 0);
			v->kind = LH_DUCKDB_TEXT;
		} else if (n < INT64_MIN || n > INT64_MAX) {
			put_signed(text, n, 0);
			v->kind = LH_DUCKDB_TEXT;
		}
		v->i = (int64_t)n;
		break;
	case LH_DUCKDB_NUMBER:
		if (s->type == DUCKDB_DECIMAL)
			put_signed(text, integer(&p, s->internal), s->scale);
		else if (!put_real(text, &p))
			v->kind = LH_DUCKDB_NULL;
		break;
	case LH_DUCKDB_TEXT:
		read_text(&p, text);
		break;
	default:
		read_nested(&p, text);
	}
	if (text->len)
		v->s = (struct lh_str){ text->p, text->len };
}
