/*
 * encoder - the vectors of token lists by a transformer: architectures bert, nomic-bert and
 * nomic-bert-moe.
 *
 *     struct lh_encoder *e = lh_encoder_new(gguf, &(struct lh_encoder_how){ 0 }, err);
 *     struct lh_encoder_work *w = lh_encoder_work_new(e, err);         one for each thread
 *     lh_encoder_run(w, lists, n, vectors, err);
 *             vectors[i * width .. (i + 1) * width): the vector of list i
 *     lh_encoder_work_free(w);
 *     lh_encoder_free(e);
 *
 * The graph: x = LN(token + type[0] (+ position, bert)).  In each layer q, k, v are projections
 * of x (attn_qkv, or attn_q, attn_k, attn_v), under nomic architectures q and k are rotated
 * (pairs i, i + D/2, angle position * base^(-2i/D)); attention is softmax(q k / sqrt(D)) v over
 * the whole text; x = LN(attn_output(attention) + x); x = LN(ffn(x) + x), where ffn is
 * down(silu(gate x) * up x) for nomic-bert, down(gelu(up x)) for bert and the dense layers of
 * nomic-bert-moe, and for its odd layers the sum of the best two experts weighted by the softmax
 * over all.  Then pooling (mean, first, last), then unit length unless raw.
 *
 * Arithmetic is float (kernels.h says what a product is exact to); fast multiplies numbers that
 * are rounded to bf16, on a CPU that has AMX, or weights of Q8_0 by rows rounded to int8, on one
 * that has AVX-512 VNNI, and changes nothing elsewhere.  Short lists are put together into one
 * matrix, so that each weight that is read is used for many tokens; attention is computed list by
 * list.
 *
 * Shapes:  width = embedding_length; a list has 1 to context tokens.
 * Owner:   the encoder points into the gguf, which must outlive it.
 * Memory:  4 bytes a weight (fast, or F16 by AMX: 2; fast of Q8_0: 8.5 or 9 bits), filled once
 *          by how->threads threads; the file's pages are given back.  Of a compiled model
 *          they are mapped.
 * Errors:  LH_ECORRUPT with what the file lacks, or has in a wrong shape; LH_ENOMEM; of a run,
 *          LH_EDATA for a list that is too long, a token that the model does not have, or a
 *          vector that is zero or not finite.
 * Threads: any number of works share one encoder; one thread per work.  The same kernel gives
 *          the same vectors, however lists are divided among works.
 */
#ifndef LH_ENCODER_H
#define LH_ENCODER_H

#include "compiled.h"
#include "tokenizer.h"

struct lh_encoder_how {
	bool raw;			/* do not scale to unit length */
	bool fast;			/* fewer bits where the CPU can: 1 - cos <= 1e-4 */
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
	const char *pooling;		/* "mean", "cls", "last" */
};
void lh_encoder_info(const struct lh_encoder *e, struct lh_encoder_info *info);

struct lh_encoder_work;
struct lh_encoder_work *lh_encoder_work_new(const struct lh_encoder *e, struct lh_err *err);
void lh_encoder_work_free(struct lh_encoder_work *w);

/* Encode n lists.  vectors has room for n * width floats. */
int lh_encoder_run(struct lh_encoder_work *w, const struct lh_token_list *list, size_t n,
		   float *vectors, struct lh_err *err);

#endif
