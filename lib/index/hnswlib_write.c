/*
 * hnswlib_write.c - write an index as a file of the library hnswlib.  Row r becomes element r,
 * with its links; an index may be damaged, so each part is copied and checked first.
 */
#include "hnswlib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hnswlib_format.h"
#include "index_parts.h"

#define PIECE ((size_t)1 << 20)		/* bytes of one write */
#define PROGRESS_EVERY 4096		/* rows */

struct writing {
	const struct lh_index *ix;
	struct lh_atomic *out;
	struct lh_buf piece;
	uint32_t *level;	/* a copy, checked */
	uint32_t *label;	/* of each row */
	float *vector;
	lh_index_progress_fn *progress;
	void *ctx;
};

bool lh_hnswlib_can_write(const struct lh_index *ix)
{
	return (ix->graph || !ix->rows) && !ix->n_hidden && ix->n_pending == ix->n_dead;
}

/* ---- what is checked first ---- */

static int copy_levels(struct writing *w, struct lh_err *err)
{
	const struct lh_index *ix = w->ix;
	struct lh_index_graph g = { ix->rows, w->level };

	if (!ix->rows)
		return 0;
	memcpy(w->level, ix->level, (ix->rows + 1) * sizeof *w->level);
	if (lh_index_check_levels(&g, ix->n_upper, ix->top, err) < 0)
		return lh_err_prefix(err, "levels");
	if (w->level[ix->entry + 1] - w->level[ix->entry] != ix->top)
		return lh_err_set(err, LH_ECORRUPT,
				  "header: the graph begins at row %u, which is not on level %u",
				  ix->entry, ix->top);
	return 0;
}

/* Number the rows in the order of insertion. */
static int set_labels(struct writing *w, struct lh_err *err)
{
	uint64_t i, rows = w->ix->rows;
	int64_t row;

	memset(w->label, 0xff, rows * sizeof *w->label);
	for (i = 0; i < rows; i++) {
		row = lh_index_nth(w->ix, i, err);
		if (row < 0)
			return -1;
		if (w->label[row] != UINT32_MAX)
			return lh_err_set(err, LH_ECORRUPT, "order: row %llu occurs twice",
					  (unsigned long long)row);
		w->label[row] = (uint32_t)i;
	}
	return 0;
}

/* ---- the file ---- */

static int flush(struct writing *w, struct lh_err *err)
{
	if (lh_buf_check(&w->piece, err) < 0 ||
	    lh_atomic_write(w->out, w->piece.p, w->piece.len, err) < 0)
		return -1;
	lh_buf_reset(&w->piece);
	return 0;
}

static void put_head(struct writing *w)
{
	const struct lh_index *ix = w->ix;
	const struct lh_index_params *p = &ix->params;
	struct lh_hnswlib_head head = {
		.room = ix->rows, .rows = ix->rows,
		.vector_at = 4 * (1 + 2 * (uint64_t)p->m),
		.top = ix->rows ? (int32_t)ix->top : -1, .entry = ix->rows ? ix->entry : UINT32_MAX,
		.max_upper = p->m, .max_base = 2 * p->m, .m = p->m, .scale = 1 / log(p->m),
		.ef_construction = p->ef_construction > p->m ? p->ef_construction : p->m,
	};

	head.label_at = head.vector_at + 4 * (uint64_t)p->dimension;
	head.stride = head.label_at + 8;
	lh_buf_add(&w->piece, &head, sizeof head);
}

static int put_links(struct writing *w, const void *links, uint32_t max, uint64_t row,
		     uint32_t level, struct lh_err *err)
{
	struct lh_index_graph g = { w->ix->rows, w->level };
	uint32_t list[1 + 2 * LH_INDEX_M_MAX];

	memcpy(list, links, 4 * (1 + (size_t)max));
	if (lh_index_check_links(&g, list, max, row, level, err) < 0)
		return lh_err_prefix(err, level ? "upper" : "rows");
	lh_buf_add(&w->piece, list, 4 * (1 + (size_t)max));
	return 0;
}

static int put_row(struct writing *w, uint64_t row, struct lh_err *err)
{
	const struct lh_index *ix = w->ix;
	uint64_t label = w->label[row];

	if (put_links(w, ix->block + row * ix->stride, 2 * ix->params.m, row, 0, err) < 0)
		return -1;
	lh_index_vector(ix, row, w->vector);
	if (lh_index_check_row_vector(&ix->params, w->vector, row, err) < 0)
		return lh_err_prefix(err, "rows");
	lh_buf_add(&w->piece, w->vector, ix->params.dimension * sizeof *w->vector);
	lh_buf_add(&w->piece, &label, sizeof label);
	return 0;
}

static int put_upper(struct writing *w, uint64_t row, struct lh_err *err)
{
	uint32_t m = w->ix->params.m, level, lists = w->level[row + 1] - w->level[row];
	uint32_t bytes = lists * 4 * (1 + m);
	const uint32_t *list = w->ix->upper + w->level[row] * (1 + (size_t)m);

	lh_buf_add(&w->piece, &bytes, sizeof bytes);
	for (level = 1; level <= lists; level++, list += 1 + (size_t)m)
		if (put_links(w, list, m, row, level, err) < 0)
			return -1;
	return 0;
}

/* Write a part of each row. */
static int put_rows(struct writing *w, const char *stage,
		    int (*put)(struct writing *w, uint64_t row, struct lh_err *err),
		    struct lh_err *err)
{
	uint64_t row;

	for (row = 0; row < w->ix->rows; row++) {
		if (w->progress && row % PROGRESS_EVERY == 0)
			w->progress(w->ctx, stage, row, w->ix->rows);
		if (put(w, row, err) < 0 || (w->piece.len >= PIECE && flush(w, err) < 0))
			return -1;
	}
	return 0;
}

int lh_hnswlib_write(struct lh_atomic *out, const struct lh_index *ix,
		     lh_index_progress_fn *progress, void *ctx, struct lh_err *err)
{
	struct writing w = { .ix = ix, .out = out, .progress = progress, .ctx = ctx };
	int rc = -1;

	w.level = lh_calloc(ix->rows + 1, sizeof *w.level, err);
	w.label = lh_calloc(ix->rows + 1, sizeof *w.label, err);
	w.vector = lh_calloc(ix->params.dimension, sizeof *w.vector, err);
	if (w.level && w.label && w.vector && copy_levels(&w, err) == 0 &&
	    set_labels(&w, err) == 0) {
		put_head(&w);
		if (put_rows(&w, "file", put_row, err) == 0 &&
		    put_rows(&w, "levels", put_upper, err) == 0)
			rc = flush(&w, err);
	}
	lh_buf_free(&w.piece);
	free(w.level);
	free(w.label);
	free(w.vector);
	return rc;
}
