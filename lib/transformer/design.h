/*
 * design - what the layers of an architecture are made of.  See encoder.h for the graph.
 *
 * One routine in layers.c runs them all: a part that a design does not have is left out.  What a
 * file may have or not is in `has` of struct lh_shape: the bits of optional norms, then those of
 * enum lh_has.
 */
#ifndef LH_DESIGN_H
#define LH_DESIGN_H

#include "encoder.h"

enum lh_norm_place {			/* the norms of a layer */
	LH_ATTENTION_IN, LH_QUERY, LH_KEY, LH_ATTENTION_POST, LH_ATTENTION_OUT,
	LH_ATTENTION_SECOND, LH_FORWARD_IN, LH_FORWARD_POST, LH_LAYER_OUT, LH_NORMS
};

enum lh_has {
	LH_FIRST_IN = LH_NORMS,		/* the first layer has attn_norm */
	LH_TYPES, LH_FACTORS,		/* token_types; rope_freqs */
	LH_GATE, LH_GATE_IN_UP,		/* ffn_gate; ffn_up has both, the gate first */
	LH_SILU,			/* the activation, not GELU */
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

#endif
