/*
 * encoder_parts - what a model is made of, and the room for its work, for design.c and weights.c,
 * which load, and layers.c.
 */
#ifndef LH_ENCODER_PARTS_H
#define LH_ENCODER_PARTS_H

#include "encoder.h"
#include "kernels.h"

/* ---- designs ---- */

/*
 * See encoder.h for the graph.
 *
 * One routine in layers.c runs them all: a part that a design does not have is left out.  What a
 * file may have or not is in `has` of struct lh_shape: the bits of optional norms, then those of
 * enum lh_has.
 */

enum lh_norm_place {			/* the norms of a layer */
	LH_ATTENTION_IN, LH_QUERY, LH_KEY, LH_ATTENTION_POST, LH_ATTENTION_OUT,
	LH_ATTENTION_SECOND, LH_FORWARD_IN, LH_FORWARD_POST, LH_LAYER_OUT, LH_NORMS
};

enum lh_has {
	LH_FIRST_IN = LH_NORMS,		/* the first layer has attn_norm */
	LH_TYPES, LH_FACTORS,		/* token_types; rope_freqs */
	LH_GATE, LH_GATE_IN_UP,		/* ffn_gate; ffn_up has both, the gate first */
	LH_SILU,			/* the activation, not GELU */
	LH_ERF,				/* GELU by erf, as models are trained; else by tanh, as
					 * llama.cpp has it */
	LH_DENSE_2, LH_DENSE_3,
	LH_CLS, LH_CLS_NORM,		/* of a cross-encoder: cls.weight; cls.norm */
	LH_HAS
};

#define LH_BIT(n) (1u << (n))

enum { LH_POOL_NONE, LH_POOL_MEAN, LH_POOL_CLS, LH_POOL_LAST };	/* as in the keys */

struct lh_design {
	const char *name;
	enum { LH_LEARNED, LH_HALVES, LH_ADJACENT, LH_ALIBI } position;
	unsigned norms;			/* bits */
	unsigned has;			/* bits that every file has */
	unsigned may;			/* bits that a file may have */
	bool rms;			/* norms are RMS norms, those of q and k of each head */
	bool biased;			/* norms have biases */
	bool embedding_norm, output_norm;
	bool scaled;			/* embeddings are multiplied by sqrt(width) */
	enum { LH_BOTH_SIDES, LH_CAUSAL, LH_IGNORED } causal;	/* the default of the key */
	unsigned period;		/* of layers with a window, one of so many without; 0: no
					 * windows */
	bool global_first;		/* the one is the first of them, not the last */
	bool moe;
	unsigned pairs;			/* the pooling of a cross-encoder; 0: none has this */
};

/* Return the design of that number, or NULL. */
const struct lh_design *lh_design(uint32_t number);

/* Read the parameters of a model from its keys and from which tensors it has.  pairs: for a
 * cross-encoder. */
int lh_shape_read(struct lh_shape *to, const struct lh_gguf *g, bool pairs, struct lh_err *err);
/* Return what is wrong with parameters from a compiled model, or NULL. */
const char *lh_shape_wrong(const struct lh_shape *s);

/* ---- a loaded model ---- */

#define LH_ROWS 128		/* rows that are multiplied by a matrix at once */

struct lh_norm {
	const float *weight, *bias;	/* weight NULL: there is none; bias NULL: zeros */
};

struct lh_layer {
	struct lh_panels qkv, out, up, down;	/* up: gated, if the model has gates */
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
	void *packed, *packed_next;	/* LH_ROWS: the widest input of a matrix, feed_forward */
	float *hidden, *y, *h;		/* LH_ROWS: two panels (or one of dense), width, width */
	float *share, *gathered, *part;	/* LH_ROWS, of experts: experts, width, width */
	float *rotation[2];		/* longest: cosines, then sines of the angles of a head, of
					 * all layers or those without the window, and with it */
	void *keys, *values;		/* panels of a list's keys and values of a head */
	float *scores;			/* LH_ROWS: longest */
};

#endif
