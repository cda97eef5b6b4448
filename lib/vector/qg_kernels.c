/*
 * qg_kernels.c - rotation, codes and sums of qg_code, one set of kernels per instruction
 * set.  No product is added without rounding (no FMA), so that all give the same bits.
 */
#include "qg_kernels.h"

#include <math.h>
#include <string.h>

#include <lh/distance.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define ROUNDS 4
#define PARTS 8	/* partial sums of encode, one per lane of AVX2 */

typedef void (*transform_fn)(float *v, uint32_t n, float scale);
typedef void (*flip_fn)(const unsigned char *signs, float *v, uint32_t dim);

/* Rotate dim values: in turn the first and the last of them are transformed. */
static inline void rotate(const unsigned char *signs, float *v, uint32_t dim, flip_fn flip,
			  transform_fn transform)
{
	uint32_t n = 1u << (31 - __builtin_clz(dim)), round;
	float scale = (float)(1 / sqrt((double)n));

	for (round = 0; round < ROUNDS; round++, signs += dim / 8) {
		flip(signs, v, dim);
		transform(round % 2 ? v + dim - n : v, n, scale);
	}
}

static inline float sum_parts(const float *s)
{
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* ---- portable ---- */

static void flip_portable(const unsigned char *signs, float *v, uint32_t dim)
{
	uint32_t i;

	for (i = 0; i < dim; i++)
		if (signs[i / 8] >> i % 8 & 1)
			v[i] = -v[i];
}

static void transform_portable(float *v, uint32_t n, float scale)
{
	uint32_t half, i, j;
	float a, b;

	for (half = n / 2; half; half /= 2)
		for (i = 0; i < n; i += 2 * half)
			for (j = i; j < i + half; j++) {
				a = v[j];
				b = v[j + half];
				v[j] = a + b;
				v[j + half] = a - b;
			}
	for (i = 0; i < n; i++)
		v[i] *= scale;
}

static void rotate_portable(const unsigned char *signs, float *v, uint32_t dim)
{
	rotate(signs, v, dim, flip_portable, transform_portable);
}

static void encode_portable(const float *c, const float *neighbour, uint32_t dim,
			    unsigned char *bits, struct lh_qg_part *part)
{
	float square[PARTS] = { 0 }, size[PARTS] = { 0 }, along[PARTS] = { 0 }, o;
	unsigned char byte;
	uint32_t i, j;

	for (i = 0; i < dim; i += PARTS) {
		for (byte = 0, j = 0; j < PARTS; j++) {
			o = neighbour[i + j] - c[i + j];
			byte |= (unsigned char)((o > 0) << j);
			square[j] += o * o;
			size[j] += fabsf(o);
			along[j] += o > 0 ? c[i + j] : -c[i + j];
		}
		bits[i / 8] = byte;
	}
	*part = (struct lh_qg_part){ sum_parts(square), sum_parts(size), sum_parts(along) };
}

/* Round to the nearest integer: the last bit of 1.5 * 2^23 has the value 1. */
static inline uint8_t nearest(float x)
{
	uint32_t bits;

	x += 0x1.8p23f;
	memcpy(&bits, &x, sizeof bits);
	return (uint8_t)bits;
}

static void tables_portable(const float *v, uint32_t dim, float min, float per_step,
			    uint8_t *table)
{
	float low[4], high[4];
	uint32_t i, e;

	for (i = 0; i < dim; i += 4) {
		for (e = 0; e < 4; e++) {
			low[e] = (e & 1 ? v[i] : 0) + (e & 2 ? v[i + 1] : 0);
			high[e] = (e & 1 ? v[i + 2] : 0) + (e & 2 ? v[i + 3] : 0);
		}
		for (e = 0; e < 16; e++)
			*table++ = nearest((low[e % 4] + high[e / 4] - min) * per_step);
	}
}

static void sums_portable(const uint8_t *table, const unsigned char *codes, uint32_t dim,
			  uint32_t *sums)
{
	uint32_t i, j;

	memset(sums, 0, LH_QG_LANES * sizeof *sums);
	for (i = 0; i < dim / 4; i++, table += 16, codes += 16)
		for (j = 0; j < 16; j++) {
			sums[j] += table[codes[j] & 15];
			sums[j + 16] += table[codes[j] >> 4];
		}
}

static uint32_t estimate_portable(const struct lh_qg_query *q, const uint32_t *sums,
				  const float *f_add, const float *f_rescale, float square,
				  float limit, float *out)
{
	uint32_t below = 0, i;

	for (i = 0; i < LH_QG_LANES; i++) {
		out[i] = (square + f_add[i]) +
			 f_rescale[i] * (q->bias + q->delta * (float)(int32_t)sums[i]);
		below |= (uint32_t)(out[i] < limit) << i;
	}
	return below;
}

static const struct lh_qg_kernel portable = {
	rotate_portable, encode_portable, tables_portable, sums_portable, estimate_portable,
};

#ifdef __x86_64__

#define AVX2 __attribute__((target("avx2")))	/* without FMA */
#define AVX512 __attribute__((target("avx512f,avx512bw")))

/* ---- AVX2 ---- */

AVX2 static void flip_avx2(const unsigned char *signs, float *v, uint32_t dim)
{
	const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
	const __m256i sign = _mm256_set1_epi32(INT32_MIN);
	__m256i is;
	uint32_t i;

	for (i = 0; i < dim; i += 8) {
		is = _mm256_and_si256(_mm256_set1_epi32(signs[i / 8]), bit);
		is = _mm256_and_si256(_mm256_cmpeq_epi32(is, bit), sign);
		_mm256_storeu_ps(v + i,
				 _mm256_xor_ps(_mm256_loadu_ps(v + i), _mm256_castsi256_ps(is)));
	}
}

/* Add to the lanes whose number lacks a bit the lane whose number has it; the others are
 * subtracted.  moved: the lanes of v, exchanged by that bit; minus: -0 where it is set. */
AVX2 static inline __m256 butterfly_avx2(__m256 v, __m256 moved, __m256 minus)
{
	return _mm256_add_ps(moved, _mm256_xor_ps(v, minus));
}

AVX2 static void transform_avx2(float *v, uint32_t n, float scale)
{
	const __m256 by4 = _mm256_setr_ps(0, 0, 0, 0, -0.f, -0.f, -0.f, -0.f);
	const __m256 by2 = _mm256_setr_ps(0, 0, -0.f, -0.f, 0, 0, -0.f, -0.f);
	const __m256 by1 = _mm256_setr_ps(0, -0.f, 0, -0.f, 0, -0.f, 0, -0.f);
	uint32_t half, i, j;
	__m256 a, b;

	for (half = n / 2; half >= 8; half /= 2)
		for (i = 0; i < n; i += 2 * half)
			for (j = i; j < i + half; j += 8) {
				a = _mm256_loadu_ps(v + j);
				b = _mm256_loadu_ps(v + j + half);
				_mm256_storeu_ps(v + j, _mm256_add_ps(a, b));
				_mm256_storeu_ps(v + j + half, _mm256_sub_ps(a, b));
			}
	for (i = 0; i < n; i += 8) {
		a = _mm256_loadu_ps(v + i);
		a = butterfly_avx2(a, _mm256_permute2f128_ps(a, a, 1), by4);
		a = butterfly_avx2(a, _mm256_permute_ps(a, 0x4e), by2);
		a = butterfly_avx2(a, _mm256_permute_ps(a, 0xb1), by1);
		_mm256_storeu_ps(v + i, _mm256_mul_ps(a, _mm256_set1_ps(scale)));
	}
}

static void rotate_avx2(const unsigned char *signs, float *v, uint32_t dim)
{
	rotate(signs, v, dim, flip_avx2, transform_avx2);
}

AVX2 static float total_avx2(__m256 s)
{
	float lanes[PARTS];

	_mm256_storeu_ps(lanes, s);
	return sum_parts(lanes);
}

AVX2 static void encode_avx2(const float *c, const float *neighbour, uint32_t dim,
			     unsigned char *bits, struct lh_qg_part *part)
{
	__m256 square = _mm256_setzero_ps(), size = square, along = square, zero = square;
	const __m256 sign = _mm256_set1_ps(-0.f);
	__m256 o, center, more;
	uint32_t i;

	for (i = 0; i < dim; i += 8) {
		center = _mm256_loadu_ps(c + i);
		o = _mm256_sub_ps(_mm256_loadu_ps(neighbour + i), center);
		more = _mm256_cmp_ps(o, zero, _CMP_GT_OQ);
		bits[i / 8] = (unsigned char)_mm256_movemask_ps(more);
		square = _mm256_add_ps(square, _mm256_mul_ps(o, o));
		size = _mm256_add_ps(size, _mm256_andnot_ps(sign, o));
		along = _mm256_add_ps(along,
				      _mm256_xor_ps(center, _mm256_andnot_ps(more, sign)));
	}
	*part = (struct lh_qg_part){ total_avx2(square), total_avx2(size), total_avx2(along) };
}

/* Round eight sums to integers. */
AVX2 static inline __m256i round_avx2(__m256 sum, __m256 min, __m256 per_step)
{
	return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_sub_ps(sum, min), per_step));
}

AVX2 static void tables_avx2(const float *v, uint32_t dim, float min, float per_step,
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
		a = round_avx2(_mm256_add_ps(low, high), least, per);
		b = round_avx2(_mm256_add_ps(low, fourth), least, per);
		a = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
		_mm_storeu_si128((void *)table,
				 _mm_packus_epi16(_mm256_castsi256_si128(a),
						  _mm256_extracti128_si256(a, 1)));
	}
}

/* Add the sums of lanes 0, 2, ... (even) and 1, 3, ... (odd). */
AVX2 static inline void add_sums(__m128i even, __m128i odd, uint32_t *sums)
{
	__m128i eight[2] = { _mm_unpacklo_epi16(even, odd), _mm_unpackhi_epi16(even, odd) };
	__m256i *to = (void *)sums;
	int i;

	for (i = 0; i < 2; i++)
		_mm256_storeu_si256(to + i, _mm256_add_epi32(_mm256_loadu_si256(to + i),
							     _mm256_cvtepu16_epi32(eight[i])));
}

/* Add up 16-bit lanes of bytes: s has those at even places, and 256 times the others. */
AVX2 static inline void finish_avx2(__m256i s, __m256i odd, uint32_t *sums)
{
	__m256i even = _mm256_sub_epi16(s, _mm256_slli_epi16(odd, 8));

	add_sums(_mm_add_epi16(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1)),
		 _mm_add_epi16(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1)),
		 sums);
}

AVX2 static void run_avx2(const uint8_t *table, const unsigned char *codes, uint32_t n,
			  uint32_t *sums)
{
	const __m256i low = _mm256_set1_epi8(15);
	__m256i s[4] = { _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
			 _mm256_setzero_si256() };
	__m256i c, t, a, b;
	uint32_t i;

	for (i = 0; i < 16 * n; i += 32) {
		c = _mm256_loadu_si256((const void *)(codes + i));
		t = _mm256_load_si256((const void *)(table + i));
		a = _mm256_shuffle_epi8(t, _mm256_and_si256(c, low));
		b = _mm256_shuffle_epi8(t, _mm256_and_si256(_mm256_srli_epi16(c, 4), low));
		s[0] = _mm256_add_epi16(s[0], a);
		s[1] = _mm256_add_epi16(s[1], _mm256_srli_epi16(a, 8));
		s[2] = _mm256_add_epi16(s[2], b);
		s[3] = _mm256_add_epi16(s[3], _mm256_srli_epi16(b, 8));
	}
	finish_avx2(s[0], s[1], sums);
	finish_avx2(s[2], s[3], sums + 16);
}

AVX2 static uint32_t estimate_avx2(const struct lh_qg_query *q, const uint32_t *sums,
				   const float *f_add, const float *f_rescale, float square,
				   float limit, float *out)
{
	const __m256 delta = _mm256_set1_ps(q->delta), bias = _mm256_set1_ps(q->bias);
	const __m256 base = _mm256_set1_ps(square), most = _mm256_set1_ps(limit);
	__m256 product, d;
	uint32_t below = 0, i;

	for (i = 0; i < LH_QG_LANES; i += 8) {
		product = _mm256_cvtepi32_ps(_mm256_loadu_si256((const void *)(sums + i)));
		product = _mm256_add_ps(bias, _mm256_mul_ps(delta, product));
		d = _mm256_add_ps(base, _mm256_loadu_ps(f_add + i));
		d = _mm256_add_ps(d, _mm256_mul_ps(_mm256_loadu_ps(f_rescale + i), product));
		_mm256_storeu_ps(out + i, d);
		below |= (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(d, most, _CMP_LT_OQ)) << i;
	}
	return below;
}

/* ---- AVX-512 ---- */

AVX512 static void flip_avx512(const unsigned char *signs, float *v, uint32_t dim)
{
	const __m512i sign = _mm512_set1_epi32(INT32_MIN);
	__m512i is;
	uint16_t bits;
	uint32_t i;

	for (i = 0; i < dim; i += 16) {
		memcpy(&bits, signs + i / 8, sizeof bits);
		is = _mm512_castps_si512(_mm512_loadu_ps(v + i));
		is = _mm512_mask_xor_epi32(is, bits, is, sign);
		_mm512_storeu_ps(v + i, _mm512_castsi512_ps(is));
	}
}

/* As butterfly_avx2; minus: the lanes that are subtracted. */
AVX512 static inline __m512 butterfly_avx512(__m512 v, __m512 moved, __mmask16 minus)
{
	return _mm512_mask_sub_ps(_mm512_add_ps(moved, v), minus, moved, v);
}

AVX512 static void transform_avx512(float *v, uint32_t n, float scale)
{
	uint32_t half, i, j;
	__m512 a, b;

	for (half = n / 2; half >= 16; half /= 2)
		for (i = 0; i < n; i += 2 * half)
			for (j = i; j < i + half; j += 16) {
				a = _mm512_loadu_ps(v + j);
				b = _mm512_loadu_ps(v + j + half);
				_mm512_storeu_ps(v + j, _mm512_add_ps(a, b));
				_mm512_storeu_ps(v + j + half, _mm512_sub_ps(a, b));
			}
	for (i = 0; i < n; i += 16) {
		a = _mm512_loadu_ps(v + i);
		a = butterfly_avx512(a, _mm512_shuffle_f32x4(a, a, 0x4e), 0xff00);
		a = butterfly_avx512(a, _mm512_shuffle_f32x4(a, a, 0xb1), 0xf0f0);
		a = butterfly_avx512(a, _mm512_permute_ps(a, 0x4e), 0xcccc);
		a = butterfly_avx512(a, _mm512_permute_ps(a, 0xb1), 0xaaaa);
		_mm512_storeu_ps(v + i, _mm512_mul_ps(a, _mm512_set1_ps(scale)));
	}
}

static void rotate_avx512(const unsigned char *signs, float *v, uint32_t dim)
{
	rotate(signs, v, dim, flip_avx512, transform_avx512);
}

AVX512 static void tables_avx512(const float *v, uint32_t dim, float min, float per_step,
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

AVX512 static inline void finish_avx512(__m512i s, __m512i odd, uint32_t *sums)
{
	__m512i even = _mm512_sub_epi16(s, _mm512_slli_epi16(odd, 8));
	__m256i e = _mm256_add_epi16(_mm512_castsi512_si256(even),
				     _mm512_extracti64x4_epi64(even, 1));
	__m256i o = _mm256_add_epi16(_mm512_castsi512_si256(odd),
				     _mm512_extracti64x4_epi64(odd, 1));

	add_sums(_mm_add_epi16(_mm256_castsi256_si128(e), _mm256_extracti128_si256(e, 1)),
		 _mm_add_epi16(_mm256_castsi256_si128(o), _mm256_extracti128_si256(o, 1)), sums);
}

AVX512 static void run_avx512(const uint8_t *table, const unsigned char *codes, uint32_t n,
			      uint32_t *sums)
{
	const __m512i low = _mm512_set1_epi8(15);
	__m512i s[4] = { _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
			 _mm512_setzero_si512() };
	__m512i c, t, a, b;
	uint32_t i;

	for (i = 0; i < 16 * n; i += 64) {
		c = _mm512_loadu_si512(codes + i);
		t = _mm512_load_si512(table + i);
		a = _mm512_shuffle_epi8(t, _mm512_and_si512(c, low));
		b = _mm512_shuffle_epi8(t, _mm512_and_si512(_mm512_srli_epi16(c, 4), low));
		s[0] = _mm512_add_epi16(s[0], a);
		s[1] = _mm512_add_epi16(s[1], _mm512_srli_epi16(a, 8));
		s[2] = _mm512_add_epi16(s[2], b);
		s[3] = _mm512_add_epi16(s[3], _mm512_srli_epi16(b, 8));
	}
	finish_avx512(s[0], s[1], sums);
	finish_avx512(s[2], s[3], sums + 16);
}

/* Sum run by run, since 16 bits hold only so many. */
static inline void sum_runs(const uint8_t *table, const unsigned char *codes, uint32_t dim,
			    uint32_t *sums,
			    void (*run)(const uint8_t *, const unsigned char *, uint32_t,
					uint32_t *))
{
	uint32_t i, n = dim / 4;

	memset(sums, 0, LH_QG_LANES * sizeof *sums);
	for (i = 0; i < n; i += LH_QG_RUN)
		run(table + 16 * (size_t)i, codes + 16 * (size_t)i,
		    n - i < LH_QG_RUN ? n - i : LH_QG_RUN, sums);
}

static void sums_avx2(const uint8_t *table, const unsigned char *codes, uint32_t dim,
		      uint32_t *sums)
{
	sum_runs(table, codes, dim, sums, run_avx2);
}

static void sums_avx512(const uint8_t *table, const unsigned char *codes, uint32_t dim,
			uint32_t *sums)
{
	sum_runs(table, codes, dim, sums, run_avx512);
}

static const struct lh_qg_kernel avx2 = { rotate_avx2, encode_avx2, tables_avx2, sums_avx2,
					  estimate_avx2 };
/* Instructions of AVX-512 include FMA: what adds products is that of AVX2. */
static const struct lh_qg_kernel avx512 = { rotate_avx512, encode_avx2, tables_avx512,
					    sums_avx512, estimate_avx2 };

static const struct lh_qg_kernel *choose_kernel(void)
{
	enum lh_isa isa = lh_vec_isa();

	__builtin_cpu_init();
	if (isa == LH_AVX512 && __builtin_cpu_supports("avx512bw"))
		return &avx512;
	if (isa != LH_PORTABLE && __builtin_cpu_supports("avx2"))
		return &avx2;
	return &portable;
}
#else
static const struct lh_qg_kernel *choose_kernel(void)
{
	return &portable;
}
#endif

/* Two threads may both choose the kernels, but choose the same. */
const struct lh_qg_kernel *lh_qg_kernel(void)
{
	static const struct lh_qg_kernel *chosen;
	const struct lh_qg_kernel *k = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

	if (!k) {
		k = choose_kernel();
		__atomic_store_n(&chosen, k, __ATOMIC_RELAXED);
	}
	return k;
}
