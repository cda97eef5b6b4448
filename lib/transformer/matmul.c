/*
 * matmul.c - products of rows and a matrix of weights.  See matmul.h.
 *
 * A part of a panel that fits in the first cache is multiplied by all rows before the next one,
 * which is fetched meanwhile.  The sums continue from one part to the next in the same order.
 */
#include "matmul.h"

#include <string.h>

#define PART 256		/* inputs: 32 KB of weights */

struct blocks {
	size_t n, rows, more;	/* the first `more` have one row more */
};

/* Divide rows into blocks of about equal size. */
static struct blocks blocks_of(const struct lh_kernels *k, size_t rows)
{
	size_t n = (rows + k->rows - 1) / k->rows;

	return (struct blocks){ n, rows / n, rows % n };
}

void lh_matmul_pack(const struct lh_kernels *k, const float *x, size_t stride, size_t rows,
		    size_t n, float *packed)
{
	struct blocks b = blocks_of(k, rows);

	for (size_t at = 0; at < b.n; at++) {
		size_t h = b.rows + (at < b.more);

		for (size_t i = 0; i < n; i++)
			for (size_t r = 0; r < h; r++)
				packed[i * h + r] = x[r * stride + i];
		packed += h * n;
		x += h * stride;
	}
}

/* Multiply all rows by inputs from..from+n of a panel. */
static void part_of_panel(const struct lh_kernels *k, const float *packed, size_t rows, size_t in,
			  size_t from, size_t n, const float *w, const float *bias, float *y,
			  size_t stride)
{
	struct blocks b = blocks_of(k, rows);
	struct lh_ahead ahead = { (const char *)(w + n * LH_PANEL),
				  LH_PANEL * sizeof *w / b.n + 1 };

	for (size_t at = 0; at < b.n; at++) {
		size_t h = b.rows + (at < b.more);

		k->block(packed + from * h, (unsigned)h, w, n, bias, y, stride, ahead);
		ahead.from += n * ahead.step;
		packed += h * in;
		y += h * stride;
	}
}

void lh_matmul(const struct lh_kernels *k, const float *packed, size_t rows,
	       const struct lh_panels *m, float *y, size_t stride)
{
	static const float zeros[LH_PANEL];
	const float *w = m->w;

	for (size_t c = 0; c < m->out; c += LH_PANEL) {
		const float *bias = m->bias ? m->bias + c : zeros;

		for (size_t i = 0; i < m->in; i += PART) {
			size_t n = m->in - i < PART ? m->in - i : PART;

			part_of_panel(k, packed, rows, m->in, i, n, w, i ? NULL : bias, y + c,
				      stride);
			w += n * LH_PANEL;
		}
	}
}
