/*
 * matmul - products of rows and a matrix of weights.
 *
 *     lh_panels_put(panels, 0, row, in);                         output 0 of the matrix, ...
 *     lh_matmul_pack(kernels, x, stride, rows, in, packed);
 *     lh_matmul(kernels, packed, rows, &matrix, y, y_stride);
 *
 * The matrix is in panels of 32 outputs, whose weights are interleaved input by input; a last
 * panel is filled up with zeros, and whole panels are written: y has room for
 * lh_panels_round(out) columns.  The rows are packed into blocks of as many rows as a kernel
 * takes, interleaved likewise.
 */
#ifndef LH_MATMUL_H
#define LH_MATMUL_H

#include "kernels.h"

struct lh_panels {
	const float *w;			/* round(out) * in */
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

/* Put the weights of one output into panels of in inputs. */
static inline void lh_panels_put(float *panels, size_t output, const float *row, size_t in)
{
	float *to = panels + output / LH_PANEL * LH_PANEL * in + output % LH_PANEL;

	for (size_t i = 0; i < in; i++)
		to[i * LH_PANEL] = row[i];
}

/* Pack rows of n values; packed has room for rows * n. */
void lh_matmul_pack(const struct lh_kernels *k, const float *x, size_t stride, size_t rows,
		    size_t n, float *packed);
void lh_matmul(const struct lh_kernels *k, const float *packed, size_t rows,
	       const struct lh_panels *m, float *y, size_t stride);

#endif
