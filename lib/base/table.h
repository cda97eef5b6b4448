/*
 * table - hash tables: from a key to the number of the entry that has it.
 *
 * A struct lh_table holds hashes and numbers alone; the keys stay with the caller,
 * and key_of returns the key of a number.  A struct lh_map holds the entries too: all
 * of one size, each beginning with its key, in the order in which they came.  Both
 * are empty when zeroed.
 *
 *     struct lh_table by_id = { 0 };
 *     lh_table_set(&by_id, id, 7, id_of, rows, err);     (rows has that id at 7 by now)
 *     i = lh_table_find(&by_id, id, id_of, rows);        (7, or -1)
 *     lh_table_free(&by_id);
 *
 * Sets of hashes (hashset.h), what is known of short keys (key_table.h) and texts by
 * number (intern.h) are uses of these.
 *
 * Keys may come from outside: their hashes have a seed that is known only to this
 * process, so that no keys can be chosen to collide.
 *
 * Memory:  12 to 24 bytes a key, and the entries of a map; at most 2^32 - 2 keys.
 * Threads: any number that only find; else one thread per table.
 */
#ifndef LH_TABLE_H
#define LH_TABLE_H

#include <stdint.h>

#include <lh/str.h>

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

/* Let number be that of the key from now on. */
int lh_table_set(struct lh_table *t, struct lh_str key, uint32_t number, lh_key_fn *key_of,
		 const void *ctx, struct lh_err *err);

/* Remove the key, if it is there. */
void lh_table_remove(struct lh_table *t, struct lh_str key, lh_key_fn *key_of, const void *ctx);

/* Remove all keys and keep the memory. */
void lh_table_clear(struct lh_table *t);

/* Copy from into to, which is empty. */
int lh_table_copy(struct lh_table *to, const struct lh_table *from, struct lh_err *err);

void lh_table_free(struct lh_table *t);

/* ---- with entries ---- */

struct lh_map {
	char *entry;
	size_t n, cap;
	struct lh_table table;
};

/* Every call on one map has the same sizes: bytes of an entry, and of the key at its
 * beginning.  Return the number of the key's entry, or -1. */
int64_t lh_map_find(const struct lh_map *m, const void *key, size_t key_size, size_t size);

/* The same, and add the key with a zeroed rest if it is not there; is_new may be NULL.
 * -1 with *err when out of memory. */
int64_t lh_map_add(struct lh_map *m, const void *key, size_t key_size, size_t size, bool *is_new,
		   struct lh_err *err);

void lh_map_free(struct lh_map *m);

#endif
