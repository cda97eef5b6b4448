/* qg_row.c - make a row of layout qg.  See index_parts.h. */
#include "index_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KEPT (16 << 20)	/* bytes of rotated rows */

int lh_qg_coder_init(struct lh_qg_coder *c, struct lh_err *err)
{
	uint32_t n = c->p->dimension, dim = lh_qg_dimension(n);

	for (c->slots = 1; c->slots < c->rows &&
			   2 * (size_t)c->slots * dim <= KEPT / sizeof *c->rotated; c->slots *= 2)
		;
	c->vector = lh_calloc(n, sizeof *c->vector, err);
	c->rotated = lh_calloc(((size_t)c->slots + 1) * dim, sizeof *c->rotated, err);
	c->kept = lh_calloc(c->slots, sizeof *c->kept, err);
	return c->vector && c->rotated && c->kept ? 0 : -1;
}

void lh_qg_coder_free(struct lh_qg_coder *c)
{
	free(c->vector);
	free(c->rotated);
	free(c->kept);
}

/* Return a row's vector, rotated, until the next call. */
static const float *rotate(struct lh_qg_coder *c, uint32_t row)
{
	uint32_t n = c->p->dimension, slot = row & (c->slots - 1);
	float *to = c->rotated + slot * (size_t)lh_qg_dimension(n);

	if (c->kept[slot] == row + (uint64_t)1)
		return to;
	c->kept[slot] = row + (uint64_t)1;
	lh_quantize_decode(c->p->precision, c->code_of(c->ctx, row), c->p->dimension, c->vector);
	lh_qg_rotate(c->signs, c->vector, n, to);
	return to;
}

void lh_qg_coder_row(struct lh_qg_coder *c, uint32_t row, unsigned char *at)
{
	const struct lh_index_shape *shape = c->shape;
	uint32_t n = c->p->dimension, dim = lh_qg_dimension(n), *ids, i;
	float *add = (void *)(at + shape->add_at), *rescale = (void *)(at + shape->rescale_at);
	float *center = c->rotated + c->slots * (size_t)dim;	/* the last place */

	ids = (void *)(at + shape->ids_at);
	memcpy(center, rotate(c, row), dim * sizeof *center);
	for (i = 0; i < 2 * c->p->m; i++) {
		lh_qg_encode(dim, center, rotate(c, ids[i]), i % LH_QG_LANES,
			     at + shape->codes_at + i / LH_QG_LANES * lh_qg_code_bytes(n), add + i,
			     rescale + i);
	}
}
