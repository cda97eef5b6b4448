/*
 * take_over.c - copy rows and links from another index.  Everything is copied first
 * and then checked, as the file may be written to meanwhile.
 */
#include "writer.h"
#include "index_tools.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define GONE_PART 8	/* a graph is built again when an eighth of its rows is gone */

/* Report a failed check as damage of that section of the source. */
static int damage_of(uint32_t kind, struct lh_err *err)
{
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return err->code == LH_ECORRUPT ? lh_err_prefix(err, "%s", lh_index_kind_name(kind)) : -1;
}

/* Copy the id and metadata of a row that is new to the writer. */
static int copy_texts(struct lh_index_writer *w, const struct lh_index *ix, uint64_t from,
		      uint64_t *row, struct lh_err *err)
{
	struct lh_row r;
	char id[LH_ID_MAX];

	if (lh_index_base_row(ix, from, &r, err) < 0)
		return -1;
	memcpy(id, r.id.p, r.id.n);
	if (lh_index_check_id(id, r.id.n, err) < 0)
		return damage_of(LH_INDEX_IDS, err);
	if (lh_index_check_row_meta(&w->scan, &w->meta, r.meta, from, err) < 0)
		return damage_of(LH_INDEX_METAS, err);
	if (lh_index_writer_add(w, id, r.id.n, w->meta.p, w->meta.len, row, err) < 0)
		return -1;
	if (w->rows == w->rows_before)
		return lh_err_set(err, LH_ECORRUPT, "ids: row %llu has the id of another row",
				  (unsigned long long)from);
	w->rows_before = w->rows;
	return 0;
}

int lh_index_copy_row(struct lh_index_writer *w, const struct lh_index *ix, uint64_t from,
		      struct lh_err *err)
{
	uint64_t row;
	void *code, *exact;

	lh_index_set_layout(w, ix->params.dimension);
	if (copy_texts(w, ix, from, &row, err) < 0)
		return -1;
	code = lh_index_writer_code(w, row);
	memcpy(code, lh_index_code(ix, from), lh_index_code_bytes(&w->p));
	if (lh_index_check_row_code(&w->p, code, w->unit, from, err) < 0)
		return damage_of(LH_INDEX_ROWS, err);
	if (ix == w->repaired) {
		w->kept = (uint32_t)w->rows;
		w->number_of[from] = w->kept;
	}
	if (!w->p.rescore)
		return 0;
	exact = lh_index_writer_exact(w, row);
	memcpy(exact, lh_index_exact(ix, from), lh_index_exact_bytes(&w->p));
	return lh_index_check_row_vector(&w->p, exact, from, err) < 0 ?
		       damage_of(LH_INDEX_EXACT, err) :
		       0;
}

/* It was valid when it was stored, but its metadata may be those of a row of the file. */
int lh_index_copy_pending(struct lh_index_writer *w, const struct lh_pending *row,
			  struct lh_err *err)
{
	if (row->dead)
		return 0;
	if (lh_index_check_row_meta(&w->scan, &w->meta, row->meta, w->rows, err) < 0)
		return damage_of(LH_INDEX_METAS, err);
	if (lh_index_put(w, row->id.p, row->id.n, row->vector, w->p.dimension, w->meta.p,
			 w->meta.len, err) == 0)
		return 0;
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return -1;
}

/* Add a row whose vector is stored in another way. */
static int put_decoded(struct lh_index_writer *w, const struct lh_index *ix, uint64_t at,
		       const struct lh_row *row, struct lh_err *err)
{
	uint32_t n = ix->params.dimension;
	LH_SCOPED(lh_free_local) float *v = lh_calloc(n, sizeof *v);
	int rc = lh_index_check_row_meta(&w->scan, &w->meta, row->meta, at, err);

	if (rc == 0) {
		lh_index_vector(ix, at, v);
		rc = lh_index_put(w, row->id.p, row->id.n, v, n, w->meta.p, w->meta.len, err);
	}
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return rc;
}

int lh_index_writer_take(struct lh_index_writer *w, const struct lh_index *ix, uint64_t at,
			 const struct lh_row *row, struct lh_err *err)
{
	const struct lh_index_params *of = &ix->params;
	int rc;

	if (lh_index_writer_has(w, row->id))
		return 0;
	if (at >= ix->rows)
		rc = lh_index_copy_pending(w, &ix->pending[at - ix->rows], err);
	else if (of->precision == w->p.precision && of->rescore == w->p.rescore)
		rc = lh_index_copy_row(w, ix, at, err);
	else
		rc = put_decoded(w, ix, at, row, err);
	return rc < 0 ? -1 : 1;
}

void lh_index_writer_continue(struct lh_index_writer *w, const struct lh_index *ix)
{
	w->old = ix;
}

void lh_index_writer_repair(struct lh_index_writer *w, const struct lh_index *ix)
{
	uint64_t gone = ix->params.repaired + ix->n_hidden;

	w->p.repaired = 0;
	if (!ix->graph || gone > ix->rows / GONE_PART)
		return;
	w->p.repaired = (uint32_t)gone;
	w->number_of = lh_calloc(ix->rows, sizeof *w->number_of);
	w->repaired = ix;
}

int lh_index_copy_lanes(const struct lh_index *old, uint64_t row, uint32_t *links,
			struct lh_err *err)
{
	memcpy(links, old->block + row * old->stride + old->shape.ids_at,
	       2 * old->params.m * sizeof *links);
	return lh_index_check_lanes(old, links, row, err) < 0 ? damage_of(LH_INDEX_ROWS, err) : 0;
}

int lh_index_copy_order(struct lh_index_writer *w, struct lh_err *err)
{
	uint64_t i, n = w->old->rows;
	LH_SCOPED(lh_free_local) bool *there = lh_calloc(n, sizeof *there);
	int rc = 0;

	w->old_order = lh_calloc(n, sizeof *w->old_order);
	memcpy(w->old_order, w->old->order, n * sizeof *w->old_order);
	for (i = 0; rc == 0 && i < n; i++) {
		if (w->old_order[i] >= n || there[w->old_order[i]])
			rc = lh_err_set(err, LH_ECORRUPT, "order: entry %llu is row %u",
					(unsigned long long)i, w->old_order[i]);
		else
			there[w->old_order[i]] = true;
	}
	return rc;
}
