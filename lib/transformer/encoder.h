/*
 * encoder - the vectors of token lists by a transformer, of the architectures of design.c.
 *
 *     struct lh_encoder *e = lh_encoder_new(gguf, &(struct lh_encoder_how){ 0 }, err);
 *     struct lh_encoder_work *w = lh_encoder_work_new(e);         one for each thread
 *     lh_encoder_run(w, lists, n, vectors, err);
 *             vectors[i * width .. (i + 1) * width): the vector of list i
 *     lh_encoder_work_free(w);
 *     lh_encoder_free(e);
 *
 * The graph: x is the embedding of each token, plus that of its type (the second one for the
 * second part of a pair, if the table has it) and that of its position, normalised; an
 * architecture has some of these, or the embedding alone, times sqrt(width).  In each layer, for
 * the norms that the architecture has:
 *
 *     q, k, v = the projections of norm(x)    attn_norm, attn_q_norm, attn_k_norm
 *     y = norm(attn_output(attention))        post_attention_norm
 *     x = norm(x + y)                         attn_output_norm (then attn_norm_2(that + x))
 *     y = norm(ffn(norm(x)))                  ffn_norm, post_ffw_norm
 *     x = norm(x + y)                         layer_output_norm
 *
 * q and k are rotated (by pairs of numbers: angle position * base^(-2i/D)), or |i - j| times the
 * slope of the head is taken from the score (ALiBi).  Attention is softmax(q k / sqrt(D)) v over
 * the whole text, over what is not later (causal), or over a window on both sides; several heads
 * of q may have one head of k and v in common.  ffn is down(act(up x)), down(act(gate x) * up x),
 * or of nomic-bert-moe's odd layers the sum of the best two experts weighted by the softmax over
 * all.  Then output_norm, pooling (mean, first, last, or none: a vector of each token), dense_2
 * and dense_3, and unit length unless raw.
 *
 * Of a cross-encoder the logits follow, of the first token, or (modern-bert) of the mean:
 *
 *     x = tanh(cls x + its bias)              modern-bert: norm(gelu(cls x)), by cls.norm
 *     logits = cls.output x + its bias
 *
 * The first of these only if the file has cls, and the norm only if it has that.
 *
 * Arithmetic is float (kernels.h says what a product is exact to); fast multiplies numbers that are
 * rounded to bf16, on a CPU that has AMX, or weights of Q8_0 by rows rounded to integers, on one
 * that has AVX-512 VNNI, and changes nothing elsewhere.  Scores of pairs have to be exact to 1e-5,
 * for which two parts of bf16 are too few in a model of six layers: for them AMX is used with fast
 * alone, by two parts.  Short lists are put together into one matrix, so that each weight that is
 * read is used for many tokens; attention is computed list by list.
 *
 * Shapes:  width = embedding_length; a list has 1 to context tokens.  Without pooling there is
 *          a vector for each token of each list.
 * Owner:   the encoder points into the gguf, which must outlive it.
 * Memory:  4 bytes a weight; of F16 2; of Q8_0 8.5 bits.  fast: by AMX 2 bytes (of Q8_0 8.5
 *          bits), by VNNI 9 bits of Q8_0.  Filled once by how->threads threads; the file's pages
 *          are given back.  Of a compiled model they are mapped.
 * Errors:  LH_ECORRUPT with what the file lacks, or has in a wrong shape; of a run,
 *          LH_EDATA for a list that is too long, a token that the model does not have, or a
 *          vector that is zero or not finite.
 * Threads: any number of works share one encoder; one thread per work.  The same kernel gives
 *          the same vectors, however lists are divided among works.
 */
#ifndef LH_ENCODER_H
#define LH_ENCODER_H

#include "compiled.h"
#include "gguf.h"
#include "tokenizer.h"

#define LH_CROSS_ENCODER "cls.output.weight"	/* the tensor that makes a file one */

struct lh_encoder_how {
	bool raw;			/* do not scale to unit length */
	bool fast;			/* fewer bits where the CPU can: 1 - cos <= 1e-4 */
	bool pairs;			/* for a cross-encoder: lists are pairs, and a vector is
					 * what lh_encoder_score takes, whatever the pooling */
	unsigned threads;		/* that load; 0: one */
};

struct lh_encoder;
struct lh_encoder *lh_encoder_new(struct lh_gguf *g, const struct lh_encoder_how *how,
				  struct lh_err *err);
void lh_encoder_free(struct lh_encoder *e);

/* Fill in what a compiled model has of the encoder, which must outlive it. */
void lh_encoder_compile(const struct lh_encoder *e, struct lh_compiling *m);
/* The encoder of a compiled model, which must outlive it: nothing is read but a few tables.
 * LH_ECORRUPT also if it was compiled for other instructions or another setting of fast. */
struct lh_encoder *lh_encoder_mapped(const struct lh_compiled *c, const struct lh_encoder_how *how,
				     struct lh_err *err);

struct lh_encoder_info {
	const char *architecture;
	uint64_t layers, width, context, heads, feed_forward, experts;
	uint64_t limit;			/* tokens of a text, unless a caller wants more of the
					 * context */
	const char *pooling;		/* "mean", "cls", "last", "none" */
	bool each;			/* none: a vector of each token */
};
void lh_encoder_info(const struct lh_encoder *e, struct lh_encoder_info *info);

struct lh_encoder_work;
struct lh_encoder_work *lh_encoder_work_new(const struct lh_encoder *e);
void lh_encoder_work_free(struct lh_encoder_work *w);

/* Encode n lists.  vectors has room for n * width floats; without pooling for all tokens. */
int lh_encoder_run(struct lh_encoder_work *w, const struct lh_token_list *list, size_t n,
		   float *vectors, struct lh_err *err);

/* Compute the score of a pair from its vector, in double; scratch has room for twice width
 * values.  Of a cross-encoder with one label it is the logit, with two the second less the
 * first. */
double lh_encoder_score(const struct lh_encoder *e, const float *v, double *scratch);

/* The instructions that this CPU makes the encoder use: for all but products, for exact
 * products, and for those of fast with weights of Q8_0. */
struct lh_kernel_names {
	const char *models, *exact, *fast;
};
struct lh_kernel_names lh_kernel_names(void);

#endif
