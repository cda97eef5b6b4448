/*
 * hnswlib_write.c - write an index as a file of the library hnswlib.  Row r becomes element r,
 * with its links; an index may be damaged, so each part is copied and checked first.
 *
 * An index without a graph over its live rows is copied to a temporary one that has one.  The
 * vectors are still those of the index, as they are stored.
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
	const struct lh_index *ix;	/* of the graph */
	const struct lh_index *vectors;	/* ix itself, or the index that it is a copy of, ... */
	uint32_t *original;		/* ... and the row there of each label */
	struct lh_atomic *out;
	struct lh_buf piece;
	uint32_t *level;	/* a copy, checked */
	uint32_t *label;	/* of each row */
	float *vector;
	lh_index_progress_fn *progress;
	void *ctx;
};

bool lh_hnswlib_has_graph(const struct lh_index *ix)
{
	return (ix->level || !ix->rows) && !ix->n_hidden && ix->n_pending == ix->n_dead;
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
	if (lh_atomic_write(w->out, w->piece.p, w->piece.len, err) < 0)
		return -1;
	lh_buf_reset(&w->piece);
	return 0;
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
	lh_index_vector(w->vectors, w->original ? w->original[label] : row, w->vector);
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

static int write_file(struct writing *w, struct lh_err *err)
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

	w->level = lh_calloc(ix->rows + 1, sizeof *w->level);
	w->label = lh_calloc(ix->rows + 1, sizeof *w->label);
	w->vector = lh_calloc(ix->params.dimension, sizeof *w->vector);
	if (copy_levels(w, err) < 0 || set_labels(w, err) < 0)
		return -1;
	head.label_at = head.vector_at + 4 * (uint64_t)p->dimension;
	head.stride = head.label_at + 8;
	lh_buf_add(&w->piece, &head, sizeof head);
	if (put_rows(w, "file", put_row, err) < 0 || put_rows(w, "levels", put_upper, err) < 0)
		return -1;
	return flush(w, err);
}

/* ---- a graph for an index without one ---- */

static int copy_rows(struct writing *w, struct lh_index_writer *to, struct lh_err *err)
{
	uint64_t i, at, n = lh_index_rows(w->vectors);
	struct lh_row row;
	int live;

	w->original = lh_calloc(n + 1, sizeof *w->original);
	w->vector = lh_calloc(w->vectors->params.dimension, sizeof *w->vector);
	for (i = 0; i < n; i++) {
		live = lh_index_nth_row(w->vectors, i, &at, &row, err);
		if (live < 0)
			return -1;
		if (!live)
			continue;
		lh_index_vector(w->vectors, at, w->vector);
		w->original[lh_index_writer_count(to)] = (uint32_t)at;
		if (lh_index_put(to, row.id.p, row.id.n, w->vector, w->vectors->params.dimension,
				 NULL, 0, err) < 0)
			return -1;
	}
	free(w->vector);
	w->vector = NULL;
	return 0;
}

static int build_and_write(struct writing *w, struct lh_index_writer *to, unsigned jobs,
			   struct lh_err *err)
{
	struct lh_index *copy;
	int rc;

	lh_index_writer_watch(to, w->progress, w->ctx);
	if (copy_rows(w, to, err) < 0 || lh_index_prepare(to, jobs, err) < 0)
		return -1;
	w->ix = copy = lh_index_open_base(lh_index_writer_file(to), err);
	rc = copy ? write_file(w, err) : -1;
	lh_index_close(copy);
	return rc;
}

static int write_copy(struct writing *w, unsigned jobs, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_index_sibling_path(w->out->path, "-graph");
	struct lh_index_params p = w->vectors->params;
	struct lh_index_writer *to;
	int rc = -1;

	p.layout = LH_LAYOUT_HNSW;
	p.precision = LH_F32;
	p.rescore = false;
	p.lexical = LH_LEXICAL_NONE;
	p.exact_below = 0;
	to = lh_index_writer_bare(path, &p, err);
	if (to)
		rc = build_and_write(w, to, jobs, err);
	lh_index_writer_free(to);
	return rc;
}

int lh_hnswlib_write(struct lh_atomic *out, const struct lh_index *ix, unsigned jobs,
		     lh_index_progress_fn *progress, void *ctx, struct lh_err *err)
{
	struct writing w = {
		.ix = ix, .vectors = ix, .out = out, .progress = progress, .ctx = ctx,
	};
	int rc = lh_hnswlib_has_graph(ix) ? write_file(&w, err) : write_copy(&w, jobs, err);

	lh_buf_free(&w.piece);
	free(w.level);
	free(w.label);
	free(w.original);
	free(w.vector);
	return rc;
}
