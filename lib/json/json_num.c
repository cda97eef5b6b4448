/* json_num.c - convert and compare checked numbers.  See lh/json.h. */
#include <lh/json.h>
#include "json_scanner.h"
#include <lh/num.h>

double lh_value_f64(const struct lh_value *v)
{
	const char *next;

	return lh_f64_read(v->p, v->p + v->n, &next);
}

static bool digit(const char *p, const char *end)
{
	return p < end && (unsigned char)(*p - '0') < 10;
}

/* A number as 0.DIGITS * 10^exp.  DIGITS begin and end with a digit other than 0
 * and are in p..end, perhaps with a point among them.  Zero has no digits. */
struct exact {
	const char *p, *end;
	int64_t exp, n;		/* n: number of digits */
	bool neg;
};

#define EXP_MAX (INT64_MAX / 1000)

static int64_t exponent(const char *p, const char *end)
{
	bool neg = *p == '-';
	int64_t v = 0;

	for (p += *p == '-' || *p == '+'; digit(p, end); p++)
		v = v < EXP_MAX ? v * 10 + (*p - '0') : v;
	return neg ? -v : v;
}

static struct exact exact_of(const struct lh_value *v)
{
	const char *p = v->p, *end = v->p + v->n, *q, *point = NULL;
	struct exact x = { .neg = *p == '-' };

	p += x.neg;
	for (q = p; digit(q, end) || (q < end && *q == '.'); q++)
		if (*q == '.')
			point = q;
	if (q < end)
		x.exp = exponent(q + 1, end);
	x.exp += (point ? point : q) - p;
	while (p < q && (*p == '0' || *p == '.')) {
		x.exp -= *p == '0';
		p++;
	}
	while (q > p && (q[-1] == '0' || q[-1] == '.'))
		q--;
	x.p = p;
	x.end = q;
	x.n = q - p - (point >= p && point < q);
	if (!x.n)
		x.exp = 0, x.neg = false;
	return x;
}

static bool is_whole(const struct exact *x)
{
	return x->n <= x->exp;
}

static bool exact_equal(const struct exact *a, const struct exact *b)
{
	const char *p = a->p, *q = b->p;
	int64_t i;

	if (a->n != b->n || a->exp != b->exp || a->neg != b->neg)
		return false;
	for (i = 0; i < a->n; i++) {
		p += *p == '.';
		q += *q == '.';
		if (*p++ != *q++)
			return false;
	}
	return true;
}

bool lh_number_equal(const struct lh_value *a, const struct lh_value *b)
{
	struct exact x = exact_of(a), y = exact_of(b);

	if (exact_equal(&x, &y))
		return true;
	if (is_whole(&x) && is_whole(&y))
		return false;
	return lh_value_f64(a) == lh_value_f64(b);
}

bool lh_value_i64(const struct lh_value *v, int64_t *out)
{
	struct exact x;
	uint64_t u = 0;
	const char *p;
	int64_t i;

	if (v->type != LH_NUMBER)
		return false;
	x = exact_of(v);
	if (!is_whole(&x) || x.exp > 19)
		return false;
	for (p = x.p, i = 0; i < x.exp; i++) {
		p += p < x.end && *p == '.';
		u = u * 10 + (p < x.end ? (uint64_t)(*p++ - '0') : 0);
	}
	if (u > (uint64_t)INT64_MAX + x.neg)
		return false;
	*out = x.neg ? (int64_t)-u : (int64_t)u;
	return true;
}
