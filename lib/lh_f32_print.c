/* lh_f32_print.c - shortest text of single floats.  See lh_num.h. */
#include "lh_decimal.h"
#include "lh_num.h"
#include "lh_pow10.h"

/* floor(g * cp / 2^64), the last bit set when anything was cut off. */
static uint32_t round_to_odd(uint64_t g, uint32_t cp)
{
	unsigned __int128 p = (unsigned __int128)g * cp;

	return (uint32_t)(p >> 64) | ((uint32_t)(p >> 32) > 1);
}

static void shortest(struct lh_decimal *d, uint32_t c, int q, bool closer)
{
	uint32_t odd = c & 1, lower, upper, vb, s, sp;
	int k = closer ? lh_log10_pow2_closer(q) : lh_log10_pow2(q);
	int h = q + lh_log2_pow10(-k) + 1;
	const uint64_t *pow = lh_pow10(-k);
	uint64_t g = pow[0] + (pow[1] != 0);
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

void lh_f32_decimal(struct lh_decimal *d, float v)
{
	uint32_t bits, frac, c;
	int exp, q;

	memcpy(&bits, &v, sizeof bits);
	frac = bits & 0x7fffff;
	exp = (int)(bits >> 23 & 0xff);
	c = exp ? frac | 0x800000 : frac;
	q = (exp ? exp : 1) - 150;
	if (q <= 0 && q > -24 && !(c & ((1u << -q) - 1)))
		lh_decimal_set(d, c >> -q, 0);
	else
		shortest(d, c, q, !frac && exp > 1);
}

/* to has 48 bytes */
static inline size_t print(char *to, float v)
{
	struct lh_decimal d;
	size_t neg = __builtin_signbit(v) != 0;

	*to = '-';
	to += neg;
	if (v == 0) {
		*to = '0';
		return 1 + neg;
	}
	lh_f32_decimal(&d, neg ? -v : v);
	return lh_decimal_print(to, &d) + neg;
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
