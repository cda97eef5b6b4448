/*
 * kernels - the inner loops of the encoder, for the instructions of this CPU.
 *
 * A kernel is chosen as lh_vec_isa does (LH_KERNEL forces one).  All are compiled from
 * kernel_source.h, but for products by AMX and VNNI.  The result for a row depends on that row
 * alone, never on its place or on how many rows there are: each sum is added in one order.
 *
 * Errors of exp: at most 1e-7, relative.
 * Products:      of floats, rounded with their sum to f32.  AMX multiplies floats as sums of two
 *                numbers of bf16: a product is exact to 2^-14, and sums are in f32.  On generated
 *                models of 12 layers 1 - cos to float64 is 1e-10 with it, and 1e-13 without.
 * Fast:          by AMX both are rounded to bf16: exact to 2^-7, 1 - cos 1e-5 to 4e-5.  VNNI rounds
 *                rows in runs of 32, to 15 bits in attention and for experts, and else to 8;
 *                weights of Q8_0 are exact: 1e-5 to 9e-5, of texts of two tokens or more.  Where
 *                two experts are almost equally good the other one may be chosen: up to 1e-2.
 *
 * AMX is used where the CPU has it and the system permits it (Linux 5.16 or later); the tiles of a
 * thread are in use only during lh_matmul.
 */
#ifndef LH_KERNELS_H
#define LH_KERNELS_H

#include "gguf.h"

#define LH_PANEL 32		/* outputs in a panel of weights */

#define LH_SPREAD 16384		/* bytes of a part of a panel that is spread */

enum { LH_Q8_BYTES = 34, LH_Q8_INPUTS = 32 };	/* of a block of Q8_0: a half, then bytes */

/* The next weights, fetched while a block is computed: step bytes for each input. */
struct lh_ahead {
	const char *from;
	size_t step;
};

/* How rows are multiplied by weights: the layout of both, and the loops. */
struct lh_product {
	const char *name;
	const char *packing;	/* of the weights: another name for another layout; NULL: name */
	bool raw;		/* weights are put as the file has them: blocks of Q8_0, or F16 */
	int levels;		/* rows are rounded in runs of 32, to integers up to this one;
				 * 0: they are not */
	double error;		/* of a product, at most, relative to it; 0: that of floats */
	unsigned rows;		/* of the largest block */
	unsigned tile;		/* rows that are together in a layout */
	unsigned unit;		/* inputs that are together in a layout; n is a multiple */
	unsigned w_bytes;	/* of a panel's weights for a unit of inputs */
	unsigned x_bytes;	/* of a packed row for a unit of inputs */
	unsigned part;		/* inputs of a panel that fit in the first cache */

	/* Put the weights of an output into panels; row is n floats, or raw. */
	void (*put)(void *panels, size_t output, const void *row, size_t n);
	/* Put n <= 32 outputs into a panel, from columns of a matrix of in rows of floats. */
	void (*put_columns)(void *panel, const float *x, size_t stride, size_t in, size_t n);
	/* Pack a block of rows of n floats. */
	void (*pack)(const float *x, size_t stride, unsigned rows, size_t n, void *packed);
	/* Make what block reads of n inputs of a panel; NULL: it reads the panel. */
	void (*spread)(const void *panel, size_t n, void *to);
	/* Multiply a packed block of rows by n inputs of a panel: y[r][c] = bias[c] + the sum
	 * of x[r] w[c], c < 32.  Without bias the sum is added to y. */
	void (*block)(const void *x, unsigned rows, const void *w, size_t n, const float *bias,
		      float *y, size_t stride, struct lh_ahead ahead);
	void (*begin)(void), (*end)(void);	/* of blocks; NULL: nothing */
};

/* The inputs and outputs of a float product are interleaved: x[i * rows + r], w[i * 32 + c]. */
struct lh_kernels {
	const char *name;
	struct lh_product f32, f16, q8;	/* by weights that are kept in floats, F16 or Q8_0 */

	void (*softmax)(float *v, size_t n, float scale);	/* of v * scale */
	/* v = its activation * up; up NULL: its activation */
	void (*gelu)(float *v, const float *up, size_t n);	/* the form with tanh */
	void (*gelu_erf)(float *v, const float *up, size_t n);
	void (*silu)(float *v, const float *up, size_t n);
	/* x = layer norm of x + more; more NULL: of x; bias NULL: zeros */
	void (*norm)(float *x, const float *more, const float *weight, const float *bias,
		     size_t n, float epsilon);
	/* x = x * weight / the root of the mean of its squares */
	void (*rms)(float *x, const float *weight, size_t n, float epsilon);
	void (*exp)(float *v, size_t n);			/* -87 to 88; for tests */
};

const struct lh_kernels *lh_kernels(void);

/* Return what the layout of a product's weights is called: products of the same packing read
 * each other's weights, in memory or in a compiled model. */
const char *lh_packing(const struct lh_product *p);

/* Return the product of lh_kernels() for weights of a type. */
const struct lh_product *lh_product_of_floats(uint32_t type);

/* How much rows may be rounded before they are multiplied.  By AMX FINE and COARSE are the same. */
enum lh_rounding { LH_EXACT, LH_FINE, LH_COARSE };

/* Return the product for weights of a type.  LH_KERNEL=amx or vnni forces that one, any other name
 * the product of lh_kernels(). */
const struct lh_product *lh_product(uint32_t type, enum lh_rounding rounding);

extern const struct lh_kernels lh_kernels_portable, lh_kernels_avx2, lh_kernels_avx512;
extern const struct lh_product lh_product_vnni, lh_product_vnni_fine, lh_product_amx,
	lh_product_amx_f16, lh_product_amx_bf16, lh_product_amx_q8_exact, lh_product_amx_q8;

/* Return whether the CPU has AMX with bf16, and the system lets this process use it. */
bool lh_amx(void);

/* ---- products of rows and a matrix of weights ---- */

/*
 *     product->put(panels, 0, row, in);                          output 0 of the matrix, ...
 *     lh_matmul_pack(&matrix, x, stride, rows, packed);
 *     lh_matmul(&matrix, packed, rows, y, y_stride);
 *
 * The matrix is in panels of 32 outputs, whose weights are interleaved; a last panel is filled
 * up with zeros, and whole panels are written: y has room for lh_panels_round(out) columns.
 * The rows are packed into blocks of as many rows as a kernel takes, interleaved likewise.
 */

struct lh_panels {
	const struct lh_product *product;
	const void *w;			/* lh_panels_bytes */
	const float *bias;		/* round(out); NULL: zeros */
	size_t in, out;
	bool gated;			/* panels of gates take turns with what they multiply */
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

/* Multiply rows, and pack what an activation makes of the outputs as rows of the next matrix,
 * panel by panel: all outputs together would not fit in a cache.  hidden has 2 * LH_PANEL floats
 * for each row. */
void lh_matmul_next(const struct lh_panels *m, const void *packed, size_t rows, float *hidden,
		    void (*activate)(float *v, const float *up, size_t n),
		    const struct lh_panels *next, void *to);

#endif
