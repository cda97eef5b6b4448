/* json_num.c - convert and compare checked numbers.  See lh/json.h. */
#include <lh/json.h>
#include "value.h"
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

#define EXP_MAX (INT64_MAX / 1000)

static int64_t exponent(const char *p, const char *end)
{
	bool neg = *p == '-';
	int64_t v = 0;

	for (p += *p == '-' || *p == '+'; digit(p, end); p++)
		v = v < EXP_MAX ? v * 10 + (*p - '0') : v;
	return neg ? -v : v;
}

struct lh_exact lh_exact_of(const struct lh_value *v)
{
	const char *p = v->p, *end = v->p + v->n, *q, *point = NULL;
	struct lh_exact x = { .neg = *p == '-' };

	p += x.neg;
	for (q = p; digit(q, end) || (q < end && *q == '.'); q++)
		if (*q == '.')
			point = q;
	if (q < end)
		x.e = (struct lh_str){ q + 1, (size_t)(end - q - 1) };
	x.shift = (point ? point : q) - p;
	while (p < q && (*p == '0' || *p == '.')) {
		x.shift -= *p == '0';
		p++;
	}
	x.exp = x.shift + (q < end ? exponent(x.e.p, end) : 0);
	while (q > p && (q[-1] == '0' || q[-1] == '.'))
		q--;
	x.p = p;
	x.end = q;
	x.n = q - p - (point >= p && point < q);
	if (!x.n)
		x.exp = 0, x.neg = false;
	return x;
}

/* ---- order ---- */

/* Compare the digits of two numbers with the same exp. */
static int compare_digits(const struct lh_exact *a, const struct lh_exact *b)
{
	const char *p = a->p, *q = b->p;
	int64_t i, n = a->n < b->n ? a->n : b->n;

	for (i = 0; i < n; i++, p++, q++) {
		p += *p == '.';
		q += *q == '.';
		if (*p != *q)
			return *p < *q ? -1 : 1;
	}
	return (a->n > b->n) - (a->n < b->n);
}

/* Skip the sign and the zeros before a written exponent; return its sign. */
static int strip_exponent(struct lh_str *e)
{
	int sign = e->n && *e->p == '-' ? -1 : 1;

	while (e->n && (*e->p < '1' || *e->p > '9')) {
		e->p++;
		e->n--;
	}
	return sign;
}

#define FAR ((int64_t)1 << 48)	/* more than the shifts of two texts can differ by */

/* Return a - b of two written exponents of any length, or one of FAR and more if it is far
 * from 0: the digits that follow could not bring it back. */
static int64_t exponent_difference(struct lh_str a, struct lh_str b)
{
	int sign_a = strip_exponent(&a), sign_b = strip_exponent(&b);
	size_t n = a.n > b.n ? a.n : b.n;
	int64_t d = 0;

	for (; n && d < FAR && d > -FAR; n--) {
		d *= 10;
		if (n <= a.n)
			d += sign_a * (a.p[a.n - n] - '0');
		if (n <= b.n)
			d -= sign_b * (b.p[b.n - n] - '0');
	}
	return d;
}

/* Compare the magnitudes of two numbers, neither of which is 0. */
static int compare_magnitudes(const struct lh_exact *a, const struct lh_exact *b)
{
	int64_t d = exponent_difference(a->e, b->e) + a->shift - b->shift;

	return d ? (d < 0 ? -1 : 1) : compare_digits(a, b);
}

int lh_exact_cmp(const struct lh_exact *x, const struct lh_exact *y)
{
	int sign_x = !x->n ? 0 : x->neg ? -1 : 1, sign_y = !y->n ? 0 : y->neg ? -1 : 1;

	if (sign_x != sign_y || !sign_x)
		return (sign_x > sign_y) - (sign_x < sign_y);
	return sign_x * compare_magnitudes(x, y);
}

int lh_number_cmp(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_exact x = lh_exact_of(a), y = lh_exact_of(b);

	return lh_exact_cmp(&x, &y);
}

bool lh_number_equal(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_exact x = lh_exact_of(a), y = lh_exact_of(b);

	if (lh_exact_cmp(&x, &y) == 0)
		return true;
	if (lh_exact_whole(&x) && lh_exact_whole(&y))
		return false;
	return lh_value_f64(a) == lh_value_f64(b);
}

bool lh_value_i64(const struct lh_value *v, int64_t *out)
{
	struct lh_exact x;
	uint64_t u = 0;
	const char *p;
	int64_t i;

	if (v->type != LH_NUMBER)
		return false;
	x = lh_exact_of(v);
	if (!lh_exact_whole(&x) || x.exp > 19)
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
