/*
 * qg_code - 1-bit codes of the neighbours of a row, and distances estimated from them.
 *
 *     lh_qg_signs(seed, n, signs);
 *     lh_qg_rotate(signs, row, n, c);                  (each vector, before all else)
 *     lh_qg_encode(dim, c, neighbour, lane, codes, &f_add[lane], &f_rescale[lane]);
 *
 *     lh_qg_query_init(&q, n, err);
 *     lh_qg_query_set(&q, signs, vector);
 *     below = lh_qg_estimate(&q, codes, f_add, f_rescale, square, limit, out);
 *     lh_qg_query_free(&q);
 *
 * This is RaBitQ (Gao and Long, 2024) with a row as the centre of its neighbours, as in
 * SymphonyQG (Gou et al., 2025).  Vectors are rotated first: n values and zeros up to dim,
 * a multiple of 64; then four times the signs of some values are changed, and the first
 * values (the second and fourth time: the last) are transformed by a normalized
 * Walsh-Hadamard matrix of the largest power of two that fits.
 *
 * The code of neighbour r of row c, both rotated, is the bits x = (r - c > 0).  With
 * o = r - c and u = x - 1/2
 *
 *     f_add     = |o|^2 + 2 |o|^2 <c,u> / <o,u>
 *     f_rescale = -2 |o|^2 / <o,u>
 *     |q - r|^2 is about |q - c|^2 + f_add + f_rescale <q,u>
 *
 * and if <o,u> is 0, f_add is |o|^2 and f_rescale is 0.
 *
 * Codes of 32 neighbours (lanes) are stored together.  Byte 16 t + j holds bits 4t to
 * 4t + 3 of lane j, the first in the lowest bit, and in its upper half those of lane
 * j + 16.  A query has a table for every four values, of the 16 sums that their bits
 * select, rounded to u8: an entry e stands for min + delta e.  So <q,x> of 32 lanes is two
 * look-ups of 16 bytes for every four values.
 *
 * Every kernel gives the same bits.  A query belongs to one thread while it is set, and may
 * then be used by many.
 */
#ifndef LH_QG_CODE_H
#define LH_QG_CODE_H

#include <stddef.h>
#include <stdint.h>

#include <lh/err.h>

#define LH_QG_LANES 32

/* Return the number of values of a rotated vector. */
static inline uint32_t lh_qg_dimension(uint32_t n)
{
	return (n + 63) / 64 * 64;
}

/* Return the bytes of the signs for vectors of n values: four times a bit for each. */
static inline size_t lh_qg_sign_bytes(uint32_t n)
{
	return (size_t)lh_qg_dimension(n) / 2;
}

/* Return the bytes of the codes of 32 neighbours. */
static inline size_t lh_qg_code_bytes(uint32_t n)
{
	return (size_t)lh_qg_dimension(n) * LH_QG_LANES / 8;
}

/* Draw the signs: bit i % 8 of byte i / 8 is 1 if the sign of value i is changed. */
void lh_qg_signs(uint64_t seed, uint32_t n, unsigned char *signs);
/* Rotate n values; out has room for lh_qg_dimension(n). */
void lh_qg_rotate(const unsigned char *signs, const float *v, uint32_t n, float *out);
/* Encode a neighbour as that lane; other lanes of codes are kept.  c and neighbour are
 * rotated and have dim values. */
void lh_qg_encode(uint32_t dim, const float *c, const float *neighbour, unsigned lane,
		  unsigned char *codes, float *f_add, float *f_rescale);

struct lh_qg_query {
	uint32_t n, dim;
	void *mem;
	float *rotated;		/* the query, dim values */
	uint8_t *table;		/* 16 entries for every four values; 64-byte aligned */
	float delta;		/* <q,u> = bias + delta * (sum of entries) */
	float bias;
};
int lh_qg_query_init(struct lh_qg_query *q, uint32_t n, struct lh_err *err);
void lh_qg_query_set(struct lh_qg_query *q, const unsigned char *signs, const float *v);
/* Free a query; a zeroed struct is allowed. */
void lh_qg_query_free(struct lh_qg_query *q);

/* Sum the entries that the codes of 32 lanes select. */
void lh_qg_sums(const struct lh_qg_query *q, const unsigned char *codes, uint32_t *sums);
/* Estimate the squared distances of 32 neighbours, given that of the row.  Damaged f_add
 * and f_rescale give any values, NaN too.  Returns a bit for each that is below limit. */
uint32_t lh_qg_estimate(const struct lh_qg_query *q, const unsigned char *codes,
			const float *f_add, const float *f_rescale, float square, float limit,
			float *out);

#endif
