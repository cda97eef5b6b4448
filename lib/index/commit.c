/*
 * commit.c - build the graph over the rows of a writer, and write the file.
 */
#include "index_tools.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index_words.h"
#include "base/mem.h"
#include "base/signal.h"

#define PROGRESS_EVERY 4096	/* rows */

void lh_index_writer_watch(struct lh_index_writer *w, lh_index_progress_fn *progress, void *ctx)
{
	w->progress = progress;
	w->progress_ctx = ctx;
}

void lh_index_report_progress(const struct lh_index_writer *w, const char *stage, uint64_t done)
{
	if (w->progress && (done % PROGRESS_EVERY == 0 || done == w->rows))
		w->progress(w->progress_ctx, stage, done, w->rows);
}

/* ---- the graph ---- */

void lh_index_report_graph(void *ctx, uint64_t rows)
{
	const struct lh_index_writer *w = ctx;

	w->progress(w->progress_ctx, "graph", rows, w->rows);
}

bool lh_index_stopping(void)
{
	return lh_signal_pending() != 0;
}

static int build_graph(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	if (!w->rows || w->rows < w->p.exact_below)
		return 0;
	w->linked = true;
	return lh_qg_link_rows(w, jobs, err);
}

/* ---- the file ---- */

static uint32_t stored_number(const struct lh_index_writer *w, uint64_t row)
{
	return w->stored_at ? w->stored_at[row] : (uint32_t)row;
}

/* Write the ids or metadata of all rows, or (write_offsets) their offsets. */
static int write_texts(struct lh_index_writer *w, uint32_t kind,
		       struct lh_str (*text_of)(const struct lh_index_writer *w, uint64_t row),
		       struct lh_err *err)
{
	uint64_t i;

	lh_index_section_begin(&w->file, kind);
	for (i = 0; i < w->rows; i++) {
		struct lh_str text = text_of(w, lh_index_row_at(w, i));

		lh_index_section_add(&w->file, text.p, text.n);
	}
	return lh_index_section_end(&w->file, err);
}

static int write_offsets(struct lh_index_writer *w, uint32_t kind,
			 struct lh_str (*text_of)(const struct lh_index_writer *w, uint64_t row),
			 struct lh_err *err)
{
	uint64_t i, at = 0;

	lh_index_section_begin(&w->file, kind);
	for (i = 0; i < w->rows; i++) {
		lh_index_section_add(&w->file, &at, sizeof at);
		at += text_of(w, lh_index_row_at(w, i)).n;
	}
	lh_index_section_add(&w->file, &at, sizeof at);
	return lh_index_section_end(&w->file, err);
}

static int write_exact(struct lh_index_writer *w, struct lh_err *err)
{
	size_t bytes = lh_index_exact_bytes(&w->p);
	uint64_t i;

	lh_index_section_begin(&w->file, LH_INDEX_EXACT);
	for (i = 0; i < w->rows; i++)
		lh_index_section_add(&w->file, w->exact.p + lh_index_row_at(w, i) * bytes, bytes);
	return lh_index_section_end(&w->file, err);
}

static int write_order(struct lh_index_writer *w, struct lh_err *err)
{
	uint32_t at;
	uint64_t i;

	lh_index_section_begin(&w->file, LH_INDEX_ORDER);
	for (i = 0; w->order && i < w->rows; i++) {
		at = stored_number(w, lh_index_nth_added(w, i));
		lh_index_section_add(&w->file, &at, sizeof at);
	}
	return lh_index_section_end(&w->file, err);
}

static int write_sections(struct lh_index_writer *w, const struct lh_buf *params, unsigned jobs,
			  struct lh_err *err)
{
	if (lh_index_section_write(&w->file, LH_INDEX_PARAMS, params->p, params->len, err) < 0 ||
	    lh_qg_write_rows(w, jobs, err) < 0 ||
	    lh_index_section_write(&w->file, LH_INDEX_LEVELS, NULL, 0, err) < 0 ||
	    lh_index_section_write(&w->file, LH_INDEX_UPPER, NULL, 0, err) < 0 ||
	    write_offsets(w, LH_INDEX_ID_AT, lh_index_writer_id, err) < 0 ||
	    write_texts(w, LH_INDEX_IDS, lh_index_writer_id, err) < 0 ||
	    lh_index_section_write(&w->file, LH_INDEX_ID_HASH, w->hash.p, w->hash.n, err) < 0 ||
	    write_offsets(w, LH_INDEX_META_AT, lh_index_writer_meta, err) < 0 ||
	    write_texts(w, LH_INDEX_METAS, lh_index_writer_meta, err) < 0 ||
	    (w->p.rescore && write_exact(w, err) < 0) || write_order(w, err) < 0)
		return -1;
	return 0;
}

/* ---- the words ---- */

static struct lh_str meta_at(const void *ctx, uint64_t i)
{
	const struct lh_index_writer *w = ctx;

	lh_index_report_progress(w, "words", i);
	return lh_index_writer_meta(w, lh_index_row_at(w, i));
}

static int build_lexical(struct lh_index_writer *w, struct lh_err *err)
{
	if (!w->p.lexical)
		return 0;
	w->words = lh_lexical_build_new();
	if (lh_index_lexical_build(&w->p, meta_at, w, w->rows, w->words, &w->lexical, err) < 0)
		return -1;
	lh_index_report_progress(w, "words", w->rows);
	return 0;
}

static int write_lexical(struct lh_index_writer *w, struct lh_err *err)
{
	const struct lh_lexical *x = &w->lexical;

	if (!w->p.lexical)
		return 0;
	if (lh_index_section_write(&w->file, LH_INDEX_LENGTHS, x->length, 4 * x->rows, err) < 0 ||
	    lh_index_section_write(&w->file, LH_INDEX_TERMS, x->term - 1,
				   sizeof x->head + (x->terms + 1) * sizeof *x->term, err) < 0 ||
	    lh_index_section_write(&w->file, LH_INDEX_TERM_TEXTS, x->texts, x->texts_n, err) < 0 ||
	    lh_index_section_write(&w->file, LH_INDEX_POSTINGS, x->postings, x->postings_n, err) <
		    0)
		return -1;
	return 0;
}

static int write_file(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	struct lh_index_header *h = &w->header;
	struct lh_index_shape shape;
	LH_SCOPED(lh_buf_free) struct lh_buf params = { 0 };
	int rc;

	lh_index_get_shape(&w->p, w->linked, &shape);
	*h = (struct lh_index_header){
		.magic = LH_INDEX_MAGIC,
		.version = LH_INDEX_FORMAT,
		.id_seed = w->id_seed,
		.byte_order = LH_INDEX_BYTE_ORDER,
		.file_bytes = LH_INDEX_PAGE,
		.rows = w->rows,
		.stride = (uint32_t)shape.stride,
		.entry = stored_number(w, w->entry),
	};
	w->file.fd = w->out.fd;
	w->file.header = h;
	lh_buf_init(&params, LH_INDEX_PARAMS_MAX);
	lh_index_params_write(&params, &w->p);
	rc = lh_buf_check(&params, err);
	if (!rc)
		rc = write_sections(w, &params, jobs, err);
	if (!rc)
		rc = write_lexical(w, err);
	if (!rc)
		rc = lh_qg_write_signs(w, err);
	if (rc)
		return -1;
	lh_index_report_progress(w, "file", w->rows);
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_index_header, xxh3));
	return lh_pwrite_all(w->out.fd, h, sizeof *h, 0, err);
}

int lh_index_prepare(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	if (!w->p.dimension)
		return lh_err_set(err, LH_EUSAGE, "an empty index needs a dimension");
	lh_index_choose_codes(&w->p);
	if (build_graph(w, jobs, err) < 0 || lh_index_order_rows(w, err) < 0 ||
	    lh_index_build_id_table(w, err) < 0 || build_lexical(w, err) < 0 ||
	    lh_atomic_open(&w->out, w->path, 0666, err) < 0)
		return -1;
	w->out_open = true;
	if (write_file(w, jobs, err) < 0)
		return lh_err_prefix(err, "%s", w->path);
	/* Sync here, so that a swap under the lock does not wait for the disk. */
	return fsync(w->out.fd) < 0 ? lh_err_sys(err, "%s: cannot sync", w->out.tmp) : 0;
}

const char *lh_index_writer_file(const struct lh_index_writer *w)
{
	return w->out.tmp;
}

uint64_t lh_index_writer_checksum(const struct lh_index_writer *w)
{
	return w->header.xxh3;
}

int lh_index_swap(struct lh_index_writer *w, struct lh_err *err)
{
	return lh_atomic_commit(&w->out, err);
}

int lh_index_commit(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	if (lh_index_prepare(w, jobs, err) < 0 ||
	    lh_index_log_discard(w->path, lh_index_writer_checksum(w), err) < 0 ||
	    lh_index_swap(w, err) < 0)
		return -1;
	return lh_index_log_remove(w->path, err);
}
