/*
 * searcher - the searcher, shared by the files that make up a search.  Private to
 * lib/index.
 *
 *     searcher.c         walk by measuring, exact scan, the best measured again and sorted
 *     qg_walk.c          walk by the codes of links
 *     filtered_search.c  the same for the rows that a filter allows, and its results by row
 *
 * Distances inside are the cheapest that sort alike: -dot or squared l2, in f32, of
 * the codes that rows are stored as.  The few that are returned are computed again
 * in double, from the most exact vector that is stored.  A scan by vectors finds what one in
 * double would: it computes each again that the error of f32 could have left out.
 */
#ifndef LH_SEARCHER_H
#define LH_SEARCHER_H

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "index_parts.h"
#include "base/bits.h"

#define FRESH_MAX 256	/* most rows that are measured at once, and more than links of a row */

struct cand {
	float d;
	uint32_t row;
};

struct heap {
	struct cand *v;
	size_t n, cap;
};

/*
 * Rows with the code of one that a walk visited.  A builder links them with it alone (vector/
 * copies.h).  They are visited at once, beside what the walk keeps, where they would take the
 * places of others; and no more of them than can be results, if these are the best known.
 */
struct lh_walk_copies {
	struct cand *v;		/* to be visited */
	size_t n, cap;
	struct cand of;		/* the row whose links are being followed */
	size_t offered;		/* copies of one row that may be results */
};

struct lh_walk_near {
	float d;		/* estimated, squared */
	uint32_t row;		/* UINT32_MAX when it is visited */
};

/* The walk by the codes of links. */
struct lh_walk_buffer {
	struct lh_qg_query query;
	struct lh_walk_near *row;	/* the buffer, nearest first */
	size_t n, max, cap;
	size_t within;		/* rows in so many places are visited, others measured at the end */
	size_t next;		/* all before it are done */
	bool measured;		/* rows have no codes: those in the buffer are measured */
	float entry, nearest;	/* squared distances of the row that is visited first, and of
				 * the nearest that may be a result */
	float spread;		/* of the graph: the entry's from the query, or from a link of it */
	uint64_t visited, changed;	/* visits; the last that changed the best rows; ... */
	uint64_t refused;	/* those of rows that cannot be results */
	unsigned every;		/* of so many that a filter refuses, one leaves its place */
	float errors;		/* of the estimates of the visited rows but the first, squared */
	float estimate;		/* of the row that is being visited */
};

struct lh_searcher {
	const struct lh_index *ix;
	struct lh_quantized_query code;	/* the query, to be compared with codes, ... */
	struct lh_quantized_query exact;	/* ... and with vectors */
	float *vector;		/* scratch: a row decoded from its code */
	int fd;			/* of the file, to read rows; -1: closed */
	bool reads;		/* this walk reads rows, to stored */
	unsigned char *stored;	/* scratch: a row as it is stored */
	uint16_t *seen, epoch;	/* per row, the number of the walk that last met it */
	bool scanned;
	bool by_vector;		/* compare with all vectors; best has final distances */
	bool damaged;		/* then one of them was */
	double length;		/* then, and under ip, that of the query's vector */
	/* The squared distance in the graph is base + slope times that of a walk. */
	float base, slope;
	float *lifted;		/* the query in the graph, under ip (index_parts.h) */
	struct heap todo, best;	/* todo yields its nearest, best its farthest */
	size_t best_max;		/* most that best may hold */
	double share;		/* of the rows that a walk by codes may find; 0: no such walk */
	unsigned calls;		/* of lh_walk_spend */
	struct lh_walk_copies copies;
	struct lh_walk_buffer qg;
	struct lh_query *q;	/* being answered */
	struct lh_err *err;
};

/* ---- searcher.c ---- */

/* Let best hold at most keep candidates, before a walk or a scan: of those that are in it, from
 * a walk that gave up, the nearest. */
void lh_walk_keep(struct lh_searcher *s, size_t keep);
/* Start a new walk: no row has been met, and todo is empty. */
void lh_walk_epoch(struct lh_searcher *s);
/* Return how many of n rows, of so many bytes each, may be measured, and count them.  If fewer,
 * the budget or the deadline stops the search: q->truncated is set. */
size_t lh_walk_spend(struct lh_searcher *s, size_t n, size_t bytes);
/* Return whether the deadline of a query is over. */
bool lh_walk_late(const struct lh_query *q);
/* Measure the row where a walk begins. */
struct cand lh_walk_entry(struct lh_searcher *s);
/* Measure the links of the rows of todo, nearest first, until no nearer ones are found.  Returns 1
 * when done, 0 when a scan is better since so many rows are left out. */
int lh_walk_on(struct lh_searcher *s);
/* Return the squared distance that a distance of a walk stands for. */
static inline float lh_walk_squared(const struct lh_searcher *s, float d)
{
	return s->base + s->slope * d;
}
/* Return whether row, which is d away, is a copy of the row whose links are followed. */
static inline bool lh_walk_is_copy(const struct lh_searcher *s, float d, uint32_t row)
{
	float of = s->copies.of.d;

	return __builtin_expect(fabsf(d - of) <= 1e-6f * fabsf(of), 0) &&
	       memcmp(lh_index_code(s->ix, row), lh_index_code(s->ix, s->copies.of.row),
		      lh_index_code_bytes(&s->ix->params)) == 0;
}
/* Take the next copy; false if there is none, or enough were offered. */
bool lh_walk_next_copy(struct lh_searcher *s, struct cand *out);
/* Measure up to FRESH_MAX rows: those near enough become candidates, and are added to
 * todo if todo is set. */
void lh_walk_measure(struct lh_searcher *s, const uint32_t *rows, size_t n, bool todo);
/* Add a measured row to best if it is near enough.  Returns false for a row that cannot be a
 * result, since it is hidden or excluded. */
bool lh_walk_offer(struct lh_searcher *s, struct cand c);
/* Return the distance of the k-th nearest of the best, which are at least k, and stay a heap. */
float lh_walk_kth(struct lh_searcher *s);
/* Compare two rows by the bytes of their ids. */
int lh_walk_id_cmp(const struct lh_index *ix, uint32_t a, uint32_t b);
/* Return how many candidates a scan keeps. */
size_t lh_scan_candidates(const struct lh_searcher *s);
/* Return what a scan of rows costs, and a walk of so many visits: in bytes that are read in order,
 * as measured with 100 and 768 values of i8 and f32, in 100,000 rows. */
double lh_scan_cost(const struct lh_searcher *s, double rows);
double lh_walk_cost(const struct lh_searcher *s, size_t visits);
/* Return whether a walk that keeps ef candidates is cheaper than a scan of all rows. */
bool lh_walk_pays(const struct lh_searcher *s, size_t ef);
/* Count a row whose links are followed. */
static inline void lh_walk_count(struct lh_searcher *s, size_t bytes)
{
	s->q->work.walked++;
	s->q->work.bytes_read += bytes;
}

/* Return whether a scan after a walk may leave the row out, since the walk has measured it. */
static inline bool lh_walk_measured(const struct lh_searcher *s, uint32_t row)
{
	return s->q->work.restarts && s->seen[row] == s->epoch;
}

/* Ask the kernel to read ahead, before a scan of all rows. */
void lh_walk_readahead(struct lh_searcher *s);

/* Measure the rows that are outside the graph, after a walk; -1 for damage. */
int lh_walk_outside(struct lh_searcher *s);

/* Return whether the query excludes the row. */
bool lh_walk_excluded(const struct lh_query *q, uint64_t row);

/* Return the 2 * m links of a row.  They may name rows that do not exist. */
static inline const uint32_t *lh_walk_links(const struct lh_index *ix, uint32_t row)
{
	return (const void *)(ix->block + row * ix->stride + ix->shape.ids_at);
}

/* Prefetch the links of a row in todo. */
static inline void lh_walk_prefetch(const struct lh_index *ix, uint32_t row)
{
	lh_prefetch(lh_walk_links(ix, row), 8 * (size_t)ix->params.m);
}

/* Return a row of the file, or the beginning of it, until the next call. */
static inline const unsigned char *lh_walk_row(const struct lh_searcher *s, uint32_t row,
					       size_t bytes)
{
	const unsigned char *at = s->ix->block + row * s->ix->stride;
	off_t offset = (const char *)at - s->ix->map.p;

	return s->reads && pread(s->fd, s->stored, bytes, offset) == (ssize_t)bytes ? s->stored :
										      at;
}

/* ---- qg_walk.c ---- */

/* Walk over the graph for the rows of the file, wider for a far query if adapt is set.  Returns 1
 * when done, 0 when a scan is better, -1. */
int lh_walk_qg(struct lh_searcher *s, size_t ef, bool adapt);

/* ---- filtered_search.c ---- */

/* Return 1 when the filter allows the row, 0 (counted as dropped) when not, -1 for
 * damage. */
int lh_filtered_search_row(struct lh_searcher *s, uint64_t row);
/* Search the rows of the file that match. */
int lh_filtered_search(struct lh_searcher *s);

struct lh_filter_cache {
	const struct lh_index *ix;
	uint64_t rows;			/* of the file, then pending */
	uint64_t *bits; /* per 64 rows: a word of rows evaluated, a word of rows allowed */
	pthread_mutex_t lock;		/* of the members after it */
	pthread_cond_t done;
	unsigned sampled, matched;	/* rows of the sample (0: not taken yet); that match */
	uint64_t chunks, next, finished;	/* of the evaluation of all rows */
	uint64_t allowed;		/* rows allowed, when that is finished */
	uint64_t first_failed; /* first chunk that failed, or chunks */
	struct lh_err err;		/* of that chunk */
};

int lh_filter_cache_evaluate(struct lh_filter_cache *v, const struct lh_query *q, uint64_t row,
			     struct lh_err *err);

/* Return 1 when the row is live and the filter allows it, 0 when not, -1 for damage. */
static inline int lh_filter_cache_allows(const struct lh_query *q, uint64_t row, struct lh_err *err)
{
	const uint64_t *pair = q->filter_cache->bits + row / 64 * 2, bit = (uint64_t)1 << row % 64;

	if (__atomic_load_n(pair, __ATOMIC_ACQUIRE) & bit)
		return (__atomic_load_n(pair + 1, __ATOMIC_RELAXED) & bit) != 0;
	return lh_filter_cache_evaluate(q->filter_cache, q, row, err);
}

#endif
