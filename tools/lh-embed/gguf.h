/*
 * gguf.h - the model of engine gguf, as its files share it.
 *
 *     struct lh_token_list tokens = { 0 };
 *     more = gguf_tokens(g, e, text, &scratch, &tokens, err);
 *             1: it was cut;  0;  -1: it has more tokens than the model's context
 */
#ifndef GGUF_H
#define GGUF_H

#include "embed.h"
#include "transformer/model_file.h"

struct gguf {
	struct lh_loaded model;
	struct lh_encoder_info info;
	char id[LH_MODEL_ID];
};

/* Open the model that e->operand names; gguf_free also frees after a failure. */
int gguf_open(struct gguf *g, const struct embed *e, struct lh_err *err);
/* The same to compile it, from its own file; g->info is not set. */
int gguf_open_source(struct gguf *g, const struct embed *e, struct lh_err *err);

/* Replace *to by the tokens of a text after --prefix, cut under --truncate.  With whole they
 * are neither refused nor cut. */
int gguf_tokens(const struct embed *e, struct lh_str text, bool whole, struct lh_buf *scratch,
		struct lh_token_list *to, struct lh_err *err);

#endif
