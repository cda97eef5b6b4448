/*
 * charsmap - what a Unigram vocabulary replaces in texts (tokenizer.ggml.precompiled_charsmap).
 *
 * Format:  u32 bytes of the array; the array, a trie in u32 units; the texts, each ending with
 *          NUL.  A unit: bits 0 to 7 the byte that leads to it (bit 31 as well: it leads nowhere),
 *          bit 8 that a text belongs to it, bit 9 that the offset is to be shifted by 8, from
 *          bit 10 the offset.  The unit of byte b after unit i is i ^ offset ^ b; that of the
 *          text is i ^ offset, and its bits 0 to 30 say where the text begins.
 * Errors:  LH_ECORRUPT.
 */
#ifndef LH_CHARSMAP_H
#define LH_CHARSMAP_H

#include "gguf.h"

struct lh_charsmap {
	struct lh_str all;		/* the key's bytes */
	const unsigned char *unit;	/* NULL: nothing is replaced */
	size_t units;
	const char *text;
	size_t bytes;			/* of the texts */
};

/* Find the map of a model: 0, also if it has none, or -1. */
int lh_charsmap_open(struct lh_charsmap *m, struct lh_gguf *g, struct lh_err *err);

/* Set the map from the bytes of the key; -1 if its array is not in them. */
int lh_charsmap_set(struct lh_charsmap *m, struct lh_str all, struct lh_err *err);

/* Find the longest beginning of s that is replaced: 1, with its length in *n and what it becomes
 * in *to; 0 if there is none; -1. */
int lh_charsmap_find(const struct lh_charsmap *m, struct lh_str s, size_t *n, struct lh_str *to,
		     struct lh_err *err);

#endif
