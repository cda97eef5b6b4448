/*
 * quantize - a vector as an index keeps it: in f32, in f16, or as bytes with a
 * scale; and distances between a query and such codes, by the best kernel that
 * this CPU has (as lh_vec, and LH_KERNEL forces them the same way).
 *
 *     lh_quantized_query_init(&q, LH_I8, LH_COSINE, 768, err);
 *     lh_quantized_query_set(&q, vector);
 *     lh_quantize_rows(&q, codes, k, distances);
 *     lh_quantized_query_free(&q);
 *
 * The bytes of a code (numbers little-endian):
 *
 *     f32  n f32
 *     f16  n IEEE 754 half floats, rounded to nearest, ties to even
 *     i8   n bytes, each 128 + c with c in -127..127, then f32 scale, then u32
 *          the sum of all c * c.  A value is c * scale.  The largest value has
 *          c = 127 or -127: the scale is fitted to each vector.
 *
 * Scales are chosen so that coding twice gives the same bytes.  Under l2 and ip
 * a scale has 16 significant bits, so that c * scale is exact.  Under cosine it
 * is 1 / sqrt(sum of c * c): what is read back has unit length.
 *
 * A code may lie at any address; its distances come fastest when it begins at a
 * multiple of 64.  A query is made ready once for many rows.  Under i8 it is
 * coded too: distances lie off by what both roundings cost.
 *
 * Threads: a query that is set may be used by many at once.
 */
#ifndef LH_QUANTIZE_H
#define LH_QUANTIZE_H

#include <lh/distance.h>

/* Bytes of a code of n values. */
size_t lh_quantize_bytes(int precision, uint32_t n);

/* Can these finite values be kept?  LH_EDATA says which cannot (over 65504 in
 * size, the largest f16). */
int lh_quantize_fits(int precision, const float *v, uint32_t n, struct lh_err *err);

/* v: finite, fits; of unit length under cosine. */
void lh_quantize_put(int precision, int distance, const float *v, uint32_t n, void *code);
void lh_quantize_get(int precision, const void *code, uint32_t n, float *v);

/* Is it what lh_quantize_put may have written?  Reads all of it. */
bool lh_quantize_sound(int precision, int distance, const void *code, uint32_t n);

struct lh_quantized_query {
	int precision, distance;
	uint32_t n;
	void *mem;
	float *v;		/* the query (f32, f16), at a multiple of 64 */
	int8_t *c;		/* its code (i8), at a multiple of 64, */
	float scale, square;	/* its scale, and its squared length; */
	int32_t sum;		/* 128 times the sum of c */
	void (*rows)(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		     float *out);
};
int lh_quantized_query_init(struct lh_quantized_query *q, int precision, int distance, uint32_t n,
			    struct lh_err *err);
void lh_quantized_query_set(struct lh_quantized_query *q, const float *v);
/* The query is what a code of its precision stands for. */
void lh_quantized_query_code(struct lh_quantized_query *q, const void *code);
/* A zeroed struct may be freed. */
void lh_quantized_query_free(struct lh_quantized_query *q);

/* What sorts as the distance does: -dot, or the squared distance under l2.  The
 * next rows are asked for ahead.  Never NaN: a damaged row is infinitely far. */
void lh_quantize_rows(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		      float *out);
static inline float lh_quantize_row(const struct lh_quantized_query *q, const void *code)
{
	float d;

	lh_quantize_rows(q, &code, 1, &d);
	return d;
}

#endif
