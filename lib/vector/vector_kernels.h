/*
 * vector_kernels - the inner loops of distances, codes and estimates, for the instructions of
 * this CPU.
 *
 * Those for AVX2 and AVX-512 are compiled from one source: distance_source.h, quantize_source.h
 * and qg_source.h, in vectors of 8 or 16 floats.  vector_portable.c has those for any CPU: plain
 * loops where the compiler's own vectors would be slower, qg_source.h for rotations.
 */
#ifndef LH_VECTOR_KERNELS_H
#define LH_VECTOR_KERNELS_H

#include <string.h>

#include "vector/distance.h"

#include "graph.h"
#include "quantize.h"

struct lh_distance_kernel {
	const char *name;
	enum lh_isa isa;
	lh_vec_fn dot, l2sq;
	lh_vec_rows_fn dot_rows, l2sq_rows;
};
const struct lh_distance_kernel *lh_distance_kernel(void);

/* Measure one row after the other, prefetching the next. */
static inline void rows_one_by_one(lh_vec_fn fn, const float *a, const float *const *rows, size_t k,
				   size_t n, float *out)
{
	size_t i, j;

	for (i = 0; i < k; i++) {
		for (j = 0; i + 1 < k && j < n; j += 16)
			__builtin_prefetch(rows[i + 1] + j);
		out[i] = fn(a, rows[i], n);
	}
}

/* ---- codes of quantize.h ---- */

#define LH_CODE_ZERO 128	/* the byte of zero under i8 */

/* Follows the bytes of an i8 code. */
struct lh_quantize_head {
	float scale;
	uint32_t square;	/* sum of c * c: at most 2^16 * 2^14 */
};

static inline struct lh_quantize_head lh_quantize_head(const void *code, uint32_t n)
{
	struct lh_quantize_head h;

	memcpy(&h, (const char *)code + n, sizeof h);
	return h;
}

/* Return value i of an f16 code. */
static inline float lh_quantize_half(const void *code, size_t i)
{
	uint32_t bits;
	uint16_t h;
	float f;

	memcpy(&h, (const char *)code + 2 * i, sizeof h);
	if ((h & 0x7c00) == 0) {
		f = (float)(h & 0x3ff) * 0x1p-24f;
		return h & 0x8000 ? -f : f;
	}
	bits = (uint32_t)(h & 0x8000) << 16 | (uint32_t)(h & 0x7fff) << 13;
	bits += (h & 0x7c00) == 0x7c00 ? 224u << 23 : 112u << 23;
	memcpy(&f, &bits, sizeof f);
	return f;
}

/* Return the distance, given the sum of products of both sides' c. */
static inline float lh_quantize_finish(const struct lh_quantized_query *q,
				       const unsigned char *code, int32_t sum)
{
	struct lh_quantize_head h = lh_quantize_head(code, q->n);
	float dot = q->scale * h.scale * (float)sum;

	return q->distance == LH_L2 ? q->square + h.scale * h.scale * (float)h.square - 2 * dot :
				      -dot;
}

typedef void (*lh_quantize_rows_fn)(const struct lh_quantized_query *q, const void *const *codes,
				    size_t k, float *out);
typedef void (*lh_quantize_get_fn)(const void *code, uint32_t n, float *v);
/* Convert the bytes of an i8 code to signed ones and return their sum.  -128, which
 * occurs in damaged codes only and which some kernels cannot take, becomes -127. */
typedef int32_t (*lh_quantize_sign_fn)(const unsigned char *code, uint32_t n, int8_t *c);

struct lh_quantize_kernel {
	lh_quantize_rows_fn rows_f16, rows_i8;
	lh_quantize_get_fn get_f16, get_i8;
	lh_quantize_sign_fn sign;
};
const struct lh_quantize_kernel *lh_quantize_kernel(void);

/* ---- codes of graph.h ---- */

/* Most tables whose sums fit 16 bits: 257, in whole steps of 64 bytes. */
#define LH_QG_RUN 256

/* Sums over the values of o = neighbour - c. */
struct lh_qg_part {
	float square;	/* of o * o */
	float size;	/* of |o| */
	float along;	/* of c where o > 0, of -c elsewhere */
};

struct lh_qg_kernel {
	/* Rotate dim values in place. */
	void (*rotate)(const unsigned char *signs, float *v, uint32_t dim);
	/* Compute the bits of o > 0 and the sums. */
	void (*encode)(const float *c, const float *neighbour, uint32_t dim, unsigned char *bits,
		       struct lh_qg_part *part);
	/* Write a table of 16 entries for each four of dim values: (sum - min) * per_step. */
	void (*tables)(const float *v, uint32_t dim, float min, float per_step, uint8_t *table);
	/* Sum the entries of dim / 4 tables for 32 lanes. */
	void (*sums)(const uint8_t *table, const unsigned char *codes, uint32_t dim,
		     uint32_t *sums);
	/* Finish lh_qg_estimate. */
	uint32_t (*estimate)(const struct lh_qg_query *q, const uint32_t *sums,
			     const struct lh_qg_factors *f, float square, float limit,
			     float *out);
};
const struct lh_qg_kernel *lh_qg_kernel(void);

extern const struct lh_distance_kernel lh_distance_portable, lh_distance_avx2, lh_distance_avx512;
extern const struct lh_quantize_kernel lh_quantize_portable, lh_quantize_avx2, lh_quantize_avx512;
extern const struct lh_qg_kernel lh_qg_portable, lh_qg_avx2, lh_qg_avx512;
#endif
