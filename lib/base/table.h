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
 * Built on these: sets of hashes (hashset.h), bits per key (key_table.h), strings by number
 * (intern.h).
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

/* Add the key with that number, or change the number of a key that is there. */
int lh_table_set(struct lh_table *t, struct lh_str key, uint32_t number, lh_key_fn *key_of,
		 const void *ctx, struct lh_err *err);

/* Remove the key, if it is there. */
void lh_table_remove(struct lh_table *t, struct lh_str key, lh_key_fn *key_of, const void *ctx);

/* Remove all keys and keep the memory. */
void lh_table_clear(struct lh_table *t);

/* Copy from to to, which is empty. */
int lh_table_copy(struct lh_table *to, const struct lh_table *from, struct lh_err *err);

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
 * zero.  is_new may be NULL.  -1 with *err if out of memory. */
int64_t lh_map_add(struct lh_map *m, const void *key, size_t key_size, size_t size, bool *is_new,
		   struct lh_err *err);

void lh_map_free(struct lh_map *m);

#endif
