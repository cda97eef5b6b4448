/*
 * lh_lhv_walk.c - the searcher: a walk over the graph in the mapped file, and
 * the exact scan.
 *
 * Distances inside are what sorts alike and costs least: -dot, or l2 squared,
 * in f32, of the codes that the rows are kept as.  The few that are handed out
 * are taken again in double, of the best that is kept of a vector.
 */
#include "lh_lhv_int.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lh_mem.h"

#define SLACK 16	/* candidates beyond k, since f32 and double may differ in the last bits */
#define FRESH_MAX 256	/* links of a row: m is at most 128 */
#define WALK_ABOVE 32	/* rows per candidate kept: below, a scan in order is as fast as a walk, and exact */
#define SCAN_BELOW 5000	/* rows: with a filter, a scan costs less than the worst walk */

struct cand {
	float d;
	uint32_t row;
};

struct heap {
	struct cand *v;
	size_t n, cap;
};

struct lh_searcher {
	const struct lh_lhv *ix;
	struct lh_code_query code;	/* the query as rows are measured by it, ... */
	struct lh_code_query exact;	/* ... and as it is, for vectors */
	float *vector;		/* of a row, read from its code */
	uint16_t *seen, epoch;	/* of the walk that met a row last */
	bool scanned;
	bool exactly;		/* by vectors, not by codes */
	struct heap todo, best;
	size_t keep;		/* the most that best may hold */
	struct lh_query *q;	/* the one that is being answered */
	struct lh_err *err;
	uint64_t asked, accepted;	/* of q->allow */
};

static int searcher_room(struct lh_searcher *s, struct lh_err *err)
{
	const struct lh_lhv *ix = s->ix;
	const struct lh_lhv_params *p = &ix->params;

	if (lh_code_query_init(&s->code, p->precision, p->distance, p->dimension, err) < 0 ||
	    lh_code_query_init(&s->exact, LH_F32, p->distance, p->dimension, err) < 0)
		return -1;
	s->vector = lh_calloc(p->dimension, sizeof *s->vector, err);
	if (s->vector && ix->graph)
		s->seen = lh_calloc(ix->rows, sizeof *s->seen, err);
	return s->vector && (!ix->graph || s->seen) ? 0 : -1;
}

struct lh_searcher *lh_searcher_new(const struct lh_lhv *ix, struct lh_err *err)
{
	struct lh_searcher *s;

	if (ix->rows + ix->n_pending > UINT32_MAX) {
		lh_err_set(err, LH_EDATA, "more than %u rows", UINT32_MAX);
		return NULL;
	}
	s = lh_calloc(1, sizeof *s, err);
	if (!s)
		return NULL;
	s->ix = ix;
	if (searcher_room(s, err) < 0) {
		lh_searcher_free(s);
		return NULL;
	}
	return s;
}

void lh_searcher_free(struct lh_searcher *s)
{
	if (!s)
		return;
	free(s->todo.v);
	free(s->best.v);
	free(s->seen);
	free(s->vector);
	lh_code_query_free(&s->code);
	lh_code_query_free(&s->exact);
	free(s);
}

/* ---- two heaps: todo gives its nearest, best its farthest ---- */

static int heap_room(struct heap *h, size_t n, struct lh_err *err)
{
	return lh_grow(&h->v, &h->cap, n, sizeof *h->v, err);
}

static void todo_push(struct heap *h, struct cand c)
{
	size_t i = h->n++, up;

	for (; i && h->v[up = (i - 1) / 2].d > c.d; i = up)
		h->v[i] = h->v[up];
	h->v[i] = c;
}

static struct cand todo_pop(struct heap *h)
{
	struct cand top = h->v[0], last = h->v[--h->n];
	size_t i = 0, kid;

	while ((kid = 2 * i + 1) < h->n) {
		if (kid + 1 < h->n && h->v[kid + 1].d < h->v[kid].d)
			kid++;
		if (h->v[kid].d >= last.d)
			break;
		h->v[i] = h->v[kid];
		i = kid;
	}
	h->v[i] = last;
	return top;
}

static struct lh_str id_of(const struct lh_lhv *ix, uint32_t row)
{
	struct lh_str id = { "", 0 };

	if (row >= ix->rows)
		return ix->pending[row - ix->rows].id;
	if (ix->id_at[row] <= ix->id_at[row + 1] && ix->id_at[row + 1] <= ix->ids_n)
		id = (struct lh_str){ ix->ids + ix->id_at[row], ix->id_at[row + 1] - ix->id_at[row] };
	return id;
}

static int id_cmp(const struct lh_lhv *ix, uint32_t a, uint32_t b)
{
	struct lh_str x = id_of(ix, a), y = id_of(ix, b);
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c ? c : x.n < y.n ? -1 : x.n > y.n;
}

static inline bool farther(const struct lh_lhv *ix, struct cand a, struct cand b)
{
	return a.d > b.d || (__builtin_expect(a.d == b.d, 0) && id_cmp(ix, a.row, b.row) > 0);
}

static void best_sink(const struct lh_lhv *ix, struct heap *h, size_t i, struct cand c)
{
	size_t kid;

	while ((kid = 2 * i + 1) < h->n) {
		if (kid + 1 < h->n && farther(ix, h->v[kid + 1], h->v[kid]))
			kid++;
		if (!farther(ix, h->v[kid], c))
			break;
		h->v[i] = h->v[kid];
		i = kid;
	}
	h->v[i] = c;
}

static void best_add(struct lh_searcher *s, struct cand c)
{
	struct heap *h = &s->best;
	size_t i, up;

	if (h->n == s->keep) {
		best_sink(s->ix, h, 0, c);
		return;
	}
	for (i = h->n++; i && farther(s->ix, c, h->v[up = (i - 1) / 2]); i = up)
		h->v[i] = h->v[up];
	h->v[i] = c;
}

/* Would c be among the best? */
static inline bool wanted(const struct lh_searcher *s, struct cand c)
{
	return s->best.n < s->keep || farther(s->ix, s->best.v[0], c);
}

/* ---- rows ---- */

/* The best that is kept of a row's vector, good until the next call. */
static const float *vector_of(const struct lh_searcher *s, uint32_t row)
{
	const struct lh_lhv *ix = s->ix;

	if (row >= ix->rows)
		return ix->pending[row - ix->rows].vector;
	if (ix->exact)
		return lh_lhv_exact(ix, row);
	if (ix->params.precision == LH_F32)
		return lh_lhv_code(ix, row);
	lh_lhv_vector(ix, row, s->vector);
	return s->vector;
}

/* May this row be a result?  1 yes, 0 no, -1 damaged. */
static int admit(struct lh_searcher *s, uint32_t row)
{
	struct lh_row r;
	int rc = lh_lhv_row(s->ix, row, &r, s->err);

	if (rc <= 0)
		return rc;
	rc = s->q->allow(s->q->ctx, row, &r, s->err);
	s->asked += rc != 2;
	s->accepted += rc == 1;
	s->q->dropped += rc == 0;
	return rc == 2 ? 0 : rc;
}

static inline int consider(struct lh_searcher *s, struct cand c)
{
	int rc = 1;

	if (s->q->allow)
		rc = admit(s, c.row);
	else if (c.row < s->ix->rows && lh_lhv_hidden(s->ix, c.row))
		rc = 0;
	if (rc > 0)
		best_add(s, c);
	return rc;
}

static int scan_pending(struct lh_searcher *s)
{
	const struct lh_lhv *ix = s->ix;
	size_t i;

	for (i = 0; i < ix->n_pending; i++) {
		struct cand c = { 0, (uint32_t)(ix->rows + i) };

		if (ix->pending[i].dead)
			continue;
		c.d = lh_code_row(&s->exact, ix->pending[i].vector);
		if (wanted(s, c) && consider(s, c) < 0)
			return -1;
	}
	return 0;
}

static int scan_rows(struct lh_searcher *s)
{
	uint32_t row;

	/* Opening said that pages are met at random. */
	if (!s->scanned && s->ix->rows)
		madvise((void *)(uintptr_t)s->ix->block, s->ix->rows * s->ix->stride, MADV_WILLNEED);
	s->scanned = true;
	for (row = 0; row < s->ix->rows; row++) {
		struct cand c = { s->exactly ? lh_code_row(&s->exact, vector_of(s, row)) : lh_code_row(&s->code, lh_lhv_code(s->ix, row)), row };

		if (wanted(s, c) && consider(s, c) < 0)
			return -1;
	}
	return 0;
}

/* ---- the walk ---- */

/* The link list of a row above level 0, or NULL. */
static const uint32_t *upper_links(const struct lh_lhv *ix, uint32_t row, uint32_t level)
{
	uint64_t list = (uint64_t)ix->level[row] + level - 1;

	if (list >= ix->level[row + 1] || list >= ix->n_upper)
		return NULL;
	return ix->upper + list * (1 + ix->params.m);
}

/* The nearest of a list of links, if it is nearer than at. */
static bool step(const struct lh_searcher *s, const uint32_t *links, struct cand *at)
{
	const struct lh_lhv *ix = s->ix;
	uint32_t rows[FRESH_MAX], i, n = 0;
	const void *codes[FRESH_MAX];
	float d[FRESH_MAX];
	bool moved = false;

	if (!links || links[0] > ix->params.m)
		return false;
	for (i = 1; i <= links[0]; i++) {
		if (links[i] >= ix->rows)
			continue;
		rows[n] = links[i];
		codes[n++] = lh_lhv_code(ix, links[i]);
	}
	lh_code_rows(&s->code, codes, n, d);
	for (i = 0; i < n; i++) {
		if (d[i] < at->d) {
			*at = (struct cand){ d[i], rows[i] };
			moved = true;
		}
	}
	return moved;
}

/* Downhill on each level above 0 to where level 0 begins.  Every step gets
 * nearer, so that even a damaged graph ends. */
static struct cand descend(const struct lh_searcher *s)
{
	const struct lh_lhv *ix = s->ix;
	struct cand at = { lh_code_row(&s->code, lh_lhv_code(ix, ix->entry)), ix->entry };
	uint32_t level;

	for (level = ix->top; level; level--)
		while (step(s, upper_links(ix, at.row, level), &at))
			;
	return at;
}

static void begin_epoch(struct lh_searcher *s)
{
	if (++s->epoch == 0) {
		memset(s->seen, 0, s->ix->rows * sizeof *s->seen);
		s->epoch = 1;
	}
}

/* The links of a row that this walk has not met before. */
static size_t fresh_links(struct lh_searcher *s, uint32_t row, uint32_t *out)
{
	const struct lh_lhv *ix = s->ix;
	const uint32_t *links = (const void *)(ix->block + row * ix->stride);
	uint32_t i, n = links[0] <= 2 * ix->params.m ? links[0] : 0;
	size_t found = 0;

	for (i = 1; i <= n; i++)
		__builtin_prefetch(s->seen + (links[i] < ix->rows ? links[i] : 0), 1);
	for (i = 1; i <= n; i++) {
		uint32_t to = links[i];

		if (to >= ix->rows || s->seen[to] == s->epoch)
			continue;
		s->seen[to] = s->epoch;
		out[found++] = to;
	}
	return found;
}

/* A row's links will be wanted when its turn comes. */
static inline void expect(const struct lh_lhv *ix, uint32_t row)
{
	const unsigned char *p = ix->block + row * ix->stride;
	size_t i;

	for (i = 0; i < ix->vector_at; i += 64)
		__builtin_prefetch(p + i);
}

static int visit(struct lh_searcher *s, const uint32_t *rows, size_t n)
{
	const struct lh_lhv *ix = s->ix;
	const void *codes[FRESH_MAX];
	float d[FRESH_MAX];
	size_t i;

	if (heap_room(&s->todo, s->todo.n + n, s->err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		codes[i] = lh_lhv_code(ix, rows[i]);
	lh_code_rows(&s->code, codes, n, d);
	for (i = 0; i < n; i++) {
		struct cand c = { d[i], rows[i] };

		if (!wanted(s, c))
			continue;
		expect(ix, c.row);
		todo_push(&s->todo, c);
		if (consider(s, c) < 0)
			return -1;
	}
	return 0;
}

/* Too few matches for a walk: it would have to see most of the graph. */
static bool too_rare(const struct lh_searcher *s, uint64_t met)
{
	return s->q->allow && ((s->asked > 1000 && s->accepted < s->asked / 20) ||
			       (met > s->ix->rows / 4 && s->best.n < s->keep));
}

/* 1: done; 0: a scan is the better way; -1. */
static int walk(struct lh_searcher *s)
{
	uint32_t fresh[FRESH_MAX];
	struct cand at = descend(s);
	uint64_t met = 1;
	size_t n;

	begin_epoch(s);
	s->todo.n = 0;
	if (heap_room(&s->todo, 1, s->err) < 0)
		return -1;
	s->seen[at.row] = s->epoch;
	todo_push(&s->todo, at);
	if (consider(s, at) < 0)
		return -1;
	while (s->todo.n) {
		at = todo_pop(&s->todo);
		if (s->best.n == s->keep && at.d > s->best.v[0].d)
			break;
		n = fresh_links(s, at.row, fresh);
		met += n;
		if (n && visit(s, fresh, n) < 0)
			return -1;
		if (too_rare(s, met))
			return 0;
	}
	return s->best.n >= s->q->k;
}

/* Do more than a few in a hundred rows match?  Asked of rows picked at random,
 * as many as it takes to be sure; what is near 5 % counts as less, so that a
 * walk is only ever taken where it is good. */
static int matches_often(struct lh_searcher *s)
{
	uint64_t asked = s->asked, accepted = s->accepted, dropped = s->q->dropped;
	uint64_t i, live = 0, yes = 0;
	struct lh_row r;
	int rc = 1;

	for (i = 0; i < 512; i++) {
		uint64_t row = (i * 0x9e3779b97f4a7c15u >> 32) * s->ix->rows >> 32;

		rc = lh_lhv_row(s->ix, row, &r, s->err);
		if (rc > 0)
			rc = s->q->allow(s->q->ctx, row, &r, s->err);
		if (rc < 0)
			break;
		live += rc != 0 || !lh_lhv_hidden(s->ix, row);
		yes += rc > 0;
		if (i % 32 == 31 && (yes * 5 > live || yes * 50 < live))
			break;
	}
	s->asked = asked;
	s->accepted = accepted;
	s->q->dropped = dropped;
	return rc < 0 ? -1 : yes * 12 > live;
}

/* ---- answers ---- */

static int by_distance(const void *a, const void *b, void *ctx)
{
	const struct cand *x = a, *y = b;

	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return x->row == y->row ? 0 : id_cmp(ctx, x->row, y->row);
}

/* Not finite when the row's vector is not. */
static double final_distance(const struct lh_searcher *s, const float *v)
{
	const struct lh_lhv_params *p = &s->ix->params;
	double d;

	if (p->distance == LH_L2)
		return sqrt(lh_vec_l2sq_f64(s->exact.v, v, p->dimension));
	d = 1 - lh_vec_dot_f64(s->exact.v, v, p->dimension);
	return p->distance == LH_COSINE && d < 0 ? 0 : d;
}

static long answer(struct lh_searcher *s, struct lh_hit *out)
{
	struct heap *h = &s->best;
	const struct lh_lhv *ix = s->ix;
	size_t i, n;

	qsort_r(h->v, h->n, sizeof *h->v, by_distance, (void *)(uintptr_t)ix);
	n = h->n < s->q->k + SLACK ? h->n : s->q->k + SLACK;
	for (i = 0; i < n; i++) {
		uint32_t row = h->v[i].row;
		double d = final_distance(s, vector_of(s, row));

		if (!isfinite(d))
			return lh_err_set(s->err, LH_ECORRUPT, "rows: the vector of row %u is damaged", row);
		h->v[i].d = d > FLT_MAX ? FLT_MAX : d < -FLT_MAX ? -FLT_MAX : (float)d;
	}
	qsort_r(h->v, n, sizeof *h->v, by_distance, (void *)(uintptr_t)ix);
	if (n > s->q->k)
		n = s->q->k;
	for (i = 0; i < n; i++)
		out[i] = (struct lh_hit){ h->v[i].d, h->v[i].row };
	return (long)n;
}

static int begin(struct lh_searcher *s, size_t keep)
{
	s->keep = keep;
	s->best.n = 0;
	s->asked = s->accepted = 0;
	s->q->dropped = 0;
	return heap_room(&s->best, keep, s->err);
}

/* The walk if it is worth one, else 0. */
static int try_walk(struct lh_searcher *s, size_t ef)
{
	const struct lh_lhv *ix = s->ix;
	int rc;

	if (s->q->exact || !ix->graph || ef * WALK_ABOVE >= ix->rows)
		return 0;
	if (s->q->allow) {
		if (ix->rows < SCAN_BELOW)
			return 0;
		rc = matches_often(s);
		if (rc <= 0)
			return rc;
	}
	return begin(s, ef) < 0 ? -1 : walk(s);
}

long lh_lhv_search(struct lh_searcher *s, struct lh_query *q, struct lh_hit *out, struct lh_err *err)
{
	const struct lh_lhv *ix = s->ix;
	uint64_t all = ix->rows + ix->n_pending;
	size_t ef = q->ef ? q->ef : lh_lhv_ef(q->k);
	int rc;

	q->dropped = 0;
	if (!q->k || !all)
		return 0;
	if (!lh_vec_finite(q->vector, ix->params.dimension))
		return lh_err_set(err, LH_EDATA, "query vector holds NaN or infinity");
	lh_code_query_set(&s->code, q->vector);
	lh_code_query_set(&s->exact, q->vector);
	s->exactly = q->exact || !ix->graph;
	s->q = q;
	s->err = err;
	if (ef < q->k)
		ef = q->k;
	rc = try_walk(s, ef);
	if (rc == 0) {
		uint64_t keep = q->k < all ? q->k + SLACK : all;

		rc = begin(s, keep < all ? keep : all);
		if (rc == 0)
			rc = scan_rows(s);
	}
	if (rc < 0 || scan_pending(s) < 0)
		return -1;
	return answer(s, out);
}
