/*
 * kernels_vnni.c - products of Q8_0 weights and rows rounded to int8, by AVX-512 VNNI.
 *
 * A unit is 32 inputs, which have one scale in a row and one in each output.  The instruction
 * multiplies unsigned by signed bytes, so weights are stored with 128 added; what that adds to a
 * sum, 128 times the sum of the row's bytes, is where the sum begins, negative.
 *
 * With two parts, rows are rounded to 15 bits: 256 times a byte, and another byte.  The sum of
 * the first bytes' products is multiplied by 256 before those of the second are added.
 *
 * Weights of a unit:  for each 4 inputs, of each of 32 outputs 4 bytes; then 32 scales.
 * Rows of a unit:     for each 4 inputs, of each row 4 bytes; of two parts the first ones, then
 *                     the second; then the rows' scales; then what is added to their sums.
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
#define X_BYTES(parts) ((parts) * UNIT + 4 + 4)
#define LEVELS(parts) ((parts) > 1 ? 127 * 256 + 127 : 127)
#define INLINE static inline __attribute__((always_inline))

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

INLINE void store_bytes(uint32_t *to, __m512i v)
{
	_mm_storeu_si128((void *)to, _mm512_cvtsepi32_epi8(v));
}

/* Round 32 values to the bytes of each part; returns their scale. */
INLINE float round_unit(const float *x, uint32_t *bytes, int32_t *sum, const unsigned parts)
{
	__m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
	float most = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
	__m512 inverse = _mm512_set1_ps(most > 0 ? LEVELS(parts) / most : 0);
	__m512i qa = _mm512_cvtps_epi32(_mm512_mul_ps(a, inverse));
	__m512i qb = _mm512_cvtps_epi32(_mm512_mul_ps(b, inverse));

	*sum = _mm512_reduce_add_epi32(_mm512_add_epi32(qa, qb));
	if (parts > 1) {
		const __m512i half = _mm512_set1_epi32(128);
		__m512i first_a = _mm512_srai_epi32(_mm512_add_epi32(qa, half), 8);
		__m512i first_b = _mm512_srai_epi32(_mm512_add_epi32(qb, half), 8);

		store_bytes(bytes + UNIT / 4, _mm512_sub_epi32(qa, _mm512_slli_epi32(first_a, 8)));
		store_bytes(bytes + UNIT / 4 + 4,
			    _mm512_sub_epi32(qb, _mm512_slli_epi32(first_b, 8)));
		qa = first_a;
		qb = first_b;
	}
	store_bytes(bytes, qa);
	store_bytes(bytes + 4, qb);
	return most / LEVELS(parts);
}

INLINE void pack_parts(const float *x, size_t stride, unsigned rows, size_t n, char *to,
		       const unsigned parts)
{
	for (size_t i = 0; i < n; i += UNIT, to += rows * X_BYTES(parts))
		for (unsigned r = 0; r < rows; r++) {
			uint32_t bytes[2 * UNIT / 4];
			int32_t sum;
			float scale = round_unit(x + r * stride + i, bytes, &sum, parts);
			char *after = to + parts * UNIT * rows + 4 * r;

			for (unsigned j = 0; j < parts * UNIT / 4; j++)
				memcpy(to + 4 * (j * rows + r), bytes + j, 4);
			sum *= -128;
			memcpy(after, &scale, 4);
			memcpy(after + 4 * rows, &sum, 4);
		}
}

static void pack(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	pack_parts(x, stride, rows, n, packed, 1);
}

static void pack_fine(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	pack_parts(x, stride, rows, n, packed, 2);
}

INLINE int32_t int_at(const char *p)
{
	int32_t i;

	memcpy(&i, p, sizeof i);
	return i;
}

/* Add the products of a part of a unit of rows by weights to sums of int32. */
INLINE void add_products(const char *x, const unsigned rows, const char *w,
			 struct lh_ahead *ahead, __m512i s[ROWS][2])
{
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

/* Multiply a unit of rows by one of weights. */
INLINE void unit_sums(const char *x, const unsigned rows, const char *w, struct lh_ahead *ahead,
		      __m512i s[ROWS][2], const unsigned parts)
{
	if (parts > 1) {
#pragma GCC unroll 7
		for (unsigned r = 0; r < rows; r++)
			s[r][0] = s[r][1] = _mm512_setzero_si512();
		add_products(x, rows, w, ahead, s);
		x += UNIT * rows;
	}
#pragma GCC unroll 7
	for (unsigned r = 0; r < rows; r++) {
		__m512i more = _mm512_set1_epi32(int_at(x + (UNIT + 4) * rows + 4 * r));

		s[r][0] = parts > 1 ? _mm512_add_epi32(_mm512_slli_epi32(s[r][0], 8), more) : more;
		s[r][1] = parts > 1 ? _mm512_add_epi32(_mm512_slli_epi32(s[r][1], 8), more) : more;
	}
	add_products(x, rows, w, ahead, s);
}

INLINE void some_rows(const char *x, const unsigned rows, const char *w, size_t n,
		      const float *bias, float *y, size_t stride, struct lh_ahead ahead,
		      const unsigned parts)
{
	__m512 sum[ROWS][2];
	__m512i s[ROWS][2];

#pragma GCC unroll 7
	for (unsigned r = 0; r < rows; r++) {
		const float *from = bias ? bias : y + r * stride;

		sum[r][0] = _mm512_loadu_ps(from);
		sum[r][1] = _mm512_loadu_ps(from + 16);
	}
	ahead.step = ahead.step * 4 / parts;
	for (; n; n -= UNIT, x += rows * X_BYTES(parts), w += W_BYTES) {
		__m512 a = _mm512_loadu_ps(w + UNIT * LH_PANEL);
		__m512 b = _mm512_loadu_ps(w + UNIT * LH_PANEL + 64);

		unit_sums(x, rows, w, &ahead, s, parts);
#pragma GCC unroll 7
		for (unsigned r = 0; r < rows; r++) {
			__m512 d = _mm512_castsi512_ps(
				_mm512_set1_epi32(int_at(x + parts * UNIT * rows + 4 * r)));

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

INLINE void any_rows(const void *x, unsigned rows, const void *w, size_t n, const float *bias,
		     float *y, size_t stride, struct lh_ahead ahead, const unsigned parts)
{
#define CASE(r) case r: some_rows(x, r, w, n, bias, y, stride, ahead, parts); break
	switch (rows) {
	CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(7);
	}
#undef CASE
}

static void block(const void *x, unsigned rows, const void *w, size_t n, const float *bias,
		  float *y, size_t stride, struct lh_ahead ahead)
{
	any_rows(x, rows, w, n, bias, y, stride, ahead, 1);
}

static void fine_block(const void *x, unsigned rows, const void *w, size_t n, const float *bias,
		       float *y, size_t stride, struct lh_ahead ahead)
{
	any_rows(x, rows, w, n, bias, y, stride, ahead, 2);
}

const struct lh_product lh_product_vnni = {
	.name = "vnni", .raw = true, .levels = LEVELS(1), .rows = ROWS, .tile = 1, .unit = UNIT,
	.w_bytes = W_BYTES, .x_bytes = X_BYTES(1), .part = 768, .put = put, .pack = pack,
	.block = block,
};

const struct lh_product lh_product_vnni_fine = {
	.name = "vnni-fine", .packing = "vnni", .raw = true, .levels = LEVELS(2), .rows = ROWS,
	.tile = 1, .unit = UNIT, .w_bytes = W_BYTES, .x_bytes = X_BYTES(2), .part = 768,
	.put = put, .pack = pack_fine, .block = fine_block,
};
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
