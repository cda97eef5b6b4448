/*
 * hashv1 - embed texts by hash-v1 to hash-v4, which need no model.
 *
 *     struct lh_hashv1 *h = lh_hash_new(LH_HASH_MODEL, 768, err);
 *     if (h && lh_hashv1_embed(h, text, len, 0, out, err) == 0) ...
 *     lh_hashv1_free(h);
 *
 * How:     words are case-folded, stripped of diacritics, stemmed lightly and
 *          weighted by a built-in table of common English words; each word and
 *          its character 3- to 5-grams are hashed to signed coordinates.  The
 *          recipes are frozen; lh-hash-v1(7) to lh-hash-v4(7) state them
 *          completely.  hash-v4 adds a table of word pieces (meaning.h).
 * Exact:   sums are integers, and the only float operations are one square root,
 *          one division, and one product per coordinate, so that the same text
 *          gives the same bits on every machine.
 * Memory:  about 3 MiB of address space per struct, for texts of any length, most
 *          of it a cache of words, which does not change results.
 * Threads: one struct per thread.
 */
#ifndef LH_HASHV1_H
#define LH_HASHV1_H

#include <stdbool.h>

#include "base/err.h"

#define LH_HASHV1_MODEL "hash-v1"
#define LH_HASHV2_MODEL "hash-v2"
#define LH_HASHV3_MODEL "hash-v3"
#define LH_HASHV4_MODEL "hash-v4"
#define LH_HASH_MODEL LH_HASHV3_MODEL	/* the default */
#define LH_HASH_MODELS "hash-v1, hash-v2, hash-v3 and hash-v4"
#define LH_HASHV1_DIM 768	/* the default */
#define LH_HASHV1_DIM_MIN 64
#define LH_HASHV1_DIM_MAX 4096

struct lh_hashv1;

/* Return whether the model is one of these. */
bool lh_hash_knows(const char *model);

/* Create an embedder.  NULL with *err for another model, a dimension outside
 * 64..4096, or, by hash-v4, one other than 768 or want of its table. */
struct lh_hashv1 *lh_hash_new(const char *model, unsigned dimension, struct lh_err *err);
void lh_hashv1_free(struct lh_hashv1 *h);

/*
 * Embed len bytes of valid UTF-8 into out[dimension]; raw skips the scaling to unit
 * length, except by hash-v4.  The vector is never zero.  -1 for an empty text.
 */
int lh_hashv1_embed(struct lh_hashv1 *h, const char *text, size_t len, int raw, float *out,
		    struct lh_err *err);

#endif
