/*
 * qg_walk.c - walk over a graph of layout qg.
 *
 * The walk keeps a buffer of the ef rows with the least estimated distances.  It visits
 * the nearest row that is not visited yet: measures it, and estimates its links by their
 * codes (vector/qg_code.h), without reading them.  Only visited rows can be results.
 *
 * A row may be in the buffer several times, estimated from different rows; it is visited
 * once.  With few results these places are left to it, so that about ef / 3 rows are
 * visited: at the same recall a walk visits 1.6 times as many if it gives the places to
 * others.  With more results it does, as all ef have to be visited.
 */
#include "searcher.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define TIMES 3		/* times that a row is in the buffer, about */
#define PREFETCHED 24	/* lines of codes; the hardware fetches the rest */

/* Prefetch a row that is likely to be visited next. */
static inline void prefetch_row(const struct lh_index *ix, uint32_t row)
{
	const unsigned char *at = ix->block + row * ix->stride;
	size_t i, codes = ix->shape.codes_at, n = ix->shape.add_at;

	if (n > codes + 64 * PREFETCHED)
		n = codes + 64 * PREFETCHED;
	for (i = 0; i < n; i += 64)
		__builtin_prefetch(at + i);
	for (i = ix->shape.add_at; i < ix->stride; i += 64)
		__builtin_prefetch(at + i);
}

/* Return the squared distance that a walk's distance stands for. */
static inline float squared(const struct lh_searcher *s, float d)
{
	return s->ix->params.distance == LH_L2 ? d : 2 + 2 * d;
}

/* Return how many of the buffer are at most that far; the new row comes after them. */
static size_t place_of(const struct lh_walk_buffer *w, float d)
{
	const struct lh_walk_near *from = w->row;
	size_t n = w->n, half;

	/* without branches, which could not be predicted */
	for (; n > 1; n -= half) {
		half = n / 2;
		from += from[half - 1].d <= d ? half : 0;
	}
	return (size_t)(from - w->row) + (n && from->d <= d);
}

static void insert(struct lh_walk_buffer *w, float d, uint32_t row)
{
	size_t at = place_of(w, d);

	if (w->n < w->max)
		w->n++;
	memmove(w->row + at + 1, w->row + at, (w->n - 1 - at) * sizeof *w->row);
	w->row[at] = (struct lh_walk_near){ d, row, false };
	if (at < w->next)
		w->next = at;
}

/* Return the distance that a row must be below.  Estimates of a damaged row may be NaN or
 * infinite. */
static inline float limit(const struct lh_walk_buffer *w)
{
	return w->n < w->max ? FLT_MAX : w->row[w->n - 1].d;
}

/* Add the links of a row whose estimates are near enough. */
static void add_links(struct lh_searcher *s, uint32_t row, float square)
{
	const struct lh_index *ix = s->ix;
	const struct lh_index_shape *shape = &ix->shape;
	const unsigned char *at = ix->block + row * ix->stride;
	const uint32_t *ids = (const void *)(at + shape->ids_at);
	size_t codes = lh_qg_code_bytes(ix->params.dimension);
	float d[LH_QG_LANES];
	uint32_t i, j, to, below;

	for (i = 0; i < 2 * ix->params.m; i += LH_QG_LANES) {
		below = lh_qg_estimate(&s->qg.query,
				       at + shape->codes_at + i / LH_QG_LANES * codes,
				       (const float *)(const void *)(at + shape->add_at) + i,
				       (const float *)(const void *)(at + shape->rescale_at) + i,
				       square, limit(&s->qg), d);
		for (; below; below &= below - 1) {
			j = (uint32_t)__builtin_ctz(below);
			to = lh_once32(&ids[i + j]);
			if (to < ix->rows && s->seen[to] != s->epoch && d[j] < limit(&s->qg))
				insert(&s->qg, d[j], to);
		}
	}
}

/* Find the nearest row that is not visited; false when all are. */
static bool find_next(struct lh_searcher *s)
{
	struct lh_walk_buffer *w = &s->qg;
	size_t from;

	while (w->next < w->n && w->row[w->next].done)
		w->next++;
	for (from = w->next; from < w->n; from++)
		if (s->seen[w->row[from].row] != s->epoch)
			break;
		else
			w->row[from].done = true;
	if (w->distinct && from > w->next) {
		memmove(w->row + w->next, w->row + from, (w->n - from) * sizeof *w->row);
		w->n -= from - w->next;
	} else {
		w->next = from;
	}
	return w->next < w->n;
}

/* Make room for others when a row that cannot be a result takes places. */
static int widen(struct lh_searcher *s)
{
	size_t max = s->qg.max + (s->qg.distinct ? 1 : TIMES);

	if (lh_grow(&s->qg.row, &s->qg.cap, max, sizeof *s->qg.row, s->err) < 0)
		return -1;
	s->qg.max = max;
	return 0;
}

static int visit(struct lh_searcher *s, uint32_t row)
{
	struct cand c = { lh_quantize_row(&s->code, lh_index_code(s->ix, row)), row };

	s->seen[row] = s->epoch;
	if (!lh_walk_offer(s, c) && widen(s) < 0)
		return -1;
	add_links(s, row, squared(s, c.d));
	return 0;
}

static int begin(struct lh_searcher *s, size_t ef)
{
	struct lh_walk_buffer *w = &s->qg;

	w->n = w->next = w->max = 0;
	if (lh_grow(&w->row, &w->cap, ef, sizeof *w->row, s->err) < 0 ||
	    lh_walk_begin(s, lh_scan_candidates(s)) < 0)
		return -1;
	w->max = ef;
	w->distinct = ef < (TIMES + 1) * s->q->k;
	lh_walk_epoch(s);
	lh_qg_query_set(&w->query, s->ix->signs, s->q->vector);
	insert(w, 0, s->ix->entry);
	return 0;
}

int lh_walk_qg(struct lh_searcher *s, size_t ef)
{
	struct lh_walk_buffer *w = &s->qg;
	uint64_t visited = 0;
	uint32_t row;

	if (begin(s, ef) < 0)
		return -1;
	while (find_next(s)) {
		row = w->row[w->next].row;
		w->row[w->next].done = true;
		if (visit(s, row) < 0)
			return -1;
		if (find_next(s))
			prefetch_row(s->ix, w->row[w->next].row);
		if (++visited > s->ix->rows / 4 && s->best.n < s->q->k)
			return 0;
	}
	return s->best.n >= s->q->k;
}
