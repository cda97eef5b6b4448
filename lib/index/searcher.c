/* searcher.c - walk over the graph by measuring, and exact scan.  See searcher.h. */
#include "searcher.h"

#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/mem.h"

/*
 * A page of the map costs a fault, which maps those around it too: more than to read a row.  So
 * the first walks of a process read the rows that they visit; when so many were made that to map
 * all would not have cost more, rows are visited in the map.
 */
#define READ_PART (4 << 20)	/* bytes of rows for each such walk */

/* How many times the cost of a walk a scan, which is exact, may have in its place.  With codes, a
 * walk for a far query or for many results costs more than its candidates say. */
#define SCAN_TIMES(s) ((s)->ix->signs ? 3 : 0.8)
#define WIDER 4	/* times the ef of a walk that found too few */

static void searcher_room(struct lh_searcher *s)
{
	const struct lh_index *ix = s->ix;
	const struct lh_index_params *p = &ix->params;

	lh_quantized_query_init(&s->code, p->precision, p->distance, p->dimension);
	lh_quantized_query_init(&s->exact, LH_F32, p->distance, p->dimension);
	if (ix->signs)
		lh_qg_query_init(&s->qg.query, lh_index_lifted(p), ix->shape.values);
	if (ix->graph && p->distance == LH_IP)
		s->lifted = lh_calloc(lh_index_lifted(p), sizeof *s->lifted);
	s->vector = lh_calloc(p->dimension, sizeof *s->vector);
	if (ix->graph)
		s->seen = lh_calloc(ix->rows, sizeof *s->seen);
}

struct lh_searcher *lh_searcher_new(const struct lh_index *ix, struct lh_err *err)
{
	struct lh_searcher *s;

	if (ix->rows + ix->n_pending > UINT32_MAX) {
		lh_err_set(err, LH_EDATA, "more than %u rows", UINT32_MAX);
		return NULL;
	}
	s = lh_calloc(1, sizeof *s);
	s->fd = -1;
	s->ix = ix;
	searcher_room(s);
	return s;
}

static void stop_reading(struct lh_searcher *s)
{
	s->reads = false;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* Decide whether a walk reads rows.  Another file may be at the path by now. */
static void start_reading(struct lh_searcher *s)
{
	const struct lh_index *ix = s->ix;
	struct stat st;

	if (!ix->signs || !ix->common ||
	    atomic_fetch_add(&ix->common->walks, 1) >= ix->rows * ix->stride / READ_PART) {
		stop_reading(s);
		return;
	}
	if (s->fd < 0) {
		s->fd = open(ix->common->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		s->stored = s->stored ? s->stored : lh_calloc(1, ix->stride);
		if (s->fd >= 0)
			posix_fadvise(s->fd, 0, 0, POSIX_FADV_RANDOM);
	}
	s->reads = s->fd >= 0 && fstat(s->fd, &st) == 0 && st.st_dev == ix->dev &&
		   st.st_ino == ix->ino;
}

void lh_searcher_free(struct lh_searcher *s)
{
	if (!s)
		return;
	free(s->todo.v);
	free(s->copies.v);
	free(s->best.v);
	free(s->qg.row);
	free(s->seen);
	stop_reading(s);
	free(s->stored);
	free(s->vector);
	free(s->lifted);
	lh_quantized_query_free(&s->code);
	lh_quantized_query_free(&s->exact);
	lh_qg_query_free(&s->qg.query);
	free(s);
}

/* ---- heaps: todo yields its nearest, best its farthest ---- */

static void heap_room(struct heap *h, size_t n)
{
	lh_grow(&h->v, &h->cap, n, sizeof *h->v);
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
	size_t i = 0, child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->v[child + 1].d < h->v[child].d)
			child++;
		if (h->v[child].d >= last.d)
			break;
		h->v[i] = h->v[child];
		i = child;
	}
	h->v[i] = last;
	return top;
}

static inline bool farther(const struct lh_index *ix, struct cand a, struct cand b)
{
	return a.d > b.d ||
	       (__builtin_expect(a.d == b.d, 0) && lh_walk_id_cmp(ix, a.row, b.row) > 0);
}

static void best_add(struct lh_searcher *s, struct cand c)
{
	struct heap *h = &s->best;
	size_t i, up, child;

	if (h->n < s->best_max) {
		for (i = h->n++; i && farther(s->ix, c, h->v[up = (i - 1) / 2]); i = up)
			h->v[i] = h->v[up];
	} else {
		for (i = 0; (child = 2 * i + 1) < h->n; i = child) {
			if (child + 1 < h->n && farther(s->ix, h->v[child + 1], h->v[child]))
				child++;
			if (!farther(s->ix, h->v[child], c))
				break;
			h->v[i] = h->v[child];
		}
	}
	h->v[i] = c;
}

/* Return whether c would be among the best. */
static inline bool is_near_enough(const struct lh_searcher *s, struct cand c)
{
	return s->best.n < s->best_max || farther(s->ix, s->best.v[0], c);
}

/* ---- measure the best candidates again, and sort them ---- */

/* candidates beyond k: f32 and double differ in the last bits, codes in more */
#define SLACK 16
#define LEAST 4	/* and so many, of however few rows */
#define PREFETCH_AHEAD 3 /* candidates whose vectors are prefetched */
#define SAMPLE 8	/* candidates that show how inexact distances of codes are */

/* Return the most exact vector that is stored of a row, valid until the next call. */
static const float *lh_walk_vector(const struct lh_searcher *s, uint32_t row)
{
	const struct lh_index *ix = s->ix;

	if (row >= ix->rows)
		return ix->pending[row - ix->rows].vector;
	if (ix->exact)
		return lh_index_exact(ix, row);
	if (ix->params.precision == LH_F32)
		return (const void *)lh_walk_row(s, row, lh_index_code_bytes(&ix->params));
	lh_index_vector(ix, row, s->vector);
	return s->vector;
}

static struct lh_str id_of(const struct lh_index *ix, uint32_t row)
{
	struct lh_err unused;
	struct lh_str id;

	if (row >= ix->rows)
		return ix->pending[row - ix->rows].id;
	if (lh_index_row_text(ix, LH_INDEX_IDS, row, &id, &unused) < 0)
		return (struct lh_str){ "", 0 };
	return id;
}

int lh_walk_id_cmp(const struct lh_index *ix, uint32_t a, uint32_t b)
{
	return lh_str_cmp(id_of(ix, a), id_of(ix, b));
}

static int by_distance(const void *a, const void *b, void *ctx)
{
	const struct cand *x = a, *y = b;

	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return x->row == y->row ? 0 : lh_walk_id_cmp(ctx, x->row, y->row);
}

static int farthest_first(const void *a, const void *b, void *ctx)
{
	return by_distance(b, a, ctx);
}

float lh_walk_kth(struct lh_searcher *s)
{
	struct heap *h = &s->best;

	qsort_r(h->v, h->n, sizeof *h->v, farthest_first, (void *)(uintptr_t)s->ix);
	return h->v[h->n - s->q->k].d;
}

/* Compute the distance that is returned; not finite if the row's vector is not. */
static double final_distance(const struct lh_searcher *s, const float *v)
{
	const struct lh_index_params *p = &s->ix->params;
	double d;

	if (p->distance == LH_L2)
		return sqrt(lh_vec_l2sq_f64(s->exact.v, v, p->dimension));
	d = 1 - lh_vec_dot_f64(s->exact.v, v, p->dimension);
	return p->distance == LH_COSINE && d < 0 ? 0 : d;
}

/* Measure a row in double, as the result that it would be. */
static int lh_rerank_row(const struct lh_searcher *s, uint32_t row, float *out, struct lh_err *err)
{
	const struct lh_index *ix = s->ix;
	double d = final_distance(s, lh_walk_vector(s, row));

	if (!isfinite(d))
		return lh_err_set(err, LH_ECORRUPT, "%s: the vector of row %u is damaged",
				  lh_index_kind_name(ix->exact ? LH_INDEX_EXACT : LH_INDEX_ROWS),
				  row);
	*out = d > FLT_MAX ? FLT_MAX : d < -FLT_MAX ? -FLT_MAX : (float)d;
	return 0;
}

/*
 * n products or squares that are summed up in f32, in any order, are off by less than
 * (n + 8) / 2^23 of the sum of their absolute values, which of products is at most the product
 * of the lengths.  Vectors under cosine have about length 1, decoded ones too.  The last term is
 * for values under the least f32, and for the rounding of the result.  A sum may overflow.
 */
static bool lh_rerank_beyond(const struct lh_searcher *s, float d, uint32_t row)
{
	const struct lh_index_params *p = &s->ix->params;
	double worst = s->best.v[0].d, error = (p->dimension + 8.0) * FLT_EPSILON;
	double least = p->dimension * (double)FLT_MIN + fabs(worst) * FLT_EPSILON;
	const float *v;

	d = fminf(d, FLT_MAX);
	if (p->distance == LH_L2)
		return d > worst * worst * (1 + error) + least * (1 + worst);
	if (p->distance == LH_IP) {
		v = lh_walk_vector(s, row);
		error *= s->length * sqrt((double)lh_vec_dot()(v, v, p->dimension));
	}
	return d > worst - 1 + error + least;
}

/* Return how many candidates are measured again: more than k, because f32 and codes
 * sort near neighbours differently from double. */
static size_t lh_rerank_candidates(const struct lh_searcher *s)
{
	bool exact = s->ix->params.precision == LH_F32;
	size_t k = s->q->k, n = k + SLACK + (exact ? 0 : k / 8), part;

	/* with a filter all of the nearest may be about as far as each other */
	if (s->share == 0)
		return exact ? n : 2 * (k + SLACK);
	/* of the n nearest rows, so many match */
	part = (size_t)(s->share * (double)n);
	return part > k + LEAST ? part : k + LEAST;
}

/* Return the distance that a candidate's stands for. */
static float estimated_distance(const struct lh_searcher *s, float d)
{
	return s->ix->params.distance == LH_L2 ? sqrtf(d) : 1 + d;
}

/*
 * Measure up to n candidates again, nearest first.  The rest is left out when the next is
 * farther than all k nearest by more than twice the greatest error so far.  Returns how many
 * were measured, or -1.
 */
static long rerank(const struct lh_searcher *s, struct cand *v, size_t n)
{
	size_t least = s->q->k > SAMPLE ? s->q->k : SAMPLE, i;
	float worst = -FLT_MAX, error = 0, estimate;
	uint32_t ahead;

	for (i = 0; i < n; i++) {
		estimate = estimated_distance(s, v[i].d);
		if (i >= least && estimate - 2 * error > worst)
			break;
		ahead = i + PREFETCH_AHEAD < n ? v[i + PREFETCH_AHEAD].row : UINT32_MAX;
		if (s->ix->exact && ahead < s->ix->rows)
			lh_prefetch(lh_index_exact(s->ix, ahead),
				    s->ix->params.dimension * sizeof(float));
		if (lh_rerank_row(s, v[i].row, &v[i].d, s->err) < 0)
			return -1;
		error = fmaxf(error, fabsf(estimate - v[i].d));
		if (i < s->q->k)
			worst = fmaxf(worst, v[i].d);
	}
	s->q->work.bytes_read += i * lh_index_exact_bytes(&s->ix->params);
	return (long)i;
}

/* Write the results in best to out, as lh_index_search does. */
static long lh_rerank_results(struct lh_searcher *s, struct lh_hit *out)
{
	struct heap *h = &s->best;
	const struct lh_index *ix = s->ix;
	size_t i, n;
	long measured;

	qsort_r(h->v, h->n, sizeof *h->v, by_distance, (void *)(uintptr_t)ix);
	n = h->n;
	if (!s->by_vector) {
		n = n < lh_rerank_candidates(s) ? n : lh_rerank_candidates(s);
		measured = rerank(s, h->v, n);
		if (measured < 0)
			return -1;
		n = (size_t)measured;
		qsort_r(h->v, n, sizeof *h->v, by_distance, (void *)(uintptr_t)ix);
	}
	if (n > s->q->k)
		n = s->q->k;
	for (i = 0; i < n; i++)
		out[i] = (struct lh_hit){ h->v[i].d, h->v[i].row };
	return (long)n;
}

/* ---- rows ---- */

static int by_row(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool lh_walk_excluded(const struct lh_query *q, uint64_t row)
{
	return q->n_exclude && bsearch(&row, q->exclude, q->n_exclude, sizeof row, by_row);
}

/* Return whether a row may be a result: neither hidden nor excluded. */
static inline bool is_wanted(const struct lh_searcher *s, uint32_t row)
{
	return !(row < s->ix->rows && lh_index_hidden(s->ix, row)) &&
	       !(__builtin_expect(s->q->n_exclude > 0, 0) && lh_walk_excluded(s->q, row));
}

/* Add a candidate, unless it is hidden or excluded.  It is near enough, and allowed by
 * the filter if there is one. */
static inline void add_candidate(struct lh_searcher *s, struct cand c)
{
	if (is_wanted(s, c.row))
		best_add(s, c);
}

bool lh_walk_offer(struct lh_searcher *s, struct cand c)
{
	if (!is_wanted(s, c.row))
		return false;
	if (is_near_enough(s, c))
		best_add(s, c);
	return true;
}

/* Measure a row for its result, given its distance in f32. */
static void offer_vector(struct lh_searcher *s, float d, uint32_t row)
{
	struct cand c = { 0, row };

	if ((s->best.n == s->best_max && lh_rerank_beyond(s, d, row)) || !is_wanted(s, row))
		return;
	if (lh_rerank_row(s, row, &c.d, s->err) < 0)
		s->damaged = true;
	else if (is_near_enough(s, c))
		best_add(s, c);
}

/* ---- limits ---- */

bool lh_walk_late(const struct lh_query *q)
{
	struct timespec t;

	if (!q->deadline_ns)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec >= q->deadline_ns;
}

size_t lh_walk_spend(struct lh_searcher *s, size_t n, size_t bytes)
{
	struct lh_query *q = s->q;

	/* read the clock at every eighth call */
	if (q->deadline_ns && s->calls++ % 8 == 0 && lh_walk_late(q))
		q->truncated = true;
	if (q->truncated)
		return 0;
	if (q->budget && n > q->budget - q->work.measured) {
		n = (size_t)(q->budget - q->work.measured);
		q->truncated = true;
	}
	q->work.measured += n;
	q->work.bytes_read += n * bytes;
	return n;
}

static int scan_pending(struct lh_searcher *s)
{
	const struct lh_index *ix = s->ix;
	size_t i;

	for (i = 0; i < ix->n_pending; i++) {
		uint32_t row = (uint32_t)(ix->rows + i);
		struct cand c;

		if (ix->pending[i].dead)
			continue;
		if (s->q->allow) {
			int rc = lh_filtered_search_row(s, row);

			if (rc < 0)
				return -1;
			if (!rc)
				continue;
		}
		if (!lh_walk_spend(s, 1, ix->params.dimension * sizeof(float)))
			break;
		c = (struct cand){ lh_quantize_row(&s->exact, ix->pending[i].vector), row };
		if (s->by_vector)
			offer_vector(s, c.d, row);
		else if (is_near_enough(s, c))
			add_candidate(s, c);
	}
	return 0;
}

/* The map was opened for random access. */
void lh_walk_readahead(struct lh_searcher *s)
{
	const struct lh_index *ix = s->ix;

	if (!s->scanned && ix->rows && s->by_vector && ix->exact)
		madvise((void *)(uintptr_t)ix->exact, ix->rows * lh_index_exact_bytes(&ix->params),
			MADV_WILLNEED);
	else if (!s->scanned && ix->rows)
		madvise((void *)(uintptr_t)ix->block, ix->rows * ix->stride, MADV_WILLNEED);
	s->scanned = true;
}

/* ---- the walk ---- */

struct cand lh_walk_entry(struct lh_searcher *s)
{
	const struct lh_index *ix = s->ix;
	struct cand at = { 0, ix->entry };

	if (lh_walk_spend(s, 1, lh_index_code_bytes(&ix->params)))
		at.d = lh_quantize_row(&s->code, lh_index_code(ix, ix->entry));
	return at;
}

void lh_walk_epoch(struct lh_searcher *s)
{
	s->todo.n = s->copies.n = s->copies.offered = 0;
	s->copies.of.d = NAN;
	if (++s->epoch == 0) {
		memset(s->seen, 0, s->ix->rows * sizeof *s->seen);
		s->epoch = 1;
	}
}

/* Collect the links of a row that this walk has not met before. */
static size_t fresh_links(struct lh_searcher *s, uint32_t row, uint32_t *out)
{
	const struct lh_index *ix = s->ix;
	const uint32_t *links = lh_walk_links(ix, row);
	uint32_t i, n = 2 * ix->params.m;
	size_t found = 0;

	for (i = 0; i < n; i++)
		__builtin_prefetch(s->seen + (links[i] < ix->rows ? links[i] : 0), 1);
	for (i = 0; i < n; i++) {
		uint32_t to = lh_once32(&links[i]);

		if (to >= ix->rows || s->seen[to] == s->epoch)
			continue;
		s->seen[to] = s->epoch;
		out[found++] = to;
	}
	return found;
}

/* Measure by vectors if asked to, unless the codes are the vectors (f32).  Returns how many of
 * n rows were measured. */
static size_t measure_rows(struct lh_searcher *s, const uint32_t *rows, size_t n, float *d)
{
	const struct lh_index *ix = s->ix;
	const void *codes[FRESH_MAX];
	bool exactly = s->by_vector && ix->params.precision != LH_F32;
	size_t i;

	n = lh_walk_spend(s, n, exactly && ix->exact ? lh_index_exact_bytes(&ix->params) :
						       lh_index_code_bytes(&ix->params));
	if (exactly && !ix->exact) {
		for (i = 0; i < n; i++)
			d[i] = lh_quantize_row(&s->exact, lh_walk_vector(s, rows[i]));
		return n;
	}
	for (i = 0; i < n && s->reads && !exactly; i++)
		d[i] = lh_quantize_row(&s->code,
				       lh_walk_row(s, rows[i], lh_index_code_bytes(&ix->params)));
	if (i)
		return n;
	for (i = 0; i < n; i++)
		codes[i] = exactly ? lh_index_exact(ix, rows[i]) : lh_index_code(ix, rows[i]);
	lh_quantize_rows(exactly ? &s->exact : &s->code, codes, n, d);
	return n;
}

void lh_walk_measure(struct lh_searcher *s, const uint32_t *rows, size_t n, bool todo)
{
	struct lh_walk_copies *w = &s->copies;
	float d[FRESH_MAX];
	size_t i;

	if (todo) {
		heap_room(&s->todo, s->todo.n + n);
		lh_grow(&w->v, &w->cap, w->n + n, sizeof *w->v);
	}
	n = measure_rows(s, rows, n, d);
	for (i = 0; i < n && s->by_vector; i++)
		offer_vector(s, d[i], rows[i]);
	for (; i < n; i++) {
		struct cand c = { d[i], rows[i] };

		if (!is_near_enough(s, c))
			continue;
		if (todo && lh_walk_is_copy(s, c.d, c.row)) {
			w->v[w->n++] = c;
			continue;
		}
		if (todo) {
			lh_walk_prefetch(s->ix, c.row);
			todo_push(&s->todo, c);
		}
		add_candidate(s, c);
	}
}

bool lh_walk_next_copy(struct lh_searcher *s, struct cand *out)
{
	struct lh_walk_copies *w = &s->copies;

	if (w->n && w->offered >= lh_scan_candidates(s) && !s->ix->exact)
		w->n = 0;
	if (!w->n) {
		w->offered = 0;
		return false;
	}
	*out = w->of = w->v[--w->n];
	return true;
}

/* Add a copy to the results, with a place of its own. */
static void offer_copy(struct lh_searcher *s, struct cand c)
{
	if (!is_wanted(s, c.row) || !is_near_enough(s, c))
		return;
	heap_room(&s->best, s->best_max + 1);
	s->best_max++;
	s->copies.offered++;
	best_add(s, c);
}

/* Take the next row from todo, or a copy; false when the walk is complete. */
static bool take_next(struct lh_searcher *s, uint32_t *row)
{
	struct cand at;

	if (lh_walk_next_copy(s, &at)) {
		*row = at.row;
		offer_copy(s, at);
		return true;
	}
	if (!s->todo.n)
		return false;
	at = s->copies.of = todo_pop(&s->todo);
	*row = at.row;
	return s->best.n < s->best_max || at.d <= s->best.v[0].d;
}

int lh_walk_on(struct lh_searcher *s)
{
	uint32_t fresh[FRESH_MAX], row;
	uint64_t met = 1;
	size_t n;

	while (!s->q->truncated && take_next(s, &row)) {
		lh_walk_count(s, s->ix->params.m * 2 * sizeof(uint32_t));
		n = fresh_links(s, row, fresh);
		met += n;
		if (n)
			lh_walk_measure(s, fresh, n, true);
		if (met > s->ix->rows / 4 && s->best.n < s->best_max)
			return 0;
	}
	return s->q->truncated || s->best.n >= s->q->k;
}

/* ---- walk or scan ---- */

void lh_walk_keep(struct lh_searcher *s, size_t keep)
{
	struct heap *h = &s->best;
	size_t i, n = h->n;

	heap_room(h, keep);
	h->n = 0;
	s->best_max = keep;
	for (i = 0; i < n; i++)
		if (is_near_enough(s, h->v[i]))
			best_add(s, h->v[i]);
}

size_t lh_scan_candidates(const struct lh_searcher *s)
{
	uint64_t all = s->ix->rows + s->ix->n_pending;
	size_t n = s->by_vector ? s->q->k : lh_rerank_candidates(s);

	return s->q->k < all && n < all ? n : all;
}

double lh_scan_cost(const struct lh_searcher *s, double rows)
{
	return rows * (400 + (double)lh_index_code_bytes(&s->ix->params));
}

double lh_walk_cost(const struct lh_searcher *s, size_t visits)
{
	return (double)visits * (s->ix->signs ? 12e3 : 20e3);
}

bool lh_walk_pays(const struct lh_searcher *s, size_t ef)
{
	return s->ix->graph && !s->q->exact && isfinite(s->slope) &&
	       SCAN_TIMES(s) * lh_walk_cost(s, ef) < lh_scan_cost(s, (double)s->ix->rows);
}

int lh_walk_outside(struct lh_searcher *s)
{
	uint32_t row = (uint32_t)s->ix->rows - s->ix->params.outside;
	int rc;

	for (; row < s->ix->rows; row++) {
		if (s->seen[row] == s->epoch)
			continue;
		rc = s->q->allow ? lh_filtered_search_row(s, row) : 1;
		if (rc < 0)
			return -1;
		if (rc)
			lh_walk_measure(s, &row, 1, false);
	}
	return 0;
}

/* Measure all rows of the file that a walk did not. */
static void scan(struct lh_searcher *s)
{
	uint32_t rows[FRESH_MAX], row;
	size_t n = 0;

	lh_walk_keep(s, lh_scan_candidates(s));
	s->reads = false;
	lh_walk_readahead(s);
	for (row = 0; row < s->ix->rows && !s->q->truncated; row++) {
		if (!lh_walk_measured(s, row))
			rows[n++] = row;
		if (n == FRESH_MAX || row + 1 == s->ix->rows) {
			lh_walk_measure(s, rows, n, false);
			n = 0;
		}
	}
}

/* Search all rows of the file. */
static int search_rows(struct lh_searcher *s)
{
	bool adapt = !s->q->ef && !s->ix->params.ef_search;
	size_t ef = s->q->ef ? s->q->ef : lh_index_ef(&s->ix->params, s->q->k);
	int rc = 0;

	for (; rc == 0 && lh_walk_pays(s, ef); adapt = false) {
		s->best.n = 0;
		start_reading(s);
		s->q->work.ef = (uint32_t)ef;
		rc = lh_walk_qg(s, ef, adapt);
		s->q->work.restarts += rc == 0;
		ef = s->lifted ? s->ix->rows : WIDER * ef;
	}
	if (rc == 0)
		scan(s);
	return rc > 0 ? lh_walk_outside(s) : rc;
}

/* Relate the distances of a walk to those in the graph. */
static void relate_distances(struct lh_searcher *s)
{
	const struct lh_index_params *p = &s->ix->params;
	uint32_t i;

	s->base = p->distance == LH_L2 ? 0 : 2;
	s->slope = p->distance == LH_L2 ? 1 : 2;
	if (!s->lifted)
		return;
	/* A query without a direction, or too short for one in f32, is answered by a scan. */
	s->slope = (float)(2 / (p->longest * s->length));
	for (i = 0; i < p->dimension; i++)
		s->lifted[i] = (float)((double)s->q->vector[i] / s->length);
}

long lh_index_search(struct lh_searcher *s, struct lh_query *q, struct lh_hit *out,
		     struct lh_err *err)
{
	const struct lh_index *ix = s->ix;

	q->dropped = 0;
	q->truncated = false;
	q->work = (struct lh_search_work){ 0 };
	if (!q->k || !(ix->rows + ix->n_pending))
		return 0;
	if (!lh_vec_finite(q->vector, ix->params.dimension))
		return lh_err_set(err, LH_EDATA, "query vector holds NaN or infinity");
	lh_quantized_query_set(&s->code, q->vector);
	lh_quantized_query_set(&s->exact, q->vector);
	s->by_vector = q->exact || !ix->graph;
	s->damaged = s->reads = false;
	s->share = !q->allow;
	if (s->by_vector || s->lifted)
		s->length = sqrt(lh_vec_dot_f64(q->vector, q->vector, ix->params.dimension));
	s->q = q;
	relate_distances(s);
	s->calls = 0;
	s->best.n = 0;
	s->err = err;
	if ((q->allow ? lh_filtered_search(s) : search_rows(s)) < 0 || scan_pending(s) < 0 ||
	    s->damaged)
		return -1;
	return lh_rerank_results(s, out);
}

int lh_index_distance(struct lh_searcher *s, const float *vector, uint64_t row, float *out,
		      struct lh_err *err)
{
	lh_quantized_query_set(&s->exact, vector);
	return lh_rerank_row(s, (uint32_t)row, out, err);
}
