/* qg_row.c - make a row of a file.  See index_parts.h. */
#include "index_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KEPT (16 << 20)	/* bytes of rotated rows */

void lh_qg_lift(const struct lh_index_params *p, float *v)
{
	uint32_t n = p->dimension, i;
	double rest;

	if (p->distance != LH_IP)
		return;
	for (i = 0; i < n; i++)
		v[i] = (float)((double)v[i] / p->longest);
	rest = 1 - lh_vec_dot_f64(v, v, n);
	v[n] = rest > 0 ? (float)sqrt(rest) : 0;
}

void lh_qg_coder_init(struct lh_qg_coder *c)
{
	uint32_t n = lh_index_lifted(c->p), dim = lh_qg_dimension(n);

	for (c->slots = 1; c->slots < c->rows &&
			   2 * (size_t)c->slots * dim <= KEPT / sizeof *c->rotated; c->slots *= 2)
		;
	c->vector = lh_calloc(n, sizeof *c->vector);
	c->rotated = lh_calloc(((size_t)c->slots + 1) * dim, sizeof *c->rotated);
	c->factors = lh_calloc(4 * (size_t)c->p->m, sizeof *c->factors);
	c->kept = lh_calloc(c->slots, sizeof *c->kept);
}

void lh_qg_coder_free(struct lh_qg_coder *c)
{
	free(c->vector);
	free(c->rotated);
	free(c->factors);
	free(c->kept);
}

/* Return a row's vector, rotated, until the next call. */
static const float *rotate(struct lh_qg_coder *c, uint32_t row)
{
	uint32_t n = lh_index_lifted(c->p), slot = row & (c->slots - 1);
	float *to = c->rotated + slot * (size_t)lh_qg_dimension(n);

	if (c->kept[slot] == row + (uint64_t)1)
		return to;
	c->kept[slot] = row + (uint64_t)1;
	lh_quantize_decode(c->p->precision, c->code_of(c->ctx, row), c->p->dimension, c->vector);
	lh_qg_lift(c->p, c->vector);
	lh_qg_rotate(c->signs, c->vector, n, to);
	return to;
}

/* Store factors in f16, in units of the greatest: none is too large or too small. */
static void store_factors(struct lh_qg_coder *c, unsigned char *at)
{
	const struct lh_index_shape *shape = c->shape;
	uint32_t n = 4 * c->p->m, i;
	float unit = 0;

	for (i = 0; i < n; i++)
		unit = fmaxf(unit, fabsf(c->factors[i]));
	for (i = 0; unit > 0 && i < n; i++)
		c->factors[i] /= unit;
	memcpy(at + shape->unit_at, &unit, sizeof unit);
	lh_quantize_encode(LH_F16, LH_L2, c->factors, n, at + shape->add_at);
}

void lh_qg_coder_row(struct lh_qg_coder *c, uint32_t row, unsigned char *at)
{
	const struct lh_index_shape *shape = c->shape;
	uint32_t dim = lh_qg_dimension(lh_index_lifted(c->p)), links = 2 * c->p->m, i;
	const uint32_t *ids = (const void *)(at + shape->ids_at);
	float *center = c->rotated + c->slots * (size_t)dim;	/* the last place */
	unsigned char *codes = at + shape->codes_at;

	if (!shape->values)
		return;
	memcpy(center, rotate(c, row), dim * sizeof *center);
	for (i = 0; i < links; i++) {
		lh_qg_encode(dim, shape->values, center, rotate(c, ids[i]), i % LH_QG_LANES, codes,
			     c->factors + i, c->factors + links + i);
		if (i % LH_QG_LANES == LH_QG_LANES - 1)
			codes += lh_qg_code_bytes(shape->values);
	}
	store_factors(c, at);
}
