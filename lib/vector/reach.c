/*
 * reach.c - the rows that a walk over a graph gets to, and links to the others.  See graph.h.
 *
 * A walk in breadth gives each row that it reaches a parent.  The link from a parent stays;
 * any other link can be replaced and all rows that were reached still are.  There
 * is one always: n rows have room for more than n links, and n - 1 of them are from parents.
 */
#include <stdlib.h>

#include "graph.h"
#include "base/bits.h"
#include "base/mem.h"

#define NO_PARENT (UINT32_MAX - 1)	/* of the entry */
#define NEAR 64		/* rows that are asked for a link to spare, before all others */

static void reach_row(struct lh_reach *r, uint32_t row, uint32_t parent)
{
	r->parent[row] = parent;
	r->queue[r->n++] = row;
}

/* Follow the links of the rows from number at of the queue on. */
static void follow(struct lh_reach *r, uint32_t at)
{
	const uint32_t *links;
	uint32_t row, n, i, to;

	for (; at < r->n; at++) {
		row = r->queue[at];
		links = r->links_of(r->ctx, row, &n);
		for (i = 0; i < n; i++) {
			to = lh_once32(&links[i]);
			if (to < r->rows && r->parent[to] == LH_UNREACHED)
				reach_row(r, to, row);
		}
	}
}

void lh_reach(struct lh_reach *r, uint32_t entry)
{
	uint32_t row;

	r->n = 0;
	r->parent = lh_calloc_table(r->rows, sizeof *r->parent);
	r->queue = lh_calloc(r->rows, sizeof *r->queue);
	for (row = 0; row < r->rows; row++)
		r->parent[row] = LH_UNREACHED;
	reach_row(r, entry, NO_PARENT);
	follow(r, 0);
}

void lh_reach_free(struct lh_reach *r)
{
	free(r->parent);
	free(r->queue);
}

/* Find the place for one more link of a row: a free one, or that of the farthest link that can
 * be replaced; NULL if there is none. */
static uint32_t *find_spare(struct lh_reach *r, const struct lh_reach_builder *b, uint32_t row)
{
	uint32_t *spare = b->free_place(r->ctx, row), *links, n, i;
	float d, far = 0;

	if (spare)
		return spare;
	links = (uint32_t *)(uintptr_t)r->links_of(r->ctx, row, &n);
	for (i = 0; i < n; i++) {
		if (r->parent[links[i]] == row)
			continue;
		d = b->distance(r->ctx, row, links[i]);
		if (!spare || d > far) {
			spare = links + i;
			far = d;
		}
	}
	return spare;
}

void lh_reach_connect(struct lh_reach *r, const struct lh_reach_builder *b)
{
	uint32_t near[NEAR], row, from, next = 0, *spare;
	size_t n, i;

	for (row = 0; row < r->rows && r->n < r->rows; row++) {
		if (r->parent[row] != LH_UNREACHED)
			continue;
		from = b->of ? b->of[row] : row;
		spare = r->parent[from] == LH_UNREACHED ? NULL : find_spare(r, b, from);
		n = spare ? 0 : b->find_near(r->ctx, row, near, NEAR);
		for (i = 0; i < n && !spare; i++) {
			from = near[i];
			spare = r->parent[from] == LH_UNREACHED ? NULL : find_spare(r, b, from);
		}
		/* No row before next in the queue has a link to spare. */
		for (; !spare; next += !spare) {
			from = r->queue[next];
			spare = find_spare(r, b, from);
		}
		*spare = row;
		reach_row(r, row, from);
		follow(r, r->n - 1);
	}
}
