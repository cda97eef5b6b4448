/* num_read.c - read numbers from JSON text, correctly rounded.  See lh/num.h. */
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <lh/num.h>
#include "bits.h"
#include "cpu.h"
#include "pow10.h"

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
