/* qg_graph.c - build the graph over the rows of a writer. */
#include "writer.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "vector/graph.h"

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
		lh_qg_lift(&w->p, v);
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
	const struct lh_index *of = w->old ? w->old : w->repaired;

	if (w->p.distance != LH_IP)
		return;
	find_longest(w);
	if (of && !of->params.outside && !w->p.outside &&
	    w->p.longest <= LONGER * of->params.longest &&
	    w->p.longest * LONGER >= of->params.longest)
		return;
	w->anew = true;
	w->p.repaired = 0;
	w->repaired = NULL;
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

static int continue_graph(struct lh_index_writer *w, struct lh_qg_build *g, unsigned jobs,
			  struct lh_err *err)
{
	uint32_t row, rows = (uint32_t)w->old->rows;

	for (row = 0; row < rows; row++)
		if (lh_index_copy_lanes(w->old, row, w->links + (size_t)row * g->degree, err) < 0)
			return -1;
	g->entry = w->old->entry;
	return lh_qg_add(g, rows, jobs, err);
}

/* Copy the lists of the graph that is repaired, numbered as lh_qg_repair expects them. */
static int copy_kept(struct lh_index_writer *w, const struct lh_qg_build *g, uint32_t *gone,
		     struct lh_err *err)
{
	uint32_t row, rows = (uint32_t)w->repaired->rows, n = 0, i, *links;

	for (row = 0; row < rows; row++)
		w->number_of[row] = w->number_of[row] ? w->number_of[row] - 1 : g->rows + n++;
	for (row = 0; row < rows; row++) {
		i = w->number_of[row];
		links = i < g->rows ? w->links + (size_t)i * g->degree :
				      gone + (size_t)(i - g->rows) * g->degree;
		if (lh_index_copy_lanes(w->repaired, row, links, err) < 0)
			return -1;
		for (i = 0; i < g->degree; i++)
			links[i] = w->number_of[links[i]];
	}
	return 0;
}

static int repair_graph(struct lh_index_writer *w, struct lh_qg_build *g, unsigned jobs,
			struct lh_err *err)
{
	uint64_t n = w->repaired->rows - w->kept;
	LH_SCOPED(lh_free_local) uint32_t *gone = NULL;
	int rc;

	if (w->rows + n > UINT32_MAX)
		return lh_qg_build(g, jobs, err);
	gone = lh_calloc(n * g->degree, sizeof *gone);
	rc = copy_kept(w, g, gone, err);
	if (rc == 0) {
		g->entry = w->number_of[w->repaired->entry];
		rc = lh_qg_repair(g, w->kept, gone, jobs, err);
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
	int rc;

	if (w->repaired)
		rc = repair_graph(w, &g, jobs, err);
	else if (lh_index_continues_graph(w))
		rc = continue_graph(w, &g, jobs, err);
	else
		rc = lh_qg_build(&g, jobs, err);
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
