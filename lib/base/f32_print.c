/* f32_print.c - the shortest text of single floats.  See lh/num.h. */
#include <math.h>

#include "decimal.h"
#include <lh/num.h>
#include "pow10.h"

/* Return floor(g * cp / 2^64), the last bit set if anything was cut off. */
static uint32_t round_to_odd(uint64_t g, uint32_t cp)
{
	unsigned __int128 p = (unsigned __int128)g * cp;

	return (uint32_t)(p >> 64) | ((uint32_t)(p >> 32) > 1);
}

/* Return the m of the shortest m * 10^k inside the interval that rounds to c * 2^q.
 * Both lengths are equally likely, so the choice is made without a branch. */
static inline uint32_t shortest(uint32_t c, int q, bool closer, int *exponent)
{
	uint32_t odd = c & 1, lower, upper, vb, s, sp;
	int k = closer ? lh_log10_pow2_closer(q) : lh_log10_pow2(q);
	int h = q + lh_log2_pow10(-k) + 1;
	const uint64_t *pow = lh_pow10(-k);
	uint64_t g = pow[0] + (pow[1] != 0);
	uint32_t down, up, up10, shorter, nearer;

	lower = round_to_odd(g, (4 * c - 2 + closer) << h) + odd;
	vb = round_to_odd(g, (4 * c) << h);
	upper = round_to_odd(g, (4 * c + 2) << h) - odd;
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
	return shortest(c, q, !frac && exp > 1, k);
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
