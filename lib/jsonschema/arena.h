/*
 * arena - objects that are freed together.
 *
 * A zeroed struct is an empty arena.  Objects are zeroed and aligned to eight bytes.
 */
#ifndef LH_JSONSCHEMA_ARENA_H
#define LH_JSONSCHEMA_ARENA_H

#include <lh/str.h>

struct lh_arena {
	struct lh_arena_block *block;
	size_t used, size;	/* bytes of the newest block */
};

/* Return n objects of size bytes, or NULL if out of memory. */
void *lh_arena_new(struct lh_arena *a, size_t n, size_t size, struct lh_err *err);
void lh_arena_free(struct lh_arena *a);

#endif
