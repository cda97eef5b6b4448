/* index_reach.c - the rows of an index that a walk over its graph gets to.  See index_tools.h. */
#include "searcher.h"

static const uint32_t *links_of(void *ctx, uint32_t row, uint32_t level, uint32_t *n)
{
	const struct lh_index *ix = ctx;

	(void)level;
	*n = 2 * ix->params.m;
	return lh_walk_links(ix, row);
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
	lh_reach(&r, ix->entry, 0);
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
