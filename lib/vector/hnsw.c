/* hnsw.c - build an HNSW graph.  See graph.h. */
#include "graph.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "copies.h"
#include "quantize.h"
#include "base/mem.h"
#include "base/bits.h"

#define LINKS_MAX 256	/* links of a row on level 0, with m 128 */
#define LEVELS_MAX 54	/* levels of a row, with m 2: see lh_hnsw_level */
#define JOBS_MAX 256
#define PROGRESS_EVERY 64	/* rows inserted by one thread */

struct near {
	float d;
	uint32_t row;
	bool done;	/* its links have been followed */
};

/* Shared by all threads. */
struct build {
	struct lh_hnsw *g;
	const unsigned char *codes;
	size_t stride;		/* bytes between the codes of two rows */
	struct lh_growable own;	/* codes made for the build only */
	struct lh_copies copies;
	unsigned char *locks;	/* one byte per row, for its links; NULL with one thread */
	pthread_mutex_t entry_lock;	/* of entry and top */
	bool empty;
	uint64_t next;		/* next row to insert */
	bool failed;
	pthread_mutex_t err_lock;	/* of err */
	struct lh_err err;
};

/* The state of one thread. */
struct worker {
	struct build *b;
	struct lh_quantized_query query, other;
	struct lh_quantized_query stored_query;	/* the row as stored, where that is finer than i8 */
	uint16_t *seen, epoch;	/* per row, the number of the search that last met it */
	struct near *best;	/* found by a search, nearest first */
	size_t n, ef;
	uint32_t *chosen;	/* the neighbours of a row, m for each level */
	float *v;		/* scratch for one vector */
};

static const void *row_code(const struct build *b, uint32_t row)
{
	return b->codes + row * b->stride;
}

static uint32_t *links_of(const struct build *b, uint32_t row, uint32_t level)
{
	const struct lh_hnsw *g = b->g;

	if (!level)
		return (uint32_t *)((char *)g->block + row * g->stride);
	return g->upper + (g->level[row] + (size_t)level - 1) * (1 + g->m);
}

static inline void lock(struct build *b, uint32_t row)
{
	if (b->locks)
		while (__atomic_exchange_n(b->locks + row, 1, __ATOMIC_ACQUIRE))
			sched_yield();
}

static inline void unlock(struct build *b, uint32_t row)
{
	if (b->locks)
		__atomic_store_n(b->locks + row, 0, __ATOMIC_RELEASE);
}

static int set_failed(struct build *b, const struct lh_err *err)
{
	pthread_mutex_lock(&b->err_lock);
	if (!b->failed)
		b->err = *err;
	__atomic_store_n(&b->failed, true, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&b->err_lock);
	return -1;
}

/* ---- searching ---- */

/* Compute the distances from the query to n rows. */
static void measure_rows(const struct lh_quantized_query *q, const struct build *b,
			 const uint32_t *rows, size_t n, float *d)
{
	const void *codes[LINKS_MAX];
	size_t i;

	for (i = 0; i < n; i++)
		codes[i] = row_code(b, rows[i]);
	lh_quantize_rows(q, codes, n, d);
}

/* Collect the links of a row that this search has not met. */
static size_t fresh_links(struct worker *w, uint32_t row, uint32_t level, uint32_t *out)
{
	const uint32_t *links = links_of(w->b, row, level);
	size_t i, n, found = 0;

	lock(w->b, row);
	n = links[0];
	for (i = 1; i <= n; i++)
		__builtin_prefetch(w->seen + links[i], 1);
	for (i = 1; i <= n; i++) {
		if (w->seen[links[i]] == w->epoch || lh_is_copy(w->b->copies.of, links[i]))
			continue;
		w->seen[links[i]] = w->epoch;
		out[found++] = links[i];
	}
	unlock(w->b, row);
	return found;
}

/* Insert a row among the nearest; returns its place there, or n when it is too far. */
static size_t insert_nearest(struct worker *w, float d, uint32_t row)
{
	size_t low = 0, high = w->n, middle;

	if (w->n == w->ef && d >= w->best[w->n - 1].d)
		return w->n;
	while (low < high) {
		middle = (low + high) / 2;
		if (w->best[middle].d <= d)
			low = middle + 1;
		else
			high = middle;
	}
	if (w->n < w->ef)
		w->n++;
	memmove(w->best + low + 1, w->best + low, (w->n - 1 - low) * sizeof *w->best);
	w->best[low] = (struct near){ d, row, false };
	return low;
}

/* Find the ef rows of a level nearest to row, starting at another. */
static void search_level(struct worker *w, uint32_t row, uint32_t from, uint32_t level)
{
	uint32_t rows[LINKS_MAX];
	float d[LINKS_MAX];
	size_t at = 0, i, n, place, links_bytes = 4 * (1 + 2 * (size_t)w->b->g->m);

	if (++w->epoch == 0) {
		memset(w->seen, 0, w->b->g->rows * sizeof *w->seen);
		w->epoch = 1;
	}
	w->n = 0;
	w->seen[row] = w->epoch;	/* other rows may link to it already */
	w->seen[from] = w->epoch;
	insert_nearest(w, lh_quantize_row(&w->query, row_code(w->b, from)), from);
	while (at < w->n) {
		if (w->best[at].done) {
			at++;
			continue;
		}
		w->best[at].done = true;
		n = fresh_links(w, w->best[at].row, level, rows);
		measure_rows(&w->query, w->b, rows, n, d);
		for (i = 0; i < n; i++) {
			place = insert_nearest(w, d[i], rows[i]);
			if (place < w->n)
				lh_prefetch(links_of(w->b, rows[i], level), links_bytes);
			if (place < at)
				at = place;
		}
	}
}

/* Descend greedily from level from to the one above to. */
static uint32_t descend(struct worker *w, uint32_t at, uint32_t from, uint32_t to)
{
	float best = lh_quantize_row(&w->query, row_code(w->b, at)), d[LINKS_MAX];
	uint32_t rows[LINKS_MAX], level, row;
	const uint32_t *links;
	size_t i, n;
	bool moved;

	for (level = from; level > to; level--)
		do {
			links = links_of(w->b, at, level);
			row = at;
			moved = false;
			lock(w->b, row);
			n = links[0];
			memcpy(rows, links + 1, n * sizeof *rows);
			unlock(w->b, row);
			measure_rows(&w->query, w->b, rows, n, d);
			for (i = 0; i < n; i++)
				if (d[i] < best) {
					best = d[i];
					at = rows[i];
					moved = true;
				}
		} while (moved);
	return at;
}

/* ---- linking ---- */

static int by_distance(const void *a, const void *b)
{
	const struct near *x = a, *y = b;

	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static const void *stored_code(const struct build *b, uint32_t row)
{
	return (const char *)b->g->block + row * b->g->stride + b->g->vector_at;
}

/*
 * Sort the rows found by i8 codes by their stored vectors.  Neighbours chosen by
 * i8 distances alone lose clusters of nearly identical rows: 15 of 10,000 results
 * at ef 200, instead of 2.
 */
static void measure_stored(struct worker *w, uint32_t row)
{
	const void *codes[LINKS_MAX];
	float d[LINKS_MAX];
	size_t i, j, n;

	lh_quantized_query_code(&w->stored_query, stored_code(w->b, row));
	for (i = 0; i < w->n; i += n) {
		n = w->n - i < LINKS_MAX ? w->n - i : LINKS_MAX;
		for (j = 0; j < n; j++)
			codes[j] = stored_code(w->b, w->best[i + j].row);
		lh_quantize_rows(&w->stored_query, codes, n, d);
		for (j = 0; j < n; j++)
			w->best[i + j].d = d[j];
	}
	qsort(w->best, w->n, sizeof *w->best, by_distance);
}

/* Return whether a candidate is nearer to a chosen row than to the row that they are
 * chosen for. */
static bool is_covered(struct worker *w, const struct near *c, const uint32_t *chosen, size_t n)
{
	lh_quantized_query_code(&w->other, row_code(w->b, c->row));
	return lh_quantize_any_nearer(&w->other, w->b->codes, w->b->stride, chosen, n, c->d);
}

/* Choose at most max neighbours in different directions from n candidates, nearest
 * first: the heuristic of the HNSW paper, as in hnswlib. */
static size_t choose_neighbours(struct worker *w, const struct near *c, size_t n, size_t max,
				uint32_t *chosen)
{
	size_t i, k = 0;

	for (i = 0; i < n && k < max; i++)
		if (n < max || !is_covered(w, c + i, chosen, k))
			chosen[k++] = c[i].row;
	return k;
}

/* Choose the links of a row again, from a full list and one more. */
static void shrink_links(struct worker *w, uint32_t row, uint32_t *links, uint32_t max,
			 uint32_t more)
{
	uint32_t rows[LINKS_MAX + 1], i;
	float d[LINKS_MAX + 1];
	struct near c[LINKS_MAX + 1];

	memcpy(rows, links + 1, max * sizeof *rows);
	rows[max] = more;
	lh_quantized_query_code(&w->other, row_code(w->b, row));
	measure_rows(&w->other, w->b, rows, max, d);
	d[max] = lh_quantize_row(&w->other, row_code(w->b, more));
	for (i = 0; i <= max; i++)
		c[i] = (struct near){ d[i], rows[i], false };
	qsort(c, max + 1, sizeof *c, by_distance);
	links[0] = (uint32_t)choose_neighbours(w, c, max + 1, max, links + 1);
	memset(links + 1 + links[0], 0, (max - links[0]) * sizeof *links);
}

/* Add a link from row to another; another thread may have added it already. */
static void add_link(struct worker *w, uint32_t row, uint32_t to, uint32_t level)
{
	uint32_t *links = links_of(w->b, row, level), max = level ? w->b->g->m : 2 * w->b->g->m, i;

	lock(w->b, row);
	for (i = 1; i <= links[0] && links[i] != to; i++)
		;
	if (i > links[0] && i <= max)
		links[links[0] = i] = to;
	else if (i > links[0])
		shrink_links(w, row, links, max, to);
	unlock(w->b, row);
}

/* Find the neighbours of a row on its levels from `from` down to 0, by searches that begin at the
 * row `at`, and link it.  The links are made when all neighbours are known, from level 0 up, so
 * that another thread that meets the row on a level has its links on the level below. */
static void link_levels(struct worker *w, uint32_t row, uint32_t at, uint32_t from)
{
	uint32_t m = w->b->g->m, l;
	size_t n[LEVELS_MAX], i;

	for (l = from + 1; l-- > 0; at = w->chosen[l * m]) {
		search_level(w, row, at, l);
		if (w->b->own.p)
			measure_stored(w, row);
		n[l] = choose_neighbours(w, w->best, w->n, m, w->chosen + l * m);
	}
	for (l = 0; l <= from; l++) {
		for (i = 0; i < n[l]; i++)
			add_link(w, row, w->chosen[l * m + i], l);
		for (i = 0; i < n[l]; i++)
			add_link(w, w->chosen[l * m + i], row, l);
	}
}

/* Make the i8 code of a row if the block holds wider ones; v is scratch. */
static void make_code(struct build *b, uint32_t row, float *v)
{
	const struct lh_hnsw *g = b->g;
	const char *from = (const char *)g->block + row * g->stride + g->vector_at;

	if (!b->own.p)
		return;
	if (g->precision == LH_F16) {
		lh_quantize_decode(LH_F16, from, g->dimension, v);
		from = (const char *)v;
	}
	lh_quantize_encode(LH_I8, g->distance, (const float *)from, g->dimension,
			   b->own.p + row * b->stride);
}

/* Insert a row, from its top level down.  A row that becomes the entry holds the lock
 * until it can be found, and others wait. */
static void insert_row(struct worker *w, uint32_t row)
{
	struct build *b = w->b;
	struct lh_hnsw *g = b->g;
	uint32_t level = g->level[row + 1] - g->level[row], at, top;
	bool rises;

	make_code(b, row, w->v);
	if (lh_is_copy(b->copies.of, row))
		return;
	pthread_mutex_lock(&b->entry_lock);
	at = g->entry;
	top = g->top;
	rises = b->empty || level > top;
	if (!rises)
		pthread_mutex_unlock(&b->entry_lock);
	if (!b->empty) {
		lh_quantized_query_code(&w->query, row_code(b, row));
		at = descend(w, at, top, level < top ? level : top);
		link_levels(w, row, at, level < top ? level : top);
	}
	if (rises) {
		g->entry = row;
		g->top = level;
		b->empty = false;
		pthread_mutex_unlock(&b->entry_lock);
	}
}

/* ---- threads ---- */

static void worker_init(struct worker *w, struct build *b)
{
	const struct lh_hnsw *g = b->g;

	*w = (struct worker){ .b = b, .ef = g->ef_construction > g->m ? g->ef_construction : g->m };
	lh_quantized_query_init(&w->query, LH_I8, g->distance, g->dimension);
	lh_quantized_query_init(&w->other, LH_I8, g->distance, g->dimension);
	lh_quantized_query_init(&w->stored_query, g->precision, g->distance, g->dimension);
	w->seen = lh_calloc(g->rows, sizeof *w->seen);
	w->best = lh_calloc(w->ef, sizeof *w->best);
	w->chosen = lh_calloc(LEVELS_MAX * g->m, sizeof *w->chosen);
	w->v = lh_calloc(g->dimension, sizeof *w->v);
}

static void worker_free(struct worker *w)
{
	lh_quantized_query_free(&w->query);
	lh_quantized_query_free(&w->other);
	lh_quantized_query_free(&w->stored_query);
	free(w->seen);
	free(w->best);
	free(w->chosen);
	free(w->v);
}

static void work_and_report(struct build *b, void (*progress)(void *ctx, uint64_t rows))
{
	struct worker w;
	struct lh_err err;
	unsigned unreported = 0;
	uint64_t row;

	worker_init(&w, b);
	while (!__atomic_load_n(&b->failed, __ATOMIC_RELAXED)) {
		row = __atomic_fetch_add(&b->next, 1, __ATOMIC_RELAXED);
		if (row >= b->g->rows)
			break;
		if (row % 64 == 0 && b->g->stop && b->g->stop()) {
			lh_err_set(&err, LH_EINTR, "interrupted");
			set_failed(b, &err);
		} else {
			insert_row(&w, (uint32_t)row);
			unreported++;
		}
		if (progress && unreported == PROGRESS_EVERY) {
			progress(b->g->ctx, row);
			unreported = 0;
		}
	}
	worker_free(&w);
}

static void *work(void *arg)
{
	work_and_report(arg, NULL);
	return NULL;
}

/* Run on up to jobs threads; if fewer can be created, they do the same work. Signals
 * are delivered to the calling thread only. */
static void run(struct build *b, unsigned jobs)
{
	pthread_t threads[JOBS_MAX];
	unsigned i, n = 0;
	sigset_t all, old;

	if (jobs > JOBS_MAX)
		jobs = JOBS_MAX;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (n + 1 < jobs && pthread_create(threads + n, NULL, work, b) == 0)
		n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	work_and_report(b, b->g->progress);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	if (b->g->progress && !b->failed)
		b->g->progress(b->g->ctx, b->g->rows);
}

/* ---- copies ---- */

/* A row that is on a higher level than the one before it would be missed there.  Rows that are
 * linked already stay as they are, unless they are copies already. */
static bool may_copy(void *ctx, uint32_t row, uint32_t of)
{
	const struct lh_hnsw *g = ((struct build *)ctx)->g;
	const uint32_t *links = links_of(ctx, row, 0);

	if (g->level[row + 1] - g->level[row] > g->level[of + 1] - g->level[of])
		return false;
	return row >= g->done || (links[0] && links[1] == of);
}

static void link_copy(void *ctx, uint32_t row, uint32_t to)
{
	struct build *b = ctx;
	uint32_t *links = links_of(b, row, 0), i;

	for (i = 1; i <= links[0] && links[i] != to; i++)
		;
	if (i > links[0] && i <= 2 * b->g->m)
		links[links[0] = i] = to;
}

static void find_copies(struct build *b)
{
	const struct lh_hnsw *g = b->g;

	b->copies = (struct lh_copies){
		.vectors = (const char *)g->block + g->vector_at, .stride = g->stride,
		.bytes = lh_quantize_bytes(g->precision, g->dimension), .rows = g->rows,
		.may_copy = may_copy, .ctx = b,
	};
	lh_copies_find(&b->copies);
}

/* ---- reach ---- */

static const uint32_t *reach_links(void *ctx, uint32_t row, uint32_t level, uint32_t *n)
{
	const struct worker *w = ctx;
	const uint32_t *level_of = w->b->g->level, *links;

	*n = 0;
	if (level > level_of[row + 1] - level_of[row])
		return NULL;
	links = links_of(w->b, row, level);
	*n = links[0];
	return links + 1;
}

static size_t find_near(void *ctx, uint32_t row, uint32_t *out, size_t max)
{
	struct worker *w = ctx;
	const struct lh_hnsw *g = w->b->g;
	size_t i;

	lh_quantized_query_code(&w->query, row_code(w->b, row));
	search_level(w, row, descend(w, g->entry, g->top, 0), 0);
	if (w->b->own.p)
		measure_stored(w, row);
	for (i = 0; i < w->n && i < max; i++)
		out[i] = w->best[i].row;
	return i;
}

static uint32_t *free_place(void *ctx, uint32_t row)
{
	const struct worker *w = ctx;
	uint32_t *links = links_of(w->b, row, 0);

	return links[0] < 2 * w->b->g->m ? links + ++links[0] : NULL;
}

static float distance_of(void *ctx, uint32_t row, uint32_t other)
{
	struct worker *w = ctx;

	lh_quantized_query_code(&w->other, row_code(w->b, row));
	return lh_quantize_row(&w->other, row_code(w->b, other));
}

/* Make every row reachable from the entry. */
static void connect_rows(struct build *b)
{
	const struct lh_reach_builder builder = { find_near, free_place, distance_of,
						  b->copies.of };
	struct worker w = { .b = b };
	struct lh_reach r = { .rows = b->g->rows, .links_of = reach_links, .ctx = &w };

	lh_copies_link(&b->copies, link_copy);
	lh_reach(&r, b->g->entry, b->g->top);
	if (r.n < r.rows) {
		worker_init(&w, b);
		lh_reach_connect(&r, &builder);
		worker_free(&w);
	}
	lh_reach_free(&r);
}

/* Locate the i8 codes, or reserve room for them. */
static void prepare_codes(struct build *b)
{
	const struct lh_hnsw *g = b->g;

	if (g->precision == LH_I8) {
		b->codes = (const unsigned char *)g->block + g->vector_at;
		b->stride = g->stride;
		return;
	}
	b->stride = (lh_quantize_bytes(LH_I8, g->dimension) + 63) / 64 * 64;
	b->own.huge = true;
	lh_growable_room(&b->own, g->rows * b->stride);
	b->codes = (const unsigned char *)b->own.p;
}

static void code_done_rows(struct build *b)
{
	float *v = lh_calloc(b->g->dimension, sizeof *v);
	uint32_t row;

	for (row = 0; row < b->g->done; row++)
		make_code(b, row, v);
	free(v);
}

/* Draw the level of a row: the finalizer of splitmix64 spreads the bits, and -ln(u) /
 * ln(m) is the distribution of HNSW. */
uint32_t lh_hnsw_level(uint64_t seed, uint32_t row, uint32_t m)
{
	uint64_t z = seed * 0xd1342543de82ef95u + (row + (uint64_t)1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (uint32_t)(-log(((double)(z >> 11) + 1) * 0x1p-53) / log((double)m));
}

int lh_hnsw_build(struct lh_hnsw *g, unsigned jobs, struct lh_err *err)
{
	struct build b = { .g = g, .next = g->done, .empty = !g->done };

	prepare_codes(&b);
	find_copies(&b);
	code_done_rows(&b);
	if (jobs > 1)
		b.locks = lh_calloc(g->rows, 1);
	pthread_mutex_init(&b.entry_lock, NULL);
	pthread_mutex_init(&b.err_lock, NULL);
	run(&b, jobs);
	if (b.failed)
		*err = b.err;
	else
		connect_rows(&b);
	pthread_mutex_destroy(&b.entry_lock);
	pthread_mutex_destroy(&b.err_lock);
	lh_growable_free(&b.own);
	free(b.copies.of);
	free(b.locks);
	return b.failed ? -1 : 0;
}
