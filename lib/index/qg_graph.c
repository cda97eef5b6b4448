/* qg_graph.c - build the graph of layout qg over the rows of a writer. */
#include "writer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "vector/qg_build.h"

/* The builder compares i8 codes.  If rows are stored otherwise, i8 codes are made for the
 * time of the build. */
static int make_codes(const struct lh_index_writer *w, struct lh_growable *codes, size_t stride,
		      struct lh_err *err)
{
	float *v = lh_calloc(w->p.dimension, sizeof *v, err);
	uint64_t row;

	codes->huge = true;
	if (!v || lh_growable_room(codes, w->rows * stride, err) < 0) {
		free(v);
		return -1;
	}
	for (row = 0; row < w->rows; row++) {
		lh_quantize_decode(w->p.precision, w->block.p + row * w->stride, w->p.dimension, v);
		lh_quantize_encode(LH_I8, w->p.distance, v, w->p.dimension,
				   codes->p + row * stride);
	}
	free(v);
	return 0;
}

static int link_rows(struct lh_index_writer *w, const void *codes, size_t stride, unsigned jobs,
		     struct lh_err *err)
{
	struct lh_qg_build g = {
		.codes = codes, .stride = stride, .rows = (uint32_t)w->rows,
		.dimension = w->p.dimension, .distance = w->p.distance, .links = w->links,
		.degree = 2 * w->p.m, .ef = w->p.ef_construction, .seed = w->p.seed,
		.stop = lh_index_stopping, .progress = w->progress ? lh_index_report_graph : NULL,
		.ctx = w,
	};
	int rc;

	if (!lh_index_continues_graph(w)) {
		rc = lh_qg_build(&g, jobs, err);
	} else {
		rc = lh_index_copy_lanes(w, err);
		g.entry = w->graph.entry;
		if (rc == 0)
			rc = lh_qg_add(&g, (uint32_t)w->old->rows, jobs, err);
	}
	w->graph.entry = g.entry;
	return rc;
}

int lh_qg_link_rows(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	size_t stride = lh_index_round(lh_quantize_bytes(LH_I8, w->p.dimension), 64);
	struct lh_growable codes = { .n = 0 };
	int rc;

	w->links = lh_calloc(w->rows * 2 * w->p.m, sizeof *w->links, err);
	if (!w->links)
		return -1;
	if (w->p.precision == LH_I8)
		return link_rows(w, w->block.p, w->stride, jobs, err);
	rc = make_codes(w, &codes, stride, err);
	if (rc == 0)
		rc = link_rows(w, codes.p, stride, jobs, err);
	lh_growable_free(&codes);
	return rc;
}
