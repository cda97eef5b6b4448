/* canon_num.c - write a number in its canonical form.  See canon_num.h. */
#include "canon_num.h"

#include <math.h>

#include "base/decimal.h"
#include "value.h"
#include <lh/num.h>

/* A whole number of at most this many digits is its own canonical text. */
#define PLAIN_DIGITS 15
/* Most zeros between the point and the first digit: an exponent from outside makes no text of
 * gigabytes.  1e-400 is written out, as a sensor or a bug may have it. */
#define MOST_ZEROS 4096

static bool is_plain(const char *p, const char *end)
{
	p += *p == '-';
	if (end - p > PLAIN_DIGITS || *p == '0')
		return false;
	for (; p < end; p++)
		if ((unsigned char)(*p - '0') > 9)
			return false;
	return true;
}

/* Return whether a positive double is the magnitude of the number. */
static bool is_exact(const struct lh_decimal *d, const struct lh_exact *x)
{
	const char *p = x->p;
	int i;

	if (x->n != d->n || x->exp != d->e + 1)
		return false;
	for (i = 0; i < d->n; i++, p++) {
		p += *p == '.';
		if (*p != d->digit[i])
			return false;
	}
	return true;
}

static void add_zeros(struct lh_buf *out, int64_t n)
{
	for (; n > 0; n--)
		lh_buf_putc(out, '0');
}

/* Append the digits of a number, which is not 0, without an exponent. */
static int add_digits(struct lh_buf *out, const struct lh_exact *x, struct lh_err *err)
{
	const char *p;
	int64_t i = 0;

	if (x->exp < -MOST_ZEROS)
		return lh_err_set(err, LH_EDATA, "number beyond double precision");
	if (x->neg)
		lh_buf_putc(out, '-');
	if (x->exp <= 0) {
		lh_buf_puts(out, "0.");
		add_zeros(out, -x->exp);
	}
	for (p = x->p; p < x->end; p++) {
		if (*p == '.')
			continue;
		if (i++ == x->exp && x->exp > 0)
			lh_buf_putc(out, '.');
		lh_buf_putc(out, *p);
	}
	add_zeros(out, x->exp - x->n);
	return 0;
}

int lh_canon_number(struct lh_buf *out, const char *p, const char *end, struct lh_err *err)
{
	struct lh_exact x;
	struct lh_decimal d;
	const char *next;
	size_t n, whole;
	double v;

	if (is_plain(p, end)) {
		lh_buf_add(out, p, (size_t)(end - p));
		return 0;
	}
	v = lh_f64_read(p, end, &next);
	if (!isfinite(v))
		return lh_err_set(err, LH_EDATA, "number beyond double precision");
	x = lh_exact_of(&(struct lh_value){ p, (size_t)(end - p), LH_NUMBER, false });
	if (!x.n) {
		lh_buf_putc(out, '0');
		return 0;
	}
	if (v == 0)
		return add_digits(out, &x, err);
	lh_f64_decimal(&d, fabs(v));
	if (!is_exact(&d, &x))
		return add_digits(out, &x, err);
	if (v < 0)
		lh_buf_putc(out, '-');
	n = (size_t)d.n;
	if (d.e >= 21 || d.e < -6) {
		lh_buf_putc(out, d.digit[0]);
		if (d.n > 1) {
			lh_buf_putc(out, '.');
			lh_buf_add(out, d.digit + 1, (size_t)d.n - 1);
		}
		lh_buf_puts(out, d.e < 0 ? "e-" : "e+");
		lh_buf_u64(out, (uint64_t)(d.e < 0 ? -d.e : d.e));
	} else if (d.e < 0) {
		lh_buf_add(out, "0.00000", (size_t)(1 - d.e));
		lh_buf_add(out, d.digit, n);
	} else {
		whole = (size_t)d.e + 1;
		lh_buf_add(out, d.digit, whole);
		if (n > whole) {
			lh_buf_putc(out, '.');
			lh_buf_add(out, d.digit + whole, n - whole);
		}
	}
	return 0;
}
