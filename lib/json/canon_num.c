/* canon_num.c - Number::toString of ECMA-262, for RFC 8785. */
#include "canon_num.h"

#include <math.h>

#include "base/decimal.h"
#include <lh/num.h>

/* A whole number of at most this many digits is its own canonical text. */
#define PLAIN_DIGITS 15

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

int lh_canon_number(struct lh_buf *out, const char *p, const char *end, struct lh_err *err)
{
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
	if (v == 0) {
		lh_buf_putc(out, '0');
		return 0;
	}
	if (v < 0)
		lh_buf_putc(out, '-');
	lh_f64_decimal(&d, fabs(v));
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
