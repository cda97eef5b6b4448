/* f64_print.c - the shortest text of doubles.  See lh/num.h. */
#include "decimal.h"
#include <lh/num.h>
#include "pow10.h"

/* Return floor(g * cp / 2^128), the last bit set if anything was cut off. */
static uint64_t round_to_odd(const uint64_t *g, uint64_t cp)
{
	unsigned __int128 lo = (unsigned __int128)g[1] * cp;
	unsigned __int128 y = (unsigned __int128)g[0] * cp + (uint64_t)(lo >> 64);

	return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

static void shortest(struct lh_decimal *d, uint64_t c, int q, bool closer)
{
	uint64_t odd = c & 1, lower, upper, vb, s, sp;
	int k = closer ? lh_log10_pow2_closer(q) : lh_log10_pow2(q);
	int h = q + lh_log2_pow10(-k) + 1;
	const uint64_t *g = lh_pow10(-k);
	bool down, up;

	lower = round_to_odd(g, (4 * c - 2 + closer) << h) + odd;
	vb = round_to_odd(g, (4 * c) << h);
	upper = round_to_odd(g, (4 * c + 2) << h) - odd;
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
		shortest(d, c, q, !frac && exp > 1);
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
