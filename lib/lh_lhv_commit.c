/*
 * lh_lhv_commit.c - the graph over the rows that a writer holds, and the file,
 * written from where they lie.
 */
#include "lh_lhv_writer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lh_mem.h"
#include "lh_signal_int.h"

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

/* ---- the graph ---- */

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
		.precision = w->p.precision,
		.m = w->p.m, .ef_construction = w->p.ef_construction,
		.level = w->level, .upper = w->upper, .stop = stopping,
	};
	take_links(w);
	return lh_hnsw_build(&w->graph, jobs, err);
}

/* ---- the file ---- */

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
	return w->p.rescore ? put_section(w, LH_LHV_EXACT, w->exact.p, w->exact.n, err) : 0;
}

static int put_all(struct lh_lhv_writer *w, struct lh_err *err)
{
	struct lh_lhv_header *h = &w->header;
	struct lh_buf params;
	int rc;

	*h = (struct lh_lhv_header){
		.magic = LH_LHV_MAGIC, .version = LH_LHV_FORMAT, .byte_order = LH_LHV_BYTE_ORDER,
		.file_bytes = LH_LHV_PAGE, .rows = w->rows,
		.stride = lh_lhv_stride(w->p.m, lh_lhv_code_bytes(&w->p)), .vector_at = lh_lhv_vector_at(w->p.m),
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

uint64_t lh_lhv_writer_checksum(const struct lh_lhv_writer *w)
{
	return w->header.xxh3;
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
