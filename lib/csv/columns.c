/* columns.c - types of columns.  See columns.h. */
#include "columns.h"

#include <math.h>

#include <lh/digest.h>
#include <lh/num.h>

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
