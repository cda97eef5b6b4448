/* writer.c - gather rows in the layout of the file. */
#include "index_tools.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct lh_str lh_index_writer_id(const struct lh_index_writer *w, uint64_t row)
{
	const uint64_t *at = (const uint64_t *)w->id_at.p;
	uint64_t end = row + 1 < w->rows ? at[row + 1] : w->ids.n;

	return (struct lh_str){ w->ids.p + at[row], end - at[row] };
}

struct lh_str lh_index_writer_meta(const struct lh_index_writer *w, uint64_t row)
{
	return (struct lh_str){ w->metas.p + ((const uint64_t *)w->meta_at.p)[row],
				((const uint32_t *)w->meta_n.p)[row] };
}

static struct lh_str id_at(const void *ctx, uint32_t row)
{
	return lh_index_writer_id(ctx, row);
}

void lh_index_choose_codes(struct lh_index_params *p)
{
	p->code_values = lh_qg_code_values(lh_index_lifted(p), p->precision);
}

struct lh_index_writer *lh_index_writer_bare(const char *path, const struct lh_index_params *p,
					     struct lh_err *err)
{
	struct lh_index_writer *w;

	if (lh_index_check_params(p, err) < 0) {
		err->code = LH_EUSAGE;
		return NULL;
	}
	w = lh_calloc(1, sizeof *w);
	w->p = *p;
	w->p.longest = w->p.outside = 0;
	w->block.huge = true;
	w->path = lh_strndup(path, strlen(path));
	return w;
}

struct lh_index_writer *lh_index_writer_new(const char *path, const struct lh_index_params *p,
					    double lock_timeout, struct lh_err *err)
{
	struct lh_index_writer *w = lh_index_writer_bare(path, p, err);
	char *name;

	if (!w)
		return NULL;
	name = lh_index_sibling_path(path, LH_INDEX_LOCK);
	w->locked = lh_lock_take(&w->lock, name, path, lock_timeout, err) == 0;
	free(name);
	if (!w->locked) {
		lh_index_writer_free(w);
		return NULL;
	}
	return w;
}

void lh_index_writer_free(struct lh_index_writer *w)
{
	if (!w)
		return;
	if (w->out_open)
		lh_atomic_close(&w->out);
	if (w->locked)
		lh_lock_drop(&w->lock);
	lh_growable_free(&w->block);
	lh_growable_free(&w->exact);
	free(w->unit);
	lh_growable_free(&w->ids);
	lh_growable_free(&w->metas);
	lh_growable_free(&w->id_at);
	lh_growable_free(&w->meta_at);
	lh_growable_free(&w->meta_n);
	lh_table_free(&w->by_id);
	lh_growable_free(&w->hash);
	lh_lexical_build_free(w->words);
	free(w->links);
	free(w->order);
	free(w->stored_at);
	free(w->old_order);
	free(w->number_of);
	free(w->in_graph);
	lh_record_free(&w->scan);
	lh_buf_free(&w->meta);
	free(w->path);
	free(w);
}

struct lh_index_params *lh_index_writer_params(struct lh_index_writer *w)
{
	return &w->p;
}

uint64_t lh_index_writer_count(const struct lh_index_writer *w)
{
	return w->rows;
}

const float *lh_index_writer_row(const struct lh_index_writer *w, uint64_t row, struct lh_row *out)
{
	out->id = lh_index_writer_id(w, row);
	out->meta = lh_index_writer_meta(w, row);
	if (w->p.rescore)
		return (const void *)(w->exact.p + row * lh_index_exact_bytes(&w->p));
	return (const void *)(w->block.p + row * w->stride);
}

/* ---- rows ---- */

void *lh_index_writer_code(struct lh_index_writer *w, uint64_t row)
{
	return w->block.p + row * w->stride;
}

void *lh_index_writer_exact(struct lh_index_writer *w, uint64_t row)
{
	return w->exact.p + row * lh_index_exact_bytes(&w->p);
}

/* Reserve room in every region first, so that a row is added completely or not at all. */
static int make_room(struct lh_index_writer *w, size_t id_len, struct lh_err *err)
{
	if (w->rows >= LH_INDEX_ROWS_MAX)
		return lh_err_data(err, 413, "more than %u rows", LH_INDEX_ROWS_MAX);
	lh_growable_room(&w->block, w->stride);
	lh_growable_room(&w->ids, id_len);
	lh_growable_room(&w->exact, lh_index_exact_bytes(&w->p));
	lh_growable_room(&w->id_at, 16);
	lh_growable_room(&w->meta_at, 16);
	lh_growable_room(&w->meta_n, 4);
	return 0;
}

static uint64_t add_row(struct lh_index_writer *w, const char *id, size_t id_len)
{
	uint64_t row = w->rows++;

	((uint64_t *)w->id_at.p)[row] = w->ids.n;
	w->id_at.n += 8;
	w->meta_at.n += 8;
	w->meta_n.n += 4;
	memcpy(w->ids.p + w->ids.n, id, id_len);
	w->ids.n += id_len;
	w->block.n += w->stride;
	w->exact.n += lh_index_exact_bytes(&w->p);
	return row;
}

void lh_index_set_layout(struct lh_index_writer *w, uint32_t dimension)
{
	struct lh_index_shape shape;

	if (!w->unit)
		w->unit = lh_calloc(dimension, sizeof *w->unit);
	w->p.dimension = dimension;
	lh_index_choose_codes(&w->p);
	lh_index_get_shape(&w->p, false, &shape);
	w->stride = shape.stride;
}

static int check_put(struct lh_index_writer *w, const char *id, size_t id_len, const float *vector,
		     size_t n, size_t meta_len, struct lh_err *err)
{
	struct lh_index_params p = w->p;

	if (!p.dimension) {
		if (n < 1 || n > LH_DIM_MAX)
			return lh_err_set(err, LH_EDATA, "vector of dimension %zu: 1 to %d", n,
					  LH_DIM_MAX);
		p.dimension = (uint32_t)n;
	}
	if (meta_len > UINT32_MAX)
		return lh_err_data(err, 413, "metadata of %zu bytes: at most %u", meta_len,
				   UINT32_MAX);
	if (lh_index_check_id(id, id_len, err) < 0 || lh_index_check_vector(&p, vector, n, err) < 0)
		return -1;
	lh_index_set_layout(w, p.dimension);
	return 0;
}

bool lh_index_writer_has(const struct lh_index_writer *w, struct lh_str id)
{
	return lh_table_find(&w->by_id, id, id_at, w) >= 0;
}

int lh_index_writer_add(struct lh_index_writer *w, const char *id, size_t id_len, const char *meta,
			size_t meta_len, uint64_t *row, struct lh_err *err)
{
	struct lh_str key = { id, id_len };
	int64_t known = lh_table_find(&w->by_id, key, id_at, w);

	if (make_room(w, id_len, err) < 0)
		return -1;
	lh_growable_room(&w->metas, meta_len);
	if (known < 0)
		lh_table_set(&w->by_id, key, (uint32_t)w->rows, id_at, w);
	*row = known < 0 ? add_row(w, id, id_len) : (uint64_t)known;
	((uint64_t *)w->meta_at.p)[*row] = w->metas.n;
	((uint32_t *)w->meta_n.p)[*row] = (uint32_t)meta_len;
	if (meta_len)
		memcpy(w->metas.p + w->metas.n, meta, meta_len);
	w->metas.n += meta_len;
	return 0;
}

int lh_index_put(struct lh_index_writer *w, const char *id, size_t id_len, const float *vector,
		 size_t n, const char *meta, size_t meta_len, struct lh_err *err)
{
	uint64_t row;

	if (check_put(w, id, id_len, vector, n, meta_len, err) < 0 ||
	    lh_index_writer_add(w, id, id_len, meta, meta_len, &row, err) < 0)
		return -1;
	memcpy(w->unit, vector, n * sizeof *w->unit);
	if (w->p.distance == LH_COSINE)
		lh_vec_unit(w->unit, n);
	lh_quantize_encode(w->p.precision, w->p.distance, w->unit, w->p.dimension,
			   lh_index_writer_code(w, row));
	if (w->p.rescore)
		memcpy(lh_index_writer_exact(w, row), w->unit, n * sizeof *w->unit);
	return 0;
}
