/*
 * quantize - encode vectors as f32, f16 or i8, and measure distances between a query
 * and codes, by the best kernel of this CPU (chosen as in distance.h, including
 * LH_KERNEL).
 *
 *     lh_quantized_query_init(&q, LH_I8, LH_COSINE, 768, err);
 *     lh_quantized_query_set(&q, vector);
 *     lh_quantize_rows(&q, codes, k, distances);
 *     lh_quantized_query_free(&q);
 *
 * The bytes of a code of n values (numbers little-endian):
 *
 *     f32  n f32
 *     f16  n IEEE 754 half floats, rounded to nearest, ties to even
 *     i8   n bytes, each 128 + c with c in -127..127, then f32 scale, then u32
 *          the sum of all c * c.  A value is c * scale.  The largest value has
 *          c = 127 or -127: the scale is fitted to each vector.
 *
 * Scales are chosen so that encoding a decoded vector gives the same bytes.  Under
 * l2 and ip a scale has 16 significant bits, so that c * scale is exact.  Under
 * cosine it is 1 / sqrt(sum of c * c), so that the decoded vector has unit length.
 *
 * A code may have any address; distances are fastest when it is a multiple of 64.
 * A query is prepared once for many rows.  Under i8 the query is encoded too:
 * distances are inexact by the rounding of both.
 *
 * Threads: many threads may use one prepared query.
 */
#ifndef LH_QUANTIZE_H
#define LH_QUANTIZE_H

#include "vector/distance.h"

#define LH_QUANTIZE_HEAD 8	/* bytes after the values of an i8 code */

/* Return the bytes of a code of n values. */
static inline size_t lh_quantize_bytes(int precision, uint32_t n)
{
	switch (precision) {
	case LH_F16: return 2 * (size_t)n;
	case LH_I8: return (size_t)n + LH_QUANTIZE_HEAD;
	default: return 4 * (size_t)n;
	}
}

/* Check that finite values can be encoded; LH_EDATA names one that cannot (beyond
 * 65504, the largest f16). */
int lh_quantize_check(int precision, const float *v, uint32_t n, struct lh_err *err);

/* Encode v, which is finite, checked, and of unit length under cosine. */
void lh_quantize_encode(int precision, int distance, const float *v, uint32_t n, void *code);
void lh_quantize_decode(int precision, const void *code, uint32_t n, float *v);

/* Return whether a code can be the output of lh_quantize_encode; reads all of it. */
bool lh_quantize_is_valid(int precision, int distance, const void *code, uint32_t n);

struct lh_quantized_query {
	int precision, distance;
	uint32_t n;
	void *mem;
	float *v;		/* the query (f32, f16), 64-byte aligned */
	int8_t *c;		/* its code (i8), 64-byte aligned; ... */
	float scale, square;	/* ... its scale and squared length; ... */
	int32_t sum;		/* ... 128 times the sum of c */
	void (*rows)(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		     float *out);
};
void lh_quantized_query_init(struct lh_quantized_query *q, int precision, int distance, uint32_t n);
void lh_quantized_query_set(struct lh_quantized_query *q, const float *v);
/* Prepare the vector that a code of the query's precision stands for. */
void lh_quantized_query_code(struct lh_quantized_query *q, const void *code);
/* Free a query; a zeroed struct is allowed. */
void lh_quantized_query_free(struct lh_quantized_query *q);

/* Compute values that sort as the distances do: -dot, or squared l2.  Rows ahead are
 * prefetched.  Never NaN: a damaged row is infinitely far. */
void lh_quantize_rows(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		      float *out);
static inline float lh_quantize_row(const struct lh_quantized_query *q, const void *code)
{
	float d;

	lh_quantize_rows(q, &code, 1, &d);
	return d;
}

#endif
