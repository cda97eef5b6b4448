/*
 * table - hash tables that map a key to the number of its entry.
 *
 * A struct lh_table stores hashes and numbers only; the keys are the caller's, and key_of
 * returns the key of a number.  A struct lh_map stores the entries too: all of one size,
 * each beginning with its key, numbered from 0 in the order of insertion.  Both are empty
 * when zeroed.
 *
 *     struct lh_table by_id = { 0 };
 *     lh_table_set(&by_id, id, 7, id_of, rows, err);     (row 7 of rows has that id)
 *     i = lh_table_find(&by_id, id, id_of, rows);        (7, or -1)
 *     lh_table_free(&by_id);
 *
 * Built on these, below: sets of hashes, bits per key, strings by number.
 *
 * Keys may come from outside.  The hashes depend on a seed that is random for each process,
 * so that keys cannot be chosen to collide.
 *
 * Memory:  12 to 24 bytes a key, and the entries of a map; at most 2^32 - 2 keys.
 * Threads: any number may find at once; all other calls are for one thread per table.
 */
#ifndef LH_TABLE_H
#define LH_TABLE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct lh_table {
	struct lh_table_slot {
		uint32_t hash, number;	/* hash 0: free */
	} *slot;			/* open addressing */
	size_t n, slots;
};

typedef struct lh_str lh_key_fn(const void *ctx, uint32_t number);

/* Return the number of that key, or -1. */
int64_t lh_table_find(const struct lh_table *t, struct lh_str key, lh_key_fn *key_of,
		      const void *ctx);

/* Add the key with that number, or change the number of a key that is there. */
void lh_table_set(struct lh_table *t, struct lh_str key, uint32_t number, lh_key_fn *key_of,
		  const void *ctx);

/* Remove the key, if it is there. */
void lh_table_remove(struct lh_table *t, struct lh_str key, lh_key_fn *key_of, const void *ctx);

/* Remove all keys and keep the memory. */
void lh_table_clear(struct lh_table *t);

/* Copy from to to, which is empty. */
void lh_table_copy(struct lh_table *to, const struct lh_table *from);

void lh_table_free(struct lh_table *t);

/* ---- with entries ---- */

struct lh_map {
	char *entry;
	size_t n, cap;
	struct lh_table table;
};

/* Return the number of the key's entry, or -1.  size is that of an entry, key_size that of the
 * key at its beginning; both must be the same in every call on one map. */
int64_t lh_map_find(const struct lh_map *m, const void *key, size_t key_size, size_t size);

/* Return the number of the key's entry; if there is none, add one whose bytes after the key are
 * zero.  is_new may be NULL.  -1 with *err if there are 2^32 - 2 entries. */
int64_t lh_map_add(struct lh_map *m, const void *key, size_t key_size, size_t size, bool *is_new,
		   struct lh_err *err);

void lh_map_free(struct lh_map *m);

/*
 * hashset - a set of 32-byte hashes, numbered from 0 in the order of insertion.
 *
 *     struct lh_map seen = { 0 };
 *     lh_hashset_add(&seen, hash, &is_new, err);
 *     lh_map_free(&seen);
 */

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
 * the next call.  NULL with *err where lh_map_add fails. */
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

/*
 * intern - store equal strings once, and number the different ones from 0.
 *
 *     struct lh_intern in = { .n = 0 };
 *     rc = lh_intern_add(&in, text, n, &number, err);
 *     s = lh_intern_text(&in, number);
 *     lh_intern_free(&in);
 *
 * Memory:  each different string, and some 40 bytes.
 * Threads: one thread per struct.
 */

struct lh_intern {
	struct lh_buf text;
	struct lh_intern_one {
		size_t at, n;
	} *one;
	size_t n, cap;
	struct lh_table table;
};

void lh_intern_free(struct lh_intern *in);

/* Return the number of a string, or -1 if it was not added. */
int64_t lh_intern_find(const struct lh_intern *in, const char *text, size_t n);

/* Add a string if it is not there, and set *number to its number. */
int lh_intern_add(struct lh_intern *in, const char *text, size_t n, uint32_t *number,
		  struct lh_err *err);

/* Return the string of a number; valid until the next lh_intern_add. */
struct lh_str lh_intern_text(const struct lh_intern *in, uint32_t number);

#endif
