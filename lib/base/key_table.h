/*
 * key_table - what is known of each of millions of 16-byte keys, a bit for
 * each thing that there is to know.
 *
 *     struct lh_keymap known = { 0 };
 *     bits = lh_keymap_at(&known, &key, err);
 *     is_new = !(*bits & SEEN);
 *     *bits |= SEEN;
 *     lh_keymap_free(&known);
 *
 * Memory: 32 to 48 bytes a key, and for a moment those of the smaller table
 *         too.  Where the whole hash counts, lh_hashset keeps it.
 * Threads: one thread per map.
 */
#ifndef LH_KEY_TABLE_H
#define LH_KEY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <lh/err.h>

struct lh_key {
	uint64_t a, b;
};

struct lh_keymap {
	struct lh_keymap_slot {
		struct lh_key key;
		uint64_t bits;	/* 0: free */
	} *slot;		/* open addressing */
	size_t n, slots;
	uint64_t seed[2];	/* keys read from files may have been chosen */
};

/* The bits of a key, 0 when nothing was known of it: set one at least.  Good
 * until the next call; NULL when memory is out. */
uint64_t *lh_keymap_at(struct lh_keymap *m, const struct lh_key *k, struct lh_err *err);

uint64_t lh_keymap_get(const struct lh_keymap *m, const struct lh_key *k);

/* This key is going to be asked for. */
void lh_keymap_prefetch(const struct lh_keymap *m, const struct lh_key *k);

void lh_keymap_free(struct lh_keymap *m);

#endif
