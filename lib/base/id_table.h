/*
 * id_table - from an id to the number of the entry that has it.
 *
 * The map keeps hashes and numbers; the ids stay where the caller has them,
 * and key tells them by number.  Hashes have a seed that differs from run to run,
 * so that no ids can be chosen to collide.
 *
 *     struct lh_idmap m = { .key = id_of, .ctx = rows };
 *     lh_idmap_set(&m, id, n, 7, err);        (rows has the id at 7 by now)
 *     i = lh_idmap_find(&m, id, n);           (7, or -1)
 *     lh_idmap_free(&m);
 */
#ifndef LH_ID_TABLE_H
#define LH_ID_TABLE_H

#include <stdint.h>

#include <lh/str.h>

struct lh_idmap {
	struct lh_str (*key)(const void *ctx, uint32_t i);
	const void *ctx;
	struct lh_idmap_slot {
		uint32_t hash, entry;	/* entry is the number + 1; 0: free */
	} *slot;
	size_t n, cap;
};

/* The number of the entry of that id, or -1. */
int64_t lh_idmap_find(const struct lh_idmap *m, const char *id, size_t n);

/* Let entry, below 2^32 - 1, be that id's from now on. */
int lh_idmap_set(struct lh_idmap *m, const char *id, size_t n, uint32_t entry, struct lh_err *err);

/* Let to, which is empty but for its key and ctx, know what from does. */
int lh_idmap_copy(struct lh_idmap *to, const struct lh_idmap *from, struct lh_err *err);

void lh_idmap_free(struct lh_idmap *m);

#endif
