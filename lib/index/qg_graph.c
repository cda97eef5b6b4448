/* qg_graph.c - build the graph of layout qg over the rows of a writer. */
#include "writer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "vector/graph.h"

/* The builder compares i8 codes.  If rows are stored otherwise, i8 codes are made for the
 * time of the build. */
static void make_codes(const struct lh_index_writer *w, struct lh_growable *codes, size_t stride)
{
	LH_SCOPED(lh_free_local) float *v = lh_calloc(w->p.dimension, sizeof *v);
	uint64_t row;

	codes->huge = true;
	lh_growable_room(codes, w->rows * stride);
	for (row = 0; row < w->rows; row++) {
		lh_quantize_decode(w->p.precision, w->block.p + row * w->stride, w->p.dimension, v);
		lh_quantize_encode(LH_I8, w->p.distance, v, w->p.dimension,
				   codes->p + row * stride);
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

static int link_rows(struct lh_index_writer *w, const void *codes, size_t stride, unsigned jobs,
		     struct lh_err *err)
{
	struct lh_qg_build g = {
		.codes = codes, .stride = stride, .rows = (uint32_t)w->rows,
		.vectors = w->block.p, .vector_stride = w->stride,
		.vector_bytes = lh_index_code_bytes(&w->p),
		.dimension = w->p.dimension, .distance = w->p.distance, .links = w->links,
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
	w->graph.entry = g.entry;
	return rc;
}

int lh_qg_link_rows(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	size_t stride = lh_index_round(lh_quantize_bytes(LH_I8, w->p.dimension), 64);
	struct lh_growable codes = { .n = 0 };
	int rc = 0;

	w->links = lh_calloc(w->rows * 2 * w->p.m, sizeof *w->links);
	if (w->p.precision == LH_I8)
		return link_rows(w, w->block.p, w->stride, jobs, err);
	make_codes(w, &codes, stride);
	if (rc == 0)
		rc = link_rows(w, codes.p, stride, jobs, err);
	lh_growable_free(&codes);
	return rc;
}
