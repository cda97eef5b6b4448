/* estimate.c - the size of an index file before it is made.  See index_tools.h. */
#include "index_parts.h"
#include "index_tools.h"
#include "vector/graph.h"
#include "writer.h"

static uint64_t pages(double bytes)
{
	return lh_index_round((uint64_t)bytes, LH_INDEX_PAGE);
}

/* Return the bytes of a graph in addition to its rows. */
static uint64_t graph_bytes(const struct lh_index_params *p, double rows)
{
	return pages(4 * rows) + pages((double)lh_qg_sign_bytes(lh_index_lifted(p)));
}

uint64_t lh_index_estimate(struct lh_index_params *p, const struct lh_index_contents *c)
{
	const double rows = (double)c->rows;
	const bool graph = c->rows && c->rows >= p->exact_below;
	struct lh_index_shape shape;
	uint64_t slots = c->rows ? 2 : 0, n;

	lh_index_choose_codes(p);
	lh_index_get_shape(p, graph, &shape);
	while (slots < 2 * c->rows)
		slots *= 2;
	n = 2 * LH_INDEX_PAGE + pages(rows * (double)shape.stride) + 2 * pages(8 * (rows + 1)) +
	    pages((double)c->id_bytes) + pages(8 * (double)slots) + pages((double)c->meta_bytes) +
	    pages(rows * (double)lh_index_exact_bytes(p));
	n += graph ? graph_bytes(p, rows) : 0;
	/* As measured on descriptions: 1.6 bytes a word, of which 4 a row are its length. */
	return p->lexical ? n + pages(4 * rows) + pages(1.5 * (double)c->words) : n;
}
