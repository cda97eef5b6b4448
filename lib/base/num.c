/*
 * num.c - read numbers from JSON text, correctly rounded, and print their shortest decimals.  See
 * num.h and decimal.h.
 */
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "bits.h"
#include "cpu.h"
#include "decimal.h"

/* ---- powers of ten ---- */

/*
 * 128-bit fractions, rounded up, which pow10.awk makes: lh_pow10(k) is 10^k scaled to
 * 2^127 <= hi:lo < 2^128.  The Schubfach printers need it rounded up; a reader adds its one unit in
 * the last place to its error bound.  lh_pow10_whole[k] is 10^k itself.
 */
#define LH_POW10_MIN (-343)
#define LH_POW10_MAX 324

static const uint64_t lh_pow10_whole[20] = {
	1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull,
	100000000ull, 1000000000ull, 10000000000ull, 100000000000ull,
	1000000000000ull, 10000000000000ull, 100000000000000ull,
	1000000000000000ull, 10000000000000000ull, 100000000000000000ull,
	1000000000000000000ull, 10000000000000000000ull,
};

static const uint64_t lh_pow10_table[LH_POW10_MAX - LH_POW10_MIN + 1][2] = {
#include "share/pow10.inc"
};

static inline const uint64_t *lh_pow10(int k)
{
	return lh_pow10_table[k - LH_POW10_MIN];
}

/* floor(log2(10^k)), floor(log10(2^e)) and floor(log10(3/4 * 2^e)), exact for every
 * exponent of a double. */
static inline int lh_log2_pow10(int k)
{
	return (k * 1741647) >> 19;
}

static inline int lh_log10_pow2(int e)
{
	return (e * 1262611) >> 22;
}

static inline int lh_log10_pow2_closer(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

/* ---- decimal to single precision with one multiplication ---- */

/*
 * w * 10^e is w times the upper 64 bits of the power.  The upper half of the
 * product is within two units of the exact value, so it decides the rounding unless
 * the bits below a float's 24 are that close to one half.  Those (about one in
 * 10^10) are left to the caller's slow path.
 */

/* Round w * 10^e to the bits of a float without its sign; false if this
 * multiplication does not decide it. */
static inline bool lh_round_f32(uint64_t w, int64_t e, uint32_t *bits)
{
	const uint64_t *pow;
	uint64_t hi, half, low;
	uint32_t zero = w == 0;		/* many elements are: no branch */
	int lz, up, exp;

	*bits = 0;
	if (__builtin_expect(e < -64 || e > 40, 0))
		return zero;
	w |= zero;
	pow = lh_pow10((int)e);
	lz = __builtin_clzll(w);
	hi = (uint64_t)((unsigned __int128)(w << lz) * (pow[0] + (pow[1] != 0)) >> 64);
	up = (int)(hi >> 63);
	exp = lh_log2_pow10((int)e) + 63 - lz + up + 127;
	half = 1ull << (38 + up);
	low = hi & (2 * half - 1);
	if (__builtin_expect(exp < 1 || exp > 253 || low - half + 2 <= 4, 0))
		return false;
	*bits = (((uint32_t)exp << 23) + (uint32_t)((hi + half) >> (39 + up)) - 0x800000) &
		(zero - 1);
	return true;
}

/* ---- arrays of floats, 64 bytes of text at a time ---- */

#ifdef __x86_64__

#define FRACTION 16	/* digits after the point that one register takes */
#define UPPER 1800	/* times 10^16 this still fits in 64 bits */

/* What the bytes of a block are, a bit for each. */
struct marks {
	uint64_t stop;		/* a comma or the bracket */
	uint64_t point;
	uint64_t odd;		/* not part of a plain number */
};

static LH_TARGET inline struct marks mark_block(const char *p)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(p + 32));
	struct marks m;

	m.stop = lh_bytes_equal(a, b, ',') | lh_bytes_equal(a, b, ']');
	m.point = lh_bytes_equal(a, b, '.');
	m.odd = ~(lh_bytes_digits(a, b) | m.stop | m.point | lh_bytes_equal(a, b, '-'));
	/* ", " is as plain as "," */
	m.odd &= ~(m.stop << 1 & lh_bytes_equal(a, b, ' '));
	return m;
}

/* Return the last n of the 16 digits that end at p. */
static LH_TARGET inline uint64_t last_digits(const char *p, unsigned n)
{
	static const char keep[32] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	};
	const __m128i tens = _mm_set1_epi16(0x010a), hundreds = _mm_set1_epi32(0x00010064);
	__m128i v = _mm_loadu_si128((const __m128i *)(p - 16));
	uint64_t pairs;

	v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(keep + n)));
	v = _mm_madd_epi16(_mm_maddubs_epi16(v, tens), hundreds);
	v = _mm_packus_epi32(v, v);
	v = _mm_madd_epi16(v, _mm_set1_epi32(0x00012710));
	pairs = (uint64_t)_mm_cvtsi128_si64(v);
	return (pairs & 0xffffffff) * 100000000 + (pairs >> 32);
}

/* Convert one number from p to end; point is its decimal point, or end if it has
 * none.  False if it is not plain. */
static LH_TARGET inline bool read_plain(const char *p, const char *point, const char *end,
					float *out)
{
	uint32_t bits, neg = *p == '-';
	unsigned n = (unsigned)(end - point) - (end != point);
	uint64_t w = (uint64_t)(point[-1] - '0');

	if (p + neg + 1 != point || n > 2 * FRACTION)
		return false;
	if (__builtin_expect(n <= FRACTION, 1)) {
		w = w * lh_pow10_whole[n] + last_digits(end, n);
	} else {
		w = w * lh_pow10_whole[n - FRACTION] + last_digits(end - FRACTION, n - FRACTION);
		if (w > UPPER)
			return false;
		w = w * lh_pow10_whole[FRACTION] + last_digits(end, FRACTION);
	}
	if (!lh_round_f32(w, -(int64_t)n, &bits))
		return false;
	bits |= neg << 31;
	memcpy(out, &bits, sizeof bits);
	return true;
}

/* Read plain numbers (a digit, perhaps a point and digits) from p, which is at one
 * in an array that began at from, until something else follows; return where that
 * begins.  *n counts the elements of out, those already there included. */
static LH_TARGET const char *lh_f32s_avx2(const char *p, const char *from, const char *end,
					  float *out, size_t max, size_t *n)
{
	float *at = out + *n, *const full = out + max;

	while (end - p > 0) {
		const char *base = p;
		struct marks m = mark_block(p);

		if (end - p < 64)
			m.stop = _bzhi_u64(m.stop, (uint32_t)(end - p));
		if (!m.stop)
			break;
		for (; m.stop; m.stop &= m.stop - 1) {
			uint64_t upto = _blsmsk_u64(m.stop);
			const char *stop = base + _tzcnt_u64(m.stop);

			p += *p == ' ';
			if (m.odd & upto || stop - from < 2 * FRACTION || at == full ||
			    !read_plain(p, base + _tzcnt_u64(m.point | (m.stop & -m.stop)), stop,
					at))
				goto out;
			at++;
			m.point &= ~upto;
			p = stop + 1;
		}
		if (p[-1] == ']') {
			p--;
			break;
		}
		p += *p == ' ';
	}
out:
	*n = (size_t)(at - out);
	return p;
}
#endif

/* ---- numbers ---- */

/* A number as w * 10^e, or a little more if digits were cut off. */
struct number {
	uint64_t w;
	int64_t e;
	bool neg, cut;
};

#define EXP_MAX 1000000000000ll	/* beyond it the value is 0 or infinite in any case */

/* Return how many of the eight bytes, from the first on, are digits. */
static inline unsigned digits_in(uint64_t t)
{
	uint64_t other = ((t + 0x7676767676767676ull) | t) & 0x8080808080808080ull;

	return other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
}

/* Combine eight digit values, the first in the lowest byte, into one number. */
static inline uint64_t join_eight_digits(uint64_t t)
{
	t = t * 10 + (t >> 8);
	return (((t & 0x000000ff000000ffull) * 0x000f424000000064ull) +
		((t >> 16 & 0x000000ff000000ffull) * 0x0000271000000001ull)) >> 32;
}

/* Append the run of digits at p to *w; the total number of digits must stay below 20. */
static inline const char *read_digits(const char *p, const char *end, uint64_t *w)
{
	unsigned n;

	do {
		uint64_t t = lh_load64(p) ^ 0x3030303030303030ull;

		n = digits_in(t);
		if (unlikely((size_t)(end - p) < n))
			n = (unsigned)(end - p);
		if (!n)
			break;
		*w = *w * lh_pow10_whole[n] + join_eight_digits(t << (64 - 8 * n));
		p += n;
	} while (n == 8);
	return p;
}

static const char *read_exponent(const char *p, const char *end, int64_t *e)
{
	bool neg = p < end && *p == '-';
	int64_t v = 0;

	p += p < end && (*p == '-' || *p == '+');
	for (; p < end && (unsigned char)(*p - '0') < 10; p++)
		if (v < EXP_MAX)
			v = v * 10 + (*p - '0');
	*e += neg ? -v : v;
	return p;
}

/* The digits of a long number, without its point and leading zeros. */
struct digits {
	char *to;
	size_t n, max;
	int64_t e;
	bool cut;
};

static void append_digits(struct digits *d, const char *p, const char *end)
{
	bool point = false;

	for (; p < end && (*p == '.' || (unsigned char)(*p - '0') < 10); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		d->e -= point;
		if (d->n == 0 && *p == '0')
			continue;
		if (d->n < d->max) {
			d->to[d->n++] = *p;
		} else {
			d->e++;
			d->cut |= *p != '0';
		}
	}
}

/* Read more than 19 digits: the first 19 significant ones into *x. */
static __attribute__((noinline)) void read_long(struct number *x, const char *p, const char *end)
{
	char text[19];
	struct digits d = { .to = text, .max = sizeof text };
	size_t i;

	append_digits(&d, p, end);
	for (x->w = 0, i = 0; i < d.n; i++)
		x->w = x->w * 10 + (uint64_t)(text[i] - '0');
	x->e = d.e;
	x->cut = d.cut;
}

static inline const char *read_number(struct number *x, const char *p, const char *end)
{
	const char *first, *point;
	size_t n;

	*x = (struct number){ .neg = *p == '-' };
	first = p += x->neg;
	p = read_digits(p, end, &x->w);
	n = (size_t)(p - first);
	if (p < end && *p == '.') {
		point = ++p;
		p = read_digits(p, end, &x->w);
		x->e = point - p;
		n += (size_t)(p - point);
	}
	if (unlikely(n > 19))
		read_long(x, first, end);
	if (unlikely(p < end && (*p | 0x20) == 'e'))
		p = read_exponent(p + 1, end, &x->e);
	return p;
}

/* Convert a number that the fast path cannot decide with glibc's strtod in the C
 * locale.  At most 767 digits can matter for a double; a 1 replaces all that
 * follow. */
static __attribute__((noinline)) double by_strtod(const char *p, const char *end, bool single)
{
	char text[840];
	struct digits d = { .to = text + 1, .max = 780 };
	const char *q;
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	text[0] = *p == '-' ? '-' : '+';
	p += *p == '-';
	append_digits(&d, p, end);
	for (q = p; q < end && (*q | 0x20) != 'e' && (*q == '.' || (unsigned char)(*q - '0') < 10);
	     q++)
		;
	if (q < end && (*q | 0x20) == 'e')
		read_exponent(q + 1, end, &d.e);
	snprintf(text + 1 + d.n, sizeof text - 1 - d.n, "%se%lld", d.cut ? "1" : d.n ? "" : "0",
		 (long long)(d.cut ? d.e - 1 : d.e));
	return single ? (double)strtof_l(text, NULL, c) : strtod_l(text, NULL, c);
}

static inline float finish_f32(const struct number *x, const char *p, const char *end)
{
	uint32_t bits, more;
	float v;

	if (unlikely(!lh_round_f32(x->w, x->e, &bits)))
		return (float)by_strtod(p, end, true);
	if (unlikely(x->cut) && (!lh_round_f32(x->w + 1, x->e, &more) || more != bits))
		return (float)by_strtod(p, end, true);
	bits |= (uint32_t)x->neg << 31;
	memcpy(&v, &bits, sizeof v);
	return v;
}

float lh_f32_read(const char *p, const char *end, const char **next)
{
	struct number x;

	*next = read_number(&x, p, end);
	return finish_f32(&x, p, end);
}

/* Round to a double, with all 128 bits of the power. */
static bool round_f64(uint64_t w, int64_t e, uint64_t *bits)
{
	unsigned __int128 y;
	const uint64_t *pow;
	uint64_t hi, low, half, sticky;
	int lz, up, exp;

	if (!w || e < LH_POW10_MIN || e > 308) {
		*bits = 0;
		return !w;
	}
	pow = lh_pow10((int)e);
	lz = __builtin_clzll(w);
	y = (unsigned __int128)(w << lz) * pow[0] +
		(uint64_t)((unsigned __int128)(w << lz) * pow[1] >> 64);
	hi = (uint64_t)(y >> 64);
	up = (int)(hi >> 63);
	exp = lh_log2_pow10((int)e) + 63 - lz + up + 1023;
	half = 1ull << (9 + up);
	low = hi & (2 * half - 1);
	sticky = (uint64_t)y;
	/* the true product is within one unit of y */
	if (exp < 1 || exp > 2045 || (low == half && sticky <= 1) ||
	    (low == half - 1 && sticky == UINT64_MAX))
		return false;
	*bits = ((uint64_t)exp << 52) + ((hi + half) >> (10 + up)) - (1ull << 52);
	return true;
}

double lh_f64_read(const char *p, const char *end, const char **next)
{
	struct number x;
	uint64_t bits, more;
	double v;

	*next = read_number(&x, p, end);
	if (!x.cut && x.e == 0) {
		v = (double)x.w;
		return x.neg ? -v : v;
	}
	if (!round_f64(x.w, x.e, &bits) || (x.cut &&
					    (!round_f64(x.w + 1, x.e, &more) || more != bits)))
		return by_strtod(p, end, false);
	bits |= (uint64_t)x.neg << 63;
	memcpy(&v, &bits, sizeof v);
	return v;
}

static inline const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

long lh_f32s_read(const char *p, const char *end, float *out, size_t max, struct lh_err *err)
{
	const char *const from = p, *next;
	struct number x;
	size_t n = 0;
	float v;

	for (p = skip_space(p + 1, end); p < end; p = skip_space(p + (*p == ','), end)) {
#ifdef __x86_64__
		if (lh_cpu() == LH_CPU_AVX2)
			p = lh_f32s_avx2(p, from, end, out, max, &n);
#endif
		if (p >= end || *p == ']')
			break;
		if (unlikely(*p != '-' && (unsigned char)(*p - '0') > 9))
			return lh_err_set(err, LH_EDATA, "element %zu is not a number", n);
		if (unlikely(n == max))
			return lh_err_data(err, 413, "more than %s", LH_N(max, "number"));
		next = read_number(&x, p, end);
		v = finish_f32(&x, p, end);
		if (unlikely(!(fabsf(v) <= __FLT_MAX__)))
			return lh_err_set(err, LH_EDATA, "element %zu is beyond single precision",
					  n);
		out[n++] = v;
		p = skip_space(next, end);
	}
	return (long)n;
}

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
