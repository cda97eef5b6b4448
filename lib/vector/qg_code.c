/* qg_code.c - 1-bit codes of neighbours.  See graph.h. */
#include "graph.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "vector_kernels.h"
#include "base/mem.h"

#define ALIGN 64

void lh_qg_signs(uint64_t seed, uint32_t n, unsigned char *signs)
{
	size_t bytes = lh_qg_sign_bytes(n), i;
	uint64_t z;

	/* splitmix64; the bytes are a multiple of 32 */
	for (i = 0; i < bytes; i += 8) {
		seed += 0x9e3779b97f4a7c15u;
		z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		z ^= z >> 31;
		memcpy(signs + i, &z, sizeof z);
	}
}

void lh_qg_rotate(const unsigned char *signs, const float *v, uint32_t n, float *out)
{
	uint32_t dim = lh_qg_dimension(n);

	memcpy(out, v, n * sizeof *v);
	memset(out + n, 0, (dim - n) * sizeof *v);
	lh_qg_kernel()->rotate(signs, out, dim);
}

void lh_qg_encode(uint32_t dim, uint32_t values, const float *c, const float *neighbour,
		  unsigned lane, unsigned char *codes, float *f_add, float *f_rescale)
{
	unsigned char bits[65536 / 8];
	struct lh_qg_part p, rest = { 0 };
	float ratio;
	unsigned shift;
	unsigned char keep, *to;
	uint32_t i;

	if (values < dim)
		lh_qg_kernel()->encode(c + values, neighbour + values, dim - values, bits, &rest);
	lh_qg_kernel()->encode(c, neighbour, values, bits, &p);
	p.square += rest.square;
	/* Store the bits of a lane between those of the others. */
	shift = lane < 16 ? 0 : 4;
	keep = (unsigned char)(0xf0 >> shift);
	to = codes + lane % 16;
	for (i = 0; i < values / 8; i++, to += 32) {
		to[0] = (unsigned char)((to[0] & keep) | (bits[i] & 15) << shift);
		to[16] = (unsigned char)((to[16] & keep) | bits[i] >> 4 << shift);
	}
	/* <o,u> is half of size, <c,u> half of along */
	ratio = p.size > 0 ? p.square / p.size : 0;
	*f_add = p.square + 2 * (ratio * p.along);
	*f_rescale = p.size > 0 ? -4 * ratio : 0;
}

/* ---- queries ---- */

void lh_qg_query_init(struct lh_qg_query *q, uint32_t n, uint32_t values)
{
	uint32_t dim = lh_qg_dimension(n);

	*q = (struct lh_qg_query){ .n = n, .dim = values };
	q->mem = lh_calloc(1, ALIGN + dim * sizeof *q->rotated + 4 * (size_t)dim);
	q->rotated = (float *)(((uintptr_t)q->mem + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
	q->table = (uint8_t *)(q->rotated + dim);
}

static float sum_of(const float *v, uint32_t dim)
{
	float s[8] = { 0 };
	uint32_t i, j;

	for (i = 0; i < dim; i += 8)
		for (j = 0; j < 8; j++)
			s[j] += v[i + j];
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* A query whose sums overflow f32 gets NaN as the bias, so that it has no estimates. */
void lh_qg_query_set(struct lh_qg_query *q, const unsigned char *signs, const float *v)
{
	float min, max, range, lo, hi, low[4], high[4];
	uint32_t i, j;

	lh_qg_rotate(signs, v, q->n, q->rotated);
	/* Find the least and the greatest sum of any table, added in the order of the tables. */
	min = max = 0;
	for (i = 0; i < q->dim; i += 4) {
		for (j = 0; j < 4; j++) {
			low[j] = q->rotated[i + j] < 0 ? q->rotated[i + j] : 0;
			high[j] = q->rotated[i + j] > 0 ? q->rotated[i + j] : 0;
		}
		lo = (low[0] + low[1]) + (low[2] + low[3]);
		hi = (high[0] + high[1]) + (high[2] + high[3]);
		min = lo < min ? lo : min;
		max = hi > max ? hi : max;
	}
	range = max - min;
	if (!(range <= FLT_MAX))
		range = 0;
	q->delta = range / 255;
	if (q->delta > 0)
		lh_qg_kernel()->tables(q->rotated, q->dim, min, 255 / range, q->table);
	else
		memset(q->table, 0, 4 * (size_t)q->dim);
	q->bias = (float)(q->dim / 4) * min - sum_of(q->rotated, q->dim) / 2;
}

void lh_qg_query_free(struct lh_qg_query *q)
{
	free(q->mem);
	*q = (struct lh_qg_query){ 0 };
}

void lh_qg_sums(const struct lh_qg_query *q, const unsigned char *codes, uint32_t *sums)
{
	lh_qg_kernel()->sums(q->table, codes, q->dim, sums);
}

uint32_t lh_qg_estimate(const struct lh_qg_query *q, const unsigned char *codes,
			const struct lh_qg_factors *f, float square, float limit, float *out)
{
	uint32_t sums[LH_QG_LANES];

	lh_qg_sums(q, codes, sums);
	return lh_qg_kernel()->estimate(q, sums, f, square, limit, out);
}
