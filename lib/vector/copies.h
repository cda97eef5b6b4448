/*
 * copies - rows with the same stored vector as another.
 *
 * Many equal rows would link to each other, and fill what a search keeps: neither the graph nor
 * the walk would get past them.  So one row stands for all that are equal to it (its copies).
 * It alone is linked with other rows; copy i of n links to it and to copies i + 1, i + 2,
 * i + 4 and so on.  What links to the first copy is decided by lh_reach_connect.
 */
#ifndef LH_COPIES_H
#define LH_COPIES_H

#include <stdbool.h>

#include "graph.h"

struct lh_copies {
	/* The rows, whose equality is that of bytes. */
	const char *vectors;
	size_t stride, bytes;
	uint32_t rows;
	/* Return whether row may be a copy of an equal row before it; else it stands for those
	 * after it. */
	bool (*may_copy)(void *ctx, uint32_t row, uint32_t of);
	void *ctx;
	uint32_t *of;		/* the row that stands for each, or itself; NULL: no copies */
};

/* Find the copies, none if vectors is NULL.  Memory: 4 bytes a row, and while they are looked for
 * up to 16 more. */
void lh_copies_find(struct lh_copies *c);
static inline bool lh_is_copy(const uint32_t *of, uint32_t row)
{
	return of && of[row] != row;
}
/* Call link for each link of each copy. */
void lh_copies_link(const struct lh_copies *c, void (*link)(void *ctx, uint32_t row, uint32_t to));

#endif
