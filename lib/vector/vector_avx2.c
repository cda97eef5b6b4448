/* vector_avx2.c - the kernels for AVX2.  See vector_kernels.h. */
#ifdef __x86_64__
#include <immintrin.h>

#define LANES 8
#define BYTES 32
#define TARGET __attribute__((target("avx2")))	/* without FMA */
#include "lanes.h"

typedef __m256i ints;

INLINE float sum_of(vec v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

/* ---- codes of graph.h ---- */

#define lookup _mm256_shuffle_epi8
#define bits_of(mask) (unsigned)_mm256_movemask_ps((vec)(mask))

INLINE __m128i eight_sums(ints v)
{
	return _mm_add_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

#include "qg_source.h"

/* Round eight sums to integers. */
INLINE __m256i round_to_int(__m256 sum, __m256 min, __m256 per_step)
{
	return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_sub_ps(sum, min), per_step));
}

TARGET static void tables(const float *v, uint32_t dim, float min, float per_step,
			  uint8_t *table)
{
	const __m256 by0 = _mm256_castsi256_ps(_mm256_setr_epi32(0, -1, 0, -1, 0, -1, 0, -1));
	const __m256 by1 = _mm256_castsi256_ps(_mm256_setr_epi32(0, 0, -1, -1, 0, 0, -1, -1));
	const __m256 by2 = _mm256_castsi256_ps(_mm256_setr_epi32(0, 0, 0, 0, -1, -1, -1, -1));
	const __m256 least = _mm256_set1_ps(min), per = _mm256_set1_ps(per_step);
	__m256 low, high, fourth;
	__m256i a, b;
	uint32_t i;

	for (i = 0; i < dim; i += 4, table += 16) {
		low = _mm256_add_ps(_mm256_and_ps(_mm256_set1_ps(v[i]), by0),
				    _mm256_and_ps(_mm256_set1_ps(v[i + 1]), by1));
		high = _mm256_and_ps(_mm256_set1_ps(v[i + 2]), by2);
		fourth = _mm256_add_ps(high, _mm256_set1_ps(v[i + 3]));
		a = round_to_int(_mm256_add_ps(low, high), least, per);
		b = round_to_int(_mm256_add_ps(low, fourth), least, per);
		a = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
		_mm_storeu_si128((void *)table,
				 _mm_packus_epi16(_mm256_castsi256_si128(a),
						  _mm256_extracti128_si256(a, 1)));
	}
}

const struct lh_qg_kernel lh_qg_avx2 = { rotate, encode, tables, sums, estimate };

/* ---- distances ---- */

#undef TARGET
#define TARGET __attribute__((target("avx2,fma,f16c")))
#define DOT_SUMS 4
#define L2_SUMS 2
#define MASKED false
#define LOAD(p, n) load(p)
#define fused _mm256_fmadd_ps
#define total sum_of

#include "distance_source.h"

const struct lh_distance_kernel lh_distance_avx2 = {
	"avx2", LH_AVX2, dot, l2sq, dot_rows, l2sq_rows,
};

/* ---- codes of quantize.h ---- */

#undef LOAD
#define LOAD(p, n) load_some(p, n, 0)
#define fused_minus _mm256_fnmadd_ps
#define all_bytes _mm256_set1_epi8
#define max_bytes _mm256_max_epi8
#define half_ps(v) (v)
#define half_epi32(v) (v)
#define OFFSET(q) 0u

INLINE vec halves(const unsigned char *p, size_t n)
{
	__m128i some = { 0 };

	if (n >= LANES)
		return _mm256_cvtph_ps(_mm_loadu_si128((const void *)p));
	memcpy(&some, p, n * 2);
	return _mm256_cvtph_ps(some);
}

INLINE ints widen(const unsigned char *p)
{
	return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p));
}

INLINE ints load_bytes(const void *p, size_t n, char fill)
{
	ints v = all_bytes(fill);

	if (n >= BYTES)
		return _mm256_loadu_si256(p);
	memcpy(&v, p, n);
	return v;
}

INLINE void store_bytes(void *p, ints v, size_t n)
{
	memcpy(p, &v, n);
}

INLINE ints products(ints s, ints a, ints b)
{
	ints pairs = _mm256_maddubs_epi16(a, b);

	return _mm256_add_epi32(s, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* Multiply |c| by the query's value with the sign of c: the sum of two products of at
 * most 128 * 127 fits 16 bits. */
INLINE ints add_i8(ints v, ints row, ints s)
{
	ints c = row ^ all_bytes((char)LH_CODE_ZERO);

	return products(s, _mm256_abs_epi8(c), _mm256_sign_epi8(v, c));
}

#include "quantize_source.h"

const struct lh_quantize_kernel lh_quantize_avx2 = { rows_f16, rows_i8, get_f16, get_i8, sign };
#endif
