/* f32_array_avx2.c - read arrays of floats, 64 bytes of text at a time. */
#include "num_round.h"

#ifdef __x86_64__
#include <string.h>

#include "cpu.h"

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

LH_TARGET const char *lh_f32s_avx2(const char *p, const char *from, const char *end, float *out,
				   size_t max, size_t *n)
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
