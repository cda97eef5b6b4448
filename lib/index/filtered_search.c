/* filtered_search.c - search among the rows that a filter allows.  See searcher.h. */
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "base/mem.h"
#include "searcher.h"

/* ---- the results of a filter, by row ---- */

#define CHUNK 4096	/* rows evaluated at a time: a multiple of 64 */
#define SAMPLE 512
#define AHEAD 16	/* rows: while so many are evaluated, the memory of another arrives */
#define NAMED_IN 256	/* bytes of metadata in which a filter mostly finds what decides */

struct lh_filter_cache *lh_filter_cache_new(const struct lh_index *ix)
{
	struct lh_filter_cache *v = lh_calloc(1, sizeof *v);

	v->ix = ix;
	v->rows = lh_index_rows(ix);
	v->first_failed = v->chunks = (v->rows + CHUNK - 1) / CHUNK;
	v->bits = lh_calloc(v->chunks * (CHUNK / 64), 2 * sizeof *v->bits);
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->done, NULL);
	return v;
}

void lh_filter_cache_free(struct lh_filter_cache *v)
{
	if (!v)
		return;
	pthread_cond_destroy(&v->done);
	pthread_mutex_destroy(&v->lock);
	free(v->bits);
	free(v);
}

/* Run the filter: 1, 0, -1. */
static int evaluate_row(const struct lh_filter_cache *v, const struct lh_query *q, uint64_t row,
			struct lh_err *err)
{
	struct lh_row r;
	int live = lh_index_row(v->ix, row, &r, err);

	return live <= 0 ? live : q->allow(q->ctx, row, &r, err);
}

/* Store the bits of a word.  The bit "known" is released last, so that a thread that
 * sees it also sees the result. */
static void store_verdicts(struct lh_filter_cache *v, uint64_t word, uint64_t known,
			   uint64_t allowed)
{
	if (allowed)
		__atomic_fetch_or(&v->bits[2 * word + 1], allowed, __ATOMIC_RELAXED);
	__atomic_fetch_or(&v->bits[2 * word], known, __ATOMIC_RELEASE);
}

int lh_filter_cache_evaluate(struct lh_filter_cache *v, const struct lh_query *q, uint64_t row,
			     struct lh_err *err)
{
	uint64_t bit = (uint64_t)1 << row % 64;
	int yes = evaluate_row(v, q, row, err);

	if (yes >= 0)
		store_verdicts(v, row / 64, bit, yes ? bit : 0);
	return yes;
}

/* Evaluate a fixed pseudo-random sample of rows until LH_SEEDS match: 32 matches estimate the share
 * of matching rows to within a third.  It is always the same, so that the choice between walk and
 * scan does not depend on what is already cached. */
static int take_sample(struct lh_filter_cache *v, const struct lh_query *q, struct lh_err *err)
{
	unsigned i, seeds = 0;
	uint64_t row;
	int rc = 0;

	pthread_mutex_lock(&v->lock);
	for (i = 0; !v->sampled && rc >= 0 && i < SAMPLE && seeds < LH_SEEDS; i++) {
		row = (i * 0x9e3779b97f4a7c15u >> 32) * v->ix->rows >> 32;
		rc = lh_filter_cache_allows(q, row, err);
		if (rc > 0)
			v->seed[seeds++] = (uint32_t)row;
	}
	if (!v->sampled && rc >= 0) {
		v->n_seeds = seeds;
		v->sampled = i;
	}
	pthread_mutex_unlock(&v->lock);
	return rc < 0 ? -1 : 0;
}

/* ---- all rows ---- */

/* Evaluate the rows of a chunk.  Returns how many are allowed, or -1. */
static int64_t evaluate_chunk(struct lh_filter_cache *v, const struct lh_query *q, uint64_t chunk,
			      struct lh_err *err)
{
	const struct lh_index *ix = v->ix;
	uint64_t word, row, at, end = (chunk + 1) * CHUNK;
	int64_t allowed = 0;

	if (end > v->rows)
		end = v->rows;
	for (word = chunk * (CHUNK / 64); word * 64 < end; word++) {
		uint64_t known = __atomic_load_n(&v->bits[2 * word], __ATOMIC_ACQUIRE);
		uint64_t yes = __atomic_load_n(&v->bits[2 * word + 1], __ATOMIC_RELAXED);

		for (row = word * 64; row < end && row < (word + 1) * 64; row++) {
			int rc;

			if (known >> row % 64 & 1)
				continue;
			/* rows are too far apart for the processor to guess the next */
			at = row + AHEAD < ix->rows ? lh_once64(&ix->meta_at[row + AHEAD])
						    : ix->metas_n;
			if (at < ix->metas_n)
				lh_prefetch(ix->metas + at / 64 * 64, NAMED_IN);
			rc = evaluate_row(v, q, row, err);
			if (rc < 0)
				return -1;
			known |= (uint64_t)1 << row % 64;
			yes |= (uint64_t)rc << row % 64;
		}
		store_verdicts(v, word, known, yes);
		allowed += __builtin_popcountll(yes);
	}
	return allowed;
}

/* Evaluate all rows, sharing the work with other threads that ask for the same now.  Returns 1
 * if the deadline of q comes before all are. */
static int lh_filter_cache_evaluate_all(struct lh_filter_cache *v, const struct lh_query *q,
					struct lh_err *err)
{
	int64_t allowed;
	uint64_t chunk;
	bool stopped;

	pthread_mutex_lock(&v->lock);
	while (v->next < v->chunks && !lh_walk_late(q)) {
		chunk = v->next++;
		pthread_mutex_unlock(&v->lock);
		if (chunk == 0) {
			/* Ask for read-ahead: the map was opened for random access. */
			if (v->ix->metas_n)
				madvise((void *)(uintptr_t)v->ix->metas, v->ix->metas_n,
					MADV_WILLNEED);
		}
		allowed = evaluate_chunk(v, q, chunk, err);
		pthread_mutex_lock(&v->lock);
		/* Other chunks are evaluated after a failure too, so that the error reported is
		 * always that of the first bad row. */
		if (allowed >= 0) {
			v->allowed += (uint64_t)allowed;
		} else if (chunk < v->first_failed) {
			v->first_failed = chunk;
			v->err = *err;
		}
		if (++v->finished == v->chunks)
			pthread_cond_broadcast(&v->done);
	}
	stopped = v->next < v->chunks;
	while (!stopped && v->finished < v->chunks)
		pthread_cond_wait(&v->done, &v->lock);
	pthread_mutex_unlock(&v->lock);
	if (stopped || v->first_failed == v->chunks)
		return stopped;
	*err = v->err;
	return -1;
}

/* ---- search among the rows that a filter allows ---- */

/*
 * If few rows match, all of them are measured.  If many do, the graph is walked,
 * but only matching rows are measured: a refused row is a bridge, whose links are
 * followed as if they were links of the row that led to it.  A walk that comes up
 * short, or costs more than to measure all, gives way to the scan of the rest.
 */

/* Return whether a row may be a result.  Of an excluded one no count may tell whether the filter
 * allows it: it is refused, and not asked for. */
static int allows(const struct lh_searcher *s, uint64_t row)
{
	return lh_walk_excluded(s->q, row) ? 0 : lh_filter_cache_allows(s->q, row, s->err);
}

/* Excluded rows are not counted as dropped: they would not be results anyway. */
int lh_filtered_search_row(struct lh_searcher *s, uint64_t row)
{
	int rc = allows(s, row);

	if (rc == 0 && (row >= s->ix->rows || !lh_index_hidden(s->ix, row)) &&
	    !lh_walk_excluded(s->q, row))
		s->q->dropped++;
	return rc;
}

/* Return how many rows of the file are excluded of those that fn returns true for. */
static uint64_t excluded(const struct lh_searcher *s, bool (*fn)(const struct lh_searcher *s,
								 uint64_t row))
{
	const struct lh_query *q = s->q;
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < q->n_exclude; i++)
		n += (!i || q->exclude[i] != q->exclude[i - 1]) && q->exclude[i] < s->ix->rows &&
		     fn(s, q->exclude[i]);
	return n;
}

static bool is_shown(const struct lh_searcher *s, uint64_t row)
{
	return !lh_index_hidden(s->ix, row);
}

static bool is_allowed(const struct lh_searcher *s, uint64_t row)
{
	return is_shown(s, row) && lh_filter_cache_allows(s->q, row, s->err) > 0;
}

/* ---- the scan ---- */

static void scan(struct lh_searcher *s, uint64_t allowed)
{
	const struct lh_filter_cache *v = s->q->filter_cache;
	uint32_t rows[FRESH_MAX];
	uint64_t word, left;
	size_t n = 0;

	if (allowed > s->ix->rows / 8)
		lh_walk_readahead(s);
	for (word = 0; word * 64 < s->ix->rows && !s->q->truncated; word++) {
		left = __atomic_load_n(&v->bits[2 * word + 1], __ATOMIC_RELAXED);
		for (; left; left &= left - 1) {
			uint64_t row = word * 64 + (uint64_t)__builtin_ctzll(left);

			if (row >= s->ix->rows)
				break;
			if (!lh_walk_measured(s, (uint32_t)row) && !lh_walk_excluded(s->q, row))
				rows[n++] = (uint32_t)row;
			if (n == FRESH_MAX) {
				lh_walk_measure(s, rows, n, false);
				n = 0;
			}
		}
	}
	if (n)
		lh_walk_measure(s, rows, n, false);
}

/* ---- the walk ---- */

/* Add the matching links of a row that this walk has not met to found, after the n
 * there.  Refused ones go to bridge, unless that is NULL. */
static long add_matching_links(struct lh_searcher *s, uint32_t from, uint32_t *found, size_t n,
			       uint32_t *bridge, size_t *bridges)
{
	const struct lh_index *ix = s->ix;
	uint32_t i, links_n = 2 * ix->params.m;
	const uint32_t *links = lh_walk_links(ix, from);
	int rc;

	for (i = 0; i < links_n; i++)
		__builtin_prefetch(s->seen + (links[i] < ix->rows ? links[i] : 0), 1);
	for (i = 0; i < links_n && n < FRESH_MAX; i++) {
		uint32_t to = lh_once32(&links[i]);

		if (to >= ix->rows || s->seen[to] == s->epoch)
			continue;
		rc = bridge ? lh_filtered_search_row(s, to) : allows(s, to);
		if (rc < 0)
			return -1;
		if (rc) {
			s->seen[to] = s->epoch;
			found[n++] = to;
		} else if (bridge) {
			s->seen[to] = s->epoch;
			bridge[(*bridges)++] = to;
			lh_walk_prefetch(ix, to);
		}
	}
	return (long)n;
}

/* Collect the rows to go on to: the matching links of a row and, if these are few,
 * those of its refused links. */
static long matching_neighbours(struct lh_searcher *s, uint32_t row, uint32_t *found)
{
	uint32_t bridge[FRESH_MAX];
	size_t i, bridges = 0, enough = 2 * s->ix->params.m;
	long n = add_matching_links(s, row, found, 0, bridge, &bridges);

	for (i = 0; n >= 0 && i < bridges && (size_t)n < enough; i++) {
		lh_walk_count(s, s->ix->params.m * 2 * sizeof(uint32_t));
		n = add_matching_links(s, bridge[i], found, (size_t)n, NULL, NULL);
	}
	return n;
}

/* Begin where an unfiltered walk would, and at the matching rows of the sample, which
 * may be far from there. */
static int begin_walk(struct lh_searcher *s)
{
	const struct lh_filter_cache *v = s->q->filter_cache;
	struct cand at = lh_walk_entry(s);
	uint32_t seed[LH_SEEDS + 1];
	size_t i, n = 0;
	int rc;

	lh_walk_epoch(s);
	rc = lh_filtered_search_row(s, at.row);
	if (rc < 0)
		return -1;
	lh_walk_enqueue(s, at);
	if (rc)
		lh_walk_offer(s, at);
	for (i = 0; i < v->n_seeds; i++) {
		if (s->seen[v->seed[i]] == s->epoch || lh_walk_excluded(s->q, v->seed[i]))
			continue;
		s->seen[v->seed[i]] = s->epoch;
		seed[n++] = v->seed[i];
	}
	lh_walk_measure(s, seed, n, true);
	return 0;
}

/* ---- choice between walk and scan ---- */

/* When the walk has cost this part of what the scan would, it is given up if it will cost that
 * many scans.  More than one, because a walk gets cheaper as it meets the same rows again. */
#define TRIAL (1 / 16.0)
#define TOO_LONG 1.25

/* Bytes of a vector that is so cheap to measure that more candidates are kept. */
#define SHORT 256

/* If no ef is named, the share of rows that match from which a walk as without a filter meets
 * enough of them, or what a scan costs, times the share, from which it is cheaper. */
#define MANY 0.3
#define WALK_COST 4e6

/* The cost of a walk, row by row of those that todo yields. */
struct walk_cost {
	double scan;		/* of the scan that would be done instead */
	size_t ef, steps;
	double half[2];		/* costs at the last two powers of two of the steps */
	bool decided;
};

/* Return whether a scan is better than to go on.  A walk takes about ef steps, of which the rest
 * costs what the later ones did so far. */
static bool is_too_long(const struct lh_searcher *s, struct walk_cost *c)
{
	double cost, left;
	size_t half;

	if (c->decided)
		return false;
	cost = lh_walk_cost(s, (double)s->q->work.measured, (double)s->q->work.walked);
	c->steps++;
	if ((c->steps & (c->steps - 1)) == 0) {
		c->half[0] = c->half[1];
		c->half[1] = cost;
	}
	if (cost < TRIAL * c->scan)
		return false;
	c->decided = true;
	for (half = 1; 4 * half <= c->steps; half *= 2)
		;
	left = c->steps < c->ef ? (double)(c->ef - c->steps) : 0;
	left *= (cost - c->half[0]) / (double)(c->steps - half + 1);
	return cost + left > TOO_LONG * c->scan;
}

/* Return 1 when done, 0 when a scan is better or fewer than k were found, -1. */
static int walk(struct lh_searcher *s, struct walk_cost *c)
{
	uint32_t row, found[FRESH_MAX];
	int rc = 0;
	long n;

	lh_walk_keep(s, c->ef);
	if (begin_walk(s) < 0)
		return -1;
	while (!s->q->truncated && (rc = lh_walk_next(s, &row)) > 0) {
		if (is_too_long(s, c))
			return 0;
		lh_walk_count(s, s->ix->params.m * 2 * sizeof(uint32_t));
		n = matching_neighbours(s, row, found);
		if (n < 0)
			return -1;
		if (n)
			lh_walk_measure(s, found, (size_t)n, true);
	}
	if (rc < 0)
		return -1;
	return s->q->truncated || s->best.n >= s->q->k;
}

/* Return how many rows of the file match, after evaluating all; or -1. */
static int64_t allowed_rows(struct lh_searcher *s)
{
	const struct lh_filter_cache *v = s->q->filter_cache;
	uint64_t n, row;
	int rc = lh_filter_cache_evaluate_all(s->q->filter_cache, s->q, s->err);

	s->q->truncated = rc > 0;
	if (rc)
		return rc < 0 ? -1 : 0;
	n = v->allowed;
	for (row = s->ix->rows; row < v->rows; row++)
		n -= lh_filter_cache_allows(s->q, row, s->err) > 0;
	return (int64_t)(n - excluded(s, is_allowed));
}

/*
 * Return 1 for a walk, as without a filter if s->share is set, 0 for a scan, -1.  By the sample:
 * all rows are not evaluated for a walk.  Of the rows near the query, a walk measures at least
 * three a candidate, and follows the links of 0.7 for each that matches: less than on average,
 * since rows that match may be next to each other.
 */
static int choose_walk(struct lh_searcher *s, struct walk_cost *c)
{
	const bool by_itself = !s->q->ef && !s->ix->params.ef_search;
	const struct lh_filter_cache *v = s->q->filter_cache;
	double share, cost;

	if (!lh_walk_pays(s, by_itself ? lh_index_ef(&s->ix->params, s->q->k) : c->ef))
		return 0;
	if (take_sample(s->q->filter_cache, s->q, s->err) < 0)
		return -1;
	share = (double)v->n_seeds / v->sampled;
	c->scan = lh_scan_cost(s, share * (double)s->ix->rows);
	if (by_itself && (share >= MANY || share * c->scan >= WALK_COST))
		s->share = share;
	cost = lh_walk_cost(s, 3 * share * (double)c->ef, 0.7 * (double)c->ef);
	return s->share > 0 || (lh_walk_pays(s, c->ef) && cost < c->scan * share);
}

/*
 * Return the ef of filtered searches that name none.  It is chosen so that 0.95 of
 * the true results are found even for queries far from all rows, which takes more
 * candidates the larger the index is.  Measured with sentences of demand over
 * 100,000 generated workers of whom half match: ef 64 finds 0.79, 640 finds 0.93,
 * and 960, the value here, 0.95.  Results without a filter are similar.
 */
static size_t default_ef(const struct lh_searcher *s)
{
	size_t times = 4;

	while (times * times * 450 < s->ix->rows)
		times++;
	if (lh_index_code_bytes(&s->ix->params) < SHORT)
		times += times / 2;
	return times * lh_index_ef(&s->ix->params, s->q->k);
}

int lh_filtered_search(struct lh_searcher *s)
{
	struct walk_cost c = { .ef = s->q->ef ? s->q->ef : default_ef(s) };
	struct lh_search_work *work = &s->q->work;
	int64_t allowed;
	int rc;

	if (c.ef < s->q->k)
		c.ef = s->q->k;
	rc = choose_walk(s, &c);
	if (rc > 0) {
		if (s->share > 0)
			c.ef = lh_index_ef(&s->ix->params, s->q->k);
		work->ef = (uint32_t)c.ef;
		work->filter_walked = true;
		rc = s->share > 0 ? lh_walk_qg(s, c.ef, true) : walk(s, &c);
		work->restarts = rc == 0;
	}
	if (rc)
		return rc < 0 ? -1 : lh_walk_outside(s);
	work->filter_scanned = true;
	s->share = 0;
	allowed = allowed_rows(s);
	if (s->q->truncated)
		return 0;
	if (allowed < 0)
		return -1;
	lh_walk_keep(s, lh_scan_candidates(s));
	s->q->dropped = s->ix->rows - s->ix->n_hidden - (uint64_t)allowed - excluded(s, is_shown);
	scan(s, (uint64_t)allowed);
	return 0;
}
