/*
 * whole_index.c - an index file, as a whole: written, created, estimated, removed.  See writer.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "index_parts.h"
#include "index_tools.h"
#include "index_words.h"
#include "vector/graph.h"
#include "writer.h"

/* ---- write the sections of an index file ---- */

/*
 * Newer kernels cache the bytes of one write(2) in pages as large as the write and
 * map such a page whole when any byte is touched: a single query, which touches a
 * thousand scattered rows, would then hold most of the file in memory.  With writes
 * of 64 KiB it holds a fifth, and long runs are as fast.
 */
static void flush(struct lh_index_out *o)
{
	if (!o->failed)
		o->failed = lh_pwrite_all(o->fd, o->piece, o->n, (off_t)o->at, &o->err) < 0;
	o->at += o->n;
	o->n = 0;
}

void lh_index_section_begin(struct lh_index_out *o, uint32_t kind)
{
	struct lh_index_header *h = o->header;

	h->section[h->n_sections] = (struct lh_index_section){ .kind = kind, .at = h->file_bytes };
	o->at = h->file_bytes;
	o->n = 0;
	lh_xxh3_begin(&o->sum);
}

static void add(struct lh_index_out *o, const char *p, uint64_t n)
{
	size_t piece;

	for (; n && !o->failed; p += piece, n -= piece) {
		piece = n < sizeof o->piece - o->n ? n : sizeof o->piece - o->n;
		memcpy(o->piece + o->n, p, piece);
		o->n += piece;
		if (o->n == sizeof o->piece)
			flush(o);
	}
}

void lh_index_section_add(struct lh_index_out *o, const void *p, uint64_t n)
{
	if (!n)
		return;
	lh_xxh3_add(&o->sum, p, n);
	add(o, p, n);
}

int lh_index_section_end(struct lh_index_out *o, struct lh_err *err)
{
	static const char zero[LH_INDEX_PAGE];
	struct lh_index_header *h = o->header;
	struct lh_index_section *s = &h->section[h->n_sections];
	uint64_t end = o->at + o->n, pad = lh_index_round(end, LH_INDEX_PAGE) - end;

	add(o, zero, pad);
	flush(o);
	if (o->failed) {
		*err = o->err;
		return -1;
	}
	s->bytes = end - s->at;
	s->xxh3 = lh_xxh3_end(&o->sum);
	h->n_sections++;
	h->file_bytes = end + pad;
	return 0;
}

int lh_index_section_write(struct lh_index_out *o, uint32_t kind, const void *p, uint64_t n,
			   struct lh_err *err)
{
	lh_index_section_begin(o, kind);
	lh_index_section_add(o, p, n);
	return lh_index_section_end(o, err);
}

/* ---- build the graph over the rows of a writer, and write the file ---- */

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

/* Write the offsets of the ids or metadata of all rows, and in the section after it these. */
static int write_texts(struct lh_index_writer *w, uint32_t at_kind,
		       struct lh_str (*text_of)(const struct lh_index_writer *w, uint64_t row),
		       struct lh_err *err)
{
	struct lh_str text;
	uint64_t i, at = 0;

	lh_index_section_begin(&w->file, at_kind);
	for (i = 0; i < w->rows; i++) {
		lh_index_section_add(&w->file, &at, sizeof at);
		at += text_of(w, lh_index_row_at(w, i)).n;
	}
	lh_index_section_add(&w->file, &at, sizeof at);
	if (lh_index_section_end(&w->file, err) < 0)
		return -1;
	lh_index_section_begin(&w->file, at_kind + 1);
	for (i = 0; i < w->rows; i++) {
		text = text_of(w, lh_index_row_at(w, i));
		lh_index_section_add(&w->file, text.p, text.n);
	}
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
	    write_texts(w, LH_INDEX_ID_AT, lh_index_writer_id, err) < 0 ||
	    lh_index_section_write(&w->file, LH_INDEX_ID_HASH, w->hash.p, w->hash.n, err) < 0 ||
	    write_texts(w, LH_INDEX_META_AT, lh_index_writer_meta, err) < 0 ||
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
	if (lh_buf_check(&params, err) < 0 || write_sections(w, &params, jobs, err) < 0 ||
	    write_lexical(w, err) < 0 || lh_qg_write_signs(w, err) < 0)
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

/* ---- create an empty index, remove an index ---- */

/* Put the empty index into place; a file that appeared meanwhile, by any program, stays. */
static int create_locked(struct lh_index_writer *w, struct lh_err *err)
{
	struct stat st;
	int rc;

	if (lstat(w->path, &st) == 0)
		return 1;
	if (errno != ENOENT)
		return lh_err_sys(err, "%s", w->path);
	if (lh_index_prepare(w, 1, err) < 0 ||
	    lh_index_log_discard(w->path, lh_index_writer_checksum(w), err) < 0)
		return -1;
	rc = lh_atomic_commit_new(&w->out, err);
	return rc ? rc : lh_index_log_remove(w->path, err);
}

int lh_index_create(const char *path, const struct lh_index_params *p, double lock_timeout,
		    struct lh_err *err)
{
	struct lh_index_writer *w = lh_index_writer_new(path, p, lock_timeout, err);
	bool was = lh_signal_deferred();
	int rc;

	if (!w)
		return -1;
	lh_signal_defer(true);
	rc = create_locked(w, err);
	lh_signal_defer(was);
	lh_index_writer_free(w);
	return rc;
}

/* Remove what killed processes left: the lock of a compaction, and temporary files. */
static void remove_leftovers(const char *path)
{
	char *compact = lh_index_sibling_path(path, LH_INDEX_COMPACT);
	char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct lh_lock lock = { .fd = -1 };
	struct stat st;

	if (lstat(compact, &st) == 0 &&
	    lh_lock_take(&lock, compact, path, 0, &(struct lh_err){ 0 }) == 0)
		lh_lock_drop(&lock);	/* this removes it; a compaction that runs does the same */
	lh_atomic_sweep(path);
	lh_atomic_sweep(log);
	free(compact);
	free(log);
}

/* The index goes before its log: without its log it would be an older state of itself. */
static int remove_locked(const char *path, struct lh_err *err)
{
	if (unlink(path) < 0)
		return errno == ENOENT ? 1 : lh_err_sys(err, "%s: cannot remove", path);
	if (lh_sync_folder(path, err) < 0 || lh_index_log_remove(path, err) < 0)
		return -1;
	remove_leftovers(path);
	return 0;
}

int lh_index_remove(const char *path, double lock_timeout, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, LH_INDEX_LOCK);
	struct lh_lock lock = { .fd = -1 };
	bool was = lh_signal_deferred();
	int rc = -1;

	lh_signal_defer(true);
	if (lh_index_refuse_link(path, err) == 0 &&
	    lh_lock_take(&lock, name, path, lock_timeout, err) == 0)
		rc = remove_locked(path, err);
	lh_lock_drop(&lock);
	lh_signal_defer(was);
	return rc;
}

void lh_index_sweep_lock(const char *path)
{
	static const char *const ending[] = { LH_INDEX_LOCK, LH_INDEX_COMPACT };
	struct lh_err unused;
	struct lh_lock lock;
	size_t i;

	for (i = 0; i < 2; i++) {
		LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, ending[i]);

		if (access(name, F_OK) == 0 && lh_lock_take(&lock, name, path, 0, &unused) == 0)
			lh_lock_drop(&lock);
	}
}
