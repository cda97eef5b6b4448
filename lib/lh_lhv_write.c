/*
 * lh_lhv_write.c - rows gathered in the layout that the file has, then written
 * from where they lie.
 */
#include "lh_lhv_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lh_hnsw.h"
#include "lh_mem.h"
#include "lh_region.h"
#include "lh_signal_int.h"

struct lh_lhv_writer {
	char *path;
	struct lh_lhv_params p;
	struct lh_lock lock;
	bool locked;

	uint64_t rows;
	size_t stride, vector_at;
	struct lh_region block, ids, metas;
	struct lh_region id_at, meta_at, meta_n;	/* u64, u64, u32 a row */
	struct lh_region hash;
	uint64_t hash_slots;
	bool packed;		/* metadata lie in the order of rows, without gaps */

	const struct lh_lhv *old;	/* whose graph is continued, or NULL */
	uint32_t *level, *upper;
	struct lh_hnsw graph;
	struct lh_atomic out;
	bool out_open;
	struct lh_lhv_header header;
};

struct lh_lhv_writer *lh_lhv_writer_bare(const char *path, const struct lh_lhv_params *p, struct lh_err *err)
{
	struct lh_lhv_writer *w;

	if (lh_lhv_check_params(p, err) < 0) {
		err->code = LH_EUSAGE;
		return NULL;
	}
	w = lh_calloc(1, sizeof *w, err);
	if (!w)
		return NULL;
	w->p = *p;
	w->packed = true;
	w->block.huge = true;
	w->path = lh_strndup(path, strlen(path), err);
	if (!w->path) {
		lh_lhv_writer_free(w);
		return NULL;
	}
	return w;
}

struct lh_lhv_writer *lh_lhv_writer_new(const char *path, const struct lh_lhv_params *p, double lock_timeout, struct lh_err *err)
{
	struct lh_lhv_writer *w = lh_lhv_writer_bare(path, p, err);
	char *name;

	if (!w)
		return NULL;
	name = lh_lhv_beside(path, LH_LHV_LOCK, err);
	w->locked = name && lh_lock_take(&w->lock, name, lock_timeout, err) == 0;
	free(name);
	if (!w->locked) {
		lh_lhv_writer_free(w);
		return NULL;
	}
	return w;
}

void lh_lhv_writer_free(struct lh_lhv_writer *w)
{
	if (!w)
		return;
	if (w->out_open)
		lh_atomic_close(&w->out);
	if (w->locked)
		lh_lock_drop(&w->lock);
	lh_region_free(&w->block);
	lh_region_free(&w->ids);
	lh_region_free(&w->metas);
	lh_region_free(&w->id_at);
	lh_region_free(&w->meta_at);
	lh_region_free(&w->meta_n);
	lh_region_free(&w->hash);
	free(w->level);
	free(w->upper);
	free(w->path);
	free(w);
}

struct lh_lhv_params *lh_lhv_writer_params(struct lh_lhv_writer *w)
{
	return &w->p;
}

uint64_t lh_lhv_writer_count(const struct lh_lhv_writer *w)
{
	return w->rows;
}

uint64_t lh_lhv_writer_checksum(const struct lh_lhv_writer *w)
{
	return w->header.xxh3;
}

/* ---- rows ---- */

static const char *id_of(const struct lh_lhv_writer *w, uint64_t row, size_t *n)
{
	const uint64_t *at = (const uint64_t *)w->id_at.p;
	uint64_t end = row + 1 < w->rows ? at[row + 1] : w->ids.n;

	*n = end - at[row];
	return w->ids.p + at[row];
}

/* The slot of an id, or the empty one where it belongs. */
static uint32_t *slot_of(const struct lh_lhv_writer *w, uint32_t sum, const char *id, size_t n)
{
	uint32_t *hash = (uint32_t *)w->hash.p;
	uint64_t i = sum;
	const char *is;
	size_t is_n;

	for (;; i++) {
		uint32_t *slot = hash + 2 * (i & (w->hash_slots - 1));

		if (!slot[1])
			return slot;
		if (slot[0] != sum)
			continue;
		is = id_of(w, slot[1] - 1, &is_n);
		if (is_n == n && memcmp(is, id, n) == 0)
			return slot;
	}
}

/* Twice the slots; what a slot needs stands in it.  In row order, so that the
 * table depends on the ids alone. */
static int hash_grow(struct lh_lhv_writer *w, struct lh_err *err)
{
	uint64_t slots = w->hash_slots ? 2 * w->hash_slots : 16, i, to;
	const uint32_t *old = (const uint32_t *)w->hash.p;
	struct lh_region grown = { 0 };
	uint32_t *sums, *hash;

	sums = lh_calloc(w->rows, sizeof *sums, err);
	if (!sums || lh_region_room(&grown, 8 * slots, err) < 0) {
		free(sums);
		return -1;
	}
	for (i = 0; i < w->hash_slots; i++)
		if (old[2 * i + 1])
			sums[old[2 * i + 1] - 1] = old[2 * i];
	hash = (uint32_t *)grown.p;
	for (i = 0; i < w->rows; i++) {
		for (to = sums[i] & (slots - 1); hash[2 * to + 1]; to = (to + 1) & (slots - 1))
			;
		hash[2 * to] = sums[i];
		hash[2 * to + 1] = (uint32_t)i + 1;
	}
	free(sums);
	lh_region_free(&w->hash);
	grown.n = 8 * slots;
	w->hash = grown;
	w->hash_slots = slots;
	return 0;
}

/* Room in every region first, so that a row is added whole or not at all. */
static int make_room(struct lh_lhv_writer *w, size_t id_len, struct lh_err *err)
{
	if (w->rows >= LH_LHV_ROWS_MAX)
		return lh_err_set(err, LH_EDATA, "more than %u rows", LH_LHV_ROWS_MAX);
	if (2 * (w->rows + 1) > w->hash_slots && hash_grow(w, err) < 0)
		return -1;
	if (lh_region_room(&w->block, w->stride, err) < 0 || lh_region_room(&w->ids, id_len, err) < 0 ||
	    lh_region_room(&w->id_at, 16, err) < 0 || lh_region_room(&w->meta_at, 16, err) < 0 ||
	    lh_region_room(&w->meta_n, 4, err) < 0)
		return -1;
	return 0;
}

static uint64_t add_row(struct lh_lhv_writer *w, const char *id, size_t id_len)
{
	uint64_t row = w->rows++;

	((uint64_t *)w->id_at.p)[row] = w->ids.n;
	w->id_at.n += 8;
	w->meta_at.n += 8;
	w->meta_n.n += 4;
	memcpy(w->ids.p + w->ids.n, id, id_len);
	w->ids.n += id_len;
	w->block.n += w->stride;
	return row;
}

static void set_meta(struct lh_lhv_writer *w, uint64_t row, bool fresh, const char *meta, size_t n)
{
	uint64_t *at = (uint64_t *)w->meta_at.p + row;
	uint32_t *len = (uint32_t *)w->meta_n.p + row;

	if (!fresh)
		w->packed = false;
	*at = w->metas.n;
	*len = (uint32_t)n;
	if (n)
		memcpy(w->metas.p + w->metas.n, meta, n);
	w->metas.n += n;
}

static int check_put(struct lh_lhv_writer *w, const char *id, size_t id_len, const float *vector, size_t n, size_t meta_len, struct lh_err *err)
{
	struct lh_lhv_params p = w->p;

	if (!p.dimension) {
		if (n < 1 || n > LH_DIM_MAX)
			return lh_err_set(err, LH_EDATA, "vector of dimension %zu: 1 to %d", n, LH_DIM_MAX);
		p.dimension = (uint32_t)n;
	}
	if (meta_len > UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "metadata of %zu bytes: at most %u", meta_len, UINT32_MAX);
	if (lh_lhv_check_id(id, id_len, err) < 0 || lh_lhv_check_vector(&p, vector, n, err) < 0)
		return -1;
	w->p.dimension = p.dimension;
	w->vector_at = lh_lhv_vector_at(p.m);
	w->stride = lh_lhv_stride(p.m, p.dimension);
	return 0;
}

int lh_lhv_put(struct lh_lhv_writer *w, const char *id, size_t id_len, const float *vector, size_t n, const char *meta, size_t meta_len, struct lh_err *err)
{
	uint32_t sum, *slot;
	uint64_t row;
	float *to;
	bool fresh;

	if (check_put(w, id, id_len, vector, n, meta_len, err) < 0 || make_room(w, id_len, err) < 0 ||
	    lh_region_room(&w->metas, meta_len, err) < 0)
		return -1;
	sum = (uint32_t)lh_xxh3(id, id_len);
	slot = slot_of(w, sum, id, id_len);
	fresh = !slot[1];
	if (fresh) {
		row = add_row(w, id, id_len);
		slot[0] = sum;
		slot[1] = (uint32_t)row + 1;
	} else {
		row = slot[1] - 1;
	}
	to = (float *)(w->block.p + row * w->stride + w->vector_at);
	memcpy(to, vector, n * sizeof *to);
	if (w->p.distance == LH_COSINE)
		lh_vec_unit(to, n);
	set_meta(w, row, fresh, meta, meta_len);
	return 0;
}

/* ---- the file ---- */

/* Metadata in the order of rows, the texts of replaced rows left out. */
static int pack_metas(struct lh_lhv_writer *w, struct lh_err *err)
{
	uint64_t *at = (uint64_t *)w->meta_at.p, row;
	const uint32_t *n = (const uint32_t *)w->meta_n.p;
	struct lh_region packed = { 0 };

	for (row = 0; !w->packed && row < w->rows; row++) {
		if (lh_region_add(&packed, w->metas.p + at[row], n[row], err) < 0) {
			lh_region_free(&packed);
			return -1;
		}
		at[row] = packed.n - n[row];
	}
	if (!w->packed) {
		lh_region_free(&w->metas);
		w->metas = packed;
		w->packed = true;
	}
	return 0;
}

static int end_offsets(struct lh_lhv_writer *w, struct lh_err *err)
{
	if (pack_metas(w, err) < 0 || lh_region_add(&w->id_at, &(uint64_t){ w->ids.n }, 8, err) < 0 ||
	    lh_region_add(&w->meta_at, &(uint64_t){ w->metas.n }, 8, err) < 0)
		return -1;
	lh_region_free(&w->meta_n);
	return 0;
}

static bool stopping(void)
{
	return lh_signal_pending() != 0;
}

void lh_lhv_writer_continue(struct lh_lhv_writer *w, const struct lh_lhv *ix)
{
	w->old = ix;
}

/* Take over the links of the index that is continued.  Levels depend on the
 * row's number and the seed; should they not be ours, there is nothing to take. */
static void take_links(struct lh_lhv_writer *w)
{
	const struct lh_lhv *old = w->old;
	uint64_t row;

	if (!old || !old->graph || old->rows > w->rows || old->stride != w->stride ||
	    memcmp(old->level, w->level, (old->rows + 1) * sizeof *w->level) != 0)
		return;
	for (row = 0; row < old->rows; row++)
		memcpy(w->block.p + row * w->stride, old->block + row * w->stride, 4 * (1 + 2 * (size_t)w->p.m));
	memcpy(w->upper, old->upper, old->n_upper * 4 * (1 + (size_t)w->p.m));
	w->graph.done = (uint32_t)old->rows;
	w->graph.entry = old->entry;
	w->graph.top = old->top;
}

static int build_graph(struct lh_lhv_writer *w, unsigned jobs, struct lh_err *err)
{
	uint64_t lists = 0;
	uint32_t row;

	if (!w->rows || w->rows < w->p.exact_below)
		return 0;
	w->level = lh_calloc(w->rows + 1, sizeof *w->level, err);
	if (!w->level)
		return -1;
	for (row = 0; row < w->rows; row++) {
		w->level[row] = (uint32_t)lists;
		lists += lh_hnsw_level(w->p.seed, row, w->p.m);
	}
	w->level[row] = (uint32_t)lists;
	if (lists > UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "too many rows for m %u", w->p.m);
	w->upper = lh_calloc(lists * (1 + w->p.m) + 16, sizeof *w->upper, err);
	if (!w->upper)
		return -1;
	w->graph = (struct lh_hnsw){
		.block = w->block.p, .rows = (uint32_t)w->rows, .dimension = w->p.dimension,
		.stride = w->stride, .vector_at = w->vector_at, .distance = w->p.distance,
		.m = w->p.m, .ef_construction = w->p.ef_construction,
		.level = w->level, .upper = w->upper, .stop = stopping,
	};
	take_links(w);
	return lh_hnsw_build(&w->graph, jobs, err);
}

/*
 * Newer kernels keep what one write(2) brought in pages as large as the write,
 * and map them whole at the first touch of any byte: a single query, which
 * touches a thousand rows here and there, would then hold most of the file.
 * With 64 KiB it holds a fifth, and long runs are no slower.
 */
static int write_in_pieces(int fd, const char *p, uint64_t n, uint64_t at, struct lh_err *err)
{
	uint64_t piece;

	for (; n; p += piece, at += piece, n -= piece) {
		piece = n < 65536 ? n : 65536;
		if (lh_pwrite_all(fd, p, piece, (off_t)at, err) < 0)
			return -1;
	}
	return 0;
}

static int put_section(struct lh_lhv_writer *w, uint32_t kind, const void *p, uint64_t n, struct lh_err *err)
{
	static const char zero[LH_LHV_PAGE];
	struct lh_lhv_section *s = &w->header.section[w->header.n_sections++];
	uint64_t pad = lh_lhv_round(n, LH_LHV_PAGE) - n;

	*s = (struct lh_lhv_section){ .kind = kind, .at = w->header.file_bytes, .bytes = n, .xxh3 = lh_xxh3(p, n) };
	w->header.file_bytes += n + pad;
	if (write_in_pieces(w->out.fd, p, n, s->at, err) < 0)
		return -1;
	return lh_pwrite_all(w->out.fd, zero, pad, (off_t)(s->at + n), err);
}

static int put_sections(struct lh_lhv_writer *w, const struct lh_buf *params, struct lh_err *err)
{
	uint64_t n = w->rows;
	uint64_t lists = w->level ? w->level[n] : 0;

	if (put_section(w, LH_LHV_PARAMS, params->p, params->len, err) < 0 ||
	    put_section(w, LH_LHV_ROWS, w->block.p, w->block.n, err) < 0 ||
	    put_section(w, LH_LHV_LEVELS, w->level, w->level ? 4 * (n + 1) : 0, err) < 0 ||
	    put_section(w, LH_LHV_UPPER, w->upper, 4 * lists * (1 + w->p.m), err) < 0 ||
	    put_section(w, LH_LHV_ID_AT, w->id_at.p, w->id_at.n, err) < 0 ||
	    put_section(w, LH_LHV_IDS, w->ids.p, w->ids.n, err) < 0 ||
	    put_section(w, LH_LHV_ID_HASH, w->hash.p, w->hash.n, err) < 0 ||
	    put_section(w, LH_LHV_META_AT, w->meta_at.p, w->meta_at.n, err) < 0 ||
	    put_section(w, LH_LHV_METAS, w->metas.p, w->metas.n, err) < 0)
		return -1;
	return 0;
}

static int put_all(struct lh_lhv_writer *w, struct lh_err *err)
{
	struct lh_lhv_header *h = &w->header;
	struct lh_buf params;
	int rc;

	*h = (struct lh_lhv_header){
		.magic = LH_LHV_MAGIC, .version = LH_LHV_FORMAT, .byte_order = LH_LHV_BYTE_ORDER,
		.file_bytes = LH_LHV_PAGE, .rows = w->rows,
		.stride = lh_lhv_stride(w->p.m, w->p.dimension), .vector_at = lh_lhv_vector_at(w->p.m),
		.entry = w->graph.entry, .top = w->graph.top,
	};
	lh_buf_init(&params, LH_LHV_PARAMS_MAX);
	lh_lhv_params_write(&params, &w->p);
	rc = lh_buf_check(&params, err);
	if (!rc)
		rc = put_sections(w, &params, err);
	lh_buf_free(&params);
	if (rc)
		return -1;
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_lhv_header, xxh3));
	return lh_pwrite_all(w->out.fd, h, sizeof *h, 0, err);
}

int lh_lhv_prepare(struct lh_lhv_writer *w, unsigned jobs, struct lh_err *err)
{
	if (!w->p.dimension)
		return lh_err_set(err, LH_EUSAGE, "an empty index needs a dimension");
	if (build_graph(w, jobs, err) < 0 || end_offsets(w, err) < 0 || lh_atomic_open(&w->out, w->path, 0666, err) < 0)
		return -1;
	w->out_open = true;
	if (put_all(w, err) < 0)
		return lh_err_prefix(err, "%s", w->path);
	/* here, so that a swap under the lock does not wait for the disk */
	return fsync(w->out.fd) < 0 ? lh_err_sys(err, "%s: cannot sync", w->out.tmp) : 0;
}

int lh_lhv_swap(struct lh_lhv_writer *w, struct lh_err *err)
{
	return lh_atomic_commit(&w->out, err);
}

int lh_lhv_commit(struct lh_lhv_writer *w, unsigned jobs, struct lh_err *err)
{
	if (lh_lhv_prepare(w, jobs, err) < 0 ||
	    lh_lhv_log_forget(w->path, lh_lhv_writer_checksum(w), err) < 0 || lh_lhv_swap(w, err) < 0)
		return -1;
	return lh_lhv_log_remove(w->path, err);
}
