/* decimal.c - print numbers by their shortest decimals.  See decimal.h and lh/num.h. */
#include "decimal.h"

#include <math.h>
#include <string.h>

#include <lh/num.h>
#include "pow10.h"

/* ---- decimals ---- */

static int count_digits(uint64_t m)
{
	int t = (64 - __builtin_clzll(m)) * 1233 >> 12;

	return t + (m >= lh_pow10_whole[t]);
}

/* Set d to the digits of m * 10^k, 0 < m < 10^17. */
static void lh_decimal_set(struct lh_decimal *d, uint64_t m, int k)
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

/* Write d in the shorter of fixed and scientific notation to `to`, which has 48
 * bytes; return the length. */
static size_t lh_decimal_print(char *to, const struct lh_decimal *d)
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

/* ---- single floats ---- */

/* Return floor(g * cp / 2^64), the last bit set if anything was cut off. */
static uint32_t round_f32_to_odd(uint64_t g, uint32_t cp)
{
	unsigned __int128 p = (unsigned __int128)g * cp;

	return (uint32_t)(p >> 64) | ((uint32_t)(p >> 32) > 1);
}

/* Return the m of the shortest m * 10^k inside the interval that rounds to c * 2^q.
 * Both lengths are equally likely, so the choice is made without a branch. */
static inline uint32_t shortest_f32(uint32_t c, int q, bool closer, int *exponent)
{
	uint32_t odd = c & 1, lower, upper, vb, s, sp;
	int k = closer ? lh_log10_pow2_closer(q) : lh_log10_pow2(q);
	int h = q + lh_log2_pow10(-k) + 1;
	const uint64_t *pow = lh_pow10(-k);
	uint64_t g = pow[0] + (pow[1] != 0);
	uint32_t down, up, up10, shorter, nearer;

	lower = round_f32_to_odd(g, (4 * c - 2 + closer) << h) + odd;
	vb = round_f32_to_odd(g, (4 * c) << h);
	upper = round_f32_to_odd(g, (4 * c + 2) << h) - odd;
	s = vb / 4;
	sp = s / 10;
	up10 = 40 * sp + 40 <= upper;
	shorter = (s >= 10) & ((lower <= 40 * sp) ^ up10);
	down = lower <= 4 * s;
	up = 4 * s + 4 <= upper;
	nearer = (vb > 4 * s + 2) | ((vb == 4 * s + 2) & s);
	s += (up & (down ^ up)) | (nearer & 1 & ~(down ^ up));
	sp += up10;
	*exponent = k + (int)shorter;
	return s ^ ((s ^ sp) & -shorter);
}

static inline uint32_t decimal(float v, int *k)
{
	uint32_t bits, frac, c;
	int exp, q;

	memcpy(&bits, &v, sizeof bits);
	frac = bits & 0x7fffff;
	exp = (int)(bits >> 23 & 0xff);
	c = exp ? frac | 0x800000 : frac;
	q = (exp ? exp : 1) - 150;
	if (__builtin_expect(q <= 0 && q > -24 && !(c & ((1u << -q) - 1)), 0)) {
		*k = 0;
		return c >> -q;
	}
	return shortest_f32(c, q, !frac && exp > 1, k);
}

/* Print m * 10^k of the form 0.00123, m of 7 to 9 digits, as most elements of
 * vectors are; return 0 if it has another form. */
static inline size_t print_small_fraction(char *to, uint32_t m, int k)
{
	int more = (m >= 10000000) + (m >= 100000000), e = k + more + 6, n;
	uint32_t top;
	uint64_t rest;

	if (m < 1000000 || e > -1 || e < -3)
		return 0;
	m *= 1 + 9u * (m < 100000000) + 90u * (m < 10000000);
	top = m / 100000000;
	rest = lh_eight_digits(m % 100000000);
	if (__builtin_expect(!rest, 0))
		return 0;
	n = 9 - (__builtin_clzll(rest) >> 3);
	rest |= 0x3030303030303030ull;
	memcpy(to, "0.000000", 8);
	to[1 - e] = (char)('0' + top);
	memcpy(to + 2 - e, &rest, 8);
	return (size_t)(n - e + 1);
}

/* Print v to `to`, which has 48 bytes. */
static inline size_t print(char *to, float v)
{
	struct lh_decimal d;
	size_t neg = __builtin_signbit(v) != 0, n;
	uint32_t m;
	int k;

	*to = '-';
	to += neg;
	if (v == 0) {
		*to = '0';
		return 1 + neg;
	}
	m = decimal(fabsf(v), &k);
	n = print_small_fraction(to, m, k);
	if (__builtin_expect(!n, 0)) {
		lh_decimal_set(&d, m, k);
		n = lh_decimal_print(to, &d);
	}
	return n + neg;
}

size_t lh_f32_print(char *to, float v)
{
	char text[49];
	size_t n = print(text, v);

	memcpy(to, text, LH_F32_MAX);
	return n;
}

void lh_buf_f32s(struct lh_buf *b, const float *v, size_t n)
{
	char *to = n < SIZE_MAX / 32 ? lh_buf_room(b, n * (LH_F32_MAX + 1) + 64) : NULL;
	size_t i;

	if (!to) {
		lh_buf_grow(b, SIZE_MAX);
		return;
	}
	*to++ = '[';
	for (i = 0; i < n; i++) {
		to += print(to, v[i]);
		*to++ = ',';
	}
	to -= n > 0;
	*to++ = ']';
	b->len = (size_t)(to - b->p);
}

/* ---- doubles ---- */

/* Return floor(g * cp / 2^128), the last bit set if anything was cut off. */
static uint64_t round_f64_to_odd(const uint64_t *g, uint64_t cp)
{
	unsigned __int128 lo = (unsigned __int128)g[1] * cp;
	unsigned __int128 y = (unsigned __int128)g[0] * cp + (uint64_t)(lo >> 64);

	return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

static void shortest_f64(struct lh_decimal *d, uint64_t c, int q, bool closer)
{
	uint64_t odd = c & 1, lower, upper, vb, s, sp;
	int k = closer ? lh_log10_pow2_closer(q) : lh_log10_pow2(q);
	int h = q + lh_log2_pow10(-k) + 1;
	const uint64_t *g = lh_pow10(-k);
	bool down, up;

	lower = round_f64_to_odd(g, (4 * c - 2 + closer) << h) + odd;
	vb = round_f64_to_odd(g, (4 * c) << h);
	upper = round_f64_to_odd(g, (4 * c + 2) << h) - odd;
	s = vb / 4;
	if (s >= 10) {
		sp = s / 10;
		down = lower <= 40 * sp;
		up = 40 * sp + 40 <= upper;
		if (down != up) {
			lh_decimal_set(d, sp + up, k + 1);
			return;
		}
	}
	down = lower <= 4 * s;
	up = 4 * s + 4 <= upper;
	if (down == up)
		up = vb > 4 * s + 2 || (vb == 4 * s + 2 && (s & 1));
	lh_decimal_set(d, s + up, k);
}

void lh_f64_decimal(struct lh_decimal *d, double v)
{
	uint64_t bits, frac, c;
	int exp, q;

	memcpy(&bits, &v, sizeof bits);
	frac = bits & 0xfffffffffffffull;
	exp = (int)(bits >> 52 & 0x7ff);
	c = exp ? frac | 1ull << 52 : frac;
	q = (exp ? exp : 1) - 1075;
	if (q <= 0 && q > -53 && !(c & ((1ull << -q) - 1)))
		lh_decimal_set(d, c >> -q, 0);
	else
		shortest_f64(d, c, q, !frac && exp > 1);
}

size_t lh_f64_print(char *to, double v)
{
	char text[48];
	struct lh_decimal d;
	bool neg = __builtin_signbit(v);
	size_t n = 1;

	*to = '-';
	to += neg;
	*to = '0';
	if (v != 0) {
		lh_f64_decimal(&d, neg ? -v : v);
		n = lh_decimal_print(text, &d);
		memcpy(to, text, n);
	}
	return n + neg;
}
