/*
 * kernels - the inner loops of the encoder, for the instructions of this CPU.
 *
 * A kernel is chosen once, as lh_vec_isa does (LH_KERNEL forces one).  All are compiled from
 * kernel_source.h.  The result for a row depends on that row alone, never on its place or
 * on how many rows there are: each sum is added in one order.
 *
 * Errors of exp: at most 1e-7, relative.
 */
#ifndef LH_KERNELS_H
#define LH_KERNELS_H

#include <stddef.h>

#define LH_PANEL 32		/* outputs in a panel of weights */

/* The next weights, fetched while a block is computed: step bytes for each input. */
struct lh_ahead {
	const char *from;
	size_t step;
};

struct lh_kernels {
	const char *name;
	unsigned rows;		/* of the largest block */

	/* Multiply a block of rows by a panel: y[r][c] = bias[c] + sum of x[r] w[c], c < 32.
	 * x has the rows interleaved, x[i * rows + r]; w has the outputs interleaved,
	 * w[i * 32 + c]; n inputs.  Without bias the sum is added to y. */
	void (*block)(const float *x, unsigned rows, const float *w, size_t n, const float *bias,
		      float *y, size_t stride, struct lh_ahead ahead);

	void (*softmax)(float *v, size_t n, float scale);	/* of v * scale */
	void (*gelu)(float *v, size_t n);			/* the form with tanh */
	void (*silu)(float *gate, const float *up, size_t n);	/* gate = silu(gate) * up */
	/* x = layer norm of x + more */
	void (*norm)(float *x, const float *more, const float *weight, const float *bias,
		     size_t n, float epsilon);
	void (*exp)(float *v, size_t n);			/* -87 to 88; for tests */
};

const struct lh_kernels *lh_kernels(void);

extern const struct lh_kernels lh_kernels_portable, lh_kernels_avx2, lh_kernels_avx512;

#endif
