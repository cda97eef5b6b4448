/*
 * growable - a run of bytes that grows without being copied: an anonymous
 * mapping that mremap(2) moves.  For data as large as the memory there is,
 * where doubling by realloc would need half as much again.
 *
 * What has not been written is zero.  A zeroed struct is an empty region.
 */
#ifndef LH_GROWABLE_H
#define LH_GROWABLE_H

#include <stdbool.h>

#include <lh/err.h>

struct lh_growable {
	char *p;
	size_t n, cap;
	bool huge;	/* ask for huge pages: rows are read at random */
};

/* Make n more bytes usable behind the end (n itself stays): 0 or LH_ENOMEM. */
int lh_growable_room(struct lh_growable *r, size_t n, struct lh_err *err);
int lh_growable_add(struct lh_growable *r, const void *p, size_t n, struct lh_err *err);
void lh_growable_free(struct lh_growable *r);

#endif
