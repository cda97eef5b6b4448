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
#define ENOUGH 32	/* rows of it that match */
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

/* Evaluate a fixed pseudo-random sample of rows until ENOUGH match: 32 matches estimate the share
 * of matching rows to within a third.  It is always the same, so that the choice between walk and
 * scan does not depend on what is already cached. */
static int take_sample(struct lh_filter_cache *v, const struct lh_query *q, struct lh_err *err)
{
	unsigned i, matched = 0;
	uint64_t row;
	int rc = 0;

	pthread_mutex_lock(&v->lock);
	for (i = 0; !v->sampled && rc >= 0 && i < SAMPLE && matched < ENOUGH; i++) {
		row = (i * 0x9e3779b97f4a7c15u >> 32) * v->ix->rows >> 32;
		rc = lh_filter_cache_allows(q, row, err);
		matched += rc > 0;
	}
	if (!v->sampled && rc >= 0) {
		v->matched = matched;
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
 * If few rows match, all of them are measured.  If many do, the graph is walked as without a
 * filter, through rows that are refused too.  A walk that comes up short, or finds that matches are
 * far away, gives way to the scan of the rest.
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

/* ---- choice between walk and scan ---- */

/* What a walk for which no ef is named costs, as lh_scan_cost, and the share of rows that match
 * from which it meets enough of them at any size. */
#define WALK_COST 4e6
#define MANY 0.3

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

/* Return 1 for a walk, for which s->share is set, 0 for a scan, -1.  The share is that of the
 * sample, since a walk does not need all rows evaluated.  For a row that matches it visits
 * 1 / share. */
static int choose_walk(struct lh_searcher *s, size_t ef, bool adapt)
{
	const struct lh_filter_cache *v = s->q->filter_cache;
	double share, scan, cost = adapt ? WALK_COST : lh_walk_cost(s, ef);

	if (!lh_walk_pays(s, ef))
		return 0;
	if (take_sample(s->q->filter_cache, s->q, s->err) < 0)
		return -1;
	share = (double)v->matched / v->sampled;
	scan = lh_scan_cost(s, share * (double)s->ix->rows);
	if ((adapt && share >= MANY) || share * scan >= cost)
		s->share = share;
	return s->share > 0;
}

int lh_filtered_search(struct lh_searcher *s)
{
	bool adapt = !s->q->ef && !s->ix->params.ef_search;
	size_t ef = s->q->ef ? s->q->ef : lh_index_ef(&s->ix->params, s->q->k);
	struct lh_search_work *work = &s->q->work;
	int64_t allowed;
	int rc;

	if (ef < s->q->k)
		ef = s->q->k;
	rc = choose_walk(s, ef, adapt);
	if (rc > 0) {
		work->ef = (uint32_t)ef;
		work->filter_walked = true;
		rc = lh_walk_qg(s, ef, adapt);
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
