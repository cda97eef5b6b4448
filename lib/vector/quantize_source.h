/*
 * quantize_source - distances to codes of quantize.h.
 *
 * The including file defines
 *
 *     fused, fused_minus(a, b, s)   a * b + s, and -a * b + s, rounded once
 *     LOAD, halves(p, n)            n <= LANES floats, and half floats, then zeros
 *     widen(p)                      LANES bytes as integers
 *     BYTES, ints                   the size of a vector, and one of integers
 *     load_bytes, store_bytes       of n <= BYTES, those that are not there being fill
 *     all_bytes, max_bytes          a byte everywhere, the greater of signed bytes
 *     products(s, a, b)             adds those of unsigned and signed bytes, by fours
 *     add_i8(query, row, s)         adds products of a code's bytes; OFFSET(q) is their excess
 *     half_ps, half_epi32           a vector of eight, if there are sixteen its halves added
 */
#include "vector_kernels.h"

#define F16_SIZE 2

/* Measure four rows; next: four to prefetch, or NULL. */
typedef void (*four_fn)(const struct lh_quantized_query *q, const unsigned char *const *row,
			const unsigned char *const *next, float *out);

/* Measure k rows by fours.  The last four may overlap those before: cached rows are
 * cheap.  Where each row is in a page of its own, the pages have to be found as well,
 * so one byte at the start and one in the middle of each row are prefetched first. */
static inline void rows_by_four(four_fn four, const struct lh_quantized_query *q,
				const void *const *codes, size_t k, float *out)
{
	const unsigned char *const *row = (const unsigned char *const *)codes;
	size_t i, middle = lh_quantize_bytes(q->precision, q->n) / 2;

	for (i = 0; i < k; i++) {
		__builtin_prefetch(row[i]);
		__builtin_prefetch(row[i] + middle);
	}
	if (k < 4) {
		const unsigned char *padded[4];
		float d[4];

		if (!k)
			return;
		for (i = 0; i < 4; i++)
			padded[i] = row[i < k ? i : k - 1];
		four(q, padded, NULL, d);
		memcpy(out, d, k * sizeof *d);
		return;
	}
	for (i = 0; i + 4 <= k; i += 4)
		four(q, row + i, i + 4 == k ? NULL : row + (i + 8 <= k ? i + 4 : k - 4), out + i);
	if (i < k)
		four(q, row + k - 4, NULL, out + k - 4);
}

INLINE __m128 sums_ps(const vec *v)
{
	__m256 s = _mm256_hadd_ps(_mm256_hadd_ps(half_ps(v[0]), half_ps(v[1])),
				  _mm256_hadd_ps(half_ps(v[2]), half_ps(v[3])));

	return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

INLINE __m128i sums_epi32(const ints *v)
{
	__m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(half_epi32(v[0]), half_epi32(v[1])),
				      _mm256_hadd_epi32(half_epi32(v[2]), half_epi32(v[3])));

	return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

INLINE uint32_t sum_epi32(ints a, ints b)
{
	const ints v[4] = { a, b };
	__m128i s = sums_epi32(v);

	return (uint32_t)_mm_cvtsi128_si32(s) + (uint32_t)_mm_extract_epi32(s, 1);
}

static inline void prefetch_rows(const unsigned char *const *next, size_t at)
{
	size_t j;

	if (next)
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			__builtin_prefetch(next[j] + at);
}

/* Add n <= LANES values of each row. */
INLINE void add_f16(bool l2, const float *query, const unsigned char *const *row, size_t i,
		    size_t n, vec *s)
{
	vec v = LOAD(query + i, n), r;

#pragma GCC unroll 4
	for (size_t j = 0; j < 4; j++) {
		r = halves(row[j] + F16_SIZE * i, n);
		s[j] = l2 ? fused(v - r, v - r, s[j]) : fused_minus(v, r, s[j]);
	}
}

INLINE void four_f16(bool l2, const struct lh_quantized_query *q, const unsigned char *const *row,
		     const unsigned char *const *next, float *out)
{
	vec s[4] = { { 0 } };
	size_t i, n = q->n;

	for (i = 0; i + LANES <= n; i += LANES) {
		if (i % 32 == 0)
			prefetch_rows(next, F16_SIZE * i);
		add_f16(l2, q->v, row, i, LANES, s);
	}
	if (i < n)
		add_f16(l2, q->v, row, i, n - i, s);
	_mm_storeu_ps(out, sums_ps(s));
}

TARGET static void four_f16_dot(const struct lh_quantized_query *q, const unsigned char *const *row,
				const unsigned char *const *next, float *out)
{
	four_f16(false, q, row, next, out);
}

TARGET static void four_f16_l2(const struct lh_quantized_query *q, const unsigned char *const *row,
			       const unsigned char *const *next, float *out)
{
	four_f16(true, q, row, next, out);
}

static void rows_f16(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		     float *out)
{
	rows_by_four(q->distance == LH_L2 ? four_f16_l2 : four_f16_dot, q, codes, k, out);
}

/* Add n <= BYTES values of each of k rows. */
INLINE void add_rows_i8(const int8_t *query, const unsigned char *const *row, unsigned k, size_t i,
			size_t n, ints *s)
{
	ints v = load_bytes(query + i, n, 0);

#pragma GCC unroll 4
	for (unsigned j = 0; j < k; j++)
		s[j] = add_i8(v, load_bytes(row[j] + i, n, 0), s[j]);
}

TARGET static void four_i8(const struct lh_quantized_query *q, const unsigned char *const *row,
			   const unsigned char *const *next, float *out)
{
	ints s[4] = { { 0 } };
	size_t i, j, n = q->n;
	uint32_t sum[4];

	for (i = 0; i + BYTES <= n; i += BYTES) {
		if (i % 64 == 0)
			prefetch_rows(next, i);
		add_rows_i8(q->c, row, 4, i, BYTES, s);
	}
	if (i < n)
		add_rows_i8(q->c, row, 4, i, n - i, s);
	prefetch_rows(next, n);
	_mm_storeu_si128((void *)sum, sums_epi32(s));
	for (j = 0; j < 4; j++)
		out[j] = lh_quantize_finish(q, row[j], (int32_t)(sum[j] - OFFSET(q)));
}

/* Measure one row, as a walk that visits single rows does. */
TARGET static float one_i8(const struct lh_quantized_query *q, const unsigned char *row)
{
	ints s[2] = { { 0 } };
	size_t i, n = q->n;

	for (i = 0; i + 2 * BYTES <= n; i += 2 * BYTES) {
		add_rows_i8(q->c, &row, 1, i, BYTES, s);
		add_rows_i8(q->c, &row, 1, i + BYTES, BYTES, s + 1);
	}
	for (; i + BYTES <= n; i += BYTES)
		add_rows_i8(q->c, &row, 1, i, BYTES, s);
	if (i < n)
		add_rows_i8(q->c, &row, 1, i, n - i, s + 1);
	return lh_quantize_finish(q, row, (int32_t)(sum_epi32(s[0], s[1]) - OFFSET(q)));
}

static void rows_i8(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		    float *out)
{
	if (k == 1)
		*out = one_i8(q, codes[0]);
	else
		rows_by_four(four_i8, q, codes, k, out);
}

/* Add n <= BYTES signed bytes; what fills the vector becomes zero. */
INLINE ints sign_some(const unsigned char *code, size_t n, int8_t *c, ints sum)
{
	ints v = load_bytes(code, n, (char)LH_CODE_ZERO) ^ all_bytes((char)LH_CODE_ZERO);

	v = max_bytes(v, all_bytes(1 - LH_CODE_ZERO));
	store_bytes(c, v, n);
	return products(sum, all_bytes(1), v);
}

TARGET static int32_t sign(const unsigned char *code, uint32_t n, int8_t *c)
{
	ints sum = { 0 };
	uint32_t i;

	for (i = 0; i + BYTES <= n; i += BYTES)
		sum = sign_some(code + i, BYTES, c + i, sum);
	if (i < n)
		sum = sign_some(code + i, n - i, c + i, sum);
	return (int32_t)sum_epi32(sum, (ints){ 0 });
}

TARGET static void get_f16(const void *code, uint32_t n, float *v)
{
	const unsigned char *p = code;
	uint32_t i;

	for (i = 0; i + LANES <= n; i += LANES)
		store(v + i, halves(p + F16_SIZE * (size_t)i, LANES));
	for (; i < n; i++)
		v[i] = lh_quantize_half(p, i);
}

TARGET static void get_i8(const void *code, uint32_t n, float *v)
{
	const unsigned char *p = code;
	float scale = lh_quantize_head(code, n).scale;
	uint32_t i;

	for (i = 0; i + LANES <= n; i += LANES) {
		ivec c = (ivec)widen(p + i) - LH_CODE_ZERO;

		store(v + i, __builtin_convertvector(c, vec) * scale);
	}
	for (; i < n; i++)
		v[i] = (float)(p[i] - LH_CODE_ZERO) * scale;
}
