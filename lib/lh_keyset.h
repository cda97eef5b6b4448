/*
 * lh_keyset - a set of 16-byte keys, for millions of them.
 *
 *     struct lh_keyset seen = { 0 };
 *     lh_keyset_add(&seen, &key, &is_new, err);
 *     lh_keyset_free(&seen);
 *
 * Memory: 22 to 32 bytes a key, and for a moment those of the smaller table
 *         too.  Where the whole hash counts, lh_hashset keeps it.
 * Threads: one thread per set.
 */
#ifndef LH_KEYSET_H
#define LH_KEYSET_H

#include <stdbool.h>
#include <stdint.h>

#include "lh_err.h"

struct lh_key {
	uint64_t a, b;
};

struct lh_keyset {
	struct lh_key *slot;	/* open addressing; all zero is free */
	size_t n, slots;
	bool zero;		/* the key that is all zero is in */
	uint64_t seed[2];	/* keys read from files may have been chosen */
};

/* *is_new may be NULL. */
LH_API int lh_keyset_add(struct lh_keyset *s, const struct lh_key *k, bool *is_new, struct lh_err *err);
LH_API bool lh_keyset_has(const struct lh_keyset *s, const struct lh_key *k);

/* This key is going to be asked for. */
LH_API void lh_keyset_prefetch(const struct lh_keyset *s, const struct lh_key *k);

/* How many keys of the first are not in the second. */
LH_API size_t lh_keyset_missing(const struct lh_keyset *these, const struct lh_keyset *in);

LH_API void lh_keyset_free(struct lh_keyset *s);

#endif
