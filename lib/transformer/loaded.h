/*
 * loaded - a model that is ready: its compiled form where there is one that fits, otherwise its
 * file.
 *
 *     struct lh_loaded l = { .file = NULL };
 *     struct lh_err unused;
 *     if (lh_loaded_open(&l, "nomic-embed-text", &how, &unused, err) < 0) ...
 *     lh_tokenizer_run(l.tokenizer, ...), lh_encoder_work_new(l.encoder)
 *     lh_loaded_close(&l);
 *
 * Operands are those of store.h; one that ends in ".lhm" is used as it is, without its model.
 *
 * Owner:   lh_loaded_close frees everything, also after a failure.
 * Errors:  those of store.h, gguf.h, tokenizer.h and encoder.h.
 */
#ifndef LH_LOADED_H
#define LH_LOADED_H

#include "encoder.h"
#include "store.h"

struct lh_loaded {			/* zeroed before it is opened */
	struct lh_model found;
	struct lh_gguf *file;		/* NULL: its compiled form is used */
	struct lh_compiled *compiled;	/* NULL: the file is used */
	struct lh_compiled_source source;	/* its name is set, too */
	struct lh_tokenizer *tokenizer;
	struct lh_encoder *encoder;
};

/* Open a model.  *unused says why a compiled form that is there is not used; its code is LH_OK if
 * there is none. */
int lh_loaded_open(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		   struct lh_err *unused, struct lh_err *err);
/* Open a model to be compiled, from its own file: for pairs if it is a cross-encoder. */
int lh_loaded_source(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		     struct lh_err *err);
void lh_loaded_close(struct lh_loaded *l);

#endif
