/*
 * searcher - what the parts of a search share; not for callers.
 *
 *     searcher.c    the searcher: the walk over the graph, the exact scan
 *     filtered_search.c   the same where a filter allows only some rows
 *     rerank.c  the candidates measured again, in order
 *     filter_cache.c   what the filter said of which row, remembered
 *
 * Distances inside are what sorts alike and costs least: -dot, or l2 squared,
 * in f32, of the codes that the rows are kept as.  The few that are handed out
 * are taken again in double, of the best that is kept of a vector.
 */
#ifndef LH_SEARCHER_H
#define LH_SEARCHER_H

#include <pthread.h>

#include "index_parts.h"

#define FRESH_MAX (2 * LH_INDEX_M_MAX)	/* links of a row */

struct cand {
	float d;
	uint32_t row;
};

struct heap {
	struct cand *v;
	size_t n, cap;
};

struct lh_searcher {
	const struct lh_index *ix;
	struct lh_quantized_query code;	/* the query as rows are measured by it, ... */
	struct lh_quantized_query exact;	/* ... and as it is, for vectors */
	float *vector;		/* of a row, read from its code */
	uint16_t *seen, epoch;	/* of the walk that met a row last */
	bool scanned;
	bool by_vector;		/* by vectors, not by codes */
	struct heap todo, best;	/* todo gives its nearest, best its farthest */
	size_t best_max;		/* the most that best may hold */
	struct lh_query *q;	/* the one that is being answered */
	struct lh_err *err;
};

/* ---- searcher.c ---- */

/* Ready for a walk or a scan that keeps so many. */
int lh_walk_begin(struct lh_searcher *s, size_t keep);
/* A new set of rows that were seen, and no rows to go on from. */
void lh_walk_epoch(struct lh_searcher *s);
/* Where level 0 begins. */
struct cand lh_walk_descend(const struct lh_searcher *s);
/* The one in todo to go on from; false when the walk is done. */
bool lh_walk_next(struct lh_searcher *s, uint32_t *row);
/* Go on from this row some time, whether it may answer or not. */
int lh_walk_enqueue(struct lh_searcher *s, struct cand at);
/* Measure up to FRESH_MAX rows: those that are near enough become results, if
 * they may, and with todo the walk goes on from them. */
int lh_walk_measure(struct lh_searcher *s, const uint32_t *rows, size_t n, bool todo);
/* What a scan keeps. */
size_t lh_scan_candidates(const struct lh_searcher *s);
/* Is a walk that keeps ef better than a scan of all rows? */
bool lh_walk_pays(const struct lh_searcher *s, size_t ef);
/* Before all rows are read in their order. */
void lh_walk_readahead(struct lh_searcher *s);

/* Left out by the query, whatever else is said of it? */
bool lh_walk_excluded(const struct lh_query *q, uint64_t row);

/* The links of a row on level 0; *n is 0 when they are damaged.  They may lead
 * to rows that are none. */
static inline const uint32_t *lh_walk_links(const struct lh_index *ix, uint32_t row, uint32_t *n)
{
	const uint32_t *links = (const void *)(ix->block + row * ix->stride);

	*n = lh_once32(links);
	if (*n > 2 * ix->params.m)
		*n = 0;
	return links + 1;
}

/* A row's links will be wanted when its turn comes. */
static inline void lh_walk_prefetch(const struct lh_index *ix, uint32_t row)
{
	const unsigned char *p = ix->block + row * ix->stride;
	size_t i;

	for (i = 0; i < ix->vector_at; i += 64)
		__builtin_prefetch(p + i);
}

/* ---- rerank.c ---- */

/* The best that is kept of a row's vector, good until the next call. */
const float *lh_walk_vector(const struct lh_searcher *s, uint32_t row);
/* By the bytes of the ids. */
int lh_walk_id_cmp(const struct lh_index *ix, uint32_t a, uint32_t b);
/* As many candidates are measured again: those beyond k make up for what f32,
 * and codes, put in another order. */
size_t lh_rerank_candidates(const struct lh_searcher *s);
/* What best holds, as lh_index_search hands it out. */
long lh_rerank_results(struct lh_searcher *s, struct lh_hit *out);

/* ---- filtered_search.c ---- */

/* May this row answer?  1, 0 (and counts as dropped), -1. */
int lh_filtered_search_row(struct lh_searcher *s, uint64_t row);
/* Search the rows of the file that match. */
int lh_filtered_search(struct lh_searcher *s);

/* ---- filter_cache.c ---- */

#define LH_SEEDS 32

struct lh_filter_cache {
	const struct lh_index *ix;
	uint64_t rows;			/* of the file, then the pending ones */
	uint64_t *bits; /* per 64 rows a word of those judged, a word of those allowed */
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t done;
	unsigned sampled, n_seeds;		/* of the sample; 0 before it is taken */
	uint32_t seed[LH_SEEDS];	/* its rows that match */
	uint64_t chunks, next, finished;	/* of judging all rows */
	uint64_t allowed;		/* when that is finished */
	uint64_t first_failed; /* the first chunk that could not be judged, or chunks */
	struct lh_err err;		/* and why */
};

int lh_filter_cache_evaluate(struct lh_filter_cache *v, const struct lh_query *q, uint64_t row,
			   struct lh_err *err);

/* Is the row allowed?  1, 0, -1.  Rows that are not live are not. */
static inline int lh_filter_cache_allows(const struct lh_query *q, uint64_t row, struct lh_err *err)
{
	const uint64_t *pair = q->filter_cache->bits + row / 64 * 2, bit = (uint64_t)1 << row % 64;

	if (__atomic_load_n(pair, __ATOMIC_ACQUIRE) & bit)
		return (__atomic_load_n(pair + 1, __ATOMIC_RELAXED) & bit) != 0;
	return lh_filter_cache_evaluate(q->filter_cache, q, row, err);
}

/* Judge some rows picked at random, always the same ones: which way a search
 * goes must not depend on what is judged already. */
int lh_filter_cache_sample(struct lh_filter_cache *v, const struct lh_query *q, struct lh_err *err);
/* Judge all rows, together with whoever else wants that now. */
int lh_filter_cache_evaluate_all(struct lh_filter_cache *v, const struct lh_query *q,
				 struct lh_err *err);

#endif
