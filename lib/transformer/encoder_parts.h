/* encoder_parts - a loaded model and the room for its work, for encoder.c, which loads,
 * layers.c and attention.c. */
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
	struct lh_encoder_how how;
	const char *architecture;
	bool rotary, gated;		/* nomic architectures; nomic-bert */
	uint64_t layers, width, context, heads, feed_forward, pooling;
	uint64_t experts, experts_used, moe_every;
	double epsilon, base;
	const struct lh_gguf_tensor *token, *position;
	const float *type;		/* row 0 */
	struct lh_norm norm;
	struct lh_layer *layer;
	void *memory;			/* of all weights */
};

/* Matrices of floats with lh_stride between rows: of all tokens, and of LH_ROWS. */
struct lh_encoder_work {
	const struct lh_encoder *e;
	size_t rows, longest;		/* that there is room for */
	float *x, *qkv, *attended;	/* all tokens: width, 3 * width, width */
	float *packed;			/* LH_ROWS: the widest input of a matrix */
	float *hidden, *y;		/* LH_ROWS: feed_forward (twice if gated), width */
	float *share, *gathered, *part;	/* LH_ROWS, of experts: experts, width, width */
	float *rotation;		/* longest: cosines, then sines of the angles of a head */
	float *keys, *values;		/* panels of a list's keys and values of a head */
	float *scores;			/* LH_ROWS: longest */
};

/* Attention of the n tokens whose first is row first: from qkv to attended. */
void lh_encoder_attend(struct lh_encoder_work *w, size_t first, size_t n);
/* Fill in the angles of positions from..to. */
void lh_encoder_rotations(struct lh_encoder_work *w, size_t from, size_t to);

#endif
