/*
 * growable - an array of bytes that grows without being copied: an anonymous
 * mapping that mremap(2) moves.  For data that fills most of the memory, where
 * doubling with realloc would need half as much again.
 *
 * Bytes that were never written are zero.  A zeroed struct is an empty array.
 */
#ifndef LH_GROWABLE_H
#define LH_GROWABLE_H

#include <stdbool.h>

#include <lh/err.h>

struct lh_growable {
	char *p;
	size_t n, cap;
	bool huge;	/* use huge pages: the array is read in random order */
};

/* Make n more bytes after the end usable, without changing n: 0 or LH_ENOMEM. */
int lh_growable_room(struct lh_growable *r, size_t n, struct lh_err *err);
int lh_growable_add(struct lh_growable *r, const void *p, size_t n, struct lh_err *err);
void lh_growable_free(struct lh_growable *r);

#endif
