/*
 * hashset - a set of 32-byte hashes, numbered from 0 in the order of insertion.
 *
 *     struct lh_map seen = { 0 };
 *     lh_hashset_add(&seen, hash, &is_new, err);
 *     lh_map_free(&seen);
 */
#ifndef LH_HASHSET_H
#define LH_HASHSET_H

#include "table.h"

#define LH_HASH_SIZE 32

/* Add a hash if it is not there; is_new may be NULL. */
static inline int lh_hashset_add(struct lh_map *s, const void *hash, bool *is_new,
				 struct lh_err *err)
{
	return lh_map_add(s, hash, LH_HASH_SIZE, LH_HASH_SIZE, is_new, err) < 0 ? -1 : 0;
}

/* Return the number of the hash, or -1. */
static inline int64_t lh_hashset_find(const struct lh_map *s, const void *hash)
{
	return lh_map_find(s, hash, LH_HASH_SIZE, LH_HASH_SIZE);
}

static inline bool lh_hashset_has(const struct lh_map *s, const void *hash)
{
	return lh_hashset_find(s, hash) >= 0;
}

#endif
