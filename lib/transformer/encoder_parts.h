/* encoder_parts - a loaded model and the room for its work, for encoder.c and weights.c, which
 * load, layers.c and attention.c. */
#ifndef LH_ENCODER_PARTS_H
#define LH_ENCODER_PARTS_H

#include "design.h"
#include "matmul.h"

#define LH_ROWS 128		/* rows that are multiplied by a matrix at once */

struct lh_norm {
	const float *weight, *bias;	/* weight NULL: there is none; bias NULL: zeros */
};

struct lh_layer {
	struct lh_panels qkv, out, up, down;	/* up: gate, then up, if the model has gates */
	struct lh_norm norm[LH_NORMS];
	struct lh_panels router, *up_of, *down_of;	/* of experts; NULL: a dense layer */
	bool local;			/* attention has the window */
};

struct lh_head {			/* of a cross-encoder; matrices by rows of width values */
	const float *dense, *dense_bias;	/* cls: width rows; NULL: none */
	const float *norm;			/* NULL: none */
	const float *out, *out_bias;		/* labels rows */
};

struct lh_encoder {
	const struct lh_kernels *kernels;
	const struct lh_product *floats;
	struct lh_encoder_how how;
	const struct lh_design *design;
	struct lh_shape s;
	const struct lh_gguf_tensor *token, *position;
	const float *type;		/* row 0; NULL: the model has none */
	const float *second_type;	/* of pairs: row 1, or row 0 if that is alone */
	const float *factors;		/* by which the angles are divided; NULL: none */
	struct lh_norm norm, output_norm;
	struct lh_panels dense[2];	/* in 0: not there */
	struct lh_head head;
	struct lh_layer *layer;
	struct lh_packing *packing;	/* of each matrix */
	size_t packings, packings_cap;
	struct lh_str weights;		/* all but embeddings; ... */
	void *memory;			/* ... in this, unless they are mapped */
	struct lh_gguf_tensor mapped[2];	/* of a compiled model: token, position */
};

static inline bool lh_encoder_has(const struct lh_encoder *e, enum lh_has what)
{
	return e->s.has & LH_BIT(what);
}

static inline bool lh_encoder_gated(const struct lh_encoder *e)
{
	return lh_encoder_has(e, LH_GATE) || lh_encoder_has(e, LH_GATE_IN_UP);
}

/* Columns of q, and of q, k and v together. */
static inline size_t lh_encoder_queries(const struct lh_encoder *e)
{
	return e->s.heads * e->s.head;
}

static inline size_t lh_encoder_qkv(const struct lh_encoder *e)
{
	return (e->s.heads + 2 * e->s.kv_heads) * e->s.head;
}

/* Matrices of floats with lh_stride between rows: of all tokens, and of LH_ROWS. */
struct lh_encoder_work {
	const struct lh_encoder *e;
	size_t rows, longest;		/* that there is room for */
	float *x, *qkv, *attended;	/* all tokens: width, queries and twice kv, queries */
	void *packed;			/* LH_ROWS: the widest input of a matrix */
	float *hidden, *y, *h;		/* LH_ROWS: feed_forward (twice if gated), width, width */
	float *share, *gathered, *part;	/* LH_ROWS, of experts: experts, width, width */
	float *rotation[2];		/* longest: cosines, then sines of the angles of a head, of
					 * all layers or those without the window, and with it */
	void *keys, *values;		/* panels of a list's keys and values of a head */
	float *scores;			/* LH_ROWS: longest */
};

/* Return the product for a matrix of tensors of a type.  Without fast it is exact. */
const struct lh_product *lh_encoder_product(const struct lh_encoder *e, uint32_t type,
					    enum lh_rounding rounding);

/* Read the weights of a model whose parameters are known;
 * lh_encoder_free also frees after a failure. */
int lh_weights_load(struct lh_encoder *e, struct lh_gguf *g, struct lh_err *err);
/* Find them in a compiled model. */
int lh_weights_map(struct lh_encoder *e, const struct lh_compiled *c, struct lh_err *err);
/* Fill in their parts of one. */
void lh_weights_compile(const struct lh_encoder *e, struct lh_compiling *m);

/* Normalise rows of width values, with what is added to them (NULL: nothing). */
void lh_encoder_norm(const struct lh_encoder *e, const struct lh_norm *norm, float *x,
		     const float *more, size_t rows);

/* Attention of a layer, of the n tokens whose first is row first: from qkv to attended. */
void lh_encoder_attend(struct lh_encoder_work *w, const struct lh_layer *l, size_t first,
		       size_t n);
/* Fill in the angles of n positions. */
void lh_encoder_rotations(struct lh_encoder_work *w, size_t n);

#endif
