/* decimal.c - print decimals.  See decimal.h. */
#include "decimal.h"

#include <string.h>

#include "pow10.h"

static int count_digits(uint64_t m)
{
	int t = (64 - __builtin_clzll(m)) * 1233 >> 12;

	return t + (m >= lh_pow10_whole[t]);
}

void lh_decimal_set(struct lh_decimal *d, uint64_t m, int k)
{
	int n = count_digits(m);
	uint64_t s = m * lh_pow10_whole[17 - n], top = s / 10000000000000000ull, a, b;

	s -= top * 10000000000000000ull;
	a = lh_eight_digits(s / 100000000);
	b = lh_eight_digits(s % 100000000);
	d->e = k + n - 1;
	if (b)
		d->n = 17 - (__builtin_clzll(b) >> 3);
	else
		d->n = a ? 9 - (__builtin_clzll(a) >> 3) : 1;
	a |= 0x3030303030303030ull;
	b |= 0x3030303030303030ull;
	d->digit[0] = (char)('0' + top);
	memcpy(d->digit + 1, &a, 8);
	memcpy(d->digit + 9, &b, 8);
	memset(d->digit + 17, '0', 7);
}

/* Write e<exponent> without leading zeros. */
static size_t put_exponent(char *to, int e)
{
	char *p = to;

	*p++ = 'e';
	if (e < 0) {
		*p++ = '-';
		e = -e;
	}
	if (e >= 100)
		*p++ = (char)('0' + e / 100);
	if (e >= 10)
		*p++ = (char)('0' + e / 10 % 10);
	*p++ = (char)('0' + e % 10);
	return (size_t)(p - to);
}

static int exponent_length(int e)
{
	int a = e < 0 ? -e : e;

	return 2 + (e < 0) + (a >= 10) + (a >= 100);
}

size_t lh_decimal_print(char *to, const struct lh_decimal *d)
{
	int n = d->n, e = d->e;
	int fixed = e < 0 ? n - e + 1 : e >= n - 1 ? e + 1 : n + 1;

	if (fixed > n + (n > 1) + exponent_length(e)) {
		to[0] = d->digit[0];
		to[1] = '.';
		memcpy(to + 2, d->digit + 1, 16);
		n += n > 1;
		return (size_t)n + put_exponent(to + n, e);
	}
	if (e < 0) {
		memcpy(to, "0.000000", 8);
		memcpy(to + 1 - e, d->digit, 17);
	} else {
		memcpy(to, d->digit, 24);
		if (e < n - 1) {
			to[e + 1] = '.';
			memcpy(to + e + 2, d->digit + e + 1, (size_t)(n - e - 1));
		}
	}
	return (size_t)fixed;
}
