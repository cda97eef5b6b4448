/* qg_graph.c - the graph over the rows of a writer, and rows with its links.  See writer.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal.h"
#include "index_parts.h"
#include "vector/graph.h"
#include "writer.h"

/* ---- build the graph over the rows of a writer ---- */

/* Rows outside the graph are longer than so many times the median, or, where these are more than
 * such a part of all, than so many times the shortest of that part. */
#define OUTSIDE_TIMES 4
#define OUTSIDE_PART 100
#define LONGER 1.25		/* times the longest row, with which a graph is still continued */

/* Return the row that has a number in the graph. */
static uint32_t row_of(const struct lh_index_writer *w, uint64_t i)
{
	return w->in_graph ? w->in_graph[i] : (uint32_t)i;
}

/* Lift a vector under ip; v has room for lh_index_lifted(p) values. */
static void lift(const struct lh_index_params *p, float *v)
{
	uint32_t n = p->dimension, i;
	double rest;

	if (p->distance != LH_IP)
		return;
	for (i = 0; i < n; i++)
		v[i] = (float)((double)v[i] / p->longest);
	rest = 1 - lh_vec_dot_f64(v, v, n);
	v[n] = rest > 0 ? (float)sqrt(rest) : 0;
}

/* The builder compares i8 codes.  If rows are stored otherwise, such codes are made for the time
 * of the build; under ip, of rows of mixed length, codes of f16. */
static void make_codes(const struct lh_index_writer *w, enum lh_precision precision,
		       struct lh_growable *codes, size_t stride)
{
	uint32_t n = lh_index_lifted(&w->p);
	LH_SCOPED(lh_free_local) float *v = lh_calloc(n, sizeof *v);
	uint64_t i;

	codes->huge = true;
	lh_growable_room(codes, w->rows * stride);
	for (i = 0; i < w->rows - w->p.outside; i++) {
		lh_quantize_decode(w->p.precision, w->block.p + row_of(w, i) * w->stride,
				   w->p.dimension, v);
		lift(&w->p, v);
		lh_quantize_encode(precision, w->p.distance, v, n, codes->p + i * stride);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Find the length of the longest row in the graph, under ip.  A few that are much longer than
 * most are left outside: by their length, all others would be short. */
static void find_longest(struct lh_index_writer *w)
{
	LH_SCOPED(lh_free_local) double *length = lh_calloc(w->rows, sizeof *length);
	LH_SCOPED(lh_free_local) double *sorted = lh_calloc(w->rows, sizeof *sorted);
	LH_SCOPED(lh_free_local) float *v = lh_calloc(w->p.dimension, sizeof *v);
	uint64_t row, n = w->rows, in = 0;
	double limit;

	for (row = 0; row < n; row++) {
		lh_quantize_decode(w->p.precision, w->block.p + row * w->stride, w->p.dimension, v);
		length[row] = sorted[row] = sqrt(lh_vec_dot_f64(v, v, w->p.dimension));
	}
	qsort(sorted, n, sizeof *sorted, by_size);
	limit = sorted[n - 1 - n / OUTSIDE_PART];
	limit = OUTSIDE_TIMES * (limit > OUTSIDE_TIMES * sorted[n / 2] ? limit : sorted[n / 2]);
	if (sorted[n - 1] > limit)
		w->in_graph = lh_calloc(n, sizeof *w->in_graph);
	for (row = 0; row < n; row++) {
		if (length[row] > limit)
			continue;
		w->p.longest = length[row] > w->p.longest ? length[row] : w->p.longest;
		if (w->in_graph)
			w->in_graph[in++] = (uint32_t)row;
	}
	w->p.outside = w->in_graph ? (uint32_t)(n - in) : 0;
	w->p.longest = w->p.longest > 0 ? w->p.longest : 1;
}

/* Decide what is in the graph, under ip.  The links of another graph are kept if those of its rows
 * that are in it are the same, and lifted about as far. */
static void decide_lengths(struct lh_index_writer *w)
{
	const struct lh_index *of = w->old;

	if (w->p.distance != LH_IP)
		return;
	find_longest(w);
	if (of && !of->params.outside && !w->p.outside &&
	    w->p.longest <= LONGER * of->params.longest &&
	    w->p.longest * LONGER >= of->params.longest)
		return;
	w->anew = true;
	w->p.repaired = 0;
}

/* Give the rows their lists, which are those of their numbers in the graph so far.  A row that is
 * outside links to itself. */
static void spread_links(struct lh_index_writer *w)
{
	uint32_t degree = 2 * w->p.m, row = (uint32_t)w->rows, i, *list;
	uint32_t next = row - w->p.outside;
	bool linked;

	while (w->in_graph && row-- > 0) {
		list = w->links + (size_t)row * degree;
		linked = next && w->in_graph[next - 1] == row;
		next -= linked;
		for (i = 0; i < degree; i++)
			list[i] = linked ? row_of(w, w->links[(size_t)next * degree + i]) : row;
	}
}

/* Copy the lists of the graph that is continued, numbered as lh_qg_change expects them. */
static int copy_lists(struct lh_index_writer *w, const struct lh_qg_build *g, uint32_t *gone,
		      struct lh_err *err)
{
	uint32_t row, rows = (uint32_t)w->old->rows, n = 0, i, *links;

	for (row = 0; row < rows; row++)
		if (w->number_of[row] >= w->kept)
			w->number_of[row] = g->rows + n++;
	for (row = 0; row < rows; row++) {
		i = w->number_of[row];
		links = i < g->rows ? w->links + (size_t)i * g->degree :
				      gone + (size_t)(i - g->rows) * g->degree;
		if (lh_index_copy_lanes(w->old, row, links, err) < 0)
			return -1;
		for (i = 0; i < g->degree; i++)
			links[i] = w->number_of[links[i]];
	}
	return 0;
}

static int continue_graph(struct lh_index_writer *w, struct lh_qg_build *g, unsigned jobs,
			  struct lh_err *err)
{
	uint64_t n = w->old->rows - w->kept;
	LH_SCOPED(lh_free_local) uint32_t *gone = NULL;
	int rc;

	if (w->rows + n > UINT32_MAX)
		return lh_qg_build(g, jobs, err);
	gone = n ? lh_calloc(n * g->degree, sizeof *gone) : NULL;
	rc = copy_lists(w, g, gone, err);
	if (rc == 0) {
		g->entry = w->number_of[w->old->entry];
		rc = lh_qg_change(g, w->kept, gone, jobs, err);
	}
	return rc;
}

/* Rows that a search for links keeps: half as many more than asked, since one wide pass
 * finds links for far queries that two narrower passes miss, and takes less time. */
static uint32_t wide_ef(const struct lh_index_params *p)
{
	return p->ef_construction + p->ef_construction / 2;
}

/* Link the rows by their codes, which stand for the vectors under ip. */
static int link_rows(struct lh_index_writer *w, const void *codes, enum lh_precision precision,
		     size_t stride, unsigned jobs, struct lh_err *err)
{
	bool lifted = w->p.distance == LH_IP;
	uint32_t n = lh_index_lifted(&w->p);
	struct lh_qg_build g = {
		.codes = codes, .precision = precision, .stride = stride,
		.rows = (uint32_t)w->rows - w->p.outside,
		.vectors = lifted ? codes : w->block.p,
		.vector_stride = lifted ? stride : w->stride,
		.vector_bytes = lifted ? lh_quantize_bytes(precision, n) :
					 lh_index_code_bytes(&w->p),
		.dimension = n, .distance = lifted ? LH_L2 : w->p.distance, .links = w->links,
		.degree = 2 * w->p.m, .ef = wide_ef(&w->p), .seed = w->p.seed,
		.stop = lh_index_stopping, .progress = w->progress ? lh_index_report_graph : NULL,
		.ctx = w,
	};
	int rc = lh_index_continues_graph(w) ? continue_graph(w, &g, jobs, err) :
					       lh_qg_build(&g, jobs, err);

	spread_links(w);
	w->entry = row_of(w, g.entry);
	return rc;
}

int lh_qg_link_rows(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	enum lh_precision precision = w->p.distance == LH_IP ? LH_F16 : LH_I8;
	size_t bytes = lh_quantize_bytes(precision, lh_index_lifted(&w->p));
	size_t stride = lh_index_round(bytes, 64);
	struct lh_growable codes = { .n = 0 };
	int rc;

	w->links = lh_calloc_table(w->rows * 2 * w->p.m, sizeof *w->links);
	decide_lengths(w);
	if (w->p.precision == precision && w->p.distance != LH_IP)
		return link_rows(w, w->block.p, precision, w->stride, jobs, err);
	make_codes(w, precision, &codes, stride);
	rc = link_rows(w, codes.p, precision, stride, jobs, err);
	lh_growable_free(&codes);
	return rc;
}

/* ---- make a row of a file ---- */

#define KEPT (8 << 20)	/* bytes of rotated rows, of all threads */
#define UNIT_LEAST (1 / 16.f)	/* the greatest factor is more, in units of its row */

void lh_qg_coder_init(struct lh_qg_coder *c, unsigned jobs)
{
	uint32_t n = lh_index_lifted(c->p), dim = lh_qg_dimension(n);

	for (c->slots = 1; c->slots < c->rows &&
			   2 * (size_t)c->slots * dim <= KEPT / jobs / sizeof(float); c->slots *= 2)
		;
	c->vector = lh_calloc(n, sizeof *c->vector);
	c->rotated = lh_calloc(((size_t)c->slots + 1) * dim, sizeof *c->rotated);
	c->factors = lh_calloc(4 * (size_t)c->p->m, sizeof *c->factors);
	c->old = lh_calloc(4 * (size_t)c->p->m, sizeof *c->old);
	c->kept = lh_calloc(c->slots, sizeof *c->kept);
}

void lh_qg_coder_free(struct lh_qg_coder *c)
{
	free(c->vector);
	free(c->rotated);
	free(c->factors);
	free(c->old);
	free(c->kept);
}

/* Return a row's vector, rotated, until the next call. */
static const float *rotate(struct lh_qg_coder *c, uint32_t row)
{
	uint32_t n = lh_index_lifted(c->p), slot = row & (c->slots - 1);
	float *to = c->rotated + slot * (size_t)lh_qg_dimension(n);

	if (c->kept[slot] == row + (uint64_t)1)
		return to;
	c->kept[slot] = row + (uint64_t)1;
	lh_quantize_decode(c->p->precision, c->code_of(c->ctx, row), c->p->dimension, c->vector);
	lift(c->p, c->vector);
	lh_qg_rotate(c->signs, c->vector, n, to);
	return to;
}

/* Make the codes and factors of the links that are not kept. */
static void encode_links(struct lh_qg_coder *c, uint32_t row, unsigned char *at, uint64_t kept)
{
	const struct lh_index_shape *shape = c->shape;
	uint32_t dim = lh_qg_dimension(lh_index_lifted(c->p)), links = 2 * c->p->m, i;
	const uint32_t *ids = (const void *)(at + shape->ids_at);
	float *center = c->rotated + c->slots * (size_t)dim;	/* the last place */
	size_t block = lh_qg_code_bytes(shape->values);

	memcpy(center, rotate(c, row), dim * sizeof *center);
	for (i = 0; i < links; i++)
		if (!(kept >> i & 1))
			lh_qg_encode(dim, shape->values, center, rotate(c, ids[i]),
				     i % LH_QG_LANES,
				     at + shape->codes_at + i / LH_QG_LANES * block,
				     c->factors + i, c->factors + links + i);
}

/* Store factors in f16, in units of about the greatest: none is too large or too small.  Returns
 * false if the unit that is there, the least to be used, does not do for all. */
static bool store_factors(struct lh_qg_coder *c, unsigned char *at, uint64_t kept)
{
	const struct lh_index_shape *shape = c->shape;
	uint32_t links = 2 * c->p->m, n = 2 * links, i;
	float unit, most = 0, max = 0;

	memcpy(&unit, at + shape->unit_at, sizeof unit);
	for (i = 0; i < n; i++)
		if (!(kept >> i % links & 1))
			most = fmaxf(most, fabsf(c->factors[i]));
	if (kept && !(most <= unit))
		return false;
	unit = fmaxf(unit, most);
	lh_quantize_decode(LH_F16, at + shape->add_at, n, c->old);
	for (i = 0; i < n; i++) {
		if (kept >> i % links & 1)
			c->factors[i] = c->old[i];
		else if (unit > 0)
			c->factors[i] /= unit;
		max = fmaxf(max, fabsf(c->factors[i]));
	}
	if (unit > 0 && !(max > UNIT_LEAST))
		return false;
	memcpy(at + shape->unit_at, &unit, sizeof unit);
	lh_quantize_encode(LH_F16, LH_L2, c->factors, n, at + shape->add_at);
	return true;
}

void lh_qg_coder_row(struct lh_qg_coder *c, uint32_t row, unsigned char *at, uint64_t kept)
{
	uint64_t all = UINT64_MAX >> (64 - 2 * c->p->m);

	if (!c->shape->values || kept == all)
		return;
	encode_links(c, row, at, kept);
	if (store_factors(c, at, kept))
		return;
	memset(at + c->shape->unit_at, 0, sizeof(float));
	encode_links(c, row, at, 0);
	store_factors(c, at, 0);
}

/* ---- write the rows of a file ---- */

/* The codes of links are made here, on several threads, a batch of rows at a time, so that they are
 * never all in memory. */

#define BATCH 256	/* rows */
#define JOBS_MAX 64

/* A batch being made, shared by its threads. */
struct batch {
	const struct lh_index_writer *w;
	struct lh_index_shape shape;
	unsigned char *signs;
	unsigned char *rows;	/* BATCH of them */
	struct lh_qg_coder coder[JOBS_MAX];
	unsigned jobs;
	bool keeps;		/* the codes of the links that rows had already */
	uint64_t from, end;	/* rows of the batch, in the order of the file */
	uint64_t next;
};

/* Return the code of a row by its number in the file. */
static const void *code_of(const void *ctx, uint32_t row)
{
	const struct lh_index_writer *w = ctx;

	return w->block.p + lh_index_row_at(w, row) * w->stride;
}

/* Return whether rows of the graph that is continued have the codes that would be made of them. */
static bool keeps_codes(const struct lh_index_writer *w, const struct lh_index_shape *shape)
{
	return lh_index_continues_graph(w) && w->old->shape.stride == shape->stride &&
	       w->old->shape.values == shape->values && w->old->params.longest == w->p.longest;
}

/* Copy a row of the graph that is continued, but its links; returns which of these it had already,
 * in the same places. */
static uint64_t copy_codes(const struct batch *b, uint32_t row, unsigned char *to)
{
	const struct lh_index_writer *w = b->w;
	const struct lh_index *old = w->old;
	const unsigned char *from = old->block + w->from[row] * old->stride;
	const uint32_t *ids = (const void *)(from + b->shape.ids_at);
	const uint32_t *links = lh_index_links_of(w, row);
	uint64_t kept = 0;
	uint32_t i, id;

	memcpy(to + b->shape.unit_at, from + b->shape.unit_at, b->shape.stride - b->shape.unit_at);
	for (i = 0; i < 2 * w->p.m; i++) {
		id = lh_once32(&ids[i]);
		kept |= (uint64_t)(id < old->rows && w->number_of[id] == links[i]) << i;
	}
	return kept;
}

static void make_rows(void *ctx, size_t thread)
{
	struct batch *b = ctx;
	const struct lh_index_writer *w = b->w;
	const uint32_t *links;
	uint32_t *ids, l, row;
	unsigned char *to;
	uint64_t i, kept;

	while ((i = __atomic_fetch_add(&b->next, 1, __ATOMIC_RELAXED)) < b->end) {
		to = b->rows + (i - b->from) * b->shape.stride;
		row = lh_index_row_at(w, i);
		memset(to, 0, b->shape.stride);
		memcpy(to, code_of(w, (uint32_t)i), lh_index_code_bytes(&w->p));
		if (!w->linked)
			continue;
		kept = b->keeps && row < w->kept ? copy_codes(b, row, to) : 0;
		links = lh_index_links_of(w, row);
		ids = (void *)(to + b->shape.ids_at);
		for (l = 0; l < 2 * w->p.m; l++)
			ids[l] = w->stored_at[links[l]];
		lh_qg_coder_row(&b->coder[thread], (uint32_t)i, to, kept);
	}
}

static void batch_init(struct batch *b)
{
	const struct lh_index_writer *w = b->w;
	unsigned i;

	lh_index_get_shape(&w->p, w->linked, &b->shape);
	b->keeps = b->shape.values && keeps_codes(w, &b->shape);
	b->rows = lh_calloc(BATCH, b->shape.stride);
	if (!w->linked)
		return;
	b->signs = lh_calloc(1, lh_qg_sign_bytes(lh_index_lifted(&w->p)));
	lh_qg_signs(w->p.seed, lh_index_lifted(&w->p), b->signs);
	for (i = 0; i < b->jobs; i++) {
		b->coder[i] = (struct lh_qg_coder){
			.p = &w->p, .shape = &b->shape, .signs = b->signs, .rows = w->rows,
			.code_of = code_of, .ctx = w,
		};
		lh_qg_coder_init(&b->coder[i], b->jobs);
	}
}

static int write_batches(struct lh_index_writer *w, struct batch *b, struct lh_err *err)
{
	for (b->from = 0; b->from < w->rows; b->from = b->end) {
		if (lh_signal_pending())
			return lh_err_set(err, LH_EINTR, "interrupted");
		lh_index_report_progress(w, "file", b->from);
		b->end = w->rows - b->from < BATCH ? w->rows : b->from + BATCH;
		b->next = b->from;
		lh_signal_crew(b->jobs, make_rows, b);
		lh_index_section_add(&w->file, b->rows, (b->end - b->from) * b->shape.stride);
	}
	return 0;
}

int lh_qg_write_rows(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct batch *b = lh_calloc(1, sizeof *b);
	unsigned i;
	int rc;

	b->w = w;
	b->jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
	batch_init(b);
	lh_index_section_begin(&w->file, LH_INDEX_ROWS);
	rc = write_batches(w, b, err);
	for (i = 0; i < b->jobs; i++)
		lh_qg_coder_free(&b->coder[i]);
	free(b->signs);
	free(b->rows);
	return rc < 0 ? -1 : lh_index_section_end(&w->file, err);
}

int lh_qg_write_signs(struct lh_index_writer *w, struct lh_err *err)
{
	size_t n = w->linked && w->p.code_values ? lh_qg_sign_bytes(lh_index_lifted(&w->p)) : 0;
	LH_SCOPED(lh_free_local) unsigned char *signs = lh_calloc(1, n + 8);

	if (n)
		lh_qg_signs(w->p.seed, lh_index_lifted(&w->p), signs);
	return lh_index_section_write(&w->file, LH_INDEX_SIGNS, signs, n, err);
}
