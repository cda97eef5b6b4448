/* qg_build.c - build a graph of rows with the same number of links.  See graph.h. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#include "qg_links.h"
#include "base/mem.h"
#include "base/signal.h"

#define JOBS_MAX 256
#define AGAIN_EF 4		/* rows that a search of the second pass keeps */
#define NEW_EF_PART 3		/* of ef, what a search for the links of a new row keeps */
#define ROW_WORK 4		/* of linking a row, in units of progress */
#define AGAIN_WORK 1		/* of them, by the second pass */
#define BATCHES 32		/* of a pass, at least */
#define BATCH_MAX 65536
#define CHUNK 16		/* items that a thread takes at a time */
#define FEW 64			/* items that one thread does alone */
#define PLACES 64		/* rows that others are near to */

struct build;
typedef void item_fn(struct lh_qg_worker *w, struct build *b, uint32_t i);

struct build {
	struct lh_qg_build *g;
	struct lh_qg_worker *workers;
	unsigned jobs;
	struct lh_copies copies;
	uint32_t *order, ordered;	/* of insertion: all rows but copies */
	uint32_t kept;		/* rows that have links already */
	uint32_t batch_max, first, n;	/* the batch: n rows of order, from first on */
	bool fill;		/* fill each list */
	uint8_t *chosen;	/* per row, how many of its links do not fill */
	uint32_t *fresh;	/* lists of the rows of the batch */
	const uint32_t *gone;	/* lists of the rows that are gone, when a graph is repaired */
	uint32_t *start, *from;	/* links back to row r are from[start[r]] to start[r + 1] */
	item_fn *item;
	uint32_t items, next_item;
	uint64_t done;		/* units of progress */
	unsigned work;		/* units for a row, in this pass */
	bool stopped;
};

/* ---- threads ---- */

static void work(void *ctx, size_t thread)
{
	struct build *b = ctx;
	uint32_t i, end;

	while (!__atomic_load_n(&b->stopped, __ATOMIC_RELAXED)) {
		i = __atomic_fetch_add(&b->next_item, CHUNK, __ATOMIC_RELAXED);
		if (i >= b->items)
			break;
		end = b->items - i < CHUNK ? b->items : i + CHUNK;
		for (; i < end; i++)
			b->item(b->workers + thread, b, i);
		if (!thread && b->g->stop && b->g->stop())
			__atomic_store_n(&b->stopped, true, __ATOMIC_RELAXED);
	}
}

/* Do all items on up to jobs threads. */
static void run(struct build *b, item_fn *item, uint32_t items)
{
	b->item = item;
	b->items = items;
	b->next_item = 0;
	lh_signal_crew(items <= FEW ? 1 : b->jobs, work, b);
}

/* ---- batches ---- */

/* Note in start[i] which of some rows is the nearest. */
static void place_item(struct lh_qg_worker *w, struct build *b, uint32_t i)
{
	const void *codes[PLACES];
	float d[PLACES];
	uint32_t j, best = 0;

	for (j = 0; j < PLACES; j++)
		codes[j] = lh_qg_row_code(b->g, b->g->rows / PLACES * j);
	lh_quantized_query_code(&w->query, lh_qg_row_code(b->g, b->order[b->first + i]));
	lh_quantize_rows(&w->query, codes, PLACES, d);
	for (j = 1; j < PLACES; j++)
		best = d[j] < d[best] ? j : best;
	b->start[i] = best;
}

/* Order a batch so that rows that are near each other follow each other: a search then finds in
 * the cache what the one before has read. */
static void order_batch(struct build *b)
{
	uint32_t *to = b->order + b->first, place, i;

	run(b, place_item, b->n);
	memcpy(b->from, to, b->n * sizeof *to);
	for (place = 0; place < PLACES; place++)
		for (i = 0; i < b->n; i++)
			if (b->start[i] == place)
				*to++ = b->from[i];
}

static void find_item(struct lh_qg_worker *w, struct build *b, uint32_t i)
{
	uint32_t row = b->order[b->first + i], *links = b->fresh + (size_t)i * b->g->degree;
	uint32_t n = lh_qg_find_links(w, row, b->fill, links);

	/* No other row looks for a new one of a graph: it is offered to all that it links to. */
	while (b->kept && n < b->g->degree && links[n] != row)
		n++;
	b->chosen[row] = (uint8_t)n;
}

static void back_item(struct lh_qg_worker *w, struct build *b, uint32_t row)
{
	uint32_t n = b->start[row + 1] - b->start[row];

	if (n)
		b->chosen[row] = (uint8_t)lh_qg_link_back(w, row, b->chosen[row],
							  b->from + b->start[row], n, b->fill);
}

static void replace_item(struct lh_qg_worker *w, struct build *b, uint32_t row)
{
	uint32_t n = b->start[row + 1] - b->start[row];

	if (n)
		lh_qg_replace_link(w, row, b->from + b->start[row], n);
}

static void close_item(struct lh_qg_worker *w, struct build *b, uint32_t i)
{
	uint32_t row = b->order[b->first + i];

	b->chosen[row] = (uint8_t)lh_qg_close_gaps(w, row, b->gone,
						   b->fresh + (size_t)i * b->g->degree);
}

/* Group the links back by the row that gets them: counts are two places ahead, and each
 * is the start of the next row when all are placed. */
static void group_backs(struct build *b)
{
	uint32_t degree = b->g->degree, row, i, j;
	const uint32_t *links;

	memset(b->start, 0, (b->g->rows + (size_t)2) * sizeof *b->start);
	for (i = 0; i < b->n; i++)
		for (j = 0; j < b->chosen[b->order[b->first + i]]; j++)
			b->start[b->fresh[(size_t)i * degree + j] + 2]++;
	for (i = 0; i < b->g->rows; i++)
		b->start[i + 2] += b->start[i + 1];
	for (i = 0; i < b->n; i++) {
		row = b->order[b->first + i];
		links = b->fresh + (size_t)i * degree;
		for (j = 0; j < b->chosen[row]; j++)
			b->from[b->start[links[j] + 1]++] = row;
	}
}

/* Link n rows of order from first on; what find finds is their lists, unless these have it
 * already.  Returns -1 when stopped. */
static int link_batch(struct build *b, uint32_t first, uint32_t n, item_fn *find, item_fn *back)
{
	uint32_t degree = b->g->degree, i;

	b->first = first;
	b->n = n;
	if (n > PLACES)
		order_batch(b);
	run(b, find, n);
	if (b->stopped)
		return -1;
	for (i = 0; i < n && find == find_item; i++)
		memcpy(lh_qg_list(b->g, b->order[first + i]), b->fresh + (size_t)i * degree,
		       degree * sizeof *b->fresh);
	group_backs(b);
	run(b, back, b->g->rows);
	b->done += (uint64_t)n * b->work;
	if (b->g->progress && !b->stopped)
		b->g->progress(b->g->ctx, b->done / ROW_WORK);
	return b->stopped ? -1 : 0;
}

/* Link the rows of order from first on, in batches that double from n rows on.  Inserted one by one
 * at first, rows of a kind that a graph has not yet are linked with each other too. */
static int link_from(struct build *b, uint32_t first, uint32_t n, item_fn *find, item_fn *back)
{
	for (; first < b->ordered; first += n, n *= 2) {
		n = n < b->batch_max ? n : b->batch_max;
		n = n < b->ordered - first ? n : b->ordered - first;
		if (link_batch(b, first, n, find, back) < 0)
			return -1;
	}
	return 0;
}

/* ---- the order and the entry ---- */

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void sort_order(struct build *b)
{
	uint32_t row;

	b->ordered = 0;
	for (row = 0; row < b->g->rows; row++)
		if (!lh_is_copy(b->copies.of, row))
			b->order[b->ordered++] = row;
}

/* Put the rows whose lists are full before the others; returns how many there are. */
static uint32_t full_first(struct build *b)
{
	uint32_t row, full = 0;
	int others;

	b->ordered = 0;
	for (others = 0; others < 2; others++) {
		full = b->ordered;
		for (row = 0; row < b->g->rows; row++)
			if (!lh_is_copy(b->copies.of, row) &&
			    (lh_qg_list_length(b->g, row) < b->g->degree) == others)
				b->order[b->ordered++] = row;
	}
	return full;
}

/* ---- copies ---- */

/* Rows that have links stay as they are, unless they are copies already, whose lists are not
 * full. */
static bool may_copy(void *ctx, uint32_t row, uint32_t of)
{
	const struct build *b = ctx;

	(void)of;
	return row >= b->kept || lh_qg_list_length(b->g, row) < b->g->degree;
}

/* Link a row to another, if its list is not full. */
static void link_to(void *ctx, uint32_t row, uint32_t to)
{
	struct lh_qg_build *g = ((struct build *)ctx)->g;
	uint32_t *links = lh_qg_list(g, row), i = 0;

	while (i < g->degree && links[i] != row && links[i] != to)
		i++;
	if (i < g->degree)
		links[i] = to;
}

/* Fill lists for which too few rows were found: with the rows that link to them, as of many that
 * are nearly equal most are chosen by few others; then with the rows that follow. */
static void complete_lists(struct build *b)
{
	const struct lh_qg_build *g = b->g;
	const uint32_t *of = b->copies.of;
	uint32_t row, other, i;

	for (row = 0; row < g->rows; row++)
		for (i = 0; i < g->degree && !lh_is_copy(of, row); i++) {
			other = lh_qg_list(g, row)[i];
			if (other != row && !lh_is_copy(of, other))
				link_to(b, other, row);
		}
	for (row = 0; row < g->rows; row++)
		for (i = 1; i < g->rows && !lh_is_copy(of, row) &&
			    lh_qg_list_length(g, row) < g->degree; i++) {
			other = (uint32_t)((row + (uint64_t)i) % g->rows);
			if (!lh_is_copy(of, other))
				link_to(b, row, other);
		}
}

static void find_copies(struct build *b)
{
	const struct lh_qg_build *g = b->g;

	b->copies = (struct lh_copies){
		.vectors = g->vectors, .stride = g->vector_stride, .bytes = g->vector_bytes,
		.rows = g->rows, .may_copy = may_copy, .ctx = b,
	};
	lh_copies_find(&b->copies);
}

/* Find the row nearest the centroid, among the first rows. */
static void find_entry(struct build *b, uint32_t rows)
{
	struct lh_qg_build *g = b->g;
	LH_SCOPED(lh_free_local) double *sum = lh_calloc(g->dimension, sizeof *sum);
	LH_SCOPED(lh_free_local) float *v = lh_calloc(g->dimension, sizeof *v);
	float d, best = 0;
	struct lh_quantized_query q = { 0 };
	uint32_t row, i;

	lh_quantized_query_init(&q, g->precision, LH_L2, g->dimension);
	for (row = 0; row < rows; row++) {
		lh_quantize_decode(g->precision, lh_qg_row_code(g, row), g->dimension, v);
		for (i = 0; i < g->dimension; i++)
			sum[i] += (double)v[i];
	}
	for (i = 0; i < g->dimension; i++)
		v[i] = (float)(sum[i] / rows);
	lh_quantized_query_set(&q, v);
	for (row = 0; row < rows; row++) {
		d = lh_quantize_row(&q, lh_qg_row_code(g, row));
		if (!row || (d < best && !lh_is_copy(b->copies.of, row))) {
			best = d;
			g->entry = row;
		}
	}
	lh_quantized_query_free(&q);
}

/* ---- building ---- */

static void build_init(struct build *b, struct lh_qg_build *g, uint32_t kept, unsigned jobs)
{
	size_t links;
	unsigned i;

	*b = (struct build){ .g = g, .kept = kept };
	b->jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs ? jobs : 1;
	b->batch_max = g->rows / BATCHES + 1;
	if (b->batch_max > BATCH_MAX)
		b->batch_max = BATCH_MAX;
	links = (size_t)b->batch_max * g->degree;
	b->workers = lh_calloc(b->jobs, sizeof *b->workers);
	b->order = lh_calloc(g->rows, sizeof *b->order);
	b->fresh = lh_calloc(links, sizeof *b->fresh);
	b->chosen = lh_calloc(g->rows, sizeof *b->chosen);
	b->start = lh_calloc(g->rows + (size_t)2, sizeof *b->start);
	b->from = lh_calloc(links, sizeof *b->from);
	find_copies(b);
	for (i = 0; i < b->jobs; i++) {
		lh_qg_worker_init(b->workers + i, g);
		b->workers[i].copy_of = b->copies.of;
	}
	sort_order(b);
}

static void build_free(struct build *b)
{
	unsigned i;

	for (i = 0; b->workers && i < b->jobs; i++)
		lh_qg_worker_free(b->workers + i);
	free(b->workers);
	free(b->order);
	free(b->copies.of);
	free(b->fresh);
	free(b->chosen);
	free(b->start);
	free(b->from);
}

/* Empty the lists of copies, and of the rows from first on. */
static void clear_links(struct build *b, uint32_t first)
{
	struct lh_qg_build *g = b->g;
	uint32_t row, i;

	for (row = 0; row < g->rows; row++)
		if (row >= first || lh_is_copy(b->copies.of, row))
			for (i = 0; i < g->degree; i++)
				lh_qg_list(g, row)[i] = row;
}

/* ---- reach ---- */

static const uint32_t *links_of(void *ctx, uint32_t row, uint32_t *n)
{
	const struct lh_qg_worker *w = ctx;

	*n = w->g->degree;
	return lh_qg_list(w->g, row);
}

static size_t find_near(void *ctx, uint32_t row, uint32_t *out, size_t max)
{
	struct lh_qg_worker *w = ctx;
	size_t i;

	lh_qg_find_near(w, row);
	for (i = 0; i < w->n && i < max; i++)
		out[i] = w->best[i].row;
	return i;
}

/* The first free place of a list names the row itself. */
static uint32_t *free_place(void *ctx, uint32_t row)
{
	const struct lh_qg_worker *w = ctx;
	uint32_t n = lh_qg_list_length(w->g, row);

	return n < w->g->degree ? lh_qg_list(w->g, row) + n : NULL;
}

static float distance_of(void *ctx, uint32_t row, uint32_t other)
{
	struct lh_qg_worker *w = ctx;

	lh_quantized_query_code(&w->other, lh_qg_row_code(w->g, row));
	return lh_quantize_row(&w->other, lh_qg_row_code(w->g, other));
}

/* Make every row reachable from the entry. */
static void connect_rows(struct build *b)
{
	const struct lh_reach_builder builder = { find_near, free_place, distance_of,
						  b->copies.of };
	struct lh_reach r = { .rows = b->g->rows, .links_of = links_of, .ctx = b->workers };

	lh_copies_link(&b->copies, link_to);
	lh_reach(&r, b->g->entry);
	lh_reach_connect(&r, &builder);
	lh_reach_free(&r);
}

static int finish(struct build *b, int rc, struct lh_err *err)
{
	if (rc < 0)
		return lh_err_set(err, LH_EINTR, "interrupted");
	complete_lists(b);
	connect_rows(b);
	if (b->g->progress)
		b->g->progress(b->g->ctx, b->g->rows);
	return 0;
}

/* From now on, let searches keep so many rows, and candidates inherit the links of some. */
static void search_with(struct build *b, uint32_t ef, uint32_t inherits)
{
	for (unsigned i = 0; i < b->jobs; i++) {
		b->workers[i].ef = ef < b->g->ef ? ef : b->g->ef;
		b->workers[i].inherits = inherits;
	}
}

int lh_qg_build(struct lh_qg_build *g, unsigned jobs, struct lh_err *err)
{
	uint64_t state = g->seed;
	uint32_t i, j, row;
	struct build b;
	int rc;

	g->entry = 0;
	if (!g->rows)
		return 0;
	build_init(&b, g, 0, jobs);
	find_entry(&b, g->rows);
	b.work = ROW_WORK - AGAIN_WORK;
	clear_links(&b, 0);
	/* Shuffle all rows; the entry comes first. */
	for (i = 0; b.order[i] != g->entry; i++)
		;
	b.order[i] = b.order[0];
	b.order[0] = g->entry;
	for (i = b.ordered; i-- > 2;) {
		j = 1 + (uint32_t)(next_random(&state) % i);
		row = b.order[i];
		b.order[i] = b.order[j];
		b.order[j] = row;
	}
	rc = link_from(&b, 1, 1, find_item, back_item);
	sort_order(&b);
	b.fill = true;
	b.work = AGAIN_WORK;
	search_with(&b, AGAIN_EF, 0);
	if (rc == 0)
		rc = link_from(&b, 0, b.batch_max, find_item, back_item);
	rc = finish(&b, rc, err);
	build_free(&b);
	return rc;
}

int lh_qg_change(struct lh_qg_build *g, uint32_t kept, const uint32_t *gone, unsigned jobs,
		 struct lh_err *err)
{
	struct build b;
	uint32_t full;
	int rc;

	if (kept <= g->degree)
		return lh_qg_build(g, jobs, err);
	build_init(&b, g, kept, jobs);
	if (g->entry >= g->rows)
		find_entry(&b, kept);
	b.fill = true;
	b.gone = gone;
	search_with(&b, g->ef / NEW_EF_PART + 1, g->degree / 2);
	clear_links(&b, kept);
	rc = gone ? link_from(&b, 0, b.batch_max, close_item, replace_item) : 0;
	full = full_first(&b);
	b.work = ROW_WORK;
	b.done = (uint64_t)(g->rows - (b.ordered - full)) * ROW_WORK;
	if (rc == 0)
		rc = link_from(&b, full, 1, find_item, replace_item);
	rc = finish(&b, rc, err);
	build_free(&b);
	return rc;
}
