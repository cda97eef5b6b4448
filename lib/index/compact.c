/*
 * compact.c - compaction: build a new index file from an index and its INDEX-log.
 * See index.h.
 *
 * The new file is built from a snapshot, without the index's lock; the lock is held
 * only to swap files.  Changes appended meanwhile must be carried over.  Index and
 * log are two files, so the swap takes several steps, and no acknowledged change
 * may be lost wherever it is interrupted:
 *
 *   1. The log is replaced by one that holds the frames of the old index, then a
 *      mark with the checksum of the new index, and the frames to carry over.
 *   2. The new index is renamed into place.
 *   3. The log is replaced by one that holds only the part of the new index.
 *
 * Before step 2, the old index is in place, and the log, old or replaced, holds
 * all its frames.  From step 2 on, the new index is in place, and the log holds
 * what it lacks.  A crash between two steps leaves a part in the log that matches
 * no index; the next append cuts it off if it is at the end, otherwise the next
 * compaction drops it.  A reader that opens the old index before step 2 and the
 * log after step 3 finds nothing for it there, but then finds another index at the
 * path and starts over.
 *
 * If the new index has exactly the bytes of the old one, both parts would have the
 * same checksum.  Then step 2 changes nothing, and step 3 alone is the swap.
 *
 * Of a row that no walk gets to, the builder of the graph makes a link (vector/graph.h); so an
 * index with such a row is built anew by a compaction that was asked for, even if its log is
 * empty.
 *
 * One compaction runs at a time, under a lock of its own, INDEX-compact; other
 * writers append meanwhile.
 */
#include "index_tools.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index_log.h"
#include "base/mem.h"
#include "base/signal.h"

#define COMPACT_TRIES 8	/* attempts, when another compaction or build replaces the index first */
#define COMPACT_ROUNDS 8	/* compactions in a row by a writer that was not asked to compact */

/* What to do while another process compacts: wait, then compact what is left; nothing;
 * wait. */
enum compact_mode { COMPACT_ALL, COMPACT_UNLESS_BUSY, COMPACT_FOR_ROOM };

struct how {
	enum compact_mode mode;
	unsigned jobs;
	double lock_timeout;
	lh_index_progress_fn *progress;	/* NULL: none */
	void *ctx;
	bool persons;			/* say in the new file that its records are persons */
};

struct compaction {
	const char *path;
	const struct how *how;
	struct lh_index *snapshot;	/* what is compacted */
	struct lh_index_writer *writer;
	struct lh_buf log;	/* the log at the time of the swap */
	struct lh_buf carry, mark;
};

enum { COMPACT_DONE, COMPACT_MOOT, COMPACT_BUSY, COMPACT_AGAIN };

/* Return whether the vector would be stored as that row's is.  code is scratch for a
 * code. */
static bool is_same_vector(const struct lh_index *ix, uint64_t row, const float *v, void *code)
{
	const struct lh_index_params *p = &ix->params;

	if (lh_quantize_check(p->precision, v, p->dimension, &(struct lh_err){ 0 }) < 0)
		return false;
	lh_quantize_encode(p->precision, p->distance, v, p->dimension, code);
	return memcmp(code, lh_index_code(ix, row), lh_index_code_bytes(p)) == 0 &&
	       (!p->rescore || memcmp(v, lh_index_exact(ix, row), lh_index_exact_bytes(p)) == 0);
}

/* Say of each row of the file whether it is gone: hidden, unless the put that hides it has its
 * vector, and so may have changed its metadata only.  Returns how many are, or -1. */
static int64_t find_gone(const struct lh_index *ix, bool *gone, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) void *code = lh_calloc(1, lh_index_code_bytes(&ix->params));
	struct lh_row row;
	int64_t at, n = 0;
	uint64_t i;

	for (i = 0; ix->n_hidden && i < ix->rows; i++) {
		if (!lh_index_hidden(ix, i))
			continue;
		if (lh_index_base_row(ix, i, &row, err) < 0)
			return -1;
		at = lh_index_log_find(ix, row.id.p, row.id.n);
		gone[i] = at < 0 || !is_same_vector(ix, i, ix->pending[at].vector, code);
		n += gone[i];
	}
	return n;
}

/* Copy the rows of the file that are not gone: by their numbers if its graph is continued, else in
 * the order of the puts. */
static int copy_rows(struct compaction *f, struct lh_err *err)
{
	const struct lh_index *ix = f->snapshot;
	LH_SCOPED(lh_free_local) bool *gone = lh_calloc(ix->rows, sizeof *gone);
	int64_t row, n = find_gone(ix, gone, err);
	bool by_number;
	uint64_t i;

	if (n < 0)
		return -1;
	by_number = lh_index_writer_continue(f->writer, ix, (uint64_t)n);
	for (i = 0; i < ix->rows; i++) {
		row = by_number ? (int64_t)i : lh_index_nth(ix, i, err);
		if (row < 0)
			return -1;
		if (!gone[row] && lh_index_copy_row(f->writer, ix, (uint64_t)row, err) < 0)
			return -1;
	}
	return 0;
}

/* Build a file of the live rows of the snapshot.  A put of a row that is not gone takes its
 * place. */
static int build_index(struct compaction *f, struct lh_err *err)
{
	struct lh_index_params params = f->snapshot->params;
	uint64_t i;

	params.persons |= f->how->persons;

	if (lh_index_check_sums(f->snapshot, err) < 0)
		return -1;
	f->writer = lh_index_writer_bare(f->path, &params, err);
	if (!f->writer)
		return -1;
	lh_index_writer_watch(f->writer, f->how->progress, f->how->ctx);
	if (copy_rows(f, err) < 0)
		return -1;
	for (i = 0; i < f->snapshot->n_pending; i++)
		if (lh_index_copy_pending(f->writer, &f->snapshot->pending[i], err) < 0)
			return -1;
	return lh_index_prepare(f->writer, f->how->jobs, err);
}

static int build(struct compaction *f, struct lh_err *err)
{
	int rc = build_index(f, err);

	return rc < 0 && err->code == LH_ECORRUPT ? lh_err_prefix(err, "%s", f->path) : rc;
}

/* Read the log again and collect the frames that were appended after the snapshot.
 * Returns 1, or 0 when the index or the log before that has changed. */
static int collect_later_frames(struct compaction *f, struct lh_err *err)
{
	const struct lh_buf *was = lh_index_log_text(f->snapshot);
	size_t n = f->snapshot->torn_at < 0 ? was->len : (size_t)f->snapshot->torn_at;
	struct lh_index *now = lh_index_open_base(f->path, err);
	int same;

	if (!now)
		return -1;
	same = now->checksum == f->snapshot->checksum;
	lh_index_close(now);
	if (lh_log_read(f->path, &f->log, err) < 0)
		return -1;
	if (!same || f->log.len < n || (n && memcmp(f->log.p, was->p, n) != 0))
		return 0;
	return lh_log_collect(&f->log, f->snapshot->checksum, false, n, &f->carry, err) < 0 ? -1 :
											      1;
}

/* Do step 1 of the swap. */
static int write_combined_log(struct compaction *f, struct lh_err *err)
{
	uint64_t old = f->snapshot->checksum;
	uint32_t dimension = f->snapshot->params.dimension;
	LH_SCOPED(lh_buf_free) struct lh_buf both = { 0 };
	int rc;

	lh_log_add_mark(&both, old, dimension);
	rc = lh_log_collect(&f->log, old, false, 0, &both, err);
	lh_buf_add(&both, f->mark.p, f->mark.len);
	return rc ? rc : lh_log_replace(f->path, &both, &f->carry, err);
}

/* Return whether so much was appended meanwhile that compaction is due again. */
static bool is_due_again(const struct compaction *f)
{
	struct lh_log_frame frame = { .next = 0 };
	uint64_t n = 0;

	while (lh_log_next(f->carry.p, f->carry.len, false, &frame) == LH_LOG_FRAME)
		n++;
	return n > lh_log_bound(lh_index_writer_count(f->writer));
}

static int swap_files(struct compaction *f, struct lh_err *err)
{
	uint64_t sum = lh_index_writer_checksum(f->writer);
	struct lh_err unused;
	int rc = collect_later_frames(f, err);

	if (rc <= 0)
		return rc < 0 ? -1 : COMPACT_MOOT;
	if (f->carry.len)
		lh_log_add_mark(&f->mark, sum, f->snapshot->params.dimension);
	if (sum == f->snapshot->checksum) {
		if (lh_index_swap(f->writer, err) < 0 ||
		    lh_log_replace(f->path, &f->mark, &f->carry, err) < 0)
			return -1;
		return is_due_again(f) ? COMPACT_AGAIN : COMPACT_DONE;
	}
	if (write_combined_log(f, err) < 0 || lh_index_swap(f->writer, err) < 0)
		return -1;
	/* The swap is complete; a log that cannot be reduced is not a failure. */
	lh_log_replace(f->path, &f->mark, &f->carry, &unused);
	return is_due_again(f) ? COMPACT_AGAIN : COMPACT_DONE;
}

static int locked_swap(struct compaction *f, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(f->path, LH_INDEX_LOCK);
	struct lh_lock lock = { .fd = -1 };
	bool was = lh_signal_deferred();
	int rc = -1;

	lh_signal_defer(true);	/* do not stop between the steps */
	if (lh_lock_take(&lock, name, f->path, f->how->lock_timeout, err) == 0) {
		/* The names that are replaced may not be on disk, see append_locked(). */
		rc = lh_sync_folder(f->path, err) < 0 ? -1 : swap_files(f, err);
		lh_lock_drop(&lock);
	}
	lh_signal_defer(was);
	return rc;
}

/* Return whether fd is the file of the snapshot: the locked file may have been replaced. */
static bool is_snapshot_file(const struct compaction *f, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == f->snapshot->dev &&
	       st.st_ino == f->snapshot->ino;
}

/* Return whether another compaction replaced the file while this one waited for the
 * lock. */
static bool is_replaced(const char *path, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	       (a.st_dev != b.st_dev || a.st_ino != b.st_ino);
}

/* Return whether rows would be written as they are in the file. */
static bool is_newest_row(const struct lh_index *ix)
{
	struct lh_index_params newest = ix->params;

	lh_index_choose_codes(&newest);
	return newest.code_values == ix->params.code_values;
}

/* Return 1 when nothing would change: there is nothing in the log, and, where one was asked to
 * compact, nor what a killed compaction left there, rows are of the newest kind, and the graph
 * leads to every row.  0 when not, -1 on error. */
static int is_compact(const struct compaction *f)
{
	const struct lh_index *ix = f->snapshot;
	int64_t unreached = 0;

	if (f->how->persons)
		return ix->params.persons;
	if (ix->logged_puts + ix->logged_deletes > 0 || ix->torn_at >= 0)
		return 0;
	if (f->how->mode == COMPACT_ALL && (lh_index_log_text(ix)->len || !is_newest_row(ix)))
		return 0;
	if (f->how->mode == COMPACT_ALL)
		unreached = lh_index_unreached(ix, NULL, NULL);
	return unreached < 0 ? -1 : !unreached;
}

/* Compact the index that is open as fd, with INDEX-compact held. */
static int compact_locked(const char *path, int fd, const struct how *how, struct lh_err *err)
{
	struct compaction f = { .path = path, .how = how };
	int rc = -1, done;

	lh_buf_init(&f.mark, 256);
	f.snapshot = lh_index_open(path, err);
	if (f.snapshot && !is_snapshot_file(&f, fd)) {
		rc = COMPACT_MOOT;
	} else if (f.snapshot) {
		done = is_compact(&f);
		if (done > 0)
			rc = COMPACT_DONE;
		else if (done == 0 && build(&f, err) == 0)
			rc = locked_swap(&f, err);
	}
	lh_index_writer_free(f.writer);
	lh_index_close(f.snapshot);
	lh_buf_free(&f.log);
	lh_buf_free(&f.carry);
	lh_buf_free(&f.mark);
	return rc;
}

static int compact_once(const char *path, const struct how *how, struct lh_err *err)
{
	int rc = -1, fd = lh_open_regular(path, O_RDONLY, 0, err);
	char *name = fd >= 0 ? lh_index_sibling_path(path, LH_INDEX_COMPACT) : NULL;
	struct lh_lock lock = { .fd = -1 };

	if (name)
		rc = lh_lock_take(&lock, name, path,
				  how->mode == COMPACT_UNLESS_BUSY ? 0 : how->lock_timeout, err);
	if (name && rc < 0 && how->mode == COMPACT_UNLESS_BUSY && err->code == LH_ELOCKED)
		rc = COMPACT_BUSY;
	if (rc == 0 && !(how->mode == COMPACT_FOR_ROOM && is_replaced(path, fd)))
		rc = compact_locked(path, fd, how, err);
	lh_lock_drop(&lock);
	free(name);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int compact(const char *path, const struct how *how, struct lh_err *err)
{
	int rc = COMPACT_MOOT, tries = 0, rounds = 0;

	if (lh_index_refuse_link(path, err) < 0)
		return -1;
	while ((rc == COMPACT_MOOT && tries++ < COMPACT_TRIES) ||
	       (rc == COMPACT_AGAIN && how->mode == COMPACT_UNLESS_BUSY &&
		++rounds < COMPACT_ROUNDS))
		rc = compact_once(path, how, err);
	if (rc == COMPACT_MOOT && how->mode == COMPACT_ALL)
		return lh_err_set(err, LH_ELOCKED, "%s: others replaced it %d times meanwhile",
				  path, COMPACT_TRIES);
	return rc < 0 ? -1 : 0;
}

int lh_index_compact(const char *path, unsigned jobs, double lock_timeout, struct lh_err *err)
{
	return lh_index_compact_watched(path, jobs, lock_timeout, NULL, NULL, err);
}

int lh_index_compact_watched(const char *path, unsigned jobs, double lock_timeout,
			     lh_index_progress_fn *progress, void *ctx, struct lh_err *err)
{
	const struct how how = { COMPACT_ALL, jobs, lock_timeout, progress, ctx, false };

	return compact(path, &how, err);
}

int lh_index_compact_unless_busy(const char *path, unsigned jobs, double lock_timeout,
				 struct lh_err *err)
{
	return compact(path, &(struct how){ COMPACT_UNLESS_BUSY, jobs, lock_timeout, NULL, NULL,
					    false },
		       err);
}

int lh_index_set_persons(const char *path, unsigned jobs, double lock_timeout, struct lh_err *err)
{
	return compact(path, &(struct how){ COMPACT_ALL, jobs, lock_timeout, NULL, NULL, true },
		       err);
}

int lh_index_make_room(const char *path, unsigned jobs, double lock_timeout, struct lh_err *err)
{
	return compact(path, &(struct how){ COMPACT_FOR_ROOM, jobs, lock_timeout, NULL, NULL,
					    false },
		       err);
}

int lh_index_change_in_turn(struct lh_index_change *c, const char *path, unsigned jobs,
			    double lock_timeout, bool *compaction_due, struct lh_err *err)
{
	int rc;

	while ((rc = lh_index_change_try(c, compaction_due, err)) == 1)
		if (lh_index_make_room(path, jobs, lock_timeout, err) < 0)
			return lh_index_change_commit(c, compaction_due, err);
	return rc;
}
