/*
 * matmul - products of rows and a matrix of weights.
 *
 *     product->put(panels, 0, row, in);                          output 0 of the matrix, ...
 *     lh_matmul_pack(&matrix, x, stride, rows, packed);
 *     lh_matmul(&matrix, packed, rows, y, y_stride);
 *
 * The matrix is in panels of 32 outputs, whose weights are interleaved; a last panel is filled
 * up with zeros, and whole panels are written: y has room for lh_panels_round(out) columns.
 * The rows are packed into blocks of as many rows as a kernel takes, interleaved likewise.
 */
#ifndef LH_MATMUL_H
#define LH_MATMUL_H

#include "kernels.h"

struct lh_panels {
	const struct lh_product *product;
	const void *w;			/* lh_panels_bytes */
	const float *bias;		/* round(out); NULL: zeros */
	size_t in, out;
};

static inline size_t lh_panels_round(size_t out)
{
	return (out + LH_PANEL - 1) / LH_PANEL * LH_PANEL;
}

/* Floats between rows of n columns: with room for a panel that begins at any column, and not
 * a power of 2, which would be slow in caches. */
static inline size_t lh_stride(size_t n)
{
	return lh_panels_round(n) + LH_PANEL + 16;
}

/* Inputs as the product counts them: whole units. */
static inline size_t lh_panels_units(const struct lh_product *p, size_t in)
{
	return (in + p->unit - 1) / p->unit;
}

static inline size_t lh_panels_bytes(const struct lh_product *p, size_t in, size_t out)
{
	return lh_panels_round(out) / LH_PANEL * lh_panels_units(p, in) * p->w_bytes;
}

/* Bytes of packed rows, which are filled up to whole tiles. */
static inline size_t lh_packed_bytes(const struct lh_product *p, size_t in, size_t rows)
{
	return (rows + p->tile - 1) / p->tile * p->tile * lh_panels_units(p, in) * p->x_bytes;
}

/* Pack rows of m->in values; packed has lh_packed_bytes and starts at a line of the cache. */
void lh_matmul_pack(const struct lh_panels *m, const float *x, size_t stride, size_t rows,
		    void *packed);
void lh_matmul(const struct lh_panels *m, const void *packed, size_t rows, float *y,
	       size_t stride);

#endif
