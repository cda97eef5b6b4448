/* quantize_kernels.c - distances to codes, one set of kernels per instruction set. */
#include "quantize_kernels.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

#define F16_SIZE 2
#define I8_SIZE 1

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

/* Return the distance, given the sum of products of both sides' c. */
static inline float finish_i8(const struct lh_quantized_query *q, const unsigned char *code,
			      int32_t sum)
{
	struct lh_quantize_head h = lh_quantize_head(code, q->n);
	float dot = q->scale * h.scale * (float)sum;

	return q->distance == LH_L2 ? q->square + h.scale * h.scale * (float)h.square - 2 * dot :
				      -dot;
}

/* ---- portable ---- */

static void get_f16_portable(const void *code, uint32_t n, float *v)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		v[i] = lh_quantize_half(code, i);
}

static void get_i8_portable(const void *code, uint32_t n, float *v)
{
	const unsigned char *p = code;
	float scale = lh_quantize_head(code, n).scale;
	uint32_t i;

	for (i = 0; i < n; i++)
		v[i] = (float)(p[i] - LH_CODE_ZERO) * scale;
}

static void rows_f16_portable(const struct lh_quantized_query *q, const void *const *codes,
			      size_t k, float *out)
{
	size_t i, j;

	for (i = 0; i < k; i++) {
		float s[4] = { 0 }, f, d;

		for (j = 0; j < q->n; j++) {
			f = lh_quantize_half(codes[i], j);
			d = q->v[j] - f;
			s[j % 4] += q->distance == LH_L2 ? d * d : -q->v[j] * f;
		}
		out[i] = (s[0] + s[1]) + (s[2] + s[3]);
	}
}

static void rows_i8_portable(const struct lh_quantized_query *q, const void *const *codes, size_t k,
			     float *out)
{
	const unsigned char *p;
	size_t i, j;
	int32_t sum;

	for (i = 0; i < k; i++) {
		p = codes[i];
		for (sum = 0, j = 0; j < q->n; j++)
			sum += q->c[j] * (p[j] - LH_CODE_ZERO);
		out[i] = finish_i8(q, p, sum);
	}
}

static int8_t signed_byte(unsigned char byte)
{
	return (int8_t)(byte ? byte - LH_CODE_ZERO : 1 - LH_CODE_ZERO);
}

static int32_t sign_portable(const unsigned char *code, uint32_t n, int8_t *c)
{
	int32_t sum = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		sum += c[i] = signed_byte(code[i]);
	return sum;
}

static const struct lh_quantize_kernel portable = {
	rows_f16_portable, rows_i8_portable, get_f16_portable, get_i8_portable, sign_portable,
};

#ifdef __x86_64__

#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

static inline void prefetch_rows(const unsigned char *const *next, size_t at)
{
	size_t j;

	if (next)
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			__builtin_prefetch(next[j] + at);
}

/* ---- AVX2 ---- */

AVX2 static inline __m128 sums_ps(__m256 a, __m256 b, __m256 c, __m256 d)
{
	__m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));

	return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

AVX2 static inline __m128i sums_epi32(__m256i a, __m256i b, __m256i c, __m256i d)
{
	__m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));

	return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

/* Add eight values of a row to the lanes of s. */
AVX2 static inline __m256 add_f16_avx2(bool l2, __m256 v, __m128i halves, __m256 s)
{
	__m256 row = _mm256_cvtph_ps(halves), d = _mm256_sub_ps(v, row);

	return l2 ? _mm256_fmadd_ps(d, d, s) : _mm256_fnmadd_ps(v, row, s);
}

AVX2 static inline void four_f16_avx2(bool l2, const struct lh_quantized_query *q,
				      const unsigned char *const *row,
				      const unsigned char *const *next, float *out)
{
	__m256 s[4] = { _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
			_mm256_setzero_ps() },
	       v;
	size_t i, j, n = q->n;

	for (i = 0; i + 8 <= n; i += 8) {
		if (i % 32 == 0)
			prefetch_rows(next, F16_SIZE * i);
		v = _mm256_load_ps(q->v + i);
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			s[j] = add_f16_avx2(l2, v,
					    _mm_loadu_si128((const void *)(row[j] + F16_SIZE * i)),
					    s[j]);
	}
	if (i < n) {
		uint16_t rest[8];
		float end[8] = { 0 };

		memcpy(end, q->v + i, (n - i) * sizeof *end);
		v = _mm256_loadu_ps(end);
		for (j = 0; j < 4; j++) {
			memset(rest, 0, sizeof rest);
			memcpy(rest, row[j] + F16_SIZE * i, (n - i) * F16_SIZE);
			s[j] = add_f16_avx2(l2, v, _mm_loadu_si128((const void *)rest), s[j]);
		}
	}
	_mm_storeu_ps(out, sums_ps(s[0], s[1], s[2], s[3]));
}

AVX2 static void four_f16_dot_avx2(const struct lh_quantized_query *q,
				   const unsigned char *const *row,
				   const unsigned char *const *next, float *out)
{
	four_f16_avx2(false, q, row, next, out);
}

AVX2 static void four_f16_l2_avx2(const struct lh_quantized_query *q,
				  const unsigned char *const *row, const unsigned char *const *next,
				  float *out)
{
	four_f16_avx2(true, q, row, next, out);
}

static void rows_f16_avx2(const struct lh_quantized_query *q, const void *const *codes, size_t k,
			  float *out)
{
	rows_by_four(q->distance == LH_L2 ? four_f16_l2_avx2 : four_f16_dot_avx2, q, codes, k, out);
}

/* Multiply |c| by the query's value with the sign of c: the sum of two products of at
 * most 128 * 127 fits 16 bits. */
AVX2 static inline __m256i add_i8_avx2(__m256i v, __m256i bytes, __m256i s)
{
	__m256i c = _mm256_xor_si256(bytes, _mm256_set1_epi8((char)LH_CODE_ZERO));
	__m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(c), _mm256_sign_epi8(v, c));

	return _mm256_add_epi32(s, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

AVX2 static void four_i8_avx2(const struct lh_quantized_query *q, const unsigned char *const *row,
			      const unsigned char *const *next, float *out)
{
	__m256i s[4] = { _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
			 _mm256_setzero_si256() },
		v;
	size_t i, j, n = q->n;
	int32_t sum[4];

	for (i = 0; i + 32 <= n; i += 32) {
		if (i % 64 == 0)
			prefetch_rows(next, i);
		v = _mm256_load_si256((const void *)(q->c + i));
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			s[j] = add_i8_avx2(v, _mm256_loadu_si256((const void *)(row[j] + i)), s[j]);
	}
	if (i < n) {
		unsigned char rest[32], end[32] = { 0 };

		memcpy(end, q->c + i, n - i);
		v = _mm256_loadu_si256((const void *)end);
		for (j = 0; j < 4; j++) {
			memset(rest, LH_CODE_ZERO, sizeof rest);
			memcpy(rest, row[j] + i, n - i);
			s[j] = add_i8_avx2(v, _mm256_loadu_si256((const void *)rest), s[j]);
		}
	}
	_mm_storeu_si128((void *)sum, sums_epi32(s[0], s[1], s[2], s[3]));
	for (j = 0; j < 4; j++)
		out[j] = finish_i8(q, row[j], sum[j]);
}

/* Measure one row, as a walk that visits single rows does. */
AVX2 static float one_i8_avx2(const struct lh_quantized_query *q, const unsigned char *row)
{
	__m256i s = _mm256_setzero_si256();
	unsigned char rest[32];
	int8_t end[32] = { 0 };
	int32_t lanes[8], sum = 0;
	size_t i, j, n = q->n;

	for (i = 0; i + 32 <= n; i += 32)
		s = add_i8_avx2(_mm256_load_si256((const void *)(q->c + i)),
				_mm256_loadu_si256((const void *)(row + i)), s);
	if (i < n) {
		memset(rest, LH_CODE_ZERO, sizeof rest);
		memcpy(rest, row + i, n - i);
		memcpy(end, q->c + i, n - i);
		s = add_i8_avx2(_mm256_loadu_si256((const void *)end),
				_mm256_loadu_si256((const void *)rest), s);
	}
	_mm256_storeu_si256((void *)lanes, s);
	for (j = 0; j < 8; j++)
		sum += lanes[j];
	return finish_i8(q, row, sum);
}

static void rows_i8_avx2(const struct lh_quantized_query *q, const void *const *codes, size_t k,
			 float *out)
{
	if (k == 1)
		*out = one_i8_avx2(q, codes[0]);
	else
		rows_by_four(four_i8_avx2, q, codes, k, out);
}

AVX2 static void get_f16_avx2(const void *code, uint32_t n, float *v)
{
	const unsigned char *p = code;
	uint32_t i;

	for (i = 0; i + 8 <= n; i += 8)
		_mm256_storeu_ps(v + i, _mm256_cvtph_ps(_mm_loadu_si128(
						(const void *)(p + F16_SIZE * (size_t)i))));
	for (; i < n; i++)
		v[i] = lh_quantize_half(p, i);
}

AVX2 static void get_i8_avx2(const void *code, uint32_t n, float *v)
{
	const unsigned char *p = code;
	float scale = lh_quantize_head(code, n).scale;
	__m256 scales = _mm256_set1_ps(scale);
	__m256i zero = _mm256_set1_epi32(LH_CODE_ZERO), c;
	uint32_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		c = _mm256_sub_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(p + i))),
				     zero);
		_mm256_storeu_ps(v + i, _mm256_mul_ps(_mm256_cvtepi32_ps(c), scales));
	}
	for (; i < n; i++)
		v[i] = (float)(p[i] - LH_CODE_ZERO) * scale;
}

AVX2 static int32_t sign_avx2(const unsigned char *code, uint32_t n, int8_t *c)
{
	__m256i pairs, v, sum = _mm256_setzero_si256();
	int32_t lanes[8], total = 0;
	uint32_t i, j;

	for (i = 0; i + 32 <= n; i += 32) {
		v = _mm256_xor_si256(_mm256_loadu_si256((const void *)(code + i)),
				     _mm256_set1_epi8((char)LH_CODE_ZERO));
		v = _mm256_max_epi8(v, _mm256_set1_epi8(1 - LH_CODE_ZERO));
		_mm256_storeu_si256((void *)(c + i), v);
		pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), v);
		sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
	}
	for (; i < n; i++)
		total += c[i] = signed_byte(code[i]);
	_mm256_storeu_si256((void *)lanes, sum);
	for (j = 0; j < 8; j++)
		total += lanes[j];
	return total;
}

/* ---- AVX-512 with VNNI ---- */

AVX512 static inline __m256 half_sum_ps(__m512 s)
{
	return _mm256_add_ps(_mm512_castps512_ps256(s),
			     _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(s), 1)));
}

AVX512 static inline __m256i half_sum_epi32(__m512i s)
{
	return _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
}

AVX512 static inline void four_f16_avx512(bool l2, const struct lh_quantized_query *q,
					  const unsigned char *const *row,
					  const unsigned char *const *next, float *out)
{
	__m512 s[4] = { _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
			_mm512_setzero_ps() },
	       v, r;
	size_t i, j, n = q->n;
	__m256 h[4];
	__m128 lo;

	for (i = 0; i < n; i += 16) {
		__mmask16 k = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)0xffff;

		if (i % 32 == 0)
			prefetch_rows(next, F16_SIZE * i);
		v = _mm512_maskz_loadu_ps(k, q->v + i);
#pragma GCC unroll 4
		for (j = 0; j < 4; j++) {
			r = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(k, row[j] + F16_SIZE * i));
			if (l2) {
				r = _mm512_sub_ps(v, r);
				s[j] = _mm512_fmadd_ps(r, r, s[j]);
			} else {
				s[j] = _mm512_fnmadd_ps(v, r, s[j]);
			}
		}
	}
	for (j = 0; j < 4; j++)
		h[j] = half_sum_ps(s[j]);
	h[0] = _mm256_hadd_ps(_mm256_hadd_ps(h[0], h[1]), _mm256_hadd_ps(h[2], h[3]));
	lo = _mm256_castps256_ps128(h[0]);
	_mm_storeu_ps(out, _mm_add_ps(lo, _mm256_extractf128_ps(h[0], 1)));
}

AVX512 static void four_f16_dot_avx512(const struct lh_quantized_query *q,
				       const unsigned char *const *row,
				       const unsigned char *const *next, float *out)
{
	four_f16_avx512(false, q, row, next, out);
}

AVX512 static void four_f16_l2_avx512(const struct lh_quantized_query *q,
				      const unsigned char *const *row,
				      const unsigned char *const *next, float *out)
{
	four_f16_avx512(true, q, row, next, out);
}

static void rows_f16_avx512(const struct lh_quantized_query *q, const void *const *codes, size_t k,
			    float *out)
{
	rows_by_four(q->distance == LH_L2 ? four_f16_l2_avx512 : four_f16_dot_avx512, q, codes, k,
		     out);
}

/* Rows are the unsigned operand of the product, offset by 128. */
AVX512 static void four_i8_avx512(const struct lh_quantized_query *q,
				  const unsigned char *const *row, const unsigned char *const *next,
				  float *out)
{
	__m512i s[4] = { _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
			 _mm512_setzero_si512() },
		v;
	size_t i, j, n = q->n;
	uint32_t sum[4];
	__m256i h[4];

	for (i = 0; i < n; i += 64) {
		__mmask64 k = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;

		prefetch_rows(next, i);
		v = _mm512_maskz_loadu_epi8(k, q->c + i);
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			s[j] = _mm512_dpbusd_epi32(s[j], _mm512_maskz_loadu_epi8(k, row[j] + i), v);
	}
	prefetch_rows(next, n);
	for (j = 0; j < 4; j++)
		h[j] = half_sum_epi32(s[j]);
	h[0] = _mm256_hadd_epi32(_mm256_hadd_epi32(h[0], h[1]), _mm256_hadd_epi32(h[2], h[3]));
	_mm_storeu_si128((void *)sum, _mm_add_epi32(_mm256_castsi256_si128(h[0]),
						    _mm256_extracti128_si256(h[0], 1)));
	for (j = 0; j < 4; j++)
		out[j] = finish_i8(q, row[j], (int32_t)(sum[j] - (uint32_t)q->sum));
}

AVX512 static float one_i8_avx512(const struct lh_quantized_query *q, const unsigned char *row)
{
	__m512i s[2] = { _mm512_setzero_si512(), _mm512_setzero_si512() };
	size_t i, n = q->n;
	uint32_t sum;

	for (i = 0; i < n; i += 64) {
		__mmask64 k = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;

		s[i / 64 % 2] = _mm512_dpbusd_epi32(s[i / 64 % 2],
						    _mm512_maskz_loadu_epi8(k, row + i),
						    _mm512_maskz_loadu_epi8(k, q->c + i));
	}
	sum = (uint32_t)_mm512_reduce_add_epi32(_mm512_add_epi32(s[0], s[1]));
	return finish_i8(q, row, (int32_t)(sum - (uint32_t)q->sum));
}

static void rows_i8_avx512(const struct lh_quantized_query *q, const void *const *codes, size_t k,
			   float *out)
{
	if (k == 1)
		*out = one_i8_avx512(q, codes[0]);
	else
		rows_by_four(four_i8_avx512, q, codes, k, out);
}

AVX512 static int32_t sign_avx512(const unsigned char *code, uint32_t n, int8_t *c)
{
	__m512i sum = _mm512_setzero_si512(), v;
	uint32_t i;

	for (i = 0; i < n; i += 64) {
		__mmask64 k = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;

		v = _mm512_xor_si512(_mm512_maskz_loadu_epi8(k, code + i),
				     _mm512_set1_epi8((char)LH_CODE_ZERO));
		v = _mm512_maskz_max_epi8(k, v, _mm512_set1_epi8(1 - LH_CODE_ZERO));
		_mm512_mask_storeu_epi8(c + i, k, v);
		sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), v);
	}
	return _mm512_reduce_add_epi32(sum);
}

static const struct lh_quantize_kernel avx2 = { rows_f16_avx2, rows_i8_avx2, get_f16_avx2,
						get_i8_avx2, sign_avx2 };
static const struct lh_quantize_kernel avx512 = { rows_f16_avx512, rows_i8_avx512, get_f16_avx2,
						  get_i8_avx2, sign_avx512 };

/* Not every compiler has a name for it. */
static bool has_f16c(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static const struct lh_quantize_kernel *choose_kernel(void)
{
	enum lh_isa isa = lh_vec_isa();

	__builtin_cpu_init();
	if (isa == LH_AVX512 && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
		return &avx512;
	if (isa != LH_PORTABLE && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	    has_f16c())
		return &avx2;
	return &portable;
}
#else
static const struct lh_quantize_kernel *choose_kernel(void)
{
	return &portable;
}
#endif

/* Two threads may both choose the kernels, but choose the same. */
const struct lh_quantize_kernel *lh_quantize_kernel(void)
{
	static const struct lh_quantize_kernel *chosen;
	const struct lh_quantize_kernel *k = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

	if (!k) {
		k = choose_kernel();
		__atomic_store_n(&chosen, k, __ATOMIC_RELAXED);
	}
	return k;
}
