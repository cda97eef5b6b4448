/* index_reach.c - the rows of an index that a walk over its graph gets to.  See index_tools.h. */
#include "searcher.h"

/* Damaged lists are empty, as for a search. */
static const uint32_t *links_of(void *ctx, uint32_t row, uint32_t level, uint32_t *n)
{
	const struct lh_index *ix = ctx;
	const uint32_t *links;
	uint64_t list;

	if (!level)
		return lh_walk_links(ix, row, n);
	*n = 0;
	list = (uint64_t)lh_once32(&ix->level[row]) + level - 1;
	if (list >= lh_once32(&ix->level[row + 1]) || list >= ix->n_upper)
		return NULL;
	links = ix->upper + list * (1 + ix->params.m);
	*n = lh_once32(links);
	if (*n > ix->params.m)
		*n = 0;
	return links + 1;
}

bool lh_index_has_graph(const struct lh_index *ix)
{
	return ix->graph;
}

int64_t lh_index_unreached(const struct lh_index *ix, void (*unreached)(void *ctx, uint64_t row),
			   void *ctx)
{
	struct lh_reach r = { .rows = (uint32_t)ix->rows - ix->params.outside,
			      .links_of = links_of, .ctx = (void *)(uintptr_t)ix };
	int64_t n = 0;
	uint32_t row;

	if (!ix->graph)
		return 0;
	lh_reach(&r, ix->entry, ix->top);
	for (row = 0; r.n < r.rows && row < r.rows; row++) {
		if (r.parent[row] != LH_UNREACHED || lh_index_hidden(ix, row))
			continue;
		n++;
		if (unreached)
			unreached(ctx, row);
	}
	lh_reach_free(&r);
	return n;
}
