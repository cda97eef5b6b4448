/*
 * qg_links - find and choose the links of a row, for qg_build.c.
 *
 * A list that is not full ends with the row itself.
 */
#ifndef LH_QG_LINKS_H
#define LH_QG_LINKS_H

#include "graph.h"
#include "copies.h"
#include "quantize.h"

struct lh_qg_candidate {
	float d;
	uint32_t row;
};

/* The state of one thread. */
struct lh_qg_worker {
	struct lh_qg_build *g;
	const uint32_t *copy_of;	/* copies.h: a search for links does not meet copies */
	struct lh_quantized_query query, other;
	uint16_t *seen, epoch;	/* per row, epoch: met by this search, epoch + 1: followed */
	struct lh_qg_candidate *best;	/* found by a search, nearest first */
	size_t n;
	uint32_t ef;		/* rows that a search keeps, g->ef or fewer */
	uint32_t inherits;	/* candidates are also the links of so many of the nearest */
	struct lh_qg_candidate *path;	/* candidates: the rows followed */
	size_t paths;
};

void lh_qg_worker_init(struct lh_qg_worker *w, struct lh_qg_build *g);
void lh_qg_worker_free(struct lh_qg_worker *w);

static inline const void *lh_qg_row_code(const struct lh_qg_build *g, uint32_t row)
{
	return (const char *)g->codes + row * g->stride;
}

static inline uint32_t *lh_qg_list(const struct lh_qg_build *g, uint32_t row)
{
	return g->links + (size_t)row * g->degree;
}

/* Return how many links a row has. */
static inline uint32_t lh_qg_list_length(const struct lh_qg_build *g, uint32_t row)
{
	const uint32_t *links = lh_qg_list(g, row);
	uint32_t n = 0;

	while (n < g->degree && links[n] != row)
		n++;
	return n;
}

/* Walk to the rows nearest to a row, which it does not meet itself: w->best. */
void lh_qg_find_near(struct lh_qg_worker *w, uint32_t row);

/* Search, and choose the links of a row; returns how many are chosen for their
 * direction, which come first.  The others fill the list if fill is true. */
uint32_t lh_qg_find_links(struct lh_qg_worker *w, uint32_t row, bool fill, uint32_t *links);

/* Add links from row, whose first links are chosen, to n others: in the place of those
 * that fill, or if there are too few, by choosing again.  Returns how many are chosen. */
uint32_t lh_qg_link_back(struct lh_qg_worker *w, uint32_t row, uint32_t chosen,
			 const uint32_t *others, size_t n, bool fill);

/* Put links of the rows that are gone in the places of those to them (lh_qg_change), as far as
 * there are any; no other link is lost, as far ones are what far queries need.  Returns how many
 * of them are chosen for their direction, in news. */
uint32_t lh_qg_close_gaps(struct lh_qg_worker *w, uint32_t row, const uint32_t *gone,
			  uint32_t *news);

/* Choose the links of a row again from those that it has and n others; those that stay keep their
 * places. */
void lh_qg_replace_link(struct lh_qg_worker *w, uint32_t row, const uint32_t *others, size_t n);

#endif
