/*
 * qg_reach.c - make every row of a graph reachable from its entry.  See qg_links.h.
 *
 * A walk in breadth gives each row that it reaches a parent.  The link from a parent
 * stays; any other link can be replaced and all rows that were reached still are.  There
 * is one always: n rows have n * degree links, and n - 1 of them are from parents.
 */
#include <stdlib.h>

#include "qg_links.h"
#include "base/mem.h"

#define UNREACHED UINT32_MAX
#define NO_PARENT (UINT32_MAX - 1)	/* of the entry */

struct reach {
	struct lh_qg_worker *w;
	uint32_t *parent;
	uint32_t *queue, n, at;	/* rows reached; those before at were followed */
	uint32_t spare;		/* no row before it in the queue has a link to spare */
};

static void reach_row(struct reach *r, uint32_t row, uint32_t parent)
{
	r->parent[row] = parent;
	r->queue[r->n++] = row;
}

static void follow_all(struct reach *r)
{
	const struct lh_qg_build *g = r->w->g;
	const uint32_t *links;
	uint32_t row, i;

	while (r->at < r->n) {
		row = r->queue[r->at++];
		links = lh_qg_list(g, row);
		for (i = 0; i < g->degree; i++)
			if (r->parent[links[i]] == UNREACHED)
				reach_row(r, links[i], row);
	}
}

/* Find the farthest link of a row that can be replaced; NULL if there is none. */
static uint32_t *find_spare(struct reach *r, uint32_t row)
{
	const struct lh_qg_build *g = r->w->g;
	uint32_t *links = lh_qg_list(g, row), *spare = NULL, i;
	float d, far = 0;

	lh_quantized_query_code(&r->w->other, lh_qg_row_code(g, row));
	for (i = 0; i < g->degree; i++) {
		if (r->parent[links[i]] == row)
			continue;
		if (links[i] == row)
			return links + i;
		d = lh_quantize_row(&r->w->other, lh_qg_row_code(g, links[i]));
		if (!spare || d > far) {
			spare = links + i;
			far = d;
		}
	}
	return spare;
}

/* Link to a row from the nearest that has a link to spare. */
static void connect_row(struct reach *r, uint32_t row)
{
	uint32_t *spare = NULL, from = row;
	size_t i;

	lh_qg_find_near(r->w, row);
	for (i = 0; i < r->w->n && !spare; i++) {
		from = r->w->best[i].row;
		spare = find_spare(r, from);
	}
	for (; !spare; r->spare += !spare) {
		from = r->queue[r->spare];
		spare = find_spare(r, from);
	}
	*spare = row;
	reach_row(r, row, from);
	follow_all(r);
}

int lh_qg_connect(struct lh_qg_worker *w, struct lh_err *err)
{
	struct reach r = { .w = w };
	uint32_t row;

	r.parent = lh_calloc_table(w->g->rows, sizeof *r.parent, err);
	r.queue = lh_calloc(w->g->rows, sizeof *r.queue, err);
	if (r.parent && r.queue) {
		for (row = 0; row < w->g->rows; row++)
			r.parent[row] = UNREACHED;
		reach_row(&r, w->g->entry, NO_PARENT);
		follow_all(&r);
		for (row = 0; row < w->g->rows; row++)
			if (r.parent[row] == UNREACHED)
				connect_row(&r, row);
	}
	free(r.parent);
	free(r.queue);
	return r.parent && r.queue ? 0 : -1;
}
