/*
 * hashset - a set of 32-byte hashes.
 *
 *     struct lh_hashset seen = { 0 };
 *     lh_hashset_add(&seen, hash, &is_new, err);
 *     lh_hashset_free(&seen);
 *
 * Memory: 32 bytes a hash and 12 to 24 for finding it; at most 2^32 - 2 hashes.
 * Threads: one thread per set.
 */
#ifndef LH_HASHSET_H
#define LH_HASHSET_H

#include <stdbool.h>
#include <stdint.h>

#include <lh/err.h>

struct lh_hashset {
	unsigned char (*hash)[32];	/* in the order they came */
	size_t n, cap;
	uint64_t *slot;			/* open addressing: 32 bits of what decides the
					   place, and number + 1 (0: free) */
	size_t slots;
	uint64_t seed[4];		/* hashes read from files may have been chosen */
};

/* *is_new may be NULL. */
int lh_hashset_add(struct lh_hashset *s, const unsigned char h[32], bool *is_new, struct lh_err *err);
bool lh_hashset_has(const struct lh_hashset *s, const unsigned char h[32]);
/* Where it stands in hash[], or -1: for what belongs to each hash. */
int64_t lh_hashset_find(const struct lh_hashset *s, const unsigned char h[32]);
void lh_hashset_free(struct lh_hashset *s);

/* The hash that 64 lowercase hex digits spell, into h; false for anything else. */
bool lh_unhex(const char *p, size_t n, unsigned char h[32]);

#endif
