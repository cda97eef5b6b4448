/*
 * key_table - 64 bits (flags) for each of millions of 16-byte keys.
 *
 *     struct lh_map known = { 0 };
 *     bits = lh_keymap_at(&known, &key, err);
 *     is_new = !(*bits & SEEN);
 *     *bits |= SEEN;
 *     lh_map_free(&known);
 *
 * Memory: 36 to 60 bytes a key.
 */
#ifndef LH_KEY_TABLE_H
#define LH_KEY_TABLE_H

#include "table.h"

struct lh_key {
	uint64_t a, b;
};

struct lh_known {
	struct lh_key key;
	uint64_t bits;
};

/* Return the i-th entry of the map, i < n. */
static inline struct lh_known *lh_keymap_entry(const struct lh_map *m, size_t i)
{
	return &((struct lh_known *)(void *)m->entry)[i];
}

/* Return a pointer to the bits of a key, which is added with 0 if it is not there; valid until
 * the next call.  NULL with *err if out of memory. */
static inline uint64_t *lh_keymap_at(struct lh_map *m, const struct lh_key *k, struct lh_err *err)
{
	int64_t i = lh_map_add(m, k, sizeof *k, sizeof(struct lh_known), NULL, err);

	return i < 0 ? NULL : &lh_keymap_entry(m, (size_t)i)->bits;
}

/* Return the bits of a key, 0 if it is not there. */
static inline uint64_t lh_keymap_get(const struct lh_map *m, const struct lh_key *k)
{
	int64_t i = lh_map_find(m, k, sizeof *k, sizeof(struct lh_known));

	return i < 0 ? 0 : lh_keymap_entry(m, (size_t)i)->bits;
}

#endif
