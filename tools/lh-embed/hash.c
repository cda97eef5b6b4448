/* hash.c - the engine hash: hash-v1, hash-v2 or hash-v3, in this process. */
#include "embed.h"
#include <lh/hashv1.h>

#include <stdlib.h>

#include "base/mem.h"

struct hash {
	struct lh_hashv1 *h;
	bool raw;
};

static int hash_check(struct embed *e)
{
	if (!lh_hash_knows(e->model))
		return lh_tool_usage(e->tool,
				     "--model: engine hash makes " LH_HASH_MODELS ", not \"%s\"",
				     e->model);
	if (!e->dimension)
		e->dimension = LH_HASHV1_DIM;
	if (e->dimension < LH_HASHV1_DIM_MIN || e->dimension > LH_HASHV1_DIM_MAX)
		return lh_tool_usage(e->tool, "--dimension %llu: engine hash makes %d to %d",
				     (unsigned long long)e->dimension, LH_HASHV1_DIM_MIN,
				     LH_HASHV1_DIM_MAX);
	return 0;
}

static void hash_close(void *self)
{
	struct hash *h = self;

	lh_hashv1_free(h->h);
	free(h);
}

static void *hash_open(struct embed *e, struct lh_err *err)
{
	struct hash *h = lh_calloc(1, sizeof *h);

	h->raw = e->raw;
	h->h = lh_hash_new(e->model, (unsigned)e->dimension, err);
	if (!h->h) {
		hash_close(h);
		return NULL;
	}
	return h;
}

static int hash_one(void *self, const char *text, size_t n, float *out, struct lh_err *err)
{
	struct hash *h = self;

	return lh_hashv1_embed(h->h, text, n, h->raw, out, err);
}

const struct engine engine_hash = {
	.name = "hash",
	.model = LH_HASH_MODEL,
	.check = hash_check,
	.open = hash_open,
	.close = hash_close,
	.one = hash_one,
};
