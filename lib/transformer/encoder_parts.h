/* encoder_parts - a loaded model and the room for its work, for encoder.c and weights.c, which
 * load, layers.c and attention.c. */
#ifndef LH_ENCODER_PARTS_H
#define LH_ENCODER_PARTS_H

#include "encoder.h"
#include "matmul.h"

#define LH_ROWS 128		/* rows that are multiplied by a matrix at once */

enum { LH_POOL_MEAN = 1, LH_POOL_CLS, LH_POOL_LAST };

struct lh_norm {
	const float *weight, *bias;
};

struct lh_layer {
	struct lh_panels qkv, out, up, down;	/* up: gate, then up, if the model has gates */
	struct lh_norm attention_norm, output_norm;
	struct lh_panels router, *up_of, *down_of;	/* of experts; NULL: a dense layer */
};

struct lh_encoder {
	const struct lh_kernels *kernels;
	const struct lh_product *floats;
	struct lh_encoder_how how;
	const char *architecture;
	bool rotary, gated, moe;	/* nomic architectures; nomic-bert; nomic-bert-moe */
	uint64_t layers, width, context, heads, feed_forward, pooling;
	uint64_t experts, experts_used, moe_every;
	double epsilon, base;
	const struct lh_gguf_tensor *token, *position;
	const float *type;		/* row 0 */
	const float *second_type;	/* with pairs: row 1, or row 0 if that is alone */
	struct lh_norm norm;
	struct lh_layer *layer;
	struct lh_packing *packing;	/* of each matrix */
	size_t packings, packings_cap;
	struct lh_str weights;		/* all but embeddings; ... */
	void *memory;			/* ... in this, unless they are mapped */
	struct lh_gguf_tensor mapped[2];	/* of a compiled model: token, position */
};

/* Matrices of floats with lh_stride between rows: of all tokens, and of LH_ROWS. */
struct lh_encoder_work {
	const struct lh_encoder *e;
	size_t rows, longest;		/* that there is room for */
	float *x, *qkv, *attended;	/* all tokens: width, 3 * width, width */
	void *packed;			/* LH_ROWS: the widest input of a matrix */
	float *hidden, *y;		/* LH_ROWS: feed_forward (twice if gated), width */
	float *share, *gathered, *part;	/* LH_ROWS, of experts: experts, width, width */
	float *rotation;		/* longest: cosines, then sines of the angles of a head */
	void *keys, *values;		/* panels of a list's keys and values of a head */
	float *scores;			/* LH_ROWS: longest */
};

/* Return the product for a matrix of tensors of a type; exact: in floats, fast or not. */
const struct lh_product *lh_encoder_product(const struct lh_encoder *e, uint32_t type, bool exact);

/* Read the weights of a model whose parameters are known;
 * lh_encoder_free also frees after a failure. */
int lh_weights_load(struct lh_encoder *e, struct lh_gguf *g, struct lh_err *err);
/* Find them in a compiled model. */
int lh_weights_map(struct lh_encoder *e, const struct lh_compiled *c, struct lh_err *err);
/* Fill in their parts of one. */
void lh_weights_compile(const struct lh_encoder *e, struct lh_compiling *m);

/* Attention of the n tokens whose first is row first: from qkv to attended. */
void lh_encoder_attend(struct lh_encoder_work *w, size_t first, size_t n);
/* Fill in the angles of positions from..to. */
void lh_encoder_rotations(struct lh_encoder_work *w, size_t from, size_t to);

#endif
