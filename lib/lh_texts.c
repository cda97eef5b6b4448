/* lh_texts.c - texts in, vectors out.  See lh_texts.h. */
#include "lh_texts.h"

#include <stdlib.h>

#include "lh_hashv1.h"
#include "lh_mem.h"

#define HASH_DIMENSION 768

struct lh_texts {
	struct lh_hashv1 *hash;
	uint32_t dimension;
};

struct lh_texts *lh_texts_new(const struct lh_texts_how *how, struct lh_err *err)
{
	struct lh_texts *t;

	if (strcmp(how->engine, "hash") != 0) {
		lh_err_set(err, LH_EUSAGE, "engine %s is not built yet", how->engine);
		return NULL;
	}
	t = lh_calloc(1, sizeof *t, err);
	if (!t)
		return NULL;
	t->dimension = how->dimension ? how->dimension : HASH_DIMENSION;
	t->hash = lh_hashv1_new(t->dimension, err);
	if (!t->hash) {
		free(t);
		return NULL;
	}
	return t;
}

void lh_texts_free(struct lh_texts *t)
{
	if (!t)
		return;
	lh_hashv1_free(t->hash);
	free(t);
}

const char *lh_texts_model(const struct lh_texts *t)
{
	(void)t;
	return LH_HASHV1_MODEL;
}

int lh_texts_embed(struct lh_texts *t, const struct lh_str *text, size_t n, struct lh_buf *out, uint32_t *dimension, struct lh_err *err)
{
	size_t i, bytes = t->dimension * sizeof(float);

	*dimension = t->dimension;
	for (i = 0; i < n; i++) {
		float *to = (float *)(void *)lh_buf_room(out, bytes);

		if (!to)
			return lh_buf_check(out, err);
		if (lh_hashv1_embed(t->hash, text[i].p, text[i].n, 0, to, err) < 0)
			return -1;
		lh_buf_took(out, bytes);
	}
	return 0;
}
