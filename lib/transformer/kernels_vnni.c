/*
 * kernels_vnni.c - products of Q8_0 weights and rows rounded to int8, by AVX-512 VNNI.
 *
 * A unit is 32 inputs, which have one scale in a row and one in each output.  The instruction
 * multiplies unsigned by signed bytes, so weights are stored with 128 added; what that adds to a
 * sum, 128 times the sum of the row's bytes, is where the sum begins, negative.
 *
 * Weights of a unit:  for each 4 inputs, of each of 32 outputs 4 bytes; then 32 scales.
 * Rows of a unit:     for each 4 inputs, of each row 4 bytes; then the rows' scales; then where
 *                     their sums begin.
 */
#ifdef __x86_64__
#ifndef __clang__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni,f16c,prefer-vector-width=512")
#endif
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "kernels.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c"))), \
			     apply_to = function)
#endif

#define UNIT LH_Q8_INPUTS
#define ROWS 7
#define W_BYTES (UNIT * LH_PANEL + 4 * LH_PANEL)
#define X_BYTES (UNIT + 4 + 4)

static float half(const unsigned char *p)
{
	uint16_t h;

	memcpy(&h, p, sizeof h);
	return _cvtsh_ss(h);
}

static void put(void *panels, size_t output, const void *row, size_t n)
{
	unsigned char *to = (unsigned char *)panels + output / LH_PANEL * (n / UNIT) * W_BYTES;
	const unsigned char *from = row;
	size_t c = output % LH_PANEL;
	float scale;

	for (; n; n -= UNIT, from += LH_Q8_BYTES, to += W_BYTES) {
		for (size_t i = 0; i < UNIT; i++)
			to[i / 4 * 4 * LH_PANEL + 4 * c + i % 4] = from[2 + i] ^ 0x80;
		scale = half(from);
		memcpy(to + UNIT * LH_PANEL + 4 * c, &scale, sizeof scale);
	}
}

/* Round 32 values to bytes; returns their scale. */
static float round_unit(const float *x, uint32_t bytes[UNIT / 4], int32_t *sum)
{
	__m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
	float most = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
	__m512 inverse = _mm512_set1_ps(most > 0 ? 127 / most : 0);
	__m512i qa = _mm512_cvtps_epi32(_mm512_mul_ps(a, inverse));
	__m512i qb = _mm512_cvtps_epi32(_mm512_mul_ps(b, inverse));

	_mm_storeu_si128((void *)bytes, _mm512_cvtsepi32_epi8(qa));
	_mm_storeu_si128((void *)(bytes + 4), _mm512_cvtsepi32_epi8(qb));
	*sum = _mm512_reduce_add_epi32(_mm512_add_epi32(qa, qb));
	return most / 127;
}

static void pack(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	char *to = packed;

	for (size_t i = 0; i < n; i += UNIT, to += rows * X_BYTES)
		for (unsigned r = 0; r < rows; r++) {
			uint32_t bytes[UNIT / 4];
			int32_t sum;
			float scale = round_unit(x + r * stride + i, bytes, &sum);

			for (unsigned j = 0; j < UNIT / 4; j++)
				memcpy(to + 4 * (j * rows + r), bytes + j, 4);
			sum *= -128;
			memcpy(to + UNIT * rows + 4 * r, &scale, 4);
			memcpy(to + (UNIT + 4) * rows + 4 * r, &sum, 4);
		}
}

static inline __attribute__((always_inline)) int32_t int_at(const char *p)
{
	int32_t i;

	memcpy(&i, p, sizeof i);
	return i;
}

/* Multiply a unit of rows by one of weights: sums of int32 in s. */
static inline __attribute__((always_inline)) void
unit_sums(const char *x, const unsigned rows, const char *w, struct lh_ahead *ahead,
	  __m512i s[ROWS][2])
{
#pragma GCC unroll 7
	for (unsigned r = 0; r < rows; r++)
		s[r][0] = s[r][1] = _mm512_set1_epi32(int_at(x + (UNIT + 4) * rows + 4 * r));
#pragma GCC unroll 8
	for (unsigned j = 0; j < UNIT / 4; j++, w += 4 * LH_PANEL, x += 4 * rows) {
		__m512i a = _mm512_loadu_si512(w), b = _mm512_loadu_si512(w + 64);

		__builtin_prefetch(ahead->from, 0, 2);
		ahead->from += ahead->step;
#pragma GCC unroll 7
		for (unsigned r = 0; r < rows; r++) {
			__m512i four = _mm512_set1_epi32(int_at(x + 4 * r));

			s[r][0] = _mm512_dpbusd_epi32(s[r][0], a, four);
			s[r][1] = _mm512_dpbusd_epi32(s[r][1], b, four);
		}
	}
}

static inline __attribute__((always_inline)) void
some_rows(const char *x, const unsigned rows, const char *w, size_t n, const float *bias, float *y,
	  size_t stride, struct lh_ahead ahead)
{
	__m512 sum[ROWS][2];
	__m512i s[ROWS][2];

#pragma GCC unroll 7
	for (unsigned r = 0; r < rows; r++) {
		const float *from = bias ? bias : y + r * stride;

		sum[r][0] = _mm512_loadu_ps(from);
		sum[r][1] = _mm512_loadu_ps(from + 16);
	}
	ahead.step = ahead.step / (UNIT / 4) + 1;
	for (; n; n -= UNIT, x += rows * X_BYTES, w += W_BYTES) {
		__m512 a = _mm512_loadu_ps(w + UNIT * LH_PANEL);
		__m512 b = _mm512_loadu_ps(w + UNIT * LH_PANEL + 64);

		unit_sums(x, rows, w, &ahead, s);
#pragma GCC unroll 7
		for (unsigned r = 0; r < rows; r++) {
			__m512 d = _mm512_castsi512_ps(
				_mm512_set1_epi32(int_at(x + UNIT * rows + 4 * r)));

			sum[r][0] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s[r][0]),
						    _mm512_mul_ps(a, d), sum[r][0]);
			sum[r][1] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s[r][1]),
						    _mm512_mul_ps(b, d), sum[r][1]);
		}
	}
#pragma GCC unroll 7
	for (unsigned r = 0; r < rows; r++) {
		_mm512_storeu_ps(y + r * stride, sum[r][0]);
		_mm512_storeu_ps(y + r * stride + 16, sum[r][1]);
	}
}

static void block(const void *x, unsigned rows, const void *w, size_t n, const float *bias,
		  float *y, size_t stride, struct lh_ahead ahead)
{
#define CASE(r) case r: some_rows(x, r, w, n, bias, y, stride, ahead); break
	switch (rows) {
	CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(7);
	}
#undef CASE
}

const struct lh_product lh_product_vnni = {
	.name = "vnni", .raw = true, .int8 = true, .rows = ROWS, .tile = 1, .unit = UNIT,
	.w_bytes = W_BYTES, .x_bytes = X_BYTES, .part = 768, .put = put, .pack = pack,
	.block = block,
};
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
