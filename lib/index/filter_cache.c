/* filter_cache.c - the results of a filter, by row.  See searcher.h. */
#include "searcher.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "base/bits.h"

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

/* Evaluate rows until LH_SEEDS match: 32 matches estimate the share of matching rows to
 * within a third. */
static int take_sample(struct lh_filter_cache *v, const struct lh_query *q, struct lh_err *err)
{
	unsigned i;
	int rc;

	v->n_seeds = 0;
	for (i = 0; i < SAMPLE && v->n_seeds < LH_SEEDS; i++) {
		uint64_t row = (i * 0x9e3779b97f4a7c15u >> 32) * v->ix->rows >> 32;

		rc = lh_filter_cache_allows(q, row, err);
		if (rc < 0)
			return -1;
		if (rc)
			v->seed[v->n_seeds++] = (uint32_t)row;
	}
	v->sampled = i;
	return 0;
}

int lh_filter_cache_sample(struct lh_filter_cache *v, const struct lh_query *q, struct lh_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&v->lock);
	if (!v->sampled)
		rc = take_sample(v, q, err);
	pthread_mutex_unlock(&v->lock);
	return rc;
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

int lh_filter_cache_evaluate_all(struct lh_filter_cache *v, const struct lh_query *q,
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
