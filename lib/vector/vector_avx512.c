/* vector_avx512.c - the kernels for AVX-512.  See vector_kernels.h. */
#ifdef __x86_64__
#include <immintrin.h>

#define LANES 16
#define BYTES 64
#define TARGET __attribute__((target("avx512f")))
#include "lanes.h"

typedef __m512i ints;

/* ---- distances ---- */

#define DOT_SUMS 4
#define L2_SUMS 2
#define MASKED true
#define LOAD(p, n) _mm512_maskz_loadu_ps(first(n), p)
#define fused _mm512_fmadd_ps
#define total _mm512_reduce_add_ps

INLINE __mmask16 first(size_t n)
{
	return n < 16 ? (__mmask16)((1u << n) - 1) : (__mmask16)0xffff;
}

#include "distance_source.h"

const struct lh_distance_kernel lh_distance_avx512 = {
	"avx512", LH_AVX512, dot, l2sq, dot_rows, l2sq_rows,
};

/* ---- codes of graph.h ---- */

#undef TARGET
#define TARGET __attribute__((target("avx512f,avx512bw")))

#define lookup _mm512_shuffle_epi8

INLINE vec flip(vec v, const unsigned char *signs)
{
	uint16_t bits;

	memcpy(&bits, signs, sizeof bits);
	return (vec)_mm512_mask_xor_epi32((ints)v, bits, (ints)v, _mm512_set1_epi32(INT32_MIN));
}

INLINE vec butterfly(vec v, vec moved, __mmask16 less)
{
	return _mm512_mask_sub_ps(moved + v, less, moved, v);
}

INLINE __m128i eight_sums(ints v)
{
	__m256i s = _mm256_add_epi16(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));

	return _mm_add_epi16(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

#include "qg_source.h"

TARGET static void tables(const float *v, uint32_t dim, float min, float per_step,
			  uint8_t *table)
{
	const __m512 least = _mm512_set1_ps(min), per = _mm512_set1_ps(per_step);
	__m512 low, high;
	__m512i e;
	uint32_t i;

	for (i = 0; i < dim; i += 4, table += 16) {
		low = _mm512_maskz_mov_ps(0xaaaa, _mm512_set1_ps(v[i]));
		low = _mm512_add_ps(low, _mm512_maskz_mov_ps(0xcccc, _mm512_set1_ps(v[i + 1])));
		high = _mm512_maskz_mov_ps(0xf0f0, _mm512_set1_ps(v[i + 2]));
		high = _mm512_add_ps(high, _mm512_maskz_mov_ps(0xff00, _mm512_set1_ps(v[i + 3])));
		low = _mm512_sub_ps(_mm512_add_ps(low, high), least);
		e = _mm512_cvtps_epi32(_mm512_mul_ps(low, per));
		_mm_storeu_si128((void *)table, _mm512_cvtepi32_epi8(e));
	}
}

const struct lh_qg_kernel lh_qg_avx512 = { rotate, encode, tables, sums, estimate };

/* ---- codes of quantize.h, with VNNI ---- */

#undef TARGET
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

#define fused_minus _mm512_fnmadd_ps
#define all_bytes _mm512_set1_epi8
#define max_bytes _mm512_max_epi8
#define products _mm512_dpbusd_epi32
#define add_i8(v, row, s) products(s, row, v)	/* rows are unsigned, offset by 128 */
#define OFFSET(q) (uint32_t)(q)->sum

INLINE vec halves(const unsigned char *p, size_t n)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p));
}

INLINE ints widen(const unsigned char *p)
{
	return _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p));
}

INLINE __mmask64 first_bytes(size_t n)
{
	return n < 64 ? ((__mmask64)1 << n) - 1 : ~(__mmask64)0;
}

INLINE ints load_bytes(const void *p, size_t n, char fill)
{
	return _mm512_mask_loadu_epi8(all_bytes(fill), first_bytes(n), p);
}

INLINE void store_bytes(void *p, ints v, size_t n)
{
	_mm512_mask_storeu_epi8(p, first_bytes(n), v);
}

INLINE __m256 half_ps(vec s)
{
	return _mm256_add_ps(_mm512_castps512_ps256(s),
			     _mm256_castpd_ps(_mm512_extractf64x4_pd((__m512d)s, 1)));
}

INLINE __m256i half_epi32(ints s)
{
	return _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
}

#include "quantize_source.h"

const struct lh_quantize_kernel lh_quantize_avx512 = { rows_f16, rows_i8, get_f16, get_i8, sign };
#endif
